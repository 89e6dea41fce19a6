/* SPDX-License-Identifier: BSD-2-Clause */
#include "checked.h"

#include <stdio.h>
#include <string.h>

/*
 * Which convention code is for, when nobody says: the one with a prologue that comes nearest to the code's own. Kernel
 * dumps name no architecture, and raw bytes name nothing.
 */

#define LOOKED_AT 3 /* functions */

struct likeness {
	uint32_t insns, differences; /* of prologues */
};

static struct likeness compare(const struct machine_code *code, const struct jf_convention *conv)
{
	struct likeness sum = {0, 0};

	for (size_t i = 0; i < code->count && i < LOOKED_AT; i++) {
		struct jf_check_input input = JF_CHECK_INPUT_INIT;
		struct jf_inferred inferred = {.size = sizeof(inferred)};

		input.conv = conv;
		input.bytes = code->functions[i].bytes;
		input.byte_count = code->functions[i].size;
		if (jf_check_infer(&input, JF_INFER_ANY_ROLE, &inferred) != JF_OK)
			return (struct likeness){1, 1};
		sum.insns += inferred.insns;
		sum.differences += inferred.differences;
	}
	return sum;
}

static bool is_nearer(struct likeness a, struct likeness b)
{
	return (uint64_t)a.differences * b.insns < (uint64_t)b.differences * a.insns;
}

/* Where two are as near: the kind that such files have, and this machine. */
static unsigned int preference(const struct machine_code *code, const struct jf_convention *conv)
{
	bool kernel = code->format == CODE_BPFTOOL || code->format == CODE_BPFTOOL_JSON;

	return 2 * (strcmp(conv->name, kernel ? "linux" : "user") == 0) + (conv->backend == jf_backend_host());
}

static const struct jf_convention *nearest(const struct machine_code *code)
{
	const struct jf_convention *best = NULL;
	const struct jf_backend *backend;
	struct likeness best_likeness = {0, 0};

	for (size_t i = 0; (backend = jf_backend_at(i)); i++) {
		for (unsigned int k = 0; k < backend->convention_count; k++) {
			const struct jf_convention *conv = backend->conventions[k];
			struct likeness likeness;

			if ((code->backend && code->backend != backend) || !backend->decode)
				continue;
			likeness = compare(code, conv);
			if (best &&
			    (is_nearer(best_likeness, likeness) ||
			     (!is_nearer(likeness, best_likeness) && preference(code, conv) <= preference(code, best))))
				continue;
			best = conv;
			best_likeness = likeness;
		}
	}
	/* Nothing is like it at all. */
	return best && 2 * best_likeness.differences <= best_likeness.insns ? best : NULL;
}

int check_choose_target(struct check_args *args, const struct machine_code *code)
{
	const struct jf_backend *backend = code->backend ? code->backend : jf_backend_host();
	char target[96];

	if (args->target)
		return cli_convention(args->target, &args->spec.conv);
	args->output.target_by_code = true;
	args->spec.conv = nearest(code);
	if (args->spec.conv)
		return 0;
	if (!backend)
		return cli_bad_input("%s: it is like no convention's code: --target says which it is for", code->path);
	args->output.target_by_code = false;
	snprintf(target, sizeof(target), "%s/user", backend->name);
	return cli_convention(target, &args->spec.conv);
}
