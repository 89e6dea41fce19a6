/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/code_units.h"

/* The first unit of [from, to) that is taken (or free); `to` when there is none. */
static size_t find(const struct code_units *units, size_t from, size_t to, bool taken)
{
	while (from < to) {
		uint64_t word = units->words[from / 64];
		uint64_t left = (taken ? word : ~word) >> from % 64;

		if (left) {
			from += (size_t)__builtin_ctzll(left);
			return from < to ? from : to;
		}
		from += 64 - from % 64;
	}
	return to;
}

static bool is_taken(const struct code_units *units, size_t unit)
{
	return units->words[unit / 64] >> unit % 64 & 1;
}

static void set(struct code_units *units, size_t first, size_t count, bool taken)
{
	for (size_t end = first + count; first < end;) {
		size_t bit = first % 64, n = 64 - bit < end - first ? 64 - bit : end - first;
		uint64_t mask = (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << bit;

		if (taken)
			units->words[first / 64] |= mask;
		else
			units->words[first / 64] &= ~mask;
		first += n;
	}
}

/* Places that are too small, on the way to one that is not. */
struct passed {
	size_t first; /* where the first one begins */
	size_t count;
};

/* A search begins at the first place that was too small the last time, as long as there are not too many of them.
 * Places that are hardly good for anything do not count. */
#define PASSED_MAX 64
#define PLACE_MIN  3

/* The first place from `from` on. returns: how many units it has, at most `most`; 0: none. */
static size_t find_place(const struct code_units *units, size_t from, size_t least, size_t most, size_t *first,
			 struct passed *passed)
{
	while (from < units->count) {
		size_t start = find(units, from, units->count, false), end;

		end = units->count - start > most ? start + most : units->count;
		end = find(units, start, end, true);
		if (end - start >= least) {
			*first = start;
			return end - start;
		}
		if (end - start >= PLACE_MIN && !passed->count++)
			passed->first = start;
		from = end + 1;
	}
	return 0;
}

size_t code_units_take(struct code_units *units, size_t least, size_t most, size_t *first)
{
	struct passed passed = {.count = 0};
	size_t found;

	units->wanted = least;
	if (units->count - units->taken < least || (units->hopeless && least >= units->hopeless))
		return 0;
	found = find_place(units, units->next, least, most, first, &passed);
	if (!found && units->next) {
		passed.count = 0;
		found = find_place(units, 0, least, most, first, &passed);
	}
	if (!found) {
		units->hopeless = least;
		return 0;
	}
	set(units, *first, found, true);
	units->taken += found;
	units->next = passed.count && passed.count < PASSED_MAX ? passed.first : *first + found;
	return found;
}

void code_units_give(struct code_units *units, size_t first, size_t count)
{
	size_t start = first, end = first + count;
	size_t most = units->hopeless > units->wanted ? units->hopeless : units->wanted, reach = end + most;

	set(units, first, count, false);
	units->taken -= count;
	while (start && end - start < most && !is_taken(units, start - 1))
		start--;
	end = find(units, end, reach < units->count ? reach : units->count, true);
	if (units->hopeless && end - start >= units->hopeless)
		units->hopeless = 0;
	if (end - start >= units->wanted && start < units->next)
		units->next = start;
}
