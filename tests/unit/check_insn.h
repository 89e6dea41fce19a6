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

/* Which instructions of a function `mark` flags so, behind jf_unit_check(): bit per instruction, of at most 32. */
static inline uint32_t marks_of(const struct jf_insn *insns, uint32_t count,
				enum jf_status (*mark)(struct jf_unit *unit), uint8_t flag)
{
	struct jf_insn *copy = malloc(count * sizeof(*copy));
	uint8_t *flags = calloc(count, 1);
	struct jf_function function = {"f", copy, count};
	struct jf_unit unit = {.function = &function, .flags = flags};
	struct jf_usage usage = {0};
	struct jf_error error = {0};
	uint32_t marks = 0;

	memcpy(copy, insns, count * sizeof(*copy));
	CHECK_STATUS(jf_unit_check(NULL, &unit, &usage, &error), JF_OK, "%s", error.text);
	CHECK_STATUS(mark(&unit), JF_OK, "marks");
	for (uint32_t i = 0; i < count; i++)
		marks |= flags[i] & flag ? UINT32_C(1) << i : 0;
	free(copy);
	free(flags);
	return marks;
}

/* CHECK_MARKS(mark, flag, bits, instructions...): an EXIT is added, which reads all of R0. */
#define CHECK_MARKS(mark, flag, wanted, ...)                                                           \
	do {                                                                                           \
		const struct jf_insn insns_[] = {__VA_ARGS__, EXIT};                                   \
		uint32_t marks_ = marks_of(insns_, COUNT_OF(insns_), mark, flag);                      \
                                                                                                       \
		CHECK(marks_ == (wanted), "%x, not %x: %s", marks_, (unsigned)(wanted), #__VA_ARGS__); \
	} while (0)

#endif
