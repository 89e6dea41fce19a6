/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_H
#define JF_BACKEND_H

#include <jitframe/body.h>
#include <jitframe/code.h>
#include <jitframe/effect.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>

JF_BEGIN_DECLS

/* Run-time constants that a prologue loads; all zero is fine for looking at code. */
struct jf_values {
	uint64_t arena_base;
	/*
	 * Private stack: the constant P of the setup "frame pointer = P + guard + size + per-CPU base".
	 * The `linux` conventions add the processor's per-CPU base, the `user` ones the thread pointer, so
	 * there P is the offset of a thread-local buffer from it.
	 */
	uint64_t private_stack;
};

#define JF_ARG_REGS_MAX 8

/*
 * Where the registers of one captured or entered context go: indexed by register id. For FP
 * registers the low size_bytes bytes count.
 */
struct jf_regs {
	uint64_t value[JF_REGS_MAX];
};

/*
 * What the kernel leaves on the stack for a signal handler: where the registers are that it interrupted, bytes
 * from SP at the trampoline that the handler returns to.
 */
struct jf_signal_frame {
	int16_t pc_off;
	int16_t reg_off[JF_REGS_MAX]; /* by register id; 0 = not there */
};

/*
 * Code of linkers and kernels that comes without unwind information: entries of a procedure linkage table, the
 * trampoline that a signal handler returns to. For instructions of 4 bytes, little endian.
 */
struct jf_known_code {
	const struct jf_insn_pattern {
		uint32_t word, mask;
	} * insns;
	const struct jf_row *rows; /* code_off from its first instruction */
	const struct jf_slot *slots;
	uint8_t insn_count, row_count, slot_count;
	bool is_trampoline; /* what was interrupted is in the struct jf_signal_frame at SP */
};

/*
 * Stubs that only exist where the host is the backend's architecture. All follow the platform ABI.
 * [start, end) are their code addresses: the code map holds them so that walks know where C begins.
 */
struct jf_native {
	/* Calls BPF code: R1 = arg1, R2 = arg2. returns: the ABI's return register. */
	uint64_t (*enter)(uint64_t entry, uint64_t arg1, uint64_t arg2);
	const void *enter_start, *enter_end;
	/*
	 * The same, for proving a frame: loads every register that has JF_REG_CALLEE_SAVED from *in just
	 * before the call, and stores what they hold right after it in *out.
	 */
	uint64_t (*enter_checked)(uint64_t entry, uint64_t arg1, uint64_t arg2, const struct jf_regs *in,
				  struct jf_regs *out);
	const void *checked_start, *checked_end;
	/*
	 * The same between C and C: calls the function at `function`, which finds *in in every callee-saved register.
	 * To a walk or a throw this is a C function that has saved them all. .eh_frame describes it, not the code map.
	 */
	uint64_t (*call_checked)(uint64_t function, uint64_t arg1, uint64_t arg2, const struct jf_regs *in,
				 struct jf_regs *out);
	/* Overwrites every register that a callee may, but for those that no jf_reg names. returns: 0. */
	uint64_t (*overwrite)(void);
	/* What the may_goto hook calls: AX = address of count and start time, out: the count. Keeps every
	 * other BPF register of all of this backend's conventions; calls jf_may_goto_check(). */
	const void *may_goto_start, *may_goto_end;
	/*
	 * A signal's context (ucontext_t of the third handler argument): all integer registers, FP ones as far
	 * as the context has them, and the pc; and the way back. Async-signal-safe.
	 */
	void (*context_get)(const void *ucontext, struct jf_regs *regs, uint64_t *pc);
	void (*context_set_reg)(void *ucontext, uint8_t reg, uint64_t value); /* integer registers */
	void (*context_set_pc)(void *ucontext, uint64_t pc);
	/* Whether this processor has the instructions of jf_compile_opts.atomic_insns. NULL without JF_CAP_ATOMIC_INSNS. */
	bool (*has_atomic_insns)(void);
};

/*
 * What the core needs to know of branches to settle their sizes and distances in the code itself. For the
 * branches of jump, jump_always and may_goto to op->target: their hooks put down at most one, at the place
 * where they last asked for its distance. See "Branch sizes" in body.h.
 */
struct jf_branches {
	uint8_t short_bytes;
	uint8_t long_bytes;        /* jump and may_goto */
	uint8_t long_always_bytes; /* jump_always; short_bytes where there is but one form */
	/* Distances of that many bytes, either way, are in reach of every short form; what is farther away is
	 * asked of put(). */
	uint32_t short_reach;
	/*
	 * Gives a branch its distance. in: `branch` = one in its short form, whatever its distance; `is_long`:
	 * which form it is to have, in the same place, where there is room for it; `distance` in bytes, from
	 * the first byte. returns: false, with nothing written, when that form does not reach so far.
	 */
	bool (*put)(uint8_t *branch, int64_t distance, bool is_long);
};

/* The most bytes of code that come of one piece of a program; all mandatory. For jf_compile_bound(). */
struct jf_code_bounds {
	uint16_t insn_bytes;      /* any BPF instruction but a tail call */
	uint16_t tail_call_bytes; /* with the exit that restores everything */
	uint16_t function_bytes;  /* prologue, epilogue and alignment */
	uint16_t stub_bytes;      /* a call stub and its alignment; where call_stubs is NULL: 0 */
};

/*
 * One architecture. Const, static, never freed; every hook mandatory unless it says otherwise. Hooks
 * report failure through jf_code_fail() or their status, never by pretending success.
 */
struct jf_backend {
	uint32_t size; /* sizeof(struct jf_backend) of the file that defines it */
	const char *name;
	const char *llvm_triple; /* for tools that disassemble */
	const char *llvm_features;
	uint16_t elf_machine; /* EM_ of the ELF specification */
	uint8_t insn_align;   /* smallest distance between instructions, bytes */
	uint8_t reg_count;
	const struct jf_reg *regs;
	uint8_t sp, fp;
	uint8_t ra;                  /* link register, or the id that stands for a pushed return address */
	bool ra_pushed;              /* a call pushes the return address (its slot is saved at entry) */
	int16_t cfa_sp_off_at_entry; /* CFA - SP at the first instruction of a function */
	uint16_t red_zone_bytes;     /* below SP, that signals leave alone */
	uint8_t result;              /* the ABI's return register */
	uint8_t arg_count;
	uint8_t args[JF_ARG_REGS_MAX]; /* register ids of the ABI's integer arguments */
	const struct jf_convention *const *conventions;
	uint8_t convention_count;

	/* ---- code, reading the solved frame; rows come out through jf_code_cfa() and its kin ---- */

	/* From the entry to the body, for the frame's role and options; sets JF_MARK_TAIL_ENTRY (where the
	 * role has one) and JF_MARK_BODY. The core has called jf_code_begin(). */
	void (*emit_prologue)(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values);
	/* Restores, moves R0 to the ABI's return register, returns. The core has set JF_MARK_EPILOGUE. */
	void (*emit_epilogue)(struct jf_code *code, const struct jf_frame *frame);
	/* Takes the frame down and jumps to the tail-call entry, `entry_off` bytes behind the address that
	 * the convention's tail-call target register holds. Puts the row state back afterwards. */
	void (*emit_tail_exit)(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off);
	/* Optional: a stub through which C is called, where the convention cannot call it directly (see
	 * call_stubs). The core has called jf_code_begin() with the entry state. `frame` has the two slots of
	 * jf_frame_record() and nothing else. */
	void (*emit_call_stub)(struct jf_code *code, const struct jf_frame *frame, uint64_t target);
	/* Whether calls of this convention to C have to go through such a stub. NULL = never. */
	bool (*call_stubs)(const struct jf_convention *conv);

	struct jf_body_ops body;            /* members may be NULL: unsupported */
	const struct jf_branches *branches; /* NULL = every change of a branch means emitting everything again */

	/* A return address as found in memory -> a code address (pointer authentication). NULL = as it is. */
	uint64_t (*strip_return)(uint64_t value);

	const struct jf_native *native; /* NULL when this host is another architecture */
	/* As jf_decode(), `count` at least 1. NULL = there is no decoder, and nothing can be checked. */
	enum jf_status (*decode)(const uint8_t *bytes, size_t count, struct jf_effect *effect);
	const struct jf_signal_frame *signal_frame; /* NULL = not known: walks do not go through signal handlers */
	const struct jf_known_code *known_code;     /* longer ones before those that they end with */
	uint8_t known_code_count;
	const struct jf_orc_format *orc; /* how Linux's unwind tables are encoded (orc.h); NULL = there are none */
	uint8_t stack_align;             /* of SP where C is called, by the platform ABI, bytes */
	/* DW_CFA 0x2d and 0x2c say that the return address is signed from here on, or no longer (DWARF for the Arm
	 * 64-bit Architecture); elsewhere the two numbers belong to register windows. */
	bool cfi_negates_ra_state;
	struct jf_code_bounds bounds;
};

/* Backends built in, then those registered. returns: NULL at the end. Any thread. */
JF_API const struct jf_backend *jf_backend_at(size_t index);
/* returns: NULL when there is none of that name ("loongarch64"). Any thread. */
JF_API const struct jf_backend *jf_backend_find(const char *name);
/* The backend whose native stubs are built in, or NULL. */
JF_API const struct jf_backend *jf_backend_host(void);

/*
 * Adds a backend that lives outside the library. owns: the backend must stay valid for ever.
 * returns: JF_E_INVAL, JF_E_BAD_DESC (see jf_backend_check()), JF_E_OVERLAP (the name is taken),
 *      JF_E_NOSPACE (more than 16). threads: call before other threads use the library.
 */
JF_API JF_CHECK enum jf_status jf_backend_register(const struct jf_backend *backend, struct jf_error *error);

/*
 * Looks for contradictions in a backend's tables: ids that differ from indexes, conventions without a
 * register for a BPF register, slots that overlap. returns: JF_E_BAD_DESC with a sentence in error.
 */
JF_API JF_CHECK enum jf_status jf_backend_check(const struct jf_backend *backend, struct jf_error *error);

/* "loongarch64/user" -> convention. returns: JF_E_NOT_FOUND, JF_E_INVAL; the error names the part. */
JF_API JF_CHECK enum jf_status jf_convention_find(const char *target, const struct jf_convention **conv,
						  struct jf_error *error);

/*
 * Emits one part of a function for a solved frame, as the tool's `emit` shows it and the compiler uses
 * it. Every call begins a function in `code`. For JF_PART_ALL: prologue, epilogue and, when the spec
 * has tail calls, the tail exit.
 * returns: jf_code_finish(code); JF_E_INVAL; JF_E_UNSUPPORTED for a tail exit without tail calls.
 */
enum jf_part { JF_PART_PROLOGUE, JF_PART_EPILOGUE, JF_PART_TAIL_EXIT, JF_PART_ALL };
JF_API JF_CHECK enum jf_status jf_frame_emit(struct jf_code *code, const struct jf_frame *frame, enum jf_part part,
					     const struct jf_values *values);

/* Sets the row state that holds at the frame's first instruction, by role and landing protocol, and
 * begins the function there. */
JF_API void jf_frame_begin(struct jf_code *code, const struct jf_frame *frame);

/* The tail-call entry of this convention's main programs under the options of `spec`: bytes from the
 * start of the function. returns: as jf_frame_solve(); JF_E_UNSUPPORTED when there is none. */
JF_API JF_CHECK enum jf_status jf_tail_entry_off(const struct jf_convention *conv, const struct jf_frame_spec *spec,
						 uint32_t *entry_off);

JF_END_DECLS

#endif
