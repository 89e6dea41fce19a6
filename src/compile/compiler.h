/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_COMPILE_COMPILER_H
#define JF_COMPILE_COMPILER_H

#include "bpf/unit.h"
#include "compile/image.h"
#include "compile/sites.h"

#include <jitframe/backend.h>
#include <jitframe/compile.h>

/*
 * One run of jf_compile() (compile.c), in three parts: plan.c looks at the whole program and solves the frames,
 * select.c takes an instruction to the backend's hook, passes.c runs the passes, relax.c settles branches after
 * the first pass, so that no second one is needed.
 */
#define JF_FUNCTION_ALIGN 16
#define JF_MAY_GOTO_BYTES 16 /* count and start time, below the function's own stack */

typedef enum jf_status jf_body_hook(struct jf_body *b, const struct jf_op *op);

struct jf_compiler {
	const struct jf_convention *conv;
	const struct jf_program *program;
	const struct jf_compile_opts *opts;
	struct jf_error *error;
	struct image *image;
	struct jf_code code;
	struct jf_unit *units; /* of the program's functions and the default callback */
	uint32_t unit_count;
	uint32_t *insn_off;    /* all units' arrays, one behind the other */
	uint8_t *flags;        /* the same; in the block of sites.list */
	uint32_t *helper_stub; /* by import: index into image->functions, 0 = none */
	uint32_t *kfunc_stub;
	uint32_t register_stub;                /* the same, for calls through a register */
	const struct jf_import **stub_imports; /* by index into image->functions behind the units */
	struct jf_faults faults;
	jf_body_hook *hooks[JF_OP__COUNT]; /* by kind: straight to the backend; NULL: by jf_compiler_emit() */
	uint32_t row_capacity;
	bool uses_tail_calls;
	bool uses_arena;
	bool calls_register;
	bool throws;
	bool has_cleanups;     /* clean-up records, or calls that end pads */
	uint32_t placed_count; /* functions whose place is known */
	struct jf_sites sites;
	bool first_pass;
	bool is_ahead; /* the instruction being emitted refers to what has no place yet */
	bool looked_ahead;
	bool unsettled;
	bool again; /* another pass is needed */
};

/*
 * Reads the arguments of jf_compile() and jf_load(), whichever header their callers have. in_opts may be NULL.
 * out: *program, *opts as this library's header has them. returns: JF_E_INVAL; the error names the struct or field.
 */
enum jf_status jf_compiler_read(const struct jf_program *in, const struct jf_compile_opts *in_opts,
				struct jf_program *program, struct jf_compile_opts *opts, struct jf_error *error);

/* Checks every function, decides roles, solves frames, makes stubs. returns: as jf_compile(). */
enum jf_status jf_compiler_plan(struct jf_compiler *c);

/*
 * For a backend with struct jf_branches, behind the body of a function in the first pass: finds the branches
 * that need their long form, moves what is behind them and fills distances in. Sets c->unsettled when some
 * code that depends on its place does not fit in it. returns: JF_E_RANGE, JF_E_NOSPACE, or as a hook; b->index is
 * where.
 */
enum jf_status jf_compiler_settle(struct jf_compiler *c, struct jf_body *b);
/* Behind the whole first pass: what refers to functions that had no place when it was emitted. */
enum jf_status jf_compiler_settle_ahead(struct jf_compiler *c, struct jf_body *b);

/* Emits the whole program as often as it takes until nothing changes. returns: as jf_compile(). */
enum jf_status jf_compiler_emit_until_stable(struct jf_compiler *c, uint8_t *bytes, size_t capacity);

/* Fills in c->hooks. */
void jf_compiler_choose_hooks(struct jf_compiler *c);
/* Emits one instruction of any kind. returns: what its hook returns; JF_E_UNSUPPORTED where there is none. */
enum jf_status jf_compiler_emit(struct jf_compiler *c, struct jf_body *b, enum jf_op_kind kind, struct jf_op *op);
/*
 * Emits a load, store or atomic operation by the hook of `ops`, and notes what a fault does when the access is one of
 * the arena. returns: as jf_compiler_emit().
 */
enum jf_status jf_body_access(struct jf_body *b, const struct jf_body_ops *ops, enum jf_op_kind kind,
			      const struct jf_op *op);
/* Emits what has to stand before a function's first instruction. */
enum jf_status jf_compiler_emit_start(struct jf_compiler *c, struct jf_body *b, const struct jf_unit *unit);

/* Emits what a clean-up pad begins with, where the instruction at b->index does. */
static inline void jf_compiler_emit_pad(const struct jf_body *b)
{
	const struct jf_build_ops *build = b->frame->conv->backend->build;

	if (b->state->unit->flags[b->index] & JF_INSN_PAD && b->frame->spec.cleanups && build && build->cleanup_pad)
		build->cleanup_pad(b->code, b->frame);
}

static inline enum jf_status jf_compiler_no_memory(const struct jf_compiler *c)
{
	return jf_error_set(c->error, JF_E_NO_MEMORY, "", "no memory for the compiler");
}

#endif
