/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_SPECS_H
#define JF_TESTS_SPECS_H

#include <jitframe/frame.h>

typedef void spec_fn(const struct jf_convention *conv, const struct jf_frame_spec *spec, void *arg);

/* Roles x used registers (R6..R10) x stack sizes x options x outgoing arguments, also what will be refused. */
void each_spec(const struct jf_convention *conv, spec_fn *fn, void *arg);
/* "arm64/user boundary, stack 64, ..." */
void spec_text(const struct jf_convention *conv, const struct jf_frame_spec *spec, char *text, size_t capacity);

#endif
