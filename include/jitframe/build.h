/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BUILD_H
#define JF_BUILD_H

#include <jitframe/code.h>
#include <jitframe/frame.h>

JF_BEGIN_DECLS

struct jf_values;

/* Where a frame has its count slots, in bytes from register `base`; tcc_off only where the frame has one slot. */
struct jf_count_place {
	uint8_t base; /* register id */
	int32_t tcc_off;
	int32_t tcc_ptr_off;
};

/*
 * How an architecture builds a frame and takes it down. The core (build.c, take_down.c of src/frame) goes through the
 * solved frame, and says in which order and where; a hook puts down one step of it. The core also records the rows: a
 * hook calls neither jf_code_cfa() nor its siblings. Registers are ids; `base`, `dst` and `src` are integer registers.
 *
 *     main, subprogram, boundary:                       callback that adopts:
 *         enter                                             enter
 *         sign                                              move FP, argument 3
 *         push each unit of slots; behind the frame         add SP, FP, ...
 *           record add FP, SP, ...; behind conv->           adopt_count
 *           tail_keeps slots fresh_count, tail_pad          (the rest as on the left)
 *         add SP, SP, ...
 *         store, store_count: the slots not pushed
 *         add FP, SP, ... if FP is not set yet          epilogue, tail exit:
 *         add R10, ... or private_stack                     load, load_count: the slots not pushed
 *         constant: the arena base                          add SP, ...
 *                                                           pop each unit, or leave
 *                                                           move or sign_extend the result; sign; ret
 *                                                           or: jump
 *
 * A callback that restores first has: move SP, argument 2; move FP, argument 3; pop the boundary's saves; move SP, FP.
 *
 * owns: const and static, as the backend. threads: hooks run in any thread and keep no state. A hook reports failure
 * through jf_code_fail(). "Optional" hooks may be NULL: there is nothing to put down. A hook that is NULL and needed
 * all the same fails the code with JF_E_BAD_DESC.
 */
struct jf_build_ops {
	/* Optional: what a function of this frame begins with: a landing pad, a patch site. */
	void (*enter)(struct jf_code *code, const struct jf_frame *frame);
	/* Optional: the count, or its address, of a main program that no tail call has entered. */
	void (*fresh_count)(struct jf_code *code, const struct jf_frame *frame);
	/* Optional: a landing pad at the place of the tail-call entry. Called for every role. */
	void (*tail_pad)(struct jf_code *code, const struct jf_frame *frame);
	/* Signs the return address, or authenticates it (`on` false). Conventions with JF_CAP_SIGN_RETURN. */
	void (*sign)(struct jf_code *code, bool on);

	void (*move)(struct jf_code *code, uint8_t dst, uint8_t src);
	/* dst = the low 32 bits of src, sign-extended. Conventions with result_bits 32. */
	void (*sign_extend)(struct jf_code *code, uint8_t dst, uint8_t src);
	/*
	 * dst = src + imm, for any imm; dst and src differ when imm is 0. A register may be written on the way in which
	 * no argument, count or result travels.
	 */
	void (*add)(struct jf_code *code, uint8_t dst, uint8_t src, int64_t imm);
	void (*constant)(struct jf_code *code, uint8_t dst, uint64_t value);
	/* One register of any class, to or from memory at base + off. Frames with slots that are not pushed; store also
	 * with JF_CLEANUP_CALLED. */
	void (*store)(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off);
	void (*load)(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off);
	/* Fills in the count slots from the count register. */
	void (*store_count)(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place at);
	/* The count register as a tail call, or a caller, wants it. */
	void (*load_count)(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place at);
	/* Optional: the count register in a callback of a frame with tail calls. */
	void (*adopt_count)(struct jf_code *code, const struct jf_frame *frame);
	/* R10's register in a private stack (jf_frame_private_stack()). Conventions with JF_CAP_PRIVATE_STACK. */
	void (*private_stack)(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values);

	/* Optional: how many slots, from `slot` on, one push makes; 0: this slot and all below it are stored. NULL: all
	 * slots are stored. */
	unsigned int (*unit)(const struct jf_frame *frame, unsigned int slot);
	/* Moves SP down by the unit of slots that begins with `slot`, and fills the unit in. Moves SP up again. */
	void (*push)(struct jf_code *code, const struct jf_frame *frame, unsigned int slot);
	void (*pop)(struct jf_code *code, const struct jf_frame *frame, unsigned int slot);
	/* Optional: SP = FP, then pops FP: instead of popping the last unit, and what no register is saved in. */
	void (*leave)(struct jf_code *code);

	/*
	 * Optional: what a clean-up pad begins with: a landing pad for the jump or call that enters, and registers of
	 * the body that calls do not keep. The code that runs before the pad in memory may run into it.
	 */
	void (*cleanup_pad)(struct jf_code *code, const struct jf_frame *frame);

	void (*ret)(struct jf_code *code);
	/* Ends a clean-up pad that the unwinder has called: back to the unwinder, by conv->cleanup_back. Conventions
	 * with JF_CLEANUP_CALLED. */
	void (*go_back)(struct jf_code *code, const struct jf_frame *frame);
	/* Jumps to `entry_off` bytes behind the address in register `target`, which no step of taking down a frame
	 * changes. */
	void (*jump)(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off);
	uint8_t target; /* register id: the tail-call target register of every convention of the backend */
};

/*
 * The parts of a function, by the hooks of struct jf_backend. jf_frame_emit() calls these functions; a backend's
 * tail_call hook calls jf_frame_tail_exit(). in: as for emit_prologue, emit_epilogue and emit_tail_exit of struct
 * jf_backend. Failure is the code's. threads: any; no shared state, allocates nothing.
 */
JF_API void jf_frame_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values);
JF_API void jf_frame_epilogue(struct jf_code *code, const struct jf_frame *frame);
JF_API void jf_frame_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off);

JF_END_DECLS

#endif
