/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch.h"
#include "check.h"
#include "conventions.h"

#include <string.h>

/* What the built-in backends state as data. */

Test(backend_tables, tables_are_sound)
{
	for (size_t i = 0; jf_backend_at(i); i++) {
		struct jf_error error = {0};

		CHECK_STATUS(jf_backend_check(jf_backend_at(i), &error), JF_OK, "%s: %s", error.where, error.text);
	}
	cr_assert_not_null(jf_backend_at(0));
}

Test(backend_tables, register_tables)
{
	for (size_t i = 0; jf_backend_at(i); i++) {
		const struct jf_backend *b = jf_backend_at(i);

		for (unsigned int k = 0; k < b->reg_count; k++) {
			CHECK(b->regs[k].name && b->regs[k].name[0], "%s %u", b->name, k);
			CHECK(b->regs[k].size_bytes && b->regs[k].size_bytes <= 8, "%s %s", b->name, b->regs[k].name);
			for (unsigned int j = 0; j < k; j++) {
				CHECK(strcmp(b->regs[j].name, b->regs[k].name), "%s %s twice", b->name,
				      b->regs[k].name);
				CHECK(b->regs[j].dw != b->regs[k].dw, "%s %s and %s have one DWARF number", b->name,
				      b->regs[j].name, b->regs[k].name);
				CHECK(b->regs[k].cls == JF_REG_CONTROL || b->regs[j].cls != b->regs[k].cls ||
					      b->regs[j].hw != b->regs[k].hw,
				      "%s %s and %s have one number", b->name, b->regs[j].name, b->regs[k].name);
			}
		}
		CHECK(!(b->regs[b->sp].flags & JF_REG_CALLEE_SAVED), "%s: sp", b->name);
		CHECK(!(b->regs[b->ra].flags & JF_REG_CALLEE_SAVED), "%s: ra", b->name);
		CHECK(b->regs[b->fp].flags & JF_REG_CALLEE_SAVED, "%s: fp", b->name);
	}
}

/* A copy of another backend keeps the other's until somebody looks. */
Test(backend_tables, each_is_an_architecture_of_its_own)
{
	const struct jf_backend *b, *other;

	for (size_t i = 0; (b = jf_backend_at(i)); i++) {
		for (size_t k = 0; k < i; k++) {
			other = jf_backend_at(k);
			CHECK(b->elf_machine != other->elf_machine, "%s has the ELF machine of %s: %u", b->name,
			      other->name, b->elf_machine);
			CHECK(strcmp(b->llvm_triple, other->llvm_triple), "%s has the LLVM triple of %s: %s", b->name,
			      other->name, b->llvm_triple);
		}
	}
}

/* R6..R9 and R10 survive calls by the platform's ABI; no two BPF registers share one. */
ALL_CONVENTIONS(backend_tables, bpf_registers)
{
	const struct jf_convention *conv = convention_at(*index);
	const struct jf_reg *regs = conv->backend->regs;

	for (unsigned int i = 0; i < JF_BPF_REG__COUNT; i++) {
		const struct jf_reg *reg = &regs[conv->bpf_reg[i]];
		bool kept = i >= JF_BPF_R6 && i <= JF_BPF_FP;

		CHECK(reg->cls == JF_REG_INT, "R%u", i);
		CHECK(!!(reg->flags & JF_REG_CALLEE_SAVED) == kept, "R%u in %s", i, reg->name);
		CHECK(!(reg->flags & JF_REG_RESERVED) && reg->id != conv->backend->sp && reg->id != conv->backend->ra,
		      "R%u", i);
		for (unsigned int k = 0; k < i; k++)
			CHECK(conv->bpf_reg[k] != reg->id, "R%u and R%u in %s", k, i, reg->name);
	}
	for (unsigned int i = 0; i < 5; i++)
		CHECK(conv->bpf_reg[JF_BPF_R1 + i] == conv->backend->args[i], "R%u is argument %u", i + 1, i);
}

/* ---- R3: what a boundary of each convention leaves out ------------------------------------------------------- */

Test(backend_tables, registers_that_boundaries_do_not_save)
{
	const struct jf_convention *conv;

	for (unsigned int i = 0; (conv = convention_at(i)); i++) {
		const char *known = arch_convention(conv).unsaved;
		uint8_t regs[JF_REGS_MAX];
		char text[256] = "";
		int count = jf_convention_unsaved(conv, regs, sizeof(regs));

		for (int k = 0; k < count; k++) {
			strcat(text, conv->backend->regs[regs[k]].name);
			strcat(text, " ");
		}
		CHECK(known, "tests/arch/%s.c does not list the convention %s", conv->backend->name, conv->name);
		CHECK(!strcmp(text, known), "%s/%s leaves out '%s', not '%s'", conv->backend->name, conv->name, text,
		      known);
	}
}

/* Areas save callee-saved registers and no others, each of them once; a boundary of `user` saves them all. */
ALL_CONVENTIONS(backend_tables, areas_save_callee_saved_registers)
{
	const struct jf_convention *conv = convention_at(*index);
	const struct jf_backend *b = conv->backend;
	bool saved[JF_REGS_MAX] = {false};

	for (unsigned int i = 0; i < conv->area_count; i++) {
		for (unsigned int k = 0; k < conv->areas[i].rule_count; k++) {
			const struct jf_slot_rule *rule = &conv->areas[i].rules[k];

			if (rule->kind != JF_SLOT_SAVE || !rule->when)
				continue;
			cr_assert_lt(rule->reg, b->reg_count);
			CHECK(b->regs[rule->reg].flags & JF_REG_CALLEE_SAVED, "%s/%s saves %s", b->name, conv->name,
			      b->regs[rule->reg].name);
			CHECK(!saved[rule->reg], "%s/%s saves %s twice", b->name, conv->name, b->regs[rule->reg].name);
			saved[rule->reg] = true;
		}
	}
	for (unsigned int reg = 0; reg < b->reg_count && !strcmp(conv->name, "user"); reg++)
		CHECK(saved[reg] == !!(b->regs[reg].flags & JF_REG_CALLEE_SAVED), "%s/%s: %s", b->name, conv->name,
		      b->regs[reg].name);
}

/* A control register's values differ in what is kept, and fit it. */
Test(backend_tables, control_registers)
{
	for (size_t i = 0; jf_backend_at(i); i++) {
		for (unsigned int k = 0; k < jf_backend_at(i)->reg_count; k++) {
			const struct jf_reg *reg = &jf_backend_at(i)->regs[k];

			CHECK((reg->cls == JF_REG_CONTROL) == (reg->control != NULL), "%s", reg->name);
			if (reg->control)
				CHECK((reg->control->at_start ^ reg->control->other) & reg->control->kept, "%s",
				      reg->name);
		}
	}
}

/* What `user` stands for. */
ALL_CONVENTIONS(backend_tables, user_conventions_are_sound)
{
	const struct jf_convention *conv = convention_at(*index);

	if (strcmp(conv->name, "user"))
		return;
	cr_assert_eq(jf_convention_unsaved(conv, NULL, 0), 0);
	cr_assert_eq(conv->frame_align, 16);
	cr_assert_eq(conv->bpf_stack_align, 16);
	cr_assert_eq(conv->landing, JF_LANDING_ADOPT);
	cr_assert_eq(conv->result_bits, 64);
	cr_assert(jf_convention_supports(conv, JF_CAP_EXCEPTIONS | JF_CAP_RUN | JF_CAP_TAIL_CALLS | JF_CAP_ARENA));
}
