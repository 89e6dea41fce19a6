/* SPDX-License-Identifier: BSD-2-Clause */
#include "shot.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* The handler runs with the registers of the shot, the thread pointer too: it calls nothing that needs that. */
static const struct jf_backend *host;
static struct shot *current;
static struct jf_regs home;
static bool fired;

static void set_registers(void *context, const struct jf_regs *regs)
{
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		if (host->regs[reg].cls == JF_REG_INT)
			host->native->context_set_reg(context, (uint8_t)reg, regs->value[reg]);
}

/* Returns from the code to enter_checked(). */
static void go_home(void *context)
{
	uint64_t pc = home.value[host->ra];

	if (host->ra_pushed) {
		memcpy(&pc, (const void *)(uintptr_t)home.value[host->sp], sizeof(pc));
		home.value[host->sp] += sizeof(pc);
	}
	set_registers(context, &home);
	host->native->context_set_pc(context, pc);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct jf_regs regs;
	uint64_t pc;

	(void)info;
	host->native->context_get(context, &regs, &pc);
	if (!fired) {
		home = regs;
		for (unsigned int reg = 0; reg < host->reg_count; reg++)
			if (host->regs[reg].cls != JF_REG_INT)
				current->in.value[reg] = regs.value[reg];
		set_registers(context, &current->in);
		host->native->context_set_pc(context, current->entry ? current->entry : pc + host->insn_align);
		fired = true;
		return;
	}
	current->out = regs;
	current->signal = number;
	current->pc = pc;
	go_home(context);
}

bool shot_init(const struct jf_backend *backend)
{
	static const int numbers[] = {SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGSYS};
	stack_t stack = {.ss_size = 256 << 10};
	struct sigaction action;

	host = backend;
	/* Mapped, so that no sp of a shot is likely to be on it: the signal would go on from there. */
	stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED)
		return false;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_signal;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], &action, NULL))
			return false;
	return sigaltstack(&stack, NULL) == 0;
}

void shot_fire(const void *code, struct shot *shot)
{
	struct jf_regs in = shot->in, out;

	current = shot;
	fired = false;
	host->native->enter_checked((uint64_t)(uintptr_t)code, 0, 0, &in, &out);
}
