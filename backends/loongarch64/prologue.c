/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#define PATCH_NOPS 5 /* Linux patches lu12i.w, ori, lu32i.d, lu52i.d, jirl in, with t0 the return address */

/* How far SP goes down before the registers are stored: to all of the frame, or to its save area. */
static uint32_t first_step(const struct jf_frame *frame)
{
	return frame->conv->backend_flags & LA_CONV_SPLIT ? frame->fixed_bytes : frame->size_bytes;
}

static int32_t slot_sp_off(const struct jf_frame *frame, int slot)
{
	return (int32_t)first_step(frame) + frame->slots[slot].off_from_cfa;
}

static void store_slot(struct jf_code *code, const struct jf_frame *frame, int slot)
{
	uint8_t reg = frame->slots[slot].reg;

	if (reg >= LA_F0)
		emit_f12(code, LA_FST_D, reg, LA_SP, slot_sp_off(frame, slot));
	else
		emit_2ri12(code, LA_ST_D, reg, LA_SP, slot_sp_off(frame, slot));
	jf_code_saved(code, (unsigned int)slot);
}

static void load_slot(struct jf_code *code, const struct jf_frame *frame, int slot)
{
	uint8_t reg = frame->slots[slot].reg;

	if (reg >= LA_F0)
		emit_f12(code, LA_FLD_D, reg, LA_SP, slot_sp_off(frame, slot));
	else
		emit_2ri12(code, LA_LD_D, reg, LA_SP, slot_sp_off(frame, slot));
	jf_code_restored(code, (unsigned int)slot);
}

/* ---- the tail-call count -------------------------------------------------------------------- */

/*
 * a6 is a count, up to JF_TAIL_CALLS_MAX (in the first program of a chain), or the address of one. tcc keeps what
 * came in, for the tail exit; tcc_ptr and a6 get the address: of tcc itself when that holds the count.
 */
static void count_select(struct jf_code *code, int32_t tcc, int32_t tcc_ptr)
{
	emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc);
	emit_2ri12(code, LA_ADDI_D, LA_T7, LA_SP, tcc);
	emit_2ri12(code, LA_SLTUI, LA_T8, LA_TCC, JF_TAIL_CALLS_MAX + 1);
	emit_3r(code, LA_MASKEQZ, LA_T7, LA_T7, LA_T8);
	emit_3r(code, LA_MASKNEZ, LA_TCC, LA_TCC, LA_T8);
	emit_3r(code, LA_OR, LA_TCC, LA_TCC, LA_T7);
	emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc_ptr);
}

/*
 * The same with branches, as Linux had it before 7.3 (inferred: the patch's context does not show it).
 *
 *             bgeu t3, a6, count
 *             b    address
 *     count:  st.d a6, tcc         a6 = &tcc
 *             b    out
 *     address: st.d a6, tcc
 *     out:    st.d a6, tcc_ptr
 */
static void count_select_branchy(struct jf_code *code, int32_t tcc, int32_t tcc_ptr)
{
	emit_2ri12(code, LA_ADDI_D, LA_T3, LA_ZERO, JF_TAIL_CALLS_MAX);
	emit_branch16(code, LA_BGEU, LA_T3, LA_TCC, 2 * 4);
	emit_branch26(code, LA_B, 4 * 4);
	emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc);
	emit_2ri12(code, LA_ADDI_D, LA_TCC, LA_SP, tcc);
	emit_branch26(code, LA_B, 2 * 4);
	emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc);
	emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc_ptr);
}

static void store_count(struct jf_code *code, const struct jf_frame *frame, int slot)
{
	int32_t tcc = slot_sp_off(frame, slot);
	int32_t tcc_ptr = slot_sp_off(frame, jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE));

	if (!(frame->needs & JF_WHEN_MAIN)) {
		/* A subprogram gets the address from its caller. */
		emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc);
		emit_2ri12(code, LA_ST_D, LA_TCC, LA_SP, tcc_ptr);
	} else if (frame->conv->backend_flags & LA_CONV_BRANCHY_COUNT) {
		count_select_branchy(code, tcc, tcc_ptr);
	} else {
		count_select(code, tcc, tcc_ptr);
	}
}

static void load_count(struct jf_code *code, const struct jf_frame *frame, int slot)
{
	if (frame->conv->backend_flags & LA_CONV_BRANCHY_COUNT) {
		int tcc_ptr = jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE);

		emit_2ri12(code, LA_LD_D, LA_TCC, LA_SP, slot_sp_off(frame, tcc_ptr));
	}
	emit_2ri12(code, LA_LD_D, LA_TCC, LA_SP, slot_sp_off(frame, slot));
}

/* ---- prologue ------------------------------------------------------------------------------- */

static void build_frame(struct jf_code *code, const struct jf_frame *frame)
{
	uint32_t bytes = first_step(frame);

	emit_2ri12(code, LA_ADDI_D, LA_SP, LA_SP, -(int64_t)bytes);
	jf_code_cfa(code, LA_SP, (int32_t)bytes);
	for (int i = 0; i < frame->slot_count; i++) {
		switch (frame->slots[i].kind) {
		case JF_SLOT_RETURN:
		case JF_SLOT_SAVE: store_slot(code, frame, i); break;
		case JF_SLOT_TCC: store_count(code, frame, i); break;
		}
	}
	emit_2ri12(code, LA_ADDI_D, LA_FP, LA_SP, bytes);
	jf_code_cfa(code, LA_FP, -frame->conv->fp_off_from_cfa);
	jf_loongarch64_add_imm(code, LA_SP, LA_SP, (int64_t)bytes - frame->size_bytes, LA_T1);
}

/* The boundary has stored everything and passed its fp; only SP depends on our own size. */
static void adopt_frame(struct jf_code *code, const struct jf_frame *frame)
{
	emit_move(code, LA_FP, LA_A2);
	jf_code_cfa(code, LA_FP, -frame->conv->fp_off_from_cfa);
	jf_loongarch64_add_imm(code, LA_SP, LA_FP, -(int64_t)frame->size_bytes - frame->conv->fp_off_from_cfa, LA_T1);
}

static void load_bpf_fp(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	const struct jf_convention *conv = frame->conv;

	if (!(frame->needs & JF_WHEN_FP))
		return;
	if (frame->spec.private_stack) {
		unsigned int base = la_cpu_base(frame);

		/* Inferred for linux-v2: the patch shows where this stands, not what it is. */
		jf_loongarch64_li(code, conv->bpf_fp_private,
				  values->private_stack + jf_frame_private_stack(frame).top_off);
		if (conv->caps & JF_CAP_USER_BASE) {
			jf_loongarch64_load_at(code, LA_T1, base, (int64_t)values->private_stack_word);
			base = LA_T1;
		}
		emit_3r(code, LA_ADD_D, conv->bpf_fp_private, conv->bpf_fp_private, base);
	} else if (conv->backend_flags & LA_CONV_SPLIT) {
		emit_2ri12(code, LA_ADDI_D, conv->bpf_reg[JF_BPF_FP], LA_FP,
			   frame->bpf_fp_off_from_cfa - conv->fp_off_from_cfa);
	} else if (frame->bpf_stack_bytes) {
		emit_2ri12(code, LA_ADDI_D, conv->bpf_reg[JF_BPF_FP], LA_SP,
			   (int64_t)frame->size_bytes + frame->bpf_fp_off_from_cfa);
	}
}

void jf_loongarch64_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	if (frame->conv->backend_flags & LA_CONV_PATCH_AREA) {
		emit_move(code, LA_T0, LA_RA);
		for (int i = 0; i < PATCH_NOPS; i++)
			emit_nop(code);
	}
	if (frame->needs & JF_WHEN_MAIN) {
		emit_2ri12(code, LA_ADDI_D, LA_TCC, LA_ZERO, 0);
		jf_code_mark(code, JF_MARK_TAIL_ENTRY);
	}
	if (frame->needs & JF_WHEN_CALLBACK)
		adopt_frame(code, frame);
	else
		build_frame(code, frame);
	load_bpf_fp(code, frame, values);
	if (frame->needs & JF_WHEN_ARENA)
		jf_loongarch64_li(code, frame->conv->arena_reg, values->arena_base);
	jf_code_mark(code, JF_MARK_BODY);
}

/* ---- epilogue and tail exit ----------------------------------------------------------------- */

/* From here on the CFA is found by SP: fp is about to be the caller's. */
static void take_down(struct jf_code *code, const struct jf_frame *frame, bool with_count)
{
	uint32_t bytes = first_step(frame);

	if (bytes != frame->size_bytes)
		emit_2ri12(code, LA_ADDI_D, LA_SP, LA_FP, -(int64_t)bytes - frame->conv->fp_off_from_cfa);
	jf_code_cfa(code, LA_SP, (int32_t)bytes);
	for (int i = 0; i < frame->slot_count; i++) {
		switch (frame->slots[i].kind) {
		case JF_SLOT_RETURN:
		case JF_SLOT_SAVE: load_slot(code, frame, i); break;
		case JF_SLOT_TCC:
			if (with_count)
				load_count(code, frame, i);
			break;
		}
	}
	emit_2ri12(code, LA_ADDI_D, LA_SP, LA_SP, bytes);
	jf_code_cfa(code, LA_SP, 0);
}

void jf_loongarch64_epilogue(struct jf_code *code, const struct jf_frame *frame)
{
	take_down(code, frame, frame->conv->backend_flags & LA_CONV_COUNT_ALWAYS);
	if (frame->conv->result_bits == 32)
		emit_sext32(code, LA_A0, LA_R0);
	else
		emit_move(code, LA_A0, LA_R0);
	emit_jirl(code, LA_ZERO, LA_RA, 0);
}

void jf_loongarch64_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	struct jf_row body = jf_code_state(code);

	take_down(code, frame, true);
	emit_jirl(code, LA_ZERO, LA_TAIL_TARGET, entry_off);
	jf_code_set_state(code, body);
}
