/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Everything that our own compiler puts down is decoded, and none of it is unknown: the programs of tests/exec, on
 * each convention whose architecture has a decoder, every other one with landing pads and signed return addresses.
 */

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>

#include "command.h"

#define CONVENTIONS_MAX 16
#define WORDS_MIN       10000 /* instructions, of each convention */

struct one {
	char target[48];
};

static unsigned int digit(char c)
{
	return c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(c - 'a') + 10;
}

/* One function: its name and its bytes. returns: how many instructions it has. */
static unsigned long decode_line(const struct jf_backend *backend, const char *line)
{
	const char *hex = strrchr(line, ' ');
	size_t size = hex ? strlen(hex + 1) / 2 : 0, at = 0;
	uint8_t *bytes = calloc(size + 1, 1);
	unsigned long count = 0;

	cr_assert(hex && size, "no code: %s", line);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(digit(hex[1 + 2 * i]) << 4 | digit(hex[2 + 2 * i]));
	for (; at < size; count++) {
		struct jf_effect effect;
		enum jf_status status = jf_decode(backend, bytes + at, size - at, &effect);

		cr_assert_eq(status, JF_OK, "%s at %zu: %.*s", jf_status_name(status), at, (int)(hex - line), line);
		cr_assert_not(effect.flags & JF_EFFECT_UNKNOWN, "%s at %zu: %.*s", effect.name, at, (int)(hex - line),
			      line);
		at += effect.size_bytes;
	}
	free(bytes);
	return count;
}

/* returns: instructions; 0 for a program that the convention does not take. */
static unsigned long decode_object(const struct jf_backend *backend, const char *object, const char *target,
				   bool options)
{
	struct command command = {0};
	unsigned long count = 0;

	command_add(&command, EXEC_JITFRAME);
	command_add(&command, "compile");
	command_add(&command, object);
	command_add(&command, "--hex");
	command_add(&command, "--target");
	command_add(&command, target);
	if (options) {
		command_add(&command, "--landing-pads");
		command_add(&command, "--sign-return");
	}
	command_run(&command);
	if (command.status == 0)
		for (char *line = strtok(command.out, "\n"); line; line = strtok(NULL, "\n"))
			count += decode_line(backend, line);
	command_fini(&command);
	return count;
}

ParameterizedTestParameters(emitted, is_known)
{
	struct one *all = cr_calloc(CONVENTIONS_MAX, sizeof(*all));
	const struct jf_backend *backend;
	size_t n = 0;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		for (unsigned int c = 0; backend->decode && c < backend->convention_count && n < CONVENTIONS_MAX; c++)
			snprintf(all[n++].target, sizeof(all[0].target), "%s/%s", backend->name,
				 backend->conventions[c]->name);
	return cr_make_param_array(struct one, all, n);
}

ParameterizedTest(struct one *one, emitted, is_known, .timeout = 300)
{
	const struct jf_convention *conv;
	unsigned long count = 0, objects = 0;
	struct dirent *entry;
	DIR *dir = opendir(EXEC_OBJECTS);
	struct jf_error error;

	cr_assert_eq(jf_convention_find(one->target, &conv, &error), JF_OK);
	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		char object[1024];

		if (!strstr(entry->d_name, ".bpf.o"))
			continue;
		snprintf(object, sizeof(object), "%s/%s", EXEC_OBJECTS, entry->d_name);
		count += decode_object(conv->backend, object, one->target, objects++ % 2);
	}
	closedir(dir);
	cr_assert_gt(count, WORDS_MIN, "%s: only %lu instructions", one->target, count);
}
