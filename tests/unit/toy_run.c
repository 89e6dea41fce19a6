/* SPDX-License-Identifier: BSD-2-Clause */
#include "toy_run.h"

#include "../support/image_range.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 2000000

static const struct jf_import imports[IMPORT__COUNT] = {
	[IMPORT_SUM] = {.name = "sum", .address = IMPORT(IMPORT_SUM)},
	[IMPORT_WALK] = {.name = "walk", .address = IMPORT(IMPORT_WALK)},
	[IMPORT_THROW] = {.name = "throw", .address = IMPORT(IMPORT_THROW), .throws = true},
};

struct jf_program run_program(const struct jf_function *functions, uint32_t count, int32_t callback)
{
	return (struct jf_program){
		.size = sizeof(struct jf_program),
		.functions = functions,
		.function_count = count,
		.callback = callback,
		.helpers = imports,
		.helper_count = IMPORT__COUNT,
		.kfuncs = imports,
		.kfunc_count = IMPORT__COUNT,
		.call_register = {.name = "call_register", .address = IMPORT(IMPORT_SUM)},
	};
}

/* ---- the code map, as a loader fills it ------------------------------------------------------------ */

static void add_ranges(struct run *run)
{
	const struct jf_image *image = run->image;

	cr_assert_lt(image->function_count, sizeof(run->ranges) / sizeof(run->ranges[0]));
	for (uint32_t i = 0; i < image->function_count; i++) {
		struct jf_range *range = &run->ranges[run->range_count++];

		*range = image_range(image, i);
		if (image->callback >= 0)
			range->callback = image->address + jf_image_function_at(image, image->callback)->start;
	}
	run->ranges[run->range_count++] = (struct jf_range){
		.size = sizeof(struct jf_range),
		.kind = JF_RANGE_ENTRY,
		.start = TOY_HALT - 2,
		.end = TOY_HALT,
		.name = "halt",
		.backend = &toy_backend,
	};
	CHECK_STATUS(jf_code_map_add_all(run->ranges, run->range_count, NULL), JF_OK, "ranges");
}

struct run *run_new(const struct jf_convention *conv, const struct jf_program *program,
		    const struct jf_compile_opts *opts)
{
	struct run *run = calloc(1, sizeof(*run));
	struct jf_error error = {0};

	cr_assert_not_null(run);
	CHECK_STATUS(jf_compile(conv, program, opts, run->code, sizeof(run->code), RUN_ADDRESS, &run->image, &error),
		     JF_OK, "%s: %s", error.where, error.text);
	add_ranges(run);
	run->walk_everywhere = true;
	return run;
}

void run_free(struct run *run)
{
	CHECK_STATUS(jf_code_map_remove_all(run->ranges, run->range_count), JF_OK, "ranges");
	jf_image_free(run->image);
	free(run);
}

/* ---- what the rows say, and what is so --------------------------------------------------------------- */

static bool is_callee_saved(unsigned int id)
{
	return toy_backend.regs[id].flags & JF_REG_CALLEE_SAVED;
}

/* The caller's registers as the walk has them after a step. A frame may say that it lost some. */
static void check_regs(const struct run *run, const struct jf_walk *walk, const struct shadow *frame, bool may_lose)
{
	for (uint8_t id = 0; id < TOY_REG__COUNT; id++) {
		uint64_t value;
		bool known = jf_walk_reg(walk, id, &value);

		if (!is_callee_saved(id))
			continue;
		CHECK(known || may_lose, "pc %lx: %s is not known", run->sim.pc, toy_backend.regs[id].name);
		CHECK(!known || value == frame->regs.value[id], "pc %lx: %s of the caller at %lx is %lx, not %lx",
		      run->sim.pc, toy_backend.regs[id].name, jf_walk_at(walk)->pc, value, frame->regs.value[id]);
	}
}

static void check_walk(struct run *run, uint64_t pc, bool pc_is_return)
{
	struct jf_memory memory = toy_sim_memory(&run->sim);
	struct jf_regs regs = toy_sim_regs(&run->sim);
	const struct jf_walk_frame *at;
	bool lost = false;
	struct jf_walk walk;

	run->walks++;
	CHECK_STATUS(jf_walk_start(&walk, &toy_backend, &memory, &regs, pc, pc_is_return), JF_OK, "pc %lx", pc);
	at = jf_walk_at(&walk);
	for (unsigned int i = run->depth; i-- > 0;) {
		const struct shadow *frame = &run->shadow[i];

		lost |= at->row->flags & JF_ROW_REGS_LOST;
		CHECK(at->cfa == frame->cfa, "pc %lx: CFA of frame %u is %lx, not %lx", pc, i, at->cfa, frame->cfa);
		CHECK_STATUS(jf_walk_step(&walk), JF_OK, "pc %lx, frame %u", pc, i);
		CHECK(at->pc == frame->ra, "pc %lx: frame %u returns to %lx, not %lx", pc, i, at->pc, frame->ra);
		CHECK(jf_walk_sp(&walk) == frame->cfa, "pc %lx: sp behind frame %u", pc, i);
		check_regs(run, &walk, frame, lost);
	}
	CHECK_STATUS(jf_walk_step(&walk), JF_END, "pc %lx", pc);
	jf_walk_end(&walk);
}

static void push(struct run *run, uint64_t ra)
{
	CHECK(run->depth < RUN_DEPTH_MAX, "too deep");
	run->shadow[run->depth++] = (struct shadow){
		.cfa = toy_sim_get(&run->sim, TOY_SP),
		.ra = ra,
		.regs = toy_sim_regs(&run->sim),
	};
	if (run->depth > run->deepest)
		run->deepest = run->depth;
}

/* A function has been left, or handed its frame on: everything must be as its caller had it. */
static void check_restored(const struct run *run, const char *how)
{
	const struct shadow *frame = &run->shadow[run->depth - 1];

	CHECK(toy_sim_get(&run->sim, TOY_SP) == frame->cfa, "%s with sp %lx, not %lx", how,
	      toy_sim_get(&run->sim, TOY_SP), frame->cfa);
	for (unsigned int id = 0; id < TOY_REG__COUNT; id++)
		CHECK(!is_callee_saved(id) || toy_sim_get(&run->sim, id) == frame->regs.value[id],
		      "%s with %s %lx, not %lx", how, toy_backend.regs[id].name, toy_sim_get(&run->sim, id),
		      frame->regs.value[id]);
}

/* ---- C code ------------------------------------------------------------------------------------------- */

/* What the ABI lets C destroy is destroyed. */
static void clobber(struct toy_sim *sim)
{
	for (unsigned int id = TOY_A1; id <= TOY_A5; id++)
		toy_sim_set(sim, id, 0xbad00 + id);
	toy_sim_set(sim, TOY_T0, 0xbad0e);
}

/*
 * As jf_throw_from(). The C frames in between have used every callee-saved register for themselves by
 * then; those that the convention's boundary does not save are left alone, or R3 would show.
 */
static void throw(struct run * run)
{
	struct jf_memory memory = toy_sim_memory(&run->sim);
	struct jf_regs regs = toy_sim_regs(&run->sim);
	uint64_t cookie = toy_sim_get(&run->sim, TOY_A1);
	uint8_t unsaved[TOY_REG__COUNT];
	int unsaved_count = jf_convention_unsaved(run->image->conv, unsaved, sizeof(unsaved));
	const struct jf_walk_frame *at;
	struct jf_walk walk;

	CHECK_STATUS(jf_walk_start(&walk, &toy_backend, &memory, &regs, toy_sim_get(&run->sim, TOY_RA), true), JF_OK,
		     "throw");
	at = jf_walk_at(&walk);
	while (at->range->kind != JF_RANGE_BOUNDARY)
		CHECK_STATUS(jf_walk_step(&walk), JF_OK, "no boundary");
	while (run->depth && run->shadow[run->depth - 1].cfa != at->cfa)
		run->depth--;
	CHECK(run->depth, "the boundary is no frame that is there");
	for (unsigned int id = 0; id < TOY_REG__COUNT; id++)
		if (id != TOY_SP && !(unsaved_count > 0 && memchr(unsaved, (int)id, (size_t)unsaved_count)))
			toy_sim_set(&run->sim, id, 0x7777000 + id);
	toy_sim_set(&run->sim, TOY_A1, cookie);
	toy_sim_set(&run->sim, TOY_A2, at->cfa + (uint64_t)(int64_t)at->range->landing_sp_off_from_cfa);
	toy_sim_set(&run->sim, TOY_A3, at->cfa + (uint64_t)(int64_t)at->range->fp_off_from_cfa);
	run->sim.pc = at->range->callback;
	jf_walk_end(&walk);
}

static void call_import(struct run *run)
{
	unsigned int number = (unsigned int)(run->sim.pc - TOY_IMPORTS) / 16;
	uint64_t sum = toy_sim_get(&run->sim, TOY_V0);

	CHECK(number < IMPORT__COUNT && run->sim.pc == IMPORT(number), "called %lx", run->sim.pc);
	run->imports[number]++;
	check_walk(run, toy_sim_get(&run->sim, TOY_RA), true);
	if (number == IMPORT_THROW) {
		throw(run);
		return;
	}
	/* A weighted sum of the arguments; the sixth, in v0, counts as it is. */
	for (unsigned int i = 0; i < 5; i++)
		sum += toy_sim_get(&run->sim, TOY_A1 + i) * (i + 1) * 10;
	clobber(&run->sim);
	toy_sim_set(&run->sim, TOY_V0, number == IMPORT_SUM ? sum : run->imports[number]);
	run->sim.pc = toy_sim_get(&run->sim, TOY_RA);
}

/* ---- the run -------------------------------------------------------------------------------------------- */

/* One instruction, and what it does to the shadow stack. */
static enum toy_stop step(struct run *run)
{
	uint64_t off = run->sim.pc - run->sim.code_address;
	unsigned int word = off + 2 <= run->sim.code_bytes ? run->code[off] << 8 | run->code[off + 1] : 0;
	uint64_t next = run->sim.pc + 2;
	enum toy_stop stop = toy_sim_step(&run->sim);

	if (word >> 12 != TOY_OP_JA)
		return stop;
	switch (word >> 8 & 15) {
	case 1:
		if (stop != TOY_IMPORT)
			push(run, next);
		break;
	case 2:
		check_restored(run, "returned");
		run->depth--;
		break;
	default:
		check_restored(run, "tail-called");
		CHECK(toy_sim_get(&run->sim, TOY_RA) == run->shadow[run->depth - 1].ra, "tail-called with another ra");
		run->tail_calls++;
	}
	return stop;
}

uint64_t run_call(struct run *run, uint64_t arg, uint64_t arg2)
{
	const struct jf_image *image = run->image;

	toy_sim_init(&run->sim, run->code, image->size_bytes, image->address,
		     image->address + jf_image_function_at(image, 0)->start);
	toy_sim_set(&run->sim, TOY_A1, arg);
	toy_sim_set(&run->sim, TOY_A2, arg2);
	return run_go(run);
}

uint64_t run_go(struct run *run)
{
	run->depth = 0;
	push(run, TOY_HALT);
	for (unsigned int i = 0; i < STEPS_MAX; i++) {
		enum toy_stop stop;

		if (run->walk_everywhere)
			check_walk(run, run->sim.pc, false);
		stop = step(run);
		if (stop == TOY_DONE) {
			CHECK(run->depth == 0, "%u frames are left", run->depth);
			return toy_sim_get(&run->sim, TOY_V0);
		}
		if (stop == TOY_IMPORT)
			call_import(run);
		else
			CHECK(stop == TOY_STEP, "stopped at %lx for reason %d", run->sim.pc, stop);
	}
	CHECK(false, "%d steps are not enough", STEPS_MAX);
	return 0;
}
