/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

#include <stdlib.h>

/*
 * How deep a function reaches into its BPF stack. Compilers make the address of a stack object as
 * R10 plus a negative constant and count upwards from there, so the lowest constant is what is needed.
 *
 * One look at the code in order, with the offset from R10 that each register holds. Where a jump
 * arrives, a register that ever held a stack address may hold any: from there on it is VAGUE. Moving a
 * vague one down, or using it below itself, makes the answer "all of it".
 */

#define NOT_STACK INT32_MAX
#define VAGUE (INT32_MAX - 1)

struct depth {
	int32_t off[JF_BPF_FP + 1]; /* offset from R10, or one of the above */
	uint16_t ever;              /* registers that ever held a stack address, bit per register */
	int32_t lowest;
	int32_t floor; /* -max */
	bool all;
};

static bool is_exact(int32_t off)
{
	return off != NOT_STACK && off != VAGUE;
}

static void reach(struct depth *d, int64_t off)
{
	if (off < d->lowest)
		d->lowest = off < -INT32_MAX / 2 ? -INT32_MAX / 2 : (int32_t)off;
}

static void set(struct depth *d, uint8_t reg, int64_t off)
{
	if (off < d->floor) {
		d->all = true;
		off = d->floor;
	}
	if (off > INT32_MAX / 2 && off != NOT_STACK)
		off = VAGUE;
	d->off[reg] = (int32_t)off;
}

static void access_memory(struct depth *d, uint8_t base, int16_t off)
{
	if (is_exact(d->off[base]))
		reach(d, (int64_t)d->off[base] + off);
	else if (d->off[base] == VAGUE && off < 0)
		d->all = true;
}

static void alu(struct depth *d, const struct jf_op *op)
{
	int32_t *dst = &d->off[op->dst];
	int64_t delta = op->code == JF_ALU_SUB ? -op->imm : op->imm;

	if (op->code == JF_ALU_MOV) {
		*dst = op->is_imm || op->sign ? NOT_STACK : d->off[op->src];
		return;
	}
	if ((op->code == JF_ALU_ADD || op->code == JF_ALU_SUB) && op->is_imm) {
		if (*dst == VAGUE && delta < 0)
			d->all = true;
		if (is_exact(*dst)) {
			reach(d, *dst + delta);
			set(d, op->dst, *dst + delta);
		}
		return;
	}
	/* An index added to an object's address, or one masked: upwards, by an amount not known. */
	if (*dst != NOT_STACK || (!op->is_imm && d->off[op->src] != NOT_STACK))
		*dst = op->code == JF_ALU_SUB && !op->is_imm && d->off[op->src] != NOT_STACK ? NOT_STACK : VAGUE;
}

static void one(struct depth *d, enum jf_op_kind kind, const struct jf_op *op)
{
	switch (kind) {
	case JF_OP_ALU:
		alu(d, op);
		break;
	case JF_OP_SWAP:
	case JF_OP_IMM64:
		d->off[op->dst] = NOT_STACK;
		break;
	case JF_OP_LOAD:
		access_memory(d, op->src, op->off);
		d->off[op->dst] = NOT_STACK; /* a spilled address is taken to be used upwards only */
		break;
	case JF_OP_STORE:
		access_memory(d, op->dst, op->off);
		break;
	case JF_OP_ATOMIC:
		access_memory(d, op->code == JF_ATOMIC_LOAD_ACQ ? op->src : op->dst, op->off);
		break;
	case JF_OP_CALL:
		for (unsigned int reg = JF_BPF_R0; reg <= JF_BPF_R5; reg++)
			d->off[reg] = NOT_STACK;
		break;
	default:
		break;
	}
}

/* Registers that ever hold a stack address: copies of copies of R10. */
static uint16_t stack_registers(const struct jf_unit *unit)
{
	const struct jf_function *function = unit->function;
	uint16_t set = 1u << JF_BPF_FP, before;

	do {
		before = set;
		for (uint32_t i = 0; i < function->insn_count; i++) {
			const struct jf_insn *insn = &function->insns[i];
			uint8_t class = JF_INSN_CLASS(insn->opcode);

			if (unit->flags[i] & JF_INSN_SECOND)
				continue;
			if ((class == JF_CLASS_ALU64 || class == JF_CLASS_ALU) && JF_INSN_SOURCE_X(insn->opcode) &&
			    set & 1u << jf_insn_src(insn))
				set |= (uint16_t)(1u << jf_insn_dst(insn));
		}
	} while (set != before);
	return set;
}

uint32_t jf_unit_stack(const struct jf_unit *unit, uint32_t max)
{
	const struct jf_function *function = unit->function;
	struct depth d = { .floor = -(int32_t)max };

	d.ever = stack_registers(unit);
	for (unsigned int reg = 0; reg < JF_BPF_FP; reg++)
		d.off[reg] = NOT_STACK;
	for (uint32_t i = 0; i < function->insn_count;) {
		enum jf_op_kind kind = jf_insn_kind(&function->insns[i]);
		struct jf_op op;

		if (unit->flags[i] & JF_INSN_TARGET)
			for (unsigned int reg = 0; reg < JF_BPF_FP; reg++)
				d.off[reg] = d.ever & 1u << reg ? VAGUE : NOT_STACK;
		i += jf_insn_decode(function->insns, i, &op);
		one(&d, kind, &op);
	}
	/* An offset below the limit is the program's own: the frame is refused for it, not cut to fit. */
	return d.all && (uint32_t)-d.lowest < max ? max : (uint32_t)-d.lowest;
}

enum jf_status jf_function_stack(const struct jf_function *function, uint32_t max, uint32_t *bytes)
{
	struct jf_usage usage = { 0 };
	struct jf_unit unit = { .function = function };
	enum jf_status status;

	if (!function || !bytes || max > INT32_MAX / 2)
		return JF_E_INVAL;
	unit.flags = calloc(function->insn_count ? function->insn_count : 1, 1);
	if (!unit.flags)
		return JF_E_NO_MEMORY;
	status = jf_unit_check(NULL, &unit, &usage, NULL);
	if (status == JF_OK) {
		uint32_t depth = jf_unit_stack(&unit, max);

		*bytes = depth < max ? depth : max;
	}
	free(unit.flags);
	return status;
}
