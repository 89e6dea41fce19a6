/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_X86_64_H
#define JF_BACKEND_X86_64_H

/* What the files of this backend share. */
#include "../hooks.h"
#include "regs.h"

/* Tail calls that may follow one another; prologues take larger values for the address of a count. */
#define TAIL_CALLS_MAX JF_TAIL_CALLS_MAX

/* Of no BPF register and of no convention: free inside one BPF instruction. R10 of the machine is
 * BPF's AX, which no BPF instruction names either. */
#define SCRATCH  R11
#define SCRATCH2 R10

/* struct jf_convention.backend_flags: the Linux JIT's fixed-size forms and its patch site. */
#define X86_64_LINUX_FORMS 1

#define HIDDEN   __attribute__((visibility("hidden")))
#define NOINLINE __attribute__((noinline)) /* what a hook's usual way should not carry along */

extern const struct jf_backend jf_x86_64_backend HIDDEN;
extern const struct jf_reg jf_x86_64_regs[REG__COUNT] HIDDEN;
extern const struct jf_orc_format jf_x86_64_orc HIDDEN;
extern const struct jf_signal_frame jf_x86_64_signal_frame HIDDEN;
extern const struct jf_convention jf_x86_64_linux HIDDEN;
extern const struct jf_convention jf_x86_64_user HIDDEN;

extern const struct jf_build_ops jf_x86_64_build HIDDEN;

HIDDEN JF_BACKEND_HOOK(decode) jf_x86_64_decode;
HIDDEN JF_BACKEND_HOOK(emit_call_stub) jf_x86_64_call_stub;
HIDDEN JF_BACKEND_HOOK(call_stubs) jf_x86_64_call_stubs;

HIDDEN JF_OP_HOOK jf_x86_64_alu, jf_x86_64_swap, jf_x86_64_imm64, jf_x86_64_load, jf_x86_64_store, jf_x86_64_atomic,
	jf_x86_64_jump, jf_x86_64_jump_always, jf_x86_64_cast_user, jf_x86_64_per_cpu;
HIDDEN JF_BODY_HOOK(put_branch) jf_x86_64_put_branch;
HIDDEN JF_BODY_HOOK(extend) jf_x86_64_extend;
HIDDEN JF_BODY_HOOK(call) jf_x86_64_call_op;
HIDDEN JF_BODY_HOOK(tail_call) jf_x86_64_tail_call;
HIDDEN JF_BODY_HOOK(may_goto) jf_x86_64_may_goto;

extern const struct jf_branches jf_x86_64_branches HIDDEN;

/* A slot's displacement from the frame pointer register. */
static inline int32_t fp_off(const struct jf_frame *frame, const struct jf_slot *slot)
{
	return slot->off_from_cfa - frame->conv->fp_off_from_cfa;
}

/* R10's value, from the register it lives in. */
static inline int32_t r10_disp(const struct jf_body *b)
{
	if (b->frame->spec.private_stack)
		return 0;
	return b->frame->bpf_fp_off_from_cfa - b->frame->conv->fp_off_from_cfa;
}

/* A 32-bit operation's immediate. */
static inline int64_t narrow(bool w, int64_t imm)
{
	return w ? imm : (int32_t)imm;
}

#endif
