/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF instructions (RFC 9669) to machine code.
 *
 * No flag lives from one BPF instruction to the next, so forms are chosen for size alone. SCRATCH and
 * SCRATCH2 (r11, r10) are free within an instruction; RSP stays where the prologue put it.
 */
#include "insn.h"

/* ---- operands ------------------------------------------------------------------------------- */

/* R10's value, from the register it lives in. */
static int32_t r10_disp(const struct jf_body *b)
{
	if (b->frame->spec.private_stack)
		return 0;
	return b->frame->bpf_fp_off_from_cfa - b->frame->conv->fp_off_from_cfa;
}

/* A register with the value of `bpf`. R10 may have to be made, in SCRATCH. */
static unsigned int operand(const struct jf_body *b, unsigned int bpf)
{
	unsigned int reg = jf_body_reg(b, bpf);

	if (bpf != JF_BPF_FP || !r10_disp(b))
		return reg;
	emit_lea(b->code, true, SCRATCH, reg, r10_disp(b));
	return SCRATCH;
}

/* [bpf + off] as base register and displacement. */
static unsigned int address(const struct jf_body *b, unsigned int bpf, int16_t off, int64_t *disp)
{
	*disp = off + (bpf == JF_BPF_FP ? r10_disp(b) : 0);
	return jf_body_reg(b, bpf);
}

static int64_t narrow(bool w, int64_t imm)
{
	return w ? imm : (int32_t)imm;
}

/* ---- branches within one BPF instruction ---------------------------------------------------- */

/* Forward, short. returns: where the branch ends, for land(). */
static size_t skip_if(struct jf_code *code, unsigned int cc)
{
	emit_jcc8(code, cc, 0);
	return code->size;
}

static size_t skip(struct jf_code *code)
{
	emit_jmp8(code, 0);
	return code->size;
}

static void land(struct jf_code *code, size_t branch_end)
{
	size_t rel = code->size - branch_end;

	if (!fits_s8((int64_t)rel))
		jf_code_fail(code, JF_E_RANGE);
	if (code->status == JF_OK)
		code->bytes[branch_end - 1] = (uint8_t)rel;
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

/* dst = dst: nothing, or its upper half cleared. */
static void emit_same(struct jf_code *code, bool w, unsigned int dst)
{
	if (!w)
		emit_mov_rr(code, false, dst, dst);
}

/* The exponent when value is a power of two, else -1. */
static int log2_of(uint64_t value)
{
	int log = 0;

	if (value == 0 || value & (value - 1))
		return -1;
	while (value >>= 1)
		log++;
	return log;
}

/* and with a value whose upper half is clear clears that half: 32-bit forms do. */
static void emit_and_imm(struct jf_code *code, bool w, unsigned int dst, int64_t imm)
{
	if (imm == -1)
		emit_same(code, w, dst);
	else if (imm == 0)
		jf_x86_64_emit_mov_ri(code, dst, 0);
	else if (imm == 0xff || imm == 0xffff)
		jf_x86_64_emit_extend(code, imm == 0xff ? 1 : 2, false, false, dst, dst);
	else
		jf_x86_64_emit_alu_ri(code, ALU_AND, w && imm < 0, dst, imm);
}

/* ADD, SUB, OR, XOR */
static void emit_op_imm(struct jf_code *code, unsigned int op, bool w, unsigned int dst, int64_t imm)
{
	if (imm == 0)
		emit_same(code, w, dst);
	else if (imm == -1 && op == ALU_XOR)
		emit_unary(code, UNARY_NOT, w, dst);
	else if (imm == 128 && (op == ALU_ADD || op == ALU_SUB)) /* -128 has a short form */
		jf_x86_64_emit_alu_ri(code, op == ALU_ADD ? ALU_SUB : ALU_ADD, w, dst, -128);
	else
		jf_x86_64_emit_alu_ri(code, op, w, dst, imm);
}

static void emit_mul_imm(struct jf_code *code, bool w, unsigned int dst, int64_t imm)
{
	int log = log2_of(w ? (uint64_t)imm : (uint32_t)imm);

	if (imm == 0)
		jf_x86_64_emit_mov_ri(code, dst, 0);
	else if (log == 0)
		emit_same(code, w, dst);
	else if (log > 0)
		emit_shift_ri(code, SHIFT_SHL, w, dst, (unsigned int)log);
	else if (imm == -1)
		emit_unary(code, UNARY_NEG, w, dst);
	else
		emit_imul_rri(code, w, dst, dst, imm);
}

/* The count has to be in CL. It is taken modulo the width, as BPF wants it. */
static void emit_shift_reg(struct jf_code *code, unsigned int op, bool w, unsigned int dst, unsigned int count)
{
	unsigned int to = dst == RCX && count != RCX ? SCRATCH : dst;

	if (count == RCX) {
		emit_shift_cl(code, op, w, dst);
		return;
	}
	emit_mov_rr(code, true, SCRATCH, RCX);
	emit_mov_rr(code, false, RCX, count);
	emit_shift_cl(code, op, w, to);
	emit_mov_rr(code, true, RCX, SCRATCH);
}

static void emit_shift(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	static const unsigned int ops[] = {
		[JF_ALU_LSH] = SHIFT_SHL, [JF_ALU_RSH] = SHIFT_SHR, [JF_ALU_ARSH] = SHIFT_SAR};
	unsigned int count = (unsigned int)op->imm & (op->is64 ? 63 : 31);

	if (!op->is_imm)
		emit_shift_reg(b->code, ops[op->code], op->is64, dst, operand(b, op->src));
	else if (count)
		emit_shift_ri(b->code, ops[op->code], op->is64, dst, count);
	else
		emit_same(b->code, op->is64, dst);
}

/* ---- division ------------------------------------------------------------------------------- */

struct division {
	bool w, is_signed, mod;
	unsigned int dst;
};

/*
 * RDX:RAX / divisor -> RAX, remainder RDX; both keep their values when they are not dst. Where dst is
 * neither, it holds RAX meanwhile. The divisor is not zero, nor a signed -1.
 */
static void emit_divide(struct jf_code *code, const struct division *d, unsigned int divisor)
{
	unsigned int result = d->mod ? RDX : RAX;

	if (divisor == RAX || divisor == RDX || divisor == d->dst) {
		emit_mov_rr(code, d->w, SCRATCH, divisor);
		divisor = SCRATCH;
	}
	emit_mov_rr(code, true, SCRATCH2, d->dst == RDX ? RAX : RDX);
	if (d->dst == RDX)
		emit_mov_rr(code, d->w, RAX, RDX);
	else if (d->dst != RAX)
		jf_x86_64_emit_xchg_rr(code, true, RAX, d->dst);
	if (d->is_signed)
		emit_sign_to_dx(code, d->w);
	else
		emit_alu_rr(code, ALU_XOR, false, RDX, RDX);
	emit_unary(code, d->is_signed ? UNARY_IDIV : UNARY_DIV, d->w, divisor);
	if (d->dst == RAX || d->dst == RDX) {
		if (d->dst != result)
			emit_mov_rr(code, d->w, d->dst, result);
	} else if (d->mod) {
		emit_mov_rr(code, true, RAX, d->dst);
		emit_mov_rr(code, d->w, d->dst, RDX);
	} else {
		jf_x86_64_emit_xchg_rr(code, true, RAX, d->dst);
	}
	emit_mov_rr(code, true, d->dst == RDX ? RAX : RDX, SCRATCH2);
}

/* x / 0 = 0, x % 0 = x */
static void emit_divide_unsigned(struct jf_code *code, const struct division *d, unsigned int divisor)
{
	size_t to_end, to_divide;

	emit_test_rr(code, d->w, divisor, divisor);
	if (d->mod) {
		emit_same(code, d->w, d->dst); /* mov leaves the flags */
		to_end = skip_if(code, CC_E);
	} else {
		to_divide = skip_if(code, CC_NE);
		emit_alu_rr(code, ALU_XOR, false, d->dst, d->dst);
		to_end = skip(code);
		land(code, to_divide);
	}
	emit_divide(code, d, divisor);
	land(code, to_end);
}

/*
 * Divisors 0 and -1 at once: they are those with divisor + 1 <= 1, unsigned.
 *     0: x / 0 = 0 = x * 0      x % 0 = x = x * (0 + 1)
 *    -1: x / -1 = x * -1        x % -1 = 0 = x * (-1 + 1)     (also of MIN, where idiv traps)
 */
static void emit_divide_signed(struct jf_code *code, const struct division *d, unsigned int divisor)
{
	size_t to_end, to_divide;

	emit_lea(code, d->w, SCRATCH2, divisor, 1);
	jf_x86_64_emit_alu_ri(code, ALU_CMP, d->w, SCRATCH2, 1);
	to_divide = skip_if(code, CC_A);
	emit_imul_rr(code, d->w, d->dst, d->mod ? SCRATCH2 : divisor);
	to_end = skip(code);
	land(code, to_divide);
	emit_divide(code, d, divisor);
	land(code, to_end);
}

static void emit_divide_imm(struct jf_code *code, const struct division *d, int64_t imm)
{
	uint64_t value = d->w ? (uint64_t)imm : (uint32_t)imm;
	int log = d->is_signed ? -1 : log2_of(value);

	if (imm == 0) {
		if (d->mod)
			emit_same(code, d->w, d->dst);
		else
			jf_x86_64_emit_mov_ri(code, d->dst, 0);
	} else if (d->is_signed && (imm == 1 || imm == -1)) {
		if (d->mod)
			jf_x86_64_emit_mov_ri(code, d->dst, 0);
		else if (imm == 1)
			emit_same(code, d->w, d->dst);
		else
			emit_unary(code, UNARY_NEG, d->w, d->dst);
	} else if (log >= 0 && d->mod) {
		emit_and_imm(code, d->w, d->dst, (int64_t)value - 1);
	} else if (log > 0) {
		emit_shift_ri(code, SHIFT_SHR, d->w, d->dst, (unsigned int)log);
	} else if (log == 0) {
		emit_same(code, d->w, d->dst);
	} else {
		jf_x86_64_emit_mov_ri(code, SCRATCH, value);
		emit_divide(code, d, SCRATCH);
	}
}

static void emit_division(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	struct division d = {
		.w = op->is64,
		.is_signed = op->code == JF_ALU_SDIV || op->code == JF_ALU_SMOD,
		.mod = op->code == JF_ALU_MOD || op->code == JF_ALU_SMOD,
		.dst = dst,
	};

	if (op->is_imm)
		emit_divide_imm(b->code, &d, narrow(d.w, op->imm));
	else if (d.is_signed)
		emit_divide_signed(b->code, &d, operand(b, op->src));
	else
		emit_divide_unsigned(b->code, &d, operand(b, op->src));
}

/* ---- hooks ---------------------------------------------------------------------------------- */

static void emit_mov(struct jf_body *b, const struct jf_op *op, unsigned int dst)
{
	unsigned int src;

	if (op->is_imm) {
		jf_x86_64_emit_mov_ri(b->code, dst, op->is64 ? (uint64_t)op->imm : (uint32_t)op->imm);
		return;
	}
	src = jf_body_reg(b, op->src);
	if (op->sign)
		jf_x86_64_emit_extend(b->code, op->bytes, true, op->is64, dst, operand(b, op->src));
	else if (op->src == JF_BPF_FP && r10_disp(b))
		emit_lea(b->code, op->is64, dst, src, r10_disp(b));
	else if (!op->is64 || dst != src)
		emit_mov_rr(b->code, op->is64, dst, src);
}

enum jf_status jf_x86_64_alu(struct jf_body *b, const struct jf_op *op)
{
	static const unsigned int ops[] = {[JF_ALU_ADD] = ALU_ADD,
					   [JF_ALU_SUB] = ALU_SUB,
					   [JF_ALU_OR] = ALU_OR,
					   [JF_ALU_AND] = ALU_AND,
					   [JF_ALU_XOR] = ALU_XOR};
	unsigned int dst = jf_body_reg(b, op->dst);
	int64_t imm = narrow(op->is64, op->imm);

	switch (op->code) {
	case JF_ALU_AND:
		if (op->is_imm) {
			emit_and_imm(b->code, op->is64, dst, imm);
			return JF_OK;
		}
		/* fall through */
	case JF_ALU_ADD:
	case JF_ALU_SUB:
	case JF_ALU_OR:
	case JF_ALU_XOR:
		if (op->is_imm)
			emit_op_imm(b->code, ops[op->code], op->is64, dst, imm);
		else
			emit_alu_rr(b->code, ops[op->code], op->is64, dst, operand(b, op->src));
		return JF_OK;
	case JF_ALU_MUL:
		if (op->is_imm)
			emit_mul_imm(b->code, op->is64, dst, imm);
		else
			emit_imul_rr(b->code, op->is64, dst, operand(b, op->src));
		return JF_OK;
	case JF_ALU_DIV:
	case JF_ALU_SDIV:
	case JF_ALU_MOD:
	case JF_ALU_SMOD:
		emit_division(b, op, dst);
		return JF_OK;
	case JF_ALU_LSH:
	case JF_ALU_RSH:
	case JF_ALU_ARSH:
		emit_shift(b, op, dst);
		return JF_OK;
	case JF_ALU_NEG:
		emit_unary(b->code, UNARY_NEG, op->is64, dst);
		return JF_OK;
	case JF_ALU_MOV:
		emit_mov(b, op, dst);
		return JF_OK;
	default: return JF_E_UNSUPPORTED;
	}
}

/* This is a little-endian machine: TO_LE only cuts off. */
enum jf_status jf_x86_64_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);

	if (op->code == JF_SWAP_TO_LE) {
		if (op->bytes < 8)
			jf_x86_64_emit_extend(b->code, op->bytes, false, false, dst, dst);
		return JF_OK;
	}
	emit_bswap(b->code, op->bytes == 8, dst);
	if (op->bytes == 2)
		emit_shift_ri(b->code, SHIFT_SHR, false, dst, 16);
	return JF_OK;
}

/* 2, 5 or 7 bytes; 10 only for what is neither small nor near. */
enum jf_status jf_x86_64_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	uint64_t value = (uint64_t)op->imm;

	if (value <= UINT32_MAX || fits_s32(op->imm) || !jf_x86_64_near(b->code, value))
		jf_x86_64_emit_mov_ri(b->code, dst, value);
	else
		jf_x86_64_emit_lea_pc(b->code, dst, value);
	return JF_OK;
}

enum jf_status jf_x86_64_load(struct jf_body *b, const struct jf_op *op)
{
	int64_t disp;
	unsigned int base = address(b, op->src, op->off, &disp);

	jf_x86_64_emit_load(b->code, op->bytes, op->sign, jf_body_reg(b, op->dst), base, disp);
	return JF_OK;
}

enum jf_status jf_x86_64_store(struct jf_body *b, const struct jf_op *op)
{
	int64_t disp;
	unsigned int base = address(b, op->dst, op->off, &disp);
	uint64_t mask = op->bytes < 4 ? (UINT64_C(1) << 8 * op->bytes) - 1 : UINT64_MAX;

	if (op->is_imm)
		jf_x86_64_emit_store_imm(b->code, op->bytes, base, disp, (int64_t)((uint64_t)op->imm & mask));
	else
		jf_x86_64_emit_store(b->code, op->bytes, base, disp, operand(b, op->src));
	return JF_OK;
}

/* ---- atomics -------------------------------------------------------------------------------- */

/* Memory operand of an atomic, and how wide. */
struct place {
	unsigned int base;
	int64_t disp;
	bool w;
};

/*
 * Fetching OR, AND, XOR have no instruction: RAX = old; retry until nobody wrote between. RAX goes to
 * SCRATCH2 meanwhile, where it also serves as base or operand.
 */
static void emit_fetch_loop(struct jf_code *code, unsigned int op, const struct place *at, unsigned int src)
{
	unsigned int base = at->base == RAX ? SCRATCH2 : at->base;
	unsigned int value = src == RAX ? SCRATCH2 : src;
	size_t again;

	emit_mov_rr(code, true, SCRATCH2, RAX);
	jf_x86_64_emit_load(code, at->w ? 8 : 4, false, RAX, base, at->disp);
	again = code->size;
	emit_mov_rr(code, at->w, SCRATCH, RAX);
	emit_alu_rr(code, op, at->w, SCRATCH, value);
	emit_lock_cmpxchg(code, at->w, base, at->disp, SCRATCH);
	emit_jcc8(code, CC_NE, (int64_t)again - (int64_t)(code->size + 2));
	if (src != RAX) {
		emit_mov_rr(code, at->w, src, RAX);
		emit_mov_rr(code, true, RAX, SCRATCH2);
	}
}

static void emit_atomic_op(struct jf_body *b, const struct jf_op *op, const struct place *at)
{
	static const unsigned int ops[] = {
		[JF_ATOMIC_ADD] = ALU_ADD,
		[JF_ATOMIC_OR] = ALU_OR,
		[JF_ATOMIC_AND] = ALU_AND,
		[JF_ATOMIC_XOR] = ALU_XOR,
	};

	if (!op->fetch)
		emit_lock_alu_mr(b->code, ops[op->code], at->w, at->base, at->disp, operand(b, op->src));
	else if (op->code == JF_ATOMIC_ADD)
		emit_lock_xadd(b->code, at->w, at->base, at->disp, jf_body_reg(b, op->src));
	else
		emit_fetch_loop(b->code, ops[op->code], at, jf_body_reg(b, op->src));
}

/* Loads acquire and stores release on this machine as they are: SDM volume 3, "Memory Ordering in P6 and More
 * Recent Processor Families". */
enum jf_status jf_x86_64_atomic(struct jf_body *b, const struct jf_op *op)
{
	struct place at = {.w = op->bytes == 8};

	at.base = address(b, op->dst, op->off, &at.disp);
	switch (op->code) {
	case JF_ATOMIC_ADD:
	case JF_ATOMIC_OR:
	case JF_ATOMIC_AND:
	case JF_ATOMIC_XOR:
		emit_atomic_op(b, op, &at);
		return JF_OK;
	case JF_ATOMIC_XCHG:
		emit_xchg_mr(b->code, at.w, at.base, at.disp, jf_body_reg(b, op->src));
		return JF_OK;
	case JF_ATOMIC_CMPXCHG:
		emit_lock_cmpxchg(b->code, at.w, at.base, at.disp, operand(b, op->src));
		emit_same(b->code, at.w, RAX); /* written, so extended, only when they differ */
		return JF_OK;
	case JF_ATOMIC_LOAD_ACQ:
		return jf_x86_64_load(b, op);
	case JF_ATOMIC_STORE_REL:
		return jf_x86_64_store(b, op);
	default:
		return JF_E_UNSUPPORTED;
	}
}

/* ---- jumps and calls ------------------------------------------------------------------------ */

enum jf_status jf_x86_64_jump_always(struct jf_body *b, const struct jf_op *op)
{
	int64_t distance = jf_body_distance(b, op->target);

	if (!jf_body_is_long(b) && fits_s8(distance - 2)) {
		emit_jmp8(b->code, distance - 2);
	} else {
		jf_body_grow(b);
		emit_jmp32(b->code, distance - 5);
	}
	return JF_OK;
}

/* test with itself leaves the flags that cmp with 0 would. */
static void emit_compare(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = operand(b, op->dst);
	int64_t imm = narrow(op->is64, op->imm);

	if (op->code == JF_COND_SET && op->is_imm)
		jf_x86_64_emit_test_ri(b->code, op->is64, dst, imm);
	else if (op->code == JF_COND_SET)
		emit_test_rr(b->code, op->is64, dst, operand(b, op->src));
	else if (!op->is_imm)
		emit_alu_rr(b->code, ALU_CMP, op->is64, dst, operand(b, op->src));
	else if (imm == 0)
		emit_test_rr(b->code, op->is64, dst, dst);
	else
		jf_x86_64_emit_alu_ri(b->code, ALU_CMP, op->is64, dst, imm);
}

enum jf_status jf_x86_64_jump(struct jf_body *b, const struct jf_op *op)
{
	static const unsigned int ccs[JF_COND__COUNT] = {
		[JF_COND_EQ] = CC_E,  [JF_COND_NE] = CC_NE,  [JF_COND_GT] = CC_A,   [JF_COND_GE] = CC_AE,
		[JF_COND_LT] = CC_B,  [JF_COND_LE] = CC_BE,  [JF_COND_SGT] = CC_G,  [JF_COND_SGE] = CC_GE,
		[JF_COND_SLT] = CC_L, [JF_COND_SLE] = CC_LE, [JF_COND_SET] = CC_NE,
	};
	int64_t distance;

	if (op->code >= JF_COND__COUNT)
		return JF_E_UNSUPPORTED;
	emit_compare(b, op);
	distance = jf_body_distance(b, op->target);
	if (!jf_body_is_long(b) && fits_s8(distance - 2)) {
		emit_jcc8(b->code, ccs[op->code], distance - 2);
	} else {
		jf_body_grow(b);
		emit_jcc32(b->code, ccs[op->code], distance - 6);
	}
	return JF_OK;
}

/* The place of a private stack's pointer over a call: R9 is the callee's. */
static void keep_private_stack(struct jf_body *b, bool before)
{
	const struct jf_frame *frame = b->frame;
	unsigned int reg = frame->conv->bpf_fp_private;

	if (!frame->spec.private_stack)
		return;
	if (frame->conv->backend_flags & X86_64_LINUX_FORMS) {
		if (before)
			emit_push(b->code, reg);
		else
			emit_pop(b->code, reg);
	} else if (!before) {
		const struct jf_slot *slot = &frame->slots[jf_frame_slot(frame, JF_SLOT_SPILL, reg)];

		jf_x86_64_emit_load(b->code, 8, false, reg, RBP, fp_off(frame, slot));
	}
}

/* RAX = tcc_ptr, for the callee's prologue. */
static void load_tail_calls(struct jf_body *b)
{
	const struct jf_frame *frame = b->frame;
	const struct jf_slot *slot;

	if (!(frame->needs & JF_WHEN_TAIL_CALLS))
		return;
	slot = &frame->slots[jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE)];
	if (frame->conv->backend_flags & X86_64_LINUX_FORMS)
		emit_load_disp32(b->code, RAX, RBP, fp_off(frame, slot));
	else
		jf_x86_64_emit_load(b->code, 8, false, RAX, RBP, fp_off(frame, slot));
}

/* R0 is the ABI's return register: nothing to move. */
enum jf_status jf_x86_64_call_op(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	(void)op;
	if (call->stack_args)
		return JF_E_UNSUPPORTED;
	keep_private_stack(b, true);
	if (call->kind == JF_CALL_BPF) {
		load_tail_calls(b);
		emit_call32(b->code, (int64_t)(call->address - (jf_code_pc(b->code) + 5)));
	} else {
		jf_x86_64_emit_call(b->code, call->address);
	}
	keep_private_stack(b, false);
	return JF_OK;
}
