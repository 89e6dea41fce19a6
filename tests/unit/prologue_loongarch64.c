/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate_loongarch64.h"

#include <criterion/criterion.h>
#include <jitframe/jitframe.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CODE_MAX     1024
#define ROWS_MAX     256
#define ADDRESS      0 /* of the code, so that offsets are addresses */

static const struct jf_values values = {.arena_base = UINT64_C(0xffff800012345000),
					.private_stack = UINT64_C(0x0000654321000)};

struct output {
	struct jf_frame frame;
	struct jf_code code;
	uint8_t bytes[CODE_MAX];
	struct jf_row rows[ROWS_MAX];
};

static const struct jf_convention *convention(const char *target)
{
	const struct jf_convention *conv = NULL;

	cr_assert_eq(jf_convention_find(target, &conv, NULL), JF_OK, "%s", target);
	return conv;
}

static void emit(struct output *out, const struct jf_convention *conv, const struct jf_frame_spec *spec,
		 enum jf_part part)
{
	struct jf_error error;

	cr_assert_eq(jf_frame_solve(conv, spec, &out->frame, &error), JF_OK, "%s: %s", conv->name, error.text);
	jf_code_init(&out->code, out->bytes, sizeof(out->bytes), ADDRESS, out->rows, ROWS_MAX);
	cr_assert_eq(jf_frame_emit(&out->code, &out->frame, part, &values), JF_OK);
}

/* ---- the linux conventions, word for word ---------------------------------------------------- */

static void expect_words(const char *target, const struct jf_frame_spec *spec, enum jf_part part, const uint32_t *words,
			 size_t count)
{
	static struct output out;

	emit(&out, convention(target), spec, part);
	cr_expect_eq(out.code.size, 4 * count, "%s role %u part %d: %zu bytes", target, spec->role, part,
		     out.code.size);
	for (size_t i = 0; i < count && 4 * i < out.code.size; i++) {
		const uint8_t *at = out.bytes + 4 * i;
		uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;

		cr_expect_eq(word, words[i], "%s role %u part %d: word %zu is %08x, not %08x", target, spec->role, part,
			     i, word, words[i]);
	}
}

#define EXPECT(target, spec, part, ...)                                   \
	expect_words(target, spec, part, (const uint32_t[]){__VA_ARGS__}, \
		     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* clang-format off */

/* move t0, ra and five nops */
#define PATCH_AREA 0x0015002c, 0x03400000, 0x03400000, 0x03400000, 0x03400000, 0x03400000
#define CLEAR_A6 0x02c0000a                  /* addi.d a6, zero, 0 */
#define RETURN32 0x02800124, 0x4c000020      /* addi.w a0, a5, 0; ret */
#define TO_TAIL_ENTRY 0x4c001de0             /* jirl zero, t3, 28 */

Test(prologue_loongarch64, linux_main)
{
	const struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fec063,                                                 /* addi.d sp, sp, -80 */
	       0x29c12061, 0x29c10076,                                     /* st.d ra 72, fp 64 */
	       0x29c0e077, 0x29c0c078, 0x29c0a079, 0x29c0807a,             /* st.d s0..s3 */
	       0x29c0607b, 0x29c0407c,                                     /* st.d s4, s5 */
	       0x29c0206a, 0x02c02073, 0x02408954, 0x00135273, 0x0013d14a, /* the count */
	       0x00154d4a, 0x29c0006a,                                     /* st.d a6 0 */
	       0x02c14076);                                                /* addi.d fp, sp, 80 */
	EXPECT("loongarch64/linux", &spec, JF_PART_EPILOGUE, 0x28c12061, 0x28c10076, 0x28c0e077, 0x28c0c078,
	       0x28c0a079, 0x28c0807a, 0x28c0607b, 0x28c0407c, 0x28c0206a, /* ld.d a6 8 */
	       0x02c14063, RETURN32);
}

Test(prologue_loongarch64, linux_subprogram_with_stack)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 24;
	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA,
	       0x02fe4063,                                     /* addi.d sp, sp, -112 */
	       0x29c1a061, 0x29c18076,                         /* st.d ra 104, fp 96 */
	       0x29c16077, 0x29c14078, 0x29c12079, 0x29c1007a, /* st.d s0..s3 */
	       0x29c0e07b, 0x29c0c07c,                         /* st.d s4, s5 */
	       0x29c0a06a, 0x29c0806a,                         /* st.d a6 40, 32 */
	       0x02c1c076,                                     /* addi.d fp, sp, 112 */
	       0x02c0807b);                                    /* addi.d s4, sp, 32 */
}

Test(prologue_loongarch64, linux_main_with_arena_and_tail_calls)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.arena = true;
	spec.tail_calls = true;
	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fe8063,                                                 /* addi.d sp, sp, -96 */
	       0x29c16061, 0x29c14076,                                     /* st.d ra 88, fp 80 */
	       0x29c12077, 0x29c10078, 0x29c0e079, 0x29c0c07a,             /* st.d s0..s3 */
	       0x29c0a07b, 0x29c0807c,                                     /* st.d s4, s5 */
	       0x29c0606a, 0x02c06073, 0x02408954, 0x00135273, 0x0013d14a, /* the count */
	       0x00154d4a, 0x29c0406a,                                     /* st.d a6 16 */
	       0x29c0207d,                                                 /* st.d s6 8 */
	       0x02c18076,                                                 /* addi.d fp, sp, 96 */
	       0x142468bd, 0x17f0001d);                                    /* s6 = the arena's base */
	EXPECT("loongarch64/linux", &spec, JF_PART_TAIL_EXIT, 0x28c16061, 0x28c14076, 0x28c12077, 0x28c10078,
	       0x28c0e079, 0x28c0c07a, 0x28c0a07b, 0x28c0807c, 0x28c0606a, /* ld.d a6 24 */
	       0x28c0207d,                                                 /* ld.d s6 8 */
	       0x02c18063, TO_TAIL_ENTRY);
}

/* As arena programs: 7.3's place for s6 in boundary and callback. */
Test(prologue_loongarch64, linux_boundary_and_callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	EXPECT("loongarch64/linux", &spec, JF_PART_EPILOGUE, 0x28c16061, 0x28c14076, 0x28c12077, 0x28c10078,
	       0x28c0e079, 0x28c0c07a, 0x28c0a07b, 0x28c0807c, 0x28c0606a, 0x28c0207d, 0x02c18063, RETURN32);
	spec.role = JF_ROLE_CALLBACK;
	EXPECT("loongarch64/linux", &spec, JF_PART_PROLOGUE, PATCH_AREA, 0x001500d6, /* move fp, a2 */
	       0x02fe82c3);                                                          /* addi.d sp, fp, -96 */
	spec.bpf_stack_bytes = 16;
	EXPECT("loongarch64/linux", &spec, JF_PART_ALL, PATCH_AREA, 0x001500d6, 0x02fe42c3, 0x02c0407b, 0x28c1a061,
	       0x28c18076, 0x28c16077, 0x28c14078, 0x28c12079, 0x28c1007a, 0x28c0e07b, 0x28c0c07c, 0x28c0a06a,
	       0x28c0607d, 0x02c1c063, RETURN32);
}

Test(prologue_loongarch64, v2_main)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.tail_calls = true;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fec063, 0x29c12061, 0x29c10076,
	       0x29c0e077, 0x29c0c078, 0x29c0a079, 0x29c0807a, 0x29c0607b, 0x29c0407c,
	       0x02c0840f, /* addi.d t3, zero, 33 */
	       0x6c0009ea, /* bgeu t3, a6, +8 */
	       0x50001000, /* b +16 */
	       0x29c0206a, /* st.d a6 8 */
	       0x02c0206a, /* addi.d a6, sp, 8 */
	       0x50000800, /* b +8 */
	       0x29c0206a, /* st.d a6 8 */
	       0x29c0006a, /* st.d a6 0 */
	       0x02c14076);
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_TAIL_EXIT, 0x28c12061, 0x28c10076, 0x28c0e077, 0x28c0c078,
	       0x28c0a079, 0x28c0807a, 0x28c0607b, 0x28c0407c, 0x28c0006a, 0x28c0206a, /* a6 twice */
	       0x02c14063, TO_TAIL_ENTRY);
}

Test(prologue_loongarch64, v2_boundary_and_callback)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_BOUNDARY;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA, CLEAR_A6,
	       0x02fe8063, 0x29c16061, 0x29c14076,
	       0x29c12077, 0x29c10078, 0x29c0e079, 0x29c0c07a, 0x29c0a07b, 0x29c0807c, 0x29c0607d, /* s6 24 */
	       0x02c0840f, 0x6c0009ea, 0x50001000, 0x29c0406a, 0x02c0406a, 0x50000800, 0x29c0406a,
	       0x29c0206a, /* st.d a6 8 */
	       0x02c18076);
	spec.role = JF_ROLE_CALLBACK;
	spec.bpf_stack_bytes = 16;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA, 0x001500d6, 0x02fe42c3, 0x02c0407b);
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_EPILOGUE,
	       0x28c1a061, 0x28c18076, 0x28c16077, 0x28c14078, 0x28c12079,
	       0x28c1007a, 0x28c0e07b, 0x28c0c07c, 0x28c0a07d, 0x28c0606a, 0x28c0806a, 0x02c1c063, RETURN32);
}

Test(prologue_loongarch64, v2_private_stack)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 72;
	spec.private_stack = true;
	EXPECT("loongarch64/linux-v2", &spec, JF_PART_PROLOGUE, PATCH_AREA,
	       0x02fec063, 0x29c12061, 0x29c10076, 0x29c0e077,
	       0x29c0c078, 0x29c0a079, 0x29c0807a, 0x29c0607b, 0x29c0407c, 0x29c0206a, 0x29c0006a, 0x02c14076,
	       0x14a8643b, 0x0381837b, 0x160000db, /* s4 = P + 16 + 80 */
	       0x0010d77b);                        /* add.d s4, s4, $r21 */
}

Test(prologue_loongarch64, user_pays_for_what_it_uses)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;

	EXPECT("loongarch64/user", &spec, JF_PART_ALL, CLEAR_A6,
	       0x02ffc063,             /* addi.d sp, sp, -16 */
	       0x29c02061, 0x29c00076, /* st.d ra 8, fp 0 */
	       0x02c04076,             /* addi.d fp, sp, 16 */
	       0x28c02061, 0x28c00076, 0x02c04063,
	       0x00150124, 0x4c000020); /* move a0, a5; ret */
	spec.role = JF_ROLE_SUBPROGRAM;
	spec.bpf_stack_bytes = 8;
	EXPECT("loongarch64/user", &spec, JF_PART_ALL,
	       0x02ff8063,                         /* addi.d sp, sp, -32 */
	       0x29c06061, 0x29c04076, 0x29c0207b, /* st.d ra, fp, s4 */
	       0x02c08076,                         /* addi.d fp, sp, 32 */
	       0x02ffc063,                         /* addi.d sp, sp, -16 */
	       0x02ff82db,                         /* addi.d s4, fp, -32 */
	       0x02ff82c3,                         /* addi.d sp, fp, -32 */
	       0x28c06061, 0x28c04076, 0x28c0207b, 0x02c08063, 0x00150124, 0x4c000020);
}

/* clang-format on */

/* ---- every frame, run instruction by instruction, its rows held to what is true -------------- */

#define TOP     (LA_STACK_TOP - 256) /* CFA of the frame under test */
#define CALLER  UINT64_C(0x5000)     /* return address */
#define TARGET  UINT64_C(0x6000)     /* of a tail call */
#define ENTERED 5                    /* a6 as a tail call brings it */
#define RESULT  UINT64_C(0x123456789abcdef0)

struct run {
	struct output *out;
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
	uint64_t base = conv->backend_flags & LA_CONV_PERCPU ? run->m.reg[LA_R21] : run->m.reg[LA_TP];
	int tcc = jf_frame_slot(frame, JF_SLOT_TCC, JF_REG_NONE);

	cr_assert_eq(run->m.reg[LA_SP], TOP - frame->size_bytes, "%s: sp", run->name);
	cr_assert_eq(run->m.reg[LA_FP], TOP + (uint64_t)(int64_t)conv->fp_off_from_cfa, "%s: fp", run->name);
	if (frame->spec.private_stack && frame->needs & JF_WHEN_FP)
		cr_assert_eq(run->m.reg[LA_S4],
			     values.private_stack + 16 + (frame->spec.bpf_stack_bytes + 15) / 16 * 16 + base,
			     "%s: private stack", run->name);
	else if (frame->bpf_stack_bytes)
		cr_assert_eq(run->m.reg[LA_S4], TOP + (uint64_t)(int64_t)frame->bpf_fp_off_from_cfa, "%s: R10",
			     run->name);
	if (frame->spec.arena)
		cr_assert_eq(run->m.reg[LA_S6], values.arena_base, "%s: arena", run->name);
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
	run->m.reg[LA_TP] = UINT64_C(0x7000000000);
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
	static struct output boundary;
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	struct output *out = run->out;

	spec.role = JF_ROLE_BOUNDARY;
	spec.tail_calls = callback->tail_calls;
	spec.bpf_stack_bytes = 160;
	emit(&boundary, conv, &spec, JF_PART_ALL);
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
	static struct output out;
	static struct run run;

	if (jf_frame_solve(conv, spec, &out.frame, NULL) != JF_OK)
		return;
	*tried += 1;
	emit(&out, conv, spec, JF_PART_ALL);
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
	const struct jf_convention *conv = convention(target);
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

Test(prologue_loongarch64, rows_linux)
{
	try_all("loongarch64/linux", 500);
}

Test(prologue_loongarch64, rows_linux_v2)
{
	try_all("loongarch64/linux-v2", 700);
}

Test(prologue_loongarch64, rows_user)
{
	try_all("loongarch64/user", 2000);
}

/* ---- tables ----------------------------------------------------------------------------------- */

Test(prologue_loongarch64, tables)
{
	uint8_t unsaved[JF_REGS_MAX];
	struct jf_error error;

	cr_assert_eq(jf_backend_check(&jf_loongarch64_backend, &error), JF_OK, "%s", error.text);
	for (unsigned int i = 0; i < LA_REG_COUNT; i++)
		cr_expect_eq(jf_loongarch64_regs[i].id, i);
	/* R3: complete in user; the patch leaves s7, s8 and, as the kernel may, fs0..fs7. */
	cr_expect_eq(jf_convention_unsaved(convention("loongarch64/user"), unsaved, sizeof(unsaved)), 0);
	cr_expect_eq(jf_convention_unsaved(convention("loongarch64/linux"), unsaved, sizeof(unsaved)), 10);
	cr_expect_eq(jf_convention_unsaved(convention("loongarch64/linux-v2"), unsaved, sizeof(unsaved)), 10);
	cr_expect_eq(unsaved[0], LA_S7);
	cr_expect_eq(unsaved[1], LA_S8);
	cr_expect_eq(unsaved[2], LA_FS0);
}
