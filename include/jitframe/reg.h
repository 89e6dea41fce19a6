/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_REG_H
#define JF_REG_H

#include <jitframe/types.h>

/*
 * A machine register is named by its id: the index into its backend's table. Other numbers of a register are fields
 * with a name of their own: hw is the number in instruction fields, dw the DWARF number. Sources: the processor's
 * manual for hw; the architecture's psABI for dw and for what is callee-saved.
 */
#define JF_REG_NONE 0xff /* no register */
#define JF_REGS_MAX 80   /* registers of one backend */

/* Which set of registers a register belongs to. */
enum jf_reg_class {
	JF_REG_INT,
	JF_REG_FP,      /* floating point; the ABI keeps the low size_bytes bytes: 8 for arm64's d8-d15 */
	JF_REG_CONTROL, /* x86_64: MXCSR and the x87 control word */
};

enum {
	JF_REG_CALLEE_SAVED = 1 << 0, /* by the platform's user-space ABI, sp and ra excluded */
	JF_REG_RESERVED = 1 << 1,     /* the ABI forbids its use (thread pointer, platform register) */
	JF_REG_ZERO = 1 << 2,         /* reads as 0, whatever is written */
};

/* A control register takes no arbitrary value. These are values that it does take. */
struct jf_control_reg {
	uint16_t at_start; /* as a process begins */
	uint16_t other;    /* one that differs from that in what a callee keeps */
	uint16_t kept;     /* the bits that a callee keeps */
};

/* A register of a backend's table. */
struct jf_reg {
	const char *name;
	uint8_t id; /* equals the index; jf_backend_check() compares both */
	uint8_t hw;
	uint8_t dw;
	uint8_t cls;                          /* enum jf_reg_class */
	uint8_t size_bytes;                   /* what a save slot has to hold */
	uint8_t flags;                        /* JF_REG_ bits */
	const struct jf_control_reg *control; /* JF_REG_CONTROL; else NULL */
};

#endif
