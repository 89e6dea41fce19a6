/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy.h"

/* ---- instructions ---------------------------------------------------------------------------------- */

static unsigned int hw(unsigned int id)
{
	return toy_backend.regs[id].hw;
}

static void put16(struct jf_code *code, unsigned int word)
{
	const uint8_t bytes[2] = {(uint8_t)(word >> 8), (uint8_t)word};

	jf_code_put(code, bytes, sizeof(bytes));
}

/* Which operands are registers. */
static bool a_is_reg(unsigned int op)
{
	return op != TOY_OP_JL && op != TOY_OP_JA;
}

static bool b_is_reg(unsigned int op)
{
	return op != TOY_OP_SPR;
}

void toy_put(struct jf_code *code, unsigned int op, unsigned int a, unsigned int b, unsigned int c)
{
	if (c > 15) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	put16(code, op << 12 | (a_is_reg(op) ? hw(a) : a) << 8 | (b_is_reg(op) ? hw(b) : b) << 4 | c);
}

void toy_put_imm(struct jf_code *code, unsigned int op, unsigned int a, int imm8)
{
	if (imm8 < -128 || imm8 > 255 || (op != TOY_OP_SHI && imm8 > 127)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	put16(code, op << 12 | (op == TOY_OP_JS ? a : hw(a)) << 8 | (imm8 & 0xff));
}

void toy_put_const(struct jf_code *code, unsigned int reg, uint64_t value)
{
	toy_put_imm(code, TOY_OP_LDI, reg, (int8_t)(value >> 56));
	for (int shift = 48; shift >= 0; shift -= 8)
		toy_put_imm(code, TOY_OP_SHI, reg, (uint8_t)(value >> shift));
}

/* to = from + off, by way of t0 where one ADI does not reach. `to` changes in the last instruction alone. */
static void put_add(struct jf_code *code, unsigned int to, unsigned int from, int32_t off)
{
	if (to == from && off >= -128 && off <= 127) {
		if (off)
			toy_put_imm(code, TOY_OP_ADI, to, off);
		return;
	}
	toy_put_const(code, TOY_T0, (uint64_t)(int64_t)off);
	toy_put(code, TOY_OP_ALU64, TOY_T0, from, JF_ALU_ADD);
	toy_put(code, TOY_OP_EXT, to, TOY_T0, TOY_EXT_COPY);
}

/* ---- frames ---------------------------------------------------------------------------------------- */

#define RECORD_BYTES 16 /* of restore and plain */

static bool is_save(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_SAVE || slot->kind == JF_SLOT_RETURN;
}

/* Stores one slot's register at CFA + off, with sp = CFA - sp_below. t0 holds the tail-call count. */
static void put_store(struct jf_code *code, const struct jf_slot *slot, unsigned int index, int32_t sp_below)
{
	unsigned int reg = slot->reg;

	if (slot->kind == JF_SLOT_TCC)
		reg = TOY_T0;
	else if (!is_save(slot))
		return;
	if (reg >= TOY_F0) {
		toy_put(code, TOY_OP_SPR, TOY_A5, reg - TOY_F0, 0);
		reg = TOY_A5;
	}
	toy_put(code, TOY_OP_ST, reg, TOY_SP, (unsigned int)(slot->off_from_cfa + sp_below) / 8);
	if (is_save(slot))
		jf_code_saved(code, index);
}

static void put_load(struct jf_code *code, const struct jf_slot *slot, unsigned int base, int32_t base_below)
{
	bool special = slot->reg >= TOY_F0;

	toy_put(code, TOY_OP_LD, special ? TOY_A5 : slot->reg, base,
		(unsigned int)(slot->off_from_cfa + base_below) / 8);
	if (special)
		toy_put(code, TOY_OP_SPR, TOY_A5, (unsigned int)slot->reg - TOY_F0, 1);
}

/* Loads the slots of registers other than fp and ra whose CFA offset is in [low, high). */
static void put_restores(struct jf_code *code, const struct jf_frame *frame, int32_t low, int32_t high, int32_t below)
{
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];

		if (slot->kind != JF_SLOT_SAVE || slot->reg == TOY_FP || slot->off_from_cfa < low ||
		    slot->off_from_cfa >= high)
			continue;
		put_load(code, slot, TOY_SP, below);
		jf_code_restored(code, i);
	}
}

/* ra and fp, with the CFA given by sp meanwhile; then sp = CFA. */
static void put_record_restores(struct jf_code *code, const struct jf_frame *frame, int32_t below)
{
	unsigned int ra = (unsigned int)jf_frame_slot(frame, JF_SLOT_RETURN, TOY_RA);
	unsigned int fp = (unsigned int)jf_frame_slot(frame, JF_SLOT_SAVE, TOY_FP);

	jf_code_cfa(code, TOY_SP, below);
	put_load(code, &frame->slots[ra], TOY_SP, below);
	jf_code_restored(code, ra);
	put_load(code, &frame->slots[fp], TOY_SP, below);
	jf_code_restored(code, fp);
	put_add(code, TOY_SP, TOY_SP, below);
	jf_code_cfa(code, TOY_SP, 0);
}

/* What comes after the saves: R10, arena base. */
static void put_state(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	const struct jf_convention *conv = frame->conv;

	if (frame->needs & JF_WHEN_FP && frame->spec.private_stack)
		toy_put_const(code, TOY_S4, values->private_stack + jf_frame_private_stack(frame).top_off);
	else if (frame->needs & JF_WHEN_FP)
		put_add(code, TOY_S4, TOY_FP, frame->bpf_fp_off_from_cfa - conv->fp_off_from_cfa);
	if (frame->spec.arena)
		toy_put_const(code, TOY_S5, values->arena_base);
}

static bool is_adopt(const struct jf_frame *frame)
{
	return frame->conv->landing == JF_LANDING_ADOPT;
}

static void put_adopt(struct jf_code *code, const struct jf_frame *frame)
{
	const struct jf_convention *conv = frame->conv;
	int32_t fixed = (int32_t)frame->fixed_bytes;

	if (frame->spec.role == JF_ROLE_CALLBACK) {
		toy_put(code, TOY_OP_EXT, TOY_FP, TOY_A3, TOY_EXT_COPY);
		jf_code_cfa(code, TOY_FP, -conv->fp_off_from_cfa);
		put_add(code, TOY_SP, TOY_FP, -conv->fp_off_from_cfa - (int32_t)frame->size_bytes);
		return;
	}
	put_add(code, TOY_SP, TOY_SP, -fixed);
	jf_code_cfa(code, TOY_SP, fixed);
	for (unsigned int i = 0; i < frame->slot_count; i++)
		put_store(code, &frame->slots[i], i, fixed);
	toy_put(code, TOY_OP_EXT, TOY_FP, TOY_SP, TOY_EXT_COPY);
	toy_put_imm(code, TOY_OP_ADI, TOY_FP, fixed + conv->fp_off_from_cfa);
	jf_code_cfa(code, TOY_FP, -conv->fp_off_from_cfa);
	put_add(code, TOY_SP, TOY_SP, fixed - (int32_t)frame->size_bytes);
}

/* The boundary's registers off the stack, from the landing sp upwards; then everything under the record goes. */
static void put_landing(struct jf_code *code, const struct jf_convention *conv)
{
	struct jf_frame boundary;

	if (jf_frame_boundary(conv, &boundary) != JF_OK) {
		jf_code_fail(code, JF_E_BAD_DESC);
		return;
	}
	toy_put(code, TOY_OP_EXT, TOY_SP, TOY_A2, TOY_EXT_COPY);
	toy_put(code, TOY_OP_EXT, TOY_FP, TOY_A3, TOY_EXT_COPY);
	jf_code_cfa(code, TOY_FP, RECORD_BYTES);
	for (unsigned int i = 0; i < boundary.slot_count; i++)
		if (boundary.slots[i].off_from_cfa < -RECORD_BYTES && is_save(&boundary.slots[i]))
			put_load(code, &boundary.slots[i], TOY_SP, (int32_t)boundary.size_bytes);
	toy_put(code, TOY_OP_EXT, TOY_SP, TOY_FP, TOY_EXT_COPY);
	jf_code_row_flags(code, 0, JF_ROW_REGS_LOST);
}

static void put_restore(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t size = (int32_t)frame->size_bytes;

	if (frame->spec.role == JF_ROLE_CALLBACK) {
		put_landing(code, frame->conv);
	} else {
		put_add(code, TOY_SP, TOY_SP, -RECORD_BYTES);
		jf_code_cfa(code, TOY_SP, RECORD_BYTES);
		put_store(code, &frame->slots[0], 0, RECORD_BYTES);
		put_store(code, &frame->slots[1], 1, RECORD_BYTES);
		toy_put(code, TOY_OP_EXT, TOY_FP, TOY_SP, TOY_EXT_COPY);
		jf_code_cfa(code, TOY_FP, RECORD_BYTES);
	}
	/* t0 may hold the tail-call count: it must survive the subtraction. */
	for (int32_t left = size - RECORD_BYTES; left > 0; left -= 120)
		toy_put_imm(code, TOY_OP_ADI, TOY_SP, left < 120 ? -left : -120);
	for (unsigned int i = 2; i < frame->slot_count; i++)
		put_store(code, &frame->slots[i], i, size);
}

void toy_emit_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	if (frame->spec.landing_pads)
		put16(code, TOY_LANDING_PAD);
	if (frame->needs & JF_WHEN_MAIN) {
		toy_put_imm(code, TOY_OP_LDI, TOY_T0, frame->conv->count_start);
		jf_code_mark(code, JF_MARK_TAIL_ENTRY);
	}
	if (is_adopt(frame))
		put_adopt(code, frame);
	else
		put_restore(code, frame);
	put_state(code, frame, values);
	jf_code_mark(code, JF_MARK_BODY);
}

static void put_teardown(struct jf_code *code, const struct jf_frame *frame)
{
	int32_t size = (int32_t)frame->size_bytes, fixed = (int32_t)frame->fixed_bytes;

	if (is_adopt(frame)) {
		put_add(code, TOY_SP, TOY_SP, size - fixed);
		put_restores(code, frame, -fixed, 0, fixed);
		put_record_restores(code, frame, fixed);
		return;
	}
	put_restores(code, frame, -size, -RECORD_BYTES, size);
	toy_put(code, TOY_OP_EXT, TOY_SP, TOY_FP, TOY_EXT_COPY);
	put_record_restores(code, frame, RECORD_BYTES);
}

/* a4 = the count; then the frame goes; then t0 = the count, when nothing needs t0 any more. */
static void put_teardown_and_count(struct jf_code *code, const struct jf_frame *frame)
{
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE);

	put_add(code, TOY_A4, TOY_FP, frame->slots[tcc].off_from_cfa - frame->conv->fp_off_from_cfa);
	toy_put(code, TOY_OP_LD, TOY_A4, TOY_A4, 0);
	put_teardown(code, frame);
	toy_put(code, TOY_OP_EXT, TOY_T0, TOY_A4, TOY_EXT_COPY);
}

void toy_emit_epilogue(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->conv->count_returned)
		put_teardown_and_count(code, frame);
	else
		put_teardown(code, frame);
	toy_put(code, TOY_OP_JA, 2, TOY_T0, 0);
}

/* The target's address is in v0. */
void toy_emit_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	struct jf_row body = jf_code_state(code);

	put_teardown_and_count(code, frame);
	toy_put_imm(code, TOY_OP_ADI, TOY_V0, (int)entry_off);
	toy_put(code, TOY_OP_JA, 0, TOY_V0, 0);
	jf_code_set_state(code, body);
}

void toy_emit_call_stub(struct jf_code *code, const struct jf_frame *frame, uint64_t target)
{
	toy_put_imm(code, TOY_OP_ADI, TOY_SP, -RECORD_BYTES);
	jf_code_cfa(code, TOY_SP, RECORD_BYTES);
	put_store(code, &frame->slots[0], 0, RECORD_BYTES);
	put_store(code, &frame->slots[1], 1, RECORD_BYTES);
	toy_put_const(code, TOY_T0, target);
	toy_put(code, TOY_OP_JA, 1, TOY_T0, 0);
	put_record_restores(code, frame, RECORD_BYTES);
	toy_put(code, TOY_OP_JA, 2, TOY_T0, 0);
}

bool toy_call_stubs(const struct jf_convention *conv)
{
	return conv->landing == JF_LANDING_RESTORE;
}
