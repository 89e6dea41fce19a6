/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_DECODE_LLVM_H
#define JF_TESTS_DECODE_LLVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* LLVM's C disassembler as a second opinion on machine code. */
struct llvm {
	void *context;
	char text[256]; /* of the last instruction: mnemonic, one blank, operands */
	char mnemonic[64];
};

/* features: as llvm-mc's --mattr. returns: false when LLVM has no such architecture. */
bool llvm_open(struct llvm *llvm, const char *triple, const char *features);
/* The same, but fails the test then. */
void llvm_init(struct llvm *llvm, const char *triple, const char *features);
void llvm_fini(struct llvm *llvm);

/* Disassembles one instruction of at most `count` bytes at address 0. returns: its size, 0 when LLVM knows none. */
size_t llvm_read(struct llvm *llvm, const uint8_t *bytes, size_t count);

/* Disassembles one little-endian word at address 0. returns: false when LLVM knows no instruction of it. */
bool llvm_read_word(struct llvm *llvm, uint32_t word);

#endif
