/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_RISCV64_REGS_H
#define JF_BACKEND_RISCV64_REGS_H

/*
 * Names, and which registers a callee keeps: RISC-V ELF psABI, "Integer Register Convention" and "Floating-point
 * Register Convention" (LP64D). The enum of riscv64.h, regs.c, frame.c and native.S are made of these lists.
 *
 * Register ids: 0..31 are the integer registers, id == hardware number; 32..63 are the floating-point registers,
 * id == 32 + hardware number. These are also the DWARF numbers of the psABI.
 */
#define RV_ID_RA     1
#define RV_ID_SP     2
#define RV_ID_FP     8
#define RV_REG_COUNT 64

/* clang-format off */
/* X(enumerator, name, id): kept. s0 is the frame pointer. */
#define RV_KEPT_INT(X)                                                                                           \
	X(RV_S0, s0, 8) X(RV_S1, s1, 9) X(RV_S2, s2, 18) X(RV_S3, s3, 19) X(RV_S4, s4, 20) X(RV_S5, s5, 21)      \
	X(RV_S6, s6, 22) X(RV_S7, s7, 23) X(RV_S8, s8, 24) X(RV_S9, s9, 25) X(RV_S10, s10, 26) X(RV_S11, s11, 27)
#define RV_KEPT_FP(X)                                                                                            \
	X(RV_FS0, fs0, 40) X(RV_FS1, fs1, 41) X(RV_FS2, fs2, 50) X(RV_FS3, fs3, 51)                              \
	X(RV_FS4, fs4, 52) X(RV_FS5, fs5, 53) X(RV_FS6, fs6, 54) X(RV_FS7, fs7, 55)                              \
	X(RV_FS8, fs8, 56) X(RV_FS9, fs9, 57) X(RV_FS10, fs10, 58) X(RV_FS11, fs11, 59)

/* A callee may overwrite them. */
#define RV_FREE_INT(X)                                                                                           \
	X(RV_T0, t0, 5) X(RV_T1, t1, 6) X(RV_T2, t2, 7) X(RV_A0, a0, 10) X(RV_A1, a1, 11) X(RV_A2, a2, 12)       \
	X(RV_A3, a3, 13) X(RV_A4, a4, 14) X(RV_A5, a5, 15) X(RV_A6, a6, 16) X(RV_A7, a7, 17) X(RV_T3, t3, 28)    \
	X(RV_T4, t4, 29) X(RV_T5, t5, 30) X(RV_T6, t6, 31)
#define RV_FREE_FP(X)                                                                                            \
	X(RV_FT0, ft0, 32) X(RV_FT1, ft1, 33) X(RV_FT2, ft2, 34) X(RV_FT3, ft3, 35)                              \
	X(RV_FT4, ft4, 36) X(RV_FT5, ft5, 37) X(RV_FT6, ft6, 38) X(RV_FT7, ft7, 39)                              \
	X(RV_FA0, fa0, 42) X(RV_FA1, fa1, 43) X(RV_FA2, fa2, 44) X(RV_FA3, fa3, 45)                              \
	X(RV_FA4, fa4, 46) X(RV_FA5, fa5, 47) X(RV_FA6, fa6, 48) X(RV_FA7, fa7, 49)                              \
	X(RV_FT8, ft8, 60) X(RV_FT9, ft9, 61) X(RV_FT10, ft10, 62) X(RV_FT11, ft11, 63)
/* clang-format on */

#endif
