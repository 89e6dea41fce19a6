/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <stdarg.h>
#include <stdlib.h>

static _Noreturn void fail(const char *file, int line, const char *what, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	cr_assert(false, "%s:%d: %s: %s", file, line, what, text);
	abort(); /* cr_assert() has left */
}

void check_failed(const char *file, int line, const char *condition, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(file, line, condition, format, args);
}

void check_status_failed(const char *file, int line, const char *call, enum jf_status status, enum jf_status wanted,
			 const char *format, ...)
{
	char what[512];
	va_list args;

	snprintf(what, sizeof(what), "%s is %s, not %s", call, jf_status_name(status), jf_status_name(wanted));
	va_start(args, format);
	fail(file, line, what, format, args);
}
