/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/unit.h"

#include "base/memory.h"

/*
 * Which 32-bit operations need not clear the upper half of their result, because nothing reads that half before the
 * register is written again. Looks at the function from its end, again and again until nothing is new: what is read
 * behind a jump backwards is known only then.
 */

#define PASSES_MAX 8 /* a function that takes more is left as it is */

struct liveness {
	const struct jf_unit *unit;
	uint16_t *read; /* by instruction: bit per register whose upper half is read there or later */
	bool is_new;
};

#define BIT(reg) ((uint16_t)(1u << (reg)))

/* R1 to R5 go to whatever is called, and R0 to R5 are lost there. */
#define ARGUMENTS 0x003e
#define CALLED    0x003f

/* The low half of a sum, a product, a mask or a shift to the left depends on low halves alone. */
static bool goes_upwards(uint8_t code)
{
	return code != JF_ALU_DIV && code != JF_ALU_SDIV && code != JF_ALU_MOD && code != JF_ALU_SMOD &&
	       code != JF_ALU_RSH && code != JF_ALU_ARSH;
}

static uint16_t before_alu(const struct jf_op *op, uint16_t read)
{
	bool is_read = read & BIT(op->dst) || !goes_upwards(op->code);
	bool is_shift = op->code == JF_ALU_LSH || op->code == JF_ALU_RSH || op->code == JF_ALU_ARSH;
	bool is_move = op->code == JF_ALU_MOV;

	read &= (uint16_t)~BIT(op->dst);
	if (!op->is64 || !is_read)
		return read;
	if (!is_move)
		read |= BIT(op->dst);
	if (!op->is_imm && !is_shift && !op->sign)
		read |= BIT(op->src);
	return read;
}

static uint16_t before_atomic(const struct jf_op *op, uint16_t read)
{
	if (op->code == JF_ATOMIC_LOAD_ACQ)
		return (uint16_t)((read & ~BIT(op->dst)) | BIT(op->src));
	if (op->fetch)
		read &= (uint16_t)~BIT(op->code == JF_ATOMIC_CMPXCHG ? JF_BPF_R0 : op->src);
	if (op->bytes == 8)
		read |= BIT(op->src) | (op->code == JF_ATOMIC_CMPXCHG ? BIT(JF_BPF_R0) : 0);
	return read | BIT(op->dst);
}

/* What is read from an instruction on, by what is read behind it. */
static uint16_t before(enum jf_op_kind kind, const struct jf_op *op, uint16_t read)
{
	uint16_t src = op->is_imm ? 0 : BIT(op->src);

	switch (kind) {
	case JF_OP_ALU: return before_alu(op, read);
	case JF_OP_SWAP: return op->bytes == 8 ? (uint16_t)(read | BIT(op->dst)) : (uint16_t)(read & ~BIT(op->dst));
	case JF_OP_IMM64:
	case JF_OP_ARG_GET: return (uint16_t)(read & ~BIT(op->dst));
	case JF_OP_CAST:
	case JF_OP_LOAD:
	case JF_OP_PER_CPU: return (uint16_t)((read & ~BIT(op->dst)) | BIT(op->src));
	case JF_OP_STORE: return (uint16_t)(read | BIT(op->dst) | (op->bytes == 8 ? src : 0));
	case JF_OP_ATOMIC: return before_atomic(op, read);
	case JF_OP_ARG_PUT: return read | src;
	case JF_OP_JUMP: return op->is64 ? (uint16_t)(read | BIT(op->dst) | src) : read;
	case JF_OP_JUMP_ALWAYS:
	case JF_OP_MAY_GOTO: return read;
	case JF_OP_CALL: return (uint16_t)((read & ~CALLED) | ARGUMENTS);
	case JF_OP_EXIT: return BIT(JF_BPF_R0);
	default: return UINT16_MAX; /* a call through any register */
	}
}

/* What is read behind the instruction, on every way from there. */
static uint16_t behind(const struct liveness *l, uint32_t index, enum jf_op_kind kind, const struct jf_op *op,
		       uint32_t next)
{
	uint32_t count = l->unit->function->insn_count;
	const struct jf_cleanup *record;
	uint16_t read = 0;

	if (kind == JF_OP_JUMP || kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_MAY_GOTO)
		read = op->target < count ? l->read[op->target] : UINT16_MAX;
	/* A throw out of a call goes to the call's pad. */
	record = jf_cleanup_of_call(l->unit, kind, index);
	if (record)
		read |= l->read[record->pad];
	if (kind != JF_OP_JUMP_ALWAYS && kind != JF_OP_EXIT)
		read |= next < count ? l->read[next] : UINT16_MAX;
	return read;
}

static void look(struct liveness *l, uint32_t index)
{
	const struct jf_insn *insns = l->unit->function->insns;
	enum jf_op_kind kind = jf_insn_kind(&insns[index]);
	struct jf_op op;
	uint32_t next = index + jf_insn_decode(insns, index, kind, &op);
	uint16_t later = behind(l, index, kind, &op, next), now = before(kind, &op, later);

	l->is_new |= now != l->read[index];
	l->read[index] = now;
	l->unit->flags[index] &= (uint8_t)~JF_INSN_UPPER_DEAD;
	if (kind == JF_OP_ALU && !op.is64 && !(later & BIT(op.dst)))
		l->unit->flags[index] |= JF_INSN_UPPER_DEAD;
}

static void look_at_all(struct liveness *l)
{
	l->is_new = false;
	for (uint32_t i = l->unit->function->insn_count; i-- > 0;)
		if (!(l->unit->flags[i] & JF_INSN_SECOND))
			look(l, i);
}

enum jf_status jf_unit_mark_upper(struct jf_unit *unit)
{
	uint32_t count = unit->function->insn_count;
	struct liveness l = {.unit = unit, .read = jf_calloc(count, sizeof(*l.read)), .is_new = true};

	if (!l.read)
		return JF_E_NO_MEMORY;
	for (unsigned int pass = 0; l.is_new && pass < PASSES_MAX; pass++)
		look_at_all(&l);
	for (uint32_t i = 0; l.is_new && i < count; i++)
		unit->flags[i] &= (uint8_t)~JF_INSN_UPPER_DEAD;
	jf_free(l.read);
	return JF_OK;
}
