/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/index.h"
#include "check.h"
#include "elf_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Libraries of all architectures, each converted as a whole and once more row by row, as walks do, and then compared
 * with what GNU readelf makes of the same bytes, row by row:
 *
 *     00001cf8 000000000000004c 00000058 FDE cie=00001ca4 pc=0000000000027500..0000000000027637
 *        LOC           CFA      rbx   rbp   ra
 *     0000000000027500 rsp+8    u     u     c-8
 *     0000000000027506 exp      u     c-16  c-8
 *
 * Of a function that changes nothing there is the first line alone; the row is its CIE's.
 *
 * u: no rule, or undefined; s: unchanged; c-16: saved at CFA - 16; v-16: is CFA - 16; exp, vexp; r9: is there.
 */

#define COLUMNS        80
#define CIES           64
#define LINE_MAX_BYTES 4096

struct columns {
	char name[COLUMNS][16];
	unsigned int count;
};

struct cie {
	uint64_t offset;
	unsigned int ra; /* its return address column, a DWARF number */
	struct columns columns;
	char row[LINE_MAX_BYTES];
};

struct compare {
	const struct jf_backend *backend;
	const struct jf_cfi_table *table;
	const char *path;
	bool in_section, in_fde, in_cie;
	struct cie cies[CIES];
	unsigned int cie_count;
	const struct cie *cie; /* of the function */
	uint64_t start, end;
	const struct jf_cfi_function *function; /* NULL: not in the table, as it was skipped */
	const struct jf_cfi_function *by;       /* this one, or the one row of it that was asked for */
	struct cfi_index index;                 /* count 0: the file has no search table */
	struct cfi_regs regs;
	struct columns columns;
	uint64_t row_at; /* address of the row that is kept here until the next one tells where it ends */
	char row[LINE_MAX_BYTES];
	bool has_row;
	bool has_linkage; /* rows of a linkage table, which readelf has as one expression */
	size_t functions, rows, unknown, starts;
};

/* ---- one row ------------------------------------------------------------------------------------------- */

/*
 * Backends and readelf do not agree on every name; "r22" is a DWARF number where it is no name. LoongArch's registers
 * are "r3" to readelf 2.40 and "$sp" to readelf 2.44.
 */
static uint8_t reg_of(const struct jf_backend *backend, const char *name, size_t length)
{
	if (name[0] == '$') {
		name++;
		length--;
	}
	for (uint8_t i = 0; i < backend->reg_count; i++)
		if (strlen(backend->regs[i].name) == length && memcmp(backend->regs[i].name, name, length) == 0)
			return i;
	for (uint8_t i = 0; i < backend->reg_count; i++) /* d8 is the low half of v8 */
		if (name[0] == 'v' && backend->regs[i].name[0] == 'd' && strlen(backend->regs[i].name) == length &&
		    memcmp(backend->regs[i].name + 1, name + 1, length - 1) == 0)
			return i;
	if (length == 2 && memcmp(name, "ra", 2) == 0)
		return backend->ra;
	for (uint8_t i = 0; i < backend->reg_count; i++)
		if (name[0] == 'r' && strtoul(name + 1, NULL, 10) == backend->regs[i].dw)
			return i;
	return JF_REG_NONE;
}

static bool matters(const struct jf_backend *backend, uint8_t reg)
{
	return reg != JF_REG_NONE &&
	       (backend->regs[reg].flags & JF_REG_CALLEE_SAVED || reg == backend->ra || reg == backend->sp);
}

/* The offset that the row has the register saved at. returns: false when it is not saved. */
static bool saved_off(const struct compare *c, const struct jf_row *row, uint8_t reg, int64_t *off)
{
	for (unsigned int i = 0; i < c->by->slot_count; i++) {
		if (row->saved & UINT32_C(1) << i && c->by->slots[i].reg == reg) {
			*off = c->by->slots[i].off_from_cfa;
			return true;
		}
	}
	return false;
}

/* returns: whether no row can say what the cell says. */
static bool check_cell(const struct compare *c, const struct jf_row *row, const char *column, const char *cell)
{
	uint8_t reg = reg_of(c->backend, column, strlen(column));
	int64_t off = 0;
	bool saved;

	if (reg == JF_REG_NONE)
		return false;
	saved = saved_off(c, row, reg, &off);
	if (cell[0] == 'c' && (cell[1] == '-' || cell[1] == '+')) {
		if (reg == c->backend->sp || (reg == c->backend->ra && strtoll(cell + 1, NULL, 10) >= 0))
			return true;
		CHECK(row->flags & JF_ROW_UNKNOWN || (saved && off == strtoll(cell + 1, NULL, 10)),
		      "%s: %" PRIx64 ": %s is %s, not at %" PRId64, c->path, c->row_at, column, cell, off);
		return false;
	}
	CHECK(!saved, "%s: %" PRIx64 ": %s is %s, and saved", c->path, c->row_at, column, cell);
	if (cell[0] == 'u' || cell[0] == 's' || cell[0] == 'n')
		return false;
	return matters(c->backend, reg);
}

static void check_cfa(const struct compare *c, const struct jf_row *row, const char *cfa)
{
	size_t length = strcspn(cfa, "+-");

	CHECK(cfa[length], "%s: %" PRIx64 ": %s", c->path, c->row_at, cfa);
	CHECK(row->cfa_reg == reg_of(c->backend, cfa, length) && row->cfa_off == strtoll(cfa + length, NULL, 10),
	      "%s: %" PRIx64 ": CFA is %s, not %s%+d", c->path, c->row_at, cfa, c->backend->regs[row->cfa_reg].name,
	      row->cfa_off);
}

/* Entries of 16 bytes on x86-64, whose second instruction of three is a push of 5 bytes from byte 6 on. */
static bool is_linkage(struct compare *c, const struct jf_row *row, uint64_t address)
{
	if (row->flags & JF_ROW_UNKNOWN)
		return false;
	c->has_linkage = true;
	CHECK(row->cfa_reg == c->backend->sp && row->cfa_off == (address % 16 >= 11 ? 16 : 8),
	      "%s: %" PRIx64 ": CFA is SP%+d in a linkage table", c->path, address, row->cfa_off);
	return true;
}

/* "r10 (r10)" is one cell. */
static const char *next_cell(char **rest)
{
	const char *cell = strtok_r(NULL, " \n", rest);

	return cell != NULL && cell[0] == '(' ? strtok_r(NULL, " \n", rest) : cell;
}

static void check_row_by(struct compare *c, const struct jf_cfi_function *by, uint64_t address)
{
	const struct jf_row *row = jf_row_find(by->rows, by->row_count, (uint32_t)(address - c->start));
	char line[LINE_MAX_BYTES], *rest = NULL;
	const char *cfa, *cell;
	bool unsayable;
	unsigned int saved = 0;

	c->by = by;
	CHECK(row, "%s: %" PRIx64 ": no row", c->path, address);
	strcpy(line, c->row);
	strtok_r(line, " \n", &rest);
	cfa = next_cell(&rest);
	CHECK(cfa, "%s: %" PRIx64 ": %s", c->path, address, c->row);
	if (strcmp(cfa, "exp") == 0 && is_linkage(c, row, address))
		return;
	unsayable = strcmp(cfa, "exp") == 0 || (c->cie && c->cie->ra != c->backend->regs[c->backend->ra].dw);
	for (unsigned int i = 0; i < c->columns.count; i++) {
		cell = next_cell(&rest);
		CHECK(cell, "%s: %" PRIx64 ": %s", c->path, address, c->row);
		unsayable |= check_cell(c, row, c->columns.name[i], cell);
		saved += cell[0] == 'c' &&
			 reg_of(c->backend, c->columns.name[i], strlen(c->columns.name[i])) != JF_REG_NONE;
	}
	CHECK(unsayable == !!(row->flags & JF_ROW_UNKNOWN), "%s: %" PRIx64 ": unknown", c->path, address);
	if (unsayable)
		return;
	check_cfa(c, row, cfa);
	CHECK(saved == (unsigned int)__builtin_popcount(row->saved), "%s: %" PRIx64 ": %u saved", c->path, address,
	      saved);
}

static void check_row_at(struct compare *c, uint64_t address)
{
	struct jf_cfi_room room;

	check_row_by(c, c->function, address);
	if (!c->index.count)
		return;
	CHECK_STATUS(jf_cfi_index_find(&c->index, &c->regs, address, &room), JF_OK, "%s: %" PRIx64, c->path, address);
	CHECK(room.function.start == c->start && room.function.end == c->function->end &&
		      room.function.flags == c->function->flags && room.function.row_count == 1,
	      "%s: %" PRIx64 ": another function", c->path, address);
	check_row_by(c, &room.function, address);
}

/* The row that was kept holds up to `end`. */
static void finish_row(struct compare *c, uint64_t end)
{
	const struct jf_row *row;

	if (!c->has_row || !c->function || c->row_at >= c->end || c->row_at >= end)
		return;
	check_row_at(c, c->row_at);
	if (end > c->end)
		end = c->end;
	check_row_at(c, end - 1);
	for (uint64_t address = c->row_at; c->has_linkage && address < end; address++)
		check_row_at(c, address);
	row = jf_row_find(c->function->rows, c->function->row_count, (uint32_t)(c->row_at - c->start));
	c->rows++;
	c->unknown += !!(row->flags & JF_ROW_UNKNOWN);
	c->starts += row->code_off == c->row_at - c->start;
}

static void keep_row(struct compare *c, uint64_t address, const char *line)
{
	c->row_at = address;
	c->has_row = true;
	strcpy(c->row, line);
}

static void finish_function(struct compare *c)
{
	if (c->in_fde && !c->has_row && c->cie) {
		c->columns = c->cie->columns;
		keep_row(c, c->start, c->cie->row);
	}
	finish_row(c, c->end);
	if (c->in_fde && c->function) {
		CHECK(c->starts == c->function->row_count || c->has_linkage,
		      "%s: %" PRIx64 ": %u rows, %zu of them readelf's", c->path, c->start, c->function->row_count,
		      c->starts);
		c->functions++;
	}
	c->in_fde = c->in_cie = c->has_row = c->has_linkage = false;
	c->starts = 0;
}

/* ---- the dump ------------------------------------------------------------------------------------------ */

static void begin_function(struct compare *c, const char *fde)
{
	uint64_t cie;

	CHECK(sscanf(fde, " FDE cie=%" SCNx64 " pc=%" SCNx64 "..%" SCNx64, &cie, &c->start, &c->end) == 3, "%s: %s",
	      c->path, fde);
	c->in_fde = true;
	c->columns.count = 0;
	c->cie = NULL;
	for (unsigned int i = 0; i < c->cie_count; i++)
		if (c->cies[i].offset == cie)
			c->cie = &c->cies[i];
	c->function = c->start == c->end ? NULL : jf_cfi_table_find(c->table, c->start);
	if (c->function && c->function->start != c->start)
		c->function = NULL;
	CHECK(c->function ? c->function->end == c->end : c->start == c->end, "%s: %" PRIx64 ": no function", c->path,
	      c->start);
}

static void begin_cie(struct compare *c, const char *line)
{
	const char *ra = strstr(line, " ra=");

	CHECK(c->cie_count < CIES, "%s", c->path);
	CHECK(ra, "%s: %s", c->path, line);
	c->cies[c->cie_count].offset = strtoull(line, NULL, 16);
	c->cies[c->cie_count].ra = (unsigned int)strtoul(ra + 4, NULL, 10);
	c->cie_count++;
	c->in_cie = true;
}

static void read_columns(struct columns *columns, char *line)
{
	char *rest = NULL, *word = strtok_r(line, " \n", &rest);

	word = strtok_r(NULL, " \n", &rest); /* CFA */
	columns->count = 0;
	while ((word = strtok_r(NULL, " \n", &rest)) != NULL && columns->count < COLUMNS)
		snprintf(columns->name[columns->count++], sizeof(columns->name[0]), "%s", word);
}

static void read_row(struct compare *c, const char *line)
{
	char *end;
	uint64_t address = strtoull(line, &end, 16);

	if (end != line + 16)
		return;
	if (c->in_cie) {
		strcpy(c->cies[c->cie_count - 1].row, line);
	} else if (c->in_fde) {
		finish_row(c, address);
		keep_row(c, address, line);
	}
}

static void read_line(struct compare *c, char *line)
{
	char *fde = strstr(line, " FDE ");

	if (strstr(line, "Contents of the") != NULL) {
		finish_function(c);
		c->in_section = strstr(line, ".eh_frame section") != NULL;
	} else if (!c->in_section) {
		return;
	} else if (fde != NULL || strstr(line, " CIE ") != NULL || strstr(line, "ZERO") != NULL) {
		finish_function(c);
		if (fde != NULL)
			begin_function(c, fde);
		else if (strstr(line, " CIE ") != NULL)
			begin_cie(c, line);
	} else if (strncmp(line, "   LOC", 6) == 0) {
		read_columns(c->in_cie ? &c->cies[c->cie_count - 1].columns : &c->columns, line);
	} else {
		read_row(c, line);
	}
}

static const char *reason(const struct jf_cfi_counts *counts)
{
	static char text[200];

	snprintf(text, sizeof(text),
		 "CFA expression %u, CFA register %u, expression %u, register %u, value %u, range %u, "
		 "column %u",
		 counts->unknown[0], counts->unknown[1], counts->unknown[2], counts->unknown[3], counts->unknown[4],
		 counts->unknown[5], counts->unknown[6]);
	return text;
}

static void compare_file(const char *path, struct elf_file *file)
{
	struct compare *c = calloc(1, sizeof(*c));
	const struct jf_cfi_counts *counts;
	struct jf_cfi_table *table;
	struct jf_error error = {0};
	char command[4200], line[LINE_MAX_BYTES];
	FILE *dump;

	CHECK_STATUS(jf_cfi_convert(file->backend, &file->section, path, &table, &error), JF_OK, "%s: %s: %s", path,
		     error.where, error.text);
	counts = jf_cfi_table_counts(table);
	c->backend = file->backend;
	c->table = table;
	jf_cfi_regs_fill(&c->regs, c->backend);
	CHECK(!file->hdr || jf_cfi_index_open(&c->index, c->backend, &file->section,
					      (struct cfi_reader){.start = file->hdr,
								  .at = file->hdr,
								  .end = file->hdr + file->hdr_bytes,
								  .address = file->hdr_address},
					      &c->regs),
	      "%s: the search table", path);
	c->path = path;
	snprintf(command, sizeof(command), "LC_ALL=C readelf --wide --debug-dump=frames-interp '%s' 2>/dev/null", path);
	dump = popen(command, "r");
	CHECK(dump, "%s", command);
	while (fgets(line, sizeof(line), dump) != NULL)
		read_line(c, line);
	finish_function(c);
	pclose(dump); /* warnings about what else is in the file make it fail */
	CHECK(c->functions == counts->functions, "%s: %zu functions of readelf's, %u", path, c->functions,
	      counts->functions);
	cr_log_info("%s %s: %u functions (%u skipped), %u rows, %zu of readelf's, %zu of them unknown (%s), %zu bytes",
		    file->backend->name, path, counts->functions, counts->functions_skipped, counts->rows, c->rows,
		    c->unknown, reason(counts), jf_cfi_table_bytes(table));
	jf_cfi_table_free(table);
	free(c);
}

Test(cfi_readelf, libraries, .timeout = 250)
{
	const char *path;
	unsigned int compared = 0, searched = 0;

	if (system("readelf --version >/dev/null 2>&1") != 0)
		cr_skip_test("no readelf");
	for (size_t i = 0; (path = elf_library(i)) != NULL; i++) {
		struct elf_file file;

		CHECK(elf_file_read(&file, path), "%s", path);
		if (file.backend && file.section.size_bytes) {
			compare_file(path, &file);
			compared++;
			searched += file.hdr != NULL;
		}
		elf_file_free(&file);
	}
	cr_assert_gt(compared, 0);
	cr_assert_gt(searched, 0);
}
