/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#define BL_REACH        (INT64_C(1) << 27)
#define PCADDU18I_REACH ((INT64_C(1) << 37) - (INT64_C(1) << 18))

void jf_loongarch64_call_address(struct jf_code *c, uint64_t address)
{
	int64_t from_start = (int64_t)(address - c->address);
	int64_t size = c->bytes && c->capacity < (size_t)PCADDU18I_REACH ? (int64_t)c->capacity : PCADDU18I_REACH;
	int64_t distance = (int64_t)(address - jf_code_pc(c));
	int64_t low = ((distance & 0x3ffff) ^ 0x20000) - 0x20000;

	if (from_start < BL_REACH && from_start - size >= -BL_REACH) {
		emit_branch26(c, LA_BL, distance);
	} else if (from_start < PCADDU18I_REACH && from_start >= size - PCADDU18I_REACH) {
		emit_1ri20(c, LA_PCADDU18I, LA_T1, (distance - low) >> 18);
		emit_jirl(c, LA_RA, LA_T1, low);
	} else {
		/* jirl adds the low 12 bits that would cost an ori. */
		jf_loongarch64_li(c, LA_T1, address & ~UINT64_C(0xfff));
		emit_jirl(c, LA_RA, LA_T1, (int64_t)(address & 0xfff));
	}
}

/* Callees count tail calls where we do. The address of that count is in our frame. A clean-up pad that is called has
 * another frame's SP. */
static void load_tcc_ptr(struct jf_code *c, const struct jf_frame *frame)
{
	int slot = jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE);

	if (slot < 0)
		return;
	if (frame->conv->sp_steps == JF_SP_SAVES_FIRST || jf_frame_calls_pads(frame))
		emit_2ri12(c, LA_LD_D, LA_TCC, LA_FP, frame->slots[slot].off_from_cfa - frame->conv->fp_off_from_cfa);
	else
		emit_2ri12(c, LA_LD_D, LA_TCC, LA_SP, (int64_t)frame->size_bytes + frame->slots[slot].off_from_cfa);
}

/* rd = rj, of which the low bytes count, extended to 64 bits. */
void jf_loongarch64_extend(struct jf_code *c, uint8_t rd, uint8_t rj, struct jf_c_value value, uint8_t bytes)
{
	(void)bytes;
	if (value.bytes == 0 || value.bytes == 8)
		emit_move(c, rd, rj);
	else if (!value.is_signed)
		emit_field(c, LA_BSTRPICK_D, rd, rj, 8u * value.bytes - 1, 0);
	else if (value.bytes == 4)
		emit_sext32(c, rd, rj);
	else
		emit_2r(c, value.bytes == 1 ? LA_EXT_W_B : LA_EXT_W_H, rd, rj);
}

enum jf_status jf_loongarch64_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	enum jf_status status;

	(void)op;
	if (call->kind == JF_CALL_BPF) {
		load_tcc_ptr(b->code, b->frame);
		emit_branch26(b->code, LA_BL, (int64_t)(call->address - jf_code_pc(b->code)));
		return JF_OK;
	}
	status = jf_body_pass_to_c(b, call);
	jf_loongarch64_call_address(b->code, call->address);
	jf_body_take_result(b, call);
	return status;
}

/* ---- tail calls ------------------------------------------------------------------------------ */

enum jf_status jf_loongarch64_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off)
{
	unsigned int array = la_bpf(b, JF_BPF_R2), index = la_bpf(b, JF_BPF_R3);
	struct jf_code *c = b->code;
	struct jf_label out = {0};

	(void)op;
	emit_1ri20(c, LA_LU32I_D, index, 0);
	emit_2ri12(c, LA_LD_WU, LA_T1, array, offsetof(struct jf_program_array, max_entries));
	jf_body_branch_ahead(b, LA_BGEU | index << 5 | LA_T1, &out);
	load_tcc_ptr(c, b->frame);
	emit_2ri12(c, LA_LD_D, LA_T2, LA_TCC, 0);
	emit_2ri12(c, LA_ADDI_D, LA_T1, LA_ZERO, JF_TAIL_CALLS_MAX);
	jf_body_branch_ahead(b, LA_BGE | LA_T2 << 5 | LA_T1, &out);
	emit_alsl_d(c, LA_TAIL_TARGET, index, array, 3);
	/* Read once: another thread may change the slot. */
	emit_2ri12(c, LA_LD_D, LA_TAIL_TARGET, LA_TAIL_TARGET, offsetof(struct jf_program_array, entries));
	jf_body_branch_ahead(b, LA_BEQZ | LA_TAIL_TARGET << 5, &out);
	emit_2ri12(c, LA_ADDI_D, LA_T2, LA_T2, 1);
	emit_2ri12(c, LA_ST_D, LA_T2, LA_TCC, 0);
	jf_frame_tail_exit(c, b->frame, entry_off);
	jf_body_label(b, &out);
	return JF_OK;
}
