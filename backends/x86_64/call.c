/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls, tail calls, and the arguments after the fifth. */
#include "insn.h"

/* The place of a private stack's pointer over a call: R9 is the callee's. */
static void keep_private_stack(struct jf_body *b, bool before)
{
	const struct jf_frame *frame = b->frame;
	unsigned int reg = frame->conv->bpf_fp_private;

	if (!frame->spec.private_stack)
		return;
	if (frame->conv->backend_flags & X86_64_LINUX_FORMS) {
		if (before)
			emit_push(b->code, reg);
		else
			emit_pop(b->code, reg);
	} else if (!before) {
		const struct jf_slot *slot = &frame->slots[jf_frame_slot(frame, JF_SLOT_SPILL, reg)];

		emit_load(b->code, 8, false, reg, at(RBP, fp_off(frame, slot)));
	}
}

/* RAX = tcc_ptr: the callee's prologue wants it, and so does a tail call. */
static void load_tail_calls(struct jf_body *b)
{
	const struct jf_frame *frame = b->frame;
	const struct jf_slot *slot;

	if (!(frame->needs & JF_WHEN_TAIL_CALLS))
		return;
	slot = &frame->slots[jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE)];
	if (frame->conv->backend_flags & X86_64_LINUX_FORMS)
		emit_load_disp32(b->code, RAX, at(RBP, fp_off(frame, slot)));
	else
		emit_load(b->code, 8, false, RAX, at(RBP, fp_off(frame, slot)));
}

void jf_x86_64_extend(struct jf_code *code, uint8_t dst, uint8_t src, struct jf_c_value value, uint8_t bytes)
{
	if (value.bytes == 0 || value.bytes == 8)
		emit_move(code, dst, src);
	else
		emit_extend(code, value.bytes, value.is_signed, bytes == 8, dst, src);
}

/* Arguments on the stack are where C looks for them; those of 8 and 16 bits are extended there. RAX is free before a
 * call. */
static void extend_on_stack(struct jf_body *b, const struct jf_call *call)
{
	for (unsigned int n = 1; call->args && n <= call->stack_args; n++) {
		struct jf_c_value value = call->args[JF_REG_ARGS + n - 1];
		struct jf_arg_place place = jf_c_arg_place(b->frame->conv->backend, n);

		if (place.reg != JF_REG_NONE || (value.bytes != 1 && value.bytes != 2))
			continue;
		put_mem(b->code, extend_form(value.bytes, value.is_signed, false), RAX, at(RSP, place.off), 0);
		emit_store(b->code, 4, at(RSP, place.off), RAX);
	}
}

/* R0 is the ABI's return register: only a narrow result has to be extended. */
enum jf_status jf_x86_64_call_op(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	enum jf_status status = JF_OK;

	(void)op;
	keep_private_stack(b, true);
	if (call->kind == JF_CALL_BPF) {
		load_tail_calls(b);
		emit_call32(b->code, (int64_t)(call->address - (jf_code_pc(b->code) + 5)));
	} else {
		status = jf_body_pass_to_c(b, call);
		extend_on_stack(b, call);
		jf_x86_64_emit_call(b->code, call->address, RAX);
	}
	jf_body_take_result(b, call);
	keep_private_stack(b, false);
	return status;
}

/* Counts only what happens (K6): bumped once the slot has been found filled. */
enum jf_status jf_x86_64_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off)
{
	struct jf_code *code = b->code;
	unsigned int array = jf_body_reg(b, JF_BPF_R2), index = jf_body_reg(b, JF_BPF_R3);
	struct mem entry = at(array, offsetof(struct jf_program_array, entries));
	struct jf_label out = {0};

	(void)op;
	emit_mov_rr(code, false, index, index);
	emit_alu_rm(code, ALU_CMP, false, index, at(array, offsetof(struct jf_program_array, max_entries)));
	jf_body_branch_ahead(b, JCC8(CC_AE), &out);
	load_tail_calls(b);
	emit_alu_mi(code, ALU_CMP, true, at(RAX, 0), TAIL_CALLS_MAX);
	jf_body_branch_ahead(b, JCC8(CC_AE), &out);
	entry.index = (uint16_t)index;
	entry.scale = 3;
	emit_load(code, 8, false, RCX, entry);
	emit_test_rr(code, true, RCX, RCX);
	jf_body_branch_ahead(b, JCC8(CC_E), &out);
	emit_alu_mi(code, ALU_ADD, true, at(RAX, 0), 1);
	jf_frame_tail_exit(code, b->frame, entry_off);
	jf_body_label(b, &out);
	return JF_OK;
}
