/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate.h"

#include <stdio.h>
#include <string.h>

/* What is put down, run one instruction at a time on any host. */

/* ---- constants: what they compute, and how short they are ------------------------------------- */

/* Runs code that only computes. */
static void compute(const struct jf_code *code, struct la_machine *m)
{
	cr_assert_eq(jf_code_finish(code), JF_OK);
	m->pc = 0;
	while (m->pc < code->size)
		cr_assert(la_step(m, code), "%s", m->trouble);
}

static const struct {
	uint64_t value;
	unsigned int insns;
} constants[] = {
	{0, 1},
	{1, 1},
	{0x7ff, 1},
	{0x800, 1},
	{0xfff, 1},
	{0x1000, 1},
	{0x1001, 2},
	{0x7fffffff, 2},
	{0x7ffff000, 1},
	{0x80000000, 2},
	{0xffffffff, 2},
	{0xfffffff0, 2},
	{0x100000000, 2},
	{0x100000001, 2},
	{0x123456789abcd, 3},
	{0x7fff12345678, 3},
	{0x7fff12345000, 2},
	{0x8000000000000000, 1},
	{0xfff0000000000000, 1},
	{0x7fffffffffffffff, 2},
	{0xffffffffffffffff, 1},
	{0xfffffffffffff800, 1},
	{0xfffffffffffff7ff, 2},
	{0xffffffff80000000, 1},
	{0xffffffff7fffffff, 3},
	{0xfff8000000000000, 2},
	{0x0008000000000000, 3},
	{0x123456789abcdef0, 4},
	{0xeb9f12345678eb9f, 4},
};

Test(run_loongarch64, li)
{
	static struct la_machine m;
	uint8_t bytes[64];
	struct jf_code code;

	for (size_t i = 0; i < COUNT(constants); i++) {
		jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
		jf_loongarch64_li(&code, LA_T1, constants[i].value);
		compute(&code, &m);
		cr_expect_eq(m.reg[LA_T1], constants[i].value, "%#jx came out as %#jx", (uintmax_t)constants[i].value,
			     (uintmax_t)m.reg[LA_T1]);
		cr_expect_eq(code.size, 4 * constants[i].insns, "%#jx takes %zu bytes", (uintmax_t)constants[i].value,
			     code.size);
	}
	for (uint64_t seed = 1; seed < 200000; seed++) {
		uint64_t value = seed * UINT64_C(0x9e3779b97f4a7c15);

		value = (seed & 1 ? (uint64_t)((int64_t)value >> seed % 64) : value >> seed % 64) << value % 7;
		jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
		jf_loongarch64_li(&code, LA_S6, value);
		compute(&code, &m);
		cr_assert_eq(m.reg[LA_S6], value, "%#jx came out as %#jx", (uintmax_t)value, (uintmax_t)m.reg[LA_S6]);
		cr_assert_leq(code.size, 16);
	}
}

static const struct {
	int64_t imm;
	unsigned int insns;
} sums[] = {
	{0, 1},         {1, 1},         {2047, 1},       {-2048, 1},     {2048, 2},      {-2049, 2},       {4094, 2},
	{-4096, 2},     {4095, 2},      {-4097, 3},      {65536, 1},     {65536 + 5, 2}, {65535, 2},       {-32752, 3},
	{INT32_MAX, 3}, {INT32_MIN, 1}, {0x7ff70000, 1}, {INT64_MAX, 3}, {INT64_MIN, 2}, {0x123456789, 4},
};

Test(run_loongarch64, add_imm)
{
	static struct la_machine m;
	uint8_t bytes[64];
	struct jf_code code;

	m.reg[LA_S0] = UINT64_C(0x7123456789abcdef);
	for (size_t i = 0; i < COUNT(sums); i++) {
		jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
		jf_loongarch64_add_imm(&code, LA_S1, LA_S0, sums[i].imm, LA_T1);
		compute(&code, &m);
		cr_expect_eq(m.reg[LA_S1], m.reg[LA_S0] + (uint64_t)sums[i].imm, "%jd", (intmax_t)sums[i].imm);
		cr_expect_eq(code.size, 4 * sums[i].insns, "%jd takes %zu bytes", (intmax_t)sums[i].imm, code.size);
	}
	jf_code_init(&code, bytes, sizeof(bytes), 0, NULL, 0);
	jf_loongarch64_add_imm(&code, LA_S1, LA_S1, 0, LA_T1);
	cr_expect_eq(code.size, 0, "adding nothing is no instruction");
}

/* ---- every frame, run instruction by instruction, its rows held to what is true -------------- */

#define TOP     (LA_STACK_TOP - 256) /* CFA of the frame under test */
#define CALLER  UINT64_C(0x5000)     /* return address */
#define TARGET  UINT64_C(0x6000)     /* of a tail call */
#define ENTERED 5                    /* a6 as a tail call brings it */
#define RESULT  UINT64_C(0x123456789abcdef0)

#define THREAD_WORD UINT64_C(0x7f1234560000) /* what the word of la_values holds */

struct run {
	struct la_output *out;
	struct la_machine m, caller; /* caller: registers as they were at the call */
	char name[160];
};

static void mark_registers(struct la_machine *m, uint64_t pattern)
{
	for (unsigned int i = 1; i < LA_REG_COUNT; i++)
		if (i != LA_SP && i != LA_TP && i != LA_R21)
			m->reg[i] = pattern + i * UINT64_C(0x0101010101010101);
}

static bool keeps_value(const struct jf_slot *slot)
{
	return slot->kind == JF_SLOT_RETURN || slot->kind == JF_SLOT_SAVE;
}

/* R10: the row in force says where the CFA and everything of the caller's is. R8: nothing below SP. */
static void check_row(struct run *run)
{
	const struct jf_frame *frame = &run->out->frame;
	const struct jf_row *row = jf_row_find(run->out->rows, run->out->code.row_count, (uint32_t)run->m.pc);
	uint64_t *stack = run->m.stack;
	int pc = (int)run->m.pc;

	cr_assert_not_null(row, "%s: no row at %d", run->name, pc);
	cr_assert_eq(run->m.reg[row->cfa_reg] + (uint64_t)(int64_t)row->cfa_off, TOP, "%s: wrong CFA at %d", run->name,
		     pc);
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		const struct jf_slot *slot = &frame->slots[i];
		uint64_t address = TOP + (uint64_t)(int64_t)slot->off_from_cfa,
			 value = run->m.reg[slot->reg % LA_REG_COUNT];

		if (row->saved & 1u << i) {
			cr_assert(keeps_value(slot), "%s: slot %u cannot be saved, at %d", run->name, i, pc);
			cr_assert_geq(address, run->m.reg[LA_SP], "%s: slot %u is below sp at %d", run->name, i, pc);
			value = stack[(address - LA_STACK_LOW) / 8];
		}
		if (keeps_value(slot))
			cr_assert_eq(value, run->caller.reg[slot->reg], "%s: slot %u is not true at %d", run->name, i,
				     pc);
	}
}

static void run_to(struct run *run, uint64_t end)
{
	for (int steps = 0; run->m.pc != end; steps++) {
		cr_assert_lt(steps, 1000, "%s does not get to %d", run->name, (int)end);
		check_row(run);
		cr_assert_eq(run->m.reg[LA_SP] % 16, 0, "%s: sp at %d", run->name, (int)run->m.pc);
		cr_assert(la_step(&run->m, &run->out->code), "%s: %s before %d", run->name, run->m.trouble,
			  (int)run->m.pc);
	}
}

static uint64_t slot_value(const struct run *run, enum jf_slot_kind kind)
{
	int slot = jf_frame_slot(&run->out->frame, kind, JF_REG_NONE);

	cr_assert_geq(slot, 0);
	return run->m.stack[(TOP - LA_STACK_LOW + (uint64_t)(int64_t)run->out->frame.slots[slot].off_from_cfa) / 8];
}

/* The end of the prologue: the registers that the body relies on. `a6` is what came in. */
static void check_body(const struct run *run, uint64_t a6)
{
	const struct jf_frame *frame = &run->out->frame;
	const struct jf_convention *conv = frame->conv;
	uint64_t base = conv->caps & JF_CAP_USER_BASE ? THREAD_WORD : run->m.reg[LA_R21];
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE);

	cr_assert_eq(run->m.reg[LA_SP], TOP - frame->size_bytes, "%s: sp", run->name);
	cr_assert_eq(run->m.reg[LA_FP], TOP + (uint64_t)(int64_t)conv->fp_off_from_cfa, "%s: fp", run->name);
	if (frame->spec.private_stack && frame->needs & JF_WHEN_FP)
		cr_assert_eq(run->m.reg[LA_S4],
			     la_values.private_stack + 16 + (frame->spec.bpf_stack_bytes + 15) / 16 * 16 + base,
			     "%s: private stack", run->name);
	else if (frame->bpf_stack_bytes)
		cr_assert_eq(run->m.reg[LA_S4], TOP + (uint64_t)(int64_t)frame->bpf_fp_off_from_cfa, "%s: R10",
			     run->name);
	if (frame->spec.arena)
		cr_assert_eq(run->m.reg[LA_S6], la_values.arena_base, "%s: arena", run->name);
	if (tcc >= 0 && frame->spec.role != JF_ROLE_CALLBACK) {
		uint64_t own = TOP + (uint64_t)(int64_t)frame->slots[tcc].off_from_cfa;
		uint64_t pointer = frame->needs & JF_WHEN_MAIN && a6 <= 33 ? own : a6;

		cr_assert_eq(slot_value(run, JF_SLOT_TCC), a6, "%s: count", run->name);
		cr_assert_eq(slot_value(run, JF_SLOT_TCC_PTR), pointer, "%s: address of the count", run->name);
		cr_assert_eq(run->m.reg[LA_TCC], pointer, "%s: a6", run->name);
	}
}

/* What the body may do: any register that the frame saved, or that the ABI gives away. */
static void body(struct run *run)
{
	const struct jf_frame *frame = &run->out->frame;
	uint64_t fp = run->m.reg[LA_FP];

	for (unsigned int i = 1; i < LA_REG_COUNT; i++)
		if ((!(jf_loongarch64_regs[i].flags & (JF_REG_CALLEE_SAVED | JF_REG_RESERVED)) && i != LA_SP) ||
		    jf_frame_slot(frame, JF_SLOT_SAVE, (uint8_t)i) >= 0)
			run->m.reg[i] = UINT64_C(0xdead000000000000) + i;
	run->m.reg[LA_FP] = fp;
	run->m.reg[LA_R0] = RESULT;
	run->m.reg[LA_TAIL_TARGET] = TARGET;
	if (frame->size_bytes > frame->fixed_bytes)
		run->m.stack[(run->m.reg[LA_SP] - LA_STACK_LOW) / 8] = 1;
}

/* Behind the last instruction: as before the call. */
static void check_caller(const struct run *run)
{
	cr_assert_eq(run->m.reg[LA_SP], TOP, "%s: sp is not the CFA", run->name);
	for (unsigned int i = 1; i < LA_REG_COUNT; i++)
		if (jf_loongarch64_regs[i].flags & JF_REG_CALLEE_SAVED)
			cr_assert_eq(run->m.reg[i], run->caller.reg[i], "%s: %s is lost", run->name,
				     jf_loongarch64_regs[i].name);
	cr_assert_eq(run->m.reg[LA_RA], CALLER, "%s: ra", run->name);
}

static void call(struct run *run, uint64_t at, uint64_t a6)
{
	mark_registers(&run->m, UINT64_C(0x1000000000000000));
	run->m.reg[LA_SP] = TOP;
	run->m.reg[LA_TP] = LA_DATA;
	run->m.data[la_values.private_stack_word / 8] = THREAD_WORD;
	run->m.reg[LA_R21] = UINT64_C(0x9000000000000000);
	run->m.reg[LA_RA] = CALLER;
	run->m.reg[LA_TCC] = a6;
	run->m.pc = at;
	run->m.trouble = NULL;
	run->caller = run->m;
}

/* From an entry through the prologue and out by the epilogue, or by the tail exit behind it. */
static void run_function(struct run *run, uint64_t entry, uint64_t a6)
{
	struct jf_code *code = &run->out->code;
	bool tail = run->out->frame.spec.tail_calls;
	struct la_machine at_body;
	uint64_t result = RESULT;

	call(run, entry, a6);
	run_to(run, code->marks[JF_MARK_BODY]);
	check_body(run, entry == 0 && run->out->frame.needs & JF_WHEN_MAIN ? 0 : a6);
	body(run);
	at_body = run->m;
	run_to(run, CALLER);
	check_caller(run);
	if (run->out->frame.conv->result_bits == 32)
		result = (uint64_t)(int64_t)(int32_t)result;
	cr_assert_eq(run->m.reg[LA_A0], result, "%s: result", run->name);
	if (!tail)
		return;
	run->m = at_body;
	/* The tail exit is as long as the epilogue, but for what makes the result and the count. */
	run->m.pc = code->marks[JF_MARK_EPILOGUE];
	while (memcmp(code->bytes + run->m.pc, (const uint8_t[]){0x20, 0, 0, 0x4c}, 4))
		run->m.pc += 4;
	run->m.pc += 4;
	run_to(run, TARGET + (run->out->frame.conv->backend_flags & LA_CONV_PATCH_AREA ? 28 : 4));
	check_caller(run);
	cr_assert_eq(run->m.reg[LA_TCC], entry == 0 && run->out->frame.needs & JF_WHEN_MAIN ? 0 : a6,
		     "%s: a6 is handed on", run->name);
}

/* A boundary's prologue, then a throw from far below into the callback (R4, R5, R11, R12). */
static void run_landing(struct run *run, const struct jf_convention *conv, const struct jf_frame_spec *callback)
{
	static struct la_output boundary;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct la_output *out = run->out;

	spec.role = JF_ROLE_BOUNDARY;
	spec.tail_calls = callback->tail_calls;
	spec.bpf_stack_bytes = 160;
	la_emit(&boundary, conv, &spec, JF_PART_ALL);
	run->out = &boundary;
	call(run, 0, 0);
	run_to(run, boundary.code.marks[JF_MARK_BODY]);
	body(run);

	run->out = out;
	run->m.reg[LA_SP] = TOP - boundary.frame.size_bytes - 40960;
	run->m.reg[LA_A1] = TOP + (uint64_t)(int64_t)boundary.frame.landing_sp_off_from_cfa;
	run->m.reg[LA_A2] = TOP + (uint64_t)(int64_t)conv->fp_off_from_cfa;
	run->m.pc = 0;
	run_to(run, out->code.marks[JF_MARK_BODY]);
	check_body(run, 0);
	body(run);
	run_to(run, CALLER);
	check_caller(run);
}

static void try_spec(const struct jf_convention *conv, const struct jf_frame_spec *spec, int *tried)
{
	static struct la_output out;
	static struct run run;

	if (jf_frame_solve(conv, spec, &out.frame, NULL) != JF_OK)
		return;
	*tried += 1;
	la_emit(&out, conv, spec, JF_PART_ALL);
	run.out = &out;
	snprintf(run.name, sizeof(run.name), "%s %s, stack %u, regs %#x, out %u%s%s%s", conv->name,
		 jf_role_name((enum jf_role)spec->role), spec->bpf_stack_bytes, spec->bpf_regs_used, spec->out_args,
		 spec->tail_calls ? ", tail calls" : "", spec->arena ? ", arena" : "",
		 spec->private_stack ? ", private stack" : "");
	if (spec->role == JF_ROLE_CALLBACK) {
		cr_assert_eq(out.code.marks[JF_MARK_TAIL_ENTRY], JF_MARK_UNSET);
		run_landing(&run, conv, spec);
		return;
	}
	run_function(&run, 0, UINT64_C(0x7fff00001230));
	if (spec->role == JF_ROLE_SUBPROGRAM) {
		cr_assert_eq(out.code.marks[JF_MARK_TAIL_ENTRY], JF_MARK_UNSET);
		return;
	}
	cr_assert_eq(out.code.marks[JF_MARK_TAIL_ENTRY], conv->backend_flags & LA_CONV_PATCH_AREA ? 28 : 4);
	run_function(&run, out.code.marks[JF_MARK_TAIL_ENTRY], ENTERED);
	run_function(&run, out.code.marks[JF_MARK_TAIL_ENTRY], 33);
	run_function(&run, out.code.marks[JF_MARK_TAIL_ENTRY], UINT64_C(0x7fff00001230));
}

static void try_all(const char *target, int least)
{
	static const uint32_t stacks[] = {0, 1, 16, 120, 512, 528, 2000, 2048, 4096, 5000, 32752};
	static const uint16_t used[] = {0, 1 << 6, 1 << 6 | 1 << 8, 0x3c0, 1 << 10, 0x7c0};
	const struct jf_convention *conv = la_convention(target);
	int tried = 0;

	for (uint32_t i = 0; i < JF_ROLE__COUNT * COUNT(stacks) * COUNT(used) * 8 * 3; i++) {
		struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
		uint32_t rest = i;

		spec.role = rest % JF_ROLE__COUNT;
		rest /= JF_ROLE__COUNT;
		spec.bpf_stack_bytes = stacks[rest % COUNT(stacks)];
		rest /= COUNT(stacks);
		spec.bpf_regs_used = used[rest % COUNT(used)];
		rest /= COUNT(used);
		spec.tail_calls = rest & 1;
		spec.arena = rest & 2;
		spec.private_stack = rest & 4;
		spec.out_args = rest / 8 == 0 ? 0 : rest / 8 == 1 ? 1 : JF_OUT_ARGS_MAX;
		try_spec(conv, &spec, &tried);
	}
	cr_expect_geq(tried, least, "only %d frames", tried);
}

Test(run_loongarch64, rows_linux)
{
	try_all("loongarch64/linux", 500);
}

Test(run_loongarch64, rows_linux_v2)
{
	try_all("loongarch64/linux-v2", 700);
}

Test(run_loongarch64, rows_user)
{
	try_all("loongarch64/user", 2000);
}
