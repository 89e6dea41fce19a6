/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jitframe/backend.h>

struct search {
	struct target *target;
	const char *arch, *name, *folder;
};

static bool try_folder(struct search *s, const char *folder, size_t length, const char *below, const char *end)
{
	int size = snprintf(s->target->program, sizeof(s->target->program), "%.*s%s%s/%s-%s", (int)length, folder,
			    below, end, s->name, s->arch);

	return size > 0 && (size_t)size < sizeof(s->target->program) && access(s->target->program, X_OK) == 0;
}

static bool search_environment(struct search *s)
{
	const char *path = getenv("JITFRAME_RUNNER_PATH");

	while (path && *path) {
		size_t length = strcspn(path, ":");

		if (length > 0 &&
		    (try_folder(s, path, length, "", "") || try_folder(s, path, length, "/../../", s->folder)))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

/* In the build directories beside the one that this program is in: build/native, build/ARCH. */
static bool search_builds(struct search *s)
{
	char self[PATH_MAX], below[64];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	snprintf(below, sizeof(below), "/%s/", s->arch);
	while (length > 0) {
		while (length > 0 && self[--length] != '/')
			;
		if (length > 0 && (try_folder(s, self, (size_t)length, "/", s->folder) ||
				   try_folder(s, self, (size_t)length, below, s->folder)))
			return true;
	}
	return false;
}

/* QEMU and the C libraries of Debian and Ubuntu name architectures as LLVM does. */
static const char *qemu_name(const char *arch, int *length)
{
	const struct jf_backend *backend = jf_backend_find(arch);
	const char *name = backend ? backend->llvm_triple : arch;

	*length = (int)strcspn(name, "-");
	return name;
}

static void find_emulator(struct target *target, const char *arch)
{
	const struct jf_backend *host = jf_backend_host();
	char variable[64];
	const char *given, *name;
	int length;

	snprintf(variable, sizeof(variable), "JITFRAME_QEMU_%s", arch);
	for (char *c = variable; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	given = getenv(variable);
	name = qemu_name(arch, &length);
	if (given)
		snprintf(target->emulator, sizeof(target->emulator), "%s", given);
	else if (host && strcmp(host->name, arch) == 0)
		target->emulator[0] = '\0';
	else
		snprintf(target->emulator, sizeof(target->emulator), "qemu-%.*s -L /usr/%.*s-linux-gnu", length, name,
			 length, name);
}

bool target_find(struct target *target, const char *arch, const char *name, const char *folder)
{
	struct search s = {target, arch, name, folder};

	find_emulator(target, arch);
	if (search_environment(&s) || search_builds(&s))
		return true;
	fprintf(stderr, "there is no %s-%s in the builds around this one; JITFRAME_RUNNER_PATH can name its folder\n",
		name, arch);
	return false;
}

unsigned int target_words(struct target *target, const char **argv, unsigned int capacity)
{
	unsigned int argc = 0;

	for (char *word = strtok(target->emulator, " "); word && argc + 1 < capacity; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc++] = target->program;
	return argc;
}
