/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"
#include "check.h"
#include "conventions.h"
#include "image.h"

#include <stdlib.h>
#include <string.h>

/*
 * Every BPF instruction on every convention: it compiles, the same way each time, into no more than
 * jf_compile_bound() says and nothing beyond the capacity. That the code is right, tests/exec finds out.
 */

#define REPEAT     50
#define CODE_BYTES (1 << 18)
#define ADDRESS    UINT64_C(0x7f0000000000)

static const struct jf_import imports[] = {
	{.name = "near", .address = ADDRESS + 0x10000},
	{.name = "far", .address = UINT64_C(0x123456789abcdef0)},
	{.name = "throw", .address = ADDRESS + 0x20000, .throws = true},
};
static const struct jf_map_ref maps[] = {{UINT64_C(0x7fff12345678), UINT64_C(0x7fff87654321)}};
static uint8_t code[CODE_BYTES], again[CODE_BYTES + 64];

static struct jf_program program_of(const struct jf_function *functions, uint32_t count)
{
	return (struct jf_program){
		.size = sizeof(struct jf_program),
		.functions = functions,
		.function_count = count,
		.callback = -1,
		.helpers = imports,
		.helper_count = 3,
		.kfuncs = imports,
		.kfunc_count = 3,
		.maps = maps,
		.map_count = 1,
		.call_register = {.name = "call_register", .address = ADDRESS + 0x30000},
	};
}

/* How much of the bound is for main's instructions, but for an exit. */
static size_t body_bound(const struct jf_convention *conv, const struct jf_program *program)
{
	const struct jf_insn just_exit[] = {EXIT};
	struct jf_function functions[2] = {FUNCTION("main", just_exit)};
	struct jf_program empty = *program;

	if (program->function_count > 1)
		functions[1] = program->functions[1];
	empty.functions = functions;
	return jf_compile_bound(conv, program) - jf_compile_bound(conv, &empty);
}

static struct jf_image *compiled(const struct jf_convention *conv, const struct jf_program *program, const char *what)
{
	const struct jf_image_function *f;

	struct jf_error error = {0};
	struct jf_image *image = NULL, *second = NULL;
	size_t size;

	CHECK_STATUS(jf_compile(conv, program, NULL, code, sizeof(code), ADDRESS, &image, &error), JF_OK,
		     "%s/%s, %s: %s: %s", conv->backend->name, conv->name, what, error.where, error.text);
	size = image->size_bytes;
	check_image(image);
	f = jf_image_function_at(image, 0);
	CHECK(f->insn_off[f->insn_count] - f->insn_off[0] <= body_bound(conv, program),
	      "%s/%s, %s: %u bytes, the bound is %zu", conv->backend->name, conv->name, what,
	      f->insn_off[f->insn_count] - f->insn_off[0], body_bound(conv, program));
	CHECK(size <= jf_compile_bound(conv, program), "%s/%s, %s: %zu bytes, the bound is %zu", conv->backend->name,
	      conv->name, what, size, jf_compile_bound(conv, program));
	/* In exactly the room it needs, with a wall behind it. */
	memset(again, 0xcc, size + 64);
	CHECK_STATUS(jf_compile(conv, program, NULL, again, size, ADDRESS, &second, &error), JF_OK,
		     "%s/%s, %s, in %zu bytes: %s", conv->backend->name, conv->name, what, size, error.text);
	CHECK(second->size_bytes == size && !memcmp(code, again, size), "%s/%s, %s: other code", conv->backend->name,
	      conv->name, what);
	for (size_t i = size; i < size + 64; i++)
		CHECK(again[i] == 0xcc, "%s/%s, %s: byte %zu of %zu", conv->backend->name, conv->name, what, i, size);
	jf_image_free(second);
	return image;
}

/* One instruction (two halves when wide) many times over; then an exit. */
static void check_many(const struct jf_convention *conv, const struct jf_insn *insn, unsigned int units,
		       const char *what)
{
	struct jf_insn insns[2 * REPEAT + 1];
	struct jf_function function = {"main", insns, REPEAT * units + 1};
	struct jf_program program = program_of(&function, 1);

	for (unsigned int i = 0; i < REPEAT; i++)
		memcpy(&insns[i * units], insn, units * sizeof(*insn));
	insns[REPEAT * units] = (struct jf_insn)EXIT;
	jf_image_free(compiled(conv, &program, what));
}

static void check_one(const struct jf_convention *conv, struct jf_insn insn)
{
	char what[64];

	snprintf(what, sizeof(what), "opcode 0x%02x, r%u, r%u, off %d, imm 0x%x", insn.opcode, insn.regs & 15,
		 insn.regs >> 4, insn.off, insn.imm);
	check_many(conv, &insn, 1, what);
}

/* Immediates at the edges of what instruction fields hold. */
static const int32_t imms[] = {
	0,          1,      -1,     2,       3,      7,          127,        128,       -128,      -129,
	255,        256,    2047,   2048,    -2048,  -2049,      4095,       4096,      -4095,     -4096,
	0x7fff,     0x8000, 0xffff, 0x10000, 0xff00, 0x00ff00ff, 0x7ffff000, INT32_MAX, INT32_MIN, INT32_MIN + 1,
	0x12345678,
};
#define IMMS (sizeof(imms) / sizeof(imms[0]))

ALL_CONVENTIONS(backend_insns, alu_immediates)
{
	const struct jf_convention *conv = convention_at(*index);

	for (unsigned int f = ADD; f <= ARSH; f++) {
		for (size_t i = 0; i < IMMS; i++) {
			unsigned int dst = (unsigned int)i % 10;
			int32_t imm = f == NEG ? 0 : imms[i];

			check_one(conv, (struct jf_insn)ALU64_K(f, dst, imm));
			check_one(conv, (struct jf_insn)ALU32_K(f, dst, imm));
			if (f != DIV && f != MOD)
				continue;
			check_one(conv, (struct jf_insn)INSN(f << 4 | 0x07, dst, 0, 1, imm));
			check_one(conv, (struct jf_insn)INSN(f << 4 | 0x04, dst, 0, 1, imm));
		}
	}
}

ALL_CONVENTIONS(backend_insns, alu_registers)
{
	const struct jf_convention *conv = convention_at(*index);

	for (unsigned int f = ADD; f <= ARSH; f++) {
		for (unsigned int pair = 0; f != NEG && pair < 10 * 11; pair++) {
			unsigned int dst = pair / 11, src = pair % 11;

			check_one(conv, (struct jf_insn)ALU64_X(f, dst, src));
			check_one(conv, (struct jf_insn)ALU32_X(f, dst, src));
			for (int off = 1; (f == DIV || f == MOD) && off <= 1; off++) {
				check_one(conv, (struct jf_insn)INSN(f << 4 | 0x0f, dst, src, off, 0));
				check_one(conv, (struct jf_insn)INSN(f << 4 | 0x0c, dst, src, off, 0));
			}
			for (int off = 8; f == MOV && off <= 32; off *= 2) {
				check_one(conv, (struct jf_insn)INSN(0xbf, dst, src, off, 0));
				if (off < 32)
					check_one(conv, (struct jf_insn)INSN(0xbc, dst, src, off, 0));
			}
		}
	}
	for (int width = 16; width <= 64; width *= 2) {
		for (unsigned int dst = 0; dst < 10; dst++) {
			check_one(conv, (struct jf_insn)INSN(0xd4, dst, 0, 0, width));
			check_one(conv, (struct jf_insn)INSN(0xdc, dst, 0, 0, width));
			check_one(conv, (struct jf_insn)INSN(0xd7, dst, 0, 0, width));
		}
	}
}

/* Offsets at the edges; on R10 only what its stack allows. */
static const int16_t offs[] = {0,    1,    7,    8,     -8,    255,  256,   -256,  -257,      504,
			       2040, 2047, 2048, -2048, -2049, 4095, 16380, 32760, INT16_MAX, INT16_MIN};
#define OFFS (sizeof(offs) / sizeof(offs[0]))

ALL_CONVENTIONS(backend_insns, memory)
{
	const struct jf_convention *conv = convention_at(*index);

	for (unsigned int size = W; size <= DW; size += 8) {
		for (size_t i = 0; i < OFFS; i++) {
			unsigned int a = (unsigned int)i % 10, b = (unsigned int)(i * 7 + 3) % 10;

			check_one(conv, (struct jf_insn)LDX(size, a, b, offs[i]));
			check_one(conv, (struct jf_insn)STX(size, a, b, offs[i]));
			check_one(conv, (struct jf_insn)ST(size, a, offs[i], imms[i]));
			if (size != DW)
				check_one(conv, (struct jf_insn)LDSX(size, a, b, offs[i]));
			if (offs[i] < -512 || offs[i] > 0)
				continue;
			check_one(conv, (struct jf_insn)LDX(size, a, 10, offs[i]));
			check_one(conv, (struct jf_insn)STX(size, 10, b, offs[i]));
			check_one(conv, (struct jf_insn)ST(size, 10, offs[i], imms[i]));
		}
	}
}

ALL_CONVENTIONS(backend_insns, atomics)
{
	static const int32_t what[] = {0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x100, 0x110};
	const struct jf_convention *conv = convention_at(*index);

	for (size_t k = 0; k < sizeof(what) / sizeof(what[0]); k++) {
		for (size_t i = 0; i < OFFS; i++) {
			unsigned int a = (unsigned int)i % 10, b = (unsigned int)(i * 7 + 3) % 10;

			check_one(conv, (struct jf_insn)ATOMIC(DW, a, b, offs[i], what[k]));
			check_one(conv, (struct jf_insn)ATOMIC(W, a, b, offs[i], what[k]));
			if (what[k] >= 0x100) {
				check_one(conv, (struct jf_insn)ATOMIC(H, a, b, offs[i], what[k]));
				check_one(conv, (struct jf_insn)ATOMIC(B, a, b, offs[i], what[k]));
			}
		}
	}
}

ALL_CONVENTIONS(backend_insns, jumps)
{
	const struct jf_convention *conv = convention_at(*index);

	for (unsigned int f = JEQ; f <= JSLE; f++) {
		if (f == 8 || f == 9)
			continue;
		for (size_t i = 0; i < IMMS; i++) {
			check_one(conv, (struct jf_insn)J_K(f, i % 11, imms[i], 0));
			check_one(conv, (struct jf_insn)J32_K(f, i % 11, imms[i], 0));
		}
		for (unsigned int pair = 0; pair < 11 * 11; pair++) {
			check_one(conv, (struct jf_insn)J_X(f, pair / 11, pair % 11, 0));
			check_one(conv, (struct jf_insn)J32_X(f, pair / 11, pair % 11, 0));
		}
	}
	check_one(conv, (struct jf_insn)JA(0));
	check_one(conv, (struct jf_insn)JAL(-1));
}

ALL_CONVENTIONS(backend_insns, immediates_of_64_bits)
{
	const struct jf_convention *conv = convention_at(*index);

	for (size_t i = 0; i < IMMS * IMMS; i++) {
		const struct jf_insn insn[] = {LDDW(i % 10, 0, imms[i / IMMS], imms[i % IMMS])};

		check_many(conv, insn, 2, "64-bit immediate");
	}
	for (int kind = 1; kind <= 2; kind++) {
		const struct jf_insn insn[] = {LDDW(1, kind, 0, 0)};

		check_many(conv, insn, 2, "reference");
	}
}

/* Not known before the last pass; an earlier one may need more room. */
ALL_CONVENTIONS(backend_insns, addresses_of_functions)
{
	const struct jf_insn first[] = {LDDW(1, 4, 1, 0), EXIT}, second[] = {LDDW(1, 4, 0, 0), LDDW(1, 4, 1, 0), EXIT};
	const struct jf_function functions[] = {FUNCTION("first", first), FUNCTION("second", second)};
	const struct jf_program program = program_of(functions, 2);
	const struct jf_convention *conv = convention_at(*index);
	struct jf_error error = {0};
	struct jf_image *image;

	CHECK_STATUS(jf_compile(conv, &program, NULL, code, sizeof(code), ADDRESS, &image, &error), JF_OK, "%s/%s: %s",
		     conv->backend->name, conv->name, error.text);
	check_image(image);
	jf_image_free(image);
}

ALL_CONVENTIONS(backend_insns, calls)
{
	const struct jf_convention *conv = convention_at(*index);

	for (int i = 0; i < 3; i++) {
		check_one(conv, (struct jf_insn)CALL_HELPER(i));
		check_one(conv, (struct jf_insn)CALL_KFUNC(i));
	}
	check_one(conv, (struct jf_insn)CALL_FUNCTION(0));
	check_one(conv, (struct jf_insn)CALL_HELPER(12));
	for (unsigned int reg = 0; reg <= 9; reg++)
		check_one(conv, (struct jf_insn)INSN(0x8d, reg, 0, 0, 0));
}

/* Every capacity below what is needed, with a wall behind it. */
ALL_CONVENTIONS(backend_insns, no_capacity_is_overstepped)
{
	const struct jf_insn first[] = {
		STX(DW, 10, 1, -8), LDDW(2, 0, -1, 0x7fffffff),
		ALU64_X(DIV, 2, 1), ATOMIC(DW, 10, 2, -8, 0xf1),
		CALL_HELPER(1),     J_K(JGT, 0, 5, 2),
		CALL_FUNCTION(1),   CALL_HELPER(12),
		CALL_KFUNC(2),      EXIT,
	};
	const struct jf_insn second[] = {LDX(B, 0, 1, 4095), ALU32_K(MOD, 0, 10), EXIT};
	const struct jf_function functions[] = {FUNCTION("first", first), FUNCTION("second", second)};
	const struct jf_program program = program_of(functions, 2);
	const struct jf_convention *conv = convention_at(*index);
	struct jf_image *image = compiled(conv, &program, "all sorts");
	size_t need = image->size_bytes;

	jf_image_free(image);
	for (size_t capacity = 0; capacity < need; capacity++) {
		struct jf_error error = {0};

		memset(again, 0xcc, need + 64);
		CHECK_STATUS(jf_compile(conv, &program, NULL, again, capacity, ADDRESS, &image, &error), JF_E_NOSPACE,
			     "%s/%s: %zu of %zu: %s", conv->backend->name, conv->name, capacity, need, error.text);
		for (size_t i = capacity; i < need + 64; i++)
			CHECK(again[i] == 0xcc, "%s/%s: byte %zu with a capacity of %zu", conv->backend->name,
			      conv->name, i, capacity);
	}
}

/* Every distance around what short forms reach, both ways, over the smallest instructions. */
ALL_CONVENTIONS(backend_insns, far_branches)
{
	static struct jf_insn insns[70000];
	static const uint32_t distances[] = {20, 120, 8000, 30000, 66000};
	const struct jf_convention *conv = convention_at(*index);
	uint8_t *bytes = malloc(8 << 20);

	for (unsigned int i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
		uint32_t n = distances[i];
		struct jf_function function = {"main", insns, n + 4};
		struct jf_program program = program_of(&function, 1);
		struct jf_error error = {0};
		struct jf_image *image;

		insns[0] = n <= INT16_MAX ? (struct jf_insn)J_K(JEQ, 1, 5, n) : (struct jf_insn)JAL(n);
		for (uint32_t k = 1; k <= n; k++)
			insns[k] = (struct jf_insn)ALU64_K(XOR, 2, 0x12345678);
		insns[n + 1] =
			n + 2 <= INT16_MAX ? (struct jf_insn)J_X(JSLE, 2, 3, -(int)n - 2) : (struct jf_insn)MOV_K(0, 0);
		insns[n + 2] = (struct jf_insn)JAL(-(int)n - 3);
		insns[n + 3] = (struct jf_insn)EXIT;
		CHECK_STATUS(jf_compile(conv, &program, NULL, bytes, 8 << 20, ADDRESS, &image, &error), JF_OK,
			     "%s/%s over %u: %s", conv->backend->name, conv->name, n, error.text);
		check_image(image);
		CHECK(image->size_bytes <= jf_compile_bound(conv, &program), "over %u", n);
		jf_image_free(image);
	}
	free(bytes);
}
