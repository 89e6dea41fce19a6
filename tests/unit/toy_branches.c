/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_branches.h"

struct run *branches_run(const struct jf_insn *insns, uint32_t count)
{
	const struct jf_function function = {"main", insns, count};
	const struct jf_program program = run_program(&function, 1, -1);
	struct run *run = run_new(&toy_plain, &program, NULL);

	run->walk_everywhere = false;
	return run;
}

uint32_t branches_size(const struct run *run, uint32_t i)
{
	const uint32_t *off = jf_image_function_at(run->image, 0)->insn_off;

	return off[i + 1] - off[i];
}

#define LENGTH_MAX (BRANCHES_MAX - 8)

uint64_t branches_interpret(const struct jf_insn *insns, uint64_t arg)
{
	uint64_t reg[11] = {[1] = arg};

	for (uint32_t i = 0;; i++) {
		const struct jf_insn *insn = &insns[i];
		unsigned int dst = insn->regs & 15, src = insn->regs >> 4;

		switch (insn->opcode) {
		case 0xb7: reg[dst] = (uint64_t)(int64_t)insn->imm; break;
		case 0x0f: reg[dst] += reg[src]; break;
		case 0xaf: reg[dst] ^= reg[src]; break;
		case 0x27: reg[dst] *= (uint64_t)(int64_t)insn->imm; break;
		case 0x18:
			reg[dst] = (uint32_t)insn->imm | (uint64_t)(uint32_t)insn[1].imm << 32;
			i++;
			break;
		case 0x05: i += (uint32_t)insn->off; break;
		case 0x06: i += (uint32_t)insn->imm; break;
		case 0x25: i += reg[dst] > (uint64_t)(int64_t)insn->imm ? (uint32_t)insn->off : 0; break;
		case 0x4d: i += reg[dst] & reg[src] ? (uint32_t)insn->off : 0; break;
		case 0xc6: i += (int32_t)reg[dst] < insn->imm ? (uint32_t)insn->off : 0; break;
		default: return reg[0];
		}
	}
}

static struct jf_insn random_insn(struct rng *rng)
{
	unsigned int dst = rng_below(rng, 5), src = rng_below(rng, 5);

	switch (rng_below(rng, 11)) {
	case 0: return (struct jf_insn)MOV_K(dst, (int32_t)rng_next(rng));
	case 1: return (struct jf_insn)ALU64_K(MUL, dst, 3 + 2 * rng_below(rng, 100000));
	case 2: return (struct jf_insn)ALU64_X(XOR, dst, src);
	case 3:
	case 4: return (struct jf_insn)ADD_X(dst, src);
	case 5: return (struct jf_insn)INSN(0x18, dst, 0, 0, (int32_t)rng_next(rng));
	case 6: return (struct jf_insn)JA(0);
	case 7: return (struct jf_insn)JAL(0);
	case 8: return (struct jf_insn)J_K(JGT, dst, (int32_t)rng_next(rng), 0);
	case 9: return (struct jf_insn)J_X(JSET, dst, src, 0);
	default: return (struct jf_insn)J32_K(JSLT, dst, (int32_t)rng_next(rng), 0);
	}
}

uint32_t branches_random(struct rng *rng, struct jf_insn *insns)
{
	uint32_t count = 30 + rng_below(rng, LENGTH_MAX - 40);

	for (unsigned int i = 0; i < 5; i++)
		insns[i] = (struct jf_insn)MOV_K(i, (int32_t)rng_next(rng));
	for (uint32_t i = 5; i < count; i++) {
		insns[i] = random_insn(rng);
		if (insns[i].opcode == 0x18)
			insns[++i] = (struct jf_insn)INSN(0, 0, 0, 0, (int32_t)rng_next(rng));
	}
	count += insns[count - 1].opcode == 0x18;
	/* A wide one at the end may have put its second half behind it. */
	while (count < LENGTH_MAX - 1 && insns[count - 1].opcode == 0x18)
		count++;
	insns[count] = (struct jf_insn)EXIT;
	for (uint32_t i = 5; i < count; i++) {
		uint8_t opcode = insns[i].opcode;
		uint32_t off, reach = rng_below(rng, 4) ? 40 : 200;

		if (opcode == 0x18) {
			i++;
			continue;
		}
		if (opcode != 0x05 && opcode != 0x06 && (opcode & 7) != 5 && (opcode & 7) != 6)
			continue;
		off = rng_below(rng, reach < count - i ? reach : count - i);
		if (insns[i + off].opcode == 0x18 && off)
			off--;
		while (off && insns[i + 1 + off].opcode == 0)
			off--;
		if (opcode == 0x06)
			insns[i].imm = (int32_t)off;
		else
			insns[i].off = (int16_t)off;
	}
	return count + 1;
}

#define LAST (BRANCHES_FAR - 1)

void branches_far(struct rng *rng, struct jf_insn *insns, bool backwards)
{
	for (uint32_t i = 0; i < 5; i++)
		insns[i] = (struct jf_insn)MOV_K(i, (int32_t)rng_next(rng));
	for (uint32_t i = 5; i < LAST; i++) {
		uint32_t left = LAST - 1 - i, off;

		insns[i] = (struct jf_insn)ADD_X(rng_below(rng, 5), rng_below(rng, 5));
		if (i % 40)
			continue;
		if (rng_below(rng, 2))
			insns[i] = (struct jf_insn)JA(0);
		else
			insns[i] = (struct jf_insn)J_K(JGT, rng_below(rng, 5), (int32_t)rng_next(rng), 0);
		switch (rng_below(rng, 3)) {
		case 0: off = rng_below(rng, 80); break;
		case 1: off = 14000 + rng_below(rng, 2000); break;
		default: off = rng_below(rng, 20000);
		}
		if (backwards && rng_below(rng, 2))
			insns[i].off = (int16_t) - (int)(off < i ? off : i);
		else
			insns[i].off = (int16_t)(off < left ? off : left);
	}
	insns[LAST] = (struct jf_insn)EXIT;
}
