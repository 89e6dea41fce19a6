/* SPDX-License-Identifier: BSD-2-Clause */
#include "gen.h"

#define NESTING_MAX 3
#define LOOPS_MAX   2

uint32_t gen_branch(struct gen *g)
{
	static const uint8_t codes[] = {JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE};
	unsigned int code = codes[rng_below(&g->rng, sizeof(codes))], class = rng_percent(&g->rng, 50) ? JMP : JMP32;
	unsigned int dst = gen_reg(g);
	uint32_t at = gen_here(g);

	if (rng_percent(&g->rng, 50))
		gen_put(g, class | code | X, dst, gen_reg(g), 0, 0);
	else
		gen_put(g, class | code | K, dst, 0, 0, edge_imm(&g->rng));
	return at;
}

static void block(struct gen *g, unsigned int most)
{
	g->nesting++;
	gen_statements(g, rng_below(&g->rng, most + 1));
	g->nesting--;
}

static void if_else(struct gen *g)
{
	uint32_t over = gen_branch(g), end;

	block(g, 6);
	if (rng_percent(&g->rng, 50)) {
		gen_patch(g, over, gen_here(g));
		return;
	}
	end = gen_here(g);
	gen_put(g, (rng_percent(&g->rng, 50) ? JMP : JMP32) | JA, 0, 0, 0, 0);
	gen_patch(g, over, gen_here(g));
	block(g, 6);
	gen_patch(g, end, gen_here(g));
}

/* Counts down in a register that the body keeps its hands off, or on the stack. */
static void loop(struct gen *g)
{
	static const uint8_t ends[] = {JMP | JNE | K, JMP32 | JNE | K, JMP | JSGT | K, JMP32 | JGT | K};
	unsigned int reg = R6 + rng_below(&g->rng, 4), times = 1 + rng_below(&g->rng, 4);
	bool in_reg = g->data & 1u << reg && rng_percent(&g->rng, 50);
	bool limited = rng_percent(&g->rng, 30);
	uint32_t start, leave = 0;

	if (!in_reg && g->ctx_reg >= 0)
		return; /* no stack */
	g->loops++;
	if (in_reg) {
		gen_put(g, ALU64 | MOV | K, reg, 0, 0, (int32_t)times);
		g->data &= (uint16_t) ~(1u << reg);
	} else {
		gen_put(g, ST | MEM | DW, R10, 0, g->loop_slot[g->loops - 1], (int32_t)times);
	}
	start = gen_here(g);
	if (limited) {
		leave = gen_here(g);
		gen_put(g, JMP | JCOND, 0, 0, 0, 0);
	}
	block(g, 6);
	if (in_reg) {
		g->data |= (uint16_t)(1u << reg);
	} else {
		reg = gen_reg(g);
		gen_put(g, LDX | MEM | DW, reg, R10, g->loop_slot[g->loops - 1], 0);
	}
	gen_put(g, ALU64 | ADD | K, reg, 0, 0, -1);
	if (!in_reg)
		gen_put(g, STX | MEM | DW, R10, reg, g->loop_slot[g->loops - 1], 0);
	gen_put(g, ends[rng_below(&g->rng, sizeof(ends))], reg, 0, 0, 0);
	gen_patch(g, gen_here(g) - 1, start);
	if (limited)
		gen_patch(g, leave, gen_here(g));
	g->loops--;
}

/* ---- calls -------------------------------------------------------------------------------------- */

/* What the callee may have overwritten gets values again; the result may stay somewhere else. */
static void after_call(struct gen *g)
{
	if (rng_percent(&g->rng, 50))
		gen_put(g, ALU64 | MOV | X, gen_reg(g), R0, 0, 0);
	for (unsigned int reg = R1; reg <= R5; reg++)
		gen_value(g, reg);
}

static void put_args(struct gen *g, unsigned int count)
{
	for (unsigned int i = 1; i <= count; i++) {
		if (rng_percent(&g->rng, 50))
			gen_put(g, STX | MEM | DW, R11, gen_reg(g), -8 * (int)i, 0);
		else
			gen_put(g, ST | MEM | DW, R11, 0, -8 * (int)i, edge_imm(&g->rng));
	}
}

static void call_helper(struct gen *g)
{
	unsigned int helper = rng_below(&g->rng, HELPER_COUNT);

	if (helper == HELPER_WRITE)
		gen_ctx(g, R1);
	gen_put(g, JMP | CALL, 0, HELPER, 0, (int32_t)helper);
}

static void call_kfunc(struct gen *g)
{
	unsigned int most = g->in_pad && !g->opts.pad_args ? 0 : g->opts.c_stack_args;
	unsigned int more = rng_below(&g->rng, most + 1);
	unsigned int kfunc = more == 0 ? KFUNC_MIX5 : more == 1 ? KFUNC_MIX6 : more < 7 ? KFUNC_MIX7 : KFUNC_MIX12;

	if (world_kfuncs[kfunc].arg_count)
		put_args(g, world_kfuncs[kfunc].arg_count - 5u);
	gen_put(g, JMP | CALL, 0, RUNTIME, 0, (int32_t)kfunc);
}

/* The call that was put last gets a pad; `from`: where the record begins. */
static void cover(struct gen *g, uint32_t from)
{
	struct jf_cleanups *table = &g->out->tables[g->function];
	struct jf_cleanup *record = &g->out->records[g->function][table->count];
	uint32_t start = g->out->starts[g->function];

	if (table->count == GENERATE_RECORDS_MAX)
		return;
	if (table->count && record[-1].end > from - start)
		from = gen_here(g) - 1;
	*record = (struct jf_cleanup){from - start, gen_here(g) - start, 0};
	table->list = g->out->records[g->function];
	table->count++;
}

static void call_function(struct gen *g)
{
	uint32_t callee = g->function + 1 + rng_below(&g->rng, g->function_count - g->function - 1);

	put_args(g, g->in_args[callee]);
	gen_ctx(g, R1);
	gen_put(g, JMP | CALL, 0, LOCAL, 0, (int32_t)callee);
	if (g->throws && g->opts.cleanups && rng_percent(&g->rng, 80))
		cover(g, gen_here(g) - 1 - (rng_percent(&g->rng, 20) ? 1 : 0));
}

void gen_throw(struct gen *g)
{
	uint32_t over = gen_branch(g);

	gen_put(g, ALU64 | MOV | X, R1, gen_reg(g), 0, 0);
	gen_put(g, JMP | CALL, 0, RUNTIME, 0, KFUNC_THROW);
	gen_patch(g, over, gen_here(g));
}

/* R0 to R5 are 0 at a pad, and the others hold what they did at the call. */
void gen_pads(struct gen *g)
{
	struct jf_cleanups *table = &g->out->tables[g->function];
	struct jf_cleanup *records = g->out->records[g->function];
	uint32_t start = g->out->starts[g->function];

	g->in_pad = true;
	g->end = UINT32_MAX;
	for (uint32_t i = 0; i < table->count; i++) {
		/* Some share one. */
		if (i && rng_percent(&g->rng, 30)) {
			records[i].pad = records[i - 1].pad;
			continue;
		}
		records[i].pad = gen_here(g) - start;
		gen_statements(g, rng_below(&g->rng, 6));
		for (unsigned int reg = R1; reg <= R4; reg++)
			gen_put(g, ALU64 | MOV | X, reg, gen_reg(g), 0, 0);
		gen_put(g, JMP | CALL, 0, HELPER, 0, HELPER_MIX);
		gen_put(g, JMP | CALL, 0, RUNTIME, 0, KFUNC_RESUME);
	}
	g->in_pad = false;
}

void gen_call(struct gen *g)
{
	uint32_t which = rng_below(&g->rng, 100);

	/* In two loops calls would make programs too long to run. */
	if (which < 40 && g->function + 1 < g->function_count && g->loops < 2 && !(g->throws && g->in_pad))
		call_function(g);
	else if (which < 70)
		call_helper(g);
	else if (which < 85)
		call_kfunc(g);
	else
		gen_put(g, JMP | CALL | X, gen_reg(g), 0, 0, 0);
	after_call(g);
}

/* ---- statements --------------------------------------------------------------------------------- */

static void statement(struct gen *g)
{
	uint32_t which = rng_below(&g->rng, 100);

	if (which < 12 && g->nesting < NESTING_MAX)
		if_else(g);
	else if (which < 18 && g->nesting < NESTING_MAX && g->loops < LOOPS_MAX)
		loop(g);
	else if (which < 26 && g->calls)
		gen_call(g);
	else if (which < 31 && g->throws && !g->in_pad)
		gen_throw(g);
	else
		gen_straight(g);
}

void gen_statements(struct gen *g, unsigned int count)
{
	for (unsigned int i = 0; i < count && gen_here(g) < g->end; i++)
		statement(g);
}
