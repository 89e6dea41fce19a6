/* SPDX-License-Identifier: BSD-2-Clause */
/* What every encoder puts down decodes to what it was given: each step, field by field. */
#include "steps.h"

#include <stdio.h>

static const uint8_t alu_kinds[] = {JF_STEP_ADD, JF_STEP_OR, 0, 0, JF_STEP_AND, JF_STEP_SUB, JF_STEP_XOR, 0};

/* ---- registers ------------------------------------------------------------------------------------ */

static unsigned int size_of(const struct insn *i)
{
	return i->w ? 8 : 4;
}

static const char *name_of(const struct insn *i)
{
	return i->op->decode ? i->op->decode : i->op->name;
}

static const char *with_cc(const char *name, const struct insn *i)
{
	static char text[16];

	snprintf(text, sizeof(text), "%s%s", name, i->op->name);
	return text;
}

static void does_alu_rr(const struct insn *i)
{
	unsigned int op = i->op->value;

	if (op == ALU_CMP)
		flagged("cmp", 0);
	else if (op == ALU_SBB && i->r == i->s)
		chooses(i->op->name, JF_COND_GE, with_imm(step(JF_STEP_CHOOSE, i->r, NO, NO, size_of(i)), -1));
	else if (!alu_kinds[op])
		IS(i->op->name, kill(i->r));
	else if (i->r == i->s && (op == ALU_XOR || op == ALU_SUB))
		IS(i->op->name, constant(i->r, 0));
	else
		IS(i->op->name, step(alu_kinds[op], i->r, i->r, i->s, size_of(i)));
}

static void does_test_rr(const struct insn *i)
{
	(void)i;
	flagged("test", 0);
}

static void does_mov_rr(const struct insn *i)
{
	IS("mov", move(i->r, i->s, i->w));
}

static void does_imul_rr(const struct insn *i)
{
	IS("imul", kill(i->r));
}

#define does_imul_rri does_imul_rr

static void does_cmov(const struct insn *i)
{
	static const uint8_t conds[16] = {
		JF_COND__COUNT, JF_COND__COUNT, JF_COND_LT,     JF_COND_GE,     JF_COND_EQ,     JF_COND_NE,
		JF_COND_LE,     JF_COND_GT,     JF_COND__COUNT, JF_COND__COUNT, JF_COND__COUNT, JF_COND__COUNT,
		JF_COND_SLT,    JF_COND_SGE,    JF_COND_SLE,    JF_COND_SGT,
	};

	chooses(with_cc("cmov", i), conds[i->op->value], step(JF_STEP_CHOOSE, i->r, i->s, i->r, size_of(i)));
}

/* Which of them is the destination is a matter of taste: the short form's is not rax, the long one's r/m. */
static void does_xchg_rr(const struct insn *i)
{
	unsigned int d = i->r, s = i->s;

	if (d == RAX || bytes[code.size - 1] >= 0xc0)
		IS("xchg", move(TEMP, s, i->w), move(s, d, i->w), move(d, TEMP, true), kill(TEMP));
	else
		IS("xchg", move(TEMP, d, i->w), move(d, s, i->w), move(s, TEMP, true), kill(TEMP));
}

static void does_extend(const struct insn *i)
{
	if (i->op->bytes >= 4 && !i->op->sign)
		IS("mov", move(i->r, i->s, i->w));
	else if (i->op->sign && !i->w)
		IS(name_of(i), extend(i->r, i->s, i->op->bytes, true), extend(i->r, i->r, 4, false));
	else
		IS(name_of(i), extend(i->r, i->s, i->op->bytes, i->op->sign));
}

static void does_unary(const struct insn *i)
{
	if (i->op->value == UNARY_NOT)
		IS("not", with_imm(step(JF_STEP_XOR, i->r, i->r, NO, size_of(i)), -1));
	else if (i->op->value == UNARY_NEG)
		IS("neg", kill(i->r));
	else
		IS(i->op->name, kill(RAX), kill(RDX));
}

static const uint8_t shift_kinds[8] = {[SHIFT_SHL] = JF_STEP_SHL, [SHIFT_SHR] = JF_STEP_SHR, [SHIFT_SAR] = JF_STEP_SAR};

static void does_shift_cl(const struct insn *i)
{
	if (shift_kinds[i->op->value])
		IS(i->op->name, step(shift_kinds[i->op->value], i->r, i->r, RCX, size_of(i)));
	else
		IS(i->op->name, kill(i->r));
}

static void does_bswap(const struct insn *i)
{
	IS("bswap", kill(i->r));
}

static void does_push(const struct insn *i)
{
	struct mem top = at(RSP, 0);

	if (i->r == RSP)
		IS("push", move(TEMP, RSP, true), with_imm(step(JF_STEP_SUB, RSP, RSP, NO, 8), 8), store(top, TEMP, 8),
		   kill(TEMP));
	else
		IS("push", with_imm(step(JF_STEP_SUB, RSP, RSP, NO, 8), 8), store(top, i->r, 8));
}

static void does_pop(const struct insn *i)
{
	struct mem top = at(RSP, 0);

	if (i->r == RSP)
		IS("pop", load(RSP, top, 8));
	else
		IS("pop", load(i->r, top, 8), with_imm(step(JF_STEP_ADD, RSP, RSP, NO, 8), 8));
}

static void does_call_reg(const struct insn *i)
{
	flows("call", JF_FLOW_CALL_REG, i->r, 0);
}

static void does_jmp_reg(const struct insn *i)
{
	flows("jmp", JF_FLOW_JUMP_REG, i->r, 0);
}

static void does_load_fs(const struct insn *i)
{
	IS("mov", with_imm(step(JF_STEP_LOAD, i->r, NO, NO, 8), i->imm));
}

static void does_add_seg(const struct insn *i)
{
	IS("add", with_imm(step(JF_STEP_LOAD, TEMP, NO, NO, 8), i->imm), step(JF_STEP_ADD, i->r, i->r, TEMP, 8),
	   kill(TEMP));
}

static void does_alu_ri(const struct insn *i)
{
	unsigned int op = i->op->value;

	if (op == ALU_CMP)
		flagged("cmp", 0);
	else if (!alu_kinds[op])
		IS(i->op->name, kill(i->r));
	else
		IS(i->op->name, with_imm(step(alu_kinds[op], i->r, i->r, NO, size_of(i)), i->imm));
}

/* ---- memory --------------------------------------------------------------------------------------- */

static void does_load(const struct insn *i)
{
	IS(name_of(i), i->op->sign ? load_signed(i->r, i->m, i->op->bytes) : load(i->r, i->m, i->op->bytes));
}

static void does_load_disp32(const struct insn *i)
{
	IS("mov", load(i->r, i->m, 8));
}

static void does_store(const struct insn *i)
{
	IS("mov", store(i->m, i->r, i->op->bytes));
}

static void does_lea(const struct insn *i)
{
	if (i->w)
		IS("lea", access(JF_STEP_ADDRESS, i->m, i->r, NO, 0));
	else
		IS("lea", access(JF_STEP_ADDRESS, i->m, i->r, NO, 0), extend(i->r, i->r, 4, false));
}

static void does_alu_rm(const struct insn *i)
{
	unsigned int op = i->op->value, size = size_of(i);

	if (op == ALU_CMP)
		IS("cmp", load(NO, i->m, size));
	else if (!alu_kinds[op])
		IS(i->op->name, load(NO, i->m, size), kill(i->r));
	else
		IS(i->op->name, load(TEMP, i->m, size), step(alu_kinds[op], i->r, i->r, TEMP, size), kill(TEMP));
}

static void does_alu_mi(const struct insn *i)
{
	unsigned int op = i->op->value, size = size_of(i);

	if (op == ALU_CMP)
		IS("cmp", load(NO, i->m, size));
	else if (!alu_kinds[op])
		IS(i->op->name, load(NO, i->m, size), store(i->m, NO, size));
	else
		IS(i->op->name, load(TEMP, i->m, size), with_imm(step(alu_kinds[op], TEMP, TEMP, NO, size), i->imm),
		   store(i->m, TEMP, size), kill(TEMP));
}

static void does_lock_alu(const struct insn *i)
{
	unsigned int op = i->op->value, size = size_of(i);

	if (!alu_kinds[op])
		IS(i->op->name, load(NO, i->m, size), store(i->m, NO, size));
	else
		IS(i->op->name, load(TEMP, i->m, size), step(alu_kinds[op], TEMP, TEMP, i->r, size),
		   store(i->m, TEMP, size), kill(TEMP));
}

static void does_lock_xadd(const struct insn *i)
{
	unsigned int size = size_of(i);

	IS("xadd", load(TEMP, i->m, size), step(JF_STEP_ADD, TEMP, TEMP, i->r, size), store(i->m, TEMP, size),
	   step(JF_STEP_SUB, i->r, TEMP, i->r, size), kill(TEMP));
}

static void does_lock_cmpxchg(const struct insn *i)
{
	IS("cmpxchg", load(NO, i->m, size_of(i)), store(i->m, NO, size_of(i)), kill(RAX));
}

static void does_xchg_mr(const struct insn *i)
{
	IS("xchg", load(TEMP, i->m, size_of(i)), store(i->m, i->r, size_of(i)), move(i->r, TEMP, true), kill(TEMP));
}

static void does_stmxcsr(const struct insn *i)
{
	IS("stmxcsr", store(i->m, MXCSR, 4));
}

static void does_ldmxcsr(const struct insn *i)
{
	IS("ldmxcsr", load(MXCSR, i->m, 4));
}

static void does_fnstcw(const struct insn *i)
{
	IS("fnstcw", store(i->m, FCW, 2));
}

static void does_fldcw(const struct insn *i)
{
	IS("fldcw", load(FCW, i->m, 2));
}

/* ---- branches ------------------------------------------------------------------------------------- */

static void does_jcc8(const struct insn *i)
{
	flows(with_cc("j", i), JF_FLOW_BRANCH, NO, i->imm + 2);
}

static void does_jcc32(const struct insn *i)
{
	flows(with_cc("j", i), JF_FLOW_BRANCH, NO, i->imm + 6);
}

static void does_jmp8(const struct insn *i)
{
	flows("jmp", JF_FLOW_JUMP, NO, i->imm + 2);
}

static void does_jmp32(const struct insn *i)
{
	flows("jmp", JF_FLOW_JUMP, NO, i->imm + 5);
}

static void does_call32(const struct insn *i)
{
	flows("call", JF_FLOW_CALL, NO, i->imm + 5);
}

#define FORM_TEST(name, ...)                         \
	static void one_##name(const struct insn *i) \
	{                                            \
		i->form->emit(&code, i);             \
		does_##name(i);                      \
	}                                            \
	Test(encoders_x86_64, name, .init = begin)   \
	{                                            \
		each_insn(&form_##name, one_##name); \
	}
FORMS(FORM_TEST)

/* ---- what no form has ------------------------------------------------------------------------------ */

Test(encoders_x86_64, shifts_by_constants, .init = begin)
{
	for (size_t n = 0; n < LEN(ops_shift); n++)
		for (unsigned int r = 0; r < 16; r++)
			for (unsigned int w = 0; w < 2; w++)
				for (unsigned int count = 0; count < (w ? 64u : 32u); count++) {
					unsigned int op = ops_shift[n].value;

					emit_shift_ri(&code, op, w, r, count);
					if (shift_kinds[op])
						IS(ops_shift[n].name,
						   with_imm(step(shift_kinds[op], r, r, NO, w ? 8 : 4), count));
					else
						IS(ops_shift[n].name, kill(r));
				}
}

Test(encoders_x86_64, tests_of_constants, .init = begin)
{
	for (unsigned int r = 0; r < 16; r++)
		for (unsigned int w = 0; w < 2; w++)
			for (size_t k = 0; k < form_alu_ri.imm_count; k++) {
				jf_x86_64_emit_test_ri(&code, w, r, form_alu_ri.imms[k]);
				flagged("test", 0);
			}
}

Test(encoders_x86_64, stored_constants, .init = begin)
{
	for (unsigned int base = 0; base < 16; base++)
		for (size_t k = 0; k < LEN(disps); k++) {
			struct mem m = at(base, disps[k]);

			for (unsigned int size = 1; size <= 8; size *= 2) {
				jf_x86_64_emit_store_imm(&code, size, m, -3);
				IS("mov", constant(TEMP, -3), store(m, TEMP, size), kill(TEMP));
			}
		}
}

Test(encoders_x86_64, no_operand, .init = begin)
{
	const struct jf_step pop_ra[] = {load(RIP, at(RSP, 0), 8), with_imm(step(JF_STEP_ADD, RSP, RSP, NO, 8), 8)};

	emit_leave(&code);
	IS("leave", move(RSP, RBP, true), load(RBP, at(RSP, 0), 8), with_imm(step(JF_STEP_ADD, RSP, RSP, NO, 8), 8));
	emit_ret(&code);
	is("ret", pop_ra, LEN(pop_ra));
	cr_assert(effect.flow == JF_FLOW_JUMP_REG && effect.flow_reg == RIP);
	emit_sign_to_dx(&code, false);
	IS("cdq", with_imm(step(JF_STEP_SAR, RDX, RAX, NO, 4), 31));
	emit_sign_to_dx(&code, true);
	IS("cqo", with_imm(step(JF_STEP_SAR, RDX, RAX, NO, 8), 63));
	emit_endbr64(&code);
	flagged("endbr64", JF_EFFECT_LANDING_PAD);
	emit_nop3(&code);
	flagged("nop", JF_EFFECT_NOP);
	emit_nop5(&code);
	flagged("nop", JF_EFFECT_NOP);
}

Test(encoders_x86_64, constants, .init = begin)
{
	static const uint64_t values[] = {0,
					  1,
					  INT32_MAX,
					  UINT32_MAX,
					  UINT64_C(0x100000000),
					  UINT64_MAX,
					  (uint64_t)INT32_MIN,
					  INT64_MAX,
					  UINT64_C(0x8000000000000000)};

	for (unsigned int r = 0; r < 16; r++)
		for (size_t i = 0; i < LEN(values); i++) {
			jf_x86_64_emit_mov_ri(&code, r, values[i]);
			IS(values[i] ? "mov" : "xor", constant(r, (int64_t)values[i]));
			jf_x86_64_emit_movabs(&code, r, values[i]);
			IS("mov", constant(r, (int64_t)values[i]));
			jf_x86_64_emit_lea_pc(&code, r, jf_code_pc(&code) + (values[i] & 0xffff));
			IS("lea", with_imm(step(JF_STEP_ADDRESS, r, NO, NO, 0), (int64_t)(values[i] & 0xffff)));
		}
}
