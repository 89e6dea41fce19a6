/* SPDX-License-Identifier: BSD-2-Clause */
#include "codemap/index.h"
#include "codemap/section.h"

#include <pthread.h>

static pthread_mutex_t writer = PTHREAD_MUTEX_INITIALIZER;

const struct jf_range *jf_code_map_find(uint64_t address)
{
	return map_find(address);
}

/* Walks take all of this for granted: they index with what rows and slots say. */
static enum jf_status check_range(const struct jf_range *range)
{
	uint32_t restorable = 0; /* slots that hold a register */

	if (!range || range->size < sizeof(*range) || range->start >= range->end || range->kind >= JF_RANGE__COUNT ||
	    !range->name || !range->backend)
		return JF_E_INVAL;
	if (range->end - range->start > UINT32_MAX)
		return JF_E_INVAL;
	if (range->kind == JF_RANGE_ENTRY)
		return JF_OK;
	if (!range->rows || !range->row_count || range->rows[0].code_off || range->slot_count > JF_FRAME_SLOTS_MAX ||
	    (range->slot_count && !range->slots))
		return JF_E_INVAL;
	for (unsigned int i = 0; i < range->slot_count; i++)
		if (range->slots[i].reg < range->backend->reg_count)
			restorable |= UINT32_C(1) << i;
	for (size_t i = 0; i < range->row_count; i++) {
		if (i && range->rows[i].code_off <= range->rows[i - 1].code_off)
			return JF_E_INVAL;
		if (range->rows[i].cfa_reg >= range->backend->reg_count || range->rows[i].saved & ~restorable)
			return JF_E_INVAL;
	}
	if (range->kind == JF_RANGE_BOUNDARY && !range->callback)
		return JF_E_INVAL;
	return JF_OK;
}

static enum jf_status add_locked(const struct jf_range *ranges, size_t count)
{
	enum jf_status status = JF_OK;
	size_t put = 0; /* of the last one, when there was no memory, a part */

	while (put < count && status == JF_OK) {
		if (!jf_map_is_free(ranges[put].start, ranges[put].end - 1))
			status = JF_E_OVERLAP;
		else if (!jf_map_put(&ranges[put++]))
			status = JF_E_NO_MEMORY;
	}
	atomic_fetch_add(&jf_code_map_age, 1);
	if (status == JF_OK)
		return JF_OK;
	while (put-- > 0)
		jf_map_take(&ranges[put]);
	jf_map_flush();
	return status;
}

enum jf_status jf_code_map_add_all(const struct jf_range *ranges, size_t count)
{
	enum jf_status status = ranges && count && !jf_code_map_in_section() ? JF_OK : JF_E_INVAL;

	for (size_t i = 0; i < count && status == JF_OK; i++)
		status = check_range(&ranges[i]);
	if (status != JF_OK)
		return status;
	pthread_mutex_lock(&writer);
	status = add_locked(ranges, count);
	pthread_mutex_unlock(&writer);
	return status;
}

enum jf_status jf_code_map_add(const struct jf_range *range)
{
	return jf_code_map_add_all(range, 1);
}

static enum jf_status remove_locked(const struct jf_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (map_find(ranges[i].start) != &ranges[i])
			return JF_E_NOT_FOUND;
	for (size_t i = 0; i < count; i++)
		jf_map_take(&ranges[i]);
	jf_map_flush();
	return JF_OK;
}

enum jf_status jf_code_map_remove_all(const struct jf_range *ranges, size_t count)
{
	enum jf_status status;

	if (!ranges || !count || jf_code_map_in_section())
		return JF_E_INVAL;
	pthread_mutex_lock(&writer);
	status = remove_locked(ranges, count);
	pthread_mutex_unlock(&writer);
	return status;
}

enum jf_status jf_code_map_remove(const struct jf_range *range)
{
	return jf_code_map_remove_all(range, 1);
}
