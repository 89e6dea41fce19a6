/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-effects-ARCH: executes random instructions of this processor and compares what they did with what the
 * decoder says that they do: every register, and every byte of the memory that they were pointed at.
 *
 *     jf-effects-ARCH [--count N] [--seed N] [--names]
 *
 * Left out is what the decoder calls unknown, what leaves the instruction's successor, and what cannot be
 * pointed at that memory. What chooses by the condition flags is executed behind a comparison. Last line: "done
 * words= names= signals= illegal= first= second=": how many were compared, how many different instructions they were,
 * how many raised a signal of their own (and so were not compared), how many of those SIGILL, and how many chose the
 * first or the second of two values. --names lists the instructions, and how often each was compared. Exits with 1
 * after a difference.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../random/rng.h"
#include "arch.h"
#include "predict.h"
#include "shot.h"
#include "tally.h"

#define BATCH      1024
#define WORD_BYTES 4 /* of the longest instruction */
#define STRIDE     16
#define NEIGHBOURS 256
#define TRIES      20

static const struct jf_backend *host;
static const struct arch *arch;
static struct rng rng;
static uint32_t valid[NEIGHBOURS];
static uint32_t comparing[NEIGHBOURS]; /* comparisons, as they were met */
static unsigned int comparing_count;

/* An instruction to be tried, behind a comparison where it asks for one. */
struct trial {
	uint32_t word, comparison;
	bool compares_first;
};
static uint8_t scratch[MEMORY_BYTES] __attribute__((aligned(MEMORY_BYTES)));

/* ---- choosing instructions -------------------------------------------------------------------- */

static bool decode(uint32_t word, struct jf_effect *effect)
{
	uint8_t bytes[WORD_BYTES] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};

	return jf_decode(host, bytes, sizeof(bytes), effect) == JF_OK;
}

static bool is_dangerous(const struct jf_effect *effect)
{
	for (const char *const *start = arch->dangerous; start && *start; start++)
		if (strncmp(effect->name, *start, strlen(*start)) == 0)
			return true;
	return false;
}

static bool is_wanted(uint32_t word, unsigned long share)
{
	struct jf_effect effect;
	struct name *name;

	if (!decode(word, &effect))
		return false;
	valid[rng_below(&rng, NEIGHBOURS)] = word;
	if (sets_flags(&effect))
		comparing[comparing_count++ % NEIGHBOURS] = word;
	if (effect.flow != JF_FLOW_NEXT || effect.flags & (JF_EFFECT_UNKNOWN | JF_EFFECT_SYSTEM) ||
	    is_dangerous(&effect))
		return false;
	for (unsigned int i = 0; i < effect.step_count; i++)
		if (effect.steps[i].kind == JF_STEP_LOAD || effect.steps[i].kind == JF_STEP_STORE)
			if (effect.steps[i].a == JF_REG_NONE)
				return false;
	name = name_of(effect.name);
	return name && name->taken++ < share;
}

static uint32_t rare_word(void)
{
	uint32_t word = arch->rare[rng_below(&rng, (uint32_t)arch->rare_count)];

	for (unsigned int i = 0; i < 2 && rng_below(&rng, 8); i++)
		word ^= ((UINT32_C(1) << arch->regs[i].bits) - 1) << arch->regs[i].bit & (uint32_t)rng_next(&rng);
	return word;
}

/* Uniform, with few bits set, or a neighbour of another instruction: as in tests/decode; or one of the rare ones. */
static uint32_t next_word(unsigned long share)
{
	for (;;) {
		uint32_t word = (uint32_t)rng_next(&rng);

		if (arch->rare_count && rng_below(&rng, 32) == 0)
			word = rare_word();
		else if (rng_below(&rng, 4) == 0)
			word &= (uint32_t)rng_next(&rng);
		else if (rng_below(&rng, 2) == 0)
			word = valid[word & (NEIGHBOURS - 1)] ^ UINT32_C(1) << (word >> 27) ^ (word >> 8 & 0x3ff);
		if (is_wanted(word, share))
			return word;
	}
}

static struct trial next_trial(unsigned long share)
{
	struct trial trial = {.word = next_word(share)};
	struct jf_effect effect, comparison;

	if (!comparing_count || !decode(trial.word, &effect) || !asks_flags(&effect))
		return trial;
	trial.comparison = comparing[rng_below(&rng, comparing_count < NEIGHBOURS ? comparing_count : NEIGHBOURS)];
	trial.compares_first = decode(trial.comparison, &comparison) && goes_before(&comparison, &effect);
	return trial;
}

/* ---- registers and memory --------------------------------------------------------------------- */

static uint64_t random_value(void)
{
	uint64_t value = rng_next(&rng);

	switch (rng_below(&rng, 4)) {
	case 0: return value;
	case 1: return value & 63;
	case 2: return 0 - (value & 0xffff);
	default: return (uint64_t)(uintptr_t)scratch + (value & (MEMORY_BYTES - 16));
	}
}

static void set_state(struct state *state, uint64_t pc)
{
	memset(state, 0, sizeof(*state));
	state->pc = pc;
	state->memory_at = (uint64_t)(uintptr_t)scratch;
	for (unsigned int i = 0; i < MEMORY_BYTES; i++)
		scratch[i] = (uint8_t)rng_next(&rng);
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		state->regs.value[reg] = strcmp(host->regs[reg].name, "zero") == 0 ? 0 : random_value();
	state->regs.value[host->ra] = (uint64_t)(uintptr_t)scratch; /* to be signed: an address */
}

/* Registers with which all accesses hit the memory. returns: false when there were none to be found. */
static bool aim(const struct jf_effect *effect, const struct jf_compare *compare, uint64_t pc, struct state *before,
		struct state *after)
{
	for (unsigned int tries = 0; tries < TRIES; tries++) {
		const struct jf_step *missed = effect->steps;
		uint64_t address;

		set_state(before, pc);
		bring_near(host, before, compare, rng_below(&rng, 4));
		for (unsigned int i = 0; missed && i < 3; i++) {
			memcpy(before->memory, scratch, MEMORY_BYTES);
			*after = *before;
			missed = predict(host, effect, after, &address);
			if (missed && missed->b != JF_REG_NONE)
				before->regs.value[missed->b] &= 31;
			if (missed)
				before->regs.value[missed->a] +=
					before->memory_at + 1024 + rng_below(&rng, 32) * 64 - address;
		}
		if (!missed)
			return true;
	}
	return false;
}

/* ---- comparing -------------------------------------------------------------------------------- */

static void differ(uint32_t word, const struct jf_effect *effect, const char *what, uint64_t is, uint64_t predicted)
{
	different++;
	fprintf(stderr, "%08" PRIx32 " %s: %s is %016" PRIx64 ", not %016" PRIx64 "\n", word, effect->name, what, is,
		predicted);
}

static void compare(uint32_t word, const struct jf_effect *effect, const struct shot *shot, const struct state *after)
{
	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		uint64_t is = shot->out.value[reg], predicted = after->regs.value[reg];

		if (after->is_signed[reg])
			is = host->strip_return(is);
		if (!after->unknown[reg] && is != predicted)
			differ(word, effect, host->regs[reg].name, is, predicted);
	}
	for (unsigned int i = 0; i < MEMORY_BYTES; i++)
		if (!after->memory_unknown[i] && scratch[i] != after->memory[i])
			differ(word, effect, "a byte", scratch[i], after->memory[i]);
	compared++;
	if (after->choice != CHOICE_NONE)
		chosen[after->choice == CHOICE_SECOND]++;
}

static void try_word(const uint8_t *code, const struct trial *trial)
{
	uint64_t pc = (uint64_t)(uintptr_t)code + host->insn_align;
	static struct state before, after;
	struct jf_effect effect, comparison = {.size_bytes = 0};
	uint32_t word = trial->word;
	struct shot shot = {.entry = 0};
	struct name *name;
	uint64_t address;

	if (trial->compares_first && !decode(trial->comparison, &comparison))
		return;
	pc += comparison.size_bytes;
	if (!decode(word, &effect) ||
	    !aim(&effect, trial->compares_first ? &comparison.flags_hold : &effect.asks, pc, &before, &after))
		return;
	name = name_of(effect.name);
	shot.in = before.regs;
	shot_fire(code, &shot);
	if (shot.signal != SIGTRAP || shot.pc != pc + effect.size_bytes) {
		name->signals++;
		name->illegal += shot.signal == SIGILL;
		return;
	}
	/* Only now the floating-point registers are known. */
	after = before;
	after.regs = shot.in;
	if (trial->compares_first)
		predict(host, &comparison, &after, &address);
	predict(host, &effect, &after, &address);
	name->compared++;
	compare(word, &effect, &shot, &after);
}

/* ---- batches of code -------------------------------------------------------------------------- */

static bool make_trap(uint8_t trap[WORD_BYTES])
{
	struct jf_code code;

	jf_code_init(&code, trap, WORD_BYTES, 0, NULL, 0);
	host->emit_trap(&code);
	return jf_code_finish(&code) == JF_OK && code.size == host->insn_align;
}

static uint8_t *put_word(uint8_t *at, uint32_t word)
{
	struct jf_effect effect;

	if (!decode(word, &effect))
		return at;
	memcpy(at, &word, effect.size_bytes);
	return at + effect.size_bytes;
}

/* The instruction, between two traps. */
static void put_between(uint8_t *code, const struct trial *trial, const uint8_t trap[WORD_BYTES])
{
	memcpy(code, trap, host->insn_align);
	code += host->insn_align;
	if (trial->compares_first)
		code = put_word(code, trial->comparison);
	memcpy(put_word(code, trial->word), trap, host->insn_align);
}

/* Each batch is mapped anew: then no emulator goes by what it translated before. */
static bool run_batch(unsigned long share)
{
	static struct trial trials[BATCH];
	uint8_t trap[WORD_BYTES];
	size_t size = BATCH * STRIDE;
	uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (code == MAP_FAILED || !make_trap(trap))
		return false;
	for (unsigned int i = 0; i < BATCH; i++) {
		trials[i] = next_trial(share);
		put_between(code + (size_t)i * STRIDE, &trials[i], trap);
	}
	__builtin___clear_cache((char *)code, (char *)code + size);
	if (mprotect(code, size, PROT_READ | PROT_EXEC))
		return false;
	for (unsigned int i = 0; i < BATCH && different < DIFFERENT_MAX; i++)
		try_word(code + (size_t)i * STRIDE, &trials[i]);
	return munmap(code, size) == 0;
}

int main(int argc, char **argv)
{
	struct options options;

	if (!read_options(argc, argv, &options))
		return 2;
	host = jf_backend_host();
	arch = host ? arch_named(host->name) : NULL;
	if (!arch || !host->decode || !shot_init(host)) {
		fprintf(stderr, "jf-effects: nothing to execute on\n");
		return 2;
	}
	rng.state = options.seed;
	for (uint64_t done = 0; done < options.count && different < DIFFERENT_MAX; done += BATCH) {
		/* No instruction more than a twenty-fifth, after a few to begin with. */
		if (!run_batch(16 + (done + BATCH) / 25)) {
			fprintf(stderr, "jf-effects: no memory\n");
			return 2;
		}
	}
	return report(options.list);
}
