/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/fault.h"
#include "base/bytes.h"
#include "base/memory.h"

#include <jitframe/backend.h>
#include <jitframe/codemap.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

/*
 * Faults in arena accesses. An access whose page is not there reads 0 or writes nothing, and the
 * program goes on (K17): the handler looks up the pc in the code map and edits the interrupted context.
 */

static const int signals[] = {SIGSEGV, SIGBUS};
#define SIGNAL_COUNT JF_COUNT_OF(signals)

/*
 * By signal: what was there before. A handler reads the pointer at any time, so what it points to is never freed; an
 * installation makes a new one only when the handler has been taken out.
 */
struct previous {
	struct sigaction action;
	atomic_bool reset; /* SA_RESETHAND: the handler has had its one signal */
};
static _Atomic(struct previous *) before[SIGNAL_COUNT];
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

static const struct jf_fault *find_fault(const struct jf_range *range, uint32_t off)
{
	uint32_t low = 0, high = range->fault_count;

	/* Invariant: faults before low end at or before off, faults from high on start after it. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct jf_fault *fault = &range->faults[middle];

		if (off < fault->start_off)
			high = middle;
		else if (off >= fault->end_off)
			low = middle + 1;
		else
			return fault;
	}
	return NULL;
}

/* returns: whether the fault was an arena access's and the context has been mended. */
static bool mend(void *ucontext)
{
	const struct jf_native *native = jf_backend_host()->native;
	unsigned int section = jf_code_map_enter();
	const struct jf_fault *fault = NULL;
	const struct jf_range *range;
	struct jf_regs regs;
	uint64_t pc;

	native->context_get(ucontext, &regs, &pc);
	range = jf_code_map_find(pc);
	if (range && range->fault_count)
		fault = find_fault(range, (uint32_t)(pc - range->start));
	if (fault) {
		if (fault->reg != JF_REG_NONE)
			native->context_set_reg(ucontext, fault->reg, 0);
		native->context_set_pc(ucontext, range->start + fault->resume_off);
	}
	jf_code_map_leave(section);
	return fault != NULL;
}

static bool has_handler(const struct previous *previous)
{
	const struct sigaction *old = &previous->action;

	return old->sa_flags & SA_SIGINFO || (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN);
}

/* Calls the handler as the kernel would have: with its mask, and as often as it wants to be called. */
static void call_handler(const struct sigaction *old, int number, siginfo_t *info, void *ucontext)
{
	sigset_t own, saved;

	pthread_sigmask(SIG_BLOCK, &old->sa_mask, &saved);
	if (old->sa_flags & SA_NODEFER && !sigismember(&old->sa_mask, number)) {
		sigemptyset(&own);
		sigaddset(&own, number);
		pthread_sigmask(SIG_UNBLOCK, &own, NULL);
	}
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(number, info, ucontext);
	else
		old->sa_handler(number);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

/* The default action: the process dies of this very signal, by the instruction that runs again or by raise(). */
static void take_default(int number, bool comes_again)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_DFL;
	sigaction(number, &action, NULL);
	if (!comes_again)
		raise(number);
}

/* To whoever was there before. */
static void pass_on(int number, siginfo_t *info, void *ucontext)
{
	struct previous *previous = atomic_load(&before[number == signals[0] ? 0 : 1]);
	bool sent = info->si_code <= 0; /* by kill(2) and its kin: no instruction makes it again */

	if (has_handler(previous) &&
	    !(previous->action.sa_flags & SA_RESETHAND && atomic_exchange(&previous->reset, true)))
		call_handler(&previous->action, number, info, ucontext);
	/* A fault cannot be ignored: the kernel, too, ends the process. */
	else if (has_handler(previous) || previous->action.sa_handler == SIG_DFL || !sent)
		take_default(number, !sent);
}

static void handle(int number, siginfo_t *info, void *ucontext)
{
	if (!mend(ucontext))
		pass_on(number, info, ucontext);
}

/* Jitframe's handler, or one that was put over it and passes signals on. */
static bool is_there(size_t index, const struct sigaction *now)
{
	return atomic_load(&before[index]) &&
	       (now->sa_flags & SA_SIGINFO || (now->sa_handler != SIG_DFL && now->sa_handler != SIG_IGN));
}

bool jf_fault_handler_is_there(void)
{
	struct sigaction now;

	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		if (sigaction(signals[i], NULL, &now) || !is_there(i, &now))
			return false;
	return true;
}

static enum jf_status install_one(size_t index)
{
	struct previous *previous;
	struct sigaction action, now;

	if (sigaction(signals[index], NULL, &now))
		return JF_E_UNSUPPORTED;
	if (is_there(index, &now))
		return JF_OK;
	previous = jf_calloc(1, sizeof(*previous));
	if (!previous)
		return JF_E_NO_MEMORY;
	previous->action = now;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handle;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	atomic_store(&before[index], previous);
	return sigaction(signals[index], &action, NULL) ? JF_E_UNSUPPORTED : JF_OK;
}

enum jf_status jf_fault_handler_install(void)
{
	const struct jf_backend *host = jf_backend_host();
	enum jf_status status = JF_OK;

	if (!host || !host->native->context_get || !host->native->context_set_reg || !host->native->context_set_pc)
		return JF_E_UNSUPPORTED;
	pthread_mutex_lock(&installing);
	for (size_t i = 0; i < SIGNAL_COUNT && status == JF_OK; i++)
		status = install_one(i);
	pthread_mutex_unlock(&installing);
	return status;
}
