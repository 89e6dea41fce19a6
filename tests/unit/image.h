/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_IMAGE_H
#define JF_TESTS_IMAGE_H

#include <jitframe/image.h>

/* What holds for every image: functions and rows in order and side by side, marks that agree with offsets. */
void check_image(const struct jf_image *image);

#endif
