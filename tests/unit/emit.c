/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "toy.h"

#include <string.h>

/* Emission of frames by parts. What the toy's instructions do is proved by running them, in compile_run.c. */

struct out {
	struct jf_code code;
	uint8_t bytes[512];
	struct jf_row rows[64];
};

static void out_init(struct out *out)
{
	jf_code_init(&out->code, out->bytes, sizeof(out->bytes), 0, out->rows, 64);
}

static struct jf_frame frame_of(const struct jf_convention *conv, enum jf_role role, bool tail_calls)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;

	spec.role = role;
	spec.bpf_stack_bytes = 32;
	spec.tail_calls = tail_calls;
	cr_assert_eq(jf_frame_solve(conv, &spec, &frame, NULL), JF_OK);
	return frame;
}

Test(emit, arguments)
{
	struct jf_frame frame = frame_of(&toy_adopt, JF_ROLE_MAIN, false);
	struct out out;

	out_init(&out);
	cr_assert_eq(jf_frame_emit(NULL, &frame, JF_PART_ALL, NULL), JF_E_INVAL);
	cr_assert_eq(jf_frame_emit(&out.code, NULL, JF_PART_ALL, NULL), JF_E_INVAL);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, (enum jf_part)(JF_PART_ALL + 1), NULL), JF_E_INVAL);
	frame.conv = NULL;
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_E_INVAL);
	cr_assert_eq(out.code.size, 0);
}

/* The parts one by one are the same bytes as all of them at once. */
Test(emit, the_whole_is_its_parts)
{
	for (int role = 0; role < JF_ROLE__COUNT; role++) {
		struct jf_frame frame = frame_of(&toy_adopt, (enum jf_role)role, true);
		struct out all, parts;
		bool exits = role != JF_ROLE_CALLBACK;

		out_init(&all);
		out_init(&parts);
		CHECK_STATUS(jf_frame_emit(&all.code, &frame, JF_PART_ALL, NULL), JF_OK, "role %d", role);
		CHECK_STATUS(jf_frame_emit(&parts.code, &frame, JF_PART_PROLOGUE, NULL), JF_OK, "role %d", role);
		CHECK(parts.code.size == all.code.marks[JF_MARK_BODY], "role %d", role);
		CHECK(parts.code.size == all.code.marks[JF_MARK_EPILOGUE], "role %d", role);
		CHECK_STATUS(jf_frame_emit(&parts.code, &frame, JF_PART_EPILOGUE, NULL), JF_OK, "role %d", role);
		CHECK_STATUS(jf_frame_emit(&parts.code, &frame, JF_PART_TAIL_EXIT, NULL),
			     exits ? JF_OK : JF_E_UNSUPPORTED, "role %d", role);
		CHECK(parts.code.size == all.code.size, "role %d: %zu bytes, not %zu", role, parts.code.size,
		      all.code.size);
		CHECK(!memcmp(parts.bytes, all.bytes, all.code.size), "role %d", role);
	}
}

/* An epilogue alone begins with the state that the prologue leaves behind. */
Test(emit, a_part_alone_has_the_bodys_rows)
{
	struct jf_frame frame = frame_of(&toy_adopt, JF_ROLE_BOUNDARY, true);
	struct out all, part;
	const struct jf_row *body;

	out_init(&all);
	out_init(&part);
	cr_assert_eq(jf_frame_emit(&all.code, &frame, JF_PART_ALL, NULL), JF_OK);
	body = jf_row_find(all.rows, all.code.row_count, all.code.marks[JF_MARK_BODY] - 1);
	cr_assert_eq(jf_frame_emit(&part.code, &frame, JF_PART_EPILOGUE, NULL), JF_OK);
	cr_assert_eq(part.rows[0].code_off, 0);
	cr_assert(jf_row_same(&part.rows[0], body));
	cr_assert_eq(body->saved, jf_frame_saved_mask(&frame));
	cr_assert_eq(body->cfa_reg, TOY_FP);
	cr_assert_eq(body->cfa_off, 24);
	out_init(&part);
	cr_assert_eq(jf_frame_emit(&part.code, &frame, JF_PART_TAIL_EXIT, NULL), JF_OK);
	cr_assert(jf_row_same(&part.rows[0], body));
}

Test(emit, every_call_begins_a_function)
{
	struct jf_frame frame = frame_of(&toy_adopt, JF_ROLE_MAIN, false);
	struct out out;

	out_init(&out);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_OK);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_OK);
	cr_assert_eq(out.code.start, out.code.size / 2);
	cr_assert_eq(out.code.row_start, out.code.row_count / 2);
	cr_assert_arr_eq(out.bytes, out.bytes + out.code.start, out.code.start);
	cr_assert_eq(out.rows[out.code.row_start].code_off, 0);
}

Test(emit, a_full_buffer_is_reported)
{
	struct jf_frame frame = frame_of(&toy_adopt, JF_ROLE_BOUNDARY, true);
	struct out out;
	size_t need;

	out_init(&out);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_OK);
	need = out.code.size;
	for (size_t capacity = 0; capacity < need; capacity++) {
		jf_code_init(&out.code, out.bytes, capacity, 0, out.rows, 64);
		CHECK_STATUS(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_E_NOSPACE, "%zu of %zu", capacity,
			     need);
	}
	jf_code_init(&out.code, out.bytes, need, 0, out.rows, 64);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_OK);
}

Test(emit, tail_exits_need_tail_calls)
{
	struct jf_frame frame = frame_of(&toy_adopt, JF_ROLE_MAIN, false);
	struct out out;

	out_init(&out);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_TAIL_EXIT, NULL), JF_E_UNSUPPORTED);
	cr_assert_eq(jf_frame_emit(&out.code, &frame, JF_PART_ALL, NULL), JF_OK);
}

Test(emit, values_reach_the_prologue)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_values values = {.arena_base = UINT64_C(0x1122334455667788)};
	struct jf_frame frame;
	struct out none, some;
	unsigned int differ = 0;

	spec.arena = true;
	cr_assert_eq(jf_frame_solve(&toy_adopt, &spec, &frame, NULL), JF_OK);
	out_init(&none);
	out_init(&some);
	cr_assert_eq(jf_frame_emit(&none.code, &frame, JF_PART_PROLOGUE, NULL), JF_OK);
	cr_assert_eq(jf_frame_emit(&some.code, &frame, JF_PART_PROLOGUE, &values), JF_OK);
	cr_assert_eq(none.code.size, some.code.size);
	for (size_t i = 0; i < some.code.size; i++)
		differ += none.bytes[i] != some.bytes[i];
	cr_assert_eq(differ, 8);
}

/* ---- the tail-call entry --------------------------------------------------------------------------- */

Test(emit, tail_entry_is_behind_what_must_not_run_twice)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	uint32_t off = 99;

	cr_assert_eq(jf_tail_entry_off(&toy_adopt, &spec, &off), JF_OK);
	cr_assert_eq(off, 2);
	spec.landing_pads = true;
	cr_assert_eq(jf_tail_entry_off(&toy_adopt, &spec, &off), JF_OK);
	cr_assert_eq(off, 4);
}

/* The offset is the other program's: what this one needs of its own frame does not matter. */
Test(emit, tail_entry_does_not_depend_on_the_caller)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	uint32_t off;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 500;
	spec.bpf_regs_used = 0x7c0;
	cr_assert_eq(jf_tail_entry_off(&toy_adopt, &spec, &off), JF_OK);
	cr_assert_eq(off, 2);
}

Test(emit, tail_entry_refusals)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	uint32_t off = 99;

	cr_assert_eq(jf_tail_entry_off(NULL, &spec, &off), JF_E_INVAL);
	cr_assert_eq(jf_tail_entry_off(&toy_adopt, NULL, &off), JF_E_INVAL);
	cr_assert_eq(jf_tail_entry_off(&toy_adopt, &spec, NULL), JF_E_INVAL);
	spec.tail_calls = true;
	cr_assert_eq(jf_tail_entry_off(&toy_plain, &spec, &off), JF_E_UNSUPPORTED);
	cr_assert_eq(off, 99);
}

/* ---- the state at the first instruction ------------------------------------------------------------- */

static struct jf_row first_row(const struct jf_frame *frame)
{
	struct out out;

	out_init(&out);
	jf_frame_begin(&out.code, frame);
	jf_code_put(&out.code, "\0", 2);
	cr_assert_eq(out.code.row_count, 1);
	cr_assert_eq(out.rows[0].code_off, 0);
	return out.rows[0];
}

Test(emit, entry_of_a_called_function)
{
	static const enum jf_role roles[] = {JF_ROLE_MAIN, JF_ROLE_SUBPROGRAM, JF_ROLE_BOUNDARY};

	for (size_t i = 0; i < 3; i++) {
		struct jf_frame frame = frame_of(&toy_adopt, roles[i], false);
		struct jf_row row = first_row(&frame);

		cr_assert_eq(row.cfa_reg, TOY_SP);
		cr_assert_eq(row.cfa_off, 0);
		cr_assert_eq(row.saved, 0);
		cr_assert_eq(row.flags, 0);
	}
}

Test(emit, entry_where_a_call_pushes_the_return_address)
{
	struct jf_backend backend = toy_backend;
	struct jf_convention conv = toy_adopt;
	struct jf_frame frame;
	struct jf_row row;

	backend.ra_pushed = true;
	backend.cfa_sp_off_at_entry = 8;
	conv.backend = &backend;
	frame = frame_of(&conv, JF_ROLE_MAIN, false);
	row = first_row(&frame);
	cr_assert_eq(row.cfa_off, 8);
	cr_assert_eq(row.saved, UINT32_C(1) << jf_frame_slot(&frame, JF_SLOT_RETURN, JF_REG_NONE));
}

Test(emit, entry_of_a_callback_that_adopts)
{
	struct jf_frame frame = frame_of(&toy_adopt, JF_ROLE_CALLBACK, false);
	struct jf_row row = first_row(&frame);

	cr_assert_eq(row.cfa_reg, TOY_A3);
	cr_assert_eq(row.cfa_off, 24);
	cr_assert_eq(row.saved, jf_frame_saved_mask(&frame));
	cr_assert_eq(row.flags, 0);
}

Test(emit, entry_of_a_callback_that_restores)
{
	struct jf_frame frame = frame_of(&toy_restore, JF_ROLE_CALLBACK, false);
	struct jf_row row = first_row(&frame);

	cr_assert_eq(row.cfa_reg, TOY_A3);
	cr_assert_eq(row.cfa_off, 16);
	cr_assert_eq(row.saved, 3); /* fp and ra, the record */
	cr_assert_eq(row.flags, JF_ROW_REGS_LOST);
}
