/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "base/memory.h"
#include "publish/frames.h"
#include "publish/perf_stream.h"
#include "publish/places.h"

#include <jitframe/backend.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * jit-PID.dump: the jitdump form, "JIT interface specification" of Linux's tools/perf/Documentation. For each range
 * come its lines, its unwind tables and its code. `perf record` notes that a page of the file was mapped for execution;
 * `perf inject --jit` finds the file by that, and makes an ELF file of each range.
 */
#define DUMP_MAGIC   0x4a695444u
#define DUMP_VERSION 1
#define HEADER_BYTES 40

enum { RECORD_LOAD = 0, RECORD_DEBUG_INFO = 2, RECORD_CLOSE = 3, RECORD_UNWINDING_INFO = 4 };

static uint64_t load_count; /* every load has its number */
static void *marker;        /* the page of the file; NULL: none */

/* The clock of `perf record -k mono`. */
static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* returns: where it begins, for end_record(). */
static size_t begin_record(struct out *out, uint32_t id)
{
	size_t begun = out->size;

	jf_out_number(out, id, 4);
	jf_out_number(out, 0, 4);
	jf_out_number(out, now(), 8);
	return begun;
}

static void end_record(struct out *out, size_t begun)
{
	jf_out_patch(out, begun + 4, out->size - begun, 4);
}

/* ---- records of a range ----------------------------------------------------------------------------------- */

static void put_place(struct out *out, uint64_t address, const struct jf_source_line *line)
{
	jf_out_number(out, address, 8);
	jf_out_number(out, line->line, 4);
	jf_out_number(out, 0, 4); /* discriminator */
	jf_out_string(out, line->file);
}

static void put_lines(struct out *out, const struct jf_range *range)
{
	size_t begun = begin_record(out, RECORD_DEBUG_INFO), count_at;
	struct place place = {.line = NULL};
	uint64_t count = 0;

	jf_out_number(out, range->start, 8);
	count_at = out->size;
	jf_out_number(out, 0, 8);
	for (uint32_t next = 0; jf_place_next(range, &next, &place); count++)
		put_place(out, place.address, place.line);
	if (!count) {
		out->size = begun;
		return;
	}
	/* perf's table ends at the last entry. */
	put_place(out, range->end, place.line);
	jf_out_patch(out, count_at, count + 1, 8);
	end_record(out, begun);
}

#define POINTER_PCREL_SDATA4   0x1b
#define POINTER_UDATA4         0x03
#define POINTER_DATAREL_SDATA4 0x3b

/* .eh_frame_hdr of the section frames[0, size), which lies at `address`, directly in front of it. */
static void put_search_table(struct out *out, size_t frames, size_t size, uint64_t address)
{
	uint64_t self = address + size;
	size_t count_at;
	uint32_t count = 0;

	jf_out_number(out, 1, 1);
	jf_out_number(out, POINTER_PCREL_SDATA4, 1);
	jf_out_number(out, POINTER_UDATA4, 1);
	jf_out_number(out, POINTER_DATAREL_SDATA4, 1);
	jf_out_number(out, address - (self + 4), 4);
	count_at = out->size;
	jf_out_number(out, 0, 4);
	for (size_t at = 0, bytes; !out->failed && (bytes = jf_get_le32(out->bytes + frames + at)) > 0;
	     at += 4 + bytes) {
		uint64_t start = address + at + 8; /* of the FDE's code, which counts from its own place */

		if (!jf_get_le32(out->bytes + frames + at + 4))
			continue; /* the CIE */
		start += (uint64_t)(int64_t)(int32_t)jf_get_le32(out->bytes + frames + at + 8);
		jf_out_number(out, start - self, 4);
		jf_out_number(out, address + at - self, 4);
		count++;
	}
	jf_out_patch(out, count_at, count, 4);
}

/* perf puts .eh_frame behind the code, at a multiple of 8. */
static void put_frames(struct out *out, const struct jf_range *range)
{
	uint64_t code_bytes = range->end - range->start;
	uint64_t address = range->start + ((code_bytes + 7) & ~(uint64_t)7);
	size_t begun = begin_record(out, RECORD_UNWINDING_INFO), sizes_at = out->size, frames, table;

	for (unsigned int i = 0; i < 3; i++)
		jf_out_number(out, 0, 8);
	frames = out->size;
	if (jf_frames_put(out, &range, 1, address)) { /* none: then the record is not there */
		out->size = begun;
		return;
	}
	table = out->size;
	put_search_table(out, frames, table - frames, address);
	jf_out_patch(out, sizes_at, out->size - frames, 8);
	jf_out_patch(out, sizes_at + 8, out->size - table, 8);
	/* The third one: how much of it the process has in its memory behind the code. Nothing. */
	while ((out->size - begun) % 8 && !out->failed)
		jf_out_number(out, 0, 1);
	end_record(out, begun);
}

static void put_code(struct out *out, const struct jf_range *range)
{
	size_t begun = begin_record(out, RECORD_LOAD);
	uint64_t bytes = range->end - range->start;

	jf_out_number(out, (uint32_t)getpid(), 4);
	jf_out_number(out, (uint32_t)syscall(SYS_gettid), 4);
	jf_out_number(out, range->start, 8);
	jf_out_number(out, range->start, 8);
	jf_out_number(out, bytes, 8);
	jf_out_number(out, load_count++, 8);
	jf_out_string(out, range->name);
	jf_out_put(out, (const void *)(uintptr_t)range->start, bytes);
	end_record(out, begun);
}

static void put_range(struct out *out, const struct jf_range *range)
{
	put_lines(out, range);
	put_frames(out, range);
	put_code(out, range);
}

/* ---- the file --------------------------------------------------------------------------------------------- */

static void put_header(struct out *out)
{
	jf_out_number(out, DUMP_MAGIC, 4);
	jf_out_number(out, DUMP_VERSION, 4);
	jf_out_number(out, HEADER_BYTES, 4);
	jf_out_number(out, jf_backend_host()->elf_machine, 4);
	jf_out_number(out, 0, 4);
	jf_out_number(out, (uint32_t)getpid(), 4);
	jf_out_number(out, now(), 8);
	jf_out_number(out, 0, 8);
}

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void unmap_marker(void)
{
	if (marker)
		jf_unmap(marker, page_bytes());
	marker = NULL;
}

static enum jf_status write_head(int fd, struct jf_error *error)
{
	struct out out = {.size = 0};
	bool done;

	put_header(&out);
	done = jf_perf_file_write(fd, &out);
	jf_out_free(&out);
	if (!done)
		return jf_perf_file_failed("writing a dump", error);
	marker = jf_map(page_bytes(), PROT_READ | PROT_EXEC, fd);
	return marker ? JF_OK : jf_perf_file_failed("mapping a dump for execution", error);
}

static enum jf_status open_dump(int *fd, struct jf_error *error)
{
	enum jf_status status = jf_perf_file_open("jit-%d.dump", PERF_FILE_REPLACED, fd, error);

	if (status != JF_OK)
		return status;
	unmap_marker(); /* in a child of fork(): the parent's */
	load_count = 0;
	status = write_head(*fd, error);
	if (status != JF_OK)
		close(*fd);
	return status;
}

static struct perf_stream dump = {.open = open_dump, .put = put_range, .fd = -1};

static enum jf_status begin(struct jf_error *error)
{
	return jf_perf_stream_begin(&dump, error);
}

static size_t added(const struct jf_range *ranges, size_t count)
{
	return jf_perf_stream_added(&dump, ranges, count);
}

static size_t removed(const struct jf_range *ranges, size_t count)
{
	(void)ranges;
	return jf_perf_stream_removed(&dump, count);
}

static void end(void)
{
	struct out out = {.size = 0};

	if (dump.pid == getpid()) {
		end_record(&out, begin_record(&out, RECORD_CLOSE));
		(void)jf_perf_file_write(dump.fd, &out);
		jf_out_free(&out);
	}
	unmap_marker();
	jf_perf_stream_end(&dump);
}

const struct publish_consumer jf_publish_perf_dump = {begin, added, removed, end};
