/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <stdlib.h>
#include <string.h>

/*
 * Two bundles as one. Records of the second lie behind those of the first, so that an index of the second grows by what
 * the first has. The function that is replaced becomes
 *
 *     call kfunc      the program, as a C function
 *     exit
 */
#define STUB_INSNS 2

struct join {
	struct bundle first, second;
	uint32_t function;                  /* of the first: is replaced ... */
	uint32_t program;                   /* ... by this one of the second */
	uint32_t from[BUNDLE_TABLE__COUNT]; /* where records of the second begin */
	uint8_t *bytes;
};

/* ---- what the second refers to ------------------------------------------------------------------ */

static void move_insns(const struct join *j)
{
	struct jf_insn *insns = link_bundle_table(j->bytes, BUNDLE_INSNS);

	insns += j->from[BUNDLE_INSNS];
	for (uint32_t i = 0; i < j->second.count[BUNDLE_INSNS]; i++) {
		struct jf_insn *insn = &insns[i];
		unsigned int src = jf_insn_src(insn);

		if (jf_insn_names_function(insn))
			insn->imm += (int32_t)j->from[BUNDLE_FUNCTIONS];
		else if (insn->opcode == JF_INSN_CALL && src == JF_SRC_KFUNC)
			insn->imm += (int32_t)j->from[BUNDLE_KFUNCS];
		else if (insn->opcode == JF_INSN_LDDW && (src == JF_SRC_MAP || src == JF_SRC_MAP_VALUE))
			insn->imm += (int32_t)j->from[BUNDLE_MAPS];
		if (insn->opcode == JF_INSN_LDDW)
			i++;
	}
}

static void move_programs(const struct join *j)
{
	struct bundle_program *programs = link_bundle_table(j->bytes, BUNDLE_PROGRAMS);
	struct bundle_function *functions = link_bundle_table(j->bytes, BUNDLE_FUNCTIONS);

	programs += j->from[BUNDLE_PROGRAMS];
	functions += j->from[BUNDLE_FUNCTIONS];
	for (uint32_t i = 0; i < j->second.count[BUNDLE_PROGRAMS]; i++) {
		programs[i].name += j->from[BUNDLE_STRINGS];
		programs[i].section += j->from[BUNDLE_STRINGS];
		programs[i].main += j->from[BUNDLE_FUNCTIONS];
		if (programs[i].callback >= 0)
			programs[i].callback += (int32_t)j->from[BUNDLE_FUNCTIONS];
	}
	for (uint32_t i = 0; i < j->second.count[BUNDLE_FUNCTIONS]; i++) {
		functions[i].name += j->from[BUNDLE_STRINGS];
		functions[i].insn_start += j->from[BUNDLE_INSNS];
		functions[i].line_start += j->from[BUNDLE_LINES];
		functions[i].cleanup_start += j->from[BUNDLE_CLEANUPS];
	}
}

static void move_maps(const struct join *j)
{
	struct bundle_map *maps = link_bundle_table(j->bytes, BUNDLE_MAPS);
	struct bundle_variable *variables = link_bundle_table(j->bytes, BUNDLE_VARIABLES);

	maps += j->from[BUNDLE_MAPS];
	variables += j->from[BUNDLE_VARIABLES];
	for (uint32_t i = 0; i < j->second.count[BUNDLE_MAPS]; i++) {
		maps[i].name += j->from[BUNDLE_STRINGS];
		maps[i].data_off += j->from[BUNDLE_DATA];
	}
	for (uint32_t i = 0; i < j->second.count[BUNDLE_VARIABLES]; i++) {
		variables[i].name += j->from[BUNDLE_STRINGS];
		variables[i].map += j->from[BUNDLE_MAPS];
	}
}

static void move_inits(const struct join *j)
{
	struct bundle_init *inits = link_bundle_table(j->bytes, BUNDLE_INITS);

	inits += j->from[BUNDLE_INITS];
	for (uint32_t i = 0; i < j->second.count[BUNDLE_INITS]; i++) {
		enum bundle_table table = BUNDLE_MAPS;

		if (inits[i].kind == BUNDLE_INIT_FUNCTION_ADDRESS)
			table = BUNDLE_FUNCTIONS;
		else if (inits[i].kind == BUNDLE_INIT_PROGRAM_SLOT)
			table = BUNDLE_PROGRAMS;
		inits[i].map += j->from[BUNDLE_MAPS];
		inits[i].target += j->from[table];
	}
}

static void move_names(const struct join *j)
{
	struct bundle_kfunc *kfuncs = link_bundle_table(j->bytes, BUNDLE_KFUNCS);
	struct bundle_line *lines = link_bundle_table(j->bytes, BUNDLE_LINES);

	kfuncs += j->from[BUNDLE_KFUNCS];
	lines += j->from[BUNDLE_LINES];
	for (uint32_t i = 0; i < j->second.count[BUNDLE_KFUNCS]; i++)
		kfuncs[i].name += j->from[BUNDLE_STRINGS];
	for (uint32_t i = 0; i < j->second.count[BUNDLE_LINES]; i++) {
		lines[i].file += j->from[BUNDLE_STRINGS];
		lines[i].text += j->from[BUNDLE_STRINGS];
	}
}

/* ---- the function that is replaced -------------------------------------------------------------- */

/* in: kfunc = the index that the stub calls. The instructions behind the function have their places already. */
static void put_stub(const struct join *j, uint32_t kfunc)
{
	struct bundle_function *functions = link_bundle_table(j->bytes, BUNDLE_FUNCTIONS);
	struct jf_insn *insns = link_bundle_table(j->bytes, BUNDLE_INSNS);
	struct bundle_function *function = &functions[j->function];

	for (uint32_t i = j->function + 1; i < j->first.count[BUNDLE_FUNCTIONS]; i++)
		functions[i].insn_start += STUB_INSNS - function->insn_count;
	insns[function->insn_start] =
		(struct jf_insn){.opcode = JF_INSN_CALL, .regs = JF_SRC_KFUNC << 4, .imm = (int32_t)kfunc};
	insns[function->insn_start + 1] = (struct jf_insn){.opcode = JF_INSN_EXIT};
	function->insn_count = STUB_INSNS;
	function->line_count = 0;
	function->cleanup_count = 0;
	function->flags &= ~(uint32_t)BUNDLE_FUNCTION_REFUSED;
}

static void put_kfunc(const struct join *j, uint32_t kfunc)
{
	struct bundle_kfunc *kfuncs = link_bundle_table(j->bytes, BUNDLE_KFUNCS);
	const struct bundle_program *programs = link_bundle_table(j->bytes, BUNDLE_PROGRAMS);
	uint32_t program = j->from[BUNDLE_PROGRAMS] + j->program;

	kfuncs[kfunc] = (struct bundle_kfunc){.name = programs[program].name, .program = program + 1};
}

/* ---- both --------------------------------------------------------------------------------------- */

static const uint8_t *records(const void *bundle, enum bundle_table table)
{
	return (const uint8_t *)bundle + ((const struct bundle_header *)bundle)->tables[table].off;
}

/* Instructions of the first have a gap, or an overlap, where the stub's are. */
static void copy_tables(const struct join *j, const void *first, const void *second)
{
	const struct bundle_function *function = &j->first.functions[j->function];
	uint32_t before = function->insn_start, behind = before + function->insn_count;
	struct jf_insn *insns = link_bundle_table(j->bytes, BUNDLE_INSNS);

	for (unsigned int i = 0; i < BUNDLE_TABLE__COUNT; i++) {
		enum bundle_table table = (enum bundle_table)i;
		size_t bytes = bundle_record_bytes(table);
		uint8_t *to = link_bundle_table(j->bytes, table);

		if (table != BUNDLE_INSNS)
			memcpy(to, records(first, table), j->first.count[i] * bytes);
		memcpy(to + j->from[i] * bytes, records(second, table), j->second.count[i] * bytes);
	}
	memcpy(insns, j->first.insns, before * sizeof(*insns));
	memcpy(insns + before + STUB_INSNS, j->first.insns + behind,
	       (j->first.count[BUNDLE_INSNS] - behind) * sizeof(*insns));
}

static enum jf_status find_function(struct join *j, const char *name, struct jf_error *error)
{
	const struct bundle *bundle = &j->first;
	const struct bundle_function *function;

	while (j->function < bundle->count[BUNDLE_FUNCTIONS] &&
	       strcmp(bundle->strings + bundle->functions[j->function].name, name) != 0)
		j->function++;
	if (j->function == bundle->count[BUNDLE_FUNCTIONS])
		return jf_error_set(error, JF_E_NOT_FOUND, name, "there is no such function to be replaced");
	function = &bundle->functions[j->function];
	for (uint32_t i = 0; i < function->insn_count; i++)
		if (jf_insn_src(&bundle->insns[function->insn_start + i]) == JF_BPF_ARGS)
			return jf_error_set(error, JF_E_UNSUPPORTED, name,
					    "it takes more than five arguments, and a program gets five");
	return JF_OK;
}

enum jf_status link_replace(void **bundle, size_t *bundle_size, const char *function, const void *other,
			    size_t other_size, const char *program, struct jf_error *error)
{
	struct join j = {.function = 0};
	uint64_t count[BUNDLE_TABLE__COUNT];
	enum jf_status status = bundle_open(&j.first, *bundle, *bundle_size, error);

	if (status == JF_OK)
		status = bundle_open(&j.second, other, other_size, error);
	if (status == JF_OK)
		status = find_function(&j, function, error);
	if (status == JF_OK)
		status = bundle_find(&j.second, program, &j.program, error);
	if (status != JF_OK)
		return status;
	memcpy(j.from, j.first.count, sizeof(j.from));
	j.from[BUNDLE_INSNS] += STUB_INSNS - j.first.functions[j.function].insn_count;
	for (unsigned int i = 0; i < BUNDLE_TABLE__COUNT; i++)
		count[i] = (uint64_t)j.from[i] + j.second.count[i];
	count[BUNDLE_KFUNCS]++;
	status = link_bundle_new(count, &j.bytes, error);
	if (status != JF_OK)
		return status;
	copy_tables(&j, *bundle, other);
	move_programs(&j);
	move_insns(&j);
	move_maps(&j);
	move_inits(&j);
	move_names(&j);
	put_stub(&j, (uint32_t)count[BUNDLE_KFUNCS] - 1);
	put_kfunc(&j, (uint32_t)count[BUNDLE_KFUNCS] - 1);
	free(*bundle);
	*bundle = j.bytes;
	*bundle_size = link_bundle_bytes(j.bytes);
	return JF_OK;
}
