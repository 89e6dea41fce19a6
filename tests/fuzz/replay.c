/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The fuzzer's input without a fuzzer: the same inputs each time.
 *
 *     fuzz_compile_replay [COUNT [FIRST]]     inputs FIRST to FIRST + COUNT - 1 of an endless list
 *     fuzz_compile_replay --corpus FOLDER     writes some valid programs, for libFuzzer to begin with
 *     fuzz_compile_replay FILE...             inputs as libFuzzer keeps those that fail
 *
 * Prints a line of TAP for each kind of input. One that fails ends the process, which says its number.
 */

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "generate.h"
#include "input.h"
#include "rng.h"
#include "world.h"

#define INPUT_MAX    65536
#define CORPUS_FILES 200

static uint8_t input[INPUT_MAX];
static uint64_t number;
static struct generated generated;

static void tell_number(int signal_number)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "input %llu: signal %d\n", (unsigned long long)number, signal_number);

	if (write(STDERR_FILENO, text, (size_t)length) < 0)
		_exit(2);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* ---- kinds of input ----------------------------------------------------------------------------- */

static size_t random_bytes(struct rng *rng)
{
	size_t size = INPUT_HEADER + rng_below(rng, 400);

	for (size_t i = 0; i < size; i++)
		input[i] = (uint8_t)rng_next(rng);
	return size;
}

/* One function, and fields as they have to be more often than not: gets past the first checks. */
static void likely_insn(struct rng *rng, uint8_t *insn)
{
	static const uint8_t opcodes[] = {
		0x07, 0x0f, 0x17, 0x24, 0x2f, 0x34, 0x3f, 0x47, 0x5c, 0x67, 0x6f, 0x77, 0x7c, 0x84, 0x87,
		0x97, 0x9f, 0xa7, 0xaf, 0xb4, 0xb7, 0xbc, 0xbf, 0xc7, 0xcf, 0xd4, 0xd7, 0xdc, 0x61, 0x69,
		0x71, 0x79, 0x81, 0x89, 0x91, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xdb,
		0xd3, 0xcb, 0x05, 0x06, 0x15, 0x1d, 0x25, 0x2e, 0x36, 0x45, 0x5e, 0x6d, 0x7e, 0xa5, 0xb6,
		0xcd, 0xde, 0xe5, 0x85, 0x8d, 0x95, 0x18, 0xa1, 0xc1, 0xa2, 0xa3, 0xeb, 0xfb,
	};
	static const int16_t offs[] = {0, 0, 0, 0, 0, 1, 2, 8, -1, -8, 16, 32};
	static const int32_t imms[] = {0, 0, 0, 1, 16, 32, 64, 0xe1, 0xf1, 0x100, 0x110, 0x10000, -1};
	uint8_t opcode = opcodes[rng_below(rng, sizeof(opcodes))];
	int16_t off = offs[rng_below(rng, sizeof(offs) / sizeof(offs[0]))];
	int32_t imm = imms[rng_below(rng, sizeof(imms) / sizeof(imms[0]))];
	bool alu = (opcode & 7) == 4 || (opcode & 7) == 7, jump = (opcode & 7) == 5 || (opcode & 7) == 6;
	bool reg = opcode & 8 || (opcode & 7) == 1 || (opcode & 7) == 3;

	/* 64-bit immediates alone: their second half is no instruction. */
	insn[0] = opcode == 0x18 ? 0xb7 : opcode;
	insn[1] = (uint8_t)(rng_below(rng, 10) | (reg ? rng_below(rng, 11) << 4 : 0));
	if (rng_percent(rng, 90)) {
		off = alu || off < -1000 ? 0 : off;
		imm = (alu || jump) && opcode & 8 ? 0 : imm;
		imm = (opcode & 7) == 1 || ((opcode & 0xe7) == 0x63) ? 0 : imm;
	}
	memcpy(insn + 2, &off, sizeof(off));
	memcpy(insn + 4, &imm, sizeof(imm));
}

static size_t likely_insns(struct rng *rng)
{
	size_t count = 1 + rng_below(rng, 12), size = INPUT_HEADER;

	random_bytes(rng);
	input[1] &= (uint8_t)rng_next(rng);
	input[2] = 0;
	input[3] = 0xff;
	for (size_t i = 0; i < count; i++, size += 8)
		likely_insn(rng, input + size);
	memcpy(input + size, (const uint8_t[8]){0x95}, 8);
	return size + 8;
}

/* A body that returns, and behind it what ends in a resume: pads, where a table happens to name them. */
static size_t program_with_pads(struct rng *rng)
{
	static const struct jf_insn parts[] = {
		{0x85, 0x20, 0, 0}, {0xb7, 0x06, 0, 1}, {0x15, 0x06, 1, 0}, {0x15, 0x06, 0, 0}, {0x05, 0, 1, 0},
		{0x05, 0, -2, 0},   {0x85, 0x20, 0, 2}, {0x85, 0x20, 0, 7}, {0x85, 0x20, 0, 1}, {0x95, 0, 0, 0},
	};
	const struct jf_insn first = {0xb7, 0x06, 0, (int32_t)rng_next(rng)}, leave = {0x95, 0, 0, 0},
			     resume = {0x85, 0x20, 0, 1};
	uint32_t body = 1 + rng_below(rng, 4), count = body + 1 + rng_below(rng, 5);
	size_t size = INPUT_HEADER;

	memcpy(input, (const uint8_t[INPUT_HEADER]){(uint8_t)rng_next(rng), 128, 0, 0xff, 0x0f, 0, 0, 0}, INPUT_HEADER);
	for (uint32_t i = 0; i <= count; i++, size += 8)
		memcpy(input + size,
		       i == 0     ? &first :
		       i == body  ? &leave :
		       i == count ? &resume :
				    &parts[rng_below(rng, sizeof(parts) / sizeof(parts[0]))],
		       8);
	return size;
}

static size_t valid_program(struct rng *rng)
{
	struct generate_opts opts = {.arena = true, .per_cpu = true, .stack_max_bytes = 512};

	opts.stack_args = opts.c_stack_args = rng_percent(rng, 50) ? 7 : 0;
	generate_mixed(&generated, &opts, rng_next(rng));
	return input_from_program(input, sizeof(input), &generated.program, (uint8_t)rng_next(rng),
				  (uint8_t)(rng_next(rng) & rng_next(rng) & 0x27));
}

static size_t mutated_program(struct rng *rng)
{
	size_t size = valid_program(rng), count = 1 + rng_below(rng, 8);

	for (size_t i = 0; size && i < count; i++) {
		size_t at = rng_below(rng, (uint32_t)size);

		if (rng_percent(rng, 50))
			input[at] ^= (uint8_t)(1u << rng_below(rng, 8));
		else
			input[at] = (uint8_t)rng_next(rng);
	}
	return rng_percent(rng, 80) ? size : rng_below(rng, (uint32_t)size + 1);
}

static const struct {
	const char *name;
	size_t (*make)(struct rng *rng);
} kinds[] = {
	{"random bytes", random_bytes},        {"likely instructions", likely_insns}, {"valid programs", valid_program},
	{"mutated programs", mutated_program}, {"clean-up pads", program_with_pads},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* In memory of its own size. */
static enum jf_status compile(size_t size)
{
	uint8_t *copy = malloc(size + !size);
	enum jf_status status;

	if (!copy)
		abort();
	memcpy(copy, input, size);
	status = input_compile(copy, size);
	free(copy);
	return status;
}

static void replay(uint64_t first, uint64_t count)
{
	uint64_t compiled[KIND_COUNT] = {0};

	for (number = first; number < first + count; number++) {
		struct rng rng = {number};
		size_t kind = number % KIND_COUNT;

		compiled[kind] += compile(kinds[kind].make(&rng)) == JF_OK;
	}
	printf("1..%zu\n", KIND_COUNT);
	for (size_t i = 0; i < KIND_COUNT; i++)
		printf("ok %zu - %s: %llu of %llu compiled\n", i + 1, kinds[i].name, (unsigned long long)compiled[i],
		       (unsigned long long)count / KIND_COUNT);
}

/* ---- files -------------------------------------------------------------------------------------- */

static int write_corpus(const char *folder)
{
	for (number = 0; number < CORPUS_FILES; number++) {
		struct rng rng = {number};
		size_t size = number % 2 ? valid_program(&rng) : likely_insns(&rng);
		char path[4096];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%llu", folder, (unsigned long long)number);
		file = fopen(path, "wb");
		if (!file || fwrite(input, 1, size, file) != size || fclose(file)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int compile_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(input, 1, sizeof(input), file);
	fclose(file);
	printf("%s: %s\n", path, jf_status_name(compile(size)));
	return 0;
}

int main(int argc, char **argv)
{
	int code = 0;

	signal(SIGABRT, tell_number);
	signal(SIGSEGV, tell_number);
	if (!world_init())
		return 2;
	if (argc == 3 && !strcmp(argv[1], "--corpus"))
		code = write_corpus(argv[2]);
	else if (argc < 2 || isdigit((unsigned char)argv[1][0]))
		replay(argc > 2 ? strtoull(argv[2], NULL, 0) : 0, argc > 1 ? strtoull(argv[1], NULL, 0) : 20000);
	else
		for (int i = 1; i < argc; i++)
			code |= compile_file(argv[i]);
	generated_free(&generated);
	return code;
}
