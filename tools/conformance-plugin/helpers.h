/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CONFORMANCE_HELPERS_H
#define JF_CONFORMANCE_HELPERS_H

#include <jitframe/program.h>

/*
 * Helpers as the suite's programs call them:
 *   0  the low bytes of R1-R5, R1's highest, as one number
 *   1  exclusive-ors R2 bytes at R1 with 42, returns 0
 *   2  does nothing but to overwrite what a callee may, returns 0
 *   3  the square root of R1, rounded down
 *   4  compares the strings at R1 and R2 as strcmp() does
 *   5  R1
 */
#define HELPER_COUNT 6
extern struct jf_import helpers[HELPER_COUNT];
extern struct jf_import helper_by_register; /* the register has the helper's number */
void helpers_init(void);

#endif
