/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"
#include "insn.h"

/* One function per format turns a word into steps. */

/* An integer register's id; JF_REG_NONE for the zero register. */
static unsigned int gp(unsigned int field)
{
	return field == RV_ZERO ? JF_REG_NONE : field;
}

static unsigned int field_rd(uint32_t word)
{
	return gp(word_bits(word, 11, 7));
}

static unsigned int field_rs1(uint32_t word)
{
	return gp(word_bits(word, 19, 15));
}

static unsigned int field_rs2(uint32_t word)
{
	return gp(word_bits(word, 24, 20));
}

static unsigned int field_fd(uint32_t word)
{
	return RV_F0 + word_bits(word, 11, 7);
}

static unsigned int field_fs1(uint32_t word)
{
	return RV_F0 + word_bits(word, 19, 15);
}

static int64_t imm_s(uint32_t word)
{
	return word_signed(word, 31, 25) * (1 << 5) | word_bits(word, 11, 7);
}

static int64_t imm_u(uint32_t word)
{
	return word_signed(word, 31, 12) * (1 << 12);
}

static int64_t imm_b(uint32_t word)
{
	return word_signed(word, 31, 31) * (1 << 12) | word_bits(word, 7, 7) << 11 | word_bits(word, 30, 25) << 5 |
	       word_bits(word, 11, 8) << 1;
}

static int64_t imm_j(uint32_t word)
{
	return word_signed(word, 31, 31) * (1 << 20) | word_bits(word, 19, 12) << 12 | word_bits(word, 20, 20) << 11 |
	       word_bits(word, 30, 21) << 1;
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static struct jf_decode_address address_of(uint32_t word, int64_t off)
{
	return (struct jf_decode_address){.base = field_rs1(word), .index = JF_REG_NONE, .off = off};
}

/* A load of 4 bytes sets the upper half of the register: nothing that is kept lies there. */
static void decode_memory(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_decode_address load = address_of(word, word_signed(word, 31, 20));
	struct jf_decode_address store = address_of(word, imm_s(word));
	unsigned int rs2 = word_bits(word, 24, 20);

	switch (row->format) {
	case F_LOAD: put_access(effect, JF_STEP_LOAD, field_rd(word), row->width, &load); break;
	case F_STORE: put_access(effect, JF_STEP_STORE, rs2, row->width, &store); break;
	case F_FSTORE: put_access(effect, JF_STEP_STORE, RV_F0 + rs2, row->width, &store); break;
	default:
		put_access(effect, JF_STEP_LOAD, row->width == U32 ? JF_REG_NONE : field_fd(word), row->width, &load);
		if (row->width == U32)
			put_kill(effect, field_fd(word));
	}
}

/*
 * What is stored is known only of a swap: the store of the others depends on memory, or is not certain.
 * rd gets what was there, or whether it was stored.
 */
static void decode_atomic(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	struct jf_decode_address address = address_of(word, 0);
	unsigned int rd = field_rd(word);

	if (row->format == F_LR) {
		put_access(effect, JF_STEP_LOAD, rd, row->width, &address);
		return;
	}
	if (row->format != F_SC)
		put_access(effect, JF_STEP_LOAD, JF_REG_NONE, row->width, &address);
	put_access(effect, JF_STEP_STORE, row->format == F_SWAP ? word_bits(word, 24, 20) : JF_REG_NONE, row->width,
		   &address);
	put_kill(effect, rd);
}

/* ---- branches ------------------------------------------------------------------------------------------ */

/* Registers are compared in full, without flags. */
static void decode_compare(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	set_flow(effect, JF_FLOW_BRANCH, imm_b(word));
	effect->asks.kind = JF_COMPARE_WITH;
	effect->asks.cond = row->kind;
	effect->asks.a = (uint8_t)field_rs1(word);
	effect->asks.b = (uint8_t)field_rs2(word);
	effect->asks.bytes = row->width;
}

/* The return address of a call is in ra; another link register gets it by a step. */
static void put_link(struct jf_effect *effect, unsigned int rd)
{
	if (rd != JF_REG_NONE && rd != RV_RA)
		put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, effect->size_bytes, 0);
}

/* Where the link register is also the base, the target is lost behind the step, and "somewhere" is left to say. */
static void decode_jalr(struct jf_effect *effect, uint32_t word)
{
	unsigned int rd = field_rd(word), rs1 = word_bits(word, 19, 15);

	put_link(effect, rd);
	if (effect->step_count && rd == rs1) {
		effect->flow = JF_FLOW_JUMP_MEM;
		return;
	}
	effect->flow = rd == RV_RA ? JF_FLOW_CALL_REG : JF_FLOW_JUMP_REG;
	effect->flow_reg = (uint8_t)rs1;
	effect->flow_imm = (int32_t)word_signed(word, 31, 20);
}

static void decode_jal(struct jf_effect *effect, uint32_t word)
{
	put_link(effect, field_rd(word));
	set_flow(effect, field_rd(word) == RV_RA ? JF_FLOW_CALL : JF_FLOW_JUMP, imm_j(word));
}

/* ---- the formats --------------------------------------------------------------------------------------- */

/* rd = (rs1 << kind) + rs2 */
static void put_shift_and_add(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rs1 = field_rs1(word), rs2 = field_rs2(word);
	struct jf_step *step;

	if (rs1 == JF_REG_NONE || rs2 == JF_REG_NONE) {
		put_kill(effect, rd);
		return;
	}
	step = put_step(effect, JF_STEP_ADDRESS, rd, rs2, 0);
	step->b = (uint8_t)rs1;
	step->shift = row->kind;
}

static void decode_choice(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rs1 = field_rs1(word), rs2 = field_rs2(word);

	if (row->format == F_MASK)
		put_mask(effect, row->kind, rd, rs1, rs2, row->width);
	else if (row->format == F_LESS)
		put_unless(effect, row->kind, rd, rs1, rs2, 0, row->width);
	else /* the immediate's sign is extended; then it is taken without */
		put_unless(effect, row->kind, rd, rs1, JF_REG_NONE, word_signed(word, 31, 20), row->width);
}

/* Those that write integer registers and do nothing else. */
static void decode_registers(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	unsigned int rd = field_rd(word), rs1 = field_rs1(word), rs2 = field_rs2(word);

	if (writes_nothing(effect, rd))
		return;
	switch (row->format) {
	case F_EXTEND: put_copy(effect, rd, rs1, row->width); break;
	case F_SHADD: put_shift_and_add(effect, row, word); break;
	case F_ALU: put_alu(effect, row->kind, rd, rs1, rs2, row->width); break;
	case F_ALUI: put_alu_imm(effect, row->kind, rd, rs1, word_signed(word, 31, 20), row->width); break;
	case F_SHIFT:
		put_alu_imm(effect, row->kind, rd, rs1, word_bits(word, row->width == U64 ? 25 : 24, 20), row->width);
		break;
	case F_MASK:
	case F_LESS:
	case F_LESS_IMM: decode_choice(effect, row, word); break;
	case F_LUI: put_constant(effect, rd, imm_u(word), U64); break;
	case F_AUIPC: put_imm(effect, JF_STEP_ADDRESS, rd, JF_REG_NONE, imm_u(word), 0); break;
	case F_RD_FS1: put_copy(effect, rd, field_fs1(word), row->width); break;
	default: put_kill(effect, rd); break;
	}
}

static void decode_float(struct jf_effect *effect, const struct jf_decode_row *row, uint32_t word)
{
	if (row->format == F_FD_RS1)
		put_copy(effect, field_fd(word), field_rs1(word), U64);
	else if (row->format == F_SGNJ && word_bits(word, 19, 15) == word_bits(word, 24, 20))
		put_copy(effect, field_fd(word), field_fs1(word), U64);
	else
		put_kill(effect, field_fd(word));
}

/* Two of the eight rounding modes are reserved. */
static bool has_rounding_mode(uint32_t word)
{
	unsigned int mode = word_bits(word, 14, 12);

	return mode != 5 && mode != 6;
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
	case F_LPAD: effect->flags |= JF_EFFECT_LANDING_PAD; return true;
	case F_LOAD:
	case F_STORE:
	case F_FLOAD:
	case F_FSTORE: decode_memory(effect, row, word); return true;
	case F_LR:
	case F_SC:
	case F_AMO:
	case F_SWAP: decode_atomic(effect, row, word); return true;
	case F_BRANCH: decode_compare(effect, row, word); return true;
	case F_JAL: decode_jal(effect, word); return true;
	case F_JALR: decode_jalr(effect, word); return true;
	case F_KILL_FD_RM:
	case F_KILL_FD:
	case F_FD_RS1:
	case F_SGNJ: decode_float(effect, row, word); return row->format != F_KILL_FD_RM || has_rounding_mode(word);
	case F_KILL_RD_RM: decode_registers(effect, row, word); return has_rounding_mode(word);
	default: decode_registers(effect, row, word); return true;
	}
}

/* The first row of the word's major opcode, then on: rows that share it may lie in one another. */
static const struct jf_decode_row *find_row(uint32_t word)
{
	const struct jf_decode_row *rows = jf_riscv64_rows;
	unsigned int opcode = word_bits(word, 6, 0), low = 0, high = jf_riscv64_row_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (word_bits(rows[middle].value, 6, 0) < opcode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < jf_riscv64_row_count && word_bits(rows[low].value, 6, 0) == opcode; low++)
		if ((word & rows[low].mask) == rows[low].value)
			return &rows[low];
	return NULL;
}

/* The two low bits of an instruction of 32 bits are ones. */
static bool is_compressed(unsigned int low)
{
	return (low & 3) != 3;
}

enum jf_status jf_riscv64_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect)
{
	struct jf_effect decoded = no_effect(4);
	const char *short_name = NULL;
	const struct jf_decode_row *row;
	uint32_t word;

	if (count < 2 || (!is_compressed(bytes[0]) && count < 4))
		return JF_E_NOSPACE;
	if (is_compressed(bytes[0])) {
		word = jf_riscv64_expand((uint16_t)(bytes[0] | bytes[1] << 8), &short_name);
		decoded.size_bytes = 2;
	} else {
		word = word_at(bytes);
	}
	row = find_row(word);
	if (!row)
		return JF_E_NOT_FOUND;
	decoded.name = short_name ? short_name : row->name;
	if (!decode_fields(&decoded, row, word))
		return JF_E_NOT_FOUND;
	*effect = decoded;
	return JF_OK;
}
