/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* Whether BL reaches depends on the code before this instruction alone, so passes agree in the end. */
void jf_arm64_call_far(struct jf_body *b, uint64_t address)
{
	int64_t distance = (int64_t)(address - jf_code_pc(b->code));

	if (jf_arm64_fits_branch(distance, JF_ARM64_JUMP_BITS)) {
		jf_arm64_b(b->code, true, distance);
	} else {
		jf_arm64_load_address(b, JF_ARM64_TMP, address);
		jf_arm64_branch_reg(b->code, JF_ARM64_BLR, JF_ARM64_TMP);
	}
}

/* R0 = the result, of which the low bytes alone are the callee's to set. */
static void take_result(struct jf_code *code, struct jf_c_value value)
{
	if (value.bytes == 0 || value.bytes == 8)
		jf_arm64_mov(code, true, JF_ARM64_R0, JF_ARM64_X0);
	else if (value.is_signed)
		jf_arm64_bitfield(code, JF_ARM64_SBFM, true, JF_ARM64_R0, JF_ARM64_X0, 0, 8u * value.bytes - 1);
	else
		jf_arm64_bitfield(code, JF_ARM64_UBFM, false, JF_ARM64_R0, JF_ARM64_X0, 0, 8u * value.bytes - 1);
}

/*
 * Functions of the same image are always in reach of BL. Either kind has its result in x0 and takes its
 * further arguments from where arg_put has put them.
 *
 * C functions extend narrow arguments themselves, so a caller leaves them as they are. Source: AAPCS64, "Parameter
 * passing": the bits of a register or stack slot above a narrow argument are unspecified.
 */
enum jf_status jf_arm64_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	(void)op;
	if (call->sixth != JF_REG_NONE)
		jf_arm64_mov(b->code, true, jf_c_arg_place(b->frame->conv->backend, 1).reg,
			     jf_body_reg(b, call->sixth));
	if (call->kind == JF_CALL_BPF)
		jf_arm64_b(b->code, true, (int64_t)(call->address - jf_code_pc(b->code)));
	else
		jf_arm64_call_far(b, call->address);
	take_result(b->code, call->result);
	return JF_OK;
}

/*
 *        ldr    tmp, array->max_entries
 *        cmp    index, tmp
 *        b.hs   1f
 *        ldr    count, [x26]
 *        cmp    count, #33
 *        b.hs   1f
 *        add    tmp, array, index * 8
 *        ldr    tmp, [tmp + entries]
 *        cbz    tmp, 1f
 *        add    count, count, #1           only now that it happens (K6)
 *        str    count, [x26]
 *        ...                               the frame's tail exit
 *        br     tmp
 *     1:
 */
enum jf_status jf_arm64_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off)
{
	struct jf_code *code = b->code;
	unsigned int array = jf_body_reg(b, JF_BPF_R2), index = jf_body_reg(b, JF_BPF_R3);
	const unsigned int tmp = JF_ARM64_TMP, count = JF_ARM64_TMP2;
	struct jf_label out = {0};

	(void)op;
	jf_arm64_ldst_scaled(code, JF_ARM64_LDR, 2, tmp, array, offsetof(struct jf_program_array, max_entries));
	jf_arm64_rrr(code, JF_ARM64_SUBS, false, JF_ARM64_XZR, index, tmp);
	jf_body_branch_ahead(b, JF_ARM64_B_COND | JF_ARM64_HS, &out);
	jf_arm64_ldst_scaled(code, JF_ARM64_LDR, 3, count, JF_ARM64_COUNT_PTR, 0);
	jf_arm64_addsub(code, JF_ARM64_SUBSI, true, JF_ARM64_XZR, count, JF_TAIL_CALLS_MAX);
	jf_body_branch_ahead(b, JF_ARM64_B_COND | JF_ARM64_HS, &out);
	jf_arm64_add_uxtw(code, tmp, array, index, 3);
	jf_arm64_ldst_scaled(code, JF_ARM64_LDR, 3, tmp, tmp, offsetof(struct jf_program_array, entries));
	jf_body_branch_ahead(b, jf_arm64_cbz_word(true, tmp), &out);
	jf_arm64_addsub(code, JF_ARM64_ADDI, true, count, count, 1);
	jf_arm64_ldst_scaled(code, JF_ARM64_STR, 3, count, JF_ARM64_COUNT_PTR, 0);
	jf_frame_tail_exit(code, b->frame, entry_off);
	jf_body_label(b, &out);
	return JF_OK;
}

enum jf_status jf_arm64_arg_put(struct jf_body *b, const struct jf_op *op)
{
	struct jf_arg_place place = jf_bpf_arg_place(b->frame->conv, op->code);
	unsigned int from = op->is_imm ? JF_ARM64_TMP : jf_body_reg(b, op->src);

	if (place.reg != JF_REG_NONE) {
		if (op->is_imm)
			jf_arm64_mov_const(b->code, place.reg, (uint64_t)op->imm);
		else
			jf_arm64_mov(b->code, true, place.reg, from);
		return JF_OK;
	}
	if (op->is_imm && !op->imm)
		from = JF_ARM64_XZR;
	else if (op->is_imm)
		jf_arm64_mov_const(b->code, from, (uint64_t)op->imm);
	jf_arm64_ldst_scaled(b->code, JF_ARM64_STR, 3, from, JF_ARM64_SP, place.off);
	return JF_OK;
}

enum jf_status jf_arm64_arg_get(struct jf_body *b, const struct jf_op *op)
{
	struct jf_arg_place place = jf_bpf_arg_place(b->frame->conv, op->code);
	unsigned int dst = jf_body_reg(b, op->dst);

	if (place.reg == JF_REG_NONE)
		jf_arm64_ldst_scaled(b->code, JF_ARM64_LDR, 3, dst, JF_ARM64_X29,
				     place.off - b->frame->conv->fp_off_from_cfa);
	else
		jf_arm64_mov(b->code, true, dst, place.reg);
	return JF_OK;
}
