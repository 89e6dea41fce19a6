/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of machine code per program: jitframe's against those of a Linux kernel's JIT, from files that
 * scripts/capture-jit makes (captured.h).
 *
 *     bench_size [--limit PERCENT] [--json FILE] CAPTURED...   figures; fails when a program is more than
 *                                                              PERCENT larger than the kernel's
 *     bench_size --list PROGRAM CAPTURED                       both codes, instruction by instruction
 *
 * The kernel's code is counted without what is no part of the program and jitframe never emits: on x86-64
 * the int3 behind each ret and indirect jmp (CONFIG_MITIGATION_SLS), on arm64 the trampoline behind the
 * last ret, for attaching to the program (nop, ldr x10, br x10). Jitframe's is counted without call stubs,
 * which C needs in user space and kernel code has no use for.
 */
#include "../measure.h"
#include "captured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct total {
	uint64_t kernel, ours;
};

static double percent(uint64_t ours, uint64_t kernel)
{
	return 100.0 * ((double)ours - (double)kernel) / (double)kernel;
}

static uint64_t function_bytes(const struct captured_function *f, struct disasm *disasm)
{
	uint64_t sum = 0, to_ret = 0;
	char text[128] = "";
	size_t length;

	for (size_t off = 0; off < f->size_bytes; off += length) {
		length = disasm_llvm_insn(disasm, f->code + off, f->size_bytes - off, f->address + off, text,
					  sizeof(text));
		if (strcmp(text, "int3") != 0)
			sum += length;
		if (strcmp(text, "ret") == 0)
			to_ret = sum;
	}
	return strcmp(text, "br x10") == 0 ? to_ret : sum;
}

static uint64_t kernel_bytes(const struct captured_program *p, struct disasm *disasm)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->function_count; i++)
		sum += function_bytes(&p->functions[i], disasm);
	return sum;
}

/* Of the program's functions, without stubs: those are what user space needs of its own. */
static uint64_t our_bytes(const struct captured_program *p, const struct jf_image *image)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->function_count; i++)
		sum += jf_image_function_at(image, i)->size_bytes;
	return sum;
}

/* returns: whether all programs are within the limit. */
static bool compare(const char *path, double limit)
{
	struct captured c;
	struct total sum = {0};
	struct disasm *disasm;
	bool within = true;
	char title[160];

	captured_read(path, &c);
	disasm = disasm_llvm_new(c.conv->backend);
	if (!disasm)
		return false;
	snprintf(title, sizeof(title), "%s/%s against Linux %s", c.conv->backend->name, c.conv->name, c.kernel);
	bench_table(title, "program", "bytes");
	for (uint32_t i = 0; i < c.program_count; i++) {
		const struct captured_program *p = &c.programs[i];
		uint8_t *code;
		struct jf_image *image = captured_compile(&c, p, &code);
		struct total t = {0};

		if (image) {
			t.kernel = kernel_bytes(p, disasm);
			t.ours = our_bytes(p, image);
		}
		jf_image_free(image);
		free(code);
		if (!image) {
			bench_missing("%s: %s is not for this backend", title, p->name);
			continue;
		}
		bench_count(p->name, "jitframe", (double)t.ours, (double)t.ours);
		bench_count(p->name, "Linux", (double)t.kernel, (double)t.ours);
		if (percent(t.ours, t.kernel) > limit) {
			printf("%s: %s is more than %.1f %% larger than the kernel's\n", title, p->name, limit);
			within = false;
		}
		sum = (struct total){sum.kernel + t.kernel, sum.ours + t.ours};
	}
	bench_count("all", "jitframe", (double)sum.ours, (double)sum.ours);
	bench_count("all", "Linux", (double)sum.kernel, (double)sum.ours);
	disasm_llvm_free(disasm);
	captured_free(&c);
	return within;
}

/* ---- listings ----------------------------------------------------------------------------------------------- */

static void print_insn(struct disasm *disasm, const uint8_t *code, size_t *off, size_t size, uint64_t address)
{
	char text[128];
	size_t length = disasm_llvm_insn(disasm, code + *off, size - *off, address + *off, text, sizeof(text));

	printf("  %4zx %2zu  %s\n", *off, length, text);
	*off += length;
}

static void list_function(const struct captured_program *p, uint32_t index, const struct jf_image *image,
			  const uint8_t *code, struct disasm *disasm)
{
	const struct jf_image_function *f = jf_image_function_at(image, index);
	const struct captured_function *kernel = &p->functions[index];
	uint32_t insn = 0;
	size_t off = 0;

	printf("function %u, jitframe: %u bytes\n", index, f->size_bytes);
	while (off < f->size_bytes) {
		while (insn < f->insn_count && f->insn_off[insn] <= off)
			printf("%u:\n", insn++);
		print_insn(disasm, code + f->start, &off, f->size_bytes, image->address + f->start);
	}
	printf("function %u, kernel: %zu bytes\n", index, kernel->size_bytes);
	for (off = 0; off < kernel->size_bytes;)
		print_insn(disasm, kernel->code, &off, kernel->size_bytes, kernel->address);
}

static void list_program(const struct captured *c, const struct captured_program *p, struct disasm *disasm)
{
	uint8_t *code;
	struct jf_image *image = captured_compile(c, p, &code);

	for (uint32_t i = 0; image && i < p->function_count; i++)
		list_function(p, i, image, code, disasm);
	jf_image_free(image);
	free(code);
}

static int list(const char *path, const char *name)
{
	struct disasm *disasm;
	struct captured c;
	int status = 1;

	captured_read(path, &c);
	disasm = disasm_llvm_new(c.conv->backend);
	for (uint32_t i = 0; disasm && i < c.program_count; i++) {
		if (strcmp(c.programs[i].name, name) != 0)
			continue;
		list_program(&c, &c.programs[i], disasm);
		status = 0;
	}
	if (status)
		fprintf(stderr, "%s: no program %s, or no disassembler for it\n", path, name);
	disasm_llvm_free(disasm);
	captured_free(&c);
	return status;
}

int main(int argc, char **argv)
{
	double limit = 1e9;
	bool within = true;

	if (argc > 3 && strcmp(argv[1], "--list") == 0)
		return list(argv[3], argv[2]);
	if (argc > 2 && strcmp(argv[1], "--limit") == 0) {
		limit = atof(argv[2]);
		argc -= 2;
		argv += 2;
	}
	for (int i = bench_begin(argc, argv, "size"); i < argc; i++)
		within &= compare(argv[i], limit);
	return bench_end() || !within;
}
