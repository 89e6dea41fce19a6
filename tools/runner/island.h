/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_ISLAND_H
#define JF_RUNNER_ISLAND_H

#include "bundle.h"

/*
 * Where another JIT's code takes the call base to be: a way to each helper and kfunc of the runner, in the distances of
 * BUNDLE_CALL_HELPER and BUNDLE_CALL_KFUNC. What the runner does not have traps.
 */

/* returns: JF_E_NO_MEMORY when the addresses are taken, as jf_code_map_add_all(). */
enum jf_status island_init(const struct bundle *bundle, const struct jf_convention *conv,
			   const struct jf_import *kfuncs, struct jf_error *error);
void island_fini(void);

/* Maps pages at that very address, writable. returns: NULL when some of the addresses are taken. */
void *island_map(uint64_t address, size_t bytes);

#endif
