/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/throw.h>
#include <jitframe/walk.h>

/* For hosts without native stubs; elsewhere these are the backend's, in native.S. */

enum jf_status jf_throw(uint64_t cookie)
{
	(void)cookie;
	return JF_E_UNSUPPORTED;
}

enum jf_status jf_walk_here(struct jf_walk *walk, const struct jf_walk_opts *opts)
{
	(void)walk;
	(void)opts;
	return JF_E_UNSUPPORTED;
}

enum jf_status jf_bpf_stack_walk(jf_bpf_frame_fn consume, void *cookie)
{
	(void)consume;
	(void)cookie;
	return JF_E_UNSUPPORTED;
}
