/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/load.h"

#include <pthread.h>

/* Programs of one array have one convention and one set of options: those of the first that was put in. */
static bool agrees(struct jf_program_array *array, const struct jf_loaded *loaded)
{
	if (!array->conv) {
		array->conv = loaded->image->conv;
		array->hardening = loaded->hardening;
	}
	return array->conv == loaded->image->conv && array->hardening == loaded->hardening;
}

enum jf_status jf_program_array_set(struct jf_program_array *array, uint32_t index, const struct jf_loaded *loaded)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	bool good;

	if (!array || index >= array->max_entries)
		return JF_E_INVAL;
	pthread_mutex_lock(&lock);
	good = !loaded || agrees(array, loaded);
	if (good)
		__atomic_store_n(&array->entries[index], jf_loaded_entry(loaded), __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
	return good ? JF_OK : JF_E_BAD_SPEC;
}
