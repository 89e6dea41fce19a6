/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any table of clean-up pads, and any code around, in an object that is whole: linked as `jitframe compile` does, and
 * what comes out compiled. Bytes that are changed anywhere in an object seldom hit a table: tests/tools/test_hostile.c.
 */

#include "bundle.h"
#include "link.h"
#include "target.h"

#include <elf.h>
#include <string.h>

#include <jitframe/backend.h>

#define INSNS        16 /* of two programs: */
#define SECOND       12
#define RECORDS_MAX  8
#define RECORD_BYTES 12
#define WORDS_MAX    (3 * RECORDS_MAX)

/* EM_BPF's relocations, which <elf.h> of all systems lacks in part. */
enum { CALL = 10, ABS32 = 3, NODYLD32 = 4 };

enum { NO_SECTION, CODE, SUBS, TABLE, CODE_RELOCS, SUBS_RELOCS, TABLE_RELOCS, SYMBOLS, STRINGS, SECTION_COUNT };
enum { NO_SYMBOL, OF_CODE, OF_SUBS, OF_TABLE, FIRST, OTHER, SUB, THROW, RESUME, SYMBOL_COUNT };

struct file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[SECTION_COUNT];
	Elf64_Sym symbols[SYMBOL_COUNT];
	char strings[128];
	struct jf_insn code[INSNS], subs[3];
	uint8_t table[WORDS_MAX * 4];
	Elf64_Rel code_relocs[6], subs_relocs[1], table_relocs[WORDS_MAX];
};

/* What the input is: a word of the table is 4 bytes here as well, but says where the word points to and by what. */
struct input {
	uint8_t convention, table_bytes, reloc_count, options;
	struct word {
		uint8_t insn, bytes, symbol, type;
	} words[WORDS_MAX];
	struct jf_insn code[INSNS];
};

static uint32_t string(struct file *file, size_t *used, const char *text)
{
	uint32_t at = (uint32_t)*used;

	memcpy(file->strings + at, text, strlen(text) + 1);
	*used += strlen(text) + 1;
	return at;
}

static Elf64_Shdr section(struct file *file, size_t *used, const char *name, uint32_t type, const void *at, size_t size)
{
	return (Elf64_Shdr){.sh_name = string(file, used, name),
			    .sh_type = type,
			    .sh_offset = (Elf64_Off)((const uint8_t *)at - (const uint8_t *)file),
			    .sh_size = size,
			    .sh_addralign = 8};
}

static void put_sections(struct file *file, size_t *used, size_t table_bytes, size_t reloc_count)
{
	const uint32_t of[] = {[CODE_RELOCS] = CODE, [SUBS_RELOCS] = SUBS, [TABLE_RELOCS] = TABLE};

	file->sections[CODE] = section(file, used, "tc", SHT_PROGBITS, file->code, sizeof(file->code));
	file->sections[SUBS] = section(file, used, ".text", SHT_PROGBITS, file->subs, sizeof(file->subs));
	file->sections[CODE].sh_flags = file->sections[SUBS].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	file->sections[TABLE] = section(file, used, ".bpf_cleanup", SHT_PROGBITS, file->table, table_bytes);
	file->sections[TABLE].sh_flags = SHF_ALLOC;
	file->sections[CODE_RELOCS] =
		section(file, used, ".reltc", SHT_REL, file->code_relocs, sizeof(file->code_relocs));
	file->sections[SUBS_RELOCS] =
		section(file, used, ".rel.text", SHT_REL, file->subs_relocs, sizeof(file->subs_relocs));
	file->sections[TABLE_RELOCS] = section(file, used, ".rel.bpf_cleanup", SHT_REL, file->table_relocs,
					       reloc_count * sizeof(file->table_relocs[0]));
	for (unsigned int i = CODE_RELOCS; i <= TABLE_RELOCS; i++) {
		file->sections[i].sh_info = of[i];
		file->sections[i].sh_link = SYMBOLS;
		file->sections[i].sh_entsize = sizeof(Elf64_Rel);
	}
	file->sections[SYMBOLS] = section(file, used, ".symtab", SHT_SYMTAB, file->symbols, sizeof(file->symbols));
	file->sections[SYMBOLS].sh_link = STRINGS;
	file->sections[SYMBOLS].sh_info = FIRST;
	file->sections[SYMBOLS].sh_entsize = sizeof(Elf64_Sym);
	file->sections[STRINGS] = section(file, used, ".strtab", SHT_STRTAB, file->strings, sizeof(file->strings));
}

static void put_symbols(struct file *file, size_t *used)
{
	const unsigned char function = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	const unsigned char missing = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);

	for (unsigned int i = OF_CODE; i <= OF_TABLE; i++)
		file->symbols[i] = (Elf64_Sym){.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION),
					       .st_shndx = (Elf64_Section)(CODE + i - OF_CODE)};
	file->symbols[FIRST] = (Elf64_Sym){string(file, used, "first"), function, 0, CODE, 0, SECOND * 8};
	file->symbols[OTHER] =
		(Elf64_Sym){string(file, used, "other"), function, 0, CODE, SECOND * 8, (INSNS - SECOND) * 8};
	file->symbols[SUB] = (Elf64_Sym){string(file, used, "sub"), function, 0, SUBS, 0, sizeof(file->subs)};
	file->symbols[THROW] = (Elf64_Sym){string(file, used, "bpf_throw"), missing, 0, SHN_UNDEF, 0, 0};
	file->symbols[RESUME] = (Elf64_Sym){string(file, used, "_Unwind_Resume"), missing, 0, SHN_UNDEF, 0, 0};
}

static void put_code(struct file *file, const struct jf_insn *code)
{
	static const struct jf_insn subs[] = {{0xb7, 1, 0, 5}, {0x85, 0x10, 0, -1}, {0x95, 0, 0, 0}};
	static const uint8_t subs_called[] = {0, 1, SECOND}, resumes[] = {5, 6, SECOND + 3};

	memcpy(file->code, code, sizeof(file->code));
	memcpy(file->subs, subs, sizeof(subs));
	for (unsigned int i = 0; i < 3; i++) {
		file->code_relocs[2 * i] = (Elf64_Rel){subs_called[i] * 8u, ELF64_R_INFO(SUB, CALL)};
		file->code_relocs[2 * i + 1] = (Elf64_Rel){resumes[i] * 8u, ELF64_R_INFO(RESUME, CALL)};
	}
	file->subs_relocs[0] = (Elf64_Rel){8, ELF64_R_INFO(THROW, CALL)};
}

static void make_file(struct file *file, const struct input *in)
{
	size_t used = 1, table_bytes = in->table_bytes, count = in->reloc_count;

	memset(file, 0, sizeof(*file));
	if (table_bytes > sizeof(file->table))
		table_bytes = sizeof(file->table);
	if (count > WORDS_MAX)
		count = WORDS_MAX;
	put_symbols(file, &used);
	put_sections(file, &used, table_bytes, count);
	put_code(file, in->code);
	for (uint32_t i = 0; i < WORDS_MAX; i++) {
		const struct word *word = &in->words[i];
		uint32_t value = word->insn * 8u + word->bytes;

		memcpy(file->table + 4 * (size_t)i, &value, sizeof(value));
		file->table_relocs[i] = (Elf64_Rel){
			4 * (Elf64_Addr)i, ELF64_R_INFO((Elf64_Xword)(word->symbol % SYMBOL_COUNT), word->type)};
	}
	file->header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = EM_BPF,
		.e_version = EV_CURRENT,
		.e_shoff = offsetof(struct file, sections),
		.e_ehsize = sizeof(file->header),
		.e_shentsize = sizeof(file->sections[0]),
		.e_shnum = SECTION_COUNT,
		.e_shstrndx = STRINGS,
	};
}

/* ---- what comes of it ---------------------------------------------------------------------------------------- */

static const struct jf_convention *convention_of(const struct input *in)
{
	const struct jf_backend *backend;
	size_t count = 0;

	while (jf_backend_at(count))
		count++;
	backend = jf_backend_at(in->convention % count);
	return backend->conventions[in->convention / count % backend->convention_count];
}

static void compile(const struct bundle *bundle, struct jf_program *program, const struct input *in)
{
	static struct jf_import helpers[256], kfuncs[16];
	const struct jf_compile_opts opts = {.size = sizeof(opts), .landing_pads = in->options & 1};
	struct jf_error error = {.status = JF_OK};
	struct jf_image *image = NULL;
	uint8_t *bytes;
	size_t bound;

	program->helpers = helpers;
	program->helper_count = sizeof(helpers) / sizeof(helpers[0]);
	program->kfuncs = kfuncs;
	program->kfunc_count = bundle->count[BUNDLE_KFUNCS];
	MUST(program->kfunc_count <= sizeof(kfuncs) / sizeof(kfuncs[0]));
	for (uint32_t i = 0; i < program->kfunc_count; i++) {
		bundle_kfunc_get(&bundle->kfuncs[i], &kfuncs[i]);
		kfuncs[i].address = UINT64_C(0x555500000000) + 4096 * (uint64_t)i;
	}
	bound = jf_compile_bound(convention_of(in), program);
	bytes = malloc(bound + !bound);
	MUST(bytes);
	if (jf_compile(convention_of(in), program, &opts, bytes, bound, UINT64_C(0x555510000000), &image, &error) !=
	    JF_OK)
		MUST(error.text[0] && !image && error.status != JF_E_BAD_DESC);
	jf_image_free(image);
	free(bytes);
}

/* Each record is one function's, in order. */
static void check_tables(const struct bundle *bundle)
{
	for (uint32_t i = 0; i < bundle->count[BUNDLE_FUNCTIONS]; i++) {
		const struct bundle_function *f = &bundle->functions[i];

		for (uint32_t k = 0; k < f->cleanup_count; k++) {
			const struct jf_cleanup *record = &bundle->cleanups[f->cleanup_start + k];

			if (f->flags & BUNDLE_FUNCTION_REFUSED)
				continue;
			MUST(record->start < record->end && record->end <= f->insn_count &&
			     record->pad < f->insn_count);
			MUST(!k || record[-1].start <= record->start);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jf_error error = {.status = JF_OK};
	struct file *file = malloc(sizeof(*file));
	struct bundle bundle;
	struct input in;
	size_t linked_bytes;
	void *linked = NULL;

	MUST(file);
	memset(&in, 0, sizeof(in));
	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	make_file(file, &in);
	if (link_object(file, sizeof(*file), in.options & 2 ? "first" : NULL,
			in.options & 4 ? LINK_TO_SEE : LINK_TO_RUN, &linked, &linked_bytes, &error) != JF_OK) {
		MUST(error.text[0] && !linked);
		free(file);
		return 0;
	}
	free(file);
	MUST(bundle_open(&bundle, linked, linked_bytes, &error) == JF_OK);
	check_tables(&bundle);
	for (uint32_t i = 0; i < bundle.count[BUNDLE_PROGRAMS]; i++) {
		struct bundle_selection selection;

		if (bundle_select(&bundle, i, &selection, &error) != JF_OK)
			continue;
		compile(&bundle, &selection.program, &in);
		bundle_selection_free(&selection);
	}
	free(linked);
	return 0;
}

/* Tables that are good: unsorted, of both types, of two programs, of UNWIND; in each convention. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t capacity)
{
	static const struct jf_insn code[INSNS] = {
		{0x85, 0x10, 0, -1}, {0x85, 0x10, 0, -1}, {0xb7, 0, 0, 0}, {0x95, 0, 0, 0}, /* two calls that throw */
		{0xb7, 1, 0, 0},     {0x85, 0x10, 0, -1},                                   /* a pad */
		{0x85, 0x10, 0, -1},                                                        /* another one */
		{0xb7, 0, 0, 0},     {0xb7, 0, 0, 0},     {0xb7, 0, 0, 0}, {0xb7, 0, 0, 0},     {0x95, 0, 0, 0},
		{0x85, 0x10, 0, -1}, {0xb7, 0, 0, 0},     {0x95, 0, 0, 0}, {0x85, 0x10, 0, -1},
	};
	static const struct word words[3 * 3] = {
		{1, 0, OF_CODE, NODYLD32}, {2, 0, OF_CODE, NODYLD32},     {6, 0, FIRST, ABS32},
		{0, 0, OF_CODE, ABS32},    {1, 0, OF_CODE, ABS32},        {4, 0, FIRST, ABS32},
		{0, 0, OTHER, ABS32},      {SECOND + 1, 0, FIRST, ABS32}, {SECOND + 3, 0, OF_CODE, NODYLD32},
	};
	struct input in = {.convention = (uint8_t)(number / 3),
			   .table_bytes = (uint8_t)(RECORD_BYTES * (1 + number % 3)),
			   .reloc_count = (uint8_t)(3 * (1 + number % 3))};

	if (number >= 36 || capacity < sizeof(in))
		return 0;
	memcpy(in.words, words, sizeof(words));
	memcpy(in.code, code, sizeof(code));
	if (number % 3 == 0)
		in.code[2] = (struct jf_insn){0xfd, 0, 3, 0}; /* of the call before: the record is gone */
	if (number % 3 == 0)
		in.table_bytes = in.reloc_count = 0;
	memcpy(data, &in, sizeof(in));
	return sizeof(in);
}
