/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/builder.h"
#include "frame/convention.h"

/* What contradicts itself where the core builds the frames (build.c): conventions that ask for steps nobody has. */

/* Hooks that some conventions need, and what needs them. Those that every frame needs: backend_check.c. */
static void check_hooks(struct contradictions *all, const struct jf_build_ops *ops)
{
	const struct jf_convention *conv = all->conv;
	bool stored_count = conv->caps & JF_CAP_TAIL_CALLS && !ops->unit;
	bool calls_pads = conv->cleanup_entry == JF_CLEANUP_CALLED;
	const struct {
		bool is_needed, is_there;
		const char *hook, *by;
	} hooks[] = {
		{stored_count, ops->store_count, "store_count", "tail calls"},
		{stored_count, ops->load_count, "load_count", "tail calls"},
		{conv->landing == JF_LANDING_RESTORE, ops->pop, "pop", "callbacks that restore"},
		{conv->caps & JF_CAP_SIGN_RETURN, ops->sign, "sign", "signed returns"},
		{conv->caps & JF_CAP_PRIVATE_STACK, ops->private_stack, "private_stack", "private stacks"},
		{calls_pads, ops->store, "store", "cleanup pads that are called"},
		{calls_pads, ops->go_back, "go_back", "cleanup pads that are called"},
		{conv->result_bits == 32, ops->sign_extend, "sign_extend", "results of 32 bits"},
	};

	for (unsigned int i = 0; i < JF_COUNT_OF(hooks); i++)
		if (hooks[i].is_needed && !hooks[i].is_there)
			contradict(all, 0, "build.%s is NULL, but there are %s", hooks[i].hook, hooks[i].by);
}

/* A tail call enters where a main program's prologue has made so many slots, and nothing else by then. */
static bool has_tail_entry(const struct jf_convention *conv)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;
	struct jf_code code;
	struct builder b;
	bool found;

	spec.tail_calls = true;
	if (jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK)
		return true; /* told elsewhere */
	jf_code_init(&code, NULL, 0, 0, NULL, 0);
	b = builder_begin(&code, &frame);
	found = conv->tail_keeps == b.in_place;
	for (unsigned int n = 0; n < b.unit_count; n++)
		found |= conv->tail_keeps == builder_unit_end(&b, n);
	return found;
}

void check_build(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	const struct jf_build_ops *ops = conv->backend->build;

	if (!ops)
		return;
	check_hooks(all, ops);
	if (conv->sp_steps >= JF_SP__COUNT)
		contradict(all, 0, "sp_steps is no value of enum jf_sp_steps");
	if (conv->bpf_stack_max_bytes && !conv->bpf_fp_when && conv->bpf_reg[JF_BPF_FP] != conv->backend->fp)
		contradict(all, 0, "bpf_fp_when is 0: R10's register is never set");
	if (conv->caps & JF_CAP_TAIL_CALLS && !has_tail_entry(conv))
		contradict(all, 16, "tail_keeps: no tail-call entry: a prologue does not stop behind %u slots (R16)",
			   conv->tail_keeps);
}
