/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_CODEMAP_H
#define JF_BENCH_CODEMAP_H

#include "measure.h"

#include <stdbool.h>

/* Look-ups in the code map: prints the table and adds its rows. */
bool measure_code_map(json_t *rows);

#endif
