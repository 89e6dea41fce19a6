/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SUPPORT_EACH_CONVENTION_H
#define TESTS_SUPPORT_EACH_CONVENTION_H

#include <jitframe/frame.h>

/*
 * Calls `run` for each convention that this machine can run, in a process of its own each.
 *
 * run: as main(), returns an exit status; `arg` is handed on to `run`
 * returns: an exit status: 0 when there was one convention at least, and all of them gave 0
 */
int each_convention(int (*run)(const struct jf_convention *conv, const void *arg), const void *arg);

#endif
