/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SUPPORT_LOAD_FUNCTIONS_H
#define JF_TESTS_SUPPORT_LOAD_FUNCTIONS_H

#include <jitframe/jitframe.h>
#include <stdio.h>

/* Loads functions that may call one kfunc, in this host's convention `user`. in: opts, error may be NULL. returns: NULL
 * when they do not load. */
static inline struct jf_loaded *load_functions(const struct jf_function *functions, uint32_t count,
					       const struct jf_import *kfunc, const struct jf_compile_opts *opts,
					       struct jf_error *error)
{
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = count,
		.callback = -1,
		.kfuncs = kfunc,
		.kfunc_count = 1,
	};
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_loaded *loaded = NULL;
	char target[64];

	snprintf(target, sizeof(target), "%s/user", host ? host->name : "");
	if (jf_convention_find(target, &conv, error) != JF_OK ||
	    jf_load(conv, &program, opts, NULL, &loaded, error) != JF_OK)
		return NULL;
	return loaded;
}

#endif
