/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_FAULT_H
#define JF_RUN_FAULT_H

#include <jitframe/types.h>

/* Whether jf_fault_handler_install() was called and handlers are there for SIGSEGV and SIGBUS: jitframe's, or others
 * that were put over them. */
bool jf_fault_handler_is_there(void);

#endif
