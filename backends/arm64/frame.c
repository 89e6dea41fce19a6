/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Both conventions. Everything hangs off x29 = CFA - 16; pairs are pushed with STP, so the first of a
 * pair is the lower one.
 *
 *             |  incoming arguments        |
 *     CFA     +----------------------------+
 *        -8   |  x30, return address       |
 *       -16   |  x29, caller's             | <- x29
 *             +----------------------------+
 *       -24   |  x26, caller's             |
 *       -32   |  main: tail-call count, 0  | <- x26 in main and in all that it calls
 *             |  subprogram: x26 again     |
 *             +----------------------------+ <- a tail call enters here: what is above stays
 *             |  saved registers, pairs    |    (see below)
 *             +----------------------------+ <- x25, BPF R10
 *             |  BPF stack                 |
 *             +----------------------------+ <- SP, as a callback takes it over
 *             |  outgoing arguments        |
 *             +----------------------------+ <- SP
 *
 * A callback adopts record, count and saved registers of its boundary: SP = x29 - their size.
 */
static const struct jf_slot_rule entry_rules[] = {
	{JF_SLOT_SAVE, JF_ARM64_X29, JF_WHEN_ALWAYS},
	{JF_SLOT_RETURN, JF_ARM64_X30, JF_WHEN_ALWAYS},
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_MAIN | JF_WHEN_CALLBACK},
	{JF_SLOT_SPILL, JF_ARM64_X26, JF_WHEN_SUBPROGRAM},
	{JF_SLOT_SAVE, JF_ARM64_X26, JF_WHEN_ALWAYS},
};
static const struct jf_slot_rule stack_rules[] = {
	{JF_SLOT_BPF_STACK, JF_REG_NONE, JF_WHEN_ALWAYS},
};
static const struct jf_slot_rule out_args_rules[] = {
	{JF_SLOT_OUT_ARGS, JF_REG_NONE, JF_WHEN_ALWAYS},
};

/*
 * linux: a boundary's saved registers. x26 has been set to the count by then, so its second slot is
 * this frame's value and fills the pair.
 *
 *             boundary, callback      main, subprogram
 *       -40   x20                     those used of x19 x20 x21 x22, x25 with R10,
 *       -48   x19                     x27 with a private stack, x28 with an arena,
 *       ...   x22 x21, x24 x23        in this order; an odd last one has 8 unused
 *       -88   x26 (this frame's)      bytes above it
 *       -96   x25
 *      -104   x28
 *      -112   x27
 *
 * Cleanups: as "bpf: Run exception cleanup landing pads when bpf_throw() unwinds", September 2026, has it. Main and
 * subprograms have a boundary's saves; a function that throws has the same ten slots once more below (x23 and x24 are
 * left empty), filled where it throws.
 */
#define LINUX_ALL (JF_WHEN_EXCEPTION | JF_WHEN_CLEANUPS)
static const struct jf_slot_rule linux_save_rules[] = {
	{JF_SLOT_SAVE, JF_ARM64_X19, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X20, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X21, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X22, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X23, LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X24, LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X25, JF_WHEN_FP | LINUX_ALL},
	{JF_SLOT_SPILL, JF_ARM64_X26, LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X27, JF_WHEN_PRIVATE_STACK | LINUX_ALL},
	{JF_SLOT_SAVE, JF_ARM64_X28, JF_WHEN_ARENA | LINUX_ALL},
};
static const struct jf_slot_rule linux_throw_rules[] = {
	{JF_SLOT_THROW, JF_ARM64_X19, JF_WHEN_THROWS}, {JF_SLOT_THROW, JF_ARM64_X20, JF_WHEN_THROWS},
	{JF_SLOT_THROW, JF_ARM64_X21, JF_WHEN_THROWS}, {JF_SLOT_THROW, JF_ARM64_X22, JF_WHEN_THROWS},
	{JF_SLOT_PAD, JF_REG_NONE, JF_WHEN_THROWS},    {JF_SLOT_PAD, JF_REG_NONE, JF_WHEN_THROWS},
	{JF_SLOT_THROW, JF_ARM64_X25, JF_WHEN_THROWS}, {JF_SLOT_THROW, JF_ARM64_X26, JF_WHEN_THROWS},
	{JF_SLOT_THROW, JF_ARM64_X27, JF_WHEN_THROWS}, {JF_SLOT_THROW, JF_ARM64_X28, JF_WHEN_THROWS},
};
static const struct jf_area linux_areas[] = {
	{entry_rules, COUNT(entry_rules), 2, 16},
	{linux_save_rules, COUNT(linux_save_rules), 2, 16},
	{linux_throw_rules, COUNT(linux_throw_rules), 2, 16},
	{stack_rules, COUNT(stack_rules), 1, 16},
	{out_args_rules, COUNT(out_args_rules), 1, 16},
};

/*
 * user: the whole callee-saved set of AAPCS64, and x26 once.
 *
 *             boundary, callback      main, subprogram
 *       -40   x20                     as in linux
 *       -48   x19
 *       ...   x22 x21, x24 x23
 *       -88   x27
 *       -96   x25
 *      -104   unused
 *      -112   x28
 *      -120   d9
 *      -128   d8
 *       ...   d11 d10, d13 d12
 *      -168   d15
 *      -176   d14
 *             two words of a throw, with clean-up pads
 */
/* What BPF code needs register xn for: a boundary saves them all. */
#define WHEN(n) \
	((n) >= 19 && (n) <= 22 ? JF_WHEN_USED | JF_WHEN_EXCEPTION :              \
	 (n) == 25		? JF_WHEN_FP | JF_WHEN_EXCEPTION :                \
	 (n) == 26 || (n) == 29	? 0 : /* the entry area has them */               \
	 (n) == 27		? JF_WHEN_PRIVATE_STACK | JF_WHEN_EXCEPTION :     \
	 (n) == 28		? JF_WHEN_ARENA | JF_WHEN_EXCEPTION :             \
				  JF_WHEN_EXCEPTION)
/* clang-format off */
#define SAVE_ONE(n)  {JF_SLOT_SAVE, JF_ARM64_FIRST_X + (n), WHEN(n)},
#define SAVE_X(a, b) SAVE_ONE(a) SAVE_ONE(b)
#define SAVE_D(a, b) {JF_SLOT_SAVE, JF_ARM64_FIRST_D + (a), JF_WHEN_EXCEPTION}, \
		     {JF_SLOT_SAVE, JF_ARM64_FIRST_D + (b), JF_WHEN_EXCEPTION},
static const struct jf_slot_rule user_save_rules[] = {JF_ARM64_KEPT_X(SAVE_X, SAVE_ONE)};
static const struct jf_slot_rule user_fp_rules[] = {JF_ARM64_KEPT_D(SAVE_D)};
/* clang-format on */
static const struct jf_slot_rule cleanup_rules[] = {
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
};
static const struct jf_area user_areas[] = {
	{entry_rules, COUNT(entry_rules), 2, 16},     {user_save_rules, COUNT(user_save_rules), 2, 16},
	{user_fp_rules, COUNT(user_fp_rules), 2, 16}, {cleanup_rules, COUNT(cleanup_rules), 2, 16},
	{stack_rules, COUNT(stack_rules), 1, 16},     {out_args_rules, COUNT(out_args_rules), 1, 16},
};

static const struct jf_conflict conflicts[] = {
	{JF_WHEN_PRIVATE_STACK, JF_WHEN_TAIL_CALLS,
	 "a private stack belongs to one program, and a tail call leaves it for another"},
	{JF_WHEN_OUT_ARGS, JF_WHEN_TAIL_CALLS, "a tail call takes over the frame without its outgoing arguments"},
};

/* clang-format off */
#define BPF_REGS {                                                                             \
	[JF_BPF_R0] = JF_ARM64_R0,                                                             \
	[JF_BPF_R1] = JF_ARM64_X0, [JF_BPF_R2] = JF_ARM64_X1, [JF_BPF_R3] = JF_ARM64_X2,       \
	[JF_BPF_R4] = JF_ARM64_X3, [JF_BPF_R5] = JF_ARM64_X4,                                  \
	[JF_BPF_R6] = JF_ARM64_X19, [JF_BPF_R7] = JF_ARM64_X20, [JF_BPF_R8] = JF_ARM64_X21,    \
	[JF_BPF_R9] = JF_ARM64_X22,                                                            \
	[JF_BPF_FP] = JF_ARM64_BPF_FP, [JF_BPF_AX] = JF_ARM64_AX,                              \
}
/* clang-format on */
#define CAPS                                                                                             \
	(JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK | JF_CAP_OUT_ARGS | \
	 JF_CAP_LANDING_PADS | JF_CAP_SIGN_RETURN | JF_CAP_RUN | JF_CAP_ATOMIC_INSNS)

static const struct jf_convention linux_convention = {
	.size = sizeof(struct jf_convention),
	.name = "linux",
	.summary = "as the Linux 7.3 BPF JIT lays out its frames",
	.backend = &jf_arm64_backend,
	.areas = linux_areas,
	.area_count = COUNT(linux_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = JF_ARM64_BPF_FP,
	.arena_reg = JF_ARM64_ARENA,
	.count_reg = JF_ARM64_COUNT_PTR,
	.count_bytes = 8,
	.extra_arg_regs = 3, /* x5, x6, x7 */
	.bpf_stack_align = JF_ARM64_STACK_ALIGN,
	.out_args_align = JF_ARM64_STACK_ALIGN,
	.frame_align = JF_ARM64_STACK_ALIGN,
	.bpf_stack_max_bytes = 528, /* 512, and 16 that timed may_goto adds */
	.fp_off_from_cfa = -16,
	.private_stack_guard_bytes = 16,
	.result_bits = 64,
	.caps = CAPS,
	.backend_flags = JF_ARM64_KERNEL,
	.sp_steps = JF_SP_EACH_AREA,
	.tail_keeps = COUNT(entry_rules) - 1, /* one of the two rules of a pair's lower slot holds */
	.bpf_fp_when = JF_WHEN_FP | LINUX_ALL,
	.conflicts = conflicts,
	.conflict_count = COUNT(conflicts),
	.cleanup_entry = JF_CLEANUP_CALLED,
	.cleanup_back = JF_ARM64_X23,
	.stub_offsets = true,
};

static const struct jf_convention user_convention = {
	.size = sizeof(struct jf_convention),
	.name = "user",
	.summary = "sound in user space: a boundary saves all that AAPCS64 calls callee-saved",
	.backend = &jf_arm64_backend,
	.areas = user_areas,
	.area_count = COUNT(user_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = JF_ARM64_BPF_FP,
	.arena_reg = JF_ARM64_ARENA,
	.count_reg = JF_ARM64_COUNT_PTR,
	.count_bytes = 8,
	.extra_arg_regs = 3,
	.bpf_stack_align = JF_ARM64_STACK_ALIGN,
	.out_args_align = JF_ARM64_STACK_ALIGN,
	.frame_align = JF_ARM64_STACK_ALIGN,
	.bpf_stack_max_bytes = 32752, /* what BPF's 16-bit offsets reach, rounded */
	.fp_off_from_cfa = -16,
	.private_stack_guard_bytes = 16,
	.result_bits = 64,
	.caps = CAPS | JF_CAP_PRIVATE_STACK_CALLBACK | JF_CAP_USER_BASE,
	.cleanup_entry = JF_CLEANUP_RESUMED,
	.sp_steps = JF_SP_EACH_AREA,
	.tail_keeps = COUNT(entry_rules) - 1, /* one of the two rules of a pair's lower slot holds */
	.bpf_fp_when = JF_WHEN_FP | JF_WHEN_EXCEPTION,
	.conflicts = conflicts,
	.conflict_count = COUNT(conflicts),
};

const struct jf_convention *const jf_arm64_conventions[JF_ARM64_CONVENTION_COUNT] = {
	&linux_convention,
	&user_convention,
};
