/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

uint64_t machine_sign(uint64_t value, uint64_t sp)
{
	return value ^ (machine_mix(sp, 1) | 1) << 48;
}

static uint64_t mask(unsigned int bytes)
{
	return bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1;
}

/* ---- memory ------------------------------------------------------------------------------------------ */

uint64_t machine_read_elsewhere(const struct machine *m, uint64_t address, unsigned int bytes)
{
	for (unsigned int i = m->cell_count; i-- > 0;)
		if (m->cells[i].address == address)
			return m->cells[i].value & mask(bytes);
	return machine_mix(address, m->salt) & mask(bytes);
}

void machine_write(struct machine *m, uint64_t address, unsigned int bytes, uint64_t value)
{
	if (machine_in_stack(address, bytes)) {
		m->changes++;
		memcpy(m->stack + (address - MACHINE_STACK_LOW), &value, bytes < 8 ? bytes : 8);
	} else if (m->cell_count < MACHINE_CELLS) {
		m->cells[m->cell_count].address = address;
		m->cells[m->cell_count].value = value;
		m->cell_count++;
	}
}

/* ---- registers --------------------------------------------------------------------------------------- */

static uint64_t get(const struct machine *m, uint8_t reg)
{
	return reg == JF_REG_NONE ? 0 : m->reg[reg];
}

static bool is_kept(const struct machine *m, unsigned int reg)
{
	return reg == m->backend->sp || m->backend->regs[reg].flags & (JF_REG_CALLEE_SAVED | JF_REG_RESERVED);
}

static void set(struct machine *m, uint8_t reg, uint64_t value)
{
	if (reg == JF_REG_NONE || reg == m->zero)
		return;
	m->reg[reg] = value & mask(m->backend->regs[reg].size_bytes);
	m->tainted[reg] = m->chosen[reg] = false;
	m->changes += is_kept(m, reg) || reg == m->backend->ra;
}

static uint64_t fresh(struct machine *m, uint64_t what)
{
	uint64_t bytes = 0;

	memcpy(&bytes, m->code + m->at, m->effect.size_bytes < 8 ? m->effect.size_bytes : 8);
	what = machine_mix(machine_mix(bytes, m->at), m->salt + what);
	m->is_raw[m->killed_count] = true;
	m->killed[m->killed_count++] = what;
	return what;
}

/* ---- comparisons ------------------------------------------------------------------------------------- */

static struct compared compared(const struct machine *m, const struct jf_compare *c)
{
	return compare_numbers(c, get(m, c->a), get(m, c->b), m->flags);
}

/* ---- steps ------------------------------------------------------------------------------------------- */

static uint64_t address_of(const struct machine *m, const struct jf_step *step)
{
	uint64_t address = get(m, step->a) + (get(m, step->b) << step->shift) + (uint64_t)step->imm;

	/* Relative to the instruction, of another segment, absolute: not in the stack. */
	if (step->a == JF_REG_NONE && step->b == JF_REG_NONE)
		return m->address + m->at + (uint64_t)step->imm;
	return address;
}

static void note(struct machine *m, uint64_t address, unsigned int bytes, bool store, uint64_t value)
{
	m->access[m->access_count++] = (struct machine_access){address, bytes, store, value};
}

static void load(struct machine *m, const struct jf_step *step)
{
	uint64_t address = address_of(m, step);
	unsigned int bytes = step->bytes ? step->bytes : 8;
	uint64_t value = machine_read(m, address, bytes < 8 ? bytes : 8);

	note(m, address, bytes, false, value);
	set(m, step->dst, compare_extend(value, bytes, step->sign));
}

static void store(struct machine *m, const struct jf_step *step)
{
	uint64_t address = address_of(m, step);
	unsigned int bytes = step->bytes ? step->bytes : 8;
	uint64_t value = step->c == JF_REG_NONE ? fresh(m, 77) : get(m, step->c);

	note(m, address, bytes, true, value);
	for (unsigned int i = 0; i < bytes; i += 8)
		machine_write(m, address + i, bytes - i < 8 ? bytes - i : 8, value);
}

static uint64_t shift(const struct jf_step *step, uint64_t a, uint64_t count)
{
	unsigned int bits = step->bytes == 4 ? 32 : 64;

	count &= bits - 1;
	if (step->kind == JF_STEP_SHL)
		return a << count;
	if (step->kind == JF_STEP_SHR)
		return compare_extend(a, bits / 8, false) >> count;
	return (uint64_t)((int64_t)compare_extend(a, bits / 8, true) >> count);
}

static uint64_t alu(const struct machine *m, const struct jf_step *step)
{
	uint64_t a = get(m, step->a),
		 b = step->b == JF_REG_NONE ? (uint64_t)step->imm : get(m, step->b) + (uint64_t)step->imm;
	uint64_t field = (step->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << step->bits) - 1) << step->shift;

	switch (step->kind) {
	case JF_STEP_MOVE: return a + (uint64_t)step->imm;
	case JF_STEP_ADD: return a + b;
	case JF_STEP_SUB: return a - b;
	case JF_STEP_AND: return a & b;
	case JF_STEP_OR: return a | b;
	case JF_STEP_XOR: return a ^ b;
	case JF_STEP_INSERT: return (a & ~field) | ((uint64_t)step->imm << step->shift & field);
	default: return shift(step, a, b);
	}
}

static void kill(struct machine *m, const struct jf_step *step)
{
	set(m, step->dst, fresh(m, step->dst));
	if (step->dst != JF_REG_NONE)
		m->tainted[step->dst] = true;
}

/* Made of what no step says, and not of an address that should have been chosen or not. */
static bool is_tainted(const struct machine *m, const struct jf_step *step)
{
	bool a = step->a != JF_REG_NONE && m->tainted[step->a], b = step->b != JF_REG_NONE && m->tainted[step->b];

	return (a || b) && !machine_in_stack(get(m, step->a), 1) && !machine_in_stack(get(m, step->b), 1);
}

static void compute(struct machine *m, const struct jf_step *step)
{
	bool tainted = is_tainted(m, step);
	uint64_t value = compare_extend(alu(m, step), step->bytes ? step->bytes : 8, step->sign);

	set(m, step->dst, value);
	if (!tainted || step->dst == JF_REG_NONE)
		return;
	m->tainted[step->dst] = true;
	m->is_raw[m->killed_count] = false;
	m->killed[m->killed_count++] = value;
}

/* Where nobody can tell it is either, by the instruction and the salt. */
static void choose(struct machine *m, const struct jf_step *step, const struct compared *asked)
{
	uint8_t cond = m->effect.asks.cond;
	bool chosen = compare_tells(asked, cond) ? compare_holds(asked, cond) : machine_mix(m->at, m->salt) & 1;
	uint64_t value = chosen ? get(m, step->a) : get(m, step->b) + (uint64_t)step->imm;

	set(m, step->dst, compare_extend(value, step->bytes, step->sign));
	if (step->dst != JF_REG_NONE)
		m->chosen[step->dst] = true;
}

void machine_forget_choices(struct machine *m)
{
	for (unsigned int reg = 0; reg < m->backend->reg_count; reg++)
		if (m->chosen[reg] && !is_kept(m, reg))
			set(m, (uint8_t)reg, machine_mix(m->salt + reg, 29));
}

static void run_step(struct machine *m, const struct jf_step *step, const struct compared *asked)
{
	switch (step->kind) {
	case JF_STEP_LOAD: load(m, step); break;
	case JF_STEP_STORE: store(m, step); break;
	case JF_STEP_ADDRESS: set(m, step->dst, address_of(m, step)); break;
	case JF_STEP_SIGN:
	case JF_STEP_AUTH: set(m, step->dst, machine_sign(get(m, step->a), m->reg[m->backend->sp])); break;
	case JF_STEP_EXTEND: set(m, step->dst, compare_extend(get(m, step->a), step->bytes, step->sign)); break;
	case JF_STEP_KILL: kill(m, step); break;
	case JF_STEP_CHOOSE: choose(m, step, asked); break;
	default: compute(m, step); break;
	}
}

/* ---- branches ------------------------------------------------------------------------------------------ */

static bool decode_branch(const struct machine *m, struct jf_effect *effect)
{
	return m->pc < m->size && machine_decode(m->backend, m->code + m->pc, m->size - m->pc, effect) == JF_OK &&
	       effect->flow == JF_FLOW_BRANCH;
}

bool machine_branches(const struct machine *m)
{
	struct jf_effect effect;

	return decode_branch(m, &effect);
}

bool machine_knows(const struct machine *m, bool *taken)
{
	struct compared asked;
	struct jf_effect effect;

	if (!decode_branch(m, &effect))
		return false;
	asked = compared(m, &effect.asks);
	*taken = compare_holds(&asked, effect.asks.cond);
	return compare_tells(&asked, effect.asks.cond);
}

/* ---- control flow ------------------------------------------------------------------------------------ */

static void put_return_address(struct machine *m, uint64_t value)
{
	const struct jf_backend *backend = m->backend;

	m->changes++;
	if (!backend->ra_pushed) {
		m->reg[backend->ra] = value;
		return;
	}
	m->reg[backend->sp] -= 8;
	machine_write(m, m->reg[backend->sp], 8, value);
}

static enum machine_event go(struct machine *m, int64_t to)
{
	m->target = m->address + (uint64_t)to;
	if (to < 0 || to >= m->size)
		return EVENT_JUMP_OUT;
	m->pc = (uint32_t)to;
	return EVENT_NONE;
}

static enum machine_event flow(struct machine *m, bool taken, uint64_t register_target)
{
	const struct jf_effect *e = &m->effect;
	int64_t direct = (int64_t)m->at + e->target_off, next = (int64_t)m->at + e->size_bytes;

	switch (e->flow) {
	case JF_FLOW_NEXT: return go(m, next);
	case JF_FLOW_JUMP: return go(m, direct);
	case JF_FLOW_BRANCH: return go(m, taken ? direct : next);
	case JF_FLOW_CALL:
	case JF_FLOW_CALL_REG:
	case JF_FLOW_CALL_MEM:
		m->target = e->flow == JF_FLOW_CALL ? m->address + (uint64_t)direct : register_target;
		put_return_address(m, m->address + (uint64_t)next);
		m->pc = (uint32_t)next;
		return EVENT_CALL;
	case JF_FLOW_JUMP_REG:
	case JF_FLOW_JUMP_MEM: m->target = register_target; return EVENT_JUMP_OUT;
	default: return EVENT_TRAP;
	}
}

/*
 * The same few thousand instructions are decoded again and again. What an instruction is depends on its own bytes
 * alone.
 */
enum jf_status machine_decode(const struct jf_backend *backend, const uint8_t *bytes, size_t size,
			      struct jf_effect *effect)
{
	static struct memo {
		const struct jf_backend *backend;
		uint8_t bytes[16];
		struct jf_effect effect;
	} memos[4096];
	uint64_t start = 0;
	struct memo *memo;
	enum jf_status status;

	memcpy(&start, bytes, size < 8 ? size : 8);
	memo = &memos[machine_mix(start, 1) % 4096];
	if (memo->backend == backend && memo->effect.size_bytes <= size &&
	    !memcmp(memo->bytes, bytes, memo->effect.size_bytes)) {
		*effect = memo->effect;
		return JF_OK;
	}
	status = jf_decode(backend, bytes, size, effect);
	if (status == JF_OK && effect->size_bytes <= sizeof(memo->bytes)) {
		memo->backend = backend;
		memo->effect = *effect;
		memcpy(memo->bytes, bytes, effect->size_bytes);
	}
	return status;
}

enum machine_event machine_step(struct machine *m, bool taken)
{
	struct compared asked;
	uint64_t target = 0;

	m->at = m->pc;
	m->access_count = m->killed_count = 0;
	if (m->pc >= m->size || machine_decode(m->backend, m->code + m->pc, m->size - m->pc, &m->effect) != JF_OK)
		return EVENT_UNDECODED;
	asked = compared(m, &m->effect.asks);
	m->flags = compared(m, &m->effect.flags_hold);
	for (unsigned int i = 0; i < m->effect.step_count; i++)
		run_step(m, &m->effect.steps[i], &asked);
	if (m->effect.flow == JF_FLOW_CALL_REG || m->effect.flow == JF_FLOW_JUMP_REG)
		target = get(m, m->effect.flow_reg) + (uint64_t)(int64_t)m->effect.flow_imm;
	return flow(m, taken, target);
}

void machine_return_from_c(struct machine *m)
{
	const struct jf_backend *backend = m->backend;

	m->flags.known = false;
	m->changes++;
	if (backend->ra_pushed)
		m->reg[backend->sp] += 8;
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		if (!is_kept(m, reg))
			set(m, (uint8_t)reg, machine_mix(m->salt + reg, m->at + 1));
	for (uint64_t at = m->reg[backend->sp] - 512; at < m->reg[backend->sp]; at += 8)
		if (machine_in_stack(at, 8))
			machine_write(m, at, 8, machine_mix(m->salt + at, 3));
}

/* ---- beginning --------------------------------------------------------------------------------------- */

static uint8_t find_zero(const struct jf_backend *backend)
{
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		if (!strcmp(backend->regs[reg].name, "zero"))
			return (uint8_t)reg;
	return JF_REG_NONE;
}

#define STACK_WORDS (MACHINE_STACK_BYTES / 8)

/* The words differ from each other, and from those of another salt. Every run fills a stack: few instructions do it. */
static void fill_stack(struct machine *m, uint64_t salt)
{
	static uint64_t words[STACK_WORDS];
	uint64_t *stack = (uint64_t *)(void *)m->stack;

	for (uint64_t i = 0; !words[STACK_WORDS - 1] && i < STACK_WORDS; i++)
		words[i] = machine_mix(i, 5);
	for (unsigned int i = 0; i < STACK_WORDS; i++)
		stack[i] = words[i] ^ salt;
}

void machine_init(struct machine *m, const struct jf_backend *backend, uint64_t salt)
{
	memset(m, 0, offsetof(struct machine, stack));
	m->zero = find_zero(backend);
	m->backend = backend;
	m->salt = salt;
	m->cell_count = 0;
	fill_stack(m, machine_mix(salt, 5));
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		set(m, (uint8_t)reg, machine_mix(salt + reg, 7));
}

void machine_load(struct machine *m, const uint8_t *code, uint32_t size, uint64_t address)
{
	m->code = code;
	m->size = size;
	m->address = address;
	m->pc = 0;
}
