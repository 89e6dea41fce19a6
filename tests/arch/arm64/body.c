/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "arm64.h"
#include "compile/arguments.h"
#include "compile/compiler.h"
#include "mc.h"

/*
 * What each hook makes of a BPF instruction, as assembler source that LLVM MC turns into the same bytes:
 * the shortest form of every kind of operand, what an arena access says about faults, and rows that are
 * the body's again behind an exit in the middle.
 */

#define TRIPLE       "aarch64-linux-gnu"
#define FEATURES     "+v8.5a"
#define ADDRESS      UINT64_C(0x7f0000010000)
#define TARGET       5 /* BPF instruction that jumps go to */
#define CASES_MAX    400
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t bytes[512];
static struct jf_row rows[64];
static struct jf_code code;
static struct jf_frame frame;
static struct jf_faults faults;
static uint32_t insn_off[TARGET + 1];
static uint8_t flags[TARGET + 1];
static struct jf_unit unit = {.insn_off = insn_off, .flags = flags};
static struct jf_body_state state;
static struct jf_body body;
static struct mc_case cases[CASES_MAX];
static size_t case_count;

static void teardown(void)
{
	free(faults.list);
}

TestSuite(body_arm64, .fini = teardown);

/* A function of that convention and spec. Hooks are called at offset 0, as if there were no prologue. */
static void frame_of(const char *conv, struct jf_frame_spec spec)
{
	struct jf_error error = {.text = ""};

	spec.size = sizeof(spec);
	for (size_t i = 0; i < JF_ARM64_CONVENTION_COUNT; i++)
		if (strcmp(jf_arm64_conventions[i]->name, conv) == 0)
			cr_assert_eq(jf_frame_solve(jf_arm64_conventions[i], &spec, &frame, &error), JF_OK, "%s: %s",
				     error.where, error.text);
}

static struct jf_body *fresh(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), ADDRESS, rows, COUNT(rows));
	jf_code_begin(&code, &frame, JF_ARM64_X29, 16, 0);
	faults.count = 0;
	state = (struct jf_body_state){.unit = &unit, .faults = &faults};
	body = (struct jf_body){.code = &code, .frame = &frame, .state = &state};
	memcpy(body.reg, frame.conv->bpf_reg, sizeof(body.reg));
	return &body;
}

static uint32_t word_at(size_t off)
{
	return (uint32_t)bytes[off] | (uint32_t)bytes[off + 1] << 8 | (uint32_t)bytes[off + 2] << 16 |
	       (uint32_t)bytes[off + 3] << 24;
}

/* What the hook has put down since fresh() is this: instructions with "; " between them. */
static void reads(enum jf_status status, const char *text)
{
	const char *at = text;
	size_t count = 0;

	cr_assert_eq(status, JF_OK, "%s: status %d", text, (int)status);
	cr_assert_eq(jf_code_finish(&code), JF_OK, "%s: refused", text);
	for (; *at; count++) {
		size_t length = strcspn(at, ";");
		struct mc_case *c = &cases[case_count];

		cr_assert_lt(case_count, (size_t)CASES_MAX);
		cr_assert_lt(length, sizeof(c->text));
		if (4 * count < code.size) {
			memset(c, 0, sizeof(*c));
			memcpy(c->text, at, length);
			memcpy(c->bytes, bytes + 4 * count, 4);
			c->size = 4;
			case_count++;
		}
		at += length + (at[length] ? 2 : 0);
	}
	if (code.size != 4 * count)
		for (size_t off = 0; off < code.size; off += 4)
			cr_log_error("%s: 0x%08" PRIx32, text, word_at(off));
	cr_assert_eq(code.size, 4 * count, "%s: %zu instructions", text, code.size / 4);
}

/* What has been put down reads so, and all of it may fault, which makes `reg` 0 and goes on behind. */
static void faults_at(enum jf_status status, uint8_t reg, const char *text)
{
	reads(status, text);
	cr_assert_eq(faults.count, 1u, "%s: %u faults", text, faults.count);
	cr_expect_eq(faults.list[0].start_off, 0u, "%s: from %u", text, faults.list[0].start_off);
	cr_expect_eq(faults.list[0].end_off, code.size, "%s: to %u", text, faults.list[0].end_off);
	cr_expect_eq(faults.list[0].resume_off, code.size, "%s: on at %u", text, faults.list[0].resume_off);
	cr_expect_eq(faults.list[0].reg, reg, "%s: register %u", text, faults.list[0].reg);
}

static void check_all(void)
{
	mc_check_assembles(TRIPLE, FEATURES, cases, case_count);
}

/* clang-format off */
#define SPEC(...) (struct jf_frame_spec){ .size = sizeof(struct jf_frame_spec), __VA_ARGS__ }
#define OP(...) &(struct jf_op){ .is64 = true, __VA_ARGS__ }
#define OP32(...) &(struct jf_op){ .is64 = false, __VA_ARGS__ }
/* clang-format on */
#define IMM(value) .is_imm = true, .imm = (value)
/* By way of the core, which says what a fault does. */
#define ACCESS(kind, op) jf_body_access(fresh(), &jf_arm64_backend.body, kind, op)

/* ---- arithmetic ----------------------------------------------------------------------------- */

Test(body_arm64, arithmetic)
{
#define ALU(op, text) reads(jf_arm64_alu(fresh(), op), text)
	frame_of("user", SPEC(.bpf_stack_bytes = 64));
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, .src = 6), "add x0, x0, x19");
	ALU(OP32(.code = JF_ALU_SUB, .dst = 1, .src = 6), "sub w0, w0, w19");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(0)), "");
	ALU(OP32(.code = JF_ALU_ADD, .dst = 1, IMM(0)), "add w0, w0, #0");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(4095)), "add x0, x0, #4095");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(-4095)), "sub x0, x0, #4095");
	ALU(OP(.code = JF_ALU_SUB, .dst = 1, IMM(-4096)), "add x0, x0, #1, lsl #12");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(0x12345)), "add x0, x0, #18, lsl #12; add x0, x0, #837");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(0x10001)), "orr w10, wzr, #0x10001; add x0, x0, x10");
	ALU(OP(.code = JF_ALU_SUB, .dst = 1, IMM(0x1234567)),
	    "movz w10, #0x123, lsl #16; movk w10, #0x4567; sub x0, x0, x10");
	ALU(OP(.code = JF_ALU_MUL, .dst = 2, .src = 3), "mul x1, x1, x2");
	ALU(OP(.code = JF_ALU_MUL, .dst = 2, IMM(1024)), "lsl x1, x1, #10");
	ALU(OP32(.code = JF_ALU_MUL, .dst = 2, IMM(3)), "mov w10, #3; mul w1, w1, w10");
	ALU(OP(.code = JF_ALU_MUL, .dst = 2, IMM(-1)), "neg x1, x1");
	ALU(OP(.code = JF_ALU_DIV, .dst = 2, IMM(16)), "lsr x1, x1, #4");
	ALU(OP32(.code = JF_ALU_SMOD, .dst = 2, IMM(0)), "mov w1, w1");
	ALU(OP(.code = JF_ALU_SDIV, .dst = 2, .src = 3), "sdiv x1, x1, x2");
	ALU(OP32(.code = JF_ALU_DIV, .dst = 2, .src = 3), "udiv w1, w1, w2");
	ALU(OP(.code = JF_ALU_MOD, .dst = 2, IMM(16)), "and x1, x1, #15");
	ALU(OP(.code = JF_ALU_SMOD, .dst = 2, .src = 3), "sdiv x11, x1, x2; msub x1, x11, x2, x1");
	ALU(OP(.code = JF_ALU_AND, .dst = 0, IMM(0xff00)), "and x8, x8, #0xff00");
	ALU(OP(.code = JF_ALU_OR, .dst = 0, IMM(5)), "mov w10, #5; orr x8, x8, x10");
	ALU(OP32(.code = JF_ALU_XOR, .dst = 0, IMM(-1)), "eon w8, w8, wzr");
	ALU(OP(.code = JF_ALU_LSH, .dst = 7, IMM(12)), "lsl x20, x20, #12");
	ALU(OP32(.code = JF_ALU_RSH, .dst = 7, .src = 8), "lsr w20, w20, w21");
	ALU(OP(.code = JF_ALU_ARSH, .dst = 7, IMM(63)), "asr x20, x20, #63");
	ALU(OP(.code = JF_ALU_NEG, .dst = 9), "neg x22, x22");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = 1), "");
	ALU(OP32(.code = JF_ALU_MOV, .dst = 1, .src = 1), "mov w0, w0");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = 10), "mov x0, x25");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = 2, .sign = true, .bytes = 2), "sxth x0, w1");
	ALU(OP32(.code = JF_ALU_MOV, .dst = 1, .src = 2, .sign = true, .bytes = 1), "sxtb w0, w1");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, IMM(-1)), "mov x0, #-1");
	ALU(OP32(.code = JF_ALU_MOV, .dst = 1, IMM(-1)), "mov w0, #-1");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, IMM(0x55555555)), "orr w0, wzr, #0x55555555");
	check_all();
}

Test(body_arm64, swaps_and_constants)
{
#define SWAP(op, text) reads(jf_arm64_swap(fresh(), op), text)
	frame_of("user", SPEC(.bpf_stack_bytes = 64));
	SWAP(OP(.code = JF_SWAP_TO_BE, .dst = 1, .bytes = 2), "rev16 w0, w0; uxth w0, w0");
	SWAP(OP(.code = JF_SWAP_ALWAYS, .dst = 1, .bytes = 4), "rev w0, w0");
	SWAP(OP(.code = JF_SWAP_ALWAYS, .dst = 1, .bytes = 8), "rev x0, x0");
	SWAP(OP(.code = JF_SWAP_TO_LE, .dst = 1, .bytes = 2), "uxth w0, w0");
	SWAP(OP(.code = JF_SWAP_TO_LE, .dst = 1, .bytes = 4), "mov w0, w0");
	SWAP(OP(.code = JF_SWAP_TO_LE, .dst = 1, .bytes = 8), "");
#define IMM64(value, text) reads(jf_arm64_imm64(fresh(), OP(.dst = 3, .imm = (value))), text)
	IMM64(0, "mov w2, #0");
	IMM64(0x123400000000, "mov x2, #0x123400000000");
	IMM64(INT64_MIN, "mov x2, #0x8000000000000000");
	IMM64(-0x12346, "movn x2, #1, lsl #16; movk x2, #0xdcba");
	IMM64(ADDRESS + 0x1234567, "adrp x2, #0x1234000; add x2, x2, #0x567");
	check_all();
}

/* ---- memory --------------------------------------------------------------------------------- */

#define LOAD(op, text)  reads(jf_arm64_load(fresh(), op), text)
#define STORE(op, text) reads(jf_arm64_store(fresh(), op), text)

Test(body_arm64, loads_and_stores)
{
	frame_of("user", SPEC(.bpf_stack_bytes = 64));
	LOAD(OP(.dst = 0, .src = 1, .bytes = 1), "ldrb w8, [x0]");
	LOAD(OP(.dst = 0, .src = 1, .bytes = 2, .off = 8190), "ldrh w8, [x0, #8190]");
	LOAD(OP(.dst = 0, .src = 1, .bytes = 4, .off = -256), "ldur w8, [x0, #-256]");
	LOAD(OP(.dst = 0, .src = 1, .bytes = 8, .off = 7), "ldur x8, [x0, #7]");
	LOAD(OP(.dst = 0, .src = 1, .bytes = 8, .off = 32760), "ldr x8, [x0, #32760]");
	LOAD(OP(.dst = 0, .src = 1, .bytes = 8, .off = -257), "mov x12, #-257; ldr x8, [x0, x12]");
	LOAD(OP(.dst = 0, .src = 1, .bytes = 4, .off = 4, .sign = true), "ldrsw x8, [x0, #4]");
	STORE(OP(.dst = 2, .src = 9, .bytes = 8, .off = -8), "stur x22, [x1, #-8]");
	STORE(OP(.dst = 2, .bytes = 8, .off = 8, IMM(0)), "str xzr, [x1, #8]");
	STORE(OP(.dst = 2, .bytes = 1, .off = 8, IMM(256)), "strb wzr, [x1, #8]");
	STORE(OP(.dst = 2, .bytes = 4, .off = 8, IMM(-1)), "mov w10, #-1; str w10, [x1, #8]");
	STORE(OP(.dst = 2, .bytes = 2, .off = -300, IMM(7)), "mov w10, #7; mov x12, #-300; strh w10, [x1, x12]");
	check_all();
}

/* R10 is at the upper end, and the scaled forms reach up: accesses go from the lower end. */
Test(body_arm64, the_stack)
{
	frame_of("user", SPEC(.bpf_stack_bytes = 500));
	LOAD(OP(.dst = 0, .src = 10, .bytes = 8, .off = -512), "ldr x8, [sp]");
	STORE(OP(.dst = 10, .src = 1, .bytes = 8, .off = -8), "str x0, [sp, #504]");
	LOAD(OP(.dst = 0, .src = 10, .bytes = 4, .off = -6), "ldur w8, [x25, #-6]");
	LOAD(OP(.dst = 0, .src = 10, .bytes = 4, .off = -301), "mov x12, #-301; ldr w8, [x25, x12]");
	frame_of("user", SPEC(.bpf_stack_bytes = 512, .out_args = 5));
	LOAD(OP(.dst = 0, .src = 10, .bytes = 8, .off = -512), "ldr x8, [sp, #16]");
	frame_of("user", SPEC(.bpf_stack_bytes = 500, .private_stack = true));
	LOAD(OP(.dst = 0, .src = 10, .bytes = 8, .off = -512), "ldr x8, [x27]");
	frame_of("user", SPEC(.bpf_stack_bytes = 32752));
	LOAD(OP(.dst = 0, .src = 10, .bytes = 1, .off = -20000), "mov x12, #-20000; ldrb w8, [x25, x12]");
	check_all();
}

#define ARENA .arena = true
#define NONE  JF_REG_NONE

Test(body_arm64, the_arena)
{
	frame_of("user", SPEC(.arena = true, .bpf_stack_bytes = 64));
	faults_at(ACCESS(JF_OP_LOAD, OP(.dst = 7, .src = 1, .bytes = 8, ARENA)), JF_ARM64_X20, "ldr x20, [x28, x0]");
	faults_at(ACCESS(JF_OP_LOAD, OP(.dst = 0, .src = 1, .bytes = 2, .off = -2, .sign = true, ARENA)), JF_ARM64_X8,
		  "add x11, x28, x0; ldursh x8, [x11, #-2]");
	faults_at(ACCESS(JF_OP_LOAD, OP(.dst = 0, .src = 1, .bytes = 1, .off = 4095, ARENA)), JF_ARM64_X8,
		  "add x11, x28, x0; ldrb w8, [x11, #4095]");
	faults_at(ACCESS(JF_OP_LOAD, OP(.dst = 0, .src = 1, .bytes = 4, .off = -4096, ARENA)), JF_ARM64_X8,
		  "add x11, x28, x0; mov x12, #-4096; ldr w8, [x11, x12]");
	faults_at(ACCESS(JF_OP_STORE, OP(.dst = 1, .src = 2, .bytes = 4, ARENA)), NONE, "str w1, [x28, x0]");
	faults_at(ACCESS(JF_OP_STORE, OP(.dst = 1, .bytes = 8, .off = 16, IMM(0), ARENA)), NONE,
		  "add x11, x28, x0; str xzr, [x11, #16]");
	faults_at(ACCESS(JF_OP_STORE, OP(.dst = 1, .bytes = 2, .off = -300, IMM(9), ARENA)), NONE,
		  "mov w10, #9; add x11, x28, x0; mov x12, #-300; strh w10, [x11, x12]");
	check_all();
}

Test(body_arm64, casts_and_per_cpu)
{
	frame_of("user", SPEC(.arena = true));
	reads(jf_arm64_cast_user(fresh(), OP(.dst = 1, .src = 2, .imm = 0x7f1200000000)),
	      "mov w0, w1; cbz w0, #8; movk x0, #0x7f12, lsl #32");
	reads(jf_arm64_cast_user(fresh(), OP(.dst = 1, .src = 1, .imm = 0x127f1200000000)),
	      "mov w0, w0; cbz w0, #12; movk x0, #0x7f12, lsl #32; movk x0, #0x12, lsl #48");
	reads(jf_arm64_cast_user(fresh(), OP(.dst = 1, .src = 1, .imm = INT64_MIN)),
	      "mov w0, w0; cbz w0, #8; movk x0, #0x8000, lsl #48");
	reads(jf_arm64_cast_user(fresh(), OP(.dst = 1, .src = 2, .imm = 0)), "mov w0, w1");
	reads(jf_arm64_per_cpu(fresh(), OP(.dst = 1, .src = 2)), "mrs x10, TPIDR_EL0; add x0, x1, x10");
	frame_of("linux", SPEC(.arena = true));
	reads(jf_arm64_per_cpu(fresh(), OP(.dst = 6, .src = 6)), "mrs x10, TPIDR_EL1; add x19, x19, x10");
	check_all();
}

/* ---- atomics -------------------------------------------------------------------------------- */

Test(body_arm64, atomics)
{
	frame_of("user", SPEC(.arena = true, .bpf_stack_bytes = 64));
	reads(jf_arm64_atomic(fresh(), OP(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8)),
	      "ldxr x10, [x0]; add x12, x10, x1; stxr w16, x12, [x0]; cbnz w16, #-12");
	reads(jf_arm64_atomic(fresh(), OP32(.code = JF_ATOMIC_OR, .dst = 10, .src = 2, .bytes = 4, .off = -8)),
	      "sub x11, x25, #8; ldxr w10, [x11]; orr w12, w10, w1; stxr w16, w12, [x11]; cbnz w16, #-12");
	reads(jf_arm64_atomic(fresh(),
			      OP(.code = JF_ATOMIC_AND, .dst = 1, .src = 2, .bytes = 8, .off = 4100, .fetch = true)),
	      "add x11, x0, #1, lsl #12; add x11, x11, #4; ldxr x10, [x11]; and x12, x10, x1; "
	      "stlxr w16, x12, [x11]; cbnz w16, #-12; dmb ish; mov x1, x10");
	reads(jf_arm64_atomic(fresh(), OP32(.code = JF_ATOMIC_XOR, .dst = 1, .src = 2, .bytes = 4, .fetch = true)),
	      "ldxr w10, [x0]; eor w12, w10, w1; stlxr w16, w12, [x0]; cbnz w16, #-12; dmb ish; mov x1, x10");
	reads(jf_arm64_atomic(fresh(), OP(.code = JF_ATOMIC_XCHG, .dst = 1, .src = 2, .bytes = 8, .fetch = true)),
	      "ldxr x10, [x0]; stlxr w16, x1, [x0]; cbnz w16, #-8; dmb ish; mov x1, x10");
	reads(jf_arm64_atomic(fresh(), OP32(.code = JF_ATOMIC_CMPXCHG, .dst = 1, .src = 2, .bytes = 4, .fetch = true)),
	      "ldxr w10, [x0]; cmp w10, w8; b.ne #12; stlxr w16, w1, [x0]; cbnz w16, #-16; dmb ish; mov x8, x10");
	reads(ACCESS(JF_OP_ATOMIC, OP(.code = JF_ATOMIC_LOAD_ACQ, .dst = 1, .src = 2, .bytes = 1)), "ldarb w0, [x1]");
	reads(ACCESS(JF_OP_ATOMIC, OP(.code = JF_ATOMIC_STORE_REL, .dst = 1, .src = 2, .bytes = 2, .off = 2)),
	      "add x11, x0, #2; stlrh w1, [x11]");
	cr_assert_eq(faults.count, 0u);
	check_all();
}

Test(body_arm64, atomics_as_instructions)
{
#define LSE(op, text) fresh()->atomic_insns = true, reads(jf_arm64_atomic(&body, op), text)
	frame_of("user", SPEC(.arena = true));
	LSE(OP(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8), "stadd x1, [x0]");
	LSE(OP32(.code = JF_ATOMIC_OR, .dst = 1, .src = 2, .bytes = 4, .off = -8), "sub x11, x0, #8; stset w1, [x11]");
	LSE(OP(.code = JF_ATOMIC_AND, .dst = 1, .src = 2, .bytes = 8), "mvn x10, x1; stclr x10, [x0]");
	LSE(OP32(.code = JF_ATOMIC_XOR, .dst = 1, .src = 2, .bytes = 4), "steor w1, [x0]");
	LSE(OP(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8, .fetch = true), "ldaddal x1, x1, [x0]");
	LSE(OP32(.code = JF_ATOMIC_AND, .dst = 1, .src = 2, .bytes = 4, .fetch = true),
	    "mvn w10, w1; ldclral w10, w1, [x0]");
	LSE(OP(.code = JF_ATOMIC_XCHG, .dst = 1, .src = 2, .bytes = 8, .fetch = true), "swpal x1, x1, [x0]");
	LSE(OP32(.code = JF_ATOMIC_CMPXCHG, .dst = 1, .src = 2, .bytes = 4, .fetch = true), "casal w8, w1, [x0]");
	fresh()->atomic_insns = true;
	faults_at(jf_body_access(&body, &jf_arm64_backend.body, JF_OP_ATOMIC,
				 OP(.code = JF_ATOMIC_XOR, .dst = 1, .src = 2, .bytes = 8, .fetch = true, ARENA)),
		  JF_ARM64_X1, "add x11, x28, x0; ldeoral x1, x1, [x11]");
	check_all();
}

Test(body_arm64, atomics_in_the_arena)
{
	frame_of("user", SPEC(.arena = true));
	faults_at(ACCESS(JF_OP_ATOMIC, OP(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8, ARENA)), NONE,
		  "add x11, x28, x0; ldxr x10, [x11]; add x12, x10, x1; stxr w16, x12, [x11]; cbnz w16, #-12");
	faults_at(ACCESS(JF_OP_ATOMIC,
			 OP(.code = JF_ATOMIC_XCHG, .dst = 1, .src = 2, .bytes = 8, .fetch = true, .off = 8, ARENA)),
		  JF_ARM64_X1,
		  "add x11, x28, x0; add x11, x11, #8; ldxr x10, [x11]; stlxr w16, x1, [x11]; cbnz w16, #-8; "
		  "dmb ish; mov x1, x10");
	faults_at(ACCESS(JF_OP_ATOMIC,
			 OP(.code = JF_ATOMIC_CMPXCHG, .dst = 1, .src = 2, .bytes = 8, .fetch = true, ARENA)),
		  JF_ARM64_X8,
		  "add x11, x28, x0; ldxr x10, [x11]; cmp x10, x8; b.ne #12; stlxr w16, x1, [x11]; "
		  "cbnz w16, #-16; dmb ish; mov x8, x10");
	faults_at(ACCESS(JF_OP_ATOMIC, OP(.code = JF_ATOMIC_LOAD_ACQ, .dst = 1, .src = 2, .bytes = 4, ARENA)),
		  JF_ARM64_X0, "add x11, x28, x1; ldar w0, [x11]");
	faults_at(ACCESS(JF_OP_ATOMIC, OP(.code = JF_ATOMIC_STORE_REL, .dst = 1, .src = 2, .bytes = 8, ARENA)), NONE,
		  "add x11, x28, x0; stlr x1, [x11]");
	check_all();
}

/* ---- jumps ---------------------------------------------------------------------------------- */

static void jump(int32_t distance, const struct jf_op *op, const char *text)
{
	struct jf_op to = *op;

	to.target = TARGET;
	insn_off[TARGET] = (uint32_t)distance;
	reads(jf_arm64_jump(fresh(), &to), text);
}

Test(body_arm64, jumps)
{
	frame_of("user", SPEC(.bpf_stack_bytes = 0));
	jump(32, OP(.code = JF_COND_EQ, .dst = 1, IMM(0)), "cbz x0, #32");
	jump(32, OP32(.code = JF_COND_NE, .dst = 1, IMM(0)), "cbnz w0, #32");
	jump(32, OP(.code = JF_COND_LT, .dst = 1, IMM(1)), "cbz x0, #32");
	jump(32, OP(.code = JF_COND_SLT, .dst = 1, IMM(0)), "tbnz x0, #63, #32");
	jump(32, OP32(.code = JF_COND_SGT, .dst = 1, IMM(-1)), "tbz w0, #31, #32");
	jump(32, OP(.code = JF_COND_SET, .dst = 1, IMM(8)), "tbnz w0, #3, #32");
	jump(32, OP(.code = JF_COND_SET, .dst = 1, IMM(6)), "tst x0, #6; b.ne #28");
	jump(32, OP(.code = JF_COND_SET, .dst = 1, .src = 2), "tst x0, x1; b.ne #28");
	jump(32, OP(.code = JF_COND_GT, .dst = 1, .src = 2), "cmp x0, x1; b.hi #28");
	jump(32, OP(.code = JF_COND_SLE, .dst = 1, IMM(-5)), "cmn x0, #5; b.le #28");
	jump(32, OP32(.code = JF_COND_GE, .dst = 1, IMM(4096)), "cmp w0, #1, lsl #12; b.hs #28");
	jump(36, OP(.code = JF_COND_LE, .dst = 1, IMM(5000)), "mov w10, #5000; cmp x0, x10; b.ls #28");
	insn_off[TARGET] = 64;
	reads(jf_arm64_jump_always(fresh(), OP(.target = TARGET)), "b #64");
	check_all();
}

/* Out of reach: the opposite branch over a jump, and so from then on. */
Test(body_arm64, far_jumps)
{
	frame_of("user", SPEC(.bpf_stack_bytes = 0));
	jump(0x8000, OP(.code = JF_COND_SET, .dst = 1, IMM(8)), "tbz w0, #3, #8; b #0x7ffc");
	cr_expect_eq(flags[0], 1);
	jump(32, OP(.code = JF_COND_SET, .dst = 1, IMM(8)), "tbz w0, #3, #8; b #28");
	flags[0] = 0;
	jump(0xffffc, OP(.code = JF_COND_EQ, .dst = 1, IMM(0)), "cbz x0, #0xffffc");
	cr_expect_eq(flags[0], 0);
	jump(0x100000, OP(.code = JF_COND_EQ, .dst = 1, IMM(0)), "cbnz x0, #8; b #0xffffc");
	flags[0] = 0;
	jump(0x200000, OP(.code = JF_COND_GT, .dst = 1, .src = 2), "cmp x0, x1; b.ls #8; b #0x1ffff8");
	check_all();
}

Test(body_arm64, may_goto)
{
	insn_off[TARGET] = 64;
	frame_of("user", SPEC(.bpf_stack_bytes = 32));
	reads(jf_arm64_may_goto(fresh(), OP(.target = TARGET, .imm = -32), ADDRESS + 0x100014),
	      "ldr x9, [sp]; cbz x9, #60; sub x9, x9, #1; cbnz x9, #12; sub x9, x25, #32; bl #0x100000; "
	      "str x9, [sp]");
	frame_of("user", SPEC(.bpf_stack_bytes = 32, .private_stack = true));
	reads(jf_arm64_may_goto(fresh(), OP(.target = TARGET, .imm = -32), 0x7fff12340000),
	      "ldr x9, [x27]; cbz x9, #60; sub x9, x9, #1; cbnz x9, #20; sub x9, x25, #32; "
	      "mov x10, #0x7fff00000000; movk x10, #0x1234, lsl #16; blr x10; str x9, [x27]");
	insn_off[TARGET] = 0x200000;
	reads(jf_arm64_may_goto(fresh(), OP(.target = TARGET, .imm = -32), ADDRESS + 0x100018),
	      "ldr x9, [x27]; cbnz x9, #8; b #0x1ffff8; sub x9, x9, #1; cbnz x9, #12; sub x9, x25, #32; "
	      "bl #0x100000; str x9, [x27]");
	check_all();
}

/* ---- calls ---------------------------------------------------------------------------------- */

Test(body_arm64, calls)
{
	struct jf_call call = {.kind = JF_CALL_C, .sixth = JF_REG_NONE};

	frame_of("user", SPEC(.out_args = 7));
	call.address = ADDRESS + 0x7fffffc;
	reads(jf_arm64_call(fresh(), OP(.dst = 0), &call), "bl #0x7fffffc; mov x8, x0");
	call.address = ADDRESS + 0x8000001;
	reads(jf_arm64_call(fresh(), OP(.dst = 0), &call),
	      "adrp x10, #0x8000000; add x10, x10, #1; blr x10; mov x8, x0");
	call.address = 0xffff000012345678;
	reads(jf_arm64_call(fresh(), OP(.dst = 0), &call),
	      "movz x10, #0xffff, lsl #48; movk x10, #0x1234, lsl #16; movk x10, #0x5678; blr x10; mov x8, x0");
	call.address = ADDRESS - 0x104;
	call.sixth = JF_BPF_R0;
	reads(jf_arm64_call(fresh(), OP(.dst = 0), &call), "mov x5, x8; bl #-0x108; mov x8, x0");
	call = (struct jf_call){.kind = JF_CALL_BPF, .sixth = JF_REG_NONE, .address = ADDRESS, .stack_args = 7};
	reads(jf_arm64_call(fresh(), OP(.dst = 0), &call), "bl #0; mov x8, x0");
	check_all();
}

Test(body_arm64, arguments)
{
	frame_of("user", SPEC(.out_args = 7));
	reads(jf_argument_put(fresh(), OP(.code = 1, .src = 6)), "mov x5, x19");
	reads(jf_argument_put(fresh(), OP(.code = 3, IMM(-2))), "mov x7, #-2");
	reads(jf_argument_put(fresh(), OP(.code = 4, .src = 1)), "str x0, [sp]");
	reads(jf_argument_put(fresh(), OP(.code = 7, IMM(0))), "str xzr, [sp, #24]");
	reads(jf_argument_put(fresh(), OP(.code = 5, IMM(9))), "mov w10, #9; str x10, [sp, #8]");
	reads(jf_argument_get(fresh(), OP(.code = 2, .dst = 6)), "mov x19, x6");
	reads(jf_argument_get(fresh(), OP(.code = 4, .dst = 0)), "ldr x8, [x29, #16]");
	reads(jf_argument_get(fresh(), OP(.code = 7, .dst = 0)), "ldr x8, [x29, #40]");
	check_all();
}

#define TAIL_CALL_HEAD(over)                                                                              \
	"ldr w10, [x1]; cmp w2, w10; b.hs #" #over "; ldr x11, [x26]; cmp x11, #33; b.hs #" #over "-12; " \
	"add x10, x1, w2, uxtw #3; ldr x10, [x10, #16]; cbz x10, #" #over "-24; add x11, x11, #1; "       \
	"str x11, [x26]; "

Test(body_arm64, tail_calls)
{
	const struct jf_op *op = OP(.opcode = 0x85);

	frame_of("linux", SPEC(.tail_calls = true));
	reads(jf_arm64_tail_call(fresh(), op, 24), TAIL_CALL_HEAD(44) "add x10, x10, #24; br x10");
	frame_of("linux",
		 SPEC(.role = JF_ROLE_SUBPROGRAM, .tail_calls = true, .bpf_stack_bytes = 40, .bpf_regs_used = 1 << 6));
	reads(jf_arm64_tail_call(fresh(), op, 32),
	      TAIL_CALL_HEAD(52) "add sp, sp, #48; ldp x19, x25, [sp], #16; add x10, x10, #32; br x10");
	check_all();
}

/* Behind the exit the row is the body's again. */
Test(body_arm64, rows_around_a_tail_call)
{
	const struct jf_row *before, *behind;
	uint32_t saved = 0;

	frame_of("user", SPEC(.tail_calls = true, .bpf_stack_bytes = 40, .bpf_regs_used = 1 << 6 | 1 << 7));
	fresh();
	for (unsigned int i = 0; i < frame.slot_count; i++)
		if (frame.slots[i].kind == JF_SLOT_SAVE || frame.slots[i].kind == JF_SLOT_RETURN) {
			jf_code_saved(&code, i);
			saved |= 1u << i;
		}
	cr_assert_eq(jf_arm64_tail_call(&body, OP(.opcode = 0x85), 16), JF_OK);
	cr_assert_eq(jf_arm64_alu(&body, OP(.code = JF_ALU_NEG, .dst = 1)), JF_OK);
	before = jf_row_find(rows, code.row_count, 0);
	behind = jf_row_find(rows, code.row_count, (uint32_t)code.size - 4);
	cr_assert(before && behind && before != behind);
	cr_expect_eq(before->saved, saved);
	cr_expect_eq(behind->saved, saved);
	cr_expect_eq(behind->cfa_reg, JF_ARM64_X29);
	cr_expect_eq(behind->cfa_off, 16);
	cr_expect_neq(jf_row_find(rows, code.row_count, (uint32_t)code.size - 8)->saved, saved);
}
