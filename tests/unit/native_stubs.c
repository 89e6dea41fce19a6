/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <inttypes.h>
#include <string.h>

#include <jitframe/backend.h>

/* The stubs of the host's backend that C calls C through. */

static const struct jf_backend *host;
static struct jf_regs in, out;

static bool is_kept(unsigned int reg)
{
	return host->regs[reg].flags & JF_REG_CALLEE_SAVED;
}

static uint64_t mask_of(const struct jf_reg *reg)
{
	if (reg->control)
		return reg->control->kept;
	return reg->size_bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * reg->size_bytes) - 1;
}

static void set_up(void)
{
	host = jf_backend_host();
	if (!host)
		cr_skip_test("no native stubs");
	for (unsigned int reg = 0; reg < host->reg_count; reg++)
		in.value[reg] = host->regs[reg].control ? host->regs[reg].control->other :
							  UINT64_C(0x0101010101010101) * (reg + 1);
	memset(&out, 0xee, sizeof(out));
}

TestSuite(native_stubs, .init = set_up);

static void check_kept(const char *what)
{
	unsigned int count = 0;

	for (unsigned int reg = 0; reg < host->reg_count; reg++) {
		uint64_t mask = mask_of(&host->regs[reg]);

		if (!is_kept(reg))
			continue;
		CHECK((in.value[reg] & mask) == (out.value[reg] & mask), "%s: %s is %" PRIx64 ", not %" PRIx64, what,
		      host->regs[reg].name, out.value[reg], in.value[reg]);
		count++;
	}
	CHECK(count >= 6, "%u registers", count);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a - b;
}

Test(native_stubs, call_checked_hands_registers_in_and_out)
{
	CHECK(host->native->call_checked((uintptr_t)minus, 50, 8, &in, &out) == 42, "result");
	check_kept("call_checked");
	memset(&out, 0xee, sizeof(out));
	CHECK(host->native->enter_checked((uintptr_t)minus, 50, 8, &in, &out) == 42, "result");
	check_kept("enter_checked");
}

static uint64_t overwrite(uint64_t a, uint64_t b)
{
	(void)a, (void)b;
	return host->native->overwrite();
}

Test(native_stubs, overwrite_keeps_what_a_callee_keeps)
{
	CHECK(host->native->call_checked((uintptr_t)host->native->overwrite, 1, 2, &in, &out) == 0, "result");
	check_kept("overwrite");
	CHECK(host->native->call_checked((uintptr_t)overwrite, 1, 2, &in, &out) == 0, "result");
	check_kept("a function that calls overwrite");
}
