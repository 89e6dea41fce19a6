/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"
#include "mc.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Every instruction that the backend can put down, as LLVM MC assembles it: each register field through
 * all 32 registers, each immediate at its ends and around zero. One value beyond is refused.
 */

#define TRIPLE       "loongarch64-linux-gnu"
#define FEATURES     "+d"
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
	cr_assert_eq(cases->code.size, 4, "%s is not one instruction", item->text);
	for (int i = 0; i < 4; i++)
		item->bytes[i] = cases->bytes[i];
	item->size = 4;
	begin(cases);
}

static void check(struct cases *cases)
{
	cr_assert_gt(cases->count, 0);
	mc_check_assembles(TRIPLE, FEATURES, cases->items, cases->count);
	free(cases->items);
}

/* Runs `body` with a through all registers and b, c fixed, then b, then c. */
#define EACH_REGISTER(fields, a, b, c, body)                                               \
	for (unsigned int field = 0; field < (fields); field++) {                          \
		for (unsigned int reg = 0; reg < 32; reg++) {                              \
			unsigned int a = field == 0 ? reg : 21, b = field == 1 ? reg : 10; \
			unsigned int c = field == 2 ? reg : 5;                             \
			(void)c;                                                           \
			body;                                                              \
		}                                                                          \
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

Test(insn_loongarch64, two_registers)
{
	static const struct op ops[] = {LA_2R_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum la_2r op = (enum la_2r)ops[i].value;

		EACH_REGISTER(2, rd, rj, rk, emit_2r(&cases.code, op, rd, rj);
			      take(&cases, "%s $r%u, $r%u", ops[i].text, rd, rj));
		REFUSED(emit_2r(code, op, 32, 0));
		REFUSED(emit_2r(code, op, 0, 32));
	}
	check(&cases);
}

Test(insn_loongarch64, three_registers)
{
	static const struct op ops[] = {LA_3R_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum la_3r op = (enum la_3r)ops[i].value;

		EACH_REGISTER(3, rd, rj, rk, emit_3r(&cases.code, op, rd, rj, rk);
			      take(&cases, "%s $r%u, $r%u, $r%u", ops[i].text, rd, rj, rk));
		REFUSED(emit_3r(code, op, 32, 0, 0));
		REFUSED(emit_3r(code, op, 0, 32, 0));
		REFUSED(emit_3r(code, op, 0, 0, 32));
	}
	for (unsigned int shift = 1; shift <= 4; shift++) {
		EACH_REGISTER(3, rd, rj, rk, emit_alsl_d(&cases.code, rd, rj, rk, shift);
			      take(&cases, "alsl.d $r%u, $r%u, $r%u, %u", rd, rj, rk, shift));
	}
	REFUSED(emit_alsl_d(code, 0, 0, 0, 0));
	REFUSED(emit_alsl_d(code, 0, 0, 0, 5));
	REFUSED(emit_alsl_d(code, 0, 0, 32, 1));
	check(&cases);
}

Test(insn_loongarch64, atomics)
{
	static const struct op ops[] = {LA_AM_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum la_am op = (enum la_am)ops[i].value;

		EACH_REGISTER(
			3, rd, rk, rj, if (!rd || (rd != rk && rd != rj)) {
				emit_am(&cases.code, op, rd, rk, rj);
				take(&cases, "%s $r%u, $r%u, $r%u", ops[i].text, rd, rk, rj);
			});
		REFUSED(emit_am(code, op, 32, 1, 2));
		REFUSED(emit_am(code, op, 1, 32, 2));
		REFUSED(emit_am(code, op, 1, 2, 32));
		REFUSED(emit_am(code, op, 1, 2, 1));
		REFUSED(emit_am(code, op, 1, 1, 2));
	}
	for (unsigned int hint = 0; hint < 1u << 15; hint = hint * 2 + 1) {
		emit_dbar(&cases.code, hint);
		take(&cases, "dbar %u", hint);
	}
	REFUSED(emit_dbar(code, 1u << 15));
	emit_break(&cases.code, 0x1234);
	take(&cases, "break %u", 0x1234);
	REFUSED(emit_break(code, 1u << 15));
	check(&cases);
}

Test(insn_loongarch64, shifts_by_constants)
{
	static const struct op ops5[] = {LA_2RI5_LIST(ROW)}, ops6[] = {LA_2RI6_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops5); i++) {
		enum la_2ri5 op = (enum la_2ri5)ops5[i].value;

		EACH_REGISTER(3, rd, rj, count, emit_2ri5(&cases.code, op, rd, rj, count);
			      take(&cases, "%s $r%u, $r%u, %u", ops5[i].text, rd, rj, count));
		REFUSED(emit_2ri5(code, op, 0, 0, -1));
		REFUSED(emit_2ri5(code, op, 0, 0, 32));
		REFUSED(emit_2ri5(code, op, 32, 0, 0));
	}
	for (size_t i = 0; i < COUNT(ops6); i++) {
		enum la_2ri6 op = (enum la_2ri6)ops6[i].value;

		EACH_REGISTER(3, rd, rj, count, emit_2ri6(&cases.code, op, rd, rj, count + 32);
			      take(&cases, "%s $r%u, $r%u, %u", ops6[i].text, rd, rj, count + 32));
		emit_2ri6(&cases.code, op, 1, 2, 0);
		take(&cases, "%s $r1, $r2, 0", ops6[i].text);
		REFUSED(emit_2ri6(code, op, 0, 0, -1));
		REFUSED(emit_2ri6(code, op, 0, 0, 64));
		REFUSED(emit_2ri6(code, op, 0, 32, 0));
	}
	check(&cases);
}

Test(insn_loongarch64, fields)
{
	static const struct op ops[] = {LA_FIELD_LIST(ROW)};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum la_field op = (enum la_field)ops[i].value;

		EACH_REGISTER(2, rd, rj, rk, emit_field(&cases.code, op, rd, rj, 31, 7);
			      take(&cases, "%s $r%u, $r%u, 31, 7", ops[i].text, rd, rj));
		for (unsigned int msb = 0; msb < 64; msb++) {
			for (unsigned int lsb = 0; lsb <= msb; lsb++) {
				emit_field(&cases.code, op, 1, 2, msb, lsb);
				take(&cases, "%s $r1, $r2, %u, %u", ops[i].text, msb, lsb);
			}
		}
		REFUSED(emit_field(code, op, 0, 0, 64, 0));
		REFUSED(emit_field(code, op, 0, 0, 7, 8));
		REFUSED(emit_field(code, op, 32, 0, 7, 0));
		REFUSED(emit_field(code, op, 0, 32, 7, 0));
	}
	check(&cases);
}

Test(insn_loongarch64, immediates_of_12_bits)
{
	static const struct op ops[] = {LA_2RI12_LIST(ROW)}, logical[] = {LA_2RU12_LIST(ROW)},
			       fp[] = {LA_F12_LIST(ROW)};
	static const int edges[] = {-2048, -2047, -1, 0, 1, 2046, 2047}, uedges[] = {0, 1, 2047, 2048, 4095};
	struct cases cases = {0};

	begin(&cases);
	for (size_t i = 0; i < COUNT(ops); i++) {
		enum la_2ri12 op = (enum la_2ri12)ops[i].value;

		for (size_t k = 0; k < COUNT(edges); k++) {
			EACH_REGISTER(2, rd, rj, rk, emit_2ri12(&cases.code, op, rd, rj, edges[k]);
				      take(&cases, "%s $r%u, $r%u, %d", ops[i].text, rd, rj, edges[k]));
		}
		REFUSED(emit_2ri12(code, op, 0, 0, -2049));
		REFUSED(emit_2ri12(code, op, 0, 0, 2048));
		REFUSED(emit_2ri12(code, op, 0, 0, INT64_C(1) << 32));
		REFUSED(emit_2ri12(code, op, 32, 0, 0));
		REFUSED(emit_2ri12(code, op, 0, 32, 0));
	}
	for (size_t i = 0; i < COUNT(logical); i++) {
		enum la_2ru12 op = (enum la_2ru12)logical[i].value;

		for (size_t k = 0; k < COUNT(uedges); k++) {
			EACH_REGISTER(2, rd, rj, rk, emit_2ru12(&cases.code, op, rd, rj, uedges[k]);
				      take(&cases, "%s $r%u, $r%u, %d", logical[i].text, rd, rj, uedges[k]));
		}
		REFUSED(emit_2ru12(code, op, 0, 0, -1));
		REFUSED(emit_2ru12(code, op, 0, 0, 4096));
		REFUSED(emit_2ru12(code, op, 32, 0, 0));
	}
	for (size_t i = 0; i < COUNT(fp); i++) {
		enum la_f12 op = (enum la_f12)fp[i].value;

		for (size_t k = 0; k < COUNT(edges); k++) {
			EACH_REGISTER(2, fd, rj, rk, emit_f12(&cases.code, op, LA_F0 + fd, rj, edges[k]);
				      take(&cases, "%s $f%u, $r%u, %d", fp[i].text, fd, rj, edges[k]));
		}
		REFUSED(emit_f12(code, op, LA_F0, 0, -2049));
		REFUSED(emit_f12(code, op, LA_F0, 0, 2048));
		REFUSED(emit_f12(code, op, LA_F0 - 1, 0, 0));
		REFUSED(emit_f12(code, op, LA_F0 + 32, 0, 0));
	}
	check(&cases);
}

Test(insn_loongarch64, immediates_of_14_to_20_bits)
{
	static const struct op ops14[] = {LA_2RI14_LIST(ROW)}, ops16[] = {LA_2RI16_LIST(ROW)},
			       ops20[] = {LA_1RI20_LIST(ROW)};
	static const int edges16[] = {-32768, -32764, -4, 0, 4, 32760, 32764};
	static const int edges20[] = {-524288, -524287, -1, 0, 1, 524286, 524287};
	struct cases cases = {0};

	begin(&cases);
	for (size_t k = 0; k < COUNT(edges16); k++) {
		for (size_t i = 0; i < COUNT(ops14); i++) {
			EACH_REGISTER(2, rd, rj, rk,
				      emit_2ri14(&cases.code, (enum la_2ri14)ops14[i].value, rd, rj, edges16[k]);
				      take(&cases, "%s $r%u, $r%u, %d", ops14[i].text, rd, rj, edges16[k]));
		}
		for (size_t i = 0; i < COUNT(ops16); i++) {
			EACH_REGISTER(2, rd, rj, rk,
				      emit_2ri16(&cases.code, (enum la_2ri16)ops16[i].value, rd, rj, edges16[k]);
				      take(&cases, "%s $r%u, $r%u, %d", ops16[i].text, rd, rj, edges16[k]));
		}
	}
	for (size_t k = 0; k < COUNT(edges20); k++) {
		for (size_t i = 0; i < COUNT(ops20); i++) {
			EACH_REGISTER(1, rd, rj, rk,
				      emit_1ri20(&cases.code, (enum la_1ri20)ops20[i].value, rd, edges20[k]);
				      (void)rj; take(&cases, "%s $r%u, %d", ops20[i].text, rd, edges20[k]));
		}
	}
	REFUSED(emit_2ri14(code, LA_LDPTR_D, 0, 0, -32772));
	REFUSED(emit_2ri14(code, LA_LDPTR_D, 0, 0, 32768));
	REFUSED(emit_2ri14(code, LA_LDPTR_D, 0, 0, 2));
	REFUSED(emit_2ri14(code, LA_LDPTR_D, 32, 0, 0));
	REFUSED(emit_2ri16(code, LA_ADDU16I_D, 0, 0, -32769));
	REFUSED(emit_2ri16(code, LA_ADDU16I_D, 0, 0, 32768));
	REFUSED(emit_2ri16(code, LA_ADDU16I_D, 0, 32, 0));
	REFUSED(emit_1ri20(code, LA_LU12I_W, 0, -524289));
	REFUSED(emit_1ri20(code, LA_LU12I_W, 0, 524288));
	REFUSED(emit_1ri20(code, LA_LU12I_W, 32, 0));
	check(&cases);
}

Test(insn_loongarch64, branches)
{
	static const struct op ops16[] = {LA_BRANCH16_LIST(ROW)}, ops21[] = {LA_BRANCH21_LIST(ROW)},
			       ops26[] = {LA_BRANCH26_LIST(ROW)};
	static const int edges[] = {0, 1, 2, -1, -2}; /* words, and as far as 2^(bits-1) */
	struct cases cases = {0};

	begin(&cases);
	for (size_t k = 0; k < 2 * COUNT(edges); k++) {
		int far = k < COUNT(edges) ? 0 : edges[k % COUNT(edges)] < 0 ? 1 : -1;
		int step = 4 * edges[k % COUNT(edges)];
		int d16 = far * (1 << 17) + step, d21 = far * (1 << 22) + step, d26 = far * (1 << 27) + step;

		for (size_t i = 0; i < COUNT(ops16); i++) {
			EACH_REGISTER(2, rj, rd, rk,
				      emit_branch16(&cases.code, (enum la_branch16)ops16[i].value, rj, rd, d16);
				      take(&cases, "%s $r%u, $r%u, %d", ops16[i].text, rj, rd, d16));
		}
		EACH_REGISTER(2, rd, rj, rk, emit_jirl(&cases.code, rd, rj, d16);
			      take(&cases, "jirl $r%u, $r%u, %d", rd, rj, d16));
		for (size_t i = 0; i < COUNT(ops21); i++) {
			EACH_REGISTER(1, rj, rd, rk,
				      emit_branch21(&cases.code, (enum la_branch21)ops21[i].value, rj, d21);
				      (void)rd; take(&cases, "%s $r%u, %d", ops21[i].text, rj, d21));
		}
		for (size_t i = 0; i < COUNT(ops26); i++) {
			emit_branch26(&cases.code, (enum la_branch26)ops26[i].value, d26);
			take(&cases, "%s %d", ops26[i].text, d26);
		}
	}
	REFUSED(emit_branch16(code, LA_BEQ, 0, 0, 1 << 17));
	REFUSED(emit_branch16(code, LA_BEQ, 0, 0, -(1 << 17) - 4));
	REFUSED(emit_branch16(code, LA_BEQ, 0, 0, 6));
	REFUSED(emit_branch16(code, LA_BEQ, 32, 0, 0));
	REFUSED(emit_jirl(code, 0, 0, 1 << 17));
	REFUSED(emit_jirl(code, 0, 0, -(1 << 17) - 4));
	REFUSED(emit_jirl(code, 0, 32, 0));
	REFUSED(emit_branch21(code, LA_BEQZ, 0, 1 << 22));
	REFUSED(emit_branch21(code, LA_BEQZ, 0, -(1 << 22) - 4));
	REFUSED(emit_branch21(code, LA_BEQZ, 32, 0));
	REFUSED(emit_branch26(code, LA_BL, 1 << 27));
	REFUSED(emit_branch26(code, LA_BL, -(1 << 27) - 4));
	REFUSED(emit_branch26(code, LA_BL, 2));
	check(&cases);
}

Test(insn_loongarch64, macros)
{
	struct cases cases = {0};

	begin(&cases);
	emit_move(&cases.code, LA_A5, LA_A0);
	take(&cases, "move $a5, $a0");
	emit_nop(&cases.code);
	take(&cases, "nop");
	emit_zext32(&cases.code, LA_T1, LA_S0);
	take(&cases, "bstrpick.d $t1, $s0, 31, 0");
	emit_sext32(&cases.code, LA_T1, LA_S0);
	take(&cases, "addi.w $t1, $s0, 0");
	check(&cases);
}
