/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKTRACE_H
#define JF_BACKTRACE_H

#include <jitframe/throw.h>
#include <jitframe/walk.h>

JF_BEGIN_DECLS

/*
 * Frames as text. A line for each frame, innermost first:
 *
 *       #0   subprogram byte_at+0x25 insn 5 at throw.bpf.c:26
 *     > #1   boundary   parse+0x21 insn 1 at throw.bpf.c:46
 *       #2   entry      enter+0x81
 *       #3   c          jf_run+0x58 in libjitframe.so.0
 *     ? #4   unknown    0x55d5c0de1234
 *
 *     mark    ">": a throw would land in this boundary; "?": a frame before this one was guessed, so this one may be
 *             wrong; else a blank
 *     number  of the frame, from 0
 *     kind    main, subprogram, boundary, callback, stub, entry, try: of the range in the code map; c: C code; unknown
 *     place   function + bytes from its start, or the address alone where no function is known
 *     insn    index of the BPF instruction in the function, from 0
 *     at      file without its folders, and line, of the source
 *     in      C code: the object's file without its folders
 *
 * What is not known is left out, with the word before it. At a return address, instruction and line are those of the
 * call. Later versions may add words at the end of a line.
 */

/* What else a line shows. */
enum {
	/* pc=0x... sp=0x... fp=0x... at the end of the line. */
	JF_BACKTRACE_ADDRESSES = 1 << 0,
	/* A second line, "R6=0x1 R7=0x2 R8=? R9=0x4", for each frame that is a BPF function: the registers in that
	 * frame, "?" where an inner frame has lost the value. A register that the function leaves alone has its
	 * caller's value. */
	JF_BACKTRACE_REGISTERS = 1 << 1,
	/* A second line with the text of the source line. */
	JF_BACKTRACE_SOURCE = 1 << 2,
	/* Functions of C by dladdr(3), which is not async-signal-safe, and knows the names that objects export. */
	JF_BACKTRACE_SYMBOLS = 1 << 3,
};

/* Flags and limits of a backtrace. All zero, or no options at all: the lines as above, to the outermost frame. */
struct jf_backtrace_opts {
	uint32_t size;       /* sizeof(struct jf_backtrace_opts) */
	uint32_t flags;      /* JF_BACKTRACE_ bits */
	uint32_t frames_max; /* frames to print at most; 0: all */
	/* Whose registers R6 to R9 are. NULL: those of the backend's first convention; the conventions of each
	 * architecture that comes with the library agree. */
	const struct jf_convention *conv;
};

/*
 * Prints the frames of the present thread, from the caller of this function to the outermost one, each by write(2).
 * in:  fd: an open file descriptor; opts may be NULL.
 * returns: JF_END: all frames, or frames_max of them, were printed; JF_E_INVAL (opts of another header). Otherwise as
 *      jf_walk_here() and jf_walk_step_past_entry(), and a line behind the frames has the reason. What write(2) returns
 *      is not looked at. errno stays as it is.
 * Frames of C need jf_cfi_load_objects(), which jf_load() and the first jf_try() call.
 * threads: one for which jf_thread_init() was called; allocates nothing, takes no lock; async-signal-safe without
 *      JF_BACKTRACE_SYMBOLS. Needs about 6 KiB of stack.
 */
JF_API enum jf_status jf_backtrace_print(int fd, const struct jf_backtrace_opts *opts);

/*
 * Prints the frames of a walk, from where it stands on: one of a signal's context, or of a captured stack of any
 * architecture. The walk goes on with each frame, and still has to be ended.
 * in:  a walk that has started.
 * returns: as jf_backtrace_print(); JF_E_INVAL also for NULL. threads: as jf_walk_step(), and as jf_backtrace_print().
 */
JF_API enum jf_status jf_backtrace_print_walk(struct jf_walk *walk, int fd, const struct jf_backtrace_opts *opts);

/*
 * Prints a throw that no boundary catches: for jf_uncaught_handler_set(), and what happens without any handler. The
 * cookie and the reason come first, then the frames from the throw's caller to the outermost one of the thread, on
 * standard error:
 *
 *     static const struct jf_backtrace_opts opts = {.size = sizeof(opts), .flags = JF_BACKTRACE_REGISTERS};
 *     static const struct jf_uncaught_handler handler = {
 *         .size = sizeof(handler), .call = jf_uncaught_print, .arg = (void *)&opts};
 *
 *     status = jf_uncaught_handler_set(&handler, NULL);
 *
 * in:  arg: a struct jf_backtrace_opts, or NULL; the rest as the library calls a handler.
 * threads: as jf_backtrace_print().
 */
JF_API void jf_uncaught_print(void *arg, uint64_t cookie, const struct jf_walk *walk, enum jf_status why);

/* ---- one frame ------------------------------------------------------------------------------------- */

#define JF_BACKTRACE_REGS 4 /* R6 to R9 */

/* What there is to say of one frame. NULL, and insn -1: not known. */
struct jf_backtrace_frame {
	uint32_t size; /* sizeof(struct jf_backtrace_frame) */
	bool guessed;  /* as in struct jf_walk_frame */
	uint8_t known; /* bit n: regs[n] is known */
	uint32_t line; /* 0: not known */
	int32_t insn;  /* index of the BPF instruction in the function */
	const char *kind;
	const char *name;                 /* of the function */
	uint64_t offset;                  /* bytes from the function's start; valid with name */
	const char *object;               /* C code: the object's path, "" for the program */
	const char *file;                 /* of the source, as BTF has it */
	const char *text;                 /* of the source line */
	uint64_t pc, sp, fp;              /* pc: a code address; behind a call the return address */
	uint64_t regs[JF_BACKTRACE_REGS]; /* of BPF functions alone */
};

/*
 * Describes the frame at which a walk stands.
 * in:  flags: JF_BACKTRACE_SYMBOLS counts; conv: as in struct jf_backtrace_opts.
 * out: *frame on JF_OK only, its `size` apart.
 * owns: the strings are those of range, object and image: readable until jf_walk_end().
 * returns: JF_E_INVAL (NULL, *frame of another header). threads: as jf_backtrace_print(), for any started walk.
 */
JF_API JF_CHECK enum jf_status jf_backtrace_describe(const struct jf_walk *walk, uint32_t flags,
						     const struct jf_convention *conv,
						     struct jf_backtrace_frame *frame);

/*
 * The line, or lines, of a frame, as jf_backtrace_print() prints them, without the last newline.
 * in:  number: the frame's; flags: JF_BACKTRACE_ bits. A frame that the caller has filled in will do: kind must be set.
 * out: text[0, capacity), cut where it does not fit, and terminated when capacity > 0.
 * returns: the length that the whole text needs, without the terminator; -1 for NULL, or a frame of another header.
 * threads: any, async-signal-safe.
 */
JF_API int jf_backtrace_text(const struct jf_backtrace_frame *frame, unsigned int number, uint32_t flags, char *text,
			     size_t capacity);

JF_END_DECLS

#endif
