/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TESTS_CHECK_MACHINE_H
#define JF_TESTS_CHECK_MACHINE_H

#include <jitframe/jitframe.h>

#include <string.h>

#include "../support/compare.h"

/*
 * A machine that runs any architecture's code with real values, one instruction at a time, by what the
 * decoder says of each. It knows nothing of frames and rules, has one path at a time and no notion of
 * "unknown": what an instruction is not known to do gives a value that depends on the instruction alone.
 */

#define MACHINE_STACK_BYTES 16384
#define MACHINE_STACK_LOW   UINT64_C(0x7f3355550000)
#define MACHINE_CFA         (MACHINE_STACK_LOW + MACHINE_STACK_BYTES - 4096) /* of the function that is run first */
#define MACHINE_RETURN      UINT64_C(0x5eaf00d00)                            /* where that one returns to */
#define MACHINE_CELLS       64

/* What happened in a step beside changes of registers and memory. */
enum machine_event {
	EVENT_NONE,
	EVENT_CALL, /* machine.target; nothing has been done about it but that the return address is in place */
	EVENT_JUMP_OUT,
	EVENT_TRAP,
	EVENT_UNDECODED
};

/* One access of memory. */
struct machine_access {
	uint64_t address;
	unsigned int bytes;
	bool store;
	uint64_t value;
};

struct machine {
	const struct jf_backend *backend;
	const uint8_t *code;
	uint32_t size;
	uint64_t address; /* of code[0] */
	uint32_t pc;      /* offset */
	uint8_t zero;     /* the register that is always 0, or JF_REG_NONE */
	uint64_t reg[JF_REGS_MAX];
	_Alignas(8) uint8_t stack[MACHINE_STACK_BYTES];
	struct {
		uint64_t address, value;
	} cells[MACHINE_CELLS]; /* stores elsewhere */
	unsigned int cell_count;
	bool tainted[JF_REGS_MAX]; /* registers with such a value */
	bool chosen[JF_REGS_MAX];  /* registers with one of two values */
	uint64_t salt;             /* another one gives other values everywhere */
	struct compared flags;
	uint64_t changes; /* of the stack and of the registers that a row can speak of, so far */

	/* of the last step */
	uint32_t at;
	struct jf_effect effect;
	struct machine_access access[JF_EFFECT_STEPS_MAX];
	unsigned int access_count;
	uint64_t killed[JF_EFFECT_STEPS_MAX]; /* values that no step says, and what was computed from such */
	bool is_raw[JF_EFFECT_STEPS_MAX];     /* the former */
	unsigned int killed_count;
	uint64_t target;
};

/* Every register and all of the stack have values of their own. */
void machine_init(struct machine *m, const struct jf_backend *backend, uint64_t salt);
void machine_load(struct machine *m, const uint8_t *code, uint32_t size, uint64_t address);
/* jf_decode(), quicker. */
enum jf_status machine_decode(const struct jf_backend *backend, const uint8_t *bytes, size_t size,
			      struct jf_effect *effect);
/* Runs the instruction at m->pc; `taken` says which way a conditional branch goes. */
enum machine_event machine_step(struct machine *m, bool taken);
/* Caller-saved registers with chosen values have others from here on. */
void machine_forget_choices(struct machine *m);
/* Whether the instruction at m->pc is a conditional branch. */
bool machine_branches(const struct machine *m);
/*
 * Whether the conditional branch at m->pc is taken, by registers and flags as they are.
 * returns: false when the decoder does not tell, or the flags are not known.
 */
bool machine_knows(const struct machine *m, bool *taken);
/* What a call does by the platform's ABI: caller-saved registers and all below SP have other values. */
void machine_return_from_c(struct machine *m);

uint64_t machine_read_elsewhere(const struct machine *m, uint64_t address, unsigned int bytes);
void machine_write(struct machine *m, uint64_t address, unsigned int bytes, uint64_t value);
/* A return address as this machine signs it with SP = `sp`, where the hardware does so. */
uint64_t machine_sign(uint64_t value, uint64_t sp);

static inline uint64_t machine_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a * UINT64_C(0x9e3779b97f4a7c15) + b;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline bool machine_in_stack(uint64_t address, unsigned int bytes)
{
	return address >= MACHINE_STACK_LOW && address + bytes <= MACHINE_STACK_LOW + MACHINE_STACK_BYTES &&
	       address + bytes >= address;
}

static inline uint64_t machine_read(const struct machine *m, uint64_t address, unsigned int bytes)
{
	uint64_t value = 0;

	if (!machine_in_stack(address, bytes))
		return machine_read_elsewhere(m, address, bytes);
	memcpy(&value, m->stack + (address - MACHINE_STACK_LOW), bytes < 8 ? bytes : 8);
	return value;
}

#endif
