/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_LISTING_H
#define JF_TOOLS_LISTING_H

#include <jitframe/image.h>

#include "bundle.h"
#include "cli.h"
#include "json.h"

/* A compiled program to be shown. All of it is the caller's. */
struct listing {
	const struct bundle *bundle;
	const struct bundle_program *program;
	const struct jf_program *source; /* what was compiled */
	const uint32_t *bundle_function; /* index of each of its functions in the bundle */
	const struct jf_image *image;
	const uint8_t *bytes; /* its code */
	struct disasm *disasm;
	bool opcodes; /* text: show each instruction's bytes too */
};

/* As `bpftool prog dump jited` does: each function, offset and instruction. */
void listing_print(const struct listing *listing);
/* A line for each function: its name and its bytes. */
void listing_print_hex(const struct listing *listing);
json_t *listing_json(const struct listing *listing);

#endif
