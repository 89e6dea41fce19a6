/* SPDX-License-Identifier: BSD-2-Clause */
#include "each_convention.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jitframe/backend.h>

static int run_in_child(int (*run)(const struct jf_convention *conv, const void *arg), const struct jf_convention *conv,
			const void *arg)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(run(conv, arg));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

int each_convention(int (*run)(const struct jf_convention *conv, const void *arg), const void *arg)
{
	const struct jf_backend *host = jf_backend_host();
	unsigned int count = 0, failed = 0;

	for (unsigned int i = 0; host && i < host->convention_count; i++) {
		const struct jf_convention *conv = host->conventions[i];
		int status;

		if (!jf_convention_supports(conv, JF_CAP_RUN))
			continue;
		count++;
		status = run_in_child(run, conv, arg);
		if (status != 0) {
			fprintf(stderr, "%s/%s: wait status 0x%x\n", host->name, conv->name, (unsigned int)status);
			failed++;
		}
	}
	if (count == 0)
		fprintf(stderr, "no convention can run here\n");
	return count == 0 || failed != 0;
}
