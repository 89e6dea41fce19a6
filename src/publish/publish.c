/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sized.h"
#include "codemap/section.h"
#include "codemap/watch.h"
#include "publish/consumer.h"

#include <jitframe/backend.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Who is told what of the code map. Locks: `starting`, then the map's. */

struct entry {
	const char *name;
	const struct publish_consumer *consumer;
};

/* By the number of the bit in enum jf_publish. */
static const struct entry entries[] = {
	{"cfi", &jf_publish_cfi},
	{"gdb", &jf_publish_gdb},
	{"perf-map", &jf_publish_perf_map},
	{"perf-dump", &jf_publish_perf_dump},
	{"libunwind", &jf_publish_libunwind},
};

#define ENTRY_COUNT (sizeof(entries) / sizeof(entries[0]))
#define ALL         ((UINT32_C(1) << ENTRY_COUNT) - 1)

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* Changed under the map's lock; read by anybody. */
static struct {
	_Atomic(uint32_t) starts;
	_Atomic(uint64_t) ranges, refused;
} told[ENTRY_COUNT];

/* ---- what the map reports, under its lock ------------------------------------------------------------------- */

/* The next stretch of ranges that consumers are told of, from *at on. returns: its length; 0 = there is none. */
static size_t next_stretch(const struct jf_range *ranges, size_t count, size_t *at)
{
	size_t length = 0;

	while (*at < count && !publish_wants(&ranges[*at]))
		++*at;
	while (*at + length < count && publish_wants(&ranges[*at + length]))
		length++;
	return length;
}

static void tell_added(unsigned int i, const struct jf_range *ranges, size_t count)
{
	for (size_t at = 0, length; (length = next_stretch(ranges, count, &at)) > 0; at += length) {
		size_t refused = entries[i].consumer->added(ranges + at, length);

		atomic_fetch_add(&told[i].ranges, length - refused);
		atomic_fetch_add(&told[i].refused, refused);
	}
}

static void tell_removed(unsigned int i, const struct jf_range *ranges, size_t count)
{
	for (size_t at = 0, length; (length = next_stretch(ranges, count, &at)) > 0; at += length)
		atomic_fetch_sub(&told[i].ranges, entries[i].consumer->removed(ranges + at, length));
}

static void on_added(const struct jf_range *ranges, size_t count)
{
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (atomic_load(&told[i].starts))
			tell_added(i, ranges, count);
}

static void on_removed(const struct jf_range *ranges, size_t count)
{
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (atomic_load(&told[i].starts))
			tell_removed(i, ranges, count);
}

static const struct map_watch watch = {on_added, on_removed};

/* ---- starting and stopping -------------------------------------------------------------------------------- */

static bool any_started(void)
{
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (atomic_load(&told[i].starts))
			return true;
	return false;
}

/* The consumers that are being started; jf_code_map_each() passes nothing on. Under both locks. */
static uint32_t beginning;

static void tell_what_is_there(const struct jf_range *range)
{
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (beginning >> i & 1)
			tell_added(i, range, 1);
}

/* consumers: those that begin() was called of. Others were started before. */
static void start_locked(uint32_t consumers, uint32_t begun)
{
	jf_code_map_lock();
	for (unsigned int i = 0; i < ENTRY_COUNT; i++) {
		if (begun >> i & 1) {
			atomic_store(&told[i].ranges, 0);
			atomic_store(&told[i].refused, 0);
		}
		if (consumers >> i & 1)
			atomic_fetch_add(&told[i].starts, 1);
	}
	atomic_store(&jf_code_map_watch, &watch);
	beginning = begun;
	if (begun)
		jf_code_map_each(tell_what_is_there);
	jf_code_map_unlock();
}

static void end_all(uint32_t consumers)
{
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (consumers >> i & 1)
			entries[i].consumer->end();
}

/* out: *begun, the consumers whose begin() was called, and has succeeded. */
static enum jf_status begin_all(uint32_t consumers, uint32_t *begun, struct jf_error *error)
{
	enum jf_status status = JF_OK;

	*begun = 0;
	for (unsigned int i = 0; i < ENTRY_COUNT && status == JF_OK; i++) {
		if (!(consumers >> i & 1) || atomic_load(&told[i].starts))
			continue;
		status = entries[i].consumer->begin(error);
		if (status == JF_OK)
			*begun |= UINT32_C(1) << i;
	}
	if (status != JF_OK)
		end_all(*begun);
	return status;
}

enum jf_status jf_publish_start(uint32_t consumers, struct jf_error *error)
{
	enum jf_status status;
	uint32_t begun;

	if (!consumers || consumers & ~ALL)
		return jf_error_set(error, JF_E_INVAL, "consumers", "0x%x has no bit of enum jf_publish, or others",
				    consumers);
	if (jf_code_map_in_section())
		return jf_error_set(error, JF_E_IN_SECTION, "", "%s", jf_status_text(JF_E_IN_SECTION));
	pthread_mutex_lock(&starting);
	status = begin_all(consumers, &begun, error);
	if (status == JF_OK)
		start_locked(consumers, begun);
	pthread_mutex_unlock(&starting);
	return status;
}

static enum jf_status stop_locked(uint32_t consumers)
{
	uint32_t last = 0;

	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (consumers >> i & 1 && !atomic_load(&told[i].starts))
			return JF_E_NOT_FOUND;
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (consumers >> i & 1 && atomic_fetch_sub(&told[i].starts, 1) == 1)
			last |= UINT32_C(1) << i;
	if (!any_started())
		atomic_store(&jf_code_map_watch, NULL);
	end_all(last);
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (last >> i & 1)
			atomic_store(&told[i].ranges, 0);
	return JF_OK;
}

enum jf_status jf_publish_stop(uint32_t consumers)
{
	enum jf_status status;

	if (!consumers || consumers & ~ALL)
		return JF_E_INVAL;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	pthread_mutex_lock(&starting);
	jf_code_map_lock();
	status = stop_locked(consumers);
	jf_code_map_unlock();
	pthread_mutex_unlock(&starting);
	return status;
}

/* ---- questions -------------------------------------------------------------------------------------------- */

/* returns: ENTRY_COUNT for what is not one bit. */
static unsigned int number_of(enum jf_publish consumer)
{
	uint32_t bit = (uint32_t)consumer;

	return bit && !(bit & ~ALL) && !(bit & (bit - 1)) ? (unsigned int)__builtin_ctz(bit) : ENTRY_COUNT;
}

enum jf_status jf_publish_count(enum jf_publish consumer, struct jf_publish_counts *counts)
{
	struct jf_publish_counts made;
	unsigned int i = number_of(consumer);
	enum jf_status status;

	if (!counts || i == ENTRY_COUNT)
		return JF_E_INVAL;
	status = jf_sized_read(&made, sizeof(made), sizeof(made.size), counts, "counts", NULL);
	if (status != JF_OK)
		return status;
	made.starts = atomic_load(&told[i].starts);
	made.ranges = atomic_load(&told[i].ranges);
	made.refused = atomic_load(&told[i].refused);
	jf_sized_write(counts, sizeof(made), &made);
	return JF_OK;
}

const char *jf_publish_name(enum jf_publish consumer)
{
	unsigned int i = number_of(consumer);

	return i < ENTRY_COUNT ? entries[i].name : "?";
}

static bool is_name(const char *wanted, const char *name, size_t length)
{
	return strlen(wanted) == length && !memcmp(name, wanted, length);
}

/* returns: 0 for a name that is none. */
static uint32_t find_name(const char *name, size_t length)
{
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		if (is_name(entries[i].name, name, length))
			return UINT32_C(1) << i;
	return is_name("perf", name, length) ? JF_PUBLISH_PERF_MAP | JF_PUBLISH_PERF_DUMP : 0;
}

static enum jf_status no_such_name(const char *name, size_t length, struct jf_error *error)
{
	char where[64], names[128] = "";
	size_t used = 0;

	snprintf(where, sizeof(where), "%.*s", (int)length, name);
	for (unsigned int i = 0; i < ENTRY_COUNT; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "", entries[i].name);
	return jf_error_set(error, JF_E_NOT_FOUND, where, "it is none of %s, perf", names);
}

enum jf_status jf_publish_parse(const char *list, uint32_t *consumers, struct jf_error *error)
{
	uint32_t all = 0;
	size_t length;

	if (!list || !consumers || !*list)
		return jf_error_set(error, JF_E_INVAL, "", "there is no list of names");
	for (const char *name = list;; name += length + 1) {
		uint32_t named;

		length = strcspn(name, ",");
		named = find_name(name, length);
		if (!named)
			return no_such_name(name, length, error);
		all |= named;
		if (!name[length])
			break;
	}
	*consumers = all;
	return JF_OK;
}
