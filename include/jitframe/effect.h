/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_EFFECT_H
#define JF_EFFECT_H

#include <jitframe/export.h>
#include <jitframe/reg.h>
#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/*
 * What one machine instruction does to registers and memory, as far as frames are concerned. A decoder
 * (backends/ARCH/decode.c) gives this answer, and the checker knows nothing else of an architecture's instructions.
 * What a branch or a choice asks is told where a decoder knows; the checker follows both ways of every conditional
 * branch.
 * Sources: the processor manuals that the decoders name.
 */

/*
 * One step. `dst`, `a`, `b` and `c` are register ids or JF_REG_NONE. An ADDRESS is a + (b << shift) + imm. An address
 * without registers is absolute, in another segment, or relative to the instruction: it lies outside of this stack.
 * Registers that the backend's table lacks (flags, most vector registers) are left out.
 */
enum jf_step_kind {
	JF_STEP_MOVE, /* dst = a + imm; without a: dst = imm */
	JF_STEP_ADD,  /* dst = a OP b; without b: dst = a OP imm */
	JF_STEP_SUB,
	JF_STEP_AND,
	JF_STEP_OR,
	JF_STEP_XOR,
	JF_STEP_SHL, /* b or imm = the count */
	JF_STEP_SHR,
	JF_STEP_SAR,
	JF_STEP_INSERT, /* dst = a, with bits [shift, shift + bits) replaced by the low bits of imm */
	JF_STEP_EXTEND, /* dst = the low `bytes` bytes of a, sign- or zero-extended to 64 bits */
	/* dst = `bytes` bytes at ADDRESS, sign- or zero-extended; without dst: to a register that has no id */
	JF_STEP_LOAD,
	JF_STEP_STORE, /* `bytes` bytes at ADDRESS = c; without c: an unknown value */
	/* dst = ADDRESS: lea, for example; without registers imm is an offset from the instruction's first byte */
	JF_STEP_ADDRESS,
	JF_STEP_SIGN, /* dst = a with a pointer-authentication code made with SP */
	JF_STEP_AUTH, /* dst = a without its pointer-authentication code, checked or stripped */
	/*
	 * dst = a where what the instruction asks holds, else b + imm, as a result of `bytes` bytes; a register that
	 * is JF_REG_NONE is 0. An instruction has one such step at most. Where the question is JF_COMPARE_UNKNOWN, dst
	 * is one of the two.
	 */
	JF_STEP_CHOOSE,
	JF_STEP_KILL, /* dst = an unknown value */
	JF_STEP__COUNT
};

/* A step of an instruction: enum jf_step_kind says what the fields mean. Fields that a kind does not name are 0. */
struct jf_step {
	uint8_t kind; /* enum jf_step_kind */
	uint8_t dst, a, b, c;
	/* Width of a memory access, 0: any width. Of ALU steps 4 or 8; `sign` says how a 4-byte result is extended. */
	uint8_t bytes;
	uint8_t shift;
	uint8_t bits;
	bool sign;
	int64_t imm;
};

/* Where control goes behind the last step. */
enum jf_flow {
	JF_FLOW_NEXT,
	JF_FLOW_JUMP,   /* to target_off */
	JF_FLOW_BRANCH, /* to target_off, or on */
	/* To target_off, and back behind this instruction. The return address goes where the backend's `ra` and
	 * `ra_pushed` say; the steps leave the return address out. */
	JF_FLOW_CALL,
	JF_FLOW_CALL_REG, /* as JF_FLOW_CALL, to flow_reg + flow_imm */
	/* To flow_reg + flow_imm. A return is a jump to the return address: on x86_64 the steps pop the address into
	 * the id of the pushed return address (jf_backend.ra). */
	JF_FLOW_JUMP_REG,
	JF_FLOW_CALL_MEM, /* to an address that was read from memory (x86_64: call [mem]) */
	JF_FLOW_JUMP_MEM,
	JF_FLOW_TRAP, /* ends the path: brk, ud2, int3, hlt, a break with a code */
	JF_FLOW__COUNT
};

/*
 * Two numbers that a branch or a choice asks about, or that an instruction leaves in the condition flags for one to
 * ask:
 *
 *     bgeu a, b, there      asks = {WITH, GE, a, b}
 *     cmp a, 33             flags = {WITH, a, imm 33}
 *     ja there              asks = {FLAGS, GT}
 *     cmova c, a            asks = {FLAGS, GT}, and a step: c = CHOOSE a, c
 *
 * Registers count as they are before the instruction's steps.
 */
enum jf_compare_kind {
	JF_COMPARE_UNKNOWN, /* something else */
	JF_COMPARE_FLAGS,   /* what the flags have held before */
	JF_COMPARE_WITH,    /* a, and b or imm */
	JF_COMPARE_AND,     /* a & b or a & imm, and 0; tells nothing of an order without signs */
	JF_COMPARE_TRUTH,   /* 1 or 0, whether a `cond` b or imm, and 0: flags that hold an answer */
	JF_COMPARE__COUNT
};

/* A comparison: enum jf_compare_kind says of what. */
struct jf_compare {
	uint8_t kind;  /* enum jf_compare_kind */
	uint8_t cond;  /* enum jf_cond: the branch is taken, or `a` chosen, when the first number is so to the second */
	uint8_t a, b;  /* register ids; a JF_REG_NONE: 0; b JF_REG_NONE: imm */
	uint8_t bytes; /* 1, 2, 4 or 8: the low ones are compared */
	int64_t imm;
};

enum {
	/* An instruction of known length with unknown steps: it may write any register but SP, and control goes on
	 * behind it. A decoder says this of every instruction that it does not model. */
	JF_EFFECT_UNKNOWN = 1 << 0,
	/* Enters the kernel, or another world: the ABI's caller-saved registers are lost. */
	JF_EFFECT_SYSTEM = 1 << 1,
	/* Marks an indirect entry (BTI, ENDBR64). */
	JF_EFFECT_LANDING_PAD = 1 << 2,
	/* Does nothing but take time. */
	JF_EFFECT_NOP = 1 << 3,
};

/* Steps of one instruction, at most. */
#define JF_EFFECT_STEPS_MAX 6

/* What one instruction does: its steps, one behind the other, and then where control goes. */
struct jf_effect {
	const char *name; /* of the instruction, as the manual spells it; static */
	uint8_t size_bytes;
	uint8_t flow; /* enum jf_flow */
	uint8_t flow_reg;
	uint8_t flags; /* JF_EFFECT_ */
	uint8_t step_count;
	int32_t flow_imm;                          /* bytes */
	int64_t target_off;                        /* bytes from the instruction's first byte */
	struct jf_compare asks;                    /* of JF_FLOW_BRANCH or JF_STEP_CHOOSE */
	struct jf_compare flags_hold;              /* behind the instruction */
	struct jf_step steps[JF_EFFECT_STEPS_MAX]; /* they happen in this order */
};

/*
 * Decodes the instruction at bytes[0]; the call may read bytes[0, count).
 * out: *effect, on JF_OK only.
 * returns: JF_OK; JF_E_NOSPACE (the instruction goes on behind `count`); JF_E_NOT_FOUND (the bytes encode no
 *      instruction of this architecture); JF_E_UNSUPPORTED (the backend has no decoder); JF_E_INVAL (NULL).
 * threads: any, async-signal-safe, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_decode(const struct jf_backend *backend, const uint8_t *bytes, size_t count,
					 struct jf_effect *effect);

JF_END_DECLS

#endif
