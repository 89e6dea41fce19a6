/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The catalogue of broken frames: every good function of every convention, changed in every way that the
 * operators know. The checker has to flag each mutant that breaks a rule, under a rule that it breaks, and none
 * that breaks nothing; which is which the oracle says, by running it.
 *
 *     catalogue ARCH [-v] [--every N]     TAP on standard output; -v tells of every mutant that went wrong or is
 *                                         undecided; --every judges one mutant of N
 */

#include "catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "mutate_desc.h"

#define TOLD_MAX 6 /* mutants that are printed per operator */

struct count {
	unsigned int caught, equivalent, missed, unseen, undecided, other_rule, false_alarm;
};

static unsigned int matrix[JF_RULE_COUNT + 1];
static unsigned int tests, failures;
static struct count total;
static bool verbose;
static unsigned long every = 1, mutants;

static void result(bool good, const char *what)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++tests, what);
	failures += !good;
	fflush(stdout);
}

/* ---- one mutant ------------------------------------------------------------------------------------------ */

struct good {
	struct subject subject;
	const struct subject *main;
	struct insn_list insns;
	uint32_t broken; /* what is known */
	char unsaved[JF_FINDING_TEXT_MAX];
};

static void tell(const char *what, const struct subject *s, const struct judgement *oracle, const struct verdict *v,
		 unsigned int n)
{
	printf("# %s: %s, variation %u: really %s (%s); flagged %s, undecided %s\n", what, s->name, n,
	       rules_text(oracle->rules), oracle->text, rules_text(v->broken), rules_text(v->undecided));
	for (unsigned int i = 0; i < v->report.finding_count && i < 3; i++)
		printf("#     R%u: %s\n", v->findings[i].rule, v->findings[i].text);
}

static bool is_judged(void)
{
	return mutants++ % every == 0;
}

/* Counts what the checker makes of a mutant. in: rules = what is to be flagged of what the oracle sees, 0 = any. */
static void try_mutant(const struct good *good, const struct subject *s, uint32_t rules, bool unseen,
		       struct count *count, unsigned int n)
{
	static struct verdict v;
	struct judgement oracle;
	uint32_t really, flagged, wanted;
	const char *wrong = NULL;

	oracle_judge(s, good->main, &oracle);
	verdict_of(s, &v);
	if (!unseen) {
		v.broken &= ~(oracle.either & ~oracle.rules);
		v.undecided &= ~(oracle.either & ~oracle.rules);
	}
	really = oracle.rules & ~(good->broken & ~RULE(3));
	flagged = v.broken & ~good->broken;
	if (strcmp(v.unsaved, good->unsaved))
		flagged |= RULE(3); /* more than what is known */
	wanted = unseen ? rules : rules && really & rules ? really & rules : really;
	if (oracle.ran_on)
		wanted |= RULE(0); /* into bytes that are no code, or in circles */
	if (!wanted && !flagged && !v.undecided) {
		count->equivalent++;
	} else if (!wanted) {
		wrong = flagged ? "false alarm" : "undecided, good";
		count->false_alarm++;
	} else if (flagged & wanted) {
		count->caught++;
		for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++)
			matrix[rule] += (flagged & wanted & RULE(rule)) != 0;
	} else if (flagged) {
		count->other_rule++;
		wrong = "another rule";
	} else if (v.undecided & (wanted | RULE(0))) {
		count->undecided++;
		wrong = verbose ? "undecided" : NULL;
	} else if (oracle.branched) {
		count->unseen++;
		wrong = verbose ? "unseen" : NULL;
	} else {
		count->missed++;
		wrong = "missed";
	}
	if (wrong && (verbose || count->missed + count->other_rule + count->false_alarm <= TOLD_MAX))
		tell(wrong, s, &oracle, &v, n);
}

static void sum_up(const char *target, const char *name, const struct count *c)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%s: %s: %u broken, %u of them undecided, %u equivalent, %u missed, %u under another rule, "
		 "%u false alarms",
		 target, name, c->caught + c->undecided, c->undecided, c->equivalent, c->missed, c->other_rule,
		 c->false_alarm);
	result(!c->missed && !c->other_rule && !c->false_alarm, text);
	total.caught += c->caught;
	total.equivalent += c->equivalent;
	total.missed += c->missed;
	total.undecided += c->undecided;
	total.unseen += c->unseen;
	total.other_rule += c->other_rule;
	total.false_alarm += c->false_alarm;
}

/* ---- one convention ---------------------------------------------------------------------------------------- */

#define GOOD_MAX (16 * SUBJECTS_MAX)

static struct good *goods;
static unsigned int good_count;

/* Takes a good function in, if checker and oracle both find it so. */
static bool add_good(const struct subject *s, unsigned int main)
{
	static struct verdict v;
	struct good *good = &goods[good_count];
	struct judgement oracle;

	CHECK(good_count < GOOD_MAX, "more functions than %d", GOOD_MAX);
	good->subject = *s;
	good->main = &goods[main].subject;
	oracle_judge(&good->subject, good->main, &oracle);
	verdict_of(&good->subject, &v);
	good->broken = v.broken;
	memcpy(good->unsaved, v.unsaved, sizeof(good->unsaved));
	good_count++;
	if (insns_list(&good->subject, &good->insns) && (oracle.rules | oracle.known) == v.broken && !oracle.ran_on &&
	    !(v.broken & ~known_findings(s)) && !v.undecided)
		return true;
	tell(oracle.ran_on ? "a good function runs on" : "a good function", s, &oracle, &v, 0);
	return false;
}

static void add_goods(const struct jf_convention *conv, const char *target)
{
	static struct subjects subjects;
	static struct subject stub;
	unsigned int flagged = 0;
	char text[128];

	good_count = 0;
	for (unsigned int i = 0; i < mutated_shape_count; i++) {
		unsigned int main = good_count;

		subjects_make(&subjects, conv, conv, &mutated_shapes[i]);
		for (unsigned int k = 0; k < subjects.count; k++)
			flagged += !add_good(&subjects.list[k], main);
	}
	if (conv->frame_align >= conv->backend->stack_align) { /* it calls C, and does not align SP itself */
		private_stub_make(&stub, conv);
		flagged += !add_good(&stub, 0);
	}
	snprintf(text, sizeof(text), "%s: %u good functions, %u flagged", target, good_count, flagged);
	result(!flagged && good_count, text);
}

static void run_operator(const struct operator* op, const char *target, bool on_pads)
{
	static struct subject mutant;
	struct count count = {0};

	for (unsigned int i = 0; i < good_count; i++) {
		const struct good *good = &goods[i];
		enum mutated done = MUTATED;

		/* Nobody enters a pad: what is changed in one is seen by those who change it on purpose. */
		if (good->subject.cleanup_count && !on_pads)
			continue;
		if (good->subject.is_stub ? !op->stubs : !(op->roles & 1u << good->subject.frame.spec.role))
			continue;
		for (unsigned int n = 0; done != MUTATIONS_END; n++) {
			mutant = good->subject;
			done = op->apply(&mutant, &good->insns, n);
			if (done == MUTATED && is_judged())
				try_mutant(good, &mutant, op->rules, op->unseen, &count, n);
		}
	}
	sum_up(target, op->name, &count);
}

static bool same_code(const struct subject *a, const struct subject *b)
{
	return a->size == b->size && !memcmp(a->code, b->code, a->size);
}

/* The functions of all shapes under a mutated description, those that come out changed. */
static void try_description(const struct jf_convention *conv, const struct jf_convention *mutated,
			    const struct description_operator *op, struct count *count, unsigned int n)
{
	static struct subjects subjects, unchanged;

	for (unsigned int i = 0; i < mutated_shape_count; i++) {
		subjects_make(&unchanged, conv, conv, &mutated_shapes[i]);
		subjects_make(&subjects, conv, mutated, &mutated_shapes[i]);
		for (unsigned int k = 0; k < subjects.count && k < unchanged.count; k++) {
			static struct good good;
			static struct verdict v;

			if (same_code(&subjects.list[k], &unchanged.list[k]) || subjects.list[k].is_stub ||
			    !is_judged())
				continue;
			good.main = &unchanged.list[0];
			verdict_of(&unchanged.list[k], &v);
			good.broken = v.broken;
			memcpy(good.unsaved, v.unsaved, sizeof(good.unsaved));
			subjects.list[k].boundary = unchanged.list[0].frame;
			try_mutant(&good, &subjects.list[k], op->rules, op->unseen, count, n);
		}
	}
}

static void run_description_operator(const struct description_operator *op, const struct jf_convention *conv,
				     const char *target)
{
	static struct description d;
	struct count count = {0};
	enum mutated done = MUTATED;

	for (unsigned int n = 0; done != MUTATIONS_END; n++) {
		description_copy(&d, conv);
		done = op->apply(&d, n);
		if (done == MUTATED)
			try_description(conv, &d.conv, op, &count, n);
	}
	sum_up(target, op->name, &count);
}

static void run_operators(const struct operator* ops, unsigned int count, const char *target, bool on_pads)
{
	for (unsigned int i = 0; i < count; i++)
		run_operator(&ops[i], target, on_pads);
}

static void run_convention(const struct jf_convention *conv)
{
	char target[64];

	snprintf(target, sizeof(target), "%s/%s", conv->backend->name, conv->name);
	add_goods(conv, target);
	run_operators(code_operators, code_operator_count, target, false);
	run_operators(zone_operators, zone_operator_count, target, false);
	run_operators(row_operators, row_operator_count, target, false);
	run_operators(spec_operators, spec_operator_count, target, false);
	run_operators(pad_operators, pad_operator_count, target, true);
	for (unsigned int i = 0; i < description_operator_count; i++)
		run_description_operator(&description_operators[i], conv, target);
}

/* ---- all of them -------------------------------------------------------------------------------------------- */

/* Throws and unwinders: no function's code shows these. */
#define RULES_OF_THROWS (RULE(23) | RULE(25) | RULE(28))

/* Whether pads of the architecture have markers. */
static bool has_markers(const struct jf_backend *backend)
{
	if (backend->build && !backend->build->cleanup_pad)
		return false;
	for (unsigned int i = 0; i < backend->convention_count; i++)
		if (backend->conventions[i]->cleanup_entry != JF_CLEANUP_NONE &&
		    jf_convention_supports(backend->conventions[i], JF_CAP_LANDING_PADS))
			return true;
	return false;
}

static void check_matrix(const struct jf_backend *backend)
{
	uint32_t unseen = RULES_OF_THROWS | (has_markers(backend) ? 0 : RULE(27));

	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++) {
		char text[128];

		if (unseen & RULE(rule))
			continue;
		snprintf(text, sizeof(text), "%s: R%u %s: %u mutants", backend->name, rule, jf_rule_at(rule)->name,
			 matrix[rule]);
		/* Of a rule with few mutants, one of N may be none: the whole catalogue asks. */
		result(every > 1 || matrix[rule] >= 3, text);
	}
}

/* Whoever teaches the checker more lowers the number; none of it may be lost. */
static void check_undecided(const struct jf_backend *backend)
{
	const struct arch *facts = arch_named(backend->name);
	char text[128];

	snprintf(text, sizeof(text), "%s: %u mutants undecided, at most %u", backend->name, total.undecided,
		 facts->undecided_max);
	result(total.undecided <= facts->undecided_max, text);
	snprintf(text, sizeof(text), "%s: %u mutants unseen behind a prologue's branch, at most %u", backend->name,
		 total.unseen, facts->unseen_max);
	result(total.unseen <= facts->unseen_max, text);
}

int main(int argc, char **argv)
{
	const struct jf_backend *backend = argc > 1 ? jf_backend_find(argv[1]) : NULL;

	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else if (!strcmp(argv[i], "--every") && i + 1 < argc)
			every = strtoul(argv[++i], NULL, 10);
		else
			backend = NULL;
	}
	goods = calloc(GOOD_MAX, sizeof(*goods));
	if (!backend || !goods || !every) {
		fprintf(stderr, "usage: catalogue ARCH [-v] [--every N]\n");
		return 2;
	}
	if (!backend->decode || !arch_named(backend->name)->assembler.memory) {
		printf("1..0 # SKIP backends/%s has no decoder, or tests/arch no assembler\n", backend->name);
		return 0;
	}
	for (unsigned int i = 0; i < backend->convention_count; i++)
		run_convention(backend->conventions[i]);
	check_matrix(backend);
	check_undecided(backend);
	printf("# %u mutants flagged, %u of them as undecided; %u equivalent\n", total.caught + total.undecided,
	       total.undecided, total.equivalent);
	printf("1..%u\n", tests);
	free(goods);
	return failures != 0;
}
