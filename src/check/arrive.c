/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/prove.h"

#include "base/memory.h"

#include <stdio.h>

/*
 * Where paths come to. A state that contradicts the row at the place where it arrives goes no further. What is said of
 * the code behind is then judged by the paths that the row is true for, and a lie is told where the lie begins.
 */

const struct jf_row *prover_row(const struct prover *p, uint32_t off)
{
	return jf_row_find(p->table.rows, p->table.row_count, off);
}

void prover_note(struct prover *p, enum truth truth, uint32_t off, const struct jf_row *row, const struct lie *lie,
		 const char *why)
{
	struct proof_finding *first = truth == TRUTH_LIES ? &p->untrue : &p->undecided;
	char leads[128];

	if (p->believing && lie) {
		snprintf(leads, sizeof(leads), "leads to +0x%x, which %s", off, why);
		off = p->believing - 1;
		why = leads;
	}
	if (truth == TRUTH_HOLDS || (first->found && first->off <= off))
		return;
	*first = (struct proof_finding){.found = true, .off = off, .row_off = row ? row->code_off : JF_ROWS_NO_OFF};
	if (lie)
		first->lie = *lie;
	else
		first->lie = (struct lie){.about = row ? JF_ROWS_ABOUT_ROW : JF_ROWS_ABOUT_CODE, .reg = JF_REG_NONE};
	snprintf(first->why, sizeof(first->why), "%s", why);
}

/* ---- arriving ------------------------------------------------------------------------------------------- */

/* A jump to another function's code: to its first instruction it is a tail call, unless that one has a frame. */
void arrive_outside(struct prover *p, uint64_t address)
{
	const struct jf_cfi_function *function = p->input->find ? p->input->find(p->input->arg, address) : NULL;
	struct table table;
	struct state entry;
	struct lie lie;
	const struct jf_row *row;
	enum truth truth;
	char why[128];

	p->returns = true;
	if (!function || !p->table.row_count)
		return;
	table = (struct table){function->rows, function->row_count, function->slots, function->slot_count};
	row = jf_row_find(table.rows, table.row_count, (uint32_t)(address - function->start));
	if (!row)
		return;
	checker_entry_state(&p->c, &entry);
	if (address == function->start && truth_of_row(&p->c, &entry, &table, row, &lie) == TRUTH_HOLDS)
		return;
	truth = truth_of_row(&p->c, &p->state, &table, row, &lie);
	if (truth == TRUTH_HOLDS)
		return;
	/* Either that row lies, or the jump is never taken: compilers let jumps that cannot happen go anywhere. */
	snprintf(why, sizeof(why), "jumps to 0x%llx, where a row", (unsigned long long)address);
	prover_note(p, TRUTH_VAGUE, p->c.off, prover_row(p, p->c.off), &lie, why);
}

/*
 * Without a table nothing says which calls return. Where what comes from behind a call has SP elsewhere than what a
 * jump brings, the call does not return. returns: whether the state is to be joined.
 */
static bool is_welcome(struct prover *p, const struct state *state, uint32_t index)
{
	struct leader *leader = &p->c.leaders[index];
	uint8_t sp = p->c.backend->sp;

	if (!leader->regs) {
		p->is_weak[index] = p->behind_call;
		return true;
	}
	if (leader->regs[sp].kind != VALUE_CFA || state->regs[sp].kind != VALUE_CFA ||
	    leader->regs[sp].imm == state->regs[sp].imm)
		return true;
	if (p->behind_call)
		return false;
	if (p->is_weak[index]) {
		jf_free(leader->regs);
		leader->regs = NULL;
		p->is_weak[index] = false;
	}
	return true;
}

void arrive_at(struct prover *p, const struct state *state, uint32_t off)
{
	const struct jf_row *row = prover_row(p, off);
	uint32_t index = p->c.leader_index[off];
	struct lie lie;
	char why[128];

	if (row) {
		enum truth truth = truth_of_row(&p->c, state, &p->table, row, &lie);

		if (truth != TRUTH_HOLDS) {
			snprintf(why, sizeof(why), "is reached from +0x%x, and has a row that", p->c.off);
			prover_note(p, truth, off, row, &lie,
				    p->c.off + p->c.effect.size_bytes == off ? "has a row that" : why);
			return;
		}
	}
	if (!(p->c.flags[off] & IS_START)) {
		if (off < p->c.input->byte_count)
			prover_note(p, TRUTH_VAGUE, off, NULL, NULL, "is no instruction that is known");
		return;
	}
	if (!p->table.row_count && !is_welcome(p, state, index))
		return;
	if (!p->c.leaders[index].regs || !p->believing)
		p->believed[index] = p->believing;
	leader_arrive(&p->c, state, off);
}

/*
 * Behind the code's last instruction: into the next function, perhaps over padding, or nobody knows where. Functions
 * begin at multiples of up to 64.
 */
void arrive_behind(struct prover *p)
{
	uint64_t end = p->c.input->address + p->c.input->byte_count;

	for (uint64_t align = 1; p->input->find && align <= 64; align *= 2) {
		uint64_t address = (end + align - 1) & -align;
		const struct jf_cfi_function *function = p->input->find(p->input->arg, address);

		if (function && (address == end || function->start == address)) {
			arrive_outside(p, address);
			return;
		}
	}
	prover_note(p, TRUTH_VAGUE, p->c.off, NULL, NULL, "is the last one, and control goes on behind it");
}
