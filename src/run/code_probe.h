/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_CODE_PROBE_H
#define JF_RUN_CODE_PROBE_H

#include <jitframe/backend.h>

/*
 * Whether programs can share regions here. Found out once, at the first load: a program is written to a region and run,
 * another one is written over it and run. Emulators and instrumenting tools that keep translations of code, and
 * look for writes at the code's own address alone, run the old program then: there, and where no region can be made,
 * each program gets pages of its own.
 */
bool code_probe(const struct jf_convention *conv);

#endif
