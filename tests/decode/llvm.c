/* SPDX-License-Identifier: BSD-2-Clause */
#include "llvm.h"

#include <criterion/criterion.h>
#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <string.h>

bool llvm_open(struct llvm *llvm, const char *triple, const char *features)
{
	static bool ready;

	if (!ready) {
		LLVMInitializeAllTargetInfos();
		LLVMInitializeAllTargetMCs();
		LLVMInitializeAllDisassemblers();
	}
	ready = true;
	llvm->context = LLVMCreateDisasmCPUFeatures(triple, "", features, NULL, 0, NULL, NULL);
	return llvm->context;
}

void llvm_init(struct llvm *llvm, const char *triple, const char *features)
{
	cr_assert(llvm_open(llvm, triple, features), "LLVM has no %s", triple);
}

void llvm_fini(struct llvm *llvm)
{
	LLVMDisasmDispose(llvm->context);
	llvm->context = NULL;
}

/* LLVM starts with a tab and has one behind the mnemonic. */
size_t llvm_read(struct llvm *llvm, const uint8_t *bytes, size_t count)
{
	char raw[256];
	/* LLVM wants bytes it may write to, and does not write to them. */
	size_t at, size = LLVMDisasmInstruction(llvm->context, (uint8_t *)(uintptr_t)bytes, count, 0, raw, sizeof(raw));

	if (!size)
		return 0;
	at = strspn(raw, " \t");
	snprintf(llvm->text, sizeof(llvm->text), "%s", raw + at);
	at = strcspn(llvm->text, " \t");
	snprintf(llvm->mnemonic, sizeof(llvm->mnemonic), "%.*s", (int)(at < 63 ? at : 63), llvm->text);
	if (llvm->text[at])
		llvm->text[at] = ' ';
	return size;
}

bool llvm_read_word(struct llvm *llvm, uint32_t word)
{
	uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};

	return llvm_read(llvm, bytes, sizeof(bytes)) == sizeof(bytes);
}
