/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "exec.h"

/* EXEC_JITFRAME is the command. */

/* The arguments of `jitframe run`, and the memory of those that are no constants. */
struct line {
	struct command command;
	char object[512], ctx[CTX_DIGITS], threads[16], repeat[16], sets[256], replaced[576];
};

static void add_count(struct command *command, const char *option, unsigned int count, char *digits, size_t capacity)
{
	if (count < 2)
		return;
	snprintf(digits, capacity, "%u", count);
	command_add(command, option);
	command_add(command, digits);
}

static void add_sets(struct line *line, const char *sets)
{
	char *rest = NULL;

	snprintf(line->sets, sizeof(line->sets), "%s", sets != NULL ? sets : "");
	for (char *set = strtok_r(line->sets, " ", &rest); set != NULL; set = strtok_r(NULL, " ", &rest)) {
		command_add(&line->command, "--set");
		command_add(&line->command, set);
	}
}

static void make_line(struct line *line, const struct run *run)
{
	struct command *command = &line->command;

	memset(line, 0, sizeof(*line));
	run_object(run, line->object, sizeof(line->object));
	run_ctx(run, line->ctx);
	command_add(command, EXEC_JITFRAME);
	command_add(command, "run");
	command_add(command, line->object);
	command_add(command, run_program(run));
	command_add(command, run->jit != NULL ? "--jit" : "--target");
	command_add(command, run->jit != NULL ? run->jit : run->target->name);
	command_add(command, "--ctx");
	command_add(command, line->ctx);
	if (run->scenario->packet != NULL) {
		command_add(command, "--packet");
		command_add(command, run->scenario->packet);
	}
	command_add(command, "--json");
	command_add(command, "--check-registers");
	command_add(command, "--publish");
	command_add(command, "cfi");
	if (run_is_traced(run))
		command_add(command, "--trace");
	/* A tree's JIT has these by its configuration. */
	if (run->target->landing_pads && run->jit == NULL)
		command_add(command, "--landing-pads");
	if (run->target->sign_return && run->jit == NULL)
		command_add(command, "--sign-return");
	if (run->scenario->private_stack)
		command_add(command, "--private-stack");
	add_sets(line, run->scenario->sets);
	run_replaced(run, line->replaced, sizeof(line->replaced));
	if (line->replaced[0] != '\0') {
		command_add(command, "--replace");
		command_add(command, line->replaced);
	}
	add_count(command, "--threads", run->scenario->threads, line->threads, sizeof(line->threads));
	add_count(command, "--repeat", run->scenario->repeat, line->repeat, sizeof(line->repeat));
}

void run_command_line(const struct run *run, FILE *file)
{
	struct line line;

	make_line(&line, run);
	for (unsigned int i = 0; i < line.command.argc; i++)
		fprintf(file, "%s%s", i > 0 ? " " : "", line.command.argv[i]);
}

/* A program that ran to its end was told of, every function of it. */
static void check_published(struct run *run)
{
	json_t *cfi = json_array_get(json_object_get(run->json, "published"), 0);
	json_t *refused = json_object_get(cfi, "refused");

	if (json_object_get(run->json, "result") != NULL)
		run_expect(run,
			   json_integer_value(json_object_get(cfi, "ranges")) > 0 && json_is_integer(refused) &&
				   json_integer_value(refused) == 0,
			   "CFI was not published");
}

void run_by_command(struct run *run)
{
	struct line line;

	make_line(&line, run);
	command_run(&line.command);
	run->status = line.command.status;
	run->json = json_loads(line.command.out, 0, NULL);
	run->err = strdup(line.command.err);
	command_fini(&line.command);
	run_check(run);
	check_published(run);
}
