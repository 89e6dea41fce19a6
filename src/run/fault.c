/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <jitframe/codemap.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>

/*
 * Faults in arena accesses. An access whose page is not there reads 0 or writes nothing, and the
 * program goes on (K17): the handler looks up the pc in the code map and edits the interrupted context.
 */

static const int signals[] = {SIGSEGV, SIGBUS};
#define SIGNAL_COUNT JF_COUNT_OF(signals)

static struct sigaction before[SIGNAL_COUNT];
static enum jf_status install_status;
static pthread_once_t install_once = PTHREAD_ONCE_INIT;

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

/* Whoever was there before us: their handler, or the default action when the instruction runs again. */
static void pass_on(int number, siginfo_t *info, void *ucontext)
{
	const struct sigaction *old = &before[number == signals[0] ? 0 : 1];

	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(number, info, ucontext);
	else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)
		old->sa_handler(number);
	else
		sigaction(number, old, NULL);
}

static void handle(int number, siginfo_t *info, void *ucontext)
{
	if (!mend(ucontext))
		pass_on(number, info, ucontext);
}

static void install(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handle;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		if (sigaction(signals[i], &action, &before[i]))
			install_status = JF_E_UNSUPPORTED;
}

enum jf_status jf_fault_handler_install(void)
{
	const struct jf_backend *host = jf_backend_host();

	if (!host || !host->native->context_get || !host->native->context_set_reg || !host->native->context_set_pc)
		return JF_E_UNSUPPORTED;
	pthread_once(&install_once, install);
	return install_status;
}
