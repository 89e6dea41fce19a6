/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef JF_TOOLS_CHECKED_H
#define JF_TOOLS_CHECKED_H

#include <jitframe/check.h>

#include "cli.h"
#include "json.h"
#include "machine_code.h"
#include "page.h"

/* Results of `jitframe check`, gathered and printed. */
struct check_output {
	bool json, rows;
	bool quiet;        /* standard output is for the page */
	struct page *page; /* NULL: none is wanted */
	bool brief;        /* leave out what holds */
	uint32_t except;   /* rules by bit that nobody asks about */
	json_t *functions;
	const char *program;   /* of a BPF object: what the functions that come now are of; NULL: machine code */
	struct disasm *disasm; /* NULL: not needed yet, */
	bool no_disasm;        /* or not to be had */
	const struct jf_convention *conv;
	bool target_by_code; /* the convention is the one that the code is nearest to */
	bool is_program;     /* the functions are those of one program */
	bool is_compiled;    /* by jitframe itself: nothing is taken for granted */
	bool in_kernel;      /* struct jf_check_input */
	bool spec_given;     /* --role was there: what the prologue lacks is no doubt about what the function is */
	uint8_t c_align;
	unsigned int checked, failed;
};

#define CHECK_TARGETS_MAX  64
#define CHECK_JUMPS_MAX    4096
#define CHECK_CLEANUPS_MAX 256

/* The command line. */
struct check_args {
	struct spec_args spec;
	const char *path, *function, *target, *html;
	const char *jit; /* folder of a kernel's JIT, which compiles; NULL: ours does */
	enum code_format format;
	enum jf_check_kind kind;
	uint64_t address;
	uint8_t c_align;              /* 0: what the convention promises */
	uint32_t indexed_stack_bytes; /* of a BPF object; 0: the compiler's own */
	bool conventions;
	bool has_boundary;
	struct jf_frame_spec boundary;
	struct jf_check_target targets[CHECK_TARGETS_MAX]; /* given with --at */
	size_t target_count;
	uint32_t jumps[CHECK_JUMPS_MAX]; /* given with --jump-table */
	size_t jump_count;
	struct jf_cleanup_code cleanups[CHECK_CLEANUPS_MAX]; /* given with --cleanup */
	size_t cleanup_count;
	int32_t spill_off, throw_off; /* 0: not given */
	struct check_output output;
};

/* One function with all that is said of it. */
struct checked {
	const char *name;
	const struct jf_check_input *input;
	const struct jf_inferred *inferred; /* NULL: the spec was given */
	const struct jf_check_report *report;
	const struct jf_row *rows; /* derived ones, if they are wanted */
	size_t row_count;
	const struct jf_slot *slots;
	size_t slot_count;
};

/* Checks args->path, for args->function alone if that is given. returns: the exit status. */
int check_file(struct check_args *args);

/* args->spec.conv = what the code is for. returns: the exit status. */
int check_choose_target(struct check_args *args, const struct machine_code *code);
/* What each function is, as far as args->spec leaves that open, into all[code->count]. returns: the exit status. */
int check_infer_all(struct check_args *args, const struct machine_code *code, struct jf_inferred *all);
/* Whether it is one of the stubs through which code of this library calls C. */
bool check_is_call_stub(const struct jf_convention *conv, const struct code_function *function);
/* The boundary of a callback in `code`, or NULL: it is not known. */
const struct jf_frame_spec *check_boundary_of(const struct check_args *args, const struct machine_code *code,
					      const struct jf_inferred *all);

/* What is taken for granted, in one line. */
void check_assumed_text(const struct check_output *output, char *text, size_t capacity);
#define CHECK_ASSUMED_MAX 512
/* The same, before the functions. */
void check_print_assumed(const struct check_output *output);
json_t *check_assumed_json(const struct check_output *output);
/* What to give so that an undecided rule can be decided, or NULL. owns: static. */
const char *check_hint(const struct jf_finding *finding);

/* The fields of a spec in a line. */
void check_spec_text(const struct jf_frame_spec *spec, char *text, size_t capacity);
/* Whether all that is found is about a frame that the code may not have. */
bool check_is_doubtful(const struct check_output *output, const struct checked *checked);
/* How many of the report's findings there was room for. */
size_t check_kept(const struct jf_check_report *report);
/* LLVM for the code, made when first asked for. returns: NULL: there is none, and that was said. */
struct disasm *check_disasm(struct check_output *output);
/* One function as `--json` has it. */
json_t *check_json(struct check_output *output, const struct checked *checked);

void check_print(struct check_output *output, const struct checked *checked);
/* After the last one. returns: the exit status. */
int check_print_end(struct check_output *output);
/* jitframe check --conventions. returns: the exit status. */
int check_conventions(const char *name, bool json);

#endif
