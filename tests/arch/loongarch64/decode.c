/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <criterion/criterion.h>
#include <string.h>

static bool same(const char *name, const struct llvm *llvm)
{
	static const char *const aliases[][2] = {
		{"or", "move"},
		{"andi", "nop"},
		{"jirl", "ret"},
		{"jirl", "jr"},
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(name, aliases[i][0]) == 0 && strcmp(llvm->mnemonic, aliases[i][1]) == 0)
			return true;
	return false;
}

/*
 * LLVM reads words that its assembler refuses: fields whose ends are the wrong way round, and atomic accesses
 * whose result would go where the address is.
 */
static bool overread(uint32_t word, const struct llvm *llvm)
{
	unsigned int rd = word & 31, rj = word >> 5 & 31;

	if (strncmp(llvm->mnemonic, "bstr", 4) == 0)
		return (word >> 16 & 63) < (word >> 10 & 63) || (word >> 16 & 31) < (word >> 10 & 31);
	return strncmp(llvm->mnemonic, "am", 2) == 0 && rd == rj && rd;
}

Test(decode_loongarch64, random_words)
{
	static const struct words words = {
		.backend = "loongarch64", .features = "+d,+lasx,+lbt,+lvz", .same = same, .overread = overread};

	words_check(&words);
}
