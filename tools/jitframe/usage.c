/* SPDX-License-Identifier: BSD-2-Clause */
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "color.h"

#define NAMES_MAX    64 /* long options of one subcommand */
#define CHILDREN_MAX 4  /* parsers that a subcommand is made of */

/* ---- what every subcommand has ------------------------------------------------------------------ */

enum { KEY_COLOR = 0x400 };

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	if (key != KEY_COLOR)
		return ARGP_ERR_UNKNOWN;
	if (!color_when(arg))
		argp_error(state, "--color %s: not one of auto, always, never", arg);
	return 0;
}

static const struct argp_option common_options[] = {
	{"color", KEY_COLOR, "WHEN", 0,
	 "colours: auto (default: on a terminal, unless NO_COLOR is set), always or never", -1},
	{0},
};
static const struct argp common = {.options = common_options, .parser = parse_common};

/* ---- typing errors of long options -------------------------------------------------------------- */

struct names {
	const struct argp_option *known[NAMES_MAX];
	size_t count;
};

/* argp's own. */
static const struct argp_option own_options[] = {
	{.name = "help"},
	{.name = "usage"},
};

static void add_options(struct names *names, const struct argp *argp)
{
	for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++)
		if (o->name && names->count < NAMES_MAX)
			names->known[names->count++] = o;
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		add_options(names, child->argp);
}

static const char *name_at(const void *names, size_t i)
{
	return i < ((const struct names *)names)->count ? ((const struct names *)names)->known[i]->name : NULL;
}

/* The option that `word` names, or abbreviates. */
static const struct argp_option *find_option(const struct names *names, const char *word)
{
	for (size_t i = 0; i < names->count; i++)
		if (strncmp(names->known[i]->name, word, strlen(word)) == 0)
			return names->known[i];
	return NULL;
}

/* Ends the process at the first long option that is none and is like one. */
static void check_options(const struct argp *argp, int argc, char **argv)
{
	struct names names = {.known = {&own_options[0], &own_options[1]}, .count = 2};

	add_options(&names, argp);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const struct argp_option *option;
		const char *nearest;
		char word[64];

		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
		option = find_option(&names, word);
		if (option) {
			i += option->arg && !(option->flags & OPTION_ARG_OPTIONAL) && !strchr(argv[i], '=');
			continue;
		}
		nearest = cli_nearest(word, name_at, &names);
		if (!nearest)
			continue;
		fprintf(stderr, "%s: unrecognized option '--%s'; did you mean --%s?\n", argv[0], word, nearest);
		argp_help(argp, stderr, ARGP_HELP_SEE, argv[0]);
		exit(CLI_BAD_INPUT);
	}
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	struct argp_child children[CHILDREN_MAX + 2] = {{0}};
	struct argp whole = *argp;
	unsigned int count = 0;
	error_t status;

	/* The subcommand's own come first: their inputs go by number. */
	for (; argp->children && argp->children[count].argp && count < CHILDREN_MAX; count++)
		children[count] = argp->children[count];
	children[count] = (struct argp_child){&common, 0, NULL, 0};
	whole.children = children;
	check_options(&whole, argc, argv);
	status = argp_parse(&whole, argc, argv, 0, NULL, input);
	if (status != 0)
		exit(cli_failed("%s", strerror(status)));
}
