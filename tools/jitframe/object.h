/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_OBJECT_H
#define JF_TOOLS_OBJECT_H

#include "listing.h"

#define OBJECT_ADDRESS UINT64_C(0x7f0000000000) /* where code stands unless somebody says otherwise */

/* The programs of a BPF object file, to be compiled and shown. */
struct object {
	const char *path;
	const char *program; /* NULL: every one but those that are only run by name, SEC("?...") */
	const struct jf_convention *conv;
	struct jf_compile_opts opts;
	uint64_t address;
	/* Called for each program; not 0 ends it all. */
	int (*show)(void *arg, struct listing *listing);
	void *arg;
};

/* Helpers, kfuncs and maps get made-up addresses. returns: 0, what show() gave, or prints and an exit status. */
int object_compile(const struct object *object);

#endif
