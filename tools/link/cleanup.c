/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Clean-up pads: which calls have which, from the records of .bpf_cleanup and from UNWIND instructions, the other
 * spelling of a record. Compilers write records in no order. What a table may say is jf_compile()'s to judge, by
 * function; here each record comes to be one function's.
 */

#define RECORD_BYTES 12 /* u32 start, end, pad: bytes of their code section */

/* Linux's draft: off = pad, from the next instruction on; names the pad of the call right before. */
#define INSN_UNWIND 0xfd
#define INSN_GOTO   0x05

static void add(struct link *link, uint32_t function, struct jf_cleanup record)
{
	link->cleanups[link->cleanup_count++] = (struct link_cleanup){function, record};
}

/* ---- records -------------------------------------------------------------------------------------------- */

static enum jf_status bad_record(struct link *link, uint32_t number, const char *what)
{
	return link_fail(link, JF_E_BAD_IMAGE, CLEANUP_SECTION, "cleanup record %u: %s", number, what);
}

/* A place in code: what one of a record's words says. */
struct place {
	uint32_t section;
	uint64_t off; /* bytes */
};

static enum jf_status read_place(struct link *link, const struct section *table, uint32_t off, struct place *place)
{
	const struct reloc *reloc = section_reloc(table, off);
	const struct symbol *symbol;
	uint32_t addend;

	if (!reloc)
		return link_fail(link, JF_E_BAD_IMAGE, CLEANUP_SECTION, "byte 0x%x: no relocation to code", off);
	if (reloc->type != RELOC_ABS32 && reloc->type != RELOC_NODYLD32)
		return link_fail(link, JF_E_BAD_IMAGE, CLEANUP_SECTION,
				 "byte 0x%x: no relocation to code: its type is %u, not %u or %u", off, reloc->type,
				 RELOC_ABS32, RELOC_NODYLD32);
	symbol = &link->object.symbols[reloc->symbol];
	if (symbol->section == 0 || !section_is_code(&link->object.sections[symbol->section]))
		return link_fail(link, JF_E_BAD_IMAGE, CLEANUP_SECTION, "byte 0x%x: no relocation to code: %s is none",
				 off, symbol->name[0] ? symbol->name : "its symbol");
	memcpy(&addend, table->bytes + off, sizeof(addend));
	*place = (struct place){symbol->section, symbol->value + addend};
	if (place->off % 8)
		return link_fail(link, JF_E_BAD_IMAGE, CLEANUP_SECTION,
				 "cleanup record %u: 0x%" PRIx64 " is no instruction", off / RECORD_BYTES, place->off);
	return JF_OK;
}

static enum jf_status read_record(struct link *link, const struct section *table, uint32_t number)
{
	struct place at[3]; /* start, end, pad */
	const struct link_function *f;
	int32_t function;

	for (uint32_t i = 0; i < 3; i++) {
		enum jf_status status = read_place(link, table, number * RECORD_BYTES + 4 * i, &at[i]);

		if (status != JF_OK)
			return status;
	}
	if (at[0].section == at[1].section && at[0].off >= at[1].off)
		return bad_record(link, number, "empty");
	/* The end of a call that ends its function is the next function's start. */
	function = link_function_around(link, at[0].section, at[0].off / 8);
	if (function < 0 || at[1].section != at[0].section ||
	    link_function_around(link, at[1].section, at[1].off / 8 - 1) != function ||
	    link_function_around(link, at[2].section, at[2].off / 8) != function)
		return bad_record(link, number, "not in one function");
	f = &link->functions[function];
	add(link, (uint32_t)function,
	    (struct jf_cleanup){(uint32_t)(at[0].off / 8) - f->first, (uint32_t)(at[1].off / 8) - f->first,
				(uint32_t)(at[2].off / 8) - f->first});
	return JF_OK;
}

static enum jf_status read_table(struct link *link, const struct section *table)
{
	enum jf_status status = JF_OK;

	if (table->size % RECORD_BYTES || (table->size && !table->bytes))
		return link_fail(link, JF_E_BAD_IMAGE, CLEANUP_SECTION, "%" PRIu64 " bytes are no whole records",
				 table->size);
	for (uint32_t i = 0; status == JF_OK && i < table->size / RECORD_BYTES; i++)
		status = read_record(link, table, i);
	return status;
}

/* ---- UNWIND --------------------------------------------------------------------------------------------- */

static bool is_resume(const struct link *link, const struct jf_insn *insn)
{
	struct jf_import kfunc;

	return jf_insn_src(insn) == JF_SRC_KFUNC && insn->imm >= 0 && (uint32_t)insn->imm < link->kfunc_count &&
	       bundle_kfunc(link->kfuncs[insn->imm].name, &kfunc) >= 0 && kfunc.resumes;
}

/* `before`: the instruction before; NULL: there is none. */
static void read_unwind(struct link *link, uint32_t function, uint32_t i, const struct jf_insn *before)
{
	struct link_function *f = &link->functions[function];
	struct jf_insn *insn = &f->insns[i];
	int64_t pad = (int64_t)i + 1 + insn->off;

	if (insn->regs || insn->imm)
		link_refuse(f, JF_E_BAD_IMAGE, i, "unwind: a reserved field is not zero");
	else if (!before || before->opcode != JF_INSN_CALL)
		link_refuse(f, JF_E_BAD_IMAGE, i, "unwind: it is not behind a call");
	else if (is_resume(link, before))
		link_refuse(f, JF_E_BAD_IMAGE, i, "unwind: it is behind a resume, which takes no pad");
	else if (pad < 0 || pad >= f->insn_count)
		link_refuse(f, JF_E_BAD_IMAGE, i, "unwind: its pad, %" PRId64 ", is not in the function", pad);
	else
		add(link, function, (struct jf_cleanup){i - 1, i, (uint32_t)pad});
	/* Run into, it does nothing. */
	*insn = (struct jf_insn){.opcode = INSN_GOTO};
}

static void read_unwinds(struct link *link, uint32_t function)
{
	struct link_function *f = &link->functions[function];
	const struct jf_insn *before = NULL;

	for (uint32_t i = 0; i < f->insn_count; i++) {
		struct jf_insn *insn = &f->insns[i];

		if (insn->opcode == INSN_UNWIND)
			read_unwind(link, function, i, before);
		if (insn->opcode == JF_INSN_LDDW)
			i++;
		before = insn;
	}
}

/* ---- all of them ---------------------------------------------------------------------------------------- */

static int compare_cleanups(const void *a, const void *b)
{
	const struct link_cleanup *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return (x->record.start > y->record.start) - (x->record.start < y->record.start);
}

/* How many records there may be. */
static size_t count_all(const struct link *link)
{
	size_t count = 0;

	for (uint32_t i = 1; i < link->object.section_count; i++)
		if (section_is_cleanup(&link->object.sections[i]) && link->object.sections[i].bytes)
			count += link->object.sections[i].size / RECORD_BYTES;
	for (uint32_t i = 0; i < link->function_count; i++)
		for (uint32_t k = 0; k < link->functions[i].insn_count; k++)
			count += link->functions[i].insns[k].opcode == INSN_UNWIND;
	return count;
}

enum jf_status link_cleanups_collect(struct link *link)
{
	enum jf_status status = JF_OK;

	link->cleanups = calloc(count_all(link) + 1, sizeof(*link->cleanups));
	if (!link->cleanups)
		return link_fail(link, JF_E_NO_MEMORY, CLEANUP_SECTION, "no memory");
	for (uint32_t i = 1; status == JF_OK && i < link->object.section_count; i++)
		if (section_is_cleanup(&link->object.sections[i]))
			status = read_table(link, &link->object.sections[i]);
	for (uint32_t i = 0; status == JF_OK && i < link->function_count; i++)
		read_unwinds(link, i);
	qsort(link->cleanups, link->cleanup_count, sizeof(*link->cleanups), compare_cleanups);
	for (uint32_t i = 0; i < link->cleanup_count; i++)
		link->functions[link->cleanups[i].function].cleanup_count++;
	return status;
}
