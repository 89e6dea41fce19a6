/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_EXEC_H
#define TESTS_EXEC_H

#include <stdbool.h>
#include <stdint.h>

/* What not every convention can run; a scenario that needs what its target lacks has to be refused. */
enum {
	HAS_PRIVATE_STACK = 1,
	HAS_OUT_ARGS = 2,   /* arguments after the fifth, in registers or on the stack */
	HAS_C_OUT_ARGS = 4, /* such arguments on the stack for C code */
	HAS_ALL = 7,
};

/* A convention that scenarios run on, with options of the compiler. */
struct exec_target {
	const char *name;             /* "loongarch64/user" */
	unsigned int result_bits;     /* of R0 that reach the caller: 64, or 32 with their sign */
	unsigned int stack_max_bytes; /* larger BPF stacks are refused */
	bool landing_pads;
	bool sign_return;
	unsigned int has;     /* HAS_ */
	unsigned int unsaved; /* callee-saved registers that a boundary does not save (R3), of those that C uses */
};

#define EXEC_CTX_WORDS 8

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
	bool private_stack;
	const char *sets;   /* arguments of --set, apart by spaces */
	unsigned int needs; /* HAS_ */
	bool loses;         /* throws through C that uses every register: those unsaved are lost */
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
#define SETS(text)       .sets = text
#define LOSES            .loses = true
#define NEEDS(bits)      .needs = bits
#define PRIVATE_STACK    .private_stack = true, .needs = HAS_PRIVATE_STACK

/* Runs the scenario on the target and asserts what it says. */
void exec_check(const struct exec_target *target, const struct scenario *scenario);

#endif
