/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TYPES_H
#define JF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jf_backend;
struct jf_body;
struct jf_call;
struct jf_code;
struct jf_convention;
struct jf_error;
struct jf_frame;
struct jf_image;
struct jf_loaded;
struct jf_op;
struct jf_orc_entry;
struct jf_orc_format;
struct jf_orc_index;
struct jf_program;
struct jf_range;
struct jf_row;
struct jf_source_line;

/* BPF register numbers. Sources: RFC 9669, sections 3 and 4; Linux's BPF_REG_AX. */
enum jf_bpf_reg {
	JF_BPF_R0,
	JF_BPF_R1,
	JF_BPF_R2,
	JF_BPF_R3,
	JF_BPF_R4,
	JF_BPF_R5,
	JF_BPF_R6,
	JF_BPF_R7,
	JF_BPF_R8,
	JF_BPF_R9,
	JF_BPF_FP, /* R10, the read-only frame pointer */
	JF_BPF_AX, /* scratch that only rewritten code uses (timed may_goto) */
	JF_BPF_REG__COUNT
};

/* What a conditional jump asks of its operands. */
enum jf_cond {
	JF_COND_EQ,
	JF_COND_NE,
	JF_COND_GT, /* unsigned */
	JF_COND_GE,
	JF_COND_LT,
	JF_COND_LE,
	JF_COND_SGT,
	JF_COND_SGE,
	JF_COND_SLT,
	JF_COND_SLE,
	JF_COND_SET, /* (dst & operand) != 0 */
	JF_COND__COUNT
};

#endif
