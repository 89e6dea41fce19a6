/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_X86_64_REGS_H
#define JF_BACKEND_X86_64_REGS_H

/*
 * Which registers a callee keeps: System V Application Binary Interface, AMD64 Architecture Processor Supplement,
 * version 1.0, section 3.2.1 and figure 3.4; DWARF numbers: figure 3.36. regs.c, frame.c and native.S are made of
 * these lists.
 *
 * Register ids. 0..15 are the numbers that instruction fields hold (Intel SDM, volume 2, table 3-1);
 * 16 is the return address that a call pushes, under the name DWARF gives it.
 */
#define RAX        0
#define RCX        1
#define RDX        2
#define RBX        3
#define RSP        4
#define RBP        5
#define RSI        6
#define RDI        7
#define R8         8
#define R9         9
#define R10        10
#define R11        11
#define R12        12
#define R13        13
#define R14        14
#define R15        15
#define RIP        16
#define MXCSR      17
#define FCW        18
#define REG__COUNT 19

/* clang-format off */
/* X(id, name, DWARF number): kept, in the order of the save area of `user` frames. */
#define KEPT_INT(X)                                                                                        \
	X(RBP, rbp, 6) X(RBX, rbx, 3) X(R13, r13, 13) X(R14, r14, 14) X(R15, r15, 15) X(R12, r12, 12)

/*
 * X(id, name, DWARF number, bytes, store, load): kept control words, and the instructions that move them. Of MXCSR and
 * the x87 control word the ABI keeps the control bits; the status bits of MXCSR are the callee's.
 */
#define KEPT_CONTROL(X)                                                                                    \
	X(MXCSR, mxcsr, 64, 4, stmxcsr, ldmxcsr) X(FCW, fcw, 65, 2, fnstcw, fldcw)

/* X(id, name, DWARF number): a callee may overwrite them. No vector register is kept either. */
#define FREE_INT(X)                                                                                        \
	X(RAX, rax, 0) X(RCX, rcx, 2) X(RDX, rdx, 1) X(RSI, rsi, 4) X(RDI, rdi, 5)                         \
	X(R8, r8, 8) X(R9, r9, 9) X(R10, r10, 10) X(R11, r11, 11)
/* clang-format on */

#endif
