/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_WALK_H
#define JF_WALK_WALK_H

#include <jitframe/walk.h>

#define KNOWN_WORDS ((JF_REGS_MAX + 63) / 64)

/* Where a throw has started: for those who want to see its frames once more. All of it lies in frames of the throw. */
struct walk_start {
	struct jf_memory memory;
	const struct jf_regs *regs;
	uint64_t pc;
};

/*
 * What is inside of struct jf_walk. `frame` points into the walk itself: to a row that was made, for example. The
 * functions that take this struct go without the reader section: their callers hold one.
 */
struct walk {
	struct jf_walk_frame frame;
	const struct jf_backend *backend;
	struct jf_memory memory;
	struct jf_regs regs;         /* callee-saved registers, sp and fp as they were in this frame */
	uint64_t known[KNOWN_WORDS]; /* bit per register id: regs has its value */
	bool has_section;            /* of the public interface: */
	unsigned int section;
	bool remembers;       /* look-ups of return addresses: src/walk/memo.h */
	uint16_t plain_depth; /* not 0: the present frame is plain, see src/walk/memo.h; left by: */
	int16_t plain_ra_off, plain_fp_off;
	uint16_t memo;                     /* of the frame that a memo described last: any number below WALK_MEMOS */
	uint32_t plain_others;             /* slots other than these two */
	uint64_t plain_known[KNOWN_WORDS]; /* registers that are known behind the frame, whatever was before */
	uint64_t plain_kept[KNOWN_WORDS];  /* registers that stay known if they are known */
	uint64_t kept[KNOWN_WORDS];        /* callee-saved registers */
	uint64_t outer_low, outer_high;    /* the stack that a signal on this one interrupted; 0, 0: none */
	uint64_t outer_floor;              /* the lower end of its guard */
	uint64_t orc_context;
	const struct walk_start *start; /* of a throw that is uncaught; else NULL */
	bool ended_in_pad;              /* of such a throw: in a pad that runs for another one, with: */
	uint64_t pad_cookie;
	struct jf_walk_opts opts;
	struct jf_row made_row;
	struct jf_slot made_slots[2];
	struct jf_slot guess_slots[JF_RECORD__COUNT]; /* of opts.guess */
	struct jf_cfi_room room;                      /* a row of C code that could be put nowhere else */
};
_Static_assert(sizeof(struct walk) <= sizeof(struct jf_walk) && _Alignof(struct walk) <= _Alignof(struct jf_walk),
	       "struct jf_walk has room for a walk");

static inline struct walk *walk_inside(struct jf_walk *walk)
{
	return (struct walk *)walk;
}

/* For those who look at a walk: they must not copy it. */
static inline const struct jf_walk *walk_outside(const struct walk *walk)
{
	return (const struct jf_walk *)walk;
}

/* What a caller gives, as this library's header has it. in may be NULL: no options. returns: JF_E_INVAL. */
enum jf_status jf_walk_read_opts(struct jf_walk_opts *opts, const struct jf_walk_opts *in);
enum jf_status jf_walk_read_memory(struct jf_memory *memory, const struct jf_memory *in);

/* As jf_walk_start_with(), jf_walk_step(), jf_walk_step_past_entry(), of structs of this library's header. */
enum jf_status jf_walk_first(struct walk *walk, const struct jf_backend *backend, const struct jf_memory *memory,
			     const struct jf_regs *regs, uint64_t pc, bool pc_is_return,
			     const struct jf_walk_opts *opts);
enum jf_status jf_walk_next(struct walk *walk);
enum jf_status jf_walk_next_past_entry(struct walk *walk);

/* The word at an address. returns: JF_E_READ. */
enum jf_status jf_walk_read_word(const struct walk *walk, uint64_t address, uint64_t *value);

/* A walk that stands nowhere and has no section. */
void jf_walk_clear(struct walk *walk);
/* The same, of a start that is refused. returns: `status`. */
enum jf_status jf_walk_refuse(struct walk *walk, enum jf_status status);

/* Outside of the section, what belongs to others may be gone: a walk forgets it. */
void jf_walk_let_go(struct walk *walk);

/* In a section that was opened for a start: keeps the section when `status` is JF_OK, else closes it.
 * returns: `status`. */
enum jf_status jf_walk_started(struct walk *walk, unsigned int section, enum jf_status status);

static inline uint64_t walk_sp(const struct walk *walk)
{
	return walk->regs.value[walk->backend->sp];
}

static inline uint64_t walk_fp(const struct walk *walk)
{
	return walk->regs.value[walk->backend->fp];
}

static inline uint64_t walk_bit(unsigned int reg)
{
	return UINT64_C(1) << reg % 64;
}

static inline void walk_set_known(struct walk *walk, unsigned int reg, bool known)
{
	if (known)
		walk->known[reg / 64] |= walk_bit(reg);
	else
		walk->known[reg / 64] &= ~walk_bit(reg);
}

static inline bool walk_is_known(const struct walk *walk, unsigned int reg)
{
	return walk->known[reg / 64] & walk_bit(reg);
}

static inline enum jf_status walk_fail(struct walk *walk, enum jf_status status, uint64_t address)
{
	walk->frame.fail_address = address;
	return status;
}

/* A stub of the library's between C and generated code: .eh_frame has its rows. */
static inline bool range_is_c(const struct jf_range *range)
{
	return range->kind == JF_RANGE_ENTRY || range->kind == JF_RANGE_TRY;
}

/* Walks read no lower than the red zone: the pages below may be missing. */
static inline uint64_t walk_low_for(const struct jf_backend *backend, uint64_t low, uint64_t sp)
{
	return sp - low > backend->red_zone_bytes ? sp - backend->red_zone_bytes : low;
}

/* The handler of a signal returns there: what it interrupted lies on the stack. */
static inline bool walk_at_trampoline(const struct walk *walk)
{
	return walk->frame.function && walk->frame.function->flags & JF_CFI_SIGNAL && walk->backend->signal_frame;
}

#endif
