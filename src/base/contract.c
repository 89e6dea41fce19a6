/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <jitframe/contract.h>

static const struct jf_rule rules[] = {
/* clang-format off */
#define RULE(number, name, text) [number] = { number, name, text },
	/* clang-format on */
	JF_RULE_LIST(RULE)
#undef RULE
};

const struct jf_rule *jf_rule_at(unsigned int number)
{
	return number < JF_COUNT_OF(rules) && rules[number].name ? &rules[number] : NULL;
}
