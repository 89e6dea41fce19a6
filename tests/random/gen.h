/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_GEN_H
#define TESTS_RANDOM_GEN_H

#include "edges.h"
#include "generate.h"
#include "isa.h"
#include "rng.h"
#include "world.h"

/*
 * The generator's own state. Between statements every register in `data` has a value that is the same
 * in every run: pointers to the BPF stack, which is elsewhere each time, never stay in one.
 *
 *     R10 ->   +-----------------------------+
 *              | context's address           |  only when no register keeps it
 *              | R0, at the end of main      |
 *              | loop counters               |
 *              | -                           |  so that some frames are large
 *     hi ->    | data                        |
 *     lo ->    +-----------------------------+
 */
struct gen {
	struct rng rng;
	struct generate_opts opts; /* of this program */
	struct generated *out;
	uint32_t function;
	uint32_t function_count;
	uint16_t data;  /* registers for data, bit per register */
	int ctx_reg;    /* keeps the context's address; -1: the stack does */
	int16_t lo, hi; /* offsets from R10 of stack memory with data */
	int16_t loop_slot[2];
	unsigned int loops; /* around the present place */
	unsigned int nesting;
	bool calls;
	bool throws;
	bool in_pad;
	uint32_t end; /* the function is to be no longer than up to here, about */
	uint8_t in_args[GENERATE_FUNCTIONS_MAX];
};

/* ---- instructions ------------------------------------------------------------------------------- */

void gen_put(struct gen *g, unsigned int opcode, unsigned int dst, unsigned int src, int off, int32_t imm);
static inline uint32_t gen_here(const struct gen *g)
{
	return g->out->insn_count;
}
/* Makes the jump at `at` go to `target`. */
void gen_patch(struct gen *g, uint32_t at, uint32_t target);
void gen_imm64(struct gen *g, unsigned int dst, uint64_t value);
/* Makes a struct jf_program of the functions from out->starts, once nothing moves any more. */
void gen_finish(struct gen *g);

/* ---- data --------------------------------------------------------------------------------------- */

/* Any register with data. */
unsigned int gen_reg(struct gen *g);
/* Gives a register a value. */
void gen_value(struct gen *g, unsigned int reg);
/* dst = the context's address. */
void gen_ctx(struct gen *g, unsigned int dst);
/* One statement without control flow. */
void gen_alu(struct gen *g);
void gen_memory(struct gen *g);
void gen_straight(struct gen *g);
/* Statements of the kind that makes most machine code per instruction, up to `end`. */
void gen_bulk(struct gen *g, uint32_t end);

/* ---- control flow ------------------------------------------------------------------------------- */

/* A conditional jump to be patched. returns: where it is. */
uint32_t gen_branch(struct gen *g);
void gen_statements(struct gen *g, unsigned int count);
void gen_call(struct gen *g);
/* A throw that a condition goes past. */
void gen_throw(struct gen *g);
/* Behind the function's end: pads for the records that its calls have got. */
void gen_pads(struct gen *g);

#endif
