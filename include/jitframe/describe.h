/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_DESCRIBE_H
#define JF_DESCRIBE_H

#include <jitframe/codemap.h>

JF_BEGIN_DECLS

/* Names as the tools print and parse them: "boundary", for example; "?" for values outside of the enum. owns: static.
 * threads: any, async-signal-safe. */
JF_API const char *jf_role_name(enum jf_role role);
JF_API const char *jf_slot_kind_name(enum jf_slot_kind kind);
JF_API const char *jf_range_kind_name(enum jf_range_kind kind);
JF_API const char *jf_cap_name(uint32_t cap); /* one JF_CAP_ bit */
/* The role of a name. out: *role on JF_OK only. returns: JF_E_NOT_FOUND (no such role, or NULL). threads: any,
 * async-signal-safe. */
JF_API JF_CHECK enum jf_status jf_role_parse(const char *name, enum jf_role *role);

/*
 * Text into text[0, capacity), terminated when capacity > 0.
 * returns: the length that the whole text needs, without the terminator, as snprintf(3). threads: any, no shared state.
 */
/* "s0 of the caller", "tail-call count", "BPF stack, 64 bytes"; "" for a slot that the frame lacks. */
JF_API int jf_slot_text(const struct jf_frame *frame, unsigned int slot, char *text, size_t capacity);
/* "CFA=sp+80 ra@-8 fp@-16 s0@-24": a register, @, bytes from the CFA; slots as in struct jf_row. */
JF_API int jf_row_text(const struct jf_backend *backend, const struct jf_row *row, const struct jf_slot *slots,
		       unsigned int slot_count, char *text, size_t capacity);
/* The frame as a drawing, highest address first, one line per slot. */
JF_API int jf_frame_text(const struct jf_frame *frame, char *text, size_t capacity);

JF_END_DECLS

#endif
