/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_PRINT_H
#define TESTS_RANDOM_PRINT_H

#include <stdio.h>

#include <jitframe/program.h>

/* One line for each instruction: its index, its bytes, and what it means in Linux's notation. */
void print_program(FILE *file, const struct jf_program *program);

#endif
