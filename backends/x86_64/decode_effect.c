/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack, control flow, strings and what is rare, as steps; and names. */
#include "decode_steps.h"

/* ---- the stack ------------------------------------------------------------------------------------ */

static void push_operand(const struct work *w)
{
	if (w->dst.kind == REGISTER && w->dst.reg != RSP) {
		push(w, w->dst.reg, w->size);
		return;
	}
	/* rsp itself is pushed as it was, and addresses go by it as it was. */
	if (w->dst.kind == REGISTER)
		move(w, TEMP, RSP, 8);
	else if (w->dst.kind == MEMORY)
		load(w, TEMP, w->size);
	else if (w->src.kind == IMMEDIATE)
		move_imm(w, TEMP, w->src.imm, 8);
	push(w, w->dst.kind == NOWHERE && w->src.kind == NOWHERE ? JF_REG_NONE : TEMP, w->size);
	kill(w, TEMP);
}

static void pop_operand(const struct work *w)
{
	if (w->dst.kind == MEMORY) { /* its address goes by rsp as it then is */
		pop(w, TEMP, w->size);
		store(w, TEMP, w->size);
		kill(w, TEMP);
	} else if (w->dst.kind == REGISTER && w->size == 8) {
		if (w->dst.reg == RSP)
			access_at(w, JF_STEP_LOAD, RSP, 0, 8)->dst = RSP;
		else
			pop(w, w->dst.reg, 8);
	} else {
		pop(w, JF_REG_NONE, w->size);
		set_operand(w, w->dst);
	}
}

/* rbp is pushed, with `level` frame pointers of callers behind it, the own one last. */
static void enter(const struct work *w)
{
	int64_t level = w->i->level & 31, size = w->size, locals = (uint16_t)w->i->imm;

	push(w, RBP, w->size);
	if (level > 1)
		access_at(w, JF_STEP_LOAD, RBP, -size * (level - 1), (unsigned int)(size * (level - 1)));
	if (w->size == 8)
		move(w, RBP, RSP, 8);
	else
		kill(w, RBP);
	with_imm(w, JF_STEP_SUB, RSP, RSP, size * level + locals, 8);
	if (level > 0)
		access_at(w, JF_STEP_STORE, RSP, locals, (unsigned int)(size * level));
}

static void leave(const struct work *w)
{
	move(w, RSP, RBP, 8);
	if (w->size == 8) {
		pop(w, RBP, 8);
	} else {
		pop(w, JF_REG_NONE, 2);
		kill(w, RBP);
	}
}

static void jump_to_ra(const struct work *w)
{
	w->e->flow = JF_FLOW_JUMP_REG;
	w->e->flow_reg = RIP;
}

static void ret(const struct work *w)
{
	access_at(w, JF_STEP_LOAD, RSP, 0, w->size)->dst = RIP;
	/* The far one pops a segment, too. */
	with_imm(w, JF_STEP_ADD, RSP, RSP,
		 (w->i->opcode->op == OP_RETF ? 2 : 1) * w->size + (w->i->opcode->imm ? (uint16_t)w->i->imm : 0), 8);
	jump_to_ra(w);
}

static void iret(const struct work *w)
{
	kill(w, RSP);
	kill(w, RIP);
	jump_to_ra(w);
}

/* ---- flow ----------------------------------------------------------------------------------------- */

static void branch(const struct work *w, enum jf_flow flow)
{
	w->e->flow = (uint8_t)flow;
	w->e->target_off = w->i->size_bytes + w->i->imm;
}

static void branch_operand(const struct work *w, enum jf_flow by_reg, enum jf_flow by_mem)
{
	w->e->flow = (uint8_t)(w->dst.kind == REGISTER ? by_reg : by_mem);
	if (w->dst.kind == REGISTER)
		w->e->flow_reg = w->dst.reg;
	read_operand(w, w->dst);
}

/* jrcxz asks for 0, loop for another number than 1; loope and loopne ask the flags, too. */
static void loop(const struct work *w)
{
	uint8_t bytes = w->i->addr32 ? 4 : 8;

	if (w->i->op == 0xe3)
		w->e->asks = (struct jf_compare){JF_COMPARE_WITH, JF_COND_EQ, RCX, JF_REG_NONE, bytes, 0};
	else if (w->i->op == 0xe2)
		w->e->asks = (struct jf_compare){JF_COMPARE_WITH, JF_COND_NE, RCX, JF_REG_NONE, bytes, 1};
	if (w->i->op != 0xe3)
		with_imm(w, JF_STEP_SUB, RCX, RCX, 1, bytes);
	branch(w, JF_FLOW_BRANCH);
}

static void jcc(const struct work *w)
{
	w->e->asks = ask_flags(w->i->op);
	branch(w, JF_FLOW_BRANCH);
}

/* A register tested with itself is compared with 0: no carry, no overflow. */
static void compare(const struct work *w, enum jf_compare_kind kind)
{
	struct jf_compare found = {(uint8_t)kind, 0, w->dst.reg, JF_REG_NONE, w->size, 0};

	if (w->dst.kind != REGISTER || w->dst.high || w->src.high ||
	    (w->src.kind != REGISTER && w->src.kind != IMMEDIATE))
		return;
	if (w->src.kind == IMMEDIATE)
		found.imm = w->src.imm;
	else if (kind == JF_COMPARE_AND && w->src.reg == w->dst.reg)
		found.kind = JF_COMPARE_WITH;
	else
		found.b = w->src.reg;
	w->e->flags_hold = found;
}

/* and, sub and cmp, which differ in what becomes of the result */
static void set_alu_flags(const struct work *w)
{
	switch (w->i->op < 0x40 ? w->i->op >> 3 : w->i->reg & 7) {
	case 4: compare(w, JF_COMPARE_AND); break;
	case 5:
	case 7: compare(w, JF_COMPARE_WITH); break;
	default: break;
	}
}

/* What is found of registers and immediates. Of the rest, only what certainly keeps the flags. */
static void set_flags(const struct work *w)
{
	switch (w->i->opcode->op) {
	case OP_ALU: set_alu_flags(w); break;
	case OP_TEST: compare(w, JF_COMPARE_AND); break;
	case OP_MOV:
	case OP_MOVZX:
	case OP_MOVSX:
	case OP_LEA:
	case OP_PUSH:
	case OP_POP:
	case OP_NOT:
	case OP_NOP:
	case OP_XCHG:
	case OP_LANDING_PAD:
	case OP_CMOV:
	case OP_SETCC:
	case OP_GET_MXCSR:
	case OP_GET_FCW:
	case OP_JMP:
	case OP_JCC:
	case OP_LOOP: w->e->flags_hold.kind = JF_COMPARE_FLAGS; break;
	default: break;
	}
}

/* ---- strings -------------------------------------------------------------------------------------- */

/* With REP, any number of times. rsi's segment may be another, rdi's not. */
static void string(const struct work *w, bool from_si, bool to_di, bool at_di)
{
	uint8_t bytes = w->i->rep ? 0 : w->size;

	if (from_si)
		access_at(w, JF_STEP_LOAD, base_of(w, RSI), 0, bytes);
	if (at_di || to_di)
		access_at(w, to_di ? JF_STEP_STORE : JF_STEP_LOAD, w->i->addr32 ? JF_REG_NONE : RDI, 0, bytes);
	if (to_di && w->i->opcode->op == OP_STOS && bytes)
		w->e->steps[w->e->step_count - 1].c = RAX;
	kill_set(w, (w->i->rep ? 1u << RCX : 0) | (from_si ? 1u << RSI : 0) | (at_di || to_di ? 1u << RDI : 0));
}

static void lods(const struct work *w)
{
	string(w, true, false, false);
	kill(w, RAX);
}

/* ---- the rest ------------------------------------------------------------------------------------- */

static void control_word(const struct work *w, uint8_t reg, bool get)
{
	if (get)
		store(w, reg, w->size);
	else
		load(w, reg, w->size);
}

static void do_flow(const struct work *w)
{
	switch (w->i->opcode->op) {
	case OP_TRAP: w->e->flow = JF_FLOW_TRAP; break;
	case OP_CALL:
		if (w->i->opcode->form == NONE)
			branch(w, JF_FLOW_CALL);
		else
			branch_operand(w, JF_FLOW_CALL_REG, JF_FLOW_CALL_MEM);
		break;
	case OP_JMP:
		if (w->i->opcode->form == NONE)
			branch(w, JF_FLOW_JUMP);
		else
			branch_operand(w, JF_FLOW_JUMP_REG, JF_FLOW_JUMP_MEM);
		break;
	case OP_JCC: jcc(w); break;
	case OP_LOOP: loop(w); break;
	case OP_RET:
	case OP_RETF: ret(w); break;
	case OP_IRET: iret(w); break;
	case OP_SYSRET:
		kill(w, RSP);
		kill(w, RIP);
		jump_to_ra(w);
		break;
	case OP_XBEGIN: /* when the transaction fails all is as before, but for rax */
		kill(w, RAX);
		branch(w, JF_FLOW_BRANCH);
		break;
	case OP_FAR_CALL: /* pushes a segment, too */
		flag(w, JF_EFFECT_UNKNOWN);
		branch_operand(w, JF_FLOW_CALL_REG, JF_FLOW_CALL_MEM);
		break;
	case OP_FAR_JMP: branch_operand(w, JF_FLOW_JUMP_REG, JF_FLOW_JUMP_MEM); break;
	default: break;
	}
}

static void do_rare(struct work *w)
{
	switch (w->i->opcode->op) {
	case OP_KILL_AX: kill(w, RAX); break;
	case OP_KILL_CX:
		read_operand(w, w->src);
		kill(w, RCX);
		break;
	case OP_KILL_AX_DX: kill_set(w, 1 << RAX | 1 << RDX); break;
	case OP_KILL_AX_CX_DX: kill_set(w, 1 << RAX | 1 << RCX | 1 << RDX); break;
	case OP_KILL_AX_BX_CX_DX: kill_set(w, 1 << RAX | 1 << RBX | 1 << RCX | 1 << RDX); break;
	case OP_STORE_DI: access_at(w, JF_STEP_STORE, base_of(w, RDI), 0, w->size); break;
	case OP_STORE_AT_G:
		read_operand(w, w->src);
		access_at(w, JF_STEP_STORE, base_of(w, w->i->reg), 0, w->size);
		break;
	case OP_GET_MXCSR: control_word(w, MXCSR, true); break;
	case OP_SET_MXCSR: control_word(w, MXCSR, false); break;
	case OP_GET_FCW: control_word(w, FCW, true); break;
	case OP_SET_FCW: control_word(w, FCW, false); break;
	case OP_GET_CONTROL: store(w, JF_REG_NONE, 0); break;
	case OP_SET_CONTROL:
		read_operand(w, w->dst);
		kill(w, MXCSR);
		kill(w, FCW);
		break;
	case OP_CMPXADD:
		read_operand(w, w->dst);
		set_operand(w, w->dst);
		kill(w, w->src.reg);
		break;
	case OP_MULX:
		read_operand(w, w->src);
		kill(w, w->i->vvvv);
		kill(w, w->dst.reg);
		break;
	case OP_CMPXCHG2:
		read_operand(w, w->dst);
		set_operand(w, w->dst);
		kill_set(w, 1 << RAX | 1 << RDX);
		break;
	case OP_XLAT:
		access_at(w, JF_STEP_LOAD, base_of(w, RBX), 0, 0);
		kill(w, RAX);
		break;
	case OP_SYSTEM:
		flag(w, JF_EFFECT_SYSTEM);
		kill_set(w, 1 << RAX | 1 << RCX | 1 << R11);
		break;
	case OP_NOP: flag(w, JF_EFFECT_NOP); break;
	case OP_LANDING_PAD: flag(w, JF_EFFECT_LANDING_PAD); break;
	case OP_SCATTER:
		anywhere(w);
		store(w, JF_REG_NONE, 0);
		break;
	case OP_UNKNOWN: flag(w, JF_EFFECT_UNKNOWN); break;
	default: do_flow(w);
	}
}

static void do_steps(struct work *w)
{
	if (jf_x86_64_data_steps(w))
		return;
	switch (w->i->opcode->op) {
	case OP_PUSH: push_operand(w); break;
	case OP_POP: pop_operand(w); break;
	case OP_ENTER: enter(w); break;
	case OP_LEAVE: leave(w); break;
	case OP_MOVS: string(w, true, true, false); break;
	case OP_CMPS: string(w, true, false, true); break;
	case OP_STOS:
	case OP_INS: string(w, false, true, false); break;
	case OP_SCAS: string(w, false, false, true); break;
	case OP_OUTS: string(w, true, false, false); break;
	case OP_LODS: lods(w); break;
	default: do_rare(w);
	}
}

/* ---- names ---------------------------------------------------------------------------------------- */

static const char alu_names[8][4] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
static const char shift_names[8][4] = {"rol", "ror", "rcl", "rcr", "shl", "shr", "shl", "sar"};
static const char cc_names[3][16][7] = {
	{"jo", "jno", "jb", "jae", "je", "jne", "jbe", "ja", "js", "jns", "jp", "jnp", "jl", "jge", "jle", "jg"},
	{"seto", "setno", "setb", "setae", "sete", "setne", "setbe", "seta", "sets", "setns", "setp", "setnp", "setl",
	 "setge", "setle", "setg"},
	{"cmovo", "cmovno", "cmovb", "cmovae", "cmove", "cmovne", "cmovbe", "cmova", "cmovs", "cmovns", "cmovp",
	 "cmovnp", "cmovl", "cmovge", "cmovle", "cmovg"},
};
/* By size: 1, 2, 4, 8. */
static const char sized_names[][4][6] = {
	{"movsb", "movsw", "movsd", "movsq"},
	{"cmpsb", "cmpsw", "cmpsd", "cmpsq"},
	{"stosb", "stosw", "stosd", "stosq"},
	{"lodsb", "lodsw", "lodsd", "lodsq"},
	{"scasb", "scasw", "scasd", "scasq"},
	{"insb", "insw", "insd", "insd"},
	{"outsb", "outsw", "outsd", "outsd"},
	{"", "cbw", "cwde", "cdqe"},
	{"", "cwd", "cdq", "cqo"},
	{"", "iret", "iretd", "iretq"},
};

static const char *sized_name(const struct work *w, unsigned int row)
{
	return sized_names[row][w->size == 8 ? 3 : w->size == 4 ? 2 : w->size == 2];
}

static const char *name_of(const struct work *w)
{
	const struct insn *i = w->i;

	switch (i->opcode->op) {
	case OP_ALU: return alu_names[i->op < 0x40 ? i->op >> 3 : i->reg & 7];
	case OP_SHIFT: return shift_names[i->reg & 7];
	case OP_JCC: return cc_names[0][i->op & 15];
	case OP_SETCC: return cc_names[1][i->op & 15];
	case OP_CMOV: return cc_names[2][i->op & 15];
	case OP_MOVS:
	case OP_CMPS:
	case OP_STOS:
	case OP_LODS:
	case OP_SCAS:
	case OP_INS:
	case OP_OUTS: return sized_name(w, i->opcode->op - OP_MOVS);
	case OP_EXTEND_A: return sized_name(w, 7);
	case OP_SIGN_D: return sized_name(w, 8);
	case OP_IRET:
		if (!i->opcode->name[0])
			return sized_name(w, 9);
		break;
	case OP_XCHG:
		if (i->op == 0x90 && w->dst.reg == RAX)
			return i->rep == 0xf3 ? "pause" : "nop";
		break;
	case OP_CMPXCHG2: return i->w ? "cmpxchg16b" : "cmpxchg8b";
	default: break;
	}
	return i->opcode->name[0] ? i->opcode->name : "vector";
}

void jf_x86_64_effect(const struct insn *insn, struct jf_effect *effect)
{
	struct work w = {.i = insn, .e = effect, .mem = insn->mem};

	memset(effect, 0, offsetof(struct jf_effect, steps));
	effect->size_bytes = insn->size_bytes;
	effect->flow_reg = JF_REG_NONE;
	w.size = size_of(insn, insn->opcode->size);
	find_operands(&w);
	effect->name = name_of(&w);
	if (insn->scaled && w.dst.kind == MEMORY)
		w.mem.disp *= w.size;
	else if (insn->scaled)
		flag(&w, JF_EFFECT_UNKNOWN); /* in units of a size that only this instruction's manual page tells */
	/* Which of two segments counts is not the same on all processors: AMD's go by the one with a base. */
	if (insn->segment && insn->flat && insn->opcode->op != OP_LEA && insn->opcode->op != OP_ENTER)
		anywhere(&w);
	do_steps(&w);
	set_flags(&w);
}
