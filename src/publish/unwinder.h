/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_PUBLISH_UNWINDER_H
#define JF_PUBLISH_UNWINDER_H

#include <jitframe/status.h>
#include <jitframe/types.h>

/*
 * The unwinders of C++ exceptions in this process, as far as they take sections of .eh_frame at run time:
 *
 *     libgcc, GCC 12 and before   a list of objects, which a search goes through one by one: a table of sections is
 *                                 one object. Objects may lie over one another. What is registered last is
 *                                 searched too, whatever it covers.
 *     libgcc, GCC 13 and later    a tree of objects by address, which must not overlap. A lookup takes no lock.
 *     LLVM's libunwind            a list of FDEs
 *
 * Both may be there: a program with LLVM's C++ library has LLVM's unwinder, and glibc loads libgcc for pthread_exit().
 */
struct unwinders {
	/* libgcc's; NULL: it is not there. Sections and tables are read until they are removed. */
	void (*add_section)(const void *section, void *object);
	void (*add_table)(void *sections, void *object); /* an array of sections, ended by NULL */
	void *(*remove)(const void *section_or_table);
	bool is_list;
	/* LLVM's; NULL: it is not there. */
	void (*add_fde)(uintptr_t fde);
	void (*remove_fde)(uintptr_t fde);
};

/* Memory of the registrant's that libgcc keeps its struct object in: seven words at most, in all versions. */
struct unwinder_object {
	uintptr_t words[8];
};

/*
 * A library that the process has loaded, never loaded from here: what dlsym(3) looks in. returns: RTLD_DEFAULT, for
 * what the program itself has, when the library is not loaded.
 */
void *jf_unwinder_library(const char *name);
/* POSIX's way from an address of data to one of a function. returns: false when there is none of that name. */
bool jf_unwinder_function(void *library, const char *name, void *function);

/* Finds them, and loads libgcc_s.so.1 as glibc's backtrace() does. No lock of the map may be held. returns:
 * JF_E_UNSUPPORTED when there is none. */
enum jf_status jf_unwinders_find(struct unwinders *found, struct jf_error *error);

#endif
