/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/state.h"

#include <stdio.h>

/* Values as callers of the library see them, and in words. */

static uint8_t flags_of(const struct value *value)
{
	unsigned int flags = 0;

	if (value->flags & VALUE_SIGNED)
		flags |= JF_HELD_SIGNED;
	if (value->ext & 0x80)
		flags |= JF_HELD_BY_SIGN;
	return (uint8_t)flags;
}

/* Where it was made. */
static void set_origin(struct jf_held *held, uint32_t def)
{
	if (def == DEF_ENTRY) {
		held->flags |= JF_HELD_AT_ENTRY;
		return;
	}
	if (def & DEF_JOIN)
		held->flags |= JF_HELD_JOINED;
	held->code_off = def & ~DEF_JOIN;
}

struct jf_held value_held(const struct value *value)
{
	static const uint8_t kinds[] = {
		[VALUE_UNKNOWN] = JF_HELD_UNKNOWN, [VALUE_CONST] = JF_HELD_CONST,   [VALUE_ENTRY] = JF_HELD_ENTRY,
		[VALUE_CFA] = JF_HELD_CFA,         [VALUE_SLOT] = JF_HELD_SLOT,     [VALUE_COUNT] = JF_HELD_COUNT,
		[VALUE_BPF] = JF_HELD_BPF_STACK,   [VALUE_STACK] = JF_HELD_FRAME,   [VALUE_LOST] = JF_HELD_LOST,
		[VALUE_TALLY] = JF_HELD_UNKNOWN,   [VALUE_CHOSEN] = JF_HELD_CHOSEN,
	};
	struct jf_held held = {
		.kind = kinds[value->kind],
		.reg = value->kind == VALUE_ENTRY ? value->reg : JF_REG_NONE,
		.flags = flags_of(value),
		.low_bytes = value->ext & 0x7f,
		.code_off = JF_CHECK_NO_OFF,
		.imm = value->kind == VALUE_COUNT || value->kind == VALUE_CHOSEN ? 0 : value->imm,
	};

	if (value->kind == VALUE_SLOT || (value->kind == VALUE_ENTRY && value->flags & VALUE_SIGNED))
		held.off_from_cfa = (int32_t)value->def;
	if (held.kind == JF_HELD_UNKNOWN || value->kind == VALUE_BPF || value->kind == VALUE_STACK)
		set_origin(&held, value->def);
	return held;
}

/* "the caller's s0+8, signed" */
static int entry_text(const struct jf_backend *backend, const struct jf_held *held, char *text, size_t capacity)
{
	const char *name = held->reg < backend->reg_count ? backend->regs[held->reg].name : "?";
	char more[24] = "";

	if (held->imm)
		snprintf(more, sizeof(more), "%+lld", (long long)held->imm);
	return snprintf(text, capacity, "the caller's %s%s%s", name, more,
			held->flags & JF_HELD_SIGNED ? ", signed" : "");
}

int jf_held_text(const struct jf_backend *backend, const struct jf_held *held, char *text, size_t capacity)
{
	if (!backend || !held)
		return snprintf(text, capacity, "%s", "");
	switch (held->kind) {
	case JF_HELD_CONST: return snprintf(text, capacity, "%lld", (long long)held->imm);
	case JF_HELD_ENTRY: return entry_text(backend, held, text, capacity);
	case JF_HELD_CFA: return snprintf(text, capacity, "CFA%+lld", (long long)held->imm);
	case JF_HELD_SLOT: return snprintf(text, capacity, "what was in CFA%+d", held->off_from_cfa);
	case JF_HELD_COUNT: return snprintf(text, capacity, "the tail-call count");
	case JF_HELD_BPF_STACK: return snprintf(text, capacity, "an address in the BPF stack");
	case JF_HELD_CHOSEN: return snprintf(text, capacity, "one of two, by what came in");
	case JF_HELD_LOST: return snprintf(text, capacity, "what an unknown instruction wrote");
	default: break;
	}
	if (held->flags & JF_HELD_AT_ENTRY)
		return snprintf(text, capacity, "what was there at entry");
	if (held->flags & JF_HELD_JOINED)
		return snprintf(text, capacity, "something else on each way to +0x%x", held->code_off);
	return snprintf(text, capacity, "the result of +0x%x", held->code_off);
}

void value_text(const struct jf_backend *backend, const struct value *value, char *text, size_t capacity)
{
	struct jf_held held = value_held(value);

	if (value->kind == VALUE_CHOSEN)
		value_chosen_text(value, text, capacity);
	else
		jf_held_text(backend, &held, text, capacity);
}
