/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <jitframe/backtrace.h>
#include <jitframe/publish.h>

#include "json.h"
#include "kernel_jit.h"

/* jitframe run */

struct args {
	struct run_job job;
	const char *target;
	bool json;
	uint32_t show;          /* JF_BACKTRACE_ bits */
	const char *jit_folder; /* NULL: ours compiles */
	struct kernel_jit jit;
};

static json_t *run_json(const struct args *args, struct trace *trace, const struct outcome *outcome)
{
	json_t *all = run_job_json(&args->job, trace, outcome);

	if (args->jit_folder)
		json_object_set_new(all, "jit", kernel_jit_json(&args->jit));
	return all;
}

static int run_bundle(const struct args *args, const void *bundle, size_t size)
{
	const struct run_job *job = &args->job;
	struct launch launch = {
		.backend = job->conv->backend, .input_option = "--bundle", .input = bundle, .input_size = size};
	struct trace *trace = trace_new(args->json);
	struct outcome outcome;
	FILE *report;
	int status, pid;

	if (!trace)
		return cli_failed("no memory");
	trace_show(trace, args->show);
	launch.stdout_to_stderr = args->json;
	run_job_options(job, &launch);
	status = launch_start(&launch, &report, &pid);
	if (status == 0) {
		run_job_records(report, trace);
		fclose(report);
		status = launch_wait(pid, &outcome);
	}
	if (status == 0 && args->json)
		status = json_print(run_json(args, trace, &outcome));
	else if (status == 0)
		trace_finish(trace);
	if (status == 0)
		status = run_job_judge(job, trace, &outcome);
	trace_free(trace);
	return status;
}

static int run_object(struct args *args)
{
	void *bundle = NULL;
	size_t size;
	int status = run_job_link(&args->job, &bundle, &size);

	if (status == 0 && args->jit_folder)
		status = kernel_run_add(&args->jit, &args->job, &bundle, &size);
	if (status == 0)
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

static const char *checked_consumers(const char *text, struct argp_state *state)
{
	struct jf_error error;
	uint32_t consumers;

	if (jf_publish_parse(text, &consumers, &error) != JF_OK)
		argp_error(state, "--publish %s: %s%s%s", text, error.where, error.where[0] ? ": " : "", error.text);
	return text;
}

static void add_word(const char *option, const char *text, const char **list, unsigned int *count,
		     struct argp_state *state)
{
	if (*count == RUN_SETS_MAX)
		argp_error(state, "%s %s: more than %d", option, text, RUN_SETS_MAX);
	list[(*count)++] = text;
}

enum {
	KEY_LANDING_PADS = 0x300,
	KEY_SIGN_RETURN,
	KEY_PRIVATE_STACK,
	KEY_INDEXED_STACK,
	KEY_PACKET,
	KEY_REPLACE,
	KEY_SET,
	KEY_DUMP,
	KEY_SHOW,
	KEY_JIT,
	KEY_PUBLISH,
	KEY_PUBLISH_FOLDER
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 't': args->target = arg; return 0;
	case 'c': args->job.ctx = arg; return 0;
	case 'T': args->job.trace = true; return 0;
	case KEY_SHOW:
		args->job.trace = true;
		if (!trace_parse(arg, &args->show))
			argp_error(state, "--show %s: addresses, registers, source or all, apart by commas", arg);
		return 0;
	case 'j': args->json = true; return 0;
	case 'n': args->job.repeat = checked_count("--repeat", arg, 100000000, state); return 0;
	case 'p': args->job.threads = checked_count("--threads", arg, 1024, state); return 0;
	case 'R': args->job.check_registers = true; return 0;
	case KEY_LANDING_PADS: args->job.landing_pads = true; return 0;
	case KEY_SIGN_RETURN: args->job.sign_return = true; return 0;
	case KEY_PRIVATE_STACK: args->job.private_stack = true; return 0;
	case KEY_INDEXED_STACK:
		args->job.indexed_stack = checked_count("--indexed-stack", arg, CLI_STACK_BYTES_MAX, state);
		return 0;
	case KEY_PACKET: args->job.packet = arg; return 0;
	case KEY_JIT: args->jit_folder = arg; return 0;
	case KEY_PUBLISH: args->job.publish = checked_consumers(arg, state); return 0;
	case KEY_PUBLISH_FOLDER: args->job.publish_folder = arg; return 0;
	case KEY_REPLACE:
		if (!run_replace_is_good(arg))
			argp_error(state, "--replace %s: not FUNCTION=OBJECT:PROGRAM", arg);
		add_word("--replace", arg, args->job.replaces, &args->job.replace_count, state);
		return 0;
	case KEY_SET: add_word("--set", arg, args->job.sets, &args->job.set_count, state); return 0;
	case KEY_DUMP: add_word("--dump", arg, args->job.dumps, &args->job.dump_count, state); return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			args->job.object = arg;
		else if (state->arg_num == 1)
			args->job.program = arg;
		else
			argp_error(state, "unexpected argument %s", arg);
		return 0;
	case ARGP_KEY_END:
		if (args->jit_folder && (args->job.landing_pads || args->job.sign_return))
			argp_error(state, "--jit: landing pads and signed returns are the JIT's own: see --config of "
					  "scripts/kernel-jit");
		if (args->jit_folder && (args->job.replace_count || args->job.indexed_stack))
			argp_error(state,
				   "--jit: the JIT's code is as it is; --replace and --indexed-stack are about ours");
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
		{"packet", KEY_PACKET, "HEX|@FILE", 0, "the packet that a program of xdp, tc or their kin gets", 0},
		{"trace", 'T', NULL, 0, "show the frames that each throw walked", 0},
		{"show", KEY_SHOW, "WHAT", 0, "trace, and more of each frame: addresses, registers, source or all", 0},
		{"repeat", 'n', "N", 0, "run it so often; all results have to agree", 0},
		{"threads", 'p', "N", 0, "on so many threads at once", 0},
		{"check-registers", 'R', NULL, 0, "look whether every callee-saved register is kept", 0},
		{"landing-pads", KEY_LANDING_PADS, NULL, 0, "ENDBR64 or BTI at indirect entries", 0},
		{"sign-return", KEY_SIGN_RETURN, NULL, 0, "sign return addresses (PAC)", 0},
		{"private-stack", KEY_PRIVATE_STACK, NULL, 0, "BPF stacks outside the machine stack, with guards", 0},
		{"indexed-stack", KEY_INDEXED_STACK, "BYTES", 0, CLI_INDEXED_STACK_DOC, 0},
		{"replace", KEY_REPLACE, "FUNCTION=OBJECT:PROGRAM", 0,
		 "put a program of another object in the place of a function, as freplace does; repeatable", 0},
		{"set", KEY_SET, "NAME=VALUE", 0,
		 "set a variable first, or with NAME[KEY] an element of a map, to a number, to hex: and bytes, or in a "
		 "program array to a program; repeatable",
		 0},
		{"dump", KEY_DUMP, "NAME", 0, "print a variable, or the elements of a map, afterwards; repeatable", 0},
		{"jit", KEY_JIT, "FOLDER", 0,
		 "run the code of a kernel's JIT, which scripts/kernel-jit puts there; --target is its ARCH/linux then",
		 0},
		{"publish", KEY_PUBLISH, "NAME,...", 0,
		 "tell others of the code: cfi, gdb, perf-map, perf-dump, libunwind; perf is both of perf's", 0},
		{"publish-folder", KEY_PUBLISH_FOLDER, "DIR", 0, "where perf's files go (default: /tmp)", 0},
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

	cli_parse(&argp, argc, argv, &args);
	if (args.jit_folder) {
		status = kernel_jit_open(&args.jit, args.jit_folder, args.target, KERNEL_TO_RUN);
		args.job.conv = args.jit.conv;
	} else {
		status = cli_convention(args.target, &args.job.conv);
	}
	return status == 0 ? run_object(&args) : status;
}
