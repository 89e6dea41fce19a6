/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_PUBLISH_BESIDE_H
#define JF_TESTS_PUBLISH_BESIDE_H

#include <jitframe/jitframe.h>

/* The programs of programs.h are loaded and published. While other programs come and go beside them, one thread throws
 * through them, and one asks the unwinder for them as fast as it can. returns: whether every throw passed, and the
 * unwinder knew them each time. */
bool throws_pass_while_others_load(const struct jf_convention *conv);

#endif
