/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_FOREIGN_H
#define JF_RUNNER_FOREIGN_H

#include "bundle.h"

/* Programs that another JIT has compiled: their code comes in the bundle, for places that are fixed. */

struct foreign;

/* Once, before programs are loaded. returns: JF_E_NO_MEMORY, as island_init(). */
enum jf_status foreign_init(const struct bundle *bundle, const struct jf_convention *conv,
			    const struct jf_import *kfuncs, struct jf_error *error);
void foreign_fini(void);

/*
 * Puts a program where its code wants to be, and into the code map. in: selection: the same program's; must outlive
 * *foreign. returns: JF_E_UNSUPPORTED (the bundle has no code of it, or the code calls a helper that is not there),
 * JF_E_NO_MEMORY (its addresses are taken), as jf_frame_solve() and jf_code_map_add_all().
 */
enum jf_status foreign_load(uint32_t program, const struct bundle_selection *selection, struct foreign **foreign,
			    struct jf_error *error);
void foreign_unload(struct foreign *foreign);

/* As jf_run() and jf_run_checked(). */
uint64_t foreign_run(const struct foreign *foreign, uint64_t arg);
uint64_t foreign_run_checked(const struct foreign *foreign, uint64_t arg, const struct jf_regs *in,
			     struct jf_regs *out);

/* As jf_private_stack_check(), of the one thread that there is; clears the guards. */
bool foreign_stack_is_broken(const struct foreign *foreign);

/* Address of a function of the bundle; 0: not in the program. */
uint64_t foreign_function(const struct foreign *foreign, uint32_t function);
/* What a slot of a program array points to: struct bundle_jit says where in it the code's address is. */
uint64_t foreign_object(const struct foreign *foreign);

/* ---- kernel_throw.c ---- */

/*
 * bpf_throw() as Linux does it: walks by jf_bpf_stack_walk() to the first program that is no subprogram, and calls the
 * callback of its boundary with (cookie, SP, FP). Comes back never.
 */
uint64_t kernel_throw(uint64_t cookie);

#endif
