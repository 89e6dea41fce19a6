/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_ORC_IMAGE_H
#define JF_TESTS_ORC_IMAGE_H

#include "tables.h"

#define IMAGE_TEXT_ADDRESS UINT64_C(0xffffffff81000000)
#define IMAGE_TEXT_BYTES   0x10000

/*
 * Writes a linked kernel in miniature: .text at IMAGE_TEXT_ADDRESS, and the table's sections. header: the
 * bytes of .orc_header, or NULL for none. returns: the file's bytes, free().
 */
uint8_t *orc_image(const struct jf_orc_table *table, const uint8_t *header, size_t *size);

#endif
