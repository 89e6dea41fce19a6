/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* Files that options name; "-" is standard output. */

bool cli_is_stdout(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

FILE *cli_create(const char *path)
{
	FILE *file = cli_is_stdout(path) ? stdout : fopen(path, "w");

	if (!file)
		cli_failed("%s: %s", path, strerror(errno));
	return file;
}

int cli_close(FILE *file, const char *path)
{
	bool failed = ferror(file) != 0;

	/* Whether standard output arrives is seen at the end of the process. */
	if (file == stdout)
		return 0;
	if (fclose(file) != 0 || failed)
		return cli_failed("%s: %s", path, strerror(errno));
	return 0;
}
