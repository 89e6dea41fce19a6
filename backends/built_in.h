/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For native.S. LIBRARY_FUNCTION(jf_throw, jf_ARCH_throw): the backend's stub is the library's function of that name.
 * A backend outside of the library states its stubs as hooks alone (struct jf_native).
 */
/* clang-format off */
#ifdef JF_BUILT_IN
#define LIBRARY_FUNCTION(name, stub) .globl name; .type name, STT_FUNC; .set name, stub
#else
#define LIBRARY_FUNCTION(name, stub)
#endif
/* clang-format on */
