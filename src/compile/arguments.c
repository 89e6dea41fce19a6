/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/arguments.h"

#include <jitframe/backend.h>

/*
 * Arguments after the fifth, and how C wants all of them. Where they are is known from the convention and the ABI
 * (src/frame/record.c). An argument on the stack is a load or a store of BPF by SP or FP, one in a register a move of
 * BPF: R11, which stands for these arguments in BPF code, is given the machine's register for the time of a hook.
 */

typedef enum jf_status op_hook(struct jf_body *b, const struct jf_op *op);

static enum jf_status run(op_hook *hook, const struct jf_body *b, uint8_t args_reg, const struct jf_op *op)
{
	struct jf_body with_args = *b;

	with_args.reg[JF_BPF_ARGS] = args_reg;
	return hook ? hook(&with_args, op) : JF_E_UNSUPPORTED;
}

/* ---- between BPF functions ----------------------------------------------------------------------- */

enum jf_status jf_argument_put(struct jf_body *b, const struct jf_op *op)
{
	const struct jf_backend *backend = b->frame->conv->backend;
	struct jf_arg_place to = jf_bpf_arg_place(b->frame->conv, op->code);
	struct jf_op put = *op;

	put.dst = JF_BPF_ARGS;
	put.is64 = true;
	put.bytes = 8;
	put.off = (int16_t)to.off;
	put.code = JF_ALU_MOV;
	if (to.reg != JF_REG_NONE)
		return run(backend->body.alu, b, to.reg, &put);
	return run(backend->body.store, b, backend->sp, &put);
}

enum jf_status jf_argument_get(struct jf_body *b, const struct jf_op *op)
{
	const struct jf_convention *conv = b->frame->conv;
	struct jf_arg_place from = jf_bpf_arg_place(conv, op->code);
	struct jf_op get = {.index = op->index, .opcode = op->opcode, .is64 = true, .dst = op->dst, .src = JF_BPF_ARGS};

	if (from.reg != JF_REG_NONE) {
		get.code = JF_ALU_MOV;
		if (b->frame->spec.private_stack && from.reg == conv->bpf_fp_private)
			return JF_E_UNSUPPORTED;
		return run(conv->backend->body.alu, b, from.reg, &get);
	}
	get.bytes = 8;
	get.off = (int16_t)(from.off - conv->fp_off_from_cfa);
	return run(conv->backend->body.load, b, conv->backend->fp, &get);
}

/* ---- to C and back ------------------------------------------------------------------------------- */

static bool is_narrow(struct jf_c_value value)
{
	return value.bytes && value.bytes != 8;
}

/* As the ABI wants it of callers: all 8 bytes are handed over as they are where callers do not extend. */
static struct jf_c_value as_argument(const struct jf_backend *backend, const struct jf_call *call, unsigned int i)
{
	const struct jf_c_args *rule = &backend->c_args;
	struct jf_c_value value = call->args ? call->args[i] : (struct jf_c_value){0};

	if (!is_narrow(value) || value.bytes >= rule->extended_bytes)
		return (struct jf_c_value){.bytes = 8};
	value.is_signed |= value.bytes == 4 && rule->words_signed;
	return value;
}

static bool moves(const struct jf_convention *conv, unsigned int n)
{
	struct jf_arg_place from = jf_bpf_arg_place(conv, n), to = jf_c_arg_place(conv->backend, n);

	return from.reg != to.reg || (from.reg == JF_REG_NONE && from.off != to.off);
}

/* From where BPF code has put argument 5 + n on the stack to where C looks for it. */
static enum jf_status move_argument(struct jf_body *b, unsigned int n, struct jf_c_value value)
{
	const struct jf_backend *backend = b->frame->conv->backend;
	struct jf_arg_place from = jf_bpf_arg_place(b->frame->conv, n), to = jf_c_arg_place(backend, n);
	struct jf_op load = {.is64 = true, .bytes = value.bytes, .sign = value.is_signed, .src = JF_BPF_ARGS};
	struct jf_op store = {.is64 = true, .bytes = 8, .dst = JF_BPF_ARGS};
	struct jf_body with_value = *b;
	enum jf_status status;

	if (from.reg != JF_REG_NONE)
		return JF_E_UNSUPPORTED;
	/* R0, which the call sets, stands for the register that the argument goes into, or through. */
	with_value.reg[JF_BPF_R0] = to.reg == JF_REG_NONE ? backend->c_args.temp : to.reg;
	load.off = (int16_t)from.off;
	store.off = (int16_t)to.off;
	status = run(backend->body.load, &with_value, backend->sp, &load);
	if (status == JF_OK && to.reg == JF_REG_NONE)
		status = run(backend->body.store, &with_value, backend->sp, &store);
	return status;
}

static void extend_argument(struct jf_body *b, uint8_t reg, struct jf_c_value value)
{
	const struct jf_backend *backend = b->frame->conv->backend;

	if (reg != JF_REG_NONE && is_narrow(value))
		backend->body.extend(b->code, reg, reg, value, backend->c_args.extended_bytes);
}

/* The sixth, from the BPF register that it is in. */
static enum jf_status move_sixth(struct jf_body *b, uint8_t bpf)
{
	const struct jf_backend *backend = b->frame->conv->backend;
	const struct jf_op move = {.code = JF_ALU_MOV, .is64 = true, .dst = JF_BPF_ARGS, .src = bpf};

	return run(backend->body.alu, b, jf_c_arg_place(backend, 1).reg, &move);
}

enum jf_status jf_body_pass_to_c(struct jf_body *b, const struct jf_call *call)
{
	const struct jf_convention *conv = b->frame->conv;
	const struct jf_backend *backend = conv->backend;
	bool has_sixth = call->sixth != JF_REG_NONE;
	enum jf_status status = JF_OK;

	for (unsigned int n = 1; status == JF_OK && n <= call->stack_args; n++)
		if (moves(conv, n))
			status = move_argument(b, n, as_argument(backend, call, JF_REG_ARGS + n - 1));
	if (status == JF_OK && has_sixth)
		status = move_sixth(b, call->sixth);
	for (unsigned int i = 0; i < JF_REG_ARGS; i++)
		extend_argument(b, backend->args[i], as_argument(backend, call, i));
	for (unsigned int n = 1; n <= (has_sixth ? 1u : call->stack_args); n++)
		if (has_sixth || !moves(conv, n))
			extend_argument(b, jf_c_arg_place(backend, n).reg,
					as_argument(backend, call, JF_REG_ARGS + n - 1));
	return status;
}

void jf_body_take_result(struct jf_body *b, const struct jf_call *call)
{
	const struct jf_backend *backend = b->frame->conv->backend;
	uint8_t r0 = b->frame->conv->bpf_reg[JF_BPF_R0];

	if (is_narrow(call->result) || r0 != backend->result)
		backend->body.extend(b->code, r0, backend->result, call->result, 8);
}
