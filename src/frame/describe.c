/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <jitframe/backend.h>
#include <jitframe/describe.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const role_names[JF_ROLE__COUNT] = {
	[JF_ROLE_MAIN] = "main",
	[JF_ROLE_SUBPROGRAM] = "subprogram",
	[JF_ROLE_BOUNDARY] = "boundary",
	[JF_ROLE_CALLBACK] = "callback",
};

static const char *const slot_names[JF_SLOT__COUNT] = {
	[JF_SLOT_RETURN] = "return",       [JF_SLOT_SAVE] = "save",
	[JF_SLOT_SPILL] = "spill",         [JF_SLOT_TCC] = "tcc",
	[JF_SLOT_TCC_PTR] = "tcc_ptr",     [JF_SLOT_PAD] = "pad",
	[JF_SLOT_BPF_STACK] = "bpf_stack", [JF_SLOT_OUT_ARGS] = "out_args",
	[JF_SLOT_CLEANUP] = "cleanup",     [JF_SLOT_THROW] = "throw",
};

static const char *const range_names[JF_RANGE__COUNT] = {
	[JF_RANGE_MAIN] = "main",         [JF_RANGE_SUBPROGRAM] = "subprogram",
	[JF_RANGE_BOUNDARY] = "boundary", [JF_RANGE_CALLBACK] = "callback",
	[JF_RANGE_STUB] = "stub",         [JF_RANGE_ENTRY] = "entry",
	[JF_RANGE_TRY] = "try",
};

static const struct {
	uint32_t cap;
	const char *name;
} cap_names[] = {
	{JF_CAP_EXCEPTIONS, "exceptions"},
	{JF_CAP_TAIL_CALLS, "tail_calls"},
	{JF_CAP_ARENA, "arena"},
	{JF_CAP_PRIVATE_STACK, "private_stack"},
	{JF_CAP_PRIVATE_STACK_CALLBACK, "private_stack_callback"},
	{JF_CAP_OUT_ARGS, "out_args"},
	{JF_CAP_LANDING_PADS, "landing_pads"},
	{JF_CAP_SIGN_RETURN, "sign_return"},
	{JF_CAP_RUN, "run"},
	{JF_CAP_USER_BASE, "user_base"},
	{JF_CAP_ATOMIC_INSNS, "atomic_insns"},
};

const char *jf_role_name(enum jf_role role)
{
	return (unsigned int)role < JF_ROLE__COUNT ? role_names[role] : "?";
}

const char *jf_slot_kind_name(enum jf_slot_kind kind)
{
	return (unsigned int)kind < JF_SLOT__COUNT ? slot_names[kind] : "?";
}

const char *jf_range_kind_name(enum jf_range_kind kind)
{
	return (unsigned int)kind < JF_RANGE__COUNT ? range_names[kind] : "?";
}

const char *jf_cap_name(uint32_t cap)
{
	for (size_t i = 0; i < JF_COUNT_OF(cap_names); i++)
		if (cap_names[i].cap == cap)
			return cap_names[i].name;
	return "?";
}

enum jf_status jf_role_parse(const char *name, enum jf_role *role)
{
	for (unsigned int i = 0; name && role && i < JF_ROLE__COUNT; i++) {
		if (!strcmp(name, role_names[i])) {
			*role = (enum jf_role)i;
			return JF_OK;
		}
	}
	return JF_E_NOT_FOUND;
}

/* ---- text into a fixed buffer, counting what it would need --------------------------------------- */

struct out {
	char *text;
	size_t capacity;
	size_t length;
};

static JF_PRINTF(2, 3) void put(struct out *out, const char *fmt, ...)
{
	size_t room = out->length < out->capacity ? out->capacity - out->length : 0;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(room ? out->text + out->length : NULL, room, fmt, args);
	va_end(args);
	if (length > 0)
		out->length += (size_t)length;
}

static void put_slot(struct out *out, const struct jf_frame *frame, const struct jf_slot *slot)
{
	const struct jf_backend *backend = frame->conv->backend;
	const char *reg = slot->reg < backend->reg_count ? backend->regs[slot->reg].name : "?";

	switch (slot->kind) {
	case JF_SLOT_RETURN: put(out, "%s, return address", reg); break;
	case JF_SLOT_SAVE:
		put(out, "%s of the caller%s", reg, slot->reg == backend->fp ? ", previous frame pointer" : "");
		break;
	case JF_SLOT_SPILL: put(out, "%s of this frame, fills the pair", reg); break;
	case JF_SLOT_THROW: put(out, "%s where this frame throws", reg); break;
	case JF_SLOT_TCC: put(out, "tail-call count"); break;
	case JF_SLOT_TCC_PTR: put(out, "pointer to the tail-call count"); break;
	case JF_SLOT_PAD: put(out, "padding"); break;
	case JF_SLOT_BPF_STACK: put(out, "BPF stack"); break;
	case JF_SLOT_CLEANUP: put(out, "throw whose clean-up pad runs"); break;
	default: put(out, "outgoing arguments");
	}
	if (slot->size_bytes != 8)
		put(out, ", %u bytes", slot->size_bytes);
}

int jf_slot_text(const struct jf_frame *frame, unsigned int slot, char *text, size_t capacity)
{
	struct out out = {text, capacity, 0};

	put(&out, "%s", "");
	if (slot < frame->slot_count)
		put_slot(&out, frame, &frame->slots[slot]);
	return (int)out.length;
}

int jf_row_text(const struct jf_backend *backend, const struct jf_row *row, const struct jf_slot *slots,
		unsigned int slot_count, char *text, size_t capacity)
{
	struct out out = {text, capacity, 0};

	if (row->flags & JF_ROW_UNKNOWN) {
		put(&out, "unknown");
		return (int)out.length;
	}
	put(&out, "CFA=%s%+d", backend->regs[row->cfa_reg].name, row->cfa_off);
	for (unsigned int i = 0; i < slot_count; i++)
		if (row->saved & UINT32_C(1) << i)
			put(&out, " %s@%d", backend->regs[slots[i].reg].name, slots[i].off_from_cfa);
	if (row->flags & JF_ROW_RA_SIGNED)
		put(&out, " signed");
	if (row->flags & JF_ROW_REGS_LOST)
		put(&out, " others-lost");
	return (int)out.length;
}

/* ---- the drawing --------------------------------------------------------------------------------- */

#define RULE "+------------------------------------------------+"

/* Where an unwinder that calls pads looks. */
static void put_spill(struct out *out, const struct jf_frame *frame, int32_t off, enum jf_slot_kind kind,
		      const char *what)
{
	const struct jf_convention *conv = frame->conv;
	int32_t spill_off = jf_frame_spill_off(frame, kind);

	if (jf_frame_calls_pads(frame) && spill_off && off == spill_off + conv->fp_off_from_cfa)
		put(out, "  <- %s, %s%+d", what, conv->backend->regs[conv->backend->fp].name, spill_off);
}

static void put_pointers(struct out *out, const struct jf_frame *frame, int32_t off)
{
	const struct jf_convention *conv = frame->conv;

	if (off == 0)
		put(out, "  <- CFA");
	if (off == conv->fp_off_from_cfa)
		put(out, "  <- %s", conv->backend->regs[conv->backend->fp].name);
	if (off == frame->bpf_fp_off_from_cfa && frame->needs & JF_WHEN_FP && !frame->spec.private_stack)
		put(out, "  <- R10");
	if (off == -(int32_t)frame->size_bytes)
		put(out, "  <- %s", conv->backend->regs[conv->backend->sp].name);
	put_spill(out, frame, off, JF_SLOT_SAVE, "spill area");
	put_spill(out, frame, off, JF_SLOT_THROW, "throw-site area");
}

int jf_frame_text(const struct jf_frame *frame, char *text, size_t capacity)
{
	struct out out = {text, capacity, 0};
	uint8_t order[JF_FRAME_SLOTS_MAX];

	/* Highest first: slots of a pair stand the other way round in the frame. */
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		unsigned int k = i;

		for (; k && frame->slots[order[k - 1]].off_from_cfa < frame->slots[i].off_from_cfa; k--)
			order[k] = order[k - 1];
		order[k] = (uint8_t)i;
	}
	put(&out, "%s/%s %s, %u bytes\n", frame->conv->backend->name, frame->conv->name,
	    jf_role_name((enum jf_role)frame->spec.role), frame->size_bytes);
	put(&out, "     CFA  %s", RULE);
	put_pointers(&out, frame, 0);
	put(&out, "\n");
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[order[i]];
		char what[64];

		jf_slot_text(frame, order[i], what, sizeof(what));
		put(&out, "%8d  | %-46s |", slot->off_from_cfa, what);
		put_pointers(&out, frame, slot->off_from_cfa);
		put(&out, "\n");
	}
	put(&out, "          %s\n", RULE);
	return (int)out.length;
}
