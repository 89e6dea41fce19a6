/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "check.h"
#include "checker.h"
#include "conventions.h"
#include "specs.h"

/* Specs found from code: they may be other ones than the frame was made from, but make the same frame. */

struct sample {
	struct rng rng;
	unsigned int one_in, seen;
	uint32_t roles; /* by bit */
};

static void prologue(const struct jf_convention *conv, const struct jf_frame_spec *spec, struct jf_frame *frame,
		     struct jf_code *code, uint8_t *bytes, size_t capacity)
{
	CHECK_STATUS(jf_frame_solve(conv, spec, frame, NULL), JF_OK, "role %u", spec->role);
	jf_code_init(code, bytes, capacity, 0, NULL, 0);
	CHECK_STATUS(jf_frame_emit(code, frame, JF_PART_PROLOGUE, NULL), JF_OK, "role %u", spec->role);
}

static bool same_prologue(const struct jf_convention *conv, const struct jf_frame_spec *a,
			  const struct jf_frame_spec *b)
{
	uint8_t bytes[2][FRAME_CODE_BYTES];
	struct jf_frame frames[2];
	struct jf_code codes[2];

	prologue(conv, a, &frames[0], &codes[0], bytes[0], FRAME_CODE_BYTES);
	prologue(conv, b, &frames[1], &codes[1], bytes[1], FRAME_CODE_BYTES);
	return codes[0].size == codes[1].size && memcmp(bytes[0], bytes[1], codes[0].size) == 0 &&
	       frames[0].size_bytes == frames[1].size_bytes;
}

static void infer(const struct jf_convention *conv, const struct jf_frame_spec *spec, void *arg)
{
	static struct emitted e;
	struct sample *sample = arg;
	struct jf_inferred inferred = {.size = sizeof(inferred)};
	struct jf_frame_spec found;
	char name[256], other[256];

	if (rng_below(&sample->rng, sample->one_in) || !emit_frame(&e, conv, spec))
		return;
	/* Setting up a large private stack takes more instructions than setting up a small one. */
	if (spec->private_stack && spec->bpf_stack_bytes > 512)
		return;
	spec_text(conv, spec, name, sizeof(name));
	CHECK_STATUS(jf_check_infer(&e.input, JF_INFER_ANY_ROLE, &inferred), JF_OK, "%s", name);
	found = inferred.spec;
	/* That is no part of the frame, only of what the prologue loads. */
	if (found.private_stack && spec->private_stack)
		found.bpf_stack_bytes = spec->bpf_stack_bytes;
	spec_text(conv, &found, other, sizeof(other));
	CHECK(inferred.matched == inferred.insns, "%s: %u of %u: %s", name, inferred.matched, inferred.insns, other);
	CHECK(inferred.body_off == e.code.marks[JF_MARK_BODY], "%s: body at %u, not at %u", name, inferred.body_off,
	      e.code.marks[JF_MARK_BODY]);
	CHECK(same_prologue(conv, spec, &found), "%s: %s", name, other);
	sample->seen++;
	sample->roles |= 1u << spec->role;
}

ALL_CONVENTIONS(checker, infers_specs)
{
	const struct jf_convention *conv = convention_at(*index);
	struct sample sample = {.rng = {7}, .one_in = 150 * ONE_OF};

	needs_decoder(conv);
	each_spec(conv, infer, &sample);
	cr_assert_gt(sample.seen, 10 / ONE_OF);
	cr_assert_eq(sample.roles, JF_INFER_ANY_ROLE);
}

/* A frame that lacks something is still the frame that comes nearest to it. */
ALL_CONVENTIONS(checker, infers_specs_of_damaged_code)
{
	const struct jf_convention *conv = convention_at(*index);
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	static struct emitted e;
	struct jf_inferred inferred = {.size = sizeof(inferred)};
	uint32_t off = 0;

	needs_decoder(conv);
	spec.role = JF_ROLE_BOUNDARY;
	spec.bpf_stack_bytes = 64;
	CHECK(emit_frame(&e, conv, &spec), "boundary");
	/* Every store of the prologue in turn is gone, and what follows moves up. */
	while (off < e.code.marks[JF_MARK_BODY]) {
		uint8_t bytes[FRAME_CODE_BYTES];
		struct jf_check_input input = e.input;
		struct jf_effect effect;

		CHECK_STATUS(jf_decode(conv->backend, e.bytes + off, e.code.size - off, &effect), JF_OK, "at %u", off);
		if (effect.step_count && effect.steps[effect.step_count - 1].kind == JF_STEP_STORE) {
			memcpy(bytes, e.bytes, off);
			memcpy(bytes + off, e.bytes + off + effect.size_bytes, e.code.size - off - effect.size_bytes);
			input.bytes = bytes;
			input.byte_count = e.code.size - effect.size_bytes;
			CHECK_STATUS(jf_check_infer(&input, JF_INFER_ANY_ROLE, &inferred), JF_OK, "at %u", off);
			/* Without its one save that others lack it may as well be another frame. */
			CHECK(inferred.spec.role == JF_ROLE_BOUNDARY || inferred.matched + 1 >= inferred.insns,
			      "%s/%s: without the store at %u: role %u", conv->backend->name, conv->name, off,
			      inferred.spec.role);
		}
		off += effect.size_bytes;
	}
}

Test(checker, infer_refuses_what_it_cannot_do)
{
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_inferred inferred = {.size = sizeof(inferred)};
	uint8_t byte = 0;

	CHECK_STATUS(jf_check_infer(NULL, JF_INFER_ANY_ROLE, &inferred), JF_E_INVAL, "no input");
	CHECK_STATUS(jf_check_infer(&input, JF_INFER_ANY_ROLE, &inferred), JF_E_INVAL, "no convention");
	input.conv = convention_at(0);
	input.bytes = &byte;
	CHECK_STATUS(jf_check_infer(&input, JF_INFER_ANY_ROLE, &inferred), JF_E_INVAL, "no bytes");
	input.byte_count = 1;
	CHECK_STATUS(jf_check_infer(&input, 0, &inferred), JF_E_INVAL, "no role");
	CHECK_STATUS(jf_check_infer(&input, JF_INFER_ANY_ROLE, NULL), JF_E_INVAL, "no room for the answer");
}
