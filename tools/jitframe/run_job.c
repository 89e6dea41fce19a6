/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "json.h"
#include "run.h"

/* One run, whoever starts the runner: what goes there, and what is made of what comes back. */

/* Exit statuses of the runner, as its report.h has them. */
enum { RUNNER_OK = 0, RUNNER_FAILED = 1, RUNNER_BAD_INPUT = 2, RUNNER_UNCAUGHT = 3, RUNNER_NOT_STARTED = 127 };

/* ---- what goes there ---------------------------------------------------------------------------- */

static bool is_program_array(const struct bundle *bundle, const char *name, size_t length)
{
	for (uint32_t i = 0; i < bundle->count[BUNDLE_MAPS]; i++) {
		const char *other = bundle->strings + bundle->maps[i].name;

		if (bundle->maps[i].type == BUNDLE_TYPE_PROG_ARRAY && strlen(other) == length &&
		    strncmp(other, name, length) == 0)
			return true;
	}
	return false;
}

/* MAP[INDEX]=PROGRAM; the rest of the form, and other values, are the runner's to judge. */
static int check_set(const struct run_job *job, const struct bundle *bundle, const char *set)
{
	const char *program = strchr(set, '=');
	uint32_t index;

	return program && is_program_array(bundle, set, strcspn(set, "[=")) ?
		       cli_program(job->object, bundle, program + 1, &index) :
		       0;
}

/* out: job->program, when there is but one. "" makes the linker link what it can. */
static int find_program(struct run_job *job)
{
	struct jf_error error = {0};
	struct bundle opened;
	void *bundle = NULL;
	uint32_t index = 0;
	size_t size;
	int status = cli_link(job->object, "", &bundle, &size);

	if (status != 0)
		return status;
	if (bundle_open(&opened, bundle, size, &error) != JF_OK)
		status = cli_error(job->object, NULL, &error);
	else
		status = cli_program(job->object, &opened, job->program, &index);
	for (unsigned int i = 0; status == 0 && i < job->set_count; i++)
		status = check_set(job, &opened, job->sets[i]);
	if (status == 0 && !job->program) {
		snprintf(job->found, sizeof(job->found), "%s", opened.strings + opened.programs[index].name);
		job->program = job->found;
	}
	free(bundle);
	return status;
}

int run_job_link(struct run_job *job, void **bundle, size_t *size)
{
	int status = find_program(job);

	if (status == 0)
		status = cli_link(job->object, job->program, bundle, size);
	return status == 0 ? run_replace(job, bundle, size) : status;
}

static void add_option(struct launch *launch, const char *name, const char *value)
{
	launch->argv[launch->argc++] = name;
	if (value)
		launch->argv[launch->argc++] = value;
}

void run_job_options(const struct run_job *job, struct launch *launch)
{
	snprintf(launch->target, sizeof(launch->target), "%s/%s", job->conv->backend->name, job->conv->name);
	add_option(launch, "--target", launch->target);
	if (job->program)
		add_option(launch, "--program", job->program);
	if (job->ctx)
		add_option(launch, "--ctx", job->ctx);
	if (job->packet)
		add_option(launch, "--packet", job->packet);
	if (job->repeat)
		add_option(launch, "--repeat", job->repeat);
	if (job->threads)
		add_option(launch, "--threads", job->threads);
	if (job->indexed_stack)
		add_option(launch, "--indexed-stack", job->indexed_stack);
	if (job->publish)
		add_option(launch, "--publish", job->publish);
	if (job->publish_folder)
		add_option(launch, "--publish-folder", job->publish_folder);
	if (job->trace)
		add_option(launch, "--trace", NULL);
	if (job->check_registers)
		add_option(launch, "--check-registers", NULL);
	if (job->landing_pads)
		add_option(launch, "--landing-pads", NULL);
	if (job->sign_return)
		add_option(launch, "--sign-return", NULL);
	if (job->private_stack)
		add_option(launch, "--private-stack", NULL);
	for (unsigned int i = 0; i < job->set_count; i++)
		add_option(launch, "--set", job->sets[i]);
	for (unsigned int i = 0; i < job->dump_count; i++)
		add_option(launch, "--dump", job->dumps[i]);
}

/* ---- what comes back ---------------------------------------------------------------------------- */

void run_job_records(FILE *report, struct trace *trace)
{
	size_t capacity = 0;
	char *line = NULL;
	ssize_t length;

	while ((length = getline(&line, &capacity, report)) >= 0) {
		if (length > 0 && line[length - 1] == '\n')
			line[length - 1] = '\0';
		trace_record(trace, line);
	}
	free(line);
}

int run_job_judge(const struct run_job *job, const struct trace *trace, const struct outcome *outcome)
{
	const char *error = trace_error(trace);

	if (error)
		cli_bad_input("%s: %s", job->object, error);
	if (outcome->signal)
		return cli_failed("%s: the program was ended by signal %d (%s)", job->object, outcome->signal,
				  strsignal(outcome->signal));
	switch (outcome->status) {
	case RUNNER_OK: return trace_has_result(trace) ? 0 : cli_failed("%s: the runner gave no result", job->object);
	case RUNNER_BAD_INPUT: return error ? CLI_BAD_INPUT : cli_failed("the runner failed");
	case RUNNER_FAILED:
		if (!error && !trace_has_changed_registers(trace))
			break;
		return error ? CLI_FAILED : cli_failed("%s: callee-saved registers were changed", job->object);
	case RUNNER_UNCAUGHT: return error ? CLI_FAILED : cli_failed("%s: nothing caught a throw", job->object);
	case RUNNER_NOT_STARTED: return CLI_FAILED;
	}
	return cli_failed("%s: the runner ended with status %d, and has not said why", job->object, outcome->status);
}

json_t *run_job_json(const struct run_job *job, struct trace *trace, const struct outcome *outcome)
{
	json_t *all, *target = json_sprintf("%s/%s", job->conv->backend->name, job->conv->name);

	all = json_pack("{s:o, s:o}", "object", json_text(job->object), "target", target);
	json_object_update_new(all, trace_json(trace));
	if (outcome->signal)
		json_object_set_new(all, "signal", json_integer(outcome->signal));
	return all;
}
