/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * nongnu's libunwind goes through frames of generated code that it is told of, and finds in each the registers that
 * jitframe's own walk finds. Prints TAP.
 */

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bpf.h"
#include "programs.h"

static const struct jf_convention *conv; /* the one whose turn it is */

/* ---- one look back from the innermost helper ---------------------------------------------------------------- */

static struct seen {
	unsigned int generated;  /* frames of functions, in both walks */
	unsigned int known;      /* of these, with the extent that the code map has */
	unsigned int registers;  /* compared */
	unsigned int mismatches; /* addresses and registers that differ, and a walk that ends before the other */
	unsigned int fast;       /* frames of functions in unw_backtrace() */
} seen;

static const struct jf_range *function_at(uint64_t pc)
{
	const struct jf_range *range = jf_code_map_find(pc - 1);

	return range && range->kind != JF_RANGE_ENTRY && range->kind != JF_RANGE_STUB ? range : NULL;
}

static void compare_registers(unw_cursor_t *cursor, const struct jf_walk *walk)
{
	const struct jf_backend *backend = jf_backend_host();

	for (unsigned int reg = 0; reg < backend->reg_count; reg++) {
		const struct jf_reg *is = &backend->regs[reg];
		uint64_t value;
		unw_word_t theirs = 0;

		if (is->cls != JF_REG_INT || !(is->flags & JF_REG_CALLEE_SAVED) ||
		    !jf_walk_reg(walk, (uint8_t)reg, &value))
			continue;
		seen.registers++;
		seen.mismatches += unw_get_reg(cursor, is->dw, &theirs) < 0 || theirs != value;
	}
}

static void compare_frame(unw_cursor_t *cursor, const struct jf_walk *walk)
{
	uint64_t pc = jf_walk_at(walk)->pc;
	const struct jf_range *range = function_at(pc);
	unw_proc_info_t info;
	unw_word_t theirs = 0, sp = 0;

	seen.mismatches += unw_get_reg(cursor, UNW_REG_IP, &theirs) < 0 || theirs != pc ||
			   unw_get_reg(cursor, UNW_REG_SP, &sp) < 0 || sp != jf_walk_sp(walk);
	compare_registers(cursor, walk);
	if (!range)
		return;
	seen.generated++;
	seen.known +=
		unw_get_proc_info(cursor, &info) == 0 && info.start_ip == range->start && info.end_ip == range->end;
}

/* Both walks, frame by frame, up to the thread's outermost frame. */
static uint64_t look_back(uint64_t arg)
{
	const struct jf_walk_opts opts = {.size = sizeof(opts)};
	enum jf_status status;
	unw_context_t context;
	unw_cursor_t cursor;
	struct jf_walk walk;

	if (unw_getcontext(&context) || unw_init_local(&cursor, &context) || jf_walk_here(&walk, &opts) != JF_OK) {
		seen.mismatches++;
		return arg;
	}
	while ((status = jf_walk_step_past_entry(&walk)) == JF_OK) {
		if (unw_step(&cursor) <= 0) {
			seen.mismatches++;
			break;
		}
		compare_frame(&cursor, &walk);
	}
	seen.mismatches += status != JF_OK && status != JF_END;
	jf_walk_end(&walk);
	return arg;
}

static uint64_t look_back_fast(uint64_t arg)
{
	void *frames[64];
	int count = unw_backtrace(frames, 64);

	for (int i = 0; i < count; i++)
		seen.fast += function_at((uintptr_t)frames[i]) != NULL;
	return arg;
}

static uint64_t call_on(uint64_t (*call)(uint64_t), uint64_t arg)
{
	return call(arg) + 1;
}

/* Two programs, with a subprogram each. */
#define FUNCTIONS 4

static bool all_is_seen(void)
{
	programs_leaf = look_back;
	programs_between = call_on;
	seen = (struct seen){0};
	programs_run(1);
	if (seen.generated == FUNCTIONS && seen.known == FUNCTIONS && seen.registers > FUNCTIONS && !seen.mismatches)
		return true;
	printf("# %u frames, %u known, %u of %u registers wrong\n", seen.generated, seen.known, seen.mismatches,
	       seen.registers);
	return false;
}

/* ---- tests ---------------------------------------------------------------------------------------------------- */

static bool is_published(uint64_t ranges)
{
	struct jf_publish_counts counts = {.size = sizeof(counts)};

	return jf_publish_count(JF_PUBLISH_LIBUNWIND, &counts) == JF_OK && !counts.refused && counts.ranges == ranges;
}

/* Whatever libunwind guesses without descriptions: no frame of a function is known. */
static bool nothing_is_known_unpublished(void)
{
	programs_leaf = look_back;
	programs_between = call_on;
	seen = (struct seen){0};
	programs_run(1);
	return !seen.known;
}

static bool fast_backtrace_goes_through(void)
{
	programs_leaf = look_back_fast;
	programs_between = call_on;
	seen = (struct seen){0};
	programs_run(1);
	return seen.fast == FUNCTIONS;
}

static bool each_frame_is_walked(void)
{
	unsigned int tried = 0;

	for (unsigned int how = 0; how < PROGRAMS__COUNT; how++) {
		struct jf_error error = {.text = "a walk failed"};
		enum jf_status status = programs_load(conv, how, &error);

		if (status == JF_E_UNSUPPORTED || status == JF_E_BAD_SPEC)
			continue;
		tried++;
		if (status != JF_OK || !all_is_seen() || programs_unload() != JF_OK || !is_published(0)) {
			printf("# combination %u: %s\n", how, error.text);
			return false;
		}
	}
	printf("# %u combinations\n", tried);
	return tried > 0;
}

static bool saved_is_walked(uint8_t reg)
{
	const struct jf_insn insns[] = {MOV_K(reg, 1), CALL_HELPER(0), EXIT};
	const struct jf_function function = FUNCTION("main", insns);
	const struct jf_import helper = {.name = "look_back", .address = (uintptr_t)look_back};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .helpers = &helper,
					   .helper_count = 1};
	struct jf_loaded *loaded;

	if (jf_load(conv, &program, NULL, NULL, &loaded, NULL) != JF_OK)
		return false;
	seen = (struct seen){0};
	jf_run(loaded, 0);
	return jf_unload(loaded) == JF_OK && seen.generated == 1 && seen.known == 1 && !seen.mismatches;
}

/* One after the other at the same address, with another register in the same slot: the rules that libunwind keeps of an
 * address go with the program. */
static bool an_address_has_its_present_rules(void)
{
	return saved_is_walked(7) && saved_is_walked(8) && saved_is_walked(9);
}

static atomic_bool is_over;

static void *change_programs(void *arg)
{
	uintptr_t failures = 0;

	for (int32_t i = 0; !is_over; i++) {
		struct jf_loaded *loaded = NULL;

		failures += programs_load_small(conv, i, &loaded) != JF_OK || jf_unload(loaded) != JF_OK;
	}
	return (void *)(failures + (uintptr_t)arg);
}

#define WALKS 2000

static bool walks_pass_while_others_load(void)
{
	bool good = true;
	pthread_t thread;
	void *failures;

	is_over = false;
	if (pthread_create(&thread, NULL, change_programs, NULL))
		return false;
	for (unsigned int i = 0; i < WALKS && good; i++)
		good = all_is_seen();
	is_over = true;
	return pthread_join(thread, &failures) == 0 && !failures && good;
}

static unsigned int test_count, failed_count;

static void report(bool is_ok, const char *name)
{
	printf("%sok %u - %s: %s\n", is_ok ? "" : "not ", ++test_count, conv->name, name);
	failed_count += !is_ok;
}

static void test_convention(void)
{
	if (programs_load(conv, 0, NULL) != JF_OK) {
		report(false, "programs load");
		return;
	}
	report(nothing_is_known_unpublished(), "nothing_is_known_unpublished");
	report(jf_publish_start(JF_PUBLISH_LIBUNWIND, NULL) == JF_OK && all_is_seen(), "start_finds_what_is_there");
	report(fast_backtrace_goes_through(), "fast_backtrace_goes_through");
	report(walks_pass_while_others_load(), "walks_pass_while_others_load");
	report(programs_unload() == JF_OK && is_published(0), "unload_takes_back");
	report(each_frame_is_walked(), "each_frame_is_walked");
	report(an_address_has_its_present_rules(), "an_address_has_its_present_rules");
	report(programs_load(conv, 0, NULL) == JF_OK && jf_publish_stop(JF_PUBLISH_LIBUNWIND) == JF_OK &&
		       nothing_is_known_unpublished() && programs_unload() == JF_OK,
	       "stop_takes_back");
}

int main(void)
{
	const struct jf_backend *host = jf_backend_host();

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < host->convention_count; i++) {
		conv = host->conventions[i];
		if (jf_convention_supports(conv, JF_CAP_RUN))
			test_convention();
	}
	printf("1..%u\n", test_count);
	return failed_count ? 1 : 0;
}
