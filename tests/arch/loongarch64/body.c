/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "emulate.h"
#include "mc.h"

#include <stdio.h>
#include <string.h>

/* What BPF instructions become: each as the shortest code for its operands. */

#define LINUX "loongarch64/linux"
#define USER  "loongarch64/user"

#define ADDRESS UINT64_C(0x10000)        /* of the code */
#define FAR     UINT64_C(0x7fff12345678) /* of all C functions */
#define FAR_T1  "lu12i.w $t1, 74565; lu32i.d $t1, 32767; jirl $ra, $t1, 1656; "
#define ZEXT(r) "bstrpick.d " r ", " r ", 31, 0"

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
	{USER, ALU64_K(ADD, 1, 4094), "addi.d $a0, $a0, 2047; addi.d $a0, $a0, 2047"},
	{USER, ALU64_K(ADD, 1, 0x30000), "addu16i.d $a0, $a0, 3"},
	{USER, ALU32_K(SUB, 6, 1), "addi.d $s0, $s0, -1; " ZEXT("$s0")},
	{USER, ALU64_K(MUL, 2, 9), "alsl.d $a1, $a1, $a1, 3"},
	{USER, ALU64_K(MUL, 2, 1 << 20), "slli.d $a1, $a1, 20"},
	{USER, ALU64_K(DIV, 3, 16), "bstrpick.d $a2, $a2, 63, 4"},
	{USER, ALU32_K(MOD, 3, 16), "bstrpick.d $a2, $a2, 3, 0"},
	{USER, ALU64_X(DIV, 3, 4), "div.du $t1, $a2, $a3; maskeqz $a2, $t1, $a3"},
	{USER, ALU64_X(MOD, 3, 4), "beqz $a3, 8; mod.du $a2, $a2, $a3"},
	{USER, ALU64_K(AND, 0, 0xffff), "bstrpick.d $a5, $a5, 15, 0"},
	{USER, ALU64_K(AND, 0, -256), "bstrins.d $a5, $zero, 7, 0"},
	{USER, ALU64_K(OR, 0, 0x7f000), "addi.w $t1, $zero, -1; bstrins.d $a5, $t1, 18, 12"},
	{USER, ALU64_K(XOR, 0, -1), "nor $a5, $a5, $zero"},
	{USER, ALU32_K(RSH, 9, 4), "bstrpick.d $s3, $s3, 31, 4"},
	{USER, ALU32_X(MOV, 9, 8), "bstrpick.d $s3, $s2, 31, 0"},
	{USER, INSN(0xdc, 1, 0, 0, 32), "revb.2w $a0, $a0; " ZEXT("$a0")},
};

static const struct form memory_forms[] = {
	{USER, LDX(W, 1, 2, 2047), "ld.wu $a0, $a1, 2047"},
	{USER, LDX(DW, 1, 2, 32760), "ldptr.d $a0, $a1, 32760"},
	{USER, LDSX(W, 1, 2, -4096), "ldptr.w $a0, $a1, -4096"},
	{USER, LDX(B, 1, 2, 4000), "addi.d $t1, $a1, 2047; ld.bu $a0, $t1, 1953"},
	{USER, LDX(H, 1, 2, 32000), "lu12i.w $t1, 7; ori $t1, $t1, 3328; ldx.hu $a0, $a1, $t1"},
	{USER, ST(DW, 10, -8, 0), "st.d $zero, $s4, -8"},
	{LINUX, ARENA_LDX(W, 1, 2, 0), "ldx.wu $a0, $a1, $s6"},
	{LINUX, ARENA_LDSX(H, 1, 1, 0), "ldx.h $a0, $a0, $s6"},
	{LINUX, ARENA_LDX(DW, 1, 2, 8), "add.d $t3, $a1, $s6; ld.d $a0, $t3, 8"},
	{LINUX, ARENA_LDX(W, 1, 2, 32764), "add.d $t3, $a1, $s6; ldptr.w $a0, $t3, 32764; " ZEXT("$a0")},
	{LINUX, ARENA_LDX(B, 1, 2, 4000), "add.d $t3, $a1, $s6; addi.d $t1, $t3, 2047; ld.bu $a0, $t1, 1953"},
	{LINUX, ARENA_STX(B, 1, 2, 0), "stx.b $a1, $a0, $s6"},
	{LINUX, ARENA_ST(W, 1, 4, 0), "add.d $t3, $a0, $s6; st.w $zero, $t3, 4"},
	{LINUX, ARENA_ST(DW, 1, 0, -1), "addi.w $t2, $zero, -1; stx.d $t2, $a0, $s6"},
	{LINUX, CAST(1, 2, 1), "bstrpick.d $a0, $a1, 31, 0"},
	{LINUX, CAST(1, 2, 0x10000), "bstrpick.d $a0, $a1, 31, 0; beqz $a0, 8; lu32i.d $a0, 4660"},
	{USER, CAST(1, 2, 0x10000),
	 "bstrpick.d $a0, $a1, 31, 0; beqz $a0, 12; lu32i.d $a0, -519628; lu52i.d $a0, $a0, 2047"},
	{LINUX, PER_CPU(1, 2), "add.d $a0, $a1, $r21"},
	{USER, PER_CPU(1, 2), "add.d $a0, $a1, $tp"},
};

static const struct form atomic_forms[] = {
	{USER, ATOMIC(DW, 1, 2, 0, ADD), "amadd.d $zero, $a1, $a0"},
	{USER, ATOMIC(W, 1, 2, 0, ADD | FETCH), "amadd_db.w $t2, $a1, $a0; bstrpick.d $a1, $t2, 31, 0"},
	{USER, ATOMIC(DW, 1, 1, 8, AXOR | FETCH), "addi.d $t1, $a0, 8; amxor_db.d $t2, $a0, $t1; move $a0, $t2"},
	{USER, ATOMIC(DW, 1, 2, 0, XCHG), "amswap_db.d $t2, $a1, $a0; move $a1, $t2"},
	{USER, ATOMIC(DW, 1, 2, -8, CMPXCHG),
	 "ll.d $t2, $a0, -8; bne $t2, $a5, 20; move $t3, $a1; sc.d $t3, $a0, -8; beqz $t3, -16; b 8; dbar 20; "
	 "move $a5, $t2"},
	{USER, ATOMIC(B, 1, 2, 1, LOAD_ACQ), "ld.bu $a0, $a1, 1; dbar 20"},
	{USER, ATOMIC(W, 1, 2, 4, STORE_REL), "dbar 18; st.w $a1, $a0, 4"},
	{LINUX, ARENA_ATOMIC(DW, 1, 2, 0, AOR), "add.d $t1, $a0, $s6; amor.d $zero, $a1, $t1"},
	{LINUX, ARENA_ATOMIC(W, 1, 2, 8, AOR | FETCH),
	 "add.d $t1, $a0, $s6; addi.d $t1, $t1, 8; amor_db.w $t2, $a1, $t1; bstrpick.d $a1, $t2, 31, 0"},
	{LINUX, ARENA_ATOMIC(W, 1, 2, 8, CMPXCHG),
	 "add.d $t1, $a0, $s6; addi.w $t4, $a5, 0; ll.w $t2, $t1, 8; bne $t2, $t4, 20; move $t3, $a1; "
	 "sc.w $t3, $t1, 8; beqz $t3, -16; b 8; dbar 20; bstrpick.d $a5, $t2, 31, 0"},
	{LINUX, ARENA_ATOMIC(W, 1, 2, 2, CMPXCHG),
	 "add.d $t1, $a0, $s6; addi.d $t1, $t1, 2; addi.w $t4, $a5, 0; ll.w $t2, $t1, 0; bne $t2, $t4, 20; "
	 "move $t3, $a1; sc.w $t3, $t1, 0; beqz $t3, -16; b 8; dbar 20; bstrpick.d $a5, $t2, 31, 0"},
	{LINUX, ARENA_ATOMIC(DW, 1, 2, 0, LOAD_ACQ), "ldx.d $a0, $a1, $s6; dbar 20"},
	{LINUX, ARENA_ATOMIC(DW, 1, 2, 0, STORE_REL), "dbar 18; stx.d $a1, $a0, $s6"},
};

static const struct form jump_forms[] = {
	{USER, J_K(JEQ, 1, 0, 1), "beqz $a0, 8"},
	{USER, J_K(JGT, 1, 0, 1), "bnez $a0, 8"},
	{USER, J_K(JLT, 1, 1, 1), "beqz $a0, 8"},
	{USER, J_K(JSGT, 1, -1, 1), "bge $a0, $zero, 8"},
	{USER, J_K(JSLT, 1, 1, 1), "bge $zero, $a0, 8"},
	{USER, J_K(JLE, 1, 0, 1), "beqz $a0, 8"},
	{USER, J_K(JGE, 1, 1, 1), "bnez $a0, 8"},
	{USER, J_K(JSGE, 1, 1, 1), "blt $zero, $a0, 8"},
	{USER, J_K(JSLE, 1, -1, 1), "blt $a0, $zero, 8"},
	{USER, J_K(JLE, 1, 7, 1), "addi.w $t2, $zero, 7; bgeu $t2, $a0, 8"},
	{USER, J_X(JSGT, 1, 2, 1), "blt $a1, $a0, 8"},
	{USER, J32_X(JGE, 1, 2, 1), "addi.w $t1, $a0, 0; addi.w $t2, $a1, 0; bgeu $t1, $t2, 8"},
	{USER, J32_K(JNE, 1, 0, 1), "addi.w $t1, $a0, 0; bnez $t1, 8"},
	{USER, J_K(JSET, 1, 0xff00, 1), "bstrpick.d $t1, $a0, 15, 8; bnez $t1, 8"},
	{USER, JA(1), "b 8"},
};

/* kfuncs[0] takes ten arguments; helper 1 and calls through a register go to as far a place. */
static const struct form call_forms[] = {
	{USER, CALL_HELPER(1), FAR_T1 "move $a5, $a0"},
	{USER, CALL_REGISTER(6), "move $a5, $s0; " FAR_T1 "move $a5, $a0"},
	{USER, CALL_REGISTER(0), FAR_T1 "move $a5, $a0"},
	{USER, STX(DW, 11, 6, -8), "st.d $s0, $sp, 0"},
	{USER, ST(DW, 11, -16, 5), "addi.w $t1, $zero, 5; st.d $t1, $sp, 8"},
	{USER, ST(DW, 11, -24, 0), "st.d $zero, $sp, 16"},
	{USER, CALL_KFUNC(0),
	 "ld.d $a5, $sp, 0; ld.d $a6, $sp, 8; ld.d $a7, $sp, 16; ld.d $t1, $sp, 24; st.d $t1, $sp, 0; "
	 "ld.d $t1, $sp, 32; st.d $t1, $sp, 8; " FAR_T1 "move $a5, $a0"},
};

struct compiled {
	uint8_t bytes[4096];
	struct jf_image *image;
};

/* `insn` is the fourth from the end: a jump by 1 goes over one instruction of 4 bytes. */
static void compile(struct compiled *c, const struct form *form, uint32_t *index)
{
	static const struct jf_import import = {.name = "far", .address = FAR, .arg_count = 10};
	const struct jf_import helpers[] = {{.name = "none"}, import};
	struct jf_insn insns[] = {ST(DW, 11, -8, 0), ST(DW, 11, -40, 0), form->insn, MOV_X(9, 1), MOV_X(0, 9), EXIT};
	bool args = jf_convention_supports(la_convention(form->target), JF_CAP_OUT_ARGS);
	const struct jf_function function = {"main", args ? insns : insns + 2, args ? 6 : 4};
	const struct jf_program program = {.size = sizeof(program),
					   .functions = &function,
					   .function_count = 1,
					   .callback = -1,
					   .helpers = helpers,
					   .helper_count = 2,
					   .kfuncs = &import,
					   .kfunc_count = 1,
					   .arena_user_base =
						   args ? UINT64_C(0x7ff8123400000000) : UINT64_C(0x123400000000),
					   .call_register = import};
	struct jf_error error;

	*index = function.insn_count - 4;
	cr_assert_eq(jf_compile(la_convention(form->target), &program, NULL, c->bytes, sizeof(c->bytes), ADDRESS,
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
		cr_assert_leq(off + 4, end, "less code than %s", text);
		memcpy(cases[count].bytes, bytes + off, 4);
		cases[count].size = 4;
		off += 4;
		at += length + strspn(at + length, "; ");
	}
	cr_assert_eq(off, end, "more code than %s", text);
	return count;
}

static void check_forms(const struct form *forms, size_t form_count)
{
	static struct mc_case cases[256];
	static struct compiled c;
	size_t count = 0;
	uint32_t i;

	for (size_t k = 0; k < form_count; k++) {
		compile(&c, &forms[k], &i);
		count += add_cases(&cases[count], c.bytes + jf_image_function_at(c.image, 0)->start,
				   jf_image_function_at(c.image, 0)->insn_off[i],
				   jf_image_function_at(c.image, 0)->insn_off[i + 1], forms[k].text);
		cr_assert_lt(count + 16, COUNT(cases));
		jf_image_free(c.image);
	}
	mc_check_assembles("loongarch64-linux-gnu", "+d", cases, count);
}

Test(body_loongarch64, alu)
{
	check_forms(alu_forms, COUNT(alu_forms));
}

Test(body_loongarch64, memory)
{
	check_forms(memory_forms, COUNT(memory_forms));
}

Test(body_loongarch64, atomics)
{
	check_forms(atomic_forms, COUNT(atomic_forms));
}

Test(body_loongarch64, jumps)
{
	check_forms(jump_forms, COUNT(jump_forms));
}

Test(body_loongarch64, calls)
{
	check_forms(call_forms, COUNT(call_forms));
}

/* The caller's SP is the callee's frame pointer, and the sixth argument lies right there. */
Test(body_loongarch64, incoming_arguments)
{
	static const struct jf_insn main_insns[] = {ST(DW, 11, -8, 6), ST(DW, 11, -16, 7), CALL_FUNCTION(1), EXIT};
	static const struct jf_insn insns[] = {LDX(DW, 1, 11, 8), LDX(DW, 2, 11, 16), MOV_K(0, 0), EXIT};
	static const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("sub", insns)};
	const struct jf_program program = {
		.size = sizeof(program), .functions = functions, .function_count = 2, .callback = -1};
	static uint8_t bytes[1024];
	struct mc_case cases[2];
	struct jf_image *image;
	struct jf_error error;

	cr_assert_eq(jf_compile(la_convention(USER), &program, NULL, bytes, sizeof(bytes), ADDRESS, &image, &error),
		     JF_OK, "%s", error.text);
	add_cases(cases, bytes + jf_image_function_at(image, 1)->start, jf_image_function_at(image, 1)->insn_off[0],
		  jf_image_function_at(image, 1)->insn_off[2], "ld.d $a0, $fp, 0; ld.d $a1, $fp, 8");
	mc_check_assembles("loongarch64-linux-gnu", "+d", cases, COUNT(cases));
	jf_image_free(image);
}

/* ---- faults ----------------------------------------------------------------------------------- */

static const struct {
	struct jf_insn insn;
	uint8_t reg; /* that becomes 0 */
} faults[] = {
	{ARENA_LDX(W, 1, 2, 0), LA_A0},
	{ARENA_LDX(W, 1, 2, 32764), LA_A0},
	{ARENA_LDSX(B, 6, 2, 3), LA_S0},
	{ARENA_STX(DW, 1, 2, 8), JF_REG_NONE},
	{ARENA_ST(DW, 1, 8, 77), JF_REG_NONE},
	{ARENA_ATOMIC(DW, 1, 2, 0, ADD), JF_REG_NONE},
	{ARENA_ATOMIC(DW, 1, 2, 0, ADD | FETCH), LA_A1},
	{ARENA_ATOMIC(W, 1, 2, 8, XCHG), LA_A1},
	{ARENA_ATOMIC(W, 1, 2, 8, CMPXCHG), LA_R0},
	{ARENA_ATOMIC(H, 1, 2, 8, LOAD_ACQ), LA_A0},
	{ARENA_ATOMIC(H, 1, 2, 8, STORE_REL), JF_REG_NONE},
};

/* The program goes on behind all of the access (K17). */
Test(body_loongarch64, arena_faults)
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

/* ---- timed may_goto ---------------------------------------------------------------------------- */

Test(body_loongarch64, may_goto)
{
	static const struct form form = {USER, MAY_GOTO(1),
					 "ldptr.d $t0, $s4, -16; beqz $t0, 36; addi.d $t0, $t0, -1; "
					 "bnez $t0, 20; addi.d $t0, $s4, -16; lu12i.w $t1, 0; "
					 "lu32i.d $t1, 32767; jirl $ra, $t1, 0; stptr.d $t0, $s4, -16"};

	/* Elsewhere the stub's place decides about the call. */
	if (!jf_loongarch64_backend.native)
		check_forms(&form, 1);
}

/* ---- far jumps ---------------------------------------------------------------------------------- */

/* Over more code than a conditional branch reaches, the opposite one goes around a jump. */
Test(body_loongarch64, far_jump)
{
	enum { PAIRS = 16384 };
	static struct jf_insn insns[1 + 2 * PAIRS + 1] = {J_X(JSGT, 1, 2, 2 * PAIRS - 2)};
	static const struct jf_insn pair[] = {LDDW(0, 0, 0x12345678, 0x12345678)}, last = EXIT;
	static uint8_t bytes[16 * PAIRS + 1024];
	static struct mc_case cases[2];
	const struct jf_function function = {"main", insns, COUNT(insns)};
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_image *image;
	struct jf_error error;

	for (size_t i = 0; i < PAIRS; i++)
		memcpy(&insns[1 + 2 * i], pair, sizeof(pair));
	insns[1 + 2 * PAIRS] = last;
	cr_assert_eq(jf_compile(la_convention(USER), &program, NULL, bytes, sizeof(bytes), ADDRESS, &image, &error),
		     JF_OK, "%s", error.text);
	add_cases(cases, bytes, jf_image_function_at(image, 0)->insn_off[0],
		  jf_image_function_at(image, 0)->insn_off[1], "bge $a1, $a0, 8; b 262132");
	mc_check_assembles("loongarch64-linux-gnu", "+d", cases, COUNT(cases));
	jf_image_free(image);
}

/* A plain constant is no address and may lie anywhere: taking a distance to it overflowed once, which only
 * clang's sanitizer in scripts/fuzz sees. */
Test(body_loongarch64, far_constant)
{
	static const struct jf_insn insns[] = {LDDW(0, 0, 0, INT32_MIN), EXIT};
	static const struct jf_function function = {"main", insns, COUNT(insns)};
	static uint8_t bytes[1024];
	static struct mc_case cases[1];
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_image *image;
	struct jf_error error;

	cr_assert_eq(jf_compile(la_convention(USER), &program, NULL, bytes, sizeof(bytes), ADDRESS, &image, &error),
		     JF_OK, "%s", error.text);
	cr_assert_eq(add_cases(cases, bytes, jf_image_function_at(image, 0)->insn_off[0],
			       jf_image_function_at(image, 0)->insn_off[2], "lu52i.d $a5, $zero, -2048"),
		     1);
	mc_check_assembles("loongarch64-linux-gnu", "+d", cases, 1);
	jf_image_free(image);
}

/* ---- tail calls, run ------------------------------------------------------------------------------ */

#define TOP    (LA_STACK_TOP - 256)
#define CALLER UINT64_C(0x500000)
#define TARGET UINT64_C(0x600000)
#define SLOTS  4 /* of the array; only the last one has a program */

static const struct {
	uint64_t index;
	uint64_t count; /* tail calls made so far */
	bool goes;
} tail_calls[] = {
	{3, 0, true},           {3, 32, true},          {3, 33, false},         {2, 0, false},           {4, 0, false},
	{0xffffffff, 0, false}, {0x80000000, 0, false}, {0x100000003, 0, true}, {0xf00000004, 0, false},
};

/* Enters main as a tail call does, with the address of a count that lies above its frame, or the count. */
static void run_tail_call(const struct compiled *c, size_t k, bool by_address)
{
	static struct la_machine m;
	const struct jf_image_function *f = jf_image_function_at(c->image, 0);
	const struct jf_code code = {.bytes = (uint8_t *)c->bytes, .size = c->image->size_bytes};
	uint32_t entry = f->marks[JF_MARK_TAIL_ENTRY];
	uint64_t *count = &m.stack[(TOP - LA_STACK_LOW) / 8 + 2];
	uint64_t end = tail_calls[k].goes ? TARGET + entry : CALLER;
	struct la_machine before;

	memset(&m, 0, sizeof(m));
	for (unsigned int i = 1; i < LA_REG_COUNT; i++)
		m.reg[i] = UINT64_C(0x1111000000000000) + i;
	m.data[0] = SLOTS;
	m.data[offsetof(struct jf_program_array, entries) / 8 + SLOTS - 1] = TARGET;
	*count = tail_calls[k].count;
	m.reg[LA_SP] = TOP;
	m.reg[LA_RA] = CALLER;
	m.reg[LA_A1] = LA_DATA;
	m.reg[LA_A2] = tail_calls[k].index;
	m.reg[LA_TCC] = by_address ? TOP + 16 : *count;
	m.pc = entry;
	before = m;
	while (m.pc != f->marks[JF_MARK_BODY])
		cr_assert(la_step(&m, &code), "%zu: %s at %#jx", k, m.trouble, (uintmax_t)m.pc);
	m.reg[LA_TCC] = 0; /* as a call leaves it */
	while (m.pc != end)
		cr_assert(la_step(&m, &code), "%zu: %s at %#jx", k, m.trouble, (uintmax_t)m.pc);
	cr_expect_eq(m.reg[LA_SP], TOP);
	for (unsigned int i = 1; i < LA_REG_COUNT; i++)
		if (jf_loongarch64_regs[i].flags & JF_REG_CALLEE_SAVED)
			cr_expect_eq(m.reg[i], before.reg[i], "%zu: %s", k, jf_loongarch64_regs[i].name);
	if (tail_calls[k].goes) {
		cr_expect_eq(m.reg[LA_A0], before.reg[LA_A0], "%zu: R1", k);
		cr_expect_eq(m.reg[LA_RA], CALLER, "%zu", k);
		cr_expect_eq(m.reg[LA_TCC], by_address ? TOP + 16 : tail_calls[k].count + 1, "%zu", k);
	} else {
		cr_expect_eq(m.reg[LA_A0], 7, "%zu", k);
	}
	cr_expect_eq(*count, tail_calls[k].count + (tail_calls[k].goes && by_address), "%zu: counted wrongly", k);
}

static void check_tail_calls(const char *target)
{
	static const struct jf_insn insns[] = {MOV_K(6, 1), ST(DW, 10, -24, 1), CALL_HELPER(12), MOV_K(0, 7), EXIT};
	const struct jf_function function = FUNCTION("main", insns);
	const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	static struct compiled c;
	struct jf_error error;

	cr_assert_eq(jf_compile(la_convention(target), &program, NULL, c.bytes, sizeof(c.bytes), 0, &c.image, &error),
		     JF_OK, "%s", error.text);
	for (size_t k = 0; k < COUNT(tail_calls); k++) {
		run_tail_call(&c, k, false);
		run_tail_call(&c, k, true);
	}
	jf_image_free(c.image);
}

Test(body_loongarch64, tail_calls)
{
	check_tail_calls(LINUX);
	check_tail_calls("loongarch64/linux-v2");
	check_tail_calls(USER);
}
