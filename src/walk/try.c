/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk/try.h"

#include "walk/sanitizer.h"

#include <jitframe/backend.h>
#include <jitframe/cfi.h>
#include <jitframe/codemap.h>
#include <jitframe/throw.h>
#include <pthread.h>

/* jf_try(): the stub of the host's backend, as a range of the code map in which throws land. */

atomic_bool jf_try_is_known;

static struct jf_range stub;

/* A throw needs the row of the stub, which .eh_frame has. */
static bool has_row(const struct jf_backend *backend, uint64_t pc)
{
	unsigned int section = jf_code_map_enter();
	struct jf_cfi_room room;
	const char *name;
	bool found = jf_cfi_find(backend, pc, &room, &name);

	jf_code_map_leave(section);
	return found;
}

static enum jf_status make_known(const struct jf_backend *backend)
{
	const struct jf_native *native = backend->native;
	enum jf_status status = jf_cfi_load_objects(NULL);

	if (status != JF_OK)
		return status;
	if (!has_row(backend, (uintptr_t)native->try_start))
		return JF_E_NO_ROW;
	stub = (struct jf_range){
		.size = sizeof(stub),
		.kind = JF_RANGE_TRY,
		.start = (uintptr_t)native->try_start,
		.end = (uintptr_t)native->try_end,
		.name = "try",
		.backend = backend,
		.callback = (uintptr_t)native->try_landing,
	};
	return jf_code_map_add(&stub, NULL);
}

static enum jf_status prepare(const struct jf_backend *backend)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	enum jf_status status = JF_OK;

	if (atomic_load_explicit(&jf_try_is_known, memory_order_acquire))
		return JF_OK;
	pthread_mutex_lock(&lock);
	if (!atomic_load(&jf_try_is_known))
		status = make_known(backend);
	if (status == JF_OK)
		atomic_store(&jf_try_is_known, true);
	pthread_mutex_unlock(&lock);
	return status;
}

enum jf_status jf_try(uint64_t (*fn)(void *arg), void *arg, uint64_t *result)
{
	const struct jf_backend *backend = jf_backend_host();
	struct sanitizer_entry entry;
	enum jf_status status;
	uint64_t value;

	if (!fn)
		return JF_E_INVAL;
	if (!backend || !backend->native->try_call)
		return JF_E_UNSUPPORTED;
	status = prepare(backend);
	if (status != JF_OK)
		return status;
	if (sanitizer_counts_calls())
		sanitizer_enter(&entry);
	status = backend->native->try_call(fn, arg, &value);
	if (sanitizer_counts_calls())
		sanitizer_leave(&entry);
	if (result)
		*result = value;
	return status;
}
