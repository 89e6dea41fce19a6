/* SPDX-License-Identifier: BSD-2-Clause */
#include "split.h"

#include <stdlib.h>
#include <string.h>

static bool fail(struct split *s, const char *why, uint32_t index)
{
	s->why = why;
	s->index = index;
	return false;
}

static bool decode(struct split *s, const uint8_t *bytes, size_t size)
{
	if (!size || size % 8 || size / 8 > INT32_MAX)
		return fail(s, "a program is a positive number of 8-byte instructions", 0);
	s->insn_count = (uint32_t)(size / 8);
	s->insns = calloc(s->insn_count, sizeof(*s->insns));
	if (!s->insns)
		return fail(s, "no memory", 0);
	for (uint32_t i = 0; i < s->insn_count; i++, bytes += 8)
		s->insns[i] = (struct jf_insn){
			.opcode = bytes[0],
			.regs = bytes[1],
			.off = (int16_t)(bytes[2] | bytes[3] << 8),
			.imm = (int32_t)(bytes[4] | (uint32_t)bytes[5] << 8 | (uint32_t)bytes[6] << 16 |
					 (uint32_t)bytes[7] << 24),
		};
	return true;
}

/* out: number[i] not 0 where a function starts. */
static bool find_starts(struct split *s, uint32_t *number)
{
	number[0] = 1;
	for (uint32_t i = 0; i < s->insn_count; i++) {
		int64_t target = (int64_t)i + 1 + s->insns[i].imm;

		if (jf_insn_names_function(&s->insns[i])) {
			if (target < 0 || target >= s->insn_count)
				return fail(s, "local call out of the program", i);
			number[target] = 1;
		}
		i += s->insns[i].opcode == JF_INSN_LDDW;
	}
	return true;
}

static bool make_functions(struct split *s, uint32_t *number)
{
	for (uint32_t i = 0; i < s->insn_count; i++)
		s->function_count += number[i];
	s->functions = calloc(s->function_count, sizeof(*s->functions));
	if (!s->functions)
		return fail(s, "no memory", 0);
	s->function_count = 0;
	for (uint32_t i = 0; i < s->insn_count; i++) {
		if (number[i]) {
			number[i] = s->function_count;
			s->functions[s->function_count++] =
				(struct jf_function){i ? "subprogram" : "main", s->insns + i, 0};
		}
		s->functions[s->function_count - 1].insn_count++;
	}
	return true;
}

bool split_program(struct split *s, const uint8_t *bytes, size_t size)
{
	uint32_t *number;
	bool done;

	memset(s, 0, sizeof(*s));
	if (!decode(s, bytes, size))
		return false;
	number = calloc(s->insn_count, sizeof(*number));
	if (!number)
		return fail(s, "no memory", 0);
	done = find_starts(s, number) && make_functions(s, number);
	for (uint32_t i = 0; done && i < s->insn_count; i++) {
		if (jf_insn_names_function(&s->insns[i]))
			s->insns[i].imm = (int32_t)number[(int64_t)i + 1 + s->insns[i].imm];
		i += s->insns[i].opcode == JF_INSN_LDDW;
	}
	free(number);
	return done;
}

void split_fini(struct split *s)
{
	free(s->insns);
	free(s->functions);
}
