/* SPDX-License-Identifier: BSD-2-Clause */
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For libFuzzer: scripts/fuzz. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)input_compile(data, size);
	return 0;
}
