/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_H
#define JF_WALK_H

#include <jitframe/cfi.h>
#include <jitframe/codemap.h>

JF_BEGIN_DECLS

/*
 * Where a walk reads memory: [low, high) in bytes. `read` NULL = this process's own memory, read
 * directly. Else read(arg, address, value) gives the 8 bytes there in the backend's byte order made
 * host order, and returns JF_OK or JF_E_READ.
 */
struct jf_memory {
	uint64_t low, high;
	enum jf_status (*read)(void *arg, uint64_t address, uint64_t *value);
	void *arg;
};

/*
 * A walk in progress; the caller's memory. pc, sp, fp belong to the present frame. pc of the first
 * frame is given; in later frames it is a return address, and pc_is_return says so.
 */
struct jf_walk {
	const struct jf_backend *backend;
	struct jf_memory memory;
	struct jf_regs regs;    /* callee-saved ones, sp and fp as they were in this frame */
	uint8_t known[JF_REGS_MAX / 8]; /* bit per register id: its value is known */
	uint64_t pc;
	bool pc_is_return;
	const struct jf_range *range; /* of pc; NULL: not in the code map */
	const struct jf_cfi_function *function; /* C code, by its .eh_frame; NULL: none, or in the code map */
	const struct jf_row *row;     /* of either; NULL: none */
	const struct jf_slot *slots;  /* what row->saved refers to */
	uint8_t slot_count;
	const char *name;             /* the range's; of C code the path of its object ("" for the program); NULL: none */
	uint64_t cfa;                 /* of this frame; valid when row is set */
	uint64_t fail_address;        /* what could not be read or found, after an error */
};

/*
 * Where a pc is looked up: the code map first, then the C code that jf_cfi_load_objects() and jf_cfi_add()
 * have made known. There is no guessing: code that neither describes ends the walk.
 *
 * Starts a walk. in: regs gives sp, fp and callee-saved registers of the frame that pc lies in;
 * pc_is_return: pc is the return address of a call that is still running, looked up by the byte before
 * it (R17).
 * returns: JF_OK; JF_E_NO_ROW when nothing describes pc or its row says unknown (the cursor then still shows
 *      pc, sp, fp); JF_E_READ, JF_E_LOST (the row's CFA register is not known); JF_E_INVAL.
 * The caller holds a jf_code_map_enter() section over the whole walk. Allocates nothing,
 * async-signal-safe.
 */
JF_API JF_CHECK enum jf_status jf_walk_start(struct jf_walk *walk, const struct jf_backend *backend,
					     const struct jf_memory *memory, const struct jf_regs *regs, uint64_t pc,
					     bool pc_is_return);

/*
 * Goes to the caller's frame.
 * returns: JF_OK; JF_END when the present frame is an ENTRY range, C called BPF code there, or the
 *      outermost frame of a thread;
 *      JF_E_NO_ROW, JF_E_READ, JF_E_LOST, JF_E_STUCK (the CFA did not grow). After an error the cursor
 *      stands where it could not go on.
 */
JF_API JF_CHECK enum jf_status jf_walk_step(struct jf_walk *walk);

/*
 * The same, and from an ENTRY range on into the C code that entered there: to the thread's outermost frame,
 * for profilers and backtraces. A throw never goes there. returns: as jf_walk_step(); JF_E_NO_ROW at an ENTRY
 * range when no objects were loaded (jf_cfi_load_objects()).
 */
JF_API JF_CHECK enum jf_status jf_walk_step_past_entry(struct jf_walk *walk);

/* Whether the register's value in the present frame is known, and the value. */
JF_API bool jf_walk_reg(const struct jf_walk *walk, uint8_t reg, uint64_t *value);

/* The present frame's stack pointer and frame pointer. */
JF_API uint64_t jf_walk_sp(const struct jf_walk *walk);
JF_API uint64_t jf_walk_fp(const struct jf_walk *walk);

JF_END_DECLS

#endif
