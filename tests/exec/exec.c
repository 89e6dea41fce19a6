/* SPDX-License-Identifier: BSD-2-Clause */
#include "exec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "command.h"

/*
 * Runs `jitframe run --json` and compares what it prints with the scenario. EXEC_JITFRAME is the
 * command, EXEC_OBJECTS the folder with the compiled programs: NAME-CPU.bpf.o.
 */

#define TRACE_MAX 1024

/* One run of one scenario; `name` starts every message. */
struct run {
	const struct exec_target *target;
	const struct scenario *scenario;
	char name[128];
	char object[512];
	char ctx[2 * 8 * EXEC_CTX_WORDS + 1];
	char threads[16];
	char repeat[16];
	char sets[256];
	struct command command;
	json_t *json;
};

/* ---- the command line -------------------------------------------------------------------------- */

static void ctx_digits(const struct scenario *scenario, char *digits)
{
	for (unsigned int word = 0; word < EXEC_CTX_WORDS; word++) {
		for (unsigned int byte = 0; byte < 8; byte++, digits += 2)
			sprintf(digits, "%02x", (unsigned int)((uint64_t)scenario->ctx[word] >> 8 * byte) & 0xff);
	}
}

/* Traces of many runs are long, and those of several threads in no order. */
static bool is_traced(const struct scenario *scenario)
{
	return scenario->threads < 2 && scenario->repeat < 2;
}

static void add_sets(struct run *run)
{
	char *rest = NULL;

	snprintf(run->sets, sizeof(run->sets), "%s", run->scenario->sets != NULL ? run->scenario->sets : "");
	for (char *set = strtok_r(run->sets, " ", &rest); set != NULL; set = strtok_r(NULL, " ", &rest)) {
		command_add(&run->command, "--set");
		command_add(&run->command, set);
	}
}

static void add_options(struct run *run)
{
	command_add(&run->command, "--json");
	command_add(&run->command, "--check-registers");
	if (is_traced(run->scenario))
		command_add(&run->command, "--trace");
	if (run->target->landing_pads)
		command_add(&run->command, "--landing-pads");
	if (run->target->sign_return)
		command_add(&run->command, "--sign-return");
	if (run->scenario->private_stack)
		command_add(&run->command, "--private-stack");
	add_sets(run);
	if (run->scenario->threads > 1) {
		snprintf(run->threads, sizeof(run->threads), "%u", run->scenario->threads);
		command_add(&run->command, "--threads");
		command_add(&run->command, run->threads);
	}
	if (run->scenario->repeat > 1) {
		snprintf(run->repeat, sizeof(run->repeat), "%u", run->scenario->repeat);
		command_add(&run->command, "--repeat");
		command_add(&run->command, run->repeat);
	}
}

static void start(struct run *run, const char *cpu)
{
	const struct scenario *scenario = run->scenario;
	struct command *command = &run->command;

	snprintf(run->name, sizeof(run->name), "%s%s%s %s (%s)", run->target->name,
		 run->target->landing_pads ? " with landing pads" : "", run->target->sign_return ? " signed" : "",
		 scenario->name, cpu);
	snprintf(run->object, sizeof(run->object), EXEC_OBJECTS "/%s-%s.bpf.o", scenario->object, cpu);
	ctx_digits(scenario, run->ctx);
	command_add(command, EXEC_JITFRAME);
	command_add(command, "run");
	command_add(command, run->object);
	command_add(command, scenario->program != NULL ? scenario->program : scenario->name);
	command_add(command, "--target");
	command_add(command, run->target->name);
	command_add(command, "--ctx");
	command_add(command, run->ctx);
	add_options(run);
	command_run(command);
	if (strstr(command->err, COMMAND_NO_RUNNER) != NULL)
		command_no_runner(run->target->name);
	run->json = json_loads(command->out, 0, NULL);
	cr_assert(run->json != NULL, "%s: no JSON, exit status %d: %s%s", run->name, command->status, command->out,
		  command->err);
}

static void finish(struct run *run)
{
	json_decref(run->json);
	command_fini(&run->command);
}

/* ---- what came out ------------------------------------------------------------------------------ */

static const char *text_at(const json_t *object, const char *first, const char *second)
{
	const char *text = json_string_value(json_object_get(json_object_get(object, first), second));

	return text != NULL ? text : "";
}

/* The bits of R0 that the convention lets through, as its caller sees them. */
static uint64_t expected_result(const struct run *run)
{
	uint64_t result = (uint64_t)run->scenario->result;

	return run->target->result_bits == 32 ? (uint64_t)(int64_t)(int32_t)(uint32_t)result : result;
}

static void check_result(const struct run *run)
{
	const char *text = text_at(run->json, "result", "r0");
	json_t *checked = json_object_get(json_object_get(run->json, "registers"), "checked");
	json_t *changed = json_object_get(json_object_get(run->json, "registers"), "changed");
	unsigned int lost = run->scenario->loses ? run->target->unsaved : 0;
	uint64_t got, want = expected_result(run);

	cr_assert_str_not_empty(text, "%s: no result, exit status %d: %s", run->name, run->command.status,
				run->command.err);
	got = strtoull(text, NULL, 16);
	cr_assert(got == want, "%s: gives 0x%" PRIx64 ", not 0x%" PRIx64, run->name, got, want);
	cr_assert(json_integer_value(checked) > 0, "%s: no register was checked", run->name);
	cr_assert(json_integer_value(changed) == lost, "%s: callee-saved registers were changed: %s", run->name,
		  run->command.out);
	/* The runner calls changed registers a failure, and is right. */
	cr_assert(run->command.status == (lost > 0), "%s: exit status %d: %s", run->name, run->command.status,
		  run->command.err);
}

static void append(char *text, const char *part)
{
	size_t used = strlen(text);

	snprintf(text + used, TRACE_MAX - used, "%s", part);
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

static void check_trace(const struct run *run)
{
	const char *want = run->scenario->trace != NULL ? run->scenario->trace : "";
	char got[TRACE_MAX] = "";
	json_t *throw;
	size_t i;

	json_array_foreach(json_object_get(run->json, "throws"), i, throw)
	{
		append(got, i > 0 ? " | " : "");
		append_throw(got, throw);
	}
	cr_assert_str_eq(got, want, "%s: the throw went\n  %s\nnot\n  %s", run->name, got, want);
}

static void check_failure(const struct run *run, int status, const char *text)
{
	cr_assert(run->command.status == status, "%s: exit status %d, not %d: %s", run->name, run->command.status,
		  status, run->command.err);
	cr_assert(strstr(run->command.err, text) != NULL, "%s: \"%s\" is not in: %s", run->name, text,
		  run->command.err);
	cr_assert_str_empty(text_at(run->json, "result", "r0"), "%s: there is a result", run->name);
}

/* Every guard was looked at after every run. */
static void check_stacks(const struct run *run)
{
	json_t *checks = json_object_get(json_object_get(run->json, "private_stacks"), "checks");
	json_t *broken = json_object_get(json_object_get(run->json, "private_stacks"), "broken");
	unsigned int repeat = run->scenario->repeat > 0 ? run->scenario->repeat : 1;
	unsigned int threads = run->scenario->threads > 0 ? run->scenario->threads : 1;

	cr_assert(json_integer_value(checks) == (json_int_t)repeat * threads, "%s: private stacks were not checked: %s",
		  run->name, run->command.out);
	cr_assert(json_integer_value(broken) == (run->scenario->fails != NULL), "%s: private stacks: %s", run->name,
		  run->command.err);
}

/* returns: what the refusal says when the target lacks something that the scenario needs, or NULL. */
static const char *lack(const struct run *run)
{
	unsigned int lacks = run->scenario->needs & ~run->target->has;

	if (lacks & HAS_PRIVATE_STACK)
		return "private_stack";
	if (lacks & HAS_OUT_ARGS)
		return "out_args";
	return lacks & HAS_C_OUT_ARGS ? "opcode 0x85" : NULL;
}

static void check_run(const struct run *run)
{
	const struct scenario *scenario = run->scenario;
	const char *refused = lack(run);

	if (refused == NULL)
		refused = scenario->refused;
	if (refused != NULL) {
		check_failure(run, 2, refused);
		return;
	}
	if (scenario->stack_bytes > run->target->stack_max_bytes) {
		check_failure(run, 2, "bpf_stack_bytes");
		return;
	}
	if (is_traced(scenario))
		check_trace(run);
	if (scenario->private_stack)
		check_stacks(run);
	if (scenario->fails != NULL) {
		check_failure(run, 1, scenario->fails);
	} else if (scenario->uncaught != NULL) {
		check_failure(run, 1, "nothing caught");
		cr_assert_str_eq(text_at(run->json, "uncaught", "why"), scenario->uncaught, "%s", run->name);
	} else {
		check_result(run);
	}
	if (scenario->says != NULL)
		cr_assert(strstr(run->command.err, scenario->says) != NULL, "%s: it says: %s", run->name,
			  run->command.err);
}

void exec_check(const struct exec_target *target, const struct scenario *scenario)
{
	char cpus[64];
	char *rest = NULL;

	snprintf(cpus, sizeof(cpus), "%s", scenario->cpus != NULL ? scenario->cpus : "v3");
	for (char *cpu = strtok_r(cpus, " ", &rest); cpu != NULL; cpu = strtok_r(NULL, " ", &rest)) {
		struct run run = {.target = target, .scenario = scenario};

		start(&run, cpu);
		check_run(&run);
		finish(&run);
	}
}
