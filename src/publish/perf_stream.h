/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_PERF_STREAM_H
#define JF_PUBLISH_PERF_STREAM_H

#include "publish/consumer.h"
#include "publish/perf_file.h"

#include <sys/types.h>

/* A file that grows with each range. What is in it stays: both of perf's forms have no way to take a range back. */
struct perf_stream {
	/* Opens the file of this process and writes its head. out: *fd on JF_OK. */
	enum jf_status (*open)(int *fd, struct jf_error *error);
	void (*put)(struct out *out, const struct jf_range *range);
	int fd;        /* -1: none */
	pid_t pid;     /* whose file it is: children of fork() get one of their own */
	uint64_t held; /* ranges in the map that are in the file */
};

enum jf_status jf_perf_stream_begin(struct perf_stream *stream, struct jf_error *error);
/* As `added` and `removed` of struct publish_consumer. */
size_t jf_perf_stream_added(struct perf_stream *stream, const struct jf_range *ranges, size_t count);
size_t jf_perf_stream_removed(struct perf_stream *stream, size_t count);
void jf_perf_stream_end(struct perf_stream *stream);

#endif
