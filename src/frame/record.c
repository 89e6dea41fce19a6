/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <jitframe/backend.h>

/* What every frame of a convention has in the same place, from the convention's rules alone. */

#define WORD     8
#define REG_ARGS 5 /* of BPF, in registers (RFC 9669 section 4.3) */

enum jf_status jf_frame_record(const struct jf_convention *conv, struct jf_slot slots[JF_RECORD__COUNT])
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame plain;
	int ra, fp;

	if (!conv || !slots)
		return JF_E_INVAL;
	if (jf_frame_solve(conv, &spec, &plain, NULL) != JF_OK)
		return JF_E_BAD_DESC;
	ra = jf_frame_slot(&plain, JF_SLOT_RETURN, conv->backend->ra);
	fp = jf_frame_slot(&plain, JF_SLOT_SAVE, conv->backend->fp);
	if (ra < 0 || fp < 0)
		return JF_E_BAD_DESC;
	slots[JF_RECORD_RETURN] = plain.slots[ra];
	slots[JF_RECORD_FP] = plain.slots[fp];
	return JF_OK;
}

struct jf_private_stack jf_frame_private_stack(const struct jf_frame *frame)
{
	const struct jf_convention *conv = frame->conv;
	uint32_t guard = conv->private_stack_guard_bytes;
	uint32_t top = guard + jf_round_up(frame->spec.bpf_stack_bytes, conv->bpf_stack_align);

	if (!frame->spec.private_stack)
		return (struct jf_private_stack){0};
	return (struct jf_private_stack){.low_off = guard, .top_off = top, .size_bytes = top + guard};
}

/* With `in_regs` of the arguments after the fifth in registers, the rest a word each from the lowest address up. */
static struct jf_arg_place place(const struct jf_backend *backend, unsigned int in_regs, unsigned int n)
{
	unsigned int reg = REG_ARGS + n - 1;

	if (n <= in_regs && reg < backend->arg_count)
		return (struct jf_arg_place){.reg = backend->args[reg]};
	return (struct jf_arg_place){.reg = JF_REG_NONE, .off = WORD * (int32_t)(n - in_regs - 1)};
}

struct jf_arg_place jf_bpf_arg_place(const struct jf_convention *conv, unsigned int n)
{
	return place(conv->backend, conv->extra_arg_regs, n);
}

struct jf_arg_place jf_c_arg_place(const struct jf_backend *backend, unsigned int n)
{
	return place(backend, backend->arg_count > REG_ARGS ? (unsigned int)backend->arg_count - REG_ARGS : 0, n);
}
