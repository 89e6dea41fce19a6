/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/perf_stream.h"
#include "run/code_room.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* perf-PID.map: a line "START SIZE NAME" for each range, in hexadecimal. Other JITs of the process append to it. */

static enum jf_status open_map(int *fd, struct jf_error *error)
{
	return jf_perf_file_open("perf-%d.map", PERF_FILE_APPENDED, fd, error);
}

static void put_line(struct out *out, const struct jf_range *range)
{
	char numbers[2 * 16 + 3];

	snprintf(numbers, sizeof(numbers), "%" PRIx64 " %" PRIx64 " ", range->start, range->end - range->start);
	jf_out_put(out, numbers, strlen(numbers));
	/* A name stays in its line. */
	for (const char *c = range->name; *c; c++)
		jf_out_number(out, *c == '\n' ? ' ' : (uint8_t)*c, 1);
	jf_out_number(out, '\n', 1);
}

static struct perf_stream map = {.open = open_map, .put = put_line, .fd = -1};

/* perf looks into a map for code in memory without a name, and the memory that programs share has one. */
static enum jf_status begin(struct jf_error *error)
{
	enum jf_status status = jf_perf_stream_begin(&map, error);

	if (status == JF_OK)
		code_room_keep_apart(true);
	return status;
}

static size_t added(const struct jf_range *ranges, size_t count)
{
	return jf_perf_stream_added(&map, ranges, count);
}

static size_t removed(const struct jf_range *ranges, size_t count)
{
	(void)ranges;
	return jf_perf_stream_removed(&map, count);
}

static void end(void)
{
	jf_perf_stream_end(&map);
	code_room_keep_apart(false);
}

const struct publish_consumer jf_publish_perf_map = {begin, added, removed, end};
