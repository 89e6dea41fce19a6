/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_LOAD_H
#define JF_LOAD_H

#include <jitframe/compile.h>
#include <jitframe/program_array.h>

JF_BEGIN_DECLS

/* struct jf_loaded: an image in executable memory and in the code map. */

/*
 * Compiles into memory that becomes executable after the last write, and registers each function in the code map.
 * in:  opts and error may be NULL. `owner` comes back in struct jf_range.owner. With opts->private_stack the library
 *      takes the stacks from the 1 MiB that each thread's record has for all programs (jf_thread_init()), and fills
 *      in values.private_stack and values.private_stack_word itself. Sets the present thread up as jf_thread_init()
 *      does.
 * out: *loaded on JF_OK only; free with jf_unload(). owns: the program's names and lines must outlive *loaded.
 * returns: as jf_compile(); JF_E_UNSUPPORTED (conv is of another architecture, lacks JF_CAP_RUN, or goes by the
 *      kernel's per-CPU base; a program with a boundary in a thread that has a shadow stack); JF_E_IN_SECTION for a
 *      call in a reader section of this thread; JF_E_NO_HANDLER for arena accesses whose faults nobody handles;
 *      JF_E_NO_MEMORY also for private stacks without room.
 * threads: any, outside of signal handlers and reader sections: takes locks, allocates.
 */
JF_API JF_CHECK enum jf_status jf_load(const struct jf_convention *conv, const struct jf_program *program,
				       const struct jf_compile_opts *opts, void *owner, struct jf_loaded **loaded,
				       struct jf_error *error);
/*
 * Removes the code and frees *loaded; NULL: does nothing. The code is overwritten with instructions that trap, and its
 * place is used again by later loads.
 * No thread may be running the code, or come to run it: by jf_run(), by a tail call through a program array, by an
 * address that it holds. In the calling thread the stack is looked at, as far as a walk goes. What other threads run is
 * the caller's to know: empty the program's slots, then wait for the runs that had begun before.
 * returns: JF_E_BUSY (this thread is running the program: a helper of it unloads it); JF_E_NOT_FOUND (no such program
 *      is loaded: a second unload of one that is gone; a pointer that a later jf_load() has given again is that of the
 *      later program); JF_E_IN_SECTION (a call in a reader section of this thread). The program stays as it is then.
 * threads: any, outside of signal handlers and reader sections: takes locks, waits for readers.
 */
JF_API enum jf_status jf_unload(struct jf_loaded *loaded);
/* The image of a loaded program; NULL for NULL. owns: the loaded program's. threads: any, async-signal-safe. */
JF_API const struct jf_image *jf_loaded_image(const struct jf_loaded *loaded);

/* The run-time address of main; 0 for NULL. A thread that enters there calls jf_thread_init() first: jf_run() does so
 * by itself. threads: any, async-signal-safe. */
JF_API uint64_t jf_loaded_entry(const struct jf_loaded *loaded);

/*
 * Runs main with R1 = arg. Sets the present thread up first, where jf_thread_init() has not.
 * returns: R0, or what the exception callback returned; 0 for NULL, and 0 without running a program with private stacks
 *      when jf_thread_init() returns JF_E_NO_MEMORY. threads: any; reentrant without private stacks; a signal handler
 *      only in a thread that has been set up.
 */
JF_API uint64_t jf_run(const struct jf_loaded *loaded, uint64_t arg);
/* Runs main as jf_run() does, with every callee-saved register set from *in before the run and read into *out behind
 * it; see enter_checked of struct jf_native. */
JF_API uint64_t jf_run_checked(const struct jf_loaded *loaded, uint64_t arg, const struct jf_regs *in,
			       struct jf_regs *out);

/*
 * Looks at the guards of the program's private stacks in this thread; jf_run() has cleared the guards.
 * returns: JF_E_GUARD when the program wrote to a guard; JF_E_INVAL for NULL. threads: any, each for its own stacks.
 */
JF_API JF_CHECK enum jf_status jf_private_stack_check(const struct jf_loaded *loaded);

/* ---- between the native stubs and the core ------------------------------------------------------- */

/* The question of the may_goto stub. in, out: slots[0] = count, slots[1] = start time in ns (CLOCK_MONOTONIC), 0 before
 * the first call, which sets it. returns: the new count; 0 once 250 ms have passed since the start. threads: any,
 * async-signal-safe. */
JF_API uint64_t jf_may_goto_check(uint64_t slots[2]);

JF_END_DECLS

#endif
