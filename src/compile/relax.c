/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

#include <string.h>

/*
 * Branch forms, without emitting anything a second time. Behind each function all its branches are there in
 * their shortest forms, without distances: here those that do not reach grow, form by form, which moves code and may
 * take others out of reach, until nothing changes; then the code is moved apart, once, and distances go in.
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

static bool is_far(uint32_t reach, int64_t distance)
{
	return (uint64_t)(distance + reach) > 2 * (uint64_t)reach;
}

/* Every branch reaches so far in every form. */
static uint32_t least_reach(const struct jf_branches *branches)
{
	uint32_t conditional = branches->forms[JF_BRANCH_IF][0].reach,
		 always = branches->forms[JF_BRANCH_ALWAYS][0].reach;

	return conditional < always ? conditional : always;
}

/* Sites that are no branches are no distance from themselves. */
static bool any_far(const struct jf_unit *unit, uint32_t reach, const struct jf_site *sites, uint32_t count)
{
	bool far = false;

	for (uint32_t k = 0; k < count; k++)
		far |= is_far(reach, distance_of(unit, &sites[k]));
	return far;
}

/* What a branch of the longest form takes more than one of the shortest. */
static unsigned int most_extra(const struct jf_branches *branches)
{
	unsigned int most = 0;

	for (unsigned int kind = 0; kind < JF_BRANCH__COUNT; kind++) {
		const struct jf_branch_form *forms = branches->forms[kind];

		for (unsigned int form = 0; form < JF_BRANCH_FORMS_MAX && forms[form].bytes; form++)
			if (forms[form].bytes - forms[0].bytes > (int)most)
				most = forms[form].bytes - forms[0].bytes;
	}
	return most;
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
	int64_t most = most_extra(branches);
	uint32_t reach = least_reach(branches), pending = 0;

	for (uint32_t k = 0; k < count; k++) {
		int64_t distance = distance_of(unit, &sites[k]), between = (int64_t)g->rank[sites[k].target] - k;

		g->pending[pending] = k;
		pending += is_far(reach, distance + most * between);
	}
	g->pending_count = pending;
}

static bool reaches(const struct jf_backend *backend, unsigned int form, const struct jf_site *site, int64_t distance)
{
	uint8_t bytes[JF_INSN_BYTES_MAX];

	return !is_far(backend->branches->forms[site->kind][form].reach, distance) ||
	       backend->body.put_branch(bytes, site->branch, distance, form);
}

/* To the next form. returns: false when there is none. */
static bool lengthen(const struct jf_branches *branches, struct jf_unit *unit, struct jf_site *site)
{
	unsigned int form = jf_unit_form(unit, site->index) + 1;
	unsigned int bytes = form < JF_BRANCH_FORMS_MAX ? branches->forms[site->kind][form].bytes : 0;

	if (!bytes)
		return false;
	site->extra = (uint8_t)(bytes - site->bytes);
	jf_unit_set_form(unit, site->index, form);
	return true;
}

/* One look at the pending ones: those without a longer form are pending no more. returns: whether one has grown. */
static bool look(struct growth *g, struct jf_unit *unit, const struct jf_backend *backend, struct jf_site *sites)
{
	uint32_t left = 0;
	bool grown = false;

	for (uint32_t n = 0; n < g->pending_count; n++) {
		uint32_t k = g->pending[n];
		struct jf_site *site = &sites[k];
		int64_t distance = distance_of(unit, site) + g->up_to[g->rank[site->target]] - g->up_to[k];

		if (!reaches(backend, jf_unit_form(unit, site->index), site, distance)) {
			if (!lengthen(backend->branches, unit, site))
				continue;
			grown = true;
		}
		g->pending[left++] = k;
	}
	g->pending_count = left;
	return grown;
}

/* ---- making room --------------------------------------------------------------------------------- */

/* Where what was at `off` is now. `rank` goes from one to the next, in the order of the code. */
static uint32_t moved(const struct growth *g, const struct jf_site *sites, uint32_t count, uint32_t *rank, uint32_t off)
{
	while (*rank < count && sites[*rank].off + sites[*rank].bytes <= off)
		++*rank;
	return off + g->up_to[*rank];
}

static void move_tables(struct jf_compiler *c, const struct image_function *f, const struct growth *g,
			const struct jf_site *sites, uint32_t count)
{
	uint32_t rank = 0;

	for (size_t i = f->row_start; i < c->code.row_count; i++) {
		struct jf_row *row = &c->image->rows[i];

		row->code_off = moved(g, sites, count, &rank, row->code_off);
	}
	rank = 0;
	for (uint32_t i = f->fault_start; i < c->faults.count; i++) {
		struct jf_fault *fault = &c->faults.list[i];

		fault->start_off = moved(g, sites, count, &rank, fault->start_off);
		fault->end_off = moved(g, sites, count, &rank, fault->end_off);
		fault->resume_off = moved(g, sites, count, &rank, fault->resume_off);
	}
}

/* From the end to the start: nothing is written to before it has been moved. */
static void move_code(struct jf_code *code, const struct growth *g, struct jf_site *sites, uint32_t count)
{
	uint8_t *start = code->bytes + code->start, *end = code->bytes + code->size;

	code->size += g->up_to[count];
	for (uint32_t k = count; k-- > 0;) {
		uint8_t *rest = start + sites[k].off + sites[k].bytes;

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
	if (g->up_to[count] > c->code.capacity - c->code.size)
		return JF_E_NOSPACE;
	for (uint32_t i = 0; i <= unit->function->insn_count; i++)
		unit->insn_off[i] += g->up_to[g->rank[i]];
	move_tables(c, &c->image->functions[unit - c->units], g, sites, count);
	move_code(&c->code, g, sites, count);
	return JF_OK;
}

static enum jf_status grow(struct jf_compiler *c, struct jf_unit *unit, struct jf_site *sites, uint32_t count)
{
	const struct jf_backend *backend = c->conv->backend;
	uint32_t insns = unit->function->insn_count;
	struct growth g = {.rank = c->sites.scratch};

	g.up_to = g.rank + insns + 1;
	g.pending = g.up_to + count + 1;
	rank_all(&g, insns, sites, count);
	choose_pending(&g, unit, backend->branches, sites, count);
	do
		sum_up(&g, sites, count);
	while (look(&g, unit, backend, sites));
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
	jf_compiler_emit_pad(b);
	status = jf_compiler_emit(c, b, kind, &op);
	if (status == JF_OK)
		status = c->code.status;
	c->unsettled |= c->code.size != end;
	c->code = before;
	memcpy(c->code.bytes + end, behind, behind_bytes);
	return status;
}

/* Gives every branch its distance, in the form that it has by now. out: b->index, where one does not reach. */
static bool put_distances(struct jf_compiler *c, struct jf_body *b, const struct jf_site *sites, uint32_t count)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;
	const struct jf_unit *unit = b->state->unit;
	uint8_t *start = c->code.bytes + c->code.start;

	for (uint32_t k = 0; k < count; k++) {
		const struct jf_site *site = &sites[k];

		b->index = site->index;
		if (site->bytes && !ops->put_branch(start + site->off, site->branch, distance_of(unit, site),
						    jf_unit_form(unit, site->index)))
			return false;
	}
	return true;
}

enum jf_status jf_compiler_settle(struct jf_compiler *c, struct jf_body *b)
{
	struct jf_unit *unit = b->state->unit;
	struct jf_site *sites = c->sites.list + c->sites.start;
	uint32_t count = c->sites.count - c->sites.start;
	size_t size = c->code.size;

	unit->site_start = c->sites.start;
	unit->site_count = count;
	b->state->sites = NULL;
	b->state->first_pass = false;
	b->index = unit->function->insn_count - 1;
	if (any_far(unit, least_reach(c->conv->backend->branches), sites, count)) {
		enum jf_status status = grow(c, unit, sites, count);

		if (status != JF_OK)
			return status;
	}
	if (!put_distances(c, b, sites, count))
		return JF_E_RANGE;
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

	c->code.start = c->image->functions[unit - c->units].shown.start;
	for (uint32_t k = 0; k < unit->site_count; k++) {
		enum jf_status status = sites[k].is_ahead ? emit_over(c, b, sites[k].index) : JF_OK;

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}
