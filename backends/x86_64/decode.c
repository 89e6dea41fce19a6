/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of 64-bit mode, split: all of the opcode maps but AMD's own (XOP, FMA4, 3DNow!, SSE4a, SVM) and
 * APX, which are refused.
 *
 * Prefixes that mean nothing to an instruction are let pass, as processors do, but for LOCK. What raises #UD by EVEX
 * bits alone (W, L'L, vvvv, masks, broadcasts) is let pass, too: nothing of the length hangs on it, and the
 * instruction does not get to do anything.
 */
#include "decode.h"

struct reader {
	const uint8_t *bytes;
	size_t count;
	size_t at;
	enum jf_status status; /* the first failure; from there on bytes are 0 */
};

static void refuse(struct reader *r)
{
	if (r->status == JF_OK)
		r->status = JF_E_NOT_FOUND;
}

static uint8_t next(struct reader *r)
{
	if (r->status != JF_OK)
		return 0;
	if (r->at >= INSN_BYTES_MAX)
		r->status = JF_E_NOT_FOUND;
	else if (r->at >= r->count)
		r->status = JF_E_NOSPACE;
	else
		return r->bytes[r->at++];
	return 0;
}

static int64_t next_signed(struct reader *r, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)next(r) << 8 * i;
	if (bytes > 0 && bytes < 8)
		value = (value ^ UINT64_C(1) << (8 * bytes - 1)) - (UINT64_C(1) << (8 * bytes - 1));
	return (int64_t)value;
}

/* ---- prefixes and opcode -------------------------------------------------------------------------- */

/* Takes one legacy prefix. returns: whether there was one. */
static bool take_prefix(struct insn *i, uint8_t byte)
{
	switch (byte) {
	case 0x66: i->data16 = true; return true;
	case 0x67: i->addr32 = true; return true;
	case 0xf0: i->lock = true; return true;
	case 0xf2:
	case 0xf3: i->rep = byte; return true;
	case 0x64:
	case 0x65: i->segment = true; return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e: i->flat = true; return true;
	default: return false;
	}
}

/* R X B of VEX and EVEX are inverted. */
static void take_rxb(struct insn *i, uint8_t byte)
{
	i->reg = (byte & 0x80) ? 0 : 8;
	i->mem.index = (byte & 0x40) ? 0 : 8;
	i->mem.base = i->rm = (byte & 0x20) ? 0 : 8;
}

static void take_wvvvvpp(struct insn *i, uint8_t byte)
{
	i->w = byte & 0x80;
	i->vvvv = ~byte >> 3 & 15;
	i->pp = byte & 3;
}

/* Behind C5, C4, 62. returns: the map; NULL when there is none. */
static const struct opcode_map *take_vex(struct reader *r, struct insn *i, uint8_t escape)
{
	uint8_t byte = next(r);
	unsigned int map = 1;

	i->vex = escape;
	/* #UD: prefixes that VEX has bits for, and LOCK. */
	if (i->data16 || i->rep || i->lock || i->has_rex)
		refuse(r);
	if (escape == 0xc5) {
		take_rxb(i, byte | 0x60);
		take_wvvvvpp(i, byte & 0x7f);
		i->vector_bytes = byte & 4 ? 32 : 16;
	} else if (escape == 0xc4) {
		take_rxb(i, byte);
		map = byte & 31;
		byte = next(r);
		take_wvvvvpp(i, byte);
		i->vector_bytes = byte & 4 ? 32 : 16;
	} else {
		take_rxb(i, byte);
		i->high_reg = !(byte & 0x10);
		map = byte & 15;
		byte = next(r);
		take_wvvvvpp(i, byte);
		if (!(byte & 4))
			refuse(r);
		byte = next(r);
		i->vector_bytes = (uint8_t)(16 << (byte >> 5 & 3));
		if (i->vector_bytes > 64)
			i->vector_bytes = 64; /* with registers these bits mean rounding */
		return map < sizeof(jf_x86_64_evex_maps) / sizeof(jf_x86_64_evex_maps[0]) ? &jf_x86_64_evex_maps[map] :
											    NULL;
	}
	return map < sizeof(jf_x86_64_vex_maps) / sizeof(jf_x86_64_vex_maps[0]) ? &jf_x86_64_vex_maps[map] : NULL;
}

/* Up to the opcode's last byte. */
static const struct opcode_map *take_opcode(struct reader *r, struct insn *i)
{
	uint8_t byte = next(r), rex = 0;
	const struct opcode_map *map = &jf_x86_64_map_1;

	for (;; byte = next(r)) {
		if ((byte & 0xf0) == 0x40)
			rex = byte; /* counts only where the opcode follows */
		else if (take_prefix(i, byte))
			rex = 0;
		else
			break;
	}
	i->has_rex = rex != 0;
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
		map = take_vex(r, i, byte);
		i->op = next(r);
		return map;
	}
	i->w = rex & 8;
	i->reg = (rex & 4) << 1;
	i->mem.index = (rex & 2) << 2;
	i->mem.base = i->rm = (rex & 1) << 3;
	i->pp = i->rep == 0xf3 ? 2 : i->rep ? 3 : i->data16;
	i->vector_bytes = 16;
	if (byte == 0x0f) {
		byte = next(r);
		map = &jf_x86_64_0f_maps[byte == 0x38 ? 2 : byte == 0x3a ? 3 : 1];
		if (byte == 0x38 || byte == 0x3a)
			byte = next(r);
	}
	i->op = byte;
	return map;
}

/* ---- the opcode's row ----------------------------------------------------------------------------- */

static bool matches(const struct opcode *o, const struct insn *i)
{
	unsigned int when = 1u << (2 * i->pp + i->w);
	unsigned int digit = 1u << (i->reg & 7), rm = 1u << (i->rm & 7);

	if (!(o->when & when))
		return false;
	if (i->vex && i->vex != 0x62) {
		if (!(o->when & (i->vector_bytes == 32 ? L1 : L0)) || (i->vvvv && !(o->rm & V)))
			return false;
	}
	if (!(o->rm & MR))
		return true;
	if (!(o->rm & (i->mod == 3 ? R : M)) || !(o->digits & digit))
		return false;
	return i->mod == 3 ? (o->rms & rm) != 0 : !(o->rm & SIB) || (i->rm & 7) == 4;
}

/* The first row of this opcode: the only one that is asked for before the ModRM is read. */
static const struct opcode *first_row(const struct opcode_map *map, uint8_t op)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (map->rows[middle].last < op)
			low = middle + 1;
		else
			high = middle;
	}
	return low < map->count && map->rows[low].first <= op ? &map->rows[low] : NULL;
}

static void take_modrm(struct reader *r, struct insn *i)
{
	uint8_t byte = next(r);

	i->mod = byte >> 6;
	i->reg |= byte >> 3 & 7;
	i->rm |= byte & 7;
}

static void find_row(struct reader *r, struct insn *i, const struct opcode_map *map)
{
	/* Arithmetic has eight blocks of the same form; what is behind them were 32-bit mode's instructions. */
	uint8_t op = map == &jf_x86_64_map_1 && i->op < 0x40 ? i->op & 7 : i->op;
	const struct opcode *o = r->status == JF_OK ? first_row(map, op) : NULL;

	if (!o) {
		refuse(r);
		return;
	}
	if (o->rm & MR)
		take_modrm(r, i);
	while (o < map->rows + map->count && o->first <= op && !matches(o, i))
		o++;
	if (o == map->rows + map->count || o->first > op)
		refuse(r);
	else
		i->opcode = o;
}

/* ---- operands ------------------------------------------------------------------------------------- */

/* Volume 2, tables 2-2 and 2-3; [rip + disp32] is in section 2.2.1. */
static void take_address(struct reader *r, struct insn *i)
{
	uint8_t base = i->rm & 7, index = 4, sib;
	uint8_t base_bit = i->mem.base, index_bit = i->mem.index;

	i->mem.base = i->mem.index = JF_REG_NONE;
	if (base == 4) {
		sib = next(r);
		i->mem.scale = sib >> 6;
		index = (sib >> 3 & 7) | index_bit;
		base = sib & 7;
		if (index != 4)
			i->mem.index = index;
		if (base != 5 || i->mod != 0)
			i->mem.base = base | base_bit;
	} else if (base != 5 || i->mod != 0) {
		i->mem.base = base | base_bit;
	} else {
		i->mem.at_pc = true;
	}
	if (i->mod == 1) {
		i->mem.disp = next_signed(r, 1);
		i->scaled = i->vex == 0x62 && i->mem.disp != 0;
	} else if (i->mod == 2 || i->mem.at_pc || i->mem.base == JF_REG_NONE) {
		i->mem.disp = next_signed(r, 4);
	}
	/* An address of 32 bits is in the lowest 4 GiB, where no stack is. */
	i->mem.elsewhere = i->segment || i->addr32 || i->mem.at_pc;
}

static void take_imm(struct reader *r, struct insn *i)
{
	unsigned int size = i->w ? 8 : i->data16 ? 2 : 4;

	switch (i->opcode->imm) {
	case I8:
	case J8: i->imm = next_signed(r, 1); break;
	case I16: i->imm = next_signed(r, 2); break;
	case IZ: i->imm = next_signed(r, size == 2 ? 2 : 4); break;
	case IV: i->imm = next_signed(r, size); break;
	case I16I8:
		i->imm = next_signed(r, 2);
		i->level = next(r);
		break;
	case IO:
		i->imm = next_signed(r, i->addr32 ? 4 : 8);
		i->mem.base = i->mem.index = JF_REG_NONE;
		i->mem.elsewhere = true;
		break;
	case JZ: i->imm = next_signed(r, 4); break;
	default: break;
	}
}

static bool may_lock(const struct insn *i)
{
	if (!(i->opcode->rm & M) || i->mod == 3)
		return false;
	switch (i->opcode->op) {
	case OP_ALU:
		return (i->opcode->form == EG || i->opcode->form == EI) &&
		       (i->op < 0x40 ? i->op >> 3 : i->reg & 7) != 7;
	case OP_XCHG:
	case OP_XADD:
	case OP_CMPXCHG:
	case OP_CMPXCHG2:
	case OP_INC:
	case OP_DEC:
	case OP_NOT:
	case OP_CHANGE_LOCK: return true;
	case OP_BIT: return i->op != 0xa3;
	default: return false;
	}
}

enum jf_status jf_x86_64_split(const uint8_t *bytes, size_t count, struct insn *insn)
{
	struct reader r = {.bytes = bytes, .count = count, .status = JF_OK};
	const struct opcode_map *map;

	memset(insn, 0, sizeof(*insn));
	map = take_opcode(&r, insn);
	if (map)
		find_row(&r, insn, map);
	else
		refuse(&r);
	if (r.status != JF_OK)
		return r.status;
	if ((insn->opcode->rm & M) && insn->mod != 3)
		take_address(&r, insn);
	take_imm(&r, insn);
	if (insn->lock && !may_lock(insn))
		refuse(&r);
	if (insn->high_reg && (insn->opcode->form == G || insn->opcode->form == GE))
		refuse(&r); /* there are 16 */
	insn->size_bytes = (uint8_t)r.at;
	if (insn->mem.at_pc)
		insn->mem.disp += insn->size_bytes;
	return r.status;
}

enum jf_status jf_x86_64_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect)
{
	struct insn insn;
	enum jf_status status = jf_x86_64_split(bytes, count, &insn);

	if (status == JF_OK)
		jf_x86_64_effect(&insn, effect);
	return status;
}
