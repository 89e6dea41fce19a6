/* SPDX-License-Identifier: BSD-2-Clause */
#include "step.h"

#include <jitframe/throw.h>
#include <sys/mman.h>

#include "bpf.h"

/*
 * Small programs that between them have every kind of prologue, epilogue, exit and landing: frames with
 * and without each slot, calls of each kind, throws from and to each kind of function.
 */

enum { HELPER_ADD = 1, HELPER_THROW = 2, HELPER_TAIL_CALL = 12 };
enum { KFUNC_SUM12 };

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b;
}

static uint64_t sum12(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h,
		      uint64_t i, uint64_t j, uint64_t k, uint64_t l)
{
	return a + b + c + d + e + 2 * f + 3 * g + 4 * h + 5 * i + 6 * j + 7 * k + 8 * l;
}

/* Imports hold addresses, which constants of C are not: filled in before main(). */
static struct jf_import helpers[HELPER_TAIL_CALL + 1];
static struct jf_import kfuncs[1];
static struct jf_map_ref maps[1];
static _Alignas(8) uint8_t array_memory[sizeof(struct jf_program_array) + (STEP_PROGRAMS + 1) * sizeof(uint64_t)];
struct jf_program_array *const step_array = (struct jf_program_array *)array_memory;

__attribute__((constructor)) static void fill_tables(void)
{
	helpers[HELPER_ADD] = (struct jf_import){.name = "add", .address = (uintptr_t)add};
	helpers[HELPER_THROW] = (struct jf_import){.name = "throw", .address = (uintptr_t)jf_throw, .throws = true};
	helpers[HELPER_TAIL_CALL] = (struct jf_import){.name = "tail_call"};
	kfuncs[KFUNC_SUM12] = (struct jf_import){.name = "sum12", .address = (uintptr_t)sum12, .arg_count = 12};
	maps[0].object = (uintptr_t)step_array;
	step_array->max_entries = STEP_PROGRAMS + 1;
}

/* 64 KiB of which the first page is there. */
uint64_t step_arena(void)
{
	static uint64_t address;
	void *memory;

	if (address)
		return address;
	memory = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || mprotect(memory, 4096, PROT_READ | PROT_WRITE))
		return 0;
	return address = (uintptr_t)memory;
}

/* clang-format off */
/* clang-format off */
#define PROGRAM(functions_, callback_) \
	{ .size = sizeof(struct jf_program), .functions = functions_, .function_count = COUNT_OF(functions_), \
	  .callback = callback_, .helpers = helpers, .helper_count = COUNT_OF(helpers), \
	  .kfuncs = kfuncs, .kfunc_count = COUNT_OF(kfuncs), .maps = maps, .map_count = 1, \
	  .arena_user_base = UINT64_C(0x7e0000000000) }
/* clang-format on */
#define TAIL_CALL(slot)  LDDW(2, 1, 0, 0), MOV_K(3, slot), CALL_HELPER(HELPER_TAIL_CALL)
#define ADD_TO_R0(value) MOV_X(1, 0), MOV_K(2, value), CALL_HELPER(HELPER_ADD)
/* clang-format on */

/* ---- calls and throws ------------------------------------------------------------------------- */

static const struct jf_insn main_calls[] = {
	MOV_K(6, 100),      STX(DW, 10, 6, -8), MOV_K(1, 5), CALL_FUNCTION(1), MOV_X(7, 0),
	LDX(DW, 6, 10, -8), MOV_X(0, 6),        ADD_X(0, 7), ADD_TO_R0(1),     EXIT,
};
/* R1 goes down to the third function, which returns what it makes of it, or throws that. */
static const struct jf_insn sub_calls[] = {
	MOV_K(8, 50),        MOV_K(9, 60), STX(DW, 10, 1, -40), MOV_K(6, 1), CALL_FUNCTION(2),
	LDX(DW, 1, 10, -40), ADD_X(0, 1),  ADD_K(0, 3),         EXIT,
};
static const struct jf_insn leaf_returns[] = {MOV_X(0, 1), ADD_TO_R0(1000), EXIT};
static const struct jf_insn leaf_throws[] = {MOV_K(7, 7), ADD_K(1, 70), MOV_K(6, 6), CALL_HELPER(HELPER_THROW)};
static const struct jf_insn callback[] = {
	MOV_K(6, 9),         MOV_K(9, 9), STX(DW, 10, 1, -64), MOV_K(2, 1), CALL_HELPER(HELPER_ADD),
	LDX(DW, 1, 10, -64), ADD_X(0, 1), MOV_K(1, 4),         MOV_X(7, 0), CALL_FUNCTION(2),
	ADD_X(0, 7),         EXIT,
};
static const struct jf_insn main_throws[] = {MOV_K(6, 1), ST(DW, 10, -16, 3), MOV_K(1, 77), CALL_HELPER(HELPER_THROW),
					     EXIT};

static const struct jf_function calls[] = {FUNCTION("main", main_calls), FUNCTION("sub", sub_calls),
					   FUNCTION("leaf", leaf_returns)};
static const struct jf_function throws[] = {FUNCTION("main", main_calls), FUNCTION("sub", sub_calls),
					    FUNCTION("leaf", leaf_throws)};
static const struct jf_insn sub_throws[] = {MOV_K(8, 1), MOV_K(1, 20), CALL_HELPER(HELPER_THROW), EXIT};
static const struct jf_function throws_to_callback[] = {FUNCTION("main", main_calls), FUNCTION("sub", sub_throws),
							FUNCTION("leaf", leaf_returns), FUNCTION("callback", callback)};
static const struct jf_function throws_itself[] = {FUNCTION("main", main_throws)};

/* Frames larger than what 8-bit displacements reach. */
static const struct jf_insn main_large[] = {MOV_K(6, 1), ST(DW, 10, -4000, 3), MOV_K(1, 5), CALL_FUNCTION(1), EXIT};
static const struct jf_insn sub_large[] = {MOV_K(9, 1), STX(DW, 10, 1, -2000), MOV_K(1, 88), CALL_HELPER(HELPER_THROW)};
static const struct jf_function large[] = {FUNCTION("main", main_large), FUNCTION("sub", sub_large)};

/* ---- tail calls ------------------------------------------------------------------------------- */

/* Main calls a subprogram that tail calls the other program, which tail calls main: until no more is allowed. */
static const struct jf_insn main_tail[] = {MOV_K(6, 2),  ST(DW, 10, -8, 1), CALL_FUNCTION(1),
					   TAIL_CALL(0), MOV_K(0, 11),      EXIT};
static const struct jf_insn sub_tail[] = {MOV_K(7, 2),  MOV_K(8, 2),  ST(DW, 10, -80, 1),
					  TAIL_CALL(1), MOV_K(0, 12), EXIT};
static const struct jf_insn main_other[] = {MOV_K(9, 2), TAIL_CALL(0), MOV_K(0, 13), EXIT};
static const struct jf_function tails[] = {FUNCTION("main", main_tail), FUNCTION("sub", sub_tail)};
static const struct jf_function other[] = {FUNCTION("other", main_other)};

/* To an empty slot and one beyond the array; to a program that throws, which is its own boundary. */
static const struct jf_insn main_refused[] = {
	MOV_K(6, 2), TAIL_CALL(STEP_PROGRAMS), TAIL_CALL(-1), CALL_FUNCTION(1), MOV_X(6, 0), ADD_TO_R0(1), EXIT};
static const struct jf_insn sub_to_thrower[] = {MOV_K(8, 2), TAIL_CALL(1), EXIT};
static const struct jf_function refused[] = {FUNCTION("main", main_refused), FUNCTION("sub", sub_to_thrower)};

/* A boundary that is left by a tail call. */
static const struct jf_insn main_boundary_tail[] = {
	MOV_K(6, 2), ST(DW, 10, -24, 0), J_K(JEQ, 6, 3, 3), TAIL_CALL(1), MOV_K(1, 5), CALL_HELPER(HELPER_THROW), EXIT};
static const struct jf_function boundary_tail[] = {FUNCTION("main", main_boundary_tail)};

/* ---- arguments, private stacks, arenas ---------------------------------------------------------- */

/* clang-format off */
#define ARG_PUT(n, value) INSN(0x7a, 11, 0, -8 * (n), value)
#define ARG_GET(dst, n) INSN(0x79, dst, 11, 8 * (n), 0)
#define ARGS_1_TO_5 MOV_K(1, 1), MOV_K(2, 2), MOV_K(3, 3), MOV_K(4, 4), MOV_K(5, 5)
#define ARGS_6_TO_12                                                                                \
	ARG_PUT(1, 6), ARG_PUT(2, 7), ARG_PUT(3, 8), ARG_PUT(4, 9), ARG_PUT(5, 10), ARG_PUT(6, 11), \
	ARG_PUT(7, 12)
/* clang-format on */
static const struct jf_insn main_args[] = {MOV_K(6, 2), ST(DW, 10, -8, 1), ARGS_6_TO_12,
					   ARGS_1_TO_5, CALL_FUNCTION(1),  EXIT};
static const struct jf_insn sub_args[] = {
	ARG_GET(6, 1), ARG_GET(7, 7), ARGS_6_TO_12,      MOV_X(8, 1), CALL_KFUNC(KFUNC_SUM12),
	ADD_X(0, 6),   ADD_X(0, 7),   J_K(JEQ, 8, 0, 2), MOV_X(1, 0), CALL_HELPER(HELPER_THROW),
	EXIT};
static const struct jf_function args[] = {FUNCTION("main", main_args), FUNCTION("sub", sub_args)};

/* clang-format off */
#define CAST_TO_ARENA(dst, src) INSN(0xbf, dst, src, 1, 1)
#define CAST_TO_USER(dst, src) INSN(0xbf, dst, src, 1, 0x10000)
#define MAY_GOTO(off) INSN(0xe5, 0, 0, off, 0)
/* clang-format on */
static const struct jf_insn main_arena[] = {
	MOV_K(6, 64),
	CAST_TO_ARENA(7, 6),
	ST(DW, 7, 8, 5),
	LDX(DW, 0, 7, 8),
	MOV_K(8, 0),
	MAY_GOTO(3),
	ADD_K(8, 1),
	ADD_K(0, 1),
	J_K(JLT, 8, 3, -4),
	MOV_K(6, 8192),
	CAST_TO_ARENA(7, 6),
	MOV_K(9, 3),
	ATOMIC(DW, 7, 9, 0, 0x41 /* fetch or */),
	LDX(DW, 8, 7, 0),
	ADD_X(0, 9),
	ADD_X(0, 8),
	CAST_TO_USER(1, 7),
	MOV_X(1, 0),
	CALL_FUNCTION(1),
	EXIT,
};
static const struct jf_insn sub_arena[] = {MOV_X(6, 1), CAST_TO_ARENA(2, 6), LDX(W, 2, 2, 2000), ADD_K(1, 1),
					   CALL_HELPER(HELPER_THROW)};
static const struct jf_function arena[] = {FUNCTION("main", main_arena), FUNCTION("sub", sub_arena)};

const struct scenario scenarios[] = {
	{.name = "calls", .programs = {PROGRAM(calls, -1)}, .program_count = 1, .result = 100 + 5 + 1000 + 5 + 3 + 1},
	{.name = "throw to the default callback", .programs = {PROGRAM(throws, -1)}, .program_count = 1, .result = 75},
	{.name = "throw to its own callback",
	 .programs = {PROGRAM(throws_to_callback, 3)},
	 .program_count = 1,
	 .result = 20 + 1 + 20 + 4 + 1000},
	{.name = "throw by main", .programs = {PROGRAM(throws_itself, -1)}, .program_count = 1, .result = 77},
	{.name = "large frames", .programs = {PROGRAM(large, -1)}, .program_count = 1, .user_only = true, .result = 88},
	{.name = "tail calls", .programs = {PROGRAM(tails, -1), PROGRAM(other, -1)}, .program_count = 2, .result = 11},
	{.name = "tail calls refused, and to a program that throws",
	 .programs = {PROGRAM(refused, -1), PROGRAM(throws, -1)},
	 .program_count = 2,
	 .result = 75 + 1},
	{.name = "tail call out of a boundary",
	 .programs = {PROGRAM(boundary_tail, -1), PROGRAM(throws, -1)},
	 .program_count = 2,
	 .result = 75},
	{.name = "arguments after the fifth",
	 .programs = {PROGRAM(args, -1)},
	 .program_count = 1,
	 .user_only = true,
	 .result = 15 + 12 + 21 + 32 + 45 + 60 + 77 + 96 + 6 + 12},
	{.name = "private stacks",
	 .programs = {PROGRAM(throws_to_callback, 3)},
	 .program_count = 1,
	 .user_only = true,
	 .private_stack = true,
	 .result = 20 + 1 + 20 + 4 + 1000},
	{.name = "arena", .programs = {PROGRAM(arena, -1)}, .program_count = 1, .result = 5 + 3 + 0 + 0 + 1},
};
const unsigned int scenario_count = COUNT_OF(scenarios);

/* ---- calls, registers, pads -------------------------------------------------------------------------------------- */

void step_registers(struct jf_regs *in)
{
	const struct jf_backend *host = jf_backend_host();

	memset(in, 0, sizeof(*in));
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		in->value[reg] = host->regs[reg].cls == JF_REG_CONTROL ? host->regs[reg].control->other :
									 UINT64_C(0x0101010101010101) * (reg + 1) + reg;
}

__attribute__((noinline)) uint64_t step_call_may_goto_stub(uint64_t slots[2])
{
	const void *stub = jf_backend_host()->native->may_goto_start;
	register uint64_t ax __asm__("r10") = (uintptr_t)slots;

	__asm__ volatile("call *%1" : "+r"(ax) : "r"(stub) : "r11", "cc", "memory");
	return ax;
}

__attribute__((noinline)) uint64_t step_throw(void *cookie)
{
	return (uint64_t)jf_throw(*(uint64_t *)cookie) + 1;
}

bool step_is_called_pad(const struct jf_range *range, uint64_t pc)
{
	for (uint32_t i = 0; range->cleanup_entry == JF_CLEANUP_CALLED && i < range->cleanup_count; i++)
		if (pc == range->start + range->cleanups[i].pad_off)
			return true;
	return false;
}
