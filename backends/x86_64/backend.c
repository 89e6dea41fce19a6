/* SPDX-License-Identifier: BSD-2-Clause */
#include "../native.h"
#include "insn.h"

static const struct jf_convention *const conventions[] = {&jf_x86_64_linux, &jf_x86_64_user};

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
	/*
	 * Arguments of 8 and 16 bits are extended to 32, and of an argument of 32 bits no callee reads more. The
	 * System V ABI says so of bool only ("Parameter Passing", up to 8 bits), GCC's callers extend, and clang's
	 * callees count on the extension: clang compiles `int f(signed char x) { return x; }` to `movl %edi, %eax`.
	 */
	.c_args = {.extended_bytes = 4},
	.conventions = conventions,
	.convention_count = sizeof(conventions) / sizeof(conventions[0]),
	.build = &jf_x86_64_build,
	.emit_trap = emit_trap,
	.sframe_abi = 3, /* SFRAME_ABI_AMD64_ENDIAN_LITTLE */
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
			.extend = jf_x86_64_extend,
		},
	.signal_frame = &jf_x86_64_signal_frame,
	.decode = jf_x86_64_decode,
	.bounds =
		{.insn_bytes = 96, .tail_call_bytes = 384, .function_bytes = 2048, .stub_bytes = 128, .pad_bytes = 16},
	.orc = &jf_x86_64_orc,
#ifdef JF_NATIVE_X86_64
	.native = &jf_native_host,
#endif
};
