/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of prologue, epilogue and tail-call exit, and the stub through which `linux` code calls C. */
#include "insn.h"

static bool is_linux(const struct jf_frame *frame)
{
	return frame->conv->backend_flags & X86_64_LINUX_FORMS;
}

static bool is_main(const struct jf_frame *frame)
{
	return frame->spec.role == JF_ROLE_MAIN || frame->spec.role == JF_ROLE_BOUNDARY;
}

static int32_t slot_fp_off(const struct jf_frame *frame, enum jf_slot_kind kind)
{
	return fp_off(frame, &frame->slots[jf_frame_slot(frame, kind, JF_REG_NONE)]);
}

/* ---- tail-call count -------------------------------------------------------------------------- */

/*
 * RAX comes in as a count (0 from outside, or that of a tail call) or as a pointer to one that is in
 * force further up. The first slot keeps it as it came, the second points to the count in force.
 */
static void push_count(struct jf_code *code, const struct jf_frame *frame)
{
	if (is_main(frame)) {
		jf_x86_64_emit_alu_ri(code, ALU_CMP, true, RAX, TAIL_CALLS_MAX);
		emit_jcc8(code, CC_A, 6); /* to the second push: a pointer goes into both slots */
		emit_push(code, RAX);
		emit_mov_rr(code, true, RAX, RSP);
		emit_jmp8(code, 1);
	}
	emit_push(code, RAX);
	emit_push(code, RAX);
}

/* The same without branches. */
static void store_count(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place place)
{
	unsigned int ptr = RAX;

	emit_store(code, 8, at(place.base, place.tcc_off), RAX);
	if (is_main(frame)) {
		ptr = SCRATCH;
		emit_lea(code, true, ptr, at(place.base, place.tcc_off));
		jf_x86_64_emit_alu_ri(code, ALU_CMP, true, RAX, TAIL_CALLS_MAX);
		emit_cmov(code, CC_A, true, ptr, RAX);
	}
	emit_store(code, 8, at(place.base, place.tcc_ptr_off), ptr);
}

/* For a tail call: the count itself when it is this frame's own, else the pointer to it. */
static void load_count(struct jf_code *code, const struct jf_frame *frame, struct jf_count_place place)
{
	(void)frame;
	emit_load(code, 8, false, RAX, at(place.base, place.tcc_off));
}

/* ---- slots ------------------------------------------------------------------------------------ */

static unsigned int throw_slots(const struct jf_frame *frame)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < frame->slot_count; i++)
		count += frame->slots[i].kind == JF_SLOT_THROW;
	return count;
}

/* `linux` pushes all slots, and has one subtraction for each of the two stacks; `user` pushes what PUSH can. */
static unsigned int unit(const struct jf_frame *frame, unsigned int slot)
{
	const struct jf_slot *s = &frame->slots[slot];

	if (is_linux(frame))
		return s->kind == JF_SLOT_TCC ? 2 : s->kind == JF_SLOT_THROW ? throw_slots(frame) : 1;
	return s->kind == JF_SLOT_SAVE && jf_x86_64_regs[s->reg].cls == JF_REG_INT;
}

static void push(struct jf_code *code, const struct jf_frame *frame, unsigned int slot)
{
	const struct jf_slot *s = &frame->slots[slot];

	switch (s->kind) {
	case JF_SLOT_SAVE: emit_push(code, s->reg); break;
	case JF_SLOT_TCC:
		if (jf_frame_slot(frame, JF_SLOT_TCC_PTR, JF_REG_NONE) != (int)slot + 1)
			jf_code_fail(code, JF_E_BAD_DESC);
		push_count(code, frame);
		break;
	case JF_SLOT_BPF_STACK: put_reg(code, F_W | F_IMM32 | 0x81, ALU_SUB, RSP, s->size_bytes); break;
	case JF_SLOT_THROW: /* room: they are filled where the function throws */
		jf_x86_64_emit_alu_ri(code, ALU_SUB, true, RSP, s->size_bytes * throw_slots(frame));
		break;
	case JF_SLOT_OUT_ARGS: jf_x86_64_emit_alu_ri(code, ALU_SUB, true, RSP, s->size_bytes); break;
	default: jf_code_fail(code, JF_E_BAD_DESC);
	}
}

static void pop(struct jf_code *code, const struct jf_frame *frame, unsigned int slot)
{
	const struct jf_slot *s = &frame->slots[slot];

	switch (s->kind) {
	case JF_SLOT_SAVE: emit_pop(code, s->reg); break;
	case JF_SLOT_TCC:
		emit_pop(code, RAX); /* tcc_ptr */
		emit_pop(code, RAX); /* tcc */
		break;
	case JF_SLOT_BPF_STACK: put_reg(code, F_W | F_IMM32 | 0x81, ALU_ADD, RSP, s->size_bytes); break;
	case JF_SLOT_THROW: jf_x86_64_emit_alu_ri(code, ALU_ADD, true, RSP, s->size_bytes * throw_slots(frame)); break;
	case JF_SLOT_OUT_ARGS: jf_x86_64_emit_alu_ri(code, ALU_ADD, true, RSP, s->size_bytes); break;
	default: jf_code_fail(code, JF_E_BAD_DESC);
	}
}

/* Control words; integer registers in the throw-site area. */
static void store(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	if (jf_x86_64_regs[reg].cls == JF_REG_INT)
		emit_store(code, 8, at(base, off), reg);
	else if (reg == MXCSR)
		emit_stmxcsr(code, at(base, off));
	else
		emit_fnstcw(code, at(base, off));
}

static void load(struct jf_code *code, uint8_t reg, uint8_t base, int32_t off)
{
	if (reg == MXCSR)
		emit_ldmxcsr(code, at(base, off));
	else
		emit_fldcw(code, at(base, off));
}

/* ---- registers -------------------------------------------------------------------------------- */

static void move(struct jf_code *code, uint8_t dst, uint8_t src)
{
	emit_mov_rr(code, true, dst, src);
}

static void add(struct jf_code *code, uint8_t dst, uint8_t src, int64_t imm)
{
	if (dst == src)
		jf_x86_64_emit_alu_ri(code, imm < 0 ? ALU_SUB : ALU_ADD, true, dst, imm < 0 ? -imm : imm);
	else if (imm)
		emit_lea(code, true, dst, at(src, imm));
	else
		emit_mov_rr(code, true, dst, src);
}

static void constant(struct jf_code *code, uint8_t dst, uint64_t value)
{
	jf_x86_64_emit_mov_ri(code, dst, value);
}

/*
 * R10 = constant + per-CPU base in `linux`, + what the thread's word holds in `user`. There calls lose it (R9 is
 * the callee's), so a copy stays in the frame; in `linux` each call pushes and pops it.
 */
static void private_stack(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values)
{
	const struct jf_convention *conv = frame->conv;
	uint64_t top = values->private_stack + jf_frame_private_stack(frame).top_off;
	int64_t word = (int64_t)values->private_stack_word;
	unsigned int reg = conv->bpf_fp_private;

	if (is_linux(frame)) {
		jf_x86_64_emit_movabs(code, reg, top);
		emit_add_seg(code, F_GS, reg, 0);
		return;
	}
	if (fits_s32((int64_t)top)) {
		emit_load_fs(code, reg, word);
		emit_lea(code, true, reg, at(reg, (int64_t)top));
	} else {
		jf_x86_64_emit_movabs(code, reg, top);
		emit_add_seg(code, F_FS, reg, word);
	}
	emit_store(code, 8, at(RBP, slot_fp_off(frame, JF_SLOT_SPILL)), reg);
}

/* ---- where a function begins and ends --------------------------------------------------------- */

/* Landing pad, patch site, a fresh count. */
static void enter(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		emit_endbr64(code);
	if (is_linux(frame)) {
		emit_nop5(code);
		if (is_main(frame) && frame->spec.tail_calls)
			emit_alu_rr(code, ALU_XOR, true, RAX, RAX);
		else if (!frame->spec.classic)
			emit_nop3(code);
	} else if (is_main(frame)) {
		emit_alu_rr(code, ALU_XOR, false, RAX, RAX);
	}
}

static void tail_pad(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads && (is_main(frame) || is_linux(frame)))
		emit_endbr64(code);
}

/* The jump that enters has come without R10 of a private stack. */
static void cleanup_pad(struct jf_code *code, const struct jf_frame *frame)
{
	if (frame->spec.landing_pads)
		emit_endbr64(code);
	if (frame->spec.private_stack)
		emit_load(code, 8, false, frame->conv->bpf_fp_private, at(RBP, slot_fp_off(frame, JF_SLOT_SPILL)));
}

static void leave(struct jf_code *code)
{
	emit_leave(code);
}

static void ret(struct jf_code *code)
{
	emit_ret(code);
}

/* The unwinder has called the pad. */
static void go_back(struct jf_code *code, const struct jf_frame *frame)
{
	(void)frame;
	emit_ret(code);
}

/* The next program takes the record over, with RSP = RBP. RCX = target. */
static void jump(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off)
{
	(void)frame;
	jf_x86_64_emit_alu_ri(code, ALU_ADD, true, RCX, entry_off);
	emit_jmp_reg(code, RCX);
}

const struct jf_build_ops jf_x86_64_build = {
	.enter = enter,
	.tail_pad = tail_pad,
	.move = move,
	.add = add,
	.constant = constant,
	.store = store,
	.load = load,
	.store_count = store_count,
	.load_count = load_count,
	.private_stack = private_stack,
	.cleanup_pad = cleanup_pad,
	.unit = unit,
	.push = push,
	.pop = pop,
	.leave = leave,
	.ret = ret,
	.go_back = go_back,
	.jump = jump,
	.target = RCX,
};

/* ---- calling C -------------------------------------------------------------------------------- */

/* `linux` frames leave RSP at any multiple of 8; the System V ABI wants C called with one of 16. */
bool jf_x86_64_call_stubs(const struct jf_convention *conv)
{
	return conv->backend_flags & X86_64_LINUX_FORMS;
}

void jf_x86_64_call_stub(struct jf_code *code, const struct jf_frame *frame, uint64_t target)
{
	int fp = jf_frame_slot(frame, JF_SLOT_SAVE, RBP), ra = jf_frame_slot(frame, JF_SLOT_RETURN, JF_REG_NONE);

	emit_push(code, RBP);
	jf_code_cfa(code, RSP, -frame->slots[fp].off_from_cfa);
	jf_code_saved(code, (unsigned int)fp);
	emit_mov_rr(code, true, RBP, RSP);
	jf_code_cfa(code, RBP, -frame->conv->fp_off_from_cfa);
	jf_x86_64_emit_alu_ri(code, ALU_AND, true, RSP, -16);
	jf_x86_64_emit_call(code, target, RAX);
	emit_leave(code);
	jf_code_restored(code, (unsigned int)fp);
	jf_code_cfa(code, RSP, -frame->slots[ra].off_from_cfa);
	emit_ret(code);
}
