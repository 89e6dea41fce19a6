/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "checked.h"

/* jitframe check: the command line. */

enum {
	KEY_FORMAT = 0x300,
	KEY_BOUNDARY,
	KEY_AT,
	KEY_KIND,
	KEY_ADDRESS,
	KEY_ROWS,
	KEY_BRIEF,
	KEY_EXCEPT,
	KEY_CONVENTIONS,
	KEY_ALIGN,
	KEY_JUMPS,
	KEY_CLEANUP,
	KEY_SPILL_OFF,
	KEY_THROW_OFF,
	KEY_HTML,
	KEY_JIT,
	KEY_INDEXED_STACK,
};

static const char *const kind_names[JF_CHECK__COUNT] = {"function", "call-stub", "private-stub"};
static const char *const target_names[JF_TARGET__COUNT] = {"c",        "bpf",   "call-stub", "private-stub",
							   "own-stub", "throw", "resume"};

static bool find_name(const char *const *names, unsigned int count, const char *name, size_t length,
		      unsigned int *index)
{
	for (unsigned int i = 0; i < count; i++) {
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* KIND=START-END */
static bool parse_target(const char *text, struct jf_check_target *target)
{
	const char *equals = strchr(text, '='), *dash = equals ? strchr(equals, '-') : NULL;
	char start[24];
	unsigned int kind = 0;

	if (!dash || (size_t)(dash - equals) > sizeof(start) ||
	    !find_name(target_names, JF_TARGET__COUNT, text, (size_t)(equals - text), &kind))
		return false;
	memcpy(start, equals + 1, (size_t)(dash - equals - 1));
	start[dash - equals - 1] = '\0';
	target->kind = (uint8_t)kind;
	return cli_number(start, 16, UINT64_MAX, &target->start) &&
	       cli_number(dash + 1, 16, UINT64_MAX, &target->end) && target->start < target->end;
}

/* "stack=64,arena": the options of a spec without their dashes. */
static bool parse_boundary_word(struct jf_frame_spec *spec, char *word)
{
	static const char *const names[] = {"tail-calls", "arena", "private-stack", "landing-pads", "sign-return"};
	bool *const flags[] = {&spec->tail_calls, &spec->arena, &spec->private_stack, &spec->landing_pads,
			       &spec->sign_return};
	unsigned int index;
	uint64_t number;

	if (find_name(names, 5, word, strlen(word), &index)) {
		*flags[index] = true;
		return true;
	}
	if (strncmp(word, "stack=", 6) == 0 && cli_number(word + 6, 10, UINT32_MAX, &number)) {
		spec->bpf_stack_bytes = (uint32_t)number;
		return true;
	}
	if (strncmp(word, "out-args=", 9) == 0 && cli_number(word + 9, 10, UINT8_MAX, &number)) {
		spec->out_args = (uint8_t)number;
		return true;
	}
	if (word[0] == 'r' && cli_number(word + 1, 10, JF_BPF_FP, &number) && number >= JF_BPF_R6) {
		spec->bpf_regs_used |= (uint16_t)(1u << number);
		return true;
	}
	return strcmp(word, "none") == 0;
}

static void parse_boundary(struct check_args *args, const char *text, struct argp_state *state)
{
	char *words = strdup(text), *rest = words;
	const struct jf_frame_spec init = JF_FRAME_SPEC_INIT;

	args->has_boundary = true;
	args->boundary = init;
	args->boundary.role = JF_ROLE_BOUNDARY;
	for (char *word = words ? strsep(&rest, ",") : NULL; word; word = strsep(&rest, ","))
		if (!parse_boundary_word(&args->boundary, word))
			argp_error(
				state,
				"--boundary %s: \"%s\" is none of stack=N, out-args=N, r6 to r10, tail-calls, arena, "
				"private-stack, landing-pads, sign-return, none",
				text, word);
	free(words);
}

static void parse_at(struct check_args *args, const char *text, struct argp_state *state)
{
	if (args->target_count == CHECK_TARGETS_MAX)
		argp_error(state, "--at: more than %d", CHECK_TARGETS_MAX);
	else if (!parse_target(text, &args->targets[args->target_count++]))
		argp_error(state,
			   "--at %s: not KIND=START-END with KIND one of c, bpf, call-stub, private-stub, throw, "
			   "resume",
			   text);
}

/* TO,TO,...: offsets as a dump has them. */
static void parse_jumps(struct check_args *args, const char *text, struct argp_state *state)
{
	char *words = strdup(text), *rest = words;
	uint64_t to;

	for (char *word = words ? strsep(&rest, ",") : NULL; word; word = strsep(&rest, ",")) {
		if (args->jump_count == CHECK_JUMPS_MAX)
			argp_error(state, "--jump-table: more than %d targets", CHECK_JUMPS_MAX);
		else if (!cli_number(word, 16, UINT32_MAX, &to))
			argp_error(state, "--jump-table %s: \"%s\" is no hexadecimal offset", text, word);
		else
			args->jumps[args->jump_count++] = (uint32_t)to;
	}
	free(words);
}

/* START-END:PAD: offsets as a dump has them. */
static bool parse_record(const char *text, struct jf_cleanup_code *record)
{
	uint32_t *const fields[] = {&record->start_off, &record->end_off, &record->pad_off};
	static const char ends[] = "-:";
	uint64_t number;

	for (unsigned int i = 0; i < 3; i++) {
		size_t length = i < 2 ? strcspn(text, (char[]){ends[i], '\0'}) : strlen(text);
		char word[24];

		if (length >= sizeof(word) || (i < 2 && text[length] == '\0'))
			return false;
		memcpy(word, text, length);
		word[length] = '\0';
		if (!cli_number(word, 16, UINT32_MAX, &number))
			return false;
		*fields[i] = (uint32_t)number;
		text += length + 1;
	}
	return true;
}

/* Whose function has pads belongs to a program that has them. */
static void parse_cleanup(struct check_args *args, const char *text, struct argp_state *state)
{
	if (args->cleanup_count == CHECK_CLEANUPS_MAX)
		argp_error(state, "--cleanup: more than %d", CHECK_CLEANUPS_MAX);
	else if (!parse_record(text, &args->cleanups[args->cleanup_count++]))
		argp_error(state, "--cleanup %s: not START-END:PAD, three hexadecimal offsets", text);
	args->spec.spec.cleanups = true;
	args->spec.given |= JF_GIVEN_CLEANUPS;
}

/* Bytes from FP, below it. */
static int32_t parse_spill(const char *option, const char *text, struct argp_state *state)
{
	uint64_t number = 0;

	if (text[0] != '-' || !cli_number(text + 1, 10, INT32_MAX, &number) || !number)
		argp_error(state, "%s %s: not a negative number of bytes, as -96", option, text);
	return -(int32_t)number;
}

static void parse_except(struct check_args *args, const char *text, struct argp_state *state)
{
	char *words = strdup(text), *rest = words;
	uint64_t rule;

	for (char *word = words ? strsep(&rest, ",") : NULL; word; word = strsep(&rest, ",")) {
		if (word[0] != 'R' || !cli_number(word + 1, 10, JF_RULE_COUNT, &rule) ||
		    !jf_rule_at((unsigned int)rule))
			argp_error(state, "--except %s: \"%s\" is none of the contract's rules", text, word);
		else
			args->output.except |= UINT32_C(1) << rule;
	}
	free(words);
}

static void parse_argument(struct check_args *args, char *arg, struct argp_state *state)
{
	if (args->conventions)
		args->target = args->target ? (argp_error(state, "unexpected argument %s", arg), NULL) : arg;
	else if (!args->path)
		args->path = arg;
	else if (!args->function)
		args->function = arg;
	else
		argp_error(state, "unexpected argument %s", arg);
}

static void check_html(const struct check_args *args, struct argp_state *state)
{
	if (args->html && args->conventions)
		argp_error(state, "--html shows code: --conventions has none");
	if (args->html && args->output.json && strcmp(args->html, "-") == 0)
		argp_error(state, "--html - and --json both want standard output");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;
	unsigned int kind = 0;
	uint64_t number = 0;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->spec; return 0;
	case 't': args->target = arg; return 0;
	case 'j': args->output.json = true; return 0;
	case KEY_JIT: args->jit = arg; return 0;
	case KEY_HTML: args->html = arg; return 0;
	case KEY_ROWS: args->output.rows = true; return 0;
	case KEY_BRIEF: args->output.brief = true; return 0;
	case KEY_EXCEPT: parse_except(args, arg, state); return 0;
	case KEY_CONVENTIONS: args->conventions = true; return 0;
	case KEY_AT: parse_at(args, arg, state); return 0;
	case KEY_BOUNDARY: parse_boundary(args, arg, state); return 0;
	case KEY_FORMAT:
		if (!code_format_parse(arg, &args->format))
			argp_error(state, "--format %s: not one of auto, raw, hex, elf, bpftool, bpftool-json", arg);
		return 0;
	case KEY_KIND:
		if (!find_name(kind_names, JF_CHECK__COUNT, arg, strlen(arg), &kind))
			argp_error(state, "--kind %s: not one of function, call-stub, private-stub", arg);
		args->kind = (enum jf_check_kind)kind;
		return 0;
	case KEY_ADDRESS:
		if (!cli_number(arg, 16, UINT64_MAX, &args->address))
			argp_error(state, "--address %s: not a hexadecimal number of 64 bits", arg);
		return 0;
	case KEY_ALIGN:
		if (!cli_number(arg, 10, 128, &number) || !number || number & (number - 1))
			argp_error(state, "--align-c %s: not 1, 2, 4, up to 128", arg);
		args->c_align = (uint8_t)number;
		return 0;
	case KEY_INDEXED_STACK:
		if (!cli_number(arg, 10, CLI_STACK_BYTES_MAX, &number) || !number)
			argp_error(state, "--indexed-stack %s: not a number from 1 to %d", arg, CLI_STACK_BYTES_MAX);
		args->indexed_stack_bytes = (uint32_t)number;
		return 0;
	case KEY_JUMPS: parse_jumps(args, arg, state); return 0;
	case KEY_CLEANUP: parse_cleanup(args, arg, state); return 0;
	case KEY_SPILL_OFF: args->spill_off = parse_spill("--spill-off", arg, state); return 0;
	case KEY_THROW_OFF: args->throw_off = parse_spill("--throw-off", arg, state); return 0;
	case ARGP_KEY_ARG: parse_argument(args, arg, state); return 0;
	case ARGP_KEY_END: check_html(args, state); return 0;
	case ARGP_KEY_NO_ARGS:
		if (!args->conventions)
			argp_error(state, "which FILE? (- is standard input)");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"target", 't', "ARCH/CONVENTION", 0,
	 "what the code is for (default: the file's architecture or this processor's; linux for kernel dumps, else "
	 "user)",
	 1},
	{"format", KEY_FORMAT, "FORMAT", 0, "raw, hex, elf, bpftool, bpftool-json or auto (default: as it looks)", 1},
	{"jit", KEY_JIT, "FOLDER", 0,
	 "FILE is a BPF object, compiled by a kernel's JIT, which scripts/kernel-jit puts there", 1},
	{"indexed-stack", KEY_INDEXED_STACK, "BYTES", 0, "of a BPF object: " CLI_INDEXED_STACK_DOC, 1},
	{"kind", KEY_KIND, "KIND", 0, "function (default), call-stub or private-stub", 1},
	{"address", KEY_ADDRESS, "HEX", 0, "where the code runs, if the input does not say", 1},
	{"at", KEY_AT, "KIND=START-END", 0,
	 "what is called there: c (what nothing is said of), bpf, call-stub, private-stub, throw, resume", 1},
	{"boundary", KEY_BOUNDARY, "SPEC", 0,
	 "of a callback: the boundary that it lands in, as stack=64,r6,tail-calls (default: any of the convention)", 1},
	{"jump-table", KEY_JUMPS, "TO,TO...", 0, "where computed jumps go: hexadecimal offsets, as a dump has them", 1},
	{"cleanup", KEY_CLEANUP, "START-END:PAD", 0,
	 "FUNCTION has a clean-up pad for the calls in [START, END): hexadecimal offsets, as a dump has them", 1},
	{"spill-off", KEY_SPILL_OFF, "BYTES", 0,
	 "with clean-up pads that are called: where the unwinder is told that the caller's registers are, from FP", 1},
	{"throw-off", KEY_THROW_OFF, "BYTES", 0, "the same of this frame's registers where it throws", 1},
	{"align-c", KEY_ALIGN, "BYTES", 0,
	 "SP is a multiple of this where C is called (default: what the convention promises)", 1},
	{NULL, 0, NULL, 0, "Output:", 3},
	{"rows", KEY_ROWS, NULL, 0, "print unwind rows derived from the code", 3},
	{"except", KEY_EXCEPT, "R3,...", 0, "do not ask about these rules: their breaking is known", 1},
	{"brief", KEY_BRIEF, NULL, 0, "leave out the rules that hold", 3},
	{"json", 'j', NULL, 0, "print JSON", 3},
	{"html", KEY_HTML, "FILE", 0,
	 "write a page to step through the code with frame, registers and findings (-: to standard output, instead of "
	 "text)",
	 3},
	{"conventions", KEY_CONVENTIONS, NULL, 0,
	 "check the descriptions of all conventions, or of one, instead of code", 3},
	{0},
};

int cmd_check(int argc, char **argv)
{
	static const struct argp_child children[] = {{&spec_argp, 0, NULL, 2}, {0}};
	static const struct argp argp = {
		options,
		parse,
		"FILE [FUNCTION]\n--conventions [ARCH/CONVENTION]",
		"Follows every path through machine code and judges the rules of the exception contract. FILE is raw "
		"code, hex text, an ELF object, the output of `bpftool prog dump jited PROG opcodes`, or a BPF object, "
		"which is compiled first. A spec that is not given is inferred from the code.\v"
		"Exit status: 0 all rules hold, 1 a rule is broken or cannot be decided, 2 bad input or usage.",
		children,
		NULL,
		NULL,
	};
	struct check_args args = {.spec = {.spec = JF_FRAME_SPEC_INIT, .own_target = true}};

	cli_parse(&argp, argc, argv, &args);
	if (args.conventions)
		return check_conventions(args.target, args.output.json);
	return check_file(&args);
}
