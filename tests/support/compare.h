/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SUPPORT_COMPARE_H
#define JF_TESTS_SUPPORT_COMPARE_H

#include <jitframe/effect.h>

/* What a decoder's questions (struct jf_compare) mean for numbers that are known. */

/* Two numbers that have been compared. */
struct compared {
	bool known;
	bool masked; /* by AND, which tells nothing of an order without signs */
	uint8_t bytes;
	uint64_t first, second;
};

/* The low `bytes` bytes, extended; 0 and 8 are all of them. */
static inline uint64_t compare_extend(uint64_t value, unsigned int bytes, bool sign)
{
	unsigned int gone = 64 - 8 * bytes;

	if (bytes == 0 || bytes >= 8)
		return value;
	return sign ? (uint64_t)((int64_t)(value << gone) >> gone) : value << gone >> gone;
}

static inline bool compare_holds(const struct compared *c, uint8_t cond)
{
	uint64_t first = compare_extend(c->first, c->bytes, false), second = compare_extend(c->second, c->bytes, false);
	int64_t sfirst = (int64_t)compare_extend(c->first, c->bytes, true),
		ssecond = (int64_t)compare_extend(c->second, c->bytes, true);

	switch (cond) {
	case JF_COND_EQ: return first == second;
	case JF_COND_NE: return first != second;
	case JF_COND_GT: return first > second;
	case JF_COND_GE: return first >= second;
	case JF_COND_LT: return first < second;
	case JF_COND_LE: return first <= second;
	case JF_COND_SGT: return sfirst > ssecond;
	case JF_COND_SGE: return sfirst >= ssecond;
	case JF_COND_SLT: return sfirst < ssecond;
	case JF_COND_SLE: return sfirst <= ssecond;
	default: return first & second;
	}
}

/* What `c` compares, with the numbers that its registers have; flags: what the condition flags have held before. */
static inline struct compared compare_numbers(const struct jf_compare *c, uint64_t a, uint64_t b, struct compared flags)
{
	struct compared with = {.known = true, .bytes = c->bytes, .first = c->a == JF_REG_NONE ? 0 : a};

	with.second = c->b == JF_REG_NONE ? (uint64_t)c->imm : b;
	switch (c->kind) {
	case JF_COMPARE_FLAGS: return flags;
	case JF_COMPARE_WITH: return with;
	case JF_COMPARE_AND: return (struct compared){true, true, c->bytes, with.first & with.second, 0};
	case JF_COMPARE_TRUTH: return (struct compared){true, false, 8, compare_holds(&with, c->cond), 0};
	default: return (struct compared){.known = false};
	}
}

/* Whether it can be told if `cond` holds. */
static inline bool compare_tells(const struct compared *c, uint8_t cond)
{
	return c->known && !(c->masked && cond >= JF_COND_GT && cond <= JF_COND_LE);
}

#endif
