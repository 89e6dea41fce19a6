/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * How long emitted code runs: programs of programs.c by jitframe, DPDK's JIT, Linux's JIT, and clang -O2. All results
 * are compared before the time is taken. The object with the BPF code is the argument.
 */

#include "../dpdk.h"
#include "../host.h"
#include "../linux_jit.h"
#include "../measure.h"
#include "open.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REPEAT             200
#define NATIVE(name, flow) uint64_t native_##name(const struct data *data);
PROGRAMS(NATIVE)

static const struct {
	const char *name, *flow;
	uint64_t (*native)(const struct data *data);
} programs[] = {
#define PROGRAM(name, flow) {#name, flow, native_##name},
	PROGRAMS(PROGRAM)};

static struct data data;

/* ---- one program by everybody --------------------------------------------------------------------------------- */

typedef uint64_t (*code)(const struct data *data);

static code code_at(uint64_t address)
{
	code at;

	memcpy(&at, &address, sizeof(at));
	return at;
}

static void repeat(void *arg)
{
	code run = *(code *)arg;

	for (unsigned int i = 0; i < REPEAT; i++)
		run(&data);
}

/* Linux's code, in pages of this process. It calls nothing, so where it lies does not matter. returns: NULL:
 * missing. */
static code place(const struct jf_function *function, uint32_t stack_bytes)
{
	uint8_t *bytes;
	size_t size = linux_jit_code(function, stack_bytes, &bytes);
	void *pages;

	if (!size)
		return NULL;
	pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		bench_fail("no pages");
	memcpy(pages, bytes, size);
	free(bytes);
	if (mprotect(pages, size, PROT_READ | PROT_EXEC))
		bench_fail("no pages for code");
	__builtin___clear_cache(pages, (char *)pages + size);
	return code_at((uintptr_t)pages);
}

static void measure_program(unsigned int which, const struct jf_program *program)
{
	const struct jf_function *main_function = program->functions;
	struct dpdk_program *dpdk;
	struct jf_loaded *loaded;
	struct jf_error error;
	const char *reason;
	code codes[4] = {NULL};
	static const char *const who[] = {"jitframe", "clang -O2", "DPDK", "Linux's JIT"};
	struct bench_side sides[COUNT(codes)];

	if (jf_load(host_convention(), program, NULL, NULL, &loaded, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
	codes[0] = code_at(jf_loaded_entry(loaded));
	codes[1] = programs[which].native;
	dpdk = dpdk_load(main_function->insns, main_function->insn_count, sizeof(data), &reason);
	if (dpdk)
		codes[2] = (code)(void *)dpdk_code(dpdk);
	else if (strcmp(programs[which].flow, "forward") == 0)
		bench_missing("DPDK refuses %s: %s", programs[which].name, reason);
	if (!bench_ours_only())
		codes[3] = place(main_function,
				 jf_image_function_at(jf_loaded_image(loaded), 0)->frame->spec.bpf_stack_bytes);
	for (unsigned int i = 0; i < COUNT(codes); i++) {
		sides[i] = (struct bench_side){who[i], codes[i] ? repeat : NULL, &codes[i], REPEAT};
		if (codes[i] && codes[i](&data) != codes[1](&data))
			bench_fail("%s: %s returns something else than clang -O2", programs[which].name, who[i]);
	}
	bench_turns(programs[which].name, sides, COUNT(sides));
	if (dpdk)
		dpdk_unload(dpdk);
	jf_unload(loaded);
}

int main(int argc, char **argv)
{
	int first = bench_begin(argc, argv, "run");

	if (first >= argc)
		bench_fail("give the object of programs.c");
	programs_data(&data);
	programs_open(argv[first]);
	if (jf_thread_init() != JF_OK)
		bench_fail("no thread");
	bench_table("Emitted code, one run", "program", "ns");
	for (unsigned int i = 0; i < bench_size(COUNT(programs), 3); i++) {
		struct bundle_selection selection;

		programs_select(programs[i].name, &selection);
		measure_program(i, &selection.program);
		bundle_selection_free(&selection);
	}
	return bench_end();
}
