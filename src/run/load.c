/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/load.h"

#include "compile/compiler.h"
#include "run/private_stack.h"
#include "walk/thread.h"

#include <jitframe/cfi.h>
#include <jitframe/walk.h>

#include <pthread.h>
#include <stdlib.h>

/* ---- the stubs through which C enters BPF code: in the map from the first load on --------------- */

static struct jf_range entry_ranges[2];
static enum jf_status entry_status;
static pthread_once_t entry_once = PTHREAD_ONCE_INIT;

static struct jf_range entry_range(const struct jf_backend *backend, const char *name, const void *start,
				   const void *end)
{
	return (struct jf_range){.size = sizeof(struct jf_range),
				 .kind = JF_RANGE_ENTRY,
				 .start = (uintptr_t)start,
				 .end = (uintptr_t)end,
				 .name = name,
				 .backend = backend};
}

static void register_entries(void)
{
	const struct jf_backend *backend = jf_backend_host();
	const struct jf_native *native = backend->native;

	entry_ranges[0] = entry_range(backend, "enter", native->enter_start, native->enter_end);
	entry_ranges[1] = entry_range(backend, "enter_checked", native->checked_start, native->checked_end);
	entry_status = jf_code_map_add_all(entry_ranges, 2, NULL);
}

/* ---- loading ------------------------------------------------------------------------------------ */

static enum jf_status load_error(struct jf_error *error, enum jf_status status)
{
	return jf_error_set(error, status, "", "%s", jf_status_text(status));
}

/* The least of the pool that will do is known after compiling only, and where it lies is needed before. */
#define PRIVATE_STACK_TRY 16384

static enum jf_status take_private_stack(struct jf_loaded *loaded, struct jf_compile_opts *opts, struct jf_error *error)
{
	loaded->private_bytes = jf_private_stack_take(PRIVATE_STACK_TRY, &loaded->private_off);
	if (!loaded->private_bytes)
		return jf_error_set(error, JF_E_NO_MEMORY, "private_stack", "all private stacks are taken");
	jf_private_stack_values(loaded->private_off, &opts->values);
	return JF_OK;
}

static enum jf_status trim_private_stack(struct jf_loaded *loaded, struct jf_error *error)
{
	uint32_t bytes = loaded->image->private_stack_bytes;
	uint32_t kept;

	if (bytes > loaded->private_bytes)
		return jf_error_set(error, JF_E_NO_MEMORY, "private_stack", "%u bytes are needed, %u is the limit",
				    bytes, PRIVATE_STACK_TRY);
	kept = jf_private_stack_round(bytes);
	jf_private_stack_give(loaded->private_off + kept, loaded->private_bytes - kept);
	loaded->private_bytes = kept;
	return JF_OK;
}

/* Compiles into writable memory of the largest size the code can have, then keeps what is needed. */
static enum jf_status compile(struct jf_loaded *loaded, const struct jf_convention *conv,
			      const struct jf_program *program, const struct jf_compile_opts *opts,
			      struct jf_error *error)
{
	struct exec_memory *code = &loaded->code;
	enum jf_status status;

	if (!exec_memory_map(code, jf_compile_bound(conv, program)))
		return load_error(error, JF_E_NO_MEMORY);
	loaded->hardening = opts->landing_pads | (uint32_t)opts->sign_return << 1;
	status =
		jf_compile(conv, program, opts, code->bytes, code->size, (uintptr_t)code->bytes, &loaded->image, error);
	if (status == JF_OK && loaded->image->uses_per_cpu && !jf_convention_supports(conv, JF_CAP_USER_BASE))
		status = jf_error_set(error, JF_E_UNSUPPORTED, "", "per-CPU addresses of %s/%s go by the kernel's base",
				      conv->backend->name, conv->name);
	if (status == JF_OK && !exec_memory_seal(code, loaded->image->size_bytes))
		status = load_error(error, JF_E_NO_MEMORY);
	return status;
}

/* One thread at a time: each takes far more of the pool than it keeps. */
static enum jf_status compile_with_private_stack(struct jf_loaded *loaded, const struct jf_convention *conv,
						 const struct jf_program *program, struct jf_compile_opts *opts,
						 struct jf_error *error)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	enum jf_status status;

	pthread_mutex_lock(&lock);
	status = take_private_stack(loaded, opts, error);
	if (status == JF_OK)
		status = compile(loaded, conv, program, opts, error);
	if (status == JF_OK)
		status = trim_private_stack(loaded, error);
	pthread_mutex_unlock(&lock);
	return status;
}

static uint8_t range_kind(const struct jf_image_function *function)
{
	static const uint8_t of_role[JF_ROLE__COUNT] = {
		[JF_ROLE_MAIN] = JF_RANGE_MAIN,
		[JF_ROLE_SUBPROGRAM] = JF_RANGE_SUBPROGRAM,
		[JF_ROLE_BOUNDARY] = JF_RANGE_BOUNDARY,
		[JF_ROLE_CALLBACK] = JF_RANGE_CALLBACK,
	};

	return function->is_stub ? JF_RANGE_STUB : of_role[function->frame.spec.role];
}

static enum jf_status add_ranges(struct jf_loaded *loaded, void *owner, struct jf_error *error)
{
	const struct jf_image *image = loaded->image;
	enum jf_status status;

	loaded->ranges = calloc(image->function_count, sizeof(*loaded->ranges));
	if (!loaded->ranges)
		return load_error(error, JF_E_NO_MEMORY);
	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = &image->functions[i];

		loaded->ranges[i] = (struct jf_range){
			.size = sizeof(loaded->ranges[i]),
			.kind = range_kind(f),
			.start = image->address + f->start,
			.end = image->address + f->start + f->size_bytes,
			.name = f->name,
			.backend = image->conv->backend,
			.rows = image->rows + f->row_start,
			.row_count = f->row_count,
			.slots = f->frame.slots,
			.slot_count = f->frame.slot_count,
			.faults = image->faults ? image->faults + f->fault_start : NULL,
			.fault_count = f->fault_count,
			.fp_off_from_cfa = image->conv->fp_off_from_cfa,
			.landing_sp_off_from_cfa = f->frame.landing_sp_off_from_cfa,
			.owner = owner,
		};
		if (image->callback >= 0)
			loaded->ranges[i].callback = image->address + image->functions[image->callback].start;
	}
	status = jf_code_map_add_all(loaded->ranges, image->function_count, NULL);
	if (status == JF_OK)
		return JF_OK;
	free(loaded->ranges);
	loaded->ranges = NULL;
	return load_error(error, status);
}

/* What a load needs of its process, whatever the program is. */
static enum jf_status prepare_process(struct jf_error *error)
{
	/* For throws and walks through the C code between programs. Refused inside a reader section. */
	enum jf_status status = jf_cfi_load_objects(NULL);

	if (status != JF_OK)
		return load_error(error, status);
	pthread_once(&entry_once, register_entries);
	/* For a caller that goes on by jf_loaded_entry(). A stack without bounds is no reason to refuse. */
	if (entry_status == JF_OK && jf_thread_init() == JF_E_NO_MEMORY)
		return load_error(error, JF_E_NO_MEMORY);
	return entry_status == JF_OK ? JF_OK : load_error(error, entry_status);
}

/* What cannot run here. */
static enum jf_status check_host(const struct jf_convention *conv, const struct jf_compile_opts *opts,
				 struct jf_error *error)
{
	if (opts->private_stack && !jf_convention_supports(conv, JF_CAP_USER_BASE))
		return jf_error_set(error, JF_E_UNSUPPORTED, "private_stack", "%s/%s adds the kernel's per-CPU base",
				    conv->backend->name, conv->name);
	if (!conv->backend->native || !jf_convention_supports(conv, JF_CAP_RUN))
		return jf_error_set(error, JF_E_UNSUPPORTED, conv->name, "%s/%s does not run on this host",
				    conv->backend->name, conv->name);
	return JF_OK;
}

enum jf_status jf_load(const struct jf_convention *conv, const struct jf_program *in,
		       const struct jf_compile_opts *in_opts, void *owner, struct jf_loaded **out,
		       struct jf_error *error)
{
	struct jf_compile_opts opts;
	struct jf_program program;
	struct jf_loaded *loaded;
	enum jf_status status;

	if (!conv || !in || !out)
		return load_error(error, JF_E_INVAL);
	status = jf_compiler_read(in, in_opts, &program, &opts, error);
	if (status == JF_OK)
		status = check_host(conv, &opts, error);
	if (status == JF_OK)
		status = prepare_process(error);
	if (status != JF_OK)
		return status;
	loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return load_error(error, JF_E_NO_MEMORY);
	loaded->native = conv->backend->native;
	status = opts.private_stack ? compile_with_private_stack(loaded, conv, &program, &opts, error) :
				      compile(loaded, conv, &program, &opts, error);
	if (status == JF_OK)
		status = add_ranges(loaded, owner, error);
	if (status != JF_OK) {
		jf_unload(loaded);
		return status;
	}
	*out = loaded;
	return JF_OK;
}

void jf_unload(struct jf_loaded *loaded)
{
	if (!loaded)
		return;
	/* From within a reader section: the code has to stay, for it is still in the map. */
	if (loaded->ranges && jf_code_map_remove_all(loaded->ranges, loaded->image->function_count) != JF_OK)
		return;
	if (loaded->private_bytes)
		jf_private_stack_give(loaded->private_off, loaded->private_bytes);
	exec_memory_unmap(&loaded->code);
	free(loaded->ranges);
	jf_image_free(loaded->image);
	free(loaded);
}

const struct jf_image *jf_loaded_image(const struct jf_loaded *loaded)
{
	return loaded ? loaded->image : NULL;
}

uint64_t jf_loaded_entry(const struct jf_loaded *loaded)
{
	return loaded ? loaded->image->address + loaded->image->functions[0].start : 0;
}

/* returns: whether this thread has what the program needs. */
static bool prepare_thread(const struct jf_loaded *loaded)
{
	if (!jf_thread_own && jf_thread_init() == JF_E_NO_MEMORY && loaded->private_bytes)
		return false;
	jf_private_stack_clear_guards(loaded);
	return true;
}

uint64_t jf_run(const struct jf_loaded *loaded, uint64_t arg)
{
	if (!loaded || !prepare_thread(loaded))
		return 0;
	return loaded->native->enter(jf_loaded_entry(loaded), arg, 0);
}

uint64_t jf_run_checked(const struct jf_loaded *loaded, uint64_t arg, const struct jf_regs *in, struct jf_regs *out)
{
	if (!loaded || !in || !out || !prepare_thread(loaded))
		return 0;
	return loaded->native->enter_checked(jf_loaded_entry(loaded), arg, 0, in, out);
}
