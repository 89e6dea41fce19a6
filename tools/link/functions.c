/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/*
 * Functions are the FUNC symbols of executable sections. Those of .text are subprograms; each global one
 * of another section is a program, and the section's name its kind.
 */

static int compare_functions(const void *a, const void *b)
{
	const struct link_function *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

static bool is_function(const struct link *link, const struct symbol *symbol)
{
	return symbol->type == STT_FUNC && symbol->section != 0 &&
	       section_is_code(&link->object.sections[symbol->section]);
}

static enum jf_status add_function(struct link *link, uint32_t index)
{
	const struct symbol *symbol = &link->object.symbols[index];
	const struct section *section = &link->object.sections[symbol->section];
	struct link_function *function = &link->functions[link->function_count];

	if (symbol->value % 8 != 0 || symbol->size % 8 != 0 || symbol->size == 0 || symbol->value > section->size ||
	    symbol->size > section->size - symbol->value)
		return link_fail(link, JF_E_BAD_IMAGE, symbol->name,
				 "function of section %s, bytes %llu to %llu, is not inside it in whole instructions",
				 section->name, (unsigned long long)symbol->value,
				 (unsigned long long)(symbol->value + symbol->size));
	function->name = symbol->name;
	function->section = symbol->section;
	function->first = (uint32_t)(symbol->value / 8);
	function->insn_count = (uint32_t)(symbol->size / 8);
	function->symbol = index;
	function->program = -1;
	function->callback = -1;
	function->global = symbol->bind != STB_LOCAL;
	function->insns = malloc(symbol->size);
	link->function_count++; /* from here on link_close() frees it */
	if (!function->insns)
		return link_fail(link, JF_E_NO_MEMORY, symbol->name, "no memory");
	memcpy(function->insns, section->bytes + symbol->value, symbol->size);
	return JF_OK;
}

static enum jf_status check_overlap(struct link *link)
{
	for (uint32_t i = 1; i < link->function_count; i++) {
		const struct link_function *a = &link->functions[i - 1], *b = &link->functions[i];

		if (a->section == b->section && b->first < a->first + a->insn_count)
			return link_fail(link, JF_E_BAD_IMAGE, link->object.sections[a->section].name,
					 "instruction %u: functions %s and %s overlap", b->first, a->name, b->name);
	}
	return JF_OK;
}

static enum jf_status collect_programs(struct link *link)
{
	for (uint32_t i = 0; i < link->function_count; i++) {
		struct link_function *function = &link->functions[i];
		const char *section = link->object.sections[function->section].name;

		if (strcmp(section, ".text") == 0)
			continue;
		if (!function->global)
			return link_fail(link, JF_E_UNSUPPORTED, function->name,
					 "a program has to be global; this one in section %s is static", section);
		function->program = (int32_t)link->program_count;
		link->programs[link->program_count++] = i;
	}
	return JF_OK;
}

enum jf_status link_functions_collect(struct link *link)
{
	enum jf_status status;
	uint32_t count = 0;

	for (uint32_t i = 1; i < link->object.symbol_count; i++)
		count += is_function(link, &link->object.symbols[i]);
	if (count == 0)
		return link_fail(link, JF_E_BAD_IMAGE, "file", "there are no functions in it");
	link->functions = calloc(count, sizeof(*link->functions));
	link->programs = calloc(count, sizeof(*link->programs));
	if (!link->functions || !link->programs)
		return link_fail(link, JF_E_NO_MEMORY, "functions", "no memory");

	for (uint32_t i = 1; i < link->object.symbol_count; i++) {
		if (!is_function(link, &link->object.symbols[i]))
			continue;
		status = add_function(link, i);
		if (status != JF_OK)
			return status;
	}
	qsort(link->functions, link->function_count, sizeof(*link->functions), compare_functions);
	status = check_overlap(link);
	return status == JF_OK ? collect_programs(link) : status;
}

int32_t link_function_around(const struct link *link, uint32_t section, uint64_t insn)
{
	uint32_t low = 0, high = link->function_count;

	/* The last function that does not start behind (section, insn). */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct link_function *f = &link->functions[middle];

		if (f->section < section || (f->section == section && f->first <= insn))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return -1;
	low--;
	if (link->functions[low].section != section ||
	    insn - link->functions[low].first >= link->functions[low].insn_count)
		return -1;
	return (int32_t)low;
}

int32_t link_function_at(const struct link *link, uint32_t section, uint64_t insn)
{
	int32_t found = link_function_around(link, section, insn);

	return found >= 0 && link->functions[found].first == insn ? found : -1;
}
