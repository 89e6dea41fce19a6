/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a throw costs, by how many frames lie between it and its boundary: BPF functions that call one another, or
 * C functions that a BPF program called. Beside it what else gets out of that many frames: _setjmp() and longjmp(),
 * and a C++ exception. Each is measured whole, from the call that enters the frames to its return with the result;
 * `calls` is the same program when its innermost function returns instead of throwing.
 */

#include "throw.h"
#include "measure.h"

#include <jitframe/jitframe.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPEAT       2000

static const unsigned int depths[] = {1, 2, 4, 8, 16, 32, 64};

/* ---- BPF: main(depth) calls down, `depth` calls deep; the last function calls kfunc 0 ------------------------ */

static const struct jf_insn main_insns[] = {
	{0x85, 0x10, 0, 1}, /* call function 1 */
	{0x95, 0x00, 0, 0}, /* exit */
};
static const struct jf_insn down_insns[] = {
	{0x17, 0x01, 0, 1}, /* r1 -= 1 */
	{0x55, 0x01, 2, 0}, /* if r1 != 0 goto call */
	{0x85, 0x20, 0, 0}, /* call kfunc 0 */
	{0x05, 0x00, 1, 0}, /* goto exit */
	{0x85, 0x10, 0, 1}, /* call function 1, this one */
	{0x95, 0x00, 0, 0}, /* exit */
};
/* main(depth) calls C, which is as deep. */
static const struct jf_insn into_c_insns[] = {
	{0x85, 0x20, 0, 0}, /* call kfunc 0 */
	{0x95, 0x00, 0, 0}, /* exit */
};
static const struct jf_insn callback_insns[] = {
	{0xbf, 0x10, 0, 0}, /* r0 = r1 */
	{0x95, 0x00, 0, 0}, /* exit */
};

static uint64_t just_return(uint64_t cookie)
{
	return cookie;
}

/* Each frame holds something over its call, or it would not be one. */
static __attribute__((noinline, noclone)) uint64_t c_down(uint64_t depth, uint64_t (*end)(uint64_t))
{
	uint64_t result = depth > 1 ? c_down(depth - 1, end) : end(0);

	__asm__ volatile("" : "+r"(result) : "r"(depth));
	return result;
}

static uint64_t throw_it(uint64_t cookie)
{
	return (uint64_t)jf_throw(cookie);
}

static __attribute__((noinline)) uint64_t c_throws(uint64_t depth)
{
	uint64_t result = c_down(depth, throw_it);

	__asm__ volatile("" : "+r"(result));
	return result;
}

static __attribute__((noinline)) uint64_t c_returns(uint64_t depth)
{
	uint64_t result = c_down(depth, just_return);

	__asm__ volatile("" : "+r"(result));
	return result;
}

static struct jf_loaded *load(const struct jf_function *functions, uint32_t count, uintptr_t kfunc)
{
	const struct jf_import kfuncs[] = {{.name = "kfunc", .address = kfunc, .throws = true}};
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = count,
		.callback = (int32_t)count - 1,
		.kfuncs = kfuncs,
		.kfunc_count = COUNT(kfuncs),
	};
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_loaded *loaded = NULL;
	struct jf_error error = {.text = "there is no backend for this host"};
	char target[64];

	snprintf(target, sizeof(target), "%s/user", host ? host->name : "");
	if (!host || jf_convention_find(target, &conv, &error) != JF_OK ||
	    jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		fprintf(stderr, "%s: %s\n", error.where, error.text);
		exit(1);
	}
	return loaded;
}

static struct jf_loaded *load_bpf(uintptr_t kfunc)
{
	const struct jf_function functions[] = {
		{"main", main_insns, COUNT(main_insns)},
		{"down", down_insns, COUNT(down_insns)},
		{"callback", callback_insns, COUNT(callback_insns)},
	};

	return load(functions, COUNT(functions), kfunc);
}

static struct jf_loaded *load_c(uintptr_t kfunc)
{
	const struct jf_function functions[] = {
		{"main", into_c_insns, COUNT(into_c_insns)},
		{"callback", callback_insns, COUNT(callback_insns)},
	};

	return load(functions, COUNT(functions), kfunc);
}

/* ---- what is measured ------------------------------------------------------------------------------------- */

struct work {
	const struct jf_loaded *loaded;
	unsigned int depth;
	uint64_t sum;
};

static void run_jf(void *arg)
{
	struct work *w = arg;

	for (unsigned int i = 0; i < REPEAT; i++)
		w->sum += jf_run(w->loaded, w->depth);
}

static jmp_buf jump;

static uint64_t jump_out(uint64_t cookie)
{
	(void)cookie;
	longjmp(jump, 1);
}

/* A function, as jf_run() is one: it returns, which the processor did not foresee either. */
static __attribute__((noinline)) uint64_t protect(unsigned int depth)
{
	if (_setjmp(jump))
		return 1;
	return c_down(depth, jump_out);
}

static void run_longjmp(void *arg)
{
	struct work *w = arg;

	for (unsigned int i = 0; i < REPEAT; i++)
		w->sum += protect(w->depth);
}

#ifdef BENCH_CXX
static void run_cxx(void *arg)
{
	struct work *w = arg;

	for (unsigned int i = 0; i < REPEAT; i++)
		w->sum += cxx_throw(w->depth);
}
#endif

struct figures {
	struct measure jump, cxx, calls, throws;
};

static void print(const char *frames, unsigned int depth, const struct figures *f, json_t *rows)
{
	double alone = f->throws.median - f->calls.median;

	printf("%-8s %5u %9.2f %9.1f %9.2f %9.2f %9.2f %9.2f %9.1f\n", frames, depth, f->jump.median, f->cxx.median,
	       f->calls.median, f->throws.median, alone, f->throws.median / f->jump.median,
	       f->cxx.median / f->throws.median);
	json_array_append_new(rows,
			      json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:f}", "frames", frames, "depth", (int)depth,
					"setjmp_longjmp", measure_json(&f->jump), "cxx", measure_json(&f->cxx), "calls",
					measure_json(&f->calls), "throws", measure_json(&f->throws), "throw_to_longjmp",
					f->throws.median / f->jump.median));
}

static void measure_frames(const char *frames, const struct jf_loaded *throws, const struct jf_loaded *returns,
			   json_t *rows)
{
	double first = 0, last = 0;

	for (unsigned int i = 0; i < COUNT(depths); i++) {
		struct work thrower = {throws, depths[i], 0}, returner = {returns, depths[i], 0};
		struct figures f = {.cxx = {0}};

		f.jump = measure(run_longjmp, &thrower, REPEAT, 0.1);
#ifdef BENCH_CXX
		f.cxx = measure(run_cxx, &thrower, REPEAT, 0.1);
#endif
		f.calls = measure(run_jf, &returner, REPEAT, 0.1);
		f.throws = measure(run_jf, &thrower, REPEAT, 0.1);
		print(frames, depths[i], &f, rows);
		last = f.throws.median - f.calls.median;
		if (!i)
			first = last;
	}
	printf("%-8s each further frame: %.2f ns\n\n", frames,
	       (last - first) / (depths[COUNT(depths) - 1] - depths[0]));
}

int main(int argc, char **argv)
{
	json_t *rows = json_array();

	printf("nanoseconds; quartiles are in the JSON%s\n\n",
#ifdef BENCH_CXX
	       "");
#else
	       ". No C++ compiler: no figures for exceptions");
#endif
	printf("%-8s %5s %9s %9s %9s %9s %9s %9s %9s\n", "", "", "setjmp+", "C++", "", "", "throw", "throws/", "C++/");
	printf("%-8s %5s %9s %9s %9s %9s %9s %9s %9s\n", "frames", "depth", "longjmp", "exception", "calls", "throws",
	       "alone", "longjmp", "throws");
	measure_frames("BPF", load_bpf((uintptr_t)jf_throw), load_bpf((uintptr_t)just_return), rows);
	measure_frames("C", load_c((uintptr_t)c_throws), load_c((uintptr_t)c_returns), rows);
	return measure_finish(argc, argv, "throw", rows);
}
