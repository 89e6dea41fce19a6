/* SPDX-License-Identifier: BSD-2-Clause */
#include "suite.h"

#define SUITE arm64_linux
#define TARGET                                                                         \
	(const struct exec_target)                                                     \
	{                                                                              \
		"arm64/linux", 64, 528, false, false, HAS_OUT_ARGS | HAS_C_OUT_ARGS, 8 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE arm64_user
#define TARGET                                                    \
	(const struct exec_target)                                \
	{                                                         \
		"arm64/user", 64, 32752, false, false, HAS_ALL, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE arm64_linux_signed
#define TARGET                                                                       \
	(const struct exec_target)                                                   \
	{                                                                            \
		"arm64/linux", 64, 528, true, true, HAS_OUT_ARGS | HAS_C_OUT_ARGS, 8 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET

#define SUITE arm64_user_signed
#define TARGET                                                  \
	(const struct exec_target)                              \
	{                                                       \
		"arm64/user", 64, 32752, true, true, HAS_ALL, 0 \
	}
#include "scenarios.def"
#undef SUITE
#undef TARGET
