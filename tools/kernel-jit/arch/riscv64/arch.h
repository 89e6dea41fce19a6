/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's JIT for riscv64 uses beside what all JITs use. */

#include "tree_arch.h"

struct exception_table_entry {
	int insn, fixup;
	short type, data;
};
struct pt_regs {
	unsigned long epc, ra, sp, gp, tp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
	unsigned long status, badaddr, cause, orig_a0;
};
#define PT_REGS_PC epc

/* Of the processor: RISCV_ISA_EXT_ZBB is the feature ZBB. */
#define RISCV_ISA_EXT_ZBA               FEATURE_ZBA
#define RISCV_ISA_EXT_ZBB               FEATURE_ZBB
#define RISCV_ISA_EXT_ZBC               FEATURE_ZBC
#define RISCV_ISA_EXT_ZACAS             FEATURE_ZACAS
#define RISCV_ISA_EXT_ZABHA             FEATURE_ZABHA
#define riscv_has_extension_likely(ext) ((kernel_jit_features >> (ext)&1) != 0)
#define riscv_has_extension_unlikely    riscv_has_extension_likely

#define __riscv_xlen        64
#define STACK_ALIGN         16
#define BPF_JIT_REGION_SIZE SZ_128M
extern unsigned long __per_cpu_offset[];
int patch_text(void *at, u32 *insns, size_t count);
int patch_text_nosync(void *at, const void *insns, size_t count);
int patch_text_set_nosync(void *at, u8 value, size_t count);

#include "made_cfi.h"
