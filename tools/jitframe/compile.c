/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/describe.h>
#include <jitframe/program.h>

#include "bundle.h"
#include "cli.h"
#include "json.h"

/* jitframe compile */

/*
 * Nothing runs here, so what programs call and address stands at made-up places, each its own: far from
 * the code, as C code is for a JIT in user space.
 */
#define CODE_ADDRESS UINT64_C(0x7f0000000000)
#define HELPER_ADDRESS(number) (UINT64_C(0x7f1000000000) + (uint64_t)(number) * 64)
#define KFUNC_ADDRESS(index) (UINT64_C(0x7f1100000000) + (uint64_t)(index) * 64)
#define MAP_ADDRESS(index) (UINT64_C(0x7f2000000000) + (uint64_t)(index) * 4096)
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
#define HELPER(number, name) [number] = { "bpf_" #name, HELPER_ADDRESS(number), false },
#include "helpers.def"
#undef HELPER
};

static const struct {
	const char *name;
	bool throws;
} kfunc_list[] = {
#define KFUNC(name, throws) { #name, throws },
#include "kfuncs.def"
#undef KFUNC
};

/* ---- one function ------------------------------------------------------------------------------- */

enum { OP_LDDW = 0x18, OP_CALL = 0x85 };

/* One compiled program being shown. */
struct shown {
	const struct args *args;
	const struct bundle_program *program;
	const struct jf_program *source;
	const struct jf_image *image;
	const uint8_t *bytes;
};

static const char *map_name(const struct shown *s, uint32_t index)
{
	return s->args->bundle.strings + s->args->bundle.maps[index].name;
}

/* What the instruction refers to by name; "" when nothing. jf_compile() has checked the indexes. */
static void reference_text(const struct shown *s, const struct jf_insn *insn, char *text, size_t capacity)
{
	uint32_t imm = (uint32_t)insn->imm;
	unsigned int src = insn->regs >> 4;

	text[0] = '\0';
	if (insn->opcode == OP_CALL)
		snprintf(text, capacity, "call %s", src == 0 ? s->source->helpers[imm].name :
						      src == 1 ? s->source->functions[imm].name :
								 s->source->kfuncs[imm].name);
	else if (insn->opcode == OP_LDDW && src == 1)
		snprintf(text, capacity, "map %s", map_name(s, imm));
	else if (insn->opcode == OP_LDDW && src == 2)
		snprintf(text, capacity, "%s+%u", map_name(s, imm), (uint32_t)insn[1].imm);
	else if (insn->opcode == OP_LDDW && src == 4)
		snprintf(text, capacity, "function %s", s->source->functions[imm].name);
}

/* The machine instructions of a function, one after the other. */
struct cursor {
	const struct shown *s;
	const struct jf_image_function *function;
	const struct jf_function *source; /* NULL: not of the object */
	uint32_t off;
	size_t length;
	uint32_t next_insn; /* BPF instruction whose code comes next */
	char text[160];
	char comment[160];
};

static void start(struct cursor *c, const struct shown *s, uint32_t index)
{
	*c = (struct cursor){ .s = s, .function = &s->image->functions[index] };
	if (index < s->source->function_count)
		c->source = &s->source->functions[index];
}

/* The comment stands at the first machine instruction of a BPF instruction. */
static void set_comment(struct cursor *c)
{
	const uint32_t *insn_off = c->function->insn_off;

	c->comment[0] = '\0';
	while (c->source && insn_off && c->next_insn < c->source->insn_count && insn_off[c->next_insn] <= c->off) {
		const struct jf_insn *insn = &c->source->insns[c->next_insn];
		uint32_t after = c->next_insn + (insn->opcode == OP_LDDW ? 2 : 1);

		if (insn_off[c->next_insn] == c->off && insn_off[after] > c->off)
			reference_text(c->s, insn, c->comment, sizeof(c->comment));
		c->next_insn = after;
	}
}

static bool next(struct cursor *c)
{
	const struct jf_image_function *f = c->function;

	c->off += (uint32_t)c->length;
	if (c->off >= f->size_bytes)
		return false;
	c->length = disasm_insn(c->s->args->disasm, c->s->bytes + f->start + c->off, f->size_bytes - c->off,
				c->s->image->address + f->start + c->off, c->text, sizeof(c->text));
	set_comment(c);
	return true;
}

static const char *role_name(const struct jf_image_function *function)
{
	return function->is_stub ? "stub" : jf_role_name((enum jf_role)function->frame.spec.role);
}

static void print_function(const struct shown *s, uint32_t index)
{
	struct cursor c;

	start(&c, s, index);
	printf("%s %s, %u bytes", role_name(c.function), c.function->name, c.function->size_bytes);
	if (!c.function->is_stub)
		printf(", frame of %u bytes", c.function->frame.size_bytes);
	puts(":");
	while (next(&c)) {
		if (c.comment[0])
			printf("%4x:\t%-36s ; %s\n", c.off, c.text, c.comment);
		else
			printf("%4x:\t%s\n", c.off, c.text);
		if (s->args->opcodes) {
			char bytes[64];

			disasm_bytes(s->bytes + c.function->start + c.off, c.length, bytes, sizeof(bytes));
			printf("\t%s\n", bytes);
		}
	}
}

static json_t *json_function(const struct shown *s, uint32_t index)
{
	json_t *insns = json_array();
	struct cursor c;

	start(&c, s, index);
	while (next(&c)) {
		json_t *insn = json_pack("{s:I, s:o, s:s}", "offset", (json_int_t)c.off, "bytes",
					 json_bytes(s->bytes + c.function->start + c.off, c.length), "text", c.text);

		if (insn && c.comment[0])
			json_object_set_new(insn, "refers_to", json_text(c.comment));
		json_array_append_new(insns, insn);
	}
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:o, s:o}", "name", json_text(c.function->name), "role",
			 role_name(c.function), "address", json_hex(s->image->address + c.function->start), "size_bytes",
			 (json_int_t)c.function->size_bytes, "frame_bytes", (json_int_t)c.function->frame.size_bytes,
			 "code", json_bytes(s->bytes + c.function->start, c.function->size_bytes), "instructions", insns);
}

/* ---- one program -------------------------------------------------------------------------------- */

static void print_hex(const struct shown *s)
{
	for (uint32_t i = 0; i < s->image->function_count; i++) {
		const struct jf_image_function *function = &s->image->functions[i];

		printf("%s ", function->name);
		cli_print_hex(s->bytes + function->start, function->size_bytes);
	}
}

static void show(const struct shown *s)
{
	const struct args *args = s->args;
	const char *strings = args->bundle.strings;

	if (args->json) {
		json_t *functions = json_array();

		for (uint32_t i = 0; i < s->image->function_count; i++)
			json_array_append_new(functions, json_function(s, i));
		json_array_append_new(args->programs,
				      json_pack("{s:o, s:o, s:o, s:I, s:o}", "name", json_text(strings + s->program->name),
						"section", json_text(strings + s->program->section), "address",
						json_hex(s->image->address), "size_bytes",
						(json_int_t)s->image->size_bytes, "functions", functions));
	} else if (args->hex) {
		print_hex(s);
	} else {
		printf("program %s, section %s, %s/%s: %zu bytes at 0x%" PRIx64 "\n", strings + s->program->name,
		       strings + s->program->section, args->conv->backend->name, args->conv->name, s->image->size_bytes,
		       s->image->address);
		for (uint32_t i = 0; i < s->image->function_count; i++)
			print_function(s, i);
	}
}

static int compile_selection(struct args *args, uint32_t index, struct jf_program *program)
{
	size_t capacity = jf_compile_bound(program);
	uint8_t *bytes = malloc(capacity ? capacity : 1);
	struct jf_error error = { 0 };
	struct jf_image *image;
	int status = 0;

	if (!bytes)
		return cli_failed("no memory");
	if (jf_compile(args->conv, program, &args->opts, bytes, capacity, args->address, &image, &error) != JF_OK) {
		status = cli_error(args->object, "function", &error);
	} else {
		struct shown shown = { args, &args->bundle.programs[index], program, image, bytes };

		show(&shown);
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
	status = compile_selection(args, index, &selection.program);
	bundle_selection_free(&selection);
	return status;
}

/* ---- one object --------------------------------------------------------------------------------- */

static struct jf_import find_kfunc(const char *name, uint32_t index)
{
	struct jf_import import = { name, KFUNC_ADDRESS(index), false };

	for (size_t i = 0; i < sizeof(kfunc_list) / sizeof(kfunc_list[0]); i++)
		if (strcmp(kfunc_list[i].name, name) == 0)
			import.throws = kfunc_list[i].throws;
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

enum { KEY_ADDRESS = 0x300, KEY_LANDING_PADS, KEY_SIGN_RETURN };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case 't': args->target = arg; return 0;
	case 'j': args->json = true; return 0;
	case 'x': args->hex = true; return 0;
	case 'o': args->opcodes = true; return 0;
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
		{ "target", 't', "ARCH/CONVENTION", 0, "what to compile for (default: this processor's user convention)", 0 },
		{ "address", KEY_ADDRESS, "HEX", 0, "where the code will run", 0 },
		{ "landing-pads", KEY_LANDING_PADS, NULL, 0, "ENDBR64 or BTI at indirect entries", 0 },
		{ "sign-return", KEY_SIGN_RETURN, NULL, 0, "sign return addresses (PAC)", 0 },
		{ "opcodes", 'o', NULL, 0, "show each instruction's bytes too", 0 },
		{ "hex", 'x', NULL, 0, "print a name and the bytes, one function a line", 0 },
		{ "json", 'j', NULL, 0, "print JSON", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		options, parse, "OBJECT [PROGRAM]",
		"Compiles the BPF programs of an object file and prints the machine code of each function. Helpers, "
		"kfuncs and maps get made-up addresses.", NULL, NULL, NULL,
	};
	struct args args = { .opts.size = sizeof(args.opts), .address = CODE_ADDRESS };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	status = cli_convention(args.target, &args.conv);
	return status == 0 ? compile_object(&args) : status;
}
