/* SPDX-License-Identifier: BSD-2-Clause */
#include "exec.h"

const struct exec_target exec_targets[] = {
	{"loongarch64_linux", "loongarch64/linux", 32, 528, false, false, 0, 10},
	{"loongarch64_linux_v2", "loongarch64/linux-v2", 32, 528, false, false, 0, 10},
	{"loongarch64_user", "loongarch64/user", 64, 32752, false, false, HAS_ALL, 0},
};
const unsigned int exec_target_count = sizeof(exec_targets) / sizeof(exec_targets[0]);
