/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's JIT for arm64 uses beside what all JITs use. */

#include "tree_arch.h"

#define EX_TYPE_BPF 1
struct exception_table_entry {
	int insn, fixup;
	short type, data;
};
struct pt_regs {
	u64 regs[31], sp, pc, pstate;
};
#define PT_REGS_PC pc

enum {
	ARM64_HAS_VIRT_HOST_EXTN = FEATURE_vhe,
	ARM64_HAS_LSE_ATOMICS = FEATURE_lse,
	ARM64_HAS_SB = FEATURE_sb,
};
#define cpus_have_cap(feature)       ((kernel_jit_features >> (feature)&1) != 0)
#define cpus_have_final_cap          cpus_have_cap
#define alternative_has_cap_likely   cpus_have_cap
#define alternative_has_cap_unlikely cpus_have_cap

/* Mitigations by the processor and its firmware. */
enum { SPECTRE_UNAFFECTED, SPECTRE_MITIGATED, SPECTRE_VULNERABLE };
enum { SMCCC_CONDUIT_NONE, SMCCC_CONDUIT_SMC, SMCCC_CONDUIT_HVC };
enum { SCOPE_SYSTEM, SCOPE_LOCAL_CPU };
#define ARM_SMCCC_ARCH_WORKAROUND_3    0x80003fff
#define arm64_get_spectre_v2_state()   SPECTRE_UNAFFECTED
#define arm_smccc_1_1_get_conduit()    SMCCC_CONDUIT_NONE
#define get_spectre_bhb_loop_value()   0
#define is_spectre_bhb_fw_mitigated()  false
#define supports_clearbhb(scope)       has_feature(clearbhb)
#define cpu_mitigations_off()          false
#define __nospectre_bhb                false
#define CAP_SYS_ADMIN                  21
#define ns_capable_noaudit(space, cap) false
#define init_user_ns                   text_mutex

#define VMALLOC_START 0xffff800080000000ULL
#define VMALLOC_END   0xfffffdffc0000000ULL
#define TASK_SIZE_MAX (1ULL << 48)

void *aarch64_insn_set(void *to, u32 insn, size_t size);
void *aarch64_insn_copy(void *to, void *from, size_t size);
int aarch64_insn_patch_text_nosync(void *at, u32 insn);
int aarch64_insn_read(void *at, u32 *insn);
/* Assembly beside functions is the target's, and stands for an address alone. */
#define asm(...) _Static_assert(1, "")

#include "made_cfi.h"
