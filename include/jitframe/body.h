/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BODY_H
#define JF_BODY_H

#include <jitframe/code.h>
#include <jitframe/isa.h>

JF_BEGIN_DECLS

/*
 * Between BPF instructions and a backend. The core decodes and checks each BPF instruction (RFC 9669)
 * into a struct jf_op and hands it to one of the backend's hooks below; the hook puts down machine
 * code through b->code. A hook that is NULL, or that returns JF_E_UNSUPPORTED, makes the core refuse
 * the program with the function's name, instruction index and opcode.
 *
 * The core may run a hook for an instruction again, at another place, so a hook must put down the same code
 * for the same op, frame and distances each time (no state of its own). Code of imm64, call, tail_call and
 * may_goto may depend on where it lies; all other code must not, but for branches.
 */

enum jf_alu {
	JF_ALU_ADD,
	JF_ALU_SUB,
	JF_ALU_MUL,
	JF_ALU_DIV,  /* x / 0 = 0 */
	JF_ALU_SDIV, /* x / 0 = 0, MIN / -1 = MIN */
	JF_ALU_MOD,  /* x % 0 = x (its low 32 bits, zero-extended, in 32-bit operations) */
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
	JF_ATOMIC_CMPXCHG,  /* expected and result in R0 */
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
	bool arena;     /* memory access at arena base + register + off (PROBE_MEM32 and its kin) */
	uint8_t dst;    /* BPF register numbers, 0..10 */
	uint8_t src;
	uint8_t bytes;   /* memory access, swap or sign-extended width: 1, 2, 4, 8 */
	int16_t off;     /* memory offset */
	int64_t imm;     /* sign-extended; for imm64 all 64 bits */
	uint32_t target; /* jumps: BPF instruction index in this function; its count = the epilogue */
};

enum jf_call_kind {
	JF_CALL_C,   /* platform ABI; the result has to be moved to R0 */
	JF_CALL_BPF, /* a function of the same image: R0 and the tail-call count as the convention has them */
};

struct jf_call {
	uint8_t kind;       /* enum jf_call_kind */
	uint8_t stack_args; /* arguments after the fifth that the callee takes: put by arg_put before */
	/* JF_CALL_C: the BPF register that travels as the C function's sixth argument, or JF_REG_NONE. A
	 * call through a register goes to a C function that gets the register so. */
	uint8_t sixth;
	uint64_t address; /* run-time address; for JF_CALL_BPF an estimate at first */
};

/* What a hook sees. Filled in by the core; read-only for hooks but for code. */
struct jf_body {
	struct jf_code *code;
	const struct jf_frame *frame;
	struct jf_body_state *state;    /* the core's own: use the calls below */
	uint32_t index;                 /* BPF instruction being emitted */
	bool atomic_insns;              /* as in struct jf_compile_opts */
	uint8_t reg[JF_BPF_REG__COUNT]; /* what jf_body_reg() gives */
};

struct jf_body_ops {
	enum jf_status (*alu)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*swap)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*imm64)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*load)(struct jf_body *b, const struct jf_op *op);  /* dst = *(src + off) */
	enum jf_status (*store)(struct jf_body *b, const struct jf_op *op); /* *(dst + off) = src or imm */
	enum jf_status (*atomic)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*jump)(struct jf_body *b, const struct jf_op *op); /* conditional */
	enum jf_status (*jump_always)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*call)(struct jf_body *b, const struct jf_op *op, const struct jf_call *call);
	/*
	 * R2 = struct jf_program_array, R3 = index (its low 32 bits): jumps to the program there, or goes on
	 * behind this instruction when the index is beyond the array, the slot is empty or JF_TAIL_CALLS_MAX
	 * tail calls have been made; only a tail call that happens is counted. `entry_off` as for
	 * emit_tail_exit.
	 */
	enum jf_status (*tail_call)(struct jf_body *b, const struct jf_op *op, uint32_t entry_off);
	/*
	 * Address-space cast of an arena pointer to what user space sees: dst = the low 32 bits of src, with
	 * the upper half of op->imm (the arena's user address) above them; NULL stays NULL (K18). A cast to
	 * the arena's own form is a 32-bit MOV and comes as one.
	 */
	enum jf_status (*cast_user)(struct jf_body *b, const struct jf_op *op);
	/* Per-CPU address: dst = src + this processor's base (`linux`), + the thread pointer (`user`). */
	enum jf_status (*per_cpu)(struct jf_body *b, const struct jf_op *op);
	/*
	 * Timed may_goto. The 64-bit count lies at R10 + op->imm, the start time 8 bytes above. Loads the
	 * count into AX; when it is 0, goes to op->target; else takes 1 off, and when that makes 0, calls the
	 * stub at `stub` with AX = R10 + op->imm, which gives the count anew in AX (0 = time is up); stores
	 * AX as the count. The stub follows a convention of its own: it keeps every BPF register but AX (R18).
	 */
	enum jf_status (*may_goto)(struct jf_body *b, const struct jf_op *op, uint64_t stub);
	/*
	 * Arguments after the fifth, which BPF code addresses from R11: op->code is 1 for the sixth and so
	 * on. put: outgoing argument = src or imm; get: dst = incoming argument.
	 */
	enum jf_status (*arg_put)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*arg_get)(struct jf_body *b, const struct jf_op *op);
};

#define JF_TAIL_CALLS_MAX 33

/*
 * A program array as tail calls read it. entries[i] is the address of a main program's first byte, 0
 * when the slot is empty; it may change at any time. All programs of one array have the convention and
 * the hardening options of the array, so that one tail-call entry offset serves for all (R16).
 */
struct jf_program_array {
	uint32_t max_entries;
	uint32_t hardening;               /* of its programs: bit 0 landing pads, bit 1 signed returns */
	const struct jf_convention *conv; /* of its programs; NULL as long as there has been none */
	uint64_t entries[];
};

/*
 * Branch sizes. Every branch starts in its short form. A hook asks for the distance in bytes from the
 * place where the next instruction goes to the code of BPF instruction `target`; when the short form
 * cannot reach, it calls jf_body_grow() and puts down the long form, and does so for good: once grown,
 * jf_body_is_long() stays true for that instruction.
 *
 * In the first pass distances to later instructions are unknown and given as 0. Without struct
 * jf_branches, passes over the whole program follow until no branch grows and nothing moves.
 *
 * With struct jf_branches all distances are given as 0 in the first pass. Behind each function the core
 * finds the smallest set of long branches with which every short one reaches its target, moves code apart to
 * make room for them, puts distances in, and runs once more the hooks whose code depends on where it lies.
 * Should one of those put down code of another size now, passes follow as above.
 */
JF_API int64_t jf_body_distance(const struct jf_body *b, uint32_t target);
JF_API bool jf_body_is_long(const struct jf_body *b);
JF_API void jf_body_grow(struct jf_body *b);

/*
 * Says that the machine instructions from code offset `start` (code->size before the first of them) up
 * to here may fault and what the fault does: the BPF register `dst` becomes 0 (JF_REG_NONE: none does)
 * and the program goes on here (K17). For accesses with op->arena.
 */
JF_API void jf_body_may_fault(struct jf_body *b, size_t start, uint8_t dst);

/* Register id that BPF register `bpf` lives in, under this frame's convention and private stack. */
static inline uint8_t jf_body_reg(const struct jf_body *b, unsigned int bpf)
{
	return b->reg[bpf];
}

JF_END_DECLS

#endif
