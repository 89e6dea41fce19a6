/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_THROW_H
#define JF_THROW_H

#include <jitframe/walk.h>

JF_BEGIN_DECLS

/*
 * Throws: walks from the caller to the nearest boundary and enters its callback with (cookie, SP, FP);
 * every frame between is gone, and the callback's result becomes the boundary's. Does not return when
 * that works.
 *
 * Called from generated code in the code map, directly or through call stubs, or from C that it called:
 * any number of C frames may lie between, with or without frame pointers. They need the .eh_frame that
 * compilers write unless told not to, and jf_cfi_load_objects() after their object was loaded; jf_load()
 * calls that for what was there by then. What C code holds (memory, locks) is not released: no cleanups run.
 *
 * Callee-saved registers reach the boundary's caller as the boundary saved them. What a boundary does not
 * save (the `linux` conventions, rule R3) stays as the C frames that are gone have left it.
 *
 * The walk ends at the first ENTRY range or frame without rows: a throw never leaves the program that was
 * entered last, nor a signal handler for what the signal interrupted.
 *
 * returns: JF_E_NO_ROW when nothing describes the caller (nothing was thrown), JF_E_UNSUPPORTED on a host
 *      without native stubs. When there is no boundary, or a frame on the way has no rows, the uncaught
 *      handler runs and then the process is aborted with a message: the one place in the library that ends
 *      the process.
 * threads: any; allocates nothing, takes no lock, async-signal-safe (the handler apart).
 */
JF_API enum jf_status jf_throw(uint64_t cookie);

/* Called for a throw that nothing catches, with the walk where it ended and why. It may leave by
 * longjmp or end the thread; when it returns, the process is aborted. NULL: the message alone.
 * threads: process-wide, atomic. returns: the handler before. */
typedef void (*jf_uncaught_fn)(uint64_t cookie, const struct jf_walk *walk, enum jf_status why);
JF_API jf_uncaught_fn jf_uncaught_handler_set(jf_uncaught_fn handler);

/* Called for every frame that a throw looks at, innermost first, the boundary last; walk->range tells
 * its kind, and is NULL for C code (walk->function, walk->name). For tracing: runs on the throw path and must be as signal-safe as its caller needs.
 * threads: process-wide, atomic. returns: the observer before. NULL: none. */
typedef void (*jf_throw_observer_fn)(uint64_t cookie, const struct jf_walk *walk);
JF_API jf_throw_observer_fn jf_throw_observer_set(jf_throw_observer_fn observer);

/* ---- between the native stub and the core ---------------------------------------------------- */

/* Where a throw goes on. The native part of jf_throw() loads the first three argument registers and
 * jumps; every other register is as it was at the throw. */
struct jf_landing_site {
	uint64_t callback, cookie, sp, fp;
};

/* Called by the native stub alone: regs and pc of its caller. returns: JF_OK with *site, or what
 * jf_throw() returns. */
JF_API enum jf_status jf_throw_from(uint64_t cookie, const struct jf_regs *regs, uint64_t pc,
				    struct jf_landing_site *site);

JF_END_DECLS

#endif
