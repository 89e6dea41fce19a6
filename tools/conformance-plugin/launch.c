/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * conformance-plugin: one BPF program, in the protocol of the public bpf_conformance suite.
 *
 *     conformance-plugin [MEMORY] [--target ARCH/CONVENTION]
 *     conformance-plugin --batch [--target ARCH/CONVENTION]
 *
 * MEMORY and the program, which is one line on standard input, are bytes in hex apart by white space. R1 is
 * the memory's address or 0, R2 its length. Prints R0 in hex. The suite hands its --plugin_options over as
 * one argument, so arguments are taken apart at blanks.
 *
 * With --batch each line of standard input is MEMORY | PROGRAM, and runs in a process of its own; a line is printed for
 * each: R0 in hex, "refused", or "killed by signal N".
 *
 * This part only starts jf-conformance-ARCH, through an emulator where need be.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jitframe/backend.h>

#include "target.h"

/* returns: the architecture's name and what is behind it, or NULL. */
static const char *find_target(int argc, char **argv)
{
	const char *target = jf_backend_host() ? jf_backend_host()->name : NULL;

	for (int i = 1; i < argc; i++) {
		const char *option = strstr(argv[i], "--target");

		if (!option || !strchr(" =", option[8])) /* the end of the string is in every string */
			continue;
		option += 8;
		option += strspn(option, " =");
		target = *option ? option : argv[i + 1];
	}
	return target;
}

int main(int argc, char **argv)
{
	static struct target target;
	const char *words[24], *name = find_target(argc, argv);
	unsigned int count;
	char arch[32];

	if (!name || argc > 8) {
		fprintf(stderr, "usage: %s [MEMORY | --batch] [--target ARCH/CONVENTION] <PROGRAM\n", argv[0]);
		return 2;
	}
	snprintf(arch, sizeof(arch), "%.*s", (int)strcspn(name, "/ "), name);
	if (!jf_backend_find(arch)) {
		fprintf(stderr, "%s: there is no architecture %s\n", argv[0], arch);
		return 2;
	}
	if (!target_find(&target, arch, "jf-conformance", "tools/conformance-plugin"))
		return 2;
	count = target_words(&target, words, 16);
	for (int i = 1; i < argc; i++)
		words[count++] = argv[i];
	words[count] = NULL;
	execvp(words[0], (char **)(uintptr_t)words);
	fprintf(stderr, "%s: %s: %s\n", argv[0], words[0], strerror(errno));
	return 2;
}
