/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/unit.h"

#include "base/memory.h"

/*
 * From which functions a tail call, or a throw, can be reached, by calls or by code addresses that C may call. Each
 * function has a list of those that refer to it; whoever is found to reach it goes onto a pile, and from there to all
 * that refer to the function.
 */
struct reference {
	uint32_t from; /* function */
	uint32_t next; /* in the list of the same target: index + 1, 0 = end */
};

static uint32_t count_references(const struct jf_unit *units, uint32_t functions)
{
	uint32_t count = 0;

	for (uint32_t f = 0; f < functions; f++)
		for (uint32_t i = 0; i < units[f].function->insn_count; i++)
			count += !(units[f].flags[i] & JF_INSN_SECOND) &&
				 jf_insn_names_function(&units[f].function->insns[i]);
	return count;
}

static void fill_lists(const struct jf_unit *units, uint32_t functions, struct reference *references, uint32_t *first)
{
	uint32_t count = 0;

	for (uint32_t f = 0; f < functions; f++) {
		const struct jf_function *function = units[f].function;

		for (uint32_t i = 0; i < function->insn_count; i++) {
			uint32_t target = (uint32_t)function->insns[i].imm;

			if (units[f].flags[i] & JF_INSN_SECOND || !jf_insn_names_function(&function->insns[i]))
				continue;
			references[count] = (struct reference){f, first[target]};
			first[target] = ++count;
		}
	}
}

/* Each function is on the pile at most once. */
static void follow(const struct reference *references, const uint32_t *first, uint32_t *pile, uint32_t pile_count,
		   bool *marked)
{
	while (pile_count > 0) {
		uint32_t target = pile[--pile_count];

		for (uint32_t r = first[target]; r; r = references[r - 1].next) {
			uint32_t from = references[r - 1].from;

			if (!marked[from])
				pile[pile_count++] = from;
			marked[from] = true;
		}
	}
}

enum jf_status jf_units_spread(const struct jf_unit *units, uint32_t count, bool *marked)
{
	struct reference *references = jf_calloc((size_t)count_references(units, count) + 1, sizeof(*references));
	uint32_t *first = jf_calloc(count, sizeof(*first)), *pile = jf_calloc(count, sizeof(*pile));
	enum jf_status status = references && first && pile ? JF_OK : JF_E_NO_MEMORY;
	uint32_t pile_count = 0;

	if (status == JF_OK) {
		fill_lists(units, count, references, first);
		for (uint32_t f = 0; f < count; f++)
			if (marked[f])
				pile[pile_count++] = f;
		follow(references, first, pile, pile_count, marked);
	}
	jf_free(pile);
	jf_free(first);
	jf_free(references);
	return status;
}

/* Those that reach a tail call keep the count, the others do without. */
enum jf_status jf_units_reach_tail_calls(const struct jf_unit *units, uint32_t count, struct jf_usage *usage)
{
	bool *marked = jf_calloc(count, sizeof(*marked));
	enum jf_status status = JF_E_NO_MEMORY;

	for (uint32_t f = 0; marked && f < count; f++)
		marked[f] = usage[f].tail_calls != 0;
	if (marked)
		status = jf_units_spread(units, count, marked);
	for (uint32_t f = 0; status == JF_OK && f < count; f++)
		usage[f].reaches_tail_call = marked[f];
	jf_free(marked);
	return status;
}
