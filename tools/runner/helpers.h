/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_HELPERS_H
#define JF_RUNNER_HELPERS_H

#include <jitframe/program.h>

/* For struct jf_program: helpers[number], those that the runner lacks without address. Static. */
const struct jf_import *helpers_table(uint32_t *count);

/*
 * For struct jf_program: calls the helper of that number where the register holds a small one, else the
 * code at that address, as a C function.
 */
struct jf_import helpers_call_register(void);

/*
 * For struct jf_program: one import for each name. out: *import.
 * returns: JF_E_NOT_FOUND for a kfunc that the runner lacks.
 */
enum jf_status kfunc_import(const char *name, struct jf_import *import, struct jf_error *error);

/* The helper, or kfunc, whose C function begins at `address`: these functions are static, so that no symbol names them.
 * returns: NULL when there is none. Async-signal-safe. */
const char *helpers_name(uint64_t address);
const char *kfunc_name(uint64_t address);

#endif
