/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_LOONGARCH64_REGS_H
#define JF_BACKEND_LOONGARCH64_REGS_H

/*
 * Names, and which registers a callee keeps: LoongArch psABI, "Register Convention" (LP64D). The enum of
 * loongarch64.h, regs.c, frame.c and native.S are made of these lists.
 *
 * Register ids: 0..31 are the integer registers, id == hardware number; 32..63 are the floating-point
 * registers, id == 32 + hardware number. These are also the DWARF numbers of the LoongArch psABI.
 */
#define LA_ID_RA     1
#define LA_ID_SP     3
#define LA_ID_FP     22
#define LA_REG_COUNT 64

/* clang-format off */
/* X(enumerator, name, id): kept. */
#define LA_KEPT_INT(X)                                                                                           \
	X(LA_FP, fp, LA_ID_FP) X(LA_S0, s0, 23) X(LA_S1, s1, 24) X(LA_S2, s2, 25) X(LA_S3, s3, 26) X(LA_S4, s4, 27)    \
	X(LA_S5, s5, 28) X(LA_S6, s6, 29) X(LA_S7, s7, 30) X(LA_S8, s8, 31)
#define LA_KEPT_FP(X)                                                                                            \
	X(LA_FS0, fs0, 56) X(LA_FS1, fs1, 57) X(LA_FS2, fs2, 58) X(LA_FS3, fs3, 59)                              \
	X(LA_FS4, fs4, 60) X(LA_FS5, fs5, 61) X(LA_FS6, fs6, 62) X(LA_FS7, fs7, 63)

/* A callee may overwrite them. */
#define LA_FREE_INT(X)                                                                                           \
	X(LA_A0, a0, 4) X(LA_A1, a1, 5) X(LA_A2, a2, 6) X(LA_A3, a3, 7) X(LA_A4, a4, 8) X(LA_A5, a5, 9)          \
	X(LA_A6, a6, 10) X(LA_A7, a7, 11) X(LA_T0, t0, 12) X(LA_T1, t1, 13) X(LA_T2, t2, 14) X(LA_T3, t3, 15)    \
	X(LA_T4, t4, 16) X(LA_T5, t5, 17) X(LA_T6, t6, 18) X(LA_T7, t7, 19) X(LA_T8, t8, 20)
#define LA_FREE_FP(X)                                                                                            \
	X(LA_FA0, fa0, 32) X(LA_FA1, fa1, 33) X(LA_FA2, fa2, 34) X(LA_FA3, fa3, 35)                              \
	X(LA_FA4, fa4, 36) X(LA_FA5, fa5, 37) X(LA_FA6, fa6, 38) X(LA_FA7, fa7, 39)                              \
	X(LA_FT0, ft0, 40) X(LA_FT1, ft1, 41) X(LA_FT2, ft2, 42) X(LA_FT3, ft3, 43)                              \
	X(LA_FT4, ft4, 44) X(LA_FT5, ft5, 45) X(LA_FT6, ft6, 46) X(LA_FT7, ft7, 47)                              \
	X(LA_FT8, ft8, 48) X(LA_FT9, ft9, 49) X(LA_FT10, ft10, 50) X(LA_FT11, ft11, 51)                          \
	X(LA_FT12, ft12, 52) X(LA_FT13, ft13, 53) X(LA_FT14, ft14, 54) X(LA_FT15, ft15, 55)
/* clang-format on */

#endif
