/* SPDX-License-Identifier: BSD-2-Clause */
#include "cxx.h"

int cxx_destroyed;

namespace
{
struct object {
	~object()
	{
		__atomic_fetch_add(&cxx_destroyed, 1, __ATOMIC_SEQ_CST);
	}
};
} // namespace

uint64_t cxx_throw(uint64_t value)
{
	object left;

	throw(int) value;
}

uint64_t cxx_between(uint64_t (*call)(uint64_t), uint64_t arg)
{
	object left;

	return call(arg) + 1;
}

static volatile uint64_t source = 0x1234567812345678;
static volatile double real = 0.5;

/* As many values in registers across the call as there are registers for them. */
int cxx_catch(uint64_t (*call)(uint64_t), uint64_t arg)
{
	uint64_t a = source, b = source + 1, c = source + 2, d = source + 3, e = source + 4, f = source + 5;
	double x = real, y = real + 1;
	int caught = -1;

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	try {
		call(arg);
	} catch (int thrown) {
		caught = thrown;
	}
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	if (a != source || b != a + 1 || c != a + 2 || d != a + 3 || e != a + 4 || f != a + 5 || x != real ||
	    y != real + 1)
		return -2;
	return caught;
}
