/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "link.h"
#include "run.h"

/* --replace FUNCTION=OBJECT:PROGRAM, as freplace. */

/* The parts of one, cut up in a copy. */
struct replacement {
	char *copy;
	const char *function, *object, *program;
};

/* owns: r->copy, also on failure. */
static bool parse(const char *text, struct replacement *r)
{
	char *equals, *colon;

	r->copy = strdup(text);
	equals = r->copy ? strchr(r->copy, '=') : NULL;
	colon = equals ? strrchr(equals, ':') : NULL;
	if (!colon || equals == r->copy || colon == equals + 1 || !colon[1])
		return false;
	*equals = *colon = '\0';
	r->function = r->copy;
	r->object = equals + 1;
	r->program = colon + 1;
	return true;
}

bool run_replace_is_good(const char *text)
{
	struct replacement r;
	bool is_good = parse(text, &r);

	free(r.copy);
	return is_good;
}

static const char *function_name_at(const void *bundle, size_t i)
{
	const struct bundle *b = bundle;

	return i < b->count[BUNDLE_FUNCTIONS] ? b->strings + b->functions[i].name : NULL;
}

static int no_function(const char *object, const char *name, const void *bundle, size_t size)
{
	struct bundle opened;
	const char *nearest =
		bundle_open(&opened, bundle, size, NULL) == JF_OK ? cli_nearest(name, function_name_at, &opened) : NULL;

	return cli_bad_input("%s: --replace: there is no function %s%s%s", object, name,
			     nearest ? "; did you mean " : "", nearest ? nearest : "");
}

/* The program of the other object, linked. */
static int link_program(const struct replacement *r, void **bundle, size_t *size)
{
	struct jf_error error = {0};
	struct bundle opened;
	uint32_t index;
	int status = cli_link(r->object, r->program, bundle, size);

	if (status != 0)
		return status;
	if (bundle_open(&opened, *bundle, *size, &error) != JF_OK)
		return cli_error(r->object, NULL, &error);
	return cli_program(r->object, &opened, r->program, &index);
}

static int replace(const char *object, const struct replacement *r, void **bundle, size_t *size)
{
	struct jf_error error = {0};
	void *other = NULL;
	size_t other_size;
	int status = link_program(r, &other, &other_size);
	enum jf_status replaced = JF_OK;

	if (status == 0)
		replaced = link_replace(bundle, size, r->function, other, other_size, r->program, &error);
	free(other);
	if (replaced == JF_E_NOT_FOUND)
		return no_function(object, r->function, *bundle, *size);
	return replaced == JF_OK ? status : cli_error(object, "--replace", &error);
}

int run_replace(const struct run_job *job, void **bundle, size_t *size)
{
	int status = 0;

	for (unsigned int i = 0; status == 0 && i < job->replace_count; i++) {
		struct replacement r;

		status = parse(job->replaces[i], &r) ?
				 replace(job->object, &r, bundle, size) :
				 cli_bad_input("--replace %s: not FUNCTION=OBJECT:PROGRAM", job->replaces[i]);
		free(r.copy);
	}
	return status;
}
