/* SPDX-License-Identifier: BSD-2-Clause */
#include "beside.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "cxx.h"
#include "programs.h"

/* The unwinder's own: where the FDE of an address is. */
struct bases {
	void *text, *data, *function;
};
const void *_Unwind_Find_FDE(void *pc, struct bases *bases);

/* As many as there is time for: an emulator is slower. */
#define CHANGES 3000
#define MILLIS  300
#define KEPT    40

static atomic_bool is_over;

static void *throw_on(void *arg)
{
	uintptr_t missed = 0;

	(void)arg;
	do
		missed += cxx_catch(programs_run, 42) != 42;
	while (!is_over);
	return (void *)missed;
}

static void *look_up_on(void *arg)
{
	uintptr_t missed = 0;
	struct bases bases;

	do
		missed += !_Unwind_Find_FDE(arg, &bases);
	while (!is_over);
	return (void *)missed;
}

static int64_t millis(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool change_programs(const struct jf_convention *conv)
{
	struct jf_loaded *loaded[KEPT] = {NULL};
	int64_t end = millis() + MILLIS;
	bool good = true;

	for (int32_t i = 0; i < CHANGES && millis() < end; i++) {
		struct jf_loaded **place = &loaded[i * 7 % KEPT];

		good &= jf_unload(*place) == JF_OK && programs_load_small(conv, i, place) == JF_OK;
	}
	for (unsigned int i = 0; i < KEPT; i++)
		good &= jf_unload(loaded[i]) == JF_OK;
	return good;
}

bool throws_pass_while_others_load(const struct jf_convention *conv)
{
	static const char *const names[] = {"throws that did not pass", "look-ups that found nothing"};
	pthread_t threads[2];
	bool good;

	programs_leaf = cxx_throw;
	programs_between = cxx_between;
	is_over = false;
	if (pthread_create(&threads[0], NULL, throw_on, NULL) ||
	    pthread_create(&threads[1], NULL, look_up_on, (void *)(uintptr_t)(programs_address() + 1)))
		return false;
	good = change_programs(conv);
	is_over = true;
	for (unsigned int i = 0; i < 2; i++) {
		void *missed;

		pthread_join(threads[i], &missed);
		if (missed)
			printf("# %ju %s\n", (uintmax_t)(uintptr_t)missed, names[i]);
		good &= !missed;
	}
	return good;
}
