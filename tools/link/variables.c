/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <elf.h>
#include <stdlib.h>

/* Variables by name, so that whoever runs programs can set them before and look at them after. */

static bool find(const struct link *link, const struct symbol *symbol, struct bundle_variable *variable)
{
	int32_t map;

	if (symbol->type != STT_OBJECT || symbol->size == 0 || symbol->section == 0 || !symbol->name[0])
		return false;
	map = link_map_at(link, symbol->section, symbol->value);
	if (map < 0 || !link_is_value(&link->maps[map], symbol->section) ||
	    symbol->size > link->object.sections[symbol->section].size - symbol->value)
		return false;
	*variable = (struct bundle_variable){
		.map = (uint32_t)map,
		.off = (uint32_t)symbol->value,
		.bytes = (uint32_t)symbol->size,
	};
	return true;
}

enum jf_status link_variables_collect(struct link *link)
{
	link->variables = calloc(link->object.symbol_count + 1, sizeof(*link->variables));
	if (!link->variables)
		return link_fail(link, JF_E_NO_MEMORY, "variables", "no memory");
	for (uint32_t i = 1; i < link->object.symbol_count; i++) {
		struct link_variable *variable = &link->variables[link->variable_count];

		if (!find(link, &link->object.symbols[i], &variable->def))
			continue;
		variable->name = link->object.symbols[i].name;
		link->variable_count++;
	}
	return JF_OK;
}
