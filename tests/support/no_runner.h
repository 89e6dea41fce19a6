/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_NO_RUNNER_H
#define TESTS_NO_RUNNER_H

#include <stdlib.h>

#include <criterion/criterion.h>

/* In what the tools print when a program of another architecture is not there. */
#define NO_RUNNER "JITFRAME_RUNNER_PATH can name its folder"

/*
 * Ends the test: a program that runs on `arch` is not there. The test fails when JITFRAME_RUNNER_PATH is set, as
 * scripts/test sets it; else nobody said that there are other builds, and the test is skipped.
 */
static inline void no_runner(const char *arch)
{
	if (getenv("JITFRAME_RUNNER_PATH") != NULL)
		cr_assert_fail("no program for %s in JITFRAME_RUNNER_PATH", arch);
	cr_skip_test("no build for %s beside this one: scripts/test makes one; or JITFRAME_RUNNER_PATH can name one",
		     arch);
}

#endif
