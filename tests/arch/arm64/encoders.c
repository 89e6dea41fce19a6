/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"
#include "forms.h"
#include "words.h"

#include <criterion/criterion.h>

/* What every encoder puts down decodes to what it was given. */

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
	cr_assert_eq(jf_decode(&jf_arm64_backend, bytes, code.size, &effect), JF_OK, "%s", name);
	cr_assert_eq(code.size, effect.size_bytes, "%s", name);
	cr_assert_str_eq(effect.name, name);
	cr_assert_not(effect.flags & JF_EFFECT_UNKNOWN, "%s", name);
	begin();
	return effect;
}

/* Nothing but rd is written, and rd is, if it is not the zero register (JF_REG_NONE). */
static void check_writes(struct jf_effect effect, unsigned int rd)
{
	cr_assert_eq(effect.flow, JF_FLOW_NEXT);
	cr_assert_eq(effect.flags, 0, "%s", effect.name);
	cr_assert_eq(words_written(&effect), rd == JF_REG_NONE ? 0 : UINT64_C(1) << rd, "%s", effect.name);
}

static void check_access(const struct jf_step *step, bool load, unsigned int data, unsigned int base,
			 unsigned int index, int64_t off)
{
	cr_assert_eq(step->kind, load ? JF_STEP_LOAD : JF_STEP_STORE);
	cr_assert_eq(load ? step->dst : step->c, data);
	cr_assert(step->a == base && step->b == index && step->imm == off);
}

static void check_flow(struct jf_effect effect, enum jf_flow flow, int64_t target)
{
	cr_assert_eq(effect.flow, flow, "%s", effect.name);
	cr_assert_eq(effect.target_off, target, "%s", effect.name);
	cr_assert_eq(effect.step_count, 0, "%s", effect.name);
}

/* ---- the forms ---------------------------------------------------------------------------------- */

static bool is_load(const struct op *op)
{
	return strncmp(op->name, "ld", 2) == 0;
}

static void check_memory(struct jf_effect effect, const struct insn *i)
{
	unsigned int index = i->form->regs == 3 ? jf_arm64_gp(i->r[2]) : JF_REG_NONE;

	check_access(effect.steps, is_load(i->op), jf_arm64_gp(i->r[0]), i->r[1], index, i->imm);
	cr_assert_eq(effect.steps[0].bytes, 1u << i->op->shift);
}

/* Two accesses, the second one 8 bytes behind, and the base's change: before them (PRE) or behind (POST). */
static void check_pair(struct jf_effect effect, const struct insn *i)
{
	bool load = is_load(i->op), pre = i->op->value == JF_ARM64_STP_PRE, post = i->op->value == JF_ARM64_LDP_POST;
	unsigned int a = i->w ? JF_ARM64_D0 + i->r[0] : jf_arm64_gp(i->r[0]);
	unsigned int b = i->w ? JF_ARM64_D0 + i->r[1] : jf_arm64_gp(i->r[1]), base = i->r[2];
	int64_t off = pre || post ? 0 : i->imm;
	bool base_first = load && !i->w && i->r[0] == base && base != JF_ARM64_SP; /* loaded behind the other */
	const struct jf_step *steps = effect.steps + pre, *moved = &effect.steps[pre ? 0 : 2];

	check_access(&steps[base_first], load, a, base, JF_REG_NONE, off);
	check_access(&steps[!base_first], load, b, base, JF_REG_NONE, off + 8);
	cr_assert_eq(effect.step_count, 2u + (pre || post));
	if (pre || post)
		cr_assert(moved->kind == JF_STEP_ADD && moved->dst == base && moved->a == base && moved->imm == i->imm);
}

static void check_branch(struct jf_effect effect, const struct insn *i)
{
	int64_t off = i->form == &form_test_and_branch ? i->imm >> 16 : i->imm;
	bool jumps = i->form == &form_jumps;

	check_flow(effect, !jumps ? JF_FLOW_BRANCH : i->op->value ? JF_FLOW_CALL : JF_FLOW_JUMP, off);
}

static void check_effect(struct jf_effect effect, const struct insn *i)
{
	bool sets_flags = i->op->name[strlen(i->op->name) - 1] == 's';
	unsigned int gp = jf_arm64_gp(i->r[0]);

	switch (i->form->does) {
	case DOES_WRITE: check_writes(effect, gp); break;
	case DOES_WRITE_SP: check_writes(effect, i->r[0]); break;
	case DOES_WRITE_BY_FLAGS: check_writes(effect, sets_flags ? gp : i->r[0]); break;
	case DOES_ACCESS: check_memory(effect, i); break;
	case DOES_PAIR: check_pair(effect, i); break;
	case DOES_STORE_EXCLUSIVE:
		check_access(effect.steps, false, JF_REG_NONE, i->r[2], JF_REG_NONE, 0);
		check_writes(effect, gp);
		break;
	case DOES_ATOMIC: cr_assert_eq(effect.flow, JF_FLOW_NEXT); break;
	case DOES_JUMP_REG:
		if (gp == JF_REG_NONE) /* to address 0 */
			break;
		check_flow(effect, i->op->value == JF_ARM64_BLR ? JF_FLOW_CALL_REG : JF_FLOW_JUMP_REG, 0);
		cr_assert_eq(effect.flow_reg, gp);
		break;
	case DOES_BRANCH: check_branch(effect, i); break;
	}
}

static void one_insn(const struct insn *i)
{
	i->form->emit(&code, i);
	check_effect(taken(i->form == &form_branch_on_condition ? "b.cond" : i->op->name), i);
}

#define FORM_TEST(name, ...)                       \
	Test(encoders_arm64, name, .init = begin)  \
	{                                          \
		each_insn(&form_##name, one_insn); \
	}
FORMS(FORM_TEST)

/* ---- what no form has --------------------------------------------------------------------------- */

static void try_each(const struct form *form, bool w, unsigned int reg, int64_t imm)
{
	struct insn i = {form, NULL, w, {reg, 10, 5, 7}, imm};

	for (size_t n = 0; n < form->op_count; n++) {
		i.op = &form->ops[n];
		i.imm = imm * (form->scaled ? 1 << i.op->shift : 1);
		one_insn(&i);
	}
}

/* Constants between the edges: all bits up to one, or every one of 32; every bit tested. */
Test(encoders_arm64, fields, .init = begin)
{
	static const int edges[] = {-32768, -4, 0, 4, 32764};

	for (unsigned int k = 0; k < 32; k++) {
		try_each(&form_scaled, true, k, 4095 >> k);
		try_each(&form_unscaled, true, k, (int)k - 16);
		try_each(&form_pages, true, k, -(INT64_C(32) << 12));
		try_each(&form_pages, true, 21, -(INT64_C(4096) << k % 21));
		for (size_t e = 0; e < LEN(edges); e++)
			try_each(&form_test_and_branch, true, k, PARTS(k * 2, edges[e]));
		for (int w = 0; w < 2; w++) {
			try_each(&form_add_immediate, w, k, k);
			try_each(&form_bitfield, w, k, PARTS(k, 31 - k));
			try_each(&form_pairs, w, k == 5 || k == 10 ? 6 : k, ((int)k - 16) * 32);
		}
	}
}

/* The mask of every bitmask immediate that the encoder makes, as a constant: mov wd, #mask is orr. */
Test(encoders_arm64, bit_masks, .init = begin)
{
	for (unsigned int size = 2; size <= 64; size *= 2) {
		for (unsigned int ones = 1; ones < size; ones++) {
			for (unsigned int rotation = 0; rotation < size; rotation++) {
				uint64_t element = UINT64_MAX >> (64 - ones), mask = element >> rotation;
				struct jf_step step;

				if (rotation)
					mask |= element << (size - rotation);
				mask &= UINT64_MAX >> (64 - size);
				for (unsigned int width = size; width < 64; width *= 2)
					mask |= mask << width;
				jf_arm64_logical(&code, JF_ARM64_EORI, true, 1, 2, mask);
				step = taken("eor").steps[0];
				cr_assert_eq((uint64_t)step.imm, mask, "%016llx", (unsigned long long)mask);
			}
		}
	}
}

Test(encoders_arm64, hints_and_barriers, .init = begin)
{
	struct jf_effect effect;

	jf_arm64_hint(&code, JF_ARM64_NOP);
	cr_assert_eq(taken("nop").flags, JF_EFFECT_NOP);
	jf_arm64_hint(&code, JF_ARM64_BTI_C);
	cr_assert_eq(taken("bti").flags, JF_EFFECT_LANDING_PAD);
	jf_arm64_hint(&code, JF_ARM64_BTI_JC);
	cr_assert_eq(taken("bti").flags, JF_EFFECT_LANDING_PAD);
	jf_arm64_hint(&code, JF_ARM64_PACIASP);
	effect = taken("paciasp");
	cr_assert(effect.flags == JF_EFFECT_LANDING_PAD && effect.step_count == 1);
	cr_assert(effect.steps[0].kind == JF_STEP_SIGN && effect.steps[0].dst == 30 && effect.steps[0].a == 30);
	jf_arm64_hint(&code, JF_ARM64_AUTIASP);
	effect = taken("autiasp");
	cr_assert(effect.steps[0].kind == JF_STEP_AUTH && effect.steps[0].dst == 30 && effect.steps[0].a == 30);
	jf_arm64_dmb_ish(&code);
	cr_assert_eq(taken("dmb").flags, JF_EFFECT_NOP);
}

/* Frames are made of these: every value of a step counts. */
Test(encoders_arm64, moves_of_the_stack_pointer, .init = begin)
{
	struct jf_step step;

	jf_arm64_addsub(&code, JF_ARM64_SUBI, true, JF_ARM64_SP, JF_ARM64_SP, 4096);
	step = taken("sub").steps[0];
	cr_assert(step.kind == JF_STEP_SUB && step.dst == JF_ARM64_SP && step.a == JF_ARM64_SP &&
		  step.b == JF_REG_NONE);
	cr_assert(step.imm == 4096 && step.bytes == 8);
	jf_arm64_addsub(&code, JF_ARM64_ADDI, true, JF_ARM64_X29, JF_ARM64_SP, 0);
	step = taken("add").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.dst == JF_ARM64_X29 && step.a == JF_ARM64_SP && step.imm == 0);
	jf_arm64_mov(&code, true, 3, 4);
	step = taken("orr").steps[0];
	cr_assert(step.kind == JF_STEP_MOVE && step.dst == 3 && step.a == 4);
	jf_arm64_wide(&code, JF_ARM64_MOVK, true, 3, 0xffff, 32);
	step = taken("movk").steps[0];
	cr_assert(step.kind == JF_STEP_INSERT && step.dst == 3 && step.a == 3);
	cr_assert(step.shift == 32 && step.bits == 16 && step.imm == 0xffff);
}

Test(encoders_arm64, bytes_that_end_too_early)
{
	static const uint8_t nop[] = {0x1f, 0x20, 0x03, 0xd5};
	struct jf_effect effect = {.name = "untouched"};

	for (size_t count = 0; count < 4; count++)
		cr_assert_eq(jf_decode(&jf_arm64_backend, nop, count, &effect), JF_E_NOSPACE);
	cr_assert_eq(jf_decode(&jf_arm64_backend, (const uint8_t[]){0, 0, 0, 0x20}, 4, &effect), JF_E_NOT_FOUND);
	cr_assert_str_eq(effect.name, "untouched");
}
