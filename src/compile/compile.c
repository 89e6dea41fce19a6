/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

#include "base/memory.h"
#include "base/sized.h"
#include "codemap/source.h"

/* jf_compile(): arguments, the compiler's parts one after the other, the image. */

static const struct jf_compile_opts default_opts = {.size = sizeof(default_opts)};

static enum jf_status check_lines(const struct jf_program *program, struct jf_error *error)
{
	for (uint32_t i = 0; program->lines && i < program->function_count; i++) {
		const struct jf_source_lines *lines = &program->lines[i];
		const char *wrong = jf_source_lines_wrong(lines->lines, lines->count, program->functions[i].insn_count);

		if (wrong)
			return jf_error_set(error, JF_E_INVAL, "lines", "of function %u: %s", i, wrong);
	}
	return JF_OK;
}

enum jf_status jf_compiler_read(const struct jf_program *in, const struct jf_compile_opts *in_opts,
				struct jf_program *program, struct jf_compile_opts *opts, struct jf_error *error)
{
	size_t least = offsetof(struct jf_program, helpers);
	enum jf_status status = jf_sized_read(program, sizeof(*program), least, in, "program", error);

	*opts = default_opts;
	if (status == JF_OK && in_opts)
		status = jf_sized_read(opts, sizeof(*opts), sizeof(opts->size), in_opts, "opts", error);
	if (status != JF_OK)
		return status;
	if (!jf_sized_is_zero(opts->values.reserved, sizeof(opts->values.reserved)))
		return jf_error_set(error, JF_E_INVAL, "values.reserved", "not 0");
	if (!program->functions || !program->function_count)
		return jf_error_set(error, JF_E_INVAL, "functions", "the program has none");
	if (program->callback == 0 || program->callback < -1 || program->callback >= (int64_t)program->function_count)
		return jf_error_set(error, JF_E_INVAL, "callback", "%d is not a function other than main",
				    program->callback);
	return check_lines(program, error);
}

/* Where a throw out of the instruction goes: code of pads comes before records. returns: NULL: past the function. */
static const uint32_t *pad_of(const struct jf_unit *unit, uint32_t insn)
{
	static const uint32_t in_pad = JF_CLEANUP_IN_PAD;
	const struct jf_cleanup *record = jf_cleanup_of(&unit->cleanups, insn);

	if (unit->flags[insn] & JF_INSN_IN_PAD)
		return &in_pad;
	return record ? &unit->insn_off[record->pad] : NULL;
}

/*
 * The records of one function in code; image NULL: counts them. What has no code has no call: a search must find no
 * empty record.
 */
static uint32_t place_function(struct image *image, const struct jf_unit *unit)
{
	uint32_t count = unit->cleanups.count ? unit->function->insn_count : 0, placed = 0, end;

	for (uint32_t i = 0; i < count; i = end) {
		const uint32_t *pad = pad_of(unit, i);

		for (end = i + 1; end < count && pad_of(unit, end) == pad; end++)
			;
		if (!pad || unit->insn_off[i] == unit->insn_off[end])
			continue;
		if (image)
			image->cleanups[image->cleanup_count++] =
				(struct jf_cleanup_code){unit->insn_off[i], unit->insn_off[end], *pad};
		placed++;
	}
	return placed;
}

static enum jf_status place_cleanups(struct jf_compiler *c)
{
	struct image *image = c->image;
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->unit_count; i++)
		count += place_function(NULL, &c->units[i]);
	if (!count)
		return JF_OK;
	image->cleanups = jf_alloc(count * sizeof(*image->cleanups));
	if (!image->cleanups)
		return jf_compiler_no_memory(c);
	for (uint32_t i = 0; i < c->unit_count; i++) {
		image->functions[i].cleanup_start = image->cleanup_count;
		image->functions[i].shown.cleanup_count = place_function(image, &c->units[i]);
	}
	return JF_OK;
}

static enum jf_status compile(struct jf_compiler *c, uint8_t *bytes, size_t capacity)
{
	enum jf_status status = jf_compiler_plan(c);

	jf_compiler_choose_hooks(c);
	if (status == JF_OK)
		status = jf_compiler_emit_until_stable(c, bytes, capacity);
	if (status == JF_OK)
		status = place_cleanups(c);
	c->image->shown.size_bytes = c->code.size;
	c->image->row_count = (uint32_t)c->code.row_count;
	return status;
}

enum jf_status jf_compile(const struct jf_convention *conv, const struct jf_program *in,
			  const struct jf_compile_opts *in_opts, void *bytes, size_t capacity, uint64_t address,
			  struct jf_image **image, struct jf_error *error)
{
	struct jf_program program;
	struct jf_compile_opts opts;
	struct jf_compiler c = {.conv = conv, .program = &program, .opts = &opts, .error = error};
	enum jf_status status;

	if (!conv || !in || !bytes || !image)
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument");
	status = jf_compiler_read(in, in_opts, &program, &opts, error);
	if (status != JF_OK)
		return status;
	c.image = jf_calloc(1, sizeof(*c.image));
	if (!c.image)
		return jf_compiler_no_memory(&c);
	c.image->shown.conv = conv;
	c.image->shown.address = address;
	status = compile(&c, bytes, capacity);
	c.image->insn_off = c.insn_off;
	c.image->faults = c.faults.list;
	c.image->shown.fault_count = c.faults.count;
	jf_free(c.sites.list);
	jf_free(c.units);
	jf_free(c.helper_stub);
	jf_free(c.kfunc_stub);
	jf_free(c.stub_imports);
	if (status != JF_OK) {
		jf_image_free(&c.image->shown);
		return status;
	}
	jf_image_show(c.image);
	*image = &c.image->shown;
	return JF_OK;
}

size_t jf_compile_bound(const struct jf_convention *conv, const struct jf_program *program)
{
	const struct jf_code_bounds *most = &conv->backend->bounds;
	size_t bytes = 2 * (size_t)most->function_bytes; /* the default callback, and rounding */

	for (uint32_t i = 0; i < program->function_count; i++) {
		const struct jf_function *function = &program->functions[i];

		bytes += most->function_bytes + most->insn_bytes * (size_t)function->insn_count;
		for (uint32_t k = 0; function->insns && k < function->insn_count; k++)
			if (jf_insn_kind(&function->insns[k]) == JF_OP_CALL &&
			    function->insns[k].imm == JF_HELPER_TAIL_CALL)
				bytes += most->tail_call_bytes;
	}
	if (program->size > offsetof(struct jf_program, cleanups) && program->cleanups)
		for (uint32_t i = 0; i < program->function_count; i++)
			bytes += most->pad_bytes * (size_t)program->cleanups[i].count;
	return bytes + most->stub_bytes * ((size_t)program->helper_count + program->kfunc_count + 1);
}
