/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_RUN_OPEN_H
#define JF_BENCH_RUN_OPEN_H

#include "programs.h"

#include "bundle.h"

/* What the programs get. */
void programs_data(struct data *data);

/* Opens the object of programs.c; ends the program on an error. */
void programs_open(const char *path);
/* owns: the caller, bundle_selection_free(). */
void programs_select(const char *name, struct bundle_selection *selection);

#endif
