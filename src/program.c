/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

/*
 * From a program to an image: check every function, solve its frame, then emit all of them again and
 * again until no branch grows and nothing moves. Distances to code further on come from the pass
 * before; the last pass changes nothing, so there they are exact.
 */

#define FUNCTION_ALIGN 16
#define PASSES_MAX 64
#define ROWS_PER_FUNCTION 128 /* prologue and exits; bodies add ROWS_PER_CALL */
#define ROWS_PER_CALL 4

/* The callback of a program that names none: it returns the cookie. */
static const struct jf_insn default_callback_insns[] = {
	{ 0xbf, 0x10, 0, 0 }, /* r0 = r1 */
	{ 0x95, 0x00, 0, 0 }, /* exit */
};
static const struct jf_function default_callback = { "default_callback", default_callback_insns, 2 };

struct compiler {
	const struct jf_convention *conv;
	const struct jf_program *program;
	const struct jf_compile_opts *opts;
	struct jf_error *error;
	struct jf_image *image;
	struct jf_code code;
	struct jf_unit *units; /* of the program's functions and the default callback */
	uint32_t unit_count;
	uint32_t *insn_off; /* all units' arrays, one behind the other */
	uint8_t *flags;
	uint32_t *helper_stub;   /* by import: index into image->functions, 0 = none */
	uint32_t *kfunc_stub;
	uint32_t row_capacity;
	bool uses_tail_calls;
	bool throws;
	bool first_pass;
	bool looked_ahead;
	bool moved;
};

static enum jf_status no_memory(struct compiler *c)
{
	return jf_error_set(c->error, JF_E_NO_MEMORY, "", "no memory for the compiler");
}

/* ---- before emission --------------------------------------------------------------------------- */

static enum jf_status make_units(struct compiler *c)
{
	size_t insns = 0, n = 0;

	c->units = calloc((size_t)c->program->function_count + 1, sizeof(*c->units));
	if (!c->units)
		return no_memory(c);
	c->unit_count = c->program->function_count;
	for (uint32_t i = 0; i < c->unit_count; i++) {
		c->units[i].function = &c->program->functions[i];
		insns += (size_t)c->units[i].function->insn_count + 1;
	}
	c->units[c->unit_count].function = &default_callback;
	insns += default_callback.insn_count + 1;
	c->insn_off = calloc(insns, sizeof(*c->insn_off));
	c->flags = calloc(insns, 1);
	if (!c->insn_off || !c->flags)
		return no_memory(c);
	for (uint32_t i = 0; i <= c->unit_count; i++) {
		c->units[i].insn_off = c->insn_off + n;
		c->units[i].flags = c->flags + n;
		n += (size_t)c->units[i].function->insn_count + 1;
	}
	return JF_OK;
}

/* Checks all functions; what any of them does decides about the whole program. */
static enum jf_status check_units(struct compiler *c, struct jf_usage *usage)
{
	c->row_capacity = 0;
	for (uint32_t i = 0; i < c->unit_count; i++) {
		enum jf_status status = jf_unit_check(c->program, &c->units[i], &usage[i], c->error);

		if (status != JF_OK)
			return status;
		c->throws |= usage[i].throws;
		c->uses_tail_calls |= usage[i].tail_call;
		c->row_capacity += ROWS_PER_FUNCTION + ROWS_PER_CALL * usage[i].calls;
	}
	c->row_capacity += ROWS_PER_FUNCTION;
	return JF_OK;
}

static enum jf_status solve_unit(struct compiler *c, uint32_t index, uint32_t role, const struct jf_usage *usage)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_error why = { 0 };
	enum jf_status status;

	spec.role = role;
	spec.bpf_stack_bytes = jf_unit_stack(&c->units[index], c->conv->bpf_stack_max_bytes);
	spec.bpf_regs_used = usage->bpf_regs;
	spec.tail_calls = c->uses_tail_calls;
	spec.landing_pads = c->opts->landing_pads;
	spec.sign_return = c->opts->sign_return;
	status = jf_frame_solve(c->conv, &spec, &c->image->functions[index].frame, &why);
	if (status != JF_OK)
		return jf_error_set(c->error, status, c->units[index].function->name, "frame: %s: %s", why.where, why.text);
	return JF_OK;
}

static uint32_t role_of(const struct compiler *c, uint32_t index)
{
	if (index == 0)
		return c->image->callback >= 0 ? JF_ROLE_BOUNDARY : JF_ROLE_MAIN;
	return (int32_t)index == c->image->callback ? JF_ROLE_CALLBACK : JF_ROLE_SUBPROGRAM;
}

static enum jf_status solve_units(struct compiler *c, struct jf_usage *usage)
{
	c->image->callback = c->program->callback;
	if (c->throws && c->image->callback < 0) {
		enum jf_status status = jf_unit_check(NULL, &c->units[c->unit_count], &usage[c->unit_count], c->error);

		if (status != JF_OK)
			return status;
		c->image->callback = (int32_t)c->unit_count++;
	}
	for (uint32_t i = 0; i < c->unit_count; i++) {
		enum jf_status status = solve_unit(c, i, role_of(c, i), &usage[i]);

		if (status != JF_OK)
			return status;
		c->image->functions[i].name = c->units[i].function->name;
		c->image->functions[i].insn_count = c->units[i].function->insn_count;
		c->image->functions[i].insn_off = c->units[i].insn_off;
	}
	c->image->function_count = c->unit_count;
	return JF_OK;
}

/* ---- call stubs, for conventions that cannot call C directly ------------------------------------- */

static bool wants_stubs(const struct compiler *c)
{
	const struct jf_backend *backend = c->conv->backend;

	return backend->call_stubs && backend->emit_call_stub && backend->call_stubs(c->conv);
}

/* A stub's frame is just a frame record. */
static void stub_frame(const struct jf_convention *conv, struct jf_frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	frame->conv = conv;
	frame->spec.size = sizeof(frame->spec);
	frame->spec.role = JF_ROLE_SUBPROGRAM;
	frame->slot_count = 2;
	frame->slots[0] = (struct jf_slot){ .kind = JF_SLOT_RETURN,
					    .reg = conv->backend->ra,
					    .off_from_cfa = conv->ra_off_from_cfa,
					    .size_bytes = 8 };
	frame->slots[1] = (struct jf_slot){ .kind = JF_SLOT_SAVE,
					    .reg = conv->backend->fp,
					    .off_from_cfa = conv->prev_fp_off_from_cfa,
					    .size_bytes = 8 };
}

static void add_stub(struct compiler *c, uint32_t *stub, const struct jf_import *import)
{
	struct jf_image_function *function;

	if (*stub)
		return;
	*stub = c->image->function_count++;
	function = &c->image->functions[*stub];
	function->name = import->name ? import->name : "call_stub";
	function->is_stub = true;
	stub_frame(c->conv, &function->frame);
}

static enum jf_status make_stubs(struct compiler *c)
{
	c->helper_stub = calloc((size_t)c->program->helper_count + 1, sizeof(*c->helper_stub));
	c->kfunc_stub = calloc((size_t)c->program->kfunc_count + 1, sizeof(*c->kfunc_stub));
	if (!c->helper_stub || !c->kfunc_stub)
		return no_memory(c);
	if (!wants_stubs(c))
		return JF_OK;
	for (uint32_t i = 0; i < c->program->function_count; i++) {
		const struct jf_function *function = &c->program->functions[i];

		for (uint32_t k = 0; k < function->insn_count; k++) {
			const struct jf_insn *insn = &function->insns[k];
			uint32_t number = (uint32_t)insn->imm;

			if (c->units[i].flags[k] & JF_INSN_SECOND || jf_insn_kind(insn) != JF_OP_CALL)
				continue;
			if (jf_insn_src(insn) == JF_SRC_HELPER && number != JF_HELPER_TAIL_CALL)
				add_stub(c, &c->helper_stub[number], &c->program->helpers[number]);
			else if (jf_insn_src(insn) == JF_SRC_KFUNC)
				add_stub(c, &c->kfunc_stub[number], &c->program->kfuncs[number]);
		}
	}
	return JF_OK;
}

/* ---- emission ------------------------------------------------------------------------------------ */

static uint64_t function_address(struct compiler *c, uint32_t index)
{
	if (c->image->functions[index].start >= c->code.start)
		c->looked_ahead = true;
	/* In the first pass functions further on have no place yet: here is as good as any. */
	if (c->first_pass && !c->image->functions[index].size_bytes)
		return jf_code_pc(&c->code);
	return c->image->address + c->image->functions[index].start;
}

static uint64_t import_address(struct compiler *c, const struct jf_import *imports, const uint32_t *stubs, uint32_t number)
{
	return stubs[number] ? function_address(c, stubs[number]) : imports[number].address;
}

static enum jf_status emit_call(struct compiler *c, struct jf_body *b, const struct jf_op *op)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;
	struct jf_call call = { .kind = JF_CALL_C };
	uint32_t number = (uint32_t)op->imm;

	switch (op->src) {
	case JF_SRC_HELPER:
		if (number == JF_HELPER_TAIL_CALL)
			return ops->tail_call ? ops->tail_call(b, op) : JF_E_UNSUPPORTED;
		call.address = import_address(c, c->program->helpers, c->helper_stub, number);
		break;
	case JF_SRC_KFUNC:
		call.address = import_address(c, c->program->kfuncs, c->kfunc_stub, number);
		break;
	default:
		call.kind = JF_CALL_BPF;
		call.address = function_address(c, number);
	}
	return ops->call ? ops->call(b, op, &call) : JF_E_UNSUPPORTED;
}

static enum jf_status emit_imm64(struct compiler *c, struct jf_body *b, struct jf_op *op)
{
	const struct jf_map_ref *map = &c->program->maps[(uint32_t)op->imm];
	uint8_t kind = op->src;

	if (kind == JF_SRC_MAP)
		op->imm = (int64_t)map->object;
	else if (kind == JF_SRC_MAP_VALUE)
		op->imm = (int64_t)(map->value + (uint64_t)(op->imm >> 32));
	else if (kind == JF_SRC_CODE)
		op->imm = (int64_t)function_address(c, (uint32_t)op->imm);
	return c->conv->backend->body.imm64 ? c->conv->backend->body.imm64(b, op) : JF_E_UNSUPPORTED;
}

static enum jf_status emit_op(struct compiler *c, struct jf_body *b, enum jf_op_kind kind, struct jf_op *op)
{
	const struct jf_body_ops *ops = &c->conv->backend->body;
	enum jf_status (*hook)(struct jf_body *, const struct jf_op *) = NULL;

	switch (kind) {
	case JF_OP_ALU:
		hook = ops->alu;
		break;
	case JF_OP_SWAP:
		hook = ops->swap;
		break;
	case JF_OP_LOAD:
		hook = ops->load;
		break;
	case JF_OP_STORE:
		hook = ops->store;
		break;
	case JF_OP_ATOMIC:
		hook = ops->atomic;
		break;
	case JF_OP_JUMP:
		hook = ops->jump;
		break;
	case JF_OP_IMM64:
		return emit_imm64(c, b, op);
	case JF_OP_CALL:
		return emit_call(c, b, op);
	case JF_OP_EXIT:
		op->target = b->state->unit->function->insn_count;
		/* fall through */
	case JF_OP_JUMP_ALWAYS:
		if (op->target == op->index + 1)
			return JF_OK;
		hook = ops->jump_always;
		break;
	default:
		break;
	}
	return hook ? hook(b, op) : JF_E_UNSUPPORTED;
}

static enum jf_status refuse(struct compiler *c, const struct jf_function *function, uint32_t index, enum jf_status status)
{
	return jf_error_set(c->error, status, function->name, "instruction %u, opcode 0x%02x: %s", index,
			    function->insns[index].opcode,
			    status == JF_E_UNSUPPORTED ? "not covered by this backend" : jf_status_text(status));
}

static enum jf_status emit_body(struct compiler *c, struct jf_unit *unit, const struct jf_frame *frame)
{
	const struct jf_function *function = unit->function;
	struct jf_body_state state = { .unit = unit, .first_pass = c->first_pass };
	struct jf_body b = { .code = &c->code, .frame = frame, .state = &state };
	uint32_t off;

	while (b.index < function->insn_count) {
		enum jf_op_kind kind = jf_insn_kind(&function->insns[b.index]);
		struct jf_op op;
		uint32_t units = jf_insn_decode(function->insns, b.index, &op);
		enum jf_status status;

		off = (uint32_t)(c->code.size - c->code.start);
		state.drift = (int64_t)off - unit->insn_off[b.index];
		c->moved |= state.drift != 0;
		for (uint32_t i = 0; i < units; i++)
			unit->insn_off[b.index + i] = off;
		status = emit_op(c, &b, kind, &op);
		if (status == JF_OK)
			status = jf_code_finish(&c->code);
		if (status != JF_OK)
			return refuse(c, function, b.index, status);
		b.index += units;
	}
	off = (uint32_t)(c->code.size - c->code.start);
	c->moved |= unit->insn_off[function->insn_count] != off || state.grown;
	unit->insn_off[function->insn_count] = off;
	c->looked_ahead |= state.looked_ahead;
	return JF_OK;
}

/* Unreachable bytes between functions. */
static void align_code(struct compiler *c)
{
	static const uint8_t zeros[FUNCTION_ALIGN];
	size_t over = c->code.size % FUNCTION_ALIGN;

	c->code.now_dirty = false;
	if (over)
		jf_code_put(&c->code, zeros, FUNCTION_ALIGN - over);
}

static void function_begins(struct compiler *c, struct jf_image_function *f)
{
	align_code(c);
	c->moved |= f->start != c->code.size;
	f->start = (uint32_t)c->code.size;
	f->row_start = (uint32_t)c->code.row_count;
}

static void function_ends(struct compiler *c, struct jf_image_function *f)
{
	uint32_t size = (uint32_t)c->code.size - f->start;

	c->moved |= f->size_bytes != size;
	f->size_bytes = size;
	f->row_count = (uint32_t)c->code.row_count - f->row_start;
	memcpy(f->marks, c->code.marks, sizeof(f->marks));
}

static enum jf_status emit_function(struct compiler *c, uint32_t index)
{
	const struct jf_backend *backend = c->conv->backend;
	struct jf_image_function *f = &c->image->functions[index];
	enum jf_status status;

	function_begins(c, f);
	jf_frame_begin(&c->code, &f->frame);
	backend->emit_prologue(&c->code, &f->frame, &c->opts->values);
	status = emit_body(c, &c->units[index], &f->frame);
	if (status != JF_OK)
		return status;
	jf_code_mark(&c->code, JF_MARK_EPILOGUE);
	backend->emit_epilogue(&c->code, &f->frame);
	function_ends(c, f);
	return JF_OK;
}

static void emit_stub(struct compiler *c, uint32_t index, const struct jf_import *import)
{
	const struct jf_backend *backend = c->conv->backend;
	struct jf_image_function *f = &c->image->functions[index];

	function_begins(c, f);
	jf_frame_begin(&c->code, &f->frame);
	backend->emit_call_stub(&c->code, c->conv, import->address);
	function_ends(c, f);
}

static enum jf_status emit_pass(struct compiler *c)
{
	c->code.size = 0;
	c->code.row_count = 0;
	c->looked_ahead = false;
	c->moved = false;
	for (uint32_t i = 0; i < c->unit_count; i++) {
		enum jf_status status = emit_function(c, i);

		if (status != JF_OK)
			return status;
	}
	for (uint32_t i = 0; i < c->program->helper_count; i++)
		if (c->helper_stub[i])
			emit_stub(c, c->helper_stub[i], &c->program->helpers[i]);
	for (uint32_t i = 0; i < c->program->kfunc_count; i++)
		if (c->kfunc_stub[i])
			emit_stub(c, c->kfunc_stub[i], &c->program->kfuncs[i]);
	if (c->code.status != JF_OK)
		return jf_error_set(c->error, c->code.status, "", "code offset %zu: %s", c->code.fail_off,
				    jf_status_text(c->code.status));
	return JF_OK;
}

static enum jf_status emit_until_stable(struct compiler *c, uint8_t *bytes, size_t capacity)
{
	c->image->rows = calloc(c->row_capacity, sizeof(*c->image->rows));
	if (!c->image->rows)
		return no_memory(c);
	jf_code_init(&c->code, bytes, capacity, c->image->address, c->image->rows, c->row_capacity);
	c->first_pass = true;
	for (unsigned int pass = 0; pass < PASSES_MAX; pass++) {
		enum jf_status status = emit_pass(c);

		c->image->passes++;
		if (status != JF_OK)
			return status;
		if (!c->moved || (c->first_pass && !c->looked_ahead))
			return JF_OK;
		c->first_pass = false;
	}
	return jf_error_set(c->error, JF_E_RANGE, "", "branch sizes do not settle in %d passes", PASSES_MAX);
}

/* ---- the call ------------------------------------------------------------------------------------ */

static const struct jf_compile_opts default_opts = { .size = sizeof(default_opts) };

static enum jf_status check_arguments(const struct jf_convention *conv, const struct jf_program *program,
				      const struct jf_compile_opts *opts, const void *bytes, struct jf_image **image,
				      struct jf_error *error)
{
	if (!conv || !program || !bytes || !image || program->size < sizeof(*program) || !program->functions ||
	    !program->function_count || (opts && opts->size < sizeof(*opts)))
		return jf_error_set(error, JF_E_INVAL, "", "NULL argument, no functions, or a struct of another version");
	if (program->callback == 0 || program->callback >= (int64_t)program->function_count)
		return jf_error_set(error, JF_E_INVAL, "callback", "%d is not a function other than main", program->callback);
	return JF_OK;
}

static enum jf_status compile(struct compiler *c, uint8_t *bytes, size_t capacity)
{
	size_t functions = (size_t)c->program->function_count + 1 + c->program->helper_count + c->program->kfunc_count;
	struct jf_usage *usage = calloc((size_t)c->program->function_count + 1, sizeof(*usage));
	enum jf_status status = no_memory(c);

	c->image->functions = calloc(functions, sizeof(*c->image->functions));
	if (usage && c->image->functions)
		status = make_units(c);
	if (status == JF_OK)
		status = check_units(c, usage);
	if (status == JF_OK)
		status = solve_units(c, usage);
	if (status == JF_OK)
		status = make_stubs(c);
	free(usage);
	if (status != JF_OK)
		return status;
	c->row_capacity += ROWS_PER_FUNCTION * (c->image->function_count - c->unit_count);
	status = emit_until_stable(c, bytes, capacity);
	c->image->size_bytes = c->code.size;
	c->image->row_count = (uint32_t)c->code.row_count;
	return status;
}

enum jf_status jf_compile(const struct jf_convention *conv, const struct jf_program *program,
			  const struct jf_compile_opts *opts, void *bytes, size_t capacity, uint64_t address,
			  struct jf_image **image, struct jf_error *error)
{
	struct compiler c = { .conv = conv, .program = program, .opts = opts ? opts : &default_opts, .error = error };
	enum jf_status status = check_arguments(conv, program, opts, bytes, image, error);

	if (status != JF_OK)
		return status;
	c.image = calloc(1, sizeof(*c.image));
	if (!c.image)
		return no_memory(&c);
	c.image->conv = conv;
	c.image->address = address;
	status = compile(&c, bytes, capacity);
	c.image->insn_off = c.insn_off;
	free(c.units);
	free(c.flags);
	free(c.helper_stub);
	free(c.kfunc_stub);
	if (status != JF_OK) {
		jf_image_free(c.image);
		return status;
	}
	*image = c.image;
	return JF_OK;
}

void jf_image_free(struct jf_image *image)
{
	if (!image)
		return;
	free(image->insn_off);
	free(image->rows);
	free(image->functions);
	free(image);
}

/* The longest code any backend makes of one instruction is a signed 64-bit division. */
#define BYTES_PER_INSN 96
#define BYTES_PER_FUNCTION 2048
#define BYTES_PER_STUB 128

size_t jf_compile_bound(const struct jf_program *program)
{
	size_t bytes = 2 * BYTES_PER_FUNCTION; /* the default callback, and rounding */

	for (uint32_t i = 0; i < program->function_count; i++)
		bytes += BYTES_PER_FUNCTION + BYTES_PER_INSN * (size_t)program->functions[i].insn_count;
	return bytes + BYTES_PER_STUB * ((size_t)program->helper_count + program->kfunc_count);
}
