/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PROGRAM_H
#define JF_PROGRAM_H

#include <jitframe/backend.h>
#include <jitframe/isa.h>

JF_BEGIN_DECLS

/*
 * One function of a program. References inside `insns` are indexes into the program's tables:
 *   call  src 0: imm = helper number -> helpers[imm]     src 1: imm = function index -> functions[imm]
 *         src 2: imm = kfunc index -> kfuncs[imm]
 *   lddw  src 0: the 64-bit value                        src 1: imm = map index -> maps[imm].object
 *         src 2: imm = map index, second imm = byte offset -> maps[imm].value + offset
 *         src 4: imm = function index -> address of its code
 */
struct jf_function {
	const char *name; /* for messages and the code map; never NULL */
	const struct jf_insn *insns;
	uint32_t insn_count;
};

#define JF_ARGS_MAX (JF_REG_ARGS + JF_OUT_ARGS_MAX)

/*
 * A C function that programs call: bpf_throw, for example, with throws = true.
 *
 * `result` and `args` are the types of the C prototype. Example: int f(int x, void *p) has .result = {4, true} and
 * .args = {{4, true}, {8, false}}. BPF code leaves anything in the upper bits of a narrow argument; generated code
 * extends the argument in the way the platform ABI asks of callers. R0 is the result extended to 64 bits: an int
 * sign-extended, an unsigned int or a bool zero-extended. All zero, the default, is a C function whose arguments and
 * result have 64 bits each.
 */
struct jf_import {
	const char *name;
	uint64_t address;  /* 0: missing; a program that calls the import is refused */
	bool throws;       /* the function may throw: jf_throw(), or a caller of jf_throw(); makes main a boundary */
	uint8_t arg_count; /* of a function with 6 to 5 + JF_OUT_ARGS_MAX arguments; 0: at most 5 */
	struct jf_c_value result;
	struct jf_c_value args[JF_ARGS_MAX]; /* those behind the last argument do not count */
};

/* A map that programs refer to. */
struct jf_map_ref {
	uint64_t object; /* what helpers get as the map pointer; for tail calls a struct jf_program_array */
	uint64_t value;  /* address of the first value, for maps that programs address directly; 0: refused */
};

/* A BPF program: functions[0] is main. owns: all memory is the caller's, and is read during compilation only; names
 * must outlive the image (struct jf_image_function.name). */
struct jf_program {
	uint32_t size; /* sizeof(struct jf_program) */
	const struct jf_function *functions;
	uint32_t function_count;
	int32_t callback; /* index of the exception callback, or -1: the default one if anything throws */
	const struct jf_import *helpers;
	uint32_t helper_count;
	const struct jf_import *kfuncs;
	uint32_t kfunc_count;
	const struct jf_map_ref *maps;
	uint32_t map_count;
	/* An address of the arena in user space; its upper half counts. The arena's own base is in struct jf_values.
	 * Programs that cast or access arena pointers need both. */
	uint64_t arena_user_base;
	/*
	 * The C function behind calls through a register. It gets R1 to R5 and, as sixth argument, the register's
	 * value, and returns R0. address 0: such calls are refused.
	 */
	struct jf_import call_register;
};

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
};

/*
 * Machine instructions that may fault on an arena address, and what the fault does: the program goes on at resume_off
 * with register `reg` 0 (JF_REG_NONE: no register changes). Offsets are bytes from the function's start.
 */
struct jf_fault {
	uint32_t start_off, end_off; /* [start, end) */
	uint32_t resume_off;
	uint8_t reg; /* register id */
};

/* One function of an image: bytes [start, start + size_bytes) of the image's code. owns: the image's. */
struct jf_image_function {
	uint32_t size; /* of this struct in the library that runs: fields at or behind this offset are not there */
	uint32_t start;
	uint32_t size_bytes;
	uint32_t row_count;
	const char *name;              /* the program's string; of stubs and the default callback a static string */
	const struct jf_row *rows;     /* code_off counts from `start` */
	const struct jf_fault *faults; /* sorted by start_off */
	const struct jf_frame *frame;  /* of a stub: without slots of a convention */
	const uint32_t *insn_off;      /* code offset of each BPF instruction, bytes from `start`; one more for the
					* epilogue; NULL for stubs */
	uint32_t fault_count;
	uint32_t insn_count;
	uint32_t marks[JF_MARK__COUNT];
	uint32_t private_stack_off; /* of this function's lower guard: bytes from values.private_stack */
	bool is_stub;               /* a call stub */
};

/* A compiled program. jf_compile() makes an image, jf_image_free() frees it. */
struct jf_image {
	uint32_t size;           /* as in struct jf_image_function */
	uint32_t function_count; /* the program's in their order, default callback, stubs: jf_image_function_at() */
	const struct jf_convention *conv;
	uint64_t address;  /* run-time address of the code */
	size_t size_bytes; /* of the code */
	int32_t callback;  /* index of the callback's function, or -1 */
	uint32_t fault_count;
	uint32_t private_stack_bytes; /* of all functions, guards included */
	uint32_t passes;              /* emissions of the whole program until nothing changed */
	bool uses_per_cpu;            /* has per-CPU address moves */
};

/* A function of an image, by index from 0. returns: NULL behind the last. owns: the image's, with all that it points
 * to. threads: any, async-signal-safe. */
JF_API const struct jf_image_function *jf_image_function_at(const struct jf_image *image, uint32_t index);

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
 *      reserved fields, jump target, function index, falling off the end);
 *      JF_E_UNSUPPORTED (an instruction or call that this backend lacks, an import without address); JF_E_BAD_SPEC (a
 *      frame over the convention's limits); JF_E_NOSPACE (the code does not fit; jf_compile_bound() bytes always
 *      suffice, and the exact size may fall short, because an address that is still unknown may take a few bytes more);
 *      JF_E_RANGE (a distance that no branch reaches); JF_E_NO_MEMORY.
 *      error->where is the function's name, error->text names instruction index and opcode.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_compile(const struct jf_convention *conv, const struct jf_program *program,
					  const struct jf_compile_opts *opts, void *bytes, size_t capacity,
					  uint64_t address, struct jf_image **image, struct jf_error *error);
/* Frees an image; NULL: does nothing. */
JF_API void jf_image_free(struct jf_image *image);

/*
 * The bytes of BPF stack that a function can touch below R10, found from the function's code. Code whose stack use
 * cannot be followed counts as `max`.
 * out: *bytes on JF_OK only. returns: JF_E_INVAL (NULL, max over INT32_MAX / 2); JF_E_BAD_INSN, JF_E_UNSUPPORTED (as
 *      jf_compile()); JF_E_NO_MEMORY. threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_function_stack(const struct jf_function *function, uint32_t max, uint32_t *bytes);

/* ---- running on this host ------------------------------------------------------------------- */

struct jf_loaded; /* an image in executable memory and in the code map */

/*
 * Compiles into memory that becomes executable after the last write, and registers each function in the code map.
 * in:  opts and error may be NULL. `owner` comes back in struct jf_range.owner. With opts->private_stack the library
 *      takes the stacks from the 1 MiB that each thread's record has for all programs (jf_thread_init()), and fills
 *      in values.private_stack and values.private_stack_word itself. Sets the present thread up as jf_thread_init()
 *      does.
 * out: *loaded on JF_OK only; free with jf_unload(). owns: the program's names must outlive *loaded.
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
/*
 * Puts a loaded program into a slot of a program array, or empties the slot (NULL). A tail call sees the old program or
 * the new one. Unload the old program only when no thread can still run it.
 * returns: JF_E_INVAL (array NULL, or index beyond the array), JF_E_BAD_SPEC (convention or hardening options differ
 *      from those of the array's programs: their tail-call entries may differ).
 * threads: any, outside of signal handlers: takes a lock, allocates nothing. Other threads may make tail
 *      calls meanwhile.
 */
JF_API JF_CHECK enum jf_status jf_program_array_set(struct jf_program_array *array, uint32_t index,
						    const struct jf_loaded *loaded);

/*
 * Installs handlers for SIGSEGV and SIGBUS, which let programs go on after a fault in an arena access (struct
 * jf_fault). Every other signal goes to whoever was there before, as the kernel would have sent the signal: with
 * sa_mask, SA_NODEFER and SA_RESETHAND of that handler. A default action ends the process, after kill(2) as well.
 * A later call installs again where jitframe's handler has been taken out; else the call does nothing. A handler that
 * is put over jitframe's has to pass on the signals that it does not know.
 * returns: JF_E_UNSUPPORTED (a host without native stubs, or sigaction(2) failed), JF_E_NO_MEMORY. threads: any,
 *      outside of signal handlers.
 */
JF_API JF_CHECK enum jf_status jf_fault_handler_install(void);

/* The question of the may_goto stub. in, out: slots[0] = count, slots[1] = start time in ns (CLOCK_MONOTONIC), 0 before
 * the first call, which sets it. returns: the new count; 0 once 250 ms have passed since the start. threads: any,
 * async-signal-safe. */
JF_API uint64_t jf_may_goto_check(uint64_t slots[2]);

/*
 * Looks at the guards of the program's private stacks in this thread; jf_run() has cleared the guards.
 * returns: JF_E_GUARD when the program wrote to a guard; JF_E_INVAL for NULL. threads: any, each for its own stacks.
 */
JF_API JF_CHECK enum jf_status jf_private_stack_check(const struct jf_loaded *loaded);

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

JF_END_DECLS

#endif
