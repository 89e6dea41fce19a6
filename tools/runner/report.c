/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jitframe/describe.h>
#include <jitframe/throw.h>

#define RECORD_MAX 1024

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
static _Thread_local unsigned int throw_depth;
static _Thread_local bool throw_running;

static void report_landing(const struct jf_walk_frame *frame, uint64_t fp)
{
	const struct jf_range *callback = jf_code_map_find(frame->range->callback);
	uint64_t sp = frame->cfa + (uint64_t)(int64_t)frame->range->landing_sp_off_from_cfa;

	report("landing throw=%u callback=%s sp=0x%" PRIx64 " fp=0x%" PRIx64, throw_number,
	       callback != NULL ? callback->name : "?", sp, fp);
}

static const char *frame_kind(const struct jf_walk_frame *frame)
{
	if (frame->range != NULL)
		return jf_range_kind_name(frame->range->kind);
	return frame->function != NULL ? "c" : "unknown";
}

/* Of C code the object's file. */
static const char *frame_name(const struct jf_walk_frame *frame)
{
	const char *slash = frame->name != NULL ? strrchr(frame->name, '/') : NULL;

	if (frame->name == NULL)
		return "?";
	if (frame->name[0] == '\0')
		return program_invocation_short_name;
	return slash != NULL ? slash + 1 : frame->name;
}

static uint64_t frame_start(const struct jf_walk_frame *frame)
{
	if (frame->range != NULL)
		return frame->range->start;
	return frame->function != NULL ? frame->function->start : frame->pc;
}

static void report_frame(void *arg, uint64_t cookie, const struct jf_walk *walk)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	(void)arg;
	if (!throw_running) {
		throw_running = true;
		throw_number = atomic_fetch_add_explicit(&throw_count, 1, memory_order_relaxed) + 1;
		throw_depth = 0;
	}
	report("frame throw=%u depth=%u kind=%s name=%s offset=%" PRIu64 " pc=0x%" PRIx64 " sp=0x%" PRIx64
	       " fp=0x%" PRIx64 " cookie=%" PRIu64,
	       throw_number, throw_depth++, frame_kind(frame), frame_name(frame), frame->pc - frame_start(frame),
	       frame->pc, jf_walk_sp(walk), jf_walk_fp(walk), cookie);
	if (frame->range != NULL && frame->range->kind == JF_RANGE_BOUNDARY) {
		report_landing(frame, jf_walk_fp(walk));
		throw_running = false;
	}
}

static void report_uncaught(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	(void)arg;
	(void)walk;
	report("uncaught cookie=%" PRIu64 " why=%s", cookie, jf_status_name(why));
	_exit(EXIT_UNCAUGHT);
}

enum jf_status report_throws(bool frames)
{
	static const struct jf_uncaught_handler handler = {.size = sizeof(handler), .call = report_uncaught};
	static const struct jf_throw_observer observer = {.size = sizeof(observer), .call = report_frame};
	enum jf_status status = jf_uncaught_handler_set(&handler, NULL);

	return status != JF_OK || !frames ? status : jf_throw_observer_set(&observer, NULL);
}
