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
#define PT_REGS_PC csr_era
/* Where thread_info has the processor's number, by asm-offsets.h of a kernel with thread_info in the task. */
#define TI_CPU 16

/* The walk of the kernel's stack: nobody calls it here. It reads a register by an instruction of the target, which the
 * assembler of this machine takes for a macro that does nothing. */
struct unwind_state {
	unsigned long sp, fp;
};
#define current NULL
void unwind_start(struct unwind_state *state, void *task, struct pt_regs *regs);
bool unwind_done(struct unwind_state *state);
bool unwind_next_frame(struct unwind_state *state);
unsigned long unwind_get_return_address(struct unwind_state *state);
__asm__(".macro move to, from\n.endm");
