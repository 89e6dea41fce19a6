/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the manual says otherwise than LLVM or Capstone. */
#include "bytes.h"

#include <string.h>

/* What a class may look at: the prefixes, and what follows them. */
struct parts {
	size_t ours, llvms; /* the instruction's size, to either; 0: none */
	bool data16, lock, rep, dead_rex;
	unsigned int prefixes; /* REX apart */
	uint8_t rex;
	const uint8_t *op;
};

static bool is_legacy_prefix(uint8_t byte)
{
	return memchr("\x66\x67\xf0\xf2\xf3\x26\x2e\x36\x3e\x64\x65", byte, 11);
}

static struct parts parts_of(const uint8_t *bytes, size_t ours, size_t llvms)
{
	struct parts p = {.ours = ours, .llvms = llvms, .op = bytes};

	for (;; p.op++) {
		if (p.rex)
			p.dead_rex |= (*p.op & 0xf0) == 0x40 || is_legacy_prefix(*p.op);
		if ((*p.op & 0xf0) == 0x40) {
			p.rex = *p.op;
			continue;
		}
		if (!is_legacy_prefix(*p.op))
			return p;
		p.prefixes++;
		p.data16 |= *p.op == 0x66;
		p.lock |= *p.op == 0xf0;
		p.rep |= (*p.op & 0xfe) == 0xf2;
		p.rex = 0;
	}
}

static bool is_vex(uint8_t byte)
{
	return byte == 0xc4 || byte == 0xc5 || byte == 0x62;
}

static bool is_vex_prefixed(const struct parts *p)
{
	return !p->ours && is_vex(*p->op) && (p->data16 || p->lock || p->rep || p->rex);
}

/* EVEX: W, L'L, vvvv, V', aaa, z and b are not looked at, nor is whether a register operand may be memory. */
static bool is_evex(const struct parts *p)
{
	return p->ours && !p->llvms && *p->op == 0x62;
}

/* EVEX.b on a register form turns L'L into rounding: Capstone 4 knows few; LLVM lets L'L = 3 pass. */
static bool is_apx(const struct parts *p)
{
	return !p->ours && (*p->op == 0xd5 || *p->op == 0x62);
}

static bool is_reserved_nop(const struct parts *p)
{
	return p->ours && p->op[0] == 0x0f && (p->op[1] == 0x0d || (p->op[1] >= 0x18 && p->op[1] <= 0x1f));
}

/* Capstone 4 has ud0 and ud1 without their ModRM. LLVM has no ud0. */
static bool is_ud(const struct parts *p)
{
	return p->ours && p->op[0] == 0x0f && (p->op[1] == 0xff || p->op[1] == 0xb9);
}

/* 66 makes a near branch 16 bits wide on AMD's processors; on Intel's it is ignored. */
static bool is_branch16(const struct parts *p)
{
	bool near = (p->op[0] & 0xfe) == 0xe8 || (p->op[0] == 0x0f && (p->op[1] & 0xf0) == 0x80) ||
		    (p->op[0] == 0xc7 && p->op[1] == 0xf8);

	return p->ours && near && p->data16;
}

/* XOP, FMA4, 3DNow!, SSE4a, SVM and what only AMD's manual has. */
static bool is_amd(const struct parts *p)
{
	static const uint8_t ops_0f[] = {0x01, 0x0e, 0x0f, 0x24, 0x25, 0x2b, 0x36, 0x78, 0x79, 0x7a, 0x7b, 0xa6, 0xa7};
	static const uint8_t groups[] = {0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7};

	if (p->ours)
		return false;
	if (p->op[0] == 0x0f)
		return memchr(ops_0f, p->op[1], sizeof(ops_0f));
	/* sal and test under a second number, which processors do know */
	if (memchr(groups, p->op[0], sizeof(groups)))
		return (p->op[1] >> 3 & 7) == (p->op[0] >= 0xf6 ? 1 : 6);
	return p->op[0] == 0x8f || (p->op[0] == 0xc4 && (p->op[1] & 31) == 3);
}

static bool is_locked(const struct parts *p)
{
	return !p->ours && p->lock;
}

static bool is_mov_to_cs(const struct parts *p)
{
	return !p->ours && p->op[0] == 0x8e && (p->op[1] >> 3 & 7) == 1;
}

/* Mask, tile and segment registers are eight or less: R, X, B and vvvv name others, which raises #UD. */
static bool is_of_eight(const struct parts *p)
{
	uint8_t op = p->op[0] == 0xc5 ? p->op[2] : p->op[3], map = p->op[0] == 0xc5 ? 1 : p->op[1] & 31;

	if (!p->ours || (p->op[0] & 0xfe) != 0xc4)
		return p->ours && (p->op[0] == 0x8c || p->op[0] == 0x8e) && (p->rex & 4);
	if (map == 2)
		return op >= 0x49 && op <= 0x6c;
	return map == 1 ? (op & 0xd0) == 0x40 || (op & 0xf0) == 0x90 : (op & 0xf0) == 0x30;
}

/* F2 and F3 go before 66 when there are both. */
static bool is_two_mandatory(const struct parts *p)
{
	return p->data16 && p->rep && p->op[0] == 0x0f;
}

/*
 * LLVM 19 and Capstone 5 have no 90 with both 66 and F3. The manual has F3 90 as PAUSE whatever else precedes, and
 * F3 as of no effect on XCHG, which 90 is with REX.B; processors do so. Capstone 4 has this instruction.
 */
static bool is_pause16(const struct parts *p)
{
	return p->ours && !p->llvms && p->op[0] == 0x90 && p->data16 && p->rep;
}

/* MOVDIR64B is 66 0F 38 F8. LLVM 19 and Capstone 5 take 67 with REX.W for its 66. */
static bool is_movdir64b(const struct parts *p)
{
	return !p->ours && !p->data16 && !p->rep && p->prefixes && p->rex & 8 && memcmp(p->op, "\x0f\x38\xf8", 3) == 0;
}

/* LLVM 19 and Capstone take 66, F2 and F3 for part of the opcode only where nothing but REX is behind them. */
static bool is_apart(const struct parts *p)
{
	return (p->data16 || p->rep) && p->prefixes > 1 && p->op[0] == 0x0f;
}

/* A REX that has a prefix behind it, or another REX, is nothing. */
static bool is_dead_rex(const struct parts *p)
{
	return p->dead_rex;
}

/* MOV from and to control registers: memory forms do not exist; the others' opinions on numbers vary. */
static bool is_control_register(const struct parts *p)
{
	return p->op[0] == 0x0f && (p->op[1] & 0xfc) == 0x20 && (p->ours == 0) == (p->op[2] < 0xc0);
}

static const struct class
{
	const char *name;
	bool (*is)(const struct parts *p);
} classes[] = {
	{"prefixes before VEX and EVEX", is_vex_prefixed},
	{"EVEX bits that raise #UD", is_evex},
	{"APX", is_apx},
	{"reserved no-operations", is_reserved_nop},
	{"ud0 and ud1", is_ud},
	{"near branches with 66", is_branch16},
	{"AMD's own", is_amd},
	{"LOCK where it may not be", is_locked},
	{"mov to CS", is_mov_to_cs},
	{"registers of which there are eight", is_of_eight},
	{"66 beside F2 or F3", is_two_mandatory},
	{"control registers", is_control_register},
	{"90 with 66 and F3", is_pause16},
	{"movdir64b without 66", is_movdir64b},
	{"mandatory prefixes and others", is_apart},
	{"REX apart from its opcode", is_dead_rex},
};

#define CLASS_COUNT (sizeof(classes) / sizeof(classes[0]))
_Static_assert(CLASS_COUNT <= X86_64_CLASSES_MAX, "room to count in");

int x86_64_class(const uint8_t *bytes, size_t ours, size_t llvms)
{
	struct parts p = parts_of(bytes, ours, llvms);

	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (classes[i].is(&p))
			return (int)i;
	return -1;
}

const char *x86_64_class_name(int class)
{
	return class >= 0 && (size_t) class < CLASS_COUNT ? classes[class].name : NULL;
}
