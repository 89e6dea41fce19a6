/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"

#include <string.h>

/* What solved frames and conventions answer; how they are laid out is in frame.c. */

static struct jf_frame boundary_of(const struct jf_convention *conv)
{
	struct jf_frame frame;

	cr_assert_eq(jf_frame_boundary(conv, &frame), JF_OK);
	return frame;
}

Test(frame_questions, slot_finds_by_kind_and_register)
{
	struct jf_frame frame = boundary_of(&toy_adopt);

	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_RETURN, JF_REG_NONE), 2);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_RETURN, TOY_RA), 2);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_RETURN, TOY_FP), -1);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_SAVE, JF_REG_NONE), 0);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_SAVE, TOY_S0), 6);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_SAVE, TOY_CW), -1);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_SPILL, JF_REG_NONE), -1);
	cr_assert_eq(jf_frame_slot(&frame, JF_SLOT_BPF_STACK, JF_REG_NONE), -1);
}

Test(frame_questions, saved_mask_has_the_callers_values_and_nothing_else)
{
	struct jf_frame frame = boundary_of(&toy_adopt);
	uint32_t mask = jf_frame_saved_mask(&frame);

	for (unsigned int i = 0; i < 32; i++) {
		bool wanted = i < frame.slot_count &&
			      (frame.slots[i].kind == JF_SLOT_RETURN || frame.slots[i].kind == JF_SLOT_SAVE);

		cr_assert_eq(mask >> i & 1, wanted, "slot %u", i);
	}
}

Test(frame_questions, the_plainest_boundary)
{
	struct jf_frame frame = boundary_of(&toy_adopt);

	cr_assert_eq(frame.spec.role, JF_ROLE_BOUNDARY);
	cr_assert_eq(frame.size_bytes, frame.fixed_bytes);
	cr_assert_eq(jf_frame_boundary(&toy_plain, &frame), JF_E_UNSUPPORTED);
	cr_assert_eq(jf_frame_boundary(NULL, &frame), JF_E_INVAL);
	cr_assert_eq(jf_frame_boundary(&toy_adopt, NULL), JF_E_INVAL);
}

Test(frame_questions, supports_asks_for_all_of_them)
{
	cr_assert(jf_convention_supports(&toy_adopt, 0));
	cr_assert(jf_convention_supports(&toy_plain, 0));
	cr_assert(jf_convention_supports(&toy_adopt, JF_CAP_EXCEPTIONS));
	cr_assert(jf_convention_supports(&toy_adopt, JF_CAP_EXCEPTIONS | JF_CAP_ARENA));
	cr_assert_not(jf_convention_supports(&toy_adopt, JF_CAP_EXCEPTIONS | JF_CAP_RUN));
	cr_assert_not(jf_convention_supports(&toy_plain, JF_CAP_EXCEPTIONS));
}

Test(frame_questions, unsaved_names_what_a_boundary_leaves_out)
{
	uint8_t regs[4] = {99, 99, 99, 99};

	cr_assert_eq(jf_convention_unsaved(&toy_adopt, regs, 4), 1);
	cr_assert_eq(regs[0], TOY_CW);
	cr_assert_eq(regs[1], 99);
	cr_assert_eq(jf_convention_unsaved(&toy_restore, regs, 4), 2);
	cr_assert_eq(regs[0], TOY_S5);
	cr_assert_eq(regs[1], TOY_CW);
	cr_assert_eq(regs[2], 99);
}

Test(frame_questions, unsaved_counts_beyond_the_capacity)
{
	uint8_t regs[2] = {99, 99};

	cr_assert_eq(jf_convention_unsaved(&toy_restore, regs, 1), 2);
	cr_assert_eq(regs[0], TOY_S5);
	cr_assert_eq(regs[1], 99);
	cr_assert_eq(jf_convention_unsaved(&toy_restore, NULL, 0), 2);
}

Test(frame_questions, unsaved_without_a_boundary_is_an_error)
{
	cr_assert_eq(jf_convention_unsaved(&toy_plain, NULL, 0), JF_E_UNSUPPORTED);
}

/* ---- describe.h ------------------------------------------------------------------------------------- */

Test(describe, names_are_parsed_back)
{
	for (int i = 0; i < JF_ROLE__COUNT; i++) {
		enum jf_role role = JF_ROLE__COUNT;

		cr_assert_eq(jf_role_parse(jf_role_name((enum jf_role)i), &role), JF_OK);
		cr_assert_eq((int)role, i);
	}
}

Test(describe, other_names_are_not)
{
	enum jf_role role = JF_ROLE_CALLBACK;

	cr_assert_eq(jf_role_parse("", &role), JF_E_NOT_FOUND);
	cr_assert_eq(jf_role_parse("mai", &role), JF_E_NOT_FOUND);
	cr_assert_eq(jf_role_parse("main ", &role), JF_E_NOT_FOUND);
	cr_assert_eq(jf_role_parse(NULL, &role), JF_E_NOT_FOUND);
	cr_assert_eq(role, JF_ROLE_CALLBACK);
	cr_assert_str_eq(jf_role_name(JF_ROLE__COUNT), "?");
	cr_assert_str_eq(jf_role_name((enum jf_role) - 1), "?");
	cr_assert_str_eq(jf_slot_kind_name(JF_SLOT__COUNT), "?");
	cr_assert_str_eq(jf_range_kind_name(JF_RANGE__COUNT), "?");
	cr_assert_str_eq(jf_cap_name(0), "?");
	cr_assert_str_eq(jf_cap_name(3), "?");
	cr_assert_str_eq(jf_cap_name(UINT32_C(1) << 31), "?");
}

Test(describe, every_enum_value_has_a_name)
{
	for (int i = 0; i < JF_SLOT__COUNT; i++)
		cr_assert_str_neq(jf_slot_kind_name((enum jf_slot_kind)i), "?");
	for (int i = 0; i < JF_RANGE__COUNT; i++)
		cr_assert_str_neq(jf_range_kind_name((enum jf_range_kind)i), "?");
	for (uint32_t cap = 1; cap <= JF_CAP_RUN; cap <<= 1)
		cr_assert_str_neq(jf_cap_name(cap), "?");
}

/* Every capacity: always terminated, never written beyond, the length is the same. */
Test(describe, text_fits_any_buffer)
{
	struct jf_frame frame = boundary_of(&toy_adopt);
	char whole[4096], part[4096];
	int length = jf_frame_text(&frame, whole, sizeof(whole));

	cr_assert_eq((size_t)length, strlen(whole));
	cr_assert_eq(jf_frame_text(&frame, NULL, 0), length);
	for (size_t capacity = 1; capacity <= (size_t)length + 2; capacity++) {
		size_t kept = capacity - 1 < (size_t)length ? capacity - 1 : (size_t)length;

		memset(part, 'z', sizeof(part));
		CHECK(jf_frame_text(&frame, part, capacity) == length, "capacity %zu", capacity);
		CHECK(strlen(part) == kept && !memcmp(part, whole, kept), "capacity %zu", capacity);
		CHECK(part[kept + 1] == 'z', "capacity %zu", capacity);
	}
}

Test(describe, a_frame_is_drawn_from_the_top_down)
{
	struct jf_frame frame = boundary_of(&toy_adopt);
	char text[4096];
	int32_t off = 1;
	int lines = 0;

	jf_frame_text(&frame, text, sizeof(text));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		int32_t next;

		if (sscanf(line, "%d |", &next) != 1)
			continue;
		CHECK(next < off, "%d under %d", next, off);
		off = next;
		lines++;
	}
	cr_assert_eq(lines, frame.slot_count);
	cr_assert_eq(off, -(int32_t)frame.size_bytes);
}

Test(describe, a_row_in_words)
{
	struct jf_frame frame = boundary_of(&toy_adopt);
	struct jf_row row = {.cfa_reg = TOY_SP, .cfa_off = 24, .saved = 1 << 0 | 1 << 2};
	char text[128];

	jf_row_text(&toy_backend, &row, frame.slots, frame.slot_count, text, sizeof(text));
	cr_assert_str_eq(text, "CFA=sp+24 fp@-8 ra@-24");
	row = (struct jf_row){.cfa_reg = TOY_FP, .cfa_off = -8, .flags = JF_ROW_RA_SIGNED | JF_ROW_REGS_LOST};
	jf_row_text(&toy_backend, &row, frame.slots, frame.slot_count, text, sizeof(text));
	cr_assert_str_eq(text, "CFA=fp-8 signed others-lost");
	row.flags = JF_ROW_UNKNOWN;
	jf_row_text(&toy_backend, &row, frame.slots, frame.slot_count, text, sizeof(text));
	cr_assert_str_eq(text, "unknown");
}

Test(describe, a_slot_in_words)
{
	struct jf_frame frame = boundary_of(&toy_adopt);
	char text[64];

	jf_slot_text(&frame, 0, text, sizeof(text));
	cr_assert_str_eq(text, "fp of the caller, previous frame pointer");
	jf_slot_text(&frame, 2, text, sizeof(text));
	cr_assert_str_eq(text, "ra, return address");
	cr_assert_eq(jf_slot_text(&frame, 200, text, sizeof(text)), 0);
	cr_assert_str_eq(text, "");
}
