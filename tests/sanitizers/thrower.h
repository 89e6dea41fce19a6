/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SANITIZERS_THROWER_H
#define JF_TESTS_SANITIZERS_THROWER_H

#include <jitframe/jitframe.h>

/* A program of this host's `user` convention whose main calls kfunc(R1); what kfunc throws is main's result. */
struct jf_loaded *thrower_load(uint64_t (*kfunc)(uint64_t));

#endif
