/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CODEMAP_SECTION_H
#define JF_CODEMAP_SECTION_H

#include <jitframe/codemap.h>

#include <stdatomic.h>

/* Returns when every reader section that was open at the call has been left. One thread at a time. */
void jf_code_map_wait(void);

/* Whether this thread is inside a section, as far as that is known: waiting for readers, it would wait for itself. */
bool jf_code_map_in_section(void);

/* Counted up after each change of what look-ups find. */
extern _Atomic(uint64_t) jf_code_map_age;

/* Whether readers order their own memory accesses (else a system call of the waiting thread does it for them).
 * Decided by the first waiting thread; tests turn it on while nothing else runs. */
extern atomic_bool jf_code_map_fences;

#endif
