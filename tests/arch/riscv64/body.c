/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "insn.h"
#include "mc.h"

#include <criterion/criterion.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <string.h>

/* What BPF instructions become: each as the shortest code for its operands. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINUX        "riscv64/linux"
#define USER         "riscv64/user"
#define TRIPLE       "riscv64-linux-gnu"
#define FEATURES     "+m,+a,+f,+d,+c"
#define WORDS        "+m,+a,+f,+d" /* nothing compressed */

#define ADDRESS UINT64_C(0x10000)        /* of the code */
#define FAR     UINT64_C(0x7fff12345678) /* of all C functions */
#define FAR_RA                                                                                   \
	"lui ra, 1024; addiw ra, ra, -119; slli ra, ra, 13; addi ra, ra, 837; slli ra, ra, 12; " \
	"jalr ra, 1656(ra); "
#define ZEXT(r) "slli " r ", " r ", 32; srli " r ", " r ", 32"

/* Linux's own opcodes for accesses through arena pointers. */
#define ARENA_LDX(size, dst, src, off)          INSN(0xa1 | (size), dst, src, off, 0)
#define ARENA_LDSX(size, dst, src, off)         INSN(0xc1 | (size), dst, src, off, 0)
#define ARENA_ST(size, dst, off, imm)           INSN(0xa2 | (size), dst, 0, off, imm)
#define ARENA_STX(size, dst, src, off)          INSN(0xa3 | (size), dst, src, off, 0)
#define ARENA_ATOMIC(size, dst, src, off, what) INSN(0xe3 | (size), dst, src, off, what)
#define CAST(dst, src, to)                      INSN(0xbf, dst, src, 1, to)
#define PER_CPU(dst, src)                       INSN(0xbf, dst, src, -1, 0)
#define MAY_GOTO(off)                           INSN(0xe5, 0, 0, off, 0)
#define CALL_REGISTER(reg)                      INSN(0x8d, reg, 0, 0, 0)
enum { FETCH = 0x01, XCHG = 0xe1, CMPXCHG = 0xf1, LOAD_ACQ = 0x100, STORE_REL = 0x110, AOR = 0x40, AXOR = 0xa0 };

struct form {
	const char *target;
	struct jf_insn insn;
	const char *text; /* its instructions, separated by "; " */
};

static const struct form alu_forms[] = {
	{USER, ALU64_K(ADD, 1, 31), "addi a0, a0, 31"},
	{USER, ALU64_K(ADD, 1, 4094), "addi a0, a0, 2047; addi a0, a0, 2047"},
	{USER, ALU64_K(ADD, 1, 0x30000), "lui t1, 48; add a0, a0, t1"},
	{USER, ALU32_K(SUB, 6, 1), "addi s1, s1, -1; " ZEXT("s1")},
	{USER, ALU64_X(SUB, 7, 8), "sub s2, s2, s3"},
	{USER, ALU64_K(MUL, 2, 9), "li t1, 9; mul a1, a1, t1"},
	{USER, ALU64_K(MUL, 2, 1 << 20), "slli a1, a1, 20"},
	{USER, ALU64_K(DIV, 3, 16), "srli a2, a2, 4"},
	{USER, ALU32_K(MOD, 3, 16), "andi a2, a2, 15"},
	{USER, ALU64_X(DIV, 3, 4), "divu a2, a2, a3; bnez a3, 4; li a2, 0"},
	{USER, ALU64_X(DIV, 6, 6), "mv t1, s1; divu s1, s1, t1; bnez t1, 6; li s1, 0"},
	{USER, ALU32_X(DIV, 3, 4), "sext.w t1, a3; divuw a2, a2, t1; bnez t1, 6; li a2, 0; " ZEXT("a2")},
	{USER, ALU64_X(MOD, 3, 4), "remu a2, a2, a3"},
	{USER, ALU64_K(AND, 0, 0xffff), "slli a5, a5, 48; srli a5, a5, 48"},
	{USER, ALU64_K(AND, 0, -256), "andi a5, a5, -256"},
	{USER, ALU32_K(AND, 0, 0x7f0), "andi a5, a5, 2032"},
	{USER, ALU64_K(OR, 0, 0x7f000), "lui t1, 127; or a5, a5, t1"},
	{USER, ALU64_K(XOR, 0, -1), "xori a5, a5, -1"},
	{USER, ALU32_K(LSH, 9, 4), "slli s4, s4, 36; srli s4, s4, 32"},
	{USER, ALU32_K(RSH, 9, 4), "srliw s4, s4, 4"},
	{USER, ALU32_K(ARSH, 9, 4), "sraiw s4, s4, 4; " ZEXT("s4")},
	{USER, ALU32_X(MOV, 9, 8), "slli s4, s3, 32; srli s4, s4, 32"},
	{USER, INSN(0xdc, 1, 0, 0, 16),
	 "andi t2, a0, 255; srli a0, a0, 8; andi t1, a0, 255; slli t2, t2, 8; add t2, t2, t1; mv a0, t2"},
	{USER, INSN(0xd4, 1, 0, 0, 16), "slli a0, a0, 48; srli a0, a0, 48"},
	{USER, ALU32_K(ADD, 7, 31), "addi s2, s2, 31"},
	{USER, ALU32_X(SUB, 7, 1), "sub s2, s2, a0"},
	{USER, ALU32_K(ARSH, 7, 4), "sraiw s2, s2, 4"},
	{USER, ALU32_K(LSH, 7, 4), "slli s2, s2, 4"},
	{USER, ALU32_K(MOV, 7, -1), "li s2, -1"},
	{USER, ALU32_X(MOV, 7, 8), "mv s2, s3"},
	{USER, ALU32_X(MOV, 7, 7), ""},
	{USER, INSN(0xbc, 7, 8, 8, 0), "slli s2, s3, 56; srai s2, s2, 56"},
	{USER, ALU32_X(DIV, 7, 4), "sext.w t1, a3; divuw s2, s2, t1; bnez t1, 6; li s2, 0"},
};

static const struct form memory_forms[] = {
	{USER, LDX(W, 1, 2, 2047), "lwu a0, 2047(a1)"},
	{USER, LDX(DW, 1, 2, 8), "ld a0, 8(a1)"},
	{USER, LDX(B, 1, 2, 4000), "addi t1, a1, 2047; lbu a0, 1953(t1)"},
	{USER, LDX(H, 1, 2, 32000), "lui t1, 8; add t1, t1, a1; lhu a0, -768(t1)"},
	{USER, LDSX(W, 1, 2, -4), "lw a0, -4(a1)"},
	{USER, ST(DW, 10, -8, 0), "sd zero, -8(s5)"},
	{USER, ST(W, 1, 4000, 7), "li t2, 7; addi t1, a0, 2047; sw t2, 1953(t1)"},
	{LINUX, ARENA_LDX(W, 1, 2, 0), "add t3, a1, s7; lwu a0, 0(t3)"},
	{LINUX, ARENA_LDSX(H, 1, 1, 0), "add t3, a0, s7; lh a0, 0(t3)"},
	{LINUX, ARENA_LDX(B, 1, 2, 4000), "add t3, a1, s7; addi t1, t3, 2047; lbu a0, 1953(t1)"},
	{LINUX, ARENA_STX(B, 1, 2, 0), "add t3, a0, s7; sb a1, 0(t3)"},
	{LINUX, ARENA_ST(DW, 1, 0, -1), "li t2, -1; add t3, a0, s7; sd t2, 0(t3)"},
	{LINUX, CAST(1, 2, 1), "slli a0, a1, 32; srli a0, a0, 32"},
	{LINUX, CAST(1, 2, 0x10000),
	 "slli a0, a1, 32; srli a0, a0, 32; li t1, 1165; slli t1, t1, 34; beqz a0, 4; add a0, a0, t1"},
	{USER, PER_CPU(1, 2), "add a0, a1, tp"},
};

static const struct form atomic_forms[] = {
	{USER, ATOMIC(DW, 1, 2, 0, ADD), "amoadd.d zero, a1, (a0)"},
	{USER, ATOMIC(W, 1, 2, 0, ADD | FETCH), "amoadd.w.aqrl a1, a1, (a0); " ZEXT("a1")},
	{USER, ATOMIC(DW, 1, 1, 8, AXOR | FETCH), "addi t1, a0, 8; amoxor.d.aqrl a0, a0, (t1)"},
	{USER, ATOMIC(DW, 1, 2, 0, XCHG), "amoswap.d.aqrl a1, a1, (a0)"},
	{USER, ATOMIC(DW, 1, 2, -8, CMPXCHG),
	 "addi t1, a0, -8; lr.d t2, (t1); bne t2, a5, 12; sc.d.rl t3, a1, (t1); bnez t3, -12; fence rw, rw; mv a5, t2"},
	{USER, ATOMIC(B, 1, 2, 1, LOAD_ACQ), "lbu a0, 1(a1); fence r, rw"},
	{USER, ATOMIC(W, 1, 2, 4, STORE_REL), "fence rw, w; sw a1, 4(a0)"},
	{LINUX, ARENA_ATOMIC(DW, 1, 2, 0, AOR), "add t1, a0, s7; amoor.d zero, a1, (t1)"},
	{LINUX, ARENA_ATOMIC(W, 1, 2, 8, CMPXCHG),
	 "add t1, a0, s7; addi t1, t1, 8; sext.w t4, a5; lr.w t2, (t1); bne t2, t4, 12; sc.w.rl t3, a1, (t1); "
	 "bnez t3, -12; fence rw, rw; slli a5, t2, 32; srli a5, a5, 32"},
	{LINUX, ARENA_ATOMIC(DW, 1, 2, 0, LOAD_ACQ), "add t3, a1, s7; ld a0, 0(t3); fence r, rw"},
};

/* What is jumped over takes 2 bytes. */
static const struct form jump_forms[] = {
	{USER, J_K(JEQ, 1, 0, 1), "beqz a0, 4"},
	{USER, J_K(JNE, 1, 0, 1), "bnez a0, 4"},
	{USER, J_K(JEQ, 7, 0, 1), "beqz s2, 6"},
	{USER, J_K(JSGT, 1, 0, 1), "blt zero, a0, 6"},
	{USER, J_K(JLE, 1, 7, 1), "li t2, 7; bgeu t2, a0, 6"},
	{USER, J_X(JSGT, 1, 2, 1), "blt a1, a0, 6"},
	{USER, J32_X(JGE, 1, 2, 1), "sext.w t1, a0; sext.w t2, a1; bgeu t1, t2, 6"},
	{USER, J32_K(JNE, 1, 0, 1), "sext.w t1, a0; bnez t1, 6"},
	{USER, J_K(JSET, 1, 0xff00, 1), "lui t1, 16; addiw t1, t1, -256; and t1, t1, a0; bnez t1, 6"},
	{USER, J_K(JSET, 1, 7, 1), "andi t1, a0, 7; bnez t1, 6"},
	{USER, JA(1), "j 4"},
};

/* kfuncs[0] takes ten arguments; helper 1 and calls through a register go to as far a place. */
static const struct form call_forms[] = {
	{USER, CALL_HELPER(1), FAR_RA "mv a5, a0"},
	{USER, CALL_REGISTER(6), "mv a5, s1; " FAR_RA "mv a5, a0"},
	{USER, CALL_REGISTER(0), FAR_RA "mv a5, a0"},
	{USER, STX(DW, 11, 6, -8), "sd s1, 0(sp)"},
	{USER, ST(DW, 11, -16, 5), "li t2, 5; sd t2, 8(sp)"},
	{USER, ST(DW, 11, -24, 0), "sd zero, 16(sp)"},
	{USER, CALL_KFUNC(0),
	 "ld a5, 0(sp); ld a6, 8(sp); ld a7, 16(sp); ld t1, 24(sp); sd t1, 0(sp); ld t1, 32(sp); sd t1, 8(sp); " FAR_RA
	 "mv a5, a0"},
};

struct compiled {
	uint8_t bytes[4096];
	struct jf_image *image;
};

static const struct jf_convention *convention(const char *target)
{
	const struct jf_convention *conv = NULL;

	cr_assert_eq(jf_convention_find(target, &conv, NULL), JF_OK, "%s", target);
	return conv;
}

/*
 * `insn` is the sixth from the end: a jump by 1 goes over one instruction of 2 bytes. Whole registers are read behind
 * it but R7: a 32-bit result there needs no zero-extension.
 */
static void compile(struct compiled *c, const struct form *form, uint32_t *index)
{
	static const struct jf_import import = {.name = "far", .address = FAR, .arg_count = 10};
	const struct jf_import helpers[] = {{.name = "none"}, import};
	struct jf_insn insns[] = {ST(DW, 11, -8, 0),  ST(DW, 11, -40, 0),  form->insn,          MOV_X(8, 1),
				  STX(DW, 10, 3, -8), STX(DW, 10, 6, -16), STX(DW, 10, 9, -24), EXIT};
	bool args = jf_convention_supports(convention(form->target), JF_CAP_OUT_ARGS);
	const struct jf_function function = {"main", args ? insns : insns + 2, args ? 8 : 6};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .helpers = helpers,
					   .helper_count = 2,
					   .kfuncs = &import,
					   .kfunc_count = 1,
					   .arena_user_base = UINT64_C(0x123400000000),
					   .call_register = import};
	struct jf_error error;

	*index = function.insn_count - 6;
	cr_assert_eq(jf_compile(convention(form->target), &program, NULL, c->bytes, sizeof(c->bytes), ADDRESS,
				&c->image, &error),
		     JF_OK, "%s: %s", form->text, error.text);
}

/* Adds the bytes [off, end) as one case for each piece of text. returns: how many there were. */
static size_t add_cases(struct mc_case *cases, const uint8_t *bytes, uint32_t off, uint32_t end, const char *text)
{
	size_t count = 0;

	for (const char *at = text; *at; count++) {
		size_t length = strcspn(at, ";");

		snprintf(cases[count].text, sizeof(cases[count].text), "%.*s", (int)length, at);
		cases[count].size = (bytes[off] & 3) == 3 ? 4 : 2;
		cr_assert_leq(off + cases[count].size, end, "less code than %s", text);
		memcpy(cases[count].bytes, bytes + off, cases[count].size);
		off += cases[count].size;
		at += length + strspn(at + length, "; ");
	}
	cr_assert_eq(off, end, "more code than %s", text);
	return count;
}

static void check_forms(const struct form *forms, size_t form_count)
{
	static struct mc_case cases[256];
	static struct compiled c;
	const struct jf_image_function *f;
	size_t count = 0;
	uint32_t i;

	for (size_t k = 0; k < form_count; k++) {
		compile(&c, &forms[k], &i);
		f = jf_image_function_at(c.image, 0);
		count +=
			add_cases(&cases[count], c.bytes + f->start, f->insn_off[i], f->insn_off[i + 1], forms[k].text);
		cr_assert_lt(count + 16, COUNT(cases));
		jf_image_free(c.image);
	}
	mc_check_assembles(TRIPLE, FEATURES, cases, count);
}

Test(body_riscv64, alu)
{
	check_forms(alu_forms, COUNT(alu_forms));
}

Test(body_riscv64, memory)
{
	check_forms(memory_forms, COUNT(memory_forms));
}

Test(body_riscv64, atomics)
{
	check_forms(atomic_forms, COUNT(atomic_forms));
}

Test(body_riscv64, jumps)
{
	check_forms(jump_forms, COUNT(jump_forms));
}

Test(body_riscv64, calls)
{
	check_forms(call_forms, COUNT(call_forms));
}

/* Linux's base for per-CPU addresses lies in the kernel's memory. */
Test(body_riscv64, no_per_cpu_addresses_in_linux)
{
	static const struct jf_insn insns[] = {PER_CPU(1, 1), MOV_K(0, 0), EXIT};
	static const struct jf_function function = {"main", insns, COUNT(insns)};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	static uint8_t bytes[1024];
	struct jf_image *image;
	struct jf_error error;

	cr_assert_eq(jf_compile(convention(LINUX), &program, NULL, bytes, sizeof(bytes), ADDRESS, &image, &error),
		     JF_E_UNSUPPORTED);
	cr_assert_str_eq(error.where, "main");
}

/* ---- faults ----------------------------------------------------------------------------------- */

static const struct {
	struct jf_insn insn;
	uint8_t reg; /* that becomes 0 */
} faults[] = {
	{ARENA_LDX(W, 1, 2, 0), RV_A0},
	{ARENA_LDX(W, 1, 2, 32764), RV_A0},
	{ARENA_LDSX(B, 6, 2, 3), RV_S1},
	{ARENA_STX(DW, 1, 2, 8), JF_REG_NONE},
	{ARENA_ST(DW, 1, 8, 77), JF_REG_NONE},
	{ARENA_ATOMIC(DW, 1, 2, 0, ADD), JF_REG_NONE},
	{ARENA_ATOMIC(DW, 1, 2, 0, ADD | FETCH), RV_A1},
	{ARENA_ATOMIC(W, 1, 2, 8, XCHG), RV_A1},
	{ARENA_ATOMIC(W, 1, 2, 8, CMPXCHG), RV_R0},
	{ARENA_ATOMIC(H, 1, 2, 8, LOAD_ACQ), RV_A0},
	{ARENA_ATOMIC(H, 1, 2, 8, STORE_REL), JF_REG_NONE},
};

/* The program goes on behind all of the access (K17). */
Test(body_riscv64, arena_faults)
{
	static struct compiled c;
	uint32_t i;

	for (size_t k = 0; k < COUNT(faults); k++) {
		const struct form form = {LINUX, faults[k].insn, "an arena access"};
		const struct jf_image_function *f;

		compile(&c, &form, &i);
		f = jf_image_function_at(c.image, 0);
		cr_assert_eq(f->fault_count, 1, "%zu", k);
		cr_expect_geq(f->faults[0].start_off, f->insn_off[i], "%zu", k);
		cr_expect_lt(f->faults[0].start_off, f->insn_off[i + 1], "%zu", k);
		cr_expect_eq(f->faults[0].end_off, f->insn_off[i + 1], "%zu", k);
		cr_expect_eq(f->faults[0].resume_off, f->insn_off[i + 1], "%zu", k);
		cr_expect_eq(f->faults[0].reg, faults[k].reg, "%zu", k);
		jf_image_free(c.image);
	}
}

/* ---- far jumps ---------------------------------------------------------------------------------- */

/* Each form of a branch, over so many byte swaps. */
Test(body_riscv64, forms_of_branches)
{
	enum { SWAPS_MAX = 14000, SWAP_BYTES = 76 };
	static const struct {
		uint32_t swaps;
		bool compressed;
		const char *conditional, *always;
	} cases[] = {
		{3, true, "bnez a0, 230", "j 230"},
		{30, false, "bnez a0, 2284", "j 2284"},
		{100, false, "beqz a0, 8; j 7604", "j 7604"},
		{SWAPS_MAX, false, "beqz a0, 12; auipc t2, 260; jr -952(t2)", "auipc t2, 260; jr -952(t2)"},
	};
	static struct jf_insn insns[SWAPS_MAX + 2];
	static uint8_t bytes[SWAP_BYTES * SWAPS_MAX + 4096];
	struct jf_function function = {"main", insns, 0};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_error error;

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const struct jf_insn swap = INSN(0xd7, 0, 0, 0, 64), last = EXIT;
		uint32_t swaps = cases[i / 2].swaps;
		const struct jf_insn branches[] = {J_K(JNE, 1, 0, (int16_t)swaps), JA((int16_t)swaps)};
		const struct jf_image_function *f;
		struct mc_case text[4];
		struct jf_image *image;
		size_t count;

		insns[0] = branches[i % 2];
		for (uint32_t k = 1; k <= swaps; k++)
			insns[k] = swap;
		insns[swaps + 1] = last;
		function.insn_count = swaps + 2;
		cr_assert_eq(jf_compile(convention(USER), &program, NULL, bytes, sizeof(bytes), ADDRESS, &image,
					&error),
			     JF_OK, "%s", error.text);
		f = jf_image_function_at(image, 0);
		count = add_cases(text, bytes, f->insn_off[0], f->insn_off[1],
				  i % 2 ? cases[i / 2].always : cases[i / 2].conditional);
		mc_check_assembles(TRIPLE, cases[i / 2].compressed ? FEATURES : WORDS, text, count);
		jf_image_free(image);
	}
}
