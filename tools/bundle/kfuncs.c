/* SPDX-License-Identifier: BSD-2-Clause */
#include "bundle.h"

#include <string.h>

/* kfuncs.def as imports. Both sides have it: the linker by types, the runner with addresses. */

/* clang-format off */
#define THROWS  true, .never_returns = true
#define RESUMES false, .resumes = true
#define VOID {0, false}
#define NONE {0, false}
#define BOOL {1, false}
#define U8   {1, false}
#define S8   {1, true}
#define U16  {2, false}
#define U32  {4, false}
#define S32  {4, true}
#define U64  {8, false}
#define S64  {8, true}
#define PTR  {8, false}
#define KFUNC(kfunc, may_throw, of, ...) {.name = #kfunc, .throws = may_throw, .result = of, .args = {__VA_ARGS__}},
/* clang-format on */

static const struct jf_import kfuncs[] = {
#include "kfuncs.def"
};
#define COUNT (sizeof(kfuncs) / sizeof(kfuncs[0]))
_Static_assert(COUNT <= BUNDLE_KFUNCS_MAX, "who makes tables of kfuncs counts on it");

int bundle_kfunc(const char *name, struct jf_import *import)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(kfuncs[i].name, name) != 0)
			continue;
		*import = kfuncs[i];
		while (import->arg_count < JF_ARGS_MAX && import->args[import->arg_count].bytes)
			import->arg_count++;
		return (int)i;
	}
	return -1;
}
