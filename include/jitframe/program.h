/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PROGRAM_H
#define JF_PROGRAM_H

#include <jitframe/body.h>
#include <jitframe/cleanup.h>
#include <jitframe/isa.h>
#include <jitframe/source.h>

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

/* Arguments of an import, at most. */
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
	uint64_t address;   /* 0: missing; a program that calls the import is refused */
	bool throws;        /* the function may throw: jf_throw(), or a caller of jf_throw(); makes main a boundary */
	bool resumes;       /* the function ends a clean-up pad, bpf_unwind_resume(): only pads may call it */
	bool never_returns; /* as bpf_throw(): what stands behind a call is not reached from there */
	uint8_t arg_count;  /* of a function with 6 to 5 + JF_OUT_ARGS_MAX arguments; 0: at most 5 */
	struct jf_c_value result;
	struct jf_c_value args[JF_ARGS_MAX]; /* those behind the last argument do not count */
};

/* A map that programs refer to. */
struct jf_map_ref {
	uint64_t object; /* what helpers get as the map pointer; for tail calls a struct jf_program_array */
	uint64_t value;  /* address of the first value, for maps that programs address directly; 0: refused */
};

/* A BPF program: functions[0] is main. owns: all memory is the caller's, and is read during compilation only; names
 * and lines must outlive the image (struct jf_image_function.name, .lines). */
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
	const struct jf_source_lines *lines; /* of functions[i]: lines[i]; NULL: no line is known */
	const struct jf_cleanups *cleanups;  /* of functions[i]: cleanups[i]; NULL: no function has clean-up pads */
};

/*
 * The bytes of BPF stack that a function can touch below R10, found from the function's code. Code whose stack use
 * cannot be followed counts as `max`.
 * out: *bytes on JF_OK only. returns: JF_E_INVAL (NULL, max over INT32_MAX / 2); JF_E_BAD_INSN, JF_E_UNSUPPORTED (as
 *      jf_compile()); JF_E_NO_MEMORY. threads: any, no shared state; allocates.
 */
JF_API JF_CHECK enum jf_status jf_function_stack(const struct jf_function *function, uint32_t max, uint32_t *bytes);

JF_END_DECLS

#endif
