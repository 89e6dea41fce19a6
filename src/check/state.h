/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_CHECK_STATE_H
#define JF_CHECK_STATE_H

#include <jitframe/check.h>

/* What registers and the words of one frame hold, as far as a path through the code tells. */

enum value_kind {
	VALUE_UNKNOWN, /* no address in this stack: whatever `reg` got at `def`, plus imm */
	VALUE_CONST,   /* imm */
	VALUE_ENTRY,   /* what the function's caller had in `reg`, plus imm */
	VALUE_CFA,     /* CFA + imm */
	VALUE_SLOT,    /* what the state slot at CFA + (int32_t)def held, plus imm */
	VALUE_COUNT,   /* the tail-call count or its address, as it travels between programs; with imm 1, the address of
			* this frame's slot where that is right; by value, plus imm */
	VALUE_TALLY,   /* the count itself, as the instruction at `def` has read it by its address: what it was
			* when the function was entered, plus imm */
	VALUE_BPF,     /* somewhere in the BPF stack, or derived from R10: the verifier's business */
	VALUE_STACK,   /* perhaps somewhere in this stack; a multiple of imm */
	VALUE_CHOSEN,  /* one of two, by whether a count or the address of one came in; see value_part() */
	VALUE_LOST,    /* written by an instruction that the decoder does not know */
};

enum {
	VALUE_SIGNED = 1 << 0,   /* with a pointer-authentication code, made while SP was CFA + (int32_t)def */
	VALUE_LEFTOVER = 1 << 1, /* UNKNOWN, and computed from what the caller left in a register that is no argument */
	VALUE_BACK = 1 << 2,     /* UNKNOWN: the place in the unwinder that a called clean-up pad goes back to */
};

/* Two values are the same when all of their bytes are. */
struct value {
	uint8_t kind;
	uint8_t reg; /* id; of what cells got where paths meet: 0x80 and the cell's word */
	uint8_t ext; /* 0: all 64 bits; else the width of the part that was extended, its top bit set when by sign */
	uint8_t flags;
	uint32_t def; /* code offset; or one of these */
	int64_t imm;
};
#define DEF_ENTRY UINT32_C(0x7fffffff) /* there at the first instruction */
#define DEF_JOIN  UINT32_C(0x80000000) /* ored in: where paths that disagree meet */
_Static_assert(sizeof(struct value) == 16, "no padding: values are compared as bytes");

/* Memory that has been written, at an offset that is known. */
struct cell {
	int32_t off; /* from the CFA */
	uint32_t bytes;
	struct value value;
};

#define NOT_CHARGED UINT32_MAX
#define CELLS_MAX   72 /* save slots and state slots, outgoing arguments, pushes around a call */

/* What came into a main program may be a count or the address of one. */
enum way { WAY_COUNT, WAY_ADDRESS, WAY__COUNT };

/* Whether the path has come by a clean-up pad. */
enum { PAD_NEVER, PAD_ALWAYS, PAD_SOMETIMES };

struct state {
	uint32_t cell_count;
	uint8_t in_pad;
	uint8_t came_in;    /* enum way, where a branch has asked; WAY__COUNT: may be both */
	bool cells_dropped; /* there was no room for all: what is not found may have been written all the same */
	/* The instruction that has counted a tail call (R29) on some way here, or NOT_CHARGED; and on every way. */
	uint32_t charged_at;
	bool charged_always;
	struct value regs[JF_REGS_MAX];
	struct cell cells[CELLS_MAX];
};

/* How offsets from the CFA are to be read. */
struct stack_map {
	int32_t bpf_low, bpf_high; /* the BPF stack, [low, high]; R10 is bpf_high */
	int32_t tcc, tcc_ptr;      /* state slots; 0: there is none */
	uint8_t count_reg;         /* or JF_REG_NONE */
	uint8_t count_start;       /* a fresh count, */
	uint8_t count_bytes;       /* its size in the slot, */
	bool count_by_value;       /* and whether it travels itself, not its address */
	bool is_main;              /* what the caller left in count_reg is no count */
	uint8_t reg_count;
	/* The code of a compiler: of the words of its frame, those alone are told apart that hold the caller's
	 * registers or an address of the frame. */
	bool saves_alone;
};

static inline uint32_t count_slot_bytes(const struct stack_map *map, int32_t slot)
{
	return slot == map->tcc ? map->count_bytes : 8;
}

/* What a tail call makes of the count. */
static inline int64_t count_step(const struct stack_map *map)
{
	return map->count_start ? -1 : 1;
}

static inline struct value value_const(int64_t imm)
{
	return (struct value){.kind = VALUE_CONST, .imm = imm};
}

static inline struct value value_entry(uint8_t reg)
{
	return (struct value){.kind = VALUE_ENTRY, .reg = reg};
}

static inline struct value value_cfa(int64_t off)
{
	return (struct value){.kind = VALUE_CFA, .imm = off};
}

static inline struct value value_unknown(uint32_t def, uint8_t reg)
{
	return (struct value){.kind = VALUE_UNKNOWN, .reg = reg, .def = def};
}

static inline struct value value_way_back(void)
{
	return (struct value){.kind = VALUE_UNKNOWN, .reg = JF_REG_NONE, .flags = VALUE_BACK, .def = DEF_ENTRY};
}

bool value_same(const struct value *a, const struct value *b);
/* Exactly what the caller had in `reg`; a return address may be signed. */
bool value_is_entry(const struct value *value, uint8_t reg);
bool value_is_cfa(const struct value *value, int32_t off);
/* Whether nobody can tell what it is, as opposed to: it is something else than asked for. */
bool value_is_vague(const struct value *value);
/* 0: no address of this stack. 1: at most one in the BPF stack. 2: perhaps any. 3: nothing is known. */
unsigned int value_taint(const struct stack_map *map, const struct value *value);
/* Something not known that is as tainted as `taint` says. */
struct value value_tainted(unsigned int taint, uint32_t def, uint8_t reg);
struct value value_extend(struct value value, unsigned int bytes, bool sign, uint32_t def, uint8_t reg);
struct value value_add(const struct stack_map *map, struct value a, struct value b, uint32_t def, uint8_t reg);
/* As callers of the library see it (held.c). */
struct jf_held value_held(const struct value *value);

/* What a value is in that case (choice.c). */
struct value value_part(const struct value *value, enum way way);
/* The value that is parts[way] in each case. The address of the count in force is a VALUE_COUNT with imm 1. */
struct value value_chosen(const struct stack_map *map, const struct value parts[WAY__COUNT]);
/* Whether `b` is what `a` is by that way. */
bool value_has_part(const struct stack_map *map, const struct value *a, enum way way, const struct value *b);
/* Where the two ways meet: `a` comes by the one, `b` by the other. returns: whether both are of interest. */
bool value_joins_ways(const struct stack_map *map, const struct value *a, enum way way, const struct value *b,
		      struct value *joined);
void value_chosen_text(const struct value *value, char *text, size_t capacity);

/* "CFA-24", "the caller's s0", "5"; text[0, capacity). */
void value_text(const struct jf_backend *backend, const struct value *value, char *text, size_t capacity);
#define VALUE_TEXT_MAX 64

/* Where a function is entered: no memory is known, and nothing has been done about the count. */
static inline void state_clear(struct state *state)
{
	state->cell_count = 0;
	state->cells_dropped = false;
	state->came_in = WAY__COUNT;
	state->in_pad = PAD_NEVER;
	state->charged_at = NOT_CHARGED;
	state->charged_always = true;
}

/* The cell that begins there, or NULL. */
const struct cell *state_cell_at(const struct state *state, int32_t off);
/* The same, of that size. */
const struct cell *state_cell(const struct state *state, int32_t off, uint32_t bytes);
/* Forgets what overlaps [off, off + bytes), a size of 0 being any. */
void state_forget(struct state *state, int32_t off, uint32_t bytes);
void state_forget_below(struct state *state, int64_t off);
void state_store(struct state *state, int32_t off, uint32_t bytes, struct value value);

/*
 * into = what holds on both ways, at the code offset where they meet.
 * returns: whether `into` is another one than before.
 */
bool state_join(const struct stack_map *map, struct state *into, const struct state *from, uint32_t code_off);

#endif
