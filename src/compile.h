/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SRC_COMPILE_H
#define JF_SRC_COMPILE_H

#include <jitframe/program.h>

/* Per BPF instruction, in struct jf_unit.flags. */
enum {
	JF_INSN_LONG = 1 << 0,   /* its branch needs the long form */
	JF_INSN_SECOND = 1 << 1, /* second half of a 16-byte instruction: no jump may go here */
	JF_INSN_TARGET = 1 << 2, /* a jump goes here */
};

/* One function while it is being compiled. */
struct jf_unit {
	const struct jf_function *function;
	uint32_t *insn_off; /* insn_count + 1; the last one is the epilogue. From this pass up to the
			     * instruction being emitted, from the pass before after it */
	uint8_t *flags;
};

/* The core's side of struct jf_body: what the calls of body.h answer from. */
struct jf_body_state {
	struct jf_unit *unit;
	int64_t drift; /* how far code has moved at the present instruction since the pass before */
	bool first_pass;
	bool grown;         /* some branch grew in this pass */
	bool looked_ahead;  /* some distance was to code not emitted yet in this pass */
};

/* Register use of a function, from one look at its instructions. */
struct jf_usage {
	uint16_t bpf_regs; /* bit per BPF register named anywhere */
	bool tail_call;
	bool throws; /* calls an import that throws */
	uint32_t calls;
};

/*
 * Checks the form of every instruction (opcode, register numbers, reserved fields, jump targets, ends)
 * and fills unit->flags and *usage. program NULL: what instructions refer to is not looked at.
 * returns: JF_E_BAD_INSN, JF_E_UNSUPPORTED; the error names function, index and opcode.
 */
enum jf_status jf_unit_check(const struct jf_program *program, struct jf_unit *unit, struct jf_usage *usage,
			     struct jf_error *error);

/* Decodes the (checked) instruction at `index`. returns: how many 8-byte units it takes. */
uint32_t jf_insn_decode(const struct jf_insn *insns, uint32_t index, struct jf_op *op);

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
	JF_OP_EXIT,
	JF_OP_BAD,         /* no such instruction */
	JF_OP_UNSUPPORTED, /* valid, not covered */
};
enum jf_op_kind jf_insn_kind(const struct jf_insn *insn);

/* Stack use by unit->flags and code; see jf_function_stack(). */
uint32_t jf_unit_stack(const struct jf_unit *unit, uint32_t max);

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
#define JF_INSN_CLASS(opcode) ((opcode) & 0x07)
#define JF_INSN_SOURCE_X(opcode) (((opcode) & 0x08) != 0)
#define JF_INSN_CODE(opcode) ((opcode) >> 4)
#define JF_INSN_MODE(opcode) ((opcode) & 0xe0)
#define JF_INSN_SIZE(opcode) ((opcode) & 0x18)

enum { JF_MODE_IMM = 0x00, JF_MODE_MEM = 0x60, JF_MODE_MEMSX = 0x80, JF_MODE_ATOMIC = 0xc0 };
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
	static const uint8_t bytes[] = { 4, 2, 1, 8 }; /* W, H, B, DW */

	return bytes[JF_INSN_SIZE(opcode) >> 3];
}

#endif
