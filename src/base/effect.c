/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/backend.h>

enum jf_status jf_decode(const struct jf_backend *backend, const uint8_t *bytes, size_t count, struct jf_effect *effect)
{
	if (!backend || !bytes || !effect)
		return JF_E_INVAL;
	if (!backend->decode)
		return JF_E_UNSUPPORTED;
	return count ? backend->decode(bytes, count, effect) : JF_E_NOSPACE;
}
