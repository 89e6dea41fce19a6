/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"
#include "mc.h"

#include <criterion/criterion.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <string.h>

/*
 * Frames of riscv64/linux instruction by instruction, as arch/riscv/net/bpf_jit_comp64.c of Linux 7.3 puts them down
 * for processors with compressed instructions; and what riscv64/user does otherwise.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINUX        "riscv64/linux"
#define USER         "riscv64/user"
#define R6           (1u << 6)
#define R7           (1u << 7)
#define R8           (1u << 8)
#define R9           (1u << 9)
#define INSNS_MAX    80

#define NOPS  ".insn i 0x13, 0, x0, x0, 0; .insn i 0x13, 0, x0, x0, 0; "
#define FRESH "li a6, 33; "
#define SAVE_ALL                                                                                      \
	"sd ra, 104(sp); sd s0, 96(sp); sd s1, 88(sp); sd s2, 80(sp); sd s3, 72(sp); sd s4, 64(sp); " \
	"sd s5, 56(sp); sd s6, 48(sp); sd s7, 40(sp); sd s8, 32(sp); sd s9, 24(sp); sd s10, 16(sp); " \
	"sd s11, 8(sp); "
#define LOAD_ALL                                                                                      \
	"ld ra, 104(sp); ld s0, 96(sp); ld s1, 88(sp); ld s2, 80(sp); ld s3, 72(sp); ld s4, 64(sp); " \
	"ld s5, 56(sp); ld s6, 48(sp); ld s7, 40(sp); ld s8, 32(sp); ld s9, 24(sp); ld s10, 16(sp); " \
	"ld s11, 8(sp); "

static const struct {
	const char *target;
	struct jf_frame_spec spec;
	enum jf_part part;
	const char *text; /* instructions, separated by "; " */
} parts[] = {
	/* The least: no calls, so no return address. */
	{LINUX,
	 {.role = JF_ROLE_MAIN, .leaf = true},
	 JF_PART_PROLOGUE,
	 NOPS FRESH "addi sp, sp, -16; sd s0, 8(sp); sd a6, 0(sp); addi s0, sp, 16; "},
	{LINUX,
	 {.role = JF_ROLE_MAIN, .leaf = true},
	 JF_PART_EPILOGUE,
	 "ld s0, 8(sp); ld a6, 0(sp); addi sp, sp, 16; addiw a0, a5, 0; ret; "},
	/* Each slot only where it is used; s5 with a BPF stack. */
	{LINUX,
	 {.role = JF_ROLE_MAIN, .bpf_stack_bytes = 24, .bpf_regs_used = R6 | R9},
	 JF_PART_PROLOGUE,
	 NOPS FRESH "addi sp, sp, -80; sd ra, 72(sp); sd s0, 64(sp); sd s1, 56(sp); sd s4, 48(sp); sd s5, 40(sp); "
		    "sd a6, 32(sp); addi s0, sp, 80; addi s5, sp, 32; "},
	{LINUX,
	 {.role = JF_ROLE_SUBPROGRAM, .bpf_regs_used = R6 | R7 | R8 | R9, .arena = true},
	 JF_PART_PROLOGUE,
	 NOPS "addi sp, sp, -64; sd ra, 56(sp); sd s0, 48(sp); sd s1, 40(sp); sd s2, 32(sp); sd s3, 24(sp); "
	      "sd s4, 16(sp); sd s7, 8(sp); sd a6, 0(sp); addi s0, sp, 64; li s7, 21; slli s7, s7, 40; "},
	/* A tail call goes behind the two nops and the fresh count of the next program. */
	{LINUX,
	 {.role = JF_ROLE_SUBPROGRAM, .tail_calls = true},
	 JF_PART_TAIL_EXIT,
	 "ld ra, 24(sp); ld s0, 16(sp); ld a6, 8(sp); addi sp, sp, 32; jalr zero, 12(t3); "},
	/* The proposal: ra and fp first, then all of s1 to s11; the callback hangs its frame from a2. */
	{LINUX,
	 {.role = JF_ROLE_BOUNDARY, .bpf_stack_bytes = 16},
	 JF_PART_PROLOGUE,
	 NOPS FRESH "addi sp, sp, -128; sd ra, 120(sp); sd s0, 112(sp); sd s1, 104(sp); sd s2, 96(sp); sd s3, 88(sp); "
		    "sd s4, 80(sp); sd s5, 72(sp); sd s6, 64(sp); sd s7, 56(sp); sd s8, 48(sp); sd s9, 40(sp); "
		    "sd s10, 32(sp); sd s11, 24(sp); sd a6, 16(sp); addi s0, sp, 128; addi s5, sp, 16; "},
	{LINUX,
	 {.role = JF_ROLE_BOUNDARY},
	 JF_PART_PROLOGUE,
	 NOPS FRESH "addi sp, sp, -112; " SAVE_ALL "sd a6, 0(sp); addi s0, sp, 112; "},
	{LINUX, {.role = JF_ROLE_CALLBACK}, JF_PART_PROLOGUE, NOPS "mv s0, a2; addi sp, s0, -112; "},
	{LINUX,
	 {.role = JF_ROLE_CALLBACK, .bpf_stack_bytes = 512},
	 JF_PART_PROLOGUE,
	 NOPS "mv s0, a2; addi sp, s0, -624; addi s5, sp, 512; "},
	{LINUX,
	 {.role = JF_ROLE_CALLBACK},
	 JF_PART_EPILOGUE,
	 LOAD_ALL "ld a6, 0(sp); addi sp, sp, 112; addiw a0, a5, 0; ret; "},
	/* The save area first, however large the BPF stack; R10 by the frame pointer; all of R0. */
	{USER,
	 {.role = JF_ROLE_MAIN, .bpf_stack_bytes = 8192, .bpf_regs_used = R6},
	 JF_PART_PROLOGUE,
	 FRESH "addi sp, sp, -48; sd ra, 40(sp); sd s0, 32(sp); sd s1, 24(sp); sd s5, 16(sp); sd a6, 8(sp); "
	       "addi s0, sp, 48; lui t1, 1048574; add sp, sp, t1; addi s5, s0, -48; "},
	{USER,
	 {.role = JF_ROLE_MAIN, .bpf_stack_bytes = 8192, .bpf_regs_used = R6},
	 JF_PART_EPILOGUE,
	 "addi sp, s0, -48; ld ra, 40(sp); ld s0, 32(sp); ld s1, 24(sp); ld s5, 16(sp); ld a6, 8(sp); "
	 "addi sp, sp, 48; mv a0, a5; ret; "},
	/* Landing pads where a function and a tail call may be entered: both at multiples of 4 bytes. */
	{USER,
	 {.role = JF_ROLE_MAIN, .landing_pads = true},
	 JF_PART_PROLOGUE,
	 "auipc zero, 0; " FRESH "auipc zero, 0; addi sp, sp, -32; sd ra, 24(sp); sd s0, 16(sp); sd a6, 8(sp); "
	 "addi s0, sp, 32; "},
	{USER,
	 {.role = JF_ROLE_SUBPROGRAM, .landing_pads = true, .leaf = true},
	 JF_PART_PROLOGUE,
	 "auipc zero, 0; addi sp, sp, -16; sd ra, 8(sp); sd s0, 0(sp); addi s0, sp, 16; "},
	{USER,
	 {.role = JF_ROLE_SUBPROGRAM, .bpf_stack_bytes = 64, .private_stack = true},
	 JF_PART_PROLOGUE,
	 "addi sp, sp, -32; sd ra, 24(sp); sd s0, 16(sp); sd s5, 8(sp); addi s0, sp, 32; lui s5, 16; addiw s5, s5, 80; "
	 "ld t1, 24(tp); add s5, s5, t1; "},
};

static size_t add_cases(struct mc_case *cases, const struct jf_code *code, const char *text)
{
	size_t count = 0, off = 0;

	for (const char *at = text; *at; count++) {
		size_t length = strcspn(at, ";");
		const uint8_t *bytes = code->bytes + off;

		cr_assert(off < code->size && count < INSNS_MAX, "less code than %s", text);
		snprintf(cases[count].text, sizeof(cases[count].text), "%.*s", (int)length, at);
		cases[count].size = (bytes[0] & 3) == 3 ? 4 : 2;
		memcpy(cases[count].bytes, bytes, cases[count].size);
		off += cases[count].size;
		at += length + strspn(at + length, "; ");
	}
	cr_assert_eq(off, code->size, "more code than %s", text);
	return count;
}

Test(prologue_riscv64, instructions)
{
	static const struct jf_values values = {
		.arena_base = UINT64_C(0x150000000000), .private_stack = 0x10000, .private_stack_word = 24};
	static struct mc_case cases[INSNS_MAX];

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct jf_frame_spec spec = parts[i].spec;
		const struct jf_convention *conv;
		uint8_t bytes[512];
		struct jf_frame frame;
		struct jf_code code;
		struct jf_error error;

		spec.size = sizeof(spec);
		cr_assert_eq(jf_convention_find(parts[i].target, &conv, &error), JF_OK);
		cr_assert_eq(jf_frame_solve(conv, &spec, &frame, &error), JF_OK, "%s", error.text);
		jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
		cr_assert_eq(jf_frame_emit(&code, &frame, parts[i].part, &values), JF_OK);
		mc_check_assembles("riscv64-linux-gnu", "+m,+a,+f,+d,+c", cases,
				   add_cases(cases, &code, parts[i].text));
	}
}

/* R16: the same place for every program, a multiple of 4 bytes where there is a landing pad. */
Test(prologue_riscv64, tail_call_entries)
{
	static const struct {
		const char *target;
		bool landing_pads;
		uint32_t off;
	} entries[] = {{LINUX, false, 12}, {USER, false, 4}, {USER, true, 8}};

	for (size_t i = 0; i < COUNT(entries); i++) {
		struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
		const struct jf_convention *conv;
		uint32_t off;

		spec.landing_pads = entries[i].landing_pads;
		cr_assert_eq(jf_convention_find(entries[i].target, &conv, NULL), JF_OK);
		cr_assert_eq(jf_tail_entry_off(conv, &spec, &off), JF_OK);
		cr_expect_eq(off, entries[i].off, "%s: %u", entries[i].target, off);
	}
}
