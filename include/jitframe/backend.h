/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKEND_H
#define JF_BACKEND_H

#include <jitframe/body.h>
#include <jitframe/build.h>
#include <jitframe/code.h>
#include <jitframe/effect.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>

JF_BEGIN_DECLS

/*
 * Run-time constants that a prologue loads. Example: arena_base = 0x7f0000000000 for a program whose arena is mapped
 * there. All zero is fine for looking at code.
 */
struct jf_values {
	uint64_t arena_base;
	/*
	 * Private stack: the constant P of the setup "frame pointer = P + guard + size + base", in bytes. The base is
	 * the processor's per-CPU base in the `linux` conventions. In the `user` conventions the base is what a word of
	 * the thread holds: an address of memory of this thread.
	 */
	uint64_t private_stack;
	/* `user` conventions: where the word is, in bytes from the thread pointer. */
	uint64_t private_stack_word;
	uint64_t reserved[5]; /* 0; struct jf_compile_opts holds this struct, so that its size stays as it is */
};

/* Argument registers of a platform ABI, at most. */
#define JF_ARG_REGS_MAX 8

/*
 * Registers of one context, by register id, in host byte order. Of a floating-point register the low size_bytes bytes
 * count (struct jf_reg).
 */
struct jf_regs {
	uint64_t value[JF_REGS_MAX];
};

/*
 * Where the kernel stores the registers that a signal interrupted. Offsets are bytes from SP at the trampoline that
 * the signal handler returns to. Source: struct rt_sigframe of the architecture's signal code in Linux, and
 * <asm/sigcontext.h>.
 */
struct jf_signal_frame {
	int16_t pc_off;
	int16_t reg_off[JF_REGS_MAX]; /* by register id; 0: the kernel stores no such register */
};

/*
 * Code of linkers and kernels that comes without unwind information: an entry of a procedure linkage table, for
 * example, or the trampoline that a signal handler returns to. An instruction i of the code matches when
 * (i & mask) == word. Instructions are 4 bytes, little endian.
 */
struct jf_known_code {
	/* An instruction of the code. */
	const struct jf_insn_pattern {
		uint32_t word, mask;
	} * insns;
	const struct jf_row *rows; /* code_off: bytes from the first instruction */
	const struct jf_slot *slots;
	uint8_t insn_count, row_count, slot_count;
	bool is_trampoline; /* of a signal: struct jf_signal_frame says where the interrupted registers are */
};

struct jf_walk;
struct jf_walk_opts;

/*
 * One frame, as Linux's arch_bpf_stack_walk() reports a frame. ip: the return address, less call_bytes of struct
 * jf_orc_format where the kernel's ORC unwinder subtracts them. sp, fp: of the function that ip lies in.
 * returns: whether to go on.
 */
typedef bool (*jf_bpf_frame_fn)(void *cookie, uint64_t ip, uint64_t sp, uint64_t fp);

/*
 * Stubs of the host's architecture; other backends have none. The stubs follow the platform ABI. [start, end) are their
 * code addresses: the code map holds the stubs as ENTRY ranges, so that walks know where C entered BPF code.
 */
struct jf_native {
	/* Calls BPF code: R1 = arg1, R2 = arg2. returns: the ABI's return register. */
	uint64_t (*enter)(uint64_t entry, uint64_t arg1, uint64_t arg2);
	const void *enter_start, *enter_end;
	/*
	 * Calls BPF code as enter() does, and proves the frame: loads every register that has JF_REG_CALLEE_SAVED from
	 * *in just before the call, and stores in *out what these registers hold right after the call.
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
	/*
	 * The stub that code of the may_goto hook calls. in: AX = address of count and start time (struct jf_body_ops).
	 * out: AX = the new count. Keeps every other BPF register of every convention of this backend (R18). Calls
	 * jf_may_goto_check().
	 */
	const void *may_goto_start, *may_goto_end;
	/*
	 * jf_try() of this architecture: keeps every callee-saved register, calls fn(arg), stores the result in
	 * *result, returns JF_OK. The code map holds [try_start, try_end) as a TRY range; .eh_frame describes it. A
	 * throw enters try_landing with (cookie, CFA, FP): the code there stores the cookie in *result, restores the
	 * registers and returns JF_CAUGHT from the stub.
	 */
	enum jf_status (*try_call)(uint64_t (*fn)(void *arg), void *arg, uint64_t *result);
	const void *try_start, *try_landing, *try_end;
	/*
	 * jf_throw(), jf_throw_resume(), jf_walk_here() and jf_bpf_stack_walk() of this architecture. Each stub
	 * collects the callee-saved registers, SP and pc of its own caller, and hands them to jf_throw_recall() and
	 * jf_throw_from(), to jf_throw_resume_from(), to jf_walk_here_from(), to jf_bpf_stack_walk_here_from(). Each
	 * stub has .eh_frame.
	 */
	enum jf_status (*throw_exception)(uint64_t cookie);
	enum jf_status (*throw_resume)(void);
	/*
	 * Calls a clean-up pad (JF_CLEANUP_CALLED): in a frame whose lowest bytes are a struct jf_pad_call, loads every
	 * callee-saved register from *regs, sets R0 to R5 to 0, and enters the code at `pad`, by a call where a call
	 * pushes the return address, else by a jump. The pad comes back behind that call, or to pad_back, whose address
	 * *regs has in the register that the convention names (cleanup_back). Keeps every callee-saved register of its
	 * own caller, and has .eh_frame.
	 */
	void (*call_pad)(const struct jf_regs *regs, uint64_t pad, uint64_t cookie, uint64_t cfa);
	const void *pad_back;
	enum jf_status (*walk_here)(struct jf_walk *walk, const struct jf_walk_opts *opts);
	enum jf_status (*bpf_stack_walk)(jf_bpf_frame_fn consume, void *cookie);
	/*
	 * Read and write a signal's context: the ucontext_t that a handler gets as third argument. context_get gives
	 * all integer registers, the floating-point registers that the context has, and the pc. Async-signal-safe.
	 */
	void (*context_get)(const void *ucontext, struct jf_regs *regs, uint64_t *pc);
	void (*context_set_reg)(void *ucontext, uint8_t reg, uint64_t value); /* integer registers */
	void (*context_set_pc)(void *ucontext, uint64_t pc);
	/* Whether this processor has the instructions of jf_compile_opts.atomic_insns. NULL: no convention has
	 * JF_CAP_ATOMIC_INSNS. */
	bool (*has_atomic_insns)(void);
	/*
	 * The bits for mprotect(2) with which this processor checks landing pads in code of compile option
	 * landing_pads; 0: this processor checks none. Code without pads must not be on such pages. NULL: pages of this
	 * architecture have no such bit.
	 */
	int (*landing_pad_prot)(void);
	/*
	 * Whether this thread has a shadow stack, on which the processor keeps return addresses once more: NULL when
	 * the thread has none; else the environment variable that starts a process without, as "NAME=VALUE". NULL: this
	 * architecture has no shadow stacks. Async-signal-safe.
	 */
	const char *(*shadow_stack)(void);
	/* How nongnu's libunwind names this architecture in its functions: NAME of _UNAME_flush_cache(). NULL: that
	 * library has no such port. */
	const char *libunwind_name;
};

/*
 * What the core needs to know of the branches that put_branch of struct jf_body_ops writes, in order to settle their
 * forms in the code itself. See jf_body_branch().
 */
struct jf_branches {
	/* A form of a branch. */
	struct jf_branch_form {
		uint8_t bytes; /* length, as put_branch returns the length; 0: neither this form nor a later one */
		/* All branches of this form reach this many bytes in either direction. For longer distances the core
		 * asks put_branch. */
		uint32_t reach;
	} forms[JF_BRANCH__COUNT][JF_BRANCH_FORMS_MAX]; /* by enum jf_branch_kind; each longer than the one before */
};

/* What C functions expect of their callers. Source: the platform's psABI, on passing arguments. */
struct jf_c_args {
	/* Narrower arguments are extended by their own sign to so many bytes: 8; 4, when no callee reads more of them;
	 * 0, when callees extend them. */
	uint8_t extended_bytes;
	bool words_signed; /* 4 bytes are sign-extended, unsigned ones too */
	/* Register id, of no BPF register and no argument: arguments go through it that lie elsewhere on the stack for
	 * BPF functions. */
	uint8_t temp;
};

/* The most bytes of code that come of one piece of a program; all mandatory. For jf_compile_bound(), and for those who
 * emit a prologue to see what the prologue does. */
#define JF_FUNCTION_BYTES_MAX 2048
struct jf_code_bounds {
	uint16_t insn_bytes;      /* any BPF instruction but a tail call */
	uint16_t tail_call_bytes; /* with the exit that restores everything */
	uint16_t function_bytes;  /* prologue, epilogue and alignment; up to JF_FUNCTION_BYTES_MAX */
	uint16_t stub_bytes;      /* a call stub and its alignment; where call_stubs is NULL: 0 */
	uint16_t pad_bytes;       /* what a clean-up pad begins with (build->cleanup_pad); without the hook: 0 */
};

/*
 * One architecture. owns: const and static; the library never frees a backend. A hook is mandatory unless its comment
 * says otherwise. A hook reports failure through jf_code_fail() or through its status. threads: hooks run in any thread
 * and keep no state. Sources: the architecture's psABI for registers, arguments, alignment and red zone; the ELF
 * specification for elf_machine; the processor's manual for encodings.
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
	uint8_t ra;                  /* id of the link register, or of the pushed return address */
	bool ra_pushed;              /* a call pushes the return address (its slot is saved at entry) */
	int16_t cfa_sp_off_at_entry; /* CFA - SP at the first instruction of a function */
	uint16_t red_zone_bytes;     /* bytes below SP that signals leave alone */
	uint8_t result;              /* the ABI's return register */
	uint8_t arg_count;
	uint8_t args[JF_ARG_REGS_MAX]; /* register ids of the ABI's integer arguments */
	struct jf_c_args c_args;
	const struct jf_convention *const *conventions;
	uint8_t convention_count;

	/*
	 * ---- code, reading the solved frame ----
	 * Prologue, epilogue and tail exit: by the steps of `build` (build.h), where that is not NULL. For frames that
	 * cannot be built so the three hooks below are there, which record the rows themselves: jf_code_cfa(),
	 * jf_code_saved() and so on. Those who want the code call jf_frame_prologue() and its siblings.
	 */
	const struct jf_build_ops *build;

	/* From the entry to the body, for the frame's role and options; sets JF_MARK_TAIL_ENTRY (where the
	 * role has one) and JF_MARK_BODY. The core has called jf_code_begin(). */
	void (*emit_prologue)(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values);
	/* Restores the caller's registers, moves R0 to the ABI's return register, returns. The core has set
	 * JF_MARK_EPILOGUE. */
	void (*emit_epilogue)(struct jf_code *code, const struct jf_frame *frame);
	/* Takes the frame down and jumps to the tail-call entry: `entry_off` bytes behind the address in the
	 * convention's tail-call target register. Puts the row state back afterwards. */
	void (*emit_tail_exit)(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off);
	/* Optional: a stub that calls C at `target`, for conventions that cannot call C directly (see call_stubs).
	 * The core has called jf_code_begin() with the entry state. `frame` has the two slots of jf_frame_record()
	 * and no others. */
	void (*emit_call_stub)(struct jf_code *code, const struct jf_frame *frame, uint64_t target);
	/* Whether calls of this convention to C have to go through such a stub. NULL: none has to. */
	bool (*call_stubs)(const struct jf_convention *conv);

	/* Members may be NULL: unsupported. With a convention that runs (JF_CAP_RUN) alu, imm64, load, store, jump,
	 * jump_always and call are mandatory. */
	struct jf_body_ops body;
	/* Results of 32-bit operations are zero-extended by instructions of their own: struct jf_op.upper_dead says
	 * where none is needed. Looking for these places takes time. */
	bool skips_dead_uppers;
	const struct jf_branches *branches; /* NULL: every change of a branch means emitting everything again */

	/* A return address as found in memory -> a code address, without its pointer-authentication code. NULL: both
	 * are the same. Async-signal-safe. */
	uint64_t (*strip_return)(uint64_t value);

	const struct jf_native *native; /* NULL when this host is another architecture */
	/* Decodes as jf_decode() does; `count` is at least 1. NULL: code of this architecture cannot be checked. */
	enum jf_status (*decode)(const uint8_t *bytes, size_t count, struct jf_effect *effect);
	const struct jf_signal_frame *signal_frame; /* NULL: unknown; walks end at signal trampolines */
	const struct jf_known_code *known_code;     /* a longer pattern stands before a pattern that it ends with */
	uint8_t known_code_count;
	const struct jf_orc_format *orc; /* how Linux's unwind tables are encoded (orc.h); NULL: Linux has none */
	uint8_t stack_align;             /* of SP where C is called, by the platform ABI, bytes */
	/* DW_CFA 0x2d and 0x2c say that the return address is signed from here on, or no longer (DWARF for the Arm
	 * 64-bit Architecture); elsewhere the two numbers belong to register windows. */
	bool cfi_negates_ra_state;
	struct jf_code_bounds bounds;
	/*
	 * Puts down one instruction that traps in user space: a breakpoint, for example. The code of a program that was
	 * unloaded is overwritten with these instructions. Optional for a backend without native stubs.
	 */
	void (*emit_trap)(struct jf_code *code);
	uint8_t sframe_abi; /* architecture and byte order in the header of .sframe (sframe.h); 0: SFrame has none */
};

/*
 * The backends that are built in, by index from 0, and behind them the registered ones.
 * returns: NULL behind the last. owns: static, never freed. threads: any, async-signal-safe.
 */
JF_API const struct jf_backend *jf_backend_at(size_t index);
/* The backend of a name: "loongarch64". returns: NULL when no backend has the name, or the name is NULL. threads: any,
 * async-signal-safe. */
JF_API const struct jf_backend *jf_backend_find(const char *name);
/* The backend of the processor that this library was built for. returns: NULL when no backend has native stubs.
 * threads: any, async-signal-safe. */
JF_API const struct jf_backend *jf_backend_host(void);

/*
 * Adds a backend that lives outside of the library.
 * in:  error may be NULL. owns: the backend stays the caller's and must stay valid until the process ends.
 * returns: JF_E_INVAL (NULL, without a name, or of an older header), JF_E_BAD_DESC (see jf_backend_check()),
 *      JF_E_OVERLAP (another backend has the name), JF_E_NOSPACE (16 backends are registered).
 * threads: call before other threads use the library.
 */
JF_API JF_CHECK enum jf_status jf_backend_register(const struct jf_backend *backend, struct jf_error *error);

/*
 * Looks at every field of a backend and of its conventions: a hook or table that is missing, a number that nothing can
 * have, a register that cannot have the field's role, and contradictions between fields (see jf_convention_check()).
 * Register ids count from 0, so a forgotten id is told by the role: register 0 is seldom the right one.
 * in:  error may be NULL. returns: JF_E_BAD_DESC for the first fault: error->where is the backend's or the convention's
 *      name, and error->text a sentence that begins with the field's name: "arena_reg is x0, where R1 lives (R15)".
 * threads: any, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_backend_check(const struct jf_backend *backend, struct jf_error *error);

/*
 * "loongarch64/user" -> convention.
 * out: *conv on JF_OK only; static, never freed.
 * returns: JF_E_INVAL (NULL, or no "/" in target), JF_E_NOT_FOUND (no such architecture or convention; error->text
 *      names the part). threads: any, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_convention_find(const char *target, const struct jf_convention **conv,
						  struct jf_error *error);

/*
 * Emits one part of a function for a solved frame, as `jitframe emit` shows the part. Every call begins a function in
 * `code`. JF_PART_ALL is the prologue, the epilogue and, when the spec has tail calls, the tail exit.
 * in:  values may be NULL: all zero.
 * returns: what jf_code_finish(code) returns; JF_E_INVAL (NULL, no such part, or values of a newer header);
 *      JF_E_UNSUPPORTED (a tail exit of a callback, or of a spec without tail calls).
 * threads: any, no shared state, allocates nothing.
 */
enum jf_part { JF_PART_PROLOGUE, JF_PART_EPILOGUE, JF_PART_TAIL_EXIT, JF_PART_ALL };
JF_API JF_CHECK enum jf_status jf_frame_emit(struct jf_code *code, const struct jf_frame *frame, enum jf_part part,
					     const struct jf_values *values);

/* Begins a function in `code` and sets the row state of the function's first instruction, by role and landing
 * protocol. owns: *frame must outlive the emission. threads: any, no shared state. */
JF_API void jf_frame_begin(struct jf_code *code, const struct jf_frame *frame);

/*
 * The tail-call entry of this convention's main programs under the tail_calls, landing_pads and sign_return of `spec`:
 * bytes from the start of the function (R16).
 * out: *entry_off on JF_OK only. returns: JF_E_INVAL (NULL), or as jf_frame_solve(); JF_E_UNSUPPORTED when the
 *      convention's programs have no tail-call entry. threads: any, no shared state, allocates nothing.
 */
JF_API JF_CHECK enum jf_status jf_tail_entry_off(const struct jf_convention *conv, const struct jf_frame_spec *spec,
						 uint32_t *entry_off);

JF_END_DECLS

#endif
