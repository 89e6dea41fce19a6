/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/walk.h>

#include <string.h>

static void set_known(struct jf_walk *walk, unsigned int reg, bool known)
{
	uint8_t bit = (uint8_t)(1u << reg % 8);

	if (known)
		walk->known[reg / 8] |= bit;
	else
		walk->known[reg / 8] &= (uint8_t)~bit;
}

static bool is_known(const struct jf_walk *walk, unsigned int reg)
{
	return walk->known[reg / 8] & 1u << reg % 8;
}

static enum jf_status fail(struct jf_walk *walk, enum jf_status status, uint64_t address)
{
	walk->fail_address = address;
	return status;
}

static enum jf_status read_word(struct jf_walk *walk, uint64_t address, uint64_t *value)
{
	const struct jf_memory *memory = &walk->memory;

	if (address < memory->low || address > memory->high || memory->high - address < sizeof(*value))
		return fail(walk, JF_E_READ, address);
	if (!memory->read) {
		memcpy(value, (const void *)(uintptr_t)address, sizeof(*value));
		return JF_OK;
	}
	if (memory->read(memory->arg, address, value) != JF_OK)
		return fail(walk, JF_E_READ, address);
	return JF_OK;
}

/* Finds what describes the present pc: range or C function, and the row in it. */
static void look_up(struct jf_walk *walk, uint64_t address)
{
	const struct jf_range *range = jf_code_map_find(address);
	const struct jf_cfi_function *function = NULL;

	walk->range = range && range->backend == walk->backend ? range : NULL;
	walk->function = NULL;
	walk->row = NULL;
	walk->slots = NULL;
	walk->slot_count = 0;
	walk->name = walk->range ? walk->range->name : NULL;
	if (walk->range && walk->range->kind != JF_RANGE_ENTRY) {
		walk->row = jf_row_find(range->rows, range->row_count, (uint32_t)(address - range->start));
		walk->slots = range->slots;
		walk->slot_count = range->slot_count;
		return;
	}
	/* An entry stub is C code as far as its own frame goes. */
	function = jf_cfi_find(walk->backend, address, walk->range ? NULL : &walk->name);
	if (!function)
		return;
	if (!walk->range)
		walk->function = function;
	walk->row = jf_row_find(function->rows, function->row_count, (uint32_t)(address - function->start));
	walk->slots = function->slots;
	walk->slot_count = function->slot_count;
}

/* Finds range, row and CFA of the present pc. */
static enum jf_status locate(struct jf_walk *walk)
{
	uint64_t address = walk->pc_is_return ? walk->pc - 1 : walk->pc;
	const struct jf_row *row;
	enum jf_status status = JF_OK;

	look_up(walk, address);
	row = walk->row;
	if (!row || row->flags & JF_ROW_UNKNOWN)
		status = JF_E_NO_ROW;
	else if (!is_known(walk, row->cfa_reg))
		status = JF_E_LOST;
	else
		walk->cfa = walk->regs.value[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_off;
	if (status == JF_OK)
		return JF_OK;
	walk->row = NULL;
	/* A walk that ends there needs no row; jf_walk_step_past_entry() finds it missing. */
	if (walk->range && walk->range->kind == JF_RANGE_ENTRY)
		return JF_OK;
	return fail(walk, status, walk->pc);
}

/*
 * All that a return address promises is that SP, FP and the callee-saved registers are what they were
 * at the call; at any other pc every register is the live one.
 */
enum jf_status jf_walk_start(struct jf_walk *walk, const struct jf_backend *backend, const struct jf_memory *memory,
			     const struct jf_regs *regs, uint64_t pc, bool pc_is_return)
{
	if (!walk || !backend || !memory || !regs)
		return JF_E_INVAL;
	memset(walk, 0, sizeof(*walk));
	walk->backend = backend;
	walk->memory = *memory;
	walk->regs = *regs;
	walk->pc = pc;
	walk->pc_is_return = pc_is_return;
	for (unsigned int i = 0; i < backend->reg_count; i++)
		set_known(walk, i, !pc_is_return || backend->regs[i].flags & JF_REG_CALLEE_SAVED);
	set_known(walk, backend->sp, true);
	set_known(walk, backend->fp, true);
	return locate(walk);
}

static uint64_t slot_value(const struct jf_walk *walk, uint8_t reg, uint64_t word)
{
	unsigned int bytes = walk->backend->regs[reg].size_bytes;

	return bytes < 8 ? word & ((UINT64_C(1) << 8 * bytes) - 1) : word;
}

/* The caller's registers, into *next. */
static enum jf_status restore(struct jf_walk *walk, struct jf_walk *next)
{
	uint32_t saved = walk->row->saved;

	for (unsigned int i = 0; i < walk->backend->reg_count; i++)
		if (!(walk->backend->regs[i].flags & JF_REG_CALLEE_SAVED) || walk->row->flags & JF_ROW_REGS_LOST)
			set_known(next, i, false);
	/* A link register that was never stored still counts here, and only here. */
	if (is_known(walk, walk->backend->ra))
		set_known(next, walk->backend->ra, true);
	for (unsigned int i = 0; i < walk->slot_count; i++) {
		const struct jf_slot *slot = &walk->slots[i];
		uint64_t word;
		enum jf_status status;

		if (!(saved & UINT32_C(1) << i))
			continue;
		status = read_word(walk, walk->cfa + (uint64_t)(int64_t)slot->off_from_cfa, &word);
		if (status != JF_OK)
			return status;
		next->regs.value[slot->reg] = slot_value(walk, slot->reg, word);
		set_known(next, slot->reg, true);
	}
	return JF_OK;
}

enum jf_status jf_walk_step(struct jf_walk *walk)
{
	if (walk->range && walk->range->kind == JF_RANGE_ENTRY)
		return JF_END;
	return jf_walk_step_past_entry(walk);
}

enum jf_status jf_walk_step_past_entry(struct jf_walk *walk)
{
	const struct jf_backend *backend = walk->backend;
	struct jf_walk next;
	uint64_t sp = jf_walk_sp(walk);
	enum jf_status status;

	if (!walk->row)
		return JF_E_NO_ROW;
	if (walk->row->flags & JF_ROW_OUTERMOST)
		return JF_END;
	/* A function that has not moved SP yet may hand its caller the same SP, but only as the first frame. */
	if (walk->cfa < sp || (walk->cfa == sp && walk->pc_is_return))
		return fail(walk, JF_E_STUCK, walk->cfa);
	next = *walk;
	status = restore(walk, &next);
	if (status != JF_OK)
		return status;
	if (!is_known(&next, backend->ra))
		return fail(walk, JF_E_LOST, walk->pc);
	next.pc = next.regs.value[backend->ra];
	if (backend->strip_return)
		next.pc = backend->strip_return(next.pc);
	/* Behind a signal's trampoline lies what the signal interrupted. */
	next.pc_is_return = !(walk->function && walk->function->flags & JF_CFI_SIGNAL);
	set_known(&next, backend->ra, false);
	next.regs.value[backend->sp] = walk->cfa;
	set_known(&next, backend->sp, true);
	*walk = next;
	return locate(walk);
}

bool jf_walk_reg(const struct jf_walk *walk, uint8_t reg, uint64_t *value)
{
	if (reg >= walk->backend->reg_count || !is_known(walk, reg))
		return false;
	*value = walk->regs.value[reg];
	return true;
}

uint64_t jf_walk_sp(const struct jf_walk *walk)
{
	return walk->regs.value[walk->backend->sp];
}

uint64_t jf_walk_fp(const struct jf_walk *walk)
{
	return walk->regs.value[walk->backend->fp];
}
