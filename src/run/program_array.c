/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/load.h"

enum jf_status jf_program_array_set(struct jf_program_array *array, uint32_t index, const struct jf_loaded *loaded)
{
	if (!array || index >= array->max_entries)
		return JF_E_INVAL;
	if (loaded && array->conv && (array->conv != loaded->image->conv || array->hardening != loaded->hardening))
		return JF_E_BAD_SPEC;
	if (loaded && !array->conv) {
		array->conv = loaded->image->conv;
		array->hardening = loaded->hardening;
	}
	__atomic_store_n(&array->entries[index], loaded ? jf_loaded_entry(loaded) : 0, __ATOMIC_RELEASE);
	return JF_OK;
}
