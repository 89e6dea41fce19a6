/* SPDX-License-Identifier: BSD-2-Clause */
#include "llvm.h"

#include <criterion/criterion.h>
#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <string.h>

void llvm_init(struct llvm *llvm, const char *triple, const char *features)
{
	static bool ready;

	if (!ready) {
		LLVMInitializeAllTargetInfos();
		LLVMInitializeAllTargetMCs();
		LLVMInitializeAllDisassemblers();
	}
	ready = true;
	llvm->context = LLVMCreateDisasmCPUFeatures(triple, "", features, NULL, 0, NULL, NULL);
	cr_assert_not_null(llvm->context, "LLVM has no %s", triple);
}

void llvm_fini(struct llvm *llvm)
{
	LLVMDisasmDispose(llvm->context);
	llvm->context = NULL;
}

/* LLVM starts with a tab and has one behind the mnemonic. */
bool llvm_read_word(struct llvm *llvm, uint32_t word)
{
	uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};
	char raw[256];
	size_t at;

	if (LLVMDisasmInstruction(llvm->context, bytes, 4, 0, raw, sizeof(raw)) != 4)
		return false;
	at = strspn(raw, " \t");
	snprintf(llvm->text, sizeof(llvm->text), "%s", raw + at);
	at = strcspn(llvm->text, " \t");
	snprintf(llvm->mnemonic, sizeof(llvm->mnemonic), "%.*s", (int)(at < 63 ? at : 63), llvm->text);
	if (llvm->text[at])
		llvm->text[at] = ' ';
	return true;
}
