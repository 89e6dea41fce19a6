/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_LINK_H
#define JF_TOOLS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include <jitframe/status.h>

/* What the linked programs are for. */
enum link_use {
	LINK_TO_RUN, /* what they call and address has to be the runner's */
	/*
	 * To be compiled and looked at: any helper, kfunc and extern is there, a kfunc with the types that BTF
	 * declares, and what CO-RE asks of a kernel is as the object was compiled.
	 */
	LINK_TO_SEE,
};

/* More than any kernel has: helpers with a number from here on are refused for every use. */
#define LINK_HELPERS_MAX 1024

/*
 * Links one BPF object file (ELF, as clang writes it) into a bundle; see bundle.h.
 *
 * in:  object[0, size): the file's bytes, any alignment, from anybody. `program`: the one that has to
 *      link; what it does not need is left out where it cannot be linked (BUNDLE_FUNCTION_REFUSED).
 *      NULL: every program has to, but those whose section starts with '?'.
 * out: *bundle, 8-byte aligned, passes bundle_open(); owns: the caller, free(). On JF_OK only. That
 *      there is a program of that name is for bundle_find() to say.
 * returns: JF_E_BAD_IMAGE (not a BPF object, truncated, contradicts itself), JF_E_UNSUPPORTED (a
 *      helper, kfunc, relocation or kind of map that is not there), JF_E_NO_MEMORY. error->where is the
 *      section, map or function, error->text names offset or instruction.
 * threads: one at a time: libbpf's and libelf's settings are the process's.
 */
enum jf_status link_object(const void *object, size_t size, const char *program, enum link_use use, void **bundle,
			   size_t *bundle_size, struct jf_error *error) JF_CHECK;

/*
 * Puts a program of another bundle in the place of a function, as freplace does: whoever calls the function calls the
 * program, which runs in a frame of its own. The other bundle's tables are put behind those of the first.
 *
 * in:  bundle and other pass bundle_open(). out: *bundle is another one, the old one is freed; on JF_OK only.
 * returns: JF_E_NOT_FOUND (no such function, no such program), JF_E_UNSUPPORTED (a function with more than five
 *      arguments; both together are too large), JF_E_NO_MEMORY.
 */
enum jf_status link_replace(void **bundle, size_t *bundle_size, const char *function, const void *other,
			    size_t other_size, const char *program, struct jf_error *error) JF_CHECK;

/* The kernel's name of a helper, without "bpf_", or NULL. Static. */
const char *link_helper_name(uint32_t number);

#endif
