/* SPDX-License-Identifier: BSD-2-Clause */
#include "thrower.h"

#include "../support/load_functions.h"

#include <stdio.h>
#include <stdlib.h>

static const struct jf_insn main_insns[] = {
	{0x85, 0x20, 0, 0}, /* call kfunc 0 */
	{0x95, 0x00, 0, 0}, /* exit */
};

struct jf_loaded *thrower_load(uint64_t (*kfunc)(uint64_t))
{
	const struct jf_function function = {"main", main_insns, 2};
	const struct jf_import import = {.name = "kfunc", .address = (uintptr_t)kfunc, .throws = true};
	struct jf_error error = {.text = ""};
	struct jf_loaded *loaded = load_functions(&function, 1, &import, NULL, &error);

	if (!loaded) {
		fprintf(stderr, "%s: %s\n", error.where, error.text);
		exit(1);
	}
	return loaded;
}
