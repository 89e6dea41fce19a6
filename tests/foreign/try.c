/* SPDX-License-Identifier: BSD-2-Clause */

/* jf_try(): what it catches, what goes past it, and what it keeps. TAP. */

#include "tap.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "../support/load_functions.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static volatile uint64_t unknown; /* 0; keeps calls from being the last act of a function */
static const struct jf_backend *host;

static uint64_t throw_it(uint64_t cookie)
{
	return (uint64_t)jf_throw(cookie) + unknown;
}

static uint64_t plus_one(void *arg)
{
	return *(uint64_t *)arg + 1;
}

static uint64_t throw_deep(void *arg)
{
	volatile char room[200];

	room[0] = 1;
	return throw_it(*(uint64_t *)arg) + room[unknown];
}

/* ---- what comes back ------------------------------------------------------------------------------------ */

static bool returns(void)
{
	uint64_t arg = 41, value = 0;

	return jf_try(plus_one, &arg, &value) == JF_OK && value == 42 && jf_try(plus_one, &arg, NULL) == JF_OK;
}

static bool catches(void)
{
	uint64_t arg = 7, value = 0;

	return jf_try(throw_deep, &arg, &value) == JF_CAUGHT && value == 7 &&
	       jf_try(throw_deep, &arg, NULL) == JF_CAUGHT;
}

static bool refuses(void)
{
	uint64_t value = 5;

	return jf_try(NULL, NULL, &value) == JF_E_INVAL && value == 5;
}

static uint64_t catch_and_throw(void *arg)
{
	uint64_t value = 0;

	if (jf_try(throw_deep, arg, &value) != JF_CAUGHT)
		return 0;
	return throw_it(value + 100);
}

static bool nests(void)
{
	uint64_t arg = 3, value = 0;

	return jf_try(catch_and_throw, &arg, &value) == JF_CAUGHT && value == 103;
}

static uint64_t many(void *arg)
{
	uint64_t *depth = arg, value;

	if (!(*depth)--)
		return throw_it(1);
	return jf_try(many, arg, &value) == JF_CAUGHT ? throw_it(value + 1) : value;
}

static bool nests_deeply(void)
{
	uint64_t depth = 50, value = 0;

	return jf_try(many, &depth, &value) == JF_CAUGHT && value == 51;
}

/* ---- registers ------------------------------------------------------------------------------------------ */

static struct jf_regs in, other, out, ignored;

static uint64_t throw_with_registers(uint64_t cookie, uint64_t unused)
{
	(void)unused;
	return throw_it(cookie);
}

/* Leaves by a throw, with another value in every register that a callee keeps. */
static uint64_t overwrite_and_throw(void *arg)
{
	return host->native->call_checked((uintptr_t)throw_with_registers, *(uint64_t *)arg, 0, &other, &ignored);
}

static uint64_t try_with_registers(uint64_t cookie, uint64_t unused)
{
	uint64_t value = 0;

	(void)unused;
	/* jf_try() itself saves what it uses: the stub alone is looked at. */
	return host->native->try_call(overwrite_and_throw, &cookie, &value) == JF_CAUGHT ? value : 0;
}

static bool keeps_registers(void)
{
	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		const struct jf_reg *r = &host->regs[reg];

		in.value[reg] = r->control ? r->control->other : UINT64_C(0x0101010101010101) * (reg + 1);
		other.value[reg] = r->control ? r->control->at_start : UINT64_C(0x1111111111111111);
	}
	if (host->native->call_checked((uintptr_t)try_with_registers, 9, 0, &in, &out) != 9)
		return false;
	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		const struct jf_reg *r = &host->regs[reg];
		uint64_t mask = r->control ? r->control->kept : UINT64_MAX >> (64 - 8 * r->size_bytes);

		if (r->flags & JF_REG_CALLEE_SAVED && (in.value[reg] ^ out.value[reg]) & mask)
			return false;
	}
	return true;
}

/* ---- programs ------------------------------------------------------------------------------------------- */

static struct jf_loaded *plain, *boundary, *outer; /* plain: helper throws, nobody in the program catches */

static uint64_t run_plain(uint64_t cookie)
{
	return jf_run(plain, cookie) + unknown;
}

/* A program that calls `helper` with its own argument; *its* boundary is there when the helper `throws`. */
static struct jf_loaded *load(uint64_t (*helper)(uint64_t), bool throws)
{
	static const struct jf_insn insns[] = {{0x85, 0x20, 0, 0}, {0x95, 0, 0, 0}};
	static const struct jf_function function = {"main", insns, COUNT(insns)};
	const struct jf_import kfunc = {.name = "kfunc", .address = (uintptr_t)helper, .throws = throws};

	return load_functions(&function, 1, &kfunc, NULL, NULL);
}

static uint64_t run(void *arg)
{
	return jf_run(*(struct jf_loaded **)arg, 12) + unknown;
}

static bool catches_what_no_program_does(void)
{
	uint64_t value = 0;

	plain = load(throw_it, false);
	return plain && jf_try(run, &plain, &value) == JF_CAUGHT && value == 12;
}

static bool leaves_to_the_program_what_it_catches(void)
{
	uint64_t value = 0;

	boundary = load(throw_it, true);
	return boundary && jf_try(run, &boundary, &value) == JF_OK && value == 12;
}

/* The outer program is a boundary, but for its own run alone. */
static bool goes_past_boundaries_of_outer_programs(void)
{
	uint64_t value = 0;

	outer = load(run_plain, true);
	return outer && jf_try(run, &outer, &value) == JF_CAUGHT && value == 12;
}

static jmp_buf back;
static enum jf_status uncaught_why;
static enum jf_range_kind uncaught_kind;

static void note_uncaught(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);
	unsigned int section = jf_code_map_enter();
	const struct jf_range *range = jf_code_map_find(frame->pc - 1);

	(void)arg;
	(void)cookie;
	uncaught_why = why;
	uncaught_kind = range ? range->kind : JF_RANGE__COUNT;
	jf_code_map_leave(section);
	longjmp(back, 1);
}

static const struct jf_uncaught_handler handler = {.size = sizeof(handler), .call = note_uncaught};

/* Some jf_try() was there before, and none is on the stack now. */
static bool without_a_boundary_ends_at_the_entry(void)
{
	uncaught_why = JF_OK;
	if (jf_uncaught_handler_set(&handler, NULL) != JF_OK)
		return false;
	if (!setjmp(back))
		jf_run(plain, 1);
	return jf_uncaught_handler_set(NULL, NULL) == JF_OK && uncaught_why == JF_E_NO_BOUNDARY &&
	       uncaught_kind == JF_RANGE_ENTRY;
}

/* ---- signals and threads -------------------------------------------------------------------------------- */

static volatile bool handler_caught;

static void try_in_handler(int signal)
{
	uint64_t arg = 21, value = 0;

	(void)signal;
	handler_caught = jf_try(throw_deep, &arg, &value) == JF_CAUGHT && value == 21;
}

static void throw_in_handler(int signal)
{
	(void)signal;
	throw_it(1);
}

static uint64_t raise_it(void *arg)
{
	(void)arg;
	return (uint64_t)raise(SIGUSR1) + unknown;
}

static bool works_in_signal_handlers(void)
{
	uint64_t value = 1;

	return signal(SIGUSR1, try_in_handler) != SIG_ERR && jf_try(raise_it, NULL, &value) == JF_OK && !value &&
	       handler_caught;
}

/* A throw in a handler stays in the handler. */
static bool does_not_catch_what_handlers_throw(void)
{
	uncaught_why = JF_OK;
	signal(SIGUSR1, throw_in_handler);
	if (jf_uncaught_handler_set(&handler, NULL) != JF_OK)
		return false;
	if (!setjmp(back) && jf_try(raise_it, NULL, NULL) != JF_OK)
		return false;
	return jf_uncaught_handler_set(NULL, NULL) == JF_OK && uncaught_why != JF_OK;
}

static void *many_times(void *arg)
{
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t value = 0;

		if (jf_try(i & 1 ? throw_deep : plus_one, &i, &value) != (i & 1 ? JF_CAUGHT : JF_OK) ||
		    value != (i & 1 ? i : i + 1))
			return NULL;
	}
	return arg;
}

static bool works_in_threads(void)
{
	pthread_t threads[4];
	bool good = true;

	for (unsigned int i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, many_times, &threads);
	for (unsigned int i = 0; i < COUNT(threads); i++) {
		void *result;

		pthread_join(threads[i], &result);
		good &= result != NULL;
	}
	return good;
}

static const struct tap_test tests[] = {
	TEST(returns),
	TEST(catches),
	TEST(refuses),
	TEST(nests),
	TEST(nests_deeply),
	TEST(keeps_registers),
	TEST(catches_what_no_program_does),
	TEST(leaves_to_the_program_what_it_catches),
	TEST(goes_past_boundaries_of_outer_programs),
	TEST(without_a_boundary_ends_at_the_entry),
	TEST(works_in_signal_handlers),
	TEST(does_not_catch_what_handlers_throw),
	TEST(works_in_threads),
};

int main(void)
{
	host = jf_backend_host();
	return tap_run(tests, COUNT(tests));
}
