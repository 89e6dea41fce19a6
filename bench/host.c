/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include "measure.h"

#include <stdio.h>

const struct jf_convention *host_convention(void)
{
	const struct jf_backend *host = jf_backend_host();
	const struct jf_convention *conv;
	struct jf_error error = {.text = ""};
	char target[64];

	if (!host)
		bench_fail("there is no backend for this host");
	snprintf(target, sizeof(target), "%s/user", host->name);
	if (jf_convention_find(target, &conv, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
	return conv;
}

static struct jf_loaded *load(const struct jf_program *program)
{
	struct jf_loaded *loaded;
	struct jf_error error;

	if (jf_load(host_convention(), program, NULL, NULL, &loaded, &error) != JF_OK)
		bench_fail("%s: %s", error.where, error.text);
	return loaded;
}

struct jf_loaded *host_load(const struct jf_function *functions, uint32_t count, bool callback, uintptr_t kfunc)
{
	const struct jf_import kfuncs[] = {{.name = "kfunc", .address = kfunc, .throws = callback}};

	return load(&(struct jf_program){
		.size = sizeof(struct jf_program),
		.functions = functions,
		.function_count = count,
		.callback = callback ? (int32_t)count - 1 : -1,
		.kfuncs = kfuncs,
		.kfunc_count = COUNT(kfuncs),
	});
}

struct jf_loaded *host_load_cleanups(const struct jf_function *functions, uint32_t count, uintptr_t kfunc,
				     const struct jf_cleanups *cleanups)
{
	const struct jf_import kfuncs[] = {
		{.name = "kfunc", .address = kfunc, .throws = true},
		{.name = "resume", .address = (uintptr_t)jf_throw_resume, .resumes = true},
	};

	return load(&(struct jf_program){
		.size = sizeof(struct jf_program),
		.functions = functions,
		.function_count = count,
		.callback = (int32_t)count - 1,
		.kfuncs = kfuncs,
		.kfunc_count = COUNT(kfuncs),
		.cleanups = cleanups,
	});
}
