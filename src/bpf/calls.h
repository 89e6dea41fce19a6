/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BPF_CALLS_H
#define JF_BPF_CALLS_H

#include "bpf/unit.h"

/* What calls of checked functions say of the way that control takes. */

static inline bool jf_insn_is_tail_call(const struct jf_insn *insn)
{
	return jf_insn_kind(insn) == JF_OP_CALL && jf_insn_src(insn) == JF_SRC_HELPER &&
	       insn->imm == JF_HELPER_TAIL_CALL;
}

/* The C function that is called. returns: NULL for calls of BPF functions, tail calls, and what is no call. */
static inline const struct jf_import *jf_insn_import(const struct jf_program *program, const struct jf_insn *insn)
{
	enum jf_op_kind kind = jf_insn_kind(insn);

	if (kind == JF_OP_CALL_REG)
		return &program->call_register;
	if (kind != JF_OP_CALL || jf_insn_is_tail_call(insn) || jf_insn_src(insn) == JF_SRC_FUNCTION)
		return NULL;
	return jf_insn_src(insn) == JF_SRC_KFUNC ? &program->kfuncs[insn->imm] : &program->helpers[insn->imm];
}

static inline bool jf_insn_calls_function(const struct jf_insn *insn)
{
	return jf_insn_kind(insn) == JF_OP_CALL && jf_insn_src(insn) == JF_SRC_FUNCTION;
}

static inline bool jf_op_jumps(enum jf_op_kind kind)
{
	return kind == JF_OP_JUMP || kind == JF_OP_JUMP_ALWAYS || kind == JF_OP_MAY_GOTO;
}

/* Whether control goes on behind the instruction. returns: by function, whether it ever returns. */
static inline bool jf_insn_goes_on(const struct jf_program *program, const struct jf_insn *insn, const bool *returns)
{
	const struct jf_import *import = jf_insn_import(program, insn);
	enum jf_op_kind kind = jf_insn_kind(insn);

	if (import)
		return !import->resumes && !import->never_returns;
	if (jf_insn_calls_function(insn))
		return returns[insn->imm];
	return kind != JF_OP_EXIT && kind != JF_OP_JUMP_ALWAYS;
}

#endif
