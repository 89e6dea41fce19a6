/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CONFORMANCE_TARGET_H
#define JF_CONFORMANCE_TARGET_H

#include <limits.h>
#include <stdbool.h>

/*
 * Programs that are built for each architecture as NAME-ARCH, and how this host starts them: as they are,
 * or through an emulator. JITFRAME_RUNNER_PATH names folders, or tools/runner of build directories;
 * JITFRAME_QEMU_ARCH a command to go in front.
 */
struct target {
	char program[PATH_MAX];
	char emulator[PATH_MAX]; /* words apart by blanks; empty: none */
};

/*
 * Looks there, and in the build directories beside that of the running program. folder: where they have
 * it, "tools/x". returns: false, and a message on standard error, when there is no such program.
 */
bool target_find(struct target *target, const char *arch, const char *name, const char *folder);
/* Puts emulator and program into argv, which then points into *target. returns: how many words. */
unsigned int target_words(struct target *target, const char **argv, unsigned int capacity);

#endif
