/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdio.h>

static const struct {
	unsigned int number;
	const char *name;
} machines[] = {
#include "machines.def"
};

const struct jf_backend *machine_backend(unsigned int machine)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		if (backend->elf_machine == machine)
			break;
	return backend;
}

const char *machine_text(unsigned int machine, char *text, size_t capacity)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (machines[i].number != machine)
			continue;
		snprintf(text, capacity, "%s (%u)", machines[i].name, machine);
		return text;
	}
	snprintf(text, capacity, "machine %u, which has no name in <elf.h>", machine);
	return text;
}
