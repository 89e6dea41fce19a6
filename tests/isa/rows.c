/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows.h"

#include <stdarg.h>
#include <stdio.h>

#include "isa.h"

/* Where rows go. */
struct out {
	isa_section_fn section;
	isa_row_fn row;
	void *to;
};

static void put(const struct out *out, struct jf_insn insn, const char *fields, const char *fmt, ...) JF_PRINTF(4, 5);

static void put(const struct out *out, struct jf_insn insn, const char *fields, const char *fmt, ...)
{
	struct isa_row row = {.insn = insn};
	va_list args;

	va_start(args, fmt);
	vsnprintf(row.text, sizeof(row.text), fmt, args);
	va_end(args);
	snprintf(row.fields, sizeof(row.fields), "%s", fields);
	out->row(out->to, &row);
}

static struct jf_insn make(unsigned int opcode, unsigned int dst, unsigned int src, int off, int32_t imm)
{
	return (struct jf_insn){(uint8_t)opcode, (uint8_t)(dst | src << 4), (int16_t)off, imm};
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

static void alu(const struct out *out, unsigned int class, char kind)
{
	static const struct {
		uint8_t code;
		int8_t off;
		const char *text;
	} codes[] = {
		{ADD, 0, "+="},  {SUB, 0, "-="}, {MUL, 0, "*="},  {DIV, 0, "/="},    {DIV, 1, "s/="},
		{OR, 0, "\\|="}, {AND, 0, "&="}, {LSH, 0, "<<="}, {RSH, 0, ">>="},   {MOD, 0, "%="},
		{MOD, 1, "s%="}, {XOR, 0, "^="}, {MOV, 0, "="},   {ARSH, 0, "s>>="},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const char *fields = codes[i].off ? "off 1" : "";

		put(out, make(class | codes[i].code | K, R1, 0, codes[i].off, 3), fields, "%c1 %s imm", kind,
		    codes[i].text);
		put(out, make(class | codes[i].code | X, R1, R2, codes[i].off, 0), fields, "%c1 %s %c2", kind,
		    codes[i].text, kind);
	}
	for (int bits = 8; bits <= (class == ALU ? 16 : 32); bits *= 2) {
		char fields[16];

		snprintf(fields, sizeof(fields), "off %d", bits);
		put(out, make(class | MOV | X, R1, R2, bits, 0), fields, "%c1 = (s%d)%c2", kind, bits, kind);
	}
	put(out, make(class | NEG, R1, 0, 0, 0), "", "%c1 = -%c1", kind, kind);
}

static void swaps(const struct out *out)
{
	static const struct {
		uint8_t opcode;
		const char *name;
	} forms[] = {{ALU | END | K, "le"}, {ALU | END | X, "be"}, {ALU64 | END | K, "bswap"}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (int bits = 16; bits <= 64; bits *= 2) {
			char fields[16];

			snprintf(fields, sizeof(fields), "imm %d", bits);
			put(out, make(forms[i].opcode, R1, 0, 0, bits), fields, "r1 = %s%d(r1)", forms[i].name, bits);
		}
	}
}

/* ---- jumps -------------------------------------------------------------------------------------- */

static void conditional(const struct out *out, unsigned int class, char kind)
{
	static const struct {
		uint8_t code;
		const char *text;
	} codes[] = {
		{JEQ, "=="},   {JGT, ">"}, {JGE, ">="}, {JSET, "&"},  {JNE, "!="},   {JSGT, "s>"},
		{JSGE, "s>="}, {JLT, "<"}, {JLE, "<="}, {JSLT, "s<"}, {JSLE, "s<="},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		put(out, make(class | codes[i].code | K, R1, 0, 1, 3), "", "if %c1 %s imm goto", kind, codes[i].text);
		put(out, make(class | codes[i].code | X, R1, R2, 1, 0), "", "if %c1 %s %c2 goto", kind, codes[i].text,
		    kind);
	}
}

static void jumps(const struct out *out)
{
	put(out, make(JMP | JA, 0, 0, 1, 0), "", "goto off");
	put(out, make(JMP32 | JA, 0, 0, 0, 1), "", "gotol imm");
	put(out, make(JMP | JCOND, 0, 0, 1, 0), "", "may_goto off (timed)");
	put(out, make(JMP | CALL, 0, HELPER, 0, 1), "src 0", "call helper");
	put(out, make(JMP | CALL, 0, HELPER, 0, 12), "src 0, imm 12", "tail call");
	put(out, make(JMP | CALL, 0, LOCAL, 0, 1), "src 1", "call function");
	put(out, make(JMP | CALL, 0, RUNTIME, 0, 0), "src 2", "call kfunc");
	put(out, make(JMP | CALL | X, R2, 0, 0, 0), "dst", "callx r2");
	put(out, make(JMP | CALL | X, 0, 0, 0, R2), "imm (older compilers)", "callx r2");
	put(out, make(JMP | EXIT, 0, 0, 0, 0), "", "exit");
}

/* ---- memory ------------------------------------------------------------------------------------- */

static const struct {
	uint8_t size;
	unsigned int bits;
} sizes[] = {{B, 8}, {H, 16}, {W, 32}, {DW, 64}};

static void imm64(const struct out *out)
{
	static const struct {
		uint8_t src;
		const char *fields, *text;
	} kinds[] = {
		{0, "src 0", "r1 = imm64"},
		{1, "src 1", "r1 = map (by index here)"},
		{2, "src 2", "r1 = value in a map"},
		{3, "src 3", "r1 = variable of the platform"},
		{4, "src 4", "r1 = function"},
		{5, "src 5", "r1 = map by index"},
		{6, "src 6", "r1 = value in a map by index"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		put(out, make(LD | IMM | DW, R1, kinds[i].src, 0, 0), kinds[i].fields, "%s", kinds[i].text);
}

static void loads(const struct out *out, unsigned int mode, unsigned int mode_sx, const char *place)
{
	unsigned int base = mode == MEM ? R10 : R2;

	for (size_t i = 0; i < 4; i++)
		put(out, make(LDX | mode | sizes[i].size, R1, base, -8, 0), "", "r1 = \\*(u%u \\*)(%s)", sizes[i].bits,
		    place);
	for (size_t i = 0; i < 3; i++)
		put(out, make(LDX | mode_sx | sizes[i].size, R1, base, -8, 0), "", "r1 = \\*(s%u \\*)(%s)",
		    sizes[i].bits, place);
	for (size_t i = 0; i < 4; i++)
		put(out, make(ST | mode | sizes[i].size, base, 0, -8, 3), "", "\\*(u%u \\*)(%s) = imm", sizes[i].bits,
		    place);
	for (size_t i = 0; i < 4; i++)
		put(out, make(STX | mode | sizes[i].size, base, R1, -8, 0), "", "\\*(u%u \\*)(%s) = r1", sizes[i].bits,
		    place);
}

static void atomics(const struct out *out, unsigned int mode, const char *place)
{
	static const struct {
		int32_t imm;
		const char *text;
	} codes[] = {
		{ADD, "+= r1"},
		{OR, "\\|= r1"},
		{AND, "&= r1"},
		{XOR, "^= r1"},
		{ADD | FETCH, "+= r1, fetch"},
		{OR | FETCH, "\\|= r1, fetch"},
		{AND | FETCH, "&= r1, fetch"},
		{XOR | FETCH, "^= r1, fetch"},
		{XCHG, "<-> r1"},
		{CMPXCHG, "== r0 ? = r1"},
	};
	unsigned int base = mode == ATOMIC ? R10 : R2;
	char fields[16];

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(fields, sizeof(fields), "imm 0x%02x", (unsigned int)codes[i].imm);
		for (size_t s = 2; s < 4; s++)
			put(out, make(STX | mode | sizes[s].size, base, R1, -8, codes[i].imm), fields,
			    "lock \\*(u%u \\*)(%s) %s", sizes[s].bits, place, codes[i].text);
	}
	for (size_t s = 0; s < 4; s++)
		put(out, make(STX | mode | sizes[s].size, R1, base, -8, LOAD_ACQ), "imm 0x100",
		    "r1 = acquire \\*(u%u \\*)(%s)", sizes[s].bits, place);
	for (size_t s = 0; s < 4; s++)
		put(out, make(STX | mode | sizes[s].size, base, R1, -8, STORE_REL), "imm 0x110",
		    "release \\*(u%u \\*)(%s) = r1", sizes[s].bits, place);
}

static void packets(const struct out *out)
{
	for (size_t i = 0; i < 3; i++) {
		put(out, make(LD | ABS | sizes[i].size, 0, 0, 0, 1), "", "r0 = packet[imm], %u bits", sizes[i].bits);
		put(out, make(LD | IND | sizes[i].size, 0, R1, 0, 1), "", "r0 = packet[r1 + imm], %u bits",
		    sizes[i].bits);
	}
}

static void linux_only(const struct out *out)
{
	put(out, make(ALU64 | MOV | X, R1, R2, MOV_CAST, CAST_TO_ARENA), "off 1, imm 1", "r1 = to_arena(r2)");
	put(out, make(ALU64 | MOV | X, R1, R2, MOV_CAST, CAST_TO_USER), "off 1, imm 0x10000", "r1 = to_user(r2)");
	put(out, make(ALU64 | MOV | X, R1, R2, MOV_PER_CPU, 0), "off -1", "r1 = per_cpu(r2)");
	put(out, make(STX | MEM | DW, R11, R1, -8, 0), "dst 11", "outgoing argument 6 = r1");
	put(out, make(ST | MEM | DW, R11, 0, -8, 3), "dst 11", "outgoing argument 6 = imm");
	put(out, make(LDX | MEM | DW, R1, R11, 8, 0), "src 11", "r1 = incoming argument 6");
}

void isa_rows(isa_section_fn section, isa_row_fn row, void *to)
{
	const struct out out = {section, row, to};

	section(to, "64-bit arithmetic (RFC 9669, 4.1)");
	alu(&out, ALU64, 'r');
	section(to, "32-bit arithmetic (4.1): results are zero-extended");
	alu(&out, ALU, 'w');
	section(to, "Byte order (4.2)");
	swaps(&out);
	section(to, "Conditional jumps, 64 bits (4.3)");
	conditional(&out, JMP, 'r');
	section(to, "Conditional jumps, 32 bits (4.3)");
	conditional(&out, JMP32, 'w');
	section(to, "Jumps, calls, exit (4.3)");
	jumps(&out);
	section(to, "64-bit immediates (5.4)");
	imm64(&out);
	section(to, "Loads and stores (5.1, 5.2)");
	loads(&out, MEM, MEMSX, "r2 + off");
	section(to, "Atomic operations (5.3), load-acquire and store-release");
	atomics(&out, ATOMIC, "r2 + off");
	section(to, "Packet access (5.5): deprecated by the standard");
	packets(&out);
	section(to, "Linux: casts, arguments after the fifth, per-CPU addresses (`linux`: not to run)");
	linux_only(&out);
	section(to, "Linux: arena memory; a fault reads 0 or writes nothing");
	loads(&out, ARENA, ARENA_SX, "arena + r2 + off");
	atomics(&out, ARENA_ATOMIC, "arena + r2 + off");
}
