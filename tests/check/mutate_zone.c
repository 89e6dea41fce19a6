/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutate.h"

/* Instructions put in: into the zones of a body, and at the prologue's ends. */

static struct assembler zone(struct subject *s, enum zone n)
{
	struct assembler as = {s->code + s->zones[n].start, s->code + s->zones[n].end};

	edit_nops(s, s->zones[n].start, s->zones[n].end);
	return as;
}

static uint8_t scratch(const struct subject *s)
{
	return s->conv->bpf_reg[JF_BPF_R0];
}

static bool has_zones(const struct subject *s)
{
	return s->zones[0].end > s->zones[0].start;
}

/* ---- stores into the frame --------------------------------------------------------------------------------- */

/* Slot n / 4 from FP or from SP, on one path or on all. */
static enum mutated store_to_slot(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;
	const struct jf_slot *slot = &s->frame.slots[n / 4];
	bool by_sp = n & 2;
	struct assembler as;

	(void)insns;
	if (!has_zones(s) || n / 4 >= s->frame.slot_count)
		return MUTATIONS_END;
	if (slot->kind != JF_SLOT_SAVE && slot->kind != JF_SLOT_RETURN)
		return MUTATION_UNFIT;
	as = zone(s, n & 1);
	return asm_store(&as, backend, scratch(s), by_sp ? backend->sp : backend->fp,
			 by_sp ? slot->off_from_cfa + (int32_t)s->frame.size_bytes :
				 slot->off_from_cfa - s->conv->fp_off_from_cfa) ?
		       MUTATED :
		       MUTATION_UNFIT;
}

/* Half of a slot, and half of what lies below it. */
static enum mutated store_across_slot(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;
	const struct jf_slot *slot = &s->frame.slots[n];
	struct assembler as;

	(void)insns;
	if (!has_zones(s) || n >= s->frame.slot_count)
		return MUTATIONS_END;
	if (slot->kind != JF_SLOT_SAVE && slot->kind != JF_SLOT_RETURN)
		return MUTATION_UNFIT;
	as = zone(s, ZONE_SIDE);
	return asm_store(&as, backend, scratch(s), backend->fp, slot->off_from_cfa - 4 - s->conv->fp_off_from_cfa) ?
		       MUTATED :
		       MUTATION_UNFIT;
}

static enum mutated touch_below_sp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t below[] = {136, 200, 256};
	const struct jf_backend *backend = s->conv->backend;
	struct assembler as;
	bool done;

	(void)insns;
	if (!has_zones(s) || n >= 12)
		return MUTATIONS_END;
	as = zone(s, n & 1);
	done = n & 2 ? asm_store(&as, backend, scratch(s), backend->sp, -below[n / 4]) :
		       asm_load(&as, backend, scratch(s), backend->sp, -below[n / 4]);
	return done ? MUTATED : MUTATION_UNFIT;
}

/* ---- registers ------------------------------------------------------------------------------------------------ */

static enum mutated add_in_zone(struct subject *s, unsigned int n, uint8_t reg, int32_t by, bool put_back)
{
	const struct jf_backend *backend = s->conv->backend;
	struct assembler as;

	if (!has_zones(s))
		return MUTATIONS_END;
	as = zone(s, n & 1);
	if (!asm_add(&as, backend, reg, reg, by) || (put_back && !asm_add(&as, backend, reg, reg, -by)))
		return MUTATION_UNFIT;
	return MUTATED;
}

static enum mutated write_fp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {8, -16};

	(void)insns;
	return n < 4 ? add_in_zone(s, n, s->conv->backend->fp, by[n / 2], false) : MUTATIONS_END;
}

static enum mutated borrow_fp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	return n < 2 ? add_in_zone(s, n, s->conv->backend->fp, 16, true) : MUTATIONS_END;
}

static enum mutated lower_sp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {-8, -24, -4};

	(void)insns;
	return n < 6 ? add_in_zone(s, n, s->conv->backend->sp, by[n / 2], false) : MUTATIONS_END;
}

static enum mutated borrow_sp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	(void)insns;
	return n < 2 ? add_in_zone(s, n, s->conv->backend->sp, -16, true) : MUTATIONS_END;
}

static enum mutated push(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;
	struct assembler as;

	(void)insns;
	if (!has_zones(s) || n >= 2)
		return MUTATIONS_END;
	as = zone(s, n);
	return asm_add(&as, backend, backend->sp, backend->sp, -16) &&
			       asm_store(&as, backend, scratch(s), backend->sp, 0) ?
		       MUTATED :
		       MUTATION_UNFIT;
}

static enum mutated write_reg(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;
	uint8_t reg = (uint8_t)(n / 2);

	(void)insns;
	if (reg >= backend->reg_count)
		return MUTATIONS_END;
	if (backend->regs[reg].cls != JF_REG_INT || reg == backend->ra || reg == backend->sp || reg == backend->fp ||
	    backend->regs[reg].flags & JF_REG_RESERVED || backend->regs[reg].name[0] == 'z')
		return MUTATION_UNFIT;
	return add_in_zone(s, n, reg, 32, false);
}

static enum mutated write_bpf_fp(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {8, -8, 16, -16};

	(void)insns;
	if (n >= 8 || !s->frame.bpf_stack_bytes)
		return MUTATIONS_END;
	return add_in_zone(s, n, s->conv->bpf_reg[JF_BPF_FP], by[n / 2], false);
}

/* A tail call counted in passing, which nobody makes: as one is that finds no program. */
static enum mutated count_tail_call(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	const struct jf_backend *backend = s->conv->backend;
	const struct jf_frame *frame = &s->frame;
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE),
	    ptr = jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE);
	bool by_value = s->conv->count_form == JF_COUNT_BY_VALUE;
	uint8_t address = s->conv->count_reg, count = by_value ? s->conv->count_reg : s->conv->bpf_reg[JF_BPF_AX];
	int slot = by_value ? tcc : ptr;
	struct assembler as;

	(void)insns;
	if (!has_zones(s) || n >= 2)
		return MUTATIONS_END;
	if (!frame->spec.tail_calls)
		return MUTATION_UNFIT;
	as = zone(s, n);
	if (slot >= 0 &&
	    !asm_load(&as, backend, address, backend->fp, frame->slots[slot].off_from_cfa - s->conv->fp_off_from_cfa))
		return MUTATION_UNFIT;
	if (!by_value && !asm_load(&as, backend, count, address, 0))
		return MUTATION_UNFIT;
	if (!asm_add(&as, backend, count, count, s->conv->count_start ? -1 : 1))
		return MUTATION_UNFIT;
	return asm_store(&as, backend, count, by_value ? backend->fp : address,
			 by_value ? frame->slots[slot].off_from_cfa - s->conv->fp_off_from_cfa : 0) ?
		       MUTATED :
		       MUTATION_UNFIT;
}

/* ---- the prologue's ends --------------------------------------------------------------------------------------- */

static enum mutated insert_add(struct subject *s, uint32_t off, uint8_t reg, uint8_t from, int32_t imm)
{
	uint8_t bytes[16];
	struct assembler as = {bytes, bytes + sizeof(bytes)};

	if (!asm_add(&as, s->conv->backend, reg, from, imm))
		return MUTATION_UNFIT;
	edit_insert(s, off, bytes, (uint32_t)(as.at - bytes), true);
	return MUTATED;
}

/* The function's start: a landing pad has to stay the first instruction. */
static uint32_t after_pad(const struct insn_list *insns)
{
	return insns->effect[0].flags & JF_EFFECT_LANDING_PAD ? insns->off[1] : 0;
}

static enum mutated lose_cookie(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {8, -8, 1};
	uint8_t reg = s->conv->bpf_reg[JF_BPF_R1];

	(void)insns;
	return n < 3 ? insert_add(s, s->marks[JF_MARK_BODY], reg, reg, by[n]) : MUTATIONS_END;
}

/* The arguments in another order: FP from where SP is, or from the cookie. */
static enum mutated mix_arguments(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const uint8_t pairs[][2] = {{2, 1}, {2, 0}, {2, 3}};
	const uint8_t *args = s->conv->backend->args;

	if (n >= 3)
		return MUTATIONS_END;
	return insert_add(s, after_pad(insns), args[pairs[n][0]], args[pairs[n][1]], 0);
}

static enum mutated shift_argument(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	static const int32_t by[] = {8, -8, 16, -16};
	uint8_t reg = s->conv->backend->args[2];

	return n < 4 ? insert_add(s, after_pad(insns), reg, reg, by[n]) : MUTATIONS_END;
}

/* FP found from SP, or SP from FP, at the distance that they have in this one boundary. */
static enum mutated size_for_boundary(struct subject *s, const struct insn_list *insns, unsigned int n)
{
	int32_t distance = s->boundary.landing_sp_off_from_cfa - s->conv->fp_off_from_cfa;
	const uint8_t *args = s->conv->backend->args;

	if (n >= 2)
		return MUTATIONS_END;
	s->any_boundary = true;
	if (n == 0)
		return insert_add(s, after_pad(insns), args[2], args[1], -distance);
	if (s->conv->landing != JF_LANDING_RESTORE)
		return MUTATION_UNFIT;
	return insert_add(s, after_pad(insns), args[1], args[2], distance);
}

const struct operator zone_operators[] = {
	{"a store into a save slot", RULE(6), ON_ALL, false, false, store_to_slot},
	{"a store across a save slot's end", RULE(6), ON_ALL, false, false, store_across_slot},
	{"an access below SP", RULE(8), ON_ALL, false, false, touch_below_sp},
	{"the frame pointer written", RULE(2) | RULE(10), ON_ALL, false, false, write_fp},
	{"the frame pointer written and put back", RULE(2) | RULE(10), ON_ALL, false, false, borrow_fp},
	{"SP moved", 0, ON_ALL, false, false, lower_sp},
	{"SP moved and put back", 0, ON_ALL, false, false, borrow_sp},
	{"a push", 0, ON_ALL, false, false, push},
	{"a register written", 0, ON_ALL, false, false, write_reg},
	{"R10 written", 0, ON_ALL, false, false, write_bpf_fp},
	{"a tail call counted that is not taken", RULE(29), ON_MAIN | ON_SUB | ON_BOUNDARY, false, false,
	 count_tail_call},
	{"the cookie changed", RULE(13), ON_CALLBACK, false, false, lose_cookie},
	{"a callback's arguments mixed up", RULE(13) | RULE(4) | RULE(5), ON_CALLBACK, false, false, mix_arguments},
	{"a callback's FP off", RULE(13) | RULE(4) | RULE(5), ON_CALLBACK, false, false, shift_argument},
	{"a callback's frame sized for one boundary", RULE(4) | RULE(5) | RULE(12), ON_CALLBACK, true, false,
	 size_for_boundary},
};
const unsigned int zone_operator_count = sizeof(zone_operators) / sizeof(zone_operators[0]);
