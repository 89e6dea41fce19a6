/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * t1..t4 are the body's own. BPF registers hold 64 bits; a 32-bit result is zero-extended by the last
 * instruction that makes it, since LoongArch's own .w results are sign-extended.
 */

static bool power_of_two(uint64_t value, unsigned int *bit)
{
	unsigned int lsb;

	return la_one_run(value, bit, &lsb) && *bit == lsb;
}

/* ---- ALU with a register -------------------------------------------------------------------- */

static void divide_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	bool is_signed = op->code == JF_ALU_SDIV;
	enum la_3r divide = is_signed ? LA_DIV_D : LA_DIV_DU;
	unsigned int x = dst, y = src;

	/* .w division wants extended operands as well, and these cannot overflow in 64 bits. A 64-bit MIN / -1
	 * wraps, as BPF has it. */
	if (!op->is64) {
		x = LA_T1;
		y = LA_T2;
		if (is_signed) {
			emit_sext32(c, x, dst);
			emit_sext32(c, y, src);
		} else {
			emit_zext32(c, x, dst);
			emit_zext32(c, y, src);
		}
	}
	emit_3r(c, divide, LA_T1, x, y);
	emit_3r(c, LA_MASKEQZ, dst, LA_T1, y);
	if (!op->is64 && is_signed)
		emit_zext32(c, dst, dst);
}

static void modulo_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	bool is_signed = op->code == JF_ALU_SMOD;
	enum la_3r modulo = is_signed ? LA_MOD_D : LA_MOD_DU;

	if (op->is64) {
		emit_branch21(c, LA_BEQZ, src, 8);
		emit_3r(c, modulo, dst, dst, src);
	} else if (is_signed) {
		emit_sext32(c, LA_T2, src);
		emit_sext32(c, LA_T1, dst);
		emit_branch21(c, LA_BEQZ, LA_T2, 8);
		emit_3r(c, modulo, LA_T1, LA_T1, LA_T2);
		emit_zext32(c, dst, LA_T1);
	} else {
		emit_zext32(c, LA_T2, src);
		emit_zext32(c, dst, dst);
		emit_branch21(c, LA_BEQZ, LA_T2, 8);
		emit_3r(c, modulo, dst, dst, LA_T2);
	}
}

static void move_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	if (!op->sign) {
		if (!op->is64)
			emit_zext32(c, dst, src);
		else if (dst != src)
			emit_move(c, dst, src);
		return;
	}
	if (op->bytes == 4)
		emit_sext32(c, dst, src);
	else
		emit_2r(c, op->bytes == 1 ? LA_EXT_W_B : LA_EXT_W_H, dst, src);
	if (!op->is64)
		emit_zext32(c, dst, dst);
}

static enum jf_status alu_reg(struct jf_code *c, const struct jf_op *op, unsigned int dst, unsigned int src)
{
	/* Shifts take their count modulo 32 or 64 by themselves. */
	static const enum la_3r plain[JF_ALU__COUNT][2] = {
		[JF_ALU_ADD] = {LA_ADD_W, LA_ADD_D},  [JF_ALU_SUB] = {LA_SUB_W, LA_SUB_D},
		[JF_ALU_MUL] = {LA_MUL_W, LA_MUL_D},  [JF_ALU_OR] = {LA_OR, LA_OR},
		[JF_ALU_AND] = {LA_AND, LA_AND},      [JF_ALU_XOR] = {LA_XOR, LA_XOR},
		[JF_ALU_LSH] = {LA_SLL_W, LA_SLL_D},  [JF_ALU_RSH] = {LA_SRL_W, LA_SRL_D},
		[JF_ALU_ARSH] = {LA_SRA_W, LA_SRA_D},
	};

	if (op->code < JF_ALU__COUNT && plain[op->code][op->is64]) {
		emit_3r(c, plain[op->code][op->is64], dst, dst, src);
		if (!op->is64)
			emit_zext32(c, dst, dst);
		return JF_OK;
	}
	switch (op->code) {
	case JF_ALU_DIV:
	case JF_ALU_SDIV: divide_reg(c, op, dst, src); return JF_OK;
	case JF_ALU_MOD:
	case JF_ALU_SMOD: modulo_reg(c, op, dst, src); return JF_OK;
	case JF_ALU_MOV: move_reg(c, op, dst, src); return JF_OK;
	default: return JF_E_UNSUPPORTED;
	}
}

/* ---- ALU with a constant: `value` is sign-extended for 64 bits, zero-extended for 32 ------------- */

static void add_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	/* The upper half of a 32-bit sum does not matter, so the constant may be the shorter one. */
	jf_loongarch64_add_imm(c, dst, dst, is64 ? (int64_t)value : (int32_t)value, LA_T1);
	if (!is64)
		emit_zext32(c, dst, dst);
}

static void multiply_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	unsigned int bit;

	if (!value) {
		emit_move(c, dst, LA_ZERO);
		return;
	}
	if (power_of_two(value, &bit)) {
		if (bit)
			emit_2ri6(c, LA_SLLI_D, dst, dst, bit);
	} else if (power_of_two(value - 1, &bit) && bit <= 4) {
		emit_alsl_d(c, dst, dst, dst, bit);
	} else if (value == (is64 ? UINT64_MAX : UINT32_MAX)) {
		emit_3r(c, LA_SUB_D, dst, LA_ZERO, dst);
	} else {
		jf_loongarch64_li(c, LA_T1, is64 ? value : (uint64_t)(int32_t)value);
		emit_3r(c, LA_MUL_D, dst, dst, LA_T1);
	}
	if (!is64)
		emit_zext32(c, dst, dst);
}

static void divide_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	unsigned int bit;

	if (!value) {
		emit_move(c, dst, LA_ZERO);
	} else if (power_of_two(value, &bit)) {
		if (bit || !is64)
			emit_field(c, LA_BSTRPICK_D, dst, dst, is64 ? 63 : 31, bit);
	} else {
		jf_loongarch64_li(c, LA_T2, value);
		if (!is64)
			emit_zext32(c, dst, dst);
		emit_3r(c, LA_DIV_DU, dst, dst, LA_T2);
	}
}

static void modulo_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	unsigned int bit;

	if (value == 1) {
		emit_move(c, dst, LA_ZERO);
	} else if (power_of_two(value, &bit)) {
		emit_field(c, LA_BSTRPICK_D, dst, dst, bit - 1, 0);
	} else {
		if (!is64)
			emit_zext32(c, dst, dst);
		if (!value)
			return;
		jf_loongarch64_li(c, LA_T2, value);
		emit_3r(c, LA_MOD_DU, dst, dst, LA_T2);
	}
}

/* Signed division and remainder. */
static void divide_signed_value(struct jf_code *c, const struct jf_op *op, unsigned int dst)
{
	bool modulo = op->code == JF_ALU_SMOD;
	unsigned int x = dst;

	if (modulo ? op->imm == 1 || op->imm == -1 : !op->imm) {
		emit_move(c, dst, LA_ZERO);
		return;
	}
	if (op->imm == -1) {
		emit_3r(c, LA_SUB_D, dst, LA_ZERO, dst);
	} else if (op->imm && op->imm != 1) {
		if (!op->is64) {
			x = LA_T1;
			emit_sext32(c, x, dst);
		}
		jf_loongarch64_li(c, LA_T2, (uint64_t)op->imm);
		emit_3r(c, modulo ? LA_MOD_D : LA_DIV_D, dst, x, LA_T2);
	}
	if (!op->is64)
		emit_zext32(c, dst, dst);
}

static void or_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	unsigned int msb, lsb;

	if (value && value < 4096) {
		emit_2ru12(c, LA_ORI, dst, dst, (int64_t)value);
	} else if (la_one_run(value, &msb, &lsb)) {
		emit_2ri12(c, LA_ADDI_W, LA_T1, LA_ZERO, -1);
		emit_field(c, LA_BSTRINS_D, dst, LA_T1, msb, lsb);
	} else if (value) {
		jf_loongarch64_li(c, LA_T1, is64 ? value : (uint64_t)(int32_t)value);
		emit_3r(c, LA_OR, dst, dst, LA_T1);
	}
	if (!is64)
		emit_zext32(c, dst, dst);
}

static void and_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	uint64_t cleared = is64 ? ~value : (uint32_t)~value;
	unsigned int msb, lsb;

	if (!value) {
		emit_move(c, dst, LA_ZERO);
	} else if (is64 && !cleared) {
		return;
	} else if (la_one_run(value, &msb, &lsb) && !lsb) {
		emit_field(c, LA_BSTRPICK_D, dst, dst, msb, 0);
	} else if (value < 4096) {
		emit_2ru12(c, LA_ANDI, dst, dst, (int64_t)value);
	} else if (la_one_run(cleared, &msb, &lsb)) {
		emit_field(c, LA_BSTRINS_D, dst, LA_ZERO, msb, lsb);
		if (!is64)
			emit_zext32(c, dst, dst);
	} else if (la_one_run(value, &msb, &lsb)) {
		emit_field(c, LA_BSTRPICK_D, dst, dst, msb, lsb);
		emit_2ri6(c, LA_SLLI_D, dst, dst, lsb);
	} else {
		jf_loongarch64_li(c, LA_T1, is64 ? value : (uint64_t)(int32_t)value);
		emit_3r(c, LA_AND, dst, dst, LA_T1);
		/* A positive mask has cleared the upper half already. */
		if (!is64 && value > INT32_MAX)
			emit_zext32(c, dst, dst);
	}
}

static void xor_value(struct jf_code *c, bool is64, unsigned int dst, uint64_t value)
{
	if (value == (is64 ? UINT64_MAX : UINT32_MAX)) {
		emit_3r(c, LA_NOR, dst, dst, LA_ZERO);
	} else if (value && value < 4096) {
		emit_2ru12(c, LA_XORI, dst, dst, (int64_t)value);
	} else if (value) {
		jf_loongarch64_li(c, LA_T1, is64 ? value : (uint64_t)(int32_t)value);
		emit_3r(c, LA_XOR, dst, dst, LA_T1);
	}
	if (!is64)
		emit_zext32(c, dst, dst);
}

static void shift_value(struct jf_code *c, const struct jf_op *op, unsigned int dst)
{
	unsigned int top = op->is64 ? 63 : 31;
	unsigned int count = (unsigned int)op->imm & top;

	if (op->code == JF_ALU_RSH) {
		if (count || !op->is64)
			emit_field(c, LA_BSTRPICK_D, dst, dst, top, count);
		return;
	}
	if (count && op->code == JF_ALU_LSH)
		emit_2ri6(c, LA_SLLI_D, dst, dst, count);
	else if (count && op->is64)
		emit_2ri6(c, LA_SRAI_D, dst, dst, count);
	else if (count)
		emit_2ri5(c, LA_SRAI_W, dst, dst, count);
	if (!op->is64)
		emit_zext32(c, dst, dst);
}

static enum jf_status alu_imm(struct jf_code *c, const struct jf_op *op, unsigned int dst)
{
	uint64_t value = op->is64 ? (uint64_t)op->imm : (uint32_t)op->imm;

	switch (op->code) {
	case JF_ALU_ADD: add_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_SUB: add_value(c, op->is64, dst, 0 - value); return JF_OK;
	case JF_ALU_MUL: multiply_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_DIV: divide_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_MOD: modulo_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_SDIV:
	case JF_ALU_SMOD: divide_signed_value(c, op, dst); return JF_OK;
	case JF_ALU_OR: or_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_AND: and_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_XOR: xor_value(c, op->is64, dst, value); return JF_OK;
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH: shift_value(c, op, dst); return JF_OK;
	case JF_ALU_MOV: jf_loongarch64_li(c, dst, value); return JF_OK;
	default: return JF_E_UNSUPPORTED;
	}
}

enum jf_status jf_loongarch64_alu(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);

	if (op->code == JF_ALU_NEG) {
		emit_3r(b->code, LA_SUB_D, dst, LA_ZERO, dst);
		if (!op->is64)
			emit_zext32(b->code, dst, dst);
		return JF_OK;
	}
	return op->is_imm ? alu_imm(b->code, op, dst) : alu_reg(b->code, op, dst, la_bpf(b, op->src));
}

enum jf_status jf_loongarch64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);

	if (op->code != JF_SWAP_TO_LE)
		emit_2r(b->code, op->bytes == 2 ? LA_REVB_4H : op->bytes == 4 ? LA_REVB_2W : LA_REVB_D, dst, dst);
	if (op->bytes != 8)
		emit_field(b->code, LA_BSTRPICK_D, dst, dst, 8u * op->bytes - 1, 0);
	return JF_OK;
}

enum jf_status jf_loongarch64_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);
	/* Meaningless for a plain constant, which may be anything. */
	int64_t distance = (int64_t)((uint64_t)op->imm - jf_code_pc(b->code));
	int64_t low = ((distance & 0xfff) ^ 0x800) - 0x800;

	if (op->src != JF_SRC_CODE) {
		jf_loongarch64_li(b->code, dst, (uint64_t)op->imm);
		return JF_OK;
	}
	/* Code still moves from pass to pass: two instructions wherever it goes. */
	emit_1ri20(b->code, LA_PCADDU12I, dst, (distance - low) / 4096);
	emit_2ri12(b->code, LA_ADDI_D, dst, dst, low);
	return JF_OK;
}

/* The upper half is put in by lu32i.d, which leaves NULL alone by being branched around. */
enum jf_status jf_loongarch64_cast_user(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);
	int64_t low52 = (int64_t)((uint64_t)op->imm << 12) >> 12;
	bool wide = low52 != op->imm;

	emit_zext32(b->code, dst, la_bpf(b, op->src));
	if (!op->imm)
		return JF_OK;
	emit_branch21(b->code, LA_BEQZ, dst, wide ? 12 : 8);
	emit_1ri20(b->code, LA_LU32I_D, dst, low52 >> 32);
	if (wide)
		emit_2ri12(b->code, LA_LU52I_D, dst, dst, op->imm >> 52);
	return JF_OK;
}

enum jf_status jf_loongarch64_per_cpu(struct jf_body *b, const struct jf_op *op)
{
	emit_3r(b->code, LA_ADD_D, la_bpf(b, op->dst), la_bpf(b, op->src), la_cpu_base(b->frame));
	return JF_OK;
}
