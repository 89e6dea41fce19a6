/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/index.h"
#include "cfi/met.h"
#include "cfi_bytes.h"
#include "check.h"
#include "elf_file.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <jitframe/codemap.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Functions of loaded objects: converted when a walk meets them, not before. */

/* ---- what loading costs --------------------------------------------------------------------------------- */

static const char *const large[] = {
	"libLLVM.so.19.1", "libLLVM-19.so.1", "libLLVM-15.so.1", "libLLVM-14.so.1", "libclang-cpp.so.19.1",
};

static size_t address_space_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	cr_assert(file && fscanf(file, "%zu", &pages) == 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t allocated_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

Test(cfi_lazy, a_large_library, .timeout = 60)
{
	void *library = NULL;
	size_t allocated, space;
	struct jf_cfi_counts counts = {.size = sizeof(counts)};

	for (size_t i = 0; !library && i < sizeof(large) / sizeof(large[0]); i++)
		library = dlopen(large[i], RTLD_LAZY);
	if (!library)
		cr_skip_test("none of the large libraries is installed (libllvm19)");
	if (!jf_backend_host())
		cr_skip_test("no backend for this host");
	allocated = allocated_bytes();
	space = address_space_bytes();
	cr_assert_eq(jf_cfi_load_objects(&counts), JF_OK);
	allocated = allocated_bytes() - allocated;
	space = address_space_bytes() - space;
	cr_assert_gt(counts.functions, 50000);
	cr_expect_eq(counts.rows, 0, "%u rows were made", counts.rows);
	cr_expect_lt(allocated, 64 << 10, "%zu bytes were allocated", allocated);
	cr_expect_lt(space, 1 << 20, "%zu bytes were mapped", space);
}

/* ---- objects that are gone ------------------------------------------------------------------------------ */

static const char *const small[] = {"libanl.so.1", "libBrokenLocale.so.1", "libnss_compat.so.2", "libSegFault.so"};

/* A library that nothing else holds. */
static void *open_small(size_t first)
{
	void *library = NULL;

	for (size_t i = first; !library && i < sizeof(small) / sizeof(small[0]); i++)
		if (!dlopen(small[i], RTLD_NOW | RTLD_NOLOAD))
			library = dlopen(small[i], RTLD_NOW);
	if (!library)
		cr_skip_test("none of glibc's small libraries can be loaded");
	return library;
}

/* An address for which the object's .eh_frame has a row. */
static uint64_t described(void *library)
{
	const struct link_map *map = library;
	struct jf_cfi_room room;
	const char *name;

	for (uint64_t address = map->l_addr; address < map->l_addr + (64 << 10); address += 16)
		if (jf_cfi_find(jf_backend_host(), address, &room, &name) && strcmp(name, map->l_name) == 0)
			return address;
	cr_assert_fail("%s has no functions", map->l_name);
	return 0;
}

/* Its tables are unmapped, and another walk may look before anybody has said so. */
Test(cfi_lazy, an_object_that_was_closed)
{
	struct jf_cfi_room room;
	uint64_t address;
	void *library;

	if (!jf_backend_host())
		cr_skip_test("no backend for this host");
	library = open_small(0);
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	address = described(library);
	dlclose(library);
	/* Not the address that was met. */
	for (unsigned int i = 1; i < 16; i++)
		CHECK(!jf_cfi_find(jf_backend_host(), address + i, &room, NULL), "%u", i);
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	cr_assert_null(jf_cfi_find(jf_backend_host(), address, &room, NULL));
}

/* One goes, the next comes to its place, and nobody looked in between. */
Test(cfi_lazy, an_object_in_the_place_of_another)
{
	struct jf_cfi_counts counts = {.size = sizeof(counts)};
	void *library, *next;

	if (!jf_backend_host())
		cr_skip_test("no backend for this host");
	library = open_small(0);
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	dlclose(library);
	next = open_small(1);
	cr_assert_eq(jf_cfi_load_objects(&counts), JF_OK);
	cr_assert_eq(counts.objects_skipped, 0);
	described(next);
	dlclose(next);
}

/* ---- rows that were met ---------------------------------------------------------------------------------- */

/* Kept until there is no room; then they are made anew each time, and are the same. */
Test(cfi_lazy, no_room_left)
{
	const struct jf_backend *host = jf_backend_host();
	struct jf_cfi_room room, again;
	const struct jf_cfi_function *function = NULL, *kept;
	const char *name;
	uint64_t address = (uintptr_t)qsort, full = 0;

	if (!host)
		cr_skip_test("no backend for this host");
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	kept = jf_cfi_find(host, address, &room, &name);
	cr_assert(kept && kept != &room.function);
	cr_assert_eq(jf_cfi_find(host, address, &room, &name), kept);
	for (uint64_t next = address; !full && next < address + (1 << 16); next++) {
		function = jf_cfi_find(host, next, &room, &name);
		if (function == &room.function)
			full = next;
	}
	cr_assert(full, "65536 addresses found room");
	cr_assert_eq(jf_cfi_find(host, full, &again, &name), &again.function);
	cr_assert(again.function.start == room.function.start && jf_row_same(&again.row, &room.row));
	cr_assert_eq(jf_cfi_find(host, address, &room, &name), kept);
	/* Nothing was loaded, but now there is more room. */
	cr_assert_eq(jf_cfi_load_objects(NULL), JF_OK);
	cr_assert_neq(jf_cfi_find(host, full, &again, &name), &again.function);
}

Test(cfi_lazy, rows_that_were_met)
{
	struct cfi_met *met = jf_cfi_met_new(64 << 10);
	struct jf_cfi_room room = {.function = {.start = 1, .end = 2}, .row = {.cfa_off = 16, .saved = 5}};
	const struct jf_cfi_function *function;
	const char *name;
	uint64_t count = 0;

	cr_assert_not_null(met);
	for (unsigned int i = 0; i < JF_FRAME_SLOTS_MAX; i++)
		room.slots[i] = (struct jf_slot){.reg = (uint8_t)i, .off_from_cfa = -8 * (int32_t)i};
	cr_assert_null(jf_cfi_met_find(met, 0, &name));
	cr_assert(!jf_cfi_met_is_low(met));
	while (jf_cfi_met_add(met, 4096 * count, &room, "object"))
		room.function.start = 4096 * ++count;
	cr_assert_gt(count, 300);
	cr_assert(jf_cfi_met_is_low(met));
	cr_assert_null(jf_cfi_met_find(met, 4096 * count, &name));
	for (uint64_t i = 1; i < count; i++) {
		function = jf_cfi_met_find(met, 4096 * i, &name);
		CHECK(function && function->start == 4096 * i && function->slot_count == 2, "%" PRIu64, i);
		CHECK(function->rows[0].saved == 3 && function->slots[1].reg == 2, "%" PRIu64, i);
	}
	jf_cfi_met_free(met);
}

#define THREADS 4
#define EACH    1000

static struct cfi_met *shared;

/* Adds addresses that others add, too, and finds what it has added. */
static void *meet(void *arg)
{
	struct jf_cfi_room room = {.row = {.saved = 1}};
	const char *name;

	for (uint64_t i = 0; i < EACH; i++) {
		const struct jf_cfi_function *function;

		room.function.start = room.function.end = 1 + i;
		jf_cfi_met_add(shared, 1 + i, &room, arg);
		function = jf_cfi_met_find(shared, 1 + i, &name);
		CHECK(function && function->start == 1 + i && function->end == 1 + i && function->slot_count == 1,
		      "%" PRIu64, i);
	}
	return NULL;
}

Test(cfi_lazy, rows_met_by_many_threads)
{
	pthread_t threads[THREADS];

	shared = jf_cfi_met_new(1 << 20);
	cr_assert_not_null(shared);
	for (unsigned int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, meet, (void *)(uintptr_t) "object"), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	jf_cfi_met_free(shared);
}

/* ---- hostile tables --------------------------------------------------------------------------------------- */

#define FUNCTIONS 5

/* Functions of 16 bytes at CODE, CODE + 32, ...; places: of their FDEs. */
static void section_of(struct bytes *b, const struct jf_backend *backend, uint64_t places[FUNCTIONS])
{
	b->count = 0;
	cie_usual(b, backend);
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		places[i] = SECTION + b->count;
		fde_begin(b, 0, CODE + 32 * i, 16);
		entry_end(b);
	}
}

static bool open_hdr(struct cfi_index *index, struct cfi_regs *regs, const struct bytes *b, const struct bytes *hdr,
		     size_t hdr_bytes)
{
	const struct jf_backend *backend = jf_backend_at(0);
	struct jf_cfi_section section = {
		.size = sizeof(section), .bytes = b->at, .size_bytes = b->count, .address = SECTION};
	struct cfi_reader reader = {.start = hdr->at, .at = hdr->at, .end = hdr->at + hdr_bytes, .address = HDR};

	jf_cfi_regs_fill(regs, backend);
	return jf_cfi_index_open(index, backend, &section, reader, regs);
}

/* What the ends show is refused, and the section converted as a whole; what they do not show has no row. */
Test(cfi_lazy, broken_tables)
{
	static const struct {
		const char *what;
		uint8_t order[FUNCTIONS];
		int32_t count, cut, off[FUNCTIONS]; /* added to the count, to the bytes, to the places of the FDEs */
		bool opens;
		const char *found; /* by function */
	} cases[] = {
		{"nothing", {0, 1, 2, 3, 4}, 0, 0, {0}, true, "yyyyy"},
		{"backwards", {4, 3, 2, 1, 0}, 0, 0, {0}, false, ""},
		{"the middle one last", {0, 1, 4, 3, 2}, 0, 0, {0}, true, "yynnn"},
		{"two in each other's place", {0, 2, 1, 3, 4}, 0, 0, {0}, true, "yynyy"},
		{"two others", {0, 3, 2, 1, 4}, 0, 0, {0}, true, "ynnny"},
		{"the first twice", {0, 0, 2, 3, 4}, 0, 0, {0}, true, "ynyyy"},
		{"one pair fewer", {0, 1, 2, 3, 4}, -1, 0, {0}, true, "yyyyn"},
		{"no pairs", {0, 1, 2, 3, 4}, -FUNCTIONS, 0, {0}, false, ""},
		{"more pairs than bytes", {0, 1, 2, 3, 4}, 1, 0, {0}, false, ""},
		{"a count beyond all", {0, 1, 2, 3, 4}, -FUNCTIONS - 1, 0, {0}, false, ""},
		{"cut off in a pair", {0, 1, 2, 3, 4}, 0, -1, {0}, false, ""},
		{"the last FDE outside", {0, 1, 2, 3, 4}, 0, 0, {[4] = 4096}, false, ""},
		{"an FDE outside", {0, 1, 2, 3, 4}, 0, 0, {[1] = 4096}, true, "ynyyy"},
		{"an FDE before the section", {0, 1, 2, 3, 4}, 0, 0, {[3] = -4096}, true, "yyyny"},
		{"a place inside an FDE", {0, 1, 2, 3, 4}, 0, 0, {[1] = 3}, true, "ynyyy"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {.count = 0}, hdr;
		uint64_t places[FUNCTIONS];
		struct jf_cfi_room room;
		struct cfi_index index;
		struct cfi_regs regs;
		bool opens;

		section_of(&b, jf_backend_at(0), places);
		hdr_begin(&hdr, (uint32_t)(FUNCTIONS + cases[i].count));
		for (unsigned int k = 0; k < FUNCTIONS; k++) {
			unsigned int which = cases[i].order[k];

			hdr_pair(&hdr, CODE + 32 * which, places[which] + (uint64_t)(int64_t)cases[i].off[which]);
		}
		opens = open_hdr(&index, &regs, &b, &hdr, hdr.count + (size_t)(int64_t)cases[i].cut);
		CHECK(opens == cases[i].opens, "%s", cases[i].what);
		for (unsigned int k = 0; opens && k < FUNCTIONS; k++) {
			bool found = jf_cfi_index_find(&index, &regs, CODE + 32 * k + 8, &room) == JF_OK;

			CHECK(found == (cases[i].found[k] == 'y'), "%s: %u", cases[i].what, k);
			CHECK(!found || room.function.start == CODE + 32 * k, "%s: %u", cases[i].what, k);
			CHECK(jf_cfi_index_find(&index, &regs, CODE + 32 * k + 16, &room) < 0, "%s: %u", cases[i].what,
			      k);
		}
	}
}

/* The four bytes of encodings, each with every value: other forms than linkers write are not searched. */
Test(cfi_lazy, encodings)
{
	for (unsigned int at = 0; at < 4; at++) {
		for (unsigned int value = 0; value < 256; value++) {
			struct bytes b = {.count = 0}, hdr;
			uint64_t places[FUNCTIONS];
			struct cfi_index index;
			struct cfi_regs regs;

			section_of(&b, jf_backend_at(0), places);
			hdr_begin(&hdr, FUNCTIONS);
			for (unsigned int k = 0; k < FUNCTIONS; k++)
				hdr_pair(&hdr, CODE + 32 * k, places[k]);
			if (hdr.at[at] == value)
				continue;
			hdr.at[at] = (unsigned char)value;
			/* The pointer to .eh_frame and the count may have other forms of 4 bytes. */
			CHECK(!open_hdr(&index, &regs, &b, &hdr, hdr.count) || (at == 1 && value < 0x20) ||
				      (at == 2 && (value & 0x0f) % 8 == 3),
			      "byte %u: %#x", at, value);
		}
	}
}

static void damage(unsigned char *bytes, size_t count, struct rng *rng)
{
	for (uint64_t changes = rng_next(rng) % 6; changes-- > 0;)
		bytes[rng_next(rng) % count] = (unsigned char)(rng_next(rng) % 3 ? rng_next(rng) : 0xff);
}

static void check_room(const struct jf_backend *backend, const struct jf_cfi_room *room, uint64_t address)
{
	const struct jf_cfi_function *f = &room->function;
	uint32_t restorable = f->slot_count == 32 ? UINT32_MAX : (UINT32_C(1) << f->slot_count) - 1;

	CHECK(f->start <= address && address < f->end && f->rows == &room->row && f->slot_count <= JF_FRAME_SLOTS_MAX,
	      "%" PRIx64, address);
	CHECK(room->row.code_off <= address - f->start && room->row.cfa_reg < backend->reg_count &&
		      !(room->row.saved & ~restorable),
	      "%" PRIx64, address);
	for (unsigned int i = 0; i < f->slot_count; i++)
		CHECK(room->slots[i].reg < backend->reg_count, "%" PRIx64, address);
}

/* Both sections lie in allocations of their own sizes, for the address sanitizer. returns: rows found. */
static unsigned int try_damaged(const struct elf_file *file, struct rng *rng)
{
	struct jf_cfi_section section = file->section;
	unsigned char *frames = malloc(section.size_bytes), *hdr = malloc(file->hdr_bytes);
	struct cfi_reader reader = {
		.start = hdr, .at = hdr, .end = hdr + file->hdr_bytes, .address = file->hdr_address};
	struct jf_cfi_room room;
	struct cfi_index index;
	struct cfi_regs regs;
	unsigned int found = 0;

	memcpy(frames, section.bytes, section.size_bytes);
	memcpy(hdr, file->hdr, file->hdr_bytes);
	for (unsigned int i = 0; i < 400; i++)
		damage(frames, section.size_bytes, rng);
	for (unsigned int i = 0; i < 20; i++)
		damage(hdr + 12, file->hdr_bytes - 12, rng);
	section.bytes = frames;
	jf_cfi_regs_fill(&regs, file->backend);
	if (jf_cfi_index_open(&index, file->backend, &section, reader, &regs)) {
		for (unsigned int i = 0; i < 5000; i++) {
			uint64_t address = index.start + rng_next(rng) % (index.end - index.start);

			if (jf_cfi_index_find(&index, &regs, address, &room) != JF_OK)
				continue;
			check_room(file->backend, &room, address);
			found++;
		}
	}
	free(frames);
	free(hdr);
	return found;
}

Test(cfi_lazy, damaged_libraries, .timeout = 250)
{
	struct rng rng = {1};
	unsigned int found = 0;
	const char *path;

	for (size_t i = 0; (path = elf_library(i)) != NULL; i++) {
		struct elf_file file;

		CHECK(elf_file_read(&file, path), "%s", path);
		for (unsigned int round = 0; round < 8 && file.backend && file.section.size_bytes && file.hdr; round++)
			found += try_damaged(&file, &rng);
		elf_file_free(&file);
	}
	cr_assert_gt(found, 0);
}
