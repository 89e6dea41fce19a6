/* SPDX-License-Identifier: BSD-2-Clause */

/* More programs than a line of a message has room for. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define ONE(n)                                                             \
	SEC("syscall") int a_program_of_an_object_with_many_##n(void *ctx) \
	{                                                                  \
		return n;                                                  \
	}
#define TEN(n) ONE(n##0) ONE(n##1) ONE(n##2) ONE(n##3) ONE(n##4) ONE(n##5) ONE(n##6) ONE(n##7) ONE(n##8) ONE(n##9)

TEN(1)
TEN(2)
TEN(3)
