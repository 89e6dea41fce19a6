/* SPDX-License-Identifier: BSD-2-Clause */
#include "areas.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jitframe/throw.h>

#define SEEN_MAX 256

/* Frames that throws have looked at: of each throw innermost first. */
struct seen {
	uint64_t cfa, fp;
	const struct jf_frame *frame; /* NULL: not one of the program's */
};

static struct seen seen[SEEN_MAX];
static unsigned int seen_count, pads_compared, pads_different;
static const struct jf_loaded *program;

static const struct jf_frame *frame_of(const struct jf_range *range)
{
	const struct jf_image *image = jf_loaded_image(program);

	for (uint32_t i = 0; range && i < image->function_count; i++) {
		const struct jf_image_function *function = jf_image_function_at(image, i);

		if (!function->is_stub && image->address + function->start == range->start)
			return function->frame;
	}
	return NULL;
}

static void see_frame(void *arg, uint64_t cookie, const struct jf_walk *walk)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);
	struct seen *next = &seen[seen_count];

	(void)arg;
	(void)cookie;
	if (seen_count == SEEN_MAX)
		return;
	*next = (struct seen){.cfa = frame->cfa, .frame = frame_of(frame->range)};
	if (jf_walk_reg(walk, jf_backend_host()->fp, &next->fp))
		seen_count++;
}

/* returns: the program's function that the frame has called, directly or not; NULL: it has called what throws. */
static const struct seen *callee_of(unsigned int i)
{
	for (; i > 0 && seen[i - 1].cfa < seen[i].cfa; i--)
		if (seen[i - 1].frame)
			return &seen[i - 1];
	return NULL;
}

static bool has_area(const struct seen *at, enum jf_slot_kind kind)
{
	return at && jf_frame_spill_off(at->frame, kind);
}

/* Every register of the area. The convention's own spill_off is the area's lower end. */
static bool is_same(const struct seen *at, enum jf_slot_kind kind, const struct jf_walk *walk)
{
	const struct jf_frame *frame = at->frame;
	int32_t fp_off = frame->conv->fp_off_from_cfa;
	uint64_t low = at->fp + (uint64_t)(int64_t)jf_frame_spill_off(frame, kind), value, word;
	bool same = true;

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];
		uint64_t address = at->fp + (uint64_t)(int64_t)(slot->off_from_cfa - fp_off);

		if (slot->kind != kind)
			continue;
		memcpy(&word, (const void *)(uintptr_t)address, sizeof(word));
		if (address >= low && jf_walk_reg(walk, slot->reg, &value) && value == word)
			continue;
		printf("# %s at FP%+" PRId64 " is not what the pad finds\n", frame->conv->backend->regs[slot->reg].name,
		       (int64_t)(address - at->fp));
		same = false;
	}
	return same;
}

static void see_pad(void *arg, uint64_t cookie, const struct jf_walk *walk, uint64_t address)
{
	unsigned int i = seen_count;
	const struct seen *callee;

	(void)arg;
	(void)cookie;
	(void)address;
	while (i > 0 && (!seen[i - 1].frame || seen[i - 1].cfa != jf_walk_at(walk)->cfa))
		i--;
	if (!i--)
		return;
	callee = callee_of(i);
	if (callee != NULL && callee != &seen[i - 1])
		return; /* C lies between, which may have saved registers, and used them */
	if (!has_area(callee ? callee : &seen[i], callee ? JF_SLOT_SAVE : JF_SLOT_THROW))
		pads_different++;
	else if (callee ? !is_same(callee, JF_SLOT_SAVE, walk) : !is_same(&seen[i], JF_SLOT_THROW, walk))
		pads_different++;
	pads_compared++;
}

void areas_begin(const struct jf_loaded *loaded)
{
	static const struct jf_throw_observer observer = {.size = sizeof(observer), .call = see_frame, .pad = see_pad};

	program = loaded;
	seen_count = pads_compared = pads_different = 0;
	(void)!jf_throw_observer_set(&observer, NULL);
}

void areas_end(unsigned int *compared, unsigned int *different)
{
	(void)!jf_throw_observer_set(NULL, NULL);
	*compared += pads_compared;
	*different += pads_different;
}
