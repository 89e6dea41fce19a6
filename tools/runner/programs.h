/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_PROGRAMS_H
#define JF_RUNNER_PROGRAMS_H

/* The programs of the bundle, each compiled when it is first asked for. There is one bundle per process. */

#include "bundle.h"

/* A loaded program: the library's, or another JIT's. */
struct program;

/* in: all of it must outlive the programs; maps_init() has been called. returns: JF_E_NO_MEMORY,
 * JF_E_NOT_FOUND for a kfunc that the runner lacks. */
enum jf_status programs_init(const struct bundle *bundle, const struct jf_convention *conv,
			     const struct jf_compile_opts *opts, struct jf_error *error);
void programs_fini(void);

/* returns: JF_E_NOT_FOUND (there is no program of that index), as maps_usable(), jf_load() and foreign_load(). Any
 * thread. */
enum jf_status programs_load(uint32_t index, const struct program **program, struct jf_error *error);

/* As jf_run() and jf_run_checked(). */
uint64_t program_run(const struct program *program, uint64_t arg);
uint64_t program_run_checked(const struct program *program, uint64_t arg, const struct jf_regs *in,
			     struct jf_regs *out);
/* The two forms of it, one of which is NULL. */
const struct jf_loaded *program_loaded(const struct program *program);
const struct foreign *program_foreign(const struct program *program);
/* All programs have one. */
const struct jf_convention *programs_convention(void);
/* Whether another JIT has compiled them. */
bool programs_are_foreign(void);

/* Puts a program of that name into a program array. returns: JF_E_NOT_FOUND (a name), JF_E_INVAL (index), as
 * programs_load(). Any thread. */
enum jf_status programs_set(const char *map, uint32_t index, const char *program, struct jf_error *error);

/* returns: the name of a program that wrote beyond its private stacks in the calling thread, or NULL. */
const char *programs_broken_stack(void);

/* Where function `function` of the bundle is in loaded program `index`; 0: not in it. */
uint64_t programs_function(uint32_t index, uint32_t function);

#endif
