/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_STEPS_X86_64_H
#define JF_TESTS_STEPS_X86_64_H

#include <criterion/criterion.h>
#include <jitframe/effect.h>
#include <string.h>

#include "forms.h"

/* What an instruction should do, step by step, and what the decoder says of the one in `code`. */

#define NO   JF_REG_NONE
#define TEMP RIP /* values of a moment, in the decoder's steps */

static uint8_t bytes[64];
static struct jf_code code;
static struct jf_effect effect; /* of what was emitted last */

static void begin(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), 0x1000, NULL, 0);
}

/* ---- steps that are wanted ------------------------------------------------------------------------ */

static struct jf_step step(enum jf_step_kind kind, unsigned int dst, unsigned int a, unsigned int b, unsigned int size)
{
	return (struct jf_step){.kind = (uint8_t)kind,
				.dst = (uint8_t)dst,
				.a = (uint8_t)a,
				.b = (uint8_t)b,
				.c = NO,
				.bytes = (uint8_t)size};
}

static struct jf_step with_imm(struct jf_step s, int64_t imm)
{
	s.imm = imm;
	return s;
}

static struct jf_step kill(unsigned int reg)
{
	return step(JF_STEP_KILL, reg, NO, NO, 0);
}

static struct jf_step constant(unsigned int dst, int64_t imm)
{
	return with_imm(step(JF_STEP_MOVE, dst, NO, NO, 0), imm);
}

static struct jf_step extend(unsigned int dst, unsigned int a, unsigned int size, bool sign)
{
	struct jf_step s = step(JF_STEP_EXTEND, dst, a, NO, size);

	s.sign = sign;
	return s;
}

static struct jf_step move(unsigned int dst, unsigned int a, bool w)
{
	return w ? step(JF_STEP_MOVE, dst, a, NO, 0) : extend(dst, a, 4, false);
}

static struct jf_step access(enum jf_step_kind kind, struct mem m, unsigned int dst, unsigned int c, unsigned int size)
{
	struct jf_step s = with_imm(step(kind, dst, m.base, m.index == NO_INDEX ? NO : m.index, size), m.disp);

	s.c = (uint8_t)c;
	s.shift = m.index == NO_INDEX ? 0 : m.scale;
	return s;
}

static struct jf_step load(unsigned int dst, struct mem m, unsigned int size)
{
	return access(JF_STEP_LOAD, m, dst, NO, size);
}

static struct jf_step store(struct mem m, unsigned int c, unsigned int size)
{
	return access(JF_STEP_STORE, m, NO, c, size);
}

static struct jf_step load_signed(unsigned int dst, struct mem m, unsigned int size)
{
	struct jf_step s = load(dst, m, size);

	s.sign = true;
	return s;
}

/* ---- comparing ------------------------------------------------------------------------------------ */

static bool same(const struct jf_step *a, const struct jf_step *b)
{
	return a->kind == b->kind && a->dst == b->dst && a->a == b->a && a->b == b->b && a->c == b->c &&
	       a->bytes == b->bytes && a->shift == b->shift && a->bits == b->bits && a->sign == b->sign &&
	       a->imm == b->imm;
}

/* Takes what was emitted: one instruction of that name and those steps. */
static void is(const char *name, const struct jf_step *steps, size_t count)
{
	if (jf_code_finish(&code) != JF_OK || jf_decode(&jf_x86_64_backend, bytes, code.size, &effect) != JF_OK)
		cr_assert_fail("%s", name);
	if (effect.size_bytes != code.size || strcmp(effect.name, name) != 0 || effect.step_count != count)
		cr_assert_fail("%s: %s of %u bytes and %u steps, not %zu and %zu", name, effect.name, effect.size_bytes,
			       effect.step_count, code.size, count);
	for (size_t i = 0; i < count; i++)
		if (!same(&effect.steps[i], &steps[i]))
			cr_assert_fail("%s: step %zu of code %02x %02x %02x %02x", name, i, bytes[0], bytes[1],
				       bytes[2], bytes[3]);
	begin();
}

#define IS(name, ...)                                                                \
	do {                                                                         \
		const struct jf_step wanted[] = {__VA_ARGS__};                       \
		is(name, wanted, LEN(wanted));                                       \
		cr_assert(effect.flow == JF_FLOW_NEXT && !effect.flags, "%s", name); \
	} while (0)

/* By the flags, or by those of them that the decoder does not tell. */
static void chooses(const char *name, uint8_t cond, struct jf_step step)
{
	IS(name, step);
	if (cond == JF_COND__COUNT)
		cr_assert_eq(effect.asks.kind, JF_COMPARE_UNKNOWN, "%s", name);
	else
		cr_assert(effect.asks.kind == JF_COMPARE_FLAGS && effect.asks.cond == cond, "%s", name);
}

/* Without steps, and where it goes on. */
static void flows(const char *name, enum jf_flow flow, unsigned int reg, int64_t target_off)
{
	is(name, NULL, 0);
	if (effect.flow != flow || effect.flow_reg != reg || effect.target_off != target_off || effect.flags)
		cr_assert_fail("%s: flow %u, register %u, to %lld", name, effect.flow, effect.flow_reg,
			       (long long)effect.target_off);
}

static void flagged(const char *name, unsigned int flags)
{
	is(name, NULL, 0);
	cr_assert(effect.flow == JF_FLOW_NEXT && effect.flags == flags, "%s", name);
}

#endif
