/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 1024

static struct name names[NAMES_MAX];
static unsigned int name_count;

unsigned long compared, different, chosen[2];

struct name *name_of(const char *text)
{
	unsigned int i = 0;

	while (i < name_count && strcmp(names[i].name, text) != 0)
		i++;
	if (i == NAMES_MAX)
		return NULL;
	if (i == name_count)
		names[name_count++].name = text;
	return &names[i];
}

bool read_options(int argc, char **argv, struct options *options)
{
	*options = (struct options){.count = 100000, .seed = 1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--names") == 0)
			options->list = true;
		else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
			options->count = strtoull(argv[++i], NULL, 0);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			options->seed = strtoull(argv[++i], NULL, 0);
		else
			return false;
	}
	return true;
}

int report(bool list)
{
	unsigned long illegal = 0, signals = 0;
	unsigned int seen = 0;

	for (unsigned int i = 0; i < name_count; i++) {
		const struct name *name = &names[i];

		seen += name->compared != 0;
		illegal += name->illegal;
		signals += name->signals;
		if (list)
			printf("%s compared=%lu signals=%lu illegal=%lu\n", name->name, name->compared, name->signals,
			       name->illegal);
	}
	printf("done words=%lu names=%u signals=%lu illegal=%lu first=%lu second=%lu\n", compared, seen, signals,
	       illegal, chosen[0], chosen[1]);
	return different != 0;
}
