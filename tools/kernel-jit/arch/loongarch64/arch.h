/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's JIT for LoongArch uses beside what all JITs use. */

#define cpu_has_lam_bh has_feature(lam_bh)
#define EX_TYPE_BPF    3
struct exception_table_entry {
	int insn, fixup;
	short type, data;
};
struct pt_regs {
	unsigned long regs[32], orig_a0, csr_era, csr_badvaddr, csr_crmd, csr_prmd, csr_euen, csr_ecfg, csr_estat;
};
/* Where thread_info has the processor's number, by asm-offsets.h of a kernel with thread_info in the task. */
#define TI_CPU 16
