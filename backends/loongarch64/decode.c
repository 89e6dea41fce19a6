/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/*
 * One function per format turns a word into steps. The zero register is never written; where it is read, an
 * immediate 0 stands for it, or no register in an address: only a few steps are left that name it.
 */

static unsigned int field_rd(uint32_t word)
{
	return word & 31;
}

static unsigned int field_rj(uint32_t word)
{
	return word >> 5 & 31;
}

static unsigned int field_rk(uint32_t word)
{
	return word >> 10 & 31;
}

/* The signed field of `bits` bits from bit `low` on. */
static int64_t field_signed(uint32_t word, unsigned int low, unsigned int bits)
{
	return (int64_t)((uint64_t)(word >> low) << (64 - bits)) >> (64 - bits);
}

static struct jf_step *put(struct jf_effect *effect, enum jf_step_kind kind, unsigned int dst, unsigned int a)
{
	struct jf_step *step = &effect->steps[effect->step_count++];

	*step = (struct jf_step){.kind = (uint8_t)kind, .dst = (uint8_t)dst, .a = (uint8_t)a};
	step->b = JF_REG_NONE;
	step->c = JF_REG_NONE;
	return step;
}

static void put_kill(struct jf_effect *effect, unsigned int dst)
{
	if (dst != LA_ZERO)
		put(effect, JF_STEP_KILL, dst, JF_REG_NONE);
}

/* dst = a OP what the caller puts in, b or imm */
static struct jf_step *put_operation(struct jf_effect *effect, enum jf_step_kind kind, unsigned int dst, unsigned int a,
				     unsigned int width)
{
	struct jf_step *step = put(effect, kind, dst, a);

	step->bytes = width & ~LA_SIGN;
	step->sign = width & LA_SIGN;
	return step;
}

static bool ignores_zero(unsigned int kind)
{
	return kind == JF_STEP_ADD || kind == JF_STEP_OR || kind == JF_STEP_XOR;
}

/* dst = a OP imm, as short as can be said. */
static void put_alu_imm(struct jf_effect *effect, const struct la_row *row, unsigned int dst, unsigned int a,
			int64_t imm)
{
	bool identity = imm == 0 && row->kind != JF_STEP_AND;

	if (a == LA_ZERO && ignores_zero(row->kind))
		put(effect, JF_STEP_MOVE, dst, JF_REG_NONE)->imm = imm;
	else if (identity && row->width == D64)
		put(effect, JF_STEP_MOVE, dst, a);
	else if (identity)
		put_operation(effect, JF_STEP_EXTEND, dst, a, row->width);
	else
		put_operation(effect, (enum jf_step_kind)row->kind, dst, a, row->width)->imm = imm;
}

static void put_alu(struct jf_effect *effect, const struct la_row *row, unsigned int dst, unsigned int a,
		    unsigned int b)
{
	if (b == LA_ZERO)
		put_alu_imm(effect, row, dst, a, 0);
	else if (a == LA_ZERO && ignores_zero(row->kind))
		put_alu_imm(effect, row, dst, b, 0);
	else
		put_operation(effect, (enum jf_step_kind)row->kind, dst, a, row->width)->b = (uint8_t)b;
}

/* What has no effect but on rd has none at all when that is the zero register. */
static bool writes_nothing(struct jf_effect *effect, uint32_t word)
{
	if (field_rd(word) == LA_ZERO)
		effect->flags |= JF_EFFECT_NOP;
	return field_rd(word) == LA_ZERO;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* dst = a & ~b, which is (a | b) ^ b, and (a & b) ^ a. */
static void put_andn(struct jf_effect *effect, unsigned int dst, unsigned int a, unsigned int b)
{
	if (a == b) {
		put(effect, JF_STEP_MOVE, dst, JF_REG_NONE);
	} else if (dst == b) {
		put_operation(effect, JF_STEP_AND, dst, a, D64)->b = (uint8_t)b;
		put_operation(effect, JF_STEP_XOR, dst, dst, D64)->b = (uint8_t)a;
	} else {
		put_operation(effect, JF_STEP_OR, dst, a, D64)->b = (uint8_t)b;
		put_operation(effect, JF_STEP_XOR, dst, dst, D64)->b = (uint8_t)b;
	}
}

static void decode_logic(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word), rk = field_rk(word);

	switch (row->format) {
	case F_NOR: put_alu(effect, row, rd, rj, rk); break;
	case F_ANDN: put_andn(effect, rd, rj, rk); return;
	case F_ORN: put_andn(effect, rd, rk, rj); break; /* rj | ~rk = ~(rk & ~rj) */
	default: return;
	}
	put_operation(effect, JF_STEP_XOR, rd, rd, D64)->imm = -1;
}

/* rd = (rj << shift) + rk, shift 1..4 */
static void decode_alsl(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	struct jf_step *step = put(effect, JF_STEP_ADDRESS, field_rd(word), field_rk(word));

	step->b = (uint8_t)field_rj(word);
	step->shift = (uint8_t)((word >> 15 & 3) + 1);
	if (row->width != D64)
		put_operation(effect, JF_STEP_EXTEND, field_rd(word), field_rd(word), row->width);
}

/* msb and lsb, which in the 32-bit forms are of 5 bits. returns: false when they are the wrong way round. */
static bool bit_range(const struct la_row *row, uint32_t word, unsigned int *bits, unsigned int *lsb)
{
	unsigned int top = row->width == D64 ? 63 : 31, msb = word >> 16 & top;

	*lsb = word >> 10 & top;
	*bits = msb - *lsb + 1;
	return *lsb <= msb;
}

static bool decode_bstrpick(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), a = field_rj(word), width = row->width & ~LA_SIGN, bits, lsb;

	if (!bit_range(row, word, &bits, &lsb))
		return false;
	if (writes_nothing(effect, word))
		return true;
	if (lsb) {
		put_operation(effect, JF_STEP_SHR, rd, a, row->width)->imm = lsb;
		a = rd;
	}
	if (bits == 8 || bits == 16)
		put_operation(effect, JF_STEP_EXTEND, rd, a, bits / 8);
	else if (bits == 32)
		put_operation(effect, JF_STEP_EXTEND, rd, a, row->width == D64 ? U32 : S32);
	else if (bits + lsb < 8 * width || !lsb)
		put_operation(effect, JF_STEP_AND, rd, a, D64)->imm = (int64_t)(UINT64_MAX >> (64 - bits));
	return true;
}

static bool decode_bstrins(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), bits, lsb;

	if (!bit_range(row, word, &bits, &lsb))
		return false;
	if (writes_nothing(effect, word))
		return true;
	if (field_rj(word) != LA_ZERO) {
		put_kill(effect, rd);
		return true;
	}
	put_operation(effect, JF_STEP_AND, rd, rd, D64)->imm = (int64_t) ~(UINT64_MAX >> (64 - bits) << lsb);
	if (row->width != D64)
		put_operation(effect, JF_STEP_EXTEND, rd, rd, row->width);
	return true;
}

/* ---- constants ------------------------------------------------------------------------------- */

static void put_insert(struct jf_effect *effect, unsigned int dst, unsigned int a, unsigned int low, int64_t imm)
{
	struct jf_step *step;

	if (a == LA_ZERO) {
		put(effect, JF_STEP_MOVE, dst, JF_REG_NONE)->imm = (int64_t)((uint64_t)imm << low);
		return;
	}
	step = put(effect, JF_STEP_INSERT, dst, a);
	step->imm = imm;
	step->shift = (uint8_t)low;
	step->bits = (uint8_t)(64 - low);
}

static void decode_constant(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	static const struct la_row add = {.kind = JF_STEP_ADD, .width = D64};
	unsigned int rd = field_rd(word), rj = field_rj(word);
	int64_t si20 = field_signed(word, 5, 20);

	switch (row->format) {
	case F_ADDU16I: put_alu_imm(effect, &add, rd, rj, field_signed(word, 10, 16) * 65536); break;
	case F_LU12I: put(effect, JF_STEP_MOVE, rd, JF_REG_NONE)->imm = si20 * 4096; break;
	case F_LU32I: put_insert(effect, rd, rd, 32, si20); break;
	case F_LU52I: put_insert(effect, rd, rj, 52, field_signed(word, 10, 12)); break;
	case F_PCADDI: put(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE)->imm = si20 * 4; break;
	case F_PCADDU18I: put(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE)->imm = si20 * (1 << 18); break;
	case F_PCADDU12I:
	case F_PCALAU12I: put(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE)->imm = si20 * 4096; break;
	default: return;
	}
	if (row->format == F_PCALAU12I)
		put_operation(effect, JF_STEP_AND, rd, rd, D64)->imm = -4096;
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* One access of at most 8 bytes. data: JF_REG_NONE when the value is none that the table has. */
static void put_access(struct jf_effect *effect, enum jf_step_kind kind, unsigned int data, unsigned int width,
		       struct jf_step address)
{
	struct jf_step *step = put(effect, kind, JF_REG_NONE, address.a);

	step->b = address.b;
	step->imm = address.imm;
	step->bytes = width & ~LA_SIGN;
	if (kind == JF_STEP_STORE) {
		step->c = (uint8_t)data;
	} else {
		step->dst = (uint8_t)data;
		step->sign = width & LA_SIGN;
	}
}

static struct jf_step address_of(enum la_format format, uint32_t word)
{
	struct jf_step address = {.a = (uint8_t)field_rj(word), .b = JF_REG_NONE};

	if (format == F_MEM12 || format == F_FMEM12)
		address.imm = field_signed(word, 10, 12);
	else if (format == F_MEM14 || format == F_SC)
		address.imm = field_signed(word, 10, 14) * 4;
	else if ((format == F_MEMX || format == F_FMEMX) && field_rk(word) != LA_ZERO)
		address.b = (uint8_t)field_rk(word);
	if (address.a == LA_ZERO)
		address.a = JF_REG_NONE;
	return address;
}

static void decode_memory(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	unsigned int data = field_rd(word);

	if (data == LA_ZERO && row->kind == JF_STEP_LOAD)
		data = JF_REG_NONE;
	put_access(effect, (enum jf_step_kind)row->kind, data, row->width,
		   address_of((enum la_format)row->format, word));
}

/* A load of 4 bytes leaves the upper half undefined; of a vector the table has the low 8 bytes. */
static void decode_fp_memory(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	struct jf_step address = address_of((enum la_format)row->format, word);
	enum jf_step_kind kind = (enum jf_step_kind)row->kind;
	unsigned int data = LA_F0 + field_rd(word);
	bool half = row->width == U32 && kind == JF_STEP_LOAD;

	put_access(effect, kind, half ? JF_REG_NONE : data, row->width > D64 ? D64 : row->width, address);
	if (half)
		put_kill(effect, data);
	address.imm += 8;
	if (row->width > D64)
		put_access(effect, kind, JF_REG_NONE, row->width - D64, address);
}

/*
 * What is stored is known only of a swap: the store of the others depends on memory, or is not certain.
 * rd gets what was there, or whether it was stored. rd = rj is no instruction: it raises INE.
 */
static bool decode_atomic(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	struct jf_step address = address_of((enum la_format)row->format, word);
	bool am = row->format == F_AM || row->format == F_AMSWAP;
	unsigned int rd = field_rd(word);

	if (am && rd != LA_ZERO && rd == field_rj(word))
		return false;
	if (am)
		put_access(effect, JF_STEP_LOAD, JF_REG_NONE, row->width, address);
	put_access(effect, JF_STEP_STORE, row->format == F_AMSWAP ? field_rk(word) : JF_REG_NONE, row->width, address);
	put_kill(effect, rd);
	return true;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* Registers are compared in full, without flags; bceqz and bcnez ask a flag of floating point, and have no width. */
static void set_question(struct jf_effect *effect, const struct la_row *row, unsigned int a, unsigned int b)
{
	effect->asks.kind = row->width ? JF_COMPARE_WITH : JF_COMPARE_UNKNOWN;
	effect->asks.cond = row->kind;
	effect->asks.a = a == LA_ZERO ? JF_REG_NONE : (uint8_t)a;
	effect->asks.b = b == LA_ZERO ? JF_REG_NONE : (uint8_t)b;
	effect->asks.bytes = row->width;
}

static void set_flow(struct jf_effect *effect, enum jf_flow flow, int64_t words)
{
	effect->flow = (uint8_t)flow;
	effect->target_off = words * 4;
}

/*
 * The return address of a call is in ra; another link register gets it by a step. Where that is also the
 * base, the target is lost behind the step, and nothing but "somewhere" is left to say.
 */
static void decode_jirl(struct jf_effect *effect, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word);

	effect->flow = rd == LA_RA ? JF_FLOW_CALL_REG : JF_FLOW_JUMP_REG;
	effect->flow_reg = (uint8_t)rj;
	effect->flow_imm = (int32_t)field_signed(word, 10, 16) * 4;
	if (rd == LA_ZERO || rd == LA_RA)
		return;
	put(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE)->imm = 4;
	if (rd == rj) {
		effect->flow = JF_FLOW_JUMP_MEM;
		effect->flow_reg = JF_REG_NONE;
		effect->flow_imm = 0;
	}
}

static void decode_branch(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	int64_t high5 = field_signed(word, 0, 5) * 65536, high10 = field_signed(word, 0, 10) * 65536;

	switch (row->format) {
	case F_BRANCH16:
		set_flow(effect, JF_FLOW_BRANCH, field_signed(word, 10, 16));
		set_question(effect, row, field_rj(word), field_rd(word));
		break;
	case F_BRANCH21:
		set_flow(effect, JF_FLOW_BRANCH, high5 | (word >> 10 & 0xffff));
		set_question(effect, row, field_rj(word), LA_ZERO);
		break;
	case F_B: set_flow(effect, JF_FLOW_JUMP, high10 | (word >> 10 & 0xffff)); break;
	case F_BL: set_flow(effect, JF_FLOW_CALL, high10 | (word >> 10 & 0xffff)); break;
	case F_JIRL: decode_jirl(effect, word); break;
	case F_JISCR: effect->flow = JF_FLOW_JUMP_MEM; break; /* to a scratch register's address */
	default: break;
	}
}

/* ---- the formats ----------------------------------------------------------------------------- */

/* Those that write registers and do nothing else. */
static void decode_registers(struct jf_effect *effect, const struct la_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rj = field_rj(word), fd = LA_F0 + rd, fj = LA_F0 + rj;

	switch (row->format) {
	case F_KILL_FD: put_kill(effect, fd); return;
	case F_FD_FJ: put(effect, JF_STEP_MOVE, fd, fj); return;
	case F_FD_RJ: put(effect, JF_STEP_MOVE, fd, rj); return;
	case F_KILL_RD_RJ: put_kill(effect, rj); break;
	default: break;
	}
	if (row->format == F_KILL_RD_RJ ? rd == LA_ZERO : writes_nothing(effect, word))
		return;
	switch (row->format) {
	case F_KILL_RD:
	case F_KILL_RD_RJ: put_kill(effect, rd); break;
	case F_RD_FJ:
		if (row->width == D64)
			put(effect, JF_STEP_MOVE, rd, fj);
		else
			put_operation(effect, JF_STEP_EXTEND, rd, fj, row->width);
		break;
	case F_EXTEND: put_operation(effect, JF_STEP_EXTEND, rd, rj, row->width); break;
	case F_ALU3: put_alu(effect, row, rd, rj, field_rk(word)); break;
	case F_SHIFT5: put_alu_imm(effect, row, rd, rj, word >> 10 & 31); break;
	case F_SHIFT6: put_alu_imm(effect, row, rd, rj, word >> 10 & 63); break;
	case F_ALUI12: put_alu_imm(effect, row, rd, rj, field_signed(word, 10, 12)); break;
	case F_ALUU12: put_alu_imm(effect, row, rd, rj, word >> 10 & 0xfff); break;
	case F_ALSL: decode_alsl(effect, row, word); break;
	case F_NOR:
	case F_ANDN:
	case F_ORN: decode_logic(effect, row, word); break;
	default: decode_constant(effect, row, word); break;
	}
}

/* returns: whether the fields make sense together. */
static bool decode_fields(struct jf_effect *effect, const struct la_row *row, uint32_t word)
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
static const struct la_row *find_row(uint32_t word)
{
	const struct la_row *rows = jf_loongarch64_rows;
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
	struct jf_effect decoded = {.size_bytes = 4, .flow = JF_FLOW_NEXT, .flow_reg = JF_REG_NONE};
	const struct la_row *row;
	uint32_t word;

	if (count < 4)
		return JF_E_NOSPACE;
	word = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
	row = find_row(word);
	if (!row)
		return JF_E_NOT_FOUND;
	decoded.name = row->name;
	if (!decode_fields(&decoded, row, word))
		return JF_E_NOT_FOUND;
	*effect = decoded;
	return JF_OK;
}
