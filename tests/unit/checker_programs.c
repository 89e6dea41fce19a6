/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "checker.h"
#include "conventions.h"

#include <stdlib.h>
#include <string.h>

/* Whole programs as jf_compile() makes them: random bodies around calls, tail calls, loops, stacks. */

#define ADDRESS    UINT64_C(0x7f0000000000)
#define FAR_STUB   UINT64_C(0x7fff00000000) /* where images that cannot run have their may_goto stub */
#define BODY_MAX   48
#define FUNCTIONS  4
#define CODE_BYTES (1 << 17)
#define FINDINGS   16

static const struct jf_import imports[] = {
	{.name = "near", .address = ADDRESS + 0x40000},
	{.name = "far", .address = UINT64_C(0x123456789abcdef0)},
	{.name = "throw", .address = ADDRESS + 0x50000, .throws = true},
	{.name = "many", .address = ADDRESS + 0x60000, .arg_count = 10},
};

/* What a program may contain. */
enum {
	TAIL_CALLS = 1 << 0,
	ARENA = 1 << 1,
	LOOPS = 1 << 2, /* may_goto */
	THROWS = 1 << 3,
	OUT_ARGS = 1 << 4,
	CALLBACK = 1 << 5,
	STACK = 1 << 6,
};

struct body {
	struct rng rng;
	unsigned int features;
	struct jf_insn insns[BODY_MAX + 16];
	uint32_t count;
};

static void put(struct body *b, struct jf_insn insn)
{
	b->insns[b->count++] = insn;
}

static unsigned int any_reg(struct body *b)
{
	return rng_below(&b->rng, 10);
}

/* Addresses in the stack, also with an index that is not known. */
static void put_stack(struct body *b)
{
	unsigned int reg = any_reg(b), value = any_reg(b);
	int off = -8 * (int)(1 + rng_below(&b->rng, 8));

	switch (rng_below(&b->rng, 5)) {
	case 0: put(b, (struct jf_insn)STX(DW, 10, value, off)); break;
	case 1: put(b, (struct jf_insn)LDX(W, value, 10, off + 4)); break;
	case 2: put(b, (struct jf_insn)ATOMIC(DW, 10, value, off, 0x01)); break;
	default:
		if (value == reg)
			return;
		put(b, (struct jf_insn)LDX(B, value, value, 0));
		put(b, (struct jf_insn)MOV_X(reg, 10));
		put(b, (struct jf_insn)ADD_K(reg, off));
		if (rng_below(&b->rng, 2))
			put(b, (struct jf_insn)ADD_X(reg, value));
		put(b, (struct jf_insn)STX(B, reg, value, 0));
	}
}

static void put_call(struct body *b)
{
	switch (rng_below(&b->rng, 6)) {
	case 0: put(b, (struct jf_insn)CALL_FUNCTION(1)); return;
	case 1:
		if (b->features & TAIL_CALLS) {
			put(b, (struct jf_insn)CALL_HELPER(12));
			return;
		}
		break;
	case 2:
		if (b->features & OUT_ARGS) {
			for (int i = 1; i <= 5; i++)
				put(b, (struct jf_insn)STX(DW, 11, any_reg(b), -8 * i));
			put(b, (struct jf_insn)CALL_KFUNC(3));
			return;
		}
		break;
	case 3:
		if (b->features & THROWS) {
			put(b, (struct jf_insn)CALL_KFUNC(2));
			return;
		}
		break;
	}
	put(b, (struct jf_insn)CALL_HELPER(rng_below(&b->rng, 2)));
}

static void put_any(struct body *b)
{
	unsigned int dst = any_reg(b), src = any_reg(b);

	switch (rng_below(&b->rng, 10)) {
	case 0: put_call(b); break;
	/* No verifier lets a program see what lies above R10: the count, for example. */
	case 1: put(b, (struct jf_insn)LDX(DW, dst, src, -16)); break;
	case 2: put(b, (struct jf_insn)STX(W, dst, src, -300)); break;
	case 3: put(b, (struct jf_insn)ALU32_X(rng_below(&b->rng, 8), dst, src)); break;
	case 4: put(b, (struct jf_insn)ALU64_X(rng_below(&b->rng, 8), dst, src)); break;
	case 5:
		if (b->features & STACK)
			put_stack(b);
		break;
	case 6:
		if (b->features & ARENA)
			put(b, (struct jf_insn)INSN(0xbf, dst, src, 1, 1)); /* addr_space_cast to the arena's */
		break;
	case 7:
		put(b, (struct jf_insn)J_K(JGT, dst, (int)rng_below(&b->rng, 100), 0)); /* the targets come later */
		break;
	case 8:
		if (b->features & LOOPS)
			put(b, (struct jf_insn)INSN(0xe5, 0, 0, 0, 0));
		break;
	default: put(b, (struct jf_insn)MOV_K(dst, (int)rng_next(&b->rng)));
	}
}

static void make_body(struct body *b, unsigned int features, uint64_t seed)
{
	b->rng.state = seed;
	b->features = features;
	b->count = 0;
	/* No verifier lets a callback see its second and third argument, which are the boundary's SP and FP. */
	for (unsigned int reg = 2; reg <= 5; reg++)
		put(b, (struct jf_insn)MOV_K(reg, 0));
	while (b->count < BODY_MAX && rng_below(&b->rng, BODY_MAX))
		put_any(b);
	put(b, (struct jf_insn)EXIT);
	for (uint32_t i = 0; i < b->count; i++)
		if (b->insns[i].opcode == 0xe5 || b->insns[i].opcode == 0x25)
			b->insns[i].off = (int16_t)((int)rng_below(&b->rng, b->count) - (int)i - 1);
}

/* ---- one program on one convention ---------------------------------------------------------------------- */

static uint8_t code[CODE_BYTES];

struct counts {
	unsigned int programs, functions, calls, tail_exits;
};

/* Whether two rows find the caller's registers in the same places. */
static bool says_the_same(const struct jf_row *a, const struct jf_slot *a_slots, const struct jf_row *b,
			  const struct jf_slot *b_slots, unsigned int b_count)
{
	uint32_t found = 0;

	if (a->cfa_reg != b->cfa_reg || a->cfa_off != b->cfa_off || a->flags != b->flags)
		return false;
	for (unsigned int i = 0; i < 32; i++) {
		unsigned int k = 0;

		if (!(a->saved & UINT32_C(1) << i))
			continue;
		while (k < b_count &&
		       (b_slots[k].reg != a_slots[i].reg || b_slots[k].off_from_cfa != a_slots[i].off_from_cfa))
			k++;
		if (k == b_count)
			return false;
		found |= UINT32_C(1) << k;
	}
	return found == b->saved;
}

/* In the body the rows found are the emitted ones, word for word. */
static void check_rows(const struct jf_image *image, const struct jf_image_function *f,
		       const struct jf_check_input *input)
{
	static struct jf_row rows[4096];
	struct jf_slot slots[32];
	size_t row_count = COUNT_OF(rows), slot_count = 32;
	struct jf_error error = {0};

	CHECK_STATUS(jf_check_rows(input, rows, &row_count, slots, &slot_count, &error), JF_OK, "%s: %s: %s", f->name,
		     error.where, error.text);
	for (uint32_t i = 0; i < f->insn_count; i++) {
		uint32_t off = f->insn_off[i];
		const struct jf_row *found = jf_row_find(rows, row_count, off);
		const struct jf_row *emitted = jf_row_find(input->rows, input->row_count, off);

		if (found->flags & JF_ROW_UNKNOWN || off == f->insn_off[i + 1] || off == f->marks[JF_MARK_EPILOGUE])
			continue;
		CHECK(says_the_same(found, slots, emitted, f->frame->slots, f->frame->slot_count), "%s/%s %s, +0x%x",
		      image->conv->backend->name, image->conv->name, f->name, off);
	}
}

static void check_function(const struct jf_image *image, const struct jf_compile_opts *opts, uint32_t index,
			   struct counts *counts)
{
	const struct jf_image_function *f = jf_image_function_at(image, index);
	struct jf_check_input input = JF_CHECK_INPUT_INIT;
	struct jf_values values = opts->values;
	struct jf_finding findings[FINDINGS];
	struct jf_check_report report = {.size = sizeof(report), .findings = findings, .finding_capacity = FINDINGS};
	struct jf_check_target targets[16 + FUNCTIONS];
	struct jf_error error = {0};
	char text[2048];

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *other = jf_image_function_at(image, i);
		uint64_t start = image->address + other->start;

		targets[i] = (struct jf_check_target){start, start + other->size_bytes,
						      other->is_stub ? JF_TARGET_CALL_STUB : JF_TARGET_BPF};
	}
	targets[image->function_count] = (struct jf_check_target){FAR_STUB, FAR_STUB + 1, JF_TARGET_OWN_STUB};
	if (image->conv->backend->native) {
		const struct jf_native *native = image->conv->backend->native;

		targets[image->function_count].start = (uintptr_t)native->may_goto_start;
		targets[image->function_count].end = (uintptr_t)native->may_goto_end;
	}
	input.kind = f->is_stub ? JF_CHECK_CALL_STUB : JF_CHECK_FUNCTION;
	input.conv = image->conv;
	input.c_align = image->conv->backend->stack_align;
	input.bytes = code + f->start;
	input.byte_count = f->size_bytes;
	input.address = image->address + f->start;
	input.spec = f->frame->spec;
	input.boundary = &jf_image_function_at(image, 0)->frame->spec;
	values.private_stack += f->private_stack_off;
	input.values = &values;
	if (!f->is_stub)
		memcpy(input.marks, f->marks, sizeof(f->marks));
	input.rows = f->rows;
	input.row_count = f->row_count;
	input.slots = f->frame->slots;
	input.slot_count = f->frame->slot_count;
	input.targets = targets;
	input.target_count = image->function_count + 1;
	CHECK_STATUS(jf_check(&input, &report, &error), JF_OK, "%s: %s: %s", f->name, error.where, error.text);
	CHECK(is_clean(&report, known_findings(image->conv, &f->frame->spec), text, sizeof(text)), "%s/%s %s, %s:%s",
	      image->conv->backend->name, image->conv->name, jf_role_name((enum jf_role)f->frame->spec.role), f->name,
	      text);
	if (!f->is_stub)
		check_rows(image, f, &input);
	counts->functions++;
	counts->calls += (unsigned int)report.call_count;
	counts->tail_exits += report.tail_exit_count;
}

static void check_program(const struct jf_convention *conv, unsigned int features, uint64_t seed, struct counts *counts)
{
	static const char *const names[] = {"main", "sub", "deep", "callback"};
	static struct body bodies[FUNCTIONS];
	struct jf_function functions[FUNCTIONS];
	struct jf_program program = {.size = sizeof(program),
				     .functions = functions,
				     .callback = -1,
				     .helpers = imports,
				     .helper_count = COUNT_OF(imports),
				     .kfuncs = imports,
				     .kfunc_count = COUNT_OF(imports)};
	struct jf_compile_opts opts = {
		.size = sizeof(opts),
		.landing_pads = seed & 1,
		.sign_return = seed & 2,
		.private_stack = seed & 4,
		.values = {.arena_base = UINT64_C(0x7fe000000000), .private_stack = 4096, .private_stack_word = 0x78}};
	struct jf_error error = {0};
	struct jf_image *image;
	enum jf_status status;

	program.function_count = features & CALLBACK ? 4 : 3;
	program.callback = features & CALLBACK ? 3 : -1;
	for (uint32_t i = 0; i < program.function_count; i++) {
		unsigned int own = i == 3 ? features & ~(unsigned int)(TAIL_CALLS | THROWS | OUT_ARGS) : features;

		make_body(&bodies[i], own, seed * FUNCTIONS + i);
		functions[i] = (struct jf_function){names[i], bodies[i].insns, bodies[i].count};
	}
	opts.landing_pads &= jf_convention_supports(conv, JF_CAP_LANDING_PADS);
	opts.sign_return &= jf_convention_supports(conv, JF_CAP_SIGN_RETURN);
	opts.private_stack &= !(features & TAIL_CALLS) && jf_convention_supports(conv, JF_CAP_PRIVATE_STACK);
	status = jf_compile(conv, &program, &opts, code, sizeof(code), ADDRESS, &image, &error);
	if (status == JF_E_UNSUPPORTED || status == JF_E_BAD_SPEC)
		return;
	CHECK_STATUS(status, JF_OK, "%s: %s", error.where, error.text);
	for (uint32_t i = 0; i < image->function_count; i++)
		check_function(image, &opts, i, counts);
	counts->programs++;
	jf_image_free(image);
}

ALL_CONVENTIONS(checker, good_programs)
{
	const struct jf_convention *conv = convention_at(*index);
	struct counts counts = {0};

	needs_decoder(conv);
	for (unsigned int features = 0; features < 128; features++)
		for (uint64_t seed = 0; seed < 16 / ONE_OF; seed++)
			check_program(conv, features, features * 1000 + seed, &counts);
	CHECK(counts.programs > 300 / ONE_OF && counts.calls > 1000 / ONE_OF && counts.tail_exits > 50 / ONE_OF,
	      "%u programs, %u calls, %u tail exits", counts.programs, counts.calls, counts.tail_exits);
}
