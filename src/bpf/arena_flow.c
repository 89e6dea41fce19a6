/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/unit.h"

#include "base/memory.h"

#include <string.h>

/*
 * Which memory accesses go through arena pointers. Compilers put an address-space cast before each use
 * and plain loads and stores behind it; Linux's verifier rewrites those into a mode of their own. Here
 * a data flow over the function finds them: a register is an arena pointer from its cast on, through
 * copies, sums and spills to the BPF stack, until it is written otherwise. Where paths meet, it is one
 * if it is on any: no sound program has it both ways.
 */

#define STACK_WORDS  4097 /* of 8 bytes: as far as an offset reaches */
#define NO_SPILL     0xffff
#define SPILL_OPCODE (JF_CLASS_STX | JF_MODE_MEM | JF_SIZE_DW)

/* What is known in front of an instruction. */
struct flow {
	uint16_t regs; /* bit per BPF register */
	bool reached;
	bool queued;      /* to be followed from here: not what a path knows */
	uint64_t *spills; /* bit per word that the function spills registers to */
};

struct marker {
	struct jf_unit *unit;
	struct flow *flow; /* by instruction */
	struct flow now;   /* what is known at the present place */
	uint64_t *bits;    /* all spills */
	uint32_t words;    /* in one flow's spills */
	uint32_t *work;    /* instructions that a jump has brought something new to */
	uint32_t work_count;
	uint16_t bit_of[STACK_WORDS]; /* by words below R10; NO_SPILL: nothing is spilled there */
};

static bool stack_word(const struct jf_insn *insn, uint8_t base, unsigned int *word)
{
	if (base != JF_BPF_FP || insn->off >= 0 || insn->off % 8 || jf_insn_bytes(insn->opcode) != 8)
		return false;
	*word = (unsigned int)-insn->off / 8;
	return true;
}

static bool spill_bit(const struct marker *m, const struct jf_insn *insn, uint8_t base, unsigned int *bit)
{
	unsigned int word;

	if (!stack_word(insn, base, &word) || m->bit_of[word] == NO_SPILL)
		return false;
	*bit = m->bit_of[word];
	return true;
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
static void step(struct marker *m, const struct jf_insn *insn, enum jf_op_kind kind, const struct jf_op *op)
{
	struct flow *f = &m->now;
	unsigned int bit;

	switch (kind) {
	case JF_OP_ALU: alu(f, op); break;
	case JF_OP_CAST: set_reg(f, op->dst, op->imm == JF_CAST_TO_ARENA); break;
	case JF_OP_LOAD: set_reg(f, op->dst, spill_bit(m, insn, op->src, &bit) && get_bit(f->spills, bit)); break;
	case JF_OP_STORE:
		if (spill_bit(m, insn, op->dst, &bit))
			set_bit(f->spills, bit, !op->is_imm && has_reg(f, op->src));
		break;
	case JF_OP_ATOMIC:
		if (op->code == JF_ATOMIC_LOAD_ACQ)
			set_reg(f, op->dst, false);
		else if (op->fetch)
			set_reg(f, op->code == JF_ATOMIC_CMPXCHG ? JF_BPF_R0 : op->src, false);
		break;
	case JF_OP_CALL:
	case JF_OP_CALL_REG: f->regs &= (uint16_t)~0x3f; break;
	case JF_OP_SWAP:
	case JF_OP_IMM64:
	case JF_OP_PER_CPU:
	case JF_OP_ARG_GET: set_reg(f, op->dst, false); break;
	default: break;
	}
}

/* returns: whether anything was new there. */
static bool learn(struct marker *m, uint32_t index)
{
	struct flow *to = &m->flow[index];
	bool is_new = !to->reached || m->now.regs & ~to->regs;

	to->reached = true;
	to->regs |= m->now.regs;
	for (uint32_t i = 0; i < m->words; i++) {
		is_new |= (m->now.spills[i] & ~to->spills[i]) != 0;
		to->spills[i] |= m->now.spills[i];
	}
	return is_new;
}

static uint8_t base_of(enum jf_op_kind kind, const struct jf_op *op)
{
	bool loads = kind == JF_OP_LOAD || (kind == JF_OP_ATOMIC && op->code == JF_ATOMIC_LOAD_ACQ);

	return loads ? op->src : op->dst;
}

static void learn_by_jump(struct marker *m, uint32_t target)
{
	if (!learn(m, target) || m->flow[target].queued)
		return;
	m->flow[target].queued = true;
	m->work[m->work_count++] = target;
}

static void recall(struct marker *m, uint32_t index)
{
	m->now.regs = m->flow[index].regs;
	memcpy(m->now.spills, m->flow[index].spills, m->words * sizeof(*m->bits));
}

/* Goes on from instruction i in order, as long as that brings something new. */
static void follow(struct marker *m, uint32_t i)
{
	const struct jf_function *function = m->unit->function;
	bool goes_on = true;

	while (goes_on) {
		const struct jf_insn *insn = &function->insns[i];
		enum jf_op_kind kind = jf_insn_kind(insn);
		const struct jf_cleanup *record;
		struct jf_op op;
		uint32_t next = i + jf_insn_decode(function->insns, i, kind, &op);

		recall(m, i);
		if ((kind == JF_OP_LOAD || kind == JF_OP_STORE || kind == JF_OP_ATOMIC) &&
		    has_reg(&m->now, base_of(kind, &op)))
			m->unit->flags[i] |= JF_INSN_ARENA;
		step(m, insn, kind, &op);
		if (kind == JF_OP_JUMP || kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_MAY_GOTO)
			learn_by_jump(m, op.target);
		/* A throw out of the call: the callee may have changed what a return from it would show changed. */
		record = jf_cleanup_of_call(m->unit, kind, i);
		if (record)
			learn_by_jump(m, record->pad);
		goes_on = kind != JF_OP_JUMP_ALWAYS && kind != JF_OP_EXIT && next < function->insn_count &&
			  learn(m, next);
		i = next;
	}
}

/* Numbers the words that registers are spilled to. */
static void find_spills(struct marker *m)
{
	const struct jf_function *function = m->unit->function;
	uint32_t bits = 0;
	unsigned int word;

	memset(m->bit_of, 0xff, sizeof(m->bit_of));
	for (uint32_t i = 0; i < function->insn_count; i++) {
		const struct jf_insn *insn = &function->insns[i];

		if (m->unit->flags[i] & JF_INSN_SECOND || insn->opcode != SPILL_OPCODE ||
		    !stack_word(insn, jf_insn_dst(insn), &word) || m->bit_of[word] != NO_SPILL)
			continue;
		m->bit_of[word] = (uint16_t)bits++;
	}
	m->words = (bits + 63) / 64;
}

static enum jf_status mark(struct marker *m)
{
	uint32_t count = m->unit->function->insn_count;

	find_spills(m);
	m->flow = jf_calloc(count, sizeof(*m->flow));
	m->work = jf_alloc(count * sizeof(*m->work));
	m->bits = jf_calloc(((size_t)count + 1) * m->words + 1, sizeof(*m->bits));
	if (!m->flow || !m->work || !m->bits)
		return JF_E_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++)
		m->flow[i].spills = m->bits + (size_t)i * m->words;
	m->now.spills = m->bits + (size_t)count * m->words;
	m->work[m->work_count++] = 0;
	while (m->work_count) {
		uint32_t i = m->work[--m->work_count];

		m->flow[i].queued = false;
		follow(m, i);
	}
	return JF_OK;
}

enum jf_status jf_unit_mark_arena(struct jf_unit *unit)
{
	struct marker *m = jf_calloc(1, sizeof(*m));
	enum jf_status status = JF_E_NO_MEMORY;

	if (m) {
		m->unit = unit;
		status = mark(m);
		jf_free(m->flow);
		jf_free(m->work);
		jf_free(m->bits);
	}
	jf_free(m);
	return status;
}
