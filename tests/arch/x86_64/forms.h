/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_FORMS_X86_64_H
#define JF_TESTS_FORMS_X86_64_H

#include "insn.h"

/*
 * The forms of x86_64's instructions, each with what there is of it and which operands are tried. insn.c
 * holds each instruction to LLVM and Capstone, encoders.c to our decoder.
 *
 * AT&T's text of an instruction is written with
 *
 *     %a %w   the operation's name; q or l by the width
 *     %R %S   the first register and the second, by the width
 *     %Q      the first, of 64 bits
 *     %B %T   the first and the second, of the operation's size
 *     %m %i   memory; the constant
 */
struct op {
	unsigned int value;
	const char *name;   /* AT&T's, %a */
	const char *decode; /* our decoder's, if another */
	unsigned int bytes; /* of what is loaded, stored or extended */
	bool sign;
	unsigned int widths; /* 0: the form's */
};

enum { W32 = 1, W64 = 2, BOTH = 3 };

/* What operands there are, and so what is tried. */
enum operands {
	REG,       /* every one */
	REG_REG,   /* every pair */
	REG_IMM,   /* every register with every constant; the second register counts the other way */
	MEM,       /* every base with every displacement */
	MEM_REG,   /* every base with every register, and with every displacement */
	MEM_INDEX, /* every base with every register and every displacement; every base with every index and scale */
	MEM_IMM,   /* every base with every displacement and constant */
	RELATIVE,  /* every distance */
};

struct insn;

#define IMMS_MAX 12
struct form {
	enum operands operands;
	const struct op *ops;
	size_t op_count;
	void (*emit)(struct jf_code *code, const struct insn *insn);
	const char *text;
	unsigned int widths;
	bool by_disassembly; /* an assembler would choose another encoding, or wants a label */
	int64_t imms[IMMS_MAX];
	size_t imm_count;
	bool (*valid)(const struct insn *insn);
};

struct insn {
	const struct form *form;
	const struct op *op;
	bool w;
	unsigned int r, s;
	struct mem m;
	int64_t imm;
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
static const int64_t disps[] = {0, 1, 8, 127, 128, -1, -128, -129, INT32_MAX, INT32_MIN};

/* clang-format off */
#define OP(name, number, text) {name, text, NULL, 0, false, 0},
#define OP_NAME(name, number, text) [name] = text,
static const struct op ops_alu[] = {ALU_LIST(OP)};
static const struct op ops_shift[] = {SHIFT_LIST(OP)};
static const struct op ops_unary[] = {UNARY_LIST(OP)};
static const struct op ops_cc[] = {CC_LIST(OP)};
static const struct op ops_none[] = {{0, "", NULL, 0, false, 0}};
static const struct op ops_seg[] = {{F_FS, "fs", NULL, 0, false, 0}, {F_GS, "gs", NULL, 0, false, 0}};
static const char *const alu_names[] = {ALU_LIST(OP_NAME)};
static const struct op ops_extend[] = {
	{0, "movzbl", "movzx", 1, false, W32}, {0, "movzwl", "movzx", 2, false, W32}, {0, "movl", "mov", 4, false, W32},
	{0, "movq", "mov", 8, false, W64}, {0, "movsbl", "movsx", 1, true, W32}, {0, "movswl", "movsx", 2, true, W32},
	{0, "movsbq", "movsx", 1, true, W64}, {0, "movswq", "movsx", 2, true, W64},
	{0, "movslq", "movsxd", 4, true, W64},
};
static const struct op ops_load[] = {
	{0, "movzbl", "movzx", 1, false, W32}, {0, "movzwl", "movzx", 2, false, W32}, {0, "movl", "mov", 4, false, W32},
	{0, "movq", "mov", 8, false, W64}, {0, "movsbq", "movsx", 1, true, W64}, {0, "movswq", "movsx", 2, true, W64},
	{0, "movslq", "movsxd", 4, true, W64},
};
static const struct op ops_store[] = {
	{0, "movb", "mov", 1, false, 0}, {0, "movw", "mov", 2, false, 0}, {0, "movl", "mov", 4, false, 0},
	{0, "movq", "mov", 8, false, 0},
};
/* clang-format on */

#define EMIT(name, call)                                                         \
	static inline void do_##name(struct jf_code *code, const struct insn *i) \
	{                                                                        \
		call;                                                            \
	}
EMIT(alu_rr, emit_alu_rr(code, i->op->value, i->w, i->r, i->s))
EMIT(test_rr, emit_test_rr(code, i->w, i->r, i->s))
EMIT(mov_rr, emit_mov_rr(code, i->w, i->r, i->s))
EMIT(imul_rr, emit_imul_rr(code, i->w, i->r, i->s))
EMIT(cmov, emit_cmov(code, i->op->value, i->w, i->r, i->s))
EMIT(xchg_rr, jf_x86_64_emit_xchg_rr(code, i->w, i->r, i->s))
EMIT(extend, emit_extend(code, i->op->bytes, i->op->sign, i->w, i->r, i->s))
EMIT(unary, emit_unary(code, i->op->value, i->w, i->r))
EMIT(shift_cl, emit_shift_cl(code, i->op->value, i->w, i->r))
EMIT(bswap, emit_bswap(code, i->w, i->r))
EMIT(push, emit_push(code, i->r))
EMIT(pop, emit_pop(code, i->r))
EMIT(call_reg, emit_call_reg(code, i->r))
EMIT(jmp_reg, emit_jmp_reg(code, i->r))
EMIT(load_fs, emit_load_fs(code, i->r, i->imm))
EMIT(add_seg, emit_add_seg(code, i->op->value, i->r, i->imm))
EMIT(alu_ri, jf_x86_64_emit_alu_ri(code, i->op->value, i->w, i->r, i->imm))
EMIT(imul_rri, emit_imul_rri(code, i->w, i->r, i->s, i->imm))
EMIT(load, emit_load(code, i->op->bytes, i->op->sign, i->r, i->m))
EMIT(load_disp32, emit_load_disp32(code, i->r, i->m))
EMIT(store, emit_store(code, i->op->bytes, i->m, i->r))
EMIT(lea, emit_lea(code, i->w, i->r, i->m))
EMIT(alu_rm, emit_alu_rm(code, i->op->value, i->w, i->r, i->m))
EMIT(alu_mi, emit_alu_mi(code, i->op->value, i->w, i->m, i->imm))
EMIT(lock_alu, emit_lock_alu_mr(code, i->op->value, i->w, i->m, i->r))
EMIT(lock_xadd, emit_lock_xadd(code, i->w, i->m, i->r))
EMIT(lock_cmpxchg, emit_lock_cmpxchg(code, i->w, i->m, i->r))
EMIT(xchg_mr, emit_xchg_mr(code, i->w, i->m, i->r))
EMIT(stmxcsr, emit_stmxcsr(code, i->m))
EMIT(ldmxcsr, emit_ldmxcsr(code, i->m))
EMIT(fnstcw, emit_fnstcw(code, i->m))
EMIT(fldcw, emit_fldcw(code, i->m))
EMIT(jcc8, emit_jcc8(code, i->op->value, i->imm))
EMIT(jcc32, emit_jcc32(code, i->op->value, i->imm))
EMIT(jmp8, emit_jmp8(code, i->imm))
EMIT(jmp32, emit_jmp32(code, i->imm))
EMIT(call32, emit_call32(code, i->imm))

/* In its short form that is nop, and eax is not extended. */
static inline bool valid_xchg(const struct insn *i)
{
	return i->r != RAX || i->s != RAX;
}

/* cmp writes nothing, and may not be locked. */
static inline bool valid_lock(const struct insn *i)
{
	return i->op->value != ALU_CMP;
}

/* What rel8 and rel32 reach. */
#define REL8  .imms = {0, 1, 127, -1, -128}, .imm_count = 5
#define REL32 .imms = {0, 128, -129, INT32_MAX, INT32_MIN}, .imm_count = 5
#define IMM32 .imms = {0, 1, 127, 128, 255, 256, -1, -128, -129, INT32_MAX, INT32_MIN}, .imm_count = 11

/* clang-format off */
/* name, operands, operations, widths, text, more */
#define FORMS(X)                                                                              \
	X(alu_rr, REG_REG, ops_alu, BOTH, "%a%w %S, %R", )                                    \
	X(test_rr, REG_REG, ops_none, BOTH, "test%w %S, %R", )                                \
	X(mov_rr, REG_REG, ops_none, BOTH, "mov%w %S, %R", )                                  \
	X(imul_rr, REG_REG, ops_none, BOTH, "imul%w %S, %R", )                                \
	X(cmov, REG_REG, ops_cc, BOTH, "cmov%a%w %S, %R", )                                   \
	X(xchg_rr, REG_REG, ops_none, BOTH, "xchg%w %S, %R", .valid = valid_xchg)             \
	X(extend, REG_REG, ops_extend, BOTH, "%a %T, %R", .by_disassembly = true)             \
	X(unary, REG, ops_unary, BOTH, "%a%w %R", )                                           \
	X(shift_cl, REG, ops_shift, BOTH, "%a%w %%cl, %R", )                                  \
	X(bswap, REG, ops_none, BOTH, "bswap%w %R", )                                         \
	X(push, REG, ops_none, W64, "pushq %Q", )                                             \
	X(pop, REG, ops_none, W64, "popq %Q", )                                               \
	X(call_reg, REG, ops_none, W64, "callq *%Q", )                                        \
	X(jmp_reg, REG, ops_none, W64, "jmpq *%Q", )                                          \
	X(load_fs, REG_IMM, ops_none, W64, "movq %%fs:%i, %Q", IMM32)                         \
	X(add_seg, REG_IMM, ops_seg, W64, "addq %%%a:%i, %Q", IMM32)                          \
	X(alu_ri, REG_IMM, ops_alu, BOTH, "%a%w $%i, %R", IMM32)                              \
	X(imul_rri, REG_IMM, ops_none, BOTH, "imul%w $%i, %S, %R", IMM32)                     \
	X(load, MEM_INDEX, ops_load, BOTH, "%a %m, %R", )                                     \
	X(load_disp32, MEM_INDEX, ops_none, W64, "movq %m, %Q", .by_disassembly = true)      \
	X(store, MEM_INDEX, ops_store, W64, "%a %B, %m", )                                    \
	X(lea, MEM_INDEX, ops_none, BOTH, "lea%w %m, %R", )                                   \
	X(alu_rm, MEM_REG, ops_alu, BOTH, "%a%w %m, %R", )                                    \
	X(alu_mi, MEM_IMM, ops_alu, BOTH, "%a%w $%i, %m", .imms = {-5, 127, -128}, .imm_count = 3) \
	X(lock_alu, MEM_REG, ops_alu, BOTH, "lock %a%w %R, %m", .valid = valid_lock)          \
	X(lock_xadd, MEM_REG, ops_none, BOTH, "lock xadd%w %R, %m", )                         \
	X(lock_cmpxchg, MEM_REG, ops_none, BOTH, "lock cmpxchg%w %R, %m", )                   \
	X(xchg_mr, MEM_REG, ops_none, BOTH, "xchg%w %R, %m", )                                \
	X(stmxcsr, MEM, ops_none, W64, "stmxcsr %m", )                                        \
	X(ldmxcsr, MEM, ops_none, W64, "ldmxcsr %m", )                                        \
	X(fnstcw, MEM, ops_none, W64, "fnstcw %m", )                                          \
	X(fldcw, MEM, ops_none, W64, "fldcw %m", )                                            \
	X(jcc8, RELATIVE, ops_cc, W64, "j%a %i", .by_disassembly = true, REL8)                \
	X(jcc32, RELATIVE, ops_cc, W64, "j%a %i", .by_disassembly = true, REL32)              \
	X(jmp8, RELATIVE, ops_none, W64, "jmp %i", .by_disassembly = true, REL8)              \
	X(jmp32, RELATIVE, ops_none, W64, "jmp %i", .by_disassembly = true, REL32)            \
	X(call32, RELATIVE, ops_none, W64, "callq %i", .by_disassembly = true, REL32)

#define FORM(name, kind, list, mask, att, ...)                                                             \
	static const struct form form_##name = {.operands = kind, .ops = list, .op_count = LEN(list),      \
						.emit = do_##name, .text = att, .widths = mask, __VA_ARGS__};
FORMS(FORM)
/* clang-format on */

/* ---- going through one ------------------------------------------------------------------------------------- */

typedef void insn_body(const struct insn *i);

static inline void try_insn(const struct insn *i, insn_body *body)
{
	if (!i->form->valid || i->form->valid(i))
		body(i);
}

static inline void each_imm(struct insn *i, insn_body *body)
{
	for (size_t k = 0; k < i->form->imm_count; k++) {
		i->imm = i->form->imms[k];
		try_insn(i, body);
	}
}

static inline void each_index(struct insn *i, insn_body *body)
{
	for (unsigned int index = 0; index < 16; index++)
		for (unsigned int scale = 0; index != NO_INDEX && scale < 4; scale++) {
			int64_t disp = disps[(i->m.base + index) % LEN(disps)];

			i->r = index;
			i->m = (struct mem){disp, i->m.base, (uint16_t)index, (uint8_t)scale};
			try_insn(i, body);
		}
}

static inline void each_memory(struct insn *i, insn_body *body)
{
	for (unsigned int base = 0; base < 16; base++) {
		for (size_t k = 0; k < LEN(disps); k++) {
			i->m = at(base, disps[k]);
			if (i->form->operands == MEM)
				try_insn(i, body);
			else if (i->form->operands == MEM_IMM)
				each_imm(i, body);
			else
				for (i->r = 0; i->r < 16; i->r++)
					if (i->form->operands == MEM_INDEX || (base + i->r) % LEN(disps) == k)
						try_insn(i, body);
		}
		if (i->form->operands == MEM_INDEX)
			each_index(i, body);
	}
}

static inline void each_operand(struct insn *i, insn_body *body)
{
	switch (i->form->operands) {
	case REG:
		for (i->r = 0; i->r < 16; i->r++)
			try_insn(i, body);
		break;
	case REG_REG:
		for (i->r = 0; i->r < 16; i->r++)
			for (i->s = 0; i->s < 16; i->s++)
				try_insn(i, body);
		break;
	case REG_IMM:
		for (i->r = 0; i->r < 16; i->r++) {
			i->s = 15 - i->r;
			each_imm(i, body);
		}
		break;
	case RELATIVE: each_imm(i, body); break;
	default: each_memory(i, body);
	}
}

/* Every operation with every width and operand of a form. */
static inline void each_insn(const struct form *form, insn_body *body)
{
	for (size_t n = 0; n < form->op_count; n++)
		for (unsigned int w = 0; w < 2; w++) {
			struct insn i = {.form = form, .op = &form->ops[n], .w = w};

			if ((i.op->widths ? i.op->widths : form->widths) & (w ? W64 : W32))
				each_operand(&i, body);
		}
}

#endif
