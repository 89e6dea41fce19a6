/* SPDX-License-Identifier: BSD-2-Clause */
#include "checked.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_jit.h"
#include "object.h"

/* jitframe check: from a file to the verdicts on its functions. */

/* FINDINGS: all that jf_check() counts. */
enum { FINDINGS = 1024, SLOTS = 32 };

/* ---- one function ------------------------------------------------------------------------------------ */

static int failed(const char *name, enum jf_status status, struct jf_error *error)
{
	/* Not every failure has a sentence. */
	error->status = status;
	return cli_error(name, NULL, error);
}

/* Rows are derived in two turns: how many, then them. */
static int derive_rows(struct checked *c, struct jf_row **rows, struct jf_slot slots[SLOTS])
{
	struct jf_error error = {0};
	size_t row_count = 0, slot_count = SLOTS;
	enum jf_status status = jf_check_rows(c->input, NULL, &row_count, slots, &slot_count, &error);

	if (status == JF_E_NOSPACE) {
		*rows = calloc(row_count + 1, sizeof(**rows));
		if (!*rows)
			return cli_failed("no memory");
		slot_count = SLOTS;
		status = jf_check_rows(c->input, *rows, &row_count, slots, &slot_count, &error);
	}
	if (status != JF_OK)
		return failed(c->name, status, &error);
	c->rows = *rows;
	c->row_count = row_count;
	c->slots = slots;
	c->slot_count = slot_count;
	return 0;
}

static int check_function(struct check_args *args, const char *name, const struct jf_check_input *input,
			  const struct jf_inferred *inferred)
{
	static struct jf_finding findings[FINDINGS];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = FINDINGS};
	struct checked checked = {.name = name, .input = input, .inferred = inferred, .report = &report};
	struct jf_slot slots[SLOTS];
	struct jf_row *rows = NULL;
	struct jf_error error = {0};
	enum jf_status status = jf_check(input, &report, &error);
	int exit_status = 0;

	if (status != JF_OK)
		return failed(name, status, &error);
	if (args->output.rows)
		exit_status = derive_rows(&checked, &rows, slots);
	if (exit_status == 0)
		check_print(&args->output, &checked);
	free(rows);
	return exit_status;
}

/* ---- machine code ------------------------------------------------------------------------------------ */

static bool add_target(struct check_args *args, struct jf_check_target *targets, size_t *count,
		       const struct machine_code *code)
{
	memcpy(targets, args->targets, args->target_count * sizeof(*targets));
	*count = args->target_count;
	for (size_t i = 0; i < code->count; i++) {
		const struct code_function *f = &code->functions[i];

		if (f->address)
			targets[(*count)++] = (struct jf_check_target){f->address, f->address + f->size, JF_TARGET_BPF};
	}
	return *count > 0;
}

static int check_code_function(struct check_args *args, const struct machine_code *code, size_t index,
			       const struct jf_check_target *targets, size_t target_count,
			       const struct jf_inferred *inferred)
{
	const struct code_function *function = &code->functions[index];
	struct jf_check_input input = JF_CHECK_INPUT_INIT;

	if (function->is_context)
		return 0;
	input.kind = args->kind;
	input.conv = args->spec.conv;
	input.bytes = function->bytes;
	input.byte_count = function->size;
	input.address = function->address ? function->address : args->address;
	input.targets = targets;
	input.target_count = target_count;
	input.c_align = args->c_align;
	input.jump_targets = args->jumps;
	input.jump_target_count = args->jump_count;
	input.in_kernel = args->output.in_kernel;
	if (args->kind == JF_CHECK_FUNCTION && check_is_call_stub(input.conv, function))
		input.kind = JF_CHECK_CALL_STUB;
	if (input.kind != JF_CHECK_FUNCTION)
		return check_function(args, function->name, &input, NULL);
	input.spec = inferred[index].spec;
	input.cleanups = args->cleanups;
	input.cleanup_count = args->cleanup_count;
	input.spill_off = args->spill_off;
	input.throw_off = args->throw_off;
	input.boundary = check_boundary_of(args, code, inferred);
	input.marks[JF_MARK_BODY] = inferred[index].body_off;
	return check_function(args, function->name, &input, &inferred[index]);
}

static void open_output(struct check_args *args)
{
	args->output.conv = args->spec.conv;
	args->output.functions = json_array();
	args->output.c_align = args->c_align;
	args->output.in_kernel = !(args->spec.conv->caps & JF_CAP_USER_BASE);
	args->output.spec_given = args->spec.role_given;
}

static int check_functions(struct check_args *args, const struct machine_code *code)
{
	struct jf_check_target *targets = calloc(args->target_count + code->count, sizeof(*targets));
	struct jf_inferred *inferred = calloc(code->count, sizeof(*inferred));
	size_t target_count = 0;
	int status = targets && inferred ? 0 : cli_failed("no memory");

	open_output(args);
	if (status == 0 && code->backend && code->backend != args->spec.conv->backend)
		status = cli_bad_input("%s: it is for %s, not for %s", code->path, code->backend->name,
				       args->spec.conv->backend->name);
	if (status == 0 && args->cleanup_count && code->count > 1 && !args->function)
		status = cli_bad_input("%s: it has %zu functions: name the one that --cleanup speaks of", code->path,
				       code->count);
	if (status == 0 && !add_target(args, targets, &target_count, code)) {
		free(targets);
		targets = NULL;
	}
	if (status == 0 && args->kind == JF_CHECK_FUNCTION)
		status = check_infer_all(args, code, inferred);
	if (status == 0 && !args->output.json && !args->output.quiet)
		check_print_assumed(&args->output);
	for (size_t i = 0; status == 0 && i < code->count; i++)
		status = check_code_function(args, code, i, targets, target_count, inferred);
	free(inferred);
	free(targets);
	return status == 0 ? check_print_end(&args->output) : status;
}

static int check_machine_code(struct check_args *args)
{
	struct machine_code code;
	int status = code_read(&code, args->path, args->format, args->function);

	if (status == 0)
		status = check_choose_target(args, &code);
	if (status == 0)
		status = check_functions(args, &code);
	code_free(&code);
	return status;
}

/* ---- BPF objects -------------------------------------------------------------------------------------- */

static enum jf_target_kind import_kind(const struct jf_import *import, enum jf_target_kind other)
{
	return import->resumes ? JF_TARGET_RESUME : import->throws ? JF_TARGET_THROW : other;
}

/* A stub has the name of what it calls. */
static enum jf_target_kind image_target_kind(const struct listing *listing, const struct jf_image_function *f)
{
	const struct jf_program *program = listing->source;

	for (uint32_t i = 0; f->is_stub && i < program->kfunc_count; i++)
		if (strcmp(program->kfuncs[i].name, f->name) == 0)
			return import_kind(&program->kfuncs[i], JF_TARGET_CALL_STUB);
	return f->is_stub ? JF_TARGET_CALL_STUB : JF_TARGET_BPF;
}

/* Functions and stubs, then what throws and resumes. returns: how many. */
static size_t image_targets(const struct listing *listing, struct jf_check_target *targets)
{
	const struct jf_image *image = listing->image;
	const struct jf_program *program = listing->source;
	size_t count = 0;

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);
		uint64_t start = image->address + f->start;

		targets[count++] =
			(struct jf_check_target){start, start + f->size_bytes, (uint8_t)image_target_kind(listing, f)};
	}
	for (uint32_t i = 0; i < program->kfunc_count; i++) {
		const struct jf_import *import = &program->kfuncs[i];

		if (import->address && (import->throws || import->resumes))
			targets[count++] = (struct jf_check_target){import->address, import->address + 1,
								    (uint8_t)import_kind(import, JF_TARGET_C)};
	}
	return count;
}

static int check_image_function(struct check_args *args, const struct listing *listing, uint32_t index,
				const struct jf_check_target *targets, size_t target_count)
{
	const struct jf_image *image = listing->image;
	const struct jf_image_function *f = jf_image_function_at(image, index);
	struct jf_check_input input = JF_CHECK_INPUT_INIT;

	input.kind = f->is_stub ? JF_CHECK_CALL_STUB : JF_CHECK_FUNCTION;
	input.conv = image->conv;
	input.bytes = listing->bytes + f->start;
	input.byte_count = f->size_bytes;
	input.address = image->address + f->start;
	input.spec = f->frame->spec;
	input.boundary = &jf_image_function_at(image, 0)->frame->spec;
	memcpy(input.marks, f->marks, sizeof(input.marks));
	input.rows = f->rows;
	input.row_count = f->row_count;
	input.slots = f->frame->slots;
	input.slot_count = f->frame->slot_count;
	input.targets = targets;
	input.target_count = target_count;
	input.cleanups = f->cleanups;
	input.cleanup_count = f->frame->spec.cleanups ? f->cleanup_count : 0;
	input.c_align = image->conv->backend->stack_align;
	return check_function(args, f->name, &input, NULL);
}

/* A program that is refused keeps no other one from its verdicts. */
static int check_programs(struct check_args *args, const struct object *object)
{
	int status = object_compile(object);
	int printed = status == 0 || args->output.checked ? check_print_end(&args->output) : 0;

	return status == 0 ? printed : status;
}

static void begin_program(struct check_args *args, const struct listing *listing)
{
	args->output.program = listing->bundle->strings + listing->program->name;
}

/* Every function of a compiled program: with the rows that were made for it, and with its boundary. */
static int check_image(void *arg, struct listing *listing)
{
	const struct jf_image *image = listing->image;
	struct jf_check_target *targets =
		calloc(image->function_count + (size_t)listing->source->kfunc_count, sizeof(*targets));
	struct check_args *args = arg;
	int status = targets ? 0 : cli_failed("no memory");
	size_t count = status == 0 ? image_targets(listing, targets) : 0;

	begin_program(args, listing);
	for (uint32_t i = 0; status == 0 && i < image->function_count; i++)
		status = check_image_function(args, listing, i, targets, count);
	free(targets);
	return status;
}

/* ---- BPF objects by a kernel's JIT --------------------------------------------------------------------- */

struct kernel_check {
	struct check_args *args;
	struct kernel_jit jit;
	unsigned int refused; /* programs; the others are judged all the same */
};

static int check_kernel_function(struct check_args *args, const struct kernel_code *code, uint32_t index,
				 const struct jf_check_target *targets)
{
	const struct kernel_function *f = &code->functions[index];
	struct jf_check_input input = JF_CHECK_INPUT_INIT;

	input.conv = args->spec.conv;
	input.bytes = f->bytes;
	input.byte_count = f->size;
	input.address = f->address;
	input.spec = f->spec;
	input.boundary = code->functions[0].spec.role == JF_ROLE_BOUNDARY ? &code->functions[0].spec : NULL;
	if (f->insn_off && f->insn_off[0])
		input.marks[JF_MARK_BODY] = f->insn_off[0];
	input.targets = targets;
	input.target_count = code->count;
	input.c_align = args->c_align;
	input.in_kernel = args->output.in_kernel;
	return check_function(args, f->name, &input, NULL);
}

static int check_kernel_code(void *arg, struct listing *listing)
{
	struct kernel_check *check = arg;
	struct jf_check_target *targets = NULL;
	struct kernel_code code;
	int status = kernel_jit_compile(&check->jit, listing, &code);

	begin_program(check->args, listing);
	check->refused += status != 0;
	if (status != 0) {
		kernel_code_free(&code);
		return 0;
	}
	targets = calloc(code.count, sizeof(*targets));
	if (!targets)
		status = cli_failed("no memory");
	for (uint32_t i = 0; status == 0 && i < code.count; i++)
		targets[i] = (struct jf_check_target){
			code.functions[i].address, code.functions[i].address + code.functions[i].size, JF_TARGET_BPF};
	for (uint32_t i = 0; status == 0 && i < code.count; i++)
		status = check_kernel_function(check->args, &code, i, targets);
	free(targets);
	kernel_code_free(&code);
	return status;
}

static int check_by_kernel_jit(struct check_args *args)
{
	struct kernel_check check = {.args = args};
	struct object object = {
		.path = args->path,
		.program = args->function,
		.opts = {.size = sizeof(object.opts)},
		.show = check_kernel_code,
		.arg = &check,
	};
	int status = kernel_jit_open(&check.jit, args->jit, args->target, KERNEL_TO_SEE);

	object.opts.private_stack = args->spec.spec.private_stack;
	object.opts.indexed_stack_bytes = args->indexed_stack_bytes;
	if (status == 0)
		status = kernel_jit_set_up(&check.jit, &object);
	if (status != 0)
		return status;
	args->spec.conv = object.conv;
	open_output(args);
	if (!args->output.json && !args->output.quiet)
		check_print_assumed(&args->output);
	status = check_programs(args, &object);
	if (check.refused)
		cli_failed("%s: the JIT has refused %u of the programs", args->path, check.refused);
	return status == 0 && check.refused ? CLI_FAILED : status;
}

static int check_object(struct check_args *args)
{
	struct object object = {
		.path = args->path,
		.program = args->function,
		.opts = {.size = sizeof(object.opts),
			 .landing_pads = args->spec.spec.landing_pads,
			 .sign_return = args->spec.spec.sign_return,
			 .indexed_stack_bytes = args->indexed_stack_bytes},
		.address = args->address ? args->address : OBJECT_ADDRESS,
		.show = check_image,
		.arg = args,
	};
	int status = cli_convention(args->target, &args->spec.conv);

	object.conv = args->spec.conv;
	if (status == 0)
		open_output(args);
	args->output.is_compiled = true;
	return status == 0 ? check_programs(args, &object) : status;
}

static bool is_bpf_object(const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "rb") : NULL;
	Elf64_Ehdr header;
	bool is_bpf;

	if (!file)
		return false;
	is_bpf = fread(&header, sizeof(header), 1, file) == 1 && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
		 header.e_machine == EM_BPF;
	fclose(file);
	return is_bpf;
}

int check_file(struct check_args *args)
{
	int status;

	if (args->html) {
		args->output.page = page_new(args->html, args->path);
		args->output.quiet = strcmp(args->html, "-") == 0;
		if (!args->output.page)
			return CLI_FAILED;
	}
	if (is_bpf_object(args->path))
		status = args->jit ? check_by_kernel_jit(args) : check_object(args);
	else if (args->jit || args->indexed_stack_bytes)
		status = cli_bad_input("%s: %s is about BPF objects, and this is none", args->path,
				       args->jit ? "--jit" : "--indexed-stack");
	else
		status = check_machine_code(args);
	page_free(args->output.page);
	json_decref(args->output.functions);
	disasm_free(args->output.disasm);
	return status;
}
