/* SPDX-License-Identifier: BSD-2-Clause */
#include "verifier.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

enum { AX = 12, PATTERN_MAX = 9 };

/* The tests are made of BPF_X divisions and these, by their opcodes' operations; `is64` by the division. */
static bool is_division(const struct jf_insn *insn)
{
	unsigned int cls = insn->opcode & 7, op = insn->opcode & 0xf0;

	return (cls == BPF_ALU || cls == BPF_ALU64) && (op == BPF_DIV || op == BPF_MOD) && insn->opcode & BPF_X;
}

static bool is_jump(const struct jf_insn *insn, unsigned int op, unsigned int reg)
{
	unsigned int cls = insn->opcode & 7;

	return (cls == BPF_JMP || cls == BPF_JMP32) && (insn->opcode & 0xf8) == (op | BPF_K) &&
	       (insn->regs & 15) == reg;
}

static bool is_goto(const struct jf_insn *insn)
{
	return insn->opcode == (BPF_JMP | BPF_JA) && insn->off == 1;
}

/* Unsigned: `if divisor != 0` over "0 and goto", or `if divisor == 0` behind the remainder. */
static uint32_t unsigned_test(const struct jf_insn *insns, uint32_t left, uint32_t *division)
{
	if (left >= 4 && is_division(&insns[3]) && is_jump(&insns[0], BPF_JNE, insns[3].regs >> 4) &&
	    insns[0].imm == 0 && insns[0].off == 2 && is_goto(&insns[2])) {
		*division = 3;
		return 4;
	}
	if (left >= 2 && is_division(&insns[1]) && is_jump(&insns[0], BPF_JEQ, insns[1].regs >> 4) &&
	    insns[0].imm == 0 && (insns[0].off == 1 || insns[0].off == 2)) {
		*division = 1;
		return insns[0].off == 1 ? 2 : 4;
	}
	return 0;
}

/* Signed: AX = divisor + 1, compared with 0 and 1; the division stands behind or in the middle. */
static uint32_t signed_test(const struct jf_insn *insns, uint32_t left, uint32_t *division)
{
	if (left < PATTERN_MAX - 1 || (insns[0].regs & 15) != AX || (insns[1].regs & 15) != AX)
		return 0;
	for (uint32_t i = 2; i < PATTERN_MAX && i < left; i++) {
		if (!is_division(&insns[i]))
			continue;
		*division = i;
		/* What follows, if anything, is jumped over. */
		return i + 1 + (i + 1 < left && is_goto(&insns[i + 1]) && (insns[i].opcode & 7) == BPF_ALU ? 2 : 0);
	}
	return 0;
}

/* Where a JIT has said that 32-bit operations leave anything in the upper half: clears the upper half. */
static bool is_zero_extension(const struct jf_insn *insn)
{
	return insn->opcode == (BPF_ALU | BPF_MOV | BPF_X) && insn->regs >> 4 == (insn->regs & 15) && insn->imm == 1;
}

static bool has_distance(const struct jf_insn *insn)
{
	unsigned int cls = insn->opcode & 7, op = insn->opcode & 0xf0;

	if (insn->opcode == (BPF_JMP | BPF_CALL))
		return insn->regs >> 4 == BPF_PSEUDO_CALL;
	return (cls == BPF_JMP || cls == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static uint32_t units(const struct jf_insn *insn)
{
	return insn->opcode == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;
}

/* drop[i]: instruction i goes. returns: how many are left. */
static uint32_t leave_out(struct jf_insn *insns, uint32_t count, const uint8_t *drop)
{
	/* place[i] = where instruction i goes; of one that is left out, where the next goes that stays. */
	uint32_t *place = calloc((size_t)count + 1, sizeof(*place)), kept = 0;

	if (!place)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		place[i] = kept;
		kept += !drop[i];
	}
	place[count] = kept;
	for (uint32_t i = 0; i < count; i++) {
		struct jf_insn insn = insns[i];

		if (drop[i])
			continue;
		if (insn.opcode == (BPF_JMP32 | BPF_JA))
			insn.imm = (int32_t)(place[(int64_t)i + 1 + insn.imm] - place[i] - 1);
		else if (has_distance(&insn))
			insn.off = (int16_t)(place[(int64_t)i + 1 + insn.off] - place[i] - 1);
		insns[place[i]] = insn;
		if (units(&insn) == 2) {
			i++;
			insns[place[i]] = insns[i];
		}
	}
	free(place);
	return kept;
}

static void find_tests(const struct jf_insn *insns, uint32_t count, uint8_t *drop)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t division = 0, length = unsigned_test(insns + i, count - i, &division);

		if (length == 0)
			length = signed_test(insns + i, count - i, &division);
		for (uint32_t k = 0; k < length; k++)
			drop[i + k] = k != division;
		i += (length ? length : units(&insns[i])) - 1;
	}
}

/* The extensions first: some stand within the tests. */
uint32_t verifier_undo(struct jf_insn *insns, uint32_t count)
{
	uint8_t *drop = calloc(count, 1);

	if (!drop)
		abort();
	for (uint32_t i = 0; i < count; i += units(&insns[i]))
		drop[i] = is_zero_extension(&insns[i]);
	count = leave_out(insns, count, drop);
	memset(drop, 0, count);
	find_tests(insns, count, drop);
	count = leave_out(insns, count, drop);
	free(drop);
	return count;
}
