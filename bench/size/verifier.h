/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_SIZE_VERIFIER_H
#define JF_BENCH_SIZE_VERIFIER_H

#include <jitframe/program.h>

/*
 * Linux's verifier writes the tests of divisors into the program, in front of each division by a register,
 * and its JITs do without; jitframe's code has them by itself. Where a JIT asks for it, the verifier also writes a
 * zero-extension behind each 32-bit operation whose upper half is used. Takes both out again, so that both sides have
 * one, and moves jumps and calls along. in: a program as the kernel dumps it: calls of its own functions with
 * the distance in `off`. returns: how many instructions are left.
 */
uint32_t verifier_undo(struct jf_insn *insns, uint32_t count);

#endif
