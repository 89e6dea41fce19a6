/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_EDGES_H
#define TESTS_RANDOM_EDGES_H

#include "rng.h"

/* Operands where machines differ from one another, or instruction forms end. */
#define EDGE_VALUES 32
extern const uint64_t edge_values[EDGE_VALUES];
#define EDGE_IMMS 28
extern const int32_t edge_imms[EDGE_IMMS];
#define EDGE_OFFS 12
extern const int16_t edge_offs[EDGE_OFFS];

/* Half of them from the lists, half of any size. */
uint64_t edge_value(struct rng *rng);
int32_t edge_imm(struct rng *rng);

#endif
