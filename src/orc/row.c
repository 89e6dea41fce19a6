/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/orc.h"

#include <jitframe/backend.h>

/* Entries as rows, and rows as entries. */

/* ---- entry -> row ---------------------------------------------------------------------------------- */

/* The register id and offset of a CFA that is register + offset. */
static enum jf_status cfa_of(const struct jf_orc_format *format, const struct jf_orc_entry *entry, struct jf_row *row)
{
	const struct jf_orc_code *code = &format->codes[entry->sp_reg];

	switch (code->cfa) {
	case JF_ORC_SUM: row->cfa_off = entry->sp_off; break;
	case JF_ORC_REG: row->cfa_off = 0; break;
	case JF_ORC_LOAD_SUM:
	case JF_ORC_LOAD_PLUS: return JF_E_UNSUPPORTED;
	default: return JF_E_BAD_IMAGE;
	}
	row->cfa_reg = code->reg;
	return JF_OK;
}

/* Where a register was saved, as slot `index` of the row. */
static enum jf_status saved_at(const struct jf_orc_format *format, uint8_t reg_code, int16_t off, unsigned int index,
			       struct jf_row *row, struct jf_slot *slots)
{
	const struct jf_orc_code *code = &format->codes[reg_code];

	switch (code->saved) {
	case JF_ORC_KEPT: return JF_OK;
	case JF_ORC_AT_CFA: slots[index].off_from_cfa = off; break;
	case JF_ORC_LOAD_SUM:
		/* [reg + off], CFA = reg + cfa_off */
		if (code->reg != row->cfa_reg)
			return JF_E_UNSUPPORTED;
		slots[index].off_from_cfa = off - row->cfa_off;
		break;
	default: return JF_E_BAD_IMAGE;
	}
	row->saved |= UINT32_C(1) << index;
	return JF_OK;
}

enum { RA_SLOT, FP_SLOT };

static enum jf_status call_row(const struct jf_orc_format *format, const struct jf_orc_entry *entry, struct jf_row *row,
			       struct jf_slot slots[JF_ORC_SLOTS])
{
	const struct jf_backend *backend = format->backend;
	enum jf_status status = cfa_of(format, entry, row);

	slots[RA_SLOT] = (struct jf_slot){.kind = JF_SLOT_RETURN, .reg = backend->ra, .size_bytes = 8};
	slots[FP_SLOT] = (struct jf_slot){.kind = JF_SLOT_SAVE, .reg = backend->fp, .size_bytes = 8};
	if (status != JF_OK)
		return status;
	if (format->ra_off_at != JF_ORC_NO_FIELD) {
		status = saved_at(format, entry->ra_reg, entry->ra_off, RA_SLOT, row, slots);
	} else {
		slots[RA_SLOT].off_from_cfa = format->ra_off_from_cfa;
		row->saved |= 1u << RA_SLOT;
	}
	if (status == JF_OK)
		status = saved_at(format, entry->fp_reg, entry->fp_off, FP_SLOT, row, slots);
	row->flags = JF_ROW_REGS_LOST;
	if (!(row->saved & 1u << FP_SLOT))
		row->flags |= JF_ROW_FP_KEPT;
	return status;
}

enum jf_status jf_orc_to_row(const struct jf_orc_format *format, const struct jf_orc_entry *entry, struct jf_row *row,
			     struct jf_slot slots[JF_ORC_SLOTS])
{
	struct jf_slot new_slots[JF_ORC_SLOTS] = {0};
	struct jf_row new_row = {0};
	enum jf_status status = JF_OK;

	if (!format || !entry || !row || !slots)
		return JF_E_INVAL;
	if (entry->sp_reg >= JF_ORC_CODES || entry->fp_reg >= JF_ORC_CODES || entry->ra_reg >= JF_ORC_CODES)
		return JF_E_BAD_IMAGE;
	switch (entry->type) {
	case JF_ORC_UNDEFINED: new_row.flags = JF_ROW_UNKNOWN; break;
	case JF_ORC_END_OF_STACK: return JF_END;
	case JF_ORC_CALL:
		status = entry->signal ? JF_E_UNSUPPORTED : call_row(format, entry, &new_row, new_slots);
		break;
	case JF_ORC_REGS:
	case JF_ORC_REGS_PARTIAL: return JF_E_UNSUPPORTED;
	default: return JF_E_BAD_IMAGE;
	}
	if (status != JF_OK)
		return status;
	*row = new_row;
	for (unsigned int i = 0; i < JF_ORC_SLOTS; i++)
		slots[i] = new_slots[i];
	return JF_OK;
}

/* ---- row -> entry ---------------------------------------------------------------------------------- */

static bool fits_s16(int32_t value)
{
	return value >= INT16_MIN && value <= INT16_MAX;
}

/* The code by which a register that was saved is found with that rule. returns: JF_ORC_CODES when none is. */
static uint8_t code_of(const struct jf_orc_format *format, enum jf_orc_rule saved)
{
	uint8_t code = 0;

	while (code < JF_ORC_CODES && format->codes[code].saved != saved)
		code++;
	return code;
}

static enum jf_status put_cfa(const struct jf_orc_format *format, const struct jf_row *row, struct jf_orc_entry *entry,
			      struct jf_error *error)
{
	const struct jf_backend *backend = format->backend;
	const char *name = row->cfa_reg < backend->reg_count ? backend->regs[row->cfa_reg].name : "?";
	bool known = false;

	for (uint8_t i = 0; i < JF_ORC_CODES; i++) {
		const struct jf_orc_code *code = &format->codes[i];

		if ((code->cfa != JF_ORC_SUM && code->cfa != JF_ORC_REG) || code->reg != row->cfa_reg)
			continue;
		known = true;
		if (code->cfa == JF_ORC_SUM ? !fits_s16(row->cfa_off) : row->cfa_off != 0)
			continue;
		entry->sp_reg = i;
		entry->sp_off = (int16_t)row->cfa_off;
		return JF_OK;
	}
	return jf_error_set(error, JF_E_UNSUPPORTED, "cfa", "the CFA is %s%+d, and ORC has no %s", name, row->cfa_off,
			    known ? "such offset" : "such register");
}

/* The slot in force that holds the caller's value of `reg`, or NULL. */
static const struct jf_slot *slot_of(const struct jf_row *row, const struct jf_slot *slots, unsigned int slot_count,
				     uint8_t reg)
{
	for (unsigned int i = 0; i < slot_count && i < 32; i++)
		if (row->saved & UINT32_C(1) << i && slots[i].reg == reg)
			return &slots[i];
	return NULL;
}

static enum jf_status put_saved(const struct jf_orc_format *format, const struct jf_slot *slot, uint8_t reg,
				uint8_t *code, int16_t *off, struct jf_error *error)
{
	*code = code_of(format, slot ? JF_ORC_AT_CFA : JF_ORC_KEPT);
	if (*code == JF_ORC_CODES || (slot && !fits_s16(slot->off_from_cfa)))
		return jf_error_set(error, JF_E_UNSUPPORTED, "slot", "%s is %s, and ORC cannot say that",
				    format->backend->regs[reg].name, slot ? "too far from the CFA" : "in its register");
	*off = slot ? (int16_t)slot->off_from_cfa : 0;
	return JF_OK;
}

static enum jf_status put_ra(const struct jf_orc_format *format, const struct jf_slot *slot, struct jf_orc_entry *entry,
			     struct jf_error *error)
{
	if (format->ra_off_at != JF_ORC_NO_FIELD)
		return put_saved(format, slot, format->backend->ra, &entry->ra_reg, &entry->ra_off, error);
	if (!slot || slot->off_from_cfa != format->ra_off_from_cfa)
		return jf_error_set(error, JF_E_UNSUPPORTED, "slot", "the return address is not at CFA%+d",
				    format->ra_off_from_cfa);
	return JF_OK;
}

enum jf_status jf_orc_from_row(const struct jf_orc_format *format, const struct jf_row *row,
			       const struct jf_slot *slots, unsigned int slot_count, struct jf_orc_entry *entry,
			       struct jf_error *error)
{
	struct jf_orc_entry made = {.type = JF_ORC_CALL};
	const struct jf_slot *fp;
	enum jf_status status;

	if (!format || !row || !entry || (!slots && slot_count))
		return jf_error_set(error, JF_E_INVAL, "", "no row");
	if (row->flags & JF_ROW_UNKNOWN) {
		*entry = (struct jf_orc_entry){.type = JF_ORC_UNDEFINED};
		return JF_OK;
	}
	if (row->flags & JF_ROW_RA_SIGNED)
		return jf_error_set(error, JF_E_UNSUPPORTED, "ra", "the return address is signed");
	fp = slot_of(row, slots, slot_count, format->backend->fp);
	if (!fp && row->flags & JF_ROW_REGS_LOST && !(row->flags & JF_ROW_FP_KEPT))
		return jf_error_set(error, JF_E_UNSUPPORTED, "fp", "the caller's frame pointer is lost");
	status = put_cfa(format, row, &made, error);
	if (status == JF_OK)
		status = put_ra(format, slot_of(row, slots, slot_count, format->backend->ra), &made, error);
	if (status == JF_OK)
		status = put_saved(format, fp, format->backend->fp, &made.fp_reg, &made.fp_off, error);
	if (status == JF_OK)
		*entry = made;
	return status;
}
