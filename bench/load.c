/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a program costs that is loaded: time and memory for up to a million programs of two instructions, the time to
 * load and unload one more beside them, and the same while two threads run other programs. The peers: pages of its own
 * (mmap, a copy of the code, mprotect, munmap), DPDK's JIT, and what __register_frame() of libgcc costs, which a JIT
 * calls for each function whose frames C++ exceptions shall pass. With an argument as "cfi,gdb" programs are published
 * meanwhile.
 */

#include "dpdk.h"
#include "host.h"
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROGRAMS  1000000
#define ONE_MORES 100
#define OTHERS    2
/* Each of DPDK's programs takes two mappings, and Linux gives a process 65,530. */
#define DPDK_MAX 10000

static const struct jf_insn insns[] = {{.opcode = 0xb7, .imm = 7}, {.opcode = 0x95}}; /* r0 = 7; exit */
static const struct jf_function function = {"main", insns, COUNT(insns)};

static struct jf_loaded *loaded[PROGRAMS];
static struct dpdk_program *dpdk[DPDK_MAX];
static size_t dpdk_count;

static struct jf_loaded *load(void)
{
	return host_load(&function, 1, false, (uintptr_t)abort);
}

static void unload(struct jf_loaded *one)
{
	if (jf_unload(one) != JF_OK)
		bench_fail("a program does not unload");
}

/* ---- who loads and unloads one more ------------------------------------------------------------------------- */

static void one_more(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++)
		unload(load());
}

static void one_more_runs(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++) {
		struct jf_loaded *one = load();

		if (jf_run(one, 0) != 7)
			bench_fail("a program returns something else");
		unload(one);
	}
}

/* The ones in the middle, which leave gaps, and back again. */
static void change_some(void *arg)
{
	size_t count = *(const size_t *)arg;

	for (size_t i = 0; i < ONE_MORES; i++) {
		size_t which = i * 611953 % count;

		unload(loaded[which]);
		loaded[which] = load();
	}
}

static void pages_of_its_own(void *arg)
{
	uint8_t code[64] = {0};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++) {
		void *pages = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED)
			bench_fail("no pages");
		memcpy(pages, code, sizeof(code));
		if (mprotect(pages, page, PROT_READ | PROT_EXEC) || munmap(pages, page))
			bench_fail("pages cannot be changed");
	}
}

static void one_more_dpdk(void *arg)
{
	const char *reason;

	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++)
		dpdk_unload(dpdk_load(insns, COUNT(insns), 0, &reason));
}

/* ---- libgcc ------------------------------------------------------------------------------------------------- */

extern void __register_frame(void *);
extern void __deregister_frame(void *);
extern const void *_Unwind_Find_FDE(void *, void *);

/* The frame entries of one function each, at addresses where nothing is. */
static uint8_t (*frames)[128];
static size_t frame_count;

static void make_frame(size_t index)
{
	const struct jf_row row = {.cfa_off = 16, .cfa_reg = host_convention()->backend->sp};
	uint64_t address = (uintptr_t)frames + 0x10000000 + index * 64;
	struct jf_cfi_writer writer;
	struct jf_error error;

	if (jf_cfi_writer_init(&writer, host_convention()->backend, frames[index], sizeof(frames[index]),
			       (uintptr_t)frames[index]) != JF_OK ||
	    jf_cfi_write_rows(&writer, address, address + 64, &row, 1, NULL, 0, &error) != JF_OK ||
	    jf_cfi_write_end(&writer) != JF_OK)
		bench_fail("a frame entry cannot be written");
}

static void register_frame(size_t index)
{
	/* LLVM's libunwind takes entries, libgcc tables: this is libgcc's. */
	__register_frame(frames[index]);
}

static void one_more_frame(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++) {
		register_frame(frame_count);
		__deregister_frame(frames[frame_count]);
	}
}

/* As one throw through the new function does: libgcc sorts what it has not yet seen. */
static void one_more_frame_found(void *arg)
{
	uint64_t bases[3];

	(void)arg;
	for (unsigned int i = 0; i < ONE_MORES; i++) {
		register_frame(frame_count);
		if (!_Unwind_Find_FDE((void *)((uintptr_t)frames + 0x10000000 + frame_count * 64 + 8), bases))
			bench_fail("libgcc does not find a frame");
		__deregister_frame(frames[frame_count]);
	}
}

/* ---- programs beside which one more is loaded -------------------------------------------------------------- */

static size_t present;

static void fill(size_t count)
{
	const char *reason;

	while (present < count)
		loaded[present++] = load();
	while (dpdk_count < count && dpdk_count < DPDK_MAX) {
		dpdk[dpdk_count] = dpdk_load(insns, COUNT(insns), 0, &reason);
		if (!dpdk[dpdk_count])
			break;
		dpdk_count++;
	}
	while (!bench_ours_only() && frame_count < count) {
		register_frame(frame_count);
		frame_count++;
	}
}

static void measure_one_more(size_t count)
{
	const struct bench_side sides[] = {
		{"jitframe", one_more, NULL, ONE_MORES},
		{"pages of its own", pages_of_its_own, NULL, ONE_MORES},
		{"DPDK", dpdk_count == count ? one_more_dpdk : NULL, NULL, ONE_MORES},
		{"__register_frame", one_more_frame, NULL, ONE_MORES},
		/* With a hundred thousand others it takes a second. */
		{"__register_frame, found once", count <= 10000 ? one_more_frame_found : NULL, NULL, ONE_MORES},
		{"jitframe, run once", one_more_runs, NULL, ONE_MORES},
		{"jitframe, one out, one in", change_some, &count, ONE_MORES},
	};

	bench_turns_at(count, sides, COUNT(sides));
}

/* ---- while others run --------------------------------------------------------------------------------------- */

static atomic_bool stop;

static void *run_others(void *arg)
{
	bench_unpin();
	while (!atomic_load(&stop))
		for (unsigned int i = 0; i < 100; i++)
			jf_run(arg, 0);
	return NULL;
}

static void measure_beside_others(void)
{
	const struct bench_side sides[] = {
		{"jitframe", one_more, NULL, ONE_MORES},
		{"pages of its own", pages_of_its_own, NULL, ONE_MORES},
		{"DPDK", dpdk_count ? one_more_dpdk : NULL, NULL, ONE_MORES},
	};
	pthread_t threads[OTHERS];

	/* Here waiting is a part of it. */
	bench_count_waiting();
	bench_table("Loading and unloading while 2 threads run programs", "programs", "ns");
	for (unsigned int i = 0; i < OTHERS; i++)
		if (pthread_create(&threads[i], NULL, run_others, loaded[i]))
			bench_fail("no thread");
	bench_turns_at(present, sides, COUNT(sides));
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < OTHERS; i++)
		pthread_join(threads[i], NULL);
}

/* ---- all at once -------------------------------------------------------------------------------------------- */

/* Loads up to `count`, and says what each has cost. */
static void measure_fill(size_t count, double *nanoseconds, double *bytes)
{
	double more = (double)(count - present), start, before = bench_resident_bytes();

	start = bench_now_ns();
	while (present < count)
		loaded[present++] = load();
	*nanoseconds = (bench_now_ns() - start) / more;
	*bytes = (bench_resident_bytes() - before) / more;
}

static void publish(const char *names)
{
	struct jf_error error;
	uint32_t consumers;

	if (jf_publish_parse(names, &consumers, &error) != JF_OK || jf_publish_start(consumers, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
}

int main(int argc, char **argv)
{
	static const size_t counts[] = {1, 10, 1000, 10000, 100000, PROGRAMS};
	double nanoseconds[COUNT(counts)], bytes[COUNT(counts)], start;
	int first = bench_begin(argc, argv, "load");
	size_t sizes = bench_size(COUNT(counts), 3);
	char x[32];

	if (first < argc)
		publish(argv[first]);
	memset(loaded, 0, sizeof(loaded)); /* no part of what a load costs */
	unload(load());
	for (size_t i = 0; i < sizes; i++)
		measure_fill(counts[i], &nanoseconds[i], &bytes[i]);
	start = bench_now_ns();
	for (size_t i = 0; i < present; i++)
		unload(loaded[i]);
	nanoseconds[0] = (bench_now_ns() - start) / (double)present;
	bench_table("Many programs of two instructions, memory", "programs", "bytes each");
	for (size_t i = 2; i < sizes; i++) {
		snprintf(x, sizeof(x), "%zu", counts[i]);
		bench_count(x, "jitframe", bytes[i], 0);
	}
	bench_table("Many programs of two instructions, one after the other", "programs", "ns each");
	for (size_t i = 2; i < sizes; i++) {
		snprintf(x, sizeof(x), "%zu", counts[i]);
		bench_count(x, "jitframe, load", nanoseconds[i], 0);
	}
	bench_count(x, "jitframe, unload", nanoseconds[0], 0);

	present = 0;
	frames = calloc(PROGRAMS + 1, sizeof(*frames));
	if (!frames)
		bench_fail("no memory");
	for (size_t i = 0; i <= counts[sizes - 1]; i++)
		make_frame(i);
	bench_table("Loading and unloading one more program", "programs beside it", "ns");
	for (size_t i = 0; i < sizes; i++) {
		fill(counts[i]);
		measure_one_more(counts[i]);
	}
	measure_beside_others();
	return bench_end();
}
