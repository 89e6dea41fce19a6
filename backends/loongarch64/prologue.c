/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#define PATCH_NOPS 5 /* Linux patches lu12i.w, ori, lu32i.d, lu52i.d, jirl in, with t0 the return address */

static void enter(struct jf_code *code, const struct jf_frame *frame)
{
	if (!(frame->conv->backend_flags & LA_CONV_PATCH_AREA))
		return;
	emit_move(code, LA_T0, LA_RA);
	for (int i = 0; i < PATCH_NOPS; i++)
		emit_nop(code);
}

static void move(struct jf_code *code, uint8_t dst, uint8_t src)
{
	emit_move(code, dst, src);
}

static void sign_extend(struct jf_code *code, uint8_t dst, uint8_t src)
{
	emit_sext32(code, dst, src);
}

static void add(struct jf_code *code, uint8_t dst, uint8_t src, int64_t imm)
{
	jf_loongarch64_add_imm(code, dst, src, imm, LA_T1);
}

static void constant(struct jf_code *code, uint8_t dst, uint64_t value)
{
	jf_loongarch64_li(code, dst, value);
}

static void store(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	if (reg >= LA_F0)
		emit_f12(code, LA_FST_D, reg, base, off);
	else
		emit_2ri12(code, LA_ST_D, reg, base, off);
}

static void load(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	if (reg >= LA_F0)
		emit_f12(code, LA_FLD_D, reg, base, off);
	else
		emit_2ri12(code, LA_LD_D, reg, base, off);
}

static void ret(struct jf_code *code)
{
	emit_jirl(code, LA_ZERO, LA_RA, 0);
}

static void go_back(struct jf_code *code, const struct jf_frame *frame)
{
	emit_jirl(code, LA_ZERO, frame->conv->cleanup_back, 0);
}

static void jump(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	(void)frame;
	emit_jirl(code, LA_ZERO, LA_TAIL_TARGET, entry_off);
}

/* ---- the tail-call count -------------------------------------------------------------------- */

static void fresh_count(struct jf_code *code, const struct jf_frame *frame)
{
	(void)frame;
	emit_2ri12(code, LA_ADDI_D, LA_TCC, LA_ZERO, 0);
}

/*
 * a6 is a count, up to JF_TAIL_CALLS_MAX (in the first program of a chain), or the address of one. tcc keeps what
 * came in, for the tail exit; tcc_ptr and a6 get the address: of tcc itself when that holds the count.
 */
static void count_select(struct jf_code *code, struct jf_count_place at)
{
	emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_off);
	emit_2ri12(code, LA_ADDI_D, LA_T7, at.base, at.tcc_off);
	emit_2ri12(code, LA_SLTUI, LA_T8, LA_TCC, JF_TAIL_CALLS_MAX + 1);
	emit_3r(code, LA_MASKEQZ, LA_T7, LA_T7, LA_T8);
	emit_3r(code, LA_MASKNEZ, LA_TCC, LA_TCC, LA_T8);
	emit_3r(code, LA_OR, LA_TCC, LA_TCC, LA_T7);
	emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_ptr_off);
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
static void count_select_branchy(struct jf_code *code, struct jf_count_place at)
{
	emit_2ri12(code, LA_ADDI_D, LA_T3, LA_ZERO, JF_TAIL_CALLS_MAX);
	emit_branch16(code, LA_BGEU, LA_T3, LA_TCC, 2 * 4);
	emit_branch26(code, LA_B, 4 * 4);
	emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_off);
	emit_2ri12(code, LA_ADDI_D, LA_TCC, at.base, at.tcc_off);
	emit_branch26(code, LA_B, 2 * 4);
	emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_off);
	emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_ptr_off);
}

static void store_count(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place at)
{
	if (!(frame->needs & JF_WHEN_MAIN)) {
		/* A subprogram gets the address from its caller. */
		emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_off);
		emit_2ri12(code, LA_ST_D, LA_TCC, at.base, at.tcc_ptr_off);
	} else if (frame->conv->backend_flags & LA_CONV_BRANCHY_COUNT) {
		count_select_branchy(code, at);
	} else {
		count_select(code, at);
	}
}

static void load_count(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place at)
{
	if (frame->conv->backend_flags & LA_CONV_BRANCHY_COUNT)
		emit_2ri12(code, LA_LD_D, LA_TCC, at.base, at.tcc_ptr_off);
	emit_2ri12(code, LA_LD_D, LA_TCC, at.base, at.tcc_off);
}

/* ---- R10 in a private stack ----------------------------------------------------------------- */

/* Inferred for linux-v2: the patch shows where this stands, not what it is. */
static void private_stack(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	unsigned int reg = frame->conv->bpf_fp_private, base = la_cpu_base(frame);

	jf_loongarch64_li(code, reg, values->private_stack + jf_frame_private_stack(frame).top_off);
	if (frame->conv->caps & JF_CAP_USER_BASE) {
		jf_loongarch64_load_at(code, LA_T1, base, (int64_t)values->private_stack_word);
		base = LA_T1;
	}
	emit_3r(code, LA_ADD_D, reg, reg, base);
}

const struct jf_build_ops jf_loongarch64_build = {
	.enter = enter,
	.fresh_count = fresh_count,
	.move = move,
	.sign_extend = sign_extend,
	.add = add,
	.constant = constant,
	.store = store,
	.load = load,
	.store_count = store_count,
	.load_count = load_count,
	.private_stack = private_stack,
	.ret = ret,
	.go_back = go_back,
	.jump = jump,
	.target = LA_TAIL_TARGET,
};
