/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "bpf/unit.h"

/*
 * The table of clean-up pads of one function, by itself: what a binary search for a call, and a jump to a pad, take for
 * granted. Records are numbered as they lie in the table.
 */

struct table {
	const struct jf_unit *unit;
	struct jf_error *error;
	uint32_t record;
};

static JF_PRINTF(2, 3) enum jf_status bad(const struct table *t, const char *fmt, ...)
{
	enum jf_status status =
		jf_error_set(t->error, JF_E_BAD_INSN, t->unit->function->name, "cleanup record %u: ", t->record);
	va_list args;

	va_start(args, fmt);
	status = jf_error_add(t->error, status, fmt, args);
	va_end(args);
	return status;
}

const struct jf_cleanup *jf_cleanup_of(const struct jf_cleanups *table, uint32_t insn)
{
	uint32_t low = 0, high = table->count;

	/* Invariant: records before low end at or before insn, records from high on start after it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->list[middle].end <= insn)
			low = middle + 1;
		else if (table->list[middle].start > insn)
			high = middle;
		else
			return &table->list[middle];
	}
	return NULL;
}

const struct jf_cleanup *jf_cleanup_of_call(const struct jf_unit *unit, enum jf_op_kind kind, uint32_t insn)
{
	return kind == JF_OP_CALL || kind == JF_OP_CALL_REG ? jf_cleanup_of(&unit->cleanups, insn) : NULL;
}

static bool is_second(const struct table *t, uint32_t insn)
{
	return insn < t->unit->function->insn_count && t->unit->flags[insn] & JF_INSN_SECOND;
}

static enum jf_status check_places(const struct table *t, const struct jf_cleanup *record)
{
	const uint32_t places[] = {record->start, record->end, record->pad};
	uint32_t count = t->unit->function->insn_count;

	if (record->start >= record->end)
		return bad(t, "empty, from instruction %u to %u", record->start, record->end);
	if (record->end > count || record->pad >= count)
		return bad(t, "instruction %u is not in the function, which has %u",
			   record->end > count ? record->end : record->pad, count);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (is_second(t, places[i]))
			return bad(t, "%u is no instruction, but the second half of one", places[i]);
	return JF_OK;
}

enum jf_status jf_unit_check_cleanup_table(const struct jf_unit *unit, struct jf_error *error)
{
	const struct jf_cleanups *table = &unit->cleanups;
	struct table t = {unit, error, 0};

	if (table->count && !table->list)
		return bad(&t, "the table is NULL, and its count %u", table->count);
	for (; t.record < table->count; t.record++) {
		const struct jf_cleanup *record = &table->list[t.record];
		enum jf_status status = check_places(&t, record);

		if (status != JF_OK)
			return status;
		if (t.record && record->start < record[-1].start)
			return bad(&t, "not sorted, instruction %u comes behind %u", record->start, record[-1].start);
		if (t.record && record->start < record[-1].end)
			return jf_error_set(error, JF_E_BAD_INSN, unit->function->name,
					    "cleanup records %u and %u overlap at instruction %u", t.record - 1,
					    t.record, record->start);
	}
	for (t.record = 0; t.record < table->count; t.record++) {
		const struct jf_cleanup *around = jf_cleanup_of(table, table->list[t.record].pad);

		if (around)
			return bad(&t, "pad %u lies in the range of record %u", table->list[t.record].pad,
				   (uint32_t)(around - table->list));
		unit->flags[table->list[t.record].pad] |= JF_INSN_TARGET | JF_INSN_PAD;
	}
	return JF_OK;
}
