/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's JIT for x86-64 uses beside what all JITs use. */

struct exception_table_entry {
	int insn, fixup, data;
};
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define PT_REGS_PC ip
#define PT_REGS_NUMBERS                                                             \
	{                                                                           \
		15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7, 0, 0, 0, 0, 4, 0 \
	}

/* ---- the processor; accounting of call depths is not modelled --------------------------------------------- */

#define X86_FEATURE_BMI2                             FEATURE_bmi2
#define X86_FEATURE_RETPOLINE                        FEATURE_retpoline
#define X86_FEATURE_RETPOLINE_LFENCE                 FEATURE_retpoline_lfence
#define X86_FEATURE_INDIRECT_THUNK_ITS               FEATURE_its
#define X86_FEATURE_CLEAR_BHB_LOOP                   FEATURE_bhb_loop
#define X86_FEATURE_CLEAR_BHB_HW                     FEATURE_bhb_hw
#define X86_FEATURE_HYPERVISOR                       FEATURE_hypervisor
#define X86_FEATURE_CALL_DEPTH                       63
#define cpu_feature_enabled(feature)                 ((kernel_jit_features >> (feature)&1) != 0)
#define boot_cpu_has                                 cpu_feature_enabled
#define static_cpu_has                               cpu_feature_enabled
#define cpu_wants_rethunk()                          has_feature(rethunk)
#define x86_call_depth_emit_accounting(at, func, ip) 0

extern char x86_return_thunk_at[];
#define x86_return_thunk x86_return_thunk_at
typedef u8 retpoline_thunk_t[32];
extern retpoline_thunk_t __x86_indirect_thunk_array[], __x86_indirect_jump_thunk_array[];
u8 *its_static_thunk(int reg);
void clear_bhb_loop(void);
extern unsigned long this_cpu_off;
#define CAP_SYS_ADMIN                  21
#define ns_capable_noaudit(space, cap) false
#define init_user_ns                   text_mutex

/* ---- control-flow integrity --------------------------------------------------------------------------------- */

#if defined(CONFIG_FINEIBT)
#define cfi_mode         CFI_FINEIBT
#define cfi_get_offset() 16
#elif defined(CONFIG_CFI) || defined(CONFIG_CFI_CLANG)
#define cfi_mode CFI_KCFI
#ifdef CONFIG_CALL_PADDING
#define cfi_get_offset() 16
#else
#define cfi_get_offset() 5
#endif
#else
#define cfi_mode         CFI_OFF
#define cfi_get_offset() 0
#endif
#define CONFIG_FUNCTION_PADDING_CFI   11
#define CONFIG_FUNCTION_PADDING_BYTES 16
#define cfi_bhi                       false
typedef u8 bhi_thunk[32];
extern bhi_thunk __bhi_args[];
#include "made_cfi.h"

/* ---- code ---------------------------------------------------------------------------------------------------- */

#include <asm/nops.h>

/* By length; the kernel has them one behind the other, too. */
__weak const u8 *const x86_nops[] = {
	NULL,
	(const u8[]){BYTES_NOP1},
	(const u8[]){BYTES_NOP2},
	(const u8[]){BYTES_NOP3},
	(const u8[]){BYTES_NOP4},
	(const u8[]){BYTES_NOP5},
	(const u8[]){BYTES_NOP6},
	(const u8[]){BYTES_NOP7},
	(const u8[]){BYTES_NOP8},
	(const u8[]){BYTES_NOP9},
	(const u8[]){BYTES_NOP10},
	(const u8[]){BYTES_NOP11},
};
#include "tree_arch.h"

#define is_endbr(at)                   false
#define TASK_SIZE_MAX                  ((1UL << 47) - PAGE_SIZE)
#define VSYSCALL_ADDR                  (-10UL << 20)
#define text_poke_set(to, byte, size)  ((void *)NULL)
#define text_poke_copy(to, from, size) (to)
#define text_poke_bp(...)              ((void)0)
#define smp_text_poke_single(...)      ((void)0)
#define smp_text_poke_batch_add(...)   ((void)0)
#define sort(...)                      ((void)0)
enum { EXECMEM_BPF, EXECMEM_MODULE_DATA };
#define execmem_alloc_rw(type, size) ((void *)NULL)
#define execmem_alloc(type, size)    ((void *)NULL)
#define execmem_free(at)             ((void)(at))

/* The walk of the kernel's stack: where exceptions are supported, nobody calls it here. */
struct unwind_state {
	unsigned long sp, bp;
};
#define current NULL
void unwind_start(struct unwind_state *state, void *task, struct pt_regs *regs, unsigned long *first);
bool unwind_done(struct unwind_state *state);
bool unwind_next_frame(struct unwind_state *state);
unsigned long unwind_get_return_address(struct unwind_state *state);
