/* SPDX-License-Identifier: BSD-2-Clause */

/* Captured stacks with C and generated code on them: rows, ORC, .eh_frame, the frame record, and the kernel's walk. */

#include "bpf.h"
#include "cfi_bytes.h"
#include "conventions.h"
#include "tables.h"

#include <string.h>

/*
 * From the bottom up: C that ends the stack, C that entered the program, main, sub, leaf, and C again, twice. Frame n
 * of truth[] is the n-th from the innermost one on.
 *
 *     END          the end of the stack
 *     ENTER        CFA = SP + 32, frame pointer saved        -> calls main
 *     main, sub, leaf
 *     THROW        CFA = SP + 64, frame pointer saved
 *     WALK         CFA = SP + 16, frame pointer unchanged
 */
enum { C_END, C_ENTER, C_THROW, C_WALK, C_COUNT };
enum { FRAMES = 7, MAIN_FRAME = 4, WORDS = 512 };

#define C_BYTES   0x40u
#define C_AT      (CODE - 0x400) /* .eh_frame has no reach to kernel addresses here */
#define PROGRAM   (CODE + 0x10000)
#define STACK     UINT64_C(0x7f0000)
#define STACK_TOP (STACK + 8 * WORDS)

struct truth {
	uint64_t pc, sp, fp;
};

static uint64_t stack[WORDS];
static struct truth truth[FRAMES];
static const struct jf_convention *conv;
static struct jf_image *image;
static struct jf_range program_ranges[8];
static struct jf_orc_index *orc;
static struct jf_cfi_table *cfi;
static bool mapped_now;
static uint8_t code[8192];

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	memcpy(value, (const uint8_t *)stack + (address - STACK), sizeof(*value));
	return JF_OK;
}

static const struct jf_memory memory = {sizeof(memory), STACK, STACK_TOP, read_stack, NULL};

static void put_word(uint64_t address, uint64_t value)
{
	stack[(address - STACK) / 8] = value;
}

static uint64_t c_start(unsigned int function)
{
	return C_AT + C_BYTES * function;
}

/* ---- what describes C ------------------------------------------------------------------------------- */

static const struct {
	int16_t cfa_off;
	bool saves_fp;
} c_frames[C_COUNT] = {[C_ENTER] = {32, true}, [C_THROW] = {64, true}, [C_WALK] = {16, false}};

/* A code whose rule is `rule` for the stack pointer, or for saved registers. */
static uint8_t code_of(const struct jf_orc_format *format, enum jf_orc_rule rule, bool saved, uint8_t reg)
{
	for (uint8_t i = 0; i < JF_ORC_CODES; i++)
		if (saved ? format->codes[i].saved == rule :
			    format->codes[i].cfa == rule && format->codes[i].reg == reg)
			return i;
	cr_assert_fail("no code");
	return 0;
}

static struct jf_orc_entry c_entry(const struct jf_orc_format *format, unsigned int function)
{
	struct jf_orc_entry entry = {.type = JF_ORC_CALL, .sp_off = c_frames[function].cfa_off};

	if (function == C_END)
		return (struct jf_orc_entry){.type = JF_ORC_END_OF_STACK};
	entry.sp_reg = code_of(format, JF_ORC_SUM, false, format->backend->sp);
	if (c_frames[function].saves_fp) {
		entry.fp_reg = code_of(format, JF_ORC_AT_CFA, true, 0);
		entry.fp_off = -16;
	}
	if (format->ra_off_at != JF_ORC_NO_FIELD) {
		entry.ra_reg = code_of(format, JF_ORC_AT_CFA, true, 0);
		entry.ra_off = -8;
	}
	return entry;
}

static void describe_c_by_orc(const struct jf_orc_format *format)
{
	struct jf_orc_writer writer;
	struct jf_orc_table table;
	uint8_t entries[8 * (C_COUNT + 1)], ips[4 * (C_COUNT + 1)];
	const struct jf_orc_entry none = {.type = JF_ORC_UNDEFINED};

	cr_assert_eq(jf_orc_writer_init(&writer, format, entries, ips, C_COUNT + 1, CODE), JF_OK);
	for (unsigned int i = 0; i < C_COUNT; i++) {
		struct jf_orc_entry entry = c_entry(format, i);

		cr_assert_eq(jf_orc_write(&writer, c_start(i), &entry), JF_OK);
	}
	cr_assert_eq(jf_orc_write(&writer, c_start(C_COUNT), &none), JF_OK);
	jf_orc_written(&writer, &table);
	cr_assert_eq(jf_orc_index_new(&table, C_AT, c_start(C_COUNT), &orc), JF_OK);
}

static void describe_c_by_cfi(const struct jf_backend *backend)
{
	const uint8_t fp = backend->regs[backend->fp].dw, ra = backend->regs[backend->ra].dw;
	struct bytes b = {.count = 0};

	cie_usual(&b, backend);
	for (unsigned int i = 0; i < C_COUNT; i++) {
		const uint8_t frame[] = {0x0e, (uint8_t)c_frames[i].cfa_off, 0x80 | fp, 2}, end[] = {0x07, ra};

		fde_begin(&b, 0, c_start(i), C_BYTES);
		put_bytes(&b, i == C_END ? end : frame, i == C_END ? 2 : c_frames[i].saves_fp ? 4 : 2);
		entry_end(&b);
	}
	cr_assert_eq(convert(backend, &b, &cfi, NULL), JF_OK);
	cr_assert_eq(jf_cfi_add(cfi), JF_OK);
}

/* ---- the program ------------------------------------------------------------------------------------ */

static const struct jf_insn main_insns[] = {MOV_K(6, 1), STX(DW, 10, 6, -24), CALL_FUNCTION(1), ADD_X(0, 6), EXIT};
static const struct jf_insn sub_insns[] = {MOV_K(7, 1), MOV_K(8, 1), CALL_FUNCTION(2), ADD_X(0, 7), EXIT};
static const struct jf_insn leaf_insns[] = {MOV_K(9, 1), STX(DW, 10, 9, -512), CALL_HELPER(0), ADD_X(0, 9), EXIT};
static const struct jf_function functions[] = {FUNCTION("main", main_insns), FUNCTION("sub", sub_insns),
					       FUNCTION("leaf", leaf_insns)};

static void compile(void)
{
	struct jf_import helper = {.name = "throw", .address = PROGRAM + 0x8000, .throws = true};
	struct jf_program program = {.size = sizeof(program),
				     .functions = functions,
				     .function_count = 3,
				     .callback = -1,
				     .helpers = &helper,
				     .helper_count = 1};

	cr_assert_eq(jf_compile(conv, &program, NULL, code, sizeof(code), PROGRAM, &image, NULL), JF_OK);
	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);

		program_ranges[i] = (struct jf_range){
			.size = sizeof(struct jf_range),
			.kind = f->is_stub ? JF_RANGE_STUB : JF_RANGE_SUBPROGRAM,
			.start = PROGRAM + f->start,
			.end = PROGRAM + f->start + f->size_bytes,
			.name = f->name,
			.backend = conv->backend,
			.rows = f->rows,
			.row_count = f->row_count,
			.slots = f->frame->slots,
			.slot_count = f->frame->slot_count,
		};
	}
}

/* ---- the stack -------------------------------------------------------------------------------------- */

/* A frame of generated code under the caller's; BPF instruction `call` is the one that is running. */
static struct truth push_function(unsigned int function, unsigned int call, struct truth caller)
{
	const struct jf_image_function *f = jf_image_function_at(image, function);
	uint64_t cfa = caller.sp;

	for (unsigned int i = 0; i < f->frame->slot_count; i++) {
		const struct jf_slot *slot = &f->frame->slots[i];

		if (slot->kind == JF_SLOT_RETURN)
			put_word(cfa + (uint64_t)(int64_t)slot->off_from_cfa, caller.pc);
		else if (slot->kind == JF_SLOT_SAVE && slot->reg == conv->backend->fp)
			put_word(cfa + (uint64_t)(int64_t)slot->off_from_cfa, caller.fp);
	}
	return (struct truth){.pc = PROGRAM + f->start + f->insn_off[call + 1],
			      .sp = cfa - f->frame->size_bytes,
			      .fp = cfa + (uint64_t)(int64_t)conv->fp_off_from_cfa};
}

static struct truth push_c(unsigned int function, struct truth caller)
{
	uint64_t cfa = caller.sp;

	put_word(cfa - 8, caller.pc);
	if (c_frames[function].saves_fp)
		put_word(cfa - 16, caller.fp);
	return (struct truth){.pc = c_start(function) + 0x20,
			      .sp = cfa - (uint64_t)c_frames[function].cfa_off,
			      /* An ordinary register there, where it is not kept. */
			      .fp = c_frames[function].saves_fp && function == C_ENTER ? 0xf00d : caller.fp};
}

static void fill_stack(void)
{
	memset(stack, 0xee, sizeof(stack));
	truth[6] = (struct truth){.pc = c_start(C_END) + 0x20, .sp = STACK_TOP - 256, .fp = 0xbeef};
	truth[5] = push_c(C_ENTER, truth[6]);
	truth[4] = push_function(0, 2, truth[5]);
	truth[3] = push_function(1, 2, truth[4]);
	truth[2] = push_function(2, 2, truth[3]);
	truth[1] = push_c(C_THROW, truth[2]);
	truth[0] = push_c(C_WALK, truth[1]);
}

static void clear(void)
{
	if (cfi)
		cr_assert_eq(jf_cfi_remove(cfi), JF_OK);
	if (mapped_now)
		cr_assert_eq(jf_code_map_remove_all(program_ranges, image->function_count), JF_OK);
	jf_cfi_table_free(cfi);
	jf_orc_index_free(orc);
	jf_image_free(image);
	cfi = NULL;
	orc = NULL;
	image = NULL;
	mapped_now = false;
}

TestSuite(orc_walk, .fini = clear);

static void set_up(unsigned int index, bool mapped)
{
	clear();
	mapped_now = mapped;
	conv = convention_at(index);
	compile();
	if (mapped)
		cr_assert_eq(jf_code_map_add_all(program_ranges, image->function_count, NULL), JF_OK);
	if (conv->backend->orc)
		describe_c_by_orc(conv->backend->orc);
	else
		describe_c_by_cfi(conv->backend);
	fill_stack();
}

static struct jf_walk walk;
static const struct jf_walk_frame *frame;

static enum jf_status start(const struct jf_convention *guess)
{
	struct jf_walk_opts opts = {.size = sizeof(opts), .orc = orc, .guess = guess};
	struct jf_regs regs = {.value = {0}};

	regs.value[conv->backend->sp] = truth[0].sp;
	regs.value[conv->backend->fp] = truth[0].fp;
	jf_walk_end(&walk);
	frame = jf_walk_at(&walk);
	return jf_walk_start_with(&walk, conv->backend, &memory, &regs, truth[0].pc, true, &opts);
}

static void check_frame(unsigned int i)
{
	CHECK(frame->pc == truth[i].pc && jf_walk_sp(&walk) == truth[i].sp && jf_walk_fp(&walk) == truth[i].fp,
	      "%s/%s: frame %u: pc %lx not %lx, sp %lx not %lx, fp %lx not %lx", conv->backend->name, conv->name, i,
	      frame->pc, truth[i].pc, jf_walk_sp(&walk), truth[i].sp, jf_walk_fp(&walk), truth[i].fp);
	CHECK(frame->pc_is_return, "frame %u", i);
}

/* ---- walks ------------------------------------------------------------------------------------------ */

ALL_CONVENTIONS(orc_walk, by_rows)
{
	enum jf_status status;

	set_up(*index, true);
	status = start(NULL);
	for (unsigned int i = 0; i < FRAMES; i++) {
		CHECK_STATUS(status, JF_OK, "frame %u", i);
		check_frame(i);
		cr_assert_eq(frame->guessed, false);
		cr_assert_eq(frame->range != NULL, i >= 2 && i <= MAIN_FRAME);
		cr_assert_eq(frame->orc != NULL, conv->backend->orc && !frame->range);
		cr_assert(i == FRAMES - 1 || frame->row, "frame %u has no row", i);
		status = jf_walk_step(&walk);
	}
	CHECK_STATUS(status, JF_END, "%s", conv->name);
	CHECK_STATUS(jf_walk_step(&walk), JF_END, "%s, again", conv->name);
}

ALL_CONVENTIONS(orc_walk, guesses_say_so)
{
	enum jf_status status;

	set_up(*index, false);
	status = start(NULL);
	while (status == JF_OK)
		status = jf_walk_step(&walk);
	CHECK_STATUS(status, JF_E_NO_ROW, "%s", conv->name);
	cr_assert_eq(frame->pc, truth[2].pc);
	status = start(conv);
	for (unsigned int i = 0; i < FRAMES; i++) {
		CHECK_STATUS(status, JF_OK, "frame %u", i);
		check_frame(i);
		cr_assert_eq(frame->row && frame->row->flags & JF_ROW_GUESSED, i >= 2 && i <= MAIN_FRAME);
		cr_assert_eq(frame->guessed, i > 2, "frame %u", i);
		status = jf_walk_step(&walk);
	}
	CHECK_STATUS(status, JF_END, "%s", conv->name);
}

struct seen {
	unsigned int count, stop_at;
	uint64_t call_bytes;
};

static bool see(void *cookie, uint64_t ip, uint64_t sp, uint64_t fp)
{
	struct seen *seen = cookie;
	const struct truth *t = &truth[seen->count];

	CHECK(seen->count < FRAMES, "too many");
	CHECK(ip == t->pc - seen->call_bytes && sp == t->sp && fp == t->fp,
	      "%s/%s: frame %u: ip %lx not %lx, sp %lx not %lx, fp %lx not %lx", conv->backend->name, conv->name,
	      seen->count, ip, t->pc, sp, t->sp, fp, t->fp);
	return seen->count++ != seen->stop_at;
}

/* Whether the code map knows the program or not: the kernel's walk does not look. */
ALL_CONVENTIONS(orc_walk, as_the_kernel)
{
	for (unsigned int mapped = 0; mapped < 2; mapped++) {
		struct seen seen = {.stop_at = FRAMES};

		set_up(*index, mapped);
		/* The one architecture whose unwinder goes back over the call. */
		seen.call_bytes = conv->backend->orc ? conv->backend->orc->call_bytes : 0;
		CHECK_STATUS(jf_bpf_stack_walk_from(conv, &memory, orc, truth[0].pc, truth[0].sp, truth[0].fp, see,
						    &seen),
			     JF_END, "%s", conv->name);
		cr_assert_eq(seen.count, FRAMES);
		seen = (struct seen){.stop_at = MAIN_FRAME, .call_bytes = seen.call_bytes};
		CHECK_STATUS(jf_bpf_stack_walk_from(conv, &memory, orc, truth[0].pc, truth[0].sp, truth[0].fp, see,
						    &seen),
			     JF_OK, "%s", conv->name);
		cr_assert_eq(seen.count, MAIN_FRAME + 1);
	}
}

/* One record that leads back down ends it. */
ALL_CONVENTIONS(orc_walk, a_cycle)
{
	struct jf_slot record[JF_RECORD__COUNT];
	struct seen seen = {.stop_at = FRAMES};

	set_up(*index, true);
	seen.call_bytes = conv->backend->orc ? conv->backend->orc->call_bytes : 0;
	cr_assert_eq(jf_frame_record(conv, record), JF_OK);
	put_word(truth[3].fp + (uint64_t)(int64_t)(record[JF_RECORD_FP].off_from_cfa - conv->fp_off_from_cfa),
		 truth[2].fp);
	truth[4].fp = truth[2].fp;
	CHECK_STATUS(jf_bpf_stack_walk_from(conv, &memory, orc, truth[0].pc, truth[0].sp, truth[0].fp, see, &seen),
		     JF_E_STUCK, "%s", conv->name);
	cr_assert_eq(seen.count, MAIN_FRAME + 1);
}

/* ---- interrupts ------------------------------------------------------------------------------------- */

/* C_WALK is an interrupt's entry: the kernel's register frame is at its SP, of a function in its prologue. */
static void interrupt(uint64_t pc)
{
	const struct jf_orc_format *format = conv->backend->orc;
	struct jf_orc_entry entries[] = {{.type = JF_ORC_REGS, .signal = 1}, {.type = JF_ORC_UNDEFINED}};
	struct jf_orc_writer writer;
	struct jf_orc_table table;
	uint8_t bytes[16], ips[8];
	uint64_t regs_at = truth[3].sp - 1024;

	jf_orc_index_free(orc);
	entries[0].sp_reg = code_of(format, JF_ORC_SUM, false, format->backend->sp);
	cr_assert_eq(jf_orc_writer_init(&writer, format, bytes, ips, 2, CODE), JF_OK);
	cr_assert_eq(jf_orc_write(&writer, c_start(C_WALK), &entries[0]), JF_OK);
	cr_assert_eq(jf_orc_write(&writer, c_start(C_COUNT), &entries[1]), JF_OK);
	jf_orc_written(&writer, &table);
	cr_assert_eq(jf_orc_index_new(&table, C_AT, c_start(C_COUNT), &orc), JF_OK);
	memset((uint8_t *)stack + (regs_at - STACK), 0, 512);
	put_word(regs_at + (uint64_t)format->regs.pc_at, pc);
	/* The call of leaf has just been done. */
	put_word(regs_at + (uint64_t)format->regs.sp_at, truth[3].sp - (uint64_t)conv->backend->cfa_sp_off_at_entry);
	put_word(regs_at + (uint64_t)format->regs.fp_at, truth[3].fp);
	if (format->regs.ra_at != JF_ORC_NO_OFF)
		put_word(regs_at + (uint64_t)format->regs.ra_at, truth[3].pc);
	truth[0] = (struct truth){.pc = c_start(C_WALK) + 0x20, .sp = regs_at, .fp = 0xabad1dea};
}

ALL_CONVENTIONS(orc_walk, an_interrupted_prologue)
{
	uint64_t pc;

	if (!convention_at(*index)->backend->orc)
		cr_skip_test("no ORC");
	set_up(*index, true);
	pc = PROGRAM + jf_image_function_at(image, 2)->start;
	interrupt(pc);
	CHECK_STATUS(start(NULL), JF_OK, "%s", conv->name);
	CHECK_STATUS(jf_walk_step(&walk), JF_OK, "%s", conv->name);
	cr_assert_eq(frame->pc, pc);
	cr_assert_not(frame->pc_is_return);
	CHECK_STATUS(jf_walk_step(&walk), JF_OK, "%s", conv->name);
	check_frame(3);
	CHECK_STATUS(jf_walk_step(&walk), JF_OK, "%s", conv->name);
	check_frame(4);
}

/* ---- options ---------------------------------------------------------------------------------------- */

ALL_CONVENTIONS(orc_walk, options)
{
	struct jf_walk_opts opts = {.size = sizeof(opts)};
	const struct jf_backend *backend = convention_at(*index)->backend, *other = jf_backend_at(0);
	struct jf_regs regs = {.value = {0}};

	other = other == backend ? jf_backend_at(1) : other;
	opts.guess = other->conventions[0];
	cr_assert_eq(jf_walk_start_with(&walk, backend, &memory, &regs, 0, true, &opts), JF_E_INVAL);
	opts.guess = NULL;
	opts.orc = (const struct jf_orc_index *)(const void *)&opts; /* not looked into */
	opts.orc_format = other->orc ? other->orc : backend->orc;
	if (!backend->orc || other->orc)
		cr_assert_eq(jf_walk_start_with(&walk, backend, &memory, &regs, 0, true, &opts), JF_E_INVAL);
	opts.orc_format = NULL;
	if (!backend->orc)
		cr_assert_eq(jf_walk_start_with(&walk, backend, &memory, &regs, 0, true, &opts), JF_E_UNSUPPORTED);
}

/* jf_bpf_stack_walk() takes the record of whichever convention comes first. */
Test(orc_walk, one_record_for_each_architecture)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++) {
		for (unsigned int c = 1; c < backend->convention_count; c++) {
			const struct jf_convention *a = backend->conventions[0], *b = backend->conventions[c];
			struct jf_slot records[2][JF_RECORD__COUNT];

			cr_assert_eq(jf_frame_record(a, records[0]), JF_OK);
			cr_assert_eq(jf_frame_record(b, records[1]), JF_OK);
			cr_assert_arr_eq(records[0], records[1], sizeof(records[0]));
			cr_assert_eq(a->fp_off_from_cfa, b->fp_off_from_cfa);
		}
	}
}
