/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-conformance-ARCH: what conformance-plugin starts (launch.c has the protocol). Runs the program on the
 * processor that it is built for, as compiled code.
 */

#include <inttypes.h>
#include <jitframe/backend.h>
#include <jitframe/load.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "hex.h"
#include "split.h"

struct request {
	const struct jf_convention *conv;
	uint8_t *memory;
	size_t memory_size;
};

static int refuse(const char *where, const char *why)
{
	fprintf(stderr, "conformance-plugin: %s%s%s\n", where, *where ? ": " : "", why);
	return 1;
}

/* One argument may be several, or none. */
static bool parse_argument(char *argument, const char **memory, const char **target, bool *wants_target)
{
	if (strncmp(argument, "--", 2) && !*wants_target) {
		if (*memory && argument[strspn(argument, " \t\n")])
			return false;
		*memory = *memory ? *memory : argument;
		return true;
	}
	for (char *word = strtok(argument, " ="); word; word = strtok(NULL, " =")) {
		if (*wants_target)
			*target = word;
		else if (strcmp(word, "--target"))
			return false;
		*wants_target = !*wants_target;
	}
	return true;
}

static int parse(struct request *request, int argc, char **argv)
{
	const char *memory = NULL, *target = NULL;
	const struct jf_backend *host = jf_backend_host();
	struct jf_error error = {0};
	bool wants_target = false;
	char standard[64];

	for (int i = 1; i < argc; i++)
		if (!parse_argument(argv[i], &memory, &target, &wants_target))
			return refuse(argv[i], "what is this?");
	if (wants_target)
		return refuse("--target", "which?");
	snprintf(standard, sizeof(standard), "%s/user", host->name);
	if (jf_convention_find(target ? target : standard, &request->conv, &error) != JF_OK)
		return refuse(error.where, error.text);
	if (request->conv->backend != host)
		return refuse(target, "this is a program for another architecture");
	if (memory && !hex_bytes(memory, &request->memory, &request->memory_size))
		return refuse("memory", "not bytes in hex");
	return 0;
}

static int run(const struct request *request, const struct split *split)
{
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = split->functions,
		.function_count = split->function_count,
		.callback = -1,
		.helpers = helpers,
		.helper_count = HELPER_COUNT,
		.call_register = helper_by_register,
	};
	struct jf_error error = {0};
	struct jf_loaded *loaded;
	uint64_t r0;

	if (jf_load(request->conv, &program, NULL, NULL, &loaded, &error) != JF_OK)
		return refuse(error.where, error.text);
	r0 = request->conv->backend->native->enter(jf_loaded_entry(loaded), (uintptr_t)request->memory,
						   request->memory_size);
	printf("%" PRIx64 "\n", r0);
	jf_unload(loaded);
	return 0;
}

static int take_program(const struct request *request)
{
	char *line = NULL;
	size_t capacity = 0, size;
	uint8_t *bytes = NULL;
	struct split split;
	int code;

	if (getline(&line, &capacity, stdin) < 0 || !hex_bytes(line, &bytes, &size)) {
		code = refuse("program", "not one line of bytes in hex");
	} else {
		code = split_program(&split, bytes, size) ? run(request, &split) : refuse("program", split.why);
		split_fini(&split);
	}
	free(bytes);
	free(line);
	return code;
}

int main(int argc, char **argv)
{
	struct request request = {0};
	int code = parse(&request, argc, argv);

	helpers_init();
	if (code == 0)
		code = take_program(&request);
	free(request.memory);
	return code;
}
