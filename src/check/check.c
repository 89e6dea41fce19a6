/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/checker.h"

#include "base/memory.h"
#include "base/sized.h"

#include <stdio.h>
#include <string.h>

/* ---- input ------------------------------------------------------------------------------------------------ */

static enum jf_status invalid(struct jf_error *error, const char *where, const char *what)
{
	return jf_error_set(error, JF_E_INVAL, where, "%s", what);
}

enum jf_status check_read_input(const struct jf_check_input *in, struct jf_check_input *input, struct jf_error *error)
{
	const struct jf_check_input fresh = JF_CHECK_INPUT_INIT;
	enum jf_status status;

	status = jf_sized_read(input, sizeof(*input), offsetof(struct jf_check_input, boundary), in, "size", error);
	if (status != JF_OK)
		return status;
	/* What an older header lacks is not known, as in JF_CHECK_INPUT_INIT. */
	if (in->size < sizeof(*input))
		memcpy((uint8_t *)input + in->size, (const uint8_t *)&fresh + in->size, sizeof(*input) - in->size);
	if (input->kind >= JF_CHECK__COUNT)
		return invalid(error, "kind", "there is no such kind");
	if (!input->conv || !input->conv->backend)
		return invalid(error, "conv", "NULL");
	if (!input->bytes || !input->byte_count || input->byte_count > JF_CHECK_BYTES_MAX)
		return invalid(error, "bytes", "none, or more than JF_CHECK_BYTES_MAX");
	if (input->row_count && (!input->rows || !input->slots || input->slot_count > 32))
		return invalid(error, "rows", "rows without slots, or more than 32 of these");
	for (size_t i = 1; i < input->row_count; i++)
		if (input->rows[i].code_off < input->rows[i - 1].code_off)
			return invalid(error, "rows", "not sorted");
	if (!input->targets && input->target_count)
		return invalid(error, "targets", "NULL");
	if (!input->from_body && input->from_body_count)
		return invalid(error, "from_body", "NULL");
	if (!input->cleanups && input->cleanup_count)
		return invalid(error, "cleanups", "NULL");
	if (input->cleanup_count && !input->spec.cleanups)
		return invalid(error, "cleanups", "there are records, and spec.cleanups is false");
	if (!input->jump_targets && input->jump_target_count)
		return invalid(error, "jump_targets", "NULL");
	for (size_t i = 0; i < input->jump_target_count; i++)
		if (input->jump_targets[i] >= input->byte_count)
			return invalid(error, "jump_targets", "outside of the code");
	if (input->kind == JF_CHECK_FUNCTION && input->spec.role == JF_ROLE_CALLBACK && input->boundary &&
	    input->boundary->role != JF_ROLE_BOUNDARY)
		return invalid(error, "boundary", "the spec of another role");
	if (!input->conv->backend->decode)
		return jf_error_set(error, JF_E_UNSUPPORTED, "conv", "%s has no decoder", input->conv->backend->name);
	return JF_OK;
}

/* ---- boundaries that a callback may land in ------------------------------------------------------------------ */

#define BOUNDARIES_MAX 64

struct boundaries {
	struct jf_frame_spec specs[BOUNDARIES_MAX];
	struct jf_frame frames[BOUNDARIES_MAX];
	unsigned int count;
};

/* Whether a callback cannot tell one from the other. */
static bool look_alike(const struct jf_frame *a, const struct jf_frame *b)
{
	if (a->landing_sp_off_from_cfa != b->landing_sp_off_from_cfa)
		return false;
	for (unsigned int i = 0, k = 0;; i++, k++) {
		while (i < a->slot_count && a->slots[i].kind >= JF_SLOT_PAD)
			i++;
		while (k < b->slot_count && b->slots[k].kind >= JF_SLOT_PAD)
			k++;
		if (i >= a->slot_count || k >= b->slot_count)
			return i >= a->slot_count && k >= b->slot_count;
		if (memcmp(&a->slots[i], &b->slots[k], sizeof(a->slots[i])))
			return false;
	}
}

static void add_boundary(struct boundaries *all, const struct jf_convention *conv, const struct jf_frame_spec *spec)
{
	struct jf_frame frame;

	if (all->count == BOUNDARIES_MAX || jf_frame_solve(conv, spec, &frame, NULL) != JF_OK)
		return;
	for (unsigned int i = 0; i < all->count; i++)
		if (look_alike(&all->frames[i], &frame))
			return;
	all->specs[all->count] = *spec;
	all->frames[all->count++] = frame;
}

/* What all functions of a program share is the callback's. */
struct jf_frame_spec check_plainest_boundary(const struct jf_frame_spec *callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	spec.tail_calls = callback->tail_calls;
	spec.landing_pads = callback->landing_pads;
	spec.sign_return = callback->sign_return;
	return spec;
}

/* The rest differs as it may. */
static void list_boundaries(struct boundaries *all, const struct jf_convention *conv,
			    const struct jf_frame_spec *callback)
{
	const uint32_t stacks[] = {0, conv->bpf_stack_align, 64, conv->bpf_stack_max_bytes};

	all->count = 0;
	for (unsigned int i = 0; i < 4 * 2 * 2 * 3; i++) {
		struct jf_frame_spec spec = check_plainest_boundary(callback);

		spec.bpf_stack_bytes = stacks[i % 4];
		spec.arena = i / 4 % 2;
		spec.private_stack = i / 8 % 2;
		spec.out_args = (uint8_t)((i / 16) * JF_OUT_ARGS_MAX / 2);
		add_boundary(all, conv, &spec);
	}
}

static void describe_boundary(const struct jf_frame_spec *spec, char *text, size_t capacity)
{
	snprintf(text, capacity, "boundary: stack %u%s%s%s", spec->bpf_stack_bytes, spec->arena ? ", arena" : "",
		 spec->private_stack ? ", private stack" : "", spec->out_args ? ", outgoing arguments" : "");
}

/* ---- one way through it all -------------------------------------------------------------------------------------- */

static void judge(struct checker *c, const struct state *before, void *arg)
{
	(void)arg;
	rules_row(c, before);
}

static enum jf_status check_once(const struct jf_check_input *input, const struct jf_frame_spec *boundary,
				 const char *landing, struct sink *sink, struct jf_check_report *report,
				 struct jf_error *error)
{
	struct checker *c = jf_alloc(sizeof(*c));
	enum jf_status status;

	if (!c)
		return jf_error_set(error, JF_E_NO_MEMORY, "bytes", "no memory");
	status = checker_init(c, input, boundary, sink, error);
	c->landing = landing;
	if (status == JF_OK) {
		status = checker_run(c);
		if (status != JF_OK)
			jf_error_set(error, status, "bytes", "no memory");
	}
	if (status == JF_OK) {
		c->judging = true;
		checker_visit(c, judge, NULL);
		rules_tail_entry_place(c);
		rules_cleanup_table(c);
		if (!c->call_count && !c->exit_count && !c->tail_exit_count && !(sink->applies & 1))
			finding_of_all(sink, 0, JF_VERDICT_UNDECIDED,
				       "this code calls nothing and does not return: there is nothing to judge");
		report->insn_count = c->insn_count;
		report->call_count = c->call_count;
		report->exit_count = c->exit_count;
		report->tail_exit_count = c->tail_exit_count;
	}
	checker_fini(c);
	jf_free(c);
	return status == JF_OK && sink->no_memory ? JF_E_NO_MEMORY : status;
}

/*
 * R12: what holds for one boundary has to hold for every other. The findings of all are kept when it is not known
 * which one it will be.
 */
static enum jf_status check_for_all(const struct jf_check_input *input, bool keep, struct sink *sink,
				    struct jf_check_report *report, struct jf_error *error)
{
	struct boundaries *all = jf_alloc(sizeof(*all));
	size_t fewest = SIZE_MAX, most = 0;
	char landing[80], worst[JF_FINDING_TEXT_MAX] = "";
	enum jf_status status = JF_OK;

	if (!all)
		return jf_error_set(error, JF_E_NO_MEMORY, "boundary", "no memory");
	list_boundaries(all, input->conv, &input->spec);
	if (!all->count)
		status = jf_error_set(error, JF_E_UNSUPPORTED, "boundary", "the convention has none that fits");
	for (unsigned int i = 0; i < all->count && status == JF_OK; i++) {
		struct sink own = {0};

		describe_boundary(&all->specs[i], landing, sizeof(landing));
		status = check_once(input, &all->specs[i], landing, &own, report, error);
		if (own.count > most)
			memcpy(worst, own.findings[0].text, sizeof(worst));
		most = own.count > most ? own.count : most;
		fewest = own.count < fewest ? own.count : fewest;
		if (keep)
			sink_merge(sink, &own);
		jf_free(own.findings);
	}
	jf_free(all);
	sink->applies |= UINT32_C(1) << 12;
	if (status == JF_OK && most > fewest)
		finding_of_all(sink, 12, JF_VERDICT_BROKEN, "not the same for every boundary: %s", worst);
	return status;
}

static enum jf_status check_callback(const struct jf_check_input *input, struct sink *sink,
				     struct jf_check_report *report, struct jf_error *error)
{
	struct jf_check_report ignored = {0};
	enum jf_status status;

	if (!input->boundary)
		return check_for_all(input, true, sink, report, error);
	status = check_once(input, input->boundary, NULL, sink, report, error);
	return status == JF_OK ? check_for_all(input, false, sink, &ignored, error) : status;
}

static void fill_in(const struct sink *sink, struct jf_check_report *report)
{
	memset(report->verdicts, 0, sizeof(report->verdicts));
	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++)
		if (sink->applies & UINT32_C(1) << rule)
			report->verdicts[rule] = JF_VERDICT_HOLDS;
	for (size_t i = 0; i < sink->count; i++) {
		const struct jf_finding *f = &sink->findings[i];

		if (f->rule && report->verdicts[f->rule] < f->verdict)
			report->verdicts[f->rule] = f->verdict;
		for (unsigned int rule = 1; !f->rule && rule <= JF_RULE_COUNT; rule++)
			if (report->verdicts[rule] == JF_VERDICT_HOLDS)
				report->verdicts[rule] = JF_VERDICT_UNDECIDED;
	}
	for (size_t i = 0; i < sink->count; i++)
		if (report->verdicts[0] < sink->findings[i].verdict)
			report->verdicts[0] = sink->findings[i].verdict;
	for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++)
		if (report->verdicts[0] < report->verdicts[rule])
			report->verdicts[0] = report->verdicts[rule];
	report->finding_count = sink->count;
	for (size_t i = 0; report->findings && i < sink->count && i < report->finding_capacity; i++)
		report->findings[i] = sink->findings[i];
}

enum jf_status jf_check(const struct jf_check_input *in, struct jf_check_report *report, struct jf_error *error)
{
	struct jf_check_report done;
	struct jf_check_input input;
	struct sink sink = {0};
	enum jf_status status;

	if (!in || !report)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = check_read_input(in, &input, error);
	if (status == JF_OK)
		status = jf_sized_read(&done, sizeof(done), offsetof(struct jf_check_report, insn_count), report,
				       "report", error);
	if (status != JF_OK)
		return status;
	if (input.kind == JF_CHECK_FUNCTION && input.spec.role == JF_ROLE_CALLBACK)
		status = check_callback(&input, &sink, &done, error);
	else
		status = check_once(&input, NULL, NULL, &sink, &done, error);
	if (status == JF_OK) {
		sink_sort(&sink);
		fill_in(&sink, &done);
		jf_sized_write(report, sizeof(done), &done);
	}
	jf_free(sink.findings);
	return status;
}
