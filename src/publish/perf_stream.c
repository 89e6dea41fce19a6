/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/perf_stream.h"

#include "codemap/watch.h"

#include <unistd.h>

enum jf_status jf_perf_stream_begin(struct perf_stream *stream, struct jf_error *error)
{
	stream->pid = getpid();
	stream->held = 0;
	return stream->open(&stream->fd, error);
}

static bool append(struct perf_stream *stream, const struct jf_range *ranges, size_t count)
{
	struct out out = {.size = 0};
	bool done;

	for (size_t i = 0; i < count; i++)
		stream->put(&out, &ranges[i]);
	done = stream->fd >= 0 && jf_perf_file_write(stream->fd, &out);
	jf_out_free(&out);
	stream->held += done ? count : 0;
	return done;
}

/* Whose file is being made anew; jf_code_map_each() passes nothing on. Under the map's lock. */
static struct perf_stream *renewed;

static void append_again(const struct jf_range *range)
{
	if (publish_wants(range))
		(void)append(renewed, range, 1);
}

/* In a child of fork(): a file of its own, with all that came over. returns: false when there is none. */
static bool renew(struct perf_stream *stream)
{
	close(stream->fd);
	stream->fd = -1;
	if (jf_perf_stream_begin(stream, NULL) != JF_OK) {
		stream->fd = -1;
		return false;
	}
	renewed = stream;
	jf_code_map_each(append_again);
	return true;
}

size_t jf_perf_stream_added(struct perf_stream *stream, const struct jf_range *ranges, size_t count)
{
	/* These ranges are in the map by now. */
	if (stream->pid != getpid())
		return renew(stream) ? 0 : count;
	return append(stream, ranges, count) ? 0 : count;
}

size_t jf_perf_stream_removed(struct perf_stream *stream, size_t count)
{
	uint64_t had = count < stream->held ? count : stream->held;

	stream->held -= had;
	return (size_t)had;
}

void jf_perf_stream_end(struct perf_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}
