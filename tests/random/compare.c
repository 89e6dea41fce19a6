/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare.h"

#include <inttypes.h>
#include <jitframe/fault.h>
#include <jitframe/load.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "interp.h"
#include "print.h"
#include "rng.h"
#include "world.h"

#define STEPS_MAX         400000
#define STACK_MAX         32000 /* INTERP_STACK_BYTES and an interrupt's worth apart */
#define PRIVATE_STACK_MAX 1024
#define MAY_GOTO_BYTES    16

static const char *const kind_names[] = {"single", "mixed", "long"};

bool compare_init(struct compare *c, const struct jf_convention *conv, enum compare_kind kind)
{
	memset(c, 0, sizeof(*c));
	c->conv = conv;
	c->kind = kind;
	c->opts = (struct generate_opts){
		.arena = jf_convention_supports(conv, JF_CAP_ARENA),
		.per_cpu = jf_convention_supports(conv, JF_CAP_USER_BASE),
		.stack_args = jf_convention_supports(conv, JF_CAP_OUT_ARGS) ? JF_OUT_ARGS_MAX : 0,
		.stack_max_bytes =
			conv->bpf_stack_max_bytes > STACK_MAX ? STACK_MAX : conv->bpf_stack_max_bytes - MAY_GOTO_BYTES,
	};
	c->opts.throws = jf_convention_supports(conv, JF_CAP_EXCEPTIONS);
	c->opts.cleanups = conv->cleanup_entry != JF_CLEANUP_NONE;
	c->opts.pad_args = conv->cleanup_entry == JF_CLEANUP_RESUMED;
	c->opts.c_stack_args = c->opts.stack_args;
	/* What a stub pushes would stand between the caller's arguments and C. */
	if (c->opts.stack_args && conv->backend->call_stubs && conv->backend->call_stubs(conv))
		c->opts.c_stack_args = conv->extra_arg_regs;
	if (!world_init()) {
		fprintf(stderr, "jf-random: no memory\n");
		return false;
	}
	if (jf_fault_handler_install() != JF_OK) {
		fprintf(stderr, "jf-random: no handler for faults in the arena\n");
		c->opts.arena = false;
	}
	return true;
}

void compare_fini(struct compare *c)
{
	generated_free(&c->generated);
}

void compare_tell(const struct compare *c, const char *what)
{
	fprintf(stderr, "%s/%s: %s\nagain: --target %s/%s --kind %s --seed %" PRIu64 " --count 1\nrun %" PRIu32 "\n",
		c->conv->backend->name, c->conv->name, what, c->conv->backend->name, c->conv->name, kind_names[c->kind],
		c->seed, c->run);
	if (c->generated.program.function_count && c->generated.insn_count < 4000)
		print_program(stderr, &c->generated.program);
	fflush(stderr);
}

/* ---- what both runs leave ----------------------------------------------------------------------- */

static void tell_words(const char *name, const uint8_t *want, const uint8_t *got, size_t size, int64_t first)
{
	for (size_t i = 0; i < size; i += 8) {
		uint64_t a, b;

		memcpy(&a, want + i, 8);
		memcpy(&b, got + i, 8);
		if (a != b)
			fprintf(stderr, "%s%+" PRId64 ": 0x%016" PRIx64 ", not 0x%016" PRIx64 "\n", name,
				first + (int64_t)i, b, a);
	}
}

static uint64_t visible(const struct jf_convention *conv, uint64_t r0)
{
	return conv->result_bits == 32 ? (uint64_t)(int64_t)(int32_t)(uint32_t)r0 : r0;
}

static bool same_outcome(const struct compare *c, const struct outcome *want, const struct outcome *got)
{
	uint64_t r0 = visible(c->conv, want->r0);

	if (r0 == got->r0 && want->calls == got->calls && want->call_count == got->call_count &&
	    !memcmp(want->ctx, got->ctx, sizeof(want->ctx)) && !memcmp(want->arena, got->arena, sizeof(want->arena)))
		return true;
	compare_tell(c, "interpreter and generated code differ");
	if (r0 != got->r0)
		fprintf(stderr, "r0: 0x%016" PRIx64 ", not 0x%016" PRIx64 "\n", got->r0, r0);
	if (want->calls != got->calls)
		fprintf(stderr, "calls of C differ: %" PRIu32 ", expected %" PRIu32 "\n", got->call_count,
			want->call_count);
	tell_words("ctx", want->ctx, got->ctx, sizeof(want->ctx), -(WORLD_CTX_TOTAL - WORLD_CTX_BYTES) / 2);
	tell_words("arena", want->arena, got->arena, sizeof(want->arena), 0);
	return false;
}

/* Control registers take no arbitrary value: their caller's stay in them. */
static bool is_checked(const struct jf_reg *reg)
{
	return reg->flags & JF_REG_CALLEE_SAVED && reg->cls != JF_REG_CONTROL;
}

static void fill_registers(const struct jf_backend *backend, struct jf_regs *in, uint64_t seed)
{
	memset(in, 0, sizeof(*in));
	for (unsigned int i = 0; i < backend->reg_count; i++) {
		if (is_checked(&backend->regs[i]))
			in->value[i] = rng_mix(seed + i);
		else if (backend->regs[i].cls == JF_REG_CONTROL)
			in->value[i] = backend->regs[i].control->at_start;
	}
}

static bool same_registers(const struct compare *c, const struct jf_regs *in, const struct jf_regs *out)
{
	const struct jf_backend *backend = c->conv->backend;

	for (unsigned int i = 0; i < backend->reg_count; i++) {
		const struct jf_reg *reg = &backend->regs[i];
		uint64_t mask = reg->size_bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * reg->size_bytes) - 1;

		if (is_checked(reg) && (in->value[i] ^ out->value[i]) & mask) {
			compare_tell(c, "a register of the caller has changed");
			fprintf(stderr, "%s: 0x%016" PRIx64 ", not 0x%016" PRIx64 "\n", reg->name, out->value[i],
				in->value[i]);
			return false;
		}
	}
	return true;
}

/* ---- the two runs ------------------------------------------------------------------------------- */

static void reset(const struct compare *c)
{
	world_reset(c->kind == COMPARE_SINGLE ? 0 : c->seed + c->run);
	if (c->kind == COMPARE_SINGLE)
		generate_single_operands((uint32_t)c->seed, c->run);
}

enum interpreted { INTERPRETED, ENDLESS, WRONG };

static enum interpreted interpret(const struct compare *c, struct outcome *want)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct interp in = {
		.program = &c->generated.program,
		.arena_base = (uintptr_t)world.arena,
		.arena_start = (uintptr_t)world.arena,
		.arena_end = (uintptr_t)world.arena + (page > WORLD_ARENA_BYTES ? page : WORLD_ARENA_BYTES),
		.per_cpu_base = (uintptr_t)__builtin_thread_pointer(),
		.steps_left = STEPS_MAX,
	};

	reset(c);
	if (interp_run(&in, (uintptr_t)world.ctx, 0, &want->r0)) {
		world_take(want);
		return INTERPRETED;
	}
	if (!strcmp(in.stopped, "too many steps"))
		return ENDLESS;
	compare_tell(c, in.stopped);
	fprintf(stderr, "interpreter, function %" PRIu32 ", instruction %" PRIu32 "\n", in.function, in.index);
	return WRONG;
}

static bool run_generated(const struct compare *c, const struct jf_loaded *loaded, struct outcome *got)
{
	struct jf_regs in, out;

	fill_registers(c->conv->backend, &in, c->seed + c->run);
	memset(&out, 0, sizeof(out));
	reset(c);
	got->r0 = jf_run_checked(loaded, (uintptr_t)world.ctx, &in, &out);
	world_take(got);
	if (jf_private_stack_check(loaded) != JF_OK) {
		compare_tell(c, "the guard of a private stack was written to");
		return false;
	}
	return same_registers(c, &in, &out);
}

static bool compare_runs(struct compare *c, const struct jf_loaded *loaded, uint32_t runs)
{
	struct outcome want, got;

	for (c->run = 0; c->run < runs; c->run++) {
		enum interpreted how = interpret(c, &want);

		if (how == WRONG)
			return false;
		if (how == ENDLESS) {
			c->endless++;
			continue;
		}
		if (!run_generated(c, loaded, &got) || !same_outcome(c, &want, &got))
			return false;
		c->runs++;
	}
	return true;
}

/* ---- a program ---------------------------------------------------------------------------------- */

static bool has_atomic_insns(const struct jf_convention *conv)
{
	const struct jf_native *native = conv->backend->native;

	return jf_convention_supports(conv, JF_CAP_ATOMIC_INSNS) && native && native->has_atomic_insns();
}

/* By the seed too: hardening, and where the stack is. */
static struct jf_compile_opts compile_opts(const struct compare *c, struct rng *rng)
{
	struct jf_compile_opts opts = {.size = sizeof(opts), .values = {.arena_base = (uintptr_t)world.arena}};

	opts.landing_pads = jf_convention_supports(c->conv, JF_CAP_LANDING_PADS) && rng_percent(rng, 25);
	opts.sign_return = jf_convention_supports(c->conv, JF_CAP_SIGN_RETURN) && rng_percent(rng, 25);
	opts.private_stack =
		jf_convention_supports(c->conv, JF_CAP_PRIVATE_STACK | JF_CAP_USER_BASE) && rng_percent(rng, 25);
	opts.atomic_insns = rng_percent(rng, 50) && has_atomic_insns(c->conv);
	return opts;
}

static bool excludes(const struct jf_convention *conv, uint16_t a, uint16_t b)
{
	for (unsigned int i = 0; i < conv->conflict_count; i++)
		if ((conv->conflicts[i].a == a && conv->conflicts[i].b == b) ||
		    (conv->conflicts[i].a == b && conv->conflicts[i].b == a))
			return true;
	return false;
}

static uint32_t generate(struct compare *c, const struct jf_compile_opts *opts)
{
	struct generate_opts limits = c->opts;
	uint32_t runs = 3;

	if (opts->private_stack && limits.stack_max_bytes > PRIVATE_STACK_MAX)
		limits.stack_max_bytes = PRIVATE_STACK_MAX;
	if (opts->private_stack && excludes(c->conv, JF_WHEN_PRIVATE_STACK, JF_WHEN_OUT_ARGS))
		limits.stack_args = limits.c_stack_args = 0;
	if (c->kind == COMPARE_SINGLE)
		generate_single(&c->generated, &limits, (uint32_t)c->seed, &runs);
	else if (c->kind == COMPARE_MIXED)
		generate_mixed(&c->generated, &limits, c->seed);
	else
		generate_long(&c->generated, &limits, c->seed);
	return runs;
}

/* Stacks whose use cannot be followed are taken to be large, and private ones are few. */
static enum jf_status load(const struct compare *c, struct jf_compile_opts *opts, struct jf_loaded **loaded,
			   struct jf_error *error)
{
	enum jf_status status = jf_load(c->conv, &c->generated.program, opts, NULL, loaded, error);

	if (status != JF_E_NO_MEMORY || !opts->private_stack)
		return status;
	opts->private_stack = false;
	return jf_load(c->conv, &c->generated.program, opts, NULL, loaded, error);
}

bool compare_program(struct compare *c, uint64_t seed)
{
	struct rng rng = {seed ^ UINT64_C(0x6f7074696f6e73)};
	struct jf_compile_opts opts = compile_opts(c, &rng);
	struct jf_error error = {0};
	struct jf_loaded *loaded;
	uint32_t runs;
	bool same;

	c->seed = seed;
	c->run = 0;
	runs = generate(c, &opts);
	c->programs++;
	if (load(c, &opts, &loaded, &error) != JF_OK) {
		c->refused++;
		if (!c->keep_going)
			compare_tell(c, "the compiler refuses a valid program");
		fprintf(stderr, "seed %" PRIu64 ": %s: %s: %s\n", seed, jf_status_name(error.status), error.where,
			error.text);
		return c->keep_going;
	}
	if (jf_loaded_image(loaded)->size_bytes > c->largest)
		c->largest = jf_loaded_image(loaded)->size_bytes;
	same = compare_runs(c, loaded, runs);
	jf_unload(loaded);
	return same;
}
