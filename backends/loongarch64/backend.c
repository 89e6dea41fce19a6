/* SPDX-License-Identifier: BSD-2-Clause */
#include "../native.h"
#include "insn.h"

#define ELF_MACHINE_LOONGARCH 258

static void emit_trap(struct jf_code *code)
{
	emit_break(code, 0);
}

const struct jf_backend jf_loongarch64_backend = {
	.size = sizeof(struct jf_backend),
	.name = "loongarch64",
	.llvm_triple = "loongarch64-linux-gnu",
	.llvm_features = "+d",
	.elf_machine = ELF_MACHINE_LOONGARCH,
	.insn_align = 4,
	.reg_count = LA_REG_COUNT,
	.regs = jf_loongarch64_regs,
	.sp = LA_SP,
	.fp = LA_FP,
	.ra = LA_RA,
	.ra_pushed = false,
	.cfa_sp_off_at_entry = 0,
	.stack_align = 16,
	.result = LA_A0,
	.arg_count = 8,
	.args = {LA_A0, LA_A1, LA_A2, LA_A3, LA_A4, LA_A5, LA_A6, LA_A7},
	/* LoongArch Procedure Call Standard: in LP64D unsigned words are stored as proper sign extensions. */
	.c_args = {.extended_bytes = 8, .words_signed = true, .temp = LA_T1},
	.conventions = jf_loongarch64_conventions,
	.convention_count = sizeof(jf_loongarch64_conventions) / sizeof(jf_loongarch64_conventions[0]),
	.build = &jf_loongarch64_build,
	.emit_trap = emit_trap,
	.branches = &jf_loongarch64_branches,
	.body =
		{
			.alu = jf_loongarch64_alu,
			.swap = jf_loongarch64_swap,
			.imm64 = jf_loongarch64_imm64,
			.load = jf_loongarch64_load,
			.store = jf_loongarch64_store,
			.load_acquire = jf_loongarch64_load_acquire,
			.store_release = jf_loongarch64_store_release,
			.atomic = jf_loongarch64_atomic,
			.jump = jf_loongarch64_jump,
			.jump_always = jf_loongarch64_jump_always,
			.put_branch = jf_loongarch64_put_branch,
			.call = jf_loongarch64_call,
			.tail_call = jf_loongarch64_tail_call,
			.cast_user = jf_loongarch64_cast_user,
			.per_cpu = jf_loongarch64_per_cpu,
			.may_goto = jf_loongarch64_may_goto,
			.extend = jf_loongarch64_extend,
		},
	.signal_frame = &jf_loongarch64_signal_frame,
	.known_code = jf_loongarch64_known_code,
	.known_code_count = LA_KNOWN_CODE_COUNT,
	.decode = jf_loongarch64_decode,
	.bounds = {.insn_bytes = 96, .tail_call_bytes = 384, .function_bytes = 2048},
	.orc = &jf_loongarch64_orc,
#ifdef JF_NATIVE_LOONGARCH64
	.native = &jf_native_host,
#endif
};
