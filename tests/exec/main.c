/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The scenarios on each convention of one architecture, as TAP: a test per convention and scenario, named
 * SUITE::SCENARIO, which covers all versions of the instruction set that the scenario names.
 *
 *     exec ARCH [PATTERN...]     those alone whose names a pattern of the shell matches
 *     exec ARCH --jit FOLDER [PATTERN...]
 *                                by the command, on the code of a kernel tree's JIT: the tests' names begin with "tree"
 */

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exec.h"

#define RUNS_MAX 1024

static struct run runs[RUNS_MAX];
static size_t run_count;
static unsigned int told, failed;
static const char *self;
static const char *jit; /* the folder; NULL: none */

/* ---- telling ------------------------------------------------------------------------------------------ */

static void print_indented(const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		fputs("#   ", stdout);
		fwrite(text, 1, length, stdout);
		putchar('\n');
		text += length + (text[length] != '\0');
	}
}

static void tell_failure(const struct run *run, const char *name)
{
	char *json = run->json != NULL ? json_dumps(run->json, JSON_COMPACT) : NULL;

	printf("# %s, -mcpu=%s:\n", name, run->cpu);
	print_indented(run->failure);
	if (json != NULL)
		print_indented(json);
	printf("#   alone: %s %.*s '%s'\n#   by hand: ", self, (int)strcspn(run->target->name, "/"), run->target->name,
	       name);
	run_command_line(run, stdout);
	putchar('\n');
	free(json);
}

static void test_name(const struct run *run, const char *how, char *name, size_t capacity)
{
	snprintf(name, capacity, "%s::%s%s", jit != NULL ? "tree" : run->target->suite, run->scenario->name, how);
}

/* Runs of one scenario follow each other: its last one tells how all went. */
static void tell(const struct run *first, const struct run *last, const char *how)
{
	bool good = true;
	char name[128];

	test_name(first, how, name, sizeof(name));
	for (const struct run *run = first; run <= last; run++)
		good &= run->failure[0] == '\0';
	failed += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++told, name);
	for (const struct run *run = first; run <= last; run++)
		if (run->failure[0] != '\0')
			tell_failure(run, name);
	fflush(stdout);
}

static void tell_batch(struct run *run)
{
	struct run *first = run;

	if (run + 1 < runs + run_count && run[1].scenario == run->scenario)
		return;
	while (first > runs && first[-1].scenario == run->scenario)
		first--;
	tell(first, run, "");
	for (; first <= run; first++)
		run_fini(first);
}

/* ---- running ------------------------------------------------------------------------------------------ */

#define HOW_BY_COMMAND "_by_command"

static bool is_wanted(const struct exec_target *target, const struct scenario *scenario, const char *how,
		      char **patterns)
{
	const struct run run = {.target = target, .scenario = scenario};
	char name[128];

	test_name(&run, how, name, sizeof(name));
	for (char **pattern = patterns; *pattern != NULL; pattern++)
		if (fnmatch(*pattern, name, 0) == 0)
			return true;
	return patterns[0] == NULL;
}

/* A run for each version of the instruction set. */
static void add_runs(const struct exec_target *target, const struct scenario *scenario)
{
	char cpus[64], *rest = NULL;

	snprintf(cpus, sizeof(cpus), "%s", scenario->cpus != NULL ? scenario->cpus : "v3");
	for (char *cpu = strtok_r(cpus, " ", &rest); cpu != NULL; cpu = strtok_r(NULL, " ", &rest)) {
		struct run *run = &runs[run_count++];

		if (run_count > RUNS_MAX) {
			fprintf(stderr, "%s: more than %d runs\n", self, RUNS_MAX);
			exit(2);
		}
		*run = (struct run){.target = target, .scenario = scenario, .jit = jit};
		snprintf(run->cpu, sizeof(run->cpu), "%s", cpu);
	}
}

/* ---- on the code of a kernel tree's JIT ----------------------------------------------------------------- */

static const char *why_not_on_a_tree(const struct scenario *scenario)
{
	if (scenario->private_stack && scenario->threads > 1)
		return "a kernel's private stacks are those of one processor, so of one thread";
	if (scenario->private_stack && scenario->trace != NULL)
		return "kernels may push a register around a boundary's calls: docs/museum.md";
	return scenario->ours;
}

/* What a tree's JIT, or a process, is known to lack. returns: the command's words for it, or NULL. */
static const char *lack_of_tree(const struct run *run)
{
	static const char *const lacks[] = {"the JIT takes no function", "the other JIT has made no code of it",
					    "no process has the like on", "has no private stacks"};

	for (size_t i = 0; jit != NULL && run->status != 0 && run->err != NULL && i < sizeof(lacks) / sizeof(lacks[0]);
	     i++)
		if (strstr(run->err, lacks[i]) != NULL)
			return lacks[i];
	return NULL;
}

/* Its callbacks are ordinary functions. Runs without a trace name no throw. */
static bool lacks_exceptions(const struct run *run)
{
	const json_t *exceptions = json_object_get(json_object_get(run->json, "jit"), "exceptions");

	return json_is_false(exceptions) &&
	       (json_array_size(json_object_get(run->json, "throws")) > 0 ||
		(run->err != NULL && strstr(run->err, "its callback came back to bpf_throw()") != NULL));
}

static void skip(const struct scenario *scenario, const char *why)
{
	printf("ok %u - tree::%s # SKIP %s\n", ++told, scenario->name, why);
	fflush(stdout);
}

static void run_command_tests(const struct exec_target *target, char **patterns)
{
	const char *how = jit != NULL ? "" : HOW_BY_COMMAND;

	for (unsigned int i = 0; i < scenario_count; i++) {
		if ((!scenarios[i].by_command && jit == NULL) || !is_wanted(target, &scenarios[i], how, patterns))
			continue;
		if (jit != NULL && why_not_on_a_tree(&scenarios[i]) != NULL) {
			skip(&scenarios[i], why_not_on_a_tree(&scenarios[i]));
			continue;
		}
		run_count = 0;
		add_runs(target, &scenarios[i]);
		for (size_t k = 0; k < run_count; k++)
			run_by_command(&runs[k]);
		if (lack_of_tree(&runs[0]) != NULL)
			skip(&scenarios[i], lack_of_tree(&runs[0]));
		else if (lacks_exceptions(&runs[0]))
			skip(&scenarios[i], "the JIT has no exceptions");
		else
			tell(&runs[0], &runs[run_count - 1], how);
		for (size_t k = 0; k < run_count; k++)
			run_fini(&runs[k]);
	}
}

static void run_target(const struct exec_target *target, char **patterns)
{
	if (jit != NULL) {
		run_command_tests(target, patterns);
		return;
	}
	run_count = 0;
	for (unsigned int i = 0; i < scenario_count; i++)
		if (is_wanted(target, &scenarios[i], "", patterns))
			add_runs(target, &scenarios[i]);
	if (run_count > 0)
		batch_runs(runs, run_count, tell_batch);
	run_command_tests(target, patterns);
}

static const struct exec_target *first_named(const struct arch *arch, const char *name)
{
	for (size_t t = 0; t < arch->exec_target_count; t++)
		if (strcmp(arch->exec_targets[t].name, name) == 0)
			return &arch->exec_targets[t];
	return NULL;
}

/* A tree's JIT has the convention named linux, and no options. */
static bool is_asked(const struct arch *arch, const struct exec_target *target)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/linux", arch->name);
	return jit == NULL || target == first_named(arch, name);
}

static unsigned int count_tests(const struct arch *arch, char **patterns)
{
	unsigned int count = 0;

	for (size_t t = 0; t < arch->exec_target_count; t++) {
		if (!is_asked(arch, &arch->exec_targets[t]))
			continue;
		for (unsigned int i = 0; i < scenario_count; i++)
			count += is_wanted(&arch->exec_targets[t], &scenarios[i], "", patterns) +
				 (scenarios[i].by_command && jit == NULL &&
				  is_wanted(&arch->exec_targets[t], &scenarios[i], HOW_BY_COMMAND, patterns));
	}
	return count;
}

/* Whether a build directory beside this one has the runner of the architecture. */
static bool has_runner(const struct arch *arch)
{
	char path[4096];

	for (const char *at = EXEC_RUNNERS; *at != '\0'; at += *at == ':') {
		int length = (int)strcspn(at, ":");

		snprintf(path, sizeof(path), "%.*s/jf-runner-%s", length, at, arch->name);
		if (access(path, X_OK) == 0)
			return true;
		at += length;
	}
	return false;
}

static bool has_jit(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/jit-run", jit);
	return access(path, X_OK) == 0;
}

int main(int argc, char **argv)
{
	const struct arch *arch = argc > 1 ? arch_named(argv[1]) : NULL;
	const struct rlimit none = {0, 0};
	char **patterns = argc > 2 ? argv + 2 : argv + argc;
	unsigned int count;

	if (arch == NULL) {
		fprintf(stderr, "usage: exec ARCH [--jit FOLDER] [PATTERN...]\n");
		return 2;
	}
	if (argc > 3 && strcmp(patterns[0], "--jit") == 0) {
		jit = patterns[1];
		patterns += 2;
	}

	/* Some runs are to die: no core files of them. */
	setrlimit(RLIMIT_CORE, &none);
	if (arch->exec_target_count == 0) {
		printf("1..0 # SKIP tests/arch/%s.c has no exec_targets\n", arch->name);
		return 0;
	}
	if (getenv("JITFRAME_RUNNER_PATH") == NULL && !has_runner(arch)) {
		printf("1..0 # SKIP no build for %s beside this one: scripts/test makes one; or JITFRAME_RUNNER_PATH "
		       "can name one\n",
		       arch->name);
		return 0;
	}
	if (jit != NULL && !has_jit()) {
		printf("1..0 # SKIP there is no %s/jit-run: scripts/kernel-jit build makes it\n", jit);
		return 0;
	}
	/* The runners of build directories beside this one, as scripts/ make them. */
	setenv("JITFRAME_RUNNER_PATH", EXEC_RUNNERS, 0);
	self = argv[0];
	count = count_tests(arch, patterns);
	printf("1..%u\n", count);
	for (size_t t = 0; t < arch->exec_target_count; t++)
		if (is_asked(arch, &arch->exec_targets[t]))
			run_target(&arch->exec_targets[t], patterns);
	batch_fini();
	if (count == 0)
		fprintf(stderr, "%s: no test has such a name\n", self);
	return failed > 0 || told != count || count == 0;
}
