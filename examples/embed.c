/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A program that links jitframe: compiles three BPF functions for the processor it runs on, runs them,
 * and lands in the exception callback.
 *
 *     main:     r6 = 40; call check(r1); r0 = r0 + r6; exit
 *     check:    if r1 > 5 throw(r1 * 10); r0 = r1; exit
 *     callback: r0 = cookie + 1; exit
 *
 *     cc embed.c $(pkg-config --cflags --libs jitframe) -o embed
 */

#include <inttypes.h>
#include <jitframe/jitframe.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct jf_insn main_insns[] = {
	{0xb7, 0x06, 0, 40}, /* r6 = 40 */
	{0x85, 0x10, 0, 1},  /* call function 1 */
	{0x0f, 0x60, 0, 0},  /* r0 += r6 */
	{0x95, 0x00, 0, 0},  /* exit */
};
static const struct jf_insn check_insns[] = {
	{0xbf, 0x10, 0, 0},  /* r0 = r1 */
	{0xb5, 0x01, 2, 5},  /* if r1 <= 5 goto exit */
	{0x27, 0x01, 0, 10}, /* r1 *= 10 */
	{0x85, 0x20, 0, 0},  /* call kfunc 0 */
	{0x95, 0x00, 0, 0},  /* exit */
};
static const struct jf_insn callback_insns[] = {
	{0xbf, 0x10, 0, 0}, /* r0 = r1 */
	{0x07, 0x00, 0, 1}, /* r0 += 1 */
	{0x95, 0x00, 0, 0}, /* exit */
};

int main(void)
{
	const struct jf_function functions[] = {
		{"main", main_insns, COUNT(main_insns)},
		{"check", check_insns, COUNT(check_insns)},
		{"callback", callback_insns, COUNT(callback_insns)},
	};
	const struct jf_import kfuncs[] = {{.name = "bpf_throw", .address = (uintptr_t)jf_throw, .throws = true}};
	const struct jf_program program = {
		.size = sizeof(program),
		.functions = functions,
		.function_count = COUNT(functions),
		.callback = 2,
		.kfuncs = kfuncs,
		.kfunc_count = COUNT(kfuncs),
	};
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_loaded *loaded;
	struct jf_error error;
	char target[64];

	if (!host) {
		fprintf(stderr, "no backend runs on this processor\n");
		return 1;
	}
	snprintf(target, sizeof(target), "%s/user", host->name);
	if (jf_convention_find(target, &conv, &error) != JF_OK ||
	    jf_load(conv, &program, NULL, NULL, &loaded, &error) != JF_OK) {
		fprintf(stderr, "%s: %s: %s\n", jf_status_name(error.status), error.where, error.text);
		return 1;
	}
	printf("%s: check(2) -> %" PRIu64 "\n", target, jf_run(loaded, 2));        /* 2 + 40 */
	printf("%s: check(9) throws -> %" PRIu64 "\n", target, jf_run(loaded, 9)); /* 9 * 10 + 1 */
	jf_unload(loaded);
	return 0;
}
