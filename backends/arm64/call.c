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

void jf_arm64_extend(struct jf_code *code, uint8_t rd, uint8_t rn, struct jf_c_value value, uint8_t bytes)
{
	(void)bytes;
	if (value.bytes == 0 || value.bytes == 8)
		jf_arm64_mov(code, true, rd, rn);
	else
		jf_arm64_bitfield(code, value.is_signed ? JF_ARM64_SBFM : JF_ARM64_UBFM, value.is_signed, rd, rn, 0,
				  8u * value.bytes - 1);
}

/* Functions of the same image are always in reach of BL. Either kind has its result in x0. */
enum jf_status jf_arm64_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call)
{
	enum jf_status status = JF_OK;

	(void)op;
	if (call->kind == JF_CALL_BPF) {
		jf_arm64_b(b->code, true, (int64_t)(call->address - jf_code_pc(b->code)));
	} else {
		status = jf_body_pass_to_c(b, call);
		jf_arm64_call_far(b, call->address);
	}
	jf_body_take_result(b, call);
	return status;
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
