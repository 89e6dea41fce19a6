/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_KERNEL_JIT_CORE_H
#define JF_KERNEL_JIT_CORE_H

/* Between main.c, which reads programs and prints code, and core.c, which a JIT calls meanwhile. */

/* Where the image of one function went. */
struct placed {
	u64 address;  /* that generated code has of itself */
	u8 *bytes;    /* where it was written */
	u32 size;     /* asked for: code, then what the JIT puts behind it */
	u32 *offsets; /* of the code of each BPF instruction and of the end; NULL: the JIT does not say */
	u32 offset_count;
};

/* The function that is being compiled. */
extern struct placed *core_placed;
/* Where the next function goes, its code or, where that is 0, in the order of functions from core_base on. */
extern u64 core_at, core_base;
extern char kernel_jit_base[]; /* the linker's: the first core_base */

struct core_arena {
	u64 kernel_base, user_base;
};
extern struct core_arena core_arena;
extern u32 core_out_args; /* of the function that is being compiled */

/* Types of a kfunc's arguments, by the call's immediate. */
struct core_model {
	s32 imm;
	struct btf_func_model model;
};
extern struct core_model *core_models;
extern u32 core_model_count;

#endif
