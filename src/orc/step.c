/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc/orc.h"

#include "base/sized.h"

#include <jitframe/backend.h>
#include <string.h>

/* One frame up, as the kernel's ORC unwinders go. */

struct step {
	const struct jf_orc_format *format;
	const struct jf_memory *memory;
	struct jf_orc_frame *frame; /* of which this one is the caller: */
	struct jf_orc_frame next;
	uint64_t cfa;
	bool ra_used; /* the link register had the return address */
};

static enum jf_status read_word(const struct step *step, uint64_t address, uint64_t *value)
{
	const struct jf_memory *memory = step->memory;

	step->frame->fail_address = address;
	if (address < memory->low || address > memory->high || memory->high - address < sizeof(*value))
		return JF_E_READ;
	if (memory->read)
		return memory->read(memory->arg, address, value) == JF_OK ? JF_OK : JF_E_READ;
	memcpy(value, (const void *)(uintptr_t)address, sizeof(*value));
	return JF_OK;
}

static uint64_t sum(uint64_t value, int32_t off)
{
	return value + (uint64_t)(int64_t)off;
}

static enum jf_status read_context(const struct step *step, uint64_t context, int16_t at, uint64_t *value)
{
	return at == JF_ORC_NO_OFF ? JF_E_LOST : read_word(step, sum(context, at), value);
}

/* A register of the present frame. */
static enum jf_status read_reg(const struct step *step, uint8_t reg, uint64_t *value)
{
	const struct jf_orc_format *format = step->format;

	if (reg == format->backend->sp) {
		*value = step->frame->sp;
		return JF_OK;
	}
	if (reg == format->backend->fp) {
		*value = step->frame->fp;
		return JF_OK;
	}
	if (step->frame->live) {
		*value = step->frame->live->value[reg];
		return JF_OK;
	}
	for (unsigned int i = 0; step->frame->context && i < format->saved_reg_count; i++)
		if (format->saved_regs[i].reg == reg)
			return read_context(step, step->frame->context, format->saved_regs[i].at, value);
	return JF_E_LOST;
}

/* What the rule of a register code gives. */
static enum jf_status apply(const struct step *step, enum jf_orc_rule rule, uint8_t reg, int16_t off, uint64_t *value)
{
	uint64_t base = 0;
	enum jf_status status = JF_OK;

	if (rule == JF_ORC_AT_CFA)
		return read_word(step, sum(step->cfa, off), value);
	if (rule == JF_ORC_INVALID || rule == JF_ORC_KEPT)
		return JF_E_BAD_IMAGE;
	status = read_reg(step, reg, &base);
	if (status != JF_OK)
		return status;
	switch (rule) {
	case JF_ORC_REG: *value = base; return JF_OK;
	case JF_ORC_SUM: *value = sum(base, off); return JF_OK;
	case JF_ORC_LOAD_SUM: return read_word(step, sum(base, off), value);
	default: break;
	}
	status = read_word(step, base, &base);
	if (status == JF_OK)
		*value = sum(base, off);
	return status;
}

/* The caller's frame pointer, when it was saved. */
static enum jf_status restore_fp(struct step *step, const struct jf_orc_entry *entry)
{
	const struct jf_orc_code *code = &step->format->codes[entry->fp_reg];

	if (code->saved == JF_ORC_KEPT)
		return JF_OK;
	return apply(step, (enum jf_orc_rule)code->saved, code->reg, entry->fp_off, &step->next.fp);
}

static enum jf_status return_address(struct step *step, const struct jf_orc_entry *entry, uint64_t *value)
{
	const struct jf_orc_format *format = step->format;
	const struct jf_orc_code *code = &format->codes[entry->ra_reg];

	if (format->ra_off_at == JF_ORC_NO_FIELD)
		return read_word(step, sum(step->cfa, format->ra_off_from_cfa), value);
	if (code->saved != JF_ORC_KEPT)
		return apply(step, (enum jf_orc_rule)code->saved, code->reg, entry->ra_off, value);
	if (!step->frame->ra_live || step->frame->ra == step->frame->pc)
		return JF_E_LOST;
	*value = step->frame->ra;
	step->ra_used = true;
	return JF_OK;
}

static enum jf_status step_call(struct step *step, const struct jf_orc_entry *entry)
{
	uint64_t ra = 0;
	enum jf_status status = return_address(step, entry, &ra);

	if (status != JF_OK)
		return status;
	if (ra == 0)
		return JF_E_LOST;
	if (step->format->backend->strip_return)
		ra = step->format->backend->strip_return(ra);
	step->next.pc = ra - step->format->call_bytes;
	step->next.sp = step->cfa;
	return restore_fp(step, entry);
}

/* The frame that was interrupted: its registers lie at the CFA. */
static enum jf_status step_context(struct step *step, const struct jf_orc_context *context,
				   const struct jf_orc_entry *entry)
{
	uint64_t mode = 0;
	enum jf_status status;

	if (!context->present)
		return JF_E_BAD_IMAGE;
	status = read_context(step, step->cfa, context->mode_at, &mode);
	if (status != JF_OK)
		return status;
	if (mode & context->mode_user)
		return JF_END;
	status = read_context(step, step->cfa, context->pc_at, &step->next.pc);
	if (status == JF_OK)
		status = read_context(step, step->cfa, context->sp_at, &step->next.sp);
	if (status == JF_OK && context->fp_at != JF_ORC_NO_OFF)
		status = read_context(step, step->cfa, context->fp_at, &step->next.fp);
	if (status == JF_OK && context->ra_at != JF_ORC_NO_OFF) {
		status = read_context(step, step->cfa, context->ra_at, &step->next.ra);
		step->next.ra_live = true;
	}
	if (status != JF_OK)
		return status;
	/* A partial one leaves the full one before it in force. */
	step->next.context = context == &step->format->regs ? step->cfa : step->frame->context;
	return restore_fp(step, entry);
}

uint64_t jf_orc_lookup(const struct jf_orc_format *format, const struct jf_orc_frame *frame)
{
	return frame->interrupted || format->call_bytes ? frame->pc : frame->pc - 1;
}

static enum jf_status go(struct step *step, const struct jf_orc_entry *entry)
{
	const struct jf_orc_code *code = &step->format->codes[entry->sp_reg];
	enum jf_status status;

	switch (entry->type) {
	case JF_ORC_UNDEFINED: return JF_E_NO_ROW;
	case JF_ORC_END_OF_STACK: return JF_END;
	case JF_ORC_CALL:
	case JF_ORC_REGS:
	case JF_ORC_REGS_PARTIAL: break;
	default: return JF_E_BAD_IMAGE;
	}
	status = apply(step, (enum jf_orc_rule)code->cfa, code->reg, entry->sp_off, &step->cfa);
	if (status != JF_OK)
		return status;
	if (entry->type == JF_ORC_CALL)
		status = step_call(step, entry);
	else
		status = step_context(
			step, entry->type == JF_ORC_REGS ? &step->format->regs : &step->format->regs_partial, entry);
	if (status == JF_OK &&
	    (step->next.sp < step->frame->sp || (step->next.sp == step->frame->sp && !step->ra_used)))
		return JF_E_STUCK;
	return status;
}

enum jf_status jf_orc_step_in(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
			      const struct jf_memory *memory, struct jf_orc_frame *frame)
{
	struct step step = {.format = format, .memory = memory, .frame = frame};
	enum jf_status status;

	if (entry->sp_reg >= JF_ORC_CODES || entry->fp_reg >= JF_ORC_CODES || entry->ra_reg >= JF_ORC_CODES)
		return JF_E_BAD_IMAGE;
	step.next.fp = frame->fp;
	/* Said of the frame that called, or was interrupted: not of this one. */
	step.next.interrupted = entry->signal;
	status = go(&step, entry);
	if (status == JF_OK)
		*frame = step.next;
	return status;
}

enum jf_status jf_orc_step(const struct jf_orc_format *format, const struct jf_orc_entry *entry,
			   const struct jf_memory *in, struct jf_orc_frame *frame)
{
	struct jf_memory memory;

	if (!format || !entry || !in || !frame ||
	    jf_sized_read(&memory, sizeof(memory), offsetof(struct jf_memory, read), in, "memory", NULL) != JF_OK)
		return JF_E_INVAL;
	return jf_orc_step_in(format, entry, &memory, frame);
}
