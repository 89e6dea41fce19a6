/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_MUTATE_DESC_H
#define JF_TESTS_CHECK_MUTATE_DESC_H

#include "mutate.h"

/*
 * Mutations of the description: a copy of a convention with one fact changed, from which the true emitters
 * make code. The code is then held to the convention as it was.
 */

#define AREAS_MAX 8
#define RULES_MAX 40

struct description {
	struct jf_convention conv;
	struct jf_area areas[AREAS_MAX];
	struct jf_slot_rule rules[AREAS_MAX][RULES_MAX];
};

void description_copy(struct description *d, const struct jf_convention *conv);

struct description_operator {
	const char *name;
	uint32_t rules; /* this and unseen as in struct operator */
	bool unseen;
	enum mutated (*apply)(struct description *d, unsigned int n);
};
extern const struct description_operator description_operators[];
extern const unsigned int description_operator_count;

#endif
