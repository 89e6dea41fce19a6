/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_USAGE_H
#define JF_TOOLS_USAGE_H

#include <argp.h>
#include <stddef.h>

/* How the command line is read, and what a typing error is answered. */

/* argp_parse(), with the options that every subcommand has (--color). An unknown long option is answered with the known
 * one that is nearest. Ends the process on bad usage. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Goes over names. returns: name number i, NULL behind the last one. */
typedef const char *cli_name_at(const void *names, size_t i);
/* The name that `word` is most likely a mistake for, or NULL where none is near. */
const char *cli_nearest(const char *word, cli_name_at *name_at, const void *names);

#endif
