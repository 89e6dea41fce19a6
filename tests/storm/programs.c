/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "storm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <jitframe/orc.h>
#include <jitframe/throw.h>

#include "../unit/bpf.h"

/*
 * Programs that between them are in every kind of frame and stub, and call C that is in libc, the vDSO, the
 * procedure linkage table, and deep in frames of its own.
 */

enum {
	HELPER_ADD = 1,
	HELPER_THROW,
	HELPER_THROW_DEEP, /* (cookie, C frames) */
	HELPER_LOOP,       /* (count, callback, context) */
	HELPER_LIBC,
	HELPER_WALK, /* (C frames) */
	HELPER_RESUME,
	HELPER_TAIL_CALL = 12
};
enum { KFUNC_SUM12 };

#define TAIL_SLOTS 2

static struct jf_import helpers[HELPER_TAIL_CALL + 1], kfuncs[1];
static struct jf_map_ref maps[1];
static _Alignas(8) uint8_t array_memory[sizeof(struct jf_program_array) + TAIL_SLOTS * sizeof(uint64_t)];
static uint64_t arena;

/* ---- what programs call ---------------------------------------------------------------------------------- */

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b;
}

static uint64_t sum12(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h,
		      uint64_t i, uint64_t j, uint64_t k, uint64_t l)
{
	return a + b + c + d + e + 2 * f + 3 * g + 4 * h + 5 * i + 6 * j + 7 * k + 8 * l;
}

/* Every callee-saved register in use, or memory instead. */
__attribute__((noinline)) static uint64_t throw_deep(uint64_t cookie, uint64_t frames)
{
	uint64_t a = cookie * 3, b = a * 5, c = b * 7, d = c * 9, e = d * 11, result;

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	result = frames ? throw_deep(cookie, frames - 1) : (uint64_t)jf_throw(cookie);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	return result + a + b + c + d + e;
}

static uint64_t loop(uint64_t count, uint64_t (*callback)(uint64_t, uint64_t), uint64_t context)
{
	for (uint64_t i = 0; i < count; i++)
		if (callback(i, context))
			return i + 1;
	return count;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Code of many kinds: copies and searches in assembler, a callback out of libc, formatting, allocation. */
static uint64_t libc(uint64_t value)
{
	int numbers[16];
	char text[256], copy[256];
	struct timespec ts;
	char *heap;

	for (int i = 0; i < 16; i++)
		numbers[i] = (i * 7) % 16;
	qsort(numbers, 16, sizeof(numbers[0]), compare);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "%d %s %g %ld", numbers[3], "storm", 1.5, (long)ts.tv_sec);
	memset(copy, 'x', sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	heap = strdup(copy);
	if (!heap)
		return 0;
	value += strcmp(heap, text) == 0 && strchr(heap, 's') && numbers[15] == 15;
	free(heap);
	return value;
}

/* ---- the kernel's walk against the rows' ------------------------------------------------------------------ */

/* What one walk reports is held to what the other is at. */
struct both {
	struct jf_walk exact;
	uint64_t call_bytes; /* what the kernel takes off a return address */
	enum jf_status status;
	unsigned int frames, generated;
	bool same;
};

/* Where libraries have no rows, the kernel's walk goes on by frame records that are not there. */
static bool ends_without_row(const struct both *both)
{
	return both->status == JF_E_NO_ROW && arch_named(jf_backend_host()->name)->libraries_lack_rows;
}

static bool hold_to_rows(void *arg, uint64_t ip, uint64_t sp, uint64_t fp)
{
	struct both *both = arg;
	struct jf_walk *exact = &both->exact;
	const struct jf_walk_frame *frame = jf_walk_at(exact);

	if (ends_without_row(both))
		return false;
	both->same &= both->status == JF_OK && ip == frame->pc - both->call_bytes && sp == jf_walk_sp(exact) &&
		      fp == jf_walk_fp(exact);
	both->generated += frame->range && frame->range->kind < JF_RANGE_STUB;
	if (both->same)
		both->status = jf_walk_step_past_entry(exact);
	return both->same;
}

static bool skip_own_frame(void *arg, uint64_t ip, uint64_t sp, uint64_t fp)
{
	struct both *both = arg;

	return both->frames++ ? hold_to_rows(arg, ip, sp, fp) : true;
}

/*
 * Both walks begin in here, at two calls: the first frame is left out. returns: frames of generated code, or 1000
 * when the walks differ.
 */
__attribute__((noinline)) static uint64_t walk_both_ways(void)
{
	const struct jf_orc_format *orc = jf_backend_host()->orc;
	struct both both = {.call_bytes = orc ? orc->call_bytes : 0, .same = true};
	enum jf_status status = jf_walk_here(&both.exact, NULL);

	if (status == JF_OK)
		status = jf_walk_step_past_entry(&both.exact);
	both.status = status;
	if (status == JF_OK)
		status = jf_bpf_stack_walk(skip_own_frame, &both);
	jf_walk_end(&both.exact);
	return both.same && (ends_without_row(&both) || (status == JF_END && both.status == JF_END)) ? both.generated :
												       1000;
}

__attribute__((noinline)) static uint64_t walk_deep(uint64_t frames)
{
	uint64_t a = frames * 3, b = a * 5, c = b * 7, result;

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
	result = frames ? walk_deep(frames - 1) : walk_both_ways();
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
	return result + a - frames * 3 + b - a * 5 + c - b * 7;
}

/* ---- programs ------------------------------------------------------------------------------------------------ */

/* clang-format off */
/* clang-format off */
#define PROGRAM(functions_, callback_) \
	{ .size = sizeof(struct jf_program), .functions = functions_, .function_count = COUNT_OF(functions_), \
	  .callback = callback_, .helpers = helpers, .helper_count = COUNT_OF(helpers), \
	  .kfuncs = kfuncs, .kfunc_count = COUNT_OF(kfuncs), .maps = maps, .map_count = 1, \
	  .arena_user_base = UINT64_C(0x7e0000000000) }
#define PROGRAM_WITH_PADS(name, callback_) \
	{ .size = sizeof(struct jf_program), .functions = name, .function_count = COUNT_OF(name), \
	  .callback = callback_, .helpers = helpers, .helper_count = COUNT_OF(helpers), \
	  .kfuncs = kfuncs, .kfunc_count = COUNT_OF(kfuncs), .maps = maps, .map_count = 1, .cleanups = name##_tables }
/* clang-format on */
#define TAIL_CALL(slot)   LDDW(2, 1, 0, 0), MOV_K(3, slot), CALL_HELPER(HELPER_TAIL_CALL)
#define ADD_TO_R0(value)  MOV_X(1, 0), MOV_K(2, value), CALL_HELPER(HELPER_ADD)
#define ARG_PUT(n, value) INSN(0x7a, 11, 0, -8 * (n), value)
#define ARG_GET(dst, n)   INSN(0x79, dst, 11, 8 * (n), 0)
#define ARGS_1_TO_5       MOV_K(1, 1), MOV_K(2, 2), MOV_K(3, 3), MOV_K(4, 4), MOV_K(5, 5)
#define ARGS_6_TO_12 \
	ARG_PUT(1, 6), ARG_PUT(2, 7), ARG_PUT(3, 8), ARG_PUT(4, 9), ARG_PUT(5, 10), ARG_PUT(6, 11), ARG_PUT(7, 12)
#define CAST_TO_ARENA(dst, src) INSN(0xbf, dst, src, 1, 1)
#define MAY_GOTO(off)           INSN(0xe5, 0, 0, off, 0)
/* clang-format on */

/* A function that calls itself, R1 times, and C at the end: 1 for every frame, and what C gives. */
static const struct jf_insn main_deep[] = {
	MOV_K(6, 100),      STX(DW, 10, 6, -8), MOV_K(1, 20), CALL_FUNCTION(1), MOV_X(7, 0),
	LDX(DW, 6, 10, -8), MOV_X(0, 6),        ADD_X(0, 7),  ADD_TO_R0(1),     EXIT};
static const struct jf_insn down_to_libc[] = {
	MOV_X(6, 1), STX(DW, 10, 6, -32),      J_K(JEQ, 6, 0, 4),   ADD_K(1, -1), CALL_FUNCTION(1), ADD_K(0, 1), JA(2),
	MOV_K(1, 7), CALL_HELPER(HELPER_LIBC), LDX(DW, 7, 10, -32), EXIT};
static const struct jf_function deep[] = {FUNCTION("main", main_deep), FUNCTION("down", down_to_libc)};

/* The same, and throws there; the callback adds 1000 by a function of its own. */
static const struct jf_insn main_throws[] = {MOV_X(6, 1),      STX(DW, 10, 6, -8), MOV_K(8, 4), MOV_K(9, 5),
					     CALL_FUNCTION(1), ADD_K(0, 3),        EXIT};
static const struct jf_insn down_to_throw[] = {MOV_X(6, 1),  STX(DW, 10, 6, -24),      J_K(JEQ, 6, 0, 3),
					       ADD_K(1, -1), CALL_FUNCTION(1),         EXIT,
					       MOV_K(1, 70), CALL_HELPER(HELPER_THROW)};
static const struct jf_insn down_to_c_throw[] = {MOV_X(6, 1),  STX(DW, 10, 6, -24), J_K(JEQ, 6, 0, 3),
						 ADD_K(1, -1), CALL_FUNCTION(1),    EXIT,
						 MOV_K(1, 70), MOV_K(2, 4),         CALL_HELPER(HELPER_THROW_DEEP),
						 EXIT};
static const struct jf_insn adds_1000[] = {MOV_X(0, 1), ADD_TO_R0(1000), EXIT};
static const struct jf_insn callback[] = {
	MOV_K(6, 9),      STX(DW, 10, 1, -64), MOV_K(2, 1), CALL_HELPER(HELPER_ADD), LDX(DW, 1, 10, -64), MOV_X(7, 0),
	CALL_FUNCTION(2), ADD_X(0, 7),         EXIT};
static const struct jf_function throws[] = {FUNCTION("main", main_throws), FUNCTION("down", down_to_throw),
					    FUNCTION("adds", adds_1000), FUNCTION("callback", callback)};
static const struct jf_function throws_in_c[] = {FUNCTION("main", main_throws), FUNCTION("down", down_to_c_throw)};

/* Down four functions, one of them called by C, and a walk there; the callback walks after a throw. */
static const struct jf_insn main_walks[] = {MOV_X(6, 1),      STX(DW, 10, 6, -8), MOV_K(8, 4), MOV_K(9, 5),
					    CALL_FUNCTION(1), ADD_X(0, 8),        EXIT};
static const struct jf_insn walks_in_loop[] = {
	MOV_X(6, 1),   MOV_K(1, 1), LDDW(2, 4, 2, 0),         MOV_K(3, 3),       CALL_HELPER(HELPER_LOOP),
	MOV_X(7, 0),   MOV_K(1, 2), CALL_HELPER(HELPER_WALK), J_K(JNE, 0, 2, 1), EXIT,
	MOV_K(0, 500), EXIT};
static const struct jf_insn walks_called_by_c[] = {
	MOV_X(8, 1),       ST(DW, 10, -48, 1), MOV_X(1, 8), MOV_K(1, 3), CALL_HELPER(HELPER_WALK),
	J_K(JNE, 0, 3, 2), MOV_K(0, 0),        EXIT,        MOV_K(0, 1), EXIT};
static const struct jf_function walks[] = {FUNCTION("main", main_walks), FUNCTION("sub", walks_in_loop),
					   FUNCTION("each", walks_called_by_c)};
static const struct jf_insn callback_walks[] = {MOV_X(6, 1), ST(DW, 10, -32, 1), MOV_K(1, 4), CALL_HELPER(HELPER_WALK),
						EXIT};
static const struct jf_function walks_in_callback[] = {FUNCTION("main", main_throws), FUNCTION("down", down_to_throw),
						       FUNCTION("callback", callback_walks)};

/* The same throw, down the same functions, which hold R6 for their pads: a pad in each frame, and C in each pad. */
static const struct jf_insn main_padded[] = {MOV_X(6, 1),      STX(DW, 10, 6, -8),
					     MOV_K(8, 4),      MOV_K(9, 5),
					     CALL_FUNCTION(1), EXIT,
					     MOV_K(1, 3),      CALL_HELPER(HELPER_LIBC),
					     CALL_FUNCTION(2), CALL_HELPER(HELPER_RESUME)};
static const struct jf_insn down_padded[] = {MOV_X(6, 1),
					     STX(DW, 10, 6, -24),
					     J_K(JEQ, 6, 0, 3),
					     ADD_K(1, -1),
					     CALL_FUNCTION(1),
					     EXIT,
					     MOV_K(1, 70),
					     CALL_HELPER(HELPER_THROW),
					     EXIT,
					     MOV_X(1, 6),
					     MOV_K(2, 1),
					     CALL_HELPER(HELPER_ADD),
					     CALL_FUNCTION(2),
					     CALL_HELPER(HELPER_RESUME)};
static const struct jf_function padded[] = {FUNCTION("main", main_padded), FUNCTION("down", down_padded),
					    FUNCTION("adds", adds_1000), FUNCTION("callback", callback)};
static const struct jf_cleanup main_pad[] = {{4, 5, 6}}, down_pad[] = {{4, 5, 9}};
static const struct jf_cleanups padded_tables[] = {{main_pad, 1}, {down_pad, 1}, {NULL, 0}, {NULL, 0}};

/* C calls back, three times; the last one throws. */
static const struct jf_insn main_loop[] = {
	MOV_X(6, 1), MOV_K(1, 9), LDDW(2, 4, 1, 0), MOV_K(3, 3), CALL_HELPER(HELPER_LOOP), EXIT};
static const struct jf_insn loop_callback[] = {
	MOV_X(6, 1), J_K(JNE, 6, 3, 2), MOV_K(1, 77), CALL_HELPER(HELPER_THROW), MOV_K(0, 0), EXIT};
static const struct jf_insn loop_callback_ends[] = {MOV_X(6, 1), MOV_K(0, 0), J_K(JNE, 6, 5, 1), MOV_K(0, 1), EXIT};
static const struct jf_function loop_throws[] = {FUNCTION("main", main_loop), FUNCTION("each", loop_callback)};
static const struct jf_function loop_ends[] = {FUNCTION("main", main_loop), FUNCTION("each", loop_callback_ends)};

/* Main calls a subprogram that tail calls `other`, which tail calls `thrower` or itself until no more is allowed. */
static const struct jf_insn main_tail[] = {MOV_K(6, 2), ST(DW, 10, -8, 1), CALL_FUNCTION(1), ADD_K(0, 1), EXIT};
static const struct jf_insn sub_tail[] = {MOV_K(7, 2),  MOV_K(8, 2),  ST(DW, 10, -80, 1),
					  TAIL_CALL(0), MOV_K(0, 12), EXIT};
static const struct jf_insn main_other[] = {MOV_K(9, 2), TAIL_CALL(0), MOV_K(0, 13), EXIT};
static const struct jf_insn main_thrower[] = {MOV_K(8, 2), ST(DW, 10, -16, 1), MOV_K(1, 21), CALL_HELPER(HELPER_THROW),
					      EXIT};
static const struct jf_insn sub_to_thrower[] = {MOV_K(8, 2), TAIL_CALL(1), EXIT};
static const struct jf_function tails[] = {FUNCTION("main", main_tail), FUNCTION("sub", sub_tail)};
static const struct jf_function tails_to_thrower[] = {FUNCTION("main", main_tail), FUNCTION("sub", sub_to_thrower)};
static const struct jf_function other[] = {FUNCTION("other", main_other)};
static const struct jf_function thrower[] = {FUNCTION("thrower", main_thrower)};

static const struct jf_insn main_args[] = {MOV_K(6, 2), ST(DW, 10, -8, 1), ARGS_6_TO_12,
					   ARGS_1_TO_5, CALL_FUNCTION(1),  EXIT};
static const struct jf_insn sub_args[] = {
	ARG_GET(6, 1), ARG_GET(7, 7), ARGS_6_TO_12,      MOV_X(8, 1), CALL_KFUNC(KFUNC_SUM12),
	ADD_X(0, 6),   ADD_X(0, 7),   J_K(JEQ, 8, 0, 2), MOV_X(1, 0), CALL_HELPER(HELPER_THROW),
	EXIT};
static const struct jf_function args[] = {FUNCTION("main", main_args), FUNCTION("sub", sub_args)};

/* Arena accesses that fault, and the stub of may_goto. */
static const struct jf_insn main_arena[] = {MOV_K(6, 64),        CAST_TO_ARENA(7, 6), LDX(DW, 0, 7, 8),
					    MOV_K(8, 0),         MAY_GOTO(3),         ADD_K(8, 1),
					    ADD_K(0, 1),         J_K(JLT, 8, 20, -4), MOV_K(6, 8192),
					    CAST_TO_ARENA(7, 6), LDX(DW, 8, 7, 0),    ADD_X(0, 8),
					    ST(DW, 7, 0, 3),     CALL_FUNCTION(1),    EXIT};
static const struct jf_insn sub_arena[] = {MOV_K(1, 31), CALL_HELPER(HELPER_THROW)};
static const struct jf_function arena_program[] = {FUNCTION("main", main_arena), FUNCTION("sub", sub_arena)};

/* A count that runs out asks the clock: the stub. */
static const struct jf_insn main_may_goto[] = {MOV_K(8, 0),  MAY_GOTO(2), ADD_K(8, 1), J32_K(JLT, 8, 66000, -3),
					       MOV_K(0, 55), EXIT};
static const struct jf_function may_goto[] = {FUNCTION("main", main_may_goto)};

const struct storm_program storm_programs[] = {
	{.name = "other", .program = PROGRAM(other, -1), .tail_called = true},
	{.name = "thrower", .program = PROGRAM(thrower, -1), .tail_called = true},
	{.name = "deep", .program = PROGRAM(deep, -1), .repeat = 8, .result = 100 + 20 + 8 + 1},
	{.name = "throw", .program = PROGRAM(throws, 3), .repeat = 16, .result = 71 + 1070},
	{.name = "clean-up pads", .program = PROGRAM_WITH_PADS(padded, 3), .repeat = 8, .result = 71 + 1070},
	{.name = "clean-up pads and private stacks",
	 .program = PROGRAM_WITH_PADS(padded, 3),
	 .repeat = 8,
	 .user_only = true,
	 .private_stack = true,
	 .result = 71 + 1070},
	{.name = "throw in C", .program = PROGRAM(throws_in_c, -1), .repeat = 16, .result = 70},
	{.name = "loop that throws", .program = PROGRAM(loop_throws, -1), .repeat = 16, .result = 77},
	{.name = "loop", .program = PROGRAM(loop_ends, -1), .repeat = 16, .result = 6},
	{.name = "walk", .program = PROGRAM(walks, -1), .repeat = 2, .result = 2 + 4},
	{.name = "walk in a callback", .program = PROGRAM(walks_in_callback, 2), .repeat = 2, .result = 1},
	{.name = "tail calls", .program = PROGRAM(tails, -1), .repeat = 16, .result = 13 + 1},
	{.name = "tail call to a program that throws",
	 .program = PROGRAM(tails_to_thrower, -1),
	 .repeat = 16,
	 .result = 21 + 1},
	{.name = "arguments",
	 .program = PROGRAM(args, -1),
	 .repeat = 16,
	 .user_only = true,
	 .result = 15 + 12 + 21 + 32 + 45 + 60 + 77 + 96 + 6 + 12},
	{.name = "private stack",
	 .program = PROGRAM(throws, 3),
	 .repeat = 16,
	 .user_only = true,
	 .private_stack = true,
	 .result = 71 + 1070},
	{.name = "arena", .program = PROGRAM(arena_program, -1), .repeat = 2, .result = 31},
	{.name = "may_goto", .program = PROGRAM(may_goto, -1), .repeat = 1, .result = 55},
};
const unsigned int storm_program_count = COUNT_OF(storm_programs);

/* ---- what they refer to --------------------------------------------------------------------------------------- */

static struct jf_import import(const char *name, uint64_t address, bool may_throw)
{
	return (struct jf_import){.name = name, .address = address, .throws = may_throw};
}

bool storm_programs_init(void)
{
	/* 64 KiB of which the first page is there. */
	void *memory = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory, 4096, PROT_READ | PROT_WRITE))
		return false;
	arena = (uintptr_t)memory;
	helpers[HELPER_ADD] = import("add", (uintptr_t)add, false);
	helpers[HELPER_THROW] = import("throw", (uintptr_t)jf_throw, true);
	helpers[HELPER_THROW_DEEP] = import("throw_deep", (uintptr_t)throw_deep, true);
	helpers[HELPER_LOOP] = import("loop", (uintptr_t)loop, false);
	helpers[HELPER_WALK] = import("walk", (uintptr_t)walk_deep, false);
	helpers[HELPER_RESUME] =
		(struct jf_import){.name = "resume", .address = (uintptr_t)jf_throw_resume, .resumes = true};
	helpers[HELPER_LIBC] = import("libc", (uintptr_t)libc, false);
	helpers[HELPER_TAIL_CALL] = import("tail_call", 0, false);
	kfuncs[KFUNC_SUM12] = import("sum12", (uintptr_t)sum12, false);
	kfuncs[KFUNC_SUM12].arg_count = 12;
	maps[0].object = (uintptr_t)storm_array();
	storm_array()->max_entries = TAIL_SLOTS;
	return true;
}

struct jf_program_array *storm_array(void)
{
	return (struct jf_program_array *)array_memory;
}

uint64_t storm_arena(void)
{
	return arena;
}
