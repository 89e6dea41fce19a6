/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/code_region.h"

#include "base/memory.h"
#include "run/code_units.h"

#include <jitframe/backend.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION_BYTES ((size_t)16 << 20)
#define UNIT_BYTES   64 /* a cache line: programs share none */
#define UNITS        (REGION_BYTES / UNIT_BYTES)
/* An empty region that holds more written memory than this goes back to the system. */
#define EMPTY_BYTES ((size_t)256 << 10)

/* Further than any file's end; an address is added to it. */
#define FAR_POSITION ((off_t)1 << 62)

_Static_assert(CODE_REGION_PIECE_MAX <= REGION_BYTES, "the largest piece fits a region");

struct code_region {
	struct code_region *next;
	uint8_t *bytes;
	/* -1: frozen. The number of a file says nothing alone: a program that closes all files, as a daemon does at its
	 * start, may have opened another one under the number. */
	int file;
	off_t position; /* of the file, which is read and written elsewhere; no other file stands there */
	int more_prot;
	uint64_t process; /* *process_number of the one that made the region */
	size_t written;   /* bytes from the start that hold code or traps */
	struct code_units units;
	uint64_t words[UNITS / 64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct code_region *regions; /* the youngest first */

/* ---- forks ------------------------------------------------------------------------------------------------ */

/* From now on the region is only read. Its pieces come back, and the last one takes the region along. */
static void freeze(struct code_region *region, bool owns_file)
{
	if (region->file >= 0 && owns_file)
		close(region->file);
	region->file = -1;
}

/*
 * Parent and child share the pages of the file: what one of them writes, the other one runs. So neither writes a region
 * that was there at a fork. The parent may not, even where it has unloaded a program: the child may run the program.
 */
static void lock_regions(void)
{
	pthread_mutex_lock(&lock);
}

static void freeze_regions(void)
{
	for (struct code_region *region = regions; region; region = region->next)
		freeze(region, true);
	pthread_mutex_unlock(&lock);
}

/* When the library is loaded: a fork must not come between the first region and the handlers. */
static __attribute__((constructor)) void follow_forks(void)
{
	pthread_atfork(lock_regions, freeze_regions, freeze_regions);
}

/*
 * The handlers of a child of clone(2) do not run. The child finds 0 here, where the system can do so; so it does not
 * write what it has inherited. Its parent does not know of it: see docs/process.md.
 */
static uint64_t *process_number;

static bool number_process(void)
{
	static uint64_t last;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!process_number) {
		process_number = jf_map(page, PROT_READ | PROT_WRITE, -1);
		if (process_number)
			madvise(process_number, page, MADV_WIPEONFORK);
	}
	if (process_number && !*process_number)
		*process_number = ++last;
	return process_number != NULL;
}

/* Whether the region's file is still what it was, in the process that made it. */
static bool can_write(struct code_region *region)
{
	if (region->file < 0)
		return false;
	if (lseek(region->file, 0, SEEK_CUR) == region->position && region->process == *process_number)
		return true;
	freeze(region, false);
	return false;
}

/* ---- writing ---------------------------------------------------------------------------------------------- */

#define TRAPS_BYTES 4096

/* Whole trapping instructions: their size divides this one. */
static const uint8_t *traps(void)
{
	static uint8_t bytes[TRAPS_BYTES];
	static bool is_made;
	struct jf_code code;

	if (is_made)
		return bytes;
	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	while (code.status == JF_OK && code.size < sizeof(bytes))
		jf_backend_host()->emit_trap(&code);
	is_made = true;
	return bytes;
}

static bool write_all(const struct code_region *region, const uint8_t *bytes, size_t size, size_t off)
{
	while (size) {
		ssize_t done = pwrite(region->file, bytes, size, (off_t)off);

		if (done <= 0)
			return false;
		bytes += done;
		size -= (size_t)done;
		off += (size_t)done;
	}
	return true;
}

static bool write_traps(const struct code_region *region, size_t off, size_t size)
{
	for (size_t n; size; size -= n, off += n) {
		n = size < TRAPS_BYTES ? size : TRAPS_BYTES;
		if (!write_all(region, traps(), n, off))
			return false;
	}
	return true;
}

/* Pages come with traps all over, before the first code in them. */
static bool write_up_to(struct code_region *region, size_t end)
{
	if (end <= region->written)
		return true;
	end = (end + TRAPS_BYTES - 1) / TRAPS_BYTES * TRAPS_BYTES;
	if (!write_traps(region, region->written, end - region->written))
		return false;
	region->written = end;
	return true;
}

/* ---- regions ---------------------------------------------------------------------------------------------- */

static struct code_region *region_new(int more_prot)
{
	struct code_region *region = number_process() ? jf_map(sizeof(*region), PROT_READ | PROT_WRITE, -1) : NULL;
	if (!region)
		return NULL;
	region->file = jf_memory_file(REGION_BYTES);
	region->position = FAR_POSITION + (off_t)(uintptr_t)region;
	if (region->file >= 0 && lseek(region->file, region->position, SEEK_SET) == region->position)
		region->bytes = jf_map(REGION_BYTES, PROT_READ | PROT_EXEC | more_prot, region->file);
	if (!region->bytes) {
		freeze(region, true);
		jf_unmap(region, sizeof(*region));
		return NULL;
	}
	region->more_prot = more_prot;
	region->process = *process_number;
	region->units = (struct code_units){.words = region->words, .count = UNITS};
	region->next = regions;
	regions = region;
	return region;
}

static void region_free(struct code_region *region)
{
	struct code_region **at = &regions;

	while (*at != region)
		at = &(*at)->next;
	*at = region->next;
	can_write(region);
	freeze(region, true);
	jf_unmap(region->bytes, REGION_BYTES);
	jf_unmap(region, sizeof(*region));
}

/* Of an empty region. One that costs little stays, for programs that come and go one at a time. */
static bool is_worth_keeping(const struct code_region *region)
{
	for (const struct code_region *other = regions; other; other = other->next)
		if (other != region && other->file >= 0 && !other->units.taken)
			return false;
	return region->file >= 0 && region->written <= EMPTY_BYTES;
}

static size_t units_of(size_t bytes)
{
	return (bytes + UNIT_BYTES - 1) / UNIT_BYTES;
}

static bool take_from(struct code_region *region, struct code_piece *piece, size_t least, size_t most)
{
	size_t first,
		count = region->file < 0 ? 0 : code_units_take(&region->units, units_of(least), units_of(most), &first);

	if (!count)
		return false;
	piece->region = region;
	piece->bytes = region->bytes + first * UNIT_BYTES;
	piece->size = count * UNIT_BYTES;
	return true;
}

bool code_region_take(struct code_piece *piece, size_t least, size_t most, int more_prot)
{
	struct code_region *region = NULL;
	bool found = false;

	if (!most || most > CODE_REGION_PIECE_MAX)
		return false;
	pthread_mutex_lock(&lock);
	for (region = regions; region && !found; region = region->next)
		found = region->more_prot == more_prot && take_from(region, piece, least, most);
	if (!found) {
		region = region_new(more_prot);
		found = region && take_from(region, piece, least, most);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static size_t place_in(const struct code_region *region, const uint8_t *bytes)
{
	return (size_t)(bytes - region->bytes);
}

enum jf_status code_region_write(struct code_piece *piece, const uint8_t *code, size_t size, size_t kept)
{
	struct code_region *region = piece->region;
	size_t at = place_in(region, piece->bytes), units = units_of(kept);
	enum jf_status status = JF_OK;

	pthread_mutex_lock(&lock);
	if (!can_write(region))
		status = JF_E_NOT_FOUND;
	else if (!write_up_to(region, at + size) || !write_all(region, code, size, at))
		status = JF_E_NO_MEMORY;
	if (status == JF_OK && units < units_of(piece->size)) {
		code_units_give(&region->units, at / UNIT_BYTES + units, units_of(piece->size) - units);
		piece->size = units * UNIT_BYTES;
	}
	pthread_mutex_unlock(&lock);
	return status;
}

void code_region_give(const struct code_piece *piece)
{
	struct code_region *region = piece->region;
	size_t at = place_in(region, piece->bytes), end = at + piece->size;

	pthread_mutex_lock(&lock);
	/* What lies behind `written` has never held code. */
	if (at < region->written && can_write(region) &&
	    !write_traps(region, at, (end < region->written ? end : region->written) - at))
		freeze(region, true);
	code_units_give(&region->units, at / UNIT_BYTES, units_of(piece->size));
	if (!region->units.taken && !is_worth_keeping(region))
		region_free(region);
	pthread_mutex_unlock(&lock);
}
