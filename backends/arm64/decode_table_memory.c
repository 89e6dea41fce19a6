/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

/*
 * The rows for loads and stores, and for floating point: Arm ARM, "A64 instruction set encoding", tables of
 * these names.
 */

#define READ  JF_STEP_LOAD
#define WRITE JF_STEP_STORE

/* Of one way to address memory: every width. s, l: what the names have behind "st" and "ld". */
/* clang-format off */
#define INTEGERS(mask, at, s, l, format)                                \
	{(mask), (at), "st" s "rb", format, WRITE, U8},                 \
	{(mask), (at) | 0x00400000, "ld" l "rb", format, READ, U8},     \
	{(mask), (at) | 0x00800000, "ld" l "rsb", format, READ, S8},    \
	{(mask), (at) | 0x00c00000, "ld" l "rsb", format, READ, S8W},   \
	{(mask), (at) | 0x40000000, "st" s "rh", format, WRITE, U16},   \
	{(mask), (at) | 0x40400000, "ld" l "rh", format, READ, U16},    \
	{(mask), (at) | 0x40800000, "ld" l "rsh", format, READ, S16},   \
	{(mask), (at) | 0x40c00000, "ld" l "rsh", format, READ, S16W},  \
	{(mask), (at) | 0x80000000, "st" s "r", format, WRITE, U32},    \
	{(mask), (at) | 0x80400000, "ld" l "r", format, READ, U32},     \
	{(mask), (at) | 0x80800000, "ld" l "rsw", format, READ, S32},   \
	{(mask), (at) | 0xc0000000, "st" s "r", format, WRITE, U64},    \
	{(mask), (at) | 0xc0400000, "ld" l "r", format, READ, U64}
#define FLOATS(mask, at, u, format)                                     \
	{(mask), (at) | 0x04000000, "st" u "r", format, WRITE, U8},     \
	{(mask), (at) | 0x04400000, "ld" u "r", format, READ, U8},      \
	{(mask), (at) | 0x04800000, "st" u "r", format, WRITE, U128},   \
	{(mask), (at) | 0x04c00000, "ld" u "r", format, READ, U128},    \
	{(mask), (at) | 0x44000000, "st" u "r", format, WRITE, U16},    \
	{(mask), (at) | 0x44400000, "ld" u "r", format, READ, U16},     \
	{(mask), (at) | 0x84000000, "st" u "r", format, WRITE, U32},    \
	{(mask), (at) | 0x84400000, "ld" u "r", format, READ, U32},     \
	{(mask), (at) | 0xc4000000, "st" u "r", format, WRITE, U64},    \
	{(mask), (at) | 0xc4400000, "ld" u "r", format, READ, U64}
/* clang-format on */
#define BOTH(mask, at, u, format) INTEGERS(mask, at, u, u, format), FLOATS(mask, at, u, format)

/* clang-format off */
#define PAIRS(at, stp, ldp, format)                                     \
	{0xffc00000, (at), stp, format, WRITE, U32},                    \
	{0xffc00000, (at) | 0x00400000, ldp, format, READ, U32},        \
	{0xffc00000, (at) | 0x80000000, stp, format, WRITE, U64},       \
	{0xffc00000, (at) | 0x80400000, ldp, format, READ, U64},        \
	{0xffc00000, (at) | 0x04000000, stp, format, WRITE, U32},       \
	{0xffc00000, (at) | 0x04400000, ldp, format, READ, U32},        \
	{0xffc00000, (at) | 0x44000000, stp, format, WRITE, U64},       \
	{0xffc00000, (at) | 0x44400000, ldp, format, READ, U64},        \
	{0xffc00000, (at) | 0x84000000, stp, format, WRITE, U128},      \
	{0xffc00000, (at) | 0x84400000, ldp, format, READ, U128}
/* clang-format on */

/* b, h and, of 4 and 8 bytes, nothing behind the name. */
/* clang-format off */
#define SIZES(mask, at, name, format, kind)                                  \
	{(mask) | 0xc0000000, (at), name "b", format, kind, U8},             \
	{(mask) | 0xc0000000, (at) | 0x40000000, name "h", format, kind, U16}, \
	{(mask) | 0xc0000000, (at) | 0x80000000, name, format, kind, U32},   \
	{(mask) | 0xc0000000, (at) | 0xc0000000, name, format, kind, U64}
#define PAIR_SIZES(at, name, format, kind)                                   \
	{0xffe08000, (at), name, format, kind, U32},                         \
	{0xffe08000, (at) | 0x40000000, name, format, kind, U64}
/* clang-format on */
/* Acquire and release, by bits. */
#define ORDERS(mask, at, acquire, release, name, format)                                              \
	SIZES(mask, at, name, format, WRITE), SIZES(mask, (at) | (acquire), name "a", format, WRITE), \
		SIZES(mask, (at) | (release), name "l", format, WRITE),                               \
		SIZES(mask, (at) | (acquire) | (release), name "al", format, WRITE)
#define ATOMIC(op, name, format) ORDERS(0x3fe0fc00, 0x38200000 | (op) << 12, 0x00800000, 0x00400000, name, format)
/* clang-format off */
#define CAS_PAIR(order, name)                                                \
	{0xffe0fc00, 0x08207c00 | (order), name, F_CAS_PAIR, WRITE, U32},    \
	{0xffe0fc00, 0x48207c00 | (order), name, F_CAS_PAIR, WRITE, U64}
/* clang-format on */

/* Vectors: the last column is how many registers there are. */
/* clang-format off */
#define STRUCTS(op, number, count)                                                        \
	{0xbffff000, 0x0c000000 | (op) << 12, "st" number, F_STRUCTS, WRITE, count},      \
	{0xbffff000, 0x0c400000 | (op) << 12, "ld" number, F_STRUCTS, READ, count},       \
	{0xbfe0f000, 0x0c800000 | (op) << 12, "st" number, F_STRUCTS, WRITE, count},      \
	{0xbfe0f000, 0x0cc00000 | (op) << 12, "ld" number, F_STRUCTS, READ, count}
#define STRUCT(op, r, st, ld, count)                                                      \
	{0xbfffe000, 0x0d000000 | (op) << 13 | (r) << 21, st, F_STRUCT, WRITE, count},    \
	{0xbfffe000, 0x0d400000 | (op) << 13 | (r) << 21, ld, F_STRUCT, READ, count},     \
	{0xbfe0e000, 0x0d800000 | (op) << 13 | (r) << 21, st, F_STRUCT, WRITE, count},    \
	{0xbfe0e000, 0x0dc00000 | (op) << 13 | (r) << 21, ld, F_STRUCT, READ, count}
/* clang-format on */
#define ELEMENTS(op, r, number, count)                                                                        \
	STRUCT(op, r, "st" number, "ld" number, count), STRUCT((op) + 2, r, "st" number, "ld" number, count), \
		STRUCT((op) + 4, r, "st" number, "ld" number, count)
/* clang-format off */
#define REPLICATE(op, r, name, count)                                                     \
	{0xbffff000, 0x0d400000 | (op) << 13 | (r) << 21, name, F_STRUCT, READ, count},   \
	{0xbfe0f000, 0x0dc00000 | (op) << 13 | (r) << 21, name, F_STRUCT, READ, count}
/* clang-format on */

/* clang-format off */
static const struct jf_decode_row memory_rows[] = {
	/* Load/store register pair */
	PAIRS(0x29000000, "stp", "ldp", F_PAIR),
	PAIRS(0x29800000, "stp", "ldp", F_PAIR_PRE),
	PAIRS(0x28800000, "stp", "ldp", F_PAIR_POST),
	PAIRS(0x28000000, "stnp", "ldnp", F_PAIR),
	{0xffc00000, 0x69400000, "ldpsw", F_PAIR, READ, S32},
	{0xffc00000, 0x69c00000, "ldpsw", F_PAIR_PRE, READ, S32},
	{0xffc00000, 0x68c00000, "ldpsw", F_PAIR_POST, READ, S32},
	/* Load/store register (unsigned immediate), (unscaled immediate), (pre-indexed) and so on; literals */
	BOTH(0xffc00000, 0x39000000, "", F_SCALED),
	BOTH(0xffe00c00, 0x38000000, "u", F_UNSCALED),
	BOTH(0xffe00c00, 0x38000c00, "", F_PRE),
	BOTH(0xffe00c00, 0x38000400, "", F_POST),
	INTEGERS(0xffe00c00, 0x38000800, "t", "t", F_UNSCALED),
	BOTH(0xffe00c00, 0x38200800, "", F_INDEXED),
	{0xff000000, 0x18000000, "ldr", F_LITERAL, READ, U32},
	{0xff000000, 0x58000000, "ldr", F_LITERAL, READ, U64},
	{0xff000000, 0x98000000, "ldrsw", F_LITERAL, READ, S32},
	{0xff000000, 0x1c000000, "ldr", F_LITERAL, READ, U32},
	{0xff000000, 0x5c000000, "ldr", F_LITERAL, READ, U64},
	{0xff000000, 0x9c000000, "ldr", F_LITERAL, READ, U128},
	{0xff000000, 0xd8000000, "prfm", F_NOP, 0, 0},
	{0xffc00000, 0xf9800000, "prfm", F_NOP, 0, 0},
	{0xffe00c00, 0xf8800000, "prfum", F_NOP, 0, 0},
	{0xffe04c00, 0xf8a04800, "prfm", F_NOP, 0, 0},
	/* Load/store exclusive and ordered */
	SIZES(0x3fe08000, 0x08000000, "stxr", F_EXCLUSIVE_STORE, WRITE),
	SIZES(0x3fe08000, 0x08008000, "stlxr", F_EXCLUSIVE_STORE, WRITE),
	SIZES(0x3ffffc00, 0x085f7c00, "ldxr", F_ORDERED, READ),
	SIZES(0x3ffffc00, 0x085ffc00, "ldaxr", F_ORDERED, READ),
	SIZES(0x3ffffc00, 0x089f7c00, "stllr", F_ORDERED, WRITE),
	SIZES(0x3ffffc00, 0x089ffc00, "stlr", F_ORDERED, WRITE),
	SIZES(0x3ffffc00, 0x08df7c00, "ldlar", F_ORDERED, READ),
	SIZES(0x3ffffc00, 0x08dffc00, "ldar", F_ORDERED, READ),
	SIZES(0x3ffffc00, 0x38bfc000, "ldapr", F_ORDERED, READ),
	INTEGERS(0xffe00c00, 0x19000000, "lu", "apu", F_UNSCALED),
	PAIR_SIZES(0x88200000, "stxp", F_EXCLUSIVE_STORE_PAIR, WRITE),
	PAIR_SIZES(0x88208000, "stlxp", F_EXCLUSIVE_STORE_PAIR, WRITE),
	PAIR_SIZES(0x88600000, "ldxp", F_EXCLUSIVE_PAIR, READ),
	PAIR_SIZES(0x88608000, "ldaxp", F_EXCLUSIVE_PAIR, READ),
	/* Compare and swap, atomic memory operations */
	ORDERS(0x3fe0fc00, 0x08a07c00, 0x00400000, 0x00008000, "cas", F_CAS),
	CAS_PAIR(0x00000000, "casp"),
	CAS_PAIR(0x00400000, "caspa"),
	CAS_PAIR(0x00008000, "caspl"),
	CAS_PAIR(0x00408000, "caspal"),
	ATOMIC(0u, "ldadd", F_ATOMIC),
	ATOMIC(1u, "ldclr", F_ATOMIC),
	ATOMIC(2u, "ldeor", F_ATOMIC),
	ATOMIC(3u, "ldset", F_ATOMIC),
	ATOMIC(4u, "ldsmax", F_ATOMIC),
	ATOMIC(5u, "ldsmin", F_ATOMIC),
	ATOMIC(6u, "ldumax", F_ATOMIC),
	ATOMIC(7u, "ldumin", F_ATOMIC),
	ATOMIC(8u, "swp", F_SWAP),
	/* Load/store register (pac): a base that is written back may be sp */
	{0xffa00400, 0xf8200400, "ldraa", F_LDRA, READ, U64},
	{0xffa00400, 0xf8a00400, "ldrab", F_LDRA, READ, U64},
	/* Advanced SIMD load/store structures */
	STRUCTS(0u, "4", 4),
	STRUCTS(2u, "1", 4),
	STRUCTS(4u, "3", 3),
	STRUCTS(6u, "1", 3),
	STRUCTS(7u, "1", 1),
	STRUCTS(8u, "2", 2),
	STRUCTS(10u, "1", 2),
	ELEMENTS(0u, 0u, "1", 1),
	ELEMENTS(0u, 1u, "2", 2),
	ELEMENTS(1u, 0u, "3", 3),
	ELEMENTS(1u, 1u, "4", 4),
	REPLICATE(6u, 0u, "ld1r", 1),
	REPLICATE(6u, 1u, "ld2r", 2),
	REPLICATE(7u, 0u, "ld3r", 3),
	REPLICATE(7u, 1u, "ld4r", 4),
	{0xbffffc00, 0x0d018400, "stl1", F_UNKNOWN, 0, 0},
	{0xbffffc00, 0x0d418400, "ldap1", F_UNKNOWN, 0, 0},
	/* Memory tags, memory copy and set, 64-byte and 128-bit accesses, guarded stacks, ordered vectors */
	{0xff200000, 0xd9200000, "mte", F_UNKNOWN, 0, 0},
	{0xfe400000, 0x68000000, "mte", F_UNKNOWN, 0, 0},
	{0x3b200c00, 0x19000400, "mops", F_UNKNOWN, 0, 0},
	{0xffa08c00, 0xf8208000, "ls64", F_UNKNOWN, 0, 0},
	{0x3f200c00, 0x19000800, "rcpc3", F_UNKNOWN, 0, 0},
	{0x3f200c00, 0x1d000800, "rcpc3", F_UNKNOWN, 0, 0},
	{0x3f200c00, 0x19200000, "lse128", F_UNKNOWN, 0, 0},
	{0x3f200800, 0x19200800, "rcw", F_UNKNOWN, 0, 0},
	{0xfffffc00, 0xd91f0c00, "gcs", F_UNKNOWN, 0, 0},
	{0xfffffc00, 0xd91f1c00, "gcs", F_UNKNOWN, 0, 0},
	{0x3f208c00, 0x38208000, "rcw", F_UNKNOWN, 0, 0},
};

#define TYPED 0xff3ffc00 /* type, Rn, Rd */
#define TYPED_M 0xff20fc00 /* type, Rm, Rn, Rd */
#define SF_TYPED 0x7f3ffc00

static const struct jf_decode_row float_rows[] = {
	/* Floating-point data-processing (1 source) */
	{TYPED, 0x1e204000, "fmov", F_FMOV, 0, 0},
	{TYPED, 0x1e20c000, "fabs", F_FP, 0, 0},
	{TYPED, 0x1e214000, "fneg", F_FP, 0, 0},
	{TYPED, 0x1e21c000, "fsqrt", F_FP, 0, 0},
	{0xfffffc00, 0x1e634000, "bfcvt", F_KILL_D, 0, 0},
	{0xfffffc00, 0x1e22c000, "fcvt", F_KILL_D, 0, 0},
	{0xfffffc00, 0x1e23c000, "fcvt", F_KILL_D, 0, 0},
	{0xfffffc00, 0x1e624000, "fcvt", F_KILL_D, 0, 0},
	{0xfffffc00, 0x1e63c000, "fcvt", F_KILL_D, 0, 0},
	{0xfffffc00, 0x1ee24000, "fcvt", F_KILL_D, 0, 0},
	{0xfffffc00, 0x1ee2c000, "fcvt", F_KILL_D, 0, 0},
	{TYPED, 0x1e244000, "frintn", F_FP, 0, 0},
	{TYPED, 0x1e24c000, "frintp", F_FP, 0, 0},
	{TYPED, 0x1e254000, "frintm", F_FP, 0, 0},
	{TYPED, 0x1e25c000, "frintz", F_FP, 0, 0},
	{TYPED, 0x1e264000, "frinta", F_FP, 0, 0},
	{TYPED, 0x1e274000, "frintx", F_FP, 0, 0},
	{TYPED, 0x1e27c000, "frinti", F_FP, 0, 0},
	{0xffbffc00, 0x1e284000, "frint32z", F_FP, 0, 0},
	{0xffbffc00, 0x1e28c000, "frint32x", F_FP, 0, 0},
	{0xffbffc00, 0x1e294000, "frint64z", F_FP, 0, 0},
	{0xffbffc00, 0x1e29c000, "frint64x", F_FP, 0, 0},
	/* Floating-point compare, immediate, conditional compare and select */
	{0xff20fc1f, 0x1e202000, "fcmp", F_FP_NONE, 0, 0},
	{0xff20fc1f, 0x1e202008, "fcmp", F_FP_NONE, 0, 0},
	{0xff20fc1f, 0x1e202010, "fcmpe", F_FP_NONE, 0, 0},
	{0xff20fc1f, 0x1e202018, "fcmpe", F_FP_NONE, 0, 0},
	{0xff201fe0, 0x1e201000, "fmov", F_FP, 0, 0},
	{0xff200c10, 0x1e200400, "fccmp", F_FP_NONE, 0, 0},
	{0xff200c10, 0x1e200410, "fccmpe", F_FP_NONE, 0, 0},
	{0xff200c00, 0x1e200c00, "fcsel", F_FP, 0, 0},
	/* Floating-point data-processing (2 source), (3 source) */
	{TYPED_M, 0x1e200800, "fmul", F_FP, 0, 0},
	{TYPED_M, 0x1e201800, "fdiv", F_FP, 0, 0},
	{TYPED_M, 0x1e202800, "fadd", F_FP, 0, 0},
	{TYPED_M, 0x1e203800, "fsub", F_FP, 0, 0},
	{TYPED_M, 0x1e204800, "fmax", F_FP, 0, 0},
	{TYPED_M, 0x1e205800, "fmin", F_FP, 0, 0},
	{TYPED_M, 0x1e206800, "fmaxnm", F_FP, 0, 0},
	{TYPED_M, 0x1e207800, "fminnm", F_FP, 0, 0},
	{TYPED_M, 0x1e208800, "fnmul", F_FP, 0, 0},
	{0xff208000, 0x1f000000, "fmadd", F_FP, 0, 0},
	{0xff208000, 0x1f008000, "fmsub", F_FP, 0, 0},
	{0xff208000, 0x1f200000, "fnmadd", F_FP, 0, 0},
	{0xff208000, 0x1f208000, "fnmsub", F_FP, 0, 0},
	/* Conversion between floating-point and integer, and fixed-point */
	{SF_TYPED, 0x1e200000, "fcvtns", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e210000, "fcvtnu", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e220000, "scvtf", F_X_TO_FP, 0, 0},
	{SF_TYPED, 0x1e230000, "ucvtf", F_X_TO_FP, 0, 0},
	{SF_TYPED, 0x1e240000, "fcvtas", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e250000, "fcvtau", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e280000, "fcvtps", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e290000, "fcvtpu", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e300000, "fcvtms", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e310000, "fcvtmu", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e380000, "fcvtzs", F_FP_TO_X, 0, 0},
	{SF_TYPED, 0x1e390000, "fcvtzu", F_FP_TO_X, 0, 0},
	{0xfffffc00, 0x1e7e0000, "fjcvtzs", F_KILL, 0, 0},
	{SF_TYPED, 0x1e260000, "fmov", F_FMOV_TO_X, 0, 0},
	{SF_TYPED, 0x1e270000, "fmov", F_FMOV_FROM_X, 0, 0},
	{0xfffffc00, 0x9eae0000, "fmov", F_KILL, 0, 0},
	{0xfffffc00, 0x9eaf0000, "fmov", F_NONE, 0, 0},
	{0x7f3f0000, 0x1e020000, "scvtf", F_X_TO_FIXED, 0, 0},
	{0x7f3f0000, 0x1e030000, "ucvtf", F_X_TO_FIXED, 0, 0},
	{0x7f3f0000, 0x1e180000, "fcvtzs", F_FIXED_TO_X, 0, 0},
	{0x7f3f0000, 0x1e190000, "fcvtzu", F_FIXED_TO_X, 0, 0},
	{0x7e000000, 0x1e000000, "", F_INVALID, 0, 0},
	{0x00000000, 0x00000000, "simd", F_UNKNOWN, 0, 0},
};
/* clang-format on */

const struct jf_arm64_group jf_arm64_memory_group = {memory_rows, sizeof(memory_rows) / sizeof(memory_rows[0])};
const struct jf_arm64_group jf_arm64_float_group = {float_rows, sizeof(float_rows) / sizeof(float_rows[0])};
