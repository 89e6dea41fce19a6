/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_ROWS_ARGS_H
#define JF_TOOLS_ROWS_ARGS_H

#include "rows_file.h"

struct rows_args {
	enum { ROWS_NONE, ROWS_VERIFY, ROWS_MAKE } command;
	const char *path;
	const char *function; /* NULL: all */
	const char *out;      /* make */
	bool json;
	bool all; /* verify: undecided functions are listed, too */
	bool elf; /* make */
};

/* Whether --function asks for it. */
bool rows_wanted(const struct rows_args *args, const struct rows_function *function);

int rows_verify(const struct rows_args *args);
int rows_make(const struct rows_args *args);

#endif
