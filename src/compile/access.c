/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

/* Loads, stores and atomic operations: which hook makes the code, and what a fault in the code does. */

static jf_body_hook *hook_of(const struct jf_body_ops *ops, enum jf_op_kind kind, const struct jf_op *op)
{
	if (kind != JF_OP_ATOMIC)
		return kind == JF_OP_LOAD ? ops->load : ops->store;
	switch (op->code) {
	case JF_ATOMIC_LOAD_ACQ: return ops->load_acquire;
	case JF_ATOMIC_STORE_REL: return ops->store_release;
	default: return op->code <= JF_ATOMIC_CMPXCHG && op->bytes >= 4 ? ops->atomic : NULL;
	}
}

/* The BPF register that gets what was in memory. */
static uint8_t loaded(enum jf_op_kind kind, const struct jf_op *op)
{
	if (kind == JF_OP_LOAD || (kind == JF_OP_ATOMIC && op->code == JF_ATOMIC_LOAD_ACQ))
		return op->dst;
	if (kind == JF_OP_STORE || !op->fetch)
		return JF_REG_NONE;
	return op->code == JF_ATOMIC_CMPXCHG ? JF_BPF_R0 : op->src;
}

enum jf_status jf_body_access(struct jf_body *b, const struct jf_body_ops *ops, enum jf_op_kind kind,
			      const struct jf_op *op)
{
	uint32_t noted = b->state->faults->count;
	jf_body_hook *hook = hook_of(ops, kind, op);
	size_t start = b->code->size;
	enum jf_status status = hook ? hook(b, op) : JF_E_UNSUPPORTED;

	if (status == JF_OK && op->arena && b->state->faults->count == noted)
		jf_body_may_fault(b, start, loaded(kind, op));
	return status;
}
