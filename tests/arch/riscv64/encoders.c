/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"
#include "words.h"

#include <criterion/criterion.h>
#include <string.h>

/* What every encoder puts down decodes to what it was given, compressed or not. */

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

/* What the one instruction that was emitted decodes to: `name`, or a compressed one. */
static struct jf_effect taken(const char *name)
{
	struct jf_effect effect;

	cr_assert_eq(jf_code_finish(&code), JF_OK, "%s was refused", name);
	cr_assert_eq(jf_decode(&jf_riscv64_backend, bytes, code.size, &effect), JF_OK, "%s", name);
	cr_assert_eq(code.size, effect.size_bytes, "%s", name);
	if (effect.size_bytes == 4)
		cr_assert(strncmp(effect.name, name, strlen(effect.name)) == 0, "%s is %s", name, effect.name);
	else
		cr_assert(strncmp(effect.name, "c.", 2) == 0, "%s is %s", name, effect.name);
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
	cr_assert_eq(effect->flags, rd == RV_ZERO && !effect->step_count ? JF_EFFECT_NOP : 0, "%s", effect->name);
	cr_assert(rd == RV_ZERO || effect->steps[effect->step_count - 1].dst == rd, "%s", effect->name);
}

/* The first step is an access to rs1 + off, of register reg. */
static void check_access(const struct jf_effect *effect, unsigned int reg, unsigned int rs1, int64_t off)
{
	const struct jf_step *step = &effect->steps[0];

	cr_assert_eq(step->a, rs1 == RV_ZERO ? JF_REG_NONE : rs1, "%s", effect->name);
	cr_assert_eq(step->b, JF_REG_NONE, "%s", effect->name);
	cr_assert_eq(step->imm, off, "%s", effect->name);
	cr_assert_eq(effect->flow, JF_FLOW_NEXT);
	if (step->kind == JF_STEP_LOAD)
		cr_assert_eq(step->dst, reg == RV_ZERO ? JF_REG_NONE : reg, "%s", effect->name);
	else
		cr_assert(step->kind == JF_STEP_STORE && (step->c == reg || step->c == JF_REG_NONE), "%s",
			  effect->name);
}

/* Runs `body` with a through all registers and b, c fixed, then b, then c. */
#define EACH_REGISTER(a, b, c, body)                                                      \
	for (unsigned int field = 0; field < 3; field++) {                                \
		for (unsigned int reg = 0; reg < 32; reg++) {                             \
			unsigned int a = field == 0 ? reg : 9, b = field == 1 ? reg : 10; \
			unsigned int c = field == 2 ? reg : 5;                            \
			(void)c;                                                          \
			body                                                              \
		}                                                                         \
	}

Test(encoders_riscv64, registers, .init = begin)
{
	static const struct op three[] = {RV_R_LIST(ROW)}, amo[] = {RV_AMO_LIST(ROW)}, lr[] = {RV_LR_LIST(ROW)};
	struct jf_effect effect;

	EACH_REGISTER(rd, rs1, rs2, {
		for (size_t i = 0; i < COUNT(three); i++) {
			emit_r(&code, (enum rv_r)three[i].value, rd, rs1, rs2);
			effect = taken(three[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(amo); i++) {
			emit_amo(&code, (enum rv_amo)amo[i].value, rd, rs2, rs1);
			effect = taken(amo[i].text);
			check_writes(&effect, rd);
			check_access(&effect, RV_ZERO, rs1, 0);
		}
		for (size_t i = 0; i < COUNT(lr); i++) {
			emit_lr(&code, (enum rv_lr)lr[i].value, rd, rs1);
			effect = taken(lr[i].text);
			check_access(&effect, rd, rs1, 0);
		}
	})
}

Test(encoders_riscv64, constants, .init = begin)
{
	static const struct op shifts[] = {RV_SHIFT_LIST(ROW)}, words[] = {RV_SHIFTW_LIST(ROW)},
			       imm[] = {RV_I_LIST(ROW)};
	static const int edges[] = {-2048, -32, -1, 0, 1, 31, 2047}, edges20[] = {-524288, -1, 0, 1, 524287};
	struct jf_effect effect;

	EACH_REGISTER(rd, rs1, k, {
		for (size_t i = 0; i < COUNT(shifts); i++) {
			emit_shift(&code, (enum rv_shift)shifts[i].value, rd, rs1, k + 32);
			effect = taken(shifts[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(words); i++) {
			emit_shiftw(&code, (enum rv_shiftw)words[i].value, rd, rs1, k);
			effect = taken(words[i].text);
			check_writes(&effect, rd);
		}
		for (size_t i = 0; i < COUNT(imm); i++) {
			emit_i(&code, (enum rv_i)imm[i].value, rd, rs1, edges[k % COUNT(edges)]);
			effect = taken(imm[i].text);
			check_writes(&effect, rd);
		}
		emit_lui(&code, rd, edges20[k % COUNT(edges20)]);
		effect = taken("lui");
		check_writes(&effect, rd);
		if (rd != RV_ZERO) {
			emit_auipc(&code, rd, edges20[k % COUNT(edges20)]);
			effect = taken("auipc");
			check_writes(&effect, rd);
		}
	})
}

Test(encoders_riscv64, memory, .init = begin)
{
	static const struct op loads[] = {RV_LOAD_LIST(ROW)}, stores[] = {RV_STORE_LIST(ROW)};
	static const int edges[] = {-2048, -8, 0, 8, 64, 248, 504, 2047};
	struct jf_effect effect;

	EACH_REGISTER(data, rs1, k, {
		int off = edges[k % COUNT(edges)];

		for (size_t i = 0; i < COUNT(loads); i++) {
			emit_load(&code, (enum rv_load)loads[i].value, data, rs1, off);
			effect = taken(loads[i].text);
			check_access(&effect, data, rs1, off);
		}
		for (size_t i = 0; i < COUNT(stores); i++) {
			emit_store(&code, (enum rv_store)stores[i].value, data, rs1, off);
			effect = taken(stores[i].text);
			check_access(&effect, data, rs1, off);
		}
		emit_fld(&code, RV_F0 + data, rs1, off);
		effect = taken("fld");
		check_access(&effect, RV_F0 + data, rs1, off);
		emit_fsd(&code, RV_F0 + data, rs1, off);
		effect = taken("fsd");
		check_access(&effect, RV_F0 + data, rs1, off);
	})
}

static void check_flow(const struct jf_effect *effect, enum jf_flow flow, int64_t target)
{
	cr_assert_eq(effect->flow, flow, "%s", effect->name);
	cr_assert_eq(effect->target_off, target, "%s", effect->name);
	cr_assert_eq(effect->step_count, 0, "%s", effect->name);
}

Test(encoders_riscv64, branches, .init = begin)
{
	static const struct op ops[] = {RV_BRANCH_LIST(ROW)};
	static const int edges[] = {-4096, -2, 0, 2, 4094}; /* as far as the shortest reaches */
	struct jf_effect effect;

	EACH_REGISTER(rs1, rs2, k, {
		int off = edges[k % COUNT(edges)];

		for (size_t i = 0; i < COUNT(ops); i++) {
			emit_branch(&code, (enum rv_branch)ops[i].value, rs1, rs2, off);
			effect = taken(ops[i].text);
			check_flow(&effect, JF_FLOW_BRANCH, off);
		}
		emit_jal(&code, RV_ZERO, 256 * off);
		effect = taken("jal");
		check_flow(&effect, JF_FLOW_JUMP, 256 * off);
		emit_jal(&code, RV_RA, 256 * off);
		effect = taken("jal");
		check_flow(&effect, JF_FLOW_CALL, 256 * off);
		emit_jalr(&code, RV_ZERO, rs1, off / 2);
		effect = taken("jalr");
		check_flow(&effect, JF_FLOW_JUMP_REG, 0);
		cr_assert(effect.flow_reg == rs1 && effect.flow_imm == off / 2);
		emit_jalr(&code, RV_RA, rs1, off / 2);
		effect = taken("jalr");
		check_flow(&effect, JF_FLOW_CALL_REG, 0);
		cr_assert(effect.flow_reg == rs1 && effect.flow_imm == off / 2);
	})
}

Test(encoders_riscv64, linking_to_another_register, .init = begin)
{
	struct jf_effect effect;

	emit_jalr(&code, RV_T0, RV_T1, 8);
	effect = taken("jalr");
	cr_assert(effect.flow == JF_FLOW_JUMP_REG && effect.flow_reg == RV_T1 && effect.flow_imm == 8);
	cr_assert(effect.step_count == 1 && effect.steps[0].kind == JF_STEP_ADDRESS && effect.steps[0].imm == 4);
	/* The step is done when control flows on, and the base gone. */
	emit_jalr(&code, RV_T0, RV_T0, 8);
	effect = taken("jalr");
	cr_assert(effect.flow == JF_FLOW_JUMP_MEM && effect.steps[0].dst == RV_T0);
	emit_jal(&code, RV_T0, 0x1000);
	effect = taken("jal");
	cr_assert(effect.flow == JF_FLOW_JUMP && effect.target_off == 0x1000 && effect.steps[0].dst == RV_T0);
}

Test(encoders_riscv64, neither_registers_nor_memory, .init = begin)
{
	emit_fence(&code, RV_FENCE_RW, RV_FENCE_RW);
	cr_assert_eq(taken("fence").flags, JF_EFFECT_NOP);
	emit_i(&code, RV_ADDI, RV_ZERO, RV_ZERO, 0);
	cr_assert_eq(taken("addi").flags, JF_EFFECT_NOP);
	emit_lpad(&code);
	cr_assert_eq(taken("lpad").flags, JF_EFFECT_LANDING_PAD);
	emit_ebreak(&code);
	cr_assert_eq(taken("ebreak").flow, JF_FLOW_TRAP);
}

/* Frames are made of these: every value of a step counts. */
Test(encoders_riscv64, moves_of_the_stack_pointer, .init = begin)
{
	struct jf_step step;

	for (int size = 96; size < 2048; size *= 2) {
		emit_i(&code, RV_ADDI, RV_SP, RV_SP, -size);
		step = taken("addi").steps[0];
		cr_assert(step.kind == JF_STEP_ADD && step.dst == RV_SP && step.a == RV_SP && step.b == JF_REG_NONE);
		cr_assert(step.imm == -size && step.bytes == 8);
	}
	emit_r(&code, RV_ADD, RV_SP, RV_SP, RV_T1);
	step = taken("add").steps[0];
	cr_assert(step.kind == JF_STEP_ADD && step.dst == RV_SP && step.a == RV_SP && step.b == RV_T1 && step.imm == 0);
	emit_move(&code, RV_FP, RV_SP);
	step = taken("addi").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.dst == RV_FP && step.a == RV_SP && step.imm == 0);
	emit_lui(&code, RV_T1, -2);
	step = taken("lui").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.a == JF_REG_NONE && step.imm == -8192);
}

Test(encoders_riscv64, bytes_that_end_too_early)
{
	static const uint8_t word[] = {0x13, 0, 0, 0}, compressed[] = {0x01, 0};
	struct jf_effect effect = {.name = "untouched"};

	for (size_t count = 1; count < 4; count++)
		cr_assert_eq(jf_decode(&jf_riscv64_backend, word, count, &effect), JF_E_NOSPACE);
	cr_assert_eq(jf_decode(&jf_riscv64_backend, compressed, 1, &effect), JF_E_NOSPACE);
	cr_assert_eq(jf_decode(&jf_riscv64_backend, (const uint8_t[]){0, 0, 0, 0}, 4, &effect), JF_E_NOT_FOUND);
	cr_assert_str_eq(effect.name, "untouched");
	cr_assert_eq(jf_decode(&jf_riscv64_backend, compressed, 2, &effect), JF_OK);
	cr_assert_eq(effect.size_bytes, 2);
}
