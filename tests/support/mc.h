/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_MC_H
#define JF_TESTS_MC_H

#include <stddef.h>
#include <stdint.h>

/*
 * Holds our encoders to two assemblers that are not ours: LLVM MC, run as a program once per call
 * (llvm-mc-19, -18 or llvm-mc; LLVM_MC in the environment goes first), and Capstone, linked in.
 * All of these fail the running Criterion test, naming every case that differs; without an llvm-mc the
 * test is skipped and says so.
 */
struct mc_case {
	char text[96];     /* assembler source of one instruction; x86: AT&T syntax */
	uint8_t bytes[16]; /* what our encoder made of it */
	uint8_t size;
};

/* text assembles to exactly `bytes`. features: for --mattr, "" or NULL for none. */
void mc_check_assembles(const char *triple, const char *features, const struct mc_case *cases, size_t count);

/*
 * bytes disassemble to exactly `text`, blanks apart: for encodings that an assembler would not choose
 * by itself, and for branches, whose displacements it only takes from labels.
 */
void mc_check_disassembles(const char *triple, const char *features, const struct mc_case *cases, size_t count);

/*
 * bytes are exactly one instruction to Capstone, under the name that is the first word of text, or
 * one of its aliases. arch, mode: cs_arch and cs_mode as integers. x86 in AT&T syntax.
 */
void mc_check_capstone(int arch, int mode, const struct mc_case *cases, size_t count);

/* The same; `aliases` are pairs of (our word, Capstone's word), ended by NULL. */
void mc_check_capstone_aliases(int arch, int mode, const struct mc_case *cases, size_t count,
			       const char *const *aliases);

#endif
