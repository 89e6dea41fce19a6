/* SPDX-License-Identifier: BSD-2-Clause */

/* The command itself: exit statuses, messages, and JSON that parses. */

#include <criterion/criterion.h>
#include <elf.h>
#include <jansson.h>
#include <jitframe/backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

#define KINDS OBJECT_DIR "/kinds.bpf.o"

/* ---- usage and bad input ------------------------------------------------------------------------ */

static const struct {
	const char *arguments;
	int status;
	const char *err; /* a part of it */
} cases[] = {
	{"", 2, "Usage: jitframe COMMAND"},
	{"--help", 0, ""},
	{"--version", 0, ""},
	{"fly", 2, "jitframe: there is no command \"fly\""},
	{"archs extra", 2, "unexpected argument extra"},
	{"archs --colour", 2, "unrecognized option"},
	{"frame", 2, "which ARCH/CONVENTION?"},
	{"frame x86_64", 2, "jitframe: target x86_64:"},
	{"frame vax/user", 2, "jitframe: target vax/user:"},
	{"frame x86_64/mars", 2, "jitframe: target x86_64/mars:"},
	{"frame x86_64/user arm64/user", 2, "unexpected argument arm64/user"},
	{"frame x86_64/user --role king", 2, "--role king: not one of"},
	{"frame x86_64/user --uses r6,r5", 2, "\"r5\" is none of"},
	{"frame x86_64/user --stack 16x", 2, "--stack 16x: not a number"},
	{"frame x86_64/user --stack -1", 2, "--stack -1: not a number"},
	{"frame x86_64/user --stack 99999999999999999999", 2, "not a number"},
	{"frame x86_64/user --stack 1000000", 2, "jitframe: x86_64/user: bpf_stack_bytes:"},
	{"frame x86_64/user --out-args 8", 2, "jitframe: x86_64/user: out_args:"},
	{"frame x86_64/user --sign-return", 2, "jitframe: x86_64/user: sign_return:"},
	{"frame arm64/user --svg /nowhere/at/all.svg", 1, "jitframe: /nowhere/at/all.svg:"},
	{"emit arm64/user --part middle", 2, "--part middle: not one of"},
	{"emit arm64/user --part tail-exit", 2, "jitframe: arm64/user: a tail exit needs --tail-calls"},
	{"emit arm64/user --role callback --tail-calls --part tail-exit", 2,
	 "jitframe: arm64/user: a callback makes no tail calls, so its frame has no tail exit"},
	{"emit arm64/user --arena-base 12z", 2, "--arena-base 12z: not a hexadecimal number"},
	{"compile", 2, "which OBJECT?"},
	{"compile /nowhere/at/all.o", 2, "jitframe: /nowhere/at/all.o:"},
	{"compile /dev/null", 2, "jitframe: /dev/null: ELF header: byte 0: the file ends inside it"},
	{"compile " KINDS " --target arm64", 2, "jitframe: target arm64:"},
	{"compile " KINDS " program_x --target arm64/user", 2, "program_x: no such program; "},
	{"compile " OBJECT_DIR "/helper_without_name.bpf.o", 2, "function program: instruction 0: helper 9999"},
	{"compile " OBJECT_DIR "/kfunc_result.bpf.o", 2, "function program: instruction 1: kfunc jf_seventh"},
	{"compile " KINDS " program_a extra", 2, "unexpected argument extra"},
	{"compile " OBJECT_DIR "/big_endian.bpf.o", 2, "ELF header: byte 5: big-endian"},
	{"run", 2, "which OBJECT?"},
	{"run " KINDS " --repeat 0", 2, "--repeat 0: not a number from 1"},
	{"run " KINDS " --threads 1025", 2, "--threads 1025: not a number"},
	{"run " KINDS " --publish cfi,nobody", 2, "--publish cfi,nobody: nobody: it is none of cfi, gdb,"},
	{"run " KINDS " --indexed-stack 0", 2, "--indexed-stack 0: not a number from 1 to 32768"},
	{"run " KINDS " --replace program_a=x.o", 2, "--replace program_a=x.o: not FUNCTION=OBJECT:PROGRAM"},
	{"run " KINDS " program_a --replace program_x=" KINDS ":program_b", 2,
	 "--replace: there is no function program_x; did you mean program_"},
	{"run " KINDS " program_a --replace program_b=" KINDS ":program_x", 2, "program_x: no such program; "},
	{"run " KINDS " program_a --replace program_b=" KINDS ":program_c", 2,
	 "function program_c: instruction 0: helper"},
	{"check /dev/null --indexed-stack 512", 2, "/dev/null: --indexed-stack is about BPF objects, and this is none"},
	{"check " KINDS " --indexed-stack 32769", 2, "--indexed-stack 32769: not a number from 1 to 32768"},
	{"run " KINDS " --target arm64/user", 2, "which one? There are: program_"},
	{"run " KINDS " program_c --target arm64/user", 2, "function program_c: instruction 0: helper"},
};

Test(tools_cli, exit_statuses_and_messages, .timeout = 120)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		jitframe(cases[i].arguments);
		cr_expect_eq(result.status, cases[i].status, "jitframe %s: %d: %s", cases[i].arguments, result.status,
			     result.err);
		cr_expect(strstr(result.err, cases[i].err), "jitframe %s: %s", cases[i].arguments, result.err);
	}
}

Test(tools_cli, every_command_has_help, .timeout = 60)
{
	static const char *const commands[] = {"archs", "frame", "emit", "compile", "run"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char arguments[64];

		snprintf(arguments, sizeof(arguments), "%s --help", commands[i]);
		jitframe(arguments);
		cr_expect_eq(result.status, 0);
		cr_expect(strstr(result.out, "--json"), "%s: %s", commands[i], result.out);
	}
}

/* ---- JSON, and that it says what the text says -------------------------------------------------- */

Test(tools_cli, archs)
{
	static const char *const keys[] = {"machine", "cpu_family", "endian", "triple", "debian", "gcc", "gcc_since"};
	json_t *all = jitframe_json("archs --json", 0);
	const json_t *archs = json_object_get(all, "archs");
	size_t count = 0;

	while (jf_backend_at(count))
		count++;
	cr_assert_eq(json_array_size(archs), count);
	for (size_t i = 0; i < count; i++) {
		const json_t *arch = json_array_get(archs, i);

		cr_assert_str_eq(json_string_value(json_object_get(arch, "name")), jf_backend_at(i)->name);
		cr_assert_eq(json_array_size(json_object_get(arch, "conventions")), jf_backend_at(i)->convention_count);
		cr_assert_eq(json_is_true(json_object_get(arch, "decoder")), jf_backend_at(i)->decode != NULL);
		cr_assert_eq(json_array_size(json_object_get(arch, "registers")), jf_backend_at(i)->reg_count);
		cr_assert_str_eq(json_string_value(json_object_get(json_object_get(arch, "entry"), "sp")),
				 jf_backend_at(i)->regs[jf_backend_at(i)->sp].name);
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			cr_assert(json_is_string(json_object_get(json_object_get(arch, "platform"), keys[k])),
				  "%s has no %s", jf_backend_at(i)->name, keys[k]);
	}
	json_decref(all);
	jitframe("archs");
	cr_assert_eq(result.status, 0);
	cr_assert(strstr(result.out, "loongarch64/linux-v2") && strstr(result.out, "R3: not saved: s7 s8"), "%s",
		  result.out);
}

Test(tools_cli, frame)
{
	json_t *frame = jitframe_json("frame loongarch64/user --role boundary --stack 64 --uses r6,fp --json", 0);
	int64_t lowest = 0;
	const json_t *slot;
	size_t i;

	json_array_foreach(json_object_get(frame, "slots"), i, slot)
	{
		int64_t off = json_integer_value(json_object_get(slot, "off_from_cfa"));

		lowest = off < lowest ? off : lowest;
	}
	cr_assert_eq(-lowest, json_integer_value(json_object_get(frame, "size_bytes")));
	cr_assert_eq(json_integer_value(json_object_get(frame, "bpf_stack_bytes")), 64);
	json_decref(frame);
	jitframe("frame loongarch64/user --role boundary --stack 64");
	cr_assert(strstr(result.out, "BPF stack, 64 bytes"), "%s", result.out);
}

Test(tools_cli, svg)
{
	char path[] = "/tmp/jitframe-svg-XXXXXX", arguments[128], text[65536];
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	snprintf(arguments, sizeof(arguments), "frame arm64/linux --role boundary --stack 64 --svg %s", path);
	jitframe(arguments);
	unlink(path);
	cr_assert_eq(result.status, 0, "%s", result.err);
	text[read(fd, text, sizeof(text) - 1)] = '\0';
	close(fd);
	cr_assert(strncmp(text, "<svg ", 5) == 0 && strstr(text, "</svg>") && strstr(text, "x29"), "%s", text);
}

/* The instructions, one behind the other, are the code. */
static void check_instructions(const json_t *function, const char *what)
{
	const char *code = json_string_value(json_object_get(function, "code"));
	const json_t *insn;
	size_t i, off = 0;

	json_array_foreach(json_object_get(function, "instructions"), i, insn)
	{
		const char *bytes = json_string_value(json_object_get(insn, "bytes"));

		cr_assert_eq(json_integer_value(json_object_get(insn, "offset")), (json_int_t)off);
		cr_assert_eq(strncmp(code + 2 * off, bytes, strlen(bytes)), 0);
		cr_assert_str_neq(json_string_value(json_object_get(insn, "text")), "(bad)", "%s: %s", what, bytes);
		off += strlen(bytes) / 2;
	}
	cr_assert_eq(strlen(code), 2 * off, "%s: instructions do not cover the code", what);
}

Test(tools_cli, emit_for_every_convention_and_role, .timeout = 300)
{
	static const char *const roles[] = {"main", "subprogram", "boundary", "callback"};
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < 4u * backend->convention_count; k++) {
			char arguments[128];
			json_t *emitted;

			snprintf(arguments, sizeof(arguments), "emit %s/%s --role %s --stack 48 --uses r6,r7 --json",
				 backend->name, backend->conventions[k / 4]->name, roles[k % 4]);
			emitted = jitframe_json(arguments, 0);
			check_instructions(emitted, arguments);
			json_decref(emitted);
		}
	}
}

Test(tools_cli, emit_hex_is_the_code)
{
	json_t *emitted = jitframe_json("emit arm64/linux --role boundary --json", 0);
	const char *code = json_string_value(json_object_get(emitted, "code"));

	jitframe("emit arm64/linux --role boundary --hex");
	cr_assert_eq(strncmp(result.out, code, strlen(code)), 0);
	cr_assert_str_eq(result.out + strlen(code), "\n");
	json_decref(emitted);
}

Test(tools_cli, compile_for_every_convention, .timeout = 300)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < backend->convention_count; k++) {
			char arguments[1024];
			const json_t *program, *function;
			json_t *all;
			size_t p, f;

			snprintf(arguments, sizeof(arguments), "compile " KINDS " --json --target %s/%s", backend->name,
				 backend->conventions[k]->name);
			all = jitframe_json(arguments, 0);
			cr_assert_eq(json_array_size(json_object_get(all, "programs")), 4);
			json_array_foreach(json_object_get(all, "programs"), p, program)
				json_array_foreach(json_object_get(program, "functions"), f, function)
					check_instructions(function, arguments);
			json_decref(all);
		}
	}
}

/* Of three programs one is refused; the others are printed, that of SEC("?...") too. */
Test(tools_cli, compile_goes_on_behind_a_refused_program)
{
	json_t *all = jitframe_json("compile " OBJECT_DIR "/seen.bpf.o --json --target riscv64/user", 2);
	json_t *programs = json_object_get(all, "programs");

	cr_assert_eq(json_array_size(programs), 3);
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(programs, 0), "name")), "calls");
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(programs, 2), "name")), "by_name");
	cr_expect(strstr(result.err, "function refused: instruction 0: helper 9999"), "%s", result.err);
	json_decref(all);
}

/* The same for verdicts; each function says which program it is of. */
Test(tools_cli, check_goes_on_behind_a_refused_program)
{
	json_t *all = jitframe_json("check " OBJECT_DIR "/seen.bpf.o --json --target riscv64/user", 2);
	json_t *functions = json_object_get(all, "functions");
	const char *first = json_string_value(json_object_get(json_array_get(functions, 0), "program"));
	const char *last = json_string_value(
		json_object_get(json_array_get(functions, json_array_size(functions) - 1), "program"));

	cr_assert(first && last, "%s", result.out);
	cr_expect_str_eq(first, "calls");
	cr_expect_str_eq(last, "by_name");
	cr_expect(strstr(result.err, "function refused: instruction 0: helper 9999"), "%s", result.err);
	json_decref(all);
}

#define VALUES OBJECT_DIR "/values.bpf.o"

Test(tools_cli, run_sets_and_shows_values)
{
	json_t *all, *values;

	jitframe("run " VALUES " --set counter=-1 --set limit=0x10 --set 'hash[7]=41' --set hash[hex:01020000]=9 "
		 "--dump counter --dump hidden --dump hash --dump name");
	cr_assert_eq(result.status, 0, "%s", result.err);
	cr_expect(strstr(result.out, "R0 = 0xf (15)\ncounter = 0xf (15)\nhidden = 0xfffffffffffffffe "), "%s",
		  result.out);
	cr_expect(strstr(result.out, "\nhash[hex:07000000] = 0x2a (42)\n"), "%s", result.out);
	cr_expect(strstr(result.out, "\nhash[hex:01020000] = 0x9 (9)\n"), "%s", result.out);
	cr_expect(strstr(result.out, "\nname = hex:616363000000000000000000\n"), "%s", result.out);

	all = jitframe_json("run " VALUES " --json --set name=hex:0102030405060708090a0b0c --dump name", 0);
	values = json_object_get(all, "values");
	cr_assert_eq(json_array_size(values), 1);
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(values, 0), "bytes")),
			 "hex:0103030405060708090a0b0c");
	json_decref(all);
}

Test(tools_cli, run_says_which_value_is_none)
{
	static const char *const wrong[][2] = {
		{"--set counter=5000000000",
		 "counter: \"5000000000\" is no value of 4 bytes; a number, or hex: and 8 digits"},
		{"--set limit=-32769", "limit: \"-32769\" is no value of 2 bytes"},
		{"--set name=5", "name: \"5\" is no value of 12 bytes; a number, or hex: and 24 digits"},
		{"--set nothing=3", "nothing: there is no variable of this name"},
		{"--set nothing[3]=3", "nothing: there is no variable or map of this name"},
		{"--set hash[5]", "\"hash[5]\" is not VARIABLE=VALUE or MAP[KEY]=VALUE"},
		{"--set hash[x]=5", "hash: \"x\" is no value of 4 bytes"},
		{"--dump nothing", "nothing: there is no variable or map of this name"},
		{"--packet 0", "--packet: \"0\" is not pairs of hexadecimal digits"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char arguments[512];

		snprintf(arguments, sizeof(arguments), "run " VALUES " %s", wrong[i][0]);
		jitframe(arguments);
		cr_expect_eq(result.status, 2, "%s: %d", wrong[i][0], result.status);
		cr_expect(strstr(result.err, wrong[i][1]), "%s: %s", wrong[i][0], result.err);
	}
}

Test(tools_cli, compile_text_names_what_is_called)
{
	jitframe("compile " KINDS " program_a --target loongarch64/user --opcodes");
	cr_assert_eq(result.status, 0, "%s", result.err);
	cr_assert(strstr(result.out, "boundary program_a, "));
	cr_assert(strstr(result.out, "; call bpf_map_lookup_elem\n"));
	cr_assert(strstr(result.out, "; call bpf_throw\n"));
	cr_assert(strstr(result.out, "; map hash\n"));
	cr_assert(strstr(result.out, "; function each\n"));
}

/* ---- running, on this processor; the others are tests/exec's ------------------------------------ */

Test(tools_cli, run)
{
	const json_t *one;
	json_t *all;

	if (!jf_backend_host())
		cr_skip("no native backend");
	all = jitframe_json("run " KINDS " program_a --json --trace --check-registers", 0);
	cr_assert(strstr(result.err, "hello 1"), "what the program prints goes to standard error: %s", result.err);
	one = json_object_get(all, "result");
	cr_assert_str_eq(json_string_value(json_object_get(one, "program")), "program_a");
	cr_assert_eq(json_integer_value(json_object_get(json_object_get(all, "registers"), "changed")), 0);
	cr_assert_eq(json_array_size(json_object_get(all, "throws")), 0);
	json_decref(all);
}

Test(tools_cli, run_with_a_throw)
{
	const json_t *one;
	json_t *all;

	if (!jf_backend_host())
		cr_skip("no native backend");
	all = jitframe_json("run " KINDS " program_d --json --trace --threads 2 --repeat 3", 0);
	cr_assert_str_eq(json_string_value(json_object_get(json_object_get(all, "result"), "r0")), "0x28");
	cr_assert_eq(json_array_size(json_object_get(all, "throws")), 6);
	one = json_array_get(json_object_get(all, "throws"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(one, "cookie")), "0x14");
	cr_assert_str_eq(json_string_value(json_object_get(json_object_get(one, "landing"), "callback")),
			 "calling_callback");
	json_decref(all);
	jitframe("run " KINDS " program_d --trace");
	cr_assert(strstr(result.out, "throw 1 with cookie 20\n"), "%s", result.out);
	cr_assert(strstr(result.out, "landing in callback calling_callback"), "%s", result.out);
	cr_assert(strstr(result.out, "R0 = 0x28 (40)\n"), "%s", result.out);
	cr_assert_null(strstr(result.out, "R6="), "%s", result.out);
}

Test(tools_cli, run_with_more_of_a_throw)
{
	if (!jf_backend_host())
		cr_skip("no native backend");
	jitframe("run " KINDS " program_d --show=registers,source");
	cr_assert(strstr(result.out, "\n> #0   boundary   program_d+0x"), "%s", result.out);
	cr_assert(strstr(result.out, " at kinds.bpf.c:"), "%s", result.out);
	cr_assert(strstr(result.out, "\n         bpf_throw("), "%s", result.out);
	cr_assert(strstr(result.out, "\n         R6=0x"), "%s", result.out);
	cr_assert_null(strstr(result.out, " pc=0x"), "%s", result.out);
	jitframe("run " KINDS " program_d --show=registers,stack");
	cr_assert_neq(result.status, 0);
	cr_assert(strstr(result.err, "--show registers,stack: addresses, registers, source or all"), "%s", result.err);
}

Test(tools_cli, run_without_a_runner)
{
	jitframe("frame arm64/user");
	cr_assert_eq(result.status, 0);
	if (!jf_backend_host())
		cr_skip("no native backend");
	setenv("JITFRAME_RUNNER_PATH", "/nowhere", 1);
	setenv("JITFRAME_QEMU_X86_64", "/nowhere/qemu", 1);
	setenv("JITFRAME_QEMU_ARM64", "/nowhere/qemu", 1);
	setenv("JITFRAME_QEMU_LOONGARCH64", "/nowhere/qemu", 1);
	jitframe("run " KINDS " program_b");
	cr_assert_eq(result.status, 1, "%s", result.err);
	cr_assert(strstr(result.err, "/nowhere/qemu"), "%s", result.err);
}

/* As one that a debugger has ended: it says nothing of registers, or of anything else. */
Test(tools_cli, run_with_a_runner_that_ends_early)
{
	char directory[] = "/tmp/jitframe-runner-XXXXXX", path[128];
	FILE *file;

	if (!jf_backend_host())
		cr_skip("no native backend");
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/jf-runner-%s", directory, jf_backend_host()->name);
	file = fopen(path, "w");
	cr_assert(file);
	fputs("#!/bin/sh\nexit 1\n", file);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, 0700), 0);
	setenv("JITFRAME_RUNNER_PATH", directory, 1);
	jitframe("run " KINDS " program_b");
	cr_expect_eq(result.status, 1, "%s", result.err);
	cr_expect(strstr(result.err, "the runner ended with status 1, and has not said why"), "%s", result.err);
	unlink(path);
	rmdir(directory);
}

/* ---- damaged files ------------------------------------------------------------------------------ */

static size_t read_self(uint8_t *bytes, size_t capacity)
{
	FILE *file = fopen("/proc/self/exe", "rb");
	size_t size;

	cr_assert(file);
	size = fread(bytes, 1, capacity, file);
	fclose(file);
	cr_assert(size > sizeof(Elf64_Ehdr) && size < capacity);
	return size;
}

static void spoil_names_of_code(uint8_t *bytes)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	Elf64_Shdr *sections = (Elf64_Shdr *)(bytes + header->e_shoff);

	for (unsigned int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_flags & SHF_EXECINSTR)
			sections[i].sh_name = UINT32_MAX;
}

/* This program, whose linkage table has no name. */
Test(tools_cli, rows_of_sections_without_names)
{
	static _Alignas(Elf64_Shdr) uint8_t bytes[1 << 26]; /* sanitizers make it 10 MiB */
	size_t size = read_self(bytes, sizeof(bytes));
	char path[] = "/tmp/jitframe-names-XXXXXX", command[96];
	int fd = mkstemp(path);

	spoil_names_of_code(bytes);
	cr_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
	snprintf(command, sizeof(command), "rows make %s -o /dev/null", path);
	jitframe(command);
	cr_expect_eq(result.status, 0, "%s", result.err);
	unlink(path);
}
