/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

#include "base/memory.h"

#include <string.h>

/*
 * From a program to an image: check every function, solve its frame, and emit it. With a backend that says
 * what its branches are like, relax.c does the rest, and only code whose size still depends on where other code lies
 * is emitted again. With others, all functions are emitted again and again until no branch grows and nothing
 * moves: distances to code further on come from the pass before; the last pass changes nothing, so there
 * they are exact.
 */

#define PASSES_MAX 64

static enum jf_status refuse(struct jf_compiler *c, const struct jf_function *function, uint32_t index,
			     enum jf_status status)
{
	return jf_error_set(c->error, status, function->name, "instruction %u, opcode 0x%02x: %s", index,
			    function->insns[index].opcode,
			    status == JF_E_UNSUPPORTED ? "not covered by this backend" : jf_status_text(status));
}

static struct jf_body begin_body(struct jf_compiler *c, struct jf_unit *unit, struct jf_body_state *state)
{
	const struct jf_frame *frame = &c->image->functions[unit - c->units].frame;
	struct jf_body b = {.code = &c->code, .frame = frame, .state = state, .atomic_insns = c->opts->atomic_insns};

	*state = (struct jf_body_state){.unit = unit, .first_pass = c->first_pass, .faults = &c->faults};
	memcpy(b.reg, frame->conv->bpf_reg, sizeof(b.reg));
	if (frame->spec.private_stack)
		b.reg[JF_BPF_FP] = frame->conv->bpf_fp_private;
	return b;
}

/* returns: how many 8-byte units the instruction takes. What does not change comes by value: memory might. */
static inline uint32_t emit_insn(struct jf_compiler *c, struct jf_body *b, const struct jf_insn *insns, uint32_t index,
				 const uint8_t *marks, enum jf_status *status)
{
	enum jf_op_kind kind = jf_insn_kind(&insns[index]);
	struct jf_op op;
	uint32_t units = jf_insn_decode(insns, index, kind, &op);

	b->index = index;
	if (marks) {
		op.arena |= (marks[index] & JF_INSN_ARENA) != 0;
		op.upper_dead = marks[index] & JF_INSN_UPPER_DEAD;
		jf_compiler_emit_pad(b);
	}
	*status = c->hooks[kind] ? c->hooks[kind](b, &op) : jf_compiler_emit(c, b, kind, &op);
	if (*status == JF_OK)
		*status = c->code.status;
	return units;
}

/* In the first pass nothing has been anywhere before. */
static enum jf_status emit_insns_first(struct jf_compiler *c, struct jf_body *b, const struct jf_unit *unit)
{
	const uint8_t *marks = unit->marked ? unit->flags : NULL;
	const struct jf_insn *insns = unit->function->insns;
	uint32_t *insn_off = unit->insn_off, count = unit->function->insn_count, index = 0;
	size_t start = c->code.start;

	insn_off[0] = (uint32_t)(c->code.size - start);
	while (index < count) {
		enum jf_status status;
		uint32_t units = emit_insn(c, b, insns, index, marks, &status);

		if (status != JF_OK)
			return status;
		/* Of the next instruction, and of a second half before it. */
		insn_off[index + 1] = insn_off[index + units] = (uint32_t)(c->code.size - start);
		index += units;
	}
	c->looked_ahead |= b->state->looked_ahead;
	return JF_OK;
}

static enum jf_status emit_insns_again(struct jf_compiler *c, struct jf_body *b, const struct jf_unit *unit)
{
	const uint8_t *marks = unit->marked ? unit->flags : NULL;
	struct jf_body_state *state = b->state;
	uint32_t *insn_off = unit->insn_off, count = unit->function->insn_count, index = 0, off;

	while (index < count) {
		enum jf_status status;
		uint32_t units;

		off = (uint32_t)(c->code.size - c->code.start);
		state->drift = (int64_t)off - insn_off[index];
		c->again |= state->drift != 0;
		insn_off[index] = off;
		units = emit_insn(c, b, unit->function->insns, index, marks, &status);
		if (status != JF_OK)
			return status;
		if (units == 2)
			insn_off[index + 1] = (uint32_t)(c->code.size - c->code.start);
		index += units;
	}
	off = (uint32_t)(c->code.size - c->code.start);
	c->again |= insn_off[count] != off || state->grown;
	insn_off[count] = off;
	return JF_OK;
}

static enum jf_status emit_body(struct jf_compiler *c, struct jf_unit *unit)
{
	struct jf_body_state state;
	struct jf_body b = begin_body(c, unit, &state);
	bool settle = c->first_pass && c->conv->backend->branches;
	enum jf_status status;

	if (jf_compiler_emit_start(c, &b, unit) != JF_OK)
		return refuse(c, unit->function, 0, JF_E_UNSUPPORTED);
	c->sites.start = c->sites.count;
	state.sites = settle ? &c->sites : NULL;
	status = c->first_pass ? emit_insns_first(c, &b, unit) : emit_insns_again(c, &b, unit);
	if (status == JF_OK && settle)
		status = jf_compiler_settle(c, &b);
	return status == JF_OK ? JF_OK : refuse(c, unit->function, b.index, status);
}

/* Unreachable bytes between functions. */
static void align_code(struct jf_compiler *c)
{
	static const uint8_t zeros[JF_FUNCTION_ALIGN];
	size_t over = c->code.size % JF_FUNCTION_ALIGN;

	c->code.now_dirty = false;
	if (over)
		jf_code_put(&c->code, zeros, JF_FUNCTION_ALIGN - over);
}

static void function_begins(struct jf_compiler *c, struct image_function *f)
{
	align_code(c);
	c->again |= f->shown.start != c->code.size;
	f->shown.start = (uint32_t)c->code.size;
	if (c->first_pass)
		c->placed_count++;
	f->row_start = (uint32_t)c->code.row_count;
	f->fault_start = c->faults.count;
}

static void function_ends(struct jf_compiler *c, struct image_function *f)
{
	f->shown.size_bytes = (uint32_t)c->code.size - f->shown.start;
	f->shown.row_count = (uint32_t)c->code.row_count - f->row_start;
	f->shown.fault_count = c->faults.count - f->fault_start;
	memcpy(f->shown.marks, c->code.marks, sizeof(f->shown.marks));
}

static enum jf_status emit_function(struct jf_compiler *c, uint32_t index)
{
	struct image_function *f = &c->image->functions[index];
	struct jf_values values = c->opts->values;
	enum jf_status status;

	values.private_stack += f->shown.private_stack_off;
	function_begins(c, f);
	jf_frame_begin(&c->code, &f->frame);
	jf_frame_prologue(&c->code, &f->frame, &values);
	status = emit_body(c, &c->units[index]);
	if (status != JF_OK)
		return status;
	jf_code_mark(&c->code, JF_MARK_EPILOGUE);
	jf_frame_epilogue(&c->code, &f->frame);
	function_ends(c, f);
	return JF_OK;
}

static void emit_stub(struct jf_compiler *c, uint32_t index)
{
	const struct jf_backend *backend = c->conv->backend;
	struct image_function *f = &c->image->functions[index];

	function_begins(c, f);
	jf_frame_begin(&c->code, &f->frame);
	backend->emit_call_stub(&c->code, &f->frame, c->stub_imports[index - c->unit_count]->address);
	function_ends(c, f);
}

static enum jf_status emit_pass(struct jf_compiler *c)
{
	c->code.size = 0;
	c->code.row_count = 0;
	c->faults.count = 0;
	c->again = false;
	for (uint32_t i = 0; i < c->unit_count; i++) {
		enum jf_status status = emit_function(c, i);

		if (status != JF_OK)
			return status;
	}
	for (uint32_t i = c->unit_count; i < c->image->shown.function_count; i++)
		emit_stub(c, i);
	if (c->code.status != JF_OK)
		return jf_error_set(c->error, c->code.status, "", "code offset %zu: %s", c->code.fail_off,
				    jf_status_text(c->code.status));
	return JF_OK;
}

/* What the first pass leaves to do. out: c->again. */
static enum jf_status after_first_pass(struct jf_compiler *c)
{
	bool settles = c->conv->backend->branches;

	c->first_pass = false;
	for (uint32_t i = 0; i < c->unit_count && settles && c->looked_ahead; i++) {
		struct jf_body_state state;
		struct jf_body b = begin_body(c, &c->units[i], &state);
		enum jf_status status = jf_compiler_settle_ahead(c, &b);

		if (status != JF_OK)
			return refuse(c, c->units[i].function, b.index, status);
	}
	c->again = settles ? c->unsettled : c->looked_ahead;
	return JF_OK;
}

enum jf_status jf_compiler_emit_until_stable(struct jf_compiler *c, uint8_t *bytes, size_t capacity)
{
	c->image->rows = jf_alloc(c->row_capacity * sizeof(*c->image->rows));
	if (!c->image->rows)
		return jf_compiler_no_memory(c);
	jf_code_init(&c->code, bytes, capacity, c->image->shown.address, c->image->rows, c->row_capacity);
	c->first_pass = true;
	for (unsigned int pass = 0; pass < PASSES_MAX; pass++) {
		enum jf_status status = emit_pass(c);

		c->image->shown.passes++;
		if (status == JF_OK && c->first_pass)
			status = after_first_pass(c);
		if (status != JF_OK || !c->again)
			return status;
	}
	return jf_error_set(c->error, JF_E_RANGE, "", "branch sizes do not settle in %d passes", PASSES_MAX);
}
