/* SPDX-License-Identifier: BSD-2-Clause */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/describe.h>
#include <jitframe/version.h>

#include "checked.h"
#include "page_text.h"

/* With more than so many a page is slow to open. The functions that come too late have verdicts and findings. */
#define INSNS_MAX 300000

struct page {
	const char *path, *input;
	json_t *functions;
	struct page_values values;
	size_t insns_left;
	struct jf_frame *frames; /* each different one once */
	size_t frame_count, frame_capacity;
};

struct page *page_new(const char *path, const char *input)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page) {
		cli_failed("no memory");
		return NULL;
	}
	page->path = path;
	page->input = strcmp(input, "-") ? input : "standard input";
	page->functions = json_array();
	page->values.list = json_array();
	page->values.index = json_object();
	page->insns_left = INSNS_MAX;
	return page;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	json_decref(page->functions);
	json_decref(page->values.list);
	json_decref(page->values.index);
	free(page->frames);
	free(page);
}

/* ---- frames --------------------------------------------------------------------------------------------- */

static bool frame_same(const struct jf_frame *a, const struct jf_frame *b)
{
	return a->spec.role == b->spec.role && a->size_bytes == b->size_bytes && a->slot_count == b->slot_count &&
	       a->landing_sp_off_from_cfa == b->landing_sp_off_from_cfa &&
	       memcmp(a->slots, b->slots, a->slot_count * sizeof(a->slots[0])) == 0;
}

/* The index of the spec's frame, or null. */
static json_t *add_frame(struct page *page, const struct jf_convention *conv, const struct jf_frame_spec *spec)
{
	struct jf_frame frame;
	size_t i;

	if (jf_frame_solve(conv, spec, &frame, NULL) != JF_OK)
		return json_null();
	for (i = 0; i < page->frame_count && !frame_same(&page->frames[i], &frame); i++)
		;
	if (i == page->frame_capacity) {
		size_t capacity = 2 * page->frame_capacity + 8;
		struct jf_frame *frames = realloc(page->frames, capacity * sizeof(*frames));

		if (!frames)
			return json_null();
		page->frames = frames;
		page->frame_capacity = capacity;
	}
	if (i == page->frame_count)
		page->frames[page->frame_count++] = frame;
	return json_integer((json_int_t)i);
}

static json_t *frame_json(const struct jf_frame *frame)
{
	json_t *slots = json_array();
	char text[128];

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];
		bool is_saved = slot->kind == JF_SLOT_RETURN || slot->kind == JF_SLOT_SAVE;

		jf_slot_text(frame, i, text, sizeof(text));
		json_array_append_new(slots,
				      json_pack("{s:s, s:i, s:I, s:i, s:b}", "text", text, "offset", slot->off_from_cfa,
						"bytes", (json_int_t)slot->size_bytes, "register",
						slot->reg == JF_REG_NONE ? -1 : (int)slot->reg, "saved", is_saved));
	}
	return json_pack("{s:s, s:I, s:i, s:i, s:o}", "role", jf_role_name((enum jf_role)frame->spec.role), "bytes",
			 (json_int_t)frame->size_bytes, "landing_sp", frame->landing_sp_off_from_cfa, "fp",
			 frame->conv->fp_off_from_cfa, "slots", slots);
}

static json_t *frames_json(const struct page *page)
{
	json_t *list = json_array();

	for (size_t i = 0; i < page->frame_count; i++)
		json_array_append_new(list, frame_json(&page->frames[i]));
	return list;
}

/* ---- findings ------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(end - text) >= length && memcmp(end - length, word, length) == 0;
}

/* Whether "CFA-24" is a word of the stack there, as opposed to an address that a register holds or should. */
static bool is_word(const char *text, const char *at)
{
	return (ends_with(text, at, " at ") || ends_with(text, at, " in ") || ends_with(text, at, " to ") ||
		ends_with(text, at, "reads ")) &&
	       !ends_with(text, at, " down to ") && !ends_with(text, at, " the saves at ");
}

/* The sentence names places of the frame as "CFA-24". */
static void set_places(json_t *item, const char *text)
{
	json_t *slots = json_array(), *addresses = json_array();

	for (const char *at = text; (at = strstr(at, "CFA"));) {
		bool word = is_word(text, at);
		char *end;
		long off;

		at += strlen("CFA");
		if (*at != '-' && *at != '+')
			continue;
		off = strtol(at, &end, 10);
		if (end > at + 1)
			json_array_append_new(word ? slots : addresses, json_integer(off));
	}
	json_object_set_new(item, "slots", slots);
	json_object_set_new(item, "addresses", addresses);
}

/* "returns with s0 = 5, not the caller's" is about the slot of s0. */
static void set_slot_of_register(json_t *item, const struct checked *checked, const struct jf_finding *finding)
{
	static const char returns[] = "returns with ";
	const struct jf_backend *backend = checked->input->conv->backend;
	const char *name = strstr(finding->text, returns);
	struct jf_frame frame;

	if (!name || jf_frame_solve(checked->input->conv, &checked->input->spec, &frame, NULL) != JF_OK)
		return;
	name += strlen(returns);
	for (unsigned int i = 0; i < frame.slot_count; i++) {
		const struct jf_slot *slot = &frame.slots[i];
		const char *reg = slot->reg < backend->reg_count ? backend->regs[slot->reg].name : NULL;

		if (reg && slot->kind == JF_SLOT_SAVE && strncmp(name, reg, strlen(reg)) == 0 &&
		    name[strlen(reg)] == ' ')
			json_array_append_new(json_object_get(item, "slots"), json_integer(slot->off_from_cfa));
	}
}

static void complete_findings(json_t *list, const struct checked *checked)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		const struct jf_finding *finding = &checked->report->findings[i];

		set_places(item, finding->text);
		set_slot_of_register(item, checked, finding);
		if (finding->code_off != JF_CHECK_NO_OFF)
			json_object_set_new(item, "offset", json_integer(finding->code_off));
	}
}

/* ---- functions ------------------------------------------------------------------------------------------- */

static const char *const kinds[JF_CHECK__COUNT] = {"function", "call stub", "private stub"};

/* Of a callback: where the throw lands. {"frame": index, "function": index or null, "known": whether somebody knows} */
static json_t *landing_json(struct page *page, const struct checked *checked)
{
	struct jf_frame_spec plainest = JF_FRAME_SPEC_INIT;
	const struct jf_frame_spec *boundary = checked->input->boundary;
	json_t *frame, *index = json_null();

	plainest.role = JF_ROLE_BOUNDARY;
	frame = add_frame(page, checked->input->conv, boundary ? boundary : &plainest);
	for (size_t i = json_array_size(page->functions); boundary && i-- > 0;) {
		json_t *other = json_array_get(page->functions, i);

		if (!json_equal(json_object_get(other, "frame"), frame))
			continue;
		index = json_integer((json_int_t)i);
		break;
	}
	return json_pack("{s:o, s:o, s:b}", "frame", frame, "function", index, "known", boundary != NULL);
}

void page_add(struct page *page, struct check_output *output, const struct checked *checked)
{
	json_t *function = check_json(output, checked);
	const struct jf_check_input *input = checked->input;
	const struct jf_check_report *report = checked->report;
	bool has_code = report->insn_count <= page->insns_left;
	char spec[256];

	check_spec_text(&input->spec, spec, sizeof(spec));
	json_object_set_new(function, "kind", json_string(kinds[input->kind]));
	json_object_set_new(function, "doubtful", json_boolean(check_is_doubtful(output, checked)));
	json_object_set_new(function, "more_findings",
			    json_integer((json_int_t)(report->finding_count - check_kept(report))));
	complete_findings(json_object_get(function, "findings"), checked);
	if (input->kind == JF_CHECK_FUNCTION) {
		json_object_set_new(function, "spec_text", json_string(spec));
		json_object_set_new(function, "frame", add_frame(page, input->conv, &input->spec));
		if (input->spec.role == JF_ROLE_CALLBACK)
			json_object_set_new(function, "landing", landing_json(page, checked));
	}
	if (has_code) {
		page->insns_left -= report->insn_count;
		json_object_set_new(function, "code", page_code(output, checked, &page->values));
	}
	json_array_append_new(page->functions, function);
}

/* ---- all of it -------------------------------------------------------------------------------------------- */

static json_t *rules_json(const struct check_output *output)
{
	json_t *list = json_array();

	for (unsigned int number = 1; number <= JF_RULE_COUNT; number++) {
		const struct jf_rule *rule = jf_rule_at(number);

		if (rule)
			json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:b}", "number", (int)number, "name",
							      rule->name, "text", rule->text, "asked",
							      !(output->except >> number & 1)));
	}
	return list;
}

/* The BPF register that lives in it, "R6", or "". */
static void bpf_name(const struct jf_convention *conv, uint8_t reg, char *text, size_t capacity)
{
	text[0] = '\0';
	for (unsigned int bpf = 0; bpf <= JF_BPF_FP; bpf++)
		if (conv->bpf_reg[bpf] == reg)
			snprintf(text, capacity, "R%u", bpf);
}

static json_t *registers_json(const struct jf_convention *conv)
{
	const struct jf_backend *backend = conv->backend;
	json_t *list = json_array();

	for (unsigned int i = 0; i < backend->reg_count; i++) {
		const struct jf_reg *reg = &backend->regs[i];
		char bpf[8];

		bpf_name(conv, (uint8_t)i, bpf, sizeof(bpf));
		json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:b, s:b, s:b}", "name", reg->name, "bpf", bpf,
						      "private_fp", conv->bpf_fp_private == i, "integer",
						      reg->cls == JF_REG_INT, "callee_saved",
						      (reg->flags & JF_REG_CALLEE_SAVED) != 0, "fixed",
						      (reg->flags & (JF_REG_RESERVED | JF_REG_ZERO)) != 0));
	}
	return list;
}

static json_t *data_of(const struct page *page, const struct check_output *output)
{
	const struct jf_backend *backend = output->conv->backend;
	char target[96], assumed[CHECK_ASSUMED_MAX];

	snprintf(target, sizeof(target), "%s/%s", backend->name, output->conv->name);
	check_assumed_text(output, assumed, sizeof(assumed));
	return json_pack("{s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:[i, i, i], s:O, s:O}", "version",
			 jf_version_text(), "input", json_text(page->input), "target", target, "sound",
			 output->failed == 0, "assumed", output->is_compiled ? json_null() : json_string(assumed),
			 "rules", rules_json(output), "registers", registers_json(output->conv), "frames",
			 frames_json(page), "first_registers", (int)backend->sp, (int)backend->fp, (int)backend->ra,
			 "values", page->values.list, "functions", page->functions);
}

/* Names come from anybody: what could end the element, or begin another, goes as an escape. Such characters are in
 * strings alone. What the file does not take is seen when the file is closed. */
static int put_data(const char *text, size_t size, void *file)
{
	for (size_t i = 0; i < size; i++) {
		if (strchr("<>&", text[i]) && text[i])
			fprintf(file, "\\u%04x", (unsigned int)text[i]);
		else
			fputc(text[i], file);
	}
	return 0;
}

/* returns: false without memory. */
static bool put_page(const struct page *page, json_t *data, FILE *file)
{
	fputs(page_head, file);
	if (json_dump_callback(data, put_data, file, JSON_COMPACT | JSON_ENSURE_ASCII) != 0)
		return false;
	fputs(page_middle, file);
	for (size_t i = 0; i < page->frame_count; i++)
		svg_put_live(file, &page->frames[i]);
	fputs(page_tail, file);
	return true;
}

int page_write(struct page *page, const struct check_output *output)
{
	FILE *file = cli_create(page->path);
	json_t *data;
	bool is_put;

	if (!file)
		return CLI_FAILED;
	data = data_of(page, output);
	is_put = data && put_page(page, data, file);
	json_decref(data);
	if (cli_close(file, page->path) != 0)
		return CLI_FAILED;
	return is_put ? 0 : cli_failed("%s: no memory for the page", page->path);
}
