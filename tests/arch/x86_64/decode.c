/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86_64 decoder against LLVM's and Capstone's: random bytes are the same instruction to all, or none; what is
 * modelled has the same name, and writes what Capstone says it writes. Where they contradict one another, the manual
 * decides: x86_64_classes.c says where, and how often is printed.
 *
 * DECODE_WORDS in the environment says ten times how many, DECODE_SEED which.
 */
#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define WORDS_DEFAULT 3000000 /* ten times as many as there are byte strings, which take longer */
#define SHOWN_MAX     40

struct view {
	size_t size; /* 0: no instruction */
	char text[256];
	char mnemonic[64];
};

struct run {
	const struct jf_backend *backend;
	LLVMDisasmContextRef llvm;
	csh capstone;
	cs_insn *insn;
	struct random random;
	struct jf_effect effect;
	struct view ours, theirs, capstones;
	unsigned long same, invalid, unknown, llvm_alone, capstone_alone, differ;
	unsigned long in_class[X86_64_CLASSES_MAX];
};

static void run_init(struct run *run)
{
	memset(run, 0, sizeof(*run));
	run->random.state = x86_64_number_of("DECODE_SEED", 1);
	run->backend = jf_backend_find("x86_64");
	cr_assert_not_null(run->backend);
	LLVMInitializeAllTargetInfos();
	LLVMInitializeAllTargetMCs();
	LLVMInitializeAllDisassemblers();
	run->llvm = LLVMCreateDisasm(run->backend->llvm_triple, NULL, 0, NULL, NULL);
	cr_assert_not_null(run->llvm);
	LLVMSetDisasmOptions(run->llvm, LLVMDisassembler_Option_AsmPrinterVariant);
	cr_assert_eq(cs_open(CS_ARCH_X86, CS_MODE_64, &run->capstone), CS_ERR_OK);
	cs_option(run->capstone, CS_OPT_DETAIL, CS_OPT_ON);
	run->insn = cs_malloc(run->capstone);
}

static void run_fini(struct run *run)
{
	cs_free(run->insn, 1);
	cs_close(&run->capstone);
	LLVMDisasmDispose(run->llvm);
}

/* LLVM reads a prefix that it cannot place as an instruction of its own. */
static bool is_prefix(const char *text)
{
	static const char *const names[] = {"lock", "rep", "repe", "repne", "data16", "addr32",
					    "cs",   "ds",  "es",   "fs",    "gs",     "ss"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	return strncmp(text, "rex64", 5) == 0;
}

static void read_llvm(struct run *run, uint8_t *bytes)
{
	struct view *view = &run->theirs;
	char raw[256];
	size_t at = 0, size;

	view->size = 0;
	do {
		size = LLVMDisasmInstruction(run->llvm, bytes + at, BYTES - at, 0, raw, sizeof(raw));
		snprintf(view->text, sizeof(view->text), "%s", raw + strspn(raw, " \t"));
		at += size;
	} while (size && is_prefix(view->text) && at < BYTES);
	if (size && at <= 15)
		view->size = at;
	else
		view->text[0] = '\0';
}

static void read_capstone(struct run *run, const uint8_t *bytes)
{
	const uint8_t *at = bytes;
	size_t left = BYTES;
	uint64_t address = 0;
	bool is = cs_disasm_iter(run->capstone, &at, &left, &address, run->insn);

	run->capstones.size = is && run->insn->size <= 15 ? run->insn->size : 0;
	snprintf(run->capstones.text, sizeof(run->capstones.text), "%s %s", is ? run->insn->mnemonic : "",
		 is ? run->insn->op_str : "");
}

static void read_all(struct run *run, uint8_t *bytes)
{
	enum jf_status status = jf_decode(run->backend, bytes, BYTES, &run->effect);

	cr_assert(status == JF_OK || status == JF_E_NOT_FOUND, "%s: status %d", x86_64_hex(bytes, BYTES), status);
	run->ours.size = status == JF_OK ? run->effect.size_bytes : 0;
	snprintf(run->ours.text, sizeof(run->ours.text), "%s", status == JF_OK ? run->effect.name : "");
	read_llvm(run, bytes);
	read_capstone(run, bytes);
}

static void differ(struct run *run, const uint8_t *bytes, const char *what)
{
	if (run->differ++ < SHOWN_MAX)
		fprintf(stderr, "%s: %s\n\tours %zu %s, LLVM's %zu %s, Capstone's %zu %s\n", what,
			x86_64_hex(bytes, BYTES), run->ours.size, run->ours.text, run->theirs.size, run->theirs.text,
			run->capstones.size, run->capstones.text);
}

static bool classify(struct run *run, const uint8_t *bytes)
{
	int class = x86_64_class(bytes, run->ours.size, run->theirs.size);

	if (class >= 0)
		run->in_class[class]++;
	return class >= 0;
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* Prefixes apart. Into a buffer of the view's. */
static const char *mnemonic_of(struct view *view)
{
	char *name = view->mnemonic;
	static const char *const skipped[] = {"lock",   "rep",      "repe",     "repne",  "data16",
					      "addr32", "xacquire", "xrelease", "notrack"};
	const char *at = view->text;

	for (;;) {
		size_t length = strcspn(at, " \t"), i = 0;

		while (i < sizeof(skipped) / sizeof(skipped[0]) &&
		       (strncmp(at, skipped[i], length) || skipped[i][length]))
			i++;
		if (i == sizeof(skipped) / sizeof(skipped[0]) || !at[length]) {
			snprintf(name, sizeof(view->mnemonic), "%.*s", (int)length, at);
			return name;
		}
		at += length + strspn(at + length, " \t");
	}
}

/* Ours, and another name of LLVM's for it: with its size, of an alias, or of one of a group that is alike. */
static const char *const other_names[][2] = {
	{"jrcxz", "jecxz"},
	{"mov", "movabs"},
	{"pushfq", "pushf"},
	{"popfq", "popf"},
	{"callf", "call"},
	{"callf", "lcall"},
	{"jmpf", "jmp"},
	{"jmpf", "ljmp"},
	{"pause", "nop"},
	{"pause", "xchg"},
	/* LLVM takes 67 for 66 in this group */
	{"clflush", "clflushopt"},
	{"mfence", "tpause"},
};

static bool same_name(const char *ours, const char *theirs)
{
	size_t length = strlen(ours);

	if (strncmp(ours, theirs, length) == 0 && strlen(theirs) > 0 &&
	    (strcmp(theirs + length, "q") == 0 || strcmp(theirs + length, "d") == 0 ||
	     strcmp(theirs + length, "64") == 0))
		return true;
	if (strcmp(ours, theirs) == 0 || strcmp(ours, "vector") == 0 || strcmp(ours, "x87") == 0)
		return true;
	for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++)
		if (strcmp(ours, other_names[i][0]) == 0 && strcmp(theirs, other_names[i][1]) == 0)
			return true;
	return false;
}

/* ---- registers written ---------------------------------------------------------------------------- */

/* The integer register that an operand of any width is part of. returns: 16 for all else. */
static unsigned int gpr_of(struct run *run, unsigned int reg)
{
	static const char *const names[16][4] = {
		{"rax", "eax", "ax", "al"},      {"rcx", "ecx", "cx", "cl"},      {"rdx", "edx", "dx", "dl"},
		{"rbx", "ebx", "bx", "bl"},      {"rsp", "esp", "sp", "spl"},     {"rbp", "ebp", "bp", "bpl"},
		{"rsi", "esi", "si", "sil"},     {"rdi", "edi", "di", "dil"},     {"r8", "r8d", "r8w", "r8b"},
		{"r9", "r9d", "r9w", "r9b"},     {"r10", "r10d", "r10w", "r10b"}, {"r11", "r11d", "r11w", "r11b"},
		{"r12", "r12d", "r12w", "r12b"}, {"r13", "r13d", "r13w", "r13b"}, {"r14", "r14d", "r14w", "r14b"},
		{"r15", "r15d", "r15w", "r15b"},
	};
	static const char *const high[] = {"ah", "ch", "dh", "bh"};
	const char *name = cs_reg_name(run->capstone, reg);

	for (unsigned int i = 0; name && i < 16; i++) {
		for (unsigned int k = 0; k < 4; k++)
			if (strcmp(name, names[i][k]) == 0)
				return i;
		if (i < 4 && strcmp(name, high[i]) == 0)
			return i;
	}
	return 16;
}

static unsigned int our_writes(const struct jf_effect *effect)
{
	unsigned int set = 0;

	for (unsigned int i = 0; i < effect->step_count; i++)
		if (effect->steps[i].dst < 16)
			set |= 1u << effect->steps[i].dst;
	return set;
}

static unsigned int capstones_writes(struct run *run)
{
	cs_regs read, written;
	uint8_t read_count, written_count;
	unsigned int set = 0;

	if (cs_regs_access(run->capstone, run->insn, read, &read_count, written, &written_count) != CS_ERR_OK)
		return 0;
	for (uint8_t i = 0; i < written_count; i++)
		set |= 1u << gpr_of(run, written[i]);
	return set & 0xffff;
}

/* Capstone 4 has these wrong: it calls an operand written that is only read. */
static bool capstone_errs(const struct run *run)
{
	static const char *const names[] = {
		"cdq", "cqo", "cwd", "stosb", "stosd", "stosq", "stosw", "test", "vmwrite",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(run->ours.text, names[i]) == 0)
			return true;
	return false;
}

/* ---- all together --------------------------------------------------------------------------------- */

/* Every step has registers of this backend, or none, and there are no more than fit. */
static bool makes_sense(const struct run *run)
{
	const struct jf_effect *e = &run->effect;

	for (unsigned int i = 0; i < e->step_count && i < JF_EFFECT_STEPS_MAX; i++) {
		const struct jf_step *step = &e->steps[i];
		const uint8_t regs[] = {step->dst, step->a, step->b, step->c};

		for (size_t k = 0; k < sizeof(regs); k++)
			if (regs[k] >= run->backend->reg_count && regs[k] != JF_REG_NONE)
				return false;
		if (step->kind >= JF_STEP__COUNT)
			return false;
	}
	return e->step_count <= JF_EFFECT_STEPS_MAX && e->flow < JF_FLOW__COUNT;
}

/* Every beginning of an instruction goes on. */
static void check_cut(struct run *run, const uint8_t *bytes)
{
	struct jf_effect effect;

	for (size_t count = 0; count < run->ours.size; count++)
		if (jf_decode(run->backend, bytes, count, &effect) != JF_E_NOSPACE)
			differ(run, bytes, "cut");
}

static void check_same(struct run *run, const uint8_t *bytes)
{
	const struct jf_effect *effect = &run->effect;

	if (!run->ours.size) {
		run->invalid++;
		return;
	}
	run->same++;
	check_cut(run, bytes);
	if (!same_name(run->ours.text, mnemonic_of(&run->theirs)) &&
	    !same_name(run->ours.text, mnemonic_of(&run->capstones)) && !classify(run, bytes))
		differ(run, bytes, "name");
	if (effect->flags & JF_EFFECT_UNKNOWN) {
		run->unknown++;
		return;
	}
	/* A call's push is said by its flow. */
	if (effect->flow == JF_FLOW_CALL || effect->flow == JF_FLOW_CALL_REG || effect->flow == JF_FLOW_CALL_MEM)
		return;
	if (strcmp(mnemonic_of(&run->capstones),
		   strcmp(run->ours.text, "vector") ? run->ours.text : mnemonic_of(&run->theirs)))
		return;
	if (capstones_writes(run) & ~our_writes(effect) && !capstone_errs(run) && !classify(run, bytes))
		differ(run, bytes, "writes");
}

static void check_one(struct run *run, uint8_t *bytes)
{
	read_all(run, bytes);
	if (run->ours.size && !makes_sense(run))
		differ(run, bytes, "steps");
	if (run->ours.size == run->theirs.size && run->ours.size == run->capstones.size)
		check_same(run, bytes);
	else if (classify(run, bytes))
		return;
	else if (run->ours.size == run->theirs.size)
		run->llvm_alone++;
	else if (run->ours.size == run->capstones.size)
		run->capstone_alone++;
	else
		differ(run, bytes, "size");
}

static void report(const struct run *run)
{
	fprintf(stderr, "%lu alike and %lu invalid to all, %lu of those of unknown effect\n", run->same, run->invalid,
		run->unknown);
	fprintf(stderr, "%lu as LLVM has it alone, %lu as Capstone has it alone; and by the manual:\n", run->llvm_alone,
		run->capstone_alone);
	for (int i = 0; x86_64_class_name(i); i++)
		fprintf(stderr, "%8lu %s\n", run->in_class[i], x86_64_class_name(i));
}

Test(decode_x86_64, random_bytes, .timeout = 0)
{
	uint64_t count = x86_64_number_of("DECODE_WORDS", WORDS_DEFAULT) / 10;
	uint8_t bytes[BYTES];
	static struct run run;

	run_init(&run);
	for (uint64_t i = 0; i < count; i++) {
		x86_64_random_bytes(&run.random, bytes);
		check_one(&run, bytes);
	}
	report(&run);
	run_fini(&run);
	cr_assert_eq(run.differ, 0, "%lu differ", run.differ);
}
