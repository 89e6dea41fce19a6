/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-prove-witness: the interpreter of tests/random, asked about BPF programs: a second opinion on bpf.py. Each line of
 * standard input is a program, 8 bytes of each instruction in hexadecimal. The program may use the memory that
 * target.py names, and leaves OUT_WORDS words at OUT. The answer is a line of these words, and pairs of address and
 * value of the words of memory that have changed, which change back.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../random/interp.h"
#include "memory.h"

#define MEMORY       UINT64_C(0x40000000) /* target.py's */
#define MEMORY_BYTES UINT64_C(0x30000)
#define OUT          UINT64_C(0x50000000)
#define OUT_WORDS    11
#define INSNS_MAX    128
#define USER_BASE    UINT64_C(0x123456789abc0000) /* theorem.py's */

static void quit(const char *what)
{
	fprintf(stderr, "jf-prove-witness: %s\n", what);
	exit(2);
}

static void map(uint64_t address, uint64_t size)
{
	if (mmap(word_at(address), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != word_at(address))
		quit("an address is not free");
	for (uint64_t at = address; at < address + size; at += sizeof(uint64_t))
		*word_at(at) = scatter(at);
}

static uint32_t read_program(const char *line, struct jf_insn *insns)
{
	uint32_t count = 0;
	unsigned int opcode, regs, off, imm;

	while (count < INSNS_MAX && sscanf(line, "%2x%2x%4x%8x", &opcode, &regs, &off, &imm) == 4) {
		insns[count++] =
			(struct jf_insn){(uint8_t)opcode, (uint8_t)regs, (int16_t)__builtin_bswap16((uint16_t)off),
					 (int32_t)__builtin_bswap32(imm)};
		line += 16;
	}
	return count;
}

static void answer(void)
{
	for (uint64_t i = 0; i < OUT_WORDS; i++)
		printf("%" PRIx64 " ", *word_at(OUT + 8 * i));
	for (uint64_t at = MEMORY; at < MEMORY + MEMORY_BYTES; at += sizeof(uint64_t)) {
		if (*word_at(at) != scatter(at))
			printf("%" PRIx64 " %" PRIx64 " ", at, *word_at(at));
		*word_at(at) = scatter(at);
	}
	putchar('\n');
}

int main(void)
{
	struct jf_insn insns[INSNS_MAX];
	struct jf_function function = {"main", insns, 0};
	struct jf_program program = {
		.size = sizeof(program),
		.functions = &function,
		.function_count = 1,
		.callback = -1,
		.arena_user_base = USER_BASE,
	};
	char *line = NULL;
	size_t size = 0;
	uint64_t r0;

	map(MEMORY, MEMORY_BYTES);
	map(OUT, 4096);
	while (getline(&line, &size, stdin) > 0) {
		struct interp in = {.program = &program,
				    .arena_base = MEMORY,
				    .arena_start = MEMORY,
				    .arena_end = MEMORY + MEMORY_BYTES,
				    .steps_left = 1000};

		function.insn_count = read_program(line, insns);
		if (!interp_run(&in, 0, 0, &r0))
			quit(in.stopped);
		answer();
	}
	free(line);
	return 0;
}
