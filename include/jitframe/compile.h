/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_COMPILE_H
#define JF_COMPILE_H

#include <jitframe/backend.h>
#include <jitframe/image.h>
#include <jitframe/program.h>

JF_BEGIN_DECLS

#define JF_INDEXED_STACK_BYTES 512 /* what Linux gives a BPF function at most */

/* How to compile; all zero but `size` is the default. */
struct jf_compile_opts {
	uint32_t size; /* sizeof(struct jf_compile_opts) */
	/* Places that are jumped to by address begin with a pad. jf_load() has the processor check the pads where it
	 * can: see landing_pad_prot of struct jf_native. */
	bool landing_pads;
	bool sign_return;
	/*
	 * Puts BPF stacks outside of the machine stack: of every function with a BPF stack and without arguments after
	 * the fifth, where the convention can do so for the function's role. The stacks lie one behind the other from
	 * values.private_stack on, each between two guards of the convention's size. Excludes tail calls. A thread must
	 * not enter such a program a second time while it runs the program.
	 */
	bool private_stack;
	/*
	 * Atomic operations as single instructions; false: as loops. Only some processors of an architecture have the
	 * instructions, all processors run the loops. Conventions with JF_CAP_ATOMIC_INSNS read the option; for other
	 * conventions the option changes nothing. has_atomic_insns() of struct jf_native tells what this processor has.
	 */
	bool atomic_insns;
	/*
	 * For jf_load(): the process has handlers of its own for faults of arena accesses, which go by struct jf_fault
	 * of the range that holds the pc. Without the option, programs with such accesses load behind
	 * jf_fault_handler_install() only.
	 */
	bool handles_faults;
	struct jf_values values;
	/*
	 * The BPF stack of a function that reaches under R10 by an index without a bound that the code shows, in bytes;
	 * 0: JF_INDEXED_STACK_BYTES. More than the convention has counts as all of that. A function that names a
	 * lower place by itself gets that much.
	 */
	uint32_t indexed_stack_bytes;
};

/* An upper bound for the code that jf_compile() makes of `program` for `conv`, in bytes. threads: any,
 * async-signal-safe. */
JF_API size_t jf_compile_bound(const struct jf_convention *conv, const struct jf_program *program);

/*
 * Compiles a program for a convention into the caller's memory.
 * in:  bytes[0, capacity) writable; `address`: where the code will run (0 only for code that will not run); opts and
 *      error may be NULL.
 * out: *image on JF_OK only; the caller frees it with jf_image_free(). The code stays in `bytes`, the caller's.
 * returns: JF_E_INVAL (NULL, no functions, a callback that is no function or is main, a struct of another header,
 *      a call of an import with a type of other than 0, 1, 2, 4 or 8 bytes); JF_E_BAD_INSN (malformed BPF: opcode,
 *      reserved fields, jump target, function index, falling off the end; a table of clean-up pads, or a pad, that
 *      breaks a rule of docs/cleanup.md);
 *      JF_E_UNSUPPORTED (an instruction or call that this backend lacks, an import without address; a program with
 *      clean-up pads that can throw, for a convention that runs no pads: cleanup_entry); JF_E_BAD_SPEC (a
 *      frame over the convention's limits); JF_E_NOSPACE (the code does not fit; jf_compile_bound() bytes always
 *      suffice, and the exact size may fall short, because an address that is still unknown may take a few bytes more);
 *      JF_E_RANGE (a distance that no branch reaches); JF_E_NO_MEMORY.
 *      error->where is the function's name, error->text names instruction index and opcode.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_compile(const struct jf_convention *conv, const struct jf_program *program,
					  const struct jf_compile_opts *opts, void *bytes, size_t capacity,
					  uint64_t address, struct jf_image **image, struct jf_error *error);

JF_END_DECLS

#endif
