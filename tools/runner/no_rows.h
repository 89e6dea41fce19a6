/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUNNER_NO_ROWS_H
#define JF_RUNNER_NO_ROWS_H

#include <stdint.h>

/* Compiled without unwind tables: no throw and no walk gets past it. */
uint64_t call_without_rows(uint64_t (*callback)(uint64_t), uint64_t arg);

#endif
