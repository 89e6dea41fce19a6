/* SPDX-License-Identifier: BSD-2-Clause */

/* A program of somebody who has the installed library, or has jitframe as a subproject. Asks for a frame, and walks its
 * own stack. The library has functions of the names below, which it keeps to itself. */

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

/* Through C code alone, to the bottom. */
static enum jf_status walk_here(void)
{
	struct jf_walk walk;
	enum jf_status status = jf_thread_init();

	if (status == JF_OK)
		status = jf_cfi_load_objects(NULL);
	if (status != JF_OK)
		return status;
	status = jf_walk_here(&walk, NULL);
	while (status == JF_OK)
		status = jf_walk_step_past_entry(&walk);
	jf_walk_end(&walk);
	return status;
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
	if (jf_backend_host() && walk_here() != JF_END) {
		printf("the walk ends with %s\n", jf_status_name(walk_here()));
		return 1;
	}
	printf("jitframe %s: %s\n", jf_version_text(), frame.size_bytes > 0 ? "a frame" : "none");
	return finding() + tokenize() == 2 ? 0 : 1;
}
