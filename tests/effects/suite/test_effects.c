/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What decoders say against what the processor does: jf-effects-ARCH, a short run. The seed is fixed, so that a
 * failure here fails again; scripts/decode takes others, and many more.
 */

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "no_runner.h"
#include "target.h"

#define COUNT "40000"

struct one {
	char arch[32];
};

ParameterizedTestParameters(effects, are_as_decoded)
{
	static struct one all[] = {{EFFECTS_ARCHS}};

	return cr_make_param_array(struct one, all, sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct one *one, effects, are_as_decoded, .timeout = 300)
{
	static struct target target;
	struct command command = {0};
	unsigned long words = 0, names = 0, signals = 0, first = 0, second = 0;
	const char *last;

	/* All extensions that an emulator has. */
	setenv("QEMU_CPU", "max", 0);
	if (!target_find(&target, one->arch, "jf-effects", "tests/effects"))
		no_runner(one->arch);
	command.argc = target_words(&target, command.argv, 16);
	command_add(&command, "--count");
	command_add(&command, COUNT);
	command_run(&command);
	cr_assert_eq(command.status, 0, "exit status %d:\n%s%s", command.status, command.err, command.out);
	last = strstr(command.out, "done ");
	cr_assert(last && sscanf(last, "done words=%lu names=%lu signals=%lu illegal=%*u first=%lu second=%lu", &words,
				 &names, &signals, &first, &second) == 5,
		  "%s", command.out);
	/* Few are left out: those of extensions that the processor lacks, and of checks that trap. */
	cr_assert(words > 15000 && names > 200 && signals < words / 5, "%s", last);
	/* Choices go both ways. */
	cr_assert(first > 100 && second > 100, "%s", last);
	command_fini(&command);
}
