/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <string.h>

/*
 * Maps as bpf_helpers.h lets programs define them: a struct in section .maps whose members' types say
 * everything.
 *
 *     __uint(name, n)    int (*name)[n]           a number, as the length of an array
 *     __ulong(name, n)   enum { ... = n } name    a number of 64 bits
 *     __type(name, t)    t *name                  a type
 *     __array(name, t)   t *name[]                what slots point to; the only member that may have a value
 */

/* A map definition being read. */
struct reader {
	struct link *link;
	struct link_map *map;
	const struct btf *btf;
};

static enum jf_status refuse_map(struct reader *r, enum jf_status status, const char *what)
{
	return link_fail(r->link, status, r->map->name, "map definition: %s", what);
}

/* Behind names and qualifiers. returns: NULL when there is nothing, or no end. */
static const struct btf_type *plain_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (unsigned int depth = 0; type && depth < 32; depth++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return type;
		type = btf__type_by_id(btf, type->type);
	}
	return NULL;
}

/* What a pointer member points to. */
static const struct btf_type *pointee(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = plain_type(btf, id);

	return type && btf_is_ptr(type) ? plain_type(btf, type->type) : NULL;
}

static enum jf_status read_number(struct reader *r, uint32_t type, uint32_t *number)
{
	const struct btf_type *array = pointee(r->btf, type);

	if (!array || !btf_is_array(array))
		return refuse_map(r, JF_E_BAD_IMAGE, "a number is not written with __uint()");
	*number = btf_array(array)->nelems;
	return JF_OK;
}

static enum jf_status read_long(struct reader *r, uint32_t type, uint64_t *number)
{
	const struct btf_type *plain = plain_type(r->btf, type);
	enum jf_status status;
	uint32_t small = 0;

	if (plain && btf_is_enum(plain) && btf_vlen(plain) == 1) {
		*number = (uint64_t)(int64_t)btf_enum(plain)->val;
		return JF_OK;
	}
	if (plain && btf_is_enum64(plain) && btf_vlen(plain) == 1) {
		*number = btf_enum64_value(btf_enum64(plain));
		return JF_OK;
	}
	status = read_number(r, type, &small);
	if (status == JF_OK)
		*number = small;
	return status;
}

static enum jf_status read_type_size(struct reader *r, uint32_t type, uint32_t *bytes)
{
	const struct btf_type *pointer = plain_type(r->btf, type);
	int64_t size = pointer && btf_is_ptr(pointer) ? btf__resolve_size(r->btf, pointer->type) : -1;

	if (size < 0 || size > INT32_MAX)
		return refuse_map(r, JF_E_BAD_IMAGE, "the type of keys or values has no size");
	if (*bytes != 0 && *bytes != size)
		return refuse_map(r, JF_E_BAD_IMAGE, "two sizes for keys or values");
	*bytes = (uint32_t)size;
	return JF_OK;
}

/* Slots hold descriptors of 4 bytes, whatever they stand for. */
static enum jf_status read_values(struct reader *r, const struct btf_member *member, uint32_t bit_off)
{
	const struct btf_type *array = plain_type(r->btf, member->type);

	if (!array || !btf_is_array(array))
		return refuse_map(r, JF_E_BAD_IMAGE, "values are not written with __array()");
	r->map->values_off = bit_off / 8;
	if (r->map->def.value_bytes == 0)
		r->map->def.value_bytes = 4;
	return JF_OK;
}

static enum jf_status read_member(struct reader *r, const struct btf_type *def, uint32_t index)
{
	const struct btf_member *member = btf_members(def) + index;
	const char *name = btf__name_by_offset(r->btf, member->name_off);
	struct bundle_map *map = &r->map->def;
	uint32_t ignored;

	if (!name)
		return refuse_map(r, JF_E_BAD_IMAGE, "a member has no name");
	if (strcmp(name, "type") == 0)
		return read_number(r, member->type, &map->type);
	if (strcmp(name, "max_entries") == 0)
		return read_number(r, member->type, &map->max_entries);
	if (strcmp(name, "map_flags") == 0)
		return read_number(r, member->type, &map->map_flags);
	if (strcmp(name, "map_extra") == 0)
		return read_long(r, member->type, &map->map_extra);
	if (strcmp(name, "key_size") == 0)
		return read_number(r, member->type, &map->key_bytes);
	if (strcmp(name, "value_size") == 0)
		return read_number(r, member->type, &map->value_bytes);
	if (strcmp(name, "key") == 0)
		return read_type_size(r, member->type, &map->key_bytes);
	if (strcmp(name, "value") == 0)
		return read_type_size(r, member->type, &map->value_bytes);
	if (strcmp(name, "values") == 0)
		return read_values(r, member, btf_member_bit_offset(def, index));
	/* Where memory comes from, and names in a file system that is not there. */
	if (strcmp(name, "numa_node") == 0 || strcmp(name, "pinning") == 0)
		return read_number(r, member->type, &ignored);
	return link_fail(r->link, JF_E_UNSUPPORTED, r->map->name, "map definition: member %s is not supported", name);
}

static enum jf_status read_def(struct reader *r, uint32_t type)
{
	const struct btf_type *def = plain_type(r->btf, type);
	enum jf_status status = JF_OK;

	if (!def || !btf_is_struct(def))
		return refuse_map(r, JF_E_BAD_IMAGE, "it is no struct");
	for (uint32_t i = 0; status == JF_OK && i < btf_vlen(def); i++)
		status = read_member(r, def, i);
	if (status == JF_OK && r->map->def.type == 0)
		return refuse_map(r, JF_E_BAD_IMAGE, "it has no type");
	return status;
}

/* The object's symbol knows where the variable is; BTF's own offset is not filled in by compilers. */
static const struct symbol *find_variable(const struct link *link, const char *name, uint32_t section)
{
	for (uint32_t i = 1; i < link->object.symbol_count; i++) {
		const struct symbol *symbol = &link->object.symbols[i];

		if (symbol->section == section && symbol->type == 1 /* STT_OBJECT */ && strcmp(symbol->name, name) == 0)
			return symbol;
	}
	return NULL;
}

static enum jf_status read_variable(struct link *link, uint32_t type_id, uint32_t section)
{
	const struct btf_type *var = btf__type_by_id(link->btf, type_id);
	struct link_map *map = &link->maps[link->map_count];
	struct reader r = {link, map, link->btf};
	const struct symbol *symbol;

	if (!var || !btf_is_var(var) || !btf__name_by_offset(link->btf, var->name_off))
		return link_fail(link, JF_E_BAD_IMAGE, ".BTF", "type %u: not a variable, but in .maps", type_id);
	map->name = btf__name_by_offset(link->btf, var->name_off);
	if (btf_var(var)->linkage == BTF_VAR_GLOBAL_EXTERN)
		return link_fail(link, JF_E_UNSUPPORTED, map->name, "map defined in another object");
	if (btf_var(var)->linkage != BTF_VAR_GLOBAL_ALLOCATED)
		return link_fail(link, JF_E_UNSUPPORTED, map->name, "a map has to be global; this one is static");
	symbol = find_variable(link, map->name, section);
	if (!symbol || symbol->size == 0 || symbol->value > link->object.sections[section].size ||
	    symbol->size > link->object.sections[section].size - symbol->value)
		return link_fail(link, JF_E_BAD_IMAGE, map->name, "map without a symbol inside section .maps");
	map->section = section;
	map->off = symbol->value;
	map->size = symbol->size;
	link->map_count++;
	return read_def(&r, var->type);
}

static const struct btf_type *find_datasec(const struct btf *btf, const char *name)
{
	int32_t id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_DATASEC) : -1;

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

enum jf_status link_map_defs(struct link *link)
{
	uint32_t section = object_section(&link->object, ".maps");
	const struct btf_type *datasec = find_datasec(link->btf, ".maps");
	enum jf_status status = JF_OK;

	if (section == 0 || link->object.sections[section].size == 0)
		return JF_OK;
	if (!datasec)
		return link_fail(link, JF_E_UNSUPPORTED, ".maps", "there is no BTF for the maps; compile with -g");
	for (uint32_t i = 0; status == JF_OK && i < btf_vlen(datasec); i++)
		status = read_variable(link, btf_var_secinfos(datasec)[i].type, section);
	return status;
}
