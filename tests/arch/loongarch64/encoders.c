/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"
#include "words.h"

#include <criterion/criterion.h>
#include <string.h>

/* What every encoder puts down decodes to what it was given. */

struct op {
	unsigned int value;
	const char *text;
};
/* clang-format off */
#define ROW(name, opcode, text) {name, text},
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct jf_code code;
static uint8_t bytes[16];

static void begin(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), 0x1000, NULL, 0);
}

/* What the one instruction that was emitted decodes to; it must be `name`. */
static struct jf_effect taken(const char *name)
{
	struct jf_effect effect;

	cr_assert_eq(jf_code_finish(&code), JF_OK, "%s was refused", name);
	cr_assert_eq(jf_decode(&jf_loongarch64_backend, bytes, code.size, &effect), JF_OK, "%s", name);
	cr_assert_eq(code.size, effect.size_bytes, "%s", name);
	cr_assert_str_eq(effect.name, name);
	cr_assert_not(effect.flags & JF_EFFECT_UNKNOWN, "%s", name);
	begin();
	return effect;
}

/* Nothing but rd is written, and rd is, if it is not the zero register. */
static void check_writes(const struct jf_effect *effect, unsigned int rd)
{
	for (unsigned int i = 0; i < effect->step_count; i++)
		cr_assert(effect->steps[i].dst == rd || effect->steps[i].kind == JF_STEP_STORE ||
				  (effect->steps[i].kind == JF_STEP_LOAD && effect->steps[i].dst == JF_REG_NONE),
			  "%s", effect->name);
	cr_assert_eq(effect->flow, JF_FLOW_NEXT);
	cr_assert_eq(effect->flags, rd == LA_ZERO && !effect->step_count ? JF_EFFECT_NOP : 0, "%s", effect->name);
	cr_assert(rd == LA_ZERO || effect->steps[effect->step_count - 1].dst == rd, "%s", effect->name);
}

/* The first step is an access to rj + rk + off, of register rd. */
static void check_access(const struct jf_effect *effect, unsigned int rd, unsigned int rj, unsigned int rk, int64_t off)
{
	const struct jf_step *step = &effect->steps[0];

	cr_assert_eq(step->a, rj == LA_ZERO ? JF_REG_NONE : rj, "%s", effect->name);
	cr_assert_eq(step->b, rk == LA_ZERO ? JF_REG_NONE : rk, "%s", effect->name);
	cr_assert_eq(step->imm, off, "%s", effect->name);
	cr_assert_eq(effect->flow, JF_FLOW_NEXT);
	if (step->kind == JF_STEP_LOAD)
		cr_assert_eq(step->dst, rd == LA_ZERO ? JF_REG_NONE : rd, "%s", effect->name);
	else
		cr_assert(step->kind == JF_STEP_STORE && (step->c == rd || step->c == JF_REG_NONE), "%s", effect->name);
}

/* Runs `body` with a through all registers and b, c fixed, then b, then c. */
#define EACH_REGISTER(a, b, c, body)                                                       \
	for (unsigned int field = 0; field < 3; field++) {                                 \
		for (unsigned int reg = 0; reg < 32; reg++) {                              \
			unsigned int a = field == 0 ? reg : 21, b = field == 1 ? reg : 10; \
			unsigned int c = field == 2 ? reg : 5;                             \
			(void)c;                                                           \
			body                                                               \
		}                                                                          \
	}

Test(encoders_loongarch64, registers, .init = begin)
{
	static const struct op two[] = {LA_2R_LIST(ROW)}, three[] = {LA_3R_LIST(ROW)}, am[] = {LA_AM_LIST(ROW)};
	struct jf_effect effect;

	EACH_REGISTER(rd, rj, rk, {
		for (size_t i = 0; i < COUNT(two); i++) {
			emit_2r(&code, (enum la_2r)two[i].value, rd, rj);
			effect = taken(two[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(three); i++) {
			emit_3r(&code, (enum la_3r)three[i].value, rd, rj, rk);
			effect = taken(three[i].text);
			if (strncmp(three[i].text, "ldx", 3) == 0 || strncmp(three[i].text, "stx", 3) == 0)
				check_access(&effect, rd, rj, rk, 0);
			else
				check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(am); i++) {
			emit_am(&code, (enum la_am)am[i].value, rd == rk || rd == rj ? 0 : rd, rk, rj);
			effect = taken(am[i].text);
			check_writes(&effect, rd == rk || rd == rj ? 0 : rd);
			check_access(&effect, LA_ZERO, rj, LA_ZERO, 0);
		}
		emit_alsl_d(&code, rd, rj, rk, 1 + field);
		effect = taken("alsl.d");
		check_writes(&effect, rd);
	})
}

Test(encoders_loongarch64, small_constants, .init = begin)
{
	static const struct op op5[] = {LA_2RI5_LIST(ROW)}, op6[] = {LA_2RI6_LIST(ROW)}, op12[] = {LA_2RI12_LIST(ROW)},
			       logical[] = {LA_2RU12_LIST(ROW)}, fields[] = {LA_FIELD_LIST(ROW)};
	static const int edges[] = {-2048, -1, 0, 1, 2047};
	struct jf_effect effect;

	EACH_REGISTER(rd, rj, count, {
		for (size_t i = 0; i < COUNT(op5); i++) {
			emit_2ri5(&code, (enum la_2ri5)op5[i].value, rd, rj, count);
			effect = taken(op5[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(op6); i++) {
			emit_2ri6(&code, (enum la_2ri6)op6[i].value, rd, rj, count + 32);
			effect = taken(op6[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(fields); i++) {
			emit_field(&code, (enum la_field)fields[i].value, rd, rj, count + 16, count / 2);
			effect = taken(fields[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(logical); i++) {
			emit_2ru12(&code, (enum la_2ru12)logical[i].value, rd, rj, 4095 >> count % 13);
			effect = taken(logical[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(op12); i++) {
			int imm = edges[count % COUNT(edges)];

			emit_2ri12(&code, (enum la_2ri12)op12[i].value, rd, rj, imm);
			effect = taken(op12[i].text);
			if (strncmp(op12[i].text, "ld.", 3) == 0 || strncmp(op12[i].text, "st.", 3) == 0)
				check_access(&effect, rd, rj, LA_ZERO, imm);
			else
				check_writes(&effect, rd);
		}
	})
}

Test(encoders_loongarch64, larger_constants, .init = begin)
{
	static const struct op op14[] = {LA_2RI14_LIST(ROW)}, op16[] = {LA_2RI16_LIST(ROW)},
			       op20[] = {LA_1RI20_LIST(ROW)}, fp[] = {LA_F12_LIST(ROW)};
	static const int edges[] = {-32768, -4, 0, 4, 32764}, edges20[] = {-524288, -1, 0, 1, 524287};
	struct jf_effect effect;

	EACH_REGISTER(rd, rj, k, {
		for (size_t i = 0; i < COUNT(op14); i++) {
			emit_2ri14(&code, (enum la_2ri14)op14[i].value, rd, rj, edges[k % COUNT(edges)]);
			effect = taken(op14[i].text);
			check_access(&effect, rd, rj, LA_ZERO, edges[k % COUNT(edges)]);
		}
		for (size_t i = 0; i < COUNT(op16); i++) {
			emit_2ri16(&code, (enum la_2ri16)op16[i].value, rd, rj, edges[k % COUNT(edges)]);
			effect = taken(op16[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(op20); i++) {
			emit_1ri20(&code, (enum la_1ri20)op20[i].value, rd, edges20[k % COUNT(edges20)]);
			effect = taken(op20[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(fp); i++) {
			emit_f12(&code, (enum la_f12)fp[i].value, LA_F0 + rd, rj, edges[k % COUNT(edges)] / 16);
			effect = taken(fp[i].text);
			check_access(&effect, LA_F0 + rd, rj, LA_ZERO, edges[k % COUNT(edges)] / 16);
		}
	})
}

static void check_flow(const struct jf_effect *effect, enum jf_flow flow, int64_t target)
{
	cr_assert_eq(effect->flow, flow, "%s", effect->name);
	cr_assert_eq(effect->target_off, target, "%s", effect->name);
	cr_assert_eq(effect->step_count, 0, "%s", effect->name);
}

Test(encoders_loongarch64, branches, .init = begin)
{
	static const struct op op16[] = {LA_BRANCH16_LIST(ROW)}, op21[] = {LA_BRANCH21_LIST(ROW)};
	static const int edges[] = {-131072, -4, 0, 4, 131068}; /* as far as the shortest reaches */
	struct jf_effect effect;

	EACH_REGISTER(rd, rj, k, {
		int off = edges[k % COUNT(edges)];

		for (size_t i = 0; i < COUNT(op16); i++) {
			emit_branch16(&code, (enum la_branch16)op16[i].value, rj, rd, off);
			effect = taken(op16[i].text);
			check_flow(&effect, JF_FLOW_BRANCH, off);
		}
		for (size_t i = 0; i < COUNT(op21); i++) {
			emit_branch21(&code, (enum la_branch21)op21[i].value, rj, 32 * off);
			effect = taken(op21[i].text);
			check_flow(&effect, JF_FLOW_BRANCH, 32 * off);
		}
		emit_branch26(&code, LA_B, 1024 * (int64_t)off);
		effect = taken("b");
		check_flow(&effect, JF_FLOW_JUMP, 1024 * (int64_t)off);
		emit_branch26(&code, LA_BL, 1024 * (int64_t)off);
		effect = taken("bl");
		check_flow(&effect, JF_FLOW_CALL, 1024 * (int64_t)off);
		emit_jirl(&code, LA_ZERO, rj, off);
		effect = taken("jirl");
		check_flow(&effect, JF_FLOW_JUMP_REG, 0);
		cr_assert(effect.flow_reg == rj && effect.flow_imm == off);
		emit_jirl(&code, LA_RA, rj, off);
		effect = taken("jirl");
		check_flow(&effect, JF_FLOW_CALL_REG, 0);
		cr_assert(effect.flow_reg == rj && effect.flow_imm == off);
	})
}

Test(encoders_loongarch64, linking_to_another_register, .init = begin)
{
	struct jf_effect effect;

	emit_jirl(&code, LA_T0, LA_T1, 8);
	effect = taken("jirl");
	cr_assert(effect.flow == JF_FLOW_JUMP_REG && effect.flow_reg == LA_T1 && effect.flow_imm == 8);
	cr_assert(effect.step_count == 1 && effect.steps[0].kind == JF_STEP_ADDRESS && effect.steps[0].imm == 4);
	/* The step is done when control flows on, and the base gone. */
	emit_jirl(&code, LA_T0, LA_T0, 8);
	effect = taken("jirl");
	cr_assert(effect.flow == JF_FLOW_JUMP_MEM && effect.steps[0].dst == LA_T0);
}

Test(encoders_loongarch64, barriers, .init = begin)
{
	emit_dbar(&code, 0x700);
	cr_assert_eq(taken("dbar").flags, JF_EFFECT_NOP);
	emit_nop(&code);
	cr_assert_eq(taken("andi").flags, JF_EFFECT_NOP);
}

/* Frames are made of these: every value of a step counts. */
Test(encoders_loongarch64, moves_of_the_stack_pointer, .init = begin)
{
	struct jf_step step;

	emit_2ri12(&code, LA_ADDI_D, LA_SP, LA_SP, -96);
	step = taken("addi.d").steps[0];
	cr_assert(step.kind == JF_STEP_ADD && step.dst == LA_SP && step.a == LA_SP && step.b == JF_REG_NONE);
	cr_assert(step.imm == -96 && step.bytes == 8);
	emit_3r(&code, LA_ADD_D, LA_SP, LA_SP, LA_T0);
	step = taken("add.d").steps[0];
	cr_assert(step.kind == JF_STEP_ADD && step.dst == LA_SP && step.a == LA_SP && step.b == LA_T0 && step.imm == 0);
	emit_move(&code, LA_FP, LA_SP);
	step = taken("or").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.dst == LA_FP && step.a == LA_SP && step.imm == 0);
	emit_2ri12(&code, LA_ADDI_D, LA_SP, LA_FP, 0);
	step = taken("addi.d").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.dst == LA_SP && step.a == LA_FP);
	emit_1ri20(&code, LA_LU12I_W, LA_T0, -2);
	step = taken("lu12i.w").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.a == JF_REG_NONE && step.imm == -8192);
}

Test(encoders_loongarch64, bytes_that_end_too_early)
{
	static const uint8_t nop[] = {0, 0, 0x40, 0x03};
	struct jf_effect effect = {.name = "untouched"};

	for (size_t count = 0; count < 4; count++)
		cr_assert_eq(jf_decode(&jf_loongarch64_backend, nop, count, &effect), JF_E_NOSPACE);
	cr_assert_eq(jf_decode(&jf_loongarch64_backend, (const uint8_t[]){0, 0, 0, 0}, 4, &effect), JF_E_NOT_FOUND);
	cr_assert_str_eq(effect.name, "untouched");
}
