/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_MAP_FIELDS_H
#define JF_TOOLS_MAP_FIELDS_H

#include <stdint.h>

/*
 * What programs read of an arena's map, by the names of a kernel's struct bpf_arena: MAP_FIELD(name). The runner's maps
 * begin with these fields, and the linker puts their offsets in the place of the kernel's.
 */
#define MAP_FIELDS               \
	MAP_FIELD(user_vm_start) \
	MAP_FIELD(max_entries)

struct map_fields {
	uint64_t user_vm_start; /* address of the first page as programs see it */
	uint32_t max_entries;
};

#endif
