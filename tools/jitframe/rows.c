/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_args.h"

#include <string.h>

#include "cli.h"

/* jitframe rows */

bool rows_wanted(const struct rows_args *args, const struct rows_function *function)
{
	return !args->function || (function->name && strcmp(function->name, args->function) == 0);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct rows_args *args = state->input;

	switch (key) {
	case 'a': args->all = true; return 0;
	case 'e': args->elf = true; return 0;
	case 'f': args->function = arg; return 0;
	case 'j': args->json = true; return 0;
	case 'o': args->out = arg; return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0 && strcmp(arg, "verify") == 0)
			args->command = ROWS_VERIFY;
		else if (state->arg_num == 0 && strcmp(arg, "make") == 0)
			args->command = ROWS_MAKE;
		else if (state->arg_num == 0)
			argp_error(state, "%s: neither verify nor make", arg);
		else if (state->arg_num == 1)
			args->path = arg;
		else
			return ARGP_ERR_UNKNOWN;
		return 0;
	case ARGP_KEY_END:
		if (!args->path)
			argp_usage(state);
		if (args->command == ROWS_MAKE && !args->out)
			argp_error(state, "make needs -o OUT");
		if (args->command == ROWS_MAKE && (args->json || args->all))
			argp_error(state, "--json and --all are options of verify");
		if (args->command == ROWS_VERIFY && (args->out || args->elf))
			argp_error(state, "-o and --elf are options of make");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"function", 'f', "NAME", 0, "Look at this function alone", 0},
	{"all", 'a', NULL, 0, "verify: list what is undecided, too", 1},
	{"json", 'j', NULL, 0, "verify: print JSON", 1},
	{"output", 'o', "OUT", 0, "make: the file to write (- is standard output)", 2},
	{"elf", 'e', NULL, 0, "make: write an object file, not the section's bytes alone", 2},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "verify FILE\nmake FILE -o OUT",
	.doc = "Unwind rows of anybody's code. FILE is an ELF file: an object, a library, a program, a kernel.\v"
	       "verify follows the code of every function that .eh_frame or .orc_unwind describes, and says where the "
	       "table lies: what it says, and what is true. make derives the rows from the code, and writes them as "
	       ".eh_frame.\n\n"
	       "Exit status of verify: 0 every function's rows are true, 1 some are untrue or undecided, 2 bad input.",
};

int cmd_rows(int argc, char **argv)
{
	struct rows_args args = {.command = ROWS_NONE};

	cli_parse(&argp, argc, argv, &args);
	return args.command == ROWS_MAKE ? rows_make(&args) : rows_verify(&args);
}
