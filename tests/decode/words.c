/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/backend.h>

#define SHOWN_MAX     40
#define WORDS_DEFAULT 1000000
#define SEEDS         256 /* valid words to make others from */

struct run {
	const struct words *words;
	const struct jf_backend *backend;
	struct llvm llvm;
	uint64_t state;
	uint32_t valid[SEEDS];
	unsigned long modelled, unknown, unknown_invalid, invalid, overread, differ;
};

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* xorshift64* */
static uint32_t random_word(struct run *run)
{
	run->state ^= run->state >> 12;
	run->state ^= run->state << 25;
	run->state ^= run->state >> 27;
	return (uint32_t)(run->state * UINT64_C(2685821657736338717) >> 32);
}

/*
 * Uniform ones mostly hit what has much room in the opcode space; ones with few bits set hit what stands at its
 * lower end; and one or two bits away from an instruction is a neighbour, or a reserved field.
 */
static uint32_t next_word(struct run *run)
{
	uint32_t choice = random_word(run), word = random_word(run);

	switch (choice & 3) {
	case 0: return word;
	case 1: return word & random_word(run) & (choice & 4 ? UINT32_MAX : random_word(run));
	case 2: return run->valid[choice >> 8 & (SEEDS - 1)] ^ UINT32_C(1) << (word & 31);
	default:
		return run->valid[choice >> 8 & (SEEDS - 1)] ^ UINT32_C(1) << (word & 31) ^
		       (word >> 8 & 0xffff) << (word >> 27 & 16);
	}
}

static void differ(struct run *run, uint32_t word, const char *ours, const char *llvm)
{
	if (run->differ++ < SHOWN_MAX)
		fprintf(stderr, "%s %08x: ours %s, LLVM's %s\n", run->words->backend, word, ours, llvm);
}

static bool is_register(const struct jf_backend *backend, uint8_t reg, bool optional)
{
	return reg == JF_REG_NONE ? optional : reg < backend->reg_count;
}

static bool step_makes_sense(const struct jf_backend *backend, const struct jf_step *step)
{
	bool dst_optional = step->kind == JF_STEP_LOAD, a_optional = true;

	if (step->kind >= JF_STEP__COUNT ||
	    (step->kind == JF_STEP_STORE) != (step->dst == JF_REG_NONE && !dst_optional))
		return false;
	if (step->kind >= JF_STEP_ADD && step->kind <= JF_STEP_EXTEND)
		a_optional = false;
	if (step->kind >= JF_STEP_ADD && step->kind <= JF_STEP_SAR && step->bytes != 4 && step->bytes != 8)
		return false;
	if (step->kind == JF_STEP_EXTEND && step->bytes != 1 && step->bytes != 2 && step->bytes != 4)
		return false;
	if (step->kind == JF_STEP_INSERT && (!step->bits || step->shift + step->bits > 64))
		return false;
	return is_register(backend, step->dst, dst_optional || step->kind == JF_STEP_STORE) &&
	       is_register(backend, step->a, a_optional) && is_register(backend, step->b, true) &&
	       is_register(backend, step->c, true);
}

void words_check_effect(const struct jf_backend *backend, uint32_t word, const struct jf_effect *effect)
{
	bool flows_to_reg = effect->flow == JF_FLOW_JUMP_REG || effect->flow == JF_FLOW_CALL_REG;

	cr_assert(effect->name && (effect->size_bytes == 4 || effect->size_bytes == backend->insn_align), "%08x", word);
	cr_assert(effect->flow < JF_FLOW__COUNT && effect->step_count <= JF_EFFECT_STEPS_MAX, "%08x", word);
	cr_assert_eq(flows_to_reg, effect->flow_reg != JF_REG_NONE, "%08x", word);
	cr_assert(is_register(backend, effect->flow_reg, true), "%08x", word);
	if (effect->flags & (JF_EFFECT_NOP | JF_EFFECT_UNKNOWN))
		cr_assert_eq(effect->step_count, 0, "%08x", word);
	for (unsigned int i = 0; i < effect->step_count; i++)
		cr_assert(step_makes_sense(backend, &effect->steps[i]), "%08x %s: step %u", word, effect->name, i);
}

/* A direct branch goes where the last operand says: to the distance from address 0. */
static bool same_target(const struct jf_effect *effect, const struct llvm *llvm)
{
	bool direct = effect->flow == JF_FLOW_JUMP || effect->flow == JF_FLOW_BRANCH || effect->flow == JF_FLOW_CALL;
	const char *last = strrchr(llvm->text, ' ');

	if (!direct)
		return effect->target_off == 0;
	return last && strtoll(last + 1 + (last[1] == '#'), NULL, 0) == effect->target_off;
}

static void check_word(struct run *run, uint32_t word)
{
	uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};
	const struct words *words = run->words;
	struct jf_effect effect;
	enum jf_status status = jf_decode(run->backend, bytes, sizeof(bytes), &effect);
	size_t size = llvm_read(&run->llvm, bytes, sizeof(bytes));
	bool theirs = size > 0;

	if (theirs)
		run->valid[random_word(run) & (SEEDS - 1)] = word;
	if (status == JF_E_NOT_FOUND) {
		run->invalid++;
		if (theirs && words->overread(word, &run->llvm))
			run->overread++;
		else if (theirs)
			differ(run, word, "none", run->llvm.text);
		return;
	}
	cr_assert_eq(status, JF_OK, "%08x: %s", word, jf_status_name(status));
	words_check_effect(run->backend, word, &effect);
	if (effect.flags & JF_EFFECT_UNKNOWN) {
		run->unknown++;
		run->unknown_invalid += !theirs;
		return;
	}
	run->modelled++;
	if (!theirs && words->underread && words->underread(word, effect.name))
		return;
	if (!theirs)
		differ(run, word, effect.name, "none");
	else if (size != effect.size_bytes)
		differ(run, word, "another size", run->llvm.text);
	else if (strcmp(effect.name, run->llvm.mnemonic) != 0 && !words->same(effect.name, &run->llvm))
		differ(run, word, effect.name, run->llvm.text);
	else if (!same_target(&effect, &run->llvm))
		differ(run, word, "another target", run->llvm.text);
	else if (words->check && !words->check(word, &run->llvm, &effect))
		run->differ++;
}

void words_check(const struct words *words)
{
	struct run run = {.words = words, .backend = jf_backend_find(words->backend)};
	uint64_t count = number_of("DECODE_WORDS", WORDS_DEFAULT);
	double percent = 100.0 / (double)count;

	cr_assert_not_null(run.backend);
	run.state = number_of("DECODE_SEED", 1) * 2 + 1;
	llvm_init(&run.llvm, run.backend->llvm_triple, words->features);
	for (uint32_t low = 0; low < 0x10000; low++)
		check_word(&run, words->dense | low);
	run.modelled = run.unknown = run.unknown_invalid = run.invalid = run.overread = 0;
	for (uint64_t i = 0; i < count; i++)
		check_word(&run, next_word(&run));
	llvm_fini(&run.llvm);
	fprintf(stderr,
		"%s: of %llu words %.2f%% modelled, %.2f%% unknown (%.2f%% no instruction to LLVM), %.2f%% none "
		"(%.4f%% to LLVM alone)\n",
		words->backend, (unsigned long long)count, (double)run.modelled * percent,
		(double)run.unknown * percent, (double)run.unknown_invalid * percent, (double)run.invalid * percent,
		(double)run.overread * percent);
	cr_assert_eq(run.differ, 0, "%lu words read otherwise by LLVM", run.differ);
	cr_assert_gt(run.modelled, count / 10, "too few instructions among the words");
}

uint64_t words_written(const struct jf_effect *effect)
{
	uint64_t set = 0;

	for (unsigned int i = 0; i < effect->step_count; i++)
		if (effect->steps[i].dst != JF_REG_NONE)
			set |= UINT64_C(1) << effect->steps[i].dst;
	return set;
}
