/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_RUN_H
#define JF_TOOLS_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli.h"

/* ---- launch.c: the runner as a process ---- */

#define LAUNCH_ARGS_MAX 128

struct launch {
	const struct jf_backend *backend;
	const char *argv[LAUNCH_ARGS_MAX]; /* the runner's own arguments from argv[0] on, ended by NULL */
	unsigned int argc;
	char target[96];            /* for an argument */
	char emulator_variable[64]; /* of the environment: names the emulator */
	const char *input_option;   /* what the runner takes `input` by: "--bundle", or "--batch" */
	const void *input;
	size_t input_size;
	bool stdout_to_stderr; /* standard output belongs to us alone */
};

/* What became of it. */
struct outcome {
	int signal; /* 0: none */
	int status; /* exit status, when there was no signal */
};

/*
 * Finds jf-runner-ARCH, and an emulator where ARCH is not this processor, and starts it with the input.
 * out: *report gives the records; *pid is for launch_wait(). returns: 0, or prints and an exit status.
 */
int launch_start(struct launch *launch, FILE **report, int *pid);
int launch_wait(int pid, struct outcome *outcome);

/* ---- trace.c: what the runner reports ---- */

struct trace;
struct trace *trace_new(bool json);
/* What the lines of a text show, JF_BACKTRACE_ bits; 0 at first. */
void trace_show(struct trace *trace, uint32_t flags);
/* What a list like "registers,source" asks for. out: *flags, added to. returns: false for another word. */
bool trace_parse(const char *list, uint32_t *flags);
void trace_free(struct trace *trace);
/* One record: a line without its newline; the line is cut up. Text comes out at once where it can. */
void trace_record(struct trace *trace, char *line);
/* Prints what is left as text. */
void trace_finish(struct trace *trace);
/* What the runner could not do, or NULL. */
const char *trace_error(const struct trace *trace);
bool trace_has_result(const struct trace *trace);
/* Whether callee-saved registers were reported to be changed. */
bool trace_has_changed_registers(const struct trace *trace);
/* All records as one object; the caller's. */
json_t *trace_json(struct trace *trace);

/* ---- run_job.c: one run, whoever starts the runner ---- */

#define RUN_SETS_MAX 16

struct run_job {
	const char *object, *program; /* no program: the only one of the object */
	const struct jf_convention *conv;
	/* As the runner takes them; NULL: its own choice. */
	const char *ctx, *packet, *repeat, *threads, *indexed_stack, *publish, *publish_folder;
	bool trace, check_registers, landing_pads, sign_return, private_stack;
	const char *sets[RUN_SETS_MAX]; /* VARIABLE=VALUE, MAP[KEY]=VALUE: the runner looks into them */
	unsigned int set_count;
	const char *dumps[RUN_SETS_MAX]; /* names of variables and maps */
	unsigned int dump_count;
	const char *replaces[RUN_SETS_MAX]; /* FUNCTION=OBJECT:PROGRAM */
	unsigned int replace_count;
	char found[1024]; /* the program's name, when it was not given */
};

/* out: *bundle has the program and what it needs, the caller's; job->program is set. returns: 0, or prints and an exit
 * status. */
int run_job_link(struct run_job *job, void **bundle, size_t *size);
/* Adds the runner's arguments for the job. */
void run_job_options(const struct run_job *job, struct launch *launch);
/* Reads records to their end. */
void run_job_records(FILE *report, struct trace *trace);
/* Prints what went wrong. returns: the exit status. */
int run_job_judge(const struct run_job *job, const struct trace *trace, const struct outcome *outcome);
/* All that is known of a run; the caller's. */
json_t *run_job_json(const struct run_job *job, struct trace *trace, const struct outcome *outcome);

/* ---- run_replace.c ---- */

/* Whether the text is FUNCTION=OBJECT:PROGRAM. */
bool run_replace_is_good(const char *text);
/* Puts the programs of --replace into the bundle, which may become another one. returns: 0, or prints and an exit
 * status. */
int run_replace(const struct run_job *job, void **bundle, size_t *size);

#endif
