/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <criterion/parameterized.h>
#include <jitframe/backend.h>
#include <stdlib.h>
#include <string.h>

/*
 * Which registers a callee keeps, as Clang has it: of a function that says it overwrites every register, Clang saves
 * those that the ABI wants back, and GNU readelf finds their DWARF numbers in the function's unwind information. The
 * environment variable CLANG says which Clang.
 */

/* Control registers are none to compilers; the return address is saved for another reason. */
static bool is_asked(const struct jf_backend *b, unsigned int reg)
{
	return reg != b->sp && reg != b->ra && b->regs[reg].cls != JF_REG_CONTROL &&
	       !(b->regs[reg].flags & (JF_REG_RESERVED | JF_REG_ZERO));
}

#define COMPILE                                                                                             \
	"object=$(mktemp) && \"$CLANG\" --target=%s -O1 -fomit-frame-pointer -fasynchronous-unwind-tables " \
	"-c -x c - -o $object 2>&1 <<'end' && readelf --debug-dump=frames $object; rm -f $object\n"         \
	"void f(void) { __asm__ volatile(\"\" : : : \"memory\""

/* The registers' names with `prefix` before them are Clang's. */
static FILE *compile(const struct jf_backend *b, const char *prefix)
{
	char command[4096];
	size_t length = (size_t)snprintf(command, sizeof(command), COMPILE, b->llvm_triple);
	FILE *out;

	for (unsigned int reg = 0; reg < b->reg_count && length < sizeof(command); reg++)
		if (is_asked(b, reg))
			length += (size_t)snprintf(command + length, sizeof(command) - length, ", \"%s%s\"", prefix,
						   b->regs[reg].name);
	if (length < sizeof(command))
		length += (size_t)snprintf(command + length, sizeof(command) - length, "); }\nend\n");
	cr_assert_lt(length, sizeof(command));
	out = popen(command, "r");
	cr_assert(out);
	return out;
}

/* out: saved[n], whether a function saves the register of DWARF number n. returns: how many. */
static unsigned int find_saved(const struct jf_backend *b, const char *prefix, bool saved[256], char error[256])
{
	FILE *out = compile(b, prefix);
	unsigned int count = 0, number;
	char line[256];

	while (fgets(line, sizeof(line), out)) {
		const char *rule = strstr(line, "DW_CFA_offset");

		if (strstr(line, "error"))
			snprintf(error, 256, "%s", line);
		if (!rule || (sscanf(rule, "DW_CFA_offset: r%u", &number) != 1 &&
			      sscanf(rule, "DW_CFA_offset_extended: r%u", &number) != 1))
			continue;
		cr_assert_lt(number, 256);
		saved[number] = true;
		count++;
	}
	pclose(out);
	return count;
}

ParameterizedTestParameters(backend_abi, a_callee_keeps_what_the_compiler_saves)
{
	static size_t indexes[16];
	size_t count = 0;

	for (; count < 16 && jf_backend_at(count); count++)
		indexes[count] = count;
	return cr_make_param_array(size_t, indexes, count);
}

ParameterizedTest(size_t *index, backend_abi, a_callee_keeps_what_the_compiler_saves)
{
	const struct jf_backend *b = jf_backend_at(*index);
	bool saved[256] = {false};
	char error[256] = "";

	if (!getenv("CLANG"))
		cr_skip("there is no Clang");
	/* Some assemblers put a $ before a register's name, and with it some compilers. */
	if (!find_saved(b, "", saved, error) && !find_saved(b, "$", saved, error)) {
		if (strstr(error, "target"))
			cr_skip("%s: %s", b->name, error);
		cr_assert_fail("%s: Clang saves nothing: %s", b->name, error);
	}
	for (unsigned int reg = 0; reg < b->reg_count; reg++) {
		bool is_kept = b->regs[reg].flags & JF_REG_CALLEE_SAVED;

		if (is_asked(b, reg))
			CHECK(is_kept == saved[b->regs[reg].dw], "%s: %s (DWARF number %u) is %s by Clang, and %s here",
			      b->name, b->regs[reg].name, b->regs[reg].dw,
			      saved[b->regs[reg].dw] ? "saved" : "not saved",
			      is_kept ? "JF_REG_CALLEE_SAVED" : "not JF_REG_CALLEE_SAVED");
	}
}
