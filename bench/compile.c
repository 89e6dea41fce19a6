/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * How long jf_compile() takes per BPF instruction: a long straight program of loads, stores, arithmetic and moves as
 * clang makes them; the same where no two stretches are alike, which no branch predictor learns ("mixed"); and a
 * branchy one, with a jump in every fourth instruction of such a mixture. First by the length of the program, for the
 * host and beside other JITs; then for every convention, as compiling is the same work on any host. DPDK's
 * rte_bpf_load() also verifies, and maps and unmaps pages: nothing of it compiles alone. Its programs go forwards, so
 * all do. Linux's JIT is the program of scripts/kernel-jit, which times itself.
 */

#include "dpdk.h"
#include "host.h"
#include "linux_jit.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSNS 65536
#define MOST  100000
#define BLOCK 64 /* instructions after which the straight program repeats itself, as unrolled loops do */
#define FIRST 70 /* instructions that give every register and stack slot a value, which verifiers ask for */

enum shape { STRAIGHT, MIXED, BRANCHY };

struct work {
	const struct jf_convention *conv;
	struct jf_program program;
	void *bytes;
	size_t capacity;
};

static uint32_t state;

static uint32_t random32(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

static struct jf_insn plain(void)
{
	static const uint8_t alu[] = {0x07, 0x0f, 0x17, 0x1f, 0x47, 0x4f, 0x57, 0x5f,
				      0x67, 0x77, 0xa7, 0xaf, 0xb7, 0xbf, 0x04, 0x0c};
	uint8_t dst = (uint8_t)(random32() % 10), src = (uint8_t)(random32() % 10), opcode;

	switch (random32() % 4) {
	case 0: /* dst = *(size *)(r10 + off) */
		opcode = (uint8_t)(0x61 + 8 * (random32() % 4));
		return (struct jf_insn){opcode, (uint8_t)(dst | 0xa0), (int16_t)(-8 * (1 + (int)(random32() % 60))), 0};
	case 1: /* *(u64 *)(r10 + off) = src: of a narrower store DPDK's verifier would take no wider load */
		return (struct jf_insn){0x7b, (uint8_t)(10 | src << 4), (int16_t)(-8 * (1 + (int)(random32() % 60))),
					0};
	default:
		opcode = alu[random32() % sizeof(alu)];
		if (opcode & 0x08)
			return (struct jf_insn){opcode, (uint8_t)(dst | src << 4), 0, 0};
		if ((opcode & 0xf0) == 0x60 || (opcode & 0xf0) == 0x70)
			return (struct jf_insn){opcode, dst, 0, (int32_t)(random32() % 63) + 1};
		return (struct jf_insn){opcode, dst, 0, (int32_t)(random32() % 3 ? random32() % 256 : random32())};
	}
}

static struct jf_insn jump(uint32_t index, uint32_t count)
{
	static const uint8_t conds[] = {0x15, 0x1d, 0x25, 0x55, 0x5d, 0x65, 0xa5, 0xad, 0xc5, 0x16, 0x1e, 0x56};
	uint8_t opcode = conds[random32() % sizeof(conds)];
	uint32_t span = 1 + random32() % 40;

	return (struct jf_insn){opcode, (uint8_t)(random32() % 10 | (opcode & 0x08 ? random32() % 10 << 4 : 0)),
				(int16_t)(index + 1 + span < count ? span : 0),
				opcode & 0x08 ? 0 : (int32_t)(random32() % 256)};
}

/* r0 to r9 = numbers, then the 60 words of the stack = r0. */
static struct jf_insn first(uint32_t index)
{
	if (index < 10)
		return (struct jf_insn){0xb7, (uint8_t)index, 0, (int32_t)index};
	return (struct jf_insn){0x7b, 10, (int16_t)(-8 * (int)(index - 9)), 0};
}

static struct jf_insn *make(enum shape shape, uint32_t count)
{
	struct jf_insn *insns = calloc(count, sizeof(*insns));

	if (!insns)
		bench_fail("no memory");
	state = 1;
	for (uint32_t i = 0; i + 1 < count; i++)
		insns[i] = i < FIRST                               ? first(i) :
			   shape == BRANCHY && i % 4 == 3          ? jump(i, count) :
			   shape == STRAIGHT && i >= FIRST + BLOCK ? insns[FIRST + (i - FIRST) % BLOCK] :
								     plain();
	insns[count - 1].opcode = 0x95;
	return insns;
}

static void compile(void *arg)
{
	struct work *w = arg;
	struct jf_image *image;
	struct jf_error error;

	if (jf_compile(w->conv, &w->program, NULL, w->bytes, w->capacity, 0x10000, &image, &error) != JF_OK)
		bench_fail("%s: %s: %s", w->conv->name, error.where, error.text);
	jf_image_free(image);
}

static struct work work_of(const struct jf_convention *conv, const struct jf_function *function)
{
	struct work w = {.conv = conv};

	w.program = (struct jf_program){
		.size = sizeof(w.program), .functions = function, .function_count = 1, .callback = -1};
	w.capacity = jf_compile_bound(conv, &w.program);
	w.bytes = malloc(w.capacity);
	if (!w.bytes)
		bench_fail("no memory");
	return w;
}

static void by_dpdk(void *arg)
{
	const struct work *w = arg;
	const char *reason;
	struct dpdk_program *program =
		dpdk_load(w->program.functions->insns, w->program.functions->insn_count, 0, &reason);

	if (program)
		dpdk_unload(program);
}

static void measure_length(const char *shape, const struct jf_insn *insns, uint32_t count)
{
	const struct jf_function function = {shape, insns, count};
	struct work w = work_of(host_convention(), &function);
	const char *reason;
	struct dpdk_program *program = dpdk_load(insns, count, 0, &reason);
	const struct bench_side sides[] = {
		{"jitframe", compile, &w, count},
		{"DPDK, with its verifier", program ? by_dpdk : NULL, &w, count},
	};
	char x[32];
	double samples[LINUX_JIT_SAMPLES];

	snprintf(x, sizeof(x), "%u", count);
	if (program)
		dpdk_unload(program);
	if (!program && strcmp(reason, "missing") != 0)
		bench_missing("DPDK refuses %u instructions, %s: %s", count, shape, reason);
	bench_turns(x, sides, COUNT(sides));
	if (!bench_ours_only() && linux_jit_time(&function, samples)) {
		double *ours = bench_samples(sides, 1, LINUX_JIT_SAMPLES);

		bench_add(x, "Linux's JIT", samples, LINUX_JIT_SAMPLES, ours);
		free(ours);
	}
	free(w.bytes);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"straight", "mixed", "branchy"};
	static const uint32_t lengths[] = {10, 100, 1000, 10000, MOST};
	const struct jf_backend *backend;

	bench_begin(argc, argv, "compile");
	for (enum shape shape = STRAIGHT; shape <= BRANCHY; shape++) {
		char title[64];

		snprintf(title, sizeof(title), "A %s program", names[shape]);
		bench_table(title, "BPF instructions", "ns per instruction");
		for (size_t i = 0; i < bench_size(COUNT(lengths), 2); i++) {
			struct jf_insn *insns = make(shape, lengths[i]);

			measure_length(names[shape], insns, lengths[i]);
			free(insns);
		}
	}
	for (enum shape shape = STRAIGHT; shape <= BRANCHY; shape++) {
		uint32_t count = (uint32_t)bench_size(INSNS, 100);
		struct jf_insn *insns = make(shape, count);
		const struct jf_function function = {names[shape], insns, count};
		char title[64];

		snprintf(title, sizeof(title), "A %s program of %u instructions", names[shape], count);
		bench_table(title, "convention", "ns per instruction");
		for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
			for (unsigned int k = 0; k < backend->convention_count; k++) {
				struct work w = work_of(backend->conventions[k], &function);
				const struct bench_side side = {"jitframe", compile, &w, count};
				char target[64];

				snprintf(target, sizeof(target), "%s/%s", backend->name, backend->conventions[k]->name);
				bench_turns(target, &side, 1);
				free(w.bytes);
			}
		}
		free(insns);
	}
	return bench_end();
}
