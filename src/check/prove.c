/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/prove.h"

#include "base/memory.h"
#include "base/sized.h"

#include <stdio.h>
#include <string.h>

/* ---- input ------------------------------------------------------------------------------------------------ */

static enum jf_status invalid(struct jf_error *error, const char *where, const char *what)
{
	return jf_error_set(error, JF_E_INVAL, where, "%s", what);
}

static const char *wrong_row(const struct jf_rows_input *input, const struct jf_row *row)
{
	const struct jf_backend *backend = input->backend;

	if (row->flags & (JF_ROW_UNKNOWN | JF_ROW_OUTERMOST))
		return NULL;
	if (row->cfa_reg >= backend->reg_count)
		return "a CFA register that the backend lacks";
	if (input->slot_count < 32 && row->saved >> input->slot_count)
		return "a slot that is not there";
	for (uint32_t left = row->saved; left; left &= left - 1)
		if (input->slots[__builtin_ctz(left)].reg >= backend->reg_count)
			return "a slot of a register that the backend lacks";
	return NULL;
}

static enum jf_status read_table(const struct jf_rows_input *input, struct jf_error *error)
{
	if (input->row_count && (!input->rows || (!input->slots && input->slot_count)))
		return invalid(error, "rows", "NULL");
	if (input->slot_count > JF_FRAME_SLOTS_MAX)
		return invalid(error, "slots", "more than 32");
	for (size_t i = 0; i < input->row_count; i++) {
		const char *wrong = wrong_row(input, &input->rows[i]);

		if (wrong)
			return invalid(error, "rows", wrong);
		if (i && input->rows[i].code_off < input->rows[i - 1].code_off)
			return invalid(error, "rows", "not sorted");
	}
	return JF_OK;
}

static bool are_inside(const struct jf_rows_input *input, const uint32_t *offs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!offs || offs[i] >= input->byte_count)
			return false;
	return true;
}

enum jf_status prover_read_input(const struct jf_rows_input *in, struct jf_rows_input *input, bool with_table,
				 struct jf_error *error)
{
	enum jf_status status;

	status = jf_sized_read(input, sizeof(*input), offsetof(struct jf_rows_input, jump_targets), in, "size", error);
	if (status != JF_OK)
		return status;
	if (!input->backend)
		return invalid(error, "backend", "NULL");
	if (!input->bytes || !input->byte_count || input->byte_count > JF_CHECK_BYTES_MAX)
		return invalid(error, "bytes", "none, or more than JF_CHECK_BYTES_MAX");
	if (!input->backend->decode)
		return jf_error_set(error, JF_E_UNSUPPORTED, "backend", "%s has no decoder", input->backend->name);
	if (!are_inside(input, input->jump_targets, input->jump_target_count))
		return invalid(error, "jump_targets", "NULL, or one outside of the code");
	if (!are_inside(input, input->entries, input->entry_count))
		return invalid(error, "entries", "NULL, or one outside of the code");
	if (!input->unlinked && input->unlinked_count)
		return invalid(error, "unlinked", "NULL");
	if (with_table)
		return read_table(input, error);
	input->row_count = 0;
	return JF_OK;
}

/* ---- all of a function ---------------------------------------------------------------------------------------- */

/*
 * A part of a function that begins with a landing pad has a no-op before the pad: GCC numbers pads from the start of
 * the part, and 0 is none. Nobody runs that no-op. returns: where the code is entered.
 */
static uint32_t first_entered(struct prover *p)
{
	const struct jf_row *row = prover_row(p, 0), *behind;

	p->c.off = 0;
	if (!leader_decode(&p->c) || !(p->c.effect.flags & JF_EFFECT_NOP) ||
	    p->c.effect.size_bytes >= p->c.input->byte_count)
		return 0;
	behind = prover_row(p, p->c.effect.size_bytes);
	return row && behind && !jf_row_same(row, behind) ? p->c.effect.size_bytes : 0;
}

enum jf_status prover_init(struct prover *p, const struct jf_rows_input *input, bool with_table)
{
	struct checker *c = &p->c;
	uint8_t align = input->backend->stack_align;

	memset(p, 0, sizeof(*p));
	p->input = input;
	p->plain.backend = input->backend;
	p->plain.frame_align = align;
	p->code = (struct jf_check_input)JF_CHECK_INPUT_INIT;
	p->code.bytes = input->bytes;
	p->code.byte_count = input->byte_count;
	p->code.address = input->address;
	if (with_table)
		p->table = (struct table){input->rows, input->row_count, input->slots, input->slot_count};
	c->input = &p->code;
	c->conv = &p->plain;
	c->backend = input->backend;
	c->sink = &p->sink;
	c->tail_entry = JF_MARK_UNSET;
	c->unlinked = input->unlinked;
	c->unlinked_count = input->unlinked_count;
	c->map = (struct stack_map){
		.bpf_low = 1, .count_reg = JF_REG_NONE, .reg_count = input->backend->reg_count, .saves_alone = true};
	c->flags = jf_calloc(input->byte_count, sizeof(*c->flags));
	c->leader_index = jf_calloc(input->byte_count, sizeof(*c->leader_index));
	if (!c->flags || !c->leader_index)
		return JF_E_NO_MEMORY;
	for (size_t i = 0; i < input->jump_target_count; i++)
		c->flags[input->jump_targets[i]] |= IS_TARGET | IS_LEADER;
	for (size_t i = 0; i < input->entry_count; i++)
		c->flags[input->entries[i]] |= IS_TARGET | IS_LEADER;
	for (size_t i = 0; i < p->table.row_count; i++)
		if (is_inside(c, p->table.rows[i].code_off))
			c->flags[p->table.rows[i].code_off] |= IS_ROW;
	p->entry = first_entered(p);
	c->flags[p->entry] |= p->entry ? IS_TARGET | IS_LEADER : 0;
	if (!leader_sweep(c))
		return JF_E_NO_MEMORY;
	c->budget = 64 * (uint64_t)c->insn_count + 4096;
	p->believed = jf_calloc(c->leader_count + 1, sizeof(*p->believed));
	p->is_weak = jf_calloc(c->leader_count + 1, sizeof(*p->is_weak));
	return p->believed && p->is_weak ? JF_OK : JF_E_NO_MEMORY;
}

void prover_fini(struct prover *p)
{
	checker_fini(&p->c);
	for (size_t i = 0; p->departures && i < prover_departures(p); i++)
		jf_free(p->departures[i]);
	jf_free(p->departures);
	jf_free(p->believed);
	jf_free(p->is_weak);
	jf_free(p->sink.findings);
}

/* Where the code is entered: what every caller sees to, unless the row there says that this is no function's start. */
static void enter(struct prover *p)
{
	uint32_t off = p->entry;
	const struct jf_row *row = prover_row(p, off);
	struct lie lie;

	p->c.off = off;
	checker_entry_state(&p->c, &p->state);
	if (row && row->flags & JF_ROW_UNKNOWN)
		row = NULL;
	if (row && truth_of_row(&p->c, &p->state, &p->table, row, &lie) != TRUTH_HOLDS) {
		truth_believe(&p->c, &p->table, row, &p->state);
		p->is_part = true;
		p->believing = off + 1;
	}
	arrive_at(p, &p->state, off);
}

enum jf_status prover_run(struct prover *p)
{
	if (p->table.row_count == 0 && !p->visit)
		prover_note(p, TRUTH_VAGUE, 0, NULL, NULL, "has no row");
	enter(p);
	follow_settle(p, 0);
	roots_follow(p);
	if (!p->c.budget || p->c.too_many)
		prover_note(p, TRUTH_VAGUE, 0, NULL, NULL, "begins code with too many ways to follow them all");
	return p->sink.no_memory ? JF_E_NO_MEMORY : JF_OK;
}

/* ---- jf_rows_verify() ------------------------------------------------------------------------------------------ */

static void describe(const struct prover *p, const struct proof_finding *finding, struct jf_rows_report *report)
{
	const struct lie *lie = &finding->lie;
	struct jf_effect effect;

	report->about = lie->about;
	report->reg = lie->reg;
	report->code_off = finding->off;
	report->row_off = finding->row_off;
	if (finding->off < p->code.byte_count &&
	    jf_decode(p->c.backend, p->code.bytes + finding->off, p->code.byte_count - finding->off, &effect) == JF_OK)
		report->name = effect.name;
	memcpy(report->says, lie->says, sizeof(report->says));
	memcpy(report->is, lie->is, sizeof(report->is));
	snprintf(report->text, sizeof(report->text), "at +0x%x `%s` %s%s%s%s%s", finding->off,
		 report->name ? report->name : "(bad)", finding->why, lie->says[0] ? " says " : "", lie->says,
		 !lie->is[0]                       ? "" :
		 !lie->says[0]                     ? ": " :
		 report->verdict == JF_ROWS_UNTRUE ? "; true is: " :
						     "; here: ",
		 lie->is);
}

/* Blocks are told apart by how they were reached. */
static void count(struct prover *p, struct jf_rows_report *report)
{
	struct checker *c = &p->c;

	for (uint32_t i = 0; i < c->leader_count; i++) {
		uint32_t end = i + 1 < c->leader_count ? c->leaders[i + 1].off : (uint32_t)c->input->byte_count;
		uint32_t insns = 0;

		if (!c->leaders[i].regs)
			continue;
		for (uint32_t off = c->leaders[i].off; off < end; off++)
			insns += c->flags[off] & IS_START;
		report->insn_count += insns;
		report->believed_count += p->believed[i] ? insns : 0;
	}
}

static void fill_in(struct prover *p, struct jf_rows_report *report)
{
	*report = (struct jf_rows_report){.size = sizeof(*report),
					  .reg = JF_REG_NONE,
					  .code_off = JF_ROWS_NO_OFF,
					  .row_off = JF_ROWS_NO_OFF,
					  .is_part = p->is_part,
					  .returns = p->returns};
	count(p, report);
	if (p->untrue.found) {
		report->verdict = JF_ROWS_UNTRUE;
		describe(p, &p->untrue, report);
	} else if (p->undecided.found) {
		report->verdict = JF_ROWS_UNDECIDED;
		describe(p, &p->undecided, report);
	}
}

enum jf_status jf_rows_verify(const struct jf_rows_input *in, struct jf_rows_report *report, struct jf_error *error)
{
	struct jf_rows_report done;
	struct jf_rows_input input;
	struct prover *p;
	enum jf_status status;

	if (!in || !report)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = jf_sized_read(&done, sizeof(done), offsetof(struct jf_rows_report, insn_count), report, "report size",
			       error);
	if (status == JF_OK)
		status = prover_read_input(in, &input, true, error);
	if (status != JF_OK)
		return status;
	p = jf_alloc(sizeof(*p));
	if (!p)
		return jf_error_set(error, JF_E_NO_MEMORY, "bytes", "no memory");
	status = prover_init(p, &input, true);
	if (status == JF_OK)
		status = prover_run(p);
	if (status == JF_OK)
		fill_in(p, &done);
	else
		jf_error_set(error, status, "bytes", "no memory");
	if (status == JF_OK)
		jf_sized_write(report, sizeof(done), &done);
	prover_fini(p);
	jf_free(p);
	return status;
}

const char *jf_rows_verdict_name(enum jf_rows_verdict verdict)
{
	static const char *const names[JF_ROWS__COUNT] = {"true", "untrue", "undecided"};

	return (unsigned int)verdict < JF_ROWS__COUNT ? names[verdict] : "?";
}
