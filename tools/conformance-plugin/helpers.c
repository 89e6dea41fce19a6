/* SPDX-License-Identifier: BSD-2-Clause */
#include "helpers.h"

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
#if defined(__x86_64__)
	__asm__ volatile("mov $0xf1, %%rcx\n\tmov $0xf2, %%rdx\n\tmov $0xf3, %%rsi\n\tmov $0xf4, %%rdi\n\t"
			 "mov $0xf5, %%r8\n\tmov $0xf6, %%r9\n\tmov $0xf7, %%r10\n\tmov $0xf8, %%r11"
			 :
			 :
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
#elif defined(__aarch64__)
	__asm__ volatile("mov x0, #0xf0\n\tmov x1, #0xf1\n\tmov x2, #0xf2\n\tmov x3, #0xf3\n\tmov x4, #0xf4\n\t"
			 "mov x5, #0xf5\n\tmov x6, #0xf6\n\tmov x7, #0xf7\n\tmov x8, #0xf8\n\tmov x9, #0xf9\n\t"
			 "mov x10, #0xfa\n\tmov x11, #0xfb\n\tmov x12, #0xfc\n\tmov x13, #0xfd\n\tmov x14, #0xfe\n\t"
			 "mov x15, #0xff\n\tmov x16, #0xe0\n\tmov x17, #0xe1"
			 :
			 :
			 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			   "x14", "x15", "x16", "x17");
#elif defined(__loongarch64)
	__asm__ volatile("li.d $a0, 0xf0\n\tli.d $a1, 0xf1\n\tli.d $a2, 0xf2\n\tli.d $a3, 0xf3\n\tli.d $a4, 0xf4\n\t"
			 "li.d $a5, 0xf5\n\tli.d $a6, 0xf6\n\tli.d $a7, 0xf7\n\tli.d $t0, 0xf8\n\tli.d $t1, 0xf9\n\t"
			 "li.d $t2, 0xfa\n\tli.d $t3, 0xfb\n\tli.d $t4, 0xfc\n\tli.d $t5, 0xfd\n\tli.d $t6, 0xfe\n\t"
			 "li.d $t7, 0xff\n\tli.d $t8, 0xe0"
			 :
			 :
			 : "$a0", "$a1", "$a2", "$a3", "$a4", "$a5", "$a6", "$a7", "$t0", "$t1", "$t2", "$t3", "$t4",
			   "$t5", "$t6", "$t7", "$t8");
#else
#error "say here which registers the ABI lets a function overwrite"
#endif
	return 0;
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
