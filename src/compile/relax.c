/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

#include <string.h>

/*
 * Branch sizes, without emitting anything a second time. Behind each function all its branches are there in
 * their short forms, without distances: here those that do not reach grow, which moves code and may take
 * others out of reach, until nothing changes; then the code is moved apart, once, and distances go in.
 *
 * What the branches before a place have grown is all that it moves by. So for every BPF instruction it is
 * enough to know how many sites lie before it (its rank), and for every rank the growth up to there.
 */
struct growth {
	uint32_t *rank;    /* by instruction, as insn_off */
	uint32_t *up_to;   /* by rank */
	uint32_t *pending; /* sites that may still grow */
	uint32_t pending_count;
};

static int64_t distance_of(const struct jf_unit *unit, const struct jf_site *site)
{
	return (int64_t)unit->insn_off[site->target] - site->off;
}

static bool is_far(const struct jf_branches *branches, int64_t distance)
{
	return (uint64_t)(distance + branches->short_reach) > 2 * (uint64_t)branches->short_reach;
}

/* Sites that are no branches are no distance from themselves. */
static bool any_far(const struct jf_unit *unit, const struct jf_branches *branches, const struct jf_site *sites,
		    uint32_t count)
{
	bool far = false;

	for (uint32_t k = 0; k < count; k++)
		far |= is_far(branches, distance_of(unit, &sites[k]));
	return far;
}

/* How many bytes longer the long form is. 0: there is none. */
static uint8_t extra_of(const struct jf_branches *branches, const struct jf_insn *insn)
{
	enum jf_op_kind kind = jf_insn_kind(insn);
	bool always = kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_EXIT;

	return (uint8_t)((always ? branches->long_always_bytes : branches->long_bytes) - branches->short_bytes);
}

/* ---- which ones grow ----------------------------------------------------------------------------- */

static void rank_all(struct growth *g, uint32_t insn_count, const struct jf_site *sites, uint32_t count)
{
	uint32_t i = 0;

	for (uint32_t k = 0; k < count; k++) {
		while (i <= sites[k].index)
			g->rank[i++] = k;
	}
	while (i <= insn_count)
		g->rank[i++] = count;
}

static void sum_up(struct growth *g, const struct jf_site *sites, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t k = 0; k < count; k++) {
		g->up_to[k] = sum;
		sum += sites[k].extra;
	}
	g->up_to[count] = sum;
}

/* Those that are in reach even if all branches on their way grow are not looked at again. */
static void choose_pending(struct growth *g, const struct jf_unit *unit, const struct jf_branches *branches,
			   const struct jf_site *sites, uint32_t count)
{
	int64_t most = branches->long_bytes - branches->short_bytes;
	uint32_t pending = 0;

	for (uint32_t k = 0; k < count; k++) {
		int64_t distance = distance_of(unit, &sites[k]), between = (int64_t)g->rank[sites[k].target] - k;

		g->pending[pending] = k;
		pending += is_far(branches, distance + most * between);
	}
	g->pending_count = pending;
}

/* One look at the pending ones. returns: whether one of them has grown. */
static bool look(struct growth *g, const struct jf_unit *unit, const struct jf_branches *branches,
		 struct jf_site *sites, uint8_t *start)
{
	uint32_t left = 0;
	bool grown = false;

	for (uint32_t n = 0; n < g->pending_count; n++) {
		uint32_t k = g->pending[n];
		struct jf_site *site = &sites[k];
		int64_t distance = distance_of(unit, site) + g->up_to[g->rank[site->target]] - g->up_to[k];

		if (is_far(branches, distance) && !branches->put(start + site->off, distance, false)) {
			site->extra = extra_of(branches, &unit->function->insns[site->index]);
			grown |= site->extra != 0;
		} else {
			g->pending[left++] = k;
		}
	}
	g->pending_count = left;
	return grown;
}

/* ---- making room --------------------------------------------------------------------------------- */

/* Where what was at `off` is now. `rank` goes from one to the next, in the order of the code. */
static uint32_t moved(const struct growth *g, const struct jf_site *sites, uint32_t count, uint32_t short_bytes,
		      uint32_t *rank, uint32_t off)
{
	while (*rank < count && sites[*rank].off + short_bytes <= off)
		++*rank;
	return off + g->up_to[*rank];
}

static void move_tables(struct jf_compiler *c, const struct jf_image_function *f, const struct growth *g,
			const struct jf_site *sites, uint32_t count)
{
	uint32_t short_bytes = c->conv->backend->branches->short_bytes, rank = 0;

	for (size_t i = f->row_start; i < c->code.row_count; i++) {
		struct jf_row *row = &c->image->rows[i];

		row->code_off = moved(g, sites, count, short_bytes, &rank, row->code_off);
	}
	rank = 0;
	for (uint32_t i = f->fault_start; i < c->faults.count; i++) {
		struct jf_fault *fault = &c->faults.list[i];

		fault->start_off = moved(g, sites, count, short_bytes, &rank, fault->start_off);
		fault->end_off = moved(g, sites, count, short_bytes, &rank, fault->end_off);
		fault->resume_off = moved(g, sites, count, short_bytes, &rank, fault->resume_off);
	}
}

/* From the end to the start: nothing is written to before it has been moved. */
static void move_code(struct jf_code *code, uint32_t short_bytes, const struct growth *g, struct jf_site *sites,
		      uint32_t count)
{
	uint8_t *start = code->bytes + code->start, *end = code->bytes + code->size;

	code->size += g->up_to[count];
	for (uint32_t k = count; k-- > 0;) {
		uint8_t *rest = start + sites[k].off + short_bytes;

		if (sites[k].extra) {
			memmove(rest + g->up_to[k + 1], rest, (size_t)(end - rest));
			end = rest;
		}
		sites[k].off += g->up_to[k];
	}
}

static enum jf_status make_room(struct jf_compiler *c, struct jf_unit *unit, const struct growth *g,
				struct jf_site *sites, uint32_t count)
{
	const struct jf_branches *branches = c->conv->backend->branches;

	if (g->up_to[count] > c->code.capacity - c->code.size)
		return JF_E_NOSPACE;
	for (uint32_t i = 0; i <= unit->function->insn_count; i++)
		unit->insn_off[i] += g->up_to[g->rank[i]];
	for (uint32_t k = 0; k < count; k++)
		if (sites[k].extra)
			unit->flags[sites[k].index] |= JF_INSN_LONG;
	move_tables(c, &c->image->functions[unit - c->units], g, sites, count);
	move_code(&c->code, branches->short_bytes, g, sites, count);
	return JF_OK;
}

static enum jf_status grow(struct jf_compiler *c, struct jf_unit *unit, struct jf_site *sites, uint32_t count)
{
	const struct jf_branches *branches = c->conv->backend->branches;
	uint32_t insns = unit->function->insn_count;
	struct growth g = {.rank = c->sites.scratch};

	g.up_to = g.rank + insns + 1;
	g.pending = g.up_to + count + 1;
	rank_all(&g, insns, sites, count);
	choose_pending(&g, unit, branches, sites, count);
	do
		sum_up(&g, sites, count);
	while (look(&g, unit, branches, sites, c->code.bytes + c->code.start));
	return g.up_to[count] ? make_room(c, unit, &g, sites, count) : JF_OK;
}

/* ---- what depends on where it lies --------------------------------------------------------------- */

/* Emits an instruction once more, in its place. When it does not fit there now, another pass has to. */
static enum jf_status emit_over(struct jf_compiler *c, struct jf_body *b, uint32_t index)
{
	const struct jf_insn *insns = b->state->unit->function->insns;
	const uint32_t *insn_off = b->state->unit->insn_off;
	enum jf_op_kind kind = jf_insn_kind(&insns[index]);
	const struct jf_code before = c->code;
	uint8_t behind[JF_INSN_BYTES_MAX];
	size_t end, behind_bytes;
	enum jf_status status;
	struct jf_op op;

	end = c->code.start + insn_off[index + jf_insn_decode(insns, index, kind, &op)];
	behind_bytes = c->code.capacity - end < sizeof(behind) ? c->code.capacity - end : sizeof(behind);
	memcpy(behind, c->code.bytes + end, behind_bytes); /* see jf_code_put_insn() */
	c->code.size = c->code.start + insn_off[index];
	c->code.rows = NULL;
	c->code.now_dirty = false;
	b->index = index;
	status = jf_compiler_emit(c, b, kind, &op);
	if (status == JF_OK)
		status = c->code.status;
	c->unsettled |= c->code.size != end;
	c->code = before;
	memcpy(c->code.bytes + end, behind, behind_bytes);
	return status;
}

enum jf_status jf_compiler_settle(struct jf_compiler *c, struct jf_body *b)
{
	const struct jf_branches *branches = c->conv->backend->branches;
	struct jf_unit *unit = b->state->unit;
	struct jf_site *sites = c->sites.list + c->sites.start;
	uint32_t count = c->sites.count - c->sites.start;
	size_t size = c->code.size;

	unit->site_start = c->sites.start;
	unit->site_count = count;
	b->state->sites = NULL;
	b->state->first_pass = false;
	b->index = unit->function->insn_count - 1;
	if (any_far(unit, branches, sites, count)) {
		enum jf_status status = grow(c, unit, sites, count);

		if (status != JF_OK)
			return status;
	}
	for (uint32_t k = 0; k < count; k++) {
		b->index = sites[k].index;
		if (sites[k].is_branch && !branches->put(c->code.bytes + c->code.start + sites[k].off,
							 distance_of(unit, &sites[k]), sites[k].extra))
			return JF_E_RANGE;
	}
	for (uint32_t k = 0; k < count && size != c->code.size; k++) {
		enum jf_status status = sites[k].is_placed ? emit_over(c, b, sites[k].index) : JF_OK;

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}

enum jf_status jf_compiler_settle_ahead(struct jf_compiler *c, struct jf_body *b)
{
	struct jf_unit *unit = b->state->unit;
	const struct jf_site *sites = c->sites.list + unit->site_start;

	c->code.start = c->image->functions[unit - c->units].start;
	for (uint32_t k = 0; k < unit->site_count; k++) {
		enum jf_status status = sites[k].is_ahead ? emit_over(c, b, sites[k].index) : JF_OK;

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}
