/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/unwinder.h"

#include "cfi/cfi.h"

#include <dlfcn.h>
#include <string.h>

/* ---- which libgcc it is --------------------------------------------------------------------------------------- */

/* libgcc's own, of unwind-dw2-fde.h: not of interest here. */
struct eh_bases {
	void *text, *data, *function;
};

typedef const void *find_fde_fn(void *pc, struct eh_bases *bases);

/* Two functions that nobody calls, one inside of the other. */
#define PROBE_BYTES 128
#define INNER_OFF   64
#define INNER_BYTES 16

static const uint8_t probe_code[PROBE_BYTES];

static struct {
	_Alignas(8) uint8_t bytes[160];
	struct unwinder_object object;
} outer, inner;

static enum jf_status write_probe(const struct jf_backend *backend, uint8_t *bytes, size_t capacity, uint64_t start,
				  uint64_t end)
{
	const struct jf_row row = {.cfa_reg = backend->sp};
	struct jf_cfi_writer writer;
	enum jf_status status = jf_cfi_writer_init_far(&writer, backend, bytes, capacity);

	if (status == JF_OK)
		status = jf_cfi_write_rows(&writer, start, end, &row, 1, NULL, 0, NULL);
	return status == JF_OK ? jf_cfi_write_end(&writer) : status;
}

/*
 * No version can be asked for, so this asks for an address of the outer one alone, behind the inner one. A list that
 * has sorted both looks into the last one that begins before the address, which is the inner one, and no further. A
 * tree finds the first one that ends behind the address.
 */
static bool is_list(const struct unwinders *libgcc, find_fde_fn *find)
{
	uint64_t start = (uintptr_t)probe_code;
	const struct jf_backend *backend = jf_backend_host();
	void *behind = (uint8_t *)(uintptr_t)start + INNER_OFF + 2 * INNER_BYTES;
	struct eh_bases bases;
	bool is_found;

	if (write_probe(backend, outer.bytes, sizeof(outer.bytes), start, start + PROBE_BYTES) != JF_OK ||
	    write_probe(backend, inner.bytes, sizeof(inner.bytes), start + INNER_OFF,
			start + INNER_OFF + INNER_BYTES) != JF_OK)
		return false;
	libgcc->add_section(outer.bytes, &outer.object);
	libgcc->add_section(inner.bytes, &inner.object);
	find(behind, &bases); /* sorts */
	is_found = find(behind, &bases) != NULL;
	libgcc->remove(inner.bytes);
	libgcc->remove(outer.bytes);
	return !is_found;
}

/* ---- finding ------------------------------------------------------------------------------------------------ */

void *jf_unwinder_library(const char *name)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);

	return library ? library : RTLD_DEFAULT;
}

bool jf_unwinder_function(void *library, const char *name, void *function)
{
	void *address = dlsym(library, name);

	memcpy(function, &address, sizeof(address));
	return address != NULL;
}

static bool find_libgcc(struct unwinders *found)
{
	void *library = dlopen("libgcc_s.so.1", RTLD_NOW); /* never closed */
	struct unwinders libgcc = {.is_list = false};
	find_fde_fn *find;

	if (!library || !jf_unwinder_function(library, "__register_frame_info", &libgcc.add_section) ||
	    !jf_unwinder_function(library, "__register_frame_info_table", &libgcc.add_table) ||
	    !jf_unwinder_function(library, "__deregister_frame_info", &libgcc.remove) ||
	    !jf_unwinder_function(library, "_Unwind_Find_FDE", &find))
		return false;
	libgcc.is_list = is_list(&libgcc, find);
	*found = libgcc;
	return true;
}

static bool find_llvm(struct unwinders *found)
{
	void *library = jf_unwinder_library("libunwind.so.1");

	return jf_unwinder_function(library, "__unw_add_dynamic_fde", &found->add_fde) &&
	       jf_unwinder_function(library, "__unw_remove_dynamic_fde", &found->remove_fde);
}

enum jf_status jf_unwinders_find(struct unwinders *found, struct jf_error *error)
{
	struct unwinders all = {.is_list = false};
	bool any = find_libgcc(&all);

	any |= find_llvm(&all);
	if (!any)
		return jf_error_set(error, JF_E_UNSUPPORTED, "cfi",
				    "neither libgcc_s.so.1 nor LLVM's libunwind is to be found");
	*found = all;
	return JF_OK;
}
