/* SPDX-License-Identifier: BSD-2-Clause */
#include "programs.h"

#include <pthread.h>
#include <stdlib.h>

#include "helpers.h"
#include "maps.h"

/* The load of a 64-bit immediate, two instructions long; src 1 and 2 refer to maps. */
#define INSN_LDDW 0x18

struct entry {
	struct bundle_selection selection;
	struct jf_loaded *loaded;
};

static struct {
	const struct bundle *bundle;
	const struct jf_convention *conv;
	const struct jf_compile_opts *opts;
	struct jf_import *kfuncs;
	struct entry *entries;
	pthread_mutex_t lock; /* entries */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum jf_status programs_init(const struct bundle *bundle, const struct jf_convention *conv,
			     const struct jf_compile_opts *opts, struct jf_error *error)
{
	all.bundle = bundle;
	all.conv = conv;
	all.opts = opts;
	all.entries = calloc(bundle->count[BUNDLE_PROGRAMS] + 1, sizeof(*all.entries));
	all.kfuncs = calloc(bundle->count[BUNDLE_KFUNCS] + 1, sizeof(*all.kfuncs));
	if (all.entries == NULL || all.kfuncs == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "programs", "no memory for the tables");
	for (uint32_t i = 0; i < bundle->count[BUNDLE_KFUNCS]; i++) {
		const char *name = bundle->strings + bundle->kfuncs[i].name;
		enum jf_status status = kfunc_import(name, &all.kfuncs[i], error);

		if (status != JF_OK)
			return status;
	}
	return JF_OK;
}

void programs_fini(void)
{
	if (all.bundle == NULL)
		return;
	for (uint32_t i = 0; all.entries != NULL && i < all.bundle->count[BUNDLE_PROGRAMS]; i++) {
		if (all.entries[i].loaded == NULL)
			continue;
		jf_unload(all.entries[i].loaded);
		bundle_selection_free(&all.entries[i].selection);
	}
	free(all.entries);
	free(all.kfuncs);
	all.bundle = NULL;
}

static enum jf_status check_maps(const struct jf_program *program, struct jf_error *error)
{
	for (uint32_t f = 0; f < program->function_count; f++) {
		const struct jf_function *function = &program->functions[f];

		for (uint32_t i = 0; i < function->insn_count; i++) {
			const struct jf_insn *insn = &function->insns[i];
			unsigned int src = insn->regs >> 4;
			enum jf_status status;

			if (insn->opcode != INSN_LDDW)
				continue;
			i++;
			if (src != 1 && src != 2)
				continue;
			status = maps_usable((uint32_t)insn->imm, error);
			if (status != JF_OK)
				return status;
		}
	}
	return JF_OK;
}

static enum jf_status load(uint32_t index, struct entry *entry, struct jf_error *error)
{
	struct jf_program *program = &entry->selection.program;
	enum jf_status status = bundle_select(all.bundle, index, &entry->selection, error);

	if (status != JF_OK)
		return status;
	program->helpers = helpers_table(&program->helper_count);
	program->kfuncs = all.kfuncs;
	program->kfunc_count = all.bundle->count[BUNDLE_KFUNCS];
	program->maps = maps_refs();
	program->map_count = all.bundle->count[BUNDLE_MAPS];
	status = check_maps(program, error);
	if (status == JF_OK)
		status = jf_load(all.conv, program, all.opts, NULL, &entry->loaded, error);
	if (status != JF_OK)
		bundle_selection_free(&entry->selection);
	return status;
}

enum jf_status programs_load(uint32_t index, const struct jf_loaded **loaded, struct jf_error *error)
{
	enum jf_status status = JF_OK;
	struct entry *entry;

	if (index >= all.bundle->count[BUNDLE_PROGRAMS])
		return jf_error_set(error, JF_E_NOT_FOUND, "programs", "there is no program %u", index);
	entry = &all.entries[index];
	pthread_mutex_lock(&all.lock);
	if (entry->loaded == NULL)
		status = load(index, entry, error);
	if (status == JF_OK)
		*loaded = entry->loaded;
	pthread_mutex_unlock(&all.lock);
	return status;
}

uint64_t programs_function(uint32_t index, uint32_t function)
{
	const struct entry *entry = &all.entries[index];
	const struct jf_image *image = jf_loaded_image(entry->loaded);

	for (uint32_t i = 0; i < entry->selection.program.function_count; i++) {
		if (entry->selection.bundle_function[i] == function)
			return image->address + image->functions[i].start;
	}
	return 0;
}
