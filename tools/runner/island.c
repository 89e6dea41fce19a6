/* SPDX-License-Identifier: BSD-2-Clause */
#include "island.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <jitframe/codemap.h>

#include "helpers.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* of linux/mman.h, for older C libraries */
#endif

#define ROWS_MAX 8 /* of one way */

/* One way, from the code to a function of the runner. */
struct way {
	struct jf_frame frame;
	struct jf_row rows[ROWS_MAX];
};

static struct {
	uint8_t *pages;
	struct way *ways;
	struct jf_range *ranges;
	uint32_t count, capacity;
} island;

void *island_map(uint64_t address, size_t bytes)
{
	void *wish = (void *)(uintptr_t)address;
	void *memory = mmap(wish, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (memory == wish)
		return memory;
	/* Kernels that do not know the flag map elsewhere. */
	if (memory != MAP_FAILED)
		munmap(memory, bytes);
	return NULL;
}

static void fill_with_traps(const struct jf_backend *backend)
{
	struct jf_code code;

	jf_code_init(&code, island.pages, BUNDLE_CALL_END, (uintptr_t)island.pages, NULL, 0);
	while (code.status == JF_OK)
		backend->emit_trap(&code);
}

/* A jump; where C cannot be called directly, a call stub. */
static void emit_way(struct jf_code *code, const struct jf_frame *frame, uint64_t target)
{
	const struct jf_backend *backend = frame->conv->backend;

	jf_frame_begin(code, frame);
	if (backend->call_stubs != NULL && backend->call_stubs(frame->conv)) {
		backend->emit_call_stub(code, frame, target);
		return;
	}
	backend->build->constant(code, backend->build->target, target);
	backend->build->jump(code, frame, 0);
}

static enum jf_status add_way(const struct jf_convention *conv, uint32_t off, const struct jf_import *import)
{
	struct way *way = &island.ways[island.count];
	struct jf_range *range = &island.ranges[island.count];
	enum jf_status status;
	struct jf_code code;

	if (import->address == 0)
		return JF_OK;
	way->frame = (struct jf_frame){.conv = conv,
				       .spec = {.size = sizeof(way->frame.spec), .role = JF_ROLE_SUBPROGRAM},
				       .slot_count = JF_RECORD__COUNT};
	status = jf_frame_record(conv, way->frame.slots);
	if (status != JF_OK)
		return status;
	jf_code_init(&code, island.pages + off, BUNDLE_CALL_BYTES, (uintptr_t)island.pages + off, way->rows, ROWS_MAX);
	emit_way(&code, &way->frame, import->address);
	status = jf_code_finish(&code);
	if (status != JF_OK)
		return status;
	*range = (struct jf_range){
		.size = sizeof(*range),
		.kind = JF_RANGE_STUB,
		.start = code.address,
		.end = code.address + code.size,
		.name = import->name,
		.backend = conv->backend,
		.rows = way->rows,
		.row_count = code.row_count,
		.slots = way->frame.slots,
		.slot_count = way->frame.slot_count,
		.fp_off_from_cfa = conv->fp_off_from_cfa,
	};
	island.count++;
	return JF_OK;
}

static enum jf_status add_ways(const struct bundle *bundle, const struct jf_convention *conv,
			       const struct jf_import *kfuncs)
{
	enum jf_status status = JF_OK;
	uint32_t count;
	const struct jf_import *helpers = helpers_table(&count);

	for (uint32_t i = 0; status == JF_OK && i < count; i++)
		status = add_way(conv, BUNDLE_CALL_HELPER(i), &helpers[i]);
	for (uint32_t i = 0; status == JF_OK && i < bundle->count[BUNDLE_KFUNCS]; i++)
		status = add_way(conv, BUNDLE_CALL_KFUNC(i), &kfuncs[i]);
	return status;
}

enum jf_status island_init(const struct bundle *bundle, const struct jf_convention *conv,
			   const struct jf_import *kfuncs, struct jf_error *error)
{
	enum jf_status status = JF_OK;

	helpers_table(&island.capacity);
	island.capacity += bundle->count[BUNDLE_KFUNCS];
	if (BUNDLE_CALL_KFUNC((uint64_t)bundle->count[BUNDLE_KFUNCS]) > BUNDLE_CALL_END)
		return jf_error_set(error, JF_E_UNSUPPORTED, "kfuncs", "%u are too many", bundle->count[BUNDLE_KFUNCS]);
	island.ways = calloc(island.capacity, sizeof(*island.ways));
	island.ranges = calloc(island.capacity, sizeof(*island.ranges));
	island.pages = island_map(bundle->jit->call_base, BUNDLE_CALL_END);
	if (island.ways == NULL || island.ranges == NULL || island.pages == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "helpers", "the code wants them behind 0x%llx: no memory",
				    (unsigned long long)bundle->jit->call_base);
	fill_with_traps(conv->backend);
	status = add_ways(bundle, conv, kfuncs);
	if (status == JF_OK && mprotect(island.pages, BUNDLE_CALL_END, PROT_READ | PROT_EXEC) != 0)
		status = JF_E_NO_MEMORY;
	__builtin___clear_cache((char *)island.pages, (char *)island.pages + BUNDLE_CALL_END);
	if (status == JF_OK)
		status = jf_code_map_add_all(island.ranges, island.count, error);
	else
		jf_error_set(error, status, "helpers", "%s", jf_status_text(status));
	if (status != JF_OK)
		island.count = 0;
	return status;
}

void island_fini(void)
{
	if (island.count > 0)
		(void)!jf_code_map_remove_all(island.ranges, island.count);
	if (island.pages != NULL)
		munmap(island.pages, BUNDLE_CALL_END);
	free(island.ways);
	free(island.ranges);
	memset(&island, 0, sizeof(island));
}
