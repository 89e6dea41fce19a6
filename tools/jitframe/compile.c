/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "kernel_jit.h"
#include "object.h"

/* jitframe compile */

struct args {
	struct object object;
	const char *target;
	bool json, hex, opcodes, diff;
	json_t *programs;
	const char *jit_folder; /* NULL: ours compiles */
	struct kernel_jit jit;
	bool failed; /* a program was refused, or differs */
};

/* The code of a tree's JIT in the place of ours. */
static int show_kernel(struct args *args, const struct listing *listing)
{
	const struct kernel_shown shown = {args->hex, args->opcodes, args->diff, args->json ? args->programs : NULL};
	struct kernel_code code;
	int status = kernel_jit_compile(&args->jit, listing, &code);

	/* What the JIT refuses does not keep the other programs from it. */
	args->failed |= status != 0 || kernel_print(&args->jit, listing, &code, &shown) != 0;
	kernel_code_free(&code);
	return 0;
}

static int show(void *arg, struct listing *listing)
{
	struct args *args = arg;

	listing->opcodes = args->opcodes;
	if (args->jit_folder)
		return show_kernel(args, listing);
	if (args->json)
		json_array_append_new(args->programs, listing_json(listing));
	else if (args->hex)
		listing_print_hex(listing);
	else
		listing_print(listing);
	return 0;
}

static int compile(struct args *args)
{
	const struct jf_convention *conv = args->object.conv;
	char target[96];
	int status;

	args->object.show = show;
	args->object.arg = args;
	args->programs = json_array();
	status = object_compile(&args->object);
	if (args->json && (status == 0 || json_array_size(args->programs) > 0)) {
		int printed;

		snprintf(target, sizeof(target), "%s/%s", conv->backend->name, conv->name);
		printed = json_print(json_pack("{s:s, s:o*, s:O}", "target", target, "jit",
					       args->jit_folder ? kernel_jit_json(&args->jit) : NULL, "programs",
					       args->programs));
		status = status == 0 ? printed : status;
	}
	json_decref(args->programs);
	return status == 0 && args->failed ? CLI_FAILED : status;
}

enum {
	KEY_ADDRESS = 0x300,
	KEY_LANDING_PADS,
	KEY_SIGN_RETURN,
	KEY_ATOMIC_INSNS,
	KEY_INDEXED_STACK,
	KEY_OPCODES,
	KEY_JIT,
	KEY_DIFF,
	KEY_PRIVATE_STACK
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;
	uint64_t number;

	switch (key) {
	case 't': args->target = arg; return 0;
	case 'j': args->json = true; return 0;
	case 'x': args->hex = true; return 0;
	case KEY_OPCODES: args->opcodes = true; return 0;
	case KEY_JIT: args->jit_folder = arg; return 0;
	case KEY_DIFF: args->diff = true; return 0;
	case KEY_PRIVATE_STACK: args->object.opts.private_stack = true; return 0;
	case KEY_LANDING_PADS: args->object.opts.landing_pads = true; return 0;
	case KEY_SIGN_RETURN: args->object.opts.sign_return = true; return 0;
	case KEY_ATOMIC_INSNS: args->object.opts.atomic_insns = true; return 0;
	case KEY_INDEXED_STACK:
		if (!cli_number(arg, 10, CLI_STACK_BYTES_MAX, &number) || number == 0)
			argp_error(state, "--indexed-stack %s: not a number from 1 to %d", arg, CLI_STACK_BYTES_MAX);
		args->object.opts.indexed_stack_bytes = (uint32_t)number;
		return 0;
	case KEY_ADDRESS:
		if (!cli_number(arg, 16, UINT64_MAX, &args->object.address))
			argp_error(state, "--address %s: not a hexadecimal number of 64 bits", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			args->object.path = arg;
		else if (state->arg_num == 1)
			args->object.program = arg;
		else
			argp_error(state, "unexpected argument %s", arg);
		return 0;
	case ARGP_KEY_END:
		if (args->diff && (!args->jit_folder || args->json || args->hex))
			argp_error(state, "--diff is text about two codes: with --jit, and without --json and --hex");
		return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "which OBJECT?"); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

int cmd_compile(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"target", 't', "ARCH/CONVENTION", 0, "what to compile for (default: this processor's user convention)",
		 0},
		{"address", KEY_ADDRESS, "HEX", 0, "where the code will run", 0},
		{"landing-pads", KEY_LANDING_PADS, NULL, 0, "ENDBR64 or BTI at indirect entries", 0},
		{"sign-return", KEY_SIGN_RETURN, NULL, 0, "sign return addresses (PAC)", 0},
		{"atomic-insns", KEY_ATOMIC_INSNS, NULL, 0, "atomic operations as instructions, not loops", 0},
		{"private-stack", KEY_PRIVATE_STACK, NULL, 0, "BPF stacks outside of the machine stack", 0},
		{"indexed-stack", KEY_INDEXED_STACK, "BYTES", 0, CLI_INDEXED_STACK_DOC, 0},
		{"opcodes", KEY_OPCODES, NULL, 0, "show each instruction's bytes too", 0},
		{"jit", KEY_JIT, "FOLDER", 0,
		 "compile by a kernel's JIT, which scripts/kernel-jit puts there; --target is its ARCH/linux then", 0},
		{"diff", KEY_DIFF, NULL, 0, "with --jit: our code beside the kernel's; exit status 1 when they differ",
		 0},
		{"hex", 'x', NULL, 0, "print a name and the bytes, one function a line", 0},
		{"json", 'j', NULL, 0, "print JSON", 0},
		{0},
	};
	static const struct argp argp = {
		options,
		parse,
		"OBJECT [PROGRAM]",
		"Compiles the BPF programs of an object file and prints the machine code of each function. "
		"Helpers, kfuncs, externs and maps get made-up addresses, whether `jitframe run` has them or not. "
		"Without a PROGRAM every one is compiled, also those of SEC(\"?...\"); one that is refused is named, "
		"and the others go on.",
		NULL,
		NULL,
		NULL,
	};
	struct args args = {.object = {.opts.size = sizeof(args.object.opts), .address = OBJECT_ADDRESS}};
	int status;

	cli_parse(&argp, argc, argv, &args);
	if (args.jit_folder) {
		status = kernel_jit_open(&args.jit, args.jit_folder, args.target, KERNEL_TO_SEE);
		if (status == 0)
			status = kernel_jit_set_up(&args.jit, &args.object);
	} else {
		status = cli_convention(args.target, &args.object.conv);
	}
	return status == 0 ? compile(&args) : status;
}
