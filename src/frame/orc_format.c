/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame/convention.h"

#include <jitframe/backend.h>
#include <jitframe/orc.h>

/* What the description of an ORC format must hold, so that no table is read or written beside it. */

#define FORMATS_MAX 16

static bool is_field(const struct jf_orc_format *format, unsigned int at, unsigned int bytes, bool optional)
{
	return (optional && at == JF_ORC_NO_FIELD) || at + bytes <= format->entry_bytes;
}

static bool are_bits(unsigned int bit, unsigned int count, bool optional)
{
	return (optional && bit == JF_ORC_NO_FIELD) || bit + count <= 16;
}

static const char *find_fault(const struct jf_backend *backend, const struct jf_orc_format *format)
{
	if (format->size < sizeof(*format) || !format->name || format->backend != backend)
		return "an ORC format is nameless, of an older header or of another backend";
	if (!format->entry_bytes || format->entry_bytes > 8)
		return "an ORC entry has 1 to 8 bytes";
	if (!is_field(format, format->sp_off_at, 2, false) || !is_field(format, format->fp_off_at, 2, false) ||
	    !is_field(format, format->ra_off_at, 2, true) || !is_field(format, format->flags_at, 2, false))
		return "a field of an ORC entry lies outside of it";
	if (!are_bits(format->sp_reg_bit, 4, false) || !are_bits(format->fp_reg_bit, 4, false) ||
	    !are_bits(format->ra_reg_bit, 4, true) || !are_bits(format->type_bit, 3, false) ||
	    !are_bits(format->signal_bit, 1, false))
		return "a bit field of an ORC entry lies outside of its 16 bits";
	for (unsigned int i = 0; i < JF_ORC_CODES; i++) {
		const struct jf_orc_code *code = &format->codes[i];
		bool names_one = code->cfa >= JF_ORC_REG || (code->saved >= JF_ORC_REG && code->saved < JF_ORC_AT_CFA);

		if (code->cfa > JF_ORC_AT_CFA || code->saved > JF_ORC_AT_CFA)
			return "an ORC register code has no rule";
		if (names_one && code->reg >= backend->reg_count)
			return "an ORC register code names no register";
	}
	if (format->saved_reg_count > JF_ORC_REGS_MAX)
		return "more saved registers than JF_ORC_REGS_MAX";
	for (unsigned int i = 0; i < format->saved_reg_count; i++)
		if (format->saved_regs[i].reg >= backend->reg_count)
			return "a saved register of an ORC context is none";
	return format->header_count && !format->headers ? "ORC headers are counted and not there" : NULL;
}

enum jf_status jf_orc_check(const struct jf_backend *backend, struct jf_error *error)
{
	unsigned int count = 0;

	for (const struct jf_orc_format *format = backend->orc; format; format = format->older) {
		const char *fault = find_fault(backend, format);

		if (!fault && ++count > FORMATS_MAX)
			fault = "the list of ORC formats does not end";
		if (fault)
			return jf_error_set(error, JF_E_BAD_DESC, format->name ? format->name : backend->name, "%s",
					    fault);
	}
	return JF_OK;
}
