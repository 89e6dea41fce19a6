/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "conventions.h"

#include <stdlib.h>
#include <string.h>

/*
 * Branch sizes settled in the code against a copy of each backend without struct jf_branches, for which
 * everything is emitted again until nothing changes: bytes, offsets, rows and faults have to be the same.
 */

#define INSNS_MAX 70000
#define FUNCTIONS 3
#define ADDRESS   UINT64_C(0x7f0000000000)

enum {
	WITH_CALLS = 1 << 0,
	WITH_ARENA = 1 << 1,
	WITH_TAIL_CALLS = 1 << 2,
	WITH_MAY_GOTO = 1 << 3,
	WITH__END = 1 << 4,
};

static const struct jf_import imports[] = {
	{.name = "near", .address = ADDRESS - 0x10000},
	{.name = "far", .address = UINT64_C(0x123456789abcdef0)},
	{.name = "throw", .address = ADDRESS - 0x20000, .throws = true},
};
static const struct jf_map_ref maps[] = {{ADDRESS - 0x30000, ADDRESS - 0x40000}};

static struct jf_insn plain(struct rng *rng, unsigned int with)
{
	unsigned int dst = rng_below(rng, 10), src = rng_below(rng, 10);
	int32_t imm = (int32_t)(rng_below(rng, 3) ? rng_below(rng, 256) : (uint32_t)rng_next(rng));

	if (with & WITH_ARENA && !rng_below(rng, 4))
		return rng_below(rng, 2) ? (struct jf_insn)INSN(0xa1 | DW, dst, src, 8 * rng_below(rng, 20), 0) :
					   (struct jf_insn)INSN(0xa3 | W, dst, src, 8 * rng_below(rng, 20), 0);
	switch (rng_below(rng, 5)) {
	case 0: return (struct jf_insn)LDX(W, dst, 10, -8 * (int)(1 + rng_below(rng, 30)));
	case 1: return (struct jf_insn)STX(DW, 10, src, -8 * (int)(1 + rng_below(rng, 30)));
	case 2: return (struct jf_insn)ALU64_K(XOR, dst, imm);
	case 3: return (struct jf_insn)ALU64_X(DIV, dst, src);
	default: return (struct jf_insn)ADD_X(dst, src);
	}
}

/* Calls, addresses: what depends on where it lies. returns: how many instructions. */
static uint32_t placed(struct rng *rng, unsigned int with, struct jf_insn *insn)
{
	const struct jf_insn forms[][2] = {
		{CALL_HELPER(rng_below(rng, 3))},
		{CALL_FUNCTION(1 + rng_below(rng, FUNCTIONS - 1))},
		{LDDW(rng_below(rng, 10), 4, 1 + rng_below(rng, FUNCTIONS - 1), 0)},
		{LDDW(rng_below(rng, 10), rng_below(rng, 2) ? 1 : 0, 0, rng_below(rng, 2))},
		{CALL_HELPER(12)},
	};
	uint32_t form = rng_below(rng, with & WITH_TAIL_CALLS ? 5 : 4);
	uint32_t count = forms[form][0].opcode == 0x18 ? 2 : 1;

	memcpy(insn, forms[form], count * sizeof(*insn));
	if (form == 3 && insn->regs >> 4 == 1)
		insn[1].imm = 0;
	return count;
}

static struct jf_insn jump(struct rng *rng, unsigned int with)
{
	static const uint8_t codes[] = {JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE};
	unsigned int code = codes[rng_below(rng, sizeof(codes))], dst = rng_below(rng, 10);

	if (with & WITH_MAY_GOTO && !rng_below(rng, 8))
		return (struct jf_insn)INSN(0xe5, 0, 0, 0, 0);
	switch (rng_below(rng, 8)) {
	case 0: return (struct jf_insn)JAL(0);
	case 1: return (struct jf_insn)JA(0);
	case 2: return (struct jf_insn)J32_X(code, dst, rng_below(rng, 10), 0);
	case 3: return (struct jf_insn)J_X(code, dst, rng_below(rng, 10), 0);
	case 4: return (struct jf_insn)EXIT;
	default: return (struct jf_insn)J_K(code, dst, rng_below(rng, 4) ? 1u << rng_below(rng, 8) : 0, 0);
	}
}

static bool is_jump(uint8_t opcode)
{
	return ((opcode & 7) == 5 || (opcode & 7) == 6) && opcode != 0x85 && opcode != 0x95;
}

/* A target within `span`, on either side, that is not the second half of anything. */
static void aim(struct rng *rng, struct jf_insn *insns, uint32_t count, uint32_t i, uint32_t span)
{
	int64_t to = (int64_t)i + 1 + rng_below(rng, 2 * span) - span;

	if (to < 0 || to >= count)
		to = (int64_t)i + 1;
	while (insns[to].opcode == 0)
		to++;
	if (insns[i].opcode == 0x06)
		insns[i].imm = (int32_t)(to - i - 1);
	else if (to - i - 1 == (int16_t)(to - i - 1))
		insns[i].off = (int16_t)(to - i - 1);
}

static uint32_t make(struct rng *rng, unsigned int with, struct jf_insn *insns, uint32_t most, uint32_t span)
{
	uint32_t count = 0, length = 1 + rng_below(rng, most - 4);

	while (count < length) {
		uint32_t kind = rng_below(rng, 40);

		if (kind < 10)
			insns[count++] = jump(rng, with);
		else if (kind == 10 && with & WITH_CALLS)
			count += placed(rng, with, &insns[count]);
		else
			insns[count++] = plain(rng, with);
	}
	insns[count++] = (struct jf_insn)EXIT;
	for (uint32_t i = 0; i < count; i++)
		if (is_jump(insns[i].opcode))
			aim(rng, insns, count, i, rng_below(rng, 16) ? span : count);
	return count;
}

static void compare_functions(const struct jf_image_function *f, const struct jf_image_function *g, const char *what,
			      uint32_t i)
{
	CHECK(f->start == g->start && f->size_bytes == g->size_bytes, "%s: function %u", what, i);
	CHECK(!memcmp(f->marks, g->marks, sizeof(f->marks)), "%s: marks of function %u", what, i);
	for (uint32_t k = 0; g->insn_off && k <= g->insn_count; k++)
		CHECK(f->insn_off[k] == g->insn_off[k], "%s: function %u, instruction %u at %u, not %u", what, i, k,
		      f->insn_off[k], g->insn_off[k]);
	CHECK(f->row_count == g->row_count, "%s: function %u: %u rows, not %u", what, i, f->row_count, g->row_count);
	for (uint32_t k = 0; k < g->row_count; k++)
		CHECK(f->rows[k].code_off == g->rows[k].code_off && jf_row_same(&f->rows[k], &g->rows[k]),
		      "%s: function %u, row %u", what, i, k);
	CHECK(f->fault_count == g->fault_count, "%s: function %u: %u faults, not %u", what, i, f->fault_count,
	      g->fault_count);
	for (uint32_t k = 0; k < g->fault_count; k++)
		CHECK(f->faults[k].start_off == g->faults[k].start_off &&
			      f->faults[k].end_off == g->faults[k].end_off &&
			      f->faults[k].resume_off == g->faults[k].resume_off &&
			      f->faults[k].reg == g->faults[k].reg,
		      "%s: function %u, fault %u", what, i, k);
}

static void compare(const struct jf_image *a, const struct jf_image *b, const uint8_t *code_a, const uint8_t *code_b,
		    const char *what)
{
	CHECK(a->size_bytes == b->size_bytes, "%s: %zu bytes, not %zu", what, a->size_bytes, b->size_bytes);
	for (uint32_t i = 0; i < b->function_count; i++)
		compare_functions(jf_image_function_at(a, i), jf_image_function_at(b, i), what, i);
	for (size_t i = 0; i < b->size_bytes; i++)
		CHECK(code_a[i] == code_b[i], "%s: byte %zu is %02x, not %02x", what, i, code_a[i], code_b[i]);
}

/* What a piece of the program takes is no more than the backend says of all such pieces. */
static void check_bounds(const struct jf_image *image, const struct jf_program *program, const char *what)
{
	const struct jf_code_bounds *most = &image->conv->backend->bounds;

	for (uint32_t i = 0; i < program->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);
		uint32_t body = f->insn_off[f->insn_count] - f->insn_off[0];

		CHECK(f->size_bytes - body <= most->function_bytes, "%s: %u bytes around function %u", what,
		      f->size_bytes - body, i);
		for (uint32_t k = 0; k < f->insn_count; k++) {
			const struct jf_insn *insn = &program->functions[i].insns[k];
			bool tail_call = insn->opcode == 0x85 && insn->imm == 12 && insn->regs >> 4 == 0;
			uint32_t bytes = f->insn_off[k + 1] - f->insn_off[k];

			CHECK(bytes <= (tail_call ? most->tail_call_bytes : most->insn_bytes),
			      "%s: function %u, instruction %u is %u bytes", what, i, k, bytes);
		}
	}
}

/* returns: how often the reference was emitted, 0 when the program is not for this convention. */
static uint32_t both_ways(const struct jf_convention *conv, const struct jf_program *program,
			  const struct jf_compile_opts *opts, const char *what)
{
	struct jf_backend backend = *conv->backend;
	struct jf_convention passes = *conv;
	size_t bound = jf_compile_bound(conv, program);
	uint8_t *code = malloc(bound), *wanted = malloc(bound);
	struct jf_image *image, *reference;
	struct jf_error error;
	enum jf_status status;
	uint32_t count = 0;

	CHECK(backend.branches && code && wanted, "%s", what);
	backend.branches = NULL;
	passes.backend = &backend;
	status = jf_compile(&passes, program, opts, wanted, bound, ADDRESS, &reference, &error);
	CHECK_STATUS(jf_compile(conv, program, opts, code, bound, ADDRESS, &image, &error), status, "%s: %s: %s", what,
		     error.where, error.text);
	if (status == JF_OK) {
		count = reference->passes;
		compare(image, reference, code, wanted, what);
		check_bounds(image, program, what);
		CHECK(image->passes == 1, "%s: %u passes", what, image->passes);
		jf_image_free(image);
		jf_image_free(reference);
	} else {
		CHECK(status == JF_E_UNSUPPORTED || status == JF_E_BAD_SPEC, "%s: %s: %s", what, error.where,
		      error.text);
	}
	free(code);
	free(wanted);
	return count;
}

static uint32_t random_program(struct rng *rng, const struct jf_convention *conv, unsigned int with, uint32_t most,
			       uint32_t span, const char *what)
{
	static struct jf_insn insns[FUNCTIONS][INSNS_MAX];
	struct jf_function functions[FUNCTIONS] = {{.name = "main"}, {.name = "one"}, {.name = "two"}};
	const struct jf_program program = {
		.size = sizeof(struct jf_program),
		.functions = functions,
		.function_count = FUNCTIONS,
		.callback = -1,
		.helpers = imports,
		.helper_count = 3,
		.maps = maps,
		.map_count = 1,
	};
	const struct jf_compile_opts opts = {.size = sizeof(opts), .private_stack = !rng_below(rng, 4)};

	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		functions[i].insns = insns[i];
		functions[i].insn_count = make(rng, with, insns[i], most, span);
	}
	return both_ways(conv, &program, &opts, what);
}

ALL_CONVENTIONS(settle, random_programs)
{
	const struct jf_convention *conv = convention_at(*index);
	struct rng rng = {41 + *index};
	uint32_t compiled = 0, most_passes = 0;
	char what[80];

	for (unsigned int round = 0; round < 240; round++) {
		unsigned int with = round % WITH__END;
		uint32_t passes;

		snprintf(what, sizeof(what), "%s/%s, round %u", conv->backend->name, conv->name, round);
		passes = random_program(&rng, conv, with, round % 5 ? 400 : 4000, 1 + rng_below(&rng, 60), what);
		compiled += passes != 0;
		most_passes = passes > most_passes ? passes : most_passes;
	}
	CHECK(compiled > 100, "%s/%s: %u programs", conv->backend->name, conv->name, compiled);
	CHECK(most_passes > 1, "%s/%s: %u passes", conv->backend->name, conv->name, most_passes);
}

/* So long that some branches reach their targets nowhere in their short form. */
ALL_CONVENTIONS(settle, long_programs)
{
	const struct jf_convention *conv = convention_at(*index);
	struct rng rng = {43 + *index};
	char what[80];

	for (unsigned int round = 0; round < 4; round++) {
		snprintf(what, sizeof(what), "%s/%s, round %u", conv->backend->name, conv->name, round);
		random_program(&rng, conv, round & 1 ? 0 : WITH_CALLS | WITH_ARENA, INSNS_MAX, 30000, what);
	}
}

/* How many bytes an instruction is on this convention. */
static uint32_t size_on(const struct jf_convention *conv, struct jf_insn insn)
{
	const struct jf_insn insns[] = {insn, EXIT};
	const struct jf_function function = FUNCTION("main", insns);
	const struct jf_program program = {
		.size = sizeof(struct jf_program), .functions = &function, .function_count = 1, .callback = -1};
	uint8_t code[4096];
	struct jf_image *image;
	uint32_t size;

	CHECK_STATUS(jf_compile(conv, &program, NULL, code, sizeof(code), ADDRESS, &image, NULL), JF_OK, "%s",
		     conv->name);
	size = jf_image_function_at(image, 0)->insn_off[1] - jf_image_function_at(image, 0)->insn_off[0];
	jf_image_free(image);
	return size;
}

/*
 * Two branches over one another's code, each to behind or to the other, over n instructions; the last of them
 * takes a few bytes more where there are such: at every distance around the limit of a short form.
 */
ALL_CONVENTIONS(settle, at_the_limits)
{
	const struct jf_convention *conv = convention_at(*index);
	const struct jf_insn filler = ALU64_K(XOR, 6, 0x11223344), other = ALU64_X(ADD, 1, 2);
	/* Tests of a bit, of zero, comparisons, and always. */
	const struct jf_insn branches[] = {J_K(JSET, 1, 2, 0), J_K(JEQ, 1, 0, 0), J_X(JGT, 1, 2, 0), JAL(0)};
	uint32_t middle = conv->backend->branches->forms[JF_BRANCH_IF][0].reach / size_on(conv, filler);
	static struct jf_insn insns[INSNS_MAX];
	struct jf_function function = {"main", insns, 0};
	const struct jf_program program = {
		.size = sizeof(struct jf_program), .functions = &function, .function_count = 1, .callback = -1};
	char what[80];

	for (uint32_t n = middle < 8 ? 1 : middle - 8; n < middle + 8; n++) {
		for (unsigned int kind = 0; kind < 4 * COUNT_OF(branches); kind++) {
			uint32_t count = 0;

			insns[count++] = branches[kind % 4];
			while (count <= n)
				insns[count++] = filler;
			for (unsigned int i = 0; i < kind / 4; i++)
				insns[count++] = other;
			insns[count] = branches[kind % 4];
			if (insns[0].opcode == 0x06) {
				insns[0].imm = (int32_t)count;
				insns[count].imm = -(int32_t)count;
			} else {
				insns[0].off = (int16_t)count;
				insns[count].off = (int16_t)-count;
			}
			insns[++count] = (struct jf_insn)EXIT;
			function.insn_count = count + 1;
			snprintf(what, sizeof(what), "%s/%s, %u instructions, branch %u", conv->backend->name,
				 conv->name, n, kind);
			CHECK(both_ways(conv, &program, NULL, what) > 0, "%s", what);
		}
	}
}
