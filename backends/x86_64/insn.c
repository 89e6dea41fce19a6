/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that come in several forms: the shortest one that fits. */
#include "insn.h"

void jf_x86_64_put_slowly(struct jf_code *code, unsigned int form, unsigned int regs, unsigned int op,
			  unsigned int op_size, uint64_t tail, unsigned int tail_size)
{
	struct parts parts = {form, regs >> 16, regs >> 8 & 0xff, regs & 0xff, op, op_size, tail, tail_size};
	uint8_t bytes[JF_INSN_BYTES_MAX];

	jf_code_put(code, bytes, (size_t)(store_parts(bytes, parts) - bytes));
}

/* With imm32, RAX has a form of its own that is one byte shorter. */
void jf_x86_64_emit_alu_ri(struct jf_code *code, unsigned int op, bool w, unsigned int dst, int64_t imm)
{
	bool is_short = fits_s8(imm);

	if (!fits_s32(imm) || dst > 15)
		jf_code_fail(code, JF_E_RANGE);
	else if (dst == RAX && !is_short)
		put_plus(code, form_w(w) | F_IMM32 | (op & 7) << 3 | 0x05, 0, imm);
	else
		put(code,
		    (struct parts){form_w(w), 0, 0, dst, (0x81 | (unsigned int)is_short << 1) | modrm(3, op, dst) << 8,
				   2, (uint64_t)imm, is_short ? 1 : 4});
}

/* Sets ZF as the test of all bits would; SF only when 0x80000000 and up are not among imm's bits. */
void jf_x86_64_emit_test_ri(struct jf_code *code, bool w, unsigned int reg, int64_t imm)
{
	if (!fits_s32(imm)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	if (imm >= 0)
		w = false;
	if (imm >= 0 && imm <= 0xff) {
		if (reg == RAX)
			put_plus(code, F_IMM8 | 0xa8, 0, imm);
		else
			put_reg(code, F_RM8 | F_IMM8 | 0xf6, 0, reg, imm);
	} else if (reg == RAX) {
		put_plus(code, form_w(w) | F_IMM32 | 0xa9, 0, imm);
	} else {
		put_reg(code, form_w(w) | F_IMM32 | 0xf7, 0, reg, imm);
	}
}

void jf_x86_64_emit_movabs(struct jf_code *code, unsigned int dst, uint64_t value)
{
	if (dst > 15)
		jf_code_fail(code, JF_E_RANGE);
	else
		put(code, (struct parts){F_W, 0, 0, dst, 0xb8 | (dst & 7), 1, value, 8});
}

/* 2, 5, 7 or 10 bytes. Zero is made by xor: flags do not survive. */
void jf_x86_64_emit_mov_ri(struct jf_code *code, unsigned int dst, uint64_t value)
{
	if (value == 0)
		emit_alu_rr(code, ALU_XOR, false, dst, dst);
	else if (value <= UINT32_MAX)
		put_plus(code, F_IMM32 | 0xb8, dst, (int64_t)value);
	else if (fits_s32((int64_t)value))
		put_reg(code, F_W | F_IMM32 | 0xc7, 0, dst, (int64_t)value);
	else
		jf_x86_64_emit_movabs(code, dst, value);
}

/* 8 bytes: imm is sign-extended from 32 bits. */
void jf_x86_64_emit_store_imm(struct jf_code *code, unsigned int bytes, struct mem m, int64_t imm)
{
	switch (bytes) {
	case 1: put_mem(code, F_IMM8 | 0xc6, 0, m, imm); break;
	case 2: put_mem(code, F_66 | F_IMM16 | 0xc7, 0, m, imm); break;
	case 4: put_mem(code, F_IMM32 | 0xc7, 0, m, imm); break;
	case 8:
		if (fits_s32(imm)) {
			put_mem(code, F_W | F_IMM32 | 0xc7, 0, m, imm);
			break;
		}
		/* fall through */
	default: jf_code_fail(code, JF_E_RANGE);
	}
}

/* lea dst, [rip + disp32] */
void jf_x86_64_emit_lea_pc(struct jf_code *code, unsigned int dst, uint64_t target)
{
	int64_t disp = (int64_t)(target - (jf_code_pc(code) + 7));

	if (dst > 15 || !fits_s32(disp))
		jf_code_fail(code, JF_E_RANGE);
	else
		put(code, (struct parts){F_W, dst, 0, 0, 0x8d | modrm(0, dst, 5) << 8, 2, (uint64_t)disp, 4});
}

void jf_x86_64_emit_xchg_rr(struct jf_code *code, bool w, unsigned int a, unsigned int b)
{
	if (a == RAX && b != RAX)
		put_plus(code, form_w(w) | 0x90, b, 0);
	else if (b == RAX && a != RAX)
		put_plus(code, form_w(w) | 0x90, a, 0);
	else
		put_reg(code, form_w(w) | 0x87, a, b, 0);
}

#define NEAR (INT64_C(0x7fffffff) - 0x100000)

bool jf_x86_64_near(const struct jf_code *code, uint64_t target)
{
	int64_t distance = (int64_t)(target - jf_code_pc(code));

	return distance >= -NEAR && distance <= NEAR;
}

void jf_x86_64_emit_call(struct jf_code *code, uint64_t target, unsigned int far)
{
	if (jf_x86_64_near(code, target)) {
		emit_call32(code, (int64_t)(target - (jf_code_pc(code) + 5)));
	} else {
		jf_x86_64_emit_mov_ri(code, far, target);
		emit_call_reg(code, far);
	}
}
