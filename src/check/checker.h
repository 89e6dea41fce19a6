/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_CHECKER_H
#define JF_CHECK_CHECKER_H

#include <jitframe/check.h>

#include "check/state.h"

/* ---- findings (report.c) --------------------------------------------------------------------------- */

#define FINDINGS_MAX 1024 /* of one check; what goes beyond is not counted */

struct sink {
	struct jf_finding *findings;
	size_t capacity, count;
	uint32_t applies; /* rules by bit: something was judged */
	bool no_memory;
};

/* ---- following the code (run.c, scan.c, leader.c) ------------------------------------------------------ */

/* Two values that have been compared. */
struct question {
	bool is_known;
	bool masked; /* by AND, which tells nothing of an order without signs */
	uint8_t bytes;
	struct value first, second;
};

struct leader; /* an instruction where paths meet, and what holds before it */

struct checker {
	const struct jf_check_input *input;
	const struct jf_convention *conv;
	const struct jf_backend *backend;
	struct jf_slot record[JF_RECORD__COUNT];
	struct jf_frame frame;
	struct jf_frame boundary; /* callbacks only: whose frame it lands in */
	bool is_callback, is_function, counts_tail_calls;
	struct stack_map map;
	uint32_t tail_entry; /* of this function: bytes from its start, or JF_MARK_UNSET */

	/* What a tail call finds: as the convention's own prologue leaves it at its tail-call entry. */
	bool has_entry_state, entry_has_pad;
	uint32_t entry_off;
	struct state entry_state;

	uint8_t *flags; /* by code offset */
	uint32_t *leader_index;
	struct leader *leaders;
	uint32_t leader_count;
	uint32_t lowest_pending, highest_pending;
	uint32_t reached_count; /* leaders */
	bool too_many;          /* of them: the rest is not followed */
	uint64_t budget;        /* instructions that may still be followed */

	/* The instruction being looked at. */
	uint32_t off;
	struct jf_effect effect;
	struct question flags_hold; /* what the condition flags hold before it, as far as its block tells */
	bool judging;
	uint32_t judged; /* rules by bit that this instruction has a finding of */
	struct sink *sink;
	bool has_private_fp;
	struct value private_fp; /* R10 at the end of the prologue, where it is in a private stack */
	const char *landing;     /* of a callback: the boundary in words, for findings */

	/* Told of every access by a known offset, before the access; NULL: nobody asks. */
	void (*told)(void *arg, const struct jf_step *step, int32_t off, const struct value *value);
	void *told_arg;

	uint32_t unsaved_told[3]; /* R3: registers by bit that a finding has named */
	int32_t rmw_off;          /* what this instruction has read by an exact offset; INT32_MAX: nothing */
	uint64_t changes;         /* counts writes that rows may speak of */
	uint64_t row_changes;     /* as it was when row_judged was found true */
	const struct jf_row *row_judged;

	const uint32_t *unlinked; /* places in the code whose jumps lead elsewhere, sorted */
	size_t unlinked_count;
	/* Registers by bit that no instruction changes which the decoder does not know. */
	uint64_t trusted[(JF_REGS_MAX + 63) / 64];

	size_t insn_count, call_count;
	uint32_t exit_count, tail_exit_count;
};

/* *input = what the caller gave, held to its description. */
enum jf_status check_read_input(const struct jf_check_input *in, struct jf_check_input *input, struct jf_error *error);
/* Of those that a callback may land in when nobody names one, the plainest. */
struct jf_frame_spec check_plainest_boundary(const struct jf_frame_spec *callback);
/* Frame, boundary and map from input. `boundary` as in struct jf_check_input, or NULL. */
enum jf_status checker_init(struct checker *c, const struct jf_check_input *input, const struct jf_frame_spec *boundary,
			    struct sink *sink, struct jf_error *error);
void checker_fini(struct checker *c);
/* Follows every path to a fixed point. returns: JF_OK also for code that cannot be followed. */
enum jf_status checker_run(struct checker *c);
/* Calls `visit` for every instruction that is reached, with what holds before it; block by block. */
void checker_visit(struct checker *c, void (*visit)(struct checker *c, const struct state *before, void *arg),
		   void *arg);
/* Whether an instruction starts there; what holds before it if it is one where paths meet or a mark. */
bool checker_is_start(const struct checker *c, uint32_t off);
bool checker_state_at(const struct checker *c, uint32_t off, struct state *state);

/* ---- one instruction (step.c) ---------------------------------------------------------------------- */

/* Applies all steps of c->effect; memory accesses are judged on the way when c->judging. */
void checker_steps(struct checker *c, struct state *state);
/* What a call to something of that kind leaves. */
void checker_call(struct checker *c, struct state *state, enum jf_target_kind kind);
void checker_entry_state(const struct checker *c, struct state *state);

enum exit_kind {
	EXIT_RETURN,
	EXIT_TAIL,     /* to another program's tail-call entry */
	EXIT_COMPUTED, /* a jump table, perhaps */
};
/* What a jump through a register or out of the function is. `target`: NULL when it goes to a fixed address. */
enum exit_kind checker_exit_kind(const struct checker *c, const struct state *state, const struct value *target);
enum jf_target_kind checker_target_kind(const struct checker *c, int64_t target_off);

/* ---- rules: each judges what holds before or at c->off ------------------------------------------------ */

void rules_access(struct checker *c, const struct state *state, const struct value *address, uint32_t bytes, bool store,
		  const struct value *value);                                              /* R4 R6 R8 R9 */
void rules_base(struct checker *c, const struct state *state, const struct jf_step *step); /* R9 R15 */
void rules_count(struct checker *c, const struct state *state);                            /* R9 R15 */
/* By value: whether it is the count that the caller handed on; whether it is the count in force. */
bool count_came_in(const struct checker *c, const struct value *value);
bool count_is_in_force(const struct checker *c, const struct state *state, const struct value *value);
void rules_count_read(struct checker *c, const struct state *state, int32_t off); /* R9 */
/* Whether it is the address of the count in force. */
bool count_is_address(const struct checker *c, const struct state *state, const struct value *value);
/* R29: what a load gives that reads the count by its address, else false; what a store makes of the count. */
bool charge_load(struct checker *c, const struct state *state, const struct jf_step *step, const struct value *address,
		 struct value *value);
void charge_store(struct checker *c, struct state *state, const struct jf_step *step, const struct value *address,
		  const struct value *value);
void rules_uncharged(struct checker *c,
		     const struct state *state); /* R29 where no tail call is taken: calls, returns */
void rules_charged(struct checker *c, const struct state *state, const struct value *target); /* R29 where one is */
void rules_written(struct checker *c, const struct value *fp, const struct value *bpf_fp,
		   const struct state *after); /* R2 R6 R11; fp, bpf_fp: as they were before */
void rules_anchor(struct checker *c, const struct state *state, int call_kind);              /* calls, and marks: -1 */
void rules_call(struct checker *c, const struct state *state, enum jf_target_kind kind);     /* R9 R15 R17 R18 */
void rules_return(struct checker *c, const struct state *state, const struct value *target); /* R5 R14 */
void rules_tail_exit(struct checker *c, const struct state *state, const struct value *target); /* R9 R16 */
void rules_tail_entry(struct checker *c, const struct state *state);                            /* R16 */
void rules_row(struct checker *c, const struct state *state);                                   /* R10 */
void rules_row_of_call(struct checker *c, const struct state *state);                           /* R17 */
/* Clean-up pads (rules_cleanup.c): R19, R27 and what is told of R20; R26; R20 at any call, and at one that throws. */
void rules_cleanup_table(struct checker *c);
void rules_cleanup_call(struct checker *c);
void rules_spills(struct checker *c, const struct state *state);
void rules_throw_site(struct checker *c, const struct state *state);
/* From a call to its pad. */
void cleanup_enter(struct checker *c, const struct state *state);
/* Whether SP is another stack's; R21 of an access by it, and of a call. */
bool cleanup_is_elsewhere(const struct checker *c, const struct state *state);
bool rules_cleanup_access(struct checker *c, const struct state *state, const struct value *address, uint32_t bytes);
void rules_cleanup_sp(struct checker *c, const struct state *state);
/* R24, R21 where a pad ends, and at its calls. */
void rules_pad_exit(struct checker *c, const struct state *state, const struct value *target);
void rules_pad_call(struct checker *c, const struct state *state, enum jf_target_kind kind);
void rules_tail_entry_place(struct checker *c); /* R16 */
bool row_is_true(const struct checker *c, const struct state *state, const struct jf_row *row,
		 const struct jf_slot *slots, unsigned int slot_count, char *why, size_t capacity);

/* The computed state at a tail-call entry: see struct checker. */
enum jf_status checker_find_entry_state(struct checker *c);

static inline const char *reg_name(const struct checker *c, unsigned int reg)
{
	return reg < c->backend->reg_count ? c->backend->regs[reg].name : "?";
}

static inline bool is_callee_saved(const struct checker *c, unsigned int reg)
{
	return reg < c->backend->reg_count && c->backend->regs[reg].flags & JF_REG_CALLEE_SAVED;
}

/* The slot of the frame that holds a caller's value and overlaps [off, off + bytes), or NULL. */
const struct jf_slot *frame_save_at(const struct jf_frame *frame, int32_t off, uint32_t bytes);

/* A rule was looked at here. */
static inline void applies(struct checker *c, unsigned int rule)
{
	c->sink->applies |= UINT32_C(1) << rule;
}

/* One finding per rule and instruction; fmt goes on behind "at +0x24 `st.d` ". */
void finding(struct checker *c, unsigned int rule, enum jf_verdict verdict, const char *fmt, ...) JF_PRINTF(4, 5);
/* One of no place. */
void finding_of_all(struct sink *sink, unsigned int rule, enum jf_verdict verdict, const char *fmt, ...)
	JF_PRINTF(4, 5);
void sink_merge(struct sink *into, const struct sink *from);
void sink_sort(struct sink *sink);
/* BROKEN, or UNDECIDED for a value that cannot be told. */
static inline enum jf_verdict verdict_on(const struct value *got)
{
	return value_is_vague(got) ? JF_VERDICT_UNDECIDED : JF_VERDICT_BROKEN;
}
/* The same of a count and its address: what is computed from something else is neither. */
static inline enum jf_verdict verdict_on_count(const struct value *got)
{
	return got->kind == VALUE_LOST ? JF_VERDICT_UNDECIDED : JF_VERDICT_BROKEN;
}
/* The same of an address that has to be as exact, or as aligned, as the code says: one that the code has aligned is no
 * more than that. */
static inline enum jf_verdict verdict_on_aligned(const struct value *got)
{
	return got->kind == VALUE_STACK && got->imm > 1 ? JF_VERDICT_BROKEN : verdict_on(got);
}

#endif
