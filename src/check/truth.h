/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_TRUTH_H
#define JF_CHECK_TRUTH_H

#include "check/checker.h"

#include <jitframe/rows.h>

/* Rows of anybody, and what holds. */

enum truth {
	TRUTH_HOLDS,
	TRUTH_VAGUE, /* what holds is not known */
	TRUTH_LIES,
};

/* How a row lies, or what is not known. */
struct lie {
	uint8_t about; /* enum jf_rows_about */
	uint8_t reg;   /* or JF_REG_NONE */
	char says[64];
	char is[96];
};

/* CFA - the register that holds the value, a CFA + constant. */
static inline int64_t cfa_from(const struct value *value)
{
	return (int64_t)(0 - (uint64_t)value->imm);
}

/* A table: rows, and the slots that they refer to. */
struct table {
	const struct jf_row *rows;
	size_t row_count;
	const struct jf_slot *slots;
	unsigned int slot_count;
};

/* Whether a row says what is so. out: *lie, unless it HOLDS. */
enum truth truth_of_row(const struct checker *c, const struct state *state, const struct table *table,
			const struct jf_row *row, struct lie *lie);

/* Whether the row leaves the return address in its register. */
bool truth_keeps_link(const struct checker *c, const struct table *table, const struct jf_row *row);

/* What holds where a row is true, as far as the row says. */
void truth_believe(const struct checker *c, const struct table *table, const struct jf_row *row, struct state *state);

#endif
