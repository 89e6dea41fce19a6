/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_SRC_CODEMAP_H
#define JF_SRC_CODEMAP_H

/* Returns when every reader section that was open at the call has been left. Takes the writers' lock. */
void jf_code_map_wait(void);

#endif
