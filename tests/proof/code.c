/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-prove-code ARCH/CONVENTION: compiles many small programs. It prints a line of JSON about the convention, and then
 * one for each line of standard input, which has these members:
 *
 *     insns    the main function, 8 bytes of each instruction in hexadecimal, as RFC 9669 encodes them
 *     address  where the code is to run
 *     others   functions behind main, as `insns`; may be missing
 *     about    which function the answer is about; 0, main, when missing
 *     import   what helpers, kfuncs and calls through registers call: address, and types [bytes, is_signed] of `result`
 *              and `args`; may be missing
 *     options  names of struct jf_compile_opts with their values; may be missing
 *
 * The answer has the code, offsets of that function's instructions, and that function's frame; or `error`.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>
#include <jitframe/compile.h>
#include <jitframe/program_array.h>

#define FUNCTIONS_MAX 4
#define CODE_MAX      (1 << 22)
#define USER_BASE     UINT64_C(0x123456789abc0000)

static uint8_t code[CODE_MAX];

static void quit(const char *what)
{
	fprintf(stderr, "jf-prove-code: %s\n", what);
	exit(2);
}

static json_t *hex(const uint8_t *bytes, size_t size)
{
	static char text[2 * CODE_MAX + 1];

	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	text[2 * size] = '\0';
	return json_string(text);
}

/* ---- the convention ----------------------------------------------------------------------------- */

static json_t *trap_of(const struct jf_backend *backend)
{
	uint8_t bytes[16];
	struct jf_code trap;

	jf_code_init(&trap, bytes, sizeof(bytes), 0, NULL, 0);
	backend->emit_trap(&trap);
	if (jf_code_finish(&trap) != JF_OK)
		quit("no trap");
	return hex(bytes, trap.size);
}

static json_t *register_names(const struct jf_backend *backend, const uint8_t *ids, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(backend->regs[ids[i]].name));
	return list;
}

static json_t *registers_of(const struct jf_backend *backend)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < backend->reg_count; i++) {
		const struct jf_reg *reg = &backend->regs[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:b, s:b, s:b, s:b, s:i}", "name", reg->name, "hw", reg->hw, "is_int",
				  reg->cls == JF_REG_INT && !(backend->ra_pushed && i == backend->ra), "is_fp",
				  reg->cls == JF_REG_FP, "is_kept", (reg->flags & JF_REG_CALLEE_SAVED) != 0, "is_zero",
				  (reg->flags & JF_REG_ZERO) != 0, "bytes", reg->size_bytes));
	}
	return list;
}

static const char *name_of(const struct jf_backend *backend, uint8_t reg)
{
	return reg == JF_REG_NONE ? NULL : backend->regs[reg].name;
}

static json_t *describe(const struct jf_convention *conv)
{
	const struct jf_backend *backend = conv->backend;

	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:s, s:o, s:s?, s:s?, "
			 "s:i, s:i, s:i, s:i, s:b, s:i, s:i, s:b, s:o, s:I, s:i, s:b, s:i, s:b, s:i, s:i, s:i, s:s?}",
			 "arch", backend->name, "convention", conv->name, "regs", registers_of(backend), "bpf",
			 register_names(backend, conv->bpf_reg, JF_BPF_REG__COUNT), "sp", name_of(backend, backend->sp),
			 "fp", name_of(backend, backend->fp), "ra", name_of(backend, backend->ra), "ra_pushed",
			 backend->ra_pushed, "result", name_of(backend, backend->result), "args",
			 register_names(backend, backend->args, backend->arg_count), "arena",
			 name_of(backend, conv->arena_reg), "count", name_of(backend, conv->count_reg), "fp_off",
			 conv->fp_off_from_cfa, "red_zone", backend->red_zone_bytes, "stack_align",
			 backend->stack_align, "result_bits", conv->result_bits, "runs", (conv->caps & JF_CAP_RUN) != 0,
			 "insn_align", backend->insn_align, "extended_bytes", backend->c_args.extended_bytes,
			 "words_signed", backend->c_args.words_signed, "trap", trap_of(backend), "caps",
			 (json_int_t)conv->caps, "frame_align", conv->frame_align, "skips_dead_uppers",
			 backend->skips_dead_uppers, "extra_arg_regs", conv->extra_arg_regs, "count_by_value",
			 conv->count_form == JF_COUNT_BY_VALUE, "count_start", conv->count_start, "max_entries_off",
			 (int)offsetof(struct jf_program_array, max_entries), "entries_off",
			 (int)offsetof(struct jf_program_array, entries), "r10_private",
			 conv->caps & JF_CAP_PRIVATE_STACK ? name_of(backend, conv->bpf_fp_private) : NULL);
}

/* ---- a program ---------------------------------------------------------------------------------- */

static int nibble(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static struct jf_function function_of(const json_t *text, const char *name)
{
	const char *digits = json_string_value(text);
	uint32_t count = digits ? (uint32_t)(strlen(digits) / 16) : 0;
	struct jf_insn *insns = calloc(count + 1, sizeof(*insns));

	if (!count || !insns)
		quit("a function without instructions");
	for (uint32_t i = 0; i < count; i++) {
		uint8_t b[8];

		for (unsigned int k = 0; k < 8; k++)
			b[k] = (uint8_t)(nibble(digits[16 * i + 2 * k]) << 4 | nibble(digits[16 * i + 2 * k + 1]));
		insns[i].opcode = b[0];
		insns[i].regs = b[1];
		insns[i].off = (int16_t)(b[2] | b[3] << 8);
		insns[i].imm = (int32_t)(b[4] | b[5] << 8 | b[6] << 16 | (uint32_t)b[7] << 24);
	}
	return (struct jf_function){name, insns, count};
}

static struct jf_c_value type_of(const json_t *pair)
{
	return (struct jf_c_value){(uint8_t)json_integer_value(json_array_get(pair, 0)),
				   json_integer_value(json_array_get(pair, 1)) != 0};
}

static struct jf_import import_of(const json_t *from)
{
	struct jf_import import = {.name = "import"};
	const json_t *args = json_object_get(from, "args");

	import.address = (uint64_t)json_integer_value(json_object_get(from, "address"));
	import.result = type_of(json_object_get(from, "result"));
	for (size_t i = 0; i < json_array_size(args) && i < JF_ARGS_MAX; i++)
		import.args[i] = type_of(json_array_get(args, i));
	if (json_array_size(args) > JF_REG_ARGS)
		import.arg_count = (uint8_t)json_array_size(args);
	return import;
}

static struct jf_compile_opts options_of(const json_t *from)
{
	struct jf_compile_opts opts = {.size = sizeof(opts)};

	opts.atomic_insns = json_is_true(json_object_get(from, "atomic_insns"));
	opts.private_stack = json_is_true(json_object_get(from, "private_stack"));
	opts.landing_pads = json_is_true(json_object_get(from, "landing_pads"));
	opts.sign_return = json_is_true(json_object_get(from, "sign_return"));
	return opts;
}

/* Where the frame has the address of the count of tail calls, else the count: bytes from the CFA; null: nowhere. */
static json_t *count_off(const struct jf_frame *frame)
{
	static const uint8_t kinds[] = {JF_SLOT_TCC_PTR, JF_SLOT_TCC};

	for (unsigned int kind = 0; kind < 2; kind++)
		for (unsigned int i = 0; i < frame->slot_count; i++)
			if (frame->slots[i].kind == kinds[kind])
				return json_integer(frame->slots[i].off_from_cfa);
	return json_null();
}

static json_t *answer(const struct jf_image *image, const struct jf_convention *conv, uint32_t about)
{
	const struct jf_image_function *f = jf_image_function_at(image, about);
	json_t *offs = json_array(), *starts = json_array();
	bool is_private = f->frame->spec.private_stack;
	uint32_t entry_off = 0;

	for (uint32_t i = 0; i <= f->insn_count; i++)
		json_array_append_new(offs, json_integer(f->start + f->insn_off[i]));
	for (uint32_t i = 0; i < image->function_count; i++)
		json_array_append_new(starts, json_integer(jf_image_function_at(image, i)->start));
	if (f->frame->spec.tail_calls && jf_tail_entry_off(conv, &f->frame->spec, &entry_off) != JF_OK)
		quit("a tail call without an entry");
	return json_pack("{s:o, s:o, s:o, s:i, s:s, s:b, s:i, s:i, s:i, s:i, s:o}", "code",
			 hex(code, image->size_bytes), "offs", offs, "starts", starts, "frame_bytes",
			 (int)f->frame->size_bytes, "r10",
			 name_of(conv->backend, is_private ? conv->bpf_fp_private : conv->bpf_reg[JF_BPF_FP]),
			 "is_private", is_private, "r10_from_fp", f->frame->bpf_fp_off_from_cfa - conv->fp_off_from_cfa,
			 "bpf_stack_bytes", (int)f->frame->spec.bpf_stack_bytes, "out_args_bytes",
			 (int)f->frame->out_args_bytes, "tail_entry", (int)entry_off, "count_off", count_off(f->frame));
}

static json_t *compile(const struct jf_convention *conv, const json_t *request)
{
	struct jf_function functions[FUNCTIONS_MAX] = {function_of(json_object_get(request, "insns"), "main")};
	const json_t *others = json_object_get(request, "others");
	struct jf_import imports[2] = {import_of(json_object_get(request, "import"))};
	struct jf_compile_opts opts = options_of(json_object_get(request, "options"));
	struct jf_map_ref map = {.object = UINT64_C(0x1122334455667788), .value = UINT64_C(0x7fff12345678)};
	struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = 1,
		.callback = -1,
		.helpers = imports,
		.helper_count = 2,
		.kfuncs = imports,
		.kfunc_count = 2,
		.maps = &map,
		.map_count = 1,
		.arena_user_base = USER_BASE,
		.call_register = imports[0],
	};
	uint64_t address = (uint64_t)json_integer_value(json_object_get(request, "address"));
	uint32_t about = (uint32_t)json_integer_value(json_object_get(request, "about"));
	struct jf_error error = {0};
	struct jf_image *image = NULL;
	json_t *result;

	imports[1] = imports[0];
	for (; program.function_count <= json_array_size(others) && program.function_count < FUNCTIONS_MAX;
	     program.function_count++)
		functions[program.function_count] =
			function_of(json_array_get(others, program.function_count - 1), "other");
	if (jf_compile(conv, &program, &opts, code, sizeof(code), address, &image, &error) == JF_OK)
		result = answer(image, conv, about);
	else
		result = json_pack("{s:s+}", "error", error.where, error.text);
	jf_image_free(image);
	for (uint32_t i = 0; i < program.function_count; i++)
		free((void *)(uintptr_t)functions[i].insns);
	return result;
}

static void print(json_t *value)
{
	if (!value || json_dumpf(value, stdout, JSON_COMPACT))
		quit("no answer");
	putchar('\n');
	json_decref(value);
	/* Whoever asks waits for the answer. */
	if (fflush(stdout))
		quit("nobody reads the answers");
}

int main(int argc, char **argv)
{
	const struct jf_convention *conv;
	struct jf_error error = {0};
	char *line = NULL;
	size_t size = 0;

	if (argc != 2 || jf_convention_find(argv[1], &conv, &error) != JF_OK)
		quit(argc == 2 ? error.text : "usage: jf-prove-code ARCH/CONVENTION");
	print(describe(conv));
	while (getline(&line, &size, stdin) > 0) {
		json_t *request = json_loads(line, 0, NULL);

		if (!request)
			quit("a line is no JSON");
		print(compile(conv, request));
		json_decref(request);
	}
	free(line);
	return 0;
}
