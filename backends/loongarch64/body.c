/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * t1..t4 are the body's own. BPF registers hold 64 bits; a 32-bit result is zero-extended by the last
 * instruction that makes it, since LoongArch's own .w results are sign-extended.
 */

static unsigned int bpf(const struct jf_body *b, unsigned int reg)
{
	return jf_body_reg(b, reg);
}

/* Whether the ones in `value` are neighbours: value's bits msb..lsb and no others. */
static bool one_run(uint64_t value, unsigned int *msb, unsigned int *lsb)
{
	if (!value)
		return false;
	*lsb = (unsigned int)__builtin_ctzll(value);
	*msb = 63 - (unsigned int)__builtin_clzll(value);
	return value >> *lsb == UINT64_MAX >> (63 - *msb + *lsb);
}

static bool power_of_two(uint64_t value, unsigned int *bit)
{
	unsigned int lsb;

	return one_run(value, bit, &lsb) && *bit == lsb;
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

	switch (op->code) {
	case JF_ALU_DIV:
	case JF_ALU_SDIV: divide_reg(c, op, dst, src); return JF_OK;
	case JF_ALU_MOD:
	case JF_ALU_SMOD: modulo_reg(c, op, dst, src); return JF_OK;
	case JF_ALU_MOV: move_reg(c, op, dst, src); return JF_OK;
	default:
		if (op->code >= JF_ALU__COUNT || !plain[op->code][op->is64])
			return JF_E_UNSUPPORTED;
		emit_3r(c, plain[op->code][op->is64], dst, dst, src);
		if (!op->is64)
			emit_zext32(c, dst, dst);
		return JF_OK;
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
	} else if (one_run(value, &msb, &lsb)) {
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
	} else if (one_run(value, &msb, &lsb) && !lsb) {
		emit_field(c, LA_BSTRPICK_D, dst, dst, msb, 0);
	} else if (value < 4096) {
		emit_2ru12(c, LA_ANDI, dst, dst, (int64_t)value);
	} else if (one_run(cleared, &msb, &lsb)) {
		emit_field(c, LA_BSTRINS_D, dst, LA_ZERO, msb, lsb);
		if (!is64)
			emit_zext32(c, dst, dst);
	} else if (one_run(value, &msb, &lsb)) {
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
	unsigned int dst = bpf(b, op->dst);

	if (op->code == JF_ALU_NEG) {
		emit_3r(b->code, LA_SUB_D, dst, LA_ZERO, dst);
		if (!op->is64)
			emit_zext32(b->code, dst, dst);
		return JF_OK;
	}
	return op->is_imm ? alu_imm(b->code, op, dst) : alu_reg(b->code, op, dst, bpf(b, op->src));
}

enum jf_status jf_loongarch64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = bpf(b, op->dst);

	if (op->code != JF_SWAP_TO_LE)
		emit_2r(b->code, op->bytes == 2 ? LA_REVB_4H : op->bytes == 4 ? LA_REVB_2W : LA_REVB_D, dst, dst);
	if (op->bytes != 8)
		emit_field(b->code, LA_BSTRPICK_D, dst, dst, 8u * op->bytes - 1, 0);
	return JF_OK;
}

#define SRC_CODE_ADDRESS 4 /* RFC 9669 section 5.4: the constant is an address in this program's code */

enum jf_status jf_loongarch64_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = bpf(b, op->dst);
	int64_t distance = op->imm - (int64_t)jf_code_pc(b->code);
	int64_t low = ((distance & 0xfff) ^ 0x800) - 0x800;

	if (op->src != SRC_CODE_ADDRESS) {
		jf_loongarch64_li(b->code, dst, (uint64_t)op->imm);
		return JF_OK;
	}
	/* Code still moves from pass to pass: two instructions wherever it goes. */
	emit_1ri20(b->code, LA_PCADDU12I, dst, (distance - low) / 4096);
	emit_2ri12(b->code, LA_ADDI_D, dst, dst, low);
	return JF_OK;
}

/* ---- memory --------------------------------------------------------------------------------- */

/* The instructions that move one width: with a 12-bit offset, with an index register. */
struct access {
	enum la_2ri12 near;
	enum la_3r indexed;
};

static const struct access loads[2][4] = {
	{{LA_LD_BU, LA_LDX_BU}, {LA_LD_HU, LA_LDX_HU}, {LA_LD_WU, LA_LDX_WU}, {LA_LD_D, LA_LDX_D}},
	{{LA_LD_B, LA_LDX_B}, {LA_LD_H, LA_LDX_H}, {LA_LD_W, LA_LDX_W}, {LA_LD_D, LA_LDX_D}},
};
static const struct access stores[4] = {
	{LA_ST_B, LA_STX_B},
	{LA_ST_H, LA_STX_H},
	{LA_ST_W, LA_STX_W},
	{LA_ST_D, LA_STX_D},
};

static unsigned int log2_bytes(const struct jf_op *op)
{
	return (unsigned int)__builtin_ctz(op->bytes);
}

/* Offsets that neither form above reaches take t1. */
static void emit_access(struct jf_code *c, const struct access *access, unsigned int reg, unsigned int base,
			int64_t off)
{
	int64_t step = off < 0 ? -2048 : 2047;

	if (la_fits(off, 12)) {
		emit_2ri12(c, access->near, reg, base, off);
	} else if (la_fits(off - step, 12)) {
		emit_2ri12(c, LA_ADDI_D, LA_T1, base, step);
		emit_2ri12(c, access->near, reg, LA_T1, off - step);
	} else {
		jf_loongarch64_li(c, LA_T1, (uint64_t)off);
		emit_3r(c, access->indexed, reg, base, LA_T1);
	}
}

/* ldptr and stptr reach as far as BPF's offsets go, in words. */
static bool far_word(const struct jf_op *op)
{
	return op->bytes >= 4 && !la_fits(op->off, 12) && op->off % 4 == 0;
}

enum jf_status jf_loongarch64_load(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = bpf(b, op->dst), src = bpf(b, op->src);

	if (far_word(op)) {
		emit_2ri14(b->code, op->bytes == 8 ? LA_LDPTR_D : LA_LDPTR_W, dst, src, op->off);
		if (op->bytes == 4 && !op->sign)
			emit_zext32(b->code, dst, dst);
		return JF_OK;
	}
	emit_access(b->code, &loads[op->sign][log2_bytes(op)], dst, src, op->off);
	return JF_OK;
}

enum jf_status jf_loongarch64_store(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = bpf(b, op->dst), value = LA_ZERO;

	if (!op->is_imm) {
		value = bpf(b, op->src);
	} else if (op->imm) {
		value = LA_T2;
		jf_loongarch64_li(b->code, value, (uint64_t)op->imm);
	}
	if (far_word(op))
		emit_2ri14(b->code, op->bytes == 8 ? LA_STPTR_D : LA_STPTR_W, value, dst, op->off);
	else
		emit_access(b->code, &stores[log2_bytes(op)], value, dst, op->off);
	return JF_OK;
}

/* ---- jumps ---------------------------------------------------------------------------------- */

/* A conditional jump: `op` on rj and rd, or without rd when `on_zero`. */
struct branch {
	bool on_zero;
	enum la_branch16 compare;
	enum la_branch21 test;
	unsigned int rj, rd;
};

/* Bit 26 of the opcode turns each condition into its opposite: beq and bne, blt and bge, beqz and bnez. */
#define OPPOSITE 0x04000000u

static void put_branch(struct jf_code *c, const struct branch *br, uint32_t opposite, int64_t distance)
{
	if (br->on_zero)
		emit_branch21(c, (enum la_branch21)(br->test ^ opposite), br->rj, distance);
	else
		emit_branch16(c, (enum la_branch16)(br->compare ^ opposite), br->rj, br->rd, distance);
}

static void emit_branch(struct jf_body *b, const struct branch *br, uint32_t target)
{
	int64_t distance = jf_body_distance(b, target);

	if (!jf_body_is_long(b) && !la_fits_distance(distance, br->on_zero ? 21 : 16))
		jf_body_grow(b);
	if (jf_body_is_long(b)) {
		put_branch(b->code, br, OPPOSITE, 8);
		emit_branch26(b->code, LA_B, jf_body_distance(b, target));
	} else {
		put_branch(b->code, br, 0, distance);
	}
}

/* Comparisons with a constant that are comparisons with zero. */
static const struct {
	enum jf_cond cond;
	int value;
	enum jf_cond with_zero;
} zero_forms[] = {
	{JF_COND_GT, 0, JF_COND_NE},   {JF_COND_LE, 0, JF_COND_EQ},    {JF_COND_GE, 1, JF_COND_NE},
	{JF_COND_LT, 1, JF_COND_EQ},   {JF_COND_SGT, -1, JF_COND_SGE}, {JF_COND_SLE, -1, JF_COND_SLT},
	{JF_COND_SGE, 1, JF_COND_SGT}, {JF_COND_SLT, 1, JF_COND_SLE},
};

static enum jf_status jump_compare(struct jf_body *b, const struct jf_op *op)
{
	static const struct {
		enum la_branch16 compare;
		bool swapped;
	} forms[JF_COND__COUNT] = {
		[JF_COND_EQ] = {LA_BEQ, false},  [JF_COND_NE] = {LA_BNE, false},  [JF_COND_GT] = {LA_BLTU, true},
		[JF_COND_GE] = {LA_BGEU, false}, [JF_COND_LT] = {LA_BLTU, false}, [JF_COND_LE] = {LA_BGEU, true},
		[JF_COND_SGT] = {LA_BLT, true},  [JF_COND_SGE] = {LA_BGE, false}, [JF_COND_SLT] = {LA_BLT, false},
		[JF_COND_SLE] = {LA_BGE, true},
	};
	unsigned int x = bpf(b, op->dst), y = LA_ZERO;
	uint8_t cond = op->code;
	int64_t value = op->imm;
	struct branch br;

	for (size_t i = 0; op->is_imm && i < sizeof(zero_forms) / sizeof(zero_forms[0]); i++) {
		if (zero_forms[i].cond == op->code && zero_forms[i].value == op->imm) {
			cond = zero_forms[i].with_zero;
			value = 0;
		}
	}
	/* Sign extension keeps the order of unsigned words, too. */
	if (!op->is64) {
		emit_sext32(b->code, LA_T1, x);
		x = LA_T1;
	}
	if (!op->is_imm) {
		y = bpf(b, op->src);
		if (!op->is64) {
			emit_sext32(b->code, LA_T2, y);
			y = LA_T2;
		}
	} else if (value) {
		y = LA_T2;
		jf_loongarch64_li(b->code, y, (uint64_t)value);
	}
	br = (struct branch){
		.on_zero = y == LA_ZERO && (cond == JF_COND_EQ || cond == JF_COND_NE),
		.compare = forms[cond].compare,
		.test = cond == JF_COND_EQ ? LA_BEQZ : LA_BNEZ,
		.rj = forms[cond].swapped ? y : x,
		.rd = forms[cond].swapped ? x : y,
	};
	emit_branch(b, &br, op->target);
	return JF_OK;
}

static enum jf_status jump_set(struct jf_body *b, const struct jf_op *op)
{
	const struct branch br = {.on_zero = true, .test = LA_BNEZ, .rj = LA_T1};
	uint64_t mask = op->is64 ? (uint64_t)op->imm : (uint32_t)op->imm;
	unsigned int dst = bpf(b, op->dst), msb, lsb;

	if (!op->is_imm) {
		emit_3r(b->code, LA_AND, LA_T1, dst, bpf(b, op->src));
		if (!op->is64)
			emit_zext32(b->code, LA_T1, LA_T1);
	} else if (mask < 4096) {
		emit_2ru12(b->code, LA_ANDI, LA_T1, dst, (int64_t)mask);
	} else if (one_run(mask, &msb, &lsb)) {
		emit_field(b->code, LA_BSTRPICK_D, LA_T1, dst, msb, lsb);
	} else {
		jf_loongarch64_li(b->code, LA_T1, (uint64_t)op->imm);
		emit_3r(b->code, LA_AND, LA_T1, dst, LA_T1);
		if (!op->is64 && mask > INT32_MAX)
			emit_zext32(b->code, LA_T1, LA_T1);
	}
	emit_branch(b, &br, op->target);
	return JF_OK;
}

enum jf_status jf_loongarch64_jump(struct jf_body *b, const struct jf_op *op)
{
	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	return op->code == JF_COND_SET ? jump_set(b, op) : jump_compare(b, op);
}

enum jf_status jf_loongarch64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	emit_branch26(b->code, LA_B, jf_body_distance(b, op->target));
	return JF_OK;
}

/* ---- calls ---------------------------------------------------------------------------------- */

#define BL_REACH        (INT64_C(1) << 27)
#define PCADDU18I_REACH ((INT64_C(1) << 37) - (INT64_C(1) << 18))

/*
 * The form is chosen by the distance from the first to the last place in the code, so that it is the
 * same in every pass, whatever moves.
 */
static void call_c(struct jf_code *c, uint64_t address)
{
	int64_t from_start = (int64_t)(address - c->address);
	int64_t size = c->capacity < (size_t)PCADDU18I_REACH ? (int64_t)c->capacity : PCADDU18I_REACH;
	int64_t distance = (int64_t)(address - jf_code_pc(c));
	int64_t low = ((distance & 0x3ffff) ^ 0x20000) - 0x20000;

	if (from_start < BL_REACH && from_start - size >= -BL_REACH) {
		emit_branch26(c, LA_BL, distance);
	} else if (from_start < PCADDU18I_REACH && from_start >= size - PCADDU18I_REACH) {
		emit_1ri20(c, LA_PCADDU18I, LA_T1, (distance - low) >> 18);
		emit_jirl(c, LA_RA, LA_T1, low);
	} else {
		/* jirl adds the low 12 bits that would cost an ori. */
		jf_loongarch64_li(c, LA_T1, address & ~UINT64_C(0xfff));
		emit_jirl(c, LA_RA, LA_T1, (int64_t)(address & 0xfff));
	}
}

/* The callee counts tail calls where we do. The address of that count is in our frame. */
static void load_tcc_ptr(struct jf_code *c, const struct jf_frame *frame)
{
	int slot = jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE);

	if (slot < 0)
		return;
	if (frame->conv->backend_flags & LA_CONV_SPLIT)
		emit_2ri12(c, LA_LD_D, LA_TCC, LA_FP, frame->slots[slot].off_from_cfa - frame->conv->fp_off_from_cfa);
	else
		emit_2ri12(c, LA_LD_D, LA_TCC, LA_SP, (int64_t)frame->size_bytes + frame->slots[slot].off_from_cfa);
}

enum jf_status jf_loongarch64_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	(void)op;
	if (call->stack_args)
		return JF_E_UNSUPPORTED;
	if (call->kind == JF_CALL_BPF) {
		load_tcc_ptr(b->code, b->frame);
		emit_branch26(b->code, LA_BL, (int64_t)(call->address - jf_code_pc(b->code)));
		return JF_OK;
	}
	call_c(b->code, call->address);
	emit_move(b->code, LA_R0, LA_A0);
	return JF_OK;
}

/* ---- atomics -------------------------------------------------------------------------------- */

/* Ordering hints of dbar; processors without them take any hint for the full barrier. */
#define DBAR_STORE_RELEASE 0x12
#define DBAR_LOAD_ACQUIRE  0x14

/*
 *     loop:   ll   t2, (addr)
 *             bne  t2, expected, other
 *             move t3, src
 *             sc   t3, (addr)
 *             beqz t3, loop
 *             b    out
 *     other:  dbar
 *     out:    R0 = t2
 */
static void compare_exchange(struct jf_code *c, bool is64, unsigned int addr, unsigned int src)
{
	unsigned int expected = LA_R0;

	if (!is64) {
		expected = LA_T4;
		emit_sext32(c, expected, LA_R0);
	}
	emit_2ri14(c, is64 ? LA_LL_D : LA_LL_W, LA_T2, addr, 0);
	emit_branch16(c, LA_BNE, LA_T2, expected, 5 * 4);
	emit_move(c, LA_T3, src);
	emit_2ri14(c, is64 ? LA_SC_D : LA_SC_W, LA_T3, addr, 0);
	emit_branch21(c, LA_BEQZ, LA_T3, -4 * 4);
	emit_branch26(c, LA_B, 2 * 4);
	emit_dbar(c, DBAR_LOAD_ACQUIRE);
	if (is64)
		emit_move(c, LA_R0, LA_T2);
	else
		emit_zext32(c, LA_R0, LA_T2);
}

static void fetch_op(struct jf_code *c, enum la_am op, bool is64, unsigned int addr, unsigned int src)
{
	emit_am(c, op, LA_T2, src, addr);
	if (is64)
		emit_move(c, src, LA_T2);
	else
		emit_zext32(c, src, LA_T2);
}

enum jf_status jf_loongarch64_atomic(struct jf_body *b, const struct jf_op *op)
{
	/* { w, d } without, then with the old value, which also orders. */
	static const enum la_am forms[][4] = {
		[JF_ATOMIC_ADD] = {LA_AMADD_W, LA_AMADD_D, LA_AMADD_DB_W, LA_AMADD_DB_D},
		[JF_ATOMIC_OR] = {LA_AMOR_W, LA_AMOR_D, LA_AMOR_DB_W, LA_AMOR_DB_D},
		[JF_ATOMIC_AND] = {LA_AMAND_W, LA_AMAND_D, LA_AMAND_DB_W, LA_AMAND_DB_D},
		[JF_ATOMIC_XOR] = {LA_AMXOR_W, LA_AMXOR_D, LA_AMXOR_DB_W, LA_AMXOR_DB_D},
		[JF_ATOMIC_XCHG] = {LA_AMSWAP_DB_W, LA_AMSWAP_DB_D, LA_AMSWAP_DB_W, LA_AMSWAP_DB_D},
	};
	bool is64 = op->bytes == 8;
	unsigned int src = bpf(b, op->src), addr = bpf(b, op->dst);

	if (op->code == JF_ATOMIC_LOAD_ACQ) {
		jf_loongarch64_load(b, op);
		emit_dbar(b->code, DBAR_LOAD_ACQUIRE);
		return JF_OK;
	}
	if (op->code == JF_ATOMIC_STORE_REL) {
		emit_dbar(b->code, DBAR_STORE_RELEASE);
		return jf_loongarch64_store(b, op);
	}
	if (op->bytes < 4 || op->code > JF_ATOMIC_CMPXCHG)
		return JF_E_UNSUPPORTED;
	if (op->off) {
		jf_loongarch64_add_imm(b->code, LA_T1, addr, op->off, LA_T1);
		addr = LA_T1;
	}
	if (op->code == JF_ATOMIC_CMPXCHG)
		compare_exchange(b->code, is64, addr, src);
	else if (op->fetch)
		fetch_op(b->code, forms[op->code][2 + is64], is64, addr, src);
	else
		emit_am(b->code, forms[op->code][is64], LA_ZERO, src, addr);
	return JF_OK;
}
