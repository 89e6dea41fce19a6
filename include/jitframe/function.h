/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_FUNCTION_H
#define JF_FUNCTION_H

#include <jitframe/backend.h>
#include <jitframe/codemap.h>

JF_BEGIN_DECLS

/*
 * Functions whose bodies are not made of BPF. jitframe puts down prologue, epilogues and exits, and the caller puts the
 * body in between; the rows are one list, from the first byte of the function to the last:
 *
 *     jf_code_init(&code, bytes, capacity, address, rows, row_capacity);
 *     jf_function_begin(&code, &frame, NULL);
 *         ... body ...
 *         jf_function_return(&code);              // as often as the function returns
 *         ... body ...
 *     jf_function_return(&code);
 *     status = jf_function_end(&code, &error);
 *     status = jf_range_from(&code, "f", callback, &range, &error);
 *
 * A body is made of jf_code_put(), of bytes that the caller writes and jf_code_wrote(), or of backends' instructions
 * (jf_body_init() of body.h). Behind the prologue the CFA is found by FP, so that a body may move SP (see
 * jf_function_restore_sp()), and may call. A body leaves FP and the save slots alone. One row holds for all of a body.
 *
 * The same calls without `bytes` tell sizes (jf_code_init()).
 *
 * All of this fails through the code: jf_function_end() is the check. threads: any; no shared state, allocates nothing.
 */

/* Begins a function and puts down the prologue. in: values may be NULL: all zero. owns: *frame must outlive the
 * emission and each range that is made of it. Fails the code with JF_E_INVAL for NULL, and as the prologue does. */
JF_API void jf_function_begin(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values);

/* An epilogue: the caller's registers, R0 to the ABI's return register, return. What is put down behind it belongs to
 * the body again. */
JF_API void jf_function_return(struct jf_code *code);

/*
 * A tail exit: the caller's registers, and a jump to `target` in place of the return. With spec.tail_calls, `target` is
 * the address of a main program of the same convention, and the jump goes to its tail-call entry; otherwise `target` is
 * the address of any function. Arguments go on in their registers, but for the register conv->backend->build->target,
 * through which the jump goes. Where the processor checks landing pads, the target begins with a pad that takes jumps,
 * as functions of spec.landing_pads do; a pad for calls alone is none. What is put down behind the jump belongs to the
 * body again.
 * Fails the code with JF_E_UNSUPPORTED in a callback, and for a backend that emits its frames itself.
 */
JF_API void jf_function_tail_jump(struct jf_code *code, uint64_t target);

/* SP back to where the prologue left it, by FP: in front of each exit of a function whose body has moved SP, as
 * alloca(3) does. Fails the code with JF_E_UNSUPPORTED for a backend that emits its frames itself. */
JF_API void jf_function_restore_sp(struct jf_code *code);

/*
 * Ends the function.
 * in:  error may be NULL. returns: JF_OK; JF_E_INVAL (NULL, or no function was begun); else the code's first failure:
 *      error->where is "code", and error->text names the byte.
 */
JF_API JF_CHECK enum jf_status jf_function_end(const struct jf_code *code, struct jf_error *error);

/*
 * Fills in a range with what the function's frame and code say, for jf_code_map_add(): kind by the frame's role, place,
 * rows, slots, and what a throw that lands there needs. `owner` and all other fields are 0.
 * in:  `code`: behind jf_function_end(), and before the next function is begun. name: of the function. callback: code
 *      address, for frames of role boundary; else 0. error may be NULL.
 * out: *range, on JF_OK only.
 * owns: name, the code's rows and its frame stay the caller's: see jf_code_map_add().
 * returns: JF_E_INVAL: error->where is what is wrong, error->text says what to do; the code's failure.
 */
JF_API JF_CHECK enum jf_status jf_range_from(const struct jf_code *code, const char *name, uint64_t callback,
					     struct jf_range *range, struct jf_error *error);

JF_END_DECLS

#endif
