/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <jitframe/contract.h>

static const struct jf_rule rules[] = {
/* clang-format off */
#define RULE(number, name, text) { number, name, text },
	/* clang-format on */
	JF_RULE_LIST(RULE)
#undef RULE
};

const struct jf_rule *jf_rule_at(unsigned int number)
{
	if (number < 1 || number > JF_COUNT_OF(rules))
		return NULL;
	return &rules[number - 1];
}
