/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What holds at every instruction: rows, and what memory is read and written. */

uint8_t reg_named(const struct jf_backend *backend, const char *name)
{
	for (unsigned int i = 0; i < backend->reg_count; i++)
		if (!strcmp(backend->regs[i].name, name))
			return (uint8_t)i;
	return JF_REG_NONE;
}

void broken(struct run *r, unsigned int rule, const char *format, ...)
{
	int length;
	va_list args;

	if (!r->out->rules) {
		length = snprintf(r->out->text, sizeof(r->out->text), "R%u at +0x%x: ", rule, r->m->at);
		va_start(args, format);
		vsnprintf(r->out->text + length, sizeof(r->out->text) - (size_t)length, format, args);
		va_end(args);
	}
	r->out->rules |= RULE(rule);
}

uint8_t count_reg(const struct run *r)
{
	return r->count;
}

bool is_role(const struct run *r, enum jf_role role)
{
	return !r->s->is_stub && r->s->frame.spec.role == (uint32_t)role;
}

bool is_main(const struct run *r)
{
	return is_role(r, JF_ROLE_MAIN) || is_role(r, JF_ROLE_BOUNDARY);
}

uint64_t run_cfa = MACHINE_CFA;

static uint64_t return_address(const struct run *r, bool in_memory)
{
	bool is_signed = in_memory && r->s->frame.spec.sign_return;

	return is_signed ? machine_sign(MACHINE_RETURN, run_cfa) : MACHINE_RETURN;
}

/* Whether a slot of the frame has the caller's value. */
bool slot_holds(const struct run *r, const struct jf_slot *slot, bool signed_return)
{
	unsigned int bytes = r->backend->regs[slot->reg].size_bytes;
	uint64_t want = slot->kind == JF_SLOT_RETURN ? return_address(r, signed_return) : r->entry[slot->reg];

	return machine_read(r->m, at_cfa(slot->off_from_cfa), bytes) == low_bytes(want, bytes);
}

static bool holds_callers_value(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_RETURN || slot->kind == JF_SLOT_SAVE;
}

/* ---- rows (R10, R17) ----------------------------------------------------------------------------------- */

const struct jf_row *row_at(const struct subject *s, uint32_t off)
{
	const struct jf_row *row = NULL;

	for (uint32_t i = 0; i < s->row_count && s->rows[i].code_off <= off; i++)
		row = &s->rows[i];
	return row;
}

bool regs_are_true(const struct run *r, const struct jf_row *row)
{
	bool saved[JF_REGS_MAX] = {false}, is_signed = row->flags & JF_ROW_RA_SIGNED;

	for (unsigned int i = 0; i < r->s->row_slot_count; i++) {
		const struct jf_slot *slot = &r->s->row_slots[i];

		if (!(row->saved & UINT32_C(1) << i))
			continue;
		if (slot->reg >= r->backend->reg_count || !slot_holds(r, slot, is_signed) ||
		    at_cfa(slot->off_from_cfa) < r->m->reg[r->backend->sp])
			return false;
		saved[slot->reg] = true;
	}
	if (!saved[r->backend->ra] &&
	    (r->backend->ra_pushed ||
	     r->m->reg[r->backend->ra] != (is_signed ? machine_sign(MACHINE_RETURN, run_cfa) : MACHINE_RETURN)))
		return false;
	for (unsigned int i = 0; !(row->flags & JF_ROW_REGS_LOST) && i < r->callee_saved_count; i++)
		if (!saved[r->callee_saved[i]] && r->m->reg[r->callee_saved[i]] != r->entry[r->callee_saved[i]])
			return false;
	return true;
}

bool row_holds(const struct run *r, const struct jf_row *row, uint64_t sp)
{
	uint64_t base;

	if (!row || row->flags & JF_ROW_UNKNOWN || row->cfa_reg >= r->backend->reg_count)
		return false;
	base = row->cfa_reg == r->backend->sp ? sp : r->m->reg[row->cfa_reg];
	return base + (uint64_t)(int64_t)row->cfa_off == run_cfa;
}

void look_at_row(struct run *r)
{
	const struct jf_row *row = row_at(r->s, r->m->pc);

	if (!r->s->row_count || (row == r->row && r->m->changes == r->changes))
		return;
	r->row = row;
	r->changes = r->m->changes;
	r->m->at = r->m->pc;
	if (!row_holds(r, row, r->m->reg[r->backend->sp]))
		broken(r, 10, "the row has another CFA");
	else if (!regs_are_true(r, row))
		broken(r, 10, "the row has a register elsewhere");
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static bool overlaps(const struct machine_access *a, const struct jf_slot *slot)
{
	uint64_t start = at_cfa(slot->off_from_cfa);

	return a->address < start + slot->size_bytes && start < a->address + a->bytes;
}

/* What prologues put into a save area: the value of a register that is to be saved, wherever. */
static bool is_a_save(const struct run *r, uint64_t value)
{
	if (value == return_address(r, false) || value == return_address(r, true))
		return true;
	for (unsigned int reg = 0; reg < r->backend->reg_count; reg++)
		if (r->backend->regs[reg].flags & JF_REG_CALLEE_SAVED && value == r->entry[reg])
			return true;
	return false;
}

static void check_store(struct run *r, const struct machine_access *a)
{
	const struct jf_frame *frame = &r->s->frame;

	if (a->address + a->bytes > run_cfa)
		broken(r, 6, "stores into the caller's frame");
	if (!r->in_body && is_a_save(r, a->value))
		return;
	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (holds_callers_value(&frame->slots[i]) && overlaps(a, &frame->slots[i]))
			broken(r, 6, "stores into save slot %u", i);
}

static bool has_killed(const struct run *r, uint64_t value)
{
	for (unsigned int i = 0; i < r->killed_count; i++)
		if (r->killed[i] == value)
			return true;
	return false;
}

/* The pointer to the count in force: our own slot's address, what came in, or what the prologue chose. */
bool is_count_pointer(const struct run *r, uint64_t value)
{
	int tcc = jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE);

	/* In a boundary that has been entered by a tail call it would not be. */
	if (tcc >= 0 && value == at_cfa(r->s->frame.slots[tcc].off_from_cfa) && is_role(r, JF_ROLE_CALLBACK))
		r->out->either |= RULE(15) | RULE(9);
	if (tcc >= 0 && value == at_cfa(r->s->frame.slots[tcc].off_from_cfa))
		return r->incoming <= JF_TAIL_CALLS_MAX;
	/* What chooses between a count and an address is not followed by this machine. */
	if (has_killed(r, value))
		r->out->either |= RULE(9) | RULE(15);
	return has_killed(r, value) || (r->incoming > JF_TAIL_CALLS_MAX && value == r->incoming);
}

/* What a callee, and by value a caller, goes by. */
bool is_count_in_force(const struct run *r, uint64_t value)
{
	int tcc = jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE);

	if (!r->facts->count_by_value)
		return is_count_pointer(r, value);
	return tcc >= 0 && !r->count_is_out &&
	       value == machine_read(r->m, at_cfa(r->s->frame.slots[tcc].off_from_cfa), 8);
}

/* Where R0 is the count's register too, a program may load and store there what it likes for all that can be told. */
static void told(struct run *r, unsigned int rule, const char *format, unsigned int slot)
{
	if (count_reg(r) == r->s->conv->bpf_reg[JF_BPF_R0])
		r->out->either |= RULE(rule);
	else
		broken(r, rule, format, slot);
}

/* A count slot, as a load from it finds it. */
void check_count_slot(struct run *r, const struct jf_slot *slot)
{
	uint64_t value = machine_read(r->m, at_cfa(slot->off_from_cfa), 8);
	bool counted = r->in_body && value <= JF_TAIL_CALLS_MAX + 1; /* by somebody else */
	bool is_count = value == r->incoming || counted || has_killed(r, value);

	/* Comes in by a tail call, and neither makes one nor calls what does. */
	if (r->facts->count_by_value && r->by_tail_call && !r->s->frame.spec.tail_calls)
		return;
	if (r->count_is_out)
		told(r, 9, "the count is not yet in slot %u", (unsigned int)(slot - r->s->frame.slots));
	/* What a program counts up is not what this is about. */
	if (slot->kind == JF_SLOT_TCC && r->in_body && is_main(r))
		return;
	if (slot->kind == JF_SLOT_TCC ? !is_count : slot->kind == JF_SLOT_TCC_PTR && !is_count_pointer(r, value))
		broken(r, 9, "no count is in the slot at CFA%+d", slot->off_from_cfa);
}

/* The count comes from where the prologue has put it. */
static void check_load(struct run *r, const struct machine_access *a, bool is_count)
{
	const struct jf_frame *frame = &r->s->frame;

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if (a->address != at_cfa(slot->off_from_cfa))
			continue;
		if (slot->kind == JF_SLOT_TCC) {
			r->last_count = a->value;
			r->count_is_loaded = is_count;
		}
		if (slot->kind == JF_SLOT_TCC || slot->kind == JF_SLOT_TCC_PTR)
			check_count_slot(r, slot);
		else if (is_count && slot->reg != count_reg(r))
			told(r, 9, "the count comes from slot %u", i);
		return;
	}
	if (is_count)
		told(r, 9, "the count comes from no slot", 0);
}

/* Whether a value was loaded from the thread's word: in a segment, or from what the processor gives as a base. */
static bool is_thread_word(const struct run *r, unsigned int n)
{
	uint64_t base = r->loaded_from[n] - r->s->values.private_stack_word;
	bool found = base == r->loaded_by[n]; /* the machine's segments */

	for (unsigned int reg = 0; reg < r->backend->reg_count; reg++)
		found |= r->backend->regs[reg].flags & JF_REG_RESERVED && r->m->reg[reg] == base;
	for (unsigned int i = 0; i < r->killed_count; i++)
		found |= r->is_raw[i] && r->killed[i] == base;
	return found;
}

/*
 * What the processor may give as a base: a system register, memory of another segment, or what no step says; a
 * thread's word alone in conventions of user space. *is_word: whether that is where it is from.
 */
static uint64_t nearest_base(const struct run *r, uint64_t base, bool *is_word)
{
	uint64_t best = 0; /* none at all */

	*is_word = false;
	for (unsigned int reg = 0; reg < r->backend->reg_count; reg++)
		if (r->backend->regs[reg].flags & JF_REG_RESERVED && r->m->reg[reg] - base + NEAR < 2 * NEAR)
			best = r->m->reg[reg];
	for (unsigned int i = 0; i < r->loaded_count && i < LOADED_MAX; i++)
		if (r->loaded[i] - base + NEAR < 2 * NEAR) {
			best = r->loaded[i];
			*is_word = is_thread_word(r, i);
		}
	for (unsigned int i = 0; i < r->killed_count; i++)
		if (r->is_raw[i] && r->killed[i] - base + NEAR < 2 * NEAR)
			best = r->killed[i];
	return best;
}

/*
 * R10 is the private stack's end plus a base. What is near to that, or near to it without a base, is wrong; of
 * anything else nobody can say how it came about.
 */
void check_private_stack(struct run *r)
{
	const struct jf_convention *conv = r->s->conv;
	uint32_t align = conv->bpf_stack_align, bytes = (r->s->frame.spec.bpf_stack_bytes + align - 1) / align * align;
	uint64_t value = r->m->reg[conv->bpf_fp_private];
	uint64_t base = value - (r->s->private_stack + conv->private_stack_guard_bytes + bytes);
	bool is_user = conv->caps & JF_CAP_USER_BASE, is_word;
	uint64_t nearest = nearest_base(r, base, &is_word);

	if (base == nearest && base && (is_word || !is_user))
		return;
	/* From elsewhere: how it came there is nothing that steps tell. */
	if (base == nearest && base)
		r->out->either |= RULE(6) | RULE(15);
	else if (nearest || base + NEAR < 2 * NEAR || machine_in_stack(value, 1))
		broken(r, 15, "R10 is not in the private stack");
	else
		r->out->either |= RULE(6) | RULE(15);
}

/* Before the instruction; what it has written to its own base does not matter here. */
static bool goes_by_stack(const struct run *r, const struct jf_step *step)
{
	return (step->a != JF_REG_NONE && machine_in_stack(r->m->reg[step->a], 1)) ||
	       (step->b != JF_REG_NONE && machine_in_stack(r->m->reg[step->b], 1));
}

/* By value: what a callee has handed back; else what was there, or one tail call less: whether the program counts is
 * not what this is about. */
static bool puts_count(struct run *r, const struct machine_access *a)
{
	int tcc = jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE);
	bool is_out = r->count_is_out;

	if (!r->facts->count_by_value || tcc < 0 || a->bytes != 8 ||
	    a->address != at_cfa(r->s->frame.slots[tcc].off_from_cfa))
		return false;
	r->count_is_out = false;
	if (is_out) {
		r->last_count = r->returned;
		return a->value == r->returned;
	}
	/* What is still in the count's register may be the count, by chance. */
	if (!r->count_is_loaded && r->in_body)
		r->out->either |= RULE(9);
	return a->value == r->last_count || a->value == r->last_count - 1;
}

static void check_count_store(struct run *r, const struct machine_access *a)
{
	const struct jf_frame *frame = &r->s->frame;

	if (puts_count(r, a))
		return;
	for (unsigned int i = 0; i < frame->slot_count; i++)
		if ((frame->slots[i].kind == JF_SLOT_TCC || frame->slots[i].kind == JF_SLOT_TCC_PTR) &&
		    overlaps(a, &frame->slots[i]))
			told(r, 9, "stores into the count's slot %u", i);
}

void look_at_accesses(struct run *r, uint64_t sp_before)
{
	uint64_t sp = r->m->reg[r->backend->sp], low = sp < sp_before ? sp : sp_before;
	unsigned int next = 0;

	for (unsigned int i = 0; i < r->m->effect.step_count; i++) {
		const struct jf_step *step = &r->m->effect.steps[i];
		const struct machine_access *a = &r->m->access[next];

		if (step->kind != JF_STEP_LOAD && step->kind != JF_STEP_STORE)
			continue;
		next++;
		count_charge(r, step, a);
		if (counts_elsewhere(r, step, a))
			broken(r, 9, "counts at another place");
		if (step->a == count_reg(r))
			r->out->either |= RULE(9);
		if (step->a == r->s->conv->bpf_fp_private && r->s->frame.spec.private_stack && r->in_body &&
		    step->dst != step->a)
			check_private_stack(r);
		if (!machine_in_stack(a->address, a->bytes)) {
			/* Wherever that is, it is no place in any frame here; on another day it may be. */
			if (a->store && goes_by_stack(r, step))
				r->out->either |= RULE(6);
			continue;
		}
		if (a->store && r->in_body && step->a != count_reg(r))
			check_count_store(r, a);
		if (a->address < low - r->s->conv->red_zone_bytes)
			broken(r, 8, "%s below SP", a->store ? "stores" : "loads");
		if (a->store)
			check_store(r, a);
		else if (!r->s->is_stub && r->in_body)
			check_load(r, a, step->dst == count_reg(r) && r->s->frame.spec.tail_calls);
	}
}
