/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_CONSUMER_H
#define JF_PUBLISH_CONSUMER_H

#include <jitframe/backend.h>
#include <jitframe/codemap.h>
#include <jitframe/publish.h>

/*
 * One consumer: a file of this folder, and a line of the table in publish.c. The ranges that a consumer is told of are
 * of the host's architecture and have rows, or are lazy: jf_range_find_rows() asks for these rows, and an answer that
 * comes later is not told. Ranges come in other portions in removed() than in added().
 *
 *     begin   no lock of the map is held: the dynamic linker may be asked, files opened
 *     added, removed, end   under the map's lock, see watch.h: no dlopen(), dlsym(), no change of the map
 */
struct publish_consumer {
	/* The consumer is about to be told. On failure nothing stays behind. Never NULL. */
	enum jf_status (*begin)(struct jf_error *error);
	/* returns: how many of the ranges it could not take. */
	size_t (*added)(const struct jf_range *ranges, size_t count);
	/* Ranges that it may have taken or not: returns how many it had. */
	size_t (*removed)(const struct jf_range *ranges, size_t count);
	/* Takes back all that it was told, and what begin() made. */
	void (*end)(void);
};

/* Whether consumers are told of the range. */
static inline bool publish_wants(const struct jf_range *range)
{
	return (range->row_count || range->lazy) && range->backend == jf_backend_host();
}

extern const struct publish_consumer jf_publish_cfi;
extern const struct publish_consumer jf_publish_gdb;
extern const struct publish_consumer jf_publish_libunwind;
extern const struct publish_consumer jf_publish_perf_dump;
extern const struct publish_consumer jf_publish_perf_map;

#endif
