/* SPDX-License-Identifier: BSD-2-Clause */
#include "faults.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <jitframe/backend.h>
#include <jitframe/codemap.h>

#include "packet.h"
#include "report.h"

static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
#define NUMBER_COUNT (sizeof(numbers) / sizeof(numbers[0]))

static struct sigaction before[NUMBER_COUNT];

/* Back in C the fault happens again, and whoever was there before us sees it: a sanitizer, or the system. */
static void give_back(void)
{
	for (size_t i = 0; i < NUMBER_COUNT; i++)
		sigaction(numbers[i], &before[i], NULL);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	uint64_t pc, address = (uintptr_t)info->si_addr;
	const struct jf_range *range;
	unsigned int section;
	struct jf_regs regs;

	jf_backend_host()->native->context_get(context, &regs, &pc);
	section = jf_code_map_enter();
	range = jf_code_map_find(pc);
	if (range != NULL && packet_is_socket(address)) {
		report("error text=%s: it looks into the socket of its packet, byte %" PRIu64
		       " of its code: there is no kernel, and so no socket",
		       range->name, pc - range->start);
		_exit(EXIT_BAD_INPUT);
	}
	if (range != NULL) {
		report("error text=%s: signal %d at byte %" PRIu64 " of its code, address 0x%" PRIx64, range->name,
		       number, pc - range->start, address);
		_exit(EXIT_FAILED);
	}
	report("error text=signal %d outside BPF code, pc 0x%" PRIx64 ", address 0x%" PRIx64, number, pc, address);
	jf_code_map_leave(section);
	give_back();
}

void faults_report(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUMBER_COUNT; i++)
		sigaction(numbers[i], &action, &before[i]);
}

static _Thread_local stack_t stack_before;

void faults_begin(void)
{
	static _Thread_local uint8_t memory[64 << 10];
	stack_t stack;

	memset(&stack, 0, sizeof(stack));
	stack.ss_sp = memory;
	stack.ss_size = sizeof(memory);
	sigaltstack(&stack, &stack_before);
}

void faults_end(void)
{
	sigaltstack(&stack_before, NULL);
}
