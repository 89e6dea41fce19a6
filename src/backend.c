/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry.h"

#include <stdio.h>
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

const struct jf_backend *jf_backend_find(const char *name)
{
	const struct jf_backend *backend;

	for (size_t i = 0; name && (backend = jf_backend_at(i)); i++)
		if (!strcmp(backend->name, name))
			return backend;
	return NULL;
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
	char arch[32];

	if (!slash || !conv)
		return jf_error_set(error, JF_E_INVAL, target ? target : "", "not of the form ARCH/CONVENTION");
	snprintf(arch, sizeof(arch), "%.*s", (int)(slash - target), target);
	backend = jf_backend_find(arch);
	if (!backend)
		return jf_error_set(error, JF_E_NOT_FOUND, target, "no architecture '%s'", arch);
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		if (!strcmp(backend->conventions[i]->name, slash + 1)) {
			*conv = backend->conventions[i];
			return JF_OK;
		}
	}
	return jf_error_set(error, JF_E_NOT_FOUND, target, "%s has no convention '%s'", arch, slash + 1);
}

/* ---- what a backend's tables must hold ------------------------------------------------------- */

static enum jf_status bad(struct jf_error *error, const char *where, const char *what)
{
	return jf_error_set(error, JF_E_BAD_DESC, where, "%s", what);
}

static enum jf_status check_frame(const struct jf_convention *conv, const struct jf_frame *frame, struct jf_error *error)
{
	const struct jf_slot *slot = frame->slots;
	uint32_t bytes = 0;
	bool ra = false, prev_fp = false;

	for (unsigned int i = 0; i < frame->slot_count; i++, slot++) {
		bytes += slot->size_bytes;
		if (slot->off_from_cfa < -(int32_t)frame->size_bytes)
			return bad(error, conv->name, "a slot lies below the frame");
		for (unsigned int k = 0; k < i; k++)
			if (slot->off_from_cfa < frame->slots[k].off_from_cfa + (int32_t)frame->slots[k].size_bytes &&
			    frame->slots[k].off_from_cfa < slot->off_from_cfa + (int32_t)slot->size_bytes)
				return bad(error, conv->name, "two slots overlap");
		ra |= slot->kind == JF_SLOT_RETURN && slot->off_from_cfa == conv->ra_off_from_cfa;
		prev_fp |= slot->kind == JF_SLOT_SAVE && slot->reg == conv->backend->fp &&
			   slot->off_from_cfa == conv->prev_fp_off_from_cfa;
	}
	if (bytes != frame->size_bytes)
		return bad(error, conv->name, "the slots do not fill the frame");
	if (!ra || !prev_fp)
		return bad(error, conv->name, "the frame record is not at the convention's offsets (R1)");
	return JF_OK;
}

static enum jf_status check_convention(const struct jf_backend *backend, const struct jf_convention *conv,
				       struct jf_error *error)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct jf_frame frame;

	if (!conv || conv->size < sizeof(*conv) || !conv->name || conv->backend != backend)
		return bad(error, backend->name, "a convention is NULL, nameless or of another backend");
	for (unsigned int bpf = 0; bpf < JF_BPF_REG__COUNT; bpf++)
		if (conv->bpf_reg[bpf] >= backend->reg_count)
			return bad(error, conv->name, "a BPF register has no machine register");
	for (spec.role = 0; spec.role < JF_ROLE__COUNT; spec.role++) {
		enum jf_status status = jf_frame_solve(conv, &spec, &frame, error);

		if (status == JF_E_UNSUPPORTED)
			continue;
		if (status == JF_OK)
			status = check_frame(conv, &frame, error);
		if (status != JF_OK)
			return status;
	}
	return JF_OK;
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
	if (!backend->emit_prologue || !backend->emit_epilogue || !backend->emit_tail_exit)
		return bad(error, backend->name, "a mandatory hook is NULL");
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		enum jf_status status = check_convention(backend, backend->conventions[i], error);

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}
