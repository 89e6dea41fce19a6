/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_EXEC_H
#define TESTS_EXEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jitframe/status.h>

#include "arch.h"

/* What is run on every architecture, and how results are compared: by one runner for a convention (batch.c),
 * and by the `jitframe` command as its users do (by_command.c). */

#define EXEC_CTX_WORDS 11

/* One line of scenarios.def. A field that is not given is 0 or NULL. */
struct scenario {
	const char *name;
	const char *object;
	const char *program; /* NULL: the one of the scenario's name */
	int64_t ctx[EXEC_CTX_WORDS];
	int64_t result;
	const char *uncaught;     /* JF_E_ name: the throw that nothing catches ends the process */
	const char *fails;        /* what the message says when the run cannot end well */
	const char *refused;      /* what the message says when it cannot start */
	const char *trace;        /* NULL: nothing is thrown */
	const char *says;         /* what the program writes to standard error */
	const char *cpus;         /* versions of the instruction set, apart by spaces; NULL: v3 */
	unsigned int stack_bytes; /* BPF stack of its largest function, when over 512 */
	unsigned int threads;     /* 0: one */
	unsigned int repeat;      /* 0: once. Traces are looked at only of a single run */
	unsigned int seconds;     /* that a run may take; 0: plenty */
	bool private_stack;
	bool by_command;     /* run it by the `jitframe` command once more */
	const char *packet;  /* argument of --packet; NULL: none */
	const char *sets;    /* arguments of --set, apart by spaces */
	const char *replace; /* FUNCTION=PROGRAM, the program of the same object: --replace; NULL: none */
	unsigned int needs;  /* RUNS_ */
	bool loses;          /* throws through C that uses every register: those unsaved are lost */
	const char *ours;    /* why it is not run on the code of a kernel's JIT; NULL: it is */
};

#define OBJECT(text)     .object = text
#define PROGRAM(text)    .program = text
#define CTX(...)         .ctx = {__VA_ARGS__}
#define GIVES(value)     .result = (int64_t)(value)
#define UNCAUGHT(status) .uncaught = status
#define FAILS(text)      .fails = text
#define REFUSED(text)    .refused = text
#define TRACE(text)      .trace = text
#define SAYS(text)       .says = text
#define EVERY_CPU        .cpus = "v1 v2 v3 v4"
#define CPU4             .cpus = "v4"
#define STACK(bytes)     .stack_bytes = bytes
#define THREADS(count)   .threads = count
#define REPEAT(count)    .repeat = count
#define SECONDS(count)   .seconds = count
#define BY_COMMAND       .by_command = true
#define SETS(text)       .sets = text
#define PACKET(text)     .packet = text
#define REPLACE(text)    .replace = text
#define LOSES            .loses = true
#define NEEDS(bits)      .needs = bits
#define OURS(why)        .ours = why
#define PRIVATE_STACK    .private_stack = true, .needs = RUNS_PRIVATE_STACK

extern const struct scenario scenarios[];
extern const unsigned int scenario_count;

/* One run of one scenario. */
struct run {
	const struct exec_target *target;
	const struct scenario *scenario;
	char cpu[8];
	const char *jit; /* folder of a kernel tree's JIT, which is to make the code; NULL: the library is */

	/* What came out, as `jitframe run --json` has it. */
	int status;   /* exit status */
	json_t *json; /* NULL: none */
	char *err;    /* standard error; NULL: nothing */

	char failure[2048]; /* what is wrong about that; "": nothing */
};

const char *run_program(const struct run *run);
/* The file: NAME-CPU.bpf.o. */
void run_object(const struct run *run, char *path, size_t capacity);
/* The argument of --replace; "": none. */
void run_replaced(const struct run *run, char *text, size_t capacity);
/* The context's bytes as hexadecimal digits. */
#define CTX_DIGITS (2 * 8 * EXEC_CTX_WORDS + 1)
void run_ctx(const struct run *run, char digits[CTX_DIGITS]);
/* Traces of many runs are long, and those of several threads in no order. */
bool run_is_traced(const struct run *run);
/* Adds to the failure; the first one counts. returns: is_so. */
bool run_expect(struct run *run, bool is_so, const char *fmt, ...) JF_PRINTF(3, 4);
/* Compares what came out with the scenario. */
void run_check(struct run *run);
void run_fini(struct run *run);

/* ---- batch.c: by one runner ---- */

/* Runs all, in order, on the target that all have. in: done = is called for each as it ends, checked. */
void batch_runs(struct run *runs, size_t count, void (*done)(struct run *run));
/* Deletes what batches have left. */
void batch_fini(void);

/* ---- by_command.c ---- */

/* The command line that does it, for a person to type. */
void run_command_line(const struct run *run, FILE *file);
/* Does it by the command; it is checked then. */
void run_by_command(struct run *run);

#endif
