/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_H
#define JF_PUBLISH_H

#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/*
 * Tells others what the code map holds: whoever unwinds, debugs or profiles this process then sees the frames of
 * generated code. What is told of are the ranges of this host's architecture that have rows, or are asked for rows
 * (struct jf_lazy_rows): programs of jf_load(), and ranges of jf_code_map_add(). Nothing is told of before
 * jf_publish_start(); registering a range costs one load from memory more then.
 *
 *     jf_publish_start(JF_PUBLISH_CFI, &error);      C++ exceptions pass through frames from here on
 *
 * Ranges that are in the map at the start are told of by the start, later ones by whoever registers them, before
 * jf_load() or jf_code_map_add() returns. A range that is removed is taken back before jf_unload() or
 * jf_code_map_remove() returns.
 */
enum jf_publish {
	JF_PUBLISH_CFI = 1 << 0,       /* DWARF CFI, to the unwinder of C++ exceptions: libgcc's and LLVM's */
	JF_PUBLISH_GDB = 1 << 1,       /* an ELF file in memory, to a debugger that is or comes attached */
	JF_PUBLISH_PERF_MAP = 1 << 2,  /* names, in /tmp/perf-PID.map */
	JF_PUBLISH_PERF_DUMP = 1 << 3, /* names, code and unwind tables, in a jitdump file for `perf inject --jit` */
	JF_PUBLISH_LIBUNWIND = 1 << 4, /* CFI, to nongnu's libunwind (libunwind.so.8), once the process has loaded it */
};

/*
 * Starts consumers: each bit of `consumers` is one of enum jf_publish. Each is counted: a consumer that was started
 * twice stops at the second jf_publish_stop().
 * in:  error may be NULL; error->where is the name of the consumer concerned: "cfi", "gdb", "perf",
 *      "libunwind".
 * returns: JF_E_INVAL (no bit, or one that is none of enum jf_publish); JF_E_UNSUPPORTED (this process has nobody to
 *      tell, or the consumer's file cannot be made: error->text has its path); JF_E_IN_SECTION (this thread is in a
 *      reader section); JF_E_NO_MEMORY. No consumer was started then. A range that could not be told of does not fail
 *      the start: jf_publish_count() counts such ranges.
 * threads: any, outside of signal handlers, reader sections and constructors of libraries that another thread may be
 *      loading: takes locks, allocates, may load a library. A child of fork() goes on as the parent does.
 */
JF_API JF_CHECK enum jf_status jf_publish_start(uint32_t consumers, struct jf_error *error);

/*
 * Stops consumers that were started. What the last stop of a consumer takes back is as after the removal of each range:
 * no thread may be unwinding through the code meanwhile. At the end of the process nothing has to be stopped.
 * returns: JF_E_INVAL (as jf_publish_start()); JF_E_NOT_FOUND (one of the consumers is not started; none is stopped);
 *      JF_E_IN_SECTION.
 * threads: as jf_publish_start().
 */
JF_API JF_CHECK enum jf_status jf_publish_stop(uint32_t consumers);

/*
 * Where the files of JF_PUBLISH_PERF_MAP and JF_PUBLISH_PERF_DUMP go that are opened from here on: by a start, and in
 * a child of fork(). "/tmp" at first. `perf` itself looks for a map in /tmp alone; it finds a dump anywhere.
 * The folder may be one where anybody writes: a file with another owner, a link or a device of the file's name is
 * refused. A map that this user has there already is appended to, for other JITs of the process write to it, too; a
 * dump is replaced. perf needs the files behind the end of the process, so nobody removes them.
 * in:  path = at most 200 bytes, copied. returns: JF_E_INVAL (NULL, empty, longer).
 * threads: any, but not while another thread starts consumers.
 */
JF_API JF_CHECK enum jf_status jf_publish_folder_set(const char *path);

/* What one consumer knows. */
struct jf_publish_counts {
	uint32_t size;   /* sizeof(struct jf_publish_counts) */
	uint32_t starts; /* that were not stopped */
	uint64_t ranges; /* in the code map, and told of */
	/* Since the first start: ranges of which the consumer could not be told, for want of memory, or of rows that
	 * the consumer's form cannot say. Registering such a range succeeds: the code runs, walks, throws. */
	uint64_t refused;
};

/*
 * in:  consumer: one bit of enum jf_publish; counts->size is set, and all behind the library's own fields is 0.
 * returns: JF_E_INVAL (NULL, several bits or none, counts of another header). threads: any, async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_publish_count(enum jf_publish consumer, struct jf_publish_counts *counts);

/* "cfi", "gdb", "perf-map", "perf-dump", "libunwind"; "?" for what is not one bit of enum jf_publish. owns: static.
 * threads: any, async-signal-safe. */
JF_API const char *jf_publish_name(enum jf_publish consumer);

/*
 * A list of names, as "cfi,gdb": for options and environment variables. "perf" stands for "perf-map,perf-dump".
 * in:  error may be NULL; error->where is the name that is none.
 * out: *consumers, on JF_OK only: for jf_publish_start().
 * returns: JF_E_INVAL (NULL, or an empty list); JF_E_NOT_FOUND (a name that is none). threads: any, no shared state.
 */
JF_API JF_CHECK enum jf_status jf_publish_parse(const char *list, uint32_t *consumers, struct jf_error *error);

JF_END_DECLS

#endif
