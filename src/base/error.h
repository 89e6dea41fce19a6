/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BASE_ERROR_H
#define JF_BASE_ERROR_H

#include <jitframe/status.h>

#include <stdarg.h>

/* Adds to the text that jf_error_set() has put into `error` (NULL: does nothing), cut to fit. returns: `status`. */
enum jf_status jf_error_add(struct jf_error *error, enum jf_status status, const char *fmt, va_list args);

#endif
