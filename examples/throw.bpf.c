/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A parser without a single error path: the function that finds the message too short throws, the frames
 * between it and the program's entry are gone, and the exception callback gives the program's result.
 *
 *     clang -O2 -g -target bpf -mcpu=v3 -c throw.bpf.c -o throw.bpf.o
 *     jitframe run throw.bpf.o --target loongarch64/user --trace
 *     jitframe run throw.bpf.o --target loongarch64/user --trace --ctx 04000000aabbccdd
 */

#define SEC(name) __attribute__((section(name), used))

extern void bpf_throw(unsigned long long cookie) SEC(".ksyms");

struct message {
	unsigned int length;
	unsigned char bytes[60];
};

enum { ENODATA = 61 };

static __attribute__((noinline)) unsigned int byte_at(const struct message *message, unsigned int at)
{
	if (at >= message->length)
		bpf_throw(ENODATA);
	return message->bytes[at];
}

__attribute__((noinline)) unsigned int big_endian(const struct message *message, unsigned int from)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < 4; i++)
		value = value << 8 | byte_at(message, from + i);
	return value;
}

__attribute__((noinline)) long give_error(unsigned long long cookie)
{
	return -(long)cookie;
}

SEC("tc") __attribute__((btf_decl_tag("exception_callback:give_error"))) long parse(const struct message *message)
{
	return big_endian(message, 0);
}
