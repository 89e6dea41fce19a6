/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/load.h"
#include "run/private_stack.h"
#include "walk/sanitizer.h"
#include "walk/thread.h"
#include "walk/walk.h"

#include <jitframe/walk.h>

const struct jf_image *jf_loaded_image(const struct jf_loaded *loaded)
{
	return loaded ? loaded->image : NULL;
}

uint64_t jf_loaded_entry(const struct jf_loaded *loaded)
{
	return loaded ? loaded->entry : 0;
}

bool jf_loaded_is_running_here(const struct jf_loaded *loaded)
{
	uint64_t start = loaded->image->address, end = start + loaded->image->size_bytes;
	bool found = false;
	const struct jf_walk_frame *frame;
	enum jf_status status;
	struct jf_walk walk;

	if (jf_thread_init() != JF_OK)
		return false;
	status = jf_walk_here(&walk, NULL);
	frame = jf_walk_at(&walk);
	/* A program is about to go, and with it all that a walk remembers. */
	walk_inside(&walk)->remembers = false;
	while (status == JF_OK && !found) {
		found = frame->pc > start && frame->pc <= end;
		status = jf_walk_step_past_entry(&walk);
	}
	jf_walk_end(&walk);
	return found;
}

/* returns: whether this thread has what the program needs. */
static bool prepare_thread(const struct jf_loaded *loaded)
{
	if (!jf_thread_own && jf_thread_init() == JF_E_NO_MEMORY && loaded->private_bytes)
		return false;
	jf_private_stack_clear_guards(loaded);
	return true;
}

/* A thread's first run, private stacks, calls that a sanitizer counts. */
static __attribute__((noinline)) uint64_t run_prepared(const struct jf_loaded *loaded, uint64_t arg)
{
	struct sanitizer_entry entry;
	uint64_t result;

	if (!prepare_thread(loaded))
		return 0;
	if (!sanitizer_counts_calls())
		return loaded->native->enter(loaded->entry, arg, 0);
	sanitizer_enter(&entry);
	result = loaded->native->enter(loaded->entry, arg, 0);
	sanitizer_leave(&entry);
	return result;
}

/* The call of `enter` is the last thing, so that compilers jump there: behind a throw each return is one that the
 * processor foresees wrongly. */
uint64_t jf_run(const struct jf_loaded *loaded, uint64_t arg)
{
	if (!loaded)
		return 0;
	if (!jf_thread_own || loaded->private_bytes || sanitizer_counts_calls())
		return run_prepared(loaded, arg);
	return loaded->native->enter(loaded->entry, arg, 0);
}

uint64_t jf_run_checked(const struct jf_loaded *loaded, uint64_t arg, const struct jf_regs *in, struct jf_regs *out)
{
	struct sanitizer_entry entry;
	uint64_t result;

	if (!loaded || !in || !out || !prepare_thread(loaded))
		return 0;
	if (!sanitizer_counts_calls())
		return loaded->native->enter_checked(jf_loaded_entry(loaded), arg, 0, in, out);
	sanitizer_enter(&entry);
	result = loaded->native->enter_checked(jf_loaded_entry(loaded), arg, 0, in, out);
	sanitizer_leave(&entry);
	return result;
}
