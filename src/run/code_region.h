/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_RUN_CODE_REGION_H
#define JF_RUN_CODE_REGION_H

#include <jitframe/status.h>
#include <jitframe/types.h>

/*
 * A region: pages of a file without a name, mapped readable and executable. Code is written to the file, by a system
 * call: nothing is ever mapped writable.
 *
 *     file      | code | traps | code | code | traps .... | zeros .... |
 *     pages     readable, executable         `written`    ^            ^ REGION_BYTES
 *
 * What a fork shares stays as it is, in parent and child, for ever: see follow_forks().
 */
struct code_region;

/* A piece of a region. */
struct code_piece {
	struct code_region *region;
	uint8_t *bytes;
	size_t size;
};

#define CODE_REGION_PIECE_MAX ((size_t)4 << 20)

/*
 * Takes at least `least` and at most `most` bytes of a region whose pages have `more_prot` beside PROT_READ and
 * PROT_EXEC (landing_pad_prot of struct jf_native, or 0): no page has code of both kinds.
 * returns: false where there is no such piece and no region can be made; *piece is untouched.
 */
bool code_region_take(struct code_piece *piece, size_t least, size_t most, int more_prot);
/* Writes code to the start of a piece and gives back what is behind `kept` bytes. returns: JF_E_NOT_FOUND when the
 * region cannot be written any more, JF_E_NO_MEMORY. */
enum jf_status code_region_write(struct code_piece *piece, const uint8_t *code, size_t size, size_t kept);
/* Fills the piece with traps, where the region can be written, and gives it back. */
void code_region_give(const struct code_piece *piece);

#endif
