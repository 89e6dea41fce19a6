/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Random programs on every convention, interpreted and compiled: jf-random-ARCH, a short run of each kind.
 * Seeds are fixed, so that a failure here fails again; scripts/random takes others.
 */

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include <jitframe/backend.h>

#include "command.h"
#include "no_runner.h"
#include "target.h"

struct one {
	char arch[32];
	char target[48];
	unsigned int kind;
};

/* Some thousand programs of each, a few seconds in all: long ones take longest, under an emulator. */
static const struct {
	const char *name, *seed, *count, *stride;
} kinds[] = {
	{"single", "0", "0", "31"},
	{"mixed", "1", "5000", "1"},
	{"long", "1", "4", "1"},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const char *const archs[] = {RANDOM_ARCHS};
#define ARCH_COUNT      (sizeof(archs) / sizeof(archs[0]))
#define CONVENTIONS_MAX 8

static size_t add_convention(struct one *all, const struct jf_convention *conv)
{
	for (unsigned int kind = 0; kind < KIND_COUNT; kind++) {
		snprintf(all[kind].arch, sizeof(all[kind].arch), "%s", conv->backend->name);
		snprintf(all[kind].target, sizeof(all[kind].target), "%s/%s", conv->backend->name, conv->name);
		all[kind].kind = kind;
	}
	return KIND_COUNT;
}

ParameterizedTestParameters(random_programs, agree)
{
	struct one *all = cr_calloc(ARCH_COUNT * CONVENTIONS_MAX * KIND_COUNT, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < ARCH_COUNT; i++) {
		const struct jf_backend *backend = jf_backend_find(archs[i]);

		for (unsigned int c = 0; backend && c < backend->convention_count && c < CONVENTIONS_MAX; c++)
			if (jf_convention_supports(backend->conventions[c], JF_CAP_RUN))
				n += add_convention(all + n, backend->conventions[c]);
	}
	return cr_make_param_array(struct one, all, n);
}

ParameterizedTest(struct one *one, random_programs, agree, .timeout = 300)
{
	static struct target target;
	struct command command = {0};

	if (!target_find(&target, one->arch, "jf-random", "tests/random"))
		no_runner(one->arch);
	command.argc = target_words(&target, command.argv, 16);
	command_add(&command, "--target");
	command_add(&command, one->target);
	command_add(&command, "--kind");
	command_add(&command, kinds[one->kind].name);
	command_add(&command, "--seed");
	command_add(&command, kinds[one->kind].seed);
	command_add(&command, "--count");
	command_add(&command, kinds[one->kind].count);
	command_add(&command, "--stride");
	command_add(&command, kinds[one->kind].stride);
	command_run(&command);
	cr_assert_eq(command.status, 0, "exit status %d:\n%s", command.status, command.err);
	cr_assert(strncmp(command.out, "done ", 5) == 0 && strstr(command.out, " refused=0 "), "%s", command.out);
	command_fini(&command);
}
