/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUNCTION_H
#define FUNCTION_H

#include <jitframe/jitframe.h>
#include <stdio.h>

/* Functions that are made and run on this host, of one convention. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct function {
	struct jf_frame frame;
	struct jf_code code;
	struct jf_body body;
	struct jf_row rows[64];
	struct jf_range range;
};

extern const struct jf_convention *conv;
/* Functions that are made from now on have landing pads, on pages that check them, and sign return addresses: where the
 * convention can. */
extern bool is_hardened;

/* The host's `user` convention, and what walks and throws need. returns: also true where no native stubs are. */
bool find_convention(void);

/* A function in memory of its own, and its prologue. */
bool function_begin(struct function *f, const struct jf_frame_spec *plain);
/* Registers the function and makes it executable. returns: its address; 0: something failed. */
uint64_t function_end(struct function *f, const char *name, uint64_t callback);
void function_op(struct function *f, enum jf_alu code, uint8_t dst, uint8_t src);
void function_op_imm(struct function *f, enum jf_alu code, uint8_t dst, int32_t imm);
void function_call(struct function *f, uint64_t address);
/* At R10 + off. */
void function_store(struct function *f, uint8_t src, int16_t off);
void function_load(struct function *f, uint8_t dst, int16_t off);

/* f(x) = callee(x + add) + x, with x in R6, R7 and in the stack meanwhile. returns: as function_end(). */
uint64_t make_caller(struct function *f, const char *name, uint32_t role, uint32_t stack, int32_t add, uint64_t callee,
		     uint64_t callback);
/* Takes them out of the code map. */
void remove_all(struct function *functions, size_t count);

/* Calls it from C. */
uint64_t run(uint64_t address, uint64_t arg);
/* The same for jf_try(): to_call(*(uint64_t *)arg). */
extern uint64_t to_call;
uint64_t run_it(void *arg);

#endif
