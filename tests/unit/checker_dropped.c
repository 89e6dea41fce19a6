/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "check.h"
#include "checker.h"
#include "conventions.h"

#include <string.h>

/*
 * Every instruction that stores or loads a caller's register, replaced by one that does nothing: the rule that needs
 * the register is broken. On all conventions, roles, with and without tail calls and an arena.
 */

static void put_nop(const struct jf_backend *backend, uint8_t *bytes, size_t size)
{
	const struct arch *arch = arch_named(backend->name);

	for (size_t k = 0; k < size; k++)
		bytes[k] = arch->nop[k % arch->nop_bytes];
}

static bool is_kept(const struct emitted *e, uint8_t reg)
{
	const struct jf_backend *backend = e->frame.conv->backend;

	return reg == backend->ra || (reg < backend->reg_count && jf_frame_slot(&e->frame, JF_SLOT_SAVE, reg) >= 0);
}

/* What one instruction moves between a save slot and its register. */
struct moved {
	bool stores, loads, record;
};

static struct moved moves(const struct emitted *e, const struct jf_effect *effect)
{
	const struct jf_backend *backend = e->frame.conv->backend;
	struct moved moved = {false, false, false};

	for (unsigned int i = 0; i < effect->step_count; i++) {
		const struct jf_step *step = &effect->steps[i];
		uint8_t reg = step->kind == JF_STEP_STORE ? step->c :
			      step->kind == JF_STEP_LOAD  ? step->dst :
							    JF_REG_NONE;

		if (!is_kept(e, reg) || (reg != backend->ra && !(backend->regs[reg].flags & JF_REG_CALLEE_SAVED)))
			continue;
		moved.stores |= step->kind == JF_STEP_STORE;
		moved.loads |= step->kind == JF_STEP_LOAD;
		moved.record |= reg == backend->fp || reg == backend->ra;
	}
	return moved;
}

/* One of these has to be broken. */
static uint32_t rules_for(const struct emitted *e, size_t off, const struct moved *moved)
{
	bool tail_exit = e->input.from_body_count && off >= e->tail_exit_off;

	if (moved->stores && moved->record)
		return 1u << 1;
	if (moved->stores && e->frame.spec.role == JF_ROLE_BOUNDARY)
		return 1u << 3;
	return tail_exit ? 1u << 16 : 1u << 5;
}

static void drop_each(const struct jf_convention *conv, const struct jf_frame_spec *spec, unsigned int *dropped)
{
	static struct emitted e;
	struct jf_check_report report = {.size = sizeof(report)};
	struct jf_effect effect;
	uint8_t saved[16];

	if (!emit_frame(&e, conv, spec))
		return;
	for (size_t off = 0; off < e.code.size; off += effect.size_bytes) {
		struct moved moved;
		uint32_t rules, broken = 0;

		CHECK_STATUS(jf_decode(conv->backend, e.bytes + off, e.code.size - off, &effect), JF_OK, "+0x%zx", off);
		moved = moves(&e, &effect);
		/* A return loads the return address. A callback that restores loads what its boundary stored. */
		if (!(moved.stores || moved.loads) || effect.flow != JF_FLOW_NEXT)
			continue;
		rules = rules_for(&e, off, &moved);
		memcpy(saved, e.bytes + off, effect.size_bytes);
		put_nop(conv->backend, e.bytes + off, effect.size_bytes);
		CHECK_STATUS(jf_check(&e.input, &report, NULL), JF_OK, "+0x%zx", off);
		memcpy(e.bytes + off, saved, effect.size_bytes);
		for (unsigned int rule = 1; rule <= JF_RULE_COUNT; rule++)
			if (report.verdicts[rule] == JF_VERDICT_BROKEN)
				broken |= UINT32_C(1) << rule;
		CHECK(broken & rules, "%s/%s %s: without the `%s` at +0x%zx rules %x are broken, none of %x",
		      conv->backend->name, conv->name, jf_role_name((enum jf_role)spec->role), effect.name, off, broken,
		      rules);
		/* A tail call hands the record on: a main program that does not make it breaks that too. */
		if (moved.stores && moved.record && e.input.from_body_count)
			CHECK(broken & 1u << 16, "%s/%s: no R16 at +0x%zx", conv->backend->name, conv->name, off);
		++*dropped;
	}
}

ALL_CONVENTIONS(checker_dropped, saves_and_restores)
{
	const struct jf_convention *conv = convention_at(*index);
	unsigned int dropped = 0;

	needs_decoder(conv);
	for (unsigned int i = 0; i < 4 * JF_ROLE__COUNT; i++) {
		struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

		spec.role = i / 4;
		spec.tail_calls = i % 2;
		spec.arena = i / 2 % 2;
		spec.bpf_stack_bytes = 64;
		spec.bpf_regs_used = 0x7c0;
		drop_each(conv, &spec, &dropped);
	}
	cr_assert_gt(dropped, 100);
}
