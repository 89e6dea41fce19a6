/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_jit.h"
#include "run.h"

/*
 * Code of a tree's JIT for the runner. All addresses are chosen here, before there is a process: the runner puts code,
 * maps, and the way to its own functions where the code takes them to be. The places are of the lowest 256 GiB, which
 * the smallest address space of any architecture has.
 */
#define CODE_BYTES     0x10000             /* programs begin at multiples of this */
#define CODE_REACH     UINT64_C(0x8000000) /* of the JIT's base, the code of one program */
#define MAPS_ADDRESS   UINT64_C(0x1000000000)
#define MAP_BYTES      UINT64_C(0x1000000) /* of a program array with all that tail calls read */
#define VALUES         UINT64_C(0x1400000000)
#define VALUE_BYTES    UINT64_C(0x40000000)
#define ARENA_ADDRESS  UINT64_C(0x1200000000)
#define ARENA_PAGE     4096
#define PRIVATE_STACKS UINT64_C(0x1380000000)

struct maker {
	struct kernel_jit *jit;
	struct bundle bundle;
	struct object object;
	struct bundle_image *images;
	struct bundle_place *places;
	uint32_t code_count, byte_count, offset_count, fault_count;
	/* Tables as they grow. */
	FILE *to[BUNDLE_TABLE__COUNT];
	char *text[BUNDLE_TABLE__COUNT];
	size_t size[BUNDLE_TABLE__COUNT];
};

static void put(struct maker *m, enum bundle_table table, const void *records, size_t count)
{
	if (count)
		fwrite(records, bundle_record_bytes(table), count, m->to[table]);
}

/* ---- a program ---------------------------------------------------------------------------------------------- */

static uint8_t flags_of(const struct jf_frame_spec *spec)
{
	return (uint8_t)((spec->tail_calls ? BUNDLE_CODE_TAIL_CALLS : 0) | (spec->arena ? BUNDLE_CODE_ARENA : 0) |
			 (spec->private_stack ? BUNDLE_CODE_PRIVATE_STACK : 0) |
			 (spec->sign_return ? BUNDLE_CODE_SIGN_RETURN : 0) |
			 (spec->landing_pads ? BUNDLE_CODE_LANDING_PADS : 0));
}

/* Where the code of each instruction of the source begins. returns: their count, 0: the JIT does not say. */
static uint32_t put_offsets(struct maker *m, const struct kernel_function *function)
{
	if (!function->insn_off || !function->start || function->start[function->source_count] > function->insn_count)
		return 0;
	for (uint32_t i = 0; i <= function->source_count; i++) {
		/* The second half of a 16-byte instruction begins where the next one does. */
		uint32_t at = function->start[i] == UINT32_MAX ? function->start[i + 1] : function->start[i];

		put(m, BUNDLE_OFFSETS, &function->insn_off[at], 1);
	}
	m->offset_count += function->source_count + 1;
	return function->source_count;
}

static int by_start(const void *a, const void *b)
{
	const struct jf_fault *left = a, *right = b;

	return left->start_off < right->start_off ? -1 : left->start_off > right->start_off;
}

static void put_code(struct maker *m, const struct kernel_function *function, uint32_t bundle_function,
		     uint32_t private_off)
{
	const struct jf_frame_spec *spec = &function->spec;
	struct bundle_code code = {
		.address = function->address,
		.function = bundle_function,
		.byte_start = m->byte_count,
		.byte_count = (uint32_t)function->size,
		.offset_start = m->offset_count,
		.fault_start = m->fault_count,
		.fault_count = function->fault_count,
		.role = spec->role,
		.bpf_stack_bytes = spec->bpf_stack_bytes,
		.bpf_regs_used = spec->bpf_regs_used,
		.out_args = spec->out_args,
		.flags = flags_of(spec),
		.sp_adjust = function->sp_adjust,
		.private_off = (uint32_t)(m->jit->private_stack_address - PRIVATE_STACKS) + private_off,
	};

	if (function->fault_count)
		qsort(function->faults, function->fault_count, sizeof(*function->faults), by_start);
	put(m, BUNDLE_FAULTS, function->faults, function->fault_count);
	put(m, BUNDLE_BYTES, function->bytes, function->size);
	code.insn_count = put_offsets(m, function);
	put(m, BUNDLE_CODES, &code, 1);
	m->fault_count += function->fault_count;
	m->byte_count += code.byte_count;
	m->code_count++;
}

static int put_image(struct maker *m, const struct listing *listing, const struct kernel_code *code)
{
	struct bundle_image *image = &m->images[listing->program - m->bundle.programs];
	uint64_t base = kernel_in_process(m->jit, m->jit->base);

	for (uint32_t i = 0; i < code->count; i++)
		if (code->functions[i].address - base > CODE_REACH || code->functions[i].size > CODE_REACH)
			return cli_failed("%s: function %s is at 0x%" PRIx64 ", and was to be behind 0x%" PRIx64,
					  m->jit->program, code->functions[i].name, code->functions[i].address, base);
	*image = (struct bundle_image){m->code_count, code->count, listing->image->callback, 0};
	for (uint32_t i = 0; i < code->count; i++) {
		const struct kernel_function *f = &code->functions[i];
		uint64_t end = f->address + f->size + (uint64_t)f->fault_count * 16;

		put_code(m, f, i < listing->source->function_count ? listing->bundle_function[i] : BUNDLE_NO_FUNCTION,
			 jf_image_function_at(listing->image, i)->private_stack_off);
		while (kernel_in_process(m->jit, m->jit->base) < end)
			m->jit->base += CODE_BYTES;
	}
	m->jit->private_stack_address += (listing->image->private_stack_bytes + 15) & ~15u;
	return 0;
}

/* What no process has. */
static int check_program(const struct listing *listing)
{
	return listing->image->uses_per_cpu ? cli_bad_input("program %s: its per-CPU addresses go by the kernel's base",
							    listing->source->functions[0].name) :
					      0;
}

static int make_image(void *arg, struct listing *listing)
{
	struct maker *m = arg;
	struct kernel_code code = {0};
	int status = check_program(listing);

	if (status == 0)
		status = kernel_jit_compile(m->jit, listing, &code);
	if (status == 0 && m->jit->relocates)
		status = kernel_relocate(m->jit, listing, &code);
	if (status == 0)
		status = put_image(m, listing, &code);
	kernel_code_free(&code);
	return status;
}

/* ---- all programs ------------------------------------------------------------------------------------------- */

static bool is_refused(const struct maker *m, const struct bundle_program *program)
{
	return m->bundle.functions[program->main].flags & BUNDLE_FUNCTION_REFUSED;
}

/* Whether a run may go on from the program to others. */
static bool runs_others(const struct bundle *bundle)
{
	for (uint32_t i = 0; i < bundle->count[BUNDLE_MAPS]; i++)
		if (bundle->maps[i].type == BUNDLE_TYPE_PROG_ARRAY)
			return true;
	for (uint32_t i = 0; i < bundle->count[BUNDLE_KFUNCS]; i++)
		if (strcmp(bundle->strings + bundle->kfuncs[i].name, "jf_run_program") == 0)
			return true;
	return false;
}

/* What cannot be compiled has no code: the runner refuses it when the run comes to it. */
static void try_program(struct maker *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *unheard = open_memstream(&text, &size);

	cli_messages_to(unheard);
	(void)object_compile_linked(&m->object, &m->bundle);
	cli_messages_to(NULL);
	if (unheard)
		fclose(unheard);
	free(text);
}

static int make_images(struct maker *m, const char *asked)
{
	bool all = runs_others(&m->bundle);
	int status = 0;

	for (uint32_t i = 0; i < m->bundle.count[BUNDLE_PROGRAMS]; i++)
		m->images[i].callback = -1;
	for (uint32_t i = 0; i < m->bundle.count[BUNDLE_PROGRAMS]; i++) {
		const struct bundle_program *program = &m->bundle.programs[i];

		m->object.program = m->bundle.strings + program->name;
		m->object.address = m->jit->base;
		if (strcmp(m->object.program, asked) == 0)
			status = object_compile_linked(&m->object, &m->bundle);
		else if (all && !is_refused(m, program))
			try_program(m);
	}
	return status;
}

static int choose_places(struct maker *m)
{
	uint32_t arenas = 0;

	for (uint32_t i = 0; i < m->bundle.count[BUNDLE_MAPS]; i++) {
		const struct bundle_map *map = &m->bundle.maps[i];
		struct bundle_place *place = &m->places[i];

		place->object = MAPS_ADDRESS + i * MAP_BYTES;
		place->value = VALUES + i * VALUE_BYTES;
		if (map->type != BUNDLE_TYPE_ARENA)
			continue;
		if (arenas++)
			return cli_bad_input("%s: it has two arenas, and a tree's code is run with one",
					     m->object.path);
		place->base = ARENA_ADDRESS;
		place->user = map->map_extra;
		if (!place->user)
			place->user = ARENA_ADDRESS + bundle_arena_first_off((uint64_t)map->max_entries * ARENA_PAGE);
		place->value = place->user + (map->max_entries - (map->data_bytes + ARENA_PAGE - 1) / ARENA_PAGE) *
						     (uint64_t)ARENA_PAGE;
		m->jit->arena_base = place->base;
		m->object.opts.values.arena_base = place->base;
	}
	return 0;
}

/* ---- the bundle --------------------------------------------------------------------------------------------- */

static int open_tables(struct maker *m)
{
	for (unsigned int i = BUNDLE_JITS; i < BUNDLE_TABLE__COUNT; i++) {
		m->to[i] = open_memstream(&m->text[i], &m->size[i]);
		if (!m->to[i])
			return cli_failed("no memory");
	}
	return 0;
}

static int close_tables(struct maker *m)
{
	int status = 0;

	for (unsigned int i = BUNDLE_JITS; i < BUNDLE_TABLE__COUNT; i++)
		if (m->to[i] && fclose(m->to[i]) != 0)
			status = cli_failed("no memory");
	return status;
}

/* The tables go behind the others. */
static int append_tables(struct maker *m, void **bundle, size_t *size)
{
	size_t end = *size;
	struct bundle_header *header;
	uint8_t *bytes;

	for (unsigned int i = BUNDLE_JITS; i < BUNDLE_TABLE__COUNT; i++)
		end += (m->size[i] + 7) & ~(size_t)7;
	bytes = end <= INT32_MAX ? calloc(1, end) : NULL;
	if (!bytes)
		return cli_failed("no memory for %zu bytes of programs", end);
	memcpy(bytes, *bundle, *size);
	header = (struct bundle_header *)(void *)bytes;
	header->total_bytes = (uint32_t)end;
	end = *size;
	for (unsigned int i = BUNDLE_JITS; i < BUNDLE_TABLE__COUNT; i++) {
		header->tables[i] =
			(struct bundle_extent){(uint32_t)end, (uint32_t)(m->size[i] / bundle_record_bytes(i))};
		memcpy(bytes + end, m->text[i], m->size[i]);
		end += (m->size[i] + 7) & ~(size_t)7;
	}
	free(*bundle);
	*bundle = bytes;
	*size = end;
	return 0;
}

static int make(struct maker *m, const char *asked)
{
	const struct kernel_jit *jit = m->jit;
	struct bundle_jit record = {
		.call_base = kernel_in_process(jit, jit->call_base),
		.private_stacks = PRIVATE_STACKS,
		.per_cpu_word = jit->per_cpu_word,
		.array_count_off = jit->array_count_off,
		.array_programs_off = jit->array_programs_off,
		.program_code_off = jit->program_code_off,
	};
	int status;

	m->jit->private_stack_address = PRIVATE_STACKS;
	status = kernel_jit_set_up(jit, &m->object);
	if (status == 0)
		status = choose_places(m);
	if (status == 0)
		status = make_images(m, asked);
	if (status != 0)
		return status;
	record.private_bytes = (uint32_t)(jit->private_stack_address - PRIVATE_STACKS);
	put(m, BUNDLE_JITS, &record, 1);
	put(m, BUNDLE_IMAGES, m->images, m->bundle.count[BUNDLE_PROGRAMS]);
	put(m, BUNDLE_PLACES, m->places, m->bundle.count[BUNDLE_MAPS]);
	return 0;
}

int kernel_run_add(struct kernel_jit *jit, const struct run_job *job, void **bundle, size_t *size)
{
	const char *path = job->object;
	struct maker m = {
		.jit = jit,
		.object = {.path = path, .opts = {.size = sizeof(m.object.opts), .private_stack = job->private_stack}},
	};
	struct jf_error error = {0};
	int status, closed;

	if (job->private_stack && !jit->per_cpu_word)
		return cli_bad_input(
			"--private-stack: the code takes private stacks from the processor's own memory, and "
			"no process has the like on %s",
			jit->arch);
	if (job->private_stack && job->threads && strcmp(job->threads, "1") != 0)
		return cli_bad_input("--private-stack --jit: the stacks are those of one processor, so of one thread");
	if (bundle_open(&m.bundle, *bundle, *size, &error) != JF_OK)
		return cli_error(path, NULL, &error);
	m.object.show = make_image;
	m.object.arg = &m;
	m.images = calloc((size_t)m.bundle.count[BUNDLE_PROGRAMS] + 1, sizeof(*m.images));
	m.places = calloc((size_t)m.bundle.count[BUNDLE_MAPS] + 1, sizeof(*m.places));
	m.object.places = m.places;
	status = m.images && m.places ? open_tables(&m) : cli_failed("no memory");
	if (status == 0)
		status = make(&m, job->program);
	closed = close_tables(&m);
	if (status == 0)
		status = closed;
	if (status == 0)
		status = append_tables(&m, bundle, size);
	for (unsigned int i = BUNDLE_JITS; i < BUNDLE_TABLE__COUNT; i++)
		free(m.text[i]);
	free(m.images);
	free(m.places);
	return status;
}
