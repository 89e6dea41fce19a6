/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jitframe check on what Linux's own JITs emit: tests/tools/kernel has dumps as bpftool prints them, of functions that
 * Linux 7.3.4's JITs made, and of functions that these JITs made after a fault was planted in their sources.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

/* R3 is left out where a boundary of LoongArch is right but for s7 and s8, which the exception patch does not save. */
static const struct {
	const char *dump, *arguments;
	int status;
	const char *wants[4], *lacks[2]; /* in what is printed */
} cases[] = {
	/* One option, and the others are inferred. */
	{"x86_64-exceptions", "throws --target x86_64/linux --role boundary", 0, {"boundary, BPF stack 64"}, {0}},
	{"x86_64-exceptions", "throws --target x86_64/linux --stack 64", 0, {"boundary, BPF stack 64"}, {0}},
	{"x86_64-exceptions", "throws --target x86_64/linux --stack 72", 1, {"boundary, BPF stack 72"}, {0}},
	{"arm64-exceptions", "--target arm64/linux --sign-return", 0, {"boundary, BPF stack 64", "callback"}, {0}},
	{"arm64-exceptions", "throws --target arm64/linux --role boundary", 0, {"signed return"}, {0}},
	{"loongarch64-exceptions",
	 "throws --target loongarch64/linux --role boundary --except R3",
	 0,
	 {"BPF stack 64"},
	 {0}},
	{"loongarch64-exceptions",
	 "throws --target loongarch64/linux --uses r6 --role main",
	 1,
	 {"main, BPF stack"},
	 {0}},
	/* Function 0 of a program with a callback is a boundary, and the one that the callback lands in. */
	{"x86_64-exceptions-arena", "--target x86_64/linux", 0, {"boundary, BPF stack 64", "R4 "}, {"spec: main"}},
	{"loongarch64-exceptions-arena",
	 "--target loongarch64/linux",
	 1,
	 {"boundary", "s7, s8", "R4 "},
	 {"spec: main"}},
	{"loongarch64-exceptions-arena", "catches --target loongarch64/linux", 0, {"callback"}, {"boundary, BPF"}},
	/* Linux aligns SP to 8 bytes on x86-64; what asks for 16 has to say so. */
	{"x86_64-exceptions", "--target x86_64/linux", 0, {"R7   alignment              holds"}, {0}},
	{"x86_64-exceptions", "--target x86_64/linux --except R3 --align-c 16", 1, {"not a multiple of 16"}, {0}},
	/* Linux's stub for timed may_goto takes an offset and adds R10's ordinary register, which private stacks do
	 * not use on x86-64. */
	{"x86_64-may-goto", "--target x86_64/linux", 0, {"R18  private stubs          holds"}, {0}},
	{"x86_64-may-goto-private",
	 "--target x86_64/linux",
	 1,
	 {"R18  private stubs          broken", "the stub adds rbp"},
	 {0}},
	{"arm64-may-goto", "--target arm64/linux", 0, {"R18  private stubs          holds"}, {0}},
	{"arm64-may-goto-private", "--target arm64/linux", 0, {"R18  private stubs          holds"}, {0}},
	{"loongarch64-may-goto", "--target loongarch64/linux", 0, {"R18  private stubs          holds"}, {0}},
	/* Converted classic BPF is entered by no tail call. */
	{"x86_64-classic", "--target x86_64/linux", 0, {"main, BPF stack 16, landing pads, classic"}, {0}},
	/* A call pushes the private stack's pointer, and the callback takes it for the first save. */
	{"x86_64-private-exceptions",
	 "--target x86_64/linux",
	 1,
	 {"R4   adoption               broken", "8 bytes above"},
	 {0}},
	/* A callback returns with the return address that its boundary has signed. */
	{"arm64-exceptions", "--target arm64/linux", 0, {"callback, BPF stack 0, signed return"}, {0}},
	{"arm64-exceptions", "catches --target arm64/linux", 0, {"callback, BPF stack 0, signed return"}, {0}},
	{"arm64-exceptions-arena", "--target arm64/linux", 0, {"callback, BPF stack 32, signed return"}, {0}},
	/* A LoongArch JIT that was made to forget the slot of s6 in the frame of a boundary and of a callback. */
	{"loongarch64-small-0",
	 "throws --target loongarch64/linux",
	 1,
	 {"boundary", "R8   bounds                 broken"},
	 {0}},
	{"loongarch64-small-8",
	 "throws --target loongarch64/linux",
	 1,
	 {"boundary", "R6   sealed save area       broken"},
	 {0}},
	{"loongarch64-small-64",
	 "throws --target loongarch64/linux",
	 1,
	 {"boundary", "R6   sealed save area       broken"},
	 {0}},
	{"loongarch64-small-64",
	 "catches --target loongarch64/linux",
	 1,
	 {"callback", "R8   bounds                 broken"},
	 {0}},
	/* Without any option. */
	{"x86_64-exceptions",
	 "",
	 0,
	 {"taken for granted: x86_64/linux, as the code looks; the functions are one program"},
	 {0}},
	{"arm64-exceptions-arena", "", 0, {"taken for granted: arm64/linux, as", "boundary", "callback"}, {0}},
	{"loongarch64-exceptions", "", 1, {"taken for granted: loongarch64/linux, as", "s7, s8"}, {0}},
	{"loongarch64-may-goto", "", 0, {"taken for granted: loongarch64/linux, as", "all rules hold"}, {0}},
	{"arm64-may-goto", "", 0, {"taken for granted: arm64/linux, as", "all rules hold"}, {0}},
	{"x86_64-classic", "", 0, {"taken for granted: x86_64/linux, as", "all rules hold"}, {0}},
	{"x86_64-may-goto-private", "", 1, {"the stub adds rbp"}, {0}},
	{"x86_64-exceptions",
	 "--json",
	 0,
	 {"\"target_by_code\": true", "\"one_program\": true", "\"sound\": true"},
	 {0}},
	/* A switch goes where the table says, and nobody sees the table. */
	{"x86_64-switch", "", 1, {"not decidable", "to decide: --jump-table"}, {"broken"}},
	{"x86_64-switch", "--jump-table 26,31", 0, {"main, BPF stack 16, r6", "all rules hold"}, {0}},
	{"arm64-switch", "--jump-table 30,38", 0, {"main, BPF stack", "all rules hold"}, {0}},
	{"arm64-switch", "--jump-table 30,300", 2, {0}, {0}},
};

Test(tools_kernel, dumps, .timeout = 240)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char arguments[256];

		snprintf(arguments, sizeof(arguments), "check " KERNEL_DIR "/%s.txt %s", cases[i].dump,
			 cases[i].arguments);
		jitframe(arguments);
		cr_expect_eq(result.status, cases[i].status, "%s: %d: %s%s", arguments, result.status, result.out,
			     result.err);
		for (unsigned int k = 0; k < 4 && cases[i].wants[k]; k++)
			cr_expect(strstr(result.out, cases[i].wants[k]), "%s: no \"%s\": %s%s", arguments,
				  cases[i].wants[k], result.out, result.err);
		for (unsigned int k = 0; k < 2 && cases[i].lacks[k]; k++)
			cr_expect(!strstr(result.out, cases[i].lacks[k]), "%s: \"%s\": %s", arguments,
				  cases[i].lacks[k], result.out);
	}
}
