/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"

/*
 * Code that no compiler wrote: procedure linkage tables, and the trampolines that signal handlers return to. One
 * linker describes its tables by an expression; others, and some trampolines, have no entry at all, and are known
 * by their instructions.
 */

/* ---- the expression ------------------------------------------------------------------------------------- */

/* DWARF 5, section 7.7.1. */
enum {
	OP_AND = 0x1a,
	OP_PLUS = 0x22,
	OP_SHL = 0x24,
	OP_GE = 0x2a,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
};

static bool read_literal(struct cfi_reader *reader, uint8_t *value)
{
	uint64_t op = jf_cfi_read(reader, 1);

	*value = (uint8_t)(op - OP_LIT0);
	return op >= OP_LIT0 && op <= OP_LIT31;
}

static bool read_breg(struct cfi_reader *reader, const struct cfi_converter *converter, uint8_t *reg, int64_t *off)
{
	uint64_t op = jf_cfi_read(reader, 1);

	*off = jf_cfi_sleb(reader);
	if (op < OP_BREG0 || op > OP_BREG31)
		return false;
	*reg = converter->regs->of_dw[op - OP_BREG0];
	return true;
}

/* breg SP off; breg PC 0; lit mask; and; lit limit; ge; lit shift; shl; plus */
bool jf_cfi_linkage_parse(const struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader program,
			  struct cfi_linkage *linkage)
{
	uint8_t pc = JF_REG_NONE, shift = 0;
	int64_t pc_off = 0;

	if (!read_breg(&program, converter, &linkage->cfa_reg, &linkage->cfa_off) || linkage->cfa_reg == JF_REG_NONE ||
	    !read_breg(&program, converter, &pc, &pc_off) || pc != cie->ra || pc == JF_REG_NONE || pc_off)
		return false;
	if (!read_literal(&program, &linkage->mask) || jf_cfi_read(&program, 1) != OP_AND ||
	    !read_literal(&program, &linkage->limit) || jf_cfi_read(&program, 1) != OP_GE ||
	    !read_literal(&program, &shift) || jf_cfi_read(&program, 1) != OP_SHL ||
	    jf_cfi_read(&program, 1) != OP_PLUS)
		return false;
	linkage->pushed = (int64_t)1 << shift;
	return !program.bad && program.at == program.end;
}

/* More is no linkage table: one row for every 8 bytes, from a handful of bytes of .eh_frame. */
#define LINKAGE_BYTES_MAX (1 << 20)

enum jf_status jf_cfi_linkage_rows(struct cfi_rows *rows, const struct cfi_state *state, uint64_t start, uint64_t from,
				   uint64_t to)
{
	const struct cfi_linkage *linkage = &state->linkage;
	struct cfi_state now = *state;
	int64_t before = -1;
	enum jf_status status = JF_OK;

	now.cfa_rule = CFI_VALUE;
	now.cfa_reg = linkage->cfa_reg;
	if (to - from > LINKAGE_BYTES_MAX)
		now.cfa_rule = CFI_EXPRESSION;
	if (rows->wanted)
		from = rows->wanted->code_off;
	for (uint64_t off = from; off < to && status == JF_OK; off++) {
		int64_t pushed = ((start + off) & linkage->mask) >= linkage->limit ? linkage->pushed : 0;

		if (pushed == before)
			continue;
		before = pushed;
		if (__builtin_add_overflow(linkage->cfa_off, pushed, &now.cfa_off))
			now.cfa_off = INT64_MAX;
		status = jf_cfi_row_add(rows, &now, (uint32_t)off);
		if (now.cfa_rule == CFI_EXPRESSION || rows->wanted)
			break;
	}
	return status;
}

/* ---- known instructions ----------------------------------------------------------------------------------- */

static bool matches(const struct jf_known_code *known, const uint8_t *code)
{
	for (unsigned int i = 0; i < known->insn_count; i++) {
		uint32_t word = (uint32_t)code[4 * i] | (uint32_t)code[4 * i + 1] << 8 |
				(uint32_t)code[4 * i + 2] << 16 | (uint32_t)code[4 * i + 3] << 24;

		if ((word & known->insns[i].mask) != known->insns[i].word)
			return false;
	}
	return true;
}

const struct jf_known_code *jf_cfi_known_find(const struct jf_backend *backend, const uint8_t *code, uint64_t bytes)
{
	for (unsigned int i = 0; i < backend->known_code_count; i++)
		if (4u * backend->known_code[i].insn_count <= bytes && matches(&backend->known_code[i], code))
			return &backend->known_code[i];
	return NULL;
}

static enum jf_status add_known(struct cfi_converter *converter, const struct jf_known_code *known, uint64_t start)
{
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	struct cfi_rows rows = {.converter = converter,
				.first = converter->rows.count,
				.slots = slots,
				.slot_count = known->slot_count};
	struct cfi_draft draft = {.start = start, .end = start + 4u * known->insn_count}, *place;
	enum jf_status status;

	for (unsigned int i = 0; i < known->row_count; i++) {
		struct jf_row *row = jf_cfi_list_add(&converter->rows, sizeof(*row));

		if (!row)
			return JF_E_NO_MEMORY;
		*row = known->rows[i];
	}
	for (unsigned int i = 0; i < known->slot_count; i++)
		rows.slots[i] = known->slots[i];
	status = jf_cfi_rows_finish(&rows, &draft);
	if (status != JF_OK)
		return status;
	draft.flags = known->is_trampoline ? JF_CFI_SIGNAL : 0;
	draft.order = (uint32_t)converter->functions.count;
	place = jf_cfi_list_add(&converter->functions, sizeof(draft));
	if (!place)
		return JF_E_NO_MEMORY;
	*place = draft;
	converter->counts.rows += known->row_count;
	return JF_OK;
}

/* [from, to), addresses in the section's code. */
static enum jf_status scan(struct cfi_converter *converter, const struct jf_cfi_section *section, uint64_t from,
			   uint64_t to)
{
	enum jf_status status = JF_OK;

	from = (from + 3) & ~UINT64_C(3);
	while (from < to && to - from >= 4 && status == JF_OK) {
		const uint8_t *code = (const uint8_t *)section->code + (from - section->code_address);
		const struct jf_known_code *known = jf_cfi_known_find(converter->backend, code, to - from);

		if (known)
			status = add_known(converter, known, from);
		from += known ? 4u * known->insn_count : 4;
	}
	return status;
}

enum jf_status jf_cfi_known_add(struct cfi_converter *converter, const struct jf_cfi_section *section)
{
	uint64_t at = section->code_address, end = at + section->code_bytes;
	size_t count = converter->functions.count;
	enum jf_status status = JF_OK;

	if (!section->code || !converter->backend->known_code_count || end < at)
		return JF_OK;
	for (size_t i = 0; i < count && status == JF_OK; i++) {
		struct cfi_draft draft = ((const struct cfi_draft *)converter->functions.items)[i];

		if (draft.start > at)
			status = scan(converter, section, at, draft.start < end ? draft.start : end);
		if (draft.end > at)
			at = draft.end;
		if (at >= end)
			return status;
	}
	return status == JF_OK ? scan(converter, section, at, end) : status;
}
