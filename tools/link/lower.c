/* SPDX-License-Identifier: BSD-2-Clause */
#include "linker.h"

#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "packet_fields.h"

/*
 * Instructions that no backend has, in the terms of those that every backend has:
 *
 *     gotox rX        if rX == entry goto its target, for each entry of the function's jump tables; then a jump to
 *                     itself
 *     LD_ABS, LD_IND  a call of bpf_skb_load_helper_*(), which gives less than 0 for bytes that the packet has not;
 *                     then r0 = 0; exit
 *
 *     rX = variable of .percpu
 *                     then rX += the processor's base
 *
 * The last two are what a kernel does, too. Jumps over what grew are made longer, and lines move with their
 * instructions.
 */

#define GOTOX   0x0d
#define LD_ABS  0x20
#define LD_IND  0x40
#define LD_MODE 0xe7 /* all but the size */
#define JA      0x05
#define GOTOL   0x06
#define MOV64   0xbf
#define PER_CPU (-1) /* in `off` of a MOV64: the base is added */
#define CTX     6    /* LD_ABS and LD_IND take the packet of R6 */

#define LOAD_INSNS_MAX 7

#define HOLDS(type, field, place) _Static_assert(offsetof(struct type, field) == (place), "as in linux/bpf.h")
HOLDS(__sk_buff, len, SKB_LEN);
HOLDS(__sk_buff, protocol, SKB_PROTOCOL);
HOLDS(__sk_buff, ifindex, SKB_IFINDEX);
HOLDS(__sk_buff, data, SKB_DATA);
HOLDS(__sk_buff, data_end, SKB_DATA_END);
HOLDS(__sk_buff, data_meta, SKB_DATA_META);
HOLDS(__sk_buff, sk, SKB_SK);
HOLDS(xdp_md, data, XDP_DATA);
HOLDS(xdp_md, data_end, XDP_DATA_END);
HOLDS(xdp_md, data_meta, XDP_DATA_META);
HOLDS(xdp_md, ingress_ifindex, XDP_INGRESS_IFINDEX);

/* One function while it grows. */
struct growth {
	struct link *link;
	struct link_function *function;
	uint32_t *entries; /* of its jump tables, each once: bytes in the section */
	uint32_t entry_count;
	uint32_t *place; /* by old index: the new one; one more behind the last */
	struct jf_insn *insns;
	uint32_t count;
};

static bool is_packet_load(const struct jf_insn *insn)
{
	return (insn->opcode & LD_MODE) == LD_ABS || (insn->opcode & LD_MODE) == LD_IND;
}

static bool is_wide(const struct jf_insn *insn)
{
	return insn->opcode == JF_INSN_LDDW;
}

static bool is_percpu(const struct link *link, const struct jf_insn *insn)
{
	return is_wide(insn) && jf_insn_src(insn) == JF_SRC_MAP_VALUE &&
	       bundle_map_is_percpu(&link->maps[insn->imm].def);
}

static bool grows(const struct link *link, const struct link_function *function)
{
	for (uint32_t i = 0; i < function->insn_count; i += is_wide(&function->insns[i]) ? 2 : 1)
		if (function->insns[i].opcode == GOTOX || is_packet_load(&function->insns[i]) ||
		    is_percpu(link, &function->insns[i]))
			return true;
	return false;
}

/* ---- jump tables -------------------------------------------------------------------------------- */

static bool starts_insn(const struct link_function *function, uint64_t index)
{
	for (uint32_t i = 0; i <= index && i < function->insn_count; i += is_wide(&function->insns[i]) ? 2 : 1)
		if (i == index)
			return true;
	return false;
}

static void add_entry(struct growth *g, const char *table, uint32_t number, uint64_t value)
{
	const struct link_function *function = g->function;
	uint64_t index = value / 8 - function->first;

	if (value % 8 || value / 8 < function->first || !starts_insn(function, index)) {
		link_refuse(g->function, JF_E_BAD_IMAGE, -1,
			    "entry %u of jump table %s is byte %" PRIu64 " of the section, where none of its "
			    "instructions starts",
			    number, table, value);
		return;
	}
	for (uint32_t i = 0; i < g->entry_count; i++)
		if (g->entries[i] == value)
			return;
	g->entries[g->entry_count++] = (uint32_t)value;
}

static void add_table(struct growth *g, const struct symbol *symbol)
{
	const struct section *section = &g->link->object.sections[symbol->section];

	if (!section->bytes || symbol->value > section->size || symbol->size > section->size - symbol->value ||
	    symbol->size % 8) {
		link_refuse(g->function, JF_E_BAD_IMAGE, -1, "jump table %s is not inside its section", symbol->name);
		return;
	}
	for (uint32_t i = 0; i < symbol->size / 8; i++) {
		uint64_t value;

		memcpy(&value, section->bytes + symbol->value + (size_t)i * 8, 8);
		add_entry(g, symbol->name, i, value);
	}
}

/* Every table whose address the function takes. */
static enum jf_status find_entries(struct growth *g)
{
	const struct object *object = &g->link->object;
	const struct section *code = &object->sections[g->function->section];
	uint64_t start = (uint64_t)g->function->first * 8, end = start + (uint64_t)g->function->insn_count * 8;
	uint32_t tables = object_section(object, SECTION_JUMP_TABLES);

	g->entries = calloc(tables ? (size_t)(object->sections[tables].size / 8) + 1 : 1, sizeof(*g->entries));
	if (!g->entries)
		return JF_E_NO_MEMORY;
	for (uint32_t i = 0; tables && i < code->reloc_count; i++) {
		const struct reloc *reloc = &code->relocs[i];

		if (reloc->off >= start && reloc->off < end && object->symbols[reloc->symbol].section == tables)
			add_table(g, &object->symbols[reloc->symbol]);
	}
	return JF_OK;
}

/* ---- the instructions --------------------------------------------------------------------------- */

static void put(struct growth *g, struct jf_insn insn)
{
	g->insns[g->count++] = insn;
}

/* `to`: an old index. */
static void put_jump(struct growth *g, uint32_t at, struct jf_insn insn, int64_t to)
{
	int64_t distance = to < 0 || to > g->function->insn_count ? 0 : (int64_t)g->place[to] - g->count - 1;

	if (insn.opcode == GOTOL)
		insn.imm = (int32_t)distance;
	else if (distance == (int16_t)distance)
		insn.off = (int16_t)distance;
	else
		link_refuse(g->function, JF_E_UNSUPPORTED, at,
			    "jump tables or packet loads make it a jump of %" PRId64 " instructions, over its 16 bits",
			    distance);
	put(g, insn);
}

static void put_gotox(struct growth *g, uint32_t at, const struct jf_insn *insn)
{
	const struct jf_insn equal = {.opcode = 0x15, .regs = insn->regs};

	if (insn->regs >> 4 || insn->off || insn->imm)
		link_refuse(g->function, JF_E_BAD_INSN, at, "gotox: reserved field is not zero");
	if (!g->entry_count)
		link_refuse(g->function, JF_E_UNSUPPORTED, at,
			    "gotox, and the function takes the address of no table in section " SECTION_JUMP_TABLES);
	for (uint32_t i = 0; i < g->entry_count; i++) {
		struct jf_insn jump = equal;

		jump.imm = (int32_t)g->entries[i];
		put_jump(g, at, jump, (int64_t)(g->entries[i] / 8) - g->function->first);
	}
	/* An address of no entry does not get further. Back to a compare: Linux's JITs take the distance of a jump to
	 * itself for one that is not known yet, and make other instructions of the jump. */
	put(g, (struct jf_insn){.opcode = JA, .off = g->entry_count ? -2 : -1});
}

static uint32_t packet_load_insns(const struct jf_insn *insn)
{
	return (insn->opcode & LD_MODE) == LD_IND && insn->imm ? LOAD_INSNS_MAX : LOAD_INSNS_MAX - 1;
}

static void put_packet_load(struct growth *g, uint32_t at, const struct jf_insn *insn)
{
	static const char *const loads[] = {"bpf_skb_load_helper_32", "bpf_skb_load_helper_16", "bpf_skb_load_helper_8",
					    NULL};
	const char *load = loads[insn->opcode >> 3 & 3];
	bool indexed = (insn->opcode & LD_MODE) == LD_IND;
	int32_t kfunc = load ? link_kfunc_index(g->link, load) : -1;

	if (kfunc < 0 || insn->off || (insn->regs & 0x0f) || (!indexed && insn->regs >> 4))
		link_refuse(g->function, JF_E_BAD_INSN, at, "a load from a packet of 8 bytes, or of reserved fields");
	if (indexed)
		put(g, (struct jf_insn){.opcode = 0xbf, .regs = (uint8_t)(2 | (insn->regs & 0xf0))});
	if (!indexed || insn->imm)
		put(g, (struct jf_insn){.opcode = indexed ? 0x07 : 0xb7, .regs = 2, .imm = insn->imm});
	put(g, (struct jf_insn){.opcode = 0xbf, .regs = 1 | CTX << 4});
	put(g, (struct jf_insn){.opcode = JF_INSN_CALL, .regs = JF_SRC_KFUNC << 4, .imm = kfunc});
	put(g, (struct jf_insn){.opcode = 0x75, .regs = 0, .off = 2}); /* if r0 s>= 0 */
	put(g, (struct jf_insn){.opcode = 0xb7});
	put(g, (struct jf_insn){.opcode = JF_INSN_EXIT});
}

static bool is_jump(const struct jf_insn *insn)
{
	uint8_t class = insn->opcode & 7;

	return (class == JF_CLASS_JMP || class == JF_CLASS_JMP32) && insn->opcode != JF_INSN_EXIT &&
	       (insn->opcode & 0xf0) != JF_JMP_CALL << 4;
}

static void put_all(struct growth *g)
{
	const struct link_function *function = g->function;

	for (uint32_t i = 0; i < function->insn_count; i++) {
		const struct jf_insn *insn = &function->insns[i];

		if (insn->opcode == GOTOX)
			put_gotox(g, i, insn);
		else if (is_packet_load(insn))
			put_packet_load(g, i, insn);
		else if (is_jump(insn))
			put_jump(g, i, *insn, (int64_t)i + 1 + (insn->opcode == GOTOL ? insn->imm : insn->off));
		else
			put(g, *insn);
		if (is_wide(insn) && i + 1 < function->insn_count)
			put(g, function->insns[++i]);
		if (is_percpu(g->link, insn))
			put(g, (struct jf_insn){
				       .opcode = MOV64, .regs = (uint8_t)((insn->regs & 0x0f) * 0x11), .off = PER_CPU});
	}
}

/* ---- one function ------------------------------------------------------------------------------- */

static uint32_t new_count(const struct growth *g, const struct jf_insn *insn)
{
	return insn->opcode == GOTOX ? g->entry_count + 1 : is_packet_load(insn) ? packet_load_insns(insn) : 1;
}

static enum jf_status make_room(struct growth *g)
{
	uint32_t count = g->function->insn_count;
	uint64_t at = 0;

	g->place = calloc((size_t)count + 1, sizeof(*g->place));
	if (!g->place)
		return JF_E_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		const struct jf_insn *insn = &g->function->insns[i];

		g->place[i] = (uint32_t)at;
		at += new_count(g, insn);
		if (is_wide(insn) && i + 1 < count)
			g->place[++i] = (uint32_t)at++;
		at += is_percpu(g->link, insn);
	}
	g->place[count] = (uint32_t)at;
	g->insns = at > INT32_MAX ? NULL : calloc((size_t)at, sizeof(*g->insns));
	return g->insns ? JF_OK : JF_E_NO_MEMORY;
}

static enum jf_status grow(struct link *link, struct link_function *function, struct bundle_line *lines)
{
	struct growth g = {.link = link, .function = function};
	enum jf_status status = find_entries(&g);

	if (status == JF_OK)
		status = make_room(&g);
	if (status == JF_OK && function->cleanup_count)
		link_refuse(function, JF_E_UNSUPPORTED, -1,
			    "it has clean-up pads beside jump tables or packet loads, which move them");
	if (status == JF_OK) {
		put_all(&g);
		for (uint32_t i = 0; i < function->line_count; i++)
			lines[i].insn = g.place[lines[i].insn];
		free(function->insns);
		function->insns = g.insns;
		function->insn_count = g.count;
	}
	free(g.entries);
	free(g.place);
	return status;
}

enum jf_status link_lower(struct link *link)
{
	struct bundle_line *lines = link->lines;

	for (uint32_t i = 0; i < link->function_count; i++) {
		struct link_function *function = &link->functions[i];

		if (function->refused.status == JF_OK && grows(link, function) && grow(link, function, lines) != JF_OK)
			return link_fail(link, JF_E_NO_MEMORY, function->name, "no memory");
		if (lines)
			lines += function->line_count;
	}
	return JF_OK;
}
