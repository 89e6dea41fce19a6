/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CFI_BYTES_H
#define JF_TESTS_CFI_BYTES_H

#include <jitframe/cfi.h>
#include <string.h>

/*
 * Sections by hand, at SECTION; functions at CODE. The architecture is whichever was built in: register
 * numbers are taken from its table, factors are 1 and -8.
 */
#define SECTION UINT64_C(0x10000)
#define CODE    UINT64_C(0x4000)

struct bytes {
	unsigned char at[4096];
	size_t count;
	size_t entry; /* where the one being written begins */
};

static inline void put(struct bytes *b, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		b->at[b->count++] = (unsigned char)(value >> 8 * i);
}

static inline void put_bytes(struct bytes *b, const unsigned char *bytes, size_t count)
{
	memcpy(b->at + b->count, bytes, count);
	b->count += count;
}

static inline void entry_end(struct bytes *b)
{
	uint32_t length;

	while (b->count % 4)
		put(b, 0, 1); /* nop */
	length = (uint32_t)(b->count - b->entry - 4);
	for (unsigned int i = 0; i < 4; i++)
		b->at[b->entry + i] = (unsigned char)(length >> 8 * i);
}

static inline void cie_begin(struct bytes *b, const char *augmentation, uint8_t ra_dw)
{
	b->entry = b->count;
	put(b, 0, 4);
	put(b, 0, 4);
	put(b, 1, 1); /* version */
	put_bytes(b, (const unsigned char *)augmentation, strlen(augmentation) + 1);
	put(b, 1, 1);    /* code alignment */
	put(b, 0x78, 1); /* data alignment -8 */
	put(b, ra_dw, 1);
}

/* "zR", PC-relative 4 bytes: what compilers write. */
static inline void cie_usual(struct bytes *b, const struct jf_backend *backend)
{
	cie_begin(b, "zR", backend->regs[backend->ra].dw);
	put(b, 1, 1);
	put(b, 0x1b, 1);
	put(b, 0x0c, 1); /* def_cfa sp + 8 */
	put(b, backend->regs[backend->sp].dw, 1);
	put(b, 8, 1);
	put(b, 0x80 | backend->regs[backend->ra].dw, 1); /* offset ra, 1: CFA - 8 */
	put(b, 1, 1);
	entry_end(b);
}

static inline void fde_begin(struct bytes *b, size_t cie, uint64_t start, uint32_t size)
{
	b->entry = b->count;
	put(b, 0, 4);
	put(b, b->count - cie, 4);
	put(b, start - (SECTION + b->count), 4);
	put(b, size, 4);
	put(b, 0, 1); /* augmentation data */
}

/* What stands in .eh_frame_hdr of one function, behind the section. */
#define HDR UINT64_C(0x20000)

static inline void hdr_begin(struct bytes *b, uint32_t count)
{
	b->count = 0;
	put(b, 0x3b031b01, 4); /* version 1; PC-relative, unsigned, relative to this header: 4 bytes each */
	put(b, SECTION - (HDR + 4), 4);
	put(b, count, 4);
}

static inline void hdr_pair(struct bytes *b, uint64_t start, uint64_t fde)
{
	put(b, start - HDR, 4);
	put(b, fde - HDR, 4);
}

static inline enum jf_status convert(const struct jf_backend *backend, const struct bytes *b,
				     struct jf_cfi_table **table, struct jf_error *error)
{
	struct jf_cfi_section section = {
		.size = sizeof(section), .bytes = b->at, .size_bytes = b->count, .address = SECTION};

	return jf_cfi_convert(backend, &section, "by hand", table, error);
}

#endif
