/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Good frames, by the thousand: every convention, role, set of registers, stack size and combination of options,
 * as prologue and exits alone and as whole programs. The checker may say nothing of any of them but what is known
 * of its convention.
 *
 *     good ARCH     TAP on standard output
 */

#include "catalogue.h"
#include "frames.h"

#include <stdio.h>
#include <string.h>

#include "../unit/check.h"

#define TOLD_MAX 8

struct sweep {
	const struct jf_convention *conv;
	unsigned int good, flagged, refused;
};

static unsigned int tests, failures;

static void result(const struct sweep *sweep, const char *what)
{
	bool good = !sweep->flagged && sweep->good;

	printf("%s %u - %s/%s: %s: %u good, %u flagged, %u combinations refused\n", good ? "ok" : "not ok", ++tests,
	       sweep->conv->backend->name, sweep->conv->name, what, sweep->good, sweep->flagged, sweep->refused);
	failures += !good;
	fflush(stdout);
}

static void judge(struct sweep *sweep, const struct subject *s)
{
	static struct verdict v;
	uint32_t known = known_findings(s);

	verdict_of(s, &v);
	if (!(v.broken & ~known) && !v.undecided) {
		sweep->good++;
		return;
	}
	if (sweep->flagged++ >= TOLD_MAX)
		return;
	printf("# %s: flagged %s, undecided %s\n", s->name, rules_text(v.broken), rules_text(v.undecided));
	for (unsigned int i = 0; i < v.report.finding_count && i < 4; i++)
		printf("#     R%u: %s\n", v.findings[i].rule, v.findings[i].text);
}

/* ---- frames alone ------------------------------------------------------------------------------------------- */

static void name_subject(struct subject *s, const char *what)
{
	const struct jf_frame_spec *spec = &s->frame.spec;

	snprintf(s->name, sizeof(s->name), "%s/%s %s, stack %u, registers %x, out args %u%s%s%s%s%s%s%s%s",
		 s->conv->backend->name, s->conv->name, jf_role_name((enum jf_role)spec->role), spec->bpf_stack_bytes,
		 spec->bpf_regs_used, spec->out_args, spec->tail_calls ? ", tail calls" : "",
		 spec->arena ? ", arena" : "", spec->private_stack ? ", private stack" : "",
		 spec->landing_pads ? ", landing pads" : "", spec->sign_return ? ", signed returns" : "",
		 spec->cleanups ? ", cleanups" : "", spec->throws ? ", throws" : "", what);
}

/* Prologue and one exit, one behind the other. */
static bool emit(struct subject *s, enum jf_part exit_part)
{
	struct jf_code code;
	size_t prologue_rows, prologue_bytes;

	jf_code_init(&code, s->code, sizeof(s->code), s->address, s->rows, SUBJECT_ROWS_MAX);
	if (jf_frame_emit(&code, &s->frame, JF_PART_PROLOGUE, &s->values) != JF_OK)
		return false;
	memcpy(s->marks, code.marks, sizeof(s->marks));
	prologue_rows = code.row_count;
	prologue_bytes = code.size;
	if (jf_frame_emit(&code, &s->frame, exit_part, &s->values) != JF_OK)
		return false;
	for (size_t i = prologue_rows; i < code.row_count; i++)
		s->rows[i].code_off += (uint32_t)prologue_bytes;
	s->marks[JF_MARK_EPILOGUE] = exit_part == JF_PART_EPILOGUE ? (uint32_t)prologue_bytes : JF_MARK_UNSET;
	s->row_count = (uint32_t)code.row_count;
	s->size = (uint32_t)code.size;
	return true;
}

static void judge_frame(struct sweep *sweep, const struct jf_frame *frame)
{
	static struct subject s;

	memset(&s, 0, sizeof(s));
	s.conv = sweep->conv;
	s.frame = *frame;
	s.any_boundary = true;
	s.address = SUBJECT_ADDRESS;
	s.values = frames_values(sweep->good);
	s.private_stack = s.values.private_stack;
	memcpy(s.row_slots, frame->slots, sizeof(s.row_slots));
	s.row_slot_count = frame->slot_count;
	name_subject(&s, "");
	CHECK(emit(&s, JF_PART_EPILOGUE), "%s", s.name);
	judge(sweep, &s);
	if (!frame->spec.tail_calls || frame->spec.role == JF_ROLE_CALLBACK)
		return;
	name_subject(&s, ", tail exit");
	CHECK(emit(&s, JF_PART_TAIL_EXIT), "%s", s.name);
	judge(sweep, &s);
}

static void visit_frame(void *sweep, const struct jf_frame *frame)
{
	judge_frame(sweep, frame);
}

static void each_frame(const struct jf_convention *conv)
{
	struct sweep sweep = {.conv = conv};

	sweep.refused = frames_each(conv, visit_frame, &sweep);
	result(&sweep, "frames");
}

/* ---- programs ----------------------------------------------------------------------------------------------- */

static void judge_program(struct sweep *sweep, const struct shape *shape)
{
	static struct subjects subjects;

	subjects_make(&subjects, sweep->conv, sweep->conv, shape);
	sweep->refused += subjects.status != JF_OK;
	for (unsigned int i = 0; i < subjects.count; i++) {
		struct subject *s = &subjects.list[i];

		judge(sweep, s);
		if (!s->is_stub && s->frame.spec.role == JF_ROLE_CALLBACK) {
			s->any_boundary = true;
			judge(sweep, s);
		}
	}
}

/* All combinations of what programs can have, each with other registers and sizes. */
static void each_program(const struct jf_convention *conv)
{
	struct sweep sweep = {.conv = conv};

	for (uint32_t has = 0; has < HAS_ZONES; has++) {
		uint64_t mix = has * UINT64_C(0x9e3779b97f4a7c15) >> 20;
		struct shape shape = {.name = "program", .has = has, .regs = mix & 0xf};

		/* The others are of no interest without what they go with. */
		if (has & (HAS_LOOP | HAS_ATOMIC) && (has & (HAS_LOOP | HAS_ATOMIC)) != (HAS_LOOP | HAS_ATOMIC))
			continue;
		if (has & HAS_THROW && !(mix >> 20 & 3))
			shape.has |= HAS_CLEANUPS;
		shape.main_stack = (uint16_t)(8 * (mix >> 4 & 15));
		shape.sub_stack = (uint16_t)(8 * (mix >> 8 & 31));
		shape.callback_stack = (uint16_t)(8 * (mix >> 13 & 63));
		judge_program(&sweep, &shape);
	}
	result(&sweep, "programs");
}

int main(int argc, char **argv)
{
	const struct jf_backend *backend = argc > 1 ? jf_backend_find(argv[1]) : NULL;

	if (!backend) {
		fprintf(stderr, "usage: good ARCH\n");
		return 2;
	}
	if (!backend->decode) {
		printf("1..0 # SKIP backends/%s has no decoder\n", backend->name);
		return 0;
	}
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		each_frame(backend->conventions[i]);
		each_program(backend->conventions[i]);
	}
	printf("1..%u\n", tests);
	return failures != 0;
}
