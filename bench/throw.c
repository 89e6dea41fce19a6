/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a throw costs, by how many frames lie between it and its boundary: BPF functions that call one another, or C
 * functions that a BPF program called. Beside it what else gets out of that many frames: _setjmp() and longjmp(), and a
 * C++ exception. Each is measured whole, from the call that enters the frames to its return with the result; "returns"
 * is the same program when its innermost function returns instead of throwing. Then what one further frame adds,
 * against a chase of frame pointers through the same frames, and what a boundary costs a call that throws nothing.
 */

#include "throw.h"
#include "host.h"
#include "measure.h"

#include <setjmp.h>
#include <stdlib.h>

#define REPEAT     1000
#define DEEP       64
#define PAD_FRAMES 16
#define TURNS      200

/* ---- BPF: main(depth) calls down, `depth` calls deep; the last function calls kfunc 0 ------------------------ */

/* Each ends in a clean-up pad, which resumes the throw by kfunc 1; without its last instruction it has none. */
static const struct jf_insn main_insns[] = {
	{0x85, 0x10, 0, 1}, /* call function 1 */
	{0x95, 0x00, 0, 0}, /* exit */
	{0x85, 0x20, 0, 1}, /* pad: call kfunc 1 */
};
static const struct jf_insn down_insns[] = {
	{0x17, 0x01, 0, 1}, /* r1 -= 1 */
	{0x55, 0x01, 2, 0}, /* if r1 != 0 goto call */
	{0x85, 0x20, 0, 0}, /* call kfunc 0 */
	{0x05, 0x00, 1, 0}, /* goto exit */
	{0x85, 0x10, 0, 1}, /* call function 1, this one */
	{0x95, 0x00, 0, 0}, /* exit */
	{0x85, 0x20, 0, 1}, /* pad: call kfunc 1 */
};
static const struct jf_cleanup main_record[] = {{0, 1, 2}}, down_record[] = {{4, 5, 6}};
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

/* The innermost function's frame and DEEP more, by the frame record alone. */
static int64_t fp_to_caller;
static unsigned int chase_frames;

static __attribute__((noinline)) uint64_t chase(uint64_t cookie)
{
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);

	for (unsigned int i = 0; i < chase_frames; i++)
		fp = *(const uintptr_t *)(fp + (uintptr_t)fp_to_caller);
	return cookie + fp;
}

static struct jf_loaded *load_bpf(uintptr_t kfunc)
{
	const struct jf_function functions[] = {
		{"main", main_insns, COUNT(main_insns) - 1},
		{"down", down_insns, COUNT(down_insns) - 1},
		{"callback", callback_insns, COUNT(callback_insns)},
	};

	return host_load(functions, COUNT(functions), true, kfunc);
}

/* main's frame has a clean-up pad, or each frame but the innermost one's. */
static struct jf_loaded *load_padded(bool each)
{
	const struct jf_function functions[] = {
		{"main", main_insns, COUNT(main_insns)},
		{"down", down_insns, COUNT(down_insns) - !each},
		{"callback", callback_insns, COUNT(callback_insns)},
	};
	const struct jf_cleanups cleanups[] = {{main_record, 1}, {down_record, each}, {NULL, 0}};

	return host_load_cleanups(functions, COUNT(functions), (uintptr_t)jf_throw, cleanups);
}

static struct jf_loaded *load_c(uintptr_t kfunc, bool boundary)
{
	const struct jf_function functions[] = {
		{"main", into_c_insns, COUNT(into_c_insns)},
		{"callback", callback_insns, COUNT(callback_insns)},
	};

	return host_load(functions, boundary ? 2 : 1, boundary, kfunc);
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

	chase_frames = w->depth;
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

	for (unsigned int i = 0; i < REPEAT / 20; i++)
		w->sum += cxx_throw(w->depth);
}
#else
#define run_cxx NULL
#endif

static __attribute__((noinline)) uint64_t protected_run(const struct jf_loaded *loaded)
{
	if (_setjmp(jump))
		return 1;
	return jf_run(loaded, 1);
}

static void run_setjmp(void *arg)
{
	struct work *w = arg;

	for (unsigned int i = 0; i < REPEAT; i++)
		w->sum += protected_run(w->loaded);
}

/* ---- tables ----------------------------------------------------------------------------------------------- */

static void measure_frames(const char *title, const struct jf_loaded *throws, const struct jf_loaded *returns)
{
	static const unsigned int depths[] = {1, 2, 4, 8, 16, 32, 64};

	bench_table(title, "frames", "ns");
	for (unsigned int i = 0; i < COUNT(depths); i++) {
		struct work thrower = {throws, depths[i], 0}, returner = {returns, depths[i], 0};
		const struct bench_side sides[] = {
			{"jitframe", run_jf, &thrower, REPEAT},
			{"_setjmp + longjmp", run_longjmp, &thrower, REPEAT},
			{"C++ throw and catch", run_cxx, &thrower, REPEAT / 20},
			{"returns", run_jf, &returner, REPEAT},
		};

		bench_turns_at(depths[i], sides, COUNT(sides));
	}
}

/* What the calls of DEEP frames cost more than those of one, without what entering and leaving the frames costs. */
static void add_frame(const char *x, const char *who, const double *deep, const double *flat, const double *calls_deep,
		      const double *calls_flat, double *values, const double *base, size_t turns)
{
	for (size_t t = 0; t < turns; t++)
		values[t] = (deep[t] - calls_deep[t] - flat[t] + calls_flat[t]) / (DEEP - 1);
	bench_add(x, who, values, turns, base ? base : values);
}

static void measure_further(const char *x, const struct jf_loaded *throws, const struct jf_loaded *returns,
			    const struct jf_loaded *chases)
{
	struct work works[] = {{throws, DEEP, 0}, {throws, 1, 0},    {returns, DEEP, 0},
			       {returns, 1, 0},   {chases, DEEP, 0}, {chases, 1, 0}};
	struct bench_side sides[COUNT(works)];
	size_t turns = bench_size(TURNS, 5), count = chases ? COUNT(works) : 4;
	double *s, *ours = calloc(turns, sizeof(*ours)), *theirs = calloc(turns, sizeof(*theirs));

	if (!ours || !theirs)
		bench_fail("no memory");
	for (size_t i = 0; i < COUNT(works); i++)
		sides[i] = (struct bench_side){"", run_jf, &works[i], REPEAT};
	s = bench_samples(sides, count, turns);
	add_frame(x, "jitframe", s, s + turns, s + 2 * turns, s + 3 * turns, ours, NULL, turns);
	if (chases)
		add_frame(x, "frame-pointer chase", s + 4 * turns, s + 5 * turns, s + 2 * turns, s + 3 * turns, theirs,
			  ours, turns);
	free(s);
	free(ours);
	free(theirs);
}

/* How much longer a call takes that could catch something than one that could not. */
static void measure_boundary(void)
{
	struct work bound = {load_c((uintptr_t)just_return, true), 1, 0},
		    plain = {load_c((uintptr_t)just_return, false), 1, 0};
	const struct bench_side sides[] = {
		{"plain", run_jf, &plain, REPEAT}, {"", run_jf, &bound, REPEAT}, {"", run_setjmp, &plain, REPEAT}};
	size_t turns = bench_size(TURNS, 5);
	double *s = bench_samples(sides, COUNT(sides), turns);

	bench_table("A call that could catch", "call", "ns");
	bench_add("whole", "jitframe", s + turns, turns, s + turns);
	bench_add("whole", "_setjmp around it", s + 2 * turns, turns, s + turns);
	bench_add("whole", "no boundary", s, turns, s + turns);
	for (size_t t = 0; t < turns; t++) {
		s[turns + t] -= s[t];
		s[2 * turns + t] -= s[t];
	}
	bench_add("what catching adds", "jitframe", s + turns, turns, s + turns);
	bench_add("what catching adds", "_setjmp around it", s + 2 * turns, turns, s + turns);
	free(s);
}

/* What pads add to a throw past PAD_FRAMES frames of functions. */
static void measure_pads(const struct jf_loaded *throws)
{
	struct work none = {throws, PAD_FRAMES, 0}, one = {load_padded(false), PAD_FRAMES, 0},
		    each = {load_padded(true), PAD_FRAMES, 0};
	const struct bench_side with_one[] = {{"jitframe", run_jf, &one, REPEAT}, {"no pad", run_jf, &none, REPEAT}};
	const struct bench_side with_each[] = {{"jitframe", run_jf, &each, REPEAT}, {"no pad", run_jf, &none, REPEAT}};

	bench_table("Call, throw, return: 16 BPF frames with clean-up pads", "pads", "ns");
	bench_turns_at(1, with_one, COUNT(with_one));
	bench_turns_at(PAD_FRAMES, with_each, COUNT(with_each));
}

int main(int argc, char **argv)
{
	const struct jf_loaded *bpf_returns, *bpf_throws, *c_side, *c_back;
	struct jf_slot record[JF_RECORD__COUNT];

	bench_begin(argc, argv, "throw");
#ifndef BENCH_CXX
	bench_missing("C++ throw and catch: no C++ compiler");
#endif
	if (jf_frame_record(host_convention(), record) != JF_OK)
		bench_fail("the convention has no frame record");
	fp_to_caller = record[JF_RECORD_FP].off_from_cfa - host_convention()->fp_off_from_cfa;
	bpf_throws = load_bpf((uintptr_t)jf_throw);
	bpf_returns = load_bpf((uintptr_t)just_return);
	c_side = load_c((uintptr_t)c_throws, true);
	c_back = load_c((uintptr_t)c_returns, true);
	measure_frames("Call, throw, return: BPF frames", bpf_throws, bpf_returns);
	measure_frames("Call, throw, return: C frames", c_side, c_back);
	bench_table("Each further frame of a throw", "frames of", "ns");
	measure_further("BPF", bpf_throws, bpf_returns, load_bpf((uintptr_t)chase));
	measure_further("C", c_side, c_back, NULL);
	measure_boundary();
	measure_pads(bpf_throws);
	return bench_end();
}
