/* SPDX-License-Identifier: BSD-2-Clause */

/* libunwind's side of walk.c, in a process of its own: libunwind takes over libgcc's unwinder. */

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "measure.h"
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>

struct frames {
	unsigned int count;
	void *pcs[WALK_FRAMES_MAX];
};

static void backtrace_once(void *arg)
{
	struct frames *frames = arg;

	for (unsigned int i = 0; i < WALK_REPEAT; i++)
		frames->count = (unsigned int)unw_backtrace(frames->pcs, WALK_FRAMES_MAX);
}

static void step_once(void *arg)
{
	struct frames *frames = arg;

	for (unsigned int i = 0; i < WALK_REPEAT; i++) {
		unw_cursor_t cursor;
		unw_context_t context;

		frames->count = 0;
		unw_getcontext(&context);
		unw_init_local(&cursor, &context);
		do {
			unw_word_t pc;

			unw_get_reg(&cursor, UNW_REG_IP, &pc);
			frames->count++;
		} while (unw_step(&cursor) > 0);
	}
}

static uint64_t measure_both(uint64_t depth)
{
	static struct frames frames;
	struct measure backtrace = measure(backtrace_once, &frames, WALK_REPEAT, 0.2);
	unsigned int backtrace_count = frames.count;
	struct measure step = measure(step_once, &frames, WALK_REPEAT, 0.2);
	json_t *row = json_pack("{s:I, s:o, s:i, s:o, s:i}", "depth", (json_int_t)depth, "unw_backtrace",
				measure_json(&backtrace), "backtrace_frames", (int)backtrace_count, "unw_step",
				measure_json(&step), "step_frames", (int)frames.count);

	json_dumpf(row, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(row);
	return 0;
}

int main(void)
{
	static const unsigned int depths[] = WALK_DEPTHS;

	for (unsigned int i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
		walk_down(depths[i], measure_both, depths[i]);
	return 0;
}
