/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <jitframe/describe.h>

#include "cli.h"
#include "json.h"

/* jitframe emit */

enum { CODE_BYTES = 4096, ROWS = 512 };

struct args {
	struct spec_args spec;
	struct jf_values values;
	enum jf_part part;
	bool json;
	bool hex;
};

static const char *const part_names[] = {
	[JF_PART_PROLOGUE] = "prologue",
	[JF_PART_EPILOGUE] = "epilogue",
	[JF_PART_TAIL_EXIT] = "tail-exit",
	[JF_PART_ALL] = "all",
};

enum { KEY_PART = 0x300, KEY_ARENA_BASE, KEY_PRIVATE_STACK_AT };

static void parse_part(struct args *args, const char *name, struct argp_state *state)
{
	for (unsigned int i = 0; i < sizeof(part_names) / sizeof(part_names[0]); i++) {
		if (strcmp(part_names[i], name) == 0) {
			args->part = (enum jf_part)i;
			return;
		}
	}
	argp_error(state, "--part %s: not one of prologue, epilogue, tail-exit, all", name);
}

static uint64_t parse_address(const char *option, const char *text, struct argp_state *state)
{
	uint64_t value = 0;

	if (!cli_number(text, 16, UINT64_MAX, &value))
		argp_error(state, "%s %s: not a hexadecimal number of 64 bits", option, text);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->spec; return 0;
	case KEY_PART: parse_part(args, arg, state); return 0;
	case KEY_ARENA_BASE: args->values.arena_base = parse_address("--arena-base", arg, state); return 0;
	case KEY_PRIVATE_STACK_AT:
		args->values.private_stack = parse_address("--private-stack-at", arg, state);
		return 0;
	case 'x': args->hex = true; return 0;
	case 'j': args->json = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* The code and how each instruction of it is shown. */
struct listing {
	const struct jf_frame *frame;
	const struct jf_code *code;
	struct disasm *disasm;
	uint32_t off;
	size_t length;
	char bytes[64];
	char text[160];
	char row[256];
};

/* returns: false behind the last instruction. */
static bool next_insn(struct listing *l)
{
	const struct jf_row *row;

	l->off += (uint32_t)l->length;
	if (l->off >= l->code->size)
		return false;
	l->length = disasm_insn(l->disasm, l->code->bytes + l->off, l->code->size - l->off, l->code->address + l->off,
				l->text, sizeof(l->text));
	disasm_bytes(l->code->bytes + l->off, l->length, l->bytes, sizeof(l->bytes));
	row = jf_row_find(l->code->rows, l->code->row_count, l->off);
	snprintf(l->row, sizeof(l->row), "-");
	if (row)
		jf_row_text(l->frame->conv->backend, row, l->frame->slots, l->frame->slot_count, l->row,
			    sizeof(l->row));
	return true;
}

static const char *const mark_names[JF_MARK__COUNT] = {
	[JF_MARK_TAIL_ENTRY] = "tail-call entry",
	[JF_MARK_BODY] = "body",
	[JF_MARK_EPILOGUE] = "epilogue",
};

static void print_marks(const struct jf_code *code, uint32_t off)
{
	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		if (code->marks[i] == off)
			printf("%s:\n", mark_names[i]);
}

static int print_text(struct listing *l, const struct args *args)
{
	const struct jf_convention *conv = l->frame->conv;
	int width = 11;

	for (struct listing measure = *l; next_insn(&measure);)
		if ((int)strlen(measure.bytes) > width)
			width = (int)strlen(measure.bytes);
	printf("%s/%s %s, %s: %zu bytes, frame of %u bytes\n", conv->backend->name, conv->name,
	       jf_role_name((enum jf_role)l->frame->spec.role), part_names[args->part], l->code->size,
	       l->frame->size_bytes);
	while (next_insn(l)) {
		print_marks(l->code, l->off);
		printf("%6u:  %-*s  %-36s  %s\n", l->off, width, l->bytes, l->text, l->row);
	}
	print_marks(l->code, (uint32_t)l->code->size);
	return 0;
}

static json_t *json_row(const struct listing *l)
{
	const struct jf_row *row = jf_row_find(l->code->rows, l->code->row_count, l->off);
	const struct jf_backend *backend = l->frame->conv->backend;
	json_t *saved;

	if (!row || (row->flags & JF_ROW_UNKNOWN))
		return json_null();
	saved = json_object();
	for (unsigned int i = 0; i < l->frame->slot_count; i++)
		if (row->saved & UINT32_C(1) << i)
			json_object_set_new(saved, backend->regs[l->frame->slots[i].reg].name,
					    json_integer(l->frame->slots[i].off_from_cfa));
	return json_pack("{s:s, s:i, s:o, s:b, s:b}", "cfa_register", backend->regs[row->cfa_reg].name, "cfa_off",
			 (int)row->cfa_off, "saved_off_from_cfa", saved, "ra_signed",
			 (row->flags & JF_ROW_RA_SIGNED) != 0, "others_lost", (row->flags & JF_ROW_REGS_LOST) != 0);
}

static int print_json(struct listing *l, const struct args *args)
{
	const struct jf_convention *conv = l->frame->conv;
	json_t *insns = json_array(), *marks = json_object();

	for (unsigned int i = 0; i < JF_MARK__COUNT; i++)
		if (l->code->marks[i] != JF_MARK_UNSET)
			json_object_set_new(marks, mark_names[i], json_integer(l->code->marks[i]));
	while (next_insn(l))
		json_array_append_new(insns, json_pack("{s:I, s:o, s:s, s:o}", "offset", (json_int_t)l->off, "bytes",
						       json_bytes(l->code->bytes + l->off, l->length), "text", l->text,
						       "row", json_row(l)));
	return json_print(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "arch", conv->backend->name,
				    "convention", conv->name, "role", jf_role_name((enum jf_role)l->frame->spec.role),
				    "part", part_names[args->part], "size_bytes", (json_int_t)l->code->size,
				    "frame_bytes", (json_int_t)l->frame->size_bytes, "code",
				    json_bytes(l->code->bytes, l->code->size), "marks", marks, "instructions", insns));
}

static int print_code(const struct args *args, const struct jf_frame *frame, const struct jf_code *code)
{
	struct listing listing = {.frame = frame, .code = code};
	int status;

	if (args->hex) {
		cli_print_hex(code->bytes, code->size);
		return 0;
	}
	listing.disasm = disasm_new(frame->conv->backend);
	if (!listing.disasm)
		return cli_failed("LLVM cannot disassemble for %s", frame->conv->backend->llvm_triple);
	status = args->json ? print_json(&listing, args) : print_text(&listing, args);
	disasm_free(listing.disasm);
	return status;
}

static int emit(const struct args *args)
{
	const struct jf_convention *conv = args->spec.conv;
	static uint8_t bytes[CODE_BYTES];
	static struct jf_row rows[ROWS];
	struct jf_error error = {0};
	struct jf_frame frame;
	struct jf_code code;
	enum jf_status status;
	char target[96];

	snprintf(target, sizeof(target), "%s/%s", conv->backend->name, conv->name);
	if (jf_frame_solve(conv, &args->spec.spec, &frame, &error) != JF_OK)
		return cli_error(target, NULL, &error);
	jf_code_init(&code, bytes, sizeof(bytes), 0, rows, ROWS);
	status = jf_frame_emit(&code, &frame, args->part, &args->values);
	if (status == JF_E_UNSUPPORTED && args->part == JF_PART_TAIL_EXIT && !args->spec.spec.tail_calls)
		return cli_bad_input("%s: a tail exit needs --tail-calls", target);
	if (status == JF_E_UNSUPPORTED && args->part == JF_PART_TAIL_EXIT && args->spec.spec.role == JF_ROLE_CALLBACK)
		return cli_bad_input("%s: a callback makes no tail calls, so its frame has no tail exit: --role main, "
				     "subprogram or boundary have one",
				     target);
	if (status != JF_OK) {
		(void)jf_error_set(&error, status, part_names[args->part], "byte %zu: %s", code.fail_off,
				   jf_status_text(status));
		return cli_error(target, NULL, &error);
	}
	return print_code(args, &frame, &code);
}

int cmd_emit(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"arena-base", KEY_ARENA_BASE, "HEX", 0, "address that the prologue loads with --arena", 1},
		{"private-stack-at", KEY_PRIVATE_STACK_AT, "HEX", 0, "address for --private-stack", 1},
		{NULL, 0, NULL, 0, "Output:", 2},
		{"part", KEY_PART, "PART", 0, "prologue, epilogue, tail-exit or all (default)", 2},
		{"hex", 'x', NULL, 0, "print the bytes alone", 2},
		{"json", 'j', NULL, 0, "print JSON", 2},
		{0},
	};
	static const struct argp_child children[] = {{&spec_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		options,
		parse,
		"ARCH/CONVENTION",
		"Emits a frame's code and shows, for each instruction, its offset, its bytes, its text, and "
		"where the caller's registers are when it is about to run.",
		children,
		NULL,
		NULL,
	};
	struct args args = {.spec.spec = JF_FRAME_SPEC_INIT, .part = JF_PART_ALL};

	cli_parse(&argp, argc, argv, &args);
	return emit(&args);
}
