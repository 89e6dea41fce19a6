/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_BENCH_CODEMAP_H
#define JF_BENCH_CODEMAP_H

/* Look-ups in the code map: adds the tables. */
void measure_code_map(void);

#endif
