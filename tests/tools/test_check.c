/* SPDX-License-Identifier: BSD-2-Clause */

/* jitframe check: every form of input, what is inferred, verdicts, exit statuses, and damaged input. */

#include <criterion/criterion.h>
#include <glob.h>
#include <jitframe/backend.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "command.h"

#define FRAMES OBJECT_DIR "/frames.o"
#define KINDS  OBJECT_DIR "/kinds.bpf.o"

static char directory[] = "/tmp/jitframe-check-XXXXXX";
static char path[64]; /* of the one file in it */

static void set_up(void)
{
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/input", directory);
}

static void tear_down(void)
{
	unlink(path);
	rmdir(directory);
}

TestSuite(tools_check, .init = set_up, .fini = tear_down, .timeout = 240);

static void put(const void *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");

	cr_assert(file);
	cr_assert_eq(fwrite(bytes, 1, count, file), count);
	cr_assert_eq(fclose(file), 0);
}

/* Runs `check` on what put() has written. */
static void check(const char *format, ...)
{
	char arguments[512];
	va_list args;
	int used = snprintf(arguments, sizeof(arguments), "check %s ", path);

	va_start(args, format);
	vsnprintf(arguments + used, sizeof(arguments) - (size_t)used, format, args);
	va_end(args);
	jitframe(arguments);
}

/* ---- forms of input --------------------------------------------------------------------------------- */

#define EMITTED "loongarch64/user --role boundary --stack 64 --uses r6"

/* The code of a frame as `emit` knows it. The caller's. */
static json_t *emitted(void)
{
	return jitframe_json("emit " EMITTED " --json", 0);
}

static void expect_sound(const char *what)
{
	cr_expect_eq(result.status, 0, "%s: %d: %s%s", what, result.status, result.out, result.err);
	cr_expect(strstr(result.out, "spec: boundary, BPF stack 64"), "%s: %s", what, result.out);
	cr_expect(strstr(result.out, "24 of 24 instructions"), "%s: %s", what, result.out);
	cr_expect(strstr(result.out, "all rules hold"), "%s: %s", what, result.out);
}

/* `hex` with `between` after each byte. */
static void put_spaced(const char *hex, const char *before, const char *between)
{
	char text[8192];
	size_t used = 0;

	for (; *hex; hex += 2)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.2s%s", before, hex, between);
	put(text, used);
}

Test(tools_check, raw_and_hex)
{
	json_t *code = emitted();
	const char *hex = json_string_value(json_object_get(code, "code"));
	uint8_t bytes[1024];
	size_t count = strlen(hex) / 2;

	for (size_t i = 0; i < count; i++)
		cr_assert_eq(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
	put(bytes, count);
	check("--target loongarch64/user");
	expect_sound("raw");
	put(hex, strlen(hex));
	check("--target loongarch64/user");
	expect_sound("hex");
	put_spaced(hex, "", " ");
	check("--target loongarch64/user");
	expect_sound("pairs");
	put_spaced(hex, "0x", ",\n");
	check("--target loongarch64/user --format hex");
	expect_sound("0x pairs");
	put_spaced(hex, "\\x", "");
	check("--target loongarch64/user");
	expect_sound("escapes");
	put_spaced(hex, "", " # a comment: with a colon\n");
	check("--target loongarch64/user");
	expect_sound("comments");
	jitframe("check - --target loongarch64/user </dev/null");
	cr_expect_eq(result.status, 2);
	cr_expect(strstr(result.err, "standard input: it is empty"), "%s", result.err);
	json_decref(code);
}

Test(tools_check, what_compile_prints)
{
	jitframe("compile " KINDS " program_a --target loongarch64/user --hex");
	cr_assert_eq(result.status, 0, "%s", result.err);
	put(result.out, strlen(result.out));
	check("--target loongarch64/user");
	cr_expect_eq(result.status, 0, "%s%s", result.out, result.err);
	cr_expect(strstr(result.out, "program_a: loongarch64/user"), "%s", result.out);
}

/* Text as bpftool writes it, with a head line if there is a name. */
static void put_bpftool(const json_t *code, const char *name)
{
	char text[16384];
	size_t used = 0, i;
	json_t *insn;

	if (name)
		used += (size_t)snprintf(text, sizeof(text), "%s:\n; int boundary(void *ctx)\n", name);
	json_array_foreach(json_object_get(code, "instructions"), i, insn)
	{
		const char *bytes = json_string_value(json_object_get(insn, "bytes"));

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%4x:\t%s\n\t",
					 (unsigned int)json_integer_value(json_object_get(insn, "offset")),
					 json_string_value(json_object_get(insn, "text")));
		for (; *bytes; bytes += 2)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%.2s ", bytes);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
	}
	used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
	put(text, used);
}

Test(tools_check, bpftool_text)
{
	json_t *code = emitted();

	put_bpftool(code, NULL);
	check("--target loongarch64/user");
	expect_sound("one function");
	put_bpftool(code, "bpf_prog_6deef7357e7b4530_boundary");
	check("--target loongarch64/user");
	expect_sound("with a name");
	cr_expect(strstr(result.out, "bpf_prog_6deef7357e7b4530_boundary: loongarch64/user"), "%s", result.out);
	check("boundary --target loongarch64/user");
	expect_sound("by its own name");
	check("nobody --target loongarch64/user");
	cr_expect_eq(result.status, 2);
	cr_expect(strstr(result.err, "it has no function nobody"), "%s", result.err);
	put_bpftool(code, "0xffffffffc02c7000");
	check("--target loongarch64/user --format bpftool");
	expect_sound("with an address");
	json_decref(code);
}

static json_t *bpftool_insns(const json_t *code)
{
	json_t *insns = json_array(), *insn;
	size_t i;

	json_array_foreach(json_object_get(code, "instructions"), i, insn)
	{
		const char *bytes = json_string_value(json_object_get(insn, "bytes"));
		json_t *opcodes = json_array();

		for (; *bytes; bytes += 2)
			json_array_append_new(opcodes, json_sprintf("0x%.2s", bytes));
		json_array_append_new(insns, json_pack("{s:o, s:s, s:[n], s:o}", "pc",
						       json_sprintf("0x%x", (unsigned int)json_integer_value(
										    json_object_get(insn, "offset"))),
						       "operation", "x", "operands", "opcodes", opcodes));
	}
	return insns;
}

static void put_json(json_t *value, size_t flags)
{
	char *text = json_dumps(value, flags);

	cr_assert(text);
	put(text, strlen(text));
	free(text);
}

Test(tools_check, bpftool_json)
{
	json_t *code = emitted(), *insns = bpftool_insns(code);
	json_t *functions = json_pack("[{s:s, s:O}, {s:s, s:O}]", "name", "bpf_prog_1_one", "insns", insns, "name",
				      "bpf_prog_2_two", "insns", insns);

	put_json(insns, 0);
	check("--target loongarch64/user");
	expect_sound("instructions alone");
	put_json(functions, JSON_INDENT(4));
	check("--target loongarch64/user");
	expect_sound("two functions");
	cr_expect(strstr(result.out, "2 functions: all rules hold"), "%s", result.out);
	json_decref(functions);
	json_decref(insns);
	json_decref(code);
}

Test(tools_check, elf)
{
	json_t *value = jitframe_json("check " FRAMES " --json", 1), *functions = json_object_get(value, "functions");

	cr_expect_eq(json_array_size(functions), 2);
	cr_expect(json_is_true(json_object_get(json_array_get(functions, 0), "sound")));
	cr_expect(json_is_false(json_object_get(json_array_get(functions, 1), "sound")));
	cr_expect(json_is_false(json_object_get(value, "sound")));
	cr_expect_str_eq(
		json_string_value(json_object_get(json_object_get(json_array_get(functions, 1), "rules"), "R2")),
		"broken");
	json_decref(value);
	jitframe("check " FRAMES " good");
	cr_expect_eq(result.status, 0, "%s%s", result.out, result.err);
	jitframe("check " FRAMES " bad");
	cr_expect_eq(result.status, 1, "%s%s", result.out, result.err);
	cr_expect(strstr(result.out, "addi.d $fp, $fp, 8"), "%s", result.out);
	jitframe("check " FRAMES " --target arm64/user");
	cr_expect_eq(result.status, 2);
	cr_expect(strstr(result.err, "it is for loongarch64, not for arm64"), "%s", result.err);
}

/* Objects of ours are compiled first, and judged with the rows that the compiler gives. */
Test(tools_check, bpf_objects)
{
	for (size_t i = 0; jf_backend_at(i); i++) {
		const struct jf_backend *backend = jf_backend_at(i);
		char arguments[256];

		if (!backend->decode)
			continue;
		snprintf(arguments, sizeof(arguments), "check " KINDS " program_a --target %s/user", backend->name);
		jitframe(arguments);
		cr_expect_eq(result.status, 0, "%s: %s%s", arguments, result.out, result.err);
		cr_expect(strstr(result.out, "R10  true rows"), "%s: %s", arguments, result.out);
	}
}

/* ---- what is asked for --------------------------------------------------------------------------------- */

Test(tools_check, given_specs_and_boundaries)
{
	jitframe("emit loongarch64/user --role callback --stack 32 --hex");
	cr_assert_eq(result.status, 0, "%s", result.err);
	put(result.out, strlen(result.out));
	check("--target loongarch64/user --role callback --stack 32");
	cr_expect_eq(result.status, 0, "any boundary: %s%s", result.out, result.err);
	cr_expect(strstr(result.out, "spec: callback, BPF stack 32"), "%s", result.out);
	check("--target loongarch64/user --role callback --stack 32 --boundary stack=128,r6,tail-calls");
	cr_expect_eq(result.status, 0, "one boundary: %s%s", result.out, result.err);
	check("--target loongarch64/user");
	cr_expect_eq(result.status, 0, "inferred: %s%s", result.out, result.err);
	cr_expect(strstr(result.out, "spec: callback, BPF stack 32"), "%s", result.out);
	check("--target loongarch64/user --role main --stack 32");
	cr_expect_eq(result.status, 1, "not a main program: %s%s", result.out, result.err);
}

Test(tools_check, rows)
{
	jitframe("emit loongarch64/linux --role main --hex");
	put(result.out, strlen(result.out));
	check("--target loongarch64/linux --rows");
	cr_expect(strstr(result.out, "rows from the code:"), "%s", result.out);
	cr_expect(strstr(result.out, "CFA=fp+0 ra@-8 fp@-16"), "%s", result.out);
}

/* The v2 patch's own finding: its boundary leaves two registers out. */
Test(tools_check, first_finding)
{
	jitframe("emit loongarch64/linux-v2 --role boundary --hex");
	put(result.out, strlen(result.out));
	check("--target loongarch64/linux-v2 --role boundary");
	cr_expect_eq(result.status, 1, "%s%s", result.out, result.err);
	cr_expect(strstr(result.out, "s7, s8"), "%s", result.out);
	check("--target loongarch64/linux-v2 --role boundary --except R3");
	cr_expect_eq(result.status, 0, "%s%s", result.out, result.err);
	cr_expect(!strstr(result.out, "R3 "), "%s", result.out);
	check("--target loongarch64/linux-v2 --role boundary --brief");
	cr_expect_eq(result.status, 1, "%s%s", result.out, result.err);
	cr_expect(!strstr(result.out, "holds"), "%s", result.out);
}

/* ---- what others have made ------------------------------------------------------------------------------- */

/* The code lines of a capture (scripts/capture-jit) as hex text, each named. returns: how many there are. */
static unsigned int put_capture(const char *capture, char target[64])
{
	FILE *in = fopen(capture, "r"), *out = fopen(path, "w");
	char *line = NULL;
	unsigned int count = 0;
	size_t capacity = 0;

	cr_assert(in && out, "%s", capture);
	target[0] = '\0';
	while (getline(&line, &capacity, in) > 0) {
		sscanf(line, "target %63s", target);
		if (strncmp(line, "code ", 5) == 0)
			fprintf(out, "function_%u %s", ++count, line + 5);
	}
	free(line);
	fclose(in);
	fclose(out);
	return count;
}

static bool captures_are_older(const char *target)
{
	const struct jf_convention *conv;

	cr_assert_eq(jf_convention_find(target, &conv, NULL), JF_OK, "%s", target);
	return arch_named(conv->backend->name)->captures_are_older;
}

static void check_capture(const char *capture)
{
	char target[64], sum[64];
	unsigned int functions = put_capture(capture, target), whole = 0;

	cr_assert_geq(functions, 40, "%s: %u", capture, functions);
	if (captures_are_older(target))
		return;
	check("");
	cr_expect_eq(result.status, 0, "%s: %s%s", capture, result.out, result.err);
	snprintf(sum, sizeof(sum), "%u functions: all rules hold", functions);
	cr_expect(strstr(result.out, sum), "%s: %s", capture, sum);
	for (const char *at = result.out; (at = strstr(at, "inferred from the code: ")); at++) {
		unsigned int matched, insns;

		cr_assert_eq(sscanf(at, "inferred from the code: %u of %u", &matched, &insns), 2);
		whole += matched == insns;
	}
	cr_expect_eq(whole, functions, "%s: %u of %u", capture, whole, functions);
}

/*
 * What Linux's own JITs made of ordinary programs. Their specs are not known: each has to be found to be a frame of
 * the convention, to the last instruction of its prologue, and to keep every rule.
 */
Test(tools_check, kernels)
{
	glob_t captures;

	cr_assert_eq(glob(CAPTURE_DIR "/*.txt", 0, NULL, &captures), 0);
	for (size_t i = 0; i < captures.gl_pathc; i++)
		check_capture(captures.gl_pathv[i]);
	globfree(&captures);
}

/*
 * What `compile` makes, as it stands: convention, roles and stubs are found. R3 is left out where Linux's own
 * boundaries break it.
 */
Test(tools_check, compiled_code_without_options)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < backend->convention_count && backend->decode; k++) {
			const struct jf_convention *conv = backend->conventions[k];
			char arguments[256], taken[128];

			snprintf(arguments, sizeof(arguments), "compile " KINDS " program_a --target %s/%s --hex",
				 backend->name, conv->name);
			jitframe(arguments);
			cr_assert_eq(result.status, 0, "%s: %s", arguments, result.err);
			put(result.out, strlen(result.out));
			check(jf_convention_unsaved(conv, NULL, 0) > 0 ? "--except R3" : "");
			snprintf(taken, sizeof(taken), "taken for granted: %s/%s, as the code looks", backend->name,
				 conv->name);
			cr_expect_eq(result.status, 0, "%s: %s%s", arguments, result.out, result.err);
			cr_expect(strstr(result.out, taken), "%s: %s", taken, result.out);
		}
	}
}

/* A frame whose size is in a register: the prologue does not show how deep it is. */
Test(tools_check, large_stacks)
{
	jitframe("emit loongarch64/user --role subprogram --stack 12000 --uses r6 --hex");
	cr_assert_eq(result.status, 0, "%s", result.err);
	put(result.out, strlen(result.out));
	check("");
	cr_expect_eq(result.status, 0, "%s%s", result.out, result.err);
	cr_expect(strstr(result.out, "BPF stack 12000"), "%s", result.out);
}

/* ---- damaged input ---------------------------------------------------------------------------------------- */

static const struct {
	const char *input, *arguments, *err;
} damaged[] = {
	{"", "", "it is empty"},
	{"0g", "--format hex", "line 1, column 1: half a byte"},
	{"00 11\n 2", "", "line 2, column 2: half a byte"},
	{"00 zz", "--format hex", "line 1, column 4: not a hexadecimal digit"},
	{"   \n", "", "it has no functions"},
	{"lonely\n", "--format hex", "function lonely has no bytes"},
	{"main:\n   0:\tpush %rbp\n   1:\tret\n", "", "line 3: an instruction without its bytes"},
	{"main:\n   0:\tpush %rbp\n", "", "line 2: an instruction without its bytes"},
	{"main:\n   0:\tnop\n\t90 \n   5:\tret\n\tc3 \n", "", "line 4: offset 0x5 where 0x1 is next"},
	{"main:\n   0:\tnop\n\t90 x\n", "", "line 3: bytes are two hexadecimal digits each"},
	{"main:\n   0:\tnop\n\t900 \n", "", "line 3: bytes are two hexadecimal digits each"},
	{"main:\nwhat is this\n", "", "line 2: neither a function's name"},
	{"main:\n", "", "function main has no bytes"},
	{"[", "", "line 1, column 1:"},
	{"{}", "", "not an array of functions"},
	{"[{}]", "", "item 0 has no \"name\""},
	{"[]", "", "it has no functions"},
	{"[{\"pc\":\"0x0\"}]", "", "function code, instruction 0: no \"opcodes\""},
	{"[{\"pc\":\"0x4\",\"opcodes\":[\"0x90\"]}]", "", "instruction 0: its \"pc\" is not where"},
	{"[{\"pc\":\"0x0\",\"opcodes\":[\"0x190\"]}]", "", "instruction 0: an \"opcodes\" member"},
	{"[{\"name\":\"f\",\"insns\":[{\"operation\":\"ret\"}]}]", "", "function f, instruction 0: no \"pc\""},
	{"\177ELF and no more", "", "input: it is no ELF file"},
	{"00", "--format book", "--format book: not one of"},
	{"00", "--kind book", "--kind book: not one of"},
	{"00", "--at c=5", "--at c=5: not KIND=START-END"},
	{"00", "--at c=5-5", "--at c=5-5: not KIND=START-END"},
	{"00", "--boundary stack=many", "\"stack=many\" is none of"},
	{"00", "--boundary r5", "\"r5\" is none of"},
	{"00", "--address 5y", "--address 5y: not a hexadecimal number"},
	{"00", "--target arm64", "target arm64:"},
	{"00", "--stack 1000000 --target loongarch64/user", "bpf_stack_bytes"},
	{"00", "--except R30", "\"R30\" is none of"},
	{"00", "--except R3,", "\"\" is none of"},
	{"00", "a b", "unexpected argument b"},
};

Test(tools_check, damaged)
{
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put(damaged[i].input, strlen(damaged[i].input));
		check("%s", damaged[i].arguments);
		cr_expect_eq(result.status, 2, "%s|%s: %d: %s", damaged[i].input, damaged[i].arguments, result.status,
			     result.err);
		cr_expect(strstr(result.err, damaged[i].err), "%s|%s: %s", damaged[i].input, damaged[i].arguments,
			  result.err);
	}
	jitframe("check");
	cr_expect_eq(result.status, 2);
	cr_expect(strstr(result.err, "which FILE?"), "%s", result.err);
	jitframe("check /nowhere/at/all");
	cr_expect_eq(result.status, 2);
}

/* Bytes that are no code are findings, not failures. */
Test(tools_check, no_code)
{
	static const uint8_t zeros[64], ones[] = {0xff, 0xff, 0xff, 0xff, 0xff};

	put(zeros, sizeof(zeros));
	check("--target loongarch64/user --role main");
	cr_expect_eq(result.status, 1, "%s%s", result.out, result.err);
	put(ones, sizeof(ones));
	check("--target loongarch64/user");
	cr_expect_eq(result.status, 1, "%s%s", result.out, result.err);
}
