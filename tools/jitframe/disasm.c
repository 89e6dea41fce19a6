/* SPDX-License-Identifier: BSD-2-Clause */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/*
 * The disassembler is a module of its own, disasm_llvm.c, which is loaded when the first text is wanted: LLVM and
 * what LLVM needs take a tenth of a second to load, and most commands never ask.
 */

#define MODULE "jitframe-disasm.so"

static struct {
	bool tried;
	__typeof__(disasm_llvm_new) *new;
	__typeof__(disasm_llvm_free) *free;
	__typeof__(disasm_llvm_insn) *insn;
} module;

/* Beside this program in a build directory, or where the installation has it. */
static void *open_module(void)
{
	static const char *const places[] = {"", LIBEXEC "/"};
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	void *handle;

	while (length > 0 && self[length - 1] != '/')
		length--;
	for (unsigned int i = 0; length > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%.*s%s" MODULE, (int)length, self, places[i]);
		if (access(path, R_OK) != 0)
			continue;
		handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!handle)
			cli_failed("%s", dlerror());
		return handle;
	}
	cli_failed("there is no " MODULE " in %.*s or %.*s%s", (int)length, self, (int)length, self, places[1]);
	return NULL;
}

static bool load(void)
{
	void *handle = module.tried ? NULL : open_module();

	module.tried = true;
	if (handle) {
		module.new = (__typeof__(module.new))dlsym(handle, "disasm_llvm_new");
		module.free = (__typeof__(module.free))dlsym(handle, "disasm_llvm_free");
		module.insn = (__typeof__(module.insn))dlsym(handle, "disasm_llvm_insn");
	}
	return module.new &&module.free &&module.insn;
}

struct disasm *disasm_new(const struct jf_backend *backend)
{
	return load() ? module.new(backend) : NULL;
}

void disasm_free(struct disasm *disasm)
{
	if (disasm)
		module.free(disasm);
}

size_t disasm_insn(struct disasm *disasm, const uint8_t *bytes, size_t count, uint64_t pc, char *text, size_t capacity)
{
	return module.insn(disasm, bytes, count, pc, text, capacity);
}

void disasm_bytes(const uint8_t *bytes, size_t count, char *text, size_t capacity)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && used + 3 < capacity; i++)
		used += (size_t)snprintf(text + used, capacity - used, "%s%02x", i ? " " : "", bytes[i]);
}
