/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen.h"

#include <string.h>

/*
 * The enumeration behind generate_single(): families of instructions one after the other, each with a
 * number of forms. A form's number is taken apart like one written in mixed bases.
 *
 *     context:   R0 .. R9 to begin with | R0 .. R9 at the end, flag | -          words
 *                                  from WORLD_CTX_DATA on: memory that the instruction accesses
 */
#define WORDS_IN     0
#define WORDS_OUT    (8 * 16)
#define MEMORY       WORLD_CTX_DATA
#define ARENA_MEMORY 256
#define FLAG         (-16) /* from R10: what a jump jumps over */

enum form_kind { FORM_ALU, FORM_JUMP, FORM_MEMORY };

/* One instruction, and the memory that it is to hit. */
struct form {
	struct jf_insn insn;
	enum form_kind kind;
	bool arena;
};

static uint32_t digit(uint32_t *number, uint32_t base)
{
	uint32_t value = *number % base;

	*number /= base;
	return value;
}

static struct jf_insn make(unsigned int opcode, unsigned int dst, unsigned int src, int off, int32_t imm)
{
	return (struct jf_insn){(uint8_t)opcode, (uint8_t)(dst | src << 4), (int16_t)off, imm};
}

/* ---- families ----------------------------------------------------------------------------------- */

/* Two operands. The second of a pair has offset 1: signed. */
static const struct {
	uint8_t code;
	int8_t off;
} alu_codes[] = {
	{ADD, 0}, {SUB, 0}, {MUL, 0}, {DIV, 0}, {DIV, 1}, {OR, 0},   {AND, 0}, {LSH, 0},
	{RSH, 0}, {MOD, 0}, {MOD, 1}, {XOR, 0}, {MOV, 0}, {ARSH, 0}, {MOV, 8}, {MOV, 16},
};
#define ALU_COUNT     16
#define ALU_IMM_COUNT 14 /* sign-extending moves have a register */

static struct form alu_reg(uint32_t n)
{
	unsigned int dst = digit(&n, 10), src = digit(&n, 10), class = digit(&n, 2) ? ALU64 : ALU;

	return (struct form){make(class | alu_codes[n].code | X, dst, src, alu_codes[n].off, 0), FORM_ALU, false};
}

static struct form alu_imm(uint32_t n)
{
	unsigned int dst = digit(&n, 10), class = digit(&n, 2) ? ALU64 : ALU;
	int32_t imm = edge_imms[digit(&n, EDGE_IMMS)];

	return (struct form){make(class | alu_codes[n].code | K, dst, 0, alu_codes[n].off, imm), FORM_ALU, false};
}

/* Swaps of three widths, negations, sign extension of 32 bits. */
static struct form alu_one(uint32_t n)
{
	unsigned int dst = digit(&n, 10), src = digit(&n, 10);
	struct jf_insn insn;

	if (n < 3)
		insn = make(ALU | END | K, dst, 0, 0, 16 << n);
	else if (n < 6)
		insn = make(ALU | END | X, dst, 0, 0, 16 << (n - 3));
	else if (n < 9)
		insn = make(ALU64 | END | K, dst, 0, 0, 16 << (n - 6));
	else if (n < 11)
		insn = make((n == 9 ? ALU : ALU64) | NEG, dst, 0, 0, 0);
	else
		insn = make(ALU64 | MOV | X, dst, src, 32, 0);
	return (struct form){insn, FORM_ALU, false};
}

static const uint8_t jump_codes[] = {JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE};
#define JUMP_COUNT 11

static struct form jump_reg(uint32_t n)
{
	unsigned int dst = digit(&n, 10), src = digit(&n, 10), class = digit(&n, 2) ? JMP : JMP32;

	return (struct form){make(class | jump_codes[n] | X, dst, src, 1, 0), FORM_JUMP, false};
}

static struct form jump_imm(uint32_t n)
{
	unsigned int dst = digit(&n, 10), class = digit(&n, 2) ? JMP : JMP32;
	int32_t imm = edge_imms[digit(&n, EDGE_IMMS)];

	return (struct form){make(class | jump_codes[n] | K, dst, 0, 1, imm), FORM_JUMP, false};
}

static const uint8_t sizes[] = {B, H, W, DW};

static struct form load(uint32_t n, bool arena)
{
	unsigned int dst = digit(&n, 10), base = digit(&n, 10);
	int off = edge_offs[digit(&n, EDGE_OFFS)];
	unsigned int mode = n < 4 ? (arena ? ARENA : MEM) : (arena ? ARENA_SX : MEMSX);

	return (struct form){make(LDX | mode | sizes[n % 4], dst, base, off, 0), FORM_MEMORY, arena};
}

static struct form store_reg(uint32_t n, bool arena)
{
	unsigned int base = digit(&n, 10), src = digit(&n, 10);
	int off = edge_offs[digit(&n, EDGE_OFFS)];

	return (struct form){make(STX | (arena ? ARENA : MEM) | sizes[n], base, src, off, 0), FORM_MEMORY, arena};
}

static struct form store_imm(uint32_t n, bool arena)
{
	unsigned int base = digit(&n, 10);
	int off = edge_offs[digit(&n, EDGE_OFFS)];
	int32_t imm = edge_imms[digit(&n, EDGE_IMMS)];

	return (struct form){make(ST | (arena ? ARENA : MEM) | sizes[n], base, 0, off, imm), FORM_MEMORY, arena};
}

static const int32_t atomic_codes[] = {
	ADD, OR, AND, XOR, ADD | FETCH, OR | FETCH, AND | FETCH, XOR | FETCH, XCHG, CMPXCHG,
};

/* 4 and 8 bytes of every operation, then all widths of load-acquire and store-release. */
static struct form atomic(uint32_t n, bool arena)
{
	unsigned int dst = digit(&n, 10), src = digit(&n, 10), mode = arena ? ARENA_ATOMIC : ATOMIC;
	int off = edge_offs[digit(&n, EDGE_OFFS)];
	struct jf_insn insn;

	if (n < 20)
		insn = make(STX | mode | (n % 2 ? DW : W), dst, src, off, atomic_codes[n / 2]);
	else
		insn = make(STX | mode | sizes[n % 4], dst, src, off, n < 24 ? LOAD_ACQ : STORE_REL);
	return (struct form){insn, FORM_MEMORY, arena};
}

static struct form load_plain(uint32_t n)
{
	return load(n, false);
}
static struct form load_arena(uint32_t n)
{
	return load(n, true);
}
static struct form store_reg_plain(uint32_t n)
{
	return store_reg(n, false);
}
static struct form store_reg_arena(uint32_t n)
{
	return store_reg(n, true);
}
static struct form store_imm_plain(uint32_t n)
{
	return store_imm(n, false);
}
static struct form store_imm_arena(uint32_t n)
{
	return store_imm(n, true);
}
static struct form atomic_plain(uint32_t n)
{
	return atomic(n, false);
}
static struct form atomic_arena(uint32_t n)
{
	return atomic(n, true);
}

static struct form cast_user(uint32_t n)
{
	unsigned int dst = digit(&n, 10), src = digit(&n, 10);

	return (struct form){make(ALU64 | MOV | X, dst, src, MOV_CAST, n ? CAST_TO_USER : CAST_TO_ARENA), FORM_ALU,
			     false};
}

static const struct family {
	struct form (*form)(uint32_t n);
	uint32_t count;
	bool arena;
} families[] = {
	{alu_reg, 10 * 10 * 2 * ALU_COUNT, false},
	{alu_imm, 10 * 2 * EDGE_IMMS *ALU_IMM_COUNT, false},
	{alu_one, 10 * 10 * 12, false},
	{jump_reg, 10 * 10 * 2 * JUMP_COUNT, false},
	{jump_imm, 10 * 2 * EDGE_IMMS *JUMP_COUNT, false},
	{load_plain, 10 * 10 * EDGE_OFFS * 7, false},
	{store_reg_plain, 10 * 10 * EDGE_OFFS * 4, false},
	{store_imm_plain, 10 * EDGE_OFFS *EDGE_IMMS * 4, false},
	{atomic_plain, 10 * 10 * EDGE_OFFS * 28, false},
	{load_arena, 10 * 10 * EDGE_OFFS * 7, true},
	{store_reg_arena, 10 * 10 * EDGE_OFFS * 4, true},
	{store_imm_arena, 10 * EDGE_OFFS *EDGE_IMMS * 4, true},
	{atomic_arena, 10 * 10 * EDGE_OFFS * 28, true},
	{cast_user, 10 * 10 * 2, true},
};
#define FAMILY_COUNT (sizeof(families) / sizeof(families[0]))

uint32_t generate_single_count(const struct generate_opts *opts)
{
	uint32_t count = 0;

	for (size_t i = 0; i < FAMILY_COUNT; i++)
		if (opts->arena || !families[i].arena)
			count += families[i].count;
	return count;
}

static struct form find(uint32_t number)
{
	size_t i = 0;

	while (number >= families[i].count)
		number -= families[i++].count;
	return families[i].form(number);
}

/* ---- programs ----------------------------------------------------------------------------------- */

static unsigned int base_of(const struct jf_insn *insn)
{
	bool loads = (insn->opcode & 7) == LDX || ((insn->opcode & 7) == STX && insn->imm == LOAD_ACQ);

	return loads ? insn->regs >> 4 : insn->regs & 15;
}

/* The base register: the address that makes the instruction hit its memory. */
static void set_base(struct gen *g, const struct form *form)
{
	unsigned int base = base_of(&form->insn);

	if (form->arena) {
		/* Below the arena's start the 32-bit pointer wraps to its far end, where nothing is. */
		gen_put(g, ALU | MOV | K, base, 0, 0, ARENA_MEMORY - form->insn.off);
		return;
	}
	gen_put(g, LDX | MEM | DW, base, R10, -8, 0);
	gen_put(g, ALU64 | ADD | K, base, 0, 0, MEMORY - form->insn.off);
}

void generate_single(struct generated *out, const struct generate_opts *opts, uint32_t number, uint32_t *runs)
{
	struct form form = find(number);
	struct gen g = {.out = out, .opts = *opts, .function_count = 1};

	out->insn_count = 0;
	out->starts[0] = 0;
	gen_put(&g, STX | MEM | DW, R10, R1, -8, 0);
	gen_put(&g, ST | MEM | DW, R10, 0, FLAG, 0);
	for (unsigned int i = 0; i < 10; i++) {
		unsigned int reg = i < R1 ? R0 : i < 9 ? i + 1 : R1; /* R1 last */

		gen_put(&g, LDX | MEM | DW, reg, R1, WORDS_IN + 8 * (int)reg, 0);
	}
	if (form.kind == FORM_MEMORY)
		set_base(&g, &form);
	gen_put(&g, form.insn.opcode, form.insn.regs & 15, form.insn.regs >> 4, form.insn.off, form.insn.imm);
	if (form.kind == FORM_JUMP)
		gen_put(&g, ST | MEM | DW, R10, 0, FLAG, 1);
	/* All registers to the context, R0 by way of the stack. */
	gen_put(&g, STX | MEM | DW, R10, R0, -24, 0);
	gen_put(&g, LDX | MEM | DW, R0, R10, -8, 0);
	for (unsigned int reg = R1; reg < R10; reg++)
		gen_put(&g, STX | MEM | DW, R0, reg, WORDS_OUT + 8 * (int)reg, 0);
	gen_put(&g, LDX | MEM | DW, R1, R10, FLAG, 0);
	gen_put(&g, STX | MEM | DW, R0, R1, WORDS_OUT + 8 * 10, 0);
	gen_put(&g, LDX | MEM | DW, R0, R10, -24, 0);
	gen_put(&g, JMP | EXIT, 0, 0, 0, 0);
	gen_finish(&g);
	*runs = form.kind != FORM_MEMORY && form.insn.opcode & X ? EDGE_VALUES * EDGE_VALUES : EDGE_VALUES;
}

void generate_single_operands(uint32_t number, uint32_t run)
{
	struct form form = find(number);
	uint64_t values[10];

	for (unsigned int reg = 0; reg < 10; reg++)
		values[reg] = UINT64_C(0x1111111111111111) * reg + number;
	values[form.insn.regs & 15] = edge_values[run % EDGE_VALUES];
	if (form.insn.regs >> 4 != (form.insn.regs & 15) || run < EDGE_VALUES)
		values[form.insn.regs >> 4] = edge_values[run / EDGE_VALUES % EDGE_VALUES];
	if (form.kind == FORM_MEMORY) {
		uint64_t in_memory = edge_values[(run * 7 + number) % EDGE_VALUES];
		uint8_t *memory = form.arena ? world.arena + ARENA_MEMORY : world.ctx + MEMORY;

		/* Both ways of a comparison. */
		values[R0] = run % 2 ? in_memory : edge_values[(run + 1) % EDGE_VALUES];
		values[form.insn.regs >> 4] = edge_values[run % EDGE_VALUES];
		memcpy(memory, &in_memory, sizeof(in_memory));
	}
	memcpy(world.ctx + WORDS_IN, values, sizeof(values));
}
