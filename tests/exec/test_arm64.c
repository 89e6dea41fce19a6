/* SPDX-License-Identifier: BSD-2-Clause */
#include "exec.h"

const struct exec_target exec_targets[] = {
	{"arm64_linux", "arm64/linux", 64, 528, false, false, HAS_OUT_ARGS | HAS_C_OUT_ARGS, 8},
	{"arm64_user", "arm64/user", 64, 32752, false, false, HAS_ALL, 0},
	{"arm64_linux_signed", "arm64/linux", 64, 528, true, true, HAS_OUT_ARGS | HAS_C_OUT_ARGS, 8},
	{"arm64_user_signed", "arm64/user", 64, 32752, true, true, HAS_ALL, 0},
};
const unsigned int exec_target_count = sizeof(exec_targets) / sizeof(exec_targets[0]);
