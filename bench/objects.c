/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the objects of a process cost jf_load(): the first call beside a large library, a call after one more object
 * was loaded, and a call when nothing has changed; then one row of C code, when its address is met and when it was met
 * before. Each sample is a process of its own.
 */

#include "host.h"
#include "measure.h"

#include <dlfcn.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLES   15
#define ADDRESSES 2000

static const char *const large[] = {"libLLVM.so.19.1", "libLLVM-15.so.1", "libLLVM-14.so.1", "libclang-cpp.so.19.1"};
static const char *const small[] = {"libanl.so.1", "libBrokenLocale.so.1", "libnss_compat.so.2"};

enum figure { FIRST, LATER, AGAIN, MEET, MET, MEMORY, FIGURES };

static const struct {
	const char *what, *unit, *title;
} figures[FIGURES] = {
	[FIRST] = {"first jf_load()", "us", "Objects of a process, beside a large library"},
	[LATER] = {"jf_load() after a dlopen()", "us", ""},
	[AGAIN] = {"jf_load() when nothing has changed", "us", ""},
	[MEET] = {"a row of C code, met the first time", "ns", "Rows of C code"},
	[MET] = {"a row of C code, met before", "ns", ""},
	[MEMORY] = {"memory that the first jf_load() maps", "KiB", "Address space"},
};

struct sample {
	double value[FIGURES];
};

static double now_us(void)
{
	return bench_now_ns() / 1e3;
}

/* All address space: what a process has mapped, used or not. */
static double mapped_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!file || fscanf(file, "%lu", &pages) != 1)
		exit(1);
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void *open_one(const char *const *names, size_t count)
{
	void *object = NULL;

	for (size_t i = 0; !object && i < count; i++)
		object = dlopen(names[i], RTLD_LAZY);
	return object;
}

/* returns: microseconds. */
static double load(const struct jf_convention *conv)
{
	static const struct jf_insn insns[] = {{.opcode = 0xb7}, {.opcode = 0x95}}; /* r0 = 0; exit */
	static const struct jf_function function = {"main", insns, COUNT(insns)};
	static const struct jf_program program = {
		.size = sizeof(program), .functions = &function, .function_count = 1, .callback = -1};
	struct jf_loaded *loaded;
	struct jf_error error;
	double before = now_us();

	if (jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		fprintf(stderr, "%s: %s\n", error.where, error.text);
		exit(1);
	}
	return now_us() - before;
}

/* returns: nanoseconds for one of many functions behind `address`. */
static double meet(uint64_t address)
{
	struct jf_cfi_room room;
	double before = now_us();
	unsigned int section = jf_code_map_enter();

	for (unsigned int i = 0; i < ADDRESSES; i++)
		(void)jf_cfi_find(jf_backend_host(), address + 512 * (uint64_t)i, &room, NULL);
	jf_code_map_leave(section);
	return 1e3 * (now_us() - before) / ADDRESSES;
}

static struct sample take_sample(const struct jf_convention *conv)
{
	struct sample sample;
	void *library = open_one(large, COUNT(large));
	uint64_t address = library ? (uintptr_t)dlsym(library, "LLVMContextCreate") : 0;
	double before = mapped_kib();

	sample.value[FIRST] = load(conv);
	sample.value[MEMORY] = mapped_kib() - before;
	sample.value[AGAIN] = load(conv);
	if (!open_one(small, COUNT(small)))
		exit(1);
	sample.value[LATER] = load(conv);
	if (!address)
		address = (uintptr_t)qsort;
	sample.value[MEET] = meet(address);
	sample.value[MET] = meet(address);
	return sample;
}

static bool child_sample(const struct jf_convention *conv, struct sample *sample)
{
	int ends[2], status = 0;
	pid_t pid;
	bool whole;

	if (pipe(ends))
		return false;
	pid = fork();
	if (pid == 0) {
		struct sample own = take_sample(conv);

		_exit(write(ends[1], &own, sizeof(own)) != sizeof(own));
	}
	close(ends[1]);
	whole = pid > 0 && read(ends[0], sample, sizeof(*sample)) == sizeof(*sample);
	close(ends[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && whole;
}

int main(int argc, char **argv)
{
	size_t samples = bench_size(SAMPLES, 2);
	struct sample taken[SAMPLES];

	bench_begin(argc, argv, "objects");
	/* Once before, so that the library's pages are in the page cache. */
	for (size_t i = 0; i <= samples; i++)
		if (!child_sample(host_convention(), &taken[i ? i - 1 : 0]))
			bench_fail("a sample failed");
	for (unsigned int f = 0; f < FIGURES; f++) {
		double values[SAMPLES];

		for (size_t i = 0; i < samples; i++)
			values[i] = taken[i].value[f];
		if (!f || strcmp(figures[f].unit, figures[f - 1].unit) != 0)
			bench_table(figures[f].title, "what", figures[f].unit);
		bench_add(figures[f].what, "jitframe", values, samples, NULL);
	}
	return bench_end();
}
