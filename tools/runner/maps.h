/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_MAPS_H
#define JF_RUNNER_MAPS_H

/*
 * The maps of a bundle, with the semantics that linux/bpf.h gives them. What a program holds as a map
 * pointer is a struct map *, of a program array its struct jf_program_array *. A "CPU" is one of the
 * runner's threads: per-CPU maps have a value for each.
 */

#include <pthread.h>

#include "bundle.h"
#include "map_fields.h"

struct map;

/* Flags of an update, as in linux/bpf.h. */
enum {
	MAP_UPDATE_ANY = 0,
	MAP_UPDATE_NOEXIST = 1,
	MAP_UPDATE_EXIST = 2,
};

/* One BPF program's callback, called as the C function that its code is. */
typedef uint64_t (*map_callback)(uint64_t map, uint64_t key, uint64_t value, uint64_t ctx, uint64_t zero);

/* How one kind of map works. Every hook mandatory but fini; threads: any. Errors are negative errno values. */
struct map_ops {
	bool sized; /* has keys and values of some size; else both have none */
	/* Sizes and fills what is particular to the kind; map->memory is still to be had. */
	enum jf_status (*init)(struct map *map, struct jf_error *error);
	void (*fini)(struct map *map);
	void *(*lookup)(struct map *map, const void *key, unsigned int cpu);
	int64_t (*update)(struct map *map, const void *key, const void *value, uint64_t flags);
	int64_t (*delete)(struct map *map, const void *key);
	/* Calls for every element until one call returns non-zero. returns: how many calls. */
	int64_t (*for_each)(struct map *map, map_callback callback, uint64_t ctx);
};

struct map {
	struct map_fields seen;    /* of arenas, and first: programs read it */
	const struct map_ops *ops; /* NULL: a type that the runner does not have */
	const char *name;
	uint32_t type;
	uint32_t key_bytes;
	uint32_t value_bytes;
	uint32_t max_entries;
	uint32_t cpu_count;    /* values of one element: 1 unless per-CPU */
	uint32_t value_stride; /* value_bytes rounded up to 8 */
	bool evicts;           /* a full hash drops an element rather than refuse a new one */
	uint64_t map_extra;
	uint8_t *memory; /* page-aligned, zero at first */
	size_t memory_bytes;

	const struct bundle_place *place;  /* where another JIT's code takes it to be; NULL: the library compiles */
	const struct bundle_jit *jit;      /* beside `place` */
	void *shown;                       /* arenas: `seen` at place->object; NULL without another JIT's code */
	struct jf_program_array *programs; /* program arrays of the library's own: what programs hold as this map */
	uint64_t *slots;                   /* program arrays only: addresses, 0 where there is no program */
	struct arena *arena;               /* arenas only */

	pthread_mutex_t lock;

	/* hash only, all under the lock */
	uint32_t *buckets; /* node numbers; 0 = none */
	uint32_t bucket_mask;
	uint32_t free_node;  /* chain of deleted nodes */
	uint32_t fresh_node; /* the first node that was never used */
	uint32_t evict_node; /* where the next eviction looks first */
	size_t node_bytes;

	uint64_t ring_used; /* ring buffers: bytes, under the lock */
};

extern const struct map_ops map_array_ops;
extern const struct map_ops map_hash_ops;
extern const struct map_ops map_programs_ops;
extern const struct map_ops map_arena_ops;

/* The map's memory: `count` pieces of `bytes`. returns: JF_E_NO_MEMORY. */
enum jf_status map_reserve(struct map *map, uint64_t count, uint64_t bytes, struct jf_error *error);

/* The calling thread's number, as bpf_get_smp_processor_id() gives it. */
unsigned int map_cpu(void);
void map_cpu_set(unsigned int cpu);

/*
 * Makes all maps of the bundle, with their initial values. Maps of a type that the runner does not have
 * stay empty; see maps_usable().
 * returns: JF_E_BAD_IMAGE (sizes that the type does not allow), JF_E_NO_MEMORY; the error names the map.
 */
enum jf_status maps_init(const struct bundle *bundle, uint32_t cpu_count, struct jf_error *error);
void maps_fini(void);

/* For struct jf_program: one reference for every map of the bundle. */
const struct jf_map_ref *maps_refs(void);

/* returns: the map that programs hold as `object`, or NULL. Any thread. */
struct map *map_of(void *object);
/* returns: map `index` of the bundle, or NULL. */
struct map *maps_at(uint32_t index);
/* returns: index of the map of that name, or -1. */
int64_t maps_find(const char *name);

/* returns: JF_E_UNSUPPORTED, with the map's name and type, when programs cannot use map `index`. */
enum jf_status maps_usable(uint32_t index, struct jf_error *error);

/*
 * Addresses of functions and maps in static data. `address` gives the address of a function of the
 * bundle, 0 for one that is not in the program that was asked for. Read-only data is protected then.
 */
enum jf_status maps_apply_inits(uint64_t (*address)(uint32_t function), struct jf_error *error);

/* ---- map_programs.c ---- */

/*
 * Puts a program into a slot of a program array, NULL: none. Any thread: tail calls find the old program
 * or the new one. returns: as jf_program_array_set().
 */
struct program;
enum jf_status map_programs_set(struct map *map, uint32_t index, const struct program *program);

/* ---- map_arena.c ---- */

/* Where programs find the arena's memory: struct jf_values.arena_base. */
uint64_t map_arena_base(const struct map *map);
/* The address that programs see its first page at; the upper half is that of all its pages. */
uint64_t map_arena_user(const struct map *map);
/*
 * Puts bytes on its last pages, which are taken for them, from the start of the first of these pages on: the place that
 * libbpf of Linux 7.3 has for variables. returns: JF_E_NO_MEMORY, JF_E_BAD_IMAGE.
 */
enum jf_status map_arena_fill(struct map *map, const uint8_t *bytes, uint32_t count, struct jf_error *error);
/* The address that programs see byte 0 of what was filled in at. */
uint64_t map_arena_variables(const struct map *map);
/* Where byte `off` of what was filled in is now. */
void *map_arena_at(const struct map *map, uint32_t off);

/* As the kernel's kfuncs; `object` is what the program holds as the map. */
uint64_t arena_alloc_pages(void *object, uint64_t address, uint32_t pages, int32_t node, uint64_t flags);
void arena_free_pages(void *object, uint64_t address, uint32_t pages);
int32_t arena_reserve_pages(void *object, uint64_t address, uint32_t pages);

#endif
