/* SPDX-License-Identifier: BSD-2-Clause */

/* What the command answers to typing errors, where its output goes, and its colours. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define FRAMES OBJECT_DIR "/frames.o"
#define KINDS  OBJECT_DIR "/kinds.bpf.o"
#define MANY   OBJECT_DIR "/many.bpf.o"

#define BROKEN FRAMES " bad"

static const struct {
	const char *arguments;
	int status;
	const char *out, *err; /* a part of each */
} cases[] = {
	{"help", 0, "Usage: jitframe COMMAND", ""},
	{"help frame", 0, "Usage: jitframe frame", ""},
	{"help fram", 2, "", "there is no command \"fram\"; did you mean frame?"},
	{"chekc", 2, "", "there is no command \"chekc\"; did you mean check?"},
	{"hlep", 2, "", "there is no command \"hlep\"; did you mean help?"},
	{"x", 2, "", "there is no command \"x\"; see"},
	{"run --treads 2 x", 2, "", "jitframe run: unrecognized option '--treads'; did you mean --threads?"},
	{"frame --staks=16 arm64/user", 2, "", "unrecognized option '--staks'; did you mean --stack?"},
	{"archs --colour", 2, "", "unrecognized option '--colour'; did you mean --color?"},
	{"archs --hlep", 2, "", "did you mean --help?"},
	{"archs --unlike-anything", 2, "", "unrecognized option '--unlike-anything'\n"},
	/* No option: the argument of one. */
	{"emit arm64/user --part --rola", 2, "", "--part --rola: not one of"},
	{"emit arm64/user -- --rola", 2, "", "unexpected argument --rola"},
	/* An abbreviation, as getopt_long() has them. */
	{"frame arm64/user --sta 16", 0, "BPF stack, 16 bytes", ""},
	{"archs --color=red", 2, "", "--color red: not one of auto, always, never"},
	{"frame arm64/user --svg - --json", 2, "", "--json and --svg - would both go to standard output"},
	{"compile " KINDS " program_aa", 2, "", "did you mean program_a? There are: "},
	{"run " KINDS " program_b --set programs[0]=program_bb", 2, "",
	 "program_bb: no such program; did you mean program_b?"},
	{"compile " FRAMES, 2, "", "made for EM_LOONGARCH (258), not for BPF"},
	{"orc dump " KINDS, 2, "", "made for EM_BPF (247)"},
	{"rows verify " KINDS, 2, "", "made for EM_BPF (247)"},
	{"archs", 0, "loongarch64 (EM_LOONGARCH (258), ", ""},
	/* The last of many. */
	{"run " MANY, 2, "", " a_program_of_an_object_with_many_39\n"},
	{"run " MANY " a_program", 2, "", " a_program_of_an_object_with_many_39\n"},
};

Test(tools_manners, answers, .timeout = 120)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		jitframe(cases[i].arguments);
		cr_expect_eq(result.status, cases[i].status, "jitframe %s: %d: %s", cases[i].arguments, result.status,
			     result.err);
		cr_expect(strstr(result.out, cases[i].out), "jitframe %s: %s", cases[i].arguments, result.out);
		cr_expect(strstr(result.err, cases[i].err), "jitframe %s: %s", cases[i].arguments, result.err);
	}
}

/* Stores into the caller's frame, each of which is a finding. */
#define STORES(count)                                                              \
	"--version >/dev/null; (yes 48895c2408 | head -n " #count "; echo c3)"     \
	" | \"$JITFRAME\" check - --target x86_64/user --role subprogram --brief " \
	"| grep -e '48 89 5c 24 08' -e first | uniq -f 1 -c"

Test(tools_manners, no_finding_is_left_out_unsaid)
{
	jitframe(STORES(300));
	cr_expect(strstr(result.out, "    300 "), "%s", result.out);
	cr_expect_null(strstr(result.out, "first"), "%s", result.out);
	jitframe(STORES(1100));
	cr_expect(strstr(result.out, "   1024 "), "%s", result.out);
	cr_expect(strstr(result.out, "these are the first 1024 findings"), "%s", result.out);
}

Test(tools_manners, a_dash_is_standard_output)
{
	static char file[sizeof(result.out)];

	jitframe("frame arm64/user --svg /dev/stderr 2>&1");
	strcpy(file, result.out);
	jitframe("frame arm64/user --svg -");
	cr_assert_eq(result.status, 0);
	cr_assert(strncmp(result.out, "<svg ", 5) == 0);
	cr_assert_str_eq(result.out, file);

	/* libelf cannot write to a pipe by itself. */
	jitframe("rows make --elf -o - \"$JITFRAME\" | cat >" OBJECT_DIR "/dash.elf; readelf -SW " OBJECT_DIR
		 "/dash.elf");
	cr_assert(strstr(result.out, ".eh_frame"), "%s%s", result.out, result.err);
	cr_assert(strstr(result.err, "standard output: .eh_frame of "), "%s", result.err);
}

/* ---- colours ------------------------------------------------------------------------------------ */

static bool has_colors(const char *arguments)
{
	jitframe(arguments);
	cr_assert_eq(result.status, 1, "%s: %d: %s%s", arguments, result.status, result.out, result.err);
	cr_assert(strstr(result.out, "broken"), "%s", result.out);
	return strstr(result.out, "\033[") != NULL;
}

Test(tools_manners, colors)
{
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	cr_assert(!has_colors("check " BROKEN), "a file has no colours");
	cr_assert(has_colors("check --color=always " BROKEN));
	cr_assert(strstr(result.out, "\033[1;31mbroken\033[0m"), "%s", result.out);
	cr_assert(strstr(result.out, "\033[32mholds\033[0m"), "%s", result.out);
	jitframe("check --color=always /nowhere");
	cr_assert(strstr(result.err, "\033[1;31mjitframe:\033[0m /nowhere: "), "%s", result.err);
}

/* script(1) gives a command a terminal. */
#define ON_TERMINAL "--version >/dev/null; script -qec '\"$JITFRAME\" check " BROKEN

Test(tools_manners, colors_on_a_terminal)
{
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	if (system("command -v script >/dev/null") != 0)
		cr_skip("there is no script(1)");
	cr_assert(has_colors(ON_TERMINAL "' /dev/null </dev/null"));
	cr_assert(!has_colors(ON_TERMINAL " --color=never' /dev/null </dev/null"));
	setenv("NO_COLOR", "1", 1);
	cr_assert(!has_colors(ON_TERMINAL "' /dev/null </dev/null"));
	cr_assert(has_colors(ON_TERMINAL " --color=always' /dev/null </dev/null"));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	cr_assert(!has_colors(ON_TERMINAL "' /dev/null </dev/null"));
}
