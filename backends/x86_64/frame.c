/* SPDX-License-Identifier: BSD-2-Clause */
/* The conventions: how a frame is laid out. Everything else of the backend reads the solved frame. */
#include "x86_64.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

#define EXC JF_WHEN_EXCEPTION

/* The record: a tail call enters behind it. */
#define TAIL_KEEPS 2

/* What both conventions hold in common: R10 of a program with a private stack lives where the sixth
 * argument travels, and a tail call takes over a frame whose outgoing arguments it does not know. */
static const struct jf_conflict conflicts[] = {
	{JF_WHEN_PRIVATE_STACK, JF_WHEN_TAIL_CALLS, "a private stack belongs to one program, a tail call leaves it"},
	{JF_WHEN_OUT_ARGS, JF_WHEN_TAIL_CALLS, "a tail call cannot hand on stack arguments"},
	{JF_WHEN_PRIVATE_STACK, JF_WHEN_OUT_ARGS, "the private stack pointer and the sixth argument are both in r9"},
	/* The last one is of linux alone. */
	{JF_WHEN_PRIVATE_STACK, JF_WHEN_CLEANUPS, "R10 of a private stack is in r9, which nobody keeps for a pad"},
};

/* clang-format off */
#define BPF_REGS                                                                                               \
	{                                                                                                      \
		[JF_BPF_R0] = RAX, [JF_BPF_R1] = RDI, [JF_BPF_R2] = RSI, [JF_BPF_R3] = RDX, [JF_BPF_R4] = RCX, \
		[JF_BPF_R5] = R8, [JF_BPF_R6] = RBX, [JF_BPF_R7] = R13, [JF_BPF_R8] = R14, [JF_BPF_R9] = R15,  \
		[JF_BPF_FP] = RBP, [JF_BPF_AX] = R10,                                                          \
	}
/* clang-format on */

static const struct jf_slot_rule record[] = {
	{JF_SLOT_RETURN, RIP, JF_WHEN_ALWAYS},
	{JF_SLOT_SAVE, RBP, JF_WHEN_ALWAYS},
};

static const struct jf_slot_rule bpf_stack[] = {
	{JF_SLOT_BPF_STACK, JF_REG_NONE, JF_WHEN_ALWAYS},
};

static const struct jf_slot_rule out_args[] = {
	{JF_SLOT_OUT_ARGS, JF_REG_NONE, JF_WHEN_ALWAYS},
};

/*
 * linux: the Linux 7.3 JIT's frame.
 *
 *            CFA ->  +---------------------+
 *                    | return address      |  -8
 *   rbp = R10 ->     | caller's rbp        |  -16
 *                    +---------------------+
 *                    | BPF stack           |  S, a multiple of 8; none with a private stack
 *                    +---------------------+
 *                    | r12, rbx, r13 - r15 |  with cleanups, in a function that throws: as they are then
 *                    +---------------------+
 *                    | tcc                 |  with tail calls: the count, or a pointer to it
 *                    | tcc_ptr             |  with tail calls: a pointer to the count in force
 *                    | r12                 |  arena, boundary, cleanups
 *                    | rbx, r13, r14, r15  |  each if R6..R9 is used; boundary, cleanups: all
 *   landing rsp ->   +---------------------+
 *                    | outgoing arguments  |  from the seventh on
 *   rsp ->           +---------------------+
 *
 * The saves lie below the BPF stack, so their addresses depend on its size. That is why a callback
 * does not adopt them: its prologue takes the boundary's registers off the stack, starting at the
 * landing rsp, and then builds a frame of its own under the same record.
 *
 * Cleanups: the frame of "bpf: Run exception cleanup landing pads when bpf_throw() unwinds", September 2026, to the
 * byte. How that patch makes room for the throw-site area is not known: here a subtraction of its own does.
 */
#define LINUX_ALL (JF_WHEN_BOUNDARY | JF_WHEN_CLEANUPS)
static const struct jf_slot_rule linux_throw[] = {
	{JF_SLOT_THROW, R12, JF_WHEN_THROWS}, {JF_SLOT_THROW, RBX, JF_WHEN_THROWS},
	{JF_SLOT_THROW, R13, JF_WHEN_THROWS}, {JF_SLOT_THROW, R14, JF_WHEN_THROWS},
	{JF_SLOT_THROW, R15, JF_WHEN_THROWS},
};
/* clang-format off */
static const struct jf_slot_rule linux_state[] = {
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_TCC_PTR, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_SAVE, R12, JF_WHEN_ARENA | LINUX_ALL},
	{JF_SLOT_SAVE, RBX, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, R13, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, R14, JF_WHEN_USED | LINUX_ALL},
	{JF_SLOT_SAVE, R15, JF_WHEN_USED | LINUX_ALL},
};
/* clang-format on */

static const struct jf_area linux_areas[] = {
	{record, LEN(record), 1, 8},           {bpf_stack, LEN(bpf_stack), 1, 8}, {linux_throw, LEN(linux_throw), 1, 8},
	{linux_state, LEN(linux_state), 1, 8}, {out_args, LEN(out_args), 1, 8},
};

const struct jf_convention jf_x86_64_linux = {
	.size = sizeof(struct jf_convention),
	.name = "linux",
	.summary = "the frame of the Linux 7.3 x86-64 BPF JIT",
	.backend = &jf_x86_64_backend,
	.areas = linux_areas,
	.area_count = LEN(linux_areas),
	.landing = JF_LANDING_RESTORE,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = R9,
	.arena_reg = R12,
	.count_reg = RAX,
	.count_bytes = 8,
	.extra_arg_regs = 1,
	.bpf_stack_align = 8,
	.out_args_align = 8,
	.frame_align = 8,
	.bpf_stack_max_bytes = 528,
	.fp_off_from_cfa = -16,
	.private_stack_guard_bytes = 8,
	.result_bits = 64,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK | JF_CAP_OUT_ARGS |
		JF_CAP_LANDING_PADS | JF_CAP_RUN,
	.backend_flags = X86_64_LINUX_FORMS,
	.tail_keeps = TAIL_KEEPS,
	.bpf_fp_when = JF_WHEN_PRIVATE_STACK, /* R10 is the frame pointer otherwise */
	.conflicts = conflicts,
	.conflict_count = LEN(conflicts),
	.cleanup_entry = JF_CLEANUP_CALLED,
	.stub_offsets = true,
};

/*
 * user: sound under the System V ABI.
 *
 *            CFA ->  +---------------------+  16-aligned
 *                    | return address      |  -8
 *   rbp ->           | caller's rbp        |  -16
 *                    | rbx, r13, r14, r15  |  each if R6..R9 is used; boundary, callback: all
 *                    | r12                 |  arena, boundary, callback
 *                    | mxcsr, fcw          |  boundary, callback
 *                    | tcc                 |  with tail calls: the count, or a pointer to it
 *                    | tcc_ptr             |  with tail calls: a pointer to the count in force
 *                    | r9                  |  with a private stack: R10, which calls do not keep
 *                    | a throw's words     |  with clean-up pads, 16 bytes
 *                    | padding             |  to a multiple of 16
 *   R10 ->           +---------------------+
 *                    | BPF stack           |  a multiple of 16; none with a private stack
 *   landing rsp ->   +---------------------+
 *                    | outgoing arguments  |  from the seventh on, a multiple of 16
 *   rsp ->           +---------------------+  16-aligned
 *
 * A callback adopts the saves. They come first and a boundary has all of them, so their addresses
 * depend on nothing; what varies lies below.
 */
/* What BPF code needs a register for: a boundary saves them all. */
#define WHEN(reg)                                                                             \
	((reg) == RBP                                                 ? JF_WHEN_ALWAYS :      \
	 (reg) == RBX || (reg) == R13 || (reg) == R14 || (reg) == R15 ? JF_WHEN_USED | EXC :  \
	 (reg) == R12                                                 ? JF_WHEN_ARENA | EXC : \
									EXC)
/* clang-format off */
#define SAVE(reg, name, dw)                             {JF_SLOT_SAVE, reg, WHEN(reg)},
#define SAVE_CONTROL(reg, name, dw, bytes, store, load) SAVE(reg, name, dw)
static const struct jf_slot_rule user_state[] = {
	{JF_SLOT_RETURN, RIP, JF_WHEN_ALWAYS},
	KEPT_INT(SAVE)
	KEPT_CONTROL(SAVE_CONTROL)
	{JF_SLOT_TCC, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_TCC_PTR, JF_REG_NONE, JF_WHEN_TAIL_CALLS},
	{JF_SLOT_SPILL, R9, JF_WHEN_PRIVATE_STACK},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
	{JF_SLOT_CLEANUP, JF_REG_NONE, JF_WHEN_CLEANUPS},
};
/* clang-format on */

static const struct jf_area user_areas[] = {
	{user_state, LEN(user_state), 1, 16},
	{bpf_stack, LEN(bpf_stack), 1, 16},
	{out_args, LEN(out_args), 1, 16},
};

const struct jf_convention jf_x86_64_user = {
	.size = sizeof(struct jf_convention),
	.name = "user",
	.summary = "sound in user space: aligned calls, the whole callee-saved set of the System V ABI",
	.backend = &jf_x86_64_backend,
	.areas = user_areas,
	.area_count = LEN(user_areas),
	.landing = JF_LANDING_ADOPT,
	.bpf_reg = BPF_REGS,
	.bpf_fp_private = R9,
	.arena_reg = R12,
	.count_reg = RAX,
	.count_bytes = 8,
	.extra_arg_regs = 1,
	.bpf_stack_align = 16,
	.out_args_align = 16,
	.frame_align = 16,
	.red_zone_bytes = 128,
	.bpf_stack_max_bytes = 32752,
	.fp_off_from_cfa = -16,
	.private_stack_guard_bytes = 16,
	.result_bits = 64,
	.caps = JF_CAP_EXCEPTIONS | JF_CAP_TAIL_CALLS | JF_CAP_ARENA | JF_CAP_PRIVATE_STACK |
		JF_CAP_PRIVATE_STACK_CALLBACK | JF_CAP_OUT_ARGS | JF_CAP_LANDING_PADS | JF_CAP_RUN | JF_CAP_USER_BASE,
	.cleanup_entry = JF_CLEANUP_RESUMED,
	.tail_keeps = TAIL_KEEPS,
	.bpf_fp_when = JF_WHEN_PRIVATE_STACK, /* R10 is the frame pointer otherwise */
	.conflicts = conflicts,
	.conflict_count = LEN(conflicts) - 1,
};
