/* SPDX-License-Identifier: BSD-2-Clause */

/* For BPF: clang -target bpf -DNAME=; for the machine: -DNAME=native_. See programs.h. */

#include "programs.h"

#ifdef __bpf__
#define PROGRAM(name) __attribute__((section("socket/" #name), used)) uint64_t name(const struct data *data)
#else
#define JOIN(a, b) a##b
#define PROGRAM(name)                                          \
	uint64_t JOIN(native_, name)(const struct data *data); \
	uint64_t JOIN(native_, name)(const struct data *data)
#endif
#define UNROLL _Pragma("clang loop unroll(full)")
#define LOOP   _Pragma("clang loop unroll(disable) vectorize(disable)")
#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t rotate32(uint32_t x, unsigned int by)
{
	return x << by | x >> (32 - by);
}

INLINE uint64_t rotate64(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

PROGRAM(hash_fnv)
{
	uint64_t hash = 0xcbf29ce484222325;

	LOOP for (unsigned int i = 0; i < DATA_BYTES; i++) hash = (hash ^ data->bytes[i]) * 0x100000001b3;
	return hash;
}

PROGRAM(hash_murmur)
{
	uint32_t hash = 1;

	UNROLL
	for (unsigned int i = 0; i < 16; i++) {
		hash ^= rotate32(data->words[i] * 0xcc9e2d51, 15) * 0x1b873593;
		hash = rotate32(hash, 13) * 5 + 0xe6546b64;
	}
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

struct sip {
	uint64_t a, b, c, d;
};

INLINE void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotate64(s->b, 13) ^ s->a;
	s->a = rotate64(s->a, 32);
	s->c += s->d;
	s->d = rotate64(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotate64(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotate64(s->b, 17) ^ s->c;
	s->c = rotate64(s->c, 32);
}

PROGRAM(hash_siphash)
{
	struct sip s = {0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573};

	UNROLL
	for (unsigned int i = 0; i < 8; i += 2) {
		uint64_t word = data->words[i] | (uint64_t)data->words[i + 1] << 32;

		s.d ^= word;
		sip_round(&s);
		sip_round(&s);
		s.a ^= word;
	}
	s.c ^= 0xff;
	UNROLL
	for (unsigned int i = 0; i < 4; i++)
		sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

PROGRAM(checksum_ip)
{
	uint64_t sum = 0;

	UNROLL
	for (unsigned int i = 0; i < 16; i++)
		sum += (data->words[i] & 0xffff) + (data->words[i] >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

PROGRAM(crc32_table)
{
	uint32_t crc = 0xffffffff;

	LOOP for (unsigned int i = 0; i < DATA_BYTES; i++) crc = data->table[(crc ^ data->bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

/* Ethernet, IPv4 without options, TCP or UDP: ports and addresses mixed into a number, as for a flow table. */
PROGRAM(parse_packet)
{
	const uint8_t *p = data->bytes;
	uint32_t type = (uint32_t)p[12] << 8 | p[13], from, to, ports;

	if (type == 0x0806)
		return 1;
	if (type != 0x0800 || p[14] != 0x45)
		return 2;
	if (p[23] != 6 && p[23] != 17)
		return 3;
	if (p[22] == 0)
		return 4;
	from = (uint32_t)p[26] << 24 | (uint32_t)p[27] << 16 | (uint32_t)p[28] << 8 | p[29];
	to = (uint32_t)p[30] << 24 | (uint32_t)p[31] << 16 | (uint32_t)p[32] << 8 | p[33];
	ports = (uint32_t)p[34] << 24 | (uint32_t)p[35] << 16 | (uint32_t)p[36] << 8 | p[37];
	if ((ports & 0xffff) == 53 && p[23] == 17)
		return 5;
	return from < to ? ((uint64_t)from << 32 | to) ^ ports : ((uint64_t)to << 32 | from) ^ rotate32(ports, 16);
}

/* The sum of the decimal numbers of a text. */
PROGRAM(parse_numbers)
{
	uint64_t sum = 0, number = 0;

	LOOP for (unsigned int i = 64; i < DATA_BYTES; i++)
	{
		uint8_t c = data->bytes[i];

		if (c >= '0' && c <= '9') {
			number = 10 * number + (c - '0');
		} else {
			sum += number;
			number = 0;
		}
	}
	return sum + number;
}

INLINE void order(uint32_t *v, unsigned int i, unsigned int k)
{
	uint32_t a = v[i], b = v[k];

	v[i] = a < b ? a : b;
	v[k] = a < b ? b : a;
}

PROGRAM(sort_network)
{
	uint32_t v[8];

	UNROLL
	for (unsigned int i = 0; i < 8; i++)
		v[i] = data->words[i];
	order(v, 0, 1), order(v, 2, 3), order(v, 4, 5), order(v, 6, 7);
	order(v, 0, 2), order(v, 1, 3), order(v, 4, 6), order(v, 5, 7);
	order(v, 1, 2), order(v, 5, 6), order(v, 0, 4), order(v, 3, 7);
	order(v, 1, 5), order(v, 2, 6);
	order(v, 1, 4), order(v, 3, 6);
	order(v, 2, 4), order(v, 3, 5);
	order(v, 3, 4);
	return v[0] ^ rotate32(v[3], 8) ^ rotate32(v[7], 16);
}

PROGRAM(sort_insertion)
{
	uint32_t v[32];

	LOOP for (unsigned int i = 0; i < 32; i++)
	{
		uint32_t value = data->words[i];
		unsigned int k = i;

		LOOP while (k > 0 && v[k - 1] > value)
		{
			v[k] = v[k - 1];
			k--;
		}
		v[k] = value;
	}
	return v[0] ^ rotate32(v[15], 8) ^ rotate32(v[31], 16);
}

/* Words, numbers and quoted strings of a text. */
PROGRAM(state_machine)
{
	enum { BETWEEN, WORD, NUMBER, QUOTED } state = BETWEEN;
	uint64_t words = 0, numbers = 0, quoted = 0;

	LOOP for (unsigned int i = 64; i < DATA_BYTES; i++)
	{
		uint8_t c = data->bytes[i];

		switch (state) {
		case BETWEEN:
			if (c == '"') {
				state = QUOTED;
				quoted++;
			} else if (c >= '0' && c <= '9') {
				state = NUMBER;
				numbers++;
			} else if (c > ' ') {
				state = WORD;
				words++;
			}
			break;
		case QUOTED:
			if (c == '"')
				state = BETWEEN;
			break;
		default:
			if (c <= ' ')
				state = BETWEEN;
			break;
		}
	}
	return words << 32 | numbers << 16 | quoted;
}

/* Where "frame" first is in the text. */
PROGRAM(string_search)
{
	LOOP for (unsigned int i = 64; i < DATA_BYTES - 5; i++)
	{
		const uint8_t *at = &data->bytes[i];

		if (at[0] == 'f' && at[1] == 'r' && at[2] == 'a' && at[3] == 'm' && at[4] == 'e')
			return i;
	}
	return 0;
}

PROGRAM(greatest_divisor)
{
	uint64_t a = data->words[0] | 1, b = data->words[1];

	LOOP while (b)
	{
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

PROGRAM(matrix_product)
{
	uint64_t trace = 0;

	UNROLL
	for (unsigned int i = 0; i < 4; i++) {
		UNROLL
		for (unsigned int k = 0; k < 4; k++)
			trace += (uint64_t)data->words[4 * i + k] * data->words[16 + 4 * k + i];
	}
	return trace;
}

PROGRAM(random_numbers)
{
	uint64_t x = data->words[0] | 1, sum = 0;

	LOOP for (unsigned int i = 0; i < 64; i++)
	{
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sum += x >> 32;
	}
	return sum;
}
