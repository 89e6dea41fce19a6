/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- instructions ------------------------------------------------------------------------------- */

void gen_put(struct gen *g, unsigned int opcode, unsigned int dst, unsigned int src, int off, int32_t imm)
{
	struct generated *out = g->out;

	if (out->insn_count == out->insn_capacity) {
		out->insn_capacity = out->insn_capacity ? 2 * out->insn_capacity : 1024;
		out->insns = realloc(out->insns, out->insn_capacity * sizeof(*out->insns));
		if (!out->insns) {
			perror("jf-random");
			exit(2);
		}
	}
	out->insns[out->insn_count++] = (struct jf_insn){
		.opcode = (uint8_t)opcode,
		.regs = (uint8_t)(dst | src << 4),
		.off = (int16_t)off,
		.imm = imm,
	};
}

void gen_patch(struct gen *g, uint32_t at, uint32_t target)
{
	struct jf_insn *insn = &g->out->insns[at];
	int32_t distance = (int32_t)(target - at - 1);

	if (insn->opcode == (JMP32 | JA))
		insn->imm = distance;
	else
		insn->off = (int16_t)distance;
}

void gen_imm64(struct gen *g, unsigned int dst, uint64_t value)
{
	gen_put(g, LD | IMM | DW, dst, 0, 0, (int32_t)value);
	gen_put(g, 0, 0, 0, 0, (int32_t)(value >> 32));
}

/* ---- functions ---------------------------------------------------------------------------------- */

/* Which registers the function uses for what, and how much stack. */
static void choose_frame(struct gen *g)
{
	uint32_t words = rng_percent(&g->rng, 20) ? 32 : rng_below(&g->rng, 8), reserved = 0, deep = 0;

	g->data = 0x3f | (uint16_t)(rng_below(&g->rng, 16) << R6);
	g->ctx_reg = -1;
	if (rng_percent(&g->rng, 50)) {
		g->ctx_reg = R6 + (int)rng_below(&g->rng, 4);
		g->data &= (uint16_t) ~(1u << g->ctx_reg);
	} else {
		reserved = 4; /* context, R0, two loop counters */
	}
	g->loop_slot[0] = -24;
	g->loop_slot[1] = -32;
	if (rng_percent(&g->rng, 10))
		deep = rng_below(&g->rng, g->opts.stack_max_bytes / 8 - words - reserved);
	g->hi = (int16_t)(-8 * (int)(reserved + deep));
	g->lo = (int16_t)(g->hi - 8 * (int)words);
}

static void set_up(struct gen *g)
{
	if (g->ctx_reg >= 0)
		gen_put(g, ALU64 | MOV | X, (unsigned int)g->ctx_reg, R1, 0, 0);
	else
		gen_put(g, STX | MEM | DW, R10, R1, -8, 0);
	for (int off = g->lo; off < g->hi; off += 8)
		gen_put(g, ST | MEM | DW, R10, 0, off, edge_imm(&g->rng));
	for (unsigned int reg = R0; reg < R10; reg++) {
		/* A subprogram has data in R2-R5 already. */
		if (g->data & 1u << reg && (g->function == 0 || reg < R2 || reg > R5 || rng_percent(&g->rng, 20)))
			gen_value(g, reg);
	}
	for (int i = 1; i <= g->in_args[g->function]; i++)
		gen_put(g, LDX | MEM | DW, gen_reg(g), R11, 8 * i, 0);
}

/* R0-R9 to the context, behind its data. */
static void dump(struct gen *g)
{
	unsigned int ctx = g->ctx_reg >= 0 ? (unsigned int)g->ctx_reg : R0;

	if (g->ctx_reg < 0) {
		gen_put(g, STX | MEM | DW, R10, R0, -16, 0);
		gen_ctx(g, R0);
	}
	for (unsigned int reg = R0; reg < R10; reg++)
		if (g->data & 1u << reg)
			gen_put(g, STX | MEM | DW, ctx, reg, WORLD_CTX_DATA + 8 * (int)reg, 0);
	if (g->ctx_reg < 0) {
		gen_put(g, LDX | MEM | DW, R1, R10, -16, 0);
		gen_put(g, STX | MEM | DW, R0, R1, WORLD_CTX_DATA, 0);
		gen_put(g, ALU64 | MOV | X, R0, R1, 0, 0);
	}
}

static void begin_function(struct gen *g, uint32_t number, uint32_t insns)
{
	g->function = number;
	g->out->starts[number] = gen_here(g);
	g->end = gen_here(g) + insns;
	g->loops = 0;
	g->nesting = 0;
	g->out->tables[number] = (struct jf_cleanups){NULL, 0};
	choose_frame(g);
	set_up(g);
}

static void end_function(struct gen *g)
{
	if (g->function == 0)
		dump(g);
	gen_put(g, JMP | EXIT, 0, 0, 0, 0);
}

/* A way out in the middle; what is behind it goes on with `over`. */
static void leave_early(struct gen *g)
{
	uint32_t over = gen_branch(g);

	end_function(g);
	gen_patch(g, over, gen_here(g));
}

static void short_function(struct gen *g, uint32_t number)
{
	begin_function(g, number, 20 + rng_below(&g->rng, 120));
	gen_statements(g, 2 + rng_below(&g->rng, 16));
	if (rng_percent(&g->rng, 30)) {
		leave_early(g);
		gen_statements(g, 1 + rng_below(&g->rng, 8));
	}
	end_function(g);
	gen_pads(g);
}

/* ---- programs ----------------------------------------------------------------------------------- */

static void begin(struct gen *g, struct generated *out, const struct generate_opts *opts, uint64_t seed,
		  uint32_t functions)
{
	*g = (struct gen){.rng = {seed}, .opts = *opts, .out = out, .function_count = functions};
	out->insn_count = 0;
	g->opts.arena = opts->arena && rng_percent(&g->rng, 40);
	g->opts.per_cpu = opts->per_cpu && rng_percent(&g->rng, 20);
	g->calls = rng_percent(&g->rng, 70);
	g->throws = opts->throws && functions > 1 && rng_percent(&g->rng, 40);
	for (uint32_t i = 1; opts->stack_args && i < functions; i++)
		if (rng_percent(&g->rng, 30))
			g->in_args[i] = (uint8_t)(1 + rng_below(&g->rng, opts->stack_args));
}

void gen_finish(struct gen *g)
{
	static const char *const names[GENERATE_FUNCTIONS_MAX] = {"main", "one", "two", "three", "four"};
	struct generated *out = g->out;

	out->starts[g->function_count] = out->insn_count;
	for (uint32_t i = 0; i < g->function_count; i++) {
		out->functions[i].name = names[i];
		out->functions[i].insns = out->insns + out->starts[i];
		out->functions[i].insn_count = out->starts[i + 1] - out->starts[i];
	}
	out->program = (struct jf_program){
		.size = sizeof(out->program),
		.functions = out->functions,
		.function_count = g->function_count,
		.callback = -1,
		.helpers = world_helpers,
		.helper_count = HELPER_COUNT,
		.kfuncs = world_kfuncs,
		.kfunc_count = KFUNC_COUNT,
		.arena_user_base = world.user_base,
		.call_register = world_call_register,
		.cleanups = g->throws && g->opts.cleanups ? out->tables : NULL,
	};
}

void generate_mixed(struct generated *out, const struct generate_opts *opts, uint64_t seed)
{
	struct rng rng = {~seed};
	struct gen g;

	begin(&g, out, opts, seed, 1 + (rng_percent(&rng, 50) ? rng_below(&rng, GENERATE_FUNCTIONS_MAX) : 0));
	for (uint32_t i = 0; i < g.function_count; i++)
		short_function(&g, i);
	gen_finish(&g);
}

/* BPF's own offsets reach 32767 instructions; a little is for how a filler begins and ends. */
#define FILLER_MAX 32600

/* Straight code: of every kind, or as much of it as one branch can go over. */
static void filler(struct gen *g)
{
	uint32_t end = gen_here(g) + FILLER_MAX;

	if (rng_percent(&g->rng, 50))
		gen_bulk(g, end);
	else
		end = gen_here(g) + 1000 + rng_below(&g->rng, FILLER_MAX - 1000);
	while (gen_here(g) < end)
		gen_straight(g);
}

void generate_long(struct generated *out, const struct generate_opts *opts, uint64_t seed)
{
	struct gen g;
	unsigned int counter;
	uint32_t at, start;

	begin(&g, out, opts, seed, 2);
	begin_function(&g, 0, UINT32_MAX / 2);
	counter = g.ctx_reg == R9 ? R8 : R9;
	g.data &= (uint16_t) ~(1u << counter);
	at = gen_branch(&g);
	filler(&g);
	gen_patch(&g, at, gen_here(&g));
	/* Twice around, over a body that is as long. */
	gen_put(&g, ALU64 | MOV | K, counter, 0, 0, 2);
	start = gen_here(&g);
	filler(&g);
	gen_put(&g, ALU64 | ADD | K, counter, 0, 0, -1);
	gen_put(&g, JMP | JNE | K, counter, 0, 0, 0);
	gen_patch(&g, gen_here(&g) - 1, start);
	at = gen_here(&g);
	gen_put(&g, JMP32 | JA, 0, 0, 0, 0);
	filler(&g);
	gen_patch(&g, at, gen_here(&g));
	gen_statements(&g, 20);
	end_function(&g);
	gen_pads(&g);
	short_function(&g, 1);
	gen_finish(&g);
}

void generated_free(struct generated *out)
{
	free(out->insns);
	out->insns = NULL;
	out->insn_capacity = 0;
}
