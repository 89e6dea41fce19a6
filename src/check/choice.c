/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/choice.h"

#include <stdio.h>

/*
 * Into a main program comes a tail-call count or the address of one, and the program tells them apart by their size.
 * What is computed from that test is followed in both cases side by side: a value is what it is for a count, and what
 * it is for an address.
 */

enum part {
	PART_OTHER,
	PART_CONST,
	PART_SLOT, /* the address of this frame's count */
	PART_CAME, /* what came in, in the count's register */
	PART_KEPT, /* the same, from the count's slot */
};

#define ADDRESS_MIN 4096 /* no memory is mapped below */

/* ---- values with two parts ------------------------------------------------------------------------------ */

/* What came in: which of both it is decides what is right. */
static bool is_undecided_count(const struct stack_map *map, const struct value *value)
{
	if (map->count_by_value || !map->tcc || value->imm || value->ext)
		return false;
	return value->kind == VALUE_COUNT || (value->kind == VALUE_SLOT && (int32_t)value->def == map->tcc);
}

static enum part part_of(const struct stack_map *map, const struct value *value)
{
	if (value->kind == VALUE_CONST && value->imm == (int32_t)value->imm)
		return PART_CONST;
	if (value_is_cfa(value, map->tcc))
		return PART_SLOT;
	if (!is_undecided_count(map, value))
		return PART_OTHER;
	return value->kind == VALUE_COUNT ? PART_CAME : PART_KEPT;
}

static struct value whole_of(enum part part, int32_t imm, uint32_t tcc)
{
	switch (part) {
	case PART_CONST: return value_const(imm);
	case PART_SLOT: return value_cfa((int32_t)tcc);
	case PART_CAME: return (struct value){.kind = VALUE_COUNT};
	case PART_KEPT: return (struct value){.kind = VALUE_SLOT, .def = tcc};
	default: return (struct value){.kind = VALUE_UNKNOWN, .def = DEF_JOIN};
	}
}

struct value value_part(const struct value *value, enum way way)
{
	if (value->kind != VALUE_CHOSEN)
		return *value;
	return whole_of((enum part)(value->reg >> 4 * way & 15), (int32_t)((uint64_t)value->imm >> 32 * way),
			value->def);
}

struct value value_chosen(const struct stack_map *map, const struct value parts[WAY__COUNT])
{
	enum part count = part_of(map, &parts[WAY_COUNT]), address = part_of(map, &parts[WAY_ADDRESS]);
	struct value value = {.kind = VALUE_CHOSEN, .reg = (uint8_t)(count | address << 4), .def = (uint32_t)map->tcc};

	if (value_same(&parts[WAY_COUNT], &parts[WAY_ADDRESS]))
		return parts[WAY_COUNT];
	if (count == PART_SLOT && (address == PART_CAME || address == PART_KEPT))
		return (struct value){.kind = VALUE_COUNT, .imm = 1};
	if (count == PART_CONST)
		value.imm = (int64_t)(uint32_t)parts[WAY_COUNT].imm;
	if (address == PART_CONST)
		value.imm |= (int64_t)((uint64_t)parts[WAY_ADDRESS].imm << 32);
	return value;
}

bool value_has_part(const struct stack_map *map, const struct value *a, enum way way, const struct value *b)
{
	struct value part = value_part(a, way);

	if (a->kind == VALUE_COUNT && a->imm && !map->count_by_value)
		return way == WAY_COUNT ? value_is_cfa(b, map->tcc) : is_undecided_count(map, b);
	return a->kind == VALUE_CHOSEN && value_same(&part, b);
}

bool value_joins_ways(const struct stack_map *map, const struct value *a, enum way way, const struct value *b,
		      struct value *joined)
{
	struct value parts[WAY__COUNT] = {*b, *b};

	if (part_of(map, a) == PART_OTHER || part_of(map, b) == PART_OTHER)
		return false;
	parts[way] = *a;
	*joined = value_chosen(map, parts);
	return true;
}

static void part_text(const struct value *value, enum way way, char *text, size_t capacity)
{
	struct value part = value_part(value, way);

	switch ((enum part)(value->reg >> 4 * way & 15)) {
	case PART_CONST: snprintf(text, capacity, "%d", (int32_t)part.imm); break;
	case PART_SLOT: snprintf(text, capacity, "CFA%+d", (int32_t)value->def); break;
	case PART_CAME:
	case PART_KEPT: snprintf(text, capacity, "what came in"); break;
	default: snprintf(text, capacity, "something else");
	}
}

void value_chosen_text(const struct value *value, char *text, size_t capacity)
{
	char count[16], address[16];

	part_text(value, WAY_COUNT, count, sizeof(count));
	part_text(value, WAY_ADDRESS, address, sizeof(address));
	snprintf(text, capacity, "%s for a count, %s for an address", count, address);
}

/* ---- questions ------------------------------------------------------------------------------------------- */

/* Does not tell: the operands are not known. Goes both ways: they are, and there are such and such among them. */
enum answer { ANSWER_NO, ANSWER_YES, ANSWER_BOTH, ANSWER_UNTOLD };

struct range {
	uint64_t low, high;
	bool told;
};

static struct range range_of(const struct stack_map *map, const struct value *value, enum way way, unsigned int bytes,
			     bool sign)
{
	struct value part = value_part(value, way), low;
	uint64_t top = sign ? UINT64_C(1) << 63 : 0; /* turns signed order into unsigned */

	if (part.kind == VALUE_CONST) {
		low = value_extend(part, bytes, sign, 0, JF_REG_NONE);
		return (struct range){(uint64_t)low.imm ^ top, (uint64_t)low.imm ^ top, true};
	}
	if (value->kind == VALUE_CHOSEN && part.kind == VALUE_UNKNOWN) /* chosen wrongly already */
		return (struct range){0, UINT64_MAX, true};
	if (part.kind == VALUE_CFA && !sign)
		return (struct range){bytes < 8 ? 0 : ADDRESS_MIN, UINT64_MAX, true};
	if (!is_undecided_count(map, &part) || (way == WAY_ADDRESS && sign))
		return (struct range){.told = false};
	if (way == WAY_COUNT)
		return (struct range){top, top + JF_TAIL_CALLS_MAX, true};
	return (struct range){bytes < 8 ? 0 : ADDRESS_MIN, bytes < 8 ? UINT32_MAX : UINT64_MAX, true};
}

static enum answer if_less(struct range a, struct range b, bool or_equal)
{
	if (or_equal ? a.high <= b.low : a.high < b.low)
		return ANSWER_YES;
	return (or_equal ? a.low > b.high : a.low >= b.high) ? ANSWER_NO : ANSWER_BOTH;
}

static enum answer if_equal(struct range a, struct range b)
{
	if (a.high < b.low || b.high < a.low)
		return ANSWER_NO;
	return a.low == a.high && b.low == b.high ? ANSWER_YES : ANSWER_BOTH;
}

static enum answer opposite(enum answer answer)
{
	return answer == ANSWER_NO ? ANSWER_YES : answer == ANSWER_YES ? ANSWER_NO : answer;
}

static enum answer answer_on(const struct stack_map *map, const struct question *q, uint8_t cond, enum way way)
{
	bool sign = cond >= JF_COND_SGT && cond <= JF_COND_SLE, order = cond >= JF_COND_GT && cond <= JF_COND_LE;
	struct range a, b;

	if (!q->is_known || (q->masked && order) || cond >= JF_COND_SET)
		return ANSWER_UNTOLD;
	a = range_of(map, &q->first, way, q->bytes, sign);
	b = range_of(map, &q->second, way, q->bytes, sign);
	if (!a.told || !b.told)
		return ANSWER_UNTOLD;
	switch (cond) {
	case JF_COND_EQ: return if_equal(a, b);
	case JF_COND_NE: return opposite(if_equal(a, b));
	case JF_COND_GT:
	case JF_COND_SGT: return if_less(b, a, false);
	case JF_COND_GE:
	case JF_COND_SGE: return if_less(b, a, true);
	case JF_COND_LT:
	case JF_COND_SLT: return if_less(a, b, false);
	default: return if_less(a, b, true);
	}
}

const struct question choice_of_nothing = {.is_known = true,
					   .first = {.kind = VALUE_UNKNOWN, .def = DEF_JOIN},
					   .second = {.kind = VALUE_UNKNOWN, .def = DEF_JOIN}};

static struct value operand(const struct state *state, uint8_t reg, int64_t imm)
{
	return reg == JF_REG_NONE ? value_const(imm) : state->regs[reg];
}

static struct question truth_of(const struct stack_map *map, const struct question *with, uint8_t cond)
{
	struct value parts[WAY__COUNT];

	for (enum way way = 0; way < WAY__COUNT; way++) {
		enum answer answer = answer_on(map, with, cond, way);

		if (answer != ANSWER_NO && answer != ANSWER_YES)
			return (struct question){.is_known = false};
		parts[way] = value_const(answer == ANSWER_YES);
	}
	return (struct question){true, false, 8, value_chosen(map, parts), value_const(0)};
}

struct question choice_question(const struct checker *c, const struct state *state, const struct jf_compare *compare)
{
	struct question with = {.is_known = false};

	if (compare->kind == JF_COMPARE_FLAGS)
		return c->flags_hold;
	if (compare->kind == JF_COMPARE_UNKNOWN)
		return with;
	with = (struct question){true, compare->kind == JF_COMPARE_AND, compare->bytes, operand(state, compare->a, 0),
				 operand(state, compare->b, compare->imm)};
	if (compare->kind == JF_COMPARE_TRUTH)
		return truth_of(&c->map, &with, compare->cond);
	if (compare->kind == JF_COMPARE_AND) {
		with.is_known = with.first.kind == VALUE_CONST && with.second.kind == VALUE_CONST;
		with.first.imm &= with.second.imm;
		with.second = value_const(0);
	}
	return with;
}

enum way choice_of_branch(const struct checker *c, const struct state *state)
{
	struct question asked = choice_question(c, state, &c->effect.asks);
	enum answer count = answer_on(&c->map, &asked, c->effect.asks.cond, WAY_COUNT);
	enum answer address = answer_on(&c->map, &asked, c->effect.asks.cond, WAY_ADDRESS);

	if (count == ANSWER_YES && address == ANSWER_NO)
		return WAY_COUNT;
	return count == ANSWER_NO && address == ANSWER_YES ? WAY_ADDRESS : WAY__COUNT;
}

/* By a question that nobody can tell: one of both, which is of interest where one is the address of the count. */
static struct value either(const struct checker *c, const struct question *asked, const struct value *yes,
			   const struct value *no, uint8_t reg)
{
	if (!asked->is_known && (part_of(&c->map, yes) == PART_SLOT || part_of(&c->map, no) == PART_SLOT))
		return (struct value){.kind = VALUE_LOST};
	return value_unknown(c->off, reg);
}

struct value choice_made(const struct checker *c, const struct question *asked, const struct jf_step *step,
			 const struct value options[2])
{
	struct value parts[WAY__COUNT];

	for (enum way way = 0; way < WAY__COUNT; way++) {
		struct value yes = value_part(&options[0], way), no = value_part(&options[1], way);
		enum answer answer =
			value_same(&yes, &no) ? ANSWER_YES : answer_on(&c->map, asked, c->effect.asks.cond, way);

		if (answer == ANSWER_UNTOLD)
			return either(c, asked, &yes, &no, step->dst);
		parts[way] = answer == ANSWER_YES ? yes : answer == ANSWER_NO ? no : value_unknown(c->off, step->dst);
	}
	return value_chosen(&c->map, parts);
}
