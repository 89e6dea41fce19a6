/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

/* What BTF says about functions: exception callbacks, types of kfuncs. Maps: map_defs.c. .BTF.ext: btf_ext.c. */

#define CALLBACK_TAG "exception_callback:"

/* libbpf trusts the header's length when it looks for types and strings behind it. */
static bool header_fits(const struct section *section)
{
	struct btf_header header;

	if (section->size < sizeof(header) || section->size > INT32_MAX)
		return false;
	memcpy(&header, section->bytes, sizeof(header));
	return header.magic == BTF_MAGIC && header.version == BTF_VERSION && header.hdr_len >= sizeof(header) &&
	       header.hdr_len % 4 == 0 && header.hdr_len <= section->size && header.type_off % 4 == 0 &&
	       (uint64_t)header.hdr_len + header.type_off + header.type_len <= section->size &&
	       (uint64_t)header.hdr_len + header.str_off + header.str_len <= section->size;
}

enum jf_status link_btf_open(struct link *link)
{
	uint32_t index = object_section(&link->object, ".BTF");
	const struct section *section = &link->object.sections[index];

	if (index == 0)
		return JF_OK;
	if (!section->bytes || !header_fits(section))
		return link_fail(link, JF_E_BAD_IMAGE, ".BTF", "byte 0: the header does not fit its section");
	libbpf_set_print(NULL);
	link->btf = btf__new(section->bytes, (__u32)section->size);
	if (!link->btf) {
		int error = errno;

		return link_fail(link, error == ENOMEM ? JF_E_NO_MEMORY : JF_E_BAD_IMAGE, ".BTF", "libbpf: %s",
				 strerror(error));
	}
	return JF_OK;
}

void link_btf_close(struct link *link)
{
	btf__free(link->btf);
}

const char *link_btf_name(const struct btf *btf, uint32_t off)
{
	const char *name = btf ? btf__name_by_offset(btf, off) : NULL;

	return name ? name : "";
}

/* ---- exception callbacks ------------------------------------------------------------------------ */

static struct link_function *find_program(struct link *link, const char *name)
{
	for (uint32_t i = 0; i < link->program_count; i++)
		if (strcmp(link->functions[link->programs[i]].name, name) == 0)
			return &link->functions[link->programs[i]];
	return NULL;
}

/* returns: index, or -1. Global functions first: a static one may have the same name. */
static int32_t find_subprogram(const struct link *link, const char *name)
{
	int32_t found = -1;

	for (uint32_t i = 0; i < link->function_count; i++) {
		const struct link_function *function = &link->functions[i];

		if (function->program >= 0 || strcmp(function->name, name) != 0)
			continue;
		if (function->global)
			return (int32_t)i;
		found = (int32_t)i;
	}
	return found;
}

static void set_callback(struct link *link, struct link_function *program, const char *name)
{
	int32_t callback = find_subprogram(link, name);

	if (program->callback >= 0)
		link_refuse(program, JF_E_BAD_IMAGE, -1, "it names two exception callbacks, one of them %s", name);
	else if (callback < 0)
		link_refuse(program, JF_E_BAD_IMAGE, -1, "there is no function %s for its exception callback", name);
	else if (!link->functions[callback].global)
		link_refuse(program, JF_E_BAD_IMAGE, -1, "its exception callback %s has to be a global function", name);
	else
		program->callback = callback;
}

enum jf_status link_btf_callbacks(struct link *link)
{
	uint32_t count = link->btf ? btf__type_cnt(link->btf) : 0;

	for (uint32_t id = 1; id < count; id++) {
		const struct btf_type *tag = btf__type_by_id(link->btf, id);
		const struct btf_type *function;
		struct link_function *program;
		const char *text;

		if (!btf_is_decl_tag(tag) || btf_decl_tag(tag)->component_idx != -1)
			continue;
		text = link_btf_name(link->btf, tag->name_off);
		if (strncmp(text, CALLBACK_TAG, strlen(CALLBACK_TAG)) != 0)
			continue;
		function = btf__type_by_id(link->btf, tag->type);
		if (!function || !btf_is_func(function))
			return link_fail(link, JF_E_BAD_IMAGE, ".BTF", "type %u: tag %s is not at a function", id,
					 text);
		program = find_program(link, link_btf_name(link->btf, function->name_off));
		if (program)
			set_callback(link, program, text + strlen(CALLBACK_TAG));
	}
	return JF_OK;
}

/* ---- types of kfuncs ---------------------------------------------------------------------------- */

/* A type as a register has it; no bytes: void. returns: false for a type that no single register has. */
static bool read_value(const struct btf *btf, uint32_t id, struct jf_c_value *value)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	/* A chain of these cannot be longer than there are types. */
	for (uint32_t left = btf__type_cnt(btf); type && left && (btf_is_mod(type) || btf_is_typedef(type)); left--) {
		id = type->type;
		type = btf__type_by_id(btf, id);
	}
	*value = (struct jf_c_value){0, false};
	if (id == 0)
		return true;
	if (!type || (!btf_is_ptr(type) && !btf_is_int(type) && !btf_is_any_enum(type)))
		return false;
	if (btf_is_ptr(type) || type->size == 8) {
		value->bytes = 8; /* whose sign makes no difference */
		return true;
	}
	value->bytes = (uint8_t)type->size;
	value->is_signed = btf_is_int(type) ? btf_int_encoding(type) & BTF_INT_SIGNED : btf_kflag(type);
	return type->size == 1 || type->size == 2 || type->size == 4;
}

static bool same_value(struct jf_c_value a, struct jf_c_value b)
{
	return a.bytes == b.bytes && (a.bytes == 8 || a.is_signed == b.is_signed);
}

/* returns: the prototype that is declared for a function, or NULL. */
static const struct btf_type *find_proto(const struct btf *btf, const char *name)
{
	int32_t id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -1;
	const struct btf_type *proto = id < 0 ? NULL : btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);

	return proto && btf_is_func_proto(proto) ? proto : NULL;
}

bool link_btf_import(const struct link *link, const char *name, struct jf_import *import)
{
	const struct btf_type *proto = find_proto(link->btf, name);
	const struct btf_param *params;

	*import = (struct jf_import){.name = name};
	if (!proto)
		return true;
	if (btf_vlen(proto) > JF_ARGS_MAX || !read_value(link->btf, proto->type, &import->result))
		return false;
	params = btf_params(proto);
	/* The last type of "..." is void. */
	for (; import->arg_count < btf_vlen(proto) && params[import->arg_count].type; import->arg_count++)
		if (!read_value(link->btf, params[import->arg_count].type, &import->args[import->arg_count]))
			return false;
	return true;
}

void link_btf_kfunc(const struct link *link, const char *name, struct link_function *function, int64_t insn)
{
	const struct btf_type *proto = find_proto(link->btf, name);
	const struct btf_param *params;
	struct jf_c_value value;
	struct jf_import kfunc;

	if (!proto || bundle_kfunc(name, &kfunc) < 0)
		return; /* nothing is declared */
	if (!read_value(link->btf, proto->type, &value) || !same_value(value, kfunc.result))
		link_refuse(function, JF_E_BAD_IMAGE, insn,
			    "kfunc %s is declared with a result of %u bytes%s, not %u%s", name, value.bytes,
			    value.is_signed ? ", signed" : "", kfunc.result.bytes,
			    kfunc.result.is_signed ? ", signed" : "");
	params = btf_params(proto);
	for (uint32_t i = 0; i < btf_vlen(proto); i++) {
		if (params[i].type == 0) /* "..." */
			return;
		if (i < kfunc.arg_count && read_value(link->btf, params[i].type, &value) &&
		    same_value(value, kfunc.args[i]))
			continue;
		if (i >= kfunc.arg_count)
			link_refuse(function, JF_E_BAD_IMAGE, insn, "kfunc %s is declared with %u arguments, not %u",
				    name, btf_vlen(proto), kfunc.arg_count);
		else
			link_refuse(function, JF_E_BAD_IMAGE, insn,
				    "kfunc %s is declared with argument %u of %u bytes%s, not %u%s", name, i + 1,
				    value.bytes, value.is_signed ? ", signed" : "", kfunc.args[i].bytes,
				    kfunc.args[i].is_signed ? ", signed" : "");
		return;
	}
}
