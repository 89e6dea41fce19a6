/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include <pthread.h>
#include <stdlib.h>

/* The index has to find what the kernel's search finds, for any table and address. */

static void check_address(const struct jf_orc_index *index, const struct jf_orc_table *sorted, uint64_t address)
{
	const struct jf_orc_entry *found = jf_orc_index_find(index, address);
	struct jf_orc_entry wanted;
	size_t at;

	CHECK_STATUS(jf_orc_search(sorted, address, &at), JF_OK, "%#llx", (unsigned long long)address);
	jf_orc_entry_at(sorted, at, &wanted);
	CHECK(found && orc_same_entry(found, &wanted), "%s, %zu entries, address %#llx: entry %zu",
	      sorted->format->name, sorted->count, (unsigned long long)address, at);
}

/* How the addresses of a table follow each other. */
struct shape {
	const char *name;
	uint32_t step_max; /* distance to the next, at most */
	uint32_t align;
	uint32_t gap_every; /* now and then there is a gap */
	uint32_t gap;
	bool any_entry; /* not a few different ones */
};

static const struct shape shapes[] = {
	{"every byte", 2, 1, 1000000, 0, false},
	{"as in a kernel", 78, 1, 5000, 70000, false},
	{"as in a kernel with four-byte instructions", 19, 4, 5000, 70000, false},
	{"sparse", 60000, 1, 1000000, 0, false},
	{"clusters far apart", 30, 2, 100, 10000000, false},
	{"sixteen-byte steps", 3, 16, 1000000, 0, false},
	{"all entries different", 100, 1, 1000000, 0, true},
	{"many at one address", 1, 8, 3, 64, true},
};

/* Distances are small in number, so both sides of each entry and of each block are looked at. */
static void check_shape(const struct shape *shape, const struct jf_orc_format *format, size_t count, struct rng *rng)
{
	uint64_t address = TABLE_ADDRESS - 0x40000000, start = address + rng_below(rng, 64), end;
	struct jf_orc_index *index;
	struct memory_table m;

	orc_memory_new(&m, format, count);
	for (size_t i = 0; i < count; i++) {
		struct jf_orc_entry entry = shape->any_entry ? orc_random_entry(format, rng) : orc_likely_entry(rng);

		if (rng_below(rng, shape->gap_every) == 0)
			address += shape->gap;
		orc_memory_set(&m, i, address, &entry);
		address += (uint64_t)rng_below(rng, shape->step_max) * shape->align;
	}
	CHECK_STATUS(jf_orc_sort(&m.table, m.entries, m.ips), JF_OK, "%s", shape->name);
	end = address + 100 > start ? address + 100 : start + 1;
	CHECK_STATUS(jf_orc_index_new(&m.table, start, end, &index), JF_OK, "%s, %zu", shape->name, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t at = jf_orc_address(&m.table, i);

		for (uint64_t k = at - 2; k <= at + 2; k++)
			if (k >= start && k < end)
				check_address(index, &m.table, k);
	}
	for (unsigned int i = 0; i < 2000; i++)
		check_address(index, &m.table, start + rng_next(rng) % (end - start));
	check_address(index, &m.table, start);
	check_address(index, &m.table, end - 1);
	CHECK(!jf_orc_index_find(index, start - 1) && !jf_orc_index_find(index, end), "%s", shape->name);
	CHECK(!jf_orc_index_find(index, 0) && !jf_orc_index_find(index, UINT64_MAX), "%s", shape->name);
	jf_orc_index_free(index);
	orc_memory_free(&m);
}

Test(orc_index, finds_what_the_kernels_search_finds, .timeout = 300)
{
	static const size_t counts[] = {1, 2, 3, 7, 8, 9, 10, 17, 40, 100, 257, 1000, 5000};
	struct rng rng = {4};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			for (size_t f = 0; orc_format_at(f); f++)
				check_shape(&shapes[i], orc_format_at(f), counts[k], &rng);
}

/* More different entries than two bytes can count, and every address of a stretch with all of its entries. */
Test(orc_index, has_room_for_any_number_of_different_entries, .timeout = 300)
{
	struct rng rng = {5};

	check_shape(&shapes[6], orc_format_at(0), 150000, &rng);
}

Test(orc_index, takes_less_memory_than_the_kernels_tables, .timeout = 300)
{
	const size_t count = 200000;
	struct rng rng = {6};

	for (size_t f = 0; orc_format_at(f); f++) {
		const struct jf_orc_format *format = orc_format_at(f);
		uint64_t address = TABLE_ADDRESS - 0x10000000, start = address;
		struct jf_orc_index *index;
		struct memory_table m;
		size_t kernel;

		orc_memory_new(&m, format, count);
		for (size_t i = 0; i < count; i++) {
			struct jf_orc_entry entry = orc_likely_entry(&rng);

			orc_memory_set(&m, i, address, &entry);
			address += 4 + 4 * rng_below(&rng, 18);
		}
		cr_assert_eq(jf_orc_index_new(&m.table, start, address, &index), JF_OK);
		kernel = count * (4 + format->entry_bytes) + (address - start) / 256 * 4;
		cr_assert(jf_orc_index_bytes(index) * 2 < kernel, "%zu bytes against %zu", jf_orc_index_bytes(index),
			  kernel);
		jf_orc_index_free(index);
		orc_memory_free(&m);
	}
}

/* The index sorts by itself, and needs the table no more. */
Test(orc_index, tables_need_not_be_sorted)
{
	const struct jf_orc_format *format = orc_format_at(0);
	struct rng rng = {7};

	for (unsigned int round = 0; round < 200; round++) {
		size_t count = 1 + rng_below(&rng, 300);
		struct memory_table m, sorted;
		struct jf_orc_index *index;

		orc_memory_new(&m, format, count);
		orc_memory_new(&sorted, format, count);
		for (size_t i = 0; i < count; i++) {
			struct jf_orc_entry entry = orc_likely_entry(&rng);
			uint64_t address = TABLE_ADDRESS - 4000 + rng_below(&rng, 3000);

			orc_memory_set(&m, i, address, &entry);
			orc_memory_set(&sorted, i, address, &entry);
		}
		cr_assert_eq(jf_orc_sort(&sorted.table, sorted.entries, sorted.ips), JF_OK);
		cr_assert_eq(jf_orc_index_new(&m.table, TABLE_ADDRESS - 3500, TABLE_ADDRESS - 500, &index), JF_OK);
		orc_memory_free(&m);
		for (uint64_t at = TABLE_ADDRESS - 3500; at < TABLE_ADDRESS - 500; at++)
			check_address(index, &sorted.table, at);
		jf_orc_index_free(index);
		orc_memory_free(&sorted);
	}
}

Test(orc_index, asks_for_sense)
{
	struct jf_orc_index *index = NULL;
	struct memory_table m;

	orc_memory_new(&m, orc_format_at(0), 0);
	cr_assert_eq(jf_orc_index_new(&m.table, 0, 1, &index), JF_E_NO_ROW);
	orc_memory_free(&m);
	orc_memory_new(&m, orc_format_at(0), 1);
	cr_assert_eq(jf_orc_index_new(&m.table, 5, 5, &index), JF_E_INVAL);
	cr_assert_eq(jf_orc_index_new(&m.table, 6, 5, &index), JF_E_INVAL);
	cr_assert_eq(jf_orc_index_new(NULL, 0, 5, &index), JF_E_INVAL);
	cr_assert_eq(jf_orc_index_new(&m.table, 0, 5, NULL), JF_E_INVAL);
	cr_assert_eq(jf_orc_index_new(&m.table, 0, (UINT64_C(1) << 32) + 1, &index), JF_E_RANGE);
	cr_assert_null(index);
	cr_assert_eq(jf_orc_index_new(&m.table, 0, UINT64_C(1) << 32, &index), JF_OK);
	cr_assert_not_null(jf_orc_index_find(index, UINT32_MAX));
	jf_orc_index_free(index);
	jf_orc_index_free(NULL);
	orc_memory_free(&m);
}

/* ---- several threads look up in one index ---- */

struct reader {
	pthread_t thread;
	const struct jf_orc_index *index;
	uint64_t seed, sum;
};

static void *read_index(void *arg)
{
	struct reader *reader = arg;
	struct rng rng = {reader->seed};

	for (unsigned int i = 0; i < 200000; i++)
		reader->sum +=
			(uint64_t)jf_orc_index_find(reader->index, TABLE_ADDRESS - 40000 + rng_below(&rng, 30000))
				->sp_off;
	return NULL;
}

Test(orc_index, threads_share_it)
{
	struct reader readers[4];
	struct jf_orc_index *index;
	struct memory_table m;
	struct rng rng = {8};

	orc_memory_new(&m, orc_format_at(0), 1000);
	for (size_t i = 0; i < 1000; i++) {
		struct jf_orc_entry entry = orc_likely_entry(&rng);

		orc_memory_set(&m, i, TABLE_ADDRESS - 40000 + 40 * i, &entry);
	}
	cr_assert_eq(jf_orc_index_new(&m.table, TABLE_ADDRESS - 40000, TABLE_ADDRESS, &index), JF_OK);
	for (unsigned int i = 0; i < 4; i++) {
		readers[i] = (struct reader){.index = index, .seed = 5};
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_index, &readers[i]), 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(readers[i].thread, NULL);
	for (unsigned int i = 1; i < 4; i++)
		cr_assert_eq(readers[i].sum, readers[0].sum);
	jf_orc_index_free(index);
	orc_memory_free(&m);
}
