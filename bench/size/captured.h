/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_SIZE_CAPTURED_H
#define JF_BENCH_SIZE_CAPTURED_H

#include <jitframe/jitframe.h>

/*
 * What a kernel's JIT made of BPF programs, as text. Lines of a word and its values; '#' begins a comment.
 *
 *     kernel RELEASE MACHINE       whose it is
 *     target ARCH/CONVENTION       what it is to be compared with
 *     option NAME                  landing-pads, sign-return, atomic-insns: what that kernel's JIT does, and we can
 *     call-base ADDRESS            C code is called as a distance from here
 *     program NAME                 begins a program
 *     bpf HEX                      its instructions as the kernel's verifier left them to the JIT
 *     at ADDRESS                   of the function whose code follows, main first
 *     code HEX
 */
#define CAPTURED_FUNCTIONS_MAX 64

struct captured_function {
	uint64_t address;
	uint8_t *code;
	size_t size_bytes;
};

struct captured_program {
	char *name;
	struct jf_insn *insns;
	uint32_t insn_count;
	struct captured_function functions[CAPTURED_FUNCTIONS_MAX];
	uint32_t function_count;
};

struct captured {
	char *kernel;
	const struct jf_convention *conv;
	struct jf_compile_opts opts;
	uint64_t call_base;
	struct captured_program *programs;
	uint32_t program_count;
};

/* Exits with a message when the file is not as described above. Free with captured_free(). */
void captured_read(const char *path, struct captured *captured);
void captured_free(struct captured *captured);

/*
 * Compiles one of its programs to where the kernel had it. Exits with a message when that fails.
 * out: *code = the image's bytes, free(). returns: the image, NULL when the backend has no such instruction;
 * jf_image_free() before captured_free().
 */
struct jf_image *captured_compile(const struct captured *captured, const struct captured_program *program,
				  uint8_t **code);

#endif
