/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_PERF_FILE_H
#define JF_PUBLISH_PERF_FILE_H

#include "publish/out.h"

#include <jitframe/status.h>

/*
 * Files that perf finds by the process's number: perf-PID.map, jit-PID.dump. They are made in folders where anybody may
 * write: nothing is followed or written over that somebody else may have put there.
 */

/* What is to be done with a file of ours that is there already: of another JIT here, or of a process that is gone. */
enum perf_file_kind { PERF_FILE_APPENDED, PERF_FILE_REPLACED };

/*
 * Opens FOLDER/PREFIX-PID.SUFFIX for appending. in: name = "perf-%d.map". returns: JF_E_UNSUPPORTED with the path and
 * the system's reason; *fd is closed by exec.
 */
enum jf_status jf_perf_file_open(const char *name, enum perf_file_kind kind, int *fd, struct jf_error *error);

/* After a system call that failed. in: what = a path, or what was tried. returns: JF_E_UNSUPPORTED with the reason. */
enum jf_status jf_perf_file_failed(const char *what, struct jf_error *error);

/* Writes all of it. returns: false when the system would not. */
bool jf_perf_file_write(int fd, const struct out *out);

#endif
