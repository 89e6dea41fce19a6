/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/walk.h"

#include "base/sized.h"

#include <string.h>

/* The walk as callers have it: their memory around struct walk, with the reader section that belongs to it. */

/* ---- starting and ending ------------------------------------------------------------------------------- */

enum jf_status jf_walk_read_opts(struct jf_walk_opts *opts, const struct jf_walk_opts *in)
{
	static const struct jf_walk_opts none = {.size = sizeof(none)};

	return jf_sized_read(opts, sizeof(*opts), sizeof(opts->size), in ? in : &none, "opts", NULL);
}

enum jf_status jf_walk_read_memory(struct jf_memory *memory, const struct jf_memory *in)
{
	return jf_sized_read(memory, sizeof(*memory), offsetof(struct jf_memory, read), in, "memory", NULL);
}

void jf_walk_clear(struct walk *walk)
{
	memset(walk, 0, offsetof(struct walk, room));
	walk->frame.size = sizeof(walk->frame);
}

void jf_walk_let_go(struct walk *walk)
{
	walk->plain_depth = 0;
	walk->frame.range = NULL;
	walk->frame.function = NULL;
	walk->frame.orc = NULL;
	walk->frame.row = NULL;
	walk->frame.slots = NULL;
	walk->frame.slot_count = 0;
	walk->frame.name = NULL;
}

enum jf_status jf_walk_refuse(struct walk *walk, enum jf_status status)
{
	jf_walk_clear(walk);
	return status;
}

enum jf_status jf_walk_started(struct walk *walk, unsigned int section, enum jf_status status)
{
	walk->has_section = status == JF_OK;
	walk->section = section;
	if (status != JF_OK) {
		jf_walk_let_go(walk);
		jf_code_map_leave(section);
	}
	return status;
}

enum jf_status jf_walk_start_with(struct jf_walk *walk, const struct jf_backend *backend,
				  const struct jf_memory *memory, const struct jf_regs *regs, uint64_t pc,
				  bool pc_is_return, const struct jf_walk_opts *opts)
{
	struct walk *inside = walk_inside(walk);
	struct jf_walk_opts known_opts;
	struct jf_memory known_memory;
	unsigned int section;

	if (!walk)
		return JF_E_INVAL;
	if (!backend || !memory || !regs || jf_walk_read_memory(&known_memory, memory) != JF_OK ||
	    jf_walk_read_opts(&known_opts, opts) != JF_OK)
		return jf_walk_refuse(inside, JF_E_INVAL);
	section = jf_code_map_enter();
	return jf_walk_started(inside, section,
			       jf_walk_first(inside, backend, &known_memory, regs, pc, pc_is_return, &known_opts));
}

enum jf_status jf_walk_start(struct jf_walk *walk, const struct jf_backend *backend, const struct jf_memory *memory,
			     const struct jf_regs *regs, uint64_t pc, bool pc_is_return)
{
	return jf_walk_start_with(walk, backend, memory, regs, pc, pc_is_return, NULL);
}

void jf_walk_end(struct jf_walk *walk)
{
	struct walk *inside = walk_inside(walk);

	if (!walk || !inside->has_section)
		return;
	inside->has_section = false;
	jf_walk_let_go(inside);
	jf_code_map_leave(inside->section);
}

/* ---- what there is to see ------------------------------------------------------------------------------ */

/* NULL also for a walk whose start was refused: no register has a value there. */
static const struct walk *with_registers(const struct jf_walk *walk)
{
	const struct walk *inside = (const struct walk *)walk;

	return walk && inside->backend ? inside : NULL;
}

const struct jf_walk_frame *jf_walk_at(const struct jf_walk *walk)
{
	return walk ? &((const struct walk *)walk)->frame : NULL;
}

bool jf_walk_reg(const struct jf_walk *walk, uint8_t reg, uint64_t *value)
{
	const struct walk *inside = with_registers(walk);

	if (!inside || !value || reg >= inside->backend->reg_count || !walk_is_known(inside, reg))
		return false;
	*value = inside->regs.value[reg];
	return true;
}

uint64_t jf_walk_sp(const struct jf_walk *walk)
{
	const struct walk *inside = with_registers(walk);

	return inside ? walk_sp(inside) : 0;
}

uint64_t jf_walk_fp(const struct jf_walk *walk)
{
	const struct walk *inside = with_registers(walk);

	return inside ? walk_fp(inside) : 0;
}
