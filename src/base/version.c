/* SPDX-License-Identifier: BSD-2-Clause */
#include <jitframe/version.h>

#define TEXT_OF(value)                     #value
#define TEXT_OF_PARTS(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

unsigned int jf_version(void)
{
	return JF_VERSION;
}

const char *jf_version_text(void)
{
	return TEXT_OF_PARTS(JF_VERSION_MAJOR, JF_VERSION_MINOR, JF_VERSION_PATCH);
}
