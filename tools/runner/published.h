/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_PUBLISHED_H
#define JF_RUNNER_PUBLISHED_H

#include <jitframe/publish.h>

/* Starts the consumers of a list, as "cfi,gdb"; NULL: none. folder: of perf's files; NULL: the library's choice.
 * returns: as jf_publish_parse() and jf_publish_start(). */
enum jf_status published_start(const char *list, const char *folder, struct jf_error *error);

/* A `published` record for each consumer that was started. */
void published_report(void);

/* As if nothing had been started. */
void published_stop(void);

#endif
