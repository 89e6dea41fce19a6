/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_KERNEL_JIT_FUNCTION_H
#define JF_KERNEL_JIT_FUNCTION_H

#include "core.h"

/* A function of the program that was read. */
struct function {
	char name[128];
	struct bpf_insn *insns;
	u32 *names; /* by instruction: 1 + the function that it has the address of, 0: none */
	u32 count, capacity;
	u32 stack, out_args;
	u64 private_stack, at;
	bool boundary, callback, tail_calls, zext, classic;
	struct bpf_prog *prog;
	struct placed placed;
};

/* Its lines of the answer, once it was compiled. */
void function_print(const struct function *function);

#endif
