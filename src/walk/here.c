/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/here.h"

#include <pthread.h>
#include <signal.h>

/* Walks of the present thread. */

__thread volatile uint64_t jf_walk_stack_low, jf_walk_stack_floor, jf_walk_stack_high;

/* What Linux keeps free below the stack of a process's first thread, which has no guard of its own: 256 pages. */
#define FIRST_GUARD_BYTES UINT64_C(0x100000)

enum jf_status jf_walk_find_own_stack(void)
{
	size_t bytes = 0, guard_bytes = 0;
	void *low = NULL;
	pthread_attr_t attr;

	if (jf_walk_stack_high)
		return JF_OK;
	if (pthread_getattr_np(pthread_self(), &attr))
		return JF_E_NOT_FOUND;
	if (!pthread_attr_getstack(&attr, &low, &bytes) && !pthread_attr_getguardsize(&attr, &guard_bytes)) {
		/* What glibc and musl report is above the guard. */
		jf_walk_stack_low = (uintptr_t)low;
		jf_walk_stack_floor = (uintptr_t)low - (guard_bytes ? guard_bytes : FIRST_GUARD_BYTES);
		jf_walk_stack_high = (uintptr_t)low + bytes;
	}
	pthread_attr_destroy(&attr);
	return jf_walk_stack_high ? JF_OK : JF_E_NOT_FOUND;
}

bool jf_walk_own_stack(const struct jf_backend *backend, uint64_t sp, struct jf_memory *memory)
{
	uint64_t low = jf_walk_stack_low, high = jf_walk_stack_high;

	if (sp < jf_walk_stack_floor || sp > high || !high)
		return false;
	memory->low = sp < low ? low : walk_low_for(backend, low, sp);
	memory->high = high;
	return true;
}

/* Of the stack that `sp` lies in; *outer: when it is the alternate one, of the thread's. */
static enum jf_status find_bounds(const struct jf_backend *backend, uint64_t sp, struct jf_memory *memory,
				  struct jf_memory *outer)
{
	uint64_t low, high;
	stack_t alternate;

	*memory = *outer = (struct jf_memory){.size = sizeof(*memory)};
	if (jf_walk_own_stack(backend, sp, memory))
		return JF_OK;
	if (sigaltstack(NULL, &alternate) || !(alternate.ss_flags & SS_ONSTACK))
		return jf_walk_stack_high ? JF_E_NOT_FOUND : JF_E_NO_THREAD;
	outer->low = jf_walk_stack_low;
	outer->high = jf_walk_stack_high;
	low = (uintptr_t)alternate.ss_sp;
	high = low + alternate.ss_size;
	if (sp < low || sp > high)
		return JF_E_NOT_FOUND;
	memory->low = walk_low_for(backend, low, sp);
	memory->high = high;
	return JF_OK;
}

/* As jf_walk_context(), from any pc. */
static enum jf_status start(struct walk *walk, const struct jf_walk_opts *opts, const struct jf_regs *regs, uint64_t pc,
			    bool pc_is_return)
{
	const struct jf_backend *backend = jf_backend_host();
	struct jf_memory memory, outer = {.size = sizeof(outer)};
	enum jf_status status;

	if (opts && opts->memory)
		status = jf_walk_read_memory(&memory, opts->memory);
	else
		status = find_bounds(backend, regs->value[backend->sp], &memory, &outer);
	if (status != JF_OK)
		return jf_walk_refuse(walk, status);
	status = jf_walk_first(walk, backend, &memory, regs, pc, pc_is_return, opts);
	walk->outer_low = outer.low;
	walk->outer_high = outer.high;
	walk->outer_floor = outer.high ? jf_walk_stack_floor : 0;
	return status;
}

enum jf_status jf_walk_first_here(struct walk *walk, const struct jf_walk_opts *opts, const struct jf_regs *regs,
				  uint64_t pc)
{
	const struct jf_backend *backend = jf_backend_host();

	return start(walk, opts, regs, backend->strip_return ? backend->strip_return(pc) : pc, true);
}

enum jf_status jf_walk_here_from(struct jf_walk *walk, const struct jf_walk_opts *opts, const struct jf_regs *regs,
				 uint64_t pc)
{
	struct walk *inside = walk_inside(walk);
	struct jf_walk_opts known;
	unsigned int section;

	if (!walk)
		return JF_E_INVAL;
	if (jf_walk_read_opts(&known, opts) != JF_OK)
		return jf_walk_refuse(inside, JF_E_INVAL);
	section = jf_code_map_enter();
	return jf_walk_started(inside, section, jf_walk_first_here(inside, &known, regs, pc));
}

enum jf_status jf_walk_context(struct jf_walk *walk, const void *ucontext, const struct jf_walk_opts *opts)
{
	const struct jf_backend *backend = jf_backend_host();
	struct walk *inside = walk_inside(walk);
	struct jf_walk_opts known;
	unsigned int section;
	struct jf_regs regs;
	uint64_t pc;

	if (!walk)
		return JF_E_INVAL;
	if (!ucontext || jf_walk_read_opts(&known, opts) != JF_OK)
		return jf_walk_refuse(inside, JF_E_INVAL);
	if (!backend || !backend->native->context_get)
		return jf_walk_refuse(inside, JF_E_UNSUPPORTED);
	backend->native->context_get(ucontext, &regs, &pc);
	section = jf_code_map_enter();
	return jf_walk_started(inside, section, start(inside, &known, &regs, pc, false));
}
