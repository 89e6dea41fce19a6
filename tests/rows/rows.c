/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "elf_file.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jitframe/check.h>
#include <jitframe/rows.h>

/*
 * The library's verifier, on frames that jitframe emits: with the emitter's rows, with each of those made wrong, with
 * rows that were derived and written. On damaged code and rows of real libraries it has to answer, and to read nothing
 * else (each input lies in an allocation of its own, for the address sanitizer).
 */

#define CODE_BYTES 4096
#define ROWS_MAX   256

struct emitted {
	uint8_t bytes[CODE_BYTES];
	struct jf_row rows[ROWS_MAX];
	struct jf_code code;
	struct jf_frame frame;
	struct jf_rows_input input;
};

/* A function without a body, whose callers are C: false where the convention has none like that. */
static bool emit(struct emitted *e, const struct jf_convention *conv, enum jf_role role, uint32_t stack)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = role;
	spec.bpf_stack_bytes = stack;
	spec.bpf_regs_used = 1u << JF_BPF_R6 | 1u << JF_BPF_R7;
	if (jf_frame_solve(conv, &spec, &e->frame, NULL) != JF_OK)
		return false;
	jf_code_init(&e->code, e->bytes, sizeof(e->bytes), 0x10000, e->rows, ROWS_MAX);
	CHECK_STATUS(jf_frame_emit(&e->code, &e->frame, JF_PART_ALL, NULL), JF_OK, "%s", conv->name);
	e->input = (struct jf_rows_input)JF_ROWS_INPUT_INIT;
	e->input.backend = conv->backend;
	e->input.bytes = e->bytes;
	e->input.byte_count = e->code.size;
	e->input.address = 0x10000;
	e->input.rows = e->rows;
	e->input.row_count = e->code.row_count;
	e->input.slots = e->frame.slots;
	e->input.slot_count = e->frame.slot_count;
	return true;
}

static struct jf_rows_report verify(const struct jf_rows_input *input)
{
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_error error = {0};

	CHECK_STATUS(jf_rows_verify(input, &report, &error), JF_OK, "%s: %s", error.where, error.text);
	CHECK(report.verdict < JF_ROWS__COUNT && report.about < JF_ROWS_ABOUT__COUNT, "%u", report.verdict);
	CHECK((report.verdict == JF_ROWS_TRUE) == (report.code_off == JF_ROWS_NO_OFF), "%s", report.text);
	CHECK((report.verdict == JF_ROWS_TRUE) == !report.text[0], "%s", report.text);
	return report;
}

/* Each number of each row, one at a time: the first lie is in the code that the row holds at. */
static void make_wrong(struct emitted *e)
{
	for (size_t i = 0; i < e->input.row_count; i++) {
		struct jf_row right = e->rows[i];
		uint32_t end = i + 1 < e->input.row_count ? e->rows[i + 1].code_off : (uint32_t)e->input.byte_count;

		for (unsigned int bit = 0; bit <= e->frame.slot_count; bit++) {
			struct jf_rows_report report;

			if (bit == e->frame.slot_count)
				e->rows[i].cfa_off += 8;
			else if (right.saved >> bit & 1)
				e->rows[i].saved &= ~(UINT32_C(1) << bit);
			else
				continue;
			/* A caller's register that is saved and still in its place is where either row says. */
			report = verify(&e->input);
			CHECK(bit < e->frame.slot_count || i == 0 || report.verdict == JF_ROWS_UNTRUE, "row %zu: %s", i,
			      report.text);
			CHECK(report.verdict == JF_ROWS_TRUE ||
				      (report.code_off >= right.code_off && report.code_off < end),
			      "row %zu, slot %u: %s", i, bit, report.text);
			e->rows[i] = right;
		}
	}
}

/* Derived rows are true, and as an .eh_frame they are the same. */
static void make_and_write(struct emitted *e)
{
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	static struct jf_row rows[ROWS_MAX];
	size_t row_count = ROWS_MAX, slot_count = JF_FRAME_SLOTS_MAX;
	static uint8_t section[1 << 16];
	struct jf_cfi_writer writer;
	struct jf_cfi_section cfi = {.size = sizeof(cfi), .bytes = section, .address = 0x20000};
	struct jf_rows_input input = e->input;
	struct jf_cfi_table *table;
	const struct jf_cfi_function *function;

	CHECK_STATUS(jf_rows_make(&input, rows, &row_count, slots, &slot_count, NULL), JF_OK, "%s",
		     e->frame.conv->name);
	input.rows = rows;
	input.row_count = row_count;
	input.slots = slots;
	input.slot_count = (uint8_t)slot_count;
	CHECK(verify(&input).verdict == JF_ROWS_TRUE, "%s", verify(&input).text);
	CHECK_STATUS(jf_cfi_writer_init(&writer, input.backend, section, sizeof(section), 0x20000), JF_OK, "init");
	CHECK_STATUS(jf_cfi_write_rows(&writer, input.address, input.address + input.byte_count, rows, row_count, slots,
				       (unsigned int)slot_count, NULL),
		     JF_OK, "rows");
	CHECK_STATUS(jf_cfi_write_end(&writer), JF_OK, "end");
	cfi.size_bytes = writer.size;
	CHECK_STATUS(jf_cfi_convert(input.backend, &cfi, "", &table, NULL), JF_OK, "%s", e->frame.conv->name);
	function = jf_cfi_table_at(table, 0);
	CHECK(function && function->start == input.address && function->end == input.address + input.byte_count, "%zu",
	      writer.size);
	input.rows = function->rows;
	input.row_count = function->row_count;
	input.slots = function->slots;
	input.slot_count = function->slot_count;
	CHECK(input.row_count == row_count && verify(&input).verdict == JF_ROWS_TRUE, "%s", verify(&input).text);
	jf_cfi_table_free(table);
}

static void each_frame(void (*look)(struct emitted *e))
{
	static struct emitted e;
	const struct jf_backend *backend;
	unsigned int count = 0;

	for (size_t b = 0; (backend = jf_backend_at(b)); b++) {
		for (unsigned int c = 0; backend->decode && c < backend->convention_count; c++) {
			for (unsigned int n = 0; n < 4; n++) {
				if (!emit(&e, backend->conventions[c], n % 2 ? JF_ROLE_BOUNDARY : JF_ROLE_MAIN,
					  n / 2 * 64))
					continue;
				CHECK(verify(&e.input).verdict == JF_ROWS_TRUE, "%s/%s: %s", backend->name,
				      backend->conventions[c]->name, verify(&e.input).text);
				look(&e);
				count++;
			}
		}
	}
	CHECK(count, "no frame was emitted");
}

Test(rows, of_the_emitter_are_true_and_others_are_not)
{
	each_frame(make_wrong);
}

Test(rows, derived_and_written_are_true)
{
	each_frame(make_and_write);
}

/* ---- real libraries ---------------------------------------------------------------------------------------- */

static const uint8_t *code_of(const struct elf_file *file, const struct jf_cfi_function *function)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)file->bytes;
	const Elf64_Phdr *segment = (const Elf64_Phdr *)(const void *)(file->bytes + header->e_phoff);

	for (unsigned int i = 0; i < header->e_phnum; i++, segment++)
		if (segment->p_type == PT_LOAD && segment->p_flags & PF_X && function->start >= segment->p_vaddr &&
		    function->end <= segment->p_vaddr + segment->p_filesz)
			return file->bytes + segment->p_offset + (function->start - segment->p_vaddr);
	return NULL;
}

typedef void look_fn(const struct jf_rows_input *input, struct rng *rng);

static void each_function(size_t step, look_fn *look)
{
	const struct jf_cfi_function *function;
	struct rng rng = {7};
	const char *path;

	for (size_t i = 0; (path = elf_library(i)); i++) {
		struct jf_cfi_table *table = NULL;
		struct elf_file file;

		CHECK(elf_file_read(&file, path), "%s", path);
		if (file.backend && file.section.size_bytes)
			CHECK_STATUS(jf_cfi_convert(file.backend, &file.section, path, &table, NULL), JF_OK, "%s",
				     path);
		for (size_t k = 0; table && (function = jf_cfi_table_at(table, k)); k += step) {
			struct jf_rows_input input = JF_ROWS_INPUT_INIT;

			input.backend = file.backend;
			input.bytes = code_of(&file, function);
			input.byte_count = (size_t)(function->end - function->start);
			input.address = function->start;
			input.rows = function->rows;
			input.row_count = function->row_count;
			input.slots = function->slots;
			input.slot_count = function->slot_count;
			if (input.bytes)
				look(&input, &rng);
		}
		jf_cfi_table_free(table);
		elf_file_free(&file);
	}
}

/* What is derived may be unknown in places, and is nowhere a lie. */
static void derive(const struct jf_rows_input *in, struct rng *rng)
{
	struct jf_slot slots[JF_FRAME_SLOTS_MAX];
	struct jf_rows_input input = *in;
	size_t row_count = in->byte_count + 1, slot_count = JF_FRAME_SLOTS_MAX;
	struct jf_row *rows = malloc(row_count * sizeof(*rows));
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;

	(void)rng;
	CHECK_STATUS(jf_rows_make(in, rows, &row_count, slots, &slot_count, NULL), JF_OK, "%" PRIx64, in->address);
	input.rows = rows;
	input.row_count = row_count;
	input.slots = slots;
	input.slot_count = (uint8_t)slot_count;
	report = verify(&input);
	CHECK(report.verdict != JF_ROWS_UNTRUE, "%" PRIx64 ": %s", in->address, report.text);
	free(rows);
}

Test(rows, derived_of_libraries_are_no_lies, .timeout = 250)
{
	each_function(7, derive);
}

static void *copy(const void *from, size_t bytes)
{
	void *to = malloc(bytes ? bytes : 1);

	if (bytes)
		memcpy(to, from, bytes);
	return to;
}

static void damage(const struct jf_rows_input *in, struct rng *rng)
{
	struct jf_rows_input input = *in;
	uint8_t *bytes = copy(in->bytes, in->byte_count);
	struct jf_row *rows = copy(in->rows, in->row_count * sizeof(*rows));
	struct jf_slot *slots = copy(in->slots, in->slot_count * sizeof(*slots));
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_error error = {0};
	struct jf_slot own[JF_FRAME_SLOTS_MAX];
	size_t row_count, slot_count = JF_FRAME_SLOTS_MAX;
	struct jf_row *made;
	enum jf_status status;

	for (unsigned int i = 0; i < 1 + rng_below(rng, 8); i++)
		bytes[rng_below(rng, (uint32_t)in->byte_count)] = (uint8_t)rng_next(rng);
	for (unsigned int i = 0; i < rng_below(rng, 3); i++)
		((uint8_t *)rows)[rng_below(rng, (uint32_t)(in->row_count * sizeof(*rows)))] ^= 1u << rng_below(rng, 8);
	if (in->slot_count && rng_below(rng, 2))
		((uint8_t *)slots)[rng_below(rng, (uint32_t)(in->slot_count * sizeof(*slots)))] =
			(uint8_t)rng_next(rng);
	input.bytes = bytes;
	input.rows = rows;
	input.slots = slots;
	status = jf_rows_verify(&input, &report, &error);
	CHECK(status == JF_OK || (status == JF_E_INVAL && error.where[0] && error.text[0]), "%s",
	      jf_status_name(status));
	row_count = in->byte_count + 1;
	made = malloc(row_count * sizeof(*made));
	CHECK_STATUS(jf_rows_make(&input, made, &row_count, own, &slot_count, NULL), JF_OK, "%" PRIx64, in->address);
	free(made);
	free(slots);
	free(rows);
	free(bytes);
}

Test(rows, damaged_libraries, .timeout = 250)
{
	each_function(29, damage);
}

/* ---- input -------------------------------------------------------------------------------------------------- */

static void refused(const struct jf_rows_input *input, enum jf_status wanted, const char *where)
{
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_error error = {0};

	CHECK_STATUS(jf_rows_verify(input, &report, &error), wanted, "%s", where);
	CHECK(strcmp(error.where, where) == 0 && error.text[0], "%s: %s", error.where, error.text);
}

Test(rows, input_is_held_to_its_description)
{
	static struct emitted e;
	const struct jf_backend *backend = jf_backend_at(0);
	struct jf_backend blind = *backend;
	const uint32_t outside = CODE_BYTES;
	struct jf_rows_report report = JF_ROWS_REPORT_INIT;
	struct jf_rows_input input;
	struct jf_row row;
	size_t none = 0;

	CHECK(emit(&e, backend->conventions[0], JF_ROLE_MAIN, 0), "%s", backend->name);
	CHECK_STATUS(jf_rows_verify(NULL, &report, NULL), JF_E_INVAL, "no input");
	CHECK_STATUS(jf_rows_verify(&e.input, NULL, NULL), JF_E_INVAL, "no report");
	CHECK_STATUS(jf_rows_make(&e.input, NULL, &none, NULL, &none, NULL), JF_E_NOSPACE, "no room");
	CHECK(none, "the counts that are needed");
#define REFUSED(change, status, where)          \
	do {                                    \
		input = e.input;                \
		change;                         \
		refused(&input, status, where); \
	} while (0)
	blind.decode = NULL;
	REFUSED(input.size = 4, JF_E_INVAL, "size");
	REFUSED(input.backend = NULL, JF_E_INVAL, "backend");
	REFUSED(input.backend = &blind, JF_E_UNSUPPORTED, "backend");
	REFUSED(input.bytes = NULL, JF_E_INVAL, "bytes");
	REFUSED(input.byte_count = 0, JF_E_INVAL, "bytes");
	REFUSED(input.byte_count = JF_CHECK_BYTES_MAX + 1, JF_E_INVAL, "bytes");
	REFUSED(input.rows = NULL, JF_E_INVAL, "rows");
	REFUSED(input.slots = NULL, JF_E_INVAL, "rows");
	REFUSED(input.slot_count = 33, JF_E_INVAL, "slots");
	REFUSED(input.slot_count = 0, JF_E_INVAL, "rows");
	REFUSED((input.jump_targets = &outside, input.jump_target_count = 1), JF_E_INVAL, "jump_targets");
	REFUSED(input.jump_target_count = 1, JF_E_INVAL, "jump_targets");
	REFUSED((input.entries = &outside, input.entry_count = 1), JF_E_INVAL, "entries");
	REFUSED(input.unlinked_count = 1, JF_E_INVAL, "unlinked");
	row = e.rows[0];
	e.rows[0].code_off = e.rows[1].code_off + 1;
	REFUSED((void)0, JF_E_INVAL, "rows");
	e.rows[0] = row;
	e.rows[0].cfa_reg = JF_REGS_MAX;
	REFUSED((void)0, JF_E_INVAL, "rows");
	e.rows[0] = row;
}

/* Without rows nothing is decided; verdicts have names. */
Test(rows, no_rows)
{
	static struct emitted e;

	CHECK(emit(&e, jf_backend_at(0)->conventions[0], JF_ROLE_MAIN, 0), "%s", jf_backend_at(0)->name);
	e.input.row_count = 0;
	CHECK(verify(&e.input).verdict == JF_ROWS_UNDECIDED, "%s", verify(&e.input).text);
	CHECK(strcmp(jf_rows_verdict_name(JF_ROWS_UNTRUE), "untrue") == 0, "a name");
	CHECK(strcmp(jf_rows_verdict_name(JF_ROWS__COUNT), "?") == 0, "no name");
}
