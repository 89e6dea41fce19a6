/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_H
#define JF_WALK_H

#include <jitframe/cfi.h>
#include <jitframe/codemap.h>

JF_BEGIN_DECLS

/*
 * The memory that a walk may read: addresses [low, high). With `read` NULL the walk reads this process's own memory.
 * Otherwise read(arg, address, value) gives the 8 bytes at `address`, converted from the backend's byte order to host
 * order, and returns JF_OK or JF_E_READ.
 */
struct jf_memory {
	uint32_t size; /* sizeof(struct jf_memory) */
	uint64_t low, high;
	enum jf_status (*read)(void *arg, uint64_t address, uint64_t *value);
	void *arg;
};

/*
 * What a walk goes by, in this order. All zero, or no options at all, is for code of this process: the code map, then
 * .eh_frame; code that neither of both describes ends the walk.
 *
 *     1. the code map                          rows
 *     2. C code                                `orc` when given, else .eh_frame (jf_cfi_find())
 *     3. `guess`, when given                   the record of jf_frame_record(), CFA = FP - fp_off_from_cfa
 */
struct jf_walk_opts {
	uint32_t size; /* sizeof(struct jf_walk_opts) */
	/* Generated code goes by the frame record (3), even where the code map has rows: Linux's BPF stack walk. */
	bool by_record;
	/* Where nothing describes the code, the frame record of this convention is taken. NULL: the walk ends there. */
	const struct jf_convention *guess;
	/* C code's unwind information, for a captured kernel stack. NULL: .eh_frame. owns: the caller's, must outlive
	 * the walk. */
	const struct jf_orc_index *orc;
	const struct jf_orc_format *orc_format; /* of `orc`; NULL: the backend's newest */
	/* For jf_walk_here() and jf_walk_context() on a stack that the program itself has made (a coroutine's). NULL:
	 * the thread's stack, see jf_thread_init(). */
	const struct jf_memory *memory;
};

/*
 * A walk in progress: the caller's memory, the library's contents. Every function that starts a walk opens a reader
 * section (jf_code_map_enter()), which jf_walk_end() closes:
 *
 *     struct jf_walk walk;
 *     enum jf_status status = jf_walk_here(&walk, NULL);
 *     const struct jf_walk_frame *frame = jf_walk_at(&walk);
 *
 *     for (; status == JF_OK; status = jf_walk_step(&walk))
 *         printf("%#lx %s\n", frame->pc, frame->name ? frame->name : "?");
 *     jf_walk_end(&walk);
 *
 * A walk that started has to be ended, in its thread, before the function that holds the struct returns, and before a
 * throw or longjmp(3) leaves that function. Walks and reader sections nest: the one that began last ends first. While a
 * walk is not ended, jf_code_map_remove() and jf_unload() wait in other threads, and return JF_E_IN_SECTION in this
 * one. A start that fails leaves nothing open; jf_walk_end() does nothing then.
 *
 * The size stays as it is: 2048 bytes, of which later versions may use more. owns: must not be copied or moved.
 * threads: one at a time.
 */
#define JF_WALK_WORDS 256
struct jf_walk {
	uint64_t opaque[JF_WALK_WORDS];
};

/*
 * What a walk shows of the frame at which it stands. pc of the first frame is given; in later frames pc is a return
 * address and pc_is_return is true; behind a signal trampoline pc is where the signal interrupted, and pc_is_return is
 * false. Registers, SP and FP are read by jf_walk_reg(), jf_walk_sp() and jf_walk_fp().
 */
struct jf_walk_frame {
	uint32_t size; /* of this struct in the library that runs: fields at or behind this offset are not there */
	bool pc_is_return;
	bool guessed; /* a frame before this one was left by a guessed frame record: this frame may be wrong */
	uint8_t slot_count;
	uint64_t pc;                            /* a code address */
	uint64_t cfa;                           /* of this frame; valid when row is set */
	const struct jf_range *range;           /* of pc; NULL: not in the code map */
	const struct jf_cfi_function *function; /* C code, by its .eh_frame; NULL: none, or in the code map */
	const struct jf_orc_entry *orc;         /* C code, by ORC; NULL: none */
	const struct jf_row *row;               /* of range, function, orc or guess; NULL: none */
	const struct jf_slot *slots;            /* slots[0, slot_count): what row->saved refers to */
	const char *name;      /* of the range; in C code the path of the object ("" for the program); NULL: none */
	uint64_t fail_address; /* after an error: the address that could not be read or found */
};

/*
 * The frame at which a walk stands. The pointer stays the same: after each step the struct shows the next frame.
 * After a start that failed, and behind jf_walk_end(), pc and fail_address stay, and all pointers are NULL.
 * in:  a walk that a start was called for, or one that a throw shows to an observer or handler.
 * returns: NULL for NULL. owns: the walk's, valid as long as the struct jf_walk. What range, function, orc, row, slots
 *      and name point to is readable until jf_walk_end().
 * threads: as jf_walk_step().
 */
JF_API const struct jf_walk_frame *jf_walk_at(const struct jf_walk *walk);

/*
 * Starts a walk.
 * in:  regs: sp, fp and callee-saved registers of the frame that pc lies in; pc_is_return: pc is the return address of
 *      a call that is still running, and is looked up by the byte before (R17).
 * returns: JF_OK, with a reader section open until jf_walk_end(); with none open: JF_E_NO_ROW (nothing describes pc, or
 *      the row says unknown; the walk still shows pc, sp and fp); JF_E_LOST (the row's CFA register is unknown);
 *      JF_E_INVAL (NULL, or `memory` of another header).
 * threads: any; allocates nothing, async-signal-safe as far as memory->read is.
 */
JF_API JF_CHECK enum jf_status jf_walk_start(struct jf_walk *walk, const struct jf_backend *backend,
					     const struct jf_memory *memory, const struct jf_regs *regs, uint64_t pc,
					     bool pc_is_return);
/* Starts a walk with options (NULL: none), which are copied. returns: as jf_walk_start(); JF_E_INVAL also for options
 * of another header, a convention or ORC format of another backend, by_record without guess; JF_E_UNSUPPORTED for `orc`
 * of an architecture without ORC. threads: as jf_walk_start(). */
JF_API JF_CHECK enum jf_status jf_walk_start_with(struct jf_walk *walk, const struct jf_backend *backend,
						  const struct jf_memory *memory, const struct jf_regs *regs,
						  uint64_t pc, bool pc_is_return, const struct jf_walk_opts *opts);

/*
 * Starts a walk of the present thread at the caller of jf_walk_here(). The caller must not return before the walk ends.
 * C code has rows once jf_cfi_load_objects() was called, as jf_load() does: before, the walk has none (JF_E_NO_ROW).
 * returns: as jf_walk_start_with(); JF_E_NO_THREAD (jf_thread_init() was not called in this thread); JF_E_NOT_FOUND (SP
 *      lies in no stack of the thread: a coroutine's stack is to be given in opts->memory); JF_E_UNSUPPORTED on a host
 *      without native stubs. threads: as jf_walk_start().
 */
JF_API JF_CHECK enum jf_status jf_walk_here(struct jf_walk *walk, const struct jf_walk_opts *opts);

/*
 * Starts a walk at the instruction that a signal interrupted in the present thread.
 * in:  ucontext: the third argument of the signal's handler (ucontext_t, sigaction(2)). pc is looked up as it is. All
 *      integer registers are known, and the floating-point registers that the context has.
 * returns: as jf_walk_here(). threads: as jf_walk_start().
 */
JF_API JF_CHECK enum jf_status jf_walk_context(struct jf_walk *walk, const void *ucontext,
					       const struct jf_walk_opts *opts);

/*
 * Sets the present thread up, once for the thread: makes the thread's record (docs/process.md), which holds its private
 * stacks and what walks and throws remember, and finds the bounds of its stack (pthread_getattr_np(3)).
 * jf_walk_here(), jf_walk_context() and jf_throw() then read inside of these bounds only, or inside of the alternate
 * signal stack when they start there. The end of the thread gives the record back.
 * returns: JF_E_NO_MEMORY (no memory for the record, or no key of pthread_key_create(3) is left); JF_E_NOT_FOUND (the
 *      system gives no bounds; the record is there). threads: any, outside of signal handlers: takes a lock, may
 *      allocate.
 */
JF_API JF_CHECK enum jf_status jf_thread_init(void);

/*
 * Ends a walk: closes the reader section that the start has opened. A second call does nothing, nor does a call after a
 * start that failed, nor NULL. A step behind the end returns JF_E_NO_ROW.
 * in:  a walk that a start was called for. threads: the one that started the walk; async-signal-safe.
 */
JF_API void jf_walk_end(struct jf_walk *walk);

/*
 * Goes to the caller's frame. From a signal's trampoline the step goes to the frame that the signal interrupted, with
 * the integer registers that the kernel has stored; pc_is_return is false then. Such a step may lead onto another
 * stack, once in a walk.
 * returns: JF_OK; JF_E_INVAL (NULL);
 *      JF_END when the present frame is an ENTRY range (C called BPF code there) or the outermost frame of a
 *      thread; JF_E_NO_ROW (nothing describes the present or the next pc), JF_E_READ (memory outside of the bounds),
 *      JF_E_LOST (a register that the step needs is unknown), JF_E_STUCK (the CFA did not grow), JF_E_BAD_IMAGE (an ORC
 *      entry that the format's unwinder does not know). After an error the walk stands where it could not go on,
 *      and still has to be ended.
 * threads: the one that started the walk; allocates nothing, async-signal-safe as far as memory->read is.
 */
JF_API JF_CHECK enum jf_status jf_walk_step(struct jf_walk *walk);

/*
 * Goes to the caller's frame as jf_walk_step() does, and from an ENTRY range into the C code that entered BPF code
 * there: up to the thread's outermost frame, for profilers and backtraces. Throws stop at ENTRY ranges.
 * returns: as jf_walk_step(); JF_E_NO_ROW at an ENTRY range when no objects were loaded (jf_cfi_load_objects()).
 * threads: as jf_walk_step().
 */
JF_API JF_CHECK enum jf_status jf_walk_step_past_entry(struct jf_walk *walk);

/* A register's value in the present frame, in host byte order. out: *value when the call returns true. returns: whether
 * the value is known; false also for an id that the backend lacks, and for NULL. threads: any, async-signal-safe. */
JF_API bool jf_walk_reg(const struct jf_walk *walk, uint8_t reg, uint64_t *value);

/* The present frame's stack pointer and frame pointer; 0 for NULL. threads: any, async-signal-safe. */
JF_API uint64_t jf_walk_sp(const struct jf_walk *walk);
JF_API uint64_t jf_walk_fp(const struct jf_walk *walk);

/*
 * Whether a clean-up pad runs in the present frame for a throw (cleanup.h). Example: of a walk that an uncaught handler
 * gets with JF_E_IN_PAD, whose throw came out of a pad. out: *cookie (NULL: not wanted): the cookie of the throw whose
 * pad it is, when the call returns true. returns: false also for NULL. threads: as jf_walk_step().
 */
JF_API bool jf_walk_cleanup(const struct jf_walk *walk, uint64_t *cookie);

/* ---- as Linux's bpf_throw() walks ------------------------------------------------------------------- */

/*
 * Walks the present thread from the caller on, innermost frame first. C frames go by .eh_frame; generated code goes by
 * the frame record of the host's conventions, and starts with the live frame pointer. The code map's rows are left
 * aside: the kernel's JITs get along with such a walk, which is right at every call and wrong in prologues and
 * epilogues.
 * returns: JF_OK when `consume` returned false; JF_END at the thread's outermost frame; JF_E_INVAL (NULL); otherwise as
 *      jf_walk_here() and jf_walk_step().
 * threads: any; opens a reader section, which `consume` must not leave by longjmp(3); allocates nothing,
 *      async-signal-safe as far as `consume` is.
 */
JF_API JF_CHECK enum jf_status jf_bpf_stack_walk(jf_bpf_frame_fn consume, void *cookie);

/*
 * Walks a captured stack as jf_bpf_stack_walk() walks the present thread's.
 * in:  conv: the convention whose frame record generated code has; pc (a return address), sp and fp of the first frame;
 *      orc: for C frames; NULL: .eh_frame (see jf_cfi_add()).
 * returns: as jf_bpf_stack_walk() and jf_walk_start_with(). threads: as jf_bpf_stack_walk().
 */
JF_API JF_CHECK enum jf_status jf_bpf_stack_walk_from(const struct jf_convention *conv, const struct jf_memory *memory,
						      const struct jf_orc_index *orc, uint64_t pc, uint64_t sp,
						      uint64_t fp, jf_bpf_frame_fn consume, void *cookie);

/* ---- between the native stubs and the core ------------------------------------------------------- */

/* What the stubs jf_walk_here() and jf_bpf_stack_walk() of struct jf_native call, with registers and pc (a return
 * address) of the stub's caller. returns, threads: as the two functions. */
JF_API JF_CHECK enum jf_status jf_walk_here_from(struct jf_walk *walk, const struct jf_walk_opts *opts,
						 const struct jf_regs *regs, uint64_t pc);
JF_API JF_CHECK enum jf_status jf_bpf_stack_walk_here_from(jf_bpf_frame_fn consume, void *cookie,
							   const struct jf_regs *regs, uint64_t pc);

JF_END_DECLS

#endif
