/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/throw.h>

/* For hosts without native stubs; elsewhere jf_throw() is the backend's, in native.S. */
enum jf_status jf_throw(uint64_t cookie)
{
	(void)cookie;
	return JF_E_UNSUPPORTED;
}
