/* SPDX-License-Identifier: BSD-2-Clause */
#include "exec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compares what a run gave with its scenario. EXEC_OBJECTS is the folder with the compiled programs. */

#define TRACE_MAX 1024

const struct scenario scenarios[] = {
#define SCENARIO(id, ...) {.name = #id, __VA_ARGS__},
#include "scenarios.def"
};
const unsigned int scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

/* ---- what is run ---------------------------------------------------------------------------------- */

const char *run_program(const struct run *run)
{
	return run->scenario->program != NULL ? run->scenario->program : run->scenario->name;
}

void run_object(const struct run *run, char *path, size_t capacity)
{
	snprintf(path, capacity, EXEC_OBJECTS "/%s-%s.bpf.o", run->scenario->object, run->cpu);
}

void run_replaced(const struct run *run, char *text, size_t capacity)
{
	const char *replace = run->scenario->replace, *equals = replace != NULL ? strchr(replace, '=') : NULL;
	char object[256];

	text[0] = '\0';
	if (equals == NULL)
		return;
	run_object(run, object, sizeof(object));
	snprintf(text, capacity, "%.*s=%s:%s", (int)(equals - replace), replace, object, equals + 1);
}

void run_ctx(const struct run *run, char digits[CTX_DIGITS])
{
	for (unsigned int word = 0; word < EXEC_CTX_WORDS; word++) {
		for (unsigned int byte = 0; byte < 8; byte++, digits += 2)
			sprintf(digits, "%02x", (unsigned int)((uint64_t)run->scenario->ctx[word] >> 8 * byte) & 0xff);
	}
}

bool run_is_traced(const struct run *run)
{
	return run->scenario->threads < 2 && run->scenario->repeat < 2;
}

void run_fini(struct run *run)
{
	json_decref(run->json);
	free(run->err);
}

bool run_expect(struct run *run, bool is_so, const char *fmt, ...)
{
	va_list args;

	if (is_so || run->failure[0] != '\0')
		return is_so;
	va_start(args, fmt);
	vsnprintf(run->failure, sizeof(run->failure), fmt, args);
	va_end(args);
	return false;
}

/* ---- what came out ------------------------------------------------------------------------------ */

static const char *text_at(const json_t *object, const char *first, const char *second)
{
	const char *text = json_string_value(json_object_get(json_object_get(object, first), second));

	return text != NULL ? text : "";
}

/* The bits of R0 that the convention lets through, as its caller sees them. */
static uint64_t expected_result(struct run *run)
{
	uint64_t result = (uint64_t)run->scenario->result;

	return run->target->result_bits == 32 ? (uint64_t)(int64_t)(int32_t)(uint32_t)result : result;
}

static void check_result(struct run *run)
{
	const char *text = text_at(run->json, "result", "r0");
	json_t *checked = json_object_get(json_object_get(run->json, "registers"), "checked");
	json_t *changed = json_object_get(json_object_get(run->json, "registers"), "changed");
	unsigned int lost = run->scenario->loses ? run->target->unsaved : 0;
	uint64_t got, want = expected_result(run);

	run_expect(run, text[0] != '\0', "no result, exit status %d: %s", run->status, run->err);
	got = strtoull(text, NULL, 16);
	run_expect(run, got == want, "gives 0x%" PRIx64 ", not 0x%" PRIx64, got, want);
	run_expect(run, json_integer_value(checked) > 0, "no register was checked");
	run_expect(run, json_integer_value(changed) == lost, "callee-saved registers were changed");
	/* The runner calls changed registers a failure, and is right. */
	run_expect(run, run->status == (lost > 0), "exit status %d: %s", run->status, run->err);
}

static void append(char *text, const char *part)
{
	size_t used = strlen(text);

	snprintf(text + used, TRACE_MAX - used, "%s", part);
}

/* Every frame of the program has an instruction, and a line of its source. */
static void check_lines(struct run *run, const json_t *throw)
{
	const char *file, *slash;
	char wanted[64];
	json_t *frame;
	size_t i;

	snprintf(wanted, sizeof(wanted), "%s.bpf.c", run->scenario->object);
	json_array_foreach(json_object_get(throw, "frames"), i, frame)
	{
		const char *kind = json_string_value(json_object_get(frame, "kind"));

		if (kind == NULL || strcmp(kind, "stub") == 0 || strcmp(kind, "c") == 0)
			continue;
		file = json_string_value(json_object_get(frame, "file"));
		slash = file != NULL ? strrchr(file, '/') : NULL;
		run_expect(run, slash != NULL && strcmp(slash + 1, wanted) == 0, "frame %zu is of %s, not %s", i,
			   file != NULL ? file : "no file", wanted);
		run_expect(run, json_integer_value(json_object_get(frame, "line")) > 0, "frame %zu has no line", i);
		run_expect(run, json_object_get(frame, "insn") != NULL, "frame %zu has no instruction", i);
	}
}

/* One throw as in scenarios.def. Stubs are no frames of the program: not all conventions have them. How many
 * frames of C there are is the compiler's business. */
static void append_throw(char *text, const json_t *throw)
{
	const char *landing = text_at(throw, "landing", "callback");
	json_t *frame;
	size_t i;
	bool first = true;

	json_array_foreach(json_object_get(throw, "frames"), i, frame)
	{
		const char *kind = json_string_value(json_object_get(frame, "kind"));
		const char *name = json_string_value(json_object_get(frame, "name"));

		if (kind == NULL || name == NULL || strcmp(kind, "stub") == 0 || strcmp(kind, "c") == 0)
			continue;
		append(text, first ? "" : " ");
		append(text, kind);
		append(text, ":");
		append(text, name);
		first = false;
	}
	if (landing[0] != '\0') {
		append(text, " -> ");
		append(text, landing);
	}
}

static void check_trace(struct run *run)
{
	const char *want = run->scenario->trace != NULL ? run->scenario->trace : "";
	char got[TRACE_MAX] = "";
	json_t *throw;
	size_t i;

	json_array_foreach(json_object_get(run->json, "throws"), i, throw)
	{
		append(got, i > 0 ? " | " : "");
		append_throw(got, throw);
		check_lines(run, throw);
	}
	run_expect(run, strcmp(got, want) == 0, "the throw went\n  %s\nnot\n  %s", got, want);
}

static void check_failure(struct run *run, int status, const char *text)
{
	run_expect(run, run->status == status, "exit status %d, not %d: %s", run->status, status, run->err);
	run_expect(run, strstr(run->err, text) != NULL, "\"%s\" is not in: %s", text, run->err);
	run_expect(run, text_at(run->json, "result", "r0")[0] == '\0', "there is a result");
}

/* Every guard was looked at after every run. */
static void check_stacks(struct run *run)
{
	json_t *checks = json_object_get(json_object_get(run->json, "private_stacks"), "checks");
	json_t *broken = json_object_get(json_object_get(run->json, "private_stacks"), "broken");
	unsigned int repeat = run->scenario->repeat > 0 ? run->scenario->repeat : 1;
	unsigned int threads = run->scenario->threads > 0 ? run->scenario->threads : 1;

	run_expect(run, json_integer_value(checks) == (json_int_t)repeat * threads, "private stacks were not checked");
	run_expect(run, json_integer_value(broken) == (run->scenario->fails != NULL), "private stacks: %s", run->err);
}

/* returns: what the refusal says when the target lacks something that the scenario needs, or NULL. */
static const char *lack(struct run *run)
{
	unsigned int lacks = run->scenario->needs & ~run->target->has;

	/* Of a tree's code some process can have the processor's memory. */
	if (run->jit != NULL)
		lacks &= ~(unsigned int)RUNS_PRIVATE_STACK;

	if (lacks & RUNS_PRIVATE_STACK)
		return "private_stack";
	if (lacks & RUNS_PER_CPU)
		return run->target->has & EMITS_PER_CPU ? "per-CPU addresses" : "opcode 0xbf";
	if (lacks & RUNS_OUT_ARGS)
		return "out_args";
	return lacks & RUNS_C_OUT_ARGS ? "opcode 0x85" : NULL;
}

void run_check(struct run *run)
{
	const struct scenario *scenario = run->scenario;
	const char *refused = lack(run);

	if (refused == NULL)
		refused = scenario->refused;
	if (refused == NULL && scenario->stack_bytes > run->target->stack_max_bytes)
		refused = "bpf_stack_bytes";
	/* What the command refuses before a runner starts is told in words alone. */
	if (!run_expect(run, (run->json != NULL || refused != NULL) && run->err != NULL, "no JSON, exit status %d: %s",
			run->status, run->err != NULL ? run->err : ""))
		return;
	if (refused != NULL) {
		check_failure(run, 2, refused);
		return;
	}
	if (run_is_traced(run))
		check_trace(run);
	if (scenario->private_stack)
		check_stacks(run);
	if (scenario->fails != NULL) {
		check_failure(run, 1, scenario->fails);
	} else if (scenario->uncaught != NULL) {
		check_failure(run, 1, "nothing caught");
		run_expect(run, strcmp(text_at(run->json, "uncaught", "why"), scenario->uncaught) == 0, "uncaught: %s",
			   text_at(run->json, "uncaught", "why"));
		/* The library's own words, with the frames. */
		run_expect(run,
			   run->err != NULL && strstr(run->err, "nothing catches a BPF exception, cookie ") != NULL &&
				   strstr(run->err, " subprogram ") != NULL,
			   "it says: %s", run->err);
	} else {
		check_result(run);
	}
	if (scenario->says != NULL)
		run_expect(run, strstr(run->err, scenario->says) != NULL, "it says: %s", run->err);
}
