/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_SUBJECT_H
#define JF_TESTS_CHECK_SUBJECT_H

#include <jitframe/jitframe.h>

/*
 * Functions to be checked: compiled programs that between them have every kind of frame, prologue, exit, call
 * and landing. A subject is one function's code together with all that is known of it; a mutation changes a
 * copy.
 */

#define SUBJECT_CODE_MAX     4096
#define SUBJECT_ROWS_MAX     256
#define SUBJECT_CALLS_MAX    8
#define SUBJECT_CLEANUPS_MAX 8
#define SUBJECT_ADDRESS      UINT64_C(0x10000000) /* where all programs run */

/* C code that programs call: one in reach of a direct call, one that is not. */
#define HELPER_NEAR_ADDRESS   UINT64_C(0x10800000)
#define HELPER_FAR_ADDRESS    UINT64_C(0x7e1234567000)
#define THROW_ADDRESS         UINT64_C(0x10900000)
#define CALL_REGISTER_ADDRESS UINT64_C(0x10a00000)
#define RESUME_ADDRESS        UINT64_C(0x10b00000)

/* What a program is made of, apart from arithmetic. */
enum {
	HAS_CALLS = 1 << 0, /* of C, near and far */
	HAS_SUB = 1 << 1,   /* of the subprogram */
	HAS_THROW = 1 << 2, /* which makes main a boundary */
	HAS_TAIL_CALL = 1 << 3,
	HAS_ARENA = 1 << 4,
	HAS_MAY_GOTO = 1 << 5,
	HAS_PRIVATE_STACK = 1 << 6,
	HAS_OUT_ARGS = 1 << 7,
	HAS_LOOP = 1 << 8,
	HAS_ATOMIC = 1 << 9,
	HAS_CALL_REGISTER = 1 << 10,
	HAS_LANDING_PADS = 1 << 11,
	HAS_SIGN_RETURN = 1 << 12,
	HAS_ZONES = 1 << 13,    /* instructions that mutations may overwrite */
	HAS_CLEANUPS = 1 << 14, /* pads of main and subprogram */
};

struct shape {
	const char *name;
	uint32_t has;
	uint8_t regs;                                   /* bit n: R(6 + n) is used */
	uint16_t main_stack, sub_stack, callback_stack; /* bytes */
};

/* Places in a body that do nothing of importance. */
enum zone {
	ZONE_STRAIGHT, /* on every path */
	ZONE_SIDE,     /* behind a conditional branch */
	ZONE_PAD,      /* of a clean-up pad */
	ZONE__COUNT
};

enum call_kind { TO_C, TO_BPF, TO_MAY_GOTO, TO_STUB, TO_THROW, TO_RESUME };

struct call_target {
	uint64_t address;
	enum call_kind kind;
};

struct subject {
	const struct jf_convention *conv;
	char name[128];
	struct jf_frame frame;    /* its slots, under conv */
	struct jf_frame boundary; /* callbacks: the frame that it lands in */
	bool any_boundary;        /* callbacks: or any other of the convention */
	bool is_stub;
	bool is_private_stub; /* of a convention of its own; is_stub too */
	struct jf_values values;
	uint64_t private_stack; /* the value its own prologue adds the base to */

	uint8_t code[SUBJECT_CODE_MAX];
	uint32_t size;
	uint64_t address; /* of code[0] */
	struct jf_row rows[SUBJECT_ROWS_MAX];
	uint32_t row_count;
	struct jf_slot row_slots[JF_FRAME_SLOTS_MAX]; /* what rows refer to: the frame's slots */
	uint8_t row_slot_count;
	uint32_t marks[JF_MARK__COUNT];
	struct {
		uint32_t start, end;
	} zones[ZONE__COUNT]; /* of code; empty where there are none */
	struct call_target calls[SUBJECT_CALLS_MAX];
	unsigned int call_count;
	struct jf_cleanup_code cleanups[SUBJECT_CLEANUPS_MAX];
	uint32_t cleanup_count;
	int32_t spill_off, throw_off; /* as struct jf_check_input */
};

/* The functions of one program: main, subprogram, callback, then stubs. */
#define SUBJECTS_MAX 16
struct subjects {
	struct subject list[SUBJECTS_MAX];
	unsigned int count;
	enum jf_status status; /* why there are none */
};

/*
 * Compiles a program of that shape under `emitted` and makes subjects of its functions as `conv` lays them
 * out; the two are the same but for mutations of the description.
 */
void subjects_make(struct subjects *subjects, const struct jf_convention *conv, const struct jf_convention *emitted,
		   const struct shape *shape);

/* A stub that keeps all BPF registers but AX, as timed may_goto calls it. */
void private_stub_make(struct subject *s, const struct jf_convention *conv);

/* The programs that are mutated: few, with much in them. */
extern const struct shape mutated_shapes[];
extern const unsigned int mutated_shape_count;

#endif
