/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_KERNEL_JIT_MADE_CFI_H
#define JF_KERNEL_JIT_MADE_CFI_H

/* Control-flow integrity by hashes in front of functions; the hashes themselves are made up. */

#define cfi_bpf_hash             0x0cf10001u
#define cfi_bpf_subprog_hash     0x0cf10002u
#define cfi_get_func_hash(func)  0x0cf10003u
#define cfi_get_func_arity(func) 5
#ifndef cfi_get_offset
#if defined(CONFIG_CFI) || defined(CONFIG_CFI_CLANG)
#define cfi_get_offset() 4
#else
#define cfi_get_offset() 0
#endif
#endif

#endif
