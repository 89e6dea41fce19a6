/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stubs between C and generated code: System V ABI, AMD64. struct jf_regs is indexed by register
 * id, 8 bytes each. Position-independent; every function may be the target of an indirect branch.
 */
#include "../built_in.h"
#include "offsets.h"
#include "regs.h"

	.intel_syntax noprefix
	.text

#define REG(base, id) [base + REG_BYTES * (id)]

/* Every register that a callee keeps, to or from the struct jf_regs at `base`. `zero` is a register of value 0. */
#define STORE(id, name, dw)                             mov REG(\base, id), name ;
#define STORE_CONTROL(id, name, dw, bytes, store, load) mov REG(\base, id), \zero ; store REG(\base, id) ;
#define LOAD(id, name, dw)                              mov name, REG(\base, id) ;
#define LOAD_CONTROL(id, name, dw, bytes, store, load)  load REG(\base, id) ;
	.macro store_kept base, zero
	KEPT_INT(STORE)
	KEPT_CONTROL(STORE_CONTROL)
	.endm

	.macro load_kept base
	KEPT_CONTROL(LOAD_CONTROL)
	KEPT_INT(LOAD)
	.endm

/* The CFI for registers that lie in a struct jf_regs `off` bytes from the CFA. */
#define SAVED(id, name, dw)    .cfi_offset dw, \off + REG_BYTES * (id) ;
#define RESTORED(id, name, dw) .cfi_same_value dw ;
	.macro cfi_kept_saved off
	KEPT_INT(SAVED)
	.endm

	.macro cfi_kept_restored
	KEPT_INT(RESTORED)
	.endm

/*
 * enum jf_status jf_throw(uint64_t cookie)
 *
 *      rsp at entry ->  +-----------------------+
 *                       | return address: pc    |
 *      rbp ->           | caller's rbp          |
 *                       | struct jf_regs        |
 *      rsp ->           | struct jf_landing_site|
 *                       +-----------------------+
 *
 * jf_throw_recall() needs no registers but these two, and mostly is enough. The callback finds every callee-saved
 * register as it was at the throw: both keep them, as any C function does, but for rbp, which leave brings back.
 */
	.globl jf_x86_64_throw
	.type jf_x86_64_throw, @function
	.p2align 4
jf_x86_64_throw:
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
	call jf_throw_recall@PLT		/* (pc, sp, fp, site) */
	test eax, eax
	jz 2f

	mov rdi, [rsp + SITE_COOKIE]
	lea rsi, [rsp + SITE_BYTES]
	xor eax, eax
	store_kept rsi, rax
	mov rax, [rbp]
	mov REG(rsi, RBP), rax
	lea rax, [rbp + 16]
	mov REG(rsi, RSP), rax
	mov rdx, [rbp + 8]
	mov REG(rsi, RIP), rdx

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
	.size jf_x86_64_throw, . - jf_x86_64_throw

/*
 * Functions that are told about their caller: what `name` is called with, the address of its caller's registers
 * and its return address go on to `target`.
 *
 *      rsp at entry ->  +-----------------------+
 *                       | return address: pc    |
 *                       | struct jf_regs        |
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
	xor eax, eax
	store_kept rdx, rax
	lea rax, [rsp + CALLER_BYTES + 8]	/* the caller's rsp, once this call has returned */
	mov REG(rdx, RSP), rax
	mov rcx, [rsp + CALLER_BYTES]
	call \target@PLT
	add rsp, CALLER_BYTES
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size \name, . - \name
	.endm

	with_caller jf_x86_64_walk_here, jf_walk_here_from
	with_caller jf_x86_64_bpf_stack_walk, jf_bpf_stack_walk_here_from

	LIBRARY_FUNCTION(jf_throw, jf_x86_64_throw)
	LIBRARY_FUNCTION(jf_walk_here, jf_x86_64_walk_here)
	LIBRARY_FUNCTION(jf_bpf_stack_walk, jf_x86_64_bpf_stack_walk)

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
 * uint64_t name(uint64_t entry, uint64_t arg1, uint64_t arg2, const struct jf_regs *in, struct jf_regs *out)
 *
 *      rsp at entry ->  +-----------------------+
 *                       | return address        |
 *                       | out                   |
 *                       | struct jf_regs: own   |
 *      rsp ->           +-----------------------+
 *
 * rbp goes in with a value of the caller's, so only rsp leads back to this frame.
 */
#define OUT           REGS_BYTES
#define CHECKED_BYTES (OUT + 8)
	.macro checked name
	.globl \name
	.hidden \name
	.type \name, @function
	.p2align 4
\name:
	.cfi_startproc
	endbr64
	sub rsp, CHECKED_BYTES
	.cfi_def_cfa_offset CHECKED_BYTES + 8
	xor eax, eax
	store_kept rsp, rax
	cfi_kept_saved -(CHECKED_BYTES + 8)
	mov [rsp + OUT], r8

	mov rax, rdi
	mov rdi, rsi
	mov rsi, rdx
	load_kept rcx
	call rax

	mov rcx, [rsp + OUT]
	xor edx, edx
	store_kept rcx, rdx
	load_kept rsp
	cfi_kept_restored
	add rsp, CHECKED_BYTES
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.size \name, . - \name
	.endm

	.globl jf_x86_64_enter_checked_start, jf_x86_64_enter_checked_end
	.hidden jf_x86_64_enter_checked_start, jf_x86_64_enter_checked_end
	.p2align 4
jf_x86_64_enter_checked_start:
	checked jf_x86_64_enter_checked
jf_x86_64_enter_checked_end:
	checked jf_x86_64_call_checked

/* uint64_t jf_x86_64_overwrite(void) */
	.globl jf_x86_64_overwrite
	.hidden jf_x86_64_overwrite
	.type jf_x86_64_overwrite, @function
	.p2align 4
jf_x86_64_overwrite:
	.cfi_startproc
	endbr64
#define OVERWRITE(id, name, dw) mov name, -1 ;
	FREE_INT(OVERWRITE)
	xor eax, eax
	ret
	.cfi_endproc
	.size jf_x86_64_overwrite, . - jf_x86_64_overwrite

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

#if defined(__CET__) && __CET__ & 1
/*
 * GNU_PROPERTY_X86_FEATURE_1_IBT (x86-64 psABI, "Program Property"): every function above begins with endbr64. SHSTK is
 * not set: a throw leaves frames whose return addresses stay on a shadow stack.
 */
	.section .note.gnu.property, "a", @note
	.p2align 3
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 1, 0
#endif
