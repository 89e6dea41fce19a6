/* SPDX-License-Identifier: BSD-2-Clause */
#include "thrower.h"

#include <stdio.h>
#include <stdlib.h>

static const struct jf_insn main_insns[] = {
	{0x85, 0x20, 0, 0}, /* call kfunc 0 */
	{0x95, 0x00, 0, 0}, /* exit */
};

struct jf_loaded *thrower_load(uint64_t (*kfunc)(uint64_t))
{
	const struct jf_function functions[] = {{"main", main_insns, 2}};
	const struct jf_import kfuncs[] = {{.name = "kfunc", .address = (uintptr_t)kfunc, .throws = true}};
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = 1,
		.callback = -1,
		.kfuncs = kfuncs,
		.kfunc_count = 1,
	};
	const struct jf_backend *host = jf_backend_host();
	struct jf_error error = {.text = "there is no backend for this host"};
	const struct jf_convention *conv;
	struct jf_loaded *loaded;
	char target[64];

	snprintf(target, sizeof(target), "%s/user", host ? host->name : "");
	if (!host || jf_convention_find(target, &conv, &error) != JF_OK ||
	    jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		fprintf(stderr, "%s: %s\n", error.where, error.text);
		exit(1);
	}
	return loaded;
}
