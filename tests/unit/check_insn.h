/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_INSN_H
#define JF_TESTS_CHECK_INSN_H

#include "bpf.h"
#include "bpf/unit.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

#define BAD         JF_E_BAD_INSN
#define UNSUPPORTED JF_E_UNSUPPORTED

static const struct jf_import helpers[] = {
	{.name = "h0", .address = 1},
	{.name = "gone"},
	{.name = "h2", .address = 1, .throws = true},
};
static const struct jf_import kfuncs[] = {{.name = "k0", .address = 1}, {.name = NULL}};
static const struct jf_map_ref maps[] = {{1, 1}, {1, 0}, {0, 1}};
static const struct jf_insn just_exit[] = {EXIT};
static const struct jf_function functions[] = {FUNCTION("zero", just_exit), FUNCTION("one", just_exit)};
static const struct jf_program program = {
	.size = sizeof(program),
	.functions = functions,
	.function_count = 2,
	.callback = -1,
	.helpers = helpers,
	.helper_count = 3,
	.kfuncs = kfuncs,
	.kfunc_count = 2,
	.maps = maps,
	.map_count = 3,
};

/* The instructions in memory of exactly their size, for the address sanitizer. */
static inline enum jf_status check(const struct jf_insn *insns, uint32_t count, const struct jf_program *of,
				   struct jf_usage *usage, struct jf_error *error)
{
	struct jf_insn *copy = malloc(count * sizeof(*copy) + !count);
	uint8_t *flags = calloc(count + !count, 1);
	struct jf_function function = {"f", copy, count};
	struct jf_unit unit = {.function = &function, .flags = flags};
	enum jf_status status;

	memcpy(copy, insns, count * sizeof(*copy));
	memset(usage, 0, sizeof(*usage));
	memset(error, 0, sizeof(*error));
	status = jf_unit_check(of, &unit, usage, error);
	free(copy);
	free(flags);
	return status;
}

#endif
