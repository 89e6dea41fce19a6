/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_ARCH_H
#define JF_TESTS_ARCH_H

#include <jitframe/backend.h>

/*
 * What tests need to know of one architecture: tests/arch/ARCH.c. The facts are written out there and not taken from
 * the backend: what tests hold a backend to is not to lean on the backend.
 */

/* Bit of rule Rn. */
#define RULE(n) (UINT32_C(1) << (n))

/* ---- conventions --------------------------------------------------------------------------------------------- */

struct arch_convention {
	const char *name;
	const char *unsaved; /* registers of the ABI that a boundary does not save (R3), a blank behind each */
	uint32_t broken;     /* RULE() of those that the description alone breaks */
	/* RULE() of those that a callback with tail calls leaves open, beside the save set: what its code breaks where
	 * C has used a register. */
	uint32_t callback_leaves;
};

/* What not every convention can run; a scenario of tests/exec that needs what its target lacks has to be refused. */
enum {
	RUNS_PRIVATE_STACK = 1,
	RUNS_OUT_ARGS = 2,   /* arguments after the fifth, in registers or on the stack */
	RUNS_C_OUT_ARGS = 4, /* such arguments on the stack for C code */
	RUNS_PER_CPU = 8,    /* per-CPU addresses */
	RUNS_ALL = 15,
	EMITS_PER_CPU = 16, /* code with per-CPU addresses, to be run elsewhere */
};

/* A convention that scenarios of tests/exec run on, with options of the compiler. */
struct exec_target {
	const char *suite;            /* of the tests' names: "ARCH_user" */
	const char *name;             /* "ARCH/user" */
	unsigned int result_bits;     /* of R0 that reach the caller: 64, or 32 with their sign */
	unsigned int stack_max_bytes; /* larger BPF stacks are refused */
	bool landing_pads;
	bool sign_return;
	unsigned int has;     /* RUNS_ */
	unsigned int unsaved; /* callee-saved registers that a boundary does not save (R3), of those that C uses */
};

/* ---- machine code -------------------------------------------------------------------------------------------- */

/* Where machine code goes: appended to *at, below *end. */
struct assembler {
	uint8_t *at, *end;
};
/* returns: false, with nothing put, when there is no room. */
bool assembler_put(struct assembler *as, const uint8_t *bytes, size_t count);
bool assembler_put_word(struct assembler *as, uint32_t word);
bool assembler_fits(int32_t value, int32_t low, int32_t high);

/*
 * A few instructions, by register id. Each returns false, with nothing put, when it does not fit or cannot be encoded.
 */
struct arch_assembler {
	bool (*memory)(struct assembler *as, bool store, uint8_t reg, uint8_t base, int32_t off);
	bool (*add)(struct assembler *as, uint8_t reg, uint8_t from, int32_t imm); /* reg = from + imm */
	bool (*call)(struct assembler *as, uint8_t reg);
	bool (*leave)(struct assembler *as); /* returns */
};

/*
 * Where instructions have immediates and registers. Formats are not told apart: whether a field is one of
 * this instruction's is seen from what the decoder says when it is changed.
 */
struct arch_field {
	uint8_t bit; /* of a 32-bit word; for the variable-length ones, of the last byte, */
	uint8_t bits;
	uint8_t back;       /* with the field starting so many bytes before the end (0: a word's) */
	uint8_t scale_log2; /* of an immediate */
};

/* Code of a linker and a vDSO that comes without rows. */
struct arch_known_code {
	const uint32_t *words; /* NULL: the architecture has none */
	size_t count;
	/* By word: '-' no row, '0' as at a function's entry, 'p' two registers pushed, 's' a trampoline's. */
	const char *rows;
	size_t cut_count; /* so many of the words end in the middle of an entry */
	const char *cut_rows;
};

/* ---- one architecture ---------------------------------------------------------------------------------------- */

struct arch {
	const char *name;
	const struct arch_convention *conventions;
	size_t convention_count;
	const struct exec_target *exec_targets;
	size_t exec_target_count;

	struct arch_assembler assembler;
	struct arch_field imms[8], regs[6]; /* bits 0: no more */
	uint8_t nop[4];
	uint8_t nop_bytes;
	struct arch_known_code known_code;
	/* Beginnings of the names of instructions that nothing may execute by chance; NULL behind the last. */
	const char *const *dangerous;
	/* Words that chance alone hardly finds: with the first two of `regs`, and nothing else, to vary. */
	const uint32_t *rare;
	size_t rare_count;

	bool clang_rows_untrue; /* LLVM 19 leaves epilogues out of .eh_frame */
	/* Debian's C library and libgcc have next to no .eh_frame: walks end with JF_E_NO_ROW where they come there. */
	bool libraries_lack_rows;

	/* What the conventions have in common beyond the description. */
	const char *count_reg; /* carries the tail-call count to callees */
	bool record_stays;     /* in a tail call, as part of the next program's frame */
	bool count_is_pointer; /* at a tail call too, where others hand on what came in */
	bool count_by_value;   /* everywhere; callees hand it back in the same register */
	unsigned int count_start;
	/* tests/size: the newest kernel that can be captured lays out frames in another way than `linux` does. */
	bool captures_are_older;
	/* Of all mutants that the catalogue makes of the conventions, those that the checker calls undecided. */
	unsigned int undecided_max;
	/* Those that it does not see because a prologue branches: it follows both ways, and does not ask which way
	 * belongs to a count and which to the address of one. */
	unsigned int unseen_max;
};

/* returns: NULL when tests/arch has no file for the architecture. */
const struct arch *arch_named(const char *name);
/* returns: the facts of one convention; all zero when tests/arch has none. */
struct arch_convention arch_convention(const struct jf_convention *conv);

#endif
