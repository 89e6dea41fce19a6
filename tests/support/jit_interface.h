/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SUPPORT_JIT_INTERFACE_H
#define JF_TESTS_SUPPORT_JIT_INTERFACE_H

#include <stdint.h>

/* GDB's JIT interface, as a debugger finds it in a process. */

struct jit_code_entry {
	struct jit_code_entry *next, *prev;
	const uint8_t *file;
	uint64_t file_bytes;
};

extern struct jit_descriptor {
	uint32_t version, action;
	struct jit_code_entry *relevant, *first;
} __jit_debug_descriptor;

void __jit_debug_register_code(void);

#endif
