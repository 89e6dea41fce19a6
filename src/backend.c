/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry.h"

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
		return jf_error_set(error, JF_E_NOT_FOUND, target, "no architecture '%.*s'", (int)(slash - target), target);
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		if (!strcmp(backend->conventions[i]->name, slash + 1)) {
			*conv = backend->conventions[i];
			return JF_OK;
		}
	}
	return jf_error_set(error, JF_E_NOT_FOUND, target, "%s has no convention '%s'", backend->name,
			    slash + 1);
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

static bool holds_register(uint8_t kind)
{
	return kind == JF_SLOT_RETURN || kind == JF_SLOT_SAVE || kind == JF_SLOT_SPILL;
}

static enum jf_status check_areas(const struct jf_convention *conv, struct jf_error *error)
{
	for (unsigned int i = 0; i < conv->area_count; i++) {
		const struct jf_area *area = &conv->areas[i];

		if (area->group != 1 && area->group != 2)
			return bad(error, conv->name, "an area's group is neither 1 nor 2");
		for (unsigned int k = 0; k < area->rule_count; k++)
			if (holds_register(area->rules[k].kind) && area->rules[k].reg >= conv->backend->reg_count)
				return bad(error, conv->name, "a slot for a register names none");
	}
	return JF_OK;
}

/* The registers that a convention names, as far as its capabilities make use of them. */
static enum jf_status check_registers(const struct jf_convention *conv, struct jf_error *error)
{
	unsigned int reg_count = conv->backend->reg_count;

	for (unsigned int bpf = 0; bpf < JF_BPF_REG__COUNT; bpf++)
		if (conv->bpf_reg[bpf] >= reg_count)
			return bad(error, conv->name, "a BPF register has no machine register");
	if (conv->caps & JF_CAP_PRIVATE_STACK && conv->bpf_fp_private >= reg_count)
		return bad(error, conv->name, "a BPF register has no machine register with a private stack");
	if (conv->caps & JF_CAP_ARENA && conv->arena_reg >= reg_count)
		return bad(error, conv->name, "the arena base has no machine register");
	if (conv->caps & JF_CAP_EXCEPTIONS && conv->backend->arg_count < 3)
		return bad(error, conv->name, "callbacks need three argument registers");
	return JF_OK;
}

static enum jf_status check_convention(const struct jf_backend *backend, const struct jf_convention *conv,
				       struct jf_error *error)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	enum jf_status status;
	struct jf_frame frame;

	if (!conv || conv->size < sizeof(*conv) || !conv->name || conv->backend != backend)
		return bad(error, backend->name, "a convention is NULL, nameless or of another backend");
	status = check_registers(conv, error);
	if (status == JF_OK)
		status = check_areas(conv, error);
	if (status != JF_OK)
		return status;
	for (spec.role = 0; spec.role < JF_ROLE__COUNT; spec.role++) {
		status = jf_frame_solve(conv, &spec, &frame, error);
		if (status == JF_E_UNSUPPORTED)
			continue;
		if (status == JF_OK)
			status = check_frame(conv, &frame, error);
		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}

static bool branches_sound(const struct jf_branches *branches)
{
	return branches->put && branches->short_bytes && branches->long_bytes >= branches->short_bytes &&
	       branches->long_always_bytes >= branches->short_bytes;
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
	if (backend->branches && !branches_sound(backend->branches))
		return bad(error, backend->name, "a branch has no size, or its long form is the shorter one");
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		enum jf_status status = check_convention(backend, backend->conventions[i], error);

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}
