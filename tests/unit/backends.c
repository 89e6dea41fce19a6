/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "conventions.h"
#include "specs.h"

#include <string.h>

/*
 * Every convention of every built-in backend under every combination of what a spec can ask for: it is
 * either refused for a reason that the convention states, or the frame and its code keep the rules.
 */

/* CHECK() that names the spec. */
#define CHECK_SPEC(condition, ...)                                                            \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			char spec_[256], what_[256];                                          \
                                                                                              \
			spec_text(conv, spec, spec_, sizeof(spec_));                          \
			snprintf(what_, sizeof(what_), __VA_ARGS__);                          \
			check_failed(__FILE__, __LINE__, #condition, "%s: %s", spec_, what_); \
		}                                                                             \
	} while (0)

/* ---- what is refused ------------------------------------------------------------------------------------ */

static uint16_t needs_of(const struct jf_frame_spec *spec)
{
	return (uint16_t)((spec->tail_calls ? JF_WHEN_TAIL_CALLS : 0) | (spec->arena ? JF_WHEN_ARENA : 0) |
			  (spec->private_stack ? JF_WHEN_PRIVATE_STACK : 0) | (spec->out_args ? JF_WHEN_OUT_ARGS : 0));
}

static uint32_t caps_of(const struct jf_frame_spec *spec)
{
	uint32_t caps = 0;

	caps |= spec->role == JF_ROLE_BOUNDARY || spec->role == JF_ROLE_CALLBACK ? JF_CAP_EXCEPTIONS : 0;
	caps |= spec->tail_calls ? JF_CAP_TAIL_CALLS : 0;
	caps |= spec->arena ? JF_CAP_ARENA : 0;
	caps |= spec->private_stack ? JF_CAP_PRIVATE_STACK : 0;
	caps |= spec->private_stack && spec->role == JF_ROLE_CALLBACK ? JF_CAP_PRIVATE_STACK_CALLBACK : 0;
	caps |= spec->out_args ? JF_CAP_OUT_ARGS : 0;
	caps |= spec->landing_pads ? JF_CAP_LANDING_PADS : 0;
	caps |= spec->sign_return ? JF_CAP_SIGN_RETURN : 0;
	return caps;
}

static enum jf_status expected(const struct jf_convention *conv, const struct jf_frame_spec *spec)
{
	uint16_t needs = needs_of(spec);

	if (!jf_convention_supports(conv, caps_of(spec)))
		return JF_E_UNSUPPORTED;
	for (unsigned int i = 0; i < conv->conflict_count; i++)
		if (needs & conv->conflicts[i].a && needs & conv->conflicts[i].b)
			return JF_E_BAD_SPEC;
	return JF_OK;
}

static bool is_field(const char *name)
{
	static const char *const fields[] = {"role",  "bpf_stack_bytes", "out_args",     "tail_calls",
					     "arena", "private_stack",   "landing_pads", "sign_return"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i], name))
			return true;
	return false;
}

/* ---- frames ---------------------------------------------------------------------------------------------- */

static void check_slots(const struct jf_convention *conv, const struct jf_frame_spec *spec,
			const struct jf_frame *frame)
{
	uint32_t bytes = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *a = &frame->slots[i];

		CHECK_SPEC(a->off_from_cfa >= -(int32_t)frame->size_bytes &&
				   a->off_from_cfa + (int32_t)a->size_bytes <= 0,
			   "slot %u is outside", i);
		CHECK_SPEC(a->reg == JF_REG_NONE || conv->backend->regs[a->reg].size_bytes <= a->size_bytes, "slot %u",
			   i);
		bytes += a->size_bytes;
		for (unsigned int k = 0; k < i; k++) {
			const struct jf_slot *b = &frame->slots[k];

			CHECK_SPEC(a->off_from_cfa + (int32_t)a->size_bytes <= b->off_from_cfa ||
					   b->off_from_cfa + (int32_t)b->size_bytes <= a->off_from_cfa,
				   "slots %u and %u overlap", k, i);
		}
	}
	CHECK_SPEC(bytes == frame->size_bytes, "slots have %u bytes of %u", bytes, frame->size_bytes);
}

/* The stack is at least as large as asked for, and R10 is its upper end. */
static void check_stack(const struct jf_convention *conv, const struct jf_frame_spec *spec,
			const struct jf_frame *frame)
{
	int slot = jf_frame_slot(frame, JF_SLOT_BPF_STACK, JF_REG_NONE);

	CHECK_SPEC(frame->size_bytes % conv->frame_align == 0, "%u bytes are not aligned (R7)", frame->size_bytes);
	CHECK_SPEC((slot >= 0) == (spec->bpf_stack_bytes && !spec->private_stack), "slot %d", slot);
	if (slot >= 0) {
		const struct jf_slot *stack = &frame->slots[slot];

		CHECK_SPEC(stack->size_bytes >= spec->bpf_stack_bytes && stack->size_bytes % 8 == 0, "%u",
			   stack->size_bytes);
		CHECK_SPEC(stack->off_from_cfa + (int32_t)stack->size_bytes == frame->bpf_fp_off_from_cfa, "R10 (R11)");
	}
	/* Whatever a body can reach from R10 down is no save slot (R6). */
	for (unsigned int i = 0; conv->landing == JF_LANDING_ADOPT && i < frame->slot_count; i++)
		CHECK_SPEC(frame->slots[i].kind != JF_SLOT_SAVE ||
				   frame->slots[i].off_from_cfa >= frame->bpf_fp_off_from_cfa,
			   "slot %u is below R10", i);
}

static void check_record(const struct jf_convention *conv, const struct jf_frame_spec *spec,
			 const struct jf_frame *frame)
{
	int ra = jf_frame_slot(frame, JF_SLOT_RETURN, conv->backend->ra);
	int fp = jf_frame_slot(frame, JF_SLOT_SAVE, conv->backend->fp);
	struct jf_slot record[JF_RECORD__COUNT];

	CHECK_SPEC(jf_frame_record(conv, record) == JF_OK, "no frame record (R1)");
	CHECK_SPEC(ra >= 0 && frame->slots[ra].off_from_cfa == record[JF_RECORD_RETURN].off_from_cfa,
		   "return address (R1)");
	CHECK_SPEC(fp >= 0 && frame->slots[fp].off_from_cfa == record[JF_RECORD_FP].off_from_cfa, "frame pointer (R1)");
}

/*
 * R4: where each register is saved, the same in all boundaries and callbacks. With ADOPT from the CFA; with
 * RESTORE boundaries alone count, from the landing SP, where their callback begins to take them off.
 */
struct saves {
	unsigned int frames;
	bool saved[JF_REGS_MAX];
	int32_t off[JF_REGS_MAX];
};

static void check_saves(const struct jf_convention *conv, const struct jf_frame_spec *spec,
			const struct jf_frame *frame, struct saves *saves)
{
	bool adopt = conv->landing == JF_LANDING_ADOPT;

	if (spec->role != JF_ROLE_BOUNDARY && !(adopt && spec->role == JF_ROLE_CALLBACK))
		return;
	for (unsigned int reg = 0; reg < conv->backend->reg_count; reg++) {
		int slot = jf_frame_slot(frame, JF_SLOT_SAVE, (uint8_t)reg);
		bool record = reg == conv->backend->fp;
		int32_t off = slot < 0 ? 0 : frame->slots[slot].off_from_cfa;

		if (slot >= 0 && !adopt && !record)
			off -= frame->landing_sp_off_from_cfa;
		if (!saves->frames) {
			saves->saved[reg] = slot >= 0;
			saves->off[reg] = off;
		}
		CHECK_SPEC(saves->saved[reg] == (slot >= 0), "%s", conv->backend->regs[reg].name);
		CHECK_SPEC(saves->off[reg] == off, "%s at %d, elsewhere at %d", conv->backend->regs[reg].name, off,
			   saves->off[reg]);
	}
	saves->frames++;
}

/* ---- code ------------------------------------------------------------------------------------------------ */

#define CODE_BYTES 4096
#define ROWS       512

struct sink {
	struct jf_code code;
	uint8_t bytes[CODE_BYTES];
	struct jf_row rows[ROWS];
};

struct sweep {
	unsigned int solved, refused;
	struct saves saves;
	uint32_t tail_entry[8]; /* by tail calls, landing pads, signed returns; 0 = not seen */
	struct sink all, part;
};

static void sink_init(struct sink *sink)
{
	jf_code_init(&sink->code, sink->bytes, CODE_BYTES, 0x10000, sink->rows, ROWS);
}

static void check_rows(const struct jf_convention *conv, const struct jf_frame_spec *spec, const struct jf_frame *frame,
		       const struct sink *sink)
{
	const struct jf_backend *backend = conv->backend;
	const struct jf_row *rows = sink->rows + sink->code.row_start;
	size_t count = sink->code.row_count - sink->code.row_start;
	uint32_t mask = jf_frame_saved_mask(frame);

	CHECK_SPEC(count && rows[0].code_off == 0, "first row");
	for (size_t i = 0; i < count; i++) {
		CHECK_SPEC(rows[i].code_off < sink->code.size - sink->code.start, "row %zu", i);
		CHECK_SPEC(rows[i].code_off % backend->insn_align == 0, "row %zu", i);
		CHECK_SPEC(!i || rows[i].code_off > rows[i - 1].code_off, "row %zu", i);
		CHECK_SPEC(!i || !jf_row_same(&rows[i], &rows[i - 1]), "row %zu", i);
		CHECK_SPEC(!(rows[i].saved & ~mask), "row %zu", i);
		CHECK_SPEC(rows[i].cfa_reg == backend->sp || rows[i].cfa_reg == backend->fp ||
				   (spec->role == JF_ROLE_CALLBACK && rows[i].cfa_reg == backend->args[2]),
			   "row %zu: CFA from %s", i, backend->regs[rows[i].cfa_reg].name);
		CHECK_SPEC(!(rows[i].flags & JF_ROW_RA_SIGNED) || spec->sign_return, "row %zu", i);
		CHECK_SPEC(!(rows[i].flags & JF_ROW_REGS_LOST) ||
				   (spec->role == JF_ROLE_CALLBACK && conv->landing == JF_LANDING_RESTORE),
			   "row %zu", i);
	}
}

/* The body: everything saved, the CFA given by the frame pointer (R2). */
static void check_body_row(const struct jf_convention *conv, const struct jf_frame_spec *spec,
			   const struct jf_frame *frame, const struct jf_code *prologue)
{
	struct jf_row row = jf_code_state(prologue);

	CHECK_SPEC(row.saved == jf_frame_saved_mask(frame), "saved %x of %x", row.saved, jf_frame_saved_mask(frame));
	CHECK_SPEC(row.cfa_reg == conv->backend->fp, "CFA from %s", conv->backend->regs[row.cfa_reg].name);
	CHECK_SPEC(row.cfa_off == -conv->fp_off_from_cfa, "CFA %d from it", row.cfa_off);
	CHECK_SPEC(row.flags == (spec->sign_return ? JF_ROW_RA_SIGNED : 0), "flags %x", row.flags);
}

/* The return: everything as it was at the entry. */
static void check_last_row(const struct jf_convention *conv, const struct jf_frame_spec *spec,
			   const struct jf_frame *frame, const struct sink *sink)
{
	const struct jf_row *row = &sink->rows[sink->code.row_count - 1];
	const struct jf_backend *backend = conv->backend;
	int ra = jf_frame_slot(frame, JF_SLOT_RETURN, backend->ra);

	CHECK_SPEC(row->cfa_reg == backend->sp, "CFA from %s", backend->regs[row->cfa_reg].name);
	CHECK_SPEC(row->cfa_off == backend->cfa_sp_off_at_entry, "CFA %d from it", row->cfa_off);
	CHECK_SPEC(row->saved == (backend->ra_pushed ? UINT32_C(1) << ra : 0), "saved %x", row->saved);
	CHECK_SPEC(!row->flags, "flags %x", row->flags);
}

static void check_tail_entry(const struct jf_convention *conv, const struct jf_frame_spec *spec, struct sweep *sweep)
{
	uint32_t off = sweep->all.code.marks[JF_MARK_TAIL_ENTRY], asked;
	uint32_t *seen = &sweep->tail_entry[spec->tail_calls | spec->landing_pads << 1 | spec->sign_return << 2];

	if (spec->role != JF_ROLE_MAIN && spec->role != JF_ROLE_BOUNDARY) {
		CHECK_SPEC(off == JF_MARK_UNSET, "has a tail-call entry");
		return;
	}
	CHECK_SPEC(off > 0 && off <= sweep->all.code.marks[JF_MARK_BODY], "tail-call entry %u", off);
	if (!*seen)
		*seen = off;
	CHECK_SPEC(off == *seen, "tail-call entry at %u, elsewhere at %u (R16)", off, *seen);
	CHECK_SPEC(jf_tail_entry_off(conv, spec, &asked) == JF_OK && asked == off, "jf_tail_entry_off()");
}

static void check_code(const struct jf_convention *conv, const struct jf_frame_spec *spec, const struct jf_frame *frame,
		       struct sweep *sweep)
{
	static const struct jf_values large = {.arena_base = UINT64_C(0xfedcba9876543210),
					       .private_stack = UINT64_C(0x123456789abcdef0),
					       .private_stack_word = (uint64_t)-0x76543210};
	static const struct jf_values zero;
	const struct jf_values *values = sweep->solved % 2 ? &large : &zero;
	struct sink *all = &sweep->all, *part = &sweep->part;
	bool exits = spec->tail_calls && spec->role != JF_ROLE_CALLBACK;

	sink_init(all);
	sink_init(part);
	CHECK_SPEC(jf_frame_emit(&all->code, frame, JF_PART_ALL, values) == JF_OK, "%s",
		   jf_status_name(all->code.status));
	CHECK_SPEC(all->code.size % conv->backend->insn_align == 0, "%zu bytes", all->code.size);
	check_rows(conv, spec, frame, all);
	check_tail_entry(conv, spec, sweep);
	CHECK_SPEC(jf_frame_emit(&part->code, frame, JF_PART_PROLOGUE, values) == JF_OK, "prologue");
	CHECK_SPEC(part->code.size == all->code.marks[JF_MARK_BODY] &&
			   part->code.size == all->code.marks[JF_MARK_EPILOGUE],
		   "the body is where the prologue ends and the epilogue begins");
	check_body_row(conv, spec, frame, &part->code);
	CHECK_SPEC(jf_frame_emit(&part->code, frame, JF_PART_EPILOGUE, values) == JF_OK, "epilogue");
	check_rows(conv, spec, frame, part);
	check_last_row(conv, spec, frame, part);
	CHECK_SPEC(jf_frame_emit(&part->code, frame, JF_PART_TAIL_EXIT, values) == (exits ? JF_OK : JF_E_UNSUPPORTED),
		   "exit");
	if (exits)
		check_rows(conv, spec, frame, part);
	CHECK_SPEC(part->code.size == all->code.size && !memcmp(part->bytes, all->bytes, all->code.size),
		   "the parts are not the whole");
}

static void check_spec(const struct jf_convention *conv, const struct jf_frame_spec *spec, void *arg)
{
	struct sweep *sweep = arg;
	struct jf_error error = {0};
	struct jf_frame frame;
	enum jf_status status = jf_frame_solve(conv, spec, &frame, &error);

	CHECK_SPEC(status == expected(conv, spec), "%s: %s", jf_status_name(status), error.text);
	if (status != JF_OK) {
		CHECK_SPEC(is_field(error.where), "'%s' is no field", error.where);
		sweep->refused++;
		return;
	}
	sweep->solved++;
	check_slots(conv, spec, &frame);
	check_stack(conv, spec, &frame);
	check_record(conv, spec, &frame);
	check_saves(conv, spec, &frame, &sweep->saves);
	check_code(conv, spec, &frame, sweep);
}

ALL_CONVENTIONS(backends, every_combination_keeps_the_rules)
{
	static struct sweep sweep;
	const struct jf_convention *conv = convention_at(*index);

	each_spec(conv, check_spec, &sweep);
	cr_assert_gt(sweep.solved, 1000, "%u solved", sweep.solved);
	if (jf_convention_supports(conv, JF_CAP_EXCEPTIONS))
		cr_assert_gt(sweep.saves.frames, 100);
}
