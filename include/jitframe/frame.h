/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_FRAME_H
#define JF_FRAME_H

#include <jitframe/export.h>
#include <jitframe/reg.h>
#include <jitframe/status.h>
#include <jitframe/types.h>

JF_BEGIN_DECLS

/* ---- the description: data that a backend states ------------------------------------------- */

/* What a function is to exceptions. */
enum jf_role {
	JF_ROLE_MAIN,
	JF_ROLE_SUBPROGRAM,
	JF_ROLE_BOUNDARY, /* a main program that some callee may throw into */
	JF_ROLE_CALLBACK, /* runs in the boundary's frame after a throw */
	JF_ROLE__COUNT
};

/* What a slot holds. */
enum jf_slot_kind {
	JF_SLOT_RETURN,    /* return address; .reg = the link register, or the pc where a call pushes it */
	JF_SLOT_SAVE,      /* a register's value as the caller had it; also the previous FP */
	JF_SLOT_SPILL,     /* a register's value in this frame: fills a pair */
	JF_SLOT_TCC,       /* tail-call count */
	JF_SLOT_TCC_PTR,   /* address of the count that is in force */
	JF_SLOT_PAD,       /* alignment */
	JF_SLOT_BPF_STACK, /* what BPF code addresses below R10 */
	JF_SLOT_OUT_ARGS,  /* outgoing stack arguments */
	JF_SLOT_CLEANUP,   /* a word of the throw whose clean-up pad runs in this frame (JF_CLEANUP_RESUMED) */
	JF_SLOT_THROW,     /* a register's value in this frame where the frame throws; JF_CLEANUP_CALLED */
	JF_SLOT__COUNT
};

/* What a spec needs, as bits. A slot rule is in force when the rule and the spec have a bit in common. */
enum {
	JF_WHEN_ALWAYS = 1 << 0,
	JF_WHEN_MAIN = 1 << 1,       /* role main or boundary */
	JF_WHEN_SUBPROGRAM = 1 << 2, /* role subprogram only */
	JF_WHEN_BOUNDARY = 1 << 3,
	JF_WHEN_CALLBACK = 1 << 4,
	JF_WHEN_USED = 1 << 5, /* a BPF register that lives in the rule's register is used */
	JF_WHEN_FP = 1 << 6,   /* the BPF frame pointer is used (a stack implies it) */
	JF_WHEN_TAIL_CALLS = 1 << 7,
	JF_WHEN_ARENA = 1 << 8,
	JF_WHEN_PRIVATE_STACK = 1 << 9,
	JF_WHEN_OUT_ARGS = 1 << 10,
	JF_WHEN_BPF_STACK = 1 << 11, /* JF_WHEN_FP, with a BPF stack of more than 0 bytes or a private stack */
	JF_WHEN_CALLS = 1 << 12,     /* unless the spec says leaf: the return address may stay in its register */
	JF_WHEN_CLEANUPS = 1 << 13,  /* the spec's cleanups */
	JF_WHEN_THROWS = 1 << 14,    /* JF_WHEN_CLEANUPS, in a function that throws itself */
};
/* The two roles that land: what they have in common. */
#define JF_WHEN_EXCEPTION (JF_WHEN_BOUNDARY | JF_WHEN_CALLBACK)

/* One slot of a convention: it exists in a frame when (spec needs & when) != 0. */
struct jf_slot_rule {
	uint8_t kind; /* enum jf_slot_kind */
	uint8_t reg;  /* register id, or JF_REG_NONE */
	uint16_t when;
};

/*
 * An area of a frame. Areas are laid out one after the other from the CFA downwards, and the rules of an area in order.
 * group 1: every slot lies below the slot before. group 2: slots lie in pairs, the first of each pair at the lower
 * address; a single last slot gets padding above. The area's end is rounded down, so that the end's distance from the
 * CFA is a multiple of align_bytes.
 */
struct jf_area {
	const struct jf_slot_rule *rules;
	uint8_t rule_count;
	uint8_t group;
	uint8_t align_bytes;
};

enum {
	JF_CAP_EXCEPTIONS = 1 << 0, /* frame record, callback protocol and a walker are all there */
	JF_CAP_TAIL_CALLS = 1 << 1,
	JF_CAP_ARENA = 1 << 2,
	JF_CAP_PRIVATE_STACK = 1 << 3,
	JF_CAP_PRIVATE_STACK_CALLBACK = 1 << 4, /* a callback may have a private stack, too */
	JF_CAP_OUT_ARGS = 1 << 5,
	JF_CAP_LANDING_PADS = 1 << 6,  /* ENDBR64, BTI */
	JF_CAP_SIGN_RETURN = 1 << 7,   /* PAC */
	JF_CAP_RUN = 1 << 8,           /* the code runs in user space as it stands */
	JF_CAP_USER_BASE = 1 << 9,     /* per-CPU addresses and private stacks go by the thread pointer */
	JF_CAP_ATOMIC_INSNS = 1 << 10, /* atomic operations have two forms: jf_compile_opts.atomic_insns */
};

/* How a callback takes over the boundary's frame. */
enum jf_landing {
	JF_LANDING_NONE,    /* no callback protocol */
	JF_LANDING_ADOPT,   /* the callback uses the boundary's save slots; its epilogue restores them */
	JF_LANDING_RESTORE, /* the callback's prologue restores the save slots and builds a frame under the same FP */
};

/* How the tail-call count travels between programs. */
enum jf_count_form {
	/* The count lies in the frame of a main program, and whatever the program calls gets the address. Where C or a
	 * tail call enters a main program, the register holds a count or an address: no address is as small. */
	JF_COUNT_BY_ADDRESS,
	/* The register holds the count itself. A callee hands the count back in the same register (count_returned). */
	JF_COUNT_BY_VALUE,
	JF_COUNT_IN_MEMORY, /* no register: the callee finds the count in the frame of its caller */
	JF_COUNT__COUNT
};

/* How SP goes down from the save area to the end of the frame: what reaches a slot, or R10, depends on it. */
enum jf_sp_steps {
	JF_SP_AT_ONCE,     /* to the end before the first register is stored: frames are small, R10 is found by SP */
	JF_SP_SAVES_FIRST, /* to the end of the save area, then over all below at once: R10 is found by FP */
	JF_SP_EACH_AREA, /* to the end of the save area, over the BPF stack, over the arguments: R10 is SP on the way */
	JF_SP__COUNT
};

/* How a clean-up pad of a frame comes to run when a throw skips the frame. */
enum jf_cleanup_entry {
	JF_CLEANUP_NONE, /* it does not: programs that have pads and can throw are refused */
	/*
	 * The unwinder calls the pad as a subroutine on its own stack, with R6-R9, R10, FP and arena of the frame; the
	 * pad goes back to the unwinder. The unwinder finds registers in memory alone: what the frame had at a call has
	 * been saved by the function that was called, so every function of a program with pads saves what a boundary
	 * saves (JF_WHEN_CLEANUPS). In front of a call that throws, the frame stores them itself, in slots of kind
	 * JF_SLOT_THROW.
	 */
	JF_CLEANUP_CALLED,
	/* The frame goes on at its pad, with SP and all registers as they were at the call. A frame with pads has two
	 * slots of kind JF_SLOT_CLEANUP, for what the resume has to know. */
	JF_CLEANUP_RESUMED,
	JF_CLEANUP__COUNT
};

/* Two options (JF_WHEN_ bits) that exclude each other in this convention, and why. */
struct jf_conflict {
	uint16_t a;
	uint16_t b;
	const char *reason;
};

/*
 * One way of laying out JIT frames on one architecture. Offsets are bytes from the CFA; a negative offset is a lower
 * address. owns: const and static; the library never frees a convention. Sources: the `linux` conventions follow
 * arch/ARCH/net/bpf_jit_comp.c of Linux, the `user` conventions the platform's psABI.
 */
struct jf_convention {
	uint32_t size; /* sizeof(struct jf_convention) of the file that defines it */
	const char *name;
	const char *summary;
	const struct jf_backend *backend;
	const struct jf_area *areas;
	uint8_t area_count;
	uint8_t landing;                    /* enum jf_landing */
	uint8_t bpf_reg[JF_BPF_REG__COUNT]; /* register id that each BPF register lives in */
	uint8_t bpf_fp_private;             /* register id of R10 with a private stack */
	uint8_t arena_reg;                  /* register id of the arena base */
	uint8_t extra_arg_regs;             /* outgoing arguments after the fifth that travel in registers */
	uint8_t bpf_stack_align;            /* the BPF stack's size is rounded up to a multiple of this, bytes */
	uint8_t out_args_align;             /* the same for the outgoing arguments' size */
	uint8_t frame_align;                /* SP is a multiple of this at every call (R7), bytes */
	uint32_t bpf_stack_max_bytes;
	int16_t fp_off_from_cfa;            /* value of the frame pointer register, from the CFA */
	uint16_t private_stack_guard_bytes; /* below the private stack */
	uint8_t result_bits;                /* of R0 that reach the ABI's return register: 32 (sign-extended) or 64 */
	uint32_t caps;                      /* JF_CAP_ */
	uint32_t backend_flags;             /* the backend's own variants, from its private header */
	uint8_t red_zone_bytes;             /* below SP that the function may use (R8) */
	const struct jf_conflict *conflicts;
	uint8_t conflict_count;
	/* ---- the tail-call count: has a meaning with JF_CAP_TAIL_CALLS only */
	uint8_t count_reg;   /* register in which the count, or its address, comes in and is handed on; JF_REG_NONE */
	uint8_t count_form;  /* enum jf_count_form */
	uint8_t count_start; /* a fresh count. 0: up to JF_TAIL_CALLS_MAX; JF_TAIL_CALLS_MAX: down to 0 */
	uint8_t count_bytes; /* of the count in its slot, 4 or 8 */
	bool count_returned; /* every epilogue loads the count register anew, as a tail exit does */
	/* ---- how frames are built by the hooks of struct jf_build_ops */
	uint8_t sp_steps;     /* enum jf_sp_steps */
	uint8_t tail_keeps;   /* slots, from the first on, that stay over a tail call: a tail call enters behind them */
	uint16_t bpf_fp_when; /* R10's register is set when the spec and this have a JF_WHEN_ bit in common */
	/* ---- what runs beside the code */
	uint8_t cleanup_entry; /* enum jf_cleanup_entry */
	/* JF_CLEANUP_CALLED: register through which a pad goes back to the unwinder. The pad's calls keep it. Ignored
	 * where a call pushes the return address: there a pad returns. */
	uint8_t cleanup_back;
	bool stub_offsets; /* AX of timed may_goto is an offset: the system's stub adds bpf_reg[JF_BPF_FP] */
};

/* ---- a spec and its solution ---------------------------------------------------------------- */

/* What one function needs of its frame. Start from JF_FRAME_SPEC_INIT. */
struct jf_frame_spec {
	uint32_t size; /* sizeof(struct jf_frame_spec); bytes beyond what this library knows must be 0 */
	uint32_t role; /* enum jf_role */
	uint32_t bpf_stack_bytes;
	uint16_t bpf_regs_used; /* bit n = Rn, n = 6..10; other bits are ignored */
	uint8_t out_args;       /* outgoing arguments after the fifth, 0..7 */
	bool tail_calls;        /* a tail call can be reached from here: the count is kept */
	bool arena;
	bool private_stack;
	bool landing_pads; /* ENDBR64 or BTI at indirect entries */
	bool sign_return;  /* PAC */
	bool leaf;         /* calls nothing, or makes nothing but tail calls; jf_compile() knows */
	bool classic;      /* converted from classic BPF, which has no tail calls: no code is made ready for one */
	/* Clean-up pads. RESUMED: this function has some. CALLED: its program has some, and this is not the
	 * callback. */
	bool cleanups;
	bool throws;         /* CALLED, with cleanups: this function calls what throws */
	uint8_t reserved[8]; /* 0; other structs hold this one, so that its size stays as it is */
};
/* A plain main function: no stack, no options. */
/* clang-format off */
#define JF_FRAME_SPEC_INIT \
	{ \
		sizeof(struct jf_frame_spec), JF_ROLE_MAIN, 0, 0, 0, false, false, false, false, false, false, false, \
			false, false, { 0 } \
	}
/* clang-format on */
/* Outgoing arguments after the fifth, at most. */
#define JF_OUT_ARGS_MAX 7

/* One slot of a solved frame: [CFA + off_from_cfa, + size_bytes). */
struct jf_slot {
	uint8_t kind; /* enum jf_slot_kind */
	uint8_t reg;  /* register id, or JF_REG_NONE */
	uint16_t reserved;
	int32_t off_from_cfa;
	uint32_t size_bytes;
};

/* Slots of one frame, at most. */
#define JF_FRAME_SLOTS_MAX 32

/* A solved frame: plain data, copied freely. Slots are in the order of the convention's areas. */
struct jf_frame {
	const struct jf_convention *conv;
	struct jf_frame_spec spec;
	uint16_t needs; /* JF_WHEN_ bits of the spec */
	uint8_t slot_count;
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	uint32_t size_bytes;             /* CFA - SP, after the prologue */
	uint32_t fixed_bytes;            /* size_bytes less BPF stack and outgoing arguments */
	uint32_t bpf_stack_bytes;        /* rounded; 0 with a private stack */
	uint32_t out_args_bytes;         /* rounded; of the arguments that travel on the stack */
	int32_t bpf_fp_off_from_cfa;     /* value of R10, from the CFA (meaningless with a private stack) */
	int32_t landing_sp_off_from_cfa; /* second argument of a callback that lands in this frame (R11) */
};

/*
 * Solves a frame: gives every slot its offset.
 * in:  error may be NULL.
 * out: *frame, on JF_OK only.
 * returns: JF_E_INVAL (NULL, unknown role, a spec from a newer header), JF_E_BAD_SPEC (a field is over its limit, or
 *      two options exclude each other), JF_E_UNSUPPORTED (the convention lacks the capability), JF_E_BAD_DESC (the
 *      frame has more than JF_FRAME_SLOTS_MAX slots). error->where is the field's name as in struct jf_frame_spec.
 * threads: any; allocates nothing; async-signal-safe when error is NULL.
 */
JF_API JF_CHECK enum jf_status jf_frame_solve(const struct jf_convention *conv, const struct jf_frame_spec *spec,
					      struct jf_frame *frame, struct jf_error *error);

/* Index of the first slot of that kind and register (JF_REG_NONE: any register). returns: -1 when the frame has no such
 * slot. threads: any, async-signal-safe. */
JF_API int jf_frame_slot(const struct jf_frame *frame, enum jf_slot_kind kind, uint8_t reg);

/* Bit n: slot n holds a caller's value (kinds RETURN and SAVE), as in struct jf_row.saved. threads: any,
 * async-signal-safe. */
JF_API uint32_t jf_frame_saved_mask(const struct jf_frame *frame);

/*
 * Solves the convention's plainest boundary: no BPF stack, no options. The slots of kind SAVE are what every boundary
 * of the convention saves and a callback restores, in this order.
 * out: *frame, on JF_OK only. returns: as jf_frame_solve(); JF_E_UNSUPPORTED without JF_CAP_EXCEPTIONS.
 * threads: any, async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_frame_boundary(const struct jf_convention *conv, struct jf_frame *frame);

/*
 * Where an unwinder that calls clean-up pads (JF_CLEANUP_CALLED) finds registers: the lowest slot of an area, in bytes
 * from FP. JF_SLOT_SAVE: what the caller had; Linux calls this number spill_off. JF_SLOT_THROW: what this frame had
 * where it threw. Example: -96 for a subprogram of arm64/linux.
 * returns: 0 when the frame has no such slot. threads: any, async-signal-safe.
 */
JF_API int32_t jf_frame_spill_off(const struct jf_frame *frame, enum jf_slot_kind kind);

/* Whether the frame is one whose pads are called: its code reaches the frame by FP alone. threads: any,
 * async-signal-safe. */
JF_API bool jf_frame_calls_pads(const struct jf_frame *frame);

/* ---- what every frame of a convention has (src/frame/record.c) --------------------------------- */

/* Slots of the frame record, as jf_frame_record() gives them and call stubs have them. */
enum { JF_RECORD_RETURN, JF_RECORD_FP, JF_RECORD__COUNT };

/*
 * The frame record: where every frame of the convention keeps the return address and the caller's frame pointer.
 * The offsets come from the convention's slot rules.
 * out: slots[JF_RECORD_RETURN], slots[JF_RECORD_FP], on JF_OK only.
 * returns: JF_E_INVAL for NULL; JF_E_BAD_DESC when a plain main program lacks one of the two slots.
 * threads: any; allocates nothing; async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_frame_record(const struct jf_convention *conv,
					       struct jf_slot slots[JF_RECORD__COUNT]);

/*
 * A frame's private stack, in bytes from the constant P (struct jf_values):
 *
 *     P                    P + top_off              P + size_bytes
 *     |  guard  |  BPF stack  |  guard  |
 *               ^             ^
 *               low_off       top_off: the value of R10
 *
 * All 0 for a frame without a private stack.
 */
struct jf_private_stack {
	uint32_t low_off;
	uint32_t top_off;
	uint32_t size_bytes;
};
/* threads: any; async-signal-safe. in: a solved frame. */
JF_API struct jf_private_stack jf_frame_private_stack(const struct jf_frame *frame);

/*
 * Where argument 5 + n of a call goes, n from 1: a register, or the stack.
 * `off` counts bytes from SP at the call for the caller, from the CFA for the callee: the two are one address.
 */
struct jf_arg_place {
	uint8_t reg; /* register id; JF_REG_NONE: the stack */
	int32_t off;
};
/* Between BPF functions, by the convention. threads: any; async-signal-safe. */
JF_API struct jf_arg_place jf_bpf_arg_place(const struct jf_convention *conv, unsigned int n);
/* For C functions, by the platform ABI: struct jf_backend.args. threads: any; async-signal-safe. */
JF_API struct jf_arg_place jf_c_arg_place(const struct jf_backend *backend, unsigned int n);

/* Whether the convention has all of the capabilities in `caps` (JF_CAP_ bits). threads: any, async-signal-safe. */
JF_API bool jf_convention_supports(const struct jf_convention *conv, uint32_t caps);

/*
 * The callee-saved registers of the platform ABI that a boundary of this convention leaves out. Example:
 * loongarch64/linux-v2 gives s7, s8 and fs0 to fs7. With an empty list rule R3 holds.
 * out: up to `capacity` register ids in regs[]. returns: the number of all these registers; what jf_frame_boundary()
 *      returns, negative, when the convention has no boundary. threads: any, async-signal-safe.
 */
JF_API int jf_convention_unsaved(const struct jf_convention *conv, uint8_t *regs, size_t capacity);

JF_END_DECLS

#endif
