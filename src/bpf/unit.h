/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SRC_COMPILE_H
#define JF_SRC_COMPILE_H

#include <jitframe/program.h>

/* Per BPF instruction, in struct jf_unit.flags. */
enum {
	JF_INSN_LONG = 1 << 0,   /* its branch needs the long form */
	JF_INSN_SECOND = 1 << 1, /* second half of a 16-byte instruction: no jump may go here */
	JF_INSN_TARGET = 1 << 2, /* a jump goes here */
	JF_INSN_ARENA = 1 << 3,  /* accesses memory through an arena pointer */
};

/* One function while it is being compiled. */
struct jf_unit {
	const struct jf_function *function;
	uint32_t *insn_off; /* insn_count + 1; the last one is the epilogue. From this pass up to the
			     * instruction being emitted, from the pass before after it */
	uint8_t *flags;
	bool may_goto;
	bool arena;      /* some instruction has JF_INSN_ARENA */
	uint8_t in_args; /* arguments after the fifth that it takes */
	uint32_t site_start, site_count;
};

/* The core's side of struct jf_body: what the calls of body.h answer from. */
struct jf_body_state {
	struct jf_unit *unit;
	int64_t drift; /* how far code has moved at the present instruction since the pass before */
	bool first_pass;
	bool grown;        /* some branch grew in this pass */
	bool looked_ahead; /* some distance was to code not emitted yet in this pass */
	struct jf_faults *faults;
	struct jf_sites *sites; /* notes distances here instead of giving them; NULL: gives them */
};

/* An instruction whose code depends on where code lies. */
struct jf_site {
	uint32_t index;  /* BPF instruction */
	uint32_t off;    /* of its branch, from the start of the function */
	uint32_t target; /* of its branch: BPF instruction */
	uint8_t extra;   /* bytes that its branch has grown */
	bool is_branch;
	bool is_placed; /* depends on its own place, too, or on another function's */
	bool is_ahead;  /* on a place not known when it was emitted */
};

/* The sites of all functions, in the order of the code. */
struct jf_sites {
	struct jf_site *list;
	uint32_t start; /* first one of the function being emitted */
	uint32_t count;
	uint32_t capacity;
	uint32_t *scratch; /* 3 * capacity + 1, for relax.c */
};

/* The site of the instruction being emitted. returns: NULL when there is no room. */
struct jf_site *jf_site_here(const struct jf_body *b);

/* Faults of all functions of an image, as they are found in one pass. */
struct jf_faults {
	struct jf_fault *list;
	uint32_t count;
	uint32_t capacity;
};

/* Register use of a function, from one look at its instructions. */
struct jf_usage {
	uint16_t bpf_regs; /* bit per BPF register named anywhere */
	bool tail_call;
	bool reaches_tail_call; /* itself, or what it calls or gives the address of */
	bool throws;            /* calls an import that throws */
	bool may_goto;
	bool arena; /* casts or accesses arena pointers */
	bool per_cpu;
	bool calls_register;
	uint8_t late_args; /* bit n: gets argument 5 + n behind a call or an outgoing argument */
	uint8_t in_args;   /* most incoming arguments after the fifth that it gets */
	uint8_t out_args;  /* most outgoing arguments after the fifth that it puts */
	uint32_t calls;
	bool jumps;
	bool wide;         /* 16-byte instructions */
	bool fp_beside;    /* R10 is named by more than loads and stores of other registers by it; if not: */
	int32_t fp_lowest; /* lowest offset of those */
};

/*
 * Checks the form of every instruction (opcode, register numbers, reserved fields, jump targets, ends)
 * and fills unit->flags and *usage. program NULL: what instructions refer to is not looked at.
 * returns: JF_E_BAD_INSN, JF_E_UNSUPPORTED; the error names function, index and opcode.
 */
enum jf_status jf_unit_check(const struct jf_program *program, struct jf_unit *unit, struct jf_usage *usage,
			     struct jf_error *error);

/* What an instruction is, as far as the driver has to tell. */
enum jf_op_kind {
	JF_OP_ALU,
	JF_OP_SWAP,
	JF_OP_IMM64,
	JF_OP_LOAD,
	JF_OP_STORE,
	JF_OP_ATOMIC,
	JF_OP_JUMP,
	JF_OP_JUMP_ALWAYS,
	JF_OP_CALL,
	JF_OP_CALL_REG,
	JF_OP_MAY_GOTO,
	JF_OP_CAST,
	JF_OP_PER_CPU,
	JF_OP_ARG_PUT,
	JF_OP_ARG_GET,
	JF_OP_EXIT,
	JF_OP_BAD,         /* no such instruction */
	JF_OP_UNSUPPORTED, /* valid, not covered */
	JF_OP_SEE_FIELDS,  /* in the table only: the opcode alone does not tell */
	JF_OP__COUNT
};

/*
 * By the byte that holds the register numbers: bit per register named, and what can be said of both. READ: both
 * are registers; SET: dst is not R10, either; IMM: src is 0. FROM_FP: src is R10 and dst is not; TO_FP: dst
 * is R10 and src is not.
 */
extern const uint32_t jf_insn_regs[256];
enum {
	JF_REGS_READ = 1 << 16,
	JF_REGS_SET = 1 << 17,
	JF_REGS_READ_IMM = 1 << 18,
	JF_REGS_SET_IMM = 1 << 19,
	JF_REGS_FROM_FP = 1 << 20,
	JF_REGS_TO_FP = 1 << 21,
};

extern const uint8_t jf_insn_kinds[256]; /* by opcode */
enum jf_op_kind jf_insn_kind_by_fields(const struct jf_insn *insn);

static inline enum jf_op_kind jf_insn_kind(const struct jf_insn *insn)
{
	enum jf_op_kind kind = (enum jf_op_kind)jf_insn_kinds[insn->opcode];

	return kind == JF_OP_SEE_FIELDS ? jf_insn_kind_by_fields(insn) : kind;
}

/*
 * Marks accesses through arena pointers (JF_INSN_ARENA): those whose base register comes from a cast to
 * the arena's form. returns: JF_E_NO_MEMORY.
 */
enum jf_status jf_unit_mark_arena(struct jf_unit *unit);

/* Stack use by unit->flags, *usage and code; see jf_function_stack(). */
uint32_t jf_unit_stack(const struct jf_unit *unit, const struct jf_usage *usage, uint32_t max);

#define JF_HELPER_TAIL_CALL 12

/* BPF opcode fields, RFC 9669 section 3. */
enum {
	JF_CLASS_LD = 0,
	JF_CLASS_LDX = 1,
	JF_CLASS_ST = 2,
	JF_CLASS_STX = 3,
	JF_CLASS_ALU = 4,
	JF_CLASS_JMP = 5,
	JF_CLASS_JMP32 = 6,
	JF_CLASS_ALU64 = 7,
};
#define JF_INSN_CLASS(opcode)    ((opcode)&0x07)
#define JF_INSN_SOURCE_X(opcode) (((opcode)&0x08) != 0)
#define JF_INSN_CODE(opcode)     ((opcode) >> 4)
#define JF_INSN_MODE(opcode)     ((opcode)&0xe0)
#define JF_INSN_SIZE(opcode)     ((opcode)&0x18)

enum { JF_MODE_IMM = 0x00, JF_MODE_MEM = 0x60, JF_MODE_MEMSX = 0x80, JF_MODE_ATOMIC = 0xc0 };
/* Linux's own, for code that a verifier has rewritten: accesses of arena memory. */
enum { JF_MODE_ARENA = 0xa0, JF_MODE_ARENA_SX = 0xc0 /* loads */, JF_MODE_ARENA_ATOMIC = 0xe0 };
/* MOV between registers whose offset field makes it something else. */
enum { JF_MOV_CAST = 1, JF_MOV_PER_CPU = -1 };
enum { JF_CAST_TO_ARENA = 1, JF_CAST_TO_USER = 0x10000 };
#define JF_REG_ARGS 5
#define JF_BPF_ARGS 11 /* the register that stands for arguments after the fifth */
enum { JF_JMP_JA = 0x0, JF_JMP_CALL = 0x8, JF_JMP_EXIT = 0x9, JF_JMP_JCOND = 0xe };
enum { JF_SRC_HELPER = 0, JF_SRC_FUNCTION = 1, JF_SRC_KFUNC = 2 };
enum { JF_SRC_IMM64 = 0, JF_SRC_MAP = 1, JF_SRC_MAP_VALUE = 2, JF_SRC_CODE = 4 };

static inline uint8_t jf_insn_dst(const struct jf_insn *insn)
{
	return insn->regs & 0x0f;
}

static inline uint8_t jf_insn_src(const struct jf_insn *insn)
{
	return insn->regs >> 4;
}

/* Width in bytes of a memory access, from the opcode's size field. */
static inline uint8_t jf_insn_bytes(uint8_t opcode)
{
	static const uint8_t bytes[] = {4, 2, 1, 8}; /* W, H, B, DW */

	return bytes[JF_INSN_SIZE(opcode) >> 3];
}

/* Where a jump or may_goto goes. gotol keeps its distance in imm. */
static inline int64_t jf_jump_target(uint32_t index, const struct jf_insn *insn)
{
	bool in_imm = insn->opcode == (JF_JMP_JA << 4 | JF_CLASS_JMP32);

	return (int64_t)index + 1 + (in_imm ? insn->imm : insn->off);
}

extern const struct jf_op jf_insn_templates[256]; /* by opcode: what it alone says */
uint32_t jf_insn_decode_rest(const struct jf_insn *insn, enum jf_op_kind kind, struct jf_op *op);

/* Decodes the (checked) instruction at `index`, of the kind that jf_insn_kind() gives. returns: how many
 * 8-byte units it takes. */
static inline uint32_t jf_insn_decode(const struct jf_insn *insns, uint32_t index, enum jf_op_kind kind,
				      struct jf_op *op)
{
	const struct jf_insn *insn = &insns[index];

	*op = jf_insn_templates[insn->opcode];
	op->index = index;
	op->opcode = insn->opcode;
	op->dst = jf_insn_dst(insn);
	op->src = jf_insn_src(insn);
	op->off = insn->off;
	op->imm = insn->imm;
	if (kind == JF_OP_LOAD || kind == JF_OP_STORE || (kind == JF_OP_ALU && !op->off))
		return 1;
	return jf_insn_decode_rest(insn, kind, op);
}

#endif
