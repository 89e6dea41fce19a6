/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"
#include "words.h"

#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <string.h>

/* What LLVM prints for some operands of an instruction: "stadd" begins an alias of "ldadd..." */
static const char *const aliases[][2] = {
	{"add", "mov"},      {"adds", "cmn"},      {"subs", "cmp"},   {"subs", "negs"},    {"sub", "neg"},
	{"orr", "mov"},      {"orn", "mvn"},       {"ands", "tst"},   {"movz", "mov"},     {"movn", "mov"},
	{"sbfm", "asr"},     {"sbfm", "sbfiz"},    {"sbfm", "sbfx"},  {"sbfm", "sxtb"},    {"sbfm", "sxth"},
	{"sbfm", "sxtw"},    {"ubfm", "lsl"},      {"ubfm", "lsr"},   {"ubfm", "ubfiz"},   {"ubfm", "ubfx"},
	{"ubfm", "uxtb"},    {"ubfm", "uxth"},     {"bfm", "bfi"},    {"bfm", "bfxil"},    {"bfm", "bfc"},
	{"extr", "ror"},     {"csinc", "cset"},    {"csinc", "cinc"}, {"csinv", "csetm"},  {"csinv", "cinv"},
	{"csneg", "cneg"},   {"madd", "mul"},      {"msub", "mneg"},  {"smaddl", "smull"}, {"smsubl", "smnegl"},
	{"umaddl", "umull"}, {"umsubl", "umnegl"}, {"sbc", "ngc"},    {"sbcs", "ngcs"},    {"lslv", "lsl"},
	{"lsrv", "lsr"},     {"asrv", "asr"},      {"rorv", "ror"},   {"prfm", "rprfm"},   {"dsb", "ssbb"},
	{"dsb", "pssbb"},    {"dsb", "dfb"},       {"subps", "cmpp"},
};

static bool same(const char *name, const struct llvm *llvm)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(name, aliases[i][0]) == 0 && strcmp(llvm->mnemonic, aliases[i][1]) == 0)
			return true;
	if (strcmp(name, "b.cond") == 0 || strcmp(name, "bc.cond") == 0)
		return strncmp(name, llvm->mnemonic, strchr(name, '.') - name + 1) == 0;
	/* ldaddlb to the zero register: staddlb */
	return name[0] == 'l' && strncmp(llvm->mnemonic, "st", 2) == 0 && strcmp(name + 2, llvm->mnemonic + 2) == 0;
}

/*
 * LLVM has names for system registers outside of their space, and reads what is unpredictable: exclusive stores
 * whose status goes into a register that they use, and bases that are written back and moved at once.
 */
static bool overread(uint32_t word, const struct llvm *llvm)
{
	unsigned int rs = word >> 16 & 31;
	bool status = strncmp(llvm->mnemonic, "stxr", 4) == 0 || strncmp(llvm->mnemonic, "stlxr", 5) == 0 ||
		      strncmp(llvm->mnemonic, "stxp", 4) == 0 || strncmp(llvm->mnemonic, "stlxp", 5) == 0;

	if ((word & 0xff800000) == 0xd5000000)
		return !(word & 0x00100000) && strchr(llvm->mnemonic, 'r');
	if ((word & 0x3f200400) == 0x38000400)
		return (word & 31) == (word >> 5 & 31);
	return status && (rs == (word & 31) || rs == (word >> 5 & 31) ||
			  (strchr(llvm->mnemonic, 'p') && rs == (word >> 10 & 31)));
}

/* Without write-back, a load may go to its own base. */
static bool underread(uint32_t word, const char *name)
{
	return strncmp(name, "ldtr", 4) == 0 && (word & 31) == (word >> 5 & 31);
}

/* ---- which registers are written: Capstone's word for it ----------------------------------------- */

static csh capstone;
static unsigned long compared;

/* Bit of a register's id; 0 for those that the table does not have. */
static uint64_t bit_of(unsigned int reg)
{
	static const struct {
		unsigned int first, last, id;
	} files[] = {
		{ARM64_REG_X0, ARM64_REG_X28, JF_ARM64_X0},   {ARM64_REG_W0, ARM64_REG_W30, JF_ARM64_X0},
		{ARM64_REG_X29, ARM64_REG_X29, JF_ARM64_X29}, {ARM64_REG_X30, ARM64_REG_X30, JF_ARM64_X30},
		{ARM64_REG_SP, ARM64_REG_SP, JF_ARM64_SP},    {ARM64_REG_WSP, ARM64_REG_WSP, JF_ARM64_SP},
		{ARM64_REG_B0, ARM64_REG_B31, JF_ARM64_D0},   {ARM64_REG_H0, ARM64_REG_H31, JF_ARM64_D0},
		{ARM64_REG_S0, ARM64_REG_S31, JF_ARM64_D0},   {ARM64_REG_D0, ARM64_REG_D31, JF_ARM64_D0},
		{ARM64_REG_Q0, ARM64_REG_Q31, JF_ARM64_D0},   {ARM64_REG_V0, ARM64_REG_V31, JF_ARM64_D0},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (reg >= files[i].first && reg <= files[i].last)
			return UINT64_C(1) << (reg - files[i].first + files[i].id);
	return 0;
}

/* Where Capstone 4 is wrong: it takes operands that are read for written ones, or leaves out some of a list (ld4). */
static bool is_misjudged(const char *mnemonic)
{
	static const char *const names[] = {"adds", "cmn", "cmp", "ldraa", "ldrab",
					    "msr",  "svc", "tst", "wfet",  "wfit"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(mnemonic, names[i]) == 0)
			return true;
	return (strncmp(mnemonic, "ld", 2) == 0 || strncmp(mnemonic, "st", 2) == 0) && strchr("1234", mnemonic[2]);
}

/* Whether control may go elsewhere; whether it comes back, x30 tells. */
static bool same_flow(const cs_insn *insn, const struct jf_effect *effect)
{
	bool goes = effect->flow != JF_FLOW_NEXT && effect->flow != JF_FLOW_TRAP;

	if (strcmp(effect->name, "bc.cond") == 0) /* Capstone 5 has it in no group */
		return true;
	return goes == (cs_insn_group(capstone, insn, CS_GRP_JUMP) || cs_insn_group(capstone, insn, CS_GRP_CALL) ||
			cs_insn_group(capstone, insn, CS_GRP_RET));
}

static bool check(uint32_t word, const struct llvm *llvm, const struct jf_effect *effect)
{
	bool calls =
		effect->flow == JF_FLOW_CALL || effect->flow == JF_FLOW_CALL_REG || effect->flow == JF_FLOW_CALL_MEM;
	uint64_t ours = words_written(effect) | (calls ? UINT64_C(1) << JF_ARM64_X30 : 0), theirs = 0;
	cs_regs read, written;
	uint8_t reads, writes;
	cs_insn *insn = NULL;

	if (is_misjudged(llvm->mnemonic) || cs_disasm(capstone, (const uint8_t *)&word, 4, 0, 0, &insn) != 1)
		return true;
	compared++;
	cr_assert_eq(cs_regs_access(capstone, insn, read, &reads, written, &writes), CS_ERR_OK);
	for (unsigned int i = 0; i < writes; i++)
		theirs |= bit_of(written[i]);
	if (!same_flow(insn, effect))
		theirs = ~ours;
	cs_free(insn, 1);
	if ((word & 0xfffff01f) == 0xd503201f) /* signing and authentication of x30, hints to Capstone 4 */
		return true;
	if ((word & 0xfffffc00) == 0x9eaf0000) /* the upper half of a vector, of which the table has the lower */
		return true;
	/* Capstone 5 decodes more instructions than it has sets for: they are empty. */
	if (!writes && cs_version(NULL, NULL) >> 8 > 4)
		return true;
	if (ours == theirs)
		return true;
	fprintf(stderr, "%08x %s: writes %016llx, Capstone's %016llx\n", word, llvm->text, (unsigned long long)ours,
		(unsigned long long)theirs);
	return false;
}

/* Extensions that the tables have, by name: the next LLVM may know others. */
#define FEATURES "+v9.5a,+bf16,+cpa,+fp16fml,+fullfp16,+gcs,+hbc,+ls64,+mte,+pauth-lr,+rand,+rcpc3,+spe,+tme"

Test(decode_arm64, random_words)
{
	static const struct words words = {.backend = "arm64",
					   .features = FEATURES,
					   .dense = 0xd5030000,
					   .same = same,
					   .overread = overread,
					   .underread = underread,
					   .check = check};

	cr_assert_eq(cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &capstone), CS_ERR_OK);
	cr_assert_eq(cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
	words_check(&words);
	cs_close(&capstone);
	fprintf(stderr, "arm64: the registers that %lu words write compared with Capstone's\n", compared);
}
