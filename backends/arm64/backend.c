/* SPDX-License-Identifier: BSD-2-Clause */
#include "../native.h"
#include "insn.h"

#define EM_AARCH64 183 /* ELF for the Arm 64-bit Architecture, e_machine */

static void emit_trap(struct jf_code *code)
{
	jf_arm64_brk(code, 0);
}

/*
 * Pointer authentication signs in the bits that addresses do not use. Bit 55 stays and tells which
 * half of the address space the pointer is of (Arm ARM, "Pointer authentication"); 48-bit addresses.
 */
static uint64_t strip_return(uint64_t value)
{
	const uint64_t unused = ~UINT64_C(0) << 48;

	return value & UINT64_C(1) << 55 ? value | unused : value & ~unused;
}

const struct jf_backend jf_arm64_backend = {
	.size = sizeof(struct jf_backend),
	.name = "arm64",
	.llvm_triple = "aarch64-linux-gnu",
	.llvm_features = "+v8.5a", /* BTI and PAC hints by their names */
	.elf_machine = EM_AARCH64,
	.insn_align = 4,
	.reg_count = JF_ARM64_REG__COUNT,
	.regs = jf_arm64_regs,
	.sp = JF_ARM64_SP,
	.fp = JF_ARM64_X29,
	.ra = JF_ARM64_X30,
	.ra_pushed = false,
	.cfa_sp_off_at_entry = 0,
	.stack_align = 16,
	.result = JF_ARM64_X0,
	.arg_count = 8,
	.args = {JF_ARM64_X0, JF_ARM64_X1, JF_ARM64_X2, JF_ARM64_X3, JF_ARM64_X4, JF_ARM64_X5, JF_ARM64_X6,
		 JF_ARM64_X7},
	/* AAPCS64, "Parameter passing": the bits of a register or stack slot above a narrow argument are unspecified,
	 * and C functions extend. */
	.c_args = {.extended_bytes = 0},
	.conventions = jf_arm64_conventions,
	.convention_count = JF_ARM64_CONVENTION_COUNT,
	.build = &jf_arm64_build,
	.emit_trap = emit_trap,
	.body =
		{
			.alu = jf_arm64_alu,
			.swap = jf_arm64_swap,
			.imm64 = jf_arm64_imm64,
			.load = jf_arm64_load,
			.store = jf_arm64_store,
			.load_acquire = jf_arm64_load_acquire,
			.store_release = jf_arm64_store_release,
			.atomic = jf_arm64_atomic,
			.jump = jf_arm64_jump,
			.jump_always = jf_arm64_jump_always,
			.put_branch = jf_arm64_put_branch,
			.call = jf_arm64_call,
			.tail_call = jf_arm64_tail_call,
			.cast_user = jf_arm64_cast_user,
			.per_cpu = jf_arm64_per_cpu,
			.may_goto = jf_arm64_may_goto,
			.extend = jf_arm64_extend,
		},
	.branches = &jf_arm64_branches,
	.strip_return = strip_return,
	.cfi_negates_ra_state = true,
	.signal_frame = &jf_arm64_signal_frame,
	.known_code = jf_arm64_known_code,
	.known_code_count = JF_ARM64_KNOWN_CODE_COUNT,
	.decode = jf_arm64_decode,
	.sframe_abi = 2, /* SFRAME_ABI_AARCH64_ENDIAN_LITTLE */
	.bounds = {.insn_bytes = 96, .tail_call_bytes = 384, .function_bytes = 2048, .pad_bytes = 4},
#ifdef JF_NATIVE_ARM64
	.native = &jf_native_host,
#endif
};
