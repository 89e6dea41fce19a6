/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether programs with a sanitizer link here, and start: not so on kernels that place memory where the run-time
 * library of an older thread sanitizer has its shadow. */
int main(void)
{
	return 0;
}
