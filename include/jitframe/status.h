/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_STATUS_H
#define JF_STATUS_H

#include <jitframe/export.h>

JF_BEGIN_DECLS

/*
 * Every status, its value and its text. The enum, jf_status_name(), jf_status_text() and their test come from this
 * list. A negative status is an error, 0 is ok, a positive one is good news. One code, one cause.
 */
#define JF_STATUS_LIST(X)                                                                                          \
	X(JF_AT_PAD, 3, "a throw goes on at a clean-up pad")                                                       \
	X(JF_CAUGHT, 2, "a throw was caught")                                                                      \
	X(JF_END, 1, "the walk reached the outermost frame")                                                       \
	X(JF_OK, 0, "ok")                                                                                          \
	X(JF_E_INVAL, -1, "an argument is NULL, or outside what its description allows")                           \
	X(JF_E_RANGE, -2, "a value does not fit the field of its instruction")                                     \
	X(JF_E_NOSPACE, -3, "the caller's buffer is too small")                                                    \
	X(JF_E_UNSUPPORTED, -4, "this backend or convention cannot do that")                                       \
	X(JF_E_BAD_DESC, -5, "a backend or convention contradicts itself")                                         \
	X(JF_E_BAD_SPEC, -6, "the frame spec asks for what the convention does not allow")                         \
	X(JF_E_BAD_INSN, -7, "a BPF instruction is malformed")                                                     \
	X(JF_E_READ, -8, "memory outside the given bounds would have been read")                                   \
	X(JF_E_STUCK, -9, "the stack pointer did not advance from one frame to the next")                          \
	X(JF_E_NO_ROW, -10, "no unwind row covers the address")                                                    \
	X(JF_E_NO_BOUNDARY, -11, "no exception boundary is on the stack")                                          \
	X(JF_E_NO_MEMORY, -12, "the system gave no memory")                                                        \
	X(JF_E_OVERLAP, -13, "the address range overlaps one that is registered")                                  \
	X(JF_E_NOT_FOUND, -14, "nothing of that name or at that address is known")                                 \
	X(JF_E_LOST, -15, "a register that the walk needs was lost in an inner frame")                             \
	X(JF_E_BAD_IMAGE, -16, "a file or bundle is truncated or contradicts itself")                              \
	X(JF_E_GUARD, -17, "the guard of a private stack was written to")                                          \
	X(JF_E_IN_SECTION, -18, "this thread is inside a reader section: call jf_code_map_leave() first")          \
	X(JF_E_NO_HANDLER, -19, "nothing handles faults of arena accesses: call jf_fault_handler_install() first") \
	X(JF_E_NO_THREAD, -20, "the stack's bounds are unknown: call jf_thread_init() in this thread first")       \
	X(JF_E_BUSY, -21, "this thread is running the program: unload it after its return")                        \
	X(JF_E_IN_PAD, -22, "a clean-up pad was running for another throw")

/* What a call returns. */
enum jf_status {
#define JF_STATUS_ENUM(name, value, text) name = value,
	JF_STATUS_LIST(JF_STATUS_ENUM)
#undef JF_STATUS_ENUM
};

/*
 * The name ("JF_E_RANGE") and the sentence of a status; "JF_E_?" and "unknown status" for a value outside of the enum.
 * returns: never NULL. owns: static. threads: any, async-signal-safe.
 */
JF_API const char *jf_status_name(enum jf_status status);
JF_API const char *jf_status_text(enum jf_status status);

/*
 * Where and why something failed, for people. A call that takes a struct jf_error fills it in on failure, and leaves it
 * alone on success; NULL is fine. `where` names the place: a field of a spec ("out_args"), a function, a file.
 */
struct jf_error {
	enum jf_status status;
	char where[64]; /* terminated, cut to fit */
	char text[192]; /* terminated, cut to fit */
};

/* Fills in `error` (which may be NULL). For backends and tools. returns: `status`. threads: any; async-signal-safe when
 * `error` is NULL. */
JF_API enum jf_status jf_error_set(struct jf_error *error, enum jf_status status, const char *where, const char *fmt,
				   ...) JF_PRINTF(4, 5);

JF_END_DECLS

#endif
