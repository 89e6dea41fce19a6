/* SPDX-License-Identifier: BSD-2-Clause */

/* A program of somebody who has the installed library, or has jitframe as a subproject. Prints the frame that it asks
 * for. The library has functions of these names, which it keeps to itself. */

#include <jitframe/jitframe.h>
#include <stdio.h>

int finding(void);
int tokenize(void);

int finding(void)
{
	return 1;
}

int tokenize(void)
{
	return 1;
}

int main(void)
{
	struct jf_frame_spec spec = JF_FRAME_SPEC_INIT;
	const struct jf_backend *backend = jf_backend_at(0);
	struct jf_error error;
	struct jf_frame frame;

	spec.role = JF_ROLE_BOUNDARY;
	if (!backend || jf_frame_solve(backend->conventions[0], &spec, &frame, &error) != JF_OK)
		return 1;
	printf("jitframe %s: %s\n", jf_version_text(), frame.size_bytes > 0 ? "a frame" : "none");
	return finding() + tokenize() == 2 ? 0 : 1;
}
