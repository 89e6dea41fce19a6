/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "codemap/index.h"
#include "codemap/section.h"
#include "codemap/source.h"
#include "codemap/watch.h"

#include <inttypes.h>
#include <jitframe/backend.h>
#include <pthread.h>

static pthread_mutex_t writer = PTHREAD_MUTEX_INITIALIZER;

_Atomic(const struct map_watch *) jf_code_map_watch;

void jf_code_map_lock(void)
{
	pthread_mutex_lock(&writer);
}

void jf_code_map_unlock(void)
{
	pthread_mutex_unlock(&writer);
}

const struct jf_range *jf_code_map_find(uint64_t address)
{
	return map_find(address);
}

/* ---- what a range has to be: walks take all of this for granted, and index with what rows and slots say ---- */

/* A range that is refused: who it is, and which of its fields is wrong. */
struct refusal {
	const struct jf_range *range;
	struct jf_error *error;
};

static JF_PRINTF(3, 4) enum jf_status refuse(const struct refusal *r, const char *where, const char *fmt, ...)
{
	enum jf_status status =
		jf_error_set(r->error, JF_E_INVAL, where, "range \"%s\": ", r->range->name ? r->range->name : "");
	va_list args;

	va_start(args, fmt);
	status = jf_error_add(r->error, status, fmt, args);
	va_end(args);
	return status;
}

static enum jf_status check_header(const struct refusal *r)
{
	const struct jf_range *range = r->range;

	if (range->kind >= JF_RANGE__COUNT)
		return refuse(r, "kind", "%u is none of enum jf_range_kind: JF_RANGE_MAIN, for example", range->kind);
	if (!range->name)
		return refuse(r, "name", "it is NULL: give the name that walks show");
	if (!range->backend)
		return refuse(r, "backend", "it is NULL: jf_backend_host() is the one of code that runs here");
	if (range->start >= range->end)
		return refuse(r, "end", "0x%" PRIx64 " is not above start, 0x%" PRIx64, range->end, range->start);
	if (range->end - range->start > UINT32_MAX)
		return refuse(r, "end", "the range has 4 GiB or more: register parts of it");
	return JF_OK;
}

/* out: *restorable, the slots that hold a register. */
static enum jf_status check_slots(const struct refusal *r, const struct jf_range_rows *rows, uint32_t *restorable)
{
	*restorable = 0;
	if (rows->slot_count > JF_FRAME_SLOTS_MAX)
		return refuse(r, "slot_count", "%u slots, the limit is %d", rows->slot_count, JF_FRAME_SLOTS_MAX);
	if (rows->slot_count && !rows->slots)
		return refuse(r, "slots", "it is NULL, and slot_count is %u", rows->slot_count);
	for (unsigned int i = 0; i < rows->slot_count; i++)
		if (rows->slots[i].reg < r->range->backend->reg_count)
			*restorable |= UINT32_C(1) << i;
	return JF_OK;
}

static enum jf_status check_row(const struct refusal *r, const struct jf_range_rows *rows, size_t i,
				uint32_t restorable)
{
	const struct jf_backend *backend = r->range->backend;
	const struct jf_row *row = &rows->rows[i];

	if (i && row->code_off <= rows->rows[i - 1].code_off)
		return refuse(r, "rows",
			      "rows[%zu].code_off, %" PRIu32
			      ", is not above the one before: sort the rows; emit the parts "
			      "of a function behind one jf_function_begin()",
			      i, row->code_off);
	if (row->cfa_reg >= backend->reg_count)
		return refuse(r, "rows", "rows[%zu].cfa_reg is %u, no register id of %s", i, row->cfa_reg,
			      backend->name);
	if (row->saved & ~restorable)
		return refuse(r, "rows", "rows[%zu].saved has bits of slots that hold no register", i);
	return JF_OK;
}

static enum jf_status check_rows(const struct refusal *r, const struct jf_range_rows *rows)
{
	uint32_t restorable;
	enum jf_status status = check_slots(r, rows, &restorable);

	if (status != JF_OK)
		return status;
	if (!rows->rows || !rows->row_count)
		return refuse(
			r, "rows",
			"there are none: give rows, or `lazy`; jf_rows_make() makes rows from code, and only ENTRY "
			"and TRY ranges go without");
	if (rows->rows[0].code_off)
		return refuse(r, "rows", "rows[0] begins at byte %" PRIu32 ", and has to begin at 0, the range's start",
			      rows->rows[0].code_off);
	for (size_t i = 0; i < rows->row_count && status == JF_OK; i++)
		status = check_row(r, rows, i, restorable);
	return status;
}

static struct jf_range_rows rows_of(const struct jf_range *range)
{
	return (struct jf_range_rows){range->rows, range->row_count, range->slots, range->slot_count};
}

static enum jf_status check_lazy(const struct refusal *r)
{
	const struct jf_range *range = r->range;

	if (range->rows || range->row_count || range->slots || range->slot_count)
		return refuse(r, "lazy", "there are rows or slots beside it: leave them 0");
	if (!range->lazy->ask)
		return refuse(r, "lazy", "its ask is NULL: give a function that gives the rows");
	if (range->lazy->known)
		return refuse(r, "lazy", "its known is the library's: set it to NULL, for each range its own");
	return JF_OK;
}

static enum jf_status check_source(const struct refusal *r)
{
	const struct jf_range *range = r->range;
	const char *wrong = jf_source_lines_wrong(range->lines, range->line_count, range->insn_count);

	if (range->insn_count && !range->insn_off)
		return refuse(r, "insn_off", "it is NULL, and insn_count is %" PRIu32, range->insn_count);
	return wrong ? refuse(r, "lines", "%s", wrong) : JF_OK;
}

/* What a throw leaves in a frame while its pad runs. */
static bool has_cleanup_slots(const struct jf_range *range)
{
	unsigned int count = 0;

	for (unsigned int i = 0; range->slots && i < range->slot_count; i++)
		count += range->slots[i].kind == JF_SLOT_CLEANUP;
	return count == 2;
}

/* Whether a pad that is called finds the way back to the unwinder. */
static bool has_way_back(const struct jf_range *range)
{
	const struct jf_backend *backend = range->backend;
	uint8_t back = range->cleanup_back;
	const struct jf_reg *reg = back < backend->reg_count ? &backend->regs[back] : NULL;

	return backend->ra_pushed ||
	       (reg && reg->cls == JF_REG_INT && reg->flags & JF_REG_CALLEE_SAVED && back != backend->fp);
}

static enum jf_status check_cleanups(const struct refusal *r)
{
	const struct jf_range *range = r->range;
	uint64_t bytes = range->end - range->start;

	if (range->cleanup_entry >= JF_CLEANUP__COUNT)
		return refuse(r, "cleanup_entry", "%u is none of enum jf_cleanup_entry", range->cleanup_entry);
	if (range->cleanup_count && range->cleanup_entry == JF_CLEANUP_RESUMED && !has_cleanup_slots(range))
		return refuse(r, "slots", "there are pads to resume, and not two slots of kind JF_SLOT_CLEANUP");
	if (range->cleanup_count && range->cleanup_entry == JF_CLEANUP_CALLED && !has_way_back(range))
		return refuse(r, "cleanup_back", "%u is no register for addresses that calls keep: pads go back by it",
			      range->cleanup_back);
	if (range->cleanup_count && !range->cleanups)
		return refuse(r, "cleanups", "it is NULL, and cleanup_count is %" PRIu32, range->cleanup_count);
	for (uint32_t i = 0; i < range->cleanup_count; i++) {
		const struct jf_cleanup_code *record = &range->cleanups[i];

		if (record->start_off >= record->end_off || record->end_off > bytes ||
		    (record->pad_off >= bytes && record->pad_off != JF_CLEANUP_IN_PAD))
			return refuse(r, "cleanups", "cleanups[%" PRIu32 "] is empty, or outside of the range", i);
		if (i && record->start_off < record[-1].end_off)
			return refuse(r, "cleanups", "cleanups[%" PRIu32 "] is not above the one before", i);
	}
	return JF_OK;
}

static bool is_c(const struct jf_range *range)
{
	return range->kind == JF_RANGE_ENTRY || range->kind == JF_RANGE_TRY;
}

static enum jf_status check_range(const struct jf_range *range, struct jf_error *error)
{
	const struct refusal r = {range, error};
	const struct jf_range_rows rows = rows_of(range);
	enum jf_status status;

	if (range->size != sizeof(*range))
		return jf_error_set(error, JF_E_INVAL, "size",
				    "size is %u: set it to sizeof(struct jf_range), which is %zu in this library",
				    range->size, sizeof(*range));
	status = check_header(&r);
	if (status == JF_OK)
		status = check_source(&r);
	if (status == JF_OK)
		status = check_cleanups(&r);
	if (status == JF_OK && !is_c(range))
		status = range->lazy ? check_lazy(&r) : check_rows(&r, &rows);
	if (status == JF_OK && (range->kind == JF_RANGE_BOUNDARY || range->kind == JF_RANGE_TRY) && !range->callback)
		status = refuse(&r, "callback", "it is 0, and a throw that lands in the range goes there");
	return status;
}

/* ---- rows that are asked for ----------------------------------------------------------------------------- */

static const struct jf_row unknown_row = {.flags = JF_ROW_UNKNOWN};
static const struct jf_range_rows unknown = {.rows = &unknown_row, .row_count = 1};

/* The first answer is kept: what another thread, or a handler that interrupts this, may have put there. */
static const struct jf_range_rows *ask(const struct jf_range *range)
{
	struct jf_lazy_rows *lazy = range->lazy;
	const struct refusal nobody = {range, NULL};
	const struct jf_range_rows *known = __atomic_load_n(&lazy->known, __ATOMIC_ACQUIRE), *answer;

	if (known)
		return known;
	answer = lazy->ask(lazy->arg, range);
	if (!answer)
		return NULL;
	if (check_rows(&nobody, answer) != JF_OK)
		answer = &unknown;
	if (__atomic_compare_exchange_n(&lazy->known, &known, answer, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return answer;
	return known;
}

enum jf_status jf_range_find_rows(const struct jf_range *range, struct jf_range_rows *rows)
{
	const struct jf_range_rows *answer;

	if (!range || !rows)
		return JF_E_INVAL;
	if (is_c(range))
		return JF_E_NO_ROW;
	if (!range->lazy) {
		*rows = rows_of(range);
		return JF_OK;
	}
	answer = ask(range);
	if (!answer)
		return JF_E_NO_ROW;
	*rows = *answer;
	return JF_OK;
}

/* ---- adding and removing ------------------------------------------------------------------------------- */

static enum jf_status overlap(const struct jf_range *range, struct jf_error *error)
{
	return jf_error_set(error, JF_E_OVERLAP, "start",
			    "range \"%s\", [0x%" PRIx64 ", 0x%" PRIx64 "), has addresses of a range that is there",
			    range->name, range->start, range->end);
}

static enum jf_status add_locked(const struct jf_range *ranges, size_t count, struct jf_error *error)
{
	enum jf_status status = JF_OK;
	size_t put = 0; /* of the last one, when there was no memory, a part */

	while (put < count && status == JF_OK) {
		if (!jf_map_is_free(ranges[put].start, ranges[put].end - 1))
			status = overlap(&ranges[put], error);
		else if (!jf_map_put(&ranges[put++]))
			status = jf_error_set(error, JF_E_NO_MEMORY, "", "%s", jf_status_text(JF_E_NO_MEMORY));
	}
	atomic_fetch_add(&jf_code_map_age, 1);
	if (status == JF_OK)
		return JF_OK;
	while (put-- > 0)
		jf_map_take(&ranges[put]);
	jf_map_flush();
	return status;
}

enum jf_status jf_code_map_add_all(const struct jf_range *ranges, size_t count, struct jf_error *error)
{
	const struct map_watch *watch;
	enum jf_status status = JF_OK;

	if (!ranges || !count)
		return jf_error_set(error, JF_E_INVAL, ranges ? "count" : "ranges", "there is no range");
	if (jf_code_map_in_section())
		return jf_error_set(error, JF_E_IN_SECTION, "", "%s", jf_status_text(JF_E_IN_SECTION));
	for (size_t i = 0; i < count && status == JF_OK; i++)
		status = check_range(&ranges[i], error);
	if (status != JF_OK)
		return status;
	pthread_mutex_lock(&writer);
	status = add_locked(ranges, count, error);
	watch = atomic_load_explicit(&jf_code_map_watch, memory_order_relaxed);
	if (status == JF_OK && watch)
		watch->added(ranges, count);
	pthread_mutex_unlock(&writer);
	return status;
}

enum jf_status jf_code_map_add(const struct jf_range *range, struct jf_error *error)
{
	return jf_code_map_add_all(range, 1, error);
}

static enum jf_status remove_locked(const struct jf_range *ranges, size_t count)
{
	const struct map_watch *watch = atomic_load_explicit(&jf_code_map_watch, memory_order_relaxed);

	for (size_t i = 0; i < count; i++)
		if (map_find(ranges[i].start) != &ranges[i])
			return JF_E_NOT_FOUND;
	if (watch)
		watch->removed(ranges, count);
	for (size_t i = 0; i < count; i++)
		jf_map_take(&ranges[i]);
	jf_map_flush();
	return JF_OK;
}

enum jf_status jf_code_map_remove_all(const struct jf_range *ranges, size_t count)
{
	enum jf_status status;

	if (!ranges || !count)
		return JF_E_INVAL;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&writer);
	status = remove_locked(ranges, count);
	pthread_mutex_unlock(&writer);
	return status;
}

enum jf_status jf_code_map_remove(const struct jf_range *range)
{
	return jf_code_map_remove_all(range, 1);
}
