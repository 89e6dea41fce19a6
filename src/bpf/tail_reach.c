/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

#include <stdlib.h>

/*
 * From which functions a tail call can be reached, by calls or by code addresses that C may call: those keep
 * the count, the others do without. Each function has a list of those that refer to it; whoever is found to
 * reach a tail call goes onto a pile, and from there to all that refer to it.
 */
struct reference {
	uint32_t from; /* function */
	uint32_t next; /* in the list of the same target: index + 1, 0 = end */
};

static bool refers(const struct jf_insn *insn)
{
	switch (jf_insn_kind(insn)) {
	case JF_OP_CALL: return jf_insn_src(insn) == JF_SRC_FUNCTION;
	case JF_OP_IMM64: return jf_insn_src(insn) == JF_SRC_CODE;
	default: return false;
	}
}

static uint32_t count_references(const struct jf_compiler *c)
{
	uint32_t count = 0;

	for (uint32_t f = 0; f < c->program->function_count; f++)
		for (uint32_t i = 0; i < c->units[f].function->insn_count; i++)
			count += !(c->units[f].flags[i] & JF_INSN_SECOND) && refers(&c->units[f].function->insns[i]);
	return count;
}

static void fill_lists(const struct jf_compiler *c, struct reference *references, uint32_t *first)
{
	uint32_t count = 0;

	for (uint32_t f = 0; f < c->program->function_count; f++) {
		const struct jf_function *function = c->units[f].function;

		for (uint32_t i = 0; i < function->insn_count; i++) {
			uint32_t target = (uint32_t)function->insns[i].imm;

			if (c->units[f].flags[i] & JF_INSN_SECOND || !refers(&function->insns[i]))
				continue;
			references[count] = (struct reference){f, first[target]};
			first[target] = ++count;
		}
	}
}

enum jf_status jf_compiler_reach_tail_calls(struct jf_compiler *c, struct jf_usage *usage)
{
	uint32_t functions = c->program->function_count, pile_count = 0;
	struct reference *references;
	uint32_t *first, *pile;

	if (!c->uses_tail_calls)
		return JF_OK;
	references = calloc((size_t)count_references(c) + 1, sizeof(*references));
	first = calloc(functions, sizeof(*first));
	pile = calloc(functions, sizeof(*pile));
	if (references && first && pile) {
		fill_lists(c, references, first);
		for (uint32_t f = 0; f < functions; f++) {
			usage[f].reaches_tail_call = usage[f].tail_call;
			if (usage[f].tail_call)
				pile[pile_count++] = f;
		}
		while (pile_count > 0) {
			uint32_t target = pile[--pile_count];

			for (uint32_t r = first[target]; r; r = references[r - 1].next) {
				uint32_t from = references[r - 1].from;

				if (!usage[from].reaches_tail_call)
					pile[pile_count++] = from;
				usage[from].reaches_tail_call = true;
			}
		}
	}
	free(pile);
	free(first);
	free(references);
	return references && first && pile ? JF_OK : jf_compiler_no_memory(c);
}
