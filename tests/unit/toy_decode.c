/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy.h"

/* What the toy's instructions do, for the checker. A jump by a register's value and pc is one that is computed. */

static uint8_t id_of(unsigned int hw)
{
	for (uint8_t id = 0; id < 16; id++)
		if (toy_hw(id) == hw)
			return id;
	return JF_REG_NONE;
}

static struct jf_step *put(struct jf_effect *effect, uint8_t kind, uint8_t dst, uint8_t a)
{
	struct jf_step *step = &effect->steps[effect->step_count++];

	*step = (struct jf_step){.kind = kind, .dst = dst, .a = a, .b = JF_REG_NONE, .c = JF_REG_NONE, .bytes = 8};
	return step;
}

static void decode_alu(struct jf_effect *effect, uint8_t a, uint8_t b, unsigned int code, uint8_t bytes)
{
	static const uint8_t kinds[16] = {
		[JF_ALU_ADD] = JF_STEP_ADD, [JF_ALU_SUB] = JF_STEP_SUB,  [JF_ALU_AND] = JF_STEP_AND,
		[JF_ALU_OR] = JF_STEP_OR,   [JF_ALU_XOR] = JF_STEP_XOR,  [JF_ALU_LSH] = JF_STEP_SHL,
		[JF_ALU_RSH] = JF_STEP_SHR, [JF_ALU_ARSH] = JF_STEP_SAR,
	};
	struct jf_step *step;

	if (code == JF_ALU_MOV) {
		put(effect, JF_STEP_EXTEND, a, b)->bytes = bytes;
	} else if (code < 16 && kinds[code]) {
		step = put(effect, kinds[code], a, a);
		step->b = b;
		step->bytes = bytes;
	} else {
		put(effect, JF_STEP_KILL, a, JF_REG_NONE);
	}
}

static void decode_ext(struct jf_effect *effect, uint8_t a, uint8_t b, unsigned int how)
{
	static const uint8_t bytes[] = {1, 2, 4, 2, 4, 8};
	struct jf_step *step;

	if (how > TOY_EXT_COPY) {
		put(effect, JF_STEP_KILL, a, JF_REG_NONE);
		return;
	}
	step = put(effect, JF_STEP_EXTEND, a, b);
	step->bytes = bytes[how];
	step->sign = how <= TOY_EXT_S32;
}

static void decode_memory(struct jf_effect *effect, uint8_t a, uint8_t b, int64_t imm, unsigned int bits, bool store,
			  bool sign)
{
	struct jf_step *step = put(effect, store ? JF_STEP_STORE : JF_STEP_LOAD, store ? JF_REG_NONE : a, b);

	step->c = store ? a : JF_REG_NONE;
	step->imm = imm;
	step->bytes = (uint8_t)(1u << bits);
	step->sign = sign;
}

static void decode_jump(struct jf_effect *effect, unsigned int k, uint8_t t)
{
	effect->flow = k == 1 ? JF_FLOW_CALL_REG : JF_FLOW_JUMP_REG;
	effect->flow_reg = k == 2 ? TOY_RA : t;
}

enum jf_status toy_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect)
{
	static const char *const names[] = {NULL, "LDI", "SHI", "ADI",   "LD",    "ST",  "ALU64", "ALU32",
					    "JS", "JL",  "JA",  "CMP64", "CMP32", "MEM", "EXT",   "SPR"};
	struct jf_effect e = {.size_bytes = 2, .flow_reg = JF_REG_NONE};
	unsigned int word, op, c;
	uint8_t a, b;

	if (count < 2)
		return JF_E_NOSPACE;
	word = (unsigned int)bytes[0] << 8 | bytes[1];
	op = word >> 12;
	c = word & 15;
	a = id_of(word >> 8 & 15);
	b = id_of(word >> 4 & 15);
	e.name = names[op];
	if (!e.name)
		return JF_E_NOT_FOUND;
	if (word == TOY_LANDING_PAD) {
		e.flags = JF_EFFECT_LANDING_PAD;
		*effect = e;
		return JF_OK;
	}
	/* Only CMP writes the flag. */
	e.flags_hold = (struct jf_compare){JF_COMPARE_FLAGS, 0, JF_REG_NONE, JF_REG_NONE, 0, 0};
	switch (op) {
	case TOY_OP_LDI: put(&e, JF_STEP_MOVE, a, JF_REG_NONE)->imm = (int8_t)word; break;
	case TOY_OP_SHI:
		put(&e, JF_STEP_SHL, a, a)->imm = 8;
		put(&e, JF_STEP_OR, a, a)->imm = (uint8_t)word;
		break;
	case TOY_OP_ADI: put(&e, JF_STEP_ADD, a, a)->imm = (int8_t)word; break;
	case TOY_OP_LD:
	case TOY_OP_ST: decode_memory(&e, a, b, 8 * (int64_t)c, 3, op == TOY_OP_ST, false); break;
	case TOY_OP_ALU64:
	case TOY_OP_ALU32: decode_alu(&e, a, b, c, op == TOY_OP_ALU64 ? 8 : 4); break;
	case TOY_OP_JS:
		e.flow = word >> 8 & 15 ? JF_FLOW_BRANCH : JF_FLOW_JUMP;
		e.target_off = 2 + (int8_t)word;
		e.asks = (struct jf_compare){JF_COMPARE_FLAGS, JF_COND_NE, JF_REG_NONE, JF_REG_NONE, 0, 0};
		break;
	case TOY_OP_JL:
		e.flow = JF_FLOW_JUMP_REG;
		e.flow_reg = b;
		break;
	case TOY_OP_JA: decode_jump(&e, word >> 8 & 15, b); break;
	case TOY_OP_CMP64:
	case TOY_OP_CMP32:
		if (c < JF_COND__COUNT)
			e.flags_hold =
				(struct jf_compare){JF_COMPARE_TRUTH, (uint8_t)c, a, b, op == TOY_OP_CMP64 ? 8 : 4, 0};
		break;
	case TOY_OP_MEM: decode_memory(&e, a, b, 0, c & 3, c & 8, c & 4); break;
	case TOY_OP_EXT: decode_ext(&e, a, b, c); break;
	case TOY_OP_SPR:
		b = (uint8_t)(TOY_F0 + (word >> 4 & 15));
		put(&e, JF_STEP_MOVE, c ? b : a, c ? a : b);
		break;
	}
	*effect = e;
	return JF_OK;
}
