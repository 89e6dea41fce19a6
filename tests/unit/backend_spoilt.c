/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "conventions.h"

#include <string.h>

/*
 * Every built-in backend with one field spoilt, once for each of many fields and each convention: jf_backend_check()
 * says so in a sentence that names the field.
 */

struct spoilt {
	struct jf_backend backend;
	struct jf_convention conv;
	const struct jf_convention *conventions[2];
	struct jf_area areas[8];
	struct jf_slot_rule rules[32]; /* of the first area */
	struct jf_reg regs[JF_REGS_MAX];
	struct jf_build_ops build;
	struct jf_native native;
	struct jf_branches branches;
	struct jf_signal_frame signal_frame;
	struct jf_known_code known_code[8];
	struct jf_orc_format orc;
	struct jf_conflict conflicts[8];
};

/* `copy` with what `original` points to, if anything. */
#define COPY(copy, original, count)                                                         \
	do {                                                                                \
		cr_assert_leq((size_t)(count) * sizeof((original)[0]), sizeof(copy));       \
		if (original)                                                               \
			memcpy(&(copy), original, (size_t)(count) * sizeof((original)[0])); \
	} while (0)

static void init(struct spoilt *s, const struct jf_convention *conv)
{
	const struct jf_backend *b = conv->backend;

	memset(s, 0, sizeof(*s));
	s->backend = *b;
	s->conv = *conv;
	COPY(s->areas, conv->areas, conv->area_count);
	COPY(s->rules, conv->areas[0].rules, conv->areas[0].rule_count);
	COPY(s->conflicts, conv->conflicts, conv->conflict_count);
	COPY(s->regs, b->regs, b->reg_count);
	COPY(s->build, b->build, 1);
	COPY(s->native, b->native, 1);
	COPY(s->branches, b->branches, 1);
	COPY(s->signal_frame, b->signal_frame, 1);
	COPY(s->known_code, b->known_code, b->known_code_count);
	COPY(s->orc, b->orc, 1);
	s->areas[0].rules = s->rules;
	s->conv.areas = s->areas;
	s->conv.conflicts = conv->conflicts ? s->conflicts : NULL;
	s->conv.backend = &s->backend;
	s->conventions[0] = &s->conv;
	s->backend.conventions = s->conventions;
	s->backend.convention_count = 1;
	s->backend.regs = s->regs;
	s->backend.build = b->build ? &s->build : NULL;
	s->backend.native = b->native ? &s->native : NULL;
	s->backend.branches = b->branches ? &s->branches : NULL;
	s->backend.signal_frame = b->signal_frame ? &s->signal_frame : NULL;
	s->backend.known_code = b->known_code ? s->known_code : NULL;
	s->backend.orc = b->orc ? &s->orc : NULL;
	s->orc.backend = &s->backend;
	s->orc.older = NULL;
}

/* ---- ways to spoil ----------------------------------------------------------------------------------------------- */

/* A field that gets another value. `has`: where the pointer or hook is that must be there for it; 0: nothing has to. */
struct way {
	const char *words;
	size_t at, size;
	uint64_t value;
	size_t has;
	uint32_t caps; /* of the convention */
};

#define FIELD(field) offsetof(struct spoilt, field), sizeof(((struct spoilt *)0)->field)
#define SET(field, value, words)                 \
	{                                        \
		words, FIELD(field), value, 0, 0 \
	}
#define SET_IF(has, field, value, words)                                    \
	{                                                                   \
		words, FIELD(field), value, offsetof(struct spoilt, has), 0 \
	}
#define SET_CAP(caps, field, value, words)          \
	{                                           \
		words, FIELD(field), value, 0, caps \
	}
#define STUB(hook) SET_IF(backend.native, native.hook, 0, "native." #hook " is NULL")
#define STEP(hook) SET_IF(build.hook, build.hook, 0, "build." #hook " is NULL")
#define BODY(hook) SET_CAP(JF_CAP_RUN, backend.body.hook, 0, "body." #hook " is NULL")

/* clang-format off */
static const struct way ways[] = {
	SET(backend.size, sizeof(struct jf_backend) - 1, "size is that of an older header"),
	SET(backend.name, 0, "name is NULL"),
	SET(backend.llvm_triple, 0, "llvm_triple is missing"),
	SET(backend.llvm_features, 0, "llvm_features is NULL"),
	SET(backend.elf_machine, 0, "elf_machine is 0"),
	SET(backend.insn_align, 0, "insn_align is no power of two"),
	SET(backend.insn_align, 3, "insn_align is no power of two"),
	SET(backend.stack_align, 0, "stack_align is no power of two"),
	SET(backend.cfa_sp_off_at_entry, UINT64_MAX, "cfa_sp_off_at_entry is negative"),
	SET(backend.reg_count, 0, "reg_count is 0"),
	SET(backend.reg_count, JF_REGS_MAX + 1, "reg_count is larger than JF_REGS_MAX"),
	SET(backend.regs, 0, "regs is NULL"),
	SET(backend.sp, 0, "sp is "),
	SET(backend.sp, JF_REG_NONE, "sp is no register of the table"),
	SET(backend.fp, 0, "fp is "),
	SET(backend.ra, 0, "ra is "),
	SET(backend.result, JF_REG_NONE, "result is no register of the table"),
	SET(backend.arg_count, 0, "arg_count is 0"),
	SET(backend.arg_count, JF_ARG_REGS_MAX + 1, "arg_count is 0, or larger"),
	SET(backend.args[1], 0, "args[1]"),
	SET(backend.args[2], 0, "args[2]"),
	SET(backend.args[2], JF_REG_NONE, "args[2] is no register of the table"),
	SET(backend.conventions, 0, "conventions is NULL"),
	SET(backend.convention_count, 0, "convention_count is 0"),
	SET(conventions[0], 0, "conventions has an entry that is NULL"),
	SET(backend.c_args.extended_bytes, 3, "c_args.extended_bytes is neither 0, 4 nor 8"),
	SET(backend.bounds.insn_bytes, 0, "bounds.insn_bytes is 0"),
	SET(backend.bounds.tail_call_bytes, 0, "bounds.tail_call_bytes is 0"),
	SET(backend.bounds.function_bytes, 0, "bounds.function_bytes is 0"),
	SET_IF(backend.call_stubs, backend.bounds.stub_bytes, 0, "bounds.stub_bytes is 0"),
	SET_IF(build.cleanup_pad, backend.bounds.pad_bytes, 0, "bounds.pad_bytes is 0"),
	SET_IF(backend.call_stubs, backend.emit_call_stub, 0, "emit_call_stub is NULL"),
	SET(backend.build, 0, "emit_prologue is NULL, and so is build"),
	SET_IF(backend.native, backend.emit_trap, 0, "emit_trap is NULL"),

	STEP(move), STEP(add), STEP(constant), STEP(ret), STEP(jump), STEP(push), STEP(pop),
	SET_CAP(JF_CAP_SIGN_RETURN, build.sign, 0, "build.sign is NULL"),
	SET_CAP(JF_CAP_PRIVATE_STACK, build.private_stack, 0, "build.private_stack is NULL"),
	STUB(enter), STUB(enter_checked), STUB(call_checked), STUB(overwrite), STUB(throw_exception),
	STUB(throw_resume), STUB(walk_here),
	SET_IF(backend.native, native.pad_back, 0, "native.call_pad, pad_back"),
	STUB(bpf_stack_walk), STUB(context_get), STUB(context_set_reg), STUB(context_set_pc),
	SET_IF(backend.native, native.enter_start, 0, "native.enter_start"),
	SET_IF(backend.native, native.checked_end, 0, "native.checked_start, checked_end"),
	SET_IF(backend.native, native.try_landing, 0, "native.try_start, try_landing, try_end"),
	SET_IF(backend.native, native.may_goto_end, 0, "native.may_goto_start, may_goto_end"),
	BODY(alu), BODY(imm64), BODY(load), BODY(store), BODY(jump), BODY(jump_always), BODY(call), BODY(put_branch),
	BODY(extend),
	SET_IF(backend.branches, branches.forms[JF_BRANCH_IF][0].bytes, 0, "branches.forms lacks"),
	SET_IF(backend.branches, branches.forms[JF_BRANCH_ALWAYS][0].bytes, 0, "branches.forms lacks"),

	SET_IF(backend.signal_frame, signal_frame.pc_off, 0, "signal_frame.pc_off is 0"),
	SET_IF(backend.known_code, backend.known_code, 0, "known_code is NULL"),
	SET_IF(backend.known_code, known_code[0].insns, 0, "(insns)"),
	SET_IF(backend.known_code, known_code[0].row_count, 0, "(rows)"),
	SET_IF(backend.orc, orc.name, 0, "ORC format is nameless"),
	SET_IF(backend.orc, orc.entry_bytes, 0, "ORC entry has"),

	SET(regs[3].name, 0, "regs: at ?, index 3: a register has no name (name)"),
	SET(regs[3].id, 0, "is not its index (id)"),
	SET(regs[3].cls, JF_REG_CONTROL + 1, "of no class (cls)"),
	SET(regs[3].cls, JF_REG_CONTROL, "and to no others (control)"),
	SET(regs[3].size_bytes, 0, "not 1 to 8 bytes (size_bytes)"),
	SET(regs[3].size_bytes, 9, "not 1 to 8 bytes (size_bytes)"),

	SET(conv.size, 8, "the size of an older header (size)"),
	SET(conv.name, 0, "one without a name (name)"),
	SET(conv.summary, 0, "summary is NULL"),
	SET(conv.backend, 0, "one of another backend (backend)"),
	SET(conv.areas, 0, "one without areas (areas)"),
	SET(conv.landing, JF_LANDING_RESTORE + 1, "landing is no value"),
	SET_CAP(JF_CAP_EXCEPTIONS, conv.landing, 0, "landing: "),
	SET(conv.bpf_reg[JF_BPF_R0], 0, "bpf_reg: "),
	SET(conv.bpf_reg[JF_BPF_R3], 0, "bpf_reg: "),
	SET(conv.bpf_reg[JF_BPF_R6], 0, "bpf_reg: "),
	SET(conv.bpf_reg[JF_BPF_FP], 0, "bpf_reg: "),
	SET(conv.bpf_reg[JF_BPF_AX], 0, "bpf_reg: "),
	SET(conv.bpf_reg[JF_BPF_AX], JF_REG_NONE, "bpf_reg: "),
	SET_CAP(JF_CAP_PRIVATE_STACK, conv.bpf_fp_private, 0, "bpf_fp_private is "),
	SET_CAP(JF_CAP_PRIVATE_STACK, conv.bpf_fp_private, JF_REG_NONE, "bpf_fp_private is no register of the table"),
	SET_CAP(JF_CAP_ARENA, conv.arena_reg, 0, "arena_reg is "),
	SET_CAP(JF_CAP_ARENA, conv.arena_reg, JF_REG_NONE, "arena_reg is no register of the table"),
	SET_CAP(JF_CAP_TAIL_CALLS, conv.count_reg, 0, "count_reg is "),
	SET_CAP(JF_CAP_TAIL_CALLS, conv.count_reg, JF_REG_NONE, "count_reg is no register of the table"),
	SET_CAP(JF_CAP_TAIL_CALLS, conv.count_form, JF_COUNT__COUNT, "count_form is no value"),
	SET_CAP(JF_CAP_TAIL_CALLS, conv.count_start, 7, "count_start: "),
	SET_CAP(JF_CAP_TAIL_CALLS, conv.count_bytes, 0, "count_bytes: "),
	SET_CAP(JF_CAP_OUT_ARGS, conv.extra_arg_regs, 8, "extra_arg_regs: "),
	SET(conv.sp_steps, JF_SP__COUNT, "sp_steps is no value"),
	SET(conv.cleanup_entry, JF_CLEANUP__COUNT, "cleanup_entry is no value"),
	SET_CAP(JF_CAP_TAIL_CALLS, conv.tail_keeps, JF_FRAME_SLOTS_MAX + 1, "tail_keeps: "),
	SET(conv.bpf_stack_align, 0, "bpf_stack_align is no power of two"),
	SET(conv.out_args_align, 0, "out_args_align is no power of two"),
	SET(conv.frame_align, 0, "frame_align is no power of two"),
	SET(conv.frame_align, 12, "frame_align is no power of two"),
	SET(conv.fp_off_from_cfa, 16, "fp_off_from_cfa is positive"),
	SET(conv.result_bits, 0, "result_bits: "),
	SET_IF(conv.conflicts, conv.conflicts, 0, "conflicts is NULL"),
	SET_IF(conv.conflicts, conflicts[0].reason, 0, "conflicts[0] lacks"),
	SET(areas[0].rules, 0, "areas[0].rules is NULL"),
	SET(areas[0].group, 0, "areas[0].group is neither 1 nor 2"),
	SET(areas[0].align_bytes, 0, "areas[0].align_bytes is no power of two"),
	SET(rules[0].kind, JF_SLOT__COUNT, "areas[0].rules[0] is of no kind"),
	SET(rules[0].reg, 0, "areas[0].rules[0], of kind "),
	SET(rules[1].reg, 0, "areas[0].rules[1], of kind "),
	SET(rules[2].reg, 0, "areas[0].rules[2], of kind "),
};
/* clang-format on */

static uint64_t get(const struct spoilt *s, const struct way *way)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)s + way->at, way->size);
	return value;
}

/* returns: false where there is no such field, or the value is right here: register 0 can be. */
static bool spoil(struct spoilt *s, const struct way *way)
{
	uint64_t value = way->value & (UINT64_MAX >> (64 - 8 * way->size));
	void (*has)(void) = NULL;

	if (way->has)
		memcpy(&has, (const char *)s + way->has, sizeof(has));
	if ((way->has && !has) || (s->conv.caps & way->caps) != way->caps || get(s, way) == value)
		return false;
	memcpy((char *)s + way->at, &value, way->size); /* little-endian, as all hosts are */
	return true;
}

static void check_sentence(const struct spoilt *s, const char *conv, const char *words)
{
	struct jf_error error = {0};
	unsigned int blanks = 0;

	CHECK_STATUS(jf_backend_check(&s->backend, &error), JF_E_BAD_DESC, "%s: %s", conv, words);
	CHECK(strstr(error.text, words), "%s: '%s' does not say '%s'", conv, error.text, words);
	for (const char *c = error.text; *c; c++)
		blanks += *c == ' ';
	CHECK(error.where[0] && blanks >= 2, "%s: '%s' is no sentence", error.where, error.text);
	CHECK_STATUS(jf_backend_check(&s->backend, NULL), JF_E_BAD_DESC, "without an error");
}

ALL_CONVENTIONS(backend_spoilt, each_field_is_named)
{
	const struct jf_convention *conv = convention_at(*index);
	struct jf_error error = {0};
	unsigned int count = 0;
	struct spoilt s;

	init(&s, conv);
	CHECK_STATUS(jf_backend_check(&s.backend, &error), JF_OK, "the copy: %s: %s", error.where, error.text);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		init(&s, conv);
		if (!spoil(&s, &ways[i]))
			continue;
		check_sentence(&s, conv->name, ways[i].words);
		count++;
	}
	CHECK(count >= 60, "%s/%s: only %u ways", conv->backend->name, conv->name, count);
}

/* ---- registers of which the table says something else ---------------------------------------------------------- */

ALL_CONVENTIONS(backend_spoilt, registers_that_lose_their_flag)
{
	const struct jf_convention *conv = convention_at(*index);
	struct jf_frame boundary;
	struct spoilt s;

	cr_assert_eq(jf_frame_boundary(conv, &boundary), JF_OK);
	for (unsigned int i = 0; i < boundary.slot_count; i++) {
		if (boundary.slots[i].kind != JF_SLOT_SAVE)
			continue;
		init(&s, conv);
		s.regs[boundary.slots[i].reg].flags &= (uint8_t)~JF_REG_CALLEE_SAVED;
		check_sentence(&s, conv->name, s.regs[boundary.slots[i].reg].name);
	}
	for (unsigned int reg = 0; reg < conv->backend->reg_count; reg++) {
		if (reg != conv->backend->sp && reg != conv->backend->ra)
			continue;
		init(&s, conv);
		s.regs[reg].flags |= JF_REG_CALLEE_SAVED;
		check_sentence(&s, conv->name, "a register that a callee keeps (flags)");
	}
}

ALL_CONVENTIONS(backend_spoilt, registers_that_are_there_twice)
{
	const struct jf_convention *conv = convention_at(*index);
	struct spoilt s;

	init(&s, conv);
	s.regs[3].name = s.regs[2].name;
	check_sentence(&s, conv->name, "two registers have one name (name)");
	init(&s, conv);
	s.regs[3].dw = s.regs[2].dw;
	check_sentence(&s, conv->name, "two registers have one DWARF number (dw)");
	init(&s, conv);
	s.regs[3].hw = s.regs[2].hw;
	check_sentence(&s, conv->name, "two registers of a class have one number (hw)");
	init(&s, conv);
	s.backend.ra = s.backend.sp;
	check_sentence(&s, conv->name, "ra is the stack pointer");
	init(&s, conv);
	s.conventions[1] = &s.conv;
	s.backend.convention_count = 2;
	check_sentence(&s, conv->name, "conventions has two of one name");
}
