/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_INPUT_H
#define JF_RUNNER_INPUT_H

#include <stdint.h>

#include <jitframe/compile.h>

#include "run.h"

#define INPUT_SETS_MAX 32

/* The command line. */
struct input {
	const char *batch;   /* requests (batch.h): file, or "fd:N"; NULL: this is one run */
	const char *bundle;  /* file, or "fd:N" */
	const char *target;  /* "loongarch64/user" */
	const char *program; /* NULL: the only one */
	const char *ctx;     /* hexadecimal digits, or "@FILE" */
	const char *packet;  /* the same; NULL: none */
	const char *publish; /* "cfi,gdb"; NULL: nobody */
	const char *publish_folder;
	bool trace;
	int report_fd;                    /* -1: standard output */
	const char *sets[INPUT_SETS_MAX]; /* see values_set() */
	unsigned int set_count;
	const char *dumps[INPUT_SETS_MAX]; /* names of variables and maps */
	unsigned int dump_count;
	struct jf_compile_opts compile;
	struct run_opts run; /* name and ctx are filled in later */
};

/* returns: false after an error record. */
bool input_parse(struct input *input, int argc, char **argv);

/* A whole file or descriptor ("fd:N"). owns: the caller frees *bytes. returns: false after an error
 * record. */
bool input_read(const char *name, uint8_t **bytes, size_t *count);

/* The bytes that an option (--ctx, --packet) stands for, up to `max`. owns: the caller frees *bytes. returns: false
 * after an error record. */
bool input_bytes(const char *option, const char *text, size_t max, uint8_t **bytes, size_t *count);

#endif
