/* SPDX-License-Identifier: BSD-2-Clause */
#include "../native.h"
#include "insn.h"

#define ELF_MACHINE_RISCV 243

const struct jf_backend jf_riscv64_backend = {
	.size = sizeof(struct jf_backend),
	.name = "riscv64",
	.llvm_triple = "riscv64-linux-gnu",
	.llvm_features = "+m,+a,+f,+d,+c",
	.elf_machine = ELF_MACHINE_RISCV,
	.insn_align = 2,
	.reg_count = RV_REG_COUNT,
	.regs = jf_riscv64_regs,
	.sp = RV_SP,
	.fp = RV_FP,
	.ra = RV_RA,
	.ra_pushed = false,
	.cfa_sp_off_at_entry = 0,
	.stack_align = 16,
	.result = RV_A0,
	.arg_count = 8,
	.args = {RV_A0, RV_A1, RV_A2, RV_A3, RV_A4, RV_A5, RV_A6, RV_A7},
	/* RISC-V ELF psABI, "Integer Calling Convention": widened to 32 bits by their own sign, then sign-extended. */
	.c_args = {.extended_bytes = 8, .words_signed = true, .temp = RV_T1},
	.conventions = jf_riscv64_conventions,
	.convention_count = sizeof(jf_riscv64_conventions) / sizeof(jf_riscv64_conventions[0]),
	.build = &jf_riscv64_build,
	.emit_trap = emit_ebreak,
	.skips_dead_uppers = true,
	.branches = &jf_riscv64_branches,
	.body =
		{
			.alu = jf_riscv64_alu,
			.swap = jf_riscv64_swap,
			.imm64 = jf_riscv64_imm64,
			.load = jf_riscv64_load,
			.store = jf_riscv64_store,
			.load_acquire = jf_riscv64_load_acquire,
			.store_release = jf_riscv64_store_release,
			.atomic = jf_riscv64_atomic,
			.jump = jf_riscv64_jump,
			.jump_always = jf_riscv64_jump_always,
			.put_branch = jf_riscv64_put_branch,
			.call = jf_riscv64_call,
			.tail_call = jf_riscv64_tail_call,
			.cast_user = jf_riscv64_cast_user,
			.per_cpu = jf_riscv64_per_cpu,
			.may_goto = jf_riscv64_may_goto,
			.extend = jf_riscv64_extend,
		},
	.signal_frame = &jf_riscv64_signal_frame,
	.known_code = jf_riscv64_known_code,
	.known_code_count = RV_KNOWN_CODE_COUNT,
	.decode = jf_riscv64_decode,
	.bounds = {.insn_bytes = 192, .tail_call_bytes = 384, .function_bytes = 2048},
#ifdef JF_NATIVE_RISCV64
	.native = &jf_native_host,
#endif
};
