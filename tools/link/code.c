/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <elf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

/* Puts references to functions, maps, kfuncs and data into instructions, as jitframe/program.h has them. */

static const char *const helper_names[] = {
#define NAME(name) #name
	__BPF_FUNC_MAPPER(NAME)
#undef NAME
};
_Static_assert(sizeof(helper_names) / sizeof(helper_names[0]) == __BPF_FUNC_MAX_ID, "one name for each");

static const uint32_t runner_helpers[] = {
#define HELPER(number, name) number,
#include "helpers.def"
#undef HELPER
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *link_helper_name(uint32_t number)
{
	return number > 0 && number < COUNT(helper_names) ? helper_names[number] : NULL;
}

/* One instruction and what it refers to. */
struct site {
	struct link *link;
	struct link_function *function;
	uint32_t index;
	struct jf_insn *insn;      /* insn[1] is there where insn[0] is lddw */
	const struct reloc *reloc; /* NULL: none */
	const struct symbol *symbol;
};

static void set_src(struct jf_insn *insn, unsigned int src)
{
	insn->regs = (uint8_t)((insn->regs & 0x0f) | src << 4);
}

static const char *symbol_name(const struct symbol *symbol)
{
	return symbol->name[0] ? symbol->name : "(no name)";
}

/* ---- calls -------------------------------------------------------------------------------------- */

static void link_helper(struct site *s)
{
	uint32_t number = (uint32_t)s->insn->imm;
	const char *name = link_helper_name(number);

	if (s->link->use == LINK_TO_SEE && number > 0 && number < LINK_HELPERS_MAX)
		return;
	for (size_t i = 0; i < COUNT(runner_helpers); i++)
		if (runner_helpers[i] == number)
			return;
	if (name)
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "helper bpf_%s (%u) is not there", name, number);
	else
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "helper %u is not there", number);
}

int32_t link_kfunc_index(struct link *link, const char *name)
{
	struct jf_import kfunc;

	for (uint32_t i = 0; i < link->kfunc_count; i++)
		if (strcmp(link->kfuncs[i].name, name) == 0)
			return (int32_t)i;
	if (bundle_kfunc(name, &kfunc) < 0 && (link->use != LINK_TO_SEE || !link_btf_import(link, name, &kfunc)))
		return -1;
	link->kfuncs[link->kfunc_count] = kfunc;
	return (int32_t)link->kfunc_count++;
}

/* Whether the function loads the symbol's address somewhere: the sign of a guard around a weak kfunc. */
static bool tests_address(const struct site *s)
{
	const struct section *section = &s->link->object.sections[s->function->section];
	uint64_t start = (uint64_t)s->function->first * 8, end = start + (uint64_t)s->function->insn_count * 8;

	for (uint32_t i = 0; i < section->reloc_count; i++) {
		const struct reloc *reloc = &section->relocs[i];

		if (reloc->off >= start && reloc->off < end && reloc->type == RELOC_LDDW &&
		    reloc->symbol == s->reloc->symbol)
			return true;
	}
	return false;
}

/* What compilers call it when a clean-up pad hands the throw on. */
static const char *kfunc_name(const char *name)
{
	return strcmp(name, "_Unwind_Resume") == 0 ? "bpf_unwind_resume" : name;
}

static void link_kfunc(struct site *s)
{
	int32_t kfunc = link_kfunc_index(s->link, kfunc_name(s->symbol->name));

	if (kfunc >= 0) {
		set_src(s->insn, JF_SRC_KFUNC);
		s->insn->imm = kfunc;
		link_btf_kfunc(s->link, s->symbol->name, s->function, s->index);
	} else if (s->symbol->bind == STB_WEAK && tests_address(s)) {
		/* Its address is 0 here, so its guard keeps this call from being reached; r0 = 0 stands there. */
		*s->insn = (struct jf_insn){.opcode = JF_INSN_MOV64_IMM};
	} else {
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index,
			    s->link->use == LINK_TO_SEE ? "kfunc %s takes or returns more than a register holds" :
							  "kfunc %s is not there",
			    symbol_name(s->symbol));
	}
}

/* `target` counts instructions of `section`. */
static void link_bpf_call(struct site *s, uint32_t section, int64_t target)
{
	int32_t callee = target < 0 ? -1 : link_function_at(s->link, section, (uint64_t)target);

	if (callee < 0) {
		link_refuse(s->function, JF_E_BAD_IMAGE, s->index,
			    "it calls instruction %" PRId64 " of section %s, where no function starts", target,
			    s->link->object.sections[section].name);
		return;
	}
	s->insn->imm = callee;
}

static void link_call(struct site *s)
{
	unsigned int src = s->insn->regs >> 4;

	if (s->reloc && s->reloc->type != RELOC_CALL)
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "relocation type %u at a call", s->reloc->type);
	else if (s->reloc && src != JF_SRC_FUNCTION)
		link_refuse(s->function, JF_E_BAD_IMAGE, s->index, "a relocation at a call that takes none");
	else if (s->reloc && s->symbol->undefined)
		link_kfunc(s);
	else if (s->reloc && s->symbol->section == 0)
		link_refuse(s->function, JF_E_BAD_IMAGE, s->index, "it calls %s, which is in no section",
			    symbol_name(s->symbol));
	else if (s->reloc)
		link_bpf_call(s, s->symbol->section, (int64_t)(s->symbol->value / 8) + s->insn->imm + 1);
	else if (src == JF_SRC_HELPER)
		link_helper(s);
	else if (src == JF_SRC_FUNCTION)
		link_bpf_call(s, s->function->section, (int64_t)s->function->first + s->index + s->insn->imm + 1);
	else
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "a call of kind %u", src);
}

/* ---- addresses ---------------------------------------------------------------------------------- */

static void set_lddw(struct site *s, unsigned int src, uint32_t low, uint32_t high)
{
	set_src(s->insn, src);
	s->insn[0].imm = (int32_t)low;
	s->insn[1].imm = (int32_t)high;
}

/* Where nothing runs: each extern's own place, far from code and maps. */
#define EXTERN_ADDRESS(symbol) (UINT64_C(0x7f1300000000) + (uint64_t)(symbol)*64)

/* A kfunc has an address to be told from 0, and nothing else can be done with it. */
static void link_extern_address(struct site *s)
{
	uint64_t made_up = EXTERN_ADDRESS(s->reloc->symbol);

	if (s->link->use == LINK_TO_SEE)
		set_lddw(s, JF_SRC_IMM64, (uint32_t)made_up, (uint32_t)(made_up >> 32));
	else if (link_kfunc_index(s->link, s->symbol->name) >= 0)
		set_lddw(s, JF_SRC_IMM64, 1, 0);
	else if (s->symbol->bind == STB_WEAK)
		set_lddw(s, JF_SRC_IMM64, 0, 0);
	else
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "extern %s is not there", symbol_name(s->symbol));
}

static void link_function_address(struct site *s, uint64_t off)
{
	int32_t function = off % 8 ? -1 : link_function_at(s->link, s->symbol->section, off / 8);

	if (function < 0)
		link_refuse(s->function, JF_E_BAD_IMAGE, s->index,
			    "it takes the address of byte %" PRId64 " of section %s, where no function starts",
			    (int64_t)off, s->link->object.sections[s->symbol->section].name);
	else
		set_lddw(s, JF_SRC_CODE, (uint32_t)function, 0);
}

static void link_data_address(struct site *s, uint64_t off)
{
	const struct section *section = &s->link->object.sections[s->symbol->section];
	int32_t map = link_map_at(s->link, s->symbol->section, off);

	if (map < 0) {
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index,
			    "it refers to byte %" PRId64 " of section %s (%s), which holds no map and no data",
			    (int64_t)off, section->name, symbol_name(s->symbol));
		return;
	}
	if (link_is_value(&s->link->maps[map], s->symbol->section))
		set_lddw(s, JF_SRC_MAP_VALUE, (uint32_t)map, (uint32_t)off);
	else
		set_lddw(s, JF_SRC_MAP, (uint32_t)map, 0);
}

static void link_lddw(struct site *s)
{
	uint64_t addend = (uint32_t)s->insn[0].imm | (uint64_t)(uint32_t)s->insn[1].imm << 32;

	if (!s->reloc) {
		if (s->insn->regs >> 4 != JF_SRC_IMM64)
			link_refuse(s->function, JF_E_BAD_IMAGE, s->index, "lddw of kind %u without a relocation",
				    s->insn->regs >> 4);
		return;
	}
	if (s->reloc->type != RELOC_LDDW)
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "relocation type %u at lddw", s->reloc->type);
	else if (s->symbol->undefined)
		link_extern_address(s);
	else if (s->symbol->section == 0)
		link_refuse(s->function, JF_E_UNSUPPORTED, s->index, "it refers to %s, which is in no section",
			    symbol_name(s->symbol));
	else if (section_is_code(&s->link->object.sections[s->symbol->section]))
		link_function_address(s, s->symbol->value + addend);
	else
		link_data_address(s, s->symbol->value + addend);
}

/* ---- all functions ------------------------------------------------------------------------------ */

static void link_function_insns(struct link *link, struct link_function *function)
{
	const struct section *section = &link->object.sections[function->section];

	for (uint32_t i = 0; i < function->insn_count; i++) {
		struct site s = {link, function, i, &function->insns[i], NULL, NULL};

		if (link_is_dead(s.insn))
			continue;
		s.reloc = section_reloc(section, ((uint64_t)function->first + i) * 8);
		if (s.reloc)
			s.symbol = &link->object.symbols[s.reloc->symbol];
		if (s.insn->opcode == JF_INSN_LDDW) {
			if (i + 1 == function->insn_count) {
				link_refuse(function, JF_E_BAD_IMAGE, i, "the function ends inside lddw");
				return;
			}
			if (section_reloc(section, ((uint64_t)function->first + i + 1) * 8))
				link_refuse(function, JF_E_BAD_IMAGE, i, "a relocation in the second half of lddw");
			link_lddw(&s);
			i++;
		} else if (s.insn->opcode == JF_INSN_CALL) {
			link_call(&s);
		} else if (s.reloc) {
			link_refuse(function, JF_E_UNSUPPORTED, i, "relocation type %u at opcode 0x%02x", s.reloc->type,
				    s.insn->opcode);
		}
	}
}

static enum jf_status check_code_relocs(struct link *link)
{
	for (uint32_t i = 1; i < link->object.section_count; i++) {
		const struct section *section = &link->object.sections[i];

		for (uint32_t k = 0; section_is_code(section) && k < section->reloc_count; k++)
			if (section->relocs[k].off % 8 != 0)
				return link_fail(link, JF_E_BAD_IMAGE, section->name,
						 "byte %" PRIu64 ": a relocation between two instructions",
						 section->relocs[k].off);
	}
	return JF_OK;
}

enum jf_status link_code(struct link *link)
{
	enum jf_status status = check_code_relocs(link);

	if (status != JF_OK)
		return status;
	/* Each is some symbol, or one of the three that load from packets. */
	link->kfuncs = calloc((size_t)link->object.symbol_count + 3, sizeof(*link->kfuncs));
	if (!link->kfuncs)
		return link_fail(link, JF_E_NO_MEMORY, "kfuncs", "no memory");
	for (uint32_t i = 0; i < link->function_count; i++)
		link_function_insns(link, &link->functions[i]);
	return JF_OK;
}
