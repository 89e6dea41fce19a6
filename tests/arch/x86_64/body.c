/* SPDX-License-Identifier: BSD-2-Clause */
#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "compile/arguments.h"
#include "compile/compiler.h"
#include "mc.h"
#include "x86_64.h"

/*
 * What each hook makes of a BPF instruction, as LLVM MC reads it back: the shortest form of every kind of
 * operand, what an arena access says about faults, and rows that are the body's again behind an exit in
 * the middle.
 */

#define TRIPLE     "x86_64-unknown-linux-gnu"
#define ADDRESS    UINT64_C(0x7f0000010000)
#define TARGET     5 /* BPF instruction that jumps go to */
#define CASES_MAX  600
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

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
static csh capstone;

static void setup(void)
{
	cr_assert_eq(cs_open(CS_ARCH_X86, CS_MODE_64, &capstone), CS_ERR_OK);
}

static void teardown(void)
{
	cs_close(&capstone);
	free(faults.list);
}

TestSuite(body_x86_64, .init = setup, .fini = teardown);

/* A function of that convention and spec. Hooks are called at offset 0, as if there were no prologue. */
static void frame_of(const struct jf_convention *conv, struct jf_frame_spec spec)
{
	struct jf_error error = {.text = ""};

	spec.size = sizeof(spec);
	cr_assert_eq(jf_frame_solve(conv, &spec, &frame, &error), JF_OK, "%s: %s", error.where, error.text);
}

static struct jf_body *fresh(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), ADDRESS, rows, LEN(rows));
	jf_code_begin(&code, &frame, RBP, 16, 0);
	faults.count = 0;
	state = (struct jf_body_state){.unit = &unit, .faults = &faults};
	body = (struct jf_body){.code = &code, .frame = &frame, .state = &state};
	memcpy(body.reg, frame.conv->bpf_reg, sizeof(body.reg));
	if (frame.spec.private_stack)
		body.reg[JF_BPF_FP] = frame.conv->bpf_fp_private;
	return &body;
}

static size_t insn_size(size_t at)
{
	cs_insn *insn = NULL;
	size_t size;

	if (bytes[at] == 0xf0)
		return 1; /* to LLVM lock is an instruction */
	cr_assert_eq(cs_disasm(capstone, bytes + at, code.size - at, 0, 1, &insn), 1u, "at byte %zu", at);
	size = insn->size;
	cs_free(insn, 1);
	return size;
}

/* What the hook has put down since fresh() is this: instructions with "; " between them. */
static void reads(enum jf_status status, const char *text)
{
	size_t at = 0;

	cr_assert_eq(status, JF_OK, "%s: status %d", text, (int)status);
	cr_assert_eq(jf_code_finish(&code), JF_OK, "%s: refused", text);
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, ";");
		struct mc_case *c = &cases[case_count++];

		cr_assert_lt(case_count, (size_t)CASES_MAX);
		cr_assert_lt(length, sizeof(c->text));
		cr_assert_lt(at, code.size, "%s: %zu bytes", text, at);
		memcpy(c->text, line, length);
		c->size = (uint8_t)insn_size(at);
		memcpy(c->bytes, bytes + at, c->size);
		at += c->size;
		line += length + (line[length] ? 2 : 0);
	}
	cr_assert_eq(at, code.size, "%s: %zu bytes more", text, code.size - at);
}

/* A load, store or atomic operation by way of the core, which says what a fault does. */
static enum jf_status access(enum jf_op_kind kind, const struct jf_op *op)
{
	return jf_body_access(fresh(), &jf_x86_64_backend.body, kind, op);
}

/*
 * What has been put down reads so, and bytes [0, end) may fault, which makes `reg` 0 and goes on at `end`; -1: behind
 * all.
 */
static void faults_at(enum jf_status status, int end, uint8_t reg, const char *text)
{
	uint32_t off = end < 0 ? (uint32_t)code.size : (uint32_t)end;

	reads(status, text);
	cr_assert_eq(faults.count, 1u, "%s: %u faults", text, faults.count);
	cr_expect_eq(faults.list[0].start_off, 0u, "%s: from %u", text, faults.list[0].start_off);
	cr_expect_eq(faults.list[0].end_off, off, "%s: to %u", text, faults.list[0].end_off);
	cr_expect_eq(faults.list[0].resume_off, off, "%s: on at %u", text, faults.list[0].resume_off);
	cr_expect_eq(faults.list[0].reg, reg, "%s: register %u", text, faults.list[0].reg);
}

static void check_all(void)
{
	mc_check_disassembles(TRIPLE, "", cases, case_count);
}

/* clang-format off */
#define SPEC(...) (struct jf_frame_spec){ .size = sizeof(struct jf_frame_spec), __VA_ARGS__ }
#define OP(...) &(struct jf_op){ .is64 = true, __VA_ARGS__ }
#define OP32(...) &(struct jf_op){ .is64 = false, __VA_ARGS__ }
/* clang-format on */
#define IMM(value) .is_imm = true, .imm = (value)
#define ARENA      .arena = true

/* ---- arithmetic ----------------------------------------------------------------------------- */

#define ALU(op, text) reads(jf_x86_64_alu(fresh(), op), text)

Test(body_x86_64, arithmetic)
{
	frame_of(&jf_x86_64_linux, SPEC(.bpf_stack_bytes = 64));
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, .src = 6), "addq %rbx, %rdi");
	ALU(OP32(.code = JF_ALU_SUB, .dst = 5, .src = 6), "subl %ebx, %r8d");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(0)), "");
	ALU(OP32(.code = JF_ALU_ADD, .dst = 1, IMM(0)), "movl %edi, %edi");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(127)), "addq $127, %rdi");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, IMM(128)), "subq $-128, %rdi");
	ALU(OP32(.code = JF_ALU_SUB, .dst = 0, IMM(1000)), "subl $1000, %eax");
	ALU(OP(.code = JF_ALU_OR, .dst = 7, IMM(-1000)), "orq $-1000, %r13");
	ALU(OP(.code = JF_ALU_XOR, .dst = 7, IMM(-1)), "notq %r13");
	ALU(OP(.code = JF_ALU_AND, .dst = 0, IMM(0xff)), "movzbl %al, %eax");
	ALU(OP(.code = JF_ALU_AND, .dst = 6, IMM(0xfff)), "andl $4095, %ebx");
	ALU(OP(.code = JF_ALU_AND, .dst = 6, IMM(-16)), "andq $-16, %rbx");
	ALU(OP(.code = JF_ALU_AND, .dst = 6, .src = 7), "andq %r13, %rbx");
	ALU(OP(.code = JF_ALU_AND, .dst = 6, IMM(0)), "xorl %ebx, %ebx");
	ALU(OP(.code = JF_ALU_MUL, .dst = 2, .src = 3), "imulq %rdx, %rsi");
	ALU(OP(.code = JF_ALU_MUL, .dst = 2, IMM(1024)), "shlq $10, %rsi");
	ALU(OP32(.code = JF_ALU_MUL, .dst = 2, IMM(7)), "imull $7, %esi, %esi");
	ALU(OP(.code = JF_ALU_NEG, .dst = 2), "negq %rsi");
	ALU(OP(.code = JF_ALU_LSH, .dst = 2, .src = 4), "shlq %cl, %rsi");
	ALU(OP(.code = JF_ALU_LSH, .dst = 2, .src = 3), "pushq %rcx; movl %edx, %ecx; shlq %cl, %rsi; popq %rcx");
	ALU(OP32(.code = JF_ALU_DIV, .dst = 1, IMM(7)),
	    "movl $7, %r11d; pushq %rdx; xchgq %rdi, %rax; xorl %edx, %edx; divl %r11d; xchgq %rdi, %rax; popq %rdx");
	ALU(OP(.code = JF_ALU_MOD, .dst = 3, IMM(7)),
	    "movl $7, %r11d; pushq %rax; movq %rdx, %rax; xorl %edx, %edx; divq %r11; popq %rax");
	ALU(OP32(.code = JF_ALU_ARSH, .dst = 4, .src = 1),
	    "movq %rcx, %r11; movl %edi, %ecx; sarl %cl, %r11d; movq %r11, %rcx");
	ALU(OP(.code = JF_ALU_RSH, .dst = 4, IMM(1)), "shrq %rcx");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, .src = JF_BPF_FP), "addq %rbp, %rdi");
	check_all();
}

Test(body_x86_64, moves)
{
	frame_of(&jf_x86_64_linux, SPEC(.bpf_stack_bytes = 64));
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = 6), "movq %rbx, %rdi");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = 1), "");
	ALU(OP32(.code = JF_ALU_MOV, .dst = 1, .src = 1), "movl %edi, %edi");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = 6, .sign = true, .bytes = 4), "movslq %ebx, %rdi");
	ALU(OP32(.code = JF_ALU_MOV, .dst = 1, .src = 2, .sign = true, .bytes = 1), "movsbl %sil, %edi");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, IMM(0)), "xorl %edi, %edi");
	ALU(OP32(.code = JF_ALU_MOV, .dst = 1, IMM(-1)), "movl $4294967295, %edi");
	ALU(OP(.code = JF_ALU_MOV, .dst = 5, IMM(-1)), "movq $-1, %r8");
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = JF_BPF_FP), "movq %rbp, %rdi");
	reads(jf_x86_64_imm64(fresh(), OP(.dst = 1, .imm = INT64_C(0x1122334455667788))),
	      "movabsq $1234605616436508552, %rdi");
	reads(jf_x86_64_imm64(fresh(), OP(.dst = 1, .imm = (int64_t)ADDRESS + 7 + 16)), "leaq 16(%rip), %rdi");
	/* R10 lies below RBP when saves come first. */
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 64, .bpf_regs_used = 1 << 6));
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = JF_BPF_FP), "leaq -16(%rbp), %rdi");
	ALU(OP(.code = JF_ALU_ADD, .dst = 1, .src = JF_BPF_FP), "leaq -16(%rbp), %r11; addq %r11, %rdi");
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 64, .private_stack = true));
	ALU(OP(.code = JF_ALU_MOV, .dst = 1, .src = JF_BPF_FP), "movq %r9, %rdi");
	check_all();
}

/* ---- memory --------------------------------------------------------------------------------- */

Test(body_x86_64, memory)
{
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 64, .bpf_regs_used = 1 << 6));
	reads(jf_x86_64_load(fresh(), OP(.dst = 1, .src = 6, .bytes = 8)), "movq (%rbx), %rdi");
	reads(jf_x86_64_load(fresh(), OP(.dst = 1, .src = 7, .bytes = 1)), "movzbl (%r13), %edi");
	reads(jf_x86_64_load(fresh(), OP(.dst = 0, .src = JF_BPF_FP, .bytes = 4, .off = -8, .sign = true)),
	      "movslq -24(%rbp), %rax");
	reads(jf_x86_64_store(fresh(), OP(.dst = 1, .src = 2, .bytes = 1, .off = 200)), "movb %sil, 200(%rdi)");
	reads(jf_x86_64_store(fresh(), OP(.dst = 1, .src = 0, .bytes = 2)), "movw %ax, (%rdi)");
	reads(jf_x86_64_store(fresh(), OP(.dst = 1, .bytes = 2, IMM(-1))), "movw $65535, (%rdi)");
	reads(jf_x86_64_store(fresh(), OP(.dst = JF_BPF_FP, .bytes = 8, .off = -8, IMM(-1))), "movq $-1, -24(%rbp)");
	reads(jf_x86_64_store(fresh(), OP(.dst = 1, .src = JF_BPF_FP, .bytes = 8)),
	      "leaq -16(%rbp), %r11; movq %r11, (%rdi)");
	cr_expect_eq(faults.count, 0u);
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 64, .private_stack = true));
	reads(jf_x86_64_load(fresh(), OP(.dst = 0, .src = JF_BPF_FP, .bytes = 8, .off = -8)), "movq -8(%r9), %rax");
	check_all();
}

Test(body_x86_64, memory_of_the_arena)
{
	frame_of(&jf_x86_64_linux, SPEC(.arena = true));
	faults_at(access(JF_OP_LOAD, OP(.dst = 1, .src = 6, .bytes = 4, ARENA)), -1, RDI, "movl (%r12,%rbx), %edi");
	faults_at(access(JF_OP_LOAD, OP(.dst = 0, .src = 7, .bytes = 8, .off = 8, ARENA)), -1, RAX,
		  "movq 8(%r12,%r13), %rax");
	faults_at(access(JF_OP_LOAD, OP(.dst = 0, .src = 0, .bytes = 1, .off = -129, .sign = true, ARENA)), -1, RAX,
		  "movsbq -129(%r12,%rax), %rax");
	faults_at(access(JF_OP_STORE, OP(.dst = 1, .src = 2, .bytes = 1, ARENA)), -1, JF_REG_NONE,
		  "movb %sil, (%r12,%rdi)");
	faults_at(access(JF_OP_STORE, OP(.dst = 8, .bytes = 2, .off = 2, IMM(7), ARENA)), -1, JF_REG_NONE,
		  "movw $7, 2(%r12,%r14)");
	check_all();
}

Test(body_x86_64, casts_and_per_cpu_addresses)
{
	frame_of(&jf_x86_64_user, SPEC(.arena = true));
	reads(jf_x86_64_cast_user(fresh(), OP(.dst = 1, .src = 2, .imm = 0x7f1200000000)),
	      "movl %esi, %edi; testl %edi, %edi; je 13; movabsq $139715286138880, %r11; orq %r11, %rdi");
	reads(jf_x86_64_cast_user(fresh(), OP(.dst = 8, .src = 8, .imm = INT64_MIN)),
	      "andl %r14d, %r14d; je 13; movabsq $-9223372036854775808, %r11; orq %r11, %r14");
	reads(jf_x86_64_cast_user(fresh(), OP(.dst = 1, .src = 2, .imm = 0)), "movl %esi, %edi");
	reads(jf_x86_64_cast_user(fresh(), OP(.dst = 1, .src = 1, .imm = 0)), "andl %edi, %edi");
	reads(jf_x86_64_per_cpu(fresh(), OP(.dst = 1, .src = 2)), "movq %rsi, %rdi; addq %fs:0, %rdi");
	frame_of(&jf_x86_64_linux, SPEC(.arena = true));
	reads(jf_x86_64_per_cpu(fresh(), OP(.dst = 9, .src = 9)), "addq %gs:0, %r15");
	check_all();
}

/* ---- atomics -------------------------------------------------------------------------------- */

#define ATOMIC(...) access(JF_OP_ATOMIC, OP(__VA_ARGS__))

Test(body_x86_64, atomics)
{
	frame_of(&jf_x86_64_linux, SPEC(.bpf_stack_bytes = 64));
	reads(ATOMIC(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8), "lock; addq %rsi, (%rdi)");
	reads(ATOMIC(.code = JF_ATOMIC_OR, .dst = JF_BPF_FP, .src = 0, .bytes = 4, .off = -8),
	      "lock; orl %eax, -8(%rbp)");
	reads(ATOMIC(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 4, .fetch = true), "lock; xaddl %esi, (%rdi)");
	reads(ATOMIC(.code = JF_ATOMIC_XCHG, .dst = 1, .src = 2, .bytes = 8, .fetch = true), "xchgq %rsi, (%rdi)");
	reads(ATOMIC(.code = JF_ATOMIC_CMPXCHG, .dst = 1, .src = 2, .bytes = 8, .fetch = true),
	      "lock; cmpxchgq %rsi, (%rdi)");
	reads(ATOMIC(.code = JF_ATOMIC_CMPXCHG, .dst = 1, .src = 2, .bytes = 4, .fetch = true),
	      "lock; cmpxchgl %esi, (%rdi); movl %eax, %eax");
	reads(ATOMIC(.code = JF_ATOMIC_AND, .dst = 1, .src = 2, .bytes = 8, .fetch = true, .off = 8),
	      "movq %rax, %r10; movq 8(%rdi), %rax; movq %rax, %r11; andq %rsi, %r11; "
	      "lock; cmpxchgq %r11, 8(%rdi); jne -14; movq %rax, %rsi; movq %r10, %rax");
	reads(ATOMIC(.code = JF_ATOMIC_XOR, .dst = 0, .src = 0, .bytes = 4, .fetch = true),
	      "movq %rax, %r10; movl (%r10), %eax; movl %eax, %r11d; xorl %r10d, %r11d; "
	      "lock; cmpxchgl %r11d, (%r10); jne -13");
	reads(ATOMIC(.code = JF_ATOMIC_LOAD_ACQ, .dst = 1, .src = 2, .bytes = 2), "movzwl (%rsi), %edi");
	reads(ATOMIC(.code = JF_ATOMIC_STORE_REL, .dst = 1, .src = 2, .bytes = 8), "movq %rsi, (%rdi)");
	cr_expect_eq(faults.count, 0u);
	cr_expect_eq(ATOMIC(.code = JF_ATOMIC_STORE_REL + 1, .bytes = 8), JF_E_UNSUPPORTED);
	cr_expect_eq(ATOMIC(.code = JF_ATOMIC_ADD, .bytes = 2), JF_E_UNSUPPORTED);
	check_all();
}

/* RAX comes back whichever access of the loop faults: what restores it lies where the program goes on. */
Test(body_x86_64, atomics_in_the_arena)
{
	frame_of(&jf_x86_64_user, SPEC(.arena = true));
	faults_at(ATOMIC(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8, ARENA), -1, JF_REG_NONE,
		  "lock; addq %rsi, (%r12,%rdi)");
	faults_at(ATOMIC(.code = JF_ATOMIC_ADD, .dst = 1, .src = 2, .bytes = 8, .fetch = true, ARENA), -1, RSI,
		  "lock; xaddq %rsi, (%r12,%rdi)");
	faults_at(ATOMIC(.code = JF_ATOMIC_XCHG, .dst = 7, .src = 7, .bytes = 4, .fetch = true, ARENA), -1, R13,
		  "xchgl %r13d, (%r12,%r13)");
	faults_at(ATOMIC(.code = JF_ATOMIC_CMPXCHG, .dst = 1, .src = 2, .bytes = 4, .fetch = true, ARENA), -1, RAX,
		  "lock; cmpxchgl %esi, (%r12,%rdi); movl %eax, %eax");
	faults_at(ATOMIC(.code = JF_ATOMIC_OR, .dst = 0, .src = 6, .bytes = 8, .fetch = true, ARENA), 24, RBX,
		  "movq %rax, %r10; movq (%r12,%r10), %rax; movq %rax, %r11; orq %rbx, %r11; "
		  "lock; cmpxchgq %r11, (%r12,%r10); jne -14; movq %rax, %rbx; movq %r10, %rax");
	faults_at(ATOMIC(.code = JF_ATOMIC_OR, .dst = 1, .src = 0, .bytes = 8, .fetch = true, ARENA), -1, RAX,
		  "movq %rax, %r10; movq (%r12,%rdi), %rax; movq %rax, %r11; orq %r10, %r11; "
		  "lock; cmpxchgq %r11, (%r12,%rdi); jne -14");
	faults_at(ATOMIC(.code = JF_ATOMIC_LOAD_ACQ, .dst = 1, .src = 2, .bytes = 4, ARENA), -1, RDI,
		  "movl (%r12,%rsi), %edi");
	faults_at(ATOMIC(.code = JF_ATOMIC_STORE_REL, .dst = 1, .src = 2, .bytes = 4, ARENA), -1, JF_REG_NONE,
		  "movl %esi, (%r12,%rdi)");
	check_all();
}

/* ---- jumps ---------------------------------------------------------------------------------- */

static void jump(int32_t distance, const struct jf_op *op, const char *text)
{
	struct jf_op to = *op;

	to.target = TARGET;
	insn_off[TARGET] = (uint32_t)distance;
	reads(jf_x86_64_jump(fresh(), &to), text);
}

Test(body_x86_64, jumps)
{
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 0));
	jump(32, OP(.code = JF_COND_EQ, .dst = 1, IMM(0)), "testq %rdi, %rdi; je 27");
	jump(32, OP32(.code = JF_COND_NE, .dst = 1, IMM(0)), "testl %edi, %edi; jne 28");
	jump(32, OP(.code = JF_COND_SGT, .dst = 1, IMM(-1)), "cmpq $-1, %rdi; jg 26");
	jump(32, OP(.code = JF_COND_SET, .dst = 1, IMM(8)), "testb $8, %dil; jne 26");
	jump(32, OP(.code = JF_COND_SET, .dst = 0, IMM(0x100)), "testl $256, %eax; jne 25");
	jump(32, OP(.code = JF_COND_SET, .dst = 1, .src = 2), "testq %rsi, %rdi; jne 27");
	jump(32, OP32(.code = JF_COND_GE, .dst = 0, IMM(1000)), "cmpl $1000, %eax; jae 25");
	jump(32, OP(.code = JF_COND_SLE, .dst = 1, .src = 2), "cmpq %rsi, %rdi; jle 27");
	reads(jf_x86_64_jump_always(fresh(), OP(.target = TARGET)), "jmp 30");
	check_all();
}

/* Out of reach: the long form, and so from then on. */
Test(body_x86_64, far_jumps)
{
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 0));
	jump(127 + 5, OP(.code = JF_COND_GT, .dst = 1, .src = 2), "cmpq %rsi, %rdi; ja 127");
	cr_expect_eq(flags[0], 0);
	jump(128 + 5, OP(.code = JF_COND_GT, .dst = 1, .src = 2), "cmpq %rsi, %rdi; ja 124");
	cr_expect_eq(flags[0], 1);
	jump(32, OP(.code = JF_COND_GT, .dst = 1, .src = 2), "cmpq %rsi, %rdi; ja 23");
	flags[0] = 0;
	insn_off[TARGET] = 129;
	reads(jf_x86_64_jump_always(fresh(), OP(.target = TARGET)), "jmp 127");
	insn_off[TARGET] = 130;
	reads(jf_x86_64_jump_always(fresh(), OP(.target = TARGET)), "jmp 125");
	check_all();
}

Test(body_x86_64, may_goto)
{
	insn_off[TARGET] = 64;
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 32));
	reads(jf_x86_64_may_goto(fresh(), OP(.target = TARGET, .imm = -32), ADDRESS + 0x10015),
	      "movq -32(%rbp), %r10; subq $1, %r10; jb 54; jne 9; leaq -32(%rbp), %r10; callq 65536; "
	      "movq %r10, -32(%rbp)");
	frame_of(&jf_x86_64_user, SPEC(.bpf_stack_bytes = 32, .private_stack = true));
	insn_off[TARGET] = 640;
	reads(jf_x86_64_may_goto(fresh(), OP(.target = TARGET, .imm = -32), 0x12340000),
	      "movq -32(%r9), %r10; subq $1, %r10; jb 626; jne 13; leaq -32(%r9), %r10; "
	      "movl $305397760, %r11d; callq *%r11; movq %r10, -32(%r9)");
	check_all();
}

/* ---- calls ---------------------------------------------------------------------------------- */

Test(body_x86_64, calls)
{
	struct jf_call call = {.kind = JF_CALL_C, .sixth = JF_REG_NONE};
	const struct jf_op *op = OP(.opcode = 0x85);

	frame_of(&jf_x86_64_user, SPEC(.out_args = 7));
	call.address = ADDRESS + 5 + 4096;
	reads(jf_x86_64_call_op(fresh(), op, &call), "callq 4096");
	call.address = 0xffff000012345678;
	reads(jf_x86_64_call_op(fresh(), op, &call), "movabsq $-281474671290760, %rax; callq *%rax");
	call.address = 0x12345678;
	call.sixth = JF_BPF_R0;
	reads(jf_x86_64_call_op(fresh(), op, &call), "movq %rax, %r9; movl $305419896, %eax; callq *%rax");
	call = (struct jf_call){.kind = JF_CALL_BPF, .sixth = JF_REG_NONE, .address = ADDRESS, .stack_args = 7};
	reads(jf_x86_64_call_op(fresh(), op, &call), "callq -5");
	frame_of(&jf_x86_64_linux, SPEC(.tail_calls = true, .bpf_stack_bytes = 40));
	reads(jf_x86_64_call_op(fresh(), op, &call), "movq -56(%rbp), %rax; callq -12");
	frame_of(&jf_x86_64_user, SPEC(.tail_calls = true, .bpf_stack_bytes = 40));
	reads(jf_x86_64_call_op(fresh(), op, &call), "movq -16(%rbp), %rax; callq -9");
	frame_of(&jf_x86_64_linux, SPEC(.private_stack = true, .bpf_stack_bytes = 40));
	reads(jf_x86_64_call_op(fresh(), op, &call), "pushq %r9; callq -7; popq %r9");
	call = (struct jf_call){.kind = JF_CALL_C, .sixth = JF_BPF_FP, .address = ADDRESS};
	frame_of(&jf_x86_64_user, SPEC(.private_stack = true, .bpf_stack_bytes = 40));
	reads(jf_x86_64_call_op(fresh(), op, &call), "callq -5; movq -8(%rbp), %r9");
	check_all();
}

Test(body_x86_64, arguments)
{
	frame_of(&jf_x86_64_user, SPEC(.out_args = 7));
	reads(jf_argument_put(fresh(), OP(.code = 1, .src = 6)), "movq %rbx, %r9");
	reads(jf_argument_put(fresh(), OP(.code = 1, IMM(-2))), "movq $-2, %r9");
	reads(jf_argument_put(fresh(), OP(.code = 2, .src = 1)), "movq %rdi, (%rsp)");
	reads(jf_argument_put(fresh(), OP(.code = 7, IMM(9))), "movq $9, 40(%rsp)");
	reads(jf_argument_get(fresh(), OP(.code = 1, .dst = 6)), "movq %r9, %rbx");
	reads(jf_argument_get(fresh(), OP(.code = 2, .dst = 0)), "movq 16(%rbp), %rax");
	reads(jf_argument_get(fresh(), OP(.code = 7, .dst = 0)), "movq 56(%rbp), %rax");
	frame_of(&jf_x86_64_user, SPEC(.private_stack = true, .bpf_stack_bytes = 8));
	cr_expect_eq(jf_argument_get(fresh(), OP(.code = 1, .dst = 6)), JF_E_UNSUPPORTED);
	check_all();
}

Test(body_x86_64, tail_calls)
{
	const struct jf_op *op = OP(.opcode = 0x85);

	frame_of(&jf_x86_64_linux, SPEC(.tail_calls = true, .bpf_regs_used = 1 << 6));
	reads(jf_x86_64_tail_call(fresh(), op, 12),
	      "movl %edx, %edx; cmpl (%rsi), %edx; jae 36; movq -16(%rbp), %rax; cmpq $33, (%rax); jae 23; "
	      "movq 16(%rsi,%rdx,8), %rcx; testq %rcx, %rcx; je 13; addq $1, (%rax); popq %rbx; popq %rax; popq %rax; "
	      "addq $12, %rcx; jmpq *%rcx");
	frame_of(&jf_x86_64_user, SPEC(.tail_calls = true, .bpf_stack_bytes = 40, .bpf_regs_used = 1 << 6));
	reads(jf_x86_64_tail_call(fresh(), op, 16),
	      "movl %edx, %edx; cmpl (%rsi), %edx; jae 39; movq -24(%rbp), %rax; cmpq $33, (%rax); jae 29; "
	      "movq 16(%rsi,%rdx,8), %rcx; testq %rcx, %rcx; je 19; addq $1, (%rax); movq -16(%rbp), %rax; "
	      "leaq -8(%rbp), %rsp; popq %rbx; addq $16, %rcx; jmpq *%rcx");
	check_all();
}

/* Behind the exit the row is the body's again. */
Test(body_x86_64, rows_around_a_tail_call)
{
	const struct jf_row *before, *behind;

	frame_of(&jf_x86_64_user, SPEC(.tail_calls = true, .bpf_stack_bytes = 40, .bpf_regs_used = 1 << 6 | 1 << 7));
	fresh();
	for (unsigned int i = 0; i < frame.slot_count; i++)
		if (jf_frame_saved_mask(&frame) & 1u << i)
			jf_code_saved(&code, i);
	cr_assert_eq(jf_x86_64_tail_call(&body, OP(.opcode = 0x85), 16), JF_OK);
	cr_assert_eq(jf_x86_64_alu(&body, OP(.code = JF_ALU_NEG, .dst = 1)), JF_OK);
	before = jf_row_find(rows, code.row_count, 0);
	behind = jf_row_find(rows, code.row_count, (uint32_t)code.size - 1);
	cr_assert(before && behind && before != behind);
	cr_expect(jf_row_same(before, behind));
	cr_expect_eq(behind->saved, jf_frame_saved_mask(&frame));
}
