/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"
#include "mc.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Every instruction that the backend can put down, as LLVM MC assembles it, compressed where MC compresses: each
 * register field through all 32 registers, each immediate at its ends and around zero. One value beyond is refused.
 */

#define TRIPLE       "riscv64-linux-gnu"
#define FEATURES     "+m,+a,+f,+d,+c"
#define WORDS        "+m,+a,+f,+d" /* nothing compressed */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct op {
	unsigned int value;
	const char *text;
};
/* clang-format off */
#define ROW(name, opcode, text) {name, text},
/* clang-format on */

struct cases {
	struct mc_case *items;
	size_t count, capacity;
	struct jf_code code;
	uint8_t bytes[16];
};

static void begin(struct cases *cases)
{
	jf_code_init(&cases->code, cases->bytes, sizeof(cases->bytes), 0x1000, NULL, 0);
}

/* Takes what was emitted since begin() as one case, and begins the next. */
static void take(struct cases *cases, const char *format, ...)
{
	struct mc_case *item;
	va_list args;

	if (cases->count == cases->capacity) {
		cases->capacity = cases->capacity ? 2 * cases->capacity : 1024;
		cases->items = realloc(cases->items, cases->capacity * sizeof(*cases->items));
		cr_assert_not_null(cases->items);
	}
	item = &cases->items[cases->count++];
	va_start(args, format);
	vsnprintf(item->text, sizeof(item->text), format, args);
	va_end(args);
	cr_assert_eq(jf_code_finish(&cases->code), JF_OK, "%s was refused", item->text);
	cr_assert(cases->code.size == 2 || cases->code.size == 4, "%s is not one instruction", item->text);
	for (size_t i = 0; i < cases->code.size; i++)
		item->bytes[i] = cases->bytes[i];
	item->size = (uint8_t)cases->code.size;
	begin(cases);
}

static void check(struct cases *cases, const char *features)
{
	cr_assert_gt(cases->count, 0);
	mc_check_assembles(TRIPLE, features, cases->items, cases->count);
	free(cases->items);
}

/* Runs `body` with a through all registers and b, c fixed, then b, then c; and with two of them the same. */
#define EACH_REGISTER(fields, a, b, c, body)                                            \
	for (unsigned int field = 0; field < (fields) + 2; field++) {                   \
		for (unsigned int reg = 0; reg < 32; reg++) {                           \
			unsigned int a = field == 0 || field >= (fields) ? reg : 21;    \
			unsigned int b = field == 1 || field == (fields) ? reg : 10;    \
			unsigned int c = field == 2 || field == (fields) + 1 ? reg : 9; \
			(void)c;                                                        \
			body;                                                           \
		}                                                                       \
	}

/* The statement must leave JF_E_RANGE behind, and no bytes. */
#define REFUSED(statement)                                                                     \
	do {                                                                                   \
		struct cases refused = {0};                                                    \
		struct jf_code *code = &refused.code;                                          \
		begin(&refused);                                                               \
		statement;                                                                     \
		cr_expect_eq(jf_code_finish(code), JF_E_RANGE, "not refused: %s", #statement); \
		cr_expect_eq(code->size, 0, "bytes were left by %s", #statement);              \
	} while (0)

/* At the ends of what fits, compressed forms and 12 bits, and around them. */
static const int edges12[] = {-2048, -2047, -513, -512, -64, -33, -32, -31,  -16,  -8,   -1,   0,
			      1,     2,     4,    8,    16,  31,  32,  60,   64,   124,  128,  248,
			      252,   256,   496,  504,  508, 512, 528, 1020, 1024, 2040, 2046, 2047};

Test(insn_riscv64, three_registers)
{
	static const struct op ops[] = {RV_R_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum rv_r op = (enum rv_r)ops[i].value;

		EACH_REGISTER(3, rd, rs1, rs2, emit_r(&cases.code, op, rd, rs1, rs2);
			      take(&cases, "%s x%u, x%u, x%u", ops[i].text, rd, rs1, rs2));
		for (unsigned int reg = 0; reg < 32; reg++) {
			emit_r(&cases.code, op, reg, 9, reg);
			take(&cases, "%s x%u, x9, x%u", ops[i].text, reg, reg);
			emit_r(&cases.code, op, reg, reg, 9);
			take(&cases, "%s x%u, x%u, x9", ops[i].text, reg, reg);
		}
		REFUSED(emit_r(code, op, 32, 0, 0));
		REFUSED(emit_r(code, op, 0, 32, 0));
		REFUSED(emit_r(code, op, 0, 0, 32));
	}
	check(&cases, FEATURES);
}

Test(insn_riscv64, atomics)
{
	static const struct op ops[] = {RV_AMO_LIST(ROW)}, lr[] = {RV_LR_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum rv_amo op = (enum rv_amo)ops[i].value;

		EACH_REGISTER(3, rd, rs2, rs1, emit_amo(&cases.code, op, rd, rs2, rs1);
			      take(&cases, "%s x%u, x%u, (x%u)", ops[i].text, rd, rs2, rs1));
		REFUSED(emit_amo(code, op, 32, 1, 2));
		REFUSED(emit_amo(code, op, 1, 32, 2));
		REFUSED(emit_amo(code, op, 1, 2, 32));
	}
	for (size_t i = 0; i < COUNT(lr); i++) {
		EACH_REGISTER(2, rd, rs1, unused, emit_lr(&cases.code, (enum rv_lr)lr[i].value, rd, rs1);
			      take(&cases, "%s x%u, (x%u)", lr[i].text, rd, rs1));
		REFUSED(emit_lr(code, (enum rv_lr)lr[i].value, 32, 0));
		REFUSED(emit_lr(code, (enum rv_lr)lr[i].value, 0, 32));
	}
	emit_fence(&cases.code, RV_FENCE_RW, RV_FENCE_RW);
	take(&cases, "fence rw, rw");
	emit_fence(&cases.code, RV_FENCE_R, RV_FENCE_RW);
	take(&cases, "fence r, rw");
	emit_fence(&cases.code, RV_FENCE_RW, RV_FENCE_W);
	take(&cases, "fence rw, w");
	REFUSED(emit_fence(code, 16, 0));
	REFUSED(emit_fence(code, 0, 16));
	check(&cases, FEATURES);
}

Test(insn_riscv64, shifts_by_constants)
{
	static const struct op ops[] = {RV_SHIFT_LIST(ROW)}, words[] = {RV_SHIFTW_LIST(ROW)};
	static const unsigned int counts[] = {0, 1, 31, 32, 63};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum rv_shift op = (enum rv_shift)ops[i].value;

		for (size_t k = 0; k < COUNT(counts); k++)
			EACH_REGISTER(2, rd, rs1, unused, emit_shift(&cases.code, op, rd, rs1, counts[k]);
				      take(&cases, "%s x%u, x%u, %u", ops[i].text, rd, rs1, counts[k]));
		REFUSED(emit_shift(code, op, 0, 0, -1));
		REFUSED(emit_shift(code, op, 0, 0, 64));
		REFUSED(emit_shift(code, op, 32, 0, 0));
		REFUSED(emit_shift(code, op, 0, 32, 0));
	}
	for (size_t i = 0; i < COUNT(words); i++) {
		enum rv_shiftw op = (enum rv_shiftw)words[i].value;

		for (size_t k = 0; k < 3; k++)
			EACH_REGISTER(2, rd, rs1, unused, emit_shiftw(&cases.code, op, rd, rs1, counts[k]);
				      take(&cases, "%s x%u, x%u, %u", words[i].text, rd, rs1, counts[k]));
		REFUSED(emit_shiftw(code, op, 0, 0, -1));
		REFUSED(emit_shiftw(code, op, 0, 0, 32));
		REFUSED(emit_shiftw(code, op, 32, 0, 0));
	}
	check(&cases, FEATURES);
}

Test(insn_riscv64, immediates)
{
	static const struct op ops[] = {RV_I_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum rv_i op = (enum rv_i)ops[i].value;

		for (size_t k = 0; k < COUNT(edges12); k++) {
			EACH_REGISTER(2, rd, rs1, unused, emit_i(&cases.code, op, rd, rs1, edges12[k]);
				      take(&cases, "%s x%u, x%u, %d", ops[i].text, rd, rs1, edges12[k]));
			emit_i(&cases.code, op, 10, 2, edges12[k]);
			take(&cases, "%s x10, sp, %d", ops[i].text, edges12[k]);
		}
		REFUSED(emit_i(code, op, 0, 0, -2049));
		REFUSED(emit_i(code, op, 0, 0, 2048));
		REFUSED(emit_i(code, op, 0, 0, INT64_C(1) << 32));
		REFUSED(emit_i(code, op, 32, 0, 0));
		REFUSED(emit_i(code, op, 0, 32, 0));
	}
	check(&cases, FEATURES);
}

Test(insn_riscv64, loads_and_stores)
{
	static const struct op loads[] = {RV_LOAD_LIST(ROW)}, stores[] = {RV_STORE_LIST(ROW)};
	static const unsigned int bases[] = {2, 9, 21};
	struct cases cases = {0};

	begin(&cases);
	for (size_t k = 0; k < COUNT(edges12) * COUNT(bases); k++) {
		int off = edges12[k % COUNT(edges12)];
		unsigned int base = bases[k / COUNT(edges12)];

		for (unsigned int reg = 0; reg < 32; reg++) {
			for (size_t i = 0; i < COUNT(loads); i++) {
				emit_load(&cases.code, (enum rv_load)loads[i].value, reg, base, off);
				take(&cases, "%s x%u, %d(x%u)", loads[i].text, reg, off, base);
			}
			for (size_t i = 0; i < COUNT(stores); i++) {
				emit_store(&cases.code, (enum rv_store)stores[i].value, reg, base, off);
				take(&cases, "%s x%u, %d(x%u)", stores[i].text, reg, off, base);
			}
			emit_fld(&cases.code, RV_F0 + reg, base, off);
			take(&cases, "fld f%u, %d(x%u)", reg, off, base);
			emit_fsd(&cases.code, RV_F0 + reg, base, off);
			take(&cases, "fsd f%u, %d(x%u)", reg, off, base);
		}
	}
	for (unsigned int base = 0; base < 32; base++) {
		emit_load(&cases.code, RV_LD, 10, base, 8);
		take(&cases, "ld x10, 8(x%u)", base);
		emit_store(&cases.code, RV_SW, 10, base, 8);
		take(&cases, "sw x10, 8(x%u)", base);
		emit_fld(&cases.code, RV_FA0, base, 8);
		take(&cases, "fld fa0, 8(x%u)", base);
	}
	REFUSED(emit_load(code, RV_LD, 0, 0, 2048));
	REFUSED(emit_load(code, RV_LD, 0, 0, -2049));
	REFUSED(emit_load(code, RV_LD, 32, 0, 0));
	REFUSED(emit_store(code, RV_SD, 0, 0, 2048));
	REFUSED(emit_store(code, RV_SD, 0, 0, -2049));
	REFUSED(emit_store(code, RV_SD, 0, 32, 0));
	REFUSED(emit_fld(code, RV_F0 - 1, 0, 0));
	REFUSED(emit_fld(code, RV_F0, 0, 2048));
	REFUSED(emit_fsd(code, RV_F0 + 32, 0, 0));
	REFUSED(emit_fsd(code, RV_F0, 0, -2049));
	check(&cases, FEATURES);
}

/* The assembler takes the upper parts without a sign. */
Test(insn_riscv64, upper_parts)
{
	static const int edges[] = {-524288, -33, -32, -1, 0, 1, 31, 32, 524287};
	struct cases cases = {0};

	begin(&cases);
	for (size_t k = 0; k < COUNT(edges); k++) {
		for (unsigned int rd = 0; rd < 32; rd++) {
			emit_lui(&cases.code, rd, edges[k]);
			take(&cases, "lui x%u, %d", rd, edges[k] & 0xfffff);
			emit_auipc(&cases.code, rd, edges[k]);
			take(&cases, "auipc x%u, %d", rd, edges[k] & 0xfffff);
		}
	}
	REFUSED(emit_lui(code, 0, -524289));
	REFUSED(emit_lui(code, 0, 524288));
	REFUSED(emit_lui(code, 32, 0));
	REFUSED(emit_auipc(code, 0, 524288));
	REFUSED(emit_auipc(code, 32, 0));
	check(&cases, FEATURES);
}

Test(insn_riscv64, branches)
{
	static const struct op ops[] = {RV_BRANCH_LIST(ROW)};
	static const int edges[] = {0, 2, 4, -2, -4}; /* and as far as 2^(bits-1) */
	struct cases cases = {0};

	begin(&cases);
	for (size_t k = 0; k < 2 * COUNT(edges); k++) {
		int step = edges[k % COUNT(edges)], far = k < COUNT(edges) ? 0 : step < 0 ? 1 : -1;
		int d12 = far * (1 << 12) + step, d20 = far * (1 << 20) + step;

		for (size_t i = 0; i < COUNT(ops); i++)
			EACH_REGISTER(2, rs1, rs2, unused,
				      emit_branch(&cases.code, (enum rv_branch)ops[i].value, rs1, rs2, d12);
				      take(&cases, "%s x%u, x%u, %d", ops[i].text, rs1, rs2, d12));
		for (unsigned int rd = 0; rd < 32; rd++) {
			emit_jal(&cases.code, rd, d20);
			take(&cases, "jal x%u, %d", rd, d20);
		}
	}
	REFUSED(emit_branch(code, RV_BEQ, 0, 0, 1 << 12));
	REFUSED(emit_branch(code, RV_BEQ, 0, 0, -(1 << 12) - 2));
	REFUSED(emit_branch(code, RV_BEQ, 0, 0, 3));
	REFUSED(emit_branch(code, RV_BEQ, 32, 0, 0));
	REFUSED(emit_branch(code, RV_BEQ, 0, 32, 0));
	REFUSED(emit_jal(code, 0, 1 << 20));
	REFUSED(emit_jal(code, 0, -(1 << 20) - 2));
	REFUSED(emit_jal(code, 0, 3));
	REFUSED(emit_jal(code, 32, 0));
	check(&cases, WORDS);
}

Test(insn_riscv64, jumps_through_registers)
{
	struct cases cases = {0};

	begin(&cases);
	for (size_t k = 0; k < COUNT(edges12); k++)
		EACH_REGISTER(2, rd, rs1, unused, emit_jalr(&cases.code, rd, rs1, edges12[k]);
			      take(&cases, "jalr x%u, %d(x%u)", rd, edges12[k], rs1));
	for (unsigned int rs1 = 0; rs1 < 32; rs1++) {
		emit_jalr(&cases.code, 0, rs1, 0);
		take(&cases, "jalr zero, 0(x%u)", rs1);
		emit_jalr(&cases.code, 1, rs1, 0);
		take(&cases, "jalr ra, 0(x%u)", rs1);
	}
	REFUSED(emit_jalr(code, 0, 0, 2048));
	REFUSED(emit_jalr(code, 0, 0, -2049));
	REFUSED(emit_jalr(code, 32, 0, 0));
	REFUSED(emit_jalr(code, 0, 32, 0));
	check(&cases, FEATURES);
}

Test(insn_riscv64, macros)
{
	struct cases cases = {0};

	begin(&cases);
	emit_move(&cases.code, RV_A5, RV_A0);
	take(&cases, "mv a5, a0");
	emit_move(&cases.code, RV_A5, RV_ZERO);
	take(&cases, "li a5, 0");
	emit_sext32(&cases.code, RV_T1, RV_S1);
	take(&cases, "sext.w t1, s1");
	emit_ebreak(&cases.code);
	take(&cases, "ebreak");
	check(&cases, FEATURES);
	cases = (struct cases){0};
	begin(&cases);
	emit_lpad(&cases.code);
	take(&cases, "lpad 0");
	check(&cases, "+experimental-zicfilp");
}

/* Both ways: what is put down compressed stands for what was asked for, and everything that can be is compressed. */
Test(insn_riscv64, compressed_forms)
{
	unsigned int chosen = 0;

	for (unsigned int value = 0; value < 0x10000; value++) {
		const char *name = NULL;
		uint32_t word = (value & 3) == 3 ? 0 : jf_riscv64_expand((uint16_t)value, &name);
		uint16_t again = word ? jf_riscv64_compress(word) : 0;

		cr_assert_eq(word != 0, name != NULL, "%04x", value);
		cr_assert(!again || jf_riscv64_expand(again, &name) == word || (again & 0xf003) == 0x8002,
			  "%04x %s is %08x, which is %04x", value, name, word, again);
		chosen += again == value;
	}
	cr_assert_gt(chosen, 45000);
}
