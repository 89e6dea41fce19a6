/* SPDX-License-Identifier: BSD-2-Clause */
/* An arena that programs see at an address of their choice: in the middle of 4 GiB, so that no half of a
 * pointer is like the other form's. */
#define ARENA_ADDRESS 0x123456780000
#include "arena.bpf.c"
