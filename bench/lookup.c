/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * How long it takes to find the ORC entry of an address, and how much memory that needs: jf_orc_index against
 * the Linux kernel's scheme (a table with the first entry of each 256-byte block of code, then a binary
 * search among the entries of the block), in the same run on the same table. The tables are made up with the
 * density of a Debian kernel, an entry per 39 bytes of code and some 440 different ones. Addresses: at random;
 * in clusters, as stack traces of one load are (64 spots of 2 KiB, most of a trace comes from those); and
 * chained, at random but each known only when the one before was found, as the frames of one walk are.
 * Before that the same for the code map (codemap.c).
 */

#include "codemap.h"
#include "measure.h"

#include <jitframe/jitframe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define START     UINT64_C(0xffffffff81000000)
#define BYTES     39 /* of code per entry */
#define DIFFERENT 440
#define ADDRESSES 65536

enum pattern { RANDOM, CLUSTERED, CHAINED, PATTERN__COUNT };

static uint64_t state = 1;

static uint32_t random32(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 32);
}

/* ---- the kernel's scheme ------------------------------------------------------------------------------ */

#define BLOCK_BYTES 256
#define HUGE_BYTES  ((size_t)2 << 20)

/* Aligned as in the kernel: entries of 6 bytes are packed, those of 8 are aligned to 4. */
struct kernel {
	const int32_t *ips; /* each relative to itself */
	const uint8_t *entries;
	size_t entry_bytes;
	size_t count;
	uint32_t *blocks; /* index of the entry that holds at the start of each block, and at the end */
	size_t block_count;
	uint64_t length;
};

static inline uint64_t ip_address(const int32_t *ip)
{
	return (uint64_t)(uintptr_t)ip + (uint64_t)(int64_t)*ip;
}

/* `shift` is what takes a code address to where it would be if the code lay at the words' distance. */
static const uint8_t *kernel_find(const struct kernel *k, uint64_t address, uint64_t shift)
{
	uint64_t off = address - START, wanted = address + shift;
	size_t block = (size_t)(off / BLOCK_BYTES), low, high, found;

	if (off >= k->length || block + 1 >= k->block_count)
		return NULL;
	low = k->blocks[block];
	high = (size_t)k->blocks[block + 1] + 1;
	found = low;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_address(&k->ips[middle]) <= wanted) {
			found = middle;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return k->entries + found * k->entry_bytes;
}

/* Zeroed memory as kernels have it for their image, which the processor maps in pages of 2 MiB. */
static void *kernel_memory(size_t bytes)
{
	size_t rounded = (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
	void *memory = aligned_alloc(HUGE_BYTES, rounded);

	if (!memory)
		return NULL;
	(void)madvise(memory, rounded, MADV_HUGEPAGE);
	return memset(memory, 0, rounded);
}

static bool kernel_make(struct kernel *k, const struct jf_orc_table *table, uint64_t end)
{
	size_t entry = 0;

	k->entry_bytes = table->format->entry_bytes;
	k->ips = (const int32_t *)(const void *)table->ips;
	k->entries = table->entries;
	k->count = table->count;
	k->length = end - START;
	k->block_count = (size_t)((k->length + BLOCK_BYTES - 1) / BLOCK_BYTES) + 1;
	k->blocks = kernel_memory(k->block_count * sizeof(*k->blocks));
	for (size_t i = 0; k->blocks && i < k->block_count; i++) {
		while (entry + 1 < table->count && jf_orc_address(table, entry + 1) <= START + i * BLOCK_BYTES)
			entry++;
		k->blocks[i] = (uint32_t)entry;
	}
	return k->blocks != NULL;
}

/* ---- one table ---------------------------------------------------------------------------------------- */

struct work {
	struct jf_orc_table table;
	struct kernel kernel;
	struct jf_orc_index *index;
	uint64_t shift;
	uint64_t end;
	enum pattern pattern;
	const uint64_t *addresses;
	uint64_t sum; /* of what was found: nothing may be left out */
};

static struct jf_orc_entry random_entry(void)
{
	struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_reg = 3};
	uint32_t which = random32() % 16 < 12 ? random32() % 24 : random32() % DIFFERENT;

	entry.sp_off = (int16_t)(8 + 8 * (which / 4));
	if (which % 4 == 1)
		entry.fp_off = (int16_t)-entry.sp_off;
	entry.signal = which % 4 == 2;
	if (which % 4 == 3)
		entry.type = JF_ORC_UNDEFINED;
	return entry;
}

static bool make_table(struct work *w, const struct jf_orc_format *format, size_t count)
{
	void *ips = kernel_memory(count * 4);
	void *entries = kernel_memory(count * format->entry_bytes);
	const struct jf_backend *backend = format->backend;
	uint64_t address = START;
	struct jf_orc_writer writer;

	/* The words lie right behind the code, as far as the addresses in them go. */
	if (!ips || !entries ||
	    jf_orc_writer_init(&writer, format, entries, ips, count, START + count * BYTES * 2) != JF_OK)
		return false;
	while (writer.count < count) {
		struct jf_orc_entry entry = random_entry();

		if (jf_orc_write(&writer, address, &entry) != JF_OK)
			return false;
		address += (1 + random32() % (2 * BYTES / backend->insn_align - 1)) * backend->insn_align;
	}
	jf_orc_written(&writer, &w->table);
	w->end = address;
	w->shift = (uint64_t)(uintptr_t)ips - writer.ips_address;
	return kernel_make(&w->kernel, &w->table, w->end) &&
	       jf_orc_index_new(&w->table, START, w->end, &w->index) == JF_OK;
}

static uint64_t *make_addresses(const struct work *w)
{
	uint64_t *addresses = malloc(ADDRESSES * sizeof(*addresses)), length = w->end - START, spots[64];

	for (size_t i = 0; i < 64; i++)
		spots[i] = START + random32() % (length - 2048);
	for (size_t i = 0; addresses && i < ADDRESSES; i++)
		addresses[i] = w->pattern == CLUSTERED ? spots[random32() % 64] + random32() % 2048 :
							 START + random32() % length;
	return addresses;
}

/* ---- measuring ---------------------------------------------------------------------------------------- */

/* What is added to the next address: always nothing, but in a chain the processor cannot know that before. */
static volatile uint64_t none;

static inline uint64_t sum_index(const struct work *w, bool chained)
{
	uint64_t sum = 0, add = 0, mask = none;

	for (size_t i = 0; i < ADDRESSES; i++) {
		const struct jf_orc_entry *entry = jf_orc_index_find(w->index, w->addresses[i] + add);

		sum += (uint64_t)entry->sp_off;
		if (chained)
			add = (uint64_t)entry->sp_off & mask;
	}
	return sum;
}

static void run_index(void *arg)
{
	struct work *w = arg;

	w->sum = w->pattern == CHAINED ? sum_index(w, true) : sum_index(w, false);
}

static inline uint64_t sum_kernel(const struct work *w, bool chained)
{
	uint64_t sum = 0, add = 0, mask = none;

	for (size_t i = 0; i < ADDRESSES; i++) {
		const uint8_t *entry = kernel_find(&w->kernel, w->addresses[i] + add, w->shift);
		int16_t sp_off;

		memcpy(&sp_off, entry, sizeof(sp_off));
		sum += (uint64_t)sp_off;
		if (chained)
			add = (uint64_t)sp_off & mask;
	}
	return sum;
}

static void run_kernel(void *arg)
{
	struct work *w = arg;

	w->sum = w->pattern == CHAINED ? sum_kernel(w, true) : sum_kernel(w, false);
}

static size_t kernel_bytes(const struct work *w)
{
	return w->kernel.count * (4 + w->kernel.entry_bytes) + w->kernel.block_count * sizeof(*w->kernel.blocks);
}

static void measure_pattern(struct work *w)
{
	const struct bench_side sides[] = {
		{"jitframe", run_index, w, ADDRESSES},
		{"the kernel's way", run_kernel, w, ADDRESSES},
	};
	uint64_t sum;

	w->addresses = make_addresses(w);
	if (!w->addresses)
		bench_fail("no memory");
	run_index(w);
	sum = w->sum;
	run_kernel(w);
	if (sum != w->sum)
		bench_fail("the two found different entries");
	bench_turns_at(w->table.count, sides, COUNT(sides));
	free((void *)(uintptr_t)w->addresses);
}

static void measure_memory(const struct work *w)
{
	double count = (double)w->table.count, ours = (double)jf_orc_index_bytes(w->index) / count;
	char x[32];

	snprintf(x, sizeof(x), "%zu", w->table.count);
	bench_count(x, "jitframe", ours, ours);
	bench_count(x, "the kernel's way", (double)kernel_bytes(w) / count, ours);
}

static void measure_table(const struct jf_orc_format *format, size_t count, int pattern)
{
	struct work w = {.pattern = pattern < 0 ? RANDOM : (enum pattern)pattern};

	if (!make_table(&w, format, count))
		bench_fail("a table of %zu entries cannot be made", count);
	if (pattern < 0)
		measure_memory(&w);
	else
		measure_pattern(&w);
	jf_orc_index_free(w.index);
	free(w.kernel.blocks);
	free((void *)(uintptr_t)w.table.ips);
	free((void *)(uintptr_t)w.table.entries);
}

/* The first architecture that has ORC: formats of others differ in the fields of an entry alone. */
static void measure_orc(void)
{
	static const char *const titles[] = {"ORC, random addresses", "ORC, clustered addresses",
					     "ORC, each address known when the one before is found"};
	static const size_t counts[] = {10000, 100000, 1000000};
	const struct jf_backend *backend;
	size_t i = 0;

	while ((backend = jf_backend_at(i)) && !backend->orc)
		i++;
	if (!backend)
		return;
	for (int pattern = RANDOM; pattern < PATTERN__COUNT; pattern++) {
		bench_table(titles[pattern], "entries", "ns");
		for (size_t k = 0; k < bench_size(COUNT(counts), 1); k++)
			measure_table(backend->orc, counts[k], pattern);
	}
	bench_table("ORC, memory", "entries", "bytes per entry");
	for (size_t k = 0; k < bench_size(COUNT(counts), 1); k++)
		measure_table(backend->orc, counts[k], -1);
}

int main(int argc, char **argv)
{
	bench_begin(argc, argv, "lookup");
	measure_code_map();
	measure_orc();
	return bench_end();
}
