/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_TOY_COPY_H
#define JF_TESTS_TOY_COPY_H

#include "toy.h"

#include <string.h>

/* A toy that tests may spoil. */

struct copy {
	struct jf_backend backend;
	struct jf_convention conv;
	const struct jf_convention *conventions[1];
	struct jf_area areas[4];
	struct jf_slot_rule rules[40];
	struct jf_reg regs[TOY_REG__COUNT];
};

/* A copy of the toy with the one convention, whose first area can be written to. */
static inline void copy_init(struct copy *copy, const struct jf_convention *conv)
{
	memset(copy, 0, sizeof(*copy));
	copy->backend = toy_backend;
	copy->conv = *conv;
	memcpy(copy->areas, conv->areas, conv->area_count * sizeof(copy->areas[0]));
	memcpy(copy->rules, copy->areas[0].rules, copy->areas[0].rule_count * sizeof(copy->rules[0]));
	memcpy(copy->regs, toy_backend.regs, sizeof(copy->regs));
	copy->areas[0].rules = copy->rules;
	copy->conv.areas = copy->areas;
	copy->conv.backend = &copy->backend;
	copy->conventions[0] = &copy->conv;
	copy->backend.conventions = copy->conventions;
	copy->backend.convention_count = 1;
	copy->backend.regs = copy->regs;
}

#endif
