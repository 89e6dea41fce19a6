/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BODY_H
#define JF_BODY_H

#include <jitframe/code.h>
#include <jitframe/isa.h>
#include <jitframe/program_array.h>

JF_BEGIN_DECLS

/*
 * Between BPF instructions and a backend. Example: `r1 += r2` becomes a struct jf_op with code JF_ALU_ADD; the
 * backend's hook `alu` puts down one machine instruction for it.
 *
 * The core decodes and checks each BPF instruction (RFC 9669), makes a struct jf_op of the instruction, and hands the
 * op to one of the hooks below. The hook puts down machine code through b->code. When a hook is NULL or returns
 * JF_E_UNSUPPORTED, the core refuses the program with the function's name, the instruction's index and opcode.
 *
 * The core may run a hook for an instruction again, at another place. So a hook has no state of its own, and puts down
 * the same code for the same op, frame and distances each time. Code of imm64, call, tail_call and may_goto may depend
 * on the place where the code lies. Of all other code only the distances of branches may.
 */

/* What an arithmetic op computes: dst = dst op operand. RFC 9669, section 4.1, names the operations. */
enum jf_alu {
	JF_ALU_ADD,
	JF_ALU_SUB,
	JF_ALU_MUL,
	JF_ALU_DIV,  /* x / 0 = 0 */
	JF_ALU_SDIV, /* x / 0 = 0, MIN / -1 = MIN */
	JF_ALU_MOD,  /* x % 0 = x; in 32-bit operations the low 32 bits of x, zero-extended */
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

/* Byte orders: dst = dst, swapped where the machine's order is another one. */
enum jf_swap {
	JF_SWAP_TO_LE,
	JF_SWAP_TO_BE,
	JF_SWAP_ALWAYS, /* bswap */
};

/* Atomic operations on *(dst + off), with the operand in src. RFC 9669, section 5.3. */
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

/* One decoded BPF instruction (RFC 9669). Results of 32-bit operations are zero-extended to 64 bits. */
struct jf_op {
	uint32_t index; /* of the instruction in its function */
	uint8_t opcode; /* as encoded, for messages */
	uint8_t code;   /* enum jf_alu, jf_cond, jf_swap or jf_atomic */
	bool is64;      /* true: an operation on 64 bits; false: on the low 32 bits */
	bool is_imm;    /* the second operand. true: imm; false: register src */
	bool sign;      /* sign-extending load or move */
	bool fetch;     /* atomics: the old value goes to src, of CMPXCHG to R0; XCHG and CMPXCHG always have it */
	bool arena;     /* memory access at arena base + register + off (Linux's PROBE_MEM32 modes) */
	/* A 32-bit operation whose upper half nothing reads: it may hold anything. Only where the backend has
	 * skips_dead_uppers. */
	bool upper_dead;
	uint8_t dst; /* BPF register numbers, 0..10 */
	uint8_t src;
	uint8_t bytes;   /* width of the memory access, the swap or the sign-extended part: 1, 2, 4, 8 */
	int16_t off;     /* memory offset, bytes */
	int64_t imm;     /* sign-extended; for imm64 all 64 bits */
	uint32_t target; /* jumps: index of a BPF instruction in this function; insn_count: the epilogue */
};

/*
 * The type of an argument or result of a C function. Examples: int is {4, true}, unsigned int {4, false}, bool
 * {1, false}, a pointer {8, false}. bytes: 1, 2, 4 or 8. All zero is the default, a whole register, and means what
 * 8 bytes mean.
 */
struct jf_c_value {
	uint8_t bytes;
	bool is_signed;
};

/* Whom a call hook calls. */
enum jf_call_kind {
	JF_CALL_C,   /* platform ABI; the result has to be moved to R0 */
	JF_CALL_BPF, /* a function of the same image: R0 and the tail-call count as the convention has them */
};

/* A call, as the hook `call` gets it. */
struct jf_call {
	uint8_t kind;       /* enum jf_call_kind */
	uint8_t stack_args; /* arguments after the fifth that the callee takes; they are where BPF code puts them */
	/* JF_CALL_C: the BPF register that travels as the C function's sixth argument, or JF_REG_NONE. The C function
	 * behind calls through a register (struct jf_program) gets the register in this way. */
	uint8_t sixth;
	uint64_t address; /* run-time address; for JF_CALL_BPF an estimate in the first pass */
	/*
	 * JF_CALL_C: the types of the function: JF_REG_ARGS arguments in registers, then the sixth or the stack_args.
	 * NULL: all are whole registers. JF_CALL_BPF: NULL and all zero.
	 */
	const struct jf_c_value *args;
	struct jf_c_value result;
};

/* What a hook sees. The core fills all fields in; a hook writes through `code` only. */
struct jf_body {
	struct jf_code *code;
	const struct jf_frame *frame;
	struct jf_body_state *state;    /* the core's own: use the calls below */
	uint32_t index;                 /* BPF instruction being emitted */
	bool atomic_insns;              /* as in struct jf_compile_opts */
	uint8_t reg[JF_BPF_REG__COUNT]; /* what jf_body_reg() gives */
	struct jf_places *places;       /* of jf_body_init(): where jumps go */
};

/* The forms of a branch are counted from 0, the shortest, up to this. */
#define JF_BRANCH_FORMS_MAX 4

/* The hooks of a backend: each puts down the code of one kind of op. */
struct jf_body_ops {
	enum jf_status (*alu)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*swap)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*imm64)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*load)(struct jf_body *b, const struct jf_op *op);  /* dst = *(src + off) */
	enum jf_status (*store)(struct jf_body *b, const struct jf_op *op); /* *(dst + off) = src or imm */
	/* The same, unsigned and of a register: what follows in the program happens behind load_acquire, what comes
	 * before in front of store_release. On a machine where each load and store is so, the two hooks above. */
	enum jf_status (*load_acquire)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*store_release)(struct jf_body *b, const struct jf_op *op);
	/* JF_ATOMIC_ADD to JF_ATOMIC_CMPXCHG, on 4 or 8 bytes at dst + off. */
	enum jf_status (*atomic)(struct jf_body *b, const struct jf_op *op);
	enum jf_status (*jump)(struct jf_body *b, const struct jf_op *op); /* conditional */
	enum jf_status (*jump_always)(struct jf_body *b, const struct jf_op *op);
	/*
	 * Writes a branch. Mandatory with jump, jump_always or may_goto. Example, of an architecture whose conditional
	 * branches reach 128 KiB: form 0 is the branch, form 1 is the opposite branch over a jump.
	 * in:  `at`: room for the bytes of the form, which may be in the midst of code: the hook writes no others;
	 *      `branch`: what jf_body_branch() was given, in the backend's own terms: an instruction word, for example;
	 *      `distance`: bytes from `at` to the target; `form`: below JF_BRANCH_FORMS_MAX. A form of one kind of
	 *      branch always has one length.
	 * returns: the length in bytes. 0, with nothing written, when the form does not reach so far, and when the
	 *      branch has no such form. A branch that has a form reaches the distance 0 with it.
	 */
	unsigned int (*put_branch)(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form);
	/* A call. For C see jf_body_pass_to_c() and jf_body_take_result(). */
	enum jf_status (*call)(struct jf_body *b, const struct jf_op *op, const struct jf_call *call);
	/*
	 * Tail call. R2 = address of a struct jf_program_array, R3 = index, of which the low 32 bits count. Jumps to
	 * the program in the slot. Goes on behind this instruction when the index is beyond the array, the slot is
	 * empty, or JF_TAIL_CALLS_MAX tail calls have been made. Only a tail call that happens is counted. `entry_off`
	 * as for emit_tail_exit.
	 */
	enum jf_status (*tail_call)(struct jf_body *b, const struct jf_op *op, uint32_t entry_off);
	/*
	 * Casts an arena pointer to the address that user space sees. Example: src = 0x1000, op->imm = 0x7f0000000000:
	 * dst = 0x7f0000001000. The low 32 bits of dst are those of src, the upper half is that of op->imm (the arena's
	 * user address); 0 in the low 32 bits gives NULL. A cast to the arena's own form comes as a 32-bit MOV. Source:
	 * addr_space_cast in Linux's JITs.
	 */
	enum jf_status (*cast_user)(struct jf_body *b, const struct jf_op *op);
	/* Per-CPU address: dst = src + base. Base: the processor's per-CPU base in `linux` conventions, the thread
	 * pointer in `user` conventions. */
	enum jf_status (*per_cpu)(struct jf_body *b, const struct jf_op *op);
	/*
	 * Timed may_goto. The 64-bit count lies at R10 + op->imm, the start time 8 bytes above. The code does this:
	 *
	 *     AX = count; if AX == 0 goto op->target
	 *     AX -= 1;    if AX == 0 { AX = R10 + op->imm; call stub; }      the stub gives the new count in AX,
	 *     count = AX                                                     0 when the time is up
	 *
	 * The stub follows a convention of its own: it keeps every BPF register but AX (R18).
	 */
	enum jf_status (*may_goto)(struct jf_body *b, const struct jf_op *op, uint64_t stub);
	/*
	 * dst = the low value.bytes bytes of src, extended by value's sign. `bytes` is 8, or 4 when what is above 4
	 * bytes does not matter. Of a value of 0 or 8 bytes: a move. Mandatory with call.
	 */
	void (*extend)(struct jf_code *code, uint8_t dst, uint8_t src, struct jf_c_value value, uint8_t bytes);
};

/* Branches that have forms of their own. */
enum jf_branch_kind {
	JF_BRANCH_IF,     /* of jump and may_goto */
	JF_BRANCH_ALWAYS, /* of jump_always */
	JF_BRANCH__COUNT
};

/*
 * Puts down a branch to the code of BPF instruction `target`: in the hooks jump, jump_always and may_goto, at most once
 * in the code of one instruction, and with op->target. `branch` is handed on to put_branch.
 *
 * The branch gets the first form that reaches. In the first pass the core does not know how far it is to later
 * instructions, and takes the first form that the branch has. Without struct jf_branches, passes over the whole program
 * follow until no branch gets another form and no code moves.
 *
 * With struct jf_branches, all branches of the first pass have the first form. Behind each function the core finds the
 * shortest forms with which every branch reaches its target. Then the core moves code apart to make room for the longer
 * forms, puts distances in, and runs those hooks again whose code depends on the place of the code. When such a hook
 * now puts down code of another size, passes follow as above.
 *
 * Fails with JF_E_RANGE when no form reaches.
 */
JF_API void jf_body_branch(struct jf_body *b, enum jf_branch_kind kind, uint32_t branch, uint32_t target);

/*
 * A place further on in the code of the same BPF instruction, where branches go to. Starts as {0}. Example:
 *
 *     struct jf_label skip = {0};
 *
 *     jf_body_branch_ahead(b, IF_NOT_EQUAL, &skip);
 *     ...
 *     jf_body_label(b, &skip);
 *
 * Between the two there is no jf_body_branch(), which might grow later.
 */
#define JF_LABEL_BRANCHES_MAX 4
struct jf_label {
	/* Private: code offset of each branch, what put_branch gets, and the form. */
	struct jf_label_branch {
		size_t at;
		uint32_t branch;
		uint8_t form;
	} branches[JF_LABEL_BRANCHES_MAX];
	unsigned int count;
};
/* Puts down a branch to the label, in the first form that the branch has. Fails with JF_E_UNSUPPORTED at the fifth
 * branch to one label. */
JF_API void jf_body_branch_ahead(struct jf_body *b, uint32_t branch, struct jf_label *label);
/* Says that the label is here. Fails with JF_E_RANGE when some branch does not reach so far. */
JF_API void jf_body_label(struct jf_body *b, const struct jf_label *label);

/*
 * What a call hook does in front of a call of C: brings arguments after the fifth from where BPF code has put them to
 * where C looks for them, and extends arguments as struct jf_c_args of the backend says. Arguments that stay where they
 * are on the stack stay as they are.
 * returns: as the hooks load, store and alu; JF_E_UNSUPPORTED for an argument that would have to move from a register.
 */
JF_API JF_CHECK enum jf_status jf_body_pass_to_c(struct jf_body *b, const struct jf_call *call);
/* And behind the call: R0 = the result, extended from its type to 64 bits. */
JF_API void jf_body_take_result(struct jf_body *b, const struct jf_call *call);

/*
 * Says that the machine instructions from code offset `start` (code->size before the first of them) up to here may
 * fault, and what the fault does: BPF register `dst` becomes 0 (JF_REG_NONE: no register changes) and the program goes
 * on here. The core says so of the whole code of each access with op->arena: a fault makes the loaded register 0, and
 * the program goes on behind the code. So until the last instruction that may fault no other register has changed. A
 * hook calls this itself when the program has to go on before the end of the code; the core then adds nothing.
 */
JF_API void jf_body_may_fault(struct jf_body *b, size_t start, uint8_t dst);

/* ---- bodies that are not BPF (function.h) ------------------------------------------------------------------- */

/*
 * Instructions of any architecture for a JIT that has no encoders of its own. Example, R0 = R1 + R2, or 0 when R1 is 0:
 *
 *     const struct jf_body_ops *ops = &frame.conv->backend->body;
 *     uint32_t off[1];                                    // place 0: the end
 *     struct jf_pending pending[4];
 *     struct jf_places places = {off, 1, pending, 4};
 *
 *     jf_body_init(&body, &code, &places);
 *     jf_body_op(&body, ops->alu, &(struct jf_op){.code = JF_ALU_MOV, .is64 = true, .dst = 0, .src = 1});
 *     jf_body_op(&body, ops->jump,
 *                &(struct jf_op){.code = JF_COND_EQ, .is64 = true, .is_imm = true, .dst = 1, .target = 0});
 *     jf_body_op(&body, ops->alu, &(struct jf_op){.code = JF_ALU_ADD, .is64 = true, .dst = 0, .src = 2});
 *     jf_body_place(&body, 0);
 *     jf_body_end(&body);
 *
 * Registers are named as BPF's: R0 the result, R1 to R5 arguments that calls overwrite, R6 to R9 kept by calls, R10 the
 * frame's stack. The frame's spec says which of R6 to R9 the body uses, and whether it uses the stack.
 */

/* A branch whose place has not come yet. Private. */
struct jf_pending {
	size_t at;
	uint32_t branch;
	uint32_t place;
	uint8_t form;
};

/* Where the jumps of one body go: op->target counts places from 0. */
struct jf_places {
	uint32_t *off; /* off[count]: bytes from the function's start; the library fills them in */
	uint32_t count;
	struct jf_pending *pending; /* pending[capacity]: as many as jumps at a time wait for their places */
	uint32_t capacity;
	uint32_t pending_count; /* 0 at first */
};

/*
 * Begins a body behind jf_function_begin().
 * in:  places: NULL for a body without jumps. owns: both structs, and what `places` refers to, stay the caller's and
 *      must outlive the body. Failures are the code's. threads: as for struct jf_code.
 */
JF_API void jf_body_init(struct jf_body *b, struct jf_code *code, struct jf_places *places);
/*
 * Runs one of the hooks alu, swap, imm64, load, store, load_acquire, store_release, atomic, jump and jump_always of
 * struct jf_body_ops. Fails the code with JF_E_UNSUPPORTED (the hook is NULL, or the op is of an arena), JF_E_INVAL (a
 * register above R10, or a target that is no place), and as the hook does. op->index and op->opcode do not matter.
 */
JF_API void jf_body_op(struct jf_body *b, enum jf_status (*hook)(struct jf_body *b, const struct jf_op *op),
		       const struct jf_op *op);
/*
 * Calls a C function, or generated code of the frame's convention. Example: R0 = f(R1, R2), f being C:
 *
 *     jf_body_call(&body, &(struct jf_call){.kind = JF_CALL_C, .sixth = JF_REG_NONE, .address = (uintptr_t)f});
 *
 * Fails the code with JF_E_UNSUPPORTED for C where the convention goes through call stubs, and as the hook does.
 */
JF_API void jf_body_call(struct jf_body *b, const struct jf_call *call);
/* Place number `place` is here. Fails the code with JF_E_INVAL (no such place, or its second time) and JF_E_RANGE (a
 * branch does not reach so far). */
JF_API void jf_body_place(struct jf_body *b, uint32_t place);
/* Ends the body. Fails the code with JF_E_NOT_FOUND when a jump's place has not come. */
JF_API void jf_body_end(struct jf_body *b);

/* The register id that BPF register `bpf` (0 to JF_BPF_REG__COUNT - 1) lives in, under this frame's convention and
 * private stack. */
static inline uint8_t jf_body_reg(const struct jf_body *b, unsigned int bpf)
{
	return b->reg[bpf];
}

JF_END_DECLS

#endif
