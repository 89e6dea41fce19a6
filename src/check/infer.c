/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include <stdlib.h>
#include <string.h>

/*
 * The spec of foreign code, by trying: every spec of the convention is solved, its prologue emitted, and laid
 * beside the start of the code, instruction by instruction as their effects are. The nearest one it is. So a
 * frame with one save dropped is still told from one that needs no such save. What leaves no trace in a prologue
 * is not asked for.
 */

#define PROLOGUE_BYTES 2048
#define TOKENS_MAX     96
#define SOME_STACK     8 /* for a private stack, whose size no prologue tells */

/* Instructions as far as specs are compared. */
struct tokens {
	uint32_t count;
	uint64_t what[TOKENS_MAX];    /* two do the same when these are equal */
	uint32_t end_off[TOKENS_MAX]; /* bytes from the start, behind the instruction */
	/* It only loads a constant, into this register; else JF_REG_NONE. The code may take more instructions for
	 * one than the prologue, whose constants are short. */
	uint8_t constant[TOKENS_MAX];
	bool goes_on[TOKENS_MAX];            /* with a constant that was begun before */
	uint32_t saves_from[TOKENS_MAX + 1]; /* stores of callee-saved registers from here on */
	bool signs, pads;                    /* anywhere; at the start */
};

struct inference {
	const struct jf_check_input *input;
	const struct jf_backend *backend;
	struct tokens code;
	int64_t depth[2]; /* CFA - SP at its deepest, read as a callback or not; -1: not known */
	bool signs, pads;
	uint8_t bytes[PROLOGUE_BYTES], last_bytes[PROLOGUE_BYTES];
	size_t last_size;
	struct jf_inferred best;
	uint32_t best_cost;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	/* FNV-1a, a word at a time, and stirred. */
	hash = (hash ^ value) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

/* Sizes of private stacks, and constants, are no part of the frame; adding 0 is a move to some decoders. */
static uint64_t mix_step(const struct jf_backend *backend, uint64_t hash, const struct jf_step *step)
{
	bool of_frame = step->kind == JF_STEP_LOAD || step->kind == JF_STEP_STORE || step->a == backend->sp ||
			step->a == backend->fp || step->dst == backend->sp || step->dst == backend->fp;
	bool adds = (step->kind == JF_STEP_MOVE && step->a != JF_REG_NONE) ||
		    (step->kind == JF_STEP_ADD && step->b == JF_REG_NONE && step->bytes == 8);

	hash = mix(hash, adds ? JF_STEP_ADD : step->kind);
	hash = mix(hash, (uint64_t)step->dst << 24 | (uint64_t)step->a << 16 | (uint64_t)step->b << 8 | step->c);
	hash = mix(hash, (uint64_t)(adds ? 8 : step->bytes) << 24 | (uint64_t)step->shift << 16 |
				 (uint64_t)step->bits << 8 | step->sign);
	return of_frame ? mix(hash, (uint64_t)step->imm) : hash;
}

static uint64_t mix_effect(const struct jf_backend *backend, const struct jf_effect *effect)
{
	uint64_t hash = mix(effect->flow, effect->flags);

	if (effect->flow != JF_FLOW_NEXT)
		hash = mix(hash, effect->flow_reg);
	if (effect->flags & JF_EFFECT_UNKNOWN)
		for (const char *c = effect->name; *c; c++)
			hash = mix(hash, (uint8_t)*c);
	for (unsigned int i = 0; i < effect->step_count; i++)
		hash = mix_step(backend, hash, &effect->steps[i]);
	return hash;
}

/* The register that this instruction only loads a constant into. */
static uint8_t constant_of(const struct jf_effect *effect)
{
	const struct jf_step *step = effect->steps;

	if (effect->step_count != 1 || effect->flow != JF_FLOW_NEXT)
		return JF_REG_NONE;
	if (step->kind == JF_STEP_INSERT ||
	    ((step->kind == JF_STEP_MOVE || step->kind == JF_STEP_ADDRESS) && step->a == JF_REG_NONE))
		return step->dst;
	return JF_REG_NONE;
}

/* As prologues do it, by SP: bodies address the BPF stack by its own frame pointer. */
static bool saves(const struct jf_backend *backend, const struct jf_effect *effect)
{
	for (unsigned int i = 0; i < effect->step_count; i++) {
		const struct jf_step *step = &effect->steps[i];

		if (step->kind == JF_STEP_STORE && step->a == backend->sp && step->c < backend->reg_count &&
		    backend->regs[step->c].flags & JF_REG_CALLEE_SAVED)
			return true;
	}
	return false;
}

static bool signs(const struct jf_effect *effect)
{
	for (unsigned int i = 0; i < effect->step_count; i++)
		if (effect->steps[i].kind == JF_STEP_SIGN)
			return true;
	return false;
}

static void tokenize(const struct jf_backend *backend, const uint8_t *bytes, size_t size, struct tokens *tokens)
{
	bool saving[TOKENS_MAX];
	uint32_t off = 0, n;

	tokens->signs = tokens->pads = false;
	for (n = 0; n < TOKENS_MAX && off < size; n++) {
		struct jf_effect effect;

		if (jf_decode(backend, bytes + off, size - off, &effect) != JF_OK)
			break;
		off += effect.size_bytes;
		tokens->end_off[n] = off;
		tokens->what[n] = mix_effect(backend, &effect);
		tokens->constant[n] = constant_of(&effect);
		tokens->goes_on[n] = tokens->constant[n] != JF_REG_NONE && effect.steps[0].kind == JF_STEP_INSERT;
		tokens->signs |= signs(&effect);
		/* Signing a return address marks an entry too. */
		tokens->pads |= n < 2 && effect.flags & JF_EFFECT_LANDING_PAD && !effect.step_count;
		saving[n] = saves(backend, &effect);
	}
	tokens->count = n;
	tokens->saves_from[n] = 0;
	while (n--)
		tokens->saves_from[n] = tokens->saves_from[n + 1] + saving[n];
}

#define EDIT 2 /* what an instruction costs that only one side has */

struct cell_cost {
	uint32_t cost;
	uint32_t matched;
	uint32_t end; /* instructions of the code up to the last one that matched */
};

static struct cell_cost better(struct cell_cost a, struct cell_cost b)
{
	return b.cost < a.cost || (b.cost == a.cost && b.matched > a.matched) ? b : a;
}

/*
 * The cheapest way to make `prologue` out of the start of the code. What comes behind that costs nothing, but for
 * saves: they are some prologue's.
 */
static struct cell_cost distance(const struct tokens *prologue, const struct tokens *code)
{
	struct cell_cost row[TOKENS_MAX + 1], best;

	row[0] = (struct cell_cost){0, 0, 0};
	for (uint32_t k = 0; k < code->count; k++) {
		row[k + 1] = row[k];
		row[k + 1].cost += code->constant[k] != JF_REG_NONE ? 0 : EDIT;
	}
	for (uint32_t i = 0; i < prologue->count; i++) {
		struct cell_cost corner = row[0];

		row[0].cost += EDIT;
		for (uint32_t k = 0; k < code->count; k++) {
			struct cell_cost above = row[k + 1], left = row[k], diagonal = corner;

			corner = above;
			above.cost += EDIT;
			left.cost += code->constant[k] != JF_REG_NONE ? 0 : EDIT;
			row[k + 1] = better(above, left);
			if (prologue->what[i] == code->what[k]) {
				diagonal.matched++;
				diagonal.end = k + 1;
				row[k + 1] = better(row[k + 1], diagonal);
			}
		}
	}
	best = row[0];
	best.cost += EDIT * code->saves_from[0];
	for (uint32_t k = 1; k <= code->count; k++) {
		row[k].cost += EDIT * code->saves_from[k];
		best = better(best, row[k]);
	}
	return best;
}

/* ---- candidates -------------------------------------------------------------------------------------- */

/* Gives it the BPF stack that makes its frame as deep as the code's, if one does. returns: false: it is no spec. */
static bool fit_depth(const struct inference *inf, struct jf_frame_spec *spec, struct jf_frame *frame, uint32_t lost)
{
	int64_t depth = inf->depth[spec->role == JF_ROLE_CALLBACK] + lost;

	if (jf_frame_solve(inf->input->conv, spec, frame, NULL) != JF_OK)
		return false;
	if (spec->private_stack || depth <= (int64_t)frame->size_bytes)
		return true;
	spec->bpf_stack_bytes = (uint32_t)(depth - (int64_t)frame->size_bytes);
	if (jf_frame_solve(inf->input->conv, spec, frame, NULL) == JF_OK)
		return true;
	spec->bpf_stack_bytes = 0;
	return jf_frame_solve(inf->input->conv, spec, frame, NULL) == JF_OK;
}

/* Behind `end` instructions, and what goes on with the constant that the last of them began. */
static uint32_t body_off(const struct tokens *code, uint32_t end)
{
	uint8_t reg = code->constant[end - 1];

	while (reg != JF_REG_NONE && end < code->count && code->goes_on[end] && code->constant[end] == reg)
		end++;
	return code->end_off[end - 1];
}

/* At the least: what is nowhere in the code cannot match. */
static uint32_t least_cost(const struct tokens *prologue, const struct tokens *code)
{
	uint32_t cost = 0;

	for (uint32_t i = 0; i < prologue->count; i++) {
		bool found = false;

		for (uint32_t k = 0; k < code->count && !found; k++)
			found = prologue->what[i] == code->what[k];
		cost += found ? 0 : EDIT;
	}
	return cost;
}

/* lost: bytes that the code's frame may be short of, for a push that is not there. */
static void try_spec(struct inference *inf, struct jf_frame_spec spec, uint32_t lost)
{
	static const struct jf_values no_values;
	struct jf_frame frame;
	struct jf_code code;
	struct tokens prologue;
	struct cell_cost cost;

	if (!fit_depth(inf, &spec, &frame, lost))
		return;
	jf_code_init(&code, inf->bytes, sizeof(inf->bytes), 0, NULL, 0);
	jf_frame_begin(&code, &frame);
	inf->backend->emit_prologue(&code, &frame, inf->input->values ? inf->input->values : &no_values);
	/* An option that leaves no trace there is not asked for. */
	if (code.status != JF_OK ||
	    (code.size == inf->last_size && memcmp(inf->bytes, inf->last_bytes, code.size) == 0))
		return;
	inf->last_size = code.size;
	memcpy(inf->last_bytes, inf->bytes, code.size);
	tokenize(inf->backend, inf->bytes, code.size, &prologue);
	if (least_cost(&prologue, &inf->code) > inf->best_cost)
		return;
	cost = distance(&prologue, &inf->code);
	if (cost.cost > inf->best_cost || (cost.cost == inf->best_cost && cost.matched <= inf->best.matched))
		return;
	inf->best_cost = cost.cost;
	inf->best = (struct jf_inferred){
		.spec = spec, .insns = prologue.count, .matched = cost.matched, .body_off = JF_MARK_UNSET};
	if (cost.matched == prologue.count && cost.end)
		inf->best.body_off = body_off(&inf->code, cost.end);
}

/* Registers innermost: where they make no difference, the prologues in a row are the same. */
static void try_registers(struct inference *inf, struct jf_frame_spec spec)
{
	for (unsigned int used = 0; used < 32; used++) {
		spec.bpf_regs_used = (uint16_t)(used << JF_BPF_R6);
		spec.bpf_stack_bytes = spec.private_stack && spec.bpf_regs_used & 1u << JF_BPF_FP ? SOME_STACK : 0;
		try_spec(inf, spec, 0);
		if (inf->input->conv->backend->ra_pushed)
			try_spec(inf, spec, 8);
	}
}

/* Arguments last: where they leave no trace, a spec without any was there first. */
static void try_role(struct inference *inf, uint32_t role)
{
	bool out_args = jf_convention_supports(inf->input->conv, JF_CAP_OUT_ARGS);
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	inf->last_size = 0;
	spec.role = role;
	spec.sign_return = inf->signs;
	spec.landing_pads = inf->pads;
	for (; spec.out_args <= (out_args ? JF_OUT_ARGS_MAX : 0); spec.out_args++) {
		for (unsigned int options = 0; options < 8; options++) {
			spec.tail_calls = options & 1;
			spec.arena = options & 2;
			spec.private_stack = options & 4;
			try_registers(inf, spec);
		}
	}
}

/* ---- what the code says by itself --------------------------------------------------------------------- */

struct depth {
	int64_t depth; /* -1: not known */
	bool begun;
};

/* A callback that first gives back what the boundary saved begins its own frame at the frame pointer. */
static void note_depth(struct checker *c, const struct state *before, void *arg)
{
	const struct value *sp = &before->regs[c->backend->sp];
	struct depth *depth = arg;

	if (sp->kind != VALUE_CFA)
		return;
	depth->begun |=
		!c->is_callback || c->conv->landing != JF_LANDING_RESTORE || sp->imm == c->conv->fp_off_from_cfa;
	if (depth->begun && -sp->imm > depth->depth)
		depth->depth = -sp->imm;
}

/* How deep the frame gets, when the code is read as a callback's or as another function's. */
static int64_t find_depth(const struct jf_check_input *input, uint32_t role)
{
	struct jf_check_input plain = *input;
	struct jf_frame_spec boundary = JF_FRAME_SPEC_INIT, spec = JF_FRAME_SPEC_INIT;
	struct sink sink = {0};
	struct checker c;
	struct depth depth = {.depth = -1};

	boundary.role = JF_ROLE_BOUNDARY;
	spec.role = role;
	spec.sign_return = input->spec.sign_return;
	plain.spec = spec;
	plain.rows = NULL;
	plain.kind = JF_CHECK_FUNCTION;
	if (checker_init(&c, &plain, role == JF_ROLE_CALLBACK ? &boundary : NULL, &sink, NULL) != JF_OK)
		return -1;
	if (checker_run(&c) == JF_OK)
		checker_visit(&c, note_depth, &depth);
	checker_fini(&c);
	return depth.depth;
}

static void look_at_code(struct inference *inf)
{
	const struct jf_check_input *input = inf->input;

	tokenize(inf->backend, input->bytes, input->byte_count, &inf->code);
	inf->signs = inf->code.signs && jf_convention_supports(input->conv, JF_CAP_SIGN_RETURN);
	inf->pads = inf->code.pads && jf_convention_supports(input->conv, JF_CAP_LANDING_PADS);
	inf->depth[0] = find_depth(input, JF_ROLE_MAIN);
	inf->depth[1] = find_depth(input, JF_ROLE_CALLBACK);
}

enum jf_status jf_check_infer(const struct jf_check_input *input, uint32_t roles, struct jf_inferred *inferred)
{
	struct inference *inf;

	if (!input || !inferred || !input->conv || !input->bytes || !input->byte_count || !(roles & JF_INFER_ANY_ROLE))
		return JF_E_INVAL;
	if (!input->conv->backend->decode)
		return JF_E_UNSUPPORTED;
	inf = calloc(1, sizeof(*inf));
	if (!inf)
		return JF_E_NO_MEMORY;
	inf->input = input;
	inf->backend = input->conv->backend;
	inf->best_cost = UINT32_MAX;
	look_at_code(inf);
	for (uint32_t role = 0; role < JF_ROLE__COUNT; role++)
		if (roles & UINT32_C(1) << role)
			try_role(inf, role);
	*inferred = inf->best;
	free(inf);
	return inferred->insns ? JF_OK : JF_E_UNSUPPORTED;
}
