/* SPDX-License-Identifier: BSD-2-Clause */
#include "interp.h"
#include "isa.h"

/* RFC 9669 section 4.1. Division by zero gives 0, modulo by zero the dividend. */
static bool alu64(unsigned int code, bool is_signed, uint64_t a, uint64_t b, uint64_t *result)
{
	switch (code) {
	case ADD: *result = a + b; return true;
	case SUB: *result = a - b; return true;
	case MUL: *result = a * b; return true;
	case OR: *result = a | b; return true;
	case AND: *result = a & b; return true;
	case XOR: *result = a ^ b; return true;
	case MOV: *result = b; return true;
	case NEG: *result = 0 - a; return true;
	case LSH: *result = a << (b & 63); return true;
	case RSH: *result = a >> (b & 63); return true;
	case ARSH: *result = (uint64_t)((int64_t)a >> (b & 63)); return true;
	case DIV:
		if (b == 0)
			*result = 0;
		else if (is_signed && b == UINT64_MAX)
			*result = 0 - a; /* C has no MIN / -1; the ISA says MIN */
		else
			*result = is_signed ? (uint64_t)((int64_t)a / (int64_t)b) : a / b;
		return true;
	case MOD:
		if (b == 0)
			*result = a;
		else if (is_signed && b == UINT64_MAX)
			*result = 0;
		else
			*result = is_signed ? (uint64_t)((int64_t)a % (int64_t)b) : a % b;
		return true;
	default: return false;
	}
}

static bool alu32(unsigned int code, bool is_signed, uint32_t a, uint32_t b, uint64_t *result)
{
	switch (code) {
	case LSH: *result = (uint32_t)(a << (b & 31)); return true;
	case RSH: *result = a >> (b & 31); return true;
	case ARSH: *result = (uint32_t)((int32_t)a >> (b & 31)); return true;
	case DIV:
		if (b == 0)
			*result = 0;
		else if (is_signed && b == UINT32_MAX)
			*result = 0 - a;
		else
			*result = is_signed ? (uint32_t)((int32_t)a / (int32_t)b) : a / b;
		return true;
	case MOD:
		if (b == 0)
			*result = a;
		else if (is_signed && b == UINT32_MAX)
			*result = 0;
		else
			*result = is_signed ? (uint32_t)((int32_t)a % (int32_t)b) : a % b;
		return true;
	default:
		/* The low half of what the others give depends on the low halves alone. */
		if (!alu64(code, false, a, b, result))
			return false;
		*result = (uint32_t)*result;
		return true;
	}
}

static uint64_t swap(uint64_t value, unsigned int bytes)
{
	uint64_t swapped = 0;

	for (unsigned int i = 0; i < bytes; i++)
		swapped = swapped << 8 | (value >> 8 * i & 0xff);
	return swapped;
}

/* Section 4.2. This machine is little-endian: towards that only the width changes. */
static bool end(const struct jf_insn *insn, uint64_t value, uint64_t *result)
{
	if (insn->imm != 16 && insn->imm != 32 && insn->imm != 64)
		return false;
	if ((insn->opcode & 7) == ALU && !(insn->opcode & X))
		*result = insn->imm == 64 ? value : value & ((UINT64_C(1) << insn->imm) - 1);
	else
		*result = swap(value, (unsigned int)insn->imm / 8);
	return true;
}

static uint64_t sign_extend(uint64_t value, unsigned int bits)
{
	uint64_t sign = UINT64_C(1) << (bits - 1);

	value &= sign << 1 ? (sign << 1) - 1 : UINT64_MAX;
	return (value ^ sign) - sign;
}

bool interp_alu(const struct jf_insn *insn, uint64_t dst, uint64_t operand, uint64_t *result)
{
	bool wide = (insn->opcode & 7) == ALU64;
	unsigned int code = insn->opcode & 0xf0;

	if (code == END)
		return end(insn, dst, result);
	if (code == MOV && insn->off) {
		if (insn->off != 8 && insn->off != 16 && insn->off != 32)
			return false;
		*result = sign_extend(operand, (unsigned int)insn->off);
		if (!wide)
			*result = (uint32_t)*result;
		return true;
	}
	if (wide)
		return alu64(code, insn->off == 1, dst, operand, result);
	return alu32(code, insn->off == 1, (uint32_t)dst, (uint32_t)operand, result);
}

/* Section 4.3: JMP32 compares the low halves. */
bool interp_condition(uint8_t opcode, uint64_t a, uint64_t b, bool *holds)
{
	bool wide = (opcode & 7) == JMP;
	int64_t sa = wide ? (int64_t)a : (int32_t)(uint32_t)a;
	int64_t sb = wide ? (int64_t)b : (int32_t)(uint32_t)b;

	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (opcode & 0xf0) {
	case JEQ: *holds = a == b; return true;
	case JNE: *holds = a != b; return true;
	case JGT: *holds = a > b; return true;
	case JGE: *holds = a >= b; return true;
	case JLT: *holds = a < b; return true;
	case JLE: *holds = a <= b; return true;
	case JSGT: *holds = sa > sb; return true;
	case JSGE: *holds = sa >= sb; return true;
	case JSLT: *holds = sa < sb; return true;
	case JSLE: *holds = sa <= sb; return true;
	case JSET: *holds = (a & b) != 0; return true;
	default: return false;
	}
}
