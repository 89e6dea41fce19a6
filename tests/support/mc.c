/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp */
#endif
#include "mc.h"

#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX 40 /* differing lines printed before the rest is only counted */

/* ---- running llvm-mc ------------------------------------------------------------------------ */

/* A directory of its own for each run: the program's input and its error messages. */
struct run {
	char dir[64];
	char in[80];
	char err[80];
	FILE *out; /* its output */
};

static const char *find_llvm_mc(void)
{
	static const char *const names[] = {"llvm-mc-19", "llvm-mc-18", "llvm-mc"};
	const char *from_env = getenv("LLVM_MC");
	char probe[64];

	if (from_env && *from_env)
		return from_env;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(probe, sizeof(probe), "command -v %s >/dev/null 2>&1", names[i]);
		if (system(probe) == 0)
			return names[i];
	}
	return NULL;
}

static FILE *run_open(struct run *run)
{
	const char *tmp = getenv("TMPDIR");
	FILE *in;

	snprintf(run->dir, sizeof(run->dir), "%s/jf-mc-XXXXXX", tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(run->dir), "no temporary directory %s", run->dir);
	snprintf(run->in, sizeof(run->in), "%s/in", run->dir);
	snprintf(run->err, sizeof(run->err), "%s/err", run->dir);
	in = fopen(run->in, "w");
	cr_assert_not_null(in, "cannot write %s", run->in);
	return in;
}

static void run_start(struct run *run, FILE *in, const char *program, const char *triple, const char *features,
		      const char *action)
{
	char command[512];
	int length;

	cr_assert_eq(fclose(in), 0, "cannot write %s", run->in);
	length = snprintf(command, sizeof(command), "%s --triple='%s' --mattr='%s' %s '%s' 2>'%s'", program, triple,
			  features ? features : "", action, run->in, run->err);
	cr_assert_lt(length, (int)sizeof(command), "command too long");
	run->out = popen(command, "r");
	cr_assert_not_null(run->out, "cannot start %s", program);
}

/* Prints what it complained about. returns: whether it did. */
static bool run_close(struct run *run)
{
	bool failed = pclose(run->out) != 0;
	FILE *err = fopen(run->err, "r");
	char line[512];

	if (failed && err)
		for (int shown = 0; shown < SHOWN_MAX && fgets(line, sizeof(line), err); shown++)
			fprintf(stderr, "llvm-mc: %s", line);
	if (err)
		fclose(err);
	unlink(run->in);
	unlink(run->err);
	rmdir(run->dir);
	return failed;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static const char *hex(const uint8_t *bytes, size_t size, char *text, size_t capacity)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < size && at + 4 < capacity; i++)
		at += (size_t)snprintf(text + at, capacity - at, "%s%02x", i ? " " : "", bytes[i]);
	return text;
}

/* "[0x48,0x89,0xe5]" -> bytes behind those already there. A fixup ("A", "0bAAAAAA00") is no byte. */
static bool parse_encoding(const char *text, uint8_t *bytes, size_t *size, size_t capacity)
{
	while (*text && *text != ']') {
		char *end;
		unsigned long value;

		text++; /* the bracket or a comma */
		value = strtoul(text, &end, 16);
		if (strncmp(text, "0x", 2) != 0 || end == text || value > 0xff || *size >= capacity)
			return false;
		bytes[(*size)++] = (uint8_t)value;
		text = end;
	}
	return true;
}

/*
 * Each case stands behind a label of its own, "mc7:", which llvm-mc repeats in its output: so a case
 * that it refuses, or makes two instructions of, does not shift the others.
 */
void mc_check_assembles(const char *triple, const char *features, const struct mc_case *cases, size_t count)
{
	const char *program = find_llvm_mc();
	struct mc_case *got;
	size_t differ = 0;
	struct run run;
	char line[512], want_hex[64], got_hex[64];
	FILE *in;
	size_t at = 0;
	bool failed;

	if (!program)
		cr_skip_test("no llvm-mc here: set LLVM_MC");
	got = calloc(count ? count : 1, sizeof(*got));
	cr_assert_not_null(got);
	in = run_open(&run);
	for (size_t i = 0; i < count; i++)
		fprintf(in, "mc%zu:\n%s\n", i, cases[i].text);
	run_start(&run, in, program, triple, features, "--show-encoding");
	while (fgets(line, sizeof(line), run.out)) {
		const char *encoding = strstr(line, "encoding: ");
		size_t size, label;

		if (sscanf(line, "mc%zu:", &label) == 1 && label < count)
			at = label;
		if (!encoding)
			continue;
		size = got[at].size;
		if (!parse_encoding(encoding + strlen("encoding: "), got[at].bytes, &size, sizeof(got[at].bytes)))
			size = UINT8_MAX;
		got[at].size = (uint8_t)size;
	}
	failed = run_close(&run);
	for (size_t i = 0; i < count; i++) {
		if (got[i].size == cases[i].size && memcmp(got[i].bytes, cases[i].bytes, cases[i].size) == 0)
			continue;
		if (differ++ < SHOWN_MAX)
			fprintf(stderr, "%s: ours %s, llvm-mc %s\n", cases[i].text,
				hex(cases[i].bytes, cases[i].size, want_hex, sizeof(want_hex)),
				got[i].size == UINT8_MAX ? "with a fixup" :
							   hex(got[i].bytes, got[i].size, got_hex, sizeof(got_hex)));
	}
	free(got);
	cr_assert_eq(differ, 0, "%zu of %zu encodings differ from llvm-mc's", differ, count);
	cr_assert_not(failed, "llvm-mc failed");
}

/* One blank for any run of blanks; comments ("# imm = 0x7f", "// =1"; but not "#8") and the line's end go. */
static void squeeze(char *text)
{
	char *to = text;

	for (char *from = text; *from && strncmp(from, "# ", 2) != 0 && strncmp(from, "//", 2) != 0; from++)
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to != text && to[-1] != ' ')
			*to++ = ' ';
	while (to != text && to[-1] == ' ')
		to--;
	*to = '\0';
}

void mc_check_disassembles(const char *triple, const char *features, const struct mc_case *cases, size_t count)
{
	const char *program = find_llvm_mc();
	size_t at = 0, differ = 0;
	struct run run;
	char line[512];
	FILE *in;
	bool failed;

	if (!program)
		cr_skip_test("no llvm-mc here: set LLVM_MC");
	in = run_open(&run);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < cases[i].size; k++)
			fprintf(in, " 0x%02x", cases[i].bytes[k]);
		fprintf(in, "\n");
	}
	run_start(&run, in, program, triple, features, "--disassemble");
	while (fgets(line, sizeof(line), run.out)) {
		char want[sizeof(cases->text)];

		squeeze(line);
		if (line[0] == '\0' || line[0] == '.')
			continue; /* directives */
		cr_assert_lt(at, count, "more instructions than cases: %s", line);
		snprintf(want, sizeof(want), "%s", cases[at++].text);
		squeeze(want);
		if (strcmp(line, want) != 0 && differ++ < SHOWN_MAX)
			fprintf(stderr, "%s: llvm-mc reads %s\n", want, line);
	}
	failed = run_close(&run);
	cr_assert_eq(differ, 0, "%zu of %zu instructions read otherwise by llvm-mc", differ, count);
	cr_assert_not(failed, "llvm-mc failed");
	cr_assert_eq(at, count, "%zu instructions from %zu cases", at, count);
}

/* ---- Capstone ------------------------------------------------------------------------------- */

/* Capstone counts prefixes to the name ("lock addl"): its first word is what counts here too. */
static bool same_name(const char *ours, const char *mnemonic, const char *const *aliases)
{
	char theirs[CS_MNEMONIC_SIZE];

	snprintf(theirs, sizeof(theirs), "%.*s", (int)strcspn(mnemonic, " "), mnemonic);
	if (strcmp(ours, theirs) == 0)
		return true;
	for (; aliases && aliases[0]; aliases += 2)
		if (strcmp(ours, aliases[0]) == 0 && strcmp(theirs, aliases[1]) == 0)
			return true;
	return false;
}

void mc_check_capstone_aliases(int arch, int mode, const struct mc_case *cases, size_t count,
			       const char *const *aliases)
{
	size_t differ = 0;
	csh handle;

	cr_assert_eq(cs_open((cs_arch)arch, (cs_mode)mode, &handle), CS_ERR_OK);
	/* Refused where there is one syntax. */
	cs_option(handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(cases[i].text, " \t");
		cs_insn *insn = NULL;
		size_t insns = cs_disasm(handle, cases[i].bytes, cases[i].size, 0x1000, 0, &insn);
		char word[sizeof(cases->text)], bytes[64];

		snprintf(word, sizeof(word), "%.*s", (int)length, cases[i].text);
		if ((insns != 1 || insn->size != cases[i].size || !same_name(word, insn->mnemonic, aliases)) &&
		    differ++ < SHOWN_MAX)
			fprintf(stderr, "%s: capstone reads %s as %zu instruction(s): %s %s\n", cases[i].text,
				hex(cases[i].bytes, cases[i].size, bytes, sizeof(bytes)), insns,
				insns ? insn->mnemonic : "", insns ? insn->op_str : "");
		if (insns)
			cs_free(insn, insns);
	}
	cs_close(&handle);
	cr_assert_eq(differ, 0, "%zu of %zu instructions read otherwise by Capstone", differ, count);
}

void mc_check_capstone(int arch, int mode, const struct mc_case *cases, size_t count)
{
	mc_check_capstone_aliases(arch, mode, cases, count, NULL);
}
