/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "walk/thread.h"
#include "walk/walk.h"
#include <jitframe/throw.h>

#include <string.h>

/*
 * What walks remember of return addresses: never other than what a look-up would find. The stack is an array; every
 * frame has its record at FP:
 *
 *     FP + 8   return address
 *     FP + 0   the caller's FP          CFA = FP + 16
 */

#define WORDS 64

static uint64_t stack[WORDS];

static const struct jf_backend *host(void)
{
	const struct jf_backend *backend = jf_backend_host();

	if (!backend)
		cr_skip_test("nothing is remembered where nothing runs");
	return backend;
}

static uint64_t at(unsigned int word)
{
	return (uintptr_t)&stack[word];
}

/* ---- code ------------------------------------------------------------------------------------------------ */

#define INNER    UINT64_C(0x100000)
#define MIDDLE   UINT64_C(0x200000)
#define BOUNDARY UINT64_C(0x300000)
#define CALLBACK UINT64_C(0x400000)

static struct jf_slot record[2];
static struct jf_row row, other_row;

static struct jf_range range_of(uint64_t start, uint8_t kind, const char *name)
{
	const struct jf_backend *backend = host();

	record[0] = (struct jf_slot){.kind = JF_SLOT_RETURN, .reg = backend->ra, .off_from_cfa = -8, .size_bytes = 8};
	record[1] = (struct jf_slot){.kind = JF_SLOT_SAVE, .reg = backend->fp, .off_from_cfa = -16, .size_bytes = 8};
	row = (struct jf_row){.cfa_reg = backend->fp, .cfa_off = 16, .saved = 3};
	other_row = (struct jf_row){.cfa_reg = backend->fp, .cfa_off = 32, .saved = 3};
	return (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = kind,
		.start = start,
		.end = start + 0x100,
		.name = name,
		.backend = backend,
		.rows = &row,
		.row_count = 1,
		.slots = record,
		.slot_count = 2,
		.callback = CALLBACK,
		.landing_sp_off_from_cfa = -48,
		.fp_off_from_cfa = -16,
	};
}

/* Three frames: inner at word 8, middle at 16, boundary at 24. */
static void fill_stack(void)
{
	memset(stack, 0, sizeof(stack));
	stack[8] = at(16);
	stack[9] = MIDDLE + 0x20;
	stack[16] = at(24);
	stack[17] = BOUNDARY + 0x30;
	stack[24] = at(32);
	stack[25] = 0x500000;
}

static enum jf_status start(struct jf_walk *walk)
{
	const struct jf_backend *backend = host();
	struct jf_memory memory = {.size = sizeof(memory), .low = at(0), .high = at(WORDS)};
	struct jf_regs regs;

	memset(&regs, 0, sizeof(regs));
	regs.value[backend->sp] = at(4);
	regs.value[backend->fp] = at(8);
	return jf_walk_start(walk, backend, &memory, &regs, INNER + 0x10, true);
}

/* The names of the frames up to where the walk ends, in one word. */
static void walk_through(char *names, size_t size)
{
	struct jf_walk walk;
	enum jf_status status = start(&walk);
	const struct jf_walk_frame *frame = jf_walk_at(&walk);

	names[0] = '\0';
	for (; status == JF_OK; status = jf_walk_step(&walk)) {
		size_t length = strlen(names);
		char where[24] = "-"; /* the CFA's word; an entry has none */

		if (frame->row)
			snprintf(where, sizeof(where), "%ld", (long)(frame->cfa - at(0)) / 8);
		snprintf(names + length, size - length, "%s%s:%s", length ? " " : "", frame->name, where);
	}
	jf_walk_end(&walk);
}

static void check_walk(const char *wanted)
{
	char names[200];

	walk_through(names, sizeof(names));
	CHECK(!strcmp(names, wanted), "%s", names);
}

static struct jf_range inner, middle, boundary;

static void add_all(void)
{
	cr_assert_neq(jf_thread_init(), JF_E_NO_MEMORY);
	inner = range_of(INNER, JF_RANGE_SUBPROGRAM, "inner");
	middle = range_of(MIDDLE, JF_RANGE_SUBPROGRAM, "middle");
	boundary = range_of(BOUNDARY, JF_RANGE_BOUNDARY, "boundary");
	cr_assert_eq(jf_code_map_add(&inner, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&middle, NULL), JF_OK);
	cr_assert_eq(jf_code_map_add(&boundary, NULL), JF_OK);
	fill_stack();
}

/* The memo of a return address, by its place; its number is 0 where there is none. */
static uint16_t memo_of(uint64_t pc)
{
	const struct walk_memos *memos = &jf_thread_own->memos;

	for (unsigned int way = 0; way < WALK_WAYS; way++)
		if (memos->memo[memos->places[walk_memo_set(pc)][way]].pc == pc)
			return memos->places[walk_memo_set(pc)][way];
	return 0;
}

/* ---- walks ------------------------------------------------------------------------------------------------- */

Test(walk_memo, a_second_walk_sees_the_same)
{
	add_all();
	check_walk("inner:10 middle:18 boundary:26");
	cr_assert_eq(jf_thread_own->memos.memo[memo_of(MIDDLE + 0x20)].pc, MIDDLE + 0x20);
	check_walk("inner:10 middle:18 boundary:26");
}

/* More addresses than there are memos, each with an age of its own: all sets overflow. */
Test(walk_memo, a_memo_that_is_found_is_the_addresss_own)
{
	struct walk walk = {.backend = host(), .frame = {.row = &row, .slots = record, .slot_count = 2}};
	unsigned int found = 0, late = 0;

	cr_assert_neq(jf_thread_init(), JF_E_NO_MEMORY);
	for (uint64_t i = 1; i <= 4 * WALK_MEMOS; i++) {
		walk.frame.pc = 0x1000 * i;
		jf_walk_remember(&walk, i);
		cr_assert_eq(memo_of(0x1000 * i), walk.memo);
	}
	for (uint64_t i = 1; i <= 4 * WALK_MEMOS; i++) {
		uint16_t at;
		const struct walk_memo *memo = walk_memo_find(&jf_thread_own->memos, 0x1000 * i, i, 7, &at);

		cr_assert(!memo || (memo->pc == 0x1000 * i && memo == &jf_thread_own->memos.memo[at]));
		cr_assert_null(walk_memo_find(&jf_thread_own->memos, 0x1000 * i, i + 1, at, &at));
		found += memo != NULL;
		late += memo && i > 4 * WALK_MEMOS - WALK_MEMOS / 2;
	}
	cr_assert_lt(found, WALK_MEMOS);
	/* Of the last half, nearly all. */
	cr_assert_gt(late, WALK_MEMOS * 7 / 16, "%u", late);
}

Test(walk_memo, a_thread_without_a_record_sees_the_same)
{
	struct jf_thread *own;

	add_all();
	check_walk("inner:10 middle:18 boundary:26");
	own = jf_thread_own;
	jf_thread_own = NULL;
	check_walk("inner:10 middle:18 boundary:26");
	check_walk("inner:10 middle:18 boundary:26");
	jf_thread_own = own;
}

Test(walk_memo, code_that_was_replaced_is_not_remembered)
{
	struct jf_range other;

	add_all();
	check_walk("inner:10 middle:18 boundary:26");
	cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
	check_walk("inner:10");
	other = range_of(MIDDLE, JF_RANGE_SUBPROGRAM, "other");
	other.rows = &other_row;
	stack[18] = at(24);
	stack[19] = BOUNDARY + 0x30;
	cr_assert_eq(jf_code_map_add(&other, NULL), JF_OK);
	check_walk("inner:10 other:20 boundary:26");
}

Test(walk_memo, code_that_came_is_found)
{
	struct jf_range caller = range_of(0x500000 - 0x80, JF_RANGE_SUBPROGRAM, "caller");

	add_all();
	check_walk("inner:10 middle:18 boundary:26");
	cr_assert_eq(jf_code_map_add(&caller, NULL), JF_OK);
	check_walk("inner:10 middle:18 boundary:26 caller:34");
}

Test(walk_memo, a_handler_that_interrupts_a_walk_does_without)
{
	add_all();
	check_walk("inner:10 middle:18 boundary:26");
	jf_thread_own->memos.taken = true;
	jf_thread_own->memos.more[memo_of(MIDDLE + 0x20)].name = "half written";
	check_walk("inner:10 middle:18 boundary:26");
	cr_assert(jf_thread_own->memos.taken);
}

/* ---- steps ------------------------------------------------------------------------------------------------ */

struct seen {
	unsigned int count;
	struct {
		struct jf_walk_frame frame;
		uint64_t known[KNOWN_WORDS];
		struct jf_regs regs;
	} frames[8];
};

/* Of every frame all that the cursor shows; of registers, those that are known. */
static void note_frames(struct seen *seen)
{
	struct jf_walk walk;
	enum jf_status status = start(&walk);
	const struct walk *inside = walk_inside(&walk);

	memset(seen, 0, sizeof(*seen));
	for (; status == JF_OK; status = jf_walk_step(&walk)) {
		unsigned int n = seen->count++;

		seen->frames[n].frame = inside->frame;
		memcpy(seen->frames[n].known, inside->known, sizeof(inside->known));
		for (uint8_t reg = 0; reg < inside->backend->reg_count; reg++)
			(void)jf_walk_reg(&walk, reg, &seen->frames[n].regs.value[reg]);
	}
	jf_walk_end(&walk);
}

Test(walk_memo, a_step_by_a_memo_shows_what_a_step_by_the_row_does)
{
	const struct jf_backend *backend = host();
	struct jf_slot three[3];
	struct jf_row saving = {.cfa_reg = backend->fp, .cfa_off = 16, .saved = 7};
	static struct seen looked_up, first, second;
	uint8_t other = 0;

	while (!(backend->regs[other].flags & JF_REG_CALLEE_SAVED) || backend->regs[other].size_bytes != 8 ||
	       other == backend->sp || other == backend->fp || other == backend->ra)
		other++;
	add_all();
	cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
	memcpy(three, record, sizeof(record));
	three[2] = (struct jf_slot){.kind = JF_SLOT_SAVE, .reg = other, .off_from_cfa = -24, .size_bytes = 8};
	middle.rows = &saving;
	middle.slots = three;
	middle.slot_count = 3;
	stack[15] = 0x1234567;
	cr_assert_eq(jf_code_map_add(&middle, NULL), JF_OK);
	jf_thread_own->memos.taken = true;
	note_frames(&looked_up);
	jf_thread_own->memos.taken = false;
	note_frames(&first);
	note_frames(&second);
	cr_assert_eq(looked_up.count, 3);
	cr_assert_eq(looked_up.frames[2].regs.value[other], 0x1234567);
	cr_assert_arr_eq(&first, &looked_up, sizeof(first));
	cr_assert_arr_eq(&second, &looked_up, sizeof(second));
	/* A slot outside of the stack, by a word. */
	three[2].off_from_cfa = -8 * 19;
	cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
	cr_assert_eq(jf_code_map_add(&middle, NULL), JF_OK);
	check_walk("inner:10 middle:18");
	check_walk("inner:10 middle:18");
}

/* ---- throws ------------------------------------------------------------------------------------------------ */

static enum jf_status recall(struct jf_landing_site *site)
{
	memset(site, 0, sizeof(*site));
	return jf_throw_recall(INNER + 0x10, at(4), at(8), site);
}

static void check_recalled(enum jf_status wanted)
{
	struct jf_landing_site site;

	cr_assert_eq(recall(&site), wanted);
	cr_assert_eq(site.callback, wanted == JF_OK ? CALLBACK : 0);
	cr_assert_eq(site.sp, wanted == JF_OK ? at(26) - 48 : 0);
	cr_assert_eq(site.fp, wanted == JF_OK ? at(24) : 0);
}

Test(walk_memo, a_throw_lands_where_the_walk_found_its_boundary)
{
	add_all();
	check_recalled(JF_E_NOT_FOUND);
	check_walk("inner:10 middle:18 boundary:26");
	check_recalled(JF_OK);
	cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
	check_recalled(JF_E_NOT_FOUND);
}

Test(walk_memo, a_throw_does_not_pass_an_entry)
{
	add_all();
	cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
	middle.kind = JF_RANGE_ENTRY;
	cr_assert_eq(jf_code_map_add(&middle, NULL), JF_OK);
	check_walk("inner:10 middle:-");
	check_recalled(JF_E_NOT_FOUND);
}

/* Not even one whose stub has a row in .eh_frame. */
Test(walk_memo, an_entry_with_a_row_is_no_frame_to_throw_through)
{
	struct jf_range entry = range_of(MIDDLE, JF_RANGE_ENTRY, "entry");
	struct walk walk = {
		.backend = host(),
		.frame =
			{
				.pc = MIDDLE + 0x20,
				.range = &entry,
				.row = &row,
				.slots = record,
				.slot_count = 2,
			},
	};

	cr_assert_neq(jf_thread_init(), JF_E_NO_MEMORY);
	jf_walk_remember(&walk, 1);
	cr_assert_eq(jf_thread_own->memos.memo[memo_of(walk.frame.pc)].pc, walk.frame.pc);
	cr_assert_eq(jf_thread_own->memos.memo[memo_of(walk.frame.pc)].depth, 0);
	entry.kind = JF_RANGE_STUB;
	jf_walk_remember(&walk, 1);
	cr_assert_eq(jf_thread_own->memos.memo[memo_of(walk.frame.pc)].depth, 16);
}

static void observe(void *arg, uint64_t cookie, const struct jf_walk *walk)
{
	(void)arg;
	(void)cookie;
	(void)walk;
}

Test(walk_memo, a_throw_with_an_observer_is_walked)
{
	const struct jf_throw_observer observer = {sizeof(observer), observe, NULL, NULL}, *before = &observer;

	add_all();
	check_walk("inner:10 middle:18 boundary:26");
	cr_assert_eq(jf_throw_observer_set(&observer, &before), JF_OK);
	cr_assert_null(before);
	check_recalled(JF_E_NOT_FOUND);
	cr_assert_eq(jf_throw_observer_set(NULL, &before), JF_OK);
	cr_assert_eq(before, &observer);
	check_recalled(JF_OK);
	jf_thread_own->memos.taken = true;
	check_recalled(JF_E_NOT_FOUND);
}

/* `size` first: a struct of no header, without a function, or with fields that this library does not know. */
Test(walk_memo, observers_and_handlers_that_are_refused)
{
	struct {
		struct jf_throw_observer known;
		uint64_t more;
	} newer = {{sizeof(newer), observe, NULL, NULL}, 0};
	struct jf_throw_observer bad = {.size = sizeof(bad)};
	struct jf_uncaught_handler unset = {.size = sizeof(unset)};
	const struct jf_throw_observer *before = NULL;

	cr_assert_eq(jf_throw_observer_set(&newer.known, NULL), JF_OK);
	newer.more = 1;
	cr_assert_eq(jf_throw_observer_set(&newer.known, NULL), JF_E_INVAL);
	cr_assert_eq(jf_throw_observer_set(&bad, NULL), JF_E_INVAL);
	bad = (struct jf_throw_observer){0, observe, NULL, NULL};
	cr_assert_eq(jf_throw_observer_set(&bad, NULL), JF_E_INVAL);
	cr_assert_eq(jf_uncaught_handler_set(&unset, NULL), JF_E_INVAL);
	cr_assert_eq(jf_throw_observer_set(NULL, &before), JF_OK);
	cr_assert_eq(before, &newer.known);
}

/* Rows that say more than a frame record, and stacks that lead nowhere, are left to the walk. */
Test(walk_memo, what_stands_out_is_walked)
{
	static const uint8_t flags[] = {JF_ROW_REGS_LOST, JF_ROW_UNKNOWN, JF_ROW_OUTERMOST, JF_ROW_FP_KEPT};
	struct jf_row odd;

	add_all();
	for (size_t i = 0; i < sizeof(flags); i++) {
		cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
		odd = row;
		odd.flags = flags[i];
		middle.rows = &odd;
		cr_assert_eq(jf_code_map_add(&middle, NULL), JF_OK);
		check_walk(i == 0 || i == 3 ? "inner:10 middle:18 boundary:26" :
			   i == 1           ? "inner:10" :
					      "inner:10 middle:18");
		check_recalled(JF_E_NOT_FOUND);
	}
	cr_assert_eq(jf_code_map_remove(&middle), JF_OK);
	middle.rows = &row;
	cr_assert_eq(jf_code_map_add(&middle, NULL), JF_OK);
	check_walk("inner:10 middle:18 boundary:26");
	/* Back below its own frame, from where it would go on to the boundary. */
	stack[8] = at(2);
	stack[2] = at(24);
	stack[3] = BOUNDARY + 0x30;
	check_recalled(JF_E_NOT_FOUND);
}
