/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/builder.h"
#include "frame/convention.h"

/* What contradicts itself where the core builds the frames (build.c): conventions that ask for steps nobody has. */

/* A hook, and what asks for it. */
static void check_hooks(struct contradictions *all, const struct jf_build_ops *ops)
{
	const struct jf_convention *conv = all->conv;
	bool stored_count = conv->caps & JF_CAP_TAIL_CALLS && !ops->unit;
	const struct {
		bool is_missing;
		const char *hook, *what;
	} hooks[] = {
		{stored_count && !ops->store_count, "store_count", "tail calls"},
		{stored_count && !ops->load_count, "load_count", "tail calls"},
		{conv->landing == JF_LANDING_RESTORE && !ops->pop, "pop", "callbacks that restore"},
	};

	for (unsigned int i = 0; i < JF_COUNT_OF(hooks); i++)
		if (hooks[i].is_missing)
			contradict(all, 0, "%s without the hook %s", hooks[i].what, hooks[i].hook);
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
		contradict(all, 0, "SP goes down in no known steps: sp_steps is %u", conv->sp_steps);
	if (conv->bpf_stack_max_bytes && !conv->bpf_fp_when && conv->bpf_reg[JF_BPF_FP] != conv->backend->fp)
		contradict(all, 0, "R10's register is never set: bpf_fp_when is 0");
	if (conv->caps & JF_CAP_TAIL_CALLS && !has_tail_entry(conv))
		contradict(all, 16, "no tail-call entry: a prologue does not stop behind %u slots (R16)",
			   conv->tail_keeps);
}
