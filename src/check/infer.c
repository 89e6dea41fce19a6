/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "base/sized.h"
#include "check/checker.h"
#include "check/tokens.h"
#include "frame/convention.h"

#include <string.h>

/*
 * The spec of foreign code, by trying: every spec of the convention is solved, its prologue emitted, and laid
 * beside the start of the code, instruction by instruction as their effects are. The nearest one it is. So a
 * frame with one save dropped is still told from one that needs no such save. What leaves no trace in a prologue
 * is not asked for.
 */

#define DEPTHS_MAX 4
#define SOME_STACK 8 /* for a private stack, whose size no prologue tells */

/* What a candidate is made of: a number whose bits are the options. */
enum {
	TRY_TAIL_CALLS = 1 << 0,
	TRY_ARENA = 1 << 1,
	TRY_PRIVATE_STACK = 1 << 2,
	TRY_LEAF = 1 << 3,
	TRY_CLASSIC = 1 << 4,
	TRY_THROWS = 1 << 5,
	TRY__COUNT = 1 << 6,
};

struct inference {
	const struct jf_check_input *input;
	const struct jf_backend *backend;
	struct tokens code;
	uint32_t depths[2][DEPTHS_MAX]; /* what CFA - SP may be in the body, read as a callback or not; 0: no more */
	bool tail_exits;                /* it has one, or calls functions that may have one */
	bool signs, pads;
	bool auths; /* it checks a signed return address, which a callback has not signed itself */
	uint8_t bytes[JF_FUNCTION_BYTES_MAX], last_bytes[JF_FUNCTION_BYTES_MAX];
	size_t last_size;
	struct jf_inferred best;
	uint32_t best_cost;
};

/* ---- candidates -------------------------------------------------------------------------------------- */

static void try_frame(struct inference *inf, const struct jf_frame *frame)
{
	static const struct jf_values no_values;
	struct jf_code code;
	struct tokens prologue;
	struct token_match match;

	jf_code_init(&code, inf->bytes, sizeof(inf->bytes), 0, NULL, 0);
	jf_frame_begin(&code, frame);
	jf_frame_prologue(&code, frame, inf->input->values ? inf->input->values : &no_values);
	/* An option that leaves no trace there is not asked for. */
	if (code.status != JF_OK ||
	    (code.size == inf->last_size && memcmp(inf->bytes, inf->last_bytes, code.size) == 0))
		return;
	inf->last_size = code.size;
	memcpy(inf->last_bytes, inf->bytes, code.size);
	tokenize(inf->backend, inf->bytes, code.size, &prologue);
	if (tokens_least_cost(&prologue, &inf->code) > inf->best_cost)
		return;
	match = tokens_match(&prologue, &inf->code, inf->best_cost);
	if (match.cost > inf->best_cost || (match.cost == inf->best_cost && match.matched <= inf->best.matched))
		return;
	inf->best_cost = match.cost;
	inf->best = (struct jf_inferred){.spec = frame->spec,
					 .insns = prologue.count,
					 .matched = match.matched,
					 .body_off = JF_MARK_UNSET,
					 .differences = match.cost / EDIT};
	if (match.matched == prologue.count && match.end)
		inf->best.body_off = tokens_end_off(&inf->code, match.end);
}

/* With the BPF stack that makes the frame as deep as the code's; where no stack does, the frame has been tried. */
static void try_depth(struct inference *inf, const struct jf_frame *least, uint32_t depth)
{
	struct jf_frame_spec spec = least->spec;
	struct jf_frame frame;

	if (spec.private_stack || depth <= least->size_bytes || inf->input->given & JF_GIVEN_STACK)
		return;
	spec.bpf_stack_bytes = depth - least->size_bytes;
	if (jf_frame_solve(inf->input->conv, &spec, &frame, NULL) != JF_OK)
		return;
	/* The stack may need a slot that the frame without one does not have. Prologues of large frames do not show how
	 * deep they are: the constants are in registers. */
	if (frame.size_bytes > depth && frame.size_bytes - depth < spec.bpf_stack_bytes) {
		struct jf_frame exact;

		spec.bpf_stack_bytes -= frame.size_bytes - depth;
		if (jf_frame_solve(inf->input->conv, &spec, &exact, NULL) == JF_OK && exact.size_bytes == depth)
			try_frame(inf, &exact);
	}
	try_frame(inf, &frame);
}

/* Where pushes save registers and one is missing, the frame is as much less deep as a call pushes. */
static void try_depths(struct inference *inf, const struct jf_frame_spec *spec)
{
	const uint32_t *depths = inf->depths[spec->role == JF_ROLE_CALLBACK];
	uint32_t pushed = (uint32_t)inf->backend->cfa_sp_off_at_entry;
	struct jf_frame least;

	if (jf_frame_solve(inf->input->conv, spec, &least, NULL) != JF_OK)
		return;
	try_frame(inf, &least);
	for (unsigned int i = 0; i < DEPTHS_MAX && depths[i]; i++) {
		try_depth(inf, &least, depths[i]);
		if (pushed)
			try_depth(inf, &least, depths[i] + pushed);
	}
}

static bool is_given(const struct inference *inf, uint32_t field)
{
	return inf->input->given & field;
}

/* Registers innermost: where they make no difference, the prologues in a row are the same. */
static void try_registers(struct inference *inf, struct jf_frame_spec spec)
{
	const struct jf_frame_spec *known = &inf->input->spec;

	for (unsigned int used = 0; used < 32; used++) {
		spec.bpf_regs_used = (uint16_t)(used << JF_BPF_R6);
		if (is_given(inf, JF_GIVEN_USES) && spec.bpf_regs_used != (known->bpf_regs_used & 31u << JF_BPF_R6))
			continue;
		spec.bpf_stack_bytes = spec.private_stack && spec.bpf_regs_used & 1u << JF_BPF_FP ? SOME_STACK : 0;
		if (is_given(inf, JF_GIVEN_STACK))
			spec.bpf_stack_bytes = known->bpf_stack_bytes;
		try_depths(inf, &spec);
	}
}

/* Whether the options are as far as they are given what is given. */
static bool may_have(const struct inference *inf, const struct jf_frame_spec *spec)
{
	const struct jf_frame_spec *known = &inf->input->spec;

	return (!is_given(inf, JF_GIVEN_TAIL_CALLS) || spec->tail_calls == known->tail_calls) &&
	       (!is_given(inf, JF_GIVEN_ARENA) || spec->arena == known->arena) &&
	       (!is_given(inf, JF_GIVEN_PRIVATE_STACK) || spec->private_stack == known->private_stack) &&
	       (!is_given(inf, JF_GIVEN_OUT_ARGS) || spec->out_args == known->out_args) &&
	       (!is_given(inf, JF_GIVEN_LEAF) || spec->leaf == known->leaf) &&
	       (!is_given(inf, JF_GIVEN_CLASSIC) || spec->classic == known->classic) &&
	       (!is_given(inf, JF_GIVEN_THROWS) || spec->throws == known->throws);
}

/* Whether the prologue of a program that was classic BPF is another one. */
static bool asks_classic(const struct jf_convention *conv)
{
	static const struct jf_values no_values;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	uint8_t bytes[JF_FUNCTION_BYTES_MAX];
	size_t sizes[2] = {0};

	for (unsigned int i = 0; i < 2; i++) {
		struct jf_frame frame;
		struct jf_code code;

		spec.classic = i;
		if (jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK)
			return false;
		jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
		jf_frame_begin(&code, &frame);
		jf_frame_prologue(&code, &frame, &no_values);
		sizes[i] = code.size;
	}
	return sizes[0] != sizes[1];
}

/* Arguments last: where they leave no trace, a spec without any was there first. */
static void try_role(struct inference *inf, uint32_t role)
{
	bool out_args = jf_convention_supports(inf->input->conv, JF_CAP_OUT_ARGS);
	bool asks_leaf = convention_asks(inf->input->conv, JF_WHEN_CALLS) || is_given(inf, JF_GIVEN_LEAF);
	bool may_be_classic =
		(role == JF_ROLE_MAIN && asks_classic(inf->input->conv)) || is_given(inf, JF_GIVEN_CLASSIC);
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	inf->last_size = 0;
	spec.role = role;
	/* What a frame has for them shows like a larger stack. */
	spec.cleanups = is_given(inf, JF_GIVEN_CLEANUPS) && inf->input->spec.cleanups &&
			(role != JF_ROLE_CALLBACK || inf->input->conv->cleanup_entry != JF_CLEANUP_CALLED);
	spec.sign_return = role == JF_ROLE_CALLBACK && !is_given(inf, JF_GIVEN_SIGN_RETURN) ? inf->auths : inf->signs;
	spec.landing_pads = inf->pads;
	for (; spec.out_args <= (out_args ? JF_OUT_ARGS_MAX : 0); spec.out_args++) {
		for (unsigned int options = 0; options < TRY__COUNT; options++) {
			/* A tail call is a tail call, whether or not the prologue shows it. */
			spec.tail_calls = options & TRY_TAIL_CALLS || (inf->tail_exits && role != JF_ROLE_CALLBACK &&
								       !is_given(inf, JF_GIVEN_TAIL_CALLS));
			spec.arena = options & TRY_ARENA;
			spec.private_stack = options & TRY_PRIVATE_STACK;
			spec.leaf = options & TRY_LEAF;
			spec.classic = options & TRY_CLASSIC;
			/* Without a table nobody asks for what pads need. */
			spec.throws = options & TRY_THROWS;
			if ((spec.cleanups || !spec.throws) && may_have(inf, &spec) && (asks_leaf || !spec.leaf) &&
			    (may_be_classic || !spec.classic))
				try_registers(inf, spec);
		}
	}
}

/* ---- what the code says by itself --------------------------------------------------------------------- */

#define DEPTHS_SEEN 64

struct depths {
	struct {
		uint32_t depth, count;
	} seen[DEPTHS_SEEN];
	unsigned int seen_count;
	bool begun, tail_exits, auths;
};

static void count_depth(struct depths *depths, uint32_t depth)
{
	for (unsigned int i = 0; i < depths->seen_count; i++) {
		if (depths->seen[i].depth == depth) {
			depths->seen[i].count++;
			return;
		}
	}
	if (depths->seen_count == DEPTHS_SEEN)
		return;
	depths->seen[depths->seen_count].depth = depth;
	depths->seen[depths->seen_count++].count = 1;
}

static uint32_t deepest(const struct depths *depths)
{
	uint32_t most = 0;

	for (unsigned int i = 0; i < depths->seen_count; i++)
		most = depths->seen[i].depth > most ? depths->seen[i].depth : most;
	return most;
}

/* A jump that leaves, as opposed to a switch, which jumps while all of the frame is there. */
static bool is_tail_exit(const struct checker *c, const struct value *sp, const struct depths *depths)
{
	bool is_up = sp->kind == VALUE_CFA && sp->imm == -(int64_t)deepest(depths);

	if (c->is_callback)
		return false; /* read as one: where SP is says little, and callbacks make no tail calls */
	if (c->effect.flow == JF_FLOW_JUMP_REG && c->effect.flow_reg != c->backend->ra)
		return !is_up || (c->has_entry_state && value_same(sp, &c->entry_state.regs[c->backend->sp]));
	return c->effect.flow == JF_FLOW_JUMP_MEM;
}

/* What a call left in the register of a count by value is put into memory: the callee has handed the count back. */
static bool takes_count_back(const struct checker *c, const struct state *before)
{
	const struct value *value = &before->regs[c->conv->count_reg];

	if (c->conv->count_form != JF_COUNT_BY_VALUE || value->kind != VALUE_UNKNOWN || value->def >= c->off)
		return false;
	for (unsigned int i = 0; i < c->effect.step_count; i++)
		if (c->effect.steps[i].kind == JF_STEP_STORE && c->effect.steps[i].c == c->conv->count_reg)
			return true;
	return false;
}

/* A callback that first gives back what the boundary saved begins its own frame at the frame pointer. */
static void note_depth(struct checker *c, const struct state *before, void *arg)
{
	const struct value *sp = &before->regs[c->backend->sp];
	struct depths *depths = arg;

	for (unsigned int i = 0; i < c->effect.step_count; i++)
		depths->auths |= c->effect.steps[i].kind == JF_STEP_AUTH;
	depths->tail_exits |= is_tail_exit(c, sp, depths) || takes_count_back(c, before);
	if (sp->kind != VALUE_CFA)
		return;
	depths->begun |=
		!c->is_callback || c->conv->landing != JF_LANDING_RESTORE || sp->imm == c->conv->fp_off_from_cfa;
	if (depths->begun && sp->imm < 0 && sp->imm > -(int64_t)JF_CHECK_BYTES_MAX)
		count_depth(depths, (uint32_t)-sp->imm);
}

/* The deepest, and those that most instructions run at: bodies push and pop, short ones hardly run. */
static void choose_depths(struct depths *depths, uint32_t chosen[DEPTHS_MAX])
{
	for (unsigned int n = 0; n < DEPTHS_MAX; n++) {
		unsigned int best = 0;

		for (unsigned int i = 1; i < depths->seen_count; i++) {
			bool better = n ? depths->seen[i].count > depths->seen[best].count :
					  depths->seen[i].depth > depths->seen[best].depth;

			best = better ? i : best;
		}
		if (!depths->seen_count)
			return;
		chosen[n] = depths->seen[best].depth;
		depths->seen[best] = depths->seen[--depths->seen_count];
	}
}

/* How deep the frame is when the code is read as a callback's, or as another function's. */
static void find_depths(struct inference *inf, uint32_t role)
{
	struct jf_check_input plain = *inf->input;
	struct jf_frame_spec boundary = JF_FRAME_SPEC_INIT, spec = JF_FRAME_SPEC_INIT;
	struct sink sink = {0};
	struct checker c;
	struct depths depths = {0};

	boundary.role = JF_ROLE_BOUNDARY;
	spec.role = role;
	spec.sign_return = inf->signs;
	plain.spec = spec;
	plain.rows = NULL;
	plain.kind = JF_CHECK_FUNCTION;
	if (checker_init(&c, &plain, role == JF_ROLE_CALLBACK ? &boundary : NULL, &sink, NULL) != JF_OK)
		return;
	if (checker_run(&c) == JF_OK)
		checker_visit(&c, note_depth, &depths);
	checker_fini(&c);
	jf_free(sink.findings);
	choose_depths(&depths, inf->depths[role == JF_ROLE_CALLBACK]);
	inf->tail_exits |= depths.tail_exits;
	inf->auths |= depths.auths && jf_convention_supports(inf->input->conv, JF_CAP_SIGN_RETURN);
}

static void look_at_code(struct inference *inf)
{
	const struct jf_check_input *input = inf->input;

	tokenize(inf->backend, input->bytes, input->byte_count, &inf->code);
	inf->signs = inf->code.signs && jf_convention_supports(input->conv, JF_CAP_SIGN_RETURN);
	inf->pads = inf->code.pads && jf_convention_supports(input->conv, JF_CAP_LANDING_PADS);
	if (is_given(inf, JF_GIVEN_SIGN_RETURN))
		inf->signs = input->spec.sign_return;
	if (is_given(inf, JF_GIVEN_LANDING_PADS))
		inf->pads = input->spec.landing_pads;
	find_depths(inf, JF_ROLE_MAIN);
	find_depths(inf, JF_ROLE_CALLBACK);
}

enum jf_status jf_check_infer(const struct jf_check_input *in, uint32_t roles, struct jf_inferred *inferred)
{
	struct jf_check_input input;
	struct jf_inferred known;
	struct inference *inf;
	enum jf_status status;
	bool found;

	if (!in || !inferred || !(roles & JF_INFER_ANY_ROLE))
		return JF_E_INVAL;
	status = check_read_input(in, &input, NULL);
	if (status == JF_OK)
		status = jf_sized_read(&known, sizeof(known), offsetof(struct jf_inferred, insns), inferred, "", NULL);
	if (status != JF_OK)
		return status;
	inf = jf_calloc(1, sizeof(*inf));
	if (!inf)
		return JF_E_NO_MEMORY;
	inf->input = &input;
	inf->backend = input.conv->backend;
	inf->best_cost = UINT32_MAX;
	look_at_code(inf);
	for (uint32_t role = 0; role < JF_ROLE__COUNT; role++)
		if (roles & UINT32_C(1) << role)
			try_role(inf, role);
	found = inf->best.insns;
	if (found)
		jf_sized_write(inferred, sizeof(known), &inf->best);
	jf_free(inf);
	return found ? JF_OK : JF_E_UNSUPPORTED;
}
