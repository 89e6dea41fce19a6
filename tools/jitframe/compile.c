/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

/* jitframe compile */

/*
 * Nothing runs here, so what programs call and address stands at made-up places, each its own: far from
 * the code, as C code is for a JIT in user space.
 */
#define CODE_ADDRESS             UINT64_C(0x7f0000000000)
#define HELPER_ADDRESS(number)   (UINT64_C(0x7f1000000000) + (uint64_t)(number)*64)
#define KFUNC_ADDRESS(index)     (UINT64_C(0x7f1100000000) + (uint64_t)(index)*64)
#define MAP_ADDRESS(index)       (UINT64_C(0x7f2000000000) + (uint64_t)(index)*4096)
#define REGISTER_CALL_ADDRESS    UINT64_C(0x7f1200000000)
#define MAP_VALUE_ADDRESS(index) (UINT64_C(0x7f4000000000) + ((uint64_t)(index) << 32))

struct args {
	const char *object, *program, *target;
	const struct jf_convention *conv;
	struct jf_compile_opts opts;
	uint64_t address;
	bool json, hex, opcodes;
	/* what is shared by the programs of one object */
	struct bundle bundle;
	struct jf_import *kfuncs;
	struct jf_map_ref *maps;
	struct disasm *disasm;
	json_t *programs;
};

static const struct jf_import helpers[] = {
#define HELPER(number, helper) [number] = { .name = "bpf_" #helper, .address = HELPER_ADDRESS(number) },
#include "helpers.def"
#undef HELPER
};

static const struct {
	const char *name;
	bool throws;
	uint8_t args;
} kfunc_list[] = {
#define KFUNC(name, throws, args) { #name, throws, args },
#include "kfuncs.def"
#undef KFUNC
};

/* ---- one program ------------------------------------------------------------------------------- */

static int compile_selection(struct args *args, uint32_t index, struct jf_program *program)
{
	size_t capacity = jf_compile_bound(program);
	uint8_t *bytes = malloc(capacity ? capacity : 1);
	struct jf_error error = { 0 };
	struct jf_image *image;
	int status = 0;

	if (!bytes)
		return cli_failed("no memory");
	if (jf_compile(args->conv, program, &args->opts, bytes, capacity, args->address, &image, &error) !=
	    JF_OK) {
		status = cli_error(args->object, "function", &error);
	} else {
		struct listing listing = {
			.bundle = &args->bundle,
			.program = &args->bundle.programs[index],
			.source = program,
			.image = image,
			.bytes = bytes,
			.disasm = args->disasm,
			.opcodes = args->opcodes,
		};

		if (args->json)
			json_array_append_new(args->programs, listing_json(&listing));
		else if (args->hex)
			listing_print_hex(&listing);
		else
			listing_print(&listing);
		jf_image_free(image);
	}
	free(bytes);
	return status;
}

static int compile_program(struct args *args, uint32_t index)
{
	struct bundle_selection selection;
	struct jf_error error = { 0 };
	int status;

	if (bundle_select(&args->bundle, index, &selection, &error) != JF_OK)
		return cli_error(args->object, NULL, &error);
	selection.program.helpers = helpers;
	selection.program.helper_count = sizeof(helpers) / sizeof(helpers[0]);
	selection.program.kfuncs = args->kfuncs;
	selection.program.kfunc_count = args->bundle.count[BUNDLE_KFUNCS];
	selection.program.maps = args->maps;
	selection.program.map_count = args->bundle.count[BUNDLE_MAPS];
	selection.program.call_register =
		(struct jf_import){ .name = "call_register", .address = REGISTER_CALL_ADDRESS };
	for (uint32_t i = 0; i < args->bundle.count[BUNDLE_MAPS]; i++)
		if (args->bundle.maps[i].type == BUNDLE_TYPE_ARENA)
			selection.program.arena_user_base = args->maps[i].value;
	status = compile_selection(args, index, &selection.program);
	bundle_selection_free(&selection);
	return status;
}

/* ---- one object --------------------------------------------------------------------------------- */

static struct jf_import find_kfunc(const char *name, uint32_t index)
{
	struct jf_import import = { .name = name, .address = KFUNC_ADDRESS(index) };

	for (size_t i = 0; i < sizeof(kfunc_list) / sizeof(kfunc_list[0]); i++) {
		if (strcmp(kfunc_list[i].name, name) != 0)
			continue;
		import.throws = kfunc_list[i].throws;
		import.arg_count = kfunc_list[i].args;
	}
	return import;
}

static bool set_up(struct args *args)
{
	const struct bundle *bundle = &args->bundle;

	args->kfuncs = calloc((size_t)bundle->count[BUNDLE_KFUNCS] + 1, sizeof(*args->kfuncs));
	args->maps = calloc((size_t)bundle->count[BUNDLE_MAPS] + 1, sizeof(*args->maps));
	if (!args->kfuncs || !args->maps)
		return false;
	for (uint32_t i = 0; i < bundle->count[BUNDLE_KFUNCS]; i++)
		args->kfuncs[i] = find_kfunc(bundle->strings + bundle->kfuncs[i].name, i);
	for (uint32_t i = 0; i < bundle->count[BUNDLE_MAPS]; i++) {
		args->maps[i].object = MAP_ADDRESS(i);
		args->maps[i].value = MAP_VALUE_ADDRESS(i);
	}
	args->programs = json_array();
	return true;
}

/* Without a name: every program but those that are only run by name (SEC("?...")). */
static int compile_programs(struct args *args)
{
	struct jf_error error = { 0 };
	uint32_t index = 0;
	int status = 0;

	if (args->program) {
		if (bundle_find(&args->bundle, args->program, &index, &error) != JF_OK)
			return cli_error(args->object, NULL, &error);
		return compile_program(args, index);
	}
	for (; status == 0 && index < args->bundle.count[BUNDLE_PROGRAMS]; index++)
		if (args->bundle.strings[args->bundle.programs[index].section] != '?')
			status = compile_program(args, index);
	return status;
}

static int print_result(struct args *args)
{
	char target[96];

	if (!args->json)
		return 0;
	snprintf(target, sizeof(target), "%s/%s", args->conv->backend->name, args->conv->name);
	return json_print(json_pack("{s:s, s:O}", "target", target, "programs", args->programs));
}

static int compile_object(struct args *args)
{
	struct jf_error error = { 0 };
	void *bytes = NULL;
	size_t size;
	int status = cli_link(args->object, args->program, &bytes, &size);

	if (status != 0)
		return status;
	args->disasm = disasm_new(args->conv->backend);
	if (!args->disasm)
		status = cli_failed("LLVM cannot disassemble for %s", args->conv->backend->llvm_triple);
	else if (bundle_open(&args->bundle, bytes, size, &error) != JF_OK)
		status = cli_error(args->object, NULL, &error);
	else if (!set_up(args))
		status = cli_failed("no memory");
	else
		status = compile_programs(args);
	if (status == 0)
		status = print_result(args);
	json_decref(args->programs);
	free(args->kfuncs);
	free(args->maps);
	disasm_free(args->disasm);
	free(bytes);
	return status;
}

enum { KEY_ADDRESS = 0x300, KEY_LANDING_PADS, KEY_SIGN_RETURN, KEY_OPCODES };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 't': args->target = arg; return 0;
	case 'j': args->json = true; return 0;
	case 'x': args->hex = true; return 0;
	case KEY_OPCODES: args->opcodes = true; return 0;
	case KEY_LANDING_PADS: args->opts.landing_pads = true; return 0;
	case KEY_SIGN_RETURN: args->opts.sign_return = true; return 0;
	case KEY_ADDRESS:
		if (!cli_number(arg, 16, UINT64_MAX, &args->address))
			argp_error(state, "--address %s: not a hexadecimal number of 64 bits", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			args->object = arg;
		else if (state->arg_num == 1)
			args->program = arg;
		else
			argp_error(state, "unexpected argument %s", arg);
		return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "which OBJECT?"); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

int cmd_compile(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "target", 't', "ARCH/CONVENTION", 0,
		  "what to compile for (default: this processor's user convention)", 0 },
		{ "address", KEY_ADDRESS, "HEX", 0, "where the code will run", 0 },
		{ "landing-pads", KEY_LANDING_PADS, NULL, 0, "ENDBR64 or BTI at indirect entries", 0 },
		{ "sign-return", KEY_SIGN_RETURN, NULL, 0, "sign return addresses (PAC)", 0 },
		{ "opcodes", KEY_OPCODES, NULL, 0, "show each instruction's bytes too", 0 },
		{ "hex", 'x', NULL, 0, "print a name and the bytes, one function a line", 0 },
		{ "json", 'j', NULL, 0, "print JSON", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		options,
		parse,
		"OBJECT [PROGRAM]",
		"Compiles the BPF programs of an object file and prints the machine code of each function. "
		"Helpers, kfuncs and maps get made-up addresses.",
		NULL,
		NULL,
		NULL,
	};
	struct args args = { .opts.size = sizeof(args.opts), .address = CODE_ADDRESS };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	status = cli_convention(args.target, &args.conv);
	return status == 0 ? compile_object(&args) : status;
}
