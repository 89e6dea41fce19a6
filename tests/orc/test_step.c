/* SPDX-License-Identifier: BSD-2-Clause */

/* One frame up at a time, on stacks that are arrays. */

#include "tables.h"

#include <string.h>

static const struct jf_orc_format *x86, *la;

/* The stack: word i is at STACK + 8 * i. */
#define STACK UINT64_C(0x10000)
#define WORDS 64

static uint64_t stack[WORDS];

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	memcpy(value, (const uint8_t *)stack + (address - STACK), sizeof(*value));
	return JF_OK;
}

static const struct jf_memory memory = {sizeof(memory), STACK, STACK + sizeof(stack), read_stack, NULL};

static void set_up(void)
{
	x86 = jf_orc_format_find(jf_backend_find("x86_64"), NULL);
	la = jf_orc_format_find(jf_backend_find("loongarch64"), NULL);
	for (unsigned int i = 0; i < WORDS; i++)
		stack[i] = 0xdead0000 + i;
}

TestSuite(orc_step, .init = set_up);

#define AT(word) (STACK + 8 * (word))

/* x86_64: SP 3, BP 4, R10 6, PREV_SP 8, SP_INDIRECT 9, BP_INDIRECT 10; loongarch64: PREV_SP 1, SP 2, FP 3. */

static void go(const struct jf_orc_format *format, struct jf_orc_entry entry, struct jf_orc_frame *frame)
{
	cr_assert_eq(jf_orc_step(format, &entry, &memory, frame), JF_OK, "at %#llx",
		     (unsigned long long)frame->fail_address);
}

static void stop(const struct jf_orc_format *format, struct jf_orc_entry entry, struct jf_orc_frame frame,
		 enum jf_status wanted)
{
	struct jf_orc_frame before = frame;
	enum jf_status status = jf_orc_step(format, &entry, &memory, &frame);

	cr_assert_eq(status, wanted, "%s, not %s", jf_status_name(status), jf_status_name(wanted));
	before.fail_address = frame.fail_address;
	cr_assert_eq(memcmp(&before, &frame, sizeof(frame)), 0);
}

static void frame_is(const struct jf_orc_frame *frame, uint64_t pc, uint64_t sp, uint64_t fp)
{
	cr_assert(frame->pc == pc && frame->sp == sp && frame->fp == fp, "pc %#llx, sp %#llx, fp %#llx",
		  (unsigned long long)frame->pc, (unsigned long long)frame->sp, (unsigned long long)frame->fp);
}

Test(orc_step, x86_64_calls)
{
	struct jf_orc_frame frame = {.pc = 0x1000, .sp = AT(0), .fp = AT(6), .interrupted = true};

	cr_assert_eq(jf_orc_lookup(x86, &frame), 0x1000);
	/* sp+16: one register pushed. */
	go(x86, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 3, .sp_off = 16}, &frame);
	frame_is(&frame, stack[1], AT(2), AT(6));
	cr_assert_eq(jf_orc_lookup(x86, &frame), stack[1] - 1);
	/* bp+16, with bp in front of the return address. */
	stack[6] = AT(20);
	go(x86, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 4, .sp_off = 16, .fp_reg = 8, .fp_off = -16},
	   &frame);
	frame_is(&frame, stack[7], AT(8), AT(20));
	/* A realigned stack: the CFA lies at bp-8, the old bp at bp. */
	stack[19] = AT(30);
	stack[20] = AT(40);
	go(x86, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 10, .sp_off = -8, .fp_reg = 4}, &frame);
	frame_is(&frame, stack[29], AT(30), AT(40));
	/* Another stack was switched to: [sp] + 8. */
	stack[30] = AT(50);
	go(x86, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 9, .sp_off = 8}, &frame);
	frame_is(&frame, stack[50], AT(51), AT(40));
	stop(x86, (struct jf_orc_entry){.type = JF_ORC_END_OF_STACK}, frame, JF_END);
}

Test(orc_step, x86_64_interrupts)
{
	struct jf_orc_frame frame = {.pc = 0x1000, .sp = AT(0), .fp = AT(6)};
	struct jf_orc_entry regs = {.type = JF_ORC_REGS, .sp_reg = 3, .signal = 1};
	struct jf_orc_entry partial = {.type = JF_ORC_REGS_PARTIAL, .sp_reg = 3, .signal = 1};
	struct jf_orc_entry by_r10 = {.type = JF_ORC_CALL, .sp_reg = 6, .sp_off = 99};

	stop(x86, by_r10, frame, JF_E_LOST);
	stack[4] = AT(33);    /* rbp */
	stack[7] = AT(32);    /* r10 */
	stack[16] = 0x123456; /* rip */
	stack[17] = 0x10;     /* cs */
	stack[19] = AT(22);   /* rsp */
	go(x86, regs, &frame);
	frame_is(&frame, 0x123456, AT(22), AT(33));
	cr_assert(frame.interrupted && jf_orc_lookup(x86, &frame) == 0x123456);
	cr_assert_eq(frame.context, AT(0));
	/* In the function that was interrupted R10 is what it was; the offset counts for nothing. */
	go(x86, by_r10, &frame);
	frame_is(&frame, stack[31], AT(32), AT(33));
	cr_assert_eq(frame.context, 0);
	stop(x86, by_r10, frame, JF_E_LOST);
	stack[32] = 0x654321;
	stack[33] = 0x10;
	stack[35] = AT(40);
	go(x86, partial, &frame);
	frame_is(&frame, 0x654321, AT(40), AT(33));
	stack[41] = 0x33;
	stop(x86, partial, frame, JF_END);
	stack[57] = 0x33;
	stop(x86, regs, (struct jf_orc_frame){.sp = AT(40)}, JF_END);
}

Test(orc_step, live_registers_count_in_the_first_frame)
{
	struct jf_regs live = {{0}};
	struct jf_orc_frame frame = {.pc = 0x1000, .sp = AT(0), .live = &live};
	struct jf_orc_entry by_r10 = {.type = JF_ORC_CALL, .sp_reg = 6};

	live.value[x86->codes[6].reg] = AT(12);
	go(x86, by_r10, &frame);
	frame_is(&frame, stack[11], AT(12), 0);
	stop(x86, by_r10, frame, JF_E_LOST);
}

Test(orc_step, loongarch64_calls)
{
	struct jf_orc_frame frame = {.pc = 0x1000, .sp = AT(0), .fp = AT(10), .ra = 0x2004, .ra_live = true};

	cr_assert_eq(jf_orc_lookup(la, &frame), 0x1000);
	/* Nothing stored yet: the link register has the return address, and is good for but one frame. */
	go(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2}, &frame);
	frame_is(&frame, 0x2000, AT(0), AT(10));
	cr_assert_eq(jf_orc_lookup(la, &frame), 0x2000);
	stop(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2}, frame, JF_E_LOST);
	stack[3] = 0x3004;
	go(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2, .sp_off = 32, .ra_reg = 1, .ra_off = -8},
	   &frame);
	frame_is(&frame, 0x3000, AT(4), AT(10));
	/* By fp: whatever the offset, CFA = fp. */
	stack[9] = 0x4004;
	stack[8] = AT(50);
	go(la,
	   (struct jf_orc_entry){.type = JF_ORC_CALL,
				 .sp_reg = 3,
				 .sp_off = 16,
				 .fp_reg = 1,
				 .fp_off = -16,
				 .ra_reg = 1,
				 .ra_off = -8},
	   &frame);
	frame_is(&frame, 0x4000, AT(10), AT(50));
	stop(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2, .ra_reg = 1, .ra_off = -8}, frame, JF_E_STUCK);
	stop(la, (struct jf_orc_entry){.type = JF_ORC_REGS_PARTIAL, .sp_reg = 2}, frame, JF_E_BAD_IMAGE);
}

Test(orc_step, loongarch64_interrupts)
{
	struct jf_orc_frame frame = {.pc = 0x1000, .sp = AT(0), .fp = AT(10)};
	struct jf_orc_entry regs = {.type = JF_ORC_REGS, .sp_reg = 2, .signal = 1};

	stack[1] = 0x5004;  /* ra */
	stack[3] = AT(48);  /* sp */
	stack[22] = AT(60); /* fp */
	stack[33] = 0x7000; /* era */
	stack[36] = 0;      /* prmd */
	go(la, regs, &frame);
	frame_is(&frame, 0x7000, AT(48), AT(60));
	go(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2}, &frame);
	frame_is(&frame, 0x5000, AT(48), AT(60));
	stack[36] = 3;
	stop(la, regs, (struct jf_orc_frame){.sp = AT(0)}, JF_END);
}

Test(orc_step, what_stops_a_walk)
{
	struct jf_orc_frame frame = {.pc = 0x1000, .sp = AT(10), .fp = AT(5)};
	struct jf_orc_entry entry = {.type = JF_ORC_UNDEFINED};

	stop(x86, entry, frame, JF_E_NO_ROW);
	entry.type = 5;
	stop(x86, entry, frame, JF_E_BAD_IMAGE);
	entry.type = JF_ORC_CALL;
	stop(x86, entry, frame, JF_E_BAD_IMAGE);
	entry.sp_reg = 16;
	stop(x86, entry, frame, JF_E_BAD_IMAGE);
	entry.sp_reg = 3;
	entry.sp_off = 8 * (WORDS - 9);
	stop(x86, entry, frame, JF_E_READ);
	entry.sp_off = -16 * 8;
	stop(x86, entry, frame, JF_E_READ);
	entry.sp_off = 0;
	stop(x86, entry, frame, JF_E_STUCK);
	entry.sp_off = 8;
	stack[10] = 0;
	stop(x86, entry, frame, JF_E_LOST);
	entry.sp_reg = 4;
	stop(x86, entry, frame, JF_E_STUCK);
	entry.fp_reg = 3;
	stop(x86, entry, frame, JF_E_BAD_IMAGE);
	stop(x86, entry, (struct jf_orc_frame){.fp = UINT64_MAX - 4}, JF_E_READ);
	frame.ra_live = true;
	stop(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2}, frame, JF_E_LOST);
	frame.ra = frame.pc;
	stop(la, (struct jf_orc_entry){.type = JF_ORC_CALL, .sp_reg = 2}, frame, JF_E_LOST);
	cr_assert_eq(jf_orc_step(NULL, &entry, &memory, &frame), JF_E_INVAL);
}

/* Any entries on any stack: no read outside, and an end. */
Test(orc_step, hostile_stacks, .timeout = 120)
{
	struct rng rng = {16};
	unsigned int longest = 0;

	for (unsigned int round = 0; round < 200000; round++) {
		const struct jf_orc_format *format = round & 1 ? x86 : la;
		struct jf_orc_frame frame = {.pc = rng_next(&rng), .ra = rng_next(&rng), .ra_live = true};
		unsigned int steps = 0;

		frame.sp = AT(rng_below(&rng, 8)) + (rng_below(&rng, 4) ? 0 : rng_below(&rng, 8));
		frame.fp = rng_below(&rng, 4) ? AT(rng_below(&rng, WORDS)) : rng_next(&rng);
		for (unsigned int i = 0; i < WORDS; i++)
			stack[i] = rng_below(&rng, 3) ? AT(rng_below(&rng, WORDS)) : rng_next(&rng);
		for (;;) {
			struct jf_orc_entry entry = orc_random_entry(format, &rng);

			entry.type = rng_below(&rng, 4) ? JF_ORC_CALL : entry.type;
			entry.sp_off = (int16_t)rng_below(&rng, 64);
			entry.fp_off = entry.ra_off = -8;
			entry.sp_reg = (uint8_t)(2 + rng_below(&rng, 3));
			entry.fp_reg = format == x86 ? 8 * (entry.fp_reg & 1) : entry.fp_reg & 1;
			entry.ra_reg = format == x86 ? 0 : entry.ra_reg & 1;
			if (jf_orc_step(format, &entry, &memory, &frame) != JF_OK)
				break;
			steps++;
			CHECK(steps <= 8 * WORDS + 8, "round %u does not end", round);
		}
		longest = steps > longest ? steps : longest;
	}
	CHECK(longest > 5, "only %u steps", longest);
}
