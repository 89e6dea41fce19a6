/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <jitframe/backend.h>
#include <jitframe/version.h>

#include "cli.h"

/* jitframe NAME ...: picks the subcommand and leaves the rest to it. */

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *title; /* argv[0] of its messages */
	const char *summary;
} commands[] = {
	{"archs", cmd_archs, "jitframe archs", "what is built in: architectures, conventions, what each supports"},
	{"frame", cmd_frame, "jitframe frame", "draw a frame"},
	{"emit", cmd_emit, "jitframe emit", "the code of a frame: bytes, disassembly and unwind rows"},
	{"compile", cmd_compile, "jitframe compile", "machine code of the BPF programs in an object file"},
	{"run", cmd_run, "jitframe run", "run a BPF program of an object file"},
	{"check", cmd_check, "jitframe check", "prove a frame's machine code sound, or say which rule it breaks"},
	{"rows", cmd_rows, "jitframe rows", "unwind rows of any ELF file: say where they lie, or make them"},
	{"orc", cmd_orc, "jitframe orc", "Linux's ORC unwind tables: dump them, find the entry of an address"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *to)
{
	fputs("Usage: jitframe COMMAND [ARGUMENT...]\n"
	      "BPF JIT frames as data, machine code, and running programs that throw.\n\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`jitframe help COMMAND` shows a command's options, as `jitframe COMMAND --help` does.\n"
	      "`jitframe --version` shows the version.\n"
	      "Exit status: 0 success, 2 bad input or usage, 1 anything else.\n",
	      to);
}

/* Output that did not arrive (a full disk) is no success. */
static int close_output(int status)
{
	if ((ferror(stdout) || fflush(stdout) != 0) && status == 0)
		return cli_failed("cannot write the output");
	return status;
}

/* Who works on a backend is told of its contradictions before the output is believed: in builds with assertions. */
static bool backends_are_sound(void)
{
#ifndef NDEBUG
	const struct jf_backend *backend;
	struct jf_error error;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		if (jf_backend_check(backend, &error) == JF_OK)
			continue;
		cli_failed("the backend %s contradicts itself: %s: %s", backend->name ? backend->name : "of no name",
			   error.where, error.text);
		return false;
	}
#endif
	return true;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static const char *command_name_at(const void *names, size_t i)
{
	if (i == COMMANDS)
		return "help";
	return i < COMMANDS ? ((const struct command *)names)[i].name : NULL;
}

static int refuse(const char *name)
{
	const char *nearest = cli_nearest(name, command_name_at, commands);

	if (nearest)
		return cli_bad_input("there is no command \"%s\"; did you mean %s?", name, nearest);
	return cli_bad_input("there is no command \"%s\"; see `jitframe --help`", name);
}

static int run(const struct command *command, int argc, char **argv)
{
	argv[0] = (char *)(uintptr_t)command->title;
	return close_output(command->run(argc, argv));
}

/* `jitframe help NAME` is `jitframe NAME --help`. */
static int help(const char *name)
{
	static char option[] = "--help";
	const struct command *command = name ? find_command(name) : NULL;
	char *argv[] = {NULL, option, NULL};

	if (command)
		return run(command, 2, argv);
	if (name)
		return refuse(name);
	print_usage(stdout);
	return close_output(0);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(name);

	argp_err_exit_status = CLI_BAD_INPUT;
	if (!backends_are_sound())
		return CLI_FAILED;
	if (command)
		return run(command, argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		printf("jitframe %s\n", jf_version_text());
		return close_output(0);
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(NULL);
	if (strcmp(name, "help") == 0)
		return help(argv[2]);
	if (argc > 1)
		return refuse(name);
	print_usage(stderr);
	return CLI_BAD_INPUT;
}
