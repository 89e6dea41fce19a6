/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <stdlib.h>
#include <string.h>

/* Writes the bundle: sizes first, then every table in one pass, the strings as they come up. */

struct packer {
	const struct link *link;
	uint8_t *bytes;
	uint32_t string_bytes; /* so far */
	uint32_t data_bytes;
};

static size_t name_bytes(const char *name)
{
	return strlen(name) + 1;
}

static void count_tables(const struct link *link, uint64_t count[BUNDLE_TABLE__COUNT])
{
	count[BUNDLE_PROGRAMS] = link->program_count;
	count[BUNDLE_FUNCTIONS] = link->function_count;
	count[BUNDLE_MAPS] = link->map_count;
	count[BUNDLE_KFUNCS] = link->kfunc_count;
	count[BUNDLE_INITS] = link->init_count;
	count[BUNDLE_LINES] = link->line_count;
	count[BUNDLE_CLEANUPS] = link->cleanup_count;
	count[BUNDLE_VARIABLES] = link->variable_count;
	count[BUNDLE_STRINGS] = link->line_string_bytes;

	for (uint32_t i = 0; i < link->function_count; i++) {
		count[BUNDLE_INSNS] += link->functions[i].insn_count;
		count[BUNDLE_STRINGS] += name_bytes(link->functions[i].name);
		if (link->functions[i].program >= 0)
			count[BUNDLE_STRINGS] += name_bytes(link->object.sections[link->functions[i].section].name);
	}
	for (uint32_t i = 0; i < link->map_count; i++) {
		count[BUNDLE_DATA] += link->maps[i].def.data_bytes;
		count[BUNDLE_STRINGS] += name_bytes(link->maps[i].name);
	}
	for (uint32_t i = 0; i < link->variable_count; i++)
		count[BUNDLE_STRINGS] += name_bytes(link->variables[i].name);
	for (uint32_t i = 0; i < link->kfunc_count; i++)
		count[BUNDLE_STRINGS] += name_bytes(link->kfuncs[i].name);
}

enum jf_status link_bundle_new(const uint64_t count[BUNDLE_TABLE__COUNT], uint8_t **bytes, struct jf_error *error)
{
	struct bundle_header header = {.magic = BUNDLE_MAGIC};
	uint64_t off = sizeof(header);

	for (unsigned int i = 0; i < BUNDLE_TABLE__COUNT; i++) {
		uint64_t end = off + count[i] * bundle_record_bytes((enum bundle_table)i);

		if (end > INT32_MAX)
			return jf_error_set(error, JF_E_UNSUPPORTED, "file", "the linked programs are too large");
		header.tables[i] = (struct bundle_extent){(uint32_t)off, (uint32_t)count[i]};
		off = (end + 7) & ~UINT64_C(7);
	}
	header.total_bytes = (uint32_t)off;
	*bytes = calloc(1, off);
	if (!*bytes)
		return jf_error_set(error, JF_E_NO_MEMORY, "bundle", "no memory");
	memcpy(*bytes, &header, sizeof(header));
	return JF_OK;
}

size_t link_bundle_bytes(const uint8_t *bytes)
{
	return ((const struct bundle_header *)(const void *)bytes)->total_bytes;
}

void *link_bundle_table(uint8_t *bytes, enum bundle_table table)
{
	return bytes + ((const struct bundle_header *)(const void *)bytes)->tables[table].off;
}

static void *table(struct packer *p, enum bundle_table which)
{
	return link_bundle_table(p->bytes, which);
}

static uint32_t put_string(struct packer *p, const char *text)
{
	uint32_t off = p->string_bytes;
	size_t bytes = name_bytes(text);

	memcpy((char *)table(p, BUNDLE_STRINGS) + off, text, bytes);
	p->string_bytes += (uint32_t)bytes;
	return off;
}

/* The strings of lines come first, so offsets into them stay as they are. */
static void put_lines(struct packer *p)
{
	if (!p->link->line_count)
		return;
	memcpy(table(p, BUNDLE_LINES), p->link->lines, p->link->line_count * sizeof(*p->link->lines));
	memcpy(table(p, BUNDLE_STRINGS), p->link->line_strings, p->link->line_string_bytes);
	p->string_bytes = p->link->line_string_bytes;
}

static void put_cleanups(struct packer *p)
{
	struct jf_cleanup *records = table(p, BUNDLE_CLEANUPS);

	for (uint32_t i = 0; i < p->link->cleanup_count; i++)
		records[i] = p->link->cleanups[i].record;
}

static void put_functions(struct packer *p)
{
	struct bundle_function *functions = table(p, BUNDLE_FUNCTIONS);
	struct bundle_program *programs = table(p, BUNDLE_PROGRAMS);
	struct jf_insn *insns = table(p, BUNDLE_INSNS);
	uint32_t used = 0, lines = 0, cleanups = 0;

	for (uint32_t i = 0; i < p->link->function_count; i++) {
		const struct link_function *from = &p->link->functions[i];
		bool refused = from->refused.status != JF_OK;

		functions[i].name = put_string(p, from->name);
		functions[i].insn_start = used;
		functions[i].insn_count = refused ? 0 : from->insn_count;
		functions[i].flags =
			(from->global ? BUNDLE_FUNCTION_GLOBAL : 0u) | (refused ? BUNDLE_FUNCTION_REFUSED : 0u);
		functions[i].line_start = lines;
		lines += from->line_count;
		functions[i].line_count = refused ? 0 : from->line_count;
		functions[i].cleanup_start = cleanups;
		cleanups += from->cleanup_count;
		functions[i].cleanup_count = refused ? 0 : from->cleanup_count;
		memcpy(insns + used, from->insns, functions[i].insn_count * sizeof(*insns));
		used += functions[i].insn_count;
		if (from->program >= 0)
			programs[from->program] = (struct bundle_program){
				.name = functions[i].name,
				.section = put_string(p, p->link->object.sections[from->section].name),
				.main = i,
				.callback = from->callback,
			};
	}
}

static void put_maps(struct packer *p)
{
	struct bundle_map *maps = table(p, BUNDLE_MAPS);
	uint8_t *data = table(p, BUNDLE_DATA);

	for (uint32_t i = 0; i < p->link->map_count; i++) {
		const struct link_map *from = &p->link->maps[i];

		maps[i] = from->def;
		maps[i].name = put_string(p, from->name);
		maps[i].data_off = p->data_bytes;
		if (from->def.data_bytes > 0)
			memcpy(data + p->data_bytes, p->link->object.sections[from->data_section].bytes,
			       from->def.data_bytes);
		p->data_bytes += from->def.data_bytes;
	}
}

static void put_variables(struct packer *p)
{
	struct bundle_variable *variables = table(p, BUNDLE_VARIABLES);

	for (uint32_t i = 0; i < p->link->variable_count; i++) {
		variables[i] = p->link->variables[i].def;
		variables[i].name = put_string(p, p->link->variables[i].name);
	}
}

static void put_kfuncs(struct packer *p)
{
	struct bundle_kfunc *kfuncs = table(p, BUNDLE_KFUNCS);

	for (uint32_t i = 0; i < p->link->kfunc_count; i++) {
		kfuncs[i].name = put_string(p, p->link->kfuncs[i].name);
		bundle_kfunc_put(&kfuncs[i], &p->link->kfuncs[i]);
	}
}

enum jf_status link_pack(struct link *link, void **bundle, size_t *bundle_size)
{
	struct packer p = {.link = link};
	uint64_t count[BUNDLE_TABLE__COUNT] = {0};
	enum jf_status status;

	count_tables(link, count);
	status = link_bundle_new(count, &p.bytes, link->error);
	if (status != JF_OK)
		return status;
	put_lines(&p);
	put_functions(&p);
	put_cleanups(&p);
	put_maps(&p);
	put_kfuncs(&p);
	put_variables(&p);
	if (link->init_count > 0)
		memcpy(table(&p, BUNDLE_INITS), link->inits, link->init_count * sizeof(*link->inits));
	*bundle = p.bytes;
	*bundle_size = link_bundle_bytes(p.bytes);
	return JF_OK;
}
