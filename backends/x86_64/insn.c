/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *   REX  0100 W R X B     W 64-bit operands, R/X/B the fourth bits of reg, index, and r/m or base
 *   ModRM  mod reg r/m    mod 3: r/m is a register; 0, 1, 2: [base], [base + disp8], [base + disp32]
 *   SIB  scale index base follows when r/m is 4: base rsp or r12, or no base at all
 *
 * Intel SDM volume 2, sections 2.1.5 (tables 2-2, 2-3) and 2.2.1.
 */
#include "insn.h"

#define REX   0x40
#define REX_W 0x08
#define REX_R 0x04
#define REX_B 0x01

#define MOD_REG    0xc0
#define MOD_DISP8  0x40
#define MOD_DISP32 0x80
#define RM_SIB     4
#define SIB_NONE   0x20 /* no index: [base + disp] */
#define SIB_ABS    0x25 /* no index, no base: [disp32] */

/* One instruction in the making. The longest here is mov qword [base + disp32], imm32: 12 bytes. */
struct insn {
	uint8_t bytes[16];
	unsigned int size;
};

static inline void add_byte(struct insn *insn, unsigned int byte)
{
	insn->bytes[insn->size++] = (uint8_t)byte;
}

static inline void add_le(struct insn *insn, uint64_t value, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		add_byte(insn, (unsigned int)(value >> 8 * i) & 0xff);
}

/* Prefixes, REX if any of its bits or a byte register asks for it, opcode. */
static inline void add_opcode(struct insn *insn, unsigned int form, unsigned int reg, unsigned int rm)
{
	unsigned int rex = 0;

	if (form & (F_66 | F_LOCK | F_FS | F_GS))
		add_byte(insn, form & F_66 ? 0x66 : form & F_LOCK ? 0xf0 : form & F_FS ? 0x64 : 0x65);
	if (form & F_W)
		rex |= REX | REX_W;
	if (reg & 8)
		rex |= REX | REX_R;
	if (rm & 8)
		rex |= REX | REX_B;
	if (((form & F_REG8) && reg >= 4) || ((form & F_RM8) && rm >= 4))
		rex |= REX;
	if (rex)
		add_byte(insn, rex);
	if (form & F_0F)
		add_byte(insn, 0x0f);
	add_byte(insn, form & 0xff);
}

/* An immediate is taken as signed or unsigned of its size. */
static inline bool add_imm(struct insn *insn, unsigned int form, int64_t imm)
{
	unsigned int bytes = form & F_IMM8 ? 1 : form & F_IMM16 ? 2 : form & F_IMM32 ? 4 : 0;

	if (!bytes)
		return true;
	if (imm < -(INT64_C(1) << (8 * bytes - 1)) || imm >= INT64_C(1) << 8 * bytes)
		return false;
	add_le(insn, (uint64_t)imm, bytes);
	return true;
}

void jf_x86_64_put_reg(struct jf_code *code, unsigned int form, unsigned int reg, unsigned int rm, int64_t imm)
{
	struct insn insn = {.size = 0};

	if (reg > 15 || rm > 15) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	add_opcode(&insn, form, reg, rm);
	add_byte(&insn, MOD_REG | (reg & 7) << 3 | (rm & 7));
	if (add_imm(&insn, form, imm))
		jf_code_put(code, insn.bytes, insn.size);
	else
		jf_code_fail(code, JF_E_RANGE);
}

void jf_x86_64_put_mem(struct jf_code *code, unsigned int form, unsigned int reg, unsigned int base, int64_t disp,
		       int64_t imm)
{
	struct insn insn = {.size = 0};
	unsigned int mod;

	if (reg > 15 || base > 15 || !fits_s32(disp)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	/* [rbp] and [r13] without displacement do not exist: their place is taken by [rip + disp32]. */
	if (form & F_DISP32 || !fits_s8(disp))
		mod = MOD_DISP32;
	else if (disp != 0 || (base & 7) == RBP)
		mod = MOD_DISP8;
	else
		mod = 0;
	add_opcode(&insn, form, reg, base);
	add_byte(&insn, mod | (reg & 7) << 3 | (base & 7));
	if ((base & 7) == RM_SIB)
		add_byte(&insn, SIB_NONE | (base & 7));
	if (mod)
		add_le(&insn, (uint64_t)disp, mod == MOD_DISP8 ? 1 : 4);
	if (add_imm(&insn, form, imm))
		jf_code_put(code, insn.bytes, insn.size);
	else
		jf_code_fail(code, JF_E_RANGE);
}

void jf_x86_64_put_abs(struct jf_code *code, unsigned int form, unsigned int reg, int64_t address)
{
	struct insn insn = {.size = 0};

	if (reg > 15 || !fits_s32(address)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	add_opcode(&insn, form, reg, 0);
	add_byte(&insn, (reg & 7) << 3 | RM_SIB);
	add_byte(&insn, SIB_ABS);
	add_le(&insn, (uint64_t)address, 4);
	jf_code_put(code, insn.bytes, insn.size);
}

void jf_x86_64_put_plus(struct jf_code *code, unsigned int form, unsigned int reg, int64_t imm)
{
	struct insn insn = {.size = 0};

	if (reg > 15) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	add_opcode(&insn, form, 0, reg);
	insn.bytes[insn.size - 1] |= reg & 7;
	if (add_imm(&insn, form, imm))
		jf_code_put(code, insn.bytes, insn.size);
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* With imm32, RAX has a form of its own that is one byte shorter. */
void jf_x86_64_emit_alu_ri(struct jf_code *code, unsigned int op, bool w, unsigned int dst, int64_t imm)
{
	if (!fits_s32(imm))
		jf_code_fail(code, JF_E_RANGE);
	else if (fits_s8(imm))
		jf_x86_64_put_reg(code, form_w(w) | F_IMM8 | 0x83, op, dst, imm);
	else if (dst == RAX)
		jf_x86_64_put_plus(code, form_w(w) | F_IMM32 | op << 3 | 0x05, 0, imm);
	else
		jf_x86_64_put_reg(code, form_w(w) | F_IMM32 | 0x81, op, dst, imm);
}

/* Sets ZF as the test of all bits would; SF only when 0x80000000 and up are not among imm's bits. */
void jf_x86_64_emit_test_ri(struct jf_code *code, bool w, unsigned int reg, int64_t imm)
{
	if (!fits_s32(imm)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	if (imm >= 0)
		w = false;
	if (imm >= 0 && imm <= 0xff) {
		if (reg == RAX)
			jf_x86_64_put_plus(code, F_IMM8 | 0xa8, 0, imm);
		else
			jf_x86_64_put_reg(code, F_RM8 | F_IMM8 | 0xf6, 0, reg, imm);
	} else if (reg == RAX) {
		jf_x86_64_put_plus(code, form_w(w) | F_IMM32 | 0xa9, 0, imm);
	} else {
		jf_x86_64_put_reg(code, form_w(w) | F_IMM32 | 0xf7, 0, reg, imm);
	}
}

void jf_x86_64_emit_movabs(struct jf_code *code, unsigned int dst, uint64_t value)
{
	struct insn insn = {.size = 0};

	if (dst > 15) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	add_opcode(&insn, F_W | 0xb8 | (dst & 7), 0, dst);
	add_le(&insn, value, 8);
	jf_code_put(code, insn.bytes, insn.size);
}

/* 2, 5, 7 or 10 bytes. Zero is made by xor: flags do not survive. */
void jf_x86_64_emit_mov_ri(struct jf_code *code, unsigned int dst, uint64_t value)
{
	if (value == 0)
		emit_alu_rr(code, ALU_XOR, false, dst, dst);
	else if (value <= UINT32_MAX)
		jf_x86_64_put_plus(code, F_IMM32 | 0xb8, dst, (int64_t)value);
	else if (fits_s32((int64_t)value))
		jf_x86_64_put_reg(code, F_W | F_IMM32 | 0xc7, 0, dst, (int64_t)value);
	else
		jf_x86_64_emit_movabs(code, dst, value);
}

/* movzx, mov, movsx, movsxd: the form that takes `bytes` to 32 or 64 bits. 0 when there is none. */
static unsigned int extend_form(unsigned int bytes, bool sign, bool w)
{
	switch (bytes) {
	case 1: return F_0F | (sign ? form_w(w) | 0xbe : 0xb6);
	case 2: return F_0F | (sign ? form_w(w) | 0xbf : 0xb7);
	case 4: return sign && w ? F_W | 0x63 : 0x8b;
	case 8: return F_W | 0x8b;
	default: return 0;
	}
}

void jf_x86_64_emit_load(struct jf_code *code, unsigned int bytes, bool sign, unsigned int dst, unsigned int base,
			 int64_t disp)
{
	unsigned int form = extend_form(bytes, sign, true);

	if (form)
		jf_x86_64_put_mem(code, form, dst, base, disp, 0);
	else
		jf_code_fail(code, JF_E_RANGE);
}

void jf_x86_64_emit_extend(struct jf_code *code, unsigned int bytes, bool sign, bool w, unsigned int dst,
			   unsigned int src)
{
	unsigned int form = extend_form(bytes, sign, w);

	if (form)
		jf_x86_64_put_reg(code, form | (bytes == 1 ? F_RM8 : 0), dst, src, 0);
	else
		jf_code_fail(code, JF_E_RANGE);
}

void jf_x86_64_emit_store(struct jf_code *code, unsigned int bytes, unsigned int base, int64_t disp, unsigned int src)
{
	static const unsigned int forms[] = {[1] = F_REG8 | 0x88, [2] = F_66 | 0x89, [4] = 0x89, [8] = F_W | 0x89};

	if (bytes < sizeof(forms) / sizeof(forms[0]) && forms[bytes])
		jf_x86_64_put_mem(code, forms[bytes], src, base, disp, 0);
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* 8 bytes: imm is sign-extended from 32 bits. */
void jf_x86_64_emit_store_imm(struct jf_code *code, unsigned int bytes, unsigned int base, int64_t disp, int64_t imm)
{
	static const unsigned int forms[] = {
		[1] = F_IMM8 | 0xc6,
		[2] = F_66 | F_IMM16 | 0xc7,
		[4] = F_IMM32 | 0xc7,
		[8] = F_W | F_IMM32 | 0xc7,
	};

	if (bytes < sizeof(forms) / sizeof(forms[0]) && forms[bytes] && (bytes != 8 || fits_s32(imm)))
		jf_x86_64_put_mem(code, forms[bytes], 0, base, disp, imm);
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* lea dst, [rip + disp32] */
void jf_x86_64_emit_lea_pc(struct jf_code *code, unsigned int dst, uint64_t target)
{
	struct insn insn = {.size = 0};
	int64_t disp = (int64_t)(target - (jf_code_pc(code) + 7));

	if (dst > 15 || !fits_s32(disp)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	add_opcode(&insn, F_W | 0x8d, dst, 0);
	add_byte(&insn, (dst & 7) << 3 | RBP);
	add_le(&insn, (uint64_t)disp, 4);
	jf_code_put(code, insn.bytes, insn.size);
}

void jf_x86_64_emit_xchg_rr(struct jf_code *code, bool w, unsigned int a, unsigned int b)
{
	if (a == RAX && b != RAX)
		jf_x86_64_put_plus(code, form_w(w) | 0x90, b, 0);
	else if (b == RAX && a != RAX)
		jf_x86_64_put_plus(code, form_w(w) | 0x90, a, 0);
	else
		jf_x86_64_put_reg(code, form_w(w) | 0x87, a, b, 0);
}

void jf_x86_64_emit_branch8(struct jf_code *code, unsigned int opcode, int64_t rel)
{
	uint8_t bytes[2] = {(uint8_t)opcode, (uint8_t)rel};

	if (fits_s8(rel))
		jf_code_put(code, bytes, sizeof(bytes));
	else
		jf_code_fail(code, JF_E_RANGE);
}

void jf_x86_64_emit_branch32(struct jf_code *code, unsigned int form, int64_t rel)
{
	struct insn insn = {.size = 0};

	if (!fits_s32(rel)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	add_opcode(&insn, form, 0, 0);
	add_le(&insn, (uint64_t)rel, 4);
	jf_code_put(code, insn.bytes, insn.size);
}

#define NEAR (INT64_C(0x7fffffff) - 0x100000)

bool jf_x86_64_near(const struct jf_code *code, uint64_t target)
{
	int64_t distance = (int64_t)(target - jf_code_pc(code));

	return distance >= -NEAR && distance <= NEAR;
}

void jf_x86_64_emit_call(struct jf_code *code, uint64_t target)
{
	if (jf_x86_64_near(code, target)) {
		emit_call32(code, (int64_t)(target - (jf_code_pc(code) + 5)));
	} else {
		jf_x86_64_emit_mov_ri(code, RAX, target);
		emit_call_reg(code, RAX);
	}
}
