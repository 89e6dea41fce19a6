/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* ra itself holds the upper part of a far address: jumps through it need no landing pad. */
void jf_riscv64_call_address(struct jf_code *c, uint64_t address)
{
	const int64_t jal_reach = INT64_C(1) << 20, auipc_reach = (INT64_C(1) << 31) - (1 << 12);
	int64_t from_start = (int64_t)(address - c->address);
	int64_t size = c->capacity < (size_t)auipc_reach ? (int64_t)c->capacity : auipc_reach;
	int64_t distance = (int64_t)(address - jf_code_pc(c));
	int64_t low = (int64_t)((uint64_t)distance << 52) >> 52;

	if (from_start < jal_reach && from_start - size >= -jal_reach) {
		emit_jal(c, RV_RA, distance);
		return;
	}
	if (from_start < auipc_reach && from_start >= size - auipc_reach) {
		emit_auipc(c, RV_RA, (distance - low) >> 12);
	} else {
		/* jalr adds the low 12 bits that would cost an addi. */
		low = (int64_t)(address << 52) >> 52;
		jf_riscv64_li(c, RV_RA, address - (uint64_t)low);
	}
	rv_put_word(c, true, RV_JALR | rv_imm_i(low) | rv_rs1(RV_RA) | rv_rd(RV_RA));
}

/* The count lies in our frame, and travels in a6 to callees and back. */
static int32_t count_off(const struct jf_frame *frame)
{
	return frame->slots[jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE)].off_from_cfa - frame->conv->fp_off_from_cfa;
}

static void call_bpf(struct jf_body *b, const struct jf_call *call)
{
	bool counts = b->frame->spec.tail_calls;

	if (counts)
		emit_load(b->code, RV_LD, RV_TCC, RV_FP, count_off(b->frame));
	jf_riscv64_call_address(b->code, call->address);
	if (counts)
		emit_store(b->code, RV_SD, RV_TCC, RV_FP, count_off(b->frame));
}

/* rd = rs1, of which the low bytes count, extended to 64 bits. */
void jf_riscv64_extend(struct jf_code *c, uint8_t rd, uint8_t rs1, struct jf_c_value value, uint8_t bytes)
{
	(void)bytes;
	if (value.bytes == 0 || value.bytes == 8)
		emit_move(c, rd, rs1);
	else if (value.bytes == 4 && value.is_signed)
		emit_sext32(c, rd, rs1);
	else if (value.bytes == 1 && !value.is_signed)
		emit_i(c, RV_ANDI, rd, rs1, 0xff);
	else
		emit_shifts(c, value.is_signed ? RV_SRAI : RV_SRLI, rd, rs1, 64 - 8u * value.bytes);
}

enum jf_status jf_riscv64_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	enum jf_status status;

	(void)op;
	if (call->kind == JF_CALL_BPF) {
		call_bpf(b, call);
		return JF_OK;
	}
	status = jf_body_pass_to_c(b, call);
	jf_riscv64_call_address(b->code, call->address);
	jf_body_take_result(b, call);
	return status;
}

/* ---- tail calls ------------------------------------------------------------------------------ */

enum jf_status jf_riscv64_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off)
{
	unsigned int array = rv_bpf(b, JF_BPF_R2), index = rv_bpf(b, JF_BPF_R3);
	struct jf_label out = {0};
	struct jf_code *c = b->code;

	(void)op;
	emit_zext32(c, index, index);
	emit_load(c, RV_LWU, RV_T1, array, offsetof(struct jf_program_array, max_entries));
	jf_body_branch_ahead(b, rv_branch_word(RV_BGEU, index, RV_T1), &out);
	emit_load(c, RV_LD, RV_TCC, RV_FP, count_off(b->frame));
	emit_i(c, RV_ADDI, RV_TCC, RV_TCC, -1);
	jf_body_branch_ahead(b, rv_branch_word(RV_BLT, RV_TCC, RV_ZERO), &out);
	emit_shift(c, RV_SLLI, RV_TAIL_TARGET, index, 3);
	emit_r(c, RV_ADD, RV_TAIL_TARGET, RV_TAIL_TARGET, array);
	/* Read once: another thread may change the slot. */
	emit_load(c, RV_LD, RV_TAIL_TARGET, RV_TAIL_TARGET, offsetof(struct jf_program_array, entries));
	jf_body_branch_ahead(b, rv_branch_word(RV_BEQ, RV_TAIL_TARGET, RV_ZERO), &out);
	emit_store(c, RV_SD, RV_TCC, RV_FP, count_off(b->frame));
	jf_frame_tail_exit(c, b->frame, entry_off);
	jf_body_label(b, &out);
	return JF_OK;
}
