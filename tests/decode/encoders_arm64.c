/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"
#include "insn.h"
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EACH_REGISTER(a, b, c, ...)                                                        \
	for (unsigned int field = 0; field < 3; field++) {                                 \
		for (unsigned int reg = 0; reg < 32; reg++) {                              \
			unsigned int a = field == 0 ? reg : 21, b = field == 1 ? reg : 10; \
			unsigned int c = field == 2 ? reg : 5;                             \
			(void)c;                                                           \
			__VA_ARGS__                                                        \
		}                                                                          \
	}

Test(encoders_arm64, registers, .init = begin)
{
	static const struct {
		enum jf_arm64_rrr op;
		const char *name;
	} ops[] = {
		{JF_ARM64_AND, "and"},   {JF_ARM64_BIC, "bic"},   {JF_ARM64_ORR, "orr"},   {JF_ARM64_ORN, "orn"},
		{JF_ARM64_EOR, "eor"},   {JF_ARM64_EON, "eon"},   {JF_ARM64_ANDS, "ands"}, {JF_ARM64_ADD, "add"},
		{JF_ARM64_ADDS, "adds"}, {JF_ARM64_SUB, "sub"},   {JF_ARM64_SUBS, "subs"}, {JF_ARM64_UDIV, "udiv"},
		{JF_ARM64_SDIV, "sdiv"}, {JF_ARM64_LSLV, "lslv"}, {JF_ARM64_LSRV, "lsrv"}, {JF_ARM64_ASRV, "asrv"},
	};

	EACH_REGISTER(rd, rn, rm, {
		unsigned int dst = jf_arm64_gp(rd);

		for (unsigned int is64 = 0; is64 < 2; is64++) {
			for (size_t i = 0; i < COUNT(ops); i++) {
				jf_arm64_rrr(&code, ops[i].op, is64, rd, rn, rm);
				check_writes(taken(ops[i].name), dst);
			}
			jf_arm64_rrrr(&code, JF_ARM64_MADD, is64, rd, rn, rm, 7);
			check_writes(taken("madd"), dst);
			jf_arm64_rrrr(&code, JF_ARM64_MSUB, is64, rd, rn, rm, 7);
			check_writes(taken("msub"), dst);
			jf_arm64_rev(&code, JF_ARM64_REV16, is64, rd, rn);
			check_writes(taken("rev16"), dst);
			jf_arm64_rev(&code, JF_ARM64_REV, is64, rd, rn);
			check_writes(taken("rev"), dst);
		}
		jf_arm64_add_uxtw(&code, rd, rn, rm, field);
		check_writes(taken("add"), rd);
		jf_arm64_csel(&code, JF_ARM64_GT, rd, rn, rm);
		check_writes(taken("csel"), dst);
		jf_arm64_mrs(&code, rd, JF_ARM64_TPIDR_EL0);
		check_writes(taken("mrs"), dst);
	})
}

Test(encoders_arm64, immediates, .init = begin)
{
	static const uint64_t masks[] = {1, 0xff, 0xff00ff00, 0x7ffffffe, 0xfffffff0, 0xaaaaaaaa};

	EACH_REGISTER(rd, rn, k, {
		unsigned int dst = jf_arm64_gp(rd);

		for (unsigned int is64 = 0; is64 < 2; is64++) {
			uint64_t mask = masks[k % COUNT(masks)] | (is64 ? masks[k % COUNT(masks)] << 32 : 0);

			jf_arm64_addsub(&code, JF_ARM64_ADDI, is64, rd, rn, k & 1 ? 4095 : 4095 << 12);
			check_writes(taken("add"), rd);
			jf_arm64_addsub(&code, JF_ARM64_SUBI, is64, rd, rn, k);
			check_writes(taken("sub"), rd);
			jf_arm64_addsub(&code, JF_ARM64_ADDSI, is64, rd, rn, k);
			check_writes(taken("adds"), dst);
			jf_arm64_addsub(&code, JF_ARM64_SUBSI, is64, rd, rn, k);
			check_writes(taken("subs"), dst);
			jf_arm64_logical(&code, JF_ARM64_ANDI, is64, rd, rn, mask);
			check_writes(taken("and"), rd);
			jf_arm64_logical(&code, JF_ARM64_ORRI, is64, rd, rn, mask);
			check_writes(taken("orr"), rd);
			jf_arm64_logical(&code, JF_ARM64_EORI, is64, rd, rn, mask);
			check_writes(taken("eor"), rd);
			jf_arm64_logical(&code, JF_ARM64_ANDSI, is64, rd, rn, mask);
			check_writes(taken("ands"), dst);
			jf_arm64_wide(&code, JF_ARM64_MOVN, is64, rd, 0x1234, k & 1 ? 16 : 0);
			check_writes(taken("movn"), dst);
			jf_arm64_wide(&code, JF_ARM64_MOVZ, is64, rd, 0xffff, is64 ? 48 : 16);
			check_writes(taken("movz"), dst);
			jf_arm64_wide(&code, JF_ARM64_MOVK, is64, rd, 0x8000, is64 ? 32 : 0);
			check_writes(taken("movk"), dst);
			jf_arm64_bitfield(&code, JF_ARM64_SBFM, is64, rd, rn, k, 31 - k);
			check_writes(taken("sbfm"), dst);
			jf_arm64_bitfield(&code, JF_ARM64_UBFM, is64, rd, rn, k, 31 - k);
			check_writes(taken("ubfm"), dst);
		}
		jf_arm64_adrp(&code, rd, -(1 << k % 21));
		check_writes(taken("adrp"), dst);
	})
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

Test(encoders_arm64, memory, .init = begin)
{
	static const char *const names[3][4] = {
		{"strb", "strh", "str", "str"}, {"ldrb", "ldrh", "ldr", "ldr"}, {"ldrsb", "ldrsh", "ldrsw", NULL}};
	static const char *const unscaled[3][4] = {{"sturb", "sturh", "stur", "stur"},
						   {"ldurb", "ldurh", "ldur", "ldur"},
						   {"ldursb", "ldursh", "ldursw", NULL}};
	static const enum jf_arm64_ldst ops[] = {JF_ARM64_STR, JF_ARM64_LDR, JF_ARM64_LDRS};
	struct jf_effect effect;

	EACH_REGISTER(rt, rn, rm, {
		for (unsigned int i = 0; i < 12; i++) {
			unsigned int op = i / 4, shift = i % 4;

			if (!names[op][shift])
				continue;
			jf_arm64_ldst_scaled(&code, ops[op], shift, rt, rn, 4095 >> rm << shift);
			effect = taken(names[op][shift]);
			check_access(effect.steps, op, jf_arm64_gp(rt), rn, JF_REG_NONE, 4095 >> rm << shift);
			jf_arm64_ldst_unscaled(&code, ops[op], shift, rt, rn, (int)rm - 16);
			effect = taken(unscaled[op][shift]);
			check_access(effect.steps, op, jf_arm64_gp(rt), rn, JF_REG_NONE, (int)rm - 16);
			jf_arm64_ldst_reg(&code, ops[op], shift, rt, rn, rm);
			effect = taken(names[op][shift]);
			check_access(effect.steps, op, jf_arm64_gp(rt), rn, jf_arm64_gp(rm), 0);
			cr_assert_eq(effect.steps[0].bytes, 1u << shift);
		}
	})
}

Test(encoders_arm64, pairs, .init = begin){
	EACH_REGISTER(rt, rt2, k,
		      {
			      for (unsigned int fp = 0; fp < 2; fp++) {
				      unsigned int a = fp ? JF_ARM64_D0 + rt : jf_arm64_gp(rt),
						   b = fp ? JF_ARM64_D0 + rt2 : jf_arm64_gp(rt2);
				      int64_t off = ((int)k - 16) * 32;
				      struct jf_effect effect;

				      jf_arm64_pair(&code, JF_ARM64_STP, fp, rt, rt2, JF_ARM64_SP, off);
				      effect = taken("stp");
				      check_access(&effect.steps[0], false, a, JF_ARM64_SP, JF_REG_NONE, off);
				      check_access(&effect.steps[1], false, b, JF_ARM64_SP, JF_REG_NONE, off + 8);
				      jf_arm64_pair(&code, JF_ARM64_STP_PRE, fp, rt, rt2, JF_ARM64_SP, off);
				      effect = taken("stp");
				      cr_assert(effect.steps[0].kind == JF_STEP_ADD &&
						effect.steps[0].dst == JF_ARM64_SP);
				      cr_assert(effect.steps[0].a == JF_ARM64_SP && effect.steps[0].imm == off);
				      check_access(&effect.steps[1], false, a, JF_ARM64_SP, JF_REG_NONE, 0);
				      check_access(&effect.steps[2], false, b, JF_ARM64_SP, JF_REG_NONE, 8);
				      if (rt == rt2)
					      continue;
				      jf_arm64_pair(&code, JF_ARM64_LDP, fp, rt, rt2, JF_ARM64_SP, off);
				      effect = taken("ldp");
				      check_access(&effect.steps[0], true, a, JF_ARM64_SP, JF_REG_NONE, off);
				      check_access(&effect.steps[1], true, b, JF_ARM64_SP, JF_REG_NONE, off + 8);
				      jf_arm64_pair(&code, JF_ARM64_LDP_POST, fp, rt, rt2, JF_ARM64_SP, off);
				      effect = taken("ldp");
				      check_access(&effect.steps[0], true, a, JF_ARM64_SP, JF_REG_NONE, 0);
				      check_access(&effect.steps[1], true, b, JF_ARM64_SP, JF_REG_NONE, 8);
				      cr_assert(effect.steps[2].kind == JF_STEP_ADD && effect.steps[2].imm == off);
			      }
		      })}

Test(encoders_arm64, pairs_into_their_base, .init = begin)
{
	struct jf_effect effect;

	jf_arm64_pair(&code, JF_ARM64_LDP, false, 3, 4, 3, 16);
	effect = taken("ldp");
	check_access(&effect.steps[0], true, 4, 3, JF_REG_NONE, 24);
	check_access(&effect.steps[1], true, 3, 3, JF_REG_NONE, 16);
}

Test(encoders_arm64, exclusive_and_ordered, .init = begin)
{
	static const char *const names[4][4] = {{"ldxrb", "ldxrh", "ldxr", "ldxr"},
						{"ldaxrb", "ldaxrh", "ldaxr", "ldaxr"},
						{"ldarb", "ldarh", "ldar", "ldar"},
						{"stlrb", "stlrh", "stlr", "stlr"}};
	static const enum jf_arm64_ordered ops[] = {JF_ARM64_LDXR, JF_ARM64_LDAXR, JF_ARM64_LDAR, JF_ARM64_STLR};
	static const char *const stores[] = {"stlxrb", "stlxrh", "stlxr", "stlxr"};
	struct jf_effect effect;

	EACH_REGISTER(rt, rn, rs, {
		for (unsigned int i = 0; i < 16; i++) {
			jf_arm64_ordered(&code, ops[i / 4], i % 4, rt, rn);
			effect = taken(names[i / 4][i % 4]);
			check_access(effect.steps, i / 4 < 3, jf_arm64_gp(rt), rn, JF_REG_NONE, 0);
		}
		for (unsigned int shift = 0; shift < 4 && rs != rt && rs != rn; shift++) {
			jf_arm64_store_exclusive(&code, JF_ARM64_STLXR, shift, rs, rt, rn);
			effect = taken(stores[shift]);
			check_access(effect.steps, false, JF_REG_NONE, rn, JF_REG_NONE, 0);
			check_writes(effect, jf_arm64_gp(rs));
		}
	})
}

static void check_flow(struct jf_effect effect, enum jf_flow flow, int64_t target)
{
	cr_assert_eq(effect.flow, flow, "%s", effect.name);
	cr_assert_eq(effect.target_off, target, "%s", effect.name);
	cr_assert_eq(effect.step_count, 0, "%s", effect.name);
}

Test(encoders_arm64, branches, .init = begin)
{
	static const int edges[] = {-32768, -4, 0, 4, 32764}; /* as far as the shortest reaches */

	for (unsigned int rt = 0; rt < 31; rt++) {
		int64_t off = edges[rt % COUNT(edges)];

		jf_arm64_b(&code, false, off * 4096);
		check_flow(taken("b"), JF_FLOW_JUMP, off * 4096);
		jf_arm64_b(&code, true, off * 4096);
		check_flow(taken("bl"), JF_FLOW_CALL, off * 4096);
		jf_arm64_b_cond(&code, (enum jf_arm64_cond)(rt % 14), off * 32);
		check_flow(taken("b.cond"), JF_FLOW_BRANCH, off * 32);
		jf_arm64_cbz(&code, rt & 1, rt & 2, rt, off * 32);
		check_flow(taken(rt & 1 ? "cbnz" : "cbz"), JF_FLOW_BRANCH, off * 32);
		jf_arm64_tbz(&code, rt & 1, rt, rt * 2, off);
		check_flow(taken(rt & 1 ? "tbnz" : "tbz"), JF_FLOW_BRANCH, off);
		jf_arm64_branch_reg(&code, JF_ARM64_BR, rt);
		cr_assert_eq(taken("br").flow_reg, rt);
		jf_arm64_branch_reg(&code, JF_ARM64_BLR, rt);
		cr_assert_eq(taken("blr").flow_reg, rt);
		jf_arm64_branch_reg(&code, JF_ARM64_RET, rt);
		cr_assert_eq(taken("ret").flow_reg, rt);
	}
	jf_arm64_branch_reg(&code, JF_ARM64_RET, 30);
	check_flow(taken("ret"), JF_FLOW_JUMP_REG, 0);
	jf_arm64_branch_reg(&code, JF_ARM64_BLR, 9);
	check_flow(taken("blr"), JF_FLOW_CALL_REG, 0);
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
