/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ALU_H
#define JF_ALU_H

#include <jitframe/body.h>

JF_BEGIN_DECLS

/*
 * Arithmetic by tables, for the hook `alu` of a backend. Example: on a machine of three-operand instructions the hook
 * is one call of jf_alu_by_forms(), and the backend states which instruction each operation is, which constants fit
 * into an instruction, and what the machine does otherwise.
 */

/* The constant of an operation as the operation sees it: 64 bits, or the low 32 bits zero-extended. */
static inline uint64_t jf_alu_constant(const struct jf_op *op)
{
	return op->is64 ? (uint64_t)op->imm : (uint32_t)op->imm;
}

/*
 * Finds another operation with the same result as a multiplication, division or remainder by 0, 1, -1 or a power of
 * two. Examples: r1 *= 8 is r1 <<= 3; r1 s/= -1 is r1 = -r1; w1 %= 0 is w1 = w1, which clears the upper half.
 * out: *cheaper on true only: a MOV of a constant or of dst itself, a NEG, or an LSH, RSH or AND with a constant.
 * returns: false when there is none, and for all other operations. threads: any.
 */
JF_API bool jf_alu_cheaper(const struct jf_op *op, struct jf_op *cheaper);

/* The instructions of one operation: [0] on 32 bits, [1] on 64. 0: the machine has none. */
struct jf_alu_form {
	uint32_t reg[2]; /* dst = a op b */
	uint32_t imm[2]; /* dst = a op constant, from min to max; shifts: the count, 0 to width - 1 */
	int16_t min, max;
};

/*
 * How a machine computes. Constants of 32-bit operations are sign-extended, or zero-extended where zero_extend is NULL.
 * All members are mandatory whose comments do not say otherwise. owns: const and static.
 */
struct jf_alu_forms {
	/* By operation. SUB needs no `imm`: a constant is added. NEG is dst = `zero` - dst, by its `reg`; mandatory. */
	struct jf_alu_form ops[JF_ALU__COUNT];
	unsigned int zero; /* the register that is always 0 */
	unsigned int temp; /* holds a constant that fits into no instruction */
	void (*put_reg)(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, unsigned int b);
	/* Optional where no operation has `imm`. */
	void (*put_imm)(struct jf_code *code, uint32_t insn, unsigned int dst, unsigned int a, int64_t imm);
	/* reg = value */
	void (*put_constant)(struct jf_code *code, unsigned int reg, uint64_t value);
	/* dst = low 32 bits of src, zero-extended: behind 32-bit operations. NULL: the machine's do so themselves. */
	void (*zero_extend)(struct jf_code *code, unsigned int dst, unsigned int src);
	/* Optional: a shorter way for dst op= constant; does all, zero-extension too. Not for MOV. returns: false when
	 * there is none, with nothing put down. */
	bool (*shortcut)(struct jf_body *b, const struct jf_op *op, unsigned int dst);
	/* Operations without `reg`: dst op= src, and zero-extends. MOV is of registers, and may sign-extend. A divisor
	 * that was a constant (op->is_imm) is neither 0 nor 1, and no -1 where the division is signed. */
	enum jf_status (*other)(struct jf_body *b, const struct jf_op *op, unsigned int dst, unsigned int src);
};

/* The part of jf_alu_by_forms() that is not inline: operations with a constant, and NEG. returns, threads: the same. */
JF_API enum jf_status jf_alu_by_constant(struct jf_body *b, const struct jf_op *op, const struct jf_alu_forms *forms);

/*
 * The hook `alu`, by tables: jf_alu_cheaper(), then `shortcut`, then `imm`, then `reg` with the constant in `temp`,
 * then `other`. Inline for what is commonest: with `forms` a constant, the compiler sees through the pointers.
 * returns: JF_E_UNSUPPORTED (no such operation), or as `other`. threads: any.
 */
static inline enum jf_status jf_alu_by_forms(struct jf_body *b, const struct jf_op *op,
					     const struct jf_alu_forms *forms)
{
	unsigned int dst = jf_body_reg(b, op->dst), src = jf_body_reg(b, op->src);
	uint32_t insn;

	if (op->is_imm || op->code == JF_ALU_NEG || op->code >= JF_ALU__COUNT)
		return jf_alu_by_constant(b, op, forms);
	insn = forms->ops[op->code].reg[op->is64];
	if (!insn)
		return forms->other(b, op, dst, src);
	forms->put_reg(b->code, insn, dst, dst, src);
	if (!op->is64 && !op->upper_dead && forms->zero_extend)
		forms->zero_extend(b->code, dst, dst);
	return JF_OK;
}

JF_END_DECLS

#endif
