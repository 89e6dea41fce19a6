/* SPDX-License-Identifier: BSD-2-Clause */
#include "conventions.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * The frames of every convention, drawn, and their code in hexadecimal with the unwind rows beside it,
 * against tests/golden/ARCH/CONVENTION.txt. After a change that is wanted, write those files anew and
 * read what `git diff` says:
 *
 *     JF_REBASE=1 meson test -C build/native golden
 */

static const struct sample {
	const char *title;
	struct jf_frame_spec spec; /* size 0: filled in below */
} samples[] = {
	{"main, nothing used", {.role = JF_ROLE_MAIN}},
	{"main, R6 R7 R8 R9, stack 64", {.role = JF_ROLE_MAIN, .bpf_regs_used = 0x3c0, .bpf_stack_bytes = 64}},
	{"main, R7 R10, hardened",
	 {.role = JF_ROLE_MAIN, .bpf_regs_used = 0x480, .landing_pads = true, .sign_return = true}},
	{"main, R7 R10, landing pads", {.role = JF_ROLE_MAIN, .bpf_regs_used = 0x480, .landing_pads = true}},
	{"main, R6, tail calls, stack 16",
	 {.role = JF_ROLE_MAIN, .bpf_regs_used = 0x40, .tail_calls = true, .bpf_stack_bytes = 16}},
	{"main, R6 R7, arena, stack 24",
	 {.role = JF_ROLE_MAIN, .bpf_regs_used = 0xc0, .arena = true, .bpf_stack_bytes = 24}},
	{"main, R9, private stack 48",
	 {.role = JF_ROLE_MAIN, .bpf_regs_used = 0x200, .private_stack = true, .bpf_stack_bytes = 48}},
	{"main, R6, stack 8, 5 outgoing arguments",
	 {.role = JF_ROLE_MAIN, .bpf_regs_used = 0x40, .bpf_stack_bytes = 8, .out_args = 5}},
	{"main, the largest stack", {.role = JF_ROLE_MAIN, .bpf_stack_bytes = UINT32_MAX}},
	{"subprogram, R6 R8, tail calls, stack 24",
	 {.role = JF_ROLE_SUBPROGRAM, .bpf_regs_used = 0x140, .tail_calls = true, .bpf_stack_bytes = 24}},
	{"boundary, stack 16", {.role = JF_ROLE_BOUNDARY, .bpf_stack_bytes = 16}},
	{"boundary, tail calls, arena, stack 512",
	 {.role = JF_ROLE_BOUNDARY, .tail_calls = true, .arena = true, .bpf_stack_bytes = 512}},
	{"callback, nothing used", {.role = JF_ROLE_CALLBACK}},
	{"callback, tail calls, arena, stack 40",
	 {.role = JF_ROLE_CALLBACK, .tail_calls = true, .arena = true, .bpf_stack_bytes = 40}},
	{"callback, hardened, stack 8",
	 {.role = JF_ROLE_CALLBACK, .landing_pads = true, .sign_return = true, .bpf_stack_bytes = 8}},
};

static const struct jf_values values = {
	.arena_base = UINT64_C(0x00007f1234560000),
	.private_stack = UINT64_C(0x00000fedcba98760),
};

#define CODE_BYTES 4096
#define ROWS       256

struct sink {
	struct jf_code code;
	uint8_t bytes[CODE_BYTES];
	struct jf_row rows[ROWS];
};

/* What a row says that the one before did not. */
static void add_change(struct text *out, const struct jf_frame *frame, const struct jf_row *old,
		       const struct jf_row *row)
{
	const struct jf_reg *regs = frame->conv->backend->regs;

	if (!old || old->cfa_reg != row->cfa_reg || old->cfa_off != row->cfa_off)
		text_add(out, " CFA=%s%+d", regs[row->cfa_reg].name, row->cfa_off);
	for (unsigned int i = 0; i < frame->slot_count; i++) {
		bool was = old && old->saved >> i & 1, is = row->saved >> i & 1;

		if (is && !was)
			text_add(out, " %s@%d", regs[frame->slots[i].reg].name, frame->slots[i].off_from_cfa);
		else if (was && !is)
			text_add(out, " %s", regs[frame->slots[i].reg].name);
	}
	if (row->flags & JF_ROW_RA_SIGNED && !(old && old->flags & JF_ROW_RA_SIGNED))
		text_add(out, " signed");
	if (old && old->flags & JF_ROW_RA_SIGNED && !(row->flags & JF_ROW_RA_SIGNED))
		text_add(out, " not signed");
	if (row->flags & JF_ROW_REGS_LOST && !(old && old->flags & JF_ROW_REGS_LOST))
		text_add(out, " others lost");
	if (old && old->flags & JF_ROW_REGS_LOST && !(row->flags & JF_ROW_REGS_LOST))
		text_add(out, " others kept");
}

/* One line of bytes: a word where instructions are words. */
static void add_bytes(struct text *out, const uint8_t *bytes, size_t count, bool words)
{
	size_t length = out->length;

	if (words)
		text_add(out, "%02x%02x%02x%02x", bytes[3], bytes[2], bytes[1], bytes[0]);
	for (size_t i = 0; !words && i < count; i++)
		text_add(out, "%s%02x", i ? " " : "", bytes[i]);
	length = out->length - length;
	if (length < 32)
		text_add(out, "%*s", (int)(32 - length), "");
}

/* A line per instruction, or where those have no fixed width, per change of the row. */
static void add_code(struct text *out, const struct jf_frame *frame, const struct sink *sink)
{
	const struct jf_code *code = &sink->code;
	const struct jf_row *old = NULL;
	bool words = frame->conv->backend->insn_align == 4;
	size_t row = 0;

	for (size_t at = 0; at < code->size;) {
		bool changes = row < code->row_count && sink->rows[row].code_off == at;
		size_t end = words ? at + 4 : code->size;

		row += changes;
		if (!words && row < code->row_count)
			end = sink->rows[row].code_off;
		if (!words && code->marks[JF_MARK_TAIL_ENTRY] > at && code->marks[JF_MARK_TAIL_ENTRY] < end)
			end = code->marks[JF_MARK_TAIL_ENTRY];
		if (code->marks[JF_MARK_TAIL_ENTRY] == at)
			text_add(out, "  tail-call entry:\n");
		text_add(out, "%6zx  ", at);
		add_bytes(out, sink->bytes + at, end - at, words);
		if (changes) {
			text_add(out, " |");
			add_change(out, frame, old, &sink->rows[row - 1]);
			old = &sink->rows[row - 1];
		}
		while (out->chars[out->length - 1] == ' ')
			out->chars[--out->length] = '\0';
		text_add(out, "\n");
		at = end;
	}
}

static void add_part(struct text *out, const struct jf_frame *frame, enum jf_part part, const char *title)
{
	static struct sink sink;
	enum jf_status status;

	jf_code_init(&sink.code, sink.bytes, CODE_BYTES, 0, sink.rows, ROWS);
	status = jf_frame_emit(&sink.code, frame, part, &values);
	if (part == JF_PART_TAIL_EXIT && status == JF_E_UNSUPPORTED)
		return;
	cr_assert_eq(status, JF_OK, "%s: %s", title, jf_status_name(status));
	text_add(out, " %s\n", title);
	add_code(out, frame, &sink);
}

static void add_sample(struct text *out, const struct jf_convention *conv, const struct sample *sample)
{
	struct jf_frame_spec spec = sample->spec;
	struct jf_error error = {0};
	struct jf_frame frame;
	char drawing[4096];
	enum jf_status status;

	spec.size = sizeof(spec);
	if (spec.bpf_stack_bytes == UINT32_MAX)
		spec.bpf_stack_bytes = conv->bpf_stack_max_bytes;
	text_add(out, "\n==== %s\n", sample->title);
	status = jf_frame_solve(conv, &spec, &frame, &error);
	if (status != JF_OK) {
		text_add(out, "%s: %s: %s\n", jf_status_name(status), error.where, error.text);
		return;
	}
	cr_assert_lt((size_t)jf_frame_text(&frame, drawing, sizeof(drawing)), sizeof(drawing));
	text_add(out, "%s", drawing);
	add_part(out, &frame, JF_PART_PROLOGUE, "prologue");
	add_part(out, &frame, JF_PART_EPILOGUE, "epilogue");
	add_part(out, &frame, JF_PART_TAIL_EXIT, "tail exit");
}

static void build(struct text *out, const struct jf_convention *conv)
{
	text_add(out,
		 "%s/%s: %s\n"
		 "\n"
		 "Written by tests/golden/golden.c, which says how to write it anew. Code as hexadecimal %s; right of\n"
		 "the bar what the unwind row says from there on: where the CFA is, registers that are in memory now\n"
		 "(reg@offset) and those that are back (reg).\n",
		 conv->backend->name, conv->name, conv->summary, conv->backend->insn_align == 4 ? "words" : "bytes");
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		add_sample(out, conv, &samples[i]);
}

static void rebase(const struct text *out, const char *folder, const struct jf_convention *conv, const char *path)
{
	char arch[512];

	snprintf(arch, sizeof(arch), "%s/%s", folder, conv->backend->name);
	mkdir(arch, 0777);
	cr_assert(text_write(out, path), "%s cannot be written", path);
}

ALL_CONVENTIONS(golden, frames_and_code_are_as_they_were)
{
	const struct jf_convention *conv = convention_at(*index);
	const char *folder = getenv("JF_GOLDEN_DIR");
	struct text before = {0}, after = {0}, diff = {0};
	char path[1024];

	cr_assert_not_null(folder, "JF_GOLDEN_DIR is not set: run by `meson test`");
	snprintf(path, sizeof(path), "%s/%s/%s.txt", folder, conv->backend->name, conv->name);
	build(&after, conv);
	if (getenv("JF_REBASE")) {
		rebase(&after, folder, conv, path);
	} else {
		cr_assert(text_read(&before, path), "there is no %s/%s.txt: see golden.c", conv->backend->name,
			  conv->name);
		text_diff(&diff, before.chars, after.chars, 20);
		cr_assert_eq(diff.length, 0, "%s/%s.txt differs:\n%s", conv->backend->name, conv->name, diff.chars);
	}
	text_free(&before);
	text_free(&after);
	text_free(&diff);
}

/* ---- the diff itself ----------------------------------------------------------------------------------- */

static void check_diff(const char *before, const char *after, const char *wanted)
{
	struct text diff = {0};

	text_add(&diff, "%s", "");
	text_diff(&diff, before, after, 3);
	cr_assert_str_eq(diff.chars, wanted);
	text_free(&diff);
}

Test(golden, differences_are_shown)
{
	check_diff("", "", "");
	check_diff("a\nb\n", "a\nb\n", "");
	check_diff("a\nb\nc\n", "a\nx\nc\n", "@@ line 2 @@\n a\n-b\n+x\n");
	check_diff("a\nb\nc\n", "a\nc\n", "@@ line 2 @@\n a\n-b\n");
	check_diff("a\nc\n", "a\nb\nc\n", "@@ line 2 @@\n a\n+b\n");
	check_diff("a\n", "a\nb\n", "@@ line 2 @@\n a\n+b\n");
	check_diff("", "b\n", "@@ line 1 @@\n+b\n");
	check_diff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nx\n6\n", "@@ line 5 @@\n 2\n 3\n 4\n-5\n+x\n");
	check_diff("a\nb\nc\nd\ne\n", "", "@@ line 1 @@\n-a\n-b\n-c\n-...\n");
}
