/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/unit.h"

#include "base/memory.h"

/*
 * How deep a function reaches into its BPF stack. Compilers make the address of a stack object as
 * R10 plus a negative constant and count upwards from there, so the lowest constant is what is needed.
 *
 * Looks at the code in order, with the offset from R10 that each register holds. Where a jump arrives, a
 * register that ever holds a stack address may hold any: from there on it is VAGUE, and so is what is
 * loaded from where an address was stored. Moving a vague one down, or using it below itself, makes the
 * answer "all of it". What "ever" and "was stored" mean is found by looking again until nothing is new.
 */

#define NOT_STACK   INT32_MAX
#define VAGUE       (INT32_MAX - 1)
#define SPILL_WORDS 64 /* of 8 bytes below R10 that are told apart */

struct depth {
	int32_t off[16]; /* by register: offset from R10, or one of the above; what is no register is NOT_STACK */
	int32_t lowest;
	int32_t floor; /* -max */
	bool all;
	/* Where stack addresses are found at any time: registers by bit, words of the stack, and elsewhere. */
	uint16_t ever;
	uint64_t spills;
	bool spills_vague; /* some word of the stack */
	bool spills_away;  /* in memory that is not the stack */
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
	if (off != NOT_STACK)
		d->ever |= (uint16_t)(1u << reg);
}

static void access_memory(struct depth *d, uint8_t base, int16_t off)
{
	if (is_exact(d->off[base]))
		reach(d, (int64_t)d->off[base] + off);
	else if (d->off[base] == VAGUE && off < 0)
		d->all = true;
}

/* The word of the stack at base + off. returns: false when that is none of those told apart. */
static bool spill_bit(const struct depth *d, uint8_t base, int16_t off, uint64_t *bit)
{
	int64_t at = is_exact(d->off[base]) ? (int64_t)d->off[base] + off : 0;

	if (at >= 0 || at < -8 * SPILL_WORDS || at % 8)
		return false;
	*bit = UINT64_C(1) << (-at / 8 - 1);
	return true;
}

/* Register `src` goes to memory. */
static void spill(struct depth *d, const struct jf_op *op)
{
	uint64_t bit;

	if (op->is_imm || d->off[op->src] == NOT_STACK)
		return;
	if (d->off[op->dst] == NOT_STACK)
		d->spills_away = true;
	else if (spill_bit(d, op->dst, op->off, &bit))
		d->spills |= bit;
	else
		d->spills_vague = true;
}

/* Register `reg` is loaded from base + off. */
static void fill(struct depth *d, uint8_t reg, uint8_t base, int16_t off)
{
	bool address = d->spills_vague;
	uint64_t bit;

	if (d->off[base] == NOT_STACK)
		address = d->spills_away;
	else if (spill_bit(d, base, off, &bit))
		address |= (d->spills & bit) != 0;
	else
		address |= d->spills != 0;
	set(d, reg, address ? VAGUE : NOT_STACK);
}

static void atomic(struct depth *d, const struct jf_op *op)
{
	uint8_t base = op->code == JF_ATOMIC_LOAD_ACQ ? op->src : op->dst;

	access_memory(d, base, op->off);
	if (op->code == JF_ATOMIC_LOAD_ACQ) {
		fill(d, op->dst, base, op->off);
		return;
	}
	spill(d, op);
	if (op->fetch)
		fill(d, op->code == JF_ATOMIC_CMPXCHG ? JF_BPF_R0 : op->src, base, op->off);
}

static void add(struct depth *d, const struct jf_op *op, int64_t delta)
{
	int32_t off = d->off[op->dst];

	if (off == VAGUE && delta < 0)
		d->all = true;
	if (!is_exact(off))
		return;
	reach(d, off + delta);
	set(d, op->dst, off + delta);
}

static void alu(struct depth *d, const struct jf_op *op)
{
	int32_t dst = d->off[op->dst], src = op->is_imm ? NOT_STACK : d->off[op->src];

	if (op->code == JF_ALU_MOV) {
		set(d, op->dst, op->sign ? NOT_STACK : src);
	} else if (op->is_imm && (op->code == JF_ALU_ADD || op->code == JF_ALU_SUB)) {
		add(d, op, op->code == JF_ALU_SUB ? -op->imm : op->imm);
	} else if (op->code == JF_ALU_SUB && src != NOT_STACK) {
		set(d, op->dst, NOT_STACK); /* a distance */
	} else if (dst != NOT_STACK || src != NOT_STACK) {
		/*
		 * An index added to an object's address goes upwards, by an amount not known. Above R10 itself
		 * there is nothing: what is added there goes down, as does what is taken off or masked out.
		 */
		d->all |= dst == 0 || src == 0 || op->code == JF_ALU_SUB || op->code == JF_ALU_AND;
		set(d, op->dst, VAGUE);
	}
}

static void one(struct depth *d, enum jf_op_kind kind, const struct jf_op *op)
{
	switch (kind) {
	case JF_OP_ALU: alu(d, op); break;
	case JF_OP_SWAP:
	case JF_OP_IMM64:
	case JF_OP_CAST:
	case JF_OP_PER_CPU:
	case JF_OP_ARG_GET: set(d, op->dst, NOT_STACK); break;
	case JF_OP_LOAD:
		access_memory(d, op->src, op->off);
		if (op->bytes == 8)
			fill(d, op->dst, op->src, op->off);
		else
			set(d, op->dst, NOT_STACK);
		break;
	case JF_OP_STORE:
		access_memory(d, op->dst, op->off);
		if (op->bytes == 8)
			spill(d, op);
		break;
	case JF_OP_ATOMIC: atomic(d, op); break;
	case JF_OP_CALL:
	case JF_OP_CALL_REG:
		for (uint8_t reg = JF_BPF_R0; reg <= JF_BPF_R5; reg++)
			set(d, reg, NOT_STACK);
		break;
	default: break;
	}
}

/* Another path arrives here: what it brings is not known. */
static void forget(struct depth *d)
{
	for (unsigned int reg = 0; reg < JF_BPF_FP; reg++)
		d->off[reg] = d->ever & 1u << reg ? VAGUE : NOT_STACK;
}

/* Whether an instruction has nothing to do with stack addresses, as most have not: it names no register
 * that has held one so far, and what it may load is none. */
static inline bool is_beside(const struct depth *d, const struct jf_insn *insn, enum jf_op_kind kind)
{
	return !(d->ever >> jf_insn_dst(insn) & 1) && !(d->ever >> jf_insn_src(insn) & 1) && !d->spills_away &&
	       kind != JF_OP_CALL && kind != JF_OP_CALL_REG && kind != JF_OP_ATOMIC;
}

/*
 * Loads and stores by an exact address that move no stack address to or from memory, as far as is known:
 * all there is to them is how deep they reach.
 */
static inline bool is_simple_access(struct depth *d, const struct jf_insn *insn, enum jf_op_kind kind)
{
	uint8_t dst = jf_insn_dst(insn), src = jf_insn_src(insn);
	bool load = kind == JF_OP_LOAD;
	int32_t off = d->off[load ? src : dst];
	uint8_t other = load ? dst : src;

	if ((!load && kind != JF_OP_STORE) || !is_exact(off) || d->spills || d->spills_vague ||
	    (JF_INSN_CLASS(insn->opcode) != JF_CLASS_ST && d->ever >> other & 1))
		return false;
	reach(d, (int64_t)off + insn->off);
	return true;
}

/* One look at the code. returns: whether stack addresses were found in new places. */
static bool look(struct depth *d, const struct jf_unit *unit)
{
	const struct jf_function *function = unit->function;
	const struct depth before = *d;

	d->lowest = 0;
	d->all = false;
	for (unsigned int reg = 0; reg < sizeof(d->off) / sizeof(d->off[0]); reg++)
		d->off[reg] = NOT_STACK;
	d->off[JF_BPF_FP] = 0;
	for (uint32_t i = 0; i < function->insn_count;) {
		const struct jf_insn *insn = &function->insns[i];
		enum jf_op_kind kind = jf_insn_kind(insn);
		struct jf_op op;

		if (unit->flags[i] & JF_INSN_TARGET)
			forget(d);
		if (is_beside(d, insn, kind) || is_simple_access(d, insn, kind)) {
			i += kind == JF_OP_IMM64 ? 2 : 1;
			continue;
		}
		i += jf_insn_decode(function->insns, i, kind, &op);
		one(d, kind, &op);
	}
	return d->ever != before.ever || d->spills != before.spills || d->spills_vague != before.spills_vague ||
	       d->spills_away != before.spills_away;
}

uint32_t jf_unit_stack(const struct jf_unit *unit, const struct jf_usage *usage, uint32_t max, uint32_t vague)
{
	struct depth d = {.floor = -(int32_t)max, .ever = 1u << JF_BPF_FP};

	if (!usage->fp_beside)
		return (uint32_t)-usage->fp_lowest;
	while (look(&d, unit))
		;
	/* An offset below the limit is the program's own: the frame is refused for it, not cut to fit. */
	vague = vague < max ? vague : max;
	return d.all && (uint32_t)-d.lowest < vague ? vague : (uint32_t)-d.lowest;
}

enum jf_status jf_function_stack(const struct jf_function *function, uint32_t max, uint32_t *bytes)
{
	struct jf_usage usage = {0};
	struct jf_unit unit = {.function = function};
	enum jf_status status;

	if (!function || !bytes || max > INT32_MAX / 2)
		return JF_E_INVAL;
	if (function->insn_count) {
		unit.flags = jf_calloc(function->insn_count, 1);
		if (!unit.flags)
			return JF_E_NO_MEMORY;
	}
	status = jf_unit_check(NULL, &unit, &usage, NULL);
	if (status == JF_OK) {
		uint32_t depth = jf_unit_stack(&unit, &usage, max, max);

		*bytes = depth < max ? depth : max;
	}
	jf_free(unit.flags);
	return status;
}
