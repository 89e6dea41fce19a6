/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows_file.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

/*
 * Functions that never return, by name: where they are in this file, and where a linkage table's entry jumps to them. A
 * name's end may be a star: any end.
 */
static const char *const names[] = {
	/* C, its library, its compilers */
	"abort",
	"exit",
	"_exit",
	"_Exit",
	"quick_exit",
	"__libc_fatal",
	"__libc_assert_fail",
	"__assert",
	"__assert_fail",
	"__assert_perror_fail",
	"__stack_chk_fail",
	"__stack_chk_fail_local",
	"__fortify_fail",
	"__chk_fail",
	"longjmp",
	"_longjmp",
	"siglongjmp",
	"__longjmp",
	"__longjmp_chk",
	"__libc_longjmp",
	"__libc_siglongjmp",
	"pthread_exit",
	"err",
	"errx",
	"verr",
	"verrx",
	/* exceptions */
	"_Unwind_Resume",
	"__cxa_bad_cast",
	"__cxa_bad_typeid",
	"__cxa_call_terminate",
	"__cxa_call_unexpected",
	"__cxa_pure_virtual",
	"__cxa_rethrow",
	"__cxa_throw",
	"__cxa_throw_bad_array_new_length",
	"_ZSt9terminatev",
	"_ZSt10unexpectedv",
	"_ZSt16__throw_bad_castv",
	"_ZSt17__throw_bad_allocv",
	"_ZSt19__throw_logic_errorPKc",
	"_ZSt20__throw_length_errorPKc",
	"_ZSt20__throw_out_of_rangePKc",
	"_ZSt20__throw_system_*",
	"_ZSt21__throw_runtime_errorPKc",
	"_ZSt24__throw_invalid_argumentPKc",
	"_ZSt24__throw_out_of_range_fmtPKcz",
	"_ZSt25__throw_bad_function_callv",
	"_ZSt28__throw_bad_array_new_lengthv",
	/* programs */
	"Py_FatalError",
	"_Py_FatalErrorFunc",
	"_ZN4llvm18report_fatal_error*",
	"_ZN4llvm22report_bad_alloc_error*",
	"_ZN4llvm25llvm_unreachable_internal*",
	"do_exit",
	"panic",
};

static bool is_noreturn(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);

		if (names[i][length - 1] == '*' ? strncmp(name, names[i], length - 1) == 0 :
						  strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool add(struct rows_file *file, uint64_t address)
{
	/* The capacity is the next power of two. */
	if ((file->noreturn_count & (file->noreturn_count - 1)) == 0) {
		size_t capacity = file->noreturn_count ? 2 * file->noreturn_count : 1;
		uint64_t *place = realloc(file->noreturn, capacity * sizeof(*place));

		if (!place)
			return false;
		file->noreturn = place;
	}
	file->noreturn[file->noreturn_count++] = address;
	return true;
}

/* The words that the dynamic linker fills with the address of such a function. */
static bool add_slots(struct rows_file *file, Elf_Scn *scn, const GElf_Shdr *header)
{
	Elf_Scn *symbol_scn = elf_getscn(file->elf, header->sh_link);
	Elf_Data *data = elf_getdata(scn, NULL), *symbols = symbol_scn ? elf_getdata(symbol_scn, NULL) : NULL;
	size_t total = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
	GElf_Shdr symbol_header;
	GElf_Rela rela;
	GElf_Sym sym;

	if (!symbols || !gelf_getshdr(symbol_scn, &symbol_header))
		return true;
	for (size_t i = 0; i < total; i++) {
		const char *name;

		if (!gelf_getrela(data, (int)i, &rela) || !GELF_R_SYM(rela.r_info) ||
		    !gelf_getsym(symbols, (int)GELF_R_SYM(rela.r_info), &sym))
			continue;
		name = elf_strptr(file->elf, symbol_header.sh_link, sym.st_name);
		if (name && is_noreturn(name) && !add(file, rela.r_offset))
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int rows_noreturn_read(struct rows_file *file)
{
	bool done = true;

	for (size_t i = 0; done && i < file->symbol_count; i++)
		if (is_noreturn(file->symbols[i].name))
			done = add(file, file->symbols[i].address);
	for (size_t i = 1; done && i < file->section_count; i++) {
		Elf_Scn *scn = elf_getscn(file->elf, i);
		GElf_Shdr header;

		if (scn && gelf_getshdr(scn, &header) && header.sh_type == SHT_RELA && header.sh_flags & SHF_ALLOC)
			done = add_slots(file, scn, &header);
	}
	if (!done)
		return cli_failed("no memory");
	if (file->noreturn_count)
		qsort(file->noreturn, file->noreturn_count, sizeof(*file->noreturn), compare);
	return 0;
}

static bool has(const struct rows_file *file, uint64_t address)
{
	return file->noreturn_count &&
	       bsearch(&address, file->noreturn, file->noreturn_count, sizeof(address), compare);
}

#define ENTRY_INSNS_MAX 5  /* of a linkage table's entry: a landing pad, an address of two parts, a load, a jump */
#define ENTRY_BYTES_MAX 32 /* the longest */

/* Registers with known values, as an entry makes them. */
struct known {
	uint64_t value[JF_REGS_MAX];
	bool is_set[JF_REGS_MAX];
};

/* base + imm, where without a register `otherwise` is the base. */
static bool sum(const struct known *known, const struct jf_step *step, uint64_t otherwise, uint64_t *value)
{
	if (step->b != JF_REG_NONE || (step->a != JF_REG_NONE && !known->is_set[step->a]))
		return false;
	*value = (step->a == JF_REG_NONE ? otherwise : known->value[step->a]) + (uint64_t)step->imm;
	return true;
}

static void compute(struct known *known, const struct jf_step *step, uint64_t at)
{
	uint64_t value = 0;
	bool done = false;

	if (step->dst == JF_REG_NONE)
		return;
	if (step->kind == JF_STEP_ADDRESS || step->kind == JF_STEP_ADD)
		done = sum(known, step, at, &value);
	else if (step->kind == JF_STEP_AND && step->b == JF_REG_NONE && step->a != JF_REG_NONE)
		done = known->is_set[step->a];
	if (step->kind == JF_STEP_AND && done)
		value = known->value[step->a] & (uint64_t)step->imm;
	known->value[step->dst] = value;
	known->is_set[step->dst] = done;
}

static const uint8_t *entry_bytes(const struct rows_file *file, uint64_t address, size_t *count)
{
	for (size_t i = 1; i < file->section_count; i++) {
		const struct rows_section *section = &file->sections[i];
		uint64_t off = address - section->address;

		if (!section->code || !section->bytes || off >= section->size || strncmp(section->name, ".plt", 4) != 0)
			continue;
		*count = section->size - off < ENTRY_BYTES_MAX ? section->size - off : ENTRY_BYTES_MAX;
		return section->bytes + off;
	}
	return NULL;
}

/* The word that an entry of a linkage table jumps by: its first load. */
static bool find_slot(const struct rows_file *file, uint64_t address, uint64_t *slot)
{
	struct jf_effect effect;
	struct known known = {.is_set = {false}};
	size_t count = 0, off = 0;
	const uint8_t *bytes = entry_bytes(file, address, &count);

	for (unsigned int i = 0; bytes && i < ENTRY_INSNS_MAX && off < count; i++, off += effect.size_bytes) {
		if (jf_decode(file->backend, bytes + off, count - off, &effect) != JF_OK)
			return false;
		for (unsigned int k = 0; k < effect.step_count; k++) {
			if (effect.steps[k].kind == JF_STEP_LOAD)
				return sum(&known, &effect.steps[k], address + off, slot);
			compute(&known, &effect.steps[k], address + off);
		}
		if (effect.flow != JF_FLOW_NEXT)
			return false;
	}
	return false;
}

bool rows_noreturn(void *arg, uint64_t address)
{
	const struct rows_file *file = arg;
	uint64_t slot;

	return has(file, address) || (file->noreturn_count && find_slot(file, address, &slot) && has(file, slot));
}
