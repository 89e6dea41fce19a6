/* SPDX-License-Identifier: BSD-2-Clause */
#include "pads.h"

#include <jitframe/codemap.h>
#include <jitframe/throw.h>

#include "bpf.h"

enum kfunc {
	NOTE,
	RESUME,
	THROW,
	THROW_FROM_C,
	CALL_BACK,
	RUN_THROWER,
	THROW_QUIETLY,
	RUN_PAST_ENTRY,
	RUN_MIXED,
	KFUNC_COUNT
};

static struct jf_import kfuncs[KFUNC_COUNT];
static struct jf_loaded *thrower, *past_entry, *mixed;
static uint64_t log_;

/* ---- what programs call ----------------------------------------------------------------------------------- */

static uint64_t note(uint64_t number)
{
	log_ = log_ << 4 ^ number;
	return 1;
}

/* Frames of C that save registers, and use them. */
__attribute__((noinline)) static uint64_t throw_from_c(uint64_t cookie, uint64_t depth)
{
	uint64_t result;

	if (!depth)
		return (uint64_t)jf_throw(cookie);
	result = throw_from_c(cookie + 1, depth - 1);
	__asm__ volatile("" : "+r"(result), "+r"(cookie));
	return result + cookie;
}

static uint64_t throw_deep(uint64_t cookie)
{
	return throw_from_c(cookie, 4);
}

__attribute__((noinline)) static uint64_t call_back(uint64_t (*fn)(uint64_t), uint64_t arg)
{
	uint64_t result = fn(arg);

	__asm__ volatile("" : "+r"(result), "+r"(arg));
	return result + arg;
}

/* As a pad's C may: no throw waits in a reader section meanwhile. */
static bool can_change_the_map(void)
{
	static const char code[16];
	const struct jf_backend *backend = jf_backend_host();
	const struct jf_row row = {.cfa_reg = backend->sp};
	const struct jf_range range = {.size = sizeof(range),
				       .kind = JF_RANGE_SUBPROGRAM,
				       .start = (uintptr_t)code,
				       .end = (uintptr_t)code + sizeof(code),
				       .name = "code",
				       .backend = backend,
				       .rows = &row,
				       .row_count = 1};

	return jf_code_map_add(&range, NULL) == JF_OK && jf_code_map_remove(&range) == JF_OK;
}

static uint64_t run_thrower(uint64_t arg)
{
	return can_change_the_map() ? jf_run(thrower, arg) : 0;
}

static uint64_t run_past_entry(uint64_t arg)
{
	return jf_run(past_entry, arg);
}

static uint64_t run_mixed(uint64_t arg)
{
	return jf_run(mixed, arg);
}

uint64_t pads_log(void)
{
	uint64_t log = log_;

	log_ = 0;
	return log;
}

/* ---- frames with pads ------------------------------------------------------------------------------------- */

/* clang-format off */
#define PAD(id)                                                                                           \
	ALU64_X(OR, 1, 0), ALU64_X(OR, 1, 2), ALU64_X(OR, 1, 3), ALU64_X(OR, 1, 4), ALU64_X(OR, 1, 5),    \
	ADD_X(1, 6), ADD_K(1, -(16 * (id) + 6)), ADD_X(1, 7), ADD_K(1, -(16 * (id) + 7)),                 \
	ADD_X(1, 8), ADD_K(1, -(16 * (id) + 8)), ADD_X(1, 9), ADD_K(1, -(16 * (id) + 9)),                 \
	LDX(DW, 2, 10, -8 * (id)), ADD_X(1, 2), ADD_K(1, (id) - 100 * (id)), CALL_KFUNC(NOTE)
#define PAD_COUNT 17
#define HOLD(id)                                                                                          \
	MOV_K(6, 16 * (id) + 6), MOV_K(7, 16 * (id) + 7), MOV_K(8, 16 * (id) + 8),                        \
	MOV_K(9, 16 * (id) + 9), ST(DW, 10, -8 * (id), 100 * (id))
/* 0-4 hold, 5 argument, 6 call, 7 exit, 8 pad */
#define FRAME(id, call) HOLD(id), MOV_K(1, 5), call, EXIT, PAD(id), CALL_KFUNC(RESUME)
#define CLOBBER         MOV_K(6, 1), MOV_K(7, 2), MOV_K(8, 3), MOV_K(9, 4), ST(DW, 10, -64, -1)
#define THROWS(cookie)  CLOBBER, MOV_K(1, cookie), CALL_KFUNC(THROW)
#define FUNCTIONS(name, ...) static const struct jf_function name##_functions[] = {__VA_ARGS__}
#define TABLES(name, ...)    static const struct jf_cleanups name##_tables[] = {__VA_ARGS__}
#define RECORDS(list) {list, COUNT_OF(list)}
#define NO_RECORDS {NULL, 0}
#define PROGRAM(name, callback_)                                                                          \
	{ .size = sizeof(struct jf_program), .functions = name##_functions,                               \
	  .function_count = COUNT_OF(name##_functions), .callback = callback_,                            \
	  .kfuncs = kfuncs, .kfunc_count = KFUNC_COUNT, .cleanups = name##_tables }
/* clang-format on */

static const struct jf_cleanup at_6[] = {{6, 7, 8}};
static const struct jf_insn throws_7[] = {THROWS(7)};
static const struct jf_insn frame1[] = {FRAME(1, CALL_FUNCTION(1))}, frame2[] = {FRAME(2, CALL_FUNCTION(2))},
			    frame4[] = {FRAME(4, CALL_FUNCTION(4))};
static const struct jf_insn uncovered[] = {CLOBBER, CALL_FUNCTION(3), EXIT};

/* Covered, covered, not covered, covered, and the one that throws. */
FUNCTIONS(chain, FUNCTION("main", frame1), FUNCTION("f1", frame2), FUNCTION("f2", uncovered), FUNCTION("f3", frame4),
	  FUNCTION("throws", throws_7));
TABLES(chain, RECORDS(at_6), RECORDS(at_6), NO_RECORDS, RECORDS(at_6), NO_RECORDS);

/* The same callee from a call that has no pad, from one that has; f3 has returned by then. */
static const struct jf_insn maybe_throws[] = {J_K(JEQ, 1, 5, 1), EXIT, THROWS(9)};
static const struct jf_insn calls_both[] = {HOLD(1),          MOV_K(1, 3), CALL_FUNCTION(1), MOV_K(1, 5),
					    CALL_FUNCTION(1), EXIT,        PAD(1),           CALL_KFUNC(RESUME)};
static const struct jf_cleanup second_call[] = {{8, 9, 10}}, first_call[] = {{6, 7, 10}}, both_calls[] = {{5, 9, 10}};
FUNCTIONS(both, FUNCTION("main", calls_both), FUNCTION("maybe", maybe_throws));
TABLES(covered, RECORDS(second_call), NO_RECORDS);
TABLES(other, RECORDS(first_call), NO_RECORDS);
TABLES(range, RECORDS(both_calls), NO_RECORDS);
#define covered_functions both_functions
#define other_functions   both_functions
#define range_functions   both_functions

/* Main throws itself, by the last instruction of all, behind its pad; the range ends with the function. */
static const struct jf_insn main_last[] = {HOLD(1),      JA(PAD_COUNT + 1), PAD(1), CALL_KFUNC(RESUME),
					   MOV_K(1, 11), CALL_KFUNC(THROW)};
static const struct jf_cleanup last[] = {{25, 26, 6}};
FUNCTIONS(last, FUNCTION("main", main_last));
TABLES(last, RECORDS(last));

/* A pad that is a jump to the next instruction; one inside another one's body; a range that ends behind 16 bytes. */
static const struct jf_insn main_nop[] = {HOLD(1), MOV_K(1, 5), LDDW(2, 0, 1, 2), CALL_FUNCTION(1),  LDDW(2, 0, 3, 4),
					  EXIT,    JA(0),       PAD(1),           CALL_KFUNC(RESUME)};
static const struct jf_cleanup nop[] = {{6, 11, 12}};
static const struct jf_insn inside[] = {HOLD(2),     MOV_K(1, 5), CALL_FUNCTION(2),  EXIT,        CALL_KFUNC(NOTE),
					MOV_K(1, 0), MOV_K(2, 0), MOV_K(3, 0),       MOV_K(4, 0), MOV_K(5, 0),
					MOV_K(0, 0), PAD(2),      CALL_KFUNC(RESUME)};
static const struct jf_cleanup whole_body[] = {{6, 7, 8}}, tail_of_body[] = {{6, 7, 15}};
FUNCTIONS(nop, FUNCTION("main", main_nop), FUNCTION("f1", inside), FUNCTION("throws", throws_7));
TABLES(nop, RECORDS(nop), RECORDS(whole_body), NO_RECORDS);
TABLES(inside, RECORDS(nop), RECORDS(tail_of_body), NO_RECORDS);
#define inside_functions nop_functions

/* C throws, from deep down; C lies between; calls through a register. */
static const struct jf_insn main_c[] = {FRAME(1, CALL_KFUNC(THROW_FROM_C))};
FUNCTIONS(by_c, FUNCTION("main", main_c));
TABLES(by_c, RECORDS(at_6));
static const struct jf_insn calls_back[] = {HOLD(1), LDDW(1, 4, 1, 0), CALL_KFUNC(CALL_BACK),
					    EXIT,    PAD(1),           CALL_KFUNC(RESUME)};
static const struct jf_cleanup at_7[] = {{7, 8, 9}};
FUNCTIONS(through_c, FUNCTION("main", calls_back), FUNCTION("f1", frame2), FUNCTION("throws", throws_7));
TABLES(through_c, RECORDS(at_7), RECORDS(at_6), NO_RECORDS);

/* The pad calls a function that uses everything, and a program that throws and catches. */
static const struct jf_insn busy[] = {HOLD(1),
				      MOV_K(1, 5),
				      CALL_FUNCTION(1),
				      EXIT,
				      CALL_FUNCTION(2),
				      MOV_K(1, 5),
				      CALL_KFUNC(RUN_THROWER),
				      MOV_X(1, 0),
				      CALL_KFUNC(NOTE),
				      MOV_K(0, 0),
				      MOV_K(1, 0),
				      MOV_K(2, 0),
				      MOV_K(3, 0),
				      MOV_K(4, 0),
				      MOV_K(5, 0),
				      PAD(1),
				      CALL_KFUNC(RESUME)};
static const struct jf_insn uses_all[] = {CLOBBER, MOV_K(0, 1), EXIT};
FUNCTIONS(busy, FUNCTION("main", busy), FUNCTION("throws", throws_7), FUNCTION("uses_all", uses_all));
TABLES(busy, RECORDS(at_6), NO_RECORDS, NO_RECORDS);
static const struct jf_insn throws_12[] = {CLOBBER, MOV_K(1, 12), CALL_KFUNC(THROW)};
FUNCTIONS(thrower, FUNCTION("main", throws_12));
static const struct jf_cleanups thrower_tables[] = {NO_RECORDS};

/* A callback of its own, with another stack, which makes the result. */
static const struct jf_insn add_one[] = {STX(DW, 10, 1, -256), LDX(DW, 0, 10, -256), ADD_K(0, 1), EXIT};
FUNCTIONS(callback, FUNCTION("main", frame1), FUNCTION("f1", frame2), FUNCTION("throws", throws_7),
	  FUNCTION("callback", add_one));
TABLES(callback, RECORDS(at_6), RECORDS(at_6), NO_RECORDS, NO_RECORDS);

/* Arguments after the fifth, on the stack between frames. */
/* clang-format off */
#define ARG_PUT(n, value) INSN(0x7a, 11, 0, -8 * (n), value)
#define ARG_GET(dst, n) INSN(0x79, dst, 11, 8 * (n), 0)
/* clang-format on */
static const struct jf_insn puts_args[] = {HOLD(1),          ARG_PUT(1, 6), ARG_PUT(7, 12), MOV_K(1, 5),
					   CALL_FUNCTION(1), EXIT,          PAD(1),         CALL_KFUNC(RESUME)};
static const struct jf_insn takes_args[] = {ARG_GET(1, 1), ARG_GET(2, 7), ADD_X(1, 2), CALL_KFUNC(THROW)};
static const struct jf_cleanup at_8[] = {{8, 9, 10}};
FUNCTIONS(args, FUNCTION("main", puts_args), FUNCTION("f1", takes_args));
TABLES(args, RECORDS(at_8), NO_RECORDS);

/* Frames of many bytes. */
static const struct jf_insn large[] = {HOLD(1), ST(DW, 10, -20000, 1), CALL_FUNCTION(1), EXIT,
				       PAD(1),  CALL_KFUNC(RESUME)};
static const struct jf_insn large_throws[] = {ST(DW, 10, -9000, 1), THROWS(7)};
FUNCTIONS(large, FUNCTION("main", large), FUNCTION("throws", large_throws));
TABLES(large, RECORDS(at_6), NO_RECORDS);

/* Fails on purpose. */
static const struct jf_insn throws_in_pad[] = {
	HOLD(1), MOV_K(1, 5), CALL_FUNCTION(1), EXIT, MOV_K(1, 77), CALL_KFUNC(THROW_QUIETLY), CALL_KFUNC(RESUME)};
FUNCTIONS(in_pad, FUNCTION("main", throws_in_pad), FUNCTION("throws", throws_7));
TABLES(in_pad, RECORDS(at_6), NO_RECORDS);
static const struct jf_insn runs_inner[] = {FRAME(1, CALL_KFUNC(RUN_PAST_ENTRY))};
static const struct jf_insn quiet_thrower[] = {CLOBBER, MOV_K(1, 33), CALL_KFUNC(THROW_QUIETLY), EXIT};
FUNCTIONS(uncaught, FUNCTION("main", runs_inner));
TABLES(uncaught, RECORDS(at_6));
static const struct jf_insn runs_mixed[] = {FRAME(2, CALL_KFUNC(RUN_MIXED))};
FUNCTIONS(mixed, FUNCTION("main", runs_mixed));
TABLES(mixed, RECORDS(at_6));
FUNCTIONS(quiet, FUNCTION("main", quiet_thrower));
static const struct jf_cleanups quiet_tables[] = {NO_RECORDS};

const struct pad_case pad_cases[] = {
	{.name = "chain", .program = PROGRAM(chain, -1), .result = 7, .log = 0x421},
	{.name = "private stacks",
	 .program = PROGRAM(chain, -1),
	 .private_stack = true,
	 .needs = JF_CAP_USER_BASE,
	 .result = 7,
	 .log = 0x421},
	{.name = "the second of two calls", .program = PROGRAM(covered, -1), .result = 9, .log = 0x1},
	{.name = "not the first of two calls", .program = PROGRAM(other, -1), .result = 9, .log = 0},
	{.name = "a range of two calls", .program = PROGRAM(range, -1), .result = 9, .log = 0x1},
	{.name = "main throws last", .program = PROGRAM(last, -1), .result = 11, .log = 0x1},
	{.name = "no code in a pad, and a pad as a whole", .program = PROGRAM(nop, -1), .result = 7, .log = 0x021},
	{.name = "a pad in a pad", .program = PROGRAM(inside, -1), .result = 7, .log = 0x21},
	{.name = "C throws", .program = PROGRAM(by_c, -1), .result = 9, .log = 0x1},
	{.name = "C between", .program = PROGRAM(through_c, -1), .enters = true, .result = 7, .log = 0x21},
	{.name = "a busy pad", .program = PROGRAM(busy, -1), .enters = true, .result = 7, .log = 0xc1},
	{.name = "a callback of its own", .program = PROGRAM(callback, 3), .result = 8, .log = 0x21},
	{.name = "arguments", .program = PROGRAM(args, -1), .needs = JF_CAP_OUT_ARGS, .result = 18, .log = 0x1},
	{.name = "large frames", .program = PROGRAM(large, -1), .stack_bytes = 20000, .result = 7, .log = 0x1},
};
const unsigned int pad_case_count = COUNT_OF(pad_cases);

const struct pad_case pad_throws = {.name = "a throw in a pad", .program = PROGRAM(in_pad, -1)};
const struct pad_case pad_uncaught = {.name = "uncaught", .program = PROGRAM(uncaught, -1)};
const struct pad_case pad_past_entry = {.name = "past a program", .program = PROGRAM(uncaught, -1), .log = 0x1};
const struct pad_case pad_mixed = {.name = "past programs of two kinds", .program = PROGRAM(mixed, -1), .log = 0x12};

bool pad_case_runs(const struct pad_case *c, const struct jf_convention *conv)
{
	return jf_convention_supports(conv, c->needs) && conv->bpf_stack_max_bytes >= c->stack_bytes;
}

/* ---- beginning and end ------------------------------------------------------------------------------------ */

static struct jf_loaded *load(const struct jf_convention *conv, const struct jf_program *program)
{
	struct jf_loaded *loaded = NULL;

	return jf_load(conv, program, NULL, NULL, &loaded, NULL) == JF_OK ? loaded : NULL;
}

void pads_begin(const struct jf_convention *conv)
{
	static const struct jf_program throws = PROGRAM(thrower, -1), quiet = PROGRAM(quiet, -1);

	kfuncs[NOTE] = (struct jf_import){.name = "note", .address = (uintptr_t)note};
	kfuncs[RESUME] = (struct jf_import){.name = "resume", .address = (uintptr_t)jf_throw_resume, .resumes = true};
	kfuncs[THROW] = (struct jf_import){
		.name = "throw", .address = (uintptr_t)jf_throw, .throws = true, .never_returns = true};
	kfuncs[THROW_FROM_C] =
		(struct jf_import){.name = "throw_from_c", .address = (uintptr_t)throw_deep, .throws = true};
	kfuncs[CALL_BACK] = (struct jf_import){.name = "call_back", .address = (uintptr_t)call_back};
	kfuncs[RUN_THROWER] = (struct jf_import){.name = "run_thrower", .address = (uintptr_t)run_thrower};
	kfuncs[THROW_QUIETLY] = (struct jf_import){.name = "throw_quietly", .address = (uintptr_t)jf_throw};
	kfuncs[RUN_PAST_ENTRY] =
		(struct jf_import){.name = "run_past_entry", .address = (uintptr_t)run_past_entry, .throws = true};
	kfuncs[RUN_MIXED] = (struct jf_import){.name = "run_mixed", .address = (uintptr_t)run_mixed, .throws = true};
	thrower = load(conv, &throws);
	past_entry = load(conv, &quiet);
}

bool pads_mix(const struct jf_convention *inner)
{
	jf_unload(mixed);
	mixed = load(inner, &pad_past_entry.program);
	return mixed;
}

void pads_end(void)
{
	jf_unload(thrower);
	jf_unload(past_entry);
	jf_unload(mixed);
	thrower = past_entry = mixed = NULL;
}
