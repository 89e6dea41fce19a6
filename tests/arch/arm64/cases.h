/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CASES_ARM64_H
#define JF_TESTS_CASES_ARM64_H

#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "forms.h"
#include "mc.h"

/* One instruction at a time, as a case for LLVM MC and Capstone. Each test is a process with cases of its own. */

#define TRIPLE    "aarch64-linux-gnu"
#define FEATURES  "+v8.5a"
#define CASES_MAX 20000

static struct mc_case cases[CASES_MAX];
static size_t case_count;
static uint8_t bytes[32];
static struct jf_code code;

static inline struct jf_code *fresh(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	return &code;
}

/* What fresh() got is one instruction that reads like this. */
__attribute__((format(printf, 1, 2))) static inline void reads(const char *format, ...)
{
	struct mc_case *c = &cases[case_count++];
	va_list args;

	cr_assert_leq(case_count, (size_t)CASES_MAX);
	va_start(args, format);
	vsnprintf(c->text, sizeof(c->text), format, args);
	va_end(args);
	cr_assert_eq(code.status, JF_OK, "%s: refused", c->text);
	cr_assert_eq(code.size, 4u, "%s: %zu bytes", c->text, code.size);
	memcpy(c->bytes, bytes, 4);
	c->size = 4;
}

/* (Our name, the preferred alias that Capstone prints.) BTI and PAC hints are newer than it. */
/* clang-format off */
static const char *const aliases[] = {
	"ands", "tst",  "orr", "mov",  "orn", "mvn",  "sub", "neg",
	"subs", "cmp",  "subs", "negs",  "adds", "cmn",  "add", "mov",  "madd", "mul",
	"msub", "mneg",  "lslv", "lsl",  "lsrv", "lsr",  "asrv", "asr",  "sbfm", "asr",
	"sbfm", "sbfx",  "sbfm", "sbfiz",  "sbfm", "sxtb",  "sbfm", "sxth",  "sbfm", "sxtw",
	"ubfm", "lsl",  "ubfm", "lsr",  "ubfm", "ubfx",  "ubfm", "ubfiz",  "ubfm", "uxtb",
	"ubfm", "uxth",  "movz", "mov",  "movn", "mov",  "bti", "hint",  "paciasp", "hint",
	"autiasp", "hint",
	NULL,
};
/* clang-format on */

static inline void check_all(void)
{
	mc_check_assembles(TRIPLE, FEATURES, cases, case_count);
	mc_check_capstone_aliases(CS_ARCH_ARM64, CS_MODE_ARM, cases, case_count, aliases);
}

#define REFUSED(call)                                                                     \
	do {                                                                              \
		fresh();                                                                  \
		call;                                                                     \
		cr_assert_eq(code.status, JF_E_RANGE, "%s: %d", #call, (int)code.status); \
		cr_assert_eq(code.size, 0u, "%s: put something", #call);                  \
	} while (0)

/* Names of registers: several at a time may be in use. */
static inline const char *named(const char *prefix, unsigned int n)
{
	static char names[8][8];
	static unsigned int next;
	char *name = names[next++ % 8];

	snprintf(name, sizeof(names[0]), "%s%u", prefix, n);
	return name;
}

static inline const char *z(bool is64, unsigned int n)
{
	return n == 31 ? (is64 ? "xzr" : "wzr") : named(is64 ? "x" : "w", n);
}

static inline const char *s(bool is64, unsigned int n)
{
	return n == 31 ? (is64 ? "sp" : "wsp") : named(is64 ? "x" : "w", n);
}

#endif
