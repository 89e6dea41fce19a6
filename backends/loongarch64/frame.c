/* SPDX-License-Identifier: BSD-2-Clause */
#include "loongarch64.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Below the save area every convention has the same: what BPF code addresses under R10, then arguments. */
static const struct jf_slot_rule bpf_stack[] = {{JF_SLOT_BPF_STACK, JF_REG_NONE, JF_WHEN_ALWAYS}};
static const struct jf_slot_rule out_args[] = {{JF_SLOT_OUT_ARGS, JF_REG_NONE, JF_WHEN_ALWAYS}};

/*
 * linux: Linux 7.3. Every program saves all of it, fp = CFA. 7.3 has the s6 slot in arena programs only;
 * with exceptions the boundary and the callback have it too, so that both agree on every slot.
 *
 *     CFA ->  +----------------------+ <- fp
 *             | ra                   |  -8
 *             | fp, the caller's     |  -16
 *             | s0 .. s5             |  -24 .. -64
 *             | tail-call count      |  -72
 *             | address of the count |  -80
 *             | s6                   |  -88   with arena, cleanups, in boundary and callback
 *             | padding              |  -96   with s6
 *             +----------------------+
 *             | s0 .. s4, s6         |        cleanups, in a function that throws: as they are then
 *             +----------------------+ <- R10 (s4)
 *             | BPF stack            |        multiple of 16
 *     sp ->   +----------------------+
 *
 * Cleanups: Linux has none on LoongArch; this is the scheme of its x86-64 and arm64 patches of September 2026. A pad
 * goes back by s5, which every program saves and no BPF register lives in.
 */
#define KERNEL_ALL (JF_WHEN_EXCEPTION | JF_WHEN_CLEANUPS)
static const struct jf_slot_rule kernel_throw[] = {
	{JF_SLOT_THROW, LA_S0, JF_WHEN_THROWS}, {JF_SLOT_THROW, LA_S1, JF_WHEN_THROWS},
	{JF_SLOT_THROW, LA_S2, JF_WHEN_THROWS}, {JF_SLOT_THROW, LA_S3, JF_WHEN_THROWS},
	{JF_SLOT_THROW, LA_S4, JF_WHEN_THROWS}, {JF_SLOT_THROW, LA_S6, JF_WHEN_THROWS},
};
static const struct jf_slot_rule kernel_save[] = {
	{JF_SLOT_RETURN, LA_RA, JF_WHEN_ALWAYS}, {JF_SLOT_SAVE, LA_FP, JF_WHEN_ALWAYS},
	{JF_SLOT_SAVE, LA_S0, JF_WHEN_ALWAYS},   {JF_SLOT_SAVE, LA_S1, JF_WHEN_ALWAYS},
	{JF_SLOT_SAVE, LA_S2, JF_WHEN_ALWAYS},   {JF_SLOT_SAVE, LA_S3, JF_WHEN_ALWAYS},
	{JF_SLOT_SAVE, LA_S4, JF_WHEN_ALWAYS},   {JF_SLOT_SAVE, LA_S5, JF_WHEN_ALWAYS},
};
static const struct jf_slot_rule linux_state[] = {
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_ALWAYS},
	{JF_SLOT_TCC_PTR, JF_REG_NONE, JF_WHEN_ALWAYS},
	{JF_SLOT_SAVE, LA_S6, JF_WHEN_ARENA | KERNEL_ALL},
};

static const struct jf_area linux_areas[] = {
	{kernel_save, COUNT(kernel_save), 1, 8},
	{linux_state, COUNT(linux_state), 1, 16},
	{kernel_throw, COUNT(kernel_throw), 1, 16},
	{bpf_stack, COUNT(bpf_stack), 1, 16},
};

/*
 * linux-v2: the patch "LoongArch: BPF: Add exceptions (bpf_throw) support", v2, which builds on the slot
 * order before 7.3: s6 above the count.
 *
 *     CFA ->  +----------------------+ <- fp
 *             | ra                   |  -8
 *             | fp, the caller's     |  -16
 *             | s0 .. s5             |  -24 .. -64
 *             | s6                   |  -72         with arena, cleanups, in boundary and callback
 *             | tail-call count      |  -72 or -80
 *             | address of the count |  -80 or -88
 *             | padding              |  -96         with s6
 *             +----------------------+
 *             | s0 .. s4, s6         |              as in linux
 *             +----------------------+ <- R10 (s4), unless it is in the private stack
 *             | BPF stack            |              multiple of 16
 *     sp ->   +----------------------+
 */
static const struct jf_slot_rule v2_state[] = {
	{JF_SLOT_SAVE, LA_S6, JF_WHEN_ARENA | KERNEL_ALL},
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_ALWAYS},
	{JF_SLOT_TCC_PTR, JF_REG_NONE, JF_WHEN_ALWAYS},
};

static const struct jf_area v2_areas[] = {
	{kernel_save, COUNT(kernel_save), 1, 8},
	{v2_state, COUNT(v2_state), 1, 16},
	{kernel_throw, COUNT(kernel_throw), 1, 16},
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
 *             | s0 .. s3             |  R6..R9, if used
 *             | s4                   |  R10, if used
 *             | s5                   |
 *             | s6                   |  arena base
 *             | s7, s8               |
 *             | fs0 .. fs7           |
 *             | tail-call count      |  with tail calls
 *             | address of the count |  with tail calls
 *             | a throw's two words  |  with clean-up pads
 *             | padding              |  to 16
 *             +----------------------+ <- R10 (s4), unless it is in the private stack
 *             | BPF stack            |  multiple of 16
 *             +----------------------+
 *             | outgoing arguments   |  multiple of 16
 *     sp ->   +----------------------+
 */
/* What BPF code needs a register for: a boundary saves them all. */
#define WHEN(reg)                                                               \
	((reg) == LA_FP                   ? JF_WHEN_ALWAYS :                    \
	 (reg) >= LA_S0 && (reg) <= LA_S3 ? JF_WHEN_USED | JF_WHEN_EXCEPTION :  \
	 (reg) == LA_S4                   ? JF_WHEN_FP | JF_WHEN_EXCEPTION :    \
	 (reg) == LA_S6                   ? JF_WHEN_ARENA | JF_WHEN_EXCEPTION : \
					    JF_WHEN_EXCEPTION)
/* clang-format off */
#define SAVE(reg, name, id) {JF_SLOT_SAVE, reg, WHEN(reg)},
static const struct jf_slot_rule user_save[] = {
	{JF_SLOT_RETURN, LA_RA, JF_WHEN_ALWAYS},
	LA_KEPT_INT(SAVE)
	LA_KEPT_FP(SAVE)
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_TCC_PTR, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
};
/* clang-format on */

static const struct jf_area user_areas[] = {
	{user_save, COUNT(user_save), 1, 16},
	{bpf_stack, COUNT(bpf_stack), 1, 16},
	{out_args, COUNT(out_args), 1, 16},
};

/* A tail call hands its frame on, and with it what only the frame's owner knows how to give back. */
static const struct jf_conflict v2_conflicts[] = {
	{JF_WHEN_TAIL_CALLS, JF_WHEN_PRIVATE_STACK, "a program entered by a tail call would share it"},
};

static const struct jf_conflict user_conflicts[] = {
	{JF_WHEN_TAIL_CALLS, JF_WHEN_PRIVATE_STACK, "a program entered by a tail call would share it"},
	{JF_WHEN_TAIL_CALLS, JF_WHEN_OUT_ARGS, "the arguments belong to the frame that a tail call takes down"},
};

/* clang-format off */
#define BPF_REGS                                                                                    \
	{                                                                                           \
		LA_R0, LA_A0, LA_A1, LA_A2, LA_A3, LA_A4, LA_S0, LA_S1, LA_S2, LA_S3, LA_S4, LA_T0, \
	}
/* clang-format on */

static const struct jf_convention conv_linux = {
	.size = sizeof(struct jf_convention),
	.name = "linux",
	.summary = "Linux 7.3, with the exceptions of the v2 patch carried over",
	.backend = &jf_loongarch64_backend,
	.areas = linux_areas,
	.area_count = COUNT(linux_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = LA_S4,
	.arena_reg = LA_S6,
	.count_reg = LA_TCC,
	.count_bytes = 8,
	.extra_arg_regs = 0,
	.bpf_stack_align = 16,
	.out_args_align = 16,
	.frame_align = 16,
	.bpf_stack_max_bytes = 512 + 16, /* may_goto adds up to 16 */
	.fp_off_from_cfa = 0,
	.result_bits = 32,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_RUN,
	.backend_flags = LA_CONV_PATCH_AREA | LA_CONV_PERCPU,
	.count_returned = true,
	.bpf_fp_when = JF_WHEN_BPF_STACK,
	.cleanup_entry = JF_CLEANUP_CALLED,
	.cleanup_back = LA_S5,
	.stub_offsets = true,
};

static const struct jf_convention conv_v2 = {
	.size = sizeof(struct jf_convention),
	.name = "linux-v2",
	.summary = "the layout of the patch \"LoongArch: BPF: Add exceptions (bpf_throw) support\", v2",
	.backend = &jf_loongarch64_backend,
	.areas = v2_areas,
	.area_count = COUNT(v2_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = LA_S4,
	.arena_reg = LA_S6,
	.count_reg = LA_TCC,
	.count_bytes = 8,
	.extra_arg_regs = 0,
	.bpf_stack_align = 16,
	.out_args_align = 16,
	.frame_align = 16,
	.bpf_stack_max_bytes = 512 + 16,
	.fp_off_from_cfa = 0,
	.private_stack_guard_bytes = 16,
	.result_bits = 32,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK | JF_CAP_RUN,
	.backend_flags = LA_CONV_PATCH_AREA | LA_CONV_BRANCHY_COUNT | LA_CONV_PERCPU,
	.count_returned = true,
	.bpf_fp_when = JF_WHEN_BPF_STACK,
	.conflicts = v2_conflicts,
	.conflict_count = COUNT(v2_conflicts),
	.cleanup_entry = JF_CLEANUP_CALLED,
	.cleanup_back = LA_S5,
	.stub_offsets = true,
};

static const struct jf_convention conv_user = {
	.size = sizeof(struct jf_convention),
	.name = "user",
	.summary = "sound in user space: a boundary saves all that the LoongArch psABI calls callee-saved",
	.backend = &jf_loongarch64_backend,
	.areas = user_areas,
	.area_count = COUNT(user_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = LA_S4,
	.arena_reg = LA_S6,
	.count_reg = LA_TCC,
	.count_bytes = 8,
	.extra_arg_regs = 0,
	.bpf_stack_align = 16,
	.out_args_align = 16,
	.frame_align = 16,
	.bpf_stack_max_bytes = 32768 - 16,
	.fp_off_from_cfa = 0,
	.private_stack_guard_bytes = 16,
	.result_bits = 64,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK |
		JF_CAP_PRIVATE_STACK_CALLBACK | JF_CAP_OUT_ARGS | JF_CAP_RUN | JF_CAP_USER_BASE,
	.cleanup_entry = JF_CLEANUP_RESUMED,
	.sp_steps = JF_SP_SAVES_FIRST,
	.bpf_fp_when = JF_WHEN_FP,
	.conflicts = user_conflicts,
	.conflict_count = COUNT(user_conflicts),
};

const struct jf_convention *const jf_loongarch64_conventions[3] = {&conv_linux, &conv_v2, &conv_user};
