/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/convention.h"
#include "frame/registry.h"

#include <string.h>

#define REGISTERED_MAX 16

static const struct jf_backend *registered[REGISTERED_MAX];
static size_t registered_count;

const struct jf_backend *jf_backend_at(size_t index)
{
	size_t builtin_count = 0;

	while (jf_builtin_backends[builtin_count]) {
		if (builtin_count == index)
			return jf_builtin_backends[index];
		builtin_count++;
	}
	index -= builtin_count;
	return index < registered_count ? registered[index] : NULL;
}

static const struct jf_backend *find(const char *name, size_t length)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		if (strlen(backend->name) == length && !memcmp(backend->name, name, length))
			return backend;
	return NULL;
}

const struct jf_backend *jf_backend_find(const char *name)
{
	return name ? find(name, strlen(name)) : NULL;
}

const struct jf_backend *jf_backend_host(void)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		if (backend->native)
			return backend;
	return NULL;
}

enum jf_status jf_backend_register(const struct jf_backend *backend, struct jf_error *error)
{
	enum jf_status status;

	if (!backend || backend->size < sizeof(*backend) || !backend->name)
		return jf_error_set(error, JF_E_INVAL, "backend", "NULL, nameless or from an older header");
	status = jf_backend_check(backend, error);
	if (status != JF_OK)
		return status;
	if (jf_backend_find(backend->name))
		return jf_error_set(error, JF_E_OVERLAP, backend->name, "a backend of that name is there");
	if (registered_count == REGISTERED_MAX)
		return jf_error_set(error, JF_E_NOSPACE, backend->name, "more than %d backends", REGISTERED_MAX);
	registered[registered_count++] = backend;
	return JF_OK;
}

enum jf_status jf_convention_find(const char *target, const struct jf_convention **conv, struct jf_error *error)
{
	const char *slash = target ? strchr(target, '/') : NULL;
	const struct jf_backend *backend;

	if (!slash || !conv)
		return jf_error_set(error, JF_E_INVAL, target ? target : "", "not of the form ARCH/CONVENTION");
	backend = find(target, (size_t)(slash - target));
	if (!backend)
		return jf_error_set(error, JF_E_NOT_FOUND, target, "no architecture '%.*s'", (int)(slash - target),
				    target);
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		if (!strcmp(backend->conventions[i]->name, slash + 1)) {
			*conv = backend->conventions[i];
			return JF_OK;
		}
	}
	return jf_error_set(error, JF_E_NOT_FOUND, target, "%s has no convention '%s'", backend->name, slash + 1);
}

/* ---- what a backend's tables must hold ------------------------------------------------------- */

static enum jf_status bad(struct jf_error *error, const char *where, const char *what)
{
	return jf_error_set(error, JF_E_BAD_DESC, where, "%s", what);
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

static bool branches_sound(const struct jf_branches *branches)
{
	return forms_sound(branches->forms[JF_BRANCH_IF]) && forms_sound(branches->forms[JF_BRANCH_ALWAYS]);
}

/* A hook that frames of every convention need. returns: its name, or NULL: all are there. */
static const char *missing_step(const struct jf_build_ops *ops)
{
	const struct {
		bool is_there;
		const char *name;
	} steps[] = {
		{ops->move, "move"},
		{ops->add, "add"},
		{ops->constant, "constant"},
		{ops->store || ops->unit, "store"},
		{ops->load || ops->unit, "load"},
		{ops->unit || !ops->push, "unit"},
		{ops->push || !ops->unit, "push"},
		{ops->pop || !ops->unit, "pop"},
		{ops->ret, "ret"},
		{ops->jump, "jump"},
	};

	for (unsigned int i = 0; i < JF_COUNT_OF(steps); i++)
		if (!steps[i].is_there)
			return steps[i].name;
	return NULL;
}

enum jf_status jf_backend_check(const struct jf_backend *backend, struct jf_error *error)
{
	if (!backend || !backend->regs || !backend->name || !backend->conventions)
		return bad(error, "backend", "a table is NULL");
	if (backend->reg_count > JF_REGS_MAX)
		return bad(error, backend->name, "more registers than JF_REGS_MAX");
	for (unsigned int i = 0; i < backend->reg_count; i++)
		if (backend->regs[i].id != i)
			return bad(error, backend->name, "a register's id is not its index");
	if (backend->sp >= backend->reg_count || backend->fp >= backend->reg_count || backend->ra >= backend->reg_count)
		return bad(error, backend->name, "sp, fp or ra is no register of the table");
	if (backend->build && missing_step(backend->build))
		return jf_error_set(error, JF_E_BAD_DESC, backend->name, "frames cannot be built without the hook %s",
				    missing_step(backend->build));
	if (!backend->build && (!backend->emit_prologue || !backend->emit_epilogue || !backend->emit_tail_exit))
		return bad(error, backend->name, "a mandatory hook is NULL");
	if (backend->native && !backend->emit_trap)
		return bad(error, backend->name, "a host's backend without a trap for freed code (emit_trap)");
	if (!backend->bounds.insn_bytes || !backend->bounds.tail_call_bytes || !backend->bounds.function_bytes ||
	    (backend->call_stubs && !backend->bounds.stub_bytes))
		return bad(error, backend->name, "bounds of code sizes are missing (bounds)");
	if (backend->bounds.function_bytes > JF_FUNCTION_BYTES_MAX)
		return bad(error, backend->name, "functions that are longer than JF_FUNCTION_BYTES_MAX (bounds)");
	if ((backend->body.jump || backend->body.jump_always || backend->body.may_goto) && !backend->body.put_branch)
		return bad(error, backend->name, "jumps without their branches (put_branch)");
	if (backend->body.call && !backend->body.extend)
		return bad(error, backend->name, "calls without their results (extend)");
	if (backend->c_args.extended_bytes != 0 && backend->c_args.extended_bytes != 4 &&
	    backend->c_args.extended_bytes != 8)
		return bad(error, backend->name, "arguments of C are extended to neither 4 nor 8 bytes (c_args)");
	if (backend->branches && !branches_sound(backend->branches))
		return bad(error, backend->name,
			   "a branch has no form, or a form is no longer than the one before, or reaches no farther");
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		const struct jf_convention *conv = backend->conventions[i];
		enum jf_status status;

		if (!conv || conv->size < sizeof(*conv) || !conv->name || conv->backend != backend || !conv->areas)
			return bad(error, backend->name, "a convention is NULL, nameless or of another backend");
		status = convention_check_first(conv, error);
		if (status != JF_OK)
			return status;
	}
	return jf_orc_check(backend, error);
}
