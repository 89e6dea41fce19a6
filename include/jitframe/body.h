/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BODY_H
#define JF_BODY_H

#include <jitframe/code.h>

JF_BEGIN_DECLS

/*
 * Between BPF instructions and a backend. The core decodes and checks each BPF instruction (RFC 9669)
 * into a struct jf_op and hands it to one of the backend's hooks below; the hook puts down machine
 * code through b->code. A hook that is NULL, or that returns JF_E_UNSUPPORTED, makes the core refuse
 * the program with the function's name, instruction index and opcode.
 *
 * The core runs all hooks over the program until no branch grows any more, so a hook must put down the
 * same code for the same op, frame and distances each time (no state of its own).
 */

enum jf_alu {
	JF_ALU_ADD,
	JF_ALU_SUB,
	JF_ALU_MUL,
	JF_ALU_DIV, /* x / 0 = 0 */
	JF_ALU_SDIV, /* x / 0 = 0, MIN / -1 = MIN */
	JF_ALU_MOD, /* x % 0 = x (its low 32 bits, zero-extended, in 32-bit operations) */
	JF_ALU_SMOD, /* x % 0 = x, MIN % -1 = 0 */
	JF_ALU_OR,
	JF_ALU_AND,
	JF_ALU_XOR,
	JF_ALU_LSH, /* register shift counts are taken modulo the width */
	JF_ALU_RSH,
	JF_ALU_ARSH,
	JF_ALU_NEG, /* dst = -dst */
	JF_ALU_MOV, /* op->sign: sign-extend op->bytes (1, 2, 4) of src */
	JF_ALU__COUNT
};

enum jf_cond {
	JF_COND_EQ,
	JF_COND_NE,
	JF_COND_GT, /* unsigned */
	JF_COND_GE,
	JF_COND_LT,
	JF_COND_LE,
	JF_COND_SGT,
	JF_COND_SGE,
	JF_COND_SLT,
	JF_COND_SLE,
	JF_COND_SET, /* (dst & operand) != 0 */
	JF_COND__COUNT
};

enum jf_swap {
	JF_SWAP_TO_LE,
	JF_SWAP_TO_BE,
	JF_SWAP_ALWAYS, /* bswap */
};

enum jf_atomic {
	JF_ATOMIC_ADD,
	JF_ATOMIC_OR,
	JF_ATOMIC_AND,
	JF_ATOMIC_XOR,
	JF_ATOMIC_XCHG,
	JF_ATOMIC_CMPXCHG, /* expected and result in R0 */
	JF_ATOMIC_LOAD_ACQ, /* dst = *(src + off) */
	JF_ATOMIC_STORE_REL,
};

/* One decoded BPF instruction. Results of 32-bit operations are zero-extended to 64 bits. */
struct jf_op {
	uint32_t index; /* of the instruction in its function */
	uint8_t opcode; /* as encoded, for messages */
	uint8_t code;   /* enum jf_alu, jf_cond, jf_swap or jf_atomic */
	bool is64;      /* else the operation is on the low 32 bits */
	bool is_imm;    /* the second operand is imm, else register src */
	bool sign;      /* sign-extending load or move */
	bool fetch;     /* atomics: the old value goes to src */
	uint8_t dst;    /* BPF register numbers, 0..10 */
	uint8_t src;
	uint8_t bytes;  /* memory access, swap or sign-extended width: 1, 2, 4, 8 */
	int16_t off;    /* memory offset */
	int64_t imm;    /* sign-extended; for imm64 all 64 bits */
	uint32_t target; /* jumps: BPF instruction index in this function; its count = the epilogue */
};

enum jf_call_kind {
	JF_CALL_C,   /* platform ABI; the result has to be moved to R0 */
	JF_CALL_BPF, /* a function of the same image: R0 and the tail-call count as the convention has them */
};

struct jf_call {
	uint8_t kind; /* enum jf_call_kind */
	uint8_t stack_args; /* outgoing arguments after the fifth */
	uint64_t address; /* run-time address; for JF_CALL_BPF an estimate until the last pass */
};

/* What a hook sees. Filled in by the core; read-only for hooks but for code. */
struct jf_body {
	struct jf_code *code;
	const struct jf_frame *frame;
	struct jf_body_state *state; /* the core's own: use the calls below */
	uint32_t index; /* BPF instruction being emitted */
};

struct jf_body_ops {
	enum jf_status (*alu)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*swap)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*imm64)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*load)(struct jf_body *b, const struct jf_op *op); /* dst = *(src + off) */
	enum jf_status (*store)(struct jf_body *b, const struct jf_op *op); /* *(dst + off) = src or imm */
	enum jf_status (*atomic)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*jump)(struct jf_body *b, const struct jf_op *op); /* conditional */
	enum jf_status (*jump_always)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*call)(struct jf_body *b, const struct jf_op *op, const struct jf_call *call);
	enum jf_status (*tail_call)(struct jf_body *b, const struct jf_op *op);
};

/*
 * Branch sizes. Every branch starts in its short form. A hook asks for the distance in bytes from the
 * place where the next instruction goes to the code of BPF instruction `target`; when the short form
 * cannot reach, it calls jf_body_grow() and puts down the long form, and does so for good: once grown,
 * jf_body_is_long() stays true for that instruction in later passes. In the first pass distances to
 * later instructions are unknown and given as 0.
 */
JF_API int64_t jf_body_distance(const struct jf_body *b, uint32_t target);
JF_API bool jf_body_is_long(const struct jf_body *b);
JF_API void jf_body_grow(struct jf_body *b);

/* Register id that BPF register `bpf` lives in, under this frame's convention and private stack. */
JF_API uint8_t jf_body_reg(const struct jf_body *b, unsigned int bpf);

JF_END_DECLS

#endif
