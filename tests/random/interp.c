/* SPDX-License-Identifier: BSD-2-Clause */
#include "interp.h"
#include "isa.h"

#include <stdlib.h>
#include <string.h>

#define MAY_GOTO_COUNT 0xffff

static bool run_function(struct interp *in, uint32_t number, const uint64_t args[5], const uint64_t *more,
			 uint64_t *r0);

/* ---- calls -------------------------------------------------------------------------------------- */

typedef uint64_t (*import_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
			      uint64_t, uint64_t, uint64_t);

/* C code does not look at arguments that it does not take. */
static uint64_t call_c(uint64_t address, const uint64_t *r, const uint64_t *more)
{
	import_fn fn = (import_fn)(uintptr_t)address;

	return fn(r[1], r[2], r[3], r[4], r[5], more[0], more[1], more[2], more[3], more[4], more[5], more[6]);
}

static bool call_import(struct interp_frame *f, const struct jf_import *imports, uint32_t count, uint32_t number)
{
	if (number >= count || !imports[number].address)
		return false;
	/* A throw is none of C here: frames are left one by one, see go_on_at_pad(). */
	if (imports[number].throws)
		f->in->cookie = f->reg[R1];
	if (imports[number].throws || imports[number].resumes) {
		f->in->throwing = true;
		f->resumed = imports[number].resumes;
		return true;
	}
	f->reg[R0] = call_c(imports[number].address, f->reg, f->args_out);
	return true;
}

/* R1-R5 are the callee's afterwards: a program that reads them is wrong. */
static void forget_arguments(struct interp_frame *f)
{
	for (unsigned int reg = R1; reg <= R5; reg++)
		f->reg[reg] = UINT64_C(0xdeaddeaddeaddead);
	memset(f->arena, 0, R5 + 1);
}

static bool call(struct interp_frame *f, const struct jf_insn *insn)
{
	const struct jf_program *program = f->in->program;
	uint32_t number = (uint32_t)insn->imm;
	bool known;

	if (insn->opcode & X) {
		uint64_t sixth[7] = {f->reg[insn->imm ? (unsigned int)insn->imm : interp_dst(insn)]};

		known = program->call_register.address != 0;
		if (known)
			f->reg[R0] = call_c(program->call_register.address, f->reg, sixth);
	} else if (interp_src(insn) == HELPER) {
		known = call_import(f, program->helpers, program->helper_count, number);
	} else if (interp_src(insn) == RUNTIME) {
		known = call_import(f, program->kfuncs, program->kfunc_count, number);
	} else {
		known = number < program->function_count &&
			run_function(f->in, number, f->reg + R1, f->args_out, &f->reg[R0]);
	}
	forget_arguments(f);
	return known;
}

/* ---- one instruction ---------------------------------------------------------------------------- */

/* Moves between registers that are something else by their offset. */
static bool special_move(struct interp_frame *f, const struct jf_insn *insn)
{
	unsigned int dst = interp_dst(insn);
	uint64_t src = f->reg[interp_src(insn)];

	f->arena[dst] = false;
	if (insn->off == MOV_PER_CPU) {
		f->reg[dst] = src + f->in->per_cpu_base;
	} else if (insn->imm == CAST_TO_ARENA) {
		f->reg[dst] = (uint32_t)src;
		f->arena[dst] = true;
	} else if (insn->imm == CAST_TO_USER) {
		f->reg[dst] = (uint32_t)src;
		if (f->reg[dst])
			f->reg[dst] |= f->in->program->arena_user_base & ~UINT64_C(0xffffffff);
	} else {
		return false;
	}
	return true;
}

/* Copies and sums of arena pointers are arena pointers. */
static bool stays_arena(const struct interp_frame *f, const struct jf_insn *insn)
{
	bool dst = f->arena[interp_dst(insn)];
	bool src = insn->opcode & X && f->arena[interp_src(insn)];

	switch (insn->opcode & 0xf0) {
	case MOV: return src && !insn->off;
	case ADD:
	case SUB: return dst || src;
	default: return false;
	}
}

static bool arithmetic(struct interp_frame *f, const struct jf_insn *insn)
{
	unsigned int dst = interp_dst(insn), src = interp_src(insn);
	uint64_t operand = insn->opcode & X ? f->reg[src] : (uint64_t)(int64_t)insn->imm;
	bool arena = stays_arena(f, insn);

	if (insn->opcode == (ALU64 | MOV | X) && (insn->off == MOV_CAST || insn->off == MOV_PER_CPU))
		return special_move(f, insn);
	if (!interp_alu(insn, f->reg[dst], operand, &f->reg[dst]))
		return false;
	f->arena[dst] = arena;
	return true;
}

/* *distance is how far behind the next instruction it goes on. */
static bool jump(struct interp_frame *f, const struct jf_insn *insn, int64_t *distance)
{
	uint64_t operand = insn->opcode & X ? f->reg[interp_src(insn)] : (uint64_t)(int64_t)insn->imm;
	bool holds;

	switch (insn->opcode) {
	case JMP | JA: *distance = insn->off; return true;
	case JMP32 | JA: *distance = insn->imm; return true;
	case JMP | CALL:
	case JMP | CALL | X: return call(f, insn);
	case JMP | JCOND: /* may_goto: taken when it has been reached too often */
		*distance = f->may_goto_left ? 0 : insn->off;
		f->may_goto_left -= f->may_goto_left != 0;
		return true;
	default:
		if (!interp_condition(insn->opcode, f->reg[interp_dst(insn)], operand, &holds))
			return false;
		*distance = holds ? insn->off : 0;
		return true;
	}
}

static bool step(struct interp_frame *f, const struct jf_insn *insn, int64_t *distance)
{
	*distance = 0;
	if ((insn->regs & 15) > R11 || insn->regs >> 4 > R11)
		return false;
	switch (insn->opcode & 7) {
	case ALU:
	case ALU64: return arithmetic(f, insn);
	case JMP:
	case JMP32: return jump(f, insn, distance);
	case LD: /* the 64-bit immediate takes two */
		if (insn->opcode != (LD | IMM | DW) || interp_src(insn))
			return false;
		f->reg[interp_dst(insn)] = (uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn->imm;
		f->arena[interp_dst(insn)] = false;
		*distance = 1;
		return true;
	default: return interp_memory(f, insn);
	}
}

/* ---- functions ---------------------------------------------------------------------------------- */

static bool stop(struct interp *in, const char *why, uint32_t number, int64_t index)
{
	if (!in->stopped) {
		in->stopped = why;
		in->function = number;
		in->index = (uint32_t)index;
	}
	return false;
}

/* A throw has come out of the call at `index`. returns: whether it has a pad, where the frame goes on: *next. */
static bool go_on_at_pad(struct interp_frame *f, uint32_t number, int64_t index, int64_t *next)
{
	const struct jf_cleanups *table = f->in->program->cleanups ? &f->in->program->cleanups[number] : NULL;

	for (uint32_t i = 0; table && !f->resumed && i < table->count; i++) {
		const struct jf_cleanup *record = &table->list[i];

		if (index < record->start || index >= record->end)
			continue;
		*next = record->pad;
		memset(f->reg, 0, (R5 + 1) * sizeof(f->reg[0]));
		memset(f->arena, 0, R5 + 1);
		f->in->throwing = false;
		return true;
	}
	return false;
}

static bool run_frame(struct interp_frame *f, uint32_t number)
{
	const struct jf_function *function = &f->in->program->functions[number];
	int64_t distance;

	for (int64_t index = 0;; index += 1 + distance) {
		const struct jf_insn *insn;

		if (index < 0 || index >= function->insn_count)
			return stop(f->in, "control left the function", number, index);
		insn = &function->insns[index];
		if (!f->in->steps_left--)
			return stop(f->in, "too many steps", number, index);
		if (insn->opcode == (JMP | EXIT))
			return true;
		if (!step(f, insn, &distance))
			return stop(f->in, "no such instruction", number, index);
		if (!f->in->throwing)
			continue;
		if (!go_on_at_pad(f, number, index, &index))
			return true;
		distance = -1;
	}
}

static bool run_function(struct interp *in, uint32_t number, const uint64_t args[5], const uint64_t *more, uint64_t *r0)
{
	struct interp_frame *f = malloc(sizeof(*f));
	bool ended;

	if (!f)
		return stop(in, "no memory", number, 0);
	memset(f, 0, offsetof(struct interp_frame, stack));
	f->in = in;
	memcpy(f->reg + R1, args, 5 * sizeof(args[0]));
	memcpy(f->args_in, more, sizeof(f->args_in));
	f->reg[R10] = (uintptr_t)f->stack + sizeof(f->stack);
	f->may_goto_left = MAY_GOTO_COUNT;
	ended = run_frame(f, number);
	if (ended)
		*r0 = f->reg[R0];
	free(f);
	return ended;
}

bool interp_run(struct interp *in, uint64_t r1, uint64_t r2, uint64_t *r0)
{
	const uint64_t args[5] = {r1, r2};
	static const uint64_t none[7];

	in->stopped = NULL;
	in->throwing = false;
	if (!run_function(in, 0, args, none, r0))
		return false;
	if (in->throwing)
		*r0 = in->cookie;
	return true;
}
