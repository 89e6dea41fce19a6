/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_FRAME_BUILDER_H
#define JF_FRAME_BUILDER_H

#include <jitframe/backend.h>

/* One part of a function in the making: which hooks, and where SP and FP are by now. */
struct builder {
	struct jf_code *code;
	const struct jf_frame *frame;
	const struct jf_convention *conv;
	const struct jf_backend *backend;
	const struct jf_build_ops *ops;
	int32_t sp;       /* where SP is, from the CFA */
	bool has_fp;      /* FP is the frame's: the CFA is found by FP, and slots too */
	uint8_t in_place; /* slots that a call makes */
	/* Units of slots that one push makes, in the order of pushes, and where the slots begin that are stored. */
	uint8_t unit_count;
	uint8_t unit_slot[JF_FRAME_SLOTS_MAX];
	uint8_t stored;
};

/*
 * For functions with a body of their own (function.c). SP to the frame's end, by FP; and an exit that takes the frame
 * down as an epilogue does, and jumps to the address in the tail-call target register.
 */
void jf_frame_reset_sp(struct jf_code *code, const struct jf_frame *frame);
void jf_frame_jump_out(struct jf_code *code, const struct jf_frame *frame);

struct builder builder_begin(struct jf_code *code, const struct jf_frame *frame);
/* Whether a hook is there; its absence is the description's fault, and fails the code. */
bool builder_needs(struct builder *b, bool has_hook);
/* The slot behind those of unit n. */
unsigned int builder_unit_end(const struct builder *b, unsigned int n);

/* SP to CFA + `to`: from where SP is by now; by FP, wherever SP is. */
void builder_move_sp(struct builder *b, int32_t to);
void builder_set_sp(struct builder *b, int32_t to);
/* SP, from the CFA, where all slots for registers can be reached. */
int32_t builder_first_step(const struct builder *b);
/* From here on the CFA, and slots, are found by SP. */
void builder_cfa_by_sp(struct builder *b);

/* A slot in memory: bytes from a register. */
uint8_t builder_slot_base(const struct builder *b);
int32_t builder_slot_off(const struct builder *b, int slot);
struct jf_count_place builder_count_place(const struct builder *b);

/* The lower end of the first `count` slots, from the CFA. */
int32_t builder_low_end(const struct jf_frame *frame, unsigned int count);

static inline bool is_caller_value(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_RETURN || slot->kind == JF_SLOT_SAVE;
}

#endif
