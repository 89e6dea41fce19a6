/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BACKENDS_HOOKS_H
#define JF_BACKENDS_HOOKS_H

/*
 * The types of hooks, for prototypes: the public headers alone say what a hook takes.
 *
 *     JF_BODY_HOOK(alu) jf_toy_alu;
 *     JF_OP_HOOK jf_toy_swap, jf_toy_load;       any hook that takes an operation and no more
 */
#include <jitframe/backend.h>

#define JF_BACKEND_HOOK(hook) __typeof__(*((struct jf_backend *)0)->hook)
#define JF_BODY_HOOK(hook)    __typeof__(*((struct jf_body_ops *)0)->hook)
#define JF_OP_HOOK            JF_BODY_HOOK(alu)

#endif
