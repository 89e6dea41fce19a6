/* SPDX-License-Identifier: BSD-2-Clause */
#include "suite.h"

#define SUITE x86_64_linux
#define TARGET                                                         \
	(const struct exec_target)                                     \
	{                                                              \
		"x86_64/linux", 64, 528, false, false, HAS_OUT_ARGS, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE x86_64_user
#define TARGET                                                     \
	(const struct exec_target)                                 \
	{                                                          \
		"x86_64/user", 64, 32752, false, false, HAS_ALL, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE x86_64_linux_pads
#define TARGET                                                        \
	(const struct exec_target)                                    \
	{                                                             \
		"x86_64/linux", 64, 528, true, false, HAS_OUT_ARGS, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE x86_64_user_pads
#define TARGET                                                    \
	(const struct exec_target)                                \
	{                                                         \
		"x86_64/user", 64, 32752, true, false, HAS_ALL, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET
