/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * A constant is built in up to four steps; each is left out when the sign extension of the one before
 * has done its work already:
 *
 *     63       52 51               32 31               12 11        0
 *     |  lu52i.d |       lu32i.d     |      lu12i.w      |   ori     |
 */
void jf_loongarch64_li(struct jf_code *code, unsigned int rd, uint64_t value)
{
	int64_t wanted = (int64_t)value;
	int64_t low32 = (int32_t)value;
	int64_t low52 = (int64_t)(value << 12) >> 12;

	if (!value) {
		emit_move(code, rd, LA_ZERO);
		return;
	}
	if (!low52) {
		emit_2ri12(code, LA_LU52I_D, rd, LA_ZERO, wanted >> 52);
		return;
	}
	if (low32 && la_fits(low32, 12)) {
		emit_2ri12(code, LA_ADDI_W, rd, LA_ZERO, low32);
	} else if (low32 > 0 && low32 < 4096) {
		emit_2ru12(code, LA_ORI, rd, LA_ZERO, low32);
	} else {
		emit_1ri20(code, LA_LU12I_W, rd, low32 >> 12);
		if (low32 & 0xfff)
			emit_2ru12(code, LA_ORI, rd, rd, low32 & 0xfff);
	}
	if (low52 != low32)
		emit_1ri20(code, LA_LU32I_D, rd, low52 >> 32);
	if (wanted != low52)
		emit_2ri12(code, LA_LU52I_D, rd, rd, wanted >> 52);
}

void jf_loongarch64_add_imm(struct jf_code *code, unsigned int rd, unsigned int rj, int64_t imm, unsigned int temp)
{
	int64_t low = (int16_t)imm;
	int64_t high = (int64_t)((uint64_t)imm - (uint64_t)low) / 65536;

	if (la_fits(imm, 12)) {
		if (imm || rd != rj)
			emit_2ri12(code, LA_ADDI_D, rd, rj, imm);
	} else if (imm >= -4096 && imm <= 4094) {
		int64_t step = imm < 0 ? -2048 : 2047;

		emit_2ri12(code, LA_ADDI_D, rd, rj, step);
		emit_2ri12(code, LA_ADDI_D, rd, rd, imm - step);
	} else if (la_fits(low, 12) && la_fits(high, 16)) {
		emit_2ri16(code, LA_ADDU16I_D, rd, rj, high);
		if (low)
			emit_2ri12(code, LA_ADDI_D, rd, rd, low);
	} else {
		jf_loongarch64_li(code, temp, (uint64_t)imm);
		emit_3r(code, LA_ADD_D, rd, rj, temp);
	}
}
