/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_MACHINE_H
#define JF_TOOLS_MACHINE_H

#include <stddef.h>

#include <jitframe/backend.h>

/* An e_machine of ELF. */

/* returns: NULL when no backend is for it. */
const struct jf_backend *machine_backend(unsigned int machine);

#define MACHINE_TEXT_MAX 64

/* Writes what <elf.h> calls it, and its number. returns: text. */
const char *machine_text(unsigned int machine, char *text, size_t capacity);

#endif
