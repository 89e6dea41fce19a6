/* SPDX-License-Identifier: BSD-2-Clause */

/* A storm of a few seconds on every architecture: jf-storm-ARCH on each convention. scripts/storm has longer ones. */

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>

#include "command.h"
#include "no_runner.h"
#include "platforms.h"
#include "target.h"

#define CONVENTIONS_MAX 32

struct one {
	char arch[32];
	char target[48];
	bool one_insn; /* interrupted at every instruction; else an emulator may look at signals where it likes */
};

static const char *const archs[] = {STORM_ARCHS};
#define ARCH_COUNT (sizeof(archs) / sizeof(archs[0]))

static void set(struct one *one, const struct jf_convention *conv, bool one_insn)
{
	snprintf(one->arch, sizeof(one->arch), "%s", conv->backend->name);
	snprintf(one->target, sizeof(one->target), "%s/%s", conv->backend->name, conv->name);
	one->one_insn = one_insn;
}

ParameterizedTestParameters(storm, every_walk_reaches_the_bottom)
{
	struct one *all = cr_calloc(2 * CONVENTIONS_MAX, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < ARCH_COUNT; i++) {
		const struct jf_backend *backend = jf_backend_find(archs[i]);

		for (unsigned int c = 0; backend && c < backend->convention_count && n < 2 * CONVENTIONS_MAX - 1; c++) {
			if (!jf_convention_supports(backend->conventions[c], JF_CAP_RUN))
				continue;
			set(&all[n++], backend->conventions[c], false);
			if (backend != jf_backend_host())
				set(&all[n++], backend->conventions[c], true);
		}
	}
	return cr_make_param_array(struct one, all, n);
}

/* Most dynamic linkers have no true rows where they bind at the first call. */
static bool binds_lazily_with_rows(const char *arch)
{
	for (size_t i = 0; i < sizeof(platform_lines) / sizeof(platform_lines[0]); i++) {
		const struct platform_line *line = &platform_lines[i];

		if (strcmp(line->arch, arch) == 0 && strcmp(line->key, "lazy_binding_rows") == 0)
			return strcmp(line->value, "yes") == 0;
	}
	return false;
}

ParameterizedTest(struct one *one, storm, every_walk_reaches_the_bottom, .timeout = 300)
{
	static struct target target;
	struct command command = {0};

	if (!target_find(&target, one->arch, "jf-storm", "tests/storm"))
		no_runner(one->arch);
	if (!binds_lazily_with_rows(one->arch))
		setenv("LD_BIND_NOW", "1", 1);
	if (one->one_insn)
		setenv("QEMU_ONE_INSN_PER_TB", "1", 1);
	command.argc = target_words(&target, command.argv, 16);
	command_add(&command, "--target");
	command_add(&command, one->target);
	command_add(&command, "--seconds");
	command_add(&command, "2");
	command_run(&command);
	cr_assert_eq(command.status, 0, "%s: exit status %d:\n%s%s", one->target, command.status, command.out,
		     command.err);
	cr_assert(strstr(command.out, "done "), "%s", command.out);
	command_fini(&command);
}
