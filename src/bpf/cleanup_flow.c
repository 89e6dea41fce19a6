/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/calls.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/*
 * What clean-up pads do. A pad is entered by a throw alone, and every path of it ends in the call that hands the throw
 * on (jf_import.resumes): no return, no tail call, no end of the function, nothing that may throw. Nothing outside of
 * pads makes that call.
 *
 * Followed instruction by instruction, first from the function's entry, then from each pad. Code that both reach is a
 * stray resume, since each path of a pad comes to one. Where an instruction has been, from whichever pad, all that
 * comes behind has been looked at.
 */

enum {
	IN_BODY = 1 << 0, /* reached from the function's entry */
	IN_PAD = 1 << 1,
	RESUMES = 1 << 2, /* some path comes to a resume */
};

struct flow {
	const struct jf_program *program;
	const struct jf_unit *units;
	uint32_t count;
	const struct jf_usage *usage;
	bool called; /* pads run on another stack than their frame's */
	struct jf_error *error;
	bool *throws;  /* by function: it may throw, or something that it refers to may */
	bool *returns; /* by function: some path returns */
	/* Of the function at hand: */
	const struct jf_unit *unit;
	uint8_t *marks;  /* by instruction */
	uint32_t *work;  /* instructions to go on from */
	uint32_t *first; /* by instruction: the first jump to it, + 1 */
	uint32_t *next;  /* by jump: the next one to the same instruction, + 1 */
	uint32_t work_count;
};

static JF_PRINTF(2, 3) enum jf_status bad(const struct flow *f, const char *fmt, ...)
{
	enum jf_status status = jf_error_set(f->error, JF_E_BAD_INSN, f->unit->function->name, "%s", "");
	va_list args;

	va_start(args, fmt);
	status = jf_error_add(f->error, status, fmt, args);
	va_end(args);
	return status;
}

/* ---- one instruction ----------------------------------------------------------------------------------- */

static bool is_resume(const struct flow *f, const struct jf_insn *insn)
{
	const struct jf_import *import = jf_insn_import(f->program, insn);

	return import && import->resumes;
}

static bool may_throw(const struct flow *f, const struct jf_insn *insn)
{
	const struct jf_import *import = jf_insn_import(f->program, insn);

	return import ? import->throws : jf_insn_names_function(insn) && f->throws[insn->imm];
}

static bool goes_on(const struct flow *f, const struct jf_insn *insn)
{
	return jf_insn_goes_on(f->program, insn, f->returns);
}

/* ---- from one instruction to all that it reaches --------------------------------------------------------- */

static void reach(struct flow *f, uint32_t i, uint8_t mark)
{
	if (f->marks[i] & mark)
		return;
	f->marks[i] |= mark;
	f->work[f->work_count++] = i;
}

static enum jf_status check_in_pad(const struct flow *f, uint32_t pad, uint32_t i)
{
	const struct jf_function *function = f->unit->function;
	const struct jf_insn *insn = &function->insns[i];
	enum jf_op_kind kind = jf_insn_kind(insn);
	uint32_t behind = i + (kind == JF_OP_IMM64 ? 2 : 1);

	if (kind == JF_OP_EXIT)
		return bad(f, "cleanup pad %u: returns at instruction %u (catching is not supported)", pad, i);
	if (jf_insn_is_tail_call(insn))
		return bad(f, "cleanup pad %u: tail call at instruction %u", pad, i);
	if (may_throw(f, insn))
		return bad(f, "cleanup pad %u: may throw at instruction %u", pad, i);
	if (f->called && kind == JF_OP_ARG_PUT)
		return bad(f, "cleanup pad %u: argument after the fifth at instruction %u", pad, i);
	if (behind == function->insn_count && goes_on(f, insn))
		return bad(f, "cleanup pad %u: runs off the end of the function at instruction %u", pad, i);
	return JF_OK;
}

static enum jf_status check_in_body(const struct flow *f, uint32_t i)
{
	if (is_resume(f, &f->unit->function->insns[i]))
		return bad(f, "instruction %u: resume outside of a cleanup pad", i);
	return JF_OK;
}

/* Marks all that `from` reaches. mark IN_PAD: `from` is a pad. */
static enum jf_status follow(struct flow *f, uint32_t from, uint8_t mark)
{
	const struct jf_function *function = f->unit->function;

	reach(f, from, mark);
	while (f->work_count) {
		uint32_t i = f->work[--f->work_count];
		const struct jf_insn *insn = &function->insns[i];
		enum jf_op_kind kind = jf_insn_kind(insn);
		uint32_t behind = i + (kind == JF_OP_IMM64 ? 2 : 1);
		enum jf_status status = mark == IN_PAD ? check_in_pad(f, from, i) : JF_OK;

		if (status != JF_OK)
			return status;
		if (jf_op_jumps(kind))
			reach(f, (uint32_t)jf_jump_target(i, insn), mark);
		if (goes_on(f, insn) && behind < function->insn_count)
			reach(f, behind, mark);
	}
	return JF_OK;
}

/* ---- from resumes back to all that comes to one --------------------------------------------------------- */

/* What jumps where, and the resumes. */
static void look_back(struct flow *f)
{
	const struct jf_function *function = f->unit->function;

	memset(f->first, 0, function->insn_count * sizeof(*f->first));
	for (uint32_t i = 0; i < function->insn_count; i++) {
		const struct jf_insn *insn = &function->insns[i];

		if (f->unit->flags[i] & JF_INSN_SECOND)
			continue;
		if (is_resume(f, insn))
			reach(f, i, RESUMES);
		if (jf_op_jumps(jf_insn_kind(insn))) {
			uint32_t target = (uint32_t)jf_jump_target(i, insn);

			f->next[i] = f->first[target];
			f->first[target] = i + 1;
		}
	}
}

static void follow_back(struct flow *f)
{
	const struct jf_function *function = f->unit->function;

	look_back(f);
	while (f->work_count) {
		uint32_t i = f->work[--f->work_count], before = i;

		for (uint32_t jump = f->first[i]; jump; jump = f->next[jump - 1])
			reach(f, jump - 1, RESUMES);
		if (!i)
			continue;
		before = i - (f->unit->flags[i - 1] & JF_INSN_SECOND ? 2 : 1);
		if (goes_on(f, &function->insns[before]))
			reach(f, before, RESUMES);
	}
}

/* ---- one function --------------------------------------------------------------------------------------- */

static enum jf_status check_pads(struct flow *f)
{
	const struct jf_cleanups *table = &f->unit->cleanups;

	follow_back(f);
	for (uint32_t i = 0; i < table->count; i++) {
		enum jf_status status = follow(f, table->list[i].pad, IN_PAD);

		if (status != JF_OK)
			return status;
		if (!(f->marks[table->list[i].pad] & RESUMES))
			return bad(f, "cleanup pad %u: never resumes", table->list[i].pad);
	}
	for (uint32_t i = 0; i < f->unit->function->insn_count; i++)
		if ((f->marks[i] & (IN_PAD | RESUMES)) == IN_PAD)
			return bad(f, "instruction %u: it is reached from a cleanup pad, and never resumes", i);
	for (uint32_t i = 0; i < f->unit->function->insn_count; i++)
		f->unit->flags[i] |= f->marks[i] & IN_PAD ? JF_INSN_IN_PAD : 0;
	return JF_OK;
}

static enum jf_status check_function(struct flow *f)
{
	uint32_t count = f->unit->function->insn_count;
	enum jf_status status;

	memset(f->marks, 0, count);
	status = follow(f, 0, IN_BODY);
	if (status == JF_OK)
		status = check_pads(f);
	for (uint32_t i = 0; status == JF_OK && i < count; i++)
		if (!(f->unit->flags[i] & JF_INSN_SECOND) && (f->marks[i] & IN_BODY || !(f->marks[i] & IN_PAD)))
			status = check_in_body(f, i);
	return status;
}

/* ---- all functions -------------------------------------------------------------------------------------- */

static enum jf_status check_all(struct flow *f)
{
	enum jf_status status = JF_OK;

	for (uint32_t i = 0; i < f->count; i++)
		f->throws[i] = f->usage[i].throws;
	if (jf_units_spread(f->units, f->count, f->throws) != JF_OK ||
	    jf_units_find_returns(f->program, f->units, f->count, f->returns) != JF_OK)
		return jf_error_set(f->error, JF_E_NO_MEMORY, "", "no memory for the compiler");
	for (uint32_t i = 0; status == JF_OK && i < f->count; i++) {
		f->unit = &f->units[i];
		if (f->unit->cleanups.count || f->usage[i].resumes)
			status = check_function(f);
	}
	return status;
}

static enum jf_status check_tables(const struct jf_unit *units, uint32_t count, struct jf_error *error)
{
	enum jf_status status = JF_OK;

	for (uint32_t i = 0; status == JF_OK && i < count; i++)
		status = jf_unit_check_cleanup_table(&units[i], error);
	return status;
}

enum jf_status jf_units_check_cleanups(const struct jf_program *program, const struct jf_unit *units, uint32_t count,
				       const struct jf_usage *usage, bool called, struct jf_error *error)
{
	struct flow f = {
		.program = program, .units = units, .count = count, .usage = usage, .called = called, .error = error};
	enum jf_status status = check_tables(units, count, error);
	size_t most = 0;

	if (status != JF_OK)
		return status;
	for (uint32_t i = 0; i < count; i++)
		most = most < units[i].function->insn_count ? units[i].function->insn_count : most;
	f.throws = jf_calloc(2 * (size_t)count, sizeof(*f.throws));
	f.marks = jf_alloc(most);
	f.work = jf_alloc(3 * most * sizeof(*f.work));
	if (f.throws && f.marks && f.work) {
		f.returns = f.throws + count;
		f.first = f.work + most;
		f.next = f.first + most;
		status = check_all(&f);
	} else {
		status = jf_error_set(error, JF_E_NO_MEMORY, "", "no memory for the compiler");
	}
	jf_free(f.work);
	jf_free(f.marks);
	jf_free(f.throws);
	return status;
}
