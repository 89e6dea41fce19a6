/* SPDX-License-Identifier: BSD-2-Clause */
#include "offsets.h"
#include "regs.h"

/* What the stubs of ../native.S are made of: System V ABI, AMD64. A call pushes the return address. */
	.intel_syntax noprefix

#define SP     rsp
#define SP_ID  RSP
#define SP_DW  7
#define FP     rbp
#define FP_ID  RBP
#define FP_DW  6
#define FP_OFF -16
#define ARG0   rdi
#define ARG1   rsi
#define ARG1_DW 4
#define ARG2   rdx
#define ARG3   rcx
#define ARG4   r8
#define RESULT rax
#define T0     r11
#define AX     r10

#define LOAD(reg, base, off)    mov reg, [base + off]
#define STORE(reg, base, off)   mov [base + off], reg
#define ADDRESS(reg, base, off) lea reg, [base + off]
#define MOVE(to, from)          mov to, from
#define ZERO(reg)               xor reg, reg
#define CONSTANT(reg, n)        mov reg, n
#define CALL(function)          call function@PLT
#define CALL_REG(reg)           call reg
#define JUMP_REG(reg)           jmp reg
#define RETURN                  ret
#define IF_OK(label)            test eax, eax ; jz label
#define IF_AT_PAD(label)        test eax, eax ; jg label

/* GNU_PROPERTY_X86_FEATURE_1_AND: x86-64 psABI, "Program Property". */
#define LANDING_PAD endbr64
#if defined(__CET__) && __CET__ & 1
#define LANDING_PAD_PROPERTY 0xc0000002
#endif

/* Code of `linux` leaves RSP at any multiple of 8. */
#define ALIGN_SP          .cfi_def_cfa rbp, RECORD_BYTES ; and rsp, -16
#define UNALIGN_SP(bytes) lea rsp, [rbp + RECORD_BYTES - (bytes)] ; .cfi_def_cfa rsp, bytes

/*
 * What a `linux` callback takes for its tail-call count: Linux's own hands down whatever RAX holds, and
 * its verifier sees to it that no tail call follows. Here none succeeds.
 */
#define LANDING_STATE lea rax, [rip + tail_calls_used_up]
	.section .rodata
	.p2align 3
	.type tail_calls_used_up, @object
tail_calls_used_up:
	.quad TAIL_CALLS_MAX
	.size tail_calls_used_up, 8

/* A control word is shorter than its place in struct jf_regs. */
#define STORE_INT(id, name, dw)                         mov [\base + REG_BYTES * (id)], name ;
#define STORE_CONTROL(id, name, dw, bytes, store, load) mov qword ptr [\base + REG_BYTES * (id)], 0 ; \
	store [\base + REG_BYTES * (id)] ;
#define LOAD_INT(id, name, dw)                          mov name, [\base + REG_BYTES * (id)] ;
#define LOAD_CONTROL(id, name, dw, bytes, store, load)  load [\base + REG_BYTES * (id)] ;
.macro store_kept base
	KEPT_INT(STORE_INT)
	KEPT_CONTROL(STORE_CONTROL)
.endm
.macro load_kept base
	KEPT_CONTROL(LOAD_CONTROL)
	KEPT_INT(LOAD_INT)
.endm

#define CFI(id, name, dw) \each dw, id, \off ;
.macro each_kept_cfi each, off
	KEPT_INT(CFI)
.endm

#define OVERWRITE(id, name, dw) mov name, -1 ;
.macro overwrite_free
	FREE_INT(OVERWRITE)
.endm

/* R0 to R5, and R9 of the machine, by which private stacks go. */
#define BPF_FREE(X) X(rax, 0) X(rdi, 1) X(rsi, 2) X(rdx, 3) X(rcx, 4) X(r8, 5) X(r9, 6)

#include "../native.S"
