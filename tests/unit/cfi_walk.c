/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_bytes.h"
#include "check.h"

#include <jitframe/load.h>
#include <jitframe/walk.h>

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unwind.h>

/*
 * Walks of this process's own stack, C and generated code on it, against libgcc's unwinder: pc, sp and every
 * callee-saved integer register, frame by frame to the bottom.
 */

#define FRAMES 64

struct frame {
	uint64_t pc, sp;
	uint64_t regs[JF_REGS_MAX]; /* by register id */
};

struct trace {
	struct frame frames[FRAMES];
	unsigned int count;
	enum jf_status status; /* of the walk's last step */
	unsigned int main_at, entry_at;
};

static bool compared(const struct jf_backend *backend, unsigned int reg)
{
	return backend->regs[reg].flags & JF_REG_CALLEE_SAVED && backend->regs[reg].cls == JF_REG_INT;
}

/* ---- libgcc's -------------------------------------------------------------------------------------------- */

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	const struct jf_backend *backend = jf_backend_host();
	struct trace *trace = arg;
	struct frame *frame = &trace->frames[trace->count];

	if (trace->count == FRAMES)
		return _URC_END_OF_STACK;
	trace->count++;
	frame->pc = _Unwind_GetIP(context);
	frame->sp = _Unwind_GetCFA(context);
	for (unsigned int i = 0; i < backend->reg_count; i++)
		if (compared(backend, i))
			frame->regs[i] = _Unwind_GetGR(context, backend->regs[i].dw);
	return _URC_NO_REASON;
}

/* ---- ours ------------------------------------------------------------------------------------------------ */

static void note(struct trace *trace, const struct jf_walk *walk)
{
	const struct jf_walk_frame *at = jf_walk_at(walk);
	const struct jf_backend *backend = jf_backend_host();
	struct frame *frame = &trace->frames[trace->count];

	if (at->range && at->range->kind == JF_RANGE_ENTRY)
		trace->entry_at = trace->count;
	else if (at->range)
		trace->main_at = trace->count;
	trace->count++;
	frame->pc = at->pc;
	frame->sp = jf_walk_sp(walk);
	for (unsigned int i = 0; i < backend->reg_count; i++)
		if (compared(backend, i))
			CHECK(jf_walk_reg(walk, (uint8_t)i, &frame->regs[i]), "frame %u: %s", trace->count,
			      backend->regs[i].name);
}

__attribute__((noinline)) static void walk_here(struct trace *trace)
{
	const struct jf_backend *backend = jf_backend_host();
	struct jf_memory memory = {.size = sizeof(memory), .high = UINT64_MAX};
	struct jf_regs regs;
	struct jf_walk walk;
	ucontext_t context;
	uint64_t pc;

	memset(trace, 0, sizeof(*trace));
	getcontext(&context);
	backend->native->context_get(&context, &regs, &pc);
	memory.low = regs.value[backend->sp];
	trace->status = jf_walk_start(&walk, backend, &memory, &regs, pc, false);
	while (trace->status == JF_OK && trace->count < FRAMES) {
		note(trace, &walk);
		trace->status = jf_walk_step_past_entry(&walk);
	}
	jf_walk_end(&walk);
}

/* The frames of `ours` from `first` on are those of `theirs` from `their_first` on. */
static void check_same(const struct trace *ours, unsigned int first, const struct trace *theirs,
		       unsigned int their_first)
{
	const struct jf_backend *backend = jf_backend_host();

	for (; first < ours->count; first++, their_first++) {
		const struct frame *a = &ours->frames[first], *b = &theirs->frames[their_first];

		CHECK(their_first < theirs->count, "frame %u: libgcc's walk has ended", first);
		CHECK(a->pc == b->pc, "frame %u: pc %" PRIx64 ", not %" PRIx64, first, a->pc, b->pc);
		CHECK(a->sp == b->sp, "frame %u: sp %" PRIx64 ", not %" PRIx64, first, a->sp, b->sp);
		for (unsigned int i = 0; i < backend->reg_count; i++)
			if (compared(backend, i))
				CHECK(a->regs[i] == b->regs[i], "frame %u: %s %" PRIx64 ", not %" PRIx64, first,
				      backend->regs[i].name, a->regs[i], b->regs[i]);
	}
}

/* The same, their place found by the first pc. libgcc stops at the bottom too, or one behind it at pc 0. */
static void check_suffix(const struct trace *ours, unsigned int first, const struct trace *theirs)
{
	for (unsigned int i = 0; i < theirs->count; i++) {
		if (theirs->frames[i].pc != ours->frames[first].pc)
			continue;
		check_same(ours, first, theirs, i);
		return;
	}
	cr_assert_fail("libgcc's walk has no frame at %" PRIx64, ours->frames[first].pc);
}

static struct trace ours, theirs;
static struct jf_cfi_room room;

/* Many values alive over the call: in callee-saved registers, or spilled. */
__attribute__((noinline)) static uint64_t deep(unsigned int depth, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t e = a * 3 + b, f = b * 5 + c, g = c * 7 + d, h = d * 9 + a, result;

	__asm__ volatile("" : "+r"(e), "+r"(f), "+r"(g), "+r"(h));
	if (depth == 0) {
		_Unwind_Backtrace(add_frame, &theirs);
		walk_here(&ours);
		result = 0;
	} else {
		result = deep(depth - 1, e, f, g, h);
	}
	__asm__ volatile("" : "+r"(e), "+r"(f), "+r"(g), "+r"(h));
	return result + a + b + c + d + e + f + g + h;
}

static int compare_sort(const void *a, const void *b)
{
	if (ours.count == 0)
		deep(3, 1, 2, 3, 4);
	return *(const int *)a - *(const int *)b;
}

static bool can_run(void)
{
	return jf_backend_host() && jf_cfi_load_objects(NULL) == JF_OK;
}

/* libgcc's frames begin with the function that called it; ours with walk_here(), called from the same one. */
Test(cfi_walk, own_stack)
{
	if (!can_run())
		cr_skip_test("no native stubs");
	deep(10, 1, 2, 3, 4);
	cr_assert_eq(ours.status, JF_END, "%s", jf_status_name(ours.status));
	cr_assert_gt(ours.count, 12);
	check_suffix(&ours, 2, &theirs);
}

/* Frames of libc in between. */
Test(cfi_walk, through_libc)
{
	int numbers[] = {3, 1, 2};

	if (!can_run())
		cr_skip_test("no native stubs");
	qsort(numbers, 3, sizeof(numbers[0]), compare_sort);
	cr_assert_eq(ours.status, JF_END, "%s", jf_status_name(ours.status));
	check_suffix(&ours, 2, &theirs);
}

/* ---- generated code between C and C ------------------------------------------------------------------------ */

static uint64_t helper(uint64_t value)
{
	deep(2, 1, 2, 3, 4);
	return value + 1;
}

__attribute__((noinline)) static uint64_t run(const struct jf_loaded *loaded)
{
	uint64_t result = jf_run(loaded, 5);

	theirs.count = 0; /* the walk from deep() ended at the generated code */
	_Unwind_Backtrace(add_frame, &theirs);
	return result;
}

/* From the entry stub's caller on, libgcc knows the way again: jf_run(), called by run(), ... */
Test(cfi_walk, past_the_entry)
{
	static const struct jf_insn insns[] = {{.opcode = 0x85}, {.opcode = 0x95}};
	struct jf_import helpers[] = {{.name = "helper", .address = (uintptr_t)helper}};
	struct jf_function function = {.name = "main", .insns = insns, .insn_count = 2};
	struct jf_program program = {.size = sizeof(program),
				     .functions = &function,
				     .function_count = 1,
				     .callback = -1,
				     .helpers = helpers,
				     .helper_count = 1};
	const struct jf_convention *conv;
	struct jf_loaded *loaded;
	struct jf_error error;
	char target[32];

	if (!can_run())
		cr_skip_test("no native stubs");
	snprintf(target, sizeof(target), "%s/user", jf_backend_host()->name);
	CHECK_STATUS(jf_convention_find(target, &conv, &error), JF_OK, "%s", error.text);
	CHECK_STATUS(jf_load(conv, &program, NULL, NULL, &loaded, &error), JF_OK, "%s", error.text);
	cr_assert_eq(run(loaded), 6);
	cr_assert_eq(ours.status, JF_END, "%s", jf_status_name(ours.status));
	cr_assert_eq(ours.main_at, 5, "walk_here, deep, deep, deep, helper: %u", ours.main_at);
	cr_assert_eq(ours.entry_at, 6);
	check_suffix(&ours, ours.entry_at + 3, &theirs);
	jf_unload(loaded);
}

/* ---- objects come and go ------------------------------------------------------------------------------------ */

Test(cfi_walk, objects)
{
	static const char *const names[] = {"libanl.so.1", "libBrokenLocale.so.1", "libnss_compat.so.2"};
	struct jf_cfi_counts first = {.size = sizeof(first)}, again = first, more = first, less = first;
	const char *name = NULL;
	void *object = NULL;

	if (!can_run())
		cr_skip_test("no native stubs");
	cr_assert_eq(jf_cfi_load_objects(&first), JF_OK);
	cr_assert_eq(jf_cfi_load_objects(&again), JF_OK);
	cr_assert_arr_eq(&first, &again, sizeof(first));
	cr_assert_gt(first.objects, 1);
	cr_assert_eq(first.objects_skipped, 0);
	cr_assert_not_null(jf_cfi_find(jf_backend_host(), (uintptr_t)qsort, &room, &name));
	cr_assert_not_null(strstr(name, "/lib"), "%s", name);
	cr_assert_not_null(jf_cfi_find(jf_backend_host(), (uintptr_t)deep, &room, &name));
	cr_assert_str_eq(name, "");
	for (size_t i = 0; !object && i < sizeof(names) / sizeof(names[0]); i++)
		if (!dlopen(names[i], RTLD_NOW | RTLD_NOLOAD))
			object = dlopen(names[i], RTLD_NOW);
	if (!object)
		cr_skip_test("no library to load");
	cr_assert_eq(jf_cfi_load_objects(&more), JF_OK);
	cr_assert_gt(more.objects, first.objects);
	cr_assert_gt(more.functions, first.functions);
	dlclose(object);
	cr_assert_eq(jf_cfi_load_objects(&less), JF_OK);
	cr_assert_eq(less.functions, first.functions);
}

/* ---- a captured stack of another architecture --------------------------------------------------------------- */

#define STACK UINT64_C(0x7000)

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	const uint64_t *words = arg;

	*value = words[(address - STACK) / 8];
	return JF_OK;
}

static struct jf_cfi_table *two_functions(const struct jf_backend *backend)
{
	const unsigned char fp = backend->regs[backend->fp].dw, ra = backend->regs[backend->ra].dw;
	const unsigned char inner[] = {0x0e, 32, 0x80 | fp, 2}, outer[] = {0x07, ra};
	struct bytes b = {.count = 0};
	struct jf_cfi_table *table = NULL;

	cie_usual(&b, backend);
	fde_begin(&b, 0, CODE, 0x20);
	put_bytes(&b, inner, sizeof(inner));
	entry_end(&b);
	fde_begin(&b, 0, CODE + 0x40, 0x20);
	put_bytes(&b, outer, sizeof(outer));
	entry_end(&b);
	cr_assert_eq(convert(backend, &b, &table, NULL), JF_OK);
	return table;
}

static void walk_captured(const struct jf_backend *backend)
{
	uint64_t words[16] = {0, 0, 0xf0f0, CODE + 0x50};
	struct jf_memory memory = {
		.size = sizeof(memory), .low = STACK, .high = STACK + sizeof(words), .read = read_stack, .arg = words};
	struct jf_regs regs = {{0}};
	const struct jf_walk_frame *frame;
	struct jf_walk walk;

	regs.value[backend->sp] = STACK;
	CHECK_STATUS(jf_walk_start(&walk, backend, &memory, &regs, CODE + 8, false), JF_OK, "%s", backend->name);
	frame = jf_walk_at(&walk);
	cr_assert_null(frame->range);
	cr_assert_eq(frame->function->start, CODE);
	cr_assert_str_eq(frame->name, "by hand");
	CHECK_STATUS(jf_walk_step(&walk), JF_OK, "%s", backend->name);
	cr_assert_eq(frame->pc, CODE + 0x50);
	cr_assert_eq(jf_walk_sp(&walk), STACK + 32);
	cr_assert_eq(jf_walk_fp(&walk), 0xf0f0);
	CHECK_STATUS(jf_walk_step(&walk), JF_END, "%s", backend->name);
	jf_walk_end(&walk);
}

Test(cfi_walk, captured_stacks)
{
	struct jf_cfi_table *tables[16];
	const struct jf_backend *backend;
	const char *name;

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++) {
		struct jf_cfi_table *table = tables[i] = two_functions(backend), *same = two_functions(backend);

		cr_assert_null(jf_cfi_find(backend, CODE, &room, NULL));
		CHECK_STATUS(jf_cfi_add(table), JF_OK, "%s", backend->name);
		CHECK_STATUS(jf_cfi_add(table), JF_E_OVERLAP, "%s", backend->name);
		CHECK_STATUS(jf_cfi_add(same), JF_E_OVERLAP, "%s", backend->name);
		CHECK_STATUS(jf_cfi_remove(same), JF_E_NOT_FOUND, "%s", backend->name);
		walk_captured(backend);
		jf_cfi_table_free(same);
	}
	/* All of them at once, at the same addresses; then none. */
	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++)
		cr_assert_not_null(jf_cfi_find(backend, CODE, &room, &name));
	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++) {
		CHECK_STATUS(jf_cfi_remove(tables[i]), JF_OK, "%s", backend->name);
		cr_assert_null(jf_cfi_find(backend, CODE, &room, NULL));
		jf_cfi_table_free(tables[i]);
	}
	CHECK_STATUS(jf_cfi_add(NULL), JF_E_INVAL, "NULL");
	CHECK_STATUS(jf_cfi_remove(NULL), JF_E_NOT_FOUND, "NULL");
}
