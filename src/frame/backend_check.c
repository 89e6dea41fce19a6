/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/convention.h"

#include <string.h>

/*
 * What a backend's description must hold. Each fault is told in a sentence that begins with the field's name. A check
 * may rely on those before it in the list at the end.
 */

enum jf_status bad_field(struct jf_error *error, const char *where, const char *field, const char *what)
{
	return jf_error_set(error, JF_E_BAD_DESC, where, "%s %s", field, what);
}

/* What has to be so, and the rest of the sentence when it is not. */
struct need {
	bool is_met;
	const char *field, *unmet;
};

static enum jf_status check_needs(const struct jf_backend *backend, const struct need *needs, size_t count,
				  struct jf_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (!needs[i].is_met)
			return bad_field(error, backend->name, needs[i].field, needs[i].unmet);
	return JF_OK;
}

/* ---- tables and numbers ------------------------------------------------------------------------------------ */

static enum jf_status check_tables(const struct jf_backend *backend, struct jf_error *error)
{
	const struct need needs[] = {
		{backend->size >= sizeof(*backend), "size", "is that of an older header"},
		{backend->name[0], "name", "is empty"},
		{backend->regs, "regs", "is NULL"},
		{backend->reg_count, "reg_count", "is 0"},
		{backend->reg_count <= JF_REGS_MAX, "reg_count", "is larger than JF_REGS_MAX"},
		{backend->conventions, "conventions", "is NULL"},
		{backend->convention_count, "convention_count", "is 0"},
	};

	return check_needs(backend, needs, JF_COUNT_OF(needs), error);
}

static enum jf_status check_machine(const struct jf_backend *backend, struct jf_error *error)
{
	const struct need needs[] = {
		{backend->llvm_triple && backend->llvm_triple[0], "llvm_triple", "is missing"},
		{backend->llvm_features, "llvm_features", "is NULL: an empty string stands for no features"},
		{backend->elf_machine, "elf_machine", "is 0, which is no processor's number"},
		{jf_is_power_of_two(backend->insn_align), "insn_align", "is no power of two"},
		{jf_is_power_of_two(backend->stack_align), "stack_align", "is no power of two"},
		{backend->cfa_sp_off_at_entry >= 0, "cfa_sp_off_at_entry", "is negative: SP is at the CFA or below it"},
		{!backend->ra_pushed || backend->cfa_sp_off_at_entry > 0, "cfa_sp_off_at_entry",
		 "is 0, but a call has pushed the return address"},
		{backend->c_args.extended_bytes == 0 || backend->c_args.extended_bytes == 4 ||
			 backend->c_args.extended_bytes == 8,
		 "c_args.extended_bytes", "is neither 0, 4 nor 8"},
		{backend->bounds.insn_bytes, "bounds.insn_bytes", "is 0"},
		{backend->bounds.tail_call_bytes, "bounds.tail_call_bytes", "is 0"},
		{backend->bounds.function_bytes, "bounds.function_bytes", "is 0"},
		{backend->bounds.function_bytes <= JF_FUNCTION_BYTES_MAX, "bounds.function_bytes",
		 "is larger than JF_FUNCTION_BYTES_MAX"},
		{!backend->build || !backend->build->cleanup_pad || backend->bounds.pad_bytes, "bounds.pad_bytes",
		 "is 0, but clean-up pads begin with something (build.cleanup_pad)"},
		{!backend->call_stubs || backend->bounds.stub_bytes, "bounds.stub_bytes",
		 "is 0, but there are call stubs (call_stubs)"},
	};

	return check_needs(backend, needs, JF_COUNT_OF(needs), error);
}

/* ---- hooks ------------------------------------------------------------------------------------------------- */

static bool has_capability(const struct jf_backend *backend, uint32_t caps)
{
	for (unsigned int i = 0; i < backend->convention_count; i++)
		if (backend->conventions[i] && backend->conventions[i]->caps & caps)
			return true;
	return false;
}

/* The steps that every frame is built of. */
static enum jf_status check_steps(const struct jf_backend *backend, struct jf_error *error)
{
	const struct jf_build_ops none = {0}, *build = backend->build ? backend->build : &none;
	const char *missing = "is NULL, and no frame can be built without it";
	const struct need needs[] = {
		{build->move, "build.move", missing},
		{build->add, "build.add", missing},
		{build->constant, "build.constant", missing},
		{build->store || build->unit, "build.store", "is NULL, and no slot is pushed (build.unit)"},
		{build->load || build->unit, "build.load", "is NULL, and no slot is popped (build.unit)"},
		{build->unit || !build->push, "build.unit", "is NULL, but slots are pushed (build.push)"},
		{build->push || !build->unit, "build.push", "is NULL, but slots are pushed (build.unit)"},
		{build->pop || !build->unit, "build.pop", "is NULL, but slots are pushed (build.unit)"},
		{build->ret, "build.ret", missing},
		{build->jump, "build.jump", missing},
		{build->target < backend->reg_count && !role_fault(backend, build->target) &&
			 !(backend->regs[build->target].flags & JF_REG_CALLEE_SAVED),
		 "build.target", "is no integer register that a callee may change"},
	};

	return backend->build ? check_needs(backend, needs, JF_COUNT_OF(needs), error) : JF_OK;
}

static enum jf_status check_hooks(const struct jf_backend *backend, struct jf_error *error)
{
	const char *missing = "is NULL, and so is build";
	const struct need needs[] = {
		{backend->build || backend->emit_prologue, "emit_prologue", missing},
		{backend->build || backend->emit_epilogue, "emit_epilogue", missing},
		{backend->build || backend->emit_tail_exit, "emit_tail_exit", missing},
		{!backend->call_stubs || backend->emit_call_stub, "emit_call_stub",
		 "is NULL, but there are call stubs (call_stubs)"},
		{!backend->native || backend->emit_trap, "emit_trap",
		 "is NULL: the host's backend overwrites freed code with traps"},
	};

	return check_needs(backend, needs, JF_COUNT_OF(needs), error);
}

static enum jf_status check_native(const struct jf_backend *backend, struct jf_error *error)
{
	const struct jf_native none = {0}, *native = backend->native ? backend->native : &none;
	const char *missing = "is NULL, and the stub is mandatory";
	const struct need needs[] = {
		{native->enter, "native.enter", missing},
		{native->enter_start && native->enter_end, "native.enter_start, enter_end", missing},
		{native->enter_checked, "native.enter_checked", missing},
		{native->checked_start && native->checked_end, "native.checked_start, checked_end", missing},
		{native->call_checked, "native.call_checked", missing},
		{native->overwrite, "native.overwrite", missing},
		{native->try_call, "native.try_call", missing},
		{native->try_start && native->try_landing && native->try_end, "native.try_start, try_landing, try_end",
		 missing},
		{native->may_goto_start && native->may_goto_end, "native.may_goto_start, may_goto_end", missing},
		{native->throw_exception, "native.throw_exception", missing},
		{native->throw_resume, "native.throw_resume", missing},
		{native->call_pad && native->pad_back, "native.call_pad, pad_back", missing},
		{native->walk_here, "native.walk_here", missing},
		{native->bpf_stack_walk, "native.bpf_stack_walk", missing},
		{native->context_get, "native.context_get", missing},
		{native->context_set_reg, "native.context_set_reg", missing},
		{native->context_set_pc, "native.context_set_pc", missing},
		{native->has_atomic_insns || !has_capability(backend, JF_CAP_ATOMIC_INSNS), "native.has_atomic_insns",
		 "is NULL, but a convention has JF_CAP_ATOMIC_INSNS"},
	};

	return backend->native ? check_needs(backend, needs, JF_COUNT_OF(needs), error) : JF_OK;
}

/* What no program does without, for conventions that run programs; other hooks of the body may be missing. */
static enum jf_status check_body(const struct jf_backend *backend, struct jf_error *error)
{
	const char *missing = "is NULL, but a convention runs programs (JF_CAP_RUN)";
	const struct jf_body_ops *body = &backend->body;
	const struct need needs[] = {
		{body->alu, "body.alu", missing},   {body->imm64, "body.imm64", missing},
		{body->load, "body.load", missing}, {body->store, "body.store", missing},
		{body->jump, "body.jump", missing}, {body->jump_always, "body.jump_always", missing},
		{body->call, "body.call", missing},
	};

	return has_capability(backend, JF_CAP_RUN) ? check_needs(backend, needs, JF_COUNT_OF(needs), error) : JF_OK;
}

/* Each form is longer than the one before, and reaches farther. */
static bool forms_sound(const struct jf_branch_form *forms)
{
	for (unsigned int form = 1; form < JF_BRANCH_FORMS_MAX && forms[form].bytes; form++)
		if (forms[form].bytes <= forms[form - 1].bytes || forms[form].reach <= forms[form - 1].reach ||
		    forms[form].bytes > JF_INSN_BYTES_MAX)
			return false;
	return forms[0].bytes;
}

static enum jf_status check_branches(const struct jf_backend *backend, struct jf_error *error)
{
	const struct jf_body_ops *body = &backend->body;

	if ((body->jump || body->jump_always || body->may_goto) && !body->put_branch)
		return bad_field(error, backend->name, "body.put_branch", "is NULL, but jumps need branches");
	if (body->call && !body->extend)
		return bad_field(error, backend->name, "body.extend",
				 "is NULL, but calls need it for arguments and results");
	for (unsigned int kind = 0; backend->branches && kind < JF_BRANCH__COUNT; kind++)
		if (!forms_sound(backend->branches->forms[kind]))
			return bad_field(
				error, backend->name, "branches.forms",
				"lacks a branch's first form, or has one that is no longer or reaches no farther");
	return JF_OK;
}

/* ---- code that comes without rows -------------------------------------------------------------------------- */

static enum jf_status check_signal_frame(const struct jf_backend *backend, struct jf_error *error)
{
	const struct jf_signal_frame none = {0}, *frame = backend->signal_frame ? backend->signal_frame : &none;
	const char *missing = "is 0: walks need the register to go on behind a signal";
	const struct need needs[] = {
		{frame->pc_off, "signal_frame.pc_off", missing},
		{frame->reg_off[backend->sp], "signal_frame.reg_off[sp]", missing},
		{frame->reg_off[backend->fp], "signal_frame.reg_off[fp]", missing},
		{frame->reg_off[backend->ra] || backend->ra_pushed, "signal_frame.reg_off[ra]", missing},
	};

	return backend->signal_frame ? check_needs(backend, needs, JF_COUNT_OF(needs), error) : JF_OK;
}

static bool rows_sound(const struct jf_backend *backend, const struct jf_known_code *code)
{
	for (unsigned int i = 0; i < code->row_count; i++)
		if (code->rows[i].cfa_reg >= backend->reg_count)
			return false;
	for (unsigned int i = 0; i < code->slot_count; i++)
		if (code->slots[i].reg >= backend->reg_count)
			return false;
	return true;
}

static enum jf_status check_known_code(const struct jf_backend *backend, struct jf_error *error)
{
	if (backend->known_code_count && !backend->known_code)
		return bad_field(error, backend->name, "known_code", "is NULL, but known_code_count is not 0");
	for (unsigned int i = 0; i < backend->known_code_count; i++) {
		const struct jf_known_code *code = &backend->known_code[i];
		const struct need needs[] = {
			{code->insns && code->insn_count, "known_code", "has an entry without instructions (insns)"},
			{code->rows && code->row_count, "known_code", "has an entry without rows (rows)"},
			{code->slots || !code->slot_count, "known_code", "has an entry without its slots (slots)"},
			{!code->is_trampoline || backend->signal_frame, "known_code",
			 "has a signal's trampoline, but signal_frame is NULL"},
		};
		enum jf_status status = check_needs(backend, needs, JF_COUNT_OF(needs), error);

		if (status != JF_OK)
			return status;
		if (!rows_sound(backend, code))
			return bad_field(error, backend->name, "known_code",
					 "has a row or slot of no register (cfa_reg, reg)");
	}
	return JF_OK;
}

/* ---- conventions ------------------------------------------------------------------------------------------- */

static enum jf_status check_convention(const struct jf_backend *backend, unsigned int index, struct jf_error *error)
{
	const struct jf_convention *conv = backend->conventions[index];

	if (!conv)
		return bad_field(error, backend->name, "conventions", "has an entry that is NULL");
	if (conv->size < sizeof(*conv))
		return bad_field(error, backend->name, "conventions",
				 "has one with the size of an older header (size)");
	if (!conv->name || !conv->name[0])
		return bad_field(error, backend->name, "conventions", "has one without a name (name)");
	if (conv->backend != backend)
		return bad_field(error, backend->name, "conventions", "has one of another backend (backend)");
	if (!conv->areas)
		return bad_field(error, backend->name, "conventions", "has one without areas (areas)");
	for (unsigned int i = 0; i < index; i++)
		if (!strcmp(backend->conventions[i]->name, conv->name))
			return bad_field(error, backend->name, "conventions", "has two of one name (name)");
	return convention_check_first(conv, error);
}

static enum jf_status check_conventions(const struct jf_backend *backend, struct jf_error *error)
{
	enum jf_status status = JF_OK;

	for (unsigned int i = 0; i < backend->convention_count && status == JF_OK; i++)
		status = check_convention(backend, i, error);
	return status;
}

/* ---- all of it ----------------------------------------------------------------------------------------------- */

enum jf_status jf_backend_check(const struct jf_backend *backend, struct jf_error *error)
{
	static enum jf_status (*const checks[])(const struct jf_backend *, struct jf_error *) = {
		check_tables,        check_backend_registers,
		check_backend_roles, check_machine,
		check_steps,         check_hooks,
		check_native,        check_body,
		check_branches,      check_signal_frame,
		check_known_code,    check_conventions,
		jf_orc_check,
	};
	enum jf_status status = JF_OK;

	if (!backend)
		return jf_error_set(error, JF_E_BAD_DESC, "backend", "the backend is NULL");
	if (!backend->name)
		return bad_field(error, "backend", "name", "is NULL");
	for (size_t i = 0; i < JF_COUNT_OF(checks) && status == JF_OK; i++)
		status = checks[i](backend, error);
	return status;
}
