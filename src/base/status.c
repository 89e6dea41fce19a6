/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

const char *jf_status_name(enum jf_status status)
{
	switch (status) {
#define CASE(name, value, text) \
	case name: return #name;
		JF_STATUS_LIST(CASE)
#undef CASE
	}
	return "JF_E_?";
}

const char *jf_status_text(enum jf_status status)
{
	switch (status) {
#define CASE(name, value, text) \
	case name: return text;
		JF_STATUS_LIST(CASE)
#undef CASE
	}
	return "unknown status";
}

enum jf_status jf_error_set(struct jf_error *error, enum jf_status status, const char *where, const char *fmt, ...)
{
	va_list args;

	if (!error)
		return status;
	error->status = status;
	snprintf(error->where, sizeof(error->where), "%s", where ? where : "");
	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	return status;
}

enum jf_status jf_error_add(struct jf_error *error, enum jf_status status, const char *fmt, va_list args)
{
	size_t used = error ? strlen(error->text) : 0;

	if (error)
		vsnprintf(error->text + used, sizeof(error->text) - used, fmt, args);
	return status;
}
