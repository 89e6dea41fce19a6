/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define INT(n, i, f)                                                                                     \
	{                                                                                                \
		.name = n, .id = i, .hw = ((i)*7 + 3) & 15, .dw = 100 - (i), .size_bytes = 8, .flags = f \
	}
#define SPECIAL(n, i, c, b)                                                                       \
	{                                                                                         \
		.name = n, .id = i, .hw = (i)-TOY_F0, .dw = 100 - (i), .cls = c, .size_bytes = b, \
		.flags = JF_REG_CALLEE_SAVED, .control = (c) == JF_REG_CONTROL ? &control : NULL  \
	}
/* clang-format on */

static const struct jf_control_reg control = {0x0, 0x1, 0x1};

static const struct jf_reg regs[TOY_REG__COUNT] = {
	INT("v0", TOY_V0, 0),
	INT("a1", TOY_A1, 0),
	INT("a2", TOY_A2, 0),
	INT("a3", TOY_A3, 0),
	INT("a4", TOY_A4, 0),
	INT("a5", TOY_A5, 0),
	INT("s0", TOY_S0, JF_REG_CALLEE_SAVED),
	INT("s1", TOY_S1, JF_REG_CALLEE_SAVED),
	INT("s2", TOY_S2, JF_REG_CALLEE_SAVED),
	INT("s3", TOY_S3, JF_REG_CALLEE_SAVED),
	INT("s4", TOY_S4, JF_REG_CALLEE_SAVED),
	INT("fp", TOY_FP, JF_REG_CALLEE_SAVED),
	INT("sp", TOY_SP, 0),
	INT("ra", TOY_RA, 0),
	INT("t0", TOY_T0, 0),
	INT("s5", TOY_S5, JF_REG_CALLEE_SAVED),
	SPECIAL("f0", TOY_F0, JF_REG_FP, 4),
	SPECIAL("cw", TOY_CW, JF_REG_CONTROL, 2),
};

static const struct jf_slot_rule stack_rules[] = {{JF_SLOT_BPF_STACK, JF_REG_NONE, JF_WHEN_ALWAYS}};
static const struct jf_slot_rule out_rules[] = {{JF_SLOT_OUT_ARGS, JF_REG_NONE, JF_WHEN_ALWAYS}};

/*
 * adopt:
 *
 *     CFA ->  +----------------------+
 *             | fp, the caller's     |  -8
 *             | tail-call count      |  -16
 *     fp ->   | ra                   |  -24
 *             +----------------------+
 *             | s1 / s3  pairs, of   |        the first of each pair is the lower one
 *             | s0 / s2  those that  |
 *             | s5 / f0  are used,   |        boundary, callback: all
 *             | -- / s4  in this     |
 *             | padding  order       |        to 16, from the CFA
 *             +----------------------+ <- R10
 *             | BPF stack            |        multiple of 16
 *             | outgoing arguments   |        from the third after the fifth on
 *     sp ->   +----------------------+
 */
static const struct jf_slot_rule adopt_record[] = {
	{JF_SLOT_SAVE, TOY_FP, JF_WHEN_ALWAYS},
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_ALWAYS},
	{JF_SLOT_RETURN, TOY_RA, JF_WHEN_ALWAYS},
};
static const struct jf_slot_rule adopt_save[] = {
	{JF_SLOT_SAVE, TOY_S3, JF_WHEN_USED | JF_WHEN_EXCEPTION},
	{JF_SLOT_SAVE, TOY_S1, JF_WHEN_USED | JF_WHEN_EXCEPTION},
	{JF_SLOT_SAVE, TOY_S2, JF_WHEN_USED | JF_WHEN_EXCEPTION},
	{JF_SLOT_SAVE, TOY_S0, JF_WHEN_USED | JF_WHEN_EXCEPTION},
	{JF_SLOT_SAVE, TOY_F0, JF_WHEN_EXCEPTION},
	{JF_SLOT_SAVE, TOY_S5, JF_WHEN_ARENA | JF_WHEN_EXCEPTION},
	{JF_SLOT_SAVE, TOY_S4, JF_WHEN_FP | JF_WHEN_EXCEPTION},
};
static const struct jf_area adopt_areas[] = {
	{adopt_record, COUNT(adopt_record), 1, 8},
	{adopt_save, COUNT(adopt_save), 2, 16},
	{stack_rules, COUNT(stack_rules), 1, 16},
	{out_rules, COUNT(out_rules), 1, 8},
};

/*
 * restore: the saves lie under the BPF stack, so a callback has to take them off before it builds its own.
 *
 *     CFA ->  +----------------------+
 *             | fp, the caller's     |  -8
 *     fp ->   | ra                   |  -16  <- R10
 *             +----------------------+
 *             | BPF stack            |        multiple of 8
 *             | tail-call count      |        with tail calls
 *             | f0, s3 .. s0, s4     |        those that are used; boundary: all
 *             +----------------------+ <- landing sp
 *             | outgoing arguments   |
 *     sp ->   +----------------------+
 */
static const struct jf_slot_rule restore_record[] = {
	{JF_SLOT_SAVE, TOY_FP, JF_WHEN_ALWAYS},
	{JF_SLOT_RETURN, TOY_RA, JF_WHEN_ALWAYS},
};
static const struct jf_slot_rule restore_save[] = {
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_SAVE, TOY_F0, JF_WHEN_BOUNDARY},
	{JF_SLOT_SAVE, TOY_S3, JF_WHEN_USED | JF_WHEN_BOUNDARY},
	{JF_SLOT_SAVE, TOY_S2, JF_WHEN_USED | JF_WHEN_BOUNDARY},
	{JF_SLOT_SAVE, TOY_S1, JF_WHEN_USED | JF_WHEN_BOUNDARY},
	{JF_SLOT_SAVE, TOY_S0, JF_WHEN_USED | JF_WHEN_BOUNDARY},
	{JF_SLOT_SAVE, TOY_S4, JF_WHEN_FP | JF_WHEN_BOUNDARY},
};
static const struct jf_area restore_areas[] = {
	{restore_record, COUNT(restore_record), 1, 8},
	{stack_rules, COUNT(stack_rules), 1, 8},
	{restore_save, COUNT(restore_save), 1, 8},
	{out_rules, COUNT(out_rules), 1, 8},
};

/* plain: record, used registers, BPF stack. */
static const struct jf_slot_rule plain_save[] = {
	{JF_SLOT_SAVE, TOY_FP, JF_WHEN_ALWAYS}, {JF_SLOT_RETURN, TOY_RA, JF_WHEN_ALWAYS},
	{JF_SLOT_SAVE, TOY_S0, JF_WHEN_USED},   {JF_SLOT_SAVE, TOY_S1, JF_WHEN_USED},
	{JF_SLOT_SAVE, TOY_S2, JF_WHEN_USED},   {JF_SLOT_SAVE, TOY_S3, JF_WHEN_USED},
	{JF_SLOT_SAVE, TOY_S4, JF_WHEN_FP},
};
static const struct jf_area plain_areas[] = {
	{plain_save, COUNT(plain_save), 1, 8},
	{stack_rules, COUNT(stack_rules), 1, 8},
};

static const struct jf_conflict conflicts[] = {
	{JF_WHEN_TAIL_CALLS, JF_WHEN_OUT_ARGS, "the toy says so"},
	{JF_WHEN_PRIVATE_STACK, JF_WHEN_ARENA, "so it does here"},
};

/* clang-format off */
#define BPF_REGS                                                                                     \
	{                                                                                            \
		TOY_V0, TOY_A1, TOY_A2, TOY_A3, TOY_A4, TOY_A5, TOY_S0, TOY_S1, TOY_S2, TOY_S3,     \
			TOY_S4, TOY_T0                                                               \
	}
/* clang-format on */

const struct jf_convention toy_adopt = {
	.size = sizeof(struct jf_convention),
	.name = "adopt",
	.summary = "callbacks adopt the boundary's frame",
	.backend = &toy_backend,
	.areas = adopt_areas,
	.area_count = COUNT(adopt_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = TOY_S4,
	.arena_reg = TOY_S5,
	.count_reg = TOY_T0,
	.count_bytes = 8,
	.bpf_stack_align = 16,
	.out_args_align = 8,
	.frame_align = 8,
	.bpf_stack_max_bytes = 1000,
	.fp_off_from_cfa = -24,
	.private_stack_guard_bytes = 8,
	.result_bits = 64,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK | JF_CAP_OUT_ARGS |
		JF_CAP_LANDING_PADS,
	.conflicts = conflicts,
	.conflict_count = COUNT(conflicts),
};

const struct jf_convention toy_restore = {
	.size = sizeof(struct jf_convention),
	.name = "restore",
	.summary = "callbacks restore the boundary's registers",
	.backend = &toy_backend,
	.areas = restore_areas,
	.area_count = COUNT(restore_areas),
	.landing = JF_LANDING_RESTORE,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = TOY_S4,
	.arena_reg = TOY_S5,
	.count_reg = TOY_T0,
	.count_bytes = 8,
	.bpf_stack_align = 8,
	.out_args_align = 8,
	.frame_align = 8,
	.bpf_stack_max_bytes = 512,
	.fp_off_from_cfa = -16,
	.result_bits = 64,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_OUT_ARGS | JF_CAP_LANDING_PADS,
};

const struct jf_convention toy_plain = {
	.size = sizeof(struct jf_convention),
	.name = "plain",
	.summary = "neither callbacks nor options",
	.backend = &toy_backend,
	.areas = plain_areas,
	.area_count = COUNT(plain_areas),
	.landing = JF_LANDING_NONE,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = TOY_S4,
	.arena_reg = TOY_S5,
	.count_reg = TOY_T0,
	.count_bytes = 8,
	.bpf_stack_align = 8,
	.out_args_align = 8,
	.frame_align = 8,
	.bpf_stack_max_bytes = 64,
	.fp_off_from_cfa = -16,
	.result_bits = 64,
};

static const struct jf_convention *const conventions[] = {&toy_adopt, &toy_restore, &toy_plain};

const struct jf_backend toy_backend = {
	.size = sizeof(struct jf_backend),
	.name = "toy",
	.llvm_triple = "toy",
	.llvm_features = "",
	.elf_machine = 0x7079,
	.insn_align = 2,
	.reg_count = TOY_REG__COUNT,
	.regs = regs,
	.sp = TOY_SP,
	.fp = TOY_FP,
	.ra = TOY_RA,
	.stack_align = 8,
	.result = TOY_V0,
	.arg_count = 5,
	.args = {TOY_A1, TOY_A2, TOY_A3, TOY_A4, TOY_A5},
	.conventions = conventions,
	.convention_count = COUNT(conventions),
	.emit_prologue = toy_emit_prologue,
	.emit_epilogue = toy_emit_epilogue,
	.emit_tail_exit = toy_emit_tail_exit,
	.emit_call_stub = toy_emit_call_stub,
	.call_stubs = toy_call_stubs,
	.decode = toy_decode,
	.bounds = {.insn_bytes = 64, .tail_call_bytes = 384, .function_bytes = 2048, .stub_bytes = 128},
	.body =
		{
			.alu = toy_alu,
			.swap = toy_swap,
			.imm64 = toy_imm64,
			.load = toy_load,
			.store = toy_store,
			.jump = toy_jump,
			.jump_always = toy_jump_always,
			.put_branch = toy_put_branch,
			.call = toy_call,
			.tail_call = toy_tail_call,
			.extend = toy_extend,
		},
};
