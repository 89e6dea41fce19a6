/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_bytes.h"
#include "check.h"

#include <jitframe/orc.h>
#include <jitframe/walk.h>

/*
 * Whatever lies on the stack and in the registers, walks of every kind end with a status, read nothing outside of their
 * bounds and go up at every step but those onto another stack: there are no more steps than bytes.
 */

#define WORDS      96
#define STACK      (UINT64_MAX - 8 * WORDS - 64) /* sums with what is on it wrap around */
#define ROUNDS     20000
#define FUNCTIONS  5
#define C_BYTES    0x40u
#define RANGE_AT   (CODE + 0x1000)
#define RANGE_SIZE 0x40u

static uint64_t stack[WORDS];
static unsigned long reads, steps_in_all, ends[64], guessed, through_signals;
static struct rng rng = {77};

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	CHECK(address >= STACK && address - STACK <= 8 * (WORDS - 1), "read at %lx", address);
	memcpy(value, (const uint8_t *)stack + (address - STACK), sizeof(*value));
	reads++;
	return JF_OK;
}

static const struct jf_memory memory = {sizeof(memory), STACK, STACK + 8 * WORDS, read_stack, NULL};

/* ---- code of each kind ------------------------------------------------------------------------------------ */

/* By SP, by FP, a signal's trampoline, the outermost function, one that changes nothing. */
static struct jf_cfi_table *add_functions(const struct jf_backend *backend)
{
	const uint8_t fp = backend->regs[backend->fp].dw, ra = backend->regs[backend->ra].dw;
	const uint8_t by_sp[] = {0x0e, 32, 0x80 | fp, 2}, by_fp[] = {0x0c, fp, 16, 0x80 | fp, 2};
	const uint8_t outermost[] = {0x07, ra}, nothing[] = {0x0e, 0, 0xc0 | ra};
	const struct {
		const uint8_t *bytes;
		size_t count;
	} programs[FUNCTIONS] = {{by_sp, 4}, {by_fp, 5}, {NULL, 0}, {outermost, 2}, {nothing, 2}};
	struct bytes b = {.count = 0};
	struct jf_cfi_table *table = NULL;
	size_t signal_cie;

	cie_usual(&b, backend);
	signal_cie = b.count;
	cie_begin(&b, "zRS", ra);
	put(&b, 1, 1);
	put(&b, 0x1b, 1);
	put(&b, 0x0c, 1);
	put(&b, backend->regs[backend->sp].dw, 1);
	put(&b, 8, 1);
	entry_end(&b);
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		fde_begin(&b, programs[i].bytes ? 0 : signal_cie, CODE + C_BYTES * i, C_BYTES);
		if (programs[i].bytes)
			put_bytes(&b, programs[i].bytes, programs[i].count);
		entry_end(&b);
	}
	cr_assert_eq(convert(backend, &b, &table, NULL), JF_OK);
	cr_assert_eq(jf_cfi_add(table), JF_OK);
	return table;
}

static struct jf_slot slots[4];
static struct jf_row rows[4];
static struct jf_range range;

/* Rows that say anything that the code map takes. */
static void add_range(const struct jf_backend *backend)
{
	for (unsigned int i = 0; i < 4; i++) {
		slots[i] = (struct jf_slot){.kind = JF_SLOT_SAVE, .size_bytes = 8};
		slots[i].reg = i == 0 ? backend->ra :
			       i == 1 ? backend->fp :
					(uint8_t)rng_below(&rng, backend->reg_count);
		slots[i].off_from_cfa = rng_below(&rng, 4) ? -8 * (int32_t)(i + 1) : (int32_t)rng_next(&rng);
		rows[i] = (struct jf_row){.code_off = 16 * i, .saved = rng_below(&rng, 16)};
		rows[i].cfa_reg = rng_below(&rng, 2) ? backend->sp : backend->fp;
		rows[i].cfa_off = rng_below(&rng, 4) ? 8 * (int32_t)rng_below(&rng, 8) : (int32_t)rng_next(&rng);
		rows[i].flags = (uint8_t)(rng_below(&rng, 3) ? 0 : rng_next(&rng) & ~(uint64_t)JF_ROW_OUTERMOST);
	}
	range = (struct jf_range){
		.size = sizeof(range),
		.kind = JF_RANGE_SUBPROGRAM,
		.start = RANGE_AT,
		.end = RANGE_AT + RANGE_SIZE,
		.name = "any",
		.backend = backend,
		.rows = rows,
		.row_count = 4,
		.slots = slots,
		.slot_count = 4,
	};
	cr_assert_eq(jf_code_map_add(&range, NULL), JF_OK);
}

static struct jf_orc_index *any_orc(const struct jf_orc_format *format)
{
	uint8_t entries[8 * 16], ips[4 * 16];
	struct jf_orc_writer writer;
	struct jf_orc_table table;
	struct jf_orc_index *index = NULL;

	cr_assert_eq(jf_orc_writer_init(&writer, format, entries, ips, 16, CODE), JF_OK);
	for (unsigned int i = 0; i < 16; i++) {
		uint64_t word = rng_next(&rng);
		struct jf_orc_entry entry;

		jf_orc_decode(format, &word, &entry);
		entry.type = (uint8_t)(rng_below(&rng, 4) ? JF_ORC_CALL + rng_below(&rng, 3) : entry.type);
		entry.sp_off = rng_below(&rng, 4) ? (int16_t)(8 * rng_below(&rng, 8)) : entry.sp_off;
		/* What it refuses to write leaves the one before in force. */
		if (jf_orc_write(&writer, CODE + 20 * i, &entry) != JF_OK)
			continue;
	}
	jf_orc_written(&writer, &table);
	cr_assert_eq(jf_orc_index_new(&table, CODE, CODE + FUNCTIONS * C_BYTES, &index), JF_OK);
	return index;
}

/* ---- walks ---------------------------------------------------------------------------------------------------- */

static uint64_t any_pc(void)
{
	switch (rng_below(&rng, 6)) {
	case 0: return RANGE_AT + rng_below(&rng, RANGE_SIZE + 2);
	case 1: return CODE + C_BYTES * rng_below(&rng, FUNCTIONS); /* the first byte: trampolines */
	case 2: return rng_next(&rng);
	default: return CODE + rng_below(&rng, FUNCTIONS * C_BYTES + 2);
	}
}

static uint64_t any_address(void)
{
	switch (rng_below(&rng, 8)) {
	case 0: return rng_next(&rng);
	case 1: return STACK + rng_below(&rng, 8 * WORDS + 128); /* unaligned, behind the end, or 0 and a little */
	default: return STACK + 8 * rng_below(&rng, WORDS + 1);
	}
}

static void walk_once(const struct jf_backend *backend, const struct jf_orc_index *orc, unsigned int round)
{
	struct jf_walk_opts opts = {.size = sizeof(opts), .orc = round & 1 ? orc : NULL};
	const struct jf_walk_frame *frame;
	struct jf_regs regs;
	struct jf_walk walk;
	enum jf_status status;
	unsigned int steps = 0;

	if (round & 2)
		opts.guess = backend->conventions[rng_below(&rng, backend->convention_count)];
	opts.by_record = opts.guess && round & 4;
	for (unsigned int i = 0; i < WORDS; i++)
		stack[i] = rng_below(&rng, 2) ? any_pc() : any_address();
	for (unsigned int i = 0; i < JF_REGS_MAX; i++)
		regs.value[i] = rng_below(&rng, 4) ? any_address() : any_pc();
	if (rng_below(&rng, 4))
		regs.value[backend->sp] = STACK + 8 * rng_below(&rng, 16);
	status = jf_walk_start_with(&walk, backend, &memory, &regs, any_pc(), rng_below(&rng, 2), &opts);
	frame = jf_walk_at(&walk);
	for (; status == JF_OK; steps++) {
		bool trampoline = frame->function && frame->function->flags & JF_CFI_SIGNAL;
		uint64_t sp = jf_walk_sp(&walk);

		CHECK(steps <= 8 * WORDS + 2, "%s: round %u does not end", backend->name, round);
		status = jf_walk_step(&walk);
		if (status != JF_OK)
			break;
		CHECK(jf_walk_sp(&walk) >= sp, "%s: round %u: SP goes down", backend->name, round);
		through_signals += trampoline;
		guessed += frame->guessed;
	}
	ends[status == JF_END ? 0 : -status]++;
	steps_in_all += steps;
	CHECK(status == JF_END || jf_walk_step(&walk) < 0, "%s: round %u goes on", backend->name, round);
	jf_walk_end(&walk);
}

static void walk_often(const struct jf_backend *backend)
{
	struct jf_cfi_table *table = add_functions(backend);

	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct jf_orc_index *orc = backend->orc && round % 64 == 0 ? any_orc(backend->orc) : NULL;

		add_range(backend);
		for (unsigned int i = 0; i < 4; i++)
			walk_once(backend, orc, 2 * i + (orc != NULL));
		cr_assert_eq(jf_code_map_remove_all(&range, 1), JF_OK);
		jf_orc_index_free(orc);
	}
	cr_assert_eq(jf_cfi_remove(table), JF_OK);
	jf_cfi_table_free(table);
}

Test(walk_hostile, any_stack, .timeout = 250)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++)
		walk_often(backend);
	/* All that there is was there. */
	cr_assert_gt(steps_in_all, 10000);
	cr_assert_gt(guessed, 1000);
	cr_assert_gt(through_signals, 100);
	cr_assert_gt(ends[0], 100, "%lu", ends[0]);
	cr_assert_gt(ends[-JF_E_READ], 100);
	cr_assert_gt(ends[-JF_E_STUCK], 100);
	cr_assert_gt(ends[-JF_E_NO_ROW], 100);
	cr_assert_gt(ends[-JF_E_LOST], 100);
}
