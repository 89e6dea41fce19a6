/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_WALK_THROW_H
#define JF_WALK_THROW_H

#include <jitframe/throw.h>

/*
 * A throw from memos alone. Called by the native stub, with pc (a return address), sp and fp of its caller.
 * out: *site but for the cookie. returns: JF_E_NOT_FOUND: jf_throw_from() has to do it.
 */
enum jf_status jf_throw_recall(uint64_t pc, uint64_t sp, uint64_t fp, struct jf_landing_site *site);

#endif
