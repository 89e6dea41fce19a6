/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_VERSION_H
#define JF_VERSION_H

#include <jitframe/export.h>

JF_BEGIN_DECLS

/*
 * The version of this header. docs/compatibility.md says which versions go together.
 *
 *     #if JF_VERSION >= JF_VERSION_NUMBER(0, 2, 0)
 */
#define JF_VERSION_MAJOR 0
#define JF_VERSION_MINOR 1
#define JF_VERSION_PATCH 0

/* Parts from 0 to 255. */
#define JF_VERSION_NUMBER(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define JF_VERSION                             JF_VERSION_NUMBER(JF_VERSION_MAJOR, JF_VERSION_MINOR, JF_VERSION_PATCH)

/* The version of the library that runs, which may be another than the header's, as JF_VERSION_NUMBER() makes it.
 * threads: any, async-signal-safe. */
JF_API unsigned int jf_version(void);
/* The same as text: "0.1.0". owns: static. threads: any, async-signal-safe. */
JF_API const char *jf_version_text(void);

JF_END_DECLS

#endif
