/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "island.h"
#include "maps.h"

/*
 * Arenas: sparse memory that programs share by 32-bit offsets from a base.
 *
 *     base - 64 KiB    guard
 *     base             4 GiB, no access but to pages that are taken
 *                      page 0 of the arena at base + low half of its user address
 *     base + 4 GiB     guard, 64 KiB
 *
 * So an offset of 32 bits and a displacement of 16 never leave the reservation, and what is not taken
 * faults; jf_fault_handler_install() makes something of that.
 *
 * Programs exchange pointers in a second form, the user address. Without map_extra that is the address
 * itself: the base is a multiple of 4 GiB. With map_extra it is a number like any other, as in a kernel
 * whose user space has not mapped the arena.
 */
#define WINDOW_BYTES BUNDLE_ARENA_BYTES
#define GUARD_BYTES  (UINT64_C(64) << 10)

struct arena {
	uint8_t *reservation;
	uint8_t *base;
	uint64_t user; /* address of page 0 as programs see it */
	size_t page_bytes;
	uint32_t page_count;
	uint64_t variables_off; /* bytes from page 0 */
	bool *taken;            /* by page, under the map's lock */
};

static uint32_t low(uint64_t address)
{
	return (uint32_t)address;
}

/* 4 GiB at a multiple of 4 GiB, with guards on both sides. */
static bool reserve(struct arena *arena)
{
	const size_t kept = WINDOW_BYTES + 2 * GUARD_BYTES, asked = kept + WINDOW_BYTES;
	uint8_t *memory = mmap(NULL, asked, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t start = (uintptr_t)memory;
	uintptr_t base = (start + GUARD_BYTES + WINDOW_BYTES - 1) & ~(uintptr_t)(WINDOW_BYTES - 1);
	size_t before = base - GUARD_BYTES - start;

	if (memory == MAP_FAILED)
		return false;
	if (before > 0)
		munmap(memory, before);
	if (asked - kept - before > 0)
		munmap(memory + before + kept, asked - kept - before);
	arena->reservation = memory + before;
	arena->base = arena->reservation + GUARD_BYTES;
	return true;
}

/* The same where another JIT's code takes the base to be. */
static bool reserve_at(struct arena *arena, uint64_t base)
{
	const size_t bytes = WINDOW_BYTES + 2 * GUARD_BYTES;

	arena->reservation = island_map(base - GUARD_BYTES, bytes);
	if (arena->reservation == NULL || mprotect(arena->reservation, bytes, PROT_NONE) != 0)
		return false;
	arena->base = arena->reservation + GUARD_BYTES;
	return true;
}

static enum jf_status arena_init(struct map *map, struct jf_error *error)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t bytes = (uint64_t)map->max_entries * page_bytes, first = low(map->map_extra);
	struct arena *arena;

	if (map->map_extra == 0)
		first = bundle_arena_first_off(bytes);
	if (first % page_bytes != 0 || bytes > WINDOW_BYTES - first)
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name,
				    "%u pages of an arena at 0x%llx: no page's address, or over 4 GiB",
				    map->max_entries, (unsigned long long)map->map_extra);
	arena = calloc(1, sizeof(*arena));
	map->arena = arena;
	if (arena != NULL)
		arena->taken = calloc(map->max_entries, sizeof(*arena->taken));
	if (arena == NULL || arena->taken == NULL ||
	    !(map->place != NULL ? reserve_at(arena, map->place->base) : reserve(arena)))
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "4 GiB of addresses cannot be had");
	arena->page_bytes = page_bytes;
	arena->page_count = map->max_entries;
	map->seen.max_entries = map->max_entries;
	arena->user = map->map_extra != 0 ? map->map_extra : (uintptr_t)arena->base + first;
	map->seen.user_vm_start = arena->user;
	return JF_OK;
}

static void arena_fini(struct map *map)
{
	if (map->arena == NULL)
		return;
	if (map->arena->reservation != NULL)
		munmap(map->arena->reservation, WINDOW_BYTES + 2 * GUARD_BYTES);
	free(map->arena->taken);
	free(map->arena);
}

uint64_t map_arena_base(const struct map *map)
{
	return (uintptr_t)map->arena->base;
}

uint64_t map_arena_user(const struct map *map)
{
	return map->arena->user;
}

uint64_t map_arena_variables(const struct map *map)
{
	return map->arena->user + map->arena->variables_off;
}

void *map_arena_at(const struct map *map, uint32_t off)
{
	return map->arena->base + low(map_arena_variables(map) + off);
}

/* ---- pages -------------------------------------------------------------------------------------- */

/* Fresh pages, all zero: with access, or without. */
static bool map_pages(const struct arena *arena, uint32_t page, uint32_t count, int access)
{
	uint8_t *start = arena->base + low(arena->user + (uint64_t)page * arena->page_bytes);

	return mmap(start, (size_t)count * arena->page_bytes, access,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool is_free(const struct arena *arena, uint32_t page, uint32_t count)
{
	return memchr(arena->taken + page, true, count) == NULL;
}

/* The first run of `count` free pages. returns: its page, or page_count. */
static uint32_t find_free(const struct arena *arena, uint32_t count)
{
	uint32_t run = 0;

	for (uint32_t page = 0; page < arena->page_count; page++) {
		run = arena->taken[page] ? 0 : run + 1;
		if (run == count)
			return page + 1 - count;
	}
	return arena->page_count;
}

/* in: page = the one that is wanted, or page_count for any. returns: the first page, or page_count. */
static uint32_t take_locked(struct arena *arena, uint32_t page, uint32_t count)
{
	if (page == arena->page_count)
		page = find_free(arena, count);
	else if (!is_free(arena, page, count))
		page = arena->page_count;
	if (page == arena->page_count || !map_pages(arena, page, count, PROT_READ | PROT_WRITE))
		return arena->page_count;
	memset(arena->taken + page, true, count);
	return page;
}

static uint32_t take(struct map *map, uint32_t page, uint32_t count)
{
	pthread_mutex_lock(&map->lock);
	page = take_locked(map->arena, page, count);
	pthread_mutex_unlock(&map->lock);
	return page;
}

enum jf_status map_arena_fill(struct map *map, const uint8_t *bytes, uint32_t count, struct jf_error *error)
{
	size_t page_bytes = map->arena->page_bytes;
	uint64_t pages = (count + page_bytes - 1) / page_bytes;
	uint32_t first;

	if (pages > map->arena->page_count)
		return jf_error_set(error, JF_E_BAD_IMAGE, map->name, "%u bytes of variables in an arena of %u pages",
				    count, map->arena->page_count);
	first = map->arena->page_count - (uint32_t)pages;
	if (pages > 0 && take(map, first, (uint32_t)pages) != first)
		return jf_error_set(error, JF_E_NO_MEMORY, map->name, "no memory for %u bytes of variables", count);
	map->arena->variables_off = (uint64_t)first * page_bytes;
	memcpy(map_arena_at(map, 0), bytes, count);
	return JF_OK;
}

/* Only the low half of an address counts. returns: false when it is no page's. */
static bool page_of(const struct arena *arena, uint64_t address, uint32_t *page)
{
	uint32_t off = low(address) - low(arena->user);

	*page = (uint32_t)(off / arena->page_bytes);
	return low(address) >= low(arena->user) && *page < arena->page_count;
}

static struct map *arena_of(void *object)
{
	struct map *map = map_of(object);

	return map != NULL && map->arena != NULL ? map : NULL;
}

uint64_t arena_alloc_pages(void *object, uint64_t address, uint32_t pages, int32_t node, uint64_t flags)
{
	struct map *map = arena_of(object);
	uint32_t count = pages, page;

	(void)node;
	if (map == NULL || flags != 0 || count == 0 || count > map->arena->page_count)
		return 0;
	page = map->arena->page_count;
	if (address != 0 && (address % map->arena->page_bytes != 0 || !page_of(map->arena, address, &page) ||
			     page > map->arena->page_count - count))
		return 0;
	page = take(map, page, count);
	return page < map->arena->page_count ? map->arena->user + (uint64_t)page * map->arena->page_bytes : 0;
}

void arena_free_pages(void *object, uint64_t address, uint32_t pages)
{
	struct map *map = arena_of(object);
	uint32_t count = pages, page;

	if (map == NULL || address == 0 || count == 0 || !page_of(map->arena, address, &page))
		return;
	if (count > map->arena->page_count - page)
		count = map->arena->page_count - page;
	pthread_mutex_lock(&map->lock);
	if (map_pages(map->arena, page, count, PROT_NONE))
		memset(map->arena->taken + page, false, count);
	pthread_mutex_unlock(&map->lock);
}

/* Pages that nobody is to get who does not ask for them by address: here nobody gets them at all. */
int32_t arena_reserve_pages(void *object, uint64_t address, uint32_t pages)
{
	struct map *map = arena_of(object);
	int32_t status = 0;
	uint32_t page;

	if (pages == 0)
		return 0;
	if (map == NULL || !page_of(map->arena, address, &page) || pages > map->arena->page_count - page)
		return -EINVAL;
	pthread_mutex_lock(&map->lock);
	if (is_free(map->arena, page, pages))
		memset(map->arena->taken + page, true, pages);
	else
		status = -EBUSY;
	pthread_mutex_unlock(&map->lock);
	return status;
}

/* ---- as a map: it has no elements --------------------------------------------------------------- */

static void *arena_lookup(struct map *map, const void *key, unsigned int cpu)
{
	(void)map;
	(void)key;
	(void)cpu;
	return NULL;
}

static int64_t arena_update(struct map *map, const void *key, const void *value, uint64_t flags)
{
	(void)map;
	(void)key;
	(void)value;
	(void)flags;
	return -EOPNOTSUPP;
}

static int64_t arena_delete(struct map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EOPNOTSUPP;
}

static int64_t arena_for_each(struct map *map, map_callback callback, uint64_t ctx)
{
	(void)map;
	(void)callback;
	(void)ctx;
	return -EOPNOTSUPP;
}

const struct map_ops map_arena_ops = {
	.init = arena_init,
	.fini = arena_fini,
	.lookup = arena_lookup,
	.update = arena_update,
	.delete = arena_delete,
	.for_each = arena_for_each,
};
