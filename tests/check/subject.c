/* SPDX-License-Identifier: BSD-2-Clause */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/bpf.h"
#include "../unit/check.h"

/* ---- programs ----------------------------------------------------------------------------------------- */

#define INSNS_MAX 256
#define ARGS_MAX  7

enum { HELPER_NEAR = 1, HELPER_FAR = 2, HELPER_TAIL_CALL = 12 };
enum { MAIN, SUBPROGRAM, CALLBACK };

struct body {
	struct jf_insn insns[INSNS_MAX];
	uint32_t count;
	struct {
		uint32_t start, end;
	} zones[ZONE__COUNT]; /* as instruction indexes */
	struct jf_cleanup records[2];
	struct jf_cleanups table;
};

static void put(struct body *b, const struct jf_insn *insns, uint32_t count)
{
	CHECK(b->count + count <= INSNS_MAX, "a program of more than %d instructions", INSNS_MAX);
	memcpy(b->insns + b->count, insns, count * sizeof(*insns));
	b->count += count;
}

#define PUT(b, ...)                                                   \
	do {                                                          \
		static const struct jf_insn insns_[] = {__VA_ARGS__}; \
		put(b, insns_, COUNT_OF(insns_));                     \
	} while (0)

static void put_one(struct body *b, struct jf_insn insn)
{
	put(b, &insn, 1);
}

#define PUT1(b, ...) put_one(b, (struct jf_insn)__VA_ARGS__)

static void put_zone(struct body *b, enum zone zone)
{
	b->zones[zone].start = b->count;
	PUT(b, MOV_K(0, 0x12345678), MOV_K(0, 0x12345678), MOV_K(0, 0x12345678), MOV_K(0, 0x12345678));
	b->zones[zone].end = b->count;
}

static void put_zones(struct body *b)
{
	put_zone(b, ZONE_STRAIGHT);
	PUT(b, J_K(JEQ, 1, 7, 4));
	put_zone(b, ZONE_SIDE);
}

/* A record for the call that comes next; its pad is put behind everything. Nothing throws out of a callback. */
static void cover_call(struct body *b, const struct shape *shape, unsigned int index)
{
	if (!(shape->has & HAS_CLEANUPS) || index == CALLBACK)
		return;
	b->records[b->table.count++] = (struct jf_cleanup){.start = b->count, .end = b->count + 1};
	b->table.list = b->records;
}

/* What is held is in R6, if that is used, and in the stack. */
static void put_pad(struct body *b, const struct shape *shape, unsigned int stack)
{
	for (uint32_t i = 0; i < b->table.count; i++)
		b->records[i].pad = b->count;
	if (!b->table.count)
		return;
	put_zone(b, ZONE_PAD);
	if (stack)
		PUT(b, LDX(DW, 1, 10, -8));
	if (shape->has & HAS_CALLS)
		PUT(b, MOV_X(1, 6), CALL_HELPER(HELPER_NEAR));
	PUT(b, CALL_KFUNC(1));
}

static void put_arguments(struct body *b)
{
	for (int n = 1; n <= ARGS_MAX; n++)
		PUT1(b, INSN(0x7a, 11, 0, -8 * n, n));
	PUT(b, MOV_K(1, 1), MOV_K(2, 2), MOV_K(3, 3), MOV_K(4, 4), MOV_K(5, 5));
}

static void get_arguments(struct body *b)
{
	for (int n = ARGS_MAX; n >= 1; n--)
		PUT1(b, INSN(0x79, 6 + n % 4, 11, 8 * n, 0));
}

/* R3 is set first: a cast may be several instructions, and what is left of one may be made of an argument. */
static void put_arena(struct body *b)
{
	PUT(b, MOV_K(2, 64), MOV_K(3, 0), INSN(0xbf, 3, 2, 1, 1) /* to_arena */, ST(DW, 3, 8, 5), LDX(W, 4, 3, 8),
	    MOV_K(5, 3), ATOMIC(DW, 3, 5, 0, 1 /* fetch add */), INSN(0xbf, 4, 3, 1, 0x10000) /* to_user */);
}

static void put_calls(struct body *b, const struct shape *shape, unsigned int index)
{
	if (shape->has & HAS_CALLS)
		PUT(b, MOV_K(1, 3), CALL_HELPER(HELPER_NEAR), MOV_X(1, 0), CALL_HELPER(HELPER_FAR));
	if (shape->has & HAS_CALL_REGISTER)
		PUT(b, MOV_K(2, 4), MOV_K(1, 4), INSN(0x8d, 2, 0, 0, 0));
	if (!(shape->has & HAS_SUB) || index == SUBPROGRAM)
		return;
	if (shape->has & HAS_OUT_ARGS)
		put_arguments(b);
	PUT(b, MOV_K(1, 2));
	cover_call(b, shape, index);
	PUT(b, CALL_FUNCTION(SUBPROGRAM));
}

static void put_function(struct body *b, const struct shape *shape, unsigned int index, unsigned int stack)
{
	if (shape->has & HAS_OUT_ARGS && index == SUBPROGRAM)
		get_arguments(b);
	for (unsigned int i = 0; i < 4; i++)
		if (shape->regs & 1u << i)
			PUT1(b, INSN(0xbf, 6 + i, 1 + i % 2, 0, 0)); /* R(6+i) = R1 or R2 */
	if (stack) {
		PUT1(b, STX(DW, 10, 1, -(int)stack));
		PUT(b, LDX(DW, 2, 10, -8), STX(B, 10, 2, -1));
	}
	if (shape->has & HAS_ZONES)
		put_zones(b);
	if (shape->has & HAS_ARENA)
		put_arena(b);
	if (shape->has & HAS_ATOMIC && stack)
		PUT(b, MOV_K(3, 1), ATOMIC(DW, 10, 3, -8, 1), MOV_X(4, 10), ADD_K(4, -8), STX(W, 4, 3, 0));
	if (shape->has & HAS_LOOP)
		PUT(b, MOV_K(3, 0), ADD_K(3, 1), J_K(JLT, 3, 3, -2));
	if (shape->has & HAS_MAY_GOTO)
		PUT(b, MOV_K(0, 0), INSN(0xe5, 0, 0, 2, 0) /* may_goto */, ADD_K(0, 1), J_K(JLT, 0, 3, -3));
	put_calls(b, shape, index);
	if (shape->has & HAS_TAIL_CALL && index != CALLBACK)
		PUT(b, LDDW(2, 1, 0, 0), MOV_K(3, 1), CALL_HELPER(HELPER_TAIL_CALL));
	if (shape->has & HAS_THROW && index != CALLBACK) {
		PUT(b, MOV_K(1, 5), J_K(JEQ, 0, 3, 1));
		cover_call(b, shape, index);
		PUT(b, CALL_KFUNC(0));
	}
	if (stack)
		PUT(b, LDX(DW, 2, 10, -8));
	PUT(b, LDDW(0, 0, 0x09abcdef - 0x7fffffff, 0x01234567), EXIT);
	put_pad(b, shape, stack);
}

/* ---- compiled ----------------------------------------------------------------------------------------- */

static const struct jf_import helpers[HELPER_TAIL_CALL + 1] = {
	[HELPER_NEAR] = {.name = "near", .address = HELPER_NEAR_ADDRESS},
	[HELPER_FAR] = {.name = "far", .address = HELPER_FAR_ADDRESS},
	[HELPER_TAIL_CALL] = {.name = "tail_call"},
};
static const struct jf_import kfuncs[] = {{.name = "throw", .address = THROW_ADDRESS, .throws = true},
					  {.name = "resume", .address = RESUME_ADDRESS, .resumes = true}};
static const struct jf_map_ref maps[] = {{.object = UINT64_C(0x7e2222222000)}};

static void add_call(struct subject *s, uint64_t address, enum call_kind kind)
{
	CHECK(s->call_count < SUBJECT_CALLS_MAX, "more call targets than %d", SUBJECT_CALLS_MAX);
	s->calls[s->call_count++] = (struct call_target){address, kind};
}

/* A stub has the name of what it calls. */
static enum call_kind image_kind(const struct jf_image_function *f)
{
	if (!f->is_stub)
		return TO_BPF;
	return !strcmp(f->name, kfuncs[0].name) ? TO_THROW : !strcmp(f->name, kfuncs[1].name) ? TO_RESUME : TO_STUB;
}

static void add_calls(struct subject *s, const struct jf_image *image)
{
	const struct jf_native *native = s->conv->backend->native;
	bool stubs = false;

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);

		stubs |= f->is_stub;
		if (!f->is_stub && (int32_t)i == image->callback)
			continue;
		if (i > 0)
			add_call(s, image->address + f->start, image_kind(f));
	}
	if (!stubs) {
		add_call(s, HELPER_NEAR_ADDRESS, TO_C);
		add_call(s, HELPER_FAR_ADDRESS, TO_C);
		add_call(s, THROW_ADDRESS, TO_THROW);
		add_call(s, RESUME_ADDRESS, TO_RESUME);
		add_call(s, CALL_REGISTER_ADDRESS, TO_C);
	}
	/* As the compiler has it where there is no native one. */
	add_call(s, native ? (uintptr_t)native->may_goto_start : UINT64_C(0x7fff00000000), TO_MAY_GOTO);
}

static void add_function(struct subjects *subjects, const struct jf_convention *conv, const struct jf_image *image,
			 uint32_t index, const uint8_t *bytes, const struct jf_values *values, const char *shape)
{
	const struct jf_image_function *f = jf_image_function_at(image, index);
	struct subject *s = &subjects->list[subjects->count++];

	CHECK(subjects->count <= SUBJECTS_MAX && f->size_bytes <= SUBJECT_CODE_MAX && f->row_count <= SUBJECT_ROWS_MAX,
	      "%s is too large", shape);
	memset(s, 0, sizeof(*s));
	s->conv = conv;
	s->is_stub = f->is_stub;
	s->frame = *f->frame;
	if (!f->is_stub && conv != image->conv)
		CHECK_STATUS(jf_frame_solve(conv, &f->frame->spec, &s->frame, NULL), JF_OK, "%s", shape);
	s->boundary = subjects->list[0].frame;
	s->values = *values;
	s->private_stack = values->private_stack + f->private_stack_off;
	memcpy(s->code, bytes + f->start, f->size_bytes);
	s->size = f->size_bytes;
	s->address = image->address + f->start;
	memcpy(s->rows, f->rows, f->row_count * sizeof(s->rows[0]));
	s->row_count = f->row_count;
	memcpy(s->row_slots, f->frame->slots, f->frame->slot_count * sizeof(s->row_slots[0]));
	s->row_slot_count = f->frame->slot_count;
	memcpy(s->marks, f->marks, sizeof(s->marks));
	CHECK(f->cleanup_count < SUBJECT_CLEANUPS_MAX, "%s has too many records", shape);
	s->cleanup_count = f->cleanup_count;
	if (f->cleanup_count)
		memcpy(s->cleanups, f->cleanups, f->cleanup_count * sizeof(s->cleanups[0]));
	if (!f->is_stub && jf_frame_calls_pads(&s->frame)) {
		s->spill_off = jf_frame_spill_off(&s->frame, JF_SLOT_SAVE);
		s->throw_off = jf_frame_spill_off(&s->frame, JF_SLOT_THROW);
	}
	add_calls(s, image);
	snprintf(s->name, sizeof(s->name), "%s/%s %s, %s", conv->backend->name, conv->name, shape,
		 f->is_stub ? f->name : jf_role_name((enum jf_role)f->frame->spec.role));
}

static void add_zones(struct subject *s, const struct jf_image_function *f, const struct body *b)
{
	for (unsigned int i = 0; i < ZONE__COUNT; i++) {
		s->zones[i].start = f->insn_off[b->zones[i].start];
		s->zones[i].end = f->insn_off[b->zones[i].end];
	}
}

static void add_functions(struct subjects *subjects, const struct jf_convention *conv, const struct jf_image *image,
			  const uint8_t *bytes, const struct jf_values *values, const struct shape *shape,
			  const struct body *bodies)
{
	for (uint32_t i = 0; i < image->function_count; i++) {
		add_function(subjects, conv, image, i, bytes, values, shape->name);
		if (i <= CALLBACK && !jf_image_function_at(image, i)->is_stub)
			add_zones(&subjects->list[i], jf_image_function_at(image, i), &bodies[i]);
	}
}

void subjects_make(struct subjects *subjects, const struct jf_convention *conv, const struct jf_convention *emitted,
		   const struct shape *shape)
{
	static uint8_t bytes[65536];
	struct body *bodies = calloc(3, sizeof(*bodies));
	struct jf_function functions[] = {{"main", bodies[MAIN].insns, 0},
					  {"sub", bodies[SUBPROGRAM].insns, 0},
					  {"callback", bodies[CALLBACK].insns, 0}};
	bool throws = shape->has & HAS_THROW;
	struct jf_cleanups cleanups[3] = {0};
	struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.cleanups = shape->has & HAS_CLEANUPS ? cleanups : NULL,
		.function_count = throws ? 3 : 2,
		.callback = throws ? CALLBACK : -1,
		.helpers = helpers,
		.helper_count = COUNT_OF(helpers),
		.kfuncs = kfuncs,
		.kfunc_count = COUNT_OF(kfuncs),
		.maps = maps,
		.map_count = COUNT_OF(maps),
		.arena_user_base = UINT64_C(0x7e0000000000),
		.call_register = {.name = "call_register", .address = CALL_REGISTER_ADDRESS},
	};
	struct jf_compile_opts opts = {
		.size = sizeof(opts),
		.landing_pads = shape->has & HAS_LANDING_PADS,
		.sign_return = shape->has & HAS_SIGN_RETURN,
		.private_stack = shape->has & HAS_PRIVATE_STACK,
		.values = {.arena_base = UINT64_C(0xffff800012345000),
			   .private_stack = UINT64_C(0x654321000),
			   .private_stack_word = 0x48},
	};
	struct jf_image *image;

	put_function(&bodies[MAIN], shape, MAIN, shape->main_stack);
	put_function(&bodies[SUBPROGRAM], shape, SUBPROGRAM, shape->sub_stack);
	put_function(&bodies[CALLBACK], shape, CALLBACK, shape->callback_stack);
	for (unsigned int i = 0; i <= CALLBACK; i++)
		functions[i].insn_count = bodies[i].count, cleanups[i] = bodies[i].table;
	subjects->count = 0;
	subjects->status = jf_compile(emitted, &program, &opts, bytes, sizeof(bytes), SUBJECT_ADDRESS, &image, NULL);
	if (subjects->status == JF_OK) {
		add_functions(subjects, conv, image, bytes, &opts.values, shape, bodies);
		jf_image_free(image);
	}
	free(bodies);
}

/* ---- the shapes ---------------------------------------------------------------------------------------- */

#define EXCEPTIONS (HAS_CALLS | HAS_SUB | HAS_THROW | HAS_ZONES)

const struct shape mutated_shapes[] = {
	{"calls", HAS_CALLS | HAS_SUB | HAS_ZONES, 0xf, 48, 24, 0},
	{"bare", HAS_CALLS | HAS_SUB | HAS_ZONES, 0, 0, 0, 0},
	{"throw", EXCEPTIONS, 0x5, 64, 16, 136},
	{"throw, tail calls", EXCEPTIONS | HAS_TAIL_CALL | HAS_LOOP, 0x3, 16, 0, 8},
	{"throw, arena", EXCEPTIONS | HAS_ARENA | HAS_ATOMIC, 0x8, 40, 32, 24},
	{"throw, may_goto", EXCEPTIONS | HAS_MAY_GOTO | HAS_CALL_REGISTER, 0x2, 24, 40, 48},
	{"throw, tail calls, arena", EXCEPTIONS | HAS_TAIL_CALL | HAS_ARENA, 0xf, 512, 80, 8},
	{"throw, private stack", EXCEPTIONS | HAS_PRIVATE_STACK, 0x1, 64, 96, 32},
	{"throw, out args", EXCEPTIONS | HAS_OUT_ARGS, 0x6, 32, 16, 200},
	{"throw, hardened", EXCEPTIONS | HAS_TAIL_CALL | HAS_LANDING_PADS | HAS_SIGN_RETURN, 0x9, 56, 8, 96},
	{"throw, landing pads", EXCEPTIONS | HAS_LANDING_PADS, 0x4, 8, 8, 0},
	{"cleanups", EXCEPTIONS | HAS_CLEANUPS, 0x5, 64, 16, 24},
	{"cleanups, tail calls, hardened",
	 EXCEPTIONS | HAS_CLEANUPS | HAS_TAIL_CALL | HAS_LANDING_PADS | HAS_SIGN_RETURN, 0xf, 16, 40, 0},
	{"cleanups, landing pads", EXCEPTIONS | HAS_CLEANUPS | HAS_LANDING_PADS | HAS_ARENA, 0xa, 8, 24, 8},
};
const unsigned int mutated_shape_count = COUNT_OF(mutated_shapes);
