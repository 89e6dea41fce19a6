/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *   [66|F0|64|65]  [REX 0100WRXB]  [0F]  opcode  [mod reg r/m]  [SIB]  [disp8|32]  [imm8|16|32|64]
 *
 * Encoders for that, one call per instruction: Intel 64 and IA-32 Architectures Software Developer's
 * Manual, volume 2, chapter 2 (formats) and chapters 3 to 6 (instructions). Operands are in the
 * order destination, source. Each picks its shortest form unless it says otherwise; an operand that
 * does not fit fails the code with JF_E_RANGE.
 *
 * `w`: 64-bit operation, else 32-bit, which zero-extends its result.
 */
#ifndef JF_X86_64_INSN_H
#define JF_X86_64_INSN_H

#include "x86_64.h"

/* An instruction's form: the opcode byte and what surrounds it. */
enum {
	F_0F = 1 << 8,  /* two-byte opcode */
	F_W = 1 << 9,   /* REX.W */
	F_66 = 1 << 10, /* 16-bit operands */
	F_LOCK = 1 << 11,
	F_FS = 1 << 12,   /* segment bases: thread pointer in user space ... */
	F_GS = 1 << 13,   /* ... and per-CPU base in the kernel */
	F_REG8 = 1 << 14, /* reg is a byte register: 4..7 need a REX, else they are ah..bh */
	F_RM8 = 1 << 15,
	F_IMM8 = 1 << 16,
	F_IMM16 = 1 << 17,
	F_IMM32 = 1 << 18,
	F_DISP32 = 1 << 19, /* also where a shorter one would do */
};

/* reg is a register or the opcode's extension digit; the second operand a register ... */
HIDDEN void jf_x86_64_put_reg(struct jf_code *code, unsigned int form, unsigned int reg, unsigned int rm, int64_t imm);
/* ... or memory [base + disp] ... */
HIDDEN void jf_x86_64_put_mem(struct jf_code *code, unsigned int form, unsigned int reg, unsigned int base,
			      int64_t disp, int64_t imm);
/* ... or memory at an absolute address, of 32 bits, sign-extended ... */
HIDDEN void jf_x86_64_put_abs(struct jf_code *code, unsigned int form, unsigned int reg, int64_t address);
/* ... or none; reg, where there is one, is in the opcode's low bits. */
HIDDEN void jf_x86_64_put_plus(struct jf_code *code, unsigned int form, unsigned int reg, int64_t imm);

/* Out of line: more than one form. */
HIDDEN void jf_x86_64_emit_alu_ri(struct jf_code *code, unsigned int op, bool w, unsigned int dst, int64_t imm);
HIDDEN void jf_x86_64_emit_test_ri(struct jf_code *code, bool w, unsigned int reg, int64_t imm);
HIDDEN void jf_x86_64_emit_mov_ri(struct jf_code *code, unsigned int dst, uint64_t value);
HIDDEN void jf_x86_64_emit_movabs(struct jf_code *code, unsigned int dst, uint64_t value);
HIDDEN void jf_x86_64_emit_load(struct jf_code *code, unsigned int bytes, bool sign, unsigned int dst,
				unsigned int base, int64_t disp);
HIDDEN void jf_x86_64_emit_store(struct jf_code *code, unsigned int bytes, unsigned int base, int64_t disp,
				 unsigned int src);
HIDDEN void jf_x86_64_emit_store_imm(struct jf_code *code, unsigned int bytes, unsigned int base, int64_t disp,
				     int64_t imm);
HIDDEN void jf_x86_64_emit_extend(struct jf_code *code, unsigned int bytes, bool sign, bool w, unsigned int dst,
				  unsigned int src);
HIDDEN void jf_x86_64_emit_lea_pc(struct jf_code *code, unsigned int dst, uint64_t target);
HIDDEN void jf_x86_64_emit_xchg_rr(struct jf_code *code, bool w, unsigned int a, unsigned int b);

/* Whether 32 bits of distance reach `target` from here, and still do when code moves by a megabyte: forms
 * are chosen by this, and must not change from one pass of the compiler to the next. */
HIDDEN bool jf_x86_64_near(const struct jf_code *code, uint64_t target);
/* Calls an address: directly when it is near, else through RAX. */
HIDDEN void jf_x86_64_emit_call(struct jf_code *code, uint64_t target);

/* Branches: rel counts from the end of the instruction. */
HIDDEN void jf_x86_64_emit_branch8(struct jf_code *code, unsigned int opcode, int64_t rel);
HIDDEN void jf_x86_64_emit_branch32(struct jf_code *code, unsigned int form, int64_t rel);

enum {
	ALU_ADD,
	ALU_OR,
	ALU_ADC,
	ALU_SBB,
	ALU_AND,
	ALU_SUB,
	ALU_XOR,
	ALU_CMP
};
enum {
	SHIFT_ROL,
	SHIFT_ROR,
	SHIFT_SHL = 4,
	SHIFT_SHR,
	SHIFT_SAR = 7
};
enum {
	UNARY_NOT = 2,
	UNARY_NEG,
	UNARY_MUL,
	UNARY_IMUL,
	UNARY_DIV,
	UNARY_IDIV
};

/* Condition codes: volume 1, appendix B. */
enum {
	CC_O,
	CC_NO,
	CC_B,
	CC_AE,
	CC_E,
	CC_NE,
	CC_BE,
	CC_A,
	CC_S,
	CC_NS,
	CC_P,
	CC_NP,
	CC_L,
	CC_GE,
	CC_LE,
	CC_G
};

static inline bool fits_s8(int64_t value)
{
	return value == (int8_t)value;
}

static inline bool fits_s32(int64_t value)
{
	return value == (int32_t)value;
}

static inline unsigned int form_w(bool w)
{
	return w ? F_W : 0;
}

static inline void emit_alu_rr(struct jf_code *code, unsigned int op, bool w, unsigned int dst, unsigned int src)
{
	jf_x86_64_put_reg(code, form_w(w) | op << 3 | 0x01, src, dst, 0);
}

static inline void emit_test_rr(struct jf_code *code, bool w, unsigned int a, unsigned int b)
{
	jf_x86_64_put_reg(code, form_w(w) | 0x85, b, a, 0);
}

static inline void emit_mov_rr(struct jf_code *code, bool w, unsigned int dst, unsigned int src)
{
	jf_x86_64_put_reg(code, form_w(w) | 0x89, src, dst, 0);
}

static inline void emit_cmov(struct jf_code *code, unsigned int cc, bool w, unsigned int dst, unsigned int src)
{
	jf_x86_64_put_reg(code, form_w(w) | F_0F | 0x40 | cc, dst, src, 0);
}

static inline void emit_imul_rr(struct jf_code *code, bool w, unsigned int dst, unsigned int src)
{
	jf_x86_64_put_reg(code, form_w(w) | F_0F | 0xaf, dst, src, 0);
}

static inline void emit_imul_rri(struct jf_code *code, bool w, unsigned int dst, unsigned int src, int64_t imm)
{
	unsigned int form = fits_s8(imm) ? F_IMM8 | 0x6b : F_IMM32 | 0x69;

	if (!fits_s32(imm))
		jf_code_fail(code, JF_E_RANGE);
	jf_x86_64_put_reg(code, form_w(w) | form, dst, src, imm);
}

static inline void emit_unary(struct jf_code *code, unsigned int op, bool w, unsigned int reg)
{
	jf_x86_64_put_reg(code, form_w(w) | 0xf7, op, reg, 0);
}

/* edx:eax = sign-extended eax, or rdx:rax of rax. */
static inline void emit_sign_to_dx(struct jf_code *code, bool w)
{
	jf_x86_64_put_plus(code, form_w(w) | 0x99, 0, 0);
}

static inline void emit_shift_cl(struct jf_code *code, unsigned int op, bool w, unsigned int dst)
{
	jf_x86_64_put_reg(code, form_w(w) | 0xd3, op, dst, 0);
}

static inline void emit_shift_ri(struct jf_code *code, unsigned int op, bool w, unsigned int dst, unsigned int count)
{
	if (count > (w ? 63u : 31u))
		jf_code_fail(code, JF_E_RANGE);
	jf_x86_64_put_reg(code, form_w(w) | (count == 1 ? 0xd1u : F_IMM8 | 0xc1u), op, dst, count);
}

static inline void emit_bswap(struct jf_code *code, bool w, unsigned int reg)
{
	jf_x86_64_put_plus(code, form_w(w) | F_0F | 0xc8, reg, 0);
}

static inline void emit_lea(struct jf_code *code, bool w, unsigned int dst, unsigned int base, int64_t disp)
{
	jf_x86_64_put_mem(code, form_w(w) | 0x8d, dst, base, disp, 0);
}

/* Loads with a displacement of 32 bits even where 8 would do: its size says nothing of the frame's. */
static inline void emit_load_disp32(struct jf_code *code, unsigned int dst, unsigned int base, int64_t disp)
{
	jf_x86_64_put_mem(code, F_W | F_DISP32 | 0x8b, dst, base, disp, 0);
}

static inline void emit_push(struct jf_code *code, unsigned int reg)
{
	jf_x86_64_put_plus(code, 0x50, reg, 0);
}

static inline void emit_pop(struct jf_code *code, unsigned int reg)
{
	jf_x86_64_put_plus(code, 0x58, reg, 0);
}

static inline void emit_leave(struct jf_code *code)
{
	jf_x86_64_put_plus(code, 0xc9, 0, 0);
}

static inline void emit_ret(struct jf_code *code)
{
	jf_x86_64_put_plus(code, 0xc3, 0, 0);
}

static inline void emit_call_reg(struct jf_code *code, unsigned int reg)
{
	jf_x86_64_put_reg(code, 0xff, 2, reg, 0);
}

static inline void emit_jmp_reg(struct jf_code *code, unsigned int reg)
{
	jf_x86_64_put_reg(code, 0xff, 4, reg, 0);
}

static inline void emit_jcc8(struct jf_code *code, unsigned int cc, int64_t rel)
{
	jf_x86_64_emit_branch8(code, 0x70 | cc, rel);
}

static inline void emit_jmp8(struct jf_code *code, int64_t rel)
{
	jf_x86_64_emit_branch8(code, 0xeb, rel);
}

static inline void emit_jcc32(struct jf_code *code, unsigned int cc, int64_t rel)
{
	jf_x86_64_emit_branch32(code, F_0F | 0x80 | cc, rel);
}

static inline void emit_jmp32(struct jf_code *code, int64_t rel)
{
	jf_x86_64_emit_branch32(code, 0xe9, rel);
}

static inline void emit_call32(struct jf_code *code, int64_t rel)
{
	jf_x86_64_emit_branch32(code, 0xe8, rel);
}

/* mov dst, fs:[0]: the thread pointer (System V ABI, AMD64: FS holds it). */
static inline void emit_load_tp(struct jf_code *code, unsigned int dst)
{
	jf_x86_64_put_abs(code, F_FS | F_W | 0x8b, dst, 0);
}

/* add dst, fs:[0] or gs:[0] */
static inline void emit_add_seg(struct jf_code *code, unsigned int segment, unsigned int dst)
{
	jf_x86_64_put_abs(code, segment | F_W | 0x03, dst, 0);
}

static inline void emit_stmxcsr(struct jf_code *code, unsigned int base, int64_t disp)
{
	jf_x86_64_put_mem(code, F_0F | 0xae, 3, base, disp, 0);
}

static inline void emit_ldmxcsr(struct jf_code *code, unsigned int base, int64_t disp)
{
	jf_x86_64_put_mem(code, F_0F | 0xae, 2, base, disp, 0);
}

static inline void emit_fnstcw(struct jf_code *code, unsigned int base, int64_t disp)
{
	jf_x86_64_put_mem(code, 0xd9, 7, base, disp, 0);
}

static inline void emit_fldcw(struct jf_code *code, unsigned int base, int64_t disp)
{
	jf_x86_64_put_mem(code, 0xd9, 5, base, disp, 0);
}

/* lock op [base + disp], src */
static inline void emit_lock_alu_mr(struct jf_code *code, unsigned int op, bool w, unsigned int base, int64_t disp,
				    unsigned int src)
{
	jf_x86_64_put_mem(code, F_LOCK | form_w(w) | op << 3 | 0x01, src, base, disp, 0);
}

static inline void emit_lock_xadd(struct jf_code *code, bool w, unsigned int base, int64_t disp, unsigned int src)
{
	jf_x86_64_put_mem(code, F_LOCK | form_w(w) | F_0F | 0xc1, src, base, disp, 0);
}

/* Compares with RAX, where the old value goes. */
static inline void emit_lock_cmpxchg(struct jf_code *code, bool w, unsigned int base, int64_t disp, unsigned int src)
{
	jf_x86_64_put_mem(code, F_LOCK | form_w(w) | F_0F | 0xb1, src, base, disp, 0);
}

/* Locked without saying so. */
static inline void emit_xchg_mr(struct jf_code *code, bool w, unsigned int base, int64_t disp, unsigned int src)
{
	jf_x86_64_put_mem(code, form_w(w) | 0x87, src, base, disp, 0);
}

static inline void emit_endbr64(struct jf_code *code)
{
	jf_code_put(code, "\xf3\x0f\x1e\xfa", 4);
}

/* The multi-byte no-operations of 3 and 5 bytes: nopl (%rax), nopl 0(%rax,%rax). */
static inline void emit_nop3(struct jf_code *code)
{
	jf_code_put(code, "\x0f\x1f\x00", 3);
}

static inline void emit_nop5(struct jf_code *code)
{
	jf_code_put(code, "\x0f\x1f\x44\x00\x00", 5);
}

#endif
