/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A fuzz target without a fuzzer: its seeds, and changed ones, the same each time.
 *
 *     fuzz_NAME_replay [COUNT [FIRST]]     inputs FIRST to FIRST + COUNT - 1 of an endless list
 *     fuzz_NAME_replay --corpus FOLDER     writes the seeds, for libFuzzer to begin with
 *     fuzz_NAME_replay FILE...             inputs as libFuzzer keeps those that fail
 *
 * Prints a line of TAP. An input that fails ends the process, which says its number.
 */

#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rng.h"
#include "target.h"

#define INPUT_MAX 65536

static uint8_t input[INPUT_MAX];
static uint64_t number;

static void tell_number(int signal_number)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "input %llu: signal %d\n", (unsigned long long)number, signal_number);

	if (write(STDERR_FILENO, text, (size_t)length) < 0)
		_exit(2);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* In memory of its own size. */
static void run(size_t size)
{
	uint8_t *copy = malloc(size + !size);

	if (!copy)
		abort();
	memcpy(copy, input, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void change(struct rng *rng, size_t size)
{
	static const uint32_t words[] = {0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
	size_t at = rng_below(rng, (uint32_t)size);
	uint32_t word = words[rng_below(rng, sizeof(words) / sizeof(words[0]))];

	switch (rng_below(rng, 4)) {
	case 0: input[at] ^= (uint8_t)(1u << rng_below(rng, 8)); break;
	case 1: input[at] = (uint8_t)rng_next(rng); break;
	case 2: memcpy(input + at, &word, size - at < 4 ? size - at : 4); break;
	default:
		for (size_t i = at; i < size && i < at + 24; i++)
			input[i] = (uint8_t)rng_next(rng);
	}
}

/* Seeds as they are, changed in up to eight places, cut short; and noise. */
static size_t make(uint64_t seeds)
{
	struct rng rng = {number};
	size_t size = fuzz_seed(number % seeds, input, sizeof(input));

	if (number < seeds)
		return size;
	if (rng_percent(&rng, 5)) {
		size = rng_below(&rng, 600);
		for (size_t i = 0; i < size; i++)
			input[i] = (uint8_t)rng_next(&rng);
		return size;
	}
	for (uint32_t i = rng_below(&rng, 8) + 1; i > 0; i--)
		change(&rng, size);
	return rng_percent(&rng, 90) ? size : rng_below(&rng, (uint32_t)size);
}

static uint64_t count_seeds(void)
{
	uint64_t count = 0;

	while (fuzz_seed(count, input, sizeof(input)))
		count++;
	return count;
}

static int write_corpus(const char *folder)
{
	for (number = 0; number < count_seeds(); number++) {
		size_t size;
		char path[4096];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%llu", folder, (unsigned long long)number);
		file = fopen(path, "wb");
		size = fuzz_seed(number, input, sizeof(input));
		if (!file || fwrite(input, 1, size, file) != size || fclose(file)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(input, 1, sizeof(input), file);
	fclose(file);
	run(size);
	printf("%s: done\n", path);
	return 0;
}

static int replay(uint64_t first, uint64_t count)
{
	uint64_t seeds = count_seeds();

	if (!seeds) {
		printf("1..0 # SKIP there is no input to begin with\n");
		return 0;
	}
	for (number = first; number < first + count; number++)
		run(make(seeds));
	printf("1..1\nok 1 - %llu inputs, from %llu seeds\n", (unsigned long long)count, (unsigned long long)seeds);
	return 0;
}

int main(int argc, char **argv)
{
	int code = 0;

	signal(SIGABRT, tell_number);
	signal(SIGSEGV, tell_number);
	if (argc == 3 && !strcmp(argv[1], "--corpus"))
		return write_corpus(argv[2]);
	if (argc < 2 || isdigit((unsigned char)argv[1][0]))
		return replay(argc > 2 ? strtoull(argv[2], NULL, 0) : 0, argc > 1 ? strtoull(argv[1], NULL, 0) : 20000);
	for (int i = 1; i < argc; i++)
		code |= run_file(argv[i]);
	return code;
}
