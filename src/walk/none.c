/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For libraries without a backend of the host: these four belong to a backend that is registered, if there is one. A
 * backend of the host that is built in defines them itself, in native.S.
 */
#include "walk/walk.h"

#include <jitframe/throw.h>

/* The stub is to see the caller of the function here, not the function: a jump in place of the call. */
#ifdef __clang__
#define JUMP __attribute__((musttail)) return
#else
#define JUMP return
#pragma GCC optimize("O2")
#endif

static const struct jf_native *host(void)
{
	const struct jf_backend *backend = jf_backend_host();

	return backend ? backend->native : NULL;
}

enum jf_status jf_throw(uint64_t cookie)
{
	const struct jf_native *native = host();

	if (!native || !native->throw_exception)
		return JF_E_UNSUPPORTED;
	JUMP native->throw_exception(cookie);
}

enum jf_status jf_throw_resume(void)
{
	const struct jf_native *native = host();

	if (!native || !native->throw_resume)
		return JF_E_UNSUPPORTED;
	JUMP native->throw_resume();
}

enum jf_status jf_walk_here(struct jf_walk *walk, const struct jf_walk_opts *opts)
{
	const struct jf_native *native = host();

	if (!native || !native->walk_here)
		return walk ? jf_walk_refuse(walk_inside(walk), JF_E_UNSUPPORTED) : JF_E_UNSUPPORTED;
	JUMP native->walk_here(walk, opts);
}

enum jf_status jf_bpf_stack_walk(jf_bpf_frame_fn consume, void *cookie)
{
	const struct jf_native *native = host();

	if (!native || !native->bpf_stack_walk)
		return JF_E_UNSUPPORTED;
	JUMP native->bpf_stack_walk(consume, cookie);
}
