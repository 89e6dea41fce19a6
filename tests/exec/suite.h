/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_EXEC_SUITE_H
#define TESTS_EXEC_SUITE_H

/*
 * For a file that makes Criterion tests of scenarios.def: a suite per convention, a test per scenario.
 * It defines SUITE and TARGET, includes scenarios.def, and so on for the next convention.
 */

#include <criterion/criterion.h>

#include "exec.h"

#define SCENARIO(id, ...)                                                                \
	Test(SUITE, id, .timeout = 300)                                                  \
	{                                                                                \
		exec_check(&TARGET, &(const struct scenario){.name = #id, __VA_ARGS__}); \
	}

#endif
