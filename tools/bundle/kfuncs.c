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

static uint8_t put_value(struct jf_c_value value)
{
	return (uint8_t)(value.bytes | (value.is_signed ? BUNDLE_VALUE_SIGNED : 0));
}

static struct jf_c_value get_value(uint8_t value)
{
	return (struct jf_c_value){value & (BUNDLE_VALUE_SIGNED - 1), (value & BUNDLE_VALUE_SIGNED) != 0};
}

void bundle_kfunc_put(struct bundle_kfunc *kfunc, const struct jf_import *import)
{
	kfunc->throws = import->throws;
	kfunc->flags = (uint8_t)((import->resumes ? BUNDLE_KFUNC_RESUMES : 0) |
				 (import->never_returns ? BUNDLE_KFUNC_NEVER_RETURNS : 0));
	kfunc->arg_count = import->arg_count;
	kfunc->result = put_value(import->result);
	for (unsigned int i = 0; i < import->arg_count; i++)
		kfunc->args[i] = put_value(import->args[i]);
}

void bundle_kfunc_get(const struct bundle_kfunc *kfunc, struct jf_import *import)
{
	*import = (struct jf_import){.throws = kfunc->throws != 0,
				     .resumes = (kfunc->flags & BUNDLE_KFUNC_RESUMES) != 0,
				     .never_returns = (kfunc->flags & BUNDLE_KFUNC_NEVER_RETURNS) != 0,
				     .arg_count = kfunc->arg_count};
	import->result = get_value(kfunc->result);
	for (unsigned int i = 0; i < kfunc->arg_count; i++)
		import->args[i] = get_value(kfunc->args[i]);
}
