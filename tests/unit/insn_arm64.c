/* SPDX-License-Identifier: BSD-2-Clause */
#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "insn.h"
#include "mc.h"

/*
 * Every encoder over all registers in each place and over the immediates at the edges of its fields,
 * against LLVM MC and Capstone; and one value beyond each edge, which has to be refused.
 */

#define TRIPLE    "aarch64-linux-gnu"
#define FEATURES  "+v8.5a"
#define CASES_MAX 12000

static struct mc_case cases[CASES_MAX];
static size_t case_count;
static uint8_t bytes[32];
static struct jf_code code;

static struct jf_code *fresh(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	return &code;
}

/* What fresh() got is one instruction that reads like this. */
__attribute__((format(printf, 1, 2))) static void reads(const char *format, ...)
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

static void check_all(void)
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
static const char *named(const char *prefix, unsigned int n)
{
	static char names[8][8];
	static unsigned int next;
	char *name = names[next++ % 8];

	snprintf(name, sizeof(names[0]), "%s%u", prefix, n);
	return name;
}

static const char *z(bool is64, unsigned int n)
{
	return n == 31 ? (is64 ? "xzr" : "wzr") : named(is64 ? "x" : "w", n);
}

static const char *s(bool is64, unsigned int n)
{
	return n == 31 ? (is64 ? "sp" : "wsp") : named(is64 ? "x" : "w", n);
}

/* Calls body with every register in each of `places` places. */
static void each_register(unsigned int places, void (*body)(const unsigned int *r, void *arg), void *arg)
{
	for (unsigned int place = 0; place < places; place++)
		for (unsigned int n = 0; n < 32; n++) {
			unsigned int r[4] = {1, 12, 23, 4};

			r[place] = n;
			body(r, arg);
		}
}

/* ---- data processing ------------------------------------------------------------------------ */

struct rrr {
	const char *name;
	enum jf_arm64_rrr op;
};
static const struct rrr rrrs[] = {
	{"and", JF_ARM64_AND},   {"bic", JF_ARM64_BIC},   {"orr", JF_ARM64_ORR},   {"orn", JF_ARM64_ORN},
	{"eor", JF_ARM64_EOR},   {"eon", JF_ARM64_EON},   {"ands", JF_ARM64_ANDS}, {"add", JF_ARM64_ADD},
	{"adds", JF_ARM64_ADDS}, {"sub", JF_ARM64_SUB},   {"subs", JF_ARM64_SUBS}, {"udiv", JF_ARM64_UDIV},
	{"sdiv", JF_ARM64_SDIV}, {"lslv", JF_ARM64_LSLV}, {"lsrv", JF_ARM64_LSRV}, {"asrv", JF_ARM64_ASRV},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void one_rrr(const unsigned int *r, void *arg)
{
	const struct rrr *of = arg;

	for (int w = 0; w < 2; w++) {
		jf_arm64_rrr(fresh(), of->op, w, r[0], r[1], r[2]);
		reads("%s %s, %s, %s", of->name, z(w, r[0]), z(w, r[1]), z(w, r[2]));
	}
}

Test(insn_arm64, three_registers)
{
	for (size_t i = 0; i < COUNT(rrrs); i++) {
		each_register(3, one_rrr, (void *)&rrrs[i]);
		REFUSED(jf_arm64_rrr(&code, rrrs[i].op, true, 32, 0, 0));
		REFUSED(jf_arm64_rrr(&code, rrrs[i].op, true, 0, 32, 0));
		REFUSED(jf_arm64_rrr(&code, rrrs[i].op, true, 0, 0, 32));
	}
	check_all();
}

static void one_add_uxtw(const unsigned int *r, void *arg)
{
	(void)arg;
	jf_arm64_add_uxtw(fresh(), r[0], r[1], r[2], 3);
	reads("add %s, %s, %s, uxtw #3", s(true, r[0]), s(true, r[1]), z(false, r[2]));
}

static void one_csel(const unsigned int *r, void *arg)
{
	(void)arg;
	jf_arm64_csel(fresh(), JF_ARM64_HI, r[0], r[1], r[2]);
	reads("csel %s, %s, %s, hi", z(true, r[0]), z(true, r[1]), z(true, r[2]));
}

Test(insn_arm64, indexes_and_choices)
{
	each_register(3, one_add_uxtw, NULL);
	each_register(3, one_csel, NULL);
	for (unsigned int shift = 0; shift <= 4; shift++) {
		jf_arm64_add_uxtw(fresh(), 1, 2, 3, shift);
		reads("add x1, x2, w3, uxtw #%u", shift);
	}
	jf_arm64_csel(fresh(), JF_ARM64_EQ, 1, 2, 3);
	reads("csel x1, x2, x3, eq");
	jf_arm64_csel(fresh(), JF_ARM64_LE, 1, 2, 3);
	reads("csel x1, x2, x3, le");
	REFUSED(jf_arm64_add_uxtw(&code, 32, 0, 0, 0));
	REFUSED(jf_arm64_add_uxtw(&code, 0, 32, 0, 0));
	REFUSED(jf_arm64_add_uxtw(&code, 0, 0, 32, 0));
	REFUSED(jf_arm64_add_uxtw(&code, 0, 0, 0, 5));
	REFUSED(jf_arm64_csel(&code, (enum jf_arm64_cond)16, 0, 0, 0));
	REFUSED(jf_arm64_csel(&code, JF_ARM64_EQ, 32, 0, 0));
	REFUSED(jf_arm64_csel(&code, JF_ARM64_EQ, 0, 32, 0));
	REFUSED(jf_arm64_csel(&code, JF_ARM64_EQ, 0, 0, 32));
	check_all();
}

static void one_rrrr(const unsigned int *r, void *arg)
{
	(void)arg;
	for (int w = 0; w < 2; w++) {
		jf_arm64_rrrr(fresh(), JF_ARM64_MADD, w, r[0], r[1], r[2], r[3]);
		reads("madd %s, %s, %s, %s", z(w, r[0]), z(w, r[1]), z(w, r[2]), z(w, r[3]));
		jf_arm64_rrrr(fresh(), JF_ARM64_MSUB, w, r[0], r[1], r[2], r[3]);
		reads("msub %s, %s, %s, %s", z(w, r[0]), z(w, r[1]), z(w, r[2]), z(w, r[3]));
	}
}

static void one_rr(const unsigned int *r, void *arg)
{
	(void)arg;
	for (int w = 0; w < 2; w++) {
		jf_arm64_mov(fresh(), w, r[0], r[1]);
		reads("mov %s, %s", z(w, r[0]), z(w, r[1]));
		jf_arm64_rev(fresh(), JF_ARM64_REV, w, r[0], r[1]);
		reads("rev %s, %s", z(w, r[0]), z(w, r[1]));
		jf_arm64_rev(fresh(), JF_ARM64_REV16, w, r[0], r[1]);
		reads("rev16 %s, %s", z(w, r[0]), z(w, r[1]));
	}
}

Test(insn_arm64, multiply_move_reverse)
{
	each_register(4, one_rrrr, NULL);
	each_register(2, one_rr, NULL);
	REFUSED(jf_arm64_rrrr(&code, JF_ARM64_MADD, true, 32, 0, 0, 0));
	REFUSED(jf_arm64_rrrr(&code, JF_ARM64_MADD, true, 0, 32, 0, 0));
	REFUSED(jf_arm64_rrrr(&code, JF_ARM64_MSUB, true, 0, 0, 32, 0));
	REFUSED(jf_arm64_rrrr(&code, JF_ARM64_MSUB, true, 0, 0, 0, 32));
	REFUSED(jf_arm64_mov(&code, true, 32, 0));
	REFUSED(jf_arm64_mov(&code, true, 0, 32));
	REFUSED(jf_arm64_rev(&code, JF_ARM64_REV, true, 32, 0));
	REFUSED(jf_arm64_rev(&code, JF_ARM64_REV16, true, 0, 32));
	check_all();
}

static const struct {
	const char *name;
	enum jf_arm64_addsub op;
} addsubs[] = {
	{"add", JF_ARM64_ADDI},
	{"adds", JF_ARM64_ADDSI},
	{"sub", JF_ARM64_SUBI},
	{"subs", JF_ARM64_SUBSI},
};

Test(insn_arm64, add_and_subtract_immediates)
{
	static const uint32_t imms[] = {0, 1, 16, 2048, 4095, 4096, 8192, 0x800000, 0xfff000};

	for (size_t i = 0; i < COUNT(addsubs); i++) {
		bool flags = i & 1;

		for (unsigned int k = 0; k < 64; k++)
			for (int w = 0; w < 2; w++) {
				unsigned int rd = k < 32 ? k : 5, rn = k < 32 ? 5 : k - 32;

				jf_arm64_addsub(fresh(), addsubs[i].op, w, rd, rn, 0x123);
				reads("%s %s, %s, #0x123", addsubs[i].name, flags ? z(w, rd) : s(w, rd), s(w, rn));
			}
		for (size_t k = 0; k < COUNT(imms); k++)
			for (int w = 0; w < 2; w++) {
				jf_arm64_addsub(fresh(), addsubs[i].op, w, 7, 8, imms[k]);
				reads("%s %s, %s, #%u", addsubs[i].name, z(w, 7), z(w, 8), imms[k]);
			}
		REFUSED(jf_arm64_addsub(&code, addsubs[i].op, true, 32, 0, 0));
		REFUSED(jf_arm64_addsub(&code, addsubs[i].op, true, 0, 32, 0));
		REFUSED(jf_arm64_addsub(&code, addsubs[i].op, true, 0, 0, 4097));
		REFUSED(jf_arm64_addsub(&code, addsubs[i].op, true, 0, 0, 0x1000000));
		REFUSED(jf_arm64_addsub(&code, addsubs[i].op, true, 0, 0, UINT64_MAX));
	}
	check_all();
}

static const struct {
	const char *name;
	enum jf_arm64_bitfield op;
} bitfields[] = {
	{"sbfm", JF_ARM64_SBFM},
	{"ubfm", JF_ARM64_UBFM},
};

static void one_shift(const unsigned int *r, void *arg)
{
	(void)arg;
	for (int w = 0; w < 2; w++) {
		jf_arm64_lsl(fresh(), w, r[0], r[1], 3);
		reads("lsl %s, %s, #3", z(w, r[0]), z(w, r[1]));
		jf_arm64_lsr(fresh(), w, r[0], r[1], 3);
		reads("lsr %s, %s, #3", z(w, r[0]), z(w, r[1]));
		jf_arm64_asr(fresh(), w, r[0], r[1], 3);
		reads("asr %s, %s, #3", z(w, r[0]), z(w, r[1]));
	}
}

Test(insn_arm64, bitfields_and_shifts)
{
	for (size_t i = 0; i < 2; i++) {
		for (unsigned int immr = 0; immr < 64; immr++)
			for (unsigned int imms = immr & 3; imms < 64; imms += 4) {
				jf_arm64_bitfield(fresh(), bitfields[i].op, true, 1, 2, immr, imms);
				reads("%s x1, x2, #%u, #%u", bitfields[i].name, immr, imms);
			}
		for (unsigned int immr = 0; immr < 32; immr++)
			for (unsigned int imms = immr & 3; imms < 32; imms += 4) {
				jf_arm64_bitfield(fresh(), bitfields[i].op, false, 1, 2, immr, imms);
				reads("%s w1, w2, #%u, #%u", bitfields[i].name, immr, imms);
			}
		REFUSED(jf_arm64_bitfield(&code, bitfields[i].op, true, 32, 0, 0, 0));
		REFUSED(jf_arm64_bitfield(&code, bitfields[i].op, true, 0, 32, 0, 0));
		REFUSED(jf_arm64_bitfield(&code, bitfields[i].op, true, 0, 0, 64, 0));
		REFUSED(jf_arm64_bitfield(&code, bitfields[i].op, true, 0, 0, 0, 64));
		REFUSED(jf_arm64_bitfield(&code, bitfields[i].op, false, 0, 0, 32, 0));
		REFUSED(jf_arm64_bitfield(&code, bitfields[i].op, false, 0, 0, 0, 32));
	}
	each_register(2, one_shift, NULL);
	for (int w = 0; w < 2; w++)
		for (unsigned int count = 0; count < (w ? 64 : 32); count++) {
			jf_arm64_lsl(fresh(), w, 9, 10, count);
			/* By 0 it is the same instruction as LSR by 0. */
			reads("%s %s, %s, #%u", count ? "lsl" : "lsr", z(w, 9), z(w, 10), count);
			jf_arm64_lsr(fresh(), w, 9, 10, count);
			reads("lsr %s, %s, #%u", z(w, 9), z(w, 10), count);
			jf_arm64_asr(fresh(), w, 9, 10, count);
			reads("asr %s, %s, #%u", z(w, 9), z(w, 10), count);
		}
	REFUSED(jf_arm64_lsl(&code, true, 0, 0, 64));
	REFUSED(jf_arm64_lsl(&code, false, 0, 0, 32));
	REFUSED(jf_arm64_lsr(&code, true, 0, 0, 64));
	REFUSED(jf_arm64_lsr(&code, false, 0, 0, 32));
	REFUSED(jf_arm64_asr(&code, true, 0, 0, 64));
	REFUSED(jf_arm64_asr(&code, false, 0, 0, 32));
	check_all();
}

/* ---- bitmask immediates --------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum jf_arm64_logical op;
} logicals[] = {
	{"and", JF_ARM64_ANDI},
	{"orr", JF_ARM64_ORRI},
	{"eor", JF_ARM64_EORI},
	{"ands", JF_ARM64_ANDSI},
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Every bitmask immediate of the width, as the manual builds them. returns: how many. */
static size_t all_bitmasks(bool is64, uint64_t *values)
{
	size_t count = 0;

	for (unsigned int size = 2; size <= (is64 ? 64 : 32); size *= 2)
		for (unsigned int ones = 1; ones < size; ones++)
			for (unsigned int turn = 0; turn < size; turn++) {
				uint64_t mask = UINT64_MAX >> (64 - size), run = UINT64_MAX >> (64 - ones);
				uint64_t element = turn ? (run >> turn | run << (size - turn)) & mask : run;
				uint64_t value = 0;

				for (unsigned int at = 0; at < (is64 ? 64 : 32); at += size)
					value |= element << at;
				values[count++] = value;
			}
	qsort(values, count, sizeof(*values), by_value);
	return count;
}

static uint64_t masks[6000];

Test(insn_arm64, every_bitmask_immediate)
{
	size_t count = all_bitmasks(true, masks);

	cr_assert_eq(count, 5334u);
	for (size_t i = 0; i < count; i++) {
		jf_arm64_logical(fresh(), logicals[i % 4].op, true, 1, 2, masks[i]);
		reads("%s x1, x2, #0x%" PRIx64, logicals[i % 4].name, masks[i]);
	}
	count = all_bitmasks(false, masks);
	cr_assert_eq(count, 1302u);
	for (size_t i = 0; i < count; i++) {
		jf_arm64_logical(fresh(), logicals[i % 4].op, false, 1, 2, masks[i]);
		reads("%s w1, w2, #0x%" PRIx64, logicals[i % 4].name, masks[i]);
	}
	check_all();
}

Test(insn_arm64, no_other_bitmask_immediate)
{
	uint32_t fields;

	for (int w = 0; w < 2; w++) {
		size_t count = all_bitmasks(w, masks);

		for (size_t i = 0; i < count; i++)
			for (unsigned int bit = 0; bit < (w ? 64 : 32); bit++) {
				uint64_t near = masks[i] ^ UINT64_C(1) << bit;
				bool valid = bsearch(&near, masks, count, sizeof(near), by_value);

				cr_assert_eq(jf_arm64_fits_logical(w, near, &fields), valid, "%d: 0x%" PRIx64, w, near);
			}
	}
}

Test(insn_arm64, logical_registers)
{
	for (size_t i = 0; i < COUNT(logicals); i++) {
		for (unsigned int k = 0; k < 64; k++)
			for (int w = 0; w < 2; w++) {
				unsigned int rd = k < 32 ? k : 5, rn = k < 32 ? 5 : k - 32;

				jf_arm64_logical(fresh(), logicals[i].op, w, rd, rn, 0xff0);
				reads("%s %s, %s, #0xff0", logicals[i].name, i == 3 ? z(w, rd) : s(w, rd), z(w, rn));
			}
		REFUSED(jf_arm64_logical(&code, logicals[i].op, true, 32, 0, 1));
		REFUSED(jf_arm64_logical(&code, logicals[i].op, true, 0, 32, 1));
		REFUSED(jf_arm64_logical(&code, logicals[i].op, true, 0, 0, 0));
		REFUSED(jf_arm64_logical(&code, logicals[i].op, true, 0, 0, UINT64_MAX));
		REFUSED(jf_arm64_logical(&code, logicals[i].op, false, 0, 0, UINT32_MAX));
		REFUSED(jf_arm64_logical(&code, logicals[i].op, false, 0, 0, UINT64_C(0x100000001)));
	}
	check_all();
}

/* ---- constants ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum jf_arm64_wide op;
} wides[] = {
	{"movz", JF_ARM64_MOVZ},
	{"movn", JF_ARM64_MOVN},
	{"movk", JF_ARM64_MOVK},
};

Test(insn_arm64, move_wide)
{
	static const uint32_t imms[] = {0, 1, 0x8000, 0xffff};

	for (size_t i = 0; i < COUNT(wides); i++) {
		for (unsigned int n = 0; n < 32; n++)
			for (int w = 0; w < 2; w++) {
				jf_arm64_wide(fresh(), wides[i].op, w, n, 0x1234, 16);
				reads("%s %s, #0x1234, lsl #16", wides[i].name, z(w, n));
			}
		for (size_t k = 0; k < COUNT(imms); k++)
			for (int w = 0; w < 2; w++)
				for (unsigned int shift = 0; shift < (w ? 64 : 32); shift += 16) {
					jf_arm64_wide(fresh(), wides[i].op, w, 3, imms[k], shift);
					reads("%s %s, #%u, lsl #%u", wides[i].name, z(w, 3), imms[k], shift);
				}
		REFUSED(jf_arm64_wide(&code, wides[i].op, true, 32, 0, 0));
		REFUSED(jf_arm64_wide(&code, wides[i].op, true, 0, 65536, 0));
		REFUSED(jf_arm64_wide(&code, wides[i].op, true, 0, 0, 64));
		REFUSED(jf_arm64_wide(&code, wides[i].op, true, 0, 0, 8));
		REFUSED(jf_arm64_wide(&code, wides[i].op, false, 0, 0, 32));
	}
	check_all();
}

/* Runs MOVZ, MOVN, MOVK and ORR immediate, on x9. */
static uint64_t run_constant(void)
{
	uint64_t x9 = 0xdeadbeefdeadbeef;

	for (size_t at = 0; at < code.size; at += 4) {
		uint32_t word = (uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8 | (uint32_t)bytes[at + 2] << 16 |
				(uint32_t)bytes[at + 3] << 24;
		bool is64 = word >> 31;
		uint64_t part = (uint64_t)(word >> 5 & 0xffff) << (word >> 17 & 0x30);

		cr_assert_eq(word & 31, 9u);
		switch (word & 0x7f800000) {
		case JF_ARM64_MOVZ: x9 = part; break;
		case JF_ARM64_MOVN: x9 = ~part; break;
		case JF_ARM64_MOVK: x9 = (x9 & ~(UINT64_C(0xffff) << (word >> 17 & 0x30))) | part; break;
		case JF_ARM64_ORRI: {
			size_t count = all_bitmasks(is64, masks);
			uint32_t fields;

			cr_assert_eq(word >> 5 & 31, 31u);
			for (size_t i = 0; i < count; i++)
				if (jf_arm64_fits_logical(is64, masks[i], &fields) && fields == (word & 0x7ffc00))
					x9 = masks[i];
			break;
		}
		default: cr_assert_fail("0x%08x is no part of a constant", word);
		}
		if (!is64)
			x9 &= UINT32_MAX;
	}
	return x9;
}

static void check_constant(uint64_t value)
{
	jf_arm64_mov_const(fresh(), 9, value);
	cr_assert_eq(code.status, JF_OK);
	cr_assert_eq(run_constant(), value, "0x%" PRIx64 " came out as 0x%" PRIx64, value, run_constant());
	cr_assert_eq(code.size / 4, jf_arm64_const_insns(value), "0x%" PRIx64, value);
	jf_arm64_mov_wide(fresh(), 9, value);
	cr_assert_eq(run_constant(), value, "0x%" PRIx64 ", wide", value);
	cr_assert_leq(code.size, 16u);
}

Test(insn_arm64, constants)
{
	static const uint64_t parts[] = {0, 1, 0x8000, 0xfffe, 0xffff};
	static const struct {
		uint64_t value;
		unsigned int insns;
	} known[] = {
		{0, 1},
		{UINT64_MAX, 1},
		{UINT32_MAX, 1},
		{0xffff, 1},
		{0x10000, 1},
		{0x12345678, 2},
		{0xfffffffe, 1},
		{0xffff1234, 1},
		{0x1234ffff, 1},
		{0xffffffff80000000, 1},
		{0xfffffffffffff000, 1},
		{0x5555555555555555, 1},
		{0xffffffff12345678, 2},
		{0x00007fff12345678, 3},
		{0x123456789abcdef0, 4},
		{0x0000ffff00000000, 1},
		{0xffff0000ffffffff, 1},
		{0xff00ff00ff00ff00, 1},
	};

	for (unsigned int i = 0; i < 625; i++)
		check_constant(parts[i % 5] | parts[i / 5 % 5] << 16 | parts[i / 25 % 5] << 32 | parts[i / 125] << 48);
	for (unsigned int bit = 0; bit < 64; bit++) {
		check_constant(UINT64_C(1) << bit);
		check_constant(~(UINT64_C(1) << bit));
		check_constant((UINT64_C(1) << bit) - 1);
		check_constant(UINT64_C(0x123456789abcdef0) >> bit);
	}
	for (size_t i = 0; i < COUNT(known); i++)
		cr_assert_eq(jf_arm64_const_insns(known[i].value), known[i].insns, "0x%" PRIx64, known[i].value);
	REFUSED(jf_arm64_mov_const(&code, 32, 1));
	REFUSED(jf_arm64_mov_const(&code, 32, 0x5555));
}

Test(insn_arm64, add_constant)
{
	static const struct {
		int64_t value;
		uint32_t words[2];
		size_t count;
	} known[] = {
		{0, {0}, 0},
		{16, {0x910043ff}, 1},
		{-16, {0xd10043ff}, 1},
		{4095, {0x913fffff}, 1},
		{4096, {0x914007ff}, 1},
		{-32752, {0xd1401fff, 0xd13fc3ff}, 2},
		{0xffffff, {0x917fffff, 0x913fffff}, 2},
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		jf_arm64_add_const(fresh(), JF_ARM64_SP, JF_ARM64_SP, known[i].value);
		cr_assert_eq(code.status, JF_OK);
		cr_assert_eq(code.size, 4 * known[i].count, "%" PRId64, known[i].value);
		for (size_t k = 0; k < known[i].count; k++) {
			uint32_t word;

			memcpy(&word, bytes + 4 * k, 4);
			cr_assert_eq(word, known[i].words[k], "%" PRId64 ": 0x%08x", known[i].value, word);
		}
	}
	jf_arm64_add_const(fresh(), 1, 2, 0);
	reads("mov x1, x2");
	cr_assert_eq(memcmp(bytes, "\x41\x00\x00\x91", 4), 0); /* add x1, x2, #0 */
	REFUSED(jf_arm64_add_const(&code, 0, 0, 0x1000001));
	REFUSED(jf_arm64_add_const(&code, 0, 0, -0x1000001));
	REFUSED(jf_arm64_add_const(&code, 0, 0, INT64_MIN));
}

/* ---- memory --------------------------------------------------------------------------------- */

static const struct ldst {
	const char *scaled, *unscaled;
	enum jf_arm64_ldst op;
	unsigned int shift;
	bool wide; /* names an x register */
} ldsts[] = {
	{"strb", "sturb", JF_ARM64_STR, 0, false},   {"ldrb", "ldurb", JF_ARM64_LDR, 0, false},
	{"ldrsb", "ldursb", JF_ARM64_LDRS, 0, true}, {"strh", "sturh", JF_ARM64_STR, 1, false},
	{"ldrh", "ldurh", JF_ARM64_LDR, 1, false},   {"ldrsh", "ldursh", JF_ARM64_LDRS, 1, true},
	{"str", "stur", JF_ARM64_STR, 2, false},     {"ldr", "ldur", JF_ARM64_LDR, 2, false},
	{"ldrsw", "ldursw", JF_ARM64_LDRS, 2, true}, {"str", "stur", JF_ARM64_STR, 3, true},
	{"ldr", "ldur", JF_ARM64_LDR, 3, true},
};

static void one_ldst(const unsigned int *r, void *arg)
{
	const struct ldst *of = arg;

	jf_arm64_ldst_scaled(fresh(), of->op, of->shift, r[0], r[1], 8);
	reads("%s %s, [%s, #8]", of->scaled, z(of->wide, r[0]), s(true, r[1]));
	jf_arm64_ldst_unscaled(fresh(), of->op, of->shift, r[0], r[1], -9);
	reads("%s %s, [%s, #-9]", of->unscaled, z(of->wide, r[0]), s(true, r[1]));
	jf_arm64_ldst_reg(fresh(), of->op, of->shift, r[0], r[1], r[2]);
	reads("%s %s, [%s, %s]", of->scaled, z(of->wide, r[0]), s(true, r[1]), z(true, r[2]));
}

Test(insn_arm64, loads_and_stores)
{
	for (size_t i = 0; i < COUNT(ldsts); i++) {
		const struct ldst *of = &ldsts[i];
		int64_t step = 1 << of->shift;

		each_register(3, one_ldst, (void *)of);
		for (unsigned int k = 0; k < 3; k++) {
			int64_t off = k == 0 ? 0 : k == 1 ? step : 4095 * step;

			jf_arm64_ldst_scaled(fresh(), of->op, of->shift, 1, 2, off);
			reads("%s %s, [x2, #%" PRId64 "]", of->scaled, z(of->wide, 1), off);
		}
		for (int off = -256; off < 256; off += off == -256 || off == 254 ? 1 : 51) {
			jf_arm64_ldst_unscaled(fresh(), of->op, of->shift, 1, 2, off);
			reads("%s %s, [x2, #%d]", of->unscaled, z(of->wide, 1), off);
		}
		REFUSED(jf_arm64_ldst_scaled(&code, of->op, of->shift, 32, 0, 0));
		REFUSED(jf_arm64_ldst_scaled(&code, of->op, of->shift, 0, 32, 0));
		REFUSED(jf_arm64_ldst_scaled(&code, of->op, of->shift, 0, 0, 4096 * step));
		REFUSED(jf_arm64_ldst_scaled(&code, of->op, of->shift, 0, 0, -step));
		if (step > 1)
			REFUSED(jf_arm64_ldst_scaled(&code, of->op, of->shift, 0, 0, step / 2));
		REFUSED(jf_arm64_ldst_unscaled(&code, of->op, of->shift, 32, 0, 0));
		REFUSED(jf_arm64_ldst_unscaled(&code, of->op, of->shift, 0, 32, 0));
		REFUSED(jf_arm64_ldst_unscaled(&code, of->op, of->shift, 0, 0, 256));
		REFUSED(jf_arm64_ldst_unscaled(&code, of->op, of->shift, 0, 0, -257));
		REFUSED(jf_arm64_ldst_reg(&code, of->op, of->shift, 32, 0, 0));
		REFUSED(jf_arm64_ldst_reg(&code, of->op, of->shift, 0, 32, 0));
		REFUSED(jf_arm64_ldst_reg(&code, of->op, of->shift, 0, 0, 32));
	}
	REFUSED(jf_arm64_ldst_scaled(&code, JF_ARM64_LDRS, 3, 0, 0, 0));
	REFUSED(jf_arm64_ldst_unscaled(&code, JF_ARM64_LDRS, 3, 0, 0, 0));
	REFUSED(jf_arm64_ldst_reg(&code, JF_ARM64_LDR, 4, 0, 0, 0));
	check_all();
}

static const struct pair {
	const char *format;
	enum jf_arm64_pair op;
} pairs[] = {
	{"stp %s, %s, [%s, #%d]", JF_ARM64_STP},
	{"stp %s, %s, [%s, #%d]!", JF_ARM64_STP_PRE},
	{"ldp %s, %s, [%s, #%d]", JF_ARM64_LDP},
	{"ldp %s, %s, [%s], #%d", JF_ARM64_LDP_POST},
};

static void pair_reads(const struct pair *of, bool fp, unsigned int rt, unsigned int rt2, unsigned int rn, int off)
{
	char text[64];

	snprintf(text, sizeof(text), of->format, fp ? named("d", rt) : z(true, rt), fp ? named("d", rt2) : z(true, rt2),
		 s(true, rn), off);
	jf_arm64_pair(fresh(), of->op, fp, rt, rt2, rn, off);
	reads("%s", text);
}

Test(insn_arm64, register_pairs)
{
	static const int offs[] = {-512, -504, -16, -8, 0, 8, 16, 504};

	for (size_t i = 0; i < COUNT(pairs); i++)
		for (int fp = 0; fp < 2; fp++) {
			for (unsigned int n = 0; n < 32; n++) {
				/* Write-back wants a base that is not loaded or stored. */
				pair_reads(&pairs[i], fp, n, n == 11 ? 12 : 11, 31, 16);
				pair_reads(&pairs[i], fp, n == 12 ? 11 : 12, n, 31, 16);
				pair_reads(&pairs[i], fp, n == 1 ? 3 : 1, n == 2 ? 3 : 2, n, 16);
			}
			for (size_t k = 0; k < COUNT(offs); k++)
				pair_reads(&pairs[i], fp, 19, 20, 31, offs[k]);
			REFUSED(jf_arm64_pair(&code, pairs[i].op, fp, 32, 0, 0, 0));
			REFUSED(jf_arm64_pair(&code, pairs[i].op, fp, 0, 32, 0, 0));
			REFUSED(jf_arm64_pair(&code, pairs[i].op, fp, 0, 0, 32, 0));
			REFUSED(jf_arm64_pair(&code, pairs[i].op, fp, 0, 0, 0, -520));
			REFUSED(jf_arm64_pair(&code, pairs[i].op, fp, 0, 0, 0, 512));
			REFUSED(jf_arm64_pair(&code, pairs[i].op, fp, 0, 0, 0, 4));
		}
	check_all();
}

static const struct {
	const char *name;
	enum jf_arm64_ordered op;
} ordereds[] = {
	{"ldxr", JF_ARM64_LDXR},
	{"ldaxr", JF_ARM64_LDAXR},
	{"ldar", JF_ARM64_LDAR},
	{"stlr", JF_ARM64_STLR},
};

Test(insn_arm64, ordered_accesses)
{
	static const char suffix[] = "bh";

	for (unsigned int shift = 0; shift < 4; shift++) {
		int letters = shift < 2;

		for (unsigned int k = 0; k < 64; k++) {
			unsigned int rt = k < 32 ? k : 3, rn = k < 32 ? 4 : k - 32;

			for (size_t i = 0; i < COUNT(ordereds); i++) {
				jf_arm64_ordered(fresh(), ordereds[i].op, shift, rt, rn);
				reads("%s%.*s %s, [%s]", ordereds[i].name, letters, suffix + (shift & 1),
				      z(shift == 3, rt), s(true, rn));
			}
			if (rt != 16 && rn != 16) {
				jf_arm64_store_exclusive(fresh(), JF_ARM64_STXR, shift, 16, rt, rn);
				reads("stxr%.*s w16, %s, [%s]", letters, suffix + (shift & 1), z(shift == 3, rt),
				      s(true, rn));
			}
			if (k < 32 && k != 5 && k != 6) {
				jf_arm64_store_exclusive(fresh(), JF_ARM64_STLXR, shift, k, 5, 6);
				reads("stlxr%.*s %s, %s, [x6]", letters, suffix + (shift & 1), z(false, k),
				      z(shift == 3, 5));
			}
		}
	}
	jf_arm64_dmb_ish(fresh());
	reads("dmb ish");
	REFUSED(jf_arm64_ordered(&code, JF_ARM64_LDXR, 4, 0, 0));
	REFUSED(jf_arm64_ordered(&code, JF_ARM64_LDXR, 3, 32, 0));
	REFUSED(jf_arm64_ordered(&code, JF_ARM64_LDXR, 3, 0, 32));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 4, 1, 2, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 32, 2, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 1, 32, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 1, 2, 32));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 1, 1, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 1, 2, 1));
	check_all();
}

static const struct {
	const char *name;
	enum jf_arm64_atomic op;
} atomics[] = {
	{"ldadd", JF_ARM64_LDADD},     {"ldclr", JF_ARM64_LDCLR},     {"ldeor", JF_ARM64_LDEOR},
	{"ldset", JF_ARM64_LDSET},     {"ldaddal", JF_ARM64_LDADDAL}, {"ldclral", JF_ARM64_LDCLRAL},
	{"ldeoral", JF_ARM64_LDEORAL}, {"ldsetal", JF_ARM64_LDSETAL}, {"swpal", JF_ARM64_SWPAL},
	{"casal", JF_ARM64_CASAL},
};

Test(insn_arm64, atomic_instructions)
{
	static const char suffix[] = "bh";

	for (unsigned int k = 0; k < 96; k++) {
		unsigned int rs = k < 32 ? k : 3, rt = k / 32 == 1 ? k - 32 : 4, rn = k < 64 ? 5 : k - 64,
			     shift = k % 4;

		for (size_t i = 0; i < COUNT(atomics); i++) {
			jf_arm64_atomic_insn(fresh(), atomics[i].op, shift, rs, rt, rn);
			reads("%s%.*s %s, %s, [%s]", atomics[i].name, shift < 2, suffix + (shift & 1),
			      z(shift == 3, rs), z(shift == 3, rt), s(true, rn));
		}
	}
	REFUSED(jf_arm64_atomic_insn(&code, JF_ARM64_SWPAL, 4, 1, 2, 3));
	REFUSED(jf_arm64_atomic_insn(&code, JF_ARM64_SWPAL, 3, 32, 2, 3));
	REFUSED(jf_arm64_atomic_insn(&code, JF_ARM64_SWPAL, 3, 1, 32, 3));
	REFUSED(jf_arm64_atomic_insn(&code, JF_ARM64_SWPAL, 3, 1, 2, 32));
	/* They are newer than Capstone 4. */
	mc_check_assembles(TRIPLE, FEATURES, cases, case_count);
}

/* ---- branches and system -------------------------------------------------------------------- */

Test(insn_arm64, jumps_and_calls)
{
	static const int32_t offs[] = {0, 4, -4, 0x7fffffc, -0x8000000};

	for (int link = 0; link < 2; link++) {
		for (size_t i = 0; i < COUNT(offs); i++) {
			jf_arm64_b(fresh(), link, offs[i]);
			reads("%s #%d", link ? "bl" : "b", offs[i]);
		}
		REFUSED(jf_arm64_b(&code, link, 0x8000000));
		REFUSED(jf_arm64_b(&code, link, -0x8000004));
		REFUSED(jf_arm64_b(&code, link, 2));
		REFUSED(jf_arm64_b(&code, link, INT64_MIN));
	}
	for (unsigned int n = 0; n < 32; n++) {
		jf_arm64_branch_reg(fresh(), JF_ARM64_BR, n);
		reads("br %s", z(true, n));
		jf_arm64_branch_reg(fresh(), JF_ARM64_BLR, n);
		reads("blr %s", z(true, n));
		jf_arm64_branch_reg(fresh(), JF_ARM64_RET, n);
		reads("ret %s", z(true, n));
	}
	REFUSED(jf_arm64_branch_reg(&code, JF_ARM64_BR, 32));
	check_all();
}

Test(insn_arm64, conditional_branches)
{
	static const char *const conds[] = {"eq", "ne", "hs", "lo", "mi", "pl", "vs",
					    "vc", "hi", "ls", "ge", "lt", "gt", "le"};
	static const int32_t offs[] = {0, 4, -4, 0xffffc, -0x100000};

	for (unsigned int cond = 0; cond < COUNT(conds); cond++)
		for (size_t i = 0; i < COUNT(offs); i++) {
			jf_arm64_b_cond(fresh(), (enum jf_arm64_cond)cond, offs[i]);
			reads("b.%s #%d", conds[cond], offs[i]);
		}
	for (int nonzero = 0; nonzero < 2; nonzero++)
		for (int w = 0; w < 2; w++) {
			for (unsigned int n = 0; n < 32; n++) {
				jf_arm64_cbz(fresh(), nonzero, w, n, 8);
				reads("%s %s, #8", nonzero ? "cbnz" : "cbz", z(w, n));
			}
			for (size_t i = 0; i < COUNT(offs); i++) {
				jf_arm64_cbz(fresh(), nonzero, w, 7, offs[i]);
				reads("%s %s, #%d", nonzero ? "cbnz" : "cbz", z(w, 7), offs[i]);
			}
		}
	REFUSED(jf_arm64_b_cond(&code, (enum jf_arm64_cond)16, 0));
	REFUSED(jf_arm64_b_cond(&code, JF_ARM64_EQ, 0x100000));
	REFUSED(jf_arm64_b_cond(&code, JF_ARM64_EQ, -0x100004));
	REFUSED(jf_arm64_b_cond(&code, JF_ARM64_EQ, 1));
	REFUSED(jf_arm64_cbz(&code, true, true, 32, 0));
	REFUSED(jf_arm64_cbz(&code, true, true, 0, 0x100000));
	REFUSED(jf_arm64_cbz(&code, true, true, 0, -0x100004));
	REFUSED(jf_arm64_cbz(&code, true, true, 0, 2));
	check_all();
}

/* A branch put down before its target is known. */
Test(insn_arm64, branches_filled_in_later)
{
	static uint8_t room[(1 << 20) + 8];
	struct jf_code far;

	jf_arm64_cbz(fresh(), true, true, 9, 0);
	jf_arm64_hint(&code, JF_ARM64_NOP);
	jf_arm64_lands_here(&code, 0);
	code.size = 4;
	reads("cbnz x9, #8");
	jf_arm64_b_cond(fresh(), JF_ARM64_HS, 0);
	jf_arm64_lands_here(&code, 0);
	reads("b.hs #4");
	check_all();

	jf_code_init(&far, room, sizeof(room), 0, NULL, 0);
	jf_arm64_b_cond(&far, JF_ARM64_HS, 0);
	far.size = (1 << 20) - 4;
	jf_arm64_lands_here(&far, 0);
	cr_expect_eq(far.status, JF_OK);
	cr_expect(room[0] == 0xe2 && room[1] == 0xff && room[2] == 0x7f && room[3] == 0x54);
	far.size = 1 << 20;
	jf_arm64_lands_here(&far, 0);
	cr_expect_eq(far.status, JF_E_RANGE);
	room[0] = 0;
	jf_arm64_lands_here(&far, 0); /* after a failure nothing is written */
	cr_expect_eq(room[0], 0);
}

Test(insn_arm64, bit_test_branches)
{
	static const int32_t offs[] = {0, 4, -4, 0x7ffc, -0x8000};

	for (int nonzero = 0; nonzero < 2; nonzero++) {
		const char *name = nonzero ? "tbnz" : "tbz";

		for (unsigned int n = 0; n < 32; n++) {
			jf_arm64_tbz(fresh(), nonzero, n, 5, 8);
			reads("%s %s, #5, #8", name, z(false, n));
		}
		for (unsigned int bit = 0; bit < 64; bit++) {
			jf_arm64_tbz(fresh(), nonzero, 9, bit, 8);
			reads("%s %s, #%u, #8", name, z(bit > 31, 9), bit);
		}
		for (size_t i = 0; i < COUNT(offs); i++) {
			jf_arm64_tbz(fresh(), nonzero, 9, 63, offs[i]);
			reads("%s x9, #63, #%d", name, offs[i]);
		}
	}
	REFUSED(jf_arm64_tbz(&code, true, 32, 0, 0));
	REFUSED(jf_arm64_tbz(&code, true, 0, 64, 0));
	REFUSED(jf_arm64_tbz(&code, true, 0, 0, 0x8000));
	REFUSED(jf_arm64_tbz(&code, true, 0, 0, -0x8004));
	REFUSED(jf_arm64_tbz(&code, true, 0, 0, 2));
	check_all();
}

Test(insn_arm64, system)
{
	static const struct {
		const char *name;
		enum jf_arm64_hint hint;
	} hints[] = {
		{"nop", JF_ARM64_NOP},     {"paciasp", JF_ARM64_PACIASP}, {"autiasp", JF_ARM64_AUTIASP},
		{"bti c", JF_ARM64_BTI_C}, {"bti j", JF_ARM64_BTI_J},     {"bti jc", JF_ARM64_BTI_JC},
	};

	for (size_t i = 0; i < COUNT(hints); i++) {
		jf_arm64_hint(fresh(), hints[i].hint);
		reads("%s", hints[i].name);
	}
	for (unsigned int n = 0; n < 32; n++) {
		jf_arm64_mrs(fresh(), n, JF_ARM64_TPIDR_EL0);
		reads("mrs %s, TPIDR_EL0", z(true, n));
		jf_arm64_mrs(fresh(), n, JF_ARM64_TPIDR_EL1);
		reads("mrs %s, TPIDR_EL1", z(true, n));
		jf_arm64_adrp(fresh(), n, 1);
		reads("adrp %s, #4096", z(true, n));
	}
	for (int k = 0; k < 5; k++) {
		static const int64_t pages[] = {0, -1, 3, 0xfffff, -0x100000};

		jf_arm64_adrp(fresh(), 1, pages[k]);
		reads("adrp x1, #%" PRId64, pages[k] * 4096);
	}
	REFUSED(jf_arm64_hint(&code, (enum jf_arm64_hint)128));
	REFUSED(jf_arm64_mrs(&code, 32, JF_ARM64_TPIDR_EL0));
	REFUSED(jf_arm64_mrs(&code, 0, (enum jf_arm64_sysreg)0x8000));
	REFUSED(jf_arm64_adrp(&code, 32, 0));
	REFUSED(jf_arm64_adrp(&code, 0, 0x100000));
	REFUSED(jf_arm64_adrp(&code, 0, -0x100001));
	check_all();
}
