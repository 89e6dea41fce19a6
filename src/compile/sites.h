/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_COMPILE_SITES_H
#define JF_COMPILE_SITES_H

#include "bpf/unit.h"

#include <jitframe/body.h>
#include <jitframe/fault.h>

/* The core's side of struct jf_body: what the calls of body.h answer from. */
struct jf_body_state {
	struct jf_unit *unit;
	int64_t drift; /* how far code has moved at the present instruction since the pass before */
	bool first_pass;
	bool grown;        /* some branch grew in this pass */
	bool looked_ahead; /* some distance was to code not emitted yet in this pass */
	struct jf_faults *faults;
	struct jf_sites *sites; /* branches are noted here and get no distances yet; NULL: they get them */
};

/* An instruction whose code depends on where code lies. */
struct jf_site {
	uint32_t index;  /* BPF instruction */
	uint32_t off;    /* of its branch, from the start of the function */
	uint32_t target; /* of its branch: BPF instruction */
	uint32_t branch; /* as in jf_body_branch() */
	uint8_t kind;    /* the same */
	uint8_t bytes;   /* of its branch, as put down; 0: it has none */
	uint8_t extra;   /* bytes that its branch has grown since */
	bool is_placed;  /* depends on its own place, too, or on another function's */
	bool is_ahead;   /* on a place not known when it was emitted */
};

/* The sites of all functions, in the order of the code. */
struct jf_sites {
	struct jf_site *list;
	uint32_t start; /* first one of the function being emitted */
	uint32_t count;
	uint32_t capacity;
	uint32_t *scratch; /* 3 * capacity + 1, for relax.c */
};

/* The site of the instruction being emitted. returns: NULL when there is no room. */
struct jf_site *jf_site_here(const struct jf_body *b);

/* Faults of all functions of an image, as they are found in one pass. */
struct jf_faults {
	struct jf_fault *list;
	uint32_t count;
	uint32_t capacity;
};

#endif
