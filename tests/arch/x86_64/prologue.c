/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows that go with prologues, epilogues and exits of both conventions. The code itself, byte by byte, is in
 * tests/golden.
 */
#include <criterion/criterion.h>
#include <jitframe/backend.h>
#include <stdio.h>
#include <string.h>

#include "x86_64.h"

#define ROWS_MAX 64

#define USES(n)  (1u << (n))
#define USES_ALL (USES(6) | USES(7) | USES(8) | USES(9))

static uint8_t bytes[512];
static struct jf_row rows[ROWS_MAX];
static struct jf_code code;
static struct jf_frame frame;

static struct jf_frame_spec spec_of(enum jf_role role, uint32_t stack, uint16_t used)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = role;
	spec.bpf_stack_bytes = stack;
	spec.bpf_regs_used = used;
	return spec;
}

static void emit(const struct jf_convention *conv, struct jf_frame_spec spec, enum jf_part part,
		 const struct jf_values *values)
{
	struct jf_error error = {0};

	cr_assert_eq(jf_frame_solve(conv, &spec, &frame, &error), JF_OK, "%s: %s", error.where, error.text);
	jf_code_init(&code, bytes, sizeof(bytes), 0x1000, rows, ROWS_MAX);
	cr_assert_eq(jf_frame_emit(&code, &frame, part, values), JF_OK);
}

/* Blanks in `want` separate the instructions. */
static void is(const char *want)
{
	char got[3 * sizeof(bytes)] = "", plain[3 * sizeof(bytes)] = "";
	size_t at = 0;

	for (size_t i = 0; i < code.size; i++)
		snprintf(got + 2 * i, 3, "%02x", bytes[i]);
	for (const char *c = want; *c; c++)
		if (*c != ' ')
			plain[at++] = *c;
	cr_assert_str_eq(got, plain, "\n  emitted  %s\n  expected %s", got, plain);
}

#define LINUX &jf_x86_64_linux
#define USER  &jf_x86_64_user

/* ---- rows ----------------------------------------------------------------------------------- */

static void row_is(const struct jf_row *row, uint8_t reg, int32_t off, uint32_t saved, uint8_t flags)
{
	cr_assert_eq(row->cfa_reg, reg, "at +%u CFA is by register %u", row->code_off, row->cfa_reg);
	cr_assert_eq(row->cfa_off, off, "at +%u CFA is %+d", row->code_off, row->cfa_off);
	cr_assert_eq(row->saved, saved, "at +%u saved is %#x", row->code_off, row->saved);
	cr_assert_eq(row->flags, flags, "at +%u flags are %#x", row->code_off, row->flags);
}

static uint32_t bit(enum jf_slot_kind kind, uint8_t reg)
{
	int slot = jf_frame_slot(&frame, kind, reg);

	cr_assert_geq(slot, 0);
	return UINT32_C(1) << slot;
}

Test(prologue_x86_64, rows_of_a_prologue)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_SUBPROGRAM, 8, USES(6) | USES(7));
	uint32_t saved;

	emit(LINUX, spec, JF_PART_ALL, NULL);
	/* nop5 nop3 push rbp; mov rbp, rsp; sub; push rbx; push r13; | pop; pop; leave; ret */
	cr_assert_eq(code.row_count, 8);
	saved = bit(JF_SLOT_RETURN, RIP);
	row_is(&rows[0], RSP, 8, saved, 0);
	saved |= bit(JF_SLOT_SAVE, RBP);
	row_is(&rows[1], RSP, 16, saved, 0);
	cr_assert_eq(rows[1].code_off, 9);
	row_is(&rows[2], RBP, 16, saved, 0);
	cr_assert_eq(rows[2].code_off, 12);
	saved |= bit(JF_SLOT_SAVE, RBX);
	row_is(&rows[3], RBP, 16, saved, 0);
	saved |= bit(JF_SLOT_SAVE, R13);
	row_is(&rows[4], RBP, 16, saved, 0);
	cr_assert_eq(saved, jf_frame_saved_mask(&frame));
	row_is(&rows[5], RBP, 16, saved &= ~bit(JF_SLOT_SAVE, R13), 0);
	row_is(&rows[6], RBP, 16, saved &= ~bit(JF_SLOT_SAVE, RBX), 0);
	row_is(&rows[7], RSP, 8, bit(JF_SLOT_RETURN, RIP), 0);
}

/* After the last instruction of each part: all saved, or only the return address left. */
static void check_ends(const struct jf_convention *conv, struct jf_frame_spec spec)
{
	emit(conv, spec, JF_PART_PROLOGUE, NULL);
	row_is(&code.now, RBP, 16, jf_frame_saved_mask(&frame), 0);
	emit(conv, spec, JF_PART_EPILOGUE, NULL);
	row_is(&rows[code.row_count - 1], RSP, 8, bit(JF_SLOT_RETURN, RIP), 0);
	if (!spec.tail_calls || spec.role == JF_ROLE_CALLBACK)
		return;
	emit(conv, spec, JF_PART_TAIL_EXIT, NULL);
	row_is(&rows[code.row_count - 1], RBP, 16, bit(JF_SLOT_RETURN, RIP) | bit(JF_SLOT_SAVE, RBP), 0);
	row_is(&code.now, RBP, 16, jf_frame_saved_mask(&frame), 0);
}

Test(prologue_x86_64, rows_at_the_ends)
{
	for (uint32_t role = 0; role < JF_ROLE__COUNT; role++)
		for (unsigned int options = 0; options < 64; options++) {
			struct jf_frame_spec spec =
				spec_of((enum jf_role)role, options & 1 ? 40 : 0, options & 2 ? USES_ALL : USES(8));

			spec.tail_calls = options & 4;
			spec.arena = options & 8;
			spec.landing_pads = options & 16;
			spec.out_args = options & 32 && !spec.tail_calls ? 4 : 0;
			check_ends(LINUX, spec);
			check_ends(USER, spec);
		}
}

/* Registers are lost until they are back from the boundary's stack. */
Test(prologue_x86_64, rows_of_a_restoring_callback)
{
	uint32_t record;

	emit(LINUX, spec_of(JF_ROLE_CALLBACK, 16, USES(6)), JF_PART_PROLOGUE, NULL);
	record = bit(JF_SLOT_RETURN, RIP) | bit(JF_SLOT_SAVE, RBP);
	cr_assert_eq(code.row_count, 3);
	row_is(&rows[0], RDX, 16, record, JF_ROW_REGS_LOST);
	row_is(&rows[1], RBP, 16, record, JF_ROW_REGS_LOST);
	cr_assert_eq(rows[1].code_off, 14); /* mov rbp, rdx */
	row_is(&rows[2], RBP, 16, record, 0);
	cr_assert_eq(rows[2].code_off, 23); /* pop r12 */
}

Test(prologue_x86_64, rows_of_an_adopting_callback)
{
	emit(USER, spec_of(JF_ROLE_CALLBACK, 16, USES(6)), JF_PART_PROLOGUE, NULL);
	cr_assert_eq(code.row_count, 2);
	row_is(&rows[0], RDX, 16, jf_frame_saved_mask(&frame), 0);
	row_is(&rows[1], RBP, 16, jf_frame_saved_mask(&frame), 0);
}

Test(prologue_x86_64, call_stub)
{
	static const struct jf_slot slots[] = {{JF_SLOT_RETURN, RIP, 0, -8, 8}, {JF_SLOT_SAVE, RBP, 0, -16, 8}};
	struct jf_frame stub = {.conv = LINUX, .slot_count = 2};

	memcpy(stub.slots, slots, sizeof(slots));
	cr_assert(jf_x86_64_call_stubs(LINUX));
	cr_assert_not(jf_x86_64_call_stubs(USER));
	jf_code_init(&code, bytes, sizeof(bytes), 0x1000, rows, ROWS_MAX);
	jf_frame_begin(&code, &stub);
	jf_x86_64_call_stub(&code, &stub, 0x2000);
	cr_assert_eq(jf_code_finish(&code), JF_OK);
	/* push rbp; mov rbp, rsp; and rsp, -16; call 0x2000; leave; ret */
	is("55 4889e5 4883e4f0 e8f30f0000 c9 c3");
	cr_assert_eq(code.row_count, 4);
	row_is(&rows[0], RSP, 8, 1, 0);
	row_is(&rows[1], RSP, 16, 3, 0);
	row_is(&rows[2], RBP, 16, 3, 0);
	row_is(&rows[3], RSP, 8, 1, 0);
}
