/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/sized.h"

#include <jitframe/backend.h>
#include <jitframe/frame.h>

#include <string.h>

/* The boolean fields of a spec: their bit in `needs`, the capability they ask for, their name. */
static const struct option {
	uint16_t need;
	uint32_t cap;
	const char *field;
} options[] = {
	{JF_WHEN_TAIL_CALLS, JF_CAP_TAIL_CALLS, "tail_calls"},
	{JF_WHEN_ARENA, JF_CAP_ARENA, "arena"},
	{JF_WHEN_PRIVATE_STACK, JF_CAP_PRIVATE_STACK, "private_stack"},
	{JF_WHEN_OUT_ARGS, JF_CAP_OUT_ARGS, "out_args"},
	{JF_WHEN_CLEANUPS, 0, "cleanups"}, /* no capability, but a value of cleanup_entry */
};
#define OPTION_COUNT JF_COUNT_OF(options)

static const char *option_field(uint16_t needs)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (options[i].need & needs)
			return options[i].field;
	return "role";
}

static uint16_t spec_needs(const struct jf_frame_spec *spec)
{
	static const uint16_t of_role[JF_ROLE__COUNT] = {
		[JF_ROLE_MAIN] = JF_WHEN_MAIN,
		[JF_ROLE_SUBPROGRAM] = JF_WHEN_SUBPROGRAM,
		[JF_ROLE_BOUNDARY] = JF_WHEN_MAIN | JF_WHEN_BOUNDARY,
		[JF_ROLE_CALLBACK] = JF_WHEN_CALLBACK,
	};
	uint16_t needs = JF_WHEN_ALWAYS | of_role[spec->role];

	if (spec->bpf_stack_bytes || spec->bpf_regs_used & 1u << JF_BPF_FP)
		needs |= JF_WHEN_FP;
	if (needs & JF_WHEN_FP && (spec->bpf_stack_bytes || spec->private_stack))
		needs |= JF_WHEN_BPF_STACK;
	if (!spec->leaf)
		needs |= JF_WHEN_CALLS;
	if (spec->tail_calls)
		needs |= JF_WHEN_TAIL_CALLS;
	if (spec->arena)
		needs |= JF_WHEN_ARENA;
	if (spec->private_stack)
		needs |= JF_WHEN_PRIVATE_STACK;
	if (spec->out_args)
		needs |= JF_WHEN_OUT_ARGS;
	if (spec->cleanups)
		needs |= JF_WHEN_CLEANUPS;
	if (spec->cleanups && spec->throws)
		needs |= JF_WHEN_THROWS;
	return needs;
}

static enum jf_status read_spec(const struct jf_frame_spec *in, struct jf_frame_spec *spec, struct jf_error *error)
{
	size_t least = sizeof(in->size) + sizeof(in->role);
	enum jf_status status = jf_sized_read(spec, sizeof(*spec), least, in, "size", error);

	if (status != JF_OK)
		return status;
	if (!jf_sized_is_zero(spec->reserved, sizeof(spec->reserved)))
		return jf_error_set(error, JF_E_INVAL, "reserved", "not 0");
	if (spec->role >= JF_ROLE__COUNT)
		return jf_error_set(error, JF_E_INVAL, "role", "%u is no role", spec->role);
	return JF_OK;
}

static enum jf_status check_capabilities(const struct jf_convention *conv, const struct jf_frame_spec *spec,
					 uint16_t needs, struct jf_error *error)
{
	const char *arch = conv->backend->name;

	if (needs & JF_WHEN_EXCEPTION && (!jf_convention_supports(conv, JF_CAP_EXCEPTIONS) || !conv->landing))
		return jf_error_set(error, JF_E_UNSUPPORTED, "role", "%s/%s has no callback protocol", arch,
				    conv->name);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (needs & options[i].need && !jf_convention_supports(conv, options[i].cap))
			return jf_error_set(error, JF_E_UNSUPPORTED, options[i].field, "%s/%s does not have it", arch,
					    conv->name);
	if (spec->private_stack && spec->role == JF_ROLE_CALLBACK &&
	    !jf_convention_supports(conv, JF_CAP_PRIVATE_STACK_CALLBACK))
		return jf_error_set(error, JF_E_UNSUPPORTED, "private_stack", "not in a callback of %s/%s", arch,
				    conv->name);
	if (spec->cleanups && conv->cleanup_entry == JF_CLEANUP_NONE)
		return jf_error_set(error, JF_E_UNSUPPORTED, "cleanups", "%s/%s does not run cleanup pads", arch,
				    conv->name);
	if (spec->cleanups && conv->cleanup_entry == JF_CLEANUP_CALLED && spec->role == JF_ROLE_CALLBACK)
		return jf_error_set(error, JF_E_UNSUPPORTED, "cleanups", "not in a callback of %s/%s", arch,
				    conv->name);
	if (spec->landing_pads && !jf_convention_supports(conv, JF_CAP_LANDING_PADS))
		return jf_error_set(error, JF_E_UNSUPPORTED, "landing_pads", "%s has none", arch);
	if (spec->sign_return && !jf_convention_supports(conv, JF_CAP_SIGN_RETURN))
		return jf_error_set(error, JF_E_UNSUPPORTED, "sign_return", "%s cannot sign return addresses", arch);
	return JF_OK;
}

static enum jf_status check_limits(const struct jf_convention *conv, const struct jf_frame_spec *spec, uint16_t needs,
				   struct jf_error *error)
{
	if (spec->bpf_stack_bytes > conv->bpf_stack_max_bytes)
		return jf_error_set(error, JF_E_BAD_SPEC, "bpf_stack_bytes", "%u is over the limit of %u",
				    spec->bpf_stack_bytes, conv->bpf_stack_max_bytes);
	if (spec->out_args > JF_OUT_ARGS_MAX)
		return jf_error_set(error, JF_E_BAD_SPEC, "out_args", "%u is over the limit of %u", spec->out_args,
				    JF_OUT_ARGS_MAX);
	for (unsigned int i = 0; i < conv->conflict_count; i++) {
		const struct jf_conflict *c = &conv->conflicts[i];

		if (needs & c->a && needs & c->b)
			return jf_error_set(error, JF_E_BAD_SPEC, option_field(c->b), "excludes %s: %s",
					    option_field(c->a), c->reason);
	}
	return JF_OK;
}

static bool rule_in_force(const struct jf_frame *frame, const struct jf_slot_rule *rule)
{
	if (rule->when & frame->needs)
		return true;
	if (!(rule->when & JF_WHEN_USED))
		return false;
	for (unsigned int bpf = JF_BPF_R6; bpf <= JF_BPF_R9; bpf++)
		if (frame->spec.bpf_regs_used & 1u << bpf && frame->conv->bpf_reg[bpf] == rule->reg)
			return true;
	return false;
}

/* ---- laying out: `low` is the lowest offset from the CFA taken so far ----------------------- */

#define WORD 8

static bool add_slot(struct jf_frame *frame, uint8_t kind, uint8_t reg, int32_t off, uint32_t bytes)
{
	if (frame->slot_count == JF_FRAME_SLOTS_MAX)
		return false;
	frame->slots[frame->slot_count++] =
		(struct jf_slot){.kind = kind, .reg = reg, .off_from_cfa = off, .size_bytes = bytes};
	return true;
}

/* BPF stack and outgoing arguments: as many bytes as the spec asks for. */
static bool place_block(struct jf_frame *frame, const struct jf_slot_rule *rule, int32_t *low)
{
	const struct jf_convention *conv = frame->conv;
	const struct jf_frame_spec *spec = &frame->spec;
	uint32_t bytes;

	if (rule->kind == JF_SLOT_BPF_STACK) {
		frame->bpf_fp_off_from_cfa = *low;
		bytes = spec->private_stack ? 0 : jf_round_up(spec->bpf_stack_bytes, conv->bpf_stack_align);
		frame->bpf_stack_bytes = bytes;
	} else {
		uint32_t in_memory = spec->out_args > conv->extra_arg_regs ? spec->out_args - conv->extra_arg_regs : 0;

		bytes = jf_round_up(WORD * in_memory, conv->out_args_align);
		frame->out_args_bytes = bytes;
	}
	if (!bytes)
		return true;
	*low -= (int32_t)bytes;
	return add_slot(frame, rule->kind, JF_REG_NONE, *low, bytes);
}

static bool place_one(struct jf_frame *frame, const struct jf_slot_rule *rule, int32_t *low)
{
	*low -= WORD;
	return add_slot(frame, rule->kind, rule->reg, *low, WORD);
}

/* The first at the lower address. second NULL: padding. */
static bool place_pair(struct jf_frame *frame, const struct jf_slot_rule *first, const struct jf_slot_rule *second,
		       int32_t *low)
{
	static const struct jf_slot_rule padding = {JF_SLOT_PAD, JF_REG_NONE, JF_WHEN_ALWAYS};

	if (!second)
		second = &padding;
	*low -= 2 * WORD;
	return add_slot(frame, first->kind, first->reg, *low, WORD) &&
	       add_slot(frame, second->kind, second->reg, *low + WORD, WORD);
}

static bool place_area(struct jf_frame *frame, const struct jf_area *area, int32_t *low)
{
	const struct jf_slot_rule *first = NULL; /* of a pair whose second is yet to come */
	unsigned int slots_before = frame->slot_count;

	for (unsigned int i = 0; i < area->rule_count; i++) {
		const struct jf_slot_rule *rule = &area->rules[i];
		bool block = rule->kind == JF_SLOT_BPF_STACK || rule->kind == JF_SLOT_OUT_ARGS;
		bool ok = true;

		if (!rule_in_force(frame, rule))
			continue;
		if (first) {
			ok = place_pair(frame, first, block ? NULL : rule, low);
			first = NULL;
			if (ok && block)
				ok = place_block(frame, rule, low);
		} else if (block) {
			ok = place_block(frame, rule, low);
		} else if (area->group == 2) {
			first = rule;
		} else {
			ok = place_one(frame, rule, low);
		}
		if (!ok)
			return false;
	}
	if (first && !place_pair(frame, first, NULL, low))
		return false;
	if (frame->slot_count > slots_before) {
		int32_t end = -(int32_t)jf_round_up((uint32_t) - *low, area->align_bytes);
		uint32_t gap = (uint32_t)(*low - end);

		*low = end;
		if (gap)
			return add_slot(frame, JF_SLOT_PAD, JF_REG_NONE, end, gap);
	}
	return true;
}

enum jf_status jf_frame_solve(const struct jf_convention *conv, const struct jf_frame_spec *in, struct jf_frame *out,
			      struct jf_error *error)
{
	struct jf_frame frame;
	enum jf_status status;
	int32_t low = 0;

	if (!conv || !in || !out)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	memset(&frame, 0, sizeof(frame));
	frame.conv = conv;
	status = read_spec(in, &frame.spec, error);
	if (status != JF_OK)
		return status;
	frame.needs = spec_needs(&frame.spec);
	status = check_capabilities(conv, &frame.spec, frame.needs, error);
	if (status != JF_OK)
		return status;
	status = check_limits(conv, &frame.spec, frame.needs, error);
	if (status != JF_OK)
		return status;
	for (unsigned int i = 0; i < conv->area_count; i++)
		if (!place_area(&frame, &conv->areas[i], &low))
			return jf_error_set(error, JF_E_BAD_DESC, conv->name, "more than %u slots", JF_FRAME_SLOTS_MAX);
	frame.size_bytes = (uint32_t)-low;
	frame.fixed_bytes = frame.size_bytes - frame.bpf_stack_bytes - frame.out_args_bytes;
	frame.landing_sp_off_from_cfa = -(int32_t)(frame.size_bytes - frame.out_args_bytes);
	*out = frame;
	return JF_OK;
}

/* ---- questions ------------------------------------------------------------------------------ */

int jf_frame_slot(const struct jf_frame *frame, enum jf_slot_kind kind, uint8_t reg)
{
	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (frame->slots[i].kind == kind && (reg == JF_REG_NONE || frame->slots[i].reg == reg))
			return (int)i;
	return -1;
}

uint32_t jf_frame_saved_mask(const struct jf_frame *frame)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (frame->slots[i].kind == JF_SLOT_RETURN || frame->slots[i].kind == JF_SLOT_SAVE)
			mask |= UINT32_C(1) << i;
	return mask;
}

enum jf_status jf_frame_boundary(const struct jf_convention *conv, struct jf_frame *frame)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	return jf_frame_solve(conv, &spec, frame, NULL);
}

int32_t jf_frame_spill_off(const struct jf_frame *frame, enum jf_slot_kind kind)
{
	int32_t low = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (frame->slots[i].kind == kind && frame->slots[i].off_from_cfa < low)
			low = frame->slots[i].off_from_cfa;
	return low ? low - frame->conv->fp_off_from_cfa : 0;
}

bool jf_frame_calls_pads(const struct jf_frame *frame)
{
	return frame->needs & JF_WHEN_CLEANUPS && frame->conv->cleanup_entry == JF_CLEANUP_CALLED;
}

bool jf_convention_supports(const struct jf_convention *conv, uint32_t caps)
{
	return (conv->caps & caps) == caps;
}

int jf_convention_unsaved(const struct jf_convention *conv, uint8_t *regs, size_t capacity)
{
	const struct jf_backend *backend = conv->backend;
	struct jf_frame boundary;
	enum jf_status status = jf_frame_boundary(conv, &boundary);
	int count = 0;

	if (status != JF_OK)
		return status;
	for (unsigned int i = 0; i < backend->reg_count; i++) {
		if (!(backend->regs[i].flags & JF_REG_CALLEE_SAVED) ||
		    jf_frame_slot(&boundary, JF_SLOT_SAVE, (uint8_t)i) >= 0)
			continue;
		if ((size_t)count < capacity)
			regs[count] = (uint8_t)i;
		count++;
	}
	return count;
}
