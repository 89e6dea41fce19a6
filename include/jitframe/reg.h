/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_REG_H
#define JF_REG_H

#include <jitframe/types.h>

/*
 * A machine register is named by its id: the index into its backend's table. Other number spaces
 * are fields and carry their name: hw = as instruction fields encode it, dw = DWARF number.
 */
#define JF_REG_NONE 0xff
#define JF_REGS_MAX 80

enum jf_reg_class {
	JF_REG_INT,
	JF_REG_FP,      /* what the ABI keeps of it is size_bytes wide: 8 for arm64's d8-d15 */
	JF_REG_CONTROL, /* x86_64: MXCSR and the x87 control word */
};

enum {
	JF_REG_CALLEE_SAVED = 1 << 0, /* by the platform's user-space ABI, sp and ra excluded */
	JF_REG_RESERVED = 1 << 1,     /* the ABI forbids its use (thread pointer, platform register) */
};

/* A control register takes no arbitrary value. These are values that it does take. */
struct jf_control_reg {
	uint16_t at_start; /* as a process begins */
	uint16_t other;    /* one that differs from that in what a callee keeps */
	uint16_t kept;     /* the bits that a callee keeps */
};

struct jf_reg {
	const char *name;
	uint8_t id; /* equals the index; kept for tests that hold the table to it */
	uint8_t hw;
	uint8_t dw;
	uint8_t cls;        /* enum jf_reg_class */
	uint8_t size_bytes; /* what a save slot has to hold */
	uint8_t flags;
	const struct jf_control_reg *control; /* JF_REG_CONTROL; else NULL */
};

#endif
