/* SPDX-License-Identifier: BSD-2-Clause */
#include "compiler.h"

#include <stdlib.h>

/*
 * Branch sizes, between the first pass and the second. Without this every pass would find a few branches
 * that no longer reach, until none does; moving numbers is cheaper than emitting code.
 *
 * Code before a branch or a target moves by what the branches before it have grown, so for each branch
 * three numbers do: its distance in the first pass, and how many branches lie before it and before its
 * target.
 */
struct branch {
	uint32_t index;      /* BPF instruction */
	uint32_t before_to;  /* branches before the target */
	int32_t distance;    /* in the first pass, from the branch's end */
	uint8_t extra;       /* bytes that the long form is longer */
	bool is_long;        /* grown here, or in the first pass already */
	bool was_long;
};

static uint8_t extra_of(const struct jf_backend *backend, enum jf_op_kind kind)
{
	if (kind == JF_OP_JUMP)
		return backend->long_jump_extra;
	return kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_EXIT ? backend->long_jump_always_extra : 0;
}

/* rank[i] = branches before instruction i. returns: how many there are. */
static uint32_t find(const struct jf_unit *unit, const struct jf_backend *backend, struct branch *branches,
		     uint32_t *rank)
{
	const struct jf_function *function = unit->function;
	uint32_t count = 0;

	for (uint32_t i = 0; i < function->insn_count; i++) {
		enum jf_op_kind kind = jf_insn_kind(&function->insns[i]);

		rank[i] = count;
		if (unit->flags[i] & JF_INSN_SECOND || !extra_of(backend, kind))
			continue;
		branches[count].index = i;
		branches[count].extra = extra_of(backend, kind);
		branches[count].was_long = branches[count].is_long = unit->flags[i] & JF_INSN_LONG;
		count++;
	}
	rank[function->insn_count] = count;
	for (uint32_t k = 0; k < count; k++) {
		uint32_t i = branches[k].index;
		bool exits = jf_insn_kind(&function->insns[i]) == JF_OP_EXIT;
		uint32_t to = exits ? function->insn_count : (uint32_t)jf_jump_target(i, &function->insns[i]);

		branches[k].before_to = rank[to];
		branches[k].distance = (int32_t)(unit->insn_off[to] - unit->insn_off[i + 1]);
	}
	return count;
}

/* growth[k] = what the branches before branch k have grown. returns: whether one more no longer reaches. */
static bool look(struct branch *branches, uint32_t count, uint32_t *growth, int64_t reach)
{
	bool grown = false;

	growth[0] = 0;
	for (uint32_t k = 0; k < count; k++)
		growth[k + 1] = growth[k] + (branches[k].is_long && !branches[k].was_long ? branches[k].extra : 0);
	for (uint32_t k = 0; k < count; k++) {
		int64_t distance = (int64_t)branches[k].distance + growth[branches[k].before_to] - growth[k + 1];

		if (!branches[k].is_long && (distance < -reach || distance > reach)) {
			branches[k].is_long = true;
			grown = true;
		}
	}
	return grown;
}

/* returns: by how much the function has grown. */
static uint32_t relax_unit(struct jf_unit *unit, const struct jf_backend *backend)
{
	uint32_t insns = unit->function->insn_count, count, total = 0;
	struct branch *branches = malloc(insns * sizeof(*branches));
	uint32_t *rank = malloc(((size_t)insns + 1) * sizeof(*rank));
	uint32_t *growth = malloc(((size_t)insns + 1) * sizeof(*growth));

	/* Out of memory: later passes find the sizes. */
	if (branches && rank && growth) {
		count = find(unit, backend, branches, rank);
		while (look(branches, count, growth, backend->short_branch_reach))
			;
		for (uint32_t k = 0; k < count; k++)
			if (branches[k].is_long)
				unit->flags[branches[k].index] |= JF_INSN_LONG;
		for (uint32_t i = 0; i <= insns; i++)
			unit->insn_off[i] += growth[rank[i]];
		total = growth[count];
	}
	free(branches);
	free(rank);
	free(growth);
	return total;
}

void jf_compiler_relax(struct jf_compiler *c)
{
	const struct jf_backend *backend = c->conv->backend;
	struct jf_image_function *functions = c->image->functions;
	uint32_t end = 0;

	if (!backend->short_branch_reach)
		return;
	for (uint32_t i = 0; i < c->unit_count; i++)
		functions[i].size_bytes += relax_unit(&c->units[i], backend);
	for (uint32_t i = 0; i < c->image->function_count; i++) {
		functions[i].start = (end + JF_FUNCTION_ALIGN - 1) / JF_FUNCTION_ALIGN * JF_FUNCTION_ALIGN;
		end = functions[i].start + functions[i].size_bytes;
	}
}
