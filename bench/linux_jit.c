/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux_jit.h"

#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* docs/kernel-jit.md has the lines of the protocol. returns: the answer's lines, to be read; NULL without a JIT. */
static FILE *ask(const struct jf_backend *backend, const struct jf_function *function, uint32_t stack_bytes,
		 const char *more, char path[])
{
	const char *folder = getenv("JITFRAME_KERNEL_JIT");
	static bool said;
	char jit[4096], command[4200];
	int fd;
	FILE *question;

	snprintf(jit, sizeof(jit), "%s/%s/jit", folder ? folder : "", backend->name);
	if (!folder || access(jit, X_OK)) {
		if (!said)
			bench_missing("Linux's JIT of %s: scripts/kernel-jit build", backend->name);
		said = true;
		return NULL;
	}
	fd = mkstemp(path);
	question = fd < 0 ? NULL : fdopen(fd, "w");
	if (!question)
		bench_fail("%s: cannot be made", path);
	fprintf(question, "%sfunction f stack=%u\n", more, stack_bytes);
	for (uint32_t i = 0; i < function->insn_count; i++) {
		const uint8_t *bytes = (const uint8_t *)&function->insns[i];

		fprintf(question, "insn ");
		for (unsigned int k = 0; k < sizeof(function->insns[i]); k++)
			fprintf(question, "%02x", bytes[k]);
		fprintf(question, "\n");
	}
	fclose(question);
	snprintf(command, sizeof(command), "'%s' <'%s'", jit, path);
	return popen(command, "r");
}

static void say_refused(const struct jf_backend *backend, const struct jf_function *function)
{
	bench_missing("Linux's JIT of %s refuses %s, %u instructions", backend->name, function->name,
		      function->insn_count);
}

static bool answer(FILE *pipe, const char *key, char **line)
{
	size_t capacity = 0;
	bool found = false;

	*line = NULL;
	while (!found && getline(line, &capacity, pipe) > 0)
		found = strncmp(*line, key, strlen(key)) == 0;
	return found;
}

bool linux_jit_time(const struct jf_function *function, double samples[LINUX_JIT_SAMPLES])
{
	char path[] = "/tmp/jitframe-bench-XXXXXX", more[32], *line, *at;
	unsigned int count = 0;
	FILE *pipe;

	snprintf(more, sizeof(more), "time %d\n", LINUX_JIT_SAMPLES);
	pipe = ask(jf_backend_host(), function, 480, more, path);
	if (!pipe)
		return false;
	if (answer(pipe, "time ", &line)) {
		at = line + 5;
		while (count < LINUX_JIT_SAMPLES)
			samples[count++] = strtod(at, &at) / function->insn_count;
	} else {
		say_refused(jf_backend_host(), function);
	}
	free(line);
	pclose(pipe);
	unlink(path);
	return count == LINUX_JIT_SAMPLES;
}

size_t linux_jit_code(const struct jf_function *function, uint32_t stack_bytes, uint8_t **code)
{
	return linux_jit_code_of(jf_backend_host(), function, stack_bytes, code);
}

size_t linux_jit_code_of(const struct jf_backend *backend, const struct jf_function *function, uint32_t stack_bytes,
			 uint8_t **code)
{
	char path[] = "/tmp/jitframe-bench-XXXXXX", *line;
	FILE *pipe = ask(backend, function, stack_bytes, "", path);
	size_t count = 0;

	*code = NULL;
	if (!pipe)
		return 0;
	if (answer(pipe, "code ", &line)) {
		*code = malloc(strlen(line) / 2);
		while (*code && sscanf(line + 5 + 2 * count, "%2hhx", *code + count) == 1)
			count++;
	} else {
		say_refused(backend, function);
	}
	free(line);
	while (answer(pipe, "end", &line))
		free(line);
	free(line);
	pclose(pipe);
	unlink(path);
	return count;
}
