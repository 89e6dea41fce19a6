/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_jit.h"

/* What a tree's JIT answers: docs/kernel-jit.md has the lines. */

static bool read_code(struct kernel_function *function, const char *digits)
{
	size_t size = strlen(digits) / 2;

	if (strspn(digits, "0123456789abcdef") != 2 * size || digits[2 * size])
		return false;
	function->bytes = malloc(size ? size : 1);
	for (size_t i = 0; function->bytes && i < size; i++)
		(void)sscanf(digits + 2 * i, "%2hhx", &function->bytes[i]);
	function->size = size;
	return function->bytes != NULL;
}

static bool read_offsets(struct kernel_function *function, const char *numbers)
{
	uint32_t count = 1;
	char *end;

	for (const char *c = numbers; *c; c++)
		count += *c == ' ';
	function->insn_off = calloc(count, sizeof(*function->insn_off));
	for (uint32_t i = 0; function->insn_off && i < count; i++, numbers = end)
		function->insn_off[i] = (uint32_t)strtoul(numbers, &end, 10);
	function->insn_count = count - 1;
	return function->insn_off != NULL;
}

/* "fault AT RESUME [REGISTER]": registers have the numbers that instructions have for them. */
static bool read_fault(const struct kernel_jit *jit, struct kernel_function *function, const char *words)
{
	const struct jf_backend *backend = jit->conv->backend;
	struct jf_fault *faults = realloc(function->faults, (function->fault_count + 1) * sizeof(*faults));
	struct jf_fault fault = {.reg = JF_REG_NONE};
	unsigned int number;
	int count = sscanf(words, "%" SCNu32 " %" SCNu32 " %u", &fault.start_off, &fault.resume_off, &number);

	if (!faults)
		return false;
	function->faults = faults;
	for (uint8_t i = 0; count == 3 && i < backend->reg_count; i++)
		if (backend->regs[i].cls == JF_REG_INT && backend->regs[i].hw == number && i != backend->ra)
			fault.reg = i;
	fault.end_off = fault.start_off + 1;
	faults[function->fault_count++] = fault;
	return count >= 2 && (count == 2 || fault.reg != JF_REG_NONE);
}

static bool read_line(const struct kernel_jit *jit, struct kernel_code *code, uint32_t count, const char *line)
{
	struct kernel_function *function = code->count ? &code->functions[code->count - 1] : NULL;
	uint64_t number;

	if (strncmp(line, "function ", 9) == 0) {
		if (code->count == count)
			return false;
		code->count++;
		return true;
	}
	if (!function)
		return false;
	if (strncmp(line, "address ", 8) == 0)
		return cli_number(line + 8, 16, UINT64_MAX, &function->address);
	if (strncmp(line, "code ", 5) == 0)
		return !function->bytes && read_code(function, line + 5);
	if (strncmp(line, "offsets ", 8) == 0)
		return !function->insn_off && read_offsets(function, line + 8);
	if (strncmp(line, "fault ", 6) == 0)
		return read_fault(jit, function, line + 6);
	if (strncmp(line, "sp_adjust ", 10) == 0) {
		bool is_number = cli_number(line + 10, 10, UINT32_MAX, &number);

		function->sp_adjust = is_number ? (uint32_t)number : 0;
		return is_number;
	}
	/* The lines of faults say what the entries mean. */
	return strncmp(line, "extable ", 8) == 0;
}

/* What is wrong with the places that an answer names in a function; NULL: nothing. Offsets are checked where they are
 * used: those of the second halves of 16-byte instructions are anything. */
static const char *wrong_places(const struct kernel_function *function)
{
	if (!function->size)
		return "no code";
	for (uint32_t i = 0; i < function->fault_count; i++)
		if (function->faults[i].start_off >= function->size || function->faults[i].resume_off > function->size)
			return "a fault that is not in the code";
	return NULL;
}

int kernel_answer_read(const struct kernel_jit *jit, char *answer, uint32_t count, struct kernel_code *code)
{
	char *rest = answer, *line;

	while ((line = strsep(&rest, "\n")) && strcmp(line, "end") != 0)
		if (!read_line(jit, code, count, line))
			return cli_failed("%s: it answers what nobody asked: %.40s", jit->program, line);
	if (!line)
		return cli_failed("%s: its answer has no end", jit->program);
	if (code->count != count)
		return cli_failed("%s: it has code of %u functions, and got %u", jit->program, code->count, count);
	for (uint32_t i = 0; i < count; i++) {
		const char *wrong = wrong_places(&code->functions[i]);

		if (wrong)
			return cli_failed("%s: function %u of its answer has %s", jit->program, i, wrong);
	}
	return 0;
}

void kernel_code_free(struct kernel_code *code)
{
	for (uint32_t i = 0; i < code->count; i++) {
		free(code->functions[i].name);
		free(code->functions[i].bytes);
		free(code->functions[i].insn_off);
		free(code->functions[i].faults);
		free(code->functions[i].start);
	}
	free(code->functions);
	*code = (struct kernel_code){0};
}
