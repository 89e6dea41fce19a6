/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle_run.h"

/* Tail calls that are counted, and those that are taken (R29): the count as it is in memory, before and after. */

static bool counts(const struct run *r)
{
	return !r->s->is_stub && r->in_body && r->s->frame.spec.tail_calls && !is_role(r, JF_ROLE_CALLBACK);
}

/* By value: the count that a callee has handed back comes into the slot. */
static bool is_handed_back(const struct run *r, const struct machine_access *a)
{
	return r->facts->count_by_value && r->count_is_out && a->store;
}

/* The count that this function and its callees go by: in its own slot, or where the pointer to it says. */
static bool is_at_count(const struct run *r, const struct machine_access *a)
{
	int tcc = jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE);

	if (a->bytes != 8)
		return false;
	if (r->facts->count_by_value)
		return tcc >= 0 && a->address == at_cfa(r->s->frame.slots[tcc].off_from_cfa);
	return is_count_pointer(r, a->address);
}

void count_charge(struct run *r, const struct jf_step *step, const struct machine_access *a)
{
	uint64_t more, one = r->facts->count_start ? UINT64_MAX : 1;

	if (!counts(r) || !is_at_count(r, a))
		return;
	more = a->value - r->tally;
	r->tally = a->value;
	if (!a->store || !more || is_handed_back(r, a))
		return;
	/* What comes into the slot without being asked for: whether it may is R9's. */
	if (more != one && step->a != count_reg(r))
		return;
	r->charges++;
	/* What is changed in place no step tells the value of. */
	if (more != one && !(step->c == JF_REG_NONE && r->m->access_count > 1))
		broken(r, 29, "the count is changed by %lld", (long long)more);
}

/* In a slot of the frame; or in a register that calls leave as it is, which needs no slot. */
static bool has_count(const struct run *r)
{
	return jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE) >= 0 ||
	       (r->s->frame.spec.tail_calls && r->backend->regs[count_reg(r)].flags & JF_REG_CALLEE_SAVED);
}

bool counts_elsewhere(const struct run *r, const struct jf_step *step, const struct machine_access *a)
{
	/* By value nothing is counted by way of the register. */
	if (step->a != count_reg(r) || !r->in_body || is_role(r, JF_ROLE_CALLBACK) || r->facts->count_by_value ||
	    !has_count(r))
		return false;
	/* R0 may be anything, and no memory is at an address as small as a count. */
	if (count_reg(r) == r->s->conv->bpf_reg[JF_BPF_R0])
		return a->address <= JF_TAIL_CALLS_MAX + 8;
	return !is_count_pointer(r, a->address);
}

void check_charges(struct run *r, unsigned int wanted)
{
	if (counts(r) && r->charges != wanted)
		broken(r, 29, "%u tail calls have been counted, %u taken", r->charges, wanted);
}
