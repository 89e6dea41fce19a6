/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jitframe check --html: what is in the page, what is printed beside, and what is refused. tests/page looks at the page
 * in a browser.
 */

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#define FRAMES OBJECT_DIR "/frames.o"
#define KINDS  OBJECT_DIR "/kinds.bpf.o"

static char directory[] = "/tmp/jitframe-page-XXXXXX";
static char page_path[64], input_path[64];
static char page[1 << 20];

static void set_up(void)
{
	cr_assert(mkdtemp(directory));
	snprintf(page_path, sizeof(page_path), "%s/page.html", directory);
	snprintf(input_path, sizeof(input_path), "%s/input", directory);
}

static void tear_down(void)
{
	unlink(page_path);
	unlink(input_path);
	rmdir(directory);
}

TestSuite(tools_page, .init = set_up, .fini = tear_down, .timeout = 120);

static void put(const void *bytes, size_t count)
{
	FILE *file = fopen(input_path, "wb");

	cr_assert(file);
	cr_assert_eq(fwrite(bytes, 1, count, file), count);
	cr_assert_eq(fclose(file), 0);
}

static void read_page(void)
{
	FILE *file = fopen(page_path, "rb");

	cr_assert(file, "%s was not written", page_path);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	fclose(file);
}

/* What a browser takes for the data: all up to the next tag. The caller's. */
static json_t *page_data(void)
{
	static const char begin[] = "<script type=\"application/json\" id=\"data\">";
	char *data = strstr(page, begin), *end;
	json_error_t error;
	json_t *value;

	cr_assert(data);
	data += strlen(begin);
	end = strchr(data, '<');
	cr_assert(end && strncmp(end, "</script>", 9) == 0, "something begins in the data: %.40s", end ? end : "");
	cr_expect_null(memchr(data, '&', (size_t)(end - data)));
	cr_expect_null(memchr(data, '>', (size_t)(end - data)));
	value = json_loadb(data, (size_t)(end - data), 0, &error);
	cr_assert_not_null(value, "line %d: %s", error.line, error.text);
	return value;
}

/* Runs `check` with a page, and takes the page apart. */
static json_t *check(const char *arguments, int status)
{
	char command[512];

	snprintf(command, sizeof(command), "check %s --html %s", arguments, page_path);
	jitframe(command);
	cr_assert_eq(result.status, status, "%s: %d: %s", command, result.status, result.err);
	read_page();
	return page_data();
}

static const json_t *function_at(const json_t *data, size_t index)
{
	return json_array_get(json_object_get(data, "functions"), index);
}

static long long number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	cr_assert(json_is_integer(value), "%s", key);
	return json_integer_value(value);
}

/* ---- beside what is printed -------------------------------------------------------------------------- */

/* The page changes nothing of what is printed, and goes to standard output alone. */
Test(tools_page, beside_text_and_json)
{
	static const char *const outputs[] = {"", "--json", "--brief --rows"};
	static char alone[sizeof(result.out)];

	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		char command[512];

		snprintf(command, sizeof(command), "check " FRAMES " %s", outputs[i]);
		jitframe(command);
		memcpy(alone, result.out, sizeof(alone));
		snprintf(command, sizeof(command), FRAMES " %s", outputs[i]);
		json_decref(check(command, 1));
		cr_expect_str_eq(result.out, alone, "%s", outputs[i]);
	}
	jitframe("check " FRAMES " --rows --html -");
	cr_expect_eq(result.status, 1);
	cr_expect_str_eq(result.out, page);
	cr_expect(strncmp(result.out, "<!doctype html>", 15) == 0, "%.40s", result.out);
}

/* ---- the data ----------------------------------------------------------------------------------------- */

Test(tools_page, every_kind_of_input)
{
	static const struct {
		const char *arguments;
		int status;
		size_t functions;
		const char *kind; /* of the last function */
	} cases[] = {
		{FRAMES, 1, 2, "function"},
		{FRAMES " good", 0, 1, "function"},
		{FRAMES " good --kind call-stub", 0, 1, "call stub"},
		{FRAMES " good --kind private-stub", 1, 1, "private stub"},
		{KINDS, 0, 10, "function"},
		{KERNEL_DIR "/loongarch64-exceptions.txt", 1, 2, "function"},
		{KERNEL_DIR "/loongarch64-exceptions.txt catches", 0, 1, "function"},
		{KERNEL_DIR "/x86_64-switch.txt", 1, 1, "function"},
		{KERNEL_DIR "/arm64-exceptions.txt", 0, 2, "function"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *data = check(cases[i].arguments, cases[i].status);
		size_t count = json_array_size(json_object_get(data, "functions"));
		const json_t *last = function_at(data, count - 1);

		cr_expect_eq(count, cases[i].functions, "%s: %zu functions", cases[i].arguments, count);
		cr_expect_eq(json_is_true(json_object_get(data, "sound")), !cases[i].status, "%s", cases[i].arguments);
		cr_expect_str_eq(json_string_value(json_object_get(last, "kind")), cases[i].kind);
		cr_expect(json_array_size(json_object_get(last, "code")) >= (size_t)number(last, "instructions"));
		json_decref(data);
	}
}

/* What a finding says of the frame: words of the stack, or addresses that registers hold. */
Test(tools_page, places_of_findings)
{
	static const struct {
		const char *dump;
		size_t function;
		const char *places; /* of all findings, in order: s words, a addresses */
	} cases[] = {
		{"loongarch64-small-64", 0, " s[] a[] s[] a[-80,-96]"},
		{"loongarch64-small-64", 1, " s[-88] a[-80]"},
		{"loongarch64-small-0", 0, NULL},
		{"x86_64-private-exceptions", 0, " s[] a[-64,-56]"},
		{"x86_64-switch", 0, " s[] a[]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char arguments[256], places[256] = "";
		const json_t *findings;
		json_t *data;

		snprintf(arguments, sizeof(arguments), KERNEL_DIR "/%s.txt", cases[i].dump);
		data = check(arguments, 1);
		findings = json_object_get(function_at(data, cases[i].function), "findings");
		for (size_t k = 0; k < json_array_size(findings); k++) {
			const json_t *finding = json_array_get(findings, k);
			char *words = json_dumps(json_object_get(finding, "slots"), JSON_COMPACT);
			char *addresses = json_dumps(json_object_get(finding, "addresses"), JSON_COMPACT);

			snprintf(places + strlen(places), sizeof(places) - strlen(places), " s%s a%s", words,
				 addresses);
			free(words);
			free(addresses);
		}
		/* A register that comes back wrong is one of a slot. */
		if (!cases[i].places)
			cr_expect(strstr(places, "s[-8"), "%s: %s", cases[i].dump, places);
		else
			cr_expect_str_eq(places, cases[i].places, "%s: %s", cases[i].dump, places);
		json_decref(data);
	}
}

/* A callback's boundary: a function of the same program, or a spec that was given, or nobody knows. */
Test(tools_page, where_a_callback_lands)
{
	static const struct {
		const char *arguments;
		size_t function;
		int boundary; /* -1: none in the page */
		bool known;
	} cases[] = {
		{KERNEL_DIR "/arm64-exceptions.txt", 1, 0, true},
		{KERNEL_DIR "/arm64-exceptions.txt catches", 0, -1, true},
		{KERNEL_DIR "/x86_64-exceptions.txt catches --boundary stack=64,landing-pads", 0, -1, true},
		{KINDS, 2, 1, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *data = check(cases[i].arguments, 0);
		const json_t *landing = json_object_get(function_at(data, cases[i].function), "landing");
		const json_t *boundary = json_object_get(landing, "function");

		cr_assert(landing, "%s", cases[i].arguments);
		cr_expect_eq(json_is_true(json_object_get(landing, "known")), cases[i].known);
		cr_expect_eq(json_is_null(boundary) ? -1 : (int)json_integer_value(boundary), cases[i].boundary, "%s",
			     cases[i].arguments);
		cr_expect(json_array_get(json_object_get(data, "frames"), (size_t)number(landing, "frame")));
		json_decref(data);
	}
}

/* ---- names of anybody ----------------------------------------------------------------------------------- */

Test(tools_page, names_stay_in_strings)
{
	static const char name[] = "</script><!--&\xff\xfe\" \\";
	char dump[256], arguments[128];
	json_t *data;

	put(dump, (size_t)snprintf(dump, sizeof(dump), "%s:\n   0:\tret\n\t20 00 00 4c \n", name));
	snprintf(arguments, sizeof(arguments), "%s --format bpftool", input_path);
	data = check(arguments, 1);
	cr_expect_str_eq(json_string_value(json_object_get(function_at(data, 0), "name")), "</script><!--&??\" \\");
	json_decref(data);
}

/* ---- much code, no code ---------------------------------------------------------------------------------- */

/* What no page can show in reasonable time: verdicts and findings are there all the same. */
Test(tools_page, too_much_code)
{
	static uint8_t nops[4 * 300100];
	static const uint8_t nop[] = {0x00, 0x00, 0x40, 0x03};
	char arguments[128];
	json_t *data;

	for (size_t i = 0; i < sizeof(nops); i++)
		nops[i] = nop[i % 4];
	put(nops, sizeof(nops));
	snprintf(arguments, sizeof(arguments), "%s --target loongarch64/user --format raw --role main", input_path);
	data = check(arguments, 1);
	cr_expect_null(json_object_get(function_at(data, 0), "code"));
	cr_expect_gt(json_array_size(json_object_get(function_at(data, 0), "findings")), 0);
	json_decref(data);
}

/* Bytes that no path reaches, and bytes that are no instruction, are lines too: of all bytes. */
Test(tools_page, every_byte_is_in_a_line)
{
	static const struct {
		const char *target, *hex;
	} cases[] = {
		{"x86_64/user", "eb02 c3 48 c3"}, /* a jump over a prefix that goes on in the target */
		{"x86_64/user", "c3 48"},
		{"x86_64/user", "ffffffffff"},
		{"loongarch64/user", "2000004c ffffffff 0000"},
		{"arm64/user", "c0035fd6 00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char arguments[128];
		json_t *data, *code;
		size_t end = 0, bytes = 0;

		put(cases[i].hex, strlen(cases[i].hex));
		snprintf(arguments, sizeof(arguments), "%s --target %s --role main", input_path, cases[i].target);
		data = check(arguments, 1);
		code = json_object_get(function_at(data, 0), "code");
		for (size_t k = 0; k < json_array_size(code); k++) {
			const json_t *insn = json_array_get(code, k);

			cr_expect_eq(number(insn, "offset"), (long long)end, "%s: line %zu", cases[i].hex, k);
			end += (strlen(json_string_value(json_object_get(insn, "bytes"))) + 1) / 3;
		}
		for (const char *at = cases[i].hex; *at; at++)
			bytes += *at != ' ';
		cr_expect_eq(end, bytes / 2, "%s: %zu bytes", cases[i].hex, end);
		json_decref(data);
	}
}

/* ---- what is refused --------------------------------------------------------------------------------------- */

Test(tools_page, refused)
{
	static const struct {
		const char *arguments;
		int status; /* 1: as for every other file that a command writes */
		const char *err;
	} cases[] = {
		{"check " FRAMES " --html /nowhere/at/all.html", 1, "/nowhere/at/all.html: No such file or directory"},
		{"check " FRAMES " --html /tmp", 1, "/tmp: Is a directory"},
		{"check " FRAMES " --html - --json", 2, "--html - and --json both want standard output"},
		{"check --conventions --html page.html", 2, "--html shows code: --conventions has none"},
		{"check " FRAMES " --html", 2, "requires an argument"},
		{"check /nowhere/at/all --html /tmp/jitframe-never.html", 2, "/nowhere/at/all"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		jitframe(cases[i].arguments);
		cr_expect_eq(result.status, cases[i].status, "%s: %d", cases[i].arguments, result.status);
		cr_expect(strstr(result.err, cases[i].err), "%s: %s", cases[i].arguments, result.err);
	}
	cr_expect_eq(access("/tmp/jitframe-never.html", F_OK), -1);
	jitframe("check " FRAMES " --html /dev/full");
	cr_expect_eq(result.status, 1);
	cr_expect(strstr(result.err, "/dev/full: No space left on device"), "%s", result.err);
}
