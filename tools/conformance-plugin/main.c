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
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "hex.h"
#include "split.h"

struct request {
	const struct jf_convention *conv;
	uint8_t *memory;
	size_t memory_size;
	bool batch;
};

static int refuse(const char *where, const char *why)
{
	fprintf(stderr, "conformance-plugin: %s%s%s\n", where, *where ? ": " : "", why);
	return 1;
}

/* One argument may be several, or none. */
static bool parse_argument(struct request *request, char *argument, const char **memory, const char **target,
			   bool *wants_target)
{
	if (strncmp(argument, "--", 2) && !*wants_target) {
		if (*memory && argument[strspn(argument, " \t\n")])
			return false;
		*memory = *memory ? *memory : argument;
		return true;
	}
	for (char *word = strtok(argument, " ="); word; word = strtok(NULL, " =")) {
		if (!*wants_target && !strcmp(word, "--batch")) {
			request->batch = true;
			continue;
		}
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
		if (!parse_argument(request, argv[i], &memory, &target, &wants_target))
			return refuse(argv[i], "what is this?");
	if (wants_target)
		return refuse("--target", "which?");
	snprintf(standard, sizeof(standard), "%s/user", host->name);
	if (jf_convention_find(target ? target : standard, &request->conv, &error) != JF_OK)
		return refuse(error.where, error.text);
	if (request->conv->backend != host)
		return refuse(target, "this is a program for another architecture");
	if (memory && request->batch)
		return refuse(memory, "with --batch memory stands in front of each program");
	if (memory && !hex_bytes(memory, &request->memory, &request->memory_size))
		return refuse("memory", "not bytes in hex");
	return 0;
}

static void enter(const struct request *request, const struct jf_loaded *loaded)
{
	uint64_t r0 = request->conv->backend->native->enter(jf_loaded_entry(loaded), (uintptr_t)request->memory,
							    request->memory_size);

	printf("%" PRIx64 "\n", r0);
}

/* In a child, which a program may kill. What an emulator has translated by then the child has too. */
static int enter_apart(const struct request *request, const struct jf_loaded *loaded)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		enter(request, loaded);
		_exit(fflush(stdout) != 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return refuse("program", "there is no process for it");
	if (!WIFSIGNALED(status))
		return status != 0;
	printf("killed by signal %d\n", WTERMSIG(status));
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
	int code = 0;

	if (jf_load(request->conv, &program, NULL, NULL, &loaded, &error) != JF_OK)
		return refuse(error.where, error.text);
	if (request->batch)
		code = enter_apart(request, loaded);
	else
		enter(request, loaded);
	jf_unload(loaded);
	return code;
}

static int take_program(const struct request *request, const char *text)
{
	uint8_t *bytes = NULL;
	struct split split;
	size_t size;
	int code;

	if (!hex_bytes(text, &bytes, &size))
		return refuse("program", "not one line of bytes in hex");
	code = split_program(&split, bytes, size) ? run(request, &split) : refuse("program", split.why);
	split_fini(&split);
	free(bytes);
	return code;
}

static int take_one(const struct request *request)
{
	char *line = NULL;
	size_t capacity = 0;
	int code;

	if (getline(&line, &capacity, stdin) < 0)
		code = refuse("program", "there is none on standard input");
	else
		code = take_program(request, line);
	free(line);
	return code;
}

/* ---- many programs: starting an emulator takes longer than most run ----------------------------------- */

static int take_vector(struct request *request, char *line)
{
	char *program = strchr(line, '|');
	int code;

	if (!program)
		return refuse("vector", "there is no | between memory and program");
	*program++ = '\0';
	if (!hex_bytes(line, &request->memory, &request->memory_size))
		return refuse("memory", "not bytes in hex");
	code = take_program(request, program);
	free(request->memory);
	request->memory = NULL;
	return code;
}

static int take_batch(struct request *request)
{
	char *line = NULL;
	size_t capacity = 0;
	bool told = true;

	while (told && getline(&line, &capacity, stdin) >= 0) {
		if (take_vector(request, line))
			puts("refused");
		told = fflush(stdout) == 0;
	}
	free(line);
	return told ? 0 : refuse("standard output", "cannot be written");
}

int main(int argc, char **argv)
{
	struct request request = {0};
	int code = parse(&request, argc, argv);

	helpers_init();
	if (code == 0)
		code = request.batch ? take_batch(&request) : take_one(&request);
	free(request.memory);
	return code;
}
