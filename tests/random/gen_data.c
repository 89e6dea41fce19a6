/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen.h"

unsigned int gen_reg(struct gen *g)
{
	unsigned int reg;

	do
		reg = rng_below(&g->rng, 10);
	while (!(g->data & 1u << reg));
	return reg;
}

static unsigned int other_reg(struct gen *g, unsigned int than)
{
	unsigned int reg;

	do
		reg = gen_reg(g);
	while (reg == than);
	return reg;
}

void gen_value(struct gen *g, unsigned int reg)
{
	switch (rng_below(&g->rng, 4)) {
	case 0: gen_put(g, ALU64 | MOV | K, reg, 0, 0, edge_imm(&g->rng)); break;
	case 1: gen_put(g, ALU | MOV | K, reg, 0, 0, edge_imm(&g->rng)); break;
	default: gen_imm64(g, reg, edge_value(&g->rng)); break;
	}
}

void gen_ctx(struct gen *g, unsigned int dst)
{
	if (g->ctx_reg >= 0)
		gen_put(g, ALU64 | MOV | X, dst, (unsigned int)g->ctx_reg, 0, 0);
	else
		gen_put(g, LDX | MEM | DW, dst, R10, -8, 0);
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

static void swap(struct gen *g)
{
	static const uint8_t forms[] = {ALU | END | K, ALU | END | X, ALU64 | END | K};

	gen_put(g, forms[rng_below(&g->rng, 3)], gen_reg(g), 0, 0, 16 << rng_below(&g->rng, 3));
}

static void sign_extend(struct gen *g)
{
	bool wide = rng_percent(&g->rng, 50);

	gen_put(g, (wide ? ALU64 : ALU) | MOV | X, gen_reg(g), gen_reg(g), 8 << rng_below(&g->rng, wide ? 3 : 2), 0);
}

/* The BPF stack's address as an operand, without its value left behind. */
static void frame_pointer(struct gen *g)
{
	unsigned int reg = gen_reg(g), class = rng_percent(&g->rng, 50) ? ALU64 : ALU;
	int32_t imm = -(int32_t)rng_below(&g->rng, (uint32_t)-g->lo + 1);

	gen_put(g, ALU64 | MOV | X, reg, R10, 0, 0);
	gen_put(g, ALU64 | ADD | K, reg, 0, 0, imm);
	gen_put(g, class | SUB | X, reg, R10, 0, 0);
}

/* MIN / -1, which machines trap on, or get wrong in their own ways. */
static void overflow(struct gen *g)
{
	unsigned int dst = gen_reg(g), src = other_reg(g, dst), class = rng_percent(&g->rng, 50) ? ALU64 : ALU;
	unsigned int code = rng_percent(&g->rng, 50) ? DIV : MOD;

	gen_imm64(g, dst, class == ALU64 ? UINT64_C(1) << 63 : UINT64_C(1) << 31 | rng_next(&g->rng) << 32);
	if (rng_percent(&g->rng, 50)) {
		gen_put(g, class | code | K, dst, 0, 1, -1);
	} else {
		gen_put(g, class | MOV | K, src, 0, 0, -1);
		gen_put(g, class | code | X, dst, src, 1, 0);
	}
}

void gen_alu(struct gen *g)
{
	static const uint8_t codes[] = {ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH};
	unsigned int code = codes[rng_below(&g->rng, sizeof(codes))], class = rng_percent(&g->rng, 50) ? ALU64 : ALU;
	int off = (code == DIV || code == MOD) && rng_percent(&g->rng, 50);

	switch (rng_below(&g->rng, 20)) {
	case 0: swap(g); return;
	case 1: sign_extend(g); return;
	case 2: frame_pointer(g); return;
	case 3: overflow(g); return;
	default: break;
	}
	if (code == NEG)
		gen_put(g, class | NEG, gen_reg(g), 0, 0, 0);
	else if (rng_percent(&g->rng, 50))
		gen_put(g, class | code | X, gen_reg(g), gen_reg(g), off, 0);
	else
		gen_put(g, class | code | K, gen_reg(g), 0, off, edge_imm(&g->rng));
}

/* ---- memory ------------------------------------------------------------------------------------- */

/* Data that can be reached from a register. */
struct place {
	unsigned int base;
	int off; /* from base, of the first byte */
	unsigned int bytes;
	bool is_borrowed; /* the base is a data register, which needs a value again */
	bool is_stack;    /* the base must not become data */
	bool is_arena;
	bool is_arena_mode; /* by the opcode, not by a cast */
};

static struct place ctx_place(struct gen *g)
{
	struct place p = {.bytes = WORLD_CTX_DATA};

	if (g->ctx_reg >= 0 && rng_percent(&g->rng, 50)) {
		p.base = (unsigned int)g->ctx_reg;
		return p;
	}
	p.base = gen_reg(g);
	p.is_borrowed = true;
	gen_ctx(g, p.base);
	if (rng_percent(&g->rng, 60)) {
		p.off = edge_offs[rng_below(&g->rng, EDGE_OFFS)];
		if (p.off > INT16_MAX - WORLD_CTX_DATA)
			p.off -= WORLD_CTX_DATA;
		gen_put(g, ALU64 | ADD | K, p.base, 0, 0, -p.off);
	}
	return p;
}

static struct place stack_place(struct gen *g)
{
	struct place p = {.base = R10, .off = g->lo, .bytes = (unsigned int)(g->hi - g->lo), .is_stack = true};
	int down;

	if (rng_percent(&g->rng, 60))
		return p;
	down = (int)rng_below(&g->rng, (uint32_t)-g->lo + 1);
	p.base = gen_reg(g);
	p.is_borrowed = true;
	gen_put(g, ALU64 | MOV | X, p.base, R10, 0, 0);
	gen_put(g, ALU64 | ADD | K, p.base, 0, 0, -down);
	p.off += down;
	return p;
}

/* One in six is nowhere: far behind the arena's memory, or below it. */
static struct place arena_place(struct gen *g)
{
	struct place p = {.base = gen_reg(g), .bytes = WORLD_ARENA_COMPARED, .is_borrowed = true, .is_arena = true};
	int32_t at = 0;

	if (rng_percent(&g->rng, 15)) {
		at = (int32_t)(0x20000 + (rng_next(&g->rng) & 0xfff80000));
		p.off = edge_offs[rng_below(&g->rng, EDGE_OFFS)] / 16 * 8;
	} else if (rng_percent(&g->rng, 50)) {
		at = (int32_t)rng_below(&g->rng, WORLD_ARENA_COMPARED);
		p.off = -at;
	}
	p.is_arena_mode = rng_percent(&g->rng, 50);
	gen_put(g, ALU | MOV | K, p.base, 0, 0, at);
	if (p.is_arena_mode)
		return p;
	gen_put(g, ALU64 | MOV | X, p.base, p.base, MOV_CAST, CAST_TO_ARENA);
	/* By way of the stack, or of another register: it stays an arena pointer. */
	if (g->hi > g->lo && rng_percent(&g->rng, 25)) {
		int word = g->lo + 8 * (int)rng_below(&g->rng, (uint32_t)(g->hi - g->lo) / 8);

		gen_put(g, STX | MEM | DW, R10, p.base, word, 0);
		p.base = gen_reg(g);
		gen_put(g, LDX | MEM | DW, p.base, R10, word, 0);
	} else if (rng_percent(&g->rng, 25)) {
		unsigned int copy = gen_reg(g);

		gen_put(g, ALU64 | MOV | X, copy, p.base, 0, 0);
		p.base = copy;
	}
	return p;
}

static struct place any_place(struct gen *g)
{
	if (g->opts.arena && rng_percent(&g->rng, 25))
		return arena_place(g);
	if (g->hi > g->lo && rng_percent(&g->rng, 40))
		return stack_place(g);
	return ctx_place(g);
}

/* At most 8 bytes, and no more than there are. */
static unsigned int log2_size(struct gen *g, const struct place *p)
{
	unsigned int log2 = rng_below(&g->rng, 4);

	while (1u << log2 > p->bytes)
		log2--;
	return log2;
}

static const uint8_t sizes[] = {B, H, W, DW};

/* returns: the register that it loads. */
static unsigned int load(struct gen *g, const struct place *p)
{
	unsigned int log2 = log2_size(g, p), dst = gen_reg(g);
	bool sign = log2 < 3 && rng_percent(&g->rng, 30);
	unsigned int mode = p->is_arena_mode ? (sign ? ARENA_SX : ARENA) : (sign ? MEMSX : MEM);
	int off = p->off + (int)rng_below(&g->rng, p->bytes - (1u << log2) + 1);

	gen_put(g, LDX | mode | sizes[log2], dst, p->base, off, 0);
	return dst;
}

static void store(struct gen *g, const struct place *p)
{
	unsigned int log2 = log2_size(g, p), mode = p->is_arena_mode ? ARENA : MEM;
	int off = p->off + (int)rng_below(&g->rng, p->bytes - (1u << log2) + 1);

	if (rng_percent(&g->rng, 50))
		gen_put(g, ST | mode | sizes[log2], p->base, 0, off, edge_imm(&g->rng));
	else
		gen_put(g, STX | mode | sizes[log2], p->base, p->is_stack ? other_reg(g, p->base) : gen_reg(g), off, 0);
}

/*
 * Aligned, which every place's first byte is: others fault on some machines, and BPF does not promise
 * them. returns: the register that it loads, or R10.
 */
static unsigned int atomic(struct gen *g, const struct place *p)
{
	static const int32_t codes[] = {
		ADD, OR, AND, XOR, ADD | FETCH, OR | FETCH, AND | FETCH, XOR | FETCH, XCHG, CMPXCHG,
	};
	unsigned int mode = p->is_arena_mode ? ARENA_ATOMIC : ATOMIC, log2 = log2_size(g, p);
	unsigned int src = p->is_stack ? other_reg(g, p->base) : gen_reg(g), dst = gen_reg(g);
	int off = p->off + (int)((rng_below(&g->rng, p->bytes - (1u << log2) + 1) >> log2) << log2);
	int32_t code = codes[rng_below(&g->rng, 10)];

	if (rng_percent(&g->rng, 20)) {
		gen_put(g, STX | mode | sizes[log2], dst, p->base, off, LOAD_ACQ);
		return dst;
	}
	if (log2 < 2 || rng_percent(&g->rng, 10))
		code = STORE_REL;
	gen_put(g, STX | mode | sizes[log2], p->base, src, off, code);
	return code == CMPXCHG ? R0 : code & FETCH ? src : R10;
}

void gen_memory(struct gen *g)
{
	struct place p = any_place(g);
	unsigned int loaded = R10;

	switch (rng_below(&g->rng, 3)) {
	case 0: loaded = load(g, &p); break;
	case 1: store(g, &p); break;
	default: loaded = atomic(g, &p); break;
	}
	if (p.is_borrowed && p.base != loaded)
		gen_value(g, p.base);
}

static void cast_user(struct gen *g)
{
	gen_put(g, ALU64 | MOV | X, gen_reg(g), gen_reg(g), MOV_CAST, CAST_TO_USER);
}

/* a = (b + base) - (0 + base), so that no address stays. */
static void per_cpu(struct gen *g)
{
	unsigned int a = gen_reg(g), c = other_reg(g, a);

	gen_put(g, ALU64 | MOV | X, a, gen_reg(g), MOV_PER_CPU, 0);
	gen_put(g, ALU64 | MOV | K, c, 0, 0, 0);
	gen_put(g, ALU64 | MOV | X, c, c, MOV_PER_CPU, 0);
	gen_put(g, ALU64 | SUB | X, a, c, 0, 0);
	gen_value(g, c);
}

void gen_straight(struct gen *g)
{
	uint32_t which = rng_below(&g->rng, 100);

	if (which < 55)
		gen_alu(g);
	else if (which < 62)
		gen_value(g, gen_reg(g));
	else if (which < 65 && g->opts.arena)
		cast_user(g);
	else if (which < 67 && g->opts.per_cpu)
		per_cpu(g);
	else
		gen_memory(g);
}

/* Compare-and-exchange far from its base register: nine instructions each on a machine that has few. */
void gen_bulk(struct gen *g, uint32_t end)
{
	unsigned int base = other_reg(g, R0);
	int off = 32000;

	gen_ctx(g, base);
	gen_put(g, ALU64 | ADD | K, base, 0, 0, -off);
	g->data &= (uint16_t) ~(1u << base);
	while (gen_here(g) < end)
		gen_put(g, STX | ATOMIC | DW, base, gen_reg(g), off + 8 * (int)rng_below(&g->rng, WORLD_CTX_DATA / 8),
			CMPXCHG);
	g->data |= (uint16_t)(1u << base);
	gen_value(g, base);
}
