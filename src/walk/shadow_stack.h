/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_SHADOW_STACK_H
#define JF_WALK_SHADOW_STACK_H

/*
 * A throw leaves frames, and their return addresses stay on a shadow stack: the boundary's return would fault. So
 * nothing throws in a thread that has a shadow stack.
 * returns: NULL when this thread has none; else the environment variable that starts a process without.
 * threads: any, async-signal-safe.
 */
const char *jf_walk_shadow_stack(void);

#endif
