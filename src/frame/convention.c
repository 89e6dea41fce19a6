/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame/convention.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static JF_PRINTF(3, 0) void add(struct contradictions *all, unsigned int rule, const char *fmt, va_list args)
{
	struct jf_finding *f;

	if ((size_t)all->count++ >= all->capacity)
		return;
	f = &all->findings[all->count - 1];
	*f = (struct jf_finding){.rule = (uint8_t)rule, .verdict = JF_VERDICT_BROKEN, .code_off = JF_CHECK_NO_OFF};
	vsnprintf(f->text, sizeof(f->text), fmt, args);
}

void contradict(struct contradictions *all, unsigned int rule, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(all, rule, fmt, args);
	va_end(args);
}

void contradict_once(struct contradictions *all, enum contradiction which, unsigned int rule, const char *fmt, ...)
{
	va_list args;

	if (all->told & 1u << which)
		return;
	all->told |= 1u << which;
	va_start(args, fmt);
	add(all, rule, fmt, args);
	va_end(args);
}

/* ---- registers --------------------------------------------------------------------------------------------- */

static bool is_register(const struct jf_convention *conv, unsigned int reg)
{
	return reg < conv->backend->reg_count;
}

static void check_bpf_registers(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	const struct jf_backend *backend = conv->backend;

	for (unsigned int bpf = 0; bpf < JF_BPF_REG__COUNT; bpf++) {
		unsigned int reg = conv->bpf_reg[bpf];

		if (!is_register(conv, reg)) {
			contradict(all, 0, "bpf_reg: R%u has no machine register", bpf);
			continue;
		}
		if (reg == backend->sp || reg == backend->ra || role_fault(backend, reg))
			contradict(all, 0, "bpf_reg: R%u is in %s, which has another purpose", bpf,
				   backend->regs[reg].name);
		if (bpf >= JF_BPF_R6 && bpf <= JF_BPF_FP && !(backend->regs[reg].flags & JF_REG_CALLEE_SAVED))
			contradict(all, 0, "bpf_reg: R%u is in %s, which calls do not keep", bpf,
				   backend->regs[reg].name);
		for (unsigned int other = 0; other < bpf; other++)
			if (conv->bpf_reg[other] == reg)
				contradict(all, 0, "bpf_reg: R%u and R%u are both in %s", other, bpf,
					   backend->regs[reg].name);
	}
}

/* Whether some frame that needs one of `when` has such a slot. */
static bool has_slots_when(const struct jf_convention *conv, uint8_t kind, uint16_t when)
{
	for (unsigned int i = 0; i < conv->area_count; i++)
		for (unsigned int k = 0; k < conv->areas[i].rule_count; k++)
			if (conv->areas[i].rules[k].kind == kind && conv->areas[i].rules[k].when & when)
				return true;
	return false;
}

bool convention_asks(const struct jf_convention *conv, uint16_t when)
{
	for (unsigned int i = 0; i < conv->area_count; i++)
		for (unsigned int k = 0; k < conv->areas[i].rule_count; k++)
			if (conv->areas[i].rules[k].when & when)
				return true;
	return false;
}

static bool has_slots(const struct jf_convention *conv, uint8_t kind)
{
	return has_slots_when(conv, kind, UINT16_MAX);
}

/* The tail-call count: from one program to the next, and back, by the scheme that the convention states. */
static void check_count(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	bool in_memory = conv->count_form == JF_COUNT_IN_MEMORY;

	if (conv->count_form >= JF_COUNT__COUNT)
		contradict(all, 9, "count_form is no value of enum jf_count_form (R9)");
	if (in_memory && conv->count_reg != JF_REG_NONE)
		contradict(all, 9, "count_reg: the tail-call count is in memory, and in a register as well (R9)");
	if (!has_slots(conv, JF_SLOT_TCC))
		contradict(all, 9, "tail calls without a slot for their count (R9)");
	if (conv->count_form == JF_COUNT_BY_VALUE && has_slots(conv, JF_SLOT_TCC_PTR))
		contradict(all, 9, "count_form: the tail-call count travels by value, and its address has a slot (R9)");
	if (conv->count_form == JF_COUNT_BY_VALUE && !conv->count_returned)
		contradict(all, 9,
			   "count_returned: the tail-call count travels by value, and no function hands it back (R9)");
	/* A tail call may enter a program that makes none: what the program hands back is the count, too. */
	if (conv->count_form == JF_COUNT_BY_VALUE && !has_slots_when(conv, JF_SLOT_TCC, JF_WHEN_ALWAYS | JF_WHEN_MAIN))
		contradict(all, 9,
			   "areas: the tail-call count travels by value, and not every main program keeps it (R9)");
	if (conv->count_start && conv->count_start != JF_TAIL_CALLS_MAX)
		contradict(all, 9, "count_start: the tail-call count starts with %u, neither 0 nor %u (R9)",
			   conv->count_start, JF_TAIL_CALLS_MAX);
	if (conv->count_bytes != 4 && conv->count_bytes != 8)
		contradict(all, 9, "count_bytes: the tail-call count has %u bytes; 4 or 8 are possible (R9)",
			   conv->count_bytes);
}

/* A capability without what it needs. */
static void check_capabilities(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;

	if (conv->caps & JF_CAP_PRIVATE_STACK_CALLBACK && !(conv->caps & JF_CAP_PRIVATE_STACK))
		contradict(all, 0, "callbacks have private stacks, programs have none");
	if (conv->caps & JF_CAP_EXCEPTIONS && conv->backend->arg_count < 3)
		contradict(all, 13, "arg_count: callbacks need three argument registers (R13)");
	if (conv->caps & JF_CAP_EXCEPTIONS && conv->landing == JF_LANDING_NONE)
		contradict(all, 4, "landing: exceptions without a way for callbacks to land (R4)");
	if (conv->caps & JF_CAP_TAIL_CALLS)
		check_count(all);
	if (conv->caps & JF_CAP_OUT_ARGS && !has_slots(conv, JF_SLOT_OUT_ARGS))
		contradict(all, 0, "outgoing arguments without a slot");
	if (conv->bpf_stack_max_bytes && !has_slots(conv, JF_SLOT_BPF_STACK))
		contradict(all, 0, "bpf_stack_max_bytes: a BPF stack without a slot");
	if (conv->result_bits != 32 && conv->result_bits != 64)
		contradict(all, 14, "result_bits: %u bits of the result arrive; 32 or 64 can (R14)", conv->result_bits);
}

/* ---- R3, R7, R8: what the platform's ABI asks for ------------------------------------------------------ */

static void check_save_set(struct contradictions *all)
{
	const struct jf_backend *backend = all->conv->backend;
	char names[160] = "";
	uint8_t regs[JF_REGS_MAX];
	int count = jf_convention_unsaved(all->conv, regs, JF_REGS_MAX);
	unsigned int ints = 0;
	size_t length = 0;

	for (int i = 0; i < count && length < sizeof(names); i++) {
		ints += backend->regs[regs[i]].cls == JF_REG_INT;
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
					   backend->regs[regs[i]].name);
	}
	if (count > 0)
		contradict(all, 3, "a boundary does not save %s (R3): %s", names,
			   ints ? "integer registers among them" : "no integer register among them");
}

static void check_stack(struct contradictions *all)
{
	const struct jf_convention *conv = all->conv;
	const struct jf_backend *backend = conv->backend;
	bool stubs = backend->call_stubs && backend->call_stubs(conv);

	if (conv->frame_align < backend->stack_align)
		contradict(all, 7, "frames keep SP at a multiple of %u, C wants one of %u (R7): %s", conv->frame_align,
			   backend->stack_align,
			   stubs ? "it can only be called through stubs that align SP" : "and there are no stubs");
	if (conv->red_zone_bytes > backend->red_zone_bytes)
		contradict(all, 8, "frames use %u bytes below SP, signals leave %u alone (R8)", conv->red_zone_bytes,
			   backend->red_zone_bytes);
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

static void check_convention(struct contradictions *all)
{
	if (!check_fields(all))
		return;
	check_bpf_registers(all);
	check_capabilities(all);
	if (all->count)
		return; /* frames with registers that are none would only repeat it */
	check_all_frames(all);
	check_build(all);
	check_save_set(all);
	check_stack(all);
}

int jf_convention_check(const struct jf_convention *conv, struct jf_finding *findings, size_t capacity)
{
	struct contradictions all = {.conv = conv, .findings = findings, .capacity = findings ? capacity : 0};

	if (!conv || conv->size < sizeof(*conv) || !conv->name || !conv->backend || !conv->areas)
		return JF_E_INVAL;
	check_convention(&all);
	return all.count;
}

enum jf_status convention_check_first(const struct jf_convention *conv, struct jf_error *error)
{
	struct jf_finding findings[8];
	int count = jf_convention_check(conv, findings, JF_COUNT_OF(findings));

	for (int i = 0; i < count && (size_t)i < JF_COUNT_OF(findings); i++)
		if (findings[i].rule != 3 && findings[i].rule != 7)
			return jf_error_set(error, JF_E_BAD_DESC, conv->name, "%s", findings[i].text);
	return count < 0 ? JF_E_BAD_DESC : JF_OK;
}
