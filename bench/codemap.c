/* SPDX-License-Identifier: BSD-2-Clause */

#include "codemap.h"
#include "measure.h"

#include <dlfcn.h>
#include <jitframe/jitframe.h>
#include <stdlib.h>

/*
 * How long it takes to find a registered range, from 1 to 1,000,000 of them, against a binary search in a sorted
 * array. The ranges are of 64 to 1023 bytes, 16-byte aligned, one behind the other, as JITs pack functions.
 * Addresses as for ORC entries; besides, what a reader section costs, and the C library's _dl_find_object(), which
 * knows loaded objects only.
 */

#define START     UINT64_C(0x7f0000000000)
#define ADDRESSES 65536
#define SPOTS     64

enum pattern { RANDOM, CLUSTERED, CHAINED, PATTERN__COUNT };

static const struct jf_row row = {.cfa_off = 16};
static uint64_t state = 1;

static uint32_t random32(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 32);
}

struct work {
	struct jf_range *ranges;
	uint64_t *starts; /* for the binary search, which reads the range's end in the range */
	size_t count;
	enum pattern pattern;
	uint64_t *addresses;
	uint64_t sum; /* of what was found: nothing may be left out */
};

static const struct jf_range *search(const struct work *w, uint64_t address)
{
	size_t low = 0, high = w->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->starts[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < w->ranges[low - 1].end ? &w->ranges[low - 1] : NULL;
}

static void release(struct work *w)
{
	free(w->ranges);
	free(w->starts);
	free(w->addresses);
}

static bool make(struct work *w)
{
	uint64_t at = START;

	w->ranges = calloc(w->count, sizeof(*w->ranges));
	w->starts = calloc(w->count, sizeof(*w->starts));
	w->addresses = calloc(ADDRESSES, sizeof(*w->addresses));
	if (!w->ranges || !w->starts || !w->addresses)
		return false;
	for (size_t i = 0; i < w->count; i++) {
		uint32_t bytes = 64 + random32() % 960;

		w->starts[i] = at;
		w->ranges[i] = (struct jf_range){
			.size = sizeof(w->ranges[i]),
			.kind = JF_RANGE_SUBPROGRAM,
			.start = at,
			.end = at + bytes,
			.name = "f",
			.backend = jf_backend_at(0),
			.rows = &row,
			.row_count = 1,
		};
		at += (bytes + 15) / 16 * 16;
	}
	return true;
}

static void make_addresses(struct work *w)
{
	uint64_t length = w->ranges[w->count - 1].end - START, spots[SPOTS];

	for (size_t i = 0; i < SPOTS; i++)
		spots[i] = START + random32() % length;
	for (size_t i = 0; i < ADDRESSES; i++)
		w->addresses[i] = w->pattern == CLUSTERED ? spots[random32() % SPOTS] + random32() % 2048 :
							    START + random32() % length;
}

/* What is added to the next address: always nothing, but in a chain the processor cannot know that before. */
static volatile uint64_t none;

static inline uint64_t sum_map(const struct work *w, bool chained)
{
	uint64_t sum = 0, add = 0, mask = none;

	for (size_t i = 0; i < ADDRESSES; i++) {
		uint64_t found = (uintptr_t)jf_code_map_find(w->addresses[i] + add);

		sum += found;
		if (chained)
			add = found & mask;
	}
	return sum;
}

static inline uint64_t sum_search(const struct work *w, bool chained)
{
	uint64_t sum = 0, add = 0, mask = none;

	for (size_t i = 0; i < ADDRESSES; i++) {
		uint64_t found = (uintptr_t)search(w, w->addresses[i] + add);

		sum += found;
		if (chained)
			add = found & mask;
	}
	return sum;
}

static void run_map(void *arg)
{
	struct work *w = arg;

	w->sum = w->pattern == CHAINED ? sum_map(w, true) : sum_map(w, false);
}

static void run_search(void *arg)
{
	struct work *w = arg;

	w->sum = w->pattern == CHAINED ? sum_search(w, true) : sum_search(w, false);
}

static void run_add_remove(void *arg)
{
	const struct work *w = arg;

	for (size_t i = 0; i < w->count; i++)
		if (jf_code_map_add(&w->ranges[i * 611953 % w->count], NULL) != JF_OK)
			abort();
	for (size_t i = 0; i < w->count; i++)
		if (jf_code_map_remove(&w->ranges[i * 611953 % w->count]) != JF_OK)
			abort();
}

static void run_sections(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ADDRESSES; i++)
		jf_code_map_leave(jf_code_map_enter());
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
static void run_dl_find(void *arg)
{
	struct dl_find_object object;

	(void)arg;
	for (unsigned int i = 0; i < ADDRESSES; i++)
		if (_dl_find_object((void *)(uintptr_t)run_dl_find, &object))
			abort();
}
#else
#define run_dl_find NULL
#endif

static void measure_pattern(struct work *w)
{
	const struct bench_side sides[] = {
		{"jitframe", run_map, w, ADDRESSES},
		{"binary search", run_search, w, ADDRESSES},
		{"_dl_find_object, among loaded objects", w->pattern == RANDOM ? run_dl_find : NULL, w, ADDRESSES},
	};
	uint64_t sum;

	make_addresses(w);
	run_map(w);
	sum = w->sum;
	run_search(w);
	if (sum != w->sum)
		bench_fail("the map and the binary search found different ranges");
	bench_turns_at(w->count, sides, COUNT(sides));
}

static void measure_find(size_t count, enum pattern pattern)
{
	struct work w = {.count = count, .pattern = pattern};

	if (!make(&w) || jf_code_map_add_all(w.ranges, count, NULL) != JF_OK)
		bench_fail("%zu ranges cannot be registered", count);
	measure_pattern(&w);
	if (jf_code_map_remove_all(w.ranges, count) != JF_OK)
		bench_fail("%zu ranges cannot be removed", count);
	release(&w);
}

static void measure_changes(size_t count)
{
	struct work w = {.count = count};
	const struct bench_side side = {"jitframe", run_add_remove, &w, (double)count};

	if (!make(&w))
		bench_fail("no memory");
	bench_turns_at(count, &side, 1);
	release(&w);
}

void measure_code_map(void)
{
	static const char *const titles[] = {"Code map, random addresses", "Code map, clustered addresses",
					     "Code map, each address known when the one before is found"};
	static const size_t counts[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
	const struct bench_side section = {"jitframe", run_sections, NULL, ADDRESSES};
	size_t last = bench_size(COUNT(counts), 3);

	for (enum pattern pattern = RANDOM; pattern < PATTERN__COUNT; pattern++) {
		bench_table(titles[pattern], "ranges", "ns");
		for (size_t i = 0; i < last; i++)
			measure_find(counts[i], pattern);
	}
	bench_table("Code map, one range registered and removed", "ranges", "ns");
	for (size_t i = 0; i < last; i++)
		measure_changes(counts[i]);
	bench_table("Code map, a reader section", "what", "ns");
	bench_turns("enter and leave", &section, 1);
}
