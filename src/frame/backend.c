/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"
#include "frame/convention.h"
#include "frame/registry.h"

#include <string.h>

#define REGISTERED_MAX 16

static const struct jf_backend *registered[REGISTERED_MAX];
static size_t registered_count;

const struct jf_backend *jf_backend_at(size_t index)
{
	size_t builtin_count = 0;

	while (jf_builtin_backends[builtin_count]) {
		if (builtin_count == index)
			return jf_builtin_backends[index];
		builtin_count++;
	}
	index -= builtin_count;
	return index < registered_count ? registered[index] : NULL;
}

static const struct jf_backend *find(const char *name, size_t length)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		if (strlen(backend->name) == length && !memcmp(backend->name, name, length))
			return backend;
	return NULL;
}

const struct jf_backend *jf_backend_find(const char *name)
{
	return name ? find(name, strlen(name)) : NULL;
}

const struct jf_backend *jf_backend_host(void)
{
	const struct jf_backend *backend;

	for (size_t i = 0; (backend = jf_backend_at(i)); i++)
		if (backend->native)
			return backend;
	return NULL;
}

enum jf_status jf_backend_register(const struct jf_backend *backend, struct jf_error *error)
{
	enum jf_status status;

	if (!backend || backend->size < sizeof(*backend) || !backend->name)
		return jf_error_set(error, JF_E_INVAL, "backend", "NULL, nameless or from an older header");
	status = jf_backend_check(backend, error);
	if (status != JF_OK)
		return status;
	if (jf_backend_find(backend->name))
		return jf_error_set(error, JF_E_OVERLAP, backend->name, "a backend of that name is there");
	if (registered_count == REGISTERED_MAX)
		return jf_error_set(error, JF_E_NOSPACE, backend->name, "more than %d backends", REGISTERED_MAX);
	registered[registered_count++] = backend;
	return JF_OK;
}

enum jf_status jf_convention_find(const char *target, const struct jf_convention **conv, struct jf_error *error)
{
	const char *slash = target ? strchr(target, '/') : NULL;
	const struct jf_backend *backend;

	if (!slash || !conv)
		return jf_error_set(error, JF_E_INVAL, target ? target : "", "not of the form ARCH/CONVENTION");
	backend = find(target, (size_t)(slash - target));
	if (!backend)
		return jf_error_set(error, JF_E_NOT_FOUND, target, "no architecture '%.*s'", (int)(slash - target),
				    target);
	for (unsigned int i = 0; i < backend->convention_count; i++) {
		if (!strcmp(backend->conventions[i]->name, slash + 1)) {
			*conv = backend->conventions[i];
			return JF_OK;
		}
	}
	return jf_error_set(error, JF_E_NOT_FOUND, target, "%s has no convention '%s'", backend->name, slash + 1);
}
