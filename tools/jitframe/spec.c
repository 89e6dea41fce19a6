/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <jitframe/check.h>
#include <jitframe/describe.h>

#include "cli.h"

/* The fields of struct jf_frame_spec as options. */

enum {
	KEY_ROLE = 0x200,
	KEY_STACK,
	KEY_USES,
	KEY_TAIL_CALLS,
	KEY_ARENA,
	KEY_PRIVATE_STACK,
	KEY_OUT_ARGS,
	KEY_LANDING_PADS,
	KEY_SIGN_RETURN,
	KEY_LEAF,
	KEY_CLASSIC,
	KEY_CLEANUPS,
	KEY_THROWS,
};
_Static_assert(1 << (KEY_THROWS - KEY_STACK) == JF_GIVEN_THROWS, "keys and JF_GIVEN_ bits are in one order");

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What the function needs of its frame:", 1},
	{"role", KEY_ROLE, "ROLE", 0, "main (default), subprogram, boundary or callback", 1},
	{"stack", KEY_STACK, "BYTES", 0, "BPF stack", 1},
	{"uses", KEY_USES, "REGS", 0, "callee-saved BPF registers that its code uses: r6,r7,r8,r9,fp", 1},
	{"tail-calls", KEY_TAIL_CALLS, NULL, 0, "a tail call can be reached from it", 1},
	{"arena", KEY_ARENA, NULL, 0, "it uses an arena", 1},
	{"private-stack", KEY_PRIVATE_STACK, NULL, 0, "its BPF stack lies elsewhere", 1},
	{"out-args", KEY_OUT_ARGS, "N", 0, "outgoing arguments after the fifth, 0 to 7", 1},
	{"landing-pads", KEY_LANDING_PADS, NULL, 0, "ENDBR64 or BTI at indirect entries", 1},
	{"sign-return", KEY_SIGN_RETURN, NULL, 0, "sign the return address (PAC)", 1},
	{"leaf", KEY_LEAF, NULL, 0, "it calls nothing", 1},
	{"classic", KEY_CLASSIC, NULL, 0, "it was converted from classic BPF", 1},
	{"cleanups", KEY_CLEANUPS, NULL, 0, "it has clean-up pads, or where pads are called, its program has", 1},
	{"throws", KEY_THROWS, NULL, 0, "with --cleanups, where pads are called: it throws itself", 1},
	{0},
};

/* "r6", "r10" or "fp" of text[0, length). returns: the bit, or 0. */
static uint16_t register_bit(const char *text, size_t length)
{
	static const char *const names[] = {"r6", "r7", "r8", "r9", "r10"};

	if (length == 2 && memcmp(text, "fp", 2) == 0)
		return 1u << JF_BPF_FP;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && memcmp(text, names[i], length) == 0)
			return (uint16_t)(1u << (JF_BPF_R6 + i));
	return 0;
}

static uint16_t parse_registers(const char *text, struct argp_state *state)
{
	uint16_t used = 0;

	for (const char *at = text; *at;) {
		size_t length = strcspn(at, ",");
		uint16_t bit = register_bit(at, length);

		if (bit == 0)
			argp_error(state, "--uses %s: \"%.*s\" is none of r6, r7, r8, r9, r10, fp", text, (int)length,
				   at);
		used |= bit;
		at += length;
		if (*at == ',')
			at++;
	}
	return used;
}

static uint32_t parse_count(const char *option, const char *text, uint64_t max, struct argp_state *state)
{
	uint64_t value = 0;

	if (!cli_number(text, 10, max, &value))
		argp_error(state, "%s %s: not a number from 0 to %llu", option, text, (unsigned long long)max);
	return (uint32_t)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct spec_args *args = state->input;
	enum jf_role role;

	/* The keys of fields are in the order of the bits. */
	if (key >= KEY_STACK && key <= KEY_THROWS)
		args->given |= UINT32_C(1) << (key - KEY_STACK);
	switch (key) {
	case KEY_ROLE:
		args->role_given = true;
		if (jf_role_parse(arg, &role) != JF_OK)
			argp_error(state, "--role %s: not one of main, subprogram, boundary, callback", arg);
		else
			args->spec.role = role;
		return 0;
	case KEY_STACK: args->spec.bpf_stack_bytes = parse_count("--stack", arg, UINT32_MAX, state); return 0;
	case KEY_USES: args->spec.bpf_regs_used |= parse_registers(arg, state); return 0;
	case KEY_TAIL_CALLS: args->spec.tail_calls = true; return 0;
	case KEY_ARENA: args->spec.arena = true; return 0;
	case KEY_PRIVATE_STACK: args->spec.private_stack = true; return 0;
	case KEY_OUT_ARGS: args->spec.out_args = (uint8_t)parse_count("--out-args", arg, UINT8_MAX, state); return 0;
	case KEY_LANDING_PADS: args->spec.landing_pads = true; return 0;
	case KEY_SIGN_RETURN: args->spec.sign_return = true; return 0;
	case KEY_LEAF: args->spec.leaf = true; return 0;
	case KEY_CLASSIC: args->spec.classic = true; return 0;
	case KEY_CLEANUPS: args->spec.cleanups = true; return 0;
	case KEY_THROWS: args->spec.throws = true; return 0;
	case ARGP_KEY_ARG:
		if (args->conv)
			argp_error(state, "unexpected argument %s", arg);
		else if (cli_convention(arg, &args->conv) != 0)
			exit(CLI_BAD_INPUT);
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (!args->own_target)
			argp_error(state, "which ARCH/CONVENTION? `jitframe archs` lists them");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp spec_argp = {.options = options, .parser = parse};
