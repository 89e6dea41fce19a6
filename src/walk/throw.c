/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/throw.h>

#include "base/bytes.h"
#include "base/sized.h"
#include "walk/cleanup.h"
#include "walk/here.h"
#include "walk/memo.h"
#include "walk/sanitizer.h"
#include "walk/shadow_stack.h"
#include "walk/thread.h"
#include "walk/try.h"
#include "walk/walk.h"

#include <jitframe/backtrace.h>

#include <stdatomic.h>
#include <stdlib.h>

static _Atomic(const struct jf_uncaught_handler *) uncaught_handler;
static _Atomic(const struct jf_throw_observer *) throw_observer;

enum jf_status jf_uncaught_handler_set(const struct jf_uncaught_handler *handler,
				       const struct jf_uncaught_handler **before)
{
	struct jf_uncaught_handler read = {.size = 0};
	const struct jf_uncaught_handler *old;

	if (handler && (jf_sized_read(&read, sizeof(read), sizeof(read), handler, "", NULL) != JF_OK || !read.call))
		return JF_E_INVAL;
	old = atomic_exchange(&uncaught_handler, handler);
	if (before)
		*before = old;
	return JF_OK;
}

enum jf_status jf_throw_observer_set(const struct jf_throw_observer *observer, const struct jf_throw_observer **before)
{
	struct jf_throw_observer read = {.size = 0};
	const struct jf_throw_observer *old;

	if (observer &&
	    (jf_sized_read(&read, sizeof(read), offsetof(struct jf_throw_observer, pad), observer, "", NULL) != JF_OK ||
	     !read.call))
		return JF_E_INVAL;
	old = atomic_exchange(&throw_observer, observer);
	if (before)
		*before = old;
	return JF_OK;
}

static _Noreturn void uncaught(uint64_t cookie, const struct walk *walk, enum jf_status why)
{
	const struct jf_uncaught_handler *handler = atomic_load(&uncaught_handler);

	if (handler)
		handler->call(handler->arg, cookie, walk_outside(walk), why);
	if (!handler || handler->call != jf_uncaught_print)
		jf_uncaught_print(NULL, cookie, walk_outside(walk), why);
	abort();
}

static bool is_kind(const struct walk *walk, enum jf_range_kind kind)
{
	return walk->frame.range && walk->frame.range->kind == kind;
}

/* A throw while it looks for its boundary. */
struct search {
	struct walk walk;
	uint64_t cookie;
	const struct jf_throw_observer *observer;
	bool has_pads; /* some frame that it has seen has a clean-up pad for it */
};

/* Before any pad runs, all frames have to be fit for theirs. */
static enum jf_status look_for_pad(struct search *search)
{
	const struct jf_cleanup_code *record = walk_cleanup_find(&search->walk);

	if (!record)
		return JF_OK;
	if (record->pad_off == JF_CLEANUP_IN_PAD)
		return JF_E_IN_PAD;
	search->has_pads = true;
	return walk_cleanup_knows_registers(&search->walk) ? JF_OK : JF_E_LOST;
}

/*
 * Walks to the nearest boundary; `past_entry`: to the nearest jf_try(), past ENTRY ranges.
 * returns: JF_OK with the walk standing there.
 */
static enum jf_status find_boundary(struct search *search, bool past_entry)
{
	struct walk *walk = &search->walk;

	for (;;) {
		enum jf_status status;

		if (search->observer)
			search->observer->call(search->observer->arg, search->cookie, walk_outside(walk));
		status = look_for_pad(search);
		if (status != JF_OK)
			return status;
		if (is_kind(walk, JF_RANGE_TRY) || (is_kind(walk, JF_RANGE_BOUNDARY) && !past_entry))
			return JF_OK;
		/* What a signal interrupted has not called anybody: its registers are not at a call. */
		if (walk_at_trampoline(walk))
			return JF_E_NO_BOUNDARY;
		status = past_entry ? jf_walk_next_past_entry(walk) : jf_walk_next(walk);
		if (status == JF_END)
			return JF_E_NO_BOUNDARY;
		if (status != JF_OK)
			return status;
	}
}

/* From the walk's start; what the walk stands at is one of the program that was entered last, or a jf_try(). */
static enum jf_status find_landing(struct search *search, const struct jf_memory *memory, const struct jf_regs *regs,
				   uint64_t pc)
{
	struct walk *walk = &search->walk;
	enum jf_status status = find_boundary(search, false);

	if (status != JF_E_NO_BOUNDARY || !is_kind(walk, JF_RANGE_ENTRY) || !atomic_load(&jf_try_is_known))
		return status;
	if (jf_walk_next_past_entry(walk) == JF_OK && find_boundary(search, true) == JF_OK)
		return JF_OK;
	/* Nobody caught it further out: the handler sees where the program ended. */
	search->observer = NULL;
	if (jf_walk_first(walk, walk->backend, memory, regs, pc, true, NULL) == JF_OK)
		status = find_boundary(search, false);
	return status;
}

/* `sp`: of the throw's caller. */
static inline __attribute__((always_inline)) void land(struct jf_landing_site *site, const struct jf_range *boundary,
						       uint64_t cfa, uint64_t sp)
{
	site->callback = boundary->callback;
	site->sp = cfa + (uint64_t)(int64_t)boundary->landing_sp_off_from_cfa;
	site->fp = cfa + (uint64_t)(int64_t)boundary->fp_off_from_cfa;
	sanitizer_frames_left(sp, site->sp);
}

/*
 * The walk from memos alone: the same frames, as long as all of them are remembered and nothing stands out. Other
 * registers than SP and FP do not count, for the boundary has saved them. No reader section is needed: code on
 * this thread's stack cannot go away.
 * returns: the boundary, and its CFA; NULL: the walk has to look for itself.
 */
static const struct jf_range *recall_boundary(struct walk_memos *memos, uint64_t pc, uint64_t sp, uint64_t fp,
					      uint64_t *cfa)
{
	uint64_t age = atomic_load(&jf_code_map_age), high = walk_stack_high(sp);
	uint16_t *guess = &memos->memo[0].next;

	for (;;) {
		const struct walk_memo *memo;
		uint16_t at;

		if (memos->strip_return)
			pc = memos->strip_return(pc);
		memo = walk_memo_find(memos, pc, age, *guess, &at);
		if (!memo || !memo->depth)
			return NULL;
		if (at != *guess)
			*guess = at;
		guess = &memos->memo[at].next;
		*cfa = (memo->cfa_is_fp ? fp : sp) + (uint64_t)(int64_t)memo->cfa_off;
		if (memo->stops)
			return memo->stops == WALK_STOP_BOUNDARY ? memos->more[at].range : NULL;
		if (*cfa <= sp || *cfa > high || *cfa - sp < memo->depth)
			return NULL;
		pc = jf_load_word(*cfa + (uint64_t)(int64_t)memo->ra_off);
		if (memo->fp_off)
			fp = jf_load_word(*cfa + (uint64_t)(int64_t)memo->fp_off);
		sp = *cfa;
	}
}

enum jf_status jf_throw_recall(uint64_t pc, uint64_t sp, uint64_t fp, struct jf_landing_site *site)
{
	struct walk_memos *memos = walk_own_memos();
	const struct jf_range *boundary;
	uint64_t cfa;

	/* An observer is to see the walk. */
	if (atomic_load_explicit(&throw_observer, memory_order_relaxed) || !walk_memos_take(memos))
		return JF_E_NOT_FOUND;
	boundary = recall_boundary(memos, pc, sp, fp, &cfa);
	walk_memos_give(memos);
	if (!boundary)
		return JF_E_NOT_FOUND;
	land(site, boundary, cfa, sp);
	return JF_OK;
}

/* ---- pads ------------------------------------------------------------------------------------------------ */

static bool lands_here(const struct walk *walk, uint64_t landing)
{
	return walk->frame.cfa == landing && (is_kind(walk, JF_RANGE_BOUNDARY) || is_kind(walk, JF_RANGE_TRY));
}

/*
 * From the walk's present frame to the next one that has a pad for the throw, or to its boundary. `ran`: the pad of
 * the present frame has run. out: *pad: NULL at the boundary. returns: JF_OK, or what a step returned: the stack is not
 * what it was when the boundary was found.
 */
static enum jf_status find_pad(struct walk *walk, uint64_t landing, bool ran, const struct jf_cleanup_code **pad)
{
	enum jf_status status = JF_OK;

	for (;; ran = false) {
		*pad = ran ? NULL : walk_cleanup_find(walk);
		if (*pad || lands_here(walk, landing))
			return JF_OK;
		status = jf_walk_next_past_entry(walk);
		if (status != JF_OK)
			return status;
	}
}

static void show_pad(const struct walk *walk, uint64_t cookie, uint64_t address)
{
	const struct jf_throw_observer *observer = atomic_load(&throw_observer);

	if (observer && observer->size > offsetof(struct jf_throw_observer, pad) && observer->pad)
		observer->pad(observer->arg, cookie, walk_outside(walk), address);
}

/* Where the native stub goes on: `regs` becomes the pad's. */
static void take_pad(struct walk *walk, const struct jf_cleanup_code *pad, const struct cleanup_throw *running,
		     struct jf_regs *regs, struct jf_landing_site *site)
{
	walk_cleanup_write(walk, running);
	site->callback = walk->frame.range->start + pad->pad_off;
	show_pad(walk, running->cookie, site->callback);
	*regs = walk->regs;
}

/*
 * Runs a pad to its end, out of the reader section. What the walk points to meanwhile belongs to the pad's program,
 * which stays as long as its frame does.
 */
static void call_pad(const struct walk *walk, const struct jf_cleanup_code *pad, uint64_t cookie, unsigned int *section)
{
	const struct jf_range *range = walk->frame.range;
	const struct jf_native *native = walk->backend->native;
	uint64_t address = range->start + pad->pad_off;
	struct jf_regs regs = walk->regs;

	show_pad(walk, cookie, address);
	if (!walk->backend->ra_pushed)
		regs.value[range->cleanup_back] = (uintptr_t)native->pad_back;
	jf_code_map_leave(*section);
	native->call_pad(&regs, address, cookie, walk->frame.cfa);
	*section = jf_code_map_enter();
}

/* As find_pad(), with the pads on the way run that are called. out: *pad: one to resume, or NULL at the boundary. */
static enum jf_status run_pads(struct walk *walk, const struct cleanup_throw *running, bool ran,
			       const struct jf_cleanup_code **pad, unsigned int *section)
{
	enum jf_status status;

	for (;; ran = true) {
		status = find_pad(walk, running->landing, ran, pad);
		if (status != JF_OK || !*pad || walk->frame.range->cleanup_entry != JF_CLEANUP_CALLED)
			return status;
		call_pad(walk, *pad, running->cookie, section);
	}
}

/* Runs in a reader section, and leaves the section. `sp`: of the throw's caller, or of the pad that resumes. */
static inline __attribute__((always_inline)) enum jf_status go_on(struct walk *walk,
								  const struct cleanup_throw *running, bool ran,
								  struct jf_regs *regs, struct jf_landing_site *site,
								  unsigned int section)
{
	uint64_t sp = regs->value[walk->backend->sp];
	const struct jf_cleanup_code *pad;
	enum jf_status status = run_pads(walk, running, ran, &pad, &section);

	site->cookie = running->cookie;
	if (status != JF_OK) {
		jf_walk_let_go(walk);
		jf_code_map_leave(section);
		uncaught(running->cookie, walk, status);
	}
	if (pad) {
		take_pad(walk, pad, running, regs, site);
		sanitizer_frames_left(sp, walk_sp(walk));
	} else {
		land(site, walk->frame.range, walk->frame.cfa, sp);
	}
	jf_code_map_leave(section);
	return pad ? JF_AT_PAD : JF_OK;
}

static void find_stack(const struct jf_backend *backend, uint64_t sp, struct jf_memory *memory)
{
	*memory = (struct jf_memory){.size = sizeof(*memory), .high = UINT64_MAX};
	if (!jf_walk_own_stack(backend, sp, memory))
		memory->low = sp;
}

/* ---- what the native stubs call ---------------------------------------------------------------------------- */

enum jf_status jf_throw_from(uint64_t cookie, struct jf_regs *regs, uint64_t pc, struct jf_landing_site *site)
{
	const struct jf_backend *backend = jf_backend_host();
	struct search search;
	struct walk *walk = &search.walk;
	struct cleanup_throw running = {.cookie = cookie};
	struct jf_memory memory;
	unsigned int section;
	enum jf_status status;

	if (jf_walk_shadow_stack())
		return JF_E_UNSUPPORTED;
	find_stack(backend, regs->value[backend->sp], &memory);
	if (backend->strip_return)
		pc = backend->strip_return(pc);
	search.cookie = cookie;
	search.has_pads = false;
	search.observer = atomic_load(&throw_observer);
	section = jf_code_map_enter();
	status = jf_walk_first(walk, backend, &memory, regs, pc, true, NULL);
	if (status != JF_OK) {
		jf_code_map_leave(section);
		return JF_E_NO_ROW;
	}
	status = find_landing(&search, &memory, regs, pc);
	if (status != JF_OK) {
		const struct walk_start start = {.memory = memory, .regs = regs, .pc = pc};
		struct cleanup_throw other;

		walk->ended_in_pad = walk_cleanup_read(walk, &other);
		walk->pad_cookie = walk->ended_in_pad ? other.cookie : 0;
		/* The handler may leave by longjmp: the section must not stay open behind it. */
		jf_walk_let_go(walk);
		walk->start = &start;
		jf_code_map_leave(section);
		uncaught(cookie, walk, status);
	}
	running.landing = walk->frame.cfa;
	if (search.has_pads && jf_walk_first(walk, backend, &memory, regs, pc, true, NULL) != JF_OK) {
		jf_code_map_leave(section);
		return JF_E_NO_ROW; /* not reached: it has worked before */
	}
	return go_on(walk, &running, false, regs, site, section);
}

enum jf_status jf_throw_resume_from(struct jf_regs *regs, uint64_t pc, struct jf_landing_site *site)
{
	const struct jf_backend *backend = jf_backend_host();
	struct cleanup_throw running = {.cookie = 0};
	struct jf_memory memory;
	unsigned int section;
	enum jf_status status;
	struct walk walk;

	find_stack(backend, regs->value[backend->sp], &memory);
	if (backend->strip_return)
		pc = backend->strip_return(pc);
	section = jf_code_map_enter();
	status = jf_walk_first(&walk, backend, &memory, regs, pc, true, NULL);
	/* A pad that was called ends by its way back, and never comes here. */
	if (status == JF_OK && (!walk_cleanup_read(&walk, &running) || !running.landing))
		status = JF_E_NOT_FOUND;
	if (status != JF_OK) {
		const struct walk_start start = {.memory = memory, .regs = regs, .pc = pc};

		jf_walk_let_go(&walk);
		walk.start = &start;
		jf_code_map_leave(section);
		uncaught(0, &walk, status);
	}
	return go_on(&walk, &running, true, regs, site, section);
}
