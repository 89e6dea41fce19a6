/* SPDX-License-Identifier: BSD-2-Clause */
#include "orc.h"

#ifdef BENCH_LLVM
#include <dlfcn.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <string.h>

/* libLLVM is opened when it is asked for, and not linked: what its loading takes shall be counted. */
static void *library;
static LLVMOrcLLJITRef jit;

#define CALL(name) ((__typeof__(&name))find(#name))

static void *find(const char *name)
{
	void *found = dlsym(library, name);

	if (!found)
		fprintf(stderr, "libLLVM has no %s\n", name);
	return found;
}

/* The name of a function for this machine's architecture, which LLVM knows as its native one. */
#define TEXT(name)      #name
#define TEXT_OF(name)   TEXT(name)
#define START(function) ((void (*)(void))find(TEXT_OF(function)))

bool orc_open(void)
{
	library = dlopen(BENCH_LLVM, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
	START(LLVM_NATIVE_TARGETINFO)();
	START(LLVM_NATIVE_TARGET)();
	START(LLVM_NATIVE_TARGETMC)();
	START(LLVM_NATIVE_ASMPRINTER)();
	return !CALL(LLVMOrcCreateLLJIT)(&jit, NULL);
}

uint64_t (*orc_function(void))(uint64_t)
{
	static unsigned int number;
	LLVMOrcThreadSafeContextRef context = CALL(LLVMOrcCreateNewThreadSafeContext)();
	LLVMOrcExecutorAddress address = 0;
	LLVMMemoryBufferRef buffer;
	LLVMModuleRef module;
	char text[128], name[32], *message;
	uint64_t (*code)(uint64_t);

	snprintf(name, sizeof(name), "f%u", number++);
	snprintf(text, sizeof(text), "define i64 @%s(i64 %%x) {\n  ret i64 7\n}\n", name);
	buffer = CALL(LLVMCreateMemoryBufferWithMemoryRangeCopy)(text, strlen(text), name);
	if (CALL(LLVMParseIRInContext)(CALL(LLVMOrcThreadSafeContextGetContext)(context), buffer, &module, &message) ||
	    CALL(LLVMOrcLLJITAddLLVMIRModule)(jit, CALL(LLVMOrcLLJITGetMainJITDylib)(jit),
					      CALL(LLVMOrcCreateNewThreadSafeModule)(module, context)) ||
	    CALL(LLVMOrcLLJITLookup)(jit, &address, name))
		return NULL;
	CALL(LLVMOrcDisposeThreadSafeContext)(context);
	memcpy(&code, &address, sizeof(code));
	return code;
}
#else
bool orc_open(void)
{
	return false;
}

uint64_t (*orc_function(void))(uint64_t)
{
	return 0;
}
#endif
