/* SPDX-License-Identifier: BSD-2-Clause */
/* What every encoder puts down decodes to what it was given: each step, field by field. */
#include "insn.h"

#include <criterion/criterion.h>
#include <string.h>

#include <jitframe/effect.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NO         JF_REG_NONE
#define TEMP       RIP /* values of a moment, in the decoder's steps */

static const int64_t disps[] = {0, 1, 127, 128, -1, -128, -129, INT32_MAX, INT32_MIN};
static const int64_t imms[] = {0, 1, 127, 128, 255, 256, -1, -128, -129, INT32_MAX, INT32_MIN};
static const char *const alu_names[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
static const uint8_t alu_kinds[] = {JF_STEP_ADD, JF_STEP_OR, 0, 0, JF_STEP_AND, JF_STEP_SUB, JF_STEP_XOR, 0};

static uint8_t bytes[64];
static struct jf_code code;
static struct jf_effect effect; /* of what was emitted last */

static void begin(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), 0x1000, NULL, 0);
}

/* ---- steps that are wanted ------------------------------------------------------------------------ */

static struct jf_step step(enum jf_step_kind kind, unsigned int dst, unsigned int a, unsigned int b, unsigned int size)
{
	return (struct jf_step){.kind = (uint8_t)kind,
				.dst = (uint8_t)dst,
				.a = (uint8_t)a,
				.b = (uint8_t)b,
				.c = NO,
				.bytes = (uint8_t)size};
}

static struct jf_step with_imm(struct jf_step s, int64_t imm)
{
	s.imm = imm;
	return s;
}

static struct jf_step kill(unsigned int reg)
{
	return step(JF_STEP_KILL, reg, NO, NO, 0);
}

static struct jf_step constant(unsigned int dst, int64_t imm)
{
	return with_imm(step(JF_STEP_MOVE, dst, NO, NO, 0), imm);
}

static struct jf_step extend(unsigned int dst, unsigned int a, unsigned int size, bool sign)
{
	struct jf_step s = step(JF_STEP_EXTEND, dst, a, NO, size);

	s.sign = sign;
	return s;
}

static struct jf_step move(unsigned int dst, unsigned int a, bool w)
{
	return w ? step(JF_STEP_MOVE, dst, a, NO, 0) : extend(dst, a, 4, false);
}

static struct jf_step access(enum jf_step_kind kind, struct mem m, unsigned int dst, unsigned int c, unsigned int size)
{
	struct jf_step s = with_imm(step(kind, dst, m.base, m.index == NO_INDEX ? NO : m.index, size), m.disp);

	s.c = (uint8_t)c;
	s.shift = m.index == NO_INDEX ? 0 : m.scale;
	return s;
}

static struct jf_step load(unsigned int dst, struct mem m, unsigned int size)
{
	return access(JF_STEP_LOAD, m, dst, NO, size);
}

static struct jf_step store(struct mem m, unsigned int c, unsigned int size)
{
	return access(JF_STEP_STORE, m, NO, c, size);
}

static struct jf_step load_signed(unsigned int dst, struct mem m, unsigned int size)
{
	struct jf_step s = load(dst, m, size);

	s.sign = true;
	return s;
}

/* ---- comparing ------------------------------------------------------------------------------------ */

static bool same(const struct jf_step *a, const struct jf_step *b)
{
	return a->kind == b->kind && a->dst == b->dst && a->a == b->a && a->b == b->b && a->c == b->c &&
	       a->bytes == b->bytes && a->shift == b->shift && a->bits == b->bits && a->sign == b->sign &&
	       a->imm == b->imm;
}

/* Takes what was emitted: one instruction of that name and those steps. */
static void is(const char *name, const struct jf_step *steps, size_t count)
{
	if (jf_code_finish(&code) != JF_OK || jf_decode(&jf_x86_64_backend, bytes, code.size, &effect) != JF_OK)
		cr_assert_fail("%s", name);
	if (effect.size_bytes != code.size || strcmp(effect.name, name) != 0 || effect.step_count != count)
		cr_assert_fail("%s: %s of %u bytes and %u steps, not %zu and %zu", name, effect.name, effect.size_bytes,
			       effect.step_count, code.size, count);
	for (size_t i = 0; i < count; i++)
		if (!same(&effect.steps[i], &steps[i]))
			cr_assert_fail("%s: step %zu of code %02x %02x %02x %02x", name, i, bytes[0], bytes[1],
				       bytes[2], bytes[3]);
	begin();
}

#define IS(name, ...)                                                                \
	do {                                                                         \
		const struct jf_step wanted[] = {__VA_ARGS__};                       \
		is(name, wanted, LEN(wanted));                                       \
		cr_assert(effect.flow == JF_FLOW_NEXT && !effect.flags, "%s", name); \
	} while (0)

/* Without steps, and where it goes on. */
static void flows(const char *name, enum jf_flow flow, unsigned int reg, int64_t target_off)
{
	is(name, NULL, 0);
	if (effect.flow != flow || effect.flow_reg != reg || effect.target_off != target_off || effect.flags)
		cr_assert_fail("%s: flow %u, register %u, to %lld", name, effect.flow, effect.flow_reg,
			       (long long)effect.target_off);
}

static void flagged(const char *name, unsigned int flags)
{
	is(name, NULL, 0);
	cr_assert(effect.flow == JF_FLOW_NEXT && effect.flags == flags, "%s", name);
}

/* ---- registers ------------------------------------------------------------------------------------ */

static void two_registers(bool w, unsigned int d, unsigned int s)
{
	unsigned int size = w ? 8 : 4;

	for (unsigned int op = 0; op < LEN(alu_names); op++) {
		emit_alu_rr(&code, op, w, d, s);
		if (op == ALU_CMP)
			flagged("cmp", 0);
		else if (!alu_kinds[op])
			IS(alu_names[op], kill(d));
		else if (d == s && (op == ALU_XOR || op == ALU_SUB))
			IS(alu_names[op], constant(d, 0));
		else
			IS(alu_names[op], step(alu_kinds[op], d, d, s, size));
	}
	emit_test_rr(&code, w, d, s);
	flagged("test", 0);
	emit_mov_rr(&code, w, d, s);
	IS("mov", move(d, s, w));
	emit_imul_rr(&code, w, d, s);
	IS("imul", kill(d));
	emit_cmov(&code, CC_A, w, d, s);
	IS("cmova", kill(d));
	if (d == RAX && s == RAX)
		return; /* in its short form that is nop */
	jf_x86_64_emit_xchg_rr(&code, w, d, s);
	/* Which of them is the destination is a matter of taste: the short form's is not rax, the long one's r/m. */
	if (d == RAX || bytes[code.size - 1] >= 0xc0)
		IS("xchg", move(TEMP, s, w), move(s, d, w), move(d, TEMP, true), kill(TEMP));
	else
		IS("xchg", move(TEMP, d, w), move(d, s, w), move(s, TEMP, true), kill(TEMP));
}

Test(encoders_x86_64, two_registers, .init = begin)
{
	for (unsigned int d = 0; d < 16; d++)
		for (unsigned int s = 0; s < 16; s++)
			for (unsigned int w = 0; w < 2; w++)
				two_registers(w, d, s);
}

Test(encoders_x86_64, extensions, .init = begin)
{
	for (unsigned int d = 0; d < 16; d++)
		for (unsigned int s = 0; s < 16; s++)
			for (unsigned int size = 1; size <= 2; size++) {
				emit_extend(&code, size, false, true, d, s);
				IS("movzx", extend(d, s, size, false));
				emit_extend(&code, size, true, true, d, s);
				IS("movsx", extend(d, s, size, true));
				emit_extend(&code, size, true, false, d, s);
				IS("movsx", extend(d, s, size, true), extend(d, d, 4, false));
				emit_extend(&code, 4, true, true, d, s);
				IS("movsxd", extend(d, s, 4, true));
			}
}

static void one_register(unsigned int r, bool w)
{
	static const char *const unary[] = {[UNARY_MUL] = "mul", "imul", "div", "idiv"};
	unsigned int size = w ? 8 : 4;

	emit_unary(&code, UNARY_NOT, w, r);
	IS("not", with_imm(step(JF_STEP_XOR, r, r, NO, size), -1));
	emit_unary(&code, UNARY_NEG, w, r);
	IS("neg", kill(r));
	for (unsigned int op = UNARY_MUL; op <= UNARY_IDIV; op++) {
		emit_unary(&code, op, w, r);
		IS(unary[op], kill(RAX), kill(RDX));
	}
	emit_bswap(&code, w, r);
	IS("bswap", kill(r));
	emit_shift_cl(&code, SHIFT_SHL, w, r);
	IS("shl", step(JF_STEP_SHL, r, r, RCX, size));
	emit_shift_cl(&code, SHIFT_ROR, w, r);
	IS("ror", kill(r));
	for (unsigned int count = 0; count < 8 * size; count++) {
		emit_shift_ri(&code, SHIFT_SHL, w, r, count);
		IS("shl", with_imm(step(JF_STEP_SHL, r, r, NO, size), count));
		emit_shift_ri(&code, SHIFT_SHR, w, r, count);
		IS("shr", with_imm(step(JF_STEP_SHR, r, r, NO, size), count));
		emit_shift_ri(&code, SHIFT_SAR, w, r, count);
		IS("sar", with_imm(step(JF_STEP_SAR, r, r, NO, size), count));
		emit_shift_ri(&code, SHIFT_ROL, w, r, count);
		IS("rol", kill(r));
	}
}

Test(encoders_x86_64, one_register, .init = begin)
{
	struct mem top = at(RSP, 0);

	for (unsigned int r = 0; r < 16; r++) {
		one_register(r, false);
		one_register(r, true);
		emit_push(&code, r);
		if (r == RSP)
			IS("push", move(TEMP, RSP, true), with_imm(step(JF_STEP_SUB, RSP, RSP, NO, 8), 8),
			   store(top, TEMP, 8), kill(TEMP));
		else
			IS("push", with_imm(step(JF_STEP_SUB, RSP, RSP, NO, 8), 8), store(top, r, 8));
		emit_pop(&code, r);
		if (r == RSP)
			IS("pop", load(RSP, top, 8));
		else
			IS("pop", load(r, top, 8), with_imm(step(JF_STEP_ADD, RSP, RSP, NO, 8), 8));
		emit_call_reg(&code, r);
		flows("call", JF_FLOW_CALL_REG, r, 0);
		emit_jmp_reg(&code, r);
		flows("jmp", JF_FLOW_JUMP_REG, r, 0);
		emit_load_tp(&code, r);
		IS("mov", step(JF_STEP_LOAD, r, NO, NO, 8));
		emit_add_seg(&code, F_GS, r);
		IS("add", step(JF_STEP_LOAD, TEMP, NO, NO, 8), step(JF_STEP_ADD, r, r, TEMP, 8), kill(TEMP));
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

/* ---- immediates ----------------------------------------------------------------------------------- */

Test(encoders_x86_64, immediates, .init = begin)
{
	for (unsigned int r = 0; r < 16; r++)
		for (unsigned int w = 0; w < 2; w++)
			for (size_t i = 0; i < LEN(imms); i++) {
				for (unsigned int op = 0; op < LEN(alu_names); op++) {
					jf_x86_64_emit_alu_ri(&code, op, w, r, imms[i]);
					if (op == ALU_CMP)
						flagged("cmp", 0);
					else if (!alu_kinds[op])
						IS(alu_names[op], kill(r));
					else
						IS(alu_names[op],
						   with_imm(step(alu_kinds[op], r, r, NO, w ? 8 : 4), imms[i]));
				}
				emit_imul_rri(&code, w, r, 15 - r, imms[i]);
				IS("imul", kill(r));
				jf_x86_64_emit_test_ri(&code, w, r, imms[i]);
				flagged("test", 0);
			}
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

/* ---- memory --------------------------------------------------------------------------------------- */

static void loads_and_stores(struct mem m, unsigned int r)
{
	for (unsigned int size = 1; size <= 8; size *= 2) {
		emit_load(&code, size, false, r, m);
		IS(size < 4 ? "movzx" : "mov", load(r, m, size));
		emit_store(&code, size, m, r);
		IS("mov", store(m, r, size));
		if (size == 8)
			break;
		emit_load(&code, size, true, r, m);
		IS(size == 4 ? "movsxd" : "movsx", load_signed(r, m, size));
	}
	emit_lea(&code, true, r, m);
	IS("lea", access(JF_STEP_ADDRESS, m, r, NO, 0));
	emit_lea(&code, false, r, m);
	IS("lea", access(JF_STEP_ADDRESS, m, r, NO, 0), extend(r, r, 4, false));
	emit_load_disp32(&code, r, m);
	IS("mov", load(r, m, 8));
}

Test(encoders_x86_64, loads_and_stores, .init = begin)
{
	for (unsigned int base = 0; base < 16; base++)
		for (unsigned int r = 0; r < 16; r++)
			for (size_t i = 0; i < LEN(disps); i++)
				loads_and_stores(at(base, disps[i]), r);
	for (unsigned int base = 0; base < 16; base++)
		for (unsigned int index = 0; index < 16; index++)
			for (unsigned int scale = 0; index != NO_INDEX && scale < 4; scale++)
				loads_and_stores((struct mem){disps[(base + index) % LEN(disps)], (uint16_t)base,
							      (uint16_t)index, (uint8_t)scale},
						 index);
}

static void in_memory(struct mem m, unsigned int r, bool w)
{
	unsigned int size = w ? 8 : 4;

	for (unsigned int op = 0; op < LEN(alu_names); op++) {
		emit_alu_rm(&code, op, w, r, m);
		if (op == ALU_CMP)
			IS("cmp", load(NO, m, size));
		else if (!alu_kinds[op])
			IS(alu_names[op], load(NO, m, size), kill(r));
		else
			IS(alu_names[op], load(TEMP, m, size), step(alu_kinds[op], r, r, TEMP, size), kill(TEMP));
		emit_alu_mi(&code, op, w, m, -5);
		if (op == ALU_CMP)
			IS("cmp", load(NO, m, size));
		else if (!alu_kinds[op])
			IS(alu_names[op], load(NO, m, size), store(m, NO, size));
		else
			IS(alu_names[op], load(TEMP, m, size), with_imm(step(alu_kinds[op], TEMP, TEMP, NO, size), -5),
			   store(m, TEMP, size), kill(TEMP));
		if (!alu_kinds[op])
			continue;
		emit_lock_alu_mr(&code, op, w, m, r);
		IS(alu_names[op], load(TEMP, m, size), step(alu_kinds[op], TEMP, TEMP, r, size), store(m, TEMP, size),
		   kill(TEMP));
	}
	emit_lock_xadd(&code, w, m, r);
	IS("xadd", load(TEMP, m, size), step(JF_STEP_ADD, TEMP, TEMP, r, size), store(m, TEMP, size),
	   step(JF_STEP_SUB, r, TEMP, r, size), kill(TEMP));
	emit_lock_cmpxchg(&code, w, m, r);
	IS("cmpxchg", load(NO, m, size), store(m, NO, size), kill(RAX));
	emit_xchg_mr(&code, w, m, r);
	IS("xchg", load(TEMP, m, size), store(m, r, size), move(r, TEMP, true), kill(TEMP));
}

Test(encoders_x86_64, in_memory, .init = begin)
{
	for (unsigned int base = 0; base < 16; base++)
		for (unsigned int r = 0; r < 16; r++) {
			in_memory(at(base, disps[(base + r) % LEN(disps)]), r, true);
			in_memory(at(base, disps[(base + r) % LEN(disps)]), r, false);
		}
}

Test(encoders_x86_64, stored_immediates_and_control_words, .init = begin)
{
	for (unsigned int base = 0; base < 16; base++)
		for (size_t i = 0; i < LEN(disps); i++) {
			struct mem m = at(base, disps[i]);

			for (unsigned int size = 1; size <= 8; size *= 2) {
				jf_x86_64_emit_store_imm(&code, size, m, -3);
				IS("mov", constant(TEMP, -3), store(m, TEMP, size), kill(TEMP));
			}
			emit_stmxcsr(&code, m);
			IS("stmxcsr", store(m, MXCSR, 4));
			emit_ldmxcsr(&code, m);
			IS("ldmxcsr", load(MXCSR, m, 4));
			emit_fnstcw(&code, m);
			IS("fnstcw", store(m, FCW, 2));
			emit_fldcw(&code, m);
			IS("fldcw", load(FCW, m, 2));
		}
}

/* ---- branches ------------------------------------------------------------------------------------- */

Test(encoders_x86_64, branches, .init = begin)
{
	static const char *const names[] = {"jo", "jno", "jb", "jae", "je", "jne", "jbe", "ja",
					    "js", "jns", "jp", "jnp", "jl", "jge", "jle", "jg"};
	static const int64_t rel8[] = {0, 1, 127, -1, -128};
	static const int64_t rel32[] = {0, 128, -129, INT32_MAX, INT32_MIN};

	for (size_t i = 0; i < LEN(rel8); i++) {
		for (unsigned int cc = 0; cc < LEN(names); cc++) {
			emit_jcc8(&code, cc, rel8[i]);
			flows(names[cc], JF_FLOW_BRANCH, NO, rel8[i] + 2);
			emit_jcc32(&code, cc, rel32[i]);
			flows(names[cc], JF_FLOW_BRANCH, NO, rel32[i] + 6);
		}
		emit_jmp8(&code, rel8[i]);
		flows("jmp", JF_FLOW_JUMP, NO, rel8[i] + 2);
		emit_jmp32(&code, rel32[i]);
		flows("jmp", JF_FLOW_JUMP, NO, rel32[i] + 5);
		emit_call32(&code, rel32[i]);
		flows("call", JF_FLOW_CALL, NO, rel32[i] + 5);
	}
}
