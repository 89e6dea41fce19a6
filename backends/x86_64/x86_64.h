/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_X86_64_H
#define JF_BACKEND_X86_64_H

/* What the files of this backend share. */
#include "regs.h"

#include <jitframe/backend.h>

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
HIDDEN void jf_x86_64_call_stub(struct jf_code *code, const struct jf_frame *frame, uint64_t target);
HIDDEN bool jf_x86_64_call_stubs(const struct jf_convention *conv);

extern const struct jf_branches jf_x86_64_branches HIDDEN;

/* As jf_decode(). */
HIDDEN enum jf_status jf_x86_64_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect);

/* The hooks of struct jf_body_ops. */
HIDDEN enum jf_status jf_x86_64_alu(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_swap(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_imm64(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_load(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_store(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_atomic(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_jump(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_jump_always(struct jf_body *b, const struct jf_op *op);
HIDDEN unsigned int jf_x86_64_put_branch(uint8_t *at, uint32_t branch, int64_t distance, unsigned int form);
HIDDEN enum jf_status jf_x86_64_call_op(struct jf_body *b, const struct jf_op *op, const struct jf_call *call);
HIDDEN enum jf_status jf_x86_64_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off);
HIDDEN enum jf_status jf_x86_64_cast_user(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_per_cpu(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_may_goto(struct jf_body *b, const struct jf_op *op, uint64_t stub);
HIDDEN enum jf_status jf_x86_64_arg_put(struct jf_body *b, const struct jf_op *op);
HIDDEN enum jf_status jf_x86_64_arg_get(struct jf_body *b, const struct jf_op *op);

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
