/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's JIT for powerpc64 uses beside what all JITs use. */

struct exception_table_entry {
	int insn, fixup;
};
struct pt_regs {
	unsigned long gpr[32], nip;
};

/* Per-processor data. The places of its members depend on far more than is chosen here. */
struct paca_struct {
	u16 paca_index;
	u64 kernel_toc, kernelbase, data_offset;
	void *__current;
};
extern struct paca_struct *local_paca;
#define kernel_toc_addr() 0xc000000002a08000UL
#define PAGE_OFFSET       0xc000000000000000UL
#define TASK_SIZE_MAX     (1UL << 52)
#define current           NULL

#define core_kernel_text(address)                  ((address) >= PAGE_OFFSET && (address) < PAGE_OFFSET + 0x2000000)
#define ppc_function_entry(function)               ((unsigned long)(function))
#define ppc_global_function_entry(function)        ((unsigned long)(function))
#define dereference_kernel_function_descriptor(at) (at)

/* ---- the processor and its mitigations --------------------------------------------------------------------- */

#define CPU_FTR_ARCH_206          FEATURE_arch_206
#define CPU_FTR_ARCH_31           FEATURE_arch_31
#define cpu_has_feature(feature)  ((kernel_jit_features >> (feature)&1) != 0)
#define SEC_FTR_FAVOUR_SECURITY   1
#define SEC_FTR_BNDS_CHK_SPEC_BAR 2
#define SEC_FTR_STF_BARRIER       4
#define security_ftr_enabled(bit) false
enum stf_barrier_type {
	STF_BARRIER_NONE,
	STF_BARRIER_FALLBACK,
	STF_BARRIER_EIEIO,
	STF_BARRIER_SYNC_ORI,
};
#define stf_barrier_type_get() STF_BARRIER_NONE

/* ---- frames and code ----------------------------------------------------------------------------------------- */

#define STACK_FRAME_MIN_SIZE  32
#define STACK_FRAME_LR_SAVE   2
#define PPC_LR_STKOFF         16
#define current_stack_frame() 0UL
#define validate_sp(sp, task) 0

typedef struct {
	u32 val;
} ppc_inst_t;
#define ppc_inst(word)                          ((ppc_inst_t){(word)})
#define ppc_inst_val(insn)                      ((insn).val)
#define ppc_inst_as_ulong(insn)                 ((unsigned long)(insn).val)
#define ppc_inst_equal(a, b)                    ((a).val == (b).val)
#define ppc_inst_read(at)                       (*(ppc_inst_t *)(at))
#define copy_inst_from_kernel_nofault(to, at)   (-EFAULT)
#define BREAKPOINT_INSTRUCTION                  0x7fe00008
#define BRANCH_SET_LINK                         1
#define isync()                                 ((void)0)
#define smp_call_function(function, info, wait) ((void)0)
int patch_instruction(u32 *at, ppc_inst_t insn);
int patch_instructions(u32 *at, u32 *code, size_t size, bool repeat);
int patch_branch(u32 *at, unsigned long target, int flags);
int patch_ulong(void *at, unsigned long value);
int create_branch(ppc_inst_t *insn, const u32 *at, unsigned long target, int flags);
int create_cond_branch(ppc_inst_t *insn, const u32 *at, unsigned long target, int flags);

static inline void *memset32(void *at, u32 word, size_t count)
{
	for (size_t i = 0; i < count; i++)
		((u32 *)at)[i] = word;
	return at;
}

#include "tree_arch.h"

/* Assembly beside functions is the target's, and stands for an address alone. */
#define asm(...) _Static_assert(1, "")
