/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/*
 * Field value 31 is sp or the zero register. The zero register has no id: where it is written there is no
 * step, where it is read the step is said without it.
 */

/* ---- immediates ------------------------------------------------------------------------------ */

static bool decode_addsub_imm(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	bool flags = word & 1u << 29;
	unsigned int rd = flags ? jf_arm64_gp(jf_arm64_field_rd(word)) : jf_arm64_field_rd(word),
		     width = jf_arm64_width_of(word);
	int64_t imm = (int64_t)word_bits(word, 21, 10) << (word & 1u << 22 ? 12 : 0);

	if (rd == JF_REG_NONE)
		return true;
	put_alu_imm(effect, row->kind, rd, jf_arm64_field_rn(word), imm, width);
	return true;
}

bool jf_arm64_bit_mask(uint32_t word, uint64_t *mask)
{
	unsigned int n = word >> 22 & 1, immr = word_bits(word, 21, 16), imms = word_bits(word, 15, 10);
	unsigned int size = 64, rotation, ones;
	uint64_t element;

	if (n && !(word >> 31))
		return false;
	for (unsigned int bit = n ? 64 : 32; !n && size == 64; bit >>= 1) {
		if (bit < 2)
			return false;
		if (!(imms & bit))
			size = bit;
	}
	ones = (imms & (size - 1)) + 1;
	rotation = immr & (size - 1);
	if (ones == size)
		return false;
	element = UINT64_MAX >> (64 - ones);
	if (rotation)
		element = element >> rotation | element << (size - rotation);
	element &= UINT64_MAX >> (64 - size);
	for (; size < 64; size *= 2)
		element |= element << size;
	*mask = element;
	return true;
}

static bool decode_logical_imm(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	bool flags = word_bits(word, 30, 29) == 3;
	unsigned int rd = flags ? jf_arm64_gp(jf_arm64_field_rd(word)) : jf_arm64_field_rd(word),
		     rn = jf_arm64_gp(jf_arm64_field_rn(word));
	uint64_t mask;

	if (!jf_arm64_bit_mask(word, &mask))
		return false;
	if (rd == JF_REG_NONE)
		return true;
	put_alu_imm(effect, row->kind, rd, rn, (int64_t)(word >> 31 ? mask : (uint32_t)mask), jf_arm64_width_of(word));
	return true;
}

static bool decode_wide(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word)), shift = word_bits(word, 22, 21) * 16,
		     width = jf_arm64_width_of(word);
	uint64_t imm = word_bits(word, 20, 5);
	struct jf_step *step;

	if (width == U32 && shift >= 32)
		return false;
	if (rd == JF_REG_NONE)
		return true;
	if (row->format != F_MOVK) {
		put_constant(effect, rd, (int64_t)(row->format == F_MOVN ? ~(imm << shift) : imm << shift), width);
		return true;
	}
	step = put_imm(effect, JF_STEP_INSERT, rd, rd, (int64_t)imm, 0);
	step->shift = (uint8_t)shift;
	step->bits = 16;
	if (width == U32)
		put_copy(effect, rd, rd, U32);
	return true;
}

/*
 * Bits imms..immr of Rn go to the low end, or bits imms..0 to bit width - immr: up to the top, and back down
 * with zeros or the sign behind.
 */
static void put_bitfield(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word, unsigned int rd,
			 unsigned int rn)
{
	unsigned int immr = word_bits(word, 21, 16), imms = word_bits(word, 15, 10), width = jf_arm64_width_of(word);
	unsigned int top = width == U64 ? 63 : 31, up = top - imms, down = imms >= immr ? up + immr : immr - imms - 1;
	bool sign = row->kind == JF_STEP_SAR,
	     whole = !immr && (imms == 7 || imms == 15 || (imms == 31 && width == U64));

	if (whole && (!sign || width == U64)) {
		put_step(effect, JF_STEP_EXTEND, rd, rn, ((imms + 1) / 8) | (sign ? SIGNED : 0u));
		return;
	}
	if (up)
		put_imm(effect, JF_STEP_SHL, rd, rn, up, width);
	if (down)
		put_imm(effect, row->kind, rd, up ? rd : rn, down, width);
	if (!up && !down)
		put_copy(effect, rd, rn, width);
}

static bool decode_bitfield(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word)), rn = jf_arm64_gp(jf_arm64_field_rn(word));
	bool wide = word >> 31;

	if (wide != (word >> 22 & 1) || (!wide && (word & (1u << 21 | 1u << 15))))
		return false;
	if (rd == JF_REG_NONE)
		return true;
	if (row->format == F_BFM)
		put_kill(effect, rd);
	else if (rn == JF_REG_NONE)
		put_constant(effect, rd, 0, U64);
	else
		put_bitfield(effect, row, word, rd, rn);
	return true;
}

static bool decode_extract(struct jf_effect *effect, uint32_t word)
{
	bool wide = word >> 31;

	if (wide != (word >> 22 & 1) || (!wide && (word & 1u << 15)))
		return false;
	put_kill(effect, jf_arm64_gp(jf_arm64_field_rd(word)));
	return true;
}

static void decode_adr(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	int64_t imm = word_signed(word, 23, 5) * 4 | word_bits(word, 30, 29);
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word));

	if (rd == JF_REG_NONE)
		return;
	put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, row->format == F_ADRP ? imm * 4096 : imm, 0);
	if (row->format == F_ADRP)
		put_imm(effect, JF_STEP_AND, rd, rd, -4096, U64);
}

/* ---- registers ------------------------------------------------------------------------------- */

/* rd = rn OP (what `index` becomes on its way through rd), which takes that rd is not rn. */
static void put_alu_through(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word, unsigned int rd,
			    unsigned int rn)
{
	bool inverted = row->format == F_LOGICAL_INVERTED;
	unsigned int width = jf_arm64_width_of(word);

	if (inverted)
		put_imm(effect, JF_STEP_XOR, rd, rd, -1, width);
	put_alu(effect, row->kind, rd, rn, rd, width);
}

static bool decode_shifted(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	static const uint8_t shifts[] = {JF_STEP_SHL, JF_STEP_SHR, JF_STEP_SAR};
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word)), rn = jf_arm64_gp(jf_arm64_field_rn(word)),
		     rm = jf_arm64_gp(jf_arm64_field_rm(word));
	unsigned int type = word_bits(word, 23, 22), count = word_bits(word, 15, 10), width = jf_arm64_width_of(word);
	bool inverted = row->format == F_LOGICAL_INVERTED;
	struct jf_step *step;

	if ((width == U32 && count > 31) || (type == 3 && row->format == F_ADDSUB_SHIFTED))
		return false;
	if (rd == JF_REG_NONE)
		return true;
	if (!inverted && (!count || rm == JF_REG_NONE)) {
		put_alu(effect, row->kind, rd, rn, rm, width);
	} else if (row->kind == JF_STEP_ADD && !type && width == U64 && rn != JF_REG_NONE) {
		step = put_step(effect, JF_STEP_ADDRESS, rd, rn, 0);
		step->b = (uint8_t)rm;
		step->shift = (uint8_t)count;
	} else if (rd == rn || rm == JF_REG_NONE || (type == 3 && count)) {
		put_kill(effect, rd);
	} else {
		if (count)
			put_imm(effect, shifts[type], rd, rm, count, width);
		else
			put_copy(effect, rd, rm, width);
		put_alu_through(effect, row, word, rd, rn);
	}
	return true;
}

/* Rm is extended and then shifted by 0 to 4; Rn, and Rd unless flags are set, may be sp. */
static bool decode_extended(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = word & 1u << 29 ? jf_arm64_gp(jf_arm64_field_rd(word)) : jf_arm64_field_rd(word),
		     rn = jf_arm64_field_rn(word);
	unsigned int rm = jf_arm64_gp(jf_arm64_field_rm(word)), width = jf_arm64_width_of(word);
	unsigned int option = word_bits(word, 15, 13), shift = word_bits(word, 12, 10);
	bool plain = rm == JF_REG_NONE || (option & 3) == 3 || ((option & 3) == 2 && width == U32);
	struct jf_step *step;

	if (shift > 4)
		return false;
	if (rd == JF_REG_NONE)
		return true;
	if (plain && (!shift || rm == JF_REG_NONE)) {
		put_alu(effect, row->kind, rd, rn, rm, width);
	} else if (plain && row->kind == JF_STEP_ADD && width == U64) {
		step = put_step(effect, JF_STEP_ADDRESS, rd, rn, 0);
		step->b = (uint8_t)rm;
		step->shift = (uint8_t)shift;
	} else if (rd == rn || rd == JF_ARM64_SP) {
		put_kill(effect, rd);
	} else {
		if (plain)
			put_copy(effect, rd, rm, width);
		else
			put_step(effect, JF_STEP_EXTEND, rd, rm, 1u << (option & 3) | (option & 4 ? SIGNED : 0u));
		if (shift)
			put_imm(effect, JF_STEP_SHL, rd, rd, shift, width);
		put_alu_through(effect, row, word, rd, rn);
	}
	return true;
}

static void decode_shift_reg(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word)), rn = jf_arm64_gp(jf_arm64_field_rn(word)),
		     rm = jf_arm64_gp(jf_arm64_field_rm(word));

	if (rd != JF_REG_NONE)
		put_alu(effect, row->kind, rd, rn, rm, jf_arm64_width_of(word));
}

/* Rd = cond ? Rn : what becomes of Rm, which is changed in Rd on its way. */
static void decode_choice(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word)), rn = jf_arm64_gp(jf_arm64_field_rn(word)),
		     rm = jf_arm64_gp(jf_arm64_field_rm(word));
	unsigned int width = jf_arm64_width_of(word);
	bool turns = rm != JF_REG_NONE && (row->format == F_CSINV || row->format == F_CSNEG);
	int64_t imm = row->format == F_CSINC || (turns && row->format == F_CSNEG) ? 1 : 0;

	if (rd == JF_REG_NONE)
		return;
	if (turns && rd == rn) {
		put_kill(effect, rd);
		return;
	}
	if (turns)
		put_imm(effect, JF_STEP_XOR, rd, rm, -1, width);
	else if (row->format == F_CSINV)
		imm = -1;
	put_choice(effect, jf_arm64_condition(word_bits(word, 15, 12)), rd, rn, turns ? rd : rm, imm, width);
}

/* With sp, which is what a frame's return address is signed with; any other code is somebody's own. */
static void decode_pac(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = jf_arm64_gp(jf_arm64_field_rd(word));

	if (rd == JF_ARM64_X30 && (row->format == F_STRIP || jf_arm64_field_rn(word) == JF_ARM64_SP))
		put_step(effect, row->format == F_PAC_SIGN ? JF_STEP_SIGN : JF_STEP_AUTH, rd, rd, 0);
	else if (row->format == F_STRIP && rd != JF_REG_NONE)
		put_step(effect, JF_STEP_AUTH, rd, rd, 0);
	else
		put_kill(effect, rd);
}

/* ---- branches -------------------------------------------------------------------------------- */

static void decode_branch(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	switch (row->format) {
	case F_B:
	case F_BL:
		effect->flow = row->format == F_B ? JF_FLOW_JUMP : JF_FLOW_CALL;
		effect->target_off = word_signed(word, 25, 0) * 4;
		break;
	case F_BRANCH19:
	case F_BRANCH14:
		effect->flow = JF_FLOW_BRANCH;
		effect->target_off = word_signed(word, row->format == F_BRANCH19 ? 23 : 18, 5) * 4;
		jf_arm64_ask(effect, row, word);
		break;
	case F_RETA:
		put_step(effect, JF_STEP_AUTH, JF_ARM64_X30, JF_ARM64_X30, 0);
		effect->flow = JF_FLOW_JUMP_REG;
		effect->flow_reg = JF_ARM64_X30;
		break;
	default:
		effect->flow = row->format == F_BR ? JF_FLOW_JUMP_REG : JF_FLOW_CALL_REG;
		effect->flow_reg = (uint8_t)jf_arm64_field_rn(word);
		if (jf_arm64_field_rn(word) != JF_ARM64_XZR)
			break;
		/* To address 0. */
		effect->flow = row->format == F_BR ? JF_FLOW_JUMP_MEM : JF_FLOW_CALL_MEM;
		effect->flow_reg = JF_REG_NONE;
		break;
	}
}

/* ---- the formats ----------------------------------------------------------------------------- */

static bool decode_simple(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	switch (row->format) {
	case F_INVALID: return false;
	case F_NOP: effect->flags |= JF_EFFECT_NOP; break;
	case F_LANDING: effect->flags |= JF_EFFECT_LANDING_PAD; break;
	case F_UNKNOWN: effect->flags |= JF_EFFECT_UNKNOWN; break;
	case F_SYSTEM: effect->flags |= JF_EFFECT_SYSTEM; break;
	case F_TRAP: effect->flow = JF_FLOW_TRAP; break;
	case F_KILL: put_kill(effect, jf_arm64_gp(jf_arm64_field_rd(word))); break;
	case F_KILL_SP: put_kill(effect, jf_arm64_field_rd(word)); break;
	case F_KILL_D: put_kill(effect, JF_ARM64_D0 + jf_arm64_field_rd(word)); break;
	case F_KILL_X16: put_kill(effect, JF_ARM64_X16); break;
	case F_KILL_X17: put_kill(effect, JF_ARM64_X16 + 1); break;
	case F_KILL_X30: put_kill(effect, JF_ARM64_X30); break;
	case F_AUTH: put_step(effect, JF_STEP_AUTH, JF_ARM64_X30, JF_ARM64_X30, 0); break;
	case F_SIGN: /* where indirect calls may land, too */
		effect->flags |= JF_EFFECT_LANDING_PAD;
		put_step(effect, JF_STEP_SIGN, JF_ARM64_X30, JF_ARM64_X30, 0);
		break;
	default: break;
	}
	return true;
}

static bool decode_fields(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	if (row->format >= F_LITERAL)
		return jf_arm64_decode_memory(effect, row, word);
	if (row->format >= F_FP && row->format <= F_X_TO_FIXED)
		return jf_arm64_decode_float(effect, row, word);
	switch (row->format) {
	case F_PAC_SIGN:
	case F_PAC_AUTH:
	case F_STRIP: decode_pac(effect, row, word); return true;
	case F_ADR:
	case F_ADRP: decode_adr(effect, row, word); return true;
	case F_ADDSUB_IMM: return decode_addsub_imm(effect, row, word);
	case F_LOGICAL_IMM: return decode_logical_imm(effect, row, word);
	case F_MOVN:
	case F_MOVZ:
	case F_MOVK: return decode_wide(effect, row, word);
	case F_BITFIELD:
	case F_BFM: return decode_bitfield(effect, row, word);
	case F_EXTR: return decode_extract(effect, word);
	case F_ADDSUB_SHIFTED:
	case F_LOGICAL_SHIFTED:
	case F_LOGICAL_INVERTED: return decode_shifted(effect, row, word);
	case F_ADDSUB_EXTENDED: return decode_extended(effect, row, word);
	case F_CSEL:
	case F_CSINC:
	case F_CSINV:
	case F_CSNEG: decode_choice(effect, row, word); return true;
	case F_SHIFT_REG: decode_shift_reg(effect, row, word); return true;
	case F_B:
	case F_BL:
	case F_BRANCH19:
	case F_BRANCH14:
	case F_BR:
	case F_BLR:
	case F_RETA: decode_branch(effect, row, word); return true;
	default: return decode_simple(effect, row, word);
	}
}

enum jf_status jf_arm64_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect)
{
	struct jf_effect decoded = no_effect(4);
	const struct jf_arm64_group *group;
	uint32_t word;

	if (count < 4)
		return JF_E_NOSPACE;
	word = word_at(bytes);
	group = jf_arm64_groups[word_bits(word, 28, 25)];
	for (unsigned int i = 0; group && i < group->count; i++) {
		if ((word & group->rows[i].mask) != group->rows[i].value)
			continue;
		decoded.name = group->rows[i].name;
		if (!decode_fields(&decoded, &group->rows[i], word))
			return JF_E_NOT_FOUND;
		jf_arm64_set_flags(&decoded, &group->rows[i], word);
		*effect = decoded;
		return JF_OK;
	}
	return JF_E_NOT_FOUND;
}
