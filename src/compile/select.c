/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/arguments.h"
#include "compile/compiler.h"

/* From a decoded instruction to the backend's hook, with the addresses that it refers to. */

static uint64_t function_address(struct jf_compiler *c, uint32_t index)
{
	/* In the first pass functions further on have no place yet: here is as good as any. */
	if (index >= c->placed_count) {
		c->is_ahead = true;
		return jf_code_pc(&c->code);
	}
	return c->image->shown.address + c->image->functions[index].shown.start;
}

/* A call of C: directly, or through the import's stub (0: there is none). */
static struct jf_call call_of_c(struct jf_compiler *c, const struct jf_import *import, uint32_t stub)
{
	return (struct jf_call){
		.kind = JF_CALL_C,
		.sixth = JF_REG_NONE,
		.address = stub ? function_address(c, stub) : import->address,
		.args = import->args,
		.result = import->result,
	};
}

/* Where pads are called, what R6-R9 and the arena's register hold has to be in memory when the frame throws. */
static void put_throw_site(struct jf_body *b)
{
	const struct jf_frame *frame = b->frame;
	const struct jf_backend *backend = frame->conv->backend;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (frame->slots[i].kind == JF_SLOT_THROW)
			backend->build->store(b->code, frame->slots[i].reg, backend->fp,
					      frame->slots[i].off_from_cfa - frame->conv->fp_off_from_cfa);
}

/* A call of C. The resume of a pad that was called is no call: it goes back to the unwinder. */
static enum jf_status emit_c_call(struct jf_body *b, const struct jf_op *op, const struct jf_import *import,
				  const struct jf_call *call)
{
	const struct jf_backend *backend = b->frame->conv->backend;

	if (jf_frame_calls_pads(b->frame) && import->resumes) {
		backend->build->go_back(b->code, b->frame);
		return JF_OK;
	}
	if (import->throws)
		put_throw_site(b);
	return backend->body.call ? backend->body.call(b, op, call) : JF_E_UNSUPPORTED;
}

static enum jf_status emit_tail_call(struct jf_compiler *c, struct jf_body *b, const struct jf_op *op)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;
	uint32_t entry_off;
	enum jf_status status = jf_tail_entry_off(c->conv, &b->frame->spec, &entry_off);

	if (!ops->tail_call || b->frame->spec.role == JF_ROLE_CALLBACK)
		return JF_E_UNSUPPORTED;
	return status == JF_OK ? ops->tail_call(b, op, entry_off) : status;
}

static enum jf_status emit_call_register(struct jf_compiler *c, struct jf_body *b, const struct jf_op *op)
{
	struct jf_call call = call_of_c(c, &c->program->call_register, c->register_stub);

	call.sixth = op->imm ? (uint8_t)op->imm : op->dst;
	return emit_c_call(b, op, &c->program->call_register, &call);
}

static enum jf_status emit_cast(struct jf_compiler *c, struct jf_body *b, struct jf_op *op)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;

	if (op->imm == JF_CAST_TO_USER) {
		op->imm = (int64_t)(c->program->arena_user_base & ~UINT64_C(0xffffffff));
		return ops->cast_user ? ops->cast_user(b, op) : JF_E_UNSUPPORTED;
	}
	op->is64 = false;
	op->off = 0;
	op->imm = 0;
	return ops->alu ? ops->alu(b, op) : JF_E_UNSUPPORTED;
}

/* Offset from R10 of the count: the lowest bytes of the function's stack. */
static int64_t may_goto_off(const struct jf_frame *frame)
{
	return -(int64_t)frame->spec.bpf_stack_bytes;
}

static enum jf_status emit_may_goto(struct jf_compiler *c, struct jf_body *b, struct jf_op *op)
{
	const struct jf_native *native = c->conv->backend->native;
	/* Where there is no stub on this host, code that is only looked at calls a far address. */
	uint64_t stub = native ? (uintptr_t)native->may_goto_start : UINT64_C(0x7fff00000000);

	op->imm = may_goto_off(b->frame);
	return c->conv->backend->body.may_goto ? c->conv->backend->body.may_goto(b, op, stub) : JF_E_UNSUPPORTED;
}

/* may_goto: the count is full, the clock not started. */
enum jf_status jf_compiler_emit_start(struct jf_compiler *c, struct jf_body *b, const struct jf_unit *unit)
{
	struct jf_op op = {.dst = JF_BPF_FP, .bytes = 8, .is64 = true, .is_imm = true};
	enum jf_status status;

	if (!unit->may_goto)
		return JF_OK;
	if (!c->conv->backend->body.store)
		return JF_E_UNSUPPORTED;
	op.off = (int16_t)may_goto_off(b->frame);
	op.imm = JF_MAY_GOTO_ITERATIONS;
	status = c->conv->backend->body.store(b, &op);
	op.off = (int16_t)(op.off + 8);
	op.imm = 0;
	return status == JF_OK ? c->conv->backend->body.store(b, &op) : status;
}

static enum jf_status emit_call(struct jf_compiler *c, struct jf_body *b, const struct jf_op *op)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;
	struct jf_call call = {.kind = JF_CALL_BPF, .sixth = JF_REG_NONE};
	const struct jf_import *import = NULL;
	uint32_t number = (uint32_t)op->imm;

	switch (op->src) {
	case JF_SRC_HELPER:
		if (number == JF_HELPER_TAIL_CALL)
			return emit_tail_call(c, b, op);
		import = &c->program->helpers[number];
		call = call_of_c(c, import, c->helper_stub[number]);
		break;
	case JF_SRC_KFUNC:
		import = &c->program->kfuncs[number];
		call = call_of_c(c, import, c->kfunc_stub[number]);
		if (import->arg_count > JF_REG_ARGS)
			call.stack_args = (uint8_t)(import->arg_count - JF_REG_ARGS);
		/* What a stub pushes would stand between the arguments and their reader. */
		if (c->kfunc_stub[number] && call.stack_args > c->conv->extra_arg_regs)
			return JF_E_UNSUPPORTED;
		break;
	default: call.stack_args = c->units[number].in_args; call.address = function_address(c, number);
	}
	if (call.stack_args > b->frame->spec.out_args)
		return JF_E_BAD_INSN;
	if (import)
		return emit_c_call(b, op, import, &call);
	return ops->call ? ops->call(b, op, &call) : JF_E_UNSUPPORTED;
}

static enum jf_status emit_imm64(struct jf_compiler *c, struct jf_body *b, struct jf_op *op)
{
	uint32_t number = (uint32_t)op->imm;
	uint8_t kind = op->src;

	if (kind == JF_SRC_MAP)
		op->imm = (int64_t)c->program->maps[number].object;
	else if (kind == JF_SRC_MAP_VALUE)
		op->imm = (int64_t)(c->program->maps[number].value + (uint64_t)(op->imm >> 32));
	else if (kind == JF_SRC_CODE)
		op->imm = (int64_t)function_address(c, number);
	return c->conv->backend->body.imm64 ? c->conv->backend->body.imm64(b, op) : JF_E_UNSUPPORTED;
}

void jf_compiler_choose_hooks(struct jf_compiler *c)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;

	c->hooks[JF_OP_ALU] = ops->alu;
	c->hooks[JF_OP_SWAP] = ops->swap;
	if (!c->uses_arena) {
		c->hooks[JF_OP_LOAD] = ops->load;
		c->hooks[JF_OP_STORE] = ops->store;
	}
	c->hooks[JF_OP_JUMP] = ops->jump;
	c->hooks[JF_OP_PER_CPU] = ops->per_cpu;
	c->hooks[JF_OP_ARG_PUT] = jf_argument_put;
	c->hooks[JF_OP_ARG_GET] = jf_argument_get;
}

static enum jf_status emit_jump_always(struct jf_compiler *c, struct jf_body *b, struct jf_op *op, enum jf_op_kind kind)
{
	jf_body_hook *jump_always = c->conv->backend->body.jump_always;

	if (kind == JF_OP_EXIT)
		op->target = b->state->unit->function->insn_count;
	if (op->target == op->index + 1)
		return JF_OK;
	return jump_always ? jump_always(b, op) : JF_E_UNSUPPORTED;
}

/* Those whose code may depend on where it lies, or on where functions do. */
static enum jf_status emit_placed(struct jf_compiler *c, struct jf_body *b, enum jf_op_kind kind, struct jf_op *op)
{
	switch (kind) {
	case JF_OP_IMM64: return emit_imm64(c, b, op);
	case JF_OP_CALL: return emit_call(c, b, op);
	case JF_OP_CALL_REG: return emit_call_register(c, b, op);
	case JF_OP_MAY_GOTO: return emit_may_goto(c, b, op);
	default: return JF_E_UNSUPPORTED;
	}
}

/* What needs more than the instruction itself; for the rest, a hook that is missing. */
enum jf_status jf_compiler_emit(struct jf_compiler *c, struct jf_body *b, enum jf_op_kind kind, struct jf_op *op)
{
	enum jf_status status;

	switch (kind) {
	case JF_OP_EXIT:
	case JF_OP_JUMP_ALWAYS: return emit_jump_always(c, b, op, kind);
	case JF_OP_CAST: return emit_cast(c, b, op);
	case JF_OP_LOAD:
	case JF_OP_STORE:
	case JF_OP_ATOMIC: return jf_body_access(b, &c->conv->backend->body, kind, op);
	default: break;
	}
	c->is_ahead = false;
	status = emit_placed(c, b, kind, op);
	c->looked_ahead |= c->is_ahead;
	if (status == JF_OK && b->state->sites) {
		struct jf_site *site = jf_site_here(b);

		if (!site)
			return JF_E_UNSUPPORTED;
		site->is_placed = true;
		site->is_ahead = c->is_ahead;
	}
	return status;
}
