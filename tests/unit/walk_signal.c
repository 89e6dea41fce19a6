/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi_bytes.h"
#include "check.h"

#include <jitframe/walk.h>

/* Captured stacks with a signal's frame on them, of every architecture on any host. */

#define WORDS 128
#define STACK UINT64_C(0x70000)
#define TOP   (STACK + 8 * WORDS)
#define PC    (CODE + 0x123)

static uint64_t stack[WORDS];

static enum jf_status read_stack(void *arg, uint64_t address, uint64_t *value)
{
	(void)arg;
	memcpy(value, (const uint8_t *)stack + (address - STACK), sizeof(*value));
	return JF_OK;
}

/* At CODE a trampoline; at CODE + 0x100 what was interrupted. */
static struct jf_cfi_table *add_functions(const struct jf_backend *backend)
{
	struct bytes b = {.count = 0};
	struct jf_cfi_table *table = NULL;
	size_t signal_cie;

	cie_usual(&b, backend);
	signal_cie = b.count;
	cie_begin(&b, "zRS", backend->regs[backend->ra].dw);
	put(&b, 1, 1);
	put(&b, 0x1b, 1);
	entry_end(&b);
	fde_begin(&b, signal_cie, CODE, 8);
	entry_end(&b);
	fde_begin(&b, 0, CODE + 0x100, 0x100);
	entry_end(&b);
	cr_assert_eq(convert(backend, &b, &table, NULL), JF_OK);
	cr_assert_eq(jf_cfi_add(table), JF_OK);
	return table;
}

static uint64_t value_of(const struct jf_backend *backend, unsigned int reg)
{
	return reg == backend->sp ? TOP - 64 : UINT64_C(0xabcd0000) + reg;
}

static void fill(const struct jf_backend *backend)
{
	const struct jf_signal_frame *frame = backend->signal_frame;

	memset(stack, 0xee, sizeof(stack));
	for (unsigned int i = 0; i < backend->reg_count; i++)
		if (frame->reg_off[i])
			stack[frame->reg_off[i] / 8] = value_of(backend, i);
	stack[frame->pc_off / 8] = PC;
}

static enum jf_status step_from(struct jf_walk *walk, const struct jf_backend *backend, uint64_t pc, bool pc_is_return,
				uint64_t high)
{
	struct jf_memory memory = {.size = sizeof(memory), .low = STACK, .high = high, .read = read_stack};
	struct jf_regs regs = {.value = {0}};

	regs.value[backend->sp] = STACK;
	CHECK_STATUS(jf_walk_start(walk, backend, &memory, &regs, pc, pc_is_return), JF_OK, "%s", backend->name);
	cr_assert_null(jf_walk_at(walk)->row);
	return jf_walk_step(walk);
}

/* Ends the walk. */
static void check_interrupted(const struct jf_backend *backend, struct jf_walk *walk)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	cr_assert_eq(frame->pc, PC);
	cr_assert_not(frame->pc_is_return);
	cr_assert(frame->row && frame->function->start == CODE + 0x100);
	for (unsigned int i = 0; i < backend->reg_count; i++) {
		uint64_t value = 0;
		bool known = jf_walk_reg(walk, (uint8_t)i, &value);
		bool stored = backend->signal_frame->reg_off[i];
		/* A kernel stores all of these, and perhaps others. */
		bool integer = backend->regs[i].cls == JF_REG_INT && !(backend->regs[i].flags & JF_REG_ZERO) &&
			       !(i == backend->ra && backend->ra_pushed);

		CHECK(known == stored && (stored || !integer), "%s: %s", backend->name, backend->regs[i].name);
		CHECK(!known || value == value_of(backend, i), "%s: %s is %lx", backend->name, backend->regs[i].name,
		      value);
	}
	jf_walk_end(walk);
}

Test(walk_signal, registers_of_what_was_interrupted)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++) {
		struct jf_cfi_table *table = add_functions(backend);
		struct jf_walk walk;

		fill(backend);
		/* A handler returns to the first byte; the second instruction may be interrupted again. */
		CHECK_STATUS(step_from(&walk, backend, CODE, true, TOP), JF_OK, "%s", backend->name);
		check_interrupted(backend, &walk);
		CHECK_STATUS(step_from(&walk, backend, CODE + 4, false, TOP), JF_OK, "%s", backend->name);
		check_interrupted(backend, &walk);
		cr_assert_eq(jf_cfi_remove(table), JF_OK);
		jf_cfi_table_free(table);
	}
}

/* Ends the walk. */
static void check_stuck(struct jf_walk *walk, uint64_t sp)
{
	const struct jf_walk_frame *frame = jf_walk_at(walk);

	cr_assert(frame->pc == CODE && frame->pc_is_return && frame->fail_address == sp);
	jf_walk_end(walk);
}

/* Down the stack, where it is; then cut off at any byte. */
Test(walk_signal, it_stops)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)) != NULL; i++) {
		struct jf_cfi_table *table = add_functions(backend);
		const struct jf_signal_frame *frame = backend->signal_frame;
		uint64_t end = (uint64_t)frame->pc_off + 8;
		struct jf_walk walk;

		fill(backend);
		for (uint64_t sp = STACK - 16; sp <= STACK; sp += 8) {
			stack[frame->reg_off[backend->sp] / 8] = sp;
			CHECK_STATUS(step_from(&walk, backend, CODE, true, TOP), JF_E_STUCK, "%s", backend->name);
			check_stuck(&walk, sp);
		}
		for (unsigned int k = 0; k < backend->reg_count; k++)
			end = frame->reg_off[k] + UINT64_C(8) > end ? frame->reg_off[k] + UINT64_C(8) : end;
		for (uint64_t high = STACK; high < STACK + end; high++) {
			CHECK_STATUS(step_from(&walk, backend, CODE, true, high), JF_E_READ, "%s", backend->name);
			jf_walk_end(&walk);
		}
		cr_assert_eq(jf_cfi_remove(table), JF_OK);
		jf_cfi_table_free(table);
	}
}
