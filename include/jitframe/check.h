/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_H
#define JF_CHECK_H

#include <jitframe/backend.h>
#include <jitframe/contract.h>

JF_BEGIN_DECLS

/*
 * The contract checker: reads the machine code of one function, follows every path through it with what
 * registers and stack slots hold (constants, what they held when the function was entered, the CFA plus a
 * constant), and judges the rules of contract.h. It believes nothing that an emitter says: only bytes, the
 * convention and the spec go in. docs/checker.md says what each rule's check does and what it takes for granted.
 */

enum jf_check_kind {
	JF_CHECK_FUNCTION,     /* a BPF function: role, options and sizes as the spec says */
	JF_CHECK_CALL_STUB,    /* a stub through which C is called: a frame record, no slots; the spec is ignored */
	JF_CHECK_PRIVATE_STUB, /* a stub that programs call with a convention of its own (R18); the spec is ignored */
	JF_CHECK__COUNT
};

/* What is at an address that the code calls or jumps to. Addresses in no target are C. */
enum jf_target_kind {
	JF_TARGET_C,            /* by the platform ABI */
	JF_TARGET_BPF,          /* a function of the same convention; a call within the code itself is one too */
	JF_TARGET_CALL_STUB,    /* C behind a stub that aligns SP (jf_backend.emit_call_stub) */
	JF_TARGET_PRIVATE_STUB, /* keeps every BPF register but AX, which is its argument and result: timed may_goto */
	JF_TARGET__COUNT
};

struct jf_check_target {
	uint64_t start, end; /* [start, end) */
	uint8_t kind;        /* enum jf_target_kind */
};

/* What is to be checked. All memory is the caller's and only read. Start from JF_CHECK_INPUT_INIT. */
struct jf_check_input {
	uint32_t size; /* sizeof(struct jf_check_input); a larger one with non-zero unknown fields is refused */
	uint32_t kind; /* enum jf_check_kind */
	const struct jf_convention *conv;
	const uint8_t *bytes; /* the function's code, from its first instruction ... */
	size_t byte_count;    /* ... to its last; at most JF_CHECK_BYTES_MAX */
	uint64_t address;     /* where bytes[0] runs: for calls to targets; 0 is fine when there are none */
	struct jf_frame_spec spec;
	/* Of a callback: the boundary that it lands in. NULL: every boundary of the convention, all options, small
	 * and large; what does not hold for one of them does not hold. Ignored for other roles. */
	const struct jf_frame_spec *boundary;
	/*
	 * Places that the code's author knows, as bytes from bytes[0], each JF_MARK_UNSET when not known. BODY:
	 * what holds at calls has to hold there too, so that a frame without calls is judged. EPILOGUE: R14 compares
	 * with R0 as it is there. TAIL_ENTRY: held against jf_tail_entry_off(), which is what unset means.
	 */
	uint32_t marks[JF_MARK__COUNT];
	/* Rows to be judged (R10, R17): sorted by code_off. slots: what their `saved` refers to. NULL: none. */
	const struct jf_row *rows;
	size_t row_count;
	const struct jf_slot *slots;
	uint8_t slot_count;                    /* at most 32 */
	const struct jf_check_target *targets; /* NULL: none */
	size_t target_count;
	/* What this function's own prologue has to load (of an image's function: private_stack_off is in it); NULL: any
	 * constant will do. */
	const struct jf_values *values;
	/* Places that a body would jump to, in code that has none, as bytes from bytes[0]: what holds at the mark BODY
	 * comes in there. The tail exit that jf_frame_emit() puts behind the epilogue is one. NULL: none. */
	const uint32_t *from_body;
	size_t from_body_count;
};
/* clang-format off */
#define JF_CHECK_INPUT_INIT                                                                   \
	{                                                                                     \
		.size = sizeof(struct jf_check_input), .spec = JF_FRAME_SPEC_INIT, .marks = { \
			JF_MARK_UNSET,                                                        \
			JF_MARK_UNSET,                                                        \
			JF_MARK_UNSET                                                         \
		}                                                                             \
	}
/* clang-format on */
#define JF_CHECK_BYTES_MAX (16u << 20)

enum jf_verdict {
	JF_VERDICT_NOT_APPLICABLE, /* nothing in this function that the rule speaks of */
	JF_VERDICT_HOLDS,
	JF_VERDICT_UNDECIDED, /* the finding says what could not be followed */
	JF_VERDICT_BROKEN,
	JF_VERDICT__COUNT
};

#define JF_RULE_COUNT       18
#define JF_CHECK_NO_OFF     UINT32_MAX
#define JF_FINDING_TEXT_MAX 224

/* Why a rule is broken or undecided, at one place. */
struct jf_finding {
	uint8_t rule;      /* 1..18; 0: the code cannot be followed further, so no rule can be said to hold */
	uint8_t verdict;   /* enum jf_verdict: BROKEN or UNDECIDED */
	uint32_t code_off; /* of the instruction, from bytes[0]; JF_CHECK_NO_OFF: none in particular */
	const char *name;  /* the instruction's mnemonic, static; NULL: none */
	/* One sentence with place and state: "at +0x24 `st.d` stores to CFA-24, the save slot of s0". */
	char text[JF_FINDING_TEXT_MAX];
};

/*
 * The caller sets findings and finding_capacity (NULL and 0: verdicts alone); the rest is filled in.
 * Findings come in the order of the code, those of no particular place first; per instruction and rule one.
 */
struct jf_check_report {
	struct jf_finding *findings;
	size_t finding_capacity;
	size_t finding_count;                 /* how many there are, also those that did not fit; at most 1024 */
	uint8_t verdicts[JF_RULE_COUNT + 1];  /* enum jf_verdict, by rule number; [0] is the worst of all */
	size_t insn_count;                    /* instructions that can be reached */
	size_t call_count;                    /* of them, calls */
	uint32_t exit_count, tail_exit_count; /* of them, returns and tail-call exits */
};

/*
 * Checks one function.
 * out: *report on JF_OK, which says that the check was done, not that the rules hold: see report->verdicts[0].
 * returns: JF_E_INVAL (NULL, unknown kind, an input from a newer header, byte_count 0 or over the limit, rows
 *      unsorted or without slots), JF_E_UNSUPPORTED (the backend has no decoder, or the convention no such role),
 *      JF_E_BAD_SPEC, JF_E_BAD_DESC (as jf_frame_solve()), JF_E_NO_MEMORY. Bytes that are no code are findings.
 *      error->where names the field.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_check(const struct jf_check_input *input, struct jf_check_report *report,
					struct jf_error *error);

/* Whether no rule is broken and none undecided. Any thread. */
JF_API bool jf_check_passed(const struct jf_check_report *report);

/*
 * Derives unwind rows from the code itself, for code that comes without: what jf_code_map_add() wants. Where
 * the CFA or the return address is not known, and at bytes that no path reaches, rows have JF_ROW_UNKNOWN.
 * in:  input as for jf_check(); rows and slots in it are ignored. rows[0, *row_count), slots[0, *slot_count)
 *      are the caller's; 32 slots are enough for any function.
 * out: rows, slots and both counts, on JF_OK; on JF_E_NOSPACE the counts that are needed and nothing else.
 * returns: as jf_check(); JF_E_NOSPACE.
 */
JF_API JF_CHECK enum jf_status jf_check_rows(const struct jf_check_input *input, struct jf_row *rows, size_t *row_count,
					     struct jf_slot *slots, size_t *slot_count, struct jf_error *error);

/* A spec that was found from the code. */
struct jf_inferred {
	struct jf_frame_spec spec;
	uint32_t insns;    /* of this spec's prologue ... */
	uint32_t matched;  /* ... and how many of them the code has, in their order */
	uint32_t body_off; /* where they end in the code: bytes from its start; JF_MARK_UNSET when not all are there */
};
#define JF_INFER_ANY_ROLE ((UINT32_C(1) << JF_ROLE__COUNT) - 1)

/*
 * Infers the spec of foreign code: that whose own prologue is nearest to how the code begins, at the depth that
 * the code's frame has. An option that leaves no trace in a prologue is not set: outgoing arguments count as BPF
 * stack, and a private stack is 8 bytes if there is any.
 * in:  input as for jf_check(); spec, boundary, rows and marks in it are ignored. roles: which to think of, by bit.
 * returns: JF_E_INVAL; JF_E_UNSUPPORTED (no decoder, or the convention has none of the roles); JF_E_NO_MEMORY.
 * threads: any; allocates.
 */
JF_API JF_CHECK enum jf_status jf_check_infer(const struct jf_check_input *input, uint32_t roles,
					      struct jf_inferred *inferred);

/*
 * Looks for contradictions in a convention alone, without code: each is a finding with the rule it breaks, or 0
 * when it breaks the description itself (overlapping slots, a role without a register, a capability without what
 * it needs). Solves frames for every combination of options. verdict is BROKEN, code_off JF_CHECK_NO_OFF.
 * out: up to `capacity` findings. returns: how many there are; JF_E_INVAL.
 * threads: any; allocates nothing.
 */
JF_API int jf_convention_check(const struct jf_convention *conv, struct jf_finding *findings, size_t capacity);

/* "holds", "broken" and so on. Static; "?" for values outside the enum. */
JF_API const char *jf_verdict_name(enum jf_verdict verdict);

JF_END_DECLS

#endif
