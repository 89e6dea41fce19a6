/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Calls of C functions with types (struct jf_c_value): every type in every position of the arguments and as result, in
 * each convention of this processor. BPF code passes registers whose upper bits are dirty; C has to see the values that
 * plain C computes.
 */
#include <inttypes.h>
#include <jitframe/load.h>
#include <stdio.h>
#include <string.h>

#include "callees.h"
#include "each_convention.h"

enum call_kind { CALL_HELPER, CALL_KFUNC, CALL_REGISTER, CALL_KINDS };
static const char *const kind_names[CALL_KINDS] = {"helper", "kfunc", "call through a register"};

static const uint64_t edges[] = {
	0,
	1,
	6,
	0x7f,
	0x80,
	0xf2,
	0xff,
	0x7fff,
	0x8000,
	0xfff2,
	0xffff,
	0x7fffffff,
	0x80000000,
	0xfffffff2,
	0xffffffff,
	UINT64_C(0x7fffffffffffffff),
	UINT64_C(0x8000000000000000),
	UINT64_MAX,
};
#define EDGES (sizeof(edges) / sizeof(edges[0]))
static const uint64_t dirts[] = {0, UINT64_MAX, UINT64_C(0xa5a5a5a5a5a5a5a5), UINT64_C(0x5a5a5a5a5a5a5a5a)};
#define DIRTS (sizeof(dirts) / sizeof(dirts[0]))

/* What programs get as context. */
struct context {
	uint64_t args[JF_ARGS_MAX];
	uint64_t result;
};

struct run {
	const struct jf_convention *conv;
	enum call_kind kind;
	unsigned int count; /* of arguments */
	const struct jf_loaded *loaded;
	struct context context;
};

static unsigned int failures;

/* ---- the program ---------------------------------------------------------------------------------- */

#define R(dst, src)    ((uint8_t)((dst) | (src) << 4))
#define LDX_DW         0x79
#define STX_DW         0x7b
#define CALL           0x85
#define CALL_X         0x8d
#define ARGS_BASE      11
#define PROGRAM_MAX    (2 * JF_ARGS_MAX + 8)
#define CONTEXT(field) ((int16_t)offsetof(struct context, field))

static unsigned int put(struct jf_insn *insns, unsigned int n, uint8_t opcode, uint8_t regs, int16_t off, int32_t imm)
{
	insns[n] = (struct jf_insn){opcode, regs, off, imm};
	return n + 1;
}

/* r6 = ctx; arguments from ctx; call; ctx->result = r0; r0 = 0. out: *call: the call's index. */
static unsigned int make_program(struct jf_insn *insns, enum call_kind kind, unsigned int count, uint32_t *call)
{
	unsigned int n = put(insns, 0, 0xbf, R(6, 1), 0, 0);

	for (unsigned int i = 5; i < count; i++) {
		n = put(insns, n, LDX_DW, R(kind == CALL_REGISTER ? 7 : 0, 6), (int16_t)(CONTEXT(args) + 8 * (int)i),
			0);
		if (kind != CALL_REGISTER)
			n = put(insns, n, STX_DW, R(ARGS_BASE, 0), (int16_t)(-8 * (int)(i - 4)), 0);
	}
	for (unsigned int i = 0; i < 5; i++)
		n = put(insns, n, LDX_DW, R(i + 1, 6), (int16_t)(CONTEXT(args) + 8 * (int)i), 0);
	*call = n;
	if (kind == CALL_REGISTER)
		n = put(insns, n, CALL_X, R(7, 0), 0, 0);
	else
		n = put(insns, n, CALL, R(0, kind == CALL_KFUNC ? 2 : 0), 0, 0);
	n = put(insns, n, STX_DW, R(6, 0), CONTEXT(result), 0);
	n = put(insns, n, 0xb7, 0, 0, 0);
	return put(insns, n, 0x95, 0, 0, 0);
}

static struct jf_loaded *load(const struct jf_convention *conv, enum call_kind kind, unsigned int count,
			      const struct jf_import *import)
{
	struct jf_insn insns[PROGRAM_MAX];
	uint32_t call;
	const struct jf_function function = {"main", insns, make_program(insns, kind, count, &call)};
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = &function,
		.function_count = 1,
		.callback = -1,
		.helpers = import,
		.helper_count = 1,
		.kfuncs = import,
		.kfunc_count = 1,
		.call_register = *import,
	};
	struct jf_loaded *loaded = NULL;
	struct jf_error error = {0};
	const uint32_t *off;

	if (jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		fprintf(stderr, "%s/%s: %u arguments: %s: %s\n", conv->backend->name, conv->name, count, error.where,
			error.text);
		failures++;
		return NULL;
	}
	/* jf_compile_bound() counts on this. */
	off = jf_image_function_at(jf_loaded_image(loaded), 0)->insn_off;
	if (off[call + 1] - off[call] > conv->backend->bounds.insn_bytes) {
		fprintf(stderr, "%s/%s: a call of %u arguments has %" PRIu32 " bytes, over the bound of %u\n",
			conv->backend->name, conv->name, count, off[call + 1] - off[call],
			conv->backend->bounds.insn_bytes);
		failures++;
	}
	return loaded;
}

/* ---- arguments ------------------------------------------------------------------------------------ */

static uint64_t low_bits(const struct jf_c_value *value, bool is_bool)
{
	return is_bool ? 1 : value->bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * value->bytes) - 1;
}

/* The value in the low bits of its type, and dirt above. */
static uint64_t dirty(unsigned int type, uint64_t value, uint64_t dirt)
{
	const struct jf_c_value *c_type = &types[type].value;

	value &= low_bits(c_type, type == 0);
	return value | (dirt & ~low_bits(c_type, false));
}

static void compare(const struct run *r, unsigned int arg, unsigned int type)
{
	/* C makes 1 of any number that is to be a bool; a callee gets the low bit alone. */
	uint64_t given = type == 0 ? r->context.args[arg] & 1 : r->context.args[arg];
	struct seen want = callees_expect(type, given);

	if (memcmp(&want, &callees_seen[arg], sizeof(want)) == 0)
		return;
	if (failures++ < 40)
		fprintf(stderr,
			"%s/%s: %s, argument %u of %u, %s 0x%016" PRIx64 ": C saw 0x%" PRIx64 ", / 7 = 0x%" PRIx64
			", <= limit %" PRIu64 "; expected 0x%" PRIx64 ", 0x%" PRIx64 ", %" PRIu64 "\n",
			r->conv->backend->name, r->conv->name, kind_names[r->kind], arg + 1, r->count, types[type].name,
			r->context.args[arg], callees_seen[arg].whole, callees_seen[arg].seventh,
			callees_seen[arg].is_small, want.whole, want.seventh, want.is_small);
}

static void run_arguments(struct run *r, unsigned int first_type)
{
	for (unsigned int n = 0; n < EDGES * DIRTS; n++) {
		for (unsigned int i = 0; i < r->count; i++)
			r->context.args[i] = dirty((i + first_type) % TYPES, edges[(n + 5 * i) % EDGES],
						   dirts[(n / EDGES + i) % DIRTS]);
		memset(callees_seen, 0x33, sizeof(callees_seen));
		callees_limit = edges[(n + 3) % EDGES];
		jf_run(r->loaded, (uintptr_t)&r->context);
		for (unsigned int i = 0; i < r->count; i++)
			compare(r, i, (i + first_type) % TYPES);
		if (r->context.result != r->count && failures++ < 40)
			fprintf(stderr, "%s/%s: the function of %u arguments returned %" PRIu64 "\n",
				r->conv->backend->name, r->conv->name, r->count, r->context.result);
	}
}

static void check_arguments(const struct jf_convention *conv, enum call_kind kind, unsigned int count)
{
	for (unsigned int first = 0; first < TYPES; first++) {
		struct jf_import import = {.name = "take", .address = callees_take(count, first)};
		struct run r = {.conv = conv, .kind = kind, .count = count};
		struct jf_loaded *loaded;

		import.arg_count = kind == CALL_KFUNC && count > 5 ? (uint8_t)count : 0;
		for (unsigned int i = 0; i < count; i++)
			import.args[i] = types[(i + first) % TYPES].value;
		loaded = load(conv, kind, count, &import);
		if (!loaded)
			continue;
		r.loaded = loaded;
		run_arguments(&r, first);
		jf_unload(loaded);
	}
}

/* ---- results -------------------------------------------------------------------------------------- */

static void check_result(const struct jf_convention *conv, enum call_kind kind, unsigned int type)
{
	const struct jf_import import = {.name = "give", .address = callees_give(type), .result = types[type].value};
	unsigned int count = kind == CALL_REGISTER ? 6 : 5;
	struct jf_loaded *loaded = load(conv, kind, count, &import);
	struct context context = {{0}, 0};

	if (!loaded)
		return;
	for (unsigned int n = 0; n < EDGES * DIRTS; n++) {
		uint64_t want;

		context.args[0] = dirty(type, edges[n % EDGES], dirts[n / EDGES]);
		want = callees_expect(type, context.args[0]).whole;
		jf_run(loaded, (uintptr_t)&context);
		if (context.result != want && failures++ < 40)
			fprintf(stderr,
				"%s/%s: %s, result %s of 0x%016" PRIx64 ": R0 is 0x%" PRIx64 ", not 0x%" PRIx64 "\n",
				conv->backend->name, conv->name, kind_names[kind], types[type].name, context.args[0],
				context.result, want);
	}
	jf_unload(loaded);
}

/* How many arguments C functions of this convention may have. */
static unsigned int most_arguments(const struct jf_convention *conv)
{
	if (!jf_convention_supports(conv, JF_CAP_OUT_ARGS))
		return JF_REG_ARGS;
	if (conv->backend->call_stubs && conv->backend->call_stubs(conv))
		return JF_REG_ARGS + conv->extra_arg_regs;
	return JF_ARGS_MAX;
}

static int run_convention(const struct jf_convention *conv, const void *arg)
{
	static const unsigned int counts[] = {6, 8, 12};

	(void)arg;
	for (unsigned int kind = 0; kind < CALL_KINDS; kind++) {
		check_arguments(conv, kind, kind == CALL_REGISTER ? 6 : 5);
		for (unsigned int type = 0; type < TYPES; type++)
			check_result(conv, kind, type);
	}
	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i] <= most_arguments(conv))
			check_arguments(conv, CALL_KFUNC, counts[i]);
	printf("%s/%s: %u types, up to %u arguments: %u wrong\n", conv->backend->name, conv->name, TYPES,
	       most_arguments(conv), failures);
	return failures != 0;
}

int main(void)
{
	return each_convention(run_convention, NULL);
}
