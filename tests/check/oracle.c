/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle_run.h"

#include <string.h>

#define STEPS_MAX 4000
#define RUNS_MAX  24

/* ---- runs -------------------------------------------------------------------------------------------------- */

/*
 * Prologues go where registers and flags send them: they ask whether the count register has a count or a pointer.
 * Else a way that has not been gone yet, or any.
 */
static bool choose(const struct run *r, uint64_t salt, unsigned int step)
{
	uint8_t went = r->m->pc < r->s->size ? r->went[r->m->pc] : 0;
	bool taken;

	if (!r->in_body && machine_branches(r->m))
		r->out->branched = true;
	if (!r->in_body && machine_knows(r->m, &taken))
		return taken;
	if (went == 1 || went == 2)
		return went == 1;
	return machine_mix(salt, step) & 1;
}

/* What a main program has by the time that a tail call would enter it. */
static void pass_tail_entry(struct run *r)
{
	if (!is_main(r) || r->by_tail_call || r->facts->count_is_pointer ||
	    (r->facts->count_by_value && !r->s->frame.spec.tail_calls) || r->m->pc != r->s->marks[JF_MARK_TAIL_ENTRY])
		return;
	if (r->m->reg[count_reg(r)] != r->facts->count_start &&
	    jf_frame_slot(&r->s->frame, JF_SLOT_TCC, JF_REG_NONE) >= 0) {
		broken(r, 16, "the count does not start from %u", r->facts->count_start);
		broken(r, 9, "the count does not start from %u", r->facts->count_start);
	}
}

static void note_killed(struct run *r)
{
	for (unsigned int i = 0; i < r->m->killed_count && r->killed_count < KILLED_MAX; i++) {
		r->is_raw[r->killed_count] = r->m->is_raw[i];
		r->killed[r->killed_count++] = r->m->killed[i];
	}
}

static void note_loads(struct run *r)
{
	for (unsigned int i = 0; i < r->m->access_count; i++)
		if (!r->m->access[i].store && r->m->access[i].bytes == 8 &&
		    !machine_in_stack(r->m->access[i].address, 8)) {
			r->loaded_from[r->loaded_count % LOADED_MAX] = r->m->access[i].address;
			r->loaded_by[r->loaded_count % LOADED_MAX] = r->m->address + r->m->at;
			r->loaded[r->loaded_count++ % LOADED_MAX] = r->m->access[i].value;
		}
}

static void follow(struct run *r, uint64_t salt)
{
	for (unsigned int step = 0; step < STEPS_MAX; step++) {
		uint64_t sp = r->m->reg[r->backend->sp];
		enum machine_event event;
		bool taken;

		pass_tail_entry(r);
		taken = choose(r, salt, step);
		if (r->m->pc == r->s->marks[JF_MARK_BODY] && !r->in_body)
			enter_body(r);
		if (r->m->pc == r->s->marks[JF_MARK_EPILOGUE]) {
			r->in_epilogue = true;
			r->result = r->m->reg[r->s->conv->bpf_reg[JF_BPF_R0]];
		}
		look_at_row(r);
		event = machine_step(r->m, taken);
		if (event == EVENT_UNDECODED)
			break;
		if (r->m->effect.flow == JF_FLOW_BRANCH)
			r->went[r->m->at] |= taken ? 2 : 1;
		if (!r->in_body)
			note_killed(r);
		look_at_accesses(r, sp);
		note_loads(r);
		if (event == EVENT_CALL) {
			look_at_call(r);
			after_call(r);
		} else if (event == EVENT_JUMP_OUT) {
			look_at_exit(r);
			return;
		} else if (event == EVENT_TRAP) {
			return;
		}
	}
	r->out->ran_on = true;
}

/* Runs main's prologue: up to its tail-call entry for what holds there, up to its body for its frame. */
static bool run_prologue(struct run *r, const struct subject *main, uint32_t mark)
{
	machine_load(r->m, main->code, main->size, main->address);
	for (unsigned int step = 0; step < 200 && r->m->pc != mark; step++) {
		if (machine_step(r->m, choose(r, 0, step)) != EVENT_NONE)
			return false;
		note_killed(r);
	}
	return r->m->pc == mark;
}

static void enter_function(struct run *r, uint64_t salt)
{
	machine_init(r->m, r->backend, salt);
	r->m->reg[r->backend->sp] = run_cfa - (uint64_t)r->backend->cfa_sp_off_at_entry;
	if (r->backend->ra_pushed)
		machine_write(r->m, r->m->reg[r->backend->sp], 8, MACHINE_RETURN);
	else
		r->m->reg[r->backend->ra] = MACHINE_RETURN;
	memcpy(r->entry, r->m->reg, sizeof(r->entry));
}

/* A throw has skipped frames that have used every register; what the boundary has not saved is theirs to keep (R3). */
static void land(struct run *r, const struct subject *main)
{
	const struct jf_backend *backend = r->backend;
	uint64_t sp;

	run_prologue(r, main, main->marks[JF_MARK_BODY]);
	sp = r->m->reg[backend->sp] - 2048;
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		if (!(backend->regs[reg].flags & JF_REG_RESERVED) &&
		    (!(backend->regs[reg].flags & JF_REG_CALLEE_SAVED) ||
		     jf_frame_slot(&main->frame, JF_SLOT_SAVE, (uint8_t)reg) >= 0))
			r->m->reg[reg] = low_bytes(machine_mix(r->m->salt + reg, 11), backend->regs[reg].size_bytes);
	if (r->m->zero != JF_REG_NONE)
		r->m->reg[r->m->zero] = 0;
	r->m->reg[backend->sp] = sp - (backend->ra_pushed ? 8 : 0);
	r->m->reg[backend->args[1]] = at_cfa(main->frame.landing_sp_off_from_cfa);
	r->m->reg[backend->args[2]] = at_cfa(r->s->conv->fp_off_from_cfa);
}

static void prepare_tail_exit(struct run *r, const struct subject *main)
{
	if (main->marks[JF_MARK_TAIL_ENTRY] == JF_MARK_UNSET)
		return;
	enter_function(r, 1);
	run_prologue(r, main, main->marks[JF_MARK_TAIL_ENTRY]);
	r->tail_sp_off = (int64_t)(r->m->reg[r->backend->sp] - run_cfa);
	r->tail_fp_is_frames = r->m->reg[r->backend->fp] == at_cfa(r->s->conv->fp_off_from_cfa);
}

static bool all_went(const struct run *r)
{
	for (uint32_t i = 0; i < r->s->size; i++)
		if (r->went[i] == 1 || r->went[i] == 2)
			return false;
	return true;
}

/* Another program has built what this one takes over; it comes with the address of a count, or with a count. */
static void enter_by_tail_call(struct run *r, const struct subject *main, uint64_t salt)
{
	const struct jf_backend *backend = r->backend;
	uint64_t count;

	run_prologue(r, main, main->marks[JF_MARK_TAIL_ENTRY]);
	count = r->m->reg[count_reg(r)];
	for (unsigned int reg = 0; reg < backend->reg_count; reg++)
		if (!(backend->regs[reg].flags & (JF_REG_RESERVED | JF_REG_CALLEE_SAVED)) && reg != backend->sp &&
		    reg != backend->ra && reg != r->m->zero)
			r->m->reg[reg] = machine_mix(salt + reg, 19);
	if (!r->facts->count_is_pointer)
		r->incoming = count = salt & 2 ? machine_mix(salt, 17) :
				      salt & 4 ? JF_TAIL_CALLS_MAX :
						 1 + salt % JF_TAIL_CALLS_MAX;
	r->m->reg[count_reg(r)] = count;
	r->in_body = r->in_epilogue = false;
}

static void run_once(struct run *r, const struct subject *main, uint64_t salt)
{
	bool is_callback = is_role(r, JF_ROLE_CALLBACK);

	r->in_body = r->in_epilogue = false;
	r->killed_count = r->loaded_count = 0;
	r->row = NULL;
	r->incoming = r->facts->count_start;
	r->count_is_out = r->count_is_loaded = false;
	r->charges = 0;
	run_cfa = MACHINE_CFA - (r->s->conv->frame_align < 16 && !r->s->is_private_stub && salt & 8 ? 8 : 0);
	enter_function(r, salt);
	if (is_callback)
		land(r, main);
	else if (r->by_tail_call)
		enter_by_tail_call(r, main, salt);
	if (is_role(r, JF_ROLE_SUBPROGRAM) && r->facts->count_by_value)
		r->m->reg[count_reg(r)] = 1 + salt % JF_TAIL_CALLS_MAX;
	memcpy(r->start, r->m->reg, sizeof(r->start));
	/* A callback with a frame of its own is given a count by the throw. */
	if (is_role(r, JF_ROLE_SUBPROGRAM) || (is_callback && r->s->conv->landing == JF_LANDING_RESTORE))
		r->incoming = r->start[count_reg(r)];
	machine_load(r->m, r->s->code, r->s->size, r->s->address);
	if (r->by_tail_call)
		r->m->pc = r->s->marks[JF_MARK_TAIL_ENTRY];
	follow(r, salt);
}

static void run_all_ways(struct run *r, const struct subject *main)
{
	memset(r->went, 0, SUBJECT_CODE_MAX);
	memset(r->call_sp_off, 0, SUBJECT_CODE_MAX * sizeof(r->call_sp_off[0]));
	for (unsigned int i = 0; i < RUNS_MAX; i++) {
		run_once(r, main, (machine_mix(i + 1, 1234) & ~UINT64_C(8)) | (i & 1) << 3);
		if (i > 5 && all_went(r))
			break;
	}
}

/* Boundaries with no BPF stack and with a large one; as far as their prologues go. */
static void run_in_other_boundaries(struct run *r, const struct subject *main)
{
	static const uint32_t stacks[] = {0, 8, 528};
	static struct subject other;

	for (unsigned int i = 0; i < 3; i++) {
		struct jf_code code;

		other.conv = main->conv;
		other.frame.spec = main->frame.spec;
		other.frame.spec.bpf_stack_bytes = stacks[i];
		other.frame.spec.private_stack = false;
		if (jf_frame_solve(main->conv, &other.frame.spec, &other.frame, NULL) != JF_OK)
			continue;
		jf_code_init(&code, other.code, sizeof(other.code), main->address, NULL, 0);
		if (jf_frame_emit(&code, &other.frame, JF_PART_PROLOGUE, &main->values) != JF_OK)
			continue;
		other.size = (uint32_t)code.size + 4; /* the body's first instruction */
		other.address = main->address;
		memcpy(other.marks, code.marks, sizeof(other.marks));
		run_all_ways(r, &other);
	}
}

void oracle_judge(const struct subject *s, const struct subject *main, struct judgement *out)
{
	static struct machine machine;
	uint8_t went[SUBJECT_CODE_MAX];
	int64_t call_sp_off[SUBJECT_CODE_MAX] = {0};
	struct run r = {
		.s = s, .backend = s->conv->backend, .facts = arch_named(s->conv->backend->name), .m = &machine};
	uint32_t so_far;

	memset(out, 0, sizeof(*out));
	r.count = reg_named(r.backend, r.facts->count_reg);
	for (unsigned int reg = 0; reg < r.backend->reg_count; reg++)
		if (r.backend->regs[reg].flags & JF_REG_CALLEE_SAVED)
			r.callee_saved[r.callee_saved_count++] = (uint8_t)reg;
	r.out = out;
	r.went = went;
	r.call_sp_off = call_sp_off;
	prepare_tail_exit(&r, main);
	run_all_ways(&r, main);
	so_far = out->rules;
	if (is_role(&r, JF_ROLE_CALLBACK)) {
		run_in_other_boundaries(&r, main);
		if (out->rules & ~so_far)
			out->rules |= RULE(12);
	}
	if (!is_main(&r) || s->marks[JF_MARK_TAIL_ENTRY] >= s->size)
		return;
	r.by_tail_call = true;
	run_all_ways(&r, main);
	if (out->rules & ~so_far)
		out->rules |= RULE(16);
}
