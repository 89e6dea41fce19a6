/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_PROVE_H
#define JF_CHECK_PROVE_H

#include "check/leader.h"
#include "check/truth.h"

/* A function of the platform ABI, followed with its table at hand or without one. */

/* What is known of a verdict's first place. */
struct proof_finding {
	bool found;
	uint32_t off;
	uint32_t row_off;
	struct lie lie;
	char why[128]; /* how it was met, behind the instruction's name */
};

struct prover {
	struct checker c;
	struct jf_check_input code; /* c.input: bytes and address alone */
	struct jf_convention plain; /* c.conv: nothing but the platform's alignment */
	struct sink sink;
	const struct jf_rows_input *input;
	struct table table; /* row_count 0: none, everything that is found is true */
	/* By leader: 0, or 1 and the place of the row on whose word alone it is reached (roots.c). */
	uint32_t *believed;
	uint32_t believing; /* the same of the block being followed */
	/* Without a table: by leader, whether it is reached from behind a call alone. */
	bool *is_weak, behind_call;
	uint32_t entry; /* where the code is entered */
	bool is_part;   /* the code begins in the middle of a function */
	bool returns;
	struct state state; /* of the block being followed */
	/* By row: what holds at calls and computed jumps where it is in force, of all of them together. NULL: not
	 * asked for yet, or none. */
	struct state **departures;
	bool has_departures;                    /* any: without, nothing leads to what no path has led to */
	unsigned int collections;               /* how often they were asked for */
	uint32_t collected_count;               /* leaders that were reached then */
	struct proof_finding untrue, undecided; /* the first of each */
	/* Of jf_rows_make(): called with what holds before each instruction. */
	void (*visit)(struct prover *p, const struct state *before, void *arg);
	void *visit_arg;
};

/* Prepares; *input is what the caller gave, held to its description. returns: JF_E_NO_MEMORY. */
enum jf_status prover_init(struct prover *p, const struct jf_rows_input *input, bool with_table);
void prover_fini(struct prover *p);

/* Every path, and then what no path has led to (roots.c). returns: JF_E_NO_MEMORY. */
enum jf_status prover_run(struct prover *p);

/* ---- where paths come to (arrive.c) ---------------------------------------------------------------------- */

/* A path comes to the instruction at `off` of this code: judged by the row there, and followed if that is true. */
void arrive_at(struct prover *p, const struct state *state, uint32_t off);
/* p->state leaves for an address outside of this code, or goes on behind the last instruction. */
void arrive_outside(struct prover *p, uint64_t address);
void arrive_behind(struct prover *p);

/* The row in force, NULL where there is none. */
const struct jf_row *prover_row(const struct prover *p, uint32_t off);

/* Keeps the first of its kind. */
void prover_note(struct prover *p, enum truth truth, uint32_t off, const struct jf_row *row, const struct lie *lie,
		 const char *why);

/* ---- blocks (follow.c) ----------------------------------------------------------------------------------- */

/* Follows all that is pending; the lowest of it is leader `first`. */
void follow_settle(struct prover *p, uint32_t first);
/* From one leader on. `collect`: keep what holds at calls and computed jumps in p->departures, and follow nothing. */
void follow_block(struct prover *p, uint32_t leader, bool collect);

/* How many places p->departures has. */
static inline size_t prover_departures(const struct prover *p)
{
	return p->table.row_count ? p->table.row_count : 2;
}

/* ---- what no path has led to (roots.c) ------------------------------------------------------------------- */

void roots_follow(struct prover *p);

/* *input = what the caller gave, held to its description (prove.c). */
enum jf_status prover_read_input(const struct jf_rows_input *in, struct jf_rows_input *input, bool with_table,
				 struct jf_error *error);

#endif
