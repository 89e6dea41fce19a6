/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy_copy.h"

#include <string.h>

static struct jf_frame_spec spec_of(enum jf_role role, uint32_t stack_bytes, unsigned int regs)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = role;
	spec.bpf_stack_bytes = stack_bytes;
	spec.bpf_regs_used = (uint16_t)regs;
	return spec;
}

static struct jf_frame solved(const struct jf_convention *conv, struct jf_frame_spec spec)
{
	struct jf_frame frame;
	struct jf_error error = {0};

	memset(&frame, 0xff, sizeof(frame));
	CHECK_STATUS(jf_frame_solve(conv, &spec, &frame, &error), JF_OK, "%s: %s", error.where, error.text);
	return frame;
}

static void check_slot(const struct jf_frame *frame, unsigned int i, enum jf_slot_kind kind, unsigned int reg,
		       int32_t off, uint32_t bytes)
{
	const struct jf_slot *slot = &frame->slots[i];

	CHECK(i < frame->slot_count, "there are %u slots, not %u", frame->slot_count, i + 1);
	CHECK(slot->kind == kind, "slot %u is %s, not %s", i, jf_slot_kind_name(slot->kind), jf_slot_kind_name(kind));
	CHECK(slot->reg == reg, "slot %u is of register %u, not %u", i, slot->reg, reg);
	CHECK(slot->off_from_cfa == off, "slot %u is at %d, not %d", i, slot->off_from_cfa, off);
	CHECK(slot->size_bytes == bytes, "slot %u has %u bytes, not %u", i, slot->size_bytes, bytes);
}

/* ---- layout ---------------------------------------------------------------------------------------- */

Test(frame, the_plainest_frame_is_the_record)
{
	struct jf_frame frame = solved(&toy_adopt, spec_of(JF_ROLE_MAIN, 0, 0));

	cr_assert_eq(frame.conv, &toy_adopt);
	cr_assert_eq(frame.slot_count, 3);
	check_slot(&frame, 0, JF_SLOT_SAVE, TOY_FP, -8, 8);
	check_slot(&frame, 1, JF_SLOT_TCC, JF_REG_NONE, -16, 8);
	check_slot(&frame, 2, JF_SLOT_RETURN, TOY_RA, -24, 8);
	cr_assert_eq(frame.size_bytes, 24, "an area without slots adds nothing, %u", frame.size_bytes);
	cr_assert_eq(frame.fixed_bytes, 24);
	cr_assert_eq(frame.bpf_stack_bytes, 0);
	cr_assert_eq(frame.out_args_bytes, 0);
	cr_assert_eq(frame.bpf_fp_off_from_cfa, -24);
	cr_assert_eq(frame.landing_sp_off_from_cfa, -24);
}

/* "When it calls": not in a leaf, and nothing else changes. */
Test(frame, a_leaf_may_do_without_a_slot)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, 0);
	struct jf_frame frame;
	struct copy copy;

	copy_init(&copy, &toy_adopt);
	copy.rules[2].when = JF_WHEN_CALLS;
	frame = solved(&copy.conv, spec);
	cr_assert_eq(frame.slot_count, 3);
	cr_assert(frame.needs & JF_WHEN_CALLS);
	spec.leaf = true;
	frame = solved(&copy.conv, spec);
	cr_assert_eq(frame.slot_count, 2);
	check_slot(&frame, 1, JF_SLOT_TCC, JF_REG_NONE, -16, 8);
	cr_assert_eq(solved(&toy_adopt, spec).slot_count, 3);
}

Test(frame, a_pair_has_its_first_at_the_lower_address)
{
	struct jf_frame frame = solved(&toy_adopt, spec_of(JF_ROLE_MAIN, 0, 1 << 6 | 1 << 7));

	cr_assert_eq(frame.slot_count, 6);
	check_slot(&frame, 3, JF_SLOT_SAVE, TOY_S1, -40, 8);
	check_slot(&frame, 4, JF_SLOT_SAVE, TOY_S0, -32, 8);
	/* 40 is no multiple of the area's 16. */
	check_slot(&frame, 5, JF_SLOT_PAD, JF_REG_NONE, -48, 8);
	cr_assert_eq(frame.size_bytes, 48);
}

Test(frame, an_odd_last_one_is_padded_above)
{
	struct jf_frame frame = solved(&toy_adopt, spec_of(JF_ROLE_MAIN, 0, 1 << 9));

	cr_assert_eq(frame.slot_count, 6);
	check_slot(&frame, 3, JF_SLOT_SAVE, TOY_S3, -40, 8);
	check_slot(&frame, 4, JF_SLOT_PAD, JF_REG_NONE, -32, 8);
	check_slot(&frame, 5, JF_SLOT_PAD, JF_REG_NONE, -48, 8);
}

Test(frame, a_boundary_has_everything_in_the_order_of_the_rules)
{
	struct jf_frame frame = solved(&toy_adopt, spec_of(JF_ROLE_BOUNDARY, 0, 0));
	static const struct {
		uint8_t kind, reg;
		int32_t off;
	} wanted[] = {
		{JF_SLOT_SAVE, TOY_FP, -8},  {JF_SLOT_TCC, JF_REG_NONE, -16}, {JF_SLOT_RETURN, TOY_RA, -24},
		{JF_SLOT_SAVE, TOY_S3, -40}, {JF_SLOT_SAVE, TOY_S1, -32},     {JF_SLOT_SAVE, TOY_S2, -56},
		{JF_SLOT_SAVE, TOY_S0, -48}, {JF_SLOT_SAVE, TOY_F0, -72},     {JF_SLOT_SAVE, TOY_S5, -64},
		{JF_SLOT_SAVE, TOY_S4, -88}, {JF_SLOT_PAD, JF_REG_NONE, -80}, {JF_SLOT_PAD, JF_REG_NONE, -96},
	};

	cr_assert_eq(frame.slot_count, 12);
	for (unsigned int i = 0; i < 12; i++)
		check_slot(&frame, i, wanted[i].kind, wanted[i].reg, wanted[i].off, 8);
	cr_assert_eq(frame.size_bytes, 96);
	cr_assert_eq(frame.fixed_bytes, 96);
}

Test(frame, the_callback_has_what_the_boundary_has)
{
	struct jf_frame boundary = solved(&toy_adopt, spec_of(JF_ROLE_BOUNDARY, 128, 0));
	struct jf_frame callback = solved(&toy_adopt, spec_of(JF_ROLE_CALLBACK, 0, 1 << 6));

	cr_assert_eq(callback.slot_count + 1, boundary.slot_count);
	cr_assert_arr_eq(callback.slots, boundary.slots, callback.slot_count * sizeof(callback.slots[0]));
}

Test(frame, bpf_stack_is_rounded_and_lies_under_R10)
{
	for (uint32_t bytes = 1; bytes <= 100; bytes++) {
		struct jf_frame frame = solved(&toy_adopt, spec_of(JF_ROLE_MAIN, bytes, 1 << 7));
		uint32_t rounded = (bytes + 15) / 16 * 16;
		int slot = jf_frame_slot(&frame, JF_SLOT_BPF_STACK, JF_REG_NONE);

		/* s1 and s4: a stack implies that R10 is used. */
		CHECK(frame.bpf_fp_off_from_cfa == -48, "R10 at %d with %u bytes", frame.bpf_fp_off_from_cfa, bytes);
		CHECK(slot >= 0, "no stack of %u bytes", bytes);
		check_slot(&frame, (unsigned int)slot, JF_SLOT_BPF_STACK, JF_REG_NONE, -48 - (int32_t)rounded, rounded);
		CHECK(frame.bpf_stack_bytes == rounded, "%u", bytes);
		CHECK(frame.size_bytes == 48 + rounded, "%u", bytes);
		CHECK(frame.fixed_bytes == 48, "%u", bytes);
		CHECK(frame.spec.bpf_stack_bytes == bytes, "the spec is kept as it was asked for");
	}
}

Test(frame, R10_without_a_stack_is_where_it_would_be)
{
	struct jf_frame frame = solved(&toy_adopt, spec_of(JF_ROLE_MAIN, 0, 1 << 10));

	cr_assert_eq(frame.bpf_fp_off_from_cfa, -48);
	cr_assert_eq(frame.bpf_stack_bytes, 0);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_BPF_STACK, JF_REG_NONE), -1);
	cr_assert(jf_frame_slot(&frame, JF_SLOT_SAVE, TOY_S4) >= 0);
}

Test(frame, the_stack_may_lie_above_the_saves)
{
	struct jf_frame frame = solved(&toy_restore, spec_of(JF_ROLE_BOUNDARY, 20, 0));

	check_slot(&frame, 0, JF_SLOT_SAVE, TOY_FP, -8, 8);
	check_slot(&frame, 1, JF_SLOT_RETURN, TOY_RA, -16, 8);
	check_slot(&frame, 2, JF_SLOT_BPF_STACK, JF_REG_NONE, -40, 24);
	check_slot(&frame, 3, JF_SLOT_SAVE, TOY_F0, -48, 8);
	check_slot(&frame, 8, JF_SLOT_SAVE, TOY_S4, -88, 8);
	cr_assert_eq(frame.slot_count, 9);
	cr_assert_eq(frame.bpf_fp_off_from_cfa, -16);
	cr_assert_eq(frame.size_bytes, 88);
	cr_assert_eq(frame.fixed_bytes, 64);
}

Test(frame, out_args_count_from_the_last_in_a_register)
{
	struct jf_convention conv = toy_adopt;

	conv.extra_arg_regs = 2;
	for (unsigned int n = 0; n <= JF_OUT_ARGS_MAX; n++) {
		struct jf_frame_spec spec = spec_of(JF_ROLE_BOUNDARY, 16, 0);
		struct jf_frame frame;
		uint32_t bytes = n > 2 ? 8 * (n - 2) : 0;
		int slot;

		spec.out_args = (uint8_t)n;
		frame = solved(&conv, spec);
		slot = jf_frame_slot(&frame, JF_SLOT_OUT_ARGS, JF_REG_NONE);
		CHECK(frame.out_args_bytes == bytes, "%u arguments: %u bytes", n, frame.out_args_bytes);
		CHECK(frame.size_bytes == 112 + bytes, "%u arguments: %u bytes in all", n, frame.size_bytes);
		CHECK(frame.landing_sp_off_from_cfa == -112, "%d", frame.landing_sp_off_from_cfa);
		CHECK((slot >= 0) == (bytes > 0), "%u arguments: slot %d", n, slot);
		if (slot >= 0)
			check_slot(&frame, (unsigned int)slot, JF_SLOT_OUT_ARGS, JF_REG_NONE, -112 - (int32_t)bytes,
				   bytes);
	}
}

Test(frame, a_private_stack_takes_none_of_the_frame)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 100, 0);
	struct jf_frame frame;

	spec.private_stack = true;
	frame = solved(&toy_adopt, spec);
	cr_assert_eq(frame.bpf_stack_bytes, 0);
	cr_assert_eq(frame.size_bytes, 48);
	cr_assert(frame.needs & JF_WHEN_PRIVATE_STACK);
	cr_assert(frame.needs & JF_WHEN_FP);
}

/* Whatever is asked for: the slots lie side by side from the CFA to the end, and none twice. */
Test(frame, slots_fill_the_frame)
{
	static const struct jf_convention *const convs[] = {&toy_adopt, &toy_restore, &toy_plain};
	struct rng rng = {3};
	unsigned int solved_count = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		struct jf_frame_spec spec = spec_of((enum jf_role)rng_below(&rng, JF_ROLE__COUNT), rng_below(&rng, 70),
						    rng_below(&rng, 0x800));
		const struct jf_convention *conv = convs[rng_below(&rng, 3)];
		bool taken[4096 / 8] = {false};
		struct jf_frame frame;

		spec.tail_calls = rng_below(&rng, 4) == 0;
		spec.arena = rng_below(&rng, 4) == 0;
		spec.private_stack = rng_below(&rng, 4) == 0;
		spec.out_args = rng_below(&rng, 2) ? (uint8_t)rng_below(&rng, 8) : 0;
		if (jf_frame_solve(conv, &spec, &frame, NULL) != JF_OK)
			continue;
		solved_count++;
		for (unsigned int s = 0; s < frame.slot_count; s++) {
			const struct jf_slot *slot = &frame.slots[s];

			CHECK(slot->size_bytes && slot->size_bytes % 8 == 0, "slot %u", s);
			for (uint32_t at = 0; at < slot->size_bytes; at += 8) {
				int32_t word = (-slot->off_from_cfa - (int32_t)at) / 8 - 1;

				CHECK(word >= 0 && word < 512 && !taken[word], "slot %u, word %d", s, word);
				taken[word] = true;
			}
		}
		for (uint32_t word = 0; word < 512; word++)
			CHECK(taken[word] == (word < frame.size_bytes / 8), "word %u of %u bytes", word,
			      frame.size_bytes);
		CHECK(frame.size_bytes == frame.fixed_bytes + frame.bpf_stack_bytes + frame.out_args_bytes, "parts");
		CHECK(frame.landing_sp_off_from_cfa == -(int32_t)(frame.size_bytes - frame.out_args_bytes), "landing");
	}
	cr_assert_gt(solved_count, 1000);
}

/* ---- refusals: which status, and which field is named ----------------------------------------------- */

static void check_refused(const struct jf_convention *conv, const struct jf_frame_spec *spec, enum jf_status wanted,
			  const char *field)
{
	struct jf_frame frame, before;
	struct jf_error error = {0};

	memset(&before, 0x5a, sizeof(before));
	frame = before;
	CHECK_STATUS(jf_frame_solve(conv, spec, &frame, &error), wanted, "%s: %s", error.where, error.text);
	CHECK(error.status == wanted, "the error says %s", jf_status_name(error.status));
	CHECK(!strcmp(error.where, field), "the error names '%s', not '%s'", error.where, field);
	CHECK(error.text[0], "the error has no text");
	CHECK(!memcmp(&frame, &before, sizeof(frame)), "the frame was written");
	CHECK_STATUS(jf_frame_solve(conv, spec, &frame, NULL), wanted, "without an error");
}

Test(frame, null_arguments)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;

	cr_assert_eq(jf_frame_solve(NULL, &spec, &frame, NULL), JF_E_INVAL);
	cr_assert_eq(jf_frame_solve(&toy_adopt, NULL, &frame, NULL), JF_E_INVAL);
	cr_assert_eq(jf_frame_solve(&toy_adopt, &spec, NULL, NULL), JF_E_INVAL);
}

Test(frame, roles_are_four)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE__COUNT;
	check_refused(&toy_adopt, &spec, JF_E_INVAL, "role");
	spec.role = UINT32_MAX;
	check_refused(&toy_adopt, &spec, JF_E_INVAL, "role");
}

Test(frame, the_stack_has_a_limit)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 1000, 0);

	solved(&toy_adopt, spec);
	spec.bpf_stack_bytes = 1001;
	check_refused(&toy_adopt, &spec, JF_E_BAD_SPEC, "bpf_stack_bytes");
	spec.bpf_stack_bytes = UINT32_MAX;
	check_refused(&toy_adopt, &spec, JF_E_BAD_SPEC, "bpf_stack_bytes");
	spec.bpf_stack_bytes = 65;
	check_refused(&toy_plain, &spec, JF_E_BAD_SPEC, "bpf_stack_bytes");
}

Test(frame, out_args_have_a_limit)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.out_args = JF_OUT_ARGS_MAX + 1;
	check_refused(&toy_adopt, &spec, JF_E_BAD_SPEC, "out_args");
	spec.out_args = 255;
	check_refused(&toy_adopt, &spec, JF_E_BAD_SPEC, "out_args");
}

Test(frame, capabilities_that_are_missing_are_named)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "role");
	spec.role = JF_ROLE_CALLBACK;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "role");
	spec.role = JF_ROLE_SUBPROGRAM;
	spec.tail_calls = true;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "tail_calls");
	spec.tail_calls = false;
	spec.arena = true;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "arena");
	spec.arena = false;
	spec.private_stack = true;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "private_stack");
	spec.private_stack = false;
	spec.out_args = 1;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "out_args");
	spec.out_args = 0;
	spec.landing_pads = true;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "landing_pads");
	spec.landing_pads = false;
	spec.sign_return = true;
	check_refused(&toy_plain, &spec, JF_E_UNSUPPORTED, "sign_return");
	check_refused(&toy_adopt, &spec, JF_E_UNSUPPORTED, "sign_return");
}

Test(frame, a_private_stack_in_a_callback_is_a_capability_of_its_own)
{
	struct jf_convention conv = toy_adopt;
	struct jf_frame_spec spec = spec_of(JF_ROLE_CALLBACK, 16, 0);

	spec.private_stack = true;
	check_refused(&toy_adopt, &spec, JF_E_UNSUPPORTED, "private_stack");
	conv.caps |= JF_CAP_PRIVATE_STACK_CALLBACK;
	solved(&conv, spec);
}

Test(frame, exceptions_need_both_the_capability_and_a_landing)
{
	struct jf_convention conv = toy_adopt;
	struct jf_frame_spec spec = spec_of(JF_ROLE_BOUNDARY, 0, 0);

	conv.landing = JF_LANDING_NONE;
	check_refused(&conv, &spec, JF_E_UNSUPPORTED, "role");
	conv.landing = JF_LANDING_ADOPT;
	conv.caps &= ~(uint32_t)JF_CAP_EXCEPTIONS;
	check_refused(&conv, &spec, JF_E_UNSUPPORTED, "role");
}

Test(frame, options_that_exclude_each_other)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_error error = {0};
	struct jf_frame frame;

	spec.tail_calls = true;
	spec.out_args = 1;
	check_refused(&toy_adopt, &spec, JF_E_BAD_SPEC, "out_args");
	cr_assert_eq(jf_frame_solve(&toy_adopt, &spec, &frame, &error), JF_E_BAD_SPEC);
	cr_assert_not_null(strstr(error.text, "tail_calls"));
	cr_assert_not_null(strstr(error.text, "the toy says so"));
	spec.out_args = 0;
	solved(&toy_adopt, spec);
	spec.tail_calls = false;
	spec.private_stack = spec.arena = true;
	check_refused(&toy_adopt, &spec, JF_E_BAD_SPEC, "arena");
}

/* ---- specs of other headers -------------------------------------------------------------------------- */

Test(frame, a_spec_from_a_newer_header_is_taken_while_it_asks_for_nothing_new)
{
	struct {
		struct jf_frame_spec spec;
		uint8_t newer[8];
	} in = {.spec = JF_FRAME_SPEC_INIT};
	struct jf_frame frame;

	in.spec.size = sizeof(in);
	in.spec.bpf_stack_bytes = 16;
	cr_assert_eq(jf_frame_solve(&toy_adopt, &in.spec, &frame, NULL), JF_OK);
	cr_assert_eq(frame.spec.size, sizeof(struct jf_frame_spec));
	cr_assert_eq(frame.bpf_stack_bytes, 16);
	in.newer[7] = 1;
	check_refused(&toy_adopt, &in.spec, JF_E_INVAL, "size");
	in.newer[7] = 0;
	in.newer[0] = 1;
	check_refused(&toy_adopt, &in.spec, JF_E_INVAL, "size");
}

Test(frame, fields_that_an_older_spec_lacks_are_zero)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 16, 0);
	struct jf_frame frame;

	/* What stands behind its end is not read. */
	spec.size = offsetof(struct jf_frame_spec, out_args);
	spec.out_args = 200;
	spec.sign_return = true;
	frame = solved(&toy_adopt, spec);
	cr_assert_eq(frame.spec.out_args, 0);
	cr_assert_not(frame.spec.sign_return);
	cr_assert_eq(frame.bpf_stack_bytes, 16);
}

Test(frame, a_spec_without_even_a_role_is_refused)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.size = 0;
	check_refused(&toy_adopt, &spec, JF_E_INVAL, "size");
	spec.size = 7;
	check_refused(&toy_adopt, &spec, JF_E_INVAL, "size");
	spec.size = 8;
	solved(&toy_adopt, spec);
}
