/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_REPORT_H
#define JF_RUNNER_REPORT_H

/*
 * What the runner says, as one record per line: a word, then key=value fields apart by single spaces.
 * Numbers marked hex have 0x in front; the text of `error` is the rest of its line. In a frame's name, object, file and
 * text, blanks, "%" and control characters are "%20" and the like.
 *
 *     frame throw= cookie= kind= pc=(hex) sp=(hex) fp=(hex) name= offset= object= insn= file= line= text=
 *           r6=(hex) r7=(hex) r8=(hex) r9=(hex)
 *         (innermost first; as struct jf_backtrace_frame, what is not known left out)
 *     landing throw= callback= sp=(hex) fp=(hex)
 *     result program= r0=(hex) runs=
 *     registers checked= changed=
 *     register name= in=(hex) out=(hex)
 *     private_stacks checks= broken=
 *     published consumer= ranges= refused=
 *     uncaught cookie= why=
 *     error text=
 *     done name= status= signal=
 *         (of a batch alone)
 *
 * A record is one write(), so those of several threads do not mix.
 */

#include <jitframe/status.h>
#include <jitframe/walk.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* runs disagree, a register came back changed, the program faulted */
	EXIT_BAD_INPUT = 2,
	EXIT_UNCAUGHT = 3,
};

/* Until this is called records go to standard output. */
void report_open(int fd);

/* Any thread, async-signal-safe as far as the C library's formatting of plain numbers is. */
void report(const char *fmt, ...) JF_PRINTF(1, 2);

/* An `error` record. returns: EXIT_BAD_INPUT. */
int report_error(const struct jf_error *error);
int report_error_text(const char *fmt, ...) JF_PRINTF(1, 2);

/*
 * From now on an uncaught throw gives an `uncaught` record and the end of the process; with `frames` every throw gives
 * `frame` records, and a `landing` record after the boundary's.
 */
enum jf_status report_throws(bool frames);

/* For throws that are not the library's: whether frames are asked for, the records themselves, and the end of one that
 * nobody catches, which does not return. */
bool report_wants_frames(void);
void report_throw_frame(uint64_t cookie, const struct jf_walk *walk);
void report_throw_landing(uint64_t callback, uint64_t sp, uint64_t fp);
void report_uncaught(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why);

#endif
