/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PUBLISH_LAZY_H
#define JF_TESTS_PUBLISH_LAZY_H

#include <jitframe/jitframe.h>

/* Registers a function that calls programs_run(), and whose rows are asked for: once at the registration. */
bool lazy_add(void);
bool lazy_remove(void);
/* Calls the function. */
uint64_t lazy_run(uint64_t arg);

#endif
