/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_DECODE_WORDS_H
#define JF_TESTS_DECODE_WORDS_H

#include <jitframe/effect.h>

#include "llvm.h"

/* What it takes to hold a decoder of 4-byte instructions to LLVM. */
struct words {
	const char *backend;
	const char *features; /* LLVM's, all that it has */
	uint32_t dense;       /* the upper half of words where instructions have no fields to speak of: all are tried */
	/* Whether what LLVM reads is another spelling of the instruction called `name`. */
	bool (*same)(const char *name, const struct llvm *llvm);
	/* Whether LLVM reads an instruction where the manual has none. */
	bool (*overread)(uint32_t word, const struct llvm *llvm);
	/* Whether LLVM reads none where the manual has `name`. NULL: never. */
	bool (*underread)(uint32_t word, const char *name);
	/* Looks at the effect of a word that both read alike: prints what is wrong. returns: false then. NULL: no. */
	bool (*check)(uint32_t word, const struct llvm *llvm, const struct jf_effect *effect);
};

/*
 * Random words, by the million: the same instruction to both, or none. DECODE_WORDS in the environment says
 * how many, DECODE_SEED which. Prints how many there were of each kind; fails the test at a difference.
 */
void words_check(const struct words *words);

/* Fails the test when a value of the effect is none that it may have. */
void words_check_effect(const struct jf_backend *backend, uint32_t word, const struct jf_effect *effect);

/* Registers that steps write: bit by id. */
uint64_t words_written(const struct jf_effect *effect);

#endif
