/* SPDX-License-Identifier: BSD-2-Clause */
#include "usage.h"

#include <string.h>

#define LENGTH_MAX 32 /* of names; a longer one is near to nothing */

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int d = a < b ? a : b;

	return d < c ? d : c;
}

/*
 * How many letters differ: each one that is missing, too many, another one, or in its neighbour's place. A row of the
 * table is what a prefix of `a` differs from each prefix of `b`:
 *
 *     row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i] != b[j]))
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][LENGTH_MAX + 1];
	size_t length = strlen(b);

	if (length > LENGTH_MAX || strlen(a) > LENGTH_MAX)
		return LENGTH_MAX;
	for (unsigned int j = 0; j <= length; j++)
		rows[0][j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= length; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], row[j], second[j - 2] + 1);
		}
	}
	return rows[strlen(a) % 3][length];
}

const char *cli_nearest(const char *word, cli_name_at *name_at, const void *names)
{
	/* A third of the letters may be wrong. */
	unsigned int best = (unsigned int)(strlen(word) + 2) / 3 + 1;
	const char *nearest = NULL, *name;

	for (size_t i = 0; (name = name_at(names, i)); i++) {
		unsigned int differs = distance(word, name);

		if (differs < best) {
			best = differs;
			nearest = name;
		}
	}
	return nearest;
}
