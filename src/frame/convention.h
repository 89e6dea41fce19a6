/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_FRAME_CONVENTION_H
#define JF_FRAME_CONVENTION_H

#include <jitframe/check.h>

/* What contradicts itself in the data of one convention. */

/* Each is told once, whatever the number of frames and registers it is seen in. */
enum contradiction {
	BAD_LAYOUT, /* slots that overlap, or do not fill the frame */
	BAD_RECORD,
	BAD_SOLVE,
	BAD_SAVE,  /* changed and not saved */
	BAD_TWICE, /* saved twice */
	BAD_ALIGN,
	BAD_COUNT,     /* the tail-call count's slots */
	BAD_ADOPTION,  /* boundary and callback */
	BAD_LANDING,   /* what a callback takes off, seen from the SP it gets */
	BAD_OWN_STACK, /* a callback's BPF stack */
	BAD_CLEANUP,   /* slots for a throw whose pad runs */
	BAD_SPILL,     /* what an unwinder that calls pads does not find */
	CONTRADICTION__COUNT
};

struct contradictions {
	const struct jf_convention *conv;
	struct jf_finding *findings;
	size_t capacity;
	int count;
	uint32_t told; /* enum contradiction by bit */
};

void contradict(struct contradictions *all, unsigned int rule, const char *fmt, ...) JF_PRINTF(3, 4);
/* The same, but for what has been told. */
void contradict_once(struct contradictions *all, enum contradiction which, unsigned int rule, const char *fmt, ...)
	JF_PRINTF(4, 5);

/* The fields one by one (convention_fields.c). returns: whether frames can be solved at all. */
bool check_fields(struct contradictions *all);

/* Parts of jf_backend_check() (backend_check.c, backend_registers.c): JF_OK, or JF_E_BAD_DESC with "FIELD WHAT". */
enum jf_status bad_field(struct jf_error *error, const char *where, const char *field, const char *what);
enum jf_status check_backend_registers(const struct jf_backend *backend, struct jf_error *error);
enum jf_status check_backend_roles(const struct jf_backend *backend, struct jf_error *error);

/* What a register of a role cannot be: "no integer register" and so on; NULL when all is well. */
const char *role_fault(const struct jf_backend *backend, unsigned int reg);

/* The frames of every role and every combination of options (convention_frames.c). */
void check_all_frames(struct contradictions *all);

/* What the core asks for where it builds the frames (convention_build.c). */
void check_build(struct contradictions *all);

/* Whether a slot depends on one of these JF_WHEN_ bits. */
bool convention_asks(const struct jf_convention *conv, uint16_t when);

/* What a backend's ORC formats must hold (orc_format.c): JF_E_BAD_DESC, with a sentence. */
enum jf_status jf_orc_check(const struct jf_backend *backend, struct jf_error *error);

/* The first contradiction, in words: what jf_backend_check() refuses. R3 and R7 are the throw's affair. */
enum jf_status convention_check_first(const struct jf_convention *conv, struct jf_error *error);

#endif
