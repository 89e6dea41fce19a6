/* SPDX-License-Identifier: BSD-2-Clause */

/* Walks through functions with bodies of their own, whose rows are given or asked for. TAP. */

#include "function.h"
#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

static char trace[128];

static uint64_t walk_it(uint64_t arg)
{
	struct jf_walk walk;
	enum jf_status status = jf_walk_here(&walk, NULL);

	trace[0] = '\0';
	for (unsigned int i = 0; status == JF_OK && i < 32; i++) {
		const struct jf_walk_frame *frame = jf_walk_at(&walk);

		if (frame->range && strlen(trace) + strlen(frame->name) + 2 < sizeof(trace)) {
			strcat(trace, frame->name);
			strcat(trace, " ");
		}
		status = jf_walk_step(&walk);
	}
	if (status != JF_OK && status != JF_END)
		strcat(trace, jf_status_name(status));
	jf_walk_end(&walk);
	return arg;
}

static uint64_t walk_in_handler(uint64_t arg)
{
	return (uint64_t)raise(SIGUSR1) + arg;
}

static void on_signal(int signal)
{
	(void)signal;
	walk_it(0);
}

static bool walks_show_it(void)
{
	struct function f[2] = {{.code = {.size = 0}}};
	uint64_t middle = make_caller(&f[0], "middle", JF_ROLE_SUBPROGRAM, 0, 1, (uintptr_t)walk_it, 0);
	uint64_t outer = make_caller(&f[1], "outer", JF_ROLE_SUBPROGRAM, 128, 10, middle, 0);
	bool good = middle && outer && run(outer, 3) == 14 + 13 + 3 && !strncmp(trace, "middle outer ", 13);

	remove_all(f, COUNT(f));
	return good;
}

struct lazy {
	struct jf_range range;
	struct jf_lazy_rows rows;
	struct jf_range_rows answer;
	unsigned int asked;
	bool refuses;
};

static const struct jf_range_rows *ask(void *arg, const struct jf_range *range)
{
	struct lazy *lazy = arg;

	__atomic_add_fetch(&lazy->asked, 1, __ATOMIC_RELAXED);
	return lazy->refuses || range != &lazy->range ? NULL : &lazy->answer;
}

/* The same function, registered once more without its rows. */
static bool make_lazy(struct lazy *lazy, const struct function *f)
{
	if (jf_code_map_remove(&f->range) != JF_OK)
		return false;
	lazy->answer = (struct jf_range_rows){f->range.rows, f->range.row_count, f->range.slots, f->range.slot_count};
	lazy->rows = (struct jf_lazy_rows){ask, lazy, NULL};
	lazy->range = f->range;
	lazy->range.rows = NULL;
	lazy->range.row_count = 0;
	lazy->range.slots = NULL;
	lazy->range.slot_count = 0;
	lazy->range.lazy = &lazy->rows;
	return jf_code_map_add(&lazy->range, NULL) == JF_OK;
}

static bool rows_are_asked_for_once(void)
{
	struct function f = {0};
	struct lazy lazy = {.refuses = true};
	uint64_t arg = 6, value = 0;
	bool good;

	to_call = make_caller(&f, "lazy", JF_ROLE_SUBPROGRAM, 0, 1, (uintptr_t)walk_in_handler, 0);
	good = to_call && make_lazy(&lazy, &f) && !lazy.asked && signal(SIGUSR1, on_signal) != SIG_ERR;
	good = good && run(to_call, 5) == 11 && lazy.asked && !strcmp(trace, "JF_E_NO_ROW");
	lazy.refuses = false;
	lazy.asked = 0;
	for (unsigned int i = 0; i < 3; i++)
		good = good && run(to_call, 5) == 11 && lazy.asked == 1 && strstr(trace, "lazy ") &&
		       !strstr(trace, "JF_E");
	good = good && jf_try(run_it, &arg, &value) == JF_OK && value == 13 && strstr(trace, "lazy try");
	good &= jf_code_map_remove(&lazy.range) == JF_OK;
	return good;
}

/* ---- several threads ask at once ------------------------------------------------------------------------- */

#define THREADS 8

static struct jf_range_rows answers[THREADS];
static unsigned int answer_count;
static pthread_barrier_t all_are_there;

/* Each answer is another copy; nobody has an answer before everybody has asked. */
static const struct jf_range_rows *ask_together(void *arg, const struct jf_range *range)
{
	unsigned int n = __atomic_fetch_add(&answer_count, 1, __ATOMIC_RELAXED);

	(void)range;
	answers[n % THREADS] = *(const struct jf_range_rows *)arg;
	answers[n % THREADS].rows += n % THREADS;
	pthread_barrier_wait(&all_are_there);
	return &answers[n % THREADS];
}

static void *find_rows(void *range)
{
	static struct jf_range_rows found[THREADS];
	static unsigned int count;
	struct jf_range_rows *rows = &found[__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED)];

	return jf_range_find_rows(range, rows) == JF_OK ? (void *)rows : NULL;
}

static bool threads_that_ask_at_once_get_one_answer(void)
{
	static struct jf_row rows[THREADS];
	struct jf_range_rows good = {.row_count = 1};
	struct jf_lazy_rows lazy = {ask_together, &good, NULL};
	struct jf_range range = {.size = sizeof(range), .end = 1, .name = "lazy", .lazy = &lazy};
	const struct jf_range_rows *first = NULL;
	pthread_t threads[THREADS];
	bool same = true;

	range.backend = conv->backend;
	for (unsigned int i = 0; i < THREADS; i++)
		rows[i].cfa_reg = conv->backend->sp;
	good.rows = rows;
	if (pthread_barrier_init(&all_are_there, NULL, THREADS))
		return false;
	for (unsigned int i = 0; i < THREADS; i++)
		same &= !pthread_create(&threads[i], NULL, find_rows, &range);
	for (unsigned int i = 0; i < THREADS && same; i++) {
		void *found;

		pthread_join(threads[i], &found);
		first = first ? first : found;
		same &= found && ((struct jf_range_rows *)found)->rows == first->rows;
	}
	return same && answer_count == THREADS && lazy.known >= answers && lazy.known < answers + THREADS;
}

static const struct tap_test tests[] = {
	TEST(walks_show_it),
	TEST(rows_are_asked_for_once),
	TEST(threads_that_ask_at_once_get_one_answer),
};

int main(void)
{
	return find_convention() ? tap_run(tests, COUNT(tests)) : 1;
}
