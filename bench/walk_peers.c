/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"
#include "measure.h"
#include "walk.h"

#include <string.h>
#include <unwind.h>

static uintptr_t pcs[WALK_FRAMES_MAX];

/* ---- libgcc ------------------------------------------------------------------------------------------------ */

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	unsigned int *count = arg;

	pcs[*count] = _Unwind_GetIP(context);
	return ++*count < WALK_FRAMES_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

unsigned int walk_libgcc(void)
{
	unsigned int count = 0;

	_Unwind_Backtrace(note, &count);
	return count;
}

/* ---- jitframe ---------------------------------------------------------------------------------------------- */

unsigned int walk_jitframe(void)
{
	struct jf_walk walk;
	enum jf_status status;
	unsigned int count = 0;

	for (status = jf_walk_here(&walk, NULL); status == JF_OK && count < WALK_FRAMES_MAX;
	     status = jf_walk_step_past_entry(&walk))
		pcs[count++] = jf_walk_at(&walk)->pc;
	jf_walk_end(&walk);
	if (status != JF_END)
		bench_fail("the walk ended with %s", jf_status_name(status));
	return count;
}

/* ---- framehop's way ---------------------------------------------------------------------------------------- */

/*
 * From framehop's README: a profiler walks the same code again and again, so its unwinder keeps a rule for each return
 * address that it has met. A step with such a rule is a comparison, one or two reads of the stack, and an addition.
 * Here all rules are there before the time is taken, and no rule ever pushes another one out: framehop's own table has
 * 509 places, and goes back to unwind tables for the rest. A rule carries SP, FP and the return address alone; throws,
 * and jitframe's walks, need every callee-saved register.
 */
#define PLACES 4096

struct rule {
	uint64_t pc;
	uint32_t generation;
	bool from_fp, saves_fp;
	int32_t cfa_off, ra_off, fp_off;
};
static struct rule rules[2 * PLACES];
static volatile uint32_t generation = 1;

/* Where the caller of walk_cached_rule_prepare() stands, and how far it is from there. */
static struct {
	uintptr_t pc, sp, fp, low, high;
	unsigned int frames;
} start;

static inline struct rule *place(uint64_t pc)
{
	struct rule *rule = &rules[(pc ^ pc >> 12) % PLACES];

	while (rule->pc && rule->pc != pc)
		rule++;
	return rule;
}

static void add_rule(const struct jf_walk_frame *frame, const struct jf_backend *backend)
{
	struct rule *rule = place(frame->pc);

	*rule = (struct rule){.pc = frame->pc,
			      .generation = generation,
			      .from_fp = frame->row->cfa_reg == backend->fp,
			      .cfa_off = frame->row->cfa_off};
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		if (!(frame->row->saved >> i & 1))
			continue;
		if (frame->slots[i].reg == backend->ra) {
			rule->ra_off = frame->slots[i].off_from_cfa;
		} else if (frame->slots[i].reg == backend->fp) {
			rule->fp_off = frame->slots[i].off_from_cfa;
			rule->saves_fp = true;
		}
	}
}

void walk_cached_rule_prepare(void)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);
	unsigned int count = 0;

	memset(rules, 0, sizeof(rules));
	for (; status == JF_OK && jf_walk_at(&walk)->row; status = jf_walk_step_past_entry(&walk), count++) {
		if (count == 1) {
			start.pc = jf_walk_at(&walk)->pc;
			start.sp = start.low = jf_walk_sp(&walk);
			start.fp = jf_walk_fp(&walk);
		}
		if (count >= 1)
			add_rule(jf_walk_at(&walk), jf_backend_host());
		start.high = jf_walk_at(&walk)->cfa;
	}
	jf_walk_end(&walk);
	start.frames = count - 1;
}

/* The stack, as the callback of framehop's user reads it: within bounds that are known. */
static inline bool read_stack(uintptr_t at, uintptr_t *value)
{
	if (at < start.low || at > start.high - sizeof(*value))
		return false;
	memcpy(value, (const void *)at, sizeof(*value));
	return true;
}

unsigned int walk_cached_rule(void)
{
	uintptr_t pc = start.pc, sp = start.sp, fp = start.fp;
	unsigned int count = 0;

	while (count + 1 < start.frames) {
		const struct rule *rule = place(pc);
		uintptr_t cfa, caller_fp = fp;

		if (rule->pc != pc || rule->generation != generation)
			break;
		cfa = (rule->from_fp ? fp : sp) + (uintptr_t)(intptr_t)rule->cfa_off;
		if (cfa <= sp || !read_stack(cfa + (uintptr_t)(intptr_t)rule->ra_off, &pc) ||
		    (rule->saves_fp && !read_stack(cfa + (uintptr_t)(intptr_t)rule->fp_off, &caller_fp)))
			break;
		sp = cfa;
		fp = caller_fp;
		pcs[count++] = pc;
	}
	return count + 1;
}
