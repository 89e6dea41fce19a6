/* SPDX-License-Identifier: BSD-2-Clause */
/* Every x86_64 encoder over all registers and the edge values of its immediates, against LLVM MC and Capstone. */
#include "mc.h"

#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "forms.h"

#define TRIPLE    "x86_64-unknown-linux-gnu"
#define CASES_MAX 49152

static const char *const r64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const r32[] = {"eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
				  "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
static const char *const r16[] = {"ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
				  "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"};
static const char *const r8[] = {"al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
				 "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"};
static const int64_t imms[] = {0, 1, 127, 128, 255, 256, -1, -128, -129, INT32_MAX, INT32_MIN};

/* Each Criterion test runs in a process of its own, with its own list. */
static struct mc_case cases[CASES_MAX];
static size_t case_count;
static uint8_t buffer[64];
static struct jf_code code;

static void begin(void)
{
	jf_code_init(&code, buffer, sizeof(buffer), 0, NULL, 0);
}

/* What was emitted since the last case should be `fmt`. */
__attribute__((format(printf, 1, 2))) static void is(const char *fmt, ...)
{
	struct mc_case *c = &cases[case_count++];
	va_list ap;

	cr_assert_lt(case_count, CASES_MAX);
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
	cr_assert_eq(jf_code_finish(&code), JF_OK, "%s failed", c->text);
	cr_assert_leq(code.size, sizeof(c->bytes), "%s: %zu bytes", c->text, code.size);
	memcpy(c->bytes, buffer, code.size);
	c->size = (uint8_t)code.size;
	code.size = 0;
}

static const char *name(bool w, unsigned int reg)
{
	return w ? r64[reg] : r32[reg];
}

static const char *name_of(unsigned int bytes, unsigned int reg)
{
	return bytes == 8 ? r64[reg] : bytes == 4 ? r32[reg] : bytes == 2 ? r16[reg] : r8[reg];
}

static char suffix(unsigned int bytes)
{
	return bytes == 8 ? 'q' : bytes == 4 ? 'l' : bytes == 2 ? 'w' : 'b';
}

/* Capstone's words for what LLVM writes otherwise. */
static const char *const aliases[] = {"movsbq", "movsx", "movslq", "movsxd", "roll", "rol", NULL};

static void check(void)
{
	mc_check_assembles(TRIPLE, "", cases, case_count);
	mc_check_capstone_aliases(CS_ARCH_X86, CS_MODE_64, cases, case_count, aliases);
}

static void check_by_disassembly(void)
{
	mc_check_disassembles(TRIPLE, "", cases, case_count);
	mc_check_capstone_aliases(CS_ARCH_X86, CS_MODE_64, cases, case_count, aliases);
}

/* ---- the forms ------------------------------------------------------------------------------ */

/* disp(base,index,scale), as AT&T writes it */
static const char *text_of(struct mem m)
{
	static char text[48];
	char disp[24] = "", index[16] = "";

	if (m.disp)
		snprintf(disp, sizeof(disp), "%" PRId64, m.disp);
	if (m.index != NO_INDEX && m.scale)
		snprintf(index, sizeof(index), ",%%%s,%u", r64[m.index], 1u << m.scale);
	else if (m.index != NO_INDEX)
		snprintf(index, sizeof(index), ",%%%s", r64[m.index]);
	snprintf(text, sizeof(text), "%s(%%%s%s)", disp, r64[m.base], index);
	return text;
}

/* One of the letters of forms.h. */
static const char *part(const struct insn *i, char letter)
{
	static char text[24];

	switch (letter) {
	case 'a': return i->op->name;
	case 'w': return i->w ? "q" : "l";
	case 'm': return text_of(i->m);
	case 'R': snprintf(text, sizeof(text), "%%%s", name(i->w, i->r)); return text;
	case 'S': snprintf(text, sizeof(text), "%%%s", name(i->w, i->s)); return text;
	case 'Q': snprintf(text, sizeof(text), "%%%s", r64[i->r]); return text;
	case 'B': snprintf(text, sizeof(text), "%%%s", name_of(i->op->bytes, i->r)); return text;
	case 'T': snprintf(text, sizeof(text), "%%%s", name_of(i->op->bytes, i->s)); return text;
	case 'i': snprintf(text, sizeof(text), "%" PRId64, i->imm); return text;
	case '%': return "%";
	default: cr_assert_fail("%%%c is no operand", letter); return NULL;
	}
}

static void one_insn(const struct insn *i)
{
	char text[96];
	size_t at = 0;

	for (const char *from = i->form->text; *from; from++)
		if (*from == '%')
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", part(i, *++from));
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%c", *from);
	i->form->emit(&code, i);
	is("%s", text);
}

#define FORM_ROW(name, ...) &form_##name,
static const struct form *const forms[] = {FORMS(FORM_ROW)};

/* All forms of some operands at once: starting llvm-mc takes longer than what it does. */
static void check_forms(enum operands operands)
{
	begin();
	for (int by_disassembly = 0; by_disassembly < 2; by_disassembly++) {
		case_count = 0;
		for (size_t k = 0; k < LEN(forms); k++)
			if (forms[k]->operands == operands && forms[k]->by_disassembly == by_disassembly)
				each_insn(forms[k], one_insn);
		if (case_count && by_disassembly)
			check_by_disassembly();
		else if (case_count)
			check();
	}
}

Test(insn_x86_64, register_forms)
{
	check_forms(REG);
}

/* mov between registers has two encodings; the one among extensions is the one that loads have. */
Test(insn_x86_64, two_register_forms)
{
	check_forms(REG_REG);
}

Test(insn_x86_64, immediate_forms)
{
	check_forms(REG_IMM);
}

Test(insn_x86_64, memory_forms)
{
	check_forms(MEM);
	check_forms(MEM_REG);
	check_forms(MEM_IMM);
}

Test(insn_x86_64, indexed_forms)
{
	check_forms(MEM_INDEX);
}

Test(insn_x86_64, relative_forms)
{
	check_forms(RELATIVE);
}

/* ---- what no form has ----------------------------------------------------------------------- */

Test(insn_x86_64, shifts_by_constants)
{
	begin();
	for (size_t n = 0; n < LEN(ops_shift); n++)
		for (unsigned int r = 0; r < 16; r++)
			for (unsigned int w = 0; w < 2; w++)
				for (unsigned int count = 0; count < (w ? 64u : 32u); count++) {
					const char *shift = ops_shift[n].name, *size = w ? "q" : "l";

					emit_shift_ri(&code, ops_shift[n].value, w, r, count);
					if (count == 1)
						is("%s%s %%%s", shift, size, name(w, r));
					else
						is("%s%s $%u, %%%s", shift, size, count, name(w, r));
				}
	check();
}

Test(insn_x86_64, no_operand)
{
	begin();
	emit_leave(&code);
	is("leave");
	emit_ret(&code);
	is("retq");
	emit_sign_to_dx(&code, false);
	is("cltd");
	emit_sign_to_dx(&code, true);
	is("cqto");
	emit_endbr64(&code);
	is("endbr64");
	emit_nop3(&code);
	is("nopl (%%rax)");
	emit_int3(&code);
	is("int3");
	mc_check_assembles(TRIPLE, "", cases, case_count);
	emit_nop5(&code);
	is("nopl (%%rax,%%rax)"); /* with a displacement of 0, which an assembler leaves out */
	mc_check_disassembles(TRIPLE, "", cases, case_count);
	mc_check_capstone(CS_ARCH_X86, CS_MODE_64, cases, case_count);
}

/* The narrowest test that sets ZF the same. */
Test(insn_x86_64, test_immediates)
{
	begin();
	for (unsigned int r = 0; r < 16; r++)
		for (unsigned int w = 0; w < 2; w++)
			for (size_t i = 0; i < LEN(imms); i++) {
				unsigned int bytes = imms[i] >= 0 && imms[i] <= 255 ? 1 : w && imms[i] < 0 ? 8 : 4;

				jf_x86_64_emit_test_ri(&code, w, r, imms[i]);
				is("test%c $%" PRId64 ", %%%s", suffix(bytes), imms[i], name_of(bytes, r));
			}
	check();
}

Test(insn_x86_64, constants)
{
	static const uint64_t values[] = {0,
					  1,
					  INT32_MAX,
					  UINT32_MAX,
					  UINT64_C(0x100000000),
					  UINT64_MAX,
					  (uint64_t)INT32_MIN,
					  (uint64_t)INT32_MIN - 1,
					  INT64_MAX};

	begin();
	for (unsigned int r = 0; r < 16; r++) {
		for (size_t i = 0; i < LEN(values); i++) {
			jf_x86_64_emit_mov_ri(&code, r, values[i]);
			if (values[i] == 0)
				is("xorl %%%s, %%%s", r32[r], r32[r]);
			else if (values[i] <= UINT32_MAX)
				is("movl $%" PRIu64 ", %%%s", values[i], r32[r]);
			else if (fits_s32((int64_t)values[i]))
				is("movq $%" PRId64 ", %%%s", (int64_t)values[i], r64[r]);
			else
				is("movabsq $%" PRId64 ", %%%s", (int64_t)values[i], r64[r]);
		}
		jf_x86_64_emit_movabs(&code, r, 1);
		is("movabsq $1, %%%s", r64[r]);
	}
	check();
}

/* ---- memory --------------------------------------------------------------------------------- */

Test(insn_x86_64, stored_immediates)
{
	static const int64_t values[][5] = {
		{1, 0, 127, -128, 255},
		{2, 0, 32767, -32768, 65535},
		{4, 0, INT32_MAX, INT32_MIN, UINT32_MAX},
		{8, 0, -1, INT32_MIN, INT32_MAX},
	};

	begin();
	for (unsigned int base = 0; base < 16; base++)
		for (size_t k = 0; k < LEN(disps); k++)
			for (size_t i = 0; i < LEN(values); i++)
				for (size_t v = 1; v < LEN(values[i]); v++) {
					unsigned int bytes = (unsigned int)values[i][0];

					jf_x86_64_emit_store_imm(&code, bytes, at(base, disps[k]), values[i][v]);
					is("mov%c $%" PRId64 ", %s", suffix(bytes), values[i][v],
					   text_of(at(base, disps[k])));
				}
	check();
}

/* Longer than need be, as Linux has it. */
Test(insn_x86_64, fixed_forms)
{
	begin();
	for (unsigned int r = 0; r < 16; r++)
		for (size_t i = 0; i < LEN(disps); i++) {
			emit_load_disp32(&code, r, at(RBP, disps[i]));
			cr_assert_eq(code.size, 7);
			is("movq %" PRId64 "(%%rbp), %%%s", disps[i], r64[r]);
		}
	put_reg(&code, F_W | F_IMM32 | 0x81, ALU_SUB, RSP, 8);
	is("subq $8, %%rsp");
	/* LLVM writes no displacement of 0 */
	for (size_t i = 0; i < case_count; i++)
		if (strncmp(cases[i].text, "movq 0(", 7) == 0)
			memmove(cases[i].text + 5, cases[i].text + 6, strlen(cases[i].text + 6) + 1);
	check_by_disassembly();
}

/* ---- branches ------------------------------------------------------------------------------- */

Test(insn_x86_64, addresses_near_and_far)
{
	jf_code_init(&code, buffer, sizeof(buffer), UINT64_C(0x7f0000000000), NULL, 0);
	for (unsigned int r = 0; r < 16; r++) {
		jf_x86_64_emit_lea_pc(&code, r, UINT64_C(0x7f0000001007));
		is("leaq 4096(%%rip), %%%s", r64[r]);
		jf_x86_64_emit_lea_pc(&code, r, UINT64_C(0x7f0000000007) - 0x80000000);
		is("leaq -2147483648(%%rip), %%%s", r64[r]);
	}
	jf_x86_64_emit_call(&code, UINT64_C(0x7f0000000005) - 0x1000, RAX);
	is("callq -4096");
	check_by_disassembly();

	cr_assert(jf_x86_64_near(&code, code.address + 0x7fefffff));
	cr_assert_not(jf_x86_64_near(&code, code.address + 0x7ff00000));
	cr_assert(jf_x86_64_near(&code, code.address - 0x7fefffff));
	cr_assert_not(jf_x86_64_near(&code, code.address - 0x7ff00000));

	jf_x86_64_emit_call(&code, UINT64_C(0x123456789abc), RAX);
	cr_assert_eq(code.size, 12);
	cr_assert_arr_eq(buffer, "\x48\xb8\xbc\x9a\x78\x56\x34\x12\x00\x00\xff\xd0", 12);
}

/* ---- what does not fit ---------------------------------------------------------------------- */

static void refused(const char *what)
{
	cr_assert_eq(code.status, JF_E_RANGE, "%s was accepted", what);
	cr_assert_eq(code.size, 0, "%s left bytes behind", what);
	begin();
}

#define REFUSED(call)           \
	do {                    \
		call;           \
		refused(#call); \
	} while (0)

Test(insn_x86_64, registers_out_of_range)
{
	begin();
	REFUSED(emit_alu_rr(&code, ALU_ADD, true, 16, RAX));
	REFUSED(emit_alu_rr(&code, ALU_ADD, true, RAX, 16));
	REFUSED(emit_mov_rr(&code, false, MXCSR, RAX));
	REFUSED(emit_test_rr(&code, false, RAX, 16));
	REFUSED(emit_cmov(&code, CC_A, true, 16, RAX));
	REFUSED(emit_imul_rr(&code, true, RAX, 16));
	REFUSED(emit_imul_rri(&code, true, 16, RAX, 3));
	REFUSED(emit_unary(&code, UNARY_NEG, true, 16));
	REFUSED(emit_shift_cl(&code, SHIFT_SHL, true, 16));
	REFUSED(emit_shift_ri(&code, SHIFT_SHL, true, 16, 1));
	REFUSED(emit_bswap(&code, true, 16));
	REFUSED(emit_push(&code, 16));
	REFUSED(emit_pop(&code, 16));
	REFUSED(emit_call_reg(&code, 16));
	REFUSED(emit_jmp_reg(&code, 16));
	REFUSED(emit_load_fs(&code, 16, 0));
	REFUSED(emit_add_seg(&code, F_GS, 16, 0));
	REFUSED(emit_lea(&code, true, 16, at(RAX, 0)));
	REFUSED(emit_lea(&code, true, RAX, at(16, 0)));
	REFUSED(emit_load_disp32(&code, RAX, at(JF_REG_NONE, 0)));
	REFUSED(emit_stmxcsr(&code, at(16, 0)));
	REFUSED(emit_ldmxcsr(&code, at(16, 0)));
	REFUSED(emit_fnstcw(&code, at(16, 0)));
	REFUSED(emit_fldcw(&code, at(16, 0)));
	REFUSED(emit_lock_alu_mr(&code, ALU_ADD, true, at(RAX, 0), 16));
	REFUSED(emit_lock_xadd(&code, true, at(16, 0), RAX));
	REFUSED(emit_lock_cmpxchg(&code, true, at(RAX, 0), 16));
	REFUSED(emit_xchg_mr(&code, true, at(RAX, 0), 16));
	REFUSED(jf_x86_64_emit_xchg_rr(&code, true, RAX, 16));
	REFUSED(jf_x86_64_emit_xchg_rr(&code, true, 16, RAX));
	REFUSED(jf_x86_64_emit_alu_ri(&code, ALU_ADD, true, 16, 0));
	REFUSED(jf_x86_64_emit_alu_ri(&code, ALU_ADD, true, 16, 1000));
	REFUSED(jf_x86_64_emit_test_ri(&code, true, 16, 1));
	REFUSED(jf_x86_64_emit_mov_ri(&code, 16, 0));
	REFUSED(jf_x86_64_emit_mov_ri(&code, 16, 1));
	REFUSED(jf_x86_64_emit_mov_ri(&code, 16, UINT64_MAX));
	REFUSED(jf_x86_64_emit_movabs(&code, 16, 0));
	REFUSED(emit_load(&code, 8, false, 16, at(RAX, 0)));
	REFUSED(emit_store(&code, 8, at(RAX, 0), 16));
	REFUSED(jf_x86_64_emit_store_imm(&code, 8, at(16, 0), 0));
	REFUSED(emit_extend(&code, 1, true, true, RAX, 16));
	REFUSED(jf_x86_64_emit_lea_pc(&code, 16, 0));
	REFUSED(emit_alu_rm(&code, ALU_ADD, true, 16, at(RAX, 0)));
	REFUSED(emit_alu_mi(&code, ALU_ADD, true, at(16, 0), 0));
	REFUSED(emit_lea(&code, true, RAX, (struct mem){.base = RAX, .index = 16}));
	REFUSED(emit_lea(&code, true, RAX, (struct mem){.base = RAX, .index = RAX, .scale = 4}));
}

Test(insn_x86_64, values_out_of_range)
{
	static const int64_t wide[] = {INT64_C(0x80000000), -INT64_C(0x80000001), INT64_MAX, INT64_MIN};

	begin();
	for (size_t i = 0; i < LEN(wide); i++) {
		REFUSED(jf_x86_64_emit_alu_ri(&code, ALU_CMP, true, RBX, wide[i]));
		REFUSED(jf_x86_64_emit_alu_ri(&code, ALU_CMP, false, RAX, wide[i]));
		REFUSED(jf_x86_64_emit_test_ri(&code, true, RBX, wide[i]));
		REFUSED(emit_imul_rri(&code, true, RAX, RAX, wide[i]));
		REFUSED(emit_lea(&code, true, RAX, at(RAX, wide[i])));
		REFUSED(emit_load_disp32(&code, RAX, at(RBP, wide[i])));
		REFUSED(emit_load(&code, 4, true, RAX, at(RSP, wide[i])));
		REFUSED(emit_store(&code, 4, at(RAX, wide[i]), RCX));
		REFUSED(jf_x86_64_emit_store_imm(&code, 4, at(RAX, wide[i]), 0));
		REFUSED(jf_x86_64_emit_store_imm(&code, 8, at(RAX, 0), wide[i]));
		REFUSED(emit_xchg_mr(&code, true, at(RAX, wide[i]), RCX));
		REFUSED(emit_fldcw(&code, at(RAX, wide[i])));
		REFUSED(emit_jmp32(&code, wide[i]));
		REFUSED(emit_jcc32(&code, CC_E, wide[i]));
		REFUSED(emit_call32(&code, wide[i]));
		REFUSED(put_abs(&code, F_GS | F_W | 0x03, RAX, wide[i]));
	}
	REFUSED(jf_x86_64_emit_lea_pc(&code, RAX, (uint64_t)7 + 0x80000000));
	REFUSED(jf_x86_64_emit_lea_pc(&code, RAX, (uint64_t)7 - 0x80000001));
	REFUSED(emit_alu_mi(&code, ALU_CMP, true, at(RAX, 0), 128));
	REFUSED(emit_alu_mi(&code, ALU_CMP, true, at(RAX, 0), -129));
	REFUSED(emit_jmp8(&code, 128));
	REFUSED(emit_jmp8(&code, -129));
	REFUSED(emit_jcc8(&code, CC_G, 128));
	REFUSED(emit_jcc8(&code, CC_G, -129));
	REFUSED(emit_shift_ri(&code, SHIFT_SHL, false, RAX, 32));
	REFUSED(emit_shift_ri(&code, SHIFT_SHL, true, RAX, 64));
	REFUSED(jf_x86_64_emit_store_imm(&code, 1, at(RAX, 0), 256));
	REFUSED(jf_x86_64_emit_store_imm(&code, 1, at(RAX, 0), -129));
	REFUSED(jf_x86_64_emit_store_imm(&code, 2, at(RAX, 0), 65536));
	REFUSED(jf_x86_64_emit_store_imm(&code, 2, at(RAX, 0), -32769));
	REFUSED(jf_x86_64_emit_store_imm(&code, 4, at(RAX, 0), INT64_C(1) << 32));
	REFUSED(jf_x86_64_emit_store_imm(&code, 4, at(RAX, 0), -INT64_C(0x80000001)));
}

Test(insn_x86_64, widths_out_of_range)
{
	static const unsigned int none[] = {0, 3, 5, 6, 7, 9, 16, 100};

	begin();
	for (size_t i = 0; i < LEN(none); i++) {
		REFUSED(emit_load(&code, none[i], false, RAX, at(RAX, 0)));
		REFUSED(emit_extend(&code, none[i], true, true, RAX, RAX));
		REFUSED(emit_store(&code, none[i], at(RAX, 0), RAX));
		REFUSED(jf_x86_64_emit_store_imm(&code, none[i], at(RAX, 0), 0));
	}
}
