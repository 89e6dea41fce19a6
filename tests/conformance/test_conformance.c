/* SPDX-License-Identifier: BSD-2-Clause */

/* Every vector of generate.py on every architecture, a test each, by way of conformance-plugin. */

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "no_runner.h"

/* Names are told apart by their first bytes: parameters lie in memory that processes share. */
struct one {
	char target[32];
	char name[64];
	long at; /* of its line in the file */
};

static const char *const targets[] = {CONFORMANCE_TARGETS};
#define TARGET_COUNT (sizeof(targets) / sizeof(targets[0]))

static char *next_line(FILE *file, long *at)
{
	char *line = NULL;
	size_t capacity = 0;

	*at = ftell(file);
	if (getline(&line, &capacity, file) >= 0)
		return line;
	free(line);
	return NULL;
}

static size_t count_lines(FILE *file)
{
	size_t count = 0;
	char *line;
	long at;

	while ((line = next_line(file, &at)) != NULL) {
		free(line);
		count++;
	}
	rewind(file);
	return count;
}

ParameterizedTestParameters(conformance, vector)
{
	FILE *file = fopen(CONFORMANCE_VECTORS, "r");
	size_t count = file ? count_lines(file) : 0, n = 0;
	struct one *all = cr_calloc(count * TARGET_COUNT + 1, sizeof(*all));
	char *line;
	long at;

	while (n < count * TARGET_COUNT && (line = next_line(file, &at)) != NULL) {
		for (size_t t = 0; t < TARGET_COUNT; t++, n++) {
			snprintf(all[n].target, sizeof(all[n].target), "%s", targets[t]);
			snprintf(all[n].name, sizeof(all[n].name), "%.*s", (int)strcspn(line, " "), line);
			all[n].at = at;
		}
		free(line);
	}
	if (file)
		fclose(file);
	return cr_make_param_array(struct one, all, n);
}

struct vector {
	char *line;
	char *memory, *program, *result;
};

static char *field(char **rest)
{
	char *start = *rest, *end = strstr(start, " | ");

	*rest = end ? end + 3 : start + strlen(start);
	if (end)
		*end = '\0';
	return start;
}

static struct vector read_vector(long at)
{
	FILE *file = fopen(CONFORMANCE_VECTORS, "r");
	struct vector v;
	char *rest;

	cr_assert_not_null(file);
	fseek(file, at, SEEK_SET);
	v.line = rest = next_line(file, &at);
	fclose(file);
	cr_assert_not_null(v.line);
	v.line[strcspn(v.line, "\n")] = '\0';
	field(&rest);
	v.memory = field(&rest);
	v.program = field(&rest);
	v.result = field(&rest);
	return v;
}

/* As the suite does it: options are one argument, however many they are. */
ParameterizedTest(struct one *one, conformance, vector, .timeout = 60)
{
	struct vector v = read_vector(one->at);
	struct command command = {.input = v.program};
	char options[64];

	snprintf(options, sizeof(options), "--target %s", one->target);
	command_add(&command, CONFORMANCE_PLUGIN);
	command_add(&command, v.memory);
	command_add(&command, options);
	command_run(&command);
	if (strstr(command.err, NO_RUNNER))
		no_runner(one->target);
	command.out[strcspn(command.out, "\n")] = '\0';
	if (strcmp(v.result, "refused") == 0) {
		cr_assert_eq(command.status, 1, "%s %s: exit status %d: %s", one->target, one->name, command.status,
			     command.out);
		cr_assert_str_not_empty(command.err, "%s %s: nothing is said", one->target, one->name);
		cr_assert_str_empty(command.out, "%s %s: prints %s", one->target, one->name, command.out);
	} else {
		cr_assert_eq(command.status, 0, "%s %s: exit status %d: %s", one->target, one->name, command.status,
			     command.err);
		cr_assert_str_eq(command.out, v.result, "%s %s", one->target, one->name);
	}
	command_fini(&command);
	free(v.line);
}

/* ---- the command line --------------------------------------------------------------------------- */

#define EXIT_7 "b7 00 00 00 07 00 00 00 95 00 00 00 00 00 00 00"

static void check_command(const char *first, const char *second, const char *third, const char *input, int status,
			  const char *out)
{
	struct command command = {.input = input};

	command_add(&command, CONFORMANCE_PLUGIN);
	if (first)
		command_add(&command, first);
	if (second)
		command_add(&command, second);
	if (third)
		command_add(&command, third);
	command_run(&command);
	if (strstr(command.err, NO_RUNNER))
		no_runner(targets[0]);
	cr_expect_eq(command.status, status, "exit status %d: %s", command.status, command.err);
	cr_expect_str_eq(command.out, out);
	cr_expect(status == 0 || command.err[0], "nothing is said");
	command_fini(&command);
}

Test(conformance, arguments)
{
	check_command(NULL, NULL, NULL, EXIT_7, 0, "7\n");
	check_command("", "", NULL, EXIT_7 "\n", 0, "7\n");
	check_command("--target", targets[0], NULL, EXIT_7 "\n", 0, "7\n");
	check_command("01 02", "--target", targets[0], EXIT_7 "\n", 0, "7\n");
	check_command(" 01\t02\n3  ", NULL, NULL, "bf20000000000000  9500000000000000\n", 0, "3\n");
	check_command("--target", "nowhere/user", NULL, EXIT_7, 2, "");
	check_command("--target", NULL, NULL, EXIT_7, 2, "");
	check_command("--targets", targets[0], NULL, EXIT_7, 1, "");
	check_command("0x01", NULL, NULL, EXIT_7, 1, "");
	check_command("01", "02", NULL, EXIT_7, 1, "");
	check_command(NULL, NULL, NULL, "", 1, "");
	check_command(NULL, NULL, NULL, "zz\n", 1, "");
}
