/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cfi.h"
#include "cfi/opcodes.h"

/* States remembered at once, in FDEs alone: compilers nest one deep. */
#define REMEMBER_MAX   16
#define REMEMBER_USUAL 1

struct machine {
	struct cfi_converter *converter;
	const struct cfi_cie *cie;
	struct cfi_reader program;
	struct cfi_state state;
	struct cfi_state *remembered;
	unsigned int remembered_count, remembered_max;
	uint64_t location; /* bytes from the function's start; stays where it is in a CIE */
	uint64_t start, size_bytes;
	struct cfi_rows *rows; /* NULL in a CIE */
};

/* ---- rules --------------------------------------------------------------------------------------- */

/* returns: JF_REG_NONE for registers that the backend does not have (vectors, pseudo-registers): no row
 * needs them. */
static uint8_t read_reg(struct machine *m)
{
	uint64_t dw = jf_cfi_uleb(&m->program);

	return dw < sizeof(m->converter->regs->of_dw) ? m->converter->regs->of_dw[dw] : JF_REG_NONE;
}

static void set_rule(struct machine *m, uint8_t reg, enum cfi_rule rule, int32_t off)
{
	if (reg == JF_REG_NONE)
		return;
	m->state.rule[reg] = (uint8_t)rule;
	m->state.off[reg] = off;
	if (rule == CFI_UNSAID)
		m->state.ruled[reg / 64] &= ~(UINT64_C(1) << reg % 64);
	else
		m->state.ruled[reg / 64] |= UINT64_C(1) << reg % 64;
}

/* `count` data alignment units. */
static void set_factored(struct machine *m, uint8_t reg, enum cfi_rule rule, int64_t count)
{
	int64_t off;

	if (__builtin_mul_overflow(count, m->cie->data_align, &off) || off < INT32_MIN || off > INT32_MAX)
		set_rule(m, reg, CFI_FAR, 0);
	else
		set_rule(m, reg, rule, (int32_t)off);
}

/* Unsigned operands beyond the signed ones make no offset either. */
static int64_t unsigned_count(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static void restore(struct machine *m, uint8_t reg)
{
	if (reg != JF_REG_NONE)
		set_rule(m, reg, m->cie->initial.rule[reg], m->cie->initial.off[reg]);
}

static void skip_block(struct machine *m)
{
	jf_cfi_skip(&m->program, jf_cfi_uleb(&m->program));
}

/* ---- places -------------------------------------------------------------------------------------- */

/* The row is complete; it holds up to `end`. */
static enum jf_status flush(struct machine *m, uint64_t end)
{
	const struct cfi_wanted *wanted = m->rows ? m->rows->wanted : NULL;

	if (!m->rows || m->location >= m->size_bytes || (wanted && wanted->code_off >= end))
		return JF_OK;
	if (m->state.cfa_rule == CFI_LINKAGE)
		return jf_cfi_linkage_rows(m->rows, &m->state, m->start, m->location,
					   end < m->size_bytes ? end : m->size_bytes);
	return jf_cfi_row_add(m->rows, &m->state, (uint32_t)m->location);
}

static enum jf_status advance(struct machine *m, uint64_t count)
{
	uint64_t next = UINT64_MAX, bytes;
	enum jf_status status;

	if (m->program.bad || !count || !m->cie->code_align)
		return JF_OK;
	/* What lies behind the function's end is never looked up: stay there. */
	if (!__builtin_mul_overflow(count, m->cie->code_align, &bytes) && bytes <= UINT64_MAX - m->location)
		next = m->location + bytes;
	status = flush(m, next);
	m->location = next;
	return status;
}

static enum jf_status set_location(struct machine *m, const uint8_t *at)
{
	uint64_t address, raw;
	enum jf_status status;

	if (!jf_cfi_pointer(&m->program, m->cie->pointer_encoding, &address, &raw))
		return jf_cfi_fail(m->converter, JF_E_UNSUPPORTED, at, "a pointer encoding that is not known");
	if (m->program.bad)
		return JF_OK;
	if (address < m->start || address - m->start <= m->location)
		return jf_cfi_fail(m->converter, JF_E_BAD_IMAGE, at, "a location that goes back");
	status = flush(m, address - m->start);
	m->location = address - m->start;
	return status;
}

/* ---- instructions ---------------------------------------------------------------------------------- */

static bool run_cfa(struct machine *m, uint8_t op)
{
	struct cfi_state *s = &m->state;

	switch (op) {
	case CFA_DEF_CFA:
		s->cfa_reg = read_reg(m);
		s->cfa_off = unsigned_count(jf_cfi_uleb(&m->program));
		s->cfa_rule = CFI_VALUE;
		return true;
	case CFA_DEF_CFA_SF:
		s->cfa_reg = read_reg(m);
		if (__builtin_mul_overflow(jf_cfi_sleb(&m->program), m->cie->data_align, &s->cfa_off))
			s->cfa_off = INT64_MAX;
		s->cfa_rule = CFI_VALUE;
		return true;
	case CFA_DEF_CFA_REGISTER:
		/* Some assemblers' CIEs begin with this one, offset 0 meant. */
		s->cfa_reg = read_reg(m);
		s->cfa_rule = CFI_VALUE;
		return true;
	case CFA_DEF_CFA_OFFSET: s->cfa_off = unsigned_count(jf_cfi_uleb(&m->program)); return true;
	case CFA_DEF_CFA_OFFSET_SF:
		if (__builtin_mul_overflow(jf_cfi_sleb(&m->program), m->cie->data_align, &s->cfa_off))
			s->cfa_off = INT64_MAX;
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		s->cfa_rule = jf_cfi_linkage_parse(m->converter, m->cie,
						   jf_cfi_sub(&m->program, jf_cfi_uleb(&m->program)), &s->linkage) ?
				      CFI_LINKAGE :
				      CFI_EXPRESSION;
		return true;
	default: return false;
	}
}

static bool run_offset(struct machine *m, uint8_t op)
{
	uint8_t reg;

	if (op < CFA_OFFSET_EXTENDED || op > CFA_NEGATIVE_OFFSET_EXTENDED)
		return false;
	switch (op) {
	case CFA_OFFSET_EXTENDED:
		reg = read_reg(m);
		set_factored(m, reg, CFI_OFFSET, unsigned_count(jf_cfi_uleb(&m->program)));
		return true;
	case CFA_OFFSET_EXTENDED_SF:
		reg = read_reg(m);
		set_factored(m, reg, CFI_OFFSET, jf_cfi_sleb(&m->program));
		return true;
	case CFA_NEGATIVE_OFFSET_EXTENDED:
		reg = read_reg(m);
		set_factored(m, reg, CFI_OFFSET, -unsigned_count(jf_cfi_uleb(&m->program)));
		return true;
	case CFA_VAL_OFFSET:
		reg = read_reg(m);
		set_factored(m, reg, CFI_VALUE, unsigned_count(jf_cfi_uleb(&m->program)));
		return true;
	case CFA_VAL_OFFSET_SF:
		reg = read_reg(m);
		set_factored(m, reg, CFI_VALUE, jf_cfi_sleb(&m->program));
		return true;
	default: return false;
	}
}

static bool run_rule(struct machine *m, uint8_t op)
{
	uint8_t reg;

	switch (op) {
	case CFA_RESTORE_EXTENDED: restore(m, read_reg(m)); return true;
	case CFA_UNDEFINED: set_rule(m, read_reg(m), CFI_UNDEFINED, 0); return true;
	case CFA_SAME_VALUE: set_rule(m, read_reg(m), CFI_SAME, 0); return true;
	case CFA_REGISTER:
		reg = read_reg(m);
		jf_cfi_uleb(&m->program);
		set_rule(m, reg, CFI_REGISTER, 0);
		return true;
	case CFA_EXPRESSION:
	case CFA_VAL_EXPRESSION:
		reg = read_reg(m);
		skip_block(m);
		set_rule(m, reg, CFI_EXPRESSION, 0);
		return true;
	case CFA_NOP: return true;
	case CFA_ARGS_SIZE: jf_cfi_uleb(&m->program); return true;
	case CFA_NEGATE_RA_STATE:
	case CFA_NEGATE_RA_STATE_WITH_PC:
		/* Elsewhere the number belongs to register windows. */
		if (!m->converter->backend->cfi_negates_ra_state)
			return false;
		m->state.ra_signed = !m->state.ra_signed;
		return true;
	default: return false;
	}
}

/* The rest: what can fail, or needs operands from the opcode itself. */
static enum jf_status run_other(struct machine *m, uint8_t op, const uint8_t *at)
{
	switch (op) {
	case CFA_SET_LOC: return set_location(m, at);
	case CFA_ADVANCE_LOC1: return advance(m, jf_cfi_read(&m->program, 1));
	case CFA_ADVANCE_LOC2: return advance(m, jf_cfi_read(&m->program, 2));
	case CFA_ADVANCE_LOC4: return advance(m, jf_cfi_read(&m->program, 4));
	case CFA_ADVANCE_LOC8: return advance(m, jf_cfi_read(&m->program, 8));
	case CFA_REMEMBER_STATE:
		if (m->remembered_count == m->remembered_max)
			return jf_cfi_fail(m->converter, JF_E_UNSUPPORTED, at, "states remembered too deep");
		m->remembered[m->remembered_count++] = m->state;
		return JF_OK;
	case CFA_RESTORE_STATE:
		if (!m->remembered_count)
			return jf_cfi_fail(m->converter, JF_E_BAD_IMAGE, at, "no state is remembered");
		m->state = m->remembered[--m->remembered_count];
		return JF_OK;
	default: return jf_cfi_fail(m->converter, JF_E_BAD_IMAGE, at, "an unknown call frame instruction");
	}
}

static enum jf_status step(struct machine *m)
{
	const uint8_t *at = m->program.at;
	uint8_t op = (uint8_t)jf_cfi_read(&m->program, 1);
	uint8_t low = op & 0x3f;

	switch (op & 0xc0) {
	case CFA_ADVANCE_LOC: return advance(m, low);
	case CFA_OFFSET:
		set_factored(m, m->converter->regs->of_dw[low], CFI_OFFSET, unsigned_count(jf_cfi_uleb(&m->program)));
		return JF_OK;
	case CFA_RESTORE: restore(m, m->converter->regs->of_dw[low]); return JF_OK;
	default:
		if (run_cfa(m, op) || run_offset(m, op) || run_rule(m, op))
			return JF_OK;
		return run_other(m, op, at);
	}
}

static enum jf_status run(struct machine *m)
{
	const struct cfi_wanted *wanted = m->rows ? m->rows->wanted : NULL;

	while (m->program.at < m->program.end && !(wanted && wanted->found)) {
		const uint8_t *at = m->program.at;
		enum jf_status status = step(m);

		if (status != JF_OK)
			return status;
		if (m->program.bad)
			return jf_cfi_fail(m->converter, JF_E_BAD_IMAGE, at, "a truncated call frame instruction");
	}
	return JF_OK;
}

/* Not in a CIE: its own rules are what restore goes back to. */
static const struct cfi_state nothing_said = {.cfa_reg = JF_REG_NONE};

enum jf_status jf_cfi_run_cie(struct cfi_converter *converter, struct cfi_cie *cie, struct cfi_reader program)
{
	struct machine m;
	enum jf_status status;

	cie->initial = nothing_said;
	m.converter = converter;
	m.cie = cie;
	m.program = program;
	m.state = nothing_said;
	m.remembered = NULL;
	m.remembered_count = m.remembered_max = 0;
	m.location = m.start = m.size_bytes = 0;
	m.rows = NULL;
	status = run(&m);
	cie->initial = m.state;
	return status;
}

/* Up to the end, or to the row that is wanted. */
static enum jf_status run_fde(struct cfi_rows *rows, struct cfi_reader program, const struct cfi_draft *draft,
			      struct cfi_state *remembered, unsigned int remembered_max)
{
	struct machine m;
	enum jf_status status;

	m.converter = rows->converter;
	m.cie = rows->cie;
	m.program = program;
	m.state = rows->cie->initial;
	m.remembered = remembered;
	m.remembered_count = 0;
	m.remembered_max = remembered_max;
	m.location = 0;
	m.start = draft->start;
	m.size_bytes = draft->end - draft->start;
	m.rows = rows;
	status = run(&m);
	if (status == JF_OK && !(rows->wanted && rows->wanted->found))
		status = flush(&m, m.size_bytes);
	return status;
}

enum jf_status jf_cfi_run_fde(struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader program,
			      struct cfi_draft *draft)
{
	struct cfi_state remembered[REMEMBER_MAX];
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	struct cfi_rows rows = {.converter = converter, .cie = cie, .first = converter->rows.count, .slots = slots};
	enum jf_status status = run_fde(&rows, program, draft, remembered, REMEMBER_MAX);

	return status == JF_OK ? jf_cfi_rows_finish(&rows, draft) : status;
}

/* ---- one row ----------------------------------------------------------------------------------------- */

static enum jf_status run_row(struct cfi_rows *rows, struct cfi_reader program, struct cfi_draft *draft,
			      struct cfi_state *remembered, unsigned int remembered_max)
{
	enum jf_status status;

	rows->wanted->found = false;
	rows->slot_count = 0;
	status = run_fde(rows, program, draft, remembered, remembered_max);
	draft->slot_count = rows->slot_count;
	return status == JF_OK && !rows->wanted->found ? JF_E_BAD_IMAGE : status;
}

/* Functions of their own, so that the usual one takes no more stack than it needs: handlers have little. */
static __attribute__((noinline)) enum jf_status run_shallow(struct cfi_rows *rows, struct cfi_reader program,
							    struct cfi_draft *draft)
{
	struct cfi_state remembered[REMEMBER_USUAL];

	return run_row(rows, program, draft, remembered, REMEMBER_USUAL);
}

static __attribute__((noinline)) enum jf_status run_deep(struct cfi_rows *rows, struct cfi_reader program,
							 struct cfi_draft *draft)
{
	struct cfi_state remembered[REMEMBER_MAX];

	return run_row(rows, program, draft, remembered, REMEMBER_MAX);
}

enum jf_status jf_cfi_run_row(struct cfi_converter *converter, const struct cfi_cie *cie, struct cfi_reader program,
			      struct cfi_draft *draft, uint32_t code_off, struct jf_cfi_room *room)
{
	struct cfi_wanted wanted = {.code_off = code_off, .row = &room->row};
	struct cfi_rows rows = {.converter = converter, .cie = cie, .slots = room->slots, .wanted = &wanted};
	enum jf_status status = run_shallow(&rows, program, draft);

	/* Perhaps because too many states were to be remembered. */
	return status == JF_E_UNSUPPORTED ? run_deep(&rows, program, draft) : status;
}
