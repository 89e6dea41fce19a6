/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include "base/memory.h"

/* What holds before each instruction, for those who want to see it. */

struct states {
	jf_check_visit_fn *visit;
	void *arg;
	bool pending; /* `state` waits for its accesses, which come after what holds before them */
	struct jf_check_state state;
	struct jf_effect effect;
	struct jf_held regs[JF_REGS_MAX];
	struct jf_held_word words[CELLS_MAX];
	struct jf_held_access accesses[JF_HELD_ACCESSES_MAX];
};

static void deliver(struct states *s)
{
	if (s->pending)
		s->visit(s->arg, &s->state);
	s->pending = false;
}

/* Highest address first. */
static void add_word(struct states *s, const struct cell *cell)
{
	uint32_t i = s->state.word_count++;

	for (; i > 0 && s->words[i - 1].off_from_cfa < cell->off; i--)
		s->words[i] = s->words[i - 1];
	s->words[i] = (struct jf_held_word){cell->off, cell->bytes, value_held(&cell->value)};
}

static void note(struct checker *c, const struct state *before, void *arg)
{
	struct states *s = arg;

	deliver(s);
	s->pending = true;
	s->effect = c->effect;
	s->state = (struct jf_check_state){
		.size = sizeof(s->state),
		.code_off = c->off,
		.effect = &s->effect,
		.regs = s->regs,
		.words = s->words,
		.words_missing = before->cells_dropped,
		.accesses = s->accesses,
	};
	for (unsigned int reg = 0; reg < c->backend->reg_count; reg++)
		s->regs[reg] = value_held(&before->regs[reg]);
	for (uint32_t i = 0; i < before->cell_count; i++)
		add_word(s, &before->cells[i]);
}

static void note_access(void *arg, const struct jf_step *step, int32_t off, const struct value *value)
{
	struct states *s = arg;
	bool is_store = step->kind == JF_STEP_STORE;

	s->accesses[s->state.access_count++] = (struct jf_held_access){
		.off_from_cfa = off,
		.size_bytes = step->bytes,
		.reg = is_store ? step->c : step->dst,
		.is_store = is_store,
		.value = value_held(value),
	};
}

static enum jf_status follow(struct checker *c, const struct jf_check_input *input, struct states *s,
			     struct jf_error *error)
{
	struct jf_frame_spec plainest = check_plainest_boundary(&input->spec);
	struct sink sink = {0};
	enum jf_status status = checker_init(c, input, input->boundary ? input->boundary : &plainest, &sink, error);

	if (status == JF_OK) {
		status = checker_run(c);
		if (status != JF_OK)
			jf_error_set(error, status, "bytes", "no memory");
	}
	if (status == JF_OK) {
		c->told = note_access;
		c->told_arg = s;
		checker_visit(c, note, s);
		deliver(s);
	}
	checker_fini(c);
	jf_free(sink.findings);
	return status;
}

enum jf_status jf_check_states(const struct jf_check_input *in, jf_check_visit_fn *visit, void *arg,
			       struct jf_error *error)
{
	struct jf_check_input input;
	struct checker *c;
	struct states *s;
	enum jf_status status;

	if (!in || !visit)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = check_read_input(in, &input, error);
	if (status != JF_OK)
		return status;
	c = jf_calloc(1, sizeof(*c));
	s = jf_calloc(1, sizeof(*s));
	if (c && s) {
		s->visit = visit;
		s->arg = arg;
		status = follow(c, &input, s, error);
	} else {
		status = jf_error_set(error, JF_E_NO_MEMORY, "bytes", "no memory");
	}
	jf_free(s);
	jf_free(c);
	return status;
}
