/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * jf-effects-x86_64: executes random instructions of this processor and compares what they did with what the
 * decoder says that they do: every register, every byte of the memory that they were pointed at, where they went
 * on, and so how long they were.
 *
 *     jf-effects-x86_64 [--count N] [--seed N] [--names]
 *
 * As main.c, which is for instructions of one width: the options and the last line are the same.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bytes.h"
#include "predict.h"
#include "shot.h"
#include "tally.h"

#define BATCH      256
#define SLOT_BYTES 512
#define INSN_OFF   256 /* all else of a slot are traps, as far as short branches reach */
#define TRIES      20
#define NEAR       200
#define NEIGHBOURS 64

enum { RCX = 1, RSP = 4, RBP = 5 };

static const struct jf_backend *host;
static struct random rng;
static uint8_t comparing[NEIGHBOURS][BYTES]; /* comparisons of registers, as they were met */
static unsigned int comparing_count;
static uint8_t scratch[MEMORY_BYTES] __attribute__((aligned(MEMORY_BYTES)));

static uint64_t random_wide(void)
{
	return (uint64_t)random_next(&rng) << 32 | random_next(&rng);
}

/* ---- choosing instructions -------------------------------------------------------------------- */

static bool is_prefix(uint8_t byte)
{
	return (byte & 0xf0) == 0x40 || memchr("\x66\x67\xf0\xf2\xf3\x26\x2e\x36\x3e\x64\x65", byte, 11);
}

/* Flags that outlive the instruction, segments, x87 exceptions that wait for the next x87 instruction, states. */
static bool is_dangerous(const uint8_t *bytes, const struct jf_effect *effect)
{
	static const char *const others[] = {"x87", "frstor", "fldenv", "std", "wrpkru", "wrfsbase", "xsave", "xsavec",
					     "xsaves", "xsaveopt", "xrstor", "xrstors", "fxsave", "lss", "lfs", "lgs",
					     "popfq", "fxrstor",
					     /* to a code segment of 32 bits, which would be home too */
					     "retf", "iretd", "iretq", "iret"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(effect->name, others[i]) == 0)
			return true;
	while (is_prefix(*bytes))
		bytes++;
	return bytes[0] == 0x8e || (bytes[0] == 0x0f && (bytes[1] == 0xa1 || bytes[1] == 0xa9));
}

static bool is_flow_wanted(const struct jf_effect *effect)
{
	switch (effect->flow) {
	case JF_FLOW_NEXT:
	case JF_FLOW_JUMP_REG:
	case JF_FLOW_CALL_REG: return true;
	case JF_FLOW_JUMP:
	case JF_FLOW_BRANCH:
	case JF_FLOW_CALL: /* to a trap, not into itself */
		return (effect->target_off > -NEAR && effect->target_off < 0) ||
		       (effect->target_off >= effect->size_bytes && effect->target_off < NEAR);
	default: return false;
	}
}

static bool is_wanted(const uint8_t *bytes, unsigned long share)
{
	struct jf_effect effect;
	struct name *name;

	if (jf_decode(host, bytes, BYTES, &effect) != JF_OK || !is_flow_wanted(&effect) ||
	    effect.flags & (JF_EFFECT_UNKNOWN | JF_EFFECT_SYSTEM) || is_dangerous(bytes, &effect))
		return false;
	if (sets_flags(&effect))
		memcpy(comparing[comparing_count++ % NEIGHBOURS], bytes, BYTES);
	for (unsigned int i = 0; i < effect.step_count; i++)
		if (effect.steps[i].kind == JF_STEP_LOAD || effect.steps[i].kind == JF_STEP_STORE)
			if (effect.steps[i].a == JF_REG_NONE)
				return false;
	name = name_of(effect.name);
	return name && name->taken++ < share;
}

/* ---- registers and memory --------------------------------------------------------------------- */

static uint64_t random_value(void)
{
	uint64_t value = random_wide();

	switch (random_below(&rng, 4)) {
	case 0: return value;
	case 1: return value & 63;
	case 2: return 0 - (value & 0xffff);
	default: return (uint64_t)(uintptr_t)scratch + (value & (MEMORY_BYTES - 16));
	}
}

static void set_state(struct state *state, uint64_t pc)
{
	uint64_t value;

	memset(state, 0, sizeof(*state));
	state->pc = pc;
	state->memory_at = (uint64_t)(uintptr_t)scratch;
	/* Some of it are addresses: for what pops one. */
	for (unsigned int i = 0; i < MEMORY_BYTES; i += 8) {
		value = random_value();
		memcpy(scratch + i, &value, sizeof(value));
	}
	for (unsigned int reg = 0; reg < 16; reg++)
		state->regs.value[reg] = random_value();
	/* Some processors return to user mode with a canonical RSP alone (ERETU of FRED). */
	state->regs.value[RSP] = (uint64_t)((int64_t)(state->regs.value[RSP] << 16) >> 16);
}

/* Registers with which all accesses hit the memory. returns: false when there were none to be found. */
static bool aim(const struct jf_effect *effect, const struct jf_compare *compare, uint64_t pc, struct state *before,
		struct state *after)
{
	bool repeated = effect->step_count > 1 && !effect->steps[0].bytes && strlen(effect->name) == 5;

	for (unsigned int tries = 0; tries < TRIES; tries++) {
		const struct jf_step *missed = effect->steps;
		uint64_t address;

		set_state(before, pc);
		bring_near(host, before, compare, random_below(&rng, 4));
		if (repeated)
			before->regs.value[RCX] &= 15;
		for (unsigned int i = 0; missed && i < 3; i++) {
			memcpy(before->memory, scratch, MEMORY_BYTES);
			*after = *before;
			missed = predict(host, effect, after, &address);
			if (missed && missed->b != JF_REG_NONE)
				before->regs.value[missed->b] &= 31;
			if (missed)
				before->regs.value[missed->a] +=
					before->memory_at + 1024 + random_below(&rng, 32) * 64 - address;
		}
		if (!missed)
			return true;
	}
	return false;
}

/* ---- where it goes on ------------------------------------------------------------------------- */

static bool is_in_memory(const struct state *state, uint64_t address)
{
	return address - state->memory_at < MEMORY_BYTES;
}

/* Pushes what a call pushes. */
static bool call(const struct jf_effect *effect, struct state *after)
{
	uint64_t ra = after->pc + effect->size_bytes;

	after->regs.value[RSP] -= 8;
	if (!is_in_memory(after, after->regs.value[RSP]) || !is_in_memory(after, after->regs.value[RSP] + 7))
		return false;
	memcpy(after->memory + (after->regs.value[RSP] - after->memory_at), &ra, sizeof(ra));
	return true;
}

/*
 * The address that the next instruction is at, another for a branch whose way is not known. returns: false when it may
 * be anywhere.
 */
static bool find_next(const struct jf_effect *effect, struct state *after, uint64_t next[2])
{
	next[0] = next[1] = after->pc + effect->size_bytes;
	switch (effect->flow) {
	case JF_FLOW_BRANCH:
		if (after->choice != CHOICE_SECOND)
			next[1] = after->pc + (uint64_t)effect->target_off;
		if (after->choice == CHOICE_FIRST)
			next[0] = next[1];
		return true;
	case JF_FLOW_JUMP: next[0] = next[1] = after->pc + (uint64_t)effect->target_off; return true;
	case JF_FLOW_CALL: next[0] = next[1] = after->pc + (uint64_t)effect->target_off; return call(effect, after);
	case JF_FLOW_CALL_REG:
	case JF_FLOW_JUMP_REG:
		if (after->unknown[effect->flow_reg])
			return false;
		next[0] = next[1] = after->regs.value[effect->flow_reg];
		/* The memory cannot be executed. */
		return is_in_memory(after, next[0]) && (effect->flow == JF_FLOW_JUMP_REG || call(effect, after));
	default: return true;
	}
}

/* ---- comparing -------------------------------------------------------------------------------- */

static void differ(const uint8_t *bytes, const struct jf_effect *effect, const char *what, uint64_t is,
		   uint64_t predicted)
{
	different++;
	fprintf(stderr, "%s %s: %s is %016" PRIx64 ", not %016" PRIx64 "\n", x86_64_hex(bytes, effect->size_bytes),
		effect->name, what, is, predicted);
}

static void compare(const uint8_t *bytes, const struct jf_effect *effect, const struct shot *shot,
		    const struct state *after)
{
	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		uint64_t mask = UINT64_MAX;

		/* The low bits of MXCSR say what happened, and nobody keeps them; some of the other's do not exist. */
		if (host->regs[reg].cls == JF_REG_CONTROL)
			mask = strcmp(host->regs[reg].name, "mxcsr") ? 0x1f3f : ~UINT64_C(63);

		if (reg != host->ra && !after->unknown[reg] && (shot->out.value[reg] ^ after->regs.value[reg]) & mask)
			differ(bytes, effect, host->regs[reg].name, shot->out.value[reg], after->regs.value[reg]);
	}
	for (unsigned int i = 0; i < MEMORY_BYTES; i++)
		if (!after->memory_unknown[i] && scratch[i] != after->memory[i])
			differ(bytes, effect, "a byte", scratch[i], after->memory[i]);
	compared++;
	if (after->choice != CHOICE_NONE)
		chosen[after->choice == CHOICE_SECOND]++;
}

/* What the instruction raised. A trap is where it went on, and so is an address that cannot be executed. */
static bool went_on(const struct shot *shot, uint64_t *pc)
{
	*pc = shot->pc - (shot->signal == SIGTRAP);
	return shot->signal == SIGTRAP || (shot->signal == SIGSEGV && shot->pc - (uintptr_t)scratch < MEMORY_BYTES);
}

/* first_bytes: of a comparison that is executed first; 0 where there is none. */
static void try_bytes(const uint8_t *code, unsigned int first_bytes)
{
	const uint8_t *bytes = code + 2 + first_bytes;
	uint64_t pc = (uint64_t)(uintptr_t)bytes, next[2], where;
	static struct state before, after;
	struct jf_effect effect, first = {.size_bytes = 0};
	struct shot shot = {.entry = 0};
	struct name *name;
	uint64_t address;

	if ((first_bytes && jf_decode(host, code + 2, BYTES, &first) != JF_OK) ||
	    jf_decode(host, bytes, BYTES, &effect) != JF_OK ||
	    !aim(&effect, first_bytes ? &first.flags_hold : &effect.asks, pc, &before, &after) ||
	    !find_next(&effect, &after, next))
		return;
	name = name_of(effect.name);
	shot.in = before.regs;
	shot.in.value[host->reg_count - 2] = 0x1f80; /* mxcsr and the x87 control word, as they are at start */
	shot.in.value[host->reg_count - 1] = 0x37f;
	shot_fire(code, &shot);
	__asm__ volatile("emms");
	if (!went_on(&shot, &where)) {
		name->signals++;
		name->illegal += shot.signal == SIGILL;
		return;
	}
	after = before;
	after.regs = shot.in;
	if (first_bytes)
		predict(host, &first, &after, &address);
	predict(host, &effect, &after, &address);
	find_next(&effect, &after, next);
	name->compared++;
	if (where != next[0] && where != next[1])
		differ(bytes, &effect, "the next instruction's address", where, next[0]);
	compare(bytes, &effect, &shot, &after);
}

/* ---- batches of code -------------------------------------------------------------------------- */

/* returns: how long the comparison is that stands in front. */
static unsigned int put_bytes(uint8_t *code, const uint8_t bytes[BYTES])
{
	const uint8_t *first = comparing[random_below(&rng, NEIGHBOURS)];
	struct jf_effect effect, comparison = {.size_bytes = 0};

	if (jf_decode(host, bytes, BYTES, &effect) != JF_OK)
		return 0;
	/* A short way back would lead into the comparison. */
	if (comparing_count >= NEIGHBOURS && asks_flags(&effect) &&
	    (effect.target_off >= 0 || effect.target_off < -BYTES) &&
	    jf_decode(host, first, BYTES, &comparison) == JF_OK) {
		if (!goes_before(&comparison, &effect))
			comparison.size_bytes = 0;
		memcpy(code, first, comparison.size_bytes);
	}
	memcpy(code + comparison.size_bytes, bytes, effect.size_bytes);
	return comparison.size_bytes;
}

static bool run_batch(unsigned long share)
{
	size_t size = (size_t)BATCH * SLOT_BYTES;
	uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int first_bytes[BATCH];
	uint8_t bytes[BYTES];

	if (code == MAP_FAILED)
		return false;
	memset(code, 0xcc, size); /* int3 */
	for (unsigned int i = 0; i < BATCH; i++) {
		do
			x86_64_random_bytes(&rng, bytes);
		while (!is_wanted(bytes, share));
		first_bytes[i] = put_bytes(code + (size_t)i * SLOT_BYTES + INSN_OFF + 2, bytes);
	}
	if (mprotect(code, size, PROT_READ | PROT_EXEC))
		return false;
	for (unsigned int i = 0; i < BATCH && different < DIFFERENT_MAX; i++)
		try_bytes(code + (size_t)i * SLOT_BYTES + INSN_OFF, first_bytes[i]);
	return munmap(code, size) == 0;
}

int main(int argc, char **argv)
{
	struct options options;

	if (!read_options(argc, argv, &options))
		return 2;
	host = jf_backend_host();
	if (!host || !host->decode || !shot_init(host)) {
		fprintf(stderr, "jf-effects: nothing to execute on\n");
		return 2;
	}
	rng.state = options.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (uint64_t done = 0; done < options.count && different < DIFFERENT_MAX; done += BATCH) {
		/* No instruction more than a tenth, after a few to begin with. */
		if (!run_batch(64 + (done + BATCH) / 10)) {
			fprintf(stderr, "jf-effects: no memory\n");
			return 2;
		}
	}
	return report(options.list);
}
