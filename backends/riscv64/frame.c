/* SPDX-License-Identifier: BSD-2-Clause */
#include "riscv64.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Below the save area every convention has the same: what BPF code addresses under R10, then arguments. */
static const struct jf_slot_rule bpf_stack[] = {{JF_SLOT_BPF_STACK, JF_REG_NONE, JF_WHEN_ALWAYS}};
static const struct jf_slot_rule out_args[] = {{JF_SLOT_OUT_ARGS, JF_REG_NONE, JF_WHEN_ALWAYS}};

/* What BPF code needs a register for: a boundary saves them all. */
#define WHEN(reg)                                                                                   \
	((reg) == RV_FP                                       ? JF_WHEN_ALWAYS :                    \
	 (reg) == RV_S1 || ((reg) >= RV_S2 && (reg) <= RV_S4) ? JF_WHEN_USED | JF_WHEN_EXCEPTION :  \
	 (reg) == RV_S5                                       ? JF_WHEN_FP | JF_WHEN_EXCEPTION :    \
	 (reg) == RV_S7                                       ? JF_WHEN_ARENA | JF_WHEN_EXCEPTION : \
								JF_WHEN_EXCEPTION)
/* clang-format off */
#define SAVE(reg, name, id) {JF_SLOT_SAVE, reg, WHEN(reg)},

/*
 * linux: Linux 7.3, and the exceptions of the proposal "riscv, bpf: Add support for BPF exceptions", v2, of which the
 * order of s1 to s11 and the places of what lies below are not known: they stand where 7.3 has them. Each slot is there
 * only where it is used, but for fp and the count; boundary and callback have all of s0 to s11.
 *
 *     CFA ->  +----------------------+ <- fp
 *             | ra                   |  if the program calls
 *             | fp, the caller's     |
 *             | s1 .. s4             |  R6..R9, if used
 *             | s5                   |  R10, if used
 *             | s7                   |  arena base
 *             | tail-call count      |  how many are left
 *             | padding              |  to 16
 *             +----------------------+
 *             | s1 .. s5, s7         |  cleanups, in a function that throws: as they are then
 *             +----------------------+ <- R10 (s5)
 *             | BPF stack            |  multiple of 16
 *     sp ->   +----------------------+
 *
 * Cleanups: Linux has none on RISC-V; this is the scheme of its x86-64 and arm64 patches of September 2026. Every
 * function has a boundary's saves, and a pad goes back by s6, which no BPF register lives in.
 */
#define LINUX_SAVE(reg, name, id) {JF_SLOT_SAVE, reg, WHEN(reg) | JF_WHEN_CLEANUPS},
static const struct jf_slot_rule linux_save[] = {
	{JF_SLOT_RETURN, RV_RA, JF_WHEN_CALLS | JF_WHEN_EXCEPTION | JF_WHEN_CLEANUPS},
	RV_KEPT_INT(LINUX_SAVE)
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_ALWAYS},
};
static const struct jf_slot_rule linux_throw[] = {
	{JF_SLOT_THROW, RV_S1, JF_WHEN_THROWS}, {JF_SLOT_THROW, RV_S2, JF_WHEN_THROWS},
	{JF_SLOT_THROW, RV_S3, JF_WHEN_THROWS}, {JF_SLOT_THROW, RV_S4, JF_WHEN_THROWS},
	{JF_SLOT_THROW, RV_S5, JF_WHEN_THROWS}, {JF_SLOT_THROW, RV_S7, JF_WHEN_THROWS},
};

static const struct jf_area linux_areas[] = {
	{linux_save, COUNT(linux_save), 1, 16},
	{linux_throw, COUNT(linux_throw), 1, 16},
	{bpf_stack, COUNT(bpf_stack), 1, 16},
};

/*
 * user: saves what is used, and in boundary and callback everything that the psABI calls callee-saved.
 * The picture is a boundary with tail calls; other frames leave out lines and close the gaps, but ra and
 * fp are always there.
 *
 *     CFA ->  +----------------------+ <- fp
 *             | ra                   |  -8
 *             | fp, the caller's     |  -16
 *             | s1 .. s4             |  R6..R9, if used
 *             | s5                   |  R10, if used
 *             | s6                   |
 *             | s7                   |  arena base
 *             | s8 .. s11            |
 *             | fs0 .. fs11          |
 *             | tail-call count      |  how many are left: in main programs and callbacks, and with tail calls
 *             | a throw's two words  |  with clean-up pads
 *             | padding              |  to 16
 *             +----------------------+ <- R10 (s5), unless it is in the private stack
 *             | BPF stack            |  multiple of 16
 *             +----------------------+
 *             | outgoing arguments   |  multiple of 16
 *     sp ->   +----------------------+
 */
static const struct jf_slot_rule user_save[] = {
	{JF_SLOT_RETURN, RV_RA, JF_WHEN_ALWAYS},
	RV_KEPT_INT(SAVE)
	RV_KEPT_FP(SAVE)
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_TAIL_CALLS | JF_WHEN_MAIN | JF_WHEN_CALLBACK},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
};

static const struct jf_area user_areas[] = {
	{user_save, COUNT(user_save), 1, 16},
	{bpf_stack, COUNT(bpf_stack), 1, 16},
	{out_args, COUNT(out_args), 1, 16},
};

/* A tail call hands its frame on, and with it what only the frame's owner knows how to give back. */
static const struct jf_conflict user_conflicts[] = {
	{JF_WHEN_TAIL_CALLS, JF_WHEN_PRIVATE_STACK, "a program entered by a tail call would share it"},
	{JF_WHEN_TAIL_CALLS, JF_WHEN_OUT_ARGS, "the arguments belong to the frame that a tail call takes down"},
};

#define BPF_REGS                                                                                    \
	{                                                                                           \
		RV_R0, RV_A0, RV_A1, RV_A2, RV_A3, RV_A4, RV_S1, RV_S2, RV_S3, RV_S4, RV_S5, RV_T0, \
	}
/* clang-format on */

static const struct jf_convention conv_linux = {
	.size = sizeof(struct jf_convention),
	.name = "linux",
	.summary = "Linux 7.3, with the exceptions of the proposal of June 2026",
	.backend = &jf_riscv64_backend,
	.areas = linux_areas,
	.area_count = COUNT(linux_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = RV_S5,
	.arena_reg = RV_S7,
	.count_reg = RV_TCC,
	.count_form = JF_COUNT_BY_VALUE,
	.count_start = JF_TAIL_CALLS_MAX,
	.count_bytes = 8,
	.count_returned = true,
	.extra_arg_regs = 0,
	.bpf_stack_align = 16,
	.out_args_align = 16,
	.frame_align = 16,
	.bpf_stack_max_bytes = 512 + 16, /* may_goto adds up to 16 */
	.fp_off_from_cfa = 0,
	.sp_steps = JF_SP_AT_ONCE,
	.bpf_fp_when = JF_WHEN_BPF_STACK,
	.result_bits = 32,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_RUN,
	.backend_flags = RV_CONV_PATCH_AREA,
	.cleanup_entry = JF_CLEANUP_CALLED,
	.cleanup_back = RV_S6,
	.stub_offsets = true,
};

static const struct jf_convention conv_user = {
	.size = sizeof(struct jf_convention),
	.name = "user",
	.summary = "sound in user space: a boundary saves all that the RISC-V psABI calls callee-saved",
	.backend = &jf_riscv64_backend,
	.areas = user_areas,
	.area_count = COUNT(user_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = RV_S5,
	.arena_reg = RV_S7,
	.count_reg = RV_TCC,
	.count_form = JF_COUNT_BY_VALUE,
	.count_start = JF_TAIL_CALLS_MAX,
	.count_bytes = 8,
	.count_returned = true,
	.extra_arg_regs = 0,
	.bpf_stack_align = 16,
	.out_args_align = 16,
	.frame_align = 16,
	.bpf_stack_max_bytes = 32768 - 16,
	.fp_off_from_cfa = 0,
	.cleanup_entry = JF_CLEANUP_RESUMED,
	.sp_steps = JF_SP_SAVES_FIRST,
	.bpf_fp_when = JF_WHEN_FP,
	.private_stack_guard_bytes = 16,
	.result_bits = 64,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK |
		JF_CAP_PRIVATE_STACK_CALLBACK | JF_CAP_OUT_ARGS | JF_CAP_LANDING_PADS | JF_CAP_RUN | JF_CAP_USER_BASE,
	.conflicts = user_conflicts,
	.conflict_count = COUNT(user_conflicts),
};

const struct jf_convention *const jf_riscv64_conventions[2] = {&conv_linux, &conv_user};
