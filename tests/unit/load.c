/* SPDX-License-Identifier: BSD-2-Clause */
#include "loads.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

/* Any number of programs: they share pages, come and go, and leave nothing that can be run. */

/* ---- many ------------------------------------------------------------------------------------------------- */

/* How many of the process's mappings have all of the characters of `kind`, as /proc/PID/maps shows them. */
static unsigned int mappings(const char *kind)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512], access[8];
	unsigned int count = 0;

	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		bool all = sscanf(line, "%*s %7s", access) == 1;

		for (const char *k = kind; *k; k++)
			all = all && strchr(access, *k);
		count += all;
	}
	fclose(file);
	return count;
}

/* More than vm.max_map_count, 65,530. */
#define MANY 70000

Test(load, more_programs_than_a_process_can_have_mappings)
{
	static struct jf_loaded *loaded[MANY];

	user_convention();
	for (int32_t i = 0; i < MANY; i++)
		loaded[i] = load_number(i);
	cr_expect_eq(mappings("wx"), 0);
	cr_expect_lt(mappings("x"), 100);
	for (int32_t i = 0; i < MANY; i++)
		run_number(loaded[i], i);
	/* Gaps, and other programs in them. */
	for (int32_t i = 0; i < MANY; i += 3)
		unload(loaded[i]);
	for (int32_t i = 0; i < MANY; i += 3)
		loaded[i] = load_number(-i);
	for (int32_t i = 0; i < MANY; i++)
		run_number(loaded[i], i % 3 ? i : -i);
	for (int32_t i = 0; i < MANY; i++)
		unload(loaded[i]);
}

Test(load, programs_that_come_and_go_take_no_more_room_each_time)
{
	struct jf_loaded *stays = load_number(1);
	uint64_t low = UINT64_MAX, high = 0;

	for (int32_t i = 0; i < 20000; i++) {
		struct jf_loaded *loaded = load_number(i);
		uint64_t at = jf_loaded_entry(loaded);

		run_number(loaded, i);
		unload(loaded);
		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	CHECK(high - low <= 65536, "code was in %llu bytes", (unsigned long long)(high - low));
	run_number(stays, 1);
	unload(stays);
}

Test(load, a_large_program_has_pages_of_its_own)
{
	const uint32_t count = 60000;
	struct jf_insn *insns = calloc(count, sizeof(*insns));
	const struct jf_function function = {"large", insns, count};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_loaded *small = load_number(2), *large = NULL;

	cr_assert_not_null(insns);
	for (uint32_t i = 0; i < count; i++)
		insns[i] = i == 0         ? (struct jf_insn)MOV_K(0, 0) :
			   i == count - 1 ? (struct jf_insn)EXIT :
					    (struct jf_insn)ADD_K(0, 1);
	cr_assert_eq(jf_load(user_convention(), &program, NULL, NULL, &large, NULL), JF_OK);
	cr_expect_eq(jf_run(large, 0), count - 2);
	unload(large);
	run_number(small, 2);
	unload(small);
	free(insns);
}

/* Divisions take more bytes than most instructions. */
Test(load, a_gap_that_proves_too_small_stays_a_gap)
{
	struct jf_insn insns[62] = {MOV_K(0, 1 << 30), MOV_K(1, 1)};
	const struct jf_function function = FUNCTION("main", insns);
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_loaded *small[40], *large = NULL;
	uint64_t gap;

	for (uint32_t i = 2; i < 61; i++)
		insns[i] = (struct jf_insn)ALU64_X(MOD, 0, 1);
	insns[61] = (struct jf_insn)EXIT;
	for (int32_t i = 0; i < 40; i++)
		small[i] = load_number(i);
	gap = jf_loaded_entry(small[10]);
	for (int32_t i = 10; i < 21; i++)
		unload(small[i]);
	cr_assert_eq(jf_load(user_convention(), &program, NULL, NULL, &large, NULL), JF_OK);
	cr_expect_eq(jf_run(large, 0), 0);
	cr_expect_gt(jf_loaded_image(large)->size_bytes, 11 * 64, "it would have fitted");
	cr_expect_gt(jf_loaded_entry(large), jf_loaded_entry(small[39]));
	for (int32_t i = 10; i < 21; i++)
		small[i] = load_number(i);
	CHECK(jf_loaded_entry(small[10]) == gap, "the gap is not used");
	for (int32_t i = 0; i < 40; i++) {
		run_number(small[i], i);
		unload(small[i]);
	}
	unload(large);
}

static void *come_and_go(void *arg)
{
	int32_t first = (int32_t)(intptr_t)arg;
	struct jf_loaded *loaded[16] = {NULL};

	for (int32_t i = 0; i < 4000; i++) {
		struct jf_loaded **slot = &loaded[i % 16];

		if (*slot) {
			run_number(*slot, first + i - 16);
			unload(*slot);
		}
		*slot = load_number(first + i);
		run_number(*slot, first + i);
	}
	for (unsigned int i = 0; i < 16; i++)
		unload(loaded[i]);
	return NULL;
}

Test(load, threads_load_at_once)
{
	pthread_t threads[4];

	user_convention();
	for (intptr_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, (void *)(i * 100000)), 0);
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* ---- what is left ----------------------------------------------------------------------------------------- */

Test(load, freed_code_traps)
{
	const struct jf_backend *host = jf_backend_host();
	struct jf_loaded *stays = load_number(1), *goes = load_number(2);
	uint64_t entry = jf_loaded_entry(goes);
	uint8_t traps[16], bytes[sizeof(traps)];
	struct jf_code code;
	pid_t pid;
	int end;

	jf_code_init(&code, traps, sizeof(traps), 0, NULL, 0);
	while (code.status == JF_OK && code.size < sizeof(traps))
		host->emit_trap(&code);
	cr_assert_eq(code.status, JF_OK);
	unload(goes);
	memcpy(bytes, (const void *)(uintptr_t)entry, sizeof(bytes));
	cr_expect_arr_eq(bytes, traps, sizeof(traps));
	pid = fork();
	if (pid == 0) {
		host->native->enter(entry, 0, 0);
		_exit(0);
	}
	end = end_of(pid);
	cr_expect(end == SIGTRAP || end == SIGILL, "the child ended by %d", end);
	unload(stays);
}

/* ---- forks ------------------------------------------------------------------------------------------------ */

#define SHARED 200

/* All are run again and again while the other process changes what it has. */
static void run_all(struct jf_loaded *const *loaded, int32_t first, int until)
{
	char byte;

	fcntl(until, F_SETFL, O_NONBLOCK);
	do
		for (int32_t i = 0; i < SHARED; i++)
			if (jf_run(loaded[i], 0) != (uint64_t)(int64_t)(first + i))
				_exit(1);
	while (read(until, &byte, 1) < 0);
}

static void change_all(struct jf_loaded **loaded, int32_t first)
{
	for (int32_t round = 1; round <= 20; round++) {
		for (int32_t i = 0; i < SHARED; i++)
			if (jf_unload(loaded[i]) != JF_OK)
				_exit(2);
		for (int32_t i = 0; i < SHARED; i++)
			if (try_number(first + round * 1000 + i, &loaded[i]) != JF_OK)
				_exit(3);
		for (int32_t i = 0; i < SHARED; i++)
			if (jf_run(loaded[i], 0) != (uint64_t)(int64_t)(first + round * 1000 + i))
				_exit(4);
	}
}

static void fork_and_change(bool child_changes)
{
	struct jf_loaded *loaded[SHARED], *before = load_number(-1);
	int ends[2];
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	for (int32_t i = 0; i < SHARED; i++)
		loaded[i] = load_number(i);
	pid = fork();
	if (pid == 0 && child_changes) {
		change_all(loaded, 0);
		_exit(jf_run(before, 0) == UINT64_MAX ? 0 : 5);
	} else if (pid == 0) {
		close(ends[1]);
		run_all(loaded, 0, ends[0]);
		change_all(loaded, 500000);
		_exit(jf_run(before, 0) == UINT64_MAX ? 0 : 5);
	}
	if (child_changes) {
		close(ends[1]);
		/* The child ends long before: the programs are all still there. */
		cr_expect_eq(end_of(pid), 100);
		for (int32_t i = 0; i < SHARED; i++)
			run_number(loaded[i], i);
		for (int32_t i = 0; i < SHARED; i++)
			unload(loaded[i]);
	} else {
		change_all(loaded, 0);
		close(ends[1]);
		cr_expect_eq(end_of(pid), 100);
	}
	run_number(before, -1);
	unload(before);
}

Test(load, a_child_runs_its_programs_while_the_parent_changes_them)
{
	user_convention();
	fork_and_change(false);
}

Test(load, a_child_changes_programs_that_the_parent_runs)
{
	user_convention();
	fork_and_change(true);
}

static atomic_bool stop;

static void *load_until_stopped(void *arg)
{
	(void)arg;
	for (int32_t i = 0; !atomic_load(&stop); i++) {
		struct jf_loaded *loaded = load_number(i);

		run_number(loaded, i);
		unload(loaded);
	}
	return NULL;
}

Test(load, forks_while_another_thread_loads)
{
	struct jf_loaded *stays = load_number(77);
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, load_until_stopped, NULL), 0);
	for (unsigned int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(jf_run(stays, 0) == 77 ? 0 : 1);
		cr_expect_eq(end_of(pid), 100);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	unload(stays);
}

/* ---- descriptors ------------------------------------------------------------------------------------------ */

Test(load, a_program_that_closes_all_files_loads_on)
{
	struct jf_loaded *before = load_number(1), *after;
	int log, first;

	first = dup(0);
	close(first);
	/* As a daemon starts, with its own file under the number next. */
	for (int i = 3; i < 64; i++)
		if (fcntl(i, F_GETFD) >= 0) {
			char path[64], target[64] = "";

			snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
			if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "jitframe")) {
				close(i);
				first = i;
			}
		}
	log = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	cr_assert_geq(log, 0);
	cr_assert_eq(dup2(log, first), first);
	after = load_number(2);
	run_number(before, 1);
	run_number(after, 2);
	unload(before);
	cr_expect_eq(lseek(log, 0, SEEK_END), 0, "something was written to a file of somebody else's");
	run_number(after, 2);
	unload(after);
}

Test(load, files_may_be_limited_to_no_bytes)
{
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	struct jf_loaded *loaded[100];
	bool limited = setrlimit(RLIMIT_FSIZE, &none) == 0;

	for (int32_t i = 0; i < 100; i++)
		loaded[i] = load_number(i);
	for (int32_t i = 0; i < 100; i++) {
		if (jf_run(loaded[i], 0) != (uint64_t)i)
			limited = false;
		if (jf_unload(loaded[i]) != JF_OK)
			limited = false;
	}
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}); /* for the report */
	cr_expect(limited);
}

/* ---- mistakes --------------------------------------------------------------------------------------------- */

Test(load, unloaded_twice)
{
	struct jf_loaded *other = load_number(1), *loaded = load_number(2);

	unload(loaded);
	cr_expect_eq(jf_unload(loaded), JF_E_NOT_FOUND);
	run_number(other, 1);
	unload(other);
	cr_expect_eq(jf_unload(other), JF_E_NOT_FOUND);
	cr_expect_eq(jf_unload(NULL), JF_OK);
}

Test(load, unloaded_in_a_reader_section)
{
	struct jf_loaded *loaded = load_number(3);
	unsigned int section = jf_code_map_enter();

	cr_expect_eq(jf_unload(loaded), JF_E_IN_SECTION);
	jf_code_map_leave(section);
	run_number(loaded, 3);
	unload(loaded);
}

static struct jf_loaded *running;
static enum jf_status status_inside;

static uint64_t unload_running(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)b, (void)c, (void)d, (void)e;
	status_inside = jf_unload(running);
	return a + 1;
}

Test(load, unloaded_by_its_own_helper)
{
	static const struct jf_insn insns[] = {CALL_HELPER(1), EXIT};
	static const struct jf_function function = FUNCTION("main", insns);
	const struct jf_import helpers[] = {{.name = "none"}, {.name = "unload", .address = (uintptr_t)unload_running}};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .helpers = helpers,
					   .helper_count = 2};

	cr_assert_eq(jf_load(user_convention(), &program, NULL, NULL, &running, NULL), JF_OK);
	cr_expect_eq(jf_run(running, 4), 5);
	cr_expect_eq(status_inside, JF_E_BUSY);
	cr_expect_eq(jf_run(running, 8), 9);
	unload(running);
}

Test(load, null_is_refused)
{
	uint64_t value;

	cr_expect_eq(jf_walk_step_past_entry(NULL), JF_E_INVAL);
	cr_expect_not(jf_walk_reg(NULL, 0, &value));
	cr_expect_eq(jf_walk_sp(NULL), 0);
	cr_expect_eq(jf_walk_fp(NULL), 0);
	cr_expect_eq(jf_private_stack_check(NULL), JF_E_INVAL);
}

/* ---- arenas --------------------------------------------------------------------------------------------- */

static enum jf_status try_arena(const struct jf_compile_opts *opts, struct jf_error *error)
{
	static const struct jf_insn insns[] = {
		LDDW(1, 0, 0, 0),
		INSN(0xbf, 1, 1, 1, 1), /* addr_space_cast to the arena's */
		LDX(DW, 0, 1, 0),
		EXIT,
	};
	const struct jf_function function = FUNCTION("main", insns);
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_loaded *loaded = NULL;
	enum jf_status status = jf_load(user_convention(), &program, opts, NULL, &loaded, error);

	cr_expect_eq(jf_unload(loaded), JF_OK);
	return status;
}

Test(load, arenas_need_somebody_who_handles_faults)
{
	struct jf_compile_opts own = {.size = sizeof(own), .handles_faults = true};
	struct jf_error error = {.where = ""};

	cr_expect_eq(try_arena(NULL, &error), JF_E_NO_HANDLER);
	cr_expect_str_eq(error.where, "arena");
	cr_expect(strstr(error.text, "jf_fault_handler_install()"), "%s", error.text);
	cr_expect_eq(try_arena(&own, NULL), JF_OK);
	cr_assert_eq(jf_fault_handler_install(), JF_OK);
	cr_expect_eq(try_arena(NULL, NULL), JF_OK);
	signal(SIGBUS, SIG_DFL);
	cr_expect_eq(try_arena(NULL, NULL), JF_E_NO_HANDLER, "the handler was taken out");
}
