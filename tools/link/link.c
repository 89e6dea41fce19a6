/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- refusing ----------------------------------------------------------------------------------- */

enum jf_status link_fail(struct link *link, enum jf_status status, const char *where, const char *fmt, ...)
{
	char text[sizeof(link->error->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return jf_error_set(link->error, status, where, "%s", text);
}

void link_refuse(struct link_function *function, enum jf_status status, int64_t insn, const char *fmt, ...)
{
	struct jf_error *refused = &function->refused;
	char place[40] = "";
	char text[sizeof(refused->text) - sizeof(place)];
	va_list args;

	if (refused->status != JF_OK)
		return;
	if (insn >= 0)
		snprintf(place, sizeof(place), "instruction %lld: ", (long long)insn);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)jf_error_set(refused, status, function->name, "%s%s", place, text);
}

/* ---- what has to link --------------------------------------------------------------------------- */

/* Functions still to be looked at, each at most once. */
struct reach {
	struct link *link;
	uint32_t *list;
	uint32_t count;
};

static void need(struct reach *r, uint32_t function)
{
	if (r->link->functions[function].needed)
		return;
	r->link->functions[function].needed = true;
	r->list[r->count++] = function;
}

static void need_callees(struct reach *r, const struct link_function *function)
{
	for (uint32_t i = 0; i < function->insn_count; i++) {
		const struct jf_insn *insn = &function->insns[i];

		if (jf_insn_names_function(insn))
			need(r, (uint32_t)insn->imm);
		if (insn->opcode == JF_INSN_LDDW)
			i++;
	}
	if (function->callback >= 0)
		need(r, (uint32_t)function->callback);
}

/* What the static slots of a program array hold is run by whoever has the array. */
static void need_slots(struct reach *r, const struct link_function *function)
{
	for (uint32_t i = 0; i < function->insn_count; i++) {
		const struct jf_insn *insn = &function->insns[i];

		if (insn->opcode != JF_INSN_LDDW)
			continue;
		for (uint32_t k = 0; insn->regs >> 4 == JF_SRC_MAP && k < r->link->init_count; k++) {
			const struct bundle_init *init = &r->link->inits[k];

			if (init->map == (uint32_t)insn->imm && init->kind == BUNDLE_INIT_PROGRAM_SLOT)
				need(r, r->link->programs[init->target]);
		}
		i++;
	}
}

static bool is_wanted(const struct link *link, const struct link_function *function, const char *program)
{
	if (program)
		return strcmp(function->name, program) == 0;
	return link->object.sections[function->section].name[0] != '?';
}

/* Everything that the wanted programs reach has to be linked. */
static enum jf_status check_needed(struct link *link, const char *program)
{
	struct reach r = {link, calloc(link->function_count, sizeof(uint32_t)), 0};
	enum jf_status status = JF_OK;

	if (!r.list)
		return link_fail(link, JF_E_NO_MEMORY, "functions", "no memory");
	for (uint32_t i = 0; i < link->program_count; i++)
		if (is_wanted(link, &link->functions[link->programs[i]], program))
			need(&r, link->programs[i]);
	for (uint32_t i = 0; status == JF_OK && i < r.count; i++) {
		const struct link_function *function = &link->functions[r.list[i]];

		/* References of a refused function mean nothing. */
		status = function->refused.status;
		if (status == JF_OK) {
			need_callees(&r, function);
			need_slots(&r, function);
		} else if (link->error) {
			*link->error = function->refused;
		}
	}
	free(r.list);
	return status;
}

/* ---- the interface ------------------------------------------------------------------------------ */

static enum jf_status link_steps(struct link *link, const char *program)
{
	static enum jf_status (*const steps[])(struct link *) = {
		link_btf_open,      link_functions_collect,
		link_maps_collect,  link_variables_collect,
		link_inits_collect, link_dead,
		link_code,          link_cleanups_collect,
		link_btf_callbacks, link_btf_core,
		link_btf_lines,     link_lower,
	};
	enum jf_status status = JF_OK;

	for (size_t i = 0; status == JF_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		status = steps[i](link);
	return status == JF_OK ? check_needed(link, program) : status;
}

static void link_close(struct link *link)
{
	for (uint32_t i = 0; i < link->function_count; i++)
		free(link->functions[i].insns);
	free(link->functions);
	free(link->programs);
	free(link->maps);
	free(link->inits);
	free(link->cleanups);
	free(link->variables);
	free(link->kfuncs);
	link_btf_lines_close(link);
	link_btf_close(link);
	object_close(&link->object);
}

enum jf_status link_object(const void *object, size_t size, const char *program, enum link_use use, void **bundle,
			   size_t *bundle_size, struct jf_error *error)
{
	struct link link = {.use = use, .error = error};
	enum jf_status status = object_open(&link.object, object, size, error);

	if (status == JF_OK)
		status = link_steps(&link, program);
	if (status == JF_OK)
		status = link_pack(&link, bundle, bundle_size);
	link_close(&link);
	return status;
}
