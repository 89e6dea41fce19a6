/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_insn.h"

/* What a look at a function finds out besides faults, and that every look ends. */

Test(check_usage, calls_through_a_register_go_where_the_program_says)
{
	const struct jf_insn insns[] = {INSN(0x8d, 6, 0, 0, 0), EXIT}, older[] = {INSN(0x8d, 0, 0, 0, 6), EXIT};
	struct jf_program with = program;
	struct jf_usage usage;
	struct jf_error error;

	with.call_register.address = 1;
	cr_assert_eq(check(insns, 2, &with, &usage, &error), JF_OK);
	cr_assert(usage.calls_register && !usage.throws && usage.calls == 1);
	with.call_register.throws = true;
	cr_assert_eq(check(older, 2, &with, &usage, &error), JF_OK);
	cr_assert(usage.calls_register && usage.throws);
}

Test(check_usage, usage_of_what_linux_added)
{
	const struct jf_insn cast[] = {INSN(0xbf, 1, 2, 1, 1), EXIT}, user[] = {INSN(0xbf, 1, 2, 1, 0x10000), EXIT};
	const struct jf_insn percpu[] = {INSN(0xbf, 1, 2, -1, 0), EXIT}, arena[] = {INSN(0xb9, 1, 2, 0, 0), EXIT};
	const struct jf_insn may_goto[] = {INSN(0xe5, 0, 0, -1, 0), EXIT};
	const struct jf_insn args[] = {LDX(DW, 1, 11, 16), LDX(DW, 1, 11, 8), ST(DW, 11, -24, 0), STX(DW, 11, 1, -8),
				       EXIT};
	struct jf_usage usage;
	struct jf_error error;

	cr_assert_eq(check(cast, 2, &program, &usage, &error), JF_OK);
	cr_assert(usage.arena && !usage.per_cpu && !usage.may_goto);
	cr_assert_eq(check(user, 2, &program, &usage, &error), JF_OK);
	cr_assert(usage.arena);
	cr_assert_eq(check(arena, 2, &program, &usage, &error), JF_OK);
	cr_assert(usage.arena);
	cr_assert_eq(check(percpu, 2, &program, &usage, &error), JF_OK);
	cr_assert(usage.per_cpu && !usage.arena);
	cr_assert_eq(check(may_goto, 2, &program, &usage, &error), JF_OK);
	cr_assert(usage.may_goto);
	cr_assert_eq(check(args, COUNT_OF(args), &program, &usage, &error), JF_OK);
	cr_assert_eq(usage.in_args, 2);
	cr_assert_eq(usage.out_args, 3);
}

Test(check_usage, usage_is_collected)
{
	const struct jf_insn none[] = {MOV_K(0, 0), EXIT};
	const struct jf_insn some[] = {
		STX(DW, 10, 6, -8), MOV_K(9, 0),      CALL_HELPER(0), CALL_HELPER(2),
		CALL_FUNCTION(1),   LDDW(8, 1, 0, 0), EXIT,
	};
	const struct jf_insn tail[] = {CALL_HELPER(12), EXIT};
	struct jf_usage usage;
	struct jf_error error;

	cr_assert_eq(check(none, 2, &program, &usage, &error), JF_OK);
	cr_assert_eq(usage.bpf_regs >> 6, 0);
	cr_assert_not(usage.throws || usage.tail_calls);
	cr_assert_eq(usage.calls, 0);
	cr_assert_eq(check(some, COUNT_OF(some), &program, &usage, &error), JF_OK);
	cr_assert_eq(usage.bpf_regs >> 6, 0x1d, "%x", usage.bpf_regs); /* R6, R8, R9, R10 */
	cr_assert(usage.throws && !usage.tail_calls);
	cr_assert_eq(usage.calls, 3);
	cr_assert_eq(check(tail, 2, &program, &usage, &error), JF_OK);
	cr_assert(usage.tail_calls && !usage.throws);
}

/* ---- every opcode with random fields: no crash, the same answer twice, decodable when accepted -------- */

static struct jf_insn random_insn(struct rng *rng, uint8_t opcode)
{
	static const int32_t imms[] = {0,  0,    0,    1,    -1,   2,    8,     16,    32,
				       64, 0x40, 0x50, 0xa0, 0xe1, 0xf1, 0x100, 0x110, INT32_MIN};
	static const int16_t offs[] = {0, 0, 0, 1, -1, 2, -2, 3, 8, 16, 32, INT16_MAX, INT16_MIN};
	struct jf_insn insn = {.opcode = opcode};

	insn.regs = rng_below(rng, 3) ? (uint8_t)rng_next(rng) : rng_below(rng, 2) ? (uint8_t)rng_below(rng, 11) : 0;
	insn.off = rng_below(rng, 8) ? offs[rng_below(rng, sizeof(offs) / sizeof(offs[0]))] : (int16_t)rng_next(rng);
	insn.imm = rng_below(rng, 8) ? imms[rng_below(rng, sizeof(imms) / sizeof(imms[0]))] : (int32_t)rng_next(rng);
	return insn;
}

static void check_decoded(const struct jf_insn *insns, uint32_t count)
{
	for (uint32_t i = 0; i < count;) {
		struct jf_op op;

		i += jf_insn_decode(insns, i, jf_insn_kind(&insns[i]), &op);
		CHECK(op.dst <= 11 && op.src <= 11 && op.index < count, "instruction %u", op.index);
	}
}

Test(check_usage, random_fields_for_every_opcode)
{
	struct rng rng = {11};
	unsigned int accepted[256] = {0};

	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		for (unsigned int round = 0; round < 2000; round++) {
			uint32_t count = 1 + rng_below(&rng, 6);
			struct jf_insn insns[6];
			struct jf_usage usage, usage2;
			struct jf_error error, error2;
			enum jf_status status;

			for (uint32_t i = 0; i < count; i++)
				insns[i] = random_insn(&rng, (uint8_t)opcode);
			if (rng_below(&rng, 2))
				insns[count - 1] = (struct jf_insn)EXIT;
			if (count > 2)
				insns[1] = (struct jf_insn){0};
			status = check(insns, count, &program, &usage, &error);
			CHECK(check(insns, count, &program, &usage2, &error2) == status, "opcode 0x%02x", opcode);
			CHECK(!memcmp(&usage, &usage2, sizeof(usage)), "opcode 0x%02x", opcode);
			CHECK(!memcmp(&error, &error2, sizeof(error)), "opcode 0x%02x", opcode);
			CHECK(status == JF_OK || status == BAD || status == UNSUPPORTED, "opcode 0x%02x: %d", opcode,
			      status);
			if (status == JF_OK) {
				check_decoded(insns, count);
				accepted[opcode]++;
			}
		}
	}
	/* The generator is worth something: it hits valid forms of most valid opcodes. */
	cr_assert(accepted[0x95] && accepted[0xbf] && accepted[0x07] && accepted[0x15] && accepted[0x79] &&
		  accepted[0x18] && accepted[0x85] && accepted[0xdb] && accepted[0xdc] && accepted[0x05] &&
		  accepted[0x7b]);
}
