/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/shadow_stack.h"

#include <jitframe/backend.h>

/* In a file of its own: tests put another function in its place. */
const char *jf_walk_shadow_stack(void)
{
	const struct jf_backend *host = jf_backend_host();

	return host && host->native->shadow_stack ? host->native->shadow_stack() : NULL;
}
