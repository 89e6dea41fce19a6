/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include <jitframe/codemap.h>
#include <jitframe/walk.h>

#include "foreign.h"
#include "report.h"

struct search {
	const struct jf_range *found; /* the first program that is no subprogram */
	uint64_t sp, fp;
	bool is_inside; /* frames of programs have been seen */
};

/* As Linux: C code in front of the program's frames is passed over, and C code behind some of them ends the search. */
static bool look(void *arg, uint64_t ip, uint64_t sp, uint64_t fp)
{
	const struct jf_range *range = jf_code_map_find(ip);
	struct search *search = arg;

	/* A throw may be the last instruction: the end of a program belongs to it. */
	if (range == NULL)
		range = jf_code_map_find(ip - 1);
	if (range != NULL && range->kind == JF_RANGE_STUB)
		return true; /* belongs to the call: a kernel has none */
	if (range == NULL || range->kind == JF_RANGE_ENTRY)
		return !search->is_inside;
	search->is_inside = true;
	if (range->kind == JF_RANGE_SUBPROGRAM)
		return true;
	search->found = range;
	search->sp = sp;
	search->fp = fp;
	return false;
}

/* What a walk by the same frame records sees, for the trace. */
static __attribute__((noinline)) void report_frames(uint64_t cookie, const struct search *search)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);
	const struct jf_walk_frame *frame = jf_walk_at(&walk);

	/* The first two frames are this file's. */
	for (unsigned int i = 0; status == JF_OK && i < 2; i++)
		status = jf_walk_step(&walk);
	while (status == JF_OK) {
		report_throw_frame(cookie, &walk);
		if (frame->range != NULL && frame->range == search->found)
			break;
		status = jf_walk_step(&walk);
	}
	jf_walk_end(&walk);
}

static _Noreturn void nobody_catches(uint64_t cookie, enum jf_status why)
{
	struct jf_walk walk;

	if (jf_walk_here(&walk, NULL) == JF_OK)
		report_uncaught(NULL, cookie, &walk, why);
	_exit(EXIT_UNCAUGHT);
}

typedef uint64_t (*callback)(uint64_t cookie, uint64_t sp, uint64_t fp, uint64_t, uint64_t);

uint64_t kernel_throw(uint64_t cookie)
{
	struct search search = {.found = NULL};
	const struct jf_range *found;
	const struct bundle_code *code;
	enum jf_status status = jf_bpf_stack_walk(look, &search);

	found = search.found;
	if (report_wants_frames())
		report_frames(cookie, &search);
	if (found == NULL || found->kind != JF_RANGE_BOUNDARY)
		nobody_catches(cookie, status < JF_OK ? status : JF_E_NO_BOUNDARY);
	code = found->owner;
	if (report_wants_frames())
		report_throw_landing(found->callback, search.sp + code->sp_adjust, search.fp);
	((callback)(uintptr_t)found->callback)(cookie, search.sp + code->sp_adjust, search.fp, 0, 0);
	report_error_text("%s: its callback came back to bpf_throw()", found->name);
	_exit(EXIT_FAILED);
}
