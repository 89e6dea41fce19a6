/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAP_H
#define TAP_H

#include <jitframe/jitframe.h>
#include <stdio.h>

/* Tests of a program that needs libc alone, and so runs in cross builds too. */
struct tap_test {
	const char *name;
	bool (*run)(void);
};

/* clang-format off */
#define TEST(function) {#function, function}
/* clang-format on */

static inline int tap_run(const struct tap_test *tests, size_t count)
{
	int failed = 0;

	if (!jf_backend_host()) {
		puts("1..0 # SKIP no native stubs on this host");
		return 0;
	}
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		bool good = tests[i].run();

		printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, tests[i].name);
		fflush(stdout);
		failed |= !good;
	}
	return failed;
}

#endif
