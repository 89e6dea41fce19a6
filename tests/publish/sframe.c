/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Sections .sframe of compiled programs of every convention that SFrame has a code for, read by GNU readelf:
 * sframe READELF. TAP.
 */

#include "bpf.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jitframe/jitframe.h>

#define CODE_AT       UINT64_C(0x400000)
#define SECTION_AT    UINT64_C(0x600000)
#define FUNCTIONS_MAX 8

static char path[] = "/tmp/jf-sframe-XXXXXX";
static const char *readelf;
static unsigned int test_count, failed_count;

static void report(bool is_ok, const char *arch, const char *name)
{
	printf("%sok %u - %s: %s\n", is_ok ? "" : "not ", ++test_count, arch, name);
	failed_count += !is_ok;
}

/* ---- an ELF file with the section ------------------------------------------------------------------------------- */

static bool write_file(const struct jf_backend *backend, const uint8_t *section, size_t size)
{
	static const char names[] = "\0.sframe\0.shstrtab";
	const struct {
		Elf64_Ehdr header;
		Elf64_Shdr sections[3];
		char names[sizeof(names)];
	} file = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = backend->elf_machine,
			   .e_version = EV_CURRENT,
			   .e_shoff = sizeof(Elf64_Ehdr),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 3,
			   .e_shstrndx = 2},
		.sections = {{.sh_name = 0},
			     {.sh_name = 1,
			      .sh_type = SHT_PROGBITS,
			      .sh_flags = SHF_ALLOC,
			      .sh_addr = SECTION_AT,
			      .sh_offset = sizeof(file),
			      .sh_size = size,
			      .sh_addralign = 8},
			     {.sh_name = 9,
			      .sh_type = SHT_STRTAB,
			      .sh_offset = offsetof(__typeof__(file), names),
			      .sh_size = sizeof(names),
			      .sh_addralign = 1}},
		.names = "\0.sframe\0.shstrtab",
	};
	FILE *out = fopen(path, "wb");
	bool good = out && fwrite(&file, sizeof(file), 1, out) == 1 && fwrite(section, size, 1, out) == 1;

	return out && fclose(out) == 0 && good;
}

/* ---- what readelf has to say of a function ---------------------------------------------------------------------- */

static int32_t slot_of(const struct jf_cfi_function *f, const struct jf_row *row, unsigned int reg)
{
	for (unsigned int i = 0; i < f->slot_count; i++)
		if (row->saved >> i & 1 && f->slots[i].reg == reg)
			return f->slots[i].off_from_cfa;
	return 0;
}

static void print_slot(char *text, size_t size, int32_t off)
{
	if (off)
		snprintf(text, size, "c%+d", off);
	else
		snprintf(text, size, "u");
}

/* "sp+16 c-16 f": CFA, frame pointer, return address. */
static void print_row(const struct jf_backend *backend, const struct jf_cfi_function *f, const struct jf_row *row,
		      char *text, size_t size)
{
	char fp[16], ra[16];

	print_slot(fp, sizeof(fp), slot_of(f, row, backend->fp));
	print_slot(ra, sizeof(ra), slot_of(f, row, backend->ra));
	snprintf(text, size, "%s%+d %s %s%s", row->cfa_reg == backend->sp ? "sp" : "fp", row->cfa_off, fp,
		 backend->ra_pushed ? "f" : ra, row->flags & JF_ROW_RA_SIGNED ? "[s]" : "");
}

/* The next line of readelf's with a row. */
static bool read_row(FILE *lines, uint64_t *address, char *text, size_t size)
{
	char line[256], cfa[32], fp[32], ra[32];

	while (fgets(line, sizeof(line), lines))
		if (sscanf(line, "%lx %31s %31s %31s", address, cfa, fp, ra) == 4 &&
		    (!strncmp(cfa, "sp", 2) || !strncmp(cfa, "fp", 2))) {
			snprintf(text, size, "%s %s %s", cfa, fp, ra);
			return true;
		}
	return false;
}

static bool reads_the_same(const struct jf_backend *backend, const struct jf_cfi_function *functions, size_t count,
			   uint32_t *rows)
{
	char command[512], said[128], wanted[128];
	bool good = true;
	uint64_t address;
	FILE *lines;

	snprintf(command, sizeof(command), "LC_ALL=C '%s' --sframe '%s' 2>&1", readelf, path);
	lines = popen(command, "r");
	for (size_t i = 0; i < count; i++)
		for (size_t n = 0; n < functions[i].row_count && good; n++) {
			const struct jf_row *row = &functions[i].rows[n];

			/* A callback begins with the CFA by an argument. */
			if (row->cfa_reg != backend->sp && row->cfa_reg != backend->fp)
				continue;
			print_row(backend, &functions[i], row, wanted, sizeof(wanted));
			good = read_row(lines, &address, said, sizeof(said)) && !strcmp(said, wanted) &&
			       address == functions[i].start + row->code_off;
			if (!good)
				printf("# function %zu, row %zu: \"%s\", not \"%s\"\n", i, n, wanted, said);
			++*rows;
		}
	good = good && !read_row(lines, &address, said, sizeof(said));
	return pclose(lines) == 0 && good;
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static struct jf_image *compile(const struct jf_convention *conv, bool sign_return)
{
	static const struct jf_insn main_insns[] = {MOV_K(6, 1), CALL_FUNCTION(1), EXIT};
	static const struct jf_insn sub_insns[] = {MOV_K(7, 1), ST(DW, 10, -256, 0), CALL_HELPER(0), EXIT};
	static const struct jf_insn callback_insns[] = {MOV_X(0, 1), EXIT};
	static const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("sub", sub_insns),
						       FUNCTION("callback", callback_insns)};
	static const struct jf_import helper = {.name = "throw", .address = CODE_AT - 0x10000, .throws = true};
	static const struct jf_program program = {.size = sizeof(program),
						  .functions = functions,
						  .function_count = 3,
						  .callback = 2,
						  .helpers = &helper,
						  .helper_count = 1};
	const struct jf_compile_opts opts = {.size = sizeof(opts), .sign_return = sign_return};
	static uint8_t code[1 << 14];
	struct jf_image *image = NULL;

	if (jf_compile(conv, &program, &opts, code, sizeof(code), CODE_AT, &image, NULL) != JF_OK)
		return NULL;
	return image;
}

static size_t functions_of(const struct jf_image *image, struct jf_cfi_function *functions)
{
	for (uint32_t i = 0; i < image->function_count && i < FUNCTIONS_MAX; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);

		functions[i] = (struct jf_cfi_function){.start = image->address + f->start,
							.end = image->address + f->start + f->size_bytes,
							.rows = f->rows,
							.row_count = (uint32_t)f->row_count,
							.slots = f->frame->slots,
							.slot_count = (uint8_t)f->frame->slot_count};
	}
	return image->function_count;
}

static bool convention_reads_the_same(const struct jf_convention *conv, bool sign_return)
{
	struct jf_image *image = compile(conv, sign_return);
	struct jf_sframe_counts counts = {.size = sizeof(counts)};
	struct jf_cfi_function functions[FUNCTIONS_MAX];
	static uint8_t section[1 << 13];
	size_t size = sizeof(section), count;
	struct jf_error error = {0};
	uint32_t rows = 0;
	bool good;

	if (!image)
		return false;
	count = functions_of(image, functions);
	good = count <= FUNCTIONS_MAX &&
	       jf_sframe_write(conv->backend, functions, count, SECTION_AT, section, &size, &counts, &error) == JF_OK;
	good = good && write_file(conv->backend, section, size) &&
	       reads_the_same(conv->backend, functions, count, &rows);
	good = good && counts.functions == count && counts.rows == rows && counts.gaps == 1;
	if (!good)
		printf("# %s%s: %s %s, %u rows, %u gaps\n", conv->name, sign_return ? ", signed" : "", error.where,
		       error.text, rows, counts.gaps);
	jf_image_free(image);
	return good;
}

static void test_backend(const struct jf_backend *backend)
{
	bool good = true;

	for (unsigned int i = 0; i < backend->convention_count; i++) {
		const struct jf_convention *conv = backend->conventions[i];

		good &= convention_reads_the_same(conv, false);
		if (jf_convention_supports(conv, JF_CAP_SIGN_RETURN))
			good &= convention_reads_the_same(conv, true);
	}
	report(good, backend->name, "readelf_says_what_the_rows_say");
}

/* ---- what has no form ------------------------------------------------------------------------------------------ */

/* The second row and the last three leave gaps. */
static bool gaps_are_left_out(const struct jf_backend *backend)
{
	const struct jf_slot slots[] = {{.reg = backend->ra, .off_from_cfa = -8},
					{.reg = backend->fp, .off_from_cfa = -16}};
	const unsigned int ra = 1, both = 3, fp = 2;
	const struct jf_row rows[] = {
		{.code_off = 0, .cfa_reg = backend->sp, .cfa_off = 70000, .saved = both},
		{.code_off = 8, .cfa_reg = backend->sp, .flags = JF_ROW_UNKNOWN},
		{.code_off = 12, .cfa_reg = backend->fp, .cfa_off = 16, .saved = both},
		{.code_off = 300, .cfa_reg = backend->sp, .cfa_off = 200, .saved = ra},
		{.code_off = 304, .cfa_reg = backend->result, .saved = both},
		{.code_off = 308, .cfa_reg = backend->sp, .saved = ra, .flags = JF_ROW_REGS_LOST},
		{.code_off = 312, .cfa_reg = backend->sp, .saved = fp},
	};
	const struct jf_cfi_function whole = {.start = CODE_AT,
					      .end = CODE_AT + 400,
					      .rows = rows,
					      .row_count = COUNT_OF(rows),
					      .slots = slots,
					      .slot_count = COUNT_OF(slots)};
	const struct jf_cfi_function parts[] = {
		{.start = CODE_AT, .end = CODE_AT + 8, .rows = rows, .row_count = 1, .slots = slots, .slot_count = 2},
		{.start = CODE_AT,
		 .end = CODE_AT + 304,
		 .rows = rows + 2,
		 .row_count = 2,
		 .slots = slots,
		 .slot_count = 2}};
	struct jf_sframe_counts counts = {.size = sizeof(counts)};
	uint8_t section[256];
	size_t size = sizeof(section);
	uint32_t seen = 0;

	return jf_sframe_write(backend, &whole, 1, SECTION_AT, section, &size, &counts, NULL) == JF_OK &&
	       counts.functions == 2 && counts.rows == 3 && counts.gaps == 4 && write_file(backend, section, size) &&
	       reads_the_same(backend, parts, 2, &seen) && seen == 3;
}

static bool is_refused(const struct jf_backend *backend, const struct jf_cfi_function *functions, size_t count,
		       uint64_t address, enum jf_status wanted)
{
	uint8_t section[256];
	size_t size = sizeof(section);

	return jf_sframe_write(backend, functions, count, address, section, &size, NULL, NULL) == wanted &&
	       size == sizeof(section);
}

static bool wrong_input_is_refused(const struct jf_backend *backend)
{
	const struct jf_row rows[] = {{.cfa_reg = backend->sp}, {.cfa_reg = backend->sp, .code_off = 16}};
	const struct jf_cfi_function two[] = {
		{.start = CODE_AT, .end = CODE_AT + 16, .rows = rows, .row_count = 1},
		{.start = CODE_AT + 8, .end = CODE_AT + 24, .rows = rows, .row_count = 1}};
	struct jf_cfi_function late = two[0];
	struct jf_sframe_counts counts = {.size = 1};
	size_t size = 0;

	late.row_count = 2;
	return is_refused(backend, two, 2, SECTION_AT, JF_E_INVAL) && is_refused(backend, &late, 1, 0, JF_E_INVAL) &&
	       is_refused(backend, NULL, 1, 0, JF_E_INVAL) && is_refused(NULL, two, 1, 0, JF_E_INVAL) &&
	       (backend->ra_pushed || is_refused(backend, two, 1, UINT64_C(1) << 40, JF_E_RANGE)) &&
	       jf_sframe_write(backend, two, 0, 0, NULL, &size, &counts, NULL) == JF_E_INVAL &&
	       jf_sframe_write(backend, two, 0, 0, NULL, NULL, NULL, NULL) == JF_E_INVAL &&
	       jf_sframe_write(backend, two, 1, 0, NULL, &size, NULL, NULL) == JF_E_NOSPACE && size > 0;
}

static bool is_unsupported(const struct jf_backend *backend)
{
	size_t size = 0;

	return jf_sframe_write(backend, NULL, 0, 0, NULL, &size, NULL, NULL) == JF_E_UNSUPPORTED;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

/* Version 2 was judged by readelf 2.44. */
static bool readelf_is_new(void)
{
	unsigned int major = 0, minor = 0;
	char command[512], line[256] = "";
	FILE *version;

	snprintf(command, sizeof(command), "'%s' --version", readelf);
	version = popen(command, "r");
	if (!version || !fgets(line, sizeof(line), version))
		line[0] = '\0';
	if (version)
		pclose(version);
	return strrchr(line, ' ') && sscanf(strrchr(line, ' '), " %u.%u", &major, &minor) == 2 &&
	       (major > 2 || (major == 2 && minor >= 44));
}

int main(int argc, char **argv)
{
	const struct jf_backend *backend;
	bool is_new;

	readelf = argc > 1 ? argv[1] : "readelf";
	is_new = readelf_is_new();
	if (!is_new)
		printf("# left out: GNU readelf 2.44 or later\n");
	if (close(mkstemp(path)))
		return 1;
	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		if (!backend->sframe_abi) {
			report(is_unsupported(backend), backend->name, "is_unsupported");
			continue;
		}
		report(wrong_input_is_refused(backend), backend->name, "wrong_input_is_refused");
		if (is_new) {
			test_backend(backend);
			report(gaps_are_left_out(backend), backend->name, "gaps_are_left_out");
		}
	}
	unlink(path);
	printf("1..%u\n", test_count);
	return failed_count ? 1 : 0;
}
