/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

/*
 * Which memory accesses go through arena pointers. Compilers put an address-space cast before each use
 * and plain loads and stores behind it; Linux's verifier rewrites those into a mode of their own. Here
 * a data flow over the function finds them: a register is an arena pointer from its cast on, through
 * copies, sums and spills to the BPF stack, until it is written otherwise. Where paths meet, it is one
 * if it is on any: no sound program has it both ways.
 */

#define STACK_WORDS 66 /* of 8 bytes: 512 and what timed may_goto adds */

struct flow {
	uint16_t regs; /* bit per BPF register */
	uint64_t spills[(STACK_WORDS + 63) / 64];
	bool reached;
};

static bool spill_word(const struct jf_insn *insn, uint8_t base, unsigned int *word)
{
	if (base != JF_BPF_FP || insn->off >= 0 || insn->off % 8 || jf_insn_bytes(insn->opcode) != 8)
		return false;
	*word = (unsigned int)-insn->off / 8;
	return *word < STACK_WORDS;
}

static void set_bit(uint64_t *words, unsigned int bit, bool on)
{
	if (on)
		words[bit / 64] |= UINT64_C(1) << bit % 64;
	else
		words[bit / 64] &= ~(UINT64_C(1) << bit % 64);
}

static bool get_bit(const uint64_t *words, unsigned int bit)
{
	return words[bit / 64] >> bit % 64 & 1;
}

static void set_reg(struct flow *f, uint8_t reg, bool arena)
{
	f->regs = (uint16_t)(arena ? f->regs | 1u << reg : f->regs & ~(1u << reg));
}

static bool has_reg(const struct flow *f, uint8_t reg)
{
	return f->regs & 1u << reg;
}

static void alu(struct flow *f, const struct jf_op *op)
{
	bool sum = op->code == JF_ALU_ADD || op->code == JF_ALU_SUB;

	if (op->code == JF_ALU_MOV)
		set_reg(f, op->dst, !op->is_imm && !op->sign && has_reg(f, op->src));
	else if (sum && !op->is_imm)
		set_reg(f, op->dst, has_reg(f, op->dst) || has_reg(f, op->src));
	else if (!sum)
		set_reg(f, op->dst, false);
}

/* The state behind one instruction, from that before it. */
static void step(struct flow *f, const struct jf_insn *insn, enum jf_op_kind kind, const struct jf_op *op)
{
	unsigned int word;

	switch (kind) {
	case JF_OP_ALU:
		alu(f, op);
		break;
	case JF_OP_CAST:
		set_reg(f, op->dst, op->imm == JF_CAST_TO_ARENA);
		break;
	case JF_OP_LOAD:
		set_reg(f, op->dst, spill_word(insn, op->src, &word) && get_bit(f->spills, word));
		break;
	case JF_OP_STORE:
		if (spill_word(insn, op->dst, &word))
			set_bit(f->spills, word, !op->is_imm && has_reg(f, op->src));
		break;
	case JF_OP_ATOMIC:
		if (op->code == JF_ATOMIC_LOAD_ACQ)
			set_reg(f, op->dst, false);
		else if (op->fetch)
			set_reg(f, op->code == JF_ATOMIC_CMPXCHG ? JF_BPF_R0 : op->src, false);
		break;
	case JF_OP_CALL:
	case JF_OP_CALL_REG:
		f->regs &= (uint16_t)~0x3f;
		break;
	case JF_OP_SWAP:
	case JF_OP_IMM64:
	case JF_OP_PER_CPU:
	case JF_OP_ARG_GET:
		set_reg(f, op->dst, false);
		break;
	default:
		break;
	}
}

/* returns: whether `to` has learnt anything. */
static bool join(struct flow *to, const struct flow *from)
{
	struct flow before = *to;

	to->reached = true;
	to->regs |= from->regs;
	for (unsigned int i = 0; i < sizeof(to->spills) / sizeof(to->spills[0]); i++)
		to->spills[i] |= from->spills[i];
	return memcmp(&before, to, sizeof(before)) != 0;
}

static uint8_t base_of(enum jf_op_kind kind, const struct jf_op *op)
{
	bool loads = kind == JF_OP_LOAD || (kind == JF_OP_ATOMIC && op->code == JF_ATOMIC_LOAD_ACQ);

	return loads ? op->src : op->dst;
}

/* One look at every reached instruction in order; jumps backwards make another one necessary. */
static bool look(struct jf_unit *unit, struct flow *flow)
{
	const struct jf_function *function = unit->function;
	bool again = false;
	struct jf_op op;

	for (uint32_t i = 0; i < function->insn_count;) {
		const struct jf_insn *insn = &function->insns[i];
		enum jf_op_kind kind = jf_insn_kind(insn);
		uint32_t next = i + jf_insn_decode(function->insns, i, kind, &op);
		bool jumps = kind == JF_OP_JUMP || kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_MAY_GOTO;
		struct flow after = flow[i];

		if (!flow[i].reached) {
			i = next;
			continue;
		}
		if ((kind == JF_OP_LOAD || kind == JF_OP_STORE || kind == JF_OP_ATOMIC) &&
		    has_reg(&flow[i], base_of(kind, &op)))
			unit->flags[i] |= JF_INSN_ARENA;
		step(&after, insn, kind, &op);
		if (jumps && join(&flow[op.target], &after))
			again |= op.target <= i;
		if (kind != JF_OP_JUMP_ALWAYS && kind != JF_OP_EXIT && next < function->insn_count)
			join(&flow[next], &after);
		i = next;
	}
	return again;
}

enum jf_status jf_unit_mark_arena(struct jf_unit *unit)
{
	struct flow *flow = calloc(unit->function->insn_count, sizeof(*flow));

	if (!flow)
		return JF_E_NO_MEMORY;
	flow[0].reached = true;
	while (look(unit, flow))
		;
	free(flow);
	return JF_OK;
}
