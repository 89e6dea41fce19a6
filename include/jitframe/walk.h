/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_H
#define JF_WALK_H

#include <jitframe/cfi.h>
#include <jitframe/codemap.h>

JF_BEGIN_DECLS

/*
 * Where a walk reads memory: [low, high) in bytes. `read` NULL = this process's own memory, read
 * directly. Else read(arg, address, value) gives the 8 bytes there in the backend's byte order made
 * host order, and returns JF_OK or JF_E_READ.
 */
struct jf_memory {
	uint64_t low, high;
	enum jf_status (*read)(void *arg, uint64_t address, uint64_t *value);
	void *arg;
};

/*
 * What a walk goes by. Zero, or no options at all, is for code of this process: the code map, then .eh_frame;
 * code that neither describes ends the walk.
 *
 *     1. the code map                          rows
 *     2. C code                                `orc` when given, else .eh_frame (jf_cfi_find())
 *     3. `guess`, when given                   [CFA + ra_off], [CFA + prev_fp_off], CFA = FP - fp_off
 */
struct jf_walk_opts {
	uint32_t size; /* sizeof(struct jf_walk_opts) */
	/* Generated code goes by the frame record (3) although the code map has rows: as Linux's BPF stack walk. */
	bool by_record;
	/* The convention whose frame record is taken where nothing describes the code. NULL: the walk ends there. */
	const struct jf_convention *guess;
	/* Where C code's unwind information is, of a captured kernel stack. NULL: .eh_frame. Not copied. */
	const struct jf_orc_index *orc;
	const struct jf_orc_format *orc_format; /* of `orc`; NULL: the backend's newest */
	/* For jf_walk_here() and jf_walk_context() on a stack of the program's own making (a coroutine's). NULL: the
	 * thread's, see jf_walk_thread_init(). */
	const struct jf_memory *memory;
};

#define JF_KNOWN_WORDS ((JF_REGS_MAX + 63) / 64)

/*
 * A walk in progress; the caller's memory. pc, sp, fp belong to the present frame. pc of the first
 * frame is given; in later frames it is a return address, and pc_is_return says so.
 * Not to be copied: `row` and `slots` may lie inside.
 */
struct jf_walk {
	const struct jf_backend *backend;
	struct jf_memory memory;
	struct jf_regs regs;            /* callee-saved ones, sp and fp as they were in this frame */
	uint64_t known[JF_KNOWN_WORDS]; /* bit per register id: its value is known */
	uint64_t pc;
	bool pc_is_return;
	bool guessed; /* a frame before this one was left by the frame record: what is shown here may be wrong */
	uint8_t slot_count;
	const struct jf_range *range;           /* of pc; NULL: not in the code map */
	const struct jf_cfi_function *function; /* C code, by its .eh_frame; NULL: none, or in the code map */
	const struct jf_orc_entry *orc;         /* C code, by ORC; NULL: none */
	const struct jf_row *row;               /* of any of these, or JF_ROW_GUESSED; NULL: none */
	const struct jf_slot *slots;            /* what row->saved refers to */
	const char *name;      /* the range's; of C code the path of its object ("" for the program); NULL: none */
	uint64_t cfa;          /* of this frame; valid when row is set */
	uint64_t fail_address; /* what could not be read or found, after an error */
	/* The walker's own. */
	bool remembers;       /* look-ups of return addresses: src/walk/memo.h */
	uint16_t plain_depth; /* not 0: the present frame is left by ... */
	int16_t plain_ra_off, plain_fp_off;
	uint32_t plain_others;                /* slots other than these two */
	uint64_t plain_known[JF_KNOWN_WORDS]; /* registers that are known after it, whatever was before */
	uint64_t plain_kept[JF_KNOWN_WORDS];  /* those that stay known */
	uint64_t kept[JF_KNOWN_WORDS];        /* callee-saved registers */
	uint64_t outer_low, outer_high;       /* the stack that a signal on this one interrupted; 0, 0: none */
	uint64_t orc_context;
	struct jf_walk_opts opts;
	struct jf_row made_row;
	struct jf_slot made_slots[2];
	struct jf_slot guess_slots[JF_RECORD__COUNT]; /* of opts.guess */
};

/*
 * Starts a walk. in: regs gives sp, fp and callee-saved registers of the frame that pc lies in;
 * pc_is_return: pc is the return address of a call that is still running, looked up by the byte before
 * it (R17).
 * returns: JF_OK; JF_E_NO_ROW when nothing describes pc or its row says unknown (the cursor then still shows
 *      pc, sp, fp); JF_E_READ, JF_E_LOST (the row's CFA register is not known); JF_E_INVAL.
 * The caller holds a jf_code_map_enter() section over the whole walk. Allocates nothing,
 * async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_walk_start(struct jf_walk *walk, const struct jf_backend *backend,
					     const struct jf_memory *memory, const struct jf_regs *regs, uint64_t pc,
					     bool pc_is_return);
/* The same with options (NULL: none), which are copied. returns: JF_E_INVAL also for options of another header, a
 * convention or ORC format of another backend, by_record without guess; JF_E_UNSUPPORTED for `orc` where the
 * architecture has none. */
JF_API JF_CHECK enum jf_status jf_walk_start_with(struct jf_walk *walk, const struct jf_backend *backend,
						  const struct jf_memory *memory, const struct jf_regs *regs,
						  uint64_t pc, bool pc_is_return, const struct jf_walk_opts *opts);

/*
 * Starts a walk of the present thread at the caller of jf_walk_here(), whose frame has to stay while it goes on.
 * returns: as jf_walk_start_with(); JF_E_NOT_FOUND when the bounds of the stack are not known (see
 *      jf_walk_thread_init()); JF_E_UNSUPPORTED without native stubs. Section and signals as there.
 */
JF_API JF_CHECK enum jf_status jf_walk_here(struct jf_walk *walk, const struct jf_walk_opts *opts);

/*
 * Starts a walk at what a signal interrupted in the present thread. in: the third argument of the handler
 * (ucontext_t). The pc is looked up as it is, and all registers are known, FP ones as
 * far as the context has them.
 * returns: as jf_walk_here().
 */
JF_API JF_CHECK enum jf_status jf_walk_context(struct jf_walk *walk, const void *ucontext,
					       const struct jf_walk_opts *opts);

/*
 * Finds the bounds of the present thread's stack, once for the thread. jf_walk_here(), jf_walk_context() and
 * jf_throw() then never read outside of them, nor outside of the alternate signal stack where they start there.
 * returns: JF_E_NOT_FOUND (the system does not tell). Not from signal handlers: it may allocate.
 */
JF_API JF_CHECK enum jf_status jf_walk_thread_init(void);

/*
 * Goes to the caller's frame. From the trampoline that a signal handler returns to: to what was interrupted, with
 * the registers that the kernel has stored (integer ones; pc_is_return is false then), once onto another stack.
 * returns: JF_OK; JF_END when the present frame is an ENTRY range, C called BPF code there, or the
 *      outermost frame of a thread;
 *      JF_E_NO_ROW, JF_E_READ, JF_E_LOST, JF_E_STUCK (the CFA did not grow); JF_E_BAD_IMAGE (an ORC entry that
 *      its unwinder does not know). After an error the cursor stands where it could not go on.
 */
JF_API JF_CHECK enum jf_status jf_walk_step(struct jf_walk *walk);

/*
 * The same, and from an ENTRY range on into the C code that entered there: to the thread's outermost frame,
 * for profilers and backtraces. A throw never goes there. returns: as jf_walk_step(); JF_E_NO_ROW at an ENTRY
 * range when no objects were loaded (jf_cfi_load_objects()).
 */
JF_API JF_CHECK enum jf_status jf_walk_step_past_entry(struct jf_walk *walk);

/* Whether the register's value in the present frame is known, and the value. */
JF_API bool jf_walk_reg(const struct jf_walk *walk, uint8_t reg, uint64_t *value);

/* The present frame's stack pointer and frame pointer. */
JF_API uint64_t jf_walk_sp(const struct jf_walk *walk);
JF_API uint64_t jf_walk_fp(const struct jf_walk *walk);

/* ---- as Linux's bpf_throw() walks ------------------------------------------------------------------- */

/*
 * One frame, as arch_bpf_stack_walk() reports it. ip: the return address; where the kernel's ORC unwinder has it
 * so (struct jf_orc_format.call_bytes), less one instruction. sp, fp: of the function that ip lies in.
 * returns: whether to go on.
 */
typedef bool (*jf_bpf_frame_fn)(void *cookie, uint64_t ip, uint64_t sp, uint64_t fp);

/*
 * Walks the present thread from the caller on, innermost frame first: C frames by .eh_frame, generated code by
 * the frame record of the host's conventions, starting with the live frame pointer. What rows say about generated
 * code is not looked at: this is the walk that the kernel's JITs have to do with, right at every call
 * and wrong in prologues and epilogues.
 * returns: JF_OK when `consume` ended it; JF_END at the thread's outermost frame; else as jf_walk_here() and
 *      jf_walk_step(). threads: any, in a reader section of its own that `consume` must not leave by longjmp;
 *      allocates nothing, async-signal-safe as far as `consume` is.
 */
JF_API JF_CHECK enum jf_status jf_bpf_stack_walk(jf_bpf_frame_fn consume, void *cookie);

/*
 * The same on a captured stack. in: pc, a return address, sp and fp of the first frame; orc: for C frames, NULL: by
 * .eh_frame (see jf_cfi_add()); conv: whose frame record.
 */
JF_API JF_CHECK enum jf_status jf_bpf_stack_walk_from(const struct jf_convention *conv, const struct jf_memory *memory,
						      const struct jf_orc_index *orc, uint64_t pc, uint64_t sp,
						      uint64_t fp, jf_bpf_frame_fn consume, void *cookie);

JF_END_DECLS

#endif
