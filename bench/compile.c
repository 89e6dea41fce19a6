/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * How long jf_compile() takes per BPF instruction, for every convention (compiling is the same work on
 * any host): a long straight program of loads, stores, arithmetic and moves as clang makes them; the same
 * where no two stretches are alike, which no branch predictor learns; and a branchy one, with a jump in
 * every fourth instruction of such a mixture, forwards and backwards.
 */

#include "measure.h"

#include <jitframe/jitframe.h>
#include <stdio.h>
#include <stdlib.h>

#define INSNS 65536
#define BLOCK 64 /* instructions after which the straight program repeats itself, as unrolled loops do */

enum shape { STRAIGHT, MIXED, BRANCHY };

struct work {
	const struct jf_convention *conv;
	struct jf_program program;
	void *bytes;
	size_t capacity;
	size_t code_bytes;
	unsigned int passes;
};

static uint32_t state;

static uint32_t random32(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

static struct jf_insn plain(void)
{
	static const uint8_t alu[] = {0x07, 0x0f, 0x17, 0x1f, 0x47, 0x4f, 0x57, 0x5f,
				      0x67, 0x77, 0xa7, 0xaf, 0xb7, 0xbf, 0x04, 0x0c};
	uint8_t dst = (uint8_t)(random32() % 10), src = (uint8_t)(random32() % 10), opcode;

	switch (random32() % 4) {
	case 0: /* dst = *(size *)(r10 + off) */
		opcode = (uint8_t)(0x61 + 8 * (random32() % 4));
		return (struct jf_insn){opcode, (uint8_t)(dst | 0xa0), (int16_t)(-8 * (1 + (int)(random32() % 60))), 0};
	case 1: /* *(size *)(r10 + off) = src */
		opcode = (uint8_t)(0x63 + 8 * (random32() % 4));
		return (struct jf_insn){opcode, (uint8_t)(10 | src << 4), (int16_t)(-8 * (1 + (int)(random32() % 60))),
					0};
	default:
		opcode = alu[random32() % sizeof(alu)];
		if (opcode & 0x08)
			return (struct jf_insn){opcode, (uint8_t)(dst | src << 4), 0, 0};
		if ((opcode & 0xf0) == 0x60 || (opcode & 0xf0) == 0x70)
			return (struct jf_insn){opcode, dst, 0, (int32_t)(random32() % 63) + 1};
		return (struct jf_insn){opcode, dst, 0, (int32_t)(random32() % 3 ? random32() % 256 : random32())};
	}
}

static struct jf_insn jump(uint32_t index)
{
	static const uint8_t conds[] = {0x15, 0x1d, 0x25, 0x55, 0x5d, 0x65, 0xa5, 0xad, 0xc5, 0x16, 0x1e, 0x56};
	uint8_t opcode = conds[random32() % sizeof(conds)];
	int32_t span = 1 + (int32_t)(random32() % 40), off = random32() % 8 ? span : -span;

	if ((int64_t)index + 1 + off < 0 || (int64_t)index + 1 + off >= INSNS)
		off = 0;
	return (struct jf_insn){opcode, (uint8_t)(random32() % 10 | (opcode & 0x08 ? random32() % 10 << 4 : 0)),
				(int16_t)off, opcode & 0x08 ? 0 : (int32_t)(random32() % 256)};
}

static struct jf_insn *make(enum shape shape)
{
	struct jf_insn *insns = calloc(INSNS, sizeof(*insns));

	if (!insns)
		exit(1);
	state = 1;
	for (uint32_t i = 0; i + 1 < INSNS; i++)
		insns[i] = shape == BRANCHY && i % 4 == 3  ? jump(i) :
			   shape == STRAIGHT && i >= BLOCK ? insns[i % BLOCK] :
							     plain();
	insns[INSNS - 1].opcode = 0x95;
	return insns;
}

static void compile(void *arg)
{
	struct work *w = arg;
	struct jf_image *image;
	struct jf_error error;

	if (jf_compile(w->conv, &w->program, NULL, w->bytes, w->capacity, 0x10000, &image, &error) != JF_OK) {
		fprintf(stderr, "%s: %s: %s\n", w->conv->name, error.where, error.text);
		exit(1);
	}
	w->code_bytes = image->size_bytes;
	w->passes = image->passes;
	jf_image_free(image);
}

static void row(json_t *rows, const struct jf_convention *conv, const char *shape, const struct jf_insn *insns)
{
	struct jf_function function = {shape, insns, INSNS};
	struct work w = {.conv = conv};
	struct measure m;
	char target[64];

	w.program = (struct jf_program){
		.size = sizeof(w.program), .functions = &function, .function_count = 1, .callback = -1};
	w.capacity = jf_compile_bound(conv, &w.program);
	w.bytes = malloc(w.capacity);
	if (!w.bytes)
		exit(1);
	m = measure(compile, &w, INSNS, 0.5);
	snprintf(target, sizeof(target), "%s/%s", conv->backend->name, conv->name);
	printf("%-22s %-10s %8.2f  %7.2f..%-7.2f %8.2f %7u\n", target, shape, m.median, m.low, m.high,
	       (double)w.code_bytes / INSNS, w.passes);
	json_array_append_new(rows, json_pack("{s:s, s:s, s:i, s:o, s:f, s:i}", "target", target, "program", shape,
					      "instructions", INSNS, "per_instruction", measure_json(&m),
					      "code_bytes_per_instruction", (double)w.code_bytes / INSNS, "passes",
					      (int)w.passes));
	free(w.bytes);
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"straight", "mixed", "branchy"};
	struct jf_insn *insns[3];
	json_t *rows = json_array();
	const struct jf_backend *backend;

	for (enum shape shape = STRAIGHT; shape <= BRANCHY; shape++)
		insns[shape] = make(shape);
	printf("%-22s %-10s %8s  %-16s %8s %7s\n", "target", "program", "ns/insn", "quartiles", "B/insn", "passes");
	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < backend->convention_count; k++) {
			for (enum shape shape = STRAIGHT; shape <= BRANCHY; shape++)
				row(rows, backend->conventions[k], names[shape], insns[shape]);
		}
	}
	for (enum shape shape = STRAIGHT; shape <= BRANCHY; shape++)
		free(insns[shape]);
	return measure_finish(argc, argv, "compile", rows);
}
