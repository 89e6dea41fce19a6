/* SPDX-License-Identifier: BSD-2-Clause */

#include "codemap.h"

#include <dlfcn.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
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

static const char *const pattern_names[PATTERN__COUNT] = {"random", "clustered", "chained"};

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

static bool measure_patterns(struct work *w, json_t *rows)
{
	for (w->pattern = RANDOM; w->pattern < PATTERN__COUNT; w->pattern++) {
		struct measure map, peer;
		uint64_t sum;

		make_addresses(w);
		peer = measure(run_search, w, ADDRESSES, 0.2);
		sum = w->sum;
		map = measure(run_map, w, ADDRESSES, 0.2);
		if (sum != w->sum) {
			fprintf(stderr, "the two found different ranges\n");
			return false;
		}
		printf("%-12s %9zu %-10s %8.2f %8.2f %7.2f   (%.2f to %.2f)\n", "code map", w->count,
		       pattern_names[w->pattern], peer.median, map.median, peer.median / map.median, map.low, map.high);
		json_array_append_new(rows, json_pack("{s:s, s:I, s:s, s:o, s:o, s:f}", "table", "code map", "ranges",
						      (json_int_t)w->count, "addresses", pattern_names[w->pattern],
						      "binary_search", measure_json(&peer), "map", measure_json(&map),
						      "speedup", peer.median / map.median));
	}
	return true;
}

static bool measure_count(size_t count, json_t *rows)
{
	struct work w = {.count = count};
	bool ok = make(&w);
	struct measure changes;

	if (ok) {
		changes = measure(run_add_remove, &w, (double)count, 0.1);
		ok = jf_code_map_add_all(w.ranges, count, NULL) == JF_OK && measure_patterns(&w, rows) &&
		     jf_code_map_remove_all(w.ranges, count) == JF_OK;
		printf("%-12s %9zu %-10s %8s %8.0f\n", "code map", count, "changes", "", changes.median);
		json_array_append_new(rows, json_pack("{s:s, s:I, s:o}", "table", "code map", "ranges",
						      (json_int_t)count, "add_and_remove", measure_json(&changes)));
	}
	free(w.ranges);
	free(w.starts);
	free(w.addresses);
	return ok;
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
#endif

static void print_single(const char *name, const struct measure *m, json_t *rows)
{
	printf("%-33s %8s %8.2f\n", name, "", m->median);
	json_array_append_new(rows, json_pack("{s:s, s:o}", "single", name, "time", measure_json(m)));
}

bool measure_code_map(json_t *rows)
{
	static const size_t counts[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
	struct measure m;
	bool ok = true;

	printf("\n%-12s %9s %-10s %8s %8s %7s\n", "", "", "", "search", "map", "");
	printf("%-12s %9s %-10s %8s %8s %7s\n", "", "ranges", "addresses", "ns", "ns", "ratio");
	for (size_t i = 0; ok && i < sizeof(counts) / sizeof(counts[0]); i++)
		ok = measure_count(counts[i], rows);
	m = measure(run_sections, NULL, ADDRESSES, 0.2);
	print_single("reader section, enter and leave", &m, rows);
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	m = measure(run_dl_find, NULL, ADDRESSES, 0.2);
	print_single("_dl_find_object", &m, rows);
#else
	printf("%-33s %8s %8s\n", "_dl_find_object", "", "missing");
#endif
	return ok;
}
