/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

/* The instructions that move one width: with a 12-bit offset, with an index register, with a 14-bit offset in words. */
struct access {
	enum la_2ri12 near;
	enum la_3r indexed;
	enum la_2ri14 words; /* 0: none; ldptr.w sign-extends */
};

static const struct access loads[2][4] = {
	{{LA_LD_BU, LA_LDX_BU, 0},
	 {LA_LD_HU, LA_LDX_HU, 0},
	 {LA_LD_WU, LA_LDX_WU, LA_LDPTR_W},
	 {LA_LD_D, LA_LDX_D, LA_LDPTR_D}},
	{{LA_LD_B, LA_LDX_B, 0},
	 {LA_LD_H, LA_LDX_H, 0},
	 {LA_LD_W, LA_LDX_W, LA_LDPTR_W},
	 {LA_LD_D, LA_LDX_D, LA_LDPTR_D}},
};
static const struct access stores[4] = {
	{LA_ST_B, LA_STX_B, 0},
	{LA_ST_H, LA_STX_H, 0},
	{LA_ST_W, LA_STX_W, LA_STPTR_W},
	{LA_ST_D, LA_STX_D, LA_STPTR_D},
};

static unsigned int log2_bytes(const struct jf_op *op)
{
	return (unsigned int)__builtin_ctz(op->bytes);
}

/* Offsets that neither form above reaches take t1. */
static void emit_access(struct jf_code *c, const struct access *access, unsigned int reg, unsigned int base,
			int64_t off)
{
	int64_t step = off < 0 ? -2048 : 2047;

	if (la_fits(off, 12)) {
		emit_2ri12(c, access->near, reg, base, off);
	} else if (la_fits(off - step, 12)) {
		emit_2ri12(c, LA_ADDI_D, LA_T1, base, step);
		emit_2ri12(c, access->near, reg, LA_T1, off - step);
	} else {
		jf_loongarch64_li(c, LA_T1, (uint64_t)off);
		emit_3r(c, access->indexed, reg, base, LA_T1);
	}
}

void jf_loongarch64_load_at(struct jf_code *code, unsigned int rd, unsigned int base, int64_t off)
{
	emit_access(code, &loads[0][3], rd, base, off);
}

/* ldptr and stptr reach as far as BPF's offsets go, in words. */
static bool far_word(const struct jf_op *op)
{
	return op->bytes >= 4 && !la_fits(op->off, 12) && op->off % 4 == 0;
}

/* Moves between `reg` and op->off behind `base`; t3 is the address that an arena pointer stands for. */
static inline void emit_body_access(struct jf_body *b, const struct access *access, unsigned int reg, unsigned int base,
				    const struct jf_op *op)
{
	if (op->arena && !op->off) {
		emit_3r(b->code, access->indexed, reg, base, b->frame->conv->arena_reg);
		return;
	}
	if (op->arena) {
		emit_3r(b->code, LA_ADD_D, LA_T3, base, b->frame->conv->arena_reg);
		base = LA_T3;
	}
	if (far_word(op))
		emit_2ri14(b->code, access->words, reg, base, op->off);
	else
		emit_access(b->code, access, reg, base, op->off);
}

enum jf_status jf_loongarch64_load(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);

	emit_body_access(b, &loads[op->sign][log2_bytes(op)], dst, la_bpf(b, op->src), op);
	if (op->bytes == 4 && !op->sign && far_word(op))
		emit_zext32(b->code, dst, dst);
	return JF_OK;
}

enum jf_status jf_loongarch64_store(struct jf_body *b, const struct jf_op *op)
{
	unsigned int value = LA_ZERO;

	if (!op->is_imm) {
		value = la_bpf(b, op->src);
	} else if (op->imm) {
		/* t1 is for offsets that are far, which those of arguments are not. */
		value = op->dst == JF_BPF_ARGS ? LA_T1 : LA_T2;
		jf_loongarch64_li(b->code, value, (uint64_t)op->imm);
	}
	emit_body_access(b, &stores[log2_bytes(op)], value, la_bpf(b, op->dst), op);
	return JF_OK;
}

enum jf_status jf_loongarch64_imm64(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);
	/* Meaningless for a plain constant, which may be anything. */
	int64_t distance = (int64_t)((uint64_t)op->imm - jf_code_pc(b->code));
	int64_t low = ((distance & 0xfff) ^ 0x800) - 0x800;

	if (op->src != JF_SRC_CODE) {
		jf_loongarch64_li(b->code, dst, (uint64_t)op->imm);
		return JF_OK;
	}
	/* Code still moves from pass to pass: two instructions wherever it goes. */
	emit_1ri20(b->code, LA_PCADDU12I, dst, (distance - low) / 4096);
	emit_2ri12(b->code, LA_ADDI_D, dst, dst, low);
	return JF_OK;
}

/* The upper half is put in by lu32i.d, which leaves NULL alone by being branched around. */
enum jf_status jf_loongarch64_cast_user(struct jf_body *b, const struct jf_op *op)
{
	unsigned int dst = la_bpf(b, op->dst);
	int64_t low52 = (int64_t)((uint64_t)op->imm << 12) >> 12;
	bool wide = low52 != op->imm;

	emit_zext32(b->code, dst, la_bpf(b, op->src));
	if (!op->imm)
		return JF_OK;
	emit_branch21(b->code, LA_BEQZ, dst, wide ? 12 : 8);
	emit_1ri20(b->code, LA_LU32I_D, dst, low52 >> 32);
	if (wide)
		emit_2ri12(b->code, LA_LU52I_D, dst, dst, op->imm >> 52);
	return JF_OK;
}

enum jf_status jf_loongarch64_per_cpu(struct jf_body *b, const struct jf_op *op)
{
	emit_3r(b->code, LA_ADD_D, la_bpf(b, op->dst), la_bpf(b, op->src), la_cpu_base(b->frame));
	return JF_OK;
}
