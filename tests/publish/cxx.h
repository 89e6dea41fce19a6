/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PUBLISH_CXX_H
#define JF_TESTS_PUBLISH_CXX_H

#include <stdint.h>

/* What C++ does in these tests. It includes no header of the C++ library, so that the library itself is enough. */

#ifdef __cplusplus
extern "C" {
#endif

/* Objects with a destructor that ran. */
extern int cxx_destroyed;

/* Throws an int, past an object. */
uint64_t cxx_throw(uint64_t value);
/* Calls on, with an object in its frame. */
uint64_t cxx_between(uint64_t (*call)(uint64_t), uint64_t arg);
/* Calls on. returns: the int that was thrown; -1: nothing was; -2: a callee-saved register was lost on the way. */
int cxx_catch(uint64_t (*call)(uint64_t), uint64_t arg);

#ifdef __cplusplus
}
#endif

#endif
