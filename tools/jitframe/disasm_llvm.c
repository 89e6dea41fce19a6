/* SPDX-License-Identifier: BSD-2-Clause */
#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Text of machine code by LLVM, which has every architecture everywhere; the backend names its triple. */

struct disasm {
	LLVMDisasmContextRef llvm;
	size_t smallest;
};

static void init_llvm(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	LLVMInitializeAllTargetInfos();
	LLVMInitializeAllTargetMCs();
	LLVMInitializeAllDisassemblers();
}

struct disasm *disasm_llvm_new(const struct jf_backend *backend)
{
	struct disasm *disasm = calloc(1, sizeof(*disasm));
	const char *features = backend->llvm_features ? backend->llvm_features : "";

	if (!disasm)
		return NULL;
	init_llvm();
	disasm->smallest = backend->insn_align;
	disasm->llvm = LLVMCreateDisasmCPUFeatures(backend->llvm_triple, "", features, NULL, 0, NULL, NULL);
	if (!disasm->llvm) {
		free(disasm);
		return NULL;
	}
	LLVMSetDisasmOptions(disasm->llvm, LLVMDisassembler_Option_PrintImmHex);
	return disasm;
}

void disasm_llvm_free(struct disasm *disasm)
{
	if (!disasm)
		return;
	LLVMDisasmDispose(disasm->llvm);
	free(disasm);
}

/* LLVM starts with a tab and has one behind the mnemonic. */
static void tidy(char *text)
{
	char *from = text, *to = text;

	while (*from == '\t' || *from == ' ')
		from++;
	for (; *from; from++)
		*to++ = *from == '\t' ? ' ' : *from;
	*to = '\0';
}

size_t disasm_llvm_insn(struct disasm *disasm, const uint8_t *bytes, size_t count, uint64_t pc, char *text,
			size_t capacity)
{
	/* LLVM wants bytes it may write to, and does not write to them. */
	size_t length = LLVMDisasmInstruction(disasm->llvm, (uint8_t *)(uintptr_t)bytes, count, pc, text, capacity);

	if (length > 0) {
		tidy(text);
		return length;
	}
	snprintf(text, capacity, "(bad)");
	return disasm->smallest < count ? disasm->smallest : count;
}
