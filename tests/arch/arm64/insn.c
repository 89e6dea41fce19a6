/* SPDX-License-Identifier: BSD-2-Clause */
#include "cases.h"

/*
 * Every encoder over all registers in each place and over the immediates at the edges of its fields,
 * against LLVM MC and Capstone; and one value beyond each edge, which has to be refused.
 */

/* ---- the forms -------------------------------------------------------------------------------- */

static const char *operand(const struct insn *i, char letter, unsigned int n)
{
	bool wide = i->w && (i->op->shift == 3 || i->op->value == JF_ARM64_LDRS);

	switch (letter) {
	case 'z': return z(wide, n);
	case 's': return s(wide, n);
	case 'o': return i->op->name[strlen(i->op->name) - 1] == 's' ? z(wide, n) : s(wide, n);
	case 'x': return z(true, n);
	case 'p': return s(true, n);
	case 'w': return z(false, n);
	case 'b': return z(i->imm & 32, n);
	case 'v': return i->w ? named("d", n) : z(true, n);
	default: cr_assert_fail("%%%c is no operand", letter); return NULL;
	}
}

/* The operands of forms.h, written out. */
static size_t write_operands(char *text, size_t size, const struct insn *i, const char *from)
{
	size_t at = 0;

	for (; *from; from++) {
		if (*from != '%') {
			at += (size_t)snprintf(text + at, size - at, "%c", *from);
			continue;
		}
		switch (*++from) {
		case 'i': at += (size_t)snprintf(text + at, size - at, "%" PRId64, i->imm); break;
		case 'l': at += (size_t)snprintf(text + at, size - at, "%u", LOW(i)); break;
		case 'h': at += (size_t)snprintf(text + at, size - at, "%" PRId64, i->imm >> 16); break;
		case 'c': at += (size_t)snprintf(text + at, size - at, "%s", cond_names[i->imm]); break;
		default:
			at += (size_t)snprintf(text + at, size - at, "%s", operand(i, from[0], i->r[from[1] - '0']));
			from++;
		}
	}
	return at;
}

static void one_insn(const struct insn *i)
{
	char text[80];
	size_t at = write_operands(text, sizeof(text), i, i->form->operands);

	write_operands(text + at, sizeof(text) - at, i, i->op->operands);
	i->form->emit(fresh(), i);
	reads("%s %s", i->op->name, text);
}

static void refused(const struct insn *i)
{
	i->form->emit(fresh(), i);
	cr_assert_eq(code.status, JF_E_RANGE, "%s of registers %u, %u, %u and %" PRId64 " was not refused", i->op->name,
		     i->r[0], i->r[1], i->r[2], i->imm);
	cr_assert_eq(code.size, 0u, "%s left bytes", i->op->name);
}

/* Register 32 in each place, and every constant that is beyond an edge. */
static void each_refused(const struct form *form)
{
	for (size_t n = 0; n < form->op_count; n++)
		for (int w = form->both_widths ? 0 : 1; w < 2; w++) {
			struct insn i = {form, &form->ops[n], w, {1, 2, 3, 4}, 0};

			i.imm = imm_at(&i, 0);
			for (unsigned int field = 0; field < form->regs; field++) {
				i.r[field] = 32;
				refused(&i);
				i.r[field] = 1 + field;
			}
			for (size_t k = 0; k < form->refused_count[w]; k++) {
				i.imm = form->refused[w][k] * (form->scaled ? 1 << i.op->shift : 1);
				refused(&i);
			}
		}
}

#define FORM_ROW(name, ...) &form_##name,
static const struct form *const forms[] = {FORMS(FORM_ROW)};

/* All forms that do one thing at once: starting llvm-mc takes longer than what it does. */
static void check_forms(unsigned int does_these)
{
	for (int newer = 0; newer < 2; newer++) {
		case_count = 0;
		for (size_t k = 0; k < LEN(forms); k++)
			if (does_these >> forms[k]->does & 1 && forms[k]->newer == newer) {
				each_insn(forms[k], one_insn);
				each_refused(forms[k]);
			}
		if (case_count && newer)
			mc_check_assembles(TRIPLE, FEATURES, cases, case_count);
		else if (case_count)
			check_all();
	}
}

Test(insn_arm64, forms_that_compute)
{
	check_forms(1u << DOES_WRITE | 1u << DOES_WRITE_SP | 1u << DOES_WRITE_BY_FLAGS);
}

Test(insn_arm64, forms_that_access_memory)
{
	check_forms(1u << DOES_ACCESS | 1u << DOES_PAIR | 1u << DOES_STORE_EXCLUSIVE);
}

Test(insn_arm64, forms_that_are_atomic)
{
	check_forms(1u << DOES_ATOMIC);
}

Test(insn_arm64, forms_that_branch)
{
	check_forms(1u << DOES_JUMP_REG | 1u << DOES_BRANCH);
}

/* ---- what no form has ------------------------------------------------------------------------ */

Test(insn_arm64, moves)
{
	for (unsigned int k = 0; k < 64; k++)
		for (int w = 0; w < 2; w++) {
			unsigned int rd = k < 32 ? k : 1, rm = k < 32 ? 12 : k - 32;

			jf_arm64_mov(fresh(), w, rd, rm);
			reads("mov %s, %s", z(w, rd), z(w, rm));
		}
	REFUSED(jf_arm64_mov(&code, true, 32, 0));
	REFUSED(jf_arm64_mov(&code, true, 0, 32));
	check_all();
}

static void shifts(bool w, unsigned int rd, unsigned int rn, unsigned int count)
{
	jf_arm64_lsl(fresh(), w, rd, rn, count);
	/* By 0 it is the same instruction as LSR by 0. */
	reads("%s %s, %s, #%u", count ? "lsl" : "lsr", z(w, rd), z(w, rn), count);
	jf_arm64_lsr(fresh(), w, rd, rn, count);
	reads("lsr %s, %s, #%u", z(w, rd), z(w, rn), count);
	jf_arm64_asr(fresh(), w, rd, rn, count);
	reads("asr %s, %s, #%u", z(w, rd), z(w, rn), count);
}

Test(insn_arm64, bitfields_and_shifts)
{
	for (size_t i = 0; i < LEN(ops_bitfield); i++)
		for (int w = 0; w < 2; w++)
			for (unsigned int immr = 0; immr < (w ? 64 : 32); immr++)
				for (unsigned int imms = immr & 3; imms < (w ? 64 : 32); imms += 4) {
					jf_arm64_bitfield(fresh(), (enum jf_arm64_bitfield)ops_bitfield[i].value, w, 1,
							  2, immr, imms);
					reads("%s %s, %s, #%u, #%u", ops_bitfield[i].name, z(w, 1), z(w, 2), immr,
					      imms);
				}
	for (int w = 0; w < 2; w++) {
		for (unsigned int k = 0; k < 64; k++)
			shifts(w, k < 32 ? k : 1, k < 32 ? 12 : k - 32, 3);
		for (unsigned int count = 0; count < (w ? 64 : 32); count++)
			shifts(w, 9, 10, count);
	}
	REFUSED(jf_arm64_lsl(&code, true, 0, 0, 64));
	REFUSED(jf_arm64_lsl(&code, false, 0, 0, 32));
	REFUSED(jf_arm64_lsr(&code, true, 0, 0, 64));
	REFUSED(jf_arm64_lsr(&code, false, 0, 0, 32));
	REFUSED(jf_arm64_asr(&code, true, 0, 0, 64));
	REFUSED(jf_arm64_asr(&code, false, 0, 0, 32));
	check_all();
}

/* ---- the rest -------------------------------------------------------------------------------- */

Test(insn_arm64, every_part_of_a_constant)
{
	static const uint32_t imms[] = {0, 1, 0x8000, 0xffff};

	for (size_t i = 0; i < LEN(ops_wide); i++)
		for (size_t k = 0; k < LEN(imms); k++)
			for (int w = 0; w < 2; w++)
				for (unsigned int shift = 0; shift < (w ? 64 : 32); shift += 16) {
					jf_arm64_wide(fresh(), (enum jf_arm64_wide)ops_wide[i].value, w, 3, imms[k],
						      shift);
					reads("%s %s, #%u, lsl #%u", ops_wide[i].name, z(w, 3), imms[k], shift);
				}
	REFUSED(jf_arm64_wide(&code, JF_ARM64_MOVZ, true, 0, 65536, 0));
	check_all();
}

Test(insn_arm64, sizes_that_are_none)
{
	REFUSED(jf_arm64_ldst_scaled(&code, JF_ARM64_LDRS, 3, 0, 0, 0));
	REFUSED(jf_arm64_ldst_unscaled(&code, JF_ARM64_LDRS, 3, 0, 0, 0));
	REFUSED(jf_arm64_ldst_reg(&code, JF_ARM64_LDR, 4, 0, 0, 0));
	for (unsigned int shift = 1; shift < 4; shift++)
		REFUSED(jf_arm64_ldst_scaled(&code, JF_ARM64_LDR, shift, 0, 0, 1 << (shift - 1)));
	for (unsigned int shift = 1; shift < 4; shift++)
		REFUSED(jf_arm64_ldst_scaled(&code, JF_ARM64_STR, shift, 0, 0, 1 << (shift - 1)));
	for (unsigned int shift = 1; shift < 3; shift++)
		REFUSED(jf_arm64_ldst_scaled(&code, JF_ARM64_LDRS, shift, 0, 0, 1 << (shift - 1)));
	REFUSED(jf_arm64_ordered(&code, JF_ARM64_LDXR, 4, 0, 0));
	REFUSED(jf_arm64_atomic_insn(&code, JF_ARM64_SWPAL, 4, 1, 2, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 4, 1, 2, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 1, 1, 3));
	REFUSED(jf_arm64_store_exclusive(&code, JF_ARM64_STXR, 3, 1, 2, 1));
	REFUSED(jf_arm64_b_cond(&code, (enum jf_arm64_cond)16, 0));
}

Test(insn_arm64, every_bit_tested)
{
	for (size_t i = 0; i < LEN(ops_tbz); i++)
		for (unsigned int bit = 0; bit < 64; bit++) {
			jf_arm64_tbz(fresh(), ops_tbz[i].value, 9, bit, 8);
			reads("%s %s, #%u, #8", ops_tbz[i].name, z(bit > 31, 9), bit);
		}
	check_all();
}

#define HINT(name, number, text) {number, text, "", 0},
Test(insn_arm64, system)
{
	static const struct op hints[] = {JF_ARM64_HINT_LIST(HINT)};

	for (size_t i = 0; i < LEN(hints); i++) {
		jf_arm64_hint(fresh(), (enum jf_arm64_hint)hints[i].value);
		reads("%s", hints[i].name);
	}
	jf_arm64_dmb_ish(fresh());
	reads("dmb ish");
	REFUSED(jf_arm64_hint(&code, (enum jf_arm64_hint)128));
	jf_arm64_brk(fresh(), 0xabcd);
	reads("brk #0xabcd");
	REFUSED(jf_arm64_brk(&code, 1u << 16));
	REFUSED(jf_arm64_mrs(&code, 0, (enum jf_arm64_sysreg)0x8000));
	check_all();
}
