/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_TOKENS_H
#define JF_CHECK_TOKENS_H

#include <jitframe/backend.h>

#define TOKENS_MAX 96

/* Instructions as far as specs are compared. */
struct tokens {
	uint32_t count;
	uint64_t what[TOKENS_MAX];    /* two do the same when these are equal */
	uint32_t end_off[TOKENS_MAX]; /* bytes from the start, behind the instruction */
	/* It only loads a constant, into this register; else JF_REG_NONE. The code may take more instructions for
	 * one than the prologue, whose constants are short. */
	uint8_t constant[TOKENS_MAX];
	bool goes_on[TOKENS_MAX];            /* with a constant that was begun before */
	uint32_t saves_from[TOKENS_MAX + 1]; /* stores of callee-saved registers from here on */
	bool signs, pads;                    /* anywhere; at the start */
};

void tokenize(const struct jf_backend *backend, const uint8_t *bytes, size_t size, struct tokens *tokens);

#define EDIT 2 /* what an instruction costs that only one side has */

struct token_match {
	uint32_t cost;
	uint32_t matched;
	uint32_t end; /* instructions of the code up to the last one that matched */
};

/*
 * The cheapest way to make `prologue` out of the start of the code. What comes behind that costs nothing, but for
 * saves: they are some prologue's. Gives up, with a cost above `most`, where the way costs more than that.
 */
struct token_match tokens_match(const struct tokens *prologue, const struct tokens *code, uint32_t most);
/* A lower bound of tokens_match().cost, found faster. */
uint32_t tokens_least_cost(const struct tokens *prologue, const struct tokens *code);
/* The offset behind `end` instructions, and behind what goes on with the constant that the last of them began. */
uint32_t tokens_end_off(const struct tokens *code, uint32_t end);

#endif
