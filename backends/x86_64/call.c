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

/*
 * Arguments of 8 and 16 bits are extended to 32, and of an argument of 32 bits no callee reads more. The System V ABI
 * says so of bool only ("Parameter Passing", up to 8 bits), GCC's callers extend, and clang's callees count on the
 * extension: clang compiles `int f(signed char x) { return x; }` to `movl %edi, %eax`. RAX is free before a call.
 */
static void extend_argument(struct jf_code *code, struct jf_c_value value, struct jf_arg_place place)
{
	if (value.bytes != 1 && value.bytes != 2)
		return;
	if (place.reg != JF_REG_NONE) {
		emit_extend(code, value.bytes, value.is_signed, false, place.reg, place.reg);
		return;
	}
	put_mem(code, extend_form(value.bytes, value.is_signed, false), RAX, at(RSP, place.off), 0);
	emit_store(code, 4, at(RSP, place.off), RAX);
}

static void extend_arguments(struct jf_body *b, const struct jf_call *call)
{
	const struct jf_backend *backend = b->frame->conv->backend;
	unsigned int more = call->sixth != JF_REG_NONE ? 1 : call->stack_args;

	for (unsigned int i = 0; i < JF_REG_ARGS; i++)
		extend_argument(b->code, call->args[i], (struct jf_arg_place){.reg = backend->args[i]});
	for (unsigned int n = 1; n <= more; n++)
		extend_argument(b->code, call->args[JF_REG_ARGS + n - 1], jf_c_arg_place(backend, n));
}

/* R0 is the ABI's return register: nothing to move. Arguments after the fifth are where arg_put left them,
 * which is where the ABI wants them. */
enum jf_status jf_x86_64_call_op(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	(void)op;
	keep_private_stack(b, true);
	if (call->sixth != JF_REG_NONE)
		emit_move(b->code, jf_c_arg_place(b->frame->conv->backend, 1).reg, operand(b, call->sixth));
	if (call->args)
		extend_arguments(b, call);
	if (call->kind == JF_CALL_BPF) {
		load_tail_calls(b);
		emit_call32(b->code, (int64_t)(call->address - (jf_code_pc(b->code) + 5)));
	} else {
		jf_x86_64_emit_call(b->code, call->address, RAX);
	}
	/* The bits above a narrow result are the callee's to leave as they are. */
	if (call->result.bytes && call->result.bytes != 8)
		emit_extend(b->code, call->result.bytes, call->result.is_signed, true, RAX, RAX);
	keep_private_stack(b, false);
	return JF_OK;
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

enum jf_status jf_x86_64_arg_put(struct jf_body *b, const struct jf_op *op)
{
	struct jf_arg_place to = jf_bpf_arg_place(b->frame->conv, op->code);

	if (to.reg == JF_REG_NONE && op->is_imm)
		jf_x86_64_emit_store_imm(b->code, 8, at(RSP, to.off), op->imm);
	else if (to.reg == JF_REG_NONE)
		emit_store(b->code, 8, at(RSP, to.off), operand(b, op->src));
	else if (op->is_imm)
		jf_x86_64_emit_mov_ri(b->code, to.reg, (uint64_t)op->imm);
	else
		emit_move(b->code, to.reg, operand(b, op->src));
	return JF_OK;
}

enum jf_status jf_x86_64_arg_get(struct jf_body *b, const struct jf_op *op)
{
	const struct jf_convention *conv = b->frame->conv;
	struct jf_arg_place from = jf_bpf_arg_place(conv, op->code);
	unsigned int dst = jf_body_reg(b, op->dst);

	if (from.reg == JF_REG_NONE)
		emit_load(b->code, 8, false, dst, at(RBP, from.off - conv->fp_off_from_cfa));
	else if (b->frame->spec.private_stack)
		return JF_E_UNSUPPORTED; /* its pointer took the argument's place */
	else
		emit_move(b->code, dst, from.reg);
	return JF_OK;
}
