/* SPDX-License-Identifier: BSD-2-Clause */
#include "interp.h"
#include "isa.h"

#include <string.h>

/* RFC 9669 section 5. */

struct access {
	uint64_t address;
	unsigned int bytes;
	bool there; /* else reads give 0 and writes nothing */
};

static unsigned int width(uint8_t opcode)
{
	switch (opcode & 0x18) {
	case B: return 1;
	case H: return 2;
	case W: return 4;
	default: return 8;
	}
}

static struct access find(struct interp_frame *f, const struct jf_insn *insn, unsigned int base, bool arena)
{
	struct access at = {f->reg[base] + (uint64_t)(int64_t)insn->off, width(insn->opcode), true};

	if (!arena && !f->arena[base])
		return at;
	at.address += f->in->arena_base;
	at.there = at.address >= f->in->arena_start && at.address < f->in->arena_end &&
		   at.bytes <= f->in->arena_end - at.address;
	return at;
}

static uint64_t read(const struct access *at)
{
	uint64_t value = 0;

	if (at->there)
		memcpy(&value, (const void *)(uintptr_t)at->address, at->bytes);
	return value;
}

static void write(const struct access *at, uint64_t value)
{
	if (at->there)
		memcpy((void *)(uintptr_t)at->address, &value, at->bytes);
}

static uint64_t extend(uint64_t value, unsigned int bytes)
{
	switch (bytes) {
	case 1: return (uint64_t)(int8_t)value;
	case 2: return (uint64_t)(int16_t)value;
	case 4: return (uint64_t)(int32_t)value;
	default: return value;
	}
}

/* The mark of the stack word that an instruction spills to or gets back from, or NULL. */
static bool *spilled(struct interp_frame *f, const struct jf_insn *insn, unsigned int base)
{
	if (base != R10 || insn->off >= 0 || insn->off % 8 || (insn->opcode & 0x18) != DW)
		return NULL;
	return &f->arena_spilled[-insn->off / 8];
}

static void set(struct interp_frame *f, unsigned int reg, uint64_t value)
{
	f->reg[reg] = value;
	f->arena[reg] = false;
}

static bool load(struct interp_frame *f, const struct jf_insn *insn)
{
	unsigned int mode = insn->opcode & 0xe0;
	struct access at = find(f, insn, interp_src(insn), mode == ARENA || mode == ARENA_SX);
	bool sign = mode == MEMSX || mode == ARENA_SX;
	const bool *arena = mode == MEM ? spilled(f, insn, interp_src(insn)) : NULL;

	if (mode != MEM && mode != ARENA && !(sign && at.bytes < 8))
		return false;
	set(f, interp_dst(insn), sign ? extend(read(&at), at.bytes) : read(&at));
	f->arena[interp_dst(insn)] = arena && *arena;
	return true;
}

static void store(struct interp_frame *f, const struct jf_insn *insn, bool arena)
{
	struct access at = find(f, insn, interp_dst(insn), arena);
	bool is_reg = (insn->opcode & 7) == STX;
	bool *mark = arena ? NULL : spilled(f, insn, interp_dst(insn));

	write(&at, is_reg ? f->reg[interp_src(insn)] : (uint64_t)(int64_t)insn->imm);
	if (mark)
		*mark = is_reg && f->arena[interp_src(insn)];
}

/* A read-modify-write. What it fetches is 0 when the memory is not there. */
static bool modify(struct interp_frame *f, const struct jf_insn *insn, const struct access *at)
{
	uint64_t mask = at->bytes == 8 ? UINT64_MAX : UINT32_MAX;
	uint64_t operand = f->reg[interp_src(insn)], old = read(at);
	unsigned int fetched = interp_src(insn);

	switch (insn->imm) {
	case ADD:
	case ADD | FETCH: write(at, old + operand); break;
	case OR:
	case OR | FETCH: write(at, old | operand); break;
	case AND:
	case AND | FETCH: write(at, old & operand); break;
	case XOR:
	case XOR | FETCH: write(at, old ^ operand); break;
	case XCHG: write(at, operand); break;
	case CMPXCHG:
		if (at->there && old == (f->reg[R0] & mask))
			write(at, operand);
		fetched = R0;
		break;
	default: return false;
	}
	if (insn->imm & FETCH)
		set(f, fetched, old);
	return true;
}

static bool atomic(struct interp_frame *f, const struct jf_insn *insn, bool arena)
{
	struct access at = find(f, insn, insn->imm == LOAD_ACQ ? interp_src(insn) : interp_dst(insn), arena);

	if (insn->imm == LOAD_ACQ) {
		set(f, interp_dst(insn), read(&at));
		return true;
	}
	if (insn->imm == STORE_REL) {
		write(&at, f->reg[interp_src(insn)]);
		return true;
	}
	return at.bytes >= 4 && modify(f, insn, &at);
}

/* Memory below and above R11 stands for arguments after the fifth. */
static bool argument(struct interp_frame *f, const struct jf_insn *insn)
{
	unsigned int number = (unsigned int)(insn->off < 0 ? -insn->off : insn->off) / 8 - 1;

	if (number >= ISA_STACK_ARGS_MAX)
		return false;
	if ((insn->opcode & 7) == LDX)
		set(f, interp_dst(insn), f->args_in[number]);
	else if ((insn->opcode & 7) == STX)
		f->args_out[number] = f->reg[interp_src(insn)];
	else
		f->args_out[number] = (uint64_t)(int64_t)insn->imm;
	return true;
}

bool interp_memory(struct interp_frame *f, const struct jf_insn *insn)
{
	unsigned int mode = insn->opcode & 0xe0;

	if (interp_dst(insn) == R11 || interp_src(insn) == R11)
		return argument(f, insn);
	if (interp_dst(insn) > R10 || interp_src(insn) > R10)
		return false;
	switch (insn->opcode & 7) {
	case LDX: return load(f, insn);
	case STX:
		if (mode == ATOMIC || mode == ARENA_ATOMIC)
			return atomic(f, insn, mode == ARENA_ATOMIC);
		/* fall through */
	case ST:
		if (mode != MEM && mode != ARENA)
			return false;
		store(f, insn, mode == ARENA);
		return true;
	default: return false;
	}
}
