/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <jitframe/compile.h>

/*
 * Any bytes as something to compile:
 *
 *     0      convention, of all that there are
 *     1      options: bit 0 landing pads, 1 signed returns, 2 private stack, 3 too little room for code,
 *            4 imports of which some have no address, 5 code addresses far from those of C, 6 no helpers,
 *            7 tables of clean-up pads, of places that the first instruction's imm chooses; kfunc 1 ends pads
 *     2      functions - 1, of INPUT_FUNCTIONS_MAX
 *     3      callback - a byte with a sign
 *     4      maps, kfuncs: four bits each
 *     5      arguments of kfuncs: four bits each for the even and the odd ones
 *     6      types of results and arguments of imports: where the choice among them begins, and its step
 *     8      instructions of each function but the last, two bytes each
 *            instructions, 8 bytes each, as they are in memory
 *
 * Compiles it, and looks whether what comes out keeps to what program.h says. Anything wrong ends the
 * process. returns: what jf_compile() returned; JF_E_INVAL for too few bytes.
 */
enum jf_status input_compile(const uint8_t *data, size_t size);

#define INPUT_HEADER        8
#define INPUT_FUNCTIONS_MAX 8

/* The other way around: bytes for a program. out: up to capacity bytes. returns: how many, 0 = too many. */
size_t input_from_program(uint8_t *data, size_t capacity, const struct jf_program *program, uint8_t convention,
			  uint8_t options);

#endif
