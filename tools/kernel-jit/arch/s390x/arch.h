/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux's JIT for s390x uses beside what all JITs use. */

#define EX_TYPE_BPF 2
struct exception_table_entry {
	int insn, fixup;
	short type, data;
};
struct pt_regs {
	struct {
		unsigned long mask, addr;
	} psw;
	unsigned long gprs[16];
};

/* What instructions are stored through. */
#define BIG(bits)                                                                      \
	struct __attribute__((scalar_storage_order("big-endian"), packed)) big##bits { \
		u##bits value;                                                         \
	}
BIG(16);
BIG(32);
BIG(64);
#undef BIG

/* The members of lowcore that code reads, at the places that an image at address 0 has. */
struct lowcore {
	u8 before_task[0x340];
	u64 current_task;
	u8 before_cpu[0x3a0 - 0x348];
	u32 cpu_nr;
	u8 before_offset[0x3b8 - 0x3a4];
	u64 percpu_offset;
};
#define get_lowcore()        ((struct lowcore *)0)
#define STACK_FRAME_OVERHEAD 160
#define TASK_SIZE_MAX        (1UL << 53)

#define nospec_uses_trampoline() has_feature(expoline)
void __s390_indirect_jump_r1(void);
void __s390_indirect_jump_r8(void);
void __s390_indirect_jump_r14(void);

#define extable_fixup(entry)            ((unsigned long)&(entry)->fixup + (entry)->fixup)
#define print_fn_code(code, size)       ((void)0)
#define s390_kernel_write(to, at, size) ((void)(to), (void)(at))
void *s390_kernel_write_copy(void *to, void *at, size_t size);
#define text_poke_sync_lock() ((void)0)
#define text_poke_sync()      ((void)0)
#include "made_cfi.h"
#include "tree_arch.h"

struct unwind_state {
	unsigned long ip, sp;
};
#define unwind_get_return_address(state)                      0UL
#define unwind_for_each_frame(state, task, regs, first_frame) for (; 0;)

/* The template behind functions: lgrl %r0,.+16; lgrl %r1,.+18; br %r1; then the two addresses. */
__weak const unsigned char bpf_plt_bytes[32] __asm__("bpf_plt") = {0xc4, 0x08, 0, 0, 0, 8,    0xc4,
								   0x18, 0,    0, 0, 9, 0x07, 0xf1};
/* Assembly beside functions is the target's. */
#define asm(...) _Static_assert(1, "")
