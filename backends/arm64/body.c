/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/*
 * BPF instructions as arm64 ones. Second operands: the register; the zero register for 0; an
 * immediate where the instruction has one; otherwise a constant in JF_ARM64_TMP.
 */

/* The operand as the operation sees it: 64-bit, or the low 32 bits zero-extended. */
static uint64_t imm_value(const struct jf_op *op)
{
	return op->is64 ? (uint64_t)op->imm : (uint32_t)op->imm;
}

static unsigned int operand(struct jf_body *b, const struct jf_op *op)
{
	if (!op->is_imm)
		return jf_body_reg(b, op->src);
	if (imm_value(op) == 0)
		return JF_ARM64_XZR;
	jf_arm64_mov_const(b->code, JF_ARM64_TMP, imm_value(op));
	return JF_ARM64_TMP;
}

/* log2 of an immediate that is a power of two, else -1. */
static int imm_log2(const struct jf_op *op)
{
	uint64_t value = imm_value(op);

	return op->is_imm && value && !(value & (value - 1)) ? __builtin_ctzll(value) : -1;
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

/* dst += imm, by way of its magnitude. */
static void add_imm(struct jf_body *b, const struct jf_op *op, unsigned int dst, int64_t imm)
{
	uint64_t value = op->is64 ? (uint64_t)imm : (uint32_t)imm;
	uint64_t negated = op->is64 ? 0 - value : (uint32_t)(0 - value);
	bool down = negated < value;
	uint64_t size = down ? negated : value;
	enum jf_arm64_addsub form = down ? JF_ARM64_SUBI : JF_ARM64_ADDI;

	if (op->is64 && !size)
		return;
	if (jf_arm64_fits_addsub(size)) {
		jf_arm64_addsub(b->code, form, op->is64, dst, dst, size);
	} else if (size >> 24 || jf_arm64_const_insns(size) == 1) {
		jf_arm64_mov_const(b->code, JF_ARM64_TMP, size);
		jf_arm64_rrr(b->code, down ? JF_ARM64_SUB : JF_ARM64_ADD, op->is64, dst, dst, JF_ARM64_TMP);
	} else {
		jf_arm64_addsub(b->code, form, op->is64, dst, dst, size & ~UINT64_C(4095));
		jf_arm64_addsub(b->code, form, op->is64, dst, dst, size & 4095);
	}
}

static void multiply(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	int log2 = imm_log2(op);

	if (log2 >= 0)
		jf_arm64_lsl(b->code, op->is64, dst, dst, (unsigned int)log2);
	else
		jf_arm64_rrrr(b->code, JF_ARM64_MADD, op->is64, dst, dst, operand(b, op), JF_ARM64_XZR);
}

/* Division by zero gives 0, MIN / -1 gives MIN: what UDIV and SDIV do by themselves. */
static void divide(struct jf_body *b, const struct jf_op *op, unsigned int dst, bool is_signed)
{
	int log2 = is_signed ? -1 : imm_log2(op);

	if (log2 >= 0)
		jf_arm64_lsr(b->code, op->is64, dst, dst, (unsigned int)log2);
	else
		jf_arm64_rrr(b->code, is_signed ? JF_ARM64_SDIV : JF_ARM64_UDIV, op->is64, dst, dst,
			     operand(b, op));
}

/* dst - dst / x * x: with the above, x = 0 leaves dst, and MIN % -1 is 0. */
static void modulo(struct jf_body *b, const struct jf_op *op, unsigned int dst, bool is_signed)
{
	int log2 = is_signed ? -1 : imm_log2(op);
	unsigned int divisor;

	if (log2 > 0) {
		jf_arm64_logical(b->code, JF_ARM64_ANDI, op->is64, dst, dst, (UINT64_C(1) << log2) - 1);
		return;
	}
	divisor = operand(b, op);
	jf_arm64_rrr(b->code, is_signed ? JF_ARM64_SDIV : JF_ARM64_UDIV, op->is64, JF_ARM64_TMP2, dst,
		     divisor);
	jf_arm64_rrrr(b->code, JF_ARM64_MSUB, op->is64, dst, JF_ARM64_TMP2, divisor, dst);
}

/* AND, ORR, EOR; `inverted` is the same operation on the complement: with the zero register, on -1. */
static void logical(struct jf_body *b, const struct jf_op *op, unsigned int dst,
		    enum jf_arm64_logical imm_form, enum jf_arm64_rrr form, enum jf_arm64_rrr inverted)
{
	uint32_t fields;

	if (op->is_imm && op->imm == -1)
		jf_arm64_rrr(b->code, inverted, op->is64, dst, dst, JF_ARM64_XZR);
	else if (op->is_imm && jf_arm64_fits_logical(op->is64, imm_value(op), &fields))
		jf_arm64_logical(b->code, imm_form, op->is64, dst, dst, imm_value(op));
	else
		jf_arm64_rrr(b->code, form, op->is64, dst, dst, operand(b, op));
}

static void shift(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	unsigned int count = (unsigned int)op->imm & (op->is64 ? 63 : 31);
	enum jf_arm64_rrr form = op->code == JF_ALU_LSH   ? JF_ARM64_LSLV
				 : op->code == JF_ALU_RSH ? JF_ARM64_LSRV
							  : JF_ARM64_ASRV;

	if (!op->is_imm)
		jf_arm64_rrr(b->code, form, op->is64, dst, dst, jf_body_reg(b, op->src));
	else if (op->code == JF_ALU_LSH)
		jf_arm64_lsl(b->code, op->is64, dst, dst, count);
	else if (op->code == JF_ALU_RSH)
		jf_arm64_lsr(b->code, op->is64, dst, dst, count);
	else
		jf_arm64_asr(b->code, op->is64, dst, dst, count);
}

static void move(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	unsigned int src;

	if (op->is_imm) {
		jf_arm64_mov_const(b->code, dst, imm_value(op));
		return;
	}
	src = jf_body_reg(b, op->src);
	if (op->sign)
		jf_arm64_bitfield(b->code, JF_ARM64_SBFM, op->is64, dst, src, 0, 8u * op->bytes - 1);
	else if (dst != src || !op->is64)
		jf_arm64_mov(b->code, op->is64, dst, src);
}

enum jf_status jf_arm64_alu(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);

	switch (op->code) {
	case JF_ALU_ADD:
		if (op->is_imm)
			add_imm(b, op, dst, op->imm);
		else
			jf_arm64_rrr(b->code, JF_ARM64_ADD, op->is64, dst, dst, jf_body_reg(b, op->src));
		break;
	case JF_ALU_SUB:
		if (op->is_imm)
			add_imm(b, op, dst, -op->imm);
		else
			jf_arm64_rrr(b->code, JF_ARM64_SUB, op->is64, dst, dst, jf_body_reg(b, op->src));
		break;
	case JF_ALU_MUL:
		multiply(b, op, dst);
		break;
	case JF_ALU_DIV:
	case JF_ALU_SDIV:
		divide(b, op, dst, op->code == JF_ALU_SDIV);
		break;
	case JF_ALU_MOD:
	case JF_ALU_SMOD:
		modulo(b, op, dst, op->code == JF_ALU_SMOD);
		break;
	case JF_ALU_OR:
		logical(b, op, dst, JF_ARM64_ORRI, JF_ARM64_ORR, JF_ARM64_ORN);
		break;
	case JF_ALU_AND:
		logical(b, op, dst, JF_ARM64_ANDI, JF_ARM64_AND, JF_ARM64_BIC);
		break;
	case JF_ALU_XOR:
		logical(b, op, dst, JF_ARM64_EORI, JF_ARM64_EOR, JF_ARM64_EON);
		break;
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH:
		shift(b, op, dst);
		break;
	case JF_ALU_NEG:
		jf_arm64_rrr(b->code, JF_ARM64_SUB, op->is64, dst, JF_ARM64_XZR, dst);
		break;
	case JF_ALU_MOV:
		move(b, op, dst);
		break;
	default:
		return JF_E_UNSUPPORTED;
	}
	return JF_OK;
}

/* Reverses the low bytes, or keeps them as they are, and zero-extends. */
enum jf_status jf_arm64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	bool reverse = op->code != JF_SWAP_TO_LE;

	switch (op->bytes) {
	case 2:
		if (reverse)
			jf_arm64_rev(b->code, JF_ARM64_REV16, false, dst, dst);
		jf_arm64_bitfield(b->code, JF_ARM64_UBFM, false, dst, dst, 0, 15);
		break;
	case 4:
		if (reverse)
			jf_arm64_rev(b->code, JF_ARM64_REV, false, dst, dst);
		else
			jf_arm64_mov(b->code, false, dst, dst);
		break;
	case 8:
		if (reverse)
			jf_arm64_rev(b->code, JF_ARM64_REV, true, dst, dst);
		break;
	default:
		return JF_E_UNSUPPORTED;
	}
	return JF_OK;
}

/* ---- addresses and constants ---------------------------------------------------------------- */

/* reg = value, by page and offset from the code where that is shorter. */
static void load_address(struct jf_body *b, unsigned int reg, uint64_t value)
{
	int64_t pages = (int64_t)(value >> 12) - (int64_t)(jf_code_pc(b->code) >> 12);

	if (jf_arm64_const_insns(value) > 2 && jf_arm64_fits_adrp(pages)) {
		jf_arm64_adrp(b->code, reg, pages);
		jf_arm64_addsub(b->code, JF_ARM64_ADDI, true, reg, reg, value & 4095);
	} else {
		jf_arm64_mov_const(b->code, reg, value);
	}
}

enum jf_status jf_arm64_imm64(struct jf_body *b, const struct jf_op *op)
{
	load_address(b, jf_body_reg(b, op->dst), (uint64_t)op->imm);
	return JF_OK;
}

/* ---- memory --------------------------------------------------------------------------------- */

static unsigned int access_shift(const struct jf_op *op)
{
	return (unsigned int)__builtin_ctz(op->bytes);
}

/*
 * R10 is the upper end of the BPF stack, which offsets go down from; the scaled form only goes up. So
 * accesses are made from the lower end: SP and the outgoing arguments, or the private stack's base.
 */
static bool access_from_below(struct jf_body *b, enum jf_arm64_ldst form, unsigned int size_shift,
			      unsigned int rt, int64_t off)
{
	const struct jf_frame *frame = b->frame;
	bool private = frame->spec.private_stack;
	int64_t from_low = off + (private ? jf_arm64_private_bytes(frame)
					  : frame->bpf_stack_bytes + frame->out_args_bytes);

	if (!jf_arm64_fits_scaled(size_shift, from_low))
		return false;
	jf_arm64_ldst_scaled(b->code, form, size_shift, rt, private ? JF_ARM64_PRIVATE : JF_ARM64_SP,
			     from_low);
	return true;
}

static void access(struct jf_body *b, enum jf_arm64_ldst form, const struct jf_op *op, unsigned int rt,
		   unsigned int bpf_base)
{
	unsigned int size_shift = access_shift(op);
	unsigned int base = jf_body_reg(b, bpf_base);

	if (bpf_base == JF_BPF_FP && access_from_below(b, form, size_shift, rt, op->off))
		return;
	if (jf_arm64_fits_scaled(size_shift, op->off)) {
		jf_arm64_ldst_scaled(b->code, form, size_shift, rt, base, op->off);
	} else if (jf_arm64_fits_unscaled(op->off)) {
		jf_arm64_ldst_unscaled(b->code, form, size_shift, rt, base, op->off);
	} else {
		jf_arm64_mov_const(b->code, JF_ARM64_TMP2, (uint64_t)(int64_t)op->off);
		jf_arm64_ldst_reg(b->code, form, size_shift, rt, base, JF_ARM64_TMP2);
	}
}

enum jf_status jf_arm64_load(struct jf_body *b, const struct jf_op *op)
{
	bool extend = op->sign && op->bytes < 8;

	access(b, extend ? JF_ARM64_LDRS : JF_ARM64_LDR, op, jf_body_reg(b, op->dst), op->src);
	return JF_OK;
}

enum jf_status jf_arm64_store(struct jf_body *b, const struct jf_op *op)
{
	unsigned int rt;

	if (!op->is_imm) {
		rt = jf_body_reg(b, op->src);
	} else {
		uint64_t value = (uint64_t)op->imm & UINT64_MAX >> (64 - 8 * op->bytes);

		rt = value ? JF_ARM64_TMP : JF_ARM64_XZR;
		if (value)
			jf_arm64_mov_const(b->code, rt, value);
	}
	access(b, JF_ARM64_STR, op, rt, op->dst);
	return JF_OK;
}

/* ---- atomics -------------------------------------------------------------------------------- */

/* The register that holds base + off: exclusive and ordered accesses have no offset. */
static unsigned int atomic_address(struct jf_body *b, unsigned int base, int16_t off)
{
	if (!off)
		return base;
	jf_arm64_add_const(b->code, JF_ARM64_TMP2, base, off);
	return JF_ARM64_TMP2;
}

/*
 *     1: ldxr   old, [address]
 *        op     new, old, src          XCHG: src itself. CMPXCHG: cmp old, R0; b.ne 2f
 *        stlxr  status, new, [address]
 *        cbnz   status, 1b
 *     2: dmb    ish                    with a result the access is a full barrier
 *        mov    result, old
 *
 * Without a result nothing is ordered, as for BPF's plain atomics in Linux.
 */
static void read_modify_write(struct jf_body *b, const struct jf_op *op, unsigned int src)
{
	static const uint32_t forms[] = {
		[JF_ATOMIC_ADD] = JF_ARM64_ADD,
		[JF_ATOMIC_OR] = JF_ARM64_ORR,
		[JF_ATOMIC_AND] = JF_ARM64_AND,
		[JF_ATOMIC_XOR] = JF_ARM64_EOR,
	};
	unsigned int address = atomic_address(b, jf_body_reg(b, op->dst), op->off);
	unsigned int size_shift = access_shift(op), stored = src;
	bool wide = op->bytes == 8, compare = op->code == JF_ATOMIC_CMPXCHG;
	bool result = op->fetch || op->code == JF_ATOMIC_XCHG || compare;
	size_t loop = b->code->size;

	jf_arm64_ordered(b->code, JF_ARM64_LDXR, size_shift, JF_ARM64_TMP, address);
	if (compare) {
		jf_arm64_rrr(b->code, JF_ARM64_SUBS, wide, JF_ARM64_XZR, JF_ARM64_TMP, JF_ARM64_R0);
		jf_arm64_b_cond(b->code, JF_ARM64_NE, 3 * 4);
	} else if (op->code != JF_ATOMIC_XCHG) {
		stored = JF_ARM64_TMP3;
		jf_arm64_rrr(b->code, (enum jf_arm64_rrr)forms[op->code], wide, stored, JF_ARM64_TMP, src);
	}
	jf_arm64_store_exclusive(b->code, result ? JF_ARM64_STLXR : JF_ARM64_STXR, size_shift,
				 JF_ARM64_STATUS, stored, address);
	jf_arm64_cbz(b->code, true, false, JF_ARM64_STATUS, (int64_t)loop - (int64_t)b->code->size);
	if (!result)
		return;
	jf_arm64_dmb_ish(b->code);
	jf_arm64_mov(b->code, true, compare ? JF_ARM64_R0 : src, JF_ARM64_TMP);
}

enum jf_status jf_arm64_atomic(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst), src = jf_body_reg(b, op->src);
	unsigned int address;

	switch (op->code) {
	case JF_ATOMIC_LOAD_ACQ:
		address = atomic_address(b, src, op->off);
		jf_arm64_ordered(b->code, JF_ARM64_LDAR, access_shift(op), dst, address);
		break;
	case JF_ATOMIC_STORE_REL:
		address = atomic_address(b, dst, op->off);
		jf_arm64_ordered(b->code, JF_ARM64_STLR, access_shift(op), src, address);
		break;
	default:
		read_modify_write(b, op, src);
	}
	return JF_OK;
}

/* ---- jumps ---------------------------------------------------------------------------------- */

/* A branch in one of the three ways arm64 can ask. */
struct branch {
	enum { ON_FLAGS, ON_ZERO, ON_BIT } kind;
	bool opposite; /* ON_ZERO, ON_BIT: on non-zero, on one. ON_FLAGS: on the opposite of cond */
	bool is64;
	enum jf_arm64_cond cond; /* ON_FLAGS */
	unsigned int reg;
	unsigned int bit;
};

static void put_branch(struct jf_code *code, struct branch branch, int64_t off)
{
	switch (branch.kind) {
	case ON_FLAGS:
		jf_arm64_b_cond(code, branch.cond ^ branch.opposite, off);
		break;
	case ON_ZERO:
		jf_arm64_cbz(code, branch.opposite, branch.is64, branch.reg, off);
		break;
	case ON_BIT:
		jf_arm64_tbz(code, branch.opposite, branch.reg, branch.bit, off);
		break;
	}
}

/* Short: the branch. Long: the opposite one over a jump. */
static void branch_to(struct jf_body *b, struct branch branch, uint32_t target)
{
	int64_t distance = jf_body_distance(b, target);

	if (!jf_arm64_fits_branch(distance, branch.kind == ON_BIT ? JF_ARM64_TEST_BITS : JF_ARM64_COND_BITS))
		jf_body_grow(b);
	if (!jf_body_is_long(b)) {
		put_branch(b->code, branch, distance);
		return;
	}
	branch.opposite = !branch.opposite;
	put_branch(b->code, branch, 2 * 4);
	jf_arm64_b(b->code, false, jf_body_distance(b, target));
}

/* Comparisons with 0, 1 and -1 that are tests for zero or of the sign, and tests of one bit. */
static bool branch_without_compare(const struct jf_op *op, unsigned int dst, struct branch *branch)
{
	int64_t imm = op->imm;
	int log2 = imm_log2(op);

	*branch = (struct branch){ .kind = ON_ZERO, .is64 = op->is64, .reg = dst, .bit = op->is64 ? 63 : 31 };
	if (!op->is_imm)
		return false;
	switch (op->code) {
	case JF_COND_EQ:
	case JF_COND_LE:
		return imm == 0;
	case JF_COND_LT:
		return imm == 1;
	case JF_COND_NE:
	case JF_COND_GT:
		branch->opposite = true;
		return imm == 0;
	case JF_COND_GE:
		branch->opposite = true;
		return imm == 1;
	case JF_COND_SGE:
		branch->kind = ON_BIT;
		return imm == 0;
	case JF_COND_SGT:
		branch->kind = ON_BIT;
		return imm == -1;
	case JF_COND_SLT:
		branch->kind = ON_BIT;
		branch->opposite = true;
		return imm == 0;
	case JF_COND_SLE:
		branch->kind = ON_BIT;
		branch->opposite = true;
		return imm == -1;
	case JF_COND_SET:
		branch->kind = ON_BIT;
		branch->opposite = true;
		branch->bit = (unsigned int)log2;
		return log2 >= 0;
	default:
		return false;
	}
}

/* Flags of dst - operand; CMN, dst + (-operand), sets the same ones. */
static void compare(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	int64_t imm = op->imm;

	if (op->is_imm && imm >= 0 && jf_arm64_fits_addsub((uint64_t)imm))
		jf_arm64_addsub(b->code, JF_ARM64_SUBSI, op->is64, JF_ARM64_XZR, dst, (uint64_t)imm);
	else if (op->is_imm && imm < 0 && jf_arm64_fits_addsub((uint64_t)-imm))
		jf_arm64_addsub(b->code, JF_ARM64_ADDSI, op->is64, JF_ARM64_XZR, dst, (uint64_t)-imm);
	else
		jf_arm64_rrr(b->code, JF_ARM64_SUBS, op->is64, JF_ARM64_XZR, dst, operand(b, op));
}

/* Flags of dst & operand. */
static void test(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	uint32_t fields;

	if (op->is_imm && jf_arm64_fits_logical(op->is64, imm_value(op), &fields))
		jf_arm64_logical(b->code, JF_ARM64_ANDSI, op->is64, JF_ARM64_XZR, dst, imm_value(op));
	else
		jf_arm64_rrr(b->code, JF_ARM64_ANDS, op->is64, JF_ARM64_XZR, dst, operand(b, op));
}

enum jf_status jf_arm64_jump(struct jf_body *b, const struct jf_op *op)
{
	static const uint8_t conds[JF_COND__COUNT] = {
		[JF_COND_EQ] = JF_ARM64_EQ,  [JF_COND_NE] = JF_ARM64_NE,  [JF_COND_GT] = JF_ARM64_HI,
		[JF_COND_GE] = JF_ARM64_HS,  [JF_COND_LT] = JF_ARM64_LO,  [JF_COND_LE] = JF_ARM64_LS,
		[JF_COND_SGT] = JF_ARM64_GT, [JF_COND_SGE] = JF_ARM64_GE, [JF_COND_SLT] = JF_ARM64_LT,
		[JF_COND_SLE] = JF_ARM64_LE, [JF_COND_SET] = JF_ARM64_NE,
	};
	unsigned int dst = jf_body_reg(b, op->dst);
	struct branch branch;

	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	if (!branch_without_compare(op, dst, &branch)) {
		if (op->code == JF_COND_SET)
			test(b, op, dst);
		else
			compare(b, op, dst);
		branch = (struct branch){ .kind = ON_FLAGS, .cond = (enum jf_arm64_cond)conds[op->code] };
	}
	branch_to(b, branch, op->target);
	return JF_OK;
}

enum jf_status jf_arm64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_arm64_b(b->code, false, jf_body_distance(b, op->target));
	return JF_OK;
}

/* ---- calls ---------------------------------------------------------------------------------- */

/*
 * BL where it reaches; functions of the same image always. The result is in x0 from either kind.
 * Whether it reaches depends on the code before this instruction alone, so passes agree in the end.
 */
enum jf_status jf_arm64_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	int64_t distance = (int64_t)(call->address - jf_code_pc(b->code));

	(void)op;
	if (call->stack_args)
		return JF_E_UNSUPPORTED;
	if (call->kind == JF_CALL_BPF || jf_arm64_fits_branch(distance, JF_ARM64_JUMP_BITS)) {
		jf_arm64_b(b->code, true, distance);
	} else {
		load_address(b, JF_ARM64_TMP, call->address);
		jf_arm64_branch_reg(b->code, JF_ARM64_BLR, JF_ARM64_TMP);
	}
	jf_arm64_mov(b->code, true, JF_ARM64_R0, JF_ARM64_X0);
	return JF_OK;
}
