/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/convention.h"

#include <jitframe/describe.h>

/* The fields of a convention one by one, before frames are made of them. */

static const char *reg_name(const struct jf_backend *backend, unsigned int reg)
{
	return reg < backend->reg_count ? backend->regs[reg].name : "no register";
}

static bool is_kept(const struct jf_backend *backend, unsigned int reg)
{
	return reg < backend->reg_count && backend->regs[reg].flags & JF_REG_CALLEE_SAVED;
}

static void check_numbers(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;

	if (!conv->summary)
		contradict(all, 0, "summary is NULL");
	if (conv->landing > JF_LANDING_RESTORE)
		contradict(all, 4, "landing is no value of enum jf_landing (R4)");
	if (conv->cleanup_entry >= JF_CLEANUP__COUNT)
		contradict(all, 0, "cleanup_entry is no value of enum jf_cleanup_entry");
	/* Without exceptions no frame asks for them, as none asks for what boundaries save. */
	if (conv->cleanup_entry == JF_CLEANUP_NONE && conv->caps & JF_CAP_EXCEPTIONS &&
	    convention_asks(conv, JF_WHEN_CLEANUPS))
		contradict(all, 0, "cleanup_entry is JF_CLEANUP_NONE, but there are slots for cleanup pads");
	if (conv->cleanup_entry != JF_CLEANUP_NONE && !(conv->caps & JF_CAP_EXCEPTIONS))
		contradict(all, 0, "cleanup_entry: there are cleanup pads, but no exceptions (JF_CAP_EXCEPTIONS)");
	if (!jf_is_power_of_two(conv->bpf_stack_align))
		contradict(all, 0, "bpf_stack_align is no power of two");
	if (!jf_is_power_of_two(conv->out_args_align))
		contradict(all, 0, "out_args_align is no power of two");
	if (!jf_is_power_of_two(conv->frame_align))
		contradict(all, 0, "frame_align is no power of two (R7)");
	if (conv->extra_arg_regs && JF_REG_ARGS + conv->extra_arg_regs > conv->backend->arg_count)
		contradict(all, 0, "extra_arg_regs: outgoing arguments in registers that are no arguments of the ABI");
	if (conv->fp_off_from_cfa > 0)
		contradict(all, 2, "fp_off_from_cfa is positive: the frame pointer lies above the caller's SP (R2)");
}

/* ---- registers by role ----------------------------------------------------------------------------------------- */

/* returns: the BPF register that lives in `reg`, or JF_BPF_REG__COUNT. */
static unsigned int bpf_register_in(const struct jf_convention *conv, unsigned int reg)
{
	unsigned int bpf = 0;

	while (bpf < JF_BPF_REG__COUNT && conv->bpf_reg[bpf] != reg)
		bpf++;
	return bpf;
}

static bool check_role(struct contradictions *all, unsigned int rule, const char *field, unsigned int reg)
{
	const struct jf_backend *backend = all->conv->backend;
	const char *fault = role_fault(backend, reg);

	if (!fault && (reg == backend->sp || reg == backend->fp || reg == backend->ra))
		fault = "a register of every frame";
	if (fault && reg >= backend->reg_count)
		contradict(all, rule, "%s is %s", field, fault);
	else if (fault)
		contradict(all, rule, "%s is %s, %s", field, backend->regs[reg].name, fault);
	return !fault;
}

static void check_option_registers(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	unsigned int bpf;

	if (conv->caps & JF_CAP_PRIVATE_STACK && check_role(all, 0, "bpf_fp_private", conv->bpf_fp_private)) {
		bpf = bpf_register_in(conv, conv->bpf_fp_private);
		if (bpf != JF_BPF_REG__COUNT && bpf != JF_BPF_FP)
			contradict(all, 0, "bpf_fp_private is %s, where R%u lives",
				   reg_name(conv->backend, conv->bpf_fp_private), bpf);
	}
	if (conv->caps & JF_CAP_ARENA && check_role(all, 15, "arena_reg", conv->arena_reg)) {
		bpf = bpf_register_in(conv, conv->arena_reg);
		if (bpf != JF_BPF_REG__COUNT)
			contradict(all, 15, "arena_reg is %s, where R%u lives (R15)",
				   reg_name(conv->backend, conv->arena_reg), bpf);
		if (!is_kept(conv->backend, conv->arena_reg))
			contradict(all, 15, "arena_reg is %s, which calls do not keep (R15)",
				   reg_name(conv->backend, conv->arena_reg));
	}
	if (conv->cleanup_entry == JF_CLEANUP_CALLED && !conv->backend->ra_pushed &&
	    check_role(all, 24, "cleanup_back", conv->cleanup_back)) {
		bpf = bpf_register_in(conv, conv->cleanup_back);
		if (bpf != JF_BPF_REG__COUNT)
			contradict(all, 24, "cleanup_back is %s, where R%u lives (R24)",
				   reg_name(conv->backend, conv->cleanup_back), bpf);
		if (!is_kept(conv->backend, conv->cleanup_back))
			contradict(all, 24, "cleanup_back is %s, which calls do not keep (R24)",
				   reg_name(conv->backend, conv->cleanup_back));
	}
	if (conv->caps & JF_CAP_TAIL_CALLS && conv->count_form != JF_COUNT_IN_MEMORY &&
	    check_role(all, 9, "count_reg", conv->count_reg)) {
		bpf = bpf_register_in(conv, conv->count_reg);
		if (bpf != JF_BPF_REG__COUNT && bpf != JF_BPF_R0 && bpf != JF_BPF_AX)
			contradict(all, 9, "count_reg is %s, where R%u travels (R9)",
				   reg_name(conv->backend, conv->count_reg), bpf);
	}
}

/* Arguments stay where they are when BPF code calls C. */
static void check_argument_registers(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	const struct jf_backend *backend = conv->backend;

	for (unsigned int i = 0; i < backend->arg_count && i < 5; i++)
		if (conv->bpf_reg[JF_BPF_R1 + i] != backend->args[i])
			contradict(all, 0, "bpf_reg: R%u is in %s, and C takes its argument in %s (args[%u])", i + 1,
				   reg_name(backend, conv->bpf_reg[JF_BPF_R1 + i]), reg_name(backend, backend->args[i]),
				   i);
}

/* returns: whether arguments on the stack lie elsewhere for C than for BPF functions. */
static bool moves_arguments(const struct jf_convention *conv)
{
	for (unsigned int n = 1; n <= JF_OUT_ARGS_MAX; n++) {
		struct jf_arg_place from = jf_bpf_arg_place(conv, n), to = jf_c_arg_place(conv->backend, n);

		if (from.reg == JF_REG_NONE && to.reg == JF_REG_NONE && from.off != to.off)
			return true;
	}
	return false;
}

static void check_argument_temp(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	const struct jf_backend *backend = conv->backend;
	unsigned int temp = backend->c_args.temp;

	if (!(conv->caps & JF_CAP_OUT_ARGS) || !moves_arguments(conv) || !check_role(all, 0, "c_args.temp", temp))
		return;
	if (bpf_register_in(conv, temp) != JF_BPF_REG__COUNT)
		contradict(all, 0, "c_args.temp is %s, where R%u lives", reg_name(backend, temp),
			   bpf_register_in(conv, temp));
	for (unsigned int i = 0; i < backend->arg_count; i++)
		if (backend->args[i] == temp)
			contradict(all, 0, "c_args.temp is %s, the register of an argument", reg_name(backend, temp));
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

/* returns: what is wrong with the register of a slot rule, or NULL. */
static const char *slot_fault(const struct jf_convention *conv, const struct jf_slot_rule *rule)
{
	switch (rule->kind) {
	case JF_SLOT_RETURN: return rule->reg == conv->backend->ra ? NULL : "which is not the return address's";
	case JF_SLOT_SAVE: return is_kept(conv->backend, rule->reg) ? NULL : "which a callee does not keep";
	case JF_SLOT_SPILL:
	case JF_SLOT_THROW:
		return is_kept(conv->backend, rule->reg) || rule->reg == conv->bpf_fp_private ?
			       NULL :
			       "which holds no value of a frame";
	default: return rule->reg == JF_REG_NONE ? NULL : "but holds no register: JF_REG_NONE";
	}
}

static void check_slots(struct contradictions *all, unsigned int index)
{
	const struct jf_area *area = &all->conv->areas[index];

	for (unsigned int i = 0; i < area->rule_count; i++) {
		const struct jf_slot_rule *rule = &area->rules[i];
		const char *fault;

		if (rule->kind >= JF_SLOT__COUNT) {
			contradict(all, 0, "areas[%u].rules[%u] is of no kind", index, i);
			continue;
		}
		fault = slot_fault(all->conv, rule);
		if (fault)
			contradict(all, 0, "areas[%u].rules[%u], of kind %s, names %s, %s", index, i,
				   jf_slot_kind_name(rule->kind), reg_name(all->conv->backend, rule->reg), fault);
	}
}

static void check_areas(struct contradictions *all)
{
	for (unsigned int i = 0; i < all->conv->area_count; i++) {
		const struct jf_area *area = &all->conv->areas[i];

		if (!area->rules && area->rule_count) {
			contradict(all, 0, "areas[%u].rules is NULL, but rule_count is not 0", i);
			continue;
		}
		if (area->group != 1 && area->group != 2)
			contradict(all, 0, "areas[%u].group is neither 1 nor 2", i);
		if (!jf_is_power_of_two(area->align_bytes))
			contradict(all, 0, "areas[%u].align_bytes is no power of two", i);
		check_slots(all, i);
	}
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void check_conflicts(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;

	if (conv->conflict_count && !conv->conflicts) {
		contradict(all, 0, "conflicts is NULL, but conflict_count is not 0");
		return;
	}
	for (unsigned int i = 0; i < conv->conflict_count; i++)
		if (!conv->conflicts[i].a || !conv->conflicts[i].b || !conv->conflicts[i].reason)
			contradict(all, 0, "conflicts[%u] lacks an option (a, b) or the reason", i);
}

bool check_fields(struct contradictions *all)
{
	int before;

	check_numbers(all);
	check_option_registers(all);
	check_argument_registers(all);
	check_argument_temp(all);
	before = all->count;
	check_areas(all);
	check_conflicts(all);
	return all->count == before;
}
