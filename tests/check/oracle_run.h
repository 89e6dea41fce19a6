/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_ORACLE_RUN_H
#define JF_TESTS_CHECK_ORACLE_RUN_H

#include "machine.h"
#include "oracle.h"

/* One run of a function, and what is looked at on its way: inside of the oracle. */
#define KILLED_MAX 64
#define LOADED_MAX 16
#define NEAR       UINT64_C(65536) /* of an address that is meant */

struct run {
	const struct subject *s;
	const struct jf_backend *backend;
	const struct arch *facts;
	uint8_t count;                     /* the register that facts->count_reg names */
	uint8_t callee_saved[JF_REGS_MAX]; /* by the platform's ABI */
	unsigned int callee_saved_count;
	struct machine *m;
	struct judgement *out;
	uint64_t entry[JF_REGS_MAX]; /* the caller's registers: those of the boundary's caller in a callback */
	uint64_t start[JF_REGS_MAX]; /* as they were at this function's first instruction */
	uint64_t killed[KILLED_MAX]; /* made by the prologue */
	bool is_raw[KILLED_MAX];     /* and not computed from another one */
	unsigned int killed_count;
	const struct jf_row *row; /* the last one that was looked at, and machine.changes by then */
	uint64_t changes;
	uint64_t incoming;    /* what the count register had when the function was entered, by a tail call or a call */
	uint64_t last_count;  /* as it was loaded from the slot */
	uint64_t returned;    /* by value: the count as the last callee has handed it back, */
	bool count_is_out;    /* and whether the slot does not have it yet */
	bool count_is_loaded; /* by value: from the slot, the last time that anything was */
	uint64_t tally;       /* the count as it was last read from where it lies, or written there */
	unsigned int charges; /* tail calls that have been counted */
	uint64_t result;      /* R0 at the start of the epilogue */
	bool in_body, in_epilogue;
	bool by_tail_call; /* entered so, with the frame as another program has left it */
	bool tail_seen;
	int64_t tail_sp_off; /* from the CFA, at a tail-call entry */
	bool tail_fp_is_frames;
	uint64_t loaded[LOADED_MAX]; /* 8-byte values from elsewhere than the stack, in turn */
	uint64_t loaded_from[LOADED_MAX], loaded_by[LOADED_MAX]; /* addresses: of the memory, of the instruction */
	unsigned int loaded_count;
	int64_t *call_sp_off; /* by code offset: SP from the CFA at a call, 0 = not seen */
	uint8_t *went;        /* by code offset: bit 0 straight on, bit 1 jumped */
};

/* Where the function's CFA is: where frames keep less than the ABI's alignment, off it in every other run. */
extern uint64_t run_cfa;

static inline uint64_t at_cfa(int64_t off)
{
	return run_cfa + (uint64_t)off;
}

static inline uint64_t low_bytes(uint64_t value, unsigned int bytes)
{
	return bytes >= 8 ? value : value & ((UINT64_C(1) << 8 * bytes) - 1);
}

void broken(struct run *r, unsigned int rule, const char *format, ...) JF_PRINTF(3, 4);
uint8_t count_reg(const struct run *r);
bool is_role(const struct run *r, enum jf_role role);
bool is_main(const struct run *r);
bool slot_holds(const struct run *r, const struct jf_slot *slot, bool signed_return);
const struct jf_row *row_at(const struct subject *s, uint32_t off);
bool regs_are_true(const struct run *r, const struct jf_row *row);
bool row_holds(const struct run *r, const struct jf_row *row, uint64_t sp);
void look_at_row(struct run *r);
bool is_count_pointer(const struct run *r, uint64_t value);
bool is_count_in_force(const struct run *r, uint64_t value);
void check_count_slot(struct run *r, const struct jf_slot *slot);
void check_private_stack(struct run *r);
void look_at_accesses(struct run *r, uint64_t sp_before);
/* R29: one access of where the count may lie; what has been counted by the time of a call or an exit. */
void count_charge(struct run *r, const struct jf_step *step, const struct machine_access *a);
void check_charges(struct run *r, unsigned int wanted);
/* Whether the count's register leads to memory that is not the count (R9). */
bool counts_elsewhere(const struct run *r, const struct jf_step *step, const struct machine_access *a);
void enter_body(struct run *r);
void look_at_call(struct run *r);
void after_call(struct run *r);
void look_at_exit(struct run *r);

#endif
