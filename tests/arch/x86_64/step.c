/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include <jitframe/codemap.h>
#include <jitframe/load.h>
#include <jitframe/publish.h>
#include <jitframe/throw.h>
#include <jitframe/walk.h>

#include "pads.h"
#include "step.h"

/*
 * Rows against the truth (R10), at every instruction: programs run with the processor's trap flag set, and
 * after each instruction a SIGTRAP handler holds what the rows say to what is known from having watched
 * every call since the program was entered.
 *
 * The truth about a frame is what its registers were when it was called: SP then gives the CFA, [SP] the
 * return address, and the callee-saved registers are what a walk has to come up with for the caller.
 */

#define CALLS_MAX        64
#define CONVENTION_COUNT (sizeof(conventions) / sizeof(conventions[0]))
#define TRAP_FLAG        0x100ull /* of RFLAGS */

struct call {
	uint64_t cfa, ra;
	struct jf_regs regs;
	const struct jf_range *range; /* changes with a tail call */
	unsigned int outer;           /* calls outside of this one: calls[outer - 1] is the caller's */
};

static const char *const conventions[] = {"x86_64/linux", "x86_64/user"};
static const struct jf_backend *host;
static struct call calls[CALLS_MAX];
static unsigned int depth;
static struct jf_loaded *loaded[STEP_PROGRAMS];
static unsigned long rows_checked, frames_checked, landings, whole_walks, unwinds;
static uint64_t bottom_sp;
static volatile bool inside;
static bool only_whole_walks; /* of a program between whose frames other ones lie */
static char failure[256];
static unsigned int tests;

/* Only the first is told: what comes after may follow from it. */
__attribute__((format(printf, 3, 4))) static void fail(const struct jf_range *range, uint64_t pc, const char *fmt, ...)
{
	size_t length;
	va_list ap;

	if (failure[0])
		return;
	length = (size_t)snprintf(failure, sizeof(failure), "%s+0x%" PRIx64 ": ", range ? range->name : "C",
				  range ? pc - range->start : pc);
	va_start(ap, fmt);
	vsnprintf(failure + length, sizeof(failure) - length, fmt, ap);
	va_end(ap);
}

static bool is_saved(unsigned int reg)
{
	return host->regs[reg].flags & JF_REG_CALLEE_SAVED;
}

/* What of `value` belongs to the register. */
static uint64_t part(unsigned int reg, uint64_t value)
{
	unsigned int bytes = host->regs[reg].size_bytes;

	return bytes < 8 ? value & ((UINT64_C(1) << 8 * bytes) - 1) : value;
}

/* Frames that SP has left behind. One that has just returned has to have brought back everything. */
static void drop_returned(const struct jf_regs *regs, uint64_t pc)
{
	for (; depth && regs->value[host->sp] >= calls[depth - 1].cfa; depth--) {
		const struct call *call = &calls[depth - 1];

		if (pc != call->ra || regs->value[host->sp] != call->cfa)
			continue;
		for (unsigned int reg = 0; reg < host->reg_count; reg++)
			if (is_saved(reg) && part(reg, regs->value[reg]) != part(reg, call->regs.value[reg]))
				fail(call->range, call->range->end, "returns with another %s", host->regs[reg].name);
	}
}

static void push_call(const struct jf_range *range, const struct jf_regs *regs)
{
	struct call *call = &calls[depth];

	if (depth == CALLS_MAX) {
		fail(range, range->start, "called too deeply");
		return;
	}
	*call = (struct call){.range = range, .regs = *regs, .outer = depth++};
	call->cfa = regs->value[host->sp] + (uint64_t)host->cfa_sp_off_at_entry;
	call->ra = word_at(regs->value[host->sp]);
}

/* A throw has landed: the callback runs in the frame of the boundary that its third argument tells. */
static void land(const struct jf_range *range, const struct jf_regs *regs)
{
	uint64_t fp = regs->value[host->args[2]];

	landings++;
	while (depth && (calls[depth - 1].range->kind != JF_RANGE_BOUNDARY ||
			 calls[depth - 1].cfa + (uint64_t)(int64_t)range->fp_off_from_cfa != fp))
		depth--;
	if (depth)
		calls[depth - 1].range = range;
	else
		fail(range, range->start, "no boundary has the FP that the callback is given");
}

/* The unwinder has called a pad: its frame is back, on top of those that the throw skips. */
static void enter_pad(const struct jf_range *range, const struct jf_regs *regs, uint64_t pc)
{
	for (unsigned int k = depth; k > 0; k = calls[k - 1].outer) {
		const struct call *call = &calls[k - 1];

		if (call->range != range ||
		    call->cfa + (uint64_t)(int64_t)range->fp_off_from_cfa != regs->value[host->fp])
			continue;
		if (depth == CALLS_MAX)
			fail(range, pc, "called too deeply");
		else
			calls[depth++] = *call;
		return;
	}
	fail(range, pc, "a pad of no frame is called");
}

static uint32_t tail_entry(const struct jf_range *range)
{
	for (unsigned int i = 0; i < STEP_PROGRAMS; i++) {
		const struct jf_image *image = loaded[i] ? jf_loaded_image(loaded[i]) : NULL;

		for (uint32_t k = 0; image && k < image->function_count; k++)
			if (image->address + jf_image_function_at(image, k)->start == range->start)
				return jf_image_function_at(image, k)->marks[JF_MARK_TAIL_ENTRY];
	}
	return JF_MARK_UNSET;
}

static void follow(const struct jf_range *range, const struct jf_regs *regs, uint64_t pc)
{
	if (pc == range->start && range->kind == JF_RANGE_CALLBACK)
		land(range, regs);
	else if (pc == range->start)
		push_call(range, regs);
	else if (step_is_called_pad(range, pc))
		enter_pad(range, regs, pc);
	else if (depth && calls[depth - 1].range != range && pc == range->start + tail_entry(range))
		calls[depth - 1].range = range;
	if (!depth || calls[depth - 1].range != range)
		fail(range, pc, "entered by no call");
}

static void check_row(const struct jf_range *range, const struct jf_regs *regs, uint64_t pc)
{
	const struct jf_row *row = jf_row_find(range->rows, range->row_count, (uint32_t)(pc - range->start));
	const struct call *call = &calls[depth - 1];
	bool in_slot[JF_REGS_MAX] = {false};
	uint64_t cfa;

	if (!row) {
		fail(range, pc, "no row");
		return;
	}
	rows_checked++;
	cfa = regs->value[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_off;
	if (cfa != call->cfa) {
		fail(range, pc, "CFA is %" PRIx64 ", the row says %" PRIx64, call->cfa, cfa);
		return;
	}
	for (unsigned int i = 0; i < range->slot_count; i++) {
		const struct jf_slot *slot = &range->slots[i];
		uint64_t address = cfa + (uint64_t)(int64_t)slot->off_from_cfa, want;

		if (!(row->saved & UINT32_C(1) << i))
			continue;
		want = slot->kind == JF_SLOT_RETURN ? call->ra : call->regs.value[slot->reg];
		in_slot[slot->reg] = true;
		if (address < regs->value[host->sp])
			fail(range, pc, "%s is saved below SP", host->regs[slot->reg].name);
		else if (part(slot->reg, word_at(address)) != part(slot->reg, want))
			fail(range, pc, "%s is not in its slot", host->regs[slot->reg].name);
	}
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		if (is_saved(reg) && !in_slot[reg] && !(row->flags & JF_ROW_REGS_LOST) &&
		    part(reg, regs->value[reg]) != part(reg, call->regs.value[reg]))
			fail(range, pc, "%s is not what the caller had", host->regs[reg].name);
	if (!in_slot[host->ra])
		fail(range, pc, "the return address is nowhere");
}

/* All frames up to C: each caller's pc, SP and registers as they were when it called. */
static void check_walk(const struct jf_range *range, const struct jf_regs *regs, uint64_t pc)
{
	struct jf_memory memory = {.size = sizeof(memory), .high = UINT64_MAX};
	struct jf_walk walk;
	enum jf_status status = jf_walk_start(&walk, host, &memory, regs, pc, false);
	const struct jf_walk_frame *frame = jf_walk_at(&walk);
	bool lost = status == JF_OK && frame->row->flags & JF_ROW_REGS_LOST;

	for (unsigned int left = depth; left > 0 && status == JF_OK; left = calls[left - 1].outer) {
		unsigned int k = left - 1;

		status = jf_walk_step(&walk);
		if (status != JF_OK)
			break;
		frames_checked++;
		if (frame->pc != calls[k].ra || jf_walk_sp(&walk) != calls[k].cfa)
			fail(range, pc, "frame %u: the walk has another pc or SP", depth - k);
		for (unsigned int reg = 0; reg < host->reg_count; reg++) {
			uint64_t value;
			bool known = jf_walk_reg(&walk, (uint8_t)reg, &value);

			if (is_saved(reg) && known ? part(reg, value) != part(reg, calls[k].regs.value[reg]) :
						     is_saved(reg) && !lost)
				fail(range, pc, "frame %u: the walk has another %s", depth - k, host->regs[reg].name);
		}
	}
	if (status != JF_OK)
		fail(range, pc, "walk: %s", jf_status_name(status));
	else if (frame->range->kind != JF_RANGE_ENTRY)
		fail(range, pc, "the walk does not end where C begins");
	jf_walk_end(&walk);
}

/* The same frames by published CFI. */
static void check_unwinder(const struct jf_range *range, uint64_t pc)
{
	struct step_frame frames[CALLS_MAX];
	unsigned int count = 0;

	for (unsigned int k = depth; k > 0; k = calls[k - 1].outer)
		frames[count++] = (struct step_frame){calls[k - 1].ra, calls[k - 1].cfa};
	unwinds++;
	if (!step_unwinder_agrees(pc, frames, count))
		fail(range, pc, "libgcc's unwinder finds other frames");
}

/* On to the stack's end, through the C code that entered the program, and in C that it calls, in stubs and linkage
 * tables. returns: the SP there. */
static uint64_t walk_to_end(struct jf_walk *walk, enum jf_status status, const struct jf_range *range, uint64_t pc)
{
	unsigned int count = 0;
	uint64_t sp = 0;

	for (; status == JF_OK && count < 1000; count++) {
		sp = jf_walk_sp(walk);
		status = jf_walk_step_past_entry(walk);
	}
	if (status != JF_END)
		fail(range, pc, "after %u frames: %s at %" PRIx64, count, jf_status_name(status), jf_walk_at(walk)->pc);
	jf_walk_end(walk);
	return sp;
}

static void check_whole_walk(const struct jf_range *range, const void *ucontext, uint64_t pc)
{
	struct jf_walk walk;

	whole_walks++;
	if (walk_to_end(&walk, jf_walk_context(&walk, ucontext, NULL), range, pc) != bottom_sp)
		fail(range, pc, "the walk ends with another frame than main's caller");
}

static void on_trap(int number, siginfo_t *info, void *ucontext)
{
	unsigned int section = jf_code_map_enter();
	const struct jf_range *range;
	struct jf_regs regs;
	uint64_t pc;

	(void)number;
	(void)info;
	host->native->context_get(ucontext, &regs, &pc);
	range = jf_code_map_find(pc);
	drop_returned(&regs, pc);
	if (range && range->kind < JF_RANGE_ENTRY && !failure[0] && !only_whole_walks) {
		follow(range, &regs, pc);
		if (!failure[0])
			check_row(range, &regs, pc);
		if (!failure[0])
			check_walk(range, &regs, pc);
		if (!failure[0])
			check_unwinder(range, pc);
	}
	if (!failure[0] && inside)
		check_whole_walk(range, ucontext, pc);
	jf_code_map_leave(section);
}

/* ---- running it ----------------------------------------------------------------------------------- */

static void trap_every_instruction(void)
{
	static uint8_t stack[65536]; /* programs' stacks are what is looked at */
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	if (sigaltstack(&alternate, NULL) || sigaction(SIGTRAP, &action, NULL))
		fail(NULL, 0, "no SIGTRAP handler");
}

static bool load(const struct scenario *s, const struct jf_convention *conv, bool landing_pads)
{
	struct jf_compile_opts opts = {.size = sizeof(opts),
				       .landing_pads = landing_pads,
				       .private_stack = s->private_stack,
				       .values.arena_base = step_arena()};
	struct jf_error error = {.text = ""};

	step_array->conv = NULL;
	for (unsigned int i = 0; i < s->program_count; i++) {
		if (jf_load(conv, &s->programs[i], &opts, NULL, &loaded[i], &error) != JF_OK ||
		    jf_program_array_set(step_array, i, loaded[i]) != JF_OK) {
			fail(NULL, 0, "program %u: %s: %s", i, error.where, error.text);
			return false;
		}
	}
	return true;
}

static void unload(void)
{
	for (unsigned int i = 0; i < STEP_PROGRAMS; i++) {
		step_array->entries[i] = 0;
		if (loaded[i])
			jf_unload(loaded[i]);
		loaded[i] = NULL;
	}
}

static uint64_t run(void)
{
	struct jf_regs in, out;
	uint64_t result;

	step_registers(&in);
	__writeeflags(__readeflags() | TRAP_FLAG);
	inside = true; /* compilers do not describe what they do to the flags */
	result = jf_run_checked(loaded[0], 0, &in, &out);
	inside = false;
	__writeeflags(__readeflags() & ~TRAP_FLAG);
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		if (is_saved(reg) && part(reg, in.value[reg]) != part(reg, out.value[reg]))
			fail(NULL, 0, "%s is not kept", host->regs[reg].name);
	return result;
}

static void tell(const char *target, const char *name, const char *also)
{
	printf("%sok %u - %s: %s%s\n", failure[0] ? "not " : "", ++tests, target, name, also);
	if (failure[0])
		printf("# %s\n", failure);
	printf("# %lu rows, %lu frames, %lu landings, %lu whole walks, %lu unwinds\n", rows_checked, frames_checked,
	       landings, whole_walks, unwinds);
	failure[0] = '\0';
	rows_checked = frames_checked = landings = whole_walks = unwinds = 0;
}

static void test_may_goto_stub(void)
{
	uint64_t slots[2] = {0, 0}, count;

	__writeeflags(__readeflags() | TRAP_FLAG);
	inside = true;
	count = step_call_may_goto_stub(slots);
	inside = false;
	__writeeflags(__readeflags() & ~TRAP_FLAG);
	if (!count || !slots[1] || whole_walks < 30)
		fail(NULL, 0, "the stub was not run");
	tell(host->name, "may_goto stub", "");
}

/* The way in, the throw, and the landing; the second throw goes by what the first one has left behind. */
static void test_try(void)
{
	uint64_t cookie = 7, value = 0;

	/* The very first call makes the stub known, and loads objects. */
	if (jf_try(step_throw, &cookie, NULL) != JF_CAUGHT)
		fail(NULL, 0, "nothing is caught");
	for (unsigned int i = 0; i < 2; i++) {
		enum jf_status status;

		__writeeflags(__readeflags() | TRAP_FLAG);
		inside = true;
		status = jf_try(step_throw, &cookie, &value);
		inside = false;
		__writeeflags(__readeflags() & ~TRAP_FLAG);
		if (status != JF_CAUGHT || value != 7 || whole_walks < 100)
			fail(NULL, 0, "nothing is caught, or the way was not walked");
	}
	tell(host->name, "jf_try", "");
}

static void test(const struct scenario *s, const char *target, bool landing_pads)
{
	const struct jf_convention *conv;
	uint64_t result = 0;

	depth = 0;
	if (jf_convention_find(target, &conv, NULL) != JF_OK)
		fail(NULL, 0, "no such convention");
	else if (load(s, conv, landing_pads))
		result = run();
	unload();
	if (result != s->result)
		fail(NULL, 0, "result is %" PRIu64 ", not %" PRIu64, result, s->result);
	if (!rows_checked)
		fail(NULL, 0, "no row was looked at");
	tell(target, s->name, landing_pads ? ", landing pads" : "");
}

/*
 * Frames that a throw goes back to, at their clean-up pads: each keeps its call. Of pads that are resumed the frames
 * below are gone; pads that are called run below all frames.
 */
static void test_pads(const struct pad_case *c, const struct jf_convention *conv, bool landing_pads)
{
	struct jf_compile_opts opts = {
		.size = sizeof(opts), .landing_pads = landing_pads, .private_stack = c->private_stack};
	struct jf_error error = {.text = ""};
	uint64_t result = 0, log;

	only_whole_walks = c->enters;
	depth = 0;
	if (jf_load(conv, &c->program, &opts, NULL, &loaded[0], &error) == JF_OK)
		result = run();
	unload();
	log = pads_log();
	if (result != c->result || log != c->log)
		fail(NULL, 0, "result is %" PRIu64 ", log %" PRIx64 "; %s", result, log, error.text);
	if (only_whole_walks ? whole_walks < 1000 : !rows_checked)
		fail(NULL, 0, "no row was looked at");
	only_whole_walks = false;
	tell(conv->name, c->name, landing_pads ? ", landing pads" : "");
}

int main(void)
{
	const struct jf_convention *conv;
	struct jf_walk walk;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a throw that goes wrong aborts */
	host = jf_backend_host();
	trap_every_instruction();
	if (jf_thread_init() != JF_OK || jf_cfi_load_objects(NULL) != JF_OK ||
	    jf_publish_start(JF_PUBLISH_CFI, NULL) != JF_OK || jf_fault_handler_install() != JF_OK)
		fail(NULL, 0, "no walks, no unwinder or no fault handler");
	bottom_sp = walk_to_end(&walk, jf_walk_here(&walk, NULL), NULL, 0);
	test_may_goto_stub();
	test_try();
	for (unsigned int i = 0; i < scenario_count; i++)
		for (unsigned int c = scenarios[i].user_only ? 1 : 0; c < CONVENTION_COUNT; c++)
			for (unsigned int pads = 0; pads < 2; pads++)
				test(&scenarios[i], conventions[c], pads != 0);
	for (unsigned int c = 0; c < CONVENTION_COUNT; c++) {
		if (jf_convention_find(conventions[c], &conv, NULL) != JF_OK)
			return 1;
		pads_begin(conv);
		for (unsigned int i = 0; i < pad_case_count; i++)
			for (unsigned int pads = 0; pads < 2 && pad_case_runs(&pad_cases[i], conv); pads++)
				test_pads(&pad_cases[i], conv, pads != 0);
		pads_end();
	}
	printf("1..%u\n", tests);
	return 0;
}
