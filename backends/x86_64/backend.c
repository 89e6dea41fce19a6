/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

static const struct jf_convention *const conventions[] = {&jf_x86_64_linux, &jf_x86_64_user};

#ifdef JF_NATIVE_X86_64
HIDDEN enum jf_status jf_x86_64_throw(uint64_t cookie);
HIDDEN enum jf_status jf_x86_64_walk_here(struct jf_walk *walk, const struct jf_walk_opts *opts);
HIDDEN enum jf_status jf_x86_64_bpf_stack_walk(jf_bpf_frame_fn consume, void *cookie);
HIDDEN uint64_t jf_x86_64_enter(uint64_t entry, uint64_t arg1, uint64_t arg2);
HIDDEN uint64_t jf_x86_64_enter_checked(uint64_t entry, uint64_t arg1, uint64_t arg2, const struct jf_regs *in,
					struct jf_regs *out);
HIDDEN uint64_t jf_x86_64_call_checked(uint64_t function, uint64_t arg1, uint64_t arg2, const struct jf_regs *in,
				       struct jf_regs *out);
HIDDEN uint64_t jf_x86_64_overwrite(void);
extern HIDDEN const char jf_x86_64_enter_end[];
extern HIDDEN const char jf_x86_64_enter_checked_end[];

/* The functions' start labels once more, as data: ISO C has no conversion from one to the other. */
extern HIDDEN const char jf_x86_64_enter_start[];
extern HIDDEN const char jf_x86_64_enter_checked_start[];

/* Only called by generated code. */
extern HIDDEN const char jf_x86_64_may_goto_stub[];
extern HIDDEN const char jf_x86_64_may_goto_stub_end[];

static const struct jf_native native = {
	.enter = jf_x86_64_enter,
	.enter_start = jf_x86_64_enter_start,
	.enter_end = jf_x86_64_enter_end,
	.enter_checked = jf_x86_64_enter_checked,
	.checked_start = jf_x86_64_enter_checked_start,
	.checked_end = jf_x86_64_enter_checked_end,
	.call_checked = jf_x86_64_call_checked,
	.overwrite = jf_x86_64_overwrite,
	.may_goto_start = jf_x86_64_may_goto_stub,
	.may_goto_end = jf_x86_64_may_goto_stub_end,
	.throw_exception = jf_x86_64_throw,
	.walk_here = jf_x86_64_walk_here,
	.bpf_stack_walk = jf_x86_64_bpf_stack_walk,
	.context_get = jf_x86_64_context_get,
	.context_set_reg = jf_x86_64_context_set_reg,
	.context_set_pc = jf_x86_64_context_set_pc,
	.shadow_stack = jf_x86_64_shadow_stack,
};
#endif

static void emit_trap(struct jf_code *code)
{
	emit_int3(code);
}

const struct jf_backend jf_x86_64_backend = {
	.size = sizeof(struct jf_backend),
	.name = "x86_64",
	.llvm_triple = "x86_64-unknown-linux-gnu",
	.llvm_features = "",
	.elf_machine = 62, /* EM_X86_64 */
	.insn_align = 1,
	.reg_count = REG__COUNT,
	.regs = jf_x86_64_regs,
	.sp = RSP,
	.fp = RBP,
	.ra = RIP,
	.ra_pushed = true,
	.cfa_sp_off_at_entry = 8,
	.stack_align = 16,
	.red_zone_bytes = 128,
	.result = RAX,
	.arg_count = 6,
	.args = {RDI, RSI, RDX, RCX, R8, R9},
	.conventions = conventions,
	.convention_count = sizeof(conventions) / sizeof(conventions[0]),
	.build = &jf_x86_64_build,
	.emit_trap = emit_trap,
	.emit_call_stub = jf_x86_64_call_stub,
	.call_stubs = jf_x86_64_call_stubs,
	.branches = &jf_x86_64_branches,
	.body =
		{
			.alu = jf_x86_64_alu,
			.swap = jf_x86_64_swap,
			.imm64 = jf_x86_64_imm64,
			.load = jf_x86_64_load,
			.store = jf_x86_64_store,
			.load_acquire = jf_x86_64_load,
			.store_release = jf_x86_64_store,
			.atomic = jf_x86_64_atomic,
			.jump = jf_x86_64_jump,
			.jump_always = jf_x86_64_jump_always,
			.put_branch = jf_x86_64_put_branch,
			.call = jf_x86_64_call_op,
			.tail_call = jf_x86_64_tail_call,
			.cast_user = jf_x86_64_cast_user,
			.per_cpu = jf_x86_64_per_cpu,
			.may_goto = jf_x86_64_may_goto,
			.arg_put = jf_x86_64_arg_put,
			.arg_get = jf_x86_64_arg_get,
		},
	.signal_frame = &jf_x86_64_signal_frame,
	.decode = jf_x86_64_decode,
	.bounds = {.insn_bytes = 96, .tail_call_bytes = 384, .function_bytes = 2048, .stub_bytes = 128},
	.orc = &jf_x86_64_orc,
#ifdef JF_NATIVE_X86_64
	.native = &native,
#endif
};
