/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "map_fields.h"

/* CO-RE: what instructions hold of a kernel's types. Here there is no kernel. */

/* One record of the CO-RE table: enum bpf_core_relo_kind of linux/bpf.h. */
struct core_record {
	uint32_t insn_off; /* bytes in the section */
	uint32_t type, access;
	uint32_t kind;
};
_Static_assert(sizeof(struct core_record) == LINK_CORE_BYTES, "as the table has it");

/*
 * Contexts are plain memory, laid out as the program was compiled for: offsets, sizes and enum values
 * that a kernel's own would replace are right as they are. What asks whether a kernel has something, or
 * for its type numbers, has no answer.
 */
static bool holds_as_compiled(uint32_t kind)
{
	switch (kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
	case BPF_CORE_FIELD_BYTE_SIZE:
	case BPF_CORE_FIELD_SIGNED:
	case BPF_CORE_FIELD_LSHIFT_U64:
	case BPF_CORE_FIELD_RSHIFT_U64:
	case BPF_CORE_TYPE_SIZE:
	case BPF_CORE_ENUMVAL_VALUE: return true;
	default: return false;
	}
}

/* ---- fields of maps ----------------------------------------------------------------------- */

/* "bpf_map___x" is another form of bpf_map. */
static bool is_struct(const char *name, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncmp(name, wanted, length) == 0 && (!name[length] || strncmp(name + length, "___", 3) == 0);
}

/* The name of the field that an access string like "0:1:7" leads to: numbers of members, behind one of an array. */
static const char *field_name(const struct link *link, const struct core_record *record)
{
	const struct btf_type *type = btf__type_by_id(link->btf, record->type);
	const char *access = strchr(link_btf_name(link->btf, record->access), ':'), *name = "";

	for (; access && type; access = strchr(access + 1, ':')) {
		unsigned long number = strtoul(access + 1, NULL, 10);
		const struct btf_member *member;

		if (!btf_is_composite(type) || number >= btf_vlen(type))
			return "";
		member = btf_members(type) + number;
		name = link_btf_name(link->btf, member->name_off);
		type = btf__type_by_id(link->btf, member->type);
	}
	return name;
}

/* returns: the offset in what the runner has for a kernel's struct bpf_arena, or -1: no such field. */
static int32_t arena_field(const char *name)
{
	if (strcmp(name, "map") == 0)
		return 0;
#define MAP_FIELD(field)               \
	if (strcmp(name, #field) == 0) \
		return offsetof(struct map_fields, field);
	MAP_FIELDS
#undef MAP_FIELD
	return -1;
}

/* What a program holds as a map is a map of the runner. returns: whether the field is one of a map. */
static bool place_map_field(const struct link *link, struct link_function *function, const struct core_record *record)
{
	const struct btf_type *type = btf__type_by_id(link->btf, record->type);
	const char *name = type ? link_btf_name(link->btf, type->name_off) : "";
	struct jf_insn *insn = &function->insns[record->insn_off / 8 - function->first];
	bool is_arena = is_struct(name, "bpf_arena");
	int32_t place = is_arena ? arena_field(field_name(link, record)) : -1;

	if (record->kind != BPF_CORE_FIELD_BYTE_OFFSET ||
	    (!is_arena && !is_struct(name, "bpf_map") && !is_struct(name, "bpf_array") && !is_struct(name, "bpf_htab")))
		return false;
	if (place < 0)
		link_refuse(function, JF_E_UNSUPPORTED, record->insn_off / 8 - function->first,
			    "it reads %s of the kernel's struct %s: there is no kernel", field_name(link, record),
			    name);
	else if ((insn->opcode & 7) == JF_CLASS_LDX)
		insn->off = (int16_t)place;
	else
		insn->imm = place;
	return true;
}

/* ---- sizes of types ------------------------------------------------------------------------ */

/* Whether the next call from there on is of one that gives memory for a type. */
static bool goes_to_new(const struct link *link, const struct link_function *function, uint32_t at)
{
	for (uint32_t i = at; i < function->insn_count; i++) {
		const struct jf_insn *insn = &function->insns[i];

		if (insn->opcode == JF_INSN_CALL)
			return jf_insn_src(insn) == JF_SRC_KFUNC &&
			       strncmp(link->kfuncs[insn->imm].name, "bpf_obj_new", 11) == 0;
	}
	return false;
}

/* A type's number becomes its size, which is all that bpf_obj_new() asks a kernel's BTF for. */
static bool put_size(const struct link *link, struct link_function *function, const struct core_record *record)
{
	uint32_t at = record->insn_off / 8 - function->first;
	long long size = btf__resolve_size(link->btf, record->type);

	if (record->kind != BPF_CORE_TYPE_ID_LOCAL || size < 0 || !goes_to_new(link, function, at))
		return false;
	function->insns[at].imm = (int32_t)size;
	return true;
}

void link_core_record(struct link *link, uint32_t section, const uint8_t *bytes)
{
	struct link_function *function;
	struct core_record record;
	int32_t index;

	memcpy(&record, bytes, sizeof(record));
	index = link_function_around(link, section, record.insn_off / 8);
	if (index < 0)
		return;
	function = &link->functions[index];
	if (!place_map_field(link, function, &record) && !holds_as_compiled(record.kind) &&
	    !put_size(link, function, &record))
		link_refuse(function, JF_E_UNSUPPORTED, record.insn_off / 8 - function->first,
			    "CO-RE asks what a kernel has (bpf_core_field_exists and its kin): there is no kernel");
}
