/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_TOY_WORDS_H
#define JF_TESTS_TOY_WORDS_H

#include "toy.h"

/* Instructions of the toy as constants, for tables. */
#define HW(reg)          ((unsigned int)((reg)*7 + 3) & 15)
#define RRR(op, a, b, c) ((uint16_t)((op) << 12 | HW(a) << 8 | HW(b) << 4 | (c)))
#define RI(op, a, imm)   ((uint16_t)((op) << 12 | HW(a) << 8 | ((imm)&0xff)))
#define LDI(a, imm)      RI(TOY_OP_LDI, a, imm)
#define ADI(a, imm)      RI(TOY_OP_ADI, a, imm)
#define LD(a, b, word)   RRR(TOY_OP_LD, a, b, word)
#define ST(a, b, word)   RRR(TOY_OP_ST, a, b, word)
#define COPY(a, b)       RRR(TOY_OP_EXT, a, b, TOY_EXT_COPY)
#define ADD(a, b)        RRR(TOY_OP_ALU64, a, b, JF_ALU_ADD)
#define CALL(t)          ((uint16_t)(TOY_OP_JA << 12 | 1 << 8 | HW(t) << 4))
#define JUMP(t)          ((uint16_t)(TOY_OP_JA << 12 | HW(t) << 4))
#define JS(imm)          ((uint16_t)(TOY_OP_JS << 12 | ((imm)&0xff)))
#define BRANCH(imm)      ((uint16_t)(TOY_OP_JS << 12 | 1 << 8 | ((imm)&0xff)))
#define NOP              COPY(TOY_V0, TOY_V0)

#endif
