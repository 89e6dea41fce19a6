/* SPDX-License-Identifier: BSD-2-Clause */
#include "programs.h"

#include <jitframe/fault.h>
#include <jitframe/load.h>
#include <pthread.h>
#include <stdlib.h>

#include "foreign.h"
#include "helpers.h"
#include "maps.h"

struct program {
	struct bundle_selection selection;
	struct jf_loaded *loaded;
	struct foreign *foreign;
};

static struct {
	const struct bundle *bundle;
	const struct jf_convention *conv;
	const struct jf_compile_opts *opts;
	struct jf_import *kfuncs;
	struct program *entries;
	bool *filled;         /* by map: program arrays whose static initialisers are in place */
	pthread_mutex_t lock; /* entries, filled */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Those that are programs last: such a program may call any of the others. */
static enum jf_status import_kfuncs(struct jf_error *error)
{
	enum jf_status status = JF_OK;

	for (uint32_t i = 0; status == JF_OK && i < all.bundle->count[BUNDLE_KFUNCS]; i++)
		if (all.bundle->kfuncs[i].program == 0)
			status = kfunc_import(all.bundle->strings + all.bundle->kfuncs[i].name, &all.kfuncs[i], error);
	for (uint32_t i = 0; status == JF_OK && i < all.bundle->count[BUNDLE_KFUNCS]; i++) {
		const struct program *program = NULL;

		if (all.bundle->kfuncs[i].program == 0)
			continue;
		status = programs_load(all.bundle->kfuncs[i].program - 1, &program, error);
		all.kfuncs[i].name = all.bundle->strings + all.bundle->kfuncs[i].name;
		all.kfuncs[i].address = status == JF_OK ? jf_loaded_entry(program_loaded(program)) : 0;
	}
	return status;
}

enum jf_status programs_init(const struct bundle *bundle, const struct jf_convention *conv,
			     const struct jf_compile_opts *opts, struct jf_error *error)
{
	enum jf_status status;

	all.bundle = bundle;
	all.conv = conv;
	all.opts = opts;
	all.entries = calloc(bundle->count[BUNDLE_PROGRAMS] + 1, sizeof(*all.entries));
	all.kfuncs = calloc(bundle->count[BUNDLE_KFUNCS] + 1, sizeof(*all.kfuncs));
	all.filled = calloc(bundle->count[BUNDLE_MAPS] + 1, sizeof(*all.filled));
	if (all.entries == NULL || all.kfuncs == NULL || all.filled == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "programs", "no memory for the tables");
	status = import_kfuncs(error);
	return status != JF_OK || bundle->jit == NULL ? status : foreign_init(bundle, conv, all.kfuncs, error);
}

static bool is_loaded(const struct program *program)
{
	return program->loaded != NULL || program->foreign != NULL;
}

void programs_fini(void)
{
	if (all.bundle == NULL)
		return;
	for (uint32_t i = 0; all.entries != NULL && i < all.bundle->count[BUNDLE_PROGRAMS]; i++) {
		if (!is_loaded(&all.entries[i]))
			continue;
		if (all.entries[i].foreign != NULL)
			foreign_unload(all.entries[i].foreign);
		jf_unload(all.entries[i].loaded);
		bundle_selection_free(&all.entries[i].selection);
	}
	if (all.bundle->jit != NULL)
		foreign_fini();
	free(all.entries);
	free(all.kfuncs);
	free(all.filled);
	all.bundle = NULL;
}

/* ---- the maps that a program refers to ---------------------------------------------------------- */

/* Goes over the 64-bit immediates that refer to maps. Start with { program, 0, 0 }. */
struct map_cursor {
	const struct jf_program *program;
	uint32_t function;
	uint32_t insn;
};

/* returns: false at the end; else *map is the index in the next reference. */
static bool next_map(struct map_cursor *cursor, uint32_t *map)
{
	for (; cursor->function < cursor->program->function_count; cursor->function++, cursor->insn = 0) {
		const struct jf_function *function = &cursor->program->functions[cursor->function];

		while (cursor->insn < function->insn_count) {
			const struct jf_insn *insn = &function->insns[cursor->insn];
			unsigned int src = jf_insn_src(insn);
			bool wide = insn->opcode == JF_INSN_LDDW;

			cursor->insn += wide ? 2 : 1;
			if (wide && (src == JF_SRC_MAP || src == JF_SRC_MAP_VALUE)) {
				*map = (uint32_t)insn->imm;
				return true;
			}
		}
	}
	return false;
}

static enum jf_status check_maps(const struct jf_program *program, struct jf_error *error)
{
	struct map_cursor cursor = {program, 0, 0};
	enum jf_status status = JF_OK;
	uint32_t map;

	while (status == JF_OK && next_map(&cursor, &map))
		status = maps_usable(map, error);
	return status;
}

/* returns: the arena of all the bundle's maps, or NULL when there is none, or more than one. */
static const struct map *only_arena(void)
{
	const struct map *found = NULL;

	for (uint32_t i = 0; maps_at(i) != NULL; i++) {
		if (maps_at(i)->arena == NULL)
			continue;
		if (found != NULL)
			return NULL;
		found = maps_at(i);
	}
	return found;
}

/* The arena that a program refers to; one that refers to none has the bundle's only one. */
static enum jf_status find_arena(const struct jf_program *program, const struct map **arena, struct jf_error *error)
{
	struct map_cursor cursor = {program, 0, 0};
	uint32_t index;

	*arena = NULL;
	while (next_map(&cursor, &index)) {
		const struct map *map = maps_at(index);

		if (map->arena == NULL || map == *arena)
			continue;
		if (*arena != NULL)
			return jf_error_set(error, JF_E_UNSUPPORTED, program->functions[0].name,
					    "it uses two arenas, %s and %s", (*arena)->name, map->name);
		*arena = map;
	}
	if (*arena == NULL)
		*arena = only_arena();
	return JF_OK;
}

/* ---- loading, all under the lock ---------------------------------------------------------------- */

static enum jf_status check_linked(const struct bundle_selection *selection, struct jf_error *error)
{
	for (uint32_t i = 0; i < selection->program.function_count; i++) {
		if (all.bundle->functions[selection->bundle_function[i]].flags & BUNDLE_FUNCTION_REFUSED)
			return jf_error_set(error, JF_E_UNSUPPORTED, selection->functions[i].name,
					    "it could not be linked: asking for it by its name says why");
	}
	return JF_OK;
}

static enum jf_status compile(struct program *entry, struct jf_error *error)
{
	struct jf_program *program = &entry->selection.program;
	struct jf_compile_opts opts = *all.opts;
	const struct map *arena;
	enum jf_status status = check_linked(&entry->selection, error);

	program->helpers = helpers_table(&program->helper_count);
	program->kfuncs = all.kfuncs;
	program->kfunc_count = all.bundle->count[BUNDLE_KFUNCS];
	program->maps = maps_refs();
	program->map_count = all.bundle->count[BUNDLE_MAPS];
	program->call_register = helpers_call_register();
	if (status == JF_OK)
		status = check_maps(program, error);
	if (status == JF_OK)
		status = find_arena(program, &arena, error);
	if (status != JF_OK)
		return status;
	if (all.bundle->jit != NULL)
		return foreign_load((uint32_t)(entry - all.entries), &entry->selection, &entry->foreign, error);
	if (arena != NULL) {
		opts.values.arena_base = map_arena_base(arena);
		program->arena_user_base = map_arena_user(arena);
	}
	status = jf_load(all.conv, program, &opts, NULL, &entry->loaded, error);
	/* Without an arena its pointers would go to the lowest 4 GiB of this process. */
	if (status == JF_OK && arena == NULL && jf_loaded_image(entry->loaded)->fault_count > 0) {
		jf_unload(entry->loaded);
		entry->loaded = NULL;
		status = jf_error_set(error, JF_E_UNSUPPORTED, program->functions[0].name,
				      "it uses arena pointers and refers to no arena");
	}
	return status;
}

static enum jf_status load(uint32_t index, struct jf_error *error);

/* Static initialisers of a program array, which may well name the program that is being loaded. */
static enum jf_status fill_slots(uint32_t map, struct jf_error *error)
{
	enum jf_status status = JF_OK;

	if (all.filled[map] || maps_at(map)->slots == NULL)
		return JF_OK;
	all.filled[map] = true;
	for (uint32_t i = 0; status == JF_OK && i < all.bundle->count[BUNDLE_INITS]; i++) {
		const struct bundle_init *init = &all.bundle->inits[i];

		if (init->kind != BUNDLE_INIT_PROGRAM_SLOT || init->map != map)
			continue;
		status = load(init->target, error);
		if (status == JF_OK)
			status = map_programs_set(maps_at(map), init->key, &all.entries[init->target]);
	}
	return status;
}

static enum jf_status load(uint32_t index, struct jf_error *error)
{
	struct program *entry = &all.entries[index];
	struct map_cursor cursor = {&entry->selection.program, 0, 0};
	enum jf_status status;
	uint32_t map;

	if (is_loaded(entry))
		return JF_OK;
	status = bundle_select(all.bundle, index, &entry->selection, error);
	if (status != JF_OK)
		return status;
	status = compile(entry, error);
	if (status != JF_OK)
		bundle_selection_free(&entry->selection);
	while (status == JF_OK && next_map(&cursor, &map))
		status = fill_slots(map, error);
	return status;
}

enum jf_status programs_load(uint32_t index, const struct program **program, struct jf_error *error)
{
	enum jf_status status;

	if (index >= all.bundle->count[BUNDLE_PROGRAMS])
		return jf_error_set(error, JF_E_NOT_FOUND, "programs", "there is no program %u", index);
	pthread_mutex_lock(&all.lock);
	status = load(index, error);
	if (status == JF_OK)
		*program = &all.entries[index];
	pthread_mutex_unlock(&all.lock);
	return status;
}

/* ---- what is loaded ------------------------------------------------------------------------------ */

uint64_t program_run(const struct program *program, uint64_t arg)
{
	return program->foreign != NULL ? foreign_run(program->foreign, arg) : jf_run(program->loaded, arg);
}

uint64_t program_run_checked(const struct program *program, uint64_t arg, const struct jf_regs *in, struct jf_regs *out)
{
	return program->foreign != NULL ? foreign_run_checked(program->foreign, arg, in, out) :
					  jf_run_checked(program->loaded, arg, in, out);
}

const struct jf_loaded *program_loaded(const struct program *program)
{
	return program->loaded;
}

const struct foreign *program_foreign(const struct program *program)
{
	return program->foreign;
}

const struct jf_convention *programs_convention(void)
{
	return all.conv;
}

bool programs_are_foreign(void)
{
	return all.bundle->jit != NULL;
}

uint64_t programs_function(uint32_t index, uint32_t function)
{
	const struct program *entry = &all.entries[index];
	const struct jf_image *image = jf_loaded_image(entry->loaded);

	if (entry->foreign != NULL)
		return foreign_function(entry->foreign, function);
	for (uint32_t i = 0; i < entry->selection.program.function_count; i++) {
		if (entry->selection.bundle_function[i] == function)
			return image->address + jf_image_function_at(image, i)->start;
	}
	return 0;
}

const char *programs_broken_stack(void)
{
	const char *broken = NULL;

	pthread_mutex_lock(&all.lock);
	for (uint32_t i = 0; broken == NULL && i < all.bundle->count[BUNDLE_PROGRAMS]; i++) {
		const struct program *program = &all.entries[i];

		if ((program->loaded != NULL && jf_private_stack_check(program->loaded) != JF_OK) ||
		    (program->foreign != NULL && foreign_stack_is_broken(program->foreign)))
			broken = all.bundle->strings + all.bundle->programs[i].name;
	}
	pthread_mutex_unlock(&all.lock);
	return broken;
}

enum jf_status programs_set(const char *name, uint32_t index, const char *program, struct jf_error *error)
{
	int64_t map = maps_find(name);
	const struct program *loaded = NULL;
	enum jf_status status;
	uint32_t number;

	if (map < 0 || maps_at((uint32_t)map)->slots == NULL)
		return jf_error_set(error, JF_E_NOT_FOUND, name, "there is no program array of this name");
	if (index >= maps_at((uint32_t)map)->max_entries)
		return jf_error_set(error, JF_E_INVAL, name, "it has no entry %u", index);
	status = bundle_find(all.bundle, program, &number, error);
	if (status == JF_OK)
		status = programs_load(number, &loaded, error);
	return status == JF_OK ? map_programs_set(maps_at((uint32_t)map), index, loaded) : status;
}
