/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *   [66|F0|64|65]  [REX 0100WRXB]  [0F]  opcode  [mod reg r/m]  [SIB]  [disp8|32]  [imm8|16|32|64]
 *
 *   REX  W 64-bit operands, R/X/B the fourth bits of reg, index, and r/m or base
 *   ModRM  mod reg r/m    mod 3: r/m is a register; 0, 1, 2: [base], [base + disp8], [base + disp32]
 *   SIB  scale index base follows when r/m is 4: an index, base rsp or r12, or no base at all
 *
 * Encoders for that, one call per instruction: Intel 64 and IA-32 Architectures Software Developer's
 * Manual, volume 2, chapter 2 (formats; tables 2-2, 2-3) and chapters 3 to 6 (instructions). Operands are
 * in the order destination, source. Each picks its shortest form unless it says otherwise; an operand
 * that does not fit fails the code with JF_E_RANGE.
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

/* [base + (index << scale) + disp] */
struct mem {
	int64_t disp;
	uint16_t base;
	uint16_t index; /* or NO_INDEX: in that field rsp's number says so */
	uint8_t scale;
};
#define NO_INDEX RSP

static inline struct mem at(unsigned int base, int64_t disp)
{
	return (struct mem){.disp = disp, .base = (uint16_t)base, .index = NO_INDEX};
}

/* Lists of operations: name, number in the opcode or in reg, what the assembler calls it. Tests read them. */
#define ALU_LIST(X)          \
	X(ALU_ADD, 0, "add") \
	X(ALU_OR, 1, "or")   \
	X(ALU_ADC, 2, "adc") \
	X(ALU_SBB, 3, "sbb") \
	X(ALU_AND, 4, "and") \
	X(ALU_SUB, 5, "sub") \
	X(ALU_XOR, 6, "xor") \
	X(ALU_CMP, 7, "cmp")
#define SHIFT_LIST(X)          \
	X(SHIFT_ROL, 0, "rol") \
	X(SHIFT_ROR, 1, "ror") \
	X(SHIFT_SHL, 4, "shl") \
	X(SHIFT_SHR, 5, "shr") \
	X(SHIFT_SAR, 7, "sar")
#define UNARY_LIST(X)            \
	X(UNARY_NOT, 2, "not")   \
	X(UNARY_NEG, 3, "neg")   \
	X(UNARY_MUL, 4, "mul")   \
	X(UNARY_IMUL, 5, "imul") \
	X(UNARY_DIV, 6, "div")   \
	X(UNARY_IDIV, 7, "idiv")
/* Condition codes: volume 1, appendix B. */
#define CC_LIST(X)         \
	X(CC_O, 0, "o")    \
	X(CC_NO, 1, "no")  \
	X(CC_B, 2, "b")    \
	X(CC_AE, 3, "ae")  \
	X(CC_E, 4, "e")    \
	X(CC_NE, 5, "ne")  \
	X(CC_BE, 6, "be")  \
	X(CC_A, 7, "a")    \
	X(CC_S, 8, "s")    \
	X(CC_NS, 9, "ns")  \
	X(CC_P, 10, "p")   \
	X(CC_NP, 11, "np") \
	X(CC_L, 12, "l")   \
	X(CC_GE, 13, "ge") \
	X(CC_LE, 14, "le") \
	X(CC_G, 15, "g")

#define OPERATION(name, number, text) name = number,
enum { ALU_LIST(OPERATION) };
enum { SHIFT_LIST(OPERATION) };
enum { UNARY_LIST(OPERATION) };
enum { CC_LIST(OPERATION) };
#undef OPERATION

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
	return (unsigned int)w * F_W;
}

/* ---- putting bytes down ----------------------------------------------------------------------- */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void store_le64(uint8_t *p, uint64_t value)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		value = __builtin_bswap64(value);
	memcpy(p, &value, sizeof(value));
}

/* Stores it in any case: when it should not be there, the next part goes over it. */
ALWAYS_INLINE uint8_t *put_prefix(uint8_t *p, bool is_there, unsigned int byte)
{
	*p = (uint8_t)byte;
	return p + is_there;
}

/* What an instruction is made of: the form's prefixes, REX, `op` of op_size bytes, the first the lowest, and
 * `tail`. The numbers in reg, index and rm are in op but for their fourth bits. */
struct parts {
	unsigned int form, reg, index, rm;
	unsigned int op, op_size;
	uint64_t tail;
	unsigned int tail_size;
};

/*
 * REX is there if one of its bits or a byte register asks for it. With the form known, little is left of
 * this. Where it is not, nothing depends on a branch: which registers and displacements an instruction has
 * is nothing that a predictor could learn. returns: the end; JF_INSN_BYTES_MAX bytes may be written.
 */
ALWAYS_INLINE uint8_t *store_parts(uint8_t *p, struct parts i)
{
	unsigned int rex = (i.form & F_W) / (F_W / 8) | (i.reg & 8) >> 1 | (i.index & 8) >> 2 | (i.rm & 8) >> 3;
	bool has_rex = (rex != 0) | (((i.form & F_REG8) != 0) & (i.reg >= 4)) | (((i.form & F_RM8) != 0) & (i.rm >= 4));

	p = put_prefix(p, (i.form & F_66) != 0, 0x66);
	p = put_prefix(p, (i.form & F_LOCK) != 0, 0xf0);
	p = put_prefix(p, (i.form & F_FS) != 0, 0x64);
	p = put_prefix(p, (i.form & F_GS) != 0, 0x65);
	p = put_prefix(p, has_rex, 0x40 | rex);
	p = put_prefix(p, (i.form & F_0F) != 0, 0x0f);
	store_le64(p, i.op);
	store_le64(p + i.op_size, i.tail);
	return p + i.op_size + i.tail_size;
}

/* Where there is no room for more than the instruction, or a row to record first. Not with a struct parts:
 * passing that would have all callers put it together in memory. */
HIDDEN void jf_x86_64_put_slowly(struct jf_code *code, unsigned int form, unsigned int regs, unsigned int op,
				 unsigned int op_size, uint64_t tail, unsigned int tail_size);

ALWAYS_INLINE void put(struct jf_code *code, struct parts parts)
{
	if (__builtin_expect(jf_code_has_room(code, JF_INSN_BYTES_MAX), true)) {
		size_t size = code->size;
		uint8_t *p = code->bytes + size;

		code->size = size + (size_t)(store_parts(p, parts) - p);
	} else {
		jf_x86_64_put_slowly(code, parts.form, parts.reg << 16 | parts.index << 8 | parts.rm, parts.op,
				     parts.op_size, parts.tail, parts.tail_size);
	}
}

ALWAYS_INLINE unsigned int modrm(unsigned int mod, unsigned int reg, unsigned int rm)
{
	return mod << 6 | (reg & 7) << 3 | (rm & 7);
}

ALWAYS_INLINE unsigned int imm_size(unsigned int form)
{
	return form & F_IMM8 ? 1 : form & F_IMM16 ? 2 : form & F_IMM32 ? 4 : 0;
}

/* An immediate is taken as signed or unsigned of its size. */
ALWAYS_INLINE bool imm_fits(unsigned int form, int64_t imm)
{
	unsigned int bytes = imm_size(form);

	return !bytes || (imm >= -(INT64_C(1) << (8 * bytes - 1)) && imm < INT64_C(1) << 8 * bytes);
}

/* reg is a register or the opcode's extension digit; the second operand a register ... */
ALWAYS_INLINE void put_reg(struct jf_code *code, unsigned int form, unsigned int reg, unsigned int rm, int64_t imm)
{
	if ((reg | rm) > 15 || !imm_fits(form, imm))
		jf_code_fail(code, JF_E_RANGE);
	else
		put(code, (struct parts){form, reg, 0, rm, (form & 0xff) | modrm(3, reg, rm) << 8, 2, (uint64_t)imm,
					 imm_size(form)});
}

/* ... or memory ... */
ALWAYS_INLINE void put_mem(struct jf_code *code, unsigned int form, unsigned int reg, struct mem m, int64_t imm)
{
	/* [rbp] and [r13] without displacement do not exist: their place is taken by [rip + disp32]. */
	unsigned int some = (m.disp != 0) | ((m.base & 7) == RBP), is_short = fits_s8(m.disp) & !(form & F_DISP32);
	unsigned int mod = (some & (0 - is_short)) | (2 & (is_short - 1)), disp_size = mod + (mod & 2); /* 0, 1, 4 */
	unsigned int op = (form & 0xff) | modrm(mod, reg, m.base) << 8, op_size = 2;
	uint64_t tail = (uint64_t)m.disp;

	if ((reg | m.base | m.index) > 15 || m.scale > 3 || !fits_s32(m.disp) || !imm_fits(form, imm)) {
		jf_code_fail(code, JF_E_RANGE);
		return;
	}
	if (m.index != NO_INDEX || (m.base & 7) == 4) {
		op = (form & 0xff) | modrm(mod, reg, 4) << 8 | modrm(m.scale, m.index, m.base) << 16;
		op_size = 3;
	}
	if (imm_size(form))
		tail = (tail & ((UINT64_C(1) << 8 * disp_size) - 1)) | (uint64_t)imm << 8 * disp_size;
	put(code, (struct parts){form, reg, m.index, m.base, op, op_size, tail, disp_size + imm_size(form)});
}

/* ... or memory at an absolute address, of 32 bits, sign-extended: no base, no index ... */
static inline void put_abs(struct jf_code *code, unsigned int form, unsigned int reg, int64_t address)
{
	if (reg > 15 || !fits_s32(address))
		jf_code_fail(code, JF_E_RANGE);
	else
		put(code, (struct parts){form, reg, 0, 0, (form & 0xff) | modrm(0, reg, 4) << 8 | 0x25 << 16, 3,
					 (uint64_t)address, 4});
}

/* ... or none; reg, where there is one, is in the opcode's low bits. */
ALWAYS_INLINE void put_plus(struct jf_code *code, unsigned int form, unsigned int reg, int64_t imm)
{
	if (reg > 15 || !imm_fits(form, imm))
		jf_code_fail(code, JF_E_RANGE);
	else
		put(code, (struct parts){form, 0, 0, reg, (form & 0xff) | (reg & 7), 1, (uint64_t)imm, imm_size(form)});
}

/* ---- more than one form: out of line ----------------------------------------------------------- */

HIDDEN void jf_x86_64_emit_alu_ri(struct jf_code *code, unsigned int op, bool w, unsigned int dst, int64_t imm);
HIDDEN void jf_x86_64_emit_test_ri(struct jf_code *code, bool w, unsigned int reg, int64_t imm);
HIDDEN void jf_x86_64_emit_mov_ri(struct jf_code *code, unsigned int dst, uint64_t value);
HIDDEN void jf_x86_64_emit_movabs(struct jf_code *code, unsigned int dst, uint64_t value);
HIDDEN void jf_x86_64_emit_store_imm(struct jf_code *code, unsigned int bytes, struct mem m, int64_t imm);
HIDDEN void jf_x86_64_emit_lea_pc(struct jf_code *code, unsigned int dst, uint64_t target);
HIDDEN void jf_x86_64_emit_xchg_rr(struct jf_code *code, bool w, unsigned int a, unsigned int b);

/* Whether 32 bits of distance reach `target` from here, and still do when code moves by a megabyte: forms
 * are chosen by this, and must not change from one pass of the compiler to the next. */
HIDDEN bool jf_x86_64_near(const struct jf_code *code, uint64_t target);
/* Calls an address: directly when it is near, else through register `far`. */
HIDDEN void jf_x86_64_emit_call(struct jf_code *code, uint64_t target, unsigned int far);

/* ---- one form ----------------------------------------------------------------------------------- */

/* movzx, mov, movsx, movsxd: the form that takes `bytes` to 32 or 64 bits. 0 when there is none. */
ALWAYS_INLINE unsigned int extend_form(unsigned int bytes, bool sign, bool w)
{
	static const uint16_t forms[2][9] = {
		{[1] = F_0F | 0xb6, [2] = F_0F | 0xb7, [4] = 0x8b, [8] = F_W | 0x8b},
		{[1] = F_0F | F_W | 0xbe, [2] = F_0F | F_W | 0xbf, [4] = F_W | 0x63, [8] = F_W | 0x8b},
	};

	if (sign && !w && bytes == 4)
		return 0x8b;
	return bytes > 8 ? 0 : forms[sign][bytes] & (sign && !w ? ~F_W : ~0);
}

/* Sign-extension is to 64 bits. */
ALWAYS_INLINE void emit_load(struct jf_code *code, unsigned int bytes, bool sign, unsigned int dst, struct mem m)
{
	unsigned int form = extend_form(bytes, sign, true);

	if (form)
		put_mem(code, form & (F_0F | F_W | 0xff), dst, m, 0);
	else
		jf_code_fail(code, JF_E_RANGE);
}

ALWAYS_INLINE void emit_store(struct jf_code *code, unsigned int bytes, struct mem m, unsigned int src)
{
	static const uint16_t forms[9] = {[1] = F_REG8 | 0x88, [2] = F_66 | 0x89, [4] = 0x89, [8] = F_W | 0x89};

	if (bytes <= 8 && forms[bytes])
		put_mem(code, forms[bytes] & (F_66 | F_W | F_REG8 | 0xff), src, m, 0);
	else
		jf_code_fail(code, JF_E_RANGE);
}

static inline void emit_extend(struct jf_code *code, unsigned int bytes, bool sign, bool w, unsigned int dst,
			       unsigned int src)
{
	unsigned int form = extend_form(bytes, sign, w);

	if (form)
		put_reg(code, form | (bytes == 1 ? F_RM8 : 0), dst, src, 0);
	else
		jf_code_fail(code, JF_E_RANGE);
}

static inline void emit_alu_rr(struct jf_code *code, unsigned int op, bool w, unsigned int dst, unsigned int src)
{
	put_reg(code, form_w(w) | (op & 7) << 3 | 0x01, src, dst, 0);
}

static inline void emit_test_rr(struct jf_code *code, bool w, unsigned int a, unsigned int b)
{
	put_reg(code, form_w(w) | 0x85, b, a, 0);
}

static inline void emit_mov_rr(struct jf_code *code, bool w, unsigned int dst, unsigned int src)
{
	put_reg(code, form_w(w) | 0x89, src, dst, 0);
}

static inline void emit_cmov(struct jf_code *code, unsigned int cc, bool w, unsigned int dst, unsigned int src)
{
	put_reg(code, form_w(w) | F_0F | 0x40 | (cc & 15), dst, src, 0);
}

static inline void emit_imul_rr(struct jf_code *code, bool w, unsigned int dst, unsigned int src)
{
	put_reg(code, form_w(w) | F_0F | 0xaf, dst, src, 0);
}

static inline void emit_imul_rri(struct jf_code *code, bool w, unsigned int dst, unsigned int src, int64_t imm)
{
	unsigned int form = fits_s8(imm) ? F_IMM8 | 0x6b : F_IMM32 | 0x69;

	if (!fits_s32(imm))
		jf_code_fail(code, JF_E_RANGE);
	put_reg(code, form_w(w) | form, dst, src, imm);
}

static inline void emit_alu_rm(struct jf_code *code, unsigned int op, bool w, unsigned int dst, struct mem m)
{
	put_mem(code, form_w(w) | (op & 7) << 3 | 0x03, dst, m, 0);
}

/* op m, imm8 */
static inline void emit_alu_mi(struct jf_code *code, unsigned int op, bool w, struct mem m, int64_t imm)
{
	if (!fits_s8(imm))
		jf_code_fail(code, JF_E_RANGE);
	put_mem(code, form_w(w) | F_IMM8 | 0x83, op & 7, m, imm);
}

static inline void emit_unary(struct jf_code *code, unsigned int op, bool w, unsigned int reg)
{
	put_reg(code, form_w(w) | 0xf7, op, reg, 0);
}

/* edx:eax = sign-extended eax, or rdx:rax of rax. */
static inline void emit_sign_to_dx(struct jf_code *code, bool w)
{
	put_plus(code, form_w(w) | 0x99, 0, 0);
}

static inline void emit_shift_cl(struct jf_code *code, unsigned int op, bool w, unsigned int dst)
{
	put_reg(code, form_w(w) | 0xd3, op, dst, 0);
}

static inline void emit_shift_ri(struct jf_code *code, unsigned int op, bool w, unsigned int dst, unsigned int count)
{
	if (count > (w ? 63u : 31u))
		jf_code_fail(code, JF_E_RANGE);
	put_reg(code, form_w(w) | (count == 1 ? 0xd1u : F_IMM8 | 0xc1u), op, dst, count);
}

static inline void emit_bswap(struct jf_code *code, bool w, unsigned int reg)
{
	put_plus(code, form_w(w) | F_0F | 0xc8, reg, 0);
}

static inline void emit_lea(struct jf_code *code, bool w, unsigned int dst, struct mem m)
{
	put_mem(code, form_w(w) | 0x8d, dst, m, 0);
}

/* Loads with a displacement of 32 bits even where 8 would do: its size says nothing of the frame's. */
static inline void emit_load_disp32(struct jf_code *code, unsigned int dst, struct mem m)
{
	put_mem(code, F_W | F_DISP32 | 0x8b, dst, m, 0);
}

static inline void emit_push(struct jf_code *code, unsigned int reg)
{
	put_plus(code, 0x50, reg, 0);
}

static inline void emit_pop(struct jf_code *code, unsigned int reg)
{
	put_plus(code, 0x58, reg, 0);
}

static inline void emit_leave(struct jf_code *code)
{
	put_plus(code, 0xc9, 0, 0);
}

static inline void emit_ret(struct jf_code *code)
{
	put_plus(code, 0xc3, 0, 0);
}

static inline void emit_int3(struct jf_code *code)
{
	put_plus(code, 0xcc, 0, 0);
}

static inline void emit_call_reg(struct jf_code *code, unsigned int reg)
{
	put_reg(code, 0xff, 2, reg, 0);
}

static inline void emit_jmp_reg(struct jf_code *code, unsigned int reg)
{
	put_reg(code, 0xff, 4, reg, 0);
}

/* Branches: rel counts from the end of the instruction. */
ALWAYS_INLINE void emit_branch8(struct jf_code *code, unsigned int opcode, int64_t rel)
{
	if (fits_s8(rel))
		put(code, (struct parts){0, 0, 0, 0, opcode, 1, (uint64_t)rel, 1});
	else
		jf_code_fail(code, JF_E_RANGE);
}

ALWAYS_INLINE void emit_branch32(struct jf_code *code, unsigned int form, int64_t rel)
{
	if (fits_s32(rel))
		put(code, (struct parts){form, 0, 0, 0, form & 0xff, 1, (uint64_t)rel, 4});
	else
		jf_code_fail(code, JF_E_RANGE);
}

/* The opcode of a short conditional jump, which is also what jf_body_branch() is given. */
#define JCC8(cc) (0x70u | ((cc)&15))
static inline void emit_jcc8(struct jf_code *code, unsigned int cc, int64_t rel)
{
	emit_branch8(code, JCC8(cc), rel);
}

static inline void emit_jmp8(struct jf_code *code, int64_t rel)
{
	emit_branch8(code, 0xeb, rel);
}

static inline void emit_jcc32(struct jf_code *code, unsigned int cc, int64_t rel)
{
	emit_branch32(code, F_0F | 0x80 | (cc & 15), rel);
}

static inline void emit_jmp32(struct jf_code *code, int64_t rel)
{
	emit_branch32(code, 0xe9, rel);
}

static inline void emit_call32(struct jf_code *code, int64_t rel)
{
	emit_branch32(code, 0xe8, rel);
}

/* mov dst, fs:[off]; at 0 is the thread pointer itself (System V ABI, AMD64: FS holds it). */
static inline void emit_load_fs(struct jf_code *code, unsigned int dst, int64_t off)
{
	put_abs(code, F_FS | F_W | 0x8b, dst, off);
}

/* add dst, fs:[off] or gs:[off] */
static inline void emit_add_seg(struct jf_code *code, unsigned int segment, unsigned int dst, int64_t off)
{
	put_abs(code, segment | F_W | 0x03, dst, off);
}

static inline void emit_stmxcsr(struct jf_code *code, struct mem m)
{
	put_mem(code, F_0F | 0xae, 3, m, 0);
}

static inline void emit_ldmxcsr(struct jf_code *code, struct mem m)
{
	put_mem(code, F_0F | 0xae, 2, m, 0);
}

static inline void emit_fnstcw(struct jf_code *code, struct mem m)
{
	put_mem(code, 0xd9, 7, m, 0);
}

static inline void emit_fldcw(struct jf_code *code, struct mem m)
{
	put_mem(code, 0xd9, 5, m, 0);
}

/* lock op [base + disp], src */
static inline void emit_lock_alu_mr(struct jf_code *code, unsigned int op, bool w, struct mem m, unsigned int src)
{
	put_mem(code, F_LOCK | form_w(w) | (op & 7) << 3 | 0x01, src, m, 0);
}

static inline void emit_lock_xadd(struct jf_code *code, bool w, struct mem m, unsigned int src)
{
	put_mem(code, F_LOCK | form_w(w) | F_0F | 0xc1, src, m, 0);
}

/* Compares with RAX, where the old value goes. */
static inline void emit_lock_cmpxchg(struct jf_code *code, bool w, struct mem m, unsigned int src)
{
	put_mem(code, F_LOCK | form_w(w) | F_0F | 0xb1, src, m, 0);
}

/* Locked without saying so. */
static inline void emit_xchg_mr(struct jf_code *code, bool w, struct mem m, unsigned int src)
{
	put_mem(code, form_w(w) | 0x87, src, m, 0);
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

/* ---- what several hooks need -------------------------------------------------------------------- */

/* A register with the value of `bpf`: R10 is made in SCRATCH where no register holds it. */
static inline unsigned int operand(const struct jf_body *b, unsigned int bpf)
{
	unsigned int reg = jf_body_reg(b, bpf);

	if (bpf != JF_BPF_FP || !r10_disp(b))
		return reg;
	emit_lea(b->code, true, SCRATCH, at(reg, r10_disp(b)));
	return SCRATCH;
}

/*
 * The memory that an access through BPF register `bpf` is to. The arena's base goes first: what is in R12
 * needs no displacement, as [r13] does.
 */
static inline struct mem place(const struct jf_body *b, const struct jf_op *op, unsigned int bpf)
{
	struct mem m = at(jf_body_reg(b, bpf), op->off + (bpf == JF_BPF_FP ? r10_disp(b) : 0));

	if (op->arena) {
		m.index = m.base;
		m.base = b->frame->conv->arena_reg;
	}
	return m;
}

/* dst = dst: nothing, or its upper half cleared. */
static inline void emit_same(struct jf_code *code, bool w, unsigned int dst)
{
	if (!w)
		emit_mov_rr(code, false, dst, dst);
}

/* dst = src, where they are not the same. */
static inline void emit_move(struct jf_code *code, unsigned int dst, unsigned int src)
{
	if (dst != src)
		emit_mov_rr(code, true, dst, src);
}

/* Forward, short, within one BPF instruction. returns: where the branch ends, for land(). */
static inline size_t skip_if(struct jf_code *code, unsigned int cc)
{
	emit_jcc8(code, cc, 0);
	return code->size;
}

static inline size_t skip(struct jf_code *code)
{
	emit_jmp8(code, 0);
	return code->size;
}

static inline void land(struct jf_code *code, size_t branch_end)
{
	size_t rel = code->size - branch_end;

	if (!fits_s8((int64_t)rel))
		jf_code_fail(code, JF_E_RANGE);
	if (code->status == JF_OK && code->bytes)
		code->bytes[branch_end - 1] = (uint8_t)rel;
}

#endif
