/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_MEMO_H
#define JF_WALK_MEMO_H

#include "codemap/section.h"
#include "walk/walk.h"

/*
 * What a thread remembers of the return addresses on its stack: what describes each address, so that the next walk or
 * throw that meets the address saves the look-up. A memo holds as long as no range or table was added or removed
 * (jf_code_map_age). Memos are for code of this process, by the code map and .eh_frame.
 */
struct walk_memo {
	uint64_t pc; /* 0: none */
	uint64_t age;
	/* Of a plain frame, all that a throw needs: the CFA is SP or FP + cfa_off, the return address is at
	 * CFA + ra_off, the caller's FP at CFA + fp_off; fp_off 0: FP is unchanged. */
	int32_t cfa_off;
	int16_t ra_off, fp_off;
	uint16_t depth; /* return address and FP are in [CFA - depth, CFA); 0: the frame is not plain */
	bool cfa_is_fp;
	uint8_t stops; /* enum walk_stop */
	/* Some other slot lies outside of [CFA - depth, CFA), or has another size than 8 bytes. Throws leave other
	 * slots alone; walks take the slow way. */
	bool is_odd;
	uint32_t others; /* the other slots, as in the row's `saved` */
};

/* Why a throw that goes by memos stops at a frame. */
enum walk_stop {
	WALK_STOP_NOT,
	WALK_STOP_BOUNDARY,
	WALK_STOP_CLEANUP, /* the call has a clean-up pad, or is one of a pad: the walk has to look for itself */
};

/* The rest, which throws do not read. */
struct walk_memo_more {
	uint64_t known[KNOWN_WORDS]; /* bit per register: what is in the slots, but the return address; and SP */
	uint8_t slot_count;
	const struct jf_slot *slots;
	const struct jf_row *row;
	const struct jf_range *range;
	const struct jf_cfi_function *function;
	const char *name;
};

#define WALK_MEMOS 128

/*
 * Between take and give, memos are the caller's alone, and the compiler keeps accesses in between. A signal handler
 * that interrupts such an access walks without memos.
 */
struct walk_memos {
	bool taken;
	uint64_t (*strip_return)(uint64_t); /* the host backend's */
	struct walk_memo memo[WALK_MEMOS] __attribute__((aligned(32)));
	struct walk_memo_more more[WALK_MEMOS];
};

/* `memos`: NULL in a thread without a record. */
static inline bool walk_memos_take(struct walk_memos *memos)
{
	if (!memos || memos->taken)
		return false;
	memos->taken = true;
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

static inline void walk_memos_give(struct walk_memos *memos)
{
	atomic_signal_fence(memory_order_seq_cst);
	memos->taken = false;
}

/* Where the memo of a return address is, if there is one. */
static inline size_t walk_memo_at(uint64_t pc)
{
	return (pc ^ pc >> 7) % WALK_MEMOS;
}

/* Makes a memo of the walk's present frame. `age`: of the code map at the look-up of the frame. */
void jf_walk_remember(const struct walk *walk, uint64_t age);

/*
 * Fills the walk in from the memo of return address `pc`, the CFA apart. returns: the memo; NULL when no memo holds.
 */
static inline const struct walk_memo *walk_recall(const struct walk_memos *memos, struct walk *walk, uint64_t pc)
{
	uint64_t age = atomic_load(&jf_code_map_age);
	size_t at = walk_memo_at(pc);
	const struct walk_memo *memo = &memos->memo[at];
	const struct walk_memo_more *more = &memos->more[at];

	if (memo->pc != pc || memo->age != age)
		return NULL;
	walk->plain_depth = memo->is_odd ? 0 : memo->depth;
	walk->plain_ra_off = memo->ra_off;
	walk->plain_fp_off = memo->fp_off;
	walk->plain_others = memo->others;
	for (unsigned int i = 0; i < KNOWN_WORDS; i++)
		walk->plain_known[i] = more->known[i];
	walk->frame.slot_count = more->slot_count;
	walk->frame.slots = more->slots;
	walk->frame.row = more->row;
	walk->frame.range = more->range;
	walk->frame.function = more->function;
	walk->frame.name = more->name;
	return memo;
}

#endif
