/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_EMULATE_LOONGARCH64_H
#define JF_TESTS_EMULATE_LOONGARCH64_H

#include "insn.h"

/*
 * Runs what prologues, epilogues and constants are made of, on any host, one instruction at a time.
 * Memory is one stack; a store below SP or outside of it, and an unknown instruction, stop the machine.
 */
#define LA_STACK_WORDS 8192
#define LA_STACK_LOW   UINT64_C(0x7ff000000000)
#define LA_STACK_TOP   (LA_STACK_LOW + 8 * LA_STACK_WORDS)

struct la_machine {
	uint64_t reg[LA_REG_COUNT];
	uint64_t pc; /* offset into the code, or anywhere after a jirl */
	uint64_t stack[LA_STACK_WORDS];
	const char *trouble; /* why it stopped */
};

static inline uint64_t *la_word(struct la_machine *m, uint64_t address, bool store)
{
	static uint64_t nowhere;

	if (address < LA_STACK_LOW || address >= LA_STACK_TOP || address % 8)
		m->trouble = "access outside the stack";
	else if (store && address < m->reg[LA_SP])
		m->trouble = "store below sp";
	else if (!store && address < m->reg[LA_SP])
		m->trouble = "load from below sp";
	else
		return &m->stack[(address - LA_STACK_LOW) / 8];
	return &nowhere;
}

static inline void la_jump(struct la_machine *m, int64_t distance)
{
	m->pc += (uint64_t)distance - 4; /* the step adds 4 */
}

static inline bool la_step_3r(struct la_machine *m, uint32_t w)
{
	uint64_t *rd = &m->reg[w & 31], rj = m->reg[w >> 5 & 31], rk = m->reg[w >> 10 & 31];

	switch (w & 0xffff8000) {
	case LA_OR: *rd = rj | rk; return true;
	case LA_ADD_D: *rd = rj + rk; return true;
	case LA_MASKEQZ: *rd = rk ? rj : 0; return true;
	case LA_MASKNEZ: *rd = rk ? 0 : rj; return true;
	default: return false;
	}
}

static inline bool la_step_12(struct la_machine *m, uint32_t w)
{
	uint64_t *rd = &m->reg[w & 31], *fd = &m->reg[LA_F0 + (w & 31)], rj = m->reg[w >> 5 & 31];
	uint64_t imm = (uint64_t)(int64_t)((int32_t)(w << 10) >> 20);

	switch (w & 0xffc00000) {
	case LA_ANDI: *rd = rj & imm & 0xfff; return true;
	case LA_ORI: *rd = rj | (imm & 0xfff); return true;
	case LA_SLTUI: *rd = rj < imm; return true;
	case LA_ADDI_W: *rd = (uint64_t)(int64_t)(int32_t)(rj + imm); return true;
	case LA_ADDI_D: *rd = rj + imm; return true;
	case LA_LU52I_D: *rd = (rj & UINT64_C(0xfffffffffffff)) | imm << 52; return true;
	case LA_LD_D: *rd = *la_word(m, rj + imm, false); return true;
	case LA_FLD_D: *fd = *la_word(m, rj + imm, false); return true;
	case LA_ST_D: *la_word(m, rj + imm, true) = *rd; return true;
	case LA_FST_D: *la_word(m, rj + imm, true) = *fd; return true;
	default: return false;
	}
}

static inline bool la_step_other(struct la_machine *m, uint32_t w)
{
	uint64_t *rd = &m->reg[w & 31], rj = m->reg[w >> 5 & 31];
	int64_t imm16 = (int32_t)(w << 6) >> 16, imm20 = (int32_t)(w << 7) >> 12;

	switch (w & 0xfe000000) {
	case LA_LU12I_W: *rd = (uint64_t)(imm20 * 4096); return true;
	case LA_LU32I_D: *rd = (uint64_t)imm20 << 32 | (uint32_t)*rd; return true;
	}
	switch (w & 0xfc000000) {
	case LA_ADDU16I_D: *rd = rj + (uint64_t)(imm16 * 65536); return true;
	case LA_BGEU:
		if (rj >= *rd)
			la_jump(m, imm16 * 4);
		return true;
	case LA_B: /* no further than 16 bits here */ la_jump(m, imm16 * 4); return true;
	case 0x4c000000: /* jirl */
		if (w & 31)
			return false;
		m->pc = rj + (uint64_t)(imm16 * 4) - 4;
		return true;
	default: return false;
	}
}

/* Runs the instruction at m->pc. returns: false when it got into trouble. */
static inline bool la_step(struct la_machine *m, const struct jf_code *code)
{
	const uint8_t *at = code->bytes + m->pc;
	uint32_t w;

	if (m->pc >= code->size) {
		m->trouble = "ran out of the code";
		return false;
	}
	w = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
	if (!la_step_3r(m, w) && !la_step_12(m, w) && !la_step_other(m, w))
		m->trouble = "unknown instruction";
	m->reg[LA_ZERO] = 0;
	m->pc += 4;
	return !m->trouble;
}

#endif
