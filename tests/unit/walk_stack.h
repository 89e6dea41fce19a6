/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_WALK_STACK_H
#define JF_TESTS_WALK_STACK_H

#include "check.h"
#include "toy.h"

#include <string.h>

/*
 * Stacks as arrays. Three functions and an entry stub, each with rows by hand:
 *
 *     leaf    [0x100, 0x110)  0: CFA = sp, nothing saved    4: CFA = sp + 8, ra@-8    12: CFA = sp again
 *     middle  [0x200, 0x220)  CFA = sp + 32: ra@-8, s0@-16, f0@-24, cw@-32
 *     outer   [0x300, 0x320)  CFA = fp + 16: ra@-8, fp@-16, s1@-24
 *     entry   [0x400, 0x410)  C called BPF code here
 */
/* clang-format off */
#define RA_SLOT { JF_SLOT_RETURN, TOY_RA, 0, -8, 8 }
/* clang-format on */

static const struct jf_slot leaf_slots[] = {RA_SLOT};
static const struct jf_row leaf_rows[] = {
	{.code_off = 0, .cfa_reg = TOY_SP},
	{.code_off = 4, .cfa_reg = TOY_SP, .cfa_off = 8, .saved = 1},
	{.code_off = 12, .cfa_reg = TOY_SP},
};
static const struct jf_slot middle_slots[] = {
	RA_SLOT,
	{JF_SLOT_SAVE, TOY_S0, 0, -16, 8},
	{JF_SLOT_SAVE, TOY_F0, 0, -24, 8},
	{JF_SLOT_SAVE, TOY_CW, 0, -32, 8},
};
static struct jf_row middle_rows[] = {{.cfa_reg = TOY_SP, .cfa_off = 32, .saved = 15}};
static const struct jf_slot outer_slots[] = {
	RA_SLOT,
	{JF_SLOT_SAVE, TOY_FP, 0, -16, 8},
	{JF_SLOT_SAVE, TOY_S1, 0, -24, 8},
};
static const struct jf_row outer_rows[] = {{.cfa_reg = TOY_FP, .cfa_off = 16, .saved = 7}};

/* clang-format off */
#define RANGE(k, s, e, n, r, sl)                                                                          \
	{                                                                                                 \
		.size = sizeof(struct jf_range), .kind = k, .start = s, .end = e, .name = n,              \
		.backend = &toy_backend, .rows = r, .row_count = sizeof(r) / sizeof((r)[0]), .slots = sl, \
		.slot_count = sizeof(sl) / sizeof((sl)[0]),                                               \
	}
/* clang-format on */
static const struct jf_range ranges[] = {
	RANGE(JF_RANGE_SUBPROGRAM, 0x100, 0x110, "leaf", leaf_rows, leaf_slots),
	RANGE(JF_RANGE_SUBPROGRAM, 0x200, 0x220, "middle", middle_rows, middle_slots),
	RANGE(JF_RANGE_MAIN, 0x300, 0x320, "outer", outer_rows, outer_slots),
	{.size = sizeof(struct jf_range),
	 .kind = JF_RANGE_ENTRY,
	 .start = 0x400,
	 .end = 0x410,
	 .name = "entry",
	 .backend = &toy_backend},
};

/* leaf at its call, called by middle, by outer, by the entry stub. Word i is at LOW + 8 * i. */
#define LOW      UINT64_C(0x9000)
#define WORDS    16
#define AT(word) (LOW + 8 * (word))

struct stack {
	uint64_t word[WORDS];
	uint64_t reads[WORDS * 4]; /* addresses, in order */
	unsigned int read_count;
};

static const struct stack good = {.word = {
					  [0] = 0x210,              /* leaf: ra */
					  [1] = 0xffffffffffffbeef, /* middle: cw of the caller, 2 bytes of it */
					  [2] = 0xffffffff12345678, /* f0, 4 bytes of it */
					  [3] = 0x5050,             /* s0 */
					  [4] = 0x320,              /* ra: the call was outer's last instruction */
					  [5] = 0xaaaa,             /* outer: its own data */
					  [6] = 0x5151,             /* s1 */
					  [7] = 0xf0f0,             /* fp */
					  [8] = 0x404,              /* ra: into the entry stub */
				  }};
#define OUTER_FP AT(7)

static inline enum jf_status read_word(void *arg, uint64_t address, uint64_t *value)
{
	struct stack *stack = arg;

	cr_assert(address >= LOW && address <= AT(WORDS - 1) && address % 8 == 0, "read at %lx", address);
	stack->reads[stack->read_count++ % (WORDS * 4)] = address;
	*value = stack->word[(address - LOW) / 8];
	return JF_OK;
}

static inline struct jf_memory memory_of(struct stack *stack)
{
	return (struct jf_memory){
		.size = sizeof(struct jf_memory), .low = LOW, .high = AT(WORDS), .read = read_word, .arg = stack};
}

static inline struct jf_regs start_regs(void)
{
	struct jf_regs regs = {.value = {0}};

	for (unsigned int i = 0; i < TOY_REG__COUNT; i++)
		regs.value[i] = 0xc0de00 + i;
	regs.value[TOY_SP] = LOW;
	regs.value[TOY_FP] = OUTER_FP;
	return regs;
}

static inline void add_ranges(void)
{
	cr_assert_eq(jf_code_map_add_all(ranges, sizeof(ranges) / sizeof(ranges[0]), NULL), JF_OK);
}

/* The walk of the test, and the frame at which the walk stands. */
static struct jf_walk walk;
static const struct jf_walk_frame *frame;

static inline enum jf_status start_with(const struct jf_backend *backend, const struct jf_memory *memory,
					const struct jf_regs *regs, uint64_t pc, bool pc_is_return)
{
	jf_walk_end(&walk);
	memset(&walk, 0xee, sizeof(walk));
	frame = jf_walk_at(&walk);
	return jf_walk_start(&walk, backend, memory, regs, pc, pc_is_return);
}

static inline enum jf_status start(struct stack *stack, uint64_t pc, bool pc_is_return)
{
	struct jf_memory memory = memory_of(stack);
	struct jf_regs regs = start_regs();

	return start_with(&toy_backend, &memory, &regs, pc, pc_is_return);
}

static inline void check_reg(uint8_t reg, uint64_t wanted)
{
	uint64_t value = 0;

	CHECK(jf_walk_reg(&walk, reg, &value), "%s is not known in %s", toy_backend.regs[reg].name, frame->name);
	CHECK(value == wanted, "%s is %lx, not %lx", toy_backend.regs[reg].name, value, wanted);
}

static inline void check_unknown(uint8_t reg)
{
	uint64_t value = 77;

	CHECK(!jf_walk_reg(&walk, reg, &value), "%s is %lx, and should not be known", toy_backend.regs[reg].name,
	      value);
	CHECK(value == 77, "written");
}

#endif
