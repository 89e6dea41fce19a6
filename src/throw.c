/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

#include <jitframe/throw.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic(jf_uncaught_fn) uncaught_handler;
static _Atomic(jf_throw_observer_fn) throw_observer;

jf_uncaught_fn jf_uncaught_handler_set(jf_uncaught_fn handler)
{
	return atomic_exchange(&uncaught_handler, handler);
}

jf_throw_observer_fn jf_throw_observer_set(jf_throw_observer_fn observer)
{
	return atomic_exchange(&throw_observer, observer);
}

static void die(const char *text)
{
	/* Nothing is left to do when this fails too. */
	if (write(STDERR_FILENO, text, __builtin_strlen(text)) < 0)
		abort();
}

static _Noreturn void uncaught(uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	jf_uncaught_fn handler = atomic_load(&uncaught_handler);

	if (handler)
		handler(cookie, walk, why);
	die("jitframe: a BPF exception was thrown that no boundary catches: ");
	die(jf_status_text(why));
	die("\n");
	abort();
}

/* Walks to the nearest boundary. returns: JF_OK with the walk standing there. */
static enum jf_status find_boundary(uint64_t cookie, struct jf_walk *walk)
{
	jf_throw_observer_fn observer = atomic_load(&throw_observer);

	for (;;) {
		enum jf_status status;

		if (observer)
			observer(cookie, walk);
		if (walk->range && walk->range->kind == JF_RANGE_BOUNDARY)
			return JF_OK;
		/* What a signal interrupted has not called anybody: its registers are not at a call. */
		if (walk_at_trampoline(walk))
			return JF_E_NO_BOUNDARY;
		status = jf_walk_step(walk);
		if (status == JF_END)
			return JF_E_NO_BOUNDARY;
		if (status != JF_OK)
			return status;
	}
}

enum jf_status jf_throw_from(uint64_t cookie, const struct jf_regs *regs, uint64_t pc, struct jf_landing_site *site)
{
	const struct jf_backend *backend = jf_backend_host();
	unsigned int section = jf_code_map_enter();
	struct jf_memory memory = { .high = UINT64_MAX };
	struct jf_walk walk;
	enum jf_status status;

	if (!jf_walk_own_stack(backend, regs->value[backend->sp], &memory))
		memory.low = regs->value[backend->sp];
	status = jf_walk_start(&walk, backend, &memory, regs, backend->strip_return ? backend->strip_return(pc) : pc,
			       true);
	if (status != JF_OK) {
		jf_code_map_leave(section);
		return JF_E_NO_ROW;
	}
	status = find_boundary(cookie, &walk);
	if (status != JF_OK) {
		/* The handler may leave by longjmp: the section must not stay open behind it. */
		jf_code_map_leave(section);
		uncaught(cookie, &walk, status);
	}
	*site = (struct jf_landing_site){
		.callback = walk.range->callback,
		.cookie = cookie,
		.sp = walk.cfa + (uint64_t)(int64_t)walk.range->landing_sp_off_from_cfa,
		.fp = walk.cfa + (uint64_t)(int64_t)walk.range->fp_off_from_cfa,
	};
	jf_code_map_leave(section);
	return JF_OK;
}
