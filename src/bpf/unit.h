/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BPF_UNIT_H
#define JF_BPF_UNIT_H

#include "bpf/isa.h"

/* Per BPF instruction, in struct jf_unit.flags. */
enum {
	JF_INSN_FORM = 3,            /* the form that its branch needs at least, see jf_body_branch() */
	JF_INSN_SECOND = 1 << 2,     /* second half of a 16-byte instruction: no jump may go here */
	JF_INSN_TARGET = 1 << 3,     /* a jump goes here */
	JF_INSN_ARENA = 1 << 4,      /* accesses memory through an arena pointer */
	JF_INSN_UPPER_DEAD = 1 << 5, /* as in struct jf_op */
	JF_INSN_PAD = 1 << 6,        /* a clean-up pad begins here */
	JF_INSN_IN_PAD = 1 << 7,     /* only clean-up pads come here */
};

/* One function while it is being compiled. */
struct jf_unit {
	const struct jf_function *function;
	uint32_t *insn_off; /* insn_count + 1; the last one is the epilogue. From this pass up to the
			     * instruction being emitted, from the pass before after it */
	uint8_t *flags;
	bool may_goto;
	bool marked;     /* some instruction may have JF_INSN_ARENA or JF_INSN_UPPER_DEAD */
	uint8_t in_args; /* arguments after the fifth that it takes */
	uint32_t site_start, site_count;
	struct jf_cleanups cleanups; /* the program's */
};

static inline unsigned int jf_unit_form(const struct jf_unit *unit, uint32_t index)
{
	return unit->flags[index] & JF_INSN_FORM;
}

static inline void jf_unit_set_form(struct jf_unit *unit, uint32_t index, unsigned int form)
{
	unit->flags[index] = (uint8_t)((unit->flags[index] & ~JF_INSN_FORM) | form);
}

/* Register use of a function, from one look at its instructions. */
struct jf_usage {
	uint16_t bpf_regs;      /* bit per BPF register named anywhere */
	bool reaches_tail_call; /* itself, or what it calls or gives the address of */
	bool throws;            /* calls an import that throws */
	bool resumes;           /* calls an import that ends a clean-up pad */
	bool may_goto;
	bool arena; /* casts or accesses arena pointers */
	bool per_cpu;
	bool calls_register;
	uint8_t late_args; /* bit n: gets argument 5 + n behind a call or an outgoing argument */
	uint8_t in_args;   /* most incoming arguments after the fifth that it gets */
	uint8_t out_args;  /* most outgoing arguments after the fifth that it puts */
	uint32_t calls;    /* with tail calls */
	uint32_t tail_calls;
	bool jumps;
	bool wide;         /* 16-byte instructions */
	bool fp_beside;    /* R10 is named by more than loads and stores of other registers by it; if not: */
	int32_t fp_lowest; /* lowest offset of those */
};

/*
 * Checks the form of every instruction (opcode, register numbers, reserved fields, jump targets, ends)
 * and fills unit->flags and *usage. program NULL: what instructions refer to is not looked at.
 * returns: JF_E_BAD_INSN, JF_E_UNSUPPORTED; the error names function, index and opcode.
 */
enum jf_status jf_unit_check(const struct jf_program *program, struct jf_unit *unit, struct jf_usage *usage,
			     struct jf_error *error);

/*
 * Marks accesses through arena pointers (JF_INSN_ARENA): those whose base register comes from a cast to
 * the arena's form. returns: JF_E_NO_MEMORY.
 */
enum jf_status jf_unit_mark_arena(struct jf_unit *unit);

/* Marks 32-bit operations whose result needs no zero-extension (JF_INSN_UPPER_DEAD). returns: JF_E_NO_MEMORY. */
enum jf_status jf_unit_mark_upper(struct jf_unit *unit);

/* Fills in usage[].reaches_tail_call of `count` checked functions. returns: JF_E_NO_MEMORY. */
enum jf_status jf_units_reach_tail_calls(const struct jf_unit *units, uint32_t count, struct jf_usage *usage);

/*
 * Marks functions that refer to a marked one, by calls or by code addresses, through any number of others. in, out:
 * marked[0, count). returns: JF_E_NO_MEMORY.
 */
enum jf_status jf_units_spread(const struct jf_unit *units, uint32_t count, bool *marked);

/* Finds the functions, of `count` checked ones, that ever return: by an exit or a tail call that their paths come to.
 * in: returns[0, count) = false. returns: JF_E_NO_MEMORY. */
enum jf_status jf_units_find_returns(const struct jf_program *program, const struct jf_unit *units, uint32_t count,
				     bool *returns);

/*
 * Checks the table of clean-up pads of each of `count` checked functions, and what pads do; docs/cleanup.md has the
 * rules. Marks pads with JF_INSN_TARGET and JF_INSN_PAD, all that they reach with JF_INSN_IN_PAD. called: pads run on
 * another stack (JF_CLEANUP_CALLED). returns: JF_E_BAD_INSN, JF_E_NO_MEMORY.
 */
enum jf_status jf_units_check_cleanups(const struct jf_program *program, const struct jf_unit *units, uint32_t count,
				       const struct jf_usage *usage, bool called, struct jf_error *error);
/* The record that holds the instruction. in: a checked table. returns: NULL: none does. */
const struct jf_cleanup *jf_cleanup_of(const struct jf_cleanups *table, uint32_t insn);
/* The record whose pad a throw out of the instruction goes to. returns: NULL: none, or the instruction is no call. */
const struct jf_cleanup *jf_cleanup_of_call(const struct jf_unit *unit, enum jf_op_kind kind, uint32_t insn);
/* The table of one function; its flags have JF_INSN_SECOND. returns: JF_E_BAD_INSN. */
enum jf_status jf_unit_check_cleanup_table(const struct jf_unit *unit, struct jf_error *error);

/* Stack use by unit->flags, *usage and code; see jf_function_stack(). `vague`: what code counts as, at least, whose
 * stack use cannot be followed; up to max. */
uint32_t jf_unit_stack(const struct jf_unit *unit, const struct jf_usage *usage, uint32_t max, uint32_t vague);

#endif
