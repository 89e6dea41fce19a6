/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PUBLISH_BACK_H
#define JF_TESTS_PUBLISH_BACK_H

#include <stdbool.h>

/* backtrace(3) from the innermost helper, and from signals at any instruction, with the programs of programs.h loaded
 * and published. returns: whether each has all frames of generated code, and reaches the C code that runs them. */
bool backtrace_goes_to_the_end(void);
bool backtrace_from_a_signal_goes_to_the_end(void);

#endif
