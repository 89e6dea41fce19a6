/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stubs between C and generated code: System V ABI, AMD64. struct jf_regs is indexed by register
 * id, 8 bytes each. Position-independent; every function may be the target of an indirect branch.
 */
#include "x86_64.h"

	.intel_syntax noprefix
	.text

#define REG(base, id) [base + 8 * (id)]

/*
 * enum jf_status jf_throw(uint64_t cookie)
 *
 *      rsp at entry ->  +-----------------------+
 *                       | return address: pc    |
 *      rbp ->           | caller's rbp          |
 *                       | struct jf_regs        |  640 bytes
 *      rsp ->           | struct jf_landing_site|   32 bytes
 *                       +-----------------------+
 *
 * jf_throw_recall() needs no registers but these two, and mostly is enough. The callback finds every callee-saved
 * register as it was at the throw: both keep them, as any C function does, but for rbp, which leave brings back.
 */
	.globl jf_throw
	.type jf_throw, @function
	.p2align 4
jf_throw:
	.cfi_startproc
	endbr64
	push rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov rbp, rsp
	.cfi_def_cfa_register rbp
	sub rsp, REGS_BYTES + SITE_BYTES

	mov [rsp + SITE_COOKIE], rdi
	mov rdi, [rbp + 8]
	lea rsi, [rbp + 16]		/* the caller's rsp, once this call has returned */
	mov rdx, [rbp]
	mov rcx, rsp
	call jf_throw_recall		/* (pc, sp, fp, site) */
	test eax, eax
	jz 2f

	mov rdi, [rsp + SITE_COOKIE]
	lea rsi, [rsp + SITE_BYTES]
	mov REG(rsi, RBX), rbx
	mov REG(rsi, R12), r12
	mov REG(rsi, R13), r13
	mov REG(rsi, R14), r14
	mov REG(rsi, R15), r15
	mov rax, [rbp]
	mov REG(rsi, RBP), rax
	lea rax, [rbp + 16]
	mov REG(rsi, RSP), rax
	mov rdx, [rbp + 8]
	mov REG(rsi, RIP), rdx
	xor eax, eax
	mov REG(rsi, MXCSR), rax
	stmxcsr REG(rsi, MXCSR)
	mov REG(rsi, FCW), rax
	fnstcw REG(rsi, FCW)

	mov rcx, rsp
	call jf_throw_from@PLT		/* (cookie, regs, pc, site) */
	test eax, eax
	jnz 1f
2:
	mov rdi, [rsp + SITE_COOKIE]
	mov rsi, [rsp + SITE_SP]
	mov rdx, [rsp + SITE_FP]
	mov r11, [rsp + SITE_CALLBACK]
	xor ecx, ecx
	xor r8d, r8d
	lea rax, [rip + tail_calls_used_up]
	.cfi_remember_state
	leave
	.cfi_def_cfa rsp, 8
	.cfi_same_value rbp
	jmp r11
1:
	.cfi_restore_state
	leave
	.cfi_def_cfa rsp, 8
	.cfi_same_value rbp
	ret
	.cfi_endproc
	.size jf_throw, . - jf_throw

/*
 * Functions that are told about their caller: what `name` is called with, the address of its caller's registers
 * and its return address go on to `target`.
 *
 *      rsp at entry ->  +-----------------------+
 *                       | return address: pc    |
 *                       | struct jf_regs        |  640 bytes
 *      rsp ->           | (8 bytes)             |
 *                       +-----------------------+
 */
#define CALLER_BYTES (REGS_BYTES + 8)
	.macro with_caller name, target
	.globl \name
	.type \name, @function
	.p2align 4
\name:
	.cfi_startproc
	endbr64
	sub rsp, CALLER_BYTES
	.cfi_def_cfa_offset CALLER_BYTES + 8
	lea rdx, [rsp + 8]
	mov REG(rdx, RBX), rbx
	mov REG(rdx, RBP), rbp
	mov REG(rdx, R12), r12
	mov REG(rdx, R13), r13
	mov REG(rdx, R14), r14
	mov REG(rdx, R15), r15
	lea rax, [rsp + CALLER_BYTES + 8]	/* the caller's rsp, once this call has returned */
	mov REG(rdx, RSP), rax
	xor eax, eax
	mov REG(rdx, MXCSR), rax
	stmxcsr REG(rdx, MXCSR)
	mov REG(rdx, FCW), rax
	fnstcw REG(rdx, FCW)
	mov rcx, [rsp + CALLER_BYTES]
	call \target@PLT
	add rsp, CALLER_BYTES
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size \name, . - \name
	.endm

	with_caller jf_walk_here, jf_walk_here_from
	with_caller jf_bpf_stack_walk, jf_bpf_stack_walk_here_from

/*
 * What a `linux` callback takes for its tail-call count: Linux's own hands down whatever RAX holds, and
 * its verifier sees to it that no tail call follows. Here none succeeds.
 */
	.section .rodata
	.p2align 3
	.type tail_calls_used_up, @object
tail_calls_used_up:
	.quad TAIL_CALLS_MAX
	.size tail_calls_used_up, 8
	.text

/*
 * uint64_t jf_x86_64_enter(uint64_t entry, uint64_t arg1, uint64_t arg2)
 */
	.globl jf_x86_64_enter, jf_x86_64_enter_start, jf_x86_64_enter_end
	.hidden jf_x86_64_enter, jf_x86_64_enter_start, jf_x86_64_enter_end
	.type jf_x86_64_enter, @function
	.p2align 4
jf_x86_64_enter_start:
jf_x86_64_enter:
	.cfi_startproc
	endbr64
	push rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov rbp, rsp
	.cfi_def_cfa_register rbp
	mov rax, rdi
	mov rdi, rsi
	mov rsi, rdx
	call rax
	pop rbp
	.cfi_def_cfa rsp, 8
	.cfi_same_value rbp
	ret
	.cfi_endproc
jf_x86_64_enter_end:
	.size jf_x86_64_enter, . - jf_x86_64_enter

/*
 * uint64_t jf_x86_64_enter_checked(uint64_t entry, uint64_t arg1, uint64_t arg2,
 *				    const struct jf_regs *in, struct jf_regs *out)
 *
 *      CFA ->  +---------------------------------------+
 *              | return address, rbp, rbx, r12 .. r15  |  -56
 *              | -                                     |
 *              | own mxcsr, own fcw, 4 bytes each      |  rsp + 8
 *      rsp ->  | out                                   |  CFA - 80
 *              +---------------------------------------+
 *
 * rbp goes in with a value of the caller's, so only rsp leads back to this frame.
 */
#define CHECKED_LOCALS 24
#define CHECKED_CFA    (56 + CHECKED_LOCALS)

	.globl jf_x86_64_enter_checked, jf_x86_64_enter_checked_start, jf_x86_64_enter_checked_end
	.hidden jf_x86_64_enter_checked, jf_x86_64_enter_checked_start, jf_x86_64_enter_checked_end
	.type jf_x86_64_enter_checked, @function
	.p2align 4
jf_x86_64_enter_checked_start:
jf_x86_64_enter_checked:
	.cfi_startproc
	endbr64
	push rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	push rbx
	.cfi_def_cfa_offset 24
	.cfi_offset rbx, -24
	push r12
	.cfi_def_cfa_offset 32
	.cfi_offset r12, -32
	push r13
	.cfi_def_cfa_offset 40
	.cfi_offset r13, -40
	push r14
	.cfi_def_cfa_offset 48
	.cfi_offset r14, -48
	push r15
	.cfi_def_cfa_offset 56
	.cfi_offset r15, -56
	sub rsp, CHECKED_LOCALS
	.cfi_def_cfa_offset CHECKED_CFA
	mov [rsp], r8
	stmxcsr [rsp + 8]
	fnstcw [rsp + 12]

	mov rax, rdi
	mov rdi, rsi
	mov rsi, rdx
	ldmxcsr REG(rcx, MXCSR)
	fldcw REG(rcx, FCW)
	mov rbx, REG(rcx, RBX)
	mov r12, REG(rcx, R12)
	mov r13, REG(rcx, R13)
	mov r14, REG(rcx, R14)
	mov r15, REG(rcx, R15)
	mov rbp, REG(rcx, RBP)
	call rax

	mov rcx, [rsp]
	mov REG(rcx, RBX), rbx
	mov REG(rcx, R12), r12
	mov REG(rcx, R13), r13
	mov REG(rcx, R14), r14
	mov REG(rcx, R15), r15
	mov REG(rcx, RBP), rbp
	xor edx, edx
	mov REG(rcx, MXCSR), rdx
	stmxcsr REG(rcx, MXCSR)
	mov REG(rcx, FCW), rdx
	fnstcw REG(rcx, FCW)

	ldmxcsr [rsp + 8]
	fldcw [rsp + 12]
	add rsp, CHECKED_LOCALS
	.cfi_def_cfa_offset 56
	pop r15
	.cfi_def_cfa_offset 48
	.cfi_same_value r15
	pop r14
	.cfi_def_cfa_offset 40
	.cfi_same_value r14
	pop r13
	.cfi_def_cfa_offset 32
	.cfi_same_value r13
	pop r12
	.cfi_def_cfa_offset 24
	.cfi_same_value r12
	pop rbx
	.cfi_def_cfa_offset 16
	.cfi_same_value rbx
	pop rbp
	.cfi_def_cfa_offset 8
	.cfi_same_value rbp
	ret
	.cfi_endproc
jf_x86_64_enter_checked_end:
	.size jf_x86_64_enter_checked, . - jf_x86_64_enter_checked

/*
 * The may_goto stub, of a convention of its own: r10 = address of count and start time, out: r10 = the
 * count. Every other register that BPF code or its prologue may hold anything in is kept: rbx and r12 to
 * r15 as in any C function, the rest here; r11 alone is free. Callers may leave RSP at any multiple of 8.
 *
 *      CFA ->  +-----------------------------------------+
 *              | return address, rbp                     |  rbp = CFA - 16
 *              | rax, rdi, rsi, rdx, rcx, r8, r9         |  rbp - 56
 *              | -                                       |
 *      rsp ->  +-----------------------------------------+  16-aligned
 */
	.globl jf_x86_64_may_goto_stub, jf_x86_64_may_goto_stub_end
	.hidden jf_x86_64_may_goto_stub, jf_x86_64_may_goto_stub_end
	.type jf_x86_64_may_goto_stub, @function
	.p2align 4
jf_x86_64_may_goto_stub:
	.cfi_startproc
	endbr64
	push rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov rbp, rsp
	.cfi_def_cfa_register rbp
	push rax
	push rdi
	push rsi
	push rdx
	push rcx
	push r8
	push r9
	and rsp, -16
	mov rdi, r10
	call jf_may_goto_check@PLT
	mov r10, rax
	lea rsp, [rbp - 56]
	pop r9
	pop r8
	pop rcx
	pop rdx
	pop rsi
	pop rdi
	pop rax
	pop rbp
	.cfi_def_cfa rsp, 8
	.cfi_same_value rbp
	ret
	.cfi_endproc
jf_x86_64_may_goto_stub_end:
	.size jf_x86_64_may_goto_stub, . - jf_x86_64_may_goto_stub

	.section .note.GNU-stack, "", @progbits
