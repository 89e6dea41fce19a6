/* SPDX-License-Identifier: BSD-2-Clause */
#include "print.h"

#include <inttypes.h>

#include "isa.h"

static const char *const alu_names[16] = {
	"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "= -", "%=", "^=", "=", "s>>=", "swap", "?", "?",
};
static const char *const jump_names[16] = {
	"goto", "==", ">", ">=", "&", "!=", "s>", "s>=", "call", "exit", "<", "<=", "s<", "s<=", "may_goto", "?",
};
static const char *const size_names[4] = {"u32", "u16", "u8", "u64"};

static void print_alu(FILE *file, const struct jf_insn *insn)
{
	unsigned int dst = insn->regs & 15, src = insn->regs >> 4, code = insn->opcode & 0xf0;
	char kind = (insn->opcode & 7) == ALU64 ? 'r' : 'w';
	const char *sign = (code == DIV || code == MOD) && insn->off ? "s" : "";

	if (code == END)
		fprintf(file, "r%u = %s%d r%u", dst,
			kind == 'r'      ? "bswap" :
			insn->opcode & X ? "be" :
					   "le",
			insn->imm, dst);
	else if (code == NEG)
		fprintf(file, "%c%u = -%c%u", kind, dst, kind, dst);
	else if (code == MOV && insn->opcode & X && insn->off == MOV_PER_CPU && kind == 'r')
		fprintf(file, "r%u = per_cpu(r%u)", dst, src);
	else if (code == MOV && insn->opcode & X && insn->off == MOV_CAST && kind == 'r')
		fprintf(file, "r%u = %s(r%u)", dst, insn->imm == CAST_TO_ARENA ? "to_arena" : "to_user", src);
	else if (code == MOV && insn->opcode & X && insn->off)
		fprintf(file, "%c%u = (s%d)%c%u", kind, dst, insn->off, kind, src);
	else if (insn->opcode & X)
		fprintf(file, "%c%u %s%s %c%u", kind, dst, sign, alu_names[code >> 4], kind, src);
	else
		fprintf(file, "%c%u %s%s %d", kind, dst, sign, alu_names[code >> 4], insn->imm);
}

static void print_call(FILE *file, const struct jf_program *program, const struct jf_insn *insn)
{
	uint32_t number = (uint32_t)insn->imm;

	if (insn->opcode & X)
		fprintf(file, "callx r%u", insn->imm ? (unsigned int)insn->imm : insn->regs & 15);
	else if (insn->regs >> 4 == HELPER && number < program->helper_count)
		fprintf(file, "call %s", program->helpers[number].name);
	else if (insn->regs >> 4 == RUNTIME && number < program->kfunc_count)
		fprintf(file, "call %s", program->kfuncs[number].name);
	else if (insn->regs >> 4 == LOCAL && number < program->function_count)
		fprintf(file, "call %s", program->functions[number].name);
	else
		fprintf(file, "call ?");
}

static void print_jump(FILE *file, const struct jf_program *program, const struct jf_insn *insn, uint32_t index)
{
	unsigned int code = insn->opcode & 0xf0;
	char kind = (insn->opcode & 7) == JMP ? 'r' : 'w';
	int64_t target = (int64_t)index + 1 + (insn->opcode == (JMP32 | JA) ? insn->imm : insn->off);

	if (code == CALL)
		print_call(file, program, insn);
	else if (code == EXIT)
		fprintf(file, "exit");
	else if (code == JA || code == JCOND)
		fprintf(file, "%s %" PRId64, jump_names[code >> 4], target);
	else if (insn->opcode & X)
		fprintf(file, "if %c%u %s %c%u goto %" PRId64, kind, insn->regs & 15, jump_names[code >> 4], kind,
			insn->regs >> 4, target);
	else
		fprintf(file, "if %c%u %s %d goto %" PRId64, kind, insn->regs & 15, jump_names[code >> 4], insn->imm,
			target);
}

static void print_place(FILE *file, const struct jf_insn *insn, unsigned int base, bool arena)
{
	fprintf(file, "*(%s *)(%sr%u %c %d)", size_names[insn->opcode >> 3 & 3], arena ? "arena + " : "", base,
		insn->off < 0 ? '-' : '+', insn->off < 0 ? -insn->off : insn->off);
}

static void print_atomic(FILE *file, const struct jf_insn *insn, bool arena)
{
	unsigned int dst = insn->regs & 15, src = insn->regs >> 4;

	if (insn->imm == LOAD_ACQ) {
		fprintf(file, "r%u = acquire ", dst);
		print_place(file, insn, src, arena);
		return;
	}
	fprintf(file, "%s", insn->imm == STORE_REL ? "release " : "lock ");
	print_place(file, insn, dst, arena);
	if (insn->imm == XCHG || insn->imm == CMPXCHG || insn->imm == STORE_REL)
		fprintf(file, " %s r%u", insn->imm == XCHG ? "<->" : insn->imm == CMPXCHG ? "== r0 ? =" : "=", src);
	else
		fprintf(file, " %s r%u%s", alu_names[insn->imm >> 4 & 15], src, insn->imm & FETCH ? ", fetch" : "");
}

static void print_memory(FILE *file, const struct jf_insn *insn)
{
	unsigned int mode = insn->opcode & 0xe0, class = insn->opcode & 7;

	if (class == LDX) {
		fprintf(file, "r%u = %s", insn->regs & 15, mode == MEMSX || mode == ARENA_SX ? "(signed)" : "");
		print_place(file, insn, insn->regs >> 4, mode == ARENA || mode == ARENA_SX);
	} else if (class == STX && (mode == ATOMIC || mode == ARENA_ATOMIC)) {
		print_atomic(file, insn, mode == ARENA_ATOMIC);
	} else {
		print_place(file, insn, insn->regs & 15, mode == ARENA);
		if (class == STX)
			fprintf(file, " = r%u", insn->regs >> 4);
		else
			fprintf(file, " = %d", insn->imm);
	}
}

static void print_insn(FILE *file, const struct jf_program *program, const struct jf_insn *insn, uint32_t index)
{
	switch (insn->opcode & 7) {
	case ALU:
	case ALU64: print_alu(file, insn); break;
	case JMP:
	case JMP32: print_jump(file, program, insn, index); break;
	case LD:
		if (insn->opcode)
			fprintf(file, "r%u = 0x%" PRIx64 " ll", insn->regs & 15,
				(uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn->imm);
		break;
	default: print_memory(file, insn);
	}
}

void print_program(FILE *file, const struct jf_program *program)
{
	for (uint32_t f = 0; f < program->function_count; f++) {
		const struct jf_function *function = &program->functions[f];

		fprintf(file, "%s:\n", function->name);
		for (uint32_t i = 0; i < function->insn_count; i++) {
			const struct jf_insn *insn = &function->insns[i];
			uint32_t imm = (uint32_t)insn->imm;

			fprintf(file, "%6" PRIu32 "  %02x %02x %02x %02x %02x %02x %02x %02x  ", i, insn->opcode,
				insn->regs, (unsigned int)insn->off & 0xff, (unsigned int)insn->off >> 8 & 0xff,
				imm & 0xff, imm >> 8 & 0xff, imm >> 16 & 0xff, imm >> 24);
			print_insn(file, program, insn, i);
			fputc('\n', file);
		}
	}
}
