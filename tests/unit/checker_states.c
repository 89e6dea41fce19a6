/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "checker.h"
#include "conventions.h"

#include <string.h>

/*
 * What holds before each instruction (jf_check_states()), against what the emitter says of its own code: rows, marks
 * and slots.
 */

struct seen {
	const struct emitted *e;
	const char *name;
	uint32_t next_off; /* where the last instruction ends */
	unsigned int insns, accesses;
	uint32_t saved, restored; /* slots by bit: stored with, loaded into their register */
	bool at_body;
};

static const struct jf_held_word *word_at(const struct jf_check_state *state, int32_t off)
{
	for (uint32_t i = 0; i < state->word_count; i++)
		if (state->words[i].off_from_cfa == off)
			return &state->words[i];
	return NULL;
}

static bool is_callers(const struct jf_held *held, uint8_t reg)
{
	return held->kind == JF_HELD_ENTRY && held->reg == reg && !held->imm && !held->low_bytes;
}

/* The row that the emitter made for this place: the CFA's register, and every slot that is in force. */
static void check_row(const struct seen *seen, const struct jf_check_state *state)
{
	const struct emitted *e = seen->e;
	const struct jf_row *row = jf_row_find(e->rows, e->code.row_count, state->code_off);
	const struct jf_held *base = &state->regs[row->cfa_reg];

	CHECK(base->kind == JF_HELD_CFA && base->imm == -row->cfa_off, "%s: +0x%x: kind %u, %lld, not CFA%+d",
	      seen->name, state->code_off, base->kind, (long long)base->imm, -row->cfa_off);
	for (unsigned int i = 0; i < e->frame.slot_count; i++) {
		const struct jf_slot *slot = &e->frame.slots[i];
		const struct jf_held_word *word = word_at(state, slot->off_from_cfa);

		CHECK(!(row->saved >> i & 1) || (word && is_callers(&word->value, slot->reg)),
		      "%s: +0x%x: slot %u at CFA%+d", seen->name, state->code_off, i, slot->off_from_cfa);
	}
}

static void check_accesses(struct seen *seen, const struct jf_check_state *state)
{
	const struct jf_frame *frame = &seen->e->frame;

	for (unsigned int i = 0; i < state->access_count; i++) {
		const struct jf_held_access *access = &state->accesses[i];

		for (unsigned int k = 0; k < frame->slot_count; k++)
			if (frame->slots[k].kind == JF_SLOT_SAVE &&
			    frame->slots[k].off_from_cfa == access->off_from_cfa &&
			    is_callers(&access->value, frame->slots[k].reg))
				*(access->is_store ? &seen->saved : &seen->restored) |= UINT32_C(1) << k;
	}
	seen->accesses += state->access_count;
}

static void look(void *arg, const struct jf_check_state *state)
{
	struct seen *seen = arg;
	const struct emitted *e = seen->e;

	CHECK(state->size == sizeof(*state) && state->code_off >= seen->next_off, "%s: +0x%x", seen->name,
	      state->code_off);
	for (uint32_t i = 1; i < state->word_count; i++)
		CHECK(state->words[i].off_from_cfa < state->words[i - 1].off_from_cfa, "%s: +0x%x: word %u", seen->name,
		      state->code_off, i);
	seen->next_off = state->code_off + state->effect->size_bytes;
	seen->at_body |= state->code_off == e->code.marks[JF_MARK_BODY];
	seen->insns++;
	check_row(seen, state);
	check_accesses(seen, state);
}

static uint32_t save_slots(const struct jf_frame *frame)
{
	uint32_t slots = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		if (frame->slots[i].kind == JF_SLOT_SAVE)
			slots |= UINT32_C(1) << i;
	return slots;
}

static void check_states(const struct emitted *e, const char *name)
{
	bool adopts = e->frame.spec.role == JF_ROLE_CALLBACK;
	struct jf_check_report report = {.size = sizeof(report)};
	struct seen seen = {.e = e, .name = name};
	struct jf_error error = {0};

	CHECK_STATUS(jf_check(&e->input, &report, &error), JF_OK, "%s: %s", name, error.text);
	CHECK_STATUS(jf_check_states(&e->input, look, &seen, &error), JF_OK, "%s: %s", name, error.text);
	CHECK(seen.insns == report.insn_count, "%s: %u instructions, and %zu can be reached", name, seen.insns,
	      report.insn_count);
	CHECK(seen.at_body, "%s: the body is not there", name);
	CHECK(adopts || seen.saved == save_slots(&e->frame), "%s: slots %x are saved", name, seen.saved);
	CHECK(seen.restored == save_slots(&e->frame), "%s: slots %x are restored", name, seen.restored);
}

ALL_CONVENTIONS(checker_states, of_every_role)
{
	const struct jf_convention *conv = convention_at(*index);
	static struct emitted e;
	unsigned int frames = 0;
	char name[128];

	needs_decoder(conv);
	for (unsigned int i = 0; i < JF_ROLE__COUNT * 8; i++) {
		struct jf_frame_spec boundary = JF_FRAME_SPEC_INIT, spec = JF_FRAME_SPEC_INIT;

		spec.role = i / 8;
		spec.bpf_stack_bytes = i % 2 ? 64 : 0;
		spec.bpf_regs_used = i % 2 ? 1 << JF_BPF_R6 | 1 << JF_BPF_R7 : 0;
		spec.tail_calls = i / 2 % 2;
		spec.sign_return = i / 4 % 2;
		if (!emit_frame(&e, conv, &spec))
			continue;
		/* Save slots of the two lie at the same places. */
		boundary.role = JF_ROLE_BOUNDARY;
		boundary.tail_calls = spec.tail_calls;
		boundary.sign_return = spec.sign_return;
		boundary.bpf_stack_bytes = 32;
		if (spec.role == JF_ROLE_CALLBACK)
			e.input.boundary = &boundary;
		snprintf(name, sizeof(name), "%s/%s %s %u", conv->backend->name, conv->name,
			 jf_role_name((enum jf_role)spec.role), i % 8);
		check_states(&e, name);
		frames++;
	}
	cr_assert_gt(frames, 8, "%u frames", frames);
}

/* ---- in words -------------------------------------------------------------------------------------------- */

static void expect_text(const struct jf_backend *backend, struct jf_held held, const char *wanted)
{
	char text[80], cut[4];

	cr_expect_eq(jf_held_text(backend, &held, text, sizeof(text)), (int)strlen(wanted));
	cr_expect_str_eq(text, wanted);
	cr_expect_eq(jf_held_text(backend, &held, NULL, 0), (int)strlen(wanted));
	jf_held_text(backend, &held, cut, sizeof(cut));
	cr_expect_eq(strlen(cut), strlen(wanted) < 3 ? strlen(wanted) : 3);
}

Test(checker_states, in_words)
{
	const struct jf_backend *backend = convention_at(0)->backend;
	char text[80], wanted[80];

	expect_text(backend, (struct jf_held){.kind = JF_HELD_CONST, .imm = -7}, "-7");
	expect_text(backend, (struct jf_held){.kind = JF_HELD_CFA, .imm = -24}, "CFA-24");
	expect_text(backend, (struct jf_held){.kind = JF_HELD_SLOT, .off_from_cfa = -40}, "what was in CFA-40");
	expect_text(backend, (struct jf_held){.kind = JF_HELD_COUNT}, "the tail-call count");
	expect_text(backend, (struct jf_held){.kind = JF_HELD_UNKNOWN, .code_off = 16}, "the result of +0x10");
	expect_text(backend, (struct jf_held){.kind = JF_HELD_FRAME, .flags = JF_HELD_JOINED, .code_off = 16},
		    "something else on each way to +0x10");
	expect_text(backend, (struct jf_held){.kind = JF_HELD_UNKNOWN, .flags = JF_HELD_AT_ENTRY},
		    "what was there at entry");
	snprintf(wanted, sizeof(wanted), "the caller's %s+8, signed", backend->regs[backend->sp].name);
	expect_text(backend,
		    (struct jf_held){.kind = JF_HELD_ENTRY, .reg = backend->sp, .flags = JF_HELD_SIGNED, .imm = 8},
		    wanted);
	cr_expect_eq(jf_held_text(backend, NULL, text, sizeof(text)), 0);
	cr_expect_str_eq(text, "");
}

/* ---- what is refused ------------------------------------------------------------------------------------- */

static void never(void *arg, const struct jf_check_state *state)
{
	(void)arg;
	cr_assert_fail("called at +0x%x", state->code_off);
}

Test(checker_states, refused)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	static struct emitted e;

	cr_assert(emit_frame(&e, convention_at(0), &spec));
	CHECK_STATUS(jf_check_states(NULL, never, NULL, NULL), JF_E_INVAL, "no input");
	CHECK_STATUS(jf_check_states(&e.input, NULL, NULL, NULL), JF_E_INVAL, "no visitor");
	e.input.spec.role = JF_ROLE__COUNT;
	CHECK_STATUS(jf_check_states(&e.input, never, NULL, NULL), JF_E_INVAL, "no such role");
	e.input.spec.role = JF_ROLE_MAIN;
	e.input.byte_count = 0;
	CHECK_STATUS(jf_check_states(&e.input, never, NULL, NULL), JF_E_INVAL, "no code");
}
