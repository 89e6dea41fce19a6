/* SPDX-License-Identifier: BSD-2-Clause */
#include "function.h"

/* The answer: docs/kernel-jit.md has the lines. */

/* ---- faults --------------------------------------------------------------------------------------------- */

#ifdef PT_REGS_PC

bool ex_handler_bpf(const struct exception_table_entry *entry, struct pt_regs *regs);

/* The number that instructions have for a register of struct pt_regs, by the register's place there. */
static u32 register_number(u32 word)
{
#ifdef PT_REGS_NUMBERS
	static const u8 numbers[] = PT_REGS_NUMBERS;

	return numbers[word];
#else
	return word;
#endif
}

/* What the tree's handler makes of an entry: it goes on behind the instruction, or in a distance from the entry. */
static void print_fault(const struct bpf_prog *prog, const struct exception_table_entry *entry, u64 entry_address)
{
	struct pt_regs regs;
	u64 *words = (u64 *)&regs, pc = entry_address + (s64)entry->insn, resume;

	memset(&regs, 0x5a, sizeof(regs));
	regs.PT_REGS_PC = pc;
	ex_handler_bpf(entry, &regs);
	resume = regs.PT_REGS_PC;
	if (resume - pc > prog->jited_len)
		resume += entry_address - (u64)entry;
	printf("fault %llu %llu", pc - (u64)prog->bpf_func, resume - (u64)prog->bpf_func);
	for (u32 i = 0; i < sizeof(regs) / sizeof(*words); i++)
		if (!words[i])
			printf(" %u", register_number(i));
	printf("\n");
}

static void print_faults(const struct function *function)
{
	const struct bpf_prog *prog = function->prog;
	u64 address = (u64)prog->aux->extable;
	const struct exception_table_entry *entries =
		(const void *)(function->placed.bytes + (address - function->placed.address));

	/* An entry stays empty where a verifier would have refused the access: some JITs have no atomic operations of
	 * every kind in arenas. */
	for (u32 i = 0; i < prog->aux->num_exentries; i++)
		if (entries[i].insn || entries[i].fixup)
			print_fault(prog, &entries[i], address + i * sizeof(entries[0]));
}

#else

static void print_faults(const struct function *function)
{
	(void)function;
}

#endif

/* ---- the lines ------------------------------------------------------------------------------------------ */

static void print_bytes(const char *key, const u8 *bytes, u32 count)
{
	printf("%s ", key);
	for (u32 i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

void function_print(const struct function *function)
{
	const struct placed *placed = &function->placed;
	const struct bpf_prog *prog = function->prog;

	printf("function %s\naddress %llx\n", function->name, (u64)prog->bpf_func);
	print_bytes("code", placed->bytes + ((u64)prog->bpf_func - placed->address), prog->jited_len);
	if (placed->offset_count) {
		printf("offsets");
		for (u32 i = 0; i < placed->offset_count; i++)
			printf(" %u", placed->offsets[i]);
		printf("\n");
	}
	if (prog->aux->num_exentries && prog->aux->extable) {
		print_bytes("extable", placed->bytes + ((u64)prog->aux->extable - placed->address),
			    prog->aux->num_exentries * (u32)sizeof(struct exception_table_entry));
		print_faults(function);
	}
#ifdef TREE_AUX_STACK_ARG_SP_ADJUST
	if (function->boundary)
		printf("sp_adjust %u\n", prog->aux->stack_arg_sp_adjust);
#endif
}
