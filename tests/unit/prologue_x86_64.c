/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prologues, epilogues and exits of both conventions, byte by byte, and the rows that go with them.
 * `linux`: what Linux 7.3 emits for the same options.
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

static void prologue_is(const struct jf_convention *conv, struct jf_frame_spec spec, const char *want)
{
	emit(conv, spec, JF_PART_PROLOGUE, NULL);
	is(want);
	cr_assert_eq(code.marks[JF_MARK_BODY], code.size);
}

static void epilogue_is(const struct jf_convention *conv, struct jf_frame_spec spec, const char *want)
{
	emit(conv, spec, JF_PART_EPILOGUE, NULL);
	is(want);
}

static void tail_exit_is(const struct jf_convention *conv, struct jf_frame_spec spec, const char *want)
{
	emit(conv, spec, JF_PART_TAIL_EXIT, NULL);
	is(want);
}

#define LINUX &jf_x86_64_linux
#define USER  &jf_x86_64_user

/* ---- linux ---------------------------------------------------------------------------------- */

Test(prologue_x86_64, linux_main)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, 0);

	/* nopl 0(rax,rax,1); nopl (rax); push rbp; mov rbp, rsp */
	prologue_is(LINUX, spec, "0f1f440000 0f1f00 55 4889e5");
	cr_assert_eq(code.marks[JF_MARK_TAIL_ENTRY], 12);
	epilogue_is(LINUX, spec, "c9 c3");

	spec = spec_of(JF_ROLE_MAIN, 20, USES_ALL); /* sub rsp, imm32, however small */
	prologue_is(LINUX, spec, "0f1f440000 0f1f00 55 4889e5 4881ec18000000 53 4155 4156 4157");
	epilogue_is(LINUX, spec, "415f 415e 415d 5b c9 c3");
}

Test(prologue_x86_64, linux_tail_calls)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 16, USES(6));

	spec.tail_calls = true;
	/* xor rax, rax ... cmp rax, 33; ja; push rax; mov rax, rsp; jmp; push rax; push rax */
	prologue_is(LINUX, spec, "0f1f440000 4831c0 55 4889e5 4881ec10000000 4883f821 7706 50 4889e0 eb01 50 50 53");
	cr_assert_eq(code.marks[JF_MARK_TAIL_ENTRY], 12);
	/* pop rbx; pop rax; pop rax; add rsp, 16; add rcx, 12; jmp rcx */
	tail_exit_is(LINUX, spec, "5b 58 58 4881c410000000 4883c10c ffe1");

	spec.landing_pads = true;
	tail_exit_is(LINUX, spec, "5b 58 58 4881c410000000 4883c110 ffe1");

	spec = spec_of(JF_ROLE_SUBPROGRAM, 0, USES(7) | USES(9));
	spec.tail_calls = true;
	prologue_is(LINUX, spec, "0f1f440000 0f1f00 55 4889e5 50 50 4155 4157");
	cr_assert_eq(code.marks[JF_MARK_TAIL_ENTRY], JF_MARK_UNSET);
	tail_exit_is(LINUX, spec, "415f 415d 58 58 4883c10c ffe1");
}

Test(prologue_x86_64, linux_landing_pads)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, 0);

	spec.landing_pads = true;
	prologue_is(LINUX, spec, "f30f1efa 0f1f440000 0f1f00 55 4889e5 f30f1efa");
	cr_assert_eq(code.marks[JF_MARK_TAIL_ENTRY], 16);
	spec.role = JF_ROLE_SUBPROGRAM;
	prologue_is(LINUX, spec, "f30f1efa 0f1f440000 0f1f00 55 4889e5 f30f1efa");
	spec.role = JF_ROLE_CALLBACK;
	prologue_is(LINUX, spec, "f30f1efa 0f1f440000 0f1f00 4889f4 4889d5 415f 415e 415d 5b 415c 4889ec f30f1efa");
}

Test(prologue_x86_64, linux_boundary)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_BOUNDARY, 8, 0);

	prologue_is(LINUX, spec, "0f1f440000 0f1f00 55 4889e5 4881ec08000000 4154 53 4155 4156 4157");
	epilogue_is(LINUX, spec, "415f 415e 415d 5b 415c c9 c3");
	spec.tail_calls = true;
	prologue_is(LINUX, spec,
		    "0f1f440000 4831c0 55 4889e5 4881ec08000000 4883f821 7706 50 4889e0 eb01 50 50"
		    "4154 53 4155 4156 4157");
	tail_exit_is(LINUX, spec, "415f 415e 415d 5b 415c 58 58 4881c408000000 4883c10c ffe1");
}

/* Takes the five registers off the boundary's stack, whatever its own needs. */
Test(prologue_x86_64, linux_callback)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_CALLBACK, 0, 0);

	/* mov rsp, rsi; mov rbp, rdx; pop r15, r14, r13, rbx, r12; mov rsp, rbp */
	prologue_is(LINUX, spec, "0f1f440000 0f1f00 4889f4 4889d5 415f 415e 415d 5b 415c 4889ec");
	epilogue_is(LINUX, spec, "c9 c3");
	spec = spec_of(JF_ROLE_CALLBACK, 32, USES(6) | USES(8));
	spec.tail_calls = true;
	spec.arena = true;
	prologue_is(LINUX, spec,
		    "0f1f440000 0f1f00 4889f4 4889d5 415f 415e 415d 5b 415c 4889ec"
		    "4881ec20000000 50 50 4154 53 4156 4531e4");
	epilogue_is(LINUX, spec, "415e 5b 415c c9 c3");
}

Test(prologue_x86_64, linux_arena)
{
	struct jf_values values = {.arena_base = UINT64_C(0xffffc90000000000)};
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, 0);

	spec.arena = true;
	emit(LINUX, spec, JF_PART_PROLOGUE, &values);
	is("0f1f440000 0f1f00 55 4889e5 4154 49bc00000000 00c9ffff");
	epilogue_is(LINUX, spec, "415c c9 c3");
}

/* The sixth argument of the callee's eight travels in r9, the rest on the stack. */
Test(prologue_x86_64, linux_outgoing_arguments)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, USES(6));

	spec.out_args = 1;
	prologue_is(LINUX, spec, "0f1f440000 0f1f00 55 4889e5 53");
	spec.out_args = 3;
	prologue_is(LINUX, spec, "0f1f440000 0f1f00 55 4889e5 53 4883ec10");
	epilogue_is(LINUX, spec, "4883c410 5b c9 c3");
}

Test(prologue_x86_64, linux_private_stack)
{
	struct jf_values values = {.private_stack = UINT64_C(0x607f00001000)};
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 60, USES(6));

	spec.private_stack = true;
	/* movabs r9, pointer + guard 8 + 64; add r9, gs:[this_cpu_off] */
	emit(LINUX, spec, JF_PART_PROLOGUE, &values);
	is("0f1f440000 0f1f00 55 4889e5 53 49b948100000 7f600000 654c030c2500000000");
	epilogue_is(LINUX, spec, "5b c9 c3");
}

/* ---- user ----------------------------------------------------------------------------------- */

Test(prologue_x86_64, user_main)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, 0);

	prologue_is(USER, spec, "31c0 55 4889e5");
	cr_assert_eq(code.marks[JF_MARK_TAIL_ENTRY], 6);
	epilogue_is(USER, spec, "c9 c3");

	spec.landing_pads = true;
	prologue_is(USER, spec, "f30f1efa 31c0 55 4889e5 f30f1efa");
	cr_assert_eq(code.marks[JF_MARK_TAIL_ENTRY], 10);

	spec = spec_of(JF_ROLE_MAIN, 20, USES(6) | USES(7)); /* sub rsp, 32 */
	prologue_is(USER, spec, "31c0 55 4889e5 53 4155 4883ec20");
	epilogue_is(USER, spec, "488d65f0 415d 5b c9 c3");

	spec = spec_of(JF_ROLE_SUBPROGRAM, 0, USES(6)); /* push rbp; mov rbp, rsp; push rbx; sub rsp, 8 */
	spec.landing_pads = true;
	prologue_is(USER, spec, "f30f1efa 55 4889e5 53 4883ec08");
	epilogue_is(USER, spec, "488d65f8 5b c9 c3");
}

Test(prologue_x86_64, user_boundary)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_BOUNDARY, 0, 0);

	/* rbx, r13, r14, r15, r12; sub rsp, 24; stmxcsr [rbp - 48]; fnstcw [rbp - 56] */
	prologue_is(USER, spec, "31c0 55 4889e5 53 4155 4156 4157 4154 4883ec18 0fae5dd0 d97dc8");
	/* ldmxcsr; fldcw; lea rsp, [rbp - 40]; r12, r15, r14, r13, rbx */
	epilogue_is(USER, spec, "0fae55d0 d96dc8 488d65d8 415c 415f 415e 415d 5b c9 c3");
}

/* mov rbp, rdx; lea rsp: nothing is stored, and the boundary's tail-call count stays in force. */
Test(prologue_x86_64, user_callback)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_CALLBACK, 0, 0);

	prologue_is(USER, spec, "4889d5 488d65c0");
	epilogue_is(USER, spec, "0fae55d0 d96dc8 488d65d8 415c 415f 415e 415d 5b c9 c3");

	spec.landing_pads = true;
	spec.tail_calls = true;
	prologue_is(USER, spec, "f30f1efa 4889d5 488d65b0");
}

Test(prologue_x86_64, user_tail_calls)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 0, USES(6));

	spec.tail_calls = true;
	/* mov [rbp - 16], rax; lea r11, [rbp - 16]; cmp rax, 33; cmova r11, rax; mov [rbp - 24], r11 */
	prologue_is(USER, spec, "31c0 55 4889e5 53 4883ec18 488945f0 4c8d5df0 4883f821 4c0f47d8 4c895de8");
	/* mov rax, [rbp - 16]; lea rsp, [rbp - 8]; pop rbx; add rcx, 6; jmp rcx */
	tail_exit_is(USER, spec, "488b45f0 488d65f8 5b 4883c106 ffe1");

	spec = spec_of(JF_ROLE_SUBPROGRAM, 0, 0);
	spec.tail_calls = true;
	prologue_is(USER, spec, "55 4889e5 4883ec10 488945f8 488945f0");
	tail_exit_is(USER, spec, "488b45f8 4889ec 4883c106 ffe1");
}

Test(prologue_x86_64, user_private_stack)
{
	struct jf_values values = {.private_stack = (uint64_t)-4096};
	struct jf_frame_spec spec = spec_of(JF_ROLE_MAIN, 24, 0);

	spec.private_stack = true;
	/* mov r9, fs:[0]; lea r9, [r9 - 4096 + 16 + 32]; mov [rbp - 8], r9 */
	emit(USER, spec, JF_PART_PROLOGUE, &values);
	is("31c0 55 4889e5 4883ec10 644c8b0c2500000000 4d8d8930f0ffff 4c894df8");
	values.private_stack = UINT64_C(0x123456789a00);
	emit(USER, spec, JF_PART_PROLOGUE, &values);
	is("31c0 55 4889e5 4883ec10 49b9309a78563412 0000 644c030c2500000000 4c894df8");
}

/* The largest frame needs 32-bit displacements, and has them. */
Test(prologue_x86_64, user_largest)
{
	struct jf_frame_spec spec = spec_of(JF_ROLE_BOUNDARY, 32752, 0);

	spec.out_args = JF_OUT_ARGS_MAX;
	prologue_is(USER, spec, "31c0 55 4889e5 53 4155 4156 4157 4154 4881ec38800000 0fae5dd0 d97dc8");
	spec.role = JF_ROLE_CALLBACK;
	prologue_is(USER, spec, "4889d5 488da5a07fffff");
}

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
