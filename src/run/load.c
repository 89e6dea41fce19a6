/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/load.h"

#include "base/memory.h"
#include "codemap/section.h"
#include "compile/compiler.h"
#include "compile/image.h"
#include "frame/range.h"
#include "run/code_probe.h"
#include "run/fault.h"
#include "run/handles.h"
#include "run/private_stack.h"
#include "walk/shadow_stack.h"
#include "walk/thread.h"

#include <jitframe/cfi.h>

#include <pthread.h>
#include <stdatomic.h>

/* ---- the stubs through which C enters BPF code: in the map from the first load on --------------- */

static struct jf_range entry_ranges[2];

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

static enum jf_status add_entries(void)
{
	const struct jf_backend *backend = jf_backend_host();
	const struct jf_native *native = backend->native;

	entry_ranges[0] = entry_range(backend, "enter", native->enter_start, native->enter_end);
	entry_ranges[1] = entry_range(backend, "enter_checked", native->checked_start, native->checked_end);
	return jf_code_map_add_all(entry_ranges, 2, NULL);
}

static enum jf_status register_entries(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static atomic_bool is_done;
	enum jf_status status = JF_OK;

	if (atomic_load_explicit(&is_done, memory_order_acquire))
		return JF_OK;
	pthread_mutex_lock(&lock);
	if (!atomic_load(&is_done))
		status = add_entries();
	if (status == JF_OK)
		atomic_store(&is_done, true);
	pthread_mutex_unlock(&lock);
	return status;
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

/* Pages of code with landing pads: the processor checks the pads where it can. */
static int pad_prot(const struct jf_convention *conv, const struct jf_compile_opts *opts)
{
	const struct jf_native *native = conv->backend->native;

	return opts->landing_pads && native->landing_pad_prot ? native->landing_pad_prot() : 0;
}

/* Room for what the program probably needs, up to the largest size that its code can have. */
static bool take_room(struct code_room *room, size_t least, size_t most, int more_prot, bool shared)
{
	return (shared && code_room_take_shared(room, least, most, more_prot)) ||
	       code_room_take_own(room, most, more_prot);
}

/* Typical sizes. What does not fit is compiled once more. */
static size_t guess_bytes(const struct jf_program *program)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < program->function_count; i++)
		bytes += 128 + 8 * (size_t)program->functions[i].insn_count;
	return bytes;
}

/* Compiles for a room, whose address the code may depend on, and writes the code there. */
static enum jf_status compile_for_room(struct jf_loaded *loaded, const struct jf_convention *conv,
				       const struct jf_program *program, const struct jf_compile_opts *opts,
				       uint8_t *scratch, size_t capacity, struct jf_error *error)
{
	struct code_room *code = &loaded->code;
	enum jf_status status = jf_compile(conv, program, opts, scratch, capacity < code->size ? capacity : code->size,
					   (uintptr_t)code->bytes, &loaded->image, error);

	if (status != JF_OK)
		return status;
	status = code_room_fill(code, scratch, loaded->image->size_bytes);
	return status == JF_OK ? JF_OK : load_error(error, status);
}

static void drop_code(struct jf_loaded *loaded)
{
	if (loaded->code.bytes)
		code_room_give(&loaded->code);
	jf_image_free(loaded->image);
	loaded->image = NULL;
}

/* How often regions may turn out not to be writable; then the program has pages of its own. */
#define SHARED_TRIES 4

/* Until there is a room with space for the code, which can be written to the end. */
static enum jf_status compile_until_it_fits(struct jf_loaded *loaded, const struct jf_convention *conv,
					    const struct jf_program *program, const struct jf_compile_opts *opts,
					    uint8_t *scratch, size_t bound, struct jf_error *error)
{
	size_t least = guess_bytes(program);
	unsigned int tries = code_probe(conv) ? SHARED_TRIES : 0;
	struct jf_error why = {.status = JF_OK};
	enum jf_status status;

	least = least < bound ? least : bound;
	for (;;) {
		if (!take_room(&loaded->code, least, bound, pad_prot(conv, opts), tries > 0))
			return load_error(error, JF_E_NO_MEMORY);
		status = compile_for_room(loaded, conv, program, opts, scratch, bound, &why);
		if (status == JF_E_NOSPACE && loaded->code.size < bound)
			least = bound;
		else if (status == JF_E_NOT_FOUND && tries)
			tries--;
		else
			break;
		drop_code(loaded);
	}
	if (status != JF_OK && error)
		*error = why;
	return status;
}

/* What the code needs and this process does not have. */
static enum jf_status check_image(const struct jf_image *image, const struct jf_compile_opts *opts,
				  struct jf_error *error)
{
	const struct jf_convention *conv = image->conv;

	if (image->uses_per_cpu && !jf_convention_supports(conv, JF_CAP_USER_BASE))
		return jf_error_set(error, JF_E_UNSUPPORTED, "", "per-CPU addresses of %s/%s go by the kernel's base",
				    conv->backend->name, conv->name);
	if (image->callback >= 0 && jf_walk_shadow_stack())
		return jf_error_set(error, JF_E_UNSUPPORTED, "shadow stack",
				    "a throw would leave its frames there: start the process with %s",
				    jf_walk_shadow_stack());
	if (image->fault_count && !opts->handles_faults && !jf_fault_handler_is_there())
		return jf_error_set(error, JF_E_NO_HANDLER, "arena", "%s", jf_status_text(JF_E_NO_HANDLER));
	return JF_OK;
}

static enum jf_status compile(struct jf_loaded *loaded, const struct jf_convention *conv,
			      const struct jf_program *program, const struct jf_compile_opts *opts,
			      struct jf_error *error)
{
	size_t bound = jf_compile_bound(conv, program);
	uint8_t *scratch = jf_alloc(bound);
	enum jf_status status;

	if (!scratch)
		return load_error(error, JF_E_NO_MEMORY);
	loaded->hardening = opts->landing_pads | (uint32_t)opts->sign_return << 1;
	status = compile_until_it_fits(loaded, conv, program, opts, scratch, bound, error);
	jf_free(scratch);
	if (status == JF_OK)
		status = check_image(loaded->image, opts, error);
	return status;
}

static void give_private_stack(const struct jf_loaded *loaded)
{
	if (loaded->private_bytes)
		jf_private_stack_give(loaded->private_off, loaded->private_bytes);
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
	return function->is_stub ? JF_RANGE_STUB : (uint8_t)jf_range_kind_of(function->frame->spec.role);
}

static void make_ranges(struct jf_loaded *loaded, void *owner)
{
	const struct jf_image *image = loaded->image;
	/* An index of -1 is behind the last function. */
	const struct jf_image_function *callback = jf_image_function_at(image, (uint32_t)image->callback);

	for (uint32_t i = 0; i < image->function_count; i++) {
		const struct jf_image_function *f = jf_image_function_at(image, i);

		loaded->ranges[i] = (struct jf_range){
			.size = sizeof(loaded->ranges[i]),
			.kind = range_kind(f),
			.start = image->address + f->start,
			.end = image->address + f->start + f->size_bytes,
			.name = f->name,
			.backend = image->conv->backend,
			.rows = f->rows,
			.row_count = f->row_count,
			.slots = f->frame->slots,
			.slot_count = f->frame->slot_count,
			.faults = f->faults,
			.fault_count = f->fault_count,
			.fp_off_from_cfa = image->conv->fp_off_from_cfa,
			.landing_sp_off_from_cfa = f->frame->landing_sp_off_from_cfa,
			.owner = owner,
			.insn_off = f->insn_off,
			.insn_count = f->insn_count,
			.lines = f->lines,
			.line_count = f->line_count,
			.cleanups = f->cleanups,
			.cleanup_count = f->cleanup_count,
			/* Where no throw can come, frames are not ready for pads. */
			.cleanup_entry = f->frame->spec.cleanups ? image->conv->cleanup_entry : JF_CLEANUP_NONE,
			.cleanup_back = image->conv->cleanup_back,
		};
		if (callback)
			loaded->ranges[i].callback = image->address + callback->start;
	}
}

/* The program in one block, and known to everybody. On failure *made is as it was. */
static enum jf_status publish(struct jf_loaded *made, void *owner, struct jf_loaded **out, struct jf_error *error)
{
	size_t range_bytes = made->image->function_count * sizeof(struct jf_range);
	struct jf_loaded *loaded = jf_alloc(sizeof(*loaded) + range_bytes + jf_image_packed_bytes(made->image));
	enum jf_status status;

	if (!loaded)
		return load_error(error, JF_E_NO_MEMORY);
	*loaded = *made;
	loaded->ranges = (struct jf_range *)(loaded + 1);
	loaded->image = jf_image_pack(made->image, (uint8_t *)loaded->ranges + range_bytes);
	loaded->entry = loaded->image->address + jf_image_function_at(loaded->image, 0)->start;
	make_ranges(loaded, owner);
	status = jf_handles_add(loaded) ? JF_OK : JF_E_NO_MEMORY;
	if (status == JF_OK) {
		status = jf_code_map_add_all(loaded->ranges, loaded->image->function_count, NULL);
		if (status != JF_OK && jf_handles_take(loaded))
			jf_handles_forget();
	}
	if (status != JF_OK) {
		jf_free(loaded);
		return load_error(error, status);
	}
	jf_image_free(made->image);
	*out = loaded;
	return JF_OK;
}

/* What a load needs of its process, whatever the program is. */
static enum jf_status prepare_process(struct jf_error *error)
{
	/* For throws and walks through the C code between programs. Refused inside a reader section. */
	enum jf_status status = jf_cfi_load_objects(NULL);

	if (status != JF_OK)
		return load_error(error, status);
	status = register_entries();
	/* For a caller that goes on by jf_loaded_entry(). A stack without bounds is no reason to refuse. */
	if (status == JF_OK && jf_thread_init() == JF_E_NO_MEMORY)
		status = JF_E_NO_MEMORY;
	return status == JF_OK ? JF_OK : load_error(error, status);
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
	struct jf_loaded made = {.native = NULL};
	struct jf_compile_opts opts;
	struct jf_program program;
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
	made.native = conv->backend->native;
	status = opts.private_stack ? compile_with_private_stack(&made, conv, &program, &opts, error) :
				      compile(&made, conv, &program, &opts, error);
	if (status == JF_OK)
		status = publish(&made, owner, out, error);
	if (status != JF_OK) {
		give_private_stack(&made);
		drop_code(&made);
	}
	return status;
}

enum jf_status jf_unload(struct jf_loaded *loaded)
{
	enum jf_status status;

	if (!loaded)
		return JF_OK;
	if (jf_code_map_in_section())
		return JF_E_IN_SECTION;
	if (!jf_handles_take(loaded))
		return JF_E_NOT_FOUND;
	status = jf_loaded_is_running_here(loaded) ?
			 JF_E_BUSY :
			 jf_code_map_remove_all(loaded->ranges, loaded->image->function_count);
	if (status != JF_OK) {
		jf_handles_put_back(loaded);
		return status;
	}
	give_private_stack(loaded);
	/* The removal has waited for readers; that nobody is in the code is the caller's promise. */
	code_room_give(&loaded->code);
	jf_free(loaded);
	jf_handles_forget();
	return JF_OK;
}
