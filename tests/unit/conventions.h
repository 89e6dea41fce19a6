/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CONVENTIONS_H
#define JF_TESTS_CONVENTIONS_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jitframe/jitframe.h>

/* All conventions of all built-in backends, one behind the other. returns: NULL at the end. */
static inline const struct jf_convention *convention_at(unsigned int index)
{
	for (size_t i = 0; jf_backend_at(i); i++) {
		const struct jf_backend *backend = jf_backend_at(i);

		if (index < backend->convention_count)
			return backend->conventions[index];
		index -= backend->convention_count;
	}
	return NULL;
}

/* Ends a test of what only the checker sees. */
static inline void needs_decoder(const struct jf_convention *conv)
{
	if (!conv->backend->decode)
		cr_skip_test("backends/%s has no decoder", conv->backend->name);
}

/* A test that runs once for each of them, with its number in *index. */
#define ALL_CONVENTIONS(suite, name)                                        \
	ParameterizedTestParameters(suite, name)                            \
	{                                                                   \
		static unsigned int indexes_[32];                           \
		unsigned int count_ = 0;                                    \
                                                                            \
		for (; convention_at(count_); count_++)                     \
			indexes_[count_] = count_;                          \
		return cr_make_param_array(unsigned int, indexes_, count_); \
	}                                                                   \
	ParameterizedTest(unsigned int *index, suite, name, .timeout = 280)

#endif
