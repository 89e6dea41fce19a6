/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic, moves and exchanges, as steps. */
#include "decode_steps.h"
#include "insn.h"

/* ---- arithmetic ----------------------------------------------------------------------------------- */

/* dst = dst KIND src, of 4 or 8 bytes. */
static void operate(const struct work *w, enum jf_step_kind kind)
{
	uint8_t dst = w->dst.kind == MEMORY ? TEMP : w->dst.reg;
	bool temp = w->dst.kind == MEMORY || w->src.kind == MEMORY;

	if (temp)
		load(w, TEMP, w->size);
	if (w->src.kind == IMMEDIATE)
		with_imm(w, kind, dst, dst, w->src.imm, w->size);
	else
		with_reg(w, kind, dst, dst, w->src.kind == MEMORY ? TEMP : w->src.reg, w->size);
	if (w->dst.kind == MEMORY)
		store(w, TEMP, w->size);
	if (temp)
		kill(w, TEMP);
}

/* dst = -1 where the last subtraction borrowed, else 0: what sbb makes of a register and itself */
static void borrow(const struct work *w)
{
	put_choice(w->e, ask_flags(CC_AE), w->dst.reg, JF_REG_NONE, JF_REG_NONE, -1, w->size);
}

static void alu(const struct work *w)
{
	static const uint8_t kinds[8] = {JF_STEP_ADD, JF_STEP_OR, 0, 0, JF_STEP_AND, JF_STEP_SUB, JF_STEP_XOR, 0};
	unsigned int op = w->i->op < 0x40 ? w->i->op >> 3 : w->i->reg & 7;
	bool same = w->dst.kind == REGISTER && w->src.kind == REGISTER && w->dst.reg == w->src.reg;

	if (op == 7) {
		read_operand(w, w->dst);
		read_operand(w, w->src);
	} else if (op == 3 && same && w->size >= 4) {
		borrow(w);
	} else if (w->size < 4 || !kinds[op]) {
		change(w);
	} else if (same && (kinds[op] == JF_STEP_XOR || kinds[op] == JF_STEP_SUB)) {
		move_imm(w, w->dst.reg, 0, 8);
	} else {
		operate(w, kinds[op]);
	}
}

/* inc, dec, not: with a constant */
static void operate_const(struct work *w, enum jf_step_kind kind, int64_t imm)
{
	w->src = (struct operand){.kind = IMMEDIATE, .imm = imm};
	if (w->size < 4)
		change(w);
	else
		operate(w, kind);
}

static void cmov(const struct work *w)
{
	uint8_t dst = w->dst.reg, src = w->src.kind == MEMORY ? TEMP : w->src.reg;

	if (w->size < 4) {
		set(w);
		return;
	}
	if (w->src.kind == MEMORY)
		load(w, TEMP, w->size);
	put_choice(w->e, ask_flags(w->i->op), dst, src, dst, 0, w->size);
	if (w->src.kind == MEMORY)
		kill(w, TEMP);
}

/* A byte that is 1 or 0: chosen by the opposite, whose code differs in the lowest bit. */
static void setcc(const struct work *w)
{
	int64_t one = w->dst.high ? 0x100 : 1;

	put_choice(w->e, ask_flags(w->i->op ^ 1), TEMP, JF_REG_NONE, JF_REG_NONE, one, 8);
	if (w->dst.kind == MEMORY) {
		store(w, TEMP, 1);
	} else {
		with_imm(w, JF_STEP_AND, w->dst.reg, w->dst.reg, ~(0xff * one), 8);
		with_reg(w, JF_STEP_OR, w->dst.reg, w->dst.reg, TEMP, 8);
	}
	kill(w, TEMP);
}

static void shift(struct work *w)
{
	static const uint8_t kinds[8] = {[4] = JF_STEP_SHL, [5] = JF_STEP_SHR, [6] = JF_STEP_SHL, [7] = JF_STEP_SAR};
	uint8_t kind = kinds[w->i->reg & 7];

	if (w->src.kind == IMMEDIATE)
		w->src.imm &= w->size == 8 ? 63 : 31;
	if (w->size < 4 || !kind || w->dst.kind != REGISTER)
		change(w);
	else
		operate(w, kind);
}

/* sarx, shlx, shrx: by vvvv */
static void shiftx(const struct work *w)
{
	static const uint8_t kinds[4] = {0, JF_STEP_SHL, JF_STEP_SAR, JF_STEP_SHR};
	uint8_t from = w->src.reg;

	if (w->src.kind == MEMORY)
		load(w, from = TEMP, w->size);
	with_reg(w, kinds[w->i->pp], w->dst.reg, from, w->i->vvvv, w->size);
	if (w->src.kind == MEMORY)
		kill(w, TEMP);
}

static void exchange(const struct work *w)
{
	uint8_t a = w->dst.reg, b = w->src.reg;

	if (w->size < 4) {
		change(w);
		set_operand(w, w->src);
	} else if (w->dst.kind == MEMORY) {
		load(w, TEMP, w->size);
		store(w, b, w->size);
		move(w, b, TEMP, 8);
		kill(w, TEMP);
	} else {
		move(w, TEMP, a, w->size);
		move(w, a, b, w->size);
		move(w, b, TEMP, 8);
		kill(w, TEMP);
	}
}

static void exchange_add(const struct work *w)
{
	uint8_t b = w->src.reg;

	if (w->size < 4) {
		change(w);
		set_operand(w, w->src);
	} else if (w->dst.kind == MEMORY) {
		load(w, TEMP, w->size);
		with_reg(w, JF_STEP_ADD, TEMP, TEMP, b, w->size);
		store(w, TEMP, w->size);
		with_reg(w, JF_STEP_SUB, b, TEMP, b, w->size); /* what was there */
		kill(w, TEMP);
	} else {
		with_reg(w, JF_STEP_ADD, TEMP, w->dst.reg, b, w->size);
		move(w, b, w->dst.reg, w->size);
		move(w, w->dst.reg, TEMP, 8);
		kill(w, TEMP);
	}
}

/* mul, imul, div, idiv: rdx:rax; of bytes, ax */
static void divide_or_multiply(const struct work *w)
{
	read_operand(w, w->dst);
	kill_set(w, w->size == 1 ? 1 << RAX : 1 << RAX | 1 << RDX);
}

/* cbw, cwde, cdqe */
static void extend_a(const struct work *w)
{
	if (w->size == 2)
		kill(w, RAX);
	else
		extend(w, RAX, RAX, w->size / 2, true);
	if (w->size == 4)
		extend(w, RAX, RAX, 4, false);
}

/* cwd, cdq, cqo */
static void sign_d(const struct work *w)
{
	if (w->size == 2)
		kill(w, RDX);
	else
		with_imm(w, JF_STEP_SAR, RDX, RAX, 8 * w->size - 1, w->size);
}

/* ---- moves ---------------------------------------------------------------------------------------- */

static void insert_imm(const struct work *w)
{
	struct jf_step *s = step(w, JF_STEP_INSERT);

	s->dst = s->a = w->dst.reg;
	s->shift = w->dst.high ? 8 : 0;
	s->bits = (uint8_t)(8 * w->size);
	s->imm = w->src.imm;
}

static void mov(const struct work *w)
{
	if (w->dst.kind == MEMORY && w->src.kind == IMMEDIATE) {
		move_imm(w, TEMP, w->src.imm, 8);
		store(w, TEMP, w->size);
		kill(w, TEMP);
	} else if (w->dst.kind == MEMORY) {
		store(w, w->src.high ? JF_REG_NONE : w->src.reg, w->size);
	} else if (w->size < 4 && w->src.kind == IMMEDIATE) {
		insert_imm(w);
	} else if (w->size < 4) {
		set(w);
	} else if (w->src.kind == MEMORY) {
		load(w, w->dst.reg, w->size);
	} else if (w->src.kind == IMMEDIATE) {
		move_imm(w, w->dst.reg, w->src.imm, w->size);
	} else {
		move(w, w->dst.reg, w->src.reg, w->size);
	}
}

/* movzx, movsx, movsxd: the row's size is the source's. */
static void mov_extended(struct work *w, bool sign)
{
	uint8_t to = size_of(w->i, SV);
	uint8_t dst = w->i->reg;

	w->src = rm_operand(w->i, w->size);
	if (to < 4 || w->src.high) {
		read_operand(w, w->src);
		kill(w, dst);
		return;
	}
	if (w->src.kind == MEMORY) {
		load(w, dst, w->size);
		w->e->steps[w->e->step_count - 1].sign = sign;
	} else {
		extend(w, dst, w->src.reg, w->size, sign);
	}
	if (sign && to == 4)
		extend(w, dst, dst, 4, false);
}

/* The address alone: no segment counts. */
static void lea(const struct work *w)
{
	const struct address *m = &w->mem;
	struct jf_step *s;

	if (w->size < 4) {
		kill(w, w->dst.reg);
		return;
	}
	if (m->at_pc || m->base != JF_REG_NONE || m->index != JF_REG_NONE) {
		s = step(w, JF_STEP_ADDRESS);
		s->a = m->base;
		s->b = m->index;
		s->shift = m->index == JF_REG_NONE ? 0 : m->scale;
		s->imm = m->disp;
		s->dst = w->dst.reg;
	} else {
		move_imm(w, w->dst.reg, m->disp, 8);
	}
	if (w->size == 4 || w->i->addr32)
		extend(w, w->dst.reg, w->dst.reg, 4, false);
}

/* bt with a register: memory far from its operand may be meant. */
static void bit(struct work *w)
{
	bool test = w->i->op == 0xa3;

	if (w->dst.kind == MEMORY) {
		anywhere(w);
		access(w, test ? JF_STEP_LOAD : JF_STEP_STORE, 0);
	} else if (!test) {
		kill(w, w->dst.reg);
	}
}

/* cmpxchg: what rax holds is compared, and exchanged if it differs. */
static void compare_exchange(const struct work *w)
{
	read_operand(w, w->dst);
	set_operand(w, w->dst);
	kill(w, RAX);
}

/* ---- which ---------------------------------------------------------------------------------------- */

bool jf_x86_64_data_steps(struct work *w)
{
	switch (w->i->opcode->op) {
	case OP_NOTHING: break;
	case OP_READ:
	case OP_TEST:
		read_operand(w, w->dst);
		read_operand(w, w->src);
		break;
	case OP_CMOV: cmov(w); break;
	case OP_SETCC: setcc(w); break;
	case OP_SET: set(w); break;
	case OP_CHANGE:
	case OP_CHANGE_LOCK: change(w); break;
	case OP_ALU: alu(w); break;
	case OP_INC: operate_const(w, JF_STEP_ADD, 1); break;
	case OP_DEC: operate_const(w, JF_STEP_SUB, 1); break;
	case OP_NOT: operate_const(w, JF_STEP_XOR, -1); break;
	case OP_SHIFT: shift(w); break;
	case OP_SHIFTX: shiftx(w); break;
	case OP_MOV: mov(w); break;
	case OP_MOVZX: mov_extended(w, false); break;
	case OP_MOVSX: mov_extended(w, true); break;
	case OP_LEA: lea(w); break;
	case OP_XCHG:
		if (w->i->op == 0x90 && w->dst.reg == RAX)
			flag(w, JF_EFFECT_NOP);
		else
			exchange(w);
		break;
	case OP_XADD: exchange_add(w); break;
	case OP_CMPXCHG: compare_exchange(w); break;
	case OP_EXTEND_A: extend_a(w); break;
	case OP_SIGN_D: sign_d(w); break;
	case OP_BIT: bit(w); break;
	case OP_DIV_MUL: divide_or_multiply(w); break;
	default: return false;
	}
	return true;
}
