/* SPDX-License-Identifier: BSD-2-Clause */
/* Picking a program from an open bundle. libc only, as bundle.c. */
#include "bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- picking one program ------------------------------------------------------------------------ */

/* The functions found so far, in the order in which they are visited, and the way back. */
struct reach {
	const struct bundle *bundle;
	uint32_t *list;  /* bundle function indexes */
	uint32_t *place; /* bundle function index -> place in list, plus 1; 0: not reached */
	uint32_t count;
	struct jf_error *error;
};

static void reach_function(struct reach *r, uint32_t function)
{
	if (r->place[function] != 0)
		return;
	r->list[r->count++] = function;
	r->place[function] = r->count;
}

static enum jf_status reach_callees(struct reach *r, uint32_t function)
{
	const struct bundle_function *f = &r->bundle->functions[function];
	const struct jf_insn *insns = r->bundle->insns + f->insn_start;

	for (uint32_t i = 0; i < f->insn_count; i++) {
		if (jf_insn_names_function(&insns[i])) {
			uint32_t target = (uint32_t)insns[i].imm;

			if (target >= r->bundle->count[BUNDLE_FUNCTIONS])
				return jf_error_set(r->error, JF_E_BAD_IMAGE, r->bundle->strings + f->name,
						    "instruction %u: function %u is not in the bundle", i, target);
			reach_function(r, target);
		}
		if (insns[i].opcode == JF_INSN_LDDW)
			i++; /* the second half is no instruction of its own */
	}
	return JF_OK;
}

/* Copies function `place` of the list to `insns`, renumbering what it refers to. */
static void copy_function(const struct reach *r, uint32_t place, struct jf_function *function, struct jf_insn *insns)
{
	const struct bundle_function *f = &r->bundle->functions[r->list[place]];

	*function = (struct jf_function){r->bundle->strings + f->name, insns, f->insn_count};
	if (f->insn_count > 0)
		memcpy(insns, r->bundle->insns + f->insn_start, f->insn_count * sizeof(*insns));
	for (uint32_t i = 0; i < f->insn_count; i++) {
		if (jf_insn_names_function(&insns[i]))
			insns[i].imm = (int32_t)(r->place[(uint32_t)insns[i].imm] - 1);
		if (insns[i].opcode == JF_INSN_LDDW)
			i++;
	}
}

/* returns: how many lines there are. */
static uint32_t copy_lines(const struct bundle *bundle, const struct bundle_function *f, struct jf_source_lines *table,
			   struct jf_source_line *lines)
{
	for (uint32_t i = 0; i < f->line_count; i++) {
		const struct bundle_line *from = &bundle->lines[f->line_start + i];
		const char *text = bundle->strings + from->text;

		lines[i] = (struct jf_source_line){.insn = from->insn,
						   .line = from->line,
						   .column = from->column,
						   .file = bundle->strings + from->file,
						   .text = text[0] ? text : NULL};
	}
	*table = (struct jf_source_lines){lines, f->line_count};
	return f->line_count;
}

static struct jf_cleanups cleanups_of(const struct bundle *bundle, const struct bundle_function *f)
{
	return (struct jf_cleanups){f->cleanup_count ? bundle->cleanups + f->cleanup_start : NULL, f->cleanup_count};
}

static enum jf_status copy_selection(const struct reach *r, int32_t callback, struct bundle_selection *selection)
{
	struct bundle_selection s = {.bundle_function = r->list};
	size_t insn_count = 0, line_count = 0, cleanup_count = 0;

	for (uint32_t i = 0; i < r->count; i++) {
		insn_count += r->bundle->functions[r->list[i]].insn_count;
		line_count += r->bundle->functions[r->list[i]].line_count;
	}
	s.functions = calloc(r->count, sizeof(*s.functions));
	s.insns = calloc(insn_count ? insn_count : 1, sizeof(*s.insns));
	s.tables = calloc(r->count, sizeof(*s.tables));
	s.lines = calloc(line_count ? line_count : 1, sizeof(*s.lines));
	s.cleanups = calloc(r->count, sizeof(*s.cleanups));
	if (!s.functions || !s.insns || !s.tables || !s.lines || !s.cleanups) {
		s.bundle_function = NULL; /* the caller's until all is well */
		bundle_selection_free(&s);
		return jf_error_set(r->error, JF_E_NO_MEMORY, "bundle", "no memory for a program");
	}

	insn_count = line_count = 0;
	for (uint32_t i = 0; i < r->count; i++) {
		copy_function(r, i, &s.functions[i], s.insns + insn_count);
		insn_count += s.functions[i].insn_count;
		line_count +=
			copy_lines(r->bundle, &r->bundle->functions[r->list[i]], &s.tables[i], s.lines + line_count);
		s.cleanups[i] = cleanups_of(r->bundle, &r->bundle->functions[r->list[i]]);
		cleanup_count += s.cleanups[i].count;
	}
	s.program.size = sizeof(s.program);
	s.program.functions = s.functions;
	s.program.lines = line_count ? s.tables : NULL;
	s.program.cleanups = cleanup_count ? s.cleanups : NULL;
	s.program.function_count = r->count;
	s.program.callback = callback < 0 ? -1 : (int32_t)(r->place[callback] - 1);
	*selection = s;
	return JF_OK;
}

enum jf_status bundle_select(const struct bundle *bundle, uint32_t program, struct bundle_selection *selection,
			     struct jf_error *error)
{
	struct reach r = {.bundle = bundle, .error = error};
	const struct bundle_program *p;
	enum jf_status status = JF_OK;

	if (program >= bundle->count[BUNDLE_PROGRAMS])
		return jf_error_set(error, JF_E_INVAL, "bundle", "there is no program %u", program);
	p = &bundle->programs[program];

	r.list = calloc(bundle->count[BUNDLE_FUNCTIONS], sizeof(*r.list));
	r.place = calloc(bundle->count[BUNDLE_FUNCTIONS], sizeof(*r.place));
	if (!r.list || !r.place) {
		status = jf_error_set(error, JF_E_NO_MEMORY, "bundle", "no memory for a program");
	} else {
		reach_function(&r, p->main);
		if (p->callback >= 0)
			reach_function(&r, (uint32_t)p->callback);
		for (uint32_t i = 0; status == JF_OK && i < r.count; i++)
			status = reach_callees(&r, r.list[i]);
		if (status == JF_OK)
			status = copy_selection(&r, p->callback, selection);
	}
	free(r.place);
	if (status != JF_OK)
		free(r.list);
	return status;
}

void bundle_selection_free(struct bundle_selection *selection)
{
	free(selection->functions);
	free(selection->insns);
	free(selection->tables);
	free(selection->lines);
	free(selection->cleanups);
	free(selection->bundle_function);
	memset(selection, 0, sizeof(*selection));
}

/* ---- finding one by name ------------------------------------------------------------------------ */

enum jf_status bundle_find(const struct bundle *bundle, const char *name, uint32_t *program, struct jf_error *error)
{
	uint32_t count = bundle->count[BUNDLE_PROGRAMS];

	if (count == 0)
		return jf_error_set(error, JF_E_NOT_FOUND, name ? name : "bundle", "there are no programs");
	if (!name && count == 1) {
		*program = 0;
		return JF_OK;
	}
	for (uint32_t i = 0; name && i < count; i++) {
		if (strcmp(bundle->strings + bundle->programs[i].name, name) == 0) {
			*program = i;
			return JF_OK;
		}
	}
	if (!name)
		return jf_error_set(error, JF_E_NOT_FOUND, "program", "which one? There are %u", count);
	return jf_error_set(error, JF_E_NOT_FOUND, name, "no such program");
}
