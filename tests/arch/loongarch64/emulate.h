/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_EMULATE_LOONGARCH64_H
#define JF_TESTS_EMULATE_LOONGARCH64_H

#include "insn.h"

#include <criterion/criterion.h>
#include <jitframe/jitframe.h>

/* ---- one frame's code ------------------------------------------------------------------------ */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct jf_values la_values = {.arena_base = UINT64_C(0xffff800012345000),
					   .private_stack = UINT64_C(0x0000654321000),
					   .private_stack_word = 24};

struct la_output {
	struct jf_frame frame;
	struct jf_code code;
	uint8_t bytes[1024];
	struct jf_row rows[256];
};

static inline const struct jf_convention *la_convention(const char *target)
{
	const struct jf_convention *conv = NULL;

	cr_assert_eq(jf_convention_find(target, &conv, NULL), JF_OK, "%s", target);
	return conv;
}

/* It runs at address 0, so that offsets are addresses. */
static inline void la_emit(struct la_output *out, const struct jf_convention *conv, const struct jf_frame_spec *spec,
			   enum jf_part part)
{
	struct jf_error error;

	cr_assert_eq(jf_frame_solve(conv, spec, &out->frame, &error), JF_OK, "%s: %s", conv->name, error.text);
	jf_code_init(&out->code, out->bytes, sizeof(out->bytes), 0, out->rows, COUNT(out->rows));
	cr_assert_eq(jf_frame_emit(&out->code, &out->frame, part, &la_values), JF_OK);
}

/* ---- a machine for it ------------------------------------------------------------------------ */

/*
 * Runs what prologues, epilogues, constants and tail calls are made of, on any host, one instruction at a
 * time. Memory is one stack and a little data; a store elsewhere than to the stack above SP,
 * and an unknown instruction, stop the machine.
 */
#define LA_STACK_WORDS 8192
#define LA_STACK_LOW   UINT64_C(0x7ff000000000)
#define LA_STACK_TOP   (LA_STACK_LOW + 8 * LA_STACK_WORDS)
#define LA_DATA_WORDS  16
#define LA_DATA        UINT64_C(0x7fe000000000)

struct la_machine {
	uint64_t reg[LA_REG_COUNT];
	uint64_t pc; /* offset into the code, or anywhere after a jirl */
	uint64_t stack[LA_STACK_WORDS];
	uint64_t data[LA_DATA_WORDS];
	const char *trouble; /* why it stopped */
};

static inline uint64_t *la_word(struct la_machine *m, uint64_t address, bool store)
{
	static uint64_t nowhere;

	if (!store && address % 8 == 0 && address >= LA_DATA && address < LA_DATA + sizeof(m->data))
		return &m->data[(address - LA_DATA) / 8];
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

	if ((w & 0xfffe0000) == 0x002c0000) { /* alsl.d */
		*rd = (rj << ((w >> 15 & 3) + 1)) + rk;
		return true;
	}
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
	case LA_LD_WU: *rd = (uint32_t)*la_word(m, rj + imm, false); return true;
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
	bool jump = true;

	switch (w & 0xfe000000) {
	case LA_LU12I_W: *rd = (uint64_t)(imm20 * 4096); return true;
	case LA_LU32I_D: *rd = (uint64_t)imm20 << 32 | (uint32_t)*rd; return true;
	}
	switch (w & 0xfc000000) {
	case LA_ADDU16I_D: *rd = rj + (uint64_t)(imm16 * 65536); return true;
	case 0x4c000000: /* jirl */
		if (w & 31)
			return false;
		m->pc = rj + (uint64_t)(imm16 * 4) - 4;
		return true;
	case LA_BGEU: jump = rj >= *rd; break;
	case LA_BGE: jump = (int64_t)rj >= (int64_t)*rd; break;
	case LA_BEQZ: jump = !rj; break;
	case LA_B: break;
	default: return false;
	}
	/* No further than 16 bits here. */
	if (jump)
		la_jump(m, imm16 * 4);
	return true;
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
