/* SPDX-License-Identifier: BSD-2-Clause */
#include "suite.h"

#define SUITE loongarch64_linux
#define TARGET                                                    \
	(const struct exec_target)                                \
	{                                                         \
		"loongarch64/linux", 32, 528, false, false, 0, 10 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE loongarch64_linux_v2
#define TARGET                                                       \
	(const struct exec_target)                                   \
	{                                                            \
		"loongarch64/linux-v2", 32, 528, false, false, 0, 10 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE loongarch64_user
#define TARGET                                                          \
	(const struct exec_target)                                      \
	{                                                               \
		"loongarch64/user", 64, 32752, false, false, HAS_ALL, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET
