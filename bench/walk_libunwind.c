/* SPDX-License-Identifier: BSD-2-Clause */

#include "measure.h"
#include "walk.h"

/*
 * nongnu's libunwind. It is opened, not linked: linked, its functions of libgcc's names would take the place of
 * libgcc's own. libunwind.h gives the names of the functions, which differ by architecture.
 */

#ifdef BENCH_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <string.h>
#include <ucontext.h>

#define TEXT(name)    #name
#define NAME_OF(name) TEXT(name)

static int (*get_context)(unw_context_t *);
static int (*init_local)(unw_cursor_t *, unw_context_t *);
static int (*step_once)(unw_cursor_t *);
static int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
static int (*backtrace_all)(void **, int);

static void *frames[WALK_FRAMES_MAX];

static unsigned int walk_backtrace(void)
{
	int count = backtrace_all(frames, WALK_FRAMES_MAX);

	return count > 0 ? (unsigned int)count : 0;
}

static unsigned int step_all(unw_cursor_t *cursor)
{
	unsigned int count = 0;

	do {
		unw_word_t pc;

		get_reg(cursor, UNW_REG_IP, &pc);
		frames[count++] = (void *)(uintptr_t)pc;
	} while (step_once(cursor) > 0 && count < WALK_FRAMES_MAX);
	return count;
}

static unsigned int walk_step(void)
{
	unw_cursor_t cursor;
	unw_context_t context;

	/* libc's does the same, and saves the signal mask by a system call. */
	if ((get_context ? get_context(&context) : getcontext((void *)&context)) || init_local(&cursor, &context))
		return 0;
	return step_all(&cursor);
}

static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found;
}

void walk_libunwind(walker *backtrace, walker *step)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

	*backtrace = *step = NULL;
	if (!library) {
		bench_missing("libunwind: %s", dlerror());
		return;
	}
	if (find(library, NAME_OF(unw_backtrace), &backtrace_all))
		*backtrace = walk_backtrace;
	/* No function where the header has instructions for it. */
	(void)find(library, NAME_OF(unw_tdep_getcontext), &get_context);
	if (find(library, NAME_OF(unw_init_local), &init_local) && find(library, NAME_OF(unw_step), &step_once) &&
	    find(library, NAME_OF(unw_get_reg), &get_reg))
		*step = walk_step;
}
#else
void walk_libunwind(walker *backtrace, walker *step)
{
	*backtrace = *step = (walker)0;
	bench_missing("libunwind: libunwind-dev");
}
#endif
