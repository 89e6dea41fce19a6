/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_H
#define JF_CHECK_H

#include <jitframe/backend.h>
#include <jitframe/cleanup.h>
#include <jitframe/contract.h>

JF_BEGIN_DECLS

/*
 * The contract checker. It reads the machine code of one function and follows every path with what registers and stack
 * slots hold: constants, what they held when the function was entered, the CFA plus a constant. Then it judges the
 * rules of contract.h. Bytes, convention and spec are believed; what an emitter says is compared with the code.
 * docs/checker.md says what each rule's check does and what the check takes for granted.
 */

/* What the code is. */
enum jf_check_kind {
	JF_CHECK_FUNCTION,     /* a BPF function: role, options and sizes as the spec says */
	JF_CHECK_CALL_STUB,    /* a stub through which C is called: frame record, no other slots; the spec is ignored */
	JF_CHECK_PRIVATE_STUB, /* a stub that programs call with a convention of its own (R18); the spec is ignored */
	JF_CHECK__COUNT
};

/* What is at an address that the code calls or jumps to. An address outside of all targets is C. */
enum jf_target_kind {
	JF_TARGET_C,         /* by the platform ABI */
	JF_TARGET_BPF,       /* a function of the same convention; also every call into the code itself */
	JF_TARGET_CALL_STUB, /* C behind a stub that aligns SP (jf_backend.emit_call_stub) */
	/* Keeps every BPF register but AX, which is its argument and result: timed may_goto. AX is an address or an
	 * offset, as the convention's stub_offsets says. */
	JF_TARGET_PRIVATE_STUB,
	JF_TARGET_OWN_STUB, /* the same, of this library (jf_native.may_goto_start): AX is an address */
	JF_TARGET_THROW,    /* C that throws: bpf_throw() */
	JF_TARGET_RESUME,   /* C that ends a clean-up pad: bpf_unwind_resume() */
	JF_TARGET__COUNT
};

/* An address range that the code calls or jumps to. */
struct jf_check_target {
	uint64_t start, end; /* [start, end) */
	uint8_t kind;        /* enum jf_target_kind */
};

/* Fields of a spec, as bits. */
enum {
	JF_GIVEN_STACK = 1 << 0, /* bpf_stack_bytes */
	JF_GIVEN_USES = 1 << 1,  /* bpf_regs_used */
	JF_GIVEN_TAIL_CALLS = 1 << 2,
	JF_GIVEN_ARENA = 1 << 3,
	JF_GIVEN_PRIVATE_STACK = 1 << 4,
	JF_GIVEN_OUT_ARGS = 1 << 5,
	JF_GIVEN_LANDING_PADS = 1 << 6,
	JF_GIVEN_SIGN_RETURN = 1 << 7,
	JF_GIVEN_LEAF = 1 << 8,
	JF_GIVEN_CLASSIC = 1 << 9,
	JF_GIVEN_CLEANUPS = 1 << 10,
	JF_GIVEN_THROWS = 1 << 11,
	JF_GIVEN_ALL = (1 << 12) - 1,
};

/* What is to be checked. owns: all memory is the caller's, and is read during the call only. Start from
 * JF_CHECK_INPUT_INIT. */
struct jf_check_input {
	uint32_t size; /* sizeof(struct jf_check_input); bytes beyond what this library knows must be 0 */
	uint32_t kind; /* enum jf_check_kind */
	const struct jf_convention *conv;
	const uint8_t *bytes; /* the function's code, first to last instruction */
	size_t byte_count;    /* 1 to JF_CHECK_BYTES_MAX */
	uint64_t address;     /* run-time address of bytes[0], for calls to targets; 0 is fine without targets */
	struct jf_frame_spec spec;
	/* Of a callback: the boundary that the callback lands in. NULL: every boundary of the convention, with all
	 * options, small and large; a rule holds when it holds for each of them. Ignored for other roles. */
	const struct jf_frame_spec *boundary;
	/*
	 * Places that the code's author knows, as bytes from bytes[0]; JF_MARK_UNSET: unknown. BODY: the rules of calls
	 * are judged there, too, so that a frame without calls is judged. EPILOGUE: R14 compares with R0 at this place.
	 * TAIL_ENTRY: compared with jf_tail_entry_off(); unset means jf_tail_entry_off().
	 */
	uint32_t marks[JF_MARK__COUNT];
	/* Rows to be judged (R10, R17), sorted by code_off; NULL: none. slots: what the rows' `saved` refers to. */
	const struct jf_row *rows;
	size_t row_count;
	const struct jf_slot *slots;
	uint8_t slot_count;                    /* at most 32 */
	const struct jf_check_target *targets; /* NULL: none */
	size_t target_count;
	/* The constants that this function's prologue has to load; of an image's function, private_stack includes
	 * private_stack_off. NULL: any constants pass. */
	const struct jf_values *values;
	/* For code without a body: the places that a body would jump to, as bytes from bytes[0]. The state at the mark
	 * BODY comes in there; without the mark no path reaches these places. Example: the tail exit that
	 * jf_frame_emit() puts behind the epilogue. NULL: none. */
	const uint32_t *from_body;
	size_t from_body_count;
	/* jf_check_infer(): the fields of `spec` that are known (JF_GIVEN_ bits); the others are inferred. Other calls
	 * ignore these bits. */
	uint32_t given;
	/* R7: SP is a multiple of this where C is called directly, bytes; 0: of the convention's frame_align, in a call
	 * stub of backend->stack_align. Example: backend->stack_align for code that runs in user space. */
	uint8_t c_align;
	/*
	 * The code runs in Linux: its C code changes no floating-point register, so that R3 asks for integer registers;
	 * and bpf_throw() gives a callback SP as SP is at the call, which R4 compares with landing_sp_off_from_cfa.
	 * false: R3 asks for all that the platform's ABI says, and jf_throw() gives landing_sp_off_from_cfa itself.
	 */
	bool in_kernel;
	/* Where computed jumps may go, bytes from bytes[0], in any order: the entries of switch tables, as in struct
	 * jf_rows_input. NULL: what is behind a computed jump is not known. */
	const uint32_t *jump_targets;
	size_t jump_target_count;
	/* The function's clean-up pads, as in struct jf_range; spec.cleanups is set. A wrong table is a finding (R19).
	 * NULL: none. */
	const struct jf_cleanup_code *cleanups;
	size_t cleanup_count;
	/* What an unwinder that calls pads is told of this frame, in bytes from FP; compared with jf_frame_spill_off()
	 * (R20). 0: not known. */
	int32_t spill_off; /* of the caller's registers */
	int32_t throw_off; /* of this frame's, where it throws */
};
/* All fields that have a default, at the default. */
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
/* The longest code that the checker reads, in bytes. */
#define JF_CHECK_BYTES_MAX (16u << 20)

/* What is said of one rule. */
enum jf_verdict {
	JF_VERDICT_NOT_APPLICABLE, /* the function has nothing that the rule speaks of */
	JF_VERDICT_HOLDS,
	JF_VERDICT_UNDECIDED, /* the finding says what could not be followed */
	JF_VERDICT_BROKEN,
	JF_VERDICT__COUNT
};

#define JF_RULE_COUNT       29         /* the highest number of a rule */
#define JF_CHECK_NO_OFF     UINT32_MAX /* a code offset: of no single instruction */
#define JF_FINDING_TEXT_MAX 224        /* bytes of a finding's text, with the terminator */

/* Why a rule is broken or undecided, at one place. */
struct jf_finding {
	uint8_t rule;      /* its number; 0: the code cannot be followed further, so every rule is undecided */
	uint8_t verdict;   /* enum jf_verdict: BROKEN or UNDECIDED */
	uint32_t code_off; /* of the instruction, bytes from bytes[0]; JF_CHECK_NO_OFF: of no single instruction */
	const char *name;  /* the instruction's mnemonic, static; NULL: none */
	/* One sentence with place and state: "at +0x24 `st.d` stores to CFA-24, the save slot of s0". */
	char text[JF_FINDING_TEXT_MAX];
};

/*
 * The caller sets size, findings and finding_capacity (NULL and 0: verdicts alone), and all other fields to 0;
 * jf_check() fills these in.
 * Findings come in the order of the code, one for each instruction and rule; findings of no single instruction come
 * first.
 */
struct jf_check_report {
	uint32_t size; /* sizeof(struct jf_check_report) */
	struct jf_finding *findings;
	size_t finding_capacity;
	size_t finding_count;                 /* of all findings, also of those without room; at most 1024 */
	uint8_t verdicts[JF_RULE_COUNT + 1];  /* enum jf_verdict, by rule number; [0] is the worst of all */
	size_t insn_count;                    /* instructions that can be reached */
	size_t call_count;                    /* of them, calls */
	uint32_t exit_count, tail_exit_count; /* of them, returns and tail-call exits */
};

/*
 * Checks one function.
 * in:  error may be NULL.
 * out: *report on JF_OK only. JF_OK says that the check was done; report->verdicts[0] says whether the rules hold.
 * returns: JF_E_INVAL (NULL, unknown kind, an input or report of another header, byte_count 0 or over the limit,
 *      rows unsorted or without slots, a boundary of another role), JF_E_UNSUPPORTED (the backend has no decoder, or
 *      the convention no such role or option), JF_E_BAD_SPEC, JF_E_BAD_DESC (as jf_frame_solve()), JF_E_NO_MEMORY.
 *      error->where names the field. Bytes that encode no instruction are findings.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_check(const struct jf_check_input *input, struct jf_check_report *report,
					struct jf_error *error);

/* Whether every rule holds or does not apply. threads: any, async-signal-safe. */
JF_API bool jf_check_passed(const struct jf_check_report *report);

/*
 * Derives unwind rows from the code itself, for code without rows: the result is what jf_code_map_add() wants. Rows
 * have JF_ROW_UNKNOWN where the CFA or the return address is unknown, and at bytes that no path reaches.
 * in:  input as for jf_check(); its rows and slots are ignored. rows[0, *row_count) and slots[0, *slot_count) are the
 *      caller's; 32 slots are enough for any function. error may be NULL.
 * out: rows, slots and both counts, on JF_OK; on JF_E_NOSPACE the two counts that are needed.
 * returns: as jf_check(); JF_E_NOSPACE.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_check_rows(const struct jf_check_input *input, struct jf_row *rows, size_t *row_count,
					     struct jf_slot *slots, size_t *slot_count, struct jf_error *error);

/* ---- what holds at each instruction ---------------------------------------------------------------------- */

/* What a register or slot holds. */
enum jf_held_kind {
	JF_HELD_UNKNOWN,   /* something that is no address of this frame, plus imm; code_off says where from */
	JF_HELD_CONST,     /* imm */
	JF_HELD_ENTRY,     /* what the function's caller had in `reg`, plus imm */
	JF_HELD_CFA,       /* CFA + imm */
	JF_HELD_SLOT,      /* what the tail-call count's slot at CFA + off_from_cfa has held, plus imm */
	JF_HELD_COUNT,     /* the tail-call count that is in force, or the count's address */
	JF_HELD_BPF_STACK, /* an address in the BPF stack, or something derived from R10 */
	JF_HELD_FRAME,     /* perhaps an address in this frame, a multiple of imm; code_off says where from */
	JF_HELD_LOST,      /* what an instruction has written that the decoder does not know */
	JF_HELD_CHOSEN,    /* a choice has been made by whether the count or its address came in: one of two values */
	JF_HELD__COUNT
};

enum {
	JF_HELD_SIGNED = 1 << 0,   /* with a pointer-authentication code, made while SP was CFA + off_from_cfa */
	JF_HELD_JOINED = 1 << 1,   /* the ways to code_off bring different values along */
	JF_HELD_AT_ENTRY = 1 << 2, /* there when the function was entered; code_off is JF_CHECK_NO_OFF */
	JF_HELD_BY_SIGN = 1 << 3,  /* the extension of low_bytes is by sign */
};

/* What a register or a word of the frame holds, on every path that leads to an instruction. */
struct jf_held {
	uint8_t kind;         /* enum jf_held_kind */
	uint8_t reg;          /* register id, of JF_HELD_ENTRY; else JF_REG_NONE */
	uint8_t flags;        /* JF_HELD_ bits */
	uint8_t low_bytes;    /* 0: all of the value; 1 to 7: so many low bytes of it, extended to 64 bits */
	int32_t off_from_cfa; /* bytes; see the kinds and flags */
	uint32_t code_off;    /* of the instruction that made the value, bytes from bytes[0], or JF_CHECK_NO_OFF */
	int64_t imm;
};

/* A word of the stack, [CFA + off_from_cfa, + size_bytes), that has been written on every path. */
struct jf_held_word {
	int32_t off_from_cfa;
	uint32_t size_bytes;
	struct jf_held value;
};

/* What one instruction reads or writes at a known offset from the CFA. */
struct jf_held_access {
	int32_t off_from_cfa;
	uint32_t size_bytes; /* 0: the decoder does not know */
	uint8_t reg;         /* register id that is loaded or stored, or JF_REG_NONE */
	bool is_store;
	struct jf_held value; /* what is read or written */
};
#define JF_HELD_ACCESSES_MAX JF_EFFECT_STEPS_MAX

/* An instruction that can be reached, and what holds before it. The library makes this and sets size. */
struct jf_check_state {
	uint32_t size;
	uint32_t code_off;                /* bytes from bytes[0] */
	const struct jf_effect *effect;   /* what the instruction does; its size, name and targets are there */
	const struct jf_held *regs;       /* by register id, as many as backend->reg_count */
	const struct jf_held_word *words; /* of different offsets, highest first. Left out are most of the BPF stack */
	uint32_t word_count;              /* and what no path has written */
	bool words_missing;               /* there were too many words to keep: one that is not here may be written */
	uint8_t access_count;             /* at most JF_HELD_ACCESSES_MAX */
	const struct jf_held_access *accesses;
};

/* Called once for each instruction that can be reached, in the order of the code. owns: *state and all that hangs on
 * the struct is read-only, and is the library's until the call returns. */
typedef void jf_check_visit_fn(void *arg, const struct jf_check_state *state);

/*
 * Follows one function as jf_check() does, and says what holds before each instruction: to draw it, to step through it,
 * to explain a finding. Nothing is judged. At the mark BODY, registers that the frame saves, and those that calls
 * lose, count as made by the instruction there: a body may put anything into these.
 * in:  input as for jf_check(); rows, slots and values are ignored. A callback without a boundary lands in the
 *      plainest one: no BPF stack, and the callback's own tail calls, landing pads and signed return. visit: called
 *      before this function returns, in the caller's thread. arg is handed on. error may be NULL.
 * returns: JF_OK, also where no path could be followed to its end; as jf_check(); then `visit` was not called.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_check_states(const struct jf_check_input *input, jf_check_visit_fn *visit, void *arg,
					       struct jf_error *error);

/*
 * "CFA-24", "the caller's s0", "5", "the result of +0x10": as findings say it.
 * in:  backend: names the registers. held: NULL gives "".
 * out: text[0, capacity), terminated when capacity > 0.
 * returns: the length that the whole text needs, without the terminator, as snprintf(3). threads: any, no shared state.
 */
JF_API int jf_held_text(const struct jf_backend *backend, const struct jf_held *held, char *text, size_t capacity);

/* A spec that was inferred from the code. The caller sets size, and all other fields to 0. */
struct jf_inferred {
	uint32_t size; /* sizeof(struct jf_inferred) */
	struct jf_frame_spec spec;
	uint32_t insns;    /* instructions of this spec's prologue */
	uint32_t matched;  /* instructions of the prologue that the code has, in the same order */
	uint32_t body_off; /* end of the prologue: bytes from the code's start; JF_MARK_UNSET: matched < insns */
	/* Instructions that only the prologue has, that the code has between those of the prologue, and with which the
	 * code saves registers that this prologue does not. 0: the code begins with the prologue. */
	uint32_t differences;
};
/* All roles, as bits: the role is not known. */
#define JF_INFER_ANY_ROLE ((UINT32_C(1) << JF_ROLE__COUNT) - 1)

/*
 * Infers the spec of foreign code. Example: code that begins like a boundary's prologue, with a frame of 192 bytes,
 * gets the boundary's spec whose frame has 192 bytes. Of all specs with the depth of the code's frame, the result is
 * the one whose own prologue is nearest to the start of the code. Options that leave no trace in a prologue stay unset:
 * outgoing arguments count as BPF stack, and a private stack is given as 8 bytes.
 * in:  input as for jf_check(); its boundary, rows and marks are ignored, and of its spec what input->given leaves
 *      out. A given stack holds, also where the code's frame has another depth. roles: bit n allows enum jf_role n.
 * out: *inferred on JF_OK only.
 * returns: JF_E_INVAL (NULL, no bytes, no role, a struct of another header); JF_E_UNSUPPORTED (the backend has no
 *      decoder, or the convention none of the roles with what is given); JF_E_NO_MEMORY.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_check_infer(const struct jf_check_input *input, uint32_t roles,
					      struct jf_inferred *inferred);

/*
 * Looks for contradictions in a convention alone, without code. The call solves frames for every combination of
 * options. Each contradiction is a finding: with the rule that it breaks, or with rule 0 when the description
 * contradicts itself (overlapping slots, a role without a register, a capability without what the capability needs).
 * verdict is BROKEN, code_off JF_CHECK_NO_OFF.
 * out: up to `capacity` findings (NULL: none).
 * returns: the number of all findings; JF_E_INVAL (NULL, or a convention without name, backend or areas).
 * threads: any, allocates nothing.
 */
JF_API int jf_convention_check(const struct jf_convention *conv, struct jf_finding *findings, size_t capacity);

/* "holds", "broken" and so on; "?" for values outside of the enum. owns: static. threads: any, async-signal-safe. */
JF_API const char *jf_verdict_name(enum jf_verdict verdict);

JF_END_DECLS

#endif
