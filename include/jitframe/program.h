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
	const char *name; /* for messages and the code map; must not be NULL */
	const struct jf_insn *insns;
	uint32_t insn_count;
};

/* C code that programs call. */
struct jf_import {
	const char *name;
	uint64_t address;  /* 0: not there; calling it is refused by name */
	bool throws;       /* it may throw (jf_throw or something that calls it): makes main a boundary */
	uint8_t arg_count; /* when it takes more than 5 arguments: how many, up to 5 + JF_OUT_ARGS_MAX */
};

struct jf_map_ref {
	uint64_t object; /* what helpers get as the map pointer; for tail calls a struct jf_program_array */
	uint64_t value;  /* address of the first value, for maps that programs address directly; 0: refused */
};

/* A BPF program: functions[0] is main. All memory is the caller's and only read during compilation. */
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
	/* Upper half = that of the addresses user space sees arena memory at; the arena's own base is in
	 * struct jf_values. Only programs that cast or access arena pointers need it. */
	uint64_t arena_user_base;
	/*
	 * Where calls through a register go: C code that gets R1-R5 and, as its sixth argument, the register's
	 * value, and returns R0. address 0: such calls are refused.
	 */
	struct jf_import call_register;
};

struct jf_compile_opts {
	uint32_t size; /* sizeof(struct jf_compile_opts) */
	bool landing_pads;
	bool sign_return;
	/*
	 * Every function with a BPF stack gets it outside the machine stack, where the convention can do that
	 * for its role and it has no arguments after the fifth. They lie one behind the other from
	 * values.private_stack on, each between two guards of the convention's size. Not together with tail
	 * calls. A thread must not enter such a program again while it runs it.
	 */
	bool private_stack;
	/*
	 * Atomic operations as single instructions, which some processors of the architecture lack, instead of loops,
	 * which all of them run. Only for conventions with JF_CAP_ATOMIC_INSNS; others have one form and take no notice.
	 * has_atomic_insns() of struct jf_native tells what this processor has.
	 */
	bool atomic_insns;
	struct jf_values values;
};

/*
 * Machine instructions that may fault on an arena address, and what the fault does: program goes on at
 * resume_off with register `reg` 0 (JF_REG_NONE: no register changes). Offsets from the function's start.
 */
struct jf_fault {
	uint32_t start_off, end_off; /* [start, end) */
	uint32_t resume_off;
	uint8_t reg; /* register id */
};

/* One function of an image: [start, start + size_bytes) of its code. */
struct jf_image_function {
	const char *name; /* the program's string, or a static one for stubs and the default callback */
	uint32_t start;
	uint32_t size_bytes;
	uint32_t row_start; /* into the image's rows; code_off there is from `start` */
	uint32_t row_count;
	uint32_t fault_start; /* into the image's faults, sorted by start_off */
	uint32_t fault_count;
	uint32_t marks[JF_MARK__COUNT];
	uint32_t private_stack_off; /* of this function's lower guard, from values.private_stack */
	bool is_stub;               /* a call stub: frame has no slots of a convention */
	struct jf_frame frame;
	const uint32_t *insn_off; /* insn_count + 1 code offsets from `start`, the last one the epilogue's;
				   * NULL for stubs */
	uint32_t insn_count;
};

/* A compiled program. Made by jf_compile(); free with jf_image_free(). */
struct jf_image {
	const struct jf_convention *conv;
	uint64_t address;
	size_t size_bytes;
	struct jf_image_function *functions; /* the program's, in their order; then callback; then stubs */
	uint32_t function_count;
	int32_t callback; /* index into functions, or -1 */
	struct jf_row *rows;
	uint32_t row_count;
	uint32_t *insn_off;           /* behind the functions' insn_off */
	bool uses_per_cpu;            /* has per-CPU address moves */
	uint32_t private_stack_bytes; /* of all functions, guards included */
	struct jf_fault *faults;
	uint32_t fault_count;
	uint32_t passes; /* how often the whole program was emitted until nothing changed */
};

/* An upper bound for the code that jf_compile() makes of `program` for `conv`, in bytes. */
JF_API size_t jf_compile_bound(const struct jf_convention *conv, const struct jf_program *program);

/*
 * Compiles a program for a convention into the caller's memory.
 * in:  bytes[0, capacity) writable; it will run at `address` (not 0 when it is to run).
 * out: *image on JF_OK only; the caller frees it with jf_image_free(). The code stays in `bytes`.
 * returns: JF_E_INVAL; JF_E_BAD_INSN (malformed BPF: opcode, reserved fields, jump target, function
 *      index, falling off the end); JF_E_UNSUPPORTED (an instruction or call that this backend does not
 *      have, an import without address); JF_E_BAD_SPEC (frame); JF_E_NOSPACE (code > capacity; the address of
 *      a function further on may take a few bytes more than in the end as long as it is not known, so
 *      that code may not compile in just its own size, but always does in jf_compile_bound());
 *      JF_E_RANGE (a distance no form reaches); JF_E_NO_MEMORY.
 *      error->where is the function's name, error->text names instruction index and opcode.
 * threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_compile(const struct jf_convention *conv, const struct jf_program *program,
					  const struct jf_compile_opts *opts, void *bytes, size_t capacity,
					  uint64_t address, struct jf_image **image, struct jf_error *error);
JF_API void jf_image_free(struct jf_image *image);

/* Bytes of BPF stack that a function can touch below R10, found from its code: 0..max. Code whose
 * stack use cannot be followed counts as `max`. Any thread, allocates nothing when insn_count is 0. */
JF_API JF_CHECK enum jf_status jf_function_stack(const struct jf_function *function, uint32_t max, uint32_t *bytes);

/* ---- running on this host ------------------------------------------------------------------- */

struct jf_loaded; /* an image in executable memory and in the code map */

/*
 * Compiles into executable memory (written, then made executable: never both), registers each
 * function in the code map. `cookie` comes back in struct jf_range.owner.
 * out: *loaded on JF_OK; free with jf_unload(). program's names must outlive it.
 * With opts->private_stack the library gives the stacks from a thread-local pool and fills in
 * values.private_stack itself.
 * returns: as jf_compile(); JF_E_UNSUPPORTED when conv is not of this host or lacks JF_CAP_RUN;
 *      JF_E_NO_MEMORY.
 */
JF_API JF_CHECK enum jf_status jf_load(const struct jf_convention *conv, const struct jf_program *program,
				       const struct jf_compile_opts *opts, void *owner, struct jf_loaded **loaded,
				       struct jf_error *error);
/* Removes the code. No thread may be running it. */
JF_API void jf_unload(struct jf_loaded *loaded);
JF_API const struct jf_image *jf_loaded_image(const struct jf_loaded *loaded);
/*
 * Puts a loaded program into a slot of a program array, or empties it (NULL). Any thread, at any time:
 * a tail call sees the old program or the new one. The old one may be unloaded only when no thread can
 * still be in it.
 * returns: JF_E_INVAL (index, NULL array), JF_E_BAD_SPEC (convention or hardening options differ from
 *      those of a program already in the array: their tail-call entries need not agree).
 */
JF_API JF_CHECK enum jf_status jf_program_array_set(struct jf_program_array *array, uint32_t index,
						    const struct jf_loaded *loaded);

/*
 * Installs handlers for SIGSEGV and SIGBUS that let programs go on after a fault in an arena access
 * (struct jf_fault); every other fault goes to the handler that was there before. Once per process,
 * later calls do nothing. returns: JF_E_UNSUPPORTED without native stubs.
 */
JF_API JF_CHECK enum jf_status jf_fault_handler_install(void);

/* What the may_goto stub asks: slots[0] = count, slots[1] = start time in ns, 0 at first. returns: the
 * new count, 0 once 250 ms have passed since the start. Async-signal-safe. */
JF_API uint64_t jf_may_goto_check(uint64_t slots[2]);

/* Looks at the guards of the program's private stacks in this thread, as jf_run() has set them. returns: JF_E_GUARD
 * when one was written to. threads: any. */
JF_API JF_CHECK enum jf_status jf_private_stack_check(const struct jf_loaded *loaded);

/* Address of function 0. */
JF_API uint64_t jf_loaded_entry(const struct jf_loaded *loaded);

/* Runs main with R1 = arg. returns: R0, or what its exception callback returned. Any thread, reentrant. */
JF_API uint64_t jf_run(const struct jf_loaded *loaded, uint64_t arg);
/* The same with every callee-saved register set before and read after; see struct jf_native. */
JF_API uint64_t jf_run_checked(const struct jf_loaded *loaded, uint64_t arg, const struct jf_regs *in,
			       struct jf_regs *out);

JF_END_DECLS

#endif
