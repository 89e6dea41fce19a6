/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_WORLD_H
#define TESTS_RANDOM_WORLD_H

#include <jitframe/program.h>

/*
 * What a random program sees: a context, an arena, and functions to call. Everything lies at the same
 * addresses in both runs, so that pointers may become data; only the BPF stack does not.
 */
struct world {
	uint8_t *ctx;       /* WORLD_CTX_BYTES, in the middle of WORLD_CTX_TOTAL that are compared */
	uint8_t *arena;     /* WORLD_ARENA_BYTES that are there, of 4 GiB and WORLD_ARENA_GUARD on either side */
	uint64_t user_base; /* of the arena, as programs cast pointers */
};
extern struct world world;

#define WORLD_CTX_BYTES      512
#define WORLD_CTX_DATA       256 /* of it for the program's loads and stores; the rest is for its results */
#define WORLD_CTX_TOTAL      1024
#define WORLD_ARENA_BYTES    4096 /* a page of any size or more: what lies behind is told by a fault */
#define WORLD_ARENA_COMPARED 512
#define WORLD_ARENA_GUARD    65536

/* Imports of every random program. Those with pointers take the context's address first. */
enum world_helper { HELPER_MIX, HELPER_SCRAMBLE, HELPER_WRITE, HELPER_LAST, HELPER_COUNT };
enum world_kfunc { KFUNC_MIX5, KFUNC_MIX6, KFUNC_MIX7, KFUNC_MIX12, KFUNC_THROW, KFUNC_RESUME, KFUNC_COUNT };
extern struct jf_import world_helpers[HELPER_COUNT];
extern struct jf_import world_kfuncs[KFUNC_COUNT];
extern struct jf_import world_call_register;

/* returns: false when the system gives no memory. */
bool world_init(void);
/* Before each run: the same bytes everywhere from the same seed. */
void world_reset(uint64_t seed);

/* What a run left behind. */
struct outcome {
	uint64_t r0;
	uint64_t calls; /* digest of all calls to C, with their arguments, in order */
	uint32_t call_count;
	uint8_t ctx[WORLD_CTX_TOTAL];
	uint8_t arena[WORLD_ARENA_COMPARED];
};
void world_take(struct outcome *outcome);

#endif
