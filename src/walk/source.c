/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/source.h"

#include "walk/thread.h"
#include "walk/walk.h"

#include <jitframe/orc.h>

/* What describes the pc of a walk: the code map, ORC, .eh_frame, or a guess. */

static void look_up_cfi(struct walk *walk, uint64_t address)
{
	const char *name = NULL, *next_name = NULL;
	const struct jf_cfi_function *function = jf_cfi_find(walk->backend, address, &walk->room, &name), *next;

	/* A handler returns to the first byte of its trampoline, which nothing has called. */
	if (walk->frame.pc_is_return && (!function || function->end == walk->frame.pc)) {
		next = jf_cfi_find(walk->backend, walk->frame.pc, &walk->room, &next_name);
		if (next && next->flags & JF_CFI_SIGNAL && next->start == walk->frame.pc) {
			function = next;
			name = next_name;
			address = walk->frame.pc;
		} else if (function == &walk->room.function) {
			function = jf_cfi_find(walk->backend, address, &walk->room, &name);
		}
	}
	if (!function)
		return;
	if (!walk->frame.range) {
		walk->frame.function = function;
		walk->frame.name = name;
	}
	walk->frame.row = jf_row_find(function->rows, function->row_count, (uint32_t)(address - function->start));
	walk->frame.slots = function->slots;
	walk->frame.slot_count = function->slot_count;
}

/* Return addresses of formats that go back a whole instruction lie in that one, too. */
static void look_up_orc(struct walk *walk, uint64_t address)
{
	walk->frame.orc = jf_orc_index_find(walk->opts.orc, address);
	if (walk->frame.orc &&
	    jf_orc_to_row(walk->opts.orc_format, walk->frame.orc, &walk->made_row, walk->made_slots) == JF_OK) {
		walk->frame.row = &walk->made_row;
		walk->frame.slots = walk->made_slots;
		walk->frame.slot_count = JF_ORC_SLOTS;
	}
}

static void look_up_rows(struct walk *walk, const struct jf_range *range, uint64_t address)
{
	struct jf_range_rows rows;

	if (jf_range_find_rows(range, &rows) != JF_OK)
		return;
	walk->frame.row = jf_row_find(rows.rows, rows.row_count, (uint32_t)(address - range->start));
	walk->frame.slots = rows.slots;
	walk->frame.slot_count = rows.slot_count;
}

/* Range, C function or ORC entry, and the row in it. */
static void look_up(struct walk *walk, uint64_t address)
{
	const struct jf_range *range = jf_code_map_find(address);

	walk->frame.range = range && range->backend == walk->backend ? range : NULL;
	walk->frame.function = NULL;
	walk->frame.orc = NULL;
	walk->frame.row = NULL;
	walk->frame.slots = NULL;
	walk->frame.slot_count = 0;
	walk->frame.name = walk->frame.range ? walk->frame.range->name : NULL;
	if (!walk->frame.range || range_is_c(walk->frame.range)) {
		/* A stub of C is C code as far as its own frame goes. */
		if (walk->opts.orc)
			look_up_orc(walk, address);
		else
			look_up_cfi(walk, address);
	} else if (!walk->opts.by_record) {
		look_up_rows(walk, range, address);
	}
}

/* The frame record of the convention to guess by. */
static void make_guess(struct walk *walk)
{
	const struct jf_convention *conv = walk->opts.guess;
	const struct jf_backend *backend = walk->backend;

	walk->made_row = (struct jf_row){
		.cfa_reg = backend->fp,
		.cfa_off = -conv->fp_off_from_cfa,
		.saved = 3,
		.flags = JF_ROW_REGS_LOST | JF_ROW_GUESSED,
	};
	walk->frame.row = &walk->made_row;
	walk->frame.slots = walk->guess_slots;
	walk->frame.slot_count = JF_RECORD__COUNT;
}

static bool recall(struct walk *walk)
{
	struct walk_memos *memos = walk_own_memos();
	bool found;

	if (!walk_memos_take(memos))
		return false;
	found = walk_recall(memos, walk, walk->frame.pc);
	walk_memos_give(memos);
	return found;
}

enum jf_status jf_walk_locate(struct walk *walk)
{
	bool remembers = walk->remembers && walk->frame.pc_is_return;
	uint64_t age = atomic_load(&jf_code_map_age);
	const struct jf_row *row;
	enum jf_status status = JF_OK;

	if (!remembers || !recall(walk)) {
		walk->plain_depth = 0;
		look_up(walk, walk->frame.pc_is_return ? walk->frame.pc - 1 : walk->frame.pc);
		/* What an interrupted context or an ORC entry says takes no row. */
		if (walk_at_trampoline(walk)) {
			walk->frame.row = NULL;
			return JF_OK;
		}
		if (remembers && walk->frame.row && walk->frame.row != &walk->room.row)
			jf_walk_remember(walk, age);
	}
	if (walk->opts.guess && !walk->frame.orc && (!walk->frame.row || walk->frame.row->flags & JF_ROW_UNKNOWN))
		make_guess(walk);
	row = walk->frame.row;
	if (row && !(row->flags & JF_ROW_UNKNOWN) && walk_is_known(walk, row->cfa_reg)) {
		walk->frame.cfa = walk->regs.value[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_off;
		return JF_OK;
	}
	if (!row || row->flags & JF_ROW_UNKNOWN)
		status = JF_E_NO_ROW;
	else
		status = JF_E_LOST;
	walk->frame.row = NULL;
	/* jf_orc_step() has more to go by. */
	if (walk->frame.orc && walk->frame.orc->type != JF_ORC_UNDEFINED)
		return JF_OK;
	/* A walk that ends there needs no row; jf_walk_step_past_entry() finds it missing. */
	if (walk->frame.range && walk->frame.range->kind == JF_RANGE_ENTRY)
		return JF_OK;
	return walk_fail(walk, status, walk->frame.pc);
}
