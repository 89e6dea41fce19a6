/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_COMMAND_H
#define JF_TESTS_COMMAND_H

#include <jansson.h>

/* The `jitframe` command under test, which the environment names as JITFRAME. */

struct result {
	int status; /* exit status, or -1 */
	char out[1 << 20];
	char err[4096];
};

extern struct result result; /* of the last call */

/* `arguments` goes through the shell. */
void jitframe(const char *arguments);

/* Runs and parses. wanted: the exit status. */
json_t *jitframe_json(const char *arguments, int wanted);

#endif
