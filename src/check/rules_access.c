/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

/* What one instruction may do to memory (R4, R6, R8, R9) and to the frame pointer (R2). */

static bool overlaps(const struct jf_slot *slot, int32_t off, uint32_t bytes)
{
	return off < slot->off_from_cfa + (int32_t)slot->size_bytes &&
	       slot->off_from_cfa < (int64_t)off + (bytes ? bytes : 1);
}

const struct jf_slot *frame_save_at(const struct jf_frame *frame, int32_t off, uint32_t bytes)
{
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if ((slot->kind == JF_SLOT_RETURN || slot->kind == JF_SLOT_SAVE) && overlaps(slot, off, bytes))
			return slot;
	}
	return NULL;
}

/* ---- R9: the state slots ---------------------------------------------------------------------------- */

static const char *count_slot_name(const struct checker *c, int32_t off)
{
	return off == c->map.tcc ? "the tail-call count" : "the pointer to the tail-call count";
}

/* The count itself: what came in, what a callee handed back, what was there, with or without one tail call more. */
static bool count_is_stored(const struct checker *c, const struct value *value, bool first)
{
	if (value->kind == VALUE_SLOT || value->kind == VALUE_COUNT)
		return !value->imm || value->imm == count_step(&c->map);
	if (value->kind == VALUE_CONST)
		return first && value->imm == c->map.count_start;
	return count_came_in(c, value);
}

/* What a prologue puts there is what came in, or the slot's address; a body counts up what was there. */
static bool is_count_for(const struct checker *c, const struct state *state, int32_t off, const struct value *value)
{
	bool first = !state_cell(state, off, count_slot_bytes(&c->map, off));

	if (c->map.count_by_value)
		return count_is_stored(c, value, first);

	/* Into a main program comes a count as well as an address: which of them decides what the address is. */
	if (off == c->map.tcc_ptr && c->map.is_main)
		return state->came_in == WAY_COUNT   ? value_is_cfa(value, c->map.tcc) :
		       state->came_in == WAY_ADDRESS ? value->kind == VALUE_COUNT && !value->imm :
						       value->kind == VALUE_COUNT && value->imm;
	if (value->kind == VALUE_COUNT)
		return !value->imm;
	if (value->kind == VALUE_SLOT)
		return true;
	if (c->map.count_reg != JF_REG_NONE && !c->map.is_main && value_is_entry(value, c->map.count_reg))
		return true;
	if (value->kind == VALUE_CONST)
		return first && off == c->map.tcc && !value->imm;
	if (off == c->map.tcc_ptr && value_is_cfa(value, c->map.tcc))
		return true;
	if (value->kind != VALUE_UNKNOWN)
		return false;
	/* What is stored from no register, such as 0, is neither here nor there. A callback gets a count that nobody
	 * reads. */
	return (c->rmw_off == off && off == c->map.tcc) ||
	       (first && (c->is_callback || (value->reg == JF_REG_NONE && value->def == c->off)));
}

static void judge_count(struct checker *c, const struct state *state, int32_t off, uint32_t bytes,
			const struct value *value)
{
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < 2; i++) {
		int32_t slot = i ? c->map.tcc_ptr : c->map.tcc;

		if (!slot || off >= slot + 8 || (int64_t)off + bytes <= slot)
			continue;
		applies(c, 9);
		if (value &&
		    (off != slot || bytes != count_slot_bytes(&c->map, slot) || !is_count_for(c, state, slot, value))) {
			value_text(c->backend, value, text, sizeof(text));
			finding(c, 9, verdict_on_count(value), "stores %s to CFA%+d, the slot of %s at CFA%+d", text,
				off, count_slot_name(c, slot), slot);
		} else if (!value && !state_cell_at(state, slot)) {
			finding(c, 9, state->cells_dropped ? JF_VERDICT_UNDECIDED : JF_VERDICT_BROKEN,
				"reads %s at CFA%+d, where it has not been stored on every way here",
				count_slot_name(c, slot), slot);
		}
	}
}

/* ---- R6: the save area -------------------------------------------------------------------------------- */

static void judge_store(struct checker *c, int32_t off, uint32_t bytes, const struct value *value)
{
	const struct jf_slot *slot = frame_save_at(&c->frame, off, bytes);
	char text[VALUE_TEXT_MAX];

	applies(c, 6);
	if ((int64_t)off + bytes > 0) {
		finding(c, 6, JF_VERDICT_BROKEN, "stores to CFA%+d, in the caller's frame", off);
		return;
	}
	if (!slot || c->input->kind == JF_CHECK_PRIVATE_STUB)
		return;
	if (slot->off_from_cfa == off && bytes <= slot->size_bytes && value_is_entry(value, slot->reg))
		return;
	/* A save that went astray: R1, R3, R4 and R5 tell what is missing where. */
	if (value->kind == VALUE_ENTRY && (is_callee_saved(c, value->reg) || value->reg == c->backend->ra) &&
	    !value->imm && !(c->input->marks[JF_MARK_BODY] <= c->off))
		return;
	value_text(c->backend, value, text, sizeof(text));
	finding(c, 6, JF_VERDICT_BROKEN, "stores %s to CFA%+d, the save slot of %s", text, off, reg_name(c, slot->reg));
}

/* ---- all of an access ------------------------------------------------------------------------------------ */

static void judge_bounds(struct checker *c, const struct state *state, int32_t off, uint32_t bytes, bool store)
{
	const struct value *sp = &state->regs[c->backend->sp];
	const char *verb = store ? "stores to" : "reads";

	applies(c, 8);
	if (sp->kind == VALUE_CFA && off < sp->imm - c->conv->red_zone_bytes && off < 0)
		finding(c, 8, JF_VERDICT_BROKEN, "%s %u bytes at CFA%+d, below SP = CFA%+lld", verb, bytes, off,
			(long long)sp->imm);
	else if (value_is_vague(sp) && (sp->kind != VALUE_STACK || sp->imm == 1))
		finding(c, 8, JF_VERDICT_UNDECIDED, "%s %u bytes at CFA%+d while SP cannot be told", verb, bytes, off);
}

void rules_access(struct checker *c, const struct state *state, const struct value *address, uint32_t bytes, bool store,
		  const struct value *value)
{
	char text[VALUE_TEXT_MAX];

	if (rules_cleanup_access(c, state, address, bytes))
		return;
	if (address->kind == VALUE_ENTRY && address->reg == c->backend->sp && c->is_callback) {
		if (store)
			finding(c, 4, JF_VERDICT_BROKEN,
				"stores below the frames that were thrown away, before it has taken over the "
				"boundary's SP");
		return;
	}
	if (address->kind == VALUE_SLOT && c->map.tcc_ptr && (int32_t)address->def == c->map.tcc &&
	    c->frame.spec.role != JF_ROLE_SUBPROGRAM)
		finding(c, 9, JF_VERDICT_BROKEN, "goes by what is in CFA%+d: the address of the count is in CFA%+d",
			c->map.tcc, c->map.tcc_ptr);
	if (address->kind == VALUE_SLOT && c->map.count_by_value && (int32_t)address->def == c->map.tcc)
		finding(c, 9, JF_VERDICT_BROKEN, "goes by what is in CFA%+d: the tail-call count, which is no address",
			c->map.tcc);
	if (address->kind == VALUE_STACK || address->kind == VALUE_LOST) {
		value_text(c->backend, address, text, sizeof(text));
		if (store)
			finding(c, 6, JF_VERDICT_UNDECIDED, "stores by an address that may be one of this frame: %s",
				text);
		return;
	}
	if (address->kind != VALUE_CFA)
		return; /* not of this stack, or derived from R10: the verifier's business */
	if (address->imm != (int32_t)address->imm)
		return; /* further away than any stack is large */
	judge_bounds(c, state, (int32_t)address->imm, bytes, store);
	judge_count(c, state, (int32_t)address->imm, bytes, value);
	if (store)
		judge_store(c, (int32_t)address->imm, bytes, value);
}

/* R9: what the register of the count gets is a count, or the caller's value back; R0 may get anything. */
void rules_count_read(struct checker *c, const struct state *state, int32_t off)
{
	const struct jf_slot *save = frame_save_at(&c->frame, off, 1);
	const struct cell *cell = state_cell_at(state, off);
	int spill = jf_frame_slot(&c->frame, JF_SLOT_SPILL, c->map.count_reg);

	if (!c->counts_tail_calls || off == c->map.tcc || off == c->map.tcc_ptr ||
	    (cell && value_is_entry(&cell->value, c->map.count_reg)) ||
	    (spill >= 0 && off == c->frame.slots[spill].off_from_cfa) ||
	    (c->conv->bpf_reg[JF_BPF_R0] == c->map.count_reg && (!save || save->reg == c->backend->fp)))
		return;
	finding(c, 9, JF_VERDICT_BROKEN, "reads CFA%+d into %s, where no tail-call count is kept", off,
		reg_name(c, c->map.count_reg));
}

/* What addresses memory is what it is there for: the count's address, in a register that is not R0 as well, and R10. */
void rules_base(struct checker *c, const struct state *state, const struct jf_step *step)
{
	uint8_t base = step->a;
	char text[VALUE_TEXT_MAX];

	if (!c->is_function || base == JF_REG_NONE)
		return;
	if (base == c->map.count_reg && !c->map.count_by_value && base != c->conv->bpf_reg[JF_BPF_R0] &&
	    !c->is_callback) {
		rules_count(c, state);
		if (step->imm || step->b != JF_REG_NONE)
			finding(c, 9, JF_VERDICT_BROKEN, "goes by %s, but not to where the tail-call count is",
				reg_name(c, base));
	}
	if (base == c->conv->bpf_fp_private && c->has_private_fp && !value_same(&state->regs[base], &c->private_fp)) {
		value_text(c->backend, &state->regs[base], text, sizeof(text));
		finding(c, 15, verdict_on(&state->regs[base]),
			"goes by R10 (%s) = %s, which is not the private stack any more", reg_name(c, base), text);
	}
}

static void judge_written(struct checker *c, unsigned int rule, uint8_t reg, int32_t off, const struct value *before,
			  const struct value *after)
{
	char text[VALUE_TEXT_MAX];

	if (!value_is_cfa(before, off))
		return;
	applies(c, rule);
	if (value_same(before, after) || value_is_entry(after, reg))
		return;
	value_text(c->backend, after, text, sizeof(text));
	finding(c, rule, verdict_on(after), "makes %s %s, which is neither this frame's CFA%+d nor the caller's",
		reg_name(c, reg), text, off);
}

/* Once they are the frame's, they stay until the caller's come back. */
void rules_written(struct checker *c, const struct value *fp, const struct value *bpf_fp, const struct state *after)
{
	uint8_t reg = c->conv->bpf_reg[JF_BPF_FP];

	if (c->input->kind == JF_CHECK_PRIVATE_STUB)
		return;
	judge_written(c, 2, c->backend->fp, c->conv->fp_off_from_cfa, fp, &after->regs[c->backend->fp]);
	if (c->is_function && reg != c->backend->fp && c->frame.bpf_stack_bytes)
		judge_written(c, c->is_callback ? 11 : 6, reg, c->frame.bpf_fp_off_from_cfa, bpf_fp, &after->regs[reg]);
}
