/* SPDX-License-Identifier: BSD-2-Clause */
#include "exec.h"

const struct exec_target exec_targets[] = {
	{"x86_64_linux", "x86_64/linux", 64, 528, false, false, HAS_OUT_ARGS, 0},
	{"x86_64_user", "x86_64/user", 64, 32752, false, false, HAS_ALL, 0},
	{"x86_64_linux_pads", "x86_64/linux", 64, 528, true, false, HAS_OUT_ARGS, 0},
	{"x86_64_user_pads", "x86_64/user", 64, 32752, true, false, HAS_ALL, 0},
};
const unsigned int exec_target_count = sizeof(exec_targets) / sizeof(exec_targets[0]);
