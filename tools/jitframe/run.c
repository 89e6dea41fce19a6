/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "bundle.h"
#include "json.h"

/* jitframe run */

/* Exit statuses of the runner, as its report.h has them. */
enum { RUNNER_OK = 0, RUNNER_FAILED = 1, RUNNER_BAD_INPUT = 2, RUNNER_UNCAUGHT = 3, RUNNER_NOT_STARTED = 127 };

#define SETS_MAX 16

struct args {
	const char *object, *program, *target, *ctx, *repeat, *threads;
	const struct jf_convention *conv;
	bool trace, json, check_registers, landing_pads, sign_return, private_stack;
	const char *sets[SETS_MAX]; /* MAP[INDEX]=PROGRAM: the runner looks into them */
	unsigned int set_count;
	char target_name[96];
	char found[1024]; /* the program's name, when it was not given */
};

static void add_option(struct launch *launch, const char *name, const char *value)
{
	launch->argv[launch->argc++] = name;
	if (value)
		launch->argv[launch->argc++] = value;
}

static void set_options(struct launch *launch, const struct args *args)
{
	add_option(launch, "--target", args->target_name);
	if (args->program)
		add_option(launch, "--program", args->program);
	if (args->ctx)
		add_option(launch, "--ctx", args->ctx);
	if (args->repeat)
		add_option(launch, "--repeat", args->repeat);
	if (args->threads)
		add_option(launch, "--threads", args->threads);
	if (args->trace)
		add_option(launch, "--trace", NULL);
	if (args->check_registers)
		add_option(launch, "--check-registers", NULL);
	if (args->landing_pads)
		add_option(launch, "--landing-pads", NULL);
	if (args->sign_return)
		add_option(launch, "--sign-return", NULL);
	if (args->private_stack)
		add_option(launch, "--private-stack", NULL);
	for (unsigned int i = 0; i < args->set_count; i++)
		add_option(launch, "--set", args->sets[i]);
}

static void read_records(FILE *report, struct trace *trace)
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

/* Says what went wrong. returns: the exit status. */
static int judge(const struct args *args, const struct trace *trace, const struct outcome *outcome)
{
	const char *error = trace_error(trace);

	if (error)
		cli_bad_input("%s: %s", args->object, error);
	if (outcome->signal)
		return cli_failed("%s: the program was ended by signal %d (%s)", args->object, outcome->signal,
				  strsignal(outcome->signal));
	switch (outcome->status) {
	case RUNNER_OK: return trace_has_result(trace) ? 0 : cli_failed("%s: the runner gave no result", args->object);
	case RUNNER_BAD_INPUT: return error ? CLI_BAD_INPUT : cli_failed("the runner failed");
	case RUNNER_FAILED:
		return error ? CLI_FAILED : cli_failed("%s: callee-saved registers were changed", args->object);
	case RUNNER_UNCAUGHT: return error ? CLI_FAILED : cli_failed("%s: nothing caught a throw", args->object);
	case RUNNER_NOT_STARTED: return CLI_FAILED;
	default: return cli_failed("%s: the runner ended with status %d", args->object, outcome->status);
	}
}

static int print_json(const struct args *args, struct trace *trace, const struct outcome *outcome)
{
	json_t *all = json_pack("{s:o, s:s}", "object", json_text(args->object), "target", args->target_name);

	json_object_update_new(all, trace_json(trace));
	if (outcome->signal)
		json_object_set_new(all, "signal", json_integer(outcome->signal));
	return json_print(all);
}

static int run_bundle(const struct args *args, const void *bundle, size_t size)
{
	struct launch launch = {.backend = args->conv->backend, .bundle = bundle, .bundle_size = size};
	struct trace *trace = trace_new(args->json);
	struct outcome outcome;
	FILE *report;
	int status, pid;

	if (!trace)
		return cli_failed("no memory");
	launch.stdout_to_stderr = args->json;
	set_options(&launch, args);
	status = launch_start(&launch, &report, &pid);
	if (status == 0) {
		read_records(report, trace);
		fclose(report);
		status = launch_wait(pid, &outcome);
	}
	if (status == 0 && args->json)
		status = print_json(args, trace, &outcome);
	else if (status == 0)
		trace_finish(trace);
	if (status == 0)
		status = judge(args, trace, &outcome);
	trace_free(trace);
	return status;
}

/* out: args->program, when there is but one. "" makes the linker link what it can. */
static int find_program(struct args *args)
{
	struct jf_error error = {0};
	struct bundle opened;
	void *bundle = NULL;
	uint32_t index;
	size_t size;
	int status = cli_link(args->object, "", &bundle, &size);

	if (status != 0)
		return status;
	if (bundle_open(&opened, bundle, size, &error) != JF_OK ||
	    bundle_find(&opened, args->program, &index, &error) != JF_OK) {
		status = cli_error(args->object, NULL, &error);
	} else {
		if (!args->program) {
			snprintf(args->found, sizeof(args->found), "%s", opened.strings + opened.programs[index].name);
			args->program = args->found;
		}
	}
	free(bundle);
	return status;
}

static int run_object(struct args *args)
{
	void *bundle = NULL;
	size_t size;
	int status = find_program(args);

	if (status == 0)
		status = cli_link(args->object, args->program, &bundle, &size);
	if (status != 0)
		return status;
	status = run_bundle(args, bundle, size);
	free(bundle);
	return status;
}

/* The runner takes these as they are, so they are looked at here, where usage is explained. */
static const char *checked_count(const char *option, const char *text, uint64_t max, struct argp_state *state)
{
	uint64_t count;

	if (!cli_number(text, 10, max, &count) || count == 0)
		argp_error(state, "%s %s: not a number from 1 to %llu", option, text, (unsigned long long)max);
	return text;
}

enum { KEY_LANDING_PADS = 0x300, KEY_SIGN_RETURN, KEY_PRIVATE_STACK, KEY_SET };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 't': args->target = arg; return 0;
	case 'c': args->ctx = arg; return 0;
	case 'T': args->trace = true; return 0;
	case 'j': args->json = true; return 0;
	case 'n': args->repeat = checked_count("--repeat", arg, 100000000, state); return 0;
	case 'p': args->threads = checked_count("--threads", arg, 1024, state); return 0;
	case 'R': args->check_registers = true; return 0;
	case KEY_LANDING_PADS: args->landing_pads = true; return 0;
	case KEY_SIGN_RETURN: args->sign_return = true; return 0;
	case KEY_PRIVATE_STACK: args->private_stack = true; return 0;
	case KEY_SET:
		if (args->set_count == SETS_MAX)
			argp_error(state, "--set %s: more than %d", arg, SETS_MAX);
		args->sets[args->set_count++] = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			args->object = arg;
		else if (state->arg_num == 1)
			args->program = arg;
		else
			argp_error(state, "unexpected argument %s", arg);
		return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "which OBJECT?"); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

int cmd_run(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"target", 't', "ARCH/CONVENTION", 0, "what to run on (default: this processor's user convention)", 0},
		{"ctx", 'c', "HEX|@FILE", 0, "bytes of the context that the program gets", 0},
		{"trace", 'T', NULL, 0, "show the frames that each throw walked", 0},
		{"repeat", 'n', "N", 0, "run it so often; all results have to agree", 0},
		{"threads", 'p', "N", 0, "on so many threads at once", 0},
		{"check-registers", 'R', NULL, 0, "look whether every callee-saved register is kept", 0},
		{"landing-pads", KEY_LANDING_PADS, NULL, 0, "ENDBR64 or BTI at indirect entries", 0},
		{"sign-return", KEY_SIGN_RETURN, NULL, 0, "sign return addresses (PAC)", 0},
		{"private-stack", KEY_PRIVATE_STACK, NULL, 0, "BPF stacks outside the machine stack, with guards", 0},
		{"set", KEY_SET, "MAP[INDEX]=PROGRAM", 0, "put a program into a program array first; repeatable", 0},
		{"json", 'j', NULL, 0, "print JSON; what the program prints goes to standard error", 0},
		{0},
	};
	static const struct argp argp = {
		options,
		parse,
		"OBJECT [PROGRAM]",
		"Runs a BPF program of an object file, under QEMU where it is not for this processor, and "
		"prints R0."
		"\vEnvironment: JITFRAME_RUNNER_PATH, folders with jf-runner-ARCH, apart by colons; "
		"JITFRAME_QEMU_ARCH, the emulator's command, for instance \"qemu-ARCH -L FOLDER\".",
		NULL,
		NULL,
		NULL,
	};
	struct args args = {0};
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	status = cli_convention(args.target, &args.conv);
	if (status != 0)
		return status;
	snprintf(args.target_name, sizeof(args.target_name), "%s/%s", args.conv->backend->name, args.conv->name);
	return run_object(&args);
}
