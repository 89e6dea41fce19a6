/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_COMPILE_ARGUMENTS_H
#define JF_COMPILE_ARGUMENTS_H

#include <jitframe/body.h>

/*
 * Outgoing argument 5 + op->code = src or imm, and dst = that incoming argument: by the hooks for BPF's own stores,
 * loads and moves. returns: as those; JF_E_UNSUPPORTED where the backend has none, and for an argument whose register
 * the private stack's pointer has taken.
 */
enum jf_status jf_argument_put(struct jf_body *b, const struct jf_op *op);
enum jf_status jf_argument_get(struct jf_body *b, const struct jf_op *op);

#endif
