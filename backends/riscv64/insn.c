/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * A constant of 32 bits is lui and addiw, or one of them. A longer one is its upper part, made in the same way, moved
 * up, and a signed low part:
 *
 *     63                          shift       12 11         0
 *     |      upper, without zeros   | 0 ..... 0 |    low    |
 *            li                 slli                addi
 */
void jf_riscv64_li(struct jf_code *code, unsigned int rd, uint64_t value)
{
	int64_t wanted = (int64_t)value;
	int64_t low = (int64_t)(value << 52) >> 52;
	uint64_t upper = value - (uint64_t)low;
	unsigned int shift;

	if (rv_fits(wanted, 12)) {
		emit_i(code, RV_ADDI, rd, RV_ZERO, wanted);
		return;
	}
	if (rv_fits(wanted, 32)) {
		emit_lui(code, rd, (int32_t)(uint32_t)upper >> 12);
		if (low)
			emit_i(code, RV_ADDIW, rd, rd, low);
		return;
	}
	if (!(value & (value + 1))) { /* ones, behind zeros */
		emit_i(code, RV_ADDI, rd, RV_ZERO, -1);
		emit_shift(code, RV_SRLI, rd, rd, __builtin_clzll(value));
		return;
	}
	shift = (unsigned int)__builtin_ctzll(upper);
	jf_riscv64_li(code, rd, (uint64_t)((int64_t)upper >> shift));
	emit_shift(code, RV_SLLI, rd, rd, shift);
	if (low)
		emit_i(code, RV_ADDI, rd, rd, low);
}

void jf_riscv64_add_imm(struct jf_code *code, unsigned int rd, unsigned int rs1, int64_t imm, unsigned int temp)
{
	int64_t step = imm < 0 ? -2048 : 2047;

	if (rv_fits(imm, 12)) {
		if (imm || rd != rs1)
			emit_i(code, RV_ADDI, rd, rs1, imm);
	} else if (rv_fits(imm - step, 12)) {
		emit_i(code, RV_ADDI, rd, rs1, step);
		emit_i(code, RV_ADDI, rd, rd, imm - step);
	} else {
		jf_riscv64_li(code, temp, (uint64_t)imm);
		emit_r(code, RV_ADD, rd, rs1, temp);
	}
}
