/* SPDX-License-Identifier: BSD-2-Clause */
#include "object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

/* The programs of an object file as machine code that is only to be looked at. */

/*
 * Nothing runs here, so what programs call and address stands at made-up places, each its own: far from
 * the code, as C code is for a JIT in user space.
 */
#define HELPER_ADDRESS(number)   (UINT64_C(0x7f1000000000) + (uint64_t)(number)*64)
#define KFUNC_ADDRESS(index)     (UINT64_C(0x7f1100000000) + (uint64_t)(index)*64)
#define MAP_ADDRESS(index)       (UINT64_C(0x7f2000000000) + (uint64_t)(index)*4096)
#define REGISTER_CALL_ADDRESS    UINT64_C(0x7f1200000000)
#define MAP_VALUE_ADDRESS(index) (UINT64_C(0x7f4000000000) + ((uint64_t)(index) << 32))

#define HELPER_NAME_MAX 64

/* What is shared by the programs of one object. */
struct opened {
	const struct object *object;
	struct bundle bundle;
	struct jf_import *helpers; /* LINK_HELPERS_MAX */
	char *names;               /* of helpers, HELPER_NAME_MAX each */
	struct jf_import *kfuncs;
	struct jf_map_ref *maps;
	struct disasm *disasm;
};

/* ---- one program ------------------------------------------------------------------------------- */

static int compile_selection(struct opened *o, uint32_t index, const struct bundle_selection *selection)
{
	const struct jf_program *program = &selection->program;
	const struct object *object = o->object;
	size_t capacity = jf_compile_bound(object->conv, program);
	uint8_t *bytes = malloc(capacity ? capacity : 1);
	struct jf_error error = {0};
	struct jf_image *image;
	int status = 0;

	if (!bytes)
		return cli_failed("no memory");
	if (jf_compile(object->conv, program, &object->opts, bytes, capacity, object->address, &image, &error) !=
	    JF_OK) {
		status = cli_error(object->path, "function", &error);
	} else {
		struct listing listing = {
			.bundle = &o->bundle,
			.program = &o->bundle.programs[index],
			.source = program,
			.bundle_function = selection->bundle_function,
			.image = image,
			.bytes = bytes,
			.disasm = o->disasm,
		};

		status = object->show(object->arg, &listing);
		jf_image_free(image);
	}
	free(bytes);
	return status;
}

static int compile_program(struct opened *o, uint32_t index)
{
	const struct object *object = o->object;
	struct bundle_selection selection;
	struct jf_error error = {0};
	int status;

	if (bundle_select(&o->bundle, index, &selection, &error) != JF_OK)
		return cli_error(object->path, NULL, &error);
	selection.program.helpers = o->helpers;
	selection.program.helper_count = LINK_HELPERS_MAX;
	selection.program.kfuncs = o->kfuncs;
	selection.program.kfunc_count = o->bundle.count[BUNDLE_KFUNCS];
	selection.program.maps = o->maps;
	selection.program.map_count = o->bundle.count[BUNDLE_MAPS];
	selection.program.call_register = (struct jf_import){.name = "call_register", .address = REGISTER_CALL_ADDRESS};
	for (uint32_t i = 0; i < o->bundle.count[BUNDLE_MAPS]; i++)
		if (o->bundle.maps[i].type == BUNDLE_TYPE_ARENA)
			selection.program.arena_user_base = object->places ? object->places[i].user : o->maps[i].value;
	status = compile_selection(o, index, &selection);
	bundle_selection_free(&selection);
	return status;
}

/* ---- one object --------------------------------------------------------------------------------- */

/* Those that no list has are called by their numbers. */
static void name_helper(struct opened *o, uint32_t number)
{
	const char *known = link_helper_name(number);
	char *name = o->names + (size_t)number * HELPER_NAME_MAX;

	if (known)
		snprintf(name, HELPER_NAME_MAX, "bpf_%s", known);
	else
		snprintf(name, HELPER_NAME_MAX, "helper_%u", number);
	o->helpers[number] = (struct jf_import){
		.name = name,
		.address = o->object->call_base ? o->object->call_base + BUNDLE_CALL_HELPER(number) :
						  HELPER_ADDRESS(number),
	};
}

static struct jf_import read_kfunc(const struct opened *o, uint32_t index)
{
	const struct bundle_kfunc *kfunc = &o->bundle.kfuncs[index];
	struct jf_import import;

	bundle_kfunc_get(kfunc, &import);
	import.name = o->bundle.strings + kfunc->name;
	import.address = o->object->call_base ? o->object->call_base + BUNDLE_CALL_KFUNC(index) : KFUNC_ADDRESS(index);
	return import;
}

static bool set_up(struct opened *o)
{
	const struct bundle *bundle = &o->bundle;

	o->kfuncs = calloc((size_t)bundle->count[BUNDLE_KFUNCS] + 1, sizeof(*o->kfuncs));
	o->maps = calloc((size_t)bundle->count[BUNDLE_MAPS] + 1, sizeof(*o->maps));
	o->helpers = calloc(LINK_HELPERS_MAX, sizeof(*o->helpers));
	o->names = calloc(LINK_HELPERS_MAX, HELPER_NAME_MAX);
	if (!o->kfuncs || !o->maps || !o->helpers || !o->names)
		return false;
	for (uint32_t number = 1; number < LINK_HELPERS_MAX; number++)
		name_helper(o, number);
	for (uint32_t i = 0; i < bundle->count[BUNDLE_KFUNCS]; i++)
		o->kfuncs[i] = read_kfunc(o, i);
	for (uint32_t i = 0; i < bundle->count[BUNDLE_MAPS]; i++) {
		const struct bundle_place *place = o->object->places ? &o->object->places[i] : NULL;

		o->maps[i].object = place ? place->object : MAP_ADDRESS(i);
		o->maps[i].value = place ? place->value : MAP_VALUE_ADDRESS(i);
	}
	return true;
}

/* Whether the linker refused something that the program needs. */
static bool is_refused(const struct opened *o, uint32_t index)
{
	struct bundle_selection selection;
	bool refused = false;

	if (bundle_select(&o->bundle, index, &selection, NULL) != JF_OK)
		return false; /* compile_program() says why */
	for (uint32_t i = 0; i < selection.program.function_count; i++)
		refused |= (o->bundle.functions[selection.bundle_function[i]].flags & BUNDLE_FUNCTION_REFUSED) != 0;
	bundle_selection_free(&selection);
	return refused;
}

/* Links again for this one program, so that the linker says why not. */
static int report_refused(const struct opened *o, uint32_t index)
{
	void *bytes = NULL;
	size_t size;
	int status =
		cli_link_to_see(o->object->path, o->bundle.strings + o->bundle.programs[index].name, &bytes, &size);

	free(bytes);
	return status;
}

/* Without a name: every program, those that are only loaded by name too (SEC("?...")). One that is refused does not
 * keep the others from it; the exit status is the first one's. */
static int compile_programs(struct opened *o)
{
	const struct object *object = o->object;
	uint32_t index = 0;
	int first = 0;

	if (object->program) {
		int status = cli_program(object->path, &o->bundle, object->program, &index);

		return status == 0 ? compile_program(o, index) : status;
	}
	for (; index < o->bundle.count[BUNDLE_PROGRAMS]; index++) {
		int status = is_refused(o, index) ? report_refused(o, index) : compile_program(o, index);

		if (first == 0)
			first = status;
	}
	return first;
}

static int compile_opened(struct opened *opened)
{
	int status = set_up(opened) ? compile_programs(opened) : cli_failed("no memory");

	free(opened->helpers);
	free(opened->names);
	free(opened->kfuncs);
	free(opened->maps);
	return status;
}

int object_compile(const struct object *object)
{
	struct opened opened = {.object = object};
	struct jf_error error = {0};
	void *bytes = NULL;
	size_t size;
	int status = cli_link_to_see(object->path, object->program ? object->program : "", &bytes, &size);

	if (status != 0)
		return status;
	opened.disasm = disasm_new(object->conv->backend);
	if (!opened.disasm)
		status = cli_failed("LLVM cannot disassemble for %s", object->conv->backend->llvm_triple);
	else if (bundle_open(&opened.bundle, bytes, size, &error) != JF_OK)
		status = cli_error(object->path, NULL, &error);
	else
		status = compile_opened(&opened);
	disasm_free(opened.disasm);
	free(bytes);
	return status;
}

int object_compile_linked(const struct object *object, const struct bundle *bundle)
{
	struct opened opened = {.object = object, .bundle = *bundle};

	return compile_opened(&opened);
}
