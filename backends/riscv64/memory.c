/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* The base, and what is left of the offset for a load or a store; t1 holds the base when the offset is far. */
static unsigned int near_base(struct jf_code *c, unsigned int base, int64_t *off)
{
	int64_t low = (int64_t)((uint64_t)*off << 52) >> 52, high = *off - low;

	if (!high)
		return base;
	if (rv_fits(*off - 2047, 12) || rv_fits(*off + 2048, 12)) {
		low = *off - (*off < 0 ? -2048 : 2047);
		emit_i(c, RV_ADDI, RV_T1, base, *off - low);
	} else {
		jf_riscv64_li(c, RV_T1, (uint64_t)high);
		emit_r(c, RV_ADD, RV_T1, RV_T1, base);
	}
	*off = low;
	return RV_T1;
}

void jf_riscv64_load_at(struct jf_code *code, unsigned int rd, unsigned int base, int64_t off)
{
	base = near_base(code, base, &off);
	emit_load(code, RV_LD, rd, base, off);
}

void jf_riscv64_store_at(struct jf_code *code, unsigned int rs2, unsigned int base, int64_t off)
{
	base = near_base(code, base, &off);
	emit_store(code, RV_SD, rs2, base, off);
}

/* Where the access goes; t3 is the address that an arena pointer stands for. */
static unsigned int address(struct jf_body *b, const struct jf_op *op, unsigned int base, int64_t *off)
{
	if (op->arena) {
		emit_r(b->code, RV_ADD, RV_T3, base, b->frame->conv->arena_reg);
		base = RV_T3;
	}
	*off = op->off;
	return near_base(b->code, base, off);
}

enum jf_status jf_riscv64_load(struct jf_body *b, const struct jf_op *op)
{
	static const enum rv_load loads[2][4] = {{RV_LBU, RV_LHU, RV_LWU, RV_LD}, {RV_LB, RV_LH, RV_LW, RV_LD}};
	int64_t off;
	unsigned int base = address(b, op, rv_bpf(b, op->src), &off);

	emit_load(b->code, loads[op->sign][__builtin_ctz(op->bytes)], rv_bpf(b, op->dst), base, off);
	return JF_OK;
}

enum jf_status jf_riscv64_store(struct jf_body *b, const struct jf_op *op)
{
	static const enum rv_store stores[] = {RV_SB, RV_SH, RV_SW, RV_SD};
	unsigned int value = RV_ZERO, base;
	int64_t off;

	if (!op->is_imm) {
		value = rv_bpf(b, op->src);
	} else if (op->imm) {
		value = RV_T2;
		jf_riscv64_li(b->code, value, (uint64_t)op->imm);
	}
	base = address(b, op, rv_bpf(b, op->dst), &off);
	emit_store(b->code, stores[__builtin_ctz(op->bytes)], value, base, off);
	return JF_OK;
}
