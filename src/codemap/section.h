/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_SECTION_H
#define JF_CODEMAP_SECTION_H

#include <jitframe/codemap.h>

#include <stdatomic.h>

/* Returns when every reader section that was open at the call has been left. One thread at a time. */
void jf_code_map_wait(void);

/* Whether this thread is known to be inside a section: such a thread would wait for itself if it waited for readers. */
bool jf_code_map_in_section(void);

/* This thread ends: its seat is free. Without the call a seat comes back when somebody needs it. No signal handler of
 * the thread may walk meanwhile. */
void jf_code_map_give_seat(void);

/* Counted up after each change of what look-ups find. */
extern _Atomic(uint64_t) jf_code_map_age;

/* Whether readers order their own memory accesses; false: a system call of the waiting thread orders them. The first
 * waiting thread decides; tests set the flag while no other thread runs. */
extern atomic_bool jf_code_map_fences;

#endif
