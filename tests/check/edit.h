/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_EDIT_H
#define JF_TESTS_CHECK_EDIT_H

#include "arch.h"
#include "subject.h"

/* Changing machine code: what every mutation of instructions is made of. */

#define INSNS_IN_SUBJECT_MAX 1024

struct insn_list {
	unsigned int count;
	uint32_t off[INSNS_IN_SUBJECT_MAX + 1]; /* the last one is the end of the code */
	struct jf_effect effect[INSNS_IN_SUBJECT_MAX];
};

/* The instructions from the start to the end. returns: false when some bytes are none. */
bool insns_list(const struct subject *s, struct insn_list *list);
/* Whether a direct jump or branch goes there. */
bool insns_is_target(const struct insn_list *list, uint32_t off);

/* Fills [start, end) of the code with instructions that do nothing. */
void edit_nops(struct subject *s, uint32_t start, uint32_t end);

/*
 * Adds `by` bytes to the immediate of the instruction of `size` bytes at `off`, or to the number of its n-th register
 * operand, if there is a field for that. returns: whether the decoder sees the same instruction with just this
 * changed; if not, the code is as before.
 */
bool edit_imm(struct subject *s, uint32_t off, unsigned int size, int by);
bool edit_reg(struct subject *s, uint32_t off, unsigned int size, unsigned int n, int by);

/*
 * Turns the question of an instruction that chooses without a branch into the opposite, if another bit of it does just
 * that: cmovb and cmovae, maskeqz and masknez. returns: as edit_imm().
 */
bool edit_choice(struct subject *s, uint32_t off, unsigned int size);

/*
 * Puts `count` bytes in at `off`, in front of all branches and not within the prologue's own; the code behind
 * stays at its addresses, so that only the function's entry moves. Rows and marks behind `off` follow; those
 * that are at it follow too where `marks_follow` says so.
 */
void edit_insert(struct subject *s, uint32_t off, const uint8_t *bytes, uint32_t count, bool marks_follow);

/* A few instructions of each architecture, by register id, as struct arch_assembler has them. */
bool asm_store(struct assembler *as, const struct jf_backend *backend, uint8_t value, uint8_t base, int32_t off);
bool asm_load(struct assembler *as, const struct jf_backend *backend, uint8_t reg, uint8_t base, int32_t off);
bool asm_add(struct assembler *as, const struct jf_backend *backend, uint8_t reg, uint8_t from,
	     int32_t imm); /* reg = from + imm */
/* A call through a register and a return. */
bool asm_call(struct assembler *as, const struct jf_backend *backend, uint8_t reg);
bool asm_return(struct assembler *as, const struct jf_backend *backend);

#endif
