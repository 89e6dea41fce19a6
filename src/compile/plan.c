/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/compiler.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

/* What has to be known before the first instruction is emitted. */

#define ROWS_PER_FUNCTION  (4 * JF_FRAME_SLOTS_MAX) /* prologue and exits; bodies add ROWS_PER_CALL */
#define ROWS_PER_CALL      4
#define ROWS_PER_TAIL_CALL (JF_FRAME_SLOTS_MAX + 8) /* a whole exit each */

/* The callback of a program that names none: it returns the cookie. */
static const struct jf_insn default_callback_insns[] = {
	{0xbf, 0x10, 0, 0}, /* r0 = r1 */
	{0x95, 0x00, 0, 0}, /* exit */
};
static const struct jf_function default_callback = {"default_callback", default_callback_insns, 2};

/*
 * All that is needed by instruction while compiling, as if every one were a site, and a single function: what
 * is not needed is not touched. In one block, which allocators keep from one compilation to the next.
 */
static bool make_work(struct jf_compiler *c, size_t insns)
{
	size_t scratch = 3 * insns + 1;

	c->sites.list = jf_alloc(insns * sizeof(*c->sites.list) + scratch * sizeof(*c->sites.scratch) + insns);
	if (!c->sites.list)
		return false;
	c->sites.capacity = (uint32_t)insns;
	c->sites.scratch = (uint32_t *)(void *)(c->sites.list + insns);
	c->flags = (uint8_t *)(c->sites.scratch + scratch);
	memset(c->flags, 0, insns);
	return true;
}

static enum jf_status make_units(struct jf_compiler *c)
{
	size_t insns = 0, n = 0;

	c->units = jf_calloc((size_t)c->program->function_count + 1, sizeof(*c->units));
	if (!c->units)
		return jf_compiler_no_memory(c);
	c->unit_count = c->program->function_count;
	for (uint32_t i = 0; i < c->unit_count; i++) {
		c->units[i].function = &c->program->functions[i];
		if (c->program->cleanups)
			c->units[i].cleanups = c->program->cleanups[i];
		insns += (size_t)c->units[i].function->insn_count + 1;
	}
	c->units[c->unit_count].function = &default_callback;
	insns += default_callback.insn_count + 1;
	c->insn_off = jf_alloc(insns * sizeof(*c->insn_off));
	if (!c->insn_off || !make_work(c, insns))
		return jf_compiler_no_memory(c);
	for (uint32_t i = 0; i <= c->unit_count; i++) {
		c->units[i].insn_off = c->insn_off + n;
		c->units[i].flags = c->flags + n;
		n += (size_t)c->units[i].function->insn_count + 1;
	}
	return JF_OK;
}

/* Checks all functions; what any of them does decides about the whole program. */
static enum jf_status check_units(struct jf_compiler *c, struct jf_usage *usage)
{
	c->row_capacity = 0;
	for (uint32_t i = 0; i < c->unit_count; i++) {
		enum jf_status status = jf_unit_check(c->program, &c->units[i], &usage[i], c->error);

		if (status != JF_OK)
			return status;
		c->throws |= usage[i].throws;
		c->has_cleanups |= c->units[i].cleanups.count || usage[i].resumes;
		c->uses_tail_calls |= usage[i].tail_calls != 0;
		c->uses_arena |= usage[i].arena;
		c->image->shown.uses_per_cpu |= usage[i].per_cpu;
		c->calls_register |= usage[i].calls_register;
		c->row_capacity +=
			ROWS_PER_FUNCTION + (usage[i].tail_calls ? ROWS_PER_TAIL_CALL : ROWS_PER_CALL) * usage[i].calls;
	}
	c->row_capacity += ROWS_PER_FUNCTION;
	return JF_OK;
}

/* Pads that do not run would leave held what they give back, and nobody told. */
static enum jf_status check_cleanups(struct jf_compiler *c, const struct jf_usage *usage)
{
	bool called = c->conv->cleanup_entry == JF_CLEANUP_CALLED;
	enum jf_status status = jf_units_check_cleanups(c->program, c->units, c->unit_count, usage, called, c->error);

	if (status != JF_OK || !c->throws || c->conv->cleanup_entry != JF_CLEANUP_NONE)
		return status;
	for (uint32_t i = 0; i < c->unit_count; i++)
		if (c->units[i].cleanups.count)
			return jf_error_set(
				c->error, JF_E_UNSUPPORTED, c->units[i].function->name,
				"cleanup pad %u: the program can throw, and %s/%s does not run cleanup pads",
				c->units[i].cleanups.list[0].pad, c->conv->backend->name, c->conv->name);
	return JF_OK;
}

static bool has_private_stack(const struct jf_compiler *c, uint32_t role)
{
	return jf_convention_supports(c->conv, role == JF_ROLE_CALLBACK ?
						       JF_CAP_PRIVATE_STACK | JF_CAP_PRIVATE_STACK_CALLBACK :
						       JF_CAP_PRIVATE_STACK);
}

/* Whether the frame is made ready for pads. Pads that no throw enters need nothing. */
static bool has_cleanups(const struct jf_compiler *c, uint32_t index, uint32_t role)
{
	if (!c->throws || !c->has_cleanups)
		return false;
	if (c->conv->cleanup_entry == JF_CLEANUP_CALLED)
		return role != JF_ROLE_CALLBACK;
	return c->units[index].cleanups.count;
}

/* Arguments after the fifth that the convention passes in registers have to be got before those are used. */
static enum jf_status check_late_arguments(struct jf_compiler *c, uint32_t index, const struct jf_usage *usage)
{
	for (unsigned int n = 1; n <= c->conv->extra_arg_regs; n++)
		if (usage->late_args & 1u << n)
			return jf_error_set(
				c->error, JF_E_UNSUPPORTED, c->units[index].function->name,
				"argument %u is read behind a call or an outgoing argument: %s/%s passes it in a "
				"register",
				5 + n, c->conv->backend->name, c->conv->name);
	for (uint32_t i = 0; i < c->units[index].function->insn_count; i++) {
		const struct jf_insn *insns = c->units[index].function->insns;
		enum jf_op_kind kind = jf_insn_kind(&insns[i]);
		struct jf_op op;

		if (kind != JF_OP_ARG_GET || !(c->units[index].flags[i] & JF_INSN_IN_PAD))
			continue;
		jf_insn_decode(insns, i, kind, &op);
		if (op.code <= c->conv->extra_arg_regs)
			return jf_error_set(
				c->error, JF_E_UNSUPPORTED, c->units[index].function->name,
				"cleanup pad: instruction %u reads argument %u, which %s/%s passes in a register", i,
				5 + op.code, c->conv->backend->name, c->conv->name);
	}
	return JF_OK;
}

static enum jf_status solve_unit(struct jf_compiler *c, uint32_t index, uint32_t role, const struct jf_usage *usage)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct image_function *f = &c->image->functions[index];
	struct jf_error why = {0};
	uint32_t may_goto_bytes;
	enum jf_status status;

	spec.role = role;
	may_goto_bytes = usage->may_goto ? JF_MAY_GOTO_BYTES : 0;
	spec.bpf_stack_bytes =
		jf_unit_stack(&c->units[index], usage, c->conv->bpf_stack_max_bytes - may_goto_bytes,
			      c->opts->indexed_stack_bytes ? c->opts->indexed_stack_bytes : JF_INDEXED_STACK_BYTES);
	if (usage->may_goto)
		spec.bpf_stack_bytes = jf_round_up(spec.bpf_stack_bytes, 8) + may_goto_bytes;
	spec.private_stack = c->opts->private_stack && spec.bpf_stack_bytes && has_private_stack(c, role) &&
			     !usage->in_args && !usage->out_args;
	spec.arena = c->uses_arena;
	spec.out_args = usage->out_args;
	spec.bpf_regs_used = usage->bpf_regs;
	/* What main and callback share has to be laid out alike. By value the count comes back from every callee. */
	spec.tail_calls = role == JF_ROLE_SUBPROGRAM && c->conv->count_form != JF_COUNT_BY_VALUE ?
				  usage->reaches_tail_call :
				  c->uses_tail_calls;
	spec.cleanups = has_cleanups(c, index, role);
	spec.throws = usage->throws;
	spec.landing_pads = c->opts->landing_pads;
	spec.sign_return = c->opts->sign_return;
	/* may_goto calls a stub. */
	spec.leaf = usage->calls == usage->tail_calls && !usage->may_goto;
	status = jf_frame_solve(c->conv, &spec, &f->frame, &why);
	if (status != JF_OK)
		return jf_error_set(c->error, status, c->units[index].function->name, "frame: %s: %s", why.where,
				    why.text);
	if (spec.private_stack) {
		f->shown.private_stack_off = c->image->shown.private_stack_bytes;
		c->image->shown.private_stack_bytes += jf_frame_private_stack(&f->frame).size_bytes;
	}
	return JF_OK;
}

static uint32_t role_of(const struct jf_compiler *c, uint32_t index)
{
	if (index == 0)
		return c->image->shown.callback >= 0 ? JF_ROLE_BOUNDARY : JF_ROLE_MAIN;
	return (int32_t)index == c->image->shown.callback ? JF_ROLE_CALLBACK : JF_ROLE_SUBPROGRAM;
}

static enum jf_status solve_units(struct jf_compiler *c, struct jf_usage *usage)
{
	c->image->shown.callback = c->program->callback;
	if (c->throws && c->image->shown.callback < 0) {
		enum jf_status status = jf_unit_check(NULL, &c->units[c->unit_count], &usage[c->unit_count], c->error);

		if (status != JF_OK)
			return status;
		c->image->shown.callback = (int32_t)c->unit_count++;
	}
	for (uint32_t i = 0; i < c->unit_count; i++) {
		enum jf_status status = check_late_arguments(c, i, &usage[i]);

		if (status == JF_OK)
			status = solve_unit(c, i, role_of(c, i), &usage[i]);
		if (status == JF_OK && usage[i].arena)
			status = jf_unit_mark_arena(&c->units[i]);
		if (status == JF_OK && c->conv->backend->skips_dead_uppers)
			status = jf_unit_mark_upper(&c->units[i]);
		if (status != JF_OK)
			return status;
		c->units[i].may_goto = usage[i].may_goto;
		c->units[i].in_args = usage[i].in_args;
		c->units[i].marked =
			usage[i].arena || c->conv->backend->skips_dead_uppers || c->units[i].cleanups.count;
		c->image->functions[i].shown.name = c->units[i].function->name;
		c->image->functions[i].shown.insn_count = c->units[i].function->insn_count;
		c->image->functions[i].shown.insn_off = c->units[i].insn_off;
		if (c->program->lines && i < c->program->function_count) {
			c->image->functions[i].shown.lines = c->program->lines[i].lines;
			c->image->functions[i].shown.line_count = c->program->lines[i].count;
		}
	}
	c->image->shown.function_count = c->unit_count;
	return JF_OK;
}

/* ---- call stubs, for conventions that cannot call C directly ------------------------------------- */

static bool wants_stubs(const struct jf_compiler *c)
{
	const struct jf_backend *backend = c->conv->backend;

	return backend->call_stubs && backend->emit_call_stub && backend->call_stubs(c->conv);
}

/* A stub's frame is just a frame record. */
static enum jf_status stub_frame(const struct jf_convention *conv, struct jf_frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	frame->conv = conv;
	frame->spec.size = sizeof(frame->spec);
	frame->spec.role = JF_ROLE_SUBPROGRAM;
	frame->slot_count = JF_RECORD__COUNT;
	return jf_frame_record(conv, frame->slots);
}

static enum jf_status add_stub(struct jf_compiler *c, uint32_t *stub, const struct jf_import *import)
{
	struct image_function *function;

	if (*stub)
		return JF_OK;
	*stub = c->image->shown.function_count++;
	function = &c->image->functions[*stub];
	c->stub_imports[*stub - c->unit_count] = import;
	function->shown.name = import->name ? import->name : "call_stub";
	function->shown.is_stub = true;
	return stub_frame(c->conv, &function->frame);
}

/* The stubs that one function's calls go through. The resume of a pad that is called is no call. */
static enum jf_status add_stubs_of(struct jf_compiler *c, const struct jf_unit *unit, bool resumes)
{
	const struct jf_program *program = c->program;
	enum jf_status status = JF_OK;

	for (uint32_t k = 0; status == JF_OK && k < unit->function->insn_count; k++) {
		const struct jf_insn *insn = &unit->function->insns[k];
		uint32_t number = (uint32_t)insn->imm;

		if (unit->flags[k] & JF_INSN_SECOND || jf_insn_kind(insn) != JF_OP_CALL)
			continue;
		if (jf_insn_src(insn) == JF_SRC_HELPER && number != JF_HELPER_TAIL_CALL)
			status = add_stub(c, &c->helper_stub[number], &program->helpers[number]);
		else if (jf_insn_src(insn) == JF_SRC_KFUNC && (resumes || !program->kfuncs[number].resumes))
			status = add_stub(c, &c->kfunc_stub[number], &program->kfuncs[number]);
	}
	return status;
}

static enum jf_status make_stubs(struct jf_compiler *c, const struct jf_usage *usage)
{
	enum jf_status status = JF_OK;

	c->helper_stub = jf_calloc((size_t)c->program->helper_count + 1, sizeof(*c->helper_stub));
	c->kfunc_stub = jf_calloc((size_t)c->program->kfunc_count + 1, sizeof(*c->kfunc_stub));
	c->stub_imports =
		jf_calloc((size_t)c->program->helper_count + c->program->kfunc_count + 1, sizeof(*c->stub_imports));
	if (!c->helper_stub || !c->kfunc_stub || !c->stub_imports)
		return jf_compiler_no_memory(c);
	if (!wants_stubs(c))
		return JF_OK;
	if (c->calls_register)
		status = add_stub(c, &c->register_stub, &c->program->call_register);
	for (uint32_t i = 0; status == JF_OK && i < c->program->function_count; i++)
		if (usage[i].calls)
			status = add_stubs_of(c, &c->units[i], !jf_frame_calls_pads(&c->image->functions[i].frame));
	return status;
}

/* ---- all of it ----------------------------------------------------------------------------------- */

enum jf_status jf_compiler_plan(struct jf_compiler *c)
{
	/* With the default callback; and each import may have a stub, calls through a register another one. */
	size_t stubs = wants_stubs(c) ? (size_t)c->program->helper_count + c->program->kfunc_count + 1 : 0;
	size_t functions = (size_t)c->program->function_count + 1 + stubs;
	struct jf_usage *usage = jf_calloc((size_t)c->program->function_count + 1, sizeof(*usage));
	enum jf_status status;

	c->image->functions = jf_calloc(functions, sizeof(*c->image->functions));
	status = usage && c->image->functions ? make_units(c) : jf_compiler_no_memory(c);
	if (status == JF_OK)
		status = check_units(c, usage);
	if (status == JF_OK && c->has_cleanups)
		status = check_cleanups(c, usage);
	if (status == JF_OK && c->uses_tail_calls &&
	    jf_units_reach_tail_calls(c->units, c->program->function_count, usage) != JF_OK)
		status = jf_compiler_no_memory(c);
	if (status == JF_OK)
		status = solve_units(c, usage);
	if (status == JF_OK)
		status = make_stubs(c, usage);
	jf_free(usage);
	if (status == JF_OK)
		c->row_capacity += ROWS_PER_FUNCTION * (c->image->shown.function_count - c->unit_count);
	return status;
}
