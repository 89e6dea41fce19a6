/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <criterion/criterion.h>
#include <llvm-c/Support.h>
#include <string.h>

/* LLVM has the ordering of atomic accesses in the name, and hints of RV128 under their own. */
static bool same(const char *name, const struct llvm *llvm)
{
	static const char *const suffixes[] = {".aq", ".rl", ".aqrl", "64"};
	size_t length = strlen(name);

	if (strcmp(name, "lpad") == 0)
		return strcmp(llvm->mnemonic, "auipc") == 0;
	if (strncmp(llvm->mnemonic, name, length) != 0)
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(llvm->mnemonic + length, suffixes[i]) == 0)
			return true;
	return false;
}

/* LLVM has a name for the word that is defined to be no instruction, and reads a reserved constant. */
static bool overread(uint32_t word, const struct llvm *llvm)
{
	if ((word & 0xffff) == 0)
		return true;
	return strcmp(llvm->mnemonic, "c.lui") == 0 && (word & 0x107c) == 0;
}

Test(decode_riscv64, random_words)
{
	static const struct words words = {
		.backend = "riscv64",
		.features = "+m,+a,+f,+d,+c,+zba,+zbb,+zicond,+experimental-zacas,+zihintpause,+experimental-zicfilp",
		.same = same,
		.overread = overread,
		.dense = 0}; /* which are all compressed ones, too */

	static const char *const options[] = {"llvm", "-riscv-no-aliases"};

	LLVMParseCommandLineOptions(2, options, NULL);
	words_check(&words);
}
