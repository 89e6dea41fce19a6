/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "loads.h"
#include "tables.h"

#include <pthread.h>
#include <string.h>

/*
 * Every allocation, mapping and file of the library is refused once, and after that with everything behind it. Each
 * call says JF_E_NO_MEMORY or does without; what it has taken is given back, and a later call works.
 */

static struct {
	long at;      /* the event that fails; -1: none */
	bool forever; /* and all that come after */
	long seen;
	bool failed;
	long kept[2]; /* blocks, and bytes of pages, that are not given back */
} world = {.at = -1};

static bool on_event(enum jf_memory_event event, size_t bytes)
{
	bool good;

	switch (event) {
	case JF_MEMORY_FREE: world.kept[0]--; return true;
	case JF_MEMORY_UNMAP: world.kept[1] -= (long)bytes; return true;
	default: break;
	}
	good = world.at < 0 || (world.forever ? world.seen < world.at : world.seen != world.at);
	world.seen++;
	world.failed |= !good;
	if (good && event == JF_MEMORY_ALLOC)
		world.kept[0]++;
	if (good && event == JF_MEMORY_MAP)
		world.kept[1] += (long)bytes;
	return good;
}

struct subject {
	const char *name;
	enum jf_status (*work)(void);
	void (*undo)(void);          /* after JF_OK */
	void (*after_failure)(void); /* looks for what is half there; may be NULL */
	bool is_once;
};

/* What stays of a first good call, for later ones: measured in a process of its own. */
static void measure_clean(const struct subject *subject, long kept[2])
{
	int ends[2];
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (subject->work() != JF_OK)
			_exit(1);
		subject->undo();
		_exit(write(ends[1], world.kept, sizeof(world.kept)) == 2 * sizeof(long) ? 0 : 2);
	}
	cr_assert_eq(end_of(pid), 100);
	cr_assert_eq(read(ends[0], kept, 2 * sizeof(long)), 2 * (ssize_t)sizeof(long));
}

static void fail_at_each(const struct subject *subject, bool forever)
{
	world.forever = forever;
	for (world.at = 0;; world.at++) {
		enum jf_status status;

		world.seen = 0;
		world.failed = false;
		status = subject->work();
		if (status == JF_OK)
			subject->undo();
		CHECK(status == JF_OK || (status == JF_E_NO_MEMORY && world.failed), "%s, failure %ld: %s",
		      subject->name, world.at, jf_status_name(status));
		if (status != JF_OK && subject->after_failure)
			subject->after_failure();
		if (!world.failed)
			break;
	}
	CHECK(world.at > 0, "%s: nothing could be refused", subject->name);
	world.at = -1;
}

static void refuse_all(const struct subject *subject)
{
	long clean[2], blocks;
	pid_t pid;

	jf_memory_hook = on_event;
	measure_clean(subject, clean);
	/* In a child where later calls have nothing left to do. */
	pid = subject->is_once ? fork() : 0;
	if (!pid)
		fail_at_each(subject, false);
	if (!pid && subject->is_once)
		_exit(0);
	if (subject->is_once)
		CHECK(end_of(pid) == 100, "%s, in a child", subject->name);
	fail_at_each(subject, true);
	CHECK_STATUS(subject->work(), JF_OK, "%s, afterwards", subject->name);
	blocks = world.kept[0];
	subject->undo();
	CHECK(world.kept[0] == clean[0] && world.kept[1] == clean[1],
	      "%s: %ld blocks and %ld bytes of pages stay, %ld and %ld without failures; %ld blocks in use",
	      subject->name, world.kept[0], world.kept[1], clean[0], clean[1], blocks);
	jf_memory_hook = NULL;
}

/* ---- loading ---------------------------------------------------------------------------------------------- */

static struct jf_loaded *loaded;
static uint64_t wanted;

static void unload_it(void)
{
	CHECK(jf_run(loaded, 0) == wanted, "it returns %llu", (unsigned long long)jf_run(loaded, 0));
	unload(loaded);
	loaded = NULL;
}

static enum jf_status load_plain(void)
{
	wanted = 7;
	return try_number(7, &loaded);
}

static uint64_t raise_it(uint64_t a)
{
	return (uint64_t)jf_throw(a + 40);
}

static const struct jf_insn main_insns[] = {MOV_K(1, 0), CALL_HELPER(0), EXIT};
static const struct jf_insn callback_insns[] = {MOV_X(0, 1), ADD_K(0, 2), EXIT};
static const struct jf_function throwing[] = {FUNCTION("main", main_insns), FUNCTION("callback", callback_insns)};
static const struct jf_import helpers[] = {{.name = "raise", .address = 1, .throws = true}};

static enum jf_status load_throwing(void)
{
	struct jf_import import = helpers[0];
	const struct jf_program program = {.size = sizeof(program),
					   .functions = throwing,
					   .function_count = 2,
					   .callback = 1,
					   .helpers = &import,
					   .helper_count = 1};

	import.address = (uintptr_t)raise_it;
	wanted = 42;
	return jf_load(user_convention(), &program, NULL, NULL, &loaded, NULL);
}

static const struct jf_insn stack_insns[] = {ST(DW, 10, -8, 9), LDX(DW, 0, 10, -8), EXIT};
static const struct jf_function on_stack = FUNCTION("main", stack_insns);

static enum jf_status load_private_stack(void)
{
	const struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = true};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &on_stack, .function_count = 1, .callback = -1};

	wanted = 9;
	return jf_load(user_convention(), &program, &opts, NULL, &loaded, NULL);
}

static uint64_t arena_word = 11;

/* Reads through an arena pointer: an access that may fault. */
static enum jf_status load_arena(void)
{
	const struct jf_insn plain[] = {
		LDDW(1, 0, (int32_t)(uint32_t)(uintptr_t)&arena_word, 0), /* its lower half is an arena pointer */
		INSN(0xbf, 1, 1, 1, 1),                                   /* addr_space_cast to the arena's */
		LDX(DW, 0, 1, 0),
		EXIT,
	};
	const struct jf_function function = FUNCTION("main", plain);
	uint64_t upper = (uintptr_t)&arena_word & ~UINT64_C(0xffffffff);
	const struct jf_compile_opts opts = {
		.size = sizeof(opts), .handles_faults = true, .values = {.arena_base = upper}};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .arena_user_base = upper};

	wanted = 11;
	return jf_load(user_convention(), &program, &opts, NULL, &loaded, NULL);
}

#define LOAD_TEST(what)                                                                                    \
	Test(memory, refused_to_load_##what)                                                               \
	{                                                                                                  \
		user_convention();                                                                         \
		refuse_all(&(struct subject){.name = "load " #what, load_##what, unload_it, NULL, false}); \
	}
LOAD_TEST(plain)
LOAD_TEST(throwing)
LOAD_TEST(private_stack)
LOAD_TEST(arena)

/* ---- regions ---------------------------------------------------------------------------------------------- */

static bool no_files(enum jf_memory_event event, size_t bytes)
{
	(void)bytes;
	return event != JF_MEMORY_FILE;
}

Test(memory, without_files_programs_have_pages_of_their_own)
{
	struct jf_loaded *all[100];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	user_convention();
	jf_memory_hook = no_files;
	for (int32_t i = 0; i < 100; i++)
		all[i] = load_number(i);
	for (int32_t i = 0; i < 100; i++) {
		run_number(all[i], i);
		CHECK(jf_loaded_entry(all[i]) % page < 64, "program %d is not at the start of a page", i);
	}
	for (int32_t i = 0; i < 100; i++)
		unload(all[i]);
	jf_memory_hook = NULL;
}

/* ---- the code map ----------------------------------------------------------------------------------------- */

#define RANGES 300
#define START  UINT64_C(0x7e0000000000)

static const struct jf_row row = {.cfa_off = 16};
static struct jf_range ranges[RANGES];

/* Some in one block, some of whole blocks and regions, some far apart. */
static void make_ranges(void)
{
	uint64_t at = START;

	for (uint32_t i = 0; i < RANGES; i++) {
		uint64_t bytes = i % 50 == 49 ? 600000 : i % 10 == 9 ? 5000 : 100;

		ranges[i] = (struct jf_range){.size = sizeof(ranges[i]),
					      .kind = JF_RANGE_SUBPROGRAM,
					      .start = at,
					      .end = at + bytes,
					      .name = "f",
					      .backend = jf_backend_at(0),
					      .rows = &row,
					      .row_count = 1};
		at += bytes + (i % 25 == 24 ? 1 << 20 : 16);
	}
}

static enum jf_status add_ranges(void)
{
	return jf_code_map_add_all(ranges, RANGES, NULL);
}

static void none_is_in(void)
{
	unsigned int section = jf_code_map_enter();

	for (uint32_t i = 0; i < RANGES; i++)
		CHECK(!jf_code_map_find(ranges[i].start) && !jf_code_map_find(ranges[i].end - 1), "range %u", i);
	jf_code_map_leave(section);
}

static void remove_ranges(void)
{
	CHECK_STATUS(jf_code_map_remove_all(ranges, RANGES), JF_OK, "all");
	none_is_in();
}

Test(memory, refused_to_the_code_map)
{
	make_ranges();
	refuse_all(&(struct subject){"add to the code map", add_ranges, remove_ranges, none_is_in, false});
}

/* ---- unwind tables ---------------------------------------------------------------------------------------- */

static enum jf_status load_objects(void)
{
	return jf_cfi_load_objects(NULL);
}

static void nothing(void)
{
}

Test(memory, refused_to_the_rows_of_loaded_objects)
{
	user_convention();
	refuse_all(&(struct subject){"load objects", load_objects, nothing, NULL, true});
}

static struct memory_table orc_table;
static struct jf_orc_index *orc_index;

static enum jf_status index_orc(void)
{
	enum jf_status status = jf_orc_sort(&orc_table.table, orc_table.entries, orc_table.ips);

	return status == JF_OK ? jf_orc_index_new(&orc_table.table, TABLE_ADDRESS, TABLE_ADDRESS + 100000, &orc_index) :
				 status;
}

static void free_index(void)
{
	jf_orc_index_free(orc_index);
}

Test(memory, refused_to_an_orc_index)
{
	struct rng rng = {3};

	orc_memory_new(&orc_table, orc_format_at(0), 500);
	for (size_t i = 0; i < 500; i++) {
		struct jf_orc_entry entry = orc_likely_entry(&rng);

		orc_memory_set(&orc_table, i, TABLE_ADDRESS + 100 * (i ^ 1), &entry);
	}
	refuse_all(&(struct subject){"index ORC", index_orc, free_index, NULL, false});
	orc_memory_free(&orc_table);
}

/* ---- the checker ------------------------------------------------------------------------------------------ */

static uint8_t code[65536];
static struct jf_image *image;
static struct jf_check_input input;

static void make_input(void)
{
	const struct jf_convention *conv = user_convention();
	const struct jf_program program = {.size = sizeof(program),
					   .functions = throwing,
					   .function_count = 2,
					   .callback = 1,
					   .helpers = helpers,
					   .helper_count = 1};

	cr_assert_eq(jf_compile(conv, &program, NULL, code, sizeof(code), 0x10000, &image, NULL), JF_OK);
	input = (struct jf_check_input)JF_CHECK_INPUT_INIT;
	input.conv = conv;
	input.bytes = code + jf_image_function_at(image, 0)->start;
	input.byte_count = jf_image_function_at(image, 0)->size_bytes;
	input.address = 0x10000 + jf_image_function_at(image, 0)->start;
	input.spec = jf_image_function_at(image, 0)->frame->spec;
}

static enum jf_status check_code(void)
{
	struct jf_check_report report = {.size = sizeof(report), .findings = NULL};

	return jf_check(&input, &report, NULL);
}

static enum jf_status find_rows(void)
{
	struct jf_row rows[200];
	struct jf_slot slots[32];
	size_t row_count = 200, slot_count = 32;

	return jf_check_rows(&input, rows, &row_count, slots, &slot_count, NULL);
}

static enum jf_status infer_spec(void)
{
	struct jf_inferred inferred = {.size = sizeof(inferred)};

	return jf_check_infer(&input, JF_INFER_ANY_ROLE, &inferred);
}

static void look_away(void *arg, const struct jf_check_state *state)
{
	(void)arg;
	(void)state;
}

static enum jf_status find_states(void)
{
	return jf_check_states(&input, look_away, NULL, NULL);
}

Test(memory, refused_to_the_checker)
{
	make_input();
	refuse_all(&(struct subject){"check", check_code, nothing, NULL, false});
	refuse_all(&(struct subject){"find rows", find_rows, nothing, NULL, false});
	refuse_all(&(struct subject){"find states", find_states, nothing, NULL, false});
	refuse_all(&(struct subject){"infer", infer_spec, nothing, NULL, false});
	jf_image_free(image);
}

/* ---- the rest --------------------------------------------------------------------------------------------- */

static struct jf_program_array *array;

static enum jf_status set_slot(void)
{
	enum jf_status status = try_number(5, &loaded);

	if (status != JF_OK)
		return status;
	status = jf_program_array_set(array, 1, loaded);
	if (status != JF_OK)
		unload(loaded);
	return status;
}

static void clear_slot(void)
{
	CHECK_STATUS(jf_program_array_set(array, 1, NULL), JF_OK, "empty");
	wanted = 5;
	unload_it();
}

Test(memory, refused_to_a_program_array)
{
	user_convention();
	array = calloc(1, sizeof(*array) + 4 * sizeof(array->entries[0]));
	cr_assert_not_null(array);
	array->max_entries = 4;
	refuse_all(&(struct subject){"set a slot", set_slot, clear_slot, NULL, false});
	free(array);
}

Test(memory, refused_to_the_fault_handler)
{
	user_convention();
	refuse_all(&(struct subject){"install the fault handler", jf_fault_handler_install, nothing, NULL, true});
}

static void *set_up(void *status)
{
	*(enum jf_status *)status = jf_thread_init();
	return NULL;
}

/* A thread of its own each time; its end gives the record back. */
static enum jf_status begin_thread(void)
{
	enum jf_status status = JF_E_INVAL;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, set_up, &status), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	return status;
}

Test(memory, refused_to_a_thread)
{
	refuse_all(&(struct subject){"set a thread up", begin_thread, nothing, NULL, false});
}
