/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/convention.h"

#include <stdio.h>
#include <string.h>

/* A backend's register table, and the registers with a duty. */

/* returns: what is wrong with the register at `index`, or NULL. */
static const char *reg_fault(const struct jf_backend *backend, unsigned int index)
{
	const struct jf_reg *reg = &backend->regs[index];

	if (!reg->name || !reg->name[0])
		return "a register has no name (name)";
	if (reg->id != index)
		return "a register's id is not its index (id)";
	if (reg->cls > JF_REG_CONTROL)
		return "a register is of no class (cls)";
	if (!reg->size_bytes || reg->size_bytes > 8)
		return "a register's size is not 1 to 8 bytes (size_bytes)";
	if ((reg->cls == JF_REG_CONTROL) != (reg->control != NULL))
		return "values belong to control registers, and to no others (control)";
	for (unsigned int i = 0; i < index; i++) {
		const struct jf_reg *other = &backend->regs[i];

		if (!strcmp(other->name, reg->name))
			return "two registers have one name (name)";
		if (other->dw == reg->dw)
			return "two registers have one DWARF number (dw)";
		if (reg->cls != JF_REG_CONTROL && other->cls == reg->cls && other->hw == reg->hw)
			return "two registers of a class have one number (hw)";
	}
	return NULL;
}

enum jf_status check_backend_registers(const struct jf_backend *backend, struct jf_error *error)
{
	for (unsigned int i = 0; i < backend->reg_count; i++) {
		const char *fault = reg_fault(backend, i);

		if (fault)
			return jf_error_set(error, JF_E_BAD_DESC, backend->name, "regs: at %s, index %u: %s",
					    backend->regs[i].name ? backend->regs[i].name : "?", i, fault);
	}
	return JF_OK;
}

/* Register 0 is no special one, so a field that somebody forgot shows by what its register cannot be. */
const char *role_fault(const struct jf_backend *backend, unsigned int reg)
{
	if (reg >= backend->reg_count)
		return "no register of the table";
	if (backend->regs[reg].cls != JF_REG_INT)
		return "no integer register";
	if (backend->regs[reg].flags & JF_REG_ZERO)
		return "a register that is always 0";
	if (backend->regs[reg].flags & JF_REG_RESERVED)
		return "a register that the ABI reserves";
	return NULL;
}

static bool is_argument(const struct jf_backend *backend, unsigned int reg)
{
	for (unsigned int i = 0; i < backend->arg_count; i++)
		if (backend->args[i] == reg)
			return true;
	return false;
}

/* A register with a duty. returns: JF_OK, or the fault. */
static enum jf_status check_role(const struct jf_backend *backend, const char *field, unsigned int reg, bool is_kept,
				 struct jf_error *error)
{
	const char *fault = role_fault(backend, reg);

	if (!fault && !is_kept && backend->regs[reg].flags & JF_REG_CALLEE_SAVED)
		fault = "a register that a callee keeps (flags)";
	if (!fault && is_kept && !(backend->regs[reg].flags & JF_REG_CALLEE_SAVED))
		fault = "a register that a callee does not keep (flags)";
	if (!fault)
		return JF_OK;
	if (reg >= backend->reg_count)
		return jf_error_set(error, JF_E_BAD_DESC, backend->name, "%s is %s", field, fault);
	return jf_error_set(error, JF_E_BAD_DESC, backend->name, "%s is %s, %s", field, backend->regs[reg].name, fault);
}

static enum jf_status check_args(const struct jf_backend *backend, struct jf_error *error)
{
	for (unsigned int i = 0; i < backend->arg_count; i++) {
		enum jf_status status;
		char field[16];

		snprintf(field, sizeof(field), "args[%u]", i);
		status = check_role(backend, field, backend->args[i], false, error);
		if (status != JF_OK)
			return status;
		for (unsigned int other = 0; other < i; other++)
			if (backend->args[other] == backend->args[i])
				return bad_field(error, backend->name, field,
						 "is the register of an argument before it");
	}
	return JF_OK;
}

enum jf_status check_backend_roles(const struct jf_backend *backend, struct jf_error *error)
{
	const struct {
		const char *field;
		uint8_t reg;
		bool is_kept, passes_values;
	} roles[] = {
		{"sp", backend->sp, false, false},
		{"fp", backend->fp, true, false},
		{"ra", backend->ra, false, false},
		{"result", backend->result, false, true},
	};
	enum jf_status status = JF_OK;

	if (!backend->arg_count || backend->arg_count > JF_ARG_REGS_MAX)
		return bad_field(error, backend->name, "arg_count", "is 0, or larger than JF_ARG_REGS_MAX");
	for (size_t i = 0; i < JF_COUNT_OF(roles) && status == JF_OK; i++) {
		status = check_role(backend, roles[i].field, roles[i].reg, roles[i].is_kept, error);
		if (status == JF_OK && !roles[i].passes_values &&
		    (is_argument(backend, roles[i].reg) || roles[i].reg == backend->result))
			status = jf_error_set(error, JF_E_BAD_DESC, backend->name,
					      "%s is %s, the register of an argument or of the result", roles[i].field,
					      backend->regs[roles[i].reg].name);
	}
	if (status == JF_OK && backend->sp == backend->ra)
		status = bad_field(error, backend->name, "ra", "is the stack pointer");
	return status == JF_OK ? check_args(backend, error) : status;
}
