/* SPDX-License-Identifier: BSD-2-Clause */
/* Globals of every kind, strings, function addresses, text. 0, or the number of the first failed check. */
#include "bpf_test.h"

u64 counter = 40;
static volatile u32 narrow = 0x12345678;
u64 zeros[16];
static volatile u8 zero_byte;
const volatile u64 constant = 0xfeedfacecafebeefull;
static const u16 table[8] = {1, 2, 4, 8, 16, 32, 64, 65535};
u64 *pointer = &counter;
const char *const words[] = {"zero", "one", "two"};

SEC("tc")
int globals(struct args *ctx)
{
	int number = 0;

	CHECK(counter, 40ull);
	counter += 2;
	CHECK(*(volatile u64 *)&counter, 42ull);
	CHECK(narrow, 0x12345678u);
	narrow = 7;
	CHECK(narrow, 7u);
	CHECK(zeros[opaque(9)], 0ull);
	zeros[opaque(9)] = 3;
	CHECK(zeros[9], 3ull);
	zero_byte += 200;
	zero_byte += 100;
	CHECK(zero_byte, 44);
	CHECK(constant, 0xfeedfacecafebeefull);
	CHECK(table[opaque(7)], 65535);
	CHECK(table[opaque(3)], 8);
	return 0;
}

/* Addresses in static data, put there by the linker. */
SEC("tc")
int addresses(struct args *ctx)
{
	u64 *p = opaque(pointer);
	const char *word = words[opaque(2)];
	int number = 0;

	CHECK(p == &counter, 1);
	CHECK(*p, 40ull);
	*p = 5;
	CHECK(*(volatile u64 *)&counter, 5ull);
	CHECK(word[0], 't');
	CHECK(word[2], 'o');
	CHECK(word[3], 0);
	return 0;
}

SEC("tc")
int strings(struct args *ctx)
{
	static const char fmt[] = "%d %u %x %llx %s %c%%";
	static const char want[] = "-5 5 ff feedfacecafebeef word x%";
	char text[64] = "", copy[16] = "jitframe";
	u64 args[] = {(u64)-5, 5, 255, 0xfeedfacecafebeefull, (u64) "word", 'x'};
	long length = bpf_snprintf(text, sizeof(text), fmt, args, sizeof(args));
	int number = 0;

	CHECK(length, (long)sizeof(want));
	CHECK(bpf_strncmp(text, sizeof(text), want), 0);
	CHECK(copy[opaque(7)], 'e');
	CHECK(copy[opaque(9)], 0);
	CHECK(bpf_strncmp(copy, sizeof(copy), "jitframf") < 0, 1);
	/* One argument too few, and a conversion that is not there. */
	CHECK(bpf_snprintf(text, sizeof(text), fmt, args, 8), -EINVAL);
	CHECK(bpf_snprintf(text, sizeof(text), "%f", args, 8), -EINVAL);
	CHECK(bpf_snprintf(text, 4, "%s", &args[4], 8), 5);
	CHECK(text[2], 'r');
	CHECK(text[3], 0);
	return 0;
}

SEC("tc")
int trace_text(struct args *ctx)
{
	static const char fmt[] = "%d and %s\n";

	return bpf_trace_printk(fmt, sizeof(fmt), opaque(12), "text") != 12;
}

SEC("tc")
int probes(struct args *ctx)
{
	char text[8];
	u64 value = 1;
	int number = 0;

	CHECK(bpf_probe_read_kernel(&value, sizeof(value), (void *)&constant), 0);
	CHECK(value, 0xfeedfacecafebeefull);
	CHECK(bpf_probe_read_kernel(&value, sizeof(value), (void *)8), -EFAULT);
	CHECK(value, 0ull);
	CHECK(bpf_probe_read_kernel(&value, sizeof(value), (void *)opaque(0xffff800000001000ull)), -EFAULT);
	CHECK(bpf_probe_read_kernel_str(text, sizeof(text), words[1]), 4);
	CHECK(text[2], 'e');
	CHECK(bpf_probe_read_kernel_str(text, 3, words[1]), 3);
	CHECK(text[1], 'n');
	CHECK(text[2], 0);
	CHECK(bpf_probe_read_kernel_str(text, sizeof(text), NULL), -EFAULT);
	CHECK(text[0], 0);
	return 0;
}

SEC("tc")
int surroundings(struct args *ctx)
{
	u64 before = bpf_ktime_get_ns(), pid = bpf_get_current_pid_tgid();
	char name[16];
	int number = 0;

	CHECK(before > 0, 1);
	CHECK(bpf_ktime_get_ns() >= before, 1);
	CHECK(pid >> 32 != 0, 1);
	CHECK(bpf_get_smp_processor_id() < 1024, 1);
	CHECK(bpf_get_current_comm(name, sizeof(name)), 0);
	CHECK(name[0] != 0, 1);
	/* Not proof of randomness: that it is not constant. */
	CHECK(bpf_get_prandom_u32() != bpf_get_prandom_u32() || bpf_get_prandom_u32() != bpf_get_prandom_u32(), 1);
	return 0;
}

/* ---- functions as values ---------------------------------------------------------------------------- */

struct sums {
	u64 count, weighted;
};

static long add_up(u32 i, struct sums *sums)
{
	sums->count++;
	sums->weighted += i * 3;
	return 0;
}

static long stop_at_four(u32 i, struct sums *sums)
{
	sums->count = i;
	return i == 4;
}

SEC("tc")
int loops(struct args *ctx)
{
	struct sums sums = {0};
	int number = 0;

	CHECK(bpf_loop(100, add_up, &sums, 0), 100);
	CHECK(sums.count, 100ull);
	CHECK(sums.weighted, 3ull * 99 * 100 / 2);
	CHECK(bpf_loop(100, stop_at_four, &sums, 0), 5);
	CHECK(sums.count, 4ull);
	CHECK(bpf_loop(0, add_up, &sums, 0), 0);
	CHECK(bpf_loop(1, add_up, &sums, 1), -EINVAL);
	CHECK(bpf_loop((1u << 23) + 1, add_up, &sums, 0), -E2BIG);
	return 0;
}
