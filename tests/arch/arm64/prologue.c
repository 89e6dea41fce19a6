/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "arm64.h"

/*
 * Prologues, epilogues and tail exits: rows that are true at every instruction, found by running the code on a
 * small machine that only knows what is used here. The code itself, word for word, is in tests/golden.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct jf_convention *convention(const char *name)
{
	for (size_t i = 0; i < JF_ARM64_CONVENTION_COUNT; i++)
		if (strcmp(jf_arm64_conventions[i]->name, name) == 0)
			return jf_arm64_conventions[i];
	cr_assert_fail("no convention %s", name);
	return NULL;
}

static const struct jf_values values = {
	.arena_base = 0xffff812345670000, .private_stack = 0xffff800000001000, .private_stack_word = 0x1238};

/* What TPIDR_EL0 and TPIDR_EL1 hold, and what the thread's word does. */
#define BASE_REGISTER UINT64_C(0x7000000000)
#define THREAD_WORD   UINT64_C(0x7fe000000000)
static uint8_t bytes[1024];
static struct jf_row rows[128];
static struct jf_code code;
static struct jf_frame frame;

static void emit(const char *conv, const struct jf_frame_spec *spec, enum jf_part part)
{
	struct jf_error error = {.text = ""};

	cr_assert_eq(jf_frame_solve(convention(conv), spec, &frame, &error), JF_OK, "%s: %s", error.where, error.text);
	memset(bytes, 0, sizeof(bytes));
	jf_code_init(&code, bytes, sizeof(bytes), 0, rows, COUNT(rows));
	cr_assert_eq(jf_frame_emit(&code, &frame, part, &values), JF_OK);
}

static uint32_t word_at(size_t off)
{
	return (uint32_t)bytes[off] | (uint32_t)bytes[off + 1] << 8 | (uint32_t)bytes[off + 2] << 16 |
	       (uint32_t)bytes[off + 3] << 24;
}

/* clang-format off */
#define SPEC(...) { .size = sizeof(struct jf_frame_spec), __VA_ARGS__ }
/* clang-format on */
#define R6  (1 << 6)
#define R7  (1 << 7)
#define R8  (1 << 8)
#define R10 (1 << 10)

Test(prologue_arm64, tail_entry)
{
	static const uint32_t linux_off[2][2] = {{24, 28}, {28, 32}};
	static const uint32_t user_off[2][2] = {{16, 20}, {20, 24}};

	for (int bti = 0; bti < 2; bti++)
		for (int pac = 0; pac < 2; pac++) {
			struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
			uint32_t off;

			spec.landing_pads = bti;
			spec.sign_return = pac;
			cr_expect_eq(jf_tail_entry_off(convention("linux"), &spec, &off), JF_OK);
			cr_expect_eq(off, linux_off[bti][pac], "linux: %u", off);
			cr_expect_eq(jf_tail_entry_off(convention("user"), &spec, &off), JF_OK);
			cr_expect_eq(off, user_off[bti][pac], "user: %u", off);
			spec.role = JF_ROLE_SUBPROGRAM;
			emit("linux", &spec, JF_PART_PROLOGUE);
			cr_expect_eq(code.marks[JF_MARK_TAIL_ENTRY], JF_MARK_UNSET);
		}
}

Test(prologue_arm64, save_sets)
{
	uint8_t regs[JF_REGS_MAX];

	cr_expect_eq(jf_convention_unsaved(convention("user"), regs, COUNT(regs)), 0);
	cr_expect_eq(jf_convention_unsaved(convention("linux"), regs, COUNT(regs)), 8);
	for (unsigned int i = 0; i < 8; i++)
		cr_expect_eq(regs[i], JF_ARM64_D8 + i);
	for (unsigned int i = 0; i < JF_ARM64_REG__COUNT; i++)
		cr_expect_eq(jf_arm64_regs[i].id, i);
}

/* ---- rows, by running the code -------------------------------------------------------------- */

#define STACK_BYTES 65536
#define CFA         (STACK_BYTES - 64)
#define POISON      0x6666666666666666
#define SIGNED      UINT64_C(0x00ab000000000000) /* what PACIASP changes here, and AUTIASP back */

static struct machine {
	uint64_t reg[JF_ARM64_REG__COUNT]; /* by id; addresses are offsets into stack */
	uint64_t stack[STACK_BYTES / 8];
	bool higher; /* of the last comparison */
} m;

static uint64_t caller_value(unsigned int reg)
{
	return 0xca11e40000000000 | reg;
}

static uint64_t *memory(uint64_t address)
{
	static uint64_t word = THREAD_WORD;

	if (address == BASE_REGISTER + values.private_stack_word)
		return &word;
	cr_assert(address < STACK_BYTES && address % 8 == 0 && address >= m.reg[JF_ARM64_SP], "access at 0x%" PRIx64,
		  address);
	return &m.stack[address / 8];
}

static void set_sp(uint64_t value)
{
	cr_assert(value % 16 == 0 && value <= CFA, "sp = 0x%" PRIx64, value);
	m.reg[JF_ARM64_SP] = value;
	for (uint64_t at = 0; at < value; at += 8) /* nobody keeps what is below SP */
		m.stack[at / 8] = POISON;
}

static void set_reg(unsigned int reg, uint64_t value, bool is_sp)
{
	if (reg != 31)
		m.reg[reg] = value;
	else if (is_sp)
		set_sp(value);
}

static uint64_t get_reg(unsigned int reg)
{
	return reg == 31 ? 0 : m.reg[reg];
}

static void run_pair(uint32_t word)
{
	unsigned int file = word & 1u << 26 ? JF_ARM64_FIRST_D : 0;
	unsigned int rt = word & 31, rt2 = word >> 10 & 31;
	int64_t off = ((int64_t)(word >> 15 & 0x7f) ^ 0x40) * 8 - 0x200;

	cr_assert_eq(word >> 5 & 31, 31u);
	if (word & 1u << 22) { /* load, then add */
		uint64_t low = *memory(m.reg[JF_ARM64_SP]), high = *memory(m.reg[JF_ARM64_SP] + 8);

		cr_assert(rt != rt2 || rt == 31, "LDP of one register twice");
		if (file || rt != 31)
			m.reg[file + rt] = low;
		if (file || rt2 != 31)
			m.reg[file + rt2] = high;
		set_sp(m.reg[JF_ARM64_SP] + (uint64_t)off);
	} else {
		set_sp(m.reg[JF_ARM64_SP] + (uint64_t)off);
		*memory(m.reg[JF_ARM64_SP]) = file ? m.reg[file + rt] : get_reg(rt);
		*memory(m.reg[JF_ARM64_SP] + 8) = file ? m.reg[file + rt2] : get_reg(rt2);
	}
}

/* Executes one instruction of those that prologues and exits are made of. */
static void run(uint32_t word)
{
	unsigned int rd = word & 31, rn = word >> 5 & 31, rm = word >> 16 & 31;
	unsigned int shift = word >> 17 & 0x30;
	uint64_t imm = (word >> 10 & 0xfff) << (word & 1u << 22 ? 12 : 0);
	uint64_t part = (uint64_t)(word >> 5 & 0xffff) << shift;

	if (word == 0xd503233f || word == 0xd50323bf)
		m.reg[JF_ARM64_X30] ^= SIGNED;
	else if ((word & 0xfffff01f) == 0xd503201f || word >> 24 == 0xd6)
		return; /* other hints, jumps */
	else if ((word & 0xfff00000) == 0xd5300000)
		set_reg(rd, BASE_REGISTER, false);
	else if ((word & 0x3b800000) == 0x29800000 || (word & 0x3b800000) == 0x28800000)
		run_pair(word);
	else if ((word & 0xffe0ffe0) == 0xaa0003e0)
		set_reg(rd, get_reg(rm), false);
	else if ((word & 0xffe0fc00) == 0x8b000000)
		set_reg(rd, get_reg(rn) + get_reg(rm), false);
	else if ((word & 0xff800000) == 0x91000000)
		set_reg(rd, m.reg[rn] + imm, true);
	else if ((word & 0xff800000) == 0xd1000000)
		set_reg(rd, m.reg[rn] - imm, true);
	else if ((word & 0xffc00000) == 0xf9400000)
		set_reg(rd, *memory(m.reg[rn] + (word >> 10 & 0xfff) * 8), false);
	else if ((word & 0xff80001f) == 0xf100001f)
		m.higher = m.reg[rn] > imm;
	else if ((word & 0xffe0fc00) == 0x9a808000)
		set_reg(rd, get_reg(m.higher ? rn : rm), false);
	else if ((word & 0xff800000) == 0xd2800000)
		set_reg(rd, part, false);
	else if ((word & 0xff800000) == 0x92800000)
		set_reg(rd, ~part, false);
	else if ((word & 0xff800000) == 0xf2800000)
		set_reg(rd, (get_reg(rd) & ~(UINT64_C(0xffff) << shift)) | part, false);
	else
		cr_assert_fail("0x%08x: unknown to this machine", word);
}

/* At this instruction the row gives the true CFA and the caller's value of every register it keeps. */
static void check_row(const char *what, size_t off)
{
	const struct jf_row *row = jf_row_find(rows, code.row_count, (uint32_t)off);
	uint64_t cfa, ra_signed;

	cr_assert_not_null(row, "%s+%zu: no row", what, off);
	cfa = m.reg[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_off;
	cr_assert_eq(cfa, (uint64_t)CFA, "%s+%zu: CFA 0x%" PRIx64, what, off, cfa);
	ra_signed = row->flags & JF_ROW_RA_SIGNED ? SIGNED : 0;
	for (unsigned int reg = 0; reg < JF_ARM64_REG__COUNT; reg++) {
		uint64_t value = m.reg[reg], want = caller_value(reg);

		if (!(jf_arm64_regs[reg].flags & JF_REG_CALLEE_SAVED) && reg != JF_ARM64_X30)
			continue;
		for (unsigned int i = 0; i < frame.slot_count; i++)
			if (row->saved & 1u << i && frame.slots[i].reg == reg)
				value = *memory(cfa + (uint64_t)(int64_t)frame.slots[i].off_from_cfa);
		if (reg == JF_ARM64_X30)
			want ^= ra_signed;
		cr_assert_eq(value, want, "%s+%zu: %s is 0x%" PRIx64, what, off, jf_arm64_regs[reg].name, value);
	}
}

static void run_all(const char *what)
{
	for (size_t off = 0; off < code.size; off += 4) {
		check_row(what, off);
		run(word_at(off));
	}
}

static void start_machine(void)
{
	memset(&m, 0, sizeof(m));
	for (unsigned int reg = 0; reg < JF_ARM64_REG__COUNT; reg++)
		m.reg[reg] = caller_value(reg);
	set_sp(CFA);
}

/* What a body and everything it calls may do to registers. */
static void spoil_registers(void)
{
	for (unsigned int i = 0; i < frame.slot_count; i++)
		if (frame.slots[i].kind == JF_SLOT_SAVE && frame.slots[i].reg != JF_ARM64_X29)
			m.reg[frame.slots[i].reg] = POISON;
	m.reg[JF_ARM64_X8] = 0x5e5;
}

static void check_returned(const char *what)
{
	cr_assert_eq(m.reg[JF_ARM64_SP], (uint64_t)CFA, "%s: sp 0x%" PRIx64, what, m.reg[JF_ARM64_SP]);
	cr_assert_eq(m.reg[JF_ARM64_X0], 0x5e5u, "%s: result", what);
	for (unsigned int reg = 0; reg < JF_ARM64_REG__COUNT; reg++)
		if (jf_arm64_regs[reg].flags & JF_REG_CALLEE_SAVED || reg == JF_ARM64_X30)
			cr_assert_eq(m.reg[reg], caller_value(reg), "%s: %s lost", what, jf_arm64_regs[reg].name);
}

static uint64_t private_base(void)
{
	return frame.conv->caps & JF_CAP_USER_BASE ? THREAD_WORD : BASE_REGISTER;
}

static void check_body(const char *what)
{
	uint64_t stack_top = (uint64_t)(CFA + (int64_t)frame.bpf_fp_off_from_cfa);

	cr_assert_eq(m.reg[JF_ARM64_SP], (uint64_t)CFA - frame.size_bytes, "%s: sp", what);
	if (frame.needs & JF_WHEN_FP && !frame.spec.private_stack)
		cr_assert_eq(m.reg[JF_ARM64_X25], stack_top, "%s: R10", what);
	if (frame.needs & JF_WHEN_FP && frame.spec.private_stack)
		cr_assert_eq(m.reg[JF_ARM64_X25],
			     values.private_stack + jf_frame_private_stack(&frame).top_off + private_base(), "%s: R10",
			     what);
	if (frame.needs & JF_WHEN_MAIN)
		cr_assert_eq(m.reg[JF_ARM64_X26], (uint64_t)CFA - 32, "%s: count pointer", what);
	if (frame.spec.arena)
		cr_assert_eq(m.reg[JF_ARM64_X28], values.arena_base, "%s: arena", what);
}

/*
 * A boundary, and what a throw from under it lands in: the callback, with registers as they come.
 * count: what stands in the boundary's count slot, a count or what a tail call left there.
 */
static void run_callback(const char *conv, const struct jf_frame_spec *boundary, struct jf_frame_spec callback,
			 uint64_t count)
{
	uint64_t count_ptr = count > JF_TAIL_CALLS_MAX ? count : CFA - 32;
	bool finds_count = callback.tail_calls && strcmp(conv, "user") == 0;

	callback.role = JF_ROLE_CALLBACK;
	emit(conv, boundary, JF_PART_PROLOGUE);
	start_machine();
	run_all("boundary");
	spoil_registers();
	*memory(CFA - 32) = count;
	m.reg[JF_ARM64_X1] = (uint64_t)(CFA + (int64_t)frame.landing_sp_off_from_cfa);
	m.reg[JF_ARM64_X2] = m.reg[JF_ARM64_X29];
	set_sp(m.reg[JF_ARM64_SP] - 4096);
	emit(conv, &callback, JF_PART_ALL);
	m.reg[JF_ARM64_X29] = POISON;
	m.reg[JF_ARM64_X30] = POISON;
	for (size_t off = 0; off < code.size; off += 4) {
		if (off == code.marks[JF_MARK_BODY]) {
			check_body("callback");
			cr_assert(!finds_count || m.reg[JF_ARM64_X26] == count_ptr, "count pointer 0x%" PRIx64,
				  m.reg[JF_ARM64_X26]);
			spoil_registers();
		}
		check_row("callback", off);
		run(word_at(off));
	}
	check_returned("callback");
}

static void run_function(const char *conv, const struct jf_frame_spec *spec, bool tail_exit)
{
	emit(conv, spec, JF_PART_PROLOGUE);
	start_machine();
	run_all("prologue");
	check_body("prologue");
	spoil_registers();
	if (!tail_exit) {
		emit(conv, spec, JF_PART_EPILOGUE);
		run_all("epilogue");
		check_returned("epilogue");
		return;
	}
	m.reg[JF_ARM64_X26] = caller_value(JF_ARM64_X26); /* the target gets the pointer that is in force */
	emit(conv, spec, JF_PART_TAIL_EXIT);
	run_all("tail exit");
	cr_assert_eq(m.reg[JF_ARM64_SP], (uint64_t)CFA - 32);
	cr_assert_eq(m.reg[JF_ARM64_X29], (uint64_t)CFA - 16);
}

/* Every combination of options that the convention allows. */
static void run_combinations(const char *conv)
{
	static const uint32_t stacks[] = {0, 16, 528, 4096, 32752};
	static const uint16_t used[] = {0, R6, R6 | R7, R8 | R10, R6 | R7 | R8 | 1 << 9};
	bool user = strcmp(conv, "user") == 0;
	unsigned int ran = 0;

	for (unsigned int bits = 0; bits < 1u << 6; bits++)
		for (size_t s = 0; s < (user ? 5 : 3); s++)
			for (size_t u = 0; u < COUNT(used); u++)
				for (unsigned int role = 0; role < JF_ROLE__COUNT; role++) {
					struct jf_frame_spec spec =
						SPEC(.role = role, .bpf_stack_bytes = stacks[s],
						     .bpf_regs_used = used[u], .tail_calls = bits & 1,
						     .arena = bits & 2, .private_stack = bits & 4,
						     .landing_pads = bits & 8, .sign_return = bits & 16,
						     .out_args = bits & 32 ? 5 : 0);
					struct jf_frame_spec boundary =
						SPEC(.role = JF_ROLE_BOUNDARY, .bpf_stack_bytes = 48,
						     .sign_return = spec.sign_return);

					if (jf_frame_solve(convention(conv), &spec, &frame, NULL) != JF_OK)
						continue;
					ran++;
					if (role == JF_ROLE_CALLBACK)
						run_callback(conv, &boundary, spec,
							     (uint64_t[]){0, 33, CFA + 32}[ran % 3]);
					else
						run_function(conv, &spec, false);
					if (spec.tail_calls && role != JF_ROLE_CALLBACK)
						run_function(conv, &spec, true);
				}
	cr_assert_gt(ran, 1000u);
}

Test(prologue_arm64, linux_rows_are_true)
{
	run_combinations("linux");
}

Test(prologue_arm64, user_rows_are_true)
{
	run_combinations("user");
}
