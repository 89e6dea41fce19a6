/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy.h"

/*
 * BPF instructions for the toy: its ALU and comparisons are BPF's own, so most are one instruction, after
 * an immediate went to t0. Both t0 and ra are free in a body, ra being on the stack.
 */

static enum jf_status done(const struct jf_body *b)
{
	return jf_code_finish(b->code);
}

/* Shortest: LDI and as many SHI as the value needs. */
static void put_imm(struct jf_code *code, unsigned int reg, int64_t value)
{
	int bytes = 1;

	while (bytes < 8 && value >> (8 * bytes - 1) != 0 && value >> (8 * bytes - 1) != -1)
		bytes++;
	toy_put_imm(code, TOY_OP_LDI, reg, (int8_t)(value >> (8 * (bytes - 1))));
	for (int i = bytes - 2; i >= 0; i--)
		toy_put_imm(code, TOY_OP_SHI, reg, (uint8_t)(value >> (8 * i)));
}

/* The second operand's register. */
static unsigned int operand(struct jf_body *b, const struct jf_op *op)
{
	if (!op->is_imm)
		return jf_body_reg(b, op->src);
	put_imm(b->code, TOY_T0, op->imm);
	return TOY_T0;
}

enum jf_status toy_alu(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	unsigned int src = op->code == JF_ALU_NEG ? dst : operand(b, op);

	if (op->code == JF_ALU_MOV && op->sign) {
		toy_put(b->code, TOY_OP_EXT, dst, src,
			op->bytes == 1 ? TOY_EXT_S8 :
			op->bytes == 2 ? TOY_EXT_S16 :
					 TOY_EXT_S32);
		if (!op->is64)
			toy_put(b->code, TOY_OP_EXT, dst, dst, TOY_EXT_Z32);
	} else {
		toy_put(b->code, op->is64 ? TOY_OP_ALU64 : TOY_OP_ALU32, dst, src, op->code);
	}
	return done(b);
}

/* Memory is big-endian: "to big-endian" only cuts, "to little-endian" swaps. */
enum jf_status toy_swap(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = jf_body_reg(b, op->dst);
	unsigned int cut = op->bytes == 2 ? TOY_EXT_Z16 : op->bytes == 4 ? TOY_EXT_Z32 : TOY_EXT_COPY;
	unsigned int swap = op->bytes == 2 ? TOY_EXT_SWAP16 : op->bytes == 4 ? TOY_EXT_SWAP32 : TOY_EXT_SWAP64;

	toy_put(b->code, TOY_OP_EXT, dst, dst, op->code == JF_SWAP_TO_BE ? cut : swap);
	return done(b);
}

enum jf_status toy_imm64(struct jf_body *b, const struct jf_op *op)
{
	/* Eight instructions always: the value may be an address that is not settled yet. */
	toy_put_const(b->code, jf_body_reg(b, op->dst), (uint64_t)op->imm);
	return done(b);
}

static unsigned int access_bits(const struct jf_op *op)
{
	return op->bytes == 1 ? 0 : op->bytes == 2 ? 1 : op->bytes == 4 ? 2 : 3;
}

static void put_address(struct jf_body *b, unsigned int to, unsigned int base, int16_t off)
{
	put_imm(b->code, to, off);
	toy_put(b->code, TOY_OP_ALU64, to, base, JF_ALU_ADD);
}

enum jf_status toy_load(struct jf_body *b, const struct jf_op *op)
{
	put_address(b, TOY_RA, jf_body_reg(b, op->src), op->off);
	toy_put(b->code, TOY_OP_MEM, jf_body_reg(b, op->dst), TOY_RA, access_bits(op) | (op->sign ? 4 : 0));
	return done(b);
}

enum jf_status toy_store(struct jf_body *b, const struct jf_op *op)
{
	unsigned int src = operand(b, op);

	put_address(b, TOY_RA, jf_body_reg(b, op->dst), op->off);
	toy_put(b->code, TOY_OP_MEM, src, TOY_RA, access_bits(op) | 8);
	return done(b);
}

/*
 * k: 0 always, 1 with the flag; TOY_FAR: without form 0. Distances count from the end.
 *
 *   form 0    JS k
 *   form 1    LDI t0, SHI t0, JL k, t0
 *   form 2    LDI t0, SHI t0, SHI t0, JL k, t0
 */
unsigned int toy_put_branch(uint8_t *at, uint32_t k, int64_t distance, unsigned int form)
{
	static const struct {
		unsigned int bytes;
		int64_t reach;
	} forms[] = {{2, TOY_SHORT_REACH}, {6, INT16_MAX}, {8, (1 << 23) - 1}};
	struct jf_code code;
	int64_t rel;

	if (form >= sizeof(forms) / sizeof(forms[0]) || (form == 0 && k & TOY_FAR))
		return 0;
	rel = distance - forms[form].bytes;
	if (rel < -forms[form].reach || rel > forms[form].reach)
		return 0;
	jf_code_init(&code, at, forms[form].bytes, 0, NULL, 0);
	if (form == 0) {
		toy_put_imm(&code, TOY_OP_JS, k, (int)rel);
	} else {
		toy_put_imm(&code, TOY_OP_LDI, TOY_T0, (int8_t)(rel >> (form == 1 ? 8 : 16)));
		if (form == 2)
			toy_put_imm(&code, TOY_OP_SHI, TOY_T0, (uint8_t)(rel >> 8));
		toy_put_imm(&code, TOY_OP_SHI, TOY_T0, (uint8_t)rel);
		toy_put(&code, TOY_OP_JL, k & 1, TOY_T0, 0);
	}
	return (unsigned int)code.size;
}

enum jf_status toy_jump(struct jf_body *b, const struct jf_op *op)
{
	toy_put(b->code, op->is64 ? TOY_OP_CMP64 : TOY_OP_CMP32, jf_body_reg(b, op->dst), operand(b, op), op->code);
	jf_body_branch(b, JF_BRANCH_IF, 1, op->target);
	return done(b);
}

enum jf_status toy_jump_always(struct jf_body *b, const struct jf_op *op)
{
	jf_body_branch(b, JF_BRANCH_ALWAYS, 0, op->target);
	return done(b);
}

static bool has_types(const struct jf_call *call)
{
	for (unsigned int i = 0; call->args && i < JF_REG_ARGS + (call->sixth != JF_REG_NONE); i++)
		if (call->args[i].bytes)
			return true;
	return call->result.bytes != 0;
}

void toy_extend(struct jf_code *code, uint8_t dst, uint8_t src, struct jf_c_value value, uint8_t bytes)
{
	(void)bytes;
	if (value.bytes && value.bytes != 8)
		jf_code_fail(code, JF_E_UNSUPPORTED);
	toy_put(code, TOY_OP_EXT, dst, src, TOY_EXT_COPY);
}

/* C gets a sixth argument in v0. The toy's C functions have whole registers alone. */
enum jf_status toy_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	(void)op;
	if (has_types(call))
		return JF_E_UNSUPPORTED;
	if (call->sixth != JF_REG_NONE)
		toy_put(b->code, TOY_OP_EXT, TOY_V0, jf_body_reg(b, call->sixth), TOY_EXT_COPY);
	toy_put_const(b->code, TOY_T0, call->address);
	toy_put(b->code, TOY_OP_JA, 1, TOY_T0, 0);
	return done(b);
}

/* a4: index, then its slot's address    a5: the limit, then the count    ra: address of the count */
enum jf_status toy_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off)
{
	const struct jf_frame *frame = b->frame;
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE);
	int off = frame->slots[tcc].off_from_cfa - frame->conv->fp_off_from_cfa;
	struct jf_code *code = b->code;
	struct jf_label out = {0};

	(void)op;
	toy_put(code, TOY_OP_EXT, TOY_A4, TOY_A3, TOY_EXT_Z32);
	toy_put(code, TOY_OP_MEM, TOY_A5, TOY_A2, 2);
	toy_put(code, TOY_OP_CMP64, TOY_A4, TOY_A5, JF_COND_GE);
	jf_body_branch_ahead(b, 1 | TOY_FAR, &out);
	put_imm(code, TOY_RA, off);
	toy_put(code, TOY_OP_ALU64, TOY_RA, TOY_FP, JF_ALU_ADD);
	toy_put(code, TOY_OP_LD, TOY_A5, TOY_RA, 0);
	toy_put_imm(code, TOY_OP_LDI, TOY_T0, JF_TAIL_CALLS_MAX);
	toy_put(code, TOY_OP_CMP64, TOY_A5, TOY_T0, JF_COND_GE);
	jf_body_branch_ahead(b, 1 | TOY_FAR, &out);
	toy_put_imm(code, TOY_OP_LDI, TOY_T0, 3);
	toy_put(code, TOY_OP_ALU64, TOY_A4, TOY_T0, JF_ALU_LSH);
	toy_put(code, TOY_OP_ALU64, TOY_A4, TOY_A2, JF_ALU_ADD);
	toy_put(code, TOY_OP_LD, TOY_V0, TOY_A4, offsetof(struct jf_program_array, entries) / 8);
	toy_put_imm(code, TOY_OP_LDI, TOY_T0, 0);
	toy_put(code, TOY_OP_CMP64, TOY_V0, TOY_T0, JF_COND_EQ);
	jf_body_branch_ahead(b, 1 | TOY_FAR, &out);
	toy_put_imm(code, TOY_OP_ADI, TOY_A5, 1);
	toy_put(code, TOY_OP_ST, TOY_A5, TOY_RA, 0);
	toy_emit_tail_exit(code, frame, entry_off);
	jf_body_label(b, &out);
	return done(b);
}
