/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

#include <criterion/criterion.h>

/* Constants and sums, by what the decoder says that the instructions do. */

#define LI_BYTES_MAX 26 /* of the longest constants */

static struct jf_code code;
static uint8_t bytes[64];

static void begin(void)
{
	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
}

static uint64_t extended(const struct jf_step *step, uint64_t value)
{
	return step->bytes == 4 ? (uint64_t)(int32_t)value : value;
}

static uint64_t result_of(const struct jf_step *step, const uint64_t *regs)
{
	uint64_t a = step->a == JF_REG_NONE ? 0 : regs[step->a];
	uint64_t b = step->b == JF_REG_NONE ? (uint64_t)step->imm : regs[step->b];

	switch (step->kind) {
	case JF_STEP_MOVE: return a + (uint64_t)step->imm;
	case JF_STEP_ADD: return extended(step, a + b);
	case JF_STEP_SHL: return a << b;
	case JF_STEP_SHR: return a >> b;
	default: cr_assert_fail("step of kind %u", step->kind); return 0;
	}
}

/* Runs what was emitted since begin(). */
static void run(uint64_t *regs)
{
	cr_assert_eq(jf_code_finish(&code), JF_OK);
	for (size_t at = 0; at < code.size;) {
		struct jf_effect effect;

		cr_assert_eq(jf_riscv64_decode(bytes + at, code.size - at, &effect), JF_OK);
		for (unsigned int i = 0; i < effect.step_count; i++)
			regs[effect.steps[i].dst] = result_of(&effect.steps[i], regs);
		at += effect.size_bytes;
	}
}

/* Each n-th value has its ones where those before have not. */
static uint64_t value_of(unsigned int n)
{
	uint64_t mixed = n * UINT64_C(0x9e3779b97f4a7c15), shift = n >> 4 & 63;

	switch (n & 7) {
	case 0: return UINT64_C(1) << shift;
	case 1: return (UINT64_C(1) << shift) - 1;
	case 2: return (UINT64_C(1) << shift) + (mixed & 0xfff) - 2048;
	case 3: return UINT64_MAX << shift;
	case 4: return mixed >> shift;
	case 5: return (uint64_t)((int64_t)mixed >> shift);
	case 6: return mixed << shift;
	default: return mixed;
	}
}

Test(constants_riscv64, are_what_was_asked_for)
{
	for (unsigned int n = 0; n < 200000; n++) {
		uint64_t regs[RV_REG_COUNT] = {0}, value = value_of(n);

		begin();
		jf_riscv64_li(&code, RV_A5, value);
		run(regs);
		cr_assert_eq(regs[RV_A5], value, "%#llx became %#llx", (unsigned long long)value,
			     (unsigned long long)regs[RV_A5]);
		cr_assert_leq(code.size, LI_BYTES_MAX, "%#llx", (unsigned long long)value);
	}
}

Test(constants_riscv64, short_ones_are_short)
{
	static const struct {
		uint64_t value;
		size_t bytes;
	} cases[] = {{0, 2},
		     {31, 2},
		     {32, 4},
		     {2047, 4},
		     {2048, 6},
		     {UINT64_C(-2048), 4},
		     {0x12345678, 8},
		     {0x12345000, 4},
		     {0x1f000, 2},
		     {UINT32_MAX, 6},
		     {UINT64_C(1) << 40, 4},
		     {UINT64_MAX, 2}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		jf_riscv64_li(&code, RV_T1, cases[i].value);
		cr_expect_eq(code.size, cases[i].bytes, "%#llx takes %zu bytes", (unsigned long long)cases[i].value,
			     code.size);
	}
}

Test(constants_riscv64, sums)
{
	for (unsigned int n = 0; n < 200000; n++) {
		uint64_t regs[RV_REG_COUNT] = {[RV_S0] = UINT64_C(0x123456789abcdef)}, value = value_of(n);
		unsigned int dst = n & 1 ? RV_S0 : RV_A0;

		begin();
		jf_riscv64_add_imm(&code, dst, RV_S0, (int64_t)value, RV_T1);
		run(regs);
		cr_assert_eq(regs[dst], UINT64_C(0x123456789abcdef) + value, "%#llx", (unsigned long long)value);
	}
}
