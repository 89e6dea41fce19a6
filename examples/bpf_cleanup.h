/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BPF_CLEANUP_H
#define BPF_CLEANUP_H

/*
 * Clean-up pads in C, for compilers that have inline assembly with labels (`asm goto`) and no exceptions: clang 19.
 *
 *     CLEANUP_CALL(parse, text) on_throw(release(memory));
 *     CLEANUP_CALL_TO(length, parse, text) on_throw(release(memory); release(text));
 *
 * calls parse(text). When a throw comes out of the call, the statements behind on_throw run in this frame, with this
 * frame's variables, and then the throw goes on. They may call what does not throw, and may not return, break, continue
 * or go elsewhere: jitframe refuses a program that does.
 *
 * parse: a function of this program that is not inlined (`__noinline`), or a kfunc that the program calls or mentions
 * elsewhere too; with one argument, or none that is looked at. The argument and the result are 64 bits.
 */

extern void bpf_unwind_resume(void *) __attribute__((section(".ksyms")));

#define CLEANUP_CALL(function, argument)             \
	do {                                         \
		__label__ cleanup_pad, cleanup_done; \
	CLEANUP_CALL_ASM(function, argument)

#define CLEANUP_CALL_TO(result, function, argument) CLEANUP_CALL(function, argument)(result) = cleanup_r0;

#define on_throw(...)                 \
	goto cleanup_done;            \
cleanup_pad:                          \
	__VA_ARGS__;                  \
	bpf_unwind_resume((void *)0); \
	__builtin_unreachable();      \
cleanup_done:;                        \
	}                             \
	while (0)

/*
 * The call, and its record in the table: from the call to what follows it, and the pad. An argument is an output too:
 * the compiler would take a mere input for unchanged by the call.
 */
#define CLEANUP_CALL_ASM(function, argument)                                                   \
	register unsigned long long cleanup_r0 __asm__("r0");                                  \
	register unsigned long long cleanup_r1 __asm__("r1") = (unsigned long long)(argument); \
	__asm__ volatile goto("1: call %[cleanup_function]\n"                                  \
			      "2:\n"                                                           \
			      ".pushsection .bpf_cleanup,\"a\",@progbits\n"                    \
			      ".long 1b, 2b, %l[cleanup_pad]\n"                                \
			      ".popsection\n"                                                  \
			      : "=r"(cleanup_r0), "+r"(cleanup_r1)                             \
			      : [cleanup_function] "i"(function)                               \
			      : "r2", "r3", "r4", "r5", "memory"                               \
			      : cleanup_pad);

#endif
