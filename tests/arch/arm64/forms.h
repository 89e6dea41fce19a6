/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_FORMS_ARM64_H
#define JF_TESTS_FORMS_ARM64_H

#include "insn.h"

#include <string.h>

/*
 * The forms of arm64's instructions, each with the lists of insn.h: what there is, what of it is tried, and what has
 * to be refused. insn.c holds each instruction to LLVM and Capstone, encoders.c to our decoder.
 *
 * Operands are written as the assembler has them, with
 *
 *     %z0    register 0, x or w by the instruction's width, or that of the access; 31 is the zero register
 *     %s0    the same; 31 is sp
 *     %x0 %p0   always x; 31 is the zero register, or sp
 *     %w0       always w; 31 is the zero register
 *     %v0       of a pair: x or d
 *     %b0    x if bit 5 of the constant is set, else w
 *     %o0    as %z0 if the operation sets flags, else as %s0
 *     %i %l %h  the constant; its lowest 16 bits; what is above them
 *     %c     the condition that the constant is the number of
 */
struct op {
	unsigned int value;
	const char *name;
	const char *operands; /* behind the form's */
	unsigned int shift;   /* memory: 1 << shift bytes */
};

struct insn;

/* What the instruction does, as far as the decoder is asked. */
enum does {
	DOES_WRITE,    /* register 0; 31: nothing */
	DOES_WRITE_SP, /* register 0; 31: sp */
	DOES_WRITE_BY_FLAGS,
	DOES_ACCESS, /* memory at register 1, and the constant or register 2 */
	DOES_PAIR,
	DOES_STORE_EXCLUSIVE,
	DOES_ATOMIC,
	DOES_JUMP_REG,
	DOES_BRANCH,
};

#define IMMS_MAX 16
struct form {
	const struct op *ops;
	size_t op_count;
	void (*emit)(struct jf_code *code, const struct insn *insn);
	const char *operands;
	unsigned int regs;
	enum does does;
	bool both_widths; /* w = 0, 1; else x */
	bool fp;          /* w = 0, 1 stands for x and d */
	bool newer;       /* than Capstone 4 */
	bool (*valid)(const struct insn *insn);
	/* Constants by width, 32 bits and 64: what is taken and what is refused. Scaled: in units of the access. */
	int64_t imms[2][IMMS_MAX];
	unsigned int imm_count[2];
	int64_t refused[2][IMMS_MAX];
	unsigned int refused_count[2];
	bool scaled;
};

struct insn {
	const struct form *form;
	const struct op *op;
	bool w;
	unsigned int r[4];
	int64_t imm;
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
/* clang-format off */
#define OP(name, opcode, text) {name, text, "", 3},
#define OP_AT(name, opcode, text, operands) {name, text, operands, 3},
#define OP_SIZES(name, opcode, text) \
	{name, text "b", "", 0}, {name, text "h", "", 1}, {name, text, "", 2}, {name, text, "", 3},
#define OP_SCALED(name, shift, text, unscaled) {name, text, "", shift},
#define OP_UNSCALED(name, shift, text, unscaled) {name, unscaled, "", shift},
#define FORM_OPS(list) .ops = list, .op_count = LEN(list)
#define IMMS(...) .imms = {{__VA_ARGS__}, {__VA_ARGS__}}, \
	.imm_count = {LEN(((int64_t[]){__VA_ARGS__})), LEN(((int64_t[]){__VA_ARGS__}))}
#define REFUSES(...) .refused = {{__VA_ARGS__}, {__VA_ARGS__}}, \
	.refused_count = {LEN(((int64_t[]){__VA_ARGS__})), LEN(((int64_t[]){__VA_ARGS__}))}
/* The constant's two parts. */
#define PARTS(low, high) ((int64_t)(high) * 65536 + (low))

static const struct op ops_rrr[] = {JF_ARM64_RRR_LIST(OP)};
static const struct op ops_rrrr[] = {JF_ARM64_RRRR_LIST(OP)};
static const struct op ops_rev[] = {JF_ARM64_REV_LIST(OP)};
static const struct op ops_add_uxtw[] = {{0, "add", "", 3}};
static const struct op ops_csel[] = {{0, "csel", "", 3}};
static const struct op ops_addsub[] = {JF_ARM64_ADDSUB_LIST(OP)};
static const struct op ops_logical[] = {JF_ARM64_LOGICAL_LIST(OP)};
static const struct op ops_wide[] = {JF_ARM64_WIDE_LIST(OP)};
static const struct op ops_bitfield[] = {JF_ARM64_BITFIELD_LIST(OP)};
static const struct op ops_scaled[] = {JF_ARM64_LDST_LIST(OP_SCALED)};
static const struct op ops_unscaled[] = {JF_ARM64_LDST_LIST(OP_UNSCALED)};
static const struct op ops_pair[] = {JF_ARM64_PAIR_LIST(OP_AT)};
static const struct op ops_ordered[] = {JF_ARM64_ORDERED_LIST(OP_SIZES)};
static const struct op ops_exclusive[] = {JF_ARM64_EXCLUSIVE_STORE_LIST(OP_SIZES)};
static const struct op ops_atomic[] = {JF_ARM64_ATOMIC_LIST(OP_SIZES)};
static const struct op ops_branch_reg[] = {JF_ARM64_BRANCH_REG_LIST(OP)};
static const struct op ops_jump[] = {{0, "b", "", 3}, {1, "bl", "", 3}};
static const struct op ops_cbz[] = {{0, "cbz", "", 3}, {1, "cbnz", "", 3}};
static const struct op ops_tbz[] = {{0, "tbz", "", 3}, {1, "tbnz", "", 3}};
#define OP_B_COND(name, number, text) {name, "b." text, "", 3},
static const struct op ops_b_cond[] = {JF_ARM64_COND_LIST(OP_B_COND)};
static const struct op ops_adrp[] = {{0, "adrp", "", 3}};
#define OP_MRS(name, number, text) {name, "mrs", text, 3},
static const struct op ops_mrs[] = {JF_ARM64_SYSREG_LIST(OP_MRS)};
/* clang-format on */
#define COND_NAME(name, number, text) text,
static const char *const cond_names[] = {JF_ARM64_COND_LIST(COND_NAME)};

/* ---- calling the encoders -------------------------------------------------------------------------------- */

/* name, and what comes behind the first argument: `i` is the instruction */
#define EMIT(name, ...)                                                            \
	static inline void emit_##name(struct jf_code *code, const struct insn *i) \
	{                                                                          \
		jf_arm64_##name(code, __VA_ARGS__);                                \
	}
#define LOW(i)  ((unsigned int)((i)->imm & 0xffff))
#define HIGH(i) ((unsigned int)((i)->imm >> 16))

EMIT(rrr, (enum jf_arm64_rrr)i->op->value, i->w, i->r[0], i->r[1], i->r[2])
EMIT(rrrr, (enum jf_arm64_rrrr)i->op->value, i->w, i->r[0], i->r[1], i->r[2], i->r[3])
EMIT(rev, (enum jf_arm64_rev)i->op->value, i->w, i->r[0], i->r[1])
EMIT(add_uxtw, i->r[0], i->r[1], i->r[2], (unsigned int)i->imm)
EMIT(csel, (enum jf_arm64_cond)i->imm, i->r[0], i->r[1], i->r[2])
EMIT(addsub, (enum jf_arm64_addsub)i->op->value, i->w, i->r[0], i->r[1], (uint64_t)i->imm)
EMIT(logical, (enum jf_arm64_logical)i->op->value, i->w, i->r[0], i->r[1], (uint64_t)i->imm)
EMIT(wide, (enum jf_arm64_wide)i->op->value, i->w, i->r[0], LOW(i), HIGH(i))
EMIT(bitfield, (enum jf_arm64_bitfield)i->op->value, i->w, i->r[0], i->r[1], LOW(i), HIGH(i))
EMIT(ldst_scaled, (enum jf_arm64_ldst)i->op->value, i->op->shift, i->r[0], i->r[1], i->imm)
EMIT(ldst_unscaled, (enum jf_arm64_ldst)i->op->value, i->op->shift, i->r[0], i->r[1], i->imm)
EMIT(ldst_reg, (enum jf_arm64_ldst)i->op->value, i->op->shift, i->r[0], i->r[1], i->r[2])
EMIT(pair, (enum jf_arm64_pair)i->op->value, i->w, i->r[0], i->r[1], i->r[2], i->imm)
EMIT(ordered, (enum jf_arm64_ordered)i->op->value, i->op->shift, i->r[0], i->r[1])
EMIT(store_exclusive, (enum jf_arm64_exclusive_store)i->op->value, i->op->shift, i->r[0], i->r[1], i->r[2])
EMIT(atomic_insn, (enum jf_arm64_atomic)i->op->value, i->op->shift, i->r[0], i->r[1], i->r[2])
EMIT(branch_reg, (enum jf_arm64_branch_reg)i->op->value, i->r[0])
EMIT(b, i->op->value, i->imm)
EMIT(b_cond, (enum jf_arm64_cond)i->op->value, i->imm)
EMIT(cbz, i->op->value, i->w, i->r[0], i->imm)
EMIT(tbz, i->op->value, i->r[0], LOW(i), i->imm >> 16)
EMIT(adrp, i->r[0], i->imm / 4096)
EMIT(mrs, i->r[0], (enum jf_arm64_sysreg)i->op->value)

/* ---- the forms --------------------------------------------------------------------------------------------- */

/* Where the base is written, it is no data; a load has two targets. */
static inline bool valid_pair(const struct insn *i)
{
	bool writes_back = i->op->value == JF_ARM64_STP_PRE || i->op->value == JF_ARM64_LDP_POST;
	bool load = i->op->value == JF_ARM64_LDP || i->op->value == JF_ARM64_LDP_POST;
	bool base_is_data = !i->w && i->r[2] < 31 && (i->r[0] == i->r[2] || i->r[1] == i->r[2]);

	return !(writes_back && base_is_data) && !(load && i->r[0] == i->r[1]);
}

/* The encoder refuses the others. */
static inline bool valid_exclusive(const struct insn *i)
{
	return i->r[0] != i->r[1] && i->r[0] != i->r[2];
}

#define FORMS(X)                                                                                                      \
	X(three_registers, FORM_OPS(ops_rrr), .emit = emit_rrr, .operands = "%z0, %z1, %z2", .regs = 3,               \
	  .both_widths = true)                                                                                        \
	X(multiply, FORM_OPS(ops_rrrr), .emit = emit_rrrr, .operands = "%z0, %z1, %z2, %z3", .regs = 4,               \
	  .both_widths = true)                                                                                        \
	X(reverse, FORM_OPS(ops_rev), .emit = emit_rev, .operands = "%z0, %z1", .regs = 2, .both_widths = true)       \
	X(add_index, FORM_OPS(ops_add_uxtw), .emit = emit_add_uxtw, .operands = "%p0, %p1, %w2, uxtw #%i", .regs = 3, \
	  .does = DOES_WRITE_SP, IMMS(0, 1, 2, 3, 4), REFUSES(5))                                                     \
	X(choose, FORM_OPS(ops_csel), .emit = emit_csel, .operands = "%x0, %x1, %x2, %c", .regs = 3,                  \
	  IMMS(JF_ARM64_HI, JF_ARM64_EQ, JF_ARM64_LE, JF_ARM64_GT), REFUSES(16))                                      \
	X(add_immediate, FORM_OPS(ops_addsub), .emit = emit_addsub, .operands = "%o0, %s1, #%i", .regs = 2,           \
	  .does = DOES_WRITE_BY_FLAGS, .both_widths = true,                                                           \
	  IMMS(0x123, 0, 1, 16, 2048, 4095, 4096, 8192, 0x800000, 0xfff000), REFUSES(4097, 0x1000000, -1))            \
	X(bitmask, FORM_OPS(ops_logical), .emit = emit_logical, .operands = "%o0, %z1, #%i", .regs = 2,               \
	  .does = DOES_WRITE_BY_FLAGS, .both_widths = true,                                                           \
	  .imms = {{0xff0, 1, 0xff, 0xff00ff00, 0x7ffffffe, 0xfffffff0, 0xaaaaaaaa},                                  \
		   {0xff0, 0x100000001, 0xff000000ff, (int64_t)0xff00ff00ff00ff00, 0x7ffffffe7ffffffe,                \
		    (int64_t)0xfffffff0fffffff0, (int64_t)0xaaaaaaaaaaaaaaaa}},                                       \
	  .imm_count = {7, 7}, .refused = {{0, UINT32_MAX, 0x100000001}, {0, -1}}, .refused_count = {3, 2})           \
	X(move_wide, FORM_OPS(ops_wide), .emit = emit_wide, .operands = "%z0, #%l, lsl #%h", .regs = 1,               \
	  .both_widths = true,                                                                                        \
	  .imms = {{PARTS(0x1234, 16), PARTS(0, 0), PARTS(1, 0), PARTS(0x8000, 0), PARTS(0xffff, 0), PARTS(0, 16),    \
		    PARTS(1, 16), PARTS(0x8000, 16), PARTS(0xffff, 16), PARTS(0x1234, 0)},                            \
		   {PARTS(0x1234, 16), PARTS(0, 0), PARTS(1, 48), PARTS(0x8000, 32), PARTS(0xffff, 0), PARTS(0, 16),  \
		    PARTS(1, 32), PARTS(0x8000, 48), PARTS(0xffff, 48), PARTS(0x1234, 32)}},                          \
	  .imm_count = {10, 10}, .refused = {{PARTS(0, 32), PARTS(0, 8)}, {PARTS(0, 64), PARTS(0, 8)}},               \
	  .refused_count = {2, 2})                                                                                    \
	X(bitfield, FORM_OPS(ops_bitfield), .emit = emit_bitfield, .operands = "%z0, %z1, #%l, #%h", .regs = 2,       \
	  .both_widths = true,                                                                                        \
	  .imms = {{PARTS(0, 31), PARTS(3, 31), PARTS(29, 28), PARTS(31, 0), PARTS(16, 15), PARTS(0, 7)},             \
		   {PARTS(0, 63), PARTS(3, 63), PARTS(61, 60), PARTS(63, 0), PARTS(16, 15), PARTS(0, 7)}},            \
	  .imm_count = {6, 6}, .refused = {{PARTS(32, 0), PARTS(0, 32)}, {PARTS(64, 0), PARTS(0, 64)}},               \
	  .refused_count = {2, 2})                                                                                    \
	X(scaled, FORM_OPS(ops_scaled), .emit = emit_ldst_scaled, .operands = "%z0, [%p1, #%i]", .regs = 2,           \
	  .does = DOES_ACCESS, .scaled = true, IMMS(8, 0, 1, 2, 4, 2047, 4095), REFUSES(4096, -1))                    \
	X(unscaled, FORM_OPS(ops_unscaled), .emit = emit_ldst_unscaled, .operands = "%z0, [%p1, #%i]", .regs = 2,     \
	  .does = DOES_ACCESS, IMMS(-9, -256, -255, -204, -153, -102, -51, -1, 0, 51, 102, 153, 204, 254, 255),       \
	  REFUSES(256, -257))                                                                                         \
	X(indexed, FORM_OPS(ops_scaled), .emit = emit_ldst_reg, .operands = "%z0, [%p1, %x2]", .regs = 3,             \
	  .does = DOES_ACCESS)                                                                                        \
	X(pairs, FORM_OPS(ops_pair), .emit = emit_pair, .operands = "%v0, %v1, ", .regs = 3, .does = DOES_PAIR,       \
	  .both_widths = true, .fp = true, .valid = valid_pair, IMMS(16, -512, -504, -16, -8, 0, 8, 32, 504),         \
	  REFUSES(-520, 512, 4))                                                                                      \
	X(ordered, FORM_OPS(ops_ordered), .emit = emit_ordered, .operands = "%z0, [%p1]", .regs = 2,                  \
	  .does = DOES_ACCESS)                                                                                        \
	X(store_exclusive, FORM_OPS(ops_exclusive), .emit = emit_store_exclusive, .operands = "%w0, %z1, [%p2]",      \
	  .regs = 3, .does = DOES_STORE_EXCLUSIVE, .valid = valid_exclusive)                                          \
	X(atomic_instructions, FORM_OPS(ops_atomic), .emit = emit_atomic_insn, .operands = "%z0, %z1, [%p2]",         \
	  .regs = 3, .does = DOES_ATOMIC, .newer = true)                                                              \
	X(jumps, FORM_OPS(ops_jump), .emit = emit_b, .operands = "#%i", .does = DOES_BRANCH,                          \
	  IMMS(0, 4, -4, 16384, -16384, 0x7fffffc, -0x8000000), REFUSES(0x8000000, -0x8000004, 2, INT64_MIN))         \
	X(jumps_to_registers, FORM_OPS(ops_branch_reg), .emit = emit_branch_reg, .operands = "%x0", .regs = 1,        \
	  .does = DOES_JUMP_REG)                                                                                      \
	X(branch_on_condition, FORM_OPS(ops_b_cond), .emit = emit_b_cond, .operands = "#%i", .does = DOES_BRANCH,     \
	  IMMS(0, 4, -4, 128, -128, 0xffffc, -0x100000), REFUSES(0x100000, -0x100004, 1))                             \
	X(compare_and_branch, FORM_OPS(ops_cbz), .emit = emit_cbz, .operands = "%z0, #%i", .regs = 1,                 \
	  .does = DOES_BRANCH, .both_widths = true, IMMS(8, 0, 4, -4, 128, -128, 0xffffc, -0x100000),                 \
	  REFUSES(0x100000, -0x100004, 2))                                                                            \
	X(test_and_branch, FORM_OPS(ops_tbz), .emit = emit_tbz, .operands = "%b0, #%l, #%h", .regs = 1,               \
	  .does = DOES_BRANCH,                                                                                        \
	  IMMS(PARTS(5, 8), PARTS(63, 0), PARTS(63, 4), PARTS(63, -4), PARTS(63, 0x7ffc), PARTS(63, -0x8000),         \
	       PARTS(0, -0x8000), PARTS(31, 4), PARTS(32, 4)),                                                        \
	  REFUSES(PARTS(64, 0), PARTS(0, 0x8000), PARTS(0, -0x8004), PARTS(0, 2)))                                    \
	X(pages, FORM_OPS(ops_adrp), .emit = emit_adrp, .operands = "%x0, #%i", .regs = 1,                            \
	  IMMS(4096, 0, -4096, 3 * 4096, 0xfffff * INT64_C(4096), -0x100000 * INT64_C(4096)),                         \
	  REFUSES(0x100000 * INT64_C(4096), -0x100001 * INT64_C(4096)))                                               \
	X(system_registers, FORM_OPS(ops_mrs), .emit = emit_mrs, .operands = "%x0, ", .regs = 1)

#define FORM(name, ...) static const struct form form_##name = {__VA_ARGS__};
FORMS(FORM)

/* ---- going through one --------------------------------------------------------------------------------------- */

static inline int64_t imm_at(const struct insn *i, size_t k)
{
	unsigned int count = i->form->imm_count[i->w];

	return count ? i->form->imms[i->w][k % count] * (i->form->scaled ? 1 << i->op->shift : 1) : 0;
}

static inline void try_insn(const struct insn *i, void (*body)(const struct insn *insn))
{
	if (!i->form->valid || i->form->valid(i))
		body(i);
}

/* Every register in each place, beside two sets of others, and every constant. */
static inline void each_insn(const struct form *form, void (*body)(const struct insn *insn))
{
	static const unsigned int others[2][4] = {{1, 12, 23, 4}, {21, 10, 5, 7}};

	for (size_t n = 0; n < form->op_count; n++)
		for (int w = form->both_widths ? 0 : 1; w < 2; w++) {
			struct insn i = {.form = form, .op = &form->ops[n], .w = w};

			for (unsigned int set = 0; set < 2; set++)
				for (unsigned int field = 0; field < form->regs; field++)
					for (unsigned int reg = 0; reg < 32; reg++) {
						memcpy(i.r, others[set], sizeof(i.r));
						i.r[field] = reg;
						i.imm = imm_at(&i, set * reg);
						try_insn(&i, body);
					}
			memcpy(i.r, others[0], sizeof(i.r));
			for (size_t k = 0; k < form->imm_count[w]; k++) {
				i.imm = imm_at(&i, k);
				try_insn(&i, body);
			}
		}
}

#endif
