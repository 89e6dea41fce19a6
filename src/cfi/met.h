/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CFI_MET_H
#define JF_CFI_MET_H

#include <jitframe/cfi.h>

/*
 * Rows of loaded objects that were met before, by address. Memory is set aside by who loads objects. Who meets an
 * address puts its row there: any thread, handlers too. Nothing in it changes or moves.
 */
struct cfi_met;

/* returns: NULL = no memory. `bytes` of address space, of which the used part takes memory. */
struct cfi_met *jf_cfi_met_new(size_t bytes);
void jf_cfi_met_free(struct cfi_met *met); /* NULL: does nothing */

size_t jf_cfi_met_bytes(const struct cfi_met *met);
/* More than half of it is used. */
bool jf_cfi_met_is_low(const struct cfi_met *met);

/* out: *name on success. returns: NULL for an address that was not put there. threads: any, async-signal-safe. */
const struct jf_cfi_function *jf_cfi_met_find(const struct cfi_met *met, uint64_t address, const char **name);
/* Keeps a copy of what is in the room. owns: name stays the caller's. returns: NULL when it is full. threads: any,
 * async-signal-safe. */
const struct jf_cfi_function *jf_cfi_met_add(struct cfi_met *met, uint64_t address, const struct jf_cfi_room *room,
					     const char *name);

#endif
