/* SPDX-License-Identifier: BSD-2-Clause */
#include "foreign.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jitframe/cfi.h>
#include <jitframe/codemap.h>
#include <jitframe/walk.h>

#include "helpers.h"
#include "island.h"

/* One function. */
struct part {
	struct jf_frame frame;
	struct jf_row row; /* the frame record, as the kernel goes by: right at every call */
};

struct foreign {
	const struct bundle_image *image;
	struct part *parts;
	struct jf_range *ranges;
	uint8_t *pages;
	size_t size;
	uint64_t *object; /* as code sees the program */
};

static struct {
	const struct bundle *bundle;
	const struct jf_convention *conv;
	struct jf_range entries[2];
	bool has_entries;
	uint8_t *stacks, *per_cpu;
} all;

/* ---- the way in ------------------------------------------------------------------------------------------- */

static struct jf_range entry_range(const char *name, const void *start, const void *end)
{
	return (struct jf_range){.size = sizeof(struct jf_range),
				 .kind = JF_RANGE_ENTRY,
				 .start = (uintptr_t)start,
				 .end = (uintptr_t)end,
				 .name = name,
				 .backend = all.conv->backend};
}

/* The library does this when it loads a program of its own: here none is. */
static enum jf_status add_entries(struct jf_error *error)
{
	const struct jf_native *native = all.conv->backend->native;
	enum jf_status status;

	all.entries[0] = entry_range("enter", native->enter_start, native->enter_end);
	all.entries[1] = entry_range("enter_checked", native->checked_start, native->checked_end);
	status = jf_code_map_add_all(all.entries, 2, error);
	all.has_entries = status == JF_OK;
	return status;
}

static uint64_t page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The word that is added to the stacks' address is 0. */
static enum jf_status map_private_stacks(const struct bundle_jit *jit, struct jf_error *error)
{
	if (jit->private_bytes == 0)
		return JF_OK;
	all.stacks = island_map(jit->private_stacks, jit->private_bytes);
	all.per_cpu = island_map(jit->per_cpu_word & ~(page_bytes() - 1), page_bytes());
	if (all.stacks == NULL || all.per_cpu == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "private_stack",
				    "no %u bytes at 0x%llx, or no word at 0x%llx", jit->private_bytes,
				    (unsigned long long)jit->private_stacks, (unsigned long long)jit->per_cpu_word);
	return JF_OK;
}

enum jf_status foreign_init(const struct bundle *bundle, const struct jf_convention *conv,
			    const struct jf_import *kfuncs, struct jf_error *error)
{
	enum jf_status status = jf_cfi_load_objects(NULL);

	if (status != JF_OK)
		return jf_error_set(error, status, "objects", "%s", jf_status_text(status));
	all.bundle = bundle;
	all.conv = conv;
	status = add_entries(error);
	if (status == JF_OK)
		status = map_private_stacks(bundle->jit, error);
	if (status == JF_OK)
		status = island_init(bundle, conv, kfuncs, error);
	return status;
}

void foreign_fini(void)
{
	if (all.has_entries)
		(void)!jf_code_map_remove_all(all.entries, 2);
	island_fini();
	if (all.stacks != NULL)
		munmap(all.stacks, all.bundle->jit->private_bytes);
	if (all.per_cpu != NULL)
		munmap(all.per_cpu, page_bytes());
	memset(&all, 0, sizeof(all));
}

uint64_t foreign_run(const struct foreign *foreign, uint64_t arg)
{
	(void)!jf_thread_init();
	return all.conv->backend->native->enter(foreign->ranges[0].start, arg, 0);
}

uint64_t foreign_run_checked(const struct foreign *foreign, uint64_t arg, const struct jf_regs *in, struct jf_regs *out)
{
	(void)!jf_thread_init();
	return all.conv->backend->native->enter_checked(foreign->ranges[0].start, arg, 0, in, out);
}

/* ---- loading ---------------------------------------------------------------------------------------------- */

static const struct bundle_code *code_at(const struct foreign *foreign, uint32_t index)
{
	return &all.bundle->codes[foreign->image->code_start + index];
}

static enum jf_status solve(const struct bundle_code *code, struct part *part, struct jf_error *error)
{
	const struct jf_frame_spec spec = {
		.size = sizeof(spec),
		.role = code->role,
		.bpf_stack_bytes = code->bpf_stack_bytes,
		.bpf_regs_used = code->bpf_regs_used,
		.out_args = code->out_args,
		.tail_calls = (code->flags & BUNDLE_CODE_TAIL_CALLS) != 0,
		.arena = (code->flags & BUNDLE_CODE_ARENA) != 0,
		.private_stack = (code->flags & BUNDLE_CODE_PRIVATE_STACK) != 0,
		.landing_pads = (code->flags & BUNDLE_CODE_LANDING_PADS) != 0,
		.sign_return = (code->flags & BUNDLE_CODE_SIGN_RETURN) != 0,
	};
	enum jf_status status = jf_frame_solve(all.conv, &spec, &part->frame, error);

	if (status != JF_OK)
		return status;
	part->row = (struct jf_row){
		.cfa_reg = all.conv->backend->fp,
		.cfa_off = -all.conv->fp_off_from_cfa,
		.saved = jf_frame_saved_mask(&part->frame),
		.flags = spec.sign_return ? JF_ROW_RA_SIGNED : 0,
	};
	return JF_OK;
}

static void set_source(struct jf_range *range, const struct bundle_code *code, const struct bundle_selection *selection)
{
	if (code->insn_count == 0)
		return;
	range->insn_off = all.bundle->offsets + code->offset_start;
	range->insn_count = code->insn_count;
	for (uint32_t i = 0; i < selection->program.function_count; i++) {
		if (selection->bundle_function[i] == code->function && selection->program.lines != NULL) {
			range->lines = selection->program.lines[i].lines;
			range->line_count = selection->program.lines[i].count;
		}
	}
}

static enum jf_range_kind kind_of(enum jf_role role)
{
	static const enum jf_range_kind kinds[] = {
		[JF_ROLE_MAIN] = JF_RANGE_MAIN,
		[JF_ROLE_SUBPROGRAM] = JF_RANGE_SUBPROGRAM,
		[JF_ROLE_BOUNDARY] = JF_RANGE_BOUNDARY,
		[JF_ROLE_CALLBACK] = JF_RANGE_CALLBACK,
	};

	return kinds[role];
}

static enum jf_status describe(struct foreign *foreign, uint32_t index, const struct bundle_selection *selection,
			       struct jf_error *error)
{
	const struct bundle_code *code = code_at(foreign, index);
	struct part *part = &foreign->parts[index];
	enum jf_status status = solve(code, part, error);

	if (status == JF_OK &&
	    code->private_off + (uint64_t)jf_frame_private_stack(&part->frame).size_bytes >
		    all.bundle->jit->private_bytes &&
	    part->frame.spec.private_stack)
		return jf_error_set(error, JF_E_BAD_IMAGE, "private_stack", "it lies outside of the JIT's");
	for (uint32_t i = 0; status == JF_OK && i < code->fault_count; i++) {
		uint8_t reg = all.bundle->faults[code->fault_start + i].reg;

		if (reg >= all.conv->backend->reg_count && reg != JF_REG_NONE)
			status = jf_error_set(error, JF_E_BAD_IMAGE, "faults", "there is no register %u", reg);
	}
	if (status != JF_OK)
		return status;
	foreign->ranges[index] = (struct jf_range){
		.size = sizeof(foreign->ranges[index]),
		.kind = (uint8_t)kind_of((enum jf_role)code->role),
		.start = code->address,
		.end = code->address + code->byte_count,
		.name = code->function == BUNDLE_NO_FUNCTION ?
				"default_callback" :
				all.bundle->strings + all.bundle->functions[code->function].name,
		.backend = all.conv->backend,
		.rows = &part->row,
		.row_count = 1,
		.slots = part->frame.slots,
		.slot_count = part->frame.slot_count,
		.fp_off_from_cfa = all.conv->fp_off_from_cfa,
		.landing_sp_off_from_cfa = part->frame.landing_sp_off_from_cfa,
		.faults = all.bundle->faults + code->fault_start,
		.fault_count = code->fault_count,
		.owner = (void *)(uintptr_t)code,
	};
	set_source(&foreign->ranges[index], code, selection);
	if (foreign->image->callback >= 0)
		foreign->ranges[index].callback = code_at(foreign, (uint32_t)foreign->image->callback)->address;
	return JF_OK;
}

/* The pages from the lowest address of the code to the highest. */
static enum jf_status place(struct foreign *foreign, struct jf_error *error)
{
	uint64_t low = UINT64_MAX, high = 0, page = page_bytes();

	for (uint32_t i = 0; i < foreign->image->code_count; i++) {
		const struct bundle_code *code = code_at(foreign, i);

		low = code->address < low ? code->address : low;
		high = code->address + code->byte_count > high ? code->address + code->byte_count : high;
	}
	low &= ~(page - 1);
	foreign->size = (high - low + page - 1) & ~(page - 1);
	foreign->pages = island_map(low, foreign->size);
	if (foreign->pages == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "code", "something else stands at 0x%llx",
				    (unsigned long long)low);
	for (uint32_t i = 0; i < foreign->image->code_count; i++) {
		const struct bundle_code *code = code_at(foreign, i);

		memcpy((void *)(uintptr_t)code->address, all.bundle->bytes + code->byte_start, code->byte_count);
	}
	if (mprotect(foreign->pages, foreign->size, PROT_READ | PROT_EXEC) != 0)
		return jf_error_set(error, JF_E_NO_MEMORY, "code", "its pages cannot be made executable");
	__builtin___clear_cache((char *)foreign->pages, (char *)foreign->pages + foreign->size);
	return JF_OK;
}

/* A helper that is not there is a trap in the island: it has to be refused by its number before. */
static enum jf_status check_calls(const struct jf_function *function, struct jf_error *error)
{
	uint32_t count;
	const struct jf_import *helpers = helpers_table(&count);

	for (uint32_t i = 0; i < function->insn_count; i += function->insns[i].opcode == JF_INSN_LDDW ? 2 : 1) {
		const struct jf_insn *insn = &function->insns[i];
		uint32_t number = (uint32_t)insn->imm;

		if (insn->opcode == JF_INSN_CALL && jf_insn_src(insn) == JF_SRC_HELPER &&
		    number != JF_HELPER_TAIL_CALL && (number >= count || helpers[number].address == 0))
			return jf_error_set(error, JF_E_UNSUPPORTED, function->name,
					    "instruction %u: the runner has no helper %u", i, number);
	}
	return JF_OK;
}

static enum jf_status load(struct foreign *foreign, const struct bundle_selection *selection, struct jf_error *error)
{
	uint32_t count = foreign->image->code_count;
	enum jf_status status = JF_OK;

	foreign->parts = calloc(count, sizeof(*foreign->parts));
	foreign->ranges = calloc(count, sizeof(*foreign->ranges));
	foreign->object = calloc(1, all.bundle->jit->program_code_off + sizeof(uint64_t));
	if (foreign->parts == NULL || foreign->ranges == NULL || foreign->object == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, "code", "no memory for %u functions", count);
	for (uint32_t i = 0; status == JF_OK && i < selection->program.function_count; i++)
		status = check_calls(&selection->functions[i], error);
	for (uint32_t i = 0; status == JF_OK && i < count; i++)
		status = describe(foreign, i, selection, error);
	if (status == JF_OK)
		status = place(foreign, error);
	if (status != JF_OK)
		return status;
	memcpy((uint8_t *)foreign->object + all.bundle->jit->program_code_off, &foreign->ranges[0].start,
	       sizeof(uint64_t));
	return jf_code_map_add_all(foreign->ranges, count, error);
}

static void drop(struct foreign *foreign)
{
	if (foreign->pages != NULL)
		munmap(foreign->pages, foreign->size);
	free(foreign->parts);
	free(foreign->ranges);
	free(foreign->object);
	free(foreign);
}

enum jf_status foreign_load(uint32_t program, const struct bundle_selection *selection, struct foreign **out,
			    struct jf_error *error)
{
	const char *name = all.bundle->strings + all.bundle->programs[program].name;
	struct foreign *foreign;
	enum jf_status status;

	if (all.bundle->images[program].code_count == 0)
		return jf_error_set(error, JF_E_UNSUPPORTED, name,
				    "the other JIT has made no code of it: `jitframe compile --jit` says why");
	foreign = calloc(1, sizeof(*foreign));
	if (foreign == NULL)
		return jf_error_set(error, JF_E_NO_MEMORY, name, "no memory");
	foreign->image = &all.bundle->images[program];
	status = load(foreign, selection, error);
	if (status == JF_OK)
		*out = foreign;
	else
		drop(foreign);
	return status;
}

void foreign_unload(struct foreign *foreign)
{
	(void)!jf_code_map_remove_all(foreign->ranges, foreign->image->code_count);
	drop(foreign);
}

/* Guards are zero. */
static bool is_written(uint8_t *guard, uint32_t bytes)
{
	bool found = false;

	for (uint32_t i = 0; i < bytes; i++)
		found |= guard[i] != 0;
	memset(guard, 0, bytes);
	return found;
}

bool foreign_stack_is_broken(const struct foreign *foreign)
{
	bool broken = false;

	for (uint32_t i = 0; i < foreign->image->code_count; i++) {
		struct jf_private_stack stack = jf_frame_private_stack(&foreign->parts[i].frame);
		uint8_t *start = all.stacks + code_at(foreign, i)->private_off;

		if (stack.size_bytes == 0)
			continue;
		broken |= is_written(start, stack.low_off);
		broken |= is_written(start + stack.top_off, stack.size_bytes - stack.top_off);
	}
	return broken;
}

uint64_t foreign_function(const struct foreign *foreign, uint32_t function)
{
	for (uint32_t i = 0; i < foreign->image->code_count; i++) {
		if (code_at(foreign, i)->function == function)
			return code_at(foreign, i)->address;
	}
	return 0;
}

uint64_t foreign_object(const struct foreign *foreign)
{
	return (uintptr_t)foreign->object;
}
