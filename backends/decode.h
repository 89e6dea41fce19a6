/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKENDS_DECODE_H
#define JF_BACKENDS_DECODE_H

/*
 * What decoders share: rows of tables, fields of instruction words, and steps. A zero register is JF_REG_NONE here:
 * what is said of it is said without it, or not at all.
 */
#include <assert.h>

#include <jitframe/effect.h>

/*
 * Bytes in memory or, of an operation, of the result; and how the result is extended to 64 bits. One bit is left to the
 * decoder: struct jf_step does not get it.
 */
enum width {
	SIGNED = 0x80,
	WIDTH_OWN = 0x40,
	S8 = 1 | SIGNED,
	S16 = 2 | SIGNED,
	S32 = 4 | SIGNED,
	U8 = 1,
	U16 = 2,
	U32 = 4,
	U64 = 8,
	U128 = 16,
	U256 = 32,
};

/* Words with (word & mask) == value are this instruction. */
struct jf_decode_row {
	uint32_t mask, value;
	const char *name; /* never an alias of another's */
	uint8_t format;   /* how the fields become steps: the decoder's own enum */
	uint8_t kind;     /* enum jf_step_kind or jf_cond, where the format leaves it open */
	uint8_t width;    /* enum width, likewise */
};

/* ---- words --------------------------------------------------------------------------------------- */

static inline uint32_t word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Bits high..low of a word. */
static inline unsigned int word_bits(uint32_t word, unsigned int high, unsigned int low)
{
	return word >> low & (UINT32_MAX >> (31 - high + low));
}

static inline int64_t word_signed(uint32_t word, unsigned int high, unsigned int low)
{
	return (int64_t)((uint64_t)word << (63 - high)) >> (63 - high + low);
}

/* ---- steps --------------------------------------------------------------------------------------- */

/* dst = a OP what the caller puts in: b or imm. */
static inline struct jf_step *put_step(struct jf_effect *effect, unsigned int kind, unsigned int dst, unsigned int a,
				       unsigned int width)
{
	struct jf_step *step = &effect->steps[effect->step_count];

	assert(effect->step_count < JF_EFFECT_STEPS_MAX);
	effect->step_count++;
	*step = (struct jf_step){.kind = (uint8_t)kind, .dst = (uint8_t)dst, .a = (uint8_t)a};
	step->b = JF_REG_NONE;
	step->c = JF_REG_NONE;
	step->bytes = (uint8_t)(width & ~(unsigned int)(SIGNED | WIDTH_OWN));
	step->sign = width & SIGNED;
	return step;
}

static inline struct jf_step *put_imm(struct jf_effect *effect, unsigned int kind, unsigned int dst, unsigned int a,
				      int64_t imm, unsigned int width)
{
	struct jf_step *step = put_step(effect, kind, dst, a, width);

	step->imm = imm;
	return step;
}

static inline void put_kill(struct jf_effect *effect, unsigned int dst)
{
	if (dst != JF_REG_NONE)
		put_step(effect, JF_STEP_KILL, dst, JF_REG_NONE, 0);
}

/* dst = value, as a result of that width. */
static inline void put_constant(struct jf_effect *effect, unsigned int dst, int64_t value, unsigned int width)
{
	if (width == S32)
		value = (int32_t)value;
	else if (width == U32)
		value = (uint32_t)value;
	put_imm(effect, JF_STEP_MOVE, dst, JF_REG_NONE, value, 0);
}

/* dst = a, as a result of that width. */
static inline void put_copy(struct jf_effect *effect, unsigned int dst, unsigned int a, unsigned int width)
{
	if (a == JF_REG_NONE)
		put_constant(effect, dst, 0, width);
	else if (width == U64)
		put_step(effect, JF_STEP_MOVE, dst, a, 0);
	else
		put_step(effect, JF_STEP_EXTEND, dst, a, width);
}

/* dst = a where `asks` holds, else b + imm. */
static inline void put_choice(struct jf_effect *effect, struct jf_compare asks, unsigned int dst, unsigned int a,
			      unsigned int b, int64_t imm, unsigned int width)
{
	struct jf_step *step = put_imm(effect, JF_STEP_CHOOSE, dst, a, imm, width);

	step->b = (uint8_t)b;
	effect->asks = asks;
}

/* dst = 1 where `asks` does not hold, else 0. */
static inline void put_failure(struct jf_effect *effect, struct jf_compare asks, unsigned int dst)
{
	put_choice(effect, asks, dst, JF_REG_NONE, JF_REG_NONE, 1, U64);
}

/* dst = 0 where a is `cond` to b, or to imm where b is JF_REG_NONE, else 1. */
static inline void put_unless(struct jf_effect *effect, uint8_t cond, unsigned int dst, unsigned int a, unsigned int b,
			      int64_t imm, unsigned int width)
{
	put_failure(effect, (struct jf_compare){JF_COMPARE_WITH, cond, (uint8_t)a, (uint8_t)b, (uint8_t)width, imm},
		    dst);
}

/* dst = 0 where `tested` is `cond` to 0, else a. */
static inline void put_mask(struct jf_effect *effect, uint8_t cond, unsigned int dst, unsigned int a,
			    unsigned int tested, unsigned int width)
{
	put_choice(effect, (struct jf_compare){JF_COMPARE_WITH, cond, (uint8_t)tested, JF_REG_NONE, (uint8_t)width, 0},
		   dst, JF_REG_NONE, a, 0, width);
}

static inline bool keeps_the_other(unsigned int kind)
{
	return kind == JF_STEP_ADD || kind == JF_STEP_OR || kind == JF_STEP_XOR;
}

/* dst = a OP imm, as short as can be said. */
static inline void put_alu_imm(struct jf_effect *effect, unsigned int kind, unsigned int dst, unsigned int a,
			       int64_t imm, unsigned int width)
{
	if (a == JF_REG_NONE && kind == JF_STEP_SUB)
		put_constant(effect, dst, -imm, width);
	else if (a == JF_REG_NONE)
		put_constant(effect, dst, keeps_the_other(kind) ? imm : 0, width);
	else if (imm == 0)
		put_copy(effect, dst, kind == JF_STEP_AND ? JF_REG_NONE : a, width);
	else
		put_imm(effect, kind, dst, a, imm, width);
}

/* dst = a OP b */
static inline void put_alu(struct jf_effect *effect, unsigned int kind, unsigned int dst, unsigned int a,
			   unsigned int b, unsigned int width)
{
	if (b == JF_REG_NONE) {
		put_alu_imm(effect, kind, dst, a, 0, width);
	} else if (a == JF_REG_NONE && kind == JF_STEP_SUB) {
		put_imm(effect, JF_STEP_XOR, dst, b, -1, width);
		put_imm(effect, JF_STEP_ADD, dst, dst, 1, width);
	} else if (a == JF_REG_NONE) {
		put_copy(effect, dst, keeps_the_other(kind) ? b : JF_REG_NONE, width);
	} else {
		put_step(effect, kind, dst, a, width)->b = (uint8_t)b;
	}
}

/* base + (index << shift) + off; without registers outside of the stack. */
struct jf_decode_address {
	unsigned int base, index, shift;
	int64_t off;
};

/* One access of at most 8 bytes. data: JF_REG_NONE when the value is none that a register of the table has. */
static inline void put_access(struct jf_effect *effect, unsigned int kind, unsigned int data, unsigned int width,
			      const struct jf_decode_address *address)
{
	struct jf_step *step = put_imm(effect, kind, JF_REG_NONE, address->base, address->off, width);

	step->b = (uint8_t)address->index;
	step->shift = (uint8_t)address->shift;
	if (kind == JF_STEP_STORE) {
		step->c = (uint8_t)data;
		step->sign = false;
	} else {
		step->dst = (uint8_t)data;
	}
}

/* The same of any size. Of a wide register the table has the low 8 bytes. */
static inline void put_wide_access(struct jf_effect *effect, unsigned int kind, unsigned int data, unsigned int width,
				   struct jf_decode_address address)
{
	if (width <= U64 || width & SIGNED) {
		put_access(effect, kind, data, width, &address);
		return;
	}
	put_access(effect, kind, data, U64, &address);
	address.off += U64;
	put_access(effect, kind, JF_REG_NONE, width - U64, &address);
}

/* ---- what is no step ------------------------------------------------------------------------------- */

/* What has no effect but on dst has none at all when that is the zero register. */
static inline bool writes_nothing(struct jf_effect *effect, unsigned int dst)
{
	if (dst == JF_REG_NONE)
		effect->flags |= JF_EFFECT_NOP;
	return dst == JF_REG_NONE;
}

static inline void set_flow(struct jf_effect *effect, enum jf_flow flow, int64_t target_off)
{
	effect->flow = (uint8_t)flow;
	effect->target_off = target_off;
}

/* What an instruction of that size is without a table: it goes on behind itself and changes nothing. */
static inline struct jf_effect no_effect(unsigned int size_bytes)
{
	return (struct jf_effect){.size_bytes = (uint8_t)size_bytes, .flow = JF_FLOW_NEXT, .flow_reg = JF_REG_NONE};
}

#endif
