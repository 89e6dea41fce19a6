/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_MUTATE_H
#define JF_TESTS_CHECK_MUTATE_H

#include "edit.h"
#include "oracle.h"

/*
 * A mutation operator: one way of breaking a function, applied wherever it can be. Its variations are
 * numbered; which instruction, row or slot a number means is the operator's affair.
 */

enum mutated {
	MUTATED,
	MUTATION_UNFIT, /* this variation does not apply here */
	MUTATIONS_END
};

#define ON_MAIN     (1u << JF_ROLE_MAIN)
#define ON_SUB      (1u << JF_ROLE_SUBPROGRAM)
#define ON_BOUNDARY (1u << JF_ROLE_BOUNDARY)
#define ON_CALLBACK (1u << JF_ROLE_CALLBACK)
#define ON_ALL      (ON_MAIN | ON_SUB | ON_BOUNDARY | ON_CALLBACK)

struct operator
{
	const char *name;
	/* The rules it is to break: one of those that the oracle sees broken too has to be flagged. 0: whichever the
	 * oracle sees; the operator changes anything. */
	uint32_t rules;
	uint32_t roles; /* ON_ */
	/* What is broken cannot be seen by running the function, because it is outside of it: the boundary or the
	 * throw, or what is said of the function. Every mutant is then taken to break `rules`. */
	bool unseen;
	bool stubs; /* call stubs and private ones too */
	enum mutated (*apply)(struct subject * s, const struct insn_list *insns, unsigned int n);
};

extern const struct operator code_operators[], zone_operators[], row_operators[], spec_operators[], pad_operators[];
extern const unsigned int code_operator_count, zone_operator_count, row_operator_count, spec_operator_count,
	pad_operator_count;

#endif
