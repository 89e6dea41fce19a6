/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_ARM64_REGS_H
#define JF_ARM64_REGS_H

/*
 * Which registers a callee keeps: AAPCS64, "General-purpose Registers" (x19-x29; x18 is the platform register) and
 * "SIMD and Floating-Point Registers" (of v8-v15 the low 64 bits, d8-d15). regs.c, frame.c and native.S are made of
 * these lists.
 *
 * Register ids: x0-x30 and sp have their hardware numbers, d0-d31 follow.
 */
#define JF_ARM64_FIRST_X 0
#define JF_ARM64_FIRST_D 32

/* clang-format off */
/* Numbers: PAIR(n, n + 1), as STP and LDP take them, and ONE(n). */
#define JF_ARM64_KEPT_X(PAIR, ONE) PAIR(19, 20) PAIR(21, 22) PAIR(23, 24) PAIR(25, 26) PAIR(27, 28) ONE(29)
#define JF_ARM64_KEPT_D(PAIR)      PAIR(8, 9) PAIR(10, 11) PAIR(12, 13) PAIR(14, 15)

/* A callee may overwrite them. */
#define JF_ARM64_FREE_X(PAIR)                                                                                    \
	PAIR(0, 1) PAIR(2, 3) PAIR(4, 5) PAIR(6, 7) PAIR(8, 9) PAIR(10, 11) PAIR(12, 13) PAIR(14, 15) PAIR(16, 17)
#define JF_ARM64_FREE_D(PAIR)                                                                                    \
	PAIR(0, 1) PAIR(2, 3) PAIR(4, 5) PAIR(6, 7) PAIR(16, 17) PAIR(18, 19) PAIR(20, 21) PAIR(22, 23)          \
	PAIR(24, 25) PAIR(26, 27) PAIR(28, 29) PAIR(30, 31)
/* clang-format on */

#endif
