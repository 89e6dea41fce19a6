/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECKER_H
#define JF_TESTS_CHECKER_H

#include <jitframe/check.h>
#include <jitframe/describe.h>

/*
 * Of many cases that take the same ways through the checker, a build with the address sanitizer, whose instructions
 * take four times as long, looks at one in so many. All others look at each.
 */
#ifdef __SANITIZE_ADDRESS__
#define ONE_OF 4
#else
#define ONE_OF 1
#endif

#define FRAME_CODE_BYTES 4096
#define FRAME_ROWS       256

/* The code of one frame, as jf_frame_emit() puts it down, and what there is to know of it. */
struct emitted {
	uint8_t bytes[FRAME_CODE_BYTES];
	struct jf_row rows[FRAME_ROWS];
	struct jf_code code;
	struct jf_frame frame;
	struct jf_check_input input;
	uint32_t tail_exit_off;
};

/* returns: false when the convention refuses the spec. */
bool emit_frame(struct emitted *out, const struct jf_convention *conv, const struct jf_frame_spec *spec);

/* The rules that good frames of a convention are known to break, as bits: by jf_convention_unsaved(), and a table. */
uint32_t known_findings(const struct jf_convention *conv, const struct jf_frame_spec *spec);

/* All findings that are not known, as text. returns: whether there are none. */
bool is_clean(const struct jf_check_report *report, uint32_t known, char *text, size_t capacity);

#endif
