/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/* Scalar floating point: which register is written, and what of it is known. */

/* A half or single is what it is in the low bits, with zeros above. */
static void put_fmov(struct jf_effect *effect, unsigned int dst, unsigned int a, unsigned int type)
{
	if (type == 1)
		put_step(effect, JF_STEP_MOVE, dst, a, 0);
	else
		put_step(effect, JF_STEP_EXTEND, dst, a, type ? U16 : U32);
}

bool jf_arm64_decode_float(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int type = word_bits(word, 23, 22), fd = JF_ARM64_D0 + word_bits(word, 4, 0),
		     fn = JF_ARM64_D0 + word_bits(word, 9, 5);
	unsigned int rd = jf_arm64_gp(word_bits(word, 4, 0)), rn = jf_arm64_gp(word_bits(word, 9, 5));
	bool wide = word >> 31;
	bool fixed = row->format == F_FIXED_TO_X || row->format == F_X_TO_FIXED;
	bool moves_x = row->format == F_FMOV_TO_X || row->format == F_FMOV_FROM_X;

	if (type == 2 || (fixed && !wide && !(word & 1u << 15)))
		return false;
	if (moves_x && type != 3 && type != wide)
		return false;
	switch (row->format) {
	case F_FP_NONE: return true;
	case F_FMOV: put_fmov(effect, fd, fn, type); return true;
	case F_FMOV_TO_X:
		if (rd != JF_REG_NONE)
			put_fmov(effect, rd, fn, type);
		return true;
	case F_FMOV_FROM_X:
		if (rn == JF_REG_NONE)
			put_step(effect, JF_STEP_MOVE, fd, JF_REG_NONE, 0);
		else
			put_fmov(effect, fd, rn, type);
		return true;
	case F_FP_TO_X:
	case F_FIXED_TO_X: put_kill(effect, rd); return true;
	default: put_kill(effect, fd); return true;
	}
}
