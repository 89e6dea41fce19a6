/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jitframe/backend.h>
#include <jitframe/throw.h>

#include "rng.h"

struct world world;

/* Far from where systems put things, so that a seed gives the same pointers in the next process. */
#define CTX_HINT   ((void *)(uintptr_t)UINT64_C(0x2000000000))
#define ARENA_HINT ((void *)(uintptr_t)UINT64_C(0x3000000000))
#define ARENA_SPAN ((size_t)(UINT64_C(1) << 32) + 2 * WORLD_ARENA_GUARD)

static uint64_t calls;
static uint32_t call_count;

static uint64_t record(uint64_t which, const uint64_t *args, unsigned int count)
{
	uint64_t digest = which;

	for (unsigned int i = 0; i < count; i++)
		digest = rng_mix(digest + args[i] + i);
	calls = rng_mix(calls + digest);
	call_count++;
	return digest;
}

/* ---- what programs call ------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return record(HELPER_MIX, (const uint64_t[]){a, b, c, d, e}, 5);
}

/* Overwrites every register that the ABI lets a function overwrite. */
static uint64_t scramble(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	uint64_t digest = record(HELPER_SCRAMBLE, (const uint64_t[]){a, b, c, d, e}, 5);

	jf_backend_host()->native->overwrite();
	return digest;
}

static uint64_t write_ctx(uint64_t ctx, uint64_t at, uint64_t value)
{
	memcpy((uint8_t *)(uintptr_t)ctx + at % (WORLD_CTX_DATA - 7), &value, sizeof(value));
	return record(HELPER_WRITE, (const uint64_t[]){ctx, at, value}, 3);
}

static uint64_t last(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	record(HELPER_LAST, (const uint64_t[]){a, b, c, d, e}, 5);
	return e;
}

static uint64_t mix5(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return record(10, (const uint64_t[]){a, b, c, d, e}, 5);
}

static uint64_t mix6(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return record(13, (const uint64_t[]){a, b, c, d, e, f}, 6);
}

static uint64_t mix7(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g)
{
	return record(11, (const uint64_t[]){a, b, c, d, e, f, g}, 7);
}

static uint64_t mix12(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h,
		      uint64_t i, uint64_t j, uint64_t k, uint64_t l)
{
	return record(12, (const uint64_t[]){a, b, c, d, e, f, g, h, i, j, k, l}, 12);
}

static uint64_t through_register(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t value)
{
	return record(20, (const uint64_t[]){a, b, c, d, e, value}, 6);
}

struct jf_import world_helpers[HELPER_COUNT];
struct jf_import world_kfuncs[KFUNC_COUNT];
struct jf_import world_call_register;

static void fill_imports(void)
{
	world_helpers[HELPER_MIX] = (struct jf_import){.name = "mix", .address = (uintptr_t)mix};
	world_helpers[HELPER_SCRAMBLE] = (struct jf_import){.name = "scramble", .address = (uintptr_t)scramble};
	world_helpers[HELPER_WRITE] = (struct jf_import){.name = "write_ctx", .address = (uintptr_t)write_ctx};
	world_helpers[HELPER_LAST] = (struct jf_import){.name = "last", .address = (uintptr_t)last};
	world_kfuncs[KFUNC_MIX5] = (struct jf_import){.name = "mix5", .address = (uintptr_t)mix5};
	world_kfuncs[KFUNC_MIX6] = (struct jf_import){.name = "mix6", .address = (uintptr_t)mix6, .arg_count = 6};
	world_kfuncs[KFUNC_MIX7] = (struct jf_import){.name = "mix7", .address = (uintptr_t)mix7, .arg_count = 7};
	world_kfuncs[KFUNC_MIX12] = (struct jf_import){.name = "mix12", .address = (uintptr_t)mix12, .arg_count = 12};
	world_kfuncs[KFUNC_THROW] = (struct jf_import){
		.name = "throw", .address = (uintptr_t)jf_throw, .throws = true, .never_returns = true};
	world_kfuncs[KFUNC_RESUME] =
		(struct jf_import){.name = "resume", .address = (uintptr_t)jf_throw_resume, .resumes = true};
	world_call_register = (struct jf_import){.name = "through_register", .address = (uintptr_t)through_register};
}

/* ---- memory ------------------------------------------------------------------------------------- */

bool world_init(void)
{
	uint8_t *ctx = mmap(CTX_HINT, WORLD_CTX_TOTAL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *span = mmap(ARENA_HINT, ARENA_SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ctx == MAP_FAILED || span == MAP_FAILED ||
	    mprotect(span + WORLD_ARENA_GUARD, page > WORLD_ARENA_BYTES ? page : WORLD_ARENA_BYTES,
		     PROT_READ | PROT_WRITE))
		return false;
	world.ctx = ctx + (WORLD_CTX_TOTAL - WORLD_CTX_BYTES) / 2;
	world.arena = span + WORLD_ARENA_GUARD;
	world.user_base = UINT64_C(0x7f1234560000) << 16;
	fill_imports();
	return true;
}

static void fill(uint8_t *bytes, size_t size, struct rng *rng)
{
	for (size_t i = 0; i < size; i += 8) {
		uint64_t value = rng_next(rng);

		memcpy(bytes + i, &value, 8);
	}
}

/* Mostly the seed is that of the run before: the other half of a comparison. */
void world_reset(uint64_t seed)
{
	static uint8_t ctx[WORLD_CTX_TOTAL], arena[WORLD_ARENA_COMPARED];
	static uint64_t made_from;
	static bool made;

	if (!made || made_from != seed) {
		struct rng rng = {seed};

		fill(ctx, sizeof(ctx), &rng);
		fill(arena, sizeof(arena), &rng);
		made_from = seed;
		made = true;
	}
	memcpy(world.ctx - (WORLD_CTX_TOTAL - WORLD_CTX_BYTES) / 2, ctx, sizeof(ctx));
	memcpy(world.arena, arena, sizeof(arena));
	calls = 0;
	call_count = 0;
}

void world_take(struct outcome *outcome)
{
	outcome->calls = calls;
	outcome->call_count = call_count;
	memcpy(outcome->ctx, world.ctx - (WORLD_CTX_TOTAL - WORLD_CTX_BYTES) / 2, WORLD_CTX_TOTAL);
	memcpy(outcome->arena, world.arena, WORLD_ARENA_COMPARED);
}
