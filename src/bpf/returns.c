/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/calls.h"

#include "base/memory.h"

/*
 * Which functions ever return. All functions are followed at once, each instruction once: a path stops at a call of a
 * function that is not known to return, waits with it, and goes on when it is found to.
 */

struct place {
	uint32_t function;
	uint32_t insn;
};

struct search {
	const struct jf_program *program;
	const struct jf_unit *units;
	bool *returns;
	size_t *base;       /* by function: where its instructions begin in what follows */
	uint8_t *reached;   /* by instruction of all functions */
	struct place *work; /* the same: each is here once, and stays, for those that wait */
	uint32_t *waits;    /* by place in work: the next one that waits for the same callee, + 1 */
	uint32_t *first;    /* by function: the first place that waits for it, + 1 */
	uint32_t count;     /* of work */
};

static void reach(struct search *s, uint32_t function, uint32_t insn)
{
	if (insn >= s->units[function].function->insn_count || s->reached[s->base[function] + insn])
		return;
	s->reached[s->base[function] + insn] = 1;
	s->work[s->count++] = (struct place){function, insn};
}

static void found(struct search *s, uint32_t function)
{
	if (s->returns[function])
		return;
	s->returns[function] = true;
	for (uint32_t i = s->first[function]; i; i = s->waits[i - 1])
		reach(s, s->work[i - 1].function, s->work[i - 1].insn + 1);
}

static void follow(struct search *s, uint32_t number)
{
	struct place at = s->work[number];
	const struct jf_insn *insn = &s->units[at.function].function->insns[at.insn];
	enum jf_op_kind kind = jf_insn_kind(insn);

	if (kind == JF_OP_EXIT || jf_insn_is_tail_call(insn))
		found(s, at.function);
	if (jf_op_jumps(kind))
		reach(s, at.function, (uint32_t)jf_jump_target(at.insn, insn));
	if (jf_insn_goes_on(s->program, insn, s->returns)) {
		reach(s, at.function, at.insn + (kind == JF_OP_IMM64 ? 2 : 1));
	} else if (jf_insn_calls_function(insn)) {
		s->waits[number] = s->first[insn->imm];
		s->first[insn->imm] = number + 1;
	}
}

enum jf_status jf_units_find_returns(const struct jf_program *program, const struct jf_unit *units, uint32_t count,
				     bool *returns)
{
	struct search s = {.program = program, .units = units, .returns = returns};
	enum jf_status status = JF_E_NO_MEMORY;
	size_t total = 0;

	s.base = jf_alloc(count * sizeof(*s.base));
	s.first = jf_calloc(count, sizeof(*s.first));
	for (uint32_t i = 0; s.base && i < count; i++) {
		s.base[i] = total;
		total += units[i].function->insn_count;
	}
	s.reached = jf_calloc(total + 1, 1);
	s.work = jf_alloc((total + 1) * sizeof(*s.work));
	s.waits = jf_alloc((total + 1) * sizeof(*s.waits));
	if (s.base && s.first && s.reached && s.work && s.waits) {
		for (uint32_t i = 0; i < count; i++)
			reach(&s, i, 0);
		for (uint32_t i = 0; i < s.count; i++)
			follow(&s, i);
		status = JF_OK;
	}
	jf_free(s.waits);
	jf_free(s.work);
	jf_free(s.reached);
	jf_free(s.first);
	jf_free(s.base);
	return status;
}
