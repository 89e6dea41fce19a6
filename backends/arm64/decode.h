/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_ARM64_DECODE_H
#define JF_BACKEND_ARM64_DECODE_H

#include "decode_common.h"

/* decode.c calls the two other decoders, and all three read the tables. */

/* The first row that matches is it. Groups are those of bits 28:25. */
struct jf_arm64_group {
	const struct jf_decode_row *rows;
	unsigned int count;
};
extern const struct jf_arm64_group *const jf_arm64_groups[16]; /* NULL: nothing is there */
extern const struct jf_arm64_group jf_arm64_memory_group, jf_arm64_float_group;

/* returns: whether the fields make sense together. */
bool jf_arm64_decode_float(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word);
bool jf_arm64_decode_memory(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word);

/* Arm ARM, pseudocode DecodeBitMasks; insn.c draws the fields. returns: whether there is such a mask. */
bool jf_arm64_bit_mask(uint32_t word, uint64_t *mask);
/* What a conditional branch asks, what a condition asks of the flags, and what any instruction leaves in the flags. */
void jf_arm64_ask(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word);
struct jf_compare jf_arm64_condition(unsigned int cond);
void jf_arm64_set_flags(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word);

#endif
