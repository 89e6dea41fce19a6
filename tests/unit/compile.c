/* SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"
#include "toy_run.h"

#include <stdlib.h>
#include <string.h>

/* What an image says about itself; that its code is right is in compile_run.c and compile_branches.c. */

static const struct jf_insn just_exit[] = {MOV_K(0, 0), EXIT};
static const struct jf_insn throws[] = {CALL_KFUNC(IMPORT_THROW)};
static const struct jf_insn calls_one[] = {CALL_FUNCTION(1), EXIT};

static uint8_t code[RUN_CODE_BYTES];

static struct jf_image *compiled(const struct jf_convention *conv, const struct jf_program *program,
				 const struct jf_compile_opts *opts)
{
	struct jf_error error = {0};
	struct jf_image *image = NULL;

	CHECK_STATUS(jf_compile(conv, program, opts, code, sizeof(code), RUN_ADDRESS, &image, &error), JF_OK, "%s: %s",
		     error.where, error.text);
	cr_assert_not_null(image);
	return image;
}

Test(compile, the_smallest_program)
{
	const struct jf_function functions[] = {FUNCTION("main", just_exit)};
	const struct jf_program program = run_program(functions, 1, -1);
	struct jf_image *image = compiled(&toy_plain, &program, NULL);

	check_image(image);
	cr_assert_eq(image->conv, &toy_plain);
	cr_assert_eq(image->function_count, 1);
	cr_assert_eq(image->callback, -1);
	cr_assert_eq(jf_image_function_at(image, 0)->name, functions[0].name);
	cr_assert_eq(jf_image_function_at(image, 0)->frame->spec.role, JF_ROLE_MAIN);
	cr_assert_eq(image->passes, 1, "nothing looks ahead, %u passes", image->passes);
	jf_image_free(image);
}

Test(compile, offsets_of_instructions)
{
	/* toy: LDI = 2; LDDW = 16; MOV = 2; the exit in the middle a jump = 2, the one at the end nothing */
	const struct jf_insn insns[] = {MOV_K(0, 1), LDDW(1, 0, 5, 0), J_X(JEQ, 0, 1, 1), EXIT, MOV_X(0, 1), EXIT};
	const uint32_t wanted[] = {0, 4, 20, 20, 24, 26, 28, 28};
	const struct jf_function functions[] = {FUNCTION("main", insns)};
	const struct jf_program program = run_program(functions, 1, -1);
	struct jf_image *image = compiled(&toy_plain, &program, NULL);
	const struct jf_image_function *f = jf_image_function_at(image, 0);

	check_image(image);
	cr_assert_eq(f->insn_count, 7);
	for (unsigned int i = 0; i <= 7; i++) {
		/* The second half of a 64-bit immediate has the offset of what follows. */
		uint32_t off = f->marks[JF_MARK_BODY] + wanted[i];

		cr_assert_eq(f->insn_off[i], off, "instruction %u at %u, not %u", i,
			     f->insn_off[i] - f->marks[JF_MARK_BODY], off - f->marks[JF_MARK_BODY]);
	}
	jf_image_free(image);
}

Test(compile, options_default_to_none)
{
	const struct jf_compile_opts none = {.size = sizeof(none)};
	const struct jf_function functions[] = {FUNCTION("main", calls_one), FUNCTION("one", throws)};
	const struct jf_program program = run_program(functions, 2, -1);
	struct jf_image *image = compiled(&toy_adopt, &program, NULL);
	size_t size = image->size_bytes;
	uint8_t *first = malloc(size);

	memcpy(first, code, size);
	jf_image_free(image);
	memset(code, 0xcc, sizeof(code));
	image = compiled(&toy_adopt, &program, &none);
	cr_assert_eq(image->size_bytes, size);
	cr_assert_arr_eq(first, code, size);
	jf_image_free(image);
	free(first);
}

/* ---- roles and callbacks --------------------------------------------------------------------------------- */

static void check_roles(const struct jf_program *program, int32_t callback, uint32_t count, const uint32_t *roles)
{
	struct jf_image *image = compiled(&toy_adopt, program, NULL);

	check_image(image);
	cr_assert_eq(image->callback, callback, "callback %d", image->callback);
	cr_assert_eq(image->function_count, count);
	for (uint32_t i = 0; i < count; i++)
		cr_assert_eq(jf_image_function_at(image, i)->frame->spec.role, roles[i], "function %u is a %s", i,
			     jf_role_name((enum jf_role)jf_image_function_at(image, i)->frame->spec.role));
	jf_image_free(image);
}

Test(compile, nothing_throws)
{
	const struct jf_function functions[] = {FUNCTION("main", calls_one), FUNCTION("one", just_exit)};
	const struct jf_program program = run_program(functions, 2, -1);

	check_roles(&program, -1, 2, (const uint32_t[]){JF_ROLE_MAIN, JF_ROLE_SUBPROGRAM});
}

Test(compile, a_throw_anywhere_makes_main_a_boundary_and_adds_the_default_callback)
{
	const struct jf_function functions[] = {FUNCTION("main", calls_one), FUNCTION("one", throws)};
	const struct jf_program program = run_program(functions, 2, -1);
	struct jf_image *image;

	check_roles(&program, 2, 3, (const uint32_t[]){JF_ROLE_BOUNDARY, JF_ROLE_SUBPROGRAM, JF_ROLE_CALLBACK});
	image = compiled(&toy_adopt, &program, NULL);
	cr_assert_str_eq(jf_image_function_at(image, 2)->name, "default_callback");
	cr_assert_eq(jf_image_function_at(image, 2)->insn_count, 2);
	jf_image_free(image);
}

Test(compile, a_named_callback_makes_main_a_boundary)
{
	const struct jf_function functions[] = {FUNCTION("main", just_exit), FUNCTION("cb", just_exit),
						FUNCTION("two", just_exit)};
	struct jf_program program = run_program(functions, 3, 1);

	check_roles(&program, 1, 3, (const uint32_t[]){JF_ROLE_BOUNDARY, JF_ROLE_CALLBACK, JF_ROLE_SUBPROGRAM});
	program.callback = 2;
	check_roles(&program, 2, 3, (const uint32_t[]){JF_ROLE_BOUNDARY, JF_ROLE_SUBPROGRAM, JF_ROLE_CALLBACK});
}

/* ---- frames come from the code ----------------------------------------------------------------------------- */

Test(compile, specs_say_what_each_function_uses)
{
	const struct jf_insn main_insns[] = {MOV_X(6, 1), STX(DW, 10, 6, -24), CALL_FUNCTION(1), EXIT};
	const struct jf_insn one[] = {MOV_K(9, 0), CALL_FUNCTION(2), EXIT};
	const struct jf_insn two[] = {CALL_HELPER(12), EXIT};
	const struct jf_insn three[] = {LDDW(1, 4, 2, 0), MOV_K(0, 0), EXIT}, four[] = {CALL_FUNCTION(4), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("one", one),
						FUNCTION("two", two), FUNCTION("three", three), FUNCTION("four", four)};
	const struct jf_program program = run_program(functions, 5, -1);
	struct jf_image *image = compiled(&toy_adopt, &program, NULL);

	check_image(image);
	cr_assert_eq(jf_image_function_at(image, 0)->frame->spec.bpf_stack_bytes, 24);
	cr_assert_eq(jf_image_function_at(image, 1)->frame->spec.bpf_stack_bytes, 0);
	cr_assert_eq(jf_image_function_at(image, 0)->frame->spec.bpf_regs_used >> 6, 0x11);
	cr_assert_eq(jf_image_function_at(image, 1)->frame->spec.bpf_regs_used >> 6, 0x08);
	cr_assert_eq(jf_image_function_at(image, 2)->frame->spec.bpf_regs_used >> 6, 0);
	/* Where a tail call can be reached, the frame keeps the count. */
	for (unsigned int i = 0; i < 5; i++)
		cr_assert_eq(jf_image_function_at(image, i)->frame->spec.tail_calls, i < 4, "%u", i);
	jf_image_free(image);
}

Test(compile, private_stacks_lie_one_behind_the_other)
{
	const struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = true};
	const struct jf_insn main_insns[] = {ST(DW, 10, -24, 0), CALL_FUNCTION(1), EXIT};
	const struct jf_insn one[] = {CALL_FUNCTION(2), EXIT};
	const struct jf_insn two[] = {ST(DW, 10, -40, 0), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("one", one),
						FUNCTION("two", two)};
	const struct jf_program program = run_program(functions, 3, -1);
	struct jf_image *image = compiled(&toy_adopt, &program, &opts);

	check_image(image);
	cr_assert(jf_image_function_at(image, 0)->frame->spec.private_stack);
	cr_assert_not(jf_image_function_at(image, 1)->frame->spec.private_stack,
		      "without a stack there is none to move");
	cr_assert_eq(jf_image_function_at(image, 0)->frame->bpf_stack_bytes, 0);
	cr_assert_eq(jf_image_function_at(image, 0)->private_stack_off, 0);
	/* 24 bytes between guards of 8, rounded to 16: the next one 48 on, and 48 + 16 of it */
	cr_assert_eq(jf_image_function_at(image, 2)->private_stack_off, 48);
	cr_assert_eq(image->private_stack_bytes, 48 + 64);
	jf_image_free(image);
	/* Where the convention has none, the stack stays in the frame. */
	image = compiled(&toy_restore, &program, &opts);
	cr_assert_not(jf_image_function_at(image, 0)->frame->spec.private_stack);
	cr_assert_eq(jf_image_function_at(image, 0)->frame->bpf_stack_bytes, 24);
	cr_assert_eq(image->private_stack_bytes, 0);
	jf_image_free(image);
}

static uint32_t stack_of(const struct jf_convention *conv, int16_t own, uint32_t indexed)
{
	const struct jf_compile_opts opts = {.size = sizeof(opts), .indexed_stack_bytes = indexed};
	/* R2 = R10; R2 += R1; *(u64 *)(R2 - 8) = 0; *(u64 *)(R10 + own) = 0 */
	const struct jf_insn insns[] = {INSN(0xbf, 2, 10, 0, 0), INSN(0x0f, 2, 1, 0, 0), ST(DW, 2, -8, 0),
					ST(DW, 10, own, 0), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns)};
	const struct jf_program program = run_program(functions, 1, -1);
	struct jf_image *image = compiled(conv, &program, &opts);
	uint32_t bytes = jf_image_function_at(image, 0)->frame->spec.bpf_stack_bytes;

	jf_image_free(image);
	return bytes;
}

Test(compile, an_index_without_a_bound_reaches_as_far_as_linux_lets_it)
{
	cr_assert_eq(toy_adopt.bpf_stack_max_bytes, 1000);
	cr_expect_eq(stack_of(&toy_adopt, -16, 0), 512);
	cr_expect_eq(stack_of(&toy_adopt, -600, 0), 600);
	cr_expect_eq(stack_of(&toy_adopt, -16, 64), 64);
	cr_expect_eq(stack_of(&toy_adopt, -16, 800), 800);
	cr_expect_eq(stack_of(&toy_adopt, -16, 5000), 1000);
}

/* ---- stubs --------------------------------------------------------------------------------------------------- */

Test(compile, one_stub_for_each_import_that_is_called)
{
	const struct jf_insn main_insns[] = {
		CALL_HELPER(IMPORT_SUM), CALL_HELPER(IMPORT_SUM), CALL_FUNCTION(1), CALL_KFUNC(IMPORT_SUM), EXIT,
	};
	const struct jf_insn one[] = {CALL_HELPER(IMPORT_WALK), CALL_HELPER(IMPORT_SUM), INSN(0x8d, 6, 0, 0, 0), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("one", one)};
	const struct jf_program program = run_program(functions, 2, -1);
	struct jf_image *image = compiled(&toy_restore, &program, NULL);
	unsigned int sums = 0, walks = 0, registers = 0;

	check_image(image);
	cr_assert_eq(image->function_count, 6);
	for (uint32_t i = 2; i < 6; i++) {
		cr_assert(jf_image_function_at(image, i)->is_stub);
		sums += !strcmp(jf_image_function_at(image, i)->name, "sum");
		walks += !strcmp(jf_image_function_at(image, i)->name, "walk");
		registers += !strcmp(jf_image_function_at(image, i)->name, "call_register");
	}
	cr_assert(sums == 2 && walks == 1 && registers == 1, "%u %u %u", sums, walks, registers);
	jf_image_free(image);
	image = compiled(&toy_adopt, &program, NULL);
	cr_assert_eq(image->function_count, 2);
	jf_image_free(image);
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

/* Every capacity up to what is needed, with a wall behind it. */
Test(compile, no_capacity_is_overstepped)
{
	const struct jf_insn main_insns[] = {J_K(JEQ, 1, 0, 1), EXIT, CALL_FUNCTION(1), CALL_HELPER(IMPORT_SUM), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("one", throws)};
	const struct jf_program program = run_program(functions, 2, -1);
	struct jf_image *image = compiled(&toy_restore, &program, NULL);
	size_t need = image->size_bytes;

	jf_image_free(image);
	cr_assert(need > 200);
	for (size_t capacity = 0; capacity < need; capacity++) {
		struct jf_error error = {0};

		memset(code, 0xcc, need + 64);
		image = NULL;
		CHECK_STATUS(jf_compile(&toy_restore, &program, NULL, code, capacity, RUN_ADDRESS, &image, &error),
			     JF_E_NOSPACE, "%zu of %zu", capacity, need);
		CHECK(!image, "%zu of %zu", capacity, need);
		CHECK(error.status == JF_E_NOSPACE && error.text[0], "%zu of %zu: %s", capacity, need, error.text);
		for (size_t i = capacity; i < need + 64; i++)
			CHECK(code[i] == 0xcc, "byte %zu with a capacity of %zu", i, capacity);
	}
	cr_assert_eq(jf_compile(&toy_restore, &program, NULL, code, need, RUN_ADDRESS, &image, NULL), JF_OK);
	cr_assert_eq(image->size_bytes, need);
	jf_image_free(image);
}

Test(compile, the_bound_is_one)
{
	static struct jf_insn insns[256];
	struct jf_function function = {"main", insns, 0};

	for (unsigned int kind = 0; kind < 4; kind++) {
		static const struct jf_insn kinds[][2] = {
			{LDDW(1, 0, -1, 0x7fffffff)},
			{CALL_HELPER(IMPORT_SUM), ST(DW, 10, -512, INT32_MIN)},
			{CALL_HELPER(12), CALL_HELPER(12)},
			{INSN(0x8d, 6, 0, 0, 0), MOV_K(6, INT32_MIN)},
		};

		for (uint32_t count = 0; count <= 250; count += 50) {
			for (uint32_t i = 0; i < count; i++)
				insns[i] = kinds[kind][i % 2];
			insns[count] = (struct jf_insn)EXIT;
			function.insn_count = count + 1;
			for (unsigned int i = 0; i < 2; i++) {
				struct jf_program program = run_program(&function, 1, -1);
				const struct jf_convention *conv = i ? &toy_restore : &toy_adopt;
				struct jf_image *image = compiled(conv, &program, NULL);

				check_image(image);
				CHECK(jf_compile_bound(conv, &program) >= image->size_bytes,
				      "kind %u: %zu bytes, bound %zu", kind, image->size_bytes,
				      jf_compile_bound(conv, &program));
				jf_image_free(image);
			}
		}
	}
}

/* An error is left alone when there is none. */
Test(compile, success_says_nothing)
{
	const struct jf_function functions[] = {FUNCTION("main", just_exit)};
	const struct jf_program program = run_program(functions, 1, -1);
	struct jf_error error, before;
	struct jf_image *image;

	memset(&before, 0x5a, sizeof(before));
	error = before;
	cr_assert_eq(jf_compile(&toy_adopt, &program, NULL, code, sizeof(code), 0, &image, &error), JF_OK);
	cr_assert_arr_eq(&error, &before, sizeof(error));
	jf_image_free(image);
}

Test(compile, free_takes_null)
{
	jf_image_free(NULL);
}

/* A tail call leaves for good; whatever comes back is a call. */
Test(compile, functions_that_call_nothing_are_leaves)
{
	const struct jf_insn tail[] = {CALL_HELPER(JF_HELPER_TAIL_CALL), MOV_K(0, 0), EXIT};
	const struct jf_insn helper[] = {CALL_HELPER(0), EXIT};
	const struct jf_function functions[] = {FUNCTION("calls", calls_one), FUNCTION("nothing", just_exit),
						FUNCTION("tail", tail), FUNCTION("helper", helper)};
	const bool is_leaf[] = {false, true, true, false};
	const struct jf_program program = run_program(functions, 4, -1);
	struct jf_image *image = compiled(&toy_adopt, &program, NULL);

	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(jf_image_function_at(image, i)->frame->spec.leaf, is_leaf[i], "%s", functions[i].name);
	jf_image_free(image);
}
