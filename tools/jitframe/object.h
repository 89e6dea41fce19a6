/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_OBJECT_H
#define JF_TOOLS_OBJECT_H

#include "listing.h"

#define OBJECT_ADDRESS UINT64_C(0x7f0000000000) /* where code stands unless somebody says otherwise */

/* The programs of a BPF object file, to be compiled and shown. */
struct object {
	const char *path;
	const char *program; /* NULL: every one */
	const struct jf_convention *conv;
	struct jf_compile_opts opts;
	uint64_t address;
	uint64_t call_base; /* helpers and kfuncs stand behind this, as a kernel's do; 0: far from the code */
	const struct bundle_place *places; /* of the maps; NULL: made up */
	/* Called for each program; not 0 is the exit status. */
	int (*show)(void *arg, struct listing *listing);
	void *arg;
};

/* Helpers, kfuncs and maps get made-up addresses. returns: 0, what show() gave, or prints and an exit status. */
int object_compile(const struct object *object);
/* The same of an object that was linked and opened: object->program alone, which is not NULL. */
int object_compile_linked(const struct object *object, const struct bundle *bundle);

#endif
