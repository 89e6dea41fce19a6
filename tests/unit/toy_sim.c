/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_sim.h"

#include <string.h>

void toy_sim_init(struct toy_sim *sim, const void *code, size_t code_bytes, uint64_t address, uint64_t entry)
{
	memset(sim, 0, sizeof(*sim));
	memset(sim->stack, 0xa5, sizeof(sim->stack));
	for (unsigned int i = 0; i < 16; i++)
		sim->reg[i] = UINT64_C(0x1111111111111111) * i + 7;
	sim->special[0] = 0x12345678; /* f0: 4 bytes */
	sim->special[1] = 0x9abc;     /* cw: 2 bytes */
	sim->code = code;
	sim->code_bytes = code_bytes;
	sim->code_address = address;
	sim->pc = entry;
	toy_sim_set(sim, TOY_SP, TOY_STACK_HIGH - 64);
	toy_sim_set(sim, TOY_RA, TOY_HALT);
}

uint64_t toy_sim_get(const struct toy_sim *sim, unsigned int id)
{
	return id < TOY_F0 ? sim->reg[toy_hw(id)] : sim->special[id - TOY_F0];
}

void toy_sim_set(struct toy_sim *sim, unsigned int id, uint64_t value)
{
	if (id < TOY_F0)
		sim->reg[toy_hw(id)] = value;
	else
		sim->special[id - TOY_F0] = value & (id == TOY_F0 ? 0xffffffff : 0xffff);
}

struct jf_regs toy_sim_regs(const struct toy_sim *sim)
{
	struct jf_regs regs = {.value = {0}};

	for (unsigned int id = 0; id < TOY_REG__COUNT; id++)
		regs.value[id] = toy_sim_get(sim, id);
	return regs;
}

static uint8_t *stack_at(struct toy_sim *sim, uint64_t address, unsigned int bytes)
{
	if (address < TOY_STACK_LOW || address > TOY_STACK_HIGH - bytes)
		return NULL;
	return sim->stack + (address - TOY_STACK_LOW);
}

static uint64_t load_be(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static void store_be(uint8_t *at, unsigned int bytes, uint64_t value)
{
	for (unsigned int i = bytes; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
}

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	const uint8_t *at = stack_at(arg, address, 8);

	if (!at)
		return JF_E_READ;
	*value = load_be(at, 8);
	return JF_OK;
}

struct jf_memory toy_sim_memory(struct toy_sim *sim)
{
	return (struct jf_memory){.size = sizeof(struct jf_memory),
				  .low = toy_sim_get(sim, TOY_SP),
				  .high = TOY_STACK_HIGH,
				  .read = read_stack,
				  .arg = sim};
}

static int64_t sign_extend(uint64_t value, unsigned int bits)
{
	uint64_t top = UINT64_C(1) << (bits - 1);

	value &= top | (top - 1);
	return (int64_t)((value ^ top) - top);
}

static uint64_t shift_right_signed(uint64_t value, unsigned int count)
{
	return (int64_t)value < 0 ? ~(~value >> count) : value >> count;
}

static uint64_t divide_signed(uint64_t a, uint64_t b, bool remainder)
{
	if (b == 0)
		return remainder ? a : 0;
	if (b == UINT64_MAX)
		return remainder ? 0 : 0 - a;
	return (uint64_t)(remainder ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b);
}

/* RFC 9669 section 4.1, on 64 bits; `width` is what shift counts are taken modulo. */
static uint64_t alu(unsigned int f, uint64_t a, uint64_t b, unsigned int width)
{
	unsigned int count = (unsigned int)b & (width - 1);

	switch (f) {
	case JF_ALU_ADD: return a + b;
	case JF_ALU_SUB: return a - b;
	case JF_ALU_MUL: return a * b;
	case JF_ALU_DIV: return b ? a / b : 0;
	case JF_ALU_SDIV: return divide_signed(a, b, false);
	case JF_ALU_MOD: return b ? a % b : a;
	case JF_ALU_SMOD: return divide_signed(a, b, true);
	case JF_ALU_OR: return a | b;
	case JF_ALU_AND: return a & b;
	case JF_ALU_XOR: return a ^ b;
	case JF_ALU_LSH: return a << count;
	case JF_ALU_RSH: return a >> count;
	case JF_ALU_ARSH: return shift_right_signed(a, count);
	case JF_ALU_NEG: return 0 - a;
	default: return b; /* JF_ALU_MOV */
	}
}

static uint64_t alu32(unsigned int f, uint64_t a, uint64_t b)
{
	bool is_signed = f == JF_ALU_SDIV || f == JF_ALU_SMOD || f == JF_ALU_ARSH;

	a = is_signed ? (uint64_t)sign_extend(a, 32) : (uint32_t)a;
	b = is_signed ? (uint64_t)sign_extend(b, 32) : (uint32_t)b;
	return (uint32_t)alu(f, a, b, 32);
}

static bool compare(unsigned int f, uint64_t a, uint64_t b)
{
	switch (f) {
	case JF_COND_EQ: return a == b;
	case JF_COND_NE: return a != b;
	case JF_COND_GT: return a > b;
	case JF_COND_GE: return a >= b;
	case JF_COND_LT: return a < b;
	case JF_COND_LE: return a <= b;
	case JF_COND_SGT: return (int64_t)a > (int64_t)b;
	case JF_COND_SGE: return (int64_t)a >= (int64_t)b;
	case JF_COND_SLT: return (int64_t)a < (int64_t)b;
	case JF_COND_SLE: return (int64_t)a <= (int64_t)b;
	default: return (a & b) != 0; /* JF_COND_SET */
	}
}

static uint64_t swap_bytes(uint64_t value, unsigned int bytes)
{
	uint8_t at[8];

	store_be(at, bytes, value);
	value = 0;
	for (unsigned int i = bytes; i-- > 0;)
		value = value << 8 | at[i];
	return value;
}

static uint64_t extend(unsigned int kind, uint64_t value)
{
	switch (kind) {
	case TOY_EXT_S8: return (uint64_t)sign_extend(value, 8);
	case TOY_EXT_S16: return (uint64_t)sign_extend(value, 16);
	case TOY_EXT_S32: return (uint64_t)sign_extend(value, 32);
	case TOY_EXT_Z16: return (uint16_t)value;
	case TOY_EXT_Z32: return (uint32_t)value;
	case TOY_EXT_SWAP16: return swap_bytes(value, 2);
	case TOY_EXT_SWAP32: return swap_bytes(value, 4);
	case TOY_EXT_SWAP64: return swap_bytes(value, 8);
	default: return value;
	}
}

/* Frames keep their data at or above sp: anything else may be gone at the next instruction (R8). */
static enum toy_stop access(struct toy_sim *sim, uint64_t *reg, uint64_t address, unsigned int bytes, bool store,
			    bool sign)
{
	uint8_t *at = stack_at(sim, address, bytes);

	if (!at || address < toy_sim_get(sim, TOY_SP))
		return TOY_BAD_MEMORY;
	if (store)
		store_be(at, bytes, *reg);
	else
		*reg = sign ? (uint64_t)sign_extend(load_be(at, bytes), 8 * bytes) : load_be(at, bytes);
	return TOY_STEP;
}

static enum toy_stop jump(struct toy_sim *sim, unsigned int kind, uint64_t target)
{
	if (kind == 2)
		target = toy_sim_get(sim, TOY_RA);
	else if (kind == 1)
		toy_sim_set(sim, TOY_RA, sim->pc);
	sim->pc = target;
	if (target == TOY_HALT)
		return TOY_DONE;
	return target >= TOY_IMPORTS && target < TOY_IMPORTS + 0x1000 ? TOY_IMPORT : TOY_STEP;
}

static enum toy_stop special(struct toy_sim *sim, unsigned int word, uint64_t *a)
{
	unsigned int n = word >> 4 & 15;

	if (word == TOY_LANDING_PAD)
		return TOY_STEP;
	if (n > 1 || (word & 15) > 1)
		return TOY_BAD_CODE;
	if (word & 1)
		toy_sim_set(sim, TOY_F0 + n, *a);
	else
		*a = toy_sim_get(sim, TOY_F0 + n);
	return TOY_STEP;
}

enum toy_stop toy_sim_step(struct toy_sim *sim)
{
	uint64_t off = sim->pc - sim->code_address;
	unsigned int word, c;
	uint64_t *a, *b;
	int imm8;

	if (off >= sim->code_bytes || sim->code_bytes - off < 2 || off % 2)
		return TOY_BAD_CODE;
	word = (unsigned int)load_be(sim->code + off, 2);
	a = &sim->reg[word >> 8 & 15];
	b = &sim->reg[word >> 4 & 15];
	c = word & 15;
	imm8 = (int8_t)word;
	sim->pc += 2;
	switch (word >> 12) {
	case TOY_OP_LDI: *a = (uint64_t)(int64_t)imm8; return TOY_STEP;
	case TOY_OP_SHI: *a = *a << 8 | (word & 0xff); return TOY_STEP;
	case TOY_OP_ADI: *a += (uint64_t)(int64_t)imm8; return TOY_STEP;
	case TOY_OP_LD:
	case TOY_OP_ST: return access(sim, a, *b + 8 * c, 8, word >> 12 == TOY_OP_ST, false);
	case TOY_OP_ALU64: *a = alu(c, *a, *b, 64); return c < JF_ALU__COUNT ? TOY_STEP : TOY_BAD_CODE;
	case TOY_OP_ALU32: *a = alu32(c, *a, *b); return c < JF_ALU__COUNT ? TOY_STEP : TOY_BAD_CODE;
	case TOY_OP_JS: sim->pc += (word >> 8 & 15) == 0 || sim->flag ? (uint64_t)(int64_t)imm8 : 0; return TOY_STEP;
	case TOY_OP_JL: sim->pc += (word >> 8 & 15) == 0 || sim->flag ? *b : 0; return TOY_STEP;
	case TOY_OP_JA: return jump(sim, word >> 8 & 15, *b);
	case TOY_OP_CMP64: sim->flag = compare(c, *a, *b); return c < JF_COND__COUNT ? TOY_STEP : TOY_BAD_CODE;
	case TOY_OP_CMP32: {
		bool is_signed = c >= JF_COND_SGT && c <= JF_COND_SLE;

		sim->flag = compare(c, is_signed ? (uint64_t)sign_extend(*a, 32) : (uint32_t)*a,
				    is_signed ? (uint64_t)sign_extend(*b, 32) : (uint32_t)*b);
		return c < JF_COND__COUNT ? TOY_STEP : TOY_BAD_CODE;
	}
	case TOY_OP_MEM: return access(sim, a, *b, 1u << (c & 3), c & 8, c & 4);
	case TOY_OP_EXT: *a = extend(c, *b); return c <= TOY_EXT_SWAP64 ? TOY_STEP : TOY_BAD_CODE;
	case TOY_OP_SPR: return special(sim, word, a);
	default: return TOY_BAD_CODE;
	}
}
