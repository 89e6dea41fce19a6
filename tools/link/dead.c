/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <stdlib.h>

/*
 * Code that no path reaches. A kernel's verifier never sees such code and puts a jump to itself in the place of each
 * instruction; so nothing that stands there can refuse a program. Paths are followed whatever values decide: what a
 * verifier finds unreachable by values stays.
 */

#define JA     (JF_JMP_JA << 4 | JF_CLASS_JMP)
#define GOTOL  (JF_JMP_JA << 4 | JF_CLASS_JMP32)
#define GOTOX  (JA | 0x08) /* through a register */
#define UNWIND 0xfd        /* names a clean-up pad, see cleanup.c */

static const struct jf_insn to_itself = {.opcode = JA, .off = -1};

bool link_is_dead(const struct jf_insn *insn)
{
	return insn->opcode == to_itself.opcode && !insn->regs && insn->off == to_itself.off && !insn->imm;
}

/* Instructions that paths still have to be followed from; each stands there once. */
struct paths {
	const struct link_function *function;
	bool *reached;
	uint32_t *list;
	uint32_t count;
};

static void arrive(struct paths *paths, int64_t at)
{
	if (at < 0 || at >= paths->function->insn_count || paths->reached[at])
		return;
	paths->reached[at] = true;
	paths->list[paths->count++] = (uint32_t)at;
}

static bool is_jump(uint8_t opcode)
{
	uint8_t class = opcode & 7;

	return (class == JF_CLASS_JMP || class == JF_CLASS_JMP32) && opcode != JF_INSN_EXIT && opcode != JF_INSN_CALL &&
	       opcode != (JF_INSN_CALL | 0x08);
}

static void follow(struct paths *paths, uint32_t at)
{
	const struct jf_insn *insn = &paths->function->insns[at];
	bool ends = insn->opcode == JA || insn->opcode == GOTOL || insn->opcode == JF_INSN_EXIT;

	if (is_jump(insn->opcode))
		arrive(paths, (int64_t)at + 1 + (insn->opcode == GOTOL ? insn->imm : insn->off));
	if (!ends && insn->opcode == JF_INSN_LDDW && at + 1 < paths->function->insn_count) {
		paths->reached[at + 1] = true;
		arrive(paths, (int64_t)at + 2);
	} else if (!ends) {
		arrive(paths, (int64_t)at + 1);
	}
}

/* Where a register may lead is not looked at, and neither is where a throw goes: to clean-up pads. */
static bool has_other_ways(const struct link *link, const struct link_function *function)
{
	for (uint32_t i = 1; i < link->object.section_count; i++)
		if (section_is_cleanup(&link->object.sections[i]))
			return true;
	for (uint32_t i = 0; i < function->insn_count; i++)
		if (function->insns[i].opcode == GOTOX || function->insns[i].opcode == UNWIND)
			return true;
	return false;
}

static enum jf_status bury(struct link_function *function)
{
	struct paths paths = {.function = function};
	enum jf_status status = JF_E_NO_MEMORY;

	paths.reached = calloc(function->insn_count, sizeof(*paths.reached));
	paths.list = calloc(function->insn_count, sizeof(*paths.list));
	if (paths.reached && paths.list) {
		status = JF_OK;
		arrive(&paths, 0);
		while (paths.count)
			follow(&paths, paths.list[--paths.count]);
		for (uint32_t i = 0; i < function->insn_count; i++)
			if (!paths.reached[i])
				function->insns[i] = to_itself;
	}
	free(paths.reached);
	free(paths.list);
	return status;
}

enum jf_status link_dead(struct link *link)
{
	for (uint32_t i = 0; i < link->function_count; i++)
		if (!has_other_ways(link, &link->functions[i]) && bury(&link->functions[i]) != JF_OK)
			return link_fail(link, JF_E_NO_MEMORY, link->functions[i].name, "no memory");
	return JF_OK;
}
