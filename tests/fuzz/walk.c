/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as registers, stack, rows and slots of a walk: whatever they are, it reads inside the stack alone, and
 * ends before it has taken more steps than the stack has bytes.
 *
 *     backend, flags, pc, registers that are given (below, 24 of them), ranges with rows and slots,
 *     entries of an ORC table, words of the stack
 *
 * A value is a byte that says what kind, and up to eight that say which: an address of code, of the stack, or any.
 */

#include <jitframe/jitframe.h>
#include <string.h>

#include "target.h"

enum {
	FLAG_RETURN = 1,
	FLAG_READER = 2, /* memory through a function */
	FLAG_GUESS = 4,
	FLAG_BY_RECORD = 8,
	FLAG_ORC = 16,
	FLAG_BPF = 32,   /* as bpf_throw() walks */
	FLAG_INNER = 64, /* ends at entries */
};

#define CODE        UINT64_C(0x40000000)
#define RANGE_BYTES 0x100
#define RANGES_MAX  6
#define ROWS_MAX    4
#define SLOTS_MAX   6
#define ENTRIES_MAX 16
#define IP_BYTES    4
#define ORC_CODE    (CODE + RANGE_BYTES * RANGES_MAX)
#define ORC_BYTES   0x400
#define WORDS       48
#define FAR_STACK   UINT64_C(0x7ffff0000000) /* where a stack that is read through a function seems to lie */

static uint64_t *stack; /* WORDS of them, in memory of their own */
static uint64_t stack_address;
static uint64_t values[24];

static struct jf_range ranges[RANGES_MAX];
static struct jf_row rows[RANGES_MAX][ROWS_MAX];
static struct jf_slot slots[RANGES_MAX][SLOTS_MAX];
static bool is_added[RANGES_MAX];

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	MUST(address >= FAR_STACK && address - FAR_STACK <= WORDS * 8 - 8);
	memcpy(value, (const uint8_t *)stack + (address - FAR_STACK), 8);
	return JF_OK;
}

static uint64_t take_value(struct fuzz_bytes *bytes)
{
	uint64_t kind = fuzz_take(bytes, 1);

	switch (kind % 4) {
	case 0: return CODE + fuzz_take(bytes, 2) % (RANGE_BYTES * RANGES_MAX + ORC_BYTES);
	case 1: return stack_address + 8 * (fuzz_take(bytes, 1) % (WORDS + 2));
	case 2: return stack_address + fuzz_take(bytes, 2);
	default: return kind & 4 ? fuzz_take(bytes, 8) : (uint64_t)(int8_t)fuzz_take(bytes, 1);
	}
}

/* ---- code ------------------------------------------------------------------------------------------------- */

static void take_range(struct fuzz_bytes *bytes, unsigned int i, const struct jf_backend *backend)
{
	uint64_t shape = fuzz_take(bytes, 1);
	unsigned int row_count = 1 + shape % ROWS_MAX, slot_count = (unsigned int)(shape >> 2) % (SLOTS_MAX + 1);
	uint64_t kind = fuzz_take(bytes, 1);

	for (unsigned int k = 0; k < row_count; k++)
		rows[i][k] = (struct jf_row){
			.code_off = k * 0x20,
			.cfa_reg = (uint8_t)(fuzz_take(bytes, 1) % (backend->reg_count + 1)),
			.cfa_off = (int16_t)fuzz_take(bytes, 2),
			.saved = (uint32_t)fuzz_take(bytes, 1),
			.flags = (uint8_t)fuzz_take(bytes, 1),
		};
	for (unsigned int k = 0; k < slot_count; k++)
		slots[i][k] = (struct jf_slot){
			.kind = JF_SLOT_SAVE,
			.reg = (uint8_t)(fuzz_take(bytes, 1) % (backend->reg_count + 1)),
			.off_from_cfa = (int16_t)fuzz_take(bytes, 2),
			.size_bytes = 8,
		};
	ranges[i] = (struct jf_range){
		.size = sizeof(ranges[i]),
		.kind = (uint8_t)(kind % JF_RANGE__COUNT),
		.start = CODE + i * RANGE_BYTES,
		.end = CODE + (i + 1) * RANGE_BYTES,
		.name = "range",
		.backend = backend,
		.rows = rows[i],
		.row_count = row_count,
		.slots = slots[i],
		.slot_count = (uint8_t)slot_count,
		.callback = 1,
	};
	is_added[i] = jf_code_map_add(&ranges[i], NULL) == JF_OK;
}

static struct jf_orc_index *take_orc(struct fuzz_bytes *bytes, const struct jf_orc_format *format)
{
	uint8_t entries[ENTRIES_MAX * 8], ips[ENTRIES_MAX * IP_BYTES];
	size_t count = fuzz_take(bytes, 1) % ENTRIES_MAX + 1;
	struct jf_orc_sections sections = {
		.size = sizeof(sections),
		.unwind = entries,
		.unwind_bytes = count * format->entry_bytes,
		.unwind_ip = ips,
		.unwind_ip_bytes = count * IP_BYTES,
		.unwind_ip_address = ORC_CODE - 0x1000,
		.format = format,
	};
	struct jf_orc_index *index;
	struct jf_orc_table table;

	for (size_t i = 0; i < sizeof(entries); i++)
		entries[i] = (uint8_t)fuzz_take(bytes, 1);
	for (size_t i = 0; i < count; i++) {
		int32_t distance = (int32_t)(0x1000 + i * (ORC_BYTES / ENTRIES_MAX) - 4 * i);

		for (unsigned int k = 0; k < 4; k++)
			ips[4 * i + k] = (uint8_t)(distance >> 8 * k);
	}
	if (jf_orc_table_init(&table, format->backend, &sections, NULL) != JF_OK ||
	    jf_orc_index_new(&table, ORC_CODE, ORC_CODE + ORC_BYTES, &index) != JF_OK)
		return NULL;
	return index;
}

/* ---- walking ---------------------------------------------------------------------------------------------- */

static unsigned int frames;

static void look(const struct jf_walk *walk)
{
	const char *name = jf_walk_at(walk)->name;
	uint64_t value = 0, sum = 0;

	for (unsigned int reg = 0; reg < JF_REGS_MAX; reg++)
		sum += jf_walk_reg(walk, (uint8_t)reg, &value) ? value : 0;
	sum += jf_walk_sp(walk) + jf_walk_fp(walk) + (name ? (uint8_t)name[0] : 0);
	__asm__ volatile("" : : "r"(sum));
	MUST(++frames <= WORDS * 8 + 8);
}

static bool consume(void *cookie, uint64_t ip, uint64_t sp, uint64_t fp)
{
	(void)cookie, (void)ip, (void)sp, (void)fp;
	MUST(++frames <= WORDS * 8 + 8);
	return true;
}

static void walk_frames(const struct jf_backend *backend, unsigned int flags, const struct jf_memory *memory,
			const struct jf_orc_index *index, uint64_t pc)
{
	const struct jf_convention *conv = backend->conventions[0];
	struct jf_walk_opts opts = {.size = sizeof(opts), .orc = index};
	struct jf_regs regs;
	struct jf_walk walk;
	enum jf_status status;

	frames = 0;
	memset(&regs, 0, sizeof(regs));
	for (unsigned int i = 0; i < backend->reg_count; i++)
		regs.value[i] = values[i % 24];
	if (flags & FLAG_BPF) {
		status = jf_bpf_stack_walk_from(conv, memory, index, pc, regs.value[backend->sp],
						regs.value[backend->fp], consume, NULL);
		return (void)status;
	}
	opts.guess = flags & FLAG_GUESS ? conv : NULL;
	opts.by_record = flags & FLAG_GUESS && flags & FLAG_BY_RECORD;
	status = jf_walk_start_with(&walk, backend, memory, &regs, pc, flags & FLAG_RETURN, &opts);
	while (status == JF_OK) {
		look(&walk);
		status = flags & FLAG_INNER ? jf_walk_step(&walk) : jf_walk_step_past_entry(&walk);
	}
	MUST(status != JF_E_INVAL);
	jf_walk_end(&walk);
}

static const struct jf_backend *choose_backend(uint64_t choice)
{
	size_t count = 0;

	while (jf_backend_at(count))
		count++;
	return jf_backend_at(choice % count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = {data, size};
	const struct jf_backend *backend = choose_backend(fuzz_take(&bytes, 1));
	unsigned int flags = (unsigned int)fuzz_take(&bytes, 1);
	struct jf_orc_index *index = NULL;
	struct jf_memory memory;
	uint64_t pc;

	stack = malloc(WORDS * 8);
	MUST(stack);
	stack_address = flags & FLAG_READER ? FAR_STACK : (uintptr_t)stack;
	memory = (struct jf_memory){.size = sizeof(struct jf_memory),
				    .low = stack_address,
				    .high = stack_address + WORDS * 8,
				    .read = flags & FLAG_READER ? read_stack : NULL};
	pc = take_value(&bytes);
	for (unsigned int i = 0; i < 24; i++)
		values[i] = take_value(&bytes);
	for (unsigned int i = 0; i < RANGES_MAX; i++)
		take_range(&bytes, i, backend);
	if (flags & FLAG_ORC && backend->orc)
		index = take_orc(&bytes, backend->orc);
	for (unsigned int i = 0; i < WORDS; i++)
		stack[i] = take_value(&bytes);
	walk_frames(backend, flags, &memory, index, pc);
	/* What is remembered now is the same. */
	walk_frames(backend, flags, &memory, index, pc);
	for (unsigned int i = 0; i < RANGES_MAX; i++)
		if (is_added[i])
			MUST(jf_code_map_remove(&ranges[i]) == JF_OK);
	jf_orc_index_free(index);
	free(stack);
	return 0;
}

/* ---- seeds: frames with a record each, in every mode ------------------------------------------------------ */

static void put(uint8_t **at, uint64_t value, unsigned int count)
{
	while (count--) {
		*(*at)++ = (uint8_t)value;
		value >>= 8;
	}
}

static void put_range(uint8_t **at, const struct jf_backend *backend)
{
	put(at, 2 << 2, 1); /* one row, two slots */
	put(at, JF_RANGE_SUBPROGRAM, 1);
	put(at, backend->fp, 1);
	put(at, 16, 2);
	put(at, 3, 1);
	put(at, 0, 1);
	put(at, backend->ra, 1);
	put(at, (uint64_t)-8, 2);
	put(at, backend->fp, 1);
	put(at, (uint64_t)-16, 2);
}

size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	const struct jf_backend *backend = choose_backend(number);
	uint8_t *at = data;

	if (number >= 96 || capacity < 4096)
		return 0;
	put(&at, number, 1);
	put(&at, FLAG_RETURN | number / 3 << 1, 1);
	put(&at, 0, 1); /* pc: in range 0 */
	put(&at, 0x50, 2);
	for (unsigned int i = 0; i < 24; i++) { /* all registers lie in the stack, SP at its start */
		put(&at, 1, 1);
		put(&at, i == backend->sp % 24 ? 0 : 2, 1);
	}
	for (unsigned int i = 0; i < RANGES_MAX; i++)
		put_range(&at, backend);
	if ((FLAG_RETURN | number / 3 << 1) & FLAG_ORC && backend->orc) {
		put(&at, 3, 1);
		for (unsigned int i = 0; i < 4; i++) {
			uint8_t bytes[8] = {0};
			struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 5, .sp_off = 16};

			(void)(jf_orc_encode(backend->orc, &entry, bytes) == JF_OK);
			memcpy(at, bytes, backend->orc->entry_bytes);
			at += backend->orc->entry_bytes;
		}
	}
	for (unsigned int i = 0; i < WORDS; i += 2) { /* words 2, 4, ...: records */
		put(&at, 1, 1);
		put(&at, i + 2, 1);
		put(&at, 0, 1);
		put(&at, i % RANGES_MAX * RANGE_BYTES + 0x30, 2);
	}
	return (size_t)(at - data);
}
