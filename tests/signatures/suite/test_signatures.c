/* SPDX-License-Identifier: BSD-2-Clause */

/* Types of C functions on every architecture: jf-signatures-ARCH, natively or under QEMU. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "command.h"
#include "no_runner.h"
#include "target.h"

struct arch {
	char name[32];
};

static const char *const archs[] = {SIGNATURES_ARCHS};
#define ARCH_COUNT (sizeof(archs) / sizeof(archs[0]))

ParameterizedTestParameters(signatures, agree_with_c)
{
	struct arch *all = cr_calloc(ARCH_COUNT, sizeof(*all));

	for (size_t i = 0; i < ARCH_COUNT; i++)
		snprintf(all[i].name, sizeof(all[i].name), "%s", archs[i]);
	return cr_make_param_array(struct arch, all, ARCH_COUNT);
}

ParameterizedTest(struct arch *arch, signatures, agree_with_c, .timeout = 250)
{
	static struct target target;
	struct command command = {0};

	if (!target_find(&target, arch->name, "jf-signatures", "tests/signatures"))
		no_runner(arch->name);
	command.argc = target_words(&target, command.argv, 16);
	command_run(&command);
	cr_assert_eq(command.status, 0, "exit status %d:\n%s", command.status, command.err);
	command_fini(&command);
}
