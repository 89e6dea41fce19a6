/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_TOY_H
#define JF_TESTS_TOY_H

#include <jitframe/jitframe.h>

/*
 * An architecture that does not exist, so that the core can be held to the descriptions and nothing else:
 * 16 integer registers whose hardware numbers are shuffled, big-endian memory, 2-byte big-endian
 * instructions, two registers that are not integers, and conventions with odd frames. It needs nothing
 * but the installed headers. toy_sim.h runs its code.
 *
 *     15..12  11..8  7..4   3..0
 *     LDI     a      imm8          a = imm8, sign-extended
 *     SHI     a      imm8          a = a << 8 | imm8
 *     ADI     a      imm8          a += imm8, sign-extended
 *     LD      a      b      c      a = 8 bytes at b + 8 * c
 *     ST      a      b      c      8 bytes at b + 8 * c = a
 *     ALU64   a      b      f      a = a f b, f = enum jf_alu
 *     ALU32   a      b      f      the same on the low 32 bits, zero-extended
 *     JS      k      imm8          pc = next + imm8 (bytes); k 1: only if the flag is set
 *     JL      k      t      0      pc = next + t, the same; with LDI and SHI: the long jump
 *     JA      k      t      0      k 0: pc = t    1: ra = next, pc = t    2: pc = ra
 *     CMP64   a      b      f      flag = a f b, f = enum jf_cond
 *     CMP32   a      b      f
 *     MEM     a      b      c      a = memory at b; c: 8 store, 4 sign-extend, 1:0 log2 of the bytes
 *     EXT     a      b      k      a = b, extended or swapped: enum toy_ext
 *     SPR     a      n      d      d 0: a = special register n    1: special register n = a
 *     0xffff                       landing pad
 */
enum {
	TOY_OP_LDI = 1,
	TOY_OP_SHI,
	TOY_OP_ADI,
	TOY_OP_LD,
	TOY_OP_ST,
	TOY_OP_ALU64,
	TOY_OP_ALU32,
	TOY_OP_JS,
	TOY_OP_JL,
	TOY_OP_JA,
	TOY_OP_CMP64,
	TOY_OP_CMP32,
	TOY_OP_MEM,
	TOY_OP_EXT,
	TOY_OP_SPR,
};
#define TOY_LANDING_PAD 0xffff

enum toy_ext {
	TOY_EXT_S8,
	TOY_EXT_S16,
	TOY_EXT_S32,
	TOY_EXT_Z16,
	TOY_EXT_Z32,
	TOY_EXT_COPY,
	TOY_EXT_SWAP16,
	TOY_EXT_SWAP32,
	TOY_EXT_SWAP64,
};

/* Register ids. Their hardware numbers are toy_hw(). */
enum {
	TOY_V0, /* R0, the result */
	TOY_A1, /* R1..R5, the arguments */
	TOY_A2,
	TOY_A3,
	TOY_A4,
	TOY_A5,
	TOY_S0, /* R6..R9, callee-saved as all s */
	TOY_S1,
	TOY_S2,
	TOY_S3,
	TOY_S4, /* R10 */
	TOY_FP,
	TOY_SP,
	TOY_RA,
	TOY_T0,
	TOY_S5, /* arena base */
	TOY_F0, /* special register 0, callee-saved, 4 bytes */
	TOY_CW, /* special register 1, callee-saved, saved by no convention */
	TOY_REG__COUNT
};

static inline uint8_t toy_hw(unsigned int id)
{
	return (uint8_t)((id * 7 + 3) & 15);
}

#define TOY_SHORT_REACH 126 /* JS, either way */

extern const struct jf_backend toy_backend;
extern const struct jf_convention toy_adopt;   /* callbacks adopt; odd slot order, a group-2 area */
extern const struct jf_convention toy_restore; /* callbacks restore; C is called through stubs */
extern const struct jf_convention toy_plain;   /* no callbacks, no options */

/* One instruction; the operands are register ids where the table above says a, b or t. */
void toy_put(struct jf_code *code, unsigned int op, unsigned int a, unsigned int b, unsigned int c);
void toy_put_imm(struct jf_code *code, unsigned int op, unsigned int a, int imm8);
/* reg = value, always by eight instructions. */
void toy_put_const(struct jf_code *code, unsigned int reg, uint64_t value);

/* In toy_frame.c. */
void toy_emit_prologue(struct jf_code *code, const struct jf_frame *frame, const struct jf_values *values);
void toy_emit_epilogue(struct jf_code *code, const struct jf_frame *frame);
void toy_emit_tail_exit(struct jf_code *code, const struct jf_frame *frame, uint32_t entry_off);
void toy_emit_call_stub(struct jf_code *code, const struct jf_frame *frame, uint64_t target);
bool toy_call_stubs(const struct jf_convention *conv);

/* In toy_decode.c. */
enum jf_status toy_decode(const uint8_t *bytes, size_t count, struct jf_effect *effect);

/* The body hooks, in toy_body.c. Those that are missing the core has to refuse: atomic and others. */
enum jf_status toy_alu(struct jf_body *b, const struct jf_op *op);
enum jf_status toy_swap(struct jf_body *b, const struct jf_op *op);
enum jf_status toy_imm64(struct jf_body *b, const struct jf_op *op);
enum jf_status toy_load(struct jf_body *b, const struct jf_op *op);
enum jf_status toy_store(struct jf_body *b, const struct jf_op *op);
enum jf_status toy_jump(struct jf_body *b, const struct jf_op *op);
enum jf_status toy_jump_always(struct jf_body *b, const struct jf_op *op);
#define TOY_FAR 0x100
unsigned int toy_put_branch(uint8_t *at, uint32_t k, int64_t distance, unsigned int form);
enum jf_status toy_call(struct jf_body *b, const struct jf_op *op, const struct jf_call *call);
void toy_extend(struct jf_code *code, uint8_t dst, uint8_t src, struct jf_c_value value, uint8_t bytes);
enum jf_status toy_tail_call(struct jf_body *b, const struct jf_op *op, uint32_t entry_off);

#endif
