/* SPDX-License-Identifier: BSD-2-Clause */
#include "helpers.h"

#include <jitframe/backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t gather_bytes(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return (a & 0xff) << 32 | (b & 0xff) << 24 | (c & 0xff) << 16 | (d & 0xff) << 8 | (e & 0xff);
}

static uint64_t memfrob_bytes(uint64_t address, uint64_t count, uint64_t c, uint64_t d, uint64_t e)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)address;

	(void)c, (void)d, (void)e;
	for (uint64_t i = 0; i < count; i++)
		bytes[i] ^= 42;
	return 0;
}

static uint64_t trash_registers(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	return jf_backend_host()->native->overwrite();
}

static uint64_t square_root(uint64_t value, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	uint64_t root = 0;

	(void)b, (void)c, (void)d, (void)e;
	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= value)
			root |= bit;
	return root;
}

static uint64_t compare_strings(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)c, (void)d, (void)e;
	return (uint64_t)(int64_t)strcmp((const char *)(uintptr_t)a, (const char *)(uintptr_t)b);
}

static uint64_t first_argument(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)b, (void)c, (void)d, (void)e;
	return a;
}

static uint64_t (*const functions[HELPER_COUNT])(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) = {
	gather_bytes, memfrob_bytes, trash_registers, square_root, compare_strings, first_argument,
};

static uint64_t by_register(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t number)
{
	if (number < HELPER_COUNT)
		return functions[number](a, b, c, d, e);
	fprintf(stderr, "conformance-plugin: call of helper %llu, which is not there\n", (unsigned long long)number);
	exit(1);
}

struct jf_import helpers[HELPER_COUNT];
struct jf_import helper_by_register;

void helpers_init(void)
{
	static const char *const names[HELPER_COUNT] = {
		"gather_bytes", "memfrob", "trash_registers", "sqrti", "strcmp", "first_argument",
	};

	for (unsigned int i = 0; i < HELPER_COUNT; i++)
		helpers[i] = (struct jf_import){.name = names[i], .address = (uintptr_t)functions[i]};
	helper_by_register = (struct jf_import){.name = "call through a register", .address = (uintptr_t)by_register};
}
