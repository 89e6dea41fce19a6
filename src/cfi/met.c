/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/met.h"
#include "base/memory.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/*
 *     struct cfi_met | met | met | met | free
 *
 * Each bucket is a chain of places, the newest first. A new one is written, then hung in before the first; who reads
 * sees it whole or not at all. Two threads may put the same address in; either is as good.
 */
#define BUCKETS 4096

struct met {
	uint64_t address;
	const char *name;
	struct jf_cfi_function function;
	struct jf_row row;
	uint32_t next; /* place of the next one of its bucket, in units of 8 bytes; 0: none */
	struct jf_slot slots[];
};

struct cfi_met {
	size_t bytes;
	atomic_size_t used;
	_Atomic(uint32_t) buckets[BUCKETS];
};

struct cfi_met *jf_cfi_met_new(size_t bytes)
{
	struct cfi_met *met = jf_map(bytes, PROT_READ | PROT_WRITE, -1);

	if (!met)
		return NULL;
	met->bytes = bytes;
	atomic_init(&met->used, sizeof(*met));
	return met;
}

void jf_cfi_met_free(struct cfi_met *met)
{
	if (met)
		jf_unmap(met, met->bytes);
}

size_t jf_cfi_met_bytes(const struct cfi_met *met)
{
	return met->bytes;
}

bool jf_cfi_met_is_low(const struct cfi_met *met)
{
	return atomic_load_explicit(&met->used, memory_order_relaxed) > met->bytes / 2;
}

static size_t bucket_of(uint64_t address)
{
	return (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 52);
}
_Static_assert(BUCKETS == 1 << (64 - 52), "buckets by the upper bits of the product");

static struct met *at_place(const struct cfi_met *met, uint32_t place)
{
	return (struct met *)((uintptr_t)met + 8 * (size_t)place);
}

const struct jf_cfi_function *jf_cfi_met_find(const struct cfi_met *met, uint64_t address, const char **name)
{
	uint32_t place = atomic_load_explicit(&met->buckets[bucket_of(address)], memory_order_acquire);

	while (place && at_place(met, place)->address != address)
		place = at_place(met, place)->next;
	if (!place)
		return NULL;
	*name = at_place(met, place)->name;
	return &at_place(met, place)->function;
}

/* Slots that the row leaves aside are not copied. */
static void copy_row(struct met *to, const struct jf_cfi_room *room)
{
	unsigned int count = 0;

	to->function = room->function;
	to->row = room->row;
	to->row.saved = 0;
	for (uint32_t left = room->row.saved; left; left &= left - 1) {
		to->slots[count] = room->slots[__builtin_ctz(left)];
		to->row.saved |= UINT32_C(1) << count++;
	}
	to->function.rows = &to->row;
	to->function.slots = to->slots;
	to->function.slot_count = (uint8_t)count;
}

const struct jf_cfi_function *jf_cfi_met_add(struct cfi_met *met, uint64_t address, const struct jf_cfi_room *room,
					     const char *name)
{
	_Atomic(uint32_t) *bucket = &met->buckets[bucket_of(address)];
	size_t slots = (unsigned int)__builtin_popcount(room->row.saved), at;
	size_t bytes = (sizeof(struct met) + slots * sizeof(struct jf_slot) + 7) & ~(size_t)7;
	struct met *added;

	/* The look comes first, so that `used` does not run away when all is full. */
	if (met->bytes - bytes < atomic_load_explicit(&met->used, memory_order_relaxed))
		return NULL;
	at = atomic_fetch_add_explicit(&met->used, bytes, memory_order_relaxed);
	if (met->bytes - bytes < at)
		return NULL;
	added = at_place(met, (uint32_t)(at / 8));
	added->address = address;
	added->name = name;
	copy_row(added, room);
	added->next = atomic_load_explicit(bucket, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(bucket, &added->next, (uint32_t)(at / 8), memory_order_release,
						      memory_order_relaxed))
		;
	return &added->function;
}
