/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_IMAGE_H
#define JF_IMAGE_H

#include <jitframe/cleanup.h>
#include <jitframe/code.h>
#include <jitframe/fault.h>
#include <jitframe/frame.h>
#include <jitframe/row.h>
#include <jitframe/source.h>

JF_BEGIN_DECLS

/* One function of an image: bytes [start, start + size_bytes) of the image's code. owns: the image's. */
struct jf_image_function {
	uint32_t size; /* of this struct in the library that runs: fields at or behind this offset are not there */
	uint32_t start;
	uint32_t size_bytes;
	uint32_t row_count;
	const char *name;              /* the program's string; of stubs and the default callback a static string */
	const struct jf_row *rows;     /* code_off counts from `start` */
	const struct jf_fault *faults; /* sorted by start_off */
	const struct jf_frame *frame;  /* of a stub: without slots of a convention */
	const uint32_t *insn_off;      /* code offset of each BPF instruction, bytes from `start`; one more for the
					* epilogue; NULL for stubs. The second half of a 16-byte instruction
					* begins where the next instruction does */
	uint32_t fault_count;
	uint32_t insn_count;
	uint32_t marks[JF_MARK__COUNT];
	uint32_t private_stack_off; /* of this function's lower guard: bytes from values.private_stack */
	bool is_stub;               /* a call stub */
	uint32_t line_count;
	const struct jf_source_line *lines;     /* the program's */
	const struct jf_cleanup_code *cleanups; /* sorted by start_off, disjoint; NULL: there are none */
	uint32_t cleanup_count;
};

/* A compiled program. jf_compile() makes an image, jf_image_free() frees it. */
struct jf_image {
	uint32_t size;           /* as in struct jf_image_function */
	uint32_t function_count; /* the program's in their order, default callback, stubs: jf_image_function_at() */
	const struct jf_convention *conv;
	uint64_t address;  /* run-time address of the code */
	size_t size_bytes; /* of the code */
	int32_t callback;  /* index of the callback's function, or -1 */
	uint32_t fault_count;
	uint32_t private_stack_bytes; /* of all functions, guards included */
	uint32_t passes;              /* emissions of the whole program until nothing changed */
	bool uses_per_cpu;            /* has per-CPU address moves */
};

/* A function of an image, by index from 0. returns: NULL behind the last. owns: the image's, with all that it points
 * to. threads: any, async-signal-safe. */
JF_API const struct jf_image_function *jf_image_function_at(const struct jf_image *image, uint32_t index);

/* Frees an image; NULL: does nothing. */
JF_API void jf_image_free(struct jf_image *image);

JF_END_DECLS

#endif
