/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jitframe/backtrace.h>
#include <jitframe/throw.h>

#include "helpers.h"

#define RECORD_MAX 2048

static int report_fd = STDOUT_FILENO;

void report_open(int fd)
{
	report_fd = fd;
}

/* One write per record; more only where a pipe takes less. */
static void write_all(const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t written = write(report_fd, bytes, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		count -= (size_t)written;
	}
}

static void report_list(const char *fmt, va_list args)
{
	char line[RECORD_MAX];
	int length = vsnprintf(line, sizeof(line) - 1, fmt, args);

	if (length < 0)
		return;
	if ((size_t)length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	/* Names and messages may quote what a bundle holds: a record stays one line. */
	for (int i = 0; i < length; i++) {
		if (line[i] == '\n')
			line[i] = ' ';
	}
	line[length] = '\n';
	write_all(line, (size_t)length + 1);
}

void report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_list(fmt, args);
	va_end(args);
}

int report_error(const struct jf_error *error)
{
	const char *separator = error->where[0] != '\0' ? ": " : "";
	const char *text = error->text[0] != '\0' ? error->text : jf_status_text(error->status);

	report("error text=%s%s%s", error->where, separator, text);
	return EXIT_BAD_INPUT;
}

int report_error_text(const char *fmt, ...)
{
	char text[RECORD_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report("error text=%s", text);
	return EXIT_BAD_INPUT;
}

/* ---- throws ---------------------------------------------------------------------------------- */

static atomic_uint throw_count;
/* The throw that this thread is in the middle of; a boundary ends it. */
static _Thread_local unsigned int throw_number;
static _Thread_local bool throw_running;

void report_throw_landing(uint64_t callback, uint64_t sp, uint64_t fp)
{
	const struct jf_range *range = jf_code_map_find(callback);

	report("landing throw=%u callback=%s sp=0x%" PRIx64 " fp=0x%" PRIx64, throw_number,
	       range != NULL ? range->name : "?", sp, fp);
	throw_running = false;
}

/* A record's text as it grows. */
struct record {
	char text[RECORD_MAX];
	size_t length;
};

static void add(struct record *record, const char *fmt, ...) JF_PRINTF(2, 3);
static void add(struct record *record, const char *fmt, ...)
{
	size_t room = sizeof(record->text) - record->length;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(record->text + record->length, room, fmt, args);
	va_end(args);
	/* A field that does not fit is left out. */
	if (length > 0 && (size_t)length < room)
		record->length += (size_t)length;
	record->text[record->length] = '\0';
}

/* " key=value", with a value that has neither blanks nor line ends. */
static void add_string(struct record *record, const char *key, const char *value)
{
	char field[RECORD_MAX];
	size_t length = 0;

	if (value == NULL)
		return;
	for (; *value != '\0' && length + 4 < sizeof(field); value++) {
		if ((unsigned char)*value > ' ' && *value != '%' && *value != 0x7f)
			field[length++] = *value;
		else
			length += (size_t)snprintf(field + length, 4, "%%%02x", (unsigned char)*value);
	}
	field[length] = '\0';
	add(record, " %s=%s", key, field);
}

static const char *last_part(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path;
}

static void add_frame(struct record *record, const struct jf_backtrace_frame *frame)
{
	add(record, " kind=%s pc=0x%" PRIx64 " sp=0x%" PRIx64 " fp=0x%" PRIx64, frame->kind, frame->pc, frame->sp,
	    frame->fp);
	add_string(record, "name", frame->name);
	if (frame->name != NULL)
		add(record, " offset=%" PRIu64, frame->offset);
	if (frame->object != NULL)
		add_string(record, "object",
			   frame->object[0] != '\0' ? last_part(frame->object) : program_invocation_short_name);
	if (frame->insn >= 0)
		add(record, " insn=%" PRId32, frame->insn);
	for (unsigned int i = 0; i < JF_BACKTRACE_REGS; i++) {
		if ((frame->known >> i & 1) != 0)
			add(record, " r%u=0x%" PRIx64, JF_BPF_R6 + i, frame->regs[i]);
	}
	add_string(record, "file", frame->file);
	if (frame->file != NULL)
		add(record, " line=%" PRIu32, frame->line);
	add_string(record, "text", frame->text);
}

/* The runner's own C functions, which symbols do not name. */
static void name_import(const struct jf_walk_frame *at, struct jf_backtrace_frame *frame)
{
	if (frame->name != NULL || at->function == NULL)
		return;
	frame->name = helpers_name(at->function->start);
	if (frame->name == NULL)
		frame->name = kfunc_name(at->function->start);
	frame->offset = at->pc - at->function->start;
}

void report_throw_frame(uint64_t cookie, const struct jf_walk *walk)
{
	const struct jf_walk_frame *at = jf_walk_at(walk);
	struct jf_backtrace_frame frame = {.size = sizeof(frame)};
	struct record record = {.length = 0};

	if (!throw_running) {
		throw_running = true;
		throw_number = atomic_fetch_add_explicit(&throw_count, 1, memory_order_relaxed) + 1;
	}
	if (jf_backtrace_describe(walk, JF_BACKTRACE_SYMBOLS, NULL, &frame) == JF_OK) {
		name_import(at, &frame);
		add_frame(&record, &frame);
		report("frame throw=%u cookie=%" PRIu64 "%s", throw_number, cookie, record.text);
	}
}

static void report_frame(void *arg, uint64_t cookie, const struct jf_walk *walk)
{
	const struct jf_walk_frame *at = jf_walk_at(walk);

	(void)arg;
	report_throw_frame(cookie, walk);
	if (at->range != NULL && at->range->kind == JF_RANGE_BOUNDARY)
		report_throw_landing(at->range->callback,
				     at->cfa + (uint64_t)(int64_t)at->range->landing_sp_off_from_cfa, jf_walk_fp(walk));
}

/* A clean-up pad runs next, in the frame. */
static void report_pad(void *arg, uint64_t cookie, const struct jf_walk *walk, uint64_t address)
{
	const struct jf_range *range = jf_walk_at(walk)->range;
	struct jf_source source = {.insn = 0};
	struct record record = {.length = 0};

	(void)arg;
	add_string(&record, "name", range->name);
	add(&record, " offset=%" PRIu64, address - range->start);
	if (jf_range_source(range, address, &source) == JF_OK) {
		add(&record, " insn=%" PRIu32, source.insn);
		add_string(&record, "file", source.line ? source.line->file : NULL);
		if (source.line)
			add(&record, " line=%" PRIu32, source.line->line);
	}
	report("pad cookie=%" PRIu64 "%s", cookie, record.text);
}

void report_uncaught(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	static const struct jf_backtrace_opts opts = {.size = sizeof(opts), .flags = JF_BACKTRACE_SYMBOLS};

	(void)arg;
	jf_uncaught_print((void *)(uintptr_t)&opts, cookie, walk, why);
	report("uncaught cookie=%" PRIu64 " why=%s", cookie, jf_status_name(why));
	_exit(EXIT_UNCAUGHT);
}

static bool wants_frames;

bool report_wants_frames(void)
{
	return wants_frames;
}

enum jf_status report_throws(bool frames)
{
	static const struct jf_uncaught_handler handler = {.size = sizeof(handler), .call = report_uncaught};
	static const struct jf_throw_observer observer = {
		.size = sizeof(observer), .call = report_frame, .pad = report_pad};
	enum jf_status status = jf_uncaught_handler_set(&handler, NULL);

	wants_frames = frames;
	return status != JF_OK || !frames ? status : jf_throw_observer_set(&observer, NULL);
}
