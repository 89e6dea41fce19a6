/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_KERNEL_JIT_KERNEL_H
#define JF_KERNEL_JIT_KERNEL_H

/*
 * In front of every file of a kernel tree that build.py compiles: what a JIT uses of the kernel, as declarations and
 * macros for a program of this machine. What has a body in the kernel is cut out of the tree when the program is built
 * (tree_bpf.h, tree_trampoline.h), and no line of the tree is kept here.
 */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define __KERNEL__ 1

#include "kernel_base.h"

/* ---- objects that nobody looks into, of the size that they have without debugging options --------------- */

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	s64 counter;
} atomic64_t;
typedef struct {
	u32 word;
} spinlock_t;
typedef spinlock_t rqspinlock_t;
struct list_head {
	struct list_head *next, *prev;
};
struct llist_node {
	struct llist_node *next;
};
struct llist_head {
	struct llist_node *first;
};
struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};
struct latch_tree_node {
	unsigned long words[6];
};
struct rcu_head {
	void *words[2];
};
struct work_struct;
struct percpu_ref {
	unsigned long words[2];
};
typedef atomic64_t atomic_long_t;
typedef spinlock_t raw_spinlock_t;
typedef void (*work_func_t)(struct work_struct *work);
#define context_lock_struct(name) struct name
#define __guarded_by(lock)
#include "tree_locks.h"
extern struct mutex text_mutex;
#define mutex_lock(mutex)   ((void)(mutex))
#define mutex_unlock(mutex) ((void)(mutex))

struct exception_table_entry;
struct pt_regs;
struct bpf_prog;
struct bpf_verifier_env {
	int unused;
};

/* ---- the tree's own definitions ------------------------------------------------------------------------- */

#include <uapi/linux/bpf_common.h>

#include <uapi/linux/bpf.h>

#define KSYM_NAME_LEN      512
#define SHA256_DIGEST_SIZE 32
struct sock_filter {
	u16 code;
	u8 jt, jf;
	u32 k;
};
struct sock_fprog_kern;
struct bpf_prog_stats;
struct bpf_tramp_skip;
#include "tree_bpf.h"

struct bpf_trampoline;

typedef u64 (*bpf_trampoline_enter_t)(struct bpf_prog *prog, void *run_ctx);
typedef void (*bpf_trampoline_exit_t)(struct bpf_prog *prog, u64 start, void *run_ctx);
#include "tree_trampoline.h"

/* ---- functions of the kernel's core: core.c has those that a JIT calls while it compiles ----------------- */

typedef void (*bpf_jit_fill_hole_t)(void *area, unsigned int size);
struct bpf_binary_header *bpf_jit_binary_alloc(unsigned int size, u8 **image, unsigned int alignment,
					       bpf_jit_fill_hole_t fill);
void bpf_jit_binary_free(struct bpf_binary_header *header);
int bpf_jit_binary_lock_ro(struct bpf_binary_header *header);
#ifdef TREE_PACK_ALLOC_CLASSIC
#define PACK_CLASSIC , bool was_classic
#else
#define PACK_CLASSIC
#endif
struct bpf_binary_header *bpf_jit_binary_pack_alloc(unsigned int size, u8 **ro_image, unsigned int alignment,
						    struct bpf_binary_header **rw_header, u8 **rw_image,
						    bpf_jit_fill_hole_t fill PACK_CLASSIC);
void *bpf_prog_pack_alloc(u32 size, bpf_jit_fill_hole_t fill PACK_CLASSIC);
void bpf_prog_pack_free(void *at, u32 size);
#ifdef TREE_PACK_FINALIZE_PROG
int bpf_jit_binary_pack_finalize(struct bpf_prog *prog, struct bpf_binary_header *ro, struct bpf_binary_header *rw);
#else
int bpf_jit_binary_pack_finalize(struct bpf_binary_header *ro, struct bpf_binary_header *rw);
#endif
void bpf_jit_binary_pack_free(struct bpf_binary_header *ro, struct bpf_binary_header *rw);
struct bpf_binary_header *bpf_jit_binary_pack_hdr(const struct bpf_prog *prog);
struct bpf_binary_header *bpf_jit_binary_hdr(const struct bpf_prog *prog);

int bpf_jit_get_func_addr(const struct bpf_prog *prog, const struct bpf_insn *insn, bool extra_pass, u64 *address,
			  bool *fixed);
const struct btf_func_model *bpf_jit_find_kfunc_model(const struct bpf_prog *prog, const struct bpf_insn *insn);
u16 bpf_out_stack_arg_cnt(const struct bpf_verifier_env *env, const struct bpf_prog *prog);
bool bpf_insn_is_indirect_target(const struct bpf_verifier_env *env, const struct bpf_prog *prog, int index);
void bpf_prog_update_insn_ptrs(struct bpf_prog *prog, u32 *offsets, void *image);
void bpf_prog_fill_jited_linfo(struct bpf_prog *prog, const u32 *offsets);
u64 bpf_arena_get_kern_vm_start(struct bpf_arena *arena);
u64 bpf_arena_get_user_vm_start(struct bpf_arena *arena);
extern int bpf_jit_enable;

/* Declared by the kernel, defined by a JIT or by core.c in its place. */
bool bpf_jit_supports_far_kfunc_call(void);
bool bpf_jit_supports_subprog_tailcalls(void);
bool bpf_jit_supports_exceptions(void);
bool bpf_jit_supports_private_stack(void);
bool bpf_jit_supports_timed_may_goto(void);
bool bpf_jit_inlines_helper_call(s32 number);
bool bpf_jit_needs_zext(void);
void *bpf_jit_alloc_exec(unsigned long size);
void bpf_jit_free_exec(void *at);
void *bpf_arch_text_copy(void *to, void *from, size_t count);
#ifdef TREE_COMPILE_WITH_ENV
struct bpf_prog *bpf_int_jit_compile(struct bpf_verifier_env *env, struct bpf_prog *prog);
#else
struct bpf_prog *bpf_int_jit_compile(struct bpf_prog *prog);
#endif

/* No code calls these here: made-up addresses that generated code may hold. */
u64 __bpf_call_base(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);
u64 arch_bpf_timed_may_goto(void);
u64 bpf_tramp_arena_base(const struct btf_func_model *model, void *nodes, u32 flags);
bpf_trampoline_enter_t bpf_trampoline_enter(const struct bpf_prog *prog);
bpf_trampoline_exit_t bpf_trampoline_exit(const struct bpf_prog *prog);
void __bpf_tramp_enter(struct bpf_tramp_image *image);
void __bpf_tramp_exit(struct bpf_tramp_image *image);

/* Blinding is the verifier's or the caller's; here nobody asks for it. */
#define bpf_jit_blinding_enabled(prog)           false
#define bpf_jit_blind_constants(prog)            (prog)
#define bpf_jit_prog_release_other(prog, other)  ((void)(prog), (void)(other))
#define bpf_jit_dump(...)                        ((void)0)
#define bpf_prog_unlock_free(prog)               ((void)(prog))
#define bpf_prog_kallsyms_verify_off(prog)       true
#define bpf_prog_report_arena_violation(...)     ((void)0)
#define bpf_jit_get_prog_name(prog)              "program"
#define bpf_address_lookup(...)                  ((const char *)NULL)
#define __bpf_address_lookup(...)                ((const char *)NULL)
#define copy_from_kernel_nofault(to, from, size) (-EFAULT)
#define is_kernel_text(address)                  0
#define is_module_text_address(address)          0
#define is_bpf_text_address(address)             0

/* What a processor has: bits of kernel_jit_features, named by `feature` lines of jit.conf. */
extern u64 kernel_jit_features;
#define has_feature(name) ((kernel_jit_features >> FEATURE_##name & 1) != 0)
#include "tree_features.h"

#include <linux/sizes.h>

#include "arch.h"

#endif
