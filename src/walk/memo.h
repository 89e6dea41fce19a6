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
	uint16_t next; /* the memo of the caller's frame when last seen: a guess, whose `pc` tells */
};
_Static_assert(sizeof(struct walk_memo) == 32, "two memos fit into a cache line");

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
	uint32_t others; /* slots but those of return address and FP, as in the row's `saved` */
	const struct jf_slot *slots;
	const struct jf_row *row;
	const struct jf_range *range;
	const struct jf_cfi_function *function;
	const char *name;
};

/*
 * Memos lie in the order in which their addresses were met, so that a thread touches as much memory as it has met. An
 * address has a set of WALK_WAYS places, which say which memos to look at: a memo that its places no longer name, or
 * that another address has taken, is found by nobody. Memo 0 is none: its `next` is that of a walk that begins. Most
 * steps need no place: a return address is mostly returned to from where it was before, and the processor need not wait
 * for the address to know which memo is the next one.
 */
#define WALK_MEMOS 1024
#define WALK_SHIFT 9
#define WALK_SETS  (1u << WALK_SHIFT)
#define WALK_WAYS  4

/*
 * Between take and give, memos are the caller's alone, and the compiler keeps accesses in between. A signal handler
 * that interrupts such an access walks without memos.
 */
struct walk_memos {
	bool taken;
	uint32_t met;                          /* memos that were made */
	uint64_t (*strip_return)(uint64_t);    /* the host backend's */
	uint16_t places[WALK_SETS][WALK_WAYS]; /* numbers of memos; 0: none */
	struct walk_memo memo[WALK_MEMOS] __attribute__((aligned(64)));
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

static inline size_t walk_memo_set(uint64_t pc)
{
	return (size_t)(pc * UINT64_C(0x9e3779b97f4a7c15) >> (64 - WALK_SHIFT));
}

/* in: guess: any number below WALK_MEMOS, the right one most of the time. out: *at: the memo's number. returns: NULL
 * when no memo holds. */
static inline const struct walk_memo *walk_memo_find(const struct walk_memos *memos, uint64_t pc, uint64_t age,
						     uint16_t guess, uint16_t *at)
{
	const struct walk_memo *memo = &memos->memo[guess];
	const uint16_t *places;

	*at = guess;
	if (__builtin_expect(memo->pc == pc && memo->age == age, true))
		return memo;
	places = memos->places[walk_memo_set(pc)];
	for (unsigned int way = 0; way < WALK_WAYS && places[way]; way++) {
		*at = places[way];
		memo = &memos->memo[*at];
		if (memo->pc == pc && memo->age == age)
			return memo;
	}
	return NULL;
}

/* Makes a memo of the walk's present frame. `age`: of the code map at the look-up of the frame. */
void jf_walk_remember(struct walk *walk, uint64_t age);

/*
 * Fills the walk in from the memo of return address `pc`, the CFA apart. returns: the memo; NULL when no memo holds.
 */
static inline const struct walk_memo *walk_recall(struct walk_memos *memos, struct walk *walk, uint64_t pc)
{
	uint64_t age = atomic_load(&jf_code_map_age);
	uint16_t *guess = &memos->memo[walk->memo].next, at;
	const struct walk_memo *memo = walk_memo_find(memos, pc, age, *guess, &at);
	const struct walk_memo_more *more;

	if (!memo)
		return NULL;
	if (at != *guess)
		*guess = at;
	walk->memo = at;
	more = &memos->more[at];
	walk->plain_depth = memo->is_odd ? 0 : memo->depth;
	walk->plain_ra_off = memo->ra_off;
	walk->plain_fp_off = memo->fp_off;
	walk->plain_others = more->others;
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
