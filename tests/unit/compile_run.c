/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_run.h"

#include <stdlib.h>
#include <string.h>

/* Compiled programs, run: results, every frame at every instruction, throws, tail calls. */

static const struct jf_convention *const both[] = {&toy_adopt, &toy_restore};

/* Compiles for both conventions that have callbacks, runs, compares. */
static void check_result(const struct jf_program *program, uint64_t arg, uint64_t wanted)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct run *run = run_new(both[i], program, NULL);
		uint64_t result = run_call(run, arg, 0);

		CHECK(result == wanted, "%s: %lx, not %lx", both[i]->name, result, wanted);
		CHECK(run->walks > 5, "%u walks", run->walks);
		run_free(run);
	}
}

/* CHECK_MAIN(arg, result, instructions...): a program that is one function. */
#define CHECK_MAIN(arg, wanted, ...)                                                \
	do {                                                                        \
		const struct jf_insn insns_[] = {__VA_ARGS__};                      \
		const struct jf_function functions_[] = {FUNCTION("main", insns_)}; \
		const struct jf_program program_ = run_program(functions_, 1, -1);  \
                                                                                    \
		check_result(&program_, arg, wanted);                               \
	} while (0)

Test(compile_run, results)
{
	CHECK_MAIN(5, 0, MOV_K(0, 0), EXIT);
	CHECK_MAIN(5, 5, MOV_X(0, 1), EXIT);
	CHECK_MAIN(0, UINT64_MAX, MOV_K(0, -1), EXIT);
	CHECK_MAIN(0, 0xffffffff, ALU32_K(MOV, 0, -1), EXIT);
	CHECK_MAIN(0, UINT64_C(0x123456789abcdef0), LDDW(0, 0, 0x9abcdef0, 0x12345678), EXIT);
	CHECK_MAIN(7, 42, MOV_X(0, 1), ALU64_K(MUL, 0, 6), EXIT);
	CHECK_MAIN(0, 3, MOV_K(0, 3), JA(0), EXIT);
}

Test(compile_run, every_exit_goes_to_the_epilogue)
{
	CHECK_MAIN(1, 10, J_K(JEQ, 1, 2, 2), MOV_K(0, 10), EXIT, MOV_K(0, 20), EXIT);
	CHECK_MAIN(2, 20, J_K(JEQ, 1, 2, 2), MOV_K(0, 10), EXIT, MOV_K(0, 20), EXIT);
	CHECK_MAIN(2, 20, J_K(JEQ, 1, 2, 2), MOV_K(0, 10), EXIT, MOV_K(0, 20), JA(-3));
}

Test(compile_run, a_loop)
{
	CHECK_MAIN(100, 5050, MOV_K(0, 0), ADD_X(0, 1), ADD_K(1, -1), J_K(JNE, 1, 0, -3), EXIT);
}

Test(compile_run, the_stack)
{
	CHECK_MAIN(3, 0x1111 + 3, ST(DW, 10, -8, 0x1111), STX(DW, 10, 1, -512), LDX(DW, 0, 10, -8),
		   LDX(DW, 2, 10, -512), ADD_X(0, 2), EXIT);
	CHECK_MAIN(0, 0xfffffffffffffffe, ST(B, 10, -1, 0xfe), LDSX(B, 0, 10, -1), EXIT);
	CHECK_MAIN(0, 0xfe, ST(B, 10, -1, 0xfe), LDX(B, 0, 10, -1), EXIT);
}

Test(compile_run, callee_saved_registers)
{
	CHECK_MAIN(9, 30, MOV_X(6, 1), MOV_K(7, 1), MOV_K(8, 20), MOV_K(9, 0), CALL_HELPER(IMPORT_WALK), MOV_X(0, 6),
		   ADD_X(0, 7), ADD_X(0, 8), ADD_X(0, 9), EXIT);
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

Test(compile_run, arguments_of_c)
{
	CHECK_MAIN(1, 10 + 40 + 90 + 160 + 250 + 7, MOV_K(0, 7), MOV_K(2, 2), MOV_K(3, 3), MOV_K(4, 4), MOV_K(5, 5),
		   CALL_HELPER(IMPORT_SUM), EXIT);
	CHECK_MAIN(1, 10 + 40 + 90 + 160 + 250 + 7, MOV_K(0, 7), MOV_K(2, 2), MOV_K(3, 3), MOV_K(4, 4), MOV_K(5, 5),
		   CALL_KFUNC(IMPORT_SUM), EXIT);
}

/* Through a register: C gets the register's value as the sixth argument. */
/* The sixth comes from a register, the seventh and eighth are constants; the second call puts others. */
Test(compile_run, arguments_on_the_stack)
{
	const struct jf_insn main_insns[] = {
		STX(DW, 11, 1, -8),  ST(DW, 11, -16, 100), ST(DW, 11, -24, 0), CALL_FUNCTION(1), MOV_X(6, 0),
		ST(DW, 11, -16, -9), STX(DW, 11, 6, -8),   ST(DW, 11, -24, 3), CALL_FUNCTION(1), EXIT,
	};
	const struct jf_insn sum[] = {
		LDX(DW, 0, 11, 8),
		LDX(DW, 2, 11, 16),
		LDX(DW, 3, 11, 24),
		ADD_X(0, 2),
		ALU64_K(MUL, 0, 10),
		ADD_X(0, 3),
		EXIT,
	};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("sum", sum)};
	const struct jf_program program = run_program(functions, 2, -1);

	check_result(&program, 7, ((7 + 100) * 10 - 9) * 10 + 3);
}

Test(compile_run, calls_through_a_register)
{
	CHECK_MAIN(1, 10 + 5000, MOV_K(2, 0), MOV_K(3, 0), MOV_K(4, 0), MOV_K(5, 0), MOV_K(6, 5000),
		   INSN(0x8d, 6, 0, 0, 0), EXIT);
	CHECK_MAIN(1, 10 + 5000, MOV_K(2, 0), MOV_K(3, 0), MOV_K(4, 0), MOV_K(5, 0), MOV_K(6, 5000),
		   INSN(0x8d, 0, 0, 0, 6), EXIT);
}

Test(compile_run, subprograms)
{
	const struct jf_insn main_insns[] = {MOV_X(6, 1), CALL_FUNCTION(1), ADD_X(0, 6), EXIT};
	const struct jf_insn one[] = {MOV_K(6, 1000),     STX(DW, 10, 1, -8), CALL_FUNCTION(2),
				      LDX(DW, 1, 10, -8), ADD_X(0, 1),        EXIT};
	const struct jf_insn two[] = {MOV_K(6, 2000), MOV_X(0, 1), CALL_HELPER(IMPORT_WALK), ADD_X(0, 6), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("one", one),
						FUNCTION("two", two)};
	const struct jf_program program = run_program(functions, 3, -1);

	check_result(&program, 4, 1 + 2000 + 4 + 4);
}

Test(compile_run, calls_backwards_and_recursion)
{
	/* fib(n) by itself, called from a function behind it. */
	const struct jf_insn main_insns[] = {CALL_FUNCTION(2), EXIT};
	const struct jf_insn fib[] = {
		MOV_X(0, 1),  J_K(JLT, 1, 2, 8), MOV_X(6, 1), ADD_K(1, -1), CALL_FUNCTION(1), MOV_X(7, 0), MOV_X(1, 6),
		ADD_K(1, -2), CALL_FUNCTION(1),  ADD_X(0, 7), EXIT,
	};
	const struct jf_insn front[] = {CALL_FUNCTION(1), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("fib", fib),
						FUNCTION("front", front)};
	const struct jf_program program = run_program(functions, 3, -1);

	check_result(&program, 10, 55);
}

Test(compile_run, addresses_of_functions)
{
	const struct jf_insn main_insns[] = {LDDW(0, 4, 1, 0), EXIT};
	const struct jf_insn one[] = {EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("one", one)};
	const struct jf_program program = run_program(functions, 2, -1);
	struct run *run = run_new(&toy_adopt, &program, NULL);

	cr_assert_eq(run_call(run, 0, 0), RUN_ADDRESS + jf_image_function_at(run->image, 1)->start);
	run_free(run);
}

Test(compile_run, maps)
{
	static const struct jf_map_ref maps[] = {{111, 0}, {222, UINT64_C(0x1000000000)}};
	const struct jf_insn insns[] = {LDDW(0, 1, 0, 0),  LDDW(1, 2, 1, 24), ADD_X(0, 1),
					LDDW(1, 0, 99, 0), ADD_X(0, 1),       EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns)};
	struct jf_program program = run_program(functions, 1, -1);

	program.maps = maps;
	program.map_count = 2;
	check_result(&program, 0, 111 + UINT64_C(0x1000000000) + 24 + 99);
}

/* ---- throws ------------------------------------------------------------------------------------------------ */

#define CHECK_THROW(functions, callback, arg, wanted)                                                     \
	do {                                                                                              \
		const struct jf_program program_ = run_program(functions, COUNT_OF(functions), callback); \
                                                                                                          \
		check_result(&program_, arg, wanted);                                                     \
	} while (0)

Test(compile_run, a_throw_from_main_with_the_default_callback)
{
	const struct jf_insn insns[] = {MOV_K(6, 1), STX(DW, 10, 1, -40), CALL_KFUNC(IMPORT_THROW), MOV_K(0, 1), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns)};

	CHECK_THROW(functions, -1, 0xc00c1e, 0xc00c1e);
}

/* The throw is the last instruction: its return address is the epilogue's first. */
Test(compile_run, a_throw_at_the_end_of_a_function)
{
	const struct jf_insn insns[] = {CALL_FUNCTION(1), MOV_K(0, 1), EXIT};
	const struct jf_insn one[] = {CALL_KFUNC(IMPORT_THROW)};
	const struct jf_function functions[] = {FUNCTION("main", insns), FUNCTION("one", one)};

	CHECK_THROW(functions, -1, 77, 77);
}

Test(compile_run, a_throw_from_the_depth)
{
	const struct jf_insn insns[] = {MOV_K(6, 6),      MOV_K(9, 9), STX(DW, 10, 1, -400),
					CALL_FUNCTION(1), MOV_K(0, 1), EXIT};
	const struct jf_insn one[] = {MOV_K(7, 70), STX(DW, 10, 1, -64), CALL_FUNCTION(2), MOV_K(0, 2), EXIT};
	const struct jf_insn two[] = {MOV_K(6, 60), MOV_K(8, 80), CALL_FUNCTION(3), MOV_K(0, 3), EXIT};
	const struct jf_insn three[] = {
		J_K(JGT, 1, 100, 1), CALL_HELPER(IMPORT_THROW), ADD_K(1, -100), CALL_FUNCTION(3), EXIT,
	};
	const struct jf_function functions[] = {
		FUNCTION("main", insns),
		FUNCTION("one", one),
		FUNCTION("two", two),
		FUNCTION("three", three),
	};

	CHECK_THROW(functions, -1, 1042, 42);
}

/* The callback has a stack of its own, uses registers, calls C and BPF code that is behind it. */
Test(compile_run, a_callback_with_a_frame)
{
	const struct jf_insn insns[] = {MOV_K(6, 6), STX(DW, 10, 1, -16), CALL_FUNCTION(1), MOV_K(0, 1), EXIT};
	const struct jf_insn one[] = {MOV_K(8, 80), CALL_KFUNC(IMPORT_THROW)};
	const struct jf_insn callback[] = {
		STX(DW, 10, 1, -200), MOV_K(7, 7000), CALL_HELPER(IMPORT_WALK),
		MOV_X(9, 0),          MOV_K(1, 5),    CALL_FUNCTION(3),
		ADD_X(0, 7),          ADD_X(0, 9),    LDX(DW, 1, 10, -200),
		ADD_X(0, 1),          EXIT,
	};
	const struct jf_insn three[] = {MOV_K(7, 1), MOV_X(0, 1), ALU64_K(MUL, 0, 3), EXIT};
	const struct jf_function functions[] = {
		FUNCTION("main", insns),
		FUNCTION("one", one),
		FUNCTION("callback", callback),
		FUNCTION("three", three),
	};

	CHECK_THROW(functions, 2, 100000, 15 + 7000 + 1 + 100000);
}

/* Nothing but the callback looks at code further on: its calls must find their places all the same. */
Test(compile_run, a_callback_that_calls_what_is_behind_it)
{
	const struct jf_insn insns[] = {CALL_KFUNC(IMPORT_THROW)};
	const struct jf_insn callback[] = {CALL_FUNCTION(2), EXIT};
	const struct jf_insn two[] = {MOV_K(0, 22), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns), FUNCTION("callback", callback),
						FUNCTION("two", two)};

	CHECK_THROW(functions, 1, 5, 22);
}

Test(compile_run, a_program_that_throws_not_this_time)
{
	const struct jf_insn insns[] = {J_K(JEQ, 1, 0, 1), CALL_KFUNC(IMPORT_THROW), MOV_K(0, 8), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns)};

	CHECK_THROW(functions, -1, 0, 8);
	CHECK_THROW(functions, -1, 9, 9);
}

/* Every size of boundary and callback against every other. */
Test(compile_run, boundary_and_callback_of_all_sizes)
{
	static const int depths[] = {0, 8, 16, 24, 100, 512};

	for (unsigned int i = 0; i < 36; i++) {
		int outer = depths[i / 6], inner = depths[i % 6];
		const struct jf_insn insns[] = {
			MOV_K(6, 6), MOV_X(7, 10), ADD_K(7, -outer), CALL_FUNCTION(1), MOV_K(0, 1), EXIT,
		};
		const struct jf_insn one[] = {MOV_X(6, 10), ADD_K(6, -40), STX(DW, 6, 1, 0), CALL_KFUNC(IMPORT_THROW)};
		const struct jf_insn callback[] = {
			MOV_X(8, 10),     ADD_K(8, -inner - 8),
			STX(DW, 8, 1, 0), CALL_HELPER(IMPORT_WALK),
			LDX(DW, 0, 8, 0), EXIT,
		};
		const struct jf_function functions[] = {
			FUNCTION("main", insns),
			FUNCTION("one", one),
			FUNCTION("callback", callback),
		};

		if (inner + 8 > 512)
			continue;
		CHECK_THROW(functions, 2, 1234, 1234);
	}
}

/* ---- options ------------------------------------------------------------------------------------------------ */

Test(compile_run, landing_pads)
{
	const struct jf_compile_opts opts = {.size = sizeof(opts), .landing_pads = true};
	const struct jf_insn insns[] = {CALL_KFUNC(IMPORT_THROW)};
	const struct jf_function functions[] = {FUNCTION("main", insns)};
	const struct jf_program program = run_program(functions, 1, -1);

	for (unsigned int i = 0; i < 2; i++) {
		struct run *run = run_new(both[i], &program, &opts);

		cr_assert_eq(run_call(run, 3, 0), 3);
		for (uint32_t k = 0; k < 2; k++) {
			uint32_t start = jf_image_function_at(run->image, k)->start;

			cr_assert(jf_image_function_at(run->image, k)->frame->spec.landing_pads);
			cr_assert(run->code[start] == 0xff && run->code[start + 1] == 0xff);
		}
		run_free(run);
	}
}

/* ---- tail calls ---------------------------------------------------------------------------------------------- */

/* The array lies in the toy's stack, above the first frame: 8-byte words, big-endian. */
#define ARRAY (TOY_STACK_HIGH - 56)

static void put_word(struct run *run, uint64_t at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = bytes; i-- > 0; value >>= 8)
		run->sim.stack[at - TOY_STACK_LOW + i] = (uint8_t)value;
}

/* main(n): if the tail call to slot R3 = n happens, main runs again with R1 = 0, and so on. */
static const struct jf_insn tail_main[] = {
	MOV_X(6, 1),
	STX(DW, 10, 2, -24),
	LDDW(2, 0, (int32_t)ARRAY, 0),
	MOV_X(3, 1),
	CALL_HELPER(12),
	MOV_X(0, 6),
	ADD_K(0, 1000),
	EXIT,
};
static const struct jf_function tail_functions[] = {FUNCTION("main", tail_main)};

static uint64_t run_tail(struct run *run, uint64_t arg, uint64_t entry, unsigned int entries)
{
	toy_sim_init(&run->sim, run->code, run->image->size_bytes, run->image->address, run->image->address);
	toy_sim_set(&run->sim, TOY_A1, arg);
	put_word(run, ARRAY, entries, 4);
	for (unsigned int i = 0; i < 4; i++)
		put_word(run, ARRAY + 16 + 8 * i, i == 1 ? entry : 0, 8);
	return run_go(run);
}

Test(compile_run, tail_calls_happen_or_not)
{
	const struct jf_program program = run_program(tail_functions, 1, -1);

	for (unsigned int i = 0; i < 2; i++) {
		struct run *run = run_new(both[i], &program, NULL);

		/* an empty slot, one beyond the array, one of which the low 32 bits are beyond it */
		cr_assert_eq(run_tail(run, 0, RUN_ADDRESS, 4), 1000);
		cr_assert_eq(run_tail(run, 4, RUN_ADDRESS, 4), 1004);
		cr_assert_eq(run_tail(run, 1, RUN_ADDRESS, 1), 1001);
		cr_assert_eq(run->tail_calls, 0);
		/* main again and again, until the limit */
		cr_assert_eq(run_tail(run, 1, RUN_ADDRESS, 4), 1001);
		cr_assert_eq(run->tail_calls, JF_TAIL_CALLS_MAX);
		cr_assert_eq(run->deepest, 1);
		run_free(run);
	}
}

/* A boundary that is tail-called is one for its own throws. */
Test(compile_run, a_throw_after_a_tail_call)
{
	const struct jf_insn insns[] = {
		MOV_X(6, 1), LDDW(2, 0, (int32_t)ARRAY, 0), MOV_X(3, 1), CALL_HELPER(12), MOV_X(1, 6), CALL_FUNCTION(1),
		EXIT,
	};
	const struct jf_insn one[] = {MOV_K(6, 0), CALL_KFUNC(IMPORT_THROW)};
	const struct jf_function functions[] = {FUNCTION("main", insns), FUNCTION("one", one)};
	const struct jf_program program = run_program(functions, 2, -1);

	for (unsigned int i = 0; i < 2; i++) {
		struct run *run = run_new(both[i], &program, NULL);

		cr_assert_eq(run_tail(run, 1, RUN_ADDRESS, 4), 1);
		cr_assert_eq(run->tail_calls, JF_TAIL_CALLS_MAX);
		cr_assert_eq(run->imports[IMPORT_THROW], 1);
		run_free(run);
	}
}
