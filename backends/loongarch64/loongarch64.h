/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_LOONGARCH64_H
#define JF_BACKEND_LOONGARCH64_H

/* What the files of this backend share. */
#include "../hooks.h"
#include "regs.h"

/* clang-format off */
#define LA_ENUMERATOR(reg, name, id) reg = id,
enum {
	LA_ZERO = 0,
	LA_RA = LA_ID_RA,
	LA_TP = 2,
	LA_SP = LA_ID_SP,
	LA_FREE_INT(LA_ENUMERATOR)
	LA_R21 = 21, /* reserved by the psABI; Linux keeps the per-CPU base there */
	LA_KEPT_INT(LA_ENUMERATOR)
	LA_F0 = 32,
	LA_FREE_FP(LA_ENUMERATOR)
	LA_KEPT_FP(LA_ENUMERATOR)
};
/* clang-format on */

/* Registers with a duty in all conventions; the others that the body may use freely are t1..t8. */
#define LA_TCC         LA_A6 /* tail-call count, or the address of the one in force */
#define LA_TAIL_TARGET LA_T3 /* a tail exit jumps through it */
#define LA_R0          LA_A5 /* BPF R0 */

/* struct jf_convention.backend_flags: where the conventions' code differs. */
enum {
	LA_CONV_PATCH_AREA = 1 << 0,    /* begins with room for a patched-in jump: move t0,ra and five nops */
	LA_CONV_BRANCHY_COUNT = 1 << 1, /* the count block before Linux 7.3; the epilogue loads tcc_ptr too */
	LA_CONV_PERCPU = 1 << 2,        /* per-CPU addresses and private stacks go by $r21, else by $tp */
};

extern const struct jf_backend jf_loongarch64_backend;

extern const struct jf_reg jf_loongarch64_regs[LA_REG_COUNT];
extern const struct jf_branches jf_loongarch64_branches;
extern const struct jf_orc_format jf_loongarch64_orc;
extern const struct jf_signal_frame jf_loongarch64_signal_frame;
#define LA_KNOWN_CODE_COUNT 3
extern const struct jf_known_code jf_loongarch64_known_code[LA_KNOWN_CODE_COUNT];
extern const struct jf_convention *const jf_loongarch64_conventions[3];

extern const struct jf_build_ops jf_loongarch64_build;

JF_BACKEND_HOOK(decode) jf_loongarch64_decode;

JF_OP_HOOK jf_loongarch64_alu, jf_loongarch64_swap, jf_loongarch64_imm64, jf_loongarch64_load, jf_loongarch64_store,
	jf_loongarch64_load_acquire, jf_loongarch64_store_release, jf_loongarch64_atomic, jf_loongarch64_jump,
	jf_loongarch64_jump_always, jf_loongarch64_cast_user, jf_loongarch64_per_cpu;
JF_BODY_HOOK(put_branch) jf_loongarch64_put_branch;
JF_BODY_HOOK(extend) jf_loongarch64_extend;
JF_BODY_HOOK(call) jf_loongarch64_call;
JF_BODY_HOOK(tail_call) jf_loongarch64_tail_call;
JF_BODY_HOOK(may_goto) jf_loongarch64_may_goto;

/*
 * Calls code at a fixed address; t1 may be written. The form is chosen by the distance from the first and
 * the last place in the code, so that it is the same in every pass, whatever moves.
 */
void jf_loongarch64_call_address(struct jf_code *code, uint64_t address);

/* rd = the 64 bits at base + off; t1 may be written before that. */
void jf_loongarch64_load_at(struct jf_code *code, unsigned int rd, unsigned int base, int64_t off);

/* What per-CPU addresses and private stacks are relative to. */
static inline unsigned int la_cpu_base(const struct jf_frame *frame)
{
	return frame->conv->backend_flags & LA_CONV_PERCPU ? LA_R21 : LA_TP;
}

/* Register of this frame that holds BPF register `reg`. */
static inline unsigned int la_bpf(const struct jf_body *b, unsigned int reg)
{
	return jf_body_reg(b, reg);
}

/* Whether the ones in `value` are neighbours: value's bits msb..lsb and no others. */
static inline bool la_one_run(uint64_t value, unsigned int *msb, unsigned int *lsb)
{
	if (!value)
		return false;
	*lsb = (unsigned int)__builtin_ctzll(value);
	*msb = 63 - (unsigned int)__builtin_clzll(value);
	return value >> *lsb == UINT64_MAX >> (63 - *msb + *lsb);
}

#endif
