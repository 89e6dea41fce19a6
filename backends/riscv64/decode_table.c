/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/*
 * The instructions of 32 bits: The RISC-V Instruction Set Manual, Volume I, RV64IMAFDC with Zicsr and Zifencei, and the
 * extensions that compilers and Linux use where processors have them: Zba, Zbb, Zicond, Zacas, Zicfilp. Of vectors and
 * of privileged instructions, which nobody's frames depend on, it has the places alone: "v", "system". Compressed
 * instructions are expanded first (compressed.c).
 */

/* Masks: the major opcode, and how many bits of the other function fields: funct3, and funct7 with rs2 below it. */
#define M_OP    0x0000007f
#define M_F3    0x0000707f
#define M_F3_5  0xf800707f
#define M_F3_6  0xfc00707f
#define M_F3_7  0xfe00707f
#define M_F3_12 0xfff0707f
#define M_F7    0xfe00007f
#define M_F12   0xfff0007f
#define M_ALL   0xffffffff

/* clang-format off */
const struct jf_decode_row jf_riscv64_rows[] = {
	/* mask, value, name, format, kind, width */
	/* RV64I: loads */
	{M_F3, 0x00000003, "lb", F_LOAD, JF_STEP_LOAD, S8},
	{M_F3, 0x00001003, "lh", F_LOAD, JF_STEP_LOAD, S16},
	{M_F3, 0x00002003, "lw", F_LOAD, JF_STEP_LOAD, S32},
	{M_F3, 0x00003003, "ld", F_LOAD, JF_STEP_LOAD, U64},
	{M_F3, 0x00004003, "lbu", F_LOAD, JF_STEP_LOAD, U8},
	{M_F3, 0x00005003, "lhu", F_LOAD, JF_STEP_LOAD, U16},
	{M_F3, 0x00006003, "lwu", F_LOAD, JF_STEP_LOAD, U32},

	/* F, D: loads; V: the other widths */
	{M_F3, 0x00002007, "flw", F_FLOAD, JF_STEP_LOAD, U32},
	{M_F3, 0x00003007, "fld", F_FLOAD, JF_STEP_LOAD, U64},
	{M_F3, 0x00000007, "v", F_UNKNOWN, 0, 0},
	{M_F3, 0x00005007, "v", F_UNKNOWN, 0, 0},
	{M_F3, 0x00006007, "v", F_UNKNOWN, 0, 0},
	{M_F3, 0x00007007, "v", F_UNKNOWN, 0, 0},

	/* RV64I: fences; Zihintpause */
	{M_ALL, 0x0100000f, "pause", F_NOP, 0, 0},
	{M_ALL, 0x8330000f, "fence.tso", F_NOP, 0, 0},
	{0xf00fffff, 0x0000000f, "fence", F_NOP, 0, 0},
	{M_ALL, 0x0000100f, "fence.i", F_NOP, 0, 0},

	/* RV64I: arithmetic with constants; Zbb */
	{M_F3, 0x00000013, "addi", F_ALUI, JF_STEP_ADD, U64},
	{M_F3_12, 0x60001013, "clz", F_KILL_RD, 0, 0},
	{M_F3_12, 0x60101013, "ctz", F_KILL_RD, 0, 0},
	{M_F3_12, 0x60201013, "cpop", F_KILL_RD, 0, 0},
	{M_F3_12, 0x60401013, "sext.b", F_EXTEND, JF_STEP_EXTEND, S8},
	{M_F3_12, 0x60501013, "sext.h", F_EXTEND, JF_STEP_EXTEND, S16},
	{M_F3_6, 0x00001013, "slli", F_SHIFT, JF_STEP_SHL, U64},
	{M_F3, 0x00002013, "slti", F_LESS_IMM, JF_COND_SGE, U64},
	{M_F3, 0x00003013, "sltiu", F_LESS_IMM, JF_COND_GE, U64},
	{M_F3, 0x00004013, "xori", F_ALUI, JF_STEP_XOR, U64},
	{M_F3_12, 0x28705013, "orc.b", F_KILL_RD, 0, 0},
	{M_F3_12, 0x6b805013, "rev8", F_KILL_RD, 0, 0},
	{M_F3_6, 0x00005013, "srli", F_SHIFT, JF_STEP_SHR, U64},
	{M_F3_6, 0x40005013, "srai", F_SHIFT, JF_STEP_SAR, U64},
	{M_F3_6, 0x60005013, "rori", F_KILL_RD, 0, 0},
	{M_F3, 0x00006013, "ori", F_ALUI, JF_STEP_OR, U64},
	{M_F3, 0x00007013, "andi", F_ALUI, JF_STEP_AND, U64},

	/* RV64I: upper parts of constants and addresses; Zicfilp */
	{0x00000fff, 0x00000017, "lpad", F_LPAD, 0, 0},
	{M_OP, 0x00000017, "auipc", F_AUIPC, JF_STEP_ADDRESS, U64},

	/* RV64I: 32-bit arithmetic with constants; Zba, Zbb */
	{M_F3, 0x0000001b, "addiw", F_ALUI, JF_STEP_ADD, S32},
	{M_F3_12, 0x6000101b, "clzw", F_KILL_RD, 0, 0},
	{M_F3_12, 0x6010101b, "ctzw", F_KILL_RD, 0, 0},
	{M_F3_12, 0x6020101b, "cpopw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0000101b, "slliw", F_SHIFT, JF_STEP_SHL, S32},
	{M_F3_6, 0x0800101b, "slli.uw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0000501b, "srliw", F_SHIFT, JF_STEP_SHR, S32},
	{M_F3_7, 0x4000501b, "sraiw", F_SHIFT, JF_STEP_SAR, S32},
	{M_F3_7, 0x6000501b, "roriw", F_KILL_RD, 0, 0},

	/* RV64I: stores */
	{M_F3, 0x00000023, "sb", F_STORE, JF_STEP_STORE, U8},
	{M_F3, 0x00001023, "sh", F_STORE, JF_STEP_STORE, U16},
	{M_F3, 0x00002023, "sw", F_STORE, JF_STEP_STORE, U32},
	{M_F3, 0x00003023, "sd", F_STORE, JF_STEP_STORE, U64},

	/* F, D: stores; V: the other widths */
	{M_F3, 0x00002027, "fsw", F_FSTORE, JF_STEP_STORE, U32},
	{M_F3, 0x00003027, "fsd", F_FSTORE, JF_STEP_STORE, U64},
	{M_F3, 0x00000027, "v", F_UNKNOWN, 0, 0},
	{M_F3, 0x00005027, "v", F_UNKNOWN, 0, 0},
	{M_F3, 0x00006027, "v", F_UNKNOWN, 0, 0},
	{M_F3, 0x00007027, "v", F_UNKNOWN, 0, 0},

	/* A: atomic memory access, .w and .d; Zacas */
	{0xf9f0707f, 0x1000202f, "lr.w", F_LR, JF_STEP_LOAD, S32},
	{M_F3_5, 0x1800202f, "sc.w", F_SC, JF_STEP_STORE, S32},
	{M_F3_5, 0x0800202f, "amoswap.w", F_SWAP, JF_STEP_STORE, S32},
	{M_F3_5, 0x0000202f, "amoadd.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0x2000202f, "amoxor.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0x6000202f, "amoand.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0x4000202f, "amoor.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0x8000202f, "amomin.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0xa000202f, "amomax.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0xc000202f, "amominu.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0xe000202f, "amomaxu.w", F_AMO, JF_STEP_STORE, S32},
	{M_F3_5, 0x2800202f, "amocas.w", F_AMO, JF_STEP_STORE, S32},
	{0xf9f0707f, 0x1000302f, "lr.d", F_LR, JF_STEP_LOAD, U64},
	{M_F3_5, 0x1800302f, "sc.d", F_SC, JF_STEP_STORE, U64},
	{M_F3_5, 0x0800302f, "amoswap.d", F_SWAP, JF_STEP_STORE, U64},
	{M_F3_5, 0x0000302f, "amoadd.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0x2000302f, "amoxor.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0x6000302f, "amoand.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0x4000302f, "amoor.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0x8000302f, "amomin.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0xa000302f, "amomax.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0xc000302f, "amominu.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0xe000302f, "amomaxu.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0x2800302f, "amocas.d", F_AMO, JF_STEP_STORE, U64},
	{M_F3_5, 0x2800402f, "amocas.q", F_UNKNOWN, 0, 0},

	/* RV64I, M: arithmetic; Zba, Zbb, Zicond */
	{M_F3_7, 0x00000033, "add", F_ALU, JF_STEP_ADD, U64},
	{M_F3_7, 0x40000033, "sub", F_ALU, JF_STEP_SUB, U64},
	{M_F3_7, 0x00001033, "sll", F_ALU, JF_STEP_SHL, U64},
	{M_F3_7, 0x00004033, "xor", F_ALU, JF_STEP_XOR, U64},
	{M_F3_7, 0x00005033, "srl", F_ALU, JF_STEP_SHR, U64},
	{M_F3_7, 0x40005033, "sra", F_ALU, JF_STEP_SAR, U64},
	{M_F3_7, 0x00006033, "or", F_ALU, JF_STEP_OR, U64},
	{M_F3_7, 0x00007033, "and", F_ALU, JF_STEP_AND, U64},
	{M_F3_7, 0x00002033, "slt", F_LESS, JF_COND_SGE, U64},
	{M_F3_7, 0x00003033, "sltu", F_LESS, JF_COND_GE, U64},
	{M_F3_7, 0x02000033, "mul", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02001033, "mulh", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02002033, "mulhsu", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02003033, "mulhu", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02004033, "div", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02005033, "divu", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02006033, "rem", F_KILL_RD, 0, 0},
	{M_F3_7, 0x02007033, "remu", F_KILL_RD, 0, 0},
	{M_F3_7, 0x40007033, "andn", F_KILL_RD, 0, 0},
	{M_F3_7, 0x40006033, "orn", F_KILL_RD, 0, 0},
	{M_F3_7, 0x40004033, "xnor", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0a006033, "max", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0a007033, "maxu", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0a004033, "min", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0a005033, "minu", F_KILL_RD, 0, 0},
	{M_F3_7, 0x60001033, "rol", F_KILL_RD, 0, 0},
	{M_F3_7, 0x60005033, "ror", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0e005033, "czero.eqz", F_MASK, JF_COND_EQ, U64},
	{M_F3_7, 0x0e007033, "czero.nez", F_MASK, JF_COND_NE, U64},
	{M_F3_7, 0x20002033, "sh1add", F_SHADD, 1, U64},
	{M_F3_7, 0x20004033, "sh2add", F_SHADD, 2, U64},
	{M_F3_7, 0x20006033, "sh3add", F_SHADD, 3, U64},

	/* RV64I: upper parts of constants */
	{M_OP, 0x00000037, "lui", F_LUI, JF_STEP_MOVE, U64},

	/* RV64I, M: 32-bit arithmetic; Zba, Zbb */
	{M_F3_7, 0x0000003b, "addw", F_ALU, JF_STEP_ADD, S32},
	{M_F3_7, 0x4000003b, "subw", F_ALU, JF_STEP_SUB, S32},
	{M_F3_7, 0x0000103b, "sllw", F_ALU, JF_STEP_SHL, S32},
	{M_F3_7, 0x0000503b, "srlw", F_ALU, JF_STEP_SHR, S32},
	{M_F3_7, 0x4000503b, "sraw", F_ALU, JF_STEP_SAR, S32},
	{M_F3_12, 0x0800403b, "zext.h", F_EXTEND, JF_STEP_EXTEND, U16},
	{M_F3_7, 0x0200003b, "mulw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0200403b, "divw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0200503b, "divuw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0200603b, "remw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0200703b, "remuw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x0800003b, "add.uw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x2000203b, "sh1add.uw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x2000403b, "sh2add.uw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x2000603b, "sh3add.uw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x6000103b, "rolw", F_KILL_RD, 0, 0},
	{M_F3_7, 0x6000503b, "rorw", F_KILL_RD, 0, 0},

	/* F, D: fused multiplication and addition */
	{0x0600007f, 0x00000043, "fmadd.s", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x02000043, "fmadd.d", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x00000047, "fmsub.s", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x02000047, "fmsub.d", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x0000004b, "fnmsub.s", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x0200004b, "fnmsub.d", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x0000004f, "fnmadd.s", F_KILL_FD_RM, 0, 0},
	{0x0600007f, 0x0200004f, "fnmadd.d", F_KILL_FD_RM, 0, 0},

	/* F, D: arithmetic, comparisons, conversions, moves */
	{M_F7, 0x00000053, "fadd.s", F_KILL_FD_RM, 0, 0},
	{M_F7, 0x08000053, "fsub.s", F_KILL_FD_RM, 0, 0},
	{M_F7, 0x10000053, "fmul.s", F_KILL_FD_RM, 0, 0},
	{M_F7, 0x18000053, "fdiv.s", F_KILL_FD_RM, 0, 0},
	{M_F12, 0x58000053, "fsqrt.s", F_KILL_FD_RM, 0, 0},
	{M_F3_7, 0x20000053, "fsgnj.s", F_KILL_FD, 0, 0},
	{M_F3_7, 0x20001053, "fsgnjn.s", F_KILL_FD, 0, 0},
	{M_F3_7, 0x20002053, "fsgnjx.s", F_KILL_FD, 0, 0},
	{M_F3_7, 0x28000053, "fmin.s", F_KILL_FD, 0, 0},
	{M_F3_7, 0x28001053, "fmax.s", F_KILL_FD, 0, 0},
	{M_F3_7, 0xa0000053, "fle.s", F_KILL_RD, 0, 0},
	{M_F3_7, 0xa0001053, "flt.s", F_KILL_RD, 0, 0},
	{M_F3_7, 0xa0002053, "feq.s", F_KILL_RD, 0, 0},
	{M_F12, 0xc0000053, "fcvt.w.s", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd0000053, "fcvt.s.w", F_KILL_FD_RM, 0, 0},
	{M_F12, 0xc0100053, "fcvt.wu.s", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd0100053, "fcvt.s.wu", F_KILL_FD_RM, 0, 0},
	{M_F12, 0xc0200053, "fcvt.l.s", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd0200053, "fcvt.s.l", F_KILL_FD_RM, 0, 0},
	{M_F12, 0xc0300053, "fcvt.lu.s", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd0300053, "fcvt.s.lu", F_KILL_FD_RM, 0, 0},
	{M_F3_12, 0xe0000053, "fmv.x.w", F_RD_FS1, 0, S32},
	{M_F3_12, 0xe0001053, "fclass.s", F_KILL_RD, 0, 0},
	{M_F3_12, 0xf0000053, "fmv.w.x", F_KILL_FD, 0, 0},
	{M_F7, 0x02000053, "fadd.d", F_KILL_FD_RM, 0, 0},
	{M_F7, 0x0a000053, "fsub.d", F_KILL_FD_RM, 0, 0},
	{M_F7, 0x12000053, "fmul.d", F_KILL_FD_RM, 0, 0},
	{M_F7, 0x1a000053, "fdiv.d", F_KILL_FD_RM, 0, 0},
	{M_F12, 0x5a000053, "fsqrt.d", F_KILL_FD_RM, 0, 0},
	{M_F3_7, 0x22000053, "fsgnj.d", F_SGNJ, 0, 0},
	{M_F3_7, 0x22001053, "fsgnjn.d", F_KILL_FD, 0, 0},
	{M_F3_7, 0x22002053, "fsgnjx.d", F_KILL_FD, 0, 0},
	{M_F3_7, 0x2a000053, "fmin.d", F_KILL_FD, 0, 0},
	{M_F3_7, 0x2a001053, "fmax.d", F_KILL_FD, 0, 0},
	{M_F3_7, 0xa2000053, "fle.d", F_KILL_RD, 0, 0},
	{M_F3_7, 0xa2001053, "flt.d", F_KILL_RD, 0, 0},
	{M_F3_7, 0xa2002053, "feq.d", F_KILL_RD, 0, 0},
	{M_F12, 0xc2000053, "fcvt.w.d", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd2000053, "fcvt.d.w", F_KILL_FD_RM, 0, 0},
	{M_F12, 0xc2100053, "fcvt.wu.d", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd2100053, "fcvt.d.wu", F_KILL_FD_RM, 0, 0},
	{M_F12, 0xc2200053, "fcvt.l.d", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd2200053, "fcvt.d.l", F_KILL_FD_RM, 0, 0},
	{M_F12, 0xc2300053, "fcvt.lu.d", F_KILL_RD_RM, 0, 0},
	{M_F12, 0xd2300053, "fcvt.d.lu", F_KILL_FD_RM, 0, 0},
	{M_F3_12, 0xe2000053, "fmv.x.d", F_RD_FS1, 0, U64},
	{M_F3_12, 0xe2001053, "fclass.d", F_KILL_RD, 0, 0},
	{M_F3_12, 0xf2000053, "fmv.d.x", F_FD_RS1, 0, 0},
	{M_F12, 0x40100053, "fcvt.s.d", F_KILL_FD_RM, 0, 0},
	{M_F12, 0x42000053, "fcvt.d.s", F_KILL_FD_RM, 0, 0},

	/* V: arithmetic */
	{M_OP, 0x00000057, "v", F_UNKNOWN, 0, 0},

	/* RV64I: branches and jumps */
	{M_F3, 0x00000063, "beq", F_BRANCH, JF_COND_EQ, U64},
	{M_F3, 0x00001063, "bne", F_BRANCH, JF_COND_NE, U64},
	{M_F3, 0x00004063, "blt", F_BRANCH, JF_COND_SLT, U64},
	{M_F3, 0x00005063, "bge", F_BRANCH, JF_COND_SGE, U64},
	{M_F3, 0x00006063, "bltu", F_BRANCH, JF_COND_LT, U64},
	{M_F3, 0x00007063, "bgeu", F_BRANCH, JF_COND_GE, U64},
	{M_F3, 0x00000067, "jalr", F_JALR, 0, 0},
	{M_OP, 0x0000006f, "jal", F_JAL, 0, 0},

	/* RV64I: calls of the environment; Zicsr; the privileged ones, and what extensions put beside them */
	{M_ALL, 0x00000073, "ecall", F_SYSTEM, 0, 0},
	{M_ALL, 0x00100073, "ebreak", F_TRAP, 0, 0},
	{M_ALL, 0xc0001073, "unimp", F_TRAP, 0, 0},
	{M_F3, 0x00000073, "system", F_UNKNOWN, 0, 0},
	{M_F3, 0x00001073, "csrrw", F_KILL_RD, 0, 0},
	{M_F3, 0x00002073, "csrrs", F_KILL_RD, 0, 0},
	{M_F3, 0x00003073, "csrrc", F_KILL_RD, 0, 0},
	{M_F3, 0x00005073, "csrrwi", F_KILL_RD, 0, 0},
	{M_F3, 0x00006073, "csrrsi", F_KILL_RD, 0, 0},
	{M_F3, 0x00007073, "csrrci", F_KILL_RD, 0, 0},
	{M_F3, 0x00004073, "system", F_UNKNOWN, 0, 0},
};
/* clang-format on */

const unsigned int jf_riscv64_row_count = sizeof(jf_riscv64_rows) / sizeof(jf_riscv64_rows[0]);
