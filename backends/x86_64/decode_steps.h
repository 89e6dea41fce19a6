/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a split instruction does, as steps. Where one needs a value for a moment (memory to memory, an operation with
 * a memory operand, exchanges), the return address's id holds it: between instructions it has no meaning, and is
 * killed behind its use.
 *
 * Addresses with a segment base, relative to the instruction or of 32 bits are steps without registers: not in
 * this stack. Registers of 8 and 16 bits merge into what was there, which no step says but INSERT: they are killed.
 */
#ifndef JF_BACKEND_X86_64_DECODE_STEPS_H
#define JF_BACKEND_X86_64_DECODE_STEPS_H

#include "../decode.h"
#include "decode.h"

#define TEMP RIP

struct operand {
	enum { NOWHERE, REGISTER, MEMORY, IMMEDIATE } kind;
	uint8_t reg;
	bool high; /* ah, ch, dh, bh */
	int64_t imm;
};

/* What the functions below work on. */
struct work {
	const struct insn *i;
	struct jf_effect *e;
	struct operand dst, src;
	struct address mem;
	uint8_t size;
};

/* ---- steps ---------------------------------------------------------------------------------------- */

static inline struct jf_step *step(const struct work *w, enum jf_step_kind kind)
{
	return put_step(w->e, kind, JF_REG_NONE, JF_REG_NONE, 0);
}

static inline void kill(const struct work *w, uint8_t reg)
{
	step(w, JF_STEP_KILL)->dst = reg;
}

/* Registers from `regs` that go unnamed in the instruction, as a set. */
static inline void kill_set(const struct work *w, unsigned int regs)
{
	for (uint8_t reg = 0; regs >> reg; reg++)
		if (regs >> reg & 1)
			kill(w, reg);
}

/* dst = a, or without it imm; 4 bytes are zero-extended. */
static inline void move(const struct work *w, uint8_t dst, uint8_t a, uint8_t size)
{
	struct jf_step *s = step(w, size == 8 ? JF_STEP_MOVE : JF_STEP_EXTEND);

	s->dst = dst;
	s->a = a;
	s->bytes = size == 8 ? 0 : size;
}

static inline void move_imm(const struct work *w, uint8_t dst, int64_t imm, uint8_t size)
{
	struct jf_step *s = step(w, JF_STEP_MOVE);

	s->dst = dst;
	s->imm = size == 4 ? (int64_t)(uint32_t)imm : imm;
}

static inline void extend(const struct work *w, uint8_t dst, uint8_t a, uint8_t bytes, bool sign)
{
	struct jf_step *s = step(w, JF_STEP_EXTEND);

	s->dst = dst;
	s->a = a;
	s->bytes = bytes;
	s->sign = sign;
}

/* dst = a OP imm */
static inline void with_imm(const struct work *w, enum jf_step_kind kind, uint8_t dst, uint8_t a, int64_t imm,
			    uint8_t size)
{
	struct jf_step *s = step(w, kind);

	s->dst = dst;
	s->a = a;
	s->imm = imm;
	s->bytes = size;
}

/* dst = a OP b */
static inline void with_reg(const struct work *w, enum jf_step_kind kind, uint8_t dst, uint8_t a, uint8_t b,
			    uint8_t size)
{
	struct jf_step *s = step(w, kind);

	s->dst = dst;
	s->a = a;
	s->b = b;
	s->bytes = size;
}

static inline struct jf_step *access_at(const struct work *w, enum jf_step_kind kind, uint8_t base, int64_t off,
					unsigned int bytes)
{
	struct jf_step *s = step(w, kind);

	s->a = base;
	s->imm = off;
	s->bytes = (uint8_t)bytes;
	return s;
}

/* The memory operand's. */
static inline struct jf_step *access(const struct work *w, enum jf_step_kind kind, unsigned int bytes)
{
	const struct address *m = &w->mem;
	struct jf_step *s = access_at(w, kind, m->elsewhere ? JF_REG_NONE : m->base, m->disp, bytes);

	if (!m->elsewhere && m->index != JF_REG_NONE) {
		s->b = m->index;
		s->shift = m->scale;
	}
	return s;
}

static inline void load(const struct work *w, uint8_t dst, unsigned int bytes)
{
	access(w, JF_STEP_LOAD, bytes)->dst = dst;
}

static inline void store(const struct work *w, uint8_t c, unsigned int bytes)
{
	access(w, JF_STEP_STORE, bytes)->c = c;
}

static inline void push(const struct work *w, uint8_t c, uint8_t bytes)
{
	with_imm(w, JF_STEP_SUB, RSP, RSP, bytes, 8);
	access_at(w, JF_STEP_STORE, RSP, 0, bytes)->c = c;
}

static inline void pop(const struct work *w, uint8_t dst, int64_t bytes)
{
	access_at(w, JF_STEP_LOAD, RSP, 0, (unsigned int)bytes)->dst = dst;
	with_imm(w, JF_STEP_ADD, RSP, RSP, bytes, 8);
}

/* ---- operands ------------------------------------------------------------------------------------- */

static inline uint8_t size_of(const struct insn *i, uint8_t size)
{
	switch (size) {
	case SV: return i->w ? 8 : i->data16 ? 2 : 4;
	case S64: return i->data16 && !i->w ? 2 : 8;
	case SW: return i->w ? 8 : 4;
	case VL: return i->vector_bytes;
	case VL_2: return i->vector_bytes / 2;
	case VL_4: return i->vector_bytes / 4;
	case VL_8: return i->vector_bytes / 8;
	default: return size;
	}
}

static inline struct operand reg_operand(const struct insn *i, uint8_t reg, uint8_t size)
{
	bool high = size == 1 && !i->has_rex && !i->vex && reg >= 4 && reg < 8;

	return (struct operand){.kind = REGISTER, .reg = high ? reg - 4 : reg, .high = high};
}

static inline struct operand rm_operand(const struct insn *i, uint8_t size)
{
	return i->mod == 3 ? reg_operand(i, i->rm, size) : (struct operand){.kind = MEMORY};
}

static inline void find_operands(struct work *w)
{
	const struct insn *i = w->i;
	struct operand imm = {.kind = IMMEDIATE, .imm = i->imm};
	struct operand memory = {.kind = MEMORY}, ax = {.kind = REGISTER, .reg = RAX};
	struct operand low = reg_operand(i, (i->op & 7) | i->rm, w->size);
	struct operand g = reg_operand(i, i->reg, w->size), e = rm_operand(i, w->size);

	switch (i->opcode->form) {
	case E: w->dst = e; break;
	case EG: w->dst = e, w->src = g; break;
	case GE: w->dst = g, w->src = e; break;
	case EI: w->dst = e, w->src = imm; break;
	case E1: w->dst = e, w->src = (struct operand){.kind = IMMEDIATE, .imm = 1}; break;
	case EC: w->dst = e, w->src = (struct operand){.kind = REGISTER, .reg = RCX}; break;
	case G: w->dst = g, w->src = i->mod == 3 ? (struct operand){.kind = NOWHERE} : memory; break;
	case Z: w->dst = low; break;
	case ZA: w->dst = low, w->src = ax; break;
	case ZI: w->dst = low, w->src = imm; break;
	case AI: w->dst = ax, w->src = imm; break;
	case AO: w->dst = ax, w->src = memory; break;
	case OA: w->dst = memory, w->src = ax; break;
	case I: w->src = imm; break;
	case VE: w->dst = reg_operand(i, i->vvvv, w->size), w->src = e; break;
	default: break;
	}
}

static inline void read_operand(const struct work *w, struct operand o)
{
	if (o.kind == MEMORY)
		load(w, JF_REG_NONE, w->size);
}

static inline void set_operand(const struct work *w, struct operand o)
{
	if (o.kind == MEMORY)
		store(w, JF_REG_NONE, w->size);
	else if (o.kind == REGISTER)
		kill(w, o.reg);
}

static inline void set(const struct work *w)
{
	read_operand(w, w->src);
	set_operand(w, w->dst);
}

static inline void change(const struct work *w)
{
	read_operand(w, w->src);
	read_operand(w, w->dst);
	set_operand(w, w->dst);
}

static inline void flag(const struct work *w, unsigned int flags)
{
	w->e->flags |= (uint8_t)flags;
}

/* What a condition code, an opcode's low four bits, asks of the flags. */
static inline struct jf_compare ask_flags(unsigned int cc)
{
	static const uint8_t conds[16] = {
		JF_COND__COUNT, JF_COND__COUNT, JF_COND_LT,     JF_COND_GE,     JF_COND_EQ,     JF_COND_NE,
		JF_COND_LE,     JF_COND_GT,     JF_COND__COUNT, JF_COND__COUNT, JF_COND__COUNT, JF_COND__COUNT,
		JF_COND_SLT,    JF_COND_SGE,    JF_COND_SLE,    JF_COND_SGT,
	};
	uint8_t cond = conds[cc & 15];

	if (cond == JF_COND__COUNT)
		return (struct jf_compare){JF_COMPARE_UNKNOWN, 0, JF_REG_NONE, JF_REG_NONE, 0, 0};
	return (struct jf_compare){JF_COMPARE_FLAGS, cond, JF_REG_NONE, JF_REG_NONE, 0, 0};
}

/* From here on the memory operand may be any memory. */
static inline void anywhere(struct work *w)
{
	flag(w, JF_EFFECT_UNKNOWN);
	kill(w, TEMP);
	w->mem = (struct address){.base = TEMP, .index = JF_REG_NONE};
}

/* The base of an operand that is where a register says, in a segment that may be another. */
static inline uint8_t base_of(const struct work *w, uint8_t reg)
{
	if (w->i->segment && w->i->flat)
		return TEMP;
	return w->i->segment || w->i->addr32 ? JF_REG_NONE : reg;
}

/* What an instruction of the kinds that decode_data.c knows does. returns: whether it is of them. */
HIDDEN bool jf_x86_64_data_steps(struct work *w);

#endif
