/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_run.h"

#include <string.h>

/* jf_compile() refusing: the status, the function and the instruction that it names, no image. */

static uint8_t code[RUN_CODE_BYTES];
static const struct jf_insn just_exit[] = {EXIT};
static const struct jf_function good[] = {FUNCTION("main", just_exit), FUNCTION("one", just_exit)};

static void refused(const struct jf_convention *conv, const struct jf_program *program,
		    const struct jf_compile_opts *opts, enum jf_status wanted, const char *where, const char *words)
{
	struct jf_image *untouched = (struct jf_image *)code, *image = untouched;
	struct jf_error error = {0};

	CHECK_STATUS(jf_compile(conv, program, opts, code, sizeof(code), RUN_ADDRESS, &image, &error), wanted, "%s: %s",
		     error.where, error.text);
	CHECK(image == untouched, "the image was written: %s", words);
	CHECK(error.status == wanted, "the error says %s", jf_status_name(error.status));
	CHECK(!strcmp(error.where, where), "'%s', not '%s'", error.where, where);
	CHECK(strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
	CHECK_STATUS(jf_compile(conv, program, opts, code, sizeof(code), RUN_ADDRESS, &image, NULL), wanted,
		     "without an error");
}

Test(compile_errors, arguments)
{
	const struct jf_program program = run_program(good, 2, -1);
	struct jf_program bad = program;
	struct jf_compile_opts opts = {.size = sizeof(opts.size) - 1};
	struct {
		struct jf_program program;
		uint64_t more;
	} newer = {.program = program, .more = 1};
	struct jf_image *image;

	cr_assert_eq(jf_compile(NULL, &program, NULL, code, sizeof(code), 0, &image, NULL), JF_E_INVAL);
	cr_assert_eq(jf_compile(&toy_adopt, NULL, NULL, code, sizeof(code), 0, &image, NULL), JF_E_INVAL);
	cr_assert_eq(jf_compile(&toy_adopt, &program, NULL, NULL, sizeof(code), 0, &image, NULL), JF_E_INVAL);
	cr_assert_eq(jf_compile(&toy_adopt, &program, NULL, code, sizeof(code), 0, NULL, NULL), JF_E_INVAL);
	refused(&toy_adopt, &program, &opts, JF_E_INVAL, "opts", "set it to sizeof the struct");
	bad.size = 8;
	refused(&toy_adopt, &bad, NULL, JF_E_INVAL, "program", "set it to sizeof the struct");
	newer.program.size = sizeof(newer);
	refused(&toy_adopt, &newer.program, NULL, JF_E_INVAL, "program", "a field that this library does not know");
	bad = program;
	bad.functions = NULL;
	refused(&toy_adopt, &bad, NULL, JF_E_INVAL, "functions", "none");
	bad = program;
	bad.function_count = 0;
	refused(&toy_adopt, &bad, NULL, JF_E_INVAL, "functions", "none");
}

Test(compile_errors, the_callback_is_another_function)
{
	struct jf_program program = run_program(good, 2, 0);

	refused(&toy_adopt, &program, NULL, JF_E_INVAL, "callback", "0 is not a function other than main");
	program.callback = 2;
	refused(&toy_adopt, &program, NULL, JF_E_INVAL, "callback", "2 is not a function");
	program.callback = -2;
	refused(&toy_adopt, &program, NULL, JF_E_INVAL, "callback", "-2 is not a function");
	program.callback = INT32_MAX;
	refused(&toy_adopt, &program, NULL, JF_E_INVAL, "callback", "is not a function");
}

/* In any function, not only main. */
Test(compile_errors, malformed_code_is_named_by_function_and_index)
{
	const struct jf_insn bad[] = {MOV_K(0, 0), ADD_K(10, 1), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", just_exit), FUNCTION("second", bad)};
	const struct jf_program program = run_program(functions, 2, -1);

	refused(&toy_adopt, &program, NULL, JF_E_BAD_INSN, "second", "instruction 1, opcode 0x07: R10 is read-only");
}

Test(compile_errors, functions_without_a_name_or_code)
{
	const struct jf_function nameless[] = {FUNCTION("main", just_exit), FUNCTION(NULL, just_exit)};
	const struct jf_function empty[] = {FUNCTION("main", just_exit), {"second", just_exit, 0}};
	struct jf_program program = run_program(nameless, 2, -1);

	refused(&toy_adopt, &program, NULL, JF_E_BAD_INSN, "", "no instructions");
	program.functions = empty;
	refused(&toy_adopt, &program, NULL, JF_E_BAD_INSN, "second", "no instructions");
}

Test(compile_errors, missing_imports_are_named)
{
	static const struct jf_import gone[] = {{.name = "there", .address = 1}, {.name = "bpf_gone"}};
	const struct jf_insn insns[] = {CALL_HELPER(0), CALL_HELPER(1), EXIT};
	const struct jf_insn kfunc[] = {CALL_KFUNC(1), EXIT};
	struct jf_function functions[] = {FUNCTION("main", just_exit), FUNCTION("second", insns)};
	struct jf_program program = run_program(functions, 2, -1);

	program.helpers = program.kfuncs = gone;
	program.helper_count = program.kfunc_count = 2;
	refused(&toy_adopt, &program, NULL, JF_E_UNSUPPORTED, "second", "instruction 1 calls helper 1 (bpf_gone)");
	functions[1].insns = kfunc;
	functions[1].insn_count = 2;
	refused(&toy_adopt, &program, NULL, JF_E_UNSUPPORTED, "second", "instruction 0 calls kfunc 1 (bpf_gone)");
}

/* Hooks that a backend lacks. */
Test(compile_errors, types_of_imports_have_a_width)
{
	const struct jf_insn insns[] = {CALL_HELPER(0), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", insns)};
	struct jf_program program = run_program(functions, 1, -1);
	struct jf_import import = program.helpers[0];

	program.helpers = &import;
	import.result.bytes = 3;
	refused(&toy_adopt, &program, NULL, JF_E_INVAL, "main", "type 0");
	import.result.bytes = 0;
	import.args[4].bytes = 255;
	refused(&toy_adopt, &program, NULL, JF_E_INVAL, "main", "type 5");
	/* Widths that are, and that the toy has no code for. */
	import.args[4].bytes = 4;
	refused(&toy_adopt, &program, NULL, JF_E_UNSUPPORTED, "main", "opcode 0x85");
	import.args[4].bytes = 0;
	import.result = (struct jf_c_value){1, false};
	refused(&toy_adopt, &program, NULL, JF_E_UNSUPPORTED, "main", "opcode 0x85");
}

Test(compile_errors, what_the_backend_does_not_have)
{
	static const struct {
		struct jf_insn insn;
		const char *words;
	} cases[] = {
		{ATOMIC(DW, 1, 2, 0, 0), "instruction 1, opcode 0xdb: not covered by this backend"},
		{INSN(0xbf, 1, 2, 1, 0x10000), "instruction 1, opcode 0xbf: not covered by this backend"},
		{INSN(0xbf, 1, 2, -1, 0), "instruction 1, opcode 0xbf: not covered by this backend"},
		{INSN(0xe5, 0, 0, 0, 0), "instruction 1, opcode 0xe5: not covered by this backend"},
		{INSN(0x20, 0, 0, 0, 0),
		 "instruction 1, opcode 0x20: a load from a packet (LD_ABS, LD_IND): call a function"},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct jf_insn insns[] = {MOV_K(0, 0), cases[i].insn, EXIT};
		const struct jf_function functions[] = {FUNCTION("f", insns)};
		const struct jf_program program = run_program(functions, 1, -1);

		refused(&toy_adopt, &program, NULL, JF_E_UNSUPPORTED, "f", cases[i].words);
	}
}

/* Each hook of the body in turn: what is NULL is refused, never called. */
Test(compile_errors, every_hook_may_be_missing)
{
	const struct jf_insn insns[] = {
		ADD_X(0, 1),
		INSN(0xdc, 1, 0, 0, 16),
		LDDW(1, 0, 0, 0),
		LDX(W, 1, 10, -8),
		STX(W, 10, 1, -8),
		J_K(JEQ, 1, 0, 0),
		JA(1),
		EXIT,
		CALL_HELPER(0),
		CALL_HELPER(12),
		EXIT,
	};
	const uint32_t uses[] = {0, 1, 2, 4, 5, 6, 7, 9, 10};
	const struct jf_function functions[] = {FUNCTION("f", insns)};
	const struct jf_program program = run_program(functions, 1, -1);

	for (unsigned int i = 0; i < COUNT_OF(uses); i++) {
		struct jf_backend backend = toy_backend;
		struct jf_convention conv = toy_adopt;
		char words[64];

		conv.backend = &backend;
		switch (i) {
		case 0: backend.body.alu = NULL; break;
		case 1: backend.body.swap = NULL; break;
		case 2: backend.body.imm64 = NULL; break;
		case 3: backend.body.load = NULL; break;
		case 4: backend.body.store = NULL; break;
		case 5: backend.body.jump = NULL; break;
		case 6: backend.body.jump_always = NULL; break;
		case 7: backend.body.call = NULL; break;
		default: backend.body.tail_call = NULL; break;
		}
		snprintf(words, sizeof(words), "instruction %u, opcode 0x%02x: not covered", uses[i],
			 insns[uses[i]].opcode);
		refused(&conv, &program, NULL, JF_E_UNSUPPORTED, "f", words);
	}
}

Test(compile_errors, callbacks_make_no_tail_calls)
{
	const struct jf_insn tail[] = {CALL_HELPER(12), EXIT};
	const struct jf_function functions[] = {FUNCTION("main", just_exit), FUNCTION("cb", tail)};
	const struct jf_program program = run_program(functions, 2, 1);

	refused(&toy_adopt, &program, NULL, JF_E_UNSUPPORTED, "cb", "instruction 0, opcode 0x85");
}

Test(compile_errors, frames_that_cannot_be_are_named_by_field)
{
	const struct jf_insn deep[] = {ST(DW, 10, -72, 0), EXIT};
	const struct jf_insn throws[] = {CALL_KFUNC(IMPORT_THROW)};
	const struct jf_insn tail[] = {CALL_HELPER(12), EXIT};
	const struct jf_compile_opts pads = {.size = sizeof(pads), .landing_pads = true};
	const struct jf_compile_opts pac = {.size = sizeof(pac), .sign_return = true};
	struct jf_function functions[] = {FUNCTION("main", just_exit), FUNCTION("second", deep)};
	struct jf_program program = run_program(functions, 2, -1);

	refused(&toy_plain, &program, NULL, JF_E_BAD_SPEC, "second",
		"frame: bpf_stack_bytes: 72 is over the limit of 64");
	functions[1] = (struct jf_function)FUNCTION("second", throws);
	refused(&toy_plain, &program, NULL, JF_E_UNSUPPORTED, "main", "frame: role");
	functions[1] = (struct jf_function)FUNCTION("second", tail);
	refused(&toy_plain, &program, NULL, JF_E_UNSUPPORTED, "main", "frame: tail_calls");
	functions[1] = (struct jf_function)FUNCTION("second", just_exit);
	refused(&toy_plain, &program, &pads, JF_E_UNSUPPORTED, "main", "frame: landing_pads");
	refused(&toy_adopt, &program, &pac, JF_E_UNSUPPORTED, "main", "frame: sign_return");
}

/* The toy's long jump reaches 32 KiB. */
