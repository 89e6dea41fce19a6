/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_rewrite.h"

#include <stdlib.h>
#include <string.h>

/* ---- instructions that Linux has beside RFC 9669 ---------------------------------------------------------- */

enum {
	OPCODE_TAIL_CALL = 0xf5,
	OPCODE_NEG = 0x84, /* 32 bits; with WIDE 64 */
	OPCODE_ADD_IMM = 0x04,
	OPCODE_SUB64_IMM = 0x17,
	OPCODE_MOV_IMM = 0xb4,
	OPCODE_MOV = 0xbc,
	OPCODE_MOV64 = 0xbf,
	OPCODE_XOR = 0xac,
	OPCODE_JA = 0x05,
	OPCODE_JA_FAR = 0x06, /* the distance is the immediate */
	OPCODE_JEQ = 0x16,    /* 32 bits, immediate; with JUMP_WIDE 64 */
	OPCODE_JNE = 0x56,
	OPCODE_JGT = 0x26,
	OPCODE_LOAD = 0x79,
	OPCODE_STORE = 0x7b,
	OPCODE_STORE_IMM = 0x7a,
	OPCODE_MAY_GOTO = 0xe5,
	OPCODE_ATOMIC = 0xc3, /* 32 bits */
};
#define ATOMIC_CMPXCHG 0xf1
#define ZERO_EXTENDS   1 /* immediate of a move that JITs may leave out where it changes nothing */
/* From the 32-bit class to the 64-bit one. */
#define WIDE(opcode, is64)      ((uint8_t)((opcode) | ((is64) ? 0x03 : 0)))
#define JUMP_WIDE(opcode, is64) ((uint8_t)((is64) ? (opcode)-1 : (opcode)))
#define REGS(dst, src)          ((uint8_t)((dst) | (src) << 4))

#define LOOPS       (8 * 1024 * 1024) /* what a counted loop may take */
#define TIMED_LOOPS 0xffff            /* until the time is looked at */

/* ---- a sequence in the place of one instruction ------------------------------------------------------------ */

#define SEQUENCE_MAX 16

struct sequence {
	struct jf_insn insns[SEQUENCE_MAX];
	uint32_t count;
	uint8_t ax;    /* the verifier's own register */
	uint32_t jump; /* index of the one whose offset is a distance of the program; count: none */
};

static void put(struct sequence *s, uint8_t opcode, uint8_t regs, int16_t off, int32_t imm)
{
	s->insns[s->count++] = (struct jf_insn){opcode, regs, off, imm};
}

/* x / 0 is 0. */
static void put_div(struct sequence *s, const struct jf_insn *insn, bool is64)
{
	uint8_t dst = jf_insn_dst(insn), src = jf_insn_src(insn);

	put(s, JUMP_WIDE(OPCODE_JNE, is64), src, 2, 0);
	put(s, OPCODE_XOR, REGS(dst, dst), 0, 0);
	put(s, OPCODE_JA, 0, 1, 0);
	s->insns[s->count++] = *insn;
}

/* x % 0 is x. */
static void put_mod(struct sequence *s, const struct jf_insn *insn, bool is64)
{
	uint8_t dst = jf_insn_dst(insn), src = jf_insn_src(insn);

	put(s, JUMP_WIDE(OPCODE_JEQ, is64), src, is64 ? 1 : 2, 0);
	s->insns[s->count++] = *insn;
	if (is64)
		return;
	put(s, OPCODE_JA, 0, 1, 0);
	put(s, OPCODE_MOV, REGS(dst, dst), 0, 0);
}

/* The divisor + 1 is at most 1 for -1 and 0: x / -1 is -x. */
static void put_signed_test(struct sequence *s, const struct jf_insn *insn, bool is64, int16_t past)
{
	put(s, OPCODE_MOV64, REGS(s->ax, jf_insn_src(insn)), 0, 0);
	put(s, WIDE(OPCODE_ADD_IMM, is64), s->ax, 0, 1);
	put(s, JUMP_WIDE(OPCODE_JGT, is64), s->ax, past, 1);
}

static void put_signed_div(struct sequence *s, const struct jf_insn *insn, bool is64)
{
	uint8_t dst = jf_insn_dst(insn);

	put_signed_test(s, insn, is64, 4);
	put(s, JUMP_WIDE(OPCODE_JEQ, is64), s->ax, 1, 0);
	put(s, WIDE(OPCODE_MOV_IMM, is64), dst, 0, 0);
	put(s, WIDE(OPCODE_NEG, is64), dst, 0, 0);
	put(s, OPCODE_JA, 0, 1, 0);
	s->insns[s->count++] = *insn;
}

static void put_signed_mod(struct sequence *s, const struct jf_insn *insn, bool is64)
{
	uint8_t dst = jf_insn_dst(insn);

	put_signed_test(s, insn, is64, 3);
	put(s, JUMP_WIDE(OPCODE_JEQ, is64), s->ax, is64 ? 3 : 4, 1);
	put(s, OPCODE_MOV_IMM, dst, 0, 0);
	put(s, OPCODE_JA, 0, 1, 0);
	s->insns[s->count++] = *insn;
	if (is64)
		return;
	put(s, OPCODE_JA, 0, 1, 0);
	put(s, OPCODE_MOV, REGS(dst, dst), 0, 0);
}

enum { CODE_DIV = 0x3, CODE_MOD = 0x9 };

/* returns: false where the division stays as it is. */
static bool put_division(struct sequence *s, const struct jf_insn *insn)
{
	unsigned int class = JF_INSN_CLASS(insn->opcode), code = JF_INSN_CODE(insn->opcode);
	bool is64 = class == JF_CLASS_ALU64, is_div = code == CODE_DIV;

	if ((class != JF_CLASS_ALU && !is64) || (code != CODE_DIV && code != CODE_MOD))
		return false;
	if (!JF_INSN_SOURCE_X(insn->opcode)) {
		if (insn->off != 1 || insn->imm != -1)
			return false;
		put(s, is_div ? WIDE(OPCODE_NEG, is64) : OPCODE_MOV_IMM, jf_insn_dst(insn), 0, 0);
	} else if (insn->off == 1) {
		(is_div ? put_signed_div : put_signed_mod)(s, insn, is64);
	} else {
		(is_div ? put_div : put_mod)(s, insn, is64);
	}
	return true;
}

/* ---- one function ------------------------------------------------------------------------------------------- */

struct rewriter {
	const struct kernel_jit *jit;
	const struct listing *listing;
	const struct jf_image_function *image;
	const struct jf_insn *insns;
	uint32_t count;
	struct rewritten *out;
	uint32_t capacity;
	uint32_t own_stack; /* without what counted loops need */
	uint32_t *start;    /* by instruction, and of the end: where its sequence begins */
	uint32_t *jump;     /* by instruction: where the one with the distance is */
	uint32_t next_fault;
};

/* Whether the instruction reads or writes arena memory: its code may fault. Called in the order of instructions. */
static bool is_arena_access(struct rewriter *r, uint32_t index)
{
	uint32_t end = r->image->insn_off[index + 1];
	bool found = false;

	while (r->next_fault < r->image->fault_count && r->image->faults[r->next_fault].start_off < end) {
		r->next_fault++;
		found = true;
	}
	return found;
}

static uint8_t arena_opcode(uint8_t opcode)
{
	uint8_t rest = (uint8_t)(opcode & ~0xe0);

	if (JF_INSN_MODE(opcode) == JF_MODE_MEMSX)
		return rest | JF_MODE_ARENA_SX;
	return rest | (JF_INSN_MODE(opcode) == JF_MODE_ATOMIC ? JF_MODE_ARENA_ATOMIC : JF_MODE_ARENA);
}

static uint32_t may_goto_bytes(const struct kernel_jit *jit)
{
	return jit->timed_may_goto ? 16 : 8;
}

/* The count is in the BPF stack, below the function's own. */
static void put_may_goto(struct rewriter *r, struct sequence *s)
{
	int16_t slot = (int16_t) - (int32_t)(r->own_stack + may_goto_bytes(r->jit));

	put(s, OPCODE_LOAD, REGS(s->ax, JF_BPF_FP), slot, 0);
	s->jump = s->count;
	put(s, JUMP_WIDE(OPCODE_JEQ, true), s->ax, 0, 0);
	put(s, OPCODE_SUB64_IMM, s->ax, 0, 1);
	if (r->jit->timed_may_goto) {
		put(s, JUMP_WIDE(OPCODE_JNE, true), s->ax, 2, 0);
		put(s, JF_INSN_MOV64_IMM, s->ax, 0, slot);
		put(s, JF_INSN_CALL, 0, 0, r->jit->timed_may_goto_imm);
		r->out->calls = true;
	}
	put(s, OPCODE_STORE, REGS(JF_BPF_FP, s->ax), slot, 0);
}

static void put_may_goto_start(struct rewriter *r, struct sequence *s)
{
	int16_t slot = (int16_t) - (int32_t)(r->own_stack + may_goto_bytes(r->jit));

	put(s, OPCODE_STORE_IMM, JF_BPF_FP, slot, r->jit->timed_may_goto ? TIMED_LOOPS : LOOPS);
	if (r->jit->timed_may_goto)
		put(s, OPCODE_STORE_IMM, JF_BPF_FP, (int16_t)(slot + 8), 0);
}

static void put_call(const struct rewriter *r, struct sequence *s, struct jf_insn insn)
{
	bool is_helper = jf_insn_src(&insn) == JF_SRC_HELPER;

	if (is_helper && insn.imm == JF_HELPER_TAIL_CALL) {
		insn = (struct jf_insn){.opcode = OPCODE_TAIL_CALL};
	} else if (!is_helper || insn.imm >= KERNEL_HELPERS_MAX || !r->jit->inlines[insn.imm]) {
		if (is_helper)
			insn.imm = BUNDLE_CALL_HELPER(insn.imm) + (int32_t)r->jit->shift;
		else if (jf_insn_src(&insn) == JF_SRC_KFUNC)
			insn.imm = BUNDLE_CALL_KFUNC(insn.imm) + (int32_t)r->jit->shift;
		r->out->calls = true;
	}
	s->insns[s->count++] = insn;
}

static void put_wide(const struct rewriter *r, struct sequence *s, const struct jf_insn *insn)
{
	unsigned int src = jf_insn_src(insn);
	struct jf_insn *out = &s->insns[s->count];

	memcpy(out, insn, 2 * sizeof(*insn));
	s->count += 2;
	if (src == JF_SRC_MAP || src == JF_SRC_MAP_VALUE) {
		const struct jf_map_ref *map = &r->listing->source->maps[insn->imm];
		uint64_t value = src == JF_SRC_MAP ? map->object : map->value + (uint32_t)insn[1].imm;

		out[0].regs &= 0x0f;
		out[0].imm = (int32_t)(uint32_t)value;
		out[1].imm = (int32_t)(uint32_t)(value >> 32);
	}
}

static bool is_jump(const struct jf_insn *insn)
{
	unsigned int class = JF_INSN_CLASS(insn->opcode), code = JF_INSN_CODE(insn->opcode);

	return (class == JF_CLASS_JMP || class == JF_CLASS_JMP32) && code != JF_JMP_CALL && code != JF_JMP_EXIT;
}

static void make_sequence(struct rewriter *r, uint32_t index, struct sequence *s)
{
	struct jf_insn insn = r->insns[index];
	/* Some processors leave the upper half of R0 as it is when the values are equal. */
	bool is_exchange = insn.opcode == OPCODE_ATOMIC && insn.imm == ATOMIC_CMPXCHG;
	bool is_arena = r->image->insn_off && is_arena_access(r, index);

	if (insn.opcode == JF_INSN_LDDW) {
		put_wide(r, s, &r->insns[index]);
	} else if (insn.opcode == OPCODE_MAY_GOTO) {
		put_may_goto(r, s);
	} else if (insn.opcode == JF_INSN_CALL) {
		put_call(r, s, insn);
	} else if (!put_division(s, &insn)) {
		if (insn.opcode == OPCODE_MOV64 && insn.off == JF_MOV_CAST && insn.imm == JF_CAST_TO_ARENA)
			insn = (struct jf_insn){OPCODE_MOV, insn.regs, 0, 0};
		else if (is_arena)
			insn.opcode = arena_opcode(insn.opcode);
		if (is_jump(&insn))
			s->jump = s->count;
		s->insns[s->count++] = insn;
		if (is_exchange)
			put(s, OPCODE_MOV, REGS(JF_BPF_R0, JF_BPF_R0), 0, ZERO_EXTENDS);
	}
}

static bool append(struct rewriter *r, const struct sequence *s)
{
	struct rewritten *out = r->out;

	if (!s->count)
		return true;
	if (out->count + s->count > r->capacity) {
		uint32_t capacity = 2 * r->capacity + SEQUENCE_MAX;
		struct jf_insn *larger = realloc(out->insns, capacity * sizeof(*larger));

		if (!larger)
			return false;
		out->insns = larger;
		r->capacity = capacity;
	}
	memcpy(out->insns + out->count, s->insns, s->count * sizeof(*s->insns));
	out->count += s->count;
	return true;
}

static int32_t distance(const struct jf_insn *insn)
{
	return insn->opcode == OPCODE_JA_FAR ? insn->imm : insn->off;
}

static bool has_may_goto(const struct rewriter *r)
{
	for (uint32_t i = 0; i < r->count; i += r->insns[i].opcode == JF_INSN_LDDW ? 2 : 1)
		if (r->insns[i].opcode == OPCODE_MAY_GOTO)
			return true;
	return false;
}

static int expand(struct rewriter *r)
{
	struct sequence s = {.jump = SEQUENCE_MAX, .ax = r->jit->ax};

	if (r->own_stack != r->out->stack)
		put_may_goto_start(r, &s);
	if (!append(r, &s))
		return cli_failed("no memory");
	for (uint32_t i = 0; i < r->count; i++) {
		bool is_wide = r->insns[i].opcode == JF_INSN_LDDW;

		s = (struct sequence){.jump = SEQUENCE_MAX, .ax = r->jit->ax};
		make_sequence(r, i, &s);
		r->start[i] = r->out->count;
		r->jump[i] = s.jump < s.count ? r->out->count + s.jump : UINT32_MAX;
		if (!append(r, &s))
			return cli_failed("no memory");
		if (is_wide) {
			r->start[++i] = UINT32_MAX;
			r->jump[i] = UINT32_MAX;
		}
	}
	r->start[r->count] = r->out->count;
	return 0;
}

static int set_distances(struct rewriter *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		struct jf_insn *insn;
		int64_t to;

		if (r->jump[i] == UINT32_MAX)
			continue;
		insn = &r->out->insns[r->jump[i]];
		to = (int64_t)r->start[(int64_t)i + 1 + distance(&r->insns[i])] - r->jump[i] - 1;
		if (insn->opcode == OPCODE_JA_FAR)
			insn->imm = (int32_t)to;
		else if (to == (int16_t)to)
			insn->off = (int16_t)to;
		else
			return cli_failed("function %s: what the verifier puts in makes a jump too far",
					  r->image->name);
	}
	return 0;
}

/* Linux's default callback: the cookie is the result. */
static const struct jf_insn default_callback[] = {
	{OPCODE_MOV64, REGS(JF_BPF_R0, JF_BPF_R1), 0, 0},
	{JF_INSN_EXIT, 0, 0, 0},
};

int kernel_rewrite(const struct kernel_jit *jit, const struct listing *listing, uint32_t index, struct rewritten *out)
{
	bool is_source = index < listing->source->function_count;
	const struct jf_function own = {"callback", default_callback, 2};
	const struct jf_function *function = is_source ? &listing->source->functions[index] : &own;
	struct rewriter r = {
		.jit = jit,
		.listing = listing,
		.image = jf_image_function_at(listing->image, index),
		.insns = function->insns,
		.count = function->insn_count,
		.out = out,
		.start = calloc((size_t)function->insn_count + 1, sizeof(*r.start)),
		.jump = calloc((size_t)function->insn_count + 1, sizeof(*r.jump)),
	};
	int status = r.start && r.jump ? 0 : cli_failed("no memory");

	*out = (struct rewritten){0};
	if (status == 0 && jf_function_stack(function, jit->conv->bpf_stack_max_bytes, &r.own_stack) != JF_OK)
		status = cli_failed("function %s: its stack cannot be followed", function->name);
	out->stack = r.own_stack;
	if (status == 0 && has_may_goto(&r)) {
		r.own_stack = (r.own_stack + 7) & ~7u;
		out->stack = r.own_stack + may_goto_bytes(jit);
	}
	if (status == 0)
		status = expand(&r);
	if (status == 0)
		status = set_distances(&r);
	out->start = r.start;
	out->source_count = r.count;
	free(r.jump);
	return status;
}

void rewritten_free(struct rewritten *rewritten)
{
	free(rewritten->insns);
	free(rewritten->start);
	*rewritten = (struct rewritten){0};
}
