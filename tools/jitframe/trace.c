/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backtrace.h>

#include "json.h"
#include "run.h"

/*
 * The runner's records (see its report.h), made JSON first: that is what --json prints, and the text is
 * written from it. A throw is complete when its landing has come; records of several threads may lie
 * between.
 */

struct trace {
	bool json;
	uint32_t show;  /* JF_BACKTRACE_ bits */
	json_t *throws; /* as text: only those that are not complete */
	json_t *result; /* NULL: none yet; so are the following */
	json_t *registers;
	json_t *private_stacks;
	json_t *uncaught;
	json_t *published;
	json_t *pads;
	json_t *values; /* of variables and maps */
	char *error;
};

struct trace *trace_new(bool json)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	trace->json = json;
	trace->throws = json_array();
	trace->published = json_array();
	trace->pads = json_array();
	trace->values = json_array();
	return trace;
}

void trace_show(struct trace *trace, uint32_t flags)
{
	trace->show = flags;
}

bool trace_parse(const char *list, uint32_t *flags)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} known[] = {
		{"addresses", JF_BACKTRACE_ADDRESSES},
		{"registers", JF_BACKTRACE_REGISTERS},
		{"source", JF_BACKTRACE_SOURCE},
		{"all", JF_BACKTRACE_ADDRESSES | JF_BACKTRACE_REGISTERS | JF_BACKTRACE_SOURCE},
	};
	const size_t count = sizeof(known) / sizeof(known[0]);

	for (size_t length; *list != '\0'; list += length + (list[length] == ',')) {
		size_t i = 0;

		length = strcspn(list, ",");
		while (i < count && (strlen(known[i].name) != length || strncmp(known[i].name, list, length) != 0))
			i++;
		if (i == count)
			return false;
		*flags |= known[i].flag;
	}
	return true;
}

void trace_free(struct trace *trace)
{
	json_decref(trace->throws);
	json_decref(trace->result);
	json_decref(trace->registers);
	json_decref(trace->private_stacks);
	json_decref(trace->uncaught);
	json_decref(trace->published);
	json_decref(trace->pads);
	json_decref(trace->values);
	free(trace->error);
	free(trace);
}

const char *trace_error(const struct trace *trace)
{
	return trace->error;
}

bool trace_has_result(const struct trace *trace)
{
	return trace->result != NULL;
}

/* ---- records ------------------------------------------------------------------------------------ */

/* Fields with any text in them, "%20" for a blank. */
static bool is_text(const char *field)
{
	static const char *const fields[] = {"name", "object", "file", "text"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(field, fields[i]) == 0)
			return true;
	return false;
}

static void unescape(char *text)
{
	unsigned int byte;
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* "key=value key=value" -> an object: decimal numbers as such, all else strings. */
static json_t *parse_fields(char *text)
{
	json_t *fields = json_object();
	char *rest = NULL;

	for (char *field = strtok_r(text, " ", &rest); field; field = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(field, '=');
		uint64_t number;

		if (!value)
			continue;
		*value++ = '\0';
		if (is_text(field))
			unescape(value);
		else if (cli_number(value, 10, INT64_MAX, &number)) {
			json_object_set_new(fields, field, json_integer((json_int_t)number));
			continue;
		}
		json_object_set_new(fields, field, json_text(value));
	}
	return fields;
}

static const char *text_of(const json_t *fields, const char *key)
{
	const char *text = json_string_value(json_object_get(fields, key));

	return text ? text : "?";
}

static json_int_t number_of(const json_t *fields, const char *key)
{
	return json_integer_value(json_object_get(fields, key));
}

static uint64_t hex_of(const json_t *fields, const char *key)
{
	uint64_t value = 0;

	(void)cli_number(text_of(fields, key), 16, UINT64_MAX, &value);
	return value;
}

/* Cookies are any 64 bits: always hexadecimal. */
static json_t *cookie_of(json_t *fields)
{
	const json_t *cookie = json_object_get(fields, "cookie");
	uint64_t value = (uint64_t)json_integer_value(cookie);

	if (json_is_string(cookie))
		(void)cli_number(json_string_value(cookie), 10, UINT64_MAX, &value);
	return json_hex(value);
}

static uint64_t cookie_value(const json_t *one)
{
	return hex_of(one, "cookie");
}

bool trace_has_changed_registers(const struct trace *trace)
{
	return number_of(trace->registers, "changed") != 0;
}

/* ---- throws ------------------------------------------------------------------------------------- */

/* returns: its index, or the number of throws. Latest first: many throws are kept for --json. */
static size_t find_throw(const struct trace *trace, json_int_t number)
{
	size_t count = json_array_size(trace->throws);

	for (size_t i = count; i-- > 0;)
		if (number_of(json_array_get(trace->throws, i), "throw") == number)
			return i;
	return count;
}

static void add_frame(struct trace *trace, json_t *fields)
{
	json_int_t number = number_of(fields, "throw");
	size_t index = find_throw(trace, number);

	if (index == json_array_size(trace->throws))
		json_array_append_new(trace->throws, json_pack("{s:I, s:o, s:[]}", "throw", number, "cookie",
							       cookie_of(fields), "frames"));
	json_object_del(fields, "throw");
	json_object_del(fields, "cookie");
	json_array_append(json_object_get(json_array_get(trace->throws, index), "frames"), fields);
}

/* A frame as the runner's library has described it. */
static struct jf_backtrace_frame frame_of(const json_t *fields)
{
	struct jf_backtrace_frame frame = {
		.size = sizeof(frame),
		.insn = json_object_get(fields, "insn") ? (int32_t)number_of(fields, "insn") : -1,
		.kind = text_of(fields, "kind"),
		.name = json_string_value(json_object_get(fields, "name")),
		.offset = (uint64_t)number_of(fields, "offset"),
		.object = json_string_value(json_object_get(fields, "object")),
		.file = json_string_value(json_object_get(fields, "file")),
		.line = (uint32_t)number_of(fields, "line"),
		.text = json_string_value(json_object_get(fields, "text")),
		.pc = hex_of(fields, "pc"),
		.sp = hex_of(fields, "sp"),
		.fp = hex_of(fields, "fp"),
	};

	for (unsigned int i = 0; i < JF_BACKTRACE_REGS; i++) {
		const char key[] = {'r', (char)('6' + i), '\0'};

		if (!json_object_get(fields, key))
			continue;
		frame.known |= (uint8_t)(1U << i);
		frame.regs[i] = hex_of(fields, key);
	}
	return frame;
}

static void print_throw(const struct trace *trace, const json_t *one)
{
	const json_t *landing = json_object_get(one, "landing");
	size_t index;
	json_t *fields;

	printf("throw %lld with cookie %" PRIu64 "\n", (long long)number_of(one, "throw"), cookie_value(one));
	json_array_foreach(json_object_get(one, "frames"), index, fields)
	{
		struct jf_backtrace_frame frame = frame_of(fields);
		char text[2048];

		(void)jf_backtrace_text(&frame, (unsigned int)index, trace->show, text, sizeof(text));
		puts(text);
	}
	if (!landing)
		puts("  no landing");
	else if (trace->show & JF_BACKTRACE_ADDRESSES)
		printf("  landing in callback %s sp=%s fp=%s\n", text_of(landing, "callback"), text_of(landing, "sp"),
		       text_of(landing, "fp"));
	else
		printf("  landing in callback %s\n", text_of(landing, "callback"));
	fflush(stdout);
}

/* They run when the throw has been printed: it finds its boundary before any of them. */
static void add_pad(struct trace *trace, json_t *fields)
{
	json_object_set_new(fields, "cookie", cookie_of(fields));
	if (trace->json) {
		json_array_append(trace->pads, fields);
		return;
	}
	printf("  clean-up pad of %s", text_of(fields, "name"));
	if (json_object_get(fields, "insn"))
		printf(", instruction %lld", (long long)number_of(fields, "insn"));
	if (json_object_get(fields, "file"))
		printf(", %s:%lld", text_of(fields, "file"), (long long)number_of(fields, "line"));
	printf(", cookie %" PRIu64 "\n", cookie_value(fields));
	fflush(stdout);
}

static void add_landing(struct trace *trace, json_t *fields)
{
	size_t index = find_throw(trace, number_of(fields, "throw"));
	json_t *one = json_array_get(trace->throws, index);

	if (!one)
		return;
	json_object_del(fields, "throw");
	json_object_set(one, "landing", fields);
	if (!trace->json) {
		print_throw(trace, one);
		json_array_remove(trace->throws, index);
	}
}

/* ---- the rest ----------------------------------------------------------------------------------- */

static void print_result(const json_t *result)
{
	uint64_t r0 = hex_of(result, "r0");

	printf("R0 = 0x%" PRIx64 " (%" PRId64 ")\n", r0, (int64_t)r0);
	fflush(stdout);
}

static void print_registers(const json_t *registers)
{
	size_t index;
	json_t *one;

	printf("callee-saved registers: %lld checked, %lld changed\n", (long long)number_of(registers, "checked"),
	       (long long)number_of(registers, "changed"));
	json_array_foreach(json_object_get(registers, "list"), index, one)
		printf("  %s: %s became %s\n", text_of(one, "name"), text_of(one, "in"), text_of(one, "out"));
}

/* Up to 8 bytes as a number, in the order of memory. */
static void print_value(const json_t *value)
{
	const char *key = json_string_value(json_object_get(value, "key")), *bytes = text_of(value, "bytes");
	size_t length = strlen(bytes), hex = strlen("hex:");
	uint64_t number = 0;

	printf(key ? "%s[%s] = " : "%s%s = ", text_of(value, "name"), key ? key : "");
	if (length > hex + 16) {
		printf("%s\n", bytes);
		return;
	}
	for (size_t i = length; i > hex + 1; i -= 2) {
		const char pair[] = {bytes[i - 2], bytes[i - 1], '\0'};

		number = number << 8 | strtoul(pair, NULL, 16);
	}
	printf("0x%" PRIx64 " (%" PRIu64 ")\n", number, number);
}

void trace_record(struct trace *trace, char *line)
{
	char *rest = strchr(line, ' ');
	json_t *fields;

	if (rest)
		*rest++ = '\0';
	if (strcmp(line, "error") == 0) {
		if (!trace->error && rest && strncmp(rest, "text=", 5) == 0)
			trace->error = strdup(rest + 5);
		return;
	}
	fields = parse_fields(rest ? rest : line + strlen(line));
	if (strcmp(line, "frame") == 0) {
		add_frame(trace, fields);
	} else if (strcmp(line, "landing") == 0) {
		add_landing(trace, fields);
	} else if (strcmp(line, "pad") == 0) {
		add_pad(trace, fields);
	} else if (strcmp(line, "result") == 0 && !trace->result) {
		trace->result = json_incref(fields);
	} else if (strcmp(line, "registers") == 0 && !trace->registers) {
		trace->registers = json_incref(fields);
		json_object_set_new(fields, "list", json_array());
	} else if (strcmp(line, "private_stacks") == 0 && !trace->private_stacks) {
		trace->private_stacks = json_incref(fields);
	} else if (strcmp(line, "register") == 0 && trace->registers) {
		json_array_append(json_object_get(trace->registers, "list"), fields);
	} else if (strcmp(line, "value") == 0) {
		json_array_append(trace->values, fields);
	} else if (strcmp(line, "published") == 0) {
		json_array_append(trace->published, fields);
	} else if (strcmp(line, "uncaught") == 0 && !trace->uncaught) {
		json_object_set_new(fields, "cookie", cookie_of(fields));
		trace->uncaught = json_incref(fields);
	}
	json_decref(fields);
}

void trace_finish(struct trace *trace)
{
	size_t index;
	json_t *one;

	json_array_foreach(trace->throws, index, one) print_throw(trace, one);
	if (trace->uncaught)
		printf("uncaught: cookie %" PRIu64 ", %s\n", cookie_value(trace->uncaught),
		       text_of(trace->uncaught, "why"));
	if (trace->result)
		print_result(trace->result);
	if (trace->registers)
		print_registers(trace->registers);
	if (trace->private_stacks)
		printf("private stacks: guards checked %lld times, %s\n",
		       (long long)number_of(trace->private_stacks, "checks"),
		       number_of(trace->private_stacks, "broken") ? "broken" : "whole");
	json_array_foreach(trace->values, index, one) print_value(one);
	json_array_foreach(trace->published, index, one)
		printf("published: %s, %lld ranges, %lld refused\n", text_of(one, "consumer"),
		       (long long)number_of(one, "ranges"), (long long)number_of(one, "refused"));
}

json_t *trace_json(struct trace *trace)
{
	json_t *all = json_pack("{s:O}", "throws", trace->throws);

	if (trace->result)
		json_object_set(all, "result", trace->result);
	if (trace->registers)
		json_object_set(all, "registers", trace->registers);
	if (trace->private_stacks)
		json_object_set(all, "private_stacks", trace->private_stacks);
	if (trace->uncaught)
		json_object_set(all, "uncaught", trace->uncaught);
	if (json_array_size(trace->values))
		json_object_set(all, "values", trace->values);
	if (json_array_size(trace->pads))
		json_object_set(all, "pads", trace->pads);
	if (json_array_size(trace->published))
		json_object_set(all, "published", trace->published);
	if (trace->error)
		json_object_set_new(all, "error", json_text(trace->error));
	return all;
}
