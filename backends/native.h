/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKENDS_NATIVE_H
#define JF_BACKENDS_NATIVE_H

/* The stubs of native.S, for the host's context.c. */
#include <jitframe/backend.h>

/* A function that a hook of struct jf_native points to. */
#define JF_NATIVE_HOOK(hook) __typeof__(*((struct jf_native *)0)->hook)

#pragma GCC visibility push(hidden)

JF_NATIVE_HOOK(throw_exception) jf_native_throw;
JF_NATIVE_HOOK(throw_resume) jf_native_throw_resume;
JF_NATIVE_HOOK(call_pad) jf_native_call_pad;
JF_NATIVE_HOOK(walk_here) jf_native_walk_here;
JF_NATIVE_HOOK(bpf_stack_walk) jf_native_bpf_stack_walk;
JF_NATIVE_HOOK(enter) jf_native_enter;
JF_NATIVE_HOOK(enter_checked) jf_native_enter_checked;
JF_NATIVE_HOOK(call_checked) jf_native_call_checked;
JF_NATIVE_HOOK(overwrite) jf_native_overwrite;
JF_NATIVE_HOOK(try_call) jf_native_try;

/* Their code addresses as data: ISO C has no conversion from a function. Only generated code calls the last one. */
extern const char jf_native_enter_start[], jf_native_enter_end[];
extern const char jf_native_enter_checked_start[], jf_native_enter_checked_end[];
extern const char jf_native_try_start[], jf_native_try_landing[], jf_native_try_end[];
extern const char jf_native_may_goto_start[], jf_native_may_goto_end[];
extern const char jf_native_pad_back[];

/* What context.c defines, of JF_NATIVE_STUBS and the functions that read and write a signal's context. */
extern const struct jf_native jf_native_host;

#pragma GCC visibility pop

/* The members of struct jf_native that native.S has. */
/* clang-format off */
#define JF_NATIVE_STUBS                                                                                          \
	.enter = jf_native_enter,                                                                                \
	.enter_start = jf_native_enter_start,                                                                    \
	.enter_end = jf_native_enter_end,                                                                        \
	.enter_checked = jf_native_enter_checked,                                                                \
	.checked_start = jf_native_enter_checked_start,                                                          \
	.checked_end = jf_native_enter_checked_end,                                                              \
	.call_checked = jf_native_call_checked,                                                                  \
	.overwrite = jf_native_overwrite,                                                                        \
	.try_call = jf_native_try,                                                                               \
	.try_start = jf_native_try_start,                                                                        \
	.try_landing = jf_native_try_landing,                                                                    \
	.try_end = jf_native_try_end,                                                                            \
	.may_goto_start = jf_native_may_goto_start,                                                              \
	.may_goto_end = jf_native_may_goto_end,                                                                  \
	.throw_exception = jf_native_throw,                                                                      \
	.throw_resume = jf_native_throw_resume,                                                                  \
	.call_pad = jf_native_call_pad,                                                                          \
	.pad_back = jf_native_pad_back,                                                                          \
	.walk_here = jf_native_walk_here,                                                                        \
	.bpf_stack_walk = jf_native_bpf_stack_walk
/* clang-format on */

#endif
