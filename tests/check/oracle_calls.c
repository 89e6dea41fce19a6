/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle_run.h"

#include <string.h>

/* What holds where the body begins, at calls and at exits. */

/* ---- what holds from the prologue on ------------------------------------------------------------------------ */

static void check_state_registers(struct run *r)
{
	const struct jf_frame *frame = &r->s->frame;
	const struct jf_convention *conv = r->s->conv;
	uint64_t bpf_fp = r->m->reg[conv->bpf_reg[JF_BPF_FP]];

	if (frame->spec.arena && r->m->reg[conv->arena_reg] != r->s->values.arena_base)
		broken(r, 15, "another arena base");
	/* Where R10 is the frame pointer, every access has the distance between the two in it. */
	if (frame->needs & JF_WHEN_FP && frame->bpf_stack_bytes && conv->bpf_reg[JF_BPF_FP] != r->backend->fp &&
	    bpf_fp != at_cfa(frame->bpf_fp_off_from_cfa))
		broken(r, is_role(r, JF_ROLE_CALLBACK) ? 11 : 6, "R10 is CFA%+lld", (long long)(bpf_fp - run_cfa));
}

static bool is_in_frame(const struct run *r, uint64_t value, unsigned int bytes)
{
	for (uint64_t at = run_cfa - 8; at >= r->m->reg[r->backend->sp] && machine_in_stack(at, 8); at -= 8)
		if (machine_read(r->m, at, bytes) == low_bytes(value, bytes))
			return true;
	return false;
}

static void check_saves(struct run *r)
{
	const struct jf_frame *frame = &r->s->frame;
	int ra = jf_frame_slot(frame, JF_SLOT_RETURN, r->backend->ra);
	int fp = jf_frame_slot(frame, JF_SLOT_SAVE, r->backend->fp);
	unsigned int rule = is_role(r, JF_ROLE_CALLBACK) ? 4 : is_role(r, JF_ROLE_BOUNDARY) ? 3 : 5;

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if ((int)i == ra || (int)i == fp) {
			if (!slot_holds(r, slot, true))
				broken(r, 1, "slot %u of the frame record is not the caller's", i);
		} else if (rule != 5 && slot->kind == JF_SLOT_SAVE && !slot_holds(r, slot, true)) {
			broken(r,
			       rule == 3 && is_in_frame(r, r->entry[slot->reg],
							r->backend->regs[slot->reg].size_bytes) ?
				       4 :
				       rule,
			       "%s is not in its slot", r->backend->regs[slot->reg].name);
		}
	}
	if (!is_role(r, JF_ROLE_BOUNDARY))
		return;
	for (unsigned int reg = 0; reg < r->backend->reg_count; reg++)
		if (r->backend->regs[reg].flags & JF_REG_CALLEE_SAVED &&
		    jf_frame_slot(frame, JF_SLOT_SAVE, (uint8_t)reg) < 0)
			r->out->known |= RULE(3);
}

/* A body changes all that the frame has saved for it. */
static void use_saved_registers(struct run *r)
{
	for (unsigned int i = 0; i < r->s->frame.slot_count; i++) {
		const struct jf_slot *slot = &r->s->frame.slots[i];

		if (slot->kind == JF_SLOT_SAVE && r->m->reg[slot->reg] == r->entry[slot->reg] &&
		    (!r->facts->count_is_pointer || slot->reg != count_reg(r)))
			r->m->reg[slot->reg] = low_bytes(machine_mix(r->m->salt + slot->reg, 13),
							 r->backend->regs[slot->reg].size_bytes);
	}
}

static void check_sp(struct run *r)
{
	const struct jf_frame *frame = &r->s->frame;
	uint64_t sp = r->m->reg[r->backend->sp];

	if (sp > at_cfa(-(int64_t)frame->size_bytes))
		broken(r, 8, "SP is above the frame's end");
	if (!is_role(r, JF_ROLE_CALLBACK))
		return;
	if (sp <= r->start[r->backend->sp])
		broken(r, 4, "SP is below what has been thrown away");
	if (frame->bpf_stack_bytes && sp > at_cfa((int64_t)frame->bpf_fp_off_from_cfa - frame->bpf_stack_bytes))
		broken(r, 11, "SP is above the BPF stack's end");
}

static enum call_kind kind_of(const struct run *r, uint64_t address)
{
	for (unsigned int i = 0; i < r->s->call_count; i++)
		if (r->s->calls[i].address == address)
			return r->s->calls[i].kind;
	return address == r->s->address ? TO_BPF : TO_C;
}

/* An unwinder that calls pads knows no rows: it looks into the frame's slots. */
static void check_spills(struct run *r)
{
	const struct jf_frame *frame = &r->s->frame;

	for (unsigned int i = 0; jf_frame_calls_pads(frame) && i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];
		uint64_t held = machine_read(r->m, at_cfa(slot->off_from_cfa), slot->size_bytes);

		if (slot->kind == JF_SLOT_SAVE && held != r->entry[slot->reg])
			broken(r, 20, "%s is not spilled", r->backend->regs[slot->reg].name);
		if (slot->kind == JF_SLOT_THROW && r->in_body && kind_of(r, r->m->target) == TO_THROW &&
		    held != r->m->reg[slot->reg])
			broken(r, 20, "%s is not stored for the throw", r->backend->regs[slot->reg].name);
	}
}

void enter_body(struct run *r)
{
	for (unsigned int i = 0; i < r->s->frame.slot_count; i++)
		check_count_slot(r, &r->s->frame.slots[i]);
	r->in_body = true;
	if (r->s->is_stub)
		return;
	machine_forget_choices(r->m); /* what a body does with such a register is the body's affair */
	check_sp(r);
	if (r->s->frame.spec.private_stack)
		check_private_stack(r);
	if (is_role(r, JF_ROLE_CALLBACK) && r->m->reg[r->s->conv->bpf_reg[JF_BPF_R1]] != r->start[r->backend->args[0]])
		broken(r, 13, "the cookie is lost");
	check_state_registers(r);
	check_saves(r);
	r->m->target = 0;
	check_spills(r);
	use_saved_registers(r);
}

/* ---- calls and exits --------------------------------------------------------------------------------------- */

/* What throws is behind a stub where C is. */
static bool is_straight_to_c(const struct run *r)
{
	enum call_kind kind = kind_of(r, r->m->target);

	return kind == TO_C || ((kind == TO_THROW || kind == TO_RESUME) &&
				!(r->backend->call_stubs && r->backend->call_stubs(r->s->conv)));
}

/* As a walk sees it from the callee: the link register is the callee's, and memory counts. */
static bool returns_to_true_row(const struct run *r, uint64_t sp)
{
	const struct jf_row *row = row_at(r->s, r->m->pc - 1);

	return row_holds(r, row, sp) && regs_are_true(r, row);
}

static bool is_known(const struct run *r, uint64_t address)
{
	for (unsigned int i = 0; i < r->s->call_count; i++)
		if (r->s->calls[i].address == address)
			return true;
	return false;
}

static bool is_in_bpf_stack(const struct run *r, uint64_t address)
{
	uint64_t high = at_cfa(r->s->frame.bpf_fp_off_from_cfa);

	return r->s->frame.spec.private_stack || (address < high && address >= high - r->s->frame.bpf_stack_bytes);
}

void look_at_call(struct run *r)
{
	const struct jf_backend *backend = r->backend;
	const struct jf_convention *conv = r->s->conv;
	uint64_t sp = r->m->reg[backend->sp] + (backend->ra_pushed ? 8 : 0);
	uint64_t align = r->s->is_stub || is_straight_to_c(r) ? 16 : conv->frame_align;

	if (sp % align)
		broken(r, 7, "SP is CFA%+lld", (long long)(sp - run_cfa));
	if (r->s->is_private_stub)
		return;
	if (r->m->reg[backend->fp] != at_cfa(conv->fp_off_from_cfa))
		broken(r, 2, "FP is another");
	if (sp > at_cfa(-(int64_t)r->s->frame.size_bytes) || !machine_in_stack(sp - 8, 8))
		broken(r, 8, "SP is above the frame's end");
	if (!r->s->is_stub && r->call_sp_off[r->m->at] && r->call_sp_off[r->m->at] != (int64_t)(sp - run_cfa))
		broken(r, 8, "SP is not the same on every way");
	r->call_sp_off[r->m->at] = (int64_t)(sp - run_cfa);
	if (r->s->row_count && !returns_to_true_row(r, sp))
		broken(r, 17, "the return address has no true row");
	if (r->s->is_stub)
		return;
	check_charges(r, 0);
	check_saves(r);
	check_spills(r);
	check_state_registers(r);
	if (r->s->frame.spec.private_stack)
		r->out->either |= RULE(15); /* when it is used, that is told */
	if (!is_known(r, r->m->target))
		r->out->either |= RULE(7); /* there may be C, or not */
	if (is_role(r, JF_ROLE_CALLBACK) && conv->landing == JF_LANDING_RESTORE)
		r->out->either |= RULE(15); /* both slots have what the throw gave */
	if (kind_of(r, r->m->target) == TO_MAY_GOTO && !is_in_bpf_stack(r, r->m->reg[conv->bpf_reg[JF_BPF_AX]]))
		broken(r, 18, "the stub is given something else than a place in the BPF stack");
	if (kind_of(r, r->m->target) == TO_BPF && r->s->frame.spec.tail_calls &&
	    !is_count_in_force(r, r->m->reg[count_reg(r)]))
		broken(r, is_role(r, JF_ROLE_CALLBACK) ? 15 : 9, "the callee gets no count");
}

/* The stub of timed may_goto keeps every BPF register but AX, which it returns something in. */
void after_call(struct run *r)
{
	const struct jf_convention *conv = r->s->conv;
	uint64_t kept[JF_BPF_REG__COUNT];

	for (unsigned int i = 0; i < JF_BPF_REG__COUNT; i++)
		kept[i] = r->m->reg[conv->bpf_reg[i]];
	if (kind_of(r, r->m->target) == TO_MAY_GOTO) {
		machine_return_from_c(r->m);
		for (unsigned int i = 0; i < JF_BPF_AX; i++)
			r->m->reg[conv->bpf_reg[i]] = kept[i];
	} else {
		machine_return_from_c(r->m);
	}
	if (kind_of(r, r->m->target) != TO_BPF || !r->facts->count_by_value || !r->s->frame.spec.tail_calls)
		return;
	r->m->reg[count_reg(r)] = r->returned = machine_mix(r->m->salt, 23) % JF_TAIL_CALLS_MAX;
	r->count_is_out = true;
	r->count_is_loaded = false;
}

static void check_restored(struct run *r, bool tail)
{
	for (unsigned int reg = 0; reg < r->backend->reg_count; reg++) {
		if (!(r->backend->regs[reg].flags & JF_REG_CALLEE_SAVED))
			continue;
		if (tail && (reg == r->backend->fp || reg == count_reg(r)))
			continue;
		if (r->m->reg[reg] != r->entry[reg])
			broken(r, tail ? 16 : 5, "%s is not the caller's", r->backend->regs[reg].name);
	}
}

static void check_return(struct run *r)
{
	uint64_t result = r->m->reg[r->backend->result], want = r->result;

	if (r->m->reg[r->backend->sp] != run_cfa)
		broken(r, 5, "returns with SP at CFA%+lld", (long long)(r->m->reg[r->backend->sp] - run_cfa));
	check_restored(r, false);
	for (unsigned int bpf = 0; r->s->is_private_stub && bpf < JF_BPF_AX; bpf++)
		if (r->m->reg[r->s->conv->bpf_reg[bpf]] != r->start[r->s->conv->bpf_reg[bpf]])
			broken(r, 18, "R%u is lost", bpf);
	if (r->s->is_stub)
		return;
	check_charges(r, 0);
	if (r->s->conv->result_bits == 32)
		want = (uint64_t)(int64_t)(int32_t)want;
	if (r->in_epilogue && result != want)
		broken(r, 14, "R0 is not returned");
	if (r->facts->count_by_value && r->s->frame.spec.tail_calls && !is_count_in_force(r, r->m->reg[count_reg(r)]))
		broken(r, is_role(r, JF_ROLE_CALLBACK) ? 15 : 9, "the count is not handed back");
}

/* Goes to a program whose address has been read from an array, but not to its tail-call entry. */
static bool misses_entry(const struct run *r, uint64_t target)
{
	bool near = false;
	uint32_t off;

	if (jf_tail_entry_off(r->s->conv, &r->s->frame.spec, &off) != JF_OK)
		return false;
	for (unsigned int i = 0; i < r->loaded_count && i < LOADED_MAX; i++) {
		if (r->loaded[i] + off == target)
			return false;
		near |= target - r->loaded[i] + NEAR < 2 * NEAR;
	}
	return near;
}

/* Whether it was read from elsewhere, or is near to what was: a program that has been looked up. */
static bool is_looked_up(const struct run *r, uint64_t target)
{
	for (unsigned int i = 0; i < r->loaded_count && i < LOADED_MAX; i++)
		if (target - r->loaded[i] + NEAR < 2 * NEAR)
			return true;
	return false;
}

/* What the next program takes the count from: our own, or what came in. */
static bool leaves_count(const struct run *r)
{
	uint64_t count = r->m->reg[count_reg(r)];
	int tcc = jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE);

	if (r->facts->count_is_pointer || r->facts->count_by_value)
		return is_count_in_force(r, count);
	if (is_main(r)) /* as it is after this tail call has been counted */
		return count == machine_read(r->m, at_cfa(r->s->frame.slots[tcc].off_from_cfa), 8);
	return count == r->incoming;
}

static void check_tail_exit(struct run *r)
{
	int64_t sp_off = (int64_t)(r->m->reg[r->backend->sp] - run_cfa);
	uint64_t fp = r->tail_fp_is_frames ? at_cfa(r->s->conv->fp_off_from_cfa) : r->entry[r->backend->fp];

	r->out->either |= RULE(16); /* where else it goes the program decides */
	if (misses_entry(r, r->m->target))
		broken(r, 16, "misses the next program's tail-call entry");
	if (sp_off != r->tail_sp_off)
		broken(r, 16, "leaves by a tail call with SP at CFA%+lld", (long long)sp_off);
	if (r->m->reg[r->backend->fp] != fp)
		broken(r, 16, "leaves by a tail call with another FP");
	if (!r->facts->record_stays && r->m->reg[r->backend->ra] != MACHINE_RETURN)
		broken(r, 16, "leaves by a tail call without the return address");
	check_restored(r, true);
	if (!leaves_count(r))
		broken(r, 9, "leaves by a tail call with another count");
	if (is_looked_up(r, r->m->target))
		check_charges(r, 1);
	else
		r->out->either |= RULE(29);
}

void look_at_exit(struct run *r)
{
	if (r->m->target == MACHINE_RETURN)
		check_return(r);
	else if (r->m->target - MACHINE_RETURN + NEAR < 2 * NEAR)
		broken(r, 5, "returns next to the return address");
	else if (r->m->effect.flow == JF_FLOW_JUMP_REG && r->s->frame.spec.tail_calls && r->in_body &&
		 !is_role(r, JF_ROLE_CALLBACK))
		check_tail_exit(r);
	else
		broken(r, 5, "returns to somewhere else");
}
