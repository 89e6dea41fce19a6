/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/* One function per format turns a word into steps. */

/* A general register's id; JF_REG_NONE for the zero register. */
static unsigned int gp(unsigned int field)
{
	return field == LA_ZERO ? JF_REG_NONE : field;
}

static unsigned int field_rd(uint32_t word)
{
	return gp(word_bits(word, 4, 0));
}

static unsigned int field_rj(uint32_t word)
{
	return gp(word_bits(word, 9, 5));
}

static unsigned int field_rk(uint32_t word)
{
	return gp(word_bits(word, 14, 10));
}

static unsigned int field_fd(uint32_t word)
{
	return LA_F0 + word_bits(word, 4, 0);
}

static unsigned int field_fj(uint32_t word)
{
	return LA_F0 + word_bits(word, 9, 5);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* dst = a & ~b, which is (a | b) ^ b, and (a & b) ^ a. */
static void put_andn(struct jf_effect *effect, unsigned int dst, unsigned int a, unsigned int b)
{
	if (a == b || a == JF_REG_NONE || b == JF_REG_NONE) {
		put_copy(effect, dst, a == b ? JF_REG_NONE : a, U64);
	} else if (dst == b) {
		put_step(effect, JF_STEP_AND, dst, a, U64)->b = (uint8_t)b;
		put_step(effect, JF_STEP_XOR, dst, dst, U64)->b = (uint8_t)a;
	} else {
		put_step(effect, JF_STEP_OR, dst, a, U64)->b = (uint8_t)b;
		put_step(effect, JF_STEP_XOR, dst, dst, U64)->b = (uint8_t)b;
	}
}

static void decode_logic(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word), rk = field_rk(word);

	switch (row->format) {
	case F_NOR: put_alu(effect, row->kind, rd, rj, rk, row->width); break;
	case F_ANDN: put_andn(effect, rd, rj, rk); return;
	case F_ORN: put_andn(effect, rd, rk, rj); break; /* rj | ~rk = ~(rk & ~rj) */
	default: return;
	}
	put_imm(effect, JF_STEP_XOR, rd, rd, -1, U64);
}

/* rd = (rj << shift) + rk, shift 1..4 */
static void decode_alsl(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word), rk = field_rk(word);
	struct jf_step *step;

	if (rj == JF_REG_NONE) {
		put_copy(effect, rd, rk, row->width);
		return;
	}
	step = put_step(effect, JF_STEP_ADDRESS, rd, rk, 0);
	step->b = (uint8_t)rj;
	step->shift = (uint8_t)(word_bits(word, 16, 15) + 1);
	if (row->width != U64)
		put_step(effect, JF_STEP_EXTEND, rd, rd, row->width);
}

/* msb and lsb, which in the 32-bit forms are of 5 bits. returns: false when they are the wrong way round. */
static bool bit_range(const struct jf_decode_row *row, uint32_t word, unsigned int *bits, unsigned int *lsb)
{
	unsigned int top = row->width == U64 ? 63 : 31, msb = word >> 16 & top;

	*lsb = word >> 10 & top;
	*bits = msb - *lsb + 1;
	return *lsb <= msb;
}

static bool decode_bstrpick(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), a = field_rj(word), width = row->width & ~SIGNED, bits, lsb;

	if (!bit_range(row, word, &bits, &lsb))
		return false;
	if (writes_nothing(effect, field_rd(word)))
		return true;
	if (a == JF_REG_NONE) {
		put_constant(effect, rd, 0, U64);
		return true;
	}
	if (lsb) {
		put_imm(effect, JF_STEP_SHR, rd, a, lsb, row->width);
		a = rd;
	}
	if (bits == 8 || bits == 16)
		put_step(effect, JF_STEP_EXTEND, rd, a, bits / 8);
	else if (bits == 32)
		put_step(effect, JF_STEP_EXTEND, rd, a, row->width == U64 ? U32 : S32);
	else if (bits + lsb < 8 * width || !lsb)
		put_imm(effect, JF_STEP_AND, rd, a, (int64_t)(UINT64_MAX >> (64 - bits)), U64);
	return true;
}

static bool decode_bstrins(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), bits, lsb;

	if (!bit_range(row, word, &bits, &lsb))
		return false;
	if (writes_nothing(effect, field_rd(word)))
		return true;
	if (field_rj(word) != JF_REG_NONE) {
		put_kill(effect, rd);
		return true;
	}
	put_imm(effect, JF_STEP_AND, rd, rd, (int64_t) ~(UINT64_MAX >> (64 - bits) << lsb), U64);
	if (row->width != U64)
		put_step(effect, JF_STEP_EXTEND, rd, rd, row->width);
	return true;
}

/* ---- constants ------------------------------------------------------------------------------- */

static void put_insert(struct jf_effect *effect, unsigned int dst, unsigned int a, unsigned int low, int64_t imm)
{
	struct jf_step *step;

	if (a == JF_REG_NONE) {
		put_constant(effect, dst, (int64_t)((uint64_t)imm << low), U64);
		return;
	}
	step = put_imm(effect, JF_STEP_INSERT, dst, a, imm, 0);
	step->shift = (uint8_t)low;
	step->bits = (uint8_t)(64 - low);
}

static void decode_constant(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word);
	int64_t si20 = word_signed(word, 24, 5);

	switch (row->format) {
	case F_ADDU16I: put_alu_imm(effect, JF_STEP_ADD, rd, rj, word_signed(word, 25, 10) * 65536, U64); break;
	case F_LU12I: put_constant(effect, rd, si20 * 4096, U64); break;
	case F_LU32I: put_insert(effect, rd, rd, 32, si20); break;
	case F_LU52I: put_insert(effect, rd, rj, 52, word_signed(word, 21, 10)); break;
	case F_PCADDI: put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, si20 * 4, 0); break;
	case F_PCADDU18I: put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, si20 * (1 << 18), 0); break;
	case F_PCADDU12I:
	case F_PCALAU12I: put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, si20 * 4096, 0); break;
	default: return;
	}
	if (row->format == F_PCALAU12I)
		put_imm(effect, JF_STEP_AND, rd, rd, -4096, U64);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static struct jf_decode_address address_of(unsigned int format, uint32_t word)
{
	struct jf_decode_address address = {.base = field_rj(word), .index = JF_REG_NONE};

	if (format == F_MEM12 || format == F_FMEM12)
		address.off = word_signed(word, 21, 10);
	else if (format == F_MEM14 || format == F_SC)
		address.off = word_signed(word, 23, 10) * 4;
	else if (format == F_MEMX || format == F_FMEMX)
		address.index = field_rk(word);
	return address;
}

/* What is stored is a value: the zero register's too. */
static void decode_memory(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int data = row->kind == JF_STEP_STORE ? word_bits(word, 4, 0) : field_rd(word);
	struct jf_decode_address address = address_of(row->format, word);

	put_access(effect, row->kind, data, row->width, &address);
}

/* A load of 4 bytes leaves the upper half undefined. */
static void decode_fp_memory(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	bool half = row->width == U32 && row->kind == JF_STEP_LOAD;

	put_wide_access(effect, row->kind, half ? JF_REG_NONE : field_fd(word), row->width,
			address_of(row->format, word));
	if (half)
		put_kill(effect, field_fd(word));
}

/*
 * What is stored is known only of a swap: the store of the others depends on memory, or is not certain.
 * rd gets what was there, or whether it was stored. rd = rj is no instruction: it raises INE.
 */
static bool decode_atomic(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_decode_address address = address_of(row->format, word);
	bool am = row->format == F_AM || row->format == F_AMSWAP;
	unsigned int rd = field_rd(word);

	if (am && rd != JF_REG_NONE && rd == field_rj(word))
		return false;
	if (am)
		put_access(effect, JF_STEP_LOAD, JF_REG_NONE, row->width, &address);
	put_access(effect, JF_STEP_STORE, row->format == F_AMSWAP ? word_bits(word, 14, 10) : JF_REG_NONE, row->width,
		   &address);
	put_kill(effect, rd);
	return true;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* Registers are compared in full, without flags; bceqz and bcnez ask a flag of floating point, and have no width. */
static void set_question(struct jf_effect *effect, const struct jf_decode_row *row, unsigned int a, unsigned int b)
{
	effect->asks.kind = row->width ? JF_COMPARE_WITH : JF_COMPARE_UNKNOWN;
	effect->asks.cond = row->kind;
	effect->asks.a = (uint8_t)a;
	effect->asks.b = (uint8_t)b;
	effect->asks.bytes = row->width;
}

/*
 * The return address of a call is in ra; another link register gets it by a step. Where that is also the
 * base, the target is lost behind the step, and nothing but "somewhere" is left to say.
 */
static void decode_jirl(struct jf_effect *effect, uint32_t word)
{
	unsigned int rd = word_bits(word, 4, 0), rj = word_bits(word, 9, 5);

	effect->flow = rd == LA_RA ? JF_FLOW_CALL_REG : JF_FLOW_JUMP_REG;
	effect->flow_reg = (uint8_t)rj;
	effect->flow_imm = (int32_t)word_signed(word, 25, 10) * 4;
	if (rd == LA_ZERO || rd == LA_RA)
		return;
	put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, 4, 0);
	if (rd == rj) {
		effect->flow = JF_FLOW_JUMP_MEM;
		effect->flow_reg = JF_REG_NONE;
		effect->flow_imm = 0;
	}
}

static void decode_branch(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	int64_t off16 = word_signed(word, 25, 10) * 4, low16 = word_bits(word, 25, 10) * 4;
	int64_t off21 = word_signed(word, 4, 0) * (1 << 18) | low16,
		off26 = word_signed(word, 9, 0) * (1 << 18) | low16;

	switch (row->format) {
	case F_BRANCH16:
		set_flow(effect, JF_FLOW_BRANCH, off16);
		set_question(effect, row, field_rj(word), field_rd(word));
		break;
	case F_BRANCH21:
		set_flow(effect, JF_FLOW_BRANCH, off21);
		set_question(effect, row, field_rj(word), JF_REG_NONE);
		break;
	case F_B: set_flow(effect, JF_FLOW_JUMP, off26); break;
	case F_BL: set_flow(effect, JF_FLOW_CALL, off26); break;
	case F_JIRL: decode_jirl(effect, word); break;
	case F_JISCR: effect->flow = JF_FLOW_JUMP_MEM; break; /* to a scratch register's address */
	default: break;
	}
}

/* ---- choices ---------------------------------------------------------------------------------- */

static void decode_choice(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word), rk = field_rk(word);

	if (row->format == F_MASK)
		put_mask(effect, row->kind, rd, rj, rk, row->width);
	else if (row->format == F_LESS)
		put_unless(effect, row->kind, rd, rj, rk, 0, row->width);
	else /* the immediate's sign is extended; then it is taken without */
		put_unless(effect, row->kind, rd, rj, JF_REG_NONE, word_signed(word, 21, 10), row->width);
}

/* ---- the formats ----------------------------------------------------------------------------- */

/* Those that write registers and do nothing else. */
static void decode_registers(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word), fd = field_fd(word), fj = field_fj(word);

	switch (row->format) {
	case F_KILL_FD: put_kill(effect, fd); return;
	case F_FD_FJ: put_copy(effect, fd, fj, U64); return;
	case F_FD_RJ: put_copy(effect, fd, rj, U64); return;
	case F_KILL_RD_RJ: put_kill(effect, rj); break;
	default: break;
	}
	if (row->format == F_KILL_RD_RJ ? rd == JF_REG_NONE : writes_nothing(effect, field_rd(word)))
		return;
	switch (row->format) {
	case F_KILL_RD:
	case F_KILL_RD_RJ: put_kill(effect, rd); break;
	case F_RD_FJ: put_copy(effect, rd, fj, row->width); break;
	case F_EXTEND: put_copy(effect, rd, rj, row->width); break;
	case F_ALU3: put_alu(effect, row->kind, rd, rj, field_rk(word), row->width); break;
	case F_SHIFT5: put_alu_imm(effect, row->kind, rd, rj, word_bits(word, 14, 10), row->width); break;
	case F_SHIFT6: put_alu_imm(effect, row->kind, rd, rj, word_bits(word, 15, 10), row->width); break;
	case F_ALUI12: put_alu_imm(effect, row->kind, rd, rj, word_signed(word, 21, 10), row->width); break;
	case F_MASK:
	case F_LESS:
	case F_LESS_IMM: decode_choice(effect, row, word); break;
	case F_ALUU12: put_alu_imm(effect, row->kind, rd, rj, word_bits(word, 21, 10), row->width); break;
	case F_ALSL: decode_alsl(effect, row, word); break;
	case F_NOR:
	case F_ANDN:
	case F_ORN: decode_logic(effect, row, word); break;
	default: decode_constant(effect, row, word); break;
	}
}

/* returns: whether the fields make sense together. */
static bool decode_fields(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	switch (row->format) {
	case F_NONE: return true;
	case F_NOP: effect->flags |= JF_EFFECT_NOP; return true;
	case F_UNKNOWN: effect->flags |= JF_EFFECT_UNKNOWN; return true;
	case F_TRAP: effect->flow = JF_FLOW_TRAP; return true;
	case F_SYSTEM: effect->flags |= JF_EFFECT_SYSTEM; return true;
	case F_BSTRINS: return decode_bstrins(effect, row, word);
	case F_BSTRPICK: return decode_bstrpick(effect, row, word);
	case F_MEM12:
	case F_MEM14:
	case F_MEMX:
	case F_MEM_RJ: decode_memory(effect, row, word); return true;
	case F_FMEM12:
	case F_FMEMX: decode_fp_memory(effect, row, word); return true;
	case F_SC:
	case F_SC_AT_RJ:
	case F_AM:
	case F_AMSWAP: return decode_atomic(effect, row, word);
	case F_BRANCH16:
	case F_BRANCH21:
	case F_B:
	case F_BL:
	case F_JIRL:
	case F_JISCR: decode_branch(effect, row, word); return true;
	default: decode_registers(effect, row, word); return true;
	}
}

/* The last row at or below the word, then backwards: rows that share a major opcode may lie in one another. */
static const struct jf_decode_row *find_row(uint32_t word)
{
	const struct jf_decode_row *rows = jf_loongarch64_rows;
	unsigned int low = 0, high = jf_loongarch64_row_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (rows[middle].value <= word)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low > 0 && rows[low - 1].value >> 26 == word >> 26; low--)
		if ((word & rows[low - 1].mask) == rows[low - 1].value)
			return &rows[low - 1];
	return NULL;
}

enum jf_status jf_loongarch64_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect)
{
	struct jf_effect decoded = no_effect(4);
	const struct jf_decode_row *row;
	uint32_t word;

	if (count < 4)
		return JF_E_NOSPACE;
	word = word_at(bytes);
	row = find_row(word);
	if (!row)
		return JF_E_NOT_FOUND;
	decoded.name = row->name;
	if (!decode_fields(&decoded, row, word))
		return JF_E_NOT_FOUND;
	*effect = decoded;
	return JF_OK;
}
