/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate_desc.h"

#include <string.h>

#include "../unit/check.h"

void description_copy(struct description *d, const struct jf_convention *conv)
{
	CHECK(conv->area_count <= AREAS_MAX, "%s has more areas than %d", conv->name, AREAS_MAX);
	d->conv = *conv;
	for (unsigned int i = 0; i < conv->area_count; i++) {
		CHECK(conv->areas[i].rule_count < RULES_MAX, "%s has more rules than %d", conv->name, RULES_MAX);
		memcpy(d->rules[i], conv->areas[i].rules, conv->areas[i].rule_count * sizeof(d->rules[i][0]));
		d->areas[i] = conv->areas[i];
		d->areas[i].rules = d->rules[i];
	}
	d->conv.areas = d->areas;
}

/* Slot rule n of all areas. returns: NULL when there is none */
static struct jf_slot_rule *rule_at(struct description *d, unsigned int n, struct jf_area **area, unsigned int *index)
{
	for (unsigned int i = 0; i < d->conv.area_count; i++) {
		if (n < d->areas[i].rule_count) {
			*area = &d->areas[i];
			*index = n;
			return &d->rules[i][n];
		}
		n -= d->areas[i].rule_count;
	}
	return NULL;
}

/* The frame record and the count are what emitters take for granted. */
static bool is_free(const struct description *d, const struct jf_slot_rule *rule)
{
	return rule->kind == JF_SLOT_SAVE && rule->reg != d->conv.backend->fp && rule->reg != d->conv.count_reg;
}

static enum mutated drop_save(struct description *d, unsigned int n)
{
	struct jf_area *area;
	unsigned int i;
	struct jf_slot_rule *rule = rule_at(d, n, &area, &i);

	if (!rule)
		return MUTATIONS_END;
	if (!is_free(d, rule))
		return MUTATION_UNFIT;
	/* The slot stays and the register does not get there: what lies below keeps its place. */
	rule->kind = JF_SLOT_PAD;
	rule->reg = JF_REG_NONE;
	return MUTATED;
}

static enum mutated remove_rule(struct description *d, unsigned int n)
{
	struct jf_area *area;
	unsigned int i;
	struct jf_slot_rule *rule = rule_at(d, n, &area, &i);

	if (!rule)
		return MUTATIONS_END;
	if (!is_free(d, rule))
		return MUTATION_UNFIT;
	memmove(rule, rule + 1, (area->rule_count - i - 1u) * sizeof(*rule));
	area->rule_count--;
	return MUTATED;
}

static enum mutated swap_rules(struct description *d, unsigned int n)
{
	struct jf_area *area;
	unsigned int i;
	struct jf_slot_rule *rule = rule_at(d, n, &area, &i), first;

	if (!rule)
		return MUTATIONS_END;
	if (i + 1 == area->rule_count || rule->kind == JF_SLOT_BPF_STACK)
		return MUTATION_UNFIT;
	first = rule[0];
	rule[0] = rule[1];
	rule[1] = first;
	return MUTATED;
}

static enum mutated insert_pad(struct description *d, unsigned int n)
{
	struct jf_area *area;
	unsigned int i;
	struct jf_slot_rule *rule = rule_at(d, n, &area, &i);

	if (!rule)
		return MUTATIONS_END;
	if (area->group == 2 && area->rule_count % 2 == 0 && area->align_bytes < 16)
		return MUTATION_UNFIT;
	memmove(rule + 1, rule, (area->rule_count - i) * sizeof(*rule));
	*rule = (struct jf_slot_rule){JF_SLOT_PAD, JF_REG_NONE, JF_WHEN_ALWAYS};
	area->rule_count++;
	return MUTATED;
}

/* A register saved in one of the two exception roles alone. */
static enum mutated save_in_one_role(struct description *d, unsigned int n)
{
	struct jf_area *area;
	unsigned int i;
	struct jf_slot_rule *rule = rule_at(d, n / 2, &area, &i);

	if (!rule)
		return MUTATIONS_END;
	if (!is_free(d, rule))
		return MUTATION_UNFIT;
	if (rule->when & JF_WHEN_ALWAYS)
		rule->when = JF_WHEN_MAIN | JF_WHEN_SUBPROGRAM | JF_WHEN_EXCEPTION;
	rule->when &= (uint16_t) ~(n % 2 ? JF_WHEN_CALLBACK : JF_WHEN_BOUNDARY);
	/* Where all registers are in use this says the same as before. */
	if (n % 2 == 0)
		rule->when &= (uint16_t)~JF_WHEN_MAIN;
	return MUTATED;
}

/* A callee-saved register's slot for another register. */
static enum mutated save_another(struct description *d, unsigned int n)
{
	const struct jf_backend *backend = d->conv.backend;
	struct jf_area *area;
	unsigned int i;
	struct jf_slot_rule *rule = rule_at(d, n, &area, &i);

	if (!rule)
		return MUTATIONS_END;
	if (!is_free(d, rule) || backend->regs[rule->reg].cls == JF_REG_CONTROL)
		return MUTATION_UNFIT;
	for (uint8_t reg = 0; reg < backend->reg_count; reg++) {
		if (reg == rule->reg || backend->regs[reg].cls != backend->regs[rule->reg].cls || reg == backend->fp ||
		    reg == backend->sp || !(backend->regs[reg].flags & JF_REG_CALLEE_SAVED))
			continue;
		rule->reg = reg;
		return MUTATED;
	}
	return MUTATION_UNFIT;
}

static enum mutated change_align(struct description *d, unsigned int n)
{
	if (n / 2 >= d->conv.area_count)
		return MUTATIONS_END;
	d->areas[n / 2].align_bytes = n % 2 ? 8 : 32;
	d->conv.bpf_stack_align = d->conv.bpf_stack_align < 8 ? 8 : d->conv.bpf_stack_align;
	return MUTATED;
}

static enum mutated change_rounding(struct description *d, unsigned int n)
{
	switch (n) {
	case 0: d->conv.bpf_stack_align = 8; break;
	case 1: d->conv.out_args_align = 8; break;
	default: return MUTATIONS_END;
	}
	for (unsigned int i = 1; i < d->conv.area_count; i++)
		d->areas[i].align_bytes = 8;
	return MUTATED;
}

static enum mutated change_bpf_reg(struct description *d, unsigned int n)
{
	const struct jf_backend *backend = d->conv.backend;
	static const uint8_t which[] = {JF_BPF_R6, JF_BPF_R9, JF_BPF_FP};
	unsigned int bpf = n % 3, step = n / 3;

	if (step >= backend->reg_count)
		return MUTATIONS_END;
	if (!(backend->regs[step].flags & JF_REG_CALLEE_SAVED) || backend->regs[step].cls != JF_REG_INT ||
	    step == backend->fp)
		return MUTATION_UNFIT;
	for (unsigned int i = 0; i < JF_BPF_REG__COUNT; i++)
		if (d->conv.bpf_reg[i] == step)
			return MUTATION_UNFIT;
	d->conv.bpf_reg[which[bpf]] = (uint8_t)step;
	return MUTATED;
}

static enum mutated change_arena_reg(struct description *d, unsigned int n)
{
	const struct jf_backend *backend = d->conv.backend;

	if (n >= backend->reg_count)
		return MUTATIONS_END;
	if (!(backend->regs[n].flags & JF_REG_CALLEE_SAVED) || backend->regs[n].cls != JF_REG_INT || n == backend->fp ||
	    n == d->conv.arena_reg)
		return MUTATION_UNFIT;
	for (unsigned int i = 0; i < JF_BPF_REG__COUNT; i++)
		if (d->conv.bpf_reg[i] == n)
			return MUTATION_UNFIT;
	d->conv.arena_reg = (uint8_t)n;
	return MUTATED;
}

static enum mutated change_result(struct description *d, unsigned int n)
{
	if (n >= 1)
		return MUTATIONS_END;
	d->conv.result_bits = d->conv.result_bits == 32 ? 64 : 32;
	return MUTATED;
}

static enum mutated shift_fp(struct description *d, unsigned int n)
{
	static const int16_t by[] = {8, -8, 16, -16};

	if (n >= 4)
		return MUTATIONS_END;
	d->conv.fp_off_from_cfa = (int16_t)(d->conv.fp_off_from_cfa + by[n]);
	return MUTATED;
}

static enum mutated change_guard(struct description *d, unsigned int n)
{
	static const uint16_t by[] = {8, 16};

	if (n >= 2)
		return MUTATIONS_END;
	if (!(d->conv.caps & JF_CAP_PRIVATE_STACK))
		return MUTATION_UNFIT;
	d->conv.private_stack_guard_bytes = (uint16_t)(d->conv.private_stack_guard_bytes + by[n]);
	return MUTATED;
}

const struct description_operator description_operators[] = {
	{"a save left out", 0, false, drop_save},
	{"a slot left out", 0, false, remove_rule},
	{"two slots swapped", 0, false, swap_rules},
	{"a slot too many", 0, false, insert_pad},
	{"a register saved by boundary or callback alone", 0, false, save_in_one_role},
	{"another register's save", 0, false, save_another},
	{"an area's alignment", 0, false, change_align},
	{"sizes rounded differently", 0, false, change_rounding},
	{"a BPF register elsewhere", 0, false, change_bpf_reg},
	{"the arena base elsewhere", 0, false, change_arena_reg},
	{"the result's width", 0, false, change_result},
	{"the frame pointer elsewhere", 0, false, shift_fp},
	{"a private stack's guard", RULE(15), false, change_guard},
};
const unsigned int description_operator_count = sizeof(description_operators) / sizeof(description_operators[0]);
