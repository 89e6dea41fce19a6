/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ARM64_H
#define JF_ARM64_H

/*
 * What the files of this backend share. Sources, cited by short name:
 *   Arm ARM   Arm Architecture Reference Manual for A-profile, DDI 0487
 *   AAPCS64   Procedure Call Standard for the Arm 64-bit Architecture
 *   AADWARF64 DWARF for the Arm 64-bit Architecture
 */
#include "../hooks.h"
#include "regs.h"

#include <jitframe/alu.h>

enum jf_arm64_reg {
	JF_ARM64_X0 = JF_ARM64_FIRST_X,
	JF_ARM64_X1,
	JF_ARM64_X2,
	JF_ARM64_X3,
	JF_ARM64_X4,
	JF_ARM64_X5,
	JF_ARM64_X6,
	JF_ARM64_X7,
	JF_ARM64_X8,
	JF_ARM64_X9,
	JF_ARM64_X10,
	JF_ARM64_X11,
	JF_ARM64_X12,
	JF_ARM64_X16 = 16,
	JF_ARM64_X18 = 18,
	JF_ARM64_X19,
	JF_ARM64_X20,
	JF_ARM64_X21,
	JF_ARM64_X22,
	JF_ARM64_X23,
	JF_ARM64_X24,
	JF_ARM64_X25,
	JF_ARM64_X26,
	JF_ARM64_X27,
	JF_ARM64_X28,
	JF_ARM64_X29,
	JF_ARM64_X30,
	JF_ARM64_SP,
	JF_ARM64_D0 = JF_ARM64_FIRST_D,
	JF_ARM64_D8 = JF_ARM64_FIRST_D + 8,
	JF_ARM64_D9,
	JF_ARM64_D10,
	JF_ARM64_D11,
	JF_ARM64_D12,
	JF_ARM64_D13,
	JF_ARM64_D14,
	JF_ARM64_D15,
	JF_ARM64_REG__COUNT = JF_ARM64_FIRST_D + 32
};

/* Field value 31 is sp or the zero register, as the instruction has it (Arm ARM, "Register names"). */
#define JF_ARM64_XZR JF_ARM64_SP

/* Roles that registers have in every convention of this backend. */
enum {
	JF_ARM64_R0 = JF_ARM64_X8,    /* BPF R0: not x0, which is R1 */
	JF_ARM64_TMP = JF_ARM64_X10,  /* scratch, and the target of a tail call */
	JF_ARM64_TMP2 = JF_ARM64_X11, /* addresses */
	JF_ARM64_TMP3 = JF_ARM64_X12,
	JF_ARM64_AX = JF_ARM64_X9,      /* BPF AX */
	JF_ARM64_STATUS = JF_ARM64_X16, /* of exclusive stores */
	JF_ARM64_BPF_FP = JF_ARM64_X25,
	JF_ARM64_COUNT_PTR = JF_ARM64_X26, /* points to the tail-call count in force */
	JF_ARM64_PRIVATE = JF_ARM64_X27,   /* lower end of the private stack */
	JF_ARM64_ARENA = JF_ARM64_X28,
};

/* struct jf_convention.backend_flags */
enum {
	/*
	 * The Linux kernel's environment: each function starts with a patch site, the per-CPU base of
	 * private stacks is in TPIDR_EL1, and a callback takes the count pointer as the throw left it.
	 * Without it: no patch site, the thread pointer TPIDR_EL0, and the callback points it anew.
	 */
	JF_ARM64_KERNEL = 1 << 0,
};

/* Private stacks and BPF stacks are rounded up to this: SP has to be (AAPCS64, "The Stack"). */
#define JF_ARM64_STACK_ALIGN 16

/* Between x27 and x25. */
static inline uint32_t jf_arm64_private_bytes(const struct jf_frame *frame)
{
	struct jf_private_stack stack = jf_frame_private_stack(frame);

	return stack.top_off - stack.low_off;
}

extern const struct jf_backend jf_arm64_backend;

/* regs.c */
extern const struct jf_reg jf_arm64_regs[JF_ARM64_REG__COUNT];

/* signal.c */
extern const struct jf_signal_frame jf_arm64_signal_frame;
#define JF_ARM64_KNOWN_CODE_COUNT 4
extern const struct jf_known_code jf_arm64_known_code[JF_ARM64_KNOWN_CODE_COUNT];

/* frame.c */
#define JF_ARM64_CONVENTION_COUNT 2
extern const struct jf_convention *const jf_arm64_conventions[JF_ARM64_CONVENTION_COUNT];

extern const struct jf_build_ops jf_arm64_build;

JF_BACKEND_HOOK(decode) jf_arm64_decode;

JF_OP_HOOK jf_arm64_alu, jf_arm64_swap, jf_arm64_imm64, jf_arm64_load, jf_arm64_store, jf_arm64_load_acquire,
	jf_arm64_store_release, jf_arm64_atomic, jf_arm64_jump, jf_arm64_jump_always, jf_arm64_cast_user,
	jf_arm64_per_cpu;
JF_BODY_HOOK(put_branch) jf_arm64_put_branch;
JF_BODY_HOOK(extend) jf_arm64_extend;
JF_BODY_HOOK(call) jf_arm64_call;
JF_BODY_HOOK(tail_call) jf_arm64_tail_call;
JF_BODY_HOOK(may_goto) jf_arm64_may_goto;

/* log2 of an immediate that is a power of two, else -1. */
static inline int jf_arm64_imm_log2(const struct jf_op *op)
{
	uint64_t value = jf_alu_constant(op);

	return op->is_imm && value && !(value & (value - 1)) ? __builtin_ctzll(value) : -1;
}

static inline unsigned int jf_arm64_access_shift(const struct jf_op *op)
{
	return (unsigned int)__builtin_ctz(op->bytes);
}

/* alu.c */
/* The second operand: its register; the zero register for 0; otherwise a constant in JF_ARM64_TMP. */
unsigned int jf_arm64_operand(struct jf_body *b, const struct jf_op *op);

/* memory.c */
/* reg = value, by page and offset from the code where that is shorter. */
void jf_arm64_load_address(struct jf_body *b, unsigned int reg, uint64_t value);
/* rt = the 64 bits at base + off, or the other way round; x12 may be written before that. */
void jf_arm64_load_at(struct jf_code *code, unsigned int rt, unsigned int base, int64_t off);
void jf_arm64_store_at(struct jf_code *code, unsigned int rt, unsigned int base, int64_t off);
/* 8 bytes at R10 + off, from or to rt. */
void jf_arm64_load_stack(struct jf_body *b, unsigned int rt, int64_t off);
void jf_arm64_store_stack(struct jf_body *b, unsigned int rt, int64_t off);

/* jump.c */
extern const struct jf_branches jf_arm64_branches;

/* call.c */
/* Calls an address anywhere, by way of JF_ARM64_TMP where BL does not reach. */
void jf_arm64_call_far(struct jf_body *b, uint64_t address);

#endif
