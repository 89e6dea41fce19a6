/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/backend.h>

#include <string.h>

/* Bodies that are not BPF: the backend's hooks, without the compiler around them. */

void jf_body_init(struct jf_body *b, struct jf_code *code, struct jf_places *places)
{
	const struct jf_frame *frame = code->frame;

	*b = (struct jf_body){.code = code, .frame = frame, .places = places};
	if (!frame) {
		jf_code_fail(code, JF_E_INVAL);
		return;
	}
	memcpy(b->reg, frame->conv->bpf_reg, sizeof(b->reg));
	if (frame->spec.private_stack)
		b->reg[JF_BPF_FP] = frame->conv->bpf_fp_private;
	if (places) {
		places->pending_count = 0;
		for (uint32_t i = 0; i < places->count; i++)
			places->off[i] = UINT32_MAX;
	}
}

/* What the compiler sees to where there is one. */
static enum jf_status check_op(const struct jf_body *b, enum jf_status (*hook)(struct jf_body *, const struct jf_op *),
			       const struct jf_op *op)
{
	const struct jf_body_ops *ops = &b->frame->conv->backend->body;

	if (!hook || op->arena)
		return JF_E_UNSUPPORTED;
	if (op->dst > JF_BPF_FP || op->src > JF_BPF_FP)
		return JF_E_INVAL;
	if (hook == ops->jump || hook == ops->jump_always)
		return b->places && op->target < b->places->count ? JF_OK : JF_E_INVAL;
	return JF_OK;
}

void jf_body_op(struct jf_body *b, enum jf_status (*hook)(struct jf_body *b, const struct jf_op *op),
		const struct jf_op *op)
{
	enum jf_status status = b->code->status;

	if (status == JF_OK)
		status = check_op(b, hook, op);
	if (status == JF_OK)
		status = hook(b, op);
	if (status != JF_OK)
		jf_code_fail(b->code, status);
}

void jf_body_call(struct jf_body *b, const struct jf_call *call)
{
	const struct jf_op op = {.index = 0};
	const struct jf_convention *conv;
	const struct jf_backend *backend;
	enum jf_status status;

	if (b->code->status != JF_OK)
		return;
	conv = b->frame->conv;
	backend = conv->backend;
	if (!backend->body.call || (call->kind == JF_CALL_C && backend->call_stubs && backend->call_stubs(conv)))
		status = JF_E_UNSUPPORTED;
	else
		status = backend->body.call(b, &op, call);
	if (status != JF_OK)
		jf_code_fail(b->code, status);
}

void jf_body_end(struct jf_body *b)
{
	if (b->places && b->places->pending_count)
		jf_code_fail(b->code, JF_E_NOT_FOUND);
}
