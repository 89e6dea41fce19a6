/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_RISCV64_H
#define JF_BACKEND_RISCV64_H

/* What the files of this backend share. */
#include "../hooks.h"
#include "regs.h"

#include <jitframe/backend.h>

/* clang-format off */
#define RV_ENUMERATOR(reg, name, id) reg = id,
enum {
	RV_ZERO = 0,
	RV_RA = RV_ID_RA,
	RV_SP = RV_ID_SP,
	RV_GP = 3,
	RV_TP = 4,
	RV_FREE_INT(RV_ENUMERATOR)
	RV_KEPT_INT(RV_ENUMERATOR)
	RV_F0 = 32,
	RV_FREE_FP(RV_ENUMERATOR)
	RV_KEPT_FP(RV_ENUMERATOR)
};
/* clang-format on */

/* Registers with a duty in all conventions; the others that the body may use freely are t1..t6. */
#define RV_FP          RV_S0
#define RV_TCC         RV_A6 /* how many tail calls are left */
#define RV_TAIL_TARGET RV_T3 /* a tail exit jumps through it */
#define RV_R0          RV_A5 /* BPF R0 */

/* struct jf_convention.backend_flags: where the conventions' code differs. */
enum {
	RV_CONV_PATCH_AREA = 1 << 0, /* begins with two nops, for a patched-in jump */
};

extern const struct jf_backend jf_riscv64_backend;

extern const struct jf_reg jf_riscv64_regs[RV_REG_COUNT];
extern const struct jf_signal_frame jf_riscv64_signal_frame;
#define RV_KNOWN_CODE_COUNT 3
extern const struct jf_known_code jf_riscv64_known_code[RV_KNOWN_CODE_COUNT];
extern const struct jf_convention *const jf_riscv64_conventions[2];

extern const struct jf_build_ops jf_riscv64_build;
extern const struct jf_branches jf_riscv64_branches;

JF_BACKEND_HOOK(decode) jf_riscv64_decode;

JF_OP_HOOK jf_riscv64_alu, jf_riscv64_swap, jf_riscv64_imm64, jf_riscv64_load, jf_riscv64_store,
	jf_riscv64_load_acquire, jf_riscv64_store_release, jf_riscv64_atomic, jf_riscv64_jump, jf_riscv64_jump_always,
	jf_riscv64_cast_user, jf_riscv64_per_cpu;
JF_BODY_HOOK(put_branch) jf_riscv64_put_branch;
JF_BODY_HOOK(extend) jf_riscv64_extend;
JF_BODY_HOOK(call) jf_riscv64_call;
JF_BODY_HOOK(tail_call) jf_riscv64_tail_call;
JF_BODY_HOOK(may_goto) jf_riscv64_may_goto;

/*
 * Calls code at a fixed address. The form is chosen by the distance from the first and the last place in the code, so
 * that it is the same in every pass, whatever moves.
 */
void jf_riscv64_call_address(struct jf_code *code, uint64_t address);

/* The 64 bits at base + off; t1 may be written before that. */
void jf_riscv64_load_at(struct jf_code *code, unsigned int rd, unsigned int base, int64_t off);
void jf_riscv64_store_at(struct jf_code *code, unsigned int rs2, unsigned int base, int64_t off);

/* Register of this frame that holds BPF register `reg`. */
static inline unsigned int rv_bpf(const struct jf_body *b, unsigned int reg)
{
	return jf_body_reg(b, reg);
}

#endif
