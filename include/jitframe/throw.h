/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_THROW_H
#define JF_THROW_H

#include <jitframe/walk.h>

JF_BEGIN_DECLS

/*
 * Throws: walks from the caller to the nearest boundary and enters the boundary's callback with (cookie, SP, FP). The
 * frames between are gone, and the callback's result becomes the boundary's result. A throw that is caught never
 * returns.
 *
 * The caller is generated code in the code map, directly or through call stubs, or C code that generated code called.
 * Any number of C frames may lie between, with or without frame pointers. C frames need .eh_frame, which compilers
 * write by default, and jf_cfi_load_objects() after their object was loaded. jf_load() calls jf_cfi_load_objects(). C
 * frames that a throw skips run no cleanups: memory and locks stay held.
 *
 * Generated code has clean-up pads (cleanup.h; ranges with cleanup_entry). The throw first finds the boundary; when
 * there is none, no pad runs. Then the pad of each frame whose call has one runs, innermost first, the boundary's own
 * last, and then the callback. JF_CLEANUP_RESUMED: the frame goes on at its pad, and jf_throw_resume() ends the pad.
 * JF_CLEANUP_CALLED: jf_throw() calls the pad on its own stack.
 *
 * Callee-saved registers reach the boundary's caller as the boundary saved them. A register that a boundary leaves out
 * (the `linux` conventions, rule R3) keeps the value that the skipped C frames left there.
 *
 * A boundary of a program catches what is thrown in its own run: the search for boundaries ends at the first ENTRY
 * range. jf_try() catches whatever comes: the search for jf_try() goes on further out, past ENTRY ranges and past
 * boundaries there. Both searches end at the first signal trampoline and at the first frame without rows, so that a
 * throw in a signal handler stays in the handler.
 *
 * returns: JF_E_NO_ROW when nothing describes the caller (nothing was thrown), JF_E_UNSUPPORTED on a host without
 *      native stubs and in a thread with a shadow stack. When no boundary catches the throw, the uncaught handler
 *      runs, then jf_uncaught_print() (backtrace.h) prints cookie and frames on standard error, and the process is
 *      aborted: the one place in the library that ends the process.
 * threads: any; allocates nothing, takes no lock, async-signal-safe as far as handler and observer are.
 */
JF_API JF_CHECK enum jf_status jf_throw(uint64_t cookie);

/*
 * The end of a clean-up pad that was resumed: the throw goes on behind the frame of the caller, which is a pad that a
 * throw has entered. This is what the BPF kfunc bpf_unwind_resume() calls, and `_Unwind_Resume` of compilers. Never
 * returns. A call from anywhere else ends as an uncaught throw with cookie 0 and JF_E_NOT_FOUND (JF_E_NO_ROW: nothing
 * describes the caller).
 * threads: as jf_throw().
 */
JF_API JF_CHECK enum jf_status jf_throw_resume(void);

/*
 * A boundary that C makes: calls fn(arg), and catches what is thrown meanwhile. Example:
 *
 *     switch (jf_try(parse, text, &value)) {
 *     case JF_OK:     ... parse() has returned `value` ...
 *     case JF_CAUGHT: ... some code under parse() has called jf_throw(value) ...
 *     default:        ... parse() was not called ...
 *     }
 *
 * `fn` is C or generated code of the platform ABI. A boundary nearer to the throw catches first, see jf_throw(). Calls
 * nest, and may be left by longjmp(3). After a throw every callee-saved register is what it was at the call of
 * jf_try(). Frames between are gone as with jf_throw(): C frames among them run no cleanups.
 * in:  result may be NULL. out: *result, on JF_OK and JF_CAUGHT only.
 * returns: JF_OK; JF_CAUGHT. Before fn was called: JF_E_INVAL (fn is NULL); JF_E_UNSUPPORTED (no native stubs on this
 *      host); and in the first call of the process, which makes jf_try() known to the code map, JF_E_NO_ROW (this
 *      library's .eh_frame cannot be seen), JF_E_NO_MEMORY and JF_E_IN_SECTION.
 * threads: any. The first call of the process allocates and takes a lock; later calls do neither and are
 *      async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_try(uint64_t (*fn)(void *arg), void *arg, uint64_t *result);

/*
 * The handler for throws that no boundary catches: call(arg, cookie, walk, why) gets the walk as jf_walk_end() leaves a
 * walk, with pc and registers of the frame where it ended, and why: JF_E_NO_BOUNDARY, or what jf_walk_step() returned,
 * or JF_E_IN_PAD: the throw came out of a clean-up pad, and jf_walk_cleanup() gives the cookie of the throw that had
 * entered the pad.
 * The handler may leave by longjmp(3) or end the thread; when the handler returns, the process is aborted.
 * jf_uncaught_print() of backtrace.h is a handler, and the library calls that function by itself behind any other one.
 */
struct jf_uncaught_handler {
	uint32_t size; /* sizeof(struct jf_uncaught_handler) */
	void (*call)(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why);
	void *arg;
};
/*
 * Sets the process's handler. NULL: jf_uncaught_print() alone.
 * owns: *handler stays the caller's, must not change, and must stay valid until another one is set and no throw is on
 *      its way in any thread.
 * out: *before (NULL: not wanted): the handler before, NULL for none; on JF_OK only.
 * returns: JF_E_INVAL (no `call`, or a struct of another header). threads: any, async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_uncaught_handler_set(const struct jf_uncaught_handler *handler,
						       const struct jf_uncaught_handler **before);

/*
 * An observer, for tracing. A throw calls call(arg, cookie, walk) for every frame that the throw looks at, innermost
 * first, the boundary last. jf_walk_at(walk) shows the frame: `range` tells its kind; in C code `range` is NULL, and
 * `function` and `name` tell the function. The observer runs on the throw path in the throw's reader section, must not
 * leave by longjmp(3), and must be as signal-safe as the throw's caller needs.
 */
struct jf_throw_observer {
	uint32_t size; /* sizeof(struct jf_throw_observer) */
	void (*call)(void *arg, uint64_t cookie, const struct jf_walk *walk);
	void *arg;
	/* Optional: called before a clean-up pad runs, with the frame whose pad it is, and the pad's address.
	 * As call(). A struct of an older header ends before this field. */
	void (*pad)(void *arg, uint64_t cookie, const struct jf_walk *walk, uint64_t address);
};
/* Sets the process's observer; NULL: none. As jf_uncaught_handler_set(). */
JF_API JF_CHECK enum jf_status jf_throw_observer_set(const struct jf_throw_observer *observer,
						     const struct jf_throw_observer **before);

/* ---- between the native stub and the core ---------------------------------------------------- */

/* Where a throw goes on. The native part of jf_throw() loads (cookie, sp, fp) into the first three argument registers
 * and jumps to `callback`; every other register keeps its value at the throw. */
struct jf_landing_site {
	uint64_t callback, cookie, sp, fp;
};

/*
 * What the native stub call_pad() leaves on the stack while a pad runs, from the SP on at which it enters the pad: by
 * this a walk finds the throw whose pad runs. cfa: of the pad's frame.
 */
struct jf_pad_call {
	struct jf_regs kept; /* of the stub's caller */
	uint64_t cookie, cfa;
};

/*
 * A throw by what this thread remembers of its stack: the native stub's first try, with pc (a return address), sp and
 * fp of the stub's caller.
 * out: *site but for the cookie, on JF_OK only. returns: JF_OK; JF_E_NOT_FOUND: jf_throw_from() has to do it.
 * threads: as jf_throw().
 */
JF_API JF_CHECK enum jf_status jf_throw_recall(uint64_t pc, uint64_t sp, uint64_t fp, struct jf_landing_site *site);
/*
 * The part of jf_throw() in C; the native stub alone calls it, with regs and pc of the stub's caller.
 * out: JF_OK: *site. JF_AT_PAD: site->callback is the address of a clean-up pad, and *regs what the pad finds in SP, FP
 * and all registers that a callee keeps; R0 to R5 are 0 there. returns: JF_OK, JF_AT_PAD, or what jf_throw() returns.
 * threads: as jf_throw().
 */
JF_API JF_CHECK enum jf_status jf_throw_from(uint64_t cookie, struct jf_regs *regs, uint64_t pc,
					     struct jf_landing_site *site);
/* The same for jf_throw_resume(). returns: JF_OK, JF_AT_PAD. */
JF_API JF_CHECK enum jf_status jf_throw_resume_from(struct jf_regs *regs, uint64_t pc, struct jf_landing_site *site);

JF_END_DECLS

#endif
